package pay

// seen is decision 5, the trace rule: what a PaymentIntent, as Stripe shows it, says of a payment's current attempt. A status or an error that
// names another attempt's PaymentMethod says nothing of this one; nor does an error if an earlier attempt used the same PaymentMethod.
func seen(in Intent, v View) Event {
	p := v.Payment
	if in.ID != p.IntentID || in.Account != p.StripeAccount || in.Amount != p.Amount() || in.Currency != "usd" || in.Status == RequiresCapture {
		return Event{Kind: GotMismatch}
	}
	if in.Status == IntentSucceeded {
		e := Event{Kind: GotSuccess}
		for _, a := range v.Attempts {
			if a.PaymentMethod == in.ChargeMethod {
				e.Attempt = a.N // the latest, where a card was tried twice
			}
		}
		return e
	}
	if in.Status == IntentCanceled {
		return Event{Kind: GotCanceled}
	}
	e := Event{Kind: NoTrace, Attempt: p.Attempt}
	current := v.Current()
	if current == nil {
		return e
	}
	again := false
	for _, a := range v.Attempts {
		if a.N < current.N && a.PaymentMethod == current.PaymentMethod {
			again = true
		}
	}
	switch {
	case in.Status == Processing:
		e.Kind = StillRunning
	case in.Status == RequiresAction && in.PaymentMethod == current.PaymentMethod:
		e.Kind = GotAction
	case in.Status == RequiresConfirmation && in.PaymentMethod == current.PaymentMethod:
		e.Kind = GotReady
	case in.ErrorMethod == current.PaymentMethod && !again:
		e.Kind = GotDecline
	}
	return e
}

// reasons are Stripe's decline codes (docs.stripe.com/declines/codes) that get words of their own; everything else is "generic".
// A lost or stolen card and a suspicion of fraud are never named to whoever holds the card: Stripe asks for that.
var reasons = map[string]string{
	"insufficient_funds": "insufficient_funds", "withdrawal_count_limit_exceeded": "insufficient_funds", "card_velocity_exceeded": "insufficient_funds",
	"expired_card": "expired_card", "invalid_expiry_month": "expired_card", "invalid_expiry_year": "expired_card",
	"incorrect_cvc": "incorrect_cvc", "invalid_cvc": "incorrect_cvc",
	"incorrect_number": "incorrect_number", "invalid_number": "incorrect_number", "invalid_account": "incorrect_number",
	"incorrect_zip":    "incorrect_zip",
	"processing_error": "processing_error", "try_again_later": "processing_error", "reenter_transaction": "processing_error", "issuer_not_available": "processing_error",
	"authentication_required": "authentication_failed", "payment_intent_authentication_failure": "authentication_failed", "authentication_not_handled": "authentication_failed",
	"card_not_supported": "card_not_supported", "currency_not_supported": "card_not_supported", "transaction_not_allowed": "card_not_supported",
}

// PlainReason turns a decline's code into one of the few reasons that people are told.
func PlainReason(code string) string {
	if r, ok := reasons[code]; ok {
		return r
	}
	return "generic"
}
