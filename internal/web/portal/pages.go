package portal

import (
	"net/http"
	"slices"

	"paylink/internal/lang"
	"paylink/internal/web"
)

// Names of the pages, for web.Pages.Render.
const (
	SignInPage   = "portal/sign-in"  // SignIn
	PasswordPage = "portal/password" // Password
	SessionsPage = "portal/sessions" // Sessions
	ProblemPage  = "portal/problem"  // Problem
)

// Chrome is what every page has around its content.
type Chrome struct {
	web.Chrome
	Name         string // who is signed in; "" for nobody
	Rooms        []Room
	Notices      NoticeCount
	SupportPhone string // as people read it
	SupportTel   string // for a tel: link
	Path         string
	Passkeys     bool   // browsers take passkeys at this address
	Focus        string // the id of what the reader looks at next
}

// Room is a part of My Account.
type Room struct {
	Name, Address string
	Short         string // its name in a phone's bar; "" for the whole one
	Icon          string // its picture's name (templates/portal/parts.html)
	Current       bool
	Near          bool // it has a place of its own in a phone's bar; the others are under More
}

// MoreIsCurrent says whether one is in a room that stands under More on a phone.
func (c Chrome) MoreIsCurrent() bool {
	return slices.ContainsFunc(c.Rooms, func(r Room) bool { return r.Current && !r.Near })
}

// NoticeCount is how many notices wait to be read, as the bell says it.
type NoticeCount struct {
	Number  string // "3", "99+"; "" for none
	Words   string // "3 unread"
	Current bool   // their page is the one that is read
}

// SignIn is GET /my/ for a stranger, and every page whose session is over.
type SignIn struct {
	Chrome
	ID    string
	Back  string // where to go on after signing in
	Over  bool   // somebody came for another page
	Error string
}

// Password is where a client chooses a password.
type Password struct {
	Chrome
	First           bool // a temporary one is to be replaced
	OldError, Error string
}

// Sessions is where a client is signed in.
type Sessions struct {
	Chrome
	List []SessionRow
}

// SessionRow is one browser.
type SessionRow struct {
	ID, Browser, Address, Began string
	Here                        bool // the one that reads this
}

// Problem is a page that says what went wrong and where to go.
type Problem struct {
	Chrome
	Title, Text, Reference string
}

func problemWords(l lang.Lang, p web.Problem) (title, text string) {
	kind := "ours"
	switch {
	case p.Status == http.StatusNotFound:
		kind = "nothing"
	case p.Status == http.StatusServiceUnavailable:
		kind = "slow"
	case p.Status < http.StatusInternalServerError:
		kind = "odd"
	}
	key := "my.problem." + kind
	return l.T(key + ".title"), l.T(key + ".text")
}
