package plus_test

import (
	"net/http"
	"testing"

	"paylink/internal/demo"
)

func TestTheSignInPageTellsNoLoginApart(t *testing.T) {
	w := newTown(t)
	v := w.visitor()
	for n := range 7 {
		known, unknown := v.post("/plus/", credentials("lead", "wrong", "")), v.post("/plus/", credentials("nobody", "wrong", ""))
		if known.status != unknown.status || known.words("[role=alert]") != unknown.words("[role=alert]") || known.header.Get("Retry-After") != unknown.header.Get("Retry-After") {
			t.Errorf("try %d: %d %q, %d %q", n+1, known.status, known.words("[role=alert]"), unknown.status, unknown.words("[role=alert]"))
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'sign in' AND actor_id = '' AND detail LIKE 'from 127.0.0.1, unknown login nobody'`); n != 7 {
		t.Errorf("%d tries of the unknown login are in the trail", n)
	}
	v.post("/plus/", credentials("lead", demo.Password, "")).is(http.StatusTooManyRequests)
	v.post("/plus/", credentials("agent", demo.Password, "")).is(http.StatusSeeOther)
}
