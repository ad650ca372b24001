package plus_test

import (
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"paylink/internal/account"
	"paylink/internal/phone"
	"paylink/internal/sqldb"
	"paylink/templates"
)

func TestAnAgentSendsALinkAndFollowsIt(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	if to := v.get("/plus/clients?q=100042").to(); to != "/plus/clients/100042" {
		t.Errorf("an exact id leads to %s", to)
	}
	p := v.get("/plus/clients/100042").is(http.StatusOK)
	p.says("h1", "Dana Whitfield").says(".head", "100042 · (804) 555-0142 · English").says(".head", "Auto Pay off")
	p.says(".facts", "Paid To DateMar 10, 2026Balance$0.00Next appointmentMar 22, 9:30 AMLocationRichmond, VA")
	p.says("#opener button", "Send Secure Payment Link").has("#panel[hidden]", 1)

	p = v.get("/plus/clients/100042?"+p.form("#opener").Encode()).is(http.StatusOK).has("#panel[hidden]", 0)
	p.says("label[for=vehicle]", "Vehicle").says("#vehicle option", "2016 Honda Civic · VA ABC-1234").says("#days legend", "Monitor days")
	p = v.get("/plus/clients/100042?" + p.form("#choice").Encode()).is(http.StatusOK)
	for _, line := range []string{"Monitoring, 30 × $3.10$93.00", "Tax 6% on $93.00$5.58", "Past due$0.00", "Total Due Amount$98.58", "Paid To Date becomes Apr 9, 2026"} {
		p.says("#summary", line)
	}
	p.says("#readback", "Client’s own number. Read back: ending 0142")

	to := v.post("/plus/clients/100042/links", p.form("#send")).to()
	p = v.until(to, "#status .ladder", "Delivered")
	p.says("#status-title", "Link status").says("#left", "left").says("#status .ladder", "Sent to ••0142").says("#status .row", "Resend").says("#status .row", "Cancel link").says("#status .row", "Copy call note")
	p.says("#status .where", "Ask the caller to open the text.").says("#summary .total", "$98.58").has("#send", 0)
	if note, _ := p.Find("#copy").Attr("data-note"); !strings.Contains(note, "$98.58 for 2016 Honda Civic, 30 days") || strings.Contains(note, "555") {
		t.Errorf("the note is %q", note)
	}
	if n := len(w.twilio.Messages()); n != 1 {
		t.Errorf("%d texts", n)
	}
	// Whoever comes back to the client finds the panel open on the live link.
	v.get("/plus/clients/100042").says("#status .ladder", "Delivered").has("#panel[hidden]", 0)
	v.get("/plus/clients/100042?tab=links").says("#rest table", "$98.58Live")
	// An expired link says so, and what is best now.
	w.later(11 * time.Minute)
	p = v.until(to, "#status .ladder", "Expired")
	p.says("#status .where", "No payment was taken.").says("#status a.button", "New summary").has("#left", 0).has("#resend", 0)
	if again, _ := p.Find("#status a.button").Attr("href"); v.get(again).words("#summary .total") != "Total Due Amount$98.58" {
		t.Errorf("a new summary is not at %s", again)
	}
}

func TestEveryTabIsALink(t *testing.T) {
	v := newTown(t).as("agent")
	for tab, want := range map[string]string{"account": "Under monitoring", "history": "Feb 8, 2026Monitoring 30 days, to Mar 10", "links": "No payment links yet.", "appointments": "Mar 22, 2026, 9:30 AM", "": "Under monitoring", "nonsense": "Under monitoring"} {
		p := v.get("/plus/clients/100042?tab="+tab).is(http.StatusOK).says("#rest", want).has(".tabs [aria-current=page]", 1).has(".tabs a", 4)
		if n := p.Find("#rest button").Length() - p.Find("#rest form[action] button").Length(); n > 0 {
			t.Errorf("tab %q has %d buttons that do nothing", tab, n)
		}
	}
}

func TestSummariesOfTheTown(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	for _, c := range []struct {
		client, vehicle, total string
		says                   []string
		sendable               bool
	}{
		{"100042", "veh_dana_civic", "$98.58", nil, true},
		{"100043", "veh_marcus_f150", "$125.25", []string{"Loss protection, 30 × $0.16", "Tax 7.5% on $77.10", "Past due$42.37", "past due by $42.37"}, true},
		{"100044", "veh_tess_rav4", "$79.50", []string{"takes no payments"}, false},
		{"100045", "veh_omar_pam", "$159.00", nil, true},
		{"100046", "veh_lucia_sentra", "$85.50", nil, true},
		{"100047", "veh_hal_outback", "$98.58", []string{"Auto Pay is on"}, true},
		{"100048", "veh_ines_corolla", "$0.00", []string{"Credit($80.44)", "Credit left after this payment: $54.11", "Nothing is due"}, false},
		{"100049", "veh_paul_ram", "$98.58", []string{"opted out"}, true},
		{"100050", "veh_rita_focus", "$98.58", []string{"in collections"}, false},
		{"100051", "veh_gene_silverado", "$139.08", []string{"Unpaid days, 8 × $3.35", "8 days since the Paid To Date", "Labor fee $25.00"}, true},
	} {
		p := v.get("/plus/clients/"+c.client+"?panel=send&vehicle="+c.vehicle+"&days=30").is(http.StatusOK).says("#summary .total", "Total Due Amount"+c.total)
		for _, want := range c.says {
			p.says("#summary", want)
		}
		if got := p.Find("#send").Length() == 1; got != c.sendable {
			t.Errorf("%s: Send Message is offered: %v", c.client, got)
		}
	}
	v.get("/plus/clients/100044").says(".closed", "Baltimore, MD is not set up to take payments")
	v.get("/plus/clients/100048").says(".facts", "($134.55)")
	v.get("/plus/clients/100047").says(".head", "Auto Pay 30 days")
	v.get("/plus/clients/100050").says(".head", "In collections")

	_, err := w.books.Exec(`UPDATE locations SET payments = 'suspended' WHERE id = 'MD-BAL'`)
	must(t, err)
	v.get("/plus/clients/100044").says(".closed", "Payments for Baltimore, MD are suspended")
}

func TestWhatIsRefusedSaysWhyAndKeepsWhatWasTyped(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	const other = "(804) 555-0160"
	for _, c := range []struct {
		name    string
		changes []string
		status  int
		where   string // the field that the sentence belongs to
		says    string
		focus   string
	}{
		{"invalid phone", []string{"phone", "12345"}, 422, "phone", "no telephone number", "phone"},
		{"toll-free", []string{"phone", "(800) 555-0199", "consent", "yes"}, 422, "phone", "", "phone"},
		{"landline", []string{"phone", "(804) 555-0181", "consent", "yes", "payer", "Ana"}, 422, "phone", "landline", "phone"},
		{"opted out", []string{"phone", "(804) 555-0149", "consent", "yes", "payer", "Ana"}, 422, "phone", "opted out", "phone"},
		{"no consent", []string{"phone", other, "payer", "Ana, his sister"}, 422, "consent", "agrees to get this text", "consent"},
		{"too long", []string{"phone", other, "consent", "yes", "payer", strings.Repeat("x", 201)}, 422, "payer", "too long", "payer"},
	} {
		form := v.get(dana).form("#send", c.changes...)
		p := v.post("/plus/clients/100042/links", form).is(c.status)
		p.says("#"+c.where+"-error", c.says)
		field := p.Find("#" + c.where + "[aria-invalid=true]")
		if field.Length() != 1 || !strings.Contains(field.AttrOr("aria-describedby", ""), c.where+"-error") {
			t.Errorf("%s: the field does not own its error", c.name)
		}
		if got := p.Find("#panel-body").AttrOr("data-focus", ""); got != c.focus {
			t.Errorf("%s: the focus goes to %q", c.name, got)
		}
		kept := p.form("#send")
		for _, name := range []string{"phone", "payer", "consent", "language", "vehicle", "days", "shown", "key"} {
			if kept.Get(name) != form.Get(name) {
				t.Errorf("%s: %s was %q and is %q", c.name, name, form.Get(name), kept.Get(name))
			}
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM payments`); n != 0 || len(w.twilio.Messages()) != 0 {
		t.Errorf("%d payments and %d texts came of what was refused", n, len(w.twilio.Messages()))
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'send link' AND refused <> ''`); n != 6 {
		t.Errorf("%d refusals are in the trail", n)
	}
	// The same form, put right, sends.
	v.post("/plus/clients/100042/links", v.get(dana).form("#send", "phone", other, "consent", "yes", "payer", "Ana, his sister", "language", "es")).is(http.StatusSeeOther)
	if n := w.count(`SELECT COUNT(*) FROM links WHERE own_number = 0 AND language = 'es'`); n != 1 {
		t.Errorf("%d links to another number in Spanish", n)
	}
}

func TestACardNumberIsNeverShownAgain(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	const card = "4242 4242 4242 4242"
	form := v.get(dana).form("#send", "phone", "(804) 555-0160", "consent", "yes", "payer", "card "+card)
	pages := []*page{
		v.post("/plus/clients/100042/links", form).is(422).says("#payer-error", "looks like a card number"),
		v.post("/plus/clients/100042/links", v.get(dana).form("#send", "phone", card)).is(422).says("#phone-error", "no telephone number"),
		v.post("/plus/clients", url.Values{"q": {card}}).is(422).says("[role=alert]", "looks like a card number"),
	}
	id, _ := v.sent()
	pages = append(pages, v.post("/plus/payments/"+id+"/cancel", url.Values{"reason": {"Wrong phone number"}, "words": {card}}).is(422).says("#words-error", "looks like a card number"))
	more := regexp.MustCompile(`4242.?4242`) // than the last four, which are on file
	for _, p := range pages {
		if more.MatchString(p.body) {
			t.Errorf("%s shows it", p.path)
		}
	}
	if more.MatchString(w.facts() + w.log.String()) {
		t.Error("it is in the books or the log")
	}
}

func TestATotalThatMovedIsToldAndNothingSent(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	stale := v.get(dana).form("#send")
	_, err := w.books.Exec(`UPDATE vehicles SET daily_rate = 315 WHERE id = 'veh_dana_civic'`)
	must(t, err)
	p := v.post("/plus/clients/100042/links", stale).is(http.StatusConflict)
	p.says("#why", "changed from $98.58 to $100.17").says("#summary .total", "$100.17")
	if w.count(`SELECT COUNT(*) FROM payments`) != 0 {
		t.Error("something was sent")
	}
	v.post("/plus/clients/100042/links", p.form("#send")).is(http.StatusSeeOther)
	if got := w.count(`SELECT amount FROM payments`); got != 10_017 {
		t.Errorf("%d cents were sent", got)
	}
}

func TestADoubleClickSendsOnce(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	form := v.get(dana).form("#send")
	if one, two := v.post("/plus/clients/100042/links", form).to(), v.post("/plus/clients/100042/links", form).to(); one != two {
		t.Errorf("%s, then %s", one, two)
	}
	if n := w.count(`SELECT COUNT(*) FROM payments`); n != 1 {
		t.Errorf("%d payments", n)
	}
}

func TestALiveLinkIsResentOrCancelledAndStartedAnew(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	late := v.get(dana).form("#send")
	id, address := v.sent()

	p := v.post("/plus/clients/100042/links", late).is(http.StatusConflict)
	p.says("#why", "Nothing new was sent").says("#summary .alert.warning", "Resend it").says("#summary .alert.warning", "Cancel it and start anew").says("#status-title", "Link status").has("#send", 0)
	v.get(dana).says("#summary .alert.warning", "A payment for this vehicle is under way").has("#send", 0)

	for range 3 {
		v.until(address, "#status .where", "The text was delivered.")
		v.post("/plus/payments/"+id+"/resend", url.Values{}).is(http.StatusSeeOther)
	}
	p = v.get(address).has("#resend", 0).says("#status", "Resent three times")
	v.post("/plus/payments/"+id+"/resend", url.Values{}).is(http.StatusConflict).says("#why", "resent three times")

	// Without script the dialog is a page, and its button leads on.
	p = v.get("/plus/clients/100042?"+p.form("#ask-cancel", "anew", "1").Encode()).is(http.StatusOK).has("dialog[open]", 1)
	to := v.post("/plus/payments/"+id+"/cancel", p.form("#cancel-dialog form", "words", "wants it on her own phone")).to()
	v.get(to).is(http.StatusOK).says("#summary .total", "$98.58").has("#send", 1).has("#status", 0)
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'revoke payment' AND detail LIKE '%The caller asked for it: wants it on her own phone%'`); n != 1 {
		t.Error("the reason is not in the trail")
	}
	v.post("/plus/payments/"+id+"/cancel", url.Values{"reason": {"Wrong phone number"}}).is(http.StatusGone).says("#why", "has ended")
	v.post("/plus/payments/"+id+"/resend", url.Values{}).is(http.StatusGone).says("#why", "has ended")
	v.get(address).says("#status .where", "The link was cancelled. No payment was taken.")
}

func TestTheStatusIsSentAgainOnlyWhenItHasChanged(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	v.headers["X-Part"] = "1"
	plain := w.as("agent")
	id, address := plain.sent()
	plain.until(address, "#status .ladder", "Delivered")
	p := v.get("/plus/payments/" + id + "/status?tab=links").is(http.StatusOK)
	p.has("#status", 1).has("header", 0)
	if tag := p.header.Get("Etag"); tag != `"`+p.Find("#status").AttrOr("data-version", "")+`"` {
		t.Errorf("the tag is %s", tag)
	}
	v.headers["If-None-Match"] = p.header.Get("Etag")
	w.later(3 * time.Second)
	same := v.get("/plus/payments/" + id + "/status?tab=links").is(http.StatusNotModified)
	if same.body != "" || same.header.Get("X-Seconds-Left") == "" || same.header.Get("X-Seconds-Left") >= p.header.Get("X-Seconds-Left") {
		t.Errorf("%s seconds left, then %s, with %q", p.header.Get("X-Seconds-Left"), same.header.Get("X-Seconds-Left"), same.body)
	}
	plain.post("/plus/payments/"+id+"/cancel", url.Values{"reason": {"Wrong phone number"}}).is(http.StatusSeeOther)
	v.get("/plus/payments/"+id+"/status?tab=links").is(http.StatusOK).says("#status .ladder", "Cancelled")
}

func TestThePanelAloneIsTheSameAsOnThePage(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	whole := v.get(dana)
	v.headers["X-Part"] = "1"
	alone := v.get(dana).is(http.StatusOK).has("header", 0).has("#panel-body", 1)
	if got, want := alone.words("#summary"), whole.words("#summary"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if at := alone.header.Get("Content-Location"); at != "/plus/clients/100042?days=30&panel=send&vehicle=veh_dana_civic" {
		t.Errorf("it is found again at %s", at)
	}
	sent := v.post("/plus/clients/100042/links", alone.form("#send")).is(http.StatusOK).says("#status-title", "Link status")
	if sent.Find("#panel-body").AttrOr("data-focus", "") != "status-title" || sent.words("#"+sent.Find("#status-title").AttrOr("aria-describedby", "")) == "" {
		t.Error("nobody is led to what became of it")
	}
	v.post("/plus/clients/100042/links", url.Values{"shown": {"x"}}).is(http.StatusBadRequest).has("[data-problem]", 1).has("header", 0)
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	id, _ := v.sent()
	for _, path := range []string{
		"/plus/clients/999999", "/plus/clients/100042?panel=send&vehicle=veh_marcus_f150&days=30", "/plus/clients/100042?panel=send&vehicle=nonsense&days=30",
		"/plus/clients/100043?payment=" + id, "/plus/clients/100042?payment=nonsense", "/plus/payments/nonsense", "/plus/payments/nonsense/status", "/plus/nonsense", "/plus/clients/100042/nonsense",
	} {
		p := v.get(path).is(http.StatusNotFound).says("h1", "There is nothing here").has(`main a[href="/plus/"]`, 1)
		if len(p.words(".quiet-text")) < len("Reference x") {
			t.Errorf("%s has no reference", path)
		}
	}
	v.post("/plus/clients/100043/links", v.get("/plus/clients/100043?panel=send&vehicle=veh_marcus_f150&days=30").form("#send", "vehicle", "veh_omar_pam")).is(http.StatusNotFound)
	if n := w.count(`SELECT COUNT(*) FROM payments`); n != 1 {
		t.Errorf("%d payments", n)
	}
}

func TestOtherDaysAreABadRequest(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	for _, days := range []string{"15", "0", "-30", "x", ""} {
		v.get("/plus/clients/100042?panel=send&vehicle=veh_dana_civic&days="+days).is(http.StatusBadRequest).says("#days-error", "Choose 14 or 30 days.").has("#days[aria-invalid]", 1).has("#summary", 0)
	}
	v.post("/plus/clients/100042/links", v.get(dana).form("#send", "days", "15")).is(http.StatusBadRequest).says("#days-error", "Choose 14 or 30 days.")
	for _, broken := range []string{"shown", "key"} {
		v.post("/plus/clients/100042/links", v.get(dana).form("#send", broken, "")).is(http.StatusBadRequest)
	}
	v.post("/plus/clients/100042/links", v.get(dana).form("#send", "payer", strings.Repeat("x", 70<<10))).is(http.StatusRequestEntityTooLarge)
	if allow := v.do(http.MethodPut, "/plus/clients/100042", nil).is(http.StatusMethodNotAllowed).header.Get("Allow"); allow != "GET, HEAD" {
		t.Errorf("it allows %s", allow)
	}
	v.get("/plus/payments/x/cancel").is(http.StatusMethodNotAllowed)
	v.do(http.MethodDelete, "/plus/", nil).is(http.StatusMethodNotAllowed)
	if n := w.count(`SELECT COUNT(*) FROM payments`); n != 0 {
		t.Errorf("%d payments", n)
	}
}

func TestRolesSeeAndSendWhatTheyMay(t *testing.T) {
	w := newTown(t)
	agent := w.as("agent")
	form := agent.get(dana).form("#send")
	id, address := agent.sent()
	for _, role := range []string{"auditor", "finance", "admin"} {
		v := w.as(role)
		v.get(address).is(http.StatusOK).says("#status-title", "Link status").has("#opener", 0).has("#resend", 0).has("#ask-cancel", 0).has("#cancel-dialog", 0).has("#choice", 0)
		v.get(dana).is(http.StatusForbidden).says("h1", "Your role does not include this")
		before := w.count(`SELECT COUNT(*) FROM trail WHERE refused <> '' AND actor_id = $1`, "staff-"+role)
		v.post("/plus/clients/100042/links", form).is(http.StatusForbidden)
		v.post("/plus/payments/"+id+"/resend", url.Values{}).is(http.StatusForbidden)
		v.post("/plus/payments/"+id+"/cancel", url.Values{"reason": {"Wrong phone number"}}).is(http.StatusForbidden)
		if n := w.count(`SELECT COUNT(*) FROM trail WHERE refused <> '' AND actor_id = $1`, "staff-"+role); n != before+3 {
			t.Errorf("%d of 3 refusals of the %s are in the trail", n-before, role)
		}
	}
	agent.get(address).has("#resend", 1)
	for _, role := range []string{"lead", "supervisor"} {
		w.as(role).get("/plus/clients/100045?panel=send&vehicle=veh_omar_pam&days=14").is(http.StatusOK).has("#send", 1)
	}
}

func TestVisitsChangeNothing(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	id, address := v.sent()
	v.until(address, "#status .ladder", "Delivered")
	v.post("/plus/payments/"+id+"/cancel", url.Values{"reason": {"Wrong phone number"}}).is(http.StatusSeeOther)
	v.until(address, "#status[data-over=true]", "Cancelled") // the sweeper has nothing more to do
	for deadline := time.Now().Add(20 * time.Second); w.count(`SELECT COUNT(*) FROM stripe_events WHERE type IN ('payment_intent.created', 'payment_intent.canceled')`) < 2 ||
		w.count(`SELECT COUNT(*) FROM payments WHERE next_ms IS NOT NULL OR cancel_due = 1`) != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("Stripe never told what became of the PaymentIntent")
		}
	}
	before := w.facts()
	for _, path := range []string{
		"/plus/", "/plus/clients?q=a", "/plus/clients?q=100042", "/plus/clients/100042", "/plus/clients/100042?tab=history", "/plus/clients/100042?tab=links", dana, address, address + "&ask=cancel",
		"/plus/clients/100043?panel=send&vehicle=veh_marcus_f150&days=14", "/plus/payments/" + id, "/plus/payments/" + id + "/status", "/plus/payments/" + id + "/resend", "/plus/payments/" + id + "/cancel",
		"/plus/clients/100042/links", "/plus/sign-out",
	} {
		v.get(path)
		v.do(http.MethodHead, path, nil)
		v.do(http.MethodOptions, path, nil)
	}
	had := strings.Split(before, "\n")
	for _, line := range strings.Split(w.facts(), "\n") {
		if !slices.Contains(had, line) {
			t.Errorf("a visit changed the books: %s", line)
		}
	}
	v.get("/plus/clients/100042").is(http.StatusOK)
}

func TestNamesAreShownAndNotRun(t *testing.T) {
	w := newTown(t)
	const evil = `<script>alert(1)</script>"'&`
	must(t, w.s.DB.Import(t.Context(), sqldb.Import{
		Clients:  []account.Client{{ID: "100099", FirstName: evil, LastName: evil, Language: "en", Email: evil, Notes: evil, Phone: phone.Stored("+18045550159")}},
		Vehicles: []account.Vehicle{{ID: "veh_evil", ClientID: "100099", LocationID: "VA-RIC", Label: evil, Plate: evil, PlateState: "VA", Program: account.IID, DailyRate: 310, PaidTo: "2026-03-10"}},
	}))
	v := w.as("agent")
	for _, path := range []string{"/plus/clients?q=" + url.QueryEscape("<script>"), "/plus/clients?q=" + url.QueryEscape(evil), "/plus/clients/100099", "/plus/clients/100099?panel=send&vehicle=veh_evil&days=30"} {
		p := v.get(path).is(http.StatusOK)
		if strings.Contains(p.body, "<script>alert") {
			t.Errorf("%s runs a name", path)
		}
		p.has("script:not([src])", 0)
		if !strings.Contains(p.Text(), evil) && !strings.Contains(p.Find("#q").AttrOr("value", ""), "<script>") {
			t.Errorf("%s does not show the name", path)
		}
	}
	p := v.post("/plus/clients/100099/links", v.get("/plus/clients/100099?panel=send&vehicle=veh_evil&days=30").form("#send", "phone", `"><script>alert(2)</script>`)).is(422)
	if strings.Contains(p.body, "<script>alert") {
		t.Error("a form runs what was typed")
	}
	v.visitorSignIn(evil)
}

func (v *visitor) visitorSignIn(login string) {
	stranger := v.w.visitor()
	p := stranger.post("/plus/", url.Values{"login": {login}, "password": {"x"}, "back": {`"><script>alert(3)</script>`}}).is(http.StatusUnauthorized)
	if strings.Contains(p.body, "<script>alert") {
		v.w.t.Error("the sign-in page runs what was typed")
	}
}

// A telephone number belongs neither into an address, which histories and proxies keep, nor into a log.
func TestNoWholeTelephoneNumberIsInAnyAddressOrLog(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	whole := regexp.MustCompile(`804\D{0,6}555\D{0,4}01\d\d`)
	check := func(p *page) {
		p.Find("[href], [action], [src], [data-url]").Each(func(_ int, e *goquery.Selection) {
			for _, name := range []string{"href", "action", "src", "data-url"} {
				if address := e.AttrOr(name, ""); whole.MatchString(address) {
					t.Errorf("%s leads to %s", p.path, address)
				}
			}
		})
		p.Find("form[method=get] input").Each(func(_ int, e *goquery.Selection) {
			if whole.MatchString(e.AttrOr("value", "")) {
				t.Errorf("%s would put a number into an address", p.path)
			}
		})
	}
	if to := v.post("/plus/clients", url.Values{"q": {"(804) 555-0142"}}).to(); to != "/plus/clients/100042" {
		t.Errorf("a number leads to %s", to)
	}
	if to := v.post("/plus/clients", url.Values{"q": {"dana w"}}).to(); to != "/plus/clients?q=dana+w" {
		t.Errorf("a name leads to %s", to)
	}
	_, address := v.sent()
	for _, path := range []string{"/plus/clients?q=a", "/plus/clients/100042", dana, address, "/plus/clients/100042?tab=links"} {
		check(v.get(path))
	}
	v.until(address, "#status .ladder", "Delivered")
	if whole.MatchString(w.log.String()) {
		t.Error("a number is in the log")
	}
}

func TestSearch(t *testing.T) {
	v := newTown(t).as("agent")
	v.get("/plus/clients?q=nakam").is(http.StatusOK).says("h1", "1 client for “nakam”").says(".people", "Paul Nakamura").says(".people", "100049").has(`.people a[href="/plus/clients/100049"]`, 1)
	v.get("/plus/clients?q=abc1234").says(".people", "Dana Whitfield")
	v.get("/plus/clients?q=zzz").is(http.StatusOK).says(".empty", "No client found.")
	v.get("/plus/clients?q=%25").says(".empty", "No client found.") // % is no wildcard
	v.get("/plus/clients").is(http.StatusOK).says("h1", "Find a client")
	v.get("/plus/clients?q="+strings.Repeat("x", 300)).is(http.StatusOK).says(".empty", "No client found.")
	v.get("/plus/").says("h1", "Find a client").has("#q", 1)
}

func TestPagesObeyAStrictPolicy(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	_, address := v.sent()
	stranger := w.visitor()
	for _, p := range []*page{v.get("/plus/"), v.get(dana), v.get(address), v.get("/plus/nonsense"), stranger.get("/plus/")} {
		policy := p.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "script-src 'self' 'nonce-") || !strings.Contains(policy, "style-src 'self';") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %s", p.path, policy)
		}
		if p.header.Get("Cache-Control") == "" || !strings.Contains(strings.Join(p.header.Values("Cache-Control"), " "), "no-store") {
			t.Errorf("%s may be kept", p.path)
		}
		p.has("style", 0).has("[style]", 0).has("script:not([src])", 0)
		p.Find("*").Each(func(_ int, e *goquery.Selection) {
			for _, a := range e.Nodes[0].Attr {
				if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.TrimSpace(a.Val), "javascript:") {
					t.Errorf("%s: %s=%s", p.path, a.Key, a.Val)
				}
			}
		})
		p.Find("img, script, link").Each(func(_ int, e *goquery.Selection) {
			if from := e.AttrOr("src", e.AttrOr("href", "")); !strings.HasPrefix(from, "/assets/") {
				t.Errorf("%s loads %s", p.path, from)
			}
		})
	}
	files, err := fs.Glob(templates.Files, "plus/*.html")
	must(t, err)
	if len(files) < 6 {
		t.Fatalf("only %d templates", len(files))
	}
}

func TestEveryFieldHasALabelAndEveryIdIsUnique(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	form := v.get(dana).form("#send", "phone", "x")
	pages := []*page{w.visitor().get("/plus/"), v.get("/plus/"), v.get(dana), v.post("/plus/clients/100042/links", form)}
	_, address := v.sent()
	for _, p := range append(pages, v.get(address), v.get(address+"&ask=cancel")) {
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
				html, _ := goquery.OuterHtml(e)
				t.Errorf("%s: no label for %s", p.path, html)
			}
		})
		for _, name := range []string{"aria-describedby", "aria-labelledby", "aria-controls", "data-focus"} {
			p.Find("[" + name + "]").Each(func(_ int, e *goquery.Selection) {
				for _, id := range strings.Fields(e.AttrOr(name, "")) {
					if !seen[id] {
						t.Errorf("%s: %s names #%s, which is not there", p.path, name, id)
					}
				}
			})
		}
		p.has("h1", 1).has("a.skip", 1).has("main#main", 1)
	}
}

func TestAFaultIsAPageWithAReferenceAndNoDetails(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	must(t, w.s.DB.Close())
	p := v.get("/plus/clients/100042").is(http.StatusInternalServerError).says("h1", "Something went wrong").says("main", "Reference")
	if strings.Contains(p.body, "sql") || strings.Contains(p.body, "database") {
		t.Errorf("the page tells %s", p.Text())
	}
	reference := strings.TrimSpace(strings.TrimPrefix(p.words("main .quiet-text"), "Reference"))
	if !strings.Contains(w.log.String(), reference) {
		t.Errorf("reference %q is not in the log", reference)
	}
}
