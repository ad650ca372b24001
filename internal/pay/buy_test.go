package pay_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/sim/stripesim"
	"paylink/internal/trail"
)

// purchase is a client at Make a Payment, with a card entered once.
func (b *town) purchase(client, vehicle, card string) pay.Purchase {
	b.Helper()
	o := b.order(client, vehicle, "0142")
	o.By = trail.Actor{Kind: trail.Client, ID: client}
	o.Replaces = func(p pay.Payment) bool { return p.Door == pay.ByClient }
	if vehicle == "" {
		o.Price = func(f pay.Facts) (pay.Frozen, error) { return f.Freeze(0) }
	}
	return pay.Purchase{Order: o, PaymentMethod: b.enter(b.settlesAt(vehicle), card), SessionID: "session-" + client, Terms: terms, Language: "en", Address: "198.51.100.7", UserAgent: "a phone"}
}

// settlesAt is the connected account of a vehicle's location.
func (b *town) settlesAt(vehicle string) string {
	b.Helper()
	if vehicle == "" {
		vehicle = "veh_dana_civic"
	}
	return b.text(`SELECT l.stripe_account FROM vehicles v JOIN locations l ON l.id = v.location_id WHERE v.id = $1`, vehicle)
}

// saved is the same, by a card on file.
func (b *town) saved(client, vehicle, card string) pay.Purchase {
	b.Helper()
	c := b.collection(client, vehicle, "0142", card)
	p := b.purchase(client, vehicle, card)
	p.Saved, p.PaymentMethod, p.Customer = &c.Saved, "", c.Saved.Customer
	return p
}

func (b *town) buy(p pay.Purchase) *sale {
	b.Helper()
	r := need(b.till.Buy(b.ctx, p))(b)
	return &sale{b: b, id: r.View.Payment.ID}
}

// bought holds that a client's payment was paid once, and that every book says so.
func (s *sale) bought() {
	s.b.Helper()
	s.is(pay.Paid)
	v := s.view()
	n := 0
	for _, c := range s.b.charges() {
		if c.Intent == v.Payment.IntentID {
			n++
		}
	}
	if n != 1 || !v.Payment.NextAt.IsZero() || v.Payment.ClosedAt.IsZero() {
		s.b.Errorf("%d charges, next %s, closed %s", n, v.Payment.NextAt, v.Payment.ClosedAt)
	}
	if v.Payment.VehicleID != "" {
		if n := s.b.one(`SELECT COUNT(*) FROM invoices WHERE payment_id = $1 AND door = 'client'`, s.id); n != 1 || s.paidTo() != string(v.Payment.PaidTo()) {
			s.b.Errorf("%d invoices, Paid To Date %s", n, s.paidTo())
		}
	}
	s.b.balanced()
}

func TestAClientPaysOnce(t *testing.T) {
	for name, who := range map[string][2]string{"on the platform": {"100042", "veh_dana_civic"}, "on a connected account": {"100043", "veh_marcus_f150"}} {
		for kind, make := range map[string]func(b *town, client, vehicle, card string) pay.Purchase{"by a card entered": (*town).purchase, "by a card on file": (*town).saved} {
			t.Run(name+", "+kind, func(t *testing.T) {
				everywhere(t, options{}, func(b *town) {
					p := make(b, who[0], who[1], visa)
					s := b.buy(p)
					s.bought()
					if again := b.buy(p); again.id != s.id {
						b.Error("the same press made a second payment")
					}
					a := s.view().Attempts[0]
					if a.Address != "198.51.100.7" || a.UserAgent != "a phone" || a.TermsVersion != terms || a.SessionID != p.SessionID || a.LinkID != "" {
						b.Errorf("what is kept of it is %+v", a)
					}
					b.pass(15 * time.Minute)
					s.bought()
				})
			})
		}
	}
}

// 3-D Secure, on session: for a card entered and for a card on file, and its copy at a connected account.
func TestAClientConfirmsAtTheBank(t *testing.T) {
	here(t, options{}, func(b *town) {
		for _, p := range []pay.Purchase{b.purchase("100042", "veh_dana_civic", bank), b.saved("100047", "veh_hal_outback", bank), b.saved("100043", "veh_marcus_f150", bank)} {
			r := need(b.till.Buy(b.ctx, p))(b)
			s := &sale{b: b, id: r.View.Payment.ID}
			s.is(pay.NeedsAction)
			if r.ClientSecret.Reveal() == "" || s.view().Payment.CardOnFile {
				b.Fatal("the browser can't ask the bank")
			}
			other := p
			other.SessionID = "another"
			if r := need(b.till.Buy(b.ctx, other))(b); r.ClientSecret.Reveal() != "" || r.Attempt != nil {
				b.Error("another session was told the secret")
			}
			s.bank(true)
			s.comesBack()
			s.bought()
		}
	})
}

func TestADeclineLeavesTheSamePaymentForAnotherCard(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.buy(b.purchase("100042", "veh_dana_civic", poor))
		s.is(pay.Open)
		if a := s.view().Attempts[0]; a.State != pay.WasNo || a.Code != "insufficient_funds" {
			b.Fatalf("the attempt is %+v", a)
		}
		declined := b.purchase("100042", "veh_dana_civic", poor)
		if again := b.buy(declined); again.id != s.id || s.view().Payment.Declines != 2 {
			b.Fatal("the declines are not counted on")
		}
		if again := b.buy(declined); again.id != s.id || s.view().Payment.Declines != 2 {
			b.Fatal("the same press was tried twice")
		}
		// The client keeps a card meanwhile: this PaymentIntent was made for no customer, so that a new one takes its place.
		now := b.buy(b.saved("100042", "veh_dana_civic", visa))
		if now.bought(); now.id == s.id {
			b.Fatal("a card on file was charged without its customer")
		}
		b.pass(time.Minute)
		s.is(pay.Revoked)
		if v := s.view(); v.Payment.Reason != pay.ReasonNewPayment || v.Payment.CancelDue || s.intent().Status != "canceled" {
			b.Errorf("what was replaced is left as %+v", v.Payment.Life)
		}
		// The declined press, once more, after all: it finds what it did, and pays nothing.
		if again := b.buy(declined); again.id != s.id || len(b.charges()) != 1 {
			b.Error("an old press did something new")
		}
	})
}

func TestFiveDeclinesLockAClientsPayment(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.buy(b.purchase("100045", "veh_omar_pam", poor))
		for range pay.MaxDeclines - 1 {
			if again := b.buy(b.purchase("100045", "veh_omar_pam", poor)); again.id != s.id {
				b.Fatal("it goes on with another payment")
			}
		}
		s.is(pay.Locked)
		b.pass(time.Minute)
		if s.intent().Status != "canceled" {
			b.Error("its PaymentIntent is not canceled")
		}
	})
}

func TestAClientWhoStartsAnewReplacesNothingInFlight(t *testing.T) {
	here(t, options{}, func(b *town) {
		p := b.purchase("100042", "veh_dana_civic", bank)
		s := b.buy(p)
		s.is(pay.NeedsAction)
		other := b.purchase("100042", "veh_dana_civic", visa)
		other.Price = func(f pay.Facts) (pay.Frozen, error) { return f.Freeze(14) }
		_, err := b.till.Buy(b.ctx, other)
		if live, ok := errors.AsType[*pay.LiveError](err); !ok || live.PaymentID != s.id || s.view().Payment.Revoke || s.view().Payment.ClosingAs != "" {
			b.Fatalf("a payment in 3-D Secure was touched: %v, %+v", err, s.view().Payment.Life)
		}
		s.bank(false)
		s.comesBack()
		s.is(pay.Open) // the bank's no: it may be tried again, or replaced
		now := b.buy(other)
		if now.bought(); now.id == s.id || now.view().Payment.Frozen.Input.Days != 14 || now.view().Payment.ChainID != s.view().Payment.ChainID {
			b.Error("the wrong one was paid")
		}
		b.pass(time.Minute)
		s.is(pay.Revoked)
		if len(b.charges()) != 1 {
			b.Errorf("%d charges", len(b.charges()))
		}
	})
}

// A link, an agent's charge and Auto Pay are in the way of a client, and none of them makes place.
func TestAClientReplacesNobodyElsesPayment(t *testing.T) {
	here(t, options{}, func(b *town) {
		link := b.send()
		_, err := b.till.Buy(b.ctx, b.purchase("100042", "veh_dana_civic", visa))
		if live, ok := errors.AsType[*pay.LiveError](err); !ok || live.PaymentID != link.id {
			b.Fatalf("got %v", err)
		}
		link.is(pay.Open)
		s := b.buy(b.purchase("100047", "veh_hal_outback", poor)) // open, the client's own
		if _, err := b.till.Send(b.ctx, b.order("100047", "veh_hal_outback", "0147")); !errors.Is(err, pay.ErrLive) {
			b.Errorf("a link replaced a client's payment: %v", err)
		}
		b.pass(11 * time.Minute)
		s.is(pay.Expired)
		b.sendTo("100047", "veh_hal_outback", "0147")
	})
}

func TestAClientPaysByVisaOrMastercardOnly(t *testing.T) {
	here(t, options{}, func(b *town) {
		saved := b.saved("100042", "veh_dana_civic", visa)
		saved.Saved.Card.Brand = "amex"
		for _, p := range []pay.Purchase{b.purchase("100042", "veh_dana_civic", amex), saved} {
			if _, err := b.till.Buy(b.ctx, p); !errors.Is(err, pay.ErrBrand) {
				b.Errorf("got %v", err)
			}
		}
		nobodys := b.purchase("100042", "veh_dana_civic", visa)
		nobodys.PaymentMethod = "pm_nobodys"
		if _, err := b.till.Buy(b.ctx, nobodys); !errors.Is(err, pay.ErrCard) {
			b.Errorf("got %v", err)
		}
		if len(b.charges()) != 0 || b.one(`SELECT COUNT(*) FROM attempts`) != 0 {
			b.Error("it was tried")
		}
	})
}

func TestTermsThatAreNotInForceAreNotPaidBy(t *testing.T) {
	here(t, options{}, func(b *town) {
		p := b.purchase("100042", "veh_dana_civic", visa)
		p.Terms = "0"
		if _, err := b.till.Buy(b.ctx, p); !errors.Is(err, pay.ErrTerms) || len(b.charges()) != 0 {
			b.Errorf("got %v, %d charges", err, len(b.charges()))
		}
	})
}

func TestInReconcileOnlyModeNoClientPays(t *testing.T) {
	here(t, options{}, func(b *town) {
		b.till.Paused = true
		if _, err := b.till.Buy(b.ctx, b.purchase("100042", "veh_dana_civic", visa)); !errors.Is(err, pay.ErrPaused) {
			b.Errorf("got %v", err)
		}
		if n := b.one(`SELECT COUNT(*) FROM payments`); n != 0 {
			b.Errorf("%d payments began", n)
		}
	})
}

func TestAClientsCreditThatCoversEverythingPays(t *testing.T) {
	here(t, options{}, func(b *town) {
		p := b.purchase("100048", "veh_ines_corolla", visa)
		p.PaymentMethod = ""
		s := b.buy(p)
		s.is(pay.Paid)
		if v := s.view(); len(b.charges()) != 0 || v.Payment.IntentID != "" || s.paidTo() != string(v.Payment.PaidTo()) {
			b.Errorf("%d charges, Paid To Date %s", len(b.charges()), s.paidTo())
		}
		if again := b.buy(p); again.id != s.id {
			b.Error("the same press made a second payment")
		}
		b.balanced()
	})
}

func TestAPendingBalanceIsPaidAlone(t *testing.T) {
	here(t, options{}, func(b *town) {
		p := b.purchase("100043", "", visa)
		p.PaymentMethod = b.enter(b.settlesAt("veh_marcus_f150"), visa)
		s := b.buy(p)
		s.bought()
		if v := s.view(); v.Payment.Amount() != money.Cents(4237) || v.Payment.VehicleID != "" || b.one(`SELECT COUNT(*) FROM invoices WHERE payment_id = $1`, s.id) != 0 {
			b.Errorf("%s was paid", v.Payment.Amount())
		}
		if left := b.account("100043", "receivable"); left != 0 {
			b.Errorf("%s are still owed", left)
		}
	})
}

// A press whose process dies anywhere, or whose answers are lost, charges once or not at all; pressed again it finds what it did, and the sweeper finds the truth by itself.
func TestAClientsPressSurvivesLostAnswers(t *testing.T) {
	for name, rules := range map[string][]stripesim.Rule{
		"charged, and the answer lost":     {{Op: "confirm", Kind: stripesim.TimeoutAfter, Times: 1}, {Op: "retrieve", Kind: stripesim.Down503, Times: 1}},
		"not charged, and the answer lost": {{Op: "confirm", Kind: stripesim.TimeoutBefore, Times: 1}, {Op: "retrieve", Kind: stripesim.Down503, Times: 1}},
		"broken":                           {{Op: "confirm", Kind: stripesim.BrokenJSON, Times: 1}, {Op: "retrieve", Kind: stripesim.Down503, Times: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			here(t, options{timeout: 300 * time.Millisecond}, func(b *town) {
				p := b.saved("100043", "veh_marcus_f150", visa)
				b.faults(rules...)
				s := b.buy(p)
				s.is(pay.Unknown)
				if again := b.buy(p); again.id != s.id {
					b.Fatal("the same press made a second payment")
				}
				other := b.purchase("100043", "veh_marcus_f150", visa)
				if _, err := b.till.Buy(b.ctx, other); !errors.Is(err, pay.ErrLive) {
					b.Errorf("another page pays what is being checked: %v", err)
				}
				b.pass(time.Minute)
				s.bought()
				if again := b.buy(p); again.id != s.id || len(b.charges()) != 1 {
					b.Error("pressed again it charged again")
				}
			})
		})
	}
}

// dyingStore is the store of a process that is killed after so many writes: no later one happens.
type dyingStore struct {
	pay.Store
	left int
	err  error
}

func (d *dyingStore) dies() error {
	if d.left == 0 {
		return d.err
	}
	d.left--
	return nil
}

func (d *dyingStore) Begin(ctx context.Context, client, vehicle, key string, decide func(pay.Start) (pay.Begin, error)) (pay.Payment, error) {
	if err := d.dies(); err != nil {
		return pay.Payment{}, err
	}
	return d.Store.Begin(ctx, client, vehicle, key, decide)
}

func (d *dyingStore) Apply(ctx context.Context, id string, decide func(pay.View) (pay.Change, error)) error {
	if err := d.dies(); err != nil {
		return err
	}
	return d.Store.Apply(ctx, id, decide)
}

func TestAClientsPressSurvivesAKilledProcess(t *testing.T) {
	errKilled := errors.New("killed")
	for after, last := range []string{"nothing", "T1", "the PaymentIntent", "the claim"} {
		test := func(b *town) {
			p := b.purchase("100042", "veh_dana_civic", visa)
			dying := b.machine(&dyingStore{Store: b.db, left: after, err: errKilled}, b.till.Carrier)
			if _, err := dying.Buy(b.ctx, p); !errors.Is(err, errKilled) {
				b.Fatalf("it lived: %v", err)
			}
			s := b.buy(p) // the browser, which has had no answer, asks the same again
			b.pass(5 * time.Minute)
			if s.state() != pay.Paid {
				b.Fatalf("after %d writes it is %s", after, s.state())
			}
			s.bought()
			if n := b.one(`SELECT COUNT(*) FROM payments`); n != 1 || len(b.charges()) != 1 {
				b.Errorf("%d payments, %d charges", n, len(b.charges()))
			}
		}
		t.Run("killed after "+last, func(t *testing.T) { everywhere(t, options{}, test) })
	}
}
