package signin

import (
	"context"
	"errors"

	"paylink/internal/account"
	"paylink/internal/post"
	"paylink/internal/trail"
)

// Clients have passkeys as the staff have, at a desk whose Passkeys bear the name of My Account. What a client changes is told by mail.

// ClientPasskeys are a client's, in the order in which they were added.
func (d *Desk) ClientPasskeys(ctx context.Context, c account.Client) ([]Passkey, error) {
	f, err := d.Store.Factors(ctx, client(c).of)
	return f.Passkeys, err
}

// ClientPasskey returns the client who has proven to be there by a passkey alone; BeginPasskey has asked for it. Errors: ErrPasskey for whatever is wrong with it, ErrOver, lockout.ErrLocked.
func (d *Desk) ClientPasskey(ctx context.Context, kept, answer []byte, address string) (clientID string, err error) {
	h, err := d.prove(ctx, kept, answer, address, "sign in", trail.Client, func(id string) (holder, error) {
		c, _, err := d.Store.Client(ctx, id)
		if errors.Is(err, account.ErrNotFound) {
			err = ErrPasskey
		}
		return client(c), err
	})
	return h.of.ID, err
}

// BeginAddingForClient asks the browser of a client who is signed in for a new passkey. Errors: as BeginAdding's.
func (d *Desk) BeginAddingForClient(ctx context.Context, c account.Client, address string) (Ceremony, error) {
	return d.beginAdding(ctx, client(c), address)
}

// AddClientPasskey adds the passkey that the browser has made. Errors: as AddPasskey's.
func (d *Desk) AddClientPasskey(ctx context.Context, c account.Client, kept, answer []byte, name string) error {
	return d.addPasskey(ctx, client(c), kept, answer, name)
}

// RemoveClientPasskey takes one of a client's passkeys away. Errors: ErrPasskey for one that they have not.
func (d *Desk) RemoveClientPasskey(ctx context.Context, c account.Client, id string) error {
	return d.removePasskey(ctx, client(c), id)
}

func client(c account.Client) holder {
	return holder{of: trail.Actor{Kind: trail.Client, ID: c.ID}, login: c.ID, name: c.Name(), letter: &post.Letter{ClientID: c.ID, Language: c.Language, To: c.Email}}
}
