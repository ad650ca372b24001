package sqldb

import (
	"context"
	"strconv"

	"paylink/internal/account"
	"paylink/internal/desk/client"
)

// Notices lists entries of a client's own trail, newest first, with the facts about what they are about. It goes through the chain's own index, from the newest entry on.
func (d *DB) Notices(ctx context.Context, clientID string, acts []string, before, after int64, limit int) ([]client.Notice, error) {
	list, args := among(acts, 5)
	var out []client.Notice
	err := d.read(ctx).each(`SELECT t.n, t.at_ms, t.act, CASE WHEN t.act = $1 THEN t.detail ELSE '' END, COALESCE(p.id, ''), COALESCE(p.door, ''), COALESCE(p.state, ''), COALESCE(p.own_number, 0),
			COALESCE(p.amount, i.total, 0), COALESCE(v.label, w.label, i.vehicle, ''), COALESCE(i.id, pi.id, ''), COALESCE(pi.paid_to, ''), COALESCE(c.brand, ''), COALESCE(c.last4, ''), COALESCE(a.starts_ms, 0), COALESCE(l.zone, '')
		FROM trail t
		LEFT JOIN payments p ON p.id = t.object AND p.client_id = t.client_id
		LEFT JOIN vehicles v ON v.id = p.vehicle_id
		LEFT JOIN vehicles w ON w.id = t.object AND w.client_id = t.client_id
		LEFT JOIN invoices i ON i.id = t.object AND i.client_id = t.client_id
		LEFT JOIN invoices pi ON pi.payment_id = p.id AND pi.total >= 0
		LEFT JOIN cards c ON c.id = t.object AND c.client_id = t.client_id
		LEFT JOIN appointments a ON a.id = t.object AND a.client_id = t.client_id
		LEFT JOIN locations l ON l.id = a.location_id
		WHERE t.client_id = $2 AND t.n > $3 AND ($4 = 0 OR t.n < $4) AND t.refused = '' AND t.act IN `+list+`
		ORDER BY t.n DESC LIMIT $`+strconv.Itoa(5+len(args)), append(append([]any{client.NewBrowser, clientID, after, before}, args...), limit), func(scan func(...any) error) error {
		var n client.Notice
		var at, own, starts int64
		var zone string
		err := scan(&n.N, &at, &n.Act, &n.Browser, &n.Payment, &n.Door, &n.State, &own, &n.Amount, &n.Vehicle, &n.InvoiceID, &n.PaidTo, &n.Card.Brand, &n.Card.Last4, &starts, &zone)
		n.At, n.OwnNumber = fromMS(at), own != 0
		if starts != 0 {
			n.StartsAt = fromMS(starts).In(account.Location{Zone: zone}.TimeZone())
		}
		out = append(out, n)
		return err
	})
	return out, err
}

// ReadNotices notes how far a client has read, and never goes back.
func (d *DB) ReadNotices(ctx context.Context, clientID string, upTo int64) error {
	return d.write(ctx, func(t tx) error {
		return t.exec(`UPDATE access SET read_n = $1 WHERE client_id = $2 AND read_n < $1 AND $1 <= (SELECT n FROM trail_heads WHERE client_id = $2)`, upTo, clientID)
	})
}
