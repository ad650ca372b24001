package pay

import (
	"fmt"
	"strconv"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/lang"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/quote"
)

// Booking is what one success writes into the books, in the transition's own transaction.
type Booking struct {
	Invoice    *ledger.Invoice // nil for unapplied money, and for a pending balance, which was invoiced before
	Entries    []ledger.Entry
	PaidToFrom day.Date // compare …
	PaidTo     day.Date // … and set; "" moves no date
	FeeMonths  []day.Month
	FreeMonths bool          // the state-fee months that this payment had counted are free again
	Note       *account.Note // for the client's record; nil: none
}

// bookPaid is T4: the invoice for what was bought, the credit used, and the money received.
func (m *Machine) bookPaid(v View) (Booking, error) {
	return m.bookSale(v, ledger.StripeClearing, "receipt "+v.Payment.IntentID)
}

// bookApplied is T16: as T4, but the money has come before, and waits among the unapplied.
func (m *Machine) bookApplied(v View) (Booking, error) {
	if !v.Payment.Frozen.Rebuilt {
		return m.bookSale(v, ledger.Unapplied, "applied "+v.Payment.IntentID)
	}
	p := v.Payment // what it was meant for is lost: it becomes the client's credit
	e := ledger.Entry{ID: m.NewID(), ClientID: p.ClientID, PaymentID: p.ID, StripeAccount: p.StripeAccount, Cause: "applied " + p.IntentID, At: v.Facts.Now}
	e.Add(ledger.Unapplied, p.Charged)
	e.Add(ledger.ClientCredit, -p.Charged)
	return Booking{Entries: []ledger.Entry{e}}, nil
}

// bookSale books what was bought, and that it was paid from an account of the ledger.
func (m *Machine) bookSale(v View, from ledger.Account, cause string) (Booking, error) {
	p, s := v.Payment, v.Payment.Frozen.Summary
	at := v.Facts.Now
	entry := func(cause string) ledger.Entry {
		return ledger.Entry{ID: m.NewID(), ClientID: p.ClientID, PaymentID: p.ID, StripeAccount: p.StripeAccount, Cause: cause, At: at}
	}
	var b Booking
	if p.VehicleID != "" {
		invoice := ledger.Invoice{
			ID: m.NewID(), Number: at.In(v.Facts.Location.TimeZone()).Format("060102-") + p.Reference(), ClientID: p.ClientID, VehicleID: p.VehicleID, PaymentID: p.ID, Door: string(p.PaidBy()), IssuedAt: at,
			LocationID: p.LocationID, Location: p.Frozen.Location, Zone: v.Facts.Location.Zone, Vehicle: p.Frozen.Vehicle, TaxPPM: taxed(p), Subtotal: s.Subtotal, Tax: s.Tax, Total: s.Subtotal + s.Tax, PaidToFrom: p.PaidToFrom(), PaidTo: p.PaidTo(),
		}
		for _, l := range s.Lines {
			invoice.Lines = append(invoice.Lines, ledger.Line{Kind: string(l.Kind), Days: l.Days, Amount: l.Amount})
		}
		sold := entry("invoice " + p.ID)
		sold.Add(ledger.Receivable, invoice.Total)
		for _, part := range revenue(p) {
			sold.Add(part.Account, part.Amount)
		}
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
	if p.Amount() != 0 { // credit may have covered everything (T25)
		received := entry(cause)
		received.Add(from, p.Amount())
		received.Add(ledger.Receivable, -p.Amount())
		b.Entries = append(b.Entries, received)
	}
	return b, b.check(s)
}

// taxed is the rate at which a sale was taxed.
func taxed(p Payment) int64 {
	if p.Frozen.Input.Account.TaxExempt {
		return 0
	}
	return p.Frozen.Input.Location.TaxPPM
}

// noted adds the note that an agent's sale leaves in the client's record. It belongs to the booking: whoever finds out that the money has come writes it, once, in the same transaction.
func (b *Booking) noted(v View, attempt int) {
	p := v.Payment
	if p.Door != ByAgent {
		return
	}
	var card *Attempt
	for i, a := range v.Attempts {
		if a.N == attempt || a.State == Succeeded {
			card = &v.Attempts[i]
		}
	}
	b.Note = &account.Note{ID: p.ID, ClientID: p.ClientID, At: v.Facts.Now, By: p.CreatedBy, PaymentID: p.ID, Text: p.Taken(card)}
}

// Taken says what an agent has taken, for the client's record. card is the attempt that was charged; nil where the credit covered everything, or nobody knows the card.
func (p Payment) Taken(card *Attempt) string {
	how := "Took " + p.Amount().String()
	switch {
	case p.Amount() == 0:
		how = "Used " + p.Frozen.Summary.CreditApplied.String() + " of credit"
	case card != nil && card.LinkID != "":
		how += " by " + card.Card.Name() + " through a link"
	case card != nil:
		how += " by " + card.Card.Name()
	}
	what := "for the pending balance"
	if p.VehicleID != "" {
		what = fmt.Sprintf("%d days for %s, Paid To Date %s", p.Frozen.Input.Days, p.Frozen.Vehicle, lang.English.Date(p.PaidTo()))
	}
	return how + ", " + what + ". Reference " + p.Reference() + "."
}

// revenue is what a sale's parts add to the accounts that they belong to, tax last; they sum up to less the invoice's total.
func revenue(p Payment) []ledger.Posting {
	parts := p.Frozen.Summary.Parts()
	return []ledger.Posting{
		{Account: ledger.RevenueMonitoring, Amount: -parts.Monitoring},
		{Account: ledger.RevenueLossProtection, Amount: -parts.LossProtection},
		{Account: ledger.StateFeePayable, Amount: -parts.StateFee},
		{Account: hardshipAccount(p.Frozen.Input.Vehicle.Hardship), Amount: parts.Hardship},
		{Account: ledger.TaxPayable, Amount: -p.Frozen.Summary.Tax},
	}
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
func (m *Machine) bookUnapplied(v View, charged money.Cents) Booking {
	p := v.Payment
	e := ledger.Entry{ID: m.NewID(), ClientID: p.ClientID, PaymentID: p.ID, StripeAccount: p.StripeAccount, Cause: "receipt " + p.IntentID, At: v.Facts.Now}
	e.Add(ledger.StripeClearing, charged)
	e.Add(ledger.Unapplied, -charged)
	return Booking{Entries: []ledger.Entry{e}}
}

// bookMoves books what refunds and disputes have moved. moved says that a Paid To Date which should have followed had moved on: a person decides.
func (m *Machine) bookMoves(v View, moves []move) (out []Booking, moved bool) {
	p, back, paidTo, notes := v.Payment, v.Payment.GivenBack, day.Date(""), 0
	for _, r := range v.Refunds {
		if r.StripeID != "" { // it has its note
			notes++
		}
	}
	if f := v.Facts.Vehicle; f != nil && f.PaidBy == p.ID { // else it is another's, though it may be the same day
		paidTo = f.PaidTo
	}
	for _, mv := range moves {
		e := ledger.Entry{ID: m.NewID(), ClientID: p.ClientID, PaymentID: p.ID, StripeAccount: p.StripeAccount, At: v.Facts.Now}
		if mv.refund == nil {
			e.Cause = "dispute " + mv.txn.ID
			e.Add(ledger.StripeClearing, mv.txn.Amount-mv.txn.Fee)
			e.Add(ledger.Fees, mv.txn.Fee)
			e.Add(ledger.Disputes, -mv.txn.Amount)
			if len(e.Postings) > 0 {
				out = append(out, Booking{Entries: []ledger.Entry{e}})
			}
			continue
		}
		to := back + mv.refund.Amount
		e.Cause = "refund " + mv.refund.StripeID
		if mv.cameBack {
			to = back - mv.refund.Amount
			e.Cause = "refund failed " + mv.refund.StripeID
		}
		was, is := reversal(p, back), reversal(p, to)
		for i := range is {
			e.Add(is[i].Account, is[i].Amount-was[i].Amount)
		}
		b := Booking{Entries: []ledger.Entry{e}}
		if p.State.Sold() && p.VehicleID != "" && !p.Frozen.Rebuilt {
			b.Invoice = m.creditNote(v, notes+len(out)+1, back, to)
			whole, wasWhole := to >= p.Charged, back >= p.Charged
			switch {
			case whole == wasWhole:
			case whole && paidTo == p.PaidTo():
				b.PaidToFrom, b.PaidTo, b.FreeMonths = p.PaidTo(), p.PaidToFrom(), true
			case !whole && paidTo == p.PaidToFrom():
				b.PaidToFrom, b.PaidTo, b.FeeMonths = p.PaidToFrom(), p.PaidTo(), p.Frozen.Input.StateFeeMonths()
			default:
				moved = true
			}
			if b.PaidTo != "" {
				paidTo = b.PaidTo
				b.Invoice.PaidToFrom, b.Invoice.PaidTo = b.PaidToFrom, b.PaidTo
			}
		}
		back = to
		out = append(out, b)
	}
	return out, moved
}

// reversal is what has to stand in the books against a payment of which so much has been given back: all of it, as if it had never been, once the whole
// has gone back. A part takes its share of every part of the invoice first, tax included, and then of the past due that was paid with it.
// The rows are the same ones in the same order whatever has gone back, so that the difference of two of them books the step from one to the other.
func reversal(p Payment, back money.Cents) []ledger.Posting {
	out := []ledger.Posting{{Account: ledger.StripeClearing, Amount: -back}}
	switch {
	case !p.State.Sold():
		return append(out, ledger.Posting{Account: ledger.Unapplied, Amount: back})
	case p.Frozen.Rebuilt:
		return append(out, ledger.Posting{Account: ledger.ClientCredit, Amount: back})
	}
	s := p.Frozen.Summary
	noted, all := credited(p, back)
	var credit money.Cents
	if back >= p.Charged {
		credit = s.CreditApplied
	}
	out = append(out,
		ledger.Posting{Account: ledger.Receivable, Amount: back - noted + credit},
		ledger.Posting{Account: ledger.ClientCredit, Amount: -credit})
	if p.VehicleID == "" {
		return out
	}
	parts := revenue(p)
	amounts := make([]money.Cents, len(parts))
	for i := range parts {
		amounts[i] = -parts[i].Amount
	}
	for i, share := range shares(amounts, noted, all) {
		out = append(out, ledger.Posting{Account: parts[i].Account, Amount: share})
	}
	return out
}

// credited is how much of the invoice is credited when so much has been given back, and whether that is all of it.
func credited(p Payment, back money.Cents) (part money.Cents, all bool) {
	if p.VehicleID == "" {
		return 0, false
	}
	total := p.Frozen.Summary.Subtotal + p.Frozen.Summary.Tax
	if back >= p.Charged || back > 0 && back >= total {
		return total, true
	}
	return min(back, total), false
}

// shares splits a part of the sum of amounts among them in proportion; the shares sum up to that part exactly.
func shares(amounts []money.Cents, part money.Cents, all bool) []money.Cents {
	out := make([]money.Cents, len(amounts))
	if all {
		copy(out, amounts)
		return out
	}
	var whole, sum, given money.Cents
	for _, a := range amounts {
		whole += a
	}
	for i, a := range amounts {
		if whole == 0 {
			break
		}
		sum += a
		until := sum * part / whole // some millions of cents each at most: no overflow
		out[i], given = until-given, until
	}
	return out
}

// creditNote is the invoice that takes back what a step from one sum given back to another has credited; a refund that fails is invoiced again.
func (m *Machine) creditNote(v View, n int, from, to money.Cents) *ledger.Invoice {
	p, s := v.Payment, v.Payment.Frozen.Summary
	at := v.Facts.Now
	note := ledger.Invoice{
		ID: m.NewID(), Number: at.In(v.Facts.Location.TimeZone()).Format("060102-") + p.Reference() + "-R" + strconv.Itoa(n), ClientID: p.ClientID, VehicleID: p.VehicleID, PaymentID: p.ID,
		Door: string(p.PaidBy()), IssuedAt: at, LocationID: p.LocationID, Location: p.Frozen.Location, Zone: v.Facts.Location.Zone, Vehicle: p.Frozen.Vehicle, TaxPPM: taxed(p),
	}
	amounts := make([]money.Cents, 0, len(s.Lines)+1)
	for _, l := range s.Lines {
		amounts = append(amounts, l.Amount)
	}
	amounts = append(amounts, s.Tax)
	share := func(back money.Cents) []money.Cents {
		part, all := credited(p, back)
		return shares(amounts, part, all)
	}
	was, is := share(from), share(to)
	for i, l := range s.Lines {
		if d := was[i] - is[i]; d != 0 {
			note.Lines = append(note.Lines, ledger.Line{Kind: string(l.Kind), Days: l.Days, Amount: d})
			note.Subtotal += d
		}
	}
	note.Tax = was[len(s.Lines)] - is[len(s.Lines)]
	note.Total = note.Subtotal + note.Tax
	return &note
}
