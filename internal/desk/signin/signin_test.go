package signin_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"

	"paylink/internal/demo"
	"paylink/internal/desk/signin"
	"paylink/internal/redisdb"
	"paylink/internal/seal"
	"paylink/internal/sqldb"
	"paylink/internal/staff"
	"paylink/internal/testbed"
)

// bench is the desk on a real database and a real Redis's protocol, with a clock of the test's own.
type bench struct {
	*testing.T
	ctx   context.Context
	url   string
	db    *sqldb.DB
	raw   *sql.DB
	desk  *signin.Desk
	redis *miniredis.Miniredis

	mu  sync.Mutex
	now time.Time
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// here is the address that everybody signs in from.
const here = "198.51.100.7"

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// start is the desk on SQLite.
func start(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	return open(t, testbed.SQLite(t))
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(b *bench)) {
	t.Parallel()
	testbed.Databases(t, func(t *testing.T, url string) { test(open(t, url)) })
}

func open(t *testing.T, url string) *bench {
	t.Helper()
	b := &bench{T: t, ctx: t.Context(), url: url, now: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)}
	var key [seal.KeyBytes]byte
	keys, err := seal.New(key[:])
	b.must(err)
	b.db, err = sqldb.Open(b.ctx, sqldb.Config{URL: url, Now: b.clock, Keys: keys, NewID: newID, MaxConns: 4, Changed: func(string) {}})
	b.must(err)
	b.must(b.db.Migrate(b.ctx))
	for _, m := range demo.Staff() {
		b.must(b.db.AddMember(b.ctx, m))
	}
	driver, address := "pgx", url
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, address = "sqlite", file
	}
	b.raw, err = sql.Open(driver, address)
	b.must(err)
	b.redis = miniredis.RunT(t)
	door, err := redisdb.Open(b.ctx, redisdb.Config{URL: "redis://" + b.redis.Addr(), Now: b.clock, LooksPerMinute: 60})
	b.must(err)
	passkeys, err := signin.NewPasskeys("desk.example", "https://desk.example", "Interlane")
	b.must(err)
	b.desk = &signin.Desk{Store: b.db, Tries: door, Keys: keys, Brand: "Interlane", Random: rand.Reader, NewID: newID, Passkeys: passkeys}
	t.Cleanup(func() { b.must(errors.Join(door.Close(), b.raw.Close(), b.db.Close())) })
	return b
}

func (b *bench) as(role staff.Role) staff.Member {
	b.Helper()
	m, err := b.db.Member(b.ctx, "staff-"+string(role))
	b.must(err)
	return m
}

// read lists what a query for one column of text finds.
func (b *bench) read(query string, args ...any) (out []string) {
	b.Helper()
	rows, err := b.raw.QueryContext(b.ctx, query, args...)
	b.must(err)
	for rows.Next() {
		var one string
		b.must(rows.Scan(&one))
		out = append(out, one)
	}
	b.must(errors.Join(rows.Err(), rows.Close()))
	return out
}

// acts is what the trail says of a person, oldest first: act, refusal, detail.
func (b *bench) acts(id string) string {
	b.Helper()
	return strings.Join(b.read(`SELECT act || '|' || refused || '|' || detail FROM trail WHERE actor_id = $1 ORDER BY n`, id), "\n")
}

func (b *bench) is(err, want error) {
	b.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		b.Fatalf("got %v, want %v", err, want)
	}
}

func TestSigningIn(t *testing.T) {
	b := start(t)
	for _, login := range []string{"agent", " Agent "} {
		if m, err := b.desk.SignIn(b.ctx, login, demo.Password, here); err != nil || m.Role != staff.Agent {
			b.Errorf("%q: %v", login, err)
		}
	}
	for _, c := range [][2]string{{"agent", "wrong"}, {"agent", ""}, {"nobody", demo.Password}, {"", ""}, {"agent", strings.Repeat("x", 10_000)}, {"agent' --", demo.Password}} {
		if _, err := b.desk.SignIn(b.ctx, c[0], c[1], here); !errors.Is(err, staff.ErrSignIn) {
			b.Errorf("%.20q: %v", c, err)
		}
	}
	disabled := demo.Staff()[0]
	disabled.ID, disabled.Login, disabled.Email, disabled.Disabled = "gone", "gone", "", true
	b.must(b.db.AddMember(b.ctx, disabled))
	if _, err := b.desk.SignIn(b.ctx, "gone", demo.Password, here); !errors.Is(err, staff.ErrSignIn) {
		b.Errorf("somebody who is gone: %v", err)
	}
	if _, err := b.desk.Member(b.ctx, "gone"); !errors.Is(err, staff.ErrNotFound) {
		b.Errorf("a session of somebody who is gone: %v", err)
	}
}

func TestFiveWrongPasswordsLockALogin(t *testing.T) {
	b := start(t)
	for n := 1; n <= 5; n++ {
		want := staff.ErrSignIn
		if n == 5 {
			want = staff.ErrLocked
		}
		if _, err := b.desk.SignIn(b.ctx, "agent", "wrong", here); !errors.Is(err, want) {
			b.Fatalf("wrong password %d: %v", n, err)
		}
	}
	if _, err := b.desk.SignIn(b.ctx, "agent", demo.Password, here); !errors.Is(err, staff.ErrLocked) {
		b.Errorf("the right one while it is locked: %v", err)
	}
	if _, err := b.desk.SignIn(b.ctx, "lead", demo.Password, here); err != nil {
		b.Errorf("somebody else: %v", err)
	}
	b.pass(15 * time.Minute)
	if m, err := b.desk.SignIn(b.ctx, "agent", demo.Password, here); err != nil || m.ID == "" {
		b.Errorf("a quarter of an hour later: %v", err)
	}
	if m := b.as(staff.Agent); m.Wrong != 0 || !m.LockedUntil.IsZero() {
		b.Error("what was wrong is not forgotten")
	}
}

// TestAnUnknownLoginTakesAsLongAsAWrongPassword: by the work done, and not by the clock, which other tests disturb too.
func TestAnUnknownLoginTakesAsLongAsAWrongPassword(t *testing.T) {
	b := start(t)
	took := func(login string) time.Duration {
		best := time.Hour
		for range 4 {
			before := time.Now()
			_, _ = b.desk.SignIn(b.ctx, login, "wrong", here)
			best = min(best, time.Since(before))
		}
		return best
	}
	known, unknown := took("lead"), took("nobody")
	if unknown < known/4 {
		b.Errorf("a wrong password takes %s, an unknown login %s", known, unknown)
	}
}

// signs signs in and says how it ended, in a word.
func (b *bench) signs(login, password, address string) string {
	b.Helper()
	switch m, err := b.desk.SignIn(b.ctx, login, password, address); {
	case errors.Is(err, staff.ErrLocked):
		return "locked"
	case errors.Is(err, staff.ErrSignIn):
		return "wrong"
	case err == nil && m.Login == strings.ToLower(login) && !m.Second:
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
func (b *bench) signIns() []string {
	b.Helper()
	return b.read(`SELECT actor_id || '|' || refused || '|' || detail FROM trail WHERE act = 'sign in' AND refused <> '' ORDER BY n`)
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
