package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"paylink/internal/link"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
)

// books are ours, as read from the database with statements of the storm's own.
type books struct {
	payments map[string]*paymentRow
	byIntent map[string]*paymentRow
	attempts map[string][]attemptRow // by payment, in order
	entries  []entryRow
	invoices map[string][]invoiceRow // by payment
	vehicles map[string]string       // paid to
	messages map[string]messageRow
	refunds  map[string]refundRow // by Stripe's id
	asked    []string             // payments with a refund that Stripe has not yet answered
}

type refundRow struct {
	payment, state string
	amount         int64
}

type paymentRow struct {
	id, client, vehicle, account, state, closingAs, reason, intent string
	amount, charged, givenBack                                     int64
	cancelDue, held                                                bool
}

type attemptRow struct {
	n                           int
	method, state, code, charge string
	started, ended              int64
}

type entryRow struct {
	id, payment, account, cause string
	sum                         int64
	postings                    map[string]int64 // by ledger account
}

type invoiceRow struct {
	id, vehicle, from, to string
	total                 int64
}

type messageRow struct {
	payment, kind, status, sid string
	tries                      int
}

// rows scans every row of a query.
func rows(ctx context.Context, db *sql.DB, query string, scan func(scan func(...any) error) error) error {
	all, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = all.Close() }() // all.Err says what went wrong
	for all.Next() {
		if err := scan(all.Scan); err != nil {
			return err
		}
	}
	return all.Err()
}

func readBooks(ctx context.Context, db *sql.DB) (*books, error) {
	b := &books{payments: map[string]*paymentRow{}, byIntent: map[string]*paymentRow{}, attempts: map[string][]attemptRow{}, invoices: map[string][]invoiceRow{}, vehicles: map[string]string{}, messages: map[string]messageRow{}, refunds: map[string]refundRow{}}
	entries := map[string]*entryRow{}
	for _, one := range []struct {
		query string
		scan  func(scan func(...any) error) error
	}{
		{`SELECT id, client_id, COALESCE(vehicle_id, ''), stripe_account, state, closing_as, reason, COALESCE(intent_id, ''), amount, charged, given_back, cancel_due <> 0, held <> 0 FROM payments`, func(scan func(...any) error) error {
			var p paymentRow
			err := scan(&p.id, &p.client, &p.vehicle, &p.account, &p.state, &p.closingAs, &p.reason, &p.intent, &p.amount, &p.charged, &p.givenBack, &p.cancelDue, &p.held)
			b.payments[p.id] = &p
			if p.intent != "" {
				b.byIntent[p.intent] = &p
			}
			return err
		}},
		{`SELECT payment_id, n, payment_method, state, code, charge_id, started_ms, ended_ms FROM attempts ORDER BY payment_id, n`, func(scan func(...any) error) error {
			var a attemptRow
			var id string
			err := scan(&id, &a.n, &a.method, &a.state, &a.code, &a.charge, &a.started, &a.ended)
			b.attempts[id] = append(b.attempts[id], a)
			return err
		}},
		{`SELECT id, payment_id, stripe_account, cause FROM entries`, func(scan func(...any) error) error {
			e := &entryRow{postings: map[string]int64{}}
			err := scan(&e.id, &e.payment, &e.account, &e.cause)
			entries[e.id] = e
			return err
		}},
		{`SELECT entry_id, account, amount FROM postings`, func(scan func(...any) error) error {
			var id, account string
			var amount int64
			if err := scan(&id, &account, &amount); err != nil {
				return err
			}
			if entries[id] == nil {
				return fmt.Errorf("a posting of an entry %s that is not there", id)
			}
			entries[id].sum += amount
			entries[id].postings[account] += amount
			return nil
		}},
		{`SELECT id, payment_id, COALESCE(vehicle_id, ''), total, paid_to_from, paid_to FROM invoices WHERE payment_id <> '' ORDER BY issued_ms`, func(scan func(...any) error) error {
			var v invoiceRow
			var payment string
			err := scan(&v.id, &payment, &v.vehicle, &v.total, &v.from, &v.to)
			b.invoices[payment] = append(b.invoices[payment], v)
			return err
		}},
		{`SELECT id, paid_to FROM vehicles`, func(scan func(...any) error) error {
			var id, to string
			err := scan(&id, &to)
			b.vehicles[id] = to
			return err
		}},
		{`SELECT COALESCE(stripe_id, ''), payment_id, amount, state FROM refunds`, func(scan func(...any) error) error {
			var r refundRow
			var id string
			err := scan(&id, &r.payment, &r.amount, &r.state)
			if r.state == "asked" {
				b.asked = append(b.asked, r.payment)
			}
			if id != "" {
				b.refunds[id] = r
			}
			return err
		}},
		{`SELECT id, payment_id, kind, status, sid, tries FROM messages`, func(scan func(...any) error) error {
			var m messageRow
			var id string
			err := scan(&id, &m.payment, &m.kind, &m.status, &m.sid, &m.tries)
			b.messages[id] = m
			return err
		}},
	} {
		if err := rows(ctx, db, one.query, one.scan); err != nil {
			return nil, err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(entries)) {
		b.entries = append(b.entries, *entries[id])
	}
	return b, nil
}

// findings is what is wrong, by kind; every line names the rows.
type findings struct {
	doubleCharges, lost, unsettled []string
	other                          []string // postings, dates, texts, secrets …
	lateMoney                      int      // charges that came after closing: in the books, waiting for a decision or sent back
	orphans                        int      // PaymentIntents that no payment took up: without money
	sentAgain                      int      // texts that were sent twice because the first answer was lost
}

func (f *findings) wrong(format string, args ...any) {
	f.other = append(f.other, fmt.Sprintf(format, args...))
}

var (
	tookMoney  = []string{"paid", "paid_after_close", "applied", "refunded"}
	closedDead = []string{"declined", "expired", "revoked", "locked", "superseded"}
	inFlight   = []string{"paying", "needs_action", "unknown"}
)

// compare holds Stripe's books against ours, row for row, both ways.
// outside are the PaymentIntents that were paid past us.
func (b *books) compare(theirs stripesim.Books, cars []car, outside map[string]bool) *findings {
	f := &findings{}
	clearing, captured, refunded, fees, kept := map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	seen, known := map[string]bool{}, map[string]bool{} // PaymentIntents, refunds
	receipts := map[string][]entryRow{}
	for _, e := range b.entries {
		if e.sum != 0 {
			f.wrong("entry %q does not balance: %d", e.cause, e.sum)
		}
		if strings.HasPrefix(e.cause, "fee ") {
			fees[e.account] += e.postings["fees"]
			continue
		}
		clearing[e.account] += e.postings["stripe_clearing"]
		if id, ok := strings.CutPrefix(e.cause, "receipt "); ok {
			receipts[id] = append(receipts[id], e)
		}
	}
	chargedPayments := map[string]int{}
	for accountID, account := range theirs.Accounts {
		ourName := accountID
		if accountID == theirs.Platform {
			ourName = ""
		}
		charges := map[string][]stripesim.Charge{}
		for _, c := range account.Charges {
			charges[c.Intent] = append(charges[c.Intent], c)
			captured[ourName] += c.Captured
			kept[ourName] += c.Fee
		}
		back := map[string]int64{}
		for _, r := range account.Refunds {
			if r.Status == "succeeded" || r.Status == "pending" {
				refunded[ourName] += r.Amount
				back[r.Intent] += r.Amount
			}
			known[r.ID] = true
			if own, p := b.refunds[r.ID], b.byIntent[r.Intent]; p == nil || own.payment != p.id || own.amount != r.Amount || own.state != r.Status {
				f.wrong("%s gave back %d of %s and is %s; ours is %+v", r.ID, r.Amount, r.Intent, r.Status, own)
			}
		}
		for id, sum := range back {
			if p := b.byIntent[id]; p != nil && (sum > p.charged || sum != p.givenBack) {
				f.wrong("of %s %d was given back; payment %s was charged %d and says %d", id, sum, p.id, p.charged, p.givenBack)
			}
		}
		for _, in := range account.Intents {
			seen[in.ID] = true
			p := b.byIntent[in.ID]
			var good []stripesim.Charge
			for _, c := range charges[in.ID] {
				if c.Status == "succeeded" {
					good = append(good, c)
				}
			}
			if len(good) > 1 {
				f.doubleCharges = append(f.doubleCharges, fmt.Sprintf("%s was charged %d times", in.ID, len(good)))
			}
			if p == nil {
				f.orphans++
				if len(good) > 0 {
					f.lost = append(f.lost, fmt.Sprintf("%s was charged, and no payment has it (its metadata names %s)", in.ID, in.Metadata["payment"]))
				}
				continue
			}
			if in.Metadata["payment"] != p.id || p.account != ourName || p.amount != in.Amount || in.Currency != "usd" {
				f.wrong("%s is of payment %s, account %q, %d %s; ours is %s, %q, %d", in.ID, in.Metadata["payment"], ourName, in.Amount, in.Currency, p.id, p.account, p.amount)
			}
			if outside[in.ID] {
				charges[in.ID] = nil // with no card of ours
			}
			b.compareOne(f, p, in, good, charges[in.ID], receipts[in.ID], outside[in.ID])
			if len(good) > 0 {
				chargedPayments[p.id]++
			}
		}
	}
	for id, n := range chargedPayments {
		if n > 1 {
			f.doubleCharges = append(f.doubleCharges, fmt.Sprintf("payment %s was charged on %d PaymentIntents", id, n))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.payments)) {
		p := b.payments[id]
		if p.intent != "" && !seen[p.intent] {
			f.wrong("payment %s has %s, which Stripe does not know", id, p.intent)
		}
		if p.intent == "" && (slices.Contains(tookMoney, p.state) || len(b.attempts[id]) > 0) {
			f.wrong("payment %s is %s with %d attempts and has no PaymentIntent", id, p.state, len(b.attempts[id]))
		}
		if slices.Contains(inFlight, p.state) || p.state == "open" || p.state == "review" || p.cancelDue || p.state == "paid_after_close" && !p.held || slices.Contains(b.asked, id) {
			f.unsettled = append(f.unsettled, fmt.Sprintf("payment %s is %s (closing as %q, cancel due: %t, refund asked for: %t)", id, p.state, p.closingAs, p.cancelDue, slices.Contains(b.asked, id)))
		}
	}
	for id, r := range b.refunds {
		if !known[id] {
			f.wrong("refund %s of payment %s is %s, and Stripe does not know it", id, r.payment, r.state)
		}
	}
	for id, all := range receipts {
		if p := b.byIntent[id]; p == nil {
			f.wrong("%d receipts for %s, which no payment has", len(all), id)
		}
	}
	for account := range captured {
		if clearing[account] != captured[account]-refunded[account] {
			f.wrong("clearing of account %q stands at %d; Stripe took %d and gave back %d", account, clearing[account], captured[account], refunded[account])
		}
	}
	for account := range fees {
		if fees[account] != kept[account] {
			f.wrong("Stripe kept %d in fees of account %q, and %d are posted", kept[account], account, fees[account])
		}
	}
	b.compareDates(f, cars)
	return f
}

// compareOne holds one payment against its PaymentIntent.
func (b *books) compareOne(f *findings, p *paymentRow, in stripesim.Intent, good, all []stripesim.Charge, receipts []entryRow, outside bool) {
	took := slices.Contains(tookMoney, p.state)
	switch {
	case len(good) > 0 && !took:
		f.lost = append(f.lost, fmt.Sprintf("%s was charged %d, and payment %s is %s", in.ID, good[0].Amount, p.id, p.state))
	case len(good) == 0 && took:
		f.wrong("payment %s is %s, and %s is %s without a charge", p.id, p.state, in.ID, in.Status)
	case len(good) == 0 && slices.Contains(closedDead, p.state) && !p.cancelDue && in.Status != "canceled":
		f.wrong("payment %s is %s, and %s could still be paid: %s", p.id, p.state, in.ID, in.Status)
	}
	if in.Status == "succeeded" != (len(good) > 0) {
		f.wrong("%s is %s with %d charges", in.ID, in.Status, len(good))
	}
	late := p.state == "paid_after_close" || p.state == "applied" || p.state == "refunded"
	if late {
		f.lateMoney++
	}
	switch {
	case len(good) == 0 && len(receipts) > 0:
		f.wrong("%s has %d receipt postings and no charge", in.ID, len(receipts))
	case len(good) > 0 && len(receipts) == 0:
		f.lost = append(f.lost, fmt.Sprintf("%s was charged %d, and there is no receipt posting", in.ID, good[0].Amount))
	case len(receipts) > 1:
		f.wrong("%s has %d receipt postings", in.ID, len(receipts))
	case len(receipts) == 1 && (receipts[0].postings["stripe_clearing"] != in.Amount || p.charged != in.Amount):
		f.wrong("%s: %d was charged, %d is posted and payment %s says %d", in.ID, in.Amount, receipts[0].postings["stripe_clearing"], p.id, p.charged)
	}
	sold := p.state == "paid" || p.state == "applied"
	if n := len(b.invoices[p.id]); p.givenBack == 0 && (sold && n != 1 || !sold && n > 0) {
		f.wrong("payment %s is %s and has %d invoices", p.id, p.state, n)
	}
	// Nothing was charged, and nothing was asked of a card, but in an attempt that was written down before.
	methods := map[string]attemptRow{}
	succeeded := 0
	attempts := b.attempts[p.id]
	for i, a := range attempts {
		methods[a.method] = a
		if a.state == "succeeded" {
			succeeded++
		}
		if a.n != i+1 {
			f.wrong("payment %s: attempt %d is number %d", p.id, i+1, a.n)
		}
		if i > 0 && (attempts[i-1].ended == 0 || attempts[i-1].ended > a.started) {
			f.wrong("payment %s: attempt %d began before attempt %d had ended", p.id, a.n, a.n-1)
		}
		if a.state == "trying" && !slices.Contains(inFlight, p.state) {
			f.wrong("payment %s is %s, and attempt %d is still trying", p.id, p.state, a.n)
		}
	}
	for _, c := range all {
		a, ok := methods[c.PaymentMethod]
		switch {
		case !ok:
			f.wrong("%s was tried with %s, and no attempt says so", in.ID, c.PaymentMethod)
		case c.Status == "succeeded" && (a.state != "succeeded" || a.charge != c.ID):
			f.wrong("%s is a success of %s, and its attempt is %s with charge %q", c.ID, in.ID, a.state, a.charge)
		case c.Status == "failed" && a.state == "succeeded":
			f.wrong("%s was declined, and its attempt of payment %s is %s", c.ID, p.id, a.state)
		}
	}
	if want := min(1, len(good)); !outside && succeeded != want && took == (want == 1) {
		f.wrong("payment %s has %d attempts that succeeded, and %s %d charges", p.id, succeeded, in.ID, len(good))
	}
}

// compareDates follows every vehicle's Paid To Date from where it began, invoice by invoice: each moves it once.
func (b *books) compareDates(f *findings, cars []car) {
	moves := map[string]map[string]string{} // by vehicle: from, to
	for payment, all := range b.invoices {
		for _, v := range all {
			if v.to == "" {
				continue // a credit note that moves no date
			}
			if moves[v.vehicle] == nil {
				moves[v.vehicle] = map[string]string{}
			}
			if other, ok := moves[v.vehicle][v.from]; ok {
				f.wrong("vehicle %s was moved from %s twice: to %s and, by payment %s, to %s", v.vehicle, v.from, other, payment, v.to)
			}
			moves[v.vehicle][v.from] = v.to
		}
	}
	for _, c := range cars {
		at, steps := string(c.paidTo), 0
		for moves[c.vehicle][at] != "" && steps < 1000 {
			at = moves[c.vehicle][at]
			steps++
		}
		if at != b.vehicles[c.vehicle] || steps != len(moves[c.vehicle]) {
			f.wrong("vehicle %s stands at %s; its %d invoices lead from %s to %s in %d steps", c.vehicle, b.vehicles[c.vehicle], len(moves[c.vehicle]), c.paidTo, at, steps)
		}
	}
}

// compareTexts holds the outbox against what the carrier took. The callback's address carries our message's id.
func (b *books) compareTexts(f *findings, taken []twiliosim.Message) {
	texts := map[string][]twiliosim.Message{}
	for _, m := range taken {
		if m.Direction == "outbound-api" {
			texts[path.Base(m.StatusCallback)] = append(texts[path.Base(m.StatusCallback)], m)
		}
	}
	for id, all := range texts {
		m, ok := b.messages[id]
		switch {
		case !ok:
			f.wrong("the carrier took a text for message %s, which is not in the outbox", id)
			continue
		case len(all) > 2 || len(all) > m.tries || m.kind == "receipt" && len(all) > 1:
			f.wrong("message %s (%s, handed over %d times) was texted %d times", id, m.kind, m.tries, len(all))
		}
		if len(all) == 2 {
			f.sentAgain++
		}
		named, delivered := m.sid == "", false
		for _, t := range all {
			named = named || t.SID == m.sid
			delivered = delivered || t.Status == "delivered"
		}
		if !named {
			f.wrong("message %s names text %s, which is none of its own", id, m.sid)
		}
		if m.status == "delivered" && !delivered {
			f.wrong("message %s is called delivered, and no text of it was", id)
		}
	}
	for id, m := range b.messages {
		if m.tries > 2 {
			f.wrong("message %s was handed over %d times", id, m.tries)
		}
		if len(texts[id]) == 0 && (m.status == "sent" || m.status == "delivered" || m.sid != "") {
			f.wrong("message %s is called %s, and the carrier never took it", id, m.status)
		}
	}
}

// compareWords holds what payers were told of a card against what Stripe did with it.
func compareWords(f *findings, told map[string]string, theirs stripesim.Books) {
	charged := map[string]bool{}
	for _, account := range theirs.Accounts {
		for _, c := range account.Charges {
			if c.Status == "succeeded" {
				charged[c.PaymentMethod] = true
			}
		}
	}
	for method, word := range told {
		if word == "paid" != charged[method] {
			f.wrong("a payer was told %q of %s, and charged is %t", word, method, charged[method])
		}
	}
}

// What no log may hold, by its form: a client_secret of Stripe's, and a whole telephone number, however it is written (all of the storm's are 555-01xx).
var (
	clientSecret = regexp.MustCompile(`[a-z]{2,4}_[A-Za-z0-9]+_secret_[A-Za-z0-9]+`)
	wholeNumber  = regexp.MustCompile(`(?:\+1|\b1?|\()[2-9]\d{2}\)?[ .-]?555[ .-]?01\d{2}\b`)
)

// searchLogs looks for what no log may hold: these secrets by their kind, these tokens, client_secrets and telephone numbers.
func searchLogs(f *findings, files []string, secrets map[string][]string, tokens []string) (lines int, err error) {
	texted := map[string]bool{}
	for _, t := range tokens {
		texted[t] = true
	}
	for _, file := range files {
		b, err := os.ReadFile(file) // #nosec G304 -- the storm's own files
		if err != nil {
			return 0, err
		}
		text, name := string(b), path.Base(file)
		lines += strings.Count(text, "\n")
		for kind, all := range secrets {
			if slices.ContainsFunc(all, func(s string) bool { return s != "" && strings.Contains(text, s) }) {
				f.wrong("%s holds a %s", name, kind)
			}
		}
		run := 0 // letters that may be a token's, in a row
		for i := range len(text) {
			if c := text[i]; c >= 'A' && c <= 'Z' || c >= '2' && c <= '7' {
				run++
			} else {
				run = 0
			}
			if run >= link.TokenLength && texted[text[i+1-link.TokenLength:i+1]] {
				f.wrong("%s holds a token", name)
				break
			}
		}
		for line := range strings.Lines(text) { // the expressions are slow, and few lines are worth them
			if strings.Contains(line, "_secret_") && clientSecret.MatchString(line) {
				f.wrong("%s holds a client_secret", name)
				break
			}
			if !strings.Contains(line, "555") {
				continue
			}
			if at := wholeNumber.FindStringIndex(line); at != nil {
				f.wrong("%s holds a telephone number: …%s…", name, line[max(0, at[0]-60):at[0]])
				break
			}
		}
		if n := strings.Count(text, "panic at "); n > 0 {
			f.wrong("%s tells of %d panics", name, n)
		}
	}
	return lines, nil
}
