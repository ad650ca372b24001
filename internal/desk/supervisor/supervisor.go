// Package supervisor is what those who run a team see: what it has sent, as a list, and what became of it, as figures. It changes nothing but the trail.
package supervisor

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// ErrPeriod is returned for a period that ends before it begins, or is longer than MostDays.
var ErrPeriod = errors.New("the period is not one that can be counted")

// MostDays is how long a period may be: a year and a month.
const MostDays = 400

// townMost is how many people, and how many places, reports know.
const townMost = 10_000

// Filter is what is looked at. What is "" or 0 leaves nothing out.
type Filter struct {
	Period   Period
	From, To day.Date // the first day and the last one: given with Custom, and else answered
	Agent    string   // staff id, or BySelf
	Team     string   // of who sent it, as it is now
	Location string   // id
	State    string   // of the location, "VA"
	Days     int      // 14 or 30
	Language string   // of the text, "en" or "es"
	Number   string   // Own or Other
	Outcome  Outcome  // of the list of links only: reports show them all
}

// Period is which days are looked at.
type Period string

const (
	Today     Period = "today"
	Week      Period = "7"  // today and the six days before
	Month     Period = "30" // and the 29 days before
	ThisMonth Period = "month"
	LastMonth Period = "last-month"
	Custom    Period = "custom" // from a day to a day
)

// settle answers the days of a filter's period, as of today. A period that is none is Custom.
func (f *Filter) settle(today day.Date) {
	first := day.Date(today.Month() + "-01")
	switch f.Period {
	case Today:
		f.From, f.To = today, today
	case Week:
		f.From, f.To = today.AddDays(-6), today
	case Month:
		f.From, f.To = today.AddDays(-29), today
	case ThisMonth:
		f.From, f.To = first, today
	case LastMonth:
		f.To = first.AddDays(-1)
		f.From = day.Date(f.To.Month() + "-01")
	default:
		f.Period = Custom
	}
}

// BySelf stands for an agent where a client sent the link, and BySystem where nobody knows who did.
const (
	BySelf   = "client"
	BySystem = "system"
)

// Whose number a link went to.
const (
	Own   = "own"
	Other = "other"
)

// Outcome is what became of a link. Those up to Live are all there are, and a link has one of them; Delivered, Opened and Declined happen on the way.
type Outcome string

const (
	Paid      Outcome = "paid"
	Expired   Outcome = "expired"
	Cancelled Outcome = "cancelled"
	Otherwise Outcome = "other" // locked, superseded, never handed to the carrier, or with Finance
	Live      Outcome = "live"

	Delivered Outcome = "delivered"
	Opened    Outcome = "opened"
	Declined  Outcome = "declined" // one card at the least
)

// Outcomes are all that a list of links may be asked for.
func Outcomes() []Outcome {
	return []Outcome{Live, Paid, Expired, Cancelled, Otherwise, Delivered, Opened, Declined}
}

// Sent is a link as reports count it: one payment by link, however often it was resent.
type Sent struct {
	ID         string
	Chain      string
	Agent      string // staff id, BySelf or BySystem
	ClientID   string
	LocationID string
	Language   string
	State      pay.State
	Reason     pay.Reason
	Days       int
	Declines   int
	OwnNumber  bool
	First      bool  // link of its chain
	Delivered  bool  // one of its texts
	SentMS     int64 // times in milliseconds: a report reads a hundred thousand
	OpenedMS   int64 // 0: never
	ClosedMS   int64 // 0: live
	ExpiresMS  int64
}

// Outcome is what became of the link, at a moment.
func (s *Sent) Outcome(nowMS int64) Outcome {
	switch {
	case s.State.Sold():
		return Paid
	case s.State == pay.Expired && s.Reason == pay.ReasonNotSent:
		return Otherwise
	case s.State == pay.Expired, s.State == pay.Open && s.ExpiresMS <= nowMS:
		return Expired
	case s.State == pay.Revoked:
		return Cancelled
	case s.State == pay.Open || s.State.InFlight():
		return Live
	}
	return Otherwise
}

// Store is what the desk reads. Times are [from, to).
type Store interface {
	// Sent hands over every link that was sent in a time, oldest first. What each gets is overwritten by the next.
	Sent(ctx context.Context, from, to time.Time, each func(*Sent)) error
	// Followed hands over the payments since a time that continued a chain and were paid; at is 0 for one whose money came late.
	Followed(ctx context.Context, from time.Time, each func(chain string, at int64)) error
	// DeclinedCards hands over the declined cards of a time, by payment and Stripe's code.
	DeclinedCards(ctx context.Context, from, to time.Time, each func(paymentID, code string)) error
	// BlockedTries hands over what agents could not send.
	BlockedTries(ctx context.Context, from, to time.Time, each func(agent, locationID string, why quote.Blocked)) error
	// AutoPaySince is when clients turned Auto Pay on last, by id, in milliseconds.
	AutoPaySince(ctx context.Context) (map[string]int64, error)
	// NumbersUsed hands over every link that was texted in a time, resent ones too, with the number it went to.
	NumbersUsed(ctx context.Context, from, to time.Time, each func(Use)) error
	// Board lists links, newest first, those after a place in the list; and CountBoard counts them all.
	Board(ctx context.Context, q BoardQuery) ([]Row, error)
	CountBoard(ctx context.Context, q BoardQuery) (int, error)

	// Staff and Locations list all who work or have worked here, and all places, in no order.
	Staff(ctx context.Context, limit int) ([]staff.Member, error)
	Locations(ctx context.Context, limit int) ([]account.Location, error)
	ClientNames(ctx context.Context, ids []string) (map[string]string, error)
	// ReconciledDays lists the last days that were reconciled with Stripe, the newest first.
	ReconciledDays(ctx context.Context, limit int) ([]Reconciled, error)
	Write(ctx context.Context, e trail.Entry) error
	Now(ctx context.Context) (time.Time, error)
}

// Reconciled is a day that was compared with Stripe's.
type Reconciled struct {
	Day         day.Date // of UTC
	Differences int
}

// Use is a number that a link was texted to.
type Use struct {
	PaymentID string
	Agent     string // who sent it
	Number    phone.Number
	OwnNumber bool
	At        time.Time
}

// Desk is the supervisors' desk. All fields are required.
type Desk struct {
	Store Store
	NewID func() string
}

// refused writes a refusal into the trail and returns why. A trail that can't be written is the worse news.
func (d *Desk) refused(ctx context.Context, who staff.Member, act, object string, why error) error {
	if err := d.write(ctx, who, act, object, "", why.Error()); err != nil {
		return err
	}
	return why
}

func (d *Desk) write(ctx context.Context, who staff.Member, act, object, detail, refused string) error {
	now, err := d.Store.Now(ctx)
	if err != nil {
		return err
	}
	return d.Store.Write(ctx, trail.Entry{ID: d.NewID(), At: now, Actor: trail.Actor{Kind: trail.Staff, ID: who.ID}, Act: act, Object: object, Detail: detail, Refused: refused})
}

// Taken notes that somebody downloads a table, with what it was filtered by.
func (d *Desk) Taken(ctx context.Context, who staff.Member, table, filter string) error {
	return d.write(ctx, who, "download report", table, filter, "")
}

// Choice is something to filter by.
type Choice struct{ Key, Name string }

// Town is what somebody sees of the company: the people and places of their scope.
type Town struct {
	Now       time.Time
	Today     day.Date       // in Zone
	Zone      *time.Location // in which days are counted: that of most of the locations that are looked at
	Agents    []Choice       // by name
	Teams     []Choice
	Locations []Choice
	States    []Choice

	people    map[string]staff.Member
	places    map[string]account.Location
	mine      map[string]bool // the agents that may be seen; nil: all
	reachable map[string]bool // the locations; nil: all
}

// town reads the people and places, and keeps those that a scope includes. self: only what somebody has sent themself.
func (d *Desk) town(ctx context.Context, who staff.Member, self bool) (*Town, error) {
	t := &Town{people: map[string]staff.Member{}, places: map[string]account.Location{}}
	var err error
	if t.Now, err = d.Store.Now(ctx); err != nil {
		return nil, err
	}
	everybody, err := d.Store.Staff(ctx, townMost)
	if err != nil {
		return nil, err
	}
	everywhere, err := d.Store.Locations(ctx, townMost)
	if err != nil {
		return nil, err
	}
	scope := who.Scope()
	if len(scope.Teams) > 0 || self {
		t.mine = map[string]bool{}
	}
	if len(scope.Locations) > 0 {
		t.reachable = map[string]bool{}
	}
	teams, states := map[string]bool{}, map[string]bool{}
	for _, m := range everybody {
		t.people[m.ID] = m
		switch {
		case self && m.ID != who.ID, len(scope.Teams) > 0 && !slices.Contains(scope.Teams, m.Team):
			continue
		case t.mine != nil:
			t.mine[m.ID] = true
		}
		if m.May(staff.SendLinks) == nil || m.Disabled {
			t.Agents = append(t.Agents, Choice{m.ID, m.Name})
			teams[m.Team] = true
		}
	}
	for _, l := range everywhere {
		t.places[l.ID] = l
		if !scope.AtLocation(l.ID) {
			continue
		}
		if t.reachable != nil {
			t.reachable[l.ID] = true
		}
		t.Locations = append(t.Locations, Choice{l.ID, l.Name})
		states[l.State] = true
	}
	for team := range teams {
		if team != "" {
			t.Teams = append(t.Teams, Choice{team, team})
		}
	}
	for state := range states {
		t.States = append(t.States, Choice{state, state})
	}
	for _, list := range [][]Choice{t.Agents, t.Teams, t.Locations, t.States} {
		slices.SortFunc(list, func(a, b Choice) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key)) })
	}
	return t, nil
}

// settle counts days in the zone of most of the locations that a filter leaves, of the first by name among as many, and answers the filter's days.
func (t *Town) settle(f *Filter) {
	zones, best := map[string]int{}, ""
	for _, c := range t.Locations {
		l := t.places[c.Key]
		if f.Location != "" && f.Location != l.ID || f.State != "" && f.State != l.State {
			continue
		}
		if zones[l.Zone]++; zones[l.Zone] > zones[best] || zones[l.Zone] == zones[best] && l.Zone < best {
			best = l.Zone
		}
	}
	t.Zone = account.Location{Zone: best}.TimeZone()
	t.Today = day.Of(t.Now.In(t.Zone))
	f.settle(t.Today)
}

// between is when a filter's days begin and end. Errors: ErrPeriod.
func (t *Town) between(f Filter) (from, to time.Time, err error) {
	if f.From == "" || f.To == "" || f.To < f.From || f.From.DaysUntil(f.To) >= MostDays {
		return from, to, ErrPeriod
	}
	return t.midnight(f.From), t.midnight(f.To.AddDays(1)), nil
}

func (t *Town) midnight(d day.Date) time.Time {
	at := d.Time()
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, t.Zone)
}

// sees says whether a link is in the scope and what a filter leaves.
func (t *Town) sees(f *Filter, agent, locationID string) bool {
	if t.mine != nil && !t.mine[agent] || t.reachable != nil && !t.reachable[locationID] {
		return false
	}
	return (f.Agent == "" || f.Agent == agent) && (f.Location == "" || f.Location == locationID) &&
		(f.Team == "" || t.people[agent].Team == f.Team && t.people[agent].ID != "") && (f.State == "" || t.places[locationID].State == f.State)
}

func (t *Town) leaves(f *Filter, s *Sent) bool {
	return t.sees(f, s.Agent, s.LocationID) && (f.Days == 0 || f.Days == s.Days) && (f.Language == "" || f.Language == s.Language) &&
		(f.Number == "" || (f.Number == Own) == s.OwnNumber)
}

// agentName is who sent a link, in words.
func (t *Town) agentName(key string) string {
	switch {
	case key == BySelf:
		return "Clients, in My Account"
	case key == BySystem:
		return "Not known"
	case t.people[key].Name != "":
		return t.people[key].Name
	}
	return key
}

func (t *Town) locationName(id string) string {
	if l, ok := t.places[id]; ok {
		return l.Name
	}
	return id
}
