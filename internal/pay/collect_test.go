package pay_test

import (
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"paylink/internal/pay"
	"paylink/internal/sim/stripesim"
)

// collection is an agent about to charge a client's card on file.
func (b *town) collection(client, vehicle, phone, card string) pay.Collection {
	b.Helper()
	customer := b.stripeSays("", "customers", url.Values{"metadata[client]": {client}})
	method := b.enter("", card)
	b.stripeSays("", "payment_methods/"+method+"/attach", url.Values{"customer": {customer}})
	return pay.Collection{
		Order: b.order(client, vehicle, phone), Door: pay.ByAgent, Terms: terms, Language: "en",
		Saved: pay.SavedCard{Customer: customer, PaymentMethod: method, Card: pay.Card{Brand: "visa", Last4: card[len(card)-4:], Funding: "credit"}},
	}
}

func (b *town) collect(c pay.Collection) *sale {
	b.Helper()
	p, err := b.till.Collect(b.ctx, c)
	if err != nil {
		b.Fatal(err)
	}
	return &sale{b: b, id: p.ID}
}

// noted fails unless the client's record has one note of the payment, which says so.
func (s *sale) noted(want string) {
	s.b.Helper()
	var n int
	var text, by string
	if err := s.b.raw.QueryRow(`SELECT COUNT(*), COALESCE(MAX(text), ''), COALESCE(MAX(by_id), '') FROM notes WHERE payment_id = $1`, s.id).Scan(&n, &text, &by); err != nil {
		s.b.Fatal(err)
	}
	want = strings.Replace(want, "…", s.view().Payment.Reference(), 1)
	if n != 1 || text != want || by != "staff-agent" {
		s.b.Errorf("%d notes, %q by %s, want %q", n, text, by, want)
	}
}

func TestACardOnFileIsChargedOnce(t *testing.T) {
	for name, who := range map[string][3]string{
		"on the platform":        {"100047", "veh_hal_outback", "0147"},
		"on a connected account": {"100043", "veh_marcus_f150", "0143"},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, options{}, func(b *town) {
				c := b.collection(who[0], who[1], who[2], visa)
				s := b.collect(c)
				s.is(pay.Paid)
				if again := b.collect(c); again.id != s.id {
					b.Error("a second click made a second payment")
				}
				if n := len(b.charges()); n != 1 {
					b.Errorf("%d charges", n)
				}
				if n := b.one(`SELECT COUNT(*) FROM invoices WHERE payment_id = $1 AND door = 'agent'`, s.id); n != 1 {
					b.Errorf("%d invoices", n)
				}
				if who[0] == "100047" {
					s.noted("Took $98.58 by Visa ending 4242, 30 days for 2017 Subaru Outback, Paid To Date Apr 1, 2026. Reference ….")
				}
				b.balanced()
				if err := s.refund(0); err != nil {
					b.Fatal(err)
				}
				s.givenBack(pay.Paid, s.view().Payment.Charged)
			})
		})
	}
}

func TestOnlyAVisaOrMastercardOnFileIsCharged(t *testing.T) {
	here(t, options{}, func(b *town) {
		c := b.collection("100047", "veh_hal_outback", "0147", visa)
		for _, brand := range []string{"amex", ""} {
			c.Saved.Card.Brand = brand
			if _, err := b.till.Collect(b.ctx, c); !errors.Is(err, pay.ErrBrand) {
				b.Errorf("%q: %v", brand, err)
			}
		}
		if n := b.one(`SELECT COUNT(*) FROM payments`); n != 0 || len(b.charges()) != 0 {
			b.Errorf("%d payments, %d charges", n, len(b.charges()))
		}
	})
}

func TestADeclinedCardOnFileClosesItsPayment(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.collect(b.collection("100047", "veh_hal_outback", "0147", "4000000000000341")) // can be saved, can't be charged
		s.is(pay.Declined)
		b.pass(time.Minute)
		if v := s.view(); v.Payment.CancelDue || s.intent().Status != "canceled" || v.Attempts[0].Code == "" {
			b.Errorf("left as %+v", v.Payment.Life)
		}
		b.balanced()
		b.send() // nothing is in the way of another vehicle's link, nor of this one's
		b.sendTo("100047", "veh_hal_outback", "0147")
	})
}

// The bank wants the card's owner: the same payment goes on by a link, on the same PaymentIntent.
func TestACardThatNeedsItsOwnerBecomesALink(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		c := b.collection("100047", "veh_hal_outback", "0147", "4000002760003184")
		s := b.collect(c)
		s.is(pay.Open)
		intent := s.view().Payment.IntentID
		b.tend()
		v := s.view()
		if v.Link == nil || v.Payment.CardOnFile || !v.Payment.ExpiresAt.Equal(b.clock.Now().Add(10*time.Minute)) || v.Attempts[0].State != pay.WasNo {
			b.Fatalf("left as %+v", v.Payment.Life)
		}
		if n := b.one(`SELECT COUNT(*) FROM messages WHERE payment_id = $1 AND status <> 'waiting'`, s.id); n != 1 {
			b.Fatalf("%d texts", n)
		}
		s.pays(visa)
		s.is(pay.Paid)
		if s.view().Payment.IntentID != intent || len(b.charges()) != 1 {
			b.Error("it was charged on another PaymentIntent")
		}
		s.noted("Took $98.58 by Visa ending 4242 through a link, 30 days for 2017 Subaru Outback, Paid To Date Apr 1, 2026. Reference ….")
		if n := b.one(`SELECT COUNT(*) FROM invoices WHERE payment_id = $1 AND door = 'link'`, s.id); n != 1 {
			b.Errorf("%d invoices that were paid by a link", n)
		}
		b.balanced()
	})
}

// A webhook may be quicker than the answer, and an answer may be lost: the payment goes on by a link all the same, and by one only.
func TestACardThatNeedsItsOwnerBecomesALinkWhoeverFindsOut(t *testing.T) {
	for name, late := range map[string]time.Duration{"at once": 0, "within the call": 5 * time.Minute, "when the call is over": time.Hour} {
		t.Run(name, func(t *testing.T) {
			here(t, options{}, func(b *town) {
				c := b.collection("100047", "veh_hal_outback", "0147", "4000002760003184")
				rules := []stripesim.Rule{{Op: "confirm", Kind: stripesim.BrokenJSON, Times: 1}}
				if late > 0 {
					rules = append(rules, stripesim.Rule{Op: "retrieve", Kind: stripesim.Down503})
				}
				b.faults(rules...)
				s := b.collect(c)
				if late > 0 {
					s.is(pay.Unknown)
				}
				b.faults()
				b.clock.move(late)
				b.tend()
				if late > 10*time.Minute {
					s.is(pay.Declined)
					return
				}
				s.is(pay.Open)
				if n := b.one(`SELECT COUNT(*) FROM links WHERE payment_id = $1`, s.id); n != 1 || s.view().Payment.CardOnFile {
					b.Fatalf("%d links, left as %+v", n, s.view().Payment.Life)
				}
				s.pays(visa)
				s.is(pay.Paid)
				b.balanced()
			})
		})
	}
}

func TestAutoPayThatNeedsTheOwnerIsDeclined(t *testing.T) {
	here(t, options{}, func(b *town) {
		c := b.collection("100047", "veh_hal_outback", "0147", "4000002760003184")
		c.Door = pay.ByAutoPay
		b.collect(c).is(pay.Declined)
		c = b.collection("100045", "veh_omar_pam", "0145", visa)
		c.Door = pay.ByAutoPay
		b.collect(c).is(pay.Paid)
		if n := b.one(`SELECT COUNT(*) FROM notes`); n != 0 {
			b.Errorf("%d notes of what no agent has taken", n)
		}
	})
}

func TestALostAnswerToACardOnFileIsUnknownAndThenTold(t *testing.T) {
	here(t, options{timeout: 300 * time.Millisecond}, func(b *town) {
		c := b.collection("100047", "veh_hal_outback", "0147", visa)
		b.faults(stripesim.Rule{Op: "confirm", Kind: stripesim.TimeoutAfter, Times: 1}, stripesim.Rule{Op: "retrieve", Kind: stripesim.Down503})
		s := b.collect(c)
		s.is(pay.Unknown)
		if n := b.one(`SELECT COUNT(*) FROM notes`); n != 0 {
			b.Errorf("%d notes of money that nobody knows of", n)
		}
		b.faults()
		b.pass(time.Minute)
		s.is(pay.Paid)
		s.noted("Took $98.58 by Visa ending 4242, 30 days for 2017 Subaru Outback, Paid To Date Apr 1, 2026. Reference ….")
		b.balanced()
	})
}

func TestAPaymentThatCannotBeSetUpClosesWithNothingCharged(t *testing.T) {
	here(t, options{}, func(b *town) {
		c := b.collection("100047", "veh_hal_outback", "0147", visa)
		b.faults(stripesim.Rule{Op: "create", Kind: stripesim.Down503})
		if _, err := b.till.Collect(b.ctx, c); !errors.Is(err, pay.ErrUnavailable) {
			b.Fatalf("got %v", err)
		}
		b.faults()
		if n := b.one(`SELECT COUNT(*) FROM payments WHERE state = 'expired' AND reason = 'not_sent'`); n != 1 || len(b.charges()) != 0 {
			b.Error("it did not close")
		}
		c.FormKey = ""
		b.collect(c).is(pay.Paid)
	})
}

// Credit that covers everything pays without Stripe (T25).
func TestCreditThatCoversEverythingPays(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		c := b.collection("100048", "veh_ines_corolla", "0148", visa)
		s := b.collect(c)
		s.is(pay.Paid)
		v := s.view()
		if len(b.charges()) != 0 || v.Payment.IntentID != "" || v.Payment.ClosedAt.IsZero() || s.paidTo() != string(v.Payment.PaidTo()) {
			b.Errorf("%d charges, closed %s, Paid To Date %s", len(b.charges()), v.Payment.ClosedAt, s.paidTo())
		}
		s.noted("Used $80.44 of credit, 30 days for 2012 Toyota Corolla, Paid To Date Apr 1, 2026. Reference ….")
		if left := -b.account("100048", "client_credit"); left != 5411 {
			b.Errorf("%s of credit are left", left)
		}
		if err := s.refund(0); !errors.Is(err, pay.ErrTooMuch) {
			b.Errorf("money that never came goes back: %v", err)
		}
		b.balanced()
	})
}

// Auto Pay, Take a Payment and a link at once, for one vehicle: one of them takes the money.
func TestThreeDoorsAtOnceTakeOnePayment(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		agent := b.collection("100047", "veh_hal_outback", "0147", visa)
		auto := b.collection("100047", "veh_hal_outback", "0147", visa)
		auto.Door = pay.ByAutoPay
		var wg sync.WaitGroup
		errs := make([]error, 3)
		wg.Go(func() { _, errs[0] = b.till.Collect(b.ctx, agent) })
		wg.Go(func() { _, errs[1] = b.till.Collect(b.ctx, auto) })
		wg.Go(func() { _, errs[2] = b.till.Send(b.ctx, b.order("100047", "veh_hal_outback", "0147")) })
		wg.Wait()
		began := 0
		for _, err := range errs {
			if err == nil {
				began++
			} else if !errors.Is(err, pay.ErrLive) {
				b.Errorf("refused with %v", err)
			}
		}
		b.pass(15 * time.Minute)
		// Once the first has paid, the next may begin anew: for the days after. None was paid twice.
		charges := b.charges()
		if paid := b.one(`SELECT COUNT(*) FROM payments WHERE state = 'paid'`); int(paid) != len(charges) || began == 0 || len(charges) > began {
			b.Errorf("%d began, %d are paid, %d charges", began, paid, len(charges))
		}
		if moved := b.one(`SELECT COUNT(DISTINCT i.paid_to_from) FROM invoices i JOIN payments p ON p.id = i.payment_id`); int(moved) != len(charges) {
			b.Errorf("%d charges for %d times", len(charges), moved)
		}
		b.balanced()
	})
}
