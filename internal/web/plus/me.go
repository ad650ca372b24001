package plus

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"paylink/internal/desk/signin"
	"paylink/internal/staff"
	"paylink/internal/web"
)

const meTime = "Jan 2, 2006, 3:04 PM UTC"

// said is what the account's page says that was just done, by the address's word for it.
var said = map[string]string{
	"password": "Your password is changed. Wherever else you were signed in, you are signed out.",
	"codes":    "The authenticator app is removed.",
	"added":    "The passkey is added.",
	"removed":  "The passkey is removed.",
	"ended":    "Wherever else you were signed in, you are signed out.",
}

// roleWords are a role as its holder reads it.
var roleWords = map[staff.Role]string{
	staff.Agent: "Agent", staff.Lead: "Lead", staff.Supervisor: "Supervisor", staff.Finance: "Finance", staff.Admin: "Administrator", staff.Auditor: "Auditor",
}

// me is everybody's own account: what they sign in by.
func (s *server) me(r *web.Request, who staff.Member) (web.Answer, error) {
	f, err := s.SignIn.Factors(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	began := time.UnixMilli(s.Sessions.GetInt64(r.Context(), beganKey)).UTC()
	page := Me{
		Chrome: s.chrome(r, who), Login: who.Login, Role: roleWords[who.Role], Email: who.Email, Said: said[r.URL.Query().Get("done")], Recovery: f.Recovery, Second: f.Second(),
		SignedIn: "by " + s.Sessions.GetString(r.Context(), byKey) + " since " + began.Format(meTime), MayAdd: len(f.Passkeys) < signin.PasskeysMost, Passkeys: s.SignIn.Passkeys != nil,
	}
	if who.PasswordHash != "" {
		page.Password = on(who.PasswordAt)
	}
	if f.Codes {
		page.Codes = on(f.Since)
	}
	for _, p := range f.Passkeys {
		used := "never"
		if !p.Used.IsZero() {
			used = on(p.Used)
		}
		page.Mine = append(page.Mine, Key{p.ID, p.Name, on(p.Added), used})
	}
	return s.Pages.Page(http.StatusOK, MePage, page)
}

func on(t time.Time) string { return t.UTC().Format("Jan 2, 2006") }

func done(what string) web.Answer { return web.Redirect(me + "?done=" + what) }

// --- The password -------------------------------------------------------------------------------------------------------------------------------

func (s *server) passwordPage(r *web.Request, who staff.Member, back string) Password {
	return Password{Chrome: s.chrome(r, who), Login: who.Login, Must: who.ID == "" || s.mustChange(r, who), Back: back, Least: staff.MinPassword, Most: staff.MaxPassword}
}

// password is open to somebody whose password is a temporary one, who can do nothing else.
func (s *server) password(r *web.Request) (web.Answer, error) {
	who, err := s.anyone(r)
	if err != nil {
		return web.Answer{}, err
	}
	s.touch(r)
	return s.Pages.Page(http.StatusOK, PasswordPage, s.choosing(r, who))
}

// choosing is the password's page, without the rooms of PLUS Web where they are shut.
func (s *server) choosing(r *web.Request, who staff.Member) Password {
	page := s.passwordPage(r, who, home)
	if page.Must {
		page.Chrome = s.chrome(r, staff.Member{})
	}
	return page
}

func (s *server) changePassword(r *web.Request) (web.Answer, error) {
	who, err := s.anyone(r)
	if err != nil {
		return web.Answer{}, err
	}
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	old, fresh := r.PostFormValue("old"), r.PostFormValue("new")
	if len(old) > typedMost {
		return web.Answer{}, web.ErrBadRequest
	}
	s.touch(r)
	must := s.mustChange(r, who)
	var m staff.Member
	err = s.turn(r, func() (err error) {
		m, err = s.SignIn.ChangePassword(r.Context(), who, old, fresh, r.Address)
		return err
	})
	if err != nil {
		p, page := web.ProblemOf(err), s.choosing(r, who)
		page.OldError, page.NewError = oldPasswordWords(p.Code), newPasswordWords(p.Code)
		switch {
		case page.OldError != "":
			page.Focus = "old"
		case page.NewError != "":
			page.Focus = "new"
		default:
			return web.Answer{}, err
		}
		return s.Pages.Page(p.Status, PasswordPage, page)
	}
	if err := s.goOn(r, m); err != nil {
		return web.Answer{}, err
	}
	s.Sessions.Put(r.Context(), provedKey, s.door.Now().UnixMilli())
	if must {
		return web.Redirect(safeBack(r.PostFormValue("back"))), nil
	}
	return done("password"), nil
}

func oldPasswordWords(code string) string {
	switch code {
	case "sign_in":
		return "That is not your password now."
	case "locked_out":
		return "Too many wrong passwords. Wait a quarter of an hour, and try again."
	}
	return ""
}

func newPasswordWords(code string) string {
	switch code {
	case "password_short":
		return "Use 12 characters or more. A few words in a row are easy to keep in mind."
	case "password_long":
		return "Use 256 characters at most."
	case "password_common":
		return "This one is tried first by whoever guesses passwords. Choose another."
	case "password_names":
		return "This one is made of your login, your name or the company’s. Choose another."
	case "password_same":
		return "That is the password you have. Choose another."
	}
	return ""
}

// --- Proving again ------------------------------------------------------------------------------------------------------------------------------

func (s *server) provePage(r *web.Request, who staff.Member, back string) Prove {
	return Prove{Chrome: s.chrome(r, who), Login: who.Login, Back: back, Passkeys: s.SignIn.Passkeys != nil, Company: s.SignIn.Company != nil}
}

func (s *server) proof(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.Pages.Page(http.StatusOK, ProvePage, s.provePage(r, who, safeBack(r.URL.Query().Get("back"))))
}

func (s *server) prove(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	secret, back := r.PostFormValue("secret"), safeBack(r.PostFormValue("back"))
	if len(secret) > typedMost {
		return web.Answer{}, web.ErrBadRequest
	}
	err := s.turn(r, func() error { return s.SignIn.Prove(r.Context(), who, secret, r.Address) })
	if errors.Is(err, staff.ErrSignIn) || errors.Is(err, signin.ErrCode) || errors.Is(err, staff.ErrLocked) {
		p, page := web.ProblemOf(err), s.provePage(r, who, back)
		if page.Error = oldPasswordWords(p.Code); page.Error == "" {
			page.Error = codeWords(p.Code)
		}
		return s.Pages.Page(p.Status, ProvePage, page)
	}
	if err != nil {
		return web.Answer{}, err
	}
	s.Sessions.Put(r.Context(), provedKey, s.door.Now().UnixMilli())
	return web.Redirect(back), nil
}

func (s *server) proveByPasskey(r *web.Request, who staff.Member) (web.Answer, error) {
	var got answered
	if s.SignIn.Passkeys == nil {
		return web.Answer{}, web.ErrNoRoute
	}
	if err := web.ReadJSON(r, &got); err != nil {
		return web.Answer{}, err
	}
	if err := s.SignIn.ProveByPasskey(r.Context(), who, s.kept(r), got.Credential, r.Address); err != nil {
		return told(err)
	}
	s.Sessions.Put(r.Context(), provedKey, s.door.Now().UnixMilli())
	return web.JSON(http.StatusOK, map[string]string{"to": safeBack(got.Back)})
}

// --- The authenticator app ----------------------------------------------------------------------------------------------------------------------

func (s *server) codes(r *web.Request, who staff.Member) (web.Answer, error) {
	if !s.proved(r) {
		return web.Redirect(me + "/prove?back=" + url.QueryEscape(me+"/codes")), nil
	}
	setup, err := s.SignIn.BeginCodes(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	return s.codesPage(r, who, http.StatusOK, setup, "")
}

func (s *server) codesPage(r *web.Request, who staff.Member, status int, setup signin.Setup, wrong string) (web.Answer, error) {
	f, err := s.SignIn.Factors(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	picture, err := newQR(setup.Address)
	if err != nil {
		return web.Answer{}, err
	}
	return s.Pages.Page(status, CodesPage, Codes{Chrome: s.chrome(r, who), Secret: setup.Secret, Address: setup.Address, Box: setup.Box, QR: picture, Again: f.Codes, Error: wrong})
}

func (s *server) setCodes(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	if !s.proved(r) {
		return web.Answer{}, signin.ErrProve
	}
	box, code := r.PostFormValue("box"), r.PostFormValue("code")
	if len(code) > typedMost {
		return web.Answer{}, web.ErrBadRequest
	}
	recovery, err := s.SignIn.SetCodes(r.Context(), who, box, code, r.Address)
	switch {
	case errors.Is(err, signin.ErrOver): // with another secret, since this one lay about
		setup, err := s.SignIn.BeginCodes(r.Context(), who)
		if err != nil {
			return web.Answer{}, err
		}
		return s.codesPage(r, who, http.StatusUnauthorized, setup, "That took too long. Scan this new code, and type what the app shows.")
	case errors.Is(err, signin.ErrCode) || errors.Is(err, staff.ErrLocked):
		setup, again := s.SignIn.SameCodes(r.Context(), who, box)
		if again != nil {
			return web.Answer{}, again
		}
		p := web.ProblemOf(err)
		words := codeWords(p.Code)
		if p.Code == "code" {
			words = "That code does not fit. Check that the phone’s clock is right, wait for the next code and type that."
		}
		return s.codesPage(r, who, p.Status, setup, words)
	case err != nil:
		return web.Answer{}, err
	}
	return s.Pages.Page(http.StatusOK, RecoveryPage, Recovery{Chrome: s.chrome(r, who), Codes: recovery, Set: true})
}

func (s *server) removeCodes(r *web.Request, who staff.Member) (web.Answer, error) {
	if !s.proved(r) {
		return web.Answer{}, signin.ErrProve
	}
	return done("codes"), s.SignIn.RemoveCodes(r.Context(), who)
}

// recovery makes new recovery codes. They are shown in the answer, for no other page ever can.
func (s *server) recovery(r *web.Request, who staff.Member) (web.Answer, error) {
	if !s.proved(r) {
		return web.Answer{}, signin.ErrProve
	}
	codes, err := s.SignIn.NewRecovery(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	return s.Pages.Page(http.StatusOK, RecoveryPage, Recovery{Chrome: s.chrome(r, who), Codes: codes})
}

// --- Passkeys -----------------------------------------------------------------------------------------------------------------------------------

func (s *server) askNewPasskey(r *web.Request, who staff.Member) (web.Answer, error) {
	if s.SignIn.Passkeys == nil {
		return web.Answer{}, web.ErrNoRoute
	}
	if !s.proved(r) {
		return told(signin.ErrProve)
	}
	c, err := s.SignIn.BeginAdding(r.Context(), who, r.Address)
	return s.asks(r, c, err)
}

func (s *server) addPasskey(r *web.Request, who staff.Member) (web.Answer, error) {
	var got answered
	if s.SignIn.Passkeys == nil {
		return web.Answer{}, web.ErrNoRoute
	}
	if err := web.ReadJSON(r, &got); err != nil {
		return web.Answer{}, err
	}
	if !s.proved(r) {
		return told(signin.ErrProve)
	}
	if err := s.SignIn.AddPasskey(r.Context(), who, s.kept(r), got.Credential, got.Name); err != nil {
		return told(err)
	}
	return web.JSON(http.StatusOK, map[string]string{"to": me + "?done=added"})
}

func (s *server) removePasskey(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	if !s.proved(r) {
		return web.Answer{}, signin.ErrProve
	}
	err := s.SignIn.RemovePasskey(r.Context(), who, r.PostFormValue("id"))
	if errors.Is(err, signin.ErrPasskey) { // it is gone already
		return web.Answer{}, web.ErrNoRoute
	}
	return done("removed"), err
}

// --- Sessions -----------------------------------------------------------------------------------------------------------------------------------

func (s *server) endSessions(r *web.Request, who staff.Member) (web.Answer, error) {
	m, err := s.SignIn.EndSessions(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	return done("ended"), s.goOn(r, m)
}
