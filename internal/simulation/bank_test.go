package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"paylink/internal/money"
	"paylink/internal/pay"
)

// bank is Stripe, behind pay.Gateway: what stripesim does at wire level, without the wire (a request there costs as much as six queries here), and worse:
// requests overtake one another, arrive after their sender has given up, and answers are read late. TestTheBankIsAsStripesimIs holds it against stripesim.
// That a PaymentIntent is charged once at most is Stripe's promise, and is built in.
type bank struct {
	w       *world
	intents []*intent
	cards   map[string]*card
	keys    map[string]*saved
	alone   bool         // nobody is told of anything, and no payment of ours stands behind it
	unheard []pay.Notice // what no webhook has told us of
	down    time.Time    // until when it answers nobody
}

// intent is a PaymentIntent.
type intent struct {
	pay.Intent
	passed  string // PaymentMethod that passed 3-D Secure and awaits the last confirm
	busy    bool   // a request is being carried out: others are told to wait
	charges int
	outside bool // somebody did something to it in the dashboard

	refunds  []*pay.GivenBack
	disputes []*pay.Contest
}

// back is how much of it has gone back, failed refunds not counted.
func (in *intent) back() (sum money.Cents) {
	for _, r := range in.refunds {
		if r.Status != pay.RefundFailed {
			sum += r.Amount
		}
	}
	return sum
}

// card is a PaymentMethod: entered once, charged or declined once.
type card struct {
	id      string
	kind    cardKind
	saved   bool // on file: it can be charged again
	spent   bool
	boundTo string // PaymentIntent whose 3-D Secure it is in
}

type cardKind string

const (
	good       cardKind = "good"
	poor       cardKind = "poor"       // declined
	secure     cardKind = "secure"     // asks for 3-D Secure, then pays
	secureTwo  cardKind = "twice"      // asks again in answer to the second confirm
	securePoor cardKind = "securepoor" // asks for 3-D Secure, then is declined
	slow       cardKind = "slow"       // processing first, then paid
	slowPoor   cardKind = "slowpoor"   // processing first, then declined
	amex       cardKind = "amex"
)

// saved is what an idempotency key has answered, and answers for a day.
type saved struct {
	request string
	running bool
	dead    bool // a 500
	answer  answer
	err     error
}

// answer is what comes back: a PaymentIntent, or a refund.
type answer struct {
	pay.Intent
	back pay.GivenBack
}

func newBank(w *world) *bank {
	return &bank{w: w, cards: map[string]*card{}, keys: map[string]*saved{}}
}

// enter is a card being typed into Stripe's fields.
func (b *bank) enter(kind cardKind) string {
	c := &card{id: fmt.Sprintf("pm_%d_%s", len(b.cards)+1, kind), kind: kind}
	b.cards[c.id] = c
	return c.id
}

func (b *bank) find(id string) *intent {
	for _, in := range slices.Backward(b.intents) { // it is mostly one of the last
		if in.ID == id {
			return in
		}
	}
	return nil
}

var (
	errTimeout = fmt.Errorf("%w: it did not answer in time", pay.ErrUnclear)
	errDown    = fmt.Errorf("%w: it answered 503", pay.ErrUnclear)
	err500     = fmt.Errorf("%w: it answered 500", pay.ErrUnclear)
	err409     = fmt.Errorf("%w: it answered 409", pay.ErrUnclear)
	err429     = fmt.Errorf("%w: it answered 429", pay.ErrUnclear)
)

func refuse(code string) error { return &pay.RequestError{Status: 400, Code: code, RequestID: "req"} }

// --- The wire ---------------------------------------------------------------------------------------------------------------------------

// patience is how long one request waits for its answer.
const patience = 20 * time.Second

// request is a POST on its way. It goes on when its sender is killed or has given up.
type request struct {
	what    string
	key     string // "" for a cancel, whose key is never used again
	text    string // its parameters
	on      string // PaymentIntent
	perform func() (answer, error)
	half    func() // what a request may leave undone of itself
}

// send carries a request there and its answer back, or does not.
func (b *bank) send(ctx context.Context, r request) (answer, error) {
	w := b.w
	w.step("stripe " + r.what)
	if ctx.Err() != nil {
		return answer{}, fmt.Errorf("%w: the asker went away", pay.ErrUnclear)
	}
	var in answer
	var err error
	answered, waiting := false, true
	asker := w.running
	travel := w.between(20*time.Millisecond, 300*time.Millisecond)
	if r.what != "create" && w.happens(lateRequest) {
		travel = w.between(time.Second, 2*time.Minute)
	}
	w.begin("wire "+r.what+" "+tail(r.key), nil, travel, func(*task) {
		gotIn, gotErr, lost := b.receive(r)
		if lost {
			return
		}
		w.pause(w.between(20*time.Millisecond, 200*time.Millisecond))
		if waiting {
			in, err, answered = gotIn, gotErr, true
			w.wake(asker)
		}
	})
	w.pause(patience)
	waiting = false
	if !answered {
		err = errTimeout
	}
	w.say("stripe %s %s %s: %s", r.what, r.on, tail(r.key), said(in, err))
	w.step("stripe " + r.what + " answered")
	return in, err
}

func tail(key string) string { return key[strings.LastIndexByte(key[:max(0, len(key)-2)], ':')+1:] }

func said(in answer, err error) string {
	if err != nil {
		return err.Error()
	}
	if in.back.ID != "" {
		return in.back.ID + " " + string(in.back.Status)
	}
	return string(in.Status) + " " + in.PaymentMethod + " " + in.ErrorMethod
}

// receive is a request at Stripe: its key, its faults, and what it asks for. lost: no answer goes back.
func (b *bank) receive(r request) (in answer, err error, lost bool) {
	w := b.w
	confirm := r.what == "confirm"
	spared := r.what == "create" && w.rolls(0.7) // or few payments would ever begin
	switch {
	case spared:
	case w.now.Before(b.down):
		return in, errDown, w.happens(lostBefore)
	case w.happens(lostBefore):
		return in, nil, true
	case w.happens(answer429):
		return in, err429, false
	case w.happens(answer409):
		return in, err409, false
	}
	if k := b.keys[r.key]; r.key != "" && k != nil {
		switch {
		case k.request != r.text:
			w.breaks("key %s was used for another request: %s, then %s", r.key, k.request, r.text)
			return in, refuse("idempotency_error"), false
		case k.running:
			w.did(answer409)
			return in, err409, false
		case k.dead:
			return in, &pay.DeadAnswerError{RequestID: "req"}, w.happens(lostAfter)
		}
		return k.answer, k.err, w.happens(lostAfter)
	}
	k := &saved{request: r.text, running: true}
	if r.key != "" {
		b.keys[r.key] = k
	}
	pi := b.find(r.on)
	if pi != nil && pi.busy { // Stripe lets one request at a time change an object
		delete(b.keys, r.key)
		w.did(answer429)
		return in, err429, false
	}
	if pi != nil {
		pi.busy = true
		defer func() { pi.busy = false }()
	}
	if confirm {
		w.pause(w.between(50*time.Millisecond, 2*time.Second)) // the bank is asked
	}
	switch {
	case !spared && w.happens(rolledBack):
		k.running, k.dead = false, true
		w.say("%s fails, rolled back", r.what)
		return in, err500, false
	case confirm && w.happens(halfDone):
		k.running, k.dead = false, true
		w.say("%s fails, half done", r.what)
		r.half()
		return in, err500, false
	case (confirm || r.what == "refund") && w.happens(rolledForward):
		k.running, k.dead = false, true
		later := w.between(time.Second, 3*time.Minute)
		if w.rolls(0.2) {
			later = w.between(3*time.Minute, time.Hour)
		}
		w.say("%s fails, and will be done in %s", r.what, later.Round(time.Second))
		w.begin("rolling forward "+tail(r.key), nil, later, func(*task) {
			w.faultAt = w.now
			_, err := r.perform()
			w.say("done after all: %v", err)
		})
		return in, err500, false
	}
	in, err = r.perform()
	k.running, k.answer, k.err = false, in, err
	w.say("stripe does %s %s: %s", r.what, r.on, said(in, err))
	if confirm && w.happens(confirmLost) {
		return in, err, true
	}
	return in, err, !spared && w.happens(lostAfter)
}

// CreateIntent makes a PaymentIntent.
func (b *bank) CreateIntent(ctx context.Context, r pay.IntentRequest) (pay.Intent, error) {
	got, err := b.send(ctx, request{what: "create", key: r.Key, text: fmt.Sprint(r), perform: func() (answer, error) {
		id := fmt.Sprintf("pi_%d", len(b.intents)+1)
		in := &intent{Intent: pay.Intent{
			ID: id, Account: r.Account, Status: pay.RequiresPaymentMethod, Amount: r.Amount, Currency: "usd", ClientSecret: pay.NewSecret(id + "_secret_word"), CreatedAt: b.w.now,
			Origin: pay.Origin{PaymentID: r.PaymentID, ClientID: r.ClientID, VehicleID: r.VehicleID, LocationID: r.LocationID, ChainID: r.ChainID},
		}}
		b.intents = append(b.intents, in)
		b.tell(in, "payment_intent.created")
		return answer{Intent: in.Intent}, nil
	}})
	return got.Intent, err
}

// Confirm charges, or asks for 3-D Secure.
func (b *bank) Confirm(ctx context.Context, r pay.ConfirmRequest) (pay.Intent, error) {
	pi := b.find(r.IntentID)
	got, err := b.send(ctx, request{
		what: "confirm", key: r.Key, text: fmt.Sprint(r), on: r.IntentID,
		perform: func() (answer, error) { return whole(b.confirm(pi, r)) },
		half: func() { // it holds the card, and nobody has asked the bank
			if c := b.cards[r.PaymentMethod]; pi != nil && c != nil && !c.spent && pi.Status == pay.RequiresPaymentMethod {
				pi.Status, pi.PaymentMethod, pi.ErrorMethod, pi.ErrorCode, pi.passed = pay.RequiresConfirmation, c.id, "", "", ""
			}
		},
	})
	return got.Intent, err
}

func whole(in pay.Intent, err error) (answer, error) { return answer{Intent: in}, err }

// Cancel cancels what can be.
func (b *bank) Cancel(ctx context.Context, account, intentID string) (pay.Intent, error) {
	got, err := b.send(ctx, request{what: "cancel", on: intentID, perform: func() (answer, error) {
		pi := b.find(intentID)
		if pi == nil || pi.Account != account {
			return answer{}, refuse("resource_missing")
		}
		return whole(b.cancel(pi))
	}})
	return got.Intent, err
}

// Refund gives money back. That nothing is given back twice for one of our refunds is our own doing, and is checked here.
func (b *bank) Refund(ctx context.Context, r pay.RefundRequest) (pay.GivenBack, error) {
	got, err := b.send(ctx, request{what: "refund", key: r.Key, text: fmt.Sprint(r), on: r.IntentID, perform: func() (answer, error) {
		back, err := b.refund(b.find(r.IntentID), r)
		return answer{back: back}, err
	}})
	return got.back, err
}

// Refunds and Contests read; what they have read may be old when it is heard.
func (b *bank) Refunds(ctx context.Context, account, intentID string) (out []pay.GivenBack, err error) {
	err = b.read(ctx, account, intentID, func(pi *intent) {
		for _, r := range pi.refunds {
			out = append([]pay.GivenBack{*r}, out...)
		}
	})
	return out, err
}

func (b *bank) Contests(ctx context.Context, account, intentID string) (out []pay.Contest, err error) {
	err = b.read(ctx, account, intentID, func(pi *intent) {
		for _, d := range pi.disputes {
			c := *d
			c.Moved = slices.Clone(d.Moved)
			out = append(out, c)
		}
	})
	return out, err
}

// Clone copies a saved card.
func (b *bank) Clone(ctx context.Context, account, _, paymentMethod string) (id string, err error) {
	w := b.w
	w.step("stripe clone")
	c := b.cards[paymentMethod]
	if ctx.Err() != nil || w.now.Before(b.down) || w.happens(lostRead) || c == nil || account == "" {
		return "", errTimeout
	}
	return b.enter(c.kind), nil
}

// Intent reads. What it has read may be old when it is heard.
func (b *bank) Intent(ctx context.Context, account, intentID string) (in pay.Intent, err error) {
	err = b.read(ctx, account, intentID, func(pi *intent) {
		in = pi.Intent
		b.w.say("stripe get %s: %s", intentID, said(answer{Intent: in}, nil))
	})
	return in, err
}

func (b *bank) read(ctx context.Context, account, intentID string, look func(*intent)) error {
	w := b.w
	w.step("stripe get")
	if ctx.Err() != nil {
		return fmt.Errorf("%w: the asker went away", pay.ErrUnclear)
	}
	w.pause(w.between(20*time.Millisecond, 200*time.Millisecond))
	if w.now.Before(b.down) {
		return errDown
	}
	if w.happens(lostRead) {
		w.pause(patience)
		return errTimeout
	}
	pi := b.find(intentID)
	if pi == nil || pi.Account != account {
		return refuse("resource_missing")
	}
	look(pi)
	w.pause(w.between(20*time.Millisecond, 200*time.Millisecond))
	w.step("stripe get answered")
	return nil
}

// Card reads a PaymentMethod.
func (b *bank) Card(ctx context.Context, _, paymentMethod string) (pay.Card, error) {
	w := b.w
	w.step("stripe card")
	if ctx.Err() != nil || w.now.Before(b.down) || w.happens(lostRead) {
		return pay.Card{}, errTimeout
	}
	w.pause(w.between(40*time.Millisecond, 200*time.Millisecond))
	c := b.cards[paymentMethod]
	if c == nil {
		return pay.Card{}, refuse("resource_missing")
	}
	return c.face(), nil
}

func (c *card) face() pay.Card {
	out := pay.Card{Brand: "visa", Last4: "4242", Funding: "credit", AVS: "pass", CVC: "pass"}
	if c.kind == amex {
		out.Brand, out.Last4 = "amex", "0005"
	}
	return out
}

// --- What it does -----------------------------------------------------------------------------------------------------------------------

func (b *bank) confirm(pi *intent, r pay.ConfirmRequest) (pay.Intent, error) {
	if pi == nil || pi.Account != r.Account {
		return pay.Intent{}, refuse("resource_missing")
	}
	switch pi.Status {
	case pay.RequiresPaymentMethod, pay.RequiresConfirmation:
	case pay.RequiresAction:
		if r.PaymentMethod == "" {
			return pay.Intent{}, refuse("payment_intent_unexpected_state")
		}
	default:
		return pay.Intent{}, refuse("payment_intent_unexpected_state")
	}
	holds := pi.PaymentMethod
	if r.PaymentMethod != "" {
		holds = r.PaymentMethod
	}
	c := b.cards[holds]
	switch {
	case holds == "" || c == nil:
		return pay.Intent{}, refuse("payment_intent_unexpected_state")
	case c.spent || c.boundTo != "" && c.boundTo != pi.ID:
		return pay.Intent{}, refuse("payment_method_unusable")
	}
	passed := pi.passed == c.id
	pi.PaymentMethod, pi.ErrorMethod, pi.ErrorCode, pi.passed = c.id, "", "", ""
	if asks := c.kind == secure || c.kind == securePoor || c.kind == secureTwo; asks && r.OffSession {
		err := b.declines(pi, c)
		pi.ErrorCode = "authentication_required"
		return pay.Intent{}, &pay.CardError{Code: pi.ErrorCode, Intent: err.(*pay.CardError).Intent}
	}
	switch asks := c.kind == secure || c.kind == securePoor || c.kind == secureTwo; {
	case asks && !passed:
		c.boundTo, pi.Status = pi.ID, pay.RequiresAction
		b.tell(pi, "payment_intent.requires_action")
		return pi.Intent, nil
	case c.kind == secureTwo:
		c.kind, pi.Status = secure, pay.RequiresAction
		b.tell(pi, "payment_intent.requires_action")
		return pi.Intent, nil
	case c.kind == slow || c.kind == slowPoor:
		pi.Status, c.spent = pay.Processing, !c.saved
		b.tell(pi, "payment_intent.processing")
		b.w.begin("slow bank "+pi.ID, nil, b.w.between(time.Second, 4*time.Minute), func(*task) {
			b.w.faultAt = b.w.now
			if c.kind == slow {
				b.charge(pi, c, r.Key)
				return
			}
			_ = b.declines(pi, c)
		})
		return pi.Intent, nil
	case c.kind == poor || c.kind == securePoor:
		return pay.Intent{}, b.declines(pi, c)
	}
	b.charge(pi, c, r.Key)
	return pi.Intent, nil
}

// charge moves the money. What must hold at this moment is checked here, against what our own books say of the payment.
func (b *bank) charge(pi *intent, c *card, key string) {
	pi.charges++
	c.spent, c.boundTo = !c.saved, ""
	pi.Status, pi.PaymentMethod, pi.ErrorMethod, pi.ErrorCode = pay.IntentSucceeded, c.id, "", ""
	pi.ChargeID, pi.ChargeMethod, pi.Card = "ch_"+pi.ID, c.id, c.face()
	b.w.say("MONEY %s %s by %s", pi.ID, money.Cents(pi.Amount), c.id)
	if !b.alone {
		b.w.charged(pi, key)
	}
	b.tell(pi, "charge.succeeded")
	b.tell(pi, "payment_intent.succeeded")
}

func (b *bank) declines(pi *intent, c *card) error {
	c.spent, c.boundTo = !c.saved, ""
	pi.Status, pi.PaymentMethod, pi.ErrorMethod, pi.ErrorCode, pi.passed = pay.RequiresPaymentMethod, "", c.id, "insufficient_funds", ""
	b.tell(pi, "payment_intent.payment_failed")
	in := pi.Intent
	return &pay.CardError{Code: "insufficient_funds", Intent: &in}
}

func (b *bank) cancel(pi *intent) (pay.Intent, error) {
	switch pi.Status {
	case pay.IntentSucceeded, pay.IntentCanceled, pay.Processing:
		return pay.Intent{}, refuse("payment_intent_unexpected_state")
	}
	pi.Status, pi.passed = pay.IntentCanceled, ""
	b.tell(pi, "payment_intent.canceled")
	return pi.Intent, nil
}

func (b *bank) refund(pi *intent, r pay.RefundRequest) (pay.GivenBack, error) {
	w := b.w
	switch {
	case pi == nil || pi.Account != r.Account || pi.charges == 0:
		return pay.GivenBack{}, refuse("resource_missing")
	case len(pi.disputes) > 0:
		return pay.GivenBack{}, refuse("charge_disputed")
	case pi.back() >= pi.Amount:
		return pay.GivenBack{}, refuse("charge_already_refunded")
	case r.Amount > pi.Amount-pi.back():
		return pay.GivenBack{}, refuse("amount_too_large")
	}
	for _, had := range pi.refunds {
		if had.RefundID == r.RefundID && r.RefundID != "" {
			w.breaks("I3: refund %s was made twice", r.RefundID)
		}
	}
	w.events++
	back := &pay.GivenBack{ID: fmt.Sprintf("re_%d", w.events), RefundID: r.RefundID, IntentID: pi.ID, Amount: r.Amount, Status: pay.RefundSucceeded, At: w.now}
	pi.refunds = append(pi.refunds, back)
	pi.Refunded = pi.back()
	w.say("MONEY BACK %s %s %s", pi.ID, back.ID, back.Amount)
	slow := w.happens(refundSlow)
	if slow {
		back.Status = pay.RefundPending
	}
	b.tell(pi, "charge.refunded")
	if fails := w.happens(refundFails); slow || fails {
		w.begin("refund "+back.ID, nil, w.between(time.Second, 5*time.Minute), func(*task) {
			w.faultAt = w.now
			if back.Status = pay.RefundSucceeded; fails {
				back.Status, back.Failure = pay.RefundFailed, "lost_or_stolen_card"
			}
			pi.Refunded = pi.back()
			w.say("%s %s", back.ID, back.Status)
			b.tell(pi, "refund.updated")
		})
	}
	return *back, nil
}

// dispute is a card's owner at their bank, which takes the money at once and decides some time later.
func (b *bank) dispute(pi *intent) {
	w := b.w
	if pi.charges == 0 || len(pi.disputes) > 0 || pi.back() > 0 {
		return
	}
	w.events++
	d := &pay.Contest{ID: fmt.Sprintf("dp_%d", w.events), IntentID: pi.ID, ChargeID: pi.ChargeID, Amount: pi.Amount, Reason: "fraudulent", Status: "needs_response", At: w.now}
	moves := func(amount, fee money.Cents) {
		w.events++
		d.Moved = append(d.Moved, pay.Movement{ID: fmt.Sprintf("txn_%d", w.events), Type: "adjustment", Amount: amount, Fee: fee, Source: d.ID, IntentID: pi.ID, Origin: pi.Origin, At: w.now})
	}
	pi.disputes, pi.Disputed = append(pi.disputes, d), true
	moves(-d.Amount, 15_00)
	w.say("MONEY DISPUTED %s %s", pi.ID, d.ID)
	b.tell(pi, "charge.dispute.created")
	w.begin("dispute "+d.ID, nil, w.between(time.Second, 10*time.Minute), func(*task) {
		w.faultAt = w.now
		if d.Status = "lost"; w.rolls(0.5) {
			d.Status = "won"
			moves(d.Amount, -15_00)
		}
		w.say("%s %s", d.ID, d.Status)
		b.tell(pi, "charge.dispute.closed")
	})
}

// challenge is the payer at their bank's page.
func (b *bank) challenge(pi *intent, passed bool) {
	if pi == nil || pi.Status != pay.RequiresAction {
		return
	}
	c := b.cards[pi.PaymentMethod]
	if !passed {
		_ = b.declines(pi, c)
		pi.ErrorCode = "payment_intent_authentication_failure"
		return
	}
	pi.passed, pi.Status = c.id, pay.RequiresConfirmation
}

// --- The dashboard ----------------------------------------------------------------------------------------------------------------------

// cancelOutside is somebody cancelling it in the dashboard.
func (b *bank) cancelOutside(pi *intent) {
	if _, err := b.cancel(pi); err == nil {
		pi.outside = true
		b.w.say("dashboard cancels %s", pi.ID)
	}
}

// payOutside is somebody taking the money in the dashboard, by a card that we never heard of.
func (b *bank) payOutside(pi *intent) {
	if pi.Status != pay.RequiresPaymentMethod {
		return
	}
	pi.outside = true
	b.w.say("dashboard pays %s", pi.ID)
	b.charge(pi, b.cards[b.enter("dashboard")], "")
}

// tell sends an event, or several, or none.
func (b *bank) tell(pi *intent, what string) {
	w := b.w
	w.events++
	n := pay.Notice{ID: fmt.Sprintf("evt_%d", w.events), Account: pi.Account, Type: what, IntentID: pi.ID, At: w.now}
	if b.alone {
		return
	}
	if w.happens(webhookNever) {
		b.unheard = append(b.unheard, n)
		return
	}
	post := func(after time.Duration) {
		w.begin("webhook "+n.ID, nil, after, func(*task) {
			for try := range 4 { // Stripe tries again, for days
				if err := w.hear(n); err == nil || w.quiet && try > 1 {
					return
				}
				w.pause(time.Duration(try+1) * 20 * time.Second)
			}
			b.unheard = append(b.unheard, n)
		})
	}
	after := w.between(100*time.Millisecond, time.Second)
	if w.happens(webhookLate) {
		after = w.between(time.Second, 3*time.Minute)
	}
	post(after)
	if w.happens(webhookTwice) {
		post(w.between(100*time.Millisecond, 3*time.Minute))
	}
}
