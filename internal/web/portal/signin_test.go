package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"paylink/internal/demo"
)

func TestNobodyIsToldWhetherAClientExists(t *testing.T) {
	w := newTown(t)
	says := func(id, password string) string {
		v := w.visitor()
		p := v.post("/my/", url.Values{"id": {id}, "password": {password}}).is(http.StatusUnauthorized)
		if len(v.cookies) != 0 {
			t.Errorf("%s got a cookie", id)
		}
		return strings.ReplaceAll(p.words("main"), id, "")
	}
	if a, b := says("100042", "wrong-password-1"), says("999999", "wrong-password-1"); a != b || !strings.Contains(a, "The client id or the password is wrong") {
		t.Errorf("a wrong password says %q, an id that nobody has %q", a, b)
	}
	for range 4 {
		w.visitor().post("/my/", url.Values{"id": {"100042"}, "password": {"wrong-password-1"}})
		w.visitor().post("/my/", url.Values{"id": {"999999"}, "password": {"wrong-password-1"}})
	}
	for _, id := range []string{"100042", "999999"} {
		p := w.visitor().post("/my/", url.Values{"id": {id}, "password": {demo.Password}}).is(http.StatusTooManyRequests)
		if p.says("main", "Too many wrong passwords").header.Get("Retry-After") == "" {
			t.Error("it does not say how long to wait")
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'sign in' AND refused <> ''`); n != 12 {
		t.Errorf("%d refusals are in the trail", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE detail LIKE '%wrong-password%'`); n != 0 || strings.Contains(w.log.String(), "wrong-password") {
		t.Error("a password is kept")
	}
}

func TestASessionEndsForEverybodyWhoHasIt(t *testing.T) {
	w := newTown(t)
	v := w.as("100046")
	v.get("/my/").is(http.StatusOK).says("h1", "Hola, Lucía").says("main", "2015 Nissan Sentra")
	for _, c := range v.cookies {
		if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "__Host-") {
			t.Errorf("the cookie is %+v", c)
		}
		if n := w.count(`SELECT COUNT(*) FROM client_sessions WHERE digest = $1`, c.Value); n != 0 {
			t.Error("the token itself is kept")
		}
	}
	thief := w.visitor()
	for name, c := range v.cookies {
		thief.cookies[name] = c
	}
	v.post("/my/sign-out", nil).is(http.StatusSeeOther)
	thief.get("/my/password").is(http.StatusUnauthorized)

	v = w.as("100042")
	w.later(29 * time.Minute)
	v.get("/my/").says("h1", "Hello, Dana")
	w.later(29 * time.Minute)
	v.get("/my/").says("h1", "Hello, Dana")
	w.later(30 * time.Minute)
	v.get("/my/password").is(http.StatusUnauthorized).says("main", "Sign in to go on")
}

func TestAPasswordIsChangedByWhoKnowsTheOldOneAndEndsEverySession(t *testing.T) {
	w := newTown(t)
	v, other := w.as("100042"), w.as("100042")
	const fresh = "seven quiet herons"
	for _, c := range []struct{ old, password, where, says string }{
		{"not it at all", fresh, "#old-error", "not your current password"},
		{demo.Password, "short", "#password-error", "too short"},
		{demo.Password, strings.Repeat("x", 300), "#password-error", "too long"},
		{demo.Password, demo.Password, "#password-error", "not the password before"},
		{demo.Password, "password1234", "#password-error", "among the first"},
		{demo.Password, "Interlane100042", "#password-error", "made of your name"},
	} {
		p := v.post("/my/password", url.Values{"old": {c.old}, "password": {c.password}}).says(c.where, c.says)
		if p.status != http.StatusUnauthorized && p.status != http.StatusUnprocessableEntity || p.Find("main").AttrOr("data-focus", "") == "" {
			t.Errorf("%s: %d", c.says, p.status)
		}
	}
	other.get("/my/").is(http.StatusOK).says("h1", "Hello, Dana")
	v.post("/my/password", url.Values{"old": {demo.Password}, "password": {fresh}}).is(http.StatusSeeOther)
	v.get("/my/").says("h1", "Hello, Dana")
	other.get("/my/password").is(http.StatusUnauthorized)
	w.visitor().post("/my/", url.Values{"id": {"100042"}, "password": {demo.Password}}).is(http.StatusUnauthorized)
	w.visitor().post("/my/", url.Values{"id": {"100042"}, "password": {fresh}}).is(http.StatusSeeOther)
	w.told("100042", "Your password was changed")
}

func TestATemporaryPasswordLeadsNowhereElse(t *testing.T) {
	w := newTown(t)
	if _, err := w.books.Exec(`UPDATE access SET must_change = 1 WHERE client_id = '100042'`); err != nil {
		t.Fatal(err)
	}
	v := w.visitor()
	if to := v.post("/my/", url.Values{"id": {"100042"}, "password": {demo.Password}, "back": {"/my/"}}).to(); to != "/my/password" {
		t.Errorf("it leads to %s", to)
	}
	if to := v.get("/my/").to(); to != "/my/password" {
		t.Errorf("the dashboard leads to %s", to)
	}
	v.get("/my/password").says("h1", "Choose a new password").has(".rooms", 0)
	v.post("/my/password", url.Values{"old": {demo.Password}, "password": {"seven quiet herons"}}).is(http.StatusSeeOther)
	v.get("/my/").is(http.StatusOK)
	w.later(0)
	if _, err := w.books.Exec(`UPDATE access SET must_change = 1, password_ms = $1 WHERE client_id = '100043'`, start.Add(-8*24*time.Hour).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	w.visitor().post("/my/", url.Values{"id": {"100043"}, "password": {demo.Password}}).is(http.StatusUnauthorized).says("main", "too old")
}

func TestWhoIsSentAwayToSignInComesBackToOurOwnPagesOnly(t *testing.T) {
	w := newTown(t)
	for _, to := range []string{"https://example.com/", "//example.com", "/plus/", `/my/\example.com`, "/my//example.com", "/myx"} {
		got := w.visitor().post("/my/", url.Values{"id": {"100042"}, "password": {demo.Password}, "back": {to}}).to()
		if got != "/my/" {
			t.Errorf("%s leads to %s", to, got)
		}
	}
	w.visitor().get("/my/password").is(http.StatusUnauthorized).has(`input[name="back"][value="/my/password"]`, 1)
	w.visitor().get("/my/nothing").is(http.StatusNotFound)
	w.visitor().get("/my/sign-out").is(http.StatusMethodNotAllowed)
}

func TestAClientEndsTheirOwnSessionsAndNobodyElses(t *testing.T) {
	w := newTown(t)
	v, other, stranger := w.as("100042"), w.as("100042"), w.as("100043")
	p := v.get("/my/sessions").is(http.StatusOK).has(".list > li", 2).has(".here", 1)
	p.Find(".list form").Each(func(i int, form *goquery.Selection) {
		if form.Closest("li").Find(".here").Length() > 0 {
			return
		}
		id := url.Values{"id": {form.Find("input").AttrOr("value", "")}}
		stranger.post("/my/sessions", id).is(http.StatusNotFound)
		other.get("/my/sessions").is(http.StatusOK)
		v.post("/my/sessions", id).is(http.StatusSeeOther)
		other.get("/my/sessions").is(http.StatusUnauthorized)
		v.post("/my/sessions", id).is(http.StatusNotFound) // it has ended
	})
	if to := v.post("/my/sessions", v.get("/my/sessions").has(".list > li", 1).form(".list form")).to(); to != "/my/" {
		t.Errorf("it leads to %s", to)
	}
	v.get("/my/sessions").is(http.StatusUnauthorized)
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'end session' AND client_id = '100042'`); n != 2 {
		t.Errorf("%d ends are in the trail", n)
	}
}
