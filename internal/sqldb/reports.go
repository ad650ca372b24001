package sqldb

import (
	"context"

	"paylink/internal/desk/agent"
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
