package portal

import (
	"errors"
	"net/http"
	"strings"

	"paylink/internal/account"
	"paylink/internal/desk/client"
	"paylink/internal/lockout"
	"paylink/internal/web"
)

// start is GET /my/: the dashboard, or for nobody the sign-in page.
func (s *server) start(r *web.Request) (web.Answer, error) {
	who, err := s.who(r)
	switch {
	case errors.Is(err, web.ErrNoSession):
		a, err := s.Pages.Page(http.StatusOK, SignInPage, SignIn{Chrome: s.chrome(r, client.Who{}), Back: home})
		return remembers(r, a), err
	case err != nil:
		return web.Answer{}, err
	case who.MustChange:
		return web.Redirect("/my/password"), nil
	}
	return s.home(r, who)
}

func (s *server) signIn(r *web.Request) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, password := strings.TrimSpace(r.PostFormValue("id")), r.PostFormValue("password")
	if len(id) > 200 || len(password) > 1000 {
		return web.Answer{}, web.ErrBadRequest
	}
	page := SignIn{Chrome: s.chrome(r, client.Who{}), ID: id, Back: safeBack(r.PostFormValue("back"))}
	who, err := s.check(r, func() (client.Who, error) { return s.Desk.SignIn(r.Context(), id, password, browser(r)) })
	switch {
	case errors.Is(err, account.ErrSignIn):
		page.Error = page.T("my.sign_in.wrong")
	case errors.Is(err, account.ErrTooOld):
		page.Error = page.T("my.sign_in.too_old")
	case errors.Is(err, lockout.ErrLocked):
		page.Error = page.T("my.sign_in.locked")
	case err != nil:
		return web.Answer{}, err
	default:
		to := page.Back
		if who.MustChange {
			to = "/my/password"
		}
		a := web.Redirect(to)
		a.Cookies = append(a.Cookies, session(who.Token))
		return a, nil
	}
	p := web.ProblemOf(err)
	a, err := s.Pages.Page(p.Status, SignInPage, page)
	if p.Status == http.StatusTooManyRequests {
		a.Header = http.Header{"Retry-After": {"900"}}
	}
	return a, err
}

// check waits for its turn, and then does what checks a password.
func (s *server) check(r *web.Request, do func() (client.Who, error)) (client.Who, error) {
	select {
	case s.signIns <- struct{}{}:
		defer func() { <-s.signIns }()
		return do()
	case <-r.Context().Done():
		return client.Who{}, r.Context().Err()
	}
}

func (s *server) signOut(r *web.Request) (web.Answer, error) {
	who, err := s.who(r)
	if err == nil {
		err = s.Desk.SignOut(r.Context(), who)
	}
	if err != nil && !errors.Is(err, web.ErrNoSession) && !errors.Is(err, account.ErrNotFound) {
		return web.Answer{}, err
	}
	a := web.Redirect(home)
	a.Cookies = append(a.Cookies, forget())
	return a, nil
}

// password is GET /my/password.
func (s *server) password(r *web.Request, who client.Who) (web.Answer, error) {
	return s.Pages.Page(http.StatusOK, PasswordPage, Password{Chrome: s.chrome(r, who), First: who.MustChange})
}

func (s *server) setPassword(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	old, password := r.PostFormValue("old"), r.PostFormValue("password")
	if len(old) > 1000 || len(password) > 1000 {
		return web.Answer{}, web.ErrBadRequest
	}
	now, err := s.check(r, func() (client.Who, error) { return s.Desk.ChangePassword(r.Context(), who, old, password, browser(r)) })
	page := Password{Chrome: s.chrome(r, who), First: who.MustChange}
	switch {
	case errors.Is(err, account.ErrSignIn):
		page.OldError, page.Focus = page.T("my.password.wrong"), "old"
	case errors.Is(err, lockout.ErrLocked):
		page.OldError, page.Focus = page.T("my.sign_in.locked"), "old"
	case err == nil:
		a := web.Redirect(home)
		a.Cookies = append(a.Cookies, session(now.Token))
		return a, nil
	default:
		if page.Error, page.Focus = passwordWords(page.Lang, err), "password"; page.Error == "" {
			return web.Answer{}, err
		}
	}
	return s.Pages.Page(web.ProblemOf(err).Status, PasswordPage, page)
}

// browser says where a request comes from, in words that its owner knows again.
func browser(r *web.Request) client.Browser {
	agent := r.UserAgent()
	name := "Browser"
	for _, known := range []struct{ sign, name string }{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"}, {"Chrome", "Chrome"}, {"CriOS", "Chrome"}, {"Safari", "Safari"}} {
		if strings.Contains(agent, known.sign) {
			name = known.name
			break
		}
	}
	for _, known := range []struct{ sign, name string }{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"CrOS", "Chromebook"}, {"Linux", "Linux"}} {
		if strings.Contains(agent, known.sign) {
			return client.Browser{Address: r.Address, Name: name + ", " + known.name}
		}
	}
	return client.Browser{Address: r.Address, Name: name}
}
