package portal

import (
	"errors"
	"net/http"
	"strings"

	"paylink/internal/desk/client"
	"paylink/internal/lang"
	"paylink/internal/lockout"
	"paylink/internal/staff"
	"paylink/internal/web"
)

// Names of the pages, for web.Pages.Render.
const (
	ForgotPage = "portal/forgot" // Forgot
	ResetPage  = "portal/reset"  // Reset
)

const forgotPath = "/my/forgot"

// Forgot is where somebody asks for a link to choose another password.
type Forgot struct {
	Chrome
	ID    string
	Sent  bool // somebody has asked; whether a letter leaves is told to nobody
	Error string
}

// Reset is where the link leads. Its token is in the address's fragment, which no server is told; whoever has no script types it.
type Reset struct {
	Chrome
	Code                    string
	Dead                    bool // the link is not good any more
	Error, Locked, CodeNone string
}

// remembers has the browser keep the language that the address asks for.
func remembers(r *web.Request, a web.Answer) web.Answer {
	if l, ok := lang.Parse(r.URL.Query().Get("lang")); ok {
		a.Cookies = append(a.Cookies, &http.Cookie{Name: languageCookie, Value: string(l), Path: "/", MaxAge: 365 * 24 * 60 * 60, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	return a
}

// forgot is GET /my/forgot.
func (s *server) forgot(r *web.Request) (web.Answer, error) {
	a, err := s.Pages.Page(http.StatusOK, ForgotPage, Forgot{Chrome: s.chrome(r, client.Who{}), Sent: r.URL.Query().Get("sent") != ""})
	return remembers(r, a), err
}

// askReset is POST /my/forgot. Everybody is answered the same.
func (s *server) askReset(r *web.Request) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	page := Forgot{Chrome: s.chrome(r, client.Who{}), ID: strings.TrimSpace(r.PostFormValue("id"))}
	if len(page.ID) > 200 {
		return web.Answer{}, web.ErrBadRequest
	}
	if page.ID == "" {
		page.Error, page.Focus = page.T("my.forgot.none"), "id"
		return s.Pages.Page(http.StatusUnprocessableEntity, ForgotPage, page)
	}
	err := s.Desk.Forgot(r.Context(), page.ID, browser(r))
	if errors.Is(err, lockout.ErrLocked) {
		page.Error, page.Focus = page.T("my.forgot.locked"), "id"
		return s.wait(s.Pages.Page(http.StatusTooManyRequests, ForgotPage, page))
	}
	if err != nil {
		return web.Answer{}, err
	}
	return web.Redirect(forgotPath + "?sent=1"), nil
}

// wait says how long whoever has no tries left has to wait.
func (s *server) wait(a web.Answer, err error) (web.Answer, error) {
	a.Header = http.Header{"Retry-After": {"900"}}
	return a, err
}

// resetPage is GET /my/reset.
func (s *server) resetPage(r *web.Request) (web.Answer, error) {
	a, err := s.Pages.Page(http.StatusOK, ResetPage, Reset{Chrome: s.chrome(r, client.Who{})})
	return remembers(r, a), err
}

// reset is POST /my/reset.
func (s *server) reset(r *web.Request) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	code, password := strings.TrimSpace(r.PostFormValue("code")), r.PostFormValue("password")
	if len(code) > 1000 || len(password) > 1000 {
		return web.Answer{}, web.ErrBadRequest
	}
	page := Reset{Chrome: s.chrome(r, client.Who{}), Code: code}
	if i := strings.LastIndex(code, "#"); i >= 0 { // the whole address was pasted
		page.Code = code[i+1:]
	}
	if page.Code == "" {
		page.CodeNone, page.Focus = page.T("my.reset.code.none"), "code"
		return s.Pages.Page(http.StatusUnprocessableEntity, ResetPage, page)
	}
	who, err := s.check(r, func() (client.Who, error) { return s.Desk.Reset(r.Context(), page.Code, password, browser(r)) })
	switch {
	case errors.Is(err, client.ErrReset):
		page.Code, page.Dead = "", true
	case errors.Is(err, lockout.ErrLocked):
		page.Locked = page.T("my.forgot.locked")
		return s.wait(s.Pages.Page(http.StatusTooManyRequests, ResetPage, page))
	case err == nil:
		a := web.Redirect(home)
		a.Cookies = append(a.Cookies, session(who.Token))
		return a, nil
	default:
		if page.Error = passwordWords(page.Lang, err); page.Error == "" {
			return web.Answer{}, err
		}
		page.Focus = "password"
	}
	return s.Pages.Page(web.ProblemOf(err).Status, ResetPage, page)
}

// passwordWords say what is wrong with a new password; "" for what is not about one.
func passwordWords(l lang.Lang, err error) string {
	switch {
	case errors.Is(err, staff.ErrPasswordShort):
		return l.T("my.password.short")
	case errors.Is(err, staff.ErrPasswordLong):
		return l.T("my.password.long")
	case errors.Is(err, staff.ErrPasswordSame):
		return l.T("my.password.same")
	case errors.Is(err, staff.ErrPasswordCommon):
		return l.T("my.password.common")
	case errors.Is(err, staff.ErrPasswordNames):
		return l.T("my.password.names")
	}
	return ""
}
