package sqldb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/desk/agent"
	"paylink/internal/desk/supervisor"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/trail"
)

// Blocked notes that nothing could be sent, once a day for each agent, vehicle and reason.
func (d *DB) Blocked(ctx context.Context, b agent.BlockedTry, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		added, err := t.insert(`INSERT INTO blocked (day, by_id, vehicle_id, why, client_id, location_id, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
			string(b.Day), b.By, b.VehicleID, string(b.Why), b.ClientID, b.LocationID, ms(b.At))
		if err != nil || !added {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
}

// senderSQL is who sent a payment's link: a member of the staff, or what else it was.
const senderSQL = `CASE WHEN by_kind = 'staff' THEN by_id ELSE by_kind END`

// Sent hands over every link that was sent in a time, oldest first. All that it reads is in the index payments_reported, in its order.
func (d *DB) Sent(ctx context.Context, from, to time.Time, each func(*supervisor.Sent)) error {
	var s supervisor.Sent
	var state, reason string // plain types, here and below: others would be scanned by reflection, a hundred thousand times
	var days, declines, own, first, delivered int64
	into := []any{&s.ID, &s.Chain, &s.Agent, &s.ClientID, &s.LocationID, &s.Language, &state, &reason, &days, &declines, &own, &first, &delivered, &s.SentMS, &s.OpenedMS, &s.ClosedMS, &s.ExpiresMS}
	return d.read(ctx).each(`SELECT id, chain_id, `+senderSQL+`, client_id, location_id, language, state, reason, days, declines, own_number, first_link, delivered_ms, created_ms, opened_ms, closed_ms, expires_ms
		FROM payments WHERE door = 'link' AND created_ms >= $1 AND created_ms < $2 ORDER BY created_ms, id`, []any{ms(from), ms(to)}, func(scan func(...any) error) error {
		err := scan(into...)
		s.State, s.Reason, s.Days, s.Declines = pay.State(state), pay.Reason(reason), int(days), int(declines)
		s.OwnNumber, s.First, s.Delivered = own != 0, first != 0, delivered != 0
		each(&s)
		return err
	})
}

// Followed hands over the payments that continued a chain and were paid. One whose money came late has closed before that: when it came is not told.
func (d *DB) Followed(ctx context.Context, from time.Time, each func(chain string, at int64)) error {
	var chain string
	var at int64
	return d.read(ctx).each(`SELECT chain_id, CASE WHEN state = 'paid' THEN closed_ms ELSE 0 END FROM payments WHERE id <> chain_id AND created_ms >= $1 AND state IN ('paid', 'applied')`,
		[]any{ms(from)}, func(scan func(...any) error) error {
			err := scan(&chain, &at)
			each(chain, at)
			return err
		})
}

// DeclinedCards hands over the declined cards of a time.
func (d *DB) DeclinedCards(ctx context.Context, from, to time.Time, each func(paymentID, code string)) error {
	var id, code string
	return d.read(ctx).each(`SELECT payment_id, code FROM attempts WHERE state = 'declined' AND started_ms >= $1 AND started_ms < $2`, []any{ms(from), ms(to)}, func(scan func(...any) error) error {
		err := scan(&id, &code)
		each(id, code)
		return err
	})
}

// BlockedTries hands over what agents could not send.
func (d *DB) BlockedTries(ctx context.Context, from, to time.Time, each func(agent, locationID string, why quote.Blocked)) error {
	var by, location string
	var why quote.Blocked
	return d.read(ctx).each(`SELECT by_id, location_id, why FROM blocked WHERE at_ms >= $1 AND at_ms < $2`, []any{ms(from), ms(to)}, func(scan func(...any) error) error {
		err := scan(&by, &location, &why)
		each(by, location, why)
		return err
	})
}

// AutoPaySince is when clients turned Auto Pay on last, by id, in milliseconds.
func (d *DB) AutoPaySince(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	err := d.read(ctx).each(`SELECT id, auto_pay_since_ms FROM clients WHERE auto_pay_since_ms <> 0`, nil, func(scan func(...any) error) error {
		var id string
		var since int64
		err := scan(&id, &since)
		out[id] = since
		return err
	})
	return out, err
}

// NumbersUsed hands over every link that was texted in a time, with the number it went to.
func (d *DB) NumbersUsed(ctx context.Context, from, to time.Time, each func(supervisor.Use)) error {
	open := d.config.Keys.Opener()
	return d.read(ctx).each(`SELECT id, payment_id, sent_by, own_number, phone_box, created_ms FROM links WHERE created_ms >= $1 AND created_ms < $2`, []any{ms(from), ms(to)}, func(scan func(...any) error) error {
		var u supervisor.Use
		var id, box string
		var own, at int64
		if err := scan(&id, &u.PaymentID, &u.Agent, &own, &box, &at); err != nil {
			return err
		}
		number, err := open(phoneOf(id), box)
		if err != nil {
			return fmt.Errorf("the phone number of link %s can't be opened: %w", id, err)
		}
		u.Number, u.OwnNumber, u.At = phone.Stored(number), own != 0, fromMS(at)
		each(u)
		return nil
	})
}

// outcomeSQL is supervisor.Sent's Outcome as a condition on payments; NOW stands for the moment.
var outcomeSQL = map[supervisor.Outcome]string{
	supervisor.Paid:      `state IN ('paid', 'applied')`,
	supervisor.Expired:   `(state = 'expired' AND reason <> 'not_sent' OR state = 'open' AND expires_ms <= NOW)`,
	supervisor.Cancelled: `state = 'revoked'`,
	supervisor.Live:      `(state = 'open' AND expires_ms > NOW OR state IN ('paying', 'needs_action', 'unknown'))`,
	supervisor.Otherwise: `(state = 'expired' AND reason = 'not_sent' OR state IN ('declined', 'locked', 'superseded', 'paid_after_close', 'refunded', 'review'))`,
	supervisor.Delivered: `delivered_ms <> 0`,
	supervisor.Opened:    `opened_ms <> 0`,
	supervisor.Declined:  `declines > 0`,
}

// wanted is the condition of a list of links, on payments alone, and its arguments.
func wanted(q supervisor.BoardQuery) (string, []any) {
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	one := func(ids []string) string {
		if len(ids) == 0 {
			return `('')` // nobody's
		}
		var places []string
		for _, id := range ids {
			places = append(places, arg(id))
		}
		return "(" + strings.Join(places, ", ") + ")"
	}
	where := `door = 'link' AND created_ms >= ` + arg(ms(q.From))
	where += ` AND created_ms < ` + arg(ms(q.To))
	if !q.Everybody {
		where += ` AND by_kind = 'staff' AND by_id IN ` + one(q.Agents)
	}
	if !q.All {
		where += ` AND location_id IN ` + one(q.Locations)
	}
	if q.Agent != "" {
		where += ` AND ` + senderSQL + ` = ` + arg(q.Agent)
	}
	if q.Location != "" {
		where += ` AND location_id = ` + arg(q.Location)
	}
	if q.Days != 0 {
		where += ` AND days = ` + arg(q.Days)
	}
	if q.Language != "" {
		where += ` AND language = ` + arg(q.Language)
	}
	if q.Number != "" {
		where += ` AND own_number = ` + arg(flag(q.Number == supervisor.Own))
	}
	if condition, ok := outcomeSQL[q.Outcome]; ok {
		if strings.Contains(condition, "NOW") {
			condition = strings.ReplaceAll(condition, "NOW", arg(ms(q.Now)))
		}
		where += ` AND ` + condition
	}
	return where, args
}

// Board lists links, newest first, those after a place in the list.
func (d *DB) Board(ctx context.Context, q supervisor.BoardQuery) ([]supervisor.Row, error) {
	where, args := wanted(q)
	if !q.After.At.IsZero() {
		args = append(args, ms(q.After.At), q.After.ID)
		where += fmt.Sprintf(` AND (created_ms < $%[1]d OR created_ms = $%[1]d AND id < $%[2]d)`, len(args)-1, len(args))
	}
	args = append(args, q.Limit)
	// The page is found by the index alone, before anything is looked up for it.
	page := fmt.Sprintf(`SELECT id AS found, created_ms AS at FROM payments WHERE %s ORDER BY created_ms DESC, id DESC LIMIT $%d`, where, len(args))
	var out []supervisor.Row
	t := d.read(ctx)
	err := t.each(`SELECT `+prefixed("p", paymentColumns)+`, c.first_name || ' ' || c.last_name, CASE WHEN p.by_kind = 'staff' THEN p.by_id ELSE p.by_kind END, p.language, p.own_number,
			COALESCE((SELECT l.last4 FROM links l WHERE l.payment_id = p.id ORDER BY l.created_ms DESC, l.id DESC LIMIT 1), '')
			FROM (`+page+`) f JOIN payments p ON p.id = f.found JOIN clients c ON c.id = p.client_id ORDER BY f.at DESC, f.found DESC`, args, func(scan func(...any) error) error {
		var r supervisor.Row
		var own int64
		p, err := scanPayment(func(into ...any) error {
			return scan(append(into, &r.Client, &r.Agent, &r.Language, &own, &r.Last4)...)
		})
		r.Payment, r.Own = p.Payment, own != 0
		out = append(out, r)
		return err
	})
	return out, err
}

// CountBoard counts a list of links.
func (d *DB) CountBoard(ctx context.Context, q supervisor.BoardQuery) (int, error) {
	where, args := wanted(q)
	var n int
	err := d.read(ctx).row(`SELECT COUNT(*) FROM payments WHERE `+where, args...).Scan(&n)
	return n, err
}

// Locations lists the locations, in no order.
func (d *DB) Locations(ctx context.Context, limit int) ([]account.Location, error) {
	var out []account.Location
	err := d.read(ctx).each(`SELECT `+locationColumns+` FROM locations LIMIT $1`, []any{limit}, func(scan func(...any) error) error {
		l, err := scanLocation(scan)
		out = append(out, l)
		return err
	})
	return out, err
}

// ClientNames are the names of clients, by id.
func (d *DB) ClientNames(ctx context.Context, ids []string) (map[string]string, error) {
	out := map[string]string{}
	const together = 500
	for ; len(ids) > 0; ids = ids[min(len(ids), together):] {
		var places []string
		var args []any
		for _, id := range ids[:min(len(ids), together)] {
			args = append(args, id)
			places = append(places, fmt.Sprintf("$%d", len(args)))
		}
		err := d.read(ctx).each(`SELECT id, first_name || ' ' || last_name FROM clients WHERE id IN (`+strings.Join(places, ", ")+`)`, args, func(scan func(...any) error) error {
			var id, name string
			err := scan(&id, &name)
			out[id] = name
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ReconciledDays lists the last days that were reconciled to their end, the newest first.
func (d *DB) ReconciledDays(ctx context.Context, limit int) ([]supervisor.Reconciled, error) {
	days, err := d.Reconciliations(ctx, limit)
	var out []supervisor.Reconciled
	for _, r := range days {
		out = append(out, supervisor.Reconciled{Day: r.Day, Differences: r.Differences})
	}
	return out, err
}
