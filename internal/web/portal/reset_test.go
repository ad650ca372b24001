package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"paylink/internal/demo"
)

var resetLink = regexp.MustCompile(`/my/reset\?lang=(en|es)#([A-Z2-7]{26})`)

// forgets has a client ask for a link, and returns its token and language.
func (w *town) forgets(id string) (token, language string) {
	w.t.Helper()
	had := len(w.mailed(id, ""))
	if to := w.visitor().post("/my/forgot", url.Values{"id": {id}}).to(); to != "/my/forgot?sent=1" {
		w.t.Fatalf("it leads to %s", to)
	}
	got := w.mailed(id, "")
	if len(got) != had+1 {
		w.t.Fatalf("%d letters came", len(got)-had)
	}
	m := resetLink.FindStringSubmatch(got[had].Text)
	if m == nil {
		w.t.Fatal("the letter has no link")
	}
	return m[2], m[1]
}

func TestAForgottenPasswordIsReplacedOnceByWhoReadsTheClientsMail(t *testing.T) {
	w := newTown(t)
	const fresh = "seven quiet herons"
	lucia := w.as("100046")
	first, _ := w.forgets("100046")
	w.later(time.Minute)
	token, language := w.forgets("100046")
	if language != "es" {
		t.Errorf("the link is in %s", language)
	}
	if n := w.count(`SELECT COUNT(*) FROM client_tokens WHERE digest = $1`, token) + w.count(`SELECT COUNT(*) FROM letters WHERE box <> ''`); n != 0 || strings.Contains(w.log.String(), token) {
		t.Error("the token is kept, or logged")
	}
	v := w.visitor()
	v.get("/my/reset?lang=es").is(http.StatusOK).says("h1", "Elija una contraseña nueva")
	choose := func(v *visitor, code, password string) *page {
		return v.post("/my/reset", url.Values{"code": {code}, "password": {password}})
	}
	for _, dead := range []string{first, "NONSENSE", strings.Repeat("A", 26)} {
		choose(v, dead, fresh).is(http.StatusGone).says("h1", "Este enlace ya no vale").has(`a[href="/my/forgot"]`, 1)
	}
	choose(v, "", fresh).is(http.StatusUnprocessableEntity).says("#code-error", "Escriba el código")
	choose(v, token, "short").is(http.StatusUnprocessableEntity).says("#password-error", "demasiado corta").has(`input[name=code][value="`+token+`"]`, 1)
	choose(v, token, "100046").is(http.StatusUnprocessableEntity)
	lucia.get("/my/").is(http.StatusOK)

	if to := choose(v, "https://interlane.example/my/reset#"+strings.ToLower(token), fresh).to(); to != "/my/" {
		t.Errorf("it leads to %s", to)
	}
	v.get("/my/").is(http.StatusOK).says("h1", "Lucía")
	lucia.get("/my/password").is(http.StatusUnauthorized)
	choose(w.visitor(), token, "eight quiet herons").is(http.StatusGone)
	w.visitor().post("/my/", url.Values{"id": {"100046"}, "password": {demo.Password}}).is(http.StatusUnauthorized)
	w.visitor().post("/my/", url.Values{"id": {"100046"}, "password": {fresh}}).is(http.StatusSeeOther)
	w.told("100046", "Se cambió su contraseña")
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'reset password' AND client_id = '100046' AND refused = ''`); n != 1 {
		t.Errorf("%d entries in the trail", n)
	}

	token, _ = w.forgets("100043")
	w.later(30 * time.Minute)
	choose(w.visitor(), token, fresh).is(http.StatusGone)
	w.as("100043")
	token, _ = w.forgets("100043")
	v = w.as("100043")
	v.post("/my/password", url.Values{"old": {demo.Password}, "password": {fresh}}).is(http.StatusSeeOther)
	choose(w.visitor(), token, "eight quiet herons").is(http.StatusGone)
}

func TestWhoForgetsAPasswordIsToldNothingOfAnybody(t *testing.T) {
	w := newTown(t)
	must(t, w.change(`UPDATE clients SET email = '' WHERE id = '100044'`))
	says := func(id string) string {
		v := w.visitor()
		to := v.post("/my/forgot", url.Values{"id": {id}}).to()
		if len(v.cookies) != 0 {
			t.Errorf("%s got a cookie", id)
		}
		return to + v.get(to).is(http.StatusOK).words("main")
	}
	want := says("100042")                                      // who can get one
	for _, id := range []string{"100053", "100044", "999999"} { // was never invited, has no address, is nobody
		if got := says(id); got != want {
			t.Errorf("%s is told %q, who can get a link %q", id, got, want)
		}
	}
	must(t, w.s.Post.Round(t.Context()))
	if n := len(w.mail.Letters()); n != 1 {
		t.Errorf("%d letters left", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'ask for a new password' AND refused <> ''`); n != 3 {
		t.Errorf("%d refusals are in the trail", n)
	}
	for _, id := range []string{"100045", "999998"} {
		for range 5 {
			w.visitor().post("/my/forgot", url.Values{"id": {id}}).is(http.StatusSeeOther)
		}
		p := w.visitor().post("/my/forgot", url.Values{"id": {id}}).is(http.StatusTooManyRequests).says("#id-error", "Too many tries")
		if p.header.Get("Retry-After") == "" || p.Find("#id").AttrOr("value", "") != id {
			t.Error("it does not say how long to wait, or forgets what was typed")
		}
	}
	for range 5 { // a day of them
		w.later(16 * time.Minute)
		w.visitor().post("/my/forgot", url.Values{"id": {"100047"}})
		w.visitor().post("/my/forgot", url.Values{"id": {"100047"}})
		w.visitor().post("/my/forgot", url.Values{"id": {"100047"}})
	}
	if n := w.count(`SELECT COUNT(*) FROM letters WHERE client_id = '100047'`); n != 10 {
		t.Errorf("%d letters in a day", n)
	}
}
