package plus

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"paylink/internal/desk/supervisor"
)

// thousands writes a count as people read it: "74,426".
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// took writes a duration: "45 s", "3 min", "3 min 2 s", "1 h 5 min".
func took(d time.Duration) string {
	d = d.Round(time.Second)
	h, m, s := int(d/time.Hour), int(d%time.Hour/time.Minute), int(d%time.Minute/time.Second)
	switch {
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case m > 0 && s == 0:
		return fmt.Sprintf("%d min", m)
	case m > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	}
	return fmt.Sprintf("%d s", s)
}

// share is a part of a whole, "86.6%"; of nothing it is "–".
func share(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(whole))
}

func counted(n int) Cell {
	return Cell{Text: thousands(n), Number: true, raw: strconv.Itoa(n), sort: float64(n)}
}

// countedAt is a count that leads to the links behind it.
func countedAt(n int, address string) Cell {
	c := counted(n)
	if n > 0 {
		c.Address = address
	}
	return c
}

func shared(part, whole int) Cell {
	c := Cell{Text: share(part, whole), Number: true, sort: -1}
	if whole > 0 {
		c.sort = 100 * float64(part) / float64(whole)
		c.raw = fmt.Sprintf("%.1f", c.sort)
	}
	return c
}

func timed(d time.Duration, n int) Cell {
	if n == 0 {
		return Cell{Text: "–", Number: true, sort: -1}
	}
	return Cell{Text: took(d), Number: true, raw: strconv.FormatFloat(d.Seconds(), 'f', 3, 64), sort: d.Seconds()}
}

func named(name string) Cell { return Cell{Text: name} }

func columns(names ...string) []Column {
	var out []Column
	for i, name := range names {
		name, number := strings.CutPrefix(name, "#")
		out = append(out, Column{Name: name, Number: number, key: strconv.Itoa(i)})
	}
	return out
}

var dimensionNames = map[supervisor.Dimension]string{
	supervisor.ByAgent: "Agent", supervisor.ByTeam: "Team", supervisor.ByLocation: "Location", supervisor.ByState: "State", supervisor.ByDays: "Days", supervisor.ByLanguage: "Language", supervisor.ByNumber: "Number",
}

// behind is the address of the links behind a figure of a report, those of a group if it can be asked for.
func behind(f supervisor.Filter, by supervisor.Dimension, key string, outcome supervisor.Outcome) string {
	f.Period, f.Outcome = supervisor.Custom, outcome
	switch by {
	case supervisor.ByAgent:
		f.Agent = key
	case supervisor.ByTeam:
		f.Team = key
	case supervisor.ByLocation:
		f.Location = key
	case supervisor.ByState:
		f.State = key
	case supervisor.ByDays:
		f.Days, _ = strconv.Atoi(key) // it was one
	case supervisor.ByLanguage:
		f.Language = key
	case supervisor.ByNumber:
		f.Number = key
	}
	if by != "" && (key == "" || key == "0") {
		return ""
	}
	return "/plus/links?" + queryOf(f).Encode()
}

// reportTables are the tables of a report, by the names of their files.
func reportTables(r *supervisor.Report) map[string]Table {
	out := map[string]Table{}
	by := dimensionNames[r.By]
	grouped := func(id, caption string, names []string, row func(g supervisor.Figures, to func(supervisor.Outcome) string) []Cell) Table {
		t := Table{ID: id, Caption: caption, Columns: columns(append([]string{by}, names...)...)}
		add := func(name string, key string, of supervisor.Dimension, g supervisor.Figures) []Cell {
			return append([]Cell{named(name)}, row(g, func(o supervisor.Outcome) string { return behind(r.Filter, of, key, o) })...)
		}
		for _, g := range r.Groups {
			t.Rows = append(t.Rows, add(g.Name, g.Key, r.By, g.Figures))
		}
		t.Total = add("All", "", "", r.Total)
		return t
	}
	lower := strings.ToLower(by)
	funnel := grouped("funnel", "Links by "+lower, []string{"#Sent", "#Delivered", "#Opened", "#Card declined", "#Paid", "#Expired", "#Cancelled", "#Other", "#Live", "#Sales", "#Sales paid", "#Share of sales"},
		func(g supervisor.Figures, to func(supervisor.Outcome) string) []Cell {
			return []Cell{
				countedAt(g.Sent, to("")), countedAt(g.Delivered, to(supervisor.Delivered)), countedAt(g.Opened, to(supervisor.Opened)), countedAt(g.Declined, to(supervisor.Declined)),
				countedAt(g.Paid, to(supervisor.Paid)), countedAt(g.Expired, to(supervisor.Expired)), countedAt(g.Cancelled, to(supervisor.Cancelled)), countedAt(g.Otherwise, to(supervisor.Otherwise)),
				countedAt(g.Live, to(supervisor.Live)), counted(g.Sales), counted(g.SalesPaid), shared(g.SalesPaid, g.Sales),
			}
		})
	if r.By == supervisor.ByTeam {
		funnel.Note = "Teams are as they are now: whoever has changed teams takes their links along."
	}
	out["funnel"] = funnel
	out["speed"] = grouped("speed", "Speed by "+lower, []string{"#Opened", "#To opened, median", "#To opened, 90%", "#Paid", "#To paid, median", "#To paid, 90%"},
		func(g supervisor.Figures, _ func(supervisor.Outcome) string) []Cell {
			return []Cell{
				counted(g.ToOpen.N), timed(g.ToOpen.Median, g.ToOpen.N), timed(g.ToOpen.P90, g.ToOpen.N), counted(g.ToPay.N), timed(g.ToPay.Median, g.ToPay.N), timed(g.ToPay.P90, g.ToPay.N),
			}
		})
	out["recovery"] = grouped("recovery", "Expired links by "+lower, []string{"#Expired", "#Paid within the hour", "#Share"},
		func(g supervisor.Figures, to func(supervisor.Outcome) string) []Cell {
			return []Cell{countedAt(g.Expired, to(supervisor.Expired)), counted(g.Recovered), shared(g.Recovered, g.Expired)}
		})
	out["autopay"] = grouped("autopay", "Auto Pay by "+lower, []string{"#Clients who paid", "#Had Auto Pay", "#Enrolled within 30 days", "#Share of those without"},
		func(g supervisor.Figures, _ func(supervisor.Outcome) string) []Cell {
			return []Cell{counted(g.Clients), counted(g.OnAutoPay), counted(g.Enrolled), shared(g.Enrolled, g.Clients-g.OnAutoPay)}
		})

	over := Table{ID: "over", Caption: "Links by day", Columns: columns("Day", "#Sent", "#Paid", "#Sales", "#Sales paid", "#Share of sales", "#To opened, median", "#To opened, 90%", "#To paid, median", "#To paid, 90%")}
	if r.StepDays > 1 {
		over.Caption, over.Columns[0].Name = "Links by week", "Week from"
	}
	for _, s := range r.Steps {
		f := r.Filter
		f.From, f.To = s.From, s.To
		day := Cell{Text: date(s.From), raw: string(s.From), sort: float64(s.From.Time().Unix())}
		over.Rows = append(over.Rows, []Cell{day, countedAt(s.Sent, behind(f, "", "", "")), countedAt(s.Paid, behind(f, "", "", supervisor.Paid)), counted(s.Sales), counted(s.SalesPaid), shared(s.SalesPaid, s.Sales),
			timed(s.ToOpen.Median, s.ToOpen.N), timed(s.ToOpen.P90, s.ToOpen.N), timed(s.ToPay.Median, s.ToPay.N), timed(s.ToPay.P90, s.ToPay.N)})
	}
	out["over"] = over

	declines := Table{ID: "declines", Caption: "Declined cards by reason", Columns: columns("Reason", "#Cards", "#Links", "#Paid after all")}
	for _, d := range r.Declines {
		declines.Rows = append(declines.Rows, []Cell{named(d.Reason), counted(d.Cards), counted(d.Links), counted(d.Paid)})
	}
	out["declines"] = declines

	blocked := Table{ID: "blocked", Caption: "What could not be sent, by location", Columns: columns("Location", "Why", "#Tries")}
	for _, b := range r.Blocked {
		blocked.Rows = append(blocked.Rows, []Cell{named(b.Location), named(blockedShort(b.Why)), counted(b.Tries)})
	}
	out["blocked"] = blocked

	days := Table{ID: "reconciliation", Caption: "Reconciliation with the card processor, last 14 days", Columns: columns("Day (UTC)", "#Differences")}
	for _, d := range r.Reconciled {
		c := counted(d.Differences)
		if c.Badge, c.Tone = true, "good"; d.Differences > 0 {
			c.Tone = "bad"
		}
		days.Rows = append(days.Rows, []Cell{{Text: date(d.Day), raw: string(d.Day), sort: float64(d.Day.Time().Unix())}, c})
	}
	out["reconciliation"] = days
	return out
}

// controlTables are the tables of the control list, by the names of their files.
func controlTables(c *supervisor.Control) map[string]Table {
	numbers := Table{ID: "numbers", Caption: "Numbers used for three clients or more", Columns: columns("Number", "#Clients", "#Links", "Whose accounts", "Sent by")}
	for _, s := range c.Shared {
		var clients []string
		for _, one := range s.Clients {
			clients = append(clients, one.Name+" ("+one.Key+")")
		}
		numbers.Rows = append(numbers.Rows, []Cell{named(s.Number.String()), counted(len(s.Clients)), counted(s.Links), named(some(clients, 6)), named(some(s.Agents, 6))})
	}
	changed := Table{ID: "changed", Caption: "Links to another number than the client’s", Columns: columns("Agent", "#Links", "#To another number", "#Share")}
	for _, one := range c.Changed {
		f := c.Filter
		f.Number = supervisor.Other
		changed.Rows = append(changed.Rows, []Cell{named(one.Name), counted(one.Sent), countedAt(one.Other, behind(f, supervisor.ByAgent, one.Agent, "")), shared(one.Other, one.Sent)})
	}
	staff := Table{ID: "staff", Caption: "Links to a telephone of ours", Columns: columns("Sent", "Sent by", "To the telephone of", "Number", "Client")}
	for _, one := range c.ToStaff {
		at := one.At.In(c.Zone)
		whose := Cell{Text: one.Whose}
		if one.Self {
			whose = Cell{Text: "Themself", raw: one.Whose, Badge: true, Tone: "bad"}
		}
		staff.Rows = append(staff.Rows, []Cell{{Text: dateTime(at), raw: at.Format("2006-01-02 15:04:05"), sort: float64(at.Unix())}, named(one.Sender), whose, named(one.Number.String()),
			{Text: one.Client + " (" + one.ClientID + ")", Address: clientAddress(one.ClientID, url.Values{"tab": {"links"}, "payment": {one.PaymentID}})}})
	}
	return map[string]Table{"numbers": numbers, "changed": changed, "staff": staff}
}

// some names the first few of a list, and how many more there are.
func some(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
}

// sorted sorts the rows of the table that is asked for, "funnel.-3" being the fourth column from the top down, and gives every column its address.
func (t Table) sorted(want string, query url.Values, path string) Table {
	table, order, _ := strings.Cut(want, ".")
	key, down := strings.CutPrefix(order, "-")
	t.Columns = slices.Clone(t.Columns)
	for i := range t.Columns {
		c := &t.Columns[i]
		next := t.ID + ".-" + c.key
		if !c.Number {
			next = t.ID + "." + c.key
		}
		if table == t.ID && c.key == key {
			c.Sorted = "ascending"
			next = t.ID + ".-" + c.key
			if down {
				c.Sorted, next = "descending", t.ID+"."+c.key
			}
			t.Rows = slices.Clone(t.Rows)
			slices.SortStableFunc(t.Rows, func(a, b []Cell) int {
				n := cmp.Or(cmp.Compare(a[i].sort, b[i].sort), cmp.Compare(strings.ToLower(a[i].Text), strings.ToLower(b[i].Text)))
				if a[i].sort != 0 || b[i].sort != 0 {
					n = cmp.Compare(a[i].sort, b[i].sort)
				}
				if down {
					n = -n
				}
				return n
			})
		}
		if len(t.Rows) > 1 {
			q := url.Values{}
			for name, values := range query {
				q[name] = values
			}
			q.Set("sort", next)
			c.Address = path + "?" + q.Encode() + "#" + t.ID
		}
	}
	return t
}

// cells are a table's words and numbers as a file has them, the names of its columns first.
func (t Table) cells() [][]string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name)
	}
	rows := [][]string{names}
	all := t.Rows
	if t.Total != nil {
		all = append(slices.Clone(all), t.Total)
	}
	for _, row := range all {
		var line []string
		for _, c := range row {
			if c.Number || c.raw != "" {
				line = append(line, c.raw)
			} else {
				line = append(line, c.Text)
			}
		}
		rows = append(rows, line)
	}
	return rows
}
