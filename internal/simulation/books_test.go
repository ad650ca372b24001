package simulation

import (
	"bytes"
	"database/sql"
	"os"
	"strings"
	"time"

	"paylink/internal/pay"
)

// settle lets faults be over and time go by until nothing is left to do, and checks that this takes no longer than I11 allows.
func (w *world) settle() {
	w.quiet, w.faultAt = true, w.now
	for _, t := range append([]*task{}, w.tasks...) {
		if t.person {
			w.kill(t)
		}
	}
	w.bank.down = time.Time{}
	w.say("faults are over")
	// A refund or a dispute that begins at Stripe and whose webhook never comes is found by the reconciliation of balances; its part is played here.
	for _, n := range w.bank.unheard {
		if !strings.HasPrefix(n.Type, "payment_intent.") {
			w.begin("reconciliation "+n.ID, nil, 0, func(*task) { _ = w.hear(n) })
		}
	}
	for w.broken == "" {
		w.runUntil(w.now.Add(30 * time.Second))
		unsettled := w.unsettled()
		if len(unsettled) == 0 && w.now.Sub(w.faultAt) > time.Minute && !w.stillComes() {
			break
		}
		for _, s := range w.sales { // no answer will come for it: finance has looked it up
			if s.Refunding == pay.RefundStuck && !w.stillRolls() {
				w.begin("finance drops "+s.ID, w.servers[0], 0, func(t *task) {
					w.expect(w.machine.DropRefund(t.ctx, s.ID, financeActor, "Stripe shows none"), pay.ErrRefunding)
				})
			}
		}
		if len(unsettled) > 0 && w.now.Sub(w.faultAt) > settlesWithin {
			w.breaks("I11: %s is not settled %s after the last fault", strings.Join(unsettled, ", "), w.now.Sub(w.faultAt).Round(time.Second))
		}
		if w.now.Sub(w.faultAt) > 8*time.Hour {
			w.breaks("something is due for ever: %v", w.dues)
		}
	}
	if w.broken == "" {
		w.runUntil(w.now.Add(20 * time.Minute)) // and nothing happens any more
	}
}

const settlesWithin = 15 * time.Minute

func (w *world) unsettled() (out []string) {
	for _, s := range w.sales {
		if late := s.State == pay.PaidAfterClose && !s.Held && s.Refunding != pay.RefundStuck; late || s.Refunding == pay.RefundAsked || s.State != pay.Review && (s.State.Live() || s.CancelDue) {
			out = append(out, s.ID+" "+string(s.State))
		}
	}
	return out
}

// stillComes says whether something is on its way that no sweeper decides.
func (w *world) stillComes() bool {
	if len(w.dues) > 0 {
		return true
	}
	if w.stillRolls() {
		return true
	}
	for _, t := range w.tasks {
		if strings.HasPrefix(t.name, "slow bank") || strings.HasPrefix(t.name, "wire") || strings.HasPrefix(t.name, "refund re") || strings.HasPrefix(t.name, "dispute dp") {
			return true
		}
	}
	return false
}

// stillRolls says whether something that Stripe has answered with a 500 may be done after all.
func (w *world) stillRolls() bool {
	for _, t := range w.tasks {
		if strings.HasPrefix(t.name, "rolling") {
			return true
		}
	}
	return false
}

// audit holds the books against Stripe's, row by row, once everything is settled.
func (w *world) audit() {
	if n := w.one(`SELECT COALESCE(SUM(amount), 0) FROM postings`); n != 0 {
		w.breaks("I5: debits and credits differ by %d", n)
	}
	if n := w.one(`SELECT COUNT(*) FROM (SELECT entry_id FROM postings GROUP BY entry_id HAVING SUM(amount) <> 0) AS odd`); n != 0 {
		w.breaks("I5: %d entries do not balance", n)
	}
	if n := w.one(`SELECT COUNT(*) FROM payments WHERE next_ms IS NOT NULL AND refunding <> 2`) + w.one(`SELECT COUNT(*) FROM messages WHERE next_ms IS NOT NULL`); n != 0 {
		w.breaks("I11: %d rows are due still", n)
	}
	if n := w.one(`SELECT COUNT(*) FROM messages WHERE box <> ''`); n != 0 {
		w.breaks("I12: %d tokens are kept", n)
	}
	if n := w.one(`SELECT COUNT(*) FROM attempts WHERE state = 'trying'`); n != 0 {
		w.breaks("rows: %d attempts are still under way", n)
	}
	if n := w.one(`SELECT COUNT(*) FROM links WHERE state = 'live'`); n != 0 {
		w.breaks("%d links live on", n)
	}
	w.receipts()
	w.returns()
	w.datesMoved()
	w.states()
	w.secrets()
}

// receipts is I4: every charge that carries our metadata has one receipt, of its amount, and there is no other.
func (w *world) receipts() {
	type receipt struct {
		n      int
		amount int64
	}
	booked := map[string]receipt{}
	w.each(`SELECT e.cause, p.amount FROM entries e JOIN postings p ON p.entry_id = e.id WHERE e.cause LIKE 'receipt %' AND p.account = 'stripe_clearing'`, func(scan func(...any) error) error {
		var cause string
		var amount int64
		err := scan(&cause, &amount)
		id := strings.TrimPrefix(cause, "receipt ")
		booked[id] = receipt{booked[id].n + 1, amount}
		return err
	})
	for _, in := range w.bank.intents {
		got := booked[in.ID]
		delete(booked, in.ID)
		switch {
		case in.charges == 0 && got.n > 0:
			w.breaks("I4: %s has a receipt, and was not charged", in.ID)
		case in.charges > 0 && (got.n != 1 || got.amount != int64(in.Amount)):
			w.breaks("I4: %s was charged %s, %d receipts of %d", in.ID, in.Amount, got.n, got.amount)
		}
	}
	for id := range booked {
		w.breaks("I4: a receipt for %s, which Stripe does not know", id)
	}
	if n := w.one(`SELECT COALESCE(SUM(amount), 0) FROM postings WHERE account = 'unapplied'`); n != w.late() {
		w.breaks("unapplied money is %d, and payments that were paid after closing come to %d", -n, -w.late())
	}
}

func (w *world) late() (sum int64) {
	for _, s := range w.sales {
		if s.State == pay.PaidAfterClose {
			sum -= int64(s.Charged - s.GivenBack)
		}
	}
	return sum
}

// returns: every refund and every movement of a dispute is booked once, and what failed is booked back once.
func (w *world) returns() {
	booked := map[string]int{}
	w.each(`SELECT cause FROM entries WHERE cause LIKE 'refund %' OR cause LIKE 'dispute %'`, func(scan func(...any) error) error {
		var cause string
		err := scan(&cause)
		booked[cause]++
		return err
	})
	once := func(cause string) {
		if booked[cause] != 1 {
			w.breaks("I4: %q is in the books %d times", cause, booked[cause])
		}
		delete(booked, cause)
	}
	for _, pi := range w.bank.intents {
		for _, r := range pi.refunds {
			if r.Status == pay.RefundFailed && booked["refund "+r.ID] == 0 {
				continue // it had failed before anybody here knew of it
			}
			once("refund " + r.ID)
			if r.Status == pay.RefundFailed {
				once("refund failed " + r.ID)
			}
		}
		for _, d := range pi.disputes {
			for _, m := range d.Moved {
				once("dispute " + m.ID)
			}
		}
		if s := w.bySale[pi.Origin.PaymentID]; s != nil && s.IntentID == pi.ID && s.GivenBack != pi.back() {
			w.breaks("I4: %s has given back %s, and the books say %s", pi.ID, pi.back(), s.GivenBack)
		}
	}
	for cause := range booked {
		w.breaks("I4: %q is in the books, and Stripe does not know it", cause)
	}
}

// datesMoved: Paid To Dates have moved step by step, each from where the last had left it, and each sale by one step, which a whole refund takes back.
func (w *world) datesMoved() {
	for _, v := range w.vehicles {
		at, steps := morning.Format(time.DateOnly), map[string]int{}
		for _, m := range w.moves {
			if m.vehicle != v.id {
				continue
			}
			if m.from != at {
				w.breaks("the Paid To Date of %s was %s, and %s moved it from %s", v.id, at, m.by, m.from)
			}
			at = m.to
			if m.to > m.from {
				steps[m.by]++
			} else {
				steps[m.by]--
			}
		}
		var is string
		if err := w.raw.QueryRow(`SELECT paid_to FROM vehicles WHERE id = $1`, v.id).Scan(&is); err != nil {
			w.breaks("%v", err)
		}
		if is != at {
			w.breaks("the Paid To Date of %s is %s, want %s", v.id, is, at)
		}
		for _, s := range w.sales {
			if s.VehicleID != v.id {
				continue
			}
			whole := s.GivenBack >= s.Charged
			if n := steps[s.ID]; n != 0 && n != 1 || n != 0 && !s.State.Sold() || n == 0 && s.State.Sold() && !whole && !w.personDecides(s) {
				w.breaks("%s is %s, and has moved the Paid To Date %d times", s.ID, s.State, n)
			}
			if n := w.one(`SELECT COUNT(*) FROM invoices WHERE payment_id = $1 AND number NOT LIKE '______-____-____-R%'`, s.ID); s.State.Sold() != (n == 1) {
				w.breaks("%s is %s, and has %d invoices", s.ID, s.State, n)
			}
			if n := w.one(`SELECT COUNT(*) FROM notes WHERE payment_id = $1`, s.ID); (s.State.Sold() && s.Door == pay.ByAgent) != (n == 1) {
				w.breaks("%s by %s is %s, and has %d notes", s.ID, s.Door, s.State, n)
			}
		}
	}
}

// personDecides says whether somebody was told that a refunded payment's date has to be looked at.
func (w *world) personDecides(s *sale) bool {
	for _, a := range w.alarms {
		if a.PaymentID == s.ID && a.Name == pay.DateLeft {
			return true
		}
	}
	return false
}

// states: each payment's end is the end of its PaymentIntent.
func (w *world) states() {
	for _, s := range w.sales {
		var state, intent, hash string
		if err := w.raw.QueryRow(`SELECT state, COALESCE(intent_id, ''), frozen_sha256 FROM payments WHERE id = $1`, s.ID).Scan(&state, &intent, &hash); err != nil {
			w.breaks("%v", err)
		}
		if state != string(s.State) || intent != s.IntentID || hash != s.SummaryHash {
			w.breaks("the row of %s is not as the last commit left it: %s, %s", s.ID, state, s.State)
		}
		var at pay.IntentStatus
		in := w.bank.find(s.IntentID)
		if in != nil {
			at = in.Status
		}
		succeeded := w.one(`SELECT COUNT(*) FROM attempts WHERE payment_id = $1 AND state = 'succeeded'`, s.ID)
		switch {
		case s.State == pay.Review:
			w.breaks("%s needs a person, and nothing odd has happened: %s", s.ID, s.Reason)
		case s.State == pay.Paid && s.Amount() == 0 && in == nil && succeeded == 0: // credit has covered it
		case s.State.Booked() != (at == pay.IntentSucceeded):
			w.breaks("%s is %s, its PaymentIntent %s", s.ID, s.State, at)
		case s.State.Closed() && in != nil && at != pay.IntentCanceled:
			w.breaks("%s is %s, its PaymentIntent %s", s.ID, s.State, at)
		case at == pay.IntentSucceeded && !s.outside && succeeded != 1:
			w.breaks("%s was charged, and %d of its attempts say so", s.ID, succeeded)
		case at != pay.IntentSucceeded && succeeded != 0:
			w.breaks("%s was not charged, and %d of its attempts say so", s.ID, succeeded)
		case (s.State.Booked() && s.State != pay.Paid) && !s.outside && !w.movedSince(s):
			w.breaks("%s was paid after closing and is %s, and nobody but us has done anything to it", s.ID, s.State)
		}
	}
}

// movedSince says whether the account has moved on without it.
func (w *world) movedSince(s *sale) bool {
	for _, m := range w.moves {
		if m.vehicle == s.VehicleID && m.by != s.ID {
			return true
		}
	}
	return false
}

// secrets is I12: the database, its journal and the alarms hold no token and no client_secret in the clear.
func (w *world) secrets() {
	var kept []byte
	for _, end := range []string{"", "-wal"} {
		if b, err := os.ReadFile(w.file + end); err == nil {
			kept = append(kept, b...)
		}
	}
	for _, a := range w.alarms {
		kept = append(kept, a.Detail...)
	}
	for _, token := range w.tokens {
		if bytes.Contains(kept, []byte(token)) {
			w.breaks("I12: a token is in the clear")
		}
	}
	if bytes.Contains(kept, []byte("_secret_word")) {
		w.breaks("I12: a client_secret is kept")
	}
}

func (w *world) one(query string, args ...any) (n int64) {
	if err := w.raw.QueryRow(query, args...).Scan(&n); err != nil {
		w.breaks("%s: %v", query, err)
	}
	return n
}

func (w *world) each(query string, row func(scan func(...any) error) error) {
	rows, err := w.raw.Query(query)
	if err != nil {
		w.breaks("%s: %v", query, err)
		return
	}
	defer func(r *sql.Rows) { _ = r.Close() }(rows)
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			w.breaks("%s: %v", query, err)
		}
	}
}
