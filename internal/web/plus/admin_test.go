package plus_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"paylink/internal/link"
)

// sure follows a page that asks whether one is sure.
func (v *visitor) sure(p *page, changes ...string) *page {
	v.w.t.Helper()
	p.is(http.StatusOK).has("main form", 1)
	form := p.form("main form", changes...)
	return v.post(p.Find("main form").AttrOr("action", ""), form)
}

func TestAnAdministratorAddsSomebodyWhoSignsIn(t *testing.T) {
	w := newTown(t)
	v := w.as("admin")
	v.get("/plus/").has(`a[href="/plus/admin"]`, 1)
	v.get(v.get("/plus/admin").to()).is(http.StatusOK).says("h1", "Staff 6")
	p := v.get("/plus/admin/staff/new").is(http.StatusOK)
	for _, c := range []struct{ field, value, says string }{
		{"login", "x", "Use 2 to 40"}, {"login", "agent", "Somebody has this login already"}, {"name", "", "Enter first and last name."}, {"name", "4242 4242 4242 4242", "looks like a card number"}, {"email", "nobody", "Enter an e-mail address"},
		{"email", "lead@interlane.example", "Somebody has this e-mail address already."}, {"phone", "12", "Enter a number with area code"}, {"role", "king", "Choose a role."}, {"team", "a,b", "can’t hold a comma"},
	} {
		form := p.form("form.fields", "login", "mreyes", "name", "Maya Reyes", "role", "lead", "team", "Team West")
		form.Set(c.field, c.value)
		wrong := v.post("/plus/admin/staff", form).is(http.StatusUnprocessableEntity).says("#"+c.field+"-error", c.says)
		if at := wrong.Find("main > [data-focus]").AttrOr("data-focus", ""); at != c.field {
			t.Errorf("%s: the focus goes to %q", c.says, at)
		}
		if strings.Contains(wrong.body, "4242") {
			t.Error("a card number is shown again")
		}
		if c.field != "name" && wrong.Find("#name").AttrOr("value", "") != "Maya Reyes" {
			t.Errorf("%s: what was typed is lost", c.says)
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM staff`); n != 6 {
		t.Fatalf("%d people", n)
	}
	form := p.form("form.fields", "login", "MReyes", "name", "Maya Reyes", "role", "lead", "team", "Team West", "email", "maya@interlane.example", "phone", "(804) 555-0171")
	form["locations"] = []string{"VA-RIC"}
	made := v.post("/plus/admin/staff", form).is(http.StatusCreated).says("h1", "Maya Reyes was added").says(".summary", "mreyes")
	password := made.words("#secret")
	id := strings.TrimPrefix(made.Find("main a.button.primary").AttrOr("href", ""), "/plus/admin/staff/")
	if len(password) != 19 || strings.Contains(w.log.String(), password) || strings.Contains(w.facts(), password) {
		t.Errorf("the temporary password has %d characters, or is kept", len(password))
	}
	v.post("/plus/admin/staff", form).is(http.StatusUnprocessableEntity) // sent again
	seat := v.get("/plus/admin/staff/"+id).is(http.StatusOK).says("#trail", "Add staff").says("#trail", "Phone: ••0171").says(".head", "Temporary password")
	if strings.Contains(seat.body, password) {
		t.Error("the password is shown again")
	}
	v.get("/plus/admin/staff?words=maya&role=lead&team=Team+West").says("h1", "1 found").says("table", "••0171").has(`a[href="/plus/admin/staff/`+id+`"]`, 1)
	v.get("/plus/admin/staff?disabled=1").says(".empty", "Nobody is found.")

	maya := w.visitor()
	maya.post("/plus/", url.Values{"login": {"mreyes"}, "password": {password}, "back": {"/plus/"}}).is(http.StatusSeeOther)
	v.sure(v.post("/plus/admin/staff/"+id+"/disable", seat.form(`form[action$="/disable"]`)).says("h1", "Disable Maya Reyes?")).to()
	if got := maya.get("/plus/clients/100042").status; got != http.StatusUnauthorized && got != http.StatusSeeOther {
		t.Errorf("who was disabled gets %d", got)
	}
	maya.post("/plus/", url.Values{"login": {"mreyes"}, "password": {password}}).is(http.StatusUnauthorized)
	v.get("/plus/admin/staff?disabled=1").says("h1", "1 found")

	// What was opened before acts no more.
	v.post("/plus/admin/staff/"+id+"/password", url.Values{"version": {"1"}, "confirmed": {"1"}}).is(http.StatusConflict).says("#why-not", "changed while you had it open")
	seat = v.get("/plus/admin/staff/" + id)
	v.post("/plus/admin/staff/"+id+"/enable", seat.form(`form[action$="/enable"]`)).to()
	seat = v.get("/plus/admin/staff/" + id)
	again := v.sure(v.post("/plus/admin/staff/"+id+"/password", seat.form(`form[action$="/password"]`))).is(http.StatusOK).words("#secret")
	if again == password || again == "" {
		t.Error("it is the same password")
	}
	w.visitor().post("/plus/", url.Values{"login": {"mreyes"}, "password": {again}, "back": {"/plus/"}}).is(http.StatusSeeOther)
}

func TestTwoAdministratorsAtOnce(t *testing.T) {
	w := newTown(t)
	v := w.as("admin")
	me := v.get("/plus/admin/staff/staff-admin").has(`form[action$="/disable"]`, 0).has(`form[action$="/password"]`, 0)
	for _, act := range []string{"disable", "password", "factors"} {
		v.post("/plus/admin/staff/staff-admin/"+act, url.Values{"version": {"1"}, "confirmed": {"1"}}).is(http.StatusConflict).says("#why-not", "you can’t do this to yourself")
	}
	v.post("/plus/admin/staff/staff-admin", me.form("form.fields", "role", "agent")).is(http.StatusConflict).says("#why-not", "yourself")

	lead := v.get("/plus/admin/staff/staff-lead")
	v.post("/plus/admin/staff/staff-lead", lead.form("form.fields", "team", "Team North")).to()
	second := v.post("/plus/admin/staff/staff-lead", lead.form("form.fields", "name", "Mia Castellano")).is(http.StatusConflict)
	second.says("#why-not", "Nothing was saved").says("#why-not", "K. Duarte: change staff, Team: Team East → Team North.")
	if second.Find("#name").AttrOr("value", "") != "Mia Castellano" {
		t.Error("what was typed is lost")
	}
	v.post("/plus/admin/staff/staff-lead", second.form("form.fields", "team", "Team North")).to()
	v.get("/plus/admin/staff/staff-lead").says("h1", "Mia Castellano").says("#trail", "Change staff Refused")
}

func TestRatesAreReadAgainBeforeTheyAreChanged(t *testing.T) {
	w := newTown(t)
	v, agent := w.as("admin"), w.as("agent")
	agent.get(dana).says("#total", "$98.58")
	address := "/plus/admin/locations/VA-RIC/rates"
	p := v.get(address).is(http.StatusOK).says("form.fields", "vehicles pay exactly this now.")
	for field, value := range map[string]string{"tax": "6.25001", "iid": "three", "monitoring_cap": "-1", "labor_fee": "", "state_fee": "20000"} {
		wrong := v.post(address, p.form("form.fields", field, value)).is(http.StatusUnprocessableEntity)
		if wrong.words("#"+field+"-error") == "" || wrong.Find("#"+field).AttrOr("value", "") != value {
			t.Errorf("%s: %q", field, wrong.words("form.fields"))
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM locations WHERE version <> 1`); n != 0 {
		t.Fatal("what was refused was done")
	}
	v.post(address, p.form("form.fields")).to() // nothing is different
	sure := v.post(address, p.form("form.fields", "iid", "3.25", "tax", "6.25")).is(http.StatusOK).says("table", "Tax6%6.25%").says("table", "Interlock, a day$3.10$3.25").says("form", "Also for the 5 vehicles that pay $3.10 now")
	if n := w.count(`SELECT COUNT(*) FROM locations WHERE version <> 1`); n != 0 {
		t.Fatal("what is only asked has acted")
	}
	agent.sent()
	v.sure(sure, "follow_iid", "5").to()
	agent.get("/plus/clients/100047?panel=send&vehicle=veh_hal_outback&days=30").says("#summary", "Monitoring, 30 × $3.25").says("#summary", "Tax 6.25%").says("#summary .total", "$100.94") // the cap of 95.00 holds
	agent.get("/plus/clients/100042?tab=links").says("#rest table", "$98.58")                                                                                                                // it keeps its quote
	v.post(address, sure.form("main form")).is(http.StatusConflict).says("#why-not", "change rates, Tax: 6% → 6.25%")
}

func TestASuspendedLocationSendsNothingFromThenOn(t *testing.T) {
	w := newTown(t)
	v, agent := w.as("admin"), w.as("agent")
	summary := agent.get(dana).is(http.StatusOK)
	p := v.get("/plus/admin/locations/VA-RIC").says("form.fields", "can still be paid")
	v.post("/plus/admin/locations/VA-RIC", p.form("form.fields", "payments", "suspended")).to()
	agent.post("/plus/clients/100042/links", summary.form("#send")).is(http.StatusUnprocessableEntity)
	if n := w.count(`SELECT COUNT(*) FROM payments`); n != 0 {
		t.Errorf("%d payments began", n)
	}
	agent.get("/plus/clients/100042").says("#side", "Payments for Richmond, VA are suspended.")
	v.get("/plus/admin/locations").says("table", "Suspended")
	// Opened again, a link is sent; suspended once more, that one can still be paid.
	p = v.get("/plus/admin/locations/VA-RIC")
	v.post("/plus/admin/locations/VA-RIC", p.form("form.fields", "payments", "configured")).to()
	agent.sent()
	p = v.get("/plus/admin/locations/VA-RIC").says("section.panel", "live or not settled now: 1.")
	v.post("/plus/admin/locations/VA-RIC", p.form("form.fields", "stripe_account", "acct_1RichmondInterlane")).is(http.StatusConflict).says("#stripe_account-error", "a payment of this location is live")
	v.post("/plus/admin/locations/VA-RIC", p.form("form.fields", "stripe_account", "cus_1")).is(http.StatusUnprocessableEntity).says("#stripe_account-error", "begins with acct_")
}

func TestFeesAreListedChangedRetiredAndBroughtBack(t *testing.T) {
	w := newTown(t)
	v := w.as("admin")
	const address = "/plus/admin/locations/VA-RIC/fees"
	p := v.get(address).says("table", "Lost handsetEquipmentTaxed$125.00")
	v.post(address, p.form("form.fields", "name", "lost handset", "amount", "5")).is(http.StatusUnprocessableEntity).says("#name-error", "has a fee of this name")
	v.post(address, p.form("form.fields", "name", "Report", "amount", "0")).is(http.StatusUnprocessableEntity).says("#amount-error", "Enter an amount")
	v.post(address, p.form("form.fields", "name", "Report", "kind", "administrative", "amount", "12.50")).to()
	p = v.get(address).says("table", "ReportAdministrativeNot taxed$12.50").says("#trail", "Add fee")
	report := p.Find(`td:contains("Report")`).Parent()
	one := v.get(report.Find("a").AttrOr("href", ""))
	v.post(one.Find("form.fields").AttrOr("action", ""), one.form("form.fields", "amount", "14")).to()
	p = v.get(address).says("table", "Report").says("#trail", "Report: Amount: $12.50 → $14.00").says(`[aria-label="Retired fees"]`, "$12.50")
	retire := p.Find(`[aria-label="Fees"] td:contains("Report")`).Parent().Find("form")
	version := url.Values{"version": {retire.Find("input").AttrOr("value", "")}}
	sure := v.post(retire.AttrOr("action", ""), version).says("h1", "Retire Report, $14.00?")
	if n := w.count(`SELECT COUNT(*) FROM fees WHERE name = 'Report' AND retired = 0`); n != 1 {
		t.Fatal("what is only asked has acted")
	}
	v.sure(sure).to()
	p = v.get(address)
	back := p.Find(`[aria-label="Retired fees"] tr:contains("$14.00") form`)
	v.post(back.AttrOr("action", ""), version).is(http.StatusConflict).says("#why-not", "changed while you had it open")
	v.post(back.AttrOr("action", ""), url.Values{"version": {back.Find("input").AttrOr("value", "")}}).to()
	if n := w.count(`SELECT COUNT(*) FROM fees WHERE name = 'Report' AND retired = 0 AND amount = 1400`); n != 1 {
		t.Error("it is not back on the list")
	}
}

func TestTermsArePublishedAndPayersReadThem(t *testing.T) {
	w := newTown(t)
	v, agent := w.as("admin"), w.as("agent")
	agent.sent()
	payer := w.payer()
	before := payer.get("/pay?lang=en").is(http.StatusOK).says("#terms-title", "Payment terms, version 1")

	v.get("/plus/admin/terms").says("table", "Version 1").says("table", "The service").says("table", "In force")
	p := v.get("/plus/admin/terms/new").is(http.StatusOK)
	draft := url.Values{"after": {"1"}, "en": {p.Find("#en").Text()}, "es": {p.Find("#es").Text()}}
	if !strings.HasPrefix(draft.Get("en"), "Payment terms, version 2\n") {
		t.Fatalf("the draft begins %.60q", draft.Get("en"))
	}
	edited := func(language, from, to string) url.Values {
		out := url.Values{"after": draft["after"], "en": draft["en"], "es": draft["es"]}
		out.Set(language, strings.Replace(out.Get(language), from, to, 1))
		return out
	}
	for says, form := range map[string]url.Values{
		"This is the text in force": draft,
		"Both languages are needed": {"after": {"1"}, "en": draft["en"], "es": {" "}},
		"has to name version 2":     edited("en", "version 2", "version 3"),
		"{support} is nothing":      edited("en", "{brand}", "{support}"),
		"It has 10 parts":           edited("es", "\n\n", "\n\nMás\nOtra cosa.\n\n"),
		"every block is a heading":  edited("en", "\n\n", "\n\nAlone\n\n"),
	} {
		v.post("/plus/admin/terms", form).is(http.StatusUnprocessableEntity).says("form.fields", says)
	}
	form := edited("en", "one time.", "one time <b>only</b>.")
	preview := v.post("/plus/admin/terms", form).is(http.StatusOK).says("h1", "Publish version 2?").says(".terms-text", "authorize Interlane to charge").says(".terms-text", "call (804) 555-0100").says(".diff .added", "one time <b>only</b>.").says(".diff .removed", "one time.")
	if n := w.count(`SELECT COUNT(*) FROM terms_in_force WHERE kind = 'payment'`); n != 1 {
		t.Fatal("what is only asked has acted")
	}
	sure := preview.form("main form", "confirmed", "1")
	if to := v.post("/plus/admin/terms", sure).to(); to != "/plus/admin/terms/2" {
		t.Errorf("it leads to %s", to)
	}
	v.post("/plus/admin/terms", sure).is(http.StatusConflict).says("#why-not", "version 2 was published while you wrote") // a second click
	v.get("/plus/admin/terms/2").says(".head", "In force").says(".facts", "K. Duarte").says(".diff .added", "one time").says("#trail", "Version: 1 → 2; en: SHA-256")
	v.get("/plus/admin/terms/1").says(".head", "Replaced").has(".diff", 0)
	v.get("/plus/admin/terms/3").is(http.StatusNotFound)

	// The terms of keeping a card are versions of their own.
	p = v.get("/plus/admin/terms/new?kind=card").is(http.StatusOK).says("h1", "Write version 2")
	card := url.Values{"after": {"card-1"}, "confirmed": {"1"}, "en": {strings.Replace(p.Find("#en").Text(), "charges nothing", "charges nothing now", 1)}, "es": {p.Find("#es").Text()}}
	if to := v.post("/plus/admin/terms", card).to(); to != "/plus/admin/terms/card-2" {
		t.Errorf("it leads to %s", to)
	}
	v.get("/plus/admin/terms/card-2").says("title", "Terms of keeping a card, version 2").says(".diff .added", "charges nothing now")
	v.get("/plus/admin/terms/card-1").says(".head", "Replaced")
	v.get("/plus/admin/terms/2").says(".head", "In force")

	payer.charge(before, http.StatusConflict)
	after := payer.get("/pay?lang=en").says("#terms-title", "Payment terms, version 2").says("#terms", "one time <b>only</b>.")
	payer.charge(after, http.StatusOK)
	if n := w.count(`SELECT COUNT(*) FROM attempts WHERE terms_version = '2'`); n != 1 || w.count(`SELECT COUNT(*) FROM attempts`) != 1 {
		t.Errorf("%d attempts by the new terms", n)
	}
}

func TestAnAuditorReadsAndChangesNothing(t *testing.T) {
	w := newTown(t)
	v := w.as("auditor")
	for _, path := range []string{"staff", "staff/staff-lead", "locations", "locations/VA-RIC", "locations/VA-RIC/rates", "locations/VA-RIC/fees", "terms", "terms/1"} {
		v.get("/plus/admin/"+path).is(http.StatusOK).has("main form[method=post]", 0).has("main a.button.primary", 0)
	}
	v.get("/plus/admin/staff/staff-lead").says(".profile", "RoleLead").says(".profile", "Signs in withpassword")
	v.get("/plus/admin/locations/VA-RIC/rates").says(".profile", "Tax6%").says(".profile", "Monitoring, at the most in 30 days$95.00")
}

func TestTheAdministratorsPagesAreWellFormed(t *testing.T) {
	w := newTown(t)
	v := w.as("admin")
	rates := v.get("/plus/admin/locations/VA-RIC/rates")
	for _, p := range []*page{
		v.get("/plus/admin/staff"), v.get("/plus/admin/staff/new"), v.post("/plus/admin/staff", url.Values{"login": {"x"}}), v.get("/plus/admin/staff/staff-supervisor"), v.get("/plus/admin/locations"),
		v.get("/plus/admin/locations/new"), v.get("/plus/admin/locations/VA-RIC"), rates, v.post("/plus/admin/locations/VA-RIC/rates", rates.form("form.fields", "iid", "3.25")), v.get("/plus/admin/locations/VA-RIC/fees"),
		v.get("/plus/admin/terms"), v.get("/plus/admin/terms/new"), v.get("/plus/admin/terms/1"), v.post("/plus/admin/staff/staff-lead/disable", url.Values{"version": {"1"}}),
	} {
		seen := map[string]bool{}
		p.Find("[id]").Each(func(_ int, e *goquery.Selection) {
			id := e.AttrOr("id", "")
			if seen[id] {
				t.Errorf("%s: two of #%s", p.path, id)
			}
			seen[id] = true
		})
		p.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, e *goquery.Selection) {
			if p.Find(`label[for="`+e.AttrOr("id", "-")+`"]`).Length() == 0 && e.Closest("label").Length() == 0 {
				t.Errorf("%s: no label for %s", p.path, e.AttrOr("name", ""))
			}
		})
		for _, name := range []string{"aria-describedby", "aria-labelledby", "data-focus", "list"} {
			p.Find("[" + name + "]").Each(func(_ int, e *goquery.Selection) {
				for _, id := range strings.Fields(e.AttrOr(name, "")) {
					if !seen[id] {
						t.Errorf("%s: %s names #%s, which is not there", p.path, name, id)
					}
				}
			})
		}
		p.has("h1", 1).has("[style]", 0).has("script:not([src])", 0)
	}
}

// payer is the browser of whoever got the last text.
func (w *town) payer() *visitor {
	w.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for len(w.twilio.Messages()) == 0 {
		if time.Now().After(deadline) {
			w.t.Fatal("no text comes")
		}
		time.Sleep(10 * time.Millisecond)
	}
	texts := w.twilio.Messages()
	_, token, _ := strings.Cut(texts[len(texts)-1].Body, "/p#")
	v := w.visitor()
	v.headers["Content-Type"] = "application/json"
	v.do(http.MethodPost, "/pay/open", strings.NewReader(`{"token":"`+token[:link.TokenLength]+`"}`)).is(http.StatusNoContent)
	return v
}

// charge presses the button of the payer's page.
func (v *visitor) charge(p *page, want int) {
	v.w.t.Helper()
	var config struct{ Terms, Nonce string }
	must(v.w.t, json.Unmarshal([]byte(p.Find("#config").Text()), &config))
	answer, err := http.PostForm(v.w.api+"/v1/payment_methods", url.Values{
		"type": {"card"}, "card[number]": {"4242424242424242"}, "card[exp_month]": {"12"}, "card[exp_year]": {"2030"}, "card[cvc]": {"123"}, "key": {"pk_test_x"},
	})
	must(v.w.t, err)
	defer func() { _ = answer.Body.Close() }()
	var card struct{ ID string }
	must(v.w.t, json.NewDecoder(answer.Body).Decode(&card))
	body, err := json.Marshal(map[string]string{"payment_method": card.ID, "terms": config.Terms, "nonce": config.Nonce})
	must(v.w.t, err)
	v.do(http.MethodPost, "/pay/charge", strings.NewReader(string(body))).is(want)
}
