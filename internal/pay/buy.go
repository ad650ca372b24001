package pay

import (
	"context"
	"encoding/json"
	"errors"

	"paylink/internal/guard"
	"paylink/internal/trail"
)

// Purchase is one press of a client who is signed in and there to answer the bank: what is bought, and the card that pays for it. FormKey is the press's own.
type Purchase struct {
	Order
	Saved         *SavedCard // a card on file; nil: PaymentMethod
	PaymentMethod string     // of a card that was entered for this payment only, on the location's account
	Customer      string     // the client at the platform, so that a card on file can be tried next; "" for one who has kept no card
	SessionID     string
	Terms         string // version agreed to
	Language      string // in which they were read
	Address       string
	UserAgent     string
}

// Buy is Make a Payment: T1 and T3 in one, on session, and T25 if the account's credit covers everything. The same press again finds what the first one did, whatever it is by now. A payment that this
// client has open for the very same is gone on with, attempts counted; one that is open for something else makes place (Order.Replaces), and nothing that is in flight ever does.
// A decline leaves the payment open for another card. It goes on when the caller goes away, for ConfirmWithin at the longest.
// Errors, with nothing charged: *LiveError, ErrNeedsReview, ErrPaused, ErrBrand, ErrCard, ErrTerms, ErrElsewhere, ErrClosed, ErrUnavailable, and whatever Price refuses with.
func (m *Machine) Buy(ctx context.Context, b Purchase) (Result, error) {
	if m.Paused && guard.On(guard.ReconcileBuy) {
		return Result{}, ErrPaused
	}
	ctx, cancel := context.WithTimeout(lasting(ctx), ConfirmWithin)
	defer cancel()
	p, again, err := m.open(ctx, b, false)
	if err != nil {
		return Result{}, err
	}
	v, err := m.Store.View(ctx, p.ID)
	if err != nil {
		return Result{}, err
	}
	if p.State != Open || byNonce(v, b.FormKey) != nil {
		return m.result(ctx, p.ID, b.SessionID, Secret{})
	}
	if again && b.Saved != nil && p.StripeAccount == "" && p.IntentID != "" {
		// It may have been set up for a client who had kept no card yet: then no card on file can be charged by it.
		in, err := m.Gateway.Intent(ctx, "", p.IntentID)
		if err != nil {
			return Result{}, ErrUnavailable
		}
		if in.Customer != b.Saved.Customer {
			if p, _, err = m.open(ctx, b, true); err != nil {
				return Result{}, err
			}
		}
	}
	card, err := m.cardOf(ctx, b, p.StripeAccount)
	if err != nil {
		return Result{}, err
	}
	if p, err = m.setUp(ctx, p, b, again); err != nil {
		return Result{}, err
	}
	method := b.PaymentMethod
	if b.Saved != nil {
		if method = b.Saved.PaymentMethod; p.StripeAccount != "" { // a connected account charges a copy of its own
			if method, err = m.Gateway.Clone(ctx, p.StripeAccount, b.Saved.Customer, method); err != nil {
				return Result{}, ErrUnavailable
			}
		}
	}
	return m.claim(ctx, b.By, Attempt{
		PaymentID: p.ID, SessionID: b.SessionID, NonceID: b.FormKey, PaymentMethod: method, Card: card, TermsVersion: b.Terms, TermsLanguage: b.Language, Address: b.Address, UserAgent: b.UserAgent,
	}, func(View) error { return nil })
}

// open is T1, or finds the payment that this press goes on with. anew: what is open makes place, even for the very same.
func (m *Machine) open(ctx context.Context, o Purchase, anew bool) (p Payment, again bool, err error) {
	var stale *applied
	p, err = m.Store.Begin(ctx, o.ClientID, o.VehicleID, o.FormKey, func(s Start) (b Begin, err error) {
		again, stale = false, nil
		if anew {
			s.SameForm = nil
		}
		if s.SameForm == nil && !anew && s.Live != nil && s.Live.Payment.Effective(s.Facts.Now) == Open && o.replaces(s.Live.Payment) {
			frozen, err := o.Price(s.Facts)
			if err != nil {
				return b, err
			}
			if frozen.sells(s.Live.Payment.Frozen) && s.Live.Payment.ClosingAs == "" && !s.Live.Payment.Revoke {
				s.SameForm = &s.Live.Payment
			}
		}
		if b, stale, err = m.start(o.Order, s, ByClient, m.Life); err != nil {
			again = SameForm(err)
			return b, err
		}
		b.Trail = []trail.Entry{m.sold(b.Payment, "make payment", o.Detail)}
		if b.Payment.Amount() != 0 {
			return b, nil
		}
		return b, m.byCredit(&b, s)
	})
	if err == nil && stale != nil {
		m.after(ctx, *stale)
	}
	return p, again, err
}

// sells says whether two quotes sell the same at the same price: what was shown of the one holds for the other.
func (f Frozen) sells(other Frozen) bool {
	a, errA := json.Marshal(f.Summary)
	b, errB := json.Marshal(other.Summary)
	return errA == nil && errB == nil && string(a) == string(b) && f.Input.Days == other.Input.Days
}

// cardOf is what is known of the card that is to be charged. It fails closed: a card of unknown brand is not charged.
func (m *Machine) cardOf(ctx context.Context, b Purchase, account string) (Card, error) {
	var card Card
	if b.Saved != nil {
		card = b.Saved.Card
	} else {
		var err error
		if card, err = m.Gateway.Card(ctx, account, b.PaymentMethod); err != nil {
			var no *RequestError
			if errors.As(err, &no) {
				return card, ErrCard
			}
			return card, ErrUnavailable
		}
	}
	if card.Brand != "visa" && card.Brand != "mastercard" && guard.On(guard.BoughtBrand) {
		return card, ErrBrand
	}
	return card, nil
}

// setUp makes the payment's PaymentIntent and stores its id, where it has none. A payment that has just begun and can't be set up closes, and is in nobody's way; one that was found is perhaps being set up
// by the same press at this moment.
func (m *Machine) setUp(ctx context.Context, p Payment, b Purchase, found bool) (Payment, error) {
	if p.IntentID != "" {
		return p, nil
	}
	request := m.intentRequest(p)
	if p.StripeAccount == "" { // cards on file live on the platform's customer
		if request.Customer = b.Customer; b.Saved != nil {
			request.Customer = b.Saved.Customer
		}
	}
	in, err := m.Gateway.CreateIntent(ctx, request)
	if err != nil {
		var no *RequestError
		if errors.As(err, &no) {
			m.Alarm(Alarm{Name: SetUpRefused, PaymentID: p.ID, State: p.State, Detail: no.Error()})
		}
		if found {
			return p, ErrUnavailable
		}
		return p, m.notSetUp(ctx, p, b.By)
	}
	done, err := m.apply(ctx, p.ID, act{by: b.By, event: func(View) (Event, error) { return Event{Kind: GotIntent, Intent: in.ID}, nil }})
	return done.payment, err
}
