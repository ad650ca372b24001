package pay

import (
	"context"
	"time"

	"paylink/internal/link"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

// Store is the books and the claims. Every method is one transaction; those that decide lock the account's row first and read the time after the lock.
// It returns ErrNotFound for a payment that does not exist.
type Store interface {
	// Begin is T1. It reads the facts of a client and a vehicle ("" for a pending balance), the vehicle's live payment if there is one, and the payment
	// that the form made or tried to pay before, and does what decide says. An error of decide rolls everything back; trail entries of a refusal are the caller's to write.
	Begin(ctx context.Context, clientID, vehicleID, formKey string, decide func(Start) (Begin, error)) (Payment, error)
	// Apply is every other transition: decide sees the payment as it is and says what changes. Until it is done nobody puts other terms in force than an open payment’s View tells. An error of decide rolls everything back.
	Apply(ctx context.Context, paymentID string, decide func(View) (Change, error)) error
	// View reads a payment with its attempts, newest link and facts, without a lock.
	View(ctx context.Context, paymentID string) (View, error)
	// Opened writes the first opening of a live link down (T2) and says whether it is live.
	Opened(ctx context.Context, linkID string, e trail.Entry) (live bool, err error)
	// LinkOf finds a link by its token's digest, dead or alive. It returns link.ErrUnknown for none.
	LinkOf(ctx context.Context, d link.Digest) (link.Link, error)

	// Now reads the clock that decides.
	Now(ctx context.Context) (time.Time, error)
	// TakeMessage gives one worker the right to carry a waiting text on until the lease is over. ok is false if there is nothing to do.
	TakeMessage(ctx context.Context, id string, lease time.Duration) (m sms.Message, ok bool, err error)
	// SaveMessage writes how far a text has come. A status that the carrier has told never goes back: a callback may have come meanwhile.
	SaveMessage(ctx context.Context, m sms.Message) error
	// HandOver writes down that a text is about to be given to the carrier (status unclear, one try more), and says whether that still is so: the text stands
	// as it did when it was taken (from, one try less) and its link is live. Only then may it be sent.
	HandOver(ctx context.Context, m sms.Message, from sms.Status) (ok bool, err error)
	// AddReceipt queues a receipt's text; a payment has at most one, and a second changes nothing.
	AddReceipt(ctx context.Context, m sms.Message, e trail.Entry) error
	// OptOut and OptIn note that a number wants no texts, or wants them again.
	OptOut(ctx context.Context, e164 string) error
	OptIn(ctx context.Context, e164 string) error
	OptedOut(ctx context.Context, e164 string) (bool, error)
	// Deliver writes the carrier's word on a message down.
	Deliver(ctx context.Context, d sms.Delivery) error

	// Due lists payments and texts that want to be looked at, oldest first.
	Due(ctx context.Context, limit int) (payments, messages []string, err error)
	// Rebuild writes a payment that only Stripe knew of (T24). ErrLive: there is such a payment by now.
	Rebuild(ctx context.Context, p Payment, b Booking, e trail.Entry) error
	// PaymentOf finds a payment by its PaymentIntent; "" if there is none.
	PaymentOf(ctx context.Context, intentID string) (paymentID string, err error)
	// Record reads what the evidence file shows beyond a view.
	Record(ctx context.Context, paymentID string) (Record, error)
	// Awaken makes every live payment due, and every one whose cancel was not answered.
	Awaken(ctx context.Context) error
	// Postpone has a payment that is due looked at later.
	Postpone(ctx context.Context, paymentID string, by time.Duration) error
	// Hear stores an event once and makes its payment due at once. It says which payment that is, "" for none of ours.
	Hear(ctx context.Context, n Notice) (paymentID string, err error)
}

// Start is what T1 decides on.
type Start struct {
	Facts    Facts
	Live     *View    // the vehicle's live payment; nil: none
	SameForm *Payment // made, or tried to be paid, by the same form before; nil: none
	Last     *Payment // the newest payment of the vehicle that has ended; nil: none
}

// Begin is what T1 writes.
type Begin struct {
	CloseStale *Change // the stale payment of the vehicle, closed in the same transaction
	Payment    Payment
	Booking    *Booking // of a payment that credit covers; it has no link and no text
	Link       *link.Link
	Message    *sms.Message
	Trail      []trail.Entry
}

// Change is what a transition writes.
type Change struct {
	Life       Life
	NewAttempt *Attempt
	Ended      []Attempt // attempts whose outcome is now known
	Bookings   []Booking
	Refunds    []Refund     // new, or changed
	Disputes   []Dispute    // new, or changed
	Supersede  []Payment    // other open payments of the account that close here, as they are to be
	Link       *link.Link   // replaces the live link
	Message    *sms.Message // its text
	Trail      []trail.Entry
}
