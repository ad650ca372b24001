package sqldb_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"paylink/internal/account"
	"paylink/internal/desk/agent"
	"paylink/internal/ledger"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/sqldb"
	"paylink/internal/staff"
)

// desk is the agents' desk on these books, as far as invoices go.
func (b *books) desk() *agent.Desk {
	return &agent.Desk{Store: b.DB, NewID: newID, Down: func() bool { return false }}
}

var anAgent = staff.Member{ID: "staff-agent", Role: staff.Agent}

// feeOf finds a fee of a location's list by its name.
func (b *books) feeOf(location, name string) account.Fee {
	b.Helper()
	f := account.Fee{LocationID: location, Name: name}
	b.must(b.raw.QueryRow(`SELECT id, kind, amount FROM fees WHERE location_id = $1 AND name = $2`, location, name).Scan(&f.ID, &f.Kind, &f.Amount))
	return f
}

// order is an order of two fees for Dana: 2 × 35.00, not taxed, and 125.00 at 6 %.
func (b *books) order(key string) agent.FeeOrder {
	b.Helper()
	missed, handset := b.feeOf("VA-RIC", "Missed appointment"), b.feeOf("VA-RIC", "Lost handset")
	return agent.FeeOrder{
		ClientID: "100042", VehicleID: "veh_dana_civic", Fees: []agent.FeeChoice{{FeeID: missed.ID, Count: 2, Shown: missed.Amount}, {FeeID: handset.ID, Count: 1, Shown: handset.Amount}},
		Shown: 202_50, FormKey: key,
	}
}

func TestAnInvoiceOfFeesIsPostedOnceWithAllThatBelongsToIt(t *testing.T) {
	onBoth(t, func(b *books) {
		desk, before := b.desk(), b.count(`SELECT COUNT(*) FROM invoices`)
		s, err := desk.FeeSummary(b.ctx, anAgent, b.order(""))
		b.must(err)
		if s.Subtotal != 195_00 || s.Tax != 7_50 || s.Total != 202_50 || s.After != 202_50 || s.Location.ID != "VA-RIC" || s.Vehicle.Label != "2016 Honda Civic" || len(s.Offered) != 5 {
			b.Errorf("the summary is %+v", s)
		}
		var wg sync.WaitGroup
		added := make([]ledger.Invoice, 4)
		for i := range added { // clicked by an impatient hand, on several instances
			wg.Go(func() {
				i2, err := desk.AddInvoice(b.ctx, anAgent, b.order("a form"))
				if err != nil {
					b.Error(err)
				}
				added[i] = i2
			})
		}
		wg.Wait()
		for _, i := range added[1:] {
			if i.ID != added[0].ID || i.Number != added[0].Number {
				b.Errorf("invoices %s and %s of one form", i.Number, added[0].Number)
			}
		}
		invoices, err := b.Invoices(b.ctx, "100042", 50)
		b.must(err)
		if n := b.count(`SELECT COUNT(*) FROM invoices`); n != before+1 {
			b.Fatalf("%d invoices were added", n-before)
		}
		i := invoices[0]
		if i.Number != "260302-"+ledger.Code(i.ID) || i.Location != "Richmond, VA" || i.Zone != "America/New_York" || i.Vehicle != "2016 Honda Civic" || i.TaxPPM != 60_000 || i.Door != "" || i.PaymentID != "" ||
			i.Subtotal != 195_00 || i.Tax != 7_50 || i.Total != 202_50 || !i.Later() || len(i.Lines) != 2 || i.Lines[0] != (ledger.Line{Kind: "fee_administrative", Label: "Missed appointment", Count: 2, Amount: 70_00}) {
			b.Errorf("the invoice is %+v", i)
		}
		for account, want := range map[ledger.Account]int{ledger.Receivable: 202_50, ledger.RevenueFees: -195_00, ledger.TaxPayable: -7_50} {
			if n := b.count(`SELECT COALESCE(SUM(p.amount), 0) FROM postings p JOIN entries e ON e.id = p.entry_id WHERE e.cause = $1 AND p.account = $2`, "invoice "+i.ID, string(account)); n != want {
				b.Errorf("%s: %d, want %d", account, n, want)
			}
		}
		notes, err := b.Notes(b.ctx, "100042", "", 10)
		b.must(err)
		if len(notes) != 1 || notes[0].By.ID != "staff-agent" || notes[0].Text != "Invoice added. "+i.Number+", $202.50: Missed appointment × 2, Lost handset." {
			b.Errorf("the notes are %+v", notes)
		}
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'add invoice' AND object = $1 AND client_id = '100042' AND actor_id = 'staff-agent' AND refused = ''`, i.ID); n != 1 {
			b.Errorf("%d entries in the trail", n)
		}
		if v, err := b.Verify(b.ctx, nil, func(what string) { b.Error(what) }); err != nil || v.Broken != 0 {
			b.Errorf("the books: %+v, %v", v, err)
		}
		other := b.order("a form") // the same form, corrected: another invoice
		other.Fees, other.Shown = other.Fees[:1], 70_00
		again, err := desk.AddInvoice(b.ctx, anAgent, other)
		if err != nil || again.ID == i.ID || again.Total != 70_00 || again.Tax != 0 {
			b.Errorf("%+v, %v", again, err)
		}
	})
}

func TestAnInvoiceOfFeesIsRefused(t *testing.T) {
	onBoth(t, func(b *books) {
		desk, before := b.desk(), b.count(`SELECT COUNT(*) FROM postings`)
		p := b.sent("100042", "veh_dana_civic")
		state := func(s string) func() {
			return func() { b.must(b.exec(`UPDATE payments SET state = $1 WHERE id = $2`, s, p.ID)) }
		}
		order := func(f func(*agent.FeeOrder)) agent.FeeOrder {
			o := b.order("a form")
			f(&o)
			return o
		}
		for _, c := range []struct {
			what  string
			first func()
			who   staff.Role
			order agent.FeeOrder
			want  error
		}{
			{"an auditor", nil, staff.Auditor, b.order("x"), staff.ErrNotAllowed},
			{"finance", nil, staff.Finance, b.order("x"), staff.ErrNotAllowed},
			{"nothing chosen", nil, staff.Agent, order(func(o *agent.FeeOrder) { o.Fees = nil }), quote.ErrNone},
			{"another location's fee", nil, staff.Agent, order(func(o *agent.FeeOrder) { o.Fees[0].FeeID = b.feeOf("FL-TPA", "Lost handset").ID }), quote.ErrFee},
			{"a fee that is none", nil, staff.Agent, order(func(o *agent.FeeOrder) { o.Fees[0].FeeID = "no fee" }), quote.ErrFee},
			{"too many", nil, staff.Agent, order(func(o *agent.FeeOrder) { o.Fees[0].Count = 100 }), quote.ErrCount},
			{"another's vehicle", nil, staff.Agent, order(func(o *agent.FeeOrder) { o.VehicleID = "veh_hal_outback" }), account.ErrNotFound},
			{"nobody", nil, staff.Agent, order(func(o *agent.FeeOrder) { o.ClientID = "999999" }), account.ErrNotFound},
			{"another total", nil, staff.Agent, order(func(o *agent.FeeOrder) { o.Shown = 1 }), pay.ErrTotalMoved},
			{"a payment is being made", state("paying"), staff.Agent, b.order("x"), pay.ErrAccountBusy},
			{"… or its outcome is not known", state("unknown"), staff.Agent, b.order("x"), pay.ErrAccountBusy},
			{"… or the bank asks the payer", state("needs_action"), staff.Agent, b.order("x"), pay.ErrAccountBusy},
			{"a fee that changed", func() {
				b.must(b.exec(`UPDATE fees SET amount = 4000 WHERE location_id = 'VA-RIC' AND name = 'Missed appointment'`))
			}, staff.Agent, b.order("x"), pay.ErrTotalMoved},
			{"a fee that was retired", func() {
				b.must(b.exec(`UPDATE fees SET retired = 1 WHERE location_id = 'VA-RIC' AND name = 'Missed appointment'`))
			}, staff.Agent, b.order("x"), quote.ErrFee},
		} {
			if c.first != nil {
				c.first()
			}
			trail := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'add invoice' AND refused <> ''`)
			i, err := desk.AddInvoice(b.ctx, staff.Member{ID: "staff-" + string(c.who), Role: c.who}, c.order)
			if !errors.Is(err, c.want) || i.ID != "" {
				b.Errorf("%s: %+v, %v; want %v", c.what, i, err, c.want)
			}
			if moved := (*agent.MovedError)(nil); errors.As(err, &moved) && c.what == "a fee that changed" && moved.Now != 212_50 {
				b.Errorf("the new total is %s", moved.Now)
			}
			if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'add invoice' AND refused <> ''`); n != trail+1 && !errors.Is(c.want, account.ErrNotFound) {
				b.Errorf("%s: the refusal is not in the trail", c.what)
			}
		}
		if n := b.count(`SELECT COUNT(*) FROM postings`); n != before {
			b.Errorf("%d postings more", n-before)
		}
	})
}

func TestWithoutAVehicleTheLocationMustBeClear(t *testing.T) {
	onBoth(t, func(b *books) {
		desk := b.desk()
		s, err := desk.FeeList(b.ctx, anAgent, "100043", "") // two vehicles at one location
		if err != nil || s.Location.ID != "FL-TPA" || s.Vehicle != nil || len(s.Offered) != 5 || !strings.HasPrefix(s.Offered[0].Name, "Device") || s.After != 42_37 {
			b.Errorf("%+v, %v", s, err)
		}
		b.must(b.exec(`UPDATE vehicles SET location_id = 'VA-RIC' WHERE id = 'veh_marcus_camry'`))
		if _, err := desk.FeeList(b.ctx, anAgent, "100043", ""); !errors.Is(err, agent.ErrWhere) {
			b.Errorf("vehicles at two locations: %v", err)
		}
		if s, err := desk.FeeList(b.ctx, anAgent, "100043", "veh_marcus_camry"); err != nil || s.Location.ID != "VA-RIC" {
			b.Errorf("%s, %v", s.Location.ID, err)
		}
		b.must(b.Import(b.ctx, sqldb.Import{Clients: []account.Client{{ID: "900002", FirstName: "No", LastName: "Car", Language: "en"}}}))
		if _, err := desk.FeeList(b.ctx, anAgent, "900002", ""); !errors.Is(err, agent.ErrWhere) {
			b.Errorf("no vehicle at all: %v", err)
		}
	})
}

// A link that is open promises a total. A new receivable does not break it: what is past due may grow, and stays owed when the link is paid.
func TestANewInvoiceDoesNotBreakAQuoteThatIsBound(t *testing.T) {
	onBoth(t, func(b *books) {
		for client, vehicle := range map[string]string{"100042": "veh_dana_civic", "100043": "veh_marcus_f150"} { // owing nothing, and past due
			p := b.sent(client, vehicle)
			o := agent.FeeOrder{ClientID: client, VehicleID: vehicle, FormKey: client}
			f := b.feeOf(p.LocationID, "Missed appointment")
			o.Fees, o.Shown = []agent.FeeChoice{{FeeID: f.ID, Count: 1, Shown: f.Amount}}, f.Amount
			if _, err := b.desk().AddInvoice(b.ctx, anAgent, o); err != nil {
				b.Fatal(err)
			}
			v, err := b.View(b.ctx, p.ID)
			b.must(err)
			if !v.Payment.Holds(v.Facts) {
				b.Errorf("%s: the quote no longer holds", client)
			}
			if want := v.Payment.Frozen.Summary.PastDue + f.Amount; v.Facts.Standing.PastDue != want {
				b.Errorf("%s: %s is past due, want %s", client, v.Facts.Standing.PastDue, want)
			}
			if balance, err := b.Balance(b.ctx, client); err != nil || balance != v.Facts.Standing.PastDue {
				b.Errorf("%s: the balance is %s, %v", client, balance, err)
			}
		}
	})
}
