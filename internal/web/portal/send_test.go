package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	send  = "/my/send"
	payer = "+18045550161"
)

// errand is the form that sends a link, filled in.
func (v *visitor) errand(changes ...string) url.Values {
	v.w.t.Helper()
	return v.get(send).is(http.StatusOK).form("form.panel", append([]string{"phone", "(804) 555-0161", "payer", "Kit", "consent", "yes"}, changes...)...)
}

func TestSomebodyElsePaysByALinkThatAClientHasSent(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	v.get(send).says("h1", "Send Secure Payment Link").says(".summary .total", "$98.58")
	form := v.errand("language", "es")
	to := v.post(send, form).to()
	if again := v.post(send, form).to(); again != to { // the form sent twice sends once
		t.Errorf("it leads to %s, and then to %s", to, again)
	}
	if text := w.texts(payer, 1)[0]; !strings.HasPrefix(text, "Interlane: pago seguro, enlace vale 10 min: ") {
		t.Errorf("the text says %q", text)
	}
	w.until("its delivery", func() bool { return strings.Contains(v.get(to).words("h2"), "It has arrived on the phone") })
	v.get(to).says("#link", "$98.58, sent to ••0161").says(".ladder", "The text was sent").says("#link", "Time left 10 minutes").has(`#link form`, 2)
	v.headers["X-Part"] = "1"
	if p := v.get(to).is(http.StatusOK).has("html body h1", 0).says("h2", "arrived"); strings.Contains(p.body, "<html") {
		t.Error("the part that changes is a whole page")
	}
	delete(v.headers, "X-Part")
	if n := w.count(`SELECT COUNT(*) FROM clients WHERE phone = $1`, payer) + w.count(`SELECT COUNT(*) FROM trail WHERE detail LIKE '%0161%' AND detail LIKE '%804%'`); n != 0 {
		t.Error("the number was kept in the clear")
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'send link' AND actor_kind = 'client' AND actor_id = '100042' AND client_id = '100042' AND refused = '' AND detail LIKE '%consent given: Kit%'`); n != 1 {
		t.Errorf("%d entries of the trail say who sent it", n)
	}

	// PLUS Web shows whose link it is, and counts it.
	agent := w.staff("agent")
	agent.get("/plus/clients/100042?tab=links").is(http.StatusOK).says("main", "The client").says("main", "••0161")
	w.staff("supervisor").get("/plus/reports").is(http.StatusOK)

	// A second one for the same vehicle leads to the first.
	v.get(send).has("form.panel", 0).says("main", "still good").has(`a[href="`+to+`"]`, 1)
	v.post(send, form).to()
	fresh := func() url.Values {
		f := url.Values{}
		for k, x := range form {
			f[k] = x
		}
		f.Set("key", "another")
		return f
	}
	v.post(send, fresh()).is(http.StatusConflict).says("main", "still good")

	if got := v.post(to+"/resend", nil).to(); got != to+"?said=resent" {
		t.Errorf("it leads to %s", got)
	}
	w.texts(payer, 2)
	if got := v.post(to+"/cancel", nil).to(); got != to+"?said=cancelled" {
		t.Errorf("it leads to %s", got)
	}
	if n := w.count(`SELECT COUNT(*) FROM payments WHERE state = 'revoked' AND reason = 'client'`); n != 1 {
		t.Errorf("%d links are on record as cancelled by their client", n)
	}
	v.get(to+"?said=cancelled").says("h2", "The link was cancelled").has("#link form", 0).has(`#link a[href^="/my/send?"]`, 1).has("[data-over]", 1)
	if got := v.post(to+"/resend", nil).to(); got != to+"?said=not" {
		t.Errorf("it leads to %s", got)
	}
	v.post(send, fresh()).is(http.StatusSeeOther)

	// An agent's link is none of the client's here.
	w.later(11 * time.Minute)
	if _, err := w.books.Exec(`UPDATE payments SET by_kind = 'staff' WHERE id = $1`, strings.TrimPrefix(to, send+"/")); err != nil {
		t.Fatal(err)
	}
	v.get(to).is(http.StatusNotFound)
	v.post(to+"/cancel", nil).is(http.StatusNotFound)
}

func TestALinkIsNotSentWhereItShouldNot(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	w.exec(`INSERT INTO opt_outs (phone, at_ms) VALUES ('+18045550162', 1)`)
	for _, c := range []struct {
		what    string
		changes []string
		where   string
		says    string
		focus   string
	}{
		{"no number", []string{"phone", "12"}, "#phone-error", "not a telephone number", "phone"},
		{"a landline", []string{"phone", "804 555 0181"}, "#phone-error", "landline", "phone"},
		{"opted out", []string{"phone", "804 555 0162"}, "#phone-error", "wants no texts", "phone"},
		{"a card number", []string{"phone", "4242 4242 4242 4242"}, "#phone-error", "card number", "phone"},
		{"a card number as a name", []string{"payer", "4242424242424242"}, "#payer-error", "card number", "payer"},
		{"nobody", []string{"payer", " "}, "#payer-error", "who pays", "payer"},
		{"no consent", []string{"consent", ""}, "#consent-error", "Ask them first", "consent"},
		{"another total", []string{"shown", "1"}, "#refused", "total has changed", "refused"},
	} {
		form := v.errand(c.changes...)
		p := v.post(send, form).says(c.where, c.says)
		if p.status < 400 || p.Find("main").AttrOr("data-focus", "") != c.focus {
			t.Errorf("%s: %d, focus on %q", c.what, p.status, p.Find("main").AttrOr("data-focus", ""))
		}
		if strings.Contains(p.body, "4242") {
			t.Errorf("%s: it is kept on the page", c.what)
		}
		if c.focus != "payer" {
			if got := p.Find("#payer").AttrOr("value", ""); got != "Kit" {
				t.Errorf("%s: what was typed is lost: %q", c.what, got)
			}
		}
	}
	v.post(send, url.Values{"days": {"31"}}).is(http.StatusBadRequest)
	if n := w.count(`SELECT COUNT(*) FROM payments WHERE door = 'link' AND created_ms >= $1`, start.UnixMilli()); n != 0 {
		t.Fatalf("%d were sent", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'send link' AND client_id = '100042' AND refused <> ''`); n != 8 {
		t.Errorf("%d refusals are in the trail", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE detail LIKE '%4242 4242%' OR detail LIKE '%4242424242%'`); n != 0 {
		t.Error("a card number is in the trail")
	}
	w.as("100050").get(send).has("form.panel", 0).says("main", "collections company")
	w.as("100048").get(send).has("form.panel", 0).says("main", "Your credit covers everything")
	w.as("100044").get(send).has("form.panel", 0).says("main", "Baltimore, MD")
}

func TestMyAccountIsNoTextingCannon(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	try := func(number string) *page {
		t.Helper()
		p := v.post(send, v.errand("phone", number))
		if p.status == http.StatusSeeOther {
			v.post(p.to()+"/cancel", nil).is(http.StatusSeeOther)
		}
		return p
	}
	for _, number := range []string{"804 555 0161", "804 555 0163", "804 555 0164"} {
		try(number).is(http.StatusSeeOther)
	}
	try("804 555 0165").is(http.StatusTooManyRequests).says("#refused", "as many links as you can")
	w.later(time.Hour)
	v = w.as("100042")
	try("804 555 0161").is(http.StatusSeeOther) // a number that they have sent to before
}
