package client

import (
	"cmp"
	"context"
	"slices"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/quote"
)

// Blocked is why nothing can be paid: quote.Blocked's words, and these.
type Blocked = quote.Blocked

const (
	InCollections Blocked = "in_collections" // the account is with a collections company, which alone may take its money
	Paused        Blocked = "paused"         // reconcile-only mode
	NeedsReview   Blocked = "needs_review"   // money came after closing, and nobody has decided about it yet
	NotAnswering  Blocked = "not_answering"  // the card processor does not answer just now
	TooManyTries  Blocked = "too_many_tries" // ErrTries
	InTheWay      Blocked = "in_the_way"     // another payment is under way: Checkout.Other
	SetAside      Blocked = "set_aside"      // the pending balance is counted by what the client has begun: Checkout.Began
)

// Wanted is what a client wants to pay. What is not named the desk chooses.
type Wanted struct {
	VehicleID string // "": the one whose Paid To Date is next
	Days      int    // 0: as many as were paid last, else as Auto Pay has it, else 30
	Balance   bool   // the pending balance alone: no vehicle, no days
}

// Checkout is what a client sees before paying.
type Checkout struct {
	pay.Frozen
	Wanted
	Client   account.Client
	Vehicles []Vehicle
	Location account.Location
	Offers   []Offer       // 14 and 30 days; none for the pending balance
	PastDue  money.Cents   // that may be paid alone; 0: nothing
	Cards    []Card        // on file, the main one first
	Blocked  Blocked       // "": it can be paid
	Other    *pay.Payment  // that is in the way
	Began    []pay.Payment // the client's own that are open for something else: what they count of the account is reserved
	Last     *pay.Attempt  // the last try on the payment that is gone on with, which the bank declined; nil: none
	Tries    int           // declines that it takes before it locks
	Free     bool          // nothing is left to charge: the Paid To Date moves without a card
	Unpaid   int           // days since the Paid To Date
	AutoPay  int           // days until Auto Pay charges, if that is soon; 0: it is not
	MayEnrol bool          // Auto Pay is off, and could be turned on once this is paid
	Terms    string        // version in force
	Now      time.Time
}

// Offer is a number of days, and what they cost.
type Offer struct {
	Days   int
	Total  money.Cents
	PaidTo day.Date
}

// Today is the day at the location.
func (c Checkout) Today() day.Date { return c.Location.Today(c.Now) }

// Checkout prices what a client wants to pay, and says what is in the way of it. Errors: account.ErrNotFound, quote.ErrDays.
func (d *Desk) Checkout(ctx context.Context, who Who, w Wanted) (Checkout, error) {
	var out Checkout
	var own []account.Vehicle
	var err error
	if out.Client, own, err = d.Store.Client(ctx, who.ID); err != nil {
		return out, err
	}
	if len(own) == 0 {
		return out, account.ErrNotFound
	}
	for _, v := range own {
		l, err := d.Store.Location(ctx, v.LocationID)
		if err != nil {
			return out, err
		}
		out.Vehicles = append(out.Vehicles, Vehicle{v, l})
	}
	facts := pay.Facts{Client: out.Client, Location: out.Vehicles[0].Location}
	if out.Wanted, err = d.wanted(ctx, out, w); err != nil {
		return out, err
	}
	if !out.Balance {
		i := slices.IndexFunc(out.Vehicles, func(v Vehicle) bool { return v.ID == out.VehicleID })
		if i < 0 {
			return out, account.ErrNotFound
		}
		facts.Vehicle, facts.Location = &out.Vehicles[i].Vehicle, out.Vehicles[i].Location
	}
	out.Location = facts.Location
	if facts.Standing, err = d.Store.Standing(ctx, out.Client); err != nil {
		return out, err
	}
	if out.Now, err = d.Store.Now(ctx); err != nil {
		return out, err
	}
	facts.Now = out.Now
	stands, err := d.stands(ctx, &out, &facts)
	if err != nil {
		return out, err
	}
	if out.PastDue = facts.Standing.PastDue; !out.Balance {
		for _, days := range []int{14, 30} {
			f, err := facts.Freeze(days)
			if err != nil {
				return out, err
			}
			out.Offers = append(out.Offers, Offer{days, f.Summary.TotalDue, *f.Summary.PaidTo})
		}
	}
	if out.Frozen, err = facts.Freeze(out.Days); err != nil {
		return out, err
	}
	out.Unpaid = out.Frozen.Input.UnpaidDays()
	if v := facts.Vehicle; v != nil && out.Client.AutoPayDays > 0 {
		if left := out.Today().DaysUntil(v.PaidTo); left <= autoPaySoon {
			out.AutoPay = max(1, left)
		}
	}
	out.MayEnrol = out.mayEnrol()
	if out.Terms, err = d.Store.TermsInForce(ctx, account.PaymentTerms); err != nil {
		return out, err
	}
	if out.Cards, err = d.Cards(ctx, who); err != nil {
		return out, err
	}
	out.block(d, stands)
	return out, nil
}

// mayEnrol says whether Auto Pay can be offered on the way: no Paid To Date would be in the past once this is paid.
func (c Checkout) mayEnrol() bool {
	to := c.Frozen.Summary.PaidTo
	if to == nil || c.Client.AutoPayDays != 0 || to.Before(c.Today()) {
		return false
	}
	return !slices.ContainsFunc(c.Vehicles, func(v Vehicle) bool { return v.ID != c.VehicleID && v.PaidTo.Before(v.Location.Today(c.Now)) })
}

// wanted completes a wish.
func (d *Desk) wanted(ctx context.Context, c Checkout, w Wanted) (Wanted, error) {
	if w.Balance {
		return Wanted{Balance: true}, nil
	}
	if w.VehicleID == "" {
		w.VehicleID = slices.MinFunc(c.Vehicles, func(a, b Vehicle) int { return cmp.Compare(a.PaidTo, b.PaidTo) }).ID
	}
	if w.Days != 0 {
		return w, nil
	}
	sold, err := d.Store.Invoices(ctx, c.Client.ID, paymentsOf)
	if err != nil {
		return w, err
	}
	for _, i := range sold {
		for _, l := range i.Lines {
			if i.VehicleID == w.VehicleID && quote.Kind(l.Kind) == quote.Monitoring && (l.Days == 14 || l.Days == 30) {
				w.Days = l.Days
				return w, nil
			}
		}
	}
	if w.Days = c.Client.AutoPayDays; w.Days == 0 {
		w.Days = 30
	}
	return w, nil
}

// stands is what the client's other payments have to do with this one.
type stands struct {
	review   bool         // a person has to look at one
	declines int          // of late, of all that the client has begun here
	counts   *pay.Payment // another live one, that counts the past due
}

// stands reads the client's payments: what the one that is gone on with has reserved is free for it.
func (d *Desk) stands(ctx context.Context, c *Checkout, facts *pay.Facts) (stands, error) {
	var s stands
	all, err := d.Store.PaymentsOf(ctx, c.Client.ID, paymentsOf)
	if err != nil {
		return s, err
	}
	s.declines = declines(all, c.Now)
	c.Tries = pay.MaxDeclines
	ended := false
	for i := range all {
		p := &all[i]
		here := p.VehicleID == c.VehicleID
		live := p.Effective(c.Now).Live()
		if here && !p.State.Live() && !ended {
			s.review, ended = s.review || p.State == pay.PaidAfterClose, true
		}
		if here && p.State == pay.Review {
			s.review = true
		}
		if here && p.State.Live() {
			facts.Standing.PastDue += p.Frozen.Summary.PastDue
			facts.Standing.Credit += p.Frozen.Summary.CreditApplied
		}
		if live && !here && p.Frozen.Summary.PastDue > 0 {
			s.counts = p
		}
		switch {
		case !live || p.State == pay.Review:
		case own(*p) && p.State == pay.Open && !here:
			c.Began = append(c.Began, *p)
		case own(*p) && p.State == pay.Open:
			v, err := d.Store.ViewOf(ctx, c.Client.ID, p.ID)
			if err != nil {
				return s, err
			}
			c.Tries = pay.MaxDeclines - p.Declines
			if last := v.Current(); last != nil && last.State == pay.WasNo {
				c.Last = last
			}
		case here:
			c.Other = p
		}
	}
	return s, nil
}

// block says why nothing can be paid: the first reason that counts.
func (c *Checkout) block(d *Desk, s stands) {
	summary := c.Frozen.Summary
	switch {
	case d.Paused:
		c.Blocked = Paused
	case c.Client.Collections:
		c.Blocked = InCollections
	case s.review:
		c.Blocked = NeedsReview
	case c.Other != nil:
		c.Blocked = InTheWay
	case summary.Blocked != nil && *summary.Blocked == quote.NothingDue && !c.Balance:
		c.Free = true
	case summary.Blocked != nil && *summary.Blocked == quote.NothingDue && s.counts != nil:
		if c.Blocked = SetAside; !own(*s.counts) || s.counts.State != pay.Open {
			c.Blocked, c.Other = InTheWay, s.counts
		}
	case summary.Blocked != nil:
		c.Blocked = *summary.Blocked
	case s.declines >= pay.MaxDeclines:
		c.Blocked = TooManyTries
	case d.Down():
		c.Blocked = NotAnswering
	}
}
