package agent

import (
	"context"
	"errors"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/pay"
	"paylink/internal/staff"
)

// BlockedTry is a payment that an agent could not send: supervisors see where that happens, and why.
type BlockedTry struct {
	At         time.Time
	Day        day.Date // at the location
	By         string   // staff id
	ClientID   string
	VehicleID  string
	LocationID string
	Why        Blocked
}

// noteBlocked notes that nothing can be sent for a vehicle. Asked again on the same day it is noted once, so that looking twice counts nothing.
func (d *Desk) noteBlocked(ctx context.Context, who staff.Member, v account.Vehicle, l account.Location, at time.Time, why Blocked) error {
	e := d.entry(who, at, "quote", v.ID, v.ClientID)
	e.Refused = (&BlockedError{why}).Error()
	return d.Store.Blocked(ctx, BlockedTry{At: at, Day: l.Today(at), By: who.ID, ClientID: v.ClientID, VehicleID: v.ID, LocationID: l.ID, Why: why}, e)
}

// sendBlocked notes it for a link that was refused at the last moment: the summary before it had still been offered.
func (d *Desk) sendBlocked(ctx context.Context, who staff.Member, c Choice, refusal error) error {
	why := Blocked("")
	if b, ok := errors.AsType[*BlockedError](refusal); ok {
		why = b.Why
	}
	switch {
	case errors.Is(refusal, pay.ErrPaused):
		why = Paused
	case errors.Is(refusal, pay.ErrNeedsReview):
		why = NeedsReview
	}
	if why == "" {
		return nil
	}
	_, vehicles, err := d.Store.Client(ctx, c.ClientID)
	if err != nil {
		return err
	}
	i := indexOf(vehicles, c.VehicleID)
	if i < 0 {
		return nil
	}
	l, err := d.Store.Location(ctx, vehicles[i].LocationID)
	if err != nil {
		return err
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return err
	}
	return d.noteBlocked(ctx, who, vehicles[i], l, now, why)
}
