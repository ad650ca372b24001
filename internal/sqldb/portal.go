package sqldb

import (
	"context"
	"time"

	"paylink/internal/account"
	"paylink/internal/post"
	"paylink/internal/trail"
)

const accessColumns = `client_id, password_hash, must_change, password_ms, since_ms, wrong, locked_ms, read_n`

// Access returns how a client gets into My Account. Errors: account.ErrNotFound for one who was never invited.
func (d *DB) Access(ctx context.Context, clientID string) (account.Access, error) {
	var a account.Access
	var mustChange, password, since, locked int64
	err := d.read(ctx).row(`SELECT `+accessColumns+` FROM access WHERE client_id = $1`, clientID).Scan(&a.ClientID, &a.PasswordHash, &mustChange, &password, &since, &a.Wrong, &locked, &a.Read)
	a.MustChange, a.PasswordAt, a.Since, a.LockedUntil = mustChange != 0, fromMS(password), fromMS(since), fromMS(locked)
	return a, notFound(err)
}

func (t tx) addAccess(a account.Access) error {
	return t.exec(`INSERT INTO access (`+accessColumns+`) VALUES ($1, $2, $3, $4, $5, 0, 0, $6) ON CONFLICT DO NOTHING`, a.ClientID, a.PasswordHash, flag(a.MustChange), ms(a.PasswordAt), ms(a.Since), a.Read)
}

// SetAccess gives a client a password of their own choice: every session that began before is over, everywhere. Errors: account.ErrNotFound.
func (d *DB) SetAccess(ctx context.Context, clientID, hash string, e trail.Entry, told *post.Letter) (at time.Time, err error) {
	err = d.write(ctx, func(t tx) error {
		if at, err = t.now(); err != nil {
			return err
		}
		return t.setAccess(clientID, hash, at, e, told)
	})
	return at, err
}

// CountWrongAccess is for while the counter of tries does not answer: it counts one more wrong password, atomically, and locks the client out from the limit on.
func (d *DB) CountWrongAccess(ctx context.Context, clientID string, limit int, lockFor time.Duration) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.exec(`UPDATE access SET wrong = wrong + 1, locked_ms = CASE WHEN wrong + 1 >= $1 THEN $2 ELSE locked_ms END WHERE client_id = $3`, limit, ms(now.Add(lockFor)), clientID)
	})
}

// OpenSession lists a browser that has signed in, and forgets wrong passwords. The entry for an unknown browser is left where the client has signed in before, and never by such a one.
func (d *DB) OpenSession(ctx context.Context, s account.Session, digest string, e, unknown trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		var before, by int
		if err := t.row(`SELECT COUNT(*), COUNT(CASE WHEN browser = $1 THEN 1 END) FROM client_sessions WHERE client_id = $2`, s.Browser, s.ClientID).Scan(&before, &by); err != nil {
			return err
		}
		if err := t.exec(`UPDATE access SET wrong = 0, locked_ms = 0 WHERE client_id = $1 AND wrong > 0`, s.ClientID); err != nil {
			return err
		}
		if err := t.exec(`INSERT INTO client_sessions (id, client_id, digest, began_ms, seen_ms, ended_ms, browser, address) VALUES ($1, $2, $3, $4, $5, 0, $6, $7)`,
			s.ID, s.ClientID, digest, ms(s.BeganAt), ms(s.SeenAt), s.Browser, s.Address); err != nil {
			return err
		}
		acts := []trail.Entry{e}
		if before > 0 && by == 0 {
			acts = append(acts, unknown)
		}
		return t.trail(acts)
	})
}

// ClientSession finds a session by its token's digest. Errors: account.ErrNotFound.
func (d *DB) ClientSession(ctx context.Context, digest string) (account.Session, error) {
	return scanClientSession(d.read(ctx).row(`SELECT `+clientSessionColumns+` FROM client_sessions WHERE digest = $1`, digest).Scan)
}

const clientSessionColumns = `id, client_id, began_ms, seen_ms, ended_ms, browser, address`

func scanClientSession(scan func(...any) error) (account.Session, error) {
	var s account.Session
	var began, seen, ended int64
	err := scan(&s.ID, &s.ClientID, &began, &seen, &ended, &s.Browser, &s.Address)
	s.BeganAt, s.SeenAt, s.EndedAt = fromMS(began), fromMS(seen), fromMS(ended)
	return s, notFound(err)
}

// ClientSessions lists a client's sessions that go on and were seen since a time, the last seen first.
func (d *DB) ClientSessions(ctx context.Context, clientID string, since time.Time) ([]account.Session, error) {
	var out []account.Session
	err := d.read(ctx).each(`SELECT `+clientSessionColumns+` FROM client_sessions WHERE client_id = $1 AND ended_ms = 0 AND seen_ms >= $2 ORDER BY seen_ms DESC LIMIT 50`, []any{clientID, ms(since)},
		func(scan func(...any) error) error {
			s, err := scanClientSession(scan)
			out = append(out, s)
			return err
		})
	return out, err
}

// SeeSession notes that a session is used.
func (d *DB) SeeSession(ctx context.Context, id string) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.exec(`UPDATE client_sessions SET seen_ms = $1 WHERE id = $2 AND ended_ms = 0`, ms(now), id)
	})
}

// EndSession ends one session of a client. Errors: account.ErrNotFound.
func (d *DB) EndSession(ctx context.Context, clientID, id string, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		ended, err := t.insert(`UPDATE client_sessions SET ended_ms = $1 WHERE id = $2 AND client_id = $3 AND ended_ms = 0`, ms(now), id, clientID)
		if err != nil {
			return err
		}
		if !ended {
			return account.ErrNotFound
		}
		e.At = now
		return t.trail([]trail.Entry{e})
	})
}
