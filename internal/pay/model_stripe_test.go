package pay

// Stripe's side of the model: one PaymentIntent, the idempotency keys of its confirms, and what is on its way to it. It does all that payments.md
// says of Stripe, and nothing kinder. That a PaymentIntent is charged once at most is Stripe's promise (decision 1) and is built in: what is to be
// proven is that we never say otherwise.

const mostTries = 3

// stands is a PaymentIntent's status; 0: there is none.
type stands uint8

const (
	fresh  stands = iota + 1 // requires_payment_method
	authed                   // requires_confirmation
	asking
	processing
	capturing // requires_capture: never asked for
	canceledThere
	charged
)

var statusOf = [...]IntentStatus{"", RequiresPaymentMethod, RequiresConfirmation, RequiresAction, Processing, RequiresCapture, IntentCanceled, IntentSucceeded}

// saved is what a key has answered, and answers for ever.
type saved uint8

const (
	nothingYet saved = iota
	saidPaid
	saidNo
	saidAsk
	saidRefuse
	saidBroken // a 500: the same again for every later copy
	saidWait   // processing
)

// A card is the number of the attempt that used it first; noCard is none, aStrangers one that was never ours (somebody at the dashboard).
const (
	noCard     uint8 = 0
	aStrangers uint8 = mostTries + 1
)

var cardNames = [...]string{"", "pm_1", "pm_2", "pm_3", "pm_x"}

// face is what a GET shows.
type face struct {
	stands stands
	holds  uint8 // card
	fault  uint8 // card that last_payment_error names
	paidBy uint8 // card that the charge names
}

func (f face) intent() Intent {
	return Intent{ID: "pi_1", Status: statusOf[f.stands], Currency: "usd", PaymentMethod: cardNames[f.holds], ErrorMethod: cardNames[f.fault], ChargeMethod: cardNames[f.paidBy]}
}

func (f face) over() bool { return f.stands == canceledThere || f.stands == charged }

// confirmable: a confirm with a card may do something.
func (f face) confirmable() bool {
	return f.stands == fresh || f.stands == authed || f.stands == asking
}

// till is Stripe: arrays are by attempt and phase, both counted from 0.
type till struct {
	face
	card   [mostTries]uint8 // that an attempt uses; ours, kept here because the confirm carries it
	saved  [mostTries][2]saved
	way    [mostTries][2]bool // a copy of a confirm may still arrive: it is in the network, or with a process that sleeps
	late   [mostTries][2]bool // a 500 whose effect comes later, perhaps
	cancel bool               // a cancel may still arrive
}

// tidy forgets what can make no difference any more.
func (t till) tidy() till {
	if t.over() {
		t.late, t.cancel, t.holds, t.fault = [mostTries][2]bool{}, false, noCard, noCard
	}
	for n := range t.saved {
		for p := range t.saved[n] {
			if t.saved[n][p] != nothingYet {
				t.way[n][p] = false // it would only be told the saved answer
			}
		}
	}
	return t
}

func (t till) pays(card uint8) till {
	t.stands, t.holds, t.fault, t.paidBy = charged, noCard, noCard, card
	return t.tidy()
}

func (t till) declines(card uint8) till {
	t.stands, t.holds, t.fault = fresh, noCard, card
	return t
}

func (t till) canceled() till {
	t.stands = canceledThere
	return t.tidy()
}

func (t till) says(n, p int, a saved) till {
	t.saved[n][p], t.way[n][p] = a, false
	return t
}

// faults chooses what else may go wrong at Stripe.
type faults struct {
	broken     bool // 500s: rolled back, half done, rolled forward later
	processing bool
	capture    bool
	asksTwice  bool // 3-D Secure once more, in answer to phase 2
}

// arrives is a copy of a confirm, with a key that has no answer yet, being carried out: everything that may come of it.
func (t till) arrives(n, p int, f faults, each func(what string, t till)) {
	card := t.card[n]
	possible := t.confirmable()
	if p == 1 {
		possible, card = t.stands == authed, t.holds
	}
	each("refuses", t.says(n, p, saidRefuse)) // the card entry was used before, or whatever it has against it
	if !possible {
		return
	}
	each("charges", t.says(n, p, saidPaid).pays(card))
	each("declines", t.says(n, p, saidNo).declines(card))
	asks := t.says(n, p, saidAsk)
	asks.stands, asks.holds, asks.fault = asking, card, noCard
	if p == 0 || f.asksTwice {
		each("asks for 3-D Secure", asks)
	}
	if f.broken {
		broken := t.says(n, p, saidBroken)
		each("fails, rolled back", broken)
		if p == 0 && t.stands == fresh {
			half := broken
			half.stands, half.holds, half.fault = authed, card, noCard
			each("fails, half done", half)
		}
		broken.late[n][p] = true
		each("fails, its effect to come", broken)
	}
	if f.processing {
		slow := t.says(n, p, saidWait)
		slow.stands, slow.holds, slow.fault = processing, card, noCard
		each("takes its time", slow)
	}
	if f.capture {
		odd := t.says(n, p, saidRefuse)
		odd.stands, odd.holds, odd.fault = capturing, card, noCard
		each("only authorises", odd)
	}
}

// comes is a 500's effect that comes after all.
func (t till) comes(n, p int, each func(what string, t till)) {
	t.late[n][p] = false
	if !t.confirmable() {
		return
	}
	card := t.card[n]
	each("charges after all", t.pays(card))
	each("declines after all", t.declines(card))
	if p == 0 {
		t.stands, t.holds, t.fault = asking, card, noCard
		each("asks for 3-D Secure after all", t)
	}
}

// byItself is what happens at Stripe without us: the payer at their bank's page, slow banks, cancels of ours that arrive.
func (t till) byItself(each func(what string, t till)) {
	switch t.stands {
	case asking:
		passed := t
		passed.stands = authed
		each("payer passes 3-D Secure", passed)
		each("payer fails 3-D Secure", t.declines(t.holds))
	case processing:
		each("the slow bank pays", t.pays(t.holds))
		each("the slow bank declines", t.declines(t.holds))
	}
	if t.cancel && t.confirmable() {
		each("cancel arrives", t.canceled())
	}
}

// mayCharge says whether something of ours may still charge, whatever else happens.
func (t till) mayCharge() bool {
	if t.over() || t.stands == 0 {
		return false
	}
	if t.stands == processing {
		return true
	}
	for n := range t.way {
		for p := range t.way[n] {
			if t.way[n][p] || t.late[n][p] {
				return true
			}
		}
	}
	return false
}
