package plus_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/pquerna/otp/totp"

	"paylink/internal/app"
	"paylink/internal/demo"
	"paylink/internal/staff"
	"paylink/internal/testbed"
	"paylink/internal/trail"
)

// code is what an authenticator app shows now for the key that a page has shown.
func (w *town) code(secret string) string {
	w.t.Helper()
	code, err := totp.GenerateCode(secret, w.now())
	must(w.t, err)
	return code
}

// withApp sets an authenticator app up for somebody who is signed in, as a browser without script does, and returns its key and the recovery codes.
func (v *visitor) withApp() (secret string, recovery []string) {
	v.w.t.Helper()
	p := v.get("/plus/me/codes").is(http.StatusOK).has("svg.qr path", 1)
	secret = strings.ReplaceAll(p.Find("#key").Text(), " ", "")
	wrong := v.post("/plus/me/codes", p.form("main form", "code", "000000")).is(http.StatusUnauthorized).says("#code-error", "That code does not fit.")
	if again := strings.ReplaceAll(wrong.Find("#key").Text(), " ", ""); again != secret {
		v.w.t.Error("a wrong code changes the key that was scanned")
	}
	done := v.post("/plus/me/codes", wrong.form("main form", "code", v.w.code(secret))).is(http.StatusOK).has(".recovery li", 10).says("[role=status]", "is set up")
	v.w.later(30 * time.Second)
	done.Find(".recovery code").Each(func(_ int, code *goquery.Selection) { recovery = append(recovery, code.Text()) })
	return secret, recovery
}

func TestASecondStepComesBeforeEverythingElse(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	secret, recovery := v.withApp()
	v.get("/plus/me").says("main", "After your password you are asked for a code").says("main", "10 left")

	const there = "/plus/clients/100042"
	v = w.visitor()
	if to := v.post("/plus/", credentials("agent", demo.Password, there)).to(); to != "/plus/second-step" {
		t.Fatalf("a right password leads to %s", to)
	}
	half := *v.cookies["__Host-plus"]
	for _, path := range []string{there, "/plus/me", "/plus/me/codes", "/plus/me/password"} {
		v.get(path).is(http.StatusUnauthorized)
	}
	v.post("/plus/me/codes/remove", nil).is(http.StatusUnauthorized)
	v.get("/plus/").is(http.StatusOK).says("h1", "Sign in")
	p := v.get("/plus/second-step").is(http.StatusOK)
	if p.Find("#code").AttrOr("autocomplete", "") != "one-time-code" {
		t.Error("a browser can't fill the code in")
	}
	p = v.post("/plus/second-step", p.form("main form", "code", "123456")).is(http.StatusUnauthorized).says("[role=alert]", "That code is wrong, or was used before.")
	if to := v.post("/plus/second-step", p.form("main form", "code", w.code(secret))).to(); to != there {
		t.Errorf("the second step leads to %s", to)
	}
	if v.cookies["__Host-plus"].Value == half.Value {
		t.Error("the second step kept the token")
	}
	v.get("/plus/me").says("main", "by password and code since")
	thief := w.visitor()
	thief.cookies["__Host-plus"] = &half
	thief.post("/plus/second-step", url.Values{"code": {recovery[0]}}).is(http.StatusUnauthorized).says("h1", "Sign in")

	v = w.visitor()
	v.post("/plus/", credentials("agent", demo.Password, "/plus/")).to()
	w.later(5 * time.Minute)
	v.get("/plus/second-step").is(http.StatusUnauthorized).says("[role=alert]", "That took too long")
	v.post("/plus/", credentials("agent", demo.Password, "/plus/")).to()
	v.post("/plus/second-step", url.Values{"code": {recovery[0]}}).to()
	v.get("/plus/me").says("main", "by password and recovery code since").says("main", "9 left")
	v.post("/plus/me/codes/remove", nil).to()
	w.as("agent")
	if strings.Contains(w.log.String(), secret) || strings.Contains(w.log.String(), recovery[0]) {
		t.Error("the log holds a secret")
	}
}

func TestTheSecondStepLocksToo(t *testing.T) {
	w := newTown(t)
	w.as("agent").withApp()
	v := w.visitor()
	v.post("/plus/", credentials("agent", demo.Password, "/plus/")).to()
	for range 5 {
		v.post("/plus/second-step", url.Values{"code": {"000000"}})
	}
	p := v.post("/plus/second-step", url.Values{"code": {"000000"}}).is(http.StatusTooManyRequests).says("[role=alert]", "Too many wrong codes.")
	p.has("#code", 1)
}

func TestATemporaryPasswordOpensNothing(t *testing.T) {
	w := newTown(t)
	_, err := w.s.DB.SetPassword(t.Context(), "staff-agent", staff.HashPassword("a temporary word", []byte("0123456789abcdef")), true, trail.Entry{ID: "e1", At: w.now(), Act: "set password"})
	must(t, err)
	v := w.visitor()
	if to := v.post("/plus/", credentials("agent", "a temporary word", "/plus/clients/100042")).to(); to != "/plus/me/password" {
		t.Fatalf("it leads to %s", to)
	}
	for _, path := range []string{"/plus/", "/plus/clients/100042", "/plus/me", "/plus/me/codes", "/plus/payments/x/status"} {
		v.get(path).is(http.StatusForbidden).says("h1", "Choose your password")
	}
	v.post("/plus/clients/100042/links", url.Values{}).is(http.StatusForbidden)
	p := v.get("/plus/me/password").is(http.StatusOK).says("main", "Your password is a temporary one").has("#q", 0)
	for fresh, want := range map[string]string{
		"short": "12 characters or more", "a temporary word": "the password you have", "qwertyuiop123456": "tried first", "interlane 2026": "your login, your name",
		strings.Repeat("long words ", 30): "256 characters at most",
	} {
		bad := v.post("/plus/me/password", p.form("main form[action='/plus/me/password']", "old", "a temporary word", "new", fresh)).is(http.StatusUnprocessableEntity).says("#new-error", want)
		if bad.Find("main > [data-focus=new]").Length() != 1 || strings.Contains(bad.body, fresh) && fresh != "short" {
			t.Errorf("%.20q: the focus is elsewhere, or it is shown", fresh)
		}
	}
	v.post("/plus/me/password", p.form("main form[action='/plus/me/password']", "old", "wrong", "new", "a kettle on the shelf")).is(http.StatusUnauthorized).says("#old-error", "not your password now")
	v.post("/plus/me/password", p.form("main form[action='/plus/me/password']", "old", "a temporary word", "new", "a kettle on the shelf")).is(http.StatusSeeOther)
	v.get("/plus/clients/100042").is(http.StatusOK)
	w.visitor().post("/plus/", credentials("agent", "a temporary word", "")).is(http.StatusUnauthorized)
}

func TestAChangedPasswordEndsTheOtherSessions(t *testing.T) {
	w := newTown(t)
	here, there := w.as("agent"), w.as("agent")
	old := *here.cookies["__Host-plus"]
	form := here.get("/plus/me/password").form("main form", "old", demo.Password, "new", "a kettle on the shelf")
	if to := here.post("/plus/me/password", form).to(); to != "/plus/me?done=password" {
		t.Errorf("it leads to %s", to)
	}
	here.get("/plus/me?done=password").is(http.StatusOK).says("[role=status]", "Your password is changed.")
	there.get("/plus/me").is(http.StatusUnauthorized)
	thief := w.visitor()
	thief.cookies["__Host-plus"] = &old
	thief.get("/plus/me").is(http.StatusUnauthorized)

	there.post("/plus/", credentials("agent", "a kettle on the shelf", "/plus/")).to()
	here.post("/plus/me/sessions/end", nil).to()
	there.get("/plus/me").is(http.StatusUnauthorized)
	here.get("/plus/me").is(http.StatusOK)
}

func TestWhoSignedInAWhileAgoProvesAgainThatItIsThey(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	secret, _ := v.withApp()
	w.later(10 * time.Minute)
	if to := v.get("/plus/me/codes").to(); to != "/plus/me/prove?back=%2Fplus%2Fme%2Fcodes" {
		t.Errorf("it leads to %s", to)
	}
	for _, path := range []string{"/plus/me/codes", "/plus/me/codes/remove", "/plus/me/recovery", "/plus/me/passkeys/remove"} {
		v.post(path, url.Values{}).is(http.StatusForbidden).says("h1", "Is it you?")
	}
	p := v.get("/plus/me/prove?back=https://evil.example/")
	if p.form("main form").Get("back") != "/plus/" {
		t.Error("it leads elsewhere")
	}
	v.post("/plus/me/prove", url.Values{"secret": {"wrong"}}).is(http.StatusUnauthorized).says("[role=alert]", "That is not your password now.")
	v.post("/plus/me/prove", url.Values{"secret": {"123456"}}).is(http.StatusUnauthorized).says("[role=alert]", "That code is wrong")
	if to := v.post("/plus/me/prove", url.Values{"secret": {w.code(secret)}, "back": {"/plus/me"}}).to(); to != "/plus/me" {
		t.Errorf("it leads to %s", to)
	}
	v.post("/plus/me/recovery", nil).is(http.StatusOK).has(".recovery li", 10)
}

// A stranger is told nothing: words, status and what is set are the same for a login that nobody has, and for one with a second factor.
func TestNobodySeesWhatALoginHas(t *testing.T) {
	w := newTown(t)
	w.as("agent").withApp()
	var seen []string
	for _, login := range []string{"agent", "lead", "nobody"} {
		p := w.visitor().post("/plus/", credentials(login, "wrong", "")).is(http.StatusUnauthorized)
		seen = append(seen, strings.ReplaceAll(p.words("main"), login, "")+p.header.Get("Set-Cookie"))
	}
	if seen[0] != seen[1] || seen[1] != seen[2] {
		t.Errorf("they are told apart: %q", seen)
	}
	body := w.visitor().get("/plus/").body
	if strings.Contains(body, "passkey") || strings.Contains(body, "company") {
		t.Error("there are ways in that this address and company have not")
	}
}

func TestTheCompanysSignIn(t *testing.T) {
	var provider *testbed.Provider
	w := newTown(t, func(c *app.Config) {
		provider = testbed.NewProvider(t, c.Now)
		c.OIDC = app.OIDC{Issuer: provider.URL, ClientID: provider.ClientID, ClientSecret: provider.ClientSecret}
	})
	const there = "/plus/clients/100042?tab=history"
	goes := func(v *visitor) string {
		p := v.get(there).is(http.StatusUnauthorized).says("main form[action='/plus/sign-on'] button", "Sign in with your company account")
		p = v.post("/plus/sign-on", p.form("main form[action='/plus/sign-on']")).is(http.StatusOK).says("h1", "Going to your company’s sign-in")
		to := p.Find("main a.primary").AttrOr("href", "")
		if p.header.Get("Refresh") != "0; url="+to || !strings.HasPrefix(to, provider.URL+"/authorize?") {
			t.Fatalf("it goes to %s", p.header.Get("Refresh"))
		}
		return to
	}
	back := func(to string, change ...string) string {
		u, err := url.Parse(to)
		must(t, err)
		q := url.Values{"state": {u.Query().Get("state")}, "iss": {provider.URL}}
		for i := 0; i < len(change); i += 2 {
			q.Set(change[i], change[i+1])
		}
		return "/plus/sign-on?" + q.Encode()
	}
	known := map[string]any{"sub": "s1", "email": "agent@interlane.example", "email_verified": true}
	v := w.visitor()
	to := goes(v)
	planted := *v.cookies["__Host-plus"]
	address := back(to, "code", provider.SignIn(t, to, known))
	w.visitor().get(address).is(http.StatusUnauthorized) // a link that somebody else has sent
	if at := v.get(address).to(); at != there {
		t.Errorf("it leads to %s", at)
	}
	if v.cookies["__Host-plus"].Value == planted.Value {
		t.Error("signing in kept the token")
	}
	v.get("/plus/me").is(http.StatusOK).says("main", "by company account since")
	v.get(address).is(http.StatusUnauthorized) // again

	v = w.visitor()
	to = goes(v)
	v.get(back(to, "error", "access_denied", "error_description", "<b>secret</b>")).is(http.StatusUnauthorized).says("[role=alert]", "has not let you in").has("main b", 0)
	to = goes(v)
	v.get(back(to, "code", provider.SignIn(t, to, map[string]any{"sub": "s2", "email": "x@interlane.example", "email_verified": true}))).is(http.StatusForbidden).says("[role=alert]", "not one that PLUS Web knows")
	provider.Set(func(p *testbed.Provider) { p.Down = true })
	w.later(2 * time.Hour) // what it said of itself is asked for again
	p := v.get("/plus/").is(http.StatusOK)
	p = v.post("/plus/sign-on", p.form("main form[action='/plus/sign-on']")).is(http.StatusServiceUnavailable).says("[role=alert]", "does not answer just now")
	v.post("/plus/", p.form("main form[action='/plus/']", "login", "agent", "password", demo.Password)).is(http.StatusSeeOther)
	if strings.Contains(w.log.String(), provider.ClientSecret) || strings.Contains(w.log.String(), "s1") && strings.Contains(w.log.String(), "code=") {
		t.Error("the log holds a secret")
	}
}
