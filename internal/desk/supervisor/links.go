package supervisor

import (
	"context"
	"time"

	"paylink/internal/pay"
	"paylink/internal/staff"
)

// BoardQuery is a list of links as the store finds it.
type BoardQuery struct {
	From, To time.Time
	Filter
	Now       time.Time
	Everybody bool     // else only the links of these people
	Agents    []string // staff ids, BySelf, BySystem
	All       bool     // else only the links of these locations
	Locations []string // ids
	After     Place
	Limit     int
}

// Place is a place in the list; the zero Place is its beginning.
type Place struct {
	At time.Time
	ID string
}

// Row is a link on the list.
type Row struct {
	pay.Payment
	Client   string
	Agent    string // staff id, BySelf or BySystem
	Language string
	Own      bool
	Last4    string // of the number that the last text went to
}

// Line is a row, with the names that go with it.
type Line struct {
	Row
	AgentName string
	Location  string
}

// Board is the list of links, newest first.
type Board struct {
	*Town
	Filter Filter
	Self   bool // one's own links only
	Count  int  // of all pages
	Lines  []Line
	Next   Place // the zero Place: there are no more
}

// BoardMost is how many links a page has, and DownloadMost how many a file.
const (
	BoardMost    = 50
	DownloadMost = 10_000
)

// Links lists links, newest first: an agent's own, a lead's team's, and those of the teams and locations that a supervisor has. Errors: ErrPeriod, staff.ErrNotAllowed.
func (d *Desk) Links(ctx context.Context, who staff.Member, f Filter, after Place, limit int) (*Board, error) {
	if err := who.May(staff.SeeLinks); err != nil {
		return nil, d.refused(ctx, who, "see links", "", err)
	}
	self := who.May(staff.SeeTeamLinks) != nil
	t, err := d.town(ctx, who, self)
	if err != nil {
		return nil, err
	}
	b := &Board{Town: t, Filter: f, Self: self}
	t.settle(&b.Filter)
	q := BoardQuery{Filter: b.Filter, Now: t.Now, After: after, Limit: limit + 1}
	if q.From, q.To, err = t.between(b.Filter); err != nil {
		return b, err
	}
	q.Everybody, q.Agents = t.mine == nil && f.Team == "", nil
	if !q.Everybody {
		for id, m := range t.people {
			if (t.mine == nil || t.mine[id]) && (f.Team == "" || m.Team == f.Team) {
				q.Agents = append(q.Agents, id)
			}
		}
	}
	q.All = t.reachable == nil && f.State == ""
	if !q.All {
		for id, l := range t.places {
			if (t.reachable == nil || t.reachable[id]) && (f.State == "" || l.State == f.State) {
				q.Locations = append(q.Locations, id)
			}
		}
	}
	if b.Count, err = d.Store.CountBoard(ctx, q); err != nil {
		return b, err
	}
	rows, err := d.Store.Board(ctx, q)
	if err != nil {
		return b, err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		b.Next = Place{rows[limit-1].CreatedAt, rows[limit-1].ID}
	}
	for _, r := range rows {
		b.Lines = append(b.Lines, Line{r, t.agentName(r.Agent), t.locationName(r.LocationID)})
	}
	return b, nil
}
