package supervisor

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"paylink/internal/day"
	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/staff"
)

// Dimension is what a report's rows are told apart by.
type Dimension string

const (
	ByAgent    Dimension = "agent"
	ByTeam     Dimension = "team"
	ByLocation Dimension = "location"
	ByState    Dimension = "state"
	ByDays     Dimension = "days"
	ByLanguage Dimension = "language"
	ByNumber   Dimension = "number"
)

// Dimensions are all of them.
func Dimensions() []Dimension {
	return []Dimension{ByAgent, ByTeam, ByLocation, ByState, ByDays, ByLanguage, ByNumber}
}

// Windows of time that reports count in.
const (
	recoveredWithin = time.Hour           // after a link has expired
	enrolledWithin  = 30 * 24 * time.Hour // after a link was paid
)

// Figures are the counts of some links.
type Figures struct {
	Sent      int
	Delivered int // one of its texts, as the carrier says
	Opened    int
	Declined  int // with one declined card at the least
	// What became of them; together they are Sent.
	Paid, Expired, Cancelled, Otherwise, Live int

	Sales     int // chains that began here
	SalesPaid int // of those, paid in the end, by whichever link or card on file

	ToOpen Spread // from sending to the first opening
	ToPay  Spread // from sending to paid; money that came late is left out

	Recovered int // of Expired: the sale was paid within the hour

	Clients   int // who paid, each once
	OnAutoPay int // of those, had Auto Pay already
	Enrolled  int // and turned it on within 30 days
}

// Spread is how long something took. The median and the 90th percentile are the shortest time that half of them, or nine in ten, did not exceed.
type Spread struct {
	N           int
	Median, P90 time.Duration
}

// Group is a row of a report.
type Group struct {
	Key, Name string
	Figures
}

// Step is a stretch of the period: a day, or a week of a long one.
type Step struct {
	From, To day.Date
	Figures
}

// Decline is why banks said no, in the words that the payer read.
type Decline struct {
	Reason string
	Cards  int
	Links  int
	Paid   int // of these links, with another card or another try
}

// Block is how often nothing could be sent at a location, and why.
type Block struct {
	LocationID, Location string
	Why                  quote.Blocked
	Tries                int
}

// Report is everything that a supervisor reads of a period.
type Report struct {
	*Town
	Filter     Filter
	By         Dimension
	Total      Figures
	Groups     []Group // most links first
	Steps      []Step  // oldest first
	StepDays   int     // how many days a step has
	Declines   []Decline
	Blocked    []Block
	Reconciled []Reconciled // for who may see Finance; the last days, whatever the period
}

// stepsMost is how many days are shown one by one.
const stepsMost = 62

// Report counts a period. Errors: ErrPeriod, staff.ErrNotAllowed.
func (d *Desk) Report(ctx context.Context, who staff.Member, f Filter, by Dimension) (*Report, error) {
	if err := who.May(staff.SeeReports); err != nil {
		return nil, d.refused(ctx, who, "see reports", "", err)
	}
	t, err := d.town(ctx, who, false)
	if err != nil {
		return nil, err
	}
	r := &Report{Town: t, Filter: f, By: by, StepDays: 1}
	t.settle(&r.Filter)
	from, to, err := t.between(r.Filter)
	if err != nil {
		return r, err
	}
	if who.May(staff.SeeFinance) == nil {
		if r.Reconciled, err = d.Store.ReconciledDays(ctx, 14); err != nil {
			return r, err
		}
	}
	if err := r.count(ctx, d.Store, from, to); err != nil {
		return r, err
	}
	return r, r.countBlocked(ctx, d.Store, from, to)
}

// tally adds links up. Its times are sorted at the end.
type tally struct {
	Figures
	toOpen, toPay []int64
}

func (t *tally) done() Figures {
	t.ToOpen, t.ToPay = spread(t.toOpen), spread(t.toPay)
	return t.Figures
}

// spread is exact, by nearest rank.
func spread(ms []int64) Spread {
	if len(ms) == 0 {
		return Spread{}
	}
	slices.Sort(ms)
	at := func(percent int) time.Duration {
		return time.Duration(ms[(len(ms)*percent+99)/100-1]) * time.Millisecond
	}
	return Spread{N: len(ms), Median: at(50), P90: at(90)}
}

// count reads the links once, and adds each to the total, to its group and to its step.
func (r *Report) count(ctx context.Context, store Store, from, to time.Time) error {
	paidLater := map[string]int64{}
	if err := store.Followed(ctx, from, func(chain string, at int64) { paidLater[chain] = at }); err != nil {
		return err
	}
	autoPay, err := store.AutoPaySince(ctx)
	if err != nil {
		return err
	}
	if r.Filter.From.DaysUntil(r.Filter.To) >= stepsMost {
		r.StepDays = 7
	}
	var ends []int64
	for first := r.Filter.From; first <= r.Filter.To; first = first.AddDays(r.StepDays) {
		last := min(first.AddDays(r.StepDays-1), r.Filter.To)
		r.Steps = append(r.Steps, Step{From: first, To: last})
		ends = append(ends, r.midnight(last.AddDays(1)).UnixMilli())
	}
	total, groups, steps := &tally{}, map[string]*tally{}, make([]tally, len(ends))
	declined := map[string]bool{} // links with declined cards: whether they were paid
	clients := map[string]bool{}  // who were counted
	step, nowMS := 0, r.Now.UnixMilli()
	err = store.Sent(ctx, from, to, func(s *Sent) {
		if !r.leaves(&r.Filter, s) {
			return
		}
		for s.SentMS >= ends[step] {
			step++
		}
		key := r.key(s)
		group := groups[key]
		if group == nil {
			group = &tally{}
			groups[key] = group
		}
		outcome := s.Outcome(nowMS)
		later, followed := paidLater[s.Chain]
		newClient := outcome == Paid && !clients[s.ClientID]
		if newClient {
			clients[s.ClientID] = true
		}
		if s.Declines > 0 {
			declined[s.ID] = outcome == Paid
		}
		for _, t := range [...]*tally{total, group, &steps[step]} {
			t.Sent++
			t.Delivered += one(s.Delivered)
			t.Opened += one(s.OpenedMS != 0)
			t.Declined += one(s.Declines > 0)
			if s.OpenedMS != 0 {
				t.toOpen = append(t.toOpen, s.OpenedMS-s.SentMS)
			}
			switch outcome {
			case Paid:
				t.Paid++
				if s.timed() {
					t.toPay = append(t.toPay, s.ClosedMS-s.SentMS)
				}
			case Expired:
				t.Expired++
				t.Recovered += one(followed && later > s.ExpiresMS && later <= s.ExpiresMS+recoveredWithin.Milliseconds())
			case Cancelled:
				t.Cancelled++
			case Live:
				t.Live++
			default:
				t.Otherwise++
			}
			if s.First {
				t.Sales++
				t.SalesPaid += one(outcome == Paid || followed)
			}
			if newClient {
				t.Clients++
				switch since := autoPay[s.ClientID]; {
				case since == 0:
				case since < s.ClosedMS:
					t.OnAutoPay++
				case since <= s.ClosedMS+enrolledWithin.Milliseconds():
					t.Enrolled++
				}
			}
		}
	})
	if err != nil {
		return err
	}
	r.Total = total.done()
	for key, t := range groups {
		r.Groups = append(r.Groups, Group{key, r.nameOf(key), t.done()})
	}
	slices.SortFunc(r.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Sent, a.Sent), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Key, b.Key))
	})
	for i := range steps {
		r.Steps[i].Figures = steps[i].done()
	}
	return r.countDeclines(ctx, store, declined, from, to)
}

// countDeclines adds up why the cards of the links that were counted were declined. A link takes cards for hours, not for days.
func (r *Report) countDeclines(ctx context.Context, store Store, links map[string]bool, from, to time.Time) error {
	type seen struct{ link, reason string }
	reasons, once := map[string]*Decline{}, map[seen]bool{}
	err := store.DeclinedCards(ctx, from, to.Add(24*time.Hour), func(paymentID, code string) {
		paid, ours := links[paymentID]
		if !ours {
			return
		}
		words := plainly(code)
		reason := reasons[words]
		if reason == nil {
			reason = &Decline{Reason: words}
			reasons[words] = reason
		}
		reason.Cards++
		if of := (seen{paymentID, words}); !once[of] {
			once[of] = true
			reason.Links++
			reason.Paid += one(paid)
		}
	})
	for _, reason := range reasons {
		r.Declines = append(r.Declines, *reason)
	}
	slices.SortFunc(r.Declines, func(a, b Decline) int { return cmp.Or(cmp.Compare(b.Cards, a.Cards), cmp.Compare(a.Reason, b.Reason)) })
	return err
}

// plainly is why a bank said no, as the payer read it, without what to do about it.
func plainly(code string) string {
	why, _, _ := strings.Cut(lang.English.Decline(code), " Nothing was charged.")
	return strings.TrimSuffix(why, ".")
}

// countBlocked counts by location and reason what could not be sent. Days, language and number are of links that were sent: they leave nothing out here.
func (r *Report) countBlocked(ctx context.Context, store Store, from, to time.Time) error {
	type at struct {
		location string
		why      quote.Blocked
	}
	tries := map[at]int{}
	err := store.BlockedTries(ctx, from, to, func(agent, locationID string, why quote.Blocked) {
		if r.sees(&r.Filter, agent, locationID) {
			tries[at{locationID, why}]++
		}
	})
	for where, n := range tries {
		r.Blocked = append(r.Blocked, Block{where.location, r.locationName(where.location), where.why, n})
	}
	slices.SortFunc(r.Blocked, func(a, b Block) int {
		return cmp.Or(cmp.Compare(b.Tries, a.Tries), cmp.Compare(a.Location, b.Location), cmp.Compare(a.Why, b.Why))
	})
	return err
}

// key is the group that a link belongs to.
func (r *Report) key(s *Sent) string {
	switch r.By {
	case ByTeam:
		return r.people[s.Agent].Team
	case ByLocation:
		return s.LocationID
	case ByState:
		return r.places[s.LocationID].State
	case ByDays:
		return strconv.Itoa(s.Days)
	case ByLanguage:
		return s.Language
	case ByNumber:
		if s.OwnNumber {
			return Own
		}
		return Other
	}
	return s.Agent
}

func (r *Report) nameOf(key string) string {
	switch r.By {
	case ByLocation:
		return r.locationName(key)
	case ByAgent:
		return r.agentName(key)
	case ByTeam:
		if key == "" {
			return "No team"
		}
	case ByDays:
		if key == "0" {
			return "Pending balance"
		}
		return key + " days"
	case ByLanguage:
		switch key {
		case string(lang.English):
			return "English"
		case string(lang.Spanish):
			return "Spanish"
		}
		return "Not known"
	case ByNumber:
		if key == Own {
			return "The client’s own number"
		}
		return "Another number"
	}
	return key
}

// timed says whether it is known when a paid link was paid: money that came after closing has no such time.
func (s *Sent) timed() bool { return s.State == pay.Paid }

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
