package sqldb

import (
	"context"
	"fmt"
	"time"

	"paylink/internal/account"
	"paylink/internal/desk/agent"
	"paylink/internal/desk/client"
	"paylink/internal/post"
	"paylink/internal/trail"
)

// Invite realises agent.Store: a temporary password, the letter that brings it, a note and a trail entry, as of now, and the end of every session, passkey and token of the client's. An invitation whose
// letter is there already is the same one, sent twice: it changes nothing.
func (d *DB) Invite(ctx context.Context, i agent.Invitation) error {
	return d.write(ctx, func(t tx) error {
		if err := t.lockAccount(i.ClientID); err != nil {
			return notFound(err)
		}
		now, err := t.now()
		if err != nil {
			return err
		}
		var same, today, passkeys int
		if err := t.row(`SELECT COUNT(CASE WHEN id = $1 THEN 1 END), COUNT(CASE WHEN created_ms > $2 THEN 1 END) FROM letters WHERE client_id = $3 AND kind = $4`,
			i.Letter.ID, ms(now.Add(-agent.InvitationsIn)), i.ClientID, string(post.Invitation)).Scan(&same, &today); err != nil {
			return err
		}
		switch {
		case same > 0:
			return nil
		case today >= agent.InvitationsMost:
			return agent.ErrInvitedOften
		}
		given, err := t.insert(`INSERT INTO access (`+accessColumns+`) VALUES ($1, $2, 1, $3, $3, 0, 0, 0)
			ON CONFLICT (client_id) DO UPDATE SET password_hash = excluded.password_hash, must_change = 1, password_ms = excluded.password_ms, since_ms = excluded.since_ms, wrong = 0, locked_ms = 0
			WHERE access.must_change = 1 OR CAST($4 AS BIGINT) = 1`, i.ClientID, i.Hash, ms(now), flag(i.Sure))
		if err != nil {
			return err
		}
		if !given {
			return agent.ErrHasAccess
		}
		if err := t.endAccess(i.ClientID, now); err != nil {
			return err
		}
		if err := t.row(`SELECT COUNT(*) FROM passkeys WHERE owner_kind = $1 AND owner_id = $2`, string(trail.Client), i.ClientID).Scan(&passkeys); err != nil {
			return err
		}
		if passkeys > 0 {
			i.Trail.Detail = fmt.Sprintf("passkeys removed: %d", passkeys)
		}
		if err := t.exec(`DELETE FROM passkeys WHERE owner_kind = $1 AND owner_id = $2`, string(trail.Client), i.ClientID); err != nil {
			return err
		}
		i.Letter.CreatedAt, i.Letter.NextAt, i.Note.At, i.Trail.At = now, now, now, now
		if err := t.letter(i.Letter); err != nil {
			return err
		}
		if _, err := t.note(i.Note); err != nil {
			return err
		}
		return t.trail([]trail.Entry{i.Trail})
	})
}

// setAccess is a password of the client's own choice, and the end of every session. Errors: account.ErrNotFound.
func (t tx) setAccess(clientID, hash string, at time.Time, e trail.Entry, told *post.Letter) error {
	if err := t.exactlyOneOf(account.ErrNotFound, `UPDATE access SET password_hash = $1, must_change = 0, password_ms = $2, since_ms = $2, wrong = 0, locked_ms = 0 WHERE client_id = $3`, hash, ms(at), clientID); err != nil {
		return err
	}
	if err := t.endAccess(clientID, at); err != nil {
		return err
	}
	if err := t.letters(told); err != nil {
		return err
	}
	e.At = at
	return t.trail([]trail.Entry{e})
}

// endAccess is for a password that is replaced: every session of the client's is over, a link to choose another one is dead, and what was secret in a letter that has not left stays here.
func (t tx) endAccess(clientID string, at time.Time) error {
	if err := t.exec(`UPDATE client_sessions SET ended_ms = $1 WHERE client_id = $2 AND ended_ms = 0`, ms(at), clientID); err != nil {
		return err
	}
	if err := t.endResets(clientID, at); err != nil {
		return err
	}
	return t.withdraw(clientID, post.Invitation)
}

// endResets kills every link to choose another password that a client has.
func (t tx) endResets(clientID string, at time.Time) error {
	if err := t.exec(`UPDATE client_tokens SET used_ms = $1 WHERE client_id = $2 AND kind = 'reset' AND used_ms = 0`, ms(at), clientID); err != nil {
		return err
	}
	return t.withdraw(clientID, post.Reset)
}

// withdraw keeps a letter here that has not left, because its secret opens nothing any more.
func (t tx) withdraw(clientID string, kind post.Kind) error {
	return t.exec(`UPDATE letters SET state = 'failed', next_ms = NULL, box = '' WHERE client_id = $1 AND kind = $2 AND state = 'waiting'`, clientID, string(kind))
}

// AddReset realises client.Store.
func (d *DB) AddReset(ctx context.Context, r client.Reset) error {
	return d.write(ctx, func(t tx) error {
		if err := t.lockAccount(r.ClientID); err != nil {
			return notFound(err)
		}
		now, err := t.now()
		if err != nil {
			return err
		}
		r.Trail.At = now
		var today int
		if err := t.row(`SELECT COUNT(*) FROM letters WHERE client_id = $1 AND kind = $2 AND created_ms > $3`, r.ClientID, string(post.Reset), ms(now.Add(-24*time.Hour))).Scan(&today); err != nil {
			return err
		}
		if today >= r.Most {
			r.Trail.Refused = "the client got as many letters as there may be in a day"
			return t.trail([]trail.Entry{r.Trail})
		}
		if err := t.endResets(r.ClientID, now); err != nil {
			return err
		}
		if err := t.exec(`INSERT INTO client_tokens (digest, client_id, kind, target, tries, made_ms, used_ms) VALUES ($1, $2, 'reset', '', 0, $3, 0)`, r.Digest, r.ClientID, ms(now)); err != nil {
			return err
		}
		if err := t.letter(r.Letter); err != nil {
			return err
		}
		return t.trail([]trail.Entry{r.Trail})
	})
}

// ResetOf realises client.Store.
func (d *DB) ResetOf(ctx context.Context, digest string, since time.Time) (clientID string, err error) {
	err = d.read(ctx).row(`SELECT client_id FROM client_tokens WHERE digest = $1 AND kind = 'reset' AND used_ms = 0 AND made_ms > $2`, digest, ms(since)).Scan(&clientID)
	return clientID, notFound(err)
}

// UseReset realises client.Store.
func (d *DB) UseReset(ctx context.Context, digest string, since time.Time, hash string, e trail.Entry, told *post.Letter) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		var clientID string
		err = t.row(`UPDATE client_tokens SET used_ms = $1 WHERE digest = $2 AND kind = 'reset' AND used_ms = 0 AND made_ms > $3 RETURNING client_id`, ms(now), digest, ms(since)).Scan(&clientID)
		if err != nil {
			return notFound(err)
		}
		return t.setAccess(clientID, hash, now, e, told)
	})
}
