package office

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"paylink/internal/day"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// The auditors' search of the trail: who did what, newest first.

const (
	trailPage = 50
	// TrailFileMost is how many lines a file holds: the newest ones.
	TrailFileMost = 5_000
)

// TrailAsk is what of the trail is asked for. What is zero leaves nothing out. Days are in UTC.
type TrailAsk struct {
	Who      string // a login, a name or a part of one
	ClientID string
	Object   string // an id, or a payment's reference
	Act      string
	From, To day.Date // both included
	Refused  bool     // refusals only
	Before   Place    // the page after this line
}

// Place is a line's in the trail; the zero Place is before the newest.
type Place struct {
	At time.Time
	ID string
}

// TrailQuery is what the store looks for.
type TrailQuery struct {
	ActorID, ClientID, Act string
	Objects                []string // one of these; none: any
	From, To               time.Time
	Refused                bool
	Before                 Place
}

// TrailStore is what the search reads.
type TrailStore interface {
	// SearchTrail lists entries that fit, newest first, each by an index.
	SearchTrail(ctx context.Context, q TrailQuery, limit int) ([]trail.Entry, error)
	// Acts are all acts that the trail knows.
	Acts(ctx context.Context) ([]string, error)
	// StaffCalled finds people by login, name or a part of the name: whoever it is exactly comes alone.
	StaffCalled(ctx context.Context, words string, limit int) ([]staff.Member, error)
	// Things says what some ids stand for; those that it does not know are left out. A payment is found by its reference too.
	Things(ctx context.Context, ids []string) (map[string]Thing, error)
}

// Thing is what an id stands for.
type Thing struct {
	Kind ThingKind
	ID   string
	Name string // as people call it: a reference, a number, a name
}

// ThingKind is what sort of thing an id stands for.
type ThingKind string

const (
	APayment  ThingKind = "payment"
	AnInvoice ThingKind = "invoice"
	AClient   ThingKind = "client"
	AMember   ThingKind = "member"
	AVehicle  ThingKind = "vehicle"
)

// TrailList is a page of the trail.
type TrailList struct {
	Entries []trail.Entry
	Next    *Place // nil: this is the last
	Acts    []string
	People  []staff.Member    // whom Who may mean, where that is not one person
	Nobody  bool              // Who is nobody's name
	Names   map[string]string // of the staff, by id
	Things  map[string]Thing  // by id
}

// Trail searches the trail. Each search is written into it, and a further page of one is not. Errors: staff.ErrNotAllowed, trail.ErrCardNumber, trail.ErrTooLong.
func (d *Desk) Trail(ctx context.Context, who staff.Member, ask TrailAsk) (TrailList, error) {
	return d.trail(ctx, who, "search trail", ask, trailPage)
}

// TrailFile is the newest of what a search finds, to keep. Errors: as Trail.
func (d *Desk) TrailFile(ctx context.Context, who staff.Member, ask TrailAsk) (TrailList, error) {
	ask.Before = Place{}
	return d.trail(ctx, who, "export trail", ask, TrailFileMost)
}

func (d *Desk) trail(ctx context.Context, who staff.Member, act string, ask TrailAsk, limit int) (TrailList, error) {
	out := TrailList{Names: map[string]string{}}
	if err := d.may(ctx, who, staff.SeeTrail, act, ""); err != nil {
		return out, err
	}
	if ask.Before.ID == "" {
		now, err := d.Store.Now(ctx)
		if err != nil {
			return out, err
		}
		what, err := trail.FreeText(ask.words())
		if err != nil {
			return out, err
		}
		if err := d.Store.Write(ctx, trail.Entry{ID: d.NewID(), At: now, Actor: actor(who), Act: act, Detail: what}); err != nil {
			return out, err
		}
	}
	var err error
	if out.Acts, err = d.Store.Acts(ctx); err != nil {
		return out, err
	}
	q := TrailQuery{ClientID: ask.ClientID, Act: ask.Act, Refused: ask.Refused, Before: ask.Before, From: ask.From.Time()}
	if ask.To != "" {
		q.To = ask.To.AddDays(1).Time()
	}
	if ask.Who != "" {
		found, err := d.Store.StaffCalled(ctx, ask.Who, 20)
		if err != nil {
			return out, err
		}
		if len(found) != 1 {
			out.People, out.Nobody = found, len(found) == 0
			return out, nil
		}
		q.ActorID = found[0].ID
	}
	if ask.Object != "" {
		q.Objects = []string{ask.Object}
		named, err := d.Store.Things(ctx, q.Objects)
		if err != nil {
			return out, err
		}
		if t, ok := named[ask.Object]; ok && t.ID != ask.Object {
			q.Objects = append(q.Objects, t.ID)
		}
	}
	if out.Entries, err = d.Store.SearchTrail(ctx, q, limit+1); err != nil {
		return out, err
	}
	if len(out.Entries) > limit {
		out.Entries = out.Entries[:limit]
		last := out.Entries[limit-1]
		out.Next = &Place{At: last.At, ID: last.ID}
	}
	var ids []string
	for _, e := range out.Entries {
		if e.Object != "" {
			ids = append(ids, e.Object)
		}
		if _, known := out.Names[e.Actor.ID]; known || e.Actor.Kind != trail.Staff || e.Actor.ID == "" {
			continue
		}
		m, err := d.Store.Member(ctx, e.Actor.ID)
		if err != nil && !errors.Is(err, staff.ErrNotFound) {
			return out, err
		}
		out.Names[e.Actor.ID] = m.Name
	}
	slices.Sort(ids)
	out.Things, err = d.Store.Things(ctx, slices.Compact(ids))
	return out, err
}

// words say what is asked for, as the trail keeps it.
func (a TrailAsk) words() string {
	var out []string
	add := func(format, value string) {
		if value != "" {
			out = append(out, fmt.Sprintf(format, value))
		}
	}
	add("by %s", a.Who)
	add("client %s", a.ClientID)
	add("of %s", a.Object)
	add("act %s", a.Act)
	add("from %s", string(a.From))
	add("to %s", string(a.To))
	if a.Refused {
		out = append(out, "refused only")
	}
	if len(out) == 0 {
		return "everything"
	}
	return strings.Join(out, ", ")
}
