package pay

import (
	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/ledger"
	"paylink/internal/quote"
)

// Booking is what one success writes into the books, in the transition's own transaction.
type Booking struct {
	Invoice    *ledger.Invoice // nil for unapplied money, and for a pending balance, which was invoiced before
	Entries    []ledger.Entry
	PaidToFrom day.Date // compare …
	PaidTo     day.Date // … and set; "" moves no date
	FeeMonths  []day.Month
}

// bookPaid is T4: the invoice for what was bought, the credit used, and the money received.
func (m *Machine) bookPaid(v View) (Booking, error) {
	p, s := v.Payment, v.Payment.Frozen.Summary
	at := v.Facts.Now
	entry := func(cause string) ledger.Entry {
		return ledger.Entry{ID: m.NewID(), ClientID: p.ClientID, PaymentID: p.ID, StripeAccount: p.StripeAccount, Cause: cause, At: at}
	}
	var b Booking
	if p.VehicleID != "" {
		invoice := ledger.Invoice{
			ID: m.NewID(), Number: at.In(v.Facts.Location.TimeZone()).Format("060102-") + p.Reference(), ClientID: p.ClientID, VehicleID: p.VehicleID, PaymentID: p.ID, Door: string(p.Door), IssuedAt: at,
			Subtotal: s.Subtotal, Tax: s.Tax, Total: s.Subtotal + s.Tax, PaidToFrom: p.PaidToFrom(), PaidTo: p.PaidTo(),
		}
		for _, l := range s.Lines {
			invoice.Lines = append(invoice.Lines, ledger.Line{Kind: string(l.Kind), Days: l.Days, Amount: l.Amount})
		}
		sold := entry("invoice " + p.ID)
		sold.Add(ledger.Receivable, invoice.Total)
		parts := s.Parts()
		sold.Add(ledger.RevenueMonitoring, -parts.Monitoring)
		sold.Add(ledger.RevenueLossProtection, -parts.LossProtection)
		sold.Add(ledger.StateFeePayable, -parts.StateFee)
		sold.Add(hardshipAccount(p.Frozen.Input.Vehicle.Hardship), parts.Hardship)
		sold.Add(ledger.TaxPayable, -s.Tax)
		b.Invoice = &invoice
		if len(sold.Postings) > 0 { // a vehicle may cost nothing, and its client still owe
			b.Entries = append(b.Entries, sold)
		}
		b.PaidToFrom, b.PaidTo, b.FeeMonths = p.PaidToFrom(), p.PaidTo(), p.Frozen.Input.StateFeeMonths()
	}
	if s.CreditApplied != 0 {
		used := entry("credit " + p.ID)
		used.Add(ledger.ClientCredit, s.CreditApplied)
		used.Add(ledger.Receivable, -s.CreditApplied)
		b.Entries = append(b.Entries, used)
	}
	received := entry("receipt " + p.IntentID)
	received.Add(ledger.StripeClearing, p.Amount())
	received.Add(ledger.Receivable, -p.Amount())
	b.Entries = append(b.Entries, received)
	return b, b.check(s)
}

// check holds the booking against the summary that the payer agreed to: the account must stand exactly lower by the past due that was paid with it.
func (b Booking) check(s quote.Summary) error {
	for _, e := range b.Entries {
		if err := e.Check(); err != nil {
			return err
		}
	}
	if s.Subtotal+s.Tax+s.PastDue-s.CreditApplied != s.TotalDue {
		return errNotBalanced
	}
	return nil
}

// hardshipAccount names who bears a hardship: a fund owes it to us; the rest of it nobody pays.
func hardshipAccount(h *account.Hardship) ledger.Account {
	if h != nil && (h.Kind == account.FundMonthly || h.Kind == account.FundFull) {
		return ledger.HardshipFund
	}
	return ledger.RevenueDiscount
}

// bookUnapplied is T15: money that came after closing is in the books at once, and belongs to nothing until T16 decides.
func (m *Machine) bookUnapplied(v View) Booking {
	p := v.Payment
	e := ledger.Entry{ID: m.NewID(), ClientID: p.ClientID, PaymentID: p.ID, StripeAccount: p.StripeAccount, Cause: "receipt " + p.IntentID, At: v.Facts.Now}
	e.Add(ledger.StripeClearing, p.Amount())
	e.Add(ledger.Unapplied, -p.Amount())
	return Booking{Entries: []ledger.Entry{e}}
}
