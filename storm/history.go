package main

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// history is what payers did and were told, each with the time before it was asked and the time after it was answered.
//
// A payment is a register: free, held by one attempt, paid by one, or closed. A press is no single step: it takes the claim, and later lets go of it with an
// outcome. So it is written as two operations, each of which must have taken effect at one moment between the press and its answer: the claim, possible only
// while the register is free, and the end, possible only while this attempt holds it. What a payer reads must have been so at one moment while it was read. An
// answer that never came may have taken effect at any later time, or never.
//
// A double grant can't be put into such an order: two attempts that are both told "paid"; two that are both seen to hold the claim at one time; a
// payment that is free, or held, or declined, after it was paid.
type history struct {
	began    time.Time
	mu       sync.Mutex
	payments map[string]*record
}

// record is one payment's part.
type record struct {
	tries   []*attempt
	reads   []read
	outside []outsideAct
}

// attempt is one page view's press with one card.
type attempt struct {
	payment string
	session int
	method  string // PaymentMethod: no other attempt has it
	call    int64

	mu       sync.Mutex
	answered int64 // the first answer that shows that it held the claim; 0: none
	ended    int64 // the first answer that shows how it ended; 0: none
	outcome  string
	refused  bool // some answer says that there was no attempt, and none that there was
	maybe    bool // something else came, or nothing: nobody knows
}

// read is something seen of a payment, not by way of an attempt of one's own.
type read struct {
	session      int
	method       string // not held by this attempt, for elsewhere at a press
	what         string
	call, answer int64
}

const never = int64(1) << 60

func newHistory() *history {
	return &history{began: time.Now(), payments: map[string]*record{}}
}

func (h *history) now() int64 { return int64(time.Since(h.began)) } // the monotonic clock: nothing here is told by the wall

func (h *history) begin(payment string) *record {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.payments[payment] == nil {
		h.payments[payment] = &record{}
	}
	return h.payments[payment]
}

// press notes that a button is about to be pressed.
func (h *history) press(payment string, session int, method string) *attempt {
	r := h.begin(payment)
	a := &attempt{payment: payment, session: session, method: method, call: h.now()}
	h.mu.Lock()
	defer h.mu.Unlock()
	r.tries = append(r.tries, a)
	return a
}

// lost notes that no answer came.
func (a *attempt) lost() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.maybe = true
}

// answered notes an answer to a press or to what followed it. Of a session that has another attempt under way, an answer may speak of that one: it is muddled.
func (h *history) answered(a *attempt, status int, said answer, muddled bool) {
	now := h.now()
	held, outcome, refused := false, "", false
	switch {
	case status == http.StatusOK && said.State == "paid":
		held, outcome = true, "paid"
	case status == http.StatusPaymentRequired && said.State == "declined":
		held, outcome = true, "declined"
	case status == http.StatusOK && said.State == "needs_action", status == http.StatusAccepted && said.State == "unknown":
		held = true
	case status == http.StatusConflict && said.Reason == "paying":
		refused = true
		h.add(a.payment, read{session: a.session, method: a.method, what: "elsewhere", call: a.call, answer: now})
	case status == http.StatusConflict && said.Reason != "", status == http.StatusUnprocessableEntity, status == http.StatusTooManyRequests, status == http.StatusGone && said.Reason == "closed",
		status == http.StatusServiceUnavailable && said.State == "not_ready", status == http.StatusBadRequest:
		refused = true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case refused:
		a.refused = true
	case !held || muddled:
		a.maybe = true
		if status == http.StatusOK && said.State == "paid" { // by one of the session's attempts
			h.add(a.payment, read{session: a.session, what: "paid", call: a.call, answer: now})
		}
	default:
		if a.answered == 0 {
			a.answered = now
		}
		if outcome == "" {
			h.add(a.payment, read{session: a.session, method: a.method, what: "held", call: a.call, answer: now})
		}
		if outcome != "" && a.ended == 0 {
			a.ended, a.outcome = now, outcome
		} else if outcome != "" && a.outcome != outcome {
			a.outcome = "both " + a.outcome + " and " + outcome // nothing in the model ends so
		}
	}
}

// read notes what /pay/status said.
func (h *history) read(payment string, session int, call int64, said answer) {
	what := ""
	switch said.State {
	case "open", "paid":
		what = said.State
	case "paying":
		what = "elsewhere"
	case "unknown", "needs_action":
		what = "own"
	case "closed":
		switch said.Reason {
		case "used":
			what = "used"
		case "cancelled", "notmine", "superseded", "locked", "late": // "expired" and "replaced" are said of links
			what = "closed"
		}
	}
	if what != "" {
		h.add(payment, read{session: session, what: what, call: call, answer: h.now()})
	}
}

// add keeps of many equal reads in a row the first two and the last.
func (h *history) add(payment string, r read) {
	p := h.begin(payment)
	h.mu.Lock()
	defer h.mu.Unlock()
	var same []int
	for i, other := range slices.Backward(p.reads) {
		if other.session == r.session {
			if other.what != r.what || other.method != r.method {
				break
			}
			same = append(same, i)
		}
	}
	if len(same) >= 3 {
		p.reads[same[0]] = r
		return
	}
	p.reads = append(p.reads, r)
}

// --- The model --------------------------------------------------------------------------------------------------------------------------------

// register is a payment as payers may know it.
type register struct {
	holder, payer             string // attempts
	holderSession, payerSpoke int    // their sessions
	closed                    bool
}

// step is an operation of the model.
type step struct {
	kind    string // claim, end, close, or a read
	session int
	method  string
	outcome string // of end: paid, declined; "" is any
	sure    bool   // it did happen
}

func (s step) String() string {
	text := fmt.Sprintf("%s by session %d", s.kind, s.session)
	if s.method != "" {
		text += " with " + s.method[max(0, len(s.method)-6):]
	}
	if s.outcome != "" {
		text += ": " + s.outcome
	}
	if !s.sure {
		text += " (perhaps)"
	}
	return text
}

// registers is the sequential specification: what may follow on what.
func registers() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{register{}} },
		Step: func(state, input, _ any) []any {
			r, s := state.(register), input.(step)
			free := r.holder == "" && r.payer == "" && !r.closed
			if !s.sure {
				return append(possible(r, s, free), r)
			}
			return possible(r, s, free)
		},
		DescribeOperation: func(input, _ any) string { return input.(step).String() },
	}
	return m.ToModel()
}

// possible is what the register may be after a step took effect; nothing if it can't have.
func possible(r register, s step, free bool) []any {
	when := func(ok bool) []any {
		if ok {
			return []any{r}
		}
		return nil
	}
	mine := r.holder != "" && r.holder == s.method
	switch s.kind {
	case "claim":
		if free {
			return []any{register{holder: s.method, holderSession: s.session}}
		}
	case "end":
		paid, declined, closed := register{payer: s.method, payerSpoke: s.session}, register{}, register{closed: true}
		switch {
		case !mine:
		case s.outcome == "paid":
			return []any{paid}
		case s.outcome == "declined": // the fifth decline closes, and so does one that comes after a revoke or the end of time
			return []any{declined, closed}
		case s.outcome == "":
			return []any{paid, declined, closed}
		}
	case "close":
		if free {
			return []any{register{closed: true}}
		}
	case "paid outside":
		if r.payer == "" && !r.closed {
			return []any{register{payer: "outside"}}
		}
	case "cancelled outside":
		if r.payer == "" {
			return []any{register{closed: true}}
		}
	case "open":
		return when(free)
	case "elsewhere":
		if s.method != "" {
			return when(r.holder != "" && !mine)
		}
		return when(r.holder != "" && r.holderSession != s.session)
	case "held":
		return when(mine)
	case "own":
		return when(r.holder != "" && r.holderSession == s.session)
	case "paid":
		return when(r.payer != "" && r.payerSpoke == s.session)
	case "used":
		return when(r.payer != "" && r.payerSpoke != s.session)
	case "closed":
		return when(r.closed)
	}
	return nil
}

// happened notes what was done past us, and so perhaps to the register, some time from then on.
func (h *history) happened(a outsideAct) {
	p := h.begin(a.payment)
	h.mu.Lock()
	defer h.mu.Unlock()
	p.outside = append(p.outside, a)
}

// operations writes a payment's record as the model reads it.
func (p *record) operations(began time.Time) []porcupine.Operation {
	var out []porcupine.Operation
	add := func(s step, call, answer int64) {
		out = append(out, porcupine.Operation{ClientId: s.session, Input: s, Call: call, Return: answer})
	}
	add(step{kind: "close"}, 0, never) // by an agent, by time, by the account: nobody among the payers is told when
	for _, a := range p.outside {
		add(step{kind: a.what + " outside"}, int64(a.at.Sub(began)), never)
	}
	for _, a := range p.tries {
		a.mu.Lock()
		claimed := step{kind: "claim", session: a.session, method: a.method, sure: a.answered != 0}
		ended := step{kind: "end", session: a.session, method: a.method, outcome: a.outcome, sure: a.ended != 0}
		until, end := a.answered, a.ended
		if until == 0 {
			until = never
		}
		if end == 0 {
			end = never
		}
		if a.answered != 0 || !a.refused || a.maybe {
			add(claimed, a.call, until)
			add(ended, a.call, end)
		}
		a.mu.Unlock()
	}
	for _, r := range p.reads {
		add(step{kind: r.what, session: r.session, method: r.method, sure: true}, r.call, r.answer)
	}
	return out
}

// verdict is what the check of all histories has come to.
type verdict struct {
	payments, operations int
	wrong                []string // payments whose history has no order
	undecided            int      // payments whose history took too long
}

// check looks for an order of every payment's history, for a while each.
func (h *history) check(each time.Duration) verdict {
	h.mu.Lock()
	defer h.mu.Unlock()
	var v verdict
	var mu sync.Mutex
	var all sync.WaitGroup
	model := registers()
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	for id, p := range h.payments {
		ops := p.operations(h.began)
		v.payments++
		v.operations += len(ops)
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			got := porcupine.CheckOperationsTimeout(model, ops, each)
			mu.Lock()
			defer mu.Unlock()
			switch got {
			case porcupine.Illegal:
				v.wrong = append(v.wrong, describe(id, ops))
			case porcupine.Unknown:
				v.undecided++
			}
		})
	}
	all.Wait()
	slices.Sort(v.wrong)
	return v
}

func describe(id string, ops []porcupine.Operation) string {
	text := "payment " + id + ": no order explains what its payers were told:"
	for _, o := range ops {
		text += fmt.Sprintf("\n    %8.3fs %8s  %s", float64(o.Call)/1e9, ending(o.Return), o.Input)
	}
	return text
}

func ending(at int64) string {
	if at == never {
		return "never"
	}
	return fmt.Sprintf("%.3fs", float64(at)/1e9)
}
