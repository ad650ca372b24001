// Package admin is the administrators' desk: staff, locations, rates, fees and the payment terms, each change with what was before it and after.
package admin

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"paylink/internal/account"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// What the desk refuses. Nothing was done where one of these is returned.
var (
	ErrChanged  = errors.New("somebody has changed this meanwhile")
	ErrInvalid  = errors.New("the form is not filled in right") // a Wrong says what is wrong
	ErrSelf     = errors.New("administrators can't do this to themselves")
	ErrInFlight = errors.New("a payment of this location is live or not settled")
)

// Wrong is what is wrong with a form: for each such field a sentence for whoever typed it. It is an ErrInvalid.
type Wrong map[string]string

func (w Wrong) Error() string {
	var out []string
	for _, field := range slices.Sorted(maps.Keys(w)) {
		out = append(out, field+": "+w[field])
	}
	return strings.Join(out, " ")
}

// Is has errors.Is know it.
func (w Wrong) Is(target error) bool { return target == ErrInvalid }

// orNil is w if anything is wrong.
func (w Wrong) orNil() error {
	if len(w) == 0 {
		return nil
	}
	return w
}

// Store keeps what is administered. Every change is decided by decide, which sees all as it stands in the same transaction, and may be asked again; an error of its rolls everything back,
// and refusals are the desk's to write.
type Store interface {
	// Member returns staff.ErrNotFound for none.
	Member(ctx context.Context, id string) (staff.Member, error)
	// Staff lists everybody, in no order.
	Staff(ctx context.Context, limit int) ([]staff.Member, error)
	FactorsOf(ctx context.Context, id string) (Factors, error)
	// AddStaff returns staff.ErrTaken for a login and ErrEmailTaken for an e-mail address that somebody has.
	AddStaff(ctx context.Context, m staff.Member, e trail.Entry) error
	// ChangeStaff changes one of the staff. All administrators stay as they are meanwhile: two can't take each other away. Errors: staff.ErrNotFound, ErrEmailTaken.
	ChangeStaff(ctx context.Context, by, id string, decide func(StaffFacts) (StaffChange, error)) error

	// Places lists every location, in no order.
	Places(ctx context.Context, limit int) ([]Place, error)
	// AddLocation returns ErrTaken for an id that a location has.
	AddLocation(ctx context.Context, l account.Location, e trail.Entry) error
	// ReadLocation returns account.ErrNotFound for none.
	ReadLocation(ctx context.Context, id string) (LocationFacts, error)
	// ChangeLocation changes a location, its fees, and the vehicles that follow its list prices. No payment of the location begins meanwhile. Errors: account.ErrNotFound; ErrChanged if other
	// vehicles follow than were counted.
	ChangeLocation(ctx context.Context, by, id string, decide func(LocationFacts) (LocationChange, error)) error

	// TermsVersions lists every version of a kind of terms that was published, the last one first, without texts.
	TermsVersions(ctx context.Context, kind account.Terms, limit int) ([]Version, error)
	// TermsTexts returns a version's sources by language; none for a version that there is not.
	TermsTexts(ctx context.Context, version string) (map[string]string, error)
	// PublishTerms puts the next version in force, on all instances at once. Errors: ErrChanged if not after is the last one.
	PublishTerms(ctx context.Context, after string, v Version, e trail.Entry) error

	// ChangesOf lists what the trail says of an object, the newest first, without who signed in and out.
	ChangesOf(ctx context.Context, object string, limit int) ([]trail.Entry, error)
	Write(ctx context.Context, e trail.Entry) error
	Now(ctx context.Context) (time.Time, error)
}

// Desk is the administrators' desk. All fields are required.
type Desk struct {
	Store    Store
	NewID    func() string
	Password func() string // a temporary one: random, and short enough to be read out
	Salt     func() []byte // staff.SaltBytes random bytes
}

const (
	listMost    = 2000 // of staff and of locations
	historyMost = 50
)

func actor(who staff.Member) trail.Actor { return trail.Actor{Kind: trail.Staff, ID: who.ID} }

func (d *Desk) entry(who staff.Member, at time.Time, act, object, detail string) trail.Entry {
	return trail.Entry{ID: d.NewID(), At: at, Actor: actor(who), Act: act, Object: object, Detail: detail}
}

// may refuses who has not the permission, and writes the refusal down.
func (d *Desk) may(ctx context.Context, who staff.Member, p staff.Permission, act, object string) error {
	return d.refused(ctx, who, act, object, who.May(p))
}

// refused writes our own no into the trail, and returns it. A fault is no refusal.
func (d *Desk) refused(ctx context.Context, who staff.Member, act, object string, why error) error {
	for _, no := range []error{staff.ErrNotAllowed, staff.ErrTaken, ErrTaken, ErrEmailTaken, ErrChanged, ErrInvalid, ErrSelf, ErrInFlight} {
		if !errors.Is(why, no) {
			continue
		}
		now, err := d.Store.Now(ctx)
		if err != nil {
			return err
		}
		e := d.entry(who, now, act, object, "")
		e.Refused = trail.Masked(why.Error())
		return errors.Join(why, d.Store.Write(ctx, e))
	}
	return why
}

// --- What a thing is, and what was changed ---------------------------------------------------------------------------------------------------

// Field is one field of what is administered, as people read it.
type Field struct {
	Name, Value string
	exact       string // what is compared, where the value is masked; "" is the value
}

// Change is a field before and after.
type Change struct{ Name, Before, After string }

func changesOf(before, after []Field) []Change {
	var out []Change
	for i, b := range before {
		if a := after[i]; a.Value != b.Value || a.exact != b.exact {
			out = append(out, Change{b.Name, b.Value, a.Value})
		}
	}
	return out
}

// detail is what the trail keeps of changes.
func detail(changes []Change) string {
	words := make([]string, len(changes))
	for i, c := range changes {
		words[i] = c.Name + ": " + orNone(c.Before) + " → " + orNone(c.After)
	}
	return strings.Join(words, "; ")
}

// told is what the trail keeps of a thing that is new.
func told(fields []Field) string {
	var words []string
	for _, f := range fields {
		if f.Value != "" {
			words = append(words, f.Name+": "+f.Value)
		}
	}
	return strings.Join(words, "; ")
}

func orNone(value string) string {
	if value == "" {
		return "none"
	}
	return value
}

// History is what was done to a thing, the newest first, and the names of the staff who did it.
type History struct {
	Acts  []trail.Entry
	Names map[string]string
}

func (d *Desk) history(ctx context.Context, object string) (History, error) {
	acts, err := d.Store.ChangesOf(ctx, object, historyMost)
	if err != nil {
		return History{}, err
	}
	var ids []string
	for _, e := range acts {
		if e.Actor.Kind == trail.Staff {
			ids = append(ids, e.Actor.ID)
		}
	}
	names, err := d.names(ctx, ids)
	return History{acts, names}, err
}

// Since is what was changed after a version that is followed by n others, the newest first: so many acts that were not refused.
func (h History) Since(n int64) []trail.Entry {
	var out []trail.Entry
	for _, e := range h.Acts {
		if int64(len(out)) < n && e.Refused == "" {
			out = append(out, e)
		}
	}
	return out
}

func (d *Desk) names(ctx context.Context, ids []string) (map[string]string, error) {
	out := map[string]string{}
	for _, id := range ids {
		if _, known := out[id]; known {
			continue
		}
		m, err := d.Store.Member(ctx, id)
		if err != nil && !errors.Is(err, staff.ErrNotFound) {
			return nil, err
		}
		out[id] = m.Name
	}
	return out, nil
}

// --- What was typed --------------------------------------------------------------------------------------------------------------------------

// words reads a name of something: spaces made single, nothing that is no text, and no card number. empty is said where there is none; "": it may be missing.
func (w Wrong) words(field, typed, empty string, most int) string {
	typed = strings.Join(strings.Fields(typed), " ")
	switch {
	case typed == "" && empty != "":
		w[field] = empty
	case len([]rune(typed)) > most:
		w[field] = "That is too long."
	case strings.ContainsFunc(typed, unicode.IsControl):
		w[field] = "That holds what is no text."
	case trail.HoldsCardNumber(typed):
		w[field] = CardWords
	}
	return typed
}

// CardWords are said of a field that may hold a card number: what was typed is not shown again.
const CardWords = "That looks like a card number, so we did not keep it. Never write one down."
