package agent

import (
	"context"
	"time"

	"paylink/internal/staff"
)

// cardsMost is how many tries to type a card number the trail keeps of one person, or of one address where nobody is signed in, in a minute.
const cardsMost = 10

// CardTyped writes into the trail that somebody typed what looks like a card number, into which field, and never what it was. The zero Member is nobody.
func (d *Desk) CardTyped(ctx context.Context, who staff.Member, address, where string) error {
	key := "card typed by " + who.ID
	if who.ID == "" {
		key = "card typed from " + household(address)
	}
	if n, err := d.Tries.Take(ctx, key, cardsMost, time.Minute); err == nil && n == 0 {
		return nil
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return err
	}
	e := d.entry(who, now, "type card number", who.ID, "")
	e.Refused, e.Detail = ErrCardNumber.Error(), where
	if who.ID == "" {
		e.Detail += ", from " + address
	}
	return d.Store.Write(ctx, e)
}
