package plus

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"paylink/internal/desk/signin"
	"paylink/internal/staff"
	"paylink/internal/web"
)

const (
	secondStep = "/plus/second-step"
	me         = "/plus/me"
	typedMost  = 4 * staff.MaxPassword // bytes of a password or a code as typed; what is longer is none
)

// home is the sign-in page, or for somebody who is signed in the search.
func (s *server) home(r *web.Request) (web.Answer, error) {
	who, err := s.who(r)
	switch {
	case errors.Is(err, web.ErrNoSession):
		return s.Pages.Page(http.StatusOK, SignInPage, s.signInPage(r, home))
	case err != nil:
		return web.Answer{}, err
	}
	s.touch(r)
	return s.Pages.Page(http.StatusOK, ClientsPage, Clients{Chrome: s.chrome(r, who)})
}

func (s *server) signInPage(r *web.Request, back string) SignIn {
	return SignIn{Chrome: s.chrome(r, staff.Member{}), Back: back, Passkeys: s.SignIn.Passkeys != nil, Company: s.SignIn.Company != nil}
}

// notIn is the sign-in page with what went wrong.
func (s *server) notIn(r *web.Request, err error, page SignIn) (web.Answer, error) {
	p := web.ProblemOf(err)
	if page.Error = signInWords(p.Code); page.Error == "" {
		return web.Answer{}, err
	}
	page.WrongPassword = p.Code == "sign_in" || p.Code == "locked_out"
	a, err := s.Pages.Page(p.Status, SignInPage, page)
	if p.Status == http.StatusTooManyRequests {
		a.Header = http.Header{"Retry-After": {"900"}}
	}
	return a, err
}

// signInWords are what somebody reads who could not sign in; "" for what is no matter of theirs.
func signInWords(code string) string {
	switch code {
	case "sign_in":
		return "The login or the password is wrong. Check both and try again."
	case "locked_out":
		return "Too many wrong passwords. This login is locked for 15 minutes; your lead can help."
	case "temporary":
		return "This temporary password is more than a week old and no longer good. Ask an administrator for another."
	case "over":
		return "That took too long, or was done before. Sign in again."
	case "too_often":
		return "Too many tries from here. Wait a quarter of an hour, and try again."
	case "company_refused":
		return "Your company’s sign-in has not let you in. Try again, or sign in another way."
	case "company_down":
		return "Your company’s sign-in does not answer just now. Sign in with your password or a passkey, or try again in a moment."
	case "no_account":
		return "Your company account is not one that PLUS Web knows. Ask an administrator to check the e-mail address that PLUS Web has for you."
	}
	return ""
}

func (s *server) signIn(r *web.Request) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	page := s.signInPage(r, safeBack(r.PostFormValue("back")))
	page.Login = strings.TrimSpace(r.PostFormValue("login"))
	if len(page.Login) > 200 || len(r.PostFormValue("password")) > typedMost {
		return web.Answer{}, web.ErrBadRequest
	}
	var m signin.Proven
	err := s.turn(r, func() (err error) {
		m, err = s.SignIn.SignIn(r.Context(), page.Login, r.PostFormValue("password"), r.Address)
		return err
	})
	if err != nil {
		return s.notIn(r, err, page)
	}
	if m.Second {
		return s.enterHalf(r, m.Member, page.Back)
	}
	if err := s.enter(r, m.Member, signin.ByPassword); err != nil {
		return web.Answer{}, err
	}
	return s.in(r, m.Member, page.Back), nil
}

// in leads somebody who has just signed in to where they wanted to go, or to choosing a password of their own.
func (s *server) in(r *web.Request, m staff.Member, back string) web.Answer {
	if s.mustChange(r, m) {
		return web.Redirect(me + "/password")
	}
	return web.Redirect(back)
}

// turn waits for its turn to hash a password.
func (s *server) turn(r *web.Request, hash func() error) error {
	select {
	case s.signIns <- struct{}{}:
		defer func() { <-s.signIns }()
		return hash()
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

// half is what a session keeps of somebody whose password was right. It opens nothing but the second step.
type half struct {
	ID          string
	SinceMS, MS int64
	Back        string
}

func (s *server) enterHalf(r *web.Request, m staff.Member, back string) (web.Answer, error) {
	if err := s.renew(r); err != nil {
		return web.Answer{}, err
	}
	b, err := json.Marshal(half{m.ID, since(m), s.door.Now().UnixMilli(), back})
	if err != nil {
		return web.Answer{}, err
	}
	s.Sessions.Put(r.Context(), halfKey, string(b))
	return web.Redirect(secondStep), nil
}

// half is whose second step this browser has come to. Errors: signin.ErrOver.
func (s *server) half(r *web.Request) (half, error) {
	var h half
	if json.Unmarshal([]byte(s.Sessions.GetString(r.Context(), halfKey)), &h) != nil || s.door.Now().Sub(time.UnixMilli(h.MS)) >= signin.HalfLife {
		return half{}, signin.ErrOver
	}
	return h, nil
}

func (s *server) secondStep(r *web.Request) (web.Answer, error) {
	h, err := s.half(r)
	if err != nil {
		return s.notIn(r, err, s.signInPage(r, home))
	}
	return s.Pages.Page(http.StatusOK, SecondPage, s.secondPage(r, h))
}

func (s *server) secondPage(r *web.Request, h half) Second {
	return Second{Chrome: s.chrome(r, staff.Member{}), Back: h.Back, Passkeys: s.SignIn.Passkeys != nil}
}

func (s *server) second(r *web.Request) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	h, err := s.half(r)
	if err != nil {
		return s.notIn(r, err, s.signInPage(r, home))
	}
	code := r.PostFormValue("code")
	if len(code) > typedMost {
		return web.Answer{}, web.ErrBadRequest
	}
	m, by, err := s.SignIn.Second(r.Context(), signin.Half{ID: h.ID, Since: fromMS(h.SinceMS), At: time.UnixMilli(h.MS)}, code, r.Address)
	if errors.Is(err, signin.ErrOver) {
		return s.notIn(r, err, s.signInPage(r, h.Back))
	}
	if errors.Is(err, signin.ErrCode) || errors.Is(err, staff.ErrLocked) {
		p, page := web.ProblemOf(err), s.secondPage(r, h)
		page.Error = codeWords(p.Code)
		return s.Pages.Page(p.Status, SecondPage, page)
	}
	if err != nil {
		return web.Answer{}, err
	}
	if err := s.enter(r, m, by); err != nil {
		return web.Answer{}, err
	}
	return s.in(r, m, h.Back), nil
}

// codeWords are what somebody reads whose code was wrong.
func codeWords(code string) string {
	if code == "locked_out" {
		return "Too many wrong codes. Wait a quarter of an hour, and try again; your lead can help."
	}
	return "That code is wrong, or was used before. Wait for the next one and try again."
}

func fromMS(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// --- Passkeys: the page's script asks, the browser answers --------------------------------------------------------------------------------------

// answered is what the script brings back from the browser.
type answered struct {
	Credential json.RawMessage `json:"credential"`
	Name       string          `json:"name"` // of a new one
	Back       string          `json:"back"`
}

// asks answers a script with what to ask the browser for, and keeps the challenge in the session.
func (s *server) asks(r *web.Request, c signin.Ceremony, err error) (web.Answer, error) {
	if err != nil {
		return told(err)
	}
	s.Sessions.Put(r.Context(), ceremonyKey, string(c.Kept))
	return web.Answer{Type: "application/json", Body: c.Ask}, nil
}

// kept takes the challenge out of the session: it is good once.
func (s *server) kept(r *web.Request) []byte {
	return []byte(s.Sessions.PopString(r.Context(), ceremonyKey))
}

// told tells a script in words why something was refused.
func told(err error) (web.Answer, error) {
	p := web.ProblemOf(err)
	words := passkeyWords(p.Code)
	if words == "" {
		return web.Answer{}, err
	}
	return web.JSON(p.Status, map[string]string{"error": words})
}

func passkeyWords(code string) string {
	switch code {
	case "passkey":
		return "That passkey can’t be used here. Try another one, or another way."
	case "over":
		return "That took too long. Try again."
	case "locked_out", "too_often":
		return "Too many tries from here. Wait a quarter of an hour, and try again."
	case "passkey_here":
		return "This passkey was added before."
	case "passkeys_most":
		return "You have ten passkeys, which is the most. Remove one first."
	case "name":
		return "Give the passkey a name, such as “Work laptop”."
	case "card_number":
		return "That looks like a card number, which must not be kept. Give the passkey another name."
	case "too_long":
		return "That name is too long."
	case "prove":
		return "You signed in a while ago. Prove that it is you, and try again."
	}
	return ""
}

func (s *server) askPasskey(r *web.Request) (web.Answer, error) {
	if s.SignIn.Passkeys == nil {
		return web.Answer{}, web.ErrNoRoute
	}
	c, err := s.SignIn.BeginPasskey(r.Context(), r.Address)
	return s.asks(r, c, err)
}

// passkey signs in by a passkey alone, and as well for the second step: it replaces both.
func (s *server) passkey(r *web.Request) (web.Answer, error) {
	var got answered
	if s.SignIn.Passkeys == nil {
		return web.Answer{}, web.ErrNoRoute
	}
	if err := web.ReadJSON(r, &got); err != nil {
		return web.Answer{}, err
	}
	m, err := s.SignIn.Passkey(r.Context(), s.kept(r), got.Credential, r.Address)
	if err != nil {
		return told(err)
	}
	if err := s.enter(r, m, signin.ByPasskey); err != nil {
		return web.Answer{}, err
	}
	return web.JSON(http.StatusOK, map[string]string{"to": safeBack(got.Back)})
}

// --- The company's own sign-in ------------------------------------------------------------------------------------------------------------------

// askCompany sends a browser to the company's sign-in. It answers with a page that goes on by itself, and not with a redirect: our policy lets forms lead to our own pages only.
func (s *server) askCompany(r *web.Request) (web.Answer, error) {
	if s.SignIn.Company == nil {
		return web.Answer{}, web.ErrNoRoute
	}
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	page := s.signInPage(r, safeBack(r.PostFormValue("back")))
	to, kept, err := s.SignIn.BeginCompany(r.Context(), r.Address)
	if err != nil {
		return s.notIn(r, err, page)
	}
	s.Sessions.Put(r.Context(), companyKey, string(kept))
	s.Sessions.Put(r.Context(), backKey, page.Back)
	a, err := s.Pages.Page(http.StatusOK, CompanyPage, GoToCompany{Chrome: s.chrome(r, staff.Member{}), Address: to})
	a.Header = http.Header{"Refresh": {"0; url=" + to}}
	return a, err
}

// signOn is where the company's sign-in sends the browser back to. It is a GET because that is how the browser comes (OpenID Connect Core, 3.1.2.5); what it brings is good once, and in this browser only.
func (s *server) signOn(r *web.Request) (web.Answer, error) {
	if s.SignIn.Company == nil {
		return web.Answer{}, web.ErrNoRoute
	}
	ctx, q := r.Context(), r.URL.Query()
	kept, back := s.Sessions.PopString(ctx, companyKey), safeBack(s.Sessions.PopString(ctx, backKey))
	m, err := s.SignIn.ByCompany(ctx, []byte(kept), signin.Returned{State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Issuer: q.Get("iss")}, r.Address)
	if err != nil {
		return s.notIn(r, err, s.signInPage(r, back))
	}
	if err := s.enter(r, m, signin.ByCompany); err != nil {
		return web.Answer{}, err
	}
	return web.Redirect(back), nil
}
