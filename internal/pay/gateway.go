package pay

import (
	"context"
	"fmt"
	"time"

	"paylink/internal/money"
)

// IntentStatus is Stripe's word on a PaymentIntent (docs.stripe.com/api/payment_intents/object, status).
type IntentStatus string

const (
	RequiresPaymentMethod IntentStatus = "requires_payment_method"
	RequiresConfirmation  IntentStatus = "requires_confirmation"
	RequiresAction        IntentStatus = "requires_action"
	Processing            IntentStatus = "processing"
	RequiresCapture       IntentStatus = "requires_capture"
	IntentCanceled        IntentStatus = "canceled"
	IntentSucceeded       IntentStatus = "succeeded"
)

// Secret is a client_secret: it goes to the paying browser and never prints.
type Secret struct{ text string }

// NewSecret keeps a client_secret.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return s.text }

// String keeps the secret out of every log.
func (Secret) String() string { return "[secret]" }

// GoString keeps the secret out of every log.
func (Secret) GoString() string { return "[secret]" }

// Intent is what Stripe says of a PaymentIntent.
type Intent struct {
	ID            string
	Account       string // connected account that it was read from; "" is the platform's own
	Status        IntentStatus
	Amount        money.Cents
	Currency      string
	PaymentMethod string // that it holds now
	ErrorMethod   string // PaymentMethod that last_payment_error names; "" if there is no error
	ErrorCode     string // decline_code, else code
	ChargeID      string // latest charge
	ChargeMethod  string // PaymentMethod that the latest charge names
	Card          Card   // of the latest charge
	ClientSecret  Secret
	PaymentID     string // from our metadata
}

// IntentRequest asks for a PaymentIntent.
type IntentRequest struct {
	Key        string // idempotency key
	Account    string
	Amount     money.Cents
	PaymentID  string
	ClientID   string
	VehicleID  string
	LocationID string
	ChainID    string
	Summary    string // SHA-256 of the frozen quote
}

// ConfirmRequest asks to charge. PaymentMethod is "" in phase 2.
type ConfirmRequest struct {
	Key           string
	Account       string
	IntentID      string
	PaymentMethod string
}

// CardError is the bank's no, in the answer to the very request that was sent (Stripe's 402). Intent is what came with it, if anything did.
type CardError struct {
	Code   string // decline_code, else code
	Intent *Intent
}

func (e *CardError) Error() string { return "card declined: " + e.Code }

// RequestError is Stripe's 4xx other than a card error, 409 or 429.
type RequestError struct {
	Status    int
	Code      string
	RequestID string
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("card processor answered %d %s (request %s)", e.Status, e.Code, e.RequestID)
}

// DeadAnswerError is a 500 that is replayed for an idempotency key: that key will never give another answer.
type DeadAnswerError struct{ RequestID string }

func (e *DeadAnswerError) Error() string { return "card processor replays an error " + e.RequestID }

// Gateway is the card processor. Every method sends exactly one request. Errors: *CardError, *RequestError, *DeadAnswerError, or ErrUnclear
// (timeout, 5xx, 409, 429, broken answer), after which anything may have happened; for reads ErrUnclear only means that nothing was learned.
type Gateway interface {
	CreateIntent(ctx context.Context, r IntentRequest) (Intent, error)
	Confirm(ctx context.Context, r ConfirmRequest) (Intent, error)
	Cancel(ctx context.Context, account, intentID string) (Intent, error)
	Intent(ctx context.Context, account, intentID string) (Intent, error)
	// Card reads a PaymentMethod.
	Card(ctx context.Context, account, paymentMethod string) (Card, error)
}

// Notice is a signed event from Stripe: only that something happened to a PaymentIntent; what, is asked.
type Notice struct {
	ID       string // event id
	Account  string // connected account; "" is the platform's own
	Type     string
	IntentID string // "" if it is about something else
	At       time.Time
}
