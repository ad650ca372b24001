// Package autopay says when a client's card is charged by itself, how often, and when no more. Pure.
package autopay

import (
	"slices"
	"strconv"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/pay"
)

// When things happen, at the vehicle's location.
const (
	Hour         = 8 // o'clock: from then on texts may go out too (47 CFR 64.1200(c)(1): not before 8 a.m. at the recipient)
	RemindBefore = 3 // days
)

// retryDays are how many days after the first decline each further try comes. Four in fourteen days is what the card networks bear.
var retryDays = []int{2, 5, 9, 13}

// MaxRetries is how often a card that was declined is tried again.
const MaxRetries = 4

// Run is one charge that Auto Pay owes: of one vehicle, for one Paid To Date. There is one at the most for each, however many look after it.
type Run struct {
	VehicleID string
	ClientID  string
	Due       day.Date // the Paid To Date that it charges on
	State     State
	Reminded  bool
	Charges   int       // payments begun that ended without money; the next one's form key counts on
	Declines  int       // of these, by the bank
	FirstAt   time.Time // of the first decline; zero: none
	NextAt    time.Time // when it is looked at; zero: it has ended
	PaymentID string    // the last payment begun; "" for none
	Why       Why
	Takes     int // how often it was taken up: who writes must have been the last to take it
}

// State is how far a run has come.
type State string

const (
	Waiting State = "waiting"
	Paid    State = "paid"    // by this run, or by anybody else before it
	Stopped State = "stopped" // it charges no more: the client was told why
)

// Why says why a run stopped, or what keeps it waiting.
type Why string

const (
	NoReason    Why = ""
	NotEnrolled Why = "not_enrolled"
	DateMoved   Why = "date_moved" // back: a refund has taken it
	NoCard      Why = "no_card"    // none on file, or it has expired
	DeadCard    Why = "dead_card"  // the bank said never to try it again
	NeedsOwner  Why = "needs_owner"
	TooOften    Why = "too_often" // declined as often as it may be
	Collections Why = "collections"
	TooSmall    Why = "too_small" // less than a card can be charged
	Elsewhere   Why = "elsewhere" // somebody is paying now
	Location    Why = "location"  // takes no payments
)

// FormKey names the payment that a run begins next: whoever begins it again finds the first one.
func (r Run) FormKey() string {
	return "autopay " + r.VehicleID + " " + string(r.Due) + " " + strconv.Itoa(r.Charges)
}

// At is the moment of a day at which Auto Pay acts in a zone: 8 o'clock, whatever daylight saving does to the night.
func At(d day.Date, zone *time.Location) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), Hour, 0, 0, 0, zone)
}

// Facts are what a run is decided on.
type Facts struct {
	Now      time.Time
	Zone     *time.Location // of the vehicle's location
	Enrolled bool
	PaidTo   day.Date      // the vehicle's now
	Card     *account.Card // the main card on file; nil: there is none
}

// Step is what is to be done about a run now.
type Step int

const (
	Wait   Step = iota // until NextAt
	Remind             // tell the client what is charged and when
	Charge
	End // State and Why say how
)

// Next decides what is to be done about a run that is due. The run that it returns is how it stands if that is done.
func Next(r Run, f Facts) (Run, Step) {
	end := func(s State, why Why) (Run, Step) {
		r.State, r.Why, r.NextAt = s, why, time.Time{}
		return r, End
	}
	switch {
	case f.PaidTo > r.Due:
		return end(Paid, NoReason)
	case f.PaidTo < r.Due:
		return end(Stopped, DateMoved)
	case !f.Enrolled:
		return end(Stopped, NotEnrolled)
	}
	charge, remind := At(r.Due, f.Zone), At(r.Due.AddDays(-RemindBefore), f.Zone)
	switch {
	case f.Now.Before(remind):
		r.NextAt = remind
		return r, Wait
	case f.Now.Before(charge):
		r.NextAt = charge
		if r.Reminded {
			return r, Wait
		}
		r.Reminded = true
		return r, Remind
	case !r.Reminded: // nobody is charged by the clock who was not told before: it waits for the next morning
		r.Reminded, r.NextAt = true, At(day.Of(f.Now.In(f.Zone)).AddDays(1), f.Zone)
		return r, Remind
	case f.Card == nil || f.Card.Expired(day.Of(f.Now.In(f.Zone))):
		return end(Stopped, NoCard)
	case f.Card.Refused != "":
		return end(Stopped, DeadCard)
	}
	return r, Charge
}

// How long a run waits for what is not its own to decide.
const (
	whileElsewhere = 15 * time.Minute
	whileUnclear   = 5 * time.Minute
	whileClosed    = 15 * time.Minute
)

// After is how a run stands after a charge, as its payment shows it. code is the bank's word for a decline.
func After(r Run, p pay.Payment, code string, f Facts) Run {
	r.PaymentID, r.Why = p.ID, NoReason
	switch {
	case p.State.Sold():
		r.State, r.NextAt = Paid, time.Time{}
	case p.State == pay.Declined:
		r.Charges++
		r.Declines++
		if r.FirstAt.IsZero() {
			r.FirstAt = f.Now
		}
		switch {
		case Owner(code):
			r.State, r.Why, r.NextAt = Stopped, NeedsOwner, time.Time{}
		case Hard(code):
			r.State, r.Why, r.NextAt = Stopped, DeadCard, time.Time{}
		case r.Declines > MaxRetries:
			r.State, r.Why, r.NextAt = Stopped, TooOften, time.Time{}
		default:
			r.NextAt = At(day.Of(r.FirstAt.In(f.Zone)).AddDays(retryDays[r.Declines-1]), f.Zone)
		}
	case p.State.Closed(), p.State == pay.Refunded: // it ended without money, and not by the bank
		r.Charges++
		r.NextAt = f.Now.Add(whileClosed)
	default: // nobody knows yet: the same payment is looked at again
		r.NextAt = f.Now.Add(whileUnclear)
	}
	return r
}

// Held is how a run stands that could not be charged now, for a reason that is not the card's: it is tried again on the same day, or on the next morning.
func Held(r Run, why Why, f Facts) Run {
	r.Why = why
	switch why {
	case Collections, TooSmall:
		r.State, r.NextAt = Stopped, time.Time{}
	case Location:
		r.NextAt = At(day.Of(f.Now.In(f.Zone)).AddDays(1), f.Zone)
	default:
		r.NextAt = f.Now.Add(whileElsewhere)
	}
	return r
}

// Hard says whether a bank's word means that the card must not be tried again (docs.stripe.com/declines/codes; Visa's category 1, Mastercard's advice 03 and 21).
func Hard(code string) bool { return slices.Contains(hardCodes, code) }

var hardCodes = []string{
	"lost_card", "stolen_card", "pickup_card", "restricted_card", "fraudulent", "expired_card", "incorrect_number", "invalid_number", "invalid_account", "new_account_information_available",
	"revocation_of_authorization", "revocation_of_all_authorizations", "stop_payment_order", "card_not_supported", "currency_not_supported", "transaction_not_allowed", "service_not_allowed",
	"security_violation", "merchant_blacklist", "not_permitted",
}

// Owner says whether the bank wants the card's owner, who is not there when the clock charges.
func Owner(code string) bool {
	return code == "authentication_required" || code == "authentication_not_handled" || code == "payment_intent_authentication_failure"
}
