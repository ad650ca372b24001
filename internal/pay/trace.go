package pay

import "paylink/internal/guard"

// seen is decision 5, the trace rule: what a PaymentIntent, as Stripe shows it, says of a payment's current attempt. A status or an error that
// names another attempt's PaymentMethod says nothing of this one; nor does an error if an earlier attempt used the same PaymentMethod.
func seen(in Intent, v View) Event {
	p := v.Payment
	if in.ID == p.IntentID && in.Account == p.StripeAccount && in.Status == IntentCanceled { // whatever it was for, it never will be charged
		return Event{Kind: GotCanceled}
	}
	if in.ID != p.IntentID || in.Account != p.StripeAccount && guard.On(guard.SameAccount) || in.Amount != p.Amount() && guard.On(guard.SameAmount) ||
		in.Currency != "usd" && guard.On(guard.SameCurrency) || in.Status == RequiresCapture {
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
	names := func(method string) bool {
		return method == current.PaymentMethod || method != "" && guard.Off(guard.TraceCard)
	}
	switch {
	case in.Status == Processing:
		e.Kind = StillRunning
	case in.Status == RequiresAction && names(in.PaymentMethod):
		e.Kind = GotAction
	case in.Status == RequiresConfirmation && names(in.PaymentMethod):
		e.Kind = GotReady
	case names(in.ErrorMethod) && (!again || guard.Off(guard.TraceAgain)):
		e.Kind = GotDecline
	}
	return e
}

// seenSince is what a PaymentIntent says to one who had the payment before him as asked when he asked Stripe. What was read before another send tells
// nothing of what that send does, unless it is an end: it may even name the same PaymentMethod.
func seenSince(in Intent, v View, asked Life) Event {
	e, now := seen(in, v), v.Payment.Life
	if now.State.Booked() { // a tick would decide about the money, and what has gone back was not read
		return e
	}
	if (asked.Attempt != now.Attempt || asked.Phase != now.Phase || asked.Sends != now.Sends) && guard.On(guard.TraceSince) {
		switch e.Kind {
		case GotAction, GotReady, NoTrace, StillRunning:
			return Event{Kind: Tick}
		}
	}
	return e
}
