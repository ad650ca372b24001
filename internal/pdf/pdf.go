// Package pdf prints: an invoice for its client, and the evidence for a payment. The same input always gives the same bytes.
package pdf

import (
	"paylink/internal/lang"
	"paylink/internal/pay"
)

// Printer prints in the brand's name. Both fields are required.
type Printer struct {
	Brand   string
	Support string // whom to call, as people read it
}

// Invoice prints an invoice or a credit note in a language.
func (r Printer) Invoice(b pay.Bill, l lang.Lang) ([]byte, error) {
	s := b.Sheet(l)
	p := newPaper(about{
		title: s.Title + " " + s.Number, subject: b.Client.ID, author: r.Brand, language: l, made: b.Invoice.IssuedAt, foot: r.Brand + " · " + s.Title + " " + s.Number + " · " + l.T("invoice.questions", r.Support),
	})
	p.mast(r.Brand, s.Title, s.Number)
	if s.Standing != "" {
		back, front := soft, brand
		if s.Open {
			back, front = warm, amber
		}
		p.pill(s.Standing, back, front)
	}
	facts := []fact{{l.T("invoice.date"), s.Date}}
	for _, f := range s.Facts {
		facts = append(facts, fact{f.Name, f.Value})
	}
	p.facts(facts, 3)
	p.gap(6)
	var rows [][]string
	for _, line := range s.Lines {
		rows = append(rows, []string{line.Text, line.Amount})
	}
	p.table([]column{{head: l.T("invoice.what"), wide: 4}, {head: l.T("invoice.amount"), wide: 1, right: true}}, rows, body)
	p.gap(6)
	p.sums(factsOf(s.Sums))
	if len(s.Paid) > 0 {
		p.heading(l.T("invoice.payment"))
		p.amounts(factsOf(s.Paid))
	}
	if s.Next != "" {
		p.ink(quiet)
		p.font("", body)
		p.text(s.Next, margin, width, body)
	}
	if len(s.Notes) > 0 {
		p.heading(l.T("invoice.notes"))
		var notes []fact
		for _, n := range s.Notes {
			notes = append(notes, fact{n.Number + ", " + n.Date, n.Amount})
		}
		p.amounts(notes)
	}
	return p.bytes()
}

func factsOf(lines []pay.SheetLine) (out []fact) {
	for _, l := range lines {
		out = append(out, fact{l.Text, l.Amount})
	}
	return out
}
