package plus_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"paylink/internal/trail"
)

func TestAuditorsFindWhoDidWhat(t *testing.T) {
	w := newTown(t)
	agent := w.as("agent")
	id := w.sold(agent)
	agent.get("/plus/payments/" + id + "/evidence.json").is(http.StatusForbidden)
	w.later(24 * time.Hour)
	w.as("lead").get("/plus/finance").is(http.StatusForbidden)
	v := w.as("auditor")
	searches := func() int { return w.count(`SELECT COUNT(*) FROM trail WHERE act = 'search trail' AND refused = ''`) }

	all := v.get("/plus/trail").is(http.StatusOK).says("h1", "Trail").says("th", "Time (UTC)").says("header .rooms", "Trail")
	form := func(changes ...string) *page {
		t.Helper()
		return v.get(v.post("/plus/trail", all.form("main form", changes...)).to()).is(http.StatusOK)
	}
	acts := func(p *page) string {
		var out []string
		p.Find("tbody td.words").Each(func(_ int, td *goquery.Selection) {
			out = append(out, strings.TrimSpace(strings.SplitN(td.Nodes[0].FirstChild.Data, "\n", 2)[0]))
		})
		return strings.Join(out, ", ")
	}
	reference := v.get("/plus/payments/" + id).words("h1")[len("Payment "):]
	for _, c := range []struct {
		name, want string
		changes    []string
	}{
		{"by login, refused", "Take evidence", []string{"who", "agent", "refused", "1"}},
		{"by a part of a name", "See what waits, Sign in", []string{"who", "castell"}},
		{"by name and day", "", []string{"who", "M. Castellano", "to", "2026-03-10"}},
		{"by day", "See what waits, Sign in", []string{"who", "lead", "from", "2026-03-11", "to", "2026-03-11"}},
		{"by act", "Take evidence", []string{"act", "take evidence"}},
		{"by client, act and person", "Send link", []string{"client", "100042", "who", "agent", "act", "send link"}},
		{"by reference and act", "Send link", []string{"object", reference, "act", "send link"}},
		{"by id", "Take evidence", []string{"object", id, "refused", "1"}},
		{"of nobody", "", []string{"client", "999999"}},
	} {
		before := searches()
		p := form(c.changes...)
		if got := acts(p); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if n := searches() - before; n != 1 {
			t.Errorf("%s: %d lines in the trail say so", c.name, n)
		}
		for i := 0; i < len(c.changes); i += 2 {
			field := p.Find(`[name="` + c.changes[i] + `"]`)
			if got := field.AttrOr("value", field.Find("[selected]").AttrOr("value", "")); got != c.changes[i+1] {
				t.Errorf("%s: the field %s has %q", c.name, c.changes[i], got)
			}
		}
	}
	p := form("object", reference, "act", "send link")
	p.has(`tbody a[href="/plus/payments/`+id+`"]`, 1).has(`tbody a[href="/plus/clients/100042"]`, 1).says("tbody", "J. Ortiz").says("tbody", "Mar 10, 2026 18:14:00")
	if got := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'search trail' AND detail = $1`, "of "+reference+", act send link"); got != 2 {
		t.Errorf("%d lines say what was searched", got)
	}
	form("who", ".").says("h2", "Whom do you mean").has(`.people a[href="/plus/trail?who=finance"]`, 1)
	form("who", "zzz").says("#trail-who-error", "Nobody among the staff").has("tbody", 0)
	for _, wrong := range []string{"(804) 555-0142", "8045550142"} {
		if p := v.post("/plus/trail", url.Values{"client": {wrong}}).is(http.StatusUnprocessableEntity).says("#trail-error", "no telephone numbers"); strings.Contains(p.body, wrong) {
			t.Error("a telephone number is shown again")
		}
	}
	v.post("/plus/trail", url.Values{"from": {"yesterday"}}).is(http.StatusUnprocessableEntity).says("#trail-error", "Write days as")
	v.post("/plus/trail", url.Values{"from": {"2026-03-11"}, "to": {"2026-03-10"}}).is(http.StatusUnprocessableEntity).says("#trail-error", "before the first")

	// Page by page every line is seen once, and further pages are no further searches.
	for i := range 120 {
		must(t, w.s.DB.Write(t.Context(), trail.Entry{ID: fmt.Sprintf("many-%03d", i), At: w.now().Add(-time.Duration(i/10) * time.Second), Actor: trail.BySystem, Act: "=tick", Object: "x", Detail: "-1+1"}))
	}
	before, seen := searches(), 0
	for at := trailSearch("act", "=tick"); at != ""; {
		p := v.get(at).is(http.StatusOK)
		seen += p.Find("tbody tr").Length()
		at = p.Find(`nav[aria-label^="Pages"] a:contains("Older")`).AttrOr("href", "")
	}
	if n := searches() - before; seen != 120 || n != 1 {
		t.Errorf("%d lines on all pages, of 120; %d searches", seen, n)
	}
	file := v.get(v.get(trailSearch("act", "=tick")).Find("a[download]").AttrOr("href", "")).is(http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(file.body)).ReadAll()
	must(t, err)
	if len(rows) != 121 || rows[1][4] != "'=tick" || rows[1][9] != "'-1+1" || !strings.Contains(file.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d rows, the first is %q", len(rows), rows[1])
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'export trail' AND actor_id = 'staff-auditor'`); n != 1 {
		t.Errorf("%d lines say that the file was taken", n)
	}
}

func trailSearch(name, value string) string {
	return "/plus/trail?" + url.Values{name: {value}}.Encode()
}
