package sqldb

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"paylink/internal/phone"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

const staffColumns = `id, login, name, team, role, phone, email, teams, locations, password_hash, must_change, password_ms, disabled, wrong, locked_ms, since_ms, version`

func scanMember(scan func(...any) error) (staff.Member, error) {
	var m staff.Member
	var number, teams, locations string
	var mustChange, passwordAt, disabled, locked, since int64
	err := scan(&m.ID, &m.Login, &m.Name, &m.Team, &m.Role, &number, &m.Email, &teams, &locations, &m.PasswordHash, &mustChange, &passwordAt, &disabled, &m.Wrong, &locked, &since, &m.Version)
	m.Phone, m.Teams, m.Locations = phone.Stored(number), listed(teams), listed(locations)
	m.MustChange, m.PasswordAt, m.Disabled, m.LockedUntil, m.Since = mustChange != 0, fromMS(passwordAt), disabled != 0, fromMS(locked), fromMS(since)
	if errors.Is(err, sql.ErrNoRows) {
		return m, staff.ErrNotFound
	}
	return m, err
}

// listed reads a list that is stored by commas.
func listed(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// Member finds one of the staff by id. Errors: staff.ErrNotFound.
func (d *DB) Member(ctx context.Context, id string) (staff.Member, error) {
	return scanMember(d.read(ctx).row(`SELECT `+staffColumns+` FROM staff WHERE id = $1`, id).Scan)
}

// MemberByEmail finds one of the staff by e-mail address, in lower case. Errors: staff.ErrNotFound.
func (d *DB) MemberByEmail(ctx context.Context, email string) (staff.Member, error) {
	if email == "" { // many have none
		return staff.Member{}, staff.ErrNotFound
	}
	return scanMember(d.read(ctx).row(`SELECT `+staffColumns+` FROM staff WHERE email = $1`, email).Scan)
}

// MemberByLogin finds one of the staff by login. Errors: staff.ErrNotFound.
func (d *DB) MemberByLogin(ctx context.Context, login string) (staff.Member, error) {
	return scanMember(d.read(ctx).row(`SELECT `+staffColumns+` FROM staff WHERE login = $1`, login).Scan)
}

// AddMember adds one of the staff, whose password is set now; a login that is taken gives staff.ErrTaken.
func (d *DB) AddMember(ctx context.Context, m staff.Member) error {
	err := d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.addMember(m, ms(now))
	})
	if clash(err) {
		return staff.ErrTaken
	}
	return err
}

func (t tx) addMember(m staff.Member, now int64) error {
	return t.exec(`INSERT INTO staff (`+staffColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1)`,
		m.ID, m.Login, m.Name, m.Team, string(m.Role), m.Phone.E164(), m.Email, strings.Join(m.Teams, ","), strings.Join(m.Locations, ","), m.PasswordHash, flag(m.MustChange), now,
		flag(m.Disabled), m.Wrong, ms(m.LockedUntil), ms(m.Since))
}

// CountWrong is for while the counter of tries does not answer: it counts one more wrong password, atomically, and locks the login from the limit on. It returns how many there have been.
func (d *DB) CountWrong(ctx context.Context, id string, limit int, lockFor time.Duration) (int, error) {
	var n int
	err := d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.row(`UPDATE staff SET wrong = wrong + 1, locked_ms = CASE WHEN wrong + 1 >= $1 THEN $2 ELSE locked_ms END WHERE id = $3 RETURNING wrong`, limit, ms(now.Add(lockFor)), id).Scan(&n)
	})
	return n, err
}

// ClearWrong forgets wrong passwords after a right one.
func (d *DB) ClearWrong(ctx context.Context, id string) error {
	return d.write(ctx, func(t tx) error { return t.exec(`UPDATE staff SET wrong = 0, locked_ms = 0 WHERE id = $1`, id) })
}

// SetPassword gives one of the staff another password, by its hash; a temporary one must be changed at once. What was wrong before is forgotten, and every session of theirs is over.
// It returns the member as they are now. Errors: staff.ErrNotFound.
func (d *DB) SetPassword(ctx context.Context, id, hash string, temporary bool, e trail.Entry) (staff.Member, error) {
	return d.changeMember(ctx, id, e, func(t tx, now int64) error {
		if err := t.endSessions(id, now); err != nil {
			return err
		}
		return t.setPassword(id, hash, temporary, now)
	})
}

func (t tx) setPassword(id, hash string, temporary bool, now int64) error {
	return t.exec(`UPDATE staff SET password_hash = $1, must_change = $2, password_ms = $3, wrong = 0, locked_ms = 0 WHERE id = $4`, hash, flag(temporary), now, id)
}

// EndSessions ends every session of one of the staff, on all instances at once. It returns the member as they are now. Errors: staff.ErrNotFound.
func (d *DB) EndSessions(ctx context.Context, id string, e trail.Entry) (staff.Member, error) {
	return d.changeMember(ctx, id, e, func(t tx, now int64) error { return t.endSessions(id, now) })
}

// endSessions: each session holds the moment that stood here when it began, and who asks compares them. It moves at every change, whatever the clocks say.
func (t tx) endSessions(id string, now int64) error {
	return t.exactlyOneOf(staff.ErrNotFound, `UPDATE staff SET since_ms = CASE WHEN since_ms >= $1 THEN since_ms + 1 ELSE $1 END WHERE id = $2`, now, id)
}

// clearFactors takes away whatever one of the staff has besides the password: codes, recovery codes, passkeys and company account.
func (t tx) clearFactors(id string) error {
	for _, table := range []string{"totp", "recovery_codes", "passkeys"} {
		if err := t.exec(`DELETE FROM `+table+` WHERE owner_kind = $1 AND owner_id = $2`, string(trail.Staff), id); err != nil {
			return err
		}
	}
	return t.exec(`DELETE FROM sign_on WHERE staff_id = $1`, id)
}

// changeMember changes a row of the staff, leaves the trail entry, and reads the member as they are then.
func (d *DB) changeMember(ctx context.Context, id string, e trail.Entry, change func(t tx, now int64) error) (m staff.Member, err error) {
	err = d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		if err := change(t, ms(now)); err != nil {
			return err
		}
		if err := t.trail([]trail.Entry{e}); err != nil {
			return err
		}
		m, err = scanMember(t.row(`SELECT `+staffColumns+` FROM staff WHERE id = $1`, id).Scan)
		return err
	})
	return m, err
}

// Rehash replaces a password's hash by one of the same password with today's parameters. Where the password was changed meanwhile, nothing happens.
func (d *DB) Rehash(ctx context.Context, id, old, hash string) error {
	return d.write(ctx, func(t tx) error {
		return t.exec(`UPDATE staff SET password_hash = $1 WHERE id = $2 AND password_hash = $3`, hash, id, old)
	})
}

// Sessions keeps signed-in sessions; it realises the session library's store. Tokens come hashed.
type Sessions struct{ DB *DB }

// FindCtx returns a session's data unless it is over.
func (s Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	t := s.DB.read(ctx)
	now, err := t.now()
	if err != nil {
		return nil, false, err
	}
	var data string
	err = t.row(`SELECT data FROM sessions WHERE token = $1 AND expires_ms > $2`, token, ms(now)).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	b, err := base64.StdEncoding.DecodeString(data)
	return b, err == nil, err
}

// CommitCtx writes a session, and sweeps out some that are over.
func (s Sessions) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	return s.DB.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		if err := t.exec(`DELETE FROM sessions WHERE token IN (SELECT token FROM sessions WHERE expires_ms <= $1 LIMIT 10)`, ms(now)); err != nil {
			return err
		}
		return t.exec(`INSERT INTO sessions (token, data, expires_ms) VALUES ($1, $2, $3) ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_ms = excluded.expires_ms`,
			token, base64.StdEncoding.EncodeToString(b), ms(expiry))
	})
}

// DeleteCtx ends a session.
func (s Sessions) DeleteCtx(ctx context.Context, token string) error {
	return s.DB.write(ctx, func(t tx) error { return t.exec(`DELETE FROM sessions WHERE token = $1`, token) })
}

// Find is FindCtx for a caller without a context.
func (s Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx for a caller without a context.
func (s Sessions) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx for a caller without a context.
func (s Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
