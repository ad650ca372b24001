package plus_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"paylink/internal/demo"
	"paylink/internal/desk/admin"
	"paylink/internal/trail"
)

func credentials(login, password, back string) url.Values {
	return url.Values{"login": {login}, "password": {password}, "back": {back}}
}

func TestSignIn(t *testing.T) {
	w := newTown(t)
	v := w.visitor()
	v.get("/plus/").is(http.StatusOK).says("label[for=login]", "Login").says("label[for=password]", "Password").says("form button[type=submit]", "Sign in").has("#q", 0)
	for _, c := range []url.Values{credentials("agent", "wrong", ""), credentials("nobody", demo.Password, ""), credentials("agent", "", "")} {
		p := v.post("/plus/", c).is(http.StatusUnauthorized).says("[role=alert]", "The login or the password is wrong.")
		if p.Find("#login").AttrOr("value", "") != c.Get("login") {
			t.Errorf("the login %q was not kept", c.Get("login"))
		}
		if _, kept := p.Find("#password").Attr("value"); kept {
			t.Error("the password was sent back")
		}
	}
	if len(v.cookies) != 0 {
		t.Errorf("a stranger has the cookies %v", v.cookies)
	}
	if to := v.post("/plus/", credentials(" Agent ", demo.Password, "/plus/")).to(); to != "/plus/" {
		t.Errorf("signing in leads to %s", to)
	}
	c := v.cookies["__Host-plus"]
	if c == nil || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Fatalf("the cookie is %v", c)
	}
	if n := w.count(`SELECT COUNT(*) FROM sessions WHERE token = $1`, c.Value); n != 0 {
		t.Error("the cookie's token is stored as it is")
	}
	v.get("/plus/").says(".me", "J. Ortiz · Team East")

	old := *c
	v.post("/plus/", credentials("agent", demo.Password, "/plus/")).to()
	if v.cookies["__Host-plus"].Value == old.Value {
		t.Error("signing in kept the token")
	}
	thief := w.visitor()
	thief.cookies["__Host-plus"] = &old
	thief.get("/plus/clients/100042").is(http.StatusUnauthorized)
}

func TestTooManyWrongPasswordsLockALogin(t *testing.T) {
	w := newTown(t)
	v := w.visitor()
	for range 5 {
		v.post("/plus/", credentials("agent", "wrong", ""))
	}
	p := v.post("/plus/", credentials("agent", demo.Password, "")).is(http.StatusTooManyRequests).says("[role=alert]", "locked for 15 minutes")
	if p.header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	w.later(16 * time.Minute)
	v.post("/plus/", credentials("agent", demo.Password, "")).is(http.StatusSeeOther)
}

func TestWhoHasToSignInComesBackToWhereTheyWere(t *testing.T) {
	w := newTown(t)
	v := w.visitor()
	const there = "/plus/clients/100042?tab=history"
	p := v.get(there).is(http.StatusUnauthorized).says("h1", "Sign in")
	if to := v.post("/plus/", p.form("form", "login", "agent", "password", demo.Password)).to(); to != there {
		t.Errorf("it leads back to %s", to)
	}
	// An act is not repeated: its page is shown.
	stranger := w.visitor()
	p = stranger.post("/plus/clients/100042/links", url.Values{"phone": {"(804) 555-0142"}}).is(http.StatusUnauthorized)
	if back := p.form("form").Get("back"); back != "/plus/clients/100042" {
		t.Errorf("it leads back to %s", back)
	}
	// The script is told without a page.
	stranger.headers["X-Part"] = "1"
	stranger.get("/plus/payments/x/status").is(http.StatusUnauthorized).has("form", 0)
}

func TestSigningInLeadsNowhereElse(t *testing.T) {
	w := newTown(t)
	for _, back := range []string{
		"https://evil.example/plus/", "//evil.example/plus/", "/\\evil.example", "/plus/\\evil.example", "/plus//evil.example", "javascript:alert(1)", "/other/", "", "/plus/\r\nX: y", "/plus/" + strings.Repeat("x", 600),
	} {
		if to := w.visitor().post("/plus/", credentials("agent", demo.Password, back)).to(); to != "/plus/" {
			t.Errorf("%q leads to %s", back, to)
		}
	}
}

func TestASessionEnds(t *testing.T) {
	t.Run("by signing out", func(t *testing.T) {
		w := newTown(t)
		v := w.as("agent")
		kept := *v.cookies["__Host-plus"]
		v.get("/plus/sign-out").is(http.StatusMethodNotAllowed)
		if to := v.post("/plus/sign-out", nil).to(); to != "/plus/" {
			t.Errorf("it leads to %s", to)
		}
		v.cookies["__Host-plus"] = &kept
		v.get("/plus/clients/100042").is(http.StatusUnauthorized)
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	t.Run("thirty minutes after the last act", func(t *testing.T) {
		w := newTown(t)
		v := w.as("agent")
		for range 3 {
			w.later(29 * time.Minute)
			v.get("/plus/clients/100042").is(http.StatusOK)
		}
		w.later(31 * time.Minute)
		v.get("/plus/clients/100042").is(http.StatusUnauthorized)
	})
	t.Run("twelve hours after it began", func(t *testing.T) {
		w := newTown(t)
		v := w.as("agent")
		for range 12*60/29 - 1 {
			w.later(29 * time.Minute)
			v.get("/plus/clients/100042").is(http.StatusOK)
		}
		w.later(29 * time.Minute)
		w.later(29 * time.Minute)
		v.get("/plus/clients/100042").is(http.StatusUnauthorized)
	})
	t.Run("though its page goes on asking", func(t *testing.T) {
		w := newTown(t)
		v := w.as("agent")
		id, _ := v.sent()
		for range 4 {
			w.later(7 * time.Minute)
			v.get("/plus/payments/" + id + "/status").is(http.StatusOK)
		}
		w.later(7 * time.Minute)
		v.get("/plus/payments/" + id + "/status").is(http.StatusUnauthorized)
	})
	t.Run("at once for somebody who is disabled", func(t *testing.T) {
		w := newTown(t)
		v := w.as("agent")
		_, err := w.books.Exec(`UPDATE staff SET disabled = 1 WHERE id = 'staff-agent'`)
		must(t, err)
		v.get("/plus/clients/100042").is(http.StatusUnauthorized)
		v.post("/plus/", credentials("agent", demo.Password, "")).is(http.StatusUnauthorized)
	})
	t.Run("everywhere when an administrator ends them", func(t *testing.T) {
		w := newTown(t)
		here, there, other := w.as("agent"), w.as("agent"), w.as("lead")
		_, err := w.s.DB.EndSessions(t.Context(), "staff-agent", trail.Entry{ID: "e1", At: w.now(), Act: "end sessions", Object: "staff-agent"})
		must(t, err)
		here.get("/plus/clients/100042").is(http.StatusUnauthorized)
		there.get("/plus/clients/100042").is(http.StatusUnauthorized)
		other.get("/plus/clients/100042").is(http.StatusOK)
		again := w.as("agent")
		again.get("/plus/clients/100042").is(http.StatusOK)
		for n, disabled := range []bool{true, false} {
			must(t, w.s.DB.ChangeStaff(t.Context(), "staff-admin", "staff-agent", func(f admin.StaffFacts) (admin.StaffChange, error) {
				f.Member.Disabled = disabled
				return admin.StaffChange{Member: f.Member, Over: disabled, Trail: trail.Entry{ID: fmt.Sprint("disabled ", n), At: w.now(), Act: "disable", Object: "staff-agent"}}, nil
			}))
		}
		again.get("/plus/clients/100042").is(http.StatusUnauthorized) // though nobody came by while they were out
	})
	t.Run("with a forged cookie", func(t *testing.T) {
		v := newTown(t).visitor()
		v.cookies["__Host-plus"] = &http.Cookie{Name: "__Host-plus", Value: "forged"}
		v.get("/plus/clients/100042").is(http.StatusUnauthorized)
		v.get("/plus/").is(http.StatusOK).says("h1", "Sign in")
	})
}

func TestAnotherSiteCanDoNothing(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	form := v.get(dana).form("#send")
	v.headers["Origin"] = "https://evil.example"
	v.headers["Sec-Fetch-Site"] = "cross-site"
	v.post("/plus/clients/100042/links", form).is(http.StatusForbidden)
	if w.count(`SELECT COUNT(*) FROM payments`) != 0 {
		t.Error("something was sent")
	}
}
