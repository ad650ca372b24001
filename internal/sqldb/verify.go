package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"paylink/internal/trail"
)

// settled is how old an entry must be for an anchor to vouch for it: by then every transaction that was to write one of its time has long ended, and what comes with an
// earlier time has been put there.
const settled = 15 * time.Minute

// Verified is what a verification has read.
type Verified struct {
	Chains, Rows                int64        // of the trail
	Entries, Invoices, Payments int64        // of the books
	Broken                      int64        // how much was told to found
	Anchor                      trail.Anchor // of the trail as it was a quarter of an hour ago; zero if something is broken, for nobody vouches for that
}

// Verify reads the whole trail and all books as they stand at one moment, and tells found, in words for people, of everything that does not hold: of each chain of the trail the
// first row that is not as it was written, missing or too many; entries that do not balance; payments without their receipt, or with two; invoices that are not the sum of
// their lines; and triggers that are not there. since is an earlier verification's anchor; nil for none. It changes nothing, holds nobody up, and keeps 64 bytes a client.
func (d *DB) Verify(ctx context.Context, since *trail.Anchor, found func(what string)) (Verified, error) {
	var v Verified
	s, err := d.sql.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}) // SQLite: one that does not ask for the write lock
	if err != nil {
		return v, err
	}
	defer func() { _ = s.Rollback() }() // there is nothing to commit
	c := check{tx: tx{ctx, d, s, nil, nil}, v: &v, found: found}
	for _, one := range []func() error{c.guards, func() error { return c.trail(since) }, c.books} {
		if err := one(); err != nil {
			return v, err
		}
	}
	if v.Broken > 0 {
		v.Anchor = trail.Anchor{}
	}
	return v, nil
}

// check is one verification under way.
type check struct {
	tx
	v     *Verified
	found func(string)
}

func (c check) broken(format string, args ...any) {
	c.v.Broken++
	c.found(fmt.Sprintf(format, args...))
}

// guards looks whether the database still refuses what guards.go has it refuse.
func (c check) guards() error {
	query := `SELECT name FROM sqlite_master WHERE type = 'trigger'`
	if c.d.postgres {
		query = `SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND NOT tgisinternal`
	}
	there := map[string]bool{}
	err := c.each(query, nil, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		there[name] = true
		return err
	})
	for _, name := range guardNames(c.d.postgres) {
		if !there[name] {
			c.broken("the database's trigger %s is missing or switched off: rows that must stay as they are may have been changed", name)
		}
	}
	return err
}

// whose names a chain for people.
func whose(clientID string) string {
	if clientID == "" {
		return "the trail of what concerns no client"
	}
	return "the trail of client " + clientID
}

// chain is one of the trail's, being read.
type chain struct {
	clientID string
	n        int64      // the row that was read last
	hash     trail.Hash // of that row
	head     int64      // where the chain ends, as its head says
	headHash string
	broken   bool
}

// trail reads every row of every chain, and then the heads of chains that have no row.
func (c check) trail(since *trail.Anchor) error {
	now, err := c.now()
	if err != nil {
		return err
	}
	today, then := trail.Tally{At: now.Add(-settled).Truncate(time.Second)}, trail.Tally{}
	if since != nil {
		then.At = since.At
	}
	before := c.v.Broken
	var at chain
	end := func() {
		c.end(at)
		today.End()
		then.End()
	}
	err = c.each(`SELECT t.id, t.at_ms, t.actor_kind, t.actor_id, t.act, t.object, t.client_id, t.refused, t.detail, t.n, t.hash, COALESCE(h.n, 0), COALESCE(h.hash, '')
		FROM trail t LEFT JOIN trail_heads h ON h.client_id = t.client_id ORDER BY t.client_id, t.n`, nil, func(scan func(...any) error) error {
		var e trail.Entry
		var ms, n, head int64
		var hash, headHash string
		if err := scan(&e.ID, &ms, &e.Actor.Kind, &e.Actor.ID, &e.Act, &e.Object, &e.ClientID, &e.Refused, &e.Detail, &n, &hash, &head, &headHash); err != nil {
			return err
		}
		e.At = fromMS(ms)
		if c.v.Rows++; c.v.Rows == 1 || e.ClientID != at.clientID {
			if c.v.Chains++; c.v.Chains > 1 {
				end()
			}
			at = chain{clientID: e.ClientID, head: head, headHash: headHash}
		}
		if at.broken {
			return nil
		}
		want := e.Hash(at.hash, n)
		switch {
		case n > at.n+1:
			at.broken = true
			c.broken("%s: row %d is missing; the next one that is there is row %d (%s)", whose(e.ClientID), at.n+1, n, e.ID)
		case n <= at.n:
			at.broken = true
			c.broken("%s: row %d is there twice (%s)", whose(e.ClientID), n, e.ID)
		case n > head:
			at.broken = true
			c.broken("%s: row %d (%s) was put there: the trail ends at row %d", whose(e.ClientID), n, e.ID, head)
		case hash != want.String():
			at.broken = true
			c.broken("%s: row %d (%s, %q of %s) is not as it was written, or was put there", whose(e.ClientID), n, e.ID, e.Act, e.At.Format(time.RFC3339))
		}
		at.n, at.hash = n, want
		today.Entry(e, n, want)
		then.Entry(e, n, want)
		return nil
	})
	if err != nil {
		return err
	}
	if c.v.Chains > 0 {
		end()
	}
	err = c.each(`SELECT client_id, n FROM trail_heads h WHERE NOT EXISTS (SELECT t.n FROM trail t WHERE t.client_id = h.client_id)`, nil, func(scan func(...any) error) error {
		var clientID string
		var n int64
		err := scan(&clientID, &n)
		c.broken("%s: rows 1 to %d, all that there were, are missing", whose(clientID), n)
		return err
	})
	c.v.Anchor = today.Anchor()
	if since != nil && c.v.Broken == before { // rows that are broken vouch for nothing
		c.since(*since, then.Anchor())
	}
	return err
}

// end holds a chain that was read to its end against its head.
func (c check) end(at chain) {
	switch {
	case at.broken:
	case at.n < at.head:
		c.broken("%s: row %d is missing, and what came after it: it ended at row %d", whose(at.clientID), at.n+1, at.head)
	case at.hash.String() != at.headHash:
		c.broken("%s: its last row, %d, is not the one that its head names", whose(at.clientID), at.n)
	}
}

// since holds the trail up to the time of an earlier anchor against that anchor. Somebody who cuts a chain's end off and moves its head back, or writes a whole chain anew, is
// found by this alone.
func (c check) since(then, now trail.Anchor) {
	at := then.At.Format(time.RFC3339)
	switch {
	case now.Rows < then.Rows:
		c.broken("of the trail up to %s, %d of %d rows are missing: they have been cut off the ends of their chains since the anchor was made", at, then.Rows-now.Rows, then.Rows)
	case now.Rows > then.Rows:
		c.broken("the trail up to %s has %d rows, and had %d when the anchor was made: rows of an earlier time have been put there since", at, now.Rows, then.Rows)
	case now.Digest != then.Digest:
		c.broken("the trail up to %s is not the one that the anchor was made of: a chain has been written anew since", at)
	}
}

// moneyTaken are the states that only money brings about, and noMoney those that money would have left.
const (
	moneyTaken = `('paid', 'paid_after_close', 'applied', 'refunded')`
	noMoney    = `('open', 'paying', 'needs_action', 'unknown', 'declined', 'expired', 'revoked', 'locked', 'superseded')`
)

// books checks the ledger, its invoices and the payments against one another.
func (c check) books() error {
	for _, one := range []struct {
		query, words string
	}{
		{`SELECT e.id, e.cause, COUNT(p.n), CAST(COALESCE(SUM(p.amount), 0) AS BIGINT) FROM entries e LEFT JOIN postings p ON p.entry_id = e.id GROUP BY e.id, e.cause
			HAVING COUNT(p.n) < 2 OR SUM(p.amount) <> 0`, "entry %s (%s) does not balance: its %s postings sum up to %s cents"},
		{`SELECT p.entry_id, p.n, COALESCE(p.client_id, 'nobody'), COALESCE(e.client_id, 'nobody') FROM postings p LEFT JOIN entries e ON e.id = p.entry_id
			WHERE e.id IS NULL OR COALESCE(e.client_id, '') <> COALESCE(p.client_id, '')`,
			"entry %s: its posting %s is of client %s, and the entry of %s"},
		{`SELECT e.payment_id, COUNT(*), MIN(e.cause), MAX(e.cause) FROM entries e WHERE e.payment_id <> '' AND e.cause LIKE 'receipt %' GROUP BY e.payment_id HAVING COUNT(*) > 1`,
			"payment %s has %s receipts: %s, %s"},
		{`SELECT p.id, p.state, p.charged, COALESCE(p.intent_id, '') FROM payments p LEFT JOIN entries e ON e.payment_id = p.id AND e.cause = 'receipt ' || p.intent_id
			WHERE p.state IN ` + moneyTaken + ` AND (p.charged > 0 OR p.amount > 0) AND e.id IS NULL`, "payment %s is %s, was charged %s cents (%s), and has no receipt in the books"},
		{`SELECT p.id, p.amount, p.charged, COALESCE(p.intent_id, '') FROM payments p WHERE p.state = 'paid' AND p.charged <> p.amount`, "payment %s is of %s cents and was charged %s (%s)"},
		{`SELECT p.id, p.given_back, CAST(COALESCE(SUM(-o.amount), 0) AS BIGINT), p.charged FROM payments p LEFT JOIN entries e ON e.payment_id = p.id AND e.cause LIKE 'refund %'
			LEFT JOIN postings o ON o.entry_id = e.id AND o.account = 'stripe_clearing' GROUP BY p.id, p.given_back, p.charged HAVING COALESCE(SUM(-o.amount), 0) <> p.given_back`,
			"payment %s has given %s cents back, and the books have %s of the %s that were charged"},
		{`SELECT r.payment_id, r.stripe_id, r.amount, r.state FROM refunds r LEFT JOIN entries e ON e.cause = 'refund ' || r.stripe_id WHERE r.state IN ('pending', 'succeeded') AND e.id IS NULL`,
			"payment %s: refund %s of %s cents (%s) is not in the books"},
		{`SELECT p.id, p.charged, r.taken, e.cause FROM payments p JOIN entries e ON e.payment_id = p.id AND e.cause = 'receipt ' || p.intent_id
			JOIN (SELECT entry_id, CAST(SUM(CASE WHEN account = 'stripe_clearing' THEN amount ELSE 0 END) AS BIGINT) AS taken FROM postings GROUP BY entry_id) r ON r.entry_id = e.id
			WHERE r.taken <> p.charged`, "payment %s was charged %s cents and its receipt is of %s (%s)"},
		{`SELECT p.id, p.state, e.id, e.cause FROM entries e JOIN payments p ON p.id = e.payment_id WHERE e.cause LIKE 'receipt %' AND p.state IN ` + noMoney,
			"payment %s is %s and has a receipt all the same: entry %s (%s)"},
		{`SELECT e.id, e.cause, e.payment_id, COALESCE(p.intent_id, '') FROM entries e LEFT JOIN payments p ON p.id = e.payment_id
			WHERE e.cause LIKE 'receipt %' AND (p.id IS NULL OR p.intent_id IS NULL OR e.cause <> 'receipt ' || p.intent_id)`, "entry %s (%s) is the receipt of a PaymentIntent that payment %q does not have (%s)"},
		{`SELECT i.id, i.number, i.subtotal, CAST(COALESCE(SUM(l.amount), 0) AS BIGINT) FROM invoices i LEFT JOIN invoice_lines l ON l.invoice_id = i.id GROUP BY i.id, i.number, i.subtotal
			HAVING COALESCE(SUM(l.amount), 0) <> i.subtotal`, "invoice %s (%s) has a subtotal of %s cents, and its lines sum up to %s"},
		{`SELECT i.id, i.number, i.total, i.subtotal + i.tax FROM invoices i WHERE i.total <> i.subtotal + i.tax`, "invoice %s (%s) has a total of %s cents, and its subtotal and tax are %s"},
		{`SELECT l.invoice_id, l.n, l.kind, l.amount FROM invoice_lines l LEFT JOIN invoices i ON i.id = l.invoice_id WHERE i.id IS NULL`, "invoice %s is missing; its line %s (%s, %s cents) is there"},
	} {
		err := c.each(one.query, nil, func(scan func(...any) error) error {
			var row [4]string
			if err := scan(&row[0], &row[1], &row[2], &row[3]); err != nil {
				return err
			}
			c.broken(one.words, row[0], row[1], row[2], row[3])
			return nil
		})
		if err != nil {
			return err
		}
	}
	return c.row(`SELECT (SELECT COUNT(*) FROM entries), (SELECT COUNT(*) FROM invoices), (SELECT COUNT(*) FROM payments)`).Scan(&c.v.Entries, &c.v.Invoices, &c.v.Payments)
}
