// Package portal is My Account, the door of the clients: see the account, pay, and change what is theirs.
package portal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/desk/client"
	"paylink/internal/desk/signin"
	"paylink/internal/lang"
	"paylink/internal/phone"
	"paylink/internal/seal"
	"paylink/internal/web"
)

// Config is what the door needs. All fields are required.
type Config struct {
	Desk     *client.Desk
	Pages    *web.Pages
	Door     web.Door // its Policy and Refuse are set here
	Brand    string
	Support  phone.Number
	Keys     seal.Keys
	LinkLife time.Duration
	SignIn   *signin.Desk  // for passkeys; its Passkeys are nil where browsers take none
	NewKey   func() string // of a form, random: a form that is sent twice does its work once

	StripeJS       string // address of Stripe.js
	PublishableKey string
	Terms          func(ctx context.Context, version string) (map[lang.Lang]lang.Terms, error) // a version's text, worded
}

// server is the door's handlers.
type server struct {
	Config
	door    web.Door
	signIns chan struct{} // a password's check takes 19 MiB: so many at once, and no more
}

const signInsAtOnce = 4

const home = "/my/"

// cookieName is the session's: __Host- has the browser refuse it from anywhere but this host over TLS.
const cookieName = "__Host-my"

// languageCookie remembers which language was chosen before anybody signed in.
const languageCookie = "__Host-lang"

// Mount adds the door's routes, all under /my.
func Mount(r *mux.Router, c Config) {
	s := &server{Config: c, door: c.Door, signIns: make(chan struct{}, signInsAtOnce)}
	s.door.Policy = func(nonce string) string { return web.Policy(nonce) }
	s.door.Refuse = s.refuse
	r.Handle("/my", s.open(func(*web.Request) (web.Answer, error) { return web.Redirect(home), nil })).Methods(http.MethodGet)
	p := r.PathPrefix(home).Subrouter()
	p.NotFoundHandler = s.open(func(*web.Request) (web.Answer, error) { return web.Answer{}, web.ErrNoRoute })
	wrongMethod := s.open(func(*web.Request) (web.Answer, error) { return web.Answer{}, web.ErrMethod })
	route := func(path string, get, post http.Handler) { p.Handle(path, web.ByMethod(get, post, wrongMethod)) }
	route("/", s.open(s.start), s.open(s.signIn))
	route("/sign-out", nil, s.open(s.signOut))
	route(strings.TrimPrefix(forgotPath, "/my"), s.open(s.forgot), s.open(s.askReset))
	route("/reset", s.open(s.resetPage), s.open(s.reset))
	route("/passkey/ask", nil, s.open(s.askPasskey))
	route("/passkey", nil, s.open(s.passkey))
	route("/passkeys", s.acts(s.passkeys), s.acts(s.addPasskey))
	route("/passkeys/ask", nil, s.acts(s.askNewPasskey))
	route("/passkeys/remove", nil, s.acts(s.removePasskey))
	route("/password", s.enters(s.password), s.enters(s.setPassword))
	route("/invoices", s.acts(s.invoices), nil)
	route("/invoices/{id}", s.acts(s.invoice), nil)
	route("/invoices/{id}/pdf", s.acts(s.invoicePDF), nil)
	route("/notices", s.acts(s.notices), s.acts(s.readNotices))
	route("/sessions", s.acts(s.sessions), s.acts(s.endSession))
	route("/send", s.acts(s.send), s.acts(s.sendLink))
	route("/send/{payment}", s.acts(s.sent), nil)
	route("/send/{payment}/resend", nil, s.acts(s.resendLink))
	route("/send/{payment}/cancel", nil, s.acts(s.cancelLink))
	route("/auto-pay", s.acts(s.autoPay), s.acts(s.setAutoPay))
	route("/auto-pay/off", s.acts(s.sureToEndAutoPay), s.acts(s.endAutoPay))
	route("/appointments", s.acts(s.appointments), nil)
	route("/appointments/{id}", s.acts(s.places), s.acts(s.moveAppointment))
	route("/appointments/{id}/confirm", s.acts(s.confirmMove), nil)
	route("/pay", s.acts(s.checkout), s.acts(s.pay))
	route("/pay/{payment}", s.acts(s.paying), nil)
	route("/pay/{payment}/continue", nil, s.acts(s.goOn))
	route("/pay/{payment}/give-up", nil, s.acts(s.giveUp))
	route("/cards", s.acts(s.cards), s.acts(s.keepCard))
	route("/cards/add", s.acts(s.addCard), nil)
	route("/cards/setup", nil, s.acts(s.setUpCard))
	route("/cards/{card}/main", nil, s.acts(s.makeMainCard))
	route("/cards/{card}/remove", s.acts(s.sureToRemoveCard), s.acts(s.removeCard))
	route("/profile", s.acts(s.profile), nil)
	route("/profile/language", nil, s.acts(s.setLanguage))
	route("/profile/texts", nil, s.acts(s.setTexts))
	route("/profile/mail", s.acts(s.contact(account.ByMail)), s.acts(s.askContact(account.ByMail)))
	route("/profile/mail/code", nil, s.acts(s.answerContact(account.ByMail)))
	route("/profile/phone", s.acts(s.contact(account.ByPhone)), s.acts(s.askContact(account.ByPhone)))
	route("/profile/phone/code", nil, s.acts(s.answerContact(account.ByPhone)))
	route("/profile/vehicles/{id}", s.acts(s.plate), s.acts(s.setPlate))
}

// act is a handler for a client who is signed in.
type act func(r *web.Request, who client.Who) (web.Answer, error)

// open serves a handler that anybody may call.
func (s *server) open(h web.Handler) http.Handler { return s.door.Handle(h) }

// acts serves a handler for a client who is signed in, by a password of their own.
func (s *server) acts(h act) http.Handler {
	return s.enters(func(r *web.Request, who client.Who) (web.Answer, error) {
		if who.MustChange {
			return web.Redirect("/my/password"), nil
		}
		return h(r, who)
	})
}

// enters is acts for what may be reached with a temporary password too.
func (s *server) enters(h act) http.Handler {
	return s.open(func(r *web.Request) (web.Answer, error) {
		who, err := s.who(r)
		if err != nil {
			return web.Answer{}, err
		}
		return h(r, who)
	})
}

// who returns the client who is signed in. It returns web.ErrNoSession for nobody.
func (s *server) who(r *web.Request) (client.Who, error) {
	c, err := r.Cookie(cookieName)
	if err != nil || c.Value == "" || len(c.Value) > 100 {
		return client.Who{}, web.ErrNoSession
	}
	who, err := s.Desk.Session(r.Context(), client.Token(c.Value))
	if errors.Is(err, account.ErrNotFound) {
		return client.Who{}, web.ErrNoSession
	}
	return who, err
}

// session is the cookie of a session that has begun; the browser forgets it when it is closed.
func session(t client.Token) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: string(t), Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

func forget() *http.Cookie {
	return &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// language is the client's own, else what was chosen, else the browser's.
func (s *server) language(r *web.Request, who client.Who) lang.Lang {
	if l, ok := lang.Parse(who.Language); ok {
		return l
	}
	if l, ok := lang.Parse(r.URL.Query().Get("lang")); ok {
		return l
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		if l, ok := lang.Parse(c.Value); ok {
			return l
		}
	}
	return lang.Match(r.Header.Get("Accept-Language"))
}

type room struct {
	key, address, icon string
	near               bool
}

// rooms are the parts of My Account, in the order in which they are named. Those that are near have their own place in a phone's bar.
var rooms = []room{
	{"my.home", home, "home", true},
	{"my.pay", payHome, "pay", true},
	{"my.auto_pay", autoPayPath, "again", true},
	{"my.cards", cardsHome, "card", false},
	{"my.invoices", invoicesPath, "paper", true},
	{"my.appointments", "/my/appointments", "calendar", false},
	{"my.profile", "/my/profile", "person", false},
}

func (s *server) chrome(r *web.Request, who client.Who) Chrome {
	l := s.language(r, who)
	c := Chrome{Chrome: web.Chrome{Lang: l, Nonce: r.Nonce, Brand: s.Brand}, SupportPhone: s.Support.National(), SupportTel: s.Support.E164(), Path: r.URL.Path, Passkeys: s.SignIn.Passkeys != nil}
	if who.ID == "" {
		return c
	}
	c.Name = who.Name()
	if who.MustChange {
		return c
	}
	for _, room := range rooms {
		c.Rooms = append(c.Rooms, Room{
			Name: l.T(room.key), Address: room.address, Icon: room.icon, Near: room.near, Current: r.URL.Path == room.address || room.address != home && strings.HasPrefix(r.URL.Path+"/", room.address+"/"),
		})
	}
	if i := slices.IndexFunc(rooms, func(one room) bool { return one.key == "my.pay" }); i >= 0 {
		c.Rooms[i].Short = l.T("my.bar.pay")
	}
	if n, err := s.Desk.Unread(r.Context(), who); err == nil && n > 0 { // a page is not lost for want of it
		c.Notices.Number = strconv.Itoa(n)
		if n > client.UnreadMost {
			c.Notices.Number = strconv.Itoa(client.UnreadMost) + "+"
		}
		c.Notices.Words = l.T("my.notices.count", c.Notices.Number)
	}
	c.Notices.Current = r.URL.Path == noticesPath
	return c
}

// refuse draws an error: the sign-in page where nobody is signed in, else a page of its own.
func (s *server) refuse(r *web.Request, p web.Problem) (web.Answer, error) {
	who, err := s.who(r)
	if err != nil {
		who = client.Who{} // the page is drawn as for a stranger
	}
	if asksForJSON(r) {
		return web.JSON(p.Status, CardAnswer{State: p.Code, Message: cardRefusal(s.language(r, who), p)})
	}
	if p.Code == "no_session" {
		a, err := s.Pages.Page(p.Status, SignInPage, SignIn{Chrome: s.chrome(r, client.Who{}), Back: back(r), Over: true})
		a.Cookies = append(a.Cookies, forget())
		return a, err
	}
	page := Problem{Chrome: s.chrome(r, who), Reference: r.ID}
	page.Title, page.Text = problemWords(page.Lang, p)
	return s.Pages.Page(p.Status, ProblemPage, page)
}

// back is where somebody wanted to go who has to sign in first: a page, never an act.
func back(r *web.Request) string {
	if r.Method != http.MethodGet {
		return home
	}
	return safeBack(r.URL.RequestURI())
}

// safeBack returns a path of this door, and home for anything else: an address of another site, or what a browser might take for one.
func safeBack(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(to, home) || len(to) > 500 || strings.Contains(to, "\\") || strings.Contains(to, "//") ||
		strings.ContainsFunc(to, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return home
	}
	return to
}
