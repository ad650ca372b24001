package sqldb

import (
	"context"

	"paylink/internal/desk/office"
	"paylink/internal/ledger"
	"paylink/internal/pay"
	"paylink/internal/trail"
)

// forAPerson is every cause for which a payment waits for a person, each found by an index that holds nothing else. office.Causes words them.
const forAPerson = `SELECT id AS payment_id, CASE WHEN late_ms <> 0 THEN late_ms ELSE created_ms END AS since FROM payments WHERE held = 1 OR refunding <> 0 OR state = 'review'
	UNION ALL SELECT r.payment_id, r.asked_ms FROM refunds r WHERE r.state IN ('failed', 'refused') AND r.cleared_ms = 0
		AND NOT EXISTS (SELECT 1 FROM refunds l WHERE l.payment_id = r.payment_id AND l.asked_ms > r.asked_ms AND l.state IN ('asked', 'pending', 'succeeded'))
	UNION ALL SELECT payment_id, opened_ms FROM disputes WHERE status NOT IN ('won', 'lost', 'warning_closed', 'prevented')`

// forAPersonAt is forAPerson at the locations of a listing.
func forAPersonAt(list string) string {
	return `SELECT payment_id, since FROM (` + forAPerson + `) w WHERE (` + list + ` = '' OR EXISTS (SELECT 1 FROM payments p WHERE p.id = w.payment_id AND ` + oneOf("p.location_id", list) + `))`
}

// Waiting lists payments at some locations that wait for a person, oldest first, those after a place in the list.
func (d *DB) Waiting(ctx context.Context, locations []string, after office.Waits, limit int) ([]office.Waits, error) {
	var out []office.Waits
	err := d.read(ctx).each(`SELECT payment_id, MIN(since) FROM (`+forAPersonAt("$1")+`) s GROUP BY payment_id HAVING MIN(since) > $2 OR MIN(since) = $2 AND payment_id > $3
		ORDER BY MIN(since), payment_id LIMIT $4`, []any{listing(locations), ms(after.Since), after.PaymentID, limit}, func(scan func(...any) error) error {
		var w office.Waits
		var since int64
		err := scan(&w.PaymentID, &since)
		w.Since = fromMS(since)
		out = append(out, w)
		return err
	})
	return out, err
}

// CountWaiting counts the payments at some locations that wait for a person, up to a most.
func (d *DB) CountWaiting(ctx context.Context, locations []string, most int) (int, error) {
	var n int
	err := d.read(ctx).row(`SELECT COUNT(*) FROM (SELECT DISTINCT payment_id FROM (`+forAPersonAt("$1")+`) s LIMIT $2) c`, listing(locations), most).Scan(&n)
	return n, err
}

// Clear notes that a person has settled what a payment's failed and refused refunds have left. pay.ErrClosed: nothing was left.
func (d *DB) Clear(ctx context.Context, paymentID string, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		cleared := false
		err = t.each(`UPDATE refunds SET cleared_ms = $1 WHERE payment_id = $2 AND state IN ('failed', 'refused') AND cleared_ms = 0 RETURNING id`, []any{ms(now), paymentID}, func(scan func(...any) error) error {
			cleared = true
			return scan(new(string))
		})
		if err != nil {
			return err
		}
		if !cleared {
			return pay.ErrClosed
		}
		if err := t.changedPayment(paymentID); err != nil {
			return err
		}
		e.At = now
		return t.trail([]trail.Entry{e})
	})
}

// InvoicesOf lists what a payment has invoiced and credited, oldest first.
func (d *DB) InvoicesOf(ctx context.Context, paymentID string) ([]ledger.Invoice, error) {
	return d.read(ctx).invoices(`WHERE payment_id = $1 ORDER BY issued_ms, number LIMIT $2`, paymentID, maxRecord)
}

// Disputed lists the ids of a client's payments that somebody disputes at the bank now.
func (d *DB) Disputed(ctx context.Context, clientID string) ([]string, error) {
	var out []string
	err := d.read(ctx).each(`SELECT DISTINCT p.id FROM payments p JOIN disputes d ON d.payment_id = p.id WHERE p.client_id = $1 AND d.status NOT IN ('won', 'lost', 'warning_closed', 'prevented')`,
		[]any{clientID}, func(scan func(...any) error) error {
			out = append(out, "")
			return scan(&out[len(out)-1])
		})
	return out, err
}

// Reconciliations lists the last days that were reconciled to their end, the newest first.
func (d *DB) Reconciliations(ctx context.Context, limit int) ([]office.Reconciled, error) {
	var out []office.Reconciled
	err := d.read(ctx).each(`SELECT day, ended_ms, differences FROM reconciliations WHERE ended_ms > 0 ORDER BY day DESC LIMIT $1`, []any{limit}, func(scan func(...any) error) error {
		var r office.Reconciled
		var ended int64
		err := scan(&r.Day, &ended, &r.Differences)
		r.EndedAt = fromMS(ended)
		out = append(out, r)
		return err
	})
	return out, err
}
