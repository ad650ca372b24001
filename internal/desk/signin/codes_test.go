package signin_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"paylink/internal/demo"
	"paylink/internal/desk/signin"
	"paylink/internal/seal"
	"paylink/internal/staff"
)

// app is an authenticator app: a secret, and a clock of its own.
type app struct {
	b      *bench
	secret string
}

// code is what the app shows so long from now.
func (a app) code(from time.Duration) string {
	a.b.Helper()
	code, err := totp.GenerateCode(a.secret, a.b.clock().Add(from))
	a.b.must(err)
	return code
}

// setUp sets an app up for a person, and returns it with the recovery codes.
func (b *bench) setUp(who staff.Member) (app, []string) {
	b.Helper()
	s, err := b.desk.BeginCodes(b.ctx, who)
	b.must(err)
	a := app{b, strings.ReplaceAll(s.Secret, " ", "")}
	recovery, err := b.desk.SetCodes(b.ctx, who, s.Box, a.code(0), here)
	b.must(err)
	b.pass(30 * time.Second)
	return a, recovery
}

// half gives the right password.
func (b *bench) half(login string) signin.Half {
	b.Helper()
	m, err := b.desk.SignIn(b.ctx, login, demo.Password, here)
	b.must(err)
	if !m.Second {
		b.Fatal("a password alone is enough")
	}
	return signin.Half{ID: m.ID, Since: m.Since, At: b.clock()}
}

func (b *bench) second(h signin.Half, code string) error {
	_, _, err := b.desk.Second(b.ctx, h, code, here)
	return err
}

func TestAnAppThatIsSetUpIsAskedFor(t *testing.T) {
	onBoth(t, func(b *bench) {
		who := b.as(staff.Agent)
		s, err := b.desk.BeginCodes(b.ctx, who)
		b.must(err)
		if !strings.HasPrefix(s.Address, "otpauth://totp/Interlane%20PLUS%20Web:agent?") || !strings.Contains(s.Address, "issuer=Interlane%20PLUS%20Web") || len(s.Secret) != 39 {
			b.Errorf("it is offered as %d characters at %.60s", len(s.Secret), s.Address)
		}
		a := app{b, strings.ReplaceAll(s.Secret, " ", "")}
		// Until a code confirms it, nothing counts.
		_, err = b.desk.SetCodes(b.ctx, who, s.Box, a.code(5*time.Minute), here)
		b.is(err, signin.ErrCode)
		b.expect("in", "agent", demo.Password, here)
		_, err = b.desk.SetCodes(b.ctx, b.as(staff.Lead), s.Box, a.code(0), here) // somebody else's
		b.is(err, seal.ErrNotOurs)
		same, err := b.desk.SameCodes(b.ctx, who, s.Box)
		b.must(err)
		if same.Secret != s.Secret {
			b.Error("a wrong code changes the secret")
		}
		recovery, err := b.desk.SetCodes(b.ctx, who, same.Box, a.code(0)[:3]+" "+a.code(0)[3:], here)
		b.must(err)
		if len(recovery) != 10 || len(recovery[0]) != 19 || recovery[0] == recovery[1] {
			b.Errorf("recovery codes are %q", recovery)
		}
		f, err := b.desk.Factors(b.ctx, who)
		b.must(err)
		if !f.Codes || f.Recovery != 10 || !f.Since.Equal(b.clock()) {
			b.Errorf("factors are %+v", f)
		}
		kept := strings.Join(b.read(`SELECT box FROM totp`), "") + strings.Join(b.read(`SELECT digest FROM recovery_codes`), "") + b.acts(who.ID)
		for _, secret := range append(recovery, a.secret, strings.ReplaceAll(recovery[0], "-", "")) {
			if strings.Contains(kept, secret) {
				b.Error("a secret is kept as it is")
			}
		}

		h := b.half("agent")
		b.is(b.second(h, a.code(0)), signin.ErrCode) // the code that set it up is used
		b.is(b.second(h, a.code(30*time.Second)), nil)
		b.is(b.second(b.half("agent"), a.code(30*time.Second)), signin.ErrCode)
		b.pass(time.Minute)
		m, by, err := b.desk.Second(b.ctx, b.half("agent"), a.code(0), here)
		b.must(err)
		if m.ID != who.ID || by != signin.ByCode {
			b.Errorf("%s is in by %s", m.ID, by)
		}
		b.pass(2 * time.Minute)
		b.is(b.second(b.half("agent"), a.code(-30*time.Second)), nil) // an app whose clock is late
		b.is(b.second(b.half("agent"), a.code(-time.Minute)), signin.ErrCode)
		b.is(b.second(b.half("agent"), a.code(time.Minute)), signin.ErrCode)
		b.is(b.second(b.half("agent"), ""), signin.ErrCode)

		b.must(b.desk.RemoveCodes(b.ctx, who))
		b.expect("in", "agent", demo.Password, here)
		if n := len(b.read(`SELECT digest FROM recovery_codes`)); n != 0 {
			b.Errorf("%d recovery codes are left", n)
		}
		got := b.acts(who.ID)
		for _, want := range []string{
			"set up codes|the code is wrong, or was used before|from " + here, "set up codes||with recovery codes", "give password||a second factor is asked for",
			"second factor|the code is wrong, or was used before|from " + here, "sign in||by password and code", "remove codes||",
		} {
			if !strings.Contains(got, want) {
				b.Errorf("the trail does not say %q:\n%s", want, got)
			}
		}
	})
}

func TestARecoveryCodeIsGoodOnce(t *testing.T) {
	onBoth(t, func(b *bench) {
		who := b.as(staff.Agent)
		_, recovery := b.setUp(who)
		_, others := b.setUp(b.as(staff.Lead))
		typed := strings.ToUpper(strings.ReplaceAll(recovery[0], "-", " "))
		typed = strings.NewReplacer("0", "O", "1", "I").Replace(typed) // as people copy
		h := b.half("agent")
		b.is(b.second(h, others[0]), signin.ErrCode)
		var in atomic.Int64
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if b.second(h, typed) == nil {
					in.Add(1)
				}
			})
		}
		wg.Wait()
		if in.Load() != 1 {
			b.Errorf("a recovery code was good %d times", in.Load())
		}
		fresh, err := b.desk.NewRecovery(b.ctx, who)
		b.must(err)
		b.is(b.second(b.half("agent"), recovery[1]), signin.ErrCode) // the old ones are worth nothing
		b.is(b.second(b.half("agent"), fresh[1]), nil)
		if _, err := b.desk.NewRecovery(b.ctx, b.as(staff.Auditor)); err == nil {
			b.Error("somebody without a second factor got recovery codes")
		}
	})
}

func TestOneCodeAtOnceIsGoodOnce(t *testing.T) {
	onBoth(t, func(b *bench) {
		a, _ := b.setUp(b.as(staff.Agent))
		h := b.half("agent")
		var in atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if b.second(h, a.code(0)) == nil {
					in.Add(1)
				}
			})
		}
		wg.Wait()
		if in.Load() != 1 {
			b.Errorf("a code was good %d times", in.Load())
		}
	})
}

func TestNobodyGuessesCodes(t *testing.T) {
	for _, counts := range []bool{true, false} {
		t.Run(fmt.Sprint("the counter answers: ", counts), func(t *testing.T) {
			b := start(t)
			a, _ := b.setUp(b.as(staff.Agent))
			if !counts {
				b.redis.SetError("LOADING Redis is loading the dataset in memory")
			}
			wrong := 0
			for range 6 { // a right password between does not give another five
				if b.second(b.half("agent"), "000000") == nil {
					b.Fatal("a code was guessed")
				}
				if b.as(staff.Agent).LockedUntil.IsZero() || counts {
					wrong++
				} else {
					break
				}
			}
			if counts {
				b.is(b.second(b.half("agent"), a.code(0)), staff.ErrLocked)
				b.pass(15 * time.Minute)
				b.is(b.second(b.half("agent"), a.code(0)), nil)
				return
			}
			if wrong != 4 {
				b.Errorf("locked after %d", wrong+1)
			}
			b.expect("wrong", "agent", demo.Password, here)
			b.pass(15 * time.Minute)
			b.is(b.second(b.half("agent"), a.code(0)), nil)
		})
	}
}

func TestASecondStepIsOverInFiveMinutesAndWhenThePersonChanges(t *testing.T) {
	b := start(t)
	a, _ := b.setUp(b.as(staff.Agent))
	h := b.half("agent")
	b.pass(signin.HalfLife)
	b.is(b.second(h, a.code(0)), signin.ErrOver)
	h = b.half("agent")
	_, err := b.desk.EndSessions(b.ctx, b.as(staff.Agent))
	b.must(err)
	b.is(b.second(h, a.code(0)), signin.ErrOver)
	h = b.half("agent")
	_, err = b.raw.ExecContext(b.ctx, `UPDATE staff SET disabled = 1 WHERE id = 'staff-agent'`)
	b.must(err)
	b.is(b.second(h, a.code(0)), signin.ErrOver)
	b.is(b.second(signin.Half{}, a.code(0)), signin.ErrOver)
}
