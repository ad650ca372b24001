package pay

import (
	"time"

	"paylink/internal/lang"
	"paylink/internal/ledger"
	"paylink/internal/money"
)

// Sheet is a bill in words, as its page and its PDF lay them out.
type Sheet struct {
	Title    string // "Invoice"
	Number   string
	Date     string
	Standing string // "Paid"
	Open     bool   // something is still owed
	Facts    []SheetFact
	Lines    []SheetLine
	Sums     []SheetLine // the last one is the total
	Paid     []SheetLine // how it was paid, or what is due
	Notes    []SheetNote // credit notes that belong to it
	Next     string      // what becomes of what is owed
}

// SheetFact is a name and a value.
type SheetFact struct{ Name, Value string }

// SheetLine is a line with an amount.
type SheetLine struct{ Text, Amount string }

// SheetNote is a credit note that belongs to an invoice.
type SheetNote struct{ ID, Number, Date, Amount string }

// Sheet words the bill in a language. Names are those of the day on which it was issued.
func (b Bill) Sheet(l lang.Lang) Sheet {
	i := b.Invoice
	s := Sheet{Title: l.T("invoice.title"), Number: i.Number, Date: l.Date(i.Day()), Open: b.Due > 0}
	s.Standing = b.standing(l)
	fact := func(name, value string) {
		if value != "" {
			s.Facts = append(s.Facts, SheetFact{name, value})
		}
	}
	fact(l.T("invoice.client"), b.Client.Name())
	fact(l.T("invoice.client_id"), b.Client.ID)
	fact(l.T("invoice.vehicle"), i.Vehicle)
	fact(l.T("invoice.location"), i.Location)
	if i.PaidTo != "" {
		paidTo := l.Date(i.PaidTo)
		if i.PaidToFrom != "" {
			paidTo = l.T("invoice.moved", paidTo, l.Date(i.PaidToFrom))
		}
		fact(l.T("invoice.paid_to"), paidTo)
	}
	total := l.T("invoice.total")
	if b.credits() {
		total = l.T("invoice.credit_total")
		s.Title = l.T("invoice.credit_note")
		if b.Of != nil {
			fact(l.T("invoice.belongs"), b.Of.Number)
		}
	}
	for _, line := range i.Lines {
		s.Lines = append(s.Lines, SheetLine{lineWords(l, line), line.Amount.Accounting()})
	}
	tax := l.T("invoice.tax")
	if i.TaxPPM > 0 && i.Tax != 0 {
		tax = l.T("line.tax", l.Percent(i.TaxPPM))
	}
	s.Sums = []SheetLine{{l.T("invoice.subtotal"), i.Subtotal.Accounting()}, {tax, i.Tax.Accounting()}, {total, i.Total.Accounting()}}
	s.Paid = b.paid(l)
	if s.Open {
		s.Next = l.T("invoice.next")
	}
	for _, n := range b.Notes {
		s.Notes = append(s.Notes, SheetNote{n.ID, n.Number, l.Date(n.Day()), n.Total.Accounting()})
	}
	return s
}

// credits says whether the bill takes money back.
func (b Bill) credits() bool { return b.Invoice.Total < 0 }

// standing says where the bill stands; "" for a credit note.
func (b Bill) standing(l lang.Lang) string {
	if b.credits() {
		return ""
	}
	var back money.Cents
	for _, n := range b.Notes {
		back -= n.Total
	}
	switch {
	case back > 0 && back >= b.Invoice.Total:
		return l.T("invoice.stands.credited")
	case back > 0:
		return l.T("invoice.stands.part_credited")
	}
	switch b.Invoice.Standing(b.Due) {
	case ledger.AllDue:
		return l.T("invoice.stands.due")
	case ledger.PartDue:
		return l.T("invoice.stands.part_due")
	}
	return l.T("invoice.stands.paid")
}

// paid says how the bill was paid, and what else its payment paid.
func (b Bill) paid(l lang.Lang) (out []SheetLine) {
	i := b.Invoice
	switch {
	case b.credits() || b.Of != nil:
		return nil
	case b.Payment == nil && i.Later():
		if b.Due > 0 {
			return []SheetLine{{l.T("invoice.still_due"), b.Due.String()}}
		}
		return []SheetLine{{l.T("invoice.stands.paid"), i.Total.String()}}
	case b.Payment == nil:
		how := l.T("invoice.charged", l.Date(i.Day()))
		if words := Door(i.Door).Words(l); words != "" {
			how += ", " + words
		}
		return []SheetLine{{how, i.Total.String()}}
	}
	p := *b.Payment
	s := p.Frozen.Summary
	if s.PastDue > 0 {
		out = append(out, SheetLine{l.T("invoice.past_due"), s.PastDue.String()})
	}
	if s.CreditApplied > 0 {
		out = append(out, SheetLine{l.T("invoice.credit"), (-s.CreditApplied).Accounting()})
	}
	if p.Charged == 0 {
		return append(out, SheetLine{l.T("invoice.covered"), p.Charged.String()})
	}
	how := l.T("invoice.charged", l.DateTime(b.chargedAt()))
	if words := p.Door.Words(l); words != "" {
		how += ", " + words
	}
	if b.Card.Last4 != "" {
		how += ", " + l.T("receipt.card_ending", brandWords(b.Card.Brand), b.Card.Last4)
	}
	return append(out, SheetLine{how + ", " + l.T("invoice.reference", p.Reference()), p.Charged.String()})
}

// chargedAt is when the payment was booked, with its invoice, where it was sold.
func (b Bill) chargedAt() time.Time {
	zone, err := time.LoadLocation(b.Invoice.Zone)
	if err != nil {
		zone = time.UTC
	}
	return b.Invoice.IssuedAt.In(zone)
}

// Words say by which way a payment came, "by Auto Pay"; "" for one that has no words.
func (d Door) Words(l lang.Lang) string {
	switch d {
	case ByLink:
		return l.T("invoice.by_link")
	case ByAgent:
		return l.T("invoice.by_agent")
	case ByClient:
		return l.T("invoice.by_client")
	case ByAutoPay:
		return l.T("invoice.by_autopay")
	case "center":
		return l.T("invoice.by_center")
	}
	return ""
}

func brandWords(brand string) string {
	switch brand {
	case "visa":
		return "Visa"
	case "mastercard":
		return "Mastercard"
	}
	return brand
}

// lineWords names a line. What was taken back in part has no price a day.
func lineWords(l lang.Lang, line ledger.Line) string {
	words := line.Label
	switch line.Kind {
	case "monitoring", "unpaid_days", "loss_protection":
		if n := money.Cents(line.Days); line.Amount > 0 && n > 0 && line.Amount%n == 0 {
			return l.Line(lang.Line{Kind: line.Kind, Days: line.Days, Daily: line.Amount / n})
		}
		words = l.T("invoice.kind." + line.Kind)
	case "hardship", "state_fee", "cap_adjustment":
		words = l.Line(lang.Line{Kind: line.Kind})
	}
	if n := money.Cents(line.Count); n > 1 && line.Amount%n == 0 {
		words = l.T("invoice.count", words, line.Count, (line.Amount / n).String())
	}
	if words == "" {
		words = line.Kind
	}
	return words
}
