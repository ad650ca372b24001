package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"paylink/internal/account"
	"paylink/internal/phone"
	"paylink/internal/post"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

func targetOf(digest string) string { return "target of code " + digest }

// Challenged counts the codes that a client has had sent since a time, in every way.
func (d *DB) Challenged(ctx context.Context, clientID string, since time.Time) (n int, err error) {
	err = d.read(ctx).row(`SELECT COUNT(*) FROM client_tokens WHERE client_id = $1 AND kind IN ('mail', 'phone') AND made_ms > $2`, clientID, ms(since)).Scan(&n)
	return n, err
}

// Challenge sends a code, by the letter or the text: the ones before of this way are good no more.
func (d *DB) Challenge(ctx context.Context, c account.Challenge, code string, e trail.Entry, letter *post.Letter, text *sms.Message) error {
	return d.write(ctx, func(t tx) error {
		if err := t.lockAccount(c.ClientID); err != nil {
			return err
		}
		if err := t.endChallenges(c.ClientID, c.Way, c.MadeAt); err != nil {
			return err
		}
		digest := c.Digest(code)
		if err := t.exec(`INSERT INTO client_tokens (digest, client_id, kind, target, tries, made_ms, used_ms) VALUES ($1, $2, $3, $4, 0, $5, 0)`,
			digest, c.ClientID, string(c.Way), t.d.config.Keys.Seal(targetOf(digest), c.Target), ms(c.MadeAt)); err != nil {
			return err
		}
		if err := t.letters(letter); err != nil {
			return err
		}
		if text != nil {
			if err := t.insertMessage(*text); err != nil {
				return err
			}
		}
		return t.trail([]trail.Entry{e})
	})
}

func (t tx) endChallenges(clientID string, way account.Way, at time.Time) error {
	return t.exec(`UPDATE client_tokens SET used_ms = $1 WHERE client_id = $2 AND kind = $3 AND used_ms = 0`, ms(at), clientID, string(way))
}

// OpenChallenge returns the code that a client is to type. Errors: account.ErrCodeOver for none.
func (d *DB) OpenChallenge(ctx context.Context, clientID string, way account.Way) (account.Challenge, error) {
	c, _, err := d.read(ctx).challenge(clientID, way)
	return c, err
}

func (t tx) challenge(clientID string, way account.Way) (c account.Challenge, digest string, err error) {
	c = account.Challenge{ClientID: clientID, Way: way}
	var box string
	var made int64
	err = t.row(`SELECT digest, target, tries, made_ms FROM client_tokens WHERE client_id = $1 AND kind = $2 AND used_ms = 0 ORDER BY made_ms DESC LIMIT 1`, clientID, string(way)).Scan(&digest, &box, &c.Tries, &made)
	if errors.Is(err, sql.ErrNoRows) {
		return c, "", account.ErrCodeOver
	}
	if err != nil {
		return c, "", err
	}
	if c.Target, err = t.d.config.Keys.Open(targetOf(digest), box); err != nil {
		return c, "", err
	}
	c.MadeAt = fromMS(made)
	now, err := t.now()
	if err == nil && c.Over(now) {
		err = account.ErrCodeOver
	}
	return c, digest, err
}

// MeetChallenge takes the code that a client typed: the address or number is theirs now, and the letter says so to the address that they had. A wrong code counts as a try, and leaves the entry with why.
// Errors: account.ErrCode, account.ErrCodeOver.
func (d *DB) MeetChallenge(ctx context.Context, clientID string, way account.Way, code string, e trail.Entry, told *post.Letter) error {
	var refused error // the transaction is kept all the same
	err := d.write(ctx, func(t tx) error {
		refused = nil
		if err := t.lockAccount(clientID); err != nil {
			return err
		}
		c, digest, err := t.challenge(clientID, way)
		if err == nil && c.Digest(code) != digest {
			err = account.ErrCode
			if raised := t.exec(`UPDATE client_tokens SET tries = tries + 1 WHERE digest = $1`, digest); raised != nil {
				return raised
			}
		}
		if errors.Is(err, account.ErrCode) || errors.Is(err, account.ErrCodeOver) {
			refused, e.Refused = err, err.Error()
			return t.changedBy(clientID, e)
		}
		if err != nil {
			return err
		}
		now, err := t.now()
		if err != nil {
			return err
		}
		if err := t.endChallenges(clientID, way, now); err != nil {
			return err
		}
		query := `UPDATE clients SET email = $1 WHERE id = $2`
		if way == account.ByPhone {
			query = `UPDATE clients SET phone = $1 WHERE id = $2`
		}
		if err := t.exactlyOne(query, c.Target, clientID); err != nil {
			return err
		}
		if err := t.findable(clientID); err != nil {
			return err
		}
		if err := t.letters(told); err != nil {
			return err
		}
		return t.changedBy(clientID, e)
	})
	return errors.Join(err, refused)
}

// TextsTo says whether a number wants no texts, and whether the carrier blocks them too, because its owner texted STOP.
func (d *DB) TextsTo(ctx context.Context, n phone.Number) (optedOut, blocked bool, err error) {
	return d.read(ctx).textsTo(n)
}

func (t tx) textsTo(n phone.Number) (optedOut, blocked bool, err error) {
	var carrier int64
	err = t.row(`SELECT carrier FROM opt_outs WHERE phone = $1`, n.E164()).Scan(&carrier)
	if errors.Is(err, sql.ErrNoRows) {
		return false, false, nil
	}
	return err == nil, carrier != 0, err
}

// SetTexts notes that a client wants no texts any more, or wants them again, and says whether that is anything new. What the carrier blocks stays blocked: blocked is true then, and nothing is written.
func (d *DB) SetTexts(ctx context.Context, c account.Client, on bool, e trail.Entry, told *post.Letter) (changed, blocked bool, err error) {
	err = d.write(ctx, func(t tx) error {
		changed, blocked = false, false
		now, err := t.now()
		if err != nil {
			return err
		}
		if on {
			if _, blocked, err = t.textsTo(c.Phone); err != nil || blocked {
				return err
			}
			changed, err = t.insert(`DELETE FROM opt_outs WHERE phone = $1 AND carrier = 0`, c.Phone.E164())
		} else {
			changed, err = t.insert(`INSERT INTO opt_outs (phone, at_ms, carrier) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING`, c.Phone.E164(), ms(now))
		}
		if err != nil || !changed {
			return err
		}
		if err := t.letters(told); err != nil {
			return err
		}
		return t.changedBy(c.ID, e)
	})
	return changed, blocked, err
}

// SetPlate gives a client's vehicle another license plate, if it still has the one that was seen, and says whether that is another. Errors: account.ErrNotFound, account.ErrChanged.
func (d *DB) SetPlate(ctx context.Context, clientID string, seen, to account.Plate, vehicleID string, e trail.Entry, told *post.Letter) (changed bool, err error) {
	err = d.write(ctx, func(t tx) error {
		changed = false
		v, err := t.vehicle(vehicleID)
		if err == nil && v.ClientID != clientID {
			err = account.ErrNotFound
		}
		if err != nil {
			return err
		}
		has := account.Plate{Number: v.Plate, State: v.PlateState}
		if has == to {
			return nil
		}
		if has != seen {
			return account.ErrChanged
		}
		if err := t.exactlyOne(`UPDATE vehicles SET plate = $1, plate_state = $2 WHERE id = $3 AND plate = $4 AND plate_state = $5`, to.Number, to.State, vehicleID, seen.Number, seen.State); err != nil {
			return err
		}
		changed = true
		if err := t.findable(clientID); err != nil {
			return err
		}
		if err := t.letters(told); err != nil {
			return err
		}
		return t.changedBy(clientID, e)
	})
	return changed, err
}
