package sqldb

import (
	"context"

	"paylink/internal/account"
	"paylink/internal/trail"
)

// AddNote keeps a note and its trail entry, both as of now. A note whose id is kept already is the same one, sent twice: it changes nothing.
func (d *DB) AddNote(ctx context.Context, n account.Note, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		n.At, e.At = now, now
		added, err := t.note(n)
		if err != nil || !added {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
}

// note keeps a note as part of what it tells of, and says whether it is new.
func (t tx) note(n account.Note) (added bool, err error) {
	return t.insert(`INSERT INTO notes (id, client_id, at_ms, by_kind, by_id, payment_id, text) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING`,
		n.ID, n.ClientID, ms(n.At), string(n.By.Kind), n.By.ID, n.PaymentID, n.Text)
}

// Notes lists a client's notes, newest first: at most limit of those that come after one of them, or from the first on.
func (d *DB) Notes(ctx context.Context, clientID, after string, limit int) ([]account.Note, error) {
	var out []account.Note
	err := d.read(ctx).each(`SELECT id, client_id, at_ms, by_kind, by_id, payment_id, text FROM notes
		WHERE client_id = $1 AND ($2 = '' OR (at_ms, id) < (SELECT at_ms, id FROM notes WHERE id = $2 AND client_id = $1)) ORDER BY at_ms DESC, id DESC LIMIT $3`,
		[]any{clientID, after, limit}, func(scan func(...any) error) error {
			var n account.Note
			var at int64
			err := scan(&n.ID, &n.ClientID, &at, &n.By.Kind, &n.By.ID, &n.PaymentID, &n.Text)
			n.At = fromMS(at)
			out = append(out, n)
			return err
		})
	return out, err
}
