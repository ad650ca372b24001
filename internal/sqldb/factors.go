package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"paylink/internal/desk/signin"
	"paylink/internal/post"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// Factors reads what an owner has besides a password, passkeys in the order in which they were added.
func (d *DB) Factors(ctx context.Context, of trail.Actor) (f signin.Factors, err error) {
	t := d.read(ctx)
	var since sql.NullInt64
	err = t.row(`SELECT (SELECT since_ms FROM totp WHERE owner_kind = $1 AND owner_id = $2), (SELECT COUNT(*) FROM recovery_codes WHERE owner_kind = $1 AND owner_id = $2 AND used_ms = 0)`,
		string(of.Kind), of.ID).Scan(&since, &f.Recovery)
	if err != nil {
		return f, err
	}
	f.Codes, f.Since = since.Valid, fromMS(since.Int64)
	err = t.each(`SELECT `+passkeyColumns+` FROM passkeys WHERE owner_kind = $1 AND owner_id = $2 ORDER BY added_ms, id LIMIT 100`, []any{string(of.Kind), of.ID}, func(scan func(...any) error) error {
		p, err := scanPasskey(scan)
		f.Passkeys = append(f.Passkeys, p)
		return err
	})
	return f, err
}

// Codes returns the sealed secret of an owner's authenticator app; "" for none.
func (d *DB) Codes(ctx context.Context, of trail.Actor) (box string, err error) {
	err = d.read(ctx).row(`SELECT box FROM totp WHERE owner_kind = $1 AND owner_id = $2`, string(of.Kind), of.ID).Scan(&box)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return box, err
}

// SetCodes keeps the sealed secret of an authenticator app in the place of any before, as used up to a step, with new recovery codes, by their digests.
func (d *DB) SetCodes(ctx context.Context, of trail.Actor, box string, step int64, recovery []string, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		if err := t.exec(`INSERT INTO totp (owner_kind, owner_id, box, last_step, since_ms) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (owner_kind, owner_id) DO UPDATE SET box = excluded.box, last_step = excluded.last_step, since_ms = excluded.since_ms`, string(of.Kind), of.ID, box, step, ms(e.At)); err != nil {
			return err
		}
		if err := t.recovery(of, recovery); err != nil {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
}

// SetRecovery replaces an owner's recovery codes.
func (d *DB) SetRecovery(ctx context.Context, of trail.Actor, digests []string, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		if err := t.recovery(of, digests); err != nil {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
}

func (t tx) recovery(of trail.Actor, digests []string) error {
	if err := t.exec(`DELETE FROM recovery_codes WHERE owner_kind = $1 AND owner_id = $2`, string(of.Kind), of.ID); err != nil {
		return err
	}
	for _, digest := range digests {
		if err := t.exec(`INSERT INTO recovery_codes (owner_kind, owner_id, digest, used_ms) VALUES ($1, $2, $3, 0)`, string(of.Kind), of.ID, digest); err != nil {
			return err
		}
	}
	return nil
}

// RemoveCodes takes an owner's authenticator app away, and the recovery codes where it was the last factor.
func (d *DB) RemoveCodes(ctx context.Context, of trail.Actor, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		if err := t.exec(`DELETE FROM totp WHERE owner_kind = $1 AND owner_id = $2`, string(of.Kind), of.ID); err != nil {
			return err
		}
		if err := t.recoveryIsOver(of); err != nil {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
}

// recoveryIsOver removes recovery codes that nothing is left to be recovered for.
func (t tx) recoveryIsOver(of trail.Actor) error {
	return t.exec(`DELETE FROM recovery_codes WHERE owner_kind = $1 AND owner_id = $2 AND NOT EXISTS (SELECT 1 FROM totp o WHERE o.owner_kind = $1 AND o.owner_id = $2)
		AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.owner_kind = $1 AND p.owner_id = $2)`, string(of.Kind), of.ID)
}

// UseStep uses up the code of a step, and all before it: of many at once one succeeds. Errors: signin.ErrCode.
func (d *DB) UseStep(ctx context.Context, of trail.Actor, step int64) error {
	return d.write(ctx, func(t tx) error {
		return t.exactlyOneOf(signin.ErrCode, `UPDATE totp SET last_step = $1 WHERE owner_kind = $2 AND owner_id = $3 AND last_step < $1`, step, string(of.Kind), of.ID)
	})
}

// UseRecovery uses up a recovery code: of many at once one succeeds. Errors: signin.ErrCode.
func (d *DB) UseRecovery(ctx context.Context, of trail.Actor, digest string) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.exactlyOneOf(signin.ErrCode, `UPDATE recovery_codes SET used_ms = $1 WHERE owner_kind = $2 AND owner_id = $3 AND digest = $4 AND used_ms = 0`, ms(now), string(of.Kind), of.ID, digest)
	})
}

const passkeyColumns = `id, owner_kind, owner_id, name, credential, added_ms, used_ms` // #nosec G101 -- the names of columns

func scanPasskey(scan func(...any) error) (p signin.Passkey, err error) {
	var added, used int64
	err = scan(&p.ID, &p.Owner.Kind, &p.Owner.ID, &p.Name, &p.Credential, &added, &used)
	p.Added, p.Used = fromMS(added), fromMS(used)
	if errors.Is(err, sql.ErrNoRows) {
		return p, signin.ErrPasskey
	}
	return p, err
}

// Passkey finds a passkey by its credential's id. Errors: signin.ErrPasskey.
func (d *DB) Passkey(ctx context.Context, id string) (signin.Passkey, error) {
	return scanPasskey(d.read(ctx).row(`SELECT `+passkeyColumns+` FROM passkeys WHERE id = $1`, id).Scan)
}

// AddPasskey adds a passkey to those of its owner, up to a most. Errors: signin.ErrMost, signin.ErrPasskeyHere.
func (d *DB) AddPasskey(ctx context.Context, p signin.Passkey, most int, e trail.Entry, told *post.Letter) error {
	err := d.write(ctx, func(t tx) error {
		if err := t.exactlyOneOf(signin.ErrMost, `INSERT INTO passkeys (`+passkeyColumns+`) SELECT $1, $2, $3, $4, $5, CAST($6 AS BIGINT), 0 WHERE (SELECT COUNT(*) FROM passkeys WHERE owner_kind = $2 AND owner_id = $3) < $7`,
			p.ID, string(p.Owner.Kind), p.Owner.ID, p.Name, p.Credential, ms(p.Added), most); err != nil {
			return err
		}
		if err := t.letters(told); err != nil {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
	if clash(err) {
		return signin.ErrPasskeyHere
	}
	return err
}

// UsePasskey notes the use of a passkey, and what it counts since. Of two uses at once one succeeds. Errors: signin.ErrPasskey.
func (d *DB) UsePasskey(ctx context.Context, id, was, credential string) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.exactlyOneOf(signin.ErrPasskey, `UPDATE passkeys SET credential = $1, used_ms = $2 WHERE id = $3 AND credential = $4`, credential, ms(now), id, was)
	})
}

// RemovePasskey takes a passkey of an owner's away, and the recovery codes where it was the last factor. Errors: signin.ErrPasskey.
func (d *DB) RemovePasskey(ctx context.Context, of trail.Actor, id string, e trail.Entry, told *post.Letter) error {
	return d.write(ctx, func(t tx) error {
		if err := t.exactlyOneOf(signin.ErrPasskey, `DELETE FROM passkeys WHERE owner_kind = $1 AND owner_id = $2 AND id = $3`, string(of.Kind), of.ID, id); err != nil {
			return err
		}
		if err := t.recoveryIsOver(of); err != nil {
			return err
		}
		if err := t.letters(told); err != nil {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
}

// MemberBySignOn finds one of the staff by their account at the company's provider. Errors: staff.ErrNotFound.
func (d *DB) MemberBySignOn(ctx context.Context, issuer, subject string) (staff.Member, error) {
	return scanMember(d.read(ctx).row(`SELECT `+staffColumns+` FROM staff WHERE id = (SELECT staff_id FROM sign_on WHERE issuer = $1 AND subject = $2)`, issuer, subject).Scan)
}

// LinkSignOn links an account at the company's provider with one of the staff: one account has one person, and a person one account at a provider. Errors: signin.ErrNoAccount.
func (d *DB) LinkSignOn(ctx context.Context, issuer, subject, id string, e trail.Entry) error {
	err := d.write(ctx, func(t tx) error {
		if err := t.exec(`INSERT INTO sign_on (issuer, subject, staff_id) VALUES ($1, $2, $3)`, issuer, subject, id); err != nil {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
	if clash(err) {
		return signin.ErrNoAccount
	}
	return err
}
