package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"paylink/internal/autopay"
	"paylink/internal/day"
	"paylink/internal/desk/clock"
	"paylink/internal/pay"
	"paylink/internal/trail"
)

const runColumns = `vehicle_id, due, client_id, state, reminded, charges, declines, first_ms, COALESCE(next_ms, 0), payment_id, why, takes`

func scanRun(scan func(...any) error) (autopay.Run, error) {
	var r autopay.Run
	var reminded, first, next int64
	err := scan(&r.VehicleID, &r.Due, &r.ClientID, &r.State, &reminded, &r.Charges, &r.Declines, &first, &next, &r.PaymentID, &r.Why, &r.Takes)
	r.Reminded, r.FirstAt, r.NextAt = reminded != 0, fromMS(first), fromMS(next)
	return r, err
}

// PlanRuns adds a run for each vehicle of an enrolled client whose Paid To Date comes by a day and has none yet. It is due at once: what is to be done, and when, its first look decides. One that has
// stopped because Auto Pay was off, or because the date had moved, begins to wait again, with the declines that it had; the client is told again before anything is charged.
func (d *DB) PlanRuns(ctx context.Context, by day.Date, limit int) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.exec(`INSERT INTO auto_pay_runs (vehicle_id, due, client_id, state, reminded, charges, declines, first_ms, next_ms, payment_id, why, takes)
			SELECT v.id, v.paid_to, v.client_id, 'waiting', 0, 0, 0, 0, CAST($1 AS BIGINT), '', '', 0 FROM clients c JOIN vehicles v ON v.client_id = c.id
			WHERE c.auto_pay_days <> 0 AND v.paid_to <= $2 AND NOT EXISTS (SELECT 1 FROM auto_pay_runs r WHERE r.vehicle_id = v.id AND r.due = v.paid_to AND (r.state <> 'stopped' OR r.why NOT IN ('not_enrolled', 'date_moved')))`+atMost(limit)+`
			ON CONFLICT (vehicle_id, due) DO UPDATE SET state = 'waiting', why = '', reminded = 0, next_ms = excluded.next_ms WHERE auto_pay_runs.state = 'stopped'`, ms(now), string(by))
	})
}

// DueRuns lists runs that want to be looked at, oldest first.
func (d *DB) DueRuns(ctx context.Context, limit int) ([]clock.RunKey, error) {
	t := d.read(ctx)
	now, err := t.now()
	if err != nil {
		return nil, err
	}
	var out []clock.RunKey
	err = t.each(`SELECT vehicle_id, due FROM auto_pay_runs WHERE next_ms IS NOT NULL AND next_ms <= $1 ORDER BY next_ms`+atMost(limit), []any{ms(now)}, func(scan func(...any) error) error {
		out = append(out, clock.RunKey{})
		k := &out[len(out)-1]
		return scan(&k.VehicleID, &k.Due)
	})
	return out, err
}

// RunsOf lists a client's runs, the latest Paid To Date first.
func (d *DB) RunsOf(ctx context.Context, clientID string, limit int) ([]autopay.Run, error) {
	return d.read(ctx).runsOf(clientID, limit)
}

func (t tx) runsOf(clientID string, limit int) ([]autopay.Run, error) {
	var out []autopay.Run
	err := t.each(`SELECT `+runColumns+` FROM auto_pay_runs WHERE client_id = $1 ORDER BY due DESC, vehicle_id`+atMost(limit), []any{clientID}, func(scan func(...any) error) error {
		r, err := scanRun(scan)
		out = append(out, r)
		return err
	})
	return out, err
}

// TakeRun gives one scheduler a run that is due, by moving the time at which it is due again.
func (d *DB) TakeRun(ctx context.Context, k clock.RunKey, lease time.Duration) (r autopay.Run, ok bool, err error) {
	err = d.write(ctx, func(t tx) error {
		ok = false
		now, err := t.now()
		if err != nil {
			return err
		}
		r, err = scanRun(t.row(`UPDATE auto_pay_runs SET next_ms = $1, takes = takes + 1 WHERE vehicle_id = $2 AND due = $3 AND next_ms IS NOT NULL AND next_ms <= $4 RETURNING `+runColumns,
			ms(now.Add(lease)), k.VehicleID, string(k.Due), ms(now)).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		return err
	})
	return r, ok, err
}

// SaveRun writes how a run stands, with what the client is told of it. Whoever was not the last to take it writes nothing: another has seen more.
func (d *DB) SaveRun(ctx context.Context, r autopay.Run, s clock.Said) error {
	return d.write(ctx, func(t tx) error {
		if s.DeadCard != "" { // whoever decides about the card meanwhile writes its whole row
			if err := t.lockAccount(r.ClientID); err != nil {
				return err
			}
		}
		mine, err := t.insert(`UPDATE auto_pay_runs SET state = $1, reminded = $2, charges = $3, declines = $4, first_ms = $5, next_ms = $6, payment_id = $7, why = $8 WHERE vehicle_id = $9 AND due = $10 AND takes = $11 AND state = 'waiting'`,
			string(r.State), flag(r.Reminded), r.Charges, r.Declines, ms(r.FirstAt), dueMS(r.NextAt), r.PaymentID, string(r.Why), r.VehicleID, string(r.Due), r.Takes)
		if err != nil || !mine {
			return err
		}
		if s.DeadCard != "" {
			if err := t.exec(`UPDATE cards SET refused = $1 WHERE id = $2`, s.Code, s.DeadCard); err != nil {
				return err
			}
		}
		if err := t.letters(s.Letter); err != nil {
			return err
		}
		if s.Text != nil {
			if _, err := t.addMessage(*s.Text); err != nil {
				return err
			}
		}
		return t.trail([]trail.Entry{s.Trail})
	})
}

// PaymentOfForm finds the payment that a form made. Errors: pay.ErrNotFound.
func (d *DB) PaymentOfForm(ctx context.Context, formKey string) (pay.Payment, error) {
	p, err := scanPayment(d.read(ctx).row(`SELECT `+paymentColumns+` FROM payments WHERE form_key = $1`, formKey).Scan)
	return p.Payment, err
}
