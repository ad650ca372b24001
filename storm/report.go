package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"paylink/internal/demo"
)

// calm ends the day: an agent cancels what nobody pays any more, and then it waits until nothing is open, on its way, unknown or still to be cancelled, no link's text is
// in the dark, and every payment's state is Stripe's. A receipt that may have been lost is given up a while later; nobody's money depends on it.
func (w *town) calm(ctx context.Context, c *crowd, t *truth, within time.Duration, tell func(format string, args ...any)) bool {
	began, told := time.Now(), time.Duration(0)
	var open []string
	asked := map[string]bool{}
	err := until(ctx, within, 200*time.Millisecond, nil, func() bool {
		open = open[:0]
		left := 0
		err := rows(ctx, w.sql, `SELECT id, state FROM payments WHERE state IN ('open', 'paying', 'needs_action', 'unknown') OR cancel_due <> 0
			OR (state = 'paid_after_close' AND held = 0) OR id IN (SELECT payment_id FROM refunds WHERE state = 'asked')`, func(scan func(...any) error) error {
			var id, state string
			err := scan(&id, &state)
			left++
			if !asked[id] && (state == "open" || state == "needs_action") {
				asked[id] = true
				open = append(open, id)
			}
			return err
		})
		if err != nil {
			return false
		}
		c.closeAll(ctx, open)
		texts := 0
		err = w.sql.QueryRowContext(ctx, `SELECT COUNT(*) FROM messages WHERE kind = 'link' AND next_ms IS NOT NULL AND status IN ('waiting', 'unclear')`).Scan(&texts)
		if since := time.Since(began); since-told > 10*time.Second {
			told = since
			tell("after %s: %d payments and %d texts are pending, %d payments differ from Stripe's", since.Round(time.Second), left, texts, t.apart())
		}
		return err == nil && left == 0 && texts == 0 && len(open) == 0 && t.apart() == 0
	})
	return err == nil
}

// report is what a storm has come to.
type report struct {
	seed     uint64
	length   time.Duration
	settling time.Duration
	settled  bool
	faults   *tally
	hits     map[string]int
	said     map[string]int
	states   map[string]int
	payments int
	charged  int
	delays   []delay
	found    *findings
	history  verdict
	stopping error // of the services' end
	logLines int

	lost      []string // charges that only the reconciliation found, though nobody had paid past us
	repaired  int      // what the reconciliation put right
	disagreed string   // what the last one still said
}

// judge stops the services and compares everything.
func (r *report) judge(ctx context.Context, w *town, c *crowd, t *truth, cars []car, keep string, tell func(format string, args ...any)) error {
	for _, i := range w.instances {
		if err := i.end(70 * time.Second); err != nil {
			r.stopping = fmt.Errorf("paylink (%s) did not stop cleanly: %w", i.name, err)
		}
	}
	tell("the services have stopped; comparing")
	theirs := w.stripe.Books()
	if err := r.reconcile(ctx, w); err != nil { // fees are posted by then; nothing else may be left to say
		return err
	}
	ours, err := readBooks(ctx, w.sql)
	if err != nil {
		return err
	}
	r.found = ours.compare(theirs, cars, w.outside.paid())
	r.found.lost = append(r.found.lost, r.lost...)
	if r.disagreed != "" {
		r.found.wrong("the second reconciliation still differs: %s", r.disagreed)
	}
	verify := w.paylink(ctx, "verify")
	if out, err := verify.CombinedOutput(); err != nil {
		r.found.wrong("paylink verify: %v: %.500s", err, out)
	}
	ours.compareTexts(r.found, w.twilio.Messages())
	c.mu.Lock()
	compareWords(r.found, c.told, theirs)
	c.mu.Unlock()
	for _, a := range w.outside.acts { // nobody adds to them any more
		c.history.happened(a)
	}
	tell("looking for an order of what payers were told")
	r.history = c.history.check(10 * time.Second)
	logs := []string{w.instances[0].log, w.instances[1].log}
	secrets := map[string][]string{"card number": allCards, "secret": {stripeSecret, stripeWebhook, twilioToken, w.keyText, w.redis.password, demo.Password}}
	c.texts.mu.Lock()
	defer c.texts.mu.Unlock()
	if r.logLines, err = searchLogs(r.found, logs, secrets, c.texts.all); err != nil {
		return err
	}
	if keep != "" {
		for _, file := range logs {
			b, err := os.ReadFile(file) // #nosec G304 -- the storm's own
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(keep, filepath.Base(file)), b, 0o600); err != nil {
				return err
			}
		}
	}
	r.delays, r.hits, r.said, r.states = t.delays(), w.hits.all(), c.said.all(), map[string]int{}
	r.payments = len(ours.payments)
	for _, p := range ours.payments {
		r.states[p.state]++
	}
	for _, account := range theirs.Accounts {
		for _, ch := range account.Charges {
			if ch.Status == "succeeded" {
				r.charged++
			}
		}
	}
	return nil
}

// putRight has the daily reconciliation find what nobody could have known: what was paid past us before we knew the PaymentIntent. Any other charge that the
// books lack by now is lost, whether or not it is found then.
func (r *report) putRight(ctx context.Context, w *town, cars []car) error {
	ours, err := readBooks(ctx, w.sql)
	if err != nil {
		return err
	}
	past := slices.Collect(maps.Keys(w.outside.paid()))
	for _, line := range ours.compare(w.stripe.Books(), cars, w.outside.paid()).lost {
		if !slices.ContainsFunc(past, func(intent string) bool { return strings.Contains(line, intent) }) {
			r.lost = append(r.lost, line+" (until the reconciliation)")
		}
	}
	return r.reconcile(ctx, w)
}

// reconcile compares yesterday and today by `paylink reconcile`.
func (r *report) reconcile(ctx context.Context, w *town) error {
	today := time.Now().UTC()
	cmd := w.paylink(ctx, "reconcile", "-json", "-from", today.AddDate(0, 0, -1).Format(time.DateOnly), "-to", today.AddDate(0, 0, 1).Format(time.DateOnly))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var said struct {
		Repaired    []json.RawMessage `json:"repaired"`
		Count       int               `json:"differences_count"`
		Differences json.RawMessage   `json:"differences"`
	}
	if jsonErr := json.Unmarshal(out, &said); jsonErr != nil {
		return fmt.Errorf("paylink reconcile: %w: %.500s", errors.Join(err, jsonErr), stderr.String())
	}
	r.repaired += len(said.Repaired)
	r.disagreed = ""
	if err != nil || said.Count > 0 {
		r.disagreed = fmt.Sprintf("%d differences: %.1000s", said.Count, said.Differences)
	}
	return nil
}

func (r *report) good() bool {
	return r.settled && r.stopping == nil && r.found != nil && len(r.found.doubleCharges)+len(r.found.lost)+len(r.found.unsettled)+len(r.found.other)+len(r.history.wrong) == 0 &&
		r.history.undecided == 0 && r.charged > 0
}

const shownMost = 25 // lines of one kind of finding

func (r *report) print(w io.Writer) {
	list := func(title string, n map[string]int) {
		fmt.Fprintf(w, "\n%s\n", title)
		for _, name := range slices.Sorted(maps.Keys(n)) {
			fmt.Fprintf(w, "  %6d  %s\n", n[name], name)
		}
	}
	list("faults", r.faults.all())
	if r.found == nil {
		return
	}
	list("what the suppliers did wrong, request by request", r.hits)
	list("what people were told", r.said)
	list("payments by state", r.states)
	ms := func(d time.Duration) string { return d.Round(time.Millisecond).String() }
	fmt.Fprintf(w, `
payments               %d, of which %d were charged
double charges         %d
lost payments          %d
unsettled payments     %d
other differences      %d between the books, the texts, the words and the logs
histories              %d with %d operations, %d without an order, %d undecided
fault to true state    p50 %s, p99 %s, max %s (%d times that our books and Stripe's differed in a fault)
settled                %t, %s after the storm
late money             %d charges after closing; %d PaymentIntents that no payment took up; %d texts sent twice; %d put right by reconciliation
log lines searched     %d
seed                   %d for %s
`, r.payments, r.charged, len(r.found.doubleCharges), len(r.found.lost), len(r.found.unsettled), len(r.found.other), r.history.payments, r.history.operations, len(r.history.wrong), r.history.undecided,
		ms(quantile(r.delays, 0.5)), ms(quantile(r.delays, 0.99)), ms(quantile(r.delays, 1)), len(r.delays), r.settled, r.settling.Round(100*time.Millisecond),
		r.found.lateMoney, r.found.orphans, r.found.sentAgain, r.repaired, r.logLines, r.seed, r.length)
	fmt.Fprintln(w, "\nthe longest ways to the true state: ours and Stripe's at first, then at last, and the faults meanwhile")
	for _, d := range r.delays[max(0, len(r.delays)-5):] {
		fmt.Fprintf(w, "  %8s  %s\n", ms(d.took), d.what)
	}
	for _, one := range []struct {
		title string
		lines []string
	}{{"charged twice", r.found.doubleCharges}, {"lost", r.found.lost}, {"unsettled", r.found.unsettled}, {"different", r.found.other}, {"without an order", r.history.wrong}} {
		if len(one.lines) > 0 {
			fmt.Fprintf(w, "\n%s\n", one.title)
		}
		for _, line := range one.lines[:min(len(one.lines), shownMost)] {
			fmt.Fprintln(w, " ", line)
		}
		if more := len(one.lines) - shownMost; more > 0 {
			fmt.Fprintf(w, "  and %d more\n", more)
		}
	}
	if r.stopping != nil {
		fmt.Fprintln(w, "\n"+r.stopping.Error())
	}
	if r.good() {
		fmt.Fprintln(w, "\nnothing is wrong")
	} else {
		fmt.Fprintln(w, "\nSOMETHING IS WRONG")
	}
}
