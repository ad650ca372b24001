package pay

import (
	"context"
	"fmt"
	"time"

	"paylink/internal/guard"
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
func (s Secret) String() string {
	if guard.Off(guard.SecretMasked) {
		return s.text
	}
	return "[secret]"
}

// GoString keeps the secret out of every log.
func (Secret) GoString() string { return "[secret]" }

// Intent is what Stripe says of a PaymentIntent.
type Intent struct {
	ID            string
	Account       string // connected account that it was read from; "" is the platform's own
	Status        IntentStatus
	Amount        money.Cents
	Currency      string
	Customer      string // whose saved cards it may charge; "" for none's
	PaymentMethod string // that it holds now
	ErrorMethod   string // PaymentMethod that last_payment_error names; "" if there is no error
	ErrorCode     string // decline_code, else code
	ChargeID      string // latest charge
	ChargeMethod  string // PaymentMethod that the latest charge names
	Card          Card   // of the latest charge
	ClientSecret  Secret
	Refunded      money.Cents // of the latest charge, failed refunds not counted
	Disputed      bool        // somebody has disputed the latest charge
	CreatedAt     time.Time
	Origin        Origin
}

// Origin is what a PaymentIntent's metadata says of where it came from: enough to rebuild a payment's row after a restore. All "": it is none of ours.
type Origin struct {
	PaymentID  string
	ClientID   string
	VehicleID  string
	LocationID string
	ChainID    string
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
	Customer   string // on the same account, whose saved card will be charged; "" for a card that is entered
}

// ConfirmRequest asks to charge. PaymentMethod is "" in phase 2.
type ConfirmRequest struct {
	Key           string
	Account       string
	IntentID      string
	PaymentMethod string
	OffSession    bool // the card's owner is not there to authenticate
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

// Gateway is the card processor. Every method sends exactly one request (a list, one a page, and no more than it can believe). Errors: *CardError, *RequestError, *DeadAnswerError, or ErrUnclear
// (timeout, 5xx, 409, 429, broken answer), after which anything may have happened; for reads ErrUnclear only means that nothing was learned.
type Gateway interface {
	CreateIntent(ctx context.Context, r IntentRequest) (Intent, error)
	Confirm(ctx context.Context, r ConfirmRequest) (Intent, error)
	Cancel(ctx context.Context, account, intentID string) (Intent, error)
	Intent(ctx context.Context, account, intentID string) (Intent, error)
	// Card reads a PaymentMethod.
	Card(ctx context.Context, account, paymentMethod string) (Card, error)
	// Refund asks to give money back; a *RequestError says why not ("charge_already_refunded", "charge_disputed", …).
	Refund(ctx context.Context, r RefundRequest) (GivenBack, error)
	// Refunds lists all refunds of a PaymentIntent, newest first.
	Refunds(ctx context.Context, account, intentID string) ([]GivenBack, error)
	// Contests lists all disputes of a PaymentIntent, newest first.
	Contests(ctx context.Context, account, intentID string) ([]Contest, error)
	// Clone copies a saved card of the platform's customer to a connected account, where it can be charged once, and returns the copy's id. A copy
	// that nobody uses does no harm, so it may be asked for again.
	Clone(ctx context.Context, account, customer, paymentMethod string) (string, error)
}

// RefundStatus is Stripe's word on a refund (docs.stripe.com/api/refunds/object, status).
type RefundStatus string

const (
	RefundPending   RefundStatus = "pending"
	RefundNeedsHelp RefundStatus = "requires_action"
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed"
	RefundCanceled  RefundStatus = "canceled"
)

// GivenBack is what Stripe says of a refund.
type GivenBack struct {
	ID       string // re_…
	RefundID string // ours, from its metadata; "" for one that was made elsewhere, in Stripe's dashboard
	IntentID string
	Amount   money.Cents
	Status   RefundStatus
	Failure  string // failure_reason
	At       time.Time
}

// RefundRequest asks to give money back.
type RefundRequest struct {
	Key       string // idempotency key
	Account   string
	IntentID  string
	Amount    money.Cents
	RefundID  string // ours, for the metadata: the list of a PaymentIntent's refunds then tells whether it was made
	PaymentID string
}

// Contest is what Stripe says of a dispute (docs.stripe.com/api/disputes/object).
type Contest struct {
	ID         string // dp_…
	IntentID   string
	ChargeID   string
	Amount     money.Cents
	Reason     string // "fraudulent", "product_not_received", …
	Status     string // "needs_response", "under_review", "won", "lost", "warning_…", "prevented"
	EvidenceBy time.Time
	At         time.Time
	// Moved is what the dispute has moved on the balance, oldest first: the withdrawal, and what came back.
	Moved []Movement
}

// Movement is one balance transaction (docs.stripe.com/api/balance_transactions/object).
type Movement struct {
	ID       string // txn_…
	Type     string // Stripe's word: "charge", "refund", "adjustment", "payout", "stripe_fee", …
	Amount   money.Cents
	Fee      money.Cents
	Source   string // the object that caused it: ch_…, re_…, dp_…, po_…
	IntentID string // of the charge behind it, "" where there is none
	Origin   Origin // of that PaymentIntent
	At       time.Time
}

// Notice is a signed event from Stripe: only that something happened to a PaymentIntent; what, is asked.
type Notice struct {
	ID       string // event id
	Account  string // connected account; "" is the platform's own
	Type     string
	IntentID string // "" if it is about something else
	// PaymentID is our metadata's, where the event shows it: it finds the payment whose PaymentIntent was made and whose answer was lost.
	PaymentID string
	// Card is the SetupIntent (seti_…), PaymentMethod (pm_…) or customer (cus_…) that an event about cards on file is about; "" for any other event. Cards live on the platform's own account only.
	Card string
	At   time.Time
}
