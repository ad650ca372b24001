package client

import (
	"context"
	"errors"

	"paylink/internal/account"
	"paylink/internal/lang"
	"paylink/internal/post"
	"paylink/internal/trail"
)

const changePlate = "change license plate"

// ProfileStore is what the profile writes.
type ProfileStore interface {
	// SetLanguage gives a client a language; it says whether that was another one. Errors: account.ErrNotFound.
	SetLanguage(ctx context.Context, clientID, language string, e trail.Entry, told *post.Letter) (changed bool, err error)
	// SetPlate gives a client's vehicle another license plate, if it still has the one that was seen. Errors: account.ErrNotFound, account.ErrChanged.
	SetPlate(ctx context.Context, clientID string, seen, to account.Plate, vehicleID string, e trail.Entry, told *post.Letter) (changed bool, err error)
}

// Profile is who a client is to us, and how we reach them.
type Profile struct {
	account.Client
	Vehicles  []Vehicle
	TextsOff  bool // they want no texts
	TextsShut bool // and the carrier blocks them, because they texted STOP
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
		out.Vehicles = append(out.Vehicles, Vehicle{Vehicle: v, Location: l})
	}
	out.TextsOff, out.TextsShut, err = d.Store.TextsTo(ctx, c.Phone)
	return out, err
}

// SetLanguage has pages, texts and letters speak another language from now on.
func (d *Desk) SetLanguage(ctx context.Context, who Who, l lang.Lang) error {
	e, err := d.entry(ctx, who.ID, "change language", who.ID, string(l))
	if err != nil {
		return err
	}
	who.Language = string(l)
	told, err := d.changed(ctx, who.Client, post.LanguageChanged, "")
	if err != nil {
		return err
	}
	_, err = d.Store.SetLanguage(ctx, who.ID, string(l), e, told)
	return err
}

// Plated returns one of a client's vehicles that has a license plate. Errors: account.ErrNotFound.
func (d *Desk) Plated(ctx context.Context, who Who, vehicleID string) (account.Vehicle, error) {
	_, vehicles, err := d.Store.Client(ctx, who.ID)
	for _, v := range vehicles {
		if err == nil && v.ID == vehicleID && v.Program == account.IID {
			return v, nil
		}
	}
	return account.Vehicle{}, errors.Join(err, account.ErrNotFound)
}

// SetPlate gives one of a client's vehicles another license plate, if it still has the one that they saw. Errors: account.ErrPlate, account.ErrNotFound, account.ErrChanged.
func (d *Desk) SetPlate(ctx context.Context, who Who, vehicleID string, seen account.Plate, number, state string) error {
	v, err := d.Plated(ctx, who, vehicleID)
	if err != nil {
		return err
	}
	to, err := account.ParsePlate(number, state)
	if err != nil {
		return err
	}
	e, err := d.entry(ctx, who.ID, changePlate, vehicleID, seen.State+" "+seen.Number+" → "+to.State+" "+to.Number)
	if err != nil {
		return err
	}
	told, err := d.changed(ctx, who.Client, post.PlateChanged, v.Label+", "+to.State+" "+to.Number)
	if err != nil {
		return err
	}
	_, err = d.Store.SetPlate(ctx, who.ID, seen, to, vehicleID, e, told)
	return d.noted(ctx, who, changePlate, vehicleID, err, account.ErrChanged)
}
