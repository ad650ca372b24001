package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"paylink/internal/account"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// ErrNoWords is returned for a note with nothing in it.
var ErrNoWords = errors.New("there are no words")

// NotesMost is how many notes a page of them has.
const NotesMost = 10

// Note is a note, and who wrote it.
type Note struct {
	account.Note
	Name string // of the one of the staff who wrote it; "" for nobody of them
}

// Notes lists a client's notes, newest first: a page of those after one of them, or from the first on, and whether there are more.
func (d *Desk) Notes(ctx context.Context, who staff.Member, clientID, after string) (notes []Note, more bool, err error) {
	if err := d.allow(ctx, who, staff.SeeClients, "see notes", clientID, clientID); err != nil {
		return nil, false, err
	}
	found, err := d.Store.Notes(ctx, clientID, after, NotesMost+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(found) > NotesMost; more {
		found = found[:NotesMost]
	}
	names := names{}
	for _, n := range found {
		name, err := names.of(ctx, d.Store, n.By)
		if err != nil {
			return nil, false, err
		}
		notes = append(notes, Note{n, name})
	}
	return notes, more, nil
}

// names are those of the staff, each looked up once.
type names map[string]string

func (n names) of(ctx context.Context, s Store, a trail.Actor) (string, error) {
	if a.Kind != trail.Staff {
		return "", nil
	}
	if name, known := n[a.ID]; known {
		return name, nil
	}
	m, err := s.Member(ctx, a.ID)
	if err != nil && !errors.Is(err, staff.ErrNotFound) {
		return "", err
	}
	n[a.ID] = m.Name
	return m.Name, nil
}

// WriteNote keeps a note about a client. The same form sent twice is one note. Errors: ErrNoWords, ErrCardNumber, ErrTooLong, account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) WriteNote(ctx context.Context, who staff.Member, clientID, text, formKey string) error {
	const act = "write note"
	if err := d.allow(ctx, who, staff.WriteNotes, act, clientID, clientID); err != nil {
		return err
	}
	text, err := trail.NoteText(text)
	if err == nil && text == "" {
		return ErrNoWords // nothing was asked for
	}
	if refusal(err) {
		return d.refused(ctx, who, act, clientID, clientID, err)
	}
	if _, _, err := d.Store.Client(ctx, clientID); err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %s", formKey, who.ID, clientID, text))
	n := account.Note{ID: hex.EncodeToString(sum[:16]), ClientID: clientID, By: actor(who), Text: text}
	return d.Store.AddNote(ctx, n, trail.Entry{ID: d.NewID(), Actor: n.By, Act: act, Object: n.ID, ClientID: clientID, Detail: text})
}
