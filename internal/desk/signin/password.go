package signin

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"
	"unicode"

	"paylink/internal/lockout"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

const (
	loginMost     = 100 // characters of a login that the trail keeps
	temporaryLife = 7 * 24 * time.Hour
)

// Proven is somebody whose password is right. Second: that is not enough, and they are not signed in.
type Proven struct {
	staff.Member
	Second bool
}

// SignIn checks a login and password that came from an address. An unknown login, a wrong password and a disabled person are told apart by nobody, however
// often one tries: all give staff.ErrSignIn, and staff.ErrLocked after too many of them. A temporary password that is right but too old gives ErrTooOld.
// While the tries can't be counted, a person's own row counts them, and five lock the login; that is not told, for a login that nobody has could not say the same.
func (d *Desk) SignIn(ctx context.Context, login, password, address string) (Proven, error) {
	t := try{login: strings.ToLower(strings.TrimSpace(login)), password: password, address: address}
	m, err := d.Store.MemberByLogin(ctx, t.login)
	if err != nil && !errors.Is(err, staff.ErrNotFound) {
		return Proven{}, err
	}
	t.m = m
	all := lockout.Budgets("sign in", t.login, address)
	last, err := lockout.Take(ctx, d.Tries, all)
	if errors.Is(err, staff.ErrLocked) {
		if d.quietly(ctx, address) {
			return Proven{}, staff.ErrLocked
		}
		return Proven{}, d.notIn(ctx, t, staff.ErrLocked)
	}
	counted := err == nil
	now, err := d.Store.Now(ctx)
	if err != nil {
		return Proven{}, err
	}
	locked := !counted && now.Before(m.LockedUntil)
	fits, err := staff.CheckPassword(password, m.PasswordHash)
	if err != nil {
		return Proven{}, err
	}
	if !fits || m.ID == "" || m.Disabled || locked {
		if !counted && !locked && m.ID != "" {
			if _, err := d.Store.CountWrong(ctx, m.ID, lockout.Here, lockout.For); err != nil {
				return Proven{}, err
			}
		}
		if last {
			return Proven{}, d.notIn(ctx, t, staff.ErrLocked)
		}
		return Proven{}, d.notIn(ctx, t, staff.ErrSignIn)
	}
	if counted {
		lockout.Forget(ctx, d.Tries, all)
	}
	if m.MustChange && now.Sub(m.PasswordAt) >= temporaryLife {
		return Proven{}, d.notIn(ctx, t, ErrTooOld)
	}
	if staff.Weak(m.PasswordHash) {
		salt, err := d.random(staff.SaltBytes)
		if err != nil {
			return Proven{}, err
		}
		if err := d.Store.Rehash(ctx, m.ID, m.PasswordHash, staff.HashPassword(password, salt)); err != nil {
			return Proven{}, err
		}
	}
	f, err := d.Factors(ctx, m)
	if err != nil {
		return Proven{}, err
	}
	if f.Second() { // what was wrong before is forgotten after the second step only: else each right password would give five more guesses at it
		return Proven{m, true}, d.write(ctx, m, "give password", "a second factor is asked for")
	}
	return Proven{Member: m}, d.signedIn(ctx, m, ByPassword)
}

// signedIn is the end of every way in.
func (d *Desk) signedIn(ctx context.Context, m staff.Member, by By) error {
	if m.Wrong > 0 {
		if err := d.Store.ClearWrong(ctx, m.ID); err != nil {
			return err
		}
	}
	return d.write(ctx, m, "sign in", "by "+string(by))
}

// try is one to sign in. m is nobody where the login is unknown.
type try struct {
	m                        staff.Member
	login, password, address string
}

// notIn writes a try that failed into the trail and returns why.
func (d *Desk) notIn(ctx context.Context, t try, why error) error {
	detail := "from " + t.address
	if t.m.ID == "" {
		detail += ", unknown login " + t.typed()
	}
	return d.refused(ctx, t.m, "sign in", detail, why)
}

// typed is what was typed for a login, unless it may be what must not be kept: people type passwords and card numbers into the wrong field.
func (t try) typed() string {
	if trail.HoldsCardNumber(t.login) || t.password != "" && strings.Contains(t.login, strings.ToLower(strings.TrimSpace(t.password))) {
		return "(not kept)"
	}
	kept := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(t.login, "")))
	return string(kept[:min(len(kept), loginMost)])
}

// Prove asks somebody who is signed in to prove again that it is they who sit there, by their password or a code of their app. Errors: staff.ErrSignIn, ErrCode, staff.ErrLocked.
func (d *Desk) Prove(ctx context.Context, who staff.Member, secret, address string) error {
	const act = "prove identity"
	if code, ok := appCode(secret); ok {
		if err := d.guess(ctx, who, act, address, func() error { return d.useCode(ctx, who, code) }); err != nil {
			return err
		}
		return d.write(ctx, who, act, "by code")
	}
	if err := d.guess(ctx, who, act, address, func() error { return fits(secret, who) }); err != nil {
		return err
	}
	return d.write(ctx, who, act, "by password")
}

func fits(password string, m staff.Member) error {
	ok, err := staff.CheckPassword(password, m.PasswordHash)
	if err == nil && !ok {
		err = staff.ErrSignIn
	}
	return err
}

// ChangePassword gives somebody who is signed in another password, if they know the old one. Every session of theirs is over; the member that it returns is the one whose session goes on.
// Errors: staff.ErrSignIn (the old one is wrong), staff.ErrLocked, and what staff.Member.CheckNew and staff.ErrPasswordSame say of the new one.
func (d *Desk) ChangePassword(ctx context.Context, who staff.Member, old, password, address string) (staff.Member, error) {
	const act = "change password"
	if err := d.guess(ctx, who, act, address, func() error { return fits(old, who) }); err != nil {
		return staff.Member{}, err
	}
	if old == password {
		return staff.Member{}, d.refused(ctx, who, act, "", staff.ErrPasswordSame)
	}
	if err := who.CheckNew(password, d.Brand); err != nil {
		return staff.Member{}, d.refused(ctx, who, act, "", err)
	}
	salt, err := d.random(staff.SaltBytes)
	if err != nil {
		return staff.Member{}, err
	}
	e, err := d.entry(ctx, who, act, "")
	if err != nil {
		return staff.Member{}, err
	}
	return d.Store.SetPassword(ctx, who.ID, staff.HashPassword(password, salt), false, e)
}

// guess lets somebody who is known try a secret of theirs: five wrong ones, whichever, and no more are looked at for a quarter of an hour. Without the counter, the person's own row counts.
func (d *Desk) guess(ctx context.Context, m staff.Member, act, address string, try func() error) error {
	all := []lockout.Budget{{Key: "guess as " + m.ID, Most: lockout.Here}, {Key: "guess from " + lockout.Household(address), Most: lockout.From}}
	last, err := lockout.Take(ctx, d.Tries, all)
	if errors.Is(err, staff.ErrLocked) {
		if d.quietly(ctx, address) {
			return staff.ErrLocked
		}
		return d.refused(ctx, m, act, "from "+address, staff.ErrLocked)
	}
	counted := err == nil
	now, err := d.Store.Now(ctx)
	if err != nil {
		return err
	}
	if !counted && now.Before(m.LockedUntil) {
		return d.refused(ctx, m, act, "from "+address, staff.ErrLocked)
	}
	err = try()
	switch {
	case err == nil:
		if counted {
			lockout.Forget(ctx, d.Tries, all)
		}
		return nil
	case !errors.Is(err, staff.ErrSignIn) && !errors.Is(err, ErrCode):
		if counted {
			lockout.GiveBack(ctx, d.Tries, all)
		}
		return err
	}
	if !counted {
		if _, err := d.Store.CountWrong(ctx, m.ID, lockout.Here, lockout.For); err != nil {
			return err
		}
	}
	if last {
		err = staff.ErrLocked
	}
	return d.refused(ctx, m, act, "from "+address, err)
}

// random returns so many fresh bytes.
func (d *Desk) random(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(d.Random, b)
	return b, err
}
