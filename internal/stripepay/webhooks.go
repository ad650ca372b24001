package stripepay

import (
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"paylink/internal/guard"
	"paylink/internal/pay"
)

// Why an event is not taken.
var (
	ErrSecret     = errors.New("stripepay: a webhook secret must begin with whsec_")
	ErrSignature  = errors.New("stripepay: the event is not signed by Stripe")
	ErrOld        = errors.New("stripepay: the event's signature is of another time")
	ErrVersion    = errors.New("stripepay: the event is of another API version than " + stripe.APIVersion + ": set the webhook endpoint to it")
	ErrUnreadable = errors.New("stripepay: the event can't be read")
)

// signatureLife is how far a signature's time may be from ours, either way (docs.stripe.com/webhooks#replay-attacks).
const signatureLife = 300 * time.Second

// Webhooks reads the events that Stripe signs.
type Webhooks struct {
	secrets []string
	now     func() time.Time
}

// NewWebhooks takes the signing secrets of every endpoint: the account's, the connected accounts', and old and new while one is rotated.
// It returns ErrSecret if there is none, or one that is not Stripe's: an empty secret would verify what anybody can sign.
func NewWebhooks(secrets []string, now func() time.Time) (*Webhooks, error) {
	if len(secrets) == 0 {
		return nil, ErrSecret
	}
	for _, s := range secrets {
		if secret, ok := strings.CutPrefix(s, "whsec_"); !ok || secret == "" || strings.TrimSpace(s) != s {
			return nil, ErrSecret
		}
	}
	return &Webhooks{secrets: secrets, now: now}, nil
}

// Read verifies a request's body by its Stripe-Signature header and says which event it is.
// Errors: ErrSignature, ErrOld (past or future), ErrVersion, ErrUnreadable.
func (w *Webhooks) Read(payload []byte, signature string) (pay.Notice, error) {
	at, signatures, ok := parseSignature(signature)
	if !ok || !w.signed(at, payload, signatures) && guard.On(guard.EventSigned) {
		return pay.Notice{}, ErrSignature
	}
	if age := w.now().Sub(at); age > signatureLife || -age > signatureLife && guard.On(guard.EventFuture) {
		return pay.Notice{}, ErrOld
	}
	var e stripe.Event
	if err := json.Unmarshal(payload, &e); err != nil || e.Object != "event" || e.ID == "" || e.Type == "" || e.Data == nil {
		return pay.Notice{}, ErrUnreadable
	}
	if e.APIVersion != stripe.APIVersion {
		return pay.Notice{}, ErrVersion
	}
	return noticeOf(&e, e.Account), nil
}

func noticeOf(e *stripe.Event, account string) pay.Notice {
	return pay.Notice{
		ID: e.ID, Account: account, Type: string(e.Type), IntentID: intentIn(e.Data.Object), PaymentID: paymentIn(e.Data.Object), Card: cardIn(e, account), At: time.Unix(e.Created, 0),
	}
}

func (w *Webhooks) signed(at time.Time, payload []byte, signatures [][]byte) bool {
	for _, secret := range w.secrets {
		want := webhook.ComputeSignature(at, payload, secret)
		for _, s := range signatures {
			if hmac.Equal(want, s) {
				return true
			}
		}
	}
	return false
}

// parseSignature reads "t=1495999758,v1=ABC…,v0=…". The library has a parser too, but it keeps the time to itself and lets a future one pass.
func parseSignature(header string) (at time.Time, signatures [][]byte, ok bool) {
	if len(header) > 4096 {
		return at, nil, false
	}
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			seconds, err := strconv.ParseInt(value, 10, 64)
			if err != nil || !at.IsZero() {
				return at, nil, false
			}
			at = time.Unix(seconds, 0)
		case "v1":
			if s, err := hex.DecodeString(value); err == nil {
				signatures = append(signatures, s)
			}
		}
	}
	return at, signatures, !at.IsZero()
}

// intentIn is the PaymentIntent that an event is about: itself, or the one that a charge, a refund or a dispute names.
func intentIn(object map[string]any) string {
	name := "payment_intent"
	if object["object"] == "payment_intent" {
		name = "id"
	}
	id, _ := object[name].(string)
	return id
}

// paymentIn is the payment that a PaymentIntent of ours was made for.
func paymentIn(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	if object["object"] != "payment_intent" || metadata["app"] != "paylink" {
		return ""
	}
	id, _ := metadata["payment"].(string)
	return id
}

// cardIn is what an event about cards on file is about. Those of connected accounts are copies that are charged once.
func cardIn(e *stripe.Event, account string) string {
	if account != "" || !slices.Contains(cardEvents, string(e.Type)) {
		return ""
	}
	id, _ := e.Data.Object["id"].(string)
	return id
}
