package portal_test

import (
	"net/http"
	"net/url"
	"testing"
)

func TestAnotherLanguageIsSpokenAtOnce(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	p := v.get("/my/profile").is(http.StatusOK).says("h1", "Profile").says("#main", "Dana Whitfield").says("#main", "••0142").says("#main", "ABC-1234")
	if to := v.post("/my/profile/language", p.form(`form[action="/my/profile/language"]`)).to(); to != "/my/profile?saved=language" {
		t.Errorf("it leads to %s", to)
	}
	v.get("/my/profile?saved=language").says("h1", "Perfil").says(".alert", "español").has(`html[lang="es"]`, 1)
	v.get("/my/").says("h1", "Hola, Dana")
	v.post("/my/profile/language", url.Values{"language": {"es"}}).is(http.StatusSeeOther) // a second click changes nothing
	v.post("/my/profile/language", url.Values{"language": {"fr"}}).is(http.StatusBadRequest)
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'change language' AND actor_kind = 'client' AND client_id = '100042' AND detail = 'es'`); n != 1 {
		t.Errorf("the trail has %d changes of language", n)
	}
}
