package portal_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"paylink/internal/demo"
	"paylink/internal/desk/client"
)

// stands is a client's account as the books have it.
func (w *town) stands(clientID, vehicle string) (charges, invoices int, paidTo string) {
	w.t.Helper()
	for _, a := range w.stripe.Books().Accounts {
		for _, c := range a.Charges {
			if c.Status == "succeeded" {
				charges++
			}
		}
	}
	must(w.t, w.books.QueryRow(`SELECT paid_to FROM vehicles WHERE id = $1`, vehicle).Scan(&paidTo))
	return charges, w.count(`SELECT COUNT(*) FROM invoices WHERE client_id = $1 AND payment_id <> ''`, clientID), paidTo
}

// enter puts a card in as Stripe.js does in the page, at a connected account where there is one.
func (w *town) enter(account, number string) string {
	w.t.Helper()
	form := url.Values{
		"type": {"card"}, "card[number]": {number}, "card[exp_month]": {"12"}, "card[exp_year]": {"2031"}, "card[cvc]": {"123"}, "billing_details[address][postal_code]": {"23220"}, "key": {"pk_test_x"},
	}
	if account != "" {
		form.Set("_stripe_account", account)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/payment_methods", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	w.stripe.Handler().ServeHTTP(answer, r)
	var m struct{ ID string }
	if err := json.Unmarshal(answer.Body.Bytes(), &m); err != nil || m.ID == "" {
		w.t.Fatalf("the card could not be entered: %d %v", answer.Code, err)
	}
	return m.ID
}

// script posts as the page's script does, and reads the answer.
func (v *visitor) script(path string, body any, status int) map[string]string {
	v.w.t.Helper()
	b, err := json.Marshal(body)
	must(v.w.t, err)
	v.headers["Content-Type"] = "application/json"
	p := v.do(http.MethodPost, path, strings.NewReader(string(b))).is(status)
	delete(v.headers, "Content-Type")
	out := map[string]string{}
	if err := json.Unmarshal([]byte(p.body), &out); err != nil {
		v.w.t.Fatalf("%s: %s", path, p.body)
	}
	return out
}

// pressed is what the page's script sends of a form, with a card.
func (p *page) pressed(method, paymentMethod, key string) map[string]string {
	p.t.Helper()
	out := map[string]string{"method": method, "payment_method": paymentMethod, "terms": p.Find("#agree").AttrOr("value", "")}
	for name, values := range p.form("#pay-form") {
		if name != "method" && name != "terms" {
			out[name] = values[0]
		}
	}
	if key != "" {
		out["key"] = key
	}
	return out
}

// A card on file, with no script at all: the second press and the back button pay nothing twice.
func TestACardOnFilePaysOnceWithoutScript(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	v := w.as("100047")
	p := v.get("/my/pay").is(http.StatusOK).says("main", "Invoice Summary").says(".total", "$98.58").says("main", "New Paid To Date Apr 9, 2026").has("[aria-current=true]", 1).has("#methods input:checked", 1)
	form := p.form("#pay-form")
	v.post("/my/pay", form).is(http.StatusUnprocessableEntity).says("#notice", "Agree to the payment terms first. Nothing was charged.")
	if n, _, _ := w.stands("100047", "veh_hal_outback"); n != 0 {
		t.Fatalf("%d charges without agreement", n)
	}
	form.Set("terms", "1")
	to := v.post("/my/pay", form).to()
	at := v.get(to).to()
	v.get(at).is(http.StatusOK).says("#paid", "Thank you. $98.58 was paid.").says("h1", "Invoice").says("main", "Monitoring")
	v.get(strings.TrimSuffix(at, "?paid=1")).is(http.StatusOK).has("#paid", 0)
	if again := v.post("/my/pay", form).to(); again != to {
		t.Errorf("the same press leads to %s and %s", to, again)
	}
	if charges, invoices, paidTo := w.stands("100047", "veh_hal_outback"); charges != 1 || invoices != 1 || paidTo != "2026-04-09" {
		t.Errorf("%d charges, %d invoices, Paid To Date %s", charges, invoices, paidTo)
	}
	// Whatever has changed since: the same press finds what it did.
	_, err := w.books.Exec(`UPDATE cards SET removed_ms = 1 WHERE client_id = '100047'`)
	must(t, err)
	if again := v.post("/my/pay", form).to(); again != to {
		t.Errorf("once its card is removed the same press leads to %s", again)
	}
	_, err = w.books.Exec(`UPDATE cards SET removed_ms = 0 WHERE client_id = '100047'`)
	must(t, err)
	form.Set("key", "another page that was open before")
	v.post("/my/pay", form).is(http.StatusConflict).says("#notice", "The total has changed since it was shown")
	v.get("/my/pay").says("main", "New Paid To Date May 9, 2026")
	if charges, _, _ := w.stands("100047", "veh_hal_outback"); charges != 1 {
		t.Errorf("%d charges", charges)
	}
	if n := w.count(`SELECT COUNT(*) FROM attempts WHERE terms_version = '1' AND terms_language = 'en' AND address <> '' AND user_agent <> ''`); n != 1 {
		t.Error("what was agreed to, and from where, is not on record")
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'make payment' AND actor_kind = 'client' AND refused <> ''`); n != 2 {
		t.Errorf("%d refusals in the trail", n)
	}
}

// A card entered once, at a location with an account of its own, with 3-D Secure; meanwhile another page of the client's is in nobody's way and can't pay.
func TestACardEnteredOnceIsConfirmedAtTheBank(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	v := w.as("100043")
	p := v.get("/my/pay?vehicle=veh_marcus_f150&days=14").is(http.StatusOK).says(".total", "$81.05")
	second := v.get("/my/pay?vehicle=veh_marcus_f150&days=30")
	a := v.script("/my/pay", p.pressed("new", w.enter(demo.TampaAccount, "4000002760003184"), ""), http.StatusOK)
	if a["state"] != "confirm" || a["client_secret"] != "" {
		t.Fatalf("got %v", a)
	}
	at := a["next"]
	v.get(at).is(http.StatusOK).says("h1", "Your bank asks you to confirm")
	if b := v.script("/my/pay", second.pressed("new", w.enter(demo.TampaAccount, "4242424242424242"), ""), http.StatusConflict); b["state"] != "live" || b["next"] == "" {
		t.Errorf("another page was told %v", b)
	}
	v.get("/my/pay?vehicle=veh_marcus_f150").says("#blocked-why", "You are paying $81.05 already").has(`a[href="`+at+`"]`, 1).has("#pay-form", 0)
	other := w.as("100043")
	other.get(at).is(http.StatusConflict).says("h1", "on another device")
	if b := other.script(at+"/continue", map[string]string{}, http.StatusOK); b["client_secret"] != "" {
		t.Error("another browser was told the secret")
	}
	v.post(at+"/give-up", nil).to()
	if a = v.script(at+"/continue", map[string]string{}, http.StatusOK); a["client_secret"] == "" {
		t.Fatal("the browser can't ask the bank")
	}
	intent := ""
	must(t, w.books.QueryRow(`SELECT intent_id FROM payments WHERE state = 'needs_action'`).Scan(&intent))
	must(t, w.stripe.FinishChallenge(intent, true))
	if a = v.script(at+"/continue", map[string]string{}, http.StatusOK); a["state"] != "paid" || a["next"] == "" {
		t.Errorf("after the bank: %v", a)
	}
	if charges, invoices, paidTo := w.stands("100043", "veh_marcus_f150"); charges != 1 || invoices != 1 || paidTo != "2026-03-24" {
		t.Errorf("%d charges, %d invoices, Paid To Date %s", charges, invoices, paidTo)
	}
}

// A decline says the bank's reason, and the same payment takes another card; reloading begins nothing anew, and five declines end it.
func TestADeclineIsToldAndAnotherCardPays(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	v := w.as("100042")
	p := v.get("/my/pay")
	a := v.script("/my/pay", p.pressed("new", w.enter("", "4000000000009995"), ""), http.StatusPaymentRequired)
	if !strings.Contains(a["message"], "not have enough") && !strings.Contains(a["message"], "funds") || !strings.Contains(a["message"], "4 more") || a["key"] == "" {
		t.Errorf("told %v", a)
	}
	v.get("/my/pay").says("#notice", "4 more")
	for range 3 {
		a = v.script("/my/pay", p.pressed("new", w.enter("", "4000000000000002"), a["key"]), http.StatusPaymentRequired)
	}
	if n := w.count(`SELECT COUNT(*) FROM payments WHERE declines = 4 AND state = 'open'`); n != 1 {
		t.Fatal("the declines were not counted on one payment")
	}
	if a = v.script("/my/pay", p.pressed("new", w.enter("", "378282246310005"), a["key"]), http.StatusUnprocessableEntity); a["state"] != "brand" {
		t.Errorf("American Express: %v", a)
	}
	cheap := v.get("/my/pay?vehicle=veh_dana_civic&days=14") // something else: what is open makes place, and its declines count on
	a = v.script("/my/pay", cheap.pressed("new", w.enter("", "4000000000000002"), ""), http.StatusPaymentRequired)
	v.script("/my/pay", cheap.pressed("new", w.enter("", "4242424242424242"), a["key"]), http.StatusConflict)
	v.get("/my/pay").says("#blocked-why", "The bank has declined five tries")
	w.later(61 * time.Minute)
	v = w.as("100042")
	p = v.get("/my/pay").is(http.StatusOK)
	if a = v.script("/my/pay", p.pressed("new", w.enter("", "4242424242424242"), ""), http.StatusOK); a["state"] != "paid" {
		t.Errorf("an hour later: %v", a)
	}
	if charges, _, _ := w.stands("100042", "veh_dana_civic"); charges != 1 {
		t.Errorf("%d charges", charges)
	}
}

func TestThePendingBalanceIsPaidAlone(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	v := w.as("100043")
	v.get("/my/pay").says("a[href='/my/pay?balance=1']", "$42.37")
	p := v.get("/my/pay?balance=1").is(http.StatusOK).says(".total", "$42.37").says("main", "It adds no days")
	form := p.form("#pay-form", "terms", "1")
	v.get(v.post("/my/pay", form).to()).is(http.StatusOK).says("h1", "Payment received").says("main", "$42.37")
	v.get("/my/pay?balance=1").says("#blocked-why", "There is nothing to pay").has("#pay-form", 0)
	if charges, _, paidTo := w.stands("100043", "veh_marcus_f150"); charges != 1 || paidTo != "2026-03-10" {
		t.Errorf("%d charges, Paid To Date %s", charges, paidTo)
	}
}

func TestCreditThatCoversEverythingNeedsNoCard(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	v := w.as("100048")
	p := v.get("/my/pay").is(http.StatusOK).says(".total", "$0.00").says("form", "Your credit covers everything").has("#methods", 0)
	v.get(v.get(v.post("/my/pay", p.form("#pay-form")).to()).to()).says("#paid", "Your credit has paid for it")
	if charges, invoices, paidTo := w.stands("100048", "veh_ines_corolla"); charges != 0 || invoices != 1 || paidTo != "2026-04-09" {
		t.Errorf("%d charges, %d invoices, Paid To Date %s", charges, invoices, paidTo)
	}
}

// What can't be paid says why, each in its own words, and offers no button.
func TestWhatCantBePaidSaysWhy(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	for id, why := range map[string]string{"100044": "Baltimore, MD can’t take payments here yet", "100050": "collections company"} {
		w.as(id).get("/my/pay").is(http.StatusOK).says("#blocked-why", why).has("#pay-form", 0)
	}
	dana, _, err := w.s.DB.Client(t.Context(), "100042")
	must(t, err)
	paused := &client.Desk{Store: w.s.DB, Down: func() bool { return false }, Paused: true}
	if c, err := paused.Checkout(t.Context(), client.Who{Client: dana}, client.Wanted{}); err != nil || c.Blocked != client.Paused {
		t.Errorf("after a restore: %q, %v", c.Blocked, err)
	}
	down := &client.Desk{Store: w.s.DB, Down: func() bool { return true }}
	if c, err := down.Checkout(t.Context(), client.Who{Client: dana}, client.Wanted{}); err != nil || c.Blocked != client.NotAnswering {
		t.Errorf("while Stripe does not answer: %q, %v", c.Blocked, err)
	}
	w.as("100051").get("/my/pay").says("main", "8 days since your Paid To Date are not paid")
	v := w.as("100047")
	v.get("/my/pay").says("main", "Auto Pay is on and charges your card within 1 day")
	p := v.get("/my/pay")
	_, err = w.books.Exec(`UPDATE locations SET payments = 'suspended' WHERE id = (SELECT location_id FROM vehicles WHERE id = 'veh_hal_outback')`)
	must(t, err)
	v.get("/my/pay").says("#blocked-why", "can’t take payments at the moment")
	v.post("/my/pay", p.form("#pay-form", "terms", "1")).is(http.StatusUnprocessableEntity).has("#pay-form", 0)
	for path, status := range map[string]int{"/my/pay?days=15": http.StatusBadRequest, "/my/pay?vehicle=veh_dana_civic": http.StatusNotFound, "/my/pay/nothing": http.StatusNotFound} {
		v.get(path).is(status)
	}
	if charges, _, _ := w.stands("100047", "veh_hal_outback"); charges != 0 {
		t.Errorf("%d charges", charges)
	}
}

// A payment that was begun, and not paid, can be given up: what it had counted of the account is free again.
func TestWhatWasBegunCanBeGivenUp(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	v := w.as("100043")
	p := v.get("/my/pay?vehicle=veh_marcus_f150&days=30")
	v.script("/my/pay", p.pressed("new", w.enter(demo.TampaAccount, "4000000000009995"), ""), http.StatusPaymentRequired)
	p = v.get("/my/pay?balance=1").says(".alert", "You began to pay $125.25 and nothing was charged").says("#blocked-why", "part of the payment that you have begun").has("#pay-form", 0)
	action := p.Find("form[action$=give-up]").AttrOr("action", "")
	desk := "/plus" + strings.TrimSuffix(strings.Replace(action, "/my/pay/", "/payments/", 1), "/give-up")
	staff := w.staff("agent")
	staff.get(staff.get(desk).to()).is(http.StatusOK).says("#main", "The client is paying in My Account. Nothing was charged yet.")
	v.get(v.post(action, nil).to()).is(http.StatusOK).says("[role=status]", "It is given up")
	v.get("/my/pay?balance=1").says(".total", "$42.37").has("#pay-form", 1)
	staff.get(staff.get(desk).to()).says("#main", "The client gave the payment up in My Account. No payment was taken.")
}

// Auto Pay is offered on the way, with a card that is kept: it is turned on once the payment has succeeded, after 3-D Secure too, and the card that has paid is the main one.
func TestAutoPayIsOfferedOnTheWay(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.as("100047").get("/my/pay").has("[name=auto_pay]", 0) // it is on already
	v := w.as("100043")
	p := v.get("/my/pay?vehicle=veh_marcus_f150&days=30").says(".auto-pay-offer", "30 days at a time, next charge on Apr 9, 2026")
	v.get("/my/pay?balance=1").has("[name=auto_pay]", 0)
	to := v.post("/my/pay", p.form("#pay-form", "terms", "1", "auto_pay", "30")).to()
	v.get(v.get(to).to()).is(http.StatusOK).says(".alert", "Auto Pay is on: 30 days at a time.")
	if n := w.count(`SELECT COUNT(*) FROM clients WHERE id = '100043' AND auto_pay_days = 30`); n != 1 {
		t.Error("Auto Pay is not on")
	}
	declined := w.as("100042")
	p = declined.get("/my/pay")
	pressed := p.pressed("new", w.enter("", "4242424242424242"), "")
	pressed["auto_pay"] = "30" // the page offers it with a card that is kept only
	declined.script("/my/pay", pressed, http.StatusOK)
	if n := w.count(`SELECT COUNT(*) FROM clients WHERE id = '100042' AND auto_pay_days <> 0`); n != 0 {
		t.Error("Auto Pay is on without a card")
	}
}

// A new card to keep is added on its own page, which leads back to what was to be paid, with that card chosen.
func TestANewCardThatIsKeptPays(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	v := w.as("100043")
	keep := v.get("/my/pay?vehicle=veh_marcus_f150&days=14").Find("a.keep").AttrOr("href", "")
	u, err := url.Parse(keep)
	must(t, err)
	v.get(keep).is(http.StatusOK)
	v.keeps(v.proves("pm_card_visa")).is(http.StatusOK)
	p := v.get(u.Query().Get("back")).is(http.StatusOK).says(".total", "$81.05").says("label:has(input[name=method]:checked)", "Visa ending in 4242")
	v.get(v.post("/my/pay", p.form("#pay-form", "terms", "1")).to()).to()
	if n := w.count(`SELECT COUNT(*) FROM attempts WHERE state = 'succeeded' AND last4 = '4242'`); n != 1 {
		t.Errorf("%d times paid by the new card", n)
	}
}
