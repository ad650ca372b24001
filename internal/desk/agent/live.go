package agent

import (
	"context"

	"paylink/internal/staff"
)

// Pulse tells cheaply whether a client's page is still true.
type Pulse struct {
	Version string   // changes when anything about the client does, and when the card processor goes or comes back
	Live    []Living // payments that are under way, newest first
}

// Living is a payment that is under way.
type Living struct{ PaymentID, VehicleID string }

// Of returns the newest payment that is under way for a vehicle, or for any if vehicleID is ""; "" if there is none.
func (p Pulse) Of(vehicleID string) string {
	for _, one := range p.Live {
		if vehicleID == "" || one.VehicleID == vehicleID {
			return one.PaymentID
		}
	}
	return ""
}

// Pulse is for pages that are left open. Errors: account.ErrNotFound, for who may not see the client; staff.ErrNotAllowed.
func (d *Desk) Pulse(ctx context.Context, who staff.Member, clientID string) (Pulse, error) {
	if err := d.allow(ctx, who, staff.SeeClients, "watch client", clientID, clientID); err != nil {
		return Pulse{}, err
	}
	p, err := d.Store.Pulse(ctx, clientID)
	if d.Down() {
		p.Version += " down"
	}
	return p, err
}
