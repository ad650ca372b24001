package plus

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/day"
	"paylink/internal/desk/supervisor"
	"paylink/internal/lang"
	"paylink/internal/staff"
	"paylink/internal/web"
)

const (
	reportsPath = "/plus/reports"
	controlPath = "/plus/reports/control"
	linksPath   = "/plus/links"
)

// filterOf reads what is looked at from an address. What is no choice leaves everything out or nothing in; it is never an error, but for the days.
func filterOf(q url.Values, period supervisor.Period) (f supervisor.Filter, by supervisor.Dimension, err error) {
	for _, values := range q {
		if len(values) > 1 || len(values[0]) > 100 {
			return f, by, web.ErrBadRequest
		}
	}
	f = supervisor.Filter{
		Period: supervisor.Period(q.Get("period")), Agent: q.Get("agent"), Team: q.Get("team"), Location: q.Get("location"), State: q.Get("state"), Language: q.Get("language"), Number: q.Get("number"),
		Outcome: supervisor.Outcome(q.Get("outcome")),
	}
	if q.Get("days") != "" {
		if f.Days, err = strconv.Atoi(q.Get("days")); err != nil || f.Days < 0 || f.Days > 1000 {
			return f, by, web.ErrBadRequest
		}
	}
	if f.Outcome != "" && !slices.Contains(supervisor.Outcomes(), f.Outcome) || f.Number != "" && f.Number != supervisor.Own && f.Number != supervisor.Other {
		return f, by, web.ErrBadRequest
	}
	if by = supervisor.Dimension(q.Get("by")); !slices.Contains(supervisor.Dimensions(), by) {
		by = supervisor.ByAgent
	}
	switch {
	case f.Period == "" && q.Get("from") == "":
		f.Period = period
	case f.Period == "" || f.Period == supervisor.Custom:
		f.Period = supervisor.Custom
		f.From, _ = day.Parse(q.Get("from")) // one that is none is no period
		f.To, _ = day.Parse(q.Get("to"))
	}
	return f, by, nil
}

// queryOf writes a filter as an address holds it.
func queryOf(f supervisor.Filter) url.Values {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("period", string(f.Period))
	if f.Period == supervisor.Custom {
		set("from", string(f.From))
		set("to", string(f.To))
	}
	set("agent", f.Agent)
	set("team", f.Team)
	set("location", f.Location)
	set("state", f.State)
	set("language", f.Language)
	set("number", f.Number)
	set("outcome", string(f.Outcome))
	if f.Days != 0 {
		set("days", strconv.Itoa(f.Days))
	}
	return q
}

// filters is the form, with what is chosen.
func filters(t *supervisor.Town, f supervisor.Filter, path string, q url.Values) Filters {
	out := Filters{Action: path, Custom: f.Period == supervisor.Custom, From: string(f.From), To: string(f.To), Clear: path}
	if f.From == "" {
		out.From = q.Get("from")
	}
	if f.To == "" {
		out.To = q.Get("to")
	}
	option := func(list *[]Option, key, label string, chosen bool) {
		*list = append(*list, Option{ID: key, Label: label, Chosen: chosen})
	}
	for _, p := range []struct {
		key   supervisor.Period
		label string
	}{{supervisor.Today, "Today"}, {supervisor.Week, "Last 7 days"}, {supervisor.Month, "Last 30 days"}, {supervisor.ThisMonth, "This month"}, {supervisor.LastMonth, "Last month"}, {supervisor.Custom, "From … to …"}} {
		option(&out.Periods, string(p.key), p.label, p.key == f.Period)
	}
	field := func(name, label, all, chosen string, choices []supervisor.Choice) {
		one := FilterField{Name: name, Label: label, All: all}
		known := false
		for _, c := range choices {
			known = known || c.Key == chosen
			option(&one.Options, c.Key, c.Name, c.Key == chosen)
			if c.Key == chosen {
				out.InUse = append(out.InUse, label+": "+c.Name)
			}
		}
		if chosen != "" && !known {
			option(&one.Options, chosen, "Not known", true)
			out.InUse = append(out.InUse, label+": not known")
		}
		switch {
		case len(one.Options) == 0:
		case path == linksPath && (name == "outcome" || name == "agent"):
			out.Front = append(out.Front, one)
		default:
			out.More = out.More || chosen != ""
			out.Fields = append(out.Fields, one)
		}
	}
	days := ""
	if f.Days != 0 {
		days = strconv.Itoa(f.Days)
	}
	if path == linksPath {
		field("outcome", "Status", "All", string(f.Outcome), []supervisor.Choice{{Key: string(supervisor.Live), Name: "Live"}, {Key: string(supervisor.Paid), Name: "Paid"}, {Key: string(supervisor.Expired), Name: "Expired"},
			{Key: string(supervisor.Cancelled), Name: "Cancelled"}, {Key: string(supervisor.Otherwise), Name: "Other endings"}, {Key: string(supervisor.Delivered), Name: "Delivered"},
			{Key: string(supervisor.Opened), Name: "Opened"}, {Key: string(supervisor.Declined), Name: "With a declined card"}})
	}
	if len(t.Agents) > 1 {
		field("agent", "Agent", "All", f.Agent, t.Agents)
	}
	if len(t.Teams) > 1 {
		field("team", "Team", "All", f.Team, t.Teams)
	}
	field("location", "Location", "All", f.Location, t.Locations)
	field("state", "State", "All", f.State, t.States)
	field("days", "Monitor days", "All", days, []supervisor.Choice{{Key: "14", Name: "14 days"}, {Key: "30", Name: "30 days"}})
	field("language", "Language", "All", f.Language, []supervisor.Choice{{Key: string(lang.English), Name: "English"}, {Key: string(lang.Spanish), Name: "Spanish"}})
	field("number", "Number", "All", f.Number, []supervisor.Choice{{Key: supervisor.Own, Name: "The client’s own"}, {Key: supervisor.Other, Name: "Another"}})
	return out
}

// daysWords are a filter's days in words.
func daysWords(f supervisor.Filter) string {
	switch {
	case f.From == "" || f.To == "":
		return ""
	case f.From == f.To:
		return date(f.From)
	case f.From[:4] == f.To[:4]:
		return shortDate(f.From) + " to " + date(f.To)
	}
	return date(f.From) + " to " + date(f.To)
}

// zoneWords name the zone in which days are counted: "New York time".
func zoneWords(zone *time.Location) string {
	name := zone.String()
	return strings.ReplaceAll(name[strings.LastIndex(name, "/")+1:], "_", " ") + " time"
}

// shortDate is a date without its year, "Mar 4".
func shortDate(d day.Date) string { return d.Time().Format("Jan 2") }

func dateTime(t time.Time) string { return lang.English.DateTime(t) }

// periodWords say what is wrong with days that can't be counted.
func periodWords(f supervisor.Filter) string {
	switch {
	case f.From == "" || f.To == "":
		return "Enter the first and the last day."
	case f.To < f.From:
		return "The last day is before the first."
	}
	return fmt.Sprintf("That is more than %d days. Choose a shorter time.", supervisor.MostDays)
}

// reports is GET /plus/reports.
func (s *server) reports(r *web.Request, who staff.Member) (web.Answer, error) {
	q := r.URL.Query()
	f, by, err := filterOf(q, supervisor.Week)
	if err != nil {
		return web.Answer{}, err
	}
	got, err := s.Supervisor.Report(r.Context(), who, f, by)
	bad := errors.Is(err, supervisor.ErrPeriod)
	if err != nil && !bad {
		return web.Answer{}, err
	}
	page := s.reportsPage(r, who, got.Town, got.Filter, reportsPath)
	for _, d := range supervisor.Dimensions() {
		page.Filters.By = append(page.Filters.By, Option{ID: string(d), Label: dimensionNames[d], Chosen: d == by})
	}
	if bad {
		page.Filters.Error = periodWords(got.Filter)
		return s.Pages.Page(http.StatusUnprocessableEntity, ReportsPage, page)
	}
	t := got.Total
	page.Empty = t.Sent == 0
	tries := 0
	for _, b := range got.Blocked {
		tries += b.Tries
	}
	page.Facts = []Headline{
		{"Sales paid", share(t.SalesPaid, t.Sales), thousands(t.SalesPaid) + " of " + thousands(t.Sales)},
		{"Links sent", thousands(t.Sent), thousands(t.Paid) + " paid"},
		{"From sent to paid", orNone(t.ToPay, t.ToPay.Median), "median; nine in ten within " + orNone(t.ToPay, t.ToPay.P90)},
		{"With a declined card", share(t.Declined, t.Opened), thousands(t.Declined) + " of " + thousands(t.Opened) + " opened links"},
		{"Could not be sent", thousands(tries), "for a reason of the account or location"},
	}
	tables := reportTables(got)
	for name, table := range tables {
		tables[name] = s.dressed(table, got.Filter, by, q.Get("sort"), reportsPath)
	}
	page.Charts = reportCharts(got, tables, who.May(staff.SeeFinance) == nil)
	page.Notes = []string{
		"All figures are of links that were sent in these days, whatever became of them since. A link that was resent is one link.",
		"Of links sent within the last 30 days, more clients may yet turn Auto Pay on.",
	}
	return s.Pages.Page(http.StatusOK, ReportsPage, page)
}

func orNone(s supervisor.Spread, d time.Duration) string {
	if s.N == 0 {
		return "–"
	}
	return took(d)
}

// dressed is a table with the addresses of its file and of its orders.
func (s *server) dressed(t Table, f supervisor.Filter, by supervisor.Dimension, sort, path string) Table {
	q := queryOf(f)
	if by != "" {
		q.Set("by", string(by))
	}
	t.CSV = reportsPath + "/" + t.ID + ".csv?" + q.Encode()
	return t.sorted(sort, q, path)
}

func (s *server) reportsPage(r *web.Request, who staff.Member, t *supervisor.Town, f supervisor.Filter, path string) Reports {
	q := queryOf(f)
	tab := func(name, address string) Tab {
		return Tab{Name: name, Address: address + "?" + q.Encode(), Current: address == path}
	}
	return Reports{
		Chrome: s.chrome(r, who), Tabs: []Tab{tab("Overview", reportsPath), tab("Control list", controlPath)}, Filters: filters(t, f, path, r.URL.Query()), Days: daysWords(f), Zone: zoneWords(t.Zone),
	}
}

// control is GET /plus/reports/control.
func (s *server) control(r *web.Request, who staff.Member) (web.Answer, error) {
	q := r.URL.Query()
	f, _, err := filterOf(q, supervisor.Week)
	if err != nil {
		return web.Answer{}, err
	}
	got, err := s.Supervisor.Control(r.Context(), who, f)
	bad := errors.Is(err, supervisor.ErrPeriod)
	if err != nil && !bad {
		return web.Answer{}, err
	}
	page := s.reportsPage(r, who, got.Town, got.Filter, controlPath)
	if bad {
		page.Filters.Error = periodWords(got.Filter)
		return s.Pages.Page(http.StatusUnprocessableEntity, ReportsPage, page)
	}
	tables := controlTables(got)
	for _, one := range []struct{ name, title, lead, empty string }{
		{"numbers", "Numbers used for three clients or more", "One number that several clients’ links went to may be a family’s, or a center’s. Or it is somebody who pays with cards that are not theirs.", "No number was used for three clients."},
		{"staff", "Links to a telephone of ours", "Nobody texts themself a client’s link. Numbers are known of those of the staff who have one on record.", "No link went to a telephone of ours."},
		{"changed", "Links to another number than the client’s", "Who pays is asked for and noted each time. Whoever does it far more often than others should be asked why.", "No number was changed."},
	} {
		c := Chart{ID: one.name + "-part", Title: one.title, Lead: one.lead, Wide: true}
		if t := tables[one.name]; len(t.Rows) > 0 {
			t.Bare = true
			c.Tables = []Table{s.dressed(t, got.Filter, "", q.Get("sort"), controlPath)}
		} else {
			c.Lead, c.Empty = "", one.empty
		}
		page.Charts = append(page.Charts, c)
	}
	page.Notes = []string{fmt.Sprintf("Numbers are shown by their last four digits. Each list has %d lines at the most.", supervisor.ControlMost)}
	return s.Pages.Page(http.StatusOK, ReportsPage, page)
}

// reportFile is GET /plus/reports/{table}.csv. It changes nothing but the trail, which says who took the file.
func (s *server) reportFile(r *web.Request, who staff.Member) (web.Answer, error) {
	q := r.URL.Query()
	name := mux.Vars(r.Request)["table"]
	f, by, err := filterOf(q, supervisor.Week)
	if err != nil {
		return web.Answer{}, err
	}
	var table Table
	var town *supervisor.Town
	ok := false
	if _, list := controlTables(&supervisor.Control{})[name]; list {
		got, err := s.Supervisor.Control(r.Context(), who, f)
		if err != nil {
			return web.Answer{}, err
		}
		town, f = got.Town, got.Filter
		table, ok = controlTables(got)[name]
	} else {
		got, err := s.Supervisor.Report(r.Context(), who, f, by)
		if err != nil {
			return web.Answer{}, err
		}
		town, f = got.Town, got.Filter
		table, ok = reportTables(got)[name]
	}
	if !ok {
		return web.Answer{}, web.ErrNoRoute
	}
	return s.taken(r, who, town, f, table.sorted(q.Get("sort"), nil, ""))
}

// taken is a table as a file, noted in the trail.
func (s *server) taken(r *web.Request, who staff.Member, t *supervisor.Town, f supervisor.Filter, table Table) (web.Answer, error) {
	said := append([]string{daysWords(f)}, filters(t, f, linksPath, url.Values{}).InUse...)
	if err := s.Supervisor.Taken(r.Context(), who, table.ID, strings.Join(said, "; ")); err != nil {
		return web.Answer{}, err
	}
	return web.CSV(fmt.Sprintf("paylink-%s-%s-to-%s.csv", table.ID, f.From, f.To), table.cells())
}
