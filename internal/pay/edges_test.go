package pay_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"paylink/internal/pay"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sms"
)

// A vehicle may cost nothing, by its rate or by a cap, and its client still owe: what is charged is booked all the same.
func TestAVehicleThatCostsNothingIsPaidForWithThePastDue(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		if _, err := b.raw.ExecContext(b.ctx, `UPDATE vehicles SET daily_rate = 0, loss_protection_daily = 0 WHERE id = 'veh_marcus_f150'`); err != nil {
			b.Fatal(err)
		}
		s := b.sendTo("100043", "veh_marcus_f150", "0143")
		if state := s.pays(visa); state != pay.Paid {
			b.Fatalf("it is %s", state)
		}
		s.paid()
		if owed := b.account("100043", "receivable"); owed != 0 {
			b.Errorf("%s are still owed", owed)
		}
	})
}

// Money that came after a link had closed is somebody's decision; until then nobody is asked to pay for that vehicle again.
func TestNobodyIsAskedToPayAgainWhileMoneyForTheVehicleIsUndecided(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		in := s.view().Payment.IntentID
		b.faults(stripesim.Rule{Op: "cancel", Kind: stripesim.TimeoutBefore, Rate: 1})
		s.revoke()
		b.faults()
		if err := b.stripe.PayIntent(in); err != nil {
			b.Fatal(err)
		}
		b.faults(stripesim.Rule{Op: "refund", Kind: stripesim.Down503})
		b.pass(time.Minute)
		s.is(pay.PaidAfterClose)
		if _, err := b.till.Send(b.ctx, b.order("100042", "veh_dana_civic", "0142")); !errors.Is(err, pay.ErrNeedsReview) {
			b.Errorf("a second link: %v", err)
		}
		b.faults()
		b.pass(time.Minute)
		s.givenBack(pay.Refunded, 9858)
		if _, err := b.till.Send(b.ctx, b.order("100042", "veh_dana_civic", "0142")); err != nil {
			b.Errorf("a second link once the money has gone back: %v", err)
		}
	})
}

// A payment that nobody can settle calls for a person, once.
func TestAPaymentThatCannotBeSettledCallsForAPerson(t *testing.T) {
	here(t, options{}, func(b *town) {
		s := b.send()
		try := s.try(visa)
		b.faults(stripesim.Rule{Op: "confirm", Kind: stripesim.Down503, Rate: 1}, stripesim.Rule{Op: "cancel", Kind: stripesim.Down503, Rate: 1}, stripesim.Rule{Op: "retrieve", Kind: stripesim.Down503, Rate: 1, Object: s.view().Payment.IntentID})
		if _, err := s.charge(try); err != nil {
			b.Fatal(err)
		}
		s.is(pay.Unknown)
		b.pass(40 * time.Minute)
		if n := len(b.alarms); n != 1 {
			b.Errorf("%d alarms", n)
		}
		b.faults()
		b.pass(10 * time.Minute)
		s.unpaid(pay.Expired)
	})
}

// Callbacks come in any order and at once; what a phone has stays delivered.
func TestADeliveryNeverGoesBackHoweverCallbacksMeet(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		for range 25 {
			if _, err := b.raw.ExecContext(b.ctx, `DELETE FROM messages`); err != nil {
				b.Fatal(err)
			}
			if _, err := b.raw.ExecContext(b.ctx, `UPDATE payments SET state = 'expired', next_ms = NULL`); err != nil {
				b.Fatal(err)
			}
			p := need(b.till.Send(b.ctx, b.order("100042", "veh_dana_civic", "0142")))(b)
			s := &sale{b: b, id: p.ID}
			m := s.newest()
			var at sync.WaitGroup
			for _, status := range []sms.Status{sms.Queued, sms.Sent, sms.Delivered, sms.Sent} {
				at.Go(func() {
					if err := b.till.Delivered(b.ctx, sms.Delivery{MessageID: m.ID, Receipt: sms.Receipt{SID: "SM1", Status: status}}); err != nil {
						b.Error(err)
					}
				})
			}
			at.Go(func() {
				m.Status, m.SID = sms.Queued, "SM1"
				if err := b.db.SaveMessage(b.ctx, m); err != nil {
					b.Error(err)
				}
			})
			at.Wait()
			if got := s.newest().Status; got != sms.Delivered {
				b.Fatalf("the text is %s", got)
			}
		}
	})
}

// A text is handed over by one worker, and not at all once its link is closed.
func TestATextIsHandedOverOnceAndNeverForAClosedLink(t *testing.T) {
	everywhere(t, options{}, func(b *town) {
		p := need(b.till.Send(b.ctx, b.order("100042", "veh_dana_civic", "0142")))(b)
		s := &sale{b: b, id: p.ID}
		m := s.newest()
		m.Status, m.Tries = sms.Unclear, 1
		var at sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 8 {
			at.Go(func() {
				ok, err := b.db.HandOver(b.ctx, m, sms.Waiting)
				if err != nil {
					b.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if ok {
					won++
				}
			})
		}
		at.Wait()
		if won != 1 {
			b.Errorf("%d workers handed it over", won)
		}
		s.revoke()
		m.Tries = 2
		if ok, err := b.db.HandOver(b.ctx, m, sms.Unclear); ok || err != nil {
			b.Errorf("the text of a cancelled link is handed over: %v, %v", ok, err)
		}
	})
}
