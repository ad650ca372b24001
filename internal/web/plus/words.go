package plus

import (
	"fmt"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/desk/agent"
	"paylink/internal/lang"
	"paylink/internal/ledger"
	"paylink/internal/pay"
	"paylink/internal/quote"
)

func date(d day.Date) string { return lang.English.Date(d) }

func languageName(code string) string {
	if lang.Lang(code) == lang.Spanish {
		return "Spanish"
	}
	return "English"
}

func daysOf(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

func vehicleName(v account.Vehicle) string {
	if v.Plate == "" {
		return v.Label
	}
	return v.Label + " · " + strings.TrimSpace(v.PlateState+" "+v.Plate)
}

// linesOf words the lines of a summary so that an agent can say how each came about.
func linesOf(f pay.Frozen) []Line {
	in, s := f.Input, f.Summary
	var daily, lossDaily fmt.Stringer
	if in.Vehicle != nil {
		daily, lossDaily = in.Vehicle.DailyRate, in.Vehicle.LossProtectionDaily
	}
	var out []Line
	var before quote.Kind
	for _, l := range s.Lines {
		label := string(l.Kind)
		switch l.Kind {
		case quote.Monitoring:
			label = fmt.Sprintf("Monitoring, %d × %s", l.Days, daily)
		case quote.UnpaidDays:
			label = fmt.Sprintf("Unpaid days, %d × %s", l.Days, daily)
		case quote.LossProtection:
			label = fmt.Sprintf("Loss protection, %d × %s", l.Days, lossDaily)
		case quote.Hardship:
			label = hardshipLabel(in.Vehicle)
		case quote.StateFee:
			label = "State fee"
			if n := len(in.StateFeeMonths()); n > 0 {
				label = fmt.Sprintf("State fee, %d × %s", n, in.Location.StateFeeMonthly)
			}
		case quote.CapAdjustment:
			most := in.Location.MonitoringCapMonthly
			if before == quote.LossProtection {
				most = in.Location.LossProtectionCapMonthly
			}
			if label = "Adjusted to the cap"; most != nil {
				label = fmt.Sprintf("Adjusted to the cap, %s per 30 days", *most)
			}
		}
		before = l.Kind
		out = append(out, Line{label, l.Amount.Accounting()})
	}
	switch {
	case in.Account.TaxExempt:
		out = append(out, Line{"Tax exempt", s.Tax.String()})
	case in.Location.TaxPPM > 0:
		out = append(out, Line{fmt.Sprintf("Tax %s on %s", lang.English.Percent(in.Location.TaxPPM), s.Taxable), s.Tax.String()})
	}
	out = append(out, Line{"Past due", s.PastDue.String()})
	if s.CreditApplied > 0 {
		out = append(out, Line{"Credit", (-s.CreditApplied).Accounting()})
	}
	return out
}

func hardshipLabel(v *account.Vehicle) string {
	if v == nil || v.Hardship == nil {
		return "Hardship program"
	}
	switch v.Hardship.Kind {
	case account.ClientPays:
		return fmt.Sprintf("Hardship program, client pays %d%%", v.Hardship.Percent)
	case account.FundMonthly:
		return fmt.Sprintf("Hardship fund, %s per 30 days", v.Hardship.Amount)
	}
	return "Hardship fund pays monitoring"
}

// notesOf is what an agent may be asked, and what is not part of the total.
func notesOf(f pay.Frozen) []string {
	var out []string
	if left := f.Input.Account.Credit - f.Summary.CreditApplied; left > 0 {
		out = append(out, fmt.Sprintf("Credit left after this payment: %s.", left))
	}
	if fee := f.Input.Location.LaborFee; fee > 0 {
		out = append(out, fmt.Sprintf("Labor fee %s is paid at the center and is not in this total.", fee))
	}
	return out
}

// blockedWords say in the summary why nothing can be sent. Why a location takes no payments stands above it, under the button.
func blockedWords(why agent.Blocked) string {
	switch why {
	case agent.InCollections:
		return "The account is in collections. Only the collections company may take its payments; no link can be sent."
	case agent.NeedsReview:
		return "A charge came after an earlier link had closed. Finance decides about it first; take no other payment for this vehicle."
	case quote.NothingDue:
		return "Nothing is due: the credit covers all of it. There is no payment to send."
	case quote.BelowMinimum:
		return fmt.Sprintf("The total is below %s, the least that a card can be charged. No link can be sent.", quote.MinimumCharge)
	}
	return "The location takes no payments. No link can be sent for this vehicle."
}

// closedWords say why a location takes no payments; "" if it does.
func closedWords(why agent.Blocked, location string) string {
	switch why {
	case quote.LocationNotConfigured:
		return location + " is not set up to take payments. No link can be sent; tell your lead."
	case quote.LocationSuspended:
		return "Payments for " + location + " are suspended. No link can be sent until Finance opens them again."
	}
	return ""
}

func closedReason(p account.Payments) agent.Blocked {
	switch p {
	case account.NotConfigured:
		return quote.LocationNotConfigured
	case account.Suspended:
		return quote.LocationSuspended
	}
	return ""
}

// invoiceWhat says what an invoice was for.
func invoiceWhat(i ledger.Invoice) string {
	for _, l := range i.Lines {
		if quote.Kind(l.Kind) == quote.Monitoring {
			if i.PaidTo == "" {
				return "Monitoring " + daysOf(l.Days)
			}
			to := i.PaidTo.Time().Format("Jan 2")
			if i.PaidTo.Time().Sub(i.IssuedAt) > 300*24*time.Hour {
				to = date(i.PaidTo)
			}
			return "Monitoring " + daysOf(l.Days) + ", to " + to
		}
	}
	if len(i.Lines) == 0 {
		return "Pending balance"
	}
	words := strings.ReplaceAll(i.Lines[0].Kind, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

func paidBy(door string) string {
	switch door {
	case "link":
		return "Paid · link"
	case "agent":
		return "Paid · card on file"
	case "client":
		return "Paid · My Account"
	case "autopay":
		return "Paid · Auto Pay"
	case "center":
		return "Paid · center"
	}
	return "Paid"
}

// stateWords are a payment's state on a badge, and the badge's tone.
func stateWords(s pay.State, why pay.Reason) (words, tone string) {
	switch s {
	case pay.Open:
		return "Live", "note"
	case pay.Paying, pay.NeedsAction:
		return "Paying now", "note"
	case pay.Unknown:
		return "Checking with the bank", "warning"
	case pay.Paid:
		return "Paid", "good"
	case pay.Declined:
		return "Declined", "bad"
	case pay.Expired:
		if why == pay.ReasonNotSent {
			return "Not sent", "bad"
		}
		return "Expired", ""
	case pay.Revoked:
		if why == pay.ReasonNotMine {
			return "Not for the payer", "bad"
		}
		return "Cancelled", ""
	case pay.Locked:
		return "Locked", "bad"
	case pay.Superseded:
		return "Account changed", ""
	case pay.PaidAfterClose:
		return "Paid after closing", "warning"
	case pay.Review:
		return "With Finance", "warning"
	}
	return string(s), ""
}

func programName(p account.Program) string {
	if p == account.PAM {
		return "Portable monitor"
	}
	return "Interlock"
}
