package lang

import "paylink/internal/money"

// LinkText is the text that carries a payment link, good for so many minutes, more than one. It names no person and no amount.
func (l Lang) LinkText(brand, url, supportPhone string, minutes int) string {
	return l.T("sms.link", brand, url, supportPhone, minutes)
}

// DeclinedText tells that Auto Pay did not go through, and where to pay. It names no person, amount or card.
func (l Lang) DeclinedText(brand, url, supportPhone string) string {
	return l.T("sms.declined", brand, url, supportPhone)
}

// CodeText carries the code that proves a number.
func (l Lang) CodeText(brand, code, supportPhone string) string {
	return l.T("sms.code", brand, code, supportPhone)
}

// HelpText answers a reply that asks for help.
func (l Lang) HelpText(brand, supportPhone string) string {
	return l.T("sms.help", brand, supportPhone)
}

// StoppedText confirms that nothing more will be sent.
func (l Lang) StoppedText(brand, supportPhone string) string {
	return l.T("sms.stopped", brand, supportPhone)
}

// Receipt is what a receipt by text says. Every field is as people read it; Date must be one without accents, as Date writes it.
type Receipt struct{ Brand, Amount, Date, Last4, Reference, SupportPhone string }

// ReceiptText is the text that carries a receipt.
func (l Lang) ReceiptText(r Receipt) string {
	return l.T("sms.receipt", r.Brand, r.Amount, r.Date, r.Last4, r.Reference, r.SupportPhone)
}

// Line names a line of a summary. Kind is the quote's own word, or "tax", "past_due" or "credit".
type Line struct {
	Kind     string
	Days     int         // of unpaid_days, monitoring, loss_protection
	Daily    money.Cents // price of one such day
	TaxPPM   int64       // of tax
	Discreet bool        // whoever pays is not the client: no vehicle, no program, no past-due wording
}

// Line returns the name that a payer reads: "Monitoring, 30 days × $3.10", or "Service, 30 days × $3.10" to somebody who is not the client.
func (l Lang) Line(line Line) string {
	if line.Kind == "tax" {
		return l.T("line.tax", l.Percent(line.TaxPPM))
	}
	key := "line." + line.Kind
	if line.Discreet {
		key = "line.discreet." + line.Kind
	}
	return l.T(key, line.Days, line.Daily.String())
}

// DaysOf returns "30 days of monitoring", or "30 days of service" to somebody who is not the client.
func (l Lang) DaysOf(days int, discreet bool) string {
	if discreet {
		return l.T("pay.days_service", days)
	}
	return l.T("pay.days_monitoring", days)
}

// Decline says in plain words why a bank said no, and what helps. Code is Stripe's decline code, or its error code where it gave none
// (stripe.com/docs/declines/codes); one that we have no better words for gets general ones.
func (l Lang) Decline(code string) string {
	switch code {
	case "invalid_cvc":
		code = "incorrect_cvc"
	case "invalid_number":
		code = "incorrect_number"
	case "invalid_expiry_month", "invalid_expiry_year":
		code = "expired_card"
	case "postal_code_invalid", "incorrect_address":
		code = "incorrect_zip"
	case "issuer_not_available", "try_again_later", "reenter_transaction", "approve_with_id":
		code = "processing_error"
	case "authentication_required", "payment_intent_authentication_failure":
		code = "authentication_failed"
	case "currency_not_supported", "transaction_not_allowed", "service_not_allowed":
		code = "card_not_supported"
	case "card_velocity_exceeded", "withdrawal_count_limit_exceeded":
		code = "limit_exceeded"
	}
	if Has("decline." + code) {
		return l.T("decline." + code)
	}
	return l.T("decline.generic")
}

// Answer returns the sentence for a state of the till's JSON answers, such as "unknown" or "terms"; "" for one that needs none.
func (l Lang) Answer(state string) string {
	if Has("answer." + state) {
		return l.T("answer." + state)
	}
	return ""
}

// TriesLeft returns how many more cards may be tried.
func (l Lang) TriesLeft(n int) string { return l.T("answer.tries_left", n) }
