package pay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"paylink/internal/demo"
	"paylink/internal/desk/admin"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

func TestASaleIsPaidAndEveryBookSaysSo(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		s.is(pay.Open)
		if v := s.view(); v.Payment.IntentID == "" || s.intent().Amount != 9858 || v.Payment.Amount() != 9858 {
			b.Fatalf("%s, intent %+v", v.Payment.Amount(), s.intent())
		}
		if n := b.one(`SELECT COUNT(*) FROM messages WHERE box <> ''`); n != 0 {
			b.Error("the token is kept though the text was handed over")
		}
		if got := s.pays(visa); got != pay.Paid {
			b.Fatalf("the payer reads %s", got)
		}
		s.paid()
		if got := b.account("100042", "receivable"); got != 0 {
			b.Errorf("the client owes %s", got)
		}
		for account, want := range map[string]money.Cents{"stripe_clearing": 9858, "revenue_monitoring": -9300, "tax_payable": -558} {
			if got := b.account("100042", account); got != want {
				b.Errorf("%s is %s, want %s", account, got, want)
			}
		}
		for _, act := range []string{"send link", "pay", "payment paid"} {
			if b.one(`SELECT COUNT(*) FROM trail WHERE object = $1 AND act = $2`, s.id, act) != 1 {
				b.Errorf("the trail does not say %q once", act)
			}
		}
		b.pass(time.Hour)
		s.paid()
	})
}

func TestDeclines(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		if got := s.pays(poor); got != pay.Open {
			b.Fatalf("after a decline it is %s", got)
		}
		if a := s.view().Attempts[0]; a.State != pay.WasNo || a.Code != "insufficient_funds" {
			b.Fatalf("the attempt is %s, %q", a.State, a.Code)
		}
		if got := s.pays(visa); got != pay.Paid {
			b.Fatalf("the second card: %s", got)
		}
		s.paid()
	})
}

func TestTheFifthDeclineLocks(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		for n := 1; n <= pay.MaxDeclines; n++ {
			want := pay.Open
			if n == pay.MaxDeclines {
				want = pay.Locked
			}
			if got := s.pays(poor); got != want {
				b.Fatalf("after %d declines it is %s", n, got)
			}
		}
		if _, err := s.charge(s.try(visa)); !errors.Is(err, pay.ErrClosed) {
			b.Fatalf("a sixth card: %v", err)
		}
		b.pass(time.Minute)
		s.unpaid(pay.Locked)
	})
}

func TestThreeDSecure(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		try := s.try(bank)
		r := need(s.charge(try))(b)
		if r.View.Payment.State != pay.NeedsAction || r.ClientSecret.Reveal() == "" {
			b.Fatalf("it is %s, secret given: %v", r.View.Payment.State, r.ClientSecret.Reveal() != "")
		}
		if fmt.Sprintf("%v %+v %#v", r.ClientSecret, r.ClientSecret, r.ClientSecret) != "[secret] [secret] [secret]" {
			b.Error("the secret prints")
		}
		// The same press again is answered with the same attempt.
		if again := need(s.charge(try))(b); again.View.Payment.State != pay.NeedsAction || len(again.View.Attempts) != 1 {
			b.Errorf("pressed again it is %s, %d attempts", again.View.Payment.State, len(again.View.Attempts))
		}
		// Another browser is told nothing.
		other := need(b.till.Continue(b.ctx, s.id, r.Attempt.ID, "another session"))(b)
		if other.ClientSecret.Reveal() != "" || other.Attempt != nil {
			b.Error("another session gets the secret")
		}
		if back := s.comesBack(); back.View.Payment.State != pay.NeedsAction || back.ClientSecret.Reveal() == "" {
			b.Errorf("come back too early: %s", back.View.Payment.State)
		}
		s.bank(true)
		if back := s.comesBack(); back.View.Payment.State != pay.Paid {
			b.Fatalf("come back: %s", back.View.Payment.State)
		}
		s.paid()
	})
}

func TestThreeDSecureWithoutComingBackIsFinishedByTheSweeper(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(bank)
		s.bank(true)
		b.pass(11 * time.Second)
		s.paid()
	})
}

func TestThreeDSecureFailedIsADecline(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(bank)
		s.bank(false)
		if back := s.comesBack(); back.View.Payment.State != pay.Open || back.View.Payment.Declines != 1 {
			b.Fatalf("come back: %s, %d declines", back.View.Payment.State, back.View.Payment.Declines)
		}
		if got := s.pays(visa); got != pay.Paid {
			b.Fatalf("another card: %s", got)
		}
		s.paid()
	})
}

func TestThreeDSecureAbandonedCloses(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(bank)
		b.pass(pay.ActionLease - time.Second)
		s.is(pay.NeedsAction)
		b.pass(5 * time.Second)
		s.unpaid(pay.Expired)
	})
}

func TestThreeDSecureMayEndALittleAfterTheLink(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		b.pass(link.Life - 10*time.Second)
		s.pays(bank)
		b.pass(2 * time.Minute)
		s.is(pay.NeedsAction)
		s.bank(true)
		if back := s.comesBack(); back.View.Payment.State != pay.Paid {
			b.Fatalf("come back: %s", back.View.Payment.State)
		}
		s.paid()
	})
}

func TestAConnectedAccountIsChargedAtThatAccount(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.sendTo("100043", "veh_marcus_f150", "0143")
		if got := s.view().Payment.Amount(); got != 12525 {
			b.Fatalf("the first vehicle's total is %s", got)
		}
		if got := s.pays(visa); got != pay.Paid {
			b.Fatal(got)
		}
		s.paid()
		if books := b.stripe.Books(); len(books.Accounts[demo.TampaAccount].Charges) != 1 || len(books.Accounts[books.Platform].Charges) != 0 {
			b.Error("the charge is at another account")
		}
		if n := b.one(`SELECT COUNT(*) FROM entries WHERE client_id = '100043' AND payment_id = $1 AND stripe_account <> $2`, s.id, demo.TampaAccount); n != 0 {
			b.Error("the books name another account")
		}
		if got := b.account("100043", "receivable"); got != 0 {
			b.Errorf("past due is still %s", got)
		}
	})
}

func TestOnlyVisaAndMastercardAreTried(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		if _, err := s.charge(s.try(amex)); !errors.Is(err, pay.ErrBrand) {
			b.Fatalf("American Express: %v", err)
		}
		unknown := s.try(visa)
		unknown.PaymentMethod = "pm_that_is_none"
		if _, err := s.charge(unknown); !errors.Is(err, pay.ErrCard) {
			b.Fatalf("a card that is none: %v", err)
		}
		down := s.try(visa)
		b.faults(stripesim.Rule{Op: "any", Kind: stripesim.Down503, Times: 1})
		if _, err := s.charge(down); !errors.Is(err, pay.ErrUnavailable) {
			b.Fatalf("a card whose brand nobody tells: %v", err)
		}
		s.is(pay.Open)
		if n := len(s.view().Attempts); n != 0 {
			b.Errorf("%d attempts were written", n)
		}
	})
}

func TestWhatAPageMayNotCharge(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		for name, c := range map[string]struct {
			spoil func(*pay.Try)
			want  error
		}{
			"another link's nonce":    {func(t *pay.Try) { t.Nonce.LinkID = newID() }, pay.ErrOtherLink},
			"another payment's nonce": {func(t *pay.Try) { t.Nonce.PaymentID = newID() }, pay.ErrOtherLink},
			"another summary":         {func(t *pay.Try) { t.Nonce.Summary = "0" }, pay.ErrOtherLink},
			"old terms":               {func(t *pay.Try) { t.Terms = "0" }, pay.ErrTerms},
			"no such payment":         {func(t *pay.Try) { t.PaymentID = newID() }, pay.ErrNotFound},
		} {
			try := s.try(visa)
			c.spoil(&try)
			if _, err := s.charge(try); !errors.Is(err, c.want) {
				b.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		if n := len(b.charges()); n != 0 {
			b.Errorf("%d charges", n)
		}
		s.is(pay.Open)
	})
}

// meanwhile does something at the moment when the machine has looked at a payment and asks Stripe for the card.
type meanwhile struct {
	pay.Gateway
	do func()
}

func (g meanwhile) Card(ctx context.Context, account, paymentMethod string) (pay.Card, error) {
	g.do()
	return g.Gateway.Card(ctx, account, paymentMethod)
}

// TestNobodyIsChargedByTermsThatWereReplacedWhileTheButtonWasPressed: another instance publishes after this one has looked.
func TestNobodyIsChargedByTermsThatWereReplacedWhileTheButtonWasPressed(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		other := b.open()
		try, till := s.try(visa), *b.till
		till.Gateway = meanwhile{b.gateway, func() {
			if err := errors.Join(other.PublishTerms(b.ctx, terms, admin.Version{Number: "2"}, trail.Entry{ID: newID(), Act: "publish terms", Object: "terms 2"}), other.Close()); err != nil {
				b.Error(err)
			}
		}}
		if _, err := till.Charge(b.ctx, try); !errors.Is(err, pay.ErrTerms) {
			b.Errorf("the button is answered %v", err)
		}
		s.is(pay.Open)
		if n := len(b.charges()) + len(s.view().Attempts); n != 0 {
			b.Errorf("%d charges and attempts", n)
		}
		try = s.try(visa)
		try.Terms = "2"
		if _, err := b.till.Charge(b.ctx, try); err != nil {
			b.Error(err)
		}
		s.is(pay.Paid)
	})
}

// --- Stripe misbehaves ----------------------------------------------------------------------------------------------------------------------

// TestWhateverBecomesOfAConfirmTheTruthIsFound: every way in which a confirm can go wrong, once or for a while, ends in the truth within fifteen minutes, and never in two charges.
func TestWhateverBecomesOfAConfirmTheTruthIsFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  string
		times int
		card  string
		ends  []pay.State
	}{
		{stripesim.TimeoutBefore, 1, visa, []pay.State{pay.Paid}},
		{stripesim.TimeoutAfter, 1, visa, []pay.State{pay.Paid}},
		{stripesim.TimeoutAfter, 1, poor, []pay.State{pay.Open}},
		{stripesim.TimeoutAfter, 1, bank, []pay.State{pay.NeedsAction}},
		{stripesim.Error500, 1, visa, []pay.State{pay.Paid}},
		{stripesim.Error500, 3, visa, []pay.State{pay.Paid}},
		{stripesim.Error500RolledBack, 1, visa, []pay.State{pay.Expired}},
		{stripesim.Error500Forward, 1, visa, []pay.State{pay.Paid, pay.Expired}},
		{stripesim.Conflict409, 2, visa, []pay.State{pay.Paid}},
		{stripesim.Rate429, 2, visa, []pay.State{pay.Paid}},
		{stripesim.Down503, 4, visa, []pay.State{pay.Paid}},
		{stripesim.Down503, 0, visa, []pay.State{pay.Expired}},
		{stripesim.BrokenJSON, 1, visa, []pay.State{pay.Paid}},
		{stripesim.BrokenJSON, 1, poor, []pay.State{pay.Open}},
	} {
		t.Run(fmt.Sprintf("%s %d× %s", c.kind, c.times, c.card[len(c.card)-4:]), func(t *testing.T) {
			where := here
			if c.kind == stripesim.TimeoutAfter {
				where = everywhere
			}
			where(t, options{timeout: 700 * time.Millisecond}, func(b *town) {
				s := b.send()
				b.faults(stripesim.Rule{Op: "confirm", Kind: c.kind, Times: c.times, Rate: rate(c.times), DelayMS: 3_000})
				got := s.pays(c.card)
				if got == pay.Open && c.card == visa {
					b.Fatal("the payer is told to try again while a charge may still come")
				}
				if c.times > 0 && c.kind != stripesim.Error500RolledBack && c.kind != stripesim.Error500Forward {
					for b.stripe.Faults().Rules[0].Fired < c.times {
						b.pass(time.Second)
					}
					b.pass(10 * time.Second) // quality.md: from the end of a fault to the truth
					s.is(c.ends[0])
				}
				b.pass(15 * time.Minute)
				v := s.view()
				end := v.Payment.State
				if end.Live() {
					b.Fatalf("it has not settled: %s", end)
				}
				for _, a := range v.Attempts {
					if a.State == pay.Trying {
						b.Errorf("attempt %d is still under way", a.N)
					}
				}
				charges := len(b.charges())
				switch {
				case c.ends[0] == pay.Paid && len(c.ends) == 1 || charges == 1:
					s.paid()
				default:
					s.unpaid(pay.Expired)
				}
			})
		})
	}
}

func rate(times int) float64 {
	if times == 0 {
		return 1
	}
	return 0
}

func TestAChargeThatComesWhileTheCancelIsOnItsWay(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		// A 500 that takes effect later, and a Stripe that does not answer cancels before.
		b.faults(stripesim.Rule{Op: "confirm", Kind: stripesim.Error500Forward, Times: 1, DelayMS: 60_000}, stripesim.Rule{Op: "cancel", Kind: stripesim.Down503, Times: 11})
		if got := s.pays(visa); got != pay.Unknown {
			b.Fatal(got)
		}
		b.pass(15 * time.Minute)
		s.paid()
	})
}

func TestThePhase2ConfirmIsLost(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{stripesim.TimeoutBefore, stripesim.TimeoutAfter, stripesim.BrokenJSON, stripesim.Error500, stripesim.Conflict409, stripesim.Down503} {
		t.Run(kind, func(t *testing.T) {
			here(t, options{timeout: 700 * time.Millisecond}, func(b *town) {
				s := b.send()
				s.pays(bank)
				s.bank(true)
				b.faults(stripesim.Rule{Op: "confirm", Kind: kind, Times: 1})
				s.comesBack()
				b.pass(30 * time.Second)
				s.paid()
				if p := s.view().Payment; p.Phase != 2 {
					b.Errorf("it was paid in phase %d", p.Phase)
				}
			})
		})
	}
}

func TestProcessingIsWaitedFor(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		if err := b.stripe.SetFaults(stripesim.Faults{Processing: 1, SettleMS: 20_000}); err != nil {
			b.Fatal(err)
		}
		if got := s.pays(visa); got != pay.Unknown {
			b.Fatal(got)
		}
		b.pass(time.Minute)
		s.paid()
	})
}

func TestProcessingPastTheEndIsWaitedForToo(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		if err := b.stripe.SetFaults(stripesim.Faults{Processing: 1, SettleMS: 13 * 60_000}); err != nil {
			b.Fatal(err)
		}
		s.pays(visa)
		s.revoke()
		b.pass(20 * time.Minute)
		s.paid()
	})
}

func TestStripesDashboard(t *testing.T) {
	t.Run("cancels", func(t *testing.T) {
		here(t, options{stripeToo: true}, func(b *town) {
			s := b.send()
			if err := b.stripe.CancelIntent(s.view().Payment.IntentID); err != nil {
				b.Fatal(err)
			}
			b.until("the webhook is heard", func() bool { b.tend(); return s.state() == pay.Revoked })
			if v := s.view(); v.Payment.Reason != pay.ReasonDashboard {
				b.Errorf("because %s", v.Payment.Reason)
			}
			s.unpaid(pay.Revoked)
		})
	})
	t.Run("pays", func(t *testing.T) {
		here(t, options{stripeToo: true}, func(b *town) {
			s := b.send()
			if err := b.stripe.PayIntent(s.view().Payment.IntentID); err != nil {
				b.Fatal(err)
			}
			b.until("the webhook is heard", func() bool { b.tend(); return s.state() == pay.Paid })
			b.balanced()
		})
	})
	t.Run("pays, and no webhook comes: found at the end, as money after closing, and applied", func(t *testing.T) {
		here(t, options{}, func(b *town) {
			s := b.send()
			if err := b.stripe.PayIntent(s.view().Payment.IntentID); err != nil {
				b.Fatal(err)
			}
			b.pass(link.Life + time.Minute)
			s.applied()
			if len(b.alarms) != 1 {
				b.Errorf("%d alarms", len(b.alarms))
			}
			b.balanced()
		})
	})
}

func TestAMismatchWaitsForAPerson(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		other := b.sendTo("100046", "veh_lucia_sentra", "0146")
		// Somebody has mixed up the rows: the PaymentIntent is another payment's, of another amount.
		intent := other.view().Payment.IntentID
		if _, err := b.raw.Exec(`UPDATE payments SET intent_id = 'pi_moved' WHERE id = $1`, other.id); err != nil {
			b.Fatal(err)
		}
		if _, err := b.raw.Exec(`UPDATE payments SET intent_id = $1 WHERE id = $2`, intent, s.id); err != nil {
			b.Fatal(err)
		}
		s.pays(visa)
		s.is(pay.Review)
		if len(b.alarms) != 1 || b.alarms[0].State != pay.Review {
			b.Errorf("alarms: %+v", b.alarms)
		}
		if _, err := s.charge(s.try(visa)); !errors.Is(err, pay.ErrNeedsReview) {
			b.Errorf("paying again: %v", err)
		}
		if _, err := b.till.Send(b.ctx, b.order("100042", "veh_dana_civic", "0142")); !errors.Is(err, pay.ErrLive) {
			b.Errorf("sending again: %v", err)
		}
	})
}

// --- Revoke, resend, expiry -----------------------------------------------------------------------------------------------------------------

func TestRevokeWhileOpen(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		try := s.try(visa)
		if got := s.revoke(); got != pay.Revoked {
			b.Fatal(got)
		}
		if _, err := s.charge(try); !errors.Is(err, pay.ErrClosed) {
			b.Errorf("paying after it: %v", err)
		}
		s.unpaid(pay.Revoked)
		if _, err := b.till.Revoke(b.ctx, s.id, trail.BySystem, pay.ReasonAgent, ""); !errors.Is(err, pay.ErrClosed) {
			b.Errorf("revoking again: %v", err)
		}
	})
}

func TestRevokeIn3DSecure(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(bank)
		if got := s.revoke(); got != pay.NeedsAction {
			b.Fatalf("it says %s", got)
		}
		b.tend()
		s.unpaid(pay.Revoked)
		if a := s.view().Attempts[0]; a.State != pay.Abandoned {
			b.Errorf("the attempt is %s", a.State)
		}
	})
}

func TestRevokeIn3DSecureWhileStripeIsDown(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(bank)
		s.bank(true)
		b.faults(stripesim.Rule{Op: "cancel", Kind: stripesim.Down503, Times: 3})
		s.revoke()
		s.is(pay.NeedsAction)
		if as := s.view().Payment.ClosingAs; as != pay.Revoked {
			b.Fatalf("closing as %q", as)
		}
		if back := s.comesBack(); back.View.Payment.State == pay.Paid || back.ClientSecret.Reveal() != "" {
			b.Fatalf("the payer went on: %s", back.View.Payment.State)
		}
		b.pass(time.Minute)
		s.unpaid(pay.Revoked)
	})
}

func TestRevokeWhilePaying(t *testing.T) {
	t.Parallel()
	for card, want := range map[string]pay.State{visa: pay.Paid, poor: pay.Revoked, bank: pay.Revoked} {
		t.Run(card[len(card)-4:], func(t *testing.T) {
			here(t, options{}, func(b *town) {
				s := b.send()
				b.faults(stripesim.Rule{Op: "confirm", Kind: stripesim.Slow, Times: 1, DelayMS: 400})
				try, done := s.try(card), make(chan pay.Result, 1)
				go func() {
					r, err := s.charge(try)
					if err != nil {
						b.Error(err)
					}
					done <- r
				}()
				b.until("the payer pays", func() bool { return s.state() == pay.Paying })
				if got := s.revoke(); got != pay.Paying {
					b.Errorf("the agent reads %s", got)
				}
				b.tend() // the sweeper comes by, and sees nothing yet
				r := <-done
				if r.ClientSecret.Reveal() != "" {
					b.Error("a payment that is being stopped gave its secret")
				}
				b.pass(time.Minute)
				if want == pay.Paid {
					s.paid()
				} else {
					s.unpaid(want)
				}
			})
		})
	}
}

func TestResend(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		s.pays(poor)
		old := s.view()
		stale := s.try(visa)
		b.pass(9 * time.Minute)
		for n := 1; n <= pay.MaxResends; n++ {
			if err := b.till.Resend(b.ctx, s.id, trail.Actor{Kind: trail.Staff, ID: "staff-agent"}); err != nil {
				b.Fatal(n, err)
			}
			b.tend()
		}
		if err := b.till.Resend(b.ctx, s.id, trail.BySystem); !errors.Is(err, pay.ErrResends) {
			b.Errorf("the fourth: %v", err)
		}
		v := s.view()
		if v.Payment.IntentID != old.Payment.IntentID || v.Payment.Declines != 1 || !v.Payment.ExpiresAt.Equal(b.clock.Now().Add(link.Life)) {
			b.Errorf("intent the same: %v, %d declines, ends %s", v.Payment.IntentID == old.Payment.IntentID, v.Payment.Declines, v.Payment.ExpiresAt)
		}
		if _, err := b.door.Look(b.ctx, old.Link.Digest, "test"); !errors.Is(err, link.ErrUnknown) {
			b.Errorf("the old token: %v", err)
		}
		if pass, err := b.door.Look(b.ctx, v.Link.Digest, "test"); err != nil || pass.LinkID != v.Link.ID {
			b.Errorf("the new token: %v", err)
		}
		if n := b.one(`SELECT COUNT(*) FROM links WHERE payment_id = $1 AND state = 'live'`, s.id); n != 1 {
			b.Errorf("%d live links", n)
		}
		if _, err := s.charge(stale); !errors.Is(err, pay.ErrClosed) {
			b.Errorf("the old page pays: %v", err)
		}
		if n := len(b.twilio.Messages()); n != 4 {
			b.Errorf("%d texts", n)
		}
		if s.pays(visa) != pay.Paid {
			b.Fatal("the new page does not pay")
		}
		s.paid()
	})
}

func TestExpiry(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		try := s.try(visa)
		b.clock.move(link.Life) // and the sweeper has not come by
		v := s.view()
		if v.Payment.State != pay.Open || v.Payment.Effective(v.Facts.Now) != pay.Expired {
			b.Errorf("the page says %s", v.Payment.Effective(v.Facts.Now))
		}
		b.pass(time.Minute)
		s.unpaid(pay.Expired)
		if _, err := s.charge(try); !errors.Is(err, pay.ErrClosed) {
			b.Errorf("paying after it: %v", err)
		}
	})
}

func TestAPayerWhoComesTooLateClosesItThemselves(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		try := s.try(visa)
		b.clock.move(link.Life)
		r := need(s.charge(try))(b)
		if r.View.Payment.State != pay.Expired || len(r.View.Attempts) != 0 {
			b.Fatalf("it is %s, %d attempts", r.View.Payment.State, len(r.View.Attempts))
		}
		b.tend()
		s.unpaid(pay.Expired)
	})
}

func TestOneSecondBeforeTheEndIsInTime(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		b.clock.move(link.Life - time.Second)
		if got := s.pays(visa); got != pay.Paid {
			b.Fatal(got)
		}
		s.paid()
	})
}

// --- The account ----------------------------------------------------------------------------------------------------------------------------

func TestOneLivePaymentAVehicle(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		first := b.send()
		_, err := b.till.Send(b.ctx, b.order("100042", "veh_dana_civic", "0142"))
		var live *pay.LiveError
		if !errors.As(err, &live) || live.PaymentID != first.id || live.State != pay.Open || !errors.Is(err, pay.ErrLive) {
			b.Fatalf("a second one: %v", err)
		}
		b.clock.move(link.Life) // stale, and the sweeper has not come by
		second := b.send()
		second.is(pay.Open)
		first.is(pay.Expired)
		if a, c := second.view().Payment, first.view().Payment; a.ChainID != c.ID {
			b.Error("the new one is not of the old one's chain")
		}
		if second.pays(visa) != pay.Paid {
			b.Fatal("the second one does not pay")
		}
		second.paid()
		b.pass(time.Minute)
		first.unpaid(pay.Expired)
	})
}

func TestManyAgentsAtOnceSendOneLink(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		sent, refused := 0, 0
		for range 12 {
			wg.Go(func() {
				_, err := b.till.Send(b.ctx, b.order("100042", "veh_dana_civic", "0142"))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					sent++
				case errors.Is(err, pay.ErrLive):
					refused++
				default:
					b.Error(err)
				}
			})
		}
		wg.Wait()
		if sent != 1 || refused != 11 {
			b.Errorf("%d sent, %d refused", sent, refused)
		}
	})
}

func TestASecondVehicleLeavesOutWhatTheFirstHasReserved(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		first := b.sendTo("100043", "veh_marcus_f150", "0143")
		second := b.sendTo("100043", "veh_marcus_camry", "0143")
		if a, c := first.view().Payment.Amount(), second.view().Payment.Amount(); a != 12525 || c != 8288 {
			b.Fatalf("%s and %s", a, c)
		}
		if second.pays(visa) != pay.Paid || first.pays(visa) != pay.Paid {
			b.Fatal("not both were paid")
		}
		first.paid()
		second.paid()
		if got := b.account("100043", "receivable"); got != 0 {
			b.Errorf("still owed: %s", got)
		}
	})
}

func TestTwoVehiclesAtOnceReserveThePastDueOnce(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		var wg sync.WaitGroup
		totals := make([]money.Cents, 2)
		for i, vehicle := range []string{"veh_marcus_f150", "veh_marcus_camry"} {
			wg.Go(func() {
				p, err := b.till.Send(b.ctx, b.order("100043", vehicle, "0143"))
				if err != nil {
					b.Error(err)
				}
				totals[i] = p.Amount()
			})
		}
		wg.Wait()
		if totals[0]+totals[1] != 12525+8288 {
			b.Errorf("%s and %s", totals[0], totals[1])
		}
	})
}

func TestABrokenQuoteIsNotCharged(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		moved := func() {
			if _, err := b.raw.Exec(`UPDATE vehicles SET paid_to = '2027-01-01' WHERE id = 'veh_dana_civic'`); err != nil {
				b.Fatal(err)
			}
		}
		moved()
		if got := s.pays(visa); got != pay.Superseded {
			b.Fatalf("it is %s", got)
		}
		b.pass(time.Minute)
		s.unpaid(pay.Superseded)
		if r := s.view().Payment.Reason; r != pay.ReasonMoved {
			b.Errorf("because %s", r)
		}
	})
}

func TestAQuoteThatBreaksIn3DSecureIsNotCharged(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		s.pays(bank)
		if _, err := b.raw.Exec(`UPDATE vehicles SET paid_to = '2027-01-01' WHERE id = 'veh_dana_civic'`); err != nil {
			b.Fatal(err)
		}
		s.bank(true)
		s.comesBack()
		b.pass(time.Minute)
		s.unpaid(pay.Superseded)
	})
}

func TestAQuoteThatBreaksWhileMoneyMovesIsUnapplied(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		b.faults(stripesim.Rule{Op: "confirm", Kind: stripesim.BrokenJSON, Times: 1}, stripesim.Rule{Op: "retrieve", Object: s.view().Payment.IntentID, Kind: stripesim.Down503, Times: 1})
		if got := s.pays(visa); got != pay.Unknown {
			b.Fatal(got)
		}
		if _, err := b.raw.Exec(`UPDATE vehicles SET paid_to = '2027-01-01' WHERE id = 'veh_dana_civic'`); err != nil {
			b.Fatal(err)
		}
		b.pass(time.Minute)
		s.givenBack(pay.Refunded, 9858)
		if v := s.view(); v.Payment.Reason != pay.Reason(pay.Superseded) || len(b.alarms) != 1 || b.one(`SELECT COUNT(*) FROM entries WHERE cause = $1`, "receipt "+v.Payment.IntentID) != 1 {
			b.Errorf("because %s, %d alarms", v.Payment.Reason, len(b.alarms))
		}
	})
}

// --- At once --------------------------------------------------------------------------------------------------------------------------------

func TestOneOfTwentyPayersIsCharged(t *testing.T) {
	for _, same := range []bool{false, true} {
		t.Run(map[bool]string{false: "twenty pages", true: "one page, twenty presses"}[same], func(t *testing.T) {
			everywhere(t, options{}, func(b *town) {
				s := b.send()
				one := s.try(visa)
				tries := make([]pay.Try, 20)
				for i := range tries {
					tries[i] = one
					if !same {
						tries[i] = s.try(visa)
						tries[i].SessionID = fmt.Sprint("phone ", i)
					}
				}
				var wg sync.WaitGroup
				for _, try := range tries {
					wg.Go(func() {
						_, err := s.charge(try)
						if err != nil && (same || !errors.Is(err, pay.ErrElsewhere) && !errors.Is(err, pay.ErrClosed)) {
							b.Error(err)
						}
					})
				}
				wg.Wait()
				s.paid()
				if n := len(s.view().Attempts); n != 1 {
					b.Errorf("%d attempts", n)
				}
			})
		})
	}
}

func TestTwoSweepersAndAPayerAtOnce(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		s.pays(bank)
		s.bank(true)
		v := s.view()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if _, err := b.till.Continue(b.ctx, s.id, v.Current().ID, v.Current().SessionID); err != nil {
					b.Error(err)
				}
			})
			wg.Go(func() {
				if err := b.till.Tend(b.ctx, s.id); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		b.pass(2 * time.Minute)
		s.paid()
	})
}

// --- Webhooks -------------------------------------------------------------------------------------------------------------------------------

func TestWebhooksThatComeTwiceOrTooEarly(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		intent := s.view().Payment.IntentID
		notice := pay.Notice{ID: "evt_1", Type: "payment_intent.succeeded", IntentID: intent, At: b.clock.Now()}
		b.faults(stripesim.Rule{Op: "confirm", Kind: stripesim.Slow, Times: 1, DelayMS: 300})
		try, done := s.try(visa), make(chan error, 1)
		go func() {
			_, err := s.charge(try)
			done <- err
		}()
		b.until("the payer pays", func() bool { return s.state() == pay.Paying })
		// Before the answer: what it claims is not believed, Stripe is asked.
		if err := b.till.Heard(b.ctx, notice); err != nil {
			b.Fatal(err)
		}
		b.tend()
		if got := s.state(); got != pay.Paying && got != pay.Paid {
			b.Errorf("believed: %s", got)
		}
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		for range 2 {
			if err := b.till.Heard(b.ctx, notice); err != nil {
				b.Fatal(err)
			}
		}
		b.tend()
		s.paid()
		if n := b.one(`SELECT COUNT(*) FROM stripe_events`); n != 1 {
			b.Errorf("%d events are stored", n)
		}
	})
}

func TestAWebhookFindsWhatTheAnswerDidNotTell(t *testing.T) {
	here(t, options{stripeToo: true}, func(b *town) {
		s := b.send()
		if err := b.stripe.SetFaults(stripesim.Faults{Webhooks: stripesim.WebhookFaults{DelayMS: 500}, Rules: []stripesim.Rule{
			{Op: "confirm", Kind: stripesim.BrokenJSON, Times: 1}, {Op: "retrieve", Object: s.view().Payment.IntentID, Kind: stripesim.Down503, Times: 1},
		}}); err != nil {
			b.Fatal(err)
		}
		if got := s.pays(visa); got != pay.Unknown {
			b.Fatal(got)
		}
		b.tend()
		s.is(pay.Unknown)
		b.clock.move(500 * time.Millisecond) // half a second before the sweeper would come
		b.stripe.Tick()
		b.until("the webhook is heard", func() bool { b.tend(); return s.state() == pay.Paid })
		s.paid()
	})
}

func TestWebhooksOfOthers(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		s := b.send()
		intent := s.view().Payment.IntentID
		if err := b.till.Heard(b.ctx, pay.Notice{ID: "evt_1", Account: demo.TampaAccount, Type: "payment_intent.succeeded", IntentID: intent}); !errors.Is(err, pay.ErrOtherAccount) {
			b.Errorf("of another account: %v", err)
		}
		if n := b.one(`SELECT COUNT(*) FROM stripe_events`); n != 0 {
			b.Error("a refused event is stored: the right one would be taken for its copy")
		}
		for _, n := range []pay.Notice{{ID: "evt_2", Type: "payment_intent.succeeded", IntentID: "pi_of_another_program"}, {ID: "evt_3", Type: "customer.created"}} {
			if err := b.till.Heard(b.ctx, n); err != nil {
				b.Errorf("%s: %v", n.Type, err)
			}
		}
		s.is(pay.Open)
	})
}

// --- Redis ----------------------------------------------------------------------------------------------------------------------------------

func TestAFlushedRedisEndsLinksEarlyAndPaysNothingTwice(t *testing.T) {
	for _, real := range []bool{false, true} {
		t.Run(map[bool]string{false: "miniredis", true: "redis-server"}[real], func(t *testing.T) {
			here(t, options{realRedis: real}, func(b *town) {
				s := b.send()
				digest := s.view().Link.Digest
				if _, err := b.door.Look(b.ctx, digest, "test"); err != nil {
					b.Fatal(err)
				}
				try := s.try(visa) // this page is open already
				b.redis.FlushAll(b.ctx)
				if _, err := b.door.Look(b.ctx, digest, "test"); !errors.Is(err, link.ErrUnknown) {
					b.Errorf("after the flush: %v", err)
				}
				b.tend()
				if _, err := b.door.Look(b.ctx, digest, "test"); !errors.Is(err, link.ErrUnknown) {
					b.Errorf("it lives again: %v", err)
				}
				if r, err := s.charge(try); err != nil || r.View.Payment.State != pay.Paid {
					b.Fatalf("the open page: %v", err)
				}
				s.paid()
			})
		})
	}
}

func TestARestoredRedisPaysNothingTwice(t *testing.T) {
	here(t, options{realRedis: true}, func(b *town) {
		s := b.send()
		v := s.view()
		again := s.try(visa)
		if s.pays(visa) != pay.Paid {
			b.Fatal("not paid")
		}
		// Old data: the door lets the token in again. SQL does not.
		if err := b.door.Admit(b.ctx, v.Link.Digest, link.Pass{LinkID: v.Link.ID, PaymentID: s.id, ExpiresAt: v.Link.ExpiresAt}); err != nil {
			b.Fatal(err)
		}
		if _, err := s.charge(again); !errors.Is(err, pay.ErrClosed) {
			b.Errorf("paid again: %v", err)
		}
		s.paid()
	})
}

// --- Secrets --------------------------------------------------------------------------------------------------------------------------------

func TestNoTokenAndNoNumberLiesAbout(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		paid := b.send()
		paid.pays(poor)
		paid.pays(visa)
		if err := b.till.TextReceipt(b.ctx, paid.id, trail.Actor{Kind: trail.Payer, ID: "session"}); err != nil {
			b.Fatal(err)
		}
		revoked := b.sendTo("100046", "veh_lucia_sentra", "0177")
		revoked.revoke()
		live := b.sendTo("100045", "veh_omar_pam", "0178")
		// One that was not handed over yet: its token is in the box, and sealed.
		waiting := need(b.till.Send(b.ctx, b.order("100051", "veh_gene_silverado", "0179")))(b)
		b.twilio.Reply(number("0177").E164(), "STOP")
		b.tend()

		if len(b.tokens) != 4 {
			b.Fatalf("%d tokens were made", len(b.tokens))
		}
		holders := map[string]bool{"clients.phone": true, "search_words.word": true, "opt_outs.phone": true} // the client’s record with its index, and the list that says whom not to text
		for column, values := range b.dump() {
			for _, value := range values {
				for _, token := range b.tokens {
					if strings.Contains(value, token) {
						b.Errorf("%s holds a token", column)
					}
				}
				for _, last4 := range []string{"0142", "0177", "0178", "0179"} {
					if !holders[column] && (strings.Contains(value, number(last4).E164()) || strings.Contains(value, "804555"+last4) || strings.Contains(value, "555-"+last4)) {
						b.Errorf("%s holds a telephone number", column)
					}
				}
				for _, secret := range []string{stripeSecret, stripeWebhook, twilioToken, visa, "_secret_"} {
					if strings.Contains(value, secret) {
						b.Errorf("%s holds a secret or a card number", column)
					}
				}
			}
		}
		_, _ = live, waiting
		keys := need(b.redis.Keys(b.ctx, "*").Result())(b)
		if len(keys) == 0 {
			b.Error("Redis holds nothing: the test looks at the wrong one")
		}
		for _, key := range keys {
			value := b.redis.Get(b.ctx, key).Val()
			for _, token := range b.tokens {
				if strings.Contains(key+value, token) {
					b.Errorf("Redis holds a token under %.20s…", key)
				}
			}
			if strings.Contains(key+value, "804555") {
				b.Errorf("Redis holds a telephone number under %.20s…", key)
			}
		}
		if n := b.one(`SELECT COUNT(*) FROM messages WHERE box <> ''`); n != 0 {
			b.Errorf("%d boxes hold a token that nobody needs any more", n)
		}
		for _, m := range need(b.db.Messages(b.ctx, paid.id))(b) {
			if m.Kind == sms.ReceiptText && (m.Box != "" || m.Status == sms.Waiting) {
				b.Errorf("the receipt is %s", m.Status)
			}
		}
	})
}

func TestAPayerWhoGoesAwayLeavesNothingHalfDone(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		b.faults(stripesim.Rule{Op: "confirm", Kind: stripesim.Slow, Times: 1, DelayMS: 300})
		ctx, leave := context.WithCancel(b.ctx)
		try, done := s.try(visa), make(chan error, 1)
		go func() {
			_, err := b.till.Charge(ctx, try)
			done <- err
		}()
		b.until("the payer pays", func() bool { return s.state() == pay.Paying })
		leave()
		if err := <-done; err != nil {
			b.Errorf("the charge was cut: %v", err)
		}
		s.paid() // and no sweeper came by
	})
}
