package plus

import (
	"fmt"
	"math"
	"strings"
	"time"

	"paylink/internal/desk/agent"
	"paylink/internal/desk/supervisor"
	"paylink/internal/quote"
)

// reportCharts draws a report: what it comes to, as pictures, each with its tables.
func reportCharts(r *supervisor.Report, tables map[string]Table, seesBooks bool) []Chart {
	t := r.Total
	shut := func(name string) Table {
		table := tables[name]
		table.Shut = true
		return table
	}
	at := func(o supervisor.Outcome) string { return behind(r.Filter, "", "", o) }
	funnel := Chart{ID: "funnel-chart", Title: "What became of the links", Tall: true,
		Lead: fmt.Sprintf("Of %s, %s opened and %s paid.", linksOf(t.Sent), were(t.Opened), were(t.Paid))}
	for _, b := range []struct {
		label   string
		n       int
		outcome supervisor.Outcome
		tone    string
		gap     bool
	}{
		{"Sent", t.Sent, "", "", false}, {"Delivered", t.Delivered, supervisor.Delivered, "", false}, {"Opened", t.Opened, supervisor.Opened, "", false}, {"Paid", t.Paid, supervisor.Paid, "good", false},
		{"Expired", t.Expired, supervisor.Expired, "time", true}, {"Cancelled", t.Cancelled, supervisor.Cancelled, "calm", false}, {"Other endings", t.Otherwise, supervisor.Otherwise, "calm", false},
		{"Still live", t.Live, supervisor.Live, "", false}, {"With a declined card", t.Declined, supervisor.Declined, "bad", true},
	} {
		bar := barOf(b.label, b.n, t.Sent, t.Sent)
		bar.Tone, bar.Gap = b.tone, b.gap
		if b.n > 0 {
			bar.Address = at(b.outcome)
		}
		funnel.Bars = append(funnel.Bars, bar)
	}

	paid := Chart{ID: "paid-chart", Title: "Sales paid", Tables: []Table{shut("over")},
		Lead: fmt.Sprintf("%s of %s. A sale is a link and those that were sent again for it within a day; it counts once, where it began.", share(t.SalesPaid, t.Sales), countWord(t.Sales, "sale"))}
	shares := seriesOf(r.Steps, func(f supervisor.Figures) (float64, bool) {
		return 100 * float64(f.SalesPaid) / float64(max(1, f.Sales)), f.Sales > 0
	})
	paid.Lines = []LineChart{lineChart(r, "paid-share", "Share of sales that were paid", 100, "100%", "50%", plotted{ChartLine{Label: "Paid", Value: share(t.SalesPaid, t.Sales), Tone: "one"}, shares})}

	speed := Chart{ID: "speed-chart", Title: "Speed", Wide: true, Tables: []Table{shut("speed")},
		Lead: "Half of the payers were as quick as the median, nine in ten as quick as the line above it."}
	for _, one := range []struct {
		id, title string
		of        func(f supervisor.Figures) supervisor.Spread
	}{
		{"speed-opened", "From sent to opened", func(f supervisor.Figures) supervisor.Spread { return f.ToOpen }},
		{"speed-paid", "From sent to paid", func(f supervisor.Figures) supervisor.Spread { return f.ToPay }},
	} {
		median := seriesOf(r.Steps, func(f supervisor.Figures) (float64, bool) { s := one.of(f); return s.Median.Seconds(), s.N > 0 })
		ninety := seriesOf(r.Steps, func(f supervisor.Figures) (float64, bool) { s := one.of(f); return s.P90.Seconds(), s.N > 0 })
		whole := one.of(t)
		if whole.N == 0 {
			continue
		}
		top := ceiling(ninety)
		speed.Lines = append(speed.Lines, lineChart(r, one.id, one.title, top.Seconds(), took(top), took(top/2),
			plotted{ChartLine{Label: "Median", Value: took(whole.Median), Tone: "one"}, median}, plotted{ChartLine{Label: "Nine in ten", Value: took(whole.P90), Tone: "two"}, ninety}))
	}
	if len(speed.Lines) == 0 {
		speed.Lead, speed.Empty = "", "Nobody has opened a link yet."
	}

	declines := Chart{ID: "declines-chart", Title: "Declined cards", Tables: []Table{shut("declines")}, Empty: "No card was declined."}
	cards := 0
	for _, d := range r.Declines {
		cards += d.Cards
	}
	for _, d := range r.Declines {
		declines.Bars = append(declines.Bars, barOf(d.Reason, d.Cards, r.Declines[0].Cards, cards))
	}
	if cards > 0 {
		declines.Lead = fmt.Sprintf("%s on %s, for these reasons.", countWord(cards, "declined card"), linksOf(t.Declined))
	}

	recovery := Chart{ID: "recovery-chart", Title: "Expired, and paid after all", Tables: []Table{shut("recovery")}, Empty: "No link has expired."}
	if t.Expired > 0 {
		recovery.Lead = fmt.Sprintf("Of %s that expired, %s were paid within the hour after, by another link or a card on file.", linksOf(t.Expired), thousands(t.Recovered))
		recovery.Bars = []Bar{barOf("Expired", t.Expired, t.Expired, t.Expired), barOf("Paid within the hour", t.Recovered, t.Expired, t.Expired)}
		recovery.Bars[0].Tone, recovery.Bars[1].Tone, recovery.Bars[0].Address = "time", "good", at(supervisor.Expired)
	}

	blocked := Chart{ID: "blocked-chart", Title: "Could not be sent", Tables: []Table{shut("blocked")}, Empty: "Nothing stood in the way of a link."}
	places, tries := map[string]int{}, 0
	var names []string
	for _, b := range r.Blocked {
		if places[b.Location] == 0 {
			names = append(names, b.Location)
		}
		places[b.Location] += b.Tries
		tries += b.Tries
	}
	most := 0
	for _, n := range places {
		most = max(most, n)
	}
	for n := most; n > 0; n-- { // most first, and each in the order of the table
		for _, name := range names {
			if places[name] == n {
				blocked.Bars = append(blocked.Bars, barOf(name, n, most, tries))
			}
		}
	}
	if tries > 0 {
		blocked.Lead = countWord(tries, "time") + " an agent could send nothing, by location. The same client counts once a day for each agent and reason."
	}

	auto := Chart{ID: "autopay-chart", Title: "Auto Pay after a link", Tables: []Table{shut("autopay")}, Empty: "Nobody has paid a link yet."}
	if t.Clients > 0 {
		without := t.Clients - t.OnAutoPay
		auto.Lead = fmt.Sprintf("Of %s who paid and had no Auto Pay, %s (%s) turned it on within 30 days.", countWord(without, "client"), thousands(t.Enrolled), share(t.Enrolled, without))
		auto.Bars = []Bar{barOf("Clients who paid a link", t.Clients, t.Clients, t.Clients), barOf("Had Auto Pay already", t.OnAutoPay, t.Clients, t.Clients), barOf("Turned it on within 30 days", t.Enrolled, t.Clients, t.Clients)}
		auto.Bars[1].Tone, auto.Bars[2].Tone = "calm", "good"
	}
	groups := Chart{ID: "groups", Title: tables["funnel"].Caption, Wide: true, Tables: []Table{tables["funnel"]}, Lead: "A number leads to its links."}
	groups.Tables[0].Bare = true
	out := []Chart{funnel, paid, recovery, groups, speed, declines, blocked, auto}
	if seesBooks {
		books := Chart{ID: "books-chart", Title: "Reconciliation", Empty: "No day was reconciled yet.", Tables: []Table{tables["reconciliation"]}}
		if len(r.Reconciled) > 0 {
			off := 0
			for _, d := range r.Reconciled {
				off += d.Differences
			}
			books.Tables[0].Bare = true
			books.Empty, books.Lead = "", "Our books and the card processor’s agree on each of the last days."
			if off > 0 {
				books.Lead = countWord(off, "difference") + " between our books and the card processor’s. Finance looks into each."
			}
		}
		out = append(out, books)
	}
	for i := range out {
		c := &out[i]
		if len(c.Bars) > 0 || len(c.Lines) > 0 || len(c.Tables) > 0 && len(c.Tables[0].Rows) > 0 {
			c.Empty = ""
		}
		if c.Empty != "" {
			c.Tables = nil
		}
	}
	return out
}

func linksOf(n int) string { return countWord(n, "link") }

// countWord is countOf with a count as people read it.
func countWord(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return thousands(n) + " " + unit
}

func barOf(label string, n, most, whole int) Bar {
	b := Bar{Label: label, Value: thousands(n), Share: share(n, whole)}
	if most > 0 {
		b.Width = math.Round(1000*float64(n)/float64(most)) / 10
	}
	return b
}

// series are the values of each step; NaN where there is none.
func seriesOf(steps []supervisor.Step, of func(f supervisor.Figures) (float64, bool)) []float64 {
	var out []float64
	for _, s := range steps {
		v, ok := of(s.Figures)
		if !ok {
			v = math.NaN()
		}
		out = append(out, v)
	}
	return out
}

// ceiling is the top of an axis of time: a round number of minutes, or of seconds if it all happens within one.
func ceiling(values []float64) time.Duration {
	most := 0.0
	for _, v := range values {
		if v > most { // a NaN is not
			most = v
		}
	}
	d := time.Duration(most * float64(time.Second))
	for _, top := range []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 6 * time.Minute, 8 * time.Minute, 10 * time.Minute, 14 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour} {
		if d <= top {
			return top
		}
	}
	return d.Truncate(2*time.Hour) + 2*time.Hour
}

// plotted is a line and its values, one a step.
type plotted struct {
	ChartLine
	values []float64
}

// lineChart draws lines on a ground of 100 × 100 that is stretched to the room there is.
func lineChart(r *supervisor.Report, id, title string, top float64, topWords, middleWords string, lines ...plotted) LineChart {
	c := LineChart{ID: id, Title: title, Top: topWords, Middle: middleWords, First: shortDate(r.Steps[0].From), Last: shortDate(r.Steps[len(r.Steps)-1].To)}
	if len(r.Steps) == 1 && r.StepDays == 1 {
		c.Last = ""
	}
	var said []string
	for _, line := range lines {
		line.Path = path(line.values, top)
		c.Lines = append(c.Lines, line.ChartLine)
		said = append(said, line.Label+" "+line.Value+" over all")
	}
	c.Text = strings.Join(said, ", ") + ". The table below has each day’s figures."
	if r.StepDays > 1 {
		c.Text = strings.Join(said, ", ") + ". The table below has each week’s figures."
	}
	return c
}

// path draws values from left to right. Where there is none the line is broken, and a value that stands alone is a short stroke.
func path(values []float64, top float64) string {
	var b strings.Builder
	step := 100 / float64(max(1, len(values)))
	x := func(i int) float64 { return step * (float64(i) + .5) }
	y := func(v float64) float64 { return 100 - 100*math.Min(v, top)/top }
	there := func(i int) bool { return i >= 0 && i < len(values) && !math.IsNaN(values[i]) }
	for i, v := range values {
		switch {
		case !there(i):
		case !there(i-1) && !there(i+1):
			fmt.Fprintf(&b, "M%.2f %.2fH%.2f", x(i)-step/2.5, y(v), x(i)+step/2.5)
		case !there(i - 1):
			fmt.Fprintf(&b, "M%.2f %.2f", x(i), y(v))
		default:
			fmt.Fprintf(&b, "L%.2f %.2f", x(i), y(v))
		}
	}
	return b.String()
}

// blockedShort is why nothing could be sent, in a few words.
func blockedShort(why quote.Blocked) string {
	switch why {
	case agent.InCollections:
		return "Account in collections"
	case agent.NeedsReview:
		return "Finance looks at an earlier payment"
	case agent.Paused:
		return "Payments are paused"
	case quote.NothingDue:
		return "Nothing is due"
	case quote.BelowMinimum:
		return "Below the least that a card can be charged"
	case quote.LocationNotConfigured:
		return "Location not set up for payments"
	case quote.LocationSuspended:
		return "Payments suspended for the location"
	}
	return upper(strings.ReplaceAll(string(why), "_", " "))
}

// were says how many were something: "1 was", "2 were".
func were(n int) string {
	if n == 1 {
		return "1 was"
	}
	return thousands(n) + " were"
}
