package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"paylink/internal/day"
	"paylink/internal/desk/clock"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/pay"
)

// amongMost is how many values one "IN" holds.
const amongMost = 100

// among is an IN of up to amongMost values, filled up with the last, so that there is one statement for every number of them.
func among(values []string, from int) (list string, args []any) {
	marks := make([]string, amongMost)
	for i := range marks {
		marks[i] = "$" + strconv.Itoa(from+i)
		args = append(args, values[min(i, len(values)-1)])
	}
	return "(" + strings.Join(marks, ", ") + ")", args
}

// StripeAccounts lists the platform's account, which is "", those of the locations, and those that the books have ever had to do with.
func (d *DB) StripeAccounts(ctx context.Context) ([]string, error) {
	all := []string{""}
	// It goes from account to account through the index: there are few accounts and many entries.
	err := d.read(ctx).each(`WITH RECURSIVE booked (account) AS (
			SELECT MIN(stripe_account) FROM entries
			UNION ALL SELECT (SELECT MIN(e.stripe_account) FROM entries e WHERE e.stripe_account > booked.account) FROM booked WHERE booked.account IS NOT NULL)
		SELECT account FROM booked WHERE account <> '' UNION SELECT stripe_account FROM locations WHERE stripe_account <> ''`, nil, func(scan func(...any) error) error {
		all = append(all, "")
		return scan(&all[len(all)-1])
	})
	return all, err
}

// Unheard returns those events that were not heard yet, in their order.
func (d *DB) Unheard(ctx context.Context, notices []pay.Notice) ([]pay.Notice, error) {
	var out []pay.Notice
	for len(notices) > 0 {
		page := notices[:min(len(notices), amongMost)]
		notices = notices[len(page):]
		ids := make([]string, len(page))
		for i, n := range page {
			ids[i] = n.ID
		}
		list, args := among(ids, 1)
		known := map[string]bool{}
		err := d.read(ctx).each(`SELECT id FROM stripe_events WHERE id IN `+list, args, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			known[id] = true
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, n := range page {
			if !known[n.ID] {
				out = append(out, n)
			}
		}
	}
	return out, nil
}

// bookedColumns is what an entry has moved on the clearing account, and the charge that its payment succeeded by.
const bookedColumns = `e.cause, e.stripe_account, e.payment_id, COALESCE((SELECT MAX(a.charge_id) FROM attempts a WHERE a.payment_id = e.payment_id AND a.state = 'succeeded'), ''), e.at_ms,
	CAST((SELECT COALESCE(SUM(p.amount), 0) FROM postings p WHERE p.entry_id = e.id AND p.account = 'stripe_clearing') AS BIGINT)`

func scanBooked(scan func(...any) error) (clock.Booked, error) {
	var b clock.Booked
	var at int64
	err := scan(&b.Cause, &b.Account, &b.PaymentID, &b.ChargeID, &at, &b.Amount)
	b.At = fromMS(at)
	return b, err
}

// Booked finds entries by their causes.
func (d *DB) Booked(ctx context.Context, causes []string) (map[string]clock.Booked, error) {
	out := map[string]clock.Booked{}
	for len(causes) > 0 {
		page := causes[:min(len(causes), amongMost)]
		causes = causes[len(page):]
		list, args := among(page, 1)
		err := d.read(ctx).each(`SELECT `+bookedColumns+` FROM entries e WHERE e.cause IN `+list, args, func(scan func(...any) error) error {
			b, err := scanBooked(scan)
			out[b.Cause] = b
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Cleared lists the entries of [from, to) that have moved something on a Stripe account's clearing account, oldest first.
func (d *DB) Cleared(ctx context.Context, account string, from, to time.Time) ([]clock.Booked, error) {
	var out []clock.Booked
	err := d.read(ctx).each(`SELECT `+bookedColumns+` FROM entries e WHERE e.stripe_account = $1 AND e.at_ms >= $2 AND e.at_ms < $3
		AND EXISTS (SELECT 1 FROM postings q WHERE q.entry_id = e.id AND q.account = 'stripe_clearing') ORDER BY e.at_ms, e.id`, []any{account, ms(from), ms(to)}, func(scan func(...any) error) error {
		b, err := scanBooked(scan)
		out = append(out, b)
		return err
	})
	return out, err
}

// ClearingBefore sums up a Stripe account's clearing account over all entries before a time.
func (d *DB) ClearingBefore(ctx context.Context, account string, to time.Time) (money.Cents, error) {
	var sum money.Cents
	err := d.read(ctx).row(`SELECT CAST(COALESCE(SUM(p.amount), 0) AS BIGINT) FROM entries e JOIN postings p ON p.entry_id = e.id WHERE e.stripe_account = $1 AND e.at_ms < $2 AND p.account = 'stripe_clearing'`,
		account, ms(to)).Scan(&sum)
	return sum, err
}

// Post adds entries that no payment's transition makes: Stripe's fees, payouts. Those whose cause is in the books already stay as they are.
func (d *DB) Post(ctx context.Context, entries []ledger.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	return d.write(ctx, func(t tx) error {
		for _, e := range entries {
			if err := t.entry(e); err != nil && !errors.Is(err, ledger.ErrPosted) {
				return err
			}
		}
		return nil
	})
}

// PaymentBy finds a payment by its PaymentIntent, or by its own id. Errors: pay.ErrNotFound.
func (d *DB) PaymentBy(ctx context.Context, intentID, paymentID string) (pay.Payment, error) {
	p, err := scanPayment(d.read(ctx).row(`SELECT `+paymentColumns+` FROM payments WHERE intent_id = $1 OR id = $2 ORDER BY CASE WHEN intent_id = $1 THEN 0 ELSE 1 END LIMIT 1`, orNull(intentID), paymentID).Scan)
	return p.Payment, err
}

// Unsettled counts what must come to its end before the books may be trusted again after a restore: live payments, and cancels that Stripe has not answered.
func (d *DB) Unsettled(ctx context.Context) (live, cancels int, err error) {
	err = d.read(ctx).row(`SELECT (SELECT COUNT(*) FROM payments WHERE state IN ('open', 'paying', 'needs_action', 'unknown', 'review')),
		(SELECT COUNT(*) FROM payments WHERE next_ms IS NOT NULL AND cancel_due = 1)`).Scan(&live, &cancels)
	return live, cancels, err
}

// Reconciled lists the days since then that were reconciled to their end, oldest first, without their reports.
func (d *DB) Reconciled(ctx context.Context, since day.Date) ([]clock.Kept, error) {
	var out []clock.Kept
	err := d.read(ctx).each(`SELECT day, ended_ms, differences FROM reconciliations WHERE day >= $1 AND ended_ms > 0 ORDER BY day`, []any{string(since)}, func(scan func(...any) error) error {
		var k clock.Kept
		var ended int64
		err := scan(&k.Day, &ended, &k.Differences)
		k.EndedAt = fromMS(ended)
		out = append(out, k)
		return err
	})
	return out, err
}

// ClaimDay gives one asker the right to reconcile a day: not if it was reconciled, and not while another's claim is younger than the lease.
func (d *DB) ClaimDay(ctx context.Context, date day.Date, lease time.Duration) (bool, error) {
	ours := false
	err := d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		if ours, err = t.insert(`INSERT INTO reconciliations (day, started_ms, ended_ms, differences, report) VALUES ($1, $2, 0, 0, '') ON CONFLICT DO NOTHING`, string(date), ms(now)); ours || err != nil {
			return err
		}
		ours, err = t.insert(`UPDATE reconciliations SET started_ms = $1 WHERE day = $2 AND ended_ms = 0 AND started_ms <= $3`, ms(now), string(date), ms(now.Add(-lease)))
		return err
	})
	return ours, err
}

// KeepDay keeps how a day came out, over what was kept of it before.
func (d *DB) KeepDay(ctx context.Context, k clock.Kept) error {
	text, err := json.Marshal(k.Report)
	if err != nil {
		return err
	}
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.exec(`INSERT INTO reconciliations (day, started_ms, ended_ms, differences, report) VALUES ($1, $2, $2, $3, $4)
			ON CONFLICT (day) DO UPDATE SET ended_ms = excluded.ended_ms, differences = excluded.differences, report = excluded.report`, string(k.Day), ms(now), k.Differences, string(text))
	})
}
