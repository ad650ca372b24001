package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// truth watches how long our books say something else than Stripe's.
type truth struct {
	w *town

	mu     sync.Mutex
	since  map[string]*spell // payments that disagree at this moment, by PaymentIntent
	spells []*spell
	faults []*spell
}

// spell is a while: a payment that disagreed, or a fault. Its end is zero as long as it lasts.
type spell struct {
	what     string // the fault's name, or what both books said at first and at last
	from, to time.Time
}

// delay is one time from fault to true state.
type delay struct {
	took time.Duration
	what string
}

const lookEvery = 100 * time.Millisecond

// run looks again and again until the context ends.
func (t *truth) run(ctx context.Context) {
	for ctx.Err() == nil {
		t.look(ctx)
		wait(ctx, lookEvery)
	}
}

// look compares once. While the database does not answer nothing is learnt, and what disagreed goes on.
func (t *truth) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	type state struct {
		is     string
		cancel bool
	}
	ours := map[string]state{}
	at := time.Now()
	err := rows(ctx, t.w.sql, `SELECT intent_id, state, cancel_due <> 0 FROM payments WHERE intent_id IS NOT NULL`, func(scan func(...any) error) error {
		var id string
		var s state
		err := scan(&id, &s.is, &s.cancel)
		ours[id] = s
		return err
	})
	if err != nil {
		return
	}
	theirs := t.w.stripe.Books()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, account := range theirs.Accounts {
		for _, in := range account.Intents {
			s, ok := ours[in.ID]
			began, apart := t.since[in.ID]
			said := s.is + " and " + in.Status
			switch same := !ok || agree(s.is, s.cancel, in.Status); {
			case same && apart:
				began.to, began.what = at, began.what+", then "+said
				t.spells = append(t.spells, began)
				delete(t.since, in.ID)
			case !same && !apart:
				t.since[in.ID] = &spell{what: said, from: at}
			}
		}
	}
}

// agree says whether a state of ours tells the truth about a PaymentIntent's: an attempt that is on its way, or of which nothing is known, does not yet.
func agree(ours string, cancelDue bool, theirs string) bool {
	switch {
	case slices.Contains(tookMoney, ours):
		return theirs == "succeeded"
	case slices.Contains(closedDead, ours):
		return theirs == "canceled" && !cancelDue
	case ours == "open":
		return theirs == "requires_payment_method"
	case ours == "needs_action":
		return theirs == "requires_action"
	case ours == "review":
		return true // a person decides
	}
	return false
}

// fault notes that one begins; the function that it returns notes that it is over.
func (t *truth) fault(name string) (over func()) {
	s := &spell{what: name, from: time.Now()}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, s)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		s.to = time.Now()
	}
}

// apart is how many payments disagree now.
func (t *truth) apart() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.since)
}

// delays are the times from fault to true state, shortest first: of every spell in which a fault raged, from its beginning, or the end of the last fault that
// ended in it, whichever is later, to the moment when both said the same again. A spell that outlasts every fault and never ended is not here: it is unsettled.
func (t *truth) delays() []delay {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []delay
	for _, s := range t.spells {
		from, touched := s.from, []string(nil)
		for _, f := range t.faults {
			if f.from.After(s.to) || !f.to.IsZero() && f.to.Before(s.from) {
				continue
			}
			if !f.to.IsZero() && !f.to.After(s.to) && f.to.After(from) {
				from = f.to
			}
			touched = append(touched, f.what)
		}
		if n := len(touched); n > 0 {
			out = append(out, delay{s.to.Sub(from), fmt.Sprintf("%s (%d faults, the last: %s)", s.what, n, strings.Join(touched[max(0, n-4):], "; "))})
		}
	}
	slices.SortFunc(out, func(a, b delay) int { return cmp.Compare(a.took, b.took) })
	return out
}

// quantile is of sorted values; 0 of none.
func quantile(sorted []delay, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))].took
}
