package sqldb

import (
	"context"
	"errors"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/pay"
	"paylink/internal/trail"
)

const refundColumns = `id, payment_id, COALESCE(stripe_id, ''), amount, state, why, by_kind, by_id, code, asked_ms, ended_ms, COALESCE(form_key, ''), cleared_ms`

func scanRefund(scan func(...any) error) (pay.Refund, error) {
	var r pay.Refund
	var asked, ended, cleared int64
	err := scan(&r.ID, &r.PaymentID, &r.StripeID, &r.Amount, &r.State, &r.Why, &r.By.Kind, &r.By.ID, &r.Code, &asked, &ended, &r.FormKey, &cleared)
	r.AskedAt, r.EndedAt, r.ClearedAt = fromMS(asked), fromMS(ended), fromMS(cleared)
	return r, err
}

const disputeColumns = `id, payment_id, charge_id, amount, reason, status, evidence_by_ms, opened_ms, changed_ms, moved, evidence, evidence_sha256`

func scanDispute(scan func(...any) error) (pay.Dispute, error) {
	var d pay.Dispute
	var by, opened, changed int64
	var moved string
	err := scan(&d.ID, &d.PaymentID, &d.ChargeID, &d.Amount, &d.Reason, &d.Status, &by, &opened, &changed, &moved, &d.Evidence, &d.EvidenceHash)
	d.EvidenceBy, d.OpenedAt, d.ChangedAt, d.Moved = fromMS(by), fromMS(opened), fromMS(changed), strings.Fields(moved)
	return d, err
}

// booked adds what a decision about money that is in the books needs.
func (t tx) booked(v *pay.View) error {
	p := v.Payment
	err := t.each(`SELECT `+refundColumns+` FROM refunds WHERE payment_id = $1 ORDER BY asked_ms`, []any{p.ID}, func(scan func(...any) error) error {
		r, err := scanRefund(scan)
		v.Refunds = append(v.Refunds, r)
		return err
	})
	if err != nil {
		return err
	}
	err = t.each(`SELECT `+disputeColumns+` FROM disputes WHERE payment_id = $1 ORDER BY opened_ms`, []any{p.ID}, func(scan func(...any) error) error {
		d, err := scanDispute(scan)
		v.Disputes = append(v.Disputes, d)
		return err
	})
	if err != nil {
		return err
	}
	err = t.each(`SELECT `+paymentColumns+` FROM payments WHERE client_id = $1 AND id <> $2 AND state IN ('open', 'paying', 'needs_action', 'unknown', 'review')`, []any{p.ClientID, p.ID}, func(scan func(...any) error) error {
		o, err := scanPayment(scan)
		v.Others = append(v.Others, o.Payment)
		return err
	})
	if err != nil || p.State != pay.PaidAfterClose {
		return err
	}
	return t.row(`SELECT COUNT(*) FROM payments WHERE late_ms <> 0 AND late_ms > $1`, ms(v.Facts.Now.Add(-time.Hour))).Scan(&v.Late)
}

// returns writes refunds and disputes. What identifies them is written once.
func (t tx) returns(c pay.Change) error {
	for _, r := range c.Refunds {
		if err := t.exec(`INSERT INTO refunds (id, payment_id, stripe_id, amount, state, why, by_kind, by_id, code, asked_ms, ended_ms, form_key, cleared_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			ON CONFLICT (id) DO UPDATE SET stripe_id = COALESCE(refunds.stripe_id, excluded.stripe_id), amount = excluded.amount, state = excluded.state, code = excluded.code, ended_ms = excluded.ended_ms`,
			r.ID, r.PaymentID, orNull(r.StripeID), int64(r.Amount), string(r.State), r.Why, string(r.By.Kind), r.By.ID, r.Code, ms(r.AskedAt), ms(r.EndedAt), orNull(r.FormKey), ms(r.ClearedAt)); err != nil {
			return err
		}
	}
	for _, d := range c.Disputes {
		if err := t.exec(`INSERT INTO disputes (`+disputeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, status = excluded.status, evidence_by_ms = excluded.evidence_by_ms, changed_ms = excluded.changed_ms, moved = excluded.moved`,
			d.ID, d.PaymentID, d.ChargeID, int64(d.Amount), d.Reason, d.Status, ms(d.EvidenceBy), ms(d.OpenedAt), ms(d.ChangedAt), strings.Join(d.Moved, " "), d.Evidence, d.EvidenceHash); err != nil {
			return err
		}
	}
	return nil
}

// Rebuild writes a payment that only Stripe knew of, and its money. pay.ErrLive: such a payment is there by now. account.ErrNotFound: its client is not.
func (d *DB) Rebuild(ctx context.Context, p pay.Payment, b pay.Booking, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		if err := t.lockAccount(p.ClientID); err != nil {
			return notFound(err)
		}
		now, err := t.now()
		if err != nil {
			return err
		}
		if p.VehicleID != "" { // what a backup does not know it can't refer to
			if _, err := t.vehicle(p.VehicleID); err != nil {
				p.VehicleID = ""
			}
		}
		if _, err := t.location(p.LocationID); err != nil {
			if err := t.row(`SELECT location_id FROM vehicles WHERE client_id = $1 ORDER BY id LIMIT 1`, p.ClientID).Scan(&p.LocationID); err != nil {
				return notFound(err)
			}
		}
		if err := t.insertPayment(p, nil); err != nil {
			if clash(err) {
				return pay.ErrLive
			}
			return err
		}
		e.At = now
		if err := t.book(stored{Payment: p}, b); err != nil {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
}

// PaymentOf finds a payment by its PaymentIntent; "" if there is none.
func (d *DB) PaymentOf(ctx context.Context, intentID string) (string, error) {
	var id string
	err := notFound(d.read(ctx).row(`SELECT id FROM payments WHERE intent_id = $1`, intentID).Scan(&id))
	if errors.Is(err, account.ErrNotFound) {
		return "", nil
	}
	return id, err
}

// Awaken makes every live payment due, and every one whose cancel was not answered.
func (d *DB) Awaken(ctx context.Context) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.exec(`UPDATE payments SET next_ms = $1, version = version + 1 WHERE state IN ('open', 'paying', 'needs_action', 'unknown', 'paid_after_close') OR cancel_due = 1`, ms(now))
	})
}

// maxRecord bounds what an evidence file shows of a payment's texts and acts.
const maxRecord = 1000

// Record reads what the evidence file shows of a payment beyond its view.
func (d *DB) Record(ctx context.Context, paymentID string) (pay.Record, error) {
	t := d.read(ctx)
	var r pay.Record
	var err error
	if r.Links, err = d.Links(ctx, paymentID); err != nil {
		return r, err
	}
	err = t.each(`SELECT `+messageColumns+` FROM messages WHERE payment_id = $1 ORDER BY created_ms LIMIT $2`, []any{paymentID, maxRecord}, func(scan func(...any) error) error {
		m, err := t.scanMessage(scan)
		m.Box = ""
		r.Messages = append(r.Messages, m)
		return err
	})
	if err != nil {
		return r, err
	}
	err = t.each(`SELECT DISTINCT t.version, t.language, t.sha256, t.text FROM terms t JOIN attempts a ON a.terms_version = t.version AND a.terms_language = t.language WHERE a.payment_id = $1`, []any{paymentID}, func(scan func(...any) error) error {
		var a pay.Agreement
		err := scan(&a.Version, &a.Language, &a.SHA256, &a.Text)
		r.Terms = append(r.Terms, a)
		return err
	})
	if err != nil {
		return r, err
	}
	err = t.each(`SELECT id, at_ms, actor_kind, actor_id, act, object, client_id, refused, detail FROM trail WHERE object = $1 ORDER BY at_ms, id LIMIT $2`, []any{paymentID, maxRecord}, func(scan func(...any) error) error {
		var e trail.Entry
		var at int64
		err := scan(&e.ID, &at, &e.Actor.Kind, &e.Actor.ID, &e.Act, &e.Object, &e.ClientID, &e.Refused, &e.Detail)
		e.At = fromMS(at)
		r.Trail = append(r.Trail, e)
		return err
	})
	return r, err
}
