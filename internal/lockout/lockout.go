// Package lockout counts wrong tries at a door, so that nobody can guess on.
package lockout

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// ErrLocked is returned where all tries are used up for a while.
var ErrLocked = errors.New("too many wrong tries")

// Counter counts tries, for all instances together. Its error means that it does not answer.
type Counter interface {
	// Take takes one of the tries that a key has in a while, atomically, and returns which one it is, from 1 to most; 0: none is left until the while is over.
	Take(ctx context.Context, key string, most int, while time.Duration) (int, error)
	// GiveBack gives back one that was taken, and Clear all of them.
	GiveBack(ctx context.Context, key string) error
	Clear(ctx context.Context, key string) error
}

// For is how long tries are used up.
const For = 15 * time.Minute

// Five lock one login for one address: a stranger elsewhere can't keep its owner out with them. The others are against guessing from many addresses, and at many
// logins from one, which an office may share.
const (
	Here       = 5 // of one login from one address, and of one person's second step
	everywhere = 20
	From       = 30 // from one address
)

// Budget is so many tries of one key.
type Budget struct {
	Key  string
	Most int
}

// Budgets are those of one try at a door. They go by what was typed: a login that nobody has is counted like one that somebody has. The first is one login's from one address.
func Budgets(door, login, address string) []Budget {
	home := Household(address)
	return []Budget{{door + " from " + home + " as " + login, Here}, {door + " as " + login, everywhere}, {door + " from " + home, From}}
}

// Household is who shares an address: of IPv6 one customer has at least a whole /64.
func Household(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

// Take takes a try from every budget, before anything is looked at, so that many at once get no more. last: this was the last of one of them.
// It returns ErrLocked, with nothing taken, where one is used up.
func Take(ctx context.Context, c Counter, all []Budget) (last bool, err error) {
	for i, b := range all {
		n, err := c.Take(ctx, b.Key, b.Most, For)
		if err == nil && n == 0 {
			err = ErrLocked
		}
		if err != nil {
			GiveBack(ctx, c, all[:i])
			return false, err
		}
		last = last || n == b.Most
	}
	return last, nil
}

// GiveBack leaves it at that where the counter no longer answers: the tries come back by themselves.
func GiveBack(ctx context.Context, c Counter, all []Budget) {
	for _, b := range all {
		_ = c.GiveBack(ctx, b.Key)
	}
}

// Forget is for a try that was right: the first budget is whole again, and the others have one more.
func Forget(ctx context.Context, c Counter, all []Budget) {
	_ = c.Clear(ctx, all[0].Key) // as in GiveBack
	GiveBack(ctx, c, all[1:])
}
