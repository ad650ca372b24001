// Package hooks is the suppliers' door: signed events from Stripe, signed callbacks and replies from Twilio.
package hooks

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/gorilla/mux"

	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/sms"
	"paylink/internal/web"
)

// Events checks Stripe's signature.
type Events interface {
	// Read returns web.ErrSignature for an event that is not Stripe's, too old or too far ahead, and web.ErrBadRequest for one that can't be read.
	Read(payload []byte, signature string) (pay.Notice, error)
}

// Callbacks checks Twilio's signature. Both methods return web.ErrSignature for a call that is not Twilio's.
type Callbacks interface {
	Delivery(pathAndQuery string, form url.Values, signature, messageID string) (sms.Delivery, error)
	Reply(pathAndQuery string, form url.Values, signature string) (sms.Reply, error)
}

// Machine takes what was heard.
type Machine interface {
	Heard(ctx context.Context, n pay.Notice) error
	Delivered(ctx context.Context, d sms.Delivery) error
	Replied(ctx context.Context, from phone.Number, word sms.Word) error
}

// Config is what the door needs. All fields are required.
type Config struct {
	Door      web.Door // its Policy and Refuse are set here
	Events    Events
	Callbacks Callbacks
	Machine   Machine
	Brand     string
	Support   phone.Number // whom to call
}

type server struct{ Config }

// Mount puts the door's routes on the router.
func Mount(r *mux.Router, c Config) {
	s := &server{c}
	d := c.Door
	d.Policy = func(string) string { return "default-src 'none'" }
	d.Refuse = func(_ *web.Request, p web.Problem) (web.Answer, error) {
		return web.JSON(p.Status, map[string]string{"error": p.Code})
	}
	r.Handle("/hooks/stripe", d.Handle(s.stripe)).Methods(http.MethodPost)
	r.Handle("/hooks/twilio/status/{message}", d.Handle(s.delivery)).Methods(http.MethodPost)
	r.Handle("/hooks/twilio/reply", d.Handle(s.reply)).Methods(http.MethodPost)
}

// stripe stores the event and answers; what it means is found out by asking Stripe.
func (s *server) stripe(r *web.Request) (web.Answer, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return web.Answer{}, web.ErrTooLarge
		}
		return web.Answer{}, web.ErrBadRequest
	}
	notice, err := s.Events.Read(body, r.Header.Get("Stripe-Signature"))
	if err != nil {
		return web.Answer{}, err
	}
	if err := s.Machine.Heard(r.Context(), notice); err != nil {
		return web.Answer{}, err
	}
	return web.JSON(http.StatusOK, map[string]bool{"received": true})
}

func (s *server) delivery(r *web.Request) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	d, err := s.Callbacks.Delivery(r.URL.RequestURI(), r.PostForm, r.Header.Get("X-Twilio-Signature"), mux.Vars(r.Request)["message"])
	if err != nil {
		return web.Answer{}, err
	}
	if err := s.Machine.Delivered(r.Context(), d); err != nil && !errors.Is(err, sms.ErrUnknownMessage) {
		return web.Answer{}, err
	}
	return web.Answer{Status: http.StatusNoContent}, nil
}

// reply honours STOP and START at once. The answer is Twilio's markup: words for help, and for a stop that only we know; silence where Twilio speaks itself.
func (s *server) reply(r *web.Request) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	in, err := s.Callbacks.Reply(r.URL.RequestURI(), r.PostForm, r.Header.Get("X-Twilio-Signature"))
	if err != nil {
		return web.Answer{}, err
	}
	if err := s.Machine.Replied(r.Context(), in.From, in.Word); err != nil {
		return web.Answer{}, err
	}
	body, err := xml.Marshal(twiML{Message: s.words(in)})
	return web.Answer{Type: "text/xml; charset=utf-8", Body: append([]byte(xml.Header), body...)}, err
}

// twiML is Twilio's markup for an answer to a text (twilio.com/docs/messaging/twiml). Without a message nothing is sent.
type twiML struct {
	XMLName xml.Name `xml:"Response"`
	Message string   `xml:"Message,omitempty"`
}

// words answers a reply; "" is silence.
func (s *server) words(in sms.Reply) string {
	l, ok := lang.Parse(in.Answer)
	switch {
	case ok && in.Word == sms.Help:
		return l.HelpText(s.Brand, s.Support.National())
	case ok && in.Word == sms.Stop:
		return l.StoppedText(s.Brand, s.Support.National())
	}
	return ""
}
