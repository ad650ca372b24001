package signin

import (
	"context"
	"time"

	"paylink/internal/lockout"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// cardsMost is how many tries to type a card number the trail keeps of one person, or of one address where nobody is signed in, in a minute.
const cardsMost = 10

// CardTyped writes into the trail that somebody typed what looks like a card number, into which field, and never what it was. The zero Member is nobody.
func (d *Desk) CardTyped(ctx context.Context, who staff.Member, address, where string) error {
	key, detail := "card typed by "+who.ID, where
	if who.ID == "" {
		key, detail = "card typed from "+lockout.Household(address), where+", from "+address
	}
	if n, err := d.Tries.Take(ctx, key, cardsMost, time.Minute); err == nil && n == 0 {
		return nil
	}
	e, err := d.entry(ctx, who, "type card number", detail)
	if err != nil {
		return err
	}
	e.Refused = trail.ErrCardNumber.Error()
	return d.Store.Write(ctx, e)
}
