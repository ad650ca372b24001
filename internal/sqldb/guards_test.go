package sqldb_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"paylink/internal/demo"
	"paylink/internal/ledger"
	"paylink/internal/pay"
)

// kept are the tables whose rows stay, each with a column.
var kept = map[string]string{
	"entries": "cause", "postings": "amount", "invoices": "total", "invoice_lines": "amount", "trail": "detail", "terms": "text", "stripe_events": "type",
}

// fill has every kept table hold a row at least.
func (b *books) fill() {
	b.Helper()
	b.must(b.Terms(b.ctx, "1", "en", "text", "hash"))
	_, err := b.Hear(b.ctx, pay.Notice{ID: "evt_1", Type: "payment_intent.succeeded", IntentID: "pi_none", At: began})
	b.must(err)
	b.sent("100042", "veh_dana_civic")
	for table := range kept {
		if b.count(`SELECT COUNT(*) FROM `+table) == 0 {
			b.Fatalf("%s is empty", table)
		}
	}
}

// TestTheBooksAreOnlyEverAddedTo, whoever asks: these tests connect as the tables' owner.
func TestTheBooksAreOnlyEverAddedTo(t *testing.T) {
	onBoth(t, func(b *books) {
		b.fill()
		refused := func(statement, words string) {
			b.Helper()
			if err := b.exec(statement); err == nil || !strings.Contains(err.Error(), words) {
				b.Errorf("%s: %v", statement, err)
			}
		}
		for table, column := range kept {
			rows := b.count(`SELECT COUNT(*) FROM ` + table)
			words := "the table " + table + " is append-only: "
			refused(fmt.Sprintf(`UPDATE %s SET %s = %s`, table, column, column), words+"UPDATE is refused")
			refused(`DELETE FROM `+table, words+"DELETE is refused")
			refused(`DELETE FROM `+table+` WHERE `+column+` IS NOT NULL`, words+"DELETE is refused")
			if b.postgres() {
				refused(`UPDATE `+table+` SET `+column+` = `+column+` WHERE 1 = 0`, words) // no row is needed
				refused(`TRUNCATE `+table+` CASCADE`, "is append-only: TRUNCATE is refused")
				conn, err := b.raw.Conn(b.ctx)
				b.must(err)
				_, err = conn.ExecContext(b.ctx, `SET session_replication_role = replica`)
				b.must(err)
				if _, err := conn.ExecContext(b.ctx, `DELETE FROM `+table); err == nil {
					b.Errorf("%s: a session that silences triggers may delete", table)
				}
				_, err = conn.ExecContext(b.ctx, `RESET session_replication_role`)
				b.must(err)
				b.must(conn.Close())
			}
			if n := b.count(`SELECT COUNT(*) FROM ` + table); n != rows {
				b.Errorf("%s had %d rows and has %d", table, rows, n)
			}
		}
		if b.postgres() {
			refused(`TRUNCATE clients CASCADE`, "is append-only: TRUNCATE is refused")
			refused(`TRUNCATE trail_heads`, "only goes forward")
		}
		refused(`DELETE FROM trail_heads`, "only goes forward")
		refused(`UPDATE trail_heads SET n = n - 1`, "only goes forward")
		refused(`UPDATE trail_heads SET client_id = client_id || 'x'`, "only goes forward")
		b.must(b.Import(b.ctx, demo.Data(began)))
		b.must(b.Terms(b.ctx, "1", "en", "text", "hash"))
		b.sent("100043", "veh_marcus_f150")
		if v, said := b.verify(nil); len(said) != 0 || v.Entries == 0 {
			b.Errorf("%q", said)
		}
	})
}

func TestTheDatabaseTakesNoEntryThatDoesNotBalance(t *testing.T) {
	onBoth(t, func(b *books) {
		posting := func(entry string, n, amount int) string {
			return fmt.Sprintf(`INSERT INTO postings (entry_id, n, client_id, account, amount) VALUES ('%s', %d, '100042', 'receivable', %d)`, entry, n, amount)
		}
		entry := func(id, cause string) string {
			return fmt.Sprintf(`INSERT INTO entries (id, client_id, payment_id, stripe_account, cause, at_ms) VALUES ('%s', '100042', '', '', '%s', 1)`, id, cause)
		}
		together := func(statements ...string) error {
			t, err := b.raw.BeginTx(b.ctx, nil)
			b.must(err)
			for _, s := range statements {
				if _, err := t.ExecContext(b.ctx, s); err != nil {
					return errors.Join(err, t.Rollback())
				}
			}
			return t.Commit()
		}
		b.must(together(posting("e1", 0, 5), posting("e1", 1, -5), entry("e1", "one")))
		for name, c := range map[string]struct {
			words      string
			statements []string
		}{
			"no posting":                    {"two postings", []string{entry("e2", "two")}},
			"one posting":                   {"two postings", []string{posting("e2", 0, 5), entry("e2", "two")}},
			"a sum":                         {"sum up to nothing", []string{posting("e2", 0, 5), posting("e2", 1, -4), entry("e2", "two")}},
			"a posting without an entry":    {"", []string{posting("e2", 0, 5)}},
			"postings without an entry":     {"", []string{posting("e2", 0, 5), posting("e2", 1, -5)}},
			"a posting that comes late":     {"already", []string{posting("e1", 2, 5)}},
			"postings that come late":       {"already", []string{posting("e1", 2, 5), posting("e1", 3, -5)}},
			"a posting after its own entry": {"already", []string{posting("e2", 0, 5), posting("e2", 1, -5), entry("e2", "two"), posting("e2", 2, 1)}},
			"a cause twice":                 {"", []string{posting("e2", 0, 5), posting("e2", 1, -5), entry("e2", "one")}},
		} {
			if err := together(c.statements...); err == nil || !strings.Contains(err.Error(), c.words) {
				b.Errorf("%s: %v", name, err)
			}
		}
		if n := b.count(`SELECT COUNT(*) FROM postings WHERE entry_id IN ('e1', 'e2')`); n != 2 {
			b.Errorf("%d postings", n)
		}
		err := b.exec(`INSERT INTO invoices (id, number, client_id, vehicle_id, payment_id, door, issued_ms, subtotal, tax, total, paid_to_from, paid_to) VALUES ('i', '1', '100042', NULL, '', 'link', 1, 100, 6, 107, '', '')`)
		if err == nil {
			b.Error("an invoice was taken whose total is not its subtotal and tax")
		}
	})
}

// TestAPostingThatComesBeforeItsEntryIsCommittedIsSeen: it can't see the entry, nor the entry it.
func TestAPostingThatComesBeforeItsEntryIsCommittedIsSeen(t *testing.T) {
	onBoth(t, func(b *books) {
		if !b.postgres() {
			return // SQLite's writers come one after the other
		}
		one, err := b.raw.BeginTx(b.ctx, nil)
		b.must(err)
		two, err := b.raw.BeginTx(b.ctx, nil)
		b.must(err)
		for _, s := range []string{
			`INSERT INTO postings (entry_id, n, client_id, account, amount) VALUES ('e1', 0, '100042', 'receivable', 5), ('e1', 1, '100042', 'opening', -5)`,
			`INSERT INTO entries (id, client_id, payment_id, stripe_account, cause, at_ms) VALUES ('e1', '100042', '', '', 'one', 1)`,
		} {
			_, err = one.ExecContext(b.ctx, s)
			b.must(err)
		}
		_, err = two.ExecContext(b.ctx, `INSERT INTO postings (entry_id, n, client_id, account, amount) VALUES ('e1', 2, '100042', 'receivable', 7)`)
		b.must(err)
		b.must(one.Commit())
		if err := two.Commit(); err == nil {
			b.Error("it was taken")
		}
	})
}

// TestAFactThatTwoBookAtOnceIsBookedOnce: they hold the locks of two accounts, and neither sees the other's entry.
func TestAFactThatTwoBookAtOnceIsBookedOnce(t *testing.T) {
	onBoth(t, func(b *books) {
		payments := []pay.Payment{b.sent("100042", "veh_dana_civic"), b.sent("100047", "veh_hal_outback")}
		results := make([]error, len(payments))
		var wg sync.WaitGroup
		for i, p := range payments {
			wg.Go(func() {
				results[i] = b.change(p.ID, func(_ pay.View, c *pay.Change) {
					e := ledger.Entry{ID: newID(), ClientID: p.ClientID, PaymentID: p.ID, Cause: "receipt pi_same", At: began}
					e.Add(ledger.StripeClearing, 5)
					e.Add(ledger.Receivable, -5)
					c.Bookings = []pay.Booking{{Entries: []ledger.Entry{e}}}
				})
			})
		}
		wg.Wait()
		posted := 0
		for _, err := range results {
			if errors.Is(err, ledger.ErrPosted) {
				posted++
			} else if err != nil {
				b.Error(err)
			}
		}
		if n := b.count(`SELECT COUNT(*) FROM postings p JOIN entries e ON e.id = p.entry_id WHERE cause = 'receipt pi_same'`); posted != 1 || n != 2 {
			b.Errorf("%d were told that it is posted; %d postings: %v", posted, n, results)
		}
	})
}
