package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"paylink/internal/account"
	"paylink/internal/autopay"
	"paylink/internal/day"
	"paylink/internal/lang"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/post"
	"paylink/internal/quote"
	"paylink/internal/trail"
)

// AutoPayTerms is the version of what a client agrees to who turns Auto Pay on (templates/terms). Its text is never changed: a new one is a new version.
const AutoPayTerms = "auto-pay-1"

// What turning Auto Pay on is refused for, besides quote.ErrDays and pay.ErrPaused. Nothing was changed where one of these is returned.
var (
	ErrBehind      = errors.New("a Paid To Date is in the past: a payment comes first")
	ErrCollections = errors.New("the account is with a collections company")
	ErrNoCard      = errors.New("no card on file can be charged")
	ErrAgree       = errors.New("the terms have to be agreed to")
	ErrMoved       = errors.New("this has changed since the page was shown")
)

// AutoPayStore is what the desk reads and writes of Auto Pay.
type AutoPayStore interface {
	Cards(ctx context.Context, clientID string) ([]account.Card, error)
	// Standing leaves out what live payments have reserved.
	Standing(ctx context.Context, c account.Client) (account.Standing, error)
	// RunsOf lists a client's runs, the latest Paid To Date first, and RunPayments what became of those that have come to a payment.
	RunsOf(ctx context.Context, clientID string, limit int) ([]autopay.Run, error)
	RunPayments(ctx context.Context, clientID string, limit int) (map[string]RunPayment, error)
	// SetAutoPay writes what decide decides, in one transaction that has locked the account; nil: nothing. When it was turned on last is kept when it is turned off.
	SetAutoPay(ctx context.Context, clientID string, decide func(AutoPayFacts) (*AutoPayChange, error)) error
}

// RunPayment is the last payment of a run.
type RunPayment struct {
	Amount    money.Cents
	State     pay.State
	Reference string
}

// AutoPayFacts are what turning Auto Pay on and off is decided on, under the account's lock.
type AutoPayFacts struct {
	Client   account.Client
	Vehicles []Vehicle
	Card     *account.Card // the main one; nil: none
	Charging bool          // a charge of Auto Pay's is under way
	Now      time.Time
}

// behind are the vehicles whose Paid To Date is in the past.
func (f AutoPayFacts) behind() []Vehicle {
	return slices.DeleteFunc(slices.Clone(f.Vehicles), func(v Vehicle) bool { return !v.PaidTo.Before(v.Location.Today(f.Now)) })
}

// usable says whether a card can be charged by the clock.
func (f AutoPayFacts) usable() bool {
	return f.Card != nil && !slices.ContainsFunc(f.Vehicles, func(v Vehicle) bool { return !f.Card.Chargeable(v.Location.Today(f.Now)) })
}

// may says why Auto Pay can't be turned on; nil: it can.
func (f AutoPayFacts) may() error {
	switch {
	case f.Client.Collections:
		return ErrCollections
	case len(f.behind()) > 0:
		return ErrBehind
	case !f.usable():
		return ErrNoCard
	}
	return nil
}

// AutoPayChange is how Auto Pay is to stand.
type AutoPayChange struct {
	Days            int    // 0: off
	Terms, Language string // that were agreed to; "" where it is turned off
	Trail           trail.Entry
	Told            *post.Letter
}

// AutoPay is what a client sees of Auto Pay.
type AutoPay struct {
	AutoPayFacts
	Days    int        // 14 or 30; 0: it is off
	Refused error      // why it can't be turned on, or changed: ErrCollections, ErrBehind, ErrNoCard, pay.ErrPaused; nil: it can
	Behind  []Vehicle  // whose Paid To Date is in the past
	Next    []Upcoming // what is charged next of each vehicle, in the order in which it is charged; nothing where it is off
	Choices []Choice   // how it would be by each number of days
	Past    []PastRun  // runs that have come to something, the latest first
}

// Choice is what Auto Pay would charge next with a number of days.
type Choice struct {
	Days int
	Next []Upcoming
}

// Upcoming is what is charged next of a vehicle.
type Upcoming struct {
	Vehicle
	autopay.Coming
	PaidTo day.Date // that it moves to
	// CardOver: the main card will have expired by then.
	CardOver bool
}

// Declined says whether the bank has said no already to this charge, and whether it is tried again.
func (u Upcoming) Declined() bool { return u.Run.Declines > 0 && u.Run.State == autopay.Waiting }

// PastRun is a Paid To Date that Auto Pay has dealt with.
type PastRun struct {
	autopay.Run
	Vehicle Vehicle
	Payment *RunPayment // nil: it has begun none
}

const runsMost = 50

// AutoPayOf returns how Auto Pay stands and what it charges next.
func (d *Desk) AutoPayOf(ctx context.Context, who Who) (AutoPay, error) {
	var out AutoPay
	var vehicles []account.Vehicle
	var err error
	if out.Client, vehicles, err = d.Store.Client(ctx, who.ID); err != nil {
		return out, err
	}
	known := autopay.Account{Client: out.Client, Vehicles: vehicles, Locations: map[string]account.Location{}}
	for _, v := range vehicles {
		l, ok := known.Locations[v.LocationID]
		if !ok {
			if l, err = d.Store.Location(ctx, v.LocationID); err != nil {
				return out, err
			}
			known.Locations[v.LocationID] = l
		}
		out.Vehicles = append(out.Vehicles, Vehicle{v, l})
	}
	cards, err := d.Store.Cards(ctx, who.ID)
	if err != nil {
		return out, err
	}
	out.Card = mainOf(cards)
	if out.Now, err = d.Store.Now(ctx); err != nil {
		return out, err
	}
	if known.Standing, err = d.Store.Standing(ctx, out.Client); err != nil {
		return out, err
	}
	if known.Runs, err = d.Store.RunsOf(ctx, who.ID, runsMost); err != nil {
		return out, err
	}
	known.Now, out.Days, out.Behind, out.Refused = out.Now, out.Client.AutoPayDays, out.behind(), out.may()
	if d.Paused {
		out.Refused = pay.ErrPaused
	}
	for _, days := range []int{14, 30} {
		known.Client.AutoPayDays = days
		all, err := autopay.Ahead(known)
		if err != nil {
			return out, err
		}
		choice := Choice{Days: days}
		for _, c := range all {
			choice.Next = append(choice.Next, out.upcoming(c))
		}
		out.Choices = append(out.Choices, choice)
		if days == out.Days {
			out.Next = choice.Next
		}
	}
	out.Past, err = d.past(ctx, out, known.Runs)
	return out, err
}

func (a AutoPay) vehicle(id string) (v Vehicle, ok bool) {
	i := slices.IndexFunc(a.Vehicles, func(v Vehicle) bool { return v.ID == id })
	if i < 0 {
		return v, false
	}
	return a.Vehicles[i], true
}

func (a AutoPay) upcoming(c autopay.Coming) Upcoming {
	u := Upcoming{Coming: c}
	u.Vehicle, _ = a.vehicle(c.VehicleID)
	if to := c.Frozen.Summary.PaidTo; to != nil {
		u.PaidTo = *to
	}
	u.CardOver = !c.At.IsZero() && a.Card != nil && a.Card.Expired(day.Of(c.At))
	return u
}

// past are the runs that a client should know of: a charge, or why there was none.
func (d *Desk) past(ctx context.Context, a AutoPay, runs []autopay.Run) ([]PastRun, error) {
	payments, err := d.Store.RunPayments(ctx, a.Client.ID, runsMost)
	if err != nil {
		return nil, err
	}
	var out []PastRun
	for _, r := range runs {
		if r.State == autopay.Waiting && r.Declines == 0 {
			continue
		}
		one := PastRun{Run: r}
		one.Vehicle, _ = a.vehicle(r.VehicleID)
		if p, ok := payments[r.PaymentID]; ok {
			one.Payment = &p
		}
		out = append(out, one)
	}
	return out, nil
}

func mainOf(cards []account.Card) *account.Card {
	for i := range cards {
		if cards[i].Main {
			return &cards[i]
		}
	}
	return nil
}

// Enrolment is what a client chooses of Auto Pay.
type Enrolment struct {
	Days   int    // 14 or 30
	Was    int    // how it stood on the page that was shown; 0: off
	CardID string // the main card that was shown
	Agreed bool   // to AutoPayTerms
	From   Browser
}

// The acts of the trail.
const (
	setAutoPay    = "turn on Auto Pay"
	changeAutoPay = "change Auto Pay"
	endAutoPay    = "turn off Auto Pay"
)

// Enrol turns Auto Pay on, or changes its days. What stands already as it is chosen is left alone. The trail keeps what was agreed to, and where. Errors: ErrAgree, ErrMoved, ErrCollections, ErrBehind,
// ErrNoCard, pay.ErrPaused, quote.ErrDays.
func (d *Desk) Enrol(ctx context.Context, who Who, n Enrolment) error {
	return d.noted(ctx, who, setAutoPay, who.ID, d.enrol(ctx, who, n), ErrAgree, ErrMoved, ErrCollections, ErrBehind, ErrNoCard, pay.ErrPaused, quote.ErrDays)
}

func (d *Desk) enrol(ctx context.Context, who Who, n Enrolment) error {
	switch {
	case n.Days != 14 && n.Days != 30:
		return quote.ErrDays
	case d.Paused:
		return pay.ErrPaused
	case !n.Agreed:
		return ErrAgree
	}
	cards, err := d.Store.Cards(ctx, who.ID)
	if err != nil {
		return err
	}
	card := mainOf(cards)
	if card == nil {
		return ErrNoCard
	}
	language, ok := lang.Parse(who.Language)
	if !ok {
		language = lang.English
	}
	what, act := post.AutoPayOn, setAutoPay
	if n.Was != 0 {
		what, act = post.AutoPayChanged, changeAutoPay
	}
	face := pay.Card{Brand: card.Brand, Last4: card.Last4}
	told, err := d.changed(ctx, who.Client, what, language.T("mail.auto_pay.terms", n.Days, face.Name()))
	if err != nil {
		return err
	}
	e, err := d.entry(ctx, who.ID, act, who.ID, fmt.Sprintf("%d days, %s, agreed to %s (%s), %s, from %s", n.Days, face.Name(), AutoPayTerms, language, n.From.Name, n.From.Address))
	if err != nil {
		return err
	}
	return d.Store.SetAutoPay(ctx, who.ID, func(f AutoPayFacts) (*AutoPayChange, error) {
		if f.Client.AutoPayDays == n.Days && f.Card != nil && f.Card.ID == n.CardID {
			return nil, nil
		}
		if err := f.may(); err != nil {
			return nil, err
		}
		if f.Client.AutoPayDays != n.Was || f.Card.ID != n.CardID || card.ID != n.CardID {
			return nil, ErrMoved
		}
		e.At = f.Now
		return &AutoPayChange{Days: n.Days, Terms: AutoPayTerms, Language: string(language), Trail: e, Told: told}, nil
	})
}

// EndAutoPay turns Auto Pay off, at once: no charge begins after it. It says whether one had begun before, which goes on. What is off already is left alone.
func (d *Desk) EndAutoPay(ctx context.Context, who Who, from Browser) (charging bool, err error) {
	told, err := d.changed(ctx, who.Client, post.AutoPayOff, "")
	if err != nil {
		return false, err
	}
	e, err := d.entry(ctx, who.ID, endAutoPay, who.ID, from.Name+", from "+from.Address)
	if err != nil {
		return false, err
	}
	err = d.Store.SetAutoPay(ctx, who.ID, func(f AutoPayFacts) (*AutoPayChange, error) {
		if charging = f.Charging; f.Client.AutoPayDays == 0 {
			return nil, nil
		}
		e.At = f.Now
		return &AutoPayChange{Trail: e, Told: told}, nil
	})
	return charging, err
}
