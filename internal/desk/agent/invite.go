package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"paylink/internal/account"
	"paylink/internal/post"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// What an invitation to My Account is refused for. Nothing was sent, and nothing was changed.
var (
	ErrNoAddress    = errors.New("the client has no email address on record")
	ErrNoMail       = errors.New("no mail leaves from here")
	ErrHasAccess    = errors.New("the client has a password of their own, and nobody has confirmed that it is to be replaced")
	ErrInvitedOften = errors.New("the client was invited as often as may be in a day")
)

// InvitationsMost is how many invitations a client gets in InvitationsIn.
const (
	InvitationsMost = 5
	InvitationsIn   = 24 * time.Hour
)

// Invitation is what is written where a client is invited to My Account.
type Invitation struct {
	ClientID string
	Hash     string // of the temporary password
	Sure     bool   // it may replace a password of the client's own
	Letter   post.Letter
	Note     account.Note
	Trail    trail.Entry
}

// Access says how a client gets into My Account. invited is false for one who never was. Errors: account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Access(ctx context.Context, who staff.Member, clientID string) (a account.Access, invited bool, err error) {
	if err := d.allow(ctx, who, staff.SeeClients, "see access", clientID, clientID); err != nil {
		return a, false, err
	}
	a, err = d.Store.Access(ctx, clientID)
	if errors.Is(err, account.ErrNotFound) {
		return a, false, nil
	}
	return a, err == nil, err
}

// Invite mails a client a temporary password for My Account. It is good for account.TemporaryLife, and the first sign-in asks for another one. Where the client has a password already, that is over, and
// with it every session and passkey: sure is needed where it is the client's own. The same form sent twice is one invitation.
// Errors: ErrNoAddress, ErrNoMail, ErrHasAccess, ErrInvitedOften, account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Invite(ctx context.Context, who staff.Member, clientID, formKey string, sure bool) error {
	const act = "invite to My Account"
	if err := d.allow(ctx, who, staff.Invite, act, clientID, clientID); err != nil {
		return err
	}
	c, _, err := d.Store.Client(ctx, clientID)
	if err != nil {
		return err
	}
	switch {
	case !d.Mail:
		err = ErrNoMail
	case c.Email == "":
		err = ErrNoAddress
	default:
		password, id := d.Password(), invitationID(formKey, who.ID, clientID)
		err = d.Store.Invite(ctx, Invitation{
			ClientID: clientID, Hash: staff.HashPassword(password, d.Salt()), Sure: sure,
			Letter: post.Letter{ID: id, ClientID: clientID, Kind: post.Invitation, Language: c.Language, To: c.Email, Values: map[string]string{"id": clientID}, Secret: password},
			Note:   account.Note{ID: id, ClientID: clientID, By: actor(who), Text: "Invitation to My Account sent by mail."},
			Trail:  trail.Entry{ID: d.NewID(), Actor: actor(who), Act: act, Object: clientID, ClientID: clientID},
		})
	}
	for _, why := range []error{ErrNoMail, ErrNoAddress, ErrHasAccess, ErrInvitedOften} {
		if errors.Is(err, why) {
			return d.refused(ctx, who, act, clientID, clientID, err)
		}
	}
	return err
}

// invitationID is the same for a form that is sent twice.
func invitationID(formKey, staffID, clientID string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "invitation %s %s %s", formKey, staffID, clientID))
	return hex.EncodeToString(sum[:16])
}
