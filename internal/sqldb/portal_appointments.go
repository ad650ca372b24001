package sqldb

import (
	"context"
	"slices"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/post"
	"paylink/internal/trail"
)

// longest is how long an appointment may take, for finding those that began before a time and still go on.
const longest = 24 * time.Hour

// Appointment returns one of a client's. Errors: account.ErrNotFound, for another client's too.
func (d *DB) Appointment(ctx context.Context, clientID, id string) (appointment.Appointment, error) {
	return d.read(ctx).appointmentOf(clientID, id)
}

func (t tx) appointmentOf(clientID, id string) (appointment.Appointment, error) {
	a, err := scanAppointment(t.row(`SELECT `+appointmentColumns+` FROM appointments WHERE id = $1 AND client_id = $2`, id, clientID).Scan)
	return a, notFound(err)
}

// Calendar returns what a location gives away, and what is taken there between two times. Errors: account.ErrNotFound.
func (d *DB) Calendar(ctx context.Context, locationID string, from, to time.Time) (appointment.Calendar, error) {
	return d.read(ctx).calendar(locationID, from, to)
}

func (t tx) calendar(locationID string, from, to time.Time) (appointment.Calendar, error) {
	l, err := t.location(locationID)
	if err != nil {
		return appointment.Calendar{}, err
	}
	c := appointment.Calendar{Zone: l.TimeZone()}
	err = t.each(`SELECT weekday, opens, closes, bays FROM opening_hours WHERE location_id = $1`, []any{locationID}, func(scan func(...any) error) error {
		h := appointment.Hours{LocationID: locationID}
		err := scan(&h.Weekday, &h.Opens, &h.Closes, &h.Bays)
		c.Hours = append(c.Hours, h)
		return err
	})
	if err != nil {
		return c, err
	}
	err = t.each(`SELECT `+appointmentColumns+` FROM appointments WHERE location_id = $1 AND state = 'booked' AND starts_ms > $2 AND starts_ms < $3`,
		[]any{locationID, ms(from.Add(-longest)), ms(to)}, func(scan func(...any) error) error {
			a, err := scanAppointment(scan)
			c.Taken = append(c.Taken, a)
			return err
		})
	return c, err
}

// LocationsIn lists the locations of a state that take clients at some hours, by name; at most limit.
func (d *DB) LocationsIn(ctx context.Context, state string, limit int) ([]account.Location, error) {
	var out []account.Location
	err := d.read(ctx).each(`SELECT `+locationColumns+` FROM locations WHERE state = $1 AND EXISTS (SELECT 1 FROM opening_hours h WHERE h.location_id = locations.id) LIMIT $2`, []any{state, limit},
		func(scan func(...any) error) error {
			l, err := scanLocation(scan)
			out = append(out, l)
			return err
		})
	slices.SortFunc(out, func(a, b account.Location) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

// MoveAppointment moves a client's appointment from where it was seen to another place, into the first bay that is free, and says whether it was somewhere else: a second click changes nothing.
// Errors: account.ErrNotFound; appointment.ErrChanged, where it is not any more as it was seen; what Fixed and Bay return.
func (d *DB) MoveAppointment(ctx context.Context, clientID, id string, seen, to appointment.Place, e trail.Entry, told *post.Letter) (moved bool, err error) {
	err = d.write(ctx, func(t tx) error {
		moved = false
		if err := t.lockBays(to.LocationID); err != nil {
			return err
		}
		now, err := t.now()
		if err != nil {
			return err
		}
		a, err := t.appointmentOf(clientID, id)
		if err != nil {
			return err
		}
		if a.State == appointment.Booked && a.Place().Is(to) {
			return nil
		}
		if !a.Place().Is(seen) || a.State != appointment.Booked {
			return appointment.ErrChanged
		}
		if err := a.Fixed(now); err != nil {
			return err
		}
		a.StartsAt = to.StartsAt
		c, err := t.calendar(to.LocationID, a.StartsAt, a.EndsAt())
		if err != nil {
			return err
		}
		bay, err := c.Bay(a, to.StartsAt, now)
		if err != nil {
			return err
		}
		err = t.exactlyOne(`UPDATE appointments SET location_id = $1, starts_ms = $2, bay = $3 WHERE id = $4 AND client_id = $5 AND state = 'booked' AND location_id = $6 AND starts_ms = $7`,
			to.LocationID, ms(to.StartsAt), bay, id, clientID, seen.LocationID, ms(seen.StartsAt))
		if clash(err) {
			return errMoved // somebody has taken the bay between our look and our step: look again
		}
		if err != nil {
			return err
		}
		moved = true
		if err := t.letters(told); err != nil {
			return err
		}
		return t.changedBy(clientID, e)
	})
	return moved, err
}

// lockBays has everybody who takes a place at a location come one after the other: an appointment may take several of the grid's, which no unique rule holds together.
// SQLite's transactions have locked the whole database already.
func (t tx) lockBays(locationID string) error {
	query := `SELECT id FROM locations WHERE id = $1`
	if t.d.postgres {
		query += ` FOR NO KEY UPDATE` // payments refer to the row, and go on
	}
	return notFound(t.row(query, locationID).Scan(new(string)))
}
