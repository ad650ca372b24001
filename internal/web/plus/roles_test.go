package plus_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/demo"
	"paylink/internal/staff"
	"paylink/internal/testbed"
	"paylink/internal/web/plus"
)

// anybody may use a route without signing in.
const anybody = "anybody"

// use is a row of the table of who may use what: a route, the roles that may, and what they get. Everybody else gets otherwise, or 403, leaves a refusal in the trail and changes
// nothing; who is not signed in, and who was disabled, gets 401.
type use struct {
	route     string // method and pattern; its ids are replaced by those of real objects (see ids)
	roles     string // by spaces, or anybody
	gets      int
	otherwise int
	query     string
	form      url.Values
}

var uses = []use{
	{route: "GET /plus", roles: anybody, gets: 303},
	{route: "GET /plus/", roles: anybody, gets: 200},
	{route: "POST /plus/", roles: anybody, gets: 401, form: url.Values{"login": {"nobody"}, "password": {"x"}}},
	{route: "POST /plus/sign-out", roles: anybody, gets: 303},
	{route: "GET /plus/second-step", roles: anybody, gets: 401}, // who has given no password
	{route: "POST /plus/second-step", roles: anybody, gets: 401, form: url.Values{"code": {"123456"}}},
	{route: "POST /plus/passkey/ask", roles: anybody, gets: 404}, // at an address that is a number
	{route: "POST /plus/passkey", roles: anybody, gets: 404},
	{route: "GET /plus/sign-on", roles: anybody, gets: 404}, // where the company has no sign-in
	{route: "POST /plus/sign-on", roles: anybody, gets: 404},

	{route: "GET /plus/me", roles: "agent lead supervisor finance admin auditor", gets: 200},
	{route: "GET /plus/me/password", roles: "agent lead supervisor finance admin auditor", gets: 200},
	{route: "POST /plus/me/password", roles: "agent lead supervisor finance admin auditor", gets: 422, form: url.Values{"old": {demo.Password}, "new": {"short"}}},
	{route: "GET /plus/me/prove", roles: "agent lead supervisor finance admin auditor", gets: 200},
	{route: "POST /plus/me/prove", roles: "agent lead supervisor finance admin auditor", gets: 303, form: url.Values{"secret": {demo.Password}}},
	{route: "POST /plus/me/prove/passkey", roles: "agent lead supervisor finance admin auditor", gets: 404},
	{route: "GET /plus/me/codes", roles: "agent lead supervisor finance admin auditor", gets: 200},
	{route: "POST /plus/me/codes", roles: "agent lead supervisor finance admin auditor", gets: 400, form: url.Values{"box": {"forged"}, "code": {"123456"}}},
	{route: "POST /plus/me/codes/remove", roles: "agent lead supervisor finance admin auditor", gets: 303},
	{route: "POST /plus/me/recovery", roles: "agent lead supervisor finance admin auditor", gets: 403}, // without a second factor
	{route: "POST /plus/me/passkeys/ask", roles: "agent lead supervisor finance admin auditor", gets: 404},
	{route: "POST /plus/me/passkeys", roles: "agent lead supervisor finance admin auditor", gets: 404},
	{route: "POST /plus/me/passkeys/remove", roles: "agent lead supervisor finance admin auditor", gets: 404},
	{route: "POST /plus/me/sessions/end", roles: "agent lead supervisor finance admin auditor", gets: 303},

	{route: "GET /plus/clients", roles: "agent lead supervisor finance admin auditor", gets: 200, query: "q=b"},
	{route: "POST /plus/clients", roles: "agent lead supervisor finance admin auditor", gets: 303, form: url.Values{"q": {"(804) 555-0142"}}},
	{route: "GET /plus/clients/{id}", roles: "agent lead supervisor finance admin auditor", gets: 200},
	{route: "GET /plus/clients/{id}/live", roles: "agent lead supervisor finance admin auditor", gets: 200},
	{route: "POST /plus/clients/{id}/links", roles: "agent lead supervisor", gets: 303,
		form: url.Values{"vehicle": {"veh_dana_civic"}, "days": {"30"}, "shown": {"9858"}, "phone": {"(804) 555-0142"}, "key": {"roles-send"}}},

	{route: "POST /plus/clients/{id}/invoices", roles: "agent lead supervisor", gets: 303, form: url.Values{"for": {"veh_dana_civic"}, "fee": {"fee-VA-RIC-0 1 3500"}, "shown": {"3500"}, "key": {"roles-invoice"}}},
	{route: "GET /plus/invoices/{id}.pdf", roles: "agent lead supervisor finance admin auditor", gets: 200},
	{route: "GET /plus/invoices/{id}", roles: "agent lead supervisor finance admin auditor", gets: 200},
	{route: "GET /plus/clients/{id}/take", roles: "agent lead supervisor", gets: 303},
	{route: "POST /plus/clients/{id}/take", roles: "agent lead supervisor", gets: 422, form: url.Values{"vehicle": {"veh_dana_civic"}, "days": {"30"}, "shown": {"9858"}, "key": {"roles-take"}}},
	{route: "POST /plus/clients/{id}/notes", roles: "agent lead supervisor finance", gets: 303, form: url.Values{"text": {"Called back."}, "key": {"roles-note"}}},
	{route: "POST /plus/clients/{id}/invitation", roles: "agent lead supervisor", gets: 409, form: url.Values{"key": {"roles-invite"}}}, // in a town without a mail server
	{route: "POST /plus/clients/{id}/number", roles: "agent lead supervisor", gets: 303, form: url.Values{"phone": {"(804) 555-0143"}}},

	{route: "GET /plus/payments/{id}", roles: "supervisor finance auditor", gets: 200, otherwise: 303},
	{route: "GET /plus/payments/{id}/status", roles: "agent lead supervisor finance admin auditor", gets: 200},
	{route: "POST /plus/payments/{id}/resend", roles: "agent lead supervisor", gets: 410},
	{route: "POST /plus/payments/{id}/cancel", roles: "agent lead supervisor", gets: 410, form: url.Values{"reason": {"Wrong phone number"}}},
	{route: "GET /plus/payments/{id}/evidence.json", roles: "finance auditor", gets: 200},
	{route: "GET /plus/payments/{id}/evidence.pdf", roles: "finance auditor", gets: 200},
	{route: "POST /plus/payments/{id}/refund", roles: "finance", gets: 200, form: url.Values{"choice": {"whole"}, "why": {"x"}, "key": {"roles-refund"}}},
	{route: "POST /plus/payments/{id}/decide", roles: "finance", gets: 410, form: url.Values{"choice": {"refunded"}, "why": {"x"}}},
	{route: "POST /plus/payments/{id}/drop", roles: "finance", gets: 409, form: url.Values{"why": {"x"}}},
	{route: "POST /plus/payments/{id}/clear", roles: "finance", gets: 410, form: url.Values{"why": {"x"}}},
	{route: "GET /plus/links", roles: "agent lead supervisor auditor", gets: 200},
	{route: "GET /plus/links/list", roles: "agent lead supervisor auditor", gets: 200},
	{route: "GET /plus/links.csv", roles: "agent lead supervisor auditor", gets: 200},
	{route: "GET /plus/reports", roles: "supervisor auditor", gets: 200},
	{route: "GET /plus/reports/control", roles: "supervisor auditor", gets: 200},
	{route: "GET /plus/reports/{table}.csv", roles: "supervisor auditor", gets: 200},
	{route: "GET /plus/finance", roles: "supervisor finance auditor", gets: 200},

	{route: "GET /plus/admin", roles: "admin auditor", gets: 303, otherwise: 303},
	{route: "GET /plus/admin/staff", roles: "admin auditor", gets: 200},
	{route: "POST /plus/admin/staff", roles: "admin", gets: 201, form: url.Values{"login": {"roles"}, "name": {"R. Oles"}, "role": {"agent"}}},
	{route: "GET /plus/admin/staff/new", roles: "admin", gets: 200},
	{route: "GET /plus/admin/staff/{id}", roles: "admin auditor", gets: 200},
	{route: "POST /plus/admin/staff/{id}", roles: "admin", gets: 303, form: url.Values{"version": {"1"}, "name": {"G. One"}, "role": {"agent"}}},
	{route: "POST /plus/admin/staff/{id}/password", roles: "admin", gets: 200, form: url.Values{"version": {"2"}, "confirmed": {"1"}}},
	{route: "POST /plus/admin/staff/{id}/sessions", roles: "admin", gets: 303, form: url.Values{"version": {"3"}, "confirmed": {"1"}}},
	{route: "POST /plus/admin/staff/{id}/factors", roles: "admin", gets: 303, form: url.Values{"version": {"4"}, "confirmed": {"1"}}},
	{route: "POST /plus/admin/staff/{id}/enable", roles: "admin", gets: 303, form: url.Values{"version": {"5"}}},
	{route: "POST /plus/admin/staff/{id}/disable", roles: "admin", gets: 303, form: url.Values{"version": {"6"}, "confirmed": {"1"}}},
	{route: "GET /plus/admin/locations", roles: "admin auditor", gets: 200},
	{route: "POST /plus/admin/locations", roles: "admin", gets: 303,
		form: url.Values{"id": {"OH-CLE"}, "name": {"Cleveland, OH"}, "state": {"OH"}, "zone": {"America/New_York"}, "payments": {"not_configured"}}},
	{route: "GET /plus/admin/locations/new", roles: "admin", gets: 200},
	{route: "GET /plus/admin/locations/{id}", roles: "admin auditor", gets: 200},
	{route: "POST /plus/admin/locations/{id}", roles: "admin", gets: 303,
		form: url.Values{"version": {"1"}, "name": {"Harrisburg"}, "state": {"PA"}, "zone": {"America/New_York"}, "payments": {"configured"}}},
	{route: "GET /plus/admin/locations/{id}/rates", roles: "admin auditor", gets: 200},
	{route: "POST /plus/admin/locations/{id}/rates", roles: "admin", gets: 200,
		form: url.Values{"version": {"2"}, "tax": {"5"}, "iid": {"3"}, "pam": {"5"}, "loss_protection": {"0.16"}, "state_fee": {"0"}, "labor_fee": {"0"}}},
	{route: "GET /plus/admin/locations/{id}/fees", roles: "admin auditor", gets: 200},
	{route: "POST /plus/admin/locations/{id}/fees", roles: "admin", gets: 303, form: url.Values{"version": {"2"}, "name": {"Report"}, "kind": {"administrative"}, "amount": {"10"}}},
	{route: "GET /plus/admin/locations/{id}/fees/{fee}", roles: "admin auditor", gets: 200},
	{route: "POST /plus/admin/locations/{id}/fees/{fee}", roles: "admin", gets: 303, form: url.Values{"version": {"3"}, "name": {"Handset"}, "kind": {"equipment"}, "amount": {"10"}}},
	{route: "POST /plus/admin/locations/{id}/fees/{fee}/restore", roles: "admin", gets: 303, form: url.Values{"version": {"4"}}},
	{route: "POST /plus/admin/locations/{id}/fees/{fee}/retire", roles: "admin", gets: 303, form: url.Values{"version": {"5"}, "confirmed": {"1"}}},
	{route: "GET /plus/admin/terms", roles: "admin auditor", gets: 200},
	{route: "POST /plus/admin/terms", roles: "admin", gets: 422, form: url.Values{"after": {"1"}}},
	{route: "GET /plus/admin/terms/new", roles: "admin", gets: 200},
	{route: "GET /plus/admin/terms/{version}", roles: "admin auditor", gets: 200},
	{route: "GET /plus/trail", roles: "auditor", gets: 200, query: "who=agent&refused=1"},
	{route: "POST /plus/trail", roles: "auditor", gets: 303, form: url.Values{"who": {"agent"}}},
	{route: "GET /plus/trail.csv", roles: "auditor", gets: 200, query: "client=100042"},
}

// ids are the real objects that stand in for a pattern's ids: by the pattern's beginning, the longest that fits.
func ids(payment string) map[string]string {
	return map[string]string{
		"/plus/clients/{id}":  "/plus/clients/100042",
		"/plus/payments/{id}": "/plus/payments/" + payment,
		"/plus/invoices/{id}": "/plus/invoices/inv-demo-veh_dana_civic-0",

		"/plus/admin/staff/{id}":                "/plus/admin/staff/staff-gone",
		"/plus/admin/locations/{id}":            "/plus/admin/locations/PA-HAR",
		"/plus/admin/locations/{id}/fees/{fee}": "/plus/admin/locations/PA-HAR/fees/fee-PA-HAR-17",
		"/plus/admin/terms/{version}":           "/plus/admin/terms/1",
		"/plus/reports/{table}":                 "/plus/reports/funnel",
	}
}

func (u use) may(role string) bool {
	return u.roles == anybody || slices.Contains(strings.Fields(u.roles), role)
}

// address is that of the route for real objects.
func (u use) address(ids map[string]string) string {
	_, path, _ := strings.Cut(u.route, " ")
	longest := ""
	for pattern := range ids {
		if strings.HasPrefix(path, pattern) && len(pattern) > len(longest) {
			longest = pattern
		}
	}
	path = ids[longest] + strings.TrimPrefix(path, longest)
	if u.query != "" {
		path += "?" + u.query
	}
	return path
}

func (u use) by(v *visitor, ids map[string]string) *page {
	if strings.HasPrefix(u.route, http.MethodPost) {
		return v.post(u.address(ids), u.form)
	}
	return v.get(u.address(ids))
}

// routes are all that the door serves, as "METHOD pattern": the router knows the patterns, and each route says which methods it takes.
func (w *town) routes(ids map[string]string) []string {
	w.t.Helper()
	r := mux.NewRouter()
	plus.Mount(r, plus.Config{Sessions: plus.NewSessions(nil, w.now)})
	return testbed.Routes(w.t, r, func(pattern string) string {
		return w.visitor().do(http.MethodDelete, use{route: "DELETE " + pattern}.address(ids), nil).is(http.StatusMethodNotAllowed).header.Get("Allow")
	})
}

// still is the books but for the trail, and how many refusals the trail holds.
func (w *town) still() (facts string, refusals int) {
	w.t.Helper()
	var lines []string
	for line := range strings.SplitSeq(w.facts(), "\n") {
		if !strings.HasPrefix(line, "trail ") && !strings.HasPrefix(line, "trail_heads ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n"), w.count(`SELECT COUNT(*) FROM trail WHERE refused <> ''`)
}

// Every route that the door serves has a row in the table, and every role gets what the table says.
func TestWhoMayUseEveryRoute(t *testing.T) {
	w := newTown(t)
	payment := w.sold(w.as("agent"))
	ids := ids(payment)
	served := w.routes(ids)
	if len(served) < 15 {
		t.Fatalf("only %d routes are found: %q", len(served), served)
	}
	for _, route := range served {
		if !slices.ContainsFunc(uses, func(u use) bool { return u.route == route }) {
			t.Errorf("%s: nothing says who may use it; give it a row in the table of uses", route)
		}
	}
	for _, u := range uses {
		if !slices.Contains(served, u.route) {
			t.Errorf("%s is in the table, and the door does not serve it", u.route)
		}
	}

	people := map[string]*visitor{}
	for _, role := range staff.Roles() {
		people[string(role)] = w.as(string(role))
	}
	gone := w.disabled("agent")
	w.settled()
	for _, u := range uses {
		if u.roles == anybody {
			u.by(w.visitor(), ids).is(u.gets)
		}
	}
	facts, refusals := w.still()
	for _, u := range uses {
		if u.roles == anybody {
			continue
		}
		// First those who may not: nothing changes, and each leaves a refusal.
		for who, v := range map[string]*visitor{"nobody": w.visitor(), "somebody disabled": gone()} {
			if p := u.by(v, ids); p.status != http.StatusUnauthorized {
				t.Errorf("%s: %s gets %d", u.route, who, p.status)
			}
		}
		if now, n := w.still(); now != facts || n != refusals {
			t.Fatalf("%s: who is not signed in changes something, or leaves %d refusals", u.route, n-refusals)
		}
		for _, role := range staff.Roles() {
			if u.may(string(role)) {
				continue
			}
			p := u.by(people[string(role)], ids)
			want := u.otherwise
			if want == 0 {
				want = http.StatusForbidden
				refusals++
			}
			now, n := w.still()
			if p.status != want || now != facts || n != refusals {
				t.Errorf("%s: %s gets %d, want %d; %d refusals, want %d more; changed: %v", u.route, role, p.status, want, n, refusals-n, now != facts)
			}
			facts, refusals = now, n
		}
	}
	for _, u := range uses {
		want := u.gets
		for _, role := range staff.Roles() {
			if u.roles == anybody || !u.may(string(role)) {
				continue
			}
			if p := u.by(people[string(role)], ids); p.status != want {
				t.Errorf("%s: %s gets %d, want %d: %s", u.route, role, p.status, want, p.words("h1"))
			}
		}
	}
}

// settled waits until nothing happens by itself any more.
func (w *town) settled() {
	w.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for before := ""; ; time.Sleep(50 * time.Millisecond) {
		payments, messages, err := w.s.DB.Due(w.t.Context(), 1)
		must(w.t, err)
		now := w.facts()
		if len(payments)+len(messages) == 0 && now == before {
			return
		}
		if before = now; time.Now().After(deadline) {
			w.t.Fatal("something goes on and on")
		}
	}
}

// disabled is somebody who was disabled after signing in: each call returns them with the session that they had.
func (w *town) disabled(login string) func() *visitor {
	w.t.Helper()
	m := demo.Staff()[slices.IndexFunc(demo.Staff(), func(m staff.Member) bool { return m.Login == login })]
	m.ID, m.Login, m.Email = "staff-gone", "gone", ""
	must(w.t, w.s.DB.AddMember(w.t.Context(), m))
	var had [][2]string
	before := w.sessions()
	v := w.as("gone")
	v.get("/plus/clients?q=x").is(http.StatusOK)
	for token, data := range w.sessions() {
		if _, ok := before[token]; !ok {
			had = append(had, [2]string{token, data})
		}
	}
	if len(had) != 1 {
		w.t.Fatalf("%d sessions", len(had))
	}
	_, err := w.books.Exec(`UPDATE staff SET disabled = 1 WHERE id = 'staff-gone'`)
	must(w.t, err)
	cookies := v.cookies
	return func() *visitor {
		w.t.Helper()
		_, err := w.books.Exec(`INSERT INTO sessions (token, data, expires_ms) VALUES ($1, $2, $3) ON CONFLICT (token) DO NOTHING`, had[0][0], had[0][1], w.now().Add(time.Hour).UnixMilli())
		must(w.t, err)
		return &visitor{w: w, cookies: cookies, headers: map[string]string{}}
	}
}

func (w *town) sessions() map[string]string {
	w.t.Helper()
	rows, err := w.books.Query(`SELECT token, data FROM sessions`)
	must(w.t, err)
	defer func() { _ = rows.Close() }()
	out := map[string]string{}
	for rows.Next() {
		var token, data string
		must(w.t, rows.Scan(&token, &data))
		out[token] = data
	}
	must(w.t, rows.Err())
	return out
}

// A supervisor who is limited to Harrisburg finds nothing of Richmond by any address that leads there, and reads of it in no list and no count.
func TestASupervisorsPagesHoldNothingOfElsewhere(t *testing.T) {
	w := newTown(t)
	payment := w.sold(w.as("agent"))
	_, err := w.books.Exec(`UPDATE payments SET held = 1 WHERE id = $1`, payment)
	must(t, err)
	invoice := ""
	must(t, w.books.QueryRow(`SELECT id FROM invoices WHERE payment_id = $1`, payment).Scan(&invoice))
	v := w.as("supervisor")
	v.get("/plus/finance").is(http.StatusOK).says(".waits", "Dana").says("header .rooms", "1 waiting")
	_, err = w.books.Exec(`UPDATE staff SET locations = 'PA-HAR' WHERE login = 'supervisor'`)
	must(t, err)
	for _, address := range []string{
		"/plus/clients/100042", "/plus/clients/100042?tab=history", dana, "/plus/payments/" + payment, "/plus/payments/" + payment + "/status", "/plus/invoices/" + invoice, "/plus/invoices/" + invoice + ".pdf",
		"/plus/clients/100045?payment=" + payment,
	} {
		if p := v.get(address).is(http.StatusNotFound); strings.Contains(p.body, "Dana") || strings.Contains(p.body, "Whitfield") {
			t.Errorf("%s tells whose it is", address)
		}
	}
	v.post("/plus/clients/100042/links", url.Values{"vehicle": {"veh_dana_civic"}, "days": {"30"}, "shown": {"9858"}, "phone": {"(804) 555-0142"}, "key": {"x"}}).is(http.StatusNotFound)
	v.get("/plus/clients?q=whitfield").is(http.StatusOK).has("ul.people", 0)
	if p := v.get("/plus/finance").is(http.StatusOK).has(".waits", 0); strings.Contains(p.words("header"), "waiting") {
		t.Error("the header counts what is elsewhere")
	}
	for _, address := range []string{"/plus/links", "/plus/reports"} {
		if p := v.get(address).is(http.StatusOK); strings.Contains(p.body, "Whitfield") || strings.Contains(p.body, "Richmond") {
			t.Errorf("%s tells of elsewhere", address)
		}
	}
	v.get("/plus/clients/100045").is(http.StatusOK)
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE actor_id = 'staff-supervisor' AND refused = 'outside of their locations'`); n < 8 {
		t.Errorf("%d lines say that it was asked for", n)
	}
}
