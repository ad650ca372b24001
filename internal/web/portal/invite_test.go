package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/demo"
	"paylink/internal/sim/smtpsim"
)

// staff is one of the staff who is signed in to PLUS Web.
func (w *town) staff(login string) *visitor {
	w.t.Helper()
	v := w.visitor()
	v.post("/plus/", url.Values{"login": {login}, "password": {demo.Password}}).is(http.StatusSeeOther)
	return v
}

// mailed has the postman go round, and returns the letters that a client got with words in their subject, oldest first.
func (w *town) mailed(clientID, subject string) []smtpsim.Letter {
	w.t.Helper()
	must(w.t, w.s.Post.Round(w.t.Context()))
	var out []smtpsim.Letter
	for _, l := range w.mail.Letters() {
		if strings.Contains(l.To, clientID+"@") && strings.Contains(l.Subject, subject) {
			out = append(out, l)
		}
	}
	return out
}

var temporary = regexp.MustCompile(`[a-z2-7]{4}(-[a-z2-7]{4}){3}`)

func TestAnInvitationLeadsIntoMyAccountOnceAndForAWeek(t *testing.T) {
	w := newTown(t)
	agent := w.staff("agent")
	const june = "/plus/clients/100053"
	p := agent.get(june).is(http.StatusOK).says("#access", "Never invited").says("#invite button", "Send invitation").has("#invite [type=checkbox]", 0)
	form := p.form("#invite")
	for range 2 { // a double click
		if to := agent.post(june+"/invitation", form).to(); to != june+"#access-title" {
			t.Errorf("it leads to %s", to)
		}
	}
	agent.get(june).says("#access", "Invited on Mar 10, 2026, 2:14 PM").says("#invite button", "Send again").says("#written", "Invitation to My Account sent by mail.")
	if n := w.count(`SELECT COUNT(*) FROM letters WHERE box <> '' AND client_id = '100053'`); n != 1 {
		t.Fatalf("%d letters with a sealed password", n)
	}
	got := w.mailed("100053", "My Account is ready")
	if len(got) != 1 || !strings.Contains(got[0].Text, "100053") {
		t.Fatalf("letters: %v", got)
	}
	secret := temporary.FindString(got[0].Text)
	for table, column := range map[string]string{"letters": "box", "trail": "detail", "notes": "text", "access": "password_hash"} {
		if n := w.count(`SELECT COUNT(*) FROM `+table+` WHERE `+column+` LIKE $1`, "%"+secret+"%"); n != 0 || secret == "" {
			t.Errorf("%s holds the temporary password %q in the clear", table, secret)
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'invite to My Account' AND actor_id = 'staff-agent' AND client_id = '100053' AND refused = ''`); n != 1 || strings.Contains(w.log.String(), secret) {
		t.Errorf("%d entries in the trail, or the log has the password", n)
	}

	june1 := w.visitor()
	if to := june1.post("/my/", url.Values{"id": {"100053"}, "password": {secret}}).to(); to != "/my/password" {
		t.Errorf("the temporary password leads to %s", to)
	}
	if to := june1.get("/my/").to(); to != "/my/password" {
		t.Errorf("it leads on to %s", to)
	}

	// A second invitation is the only one that counts.
	w.later(20 * time.Minute)
	agent.post(june+"/invitation", agent.get(june).form("#invite")).is(http.StatusSeeOther)
	june1.get("/my/password").is(http.StatusUnauthorized)
	w.visitor().post("/my/", url.Values{"id": {"100053"}, "password": {secret}}).is(http.StatusUnauthorized)
	got = w.mailed("100053", "My Account is ready")
	secret = temporary.FindString(got[len(got)-1].Text)
	w.later(account.TemporaryLife)
	w.visitor().post("/my/", url.Values{"id": {"100053"}, "password": {secret}}).is(http.StatusUnauthorized).says("main", "too old")
	agent = w.staff("agent")
	agent.get(june).says("#access", "too old now")
}

func TestAnInvitationReplacesAPasswordOnlyWhereSomebodyIsSure(t *testing.T) {
	w := newTown(t)
	agent, dana := w.staff("agent"), w.as("100042")
	const page = "/plus/clients/100042"
	p := agent.get(page).is(http.StatusOK).says("#access", "Has access").says("#invite button", "Send a new invitation")
	agent.post(page+"/invitation", p.form("#invite")).is(http.StatusUnprocessableEntity).says("#invite-error", "Tick the box").has("#rest[data-focus=invite-error]", 1)
	dana.get("/my/").is(http.StatusOK)
	if n := w.count(`SELECT COUNT(*) FROM letters`); n != 0 {
		t.Errorf("%d letters", n)
	}
	must(t, w.change(`INSERT INTO passkeys (id, owner_kind, owner_id, name, credential, added_ms, used_ms) VALUES ('lost', 'client', '100042', 'Lost phone', '{}', 1, 0)`))
	must(t, w.change(`INSERT INTO passkeys (id, owner_kind, owner_id, name, credential, added_ms, used_ms) VALUES ('other', 'client', '100043', 'Phone', '{}', 1, 0)`))
	for i := range 6 {
		p := agent.post(page+"/invitation", agent.get(page).form("#invite", "sure", "1"))
		if i < 5 {
			p.is(http.StatusSeeOther)
		} else {
			p.is(http.StatusTooManyRequests).says("#invite-error", "five times in a day")
		}
		w.later(time.Minute)
	}
	dana.get("/my/password").is(http.StatusUnauthorized)
	w.visitor().post("/my/", url.Values{"id": {"100042"}, "password": {demo.Password}}).is(http.StatusUnauthorized)
	if n := w.count(`SELECT COUNT(*) FROM passkeys`); n != 1 || w.count(`SELECT COUNT(*) FROM trail WHERE detail = 'passkeys removed: 1'`) != 1 {
		t.Errorf("%d passkeys are left, want the other client's", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM letters WHERE state = 'waiting' AND box <> ''`); n != 1 {
		t.Errorf("%d passwords wait for leaving, want the last one", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'invite to My Account' AND refused <> ''`); n != 2 {
		t.Errorf("%d refusals are in the trail", n)
	}

	must(t, w.change(`UPDATE clients SET email = '' WHERE id = '100054'`))
	p = agent.get("/plus/clients/100054")
	agent.post("/plus/clients/100054/invitation", p.form("#invite")).is(http.StatusUnprocessableEntity).says("#invite-error", "no email address on record").says("#access", "Never invited")
	w.staff("auditor").get(page).is(http.StatusOK).has("#access", 1).has("#invite", 0)
}
