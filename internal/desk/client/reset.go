package client

import (
	"context"
	"errors"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/lang"
	"paylink/internal/lockout"
	"paylink/internal/post"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// ErrReset is returned for a link to choose another password that is wrong, too old, was used or has a newer one. Which of them it is, is told to nobody.
var ErrReset = errors.New("the link to choose a password is not good any more")

const (
	resetLife   = 30 * time.Minute // a link is good for, as its letter says
	resetsMost  = 5                // links that a client, and resetsFrom that an address, may ask for in lockout.For
	resetsFrom  = 20
	resetsDaily = 10 // letters that a client gets in a day, whoever asks for them
	askReset    = "ask for a new password"
	useReset    = "reset password"
)

// Reset is a link to choose another password, and the letter that brings it. Any before it is dead.
type Reset struct {
	ClientID string
	Digest   string // of the link's token
	Most     int    // letters in a day
	Letter   post.Letter
	Trail    trail.Entry
}

// Forgot mails a client a link to choose another password, if there is such a client who has access to My Account and an address. Whoever asks is told the same in any case. Errors: lockout.ErrLocked, which
// goes by what was typed.
func (d *Desk) Forgot(ctx context.Context, id string, from Browser) error {
	id = strings.TrimSpace(id)
	budgets := []lockout.Budget{{Key: askReset + " as " + id, Most: resetsMost}, {Key: askReset + " from " + lockout.Household(from.Address), Most: resetsFrom}}
	if _, err := lockout.Take(ctx, d.Tries, budgets); errors.Is(err, lockout.ErrLocked) {
		return d.locked(ctx, askReset, id, from)
	}
	c, _, err := d.Store.Client(ctx, id)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return err
	}
	a, err := d.Store.Access(ctx, c.ID)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return err
	}
	e, err := d.entry(ctx, c.ID, askReset, c.ID, "from "+from.Address)
	if err != nil {
		return err
	}
	switch {
	case c.ID == "":
		e.Refused, e.Detail = "nobody has this id", e.Detail+", unknown id "+kept(id)
	case a.ClientID == "":
		e.Refused = "the client was never invited"
	case c.Email == "":
		e.Refused = "the client has no email address on record"
	default:
		token := Token(d.Token())
		l := post.Letter{ID: d.NewID(), ClientID: c.ID, Kind: post.Reset, Language: languageOf(c), To: c.Email, Secret: string(token), CreatedAt: e.At, NextAt: e.At}
		return d.Store.AddReset(ctx, Reset{ClientID: c.ID, Digest: token.digest(), Most: resetsDaily, Letter: l, Trail: e})
	}
	return d.Store.Write(ctx, e)
}

// Reset gives whoever has a link's token a password of their own choice, and signs them in here; every session before is over. Errors: ErrReset, what staff.Member.CheckNew says of
// the password, lockout.ErrLocked.
func (d *Desk) Reset(ctx context.Context, token, password string, from Browser) (Who, error) {
	budgets := []lockout.Budget{{Key: useReset + " from " + lockout.Household(from.Address), Most: lockout.From}}
	if _, err := lockout.Take(ctx, d.Tries, budgets); errors.Is(err, lockout.ErrLocked) {
		return Who{}, d.locked(ctx, useReset, "", from)
	}
	digest := Token(strings.ToUpper(strings.TrimSpace(token))).digest() // it may have been typed
	now, err := d.Store.Now(ctx)
	if err != nil {
		return Who{}, err
	}
	since := now.Add(-resetLife)
	clientID, err := d.Store.ResetOf(ctx, digest, since)
	if errors.Is(err, account.ErrNotFound) {
		return Who{}, d.noReset(ctx, from)
	}
	if err != nil {
		return Who{}, err
	}
	c, _, err := d.Store.Client(ctx, clientID)
	if err != nil {
		return Who{}, err
	}
	if err := d.fit(c, password, ""); err != nil {
		return Who{}, err
	}
	e, err := d.entry(ctx, c.ID, useReset, c.ID, "by mail, "+from.Name)
	if err != nil {
		return Who{}, err
	}
	told, err := d.changed(ctx, c, post.PasswordChanged, "")
	if err != nil {
		return Who{}, err
	}
	err = d.Store.UseReset(ctx, digest, since, staff.HashPassword(password, d.Salt()), e, told)
	if errors.Is(err, account.ErrNotFound) { // it was used at the same moment
		return Who{}, d.noReset(ctx, from)
	}
	if err != nil {
		return Who{}, err
	}
	lockout.GiveBack(ctx, d.Tries, budgets)
	return d.open(ctx, c, false, from, "new password")
}

func (d *Desk) noReset(ctx context.Context, from Browser) error {
	e, err := d.entry(ctx, "", useReset, "", "from "+from.Address)
	if err != nil {
		return err
	}
	e.Refused = ErrReset.Error()
	if err := d.Store.Write(ctx, e); err != nil {
		return err
	}
	return ErrReset
}

// locked refuses whoever has no tries left. The trail keeps so many refusals of an address, and no more: whoever is locked out must not fill it.
func (d *Desk) locked(ctx context.Context, act, typed string, from Browser) error {
	if n, err := d.Tries.Take(ctx, "locked out of My Account from "+lockout.Household(from.Address), lockedMost, lockout.For); err == nil && n == 0 {
		return lockout.ErrLocked
	}
	e, err := d.entry(ctx, "", act, "", "from "+from.Address)
	if err != nil {
		return err
	}
	if e.Refused = lockout.ErrLocked.Error(); typed != "" {
		e.Detail += ", id " + kept(typed)
	}
	if err := d.Store.Write(ctx, e); err != nil {
		return err
	}
	return lockout.ErrLocked
}

// languageOf is a client's own.
func languageOf(c account.Client) string {
	if l, ok := lang.Parse(c.Language); ok {
		return string(l)
	}
	return string(lang.English)
}
