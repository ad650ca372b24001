package pdf

import (
	"fmt"
	"strings"
	"time"

	"paylink/internal/lang"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/quote"
)

// Evidence prints an evidence file for the people who decide a dispute at a bank: what was sold first, then who agreed to what and when, then everything else that is on
// record. It says what the file says, and nothing more. Times are in UTC. hash is the SHA-256 of the file's text.
func (r Printer) Evidence(f pay.EvidenceFile, hash string) ([]byte, error) {
	title := "Evidence for payment " + f.Reference
	p := newPaper(about{
		title: title, subject: "Payment " + f.Payment, author: r.Brand, language: lang.English, made: f.MadeAt, foot: r.Brand + " · " + title + " · " + utc(f.MadeAt),
	})
	p.mast(r.Brand, "Payment evidence", f.Reference)
	paid := succeeded(f)
	summary := []fact{
		{"Amount charged", f.Charged.String()}, {"Given back", f.GivenBack.String()}, {"Stands as", stateOf(f)},
		{"Account of", f.Client.Name + ", client " + f.Client.ID}, {"What was sold", soldWords(f)}, {"Service location", f.Location},
	}
	if paid != nil {
		summary = append(summary, fact{"Card", cardOf(*paid)}, fact{"Charged on", utc(last(paid.AnsweredAt, paid.SubmittedAt))}, fact{"ZIP and security code", paid.ZIPCheck + ", " + paid.CVCCheck})
	}
	summary = append(summary, fact{"PaymentIntent", f.Stripe.PaymentIntent})
	if paid != nil && paid.Charge != "" {
		summary = append(summary, fact{"Charge", paid.Charge})
	}
	if f.Stripe.Account != "" {
		summary = append(summary, fact{"Stripe account", f.Stripe.Account})
	}
	p.facts(summary, 3)

	p.heading("What was sold")
	p.note("The summary below was frozen when the payment was made, and shown to the payer before the card was entered. Nothing in it has changed since.")
	var rows [][]string
	for _, l := range f.Summary.Lines {
		rows = append(rows, []string{soldLine(l), l.Amount.Accounting()})
	}
	p.table([]column{{head: "Description", wide: 4}, {head: "Amount", wide: 1, right: true}}, rows, body)
	p.gap(4)
	sums := []fact{{"Subtotal", f.Summary.Subtotal.Accounting()}, {"Tax", f.Summary.Tax.Accounting()}}
	if f.Summary.PastDue != 0 {
		sums = append(sums, fact{"Past due", f.Summary.PastDue.Accounting()})
	}
	if f.Summary.CreditApplied != 0 {
		sums = append(sums, fact{"Account credit", (-f.Summary.CreditApplied).Accounting()})
	}
	p.sums(append(sums, fact{"Total shown", f.Amount.String()}))

	p.heading("Who agreed to what, and when")
	agreed := "Nobody has agreed to this payment: no card was submitted."
	if len(f.Attempts) > 0 {
		a := f.Attempts[len(f.Attempts)-1]
		if paid != nil {
			a = *paid
		}
		agreed = fmt.Sprintf("The payer agreed to version %s of the terms, in %s, and submitted the card at %s, from network address %s.", a.TermsVersion, languageOf(a.TermsLanguage), utc(a.AgreedAt), orNone(a.Address))
		if a.TermsVersion == "" {
			agreed = fmt.Sprintf("The card on file was charged at %s. The client agreed to its use when it was added.", utc(a.AgreedAt))
		}
	}
	p.say(agreed)
	if len(f.Attempts) > 0 {
		p.say("Browser: " + orNone(f.Attempts[len(f.Attempts)-1].UserAgent))
	}

	if len(f.Links) > 0 {
		p.heading("Links that were texted")
		rows = nil
		for _, l := range f.Links {
			whose := "another number, the caller said that its owner agreed to be texted"
			if l.OwnNumber {
				whose = "the client’s own number"
			}
			rows = append(rows, []string{utc(l.SentAt), l.Phone + ", " + whose, languageOf(l.Language), utcOf(l.OpenedAt), utc(l.ExpiresAt), l.State})
		}
		p.table([]column{{head: "Sent", wide: 2}, {head: "To", wide: 3}, {head: "Language", wide: 1.3}, {head: "Opened", wide: 2}, {head: "Good until", wide: 2}, {head: "State", wide: 1.2}}, rows, small)
	}
	if len(f.Texts) > 0 {
		p.heading("Texts and their delivery")
		rows = nil
		for _, t := range f.Texts {
			rows = append(rows, []string{utc(t.CreatedAt), t.Kind, t.Phone, utcOf(t.HandedOverAt), t.Status, utcOf(t.EndedAt), t.Carrier})
		}
		p.table([]column{{head: "Written", wide: 2}, {head: "What", wide: 1}, {head: "To", wide: 1.2}, {head: "Handed over", wide: 2}, {head: "State", wide: 1.3}, {head: "Since", wide: 2}, {head: "Carrier’s id", wide: 2.6}}, rows, small)
	}
	if len(f.Attempts) > 0 {
		p.heading("Cards that were submitted")
		rows = nil
		for _, a := range f.Attempts {
			outcome := a.Outcome
			if a.Code != "" {
				outcome += ": " + strings.ReplaceAll(a.Code, "_", " ")
			}
			rows = append(rows, []string{fmt.Sprint(a.N), utc(a.SubmittedAt), utcOf(a.AnsweredAt), cardOf(a), a.ZIPCheck, a.CVCCheck, outcome, a.Charge})
		}
		p.table([]column{{head: "", wide: .6}, {head: "Submitted", wide: 1.9}, {head: "Answered", wide: 1.9}, {head: "Card", wide: 2.2}, {head: "ZIP code", wide: 1.2}, {head: "Security code", wide: 1.3}, {head: "Outcome", wide: 1.6}, {head: "Charge", wide: 2}}, rows, small)
	}
	p.heading("Refunds")
	if len(f.Refunds) == 0 {
		p.say("None.")
	} else {
		rows = nil
		for _, b := range f.Refunds {
			rows = append(rows, []string{utc(b.AskedAt), b.Amount.String(), b.State, b.Why, utcOf(b.EndedAt), b.ID})
		}
		p.table([]column{{head: "Asked", wide: 2}, {head: "Amount", wide: 1.2, right: true}, {head: "State", wide: 1.3}, {head: "Reason", wide: 3}, {head: "Answered", wide: 2}, {head: "Stripe’s id", wide: 2.4}}, rows, small)
	}
	for _, t := range f.Terms {
		p.heading(fmt.Sprintf("Terms, version %s, %s, as they were shown", t.Version, languageOf(t.Language)))
		p.ink(ink)
		p.font("", small+.5)
		p.text(t.Text, margin, width, small+.5)
	}
	p.heading("Trail: who did what")
	rows = nil
	for _, a := range f.Trail {
		what := a.Act
		if a.Refused != "" {
			what += " (refused: " + a.Refused + ")"
		}
		rows = append(rows, []string{utc(a.At), strings.TrimSpace(a.By + " " + a.Who), what, a.Detail})
	}
	p.table([]column{{head: "Time", wide: 2}, {head: "Who", wide: 2}, {head: "What", wide: 2.2}, {head: "Detail", wide: 3.4}}, rows, small)

	p.heading("Hashes")
	p.note("SHA-256. The evidence file is a JSON file with the same facts; whoever has both can tell that they belong together.")
	hashes := []fact{{"Evidence file", hash}, {"Frozen summary", f.SummarySHA256}}
	for _, t := range f.Terms {
		hashes = append(hashes, fact{"Terms, version " + t.Version + ", " + languageOf(t.Language), t.SHA256})
	}
	for _, h := range hashes {
		p.room(2 * small * leading)
		p.ink(quiet)
		p.font("", small)
		p.text(h.name, margin, width, small)
		p.ink(ink)
		p.SetFont("mono", "", small)
		p.text(h.value, margin, width, small)
		p.gap(3)
	}
	p.gap(8)
	p.note(fmt.Sprintf("Made at %s from the books of %s. Payment %s, chain %s. Questions: %s.", utc(f.MadeAt), r.Brand, f.Payment, f.Chain, r.Support))
	return p.bytes()
}

// say sets a sentence, and note one that explains.
func (p *paper) say(s string) {
	p.ink(ink)
	p.font("", body)
	p.text(s, margin, width, body)
}

func (p *paper) note(s string) {
	p.ink(quiet)
	p.font("", small)
	p.text(s, margin, width, small)
	p.gap(3)
}

// succeeded is the attempt whose card was charged; nil: none was.
func succeeded(f pay.EvidenceFile) *pay.EvidenceAttempt {
	for i := range f.Attempts {
		if f.Attempts[i].Outcome == string(pay.Succeeded) {
			return &f.Attempts[i]
		}
	}
	return nil
}

func soldWords(f pay.EvidenceFile) string {
	if f.Vehicle == "" {
		return "Pending balance"
	}
	what := fmt.Sprintf("%s, %d days", f.Vehicle, f.Input.Days)
	if f.Summary.PaidTo != nil {
		what += ", paid to " + lang.English.Date(*f.Summary.PaidTo)
	}
	return what
}

func soldLine(l quote.Line) string {
	switch {
	case l.Days > 0 && int64(l.Amount)%int64(l.Days) == 0:
		return lang.English.Line(lang.Line{Kind: string(l.Kind), Days: l.Days, Daily: l.Amount / money.Cents(l.Days)})
	case l.Days > 0:
		return lang.English.T("invoice.kind." + string(l.Kind))
	}
	return lang.English.Line(lang.Line{Kind: string(l.Kind)})
}

func stateOf(f pay.EvidenceFile) string {
	words := strings.ReplaceAll(string(f.State), "_", " ")
	if f.Reason != "" {
		words += ", " + strings.ReplaceAll(string(f.Reason), "_", " ")
	}
	if f.ClosedAt != nil {
		words += ", " + utc(*f.ClosedAt)
	}
	return words
}

func cardOf(a pay.EvidenceAttempt) string {
	if a.Last4 == "" {
		return "not known"
	}
	brand := a.Brand
	if brand != "" {
		brand = strings.ToUpper(brand[:1]) + brand[1:]
	}
	return strings.TrimSpace(brand + " " + a.Funding + ", ending " + a.Last4)
}

func languageOf(code string) string {
	switch lang.Lang(code) {
	case lang.English:
		return "English"
	case lang.Spanish:
		return "Spanish"
	}
	return orNone(code)
}

func orNone(s string) string {
	if s == "" {
		return "not known"
	}
	return s
}

func utc(t time.Time) string { return t.UTC().Format("Jan 2, 2006, 15:04:05 UTC") }

func utcOf(t *time.Time) string {
	if t == nil {
		return "–"
	}
	return utc(*t)
}

func last(t *time.Time, or time.Time) time.Time {
	if t == nil {
		return or
	}
	return *t
}
