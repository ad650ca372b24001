package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/ledger"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/trail"
)

// ErrNotAgreed is returned where the terms were not agreed to, ErrTries where a client's cards were declined so often of late that no other one is tried. Nothing was charged.
var (
	ErrNotAgreed = errors.New("the terms have to be agreed to before paying")
	ErrTries     = errors.New("the bank has declined five tries within the hour")
)

// How often a client may press: every press asks Stripe about a card, charged or not. And for how long declines are held against the next payment: a new one must not begin to count anew.
const (
	mostPresses = 40
	pressesIn   = 5 * time.Minute
	declinesIn  = time.Hour
	paymentsOf  = 50
	autoPaySoon = 3 // days
)

const makePayment = "make payment"

// PayStore is what the desk reads to take a payment.
type PayStore interface {
	Cards(ctx context.Context, clientID string) ([]account.Card, error)
	// Standing leaves out what live payments have reserved.
	Standing(ctx context.Context, c account.Client) (account.Standing, error)
	// PaymentsOf lists a client's payments, newest first.
	PaymentsOf(ctx context.Context, clientID string, limit int) ([]pay.Payment, error)
	// Pressed finds the payment that a press of a client's has begun or tried to pay, by its key, and says whether a card was tried by it; "" for none.
	Pressed(ctx context.Context, clientID, key string) (paymentID string, tried bool, err error)
	// ViewOf reads one of a client's payments; account.ErrNotFound for another's.
	ViewOf(ctx context.Context, clientID, paymentID string) (pay.View, error)
	TermsInForce(ctx context.Context, kind account.Terms) (string, error)
}

// Till is the payment machine.
type Till interface {
	Buy(ctx context.Context, b pay.Purchase) (pay.Result, error)
	Continue(ctx context.Context, paymentID, attemptID, sessionID string) (pay.Result, error)
	Revoke(ctx context.Context, paymentID string, by trail.Actor, why pay.Reason, words string) (pay.State, error)
	Send(ctx context.Context, o pay.Order) (pay.Payment, error)
	Resend(ctx context.Context, paymentID string, by trail.Actor) error
}

// own says whether a payment was begun here.
func own(p pay.Payment) bool { return p.Door == pay.ByClient }

// declines counts what the bank has declined of late.
func declines(all []pay.Payment, now time.Time) (n int) {
	for _, p := range all {
		if own(p) && now.Sub(p.CreatedAt) < declinesIn && !p.State.Booked() {
			n += p.Declines
		}
	}
	return n
}

// Press is the button pressed: what the page had shown, and the card.
type Press struct {
	Wanted
	CardID        string // on file; "" where one was entered
	PaymentMethod string // of a card that was entered, for this payment only
	Shown         money.Cents
	ShownTo       day.Date
	Terms         string // version agreed to; "" where they were not
	Language      string
	Address       string
	UserAgent     string
	Key           string // of this press: sent again as it was it does nothing twice
	AutoPay       AutoPayWish
}

// AutoPayWish is Auto Pay to be turned on once a payment has succeeded, with the card on file that has paid; the client has agreed to AutoPayTerms.
type AutoPayWish struct {
	Days   int // 14 or 30; 0: it is not wished for
	CardID string
	From   Browser
}

// form is the key of what a press asks for: with another card it asks for another.
func (p Press) form(clientID string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "buy %s %s %s %d %t %s %s", p.Key, clientID, p.VehicleID, p.Days, p.Balance, p.CardID, p.PaymentMethod))
	return hex.EncodeToString(sum[:])
}

// Pay prices once more and charges once. Errors, with nothing charged: ErrNotAgreed, ErrTries, pay.ErrTotalMoved, pay.ErrBlocked, *pay.LiveError, and those of pay.Machine.Buy; link.ErrTooMany, account.ErrNotFound, quote.ErrDays.
func (d *Desk) Pay(ctx context.Context, who Who, p Press) (Paying, error) {
	out, err := d.pay(ctx, who, p)
	return out, d.noted(ctx, who, makePayment, who.ID, err,
		ErrNotAgreed, ErrTries, pay.ErrTotalMoved, pay.ErrBlocked, pay.ErrLive, pay.ErrNeedsReview, pay.ErrPaused, pay.ErrBrand, pay.ErrCard, pay.ErrTerms, pay.ErrElsewhere, pay.ErrClosed, link.ErrTooMany,
		account.ErrNotFound)
}

func (d *Desk) pay(ctx context.Context, who Who, p Press) (Paying, error) {
	key := p.form(who.ID)
	// A press that was heard before is answered with what it did: no refusal of now is an answer to it.
	if id, tried, err := d.Store.Pressed(ctx, who.ID, key); err != nil {
		return Paying{}, err
	} else if tried {
		out, err := d.Paying(ctx, who, id)
		if err != nil {
			return out, err
		}
		return d.enrolled(ctx, who, out, p.AutoPay)
	}
	if n, err := d.Tries.Take(ctx, "press in My Account "+who.ID, mostPresses, pressesIn); err == nil && n == 0 {
		return Paying{}, link.ErrTooMany // while nobody counts, five declines still lock a payment
	}
	b := pay.Purchase{
		Order: pay.Order{
			ClientID: who.ID, VehicleID: p.VehicleID, FormKey: key, By: trail.Actor{Kind: trail.Client, ID: who.ID}, Replaces: own,
			Price: func(f pay.Facts) (pay.Frozen, error) { return p.price(f) },
		},
		PaymentMethod: p.PaymentMethod, SessionID: who.SessionID, Terms: p.Terms, Language: p.Language, Address: p.Address, UserAgent: p.UserAgent,
	}
	if p.Balance == (p.VehicleID != "") {
		return Paying{}, account.ErrNotFound
	}
	if p.Balance {
		b.Order.VehicleID, p.Days = "", 0
	}
	if p.Shown != 0 {
		if p.Terms == "" {
			return Paying{}, ErrNotAgreed
		}
		if err := d.card(ctx, who, p, &b); err != nil {
			return Paying{}, err
		}
		if err := d.mayTry(ctx, who); err != nil {
			return Paying{}, err
		}
	}
	r, err := d.Till.Buy(ctx, b)
	if err != nil {
		return Paying{}, err
	}
	out, err := d.paying(ctx, who, r.View, r.ClientSecret)
	if err != nil {
		return out, err
	}
	return d.enrolled(ctx, who, out, p.AutoPay)
}

// mayTry refuses another card after too many declines.
func (d *Desk) mayTry(ctx context.Context, who Who) error {
	all, err := d.Store.PaymentsOf(ctx, who.ID, paymentsOf)
	if err != nil {
		return err
	}
	now, err := d.Store.Now(ctx)
	if err == nil && declines(all, now) >= pay.MaxDeclines {
		err = ErrTries
	}
	return err
}

// enrolWithin is how long after a payment what was wished for on its way is done: a page that is found again much later does nothing.
const enrolWithin = 15 * time.Minute

// enrolled turns Auto Pay on as was wished for with a payment, once that has succeeded; the card that has paid becomes the main one. That it can't be done undoes no payment: Enrolled says so.
func (d *Desk) enrolled(ctx context.Context, who Who, p Paying, w AutoPayWish) (Paying, error) {
	if w.Days == 0 || w.CardID == "" || p.Place != PaidNow {
		return p, nil
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return p, err
	}
	if now.Sub(p.Payment.ClosedAt) > enrolWithin {
		return p, nil
	}
	cards, err := d.Store.Cards(ctx, who.ID)
	if err != nil {
		return p, err
	}
	p.Enrolled = "no"
	if main := mainOf(cards); main == nil || main.ID != w.CardID {
		if err := d.MakeMainCard(ctx, who, w.CardID); err != nil {
			return p, nil
		}
	}
	if err := d.Enrol(ctx, who, Enrolment{Days: w.Days, CardID: w.CardID, Agreed: true, From: w.From}); err == nil {
		p.Enrolled = "on"
	}
	return p, nil
}

// price is what the press is to pay, if it still is what was shown.
func (p Press) price(f pay.Facts) (pay.Frozen, error) {
	frozen, err := f.Freeze(p.Days)
	if err != nil {
		return frozen, err
	}
	s := frozen.Summary
	free := s.Blocked != nil && *s.Blocked == quote.NothingDue && !p.Balance && p.Shown == 0
	if f.Client.Collections || s.Blocked != nil && !free {
		return frozen, pay.ErrBlocked
	}
	var to day.Date
	if s.PaidTo != nil {
		to = *s.PaidTo
	}
	if s.TotalDue != p.Shown || to != p.ShownTo {
		return frozen, pay.ErrTotalMoved
	}
	return frozen, nil
}

// card finds the card on file that is to be charged.
func (d *Desk) card(ctx context.Context, who Who, p Press, b *pay.Purchase) error {
	cards, err := d.Cards(ctx, who)
	if err != nil {
		return err
	}
	if len(cards) > 0 {
		b.Customer = cards[0].Customer
	}
	if p.CardID == "" {
		if p.PaymentMethod == "" {
			return pay.ErrCard
		}
		b.Detail = "by a card entered once"
		return nil
	}
	i := slices.IndexFunc(cards, func(c Card) bool { return c.ID == p.CardID })
	if i < 0 {
		return account.ErrNotFound
	}
	c := cards[i]
	if !c.Chargeable {
		return pay.ErrCard
	}
	face := pay.Card{Brand: c.Brand, Last4: c.Last4, Funding: c.Funding}
	b.Saved, b.PaymentMethod, b.Detail = &pay.SavedCard{Customer: c.Customer, PaymentMethod: c.PaymentMethod, Card: face}, "", "by "+face.Name()
	return nil
}

// Place is where a client's payment stands: what its page shows.
type Place string

const (
	Payable    Place = "open"      // another card may be tried
	Confirming Place = "confirm"   // this browser's bank asks for confirmation
	Checking   Place = "checking"  // its outcome is not known yet
	Elsewhere  Place = "elsewhere" // another browser's bank asks
	PaidNow    Place = "paid"
	Refunded   Place = "refund"
	Ended      Place = "ended"      // its time was over, or it was given up
	Superseded Place = "superseded" // the account has changed
	Locked     Place = "locked"
	Late       Place = "late"   // money came after closing
	Review     Place = "review" // a person decides
)

// Paying is a client's own payment as one of their browsers sees it.
type Paying struct {
	Payment  pay.Payment
	Attempt  *pay.Attempt // the latest; nil: none
	Place    Place
	Secret   pay.Secret      // for 3-D Secure
	Invoice  *ledger.Invoice // that it has made; nil: none
	TriesNow int             // declines that it takes before it locks
	Enrolled string          // what came of the wish for Auto Pay: "on", "no"; "" where there was none, or it waits for the payment
}

// Paying shows a client one of the payments that they have begun here. It changes nothing. Errors: account.ErrNotFound.
func (d *Desk) Paying(ctx context.Context, who Who, id string) (Paying, error) {
	v, err := d.Store.ViewOf(ctx, who.ID, id)
	if err != nil {
		return Paying{}, err
	}
	if !own(v.Payment) {
		return Paying{}, account.ErrNotFound
	}
	return d.paying(ctx, who, v, pay.Secret{})
}

func (d *Desk) paying(ctx context.Context, who Who, v pay.View, secret pay.Secret) (Paying, error) {
	out := Paying{Payment: v.Payment, Attempt: v.Current(), Secret: secret, TriesNow: pay.MaxDeclines - v.Payment.Declines}
	out.Place = d.place(out, v, who)
	if out.Place != PaidNow || v.Payment.VehicleID == "" {
		return out, nil
	}
	sold, err := d.Store.Invoices(ctx, who.ID, paymentsOf)
	if err != nil {
		return out, err
	}
	for i := range sold {
		if sold[i].PaymentID == v.Payment.ID && sold[i].Total >= 0 {
			out.Invoice = &sold[i]
		}
	}
	return out, nil
}

func (d *Desk) place(p Paying, v pay.View, who Who) Place {
	switch payment := p.Payment; payment.Effective(v.Facts.Now) {
	case pay.Paid, pay.Applied:
		if payment.Charged > 0 && payment.GivenBack >= payment.Charged {
			return Refunded
		}
		return PaidNow
	case pay.Refunded:
		return Refunded
	case pay.PaidAfterClose:
		return Late
	case pay.Review:
		return Review
	case pay.Paying, pay.Unknown:
		return Checking
	case pay.NeedsAction:
		switch {
		case payment.ClosingAs != "" || d.Paused:
			return Checking
		case p.Attempt != nil && p.Attempt.SessionID == who.SessionID:
			return Confirming
		}
		return Elsewhere
	case pay.Open:
		if d.Paused {
			return Checking
		}
		return Payable
	case pay.Superseded:
		return Superseded
	case pay.Locked, pay.Declined:
		return Locked
	}
	if d.Paused && p.Payment.CancelDue {
		return Checking
	}
	return Ended
}

// GoOn goes on after 3-D Secure, and tells the browser that pays how to ask its bank. Errors: account.ErrNotFound.
func (d *Desk) GoOn(ctx context.Context, who Who, id string, w AutoPayWish) (Paying, error) {
	p, err := d.Paying(ctx, who, id)
	if err != nil || p.Attempt == nil {
		return p, err
	}
	r, err := d.Till.Continue(ctx, id, p.Attempt.ID, who.SessionID)
	if err != nil {
		return Paying{}, err
	}
	if p, err = d.paying(ctx, who, r.View, r.ClientSecret); err != nil {
		return p, err
	}
	return d.enrolled(ctx, who, p, w)
}

// GiveUp ends a payment that the client has begun and not paid. What is in flight stays. Errors: account.ErrNotFound, pay.ErrElsewhere.
func (d *Desk) GiveUp(ctx context.Context, who Who, id string) error {
	p, err := d.Paying(ctx, who, id)
	if err != nil {
		return err
	}
	switch p.Place {
	case Payable:
	case Confirming, Checking, Elsewhere, Review:
		return d.refused(ctx, who, makePayment, pay.ErrElsewhere)
	default:
		return nil // it has ended
	}
	_, err = d.Till.Revoke(ctx, id, trail.Actor{Kind: trail.Client, ID: who.ID}, pay.ReasonClient, "given up")
	if errors.Is(err, pay.ErrClosed) {
		return nil
	}
	return err
}
