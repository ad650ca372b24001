package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"paylink/internal/account"
	"paylink/internal/trail"
)

const lastTerms = `SELECT version FROM terms_in_force WHERE kind = 'payment' ORDER BY n DESC LIMIT 1`

// inForce is the version of a kind of terms in force, the last one that was published; "" before the first.
func (t tx) inForce(kind account.Terms) (string, error) {
	var version string
	err := t.row(`SELECT version FROM terms_in_force WHERE kind = $1 ORDER BY n DESC LIMIT 1`, string(kind)).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return version, err
}

// lockTerms keeps the terms in force as they are until the transaction's end: for those who agree to them (FOR SHARE, beside one another) and for the one who publishes
// (FOR UPDATE). What is locked is the first version's row, which stays; which one is the last is read after it.
func (t tx) lockTerms(how string) error {
	if !t.d.postgres {
		return nil
	}
	err := t.row(`SELECT n FROM terms_in_force WHERE n = 1` + how).Scan(new(int64))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// Terms stores a version of the terms, once: what payers have agreed to never changes. It fails if the version is there with another text.
func (d *DB) Terms(ctx context.Context, version, language, text, sha256 string) error {
	return d.write(ctx, func(t tx) error { return t.terms(version, language, text, sha256) })
}

func (t tx) terms(version, language, text, sha256 string) error {
	if _, err := t.insert(`INSERT INTO terms (version, language, text, sha256) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, version, language, text, sha256); err != nil {
		return err
	}
	var kept string
	if err := t.row(`SELECT sha256 FROM terms WHERE version = $1 AND language = $2`, version, language).Scan(&kept); err != nil {
		return err
	}
	if kept != sha256 {
		return fmt.Errorf("version %s of the terms (%s) was in force with another text: give the new text a new version", version, language)
	}
	return nil
}

// FirstTerms puts a version of the payment terms in force where none is: the service publishes its own first one by itself. Several instances may call it at once.
func (d *DB) FirstTerms(ctx context.Context, version string) error {
	return d.firstTerms(ctx, account.PaymentTerms, version)
}

// FirstCardTerms is FirstTerms for the terms of keeping a card. It comes after it.
func (d *DB) FirstCardTerms(ctx context.Context, version string) error {
	return d.firstTerms(ctx, account.CardTerms, version)
}

func (d *DB) firstTerms(ctx context.Context, kind account.Terms, version string) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		first, err := t.insert(`INSERT INTO terms_in_force (n, version, from_ms, by_id, kind) SELECT COALESCE(MAX(n), 0) + 1, CAST($1 AS TEXT), CAST($2 AS BIGINT), '', CAST($3 AS TEXT) FROM terms_in_force
			HAVING SUM(CASE WHEN kind = $3 THEN 1 ELSE 0 END) IS NULL OR SUM(CASE WHEN kind = $3 THEN 1 ELSE 0 END) = 0 ON CONFLICT DO NOTHING`, version, ms(now), string(kind))
		if err != nil || !first {
			return err
		}
		return t.trail([]trail.Entry{{ID: d.config.NewID(), At: now, Actor: trail.BySystem, Act: "publish terms", Object: termsObject(version), Detail: "the service’s own first version"}})
	})
}

// TermsInForce returns the version of a kind of terms in force; "" before the first.
func (d *DB) TermsInForce(ctx context.Context, kind account.Terms) (string, error) {
	return d.read(ctx).inForce(kind)
}

// termsObject is what the trail calls a version of the terms.
func termsObject(version string) string { return "terms " + version }

// TermsTexts returns a version's text by language.
func (d *DB) TermsTexts(ctx context.Context, version string) (map[string]string, error) {
	out := map[string]string{}
	err := d.read(ctx).each(`SELECT language, text FROM terms WHERE version = $1`, []any{version}, func(scan func(...any) error) error {
		var language, text string
		err := scan(&language, &text)
		out[language] = text
		return err
	})
	return out, err
}
