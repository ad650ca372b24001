package sqldb

import (
	"context"

	"paylink/internal/appointment"
)

const appointmentColumns = `id, client_id, COALESCE(vehicle_id, ''), location_id, kind, starts_ms, minutes, bay, state`

func scanAppointment(scan func(...any) error) (appointment.Appointment, error) {
	var a appointment.Appointment
	var starts int64
	err := scan(&a.ID, &a.ClientID, &a.VehicleID, &a.LocationID, &a.Kind, &starts, &a.Minutes, &a.Bay, &a.State)
	a.StartsAt = fromMS(starts)
	return a, err
}

// Appointments lists a client's appointments, the latest first, at most limit of them.
func (d *DB) Appointments(ctx context.Context, clientID string, limit int) ([]appointment.Appointment, error) {
	var out []appointment.Appointment
	err := d.read(ctx).each(`SELECT `+appointmentColumns+` FROM appointments WHERE client_id = $1 ORDER BY starts_ms DESC, id DESC LIMIT $2`, []any{clientID, limit}, func(scan func(...any) error) error {
		a, err := scanAppointment(scan)
		out = append(out, a)
		return err
	})
	return out, err
}

func (t tx) appointment(a appointment.Appointment) error {
	return t.exec(`INSERT INTO appointments (id, client_id, vehicle_id, location_id, kind, starts_ms, minutes, bay, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		a.ID, a.ClientID, orNull(a.VehicleID), a.LocationID, string(a.Kind), ms(a.StartsAt), a.Minutes, a.Bay, string(a.State))
}
