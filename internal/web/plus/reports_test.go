package plus_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"paylink/bench/past"
	"paylink/internal/demo"
	"paylink/internal/seal"
	"paylink/internal/staff"
)

// member adds somebody to the staff, with the demonstration's password.
func (w *town) member(m staff.Member) *visitor {
	w.t.Helper()
	m.ID, m.Name, m.PasswordHash = "staff-"+m.Login, "Somebody", demo.Staff()[0].PasswordHash
	must(w.t, w.s.DB.AddMember(w.t.Context(), m))
	return w.as(m.Login)
}

// A link that is sent, and what becomes of it, is read on the board by those whose it is, and counted in the reports.
func TestLinksAreSeenByThoseWhoseTheyAre(t *testing.T) {
	w := newTown(t)
	agent := w.as("agent")
	w.sold(agent)
	gene := agent.get("/plus/clients/100051?panel=send&vehicle=veh_gene_silverado&days=30").is(http.StatusOK).form("#send", "phone", "(804) 555-0177", "payer", "Ana, a sister", "consent", "yes", "language", "es")
	agent.post("/plus/clients/100051/links", gene).is(http.StatusSeeOther)

	rows := "#board tbody tr"
	agent.get("/plus/links").is(http.StatusOK).says("h1", "Your links").has(rows, 2).says(rows, "Gene Abernathy").says(rows, "••0177").says(rows, "10:00").says(rows, "Paid")
	for who, v := range map[string]*visitor{
		"the lead of the team": w.as("lead"), "a supervisor of all": w.as("supervisor"), "the auditor": w.as("auditor"),
		"a supervisor of the team": w.member(staff.Member{Login: "s1", Role: staff.Supervisor, Teams: []string{"Team East"}}),
	} {
		if n := v.get("/plus/links").is(http.StatusOK).says("h1", "The team’s links").Find(rows).Length(); n != 2 {
			t.Errorf("%s sees %d links", who, n)
		}
	}
	knoxville := w.member(staff.Member{Login: "s3", Role: staff.Supervisor, Locations: []string{"TN-KNX"}})
	for who, c := range map[string]struct {
		v    *visitor
		want int
	}{
		"another agent": {w.member(staff.Member{Login: "a2", Role: staff.Agent, Team: "Team East"}), 0}, "another team's lead": {w.member(staff.Member{Login: "l2", Role: staff.Lead, Team: "Team West"}), 0},
		"a supervisor of another team": {w.member(staff.Member{Login: "s2", Role: staff.Supervisor, Teams: []string{"Team West"}}), 0}, "a supervisor of one location": {knoxville, 1},
	} {
		for _, query := range []string{"", "?agent=staff-agent", "?team=Team+East", "?location=TN-KNX", "?state=TN", "?period=30&agent=staff-agent&location=TN-KNX"} {
			if n := c.v.get("/plus/links" + query).is(http.StatusOK).Find(rows).Length(); n != c.want {
				t.Errorf("%s sees %d links by %q", who, n, query)
			}
			if lines := c.v.file("/plus/links.csv" + query); len(lines) != c.want+1 {
				t.Errorf("%s downloads %d links by %q", who, len(lines)-1, query)
			}
		}
	}
	if got := w.as("supervisor").get("/plus/links?location=VA-RIC").Find(rows).Length(); got != 1 {
		t.Errorf("%d links of Richmond", got)
	}
	// Reports have the same scope, in every number of every table.
	knoxville.get("/plus/reports?period=today").is(http.StatusOK).says(".headlines", "Links sent1").says("#groups + .quiet-text ~ div tbody", "J. Ortiz1")
	if lines := knoxville.file("/plus/reports/funnel.csv?by=location"); len(lines) != 3 || lines[1][0] != "Knoxville, TN" || lines[2][1] != "1" {
		t.Errorf("of Knoxville: %q", lines)
	}
	if lines := knoxville.file("/plus/reports/funnel.csv?by=location&location=VA-RIC"); len(lines) != 2 || lines[1][1] != "0" {
		t.Errorf("of Richmond: %q", lines)
	}
	if lines := w.as("supervisor").file("/plus/reports/funnel.csv?by=language"); len(lines) != 4 || lines[1][0] != "English" || lines[1][5] != "1" || lines[2][5] != "0" || lines[3][1] != "2" || lines[3][5] != "1" {
		t.Errorf("by language: %q", lines)
	}
	w.later(11 * time.Minute) // Gene's has expired, whether or not the sweeper has come by
	agent.get("/plus/links?outcome=expired").has(rows, 1).says(rows, "Expired")
}

// file is a downloaded table.
func (v *visitor) file(path string) [][]string {
	v.w.t.Helper()
	p := v.get(path).is(http.StatusOK)
	text, marked := strings.CutPrefix(p.body, "\ufeff")
	if !marked || p.header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(p.header.Get("Content-Disposition"), `attachment; filename="paylink-`) || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		v.w.t.Errorf("%s is no file for a spreadsheet: %q, %q", path, p.header, text)
	}
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord = -1
	lines, err := reader.ReadAll()
	must(v.w.t, err)
	return lines
}

func TestReportsReadAsTheyAreFiltered(t *testing.T) {
	w := newTown(t)
	conn, err := w.books.Conn(t.Context())
	must(t, err)
	key, err := seal.New(townKey())
	must(t, err)
	must(t, past.Fill(t.Context(), conn, past.Config{Keys: key, Seed: 5, Links: 600, From: start.AddDate(0, 0, -20), To: start, Locations: demo.Data(start).Locations, Password: "x"}))
	must(t, conn.Close())
	_, err = w.books.Exec(`UPDATE staff SET name = '=HYPERLINK("x")' WHERE id = 'past-1'; UPDATE staff SET phone = '+18045550199' WHERE id = 'past-2'`)
	must(t, err)
	v := w.as("supervisor")
	p := v.get("/plus/reports?period=30&by=location&sort=funnel.-1").is(http.StatusOK)
	sent := w.count(`SELECT COUNT(*) FROM payments WHERE door = 'link'`)
	if got := strings.ReplaceAll(p.words(".headlines > div:nth-child(2) dd"), ",", ""); !strings.HasPrefix(got, strconv.Itoa(sent)) {
		t.Errorf("%q of %d links", got, sent)
	}
	p.has(`svg[role="img"] > title`, 3).has("section.chart", 9).has(`th[aria-sort="descending"]`, 1).has("[style]", 0)
	// A number leads to its links.
	paid := p.Find(`section[aria-labelledby="funnel-chart"] li:nth-child(4)`)
	address, _ := paid.Find("a").Attr("href")
	v.get(address).is(http.StatusOK).says("#board .title b", strings.Fields(paid.Find("b").Text())[0]+" links").has("#board tbody tr", 50)
	// Pages of the list hold each link once.
	seen := map[string]bool{}
	for next := "/plus/links?period=30&outcome=cancelled"; next != ""; {
		page := v.get(next).is(http.StatusOK)
		for _, row := range page.Find("#board tbody tr a").EachIter() {
			seen[row.AttrOr("href", "")] = true
		}
		next = ""
		if last := page.Find("#board > .row a").Last(); last.Text() == "Older links" {
			next = last.AttrOr("href", "")
		}
	}
	if want := w.count(`SELECT COUNT(*) FROM payments WHERE door = 'link' AND state = 'revoked'`); len(seen) != want {
		t.Errorf("%d cancelled links on all pages, want %d", len(seen), want)
	}
	// What a spreadsheet would take for a formula, it does not.
	harmless := 0
	for _, line := range v.file("/plus/reports/funnel.csv?period=30") {
		if strings.HasPrefix(line[0], "=") {
			t.Errorf("a formula: %q", line)
		}
		if line[0] == `'=HYPERLINK("x")` {
			harmless++
		}
	}
	if harmless != 1 {
		t.Errorf("%d lines of somebody with a strange name", harmless)
	}
	for _, table := range []string{"speed", "over", "declines", "recovery", "blocked", "autopay", "reconciliation", "numbers", "changed", "staff"} {
		v.file("/plus/reports/" + table + ".csv?period=30")
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE actor_id = 'staff-supervisor' AND act = 'download report' AND detail LIKE '%to Mar 10, 2026%'`); n != 11 {
		t.Errorf("%d downloads are in the trail", n)
	}
	control := v.get("/plus/reports/control?period=30").is(http.StatusOK)
	if text := control.body; strings.Contains(text, "8045550199") || strings.Contains(text, "+1") {
		t.Error("the control list shows a whole number")
	}
	v.get("/plus/reports/nothing.csv").is(http.StatusNotFound)
	v.get("/plus/reports?period=today&agent=nobody").is(http.StatusOK).says(".empty", "No link was sent in this time.")
	for query, want := range map[string]string{
		"from=2026-03-09&to=2026-03-01": "The last day is before the first.", "from=2024-03-09&to=2026-03-01": "more than 400 days", "from=2026-02-30&to=2026-03-01": "Enter the first and the last day.", "period=custom": "Enter the first",
	} {
		v.get("/plus/reports?"+query).is(http.StatusUnprocessableEntity).says("#days-error", want).has(".headlines", 0)
		v.get("/plus/links?"+query).is(http.StatusUnprocessableEntity).says("#days-error", want)
		v.get("/plus/reports/control?"+query).is(http.StatusUnprocessableEntity).says("#days-error", want)
		v.get("/plus/reports/funnel.csv?" + query).is(http.StatusUnprocessableEntity)
	}
	v.get("/plus/reports?days=x").is(http.StatusBadRequest)
	v.get("/plus/links?outcome=x").is(http.StatusBadRequest)
	v.get("/plus/links?" + url.Values{"agent": {strings.Repeat("x", 101)}}.Encode()).is(http.StatusBadRequest)
}

// What can't be sent counts for its location, once a day for each agent, and leaves an entry.
func TestWhatCannotBeSentIsCounted(t *testing.T) {
	w := newTown(t)
	agent := w.as("agent")
	for range 2 {
		agent.get("/plus/clients/100050?panel=send&vehicle=veh_rita_focus&days=30").is(http.StatusOK)
	}
	agent.get("/plus/clients/100044?panel=send&vehicle=veh_tess_rav4&days=14").is(http.StatusOK)
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'quote' AND refused LIKE 'no payment can be sent%' AND client_id IN ('100050', '100044')`); n != 2 {
		t.Errorf("%d entries", n)
	}
	// A form that was open when the account went to collections.
	form := agent.get(dana).form("#send")
	_, err := w.books.Exec(`UPDATE clients SET collections = 1 WHERE id = '100042'`)
	must(t, err)
	agent.post("/plus/clients/100042/links", form)
	v := w.as("supervisor")
	p := v.get("/plus/reports?period=today&by=location").is(http.StatusOK).says(`section[aria-labelledby="blocked-chart"]`, "3 times an agent could send nothing")
	p.says(`section[aria-labelledby="blocked-chart"]`, "Richmond, VA2 66.7%").says(`section[aria-labelledby="blocked-chart"] tbody`, "Account in collections2")
	if lines := v.file("/plus/reports/blocked.csv?location=MD-BAL"); len(lines) != 2 || lines[1][1] != "Location not set up for payments" || lines[1][2] != "1" {
		t.Errorf("of Baltimore: %q", lines)
	}
}
