package twiliosms

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/twilio/twilio-go/client"

	"paylink/internal/guard"
	"paylink/internal/phone"
	"paylink/internal/sms"
)

// Why a callback is not taken.
var (
	ErrToken      = errors.New("twiliosms: the auth token is required: it is what Twilio signs callbacks with")
	ErrPublicURL  = errors.New("twiliosms: the public URL must be https://HOST or http://HOST, without a path")
	ErrSignature  = errors.New("twiliosms: the callback is not signed by Twilio")
	ErrUnreadable = errors.New("twiliosms: the callback can't be read")
)

// Callbacks reads what Twilio signs (twilio.com/docs/usage/security).
type Callbacks struct {
	validator client.RequestValidator
	base      string // scheme and host, as Twilio is told them
}

// NewCallbacks takes the account's auth token, also where an API key signs in, and the public base URL: Twilio signs the address that it was
// given, not the one that a proxy makes of it. Errors: ErrToken (an empty one would verify what anybody can sign), ErrPublicURL.
func NewCallbacks(authToken, publicURL string) (*Callbacks, error) {
	if authToken == "" || !plain(authToken) {
		return nil, ErrToken
	}
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, ErrPublicURL
	}
	return &Callbacks{validator: client.NewRequestValidator(authToken), base: u.Scheme + "://" + u.Host}, nil
}

// Delivery reads a status callback. messageID is ours, which the signed address must hold; pathAndQuery is that address without scheme and host.
// A state that we do not know, such as one that comes after the text was read, is "" and changes nothing. Errors: ErrSignature, ErrUnreadable.
func (c *Callbacks) Delivery(messageID, pathAndQuery string, form url.Values, signature string) (sms.Delivery, error) {
	if messageID == "" || !strings.Contains(pathAndQuery, messageID) || !c.signed(pathAndQuery, form, signature) {
		return sms.Delivery{}, ErrSignature
	}
	d := sms.Delivery{MessageID: messageID, Receipt: sms.Receipt{SID: form.Get("MessageSid"), Status: sms.ParseStatus(form.Get("MessageStatus"))}}
	if d.SID == "" || form.Get("MessageStatus") == "" {
		return sms.Delivery{}, ErrUnreadable
	}
	if code := form.Get("ErrorCode"); code != "" {
		n, err := strconv.Atoi(code)
		if err != nil {
			return sms.Delivery{}, ErrUnreadable
		}
		d.ErrorCode = n
	}
	return d, nil
}

// Reply reads an incoming text. Errors: ErrSignature, ErrUnreadable.
func (c *Callbacks) Reply(pathAndQuery string, form url.Values, signature string) (sms.Reply, error) {
	if !c.signed(pathAndQuery, form, signature) {
		return sms.Reply{}, ErrSignature
	}
	from, err := phone.Parse(form.Get("From"))
	if err != nil {
		return sms.Reply{}, ErrUnreadable
	}
	body := form.Get("Body")
	r := sms.Reply{From: from, Word: sms.WordOf(body)}
	switch form.Get("OptOutType") { // what Twilio itself understood and did, as the number's owner worded it there
	case "STOP":
		r.Word = sms.Stop
		return r, nil
	case "START":
		r.Word = sms.Start
		return r, nil
	case "HELP":
		r.Word = sms.Help
		return r, nil
	}
	// Twilio confirms the English STOP and START by itself. Its own HELP names nobody to call.
	if language := sms.LanguageOf(body); r.Word == sms.Help || r.Word == sms.Stop && language != "en" {
		r.Answer = language
	}
	return r, nil
}

// signed says whether Twilio signed this address with this form. The library signs the first of a repeated parameter only, so that a second one
// could be anybody's: repeats are refused.
func (c *Callbacks) signed(pathAndQuery string, form url.Values, signature string) bool {
	if !strings.HasPrefix(pathAndQuery, "/") || signature == "" {
		return false
	}
	params := map[string]string{}
	for name, values := range form {
		if len(values) != 1 {
			return false
		}
		params[name] = values[0]
	}
	return c.validator.Validate(c.base+pathAndQuery, params, signature) || guard.Off(guard.CallSigned)
}
