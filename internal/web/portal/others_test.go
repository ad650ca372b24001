package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"paylink/internal/testbed"
	"paylink/internal/web/portal"
)

// ask is a row: how a route is asked for what somebody else has. In its address and its form, "<card>" stands for the id of a card of the other client, and "<own card>" for one of the
// client who asks (see things). A route that takes several ids has a row for each of them, in which all others are the asker's own.
type ask struct {
	route  string // method and pattern
	at     string // the address with its query; "" is the pattern itself
	form   url.Values
	json   string // instead of a form: what a script sends
	anyone bool   // may call it without being signed in
}

var asks = []ask{
	{route: "GET /my", anyone: true},
	{route: "GET /my/", anyone: true},
	{route: "POST /my/", anyone: true},
	{route: "POST /my/sign-out", anyone: true},
	{route: "GET /my/forgot", anyone: true},
	{route: "POST /my/forgot", anyone: true},
	{route: "GET /my/reset", anyone: true},
	{route: "POST /my/reset", anyone: true},
	{route: "POST /my/passkey/ask", anyone: true}, // at an address that is a number, there are no passkeys
	{route: "POST /my/passkey", anyone: true},
	{route: "GET /my/passkeys"},
	{route: "POST /my/passkeys"},
	{route: "POST /my/passkeys/ask"},
	{route: "POST /my/passkeys/remove"},
	{route: "GET /my/password"},
	{route: "POST /my/password"},
	{route: "GET /my/invoices"},
	{route: "GET /my/invoices", at: "/my/invoices?of=<vehicle>"},
	{route: "GET /my/invoices/{id}", at: "/my/invoices/<invoice>"},
	{route: "GET /my/invoices/{id}/pdf", at: "/my/invoices/<invoice>/pdf"},
	{route: "GET /my/notices"},
	{route: "POST /my/notices"},
	{route: "GET /my/profile"},
	{route: "POST /my/profile/language"},
	{route: "GET /my/sessions"},
	{route: "GET /my/send", at: "/my/send?vehicle=<vehicle>"},
	{route: "POST /my/send", form: url.Values{"vehicle": {"<vehicle>"}, "days": {"30"}, "shown": {"9858"}, "key": {"c"}, "phone": {"804 555 0161"}, "payer": {"Kit"}, "consent": {"yes"}}},
	{route: "GET /my/send/{payment}", at: "/my/send/<link>"},
	{route: "POST /my/send/{payment}/resend", at: "/my/send/<link>/resend"},
	{route: "POST /my/send/{payment}/cancel", at: "/my/send/<link>/cancel"},
	{route: "GET /my/auto-pay"},
	{route: "POST /my/auto-pay", form: url.Values{"days": {"14"}, "was": {"30"}, "agreed": {"yes"}, "card": {"none"}}},
	{route: "GET /my/auto-pay/off"},
	{route: "POST /my/auto-pay/off"},
	{route: "POST /my/sessions", form: url.Values{"id": {"<session>"}}},
	{route: "GET /my/appointments"},
	{route: "GET /my/appointments/{id}", at: "/my/appointments/<appointment>"},
	{route: "GET /my/appointments/{id}/confirm", at: "/my/appointments/<appointment>/confirm?location=VA-RIC&time=2026-03-19T10:00"},
	{route: "POST /my/appointments/{id}", at: "/my/appointments/<appointment>", form: url.Values{"location": {"VA-RIC"}, "time": {"2026-03-19T10:00"}, "seen": {"2026-03-22T13:30:00Z VA-RIC"}}},
	{route: "GET /my/profile"},
	{route: "POST /my/profile/texts", form: url.Values{"texts": {"off"}}},
	{route: "GET /my/profile/mail"},
	{route: "POST /my/profile/mail"},
	{route: "POST /my/profile/mail/code"},
	{route: "GET /my/profile/phone"},
	{route: "POST /my/profile/phone"},
	{route: "POST /my/profile/phone/code"},
	{route: "GET /my/profile/vehicles/{id}", at: "/my/profile/vehicles/<vehicle>"},
	{route: "POST /my/profile/vehicles/{id}", at: "/my/profile/vehicles/<vehicle>", form: url.Values{"plate": {"XYZ-9"}, "state": {"VA"}, "seen": {"ABC-1234"}, "seen_state": {"VA"}}},
	{route: "POST /my/profile/language", form: url.Values{"language": {"es"}}},
	{route: "GET /my/pay", at: "/my/pay?vehicle=<vehicle>"},
	{route: "POST /my/pay", form: url.Values{"vehicle": {"<vehicle>"}, "days": {"30"}, "shown": {"9858"}, "shown_to": {"2026-04-09"}, "key": {"a"}, "method": {"<own card>"}, "terms": {"1"}}},
	{route: "POST /my/pay", form: url.Values{"vehicle": {"<own vehicle>"}, "days": {"30"}, "shown": {"9858"}, "shown_to": {"2026-04-09"}, "key": {"b"}, "method": {"<card>"}, "terms": {"1"}}},
	{route: "GET /my/pay/{payment}", at: "/my/pay/<payment>"},
	{route: "POST /my/pay/{payment}/continue", at: "/my/pay/<payment>/continue", json: `{"auto_pay": ""}`},
	{route: "POST /my/pay/{payment}/give-up", at: "/my/pay/<payment>/give-up"},
	{route: "GET /my/cards"},
	{route: "POST /my/cards", json: `{"setup": "seti_<setup>"}`},
	{route: "GET /my/cards/add"},
	{route: "POST /my/cards/setup", json: `{"terms": "card-1"}`},
	{route: "POST /my/cards/{card}/main", at: "/my/cards/<card>/main"},
	{route: "GET /my/cards/{card}/remove", at: "/my/cards/<card>/remove"},
	{route: "POST /my/cards/{card}/remove", at: "/my/cards/<card>/remove"},
	{route: "POST /my/cards/{card}/remove", at: "/my/cards/<own card>/remove", form: url.Values{"take_over": {"<card>"}}},
}

// things find one of what a client has, by kind.
var things = map[string]string{
	"session":     `SELECT id FROM client_sessions WHERE client_id = $1 AND ended_ms = 0 LIMIT 1`,
	"vehicle":     `SELECT id FROM vehicles WHERE client_id = $1 LIMIT 1`,
	"card":        `SELECT id FROM cards WHERE client_id = $1 AND removed_ms = 0 ORDER BY added_ms LIMIT 1`,
	"payment":     `SELECT id FROM payments WHERE client_id = $1 AND door = 'client' LIMIT 1`,
	"setup":       `SELECT SUBSTR(id, 6) FROM card_setups WHERE client_id = $1 LIMIT 1`,
	"link":        `SELECT id FROM payments WHERE client_id = $1 AND door = 'link' AND by_kind = 'client' LIMIT 1`,
	"invoice":     `SELECT id FROM invoices WHERE client_id = $1 LIMIT 1`,
	"appointment": `SELECT id FROM appointments WHERE client_id = $1 AND state = 'booked' ORDER BY starts_ms LIMIT 1`,
}

var thing = regexp.MustCompile(`<(own )?([a-z ]+)>`)

// fill puts real ids into a text: the other's as they are in theirs, for each kind of thing.
func (w *town) fill(text, own string, theirs func(kind string) string) string {
	return thing.ReplaceAllStringFunc(text, func(place string) string {
		m := thing.FindStringSubmatch(place)
		if m[1] != "" {
			return w.thing(m[2], own)
		}
		return theirs(m[2])
	})
}

func (w *town) thing(kind, clientID string) (id string) {
	w.t.Helper()
	if err := w.books.QueryRow(things[kind], clientID).Scan(&id); err != nil {
		w.t.Fatalf("client %s has no %s: %v", clientID, kind, err)
	}
	return id
}

// others is every row of the books that is not this client's.
func (w *town) others(than string) []string {
	w.t.Helper()
	return slices.DeleteFunc(testbed.Rows(w.t, w.books), func(line string) bool { return strings.Contains(line+" ", " client_id="+than+" ") })
}

// asked calls a row's route.
func (a ask) asked(v *visitor, own string, theirs func(kind string) string) *page {
	method, path, _ := strings.Cut(a.route, " ")
	if a.at != "" {
		path = a.at
	}
	path = v.w.fill(path, own, theirs)
	if method == http.MethodGet {
		return v.get(path)
	}
	if a.json != "" {
		return v.json(path, v.w.fill(a.json, own, theirs))
	}
	form := url.Values{}
	for name, values := range a.form {
		for _, value := range values {
			form.Add(name, v.w.fill(value, own, theirs))
		}
	}
	return v.post(path, form)
}

func (a ask) namesTheirs() bool {
	return slices.ContainsFunc(thing.FindAllStringSubmatch(a.at+" "+a.json+" "+decoded(a.form), -1), func(m []string) bool { return m[1] == "" })
}

func decoded(form url.Values) string {
	var out []string
	for _, values := range form {
		out = append(out, values...)
	}
	return strings.Join(out, " ")
}

// A client reaches nothing of another client, by whatever route: what another has is told apart from what nobody has by nothing.
func TestAClientReachesNothingOfAnother(t *testing.T) {
	w := newTown(t)
	const theirs, own = "100042", "100047" // who asks has things of every kind too
	w.as(theirs)
	_, err := w.books.Exec(`UPDATE cards SET client_id = $1 WHERE client_id = '100045'`, theirs)
	must(t, err)
	begun := w.as(theirs)
	begun.script("/my/pay", begun.get("/my/pay").pressed("new", w.enter("", "4000000000000002"), ""), http.StatusPaymentRequired)
	begun.post("/my/send", begun.get("/my/send").form("form.panel", "phone", "804 555 0161", "payer", "Kit", "consent", "yes")).is(http.StatusSeeOther)
	w.comes("the text, at its phone", `SELECT COUNT(*) FROM messages WHERE status = 'delivered'`, 1) // what is on its way changes by itself
	w.as(theirs).json("/my/cards/setup", `{"terms": "card-1"}`).is(http.StatusOK)
	v := w.as(own)
	r := mux.NewRouter()
	portal.Mount(r, portal.Config{})
	served := testbed.Routes(t, r, func(pattern string) string {
		return w.visitor().do(http.MethodDelete, strings.NewReplacer("{", "", "}", "").Replace(pattern), nil).is(http.StatusMethodNotAllowed).header.Get("Allow")
	})
	if len(served) < 8 {
		t.Fatalf("only %d routes are found: %q", len(served), served)
	}
	for _, route := range served {
		if !slices.ContainsFunc(asks, func(a ask) bool { return a.route == route }) {
			t.Errorf("%s: give it a row in the table of asks, with another client’s ids or without any", route)
		}
	}
	marks := []string{theirs, "Dana", "Whitfield", "Civic", "ABC-1234"}
	for _, kind := range []string{"vehicle", "card", "invoice", "appointment"} {
		marks = append(marks, w.thing(kind, theirs))
	}
	before := w.others(own)
	unchanged := func(what string) {
		t.Helper()
		if now := w.others(own); !slices.Equal(now, before) {
			t.Fatalf("%s: something of others’ has changed:\n%s", what, strings.Join(slices.DeleteFunc(now, func(line string) bool { return slices.Contains(before, line) }), "\n"))
		}
	}
	for _, a := range asks {
		if !slices.Contains(served, a.route) {
			t.Errorf("%s is in the table, and the door does not serve it", a.route)
			continue
		}
		name := a.route + " " + a.at + " " + decoded(a.form)
		if !a.anyone {
			if p := a.asked(w.visitor(), own, func(kind string) string { return w.thing(kind, theirs) }); p.status != http.StatusUnauthorized {
				t.Errorf("%s: who is not signed in gets %d", name, p.status)
			}
		}
		if !a.namesTheirs() {
			if strings.Contains(a.route, "{") {
				t.Errorf("%s takes an id, and is not asked with another client’s", name)
			}
			if strings.HasPrefix(a.route, http.MethodGet) {
				p := a.asked(v, own, nil)
				for _, mark := range marks {
					if strings.Contains(p.body, mark) {
						t.Errorf("%s tells of %q", name, mark)
					}
				}
			}
			continue
		}
		p := a.asked(v, own, func(kind string) string { return w.thing(kind, theirs) })
		nobodys := a.asked(v, own, func(string) string { return "nobodys" })
		if p.status != http.StatusNotFound || nobodys.status != http.StatusNotFound {
			t.Errorf("%s: another’s gives %d, nobody’s %d: %s", name, p.status, nobodys.status, p.words("main"))
		}
		text := func(p *page) string {
			p.Find("main .small").Remove() // the answer's own reference
			return p.words("body")
		}
		if a, b := text(p), text(nobodys); a != b {
			t.Errorf("%s: another’s says %q, nobody’s %q", name, a, b)
		}
		for _, mark := range marks {
			if strings.Contains(p.body, mark) {
				t.Errorf("%s tells of %q", name, mark)
			}
		}
		unchanged(name)
	}
	unchanged("all of it")
}
