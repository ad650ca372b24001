package client

import (
	"context"
	"errors"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/lockout"
	"paylink/internal/post"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

const (
	door       = "sign in to My Account"
	idMost     = 40 // characters of an id that the trail keeps
	lockedMost = 60 // refusals that the trail keeps of one address in a while: whoever is locked out must not fill it

	// IdleLimit and WholeLimit end a session: so long after the last act, and so long after signing in.
	IdleLimit  = 30 * time.Minute
	WholeLimit = 12 * time.Hour
	seenEvery  = time.Minute // a session's last use is written down no more often than this
)

// Browser is where somebody signs in from.
type Browser struct {
	Address string
	Name    string // "Chrome on Android"
}

// SignIn checks a client id and password. An id that nobody has, a client who was never invited and a wrong password are told apart by nobody, however often one tries: all give
// account.ErrSignIn, and lockout.ErrLocked after too many of them. A temporary password that is right but too old gives account.ErrTooOld.
func (d *Desk) SignIn(ctx context.Context, id, password string, from Browser) (Who, error) {
	id = strings.TrimSpace(id)
	all := lockout.Budgets(door, id, from.Address)
	last, err := lockout.Take(ctx, d.Tries, all)
	if errors.Is(err, lockout.ErrLocked) {
		return Who{}, d.locked(ctx, "sign in", id, from)
	}
	counted := err == nil
	now, err := d.Store.Now(ctx)
	if err != nil {
		return Who{}, err
	}
	c, _, err := d.Store.Client(ctx, id)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return Who{}, err
	}
	a, err := d.Store.Access(ctx, c.ID)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return Who{}, err
	}
	locked := !counted && now.Before(a.LockedUntil)
	fits, err := staff.CheckPassword(password, a.PasswordHash) // as long for nobody's hash as for a wrong password
	if err != nil {
		return Who{}, err
	}
	if !fits || a.ClientID == "" || locked {
		if !counted && !locked && a.ClientID != "" {
			if err := d.Store.CountWrongAccess(ctx, a.ClientID, lockout.Here, lockout.For); err != nil {
				return Who{}, err
			}
		}
		why := account.ErrSignIn
		if last {
			why = lockout.ErrLocked
		}
		return Who{}, d.notIn(ctx, c, id, from, why)
	}
	if counted {
		lockout.Forget(ctx, d.Tries, all)
	}
	if a.MustChange && now.Sub(a.PasswordAt) >= account.TemporaryLife {
		return Who{}, d.notIn(ctx, c, id, from, account.ErrTooOld)
	}
	return d.open(ctx, c, a.MustChange, from, "password")
}

// EnterByPasskey signs a client in who has proven to be there by a passkey. Errors: account.ErrSignIn for one who was never invited.
func (d *Desk) EnterByPasskey(ctx context.Context, clientID string, from Browser) (Who, error) {
	c, _, err := d.Store.Client(ctx, clientID)
	if err != nil {
		return Who{}, err
	}
	a, err := d.Store.Access(ctx, clientID)
	if errors.Is(err, account.ErrNotFound) {
		return Who{}, d.notIn(ctx, c, clientID, from, account.ErrSignIn)
	}
	if err != nil {
		return Who{}, err
	}
	return d.open(ctx, c, a.MustChange, from, "passkey")
}

// open begins a session.
func (d *Desk) open(ctx context.Context, c account.Client, mustChange bool, from Browser, by string) (Who, error) {
	e, err := d.entry(ctx, c.ID, "sign in", c.ID, "by "+by+", "+from.Name)
	if err != nil {
		return Who{}, err
	}
	unknown := e
	unknown.ID, unknown.Act, unknown.Detail = d.NewID(), NewBrowser, from.Name
	who := Who{Client: c, SessionID: d.NewID(), MustChange: mustChange, Token: Token(d.Token())}
	return who, d.Store.OpenSession(ctx, account.Session{ID: who.SessionID, ClientID: c.ID, BeganAt: e.At, SeenAt: e.At, Browser: from.Name, Address: from.Address}, who.Token.digest(), e, unknown)
}

// notIn writes a try that failed into the trail and returns why. A trail that can't be written is the worse news.
func (d *Desk) notIn(ctx context.Context, c account.Client, typed string, from Browser, why error) error {
	e, err := d.entry(ctx, c.ID, "sign in", c.ID, "from "+from.Address)
	if err != nil {
		return err
	}
	if e.Refused = why.Error(); c.ID == "" {
		e.Detail += ", unknown id " + kept(typed)
	}
	if err := d.Store.Write(ctx, e); err != nil {
		return err
	}
	return why
}

// kept is what the trail keeps of an id that nobody has: people type passwords and card numbers into the wrong field.
func kept(typed string) string {
	if typed == "" || len(typed) > idMost || strings.Trim(typed, "0123456789") != "" || trail.HoldsCardNumber(typed) {
		return "(not kept)"
	}
	return typed
}

// Session returns who is signed in by a session's token. Errors: account.ErrNotFound for one that is over.
func (d *Desk) Session(ctx context.Context, t Token) (Who, error) {
	s, err := d.Store.ClientSession(ctx, t.digest())
	if err != nil {
		return Who{}, err
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return Who{}, err
	}
	a, err := d.Store.Access(ctx, s.ClientID)
	if err != nil {
		return Who{}, err
	}
	if !s.EndedAt.IsZero() || now.Sub(s.BeganAt) >= WholeLimit || now.Sub(s.SeenAt) >= IdleLimit || s.BeganAt.Before(a.Since) {
		return Who{}, account.ErrNotFound
	}
	c, _, err := d.Store.Client(ctx, s.ClientID)
	if err != nil {
		return Who{}, err
	}
	if now.Sub(s.SeenAt) >= seenEvery {
		err = d.Store.SeeSession(ctx, s.ID)
	}
	return Who{Client: c, SessionID: s.ID, MustChange: a.MustChange}, err
}

// SignOut ends the session.
func (d *Desk) SignOut(ctx context.Context, who Who) error {
	return d.EndSession(ctx, who, who.SessionID)
}

// Sessions lists where a client is signed in, the last used first.
func (d *Desk) Sessions(ctx context.Context, who Who) ([]account.Session, error) {
	now, err := d.Store.Now(ctx)
	if err != nil {
		return nil, err
	}
	return d.Store.ClientSessions(ctx, who.ID, now.Add(-IdleLimit))
}

// EndSession ends one of a client's own sessions. Errors: account.ErrNotFound.
func (d *Desk) EndSession(ctx context.Context, who Who, sessionID string) error {
	e, err := d.entry(ctx, who.ID, "end session", sessionID, "")
	if err != nil {
		return err
	}
	return d.Store.EndSession(ctx, who.ID, sessionID, e)
}

// ChangePassword gives a client a password of their own choice, once the one before is proven. Every session ends, and a new one begins here. Errors: account.ErrSignIn for a wrong old one,
// staff.ErrPasswordSame, what staff.Member.CheckNew says of the new one, lockout.ErrLocked.
func (d *Desk) ChangePassword(ctx context.Context, who Who, old, password string, from Browser) (Who, error) {
	if err := d.Prove(ctx, who, "change password", old, from); err != nil {
		return who, err
	}
	if err := d.fit(who.Client, password, old); err != nil {
		return who, err
	}
	return d.setPassword(ctx, who.Client, password, from)
}

// Prove asks a client who is signed in for their password before an act, so that nobody does it who has found a browser open. Errors: account.ErrSignIn for a wrong one, lockout.ErrLocked.
func (d *Desk) Prove(ctx context.Context, who Who, act, password string, from Browser) error {
	all := lockout.Budgets("change the password of My Account", who.ID, from.Address)
	last, err := lockout.Take(ctx, d.Tries, all)
	if errors.Is(err, lockout.ErrLocked) {
		return err
	}
	counted := err == nil
	a, err := d.Store.Access(ctx, who.ID)
	if err != nil {
		return err
	}
	fits, err := staff.CheckPassword(password, a.PasswordHash)
	if err != nil {
		return err
	}
	if !fits {
		why := account.ErrSignIn
		if last {
			why = lockout.ErrLocked
		}
		return d.refused(ctx, who, act, why)
	}
	if counted {
		lockout.Forget(ctx, d.Tries, all)
	}
	return nil
}

// fit says whether a client may choose a password: what nobody on the staff may choose no client may.
func (d *Desk) fit(c account.Client, password, old string) error {
	if password == old {
		return staff.ErrPasswordSame
	}
	return staff.Member{Login: c.ID, Name: c.Name(), Email: c.Email}.CheckNew(password, d.Brand)
}

func (d *Desk) setPassword(ctx context.Context, c account.Client, password string, from Browser) (Who, error) {
	e, err := d.entry(ctx, c.ID, "change password", c.ID, "")
	if err != nil {
		return Who{}, err
	}
	told, err := d.changed(ctx, c, post.PasswordChanged, "")
	if err != nil {
		return Who{}, err
	}
	if _, err := d.Store.SetAccess(ctx, c.ID, staff.HashPassword(password, d.Salt()), e, told); err != nil {
		return Who{}, err
	}
	return d.open(ctx, c, false, from, "new password")
}

// noted writes our own no about an object into the trail, and returns it. Any other error is a fault, and no refusal.
func (d *Desk) noted(ctx context.Context, who Who, act, object string, err error, ours ...error) error {
	for _, no := range ours {
		if errors.Is(err, no) {
			return errors.Join(d.refusedOf(ctx, who, act, object, no), err)
		}
	}
	return err
}

// refused writes a refusal into the trail and returns why. A trail that can't be written is the worse news.
func (d *Desk) refused(ctx context.Context, who Who, act string, why error) error {
	return d.refusedOf(ctx, who, act, who.ID, why)
}

func (d *Desk) refusedOf(ctx context.Context, who Who, act, object string, why error) error {
	e, err := d.entry(ctx, who.ID, act, object, "")
	if err != nil {
		return err
	}
	e.Refused = why.Error()
	if err := d.Store.Write(ctx, e); err != nil {
		return err
	}
	return why
}
