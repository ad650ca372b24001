package sqldb

import (
	"context"

	"paylink/internal/post"
	"paylink/internal/trail"
)

// SetLanguage gives a client a language, and says whether that was another one. Errors: account.ErrNotFound.
func (d *DB) SetLanguage(ctx context.Context, clientID, language string, e trail.Entry, told *post.Letter) (changed bool, err error) {
	err = d.write(ctx, func(t tx) error {
		c, err := t.client(clientID)
		if err != nil {
			return err
		}
		if changed = c.Language != language; !changed {
			return nil
		}
		if err := t.exec(`UPDATE clients SET language = $1 WHERE id = $2`, language, clientID); err != nil {
			return err
		}
		if err := t.letters(told); err != nil {
			return err
		}
		return t.changedBy(clientID, e)
	})
	return changed, err
}

// changedBy leaves the entry of something that a client has changed, and has whoever looks at the client told of it.
func (t tx) changedBy(clientID string, e trail.Entry) error {
	now, err := t.now()
	if err != nil {
		return err
	}
	t.changed(clientID)
	e.At = now
	return t.trail([]trail.Entry{e})
}
