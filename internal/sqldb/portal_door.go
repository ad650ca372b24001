package sqldb

import (
	"context"
	"fmt"
	"time"

	"paylink/internal/desk/agent"
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

// endAccess is for a password that is replaced: every session of the client's is over, a link to choose another one is dead, and what was secret in a letter that has not left stays here.
func (t tx) endAccess(clientID string, at time.Time) error {
	if err := t.exec(`UPDATE client_sessions SET ended_ms = $1 WHERE client_id = $2 AND ended_ms = 0`, ms(at), clientID); err != nil {
		return err
	}
	if err := t.exec(`UPDATE client_tokens SET used_ms = $1 WHERE client_id = $2 AND kind = 'reset' AND used_ms = 0`, ms(at), clientID); err != nil {
		return err
	}
	return t.exec(`UPDATE letters SET state = 'failed', next_ms = NULL, box = '' WHERE client_id = $1 AND kind IN ($2, $3) AND state = 'waiting'`, clientID, string(post.Invitation), string(post.Reset))
}
