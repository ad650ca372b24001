package client

import (
	"context"

	"paylink/internal/account"
	"paylink/internal/post"
)

// changed is the letter that tells a client of a change, at the address that they have; nil where they have none. The store queues it in the change's own transaction. detail says more, in the
// client's language: "Visa ending 4242", or "" for nothing.
func (d *Desk) changed(ctx context.Context, c account.Client, what post.Change, detail string) (*post.Letter, error) {
	now, err := d.Store.Now(ctx)
	return what.Letter(post.Letter{ID: d.NewID(), ClientID: c.ID, Language: c.Language, To: c.Email, CreatedAt: now}, detail), err
}
