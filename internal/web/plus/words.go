package plus

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/desk/agent"
	"paylink/internal/desk/office"
	"paylink/internal/lang"
	"paylink/internal/ledger"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/sms"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

func date(d day.Date) string { return lang.English.Date(d) }

func languageName(code string) string {
	if lang.Lang(code) == lang.Spanish {
		return "Spanish"
	}
	return "English"
}

// keysOf are the keys that keys.js knows, of what somebody may do.
func keysOf(who staff.Member) []KeyRow {
	out := []KeyRow{{[]string{"/"}, "Search for a client"}}
	for _, k := range []struct {
		needs     staff.Permission
		key, does string
	}{
		{staff.SendLinks, "s", "Send Secure Payment Link"},
		{staff.WriteNotes, "n", "Write a note"},
		{staff.TakePayment, "t", "Take Payment"},
	} {
		if who.May(k.needs) == nil {
			out = append(out, KeyRow{[]string{k.key}, k.does + ", on a client’s page"})
		}
	}
	var numbers, names []string
	for i, tab := range tabs {
		numbers, names = append(numbers, strconv.Itoa(i+1)), append(names, tabNames[tab])
	}
	return append(out, KeyRow{numbers, strings.Join(names, ", ") + ": the tabs of a client’s page"},
		KeyRow{[]string{"?"}, "This list"}, KeyRow{[]string{"Esc"}, "Close a list or a dialog"})
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
		return "Finance looks at an earlier payment for this vehicle first. No link can be sent, and no other payment may be taken for it."
	case agent.Paused:
		return pausedWords
	case agent.NotAnswering:
		return "No link can be sent while the card processor does not answer."
	case quote.NothingDue:
		return "Nothing is due: the credit covers all of it. There is no payment to send."
	case quote.BelowMinimum:
		return fmt.Sprintf("The total is below %s, the least that a card can be charged. No link can be sent.", quote.MinimumCharge)
	}
	return "The location takes no payments. No link can be sent for this vehicle."
}

// notAnsweringWords are for a card processor that does not answer. The page that says so learns by itself when it does.
const notAnsweringWords = "The card processor does not answer just now. No link can be sent until it does; this page will say so by itself."

// pausedWords are for reconcile-only mode, in which the books may not yet know what was charged.
const pausedWords = "Payments are paused while the books are checked. No link can be sent; take no payment in another way before Finance says so."

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
	if i.Total < 0 {
		return "Credit note"
	}
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
	what := i.Lines[0].Label
	if what == "" {
		what = upper(strings.ReplaceAll(i.Lines[0].Kind, "_", " "))
	}
	if n := i.Lines[0].Count; n > 1 {
		what = fmt.Sprintf("%s × %d", what, n)
	}
	if n := len(i.Lines) - 1; n > 0 {
		what = fmt.Sprintf("%s and %d more", what, n)
	}
	return what
}

// stateWords are a payment's state on a badge, and the badge's tone.
func stateWords(p pay.Payment, now time.Time) (words, tone string) {
	switch {
	case p.Refunding == pay.RefundStuck:
		return "Refund with Finance", "warning"
	case p.Refunding != pay.NoRefund:
		return "Refund under way", "note"
	case p.State.Sold() && p.GivenBack > 0 && p.GivenBack >= p.Charged:
		return "Refunded", ""
	case p.State.Sold() && p.GivenBack > 0:
		return "Partly refunded", "good"
	}
	switch p.Effective(now) {
	case pay.Open:
		return "Live", "note"
	case pay.Paying, pay.NeedsAction:
		return "Paying now", "note"
	case pay.Unknown:
		return "Checking with the bank", "warning"
	case pay.Paid:
		switch {
		case p.Door == pay.ByAgent && p.Amount() == 0:
			return "Paid · credit", "good"
		case p.Door == pay.ByAgent && p.CardOnFile:
			return "Paid · card on file", "good"
		}
		return "Paid", "good"
	case pay.Applied:
		return "Paid late", "good"
	case pay.Refunded:
		return "Refunded", ""
	case pay.Declined:
		return "Declined", "bad"
	case pay.Expired:
		if p.Reason == pay.ReasonNotSent {
			return "Not sent", "bad"
		}
		return "Expired", ""
	case pay.Revoked:
		if p.Reason == pay.ReasonNotMine {
			return "Not for the payer", "bad"
		}
		return "Cancelled", ""
	case pay.Locked:
		return "Locked", "bad"
	case pay.Superseded:
		return "Account changed", ""
	case pay.PaidAfterClose:
		if p.Held {
			return "Held by Finance", "warning"
		}
		return "Paid after closing", "warning"
	case pay.Review:
		return "With Finance", "warning"
	}
	return string(p.State), ""
}

func programName(p account.Program) string {
	if p == account.PAM {
		return "Portable monitor"
	}
	return "Interlock"
}

func upper(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

func cardWords(c pay.Card) string {
	brand := upper(c.Brand)
	if brand == "" {
		brand = "Card"
	}
	if c.Last4 == "" {
		return brand
	}
	return brand + " ending " + c.Last4
}

// boughtWords are what a payment buys.
func boughtWords(p pay.Payment) string {
	if p.VehicleID == "" {
		return "the pending balance"
	}
	return headingOf(p.Frozen) + ", paid to " + date(p.PaidTo())
}

// whereWords say where a payment stands, in one sentence.
func whereWords(c office.Case) string {
	p := c.Payment
	switch {
	case p.State.Sold() && p.GivenBack > 0 && p.GivenBack >= p.Charged:
		return "Paid, and given back in full."
	case p.State.Sold() && p.GivenBack > 0:
		return fmt.Sprintf("Paid. %s of %s was given back.", p.GivenBack, p.Charged)
	}
	switch p.Effective(c.Facts.Now) {
	case pay.Open:
		return "The link is live, and nothing was charged yet."
	case pay.Paying, pay.NeedsAction:
		return "The payer is paying right now."
	case pay.Unknown:
		return "The bank is asked what became of the charge."
	case pay.Paid:
		return "Paid."
	case pay.Applied:
		return "Paid: the charge came after the link had closed, and was applied to the account."
	case pay.Refunded:
		return "The charge could not be used, and went back in full."
	case pay.PaidAfterClose:
		switch {
		case p.Refunding != pay.NoRefund:
			return "The charge came after the link had closed, and is going back."
		case p.Held:
			return "The charge came after the link had closed. A person decides what becomes of it."
		}
		return "The charge came after the link had closed. It is being looked at."
	case pay.Review:
		return "Nothing happens to this payment until a person has decided."
	case pay.Expired, pay.Revoked, pay.Locked, pay.Superseded, pay.Declined:
		if p.CancelDue {
			return "Closed without money, as far as we know: the card processor has not yet confirmed that it is cancelled."
		}
		return "Closed without money."
	}
	return ""
}

func attemptWords(a pay.Attempt) (outcome, tone, detail string) {
	switch a.State {
	case pay.Trying:
		return "Under way", "note", "The bank has not answered yet."
	case pay.Succeeded:
		return "Charged", "good", ""
	case pay.WasNo:
		return "Declined", "bad", declineWords(a.Code)
	case pay.Refused:
		return "Not tried", "bad", "The card processor would not try it (" + a.Code + ")."
	case pay.Abandoned:
		return "Not charged", "", "It was cancelled before the bank had said anything."
	}
	return string(a.State), "", ""
}

// declineWords are why a bank said no, without what the payer is told to do about it.
func declineWords(code string) string {
	why, _, _ := strings.Cut(lang.English.Decline(code), " Nothing was charged.")
	return why
}

func textWords(m sms.Message) (words, tone string) {
	switch m.Status {
	case sms.Waiting:
		return "Waiting to be sent", "note"
	case sms.Unclear:
		return "The carrier is asked", "warning"
	case sms.Queued, sms.Sent:
		return "Sent", ""
	case sms.Delivered:
		return "Delivered", "good"
	case sms.Undelivered:
		return "Not delivered", "bad"
	case sms.Failed:
		return "Not sent", "bad"
	case sms.Dropped:
		return "Not sent: the link closed first", ""
	}
	return string(m.Status), ""
}

func refundWords(r pay.Refund) (words, tone, detail string) {
	switch r.State {
	case pay.RefundWaits:
		return "Asked", "note", "The card processor has not answered yet."
	case pay.RefundOnWay:
		return "On its way", "note", "The card processor has it; the bank has not confirmed it yet."
	case pay.RefundDone:
		return "Given back", "good", ""
	case pay.RefundBack:
		detail = "The bank sent the money back to us."
		words, tone = "Failed", "bad"
	case pay.RefundNotMade:
		words, tone = "Not made", "bad"
	default:
		return string(r.State), "", ""
	}
	if r.Code != "" {
		detail = strings.TrimSpace(detail + " Code: " + r.Code + ".")
	}
	if !r.ClearedAt.IsZero() {
		tone, detail = "", strings.TrimSpace(detail+" Settled in another way.")
	}
	return words, tone, detail
}

// disputeWords are Stripe's words for where a dispute stands, in ours (docs.stripe.com/api/disputes/object).
func disputeWords(status string) (words, tone string) {
	switch status {
	case "needs_response":
		return "Needs an answer", "bad"
	case "warning_needs_response":
		return "Inquiry, needs an answer", "warning"
	case "under_review", "warning_under_review":
		return "With the bank", "note"
	case "won":
		return "Won", "good"
	case "lost":
		return "Lost", "bad"
	case "warning_closed", "prevented":
		return "Closed", ""
	}
	return upper(strings.ReplaceAll(status, "_", " ")), ""
}

func byWords(a trail.Actor, names map[string]string) string {
	switch a.Kind {
	case trail.Staff:
		if name := names[a.ID]; name != "" {
			return name
		}
		return "Staff"
	case trail.Client:
		return "The client"
	case trail.Payer:
		return "The payer"
	case trail.Stripe:
		return "Card processor"
	case trail.Twilio:
		return "Text carrier"
	}
	return "The service"
}
