package sqldb_test

import (
	"slices"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/desk/agent"
	"paylink/internal/ledger"
	"paylink/internal/pay"
	"paylink/internal/staff"
)

// pays lets a link's payment be charged, with its invoice, as T4 does.
func (b *books) pays(p pay.Payment) pay.Payment {
	b.Helper()
	b.must(b.change(p.ID, func(v pay.View, c *pay.Change) {
		c.Life.State, c.Life.IntentID, c.Life.Attempt, c.Life.Charged = pay.Paid, "pi_"+p.ID, 1, p.Amount()
		a := attempt(p, 1)
		a.State = pay.Succeeded
		c.NewAttempt = a
		s := p.Frozen.Summary
		e := ledger.Entry{ID: newID(), ClientID: p.ClientID, PaymentID: p.ID, Cause: "receipt pi_" + p.ID, At: v.Facts.Now}
		e.Add(ledger.StripeClearing, p.Amount())
		e.Add(ledger.RevenueMonitoring, -p.Amount())
		c.Bookings = []pay.Booking{{
			Invoice: &ledger.Invoice{
				ID: newID(), Number: "n", ClientID: p.ClientID, VehicleID: p.VehicleID, PaymentID: p.ID, Door: "link", IssuedAt: v.Facts.Now,
				Lines: []ledger.Line{{Kind: "monitoring", Days: 30, Amount: s.Subtotal}}, Subtotal: s.Subtotal, Tax: s.Tax, Total: s.Subtotal + s.Tax,
			},
			Entries: []ledger.Entry{e},
		}}
	}))
	v, err := b.View(b.ctx, p.ID)
	b.must(err)
	return v.Payment
}

// kinds are what the rows are, newest first.
func kinds(rows []pay.Happened) (out []pay.Happening) {
	for _, r := range rows {
		out = append(out, r.Kind)
	}
	return out
}

// fees adds an invoice of fees, and returns it.
func (b *books) fees(client, vehicle, location, name string) ledger.Invoice {
	b.Helper()
	f := b.feeOf(location, name)
	s, err := b.desk().FeeSummary(b.ctx, anAgent, agent.FeeOrder{ClientID: client, VehicleID: vehicle, Fees: []agent.FeeChoice{{FeeID: f.ID, Count: 1}}})
	b.must(err)
	i, err := b.desk().AddInvoice(b.ctx, anAgent, agent.FeeOrder{ClientID: client, VehicleID: vehicle, FormKey: newID(), Fees: []agent.FeeChoice{{FeeID: f.ID, Count: 1, Shown: f.Amount}}, Shown: s.Total})
	b.must(err)
	return i
}

func TestAHistoryHoldsWhatWasChargedAndPaidNewestFirst(t *testing.T) {
	onBoth(t, func(b *books) {
		b.pass(time.Hour)
		b.fees("100043", "veh_marcus_f150", "FL-TPA", "Missed appointment") // 35.00
		b.pass(time.Hour)
		b.fees("100043", "", "FL-TPA", "Returned payment") // 25.00
		b.pass(time.Hour)
		p := b.pays(b.sent("100043", "veh_marcus_camry"))
		ended := b.sent("100043", "veh_marcus_f150")
		b.pass(time.Hour)
		b.must(b.change(ended.ID, func(_ pay.View, c *pay.Change) { c.Life.State = pay.Expired })) // a link that was never paid is no part of it
		onFile := b.sent("100043", "veh_marcus_f150")
		b.must(b.change(onFile.ID, func(_ pay.View, c *pay.Change) {
			c.Life.State, c.Life.CardOnFile, c.Life.Attempt = pay.Declined, true, 1
			c.NewAttempt = attempt(onFile, 1)
		}))
		b.pass(time.Hour)
		b.must(b.change(p.ID, func(v pay.View, c *pay.Change) {
			c.Refunds = []pay.Refund{{ID: newID(), PaymentID: p.ID, Amount: 40_00, State: pay.RefundWaits, Why: "x", AskedAt: v.Facts.Now}}
			c.Bookings = []pay.Booking{{Invoice: &ledger.Invoice{ID: newID(), Number: "n-R1", ClientID: p.ClientID, VehicleID: p.VehicleID, PaymentID: p.ID, Door: "link", IssuedAt: v.Facts.Now, Subtotal: -40_00, Total: -40_00,
				Lines: []ledger.Line{{Kind: "monitoring", Amount: -40_00}}}}}
		}))
		desk := b.desk()
		c, err := desk.Client(b.ctx, anAgent, "100043")
		b.must(err)
		all, err := desk.History(b.ctx, anAgent, c, agent.HistoryAsk{})
		b.must(err)
		want := []pay.Happening{pay.RefundMade, pay.Credited, pay.ChargeMade, pay.ChargeMade, pay.Invoiced, pay.Invoiced, pay.Invoiced}
		if got := kinds(all.Rows); !slices.Equal(got, want) || all.Next != nil {
			b.Fatalf("%v, want %v", got, want)
		}
		if r := all.Rows[0]; r.Refund.Amount != 40_00 || r.Payment.ID != p.ID || r.Card.Last4 != "4242" {
			b.Errorf("the refund is %+v of %+v", r.Refund, r.Payment)
		}
		if r := all.Rows[2]; r.Payment.ID != onFile.ID || r.Payment.State != pay.Declined {
			b.Errorf("the declined one is %+v", r.Payment)
		}
		if r := all.Rows[3]; r.Payment.Charged != p.Amount() || r.Card.Brand != "visa" || r.Disputed {
			b.Errorf("the payment is %+v with %+v", r.Payment, r.Card)
		}
		// 42.37 from before and 60.00 of fees are owed; what the link has paid is not.
		if c.Balance != 102_37 || all.Rows[4].Due != 0 || all.Rows[5].Due != 25_00 || all.Rows[6].Due != 35_00 || all.Rows[6].Newer != 25_00 {
			b.Errorf("of %s, %s, %s and %s are due", c.Balance, all.Rows[4].Due, all.Rows[5].Due, all.Rows[6].Due)
		}
		c.Balance = 30_00 // as if 72.37 had come: the oldest is paid first
		all, err = desk.History(b.ctx, anAgent, c, agent.HistoryAsk{What: pay.InvoicesOnly, VehicleID: "veh_marcus_f150"})
		b.must(err)
		if len(all.Rows) != 1 || all.Rows[0].Due != 5_00 || all.Rows[0].Invoice.Standing(all.Rows[0].Due) != ledger.PartDue { // whatever the sieve hides
			b.Errorf("%+v", all.Rows)
		}
		today := account.Location{Zone: "America/New_York"}.Today(began)
		for _, s := range []struct {
			ask  agent.HistoryAsk
			want []pay.Happening
		}{
			{agent.HistoryAsk{What: pay.PaymentsOnly}, want[2:4]},
			{agent.HistoryAsk{What: pay.RefundsOnly}, want[:2]},
			{agent.HistoryAsk{VehicleID: "veh_marcus_camry"}, []pay.Happening{pay.RefundMade, pay.Credited, pay.ChargeMade, pay.Invoiced}},
			{agent.HistoryAsk{From: today, To: today}, want},
			{agent.HistoryAsk{To: today.AddDays(-1)}, nil},
			{agent.HistoryAsk{From: today.AddDays(1)}, nil},
		} {
			got, err := desk.History(b.ctx, anAgent, c, s.ask)
			if err != nil || !slices.Equal(kinds(got.Rows), s.want) {
				b.Errorf("%+v: %v, want %v, %v", s.ask, kinds(got.Rows), s.want, err)
			}
		}
		if _, err := desk.History(b.ctx, staff.Member{ID: "x", Role: staff.Agent, Disabled: true}, c, agent.HistoryAsk{}); err == nil {
			b.Error("somebody who is gone reads it")
		}
		if _, err := desk.History(b.ctx, anAgent, c, agent.HistoryAsk{VehicleID: "veh_dana_civic"}); err == nil {
			b.Error("another's vehicle is looked for")
		}
	})
}

// New rows come on top, and of one moment are several: whoever turns the pages sees every row that was there, and each once.
func TestPagesOfAHistoryStandStillWhileNewRowsCome(t *testing.T) {
	onBoth(t, func(b *books) {
		for i := range 9 {
			if i%4 != 0 {
				b.pass(time.Second)
			}
			b.fees("100042", "veh_dana_civic", "VA-RIC", "Missed appointment")
		}
		sieve := pay.Sieve{First: pay.Invoiced, Last: pay.RefundMade}
		whole, err := b.History(b.ctx, "100042", sieve, pay.Place{}, 100)
		b.must(err)
		if len(whole) != 9+3+3 { // and three from before, each with its payment
			b.Fatalf("%d rows: %v", len(whole), kinds(whole))
		}
		var read []pay.Place
		for after := (pay.Place{}); len(read) <= len(whole); { // one that stands still never ends
			page, err := b.History(b.ctx, "100042", sieve, after, 2)
			b.must(err)
			if len(page) == 0 {
				break
			}
			for _, r := range page {
				read = append(read, r.Place)
			}
			after = page[len(page)-1].Place
			b.pass(time.Second)
			b.fees("100042", "veh_dana_civic", "VA-RIC", "Missed appointment")
		}
		for i, r := range whole {
			if i >= len(read) || read[i] != r.Place {
				b.Fatalf("row %d is read as %v, want %v", i, read, r.Place)
			}
		}
		if len(read) != len(whole) {
			b.Errorf("%d rows were read of %d", len(read), len(whole))
		}
	})
}
