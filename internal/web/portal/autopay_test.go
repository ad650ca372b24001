package portal_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const autoPay = "/my/auto-pay"

// exec changes the books behind the service's back.
func (w *town) exec(query string, args ...any) {
	w.t.Helper()
	must(w.t, w.change(query, args...))
}

func TestAutoPayIsTurnedOnChangedAndTurnedOff(t *testing.T) {
	w := newTown(t)
	w.exec(`UPDATE vehicles SET paid_to = '2026-03-20' WHERE client_id = '100043'`)
	w.exec(`UPDATE vehicles SET paid_to = '2026-03-16' WHERE id = 'veh_marcus_camry'`)
	v := w.as("100043")
	p := v.get(autoPay).is(http.StatusOK).says("#stands", "Auto Pay is off").has("form.panel", 1).has(`a[href="/my/auto-pay/off"]`, 0)
	p.says("form .choices", "30 days2019 Toyota CamryMar 16, 2026, 8 in the morningwith $42.37 past duepaid to Apr 15, 2026 then $125.252014 Ford F-150Mar 20, 2026, 8 in the morningpaid to Apr 19, 2026 then $82.88")
	p.says("form", "Mastercard ending in 8210").says("details", "you authorize Interlane to charge the main card")
	form := p.form("form.panel", "days", "30", "agreed", "yes")
	p = v.post(autoPay, p.form("form.panel", "days", "30")).is(http.StatusUnprocessableEntity).says("#agreed-error", "Agree to the terms").has("#days-30[checked]", 1)
	if p.Find("main").AttrOr("data-focus", "") != "agreed" {
		t.Error("it does not look at what is missing")
	}
	v.post(autoPay, p.form("form.panel", "agreed", "yes", "days", "15")).is(http.StatusUnprocessableEntity).says("#days-error", "Choose 14 or 30 days").has("#agreed[checked]", 1)
	v.post(autoPay, url.Values{"was": {"many"}}).is(http.StatusBadRequest)
	if to := v.post(autoPay, form).to(); to != autoPay+"?saved=on" {
		t.Errorf("it leads to %s", to)
	}
	p = v.get(autoPay+"?saved=on").says(".alert.good", "Auto Pay is on").says("#stands", "30 days at a time").says(".panel .coming", "2019 Toyota CamryMar 16, 2026").says(".total", "$208.13")
	if to := v.post(autoPay, form).to(); to != autoPay+"?saved=on" { // sent twice: it stands as it was asked for
		t.Errorf("it leads to %s", to)
	}
	if n := w.count(`SELECT COUNT(*) FROM letters WHERE client_id = '100043' AND kind = 'changed' AND said LIKE '%30 days at a time, Mastercard ending 8210%'`); n != 1 {
		t.Errorf("%d letters tell of it", n)
	}
	change := p.form("form.panel", "days", "14", "agreed", "yes")
	stale := v.post(autoPay, func() url.Values {
		f := p.form("form.panel", "days", "14", "agreed", "yes")
		f.Set("was", "0")
		return f
	}()).is(http.StatusConflict).says("#refused", "has changed since you opened this page")
	if n := stale.Find("#agreed[checked]").Length(); n != 0 {
		t.Error("what was agreed to on another page counts on this one")
	}
	if to := v.post(autoPay, change).to(); to != autoPay+"?saved=changed" {
		t.Errorf("it leads to %s", to)
	}
	v.get(autoPay).says("#stands", "14 days at a time")
	v.get(autoPay+"/off").is(http.StatusOK).says("h1", "Turn off Auto Pay")
	if to := v.post(autoPay+"/off", nil).to(); to != autoPay+"?saved=off" {
		t.Errorf("it leads to %s", to)
	}
	v.get(autoPay+"?saved=off").says("#stands", "Auto Pay is off").says(".alert.good", "Nothing more is charged")
	if to := v.get(autoPay + "/off").to(); to != autoPay {
		t.Errorf("what is off leads to %s", to)
	}
	v.post(autoPay, change).is(http.StatusConflict) // a tab from while it was on
}

func TestAutoPayCantBeTurnedOnYetAndSaysWhy(t *testing.T) {
	w := newTown(t)
	for id, c := range map[string]struct{ title, link string }{
		"100042": {"Add a card first", "/my/cards"},
		"100050": {"Please call us", "tel:+18045550100"},
		"100051": {"The Paid To Date of 2010 Chevrolet Silverado, Mar 2, 2026, is over", "/my/pay?vehicle=veh_gene_silverado"},
	} {
		v := w.as(id)
		v.get(autoPay).is(http.StatusOK).says("#cant", c.title).has(`#cant a[href="`+c.link+`"]`, 1).has("form.panel", 0)
		p := v.post(autoPay, url.Values{"days": {"30"}, "was": {"0"}, "card": {"none"}, "agreed": {"yes"}}).is(http.StatusConflict).says("#cant", c.title)
		if p.Find("main").AttrOr("data-focus", "") != "cant" {
			t.Errorf("%s: it does not say why", id)
		}
	}
	w.exec(`UPDATE cards SET refused = 'stolen_card' WHERE client_id = '100043'`)
	w.as("100043").get(autoPay).says("#cant", "Mastercard ending in 8210, has expired or was refused")
	w.as("100046").get(autoPay).says("#cant", "Primero agregue una tarjeta")
	for _, id := range []string{"100042", "100043"} {
		if strings.Contains(w.as(id).get(autoPay).body, "⟦") {
			t.Error("words are missing")
		}
	}
}

// round has Auto Pay look after what is due.
func (w *town) round() {
	w.t.Helper()
	must(w.t, w.s.AutoPay.Round(w.t.Context()))
}

// texts waits until so many texts have come to a phone, and returns them.
func (w *town) texts(to string, n int) []string {
	w.t.Helper()
	var out []string
	w.until("a text", func() bool {
		out = nil
		answer := httptest.NewRecorder()
		w.twilio.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/phone/messages?to="+url.QueryEscape(to), nil))
		var all []struct{ Body string }
		must(w.t, json.NewDecoder(answer.Body).Decode(&all))
		for _, m := range all {
			out = append(out, m.Body)
		}
		return len(out) >= n
	})
	if len(out) != n {
		w.t.Fatalf("%d texts came, want %d: %q", len(out), n, out)
	}
	return out
}

func (w *town) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s did not come", what)
		}
	}
}

func TestADeclineIsToldAtOnceAndTriedAgainFourTimesAtTheMost(t *testing.T) {
	w := newTown(t)
	w.exec(`UPDATE clients SET auto_pay_days = 30 WHERE id = '100045'`)
	w.exec(`UPDATE clients SET auto_pay_days = 0 WHERE id <> '100045'`)
	w.exec(`UPDATE vehicles SET paid_to = '2026-03-13' WHERE id = 'veh_omar_pam'`)
	letters := func(kind string) int {
		return w.count(`SELECT COUNT(*) FROM letters WHERE client_id = '100045' AND kind = $1`, kind)
	}
	at := func(day, hour int) { // at the location, in daylight saving
		w.later(time.Date(2026, 3, day, hour+4, 0, 0, 0, time.UTC).Sub(w.now()))
		for range 3 {
			w.round()
		}
	}
	at(10, 15) // three days before
	at(13, 7)
	if a, b := letters("auto_pay_soon"), letters("auto_pay_declined"); a != 1 || b != 0 {
		t.Fatalf("%d reminders, %d declines", a, b)
	}
	at(13, 8)
	if n := letters("auto_pay_declined"); n != 1 {
		t.Fatalf("%d letters tell of the decline", n)
	}
	const phone = "+18045550145"
	if text := w.texts(phone, 1)[0]; text != "Interlane: Auto Pay did not go through. Pay now: "+w.url+"/my/pay Help (804) 555-0100. STOP to opt out" {
		t.Errorf("the text says %q", text)
	}
	w.until("its delivery", func() bool {
		return w.count(`SELECT COUNT(*) FROM messages WHERE kind = 'decline' AND status = 'delivered'`) == 1
	})
	w.as("100045").get(autoPay).says(".alert.error", "We try again on Mar 15, 2026").has(`.alert.error a[href="/my/pay?vehicle=veh_omar_pam"]`, 1)
	for i, day := range []int{15, 18, 22} {
		at(day-1, 23)
		at(day, 8)
		if n := w.count(`SELECT COUNT(*) FROM payments WHERE client_id = '100045' AND state = 'declined'`); n != i+2 {
			t.Errorf("on %d: %d were declined", day, n)
		}
		w.texts(phone, i+2)
	}
	w.exec(`INSERT INTO opt_outs (phone, at_ms) VALUES ($1, 1)`, phone)
	at(26, 8)
	for _, day := range []int{27, 28, 30} {
		at(day, 8)
	}
	if n := w.count(`SELECT COUNT(*) FROM payments WHERE client_id = '100045'`); n != 5 {
		t.Errorf("it was tried %d times", n)
	}
	if a, b := letters("auto_pay_declined"), letters("auto_pay_last"); a != 4 || b != 1 {
		t.Errorf("%d letters say that it is tried again, %d that it is not", a, b)
	}
	if n := w.count(`SELECT COUNT(*) FROM messages WHERE kind = 'decline'`); n != 4 {
		t.Errorf("%d texts: who has opted out gets none", n)
	}
	p := w.as("100045").get(autoPay).says(".alert.error", "the card was declined too often").says(".alert.error", "We don’t try this date again").says("section:last-of-type", "Declined")
	if strings.Contains(p.body, "⟦") {
		t.Error("words are missing")
	}
}

// morning lets the clock come to eight in the morning of a day in March at the location, in daylight saving, and has Auto Pay look.
func (w *town) morning(day int) {
	w.t.Helper()
	w.later(time.Date(2026, 3, day, 12, 0, 0, 0, time.UTC).Sub(w.now()))
	for range 3 {
		w.round()
	}
}

func TestAutoPayTakesCreditFirstAndWaitsForWhoIsPaying(t *testing.T) {
	w := newTown(t)
	w.exec(`UPDATE clients SET auto_pay_days = CASE WHEN id IN ('100047', '100048') THEN 30 ELSE 0 END`)
	w.exec(`UPDATE vehicles SET paid_to = '2026-03-13' WHERE client_id IN ('100047', '100048')`)
	w.exec(`UPDATE cards SET client_id = '100048' WHERE client_id = '100043'`)
	w.morning(10)
	w.later(time.Date(2026, 3, 13, 11, 55, 0, 0, time.UTC).Sub(w.now()))
	hal := w.as("100047") // somebody else is paying by a link at eight
	to := hal.post(send, hal.errand()).to()
	w.texts(payer, 1)
	w.morning(13)
	if n := w.count(`SELECT COUNT(*) FROM payments WHERE client_id = '100048' AND door = 'autopay' AND state = 'paid' AND amount = 0 AND credit > 0 AND intent_id IS NULL`); n != 1 {
		t.Error("credit was not used first")
	}
	w.as("100048").get(autoPay).says("section:last-of-type", "Paid by credit")
	if n := w.count(`SELECT COUNT(*) FROM payments WHERE client_id = '100047' AND door = 'autopay'`); n != 0 {
		t.Fatalf("%d charges while somebody is paying", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM auto_pay_runs WHERE client_id = '100047' AND state = 'waiting' AND why = 'elsewhere'`); n != 1 {
		t.Error("the run does not wait for who is paying")
	}
	hal.post(to+"/cancel", nil).is(http.StatusSeeOther)
	w.later(16 * time.Minute)
	w.round()
	if n := w.count(`SELECT COUNT(*) FROM payments WHERE client_id = '100047' AND door = 'autopay' AND state = 'paid' AND amount = 9858`); n != 1 {
		t.Error("it was not charged once the link had ended")
	}
	w.as("100047").get(autoPay).says("section:last-of-type", "Paid by Auto Pay").says("section:last-of-type", "$98.58")
}

func TestAutoPayChargesNothingOnceItIsOff(t *testing.T) {
	w := newTown(t)
	w.exec(`UPDATE vehicles SET paid_to = '2026-03-13' WHERE client_id = '100047'`)
	w.morning(10) // told that it is charged
	w.as("100047").post(autoPay+"/off", nil).is(http.StatusSeeOther)
	w.morning(13)
	if n := w.count(`SELECT COUNT(*) FROM payments WHERE client_id = '100047' AND door = 'autopay'`); n != 0 {
		t.Fatalf("%d charges after it was off", n)
	}
	v := w.as("100047") // on again the same day: it is told again, and charged on the next morning
	v.post(autoPay, v.get(autoPay).form("form.panel", "days", "30", "agreed", "yes")).is(http.StatusSeeOther)
	v.get(autoPay).says(".coming", "Mar 14, 2026")
	w.round()
	w.round()
	w.morning(14)
	if n := w.count(`SELECT COUNT(*) FROM payments WHERE client_id = '100047' AND door = 'autopay' AND state = 'paid'`); n != 1 {
		t.Errorf("%d charges after it was on again", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM attempts a JOIN payments p ON p.id = a.payment_id WHERE p.client_id = '100047' AND a.terms_version = 'auto-pay-1'`); n != 1 {
		t.Error("the charge does not say what was agreed to")
	}
}
