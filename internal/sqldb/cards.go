package sqldb

import (
	"context"

	"paylink/internal/account"
	"paylink/internal/trail"
)

const cardColumns = `id, client_id, customer, payment_method, brand, last4, funding, exp_month, exp_year, main, terms_version, terms_language, added_ms, removed_ms, refused, fingerprint, setup_id, warned`

func scanCard(scan func(...any) error) (account.Card, error) {
	var c account.Card
	var main, added, removed int64
	err := scan(&c.ID, &c.ClientID, &c.Customer, &c.PaymentMethod, &c.Brand, &c.Last4, &c.Funding, &c.ExpMonth, &c.ExpYear, &main, &c.TermsVersion, &c.TermsLanguage, &added, &removed, &c.Refused, &c.Fingerprint, &c.SetupID, &c.Warned)
	c.Main, c.AddedAt, c.RemovedAt = main != 0, fromMS(added), fromMS(removed)
	return c, notFound(err)
}

// Cards lists a client's cards on file: the main one first, then the others as they were added.
func (d *DB) Cards(ctx context.Context, clientID string) ([]account.Card, error) {
	var out []account.Card
	err := d.read(ctx).each(`SELECT `+cardColumns+` FROM cards WHERE client_id = $1 AND removed_ms = 0 ORDER BY main DESC, added_ms, id LIMIT 50`, []any{clientID}, func(scan func(...any) error) error {
		c, err := scanCard(scan)
		out = append(out, c)
		return err
	})
	return out, err
}

// Card returns a card, on file or removed. Errors: account.ErrNotFound.
func (d *DB) Card(ctx context.Context, id string) (account.Card, error) {
	return scanCard(d.read(ctx).row(`SELECT `+cardColumns+` FROM cards WHERE id = $1`, id).Scan)
}

// AddCard puts a card on file, or brings the one of that id up to date: what Stripe keeps it as, its expiration. The client's first card is their main one; one that is added as
// the main one takes the place of the one before. Errors: account.ErrNotFound for no such client, account.ErrSameCard if the payment method or the number is on record as another card.
func (d *DB) AddCard(ctx context.Context, c account.Card, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		if err := t.lockAccount(c.ClientID); err != nil {
			return notFound(err)
		}
		now, err := t.now()
		if err != nil {
			return err
		}
		main := c.Main
		if c.Main {
			err = t.exec(`UPDATE cards SET main = 0 WHERE client_id = $1 AND main = 1 AND id <> $2`, c.ClientID, c.ID)
		} else {
			var others int64
			err = t.row(`SELECT COUNT(*) FROM cards WHERE client_id = $1 AND main = 1 AND removed_ms = 0 AND id <> $2`, c.ClientID, c.ID).Scan(&others)
			main = others == 0
		}
		if err != nil {
			return err
		}
		if c.AddedAt.IsZero() {
			c.AddedAt = now
		}
		c.Main = main
		err = t.putCard(c)
		if clash(err) {
			return account.ErrSameCard
		}
		if err != nil {
			return err
		}
		e.At, e.Object, e.ClientID = now, c.ID, c.ClientID
		return t.trail([]trail.Entry{e})
	})
}

// putCard writes a card's whole row. Whoever does has locked the account.
func (t tx) putCard(c account.Card) error {
	return t.exec(`INSERT INTO cards (`+cardColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, payment_method = excluded.payment_method, brand = excluded.brand, last4 = excluded.last4, funding = excluded.funding,
			exp_month = excluded.exp_month, exp_year = excluded.exp_year, main = excluded.main, terms_version = excluded.terms_version, terms_language = excluded.terms_language,
			removed_ms = excluded.removed_ms, refused = excluded.refused, fingerprint = excluded.fingerprint, setup_id = excluded.setup_id, warned = excluded.warned`,
		c.ID, c.ClientID, c.Customer, c.PaymentMethod, c.Brand, c.Last4, c.Funding, c.ExpMonth, c.ExpYear, flag(c.Main), c.TermsVersion, c.TermsLanguage, ms(c.AddedAt), ms(c.RemovedAt), c.Refused,
		c.Fingerprint, c.SetupID, c.Warned)
}
