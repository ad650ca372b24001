package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const autoPay = "/my/auto-pay"

// exec changes the books behind the service's back.
func (w *town) exec(query string, args ...any) {
	w.t.Helper()
	_, err := w.books.Exec(query, args...)
	must(w.t, err)
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
