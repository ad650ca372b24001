package app

import (
	"errors"
	"net/url"

	"paylink/internal/pay"
	"paylink/internal/sms"
	"paylink/internal/stripepay"
	"paylink/internal/twiliosms"
	"paylink/internal/web"
)

// The edges don't know each other: here a supplier's refusal becomes one that the door's table knows.

type adaptEvents struct{ *stripepay.Webhooks }

func (a adaptEvents) Read(payload []byte, signature string) (pay.Notice, error) {
	n, err := a.Webhooks.Read(payload, signature)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, stripepay.ErrSignature), errors.Is(err, stripepay.ErrOld):
		return n, web.ErrSignature
	}
	return n, web.ErrBadRequest
}

type adaptCallbacks struct{ *twiliosms.Callbacks }

func (a adaptCallbacks) Delivery(pathAndQuery string, form url.Values, signature, messageID string) (sms.Delivery, error) {
	d, err := a.Callbacks.Delivery(messageID, pathAndQuery, form, signature)
	return d, callbackError(err)
}

func (a adaptCallbacks) Reply(pathAndQuery string, form url.Values, signature string) (sms.Reply, error) {
	r, err := a.Callbacks.Reply(pathAndQuery, form, signature)
	return r, callbackError(err)
}

func callbackError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, twiliosms.ErrSignature):
		return web.ErrSignature
	}
	return web.ErrBadRequest
}
