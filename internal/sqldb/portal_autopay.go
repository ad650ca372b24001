package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"paylink/internal/desk/client"
	"paylink/internal/ledger"
	"paylink/internal/trail"
)

// RunPayments is what became of the last payments of a client's runs, by the payment's id: of the latest Paid To Dates first.
func (d *DB) RunPayments(ctx context.Context, clientID string, limit int) (map[string]client.RunPayment, error) {
	out := map[string]client.RunPayment{}
	err := d.read(ctx).each(`SELECT p.id, p.amount, p.state FROM auto_pay_runs r JOIN payments p ON p.id = r.payment_id WHERE r.client_id = $1 ORDER BY r.due DESC, r.vehicle_id`+atMost(limit),
		[]any{clientID}, func(scan func(...any) error) error {
			var id string
			var p client.RunPayment
			err := scan(&id, &p.Amount, &p.State)
			p.Reference = ledger.Code(id)
			out[id] = p
			return err
		})
	return out, err
}

// SetAutoPay turns Auto Pay on or off, or changes it, as decide says. Whoever charges by the clock holds the same lock and asks anew, so that nothing begins after it is off.
func (d *DB) SetAutoPay(ctx context.Context, clientID string, decide func(client.AutoPayFacts) (*client.AutoPayChange, error)) error {
	return d.write(ctx, func(t tx) error {
		if err := t.lockAccount(clientID); err != nil {
			return notFound(err)
		}
		f, err := t.autoPayFacts(clientID)
		if err != nil {
			return err
		}
		c, err := decide(f)
		if err != nil || c == nil {
			return err
		}
		since := int64(0)
		if f.Client.AutoPayDays == 0 && c.Days != 0 {
			since = ms(f.Now)
		}
		if err := t.exec(`UPDATE clients SET auto_pay_days = $1, auto_pay_since_ms = CASE WHEN CAST($2 AS BIGINT) <> 0 THEN CAST($2 AS BIGINT) ELSE auto_pay_since_ms END, auto_pay_terms = $3, auto_pay_language = $4 WHERE id = $5`,
			c.Days, since, c.Terms, c.Language, clientID); err != nil {
			return err
		}
		if err := t.letters(c.Told); err != nil {
			return err
		}
		t.changed(clientID)
		return t.trail([]trail.Entry{c.Trail})
	})
}

func (t tx) autoPayFacts(clientID string) (f client.AutoPayFacts, err error) {
	if f.Now, err = t.now(); err != nil {
		return f, err
	}
	c, vehicles, err := t.whole(clientID)
	if err != nil {
		return f, err
	}
	f.Client = c
	for _, v := range vehicles {
		l, err := t.location(v.LocationID)
		if err != nil {
			return f, err
		}
		f.Vehicles = append(f.Vehicles, client.Vehicle{Vehicle: v, Location: l})
	}
	card, err := scanCard(t.row(`SELECT `+cardColumns+` FROM cards WHERE client_id = $1 AND main = 1 AND removed_ms = 0`, clientID).Scan)
	switch {
	case err == nil:
		f.Card = &card
	case !errors.Is(notFound(err), notFound(sql.ErrNoRows)):
		return f, err
	}
	var charging int64
	err = t.row(`SELECT COUNT(*) FROM payments WHERE client_id = $1 AND door = 'autopay' AND state IN ('open', 'paying', 'needs_action', 'unknown')`, clientID).Scan(&charging)
	f.Charging = charging > 0
	return f, err
}
