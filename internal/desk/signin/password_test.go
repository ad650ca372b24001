package signin_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"paylink/internal/demo"
	"paylink/internal/desk/signin"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

const fresh = "a kettle on the third shelf"

func TestAPasswordIsChangedByWhoKnowsTheOldOne(t *testing.T) {
	onBoth(t, func(b *bench) {
		who := b.as(staff.Agent)
		_, err := b.desk.ChangePassword(b.ctx, who, "not the old one", fresh, here)
		b.is(err, staff.ErrSignIn)
		_, err = b.desk.ChangePassword(b.ctx, who, demo.Password, demo.Password, here)
		b.is(err, staff.ErrPasswordSame)
		_, err = b.desk.ChangePassword(b.ctx, who, demo.Password, "Interlane 2026", here)
		b.is(err, staff.ErrPasswordNames)
		b.expect("in", "agent", demo.Password, here)
		now, err := b.desk.ChangePassword(b.ctx, who, demo.Password, fresh, here)
		b.must(err)
		if !now.Since.After(who.Since) || now.MustChange {
			b.Errorf("sessions from before go on: %s, then %s", who.Since, now.Since)
		}
		b.expect("wrong", "agent", demo.Password, here)
		b.expect("in", "agent", fresh, here)
		got := b.acts(who.ID)
		for _, want := range []string{"change password|login or password is wrong|from " + here, "change password|the new password is the old one|", "change password|the password is made of", "change password||"} {
			if !strings.Contains(got, want) {
				b.Errorf("the trail does not say %q:\n%s", want, got)
			}
		}
		if strings.Contains(got, fresh) || strings.Contains(got, demo.Password) {
			b.Error("the trail holds a password")
		}
	})
}

func TestNobodyGuessesThePasswordOfWhoIsSignedIn(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	for n := range 5 {
		_, err := b.desk.ChangePassword(b.ctx, who, "wrong", fresh, here)
		b.is(err, map[bool]error{true: staff.ErrSignIn, false: staff.ErrLocked}[n < 4])
	}
	_, err := b.desk.ChangePassword(b.ctx, who, demo.Password, fresh, here)
	b.is(err, staff.ErrLocked)
	b.is(b.desk.Prove(b.ctx, who, demo.Password, here), staff.ErrLocked) // one count for whatever is guessed
	b.pass(15 * time.Minute)
	b.is(b.desk.Prove(b.ctx, who, demo.Password, here), nil)
	b.is(b.desk.Prove(b.ctx, who, "123456", here), signin.ErrCode)
	a, _ := b.setUp(who)
	b.is(b.desk.Prove(b.ctx, who, a.code(0), here), nil)
	b.is(b.desk.Prove(b.ctx, who, a.code(0), here), signin.ErrCode)
}

func TestATemporaryPasswordIsGoodForAWeek(t *testing.T) {
	b := start(t)
	_, err := b.db.SetPassword(b.ctx, "staff-agent", staff.HashPassword("temporary word", []byte("0123456789abcdef")), true, trail.Entry{ID: newID(), At: b.clock(), Act: "set password"})
	b.must(err)
	m, err := b.desk.SignIn(b.ctx, "agent", "temporary word", here)
	b.must(err)
	if !m.MustChange {
		b.Error("nobody asks for another")
	}
	b.pass(7 * 24 * time.Hour)
	b.expect("wrong", "agent", "another word", here) // only who has it is told
	_, err = b.desk.SignIn(b.ctx, "agent", "temporary word", here)
	b.is(err, signin.ErrTooOld)
}

func TestAWeakHashIsReplacedAtTheNextSignIn(t *testing.T) {
	b := start(t)
	salt := []byte("0123456789abcdef")
	weak := "$argon2id$v=19$m=8192,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + raw64(argon2.IDKey([]byte(fresh), salt, 2, 8192, 1, 32))
	_, err := b.raw.ExecContext(b.ctx, `UPDATE staff SET password_hash = $1 WHERE id = 'staff-agent'`, weak)
	b.must(err)
	b.expect("wrong", "agent", "wrong", here)
	if b.as(staff.Agent).PasswordHash != weak {
		b.Error("a wrong password changed it")
	}
	b.expect("in", "agent", fresh, here)
	m := b.as(staff.Agent)
	if staff.Weak(m.PasswordHash) || !m.Since.IsZero() {
		b.Errorf("it is %.40s, since %s", m.PasswordHash, m.Since)
	}
	b.expect("in", "agent", fresh, here)
}

func raw64(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }
