package sqldb

import (
	"context"
	"fmt"

	"paylink/internal/desk/agent"
	"paylink/internal/pay"
)

// Pulse reads whether anything about a client has changed, which every act leaves in the trail, and which payments live now, in two small queries: pages that are left open ask for it again and again.
// It counts, since these rows are never taken away, and a payment's version goes up with each change. A client who is not there has a pulse of nothing.
func (d *DB) Pulse(ctx context.Context, clientID string) (agent.Pulse, error) {
	t := d.read(ctx)
	var p agent.Pulse
	now, err := t.now()
	if err != nil {
		return p, err
	}
	var payments, versions, entries, notes, acts int64
	err = t.row(`SELECT COUNT(*), CAST(COALESCE(SUM(version), 0) AS BIGINT), (SELECT COUNT(*) FROM entries WHERE client_id = $1), (SELECT COUNT(*) FROM notes WHERE client_id = $1),
		COALESCE((SELECT n FROM trail_heads WHERE client_id = $1), 0) FROM payments WHERE client_id = $1`, clientID).Scan(&payments, &versions, &entries, &notes, &acts)
	if err != nil {
		return p, err
	}
	p.Version = fmt.Sprint(payments, versions, entries, notes, acts)
	err = t.each(`SELECT id, COALESCE(vehicle_id, ''), state, expires_ms FROM payments WHERE client_id = $1 AND state IN ('open', 'paying', 'needs_action', 'unknown', 'review') ORDER BY created_ms DESC, id DESC`,
		[]any{clientID}, func(scan func(...any) error) error {
			var one pay.Payment
			var expires int64
			if err := scan(&one.ID, &one.VehicleID, &one.State, &expires); err != nil {
				return err
			}
			if one.ExpiresAt = fromMS(expires); one.Effective(now).Live() {
				p.Live = append(p.Live, agent.Living{PaymentID: one.ID, VehicleID: one.VehicleID})
			}
			return nil
		})
	return p, err
}
