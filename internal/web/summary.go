package web

import (
	"paylink/internal/lang"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/quote"
)

// SummaryLine is one line of a summary, as read.
type SummaryLine struct {
	Label  string // "Monitoring, 30 days × $3.10"
	Amount string // "$93.00"; a credit or reduction in parentheses
}

// SummaryLines words a frozen summary, without its total.
func SummaryLines(l lang.Lang, f pay.Frozen, discreet bool) []SummaryLine {
	var out []SummaryLine
	add := func(line lang.Line, amount money.Cents) {
		line.Discreet = discreet
		out = append(out, SummaryLine{Label: l.Line(line), Amount: amount.Accounting()})
	}
	for _, line := range f.Summary.Lines {
		daily := f.Input.Vehicle.DailyRate
		if line.Kind == quote.LossProtection {
			daily = f.Input.Vehicle.LossProtectionDaily
		}
		add(lang.Line{Kind: string(line.Kind), Days: line.Days, Daily: daily}, line.Amount)
	}
	if f.Summary.Tax != 0 {
		add(lang.Line{Kind: "tax", TaxPPM: f.Input.Location.TaxPPM}, f.Summary.Tax)
	}
	if f.Summary.PastDue != 0 {
		add(lang.Line{Kind: "past_due"}, f.Summary.PastDue)
	}
	if f.Summary.CreditApplied != 0 {
		add(lang.Line{Kind: "credit"}, -f.Summary.CreditApplied)
	}
	return out
}
