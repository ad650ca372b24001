package pay

import "testing"

// askedOf is a payment in flight whose second attempt is under way, with the card pm_2.
func askedOf() View {
	v := View{Payment: Payment{Life: in(Unknown)}, Attempts: []Attempt{{N: 1, PaymentMethod: "pm_1", State: WasNo}, {N: 2, PaymentMethod: "pm_2", State: Trying}}}
	v.Payment.Frozen.Summary.TotalDue = 9858
	return v
}

// TestWhatStripeShowsSpeaksOfTheAttemptThatItNames is the trace rule, decision 5.
func TestWhatStripeShowsSpeaksOfTheAttemptThatItNames(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Intent // of pi_1 and the payment's amount, in dollars, unless said
		card string // of the first attempt, unless it is pm_1
		kind EventKind
		n    int
	}{
		{name: "nothing yet", in: Intent{Status: RequiresPaymentMethod}, kind: NoTrace, n: 2},
		{name: "its error", in: Intent{Status: RequiresPaymentMethod, ErrorMethod: "pm_2"}, kind: GotDecline, n: 2},
		{name: "another card's error", in: Intent{Status: RequiresPaymentMethod, ErrorMethod: "pm_1"}, kind: NoTrace, n: 2},
		{name: "the same card was tried before", in: Intent{Status: RequiresPaymentMethod, ErrorMethod: "pm_2"}, card: "pm_2", kind: NoTrace, n: 2},
		{name: "its 3-D Secure", in: Intent{Status: RequiresAction, PaymentMethod: "pm_2"}, kind: GotAction, n: 2},
		{name: "another card's 3-D Secure", in: Intent{Status: RequiresAction, PaymentMethod: "pm_1"}, kind: NoTrace, n: 2},
		{name: "its 3-D Secure passed", in: Intent{Status: RequiresConfirmation, PaymentMethod: "pm_2"}, kind: GotReady, n: 2},
		{name: "another card's 3-D Secure passed", in: Intent{Status: RequiresConfirmation, PaymentMethod: "pm_1"}, kind: NoTrace, n: 2},
		{name: "processing", in: Intent{Status: Processing, PaymentMethod: "pm_2"}, kind: StillRunning, n: 2},
		{name: "its success", in: Intent{Status: IntentSucceeded, ChargeMethod: "pm_2"}, kind: GotSuccess, n: 2},
		{name: "the older one's success", in: Intent{Status: IntentSucceeded, ChargeMethod: "pm_1"}, kind: GotSuccess, n: 1},
		{name: "canceled", in: Intent{Status: IntentCanceled}, kind: GotCanceled},
		{name: "another PaymentIntent", in: Intent{Status: IntentSucceeded, ID: "pi_2"}, kind: GotMismatch},
		{name: "another account", in: Intent{Status: IntentSucceeded, Account: "acct_other"}, kind: GotMismatch},
		{name: "another amount", in: Intent{Status: IntentSucceeded, Amount: 9857}, kind: GotMismatch},
		{name: "another currency", in: Intent{Status: IntentSucceeded, Currency: "eur"}, kind: GotMismatch},
		{name: "held and not taken", in: Intent{Status: RequiresCapture}, kind: GotMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, in := askedOf(), c.in
			if c.card != "" {
				v.Attempts[0].PaymentMethod = c.card
			}
			if in.ID == "" {
				in.ID = "pi_1"
			}
			if in.Amount == 0 {
				in.Amount = 9858
			}
			if in.Currency == "" {
				in.Currency = "usd"
			}
			if e := seen(in, v); e.Kind != c.kind || e.Attempt != c.n {
				t.Errorf("it says %s of attempt %d, want %s of %d", e.Kind, e.Attempt, c.kind, c.n)
			}
		})
	}
}

func TestWhatWasReadBeforeASendSaysNothingOfIt(t *testing.T) {
	for name, change := range map[string]func(*Life){
		"another attempt": func(l *Life) { l.Attempt-- }, "the phase before": func(l *Life) { l.Phase-- }, "one copy less": func(l *Life) { l.Sends-- },
	} {
		v := askedOf()
		before := v.Payment.Life
		change(&before)
		for status, want := range map[IntentStatus]EventKind{
			RequiresPaymentMethod: Tick, RequiresAction: Tick, RequiresConfirmation: Tick, Processing: Tick, IntentSucceeded: GotSuccess, IntentCanceled: GotCanceled,
		} {
			in := Intent{ID: "pi_1", Amount: 9858, Currency: "usd", Status: status, PaymentMethod: "pm_2", ChargeMethod: "pm_2"}
			if e := seenSince(in, v, before); e.Kind != want {
				t.Errorf("%s, %s: it says %s, want %s", name, status, e.Kind, want)
			}
		}
	}
}
