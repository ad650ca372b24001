package portal

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/desk/client"
	"paylink/internal/desk/signin"
	"paylink/internal/lang"
	"paylink/internal/web"
)

// PasskeysPage is the page's name, for web.Pages.Render.
const PasskeysPage = "portal/passkeys" // Passkeys

const passkeysPath = "/my/passkeys"

// Passkeys are what a client signs in by without a password.
type Passkeys struct {
	Chrome
	Said   string // what was just done
	List   []PasskeyRow
	MayAdd bool
}

// PasskeyRow is one of them.
type PasskeyRow struct{ ID, Name, Added, Used string }

// ceremony is what the script gets to ask the browser for, and the box that it brings back with the answer.
type ceremony struct {
	Ask  json.RawMessage `json:"ask"`
	Kept string          `json:"kept"`
}

// answered is what the script brings back from the browser.
type answered struct {
	Credential json.RawMessage `json:"credential"`
	Kept       string          `json:"kept"`
	Name       string          `json:"name"`     // of a new one
	Password   string          `json:"password"` // before there is a new one
	Back       string          `json:"back"`
}

// Purposes of the box that holds a challenge: one for a stranger, one for each session.
const signInBox = "passkey to sign in"

func addBox(who client.Who) string { return "passkey to add in session " + who.SessionID }

func (s *server) asks(l lang.Lang, purpose string, c signin.Ceremony, err error) (web.Answer, error) {
	if err != nil {
		return toldOf(l, err)
	}
	return web.JSON(http.StatusOK, ceremony{c.Ask, s.Keys.Seal(purpose, string(c.Kept))})
}

// toldOf tells a script in words why something was refused.
func toldOf(l lang.Lang, err error) (web.Answer, error) {
	p, key := web.ProblemOf(err), ""
	switch {
	case errors.Is(err, account.ErrSignIn):
		key = "my.password.wrong"
	case p.Code == "passkey", p.Code == "over", p.Code == "passkey_here", p.Code == "passkeys_most", p.Code == "name", p.Code == "card_number", p.Code == "too_long":
		key = "my.passkey." + p.Code
	case p.Status == http.StatusTooManyRequests:
		key = "my.forgot.locked"
	default:
		return web.Answer{}, err
	}
	return web.JSON(p.Status, map[string]string{"error": l.T(key)})
}

// read reads what a script brings; where browsers take no passkeys, there is nothing to bring it to.
func (s *server) read(r *web.Request, purpose string) (answered, []byte, error) {
	var got answered
	if s.SignIn.Passkeys == nil {
		return got, nil, web.ErrNoRoute
	}
	if err := web.ReadJSON(r, &got); err != nil {
		return got, nil, err
	}
	if len(got.Password) > 1000 {
		return got, nil, web.ErrBadRequest
	}
	kept, err := s.Keys.Open(purpose, got.Kept)
	if got.Kept != "" && err != nil {
		return got, nil, signin.ErrOver
	}
	return got, []byte(kept), nil
}

// askPasskey is POST /my/passkey/ask: whoever asks is told nothing of anybody.
func (s *server) askPasskey(r *web.Request) (web.Answer, error) {
	if s.SignIn.Passkeys == nil {
		return web.Answer{}, web.ErrNoRoute
	}
	c, err := s.SignIn.BeginPasskey(r.Context(), r.Address)
	return s.asks(s.language(r, client.Who{}), signInBox, c, err)
}

// passkey is POST /my/passkey: it signs in by a passkey alone.
func (s *server) passkey(r *web.Request) (web.Answer, error) {
	l := s.language(r, client.Who{})
	got, kept, err := s.read(r, signInBox)
	if err != nil {
		return toldOf(l, err)
	}
	id, err := s.SignIn.ClientPasskey(r.Context(), kept, got.Credential, r.Address)
	if err != nil {
		return toldOf(l, err)
	}
	who, err := s.Desk.EnterByPasskey(r.Context(), id, browser(r))
	if err != nil {
		return toldOf(l, err)
	}
	to := safeBack(got.Back)
	if who.MustChange {
		to = "/my/password"
	}
	a, err := web.JSON(http.StatusOK, map[string]string{"to": to})
	a.Cookies = append(a.Cookies, session(who.Token))
	return a, err
}

// passkeys is GET /my/passkeys.
func (s *server) passkeys(r *web.Request, who client.Who) (web.Answer, error) {
	if s.SignIn.Passkeys == nil {
		return web.Answer{}, web.ErrNoRoute
	}
	list, err := s.SignIn.ClientPasskeys(r.Context(), who.Client)
	if err != nil {
		return web.Answer{}, err
	}
	page := Passkeys{Chrome: s.chrome(r, who), MayAdd: len(list) < signin.PasskeysMost}
	switch r.URL.Query().Get("done") {
	case "added":
		page.Said = page.T("my.passkeys.added")
	case "removed":
		page.Said = page.T("my.passkeys.removed")
	}
	date := func(t time.Time) string { return page.Date(day.Of(t.UTC())) }
	for _, p := range list {
		row := PasskeyRow{ID: p.ID, Name: p.Name, Added: page.T("my.passkeys.since", date(p.Added)), Used: page.T("my.passkeys.unused")}
		if !p.Used.IsZero() {
			row.Used = page.T("my.passkeys.used", date(p.Used))
		}
		page.List = append(page.List, row)
	}
	return s.Pages.Page(http.StatusOK, PasskeysPage, page)
}

// askNewPasskey is POST /my/passkeys/ask: the password is asked for before a browser may make a key to the account.
func (s *server) askNewPasskey(r *web.Request, who client.Who) (web.Answer, error) {
	l := s.language(r, who)
	got, _, err := s.read(r, addBox(who))
	if err != nil {
		return toldOf(l, err)
	}
	if _, err = s.check(r, func() (client.Who, error) {
		return who, s.Desk.Prove(r.Context(), who, "add passkey", got.Password, browser(r))
	}); err != nil {
		return toldOf(l, err)
	}
	c, err := s.SignIn.BeginAddingForClient(r.Context(), who.Client, r.Address)
	return s.asks(l, addBox(who), c, err)
}

// addPasskey is POST /my/passkeys.
func (s *server) addPasskey(r *web.Request, who client.Who) (web.Answer, error) {
	l := s.language(r, who)
	got, kept, err := s.read(r, addBox(who))
	if err != nil {
		return toldOf(l, err)
	}
	if err := s.SignIn.AddClientPasskey(r.Context(), who.Client, kept, got.Credential, got.Name); err != nil {
		return toldOf(l, err)
	}
	return web.JSON(http.StatusOK, map[string]string{"to": passkeysPath + "?done=added"})
}

// removePasskey is POST /my/passkeys/remove.
func (s *server) removePasskey(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	err := s.SignIn.RemoveClientPasskey(r.Context(), who.Client, r.PostFormValue("id"))
	if errors.Is(err, signin.ErrPasskey) { // it is gone already, or somebody else's
		return web.Answer{}, web.ErrNoRoute
	}
	return web.Redirect(passkeysPath + "?done=removed"), err
}
