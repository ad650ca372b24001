package clock_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paylink/internal/day"
	"paylink/internal/demo"
	"paylink/internal/desk/clock"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/sqldb"
	"paylink/internal/trail"
)

var (
	_ clock.Books  = (*sqldb.DB)(nil)
	_ clock.Diary  = (*sqldb.DB)(nil)
	_ clock.Heard  = (*sqldb.DB)(nil)
	_ clock.Stripe = (*stripeOf)(nil)
)

// stripeOf is a Stripe that a test can break.
type stripeOf struct {
	clock.Stripe
	broken atomic.Bool
}

func (s *stripeOf) Movements(ctx context.Context, account string, from, to time.Time, each func([]pay.Movement) error) error {
	if s.broken.Load() {
		return pay.ErrUnclear
	}
	return s.Stripe.Movements(ctx, account, from, to, each)
}

func nextMorning() time.Time { return day.Of(opens).AddDays(1).Time().Add(2 * time.Hour) }

func TestTheBooksAgreeWithStripeToTheCent(t *testing.T) {
	onBoth(t, func(s *shop) {
		dana, marcus := s.pays("100042", "veh_dana_civic"), s.pays("100043", "veh_marcus_f150")
		if dana.StripeAccount != "" || marcus.StripeAccount != demo.TampaAccount {
			s.Fatal("the payments are not on two accounts")
		}
		// Nobody is told of anything: what happens to the charges is heard of by asking, and booked by the machine.
		c, _ := s.hears()
		hear := func() { s.must(c.Round(t.Context())); s.tend() }
		s.must(s.till.Refund(t.Context(), pay.AskBack{PaymentID: dana.ID, Amount: 1_000, Why: "a day too many", By: trail.BySystem}))
		refunds, err := s.gateway.Refunds(t.Context(), "", dana.IntentID)
		s.must(err)
		s.must(s.stripe.SettleRefund(refunds[0].ID, false))
		hear()
		dispute, err := s.stripe.OpenDispute(s.stripe.Books().Accounts[demo.TampaAccount].Charges[0].ID, "fraudulent")
		s.must(err)
		hear()
		s.must(s.stripe.CloseDispute(dispute, true))
		hear()
		payout, err := s.stripe.Payout("", 5_000)
		s.must(err)
		_, err = s.stripe.Payout(demo.TampaAccount, 2_500)
		s.must(err)
		s.must(s.stripe.FailPayout(payout))
		_, err = s.stripe.Move("", "stripe_fee", -75)
		s.must(err)

		s.at(nextMorning())
		r := s.compare()
		s.agrees(r)
		if len(r.Repaired) != 0 {
			s.Errorf("repaired: %+v", r.Repaired)
		}
		fee := func(amount money.Cents) money.Cents { return (amount*29+500)/1000 + 30 }
		fees := fee(dana.Amount()) + fee(marcus.Amount()) + 75 // the dispute's was given back
		if got := s.sum(`SELECT SUM(amount) FROM postings WHERE account = 'fees'`); got != fees {
			s.Errorf("fees are %s, want %s", got, fees)
		}
		if got := s.sum(`SELECT SUM(amount) FROM postings WHERE account = 'bank'`); got != 2_500 {
			s.Errorf("the bank has %s", got)
		}
		if n := s.sum(`SELECT COUNT(*) FROM entries WHERE client_id IS NULL AND cause NOT LIKE 'fee %' AND cause NOT LIKE 'payout %'`); n != 0 {
			s.Errorf("%d other entries belong to no client", n)
		}
		if sum := s.sum(`SELECT SUM(amount) FROM postings`); sum != 0 {
			s.Errorf("debits and credits differ by %s", sum)
		}
		for _, a := range r.Accounts {
			balance, err := s.gateway.Balance(t.Context(), a.ID)
			s.must(err)
			if a.Control == nil || a.Control.Stripe != balance || a.Control.Books != balance {
				s.Errorf("the control total of %q is %+v, the balance %s", a.ID, a.Control, balance)
			}
			if l := a.Lines[clock.Charges]; l.Stripe.Count != 1 || l.Stripe != l.Books {
				s.Errorf("charges: %+v", l)
			}
		}
		platform := r.Accounts[0].Lines
		if platform[clock.Refunds].Books != (clock.Sum{Count: 1, Sum: -1_000}) || platform[clock.FailedRefunds].Stripe != (clock.Sum{Count: 1, Sum: 1_000}) ||
			platform[clock.Payouts].Stripe != (clock.Sum{Count: 2}) || platform[clock.Fees].Books != (clock.Sum{Count: 2, Sum: -fee(dana.Amount()) - 75}) {
			s.Errorf("the platform's lines:\n%s", s.text(r))
		}
		if l := r.Accounts[1].Lines[clock.Disputes]; l.Stripe != (clock.Sum{Count: 2}) || l.Books != l.Stripe {
			s.Errorf("disputes: %+v", l)
		}
		// A second run adds nothing.
		before := s.sum(`SELECT COUNT(*) FROM entries`)
		s.agrees(s.compare())
		if after := s.sum(`SELECT COUNT(*) FROM entries`); after != before {
			s.Errorf("a second run added %d entries", after-before)
		}
	})
}

func TestEachDifferenceIsToldAsWhatItIs(t *testing.T) {
	for name, c := range map[string]struct {
		tamper  func(s *shop) (needle string)
		kind    clock.Kind
		problem clock.Problem
		text    string
		also    int // differences beside it
	}{
		"a charge beside the service": {func(s *shop) string { return s.stranger("", 4_200).ID }, clock.Charges, clock.NotInBooks, "$42.00 that is not in the books", 0},
		"a refund of a charge that is not ours": {func(s *shop) string {
			return s.giveBack("", s.stranger("", 4_200).ID, 858).ID
		}, clock.Refunds, clock.NotInBooks, "a refund of $8.58 that is not in the books (pi_", 1},
		"a dispute of a charge that is not ours": {func(s *shop) string {
			in := s.stranger(demo.TampaAccount, 4_200)
			_, err := s.stripe.OpenDispute(in.ChargeID, "fraudulent")
			s.must(err)
			return in.ID
		}, clock.Disputes, clock.NotInBooks, "a dispute of -$57.00", 1},
		"another amount in the books": {func(s *shop) string {
			in := s.stranger("", 4_200)
			s.post("", "receipt "+in.ID, 4_100)
			return in.ID
		}, clock.Charges, clock.OtherAmount, "$42.00 at Stripe and $41.00 in the books", 0},
		"another account in the books": {func(s *shop) string {
			in := s.stranger("", 4_200)
			s.post(demo.TampaAccount, "receipt "+in.ID, 4_200)
			return in.ID
		}, clock.Charges, clock.OtherAccount, "booked on " + demo.TampaAccount + ", and moved on the platform's own account", 1}, // and Tampa has one that Stripe does not know there
		"a receipt that Stripe knows nothing of": {func(s *shop) string {
			s.post("", "receipt pi_nobody", 4_200)
			return "pi_nobody"
		}, clock.Charges, clock.NotAtStripe, "$42.00 that Stripe does not know", 0},
		"a receipt of a PaymentIntent that nobody paid": {func(s *shop) string {
			p := s.send("100042", "veh_dana_civic")
			s.post("", "receipt "+p.IntentID, 4_200)
			return p.IntentID
		}, clock.Charges, clock.NotAtStripe, "does not know", 0},
		"a fee that Stripe has not taken": {func(s *shop) string { s.post("", "fee txn_nobody", -159); return "txn_nobody" }, clock.Fees, clock.NotAtStripe, "a fee of $1.59", 0},
		"clearing moved for no cause of Stripe's": {func(s *shop) string {
			s.post("", "a correction", 159)
			return "a correction"
		}, clock.Other, clock.NotAtStripe, "“a correction”", 0},
		"a type that nobody knows": {func(s *shop) string {
			id, err := s.stripe.Move("", "reserve_transaction", -900)
			s.must(err)
			return id
		}, clock.Other, clock.UnknownType, "“reserve_transaction”", 0},
		"a second charge for one receipt": {func(s *shop) string {
			p := s.pays("100042", "veh_dana_civic")
			_, err := s.raw.Exec(`UPDATE attempts SET charge_id = 'ch_first' WHERE payment_id = $1`, p.ID)
			s.must(err)
			return p.IntentID
		}, clock.Charges, clock.Twice, "refund it today", 0},
	} {
		t.Run(name, func(t *testing.T) {
			onOne(t, func(s *shop) {
				s.pays("100044", "veh_tess_rav4") // what agrees is not told
				needle := c.tamper(s)
				s.at(nextMorning())
				r := s.compare()
				if r.Count != 1+c.also || len(r.Differences) != r.Count {
					s.Fatalf("%d differences:\n%s", r.Count, s.text(r))
				}
				d := r.Differences[0]
				if d.Kind != c.kind || d.Problem != c.problem || !strings.Contains(d.Text, needle) || !strings.Contains(d.Text, c.text) || d.Day != day.Of(opens) {
					s.Errorf("want %s %s with %q and %q, got %s %s:\n%s", c.kind, c.problem, needle, c.text, d.Kind, d.Problem, d.Text)
				}
				if text := s.text(r); !strings.Contains(text, d.Text) || !strings.Contains(text, "difference") {
					s.Errorf("the report does not tell it:\n%s", text)
				}
			})
		})
	}
}

func TestWhatLacksIsSettledBeforeItIsADifference(t *testing.T) {
	onBoth(t, func(s *shop) {
		p := s.send("100042", "veh_dana_civic")
		s.must(s.stripe.PayIntent(p.IntentID)) // and nobody told us
		r := s.compare()
		s.agrees(r)
		if len(r.Repaired) != 1 || r.Repaired[0].PaymentID != p.ID || r.Repaired[0].Amount != p.Amount() || !strings.Contains(s.text(r), "Put right") {
			s.Errorf("repaired: %+v", r.Repaired)
		}
		if p, err := s.db.Payment(t.Context(), p.ID); err != nil || p.State != pay.Paid {
			s.Errorf("the payment is %s, %v", p.State, err)
		}
		if c := r.Accounts[0].Control; c == nil || c.Books != c.Stripe {
			s.Errorf("the control total: %+v", c)
		}
	})
}

func TestWhatWasDoneAtTheDashboardIsBooked(t *testing.T) {
	onBoth(t, func(s *shop) {
		dana, marcus := s.pays("100042", "veh_dana_civic"), s.pays("100043", "veh_marcus_f150")
		back := s.giveBack("", dana.IntentID, 858)
		_, err := s.stripe.OpenDispute(s.stripe.Books().Accounts[demo.TampaAccount].Charges[0].ID, "fraudulent")
		s.must(err)
		s.at(nextMorning())
		r := s.compare()
		s.agrees(r)
		if len(r.Repaired) != 2 || r.Repaired[0].Source != back.ID || r.Repaired[0].PaymentID != dana.ID || r.Repaired[1].Kind != clock.Disputes || r.Repaired[1].PaymentID != marcus.ID {
			s.Errorf("repaired: %+v", r.Repaired)
		}
		for _, a := range r.Accounts {
			if a.Control == nil || a.Control.Books != a.Control.Stripe {
				s.Errorf("the control total of %q: %+v", a.ID, a.Control)
			}
		}
		s.must(s.stripe.SettleRefund(back.ID, false))
		s.at(nextMorning().Add(24 * time.Hour))
		if r = s.compare(day.Of(opens).AddDays(1)); r.Count != 0 || len(r.Repaired) != 1 || r.Repaired[0].Kind != clock.FailedRefunds {
			s.Errorf("the refund that failed:\n%s", s.text(r))
		}
	})
}

func TestAChargeWhosePaymentIsLostIsRebuilt(t *testing.T) {
	onOne(t, func(s *shop) {
		lost, err := s.gateway.CreateIntent(t.Context(), pay.IntentRequest{
			Key: newID(), Account: demo.TampaAccount, Amount: 4_200, PaymentID: newID(), ClientID: "100043", VehicleID: "veh_marcus_f150", LocationID: "FL-TPA", ChainID: newID(),
		})
		s.must(err)
		_, err = s.gateway.Confirm(t.Context(), pay.ConfirmRequest{Key: newID(), Account: demo.TampaAccount, IntentID: lost.ID, PaymentMethod: "pm_card_visa"})
		s.must(err)
		s.rebuild = func(context.Context, string, string) error { return errors.New("the machine is out of order") }
		r := s.compare()
		if r.Count != 1 || r.Differences[0].Problem != clock.NotInBooks || !strings.Contains(r.Differences[0].Text, "the machine is out of order") {
			s.Fatalf("a failed repair is told as:\n%s", s.text(r))
		}
		s.rebuild = s.till.Rebuild
		r = s.compare()
		s.agrees(r)
		if len(r.Repaired) != 1 || r.Repaired[0].IntentID != lost.ID || r.Repaired[0].Account != demo.TampaAccount {
			s.Errorf("repaired: %+v", r.Repaired)
		}
	})
}

// Stripe moves a moment before we book, and midnight may lie between.
func TestMidnightBetweenChargeAndReceipt(t *testing.T) {
	onBoth(t, func(s *shop) {
		midnight := day.Of(opens).AddDays(1).Time()
		s.at(midnight.Add(-time.Second))
		p := s.send("100042", "veh_dana_civic")
		s.must(s.stripe.PayIntent(p.IntentID))
		s.at(midnight.Add(time.Second))
		s.must(s.till.Tend(t.Context(), p.ID))
		s.at(midnight.Add(26 * time.Hour))
		for n, d := range []day.Date{day.Of(opens), day.Of(opens).AddDays(1)} {
			r := s.compare(d)
			s.agrees(r)
			l := r.Accounts[0].Lines[clock.Charges]
			if (l != nil) != (n == 0) || l != nil && l.Stripe != l.Books {
				s.Errorf("%s counts %+v", d, l)
			}
			if c := r.Accounts[0].Control; c == nil || c.Books != c.Stripe || c.Books == 0 {
				s.Errorf("the control total of %s: %+v", d, c)
			}
		}
	})
}

// Our clock and Stripe's are not one: what Stripe moves in a day's first second may be booked in the last one of the day before.
func TestMidnightBetweenReceiptAndCharge(t *testing.T) {
	onOne(t, func(s *shop) {
		midnight := day.Of(opens).AddDays(1).Time()
		p := s.send("100042", "veh_dana_civic")
		s.at(midnight.Add(-time.Second))
		s.post("", "receipt "+p.IntentID, p.Amount())
		s.at(midnight.Add(time.Second))
		s.must(s.stripe.PayIntent(p.IntentID))
		s.at(midnight.Add(26 * time.Hour))
		for _, d := range []day.Date{day.Of(opens), day.Of(opens).AddDays(1)} {
			r := s.compare(d)
			s.agrees(r)
			if c := r.Accounts[0].Control; c == nil || c.Books != c.Stripe {
				s.Errorf("the control total of %s: %+v", d, c)
			}
		}
	})
}

func TestADayIsClaimedOnceAndForAll(t *testing.T) {
	onBoth(t, func(s *shop) {
		date := day.Of(opens)
		claim := func(want bool) {
			t.Helper()
			if ours, err := s.db.ClaimDay(t.Context(), date, time.Hour); err != nil || ours != want {
				s.Errorf("claimed: %v, %v", ours, err)
			}
		}
		claim(true)
		claim(false)
		s.at(opens.Add(59 * time.Minute))
		claim(false)
		s.at(opens.Add(time.Hour)) // who claimed it was cut off
		claim(true)
		claim(false)
		s.must(s.db.KeepDay(t.Context(), clock.Kept{Day: date}))
		s.at(opens.Add(100 * time.Hour))
		claim(false)
	})
}

func TestARangeOfDaysSumsUp(t *testing.T) {
	onOne(t, func(s *shop) {
		var want money.Cents
		for n, v := range [][2]string{{"100042", "veh_dana_civic"}, {"100044", "veh_tess_rav4"}, {"100046", "veh_lucia_sentra"}} {
			s.at(opens.AddDate(0, 0, n))
			want += s.pays(v[0], v[1]).Amount()
		}
		s.stranger("", 100)
		s.at(opens.AddDate(0, 0, 2).Add(time.Hour)) // the last day is not over
		first, last := day.Of(opens), day.Of(opens).AddDays(2)
		r := s.compare(first, last)
		if l := r.Accounts[0].Lines[clock.Charges]; l.Stripe != (clock.Sum{Count: 4, Sum: want + 100}) || l.Books != (clock.Sum{Count: 3, Sum: want}) {
			s.Errorf("charges: %+v", l)
		}
		if r.Count != 1 || r.Differences[0].Day != last || r.First != first || r.Last != last {
			s.Errorf("%s", s.text(r))
		}
		kept, err := s.db.Reconciled(t.Context(), first)
		if err != nil || len(kept) != 2 || kept[0].Day != first || kept[1].Day != first.AddDays(1) {
			s.Errorf("kept: %+v, %v", kept, err)
		}
		for _, bad := range [][2]day.Date{{last, first}, {last.AddDays(1), last.AddDays(1)}, {first.AddDays(-366), first}} {
			if _, err := s.reconciler().Reconcile(t.Context(), bad[0], bad[1]); !errors.Is(err, clock.ErrRange) {
				s.Errorf("%v: %v", bad, err)
			}
		}
	})
}

func TestAReportForPeopleAndOneForMachines(t *testing.T) {
	onOne(t, func(s *shop) {
		s.pays("100042", "veh_dana_civic")
		s.stranger("", 4_200)
		s.at(nextMorning())
		books := s.reconciler()
		books.Recovering = true
		s.send("100044", "veh_tess_rav4")
		r, err := books.Reconcile(t.Context(), day.Of(opens), day.Of(opens))
		s.must(err)
		text := s.text(r)
		for _, want := range []string{
			"Reconciliation of 2026-03-02 (days in UTC), run at 2026-03-03 02:00 UTC\nThere is 1 difference.\n", "Reconcile-only: 1 live payments, 0 cancels", "Stripe account: the platform's own account\n",
			"  charges                2          $140.58        1           $98.58  ←\n", "  fees                   2          ($4.68)        2          ($4.68)\n", "Stripe account: " + demo.TampaAccount,
			"The totals differ by $42.00", "\nDifferences\n  1. 2026-03-02, the platform's own account: Stripe has a charge of $42.00 that is not in the books (pi_",
		} {
			if !strings.Contains(text, want) {
				s.Errorf("%q is not in\n%s", want, text)
			}
		}
		b, err := json.Marshal(r)
		s.must(err)
		var back clock.Report
		s.must(json.Unmarshal(b, &back))
		if again := s.text(back); again != text {
			s.Errorf("by way of JSON it reads\n%s", again)
		}
		var kept string
		s.must(s.raw.QueryRow(`SELECT report FROM reconciliations WHERE day = '2026-03-02'`).Scan(&kept))
		if kept != string(b) {
			s.Errorf("kept is %s", kept)
		}
		for _, secret := range []string{"_secret_", "sk_test", "+1804"} {
			if strings.Contains(kept+text, secret) {
				s.Errorf("the report shows %s", secret)
			}
		}
	})
}

func TestTwoInstancesAtOnceReconcileADayOnce(t *testing.T) {
	onBoth(t, func(s *shop) {
		s.pays("100042", "veh_dana_civic")
		s.at(nextMorning())
		var runs, told atomic.Int32
		instance := func() *clock.Daily {
			return &clock.Daily{
				Diary: s.db, Told: func(clock.Kept) { told.Add(1) }, Alarm: func(name, text string, err error) { s.Error(name, text, err) },
				Reconcile: func(ctx context.Context, first, last day.Date) (clock.Report, error) {
					runs.Add(1)
					return s.reconciler().Reconcile(ctx, first, last)
				},
			}
		}
		begin := make(chan struct{})
		var wg sync.WaitGroup
		instances := []*clock.Daily{instance(), instance(), instance()}
		for _, d := range instances {
			wg.Go(func() {
				<-begin
				if err := d.Round(t.Context()); err != nil {
					s.Error(err)
				}
			})
		}
		close(begin)
		wg.Wait()
		s.must(instances[0].Round(t.Context()))
		if n := runs.Load(); n != 1 {
			s.Errorf("the day was reconciled %d times", n)
		}
		if told.Load() == 0 {
			s.Error("nobody was told how it came out")
		}
		// The next day is due an hour after midnight, not before.
		s.at(day.Of(opens).AddDays(2).Time().Add(59 * time.Minute))
		s.must(instances[1].Round(t.Context()))
		if n := runs.Load(); n != 1 {
			s.Error("a day was reconciled before its last movements were settled")
		}
		s.at(day.Of(opens).AddDays(2).Time().Add(61 * time.Minute))
		s.must(instances[1].Round(t.Context()))
		if n := runs.Load(); n != 2 {
			s.Errorf("after two days it ran %d times", n)
		}
	})
}

func TestADayThatCouldNotBeComparedIsMadeUpFor(t *testing.T) {
	onOne(t, func(s *shop) {
		broken := &stripeOf{Stripe: s.gateway}
		var alarms []string
		var newest clock.Kept
		books := s.reconciler()
		books.Stripe = broken
		daily := &clock.Daily{
			Diary: s.db, Reconcile: books.Reconcile, Told: func(k clock.Kept) { newest = k }, Alarm: func(name, text string, err error) { alarms = append(alarms, fmt.Sprint(name, ": ", text, " ", err)) },
		}
		morning := nextMorning()
		s.at(morning)
		s.must(daily.Round(t.Context()))
		broken.broken.Store(true)
		s.at(morning.Add(24 * time.Hour))
		if err := daily.Round(t.Context()); !errors.Is(err, pay.ErrUnclear) {
			s.Fatal(err)
		}
		s.at(morning.Add(25 * time.Hour)) // the lease is over: it is tried again
		if err := daily.Round(t.Context()); !errors.Is(err, pay.ErrUnclear) || len(alarms) != 0 {
			s.Fatalf("%v, %v", err, alarms)
		}
		s.at(morning.Add(27 * time.Hour))
		_ = daily.Round(t.Context())
		s.at(morning.Add(27*time.Hour + time.Minute))
		s.must(daily.Round(t.Context())) // nobody's turn: the lease runs
		if len(alarms) != 1 || !strings.Contains(alarms[0], "no day could be reconciled with Stripe for 26 hours") || !strings.Contains(alarms[0], "did not say") {
			s.Fatalf("alarms: %q", alarms)
		}
		broken.broken.Store(false)
		s.at(morning.Add(48 * time.Hour))
		s.stranger("", 4_200)
		s.at(morning.Add(72 * time.Hour))
		s.must(daily.Round(t.Context()))
		kept, err := s.db.Reconciled(t.Context(), day.Of(opens))
		if err != nil || len(kept) != 4 {
			s.Fatalf("kept: %+v, %v", kept, err)
		}
		if newest.Day != day.Of(morning.Add(48*time.Hour)) || newest.Differences != 1 {
			s.Errorf("told: %+v", newest)
		}
		if len(alarms) != 2 || !strings.Contains(alarms[1], "differ on 2026-03-05, differences: 1") {
			s.Errorf("alarms: %q", alarms)
		}
	})
}

func TestAnAccountThatCannotBeAskedHoldsUpNoOther(t *testing.T) {
	onOne(t, func(s *shop) {
		_, err := s.raw.Exec(`UPDATE locations SET stripe_account = 'acct_0nobody' WHERE id = 'MD-BAL'`)
		s.must(err)
		s.stranger(demo.TampaAccount, 4_200)
		s.at(nextMorning())
		r, err := s.reconciler().Reconcile(t.Context(), day.Of(opens), day.Of(opens))
		if no, ok := errors.AsType[*pay.RequestError](err); !ok || no.Status != 403 {
			s.Errorf("it says %v", err)
		}
		if text := s.text(r); r.Count != 1 || len(r.Failed) != 1 || !strings.Contains(text, "NOT COMPARED: acct_0nobody on 2026-03-02: card processor answered 403") || !strings.Contains(text, "$42.00 that is not in the books") {
			s.Errorf("it reports\n%s", text)
		}
		if kept, err := s.db.Reconciled(t.Context(), day.Of(opens)); err != nil || len(kept) != 0 {
			s.Errorf("a day that was not compared is kept as done: %+v, %v", kept, err)
		}
	})
}
