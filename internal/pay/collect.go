package pay

import (
	"context"
	"errors"
	"time"

	"paylink/internal/guard"
	"paylink/internal/trail"
)

// CollectWithin is how long a payment by a card on file may wait to be claimed.
const CollectWithin = 2 * time.Minute

// needsOwner is the bank's word for a card on file that it will not charge unless the card's owner is there
// (docs.stripe.com/declines/codes, authentication_required).
const needsOwner = "authentication_required"

// SavedCard is a client's card on file. It lives on the platform's customer.
type SavedCard struct {
	Customer      string // cus_…
	PaymentMethod string // pm_…
	Card          Card
}

// Collection is what charging a card on file needs beyond T1.
type Collection struct {
	Order
	Door     Door // ByAgent or ByAutoPay
	Saved    SavedCard
	Terms    string // version that the card's owner agreed to
	Language string
}

// Collect is Take a Payment and Auto Pay: T1 and T3 in one, for a card on file; if the account's credit covers everything, T25. A second click of the same form
// finds the first one's payment. It goes on when the caller goes away. The payment's state says what came of it: Paid, Declined, Unknown (do not charge again), NeedsAction never, or
// Open with a link for the same payment if the bank wants the card's owner (ByAgent). Errors: ErrLive, ErrNeedsReview, ErrPaused, ErrBrand, ErrUnavailable with nothing charged, and whatever Price
// refuses with.
func (m *Machine) Collect(ctx context.Context, c Collection) (Payment, error) {
	if m.Paused && guard.On(guard.ReconcileCharge) {
		return Payment{}, ErrPaused
	}
	if c.FormKey == "" {
		c.FormKey = m.NewID()
	}
	var stale *applied
	var again bool
	p, err := m.Store.Begin(ctx, c.ClientID, c.VehicleID, c.FormKey, func(s Start) (b Begin, err error) {
		if b, stale, err = m.start(c.Order, s, c.Door, CollectWithin); err != nil {
			again = SameForm(err)
			return b, err
		}
		again = false
		b.Payment.CardOnFile = true
		b.Trail = []trail.Entry{m.sold(b.Payment, "charge card on file", c.Detail)}
		if b.Payment.Amount() != 0 {
			if c.Saved.Card.Brand != "visa" && c.Saved.Card.Brand != "mastercard" && guard.On(guard.SavedBrand) {
				return b, ErrBrand
			}
			return b, nil
		}
		return b, m.byCredit(&b, s)
	})
	if err != nil {
		return Payment{}, err
	}
	if stale != nil {
		m.after(ctx, *stale)
	}
	if again || p.State != Open {
		return m.now(ctx, p.ID)
	}
	ctx, cancel := context.WithTimeout(lasting(ctx), ConfirmWithin)
	defer cancel()
	if err := m.collect(ctx, p, c); err != nil {
		return Payment{}, err
	}
	return m.now(ctx, p.ID)
}

// byCredit is T25: the account's credit covers everything.
func (m *Machine) byCredit(b *Begin, s Start) error {
	life, _, err := Next(b.Payment.Life, Event{Kind: CreditCovers, Now: s.Facts.Now, Bound: true})
	if err != nil {
		return err
	}
	b.Payment.Life, b.Payment.ClosedAt = life, s.Facts.Now
	v := View{Payment: b.Payment, Facts: s.Facts}
	booking, err := m.bookPaid(v)
	booking.noted(v, 0)
	b.Booking = &booking
	b.Trail = append(b.Trail, m.entry(View{Payment: Payment{ID: b.Payment.ID, ClientID: b.Payment.ClientID, Life: Life{State: Open}}, Facts: s.Facts}, act{by: b.Payment.CreatedBy}, life))
	return err
}

func (m *Machine) now(ctx context.Context, id string) (Payment, error) {
	v, err := m.Store.View(ctx, id)
	return v.Payment, err
}

// collect makes the PaymentIntent and charges it. What it can't set up closes: nobody else will claim it.
func (m *Machine) collect(ctx context.Context, p Payment, c Collection) error {
	method, customer := c.Saved.PaymentMethod, c.Saved.Customer
	if p.StripeAccount != "" { // a connected account charges a copy of its own
		var err error
		if method, err = m.Gateway.Clone(ctx, p.StripeAccount, customer, method); err != nil {
			return m.notSetUp(ctx, p, c.By)
		}
		customer = ""
	}
	request := m.intentRequest(p)
	request.Customer = customer
	in, err := m.Gateway.CreateIntent(ctx, request)
	if err != nil {
		return m.notSetUp(ctx, p, c.By)
	}
	if _, err := m.apply(ctx, p.ID, act{by: c.By, event: func(View) (Event, error) { return Event{Kind: GotIntent, Intent: in.ID}, nil }}); err != nil {
		return err
	}
	done, err := m.apply(ctx, p.ID, act{
		by: c.By, name: "pay",
		event: func(View) (Event, error) { return Event{Kind: Claim}, nil },
		fill: func(v View, ch *Change) error {
			if ch.Life.State == Paying {
				ch.NewAttempt = &Attempt{
					ID: m.NewID(), PaymentID: p.ID, N: ch.Life.Attempt, NonceID: "card on file " + p.ID, PaymentMethod: method, Card: c.Saved.Card, State: Trying,
					TermsVersion: c.Terms, TermsLanguage: c.Language, StartedAt: v.Facts.Now,
				}
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	_, err = m.drive(ctx, p.ID, done, c.By)
	return err
}

// notSetUp closes a payment that could not be brought to Stripe. Nothing was charged, and nothing can be.
func (m *Machine) notSetUp(ctx context.Context, p Payment, by trail.Actor) error {
	done, err := m.apply(ctx, p.ID, act{by: by, name: "give up charging", event: func(View) (Event, error) { return Event{Kind: NotHandedOver}, nil }})
	if err == nil && done.has(SendCancel) {
		err = m.cancel(ctx, p.ID, done.payment, by)
	}
	return errors.Join(ErrUnavailable, err)
}

// sendOwner turns an agent's charge, which the bank refuses without the card's owner, into a link for the same payment.
func (m *Machine) sendOwner(ctx context.Context, id string, attempt int, by trail.Actor) (applied, Secret, error) {
	done, err := m.apply(ctx, id, act{
		by: by, detail: needsOwner,
		event: func(v View) (Event, error) {
			return m.orOwner(v, Event{Kind: GotDecline, Attempt: attempt}, needsOwner), nil
		},
		fill: func(v View, c *Change) error {
			setCode(c, needsOwner)
			m.linkToOwner(v, c)
			return nil
		},
	})
	return done, Secret{}, err
}

// orOwner turns a decline into the wish for the card's owner, where that is what the bank has said of an agent's charge: whether it is the answer that says so, or a webhook that
// was quicker, or a look after the answer was lost. A call that is over is not taken up again: after a link's life nobody is texted any more.
func (m *Machine) orOwner(v View, e Event, code string) Event {
	p := v.Payment
	if e.Kind != GotDecline || code != needsOwner || !p.CardOnFile || p.Door != ByAgent || v.Facts.Client.Phone.IsZero() || v.Facts.Now.Sub(p.CreatedAt) > m.Life {
		return e
	}
	e.Kind, e.Life = GotOwner, m.Life
	return e
}

// linkToOwner adds the link to a charge that goes on by one.
func (m *Machine) linkToOwner(v View, c *Change) {
	if !v.Payment.CardOnFile || c.Life.CardOnFile {
		return
	}
	l, msg := m.newLink(v.Payment.ID, v.Facts.Now, c.Life.ExpiresAt)
	l.Phone, l.OwnNumber, l.Language, l.SentBy = v.Facts.Client.Phone, true, v.Facts.Client.Language, v.Payment.CreatedBy.ID
	msg.link(l)
	c.Link, c.Message = &l, &msg.Message
}
