package agent

import (
	"context"

	"paylink/internal/account"
	"paylink/internal/pay"
	"paylink/internal/staff"
)

// The desk's gate: every method comes through one of allow, payment and within before it reads or does anything. TestNobodySeesOrDoesWhatIsElsewhere asks each exported one.

// errElsewhere is what the trail says of a client or payment that is hidden from somebody. They hear that there is none.
const errElsewhere = "outside of their locations"

// allow refuses who has not the permission, and hides a client of whom no vehicle is serviced at a location in their scope. Both leave a line in the trail.
// clientID "" is for what concerns no client. Errors: staff.ErrNotAllowed, account.ErrNotFound.
func (d *Desk) allow(ctx context.Context, who staff.Member, p staff.Permission, act, object, clientID string) error {
	if err := who.May(p); err != nil {
		return d.refused(ctx, who, act, object, clientID, err)
	}
	if clientID == "" || len(who.Scope().Locations) == 0 {
		return nil
	}
	_, vehicles, err := d.Store.Client(ctx, clientID)
	if err != nil {
		return err
	}
	for _, v := range vehicles {
		if who.Scope().AtLocation(v.LocationID) {
			return nil
		}
	}
	return d.hidden(ctx, who, act, object, clientID, account.ErrNotFound)
}

// payment returns a payment for somebody who has the permission and sees its client. Errors: staff.ErrNotAllowed, pay.ErrNotFound.
func (d *Desk) payment(ctx context.Context, who staff.Member, p staff.Permission, act, paymentID string) (pay.View, error) {
	if err := d.allow(ctx, who, p, act, paymentID, ""); err != nil {
		return pay.View{}, err
	}
	v, err := d.Store.View(ctx, paymentID)
	if err != nil {
		return v, err
	}
	return v, d.allow(ctx, who, p, act, paymentID, v.Payment.ClientID)
}

// within refuses an act on what is serviced elsewhere: of a client whom they see for another vehicle of theirs.
func within(who staff.Member, locationID string) error {
	if who.Scope().AtLocation(locationID) {
		return nil
	}
	return staff.ErrNotAllowed
}

// hidden writes into the trail that somebody asked for what they may not see, and returns why as they hear it.
func (d *Desk) hidden(ctx context.Context, who staff.Member, act, object, clientID string, why error) error {
	now, err := d.Store.Now(ctx)
	if err != nil {
		return err
	}
	e := d.entry(who, now, act, object, clientID)
	e.Refused = errElsewhere
	if err := d.Store.Write(ctx, e); err != nil {
		return err
	}
	return why
}
