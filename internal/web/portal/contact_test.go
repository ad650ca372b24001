package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"paylink/internal/demo"
	"paylink/internal/sim/smtpsim"
)

const fresh = "dana@new.interlane.example"

// lettersTo has the postman go round, and returns what an address has got, oldest first.
func (w *town) lettersTo(address string) (out []smtpsim.Letter) {
	w.t.Helper()
	must(w.t, w.s.Post.Round(w.t.Context()))
	for _, l := range w.mail.Letters() {
		if strings.Contains(l.To, address) {
			out = append(out, l)
		}
	}
	return out
}

var mailCode = regexp.MustCompile(`: ([a-z2-7]{4}-[a-z2-7]{4})\s`)

// mailedCode is the code of the nth letter to an address.
func (w *town) mailedCode(address string, n int) string {
	w.t.Helper()
	letters := w.lettersTo(address)
	if len(letters) != n {
		w.t.Fatalf("%d letters to %s, want %d", len(letters), address, n)
	}
	m := mailCode.FindStringSubmatch(letters[n-1].Text + "\n")
	if m == nil {
		w.t.Fatalf("the letter has no code")
	}
	return m[1]
}

func asking(what string) url.Values {
	return url.Values{"new": {what}, "password": {demo.Password}}
}

func TestAnAddressIsTheClientsOnceItsCodeWasTyped(t *testing.T) {
	w := newTown(t)
	v, other := w.as("100042"), w.as("100043")
	v.get("/my/profile/mail").is(http.StatusOK).says("main", "It is 100042@clients.interlane.example now").has("#code", 0)
	for what, c := range map[string]struct {
		form   url.Values
		status int
		where  string
		says   string
	}{
		"no address":     {asking("dana at home"), http.StatusUnprocessableEntity, "#new-error", "no email address"},
		"two":            {asking("a@new.interlane.example, b@new.interlane.example"), http.StatusUnprocessableEntity, "#new-error", "no email address"},
		"a named one":    {asking("Dana <dana@new.interlane.example>"), http.StatusUnprocessableEntity, "#new-error", "no email address"},
		"a header":       {asking("dana@new.interlane.example\r\nBcc: x@example.com"), http.StatusUnprocessableEntity, "#new-error", "no email address"},
		"an IP address":  {asking("dana@[192.0.2.1]"), http.StatusUnprocessableEntity, "#new-error", "no email address"},
		"not ASCII":      {asking("danä@new.interlane.example"), http.StatusUnprocessableEntity, "#new-error", "no email address"},
		"the same":       {asking("100042@CLIENTS.interlane.example"), http.StatusUnprocessableEntity, "#new-error", "already"},
		"wrong password": {url.Values{"new": {fresh}, "password": {"not it"}}, http.StatusUnauthorized, "#password-error", "not your password"},
	} {
		p := v.post("/my/profile/mail", c.form).is(c.status).says(c.where, c.says)
		if p.Find("#new").AttrOr("value", "") != c.form.Get("new") && !strings.Contains(what, "header") || p.Find("#password").AttrOr("value", "") != "" || p.Find("main").AttrOr("data-focus", "") == "" {
			t.Errorf("%s: what was typed is lost, or the password comes back", what)
		}
	}
	if to := v.post("/my/profile/mail", asking(" "+fresh+" ")).to(); to != "/my/profile/mail" {
		t.Errorf("it leads to %s", to)
	}
	first := w.mailedCode(fresh, 1)
	w.later(time.Minute)
	v.post("/my/profile/mail", asking(fresh)).is(http.StatusSeeOther) // asked again: the newer one counts
	code := w.mailedCode(fresh, 2)
	v.get("/my/profile/mail").says("main", "We have mailed a code to "+fresh)
	answer := func(v *visitor, code string) *page {
		return v.post("/my/profile/mail/code", url.Values{"code": {code}})
	}
	answer(v, first).is(http.StatusUnprocessableEntity).says("#code-error", "not the code")
	answer(other, code).is(http.StatusGone).says("main", "good no more") // it is Dana's
	v.get("/my/profile").says("#main", "100042@clients.interlane.example")
	if to := answer(v, " "+strings.ToUpper(strings.ReplaceAll(code, "-", ""))).to(); to != "/my/profile?saved=mail" {
		t.Errorf("it leads to %s", to)
	}
	v.get("/my/profile?saved=mail").says(".alert.good", "Your email address was changed").says("#main", fresh)
	answer(v, code).is(http.StatusGone) // once
	if got := w.mailed("100042", "Your email address was changed"); len(got) != 1 || !strings.Contains(got[0].Text, "d•••@new.interlane.example") {
		t.Errorf("the address before is told: %v", got)
	}
	v.get("/my/notices").says("#main", "Your email address was changed.")
	w.staff("agent").get("/plus/clients/100042").says("#main", fresh)
	if n := w.count(`SELECT COUNT(*) FROM client_tokens WHERE target LIKE '%new.interlane%' OR digest = $1`, code) + w.count(`SELECT COUNT(*) FROM trail WHERE detail LIKE '%' || $1 || '%'`, fresh) + w.count(`SELECT COUNT(*) FROM letters WHERE box <> ''`); n != 0 || strings.Contains(w.log.String(), code) {
		t.Error("the code or the address is in the clear where it should not be")
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'change email address' AND refused = '' AND client_id = '100042'`); n != 1 {
		t.Errorf("the trail has %d changes", n)
	}
}

func TestACodeIsGuessedAtFiveTimesAndGoodForAWhile(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	answer := func(code string) *page {
		return v.post("/my/profile/mail/code", url.Values{"code": {code}})
	}
	v.post("/my/profile/mail", asking(fresh)).is(http.StatusSeeOther)
	code := w.mailedCode(fresh, 1)
	for range 4 {
		answer("aaaa-aaaa").is(http.StatusUnprocessableEntity).says("#code-error", "not the code")
	}
	answer("aaaa-aaaa").is(http.StatusUnprocessableEntity).says(".alert", "good no more").has("#code", 0)
	answer(code).is(http.StatusGone)

	v.post("/my/profile/mail", asking(fresh)).is(http.StatusSeeOther)
	code = w.mailedCode(fresh, 2)
	for range 3 { // the session lives on by being used
		w.later(20 * time.Minute)
		v.get("/my/profile/mail").is(http.StatusOK)
	}
	answer(code).is(http.StatusGone)
	for range 5 { // five an hour to one address
		v.post("/my/profile/mail", asking(fresh))
	}
	v.post("/my/profile/mail", asking(fresh)).is(http.StatusTooManyRequests).says(".alert", "Too many tries")
	if got := w.lettersTo(fresh); len(got) > 7 {
		t.Errorf("%d codes were mailed", len(got))
	}
	for range 5 {
		v.post("/my/profile/mail", url.Values{"new": {"x@new.interlane.example"}, "password": {"wrong"}})
	}
	v.post("/my/profile/mail", asking("x@new.interlane.example")).is(http.StatusTooManyRequests)
}

var textCode = regexp.MustCompile(`\b\d{6}\b`)

// textedCode waits for the nth text to a number, and returns its code.
func (w *town) textedCode(number string, n int) string {
	w.t.Helper()
	last := w.texts(number, n)[n-1]
	if !strings.HasPrefix(last, "Interlane: ") {
		w.t.Errorf("the text says %q", last)
	}
	return textCode.FindString(last)
}

func TestANumberIsTheClientsOnceItsCodeWasTyped(t *testing.T) {
	w := newTown(t)
	const number = "+18045550171"
	v := w.as("100042")
	v.get("/my/profile/phone").is(http.StatusOK).says("main", "It ends in 0142 now")
	for typed, says := range map[string]string{
		"12345": "no phone number", "(800) 555-0199": "can’t get texts", "(804) 555-0180": "landline", "(804) 555-0149": "opted out", "804 555 0142": "already",
	} {
		p := v.post("/my/profile/phone", asking(typed)).is(http.StatusUnprocessableEntity).says("#new-error", says)
		if p.Find("#new").AttrOr("value", "") != typed {
			t.Errorf("%s is lost", typed)
		}
	}
	v.post("/my/profile/phone", url.Values{"new": {number}, "password": {"not it"}}).is(http.StatusUnauthorized).says("#password-error", "not your password")
	v.post("/my/profile/phone", asking("4242 4242 4242 4242")).is(http.StatusUnprocessableEntity).has(`#new[value=""]`, 1)
	v.post("/my/profile/phone", asking("(804) 555-0171")).is(http.StatusSeeOther)
	code := w.textedCode(number, 1)
	v.get("/my/profile/phone").says("main", "We have texted a code to ••0171")
	v.post("/my/profile/phone/code", url.Values{"code": {"000000"}}).is(http.StatusUnprocessableEntity).says("#code-error", "not the code")
	if n := w.count(`SELECT COUNT(*) FROM clients WHERE phone = $1`, number); n != 0 {
		t.Fatal("the number was changed without its code")
	}
	w.later(10 * time.Minute)
	v.post("/my/profile/phone/code", url.Values{"code": {code}}).is(http.StatusGone).says(".alert", "good no more")
	v.post("/my/profile/phone", asking("(804) 555-0171")).is(http.StatusSeeOther)
	code = w.textedCode(number, 2)
	if to := v.post("/my/profile/phone/code", url.Values{"code": {code[:3] + " " + code[3:]}}).to(); to != "/my/profile?saved=phone" {
		t.Errorf("it leads to %s", to)
	}
	v.get("/my/profile?saved=phone").says("#main", "••0171")
	w.told("100042", "Your phone number was changed")
	v.get("/my/notices").says("#main", "Your phone number was changed.")
	if to := w.staff("agent").get("/plus/clients?q=8045550171").to(); to != "/plus/clients/100042" { // who calls from it is found
		t.Errorf("the search leads to %s", to)
	}
	if n := w.count(`SELECT COUNT(*) FROM client_tokens WHERE target LIKE '%0171%'`) + w.count(`SELECT COUNT(*) FROM trail WHERE detail LIKE '%5550171%' OR object LIKE '%5550171%'`) + w.count(`SELECT COUNT(*) FROM messages WHERE kind = 'code' AND box <> ''`); n != 0 || strings.Contains(w.log.String(), code) {
		t.Error("the code or the number is in the clear where it should not be")
	}
}

func TestTextsAreTurnedOffAndOnWhereTheCarrierLetsThem(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	v.get("/my/profile").says("#texts ~ p", "You get payment links").has(`button[name="texts"][value="off"]`, 1)
	for range 2 { // a second click changes nothing
		if to := v.post("/my/profile/texts", url.Values{"texts": {"off"}}).to(); to != "/my/profile?saved=texts_off" {
			t.Errorf("it leads to %s", to)
		}
	}
	w.told("100042", "Text messages were turned off")
	v.get("/my/profile?saved=texts_off").says(".alert.good", "no more text messages").says("#texts ~ p", "You get no texts")
	w.staff("agent").get("/plus/clients/100042").is(http.StatusOK)
	if n := w.count(`SELECT COUNT(*) FROM opt_outs WHERE phone = '+18045550142' AND carrier = 0`); n != 1 {
		t.Error("the number may still be texted")
	}
	v.post("/my/profile/texts", url.Values{"texts": {"on"}}).is(http.StatusSeeOther)
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'opt in to texts' AND actor_kind = 'client' AND object = '••0142' AND detail LIKE '%I agree to get texts about my account%'`); n != 1 {
		t.Error("that they agreed is not kept")
	}
	w.told("100042", "Text messages were turned on")
	// Off here, and then STOP from the phone: now only the phone can lift it.
	v.post("/my/profile/texts", url.Values{"texts": {"off"}}).is(http.StatusSeeOther)
	w.twilio.Reply("+18045550142", "STOP")
	w.until("STOP has come", func() bool {
		return w.count(`SELECT COUNT(*) FROM opt_outs WHERE carrier = 1 AND phone = '+18045550142'`) == 1
	})
	v.get("/my/profile").says("#texts ~ p", "text START").has(`button[name="texts"]`, 0)
	v.post("/my/profile/texts", url.Values{"texts": {"on"}}).is(http.StatusConflict).says("#texts ~ p", "text START")
	w.twilio.Reply("+18045550142", "START")
	w.until("START has come", func() bool { return w.count(`SELECT COUNT(*) FROM opt_outs WHERE phone = '+18045550142'`) == 0 })
	v.get("/my/profile").says("#texts ~ p", "You get payment links")
	v.post("/my/profile/texts", url.Values{"texts": {"maybe"}}).is(http.StatusBadRequest)
}

func TestALicensePlateIsChangedUnlessItWasMeanwhile(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	const civic = "/my/profile/vehicles/veh_dana_civic"
	form := v.get(civic).is(http.StatusOK).says("main", "2016 Honda Civic").has(`#state option[selected]`, 1).form("form.gate", "plate", "xyz 90", "state", "MD")
	if form.Get("seen") != "ABC-1234" || form.Get("seen_state") != "VA" {
		t.Fatalf("the form says %v", form)
	}
	for _, wrong := range []string{"", "ABC_1", "ABCDEFGHIJK", "--", "4242424242424242"} {
		bad := url.Values{"seen": form["seen"], "seen_state": form["seen_state"], "plate": {wrong}, "state": {"VA"}}
		v.post(civic, bad).is(http.StatusUnprocessableEntity).says("#plate-error", "no license plate")
	}
	if to := v.post(civic, form).to(); to != "/my/profile?saved=plate" {
		t.Errorf("it leads to %s", to)
	}
	v.post(civic, form).is(http.StatusSeeOther) // a second click
	v.get("/my/profile").says("#main", "MD XYZ 90")
	w.told("100042", "A license plate was changed")
	v.get("/my/notices").says("#main", "The license plate of your 2016 Honda Civic was changed.")
	w.staff("agent").get("/plus/clients?q=XYZ90").says("#main", "Dana Whitfield")
	form.Set("plate", "NEW-1")
	stale := v.post(civic, form).is(http.StatusConflict).says("#plate-error", "changed meanwhile")
	if got := stale.Find("#plate").AttrOr("value", ""); got != "XYZ 90" {
		t.Errorf("it shows %q", got)
	}
	v.post(civic, stale.form("form.gate", "plate", "NEW-1")).is(http.StatusSeeOther)
	w.as("100045").get("/my/profile/vehicles/veh_omar_pam").is(http.StatusNotFound) // a portable monitor has none
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'change license plate' AND client_id = '100042' AND refused = ''`); n != 2 {
		t.Errorf("the trail has %d changes", n)
	}
}
