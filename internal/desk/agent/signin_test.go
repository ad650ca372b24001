package agent_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paylink/internal/demo"
	"paylink/internal/staff"
)

// signs signs in and says how it ended, in a word.
func (b *bench) signs(login, password, address string) string {
	b.Helper()
	switch m, err := b.desk.SignIn(b.ctx, login, password, address); {
	case errors.Is(err, staff.ErrLocked):
		return "locked"
	case errors.Is(err, staff.ErrSignIn):
		return "wrong"
	case err == nil && m.Login == strings.ToLower(login):
		return "in"
	default:
		b.Fatalf("%s: %v", login, err)
		return ""
	}
}

func (b *bench) expect(want, login, password, address string) {
	b.Helper()
	if got := b.signs(login, password, address); got != want {
		b.Fatalf("%.30s from %s: %s, want %s", login, address, got, want)
	}
}

// signIns lists the refusals that the trail keeps: actor, refusal, detail.
func (b *bench) signIns() (out []string) {
	b.Helper()
	raw, err := sql.Open("sqlite", strings.TrimPrefix(b.url, "sqlite:"))
	b.must(err)
	rows, err := raw.QueryContext(b.ctx, `SELECT actor_id || '|' || refused || '|' || detail FROM trail WHERE act = 'sign in' AND refused <> '' ORDER BY at_ms, id`)
	b.must(err)
	for rows.Next() {
		var one string
		b.must(rows.Scan(&one))
		out = append(out, one)
	}
	b.must(errors.Join(rows.Err(), rows.Close(), raw.Close()))
	return out
}

func TestALoginThatNobodyHasLocksLikeOneThatSomebodyHas(t *testing.T) {
	b := start(t)
	for n := range 8 {
		known, unknown := b.signs("lead", "wrong", here), b.signs("nobody", "wrong", here)
		if known != unknown {
			b.Errorf("try %d tells: %s and %s", n+1, known, unknown)
		}
		if want := map[bool]string{true: "wrong", false: "locked"}[n < 4]; known != want {
			b.Errorf("try %d: %s", n+1, known)
		}
	}
}

func TestAStrangerElsewhereLocksNobodyOut(t *testing.T) {
	b := start(t)
	for range 12 {
		b.signs("agent", "wrong", "203.0.113.9")
	}
	b.expect("locked", "agent", demo.Password, "203.0.113.9")
	b.expect("in", "agent", demo.Password, here)
	// One customer's IPv6 addresses are one.
	for n := range 5 {
		b.signs("finance", "wrong", fmt.Sprintf("2001:db8:1:2:%x::1", n+1))
	}
	b.expect("locked", "finance", demo.Password, "2001:db8:1:2::99")
	b.expect("in", "finance", demo.Password, "2001:db8:1:3::99")
}

func TestWhoGuessesFromManyAddressesOrAtManyLoginsIsLockedOut(t *testing.T) {
	b := start(t)
	for n := range 20 {
		b.signs("agent", "wrong", fmt.Sprintf("203.0.113.%d", n))
	}
	b.expect("locked", "agent", demo.Password, "203.0.113.99")
	b.pass(15 * time.Minute)
	b.expect("in", "agent", demo.Password, "203.0.113.99")
	for n := range 30 {
		b.signs(fmt.Sprint("nobody", n), "wrong", here)
	}
	b.expect("locked", "lead", demo.Password, here)
	b.expect("in", "lead", demo.Password, "198.51.100.8")
	b.pass(15 * time.Minute)
	b.expect("in", "lead", demo.Password, here)
}

func TestAnOfficeSignsInAsOftenAsItLikes(t *testing.T) {
	b := start(t)
	for range 31 {
		b.expect("in", "agent", demo.Password, here)
	}
	for range 3 { // and a right password forgets what was wrong before it
		for range 4 {
			b.expect("wrong", "agent", "wrong", here)
		}
		b.expect("in", "agent", demo.Password, here)
	}
}

func TestManyGuessesAtOnceAreNoMore(t *testing.T) {
	b := start(t)
	var wg sync.WaitGroup
	var looked atomic.Int64
	for range 12 {
		wg.Go(func() {
			if _, err := b.desk.SignIn(b.ctx, "agent", "wrong", here); errors.Is(err, staff.ErrSignIn) {
				looked.Add(1)
			}
		})
	}
	wg.Wait()
	if looked.Load() != 4 { // the fifth is told that it is locked
		b.Errorf("%d were told that the password is wrong", looked.Load())
	}
}

func TestWithoutTheCounterALoginIsStillLocked(t *testing.T) {
	b := start(t)
	b.redis.SetError("LOADING Redis is loading the dataset in memory")
	b.expect("in", "agent", demo.Password, here)
	for range 6 { // nothing tells a login that somebody has
		b.expect("wrong", "agent", "wrong", here)
		b.expect("wrong", "nobody", "wrong", here)
	}
	if m := b.as(staff.Agent); m.Wrong != 5 || m.LockedUntil.IsZero() {
		b.Errorf("%d wrong, locked until %s", m.Wrong, m.LockedUntil)
	}
	b.expect("wrong", "agent", demo.Password, here)
	b.pass(15 * time.Minute)
	b.expect("in", "agent", demo.Password, here)
	if m := b.as(staff.Agent); m.Wrong != 0 || !m.LockedUntil.IsZero() {
		b.Error("what was wrong is not forgotten")
	}
}

func TestEveryTryLeavesATrailAndNoPassword(t *testing.T) {
	b := start(t)
	b.expect("wrong", "agent", "not-the-password", here)
	b.expect("wrong", "Nobody ", "not-the-password", here)
	b.expect("wrong", strings.Repeat("é", 500), "not-the-password", here)
	b.expect("wrong", "Correct-Horse", "Correct-Horse", here) // typed twice
	b.expect("wrong", "4242 4242 4242 4242", "not-the-password", here)
	want := []string{
		"staff-agent|login or password is wrong|from " + here,
		"|login or password is wrong|from " + here + ", unknown login nobody",
		"|login or password is wrong|from " + here + ", unknown login " + strings.Repeat("é", 100),
		"|login or password is wrong|from " + here + ", unknown login (not kept)",
		"|login or password is wrong|from " + here + ", unknown login (not kept)",
	}
	got := b.signIns()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		b.Errorf("the trail says\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for range 200 { // whoever is locked out fills nothing
		b.signs("nobody", "wrong", "203.0.113.9")
	}
	if n := len(b.signIns()) - len(got); n != 5+60 {
		b.Errorf("two hundred tries left %d entries", n)
	}
}
