package pay

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"paylink/internal/day"
	"paylink/internal/guard"
	"paylink/internal/money"
	"paylink/internal/trail"
)

// This file is what happens to money after it has come: it is applied, goes back, is disputed, or has to be found again after a restore.

// supersede closes the open payments of a vehicle whose late money has just been applied: what they would sell is sold.
func (m *Machine) supersede(v View, c *Change) error {
	for _, o := range v.Others {
		if o.State != Open || o.VehicleID != v.Payment.VehicleID {
			continue
		}
		life, _, err := Next(o.Life, Event{Kind: Tick, Now: v.Facts.Now, Bound: false})
		if err != nil {
			return err
		}
		from := o.State
		o.Life = life
		o.NextAt = v.Facts.Now
		c.Supersede = append(c.Supersede, o)
		c.Trail = append(c.Trail, trail.Entry{ID: m.NewID(), At: v.Facts.Now, Actor: trail.BySystem, Act: "payment " + string(life.State), Object: o.ID, ClientID: o.ClientID,
			Detail: fmt.Sprintf("%s → %s: the money of payment %s has come after all", from, life.State, v.Payment.Reference())})
	}
	return nil
}

// tendBooked looks after a payment whose money is in the books: what Stripe shows of refunds and disputes is booked, a refund that was asked for is made,
// and money that came after closing is applied or given back.
func (m *Machine) tendBooked(ctx context.Context, v View) error {
	p := v.Payment
	if p.IntentID != "" {
		err := m.learn(ctx, p.ID, nil, trail.BySystem)
		if errors.Is(err, ErrUnclear) { // what went back already must be known before more does
			return m.applyKind(ctx, p.ID, BackUnclear, "", trail.BySystem)
		}
		if err != nil {
			return err
		}
	}
	done, err := m.apply(ctx, p.ID, act{by: trail.BySystem, asked: &p.Life, event: func(View) (Event, error) { return Event{Kind: Tick}, nil }})
	if err != nil {
		return err
	}
	if done.has(SendRefund) {
		return m.sendRefund(ctx, p.ID, trail.BySystem)
	}
	return nil
}

func (m *Machine) applyKind(ctx context.Context, id string, kind EventKind, detail string, by trail.Actor) error {
	return m.ofRefund(ctx, id, "", kind, detail, by)
}

// ofRefund brings an answer to a refund home; one to a refund that is over says nothing of the one that waits now. "" is whichever waits.
func (m *Machine) ofRefund(ctx context.Context, id, refundID string, kind EventKind, detail string, by trail.Actor) error {
	_, err := m.apply(ctx, id, act{by: by, detail: detail, event: func(v View) (Event, error) {
		if r := v.Waiting(); refundID != "" && (r == nil || r.ID != refundID) {
			return Event{}, errKnown
		}
		return Event{Kind: kind}, nil
	}, fill: func(_ View, c *Change) error {
		for i := range c.Refunds {
			if c.Refunds[i].State == RefundNotMade {
				c.Refunds[i].Code = detail
			}
		}
		return nil
	}})
	if errors.Is(err, errKnown) {
		return nil
	}
	return err
}

// learn reads a payment's refunds and disputes at Stripe and books what is new. more are refunds that an answer has just shown.
// It returns ErrUnclear if Stripe did not say.
func (m *Machine) learn(ctx context.Context, id string, more []GivenBack, by trail.Actor) error {
	v, err := m.Store.View(ctx, id)
	if err != nil {
		return err
	}
	p := v.Payment
	refunds, err := m.Gateway.Refunds(ctx, p.StripeAccount, p.IntentID)
	if err != nil {
		return fmt.Errorf("%w: refunds of %s", ErrUnclear, p.ID)
	}
	contests, err := m.Gateway.Contests(ctx, p.StripeAccount, p.IntentID)
	if err != nil {
		return fmt.Errorf("%w: disputes of %s", ErrUnclear, p.ID)
	}
	refunds = append(refunds, more...)
	if t := compare(v, m.NewID, refunds, contests); t.nothing() && len(more) == 0 {
		return nil
	}
	record, err := m.Store.Record(ctx, id)
	if err != nil {
		return err
	}
	var t shown
	var dateLeft bool
	_, err = m.apply(ctx, id, act{
		by: by, asked: &p.Life,
		event: func(v View) (Event, error) {
			if t = compare(v, m.NewID, refunds, contests); t.nothing() {
				return Event{}, errKnown
			}
			return Event{Kind: GotBack, Amount: t.back, Settled: t.settled, Waiting: t.waiting, Contest: t.contest, Failed: t.failed}, nil
		},
		fill: func(v View, c *Change) error {
			c.Refunds, c.Disputes = t.refunds, t.disputes
			for i := range c.Disputes {
				if d := &c.Disputes[i]; d.Evidence == "" {
					if d.Evidence, d.EvidenceHash, err = Evidence(v, record, v.Facts.Now); err != nil {
						return err
					}
				}
			}
			c.Bookings, dateLeft = m.bookMoves(v, t.moves)
			c.Trail = append(c.Trail, trail.Entry{ID: m.NewID(), At: v.Facts.Now, Actor: by, Act: "book refunds and disputes", Object: id, ClientID: v.Payment.ClientID, Detail: t.summary()})
			if dateLeft {
				c.Trail = append(c.Trail, trail.Entry{ID: m.NewID(), At: v.Facts.Now, Actor: by, Act: "paid to date left", Object: id, ClientID: v.Payment.ClientID,
					Detail: "the Paid To Date has moved since this payment set it: a person decides whether it moves back"})
			}
			return nil
		},
	})
	if errors.Is(err, errKnown) {
		return nil
	}
	if err == nil && dateLeft {
		m.Alarm(Alarm{Name: DateLeft, PaymentID: id, State: p.State, Reason: p.Reason})
	}
	return err
}

var errKnown = errors.New("everything that Stripe shows is in the books")

// sendRefund makes the refund that was asked for, unless Stripe shows it already: the list is read before every send, so that none is made twice.
func (m *Machine) sendRefund(ctx context.Context, id string, by trail.Actor) error {
	ctx, stop := context.WithTimeout(lasting(ctx), ConfirmWithin)
	defer stop()
	if err := m.learn(ctx, id, nil, by); err != nil && guard.On(guard.RefundListed) {
		if errors.Is(err, ErrUnclear) {
			return m.applyKind(ctx, id, BackUnclear, "", by)
		}
		return err
	}
	v, err := m.Store.View(ctx, id)
	if err != nil {
		return err
	}
	p, r := v.Payment, v.Waiting()
	if r == nil || p.Refunding != RefundAsked {
		return nil
	}
	if r.Amount > p.Charged-p.GivenBack { // somebody has given money back at Stripe since
		return m.ofRefund(ctx, id, r.ID, BackRefused, "amount_too_large", by)
	}
	key := "refund:" + r.ID
	if guard.Off(guard.RefundKey) {
		key = m.NewID()
	}
	back, err := m.Gateway.Refund(ctx, RefundRequest{Key: key, Account: p.StripeAccount, IntentID: p.IntentID, Amount: r.Amount, RefundID: r.ID, PaymentID: p.ID})
	var no *RequestError
	var dead *DeadAnswerError
	switch {
	case err == nil:
		return m.learn(ctx, id, []GivenBack{back}, by)
	case errors.As(err, &dead):
		return m.ofRefund(ctx, id, r.ID, BackDead, "", by)
	case errors.As(err, &no):
		return m.ofRefund(ctx, id, r.ID, BackRefused, no.Code, by)
	}
	return m.applyKind(ctx, id, BackUnclear, "", by)
}

// AskBack is what finance wants to give back.
type AskBack struct {
	PaymentID string
	Amount    money.Cents // 0: all that is left
	Why       string
	By        trail.Actor
	FormKey   string // of the form that asks: a second click makes no second refund; "" if no form asks
}

// Refund gives money of a paid payment back, whole or in part. Its row stands before anything is sent; when Refund returns without an error the refund is on
// record, and View tells how far it has come. Errors: ErrTooMuch, ErrRefunding, ErrAccountBusy, ErrNotCharged, ErrNeedsReview (money that came after closing: Decide), ErrNotFound.
func (m *Machine) Refund(ctx context.Context, a AskBack) error {
	_, err := m.apply(ctx, a.PaymentID, act{
		by: a.By, name: "refund payment", detail: a.Why,
		event: func(v View) (Event, error) {
			if a.FormKey != "" && slices.ContainsFunc(v.Refunds, func(r Refund) bool { return r.FormKey == a.FormKey }) {
				return Event{}, errSameForm
			}
			amount := a.Amount
			if amount == 0 {
				amount = v.Payment.Charged - v.Payment.GivenBack
			}
			return Event{Kind: AskedBack, Amount: amount}, nil
		},
		fill: a.sign,
	})
	if errors.Is(err, errSameForm) {
		return nil
	}
	if err != nil {
		return err
	}
	return m.sendRefund(ctx, a.PaymentID, a.By)
}

// sign writes down who gives money back, and why.
func (a AskBack) sign(_ View, c *Change) error {
	for i := range c.Refunds {
		if c.Refunds[i].State == RefundWaits {
			c.Refunds[i].Why, c.Refunds[i].By, c.Refunds[i].FormKey = a.Why, a.By, a.FormKey
		}
	}
	return nil
}

// DropRefund says that a refund for which Stripe has no answer was never made; finance has looked it up. Stripe is asked once more before that is believed. Errors: ErrRefunding if Stripe may still answer, or has just
// shown it; ErrUnavailable.
func (m *Machine) DropRefund(ctx context.Context, paymentID string, by trail.Actor, why string) error {
	if err := m.learn(ctx, paymentID, nil, by); err != nil { // it may have been made just now
		if errors.Is(err, ErrUnclear) {
			return ErrUnavailable
		}
		return err
	}
	_, err := m.apply(ctx, paymentID, act{by: by, name: "drop refund", detail: why, event: func(View) (Event, error) { return Event{Kind: DroppedBack}, nil }})
	return err
}

// Decide is T23, and T16 by a person: what becomes of a payment in review (Paid, Refunded, Revoked), or of money that came after closing (Applied, Refunded).
// Stripe is asked first. Errors: ErrNotCharged, ErrCharged, ErrTotalMoved, ErrAccountBusy, ErrRefunding, ErrClosed, ErrNeedsReview, ErrUnavailable.
func (m *Machine) Decide(ctx context.Context, paymentID string, as State, by trail.Actor, why string) error {
	v, err := m.Store.View(ctx, paymentID)
	if err != nil {
		return err
	}
	e := Event{Kind: Decided, As: as}
	var in Intent
	if v.Payment.State == Review && v.Payment.IntentID != "" {
		if in, err = m.Gateway.Intent(ctx, v.Payment.StripeAccount, v.Payment.IntentID); err != nil {
			return ErrUnavailable
		}
		if in.Status == IntentSucceeded {
			e.Charged = in.Amount
			e.Matches = in.Amount == v.Payment.Amount() && in.Currency == "usd" && in.Account == v.Payment.StripeAccount
		}
	}
	if v.Payment.State.Booked() && v.Payment.IntentID != "" {
		if err := m.learn(ctx, paymentID, nil, by); err != nil {
			return ErrUnavailable // what went back already must be known first
		}
	}
	done, err := m.apply(ctx, paymentID, act{
		by: by, name: "decide: " + string(as), detail: why,
		event: func(v View) (Event, error) {
			for _, a := range v.Attempts {
				if in.ChargeMethod != "" && a.PaymentMethod == in.ChargeMethod {
					e.Attempt = a.N
				}
			}
			return e, nil
		},
		fill: func(v View, c *Change) error {
			for i := range c.Ended {
				if c.Ended[i].State == Succeeded {
					c.Ended[i].ChargeID, c.Ended[i].Card = in.ChargeID, in.Card
				}
			}
			return AskBack{Why: why, By: by}.sign(v, c)
		},
	})
	if err != nil {
		return err
	}
	switch {
	case done.has(SendRefund):
		return m.sendRefund(ctx, paymentID, by)
	case done.has(SendCancel):
		return m.cancel(ctx, paymentID, done.payment, by)
	}
	return nil
}

// Rebuild is T24: a PaymentIntent with our metadata was charged, and the books do not know it. If its payment is there after all it is looked after; else its
// row is made again from the metadata, and the money waits for a person. ErrNotFound: its client is not in the books either.
func (m *Machine) Rebuild(ctx context.Context, stripeAccount, intentID string) error {
	if id, err := m.Store.PaymentOf(ctx, intentID); err != nil || id != "" {
		return err // it is looked after as all are
	}
	in, err := m.Gateway.Intent(ctx, stripeAccount, intentID)
	if err != nil {
		return ErrUnavailable
	}
	if in.Origin.PaymentID == "" || in.Status != IntentSucceeded {
		return nil
	}
	id, err := m.rebuild(ctx, in)
	if err != nil {
		return err
	}
	return m.Tend(ctx, id)
}

func (m *Machine) rebuild(ctx context.Context, in Intent) (string, error) {
	o := in.Origin
	v, err := m.Store.View(ctx, o.PaymentID)
	if err == nil {
		// The backup is of the moment between the payment's row and its PaymentIntent's.
		_, err := m.apply(ctx, v.Payment.ID, act{by: trail.BySystem, event: func(View) (Event, error) { return Event{Kind: GotIntent, Intent: in.ID}, nil }})
		return o.PaymentID, err
	}
	if !errors.Is(err, ErrNotFound) {
		return "", err
	}
	p := Payment{
		ID: o.PaymentID, ChainID: o.ChainID, Door: ByLink, ClientID: o.ClientID, VehicleID: o.VehicleID, LocationID: o.LocationID, StripeAccount: in.Account, CreatedBy: trail.BySystem,
		CreatedAt: in.CreatedAt, ClosedAt: in.CreatedAt, FormKey: "rebuilt " + o.PaymentID, Frozen: Frozen{Rebuilt: true},
		Life: Life{State: PaidAfterClose, Reason: ReasonRestored, Held: true, IntentID: in.ID, ExpiresAt: in.CreatedAt, Charged: in.Amount},
	}
	p.Frozen.Summary.TotalDue, p.Frozen.Input.AsOf = in.Amount, day.Of(in.CreatedAt.UTC())
	if _, p.SummaryHash, err = p.Frozen.Encode(); err != nil {
		return "", err
	}
	v.Payment, v.Facts.Now = p, in.CreatedAt
	err = m.Store.Rebuild(ctx, p, m.bookUnapplied(v, in.Amount), trail.Entry{
		ID: m.NewID(), At: in.CreatedAt, Actor: trail.BySystem, Act: "rebuild payment", Object: p.ID, ClientID: p.ClientID,
		Detail: fmt.Sprintf("%s was charged for it, and the books did not know it", in.Amount),
	})
	if err != nil {
		return "", err
	}
	m.Alarm(Alarm{Name: UnknownCharge, PaymentID: p.ID, State: p.State, Reason: p.Reason})
	return p.ID, nil
}
