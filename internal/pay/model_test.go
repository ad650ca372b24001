package pay

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// The model joins Next and the trace rule to a small model of one PaymentIntent, and goes breadth-first through everything that can happen: requests and answers
// delayed, lost or doubled, 3-D Secure, a 500 whose effect comes later, revoke, a killed caller, two attempts, time. It covers neither the outbox, Redis,
// sessions, resends, forgotten keys (24 h) nor two payments of one account. Time goes in steps of a minute; the sweeper may come at any moment, so that when it
// comes next (NextAt, Looks) is left out: that it does come is TestEveryStateMeetsEveryEvent's matter.

const (
	modelAttempts = 2
	modelStep     = time.Minute
	modelEnd      = 2 * time.Minute // the link's end, so that two steps reach it
	modelSteps    = 7               // past every lease
)

// answer is what a confirm's key gives.
type answer uint8

const (
	none answer = iota
	saidSucceeded
	saidDeclined
	saidAction
	saidRefused
	saidDead // a 500, replayed for ever
)

// stripe is one PaymentIntent; which method it holds and which its error names are numbers of attempts, 0 for none.
type stripe struct {
	status  IntentStatus
	method  int
	wrong   int
	charges int
	charged int
	keys    [modelAttempts][2]answer
	waiting [modelAttempts][2]uint8 // copies of a confirm on their way, at most two
	zombie  [modelAttempts][2]bool  // a 500 whose effect may still come
	cancels uint8                   // cancels on their way
}

// world is everything at one moment; it is comparable, and that is how the exploration knows it again.
type world struct {
	life   Life
	stripe stripe
	step   int
	// calls are those of ours who wait for the answer of a confirm.
	calls [modelAttempts][2]bool
	// read is a GET that has been answered and not yet been applied; it grows old.
	read    stripe
	hasRead bool
}

func (w world) now() time.Time { return at(time.Duration(w.step) * modelStep) }

func (w world) view() View {
	v := View{Payment: Payment{Life: w.life, Frozen: Frozen{}}}
	for n := 1; n <= w.life.Attempt; n++ {
		v.Attempts = append(v.Attempts, Attempt{N: n, PaymentMethod: fmt.Sprint("pm_", n)})
	}
	return v
}

// intent is the PaymentIntent as a GET shows it.
func (s stripe) intent() Intent {
	in := Intent{ID: "pi_1", Status: s.status, Currency: "usd"}
	name := func(n int) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprint("pm_", n)
	}
	in.PaymentMethod, in.ErrorMethod, in.ChargeMethod = name(s.method), name(s.wrong), name(s.charged)
	return in
}

// happens brings an event to the payment and puts what Next wants sent on its way.
func (w world) happens(e Event) (world, string) {
	e.Now, e.Bound = w.now(), true
	before := w.life
	life, do, err := Next(before, e)
	if err != nil {
		return w, ""
	}
	if broken := promises(before, e); broken != "" && broken != "it is due again at once" {
		return w, broken
	}
	w.life = life
	for _, d := range do {
		switch d.Kind {
		case SendConfirm:
			n, p := life.Attempt-1, life.Phase-1
			w.stripe.waiting[n][p] = min(2, w.stripe.waiting[n][p]+1)
			w.calls[n][p] = true
		case SendCancel:
			w.stripe.cancels = 1
		}
	}
	return w, ""
}

// plain forgets what the exploration leaves out.
func (w world) plain() world {
	w.life.Looks, w.life.Reason = 0, ""
	if !w.life.NextAt.IsZero() {
		w.life.NextAt = at(0)
	}
	w.life.Sends = min(w.life.Sends, 2)
	if !w.hasRead {
		w.read = stripe{}
	}
	return w
}

// confirms is Stripe carrying out a confirm: every answer that it may give.
func (s stripe) confirms(n, p int) []stripe {
	if s.keys[n][p] != none {
		return []stripe{s} // the saved answer, nothing is done
	}
	attempt := n + 1
	keep := func(s stripe, a answer) stripe { s.keys[n][p] = a; return s }
	possible := s.status == RequiresPaymentMethod || s.status == RequiresConfirmation || s.status == RequiresAction
	if p == 1 {
		possible = s.status == RequiresConfirmation
	}
	if !possible || p == 0 && s.wrong == attempt { // a card is used up by a decline
		return []stripe{keep(s, saidRefused)}
	}
	if p == 0 {
		s.method = attempt
	}
	out := []stripe{keep(s, saidDead)} // 500, rolled back …
	if p == 0 {
		out[0].method, out[0].status = 0, RequiresPaymentMethod
	}
	later := out[0]
	later.zombie[n][p] = true // … or not
	paid, no := s.chargedNow(), s
	no.status, no.wrong, no.method = RequiresPaymentMethod, s.method, 0
	out = append(out, later, keep(paid, saidSucceeded), keep(no, saidDeclined))
	if p == 0 {
		asks := s
		asks.status = RequiresAction
		out = append(out, keep(asks, saidAction))
	}
	return out
}

func (s stripe) chargedNow() stripe {
	s.status, s.charges, s.charged, s.wrong = IntentSucceeded, s.charges+1, s.method, 0
	return s
}

// wakes is the effect of a 500 coming after all.
func (s stripe) wakes(n, p int) stripe {
	s.zombie[n][p] = false
	if s.status == RequiresPaymentMethod && p == 0 || s.status == RequiresConfirmation {
		s.method = n + 1
		return s.chargedNow()
	}
	return s
}

func (s stripe) canceled() stripe {
	switch s.status {
	case RequiresPaymentMethod, RequiresConfirmation, RequiresAction:
		s.status, s.method = IntentCanceled, 0
	}
	return s
}

// answered is a call of ours getting its answer.
func (w world) answered(n, p int) (world, string) {
	w.calls[n][p] = false
	switch w.stripe.keys[n][p] {
	case saidDeclined:
		return w.happens(Event{Kind: GotDecline, Attempt: n + 1})
	case saidDead:
		return w.happens(Event{Kind: GotDeadAnswer, Attempt: n + 1})
	case saidRefused: // the machine asks what else there is to see
		if e := seen(w.stripe.intent(), w.view()); e.Kind != NoTrace {
			return w.happens(e)
		}
		return w.happens(Event{Kind: GotRefusal, Attempt: n + 1})
	case saidSucceeded, saidAction:
		old := w.stripe // the answer shows the PaymentIntent as it was then
		if w.stripe.keys[n][p] == saidAction {
			old.status, old.method = RequiresAction, n+1
		} else {
			old.status, old.charged = IntentSucceeded, n+1
		}
		return w.happens(seen(old.intent(), w.view()))
	}
	return w, ""
}

// tend is the sweeper: Machine.Tend's choice between a look and a tick.
func (w world) tend() []world {
	l := w.life
	inTime := l.State == Open && w.now().Before(l.ExpiresAt)
	if l.State.InFlight() && l.ClosingAs == "" || inTime || l.State.Closed() && !l.CancelDue {
		return []world{w.look()}
	}
	next, _ := w.happens(Event{Kind: Tick})
	return []world{next}
}

func (w world) look() world {
	w.read, w.hasRead = w.stripe, true
	w.read.keys, w.read.waiting, w.read.zombie, w.read.cancels = [modelAttempts][2]answer{}, [modelAttempts][2]uint8{}, [modelAttempts][2]bool{}, 0
	return w
}

// next is everything that can happen now.
func (w world) next() (out []world, broken string) {
	add := func(next world, b string) {
		if b != "" {
			broken = b
		}
		out = append(out, next)
	}
	if w.life.Attempt < modelAttempts {
		add(w.happens(Event{Kind: Claim}))
	}
	if !w.life.Revoke {
		add(w.happens(Event{Kind: WasRevoked, Reason: ReasonAgent}))
	}
	if w.step < modelSteps {
		later := w
		later.step++
		add(later, "")
	}
	for _, next := range w.tend() {
		add(next, "")
	}
	if w.hasRead {
		applied := w
		applied.hasRead = false
		add(applied.happens(seen(w.read.intent(), w.view())))
	}
	for n := range modelAttempts {
		for p := range 2 {
			if w.stripe.waiting[n][p] > 0 {
				here := w
				here.stripe.waiting[n][p]--
				for _, s := range here.stripe.confirms(n, p) {
					done := here
					done.stripe = s
					add(done, "")
				}
				add(here, "") // the copy is lost
			}
			if w.stripe.zombie[n][p] {
				woken := w
				woken.stripe = w.stripe.wakes(n, p)
				add(woken, "")
			}
			if w.calls[n][p] {
				if w.stripe.keys[n][p] != none {
					add(w.answered(n, p))
				}
				lost := w
				lost.calls[n][p] = false
				add(lost, "") // its process is killed
				add(lost.happens(Event{Kind: GotNothing, Attempt: n + 1}))
			}
		}
	}
	if w.stripe.cancels > 0 {
		lost := w
		lost.stripe.cancels = 0
		add(lost, "")
		lost.stripe = lost.stripe.canceled()
		add(lost, "")                                              // done, and the answer is lost
		add(lost.happens(seen(lost.stripe.intent(), lost.view()))) // done, and told
	}
	if w.stripe.charges == 0 && w.stripe.status == RequiresPaymentMethod { // somebody at Stripe's dashboard, with a card of their own
		paid := w
		paid.stripe.method = 0
		paid.stripe = paid.stripe.chargedNow()
		add(paid, "")
	}
	switch w.stripe.status {
	case RequiresAction: // the payer at their bank's page
		passed, failed := w, w
		passed.stripe.status = RequiresConfirmation
		failed.stripe.status, failed.stripe.wrong, failed.stripe.method = RequiresPaymentMethod, w.stripe.method, 0
		add(passed, "")
		add(failed, "")
	}
	return out, broken
}

// broken says which invariant a moment breaks, "" for none.
func (w world) broken() string {
	l, s := w.life, w.stripe
	if s.charges > 1 {
		return "I1: charged twice"
	}
	mayCharge := func() bool {
		for n := range modelAttempts {
			for p := range 2 {
				if s.zombie[n][p] && s.wakes(n, p).charges > s.charges {
					return true
				}
				if s.waiting[n][p] > 0 && slices.ContainsFunc(s.confirms(n, p), func(after stripe) bool { return after.charges > s.charges }) {
					return true
				}
			}
		}
		return false
	}
	switch {
	case l.State == Open && s.charges == 0 && mayCharge():
		return "it is open again while a charge may still come"
	case l.State.Closed() && !l.CancelDue && s.charges == 0 && (mayCharge() || s.status != IntentCanceled):
		return "it has closed for good while a charge may still come"
	case l.State == Paid && s.charges == 0, l.State == PaidAfterClose && s.charges == 0:
		return "paid without a charge"
	case l.State == Review:
		return "a person is asked about what is in order"
	case s.cancels > 0 && l.State.InFlight() && l.ClosingAs == "":
		return "a cancel is on its way that is not stored"
	}
	return ""
}

// settles plays a fair world on: what is on its way is lost, zombies wake, the sweeper comes, every answer arrives, time passes. It must come to the true end in so many rounds.
func (w world) settles() string {
	const rounds = 30
	for n := range modelAttempts {
		for p := range 2 {
			w.stripe.waiting[n][p], w.calls[n][p] = 0, false
			if w.stripe.zombie[n][p] {
				w.stripe = w.stripe.wakes(n, p)
			}
		}
	}
	w.hasRead, w.stripe.cancels = false, 0
	for range rounds {
		l := w.life
		if !l.State.Live() && !l.CancelDue {
			break
		}
		w = w.tend()[0]
		if w.hasRead {
			w.hasRead = false
			w, _ = w.happens(seen(w.read.intent(), w.view()))
		}
		for n := range modelAttempts {
			for p := range 2 {
				for ; w.stripe.waiting[n][p] > 0; w.stripe.waiting[n][p]-- {
					all := w.stripe.confirms(n, p)
					w.stripe = all[len(all)-1]
				}
				if w.calls[n][p] {
					w, _ = w.answered(n, p)
				}
			}
		}
		if w.stripe.cancels > 0 {
			w.stripe.cancels = 0
			w.stripe = w.stripe.canceled()
			w, _ = w.happens(seen(w.stripe.intent(), w.view()))
		}
		w.step++
	}
	l := w.life
	switch {
	case l.State.Live() || l.CancelDue:
		return "it does not settle: " + string(l.State)
	case w.stripe.charges == 1 && l.State != Paid && l.State != PaidAfterClose:
		return "charged and not booked: " + string(l.State)
	case w.stripe.charges == 0 && !l.State.Closed():
		return "booked and not charged: " + string(l.State)
	}
	return ""
}

// TestAtMostOneChargeWhateverHappens explores the model, as far as the time allows: a shorter way to a failure is found first.
func TestAtMostOneChargeWhateverHappens(t *testing.T) {
	most := 250_000
	if testing.Short() || underRace {
		most = 40_000
	}
	start := world{life: Life{State: Open, IntentID: "pi_1", ExpiresAt: at(modelEnd), NextAt: at(modelEnd)}, stripe: stripe{status: RequiresPaymentMethod}}
	seenBefore := map[world]bool{start: true}
	from := map[world]world{}
	queue := []world{start}
	ends := map[State]int{}
	for len(queue) > 0 && len(seenBefore) < most {
		w := queue[0]
		queue = queue[1:]
		problem := w.broken()
		if problem == "" {
			problem = w.settles()
		}
		all, broken := w.next()
		if problem == "" {
			problem = broken
		}
		if problem != "" {
			t.Fatalf("%s\n%s", problem, path(from, w))
		}
		if !w.life.State.Live() {
			ends[w.life.State]++
		}
		for _, n := range all {
			if n = n.plain(); !seenBefore[n] {
				seenBefore[n] = true
				from[n] = w
				queue = append(queue, n)
			}
		}
	}
	for _, s := range []State{Paid, PaidAfterClose, Expired, Revoked} {
		if ends[s] == 0 {
			t.Errorf("no way ended as %s: the model does not do what it is for", s)
		}
	}
	t.Logf("%d moments, %d left, ends %v", len(seenBefore), len(queue), ends)
}

// path is how a moment came about, for whoever has to understand a failure.
func path(from map[world]world, w world) string {
	var out []string
	for {
		s := w.stripe
		out = append(out, fmt.Sprintf("%d min: %s closing %q revoke %v attempt %d phase %d | stripe %s method %d error %d charges %d keys %v waiting %v zombies %v cancels %d calls %v read %v %s",
			w.step, w.life.State, w.life.ClosingAs, w.life.Revoke, w.life.Attempt, w.life.Phase, s.status, s.method, s.wrong, s.charges, s.keys, s.waiting, s.zombie, s.cancels, w.calls, w.hasRead, w.read.status))
		before, ok := from[w]
		if !ok {
			break
		}
		w = before
	}
	slices.Reverse(out)
	text := ""
	for _, line := range out {
		text += line + "\n"
	}
	return text
}
