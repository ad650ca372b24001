package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// check is one budget and what was measured. It is reported, never asserted: the bench succeeds when it has measured.
type check struct {
	What   string  `json:"what"`
	Got    float64 `json:"got"`
	Budget float64 `json:"budget"`
	AtMost bool    `json:"at_most"` // else at least
	Unit   string  `json:"unit"`
	OK     bool    `json:"ok"`
}

func atLeast(what string, got, budget float64, unit string) check {
	return check{what, got, budget, false, unit, got >= budget}
}

func atMost(what string, got, budget float64, unit string) check {
	return check{what, got, budget, true, unit, got <= budget}
}

// line is one kind of request.
type line struct {
	Name   string   `json:"name"`
	Median sample   `json:"median"`
	Ratio  float64  `json:"ratio,omitempty"` // to the yardstick
	To     string   `json:"to,omitempty"`    // which
	Runs   []sample `json:"runs"`
}

// report is everything that was measured.
type report struct {
	How    string   `json:"how"`
	Lines  []line   `json:"lines,omitempty"`
	Checks []check  `json:"budgets"`
	Notes  []string `json:"notes"`
	Sizes  []sizes  `json:"sizes,omitempty"`
}

func (r *report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// speed draws up the rounds.
func (r *report) speed(runs map[string][]sample, c cost) {
	bare := middle(runs["bare"])
	for _, one := range []struct{ key, name, to string }{
		{"static", "bare static handler", ""},
		{"landing", "payer's landing, GET /p", "static"},
		{"bare", "bare handler, one Redis GET", ""},
		{"open", "payer opens again, POST /pay/open", "bare"},
		{"first", "payer opens first (writes) *", "bare"},
		{"page", "payer's page, GET /pay", "bare"},
		{"quote", "quote, GET summary in PLUS Web", "bare"},
		{"send", "send, POST in PLUS Web *", "bare"},
		{"commits", "bare transactions *", ""},
		{"pay", "send and pay, end to end *", "commits"},
	} {
		l := line{Name: one.name, Median: middle(runs[one.key]), Runs: runs[one.key], To: one.to}
		switch {
		case one.key == "pay":
			l.Ratio = l.Median.Rate * c.Transactions / middle(runs["commits"]).Rate
		case one.to != "":
			l.Ratio = l.Median.Rate / middle(runs[one.to]).Rate
		}
		r.Lines = append(r.Lines, l)
	}
	ratio := func(key string) float64 { return middle(runs[key]).Rate / bare.Rate }
	r.Checks = append(r.Checks,
		atLeast("payer's landing, of a bare static handler", middle(runs["landing"]).Rate/middle(runs["static"]).Rate, 0.9, "×"),
		atLeast("payer's open, of bare", ratio("open"), 0.5, "×"),
		atMost("payer's open, p99 of bare's", middle(runs["open"]).P99/bare.P99, 3, "×"),
		atMost("SQL writes on a second open", runs["writes"][0].Rate, 0.001, "each"), // what the server itself writes now and then is no opening's
		atLeast("payer's page, of bare", ratio("page"), 0.5, "×"),
		atLeast("send and pay, of bare transactions", middle(runs["pay"]).Rate*c.Transactions/middle(runs["commits"]).Rate, 0.6, "×"),
	)
	r.note("One payment from Send Message to paid is %.1f transactions that write, with %.1f rows in all; the bare ones insert as many rows, in as many transactions, into one table.", c.Transactions, c.Rows)
	r.note("* by the bench's own client, each request once; all else by wrk. p50 and p99 of send and pay are of the whole way, texts included.")
}

// bySize draws up two sizes.
func (r *report) bySize(all []sizes) {
	r.Sizes = all
	small, large := all[0], all[1]
	for _, one := range []struct{ key, name string }{
		{"open", "payer opens again"}, {"page", "payer's page"}, {"quote", "quote"}, {"send", "send"}, {"history", "account history"}, {"search", "search by client number"},
	} {
		few, many := middle(small.Runs[one.key]), middle(large.Runs[one.key])
		for _, s := range all {
			r.Lines = append(r.Lines, line{Name: fmt.Sprintf("%s, %d links, %d invoices", one.name, s.Links, s.Invoices), Median: middle(s.Runs[one.key]), Runs: s.Runs[one.key]})
		}
		r.Checks = append(r.Checks, atMost(one.name+": median in the large house, of that in the small", many.P50/few.P50, 1.2, "×"))
	}
}

func (r *report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	fmt.Fprintf(w, "\n%s\n\n", r.How)
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "\trequests/s\tp50 ms\tp99 ms\tratio\tto")
	names := map[string]string{"static": "bare static", "bare": "bare Redis GET", "commits": "bare transactions"}
	for _, l := range r.Lines {
		ratio := ""
		if l.To != "" {
			ratio = fmt.Sprintf("%.2f", l.Ratio)
		}
		fmt.Fprintf(t, "%s\t%.0f\t%s\t%s\t%s\t%s\n", l.Name, l.Median.Rate, figure(l.Median.P50), figure(l.Median.P99), ratio, names[l.To])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	t = tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "budget\tmeasured\tallowed\t")
	for _, c := range r.Checks {
		sign, mark := "≥", "ok"
		if c.AtMost {
			sign = "≤"
		}
		if !c.OK {
			mark = "over"
			if !c.AtMost {
				mark = "under"
			}
		}
		fmt.Fprintf(t, "%s\t%s %s\t%s %s %s\t%s\n", c.What, figure(c.Got), c.Unit, sign, figure(c.Budget), c.Unit, mark)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, n := range r.Notes {
		fmt.Fprintf(w, "\n%s\n", n)
	}
	return nil
}

// figure writes a number with three digits that count, and no more.
func figure(f float64) string {
	switch size := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return "?"
	case size == 0 || size >= 100 || f == math.Trunc(f):
		return fmt.Sprintf("%.0f", f)
	case size >= 10:
		return fmt.Sprintf("%.1f", f)
	case size >= 1:
		return fmt.Sprintf("%.2f", f)
	}
	return fmt.Sprintf("%.2g", f)
}
