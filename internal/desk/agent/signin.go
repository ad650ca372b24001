package agent

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"paylink/internal/staff"
	"paylink/internal/trail"
)

// Wrong passwords use tries up, so that nobody can guess on. Five lock one login for one address: a stranger elsewhere can't keep its owner out with them.
// The other two are against guessing from many addresses, and at many logins from one, which an office may share.
const (
	wrongHere       = 5 // of one login from one address
	wrongEverywhere = 20
	wrongFrom       = 30 // from one address
	lockFor         = 15 * time.Minute
	lockedMost      = 60 // refusals that the trail keeps of one address in that time: whoever is locked out must not fill it
)

// budget is so many tries of one key.
type budget struct {
	key  string
	most int
}

// budgets go by what was typed: a login that nobody has is counted like one that somebody has. The first is one login's from one address.
func budgets(login, from string) []budget {
	return []budget{{"sign in from " + from + " as " + login, wrongHere}, {"sign in as " + login, wrongEverywhere}, {"sign in from " + from, wrongFrom}}
}

// household is who shares an address: of IPv6 one customer has at least a whole /64.
func household(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

// take takes a try from every budget, before the password is looked at, so that many at once get no more. last: this was the last of one of them.
// It returns staff.ErrLocked, with nothing taken, where one is used up.
func (d *Desk) take(ctx context.Context, all []budget) (last bool, err error) {
	for i, b := range all {
		n, err := d.Tries.Take(ctx, b.key, b.most, lockFor)
		if err == nil && n == 0 {
			err = staff.ErrLocked
		}
		if err != nil {
			d.giveBack(ctx, all[:i])
			return false, err
		}
		last = last || n == b.most
	}
	return last, nil
}

// giveBack leaves it at that where the counter no longer answers: the tries come back by themselves.
func (d *Desk) giveBack(ctx context.Context, all []budget) {
	for _, b := range all {
		_ = d.Tries.GiveBack(ctx, b.key)
	}
}

// SignIn checks a login and password that came from an address. An unknown login, a wrong password and a disabled person are told apart by nobody, however
// often one tries: all give staff.ErrSignIn, and staff.ErrLocked after too many of them.
// While the tries can't be counted, a person's own row counts them, and five lock the login; that is not told, for a login that nobody has could not say the same.
func (d *Desk) SignIn(ctx context.Context, login, password, address string) (staff.Member, error) {
	t := try{login: strings.ToLower(strings.TrimSpace(login)), password: password, address: address}
	m, err := d.Store.MemberByLogin(ctx, t.login)
	if err != nil && !errors.Is(err, staff.ErrNotFound) {
		return staff.Member{}, err
	}
	t.m = m
	all := budgets(t.login, household(address))
	last, err := d.take(ctx, all)
	if errors.Is(err, staff.ErrLocked) {
		if n, err := d.Tries.Take(ctx, "locked out from "+household(address), lockedMost, lockFor); err == nil && n == 0 {
			return staff.Member{}, staff.ErrLocked
		}
		return staff.Member{}, d.notIn(ctx, t, staff.ErrLocked)
	}
	counted := err == nil
	now, err := d.Store.Now(ctx)
	if err != nil {
		return staff.Member{}, err
	}
	locked := !counted && now.Before(m.LockedUntil)
	fits, err := staff.CheckPassword(password, m.PasswordHash)
	if err != nil {
		return staff.Member{}, err
	}
	if !fits || m.ID == "" || m.Disabled || locked {
		if !counted && !locked && m.ID != "" {
			if _, err := d.Store.CountWrong(ctx, m.ID, wrongHere, lockFor); err != nil {
				return staff.Member{}, err
			}
		}
		if last {
			return staff.Member{}, d.notIn(ctx, t, staff.ErrLocked)
		}
		return staff.Member{}, d.notIn(ctx, t, staff.ErrSignIn)
	}
	if counted {
		_ = d.Tries.Clear(ctx, all[0].key) // as in giveBack
		d.giveBack(ctx, all[1:])
	}
	if m.Wrong > 0 {
		if err := d.Store.ClearWrong(ctx, m.ID); err != nil {
			return staff.Member{}, err
		}
	}
	return m, d.Store.Write(ctx, d.entry(m, now, "sign in", m.ID, ""))
}

// try is one to sign in. m is nobody where the login is unknown.
type try struct {
	m                        staff.Member
	login, password, address string
}

// notIn writes a try that failed into the trail and returns why. A trail that can't be written is the worse news.
func (d *Desk) notIn(ctx context.Context, t try, why error) error {
	now, err := d.Store.Now(ctx)
	if err != nil {
		return err
	}
	e := d.entry(t.m, now, "sign in", t.m.ID, "")
	e.Refused, e.Detail = why.Error(), "from "+t.address
	if t.m.ID == "" {
		e.Detail += ", unknown login " + t.typed()
	}
	if err := d.Store.Write(ctx, e); err != nil {
		return err
	}
	return why
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
