package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"paylink/internal/post"
)

const letterColumns = `id, client_id, kind, language, address, said, box, state, tries, created_ms, sent_ms, COALESCE(next_ms, 0)`

func secretOf(letterID string) string { return "secret of letter " + letterID }

func (t tx) scanLetter(scan func(...any) error) (post.Letter, error) {
	var l post.Letter
	var said, box string
	var created, sent, next int64
	if err := scan(&l.ID, &l.ClientID, &l.Kind, &l.Language, &l.To, &said, &box, &l.State, &l.Tries, &created, &sent, &next); err != nil {
		return l, err
	}
	if err := json.Unmarshal([]byte(said), &l.Values); err != nil {
		return l, fmt.Errorf("the values of letter %s can't be read: %w", l.ID, err)
	}
	if box != "" {
		var err error
		if l.Secret, err = t.d.config.Keys.Open(secretOf(l.ID), box); err != nil {
			return l, fmt.Errorf("the secret of letter %s can't be opened: %w", l.ID, err)
		}
	}
	l.CreatedAt, l.SentAt, l.NextAt = fromMS(created), fromMS(sent), fromMS(next)
	return l, nil
}

// letter queues a letter in the transaction of the act that it tells of.
func (t tx) letter(l post.Letter) error {
	said, err := json.Marshal(l.Values)
	if err != nil {
		return err
	}
	box := ""
	if l.Secret != "" {
		box = t.d.config.Keys.Seal(secretOf(l.ID), l.Secret)
	}
	return t.exec(`INSERT INTO letters (id, client_id, kind, language, address, said, box, state, tries, created_ms, sent_ms, next_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		l.ID, l.ClientID, string(l.Kind), l.Language, l.To, string(said), box, string(post.Waiting), 0, ms(l.CreatedAt), 0, dueMS(l.NextAt))
}

// letters queues those that there are: an act whose client has no address comes with nil.
func (t tx) letters(all ...*post.Letter) error {
	for _, l := range all {
		if l == nil {
			continue
		}
		if err := t.letter(*l); err != nil {
			return err
		}
	}
	return nil
}

// DueLetters realises post.Store.
func (d *DB) DueLetters(ctx context.Context, limit int) ([]string, error) {
	t := d.read(ctx)
	now, err := t.now()
	if err != nil {
		return nil, err
	}
	var ids []string
	err = t.each(`SELECT id FROM letters WHERE next_ms IS NOT NULL AND next_ms <= $1 ORDER BY next_ms`+atMost(limit), []any{ms(now)}, func(scan func(...any) error) error {
		ids = append(ids, "")
		return scan(&ids[len(ids)-1])
	})
	return ids, err
}

// TakeLetter realises post.Store, by moving the time at which the letter is due again.
func (d *DB) TakeLetter(ctx context.Context, id string, lease time.Duration) (l post.Letter, ok bool, err error) {
	err = d.write(ctx, func(t tx) error {
		ok = false
		now, err := t.now()
		if err != nil {
			return err
		}
		l, err = t.scanLetter(t.row(`UPDATE letters SET next_ms = $1, tries = tries + 1 WHERE id = $2 AND next_ms IS NOT NULL AND next_ms <= $3 RETURNING `+letterColumns, ms(now.Add(lease)), id, ms(now)).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		return err
	})
	return l, ok, err
}

// SaveLetter realises post.Store. A letter that has come to its end keeps no secret. What another worker has written since this one took the letter stays.
func (d *DB) SaveLetter(ctx context.Context, l post.Letter) error {
	return d.write(ctx, func(t tx) error {
		return t.exec(`UPDATE letters SET state = $1, sent_ms = $2, next_ms = $3, box = CASE WHEN $4 = 'waiting' THEN box ELSE '' END WHERE id = $5 AND tries = $6 AND state = 'waiting'`,
			string(l.State), ms(l.SentAt), dueMS(l.NextAt), string(l.State), l.ID, l.Tries)
	})
}
