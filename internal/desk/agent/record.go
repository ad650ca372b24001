package agent

import (
	"context"
	"slices"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/staff"
)

// Cards lists a client's cards on file, the main one first.
func (d *Desk) Cards(ctx context.Context, who staff.Member, clientID string) ([]account.Card, error) {
	if err := d.allow(ctx, who, staff.SeeClients, "see cards", clientID, clientID); err != nil {
		return nil, err
	}
	return d.Store.Cards(ctx, clientID)
}

// Appointment is when a client comes, and where.
type Appointment struct {
	appointment.Appointment
	Location account.Location
}

// Appointments are a client's: those to come, the next one first, and those from before, the last one first.
func (d *Desk) Appointments(ctx context.Context, who staff.Member, clientID string) (next, past []Appointment, err error) {
	if err := d.allow(ctx, who, staff.SeeClients, "see appointments", clientID, clientID); err != nil {
		return nil, nil, err
	}
	found, err := d.Store.Appointments(ctx, clientID, listMost)
	if err != nil {
		return nil, nil, err
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return nil, nil, err
	}
	locations := map[string]account.Location{}
	for _, a := range found {
		l, known := locations[a.LocationID]
		if !known {
			if l, err = d.Store.Location(ctx, a.LocationID); err != nil {
				return nil, nil, err
			}
			locations[a.LocationID] = l
		}
		if one := (Appointment{a, l}); a.StartsAt.After(now) && a.State == appointment.Booked {
			next = append(next, one)
		} else {
			past = append(past, one)
		}
	}
	slices.Reverse(next)
	return next, past, nil
}
