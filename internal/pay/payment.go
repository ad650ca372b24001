// Package pay takes money exactly once: one payment, one PaymentIntent, one machine behind every door.
package pay

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/ledger"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/quote"
	"paylink/internal/trail"
)

// What the machine refuses. Nothing was charged where one of these is returned.
var (
	ErrNotFound      = errors.New("no such payment")
	ErrClosed        = errors.New("this payment is closed")
	ErrElsewhere     = errors.New("this payment is being paid right now")
	ErrOtherLink     = errors.New("another link was opened since")
	ErrTerms         = errors.New("the terms have changed since the page was shown")
	ErrNotReady      = errors.New("the payment is not set up yet")
	ErrBrand         = errors.New("only Visa and Mastercard are taken")
	ErrCard          = errors.New("this card entry can't be used")
	ErrLive          = errors.New("a payment for this vehicle is under way")
	ErrTotalMoved    = errors.New("the total has changed since it was shown")
	ErrBlocked       = errors.New("no payment can be sent")
	ErrResends       = errors.New("the link was resent three times")
	ErrNeedsReview   = errors.New("a person has to look at this payment")
	ErrUnclear       = errors.New("the card processor did not say what happened")
	ErrOtherAccount  = errors.New("the event is of another account than the payment")
	ErrUnavailable   = errors.New("the card processor can't be reached")
	ErrPaused        = errors.New("payments are paused while the books are checked")
	ErrAccountBusy   = errors.New("another payment of this account is being made right now")
	ErrRefunding     = errors.New("a refund of this payment is under way")
	ErrTooMuch       = errors.New("no more can be given back than was charged")
	ErrNotCharged    = errors.New("the card processor shows no charge for this payment")
	ErrCharged       = errors.New("the card processor shows a charge for this payment")
	errUnknownEvent  = errors.New("no such event")
	errWrongIntent   = errors.New("the payment has another PaymentIntent")
	errNotBalanced   = errors.New("the booking does not add up to the amount charged")
	errNoSuchAttempt = errors.New("no such attempt")
)

// How long things may take, and how often they may be tried.
const (
	MaxDeclines   = 5                // declined cards that lock a payment
	MaxAttempts   = 15               // tries of any outcome that lock it
	MaxResends    = 3                // resends of a link
	ConfirmLease  = 60 * time.Second // how long an attempt holds the claim
	ConfirmWithin = 45 * time.Second // by when a confirm with all its retries has ended
	ActionLease   = 5 * time.Minute  // for 3-D Secure …
	ActionGrace   = 3 * time.Minute  // … but no longer than this after the payment's end
	HandOver      = 60 * time.Second // by when the text must be with the carrier
)

// State is where a payment stands.
type State string

const (
	Open           State = "open"         // payable
	Paying         State = "paying"       // an attempt holds the claim
	NeedsAction    State = "needs_action" // 3-D Secure is under way
	Unknown        State = "unknown"      // an attempt's outcome is not known
	Paid           State = "paid"
	Declined       State = "declined" // a card on file was declined
	Expired        State = "expired"
	Revoked        State = "revoked"
	Locked         State = "locked"           // five declines
	Superseded     State = "superseded"       // the account moved on
	PaidAfterClose State = "paid_after_close" // money came after closing, and belongs to nothing yet
	Applied        State = "applied"          // … and then paid for what it was meant for
	Refunded       State = "refunded"         // … and went back
	Review         State = "review"           // an invariant broke: a person decides
)

// Live says whether a payment may still take money; it keeps its vehicle's place.
func (s State) Live() bool {
	return s == Open || s == Paying || s == NeedsAction || s == Unknown || s == Review
}

// InFlight says whether an attempt may be moving money now.
func (s State) InFlight() bool { return s == Paying || s == NeedsAction || s == Unknown }

// Closed says whether a payment ended without money.
func (s State) Closed() bool {
	return s == Declined || s == Expired || s == Revoked || s == Locked || s == Superseded
}

// Booked says whether the money of a payment is in the books.
func (s State) Booked() bool {
	return s == Paid || s == PaidAfterClose || s == Applied || s == Refunded
}

// Sold says whether the money of a payment has paid for what it was meant for.
func (s State) Sold() bool { return s == Paid || s == Applied }

// Reason says more about why a payment closed.
type Reason string

const (
	ReasonNotSent    Reason = "not_sent"         // the text was not handed over in time
	ReasonNotMine    Reason = "not_mine"         // the payer said that it is not for them
	ReasonAgent      Reason = "agent"            // an agent cancelled the link
	ReasonClient     Reason = "client"           // the client gave up what they had begun, or cancelled the link that they had sent, in My Account
	ReasonMoved      Reason = "account_moved"    // the bound quote no longer holds
	ReasonDashboard  Reason = "canceled_outside" // cancelled in Stripe's dashboard
	ReasonMismatch   Reason = "mismatch"         // amount, account or id is not ours
	ReasonNewPayment Reason = "new_payment"      // another payment took its place
	ReasonRestored   Reason = "restored"         // the money came while the books were those of a backup
	ReasonReview     Reason = "review"           // a person decided to give it back
)

// Door is the way by which a payment came.
type Door string

const (
	ByLink    Door = "link"
	ByAgent   Door = "agent"
	ByClient  Door = "client"
	ByAutoPay Door = "autopay"
)

// Life is the part of a payment that changes: all that Next looks at.
type Life struct {
	State      State
	ClosingAs  State // what it closes as once Stripe has answered the cancel; stored before any cancel is sent
	Reason     Reason
	IntentID   string    // PaymentIntent, written once
	ExpiresAt  time.Time // the link's ten minutes
	LeaseUntil time.Time // of the attempt under way
	NextAt     time.Time // when the sweeper looks; zero: it is settled
	Attempt    int       // number of the current or last attempt; 0: none yet
	Phase      int       // 1: confirm with the card; 2: confirm after 3-D Secure; never goes back
	Sends      int       // copies sent under the current phase's key
	Declines   int
	Resends    int
	Looks      int  // fruitless looks at Stripe in a row
	Revoke     bool // somebody wants it stopped
	CancelDue  bool // closed, and Stripe has not yet answered the cancel
	CardOnFile bool // a decline closes it
	Held       bool // money came after closing, and a person decides what becomes of it
	Refunding  Refunding
	Charged    money.Cents // what Stripe has charged, once it is in the books
	GivenBack  money.Cents // of that, failed refunds not counted
}

// Payment is one intent to collect a frozen Invoice Summary for one vehicle.
type Payment struct {
	ID            string
	ChainID       string // the first payment of a chain of links for the same thing
	Door          Door
	ClientID      string
	VehicleID     string // "" for a pending balance
	LocationID    string
	StripeAccount string // connected account; "" is the platform's own
	CreatedBy     trail.Actor
	CreatedAt     time.Time
	OpenedAt      time.Time // zero: not opened
	ClosedAt      time.Time // paid or closed; zero: live
	FormKey       string    // of the form that sent it: a second click finds the first one's payment
	Frozen        Frozen
	SummaryHash   string // SHA-256 of Frozen's JSON in hex
	Life
}

// Frozen is the quote as it was shown and sent: inputs and summary. Nothing in it ever changes.
type Frozen struct {
	Input    quote.Input   `json:"input"`
	Summary  quote.Summary `json:"summary"`
	Vehicle  string        `json:"vehicle"`           // label, "2016 Honda Civic"
	Location string        `json:"location"`          // name, "Richmond, VA"
	Zone     string        `json:"zone"`              // the location's time zone
	Rebuilt  bool          `json:"rebuilt,omitempty"` // what was sold is lost: a backup did not hold it, and only the amount is known (T24)
}

// Encode returns the frozen quote as it is stored, and its SHA-256 in hex.
func (f Frozen) Encode() (text, hash string, err error) {
	b, err := json.Marshal(f)
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(b)
	return string(b), hex.EncodeToString(sum[:]), nil
}

// Reference is what people quote on the phone: the code of the payment's id.
func (p Payment) Reference() string { return ledger.Code(p.ID) }

// Amount is what is charged.
func (p Payment) Amount() money.Cents { return p.Frozen.Summary.TotalDue }

// PaidTo is the new Paid To Date, "" for a pending balance.
func (p Payment) PaidTo() day.Date {
	if p.Frozen.Summary.PaidTo == nil {
		return ""
	}
	return *p.Frozen.Summary.PaidTo
}

// PaidToFrom is the Paid To Date that the quote was made on, "" for a pending balance.
func (p Payment) PaidToFrom() day.Date {
	if p.Frozen.Input.Vehicle == nil {
		return ""
	}
	return p.Frozen.Input.Vehicle.PaidTo
}

// PaidBy is the door through which the money comes: a charge that the bank will not make without the card's owner goes on by a link.
func (p Payment) PaidBy() Door {
	if p.Door == ByAgent && !p.CardOnFile {
		return ByLink
	}
	return p.Door
}

// Effective returns the state as it is at a moment: an open payment whose time is up has expired, whether or not the sweeper has come by.
func (p Payment) Effective(now time.Time) State {
	if p.State == Open && !now.Before(p.ExpiresAt) {
		return Expired
	}
	return p.State
}

// AttemptState is what became of one try with one card.
type AttemptState string

const (
	Trying    AttemptState = "trying"
	Succeeded AttemptState = "succeeded"
	WasNo     AttemptState = "declined"
	Refused   AttemptState = "refused"   // Stripe would not even try: not a decline
	Abandoned AttemptState = "abandoned" // cancelled before the bank had said anything
)

// Attempt is one try with one card on a payment.
type Attempt struct {
	ID            string // UUID; the idempotency keys carry it
	PaymentID     string
	N             int // counts from 1 within the payment
	LinkID        string
	SessionID     string // browser that pays
	NonceID       string // page view that pays; unique
	PaymentMethod string
	Card          Card
	State         AttemptState
	Code          string // Stripe's code for a decline, "" otherwise
	ChargeID      string
	TermsVersion  string
	TermsLanguage string
	Address       string // network address of the browser
	UserAgent     string
	StartedAt     time.Time
	EndedAt       time.Time // zero: under way
}

// Key is the idempotency key of an attempt's confirm in a phase.
func (a Attempt) Key(phase int) string {
	return "confirm:" + a.ID + ":" + strconv.Itoa(phase)
}

// Card is what may be known of a card.
type Card struct {
	Brand   string // "visa", "mastercard", …
	Last4   string
	Funding string // "credit", "debit", "prepaid", "unknown"
	AVS     string // "pass", "fail", "unavailable", "unchecked": the ZIP code's check
	CVC     string // the security code's check
}

// Name is a card as one says it, "Visa ending 4242".
func (c Card) Name() string {
	brand := c.Brand
	switch c.Brand {
	case "visa":
		brand = "Visa"
	case "mastercard":
		brand = "Mastercard"
	case "":
		brand = "Card"
	}
	if c.Last4 == "" {
		return brand
	}
	return brand + " ending " + c.Last4
}

// Facts is what the bound quote is checked against, read in the same transaction.
type Facts struct {
	Client   account.Client
	Vehicle  *account.Vehicle // nil for a pending balance
	Location account.Location
	Standing account.Standing // less what other live payments have reserved
	Now      time.Time        // after the account's lock was taken
}

// Holds says whether the frozen quote still holds: the Paid To Date has not moved, and the past due, credit and state-fee
// months that it counted are still there. Rates and as_of are frozen: midnight alone changes nothing.
func (p Payment) Holds(f Facts) bool {
	if p.Frozen.Rebuilt { // it promised nothing that anybody knows of
		return true
	}
	s := p.Frozen.Summary
	if f.Standing.PastDue < s.PastDue || f.Standing.Credit < s.CreditApplied {
		return false
	}
	if p.VehicleID == "" {
		return true
	}
	if f.Vehicle == nil || f.Vehicle.PaidTo != p.PaidToFrom() {
		return false
	}
	for _, m := range p.Frozen.Input.StateFeeMonths() {
		if slices.Contains(f.Vehicle.StateFeeMonths, m) {
			return false
		}
	}
	return true
}

// View is a payment with everything that a decision about it needs, read under the account's lock.
type View struct {
	Payment  Payment
	Attempts []Attempt // oldest first
	Link     *link.Link
	Facts    Facts
	Terms    string    // version of the terms in force: within a transition on an open payment it stays so until the end
	Refunds  []Refund  // oldest first
	Disputes []Dispute // oldest first
	// For a payment whose money is in the books:
	Others []Payment // other live payments of the account
	Late   int       // payments of all accounts to which money came after closing, within the last hour
}

// Current returns the attempt under way, or the last one; nil if there was none.
func (v View) Current() *Attempt {
	for i := range v.Attempts {
		if v.Attempts[i].N == v.Payment.Attempt {
			return &v.Attempts[i]
		}
	}
	return nil
}

// Glance is a payment as one of its links leads to it: enough to show it, not to decide about it.
type Glance struct {
	Payment  Payment
	Attempts []Attempt // oldest first
	Link     link.Link
	Terms    string    // version of the terms in force
	Now      time.Time // of the clock that decides
}
