package client

import (
	"context"

	"paylink/internal/account"
	"paylink/internal/lang"
	"paylink/internal/trail"
)

// ProfileStore is what the profile reads and writes.
type ProfileStore interface {
	// SetLanguage gives a client a language; it says whether that was another one. Errors: account.ErrNotFound.
	SetLanguage(ctx context.Context, clientID, language string, e trail.Entry) (changed bool, err error)
}

// Profile is who a client is to us, and how we reach them.
type Profile struct {
	account.Client
	Vehicles []Vehicle
}

// Profile returns who a client is to us.
func (d *Desk) Profile(ctx context.Context, who Who) (Profile, error) {
	c, vehicles, err := d.Store.Client(ctx, who.ID)
	if err != nil {
		return Profile{}, err
	}
	out := Profile{Client: c}
	for _, v := range vehicles {
		l, err := d.Store.Location(ctx, v.LocationID)
		if err != nil {
			return out, err
		}
		out.Vehicles = append(out.Vehicles, Vehicle{v, l})
	}
	return out, nil
}

// SetLanguage has pages, texts and letters speak another language from now on.
func (d *Desk) SetLanguage(ctx context.Context, who Who, l lang.Lang) error {
	e, err := d.entry(ctx, who.ID, "change language", who.ID, string(l))
	if err != nil {
		return err
	}
	_, err = d.Store.SetLanguage(ctx, who.ID, string(l), e)
	return err
}
