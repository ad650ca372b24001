// Package plus is PLUS Web, the door of the people who work here: find a client, quote, send a secure payment link, follow it.
package plus

import (
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/mux"

	"paylink/internal/desk/admin"
	"paylink/internal/desk/agent"
	"paylink/internal/desk/office"
	"paylink/internal/desk/signin"
	"paylink/internal/desk/supervisor"
	"paylink/internal/lang"
	"paylink/internal/phone"
	"paylink/internal/staff"
	"paylink/internal/web"
)

// Config is what the door needs. All fields are required.
type Config struct {
	Desk       *agent.Desk
	Office     *office.Desk
	SignIn     *signin.Desk
	Supervisor *supervisor.Desk
	Admin      *admin.Desk
	Pages      *web.Pages
	Door       web.Door            // its Policy and Refuse are set here
	Sessions   *scs.SessionManager // of NewSessions
	Brand      string
	Support    phone.Number  // in the payment terms, as payers read them
	NewKey     func() string // of a form, random: a form that is sent twice does its work once
	Feed       Feed
}

// server is the door's handlers.
type server struct {
	Config
	door    web.Door
	signIns chan struct{} // a password's check takes 19 MiB: so many at once, and no more
	streams streams
}

const signInsAtOnce = 4

// part is the header by which plus.js asks for the panel alone.
const part = "X-Part"

// Mount adds the door's routes, all under /plus.
func Mount(r *mux.Router, c Config) {
	s := &server{Config: c, door: c.Door, signIns: make(chan struct{}, signInsAtOnce), streams: streams{open: map[string]int{}}}
	s.door.Policy = func(nonce string) string { return web.Policy(nonce) }
	s.door.Refuse = s.refuse
	// Where sessions can't be read, nobody knows who is there.
	stranger := s.door
	stranger.Refuse = func(r *web.Request, p web.Problem) (web.Answer, error) { return s.problem(r, p, staff.Member{}) }
	s.Sessions.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		stranger.Handle(func(*web.Request) (web.Answer, error) { return web.Answer{}, err }).ServeHTTP(w, r)
	}

	r.Handle("/plus", s.open(func(*web.Request) (web.Answer, error) { return web.Redirect(home), nil })).Methods(http.MethodGet)
	p := r.PathPrefix(home).Subrouter()
	p.NotFoundHandler = s.open(func(*web.Request) (web.Answer, error) { return web.Answer{}, web.ErrNoRoute })
	wrongMethod := s.open(func(*web.Request) (web.Answer, error) { return web.Answer{}, web.ErrMethod })
	route := func(path string, get, post http.Handler) { p.Handle(path, web.ByMethod(get, post, wrongMethod)) }
	route("/", s.open(s.home), s.open(s.signIn))
	route("/sign-out", nil, s.open(s.signOut))
	route("/second-step", s.open(s.secondStep), s.open(s.second))
	route("/passkey/ask", nil, s.open(s.askPasskey))
	route("/passkey", nil, s.open(s.passkey))
	route("/sign-on", s.open(s.signOn), s.open(s.askCompany))
	route("/me", s.acts(s.me), nil)
	route("/me/password", s.open(s.password), s.open(s.changePassword))
	route("/me/prove", s.acts(s.proof), s.acts(s.prove))
	route("/me/prove/passkey", nil, s.acts(s.proveByPasskey))
	route("/me/codes", s.acts(s.codes), s.acts(s.setCodes))
	route("/me/codes/remove", nil, s.acts(s.removeCodes))
	route("/me/recovery", nil, s.acts(s.recovery))
	route("/me/passkeys/ask", nil, s.acts(s.askNewPasskey))
	route("/me/passkeys", nil, s.acts(s.addPasskey))
	route("/me/passkeys/remove", nil, s.acts(s.removePasskey))
	route("/me/sessions/end", nil, s.acts(s.endSessions))
	route("/clients", s.acts(s.clients), s.acts(s.search))
	route("/clients/{id}", s.acts(s.client), nil)
	route("/clients/{id}/live", stranger.Handle(s.live), nil)
	route("/clients/{id}/take", s.acts(s.take), s.acts(s.charge))
	route("/clients/{id}/links", nil, s.acts(s.send))
	route("/clients/{id}/invoices", nil, s.acts(s.addInvoice))
	route("/invoices/{id}.pdf", s.acts(s.invoicePDF), nil)
	route("/invoices/{id}", s.acts(s.invoice), nil)
	route("/clients/{id}/notes", nil, s.acts(s.note))
	route("/clients/{id}/invitation", nil, s.acts(s.invite))
	route("/clients/{id}/number", nil, s.acts(s.number))
	route("/payments/{id}", s.acts(s.payment), nil)
	route("/payments/{id}/status", s.watches(s.status), nil)
	route("/payments/{id}/resend", nil, s.acts(s.resend))
	route("/payments/{id}/cancel", nil, s.acts(s.cancel))
	route("/links", s.acts(s.links), nil)
	route("/links/list", s.watches(s.links), nil)
	route("/links.csv", s.acts(s.linksFile), nil)
	route("/reports", s.acts(s.reports), nil)
	route("/reports/control", s.acts(s.control), nil)
	route("/reports/{table}.csv", s.acts(s.reportFile), nil)
	route("/finance", s.acts(s.finance), nil)
	route("/trail", s.acts(s.trail), s.acts(s.askTrail))
	route("/trail.csv", s.acts(s.trailFile), nil)
	route("/payments/{id}/evidence.json", s.acts(s.evidence), nil)
	route("/payments/{id}/evidence.pdf", s.acts(s.evidencePDF), nil)
	route("/payments/{id}/refund", nil, s.acts(s.refund))
	route("/payments/{id}/decide", nil, s.acts(s.decide))
	route("/payments/{id}/drop", nil, s.acts(s.drop))
	route("/payments/{id}/clear", nil, s.acts(s.clear))
	s.adminRoutes(route)
}

const home = "/plus/"

// act is a handler for somebody who is signed in.
type act func(r *web.Request, who staff.Member) (web.Answer, error)

// open serves a handler that anybody may call.
func (s *server) open(h web.Handler) http.Handler {
	return s.Sessions.LoadAndSave(s.door.Handle(s.noCards(h)))
}

// acts serves a handler for somebody who is signed in, and keeps their session from ending of idleness.
func (s *server) acts(h act) http.Handler {
	return s.open(func(r *web.Request) (web.Answer, error) {
		who, err := s.who(r)
		if err != nil {
			return web.Answer{}, err
		}
		s.touch(r)
		return h(r, who)
	})
}

// watches is acts for what a page asks by itself: nobody's session lives on because a page was left open.
func (s *server) watches(h act) http.Handler {
	return s.open(func(r *web.Request) (web.Answer, error) {
		who, err := s.who(r)
		if err != nil {
			return web.Answer{}, err
		}
		return h(r, who)
	})
}

func (s *server) chrome(r *web.Request, who staff.Member) Chrome {
	c := Chrome{Chrome: web.Chrome{Lang: lang.English, Nonce: r.Nonce, Brand: s.Brand}, Name: who.Name, Team: who.Team, AtFinance: who.May(staff.SeeFinance) == nil}
	for _, room := range rooms {
		if who.May(room.needs) != nil {
			continue
		}
		one := Room{Name: room.name, Address: room.address, Current: r.URL.Path == room.address || strings.HasPrefix(r.URL.Path, room.address+"/")}
		if room.needs == staff.SeeFinance {
			if n, err := s.Office.Count(r.Context(), who); err == nil { // a page is not lost for want of it
				one.Waiting = countWords(n)
			}
		}
		c.Rooms = append(c.Rooms, one)
	}
	if who.Name != "" {
		c.Keys = keysOf(who)
	}
	return c
}

// rooms are named in the header of those whose role includes them, in this order.
var rooms = []struct {
	needs         staff.Permission
	name, address string
}{
	{staff.SeeLinks, "Links", linksPath},
	{staff.SeeReports, "Reports", reportsPath},
	{staff.SeeFinance, "Finance", "/plus/finance"},
	{staff.SeeAdmin, "Admin", adminHome},
	{staff.SeeTrail, "Trail", trailPath},
}

// refuse draws an error: the sign-in page where nobody is signed in, else a page of its own, or its words alone for the panel.
func (s *server) refuse(r *web.Request, p web.Problem) (web.Answer, error) {
	who, err := s.who(r)
	if err != nil {
		who = staff.Member{} // the page is drawn as for a stranger
	}
	if r.Header.Get(part) == "" {
		switch p.Code {
		case "no_session":
			page := s.signInPage(r, back(r))
			page.Over = true
			return s.Pages.Page(p.Status, SignInPage, page)
		case "must_change":
			return s.Pages.Page(p.Status, PasswordPage, s.passwordPage(r, staff.Member{}, back(r)))
		case "prove":
			return s.Pages.Page(p.Status, ProvePage, s.provePage(r, who, me))
		}
	}
	return s.problem(r, p, who)
}

func (s *server) problem(r *web.Request, p web.Problem, who staff.Member) (web.Answer, error) {
	page := Problem{Chrome: s.chrome(r, who), Reference: r.ID}
	page.Title, page.Text = problemWords(p)
	if r.Header.Get(part) != "" {
		return s.Pages.Part(p.Status, ProblemPage, "problem-part", page)
	}
	return s.Pages.Page(p.Status, ProblemPage, page)
}

// back is where somebody wanted to go who has to sign in first: a page, never an act.
func back(r *web.Request) string {
	if r.Method == http.MethodGet {
		return safeBack(r.URL.RequestURI())
	}
	path := r.URL.Path
	for _, verb := range []string{
		"/links", "/notes", "/invitation", "/number", "/take", "/invoices", "/resend", "/cancel", "/refund", "/decide", "/drop", "/clear", "/disable", "/enable", "/password", "/sessions", "/factors", "/retire", "/restore",
	} {
		path = strings.TrimSuffix(path, verb)
	}
	return safeBack(path)
}

// safeBack returns a path of this door, and home for anything else: an address of another site, or what a browser might take for one.
func safeBack(to string) string {
	if !strings.HasPrefix(to, home) || len(to) > 500 || strings.Contains(to, "\\") || strings.Contains(to, "//") || strings.ContainsFunc(to, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return home
	}
	return to
}

// How long somebody stays signed in.
const (
	idleLimit  = 30 * time.Minute
	wholeLimit = 12 * time.Hour
	touchEvery = time.Minute // a session's last use is written down no more often than this
)
