package sqldb_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/autopay"
	"paylink/internal/day"
	"paylink/internal/desk/client"
	"paylink/internal/desk/clock"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/trail"
)

// keep puts a card on file.
func (b *books) keep(id, clientID string, main bool) {
	b.Helper()
	b.must(b.AddCard(b.ctx, account.Card{ID: id, ClientID: clientID, Customer: "cus_" + clientID, PaymentMethod: "pm_" + id, Brand: "visa", Last4: "4242", Funding: "credit", ExpMonth: 12, ExpYear: 2027, Main: main,
		TermsVersion: "1", TermsLanguage: "en"}, trail.Entry{ID: newID(), Actor: trail.BySystem, Act: "add card"}))
}

// portal is My Account's desk on the store.
func (b *books) portal() *client.Desk { return &client.Desk{Store: b.DB, NewID: newID} }

func (b *books) who(clientID string) client.Who {
	b.Helper()
	c, _, err := b.Client(b.ctx, clientID)
	b.must(err)
	return client.Who{Client: c}
}

func TestAutoPayIsTurnedOnOnceAndOffAtOnce(t *testing.T) {
	onBoth(t, func(b *books) {
		desk, dana := b.portal(), b.who("100042")
		wish := client.Enrolment{Days: 30, CardID: "a", Agreed: true, From: client.Browser{Address: "198.51.100.7", Name: "Chrome, Android"}}
		no := func(what string, n client.Enrolment, want error) {
			b.Helper()
			if err := desk.Enrol(b.ctx, dana, n); !errors.Is(err, want) {
				b.Errorf("%s: %v", what, err)
			}
		}
		no("no card", wish, client.ErrNoCard)
		b.keep("a", "100042", true)
		b.must(b.exec(`UPDATE cards SET refused = 'stolen_card' WHERE id = 'a'`))
		no("a card that the bank has refused", wish, client.ErrNoCard)
		b.must(b.exec(`UPDATE cards SET refused = '', exp_year = 2026, exp_month = 2 WHERE id = 'a'`))
		no("a card that has expired", wish, client.ErrNoCard)
		b.must(b.exec(`UPDATE cards SET exp_month = 3 WHERE id = 'a'`))
		odd := wish
		odd.Days = 15
		no("15 days", odd, quote.ErrDays)
		odd = wish
		odd.Agreed = false
		no("not agreed", odd, client.ErrAgree)
		odd = wish
		odd.CardID = "another"
		no("another card than was shown", odd, client.ErrMoved)
		b.must(b.exec(`UPDATE vehicles SET paid_to = '2026-03-01' WHERE id = 'veh_dana_civic'`))
		no("behind", wish, client.ErrBehind)
		b.must(b.exec(`UPDATE vehicles SET paid_to = '2026-03-02' WHERE id = 'veh_dana_civic'`))
		b.must(b.exec(`UPDATE clients SET collections = 1 WHERE id = '100042'`))
		no("in collections", wish, client.ErrCollections)
		b.must(b.exec(`UPDATE clients SET collections = 0 WHERE id = '100042'`))
		desk.Paused = true
		no("while the books are checked", wish, pay.ErrPaused)
		desk.Paused = false
		if n := b.count(`SELECT COUNT(*) FROM clients WHERE id = '100042' AND auto_pay_days = 0 AND auto_pay_since_ms = 0`); n != 1 {
			b.Fatal("it is on")
		}
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'turn on Auto Pay' AND client_id = '100042' AND refused <> ''`); n != 9 {
			b.Errorf("%d refusals are in the trail", n)
		}

		var both sync.WaitGroup // two tabs
		for range 2 {
			both.Go(func() {
				if err := desk.Enrol(b.ctx, dana, wish); err != nil {
					b.Error(err)
				}
			})
		}
		both.Wait()
		on := func() (n, letters int) {
			return b.count(`SELECT COUNT(*) FROM trail WHERE client_id = '100042' AND refused = '' AND act = 'turn on Auto Pay' AND detail LIKE '30 days, Visa ending 4242, agreed to auto-pay-1 (en), Chrome, Android, from 198.51.100.7'`),
				b.count(`SELECT COUNT(*) FROM letters WHERE client_id = '100042' AND kind = 'changed'`)
		}
		if n, letters := on(); n != 1 || letters != 1 {
			b.Errorf("%d entries and %d letters", n, letters)
		}
		if n := b.count(`SELECT COUNT(*) FROM clients WHERE id = '100042' AND auto_pay_days = 30 AND auto_pay_since_ms = $1 AND auto_pay_terms = 'auto-pay-1' AND auto_pay_language = 'en'`, began.UnixMilli()); n != 1 {
			b.Error("it is not on as it was agreed to")
		}
		b.pass(time.Hour)
		wish.Days = 14
		no("a page from before it was on", wish, client.ErrMoved)
		wish.Was = 30
		b.must(desk.Enrol(b.ctx, dana, wish))
		if n := b.count(`SELECT COUNT(*) FROM clients WHERE id = '100042' AND auto_pay_days = 14 AND auto_pay_since_ms = $1`, began.UnixMilli()); n != 1 {
			b.Error("other days are another beginning")
		}

		for range 2 {
			charging, err := desk.EndAutoPay(b.ctx, dana, wish.From)
			b.must(err)
			if charging {
				b.Error("nothing is being charged")
			}
		}
		if n := b.count(`SELECT COUNT(*) FROM clients WHERE id = '100042' AND auto_pay_days = 0 AND auto_pay_since_ms = $1 AND auto_pay_terms = ''`, began.UnixMilli()); n != 1 {
			b.Error("it is not off, or has forgotten since when it was on")
		}
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'turn off Auto Pay' AND client_id = '100042'`); n != 1 {
			b.Errorf("%d ends are in the trail", n)
		}
		no("a page on which it was on", wish, client.ErrMoved)

		// A charge that has begun is told of, and goes on.
		hal := b.who("100047")
		p, err := b.Begin(b.ctx, "100047", "veh_hal_outback", newID(), func(s pay.Start) (pay.Begin, error) {
			w, err := b.first(s)
			w.Payment.Door, w.Link, w.Message = pay.ByAutoPay, nil, nil
			return w, err
		})
		b.must(err)
		if charging, err := desk.EndAutoPay(b.ctx, hal, wish.From); err != nil || !charging {
			b.Errorf("%v, %v", charging, err)
		}
		if v, err := b.View(b.ctx, p.ID); err != nil || v.Payment.State != pay.Open {
			b.Errorf("it is %s, %v", v.Payment.State, err)
		}
	})
}

func TestARunThatStoppedBecauseAutoPayWasOffWaitsAgain(t *testing.T) {
	onBoth(t, func(b *books) {
		due := clock.RunKey{VehicleID: "veh_hal_outback", Due: "2026-03-05"}
		b.must(b.exec(`UPDATE vehicles SET paid_to = '2026-03-05' WHERE id = 'veh_hal_outback'`))
		b.must(b.PlanRuns(b.ctx, "2026-03-07", 100))
		for _, c := range []struct {
			why   autopay.Why
			again bool
		}{{autopay.NotEnrolled, true}, {autopay.DateMoved, true}, {autopay.DeadCard, false}} {
			r, ok, err := b.TakeRun(b.ctx, due, time.Minute)
			b.must(err)
			if !ok {
				b.Fatalf("before %s nothing is due", c.why)
			}
			r.State, r.Why, r.Reminded, r.Declines, r.NextAt = autopay.Stopped, c.why, true, 2, time.Time{}
			b.must(b.SaveRun(b.ctx, r, clock.Said{Trail: trail.Entry{ID: newID(), At: b.clock(), Actor: trail.BySystem, Act: "end Auto Pay run", ClientID: r.ClientID}}))
			b.must(b.exec(`UPDATE clients SET auto_pay_days = 0 WHERE id = '100047'`))
			b.must(b.PlanRuns(b.ctx, "2026-03-07", 100))
			waits := func() int {
				return b.count(`SELECT COUNT(*) FROM auto_pay_runs WHERE vehicle_id = 'veh_hal_outback' AND state = 'waiting' AND reminded = 0 AND declines = 2 AND why = '' AND next_ms IS NOT NULL`)
			}
			if waits() != 0 {
				b.Errorf("%s: it waits while Auto Pay is off", c.why)
			}
			b.must(b.exec(`UPDATE clients SET auto_pay_days = 30 WHERE id = '100047'`))
			b.must(b.PlanRuns(b.ctx, "2026-03-07", 100))
			if again := waits() == 1; again != c.again {
				b.Errorf("%s: it waits again: %v", c.why, again)
			}
		}
		runs, err := b.RunsOf(b.ctx, "100047", 10)
		b.must(err)
		if len(runs) != 1 || runs[0].Due != day.Date("2026-03-05") || runs[0].Why != autopay.DeadCard {
			b.Errorf("%+v", runs)
		}
	})
}
