package sqldb_test

import (
	"errors"
	"testing"

	"paylink/internal/staff"
	"paylink/internal/trail"
)

func TestWhatAnAdministratorDoesToAPersonEndsTheirSessions(t *testing.T) {
	onBoth(t, func(b *books) {
		b.must(b.AddMember(b.ctx, staff.Member{ID: "s1", Login: "ana", Role: staff.Lead, PasswordHash: "old", Wrong: 3}))
		b.must(b.AddMember(b.ctx, staff.Member{ID: "s2", Login: "ben", Role: staff.Agent, PasswordHash: "old"}))
		entry := func(act string) trail.Entry {
			return trail.Entry{ID: newID(), At: b.now, Actor: trail.Actor{Kind: trail.Staff, ID: "s0"}, Act: act, Object: "s1"}
		}
		for _, table := range []string{
			`INSERT INTO totp (owner_kind, owner_id, box, last_step, since_ms) VALUES ('staff', $1, 'box', 0, 1)`,
			`INSERT INTO recovery_codes (owner_kind, owner_id, digest, used_ms) VALUES ('staff', $1, 'digest', 0)`,
			`INSERT INTO passkeys (id, owner_kind, owner_id, name, credential, added_ms, used_ms) VALUES ('key of ' || $1, 'staff', $1, 'Phone', '{}', 1, 0)`,
			`INSERT INTO sign_on (issuer, subject, staff_id) VALUES ('https://id.example', $1, $1)`,
		} {
			for _, id := range []string{"s1", "s2"} {
				b.must(b.exec(table, id))
			}
		}
		left := func(id string) int {
			return b.count(`SELECT (SELECT COUNT(*) FROM totp WHERE owner_id = $1) + (SELECT COUNT(*) FROM recovery_codes WHERE owner_id = $1)
				+ (SELECT COUNT(*) FROM passkeys WHERE owner_id = $1) + (SELECT COUNT(*) FROM sign_on WHERE staff_id = $1)`, id)
		}
		last := began.Add(-1)
		for _, c := range []struct {
			act  string
			do   func(e trail.Entry, id string) error
			want staff.Member
			left int
		}{
			{"set password", func(e trail.Entry, id string) error { _, err := b.SetPassword(b.ctx, id, "new", true, e); return err }, staff.Member{PasswordHash: "new", MustChange: true, Version: 1}, 4},
			{"change password", func(e trail.Entry, id string) error { _, err := b.SetPassword(b.ctx, id, "own", false, e); return err }, staff.Member{PasswordHash: "own", Version: 1}, 4},
			{"end sessions", func(e trail.Entry, id string) error { _, err := b.EndSessions(b.ctx, id, e); return err }, staff.Member{PasswordHash: "own", Version: 1}, 4},
		} {
			b.must(c.do(entry(c.act), "s1"))
			got, err := b.Member(b.ctx, "s1")
			b.must(err)
			if !got.Since.After(last) { // though the clock stands still
				b.Errorf("%s: sessions go on", c.act)
			}
			last = got.Since
			if got.PasswordHash != c.want.PasswordHash || got.MustChange != c.want.MustChange || got.Disabled != c.want.Disabled || got.Version != c.want.Version || got.Wrong != 0 || left("s1") != c.left {
				b.Errorf("%s: %+v, %d factors", c.act, got, left("s1"))
			}
			if b.count(`SELECT COUNT(*) FROM trail WHERE act = $1`, c.act) != 1 {
				b.Errorf("%s left no trail", c.act)
			}
			if err := c.do(entry(c.act), "nobody"); !errors.Is(err, staff.ErrNotFound) {
				b.Errorf("%s of nobody: %v", c.act, err)
			}
		}
		b.must(b.Rehash(b.ctx, "s1", "old", "older"))
		b.must(b.Rehash(b.ctx, "s2", "old", "same password"))
		one, err := b.Member(b.ctx, "s1")
		b.must(err)
		other, err := b.Member(b.ctx, "s2")
		b.must(err)
		if one.PasswordHash != "own" || other.PasswordHash != "same password" || !other.Since.IsZero() || left("s2") != 4 {
			b.Errorf("rehashed: %+v and %+v", one, other)
		}
	})
}
