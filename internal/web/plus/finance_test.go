package plus_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"paylink/internal/pay"
)

// sold is a payment of Dana's that was sent and paid.
func (w *town) sold(agent *visitor) (id string) {
	w.t.Helper()
	id, _ = agent.sent()
	ctx := context.Background()
	is := func(what string, ok func(p pay.Payment) bool) pay.Payment {
		w.t.Helper()
		deadline := time.Now().Add(10 * time.Second)
		for {
			v, err := w.s.DB.View(ctx, id)
			must(w.t, err)
			if ok(v.Payment) {
				return v.Payment
			}
			if time.Now().After(deadline) {
				w.t.Fatalf("it never is %s, but %s", what, v.Payment.State)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	p := is("set up", func(p pay.Payment) bool { return p.IntentID != "" })
	must(w.t, w.stripe.PayIntent(p.IntentID))
	must(w.t, w.s.Machine.Tend(ctx, id)) // on a busy machine the webhook's first try may time out, and the next one comes by the clock
	is("paid", func(p pay.Payment) bool { return p.State == pay.Paid })
	return id
}

func TestWhoMayDoWhatWithMoney(t *testing.T) {
	w := newTown(t)
	id := w.sold(w.as("agent"))
	payment := "/plus/payments/" + id
	const ok, there, no = http.StatusOK, http.StatusSeeOther, http.StatusForbidden
	form := url.Values{"why": {"x"}, "choice": {"whole"}, "key": {"a key"}}
	for role, want := range map[string][7]int{
		// of:        finance, payment, evidence, refund, decide, drop, clear; what finance asks for here is refused for other reasons than its role
		"agent":      {no, there, no, no, no, no, no},
		"lead":       {no, there, no, no, no, no, no},
		"supervisor": {ok, ok, no, no, no, no, no},
		"finance":    {ok, ok, ok, ok, 410, 409, 410},
		"admin":      {no, there, no, no, no, no, no},
		"auditor":    {ok, ok, ok, no, no, no, no},
	} {
		v := w.as(role)
		form.Set("choice", "whole")
		refund := v.post(payment+"/refund", form).status
		form.Set("choice", "refunded")
		got := [7]int{v.get("/plus/finance").status, v.get(payment).status, v.get(payment + "/evidence.json").status, refund,
			v.post(payment+"/decide", form).status, v.post(payment+"/drop", form).status, v.post(payment+"/clear", form).status}
		if got != want {
			t.Errorf("%s gets %v, want %v", role, got, want)
		}
		p := v.get("/plus/")
		if link := p.Find(`a[href="/plus/finance"]`).Length() > 0; link != (want[0] == ok) {
			t.Errorf("%s reads of Finance in the header: %v", role, link)
		}
		if p := v.get(payment); want[1] == ok && p.Find("form[action*=refund]").Length() > 0 != (role == "finance") {
			t.Errorf("%s is offered a refund, or finance is not", role)
		}
	}
	for _, path := range []string{"/plus/finance", payment, payment + "/evidence.json"} {
		w.visitor().get(path).is(http.StatusUnauthorized)
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE object = $1 AND refused <> '' AND act IN ('refund payment', 'decide: refunded', 'drop refund', 'settle failed refund', 'take evidence')`, id); n != 5*4+4+3 { // of five roles, four of which get no evidence; and finance’s own, for other reasons
		t.Errorf("only %d refusals are in the trail", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM refunds`); n != 0 {
		t.Errorf("%d refunds", n)
	}
}

func TestFinanceGivesBackAPartAndThenTheRest(t *testing.T) {
	w := newTown(t)
	agent, v := w.as("agent"), w.as("finance")
	id := w.sold(agent)
	address := "/plus/payments/" + id
	v.get("/plus/clients/100042?tab=links").has(`a[href="`+address+`"]`, 1)
	v.get("/plus/clients/100042?tab=history").has(`a[href="`+address+`"]`, 1)
	agent.get("/plus/clients/100042?tab=links").has(`a[href="`+address+`"]`, 0)
	p := v.get(address).is(http.StatusOK).says("h1", "Payment ").says("#refund", "$98.58 was charged").says("#frozen", "Invoice Summary").says("#rest", "Monitoring, 30 × $3.10").says("#rest", "J. Ortiz")

	facts := w.facts()
	for _, c := range []struct{ choice, amount, why, where, says string }{
		{"", "", "x", "#refund-choice-error", "Choose how much"},
		{"part", "", "x", "#amount-error", "Enter an amount in dollars"},
		{"part", "forty", "x", "#amount-error", "Enter an amount in dollars"},
		{"part", "0", "x", "#amount-error", "Enter an amount in dollars"},
		{"part", "-5", "x", "#amount-error", "Enter an amount in dollars"},
		{"part", "40.001", "x", "#amount-error", "Enter an amount in dollars"},
		{"part", "98.59", "x", "#amount-error", "more than is left"},
		{"part", "40", "", "#refund-why-error", "Say why"},
		{"whole", "", "4242 4242 4242 4242", "#refund-why-error", "looks like a card number"},
	} {
		form := p.form("#refund", "choice", c.choice, "amount", c.amount, "why", c.why)
		wrong := v.post(address+"/refund", form).is(http.StatusUnprocessableEntity).says(c.where, c.says)
		if strings.Contains(wrong.body, "4242") {
			t.Error("a card number is shown again")
		}
		if id := wrong.Find("main > [data-focus]").AttrOr("data-focus", ""); wrong.Find("#"+id).Length() != 1 {
			t.Errorf("%s: the focus goes to #%s, which is not there", c.says, id)
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM refunds`); n != 0 {
		t.Fatalf("%d refunds", n)
	}
	confirm := v.post(address+"/refund", p.form("#refund", "choice", "part", "amount", "$40", "why", "returned early")).is(http.StatusOK)
	confirm.says("h1", "Give back $40.00 to Dana Whitfield?").says(".summary", "100042").says(".summary", "Left after this$58.58").says(".summary", "returned early").says("main", "The Paid To Date stays Apr 9, 2026.")
	if after := w.facts(); strings.Count(after, "refunds ") != strings.Count(facts, "refunds ") {
		t.Error("what is only asked has acted")
	}
	sure := confirm.form("main form")
	for range 3 { // a second click, and a third
		if to := v.post(address+"/refund", sure).to(); to != address+"#refunds" {
			t.Errorf("it leads to %s", to)
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM refunds`); n != 1 {
		t.Fatalf("%d refunds of one form", n)
	}
	p = v.get(address).says("#refunds", "$40.00Given back").says("#refunds", "returned early").says("#refunds", "A. Rahman").says("#refund", "$58.58 of $98.58 is left").says("#state", "Partly refunded").says("#rest", "Credit note")
	agent.get("/plus/clients/100042?tab=links&payment="+id).says("#status .where", "Paid. Of $98.58, $40.00 was given back.").says("#rest table", "Partly refunded").says("#status .ladder", "$40.00 given back to the card")

	confirm = v.post(address+"/refund", p.form("#refund", "choice", "whole", "why", "the rest")).is(http.StatusOK).says("h1", "Give back $58.58").says("main", "The Paid To Date moves back to Mar 10, 2026")
	v.post(address+"/refund", confirm.form("main form")).to()
	v.get(address).has("#refund", 0).says("#state", "given back in full")
	agent.get("/plus/clients/100042?tab=links&payment="+id).says("#status .where", "all of it was given back: $98.58").says("#rest table", "Refunded").says("#status .row", "New summary")
	agent.get("/plus/clients/100042?tab=history").says("#rest table", "Credit note").says("#rest table", "Given back")
	agent.get(dana).has("#send", 1) // it can be paid anew
	if sum := w.count(`SELECT SUM(amount) FROM postings WHERE client_id = '100042'`); sum != 0 {
		t.Errorf("the books are off by %d", sum)
	}
}

func TestFinanceReadsWhatWaitsAndDecides(t *testing.T) {
	w := newTown(t)
	agent, v := w.as("agent"), w.as("finance")
	v.get("/plus/finance").is(http.StatusOK).says(".empty", "All is settled.")
	id := w.sold(agent)
	address := "/plus/payments/" + id
	w.books.SetMaxOpenConns(1)
	_, err := w.books.Exec(`PRAGMA busy_timeout = 5000`) // the service writes too
	must(t, err)
	_, err = w.books.Exec(`INSERT INTO reconciliations (day, started_ms, ended_ms, differences, report) VALUES ('2026-03-08', 1, 1, 0, ''), ('2026-03-09', 1, 1, 2, ''), ('2026-03-10', 1, 0, 0, '')`)
	must(t, err)
	v.get("/plus/finance").says("table", "Mar 9, 20262 differences Mar 8, 2026No difference")
	_, err = w.books.Exec(`UPDATE payments SET state = 'review', next_ms = NULL, reason = 'mismatch', version = version + 1 WHERE id = $1`, id)
	must(t, err)
	v.get("/plus/").says("header", "Finance 1 waiting")
	v.get("/plus/finance").says(".waits", "$98.58 · Dana Whitfield").says(".waits", "shows another amount, account or id").has(`.waits a[href="`+address+`"]`, 1)
	w.as("auditor").get("/plus/finance").says("main", "You may read; Finance decides.")
	agent.get(dana).has("#send", 0).says("#summary", "Finance looks at an earlier payment")
	p := v.get(address).says("#decide-title", "Decide this review").has("#decide-choice input", 3)
	form := p.form(`form[action$="/decide"]`, "why", "looked up")
	v.post(address+"/decide", form).is(http.StatusUnprocessableEntity).says("#decide-choice-error", "Choose what is to be done.")
	form.Set("choice", "nonsense")
	v.post(address+"/decide", form).is(http.StatusUnprocessableEntity)
	form.Set("choice", "revoked")
	v.post(address+"/decide", form).is(http.StatusConflict).says("#why-not", "shows a charge for this payment")
	if got := v.get(address).words("#state .badge"); !strings.Contains(got, "With Finance") {
		t.Errorf("it reads %q", got)
	}
}

func TestEvidenceIsAFileToKeep(t *testing.T) {
	w := newTown(t)
	agent, v := w.as("agent"), w.as("auditor")
	id := w.sold(agent)
	p := v.get("/plus/payments/"+id).is(http.StatusOK).has("form[action*=refund]", 0)
	reference := strings.TrimPrefix(p.words("h1"), "Payment ")
	file := v.get(p.Find("#acts a[download]").AttrOr("href", "")).is(http.StatusOK)
	if got := file.header.Get("Content-Disposition"); got != `attachment; filename="evidence-`+reference+`.json"` || file.header.Get("Content-Type") != "application/json" {
		t.Errorf("it comes as %q, %q", got, file.header.Get("Content-Type"))
	}
	printed := v.get(p.Find("#acts a[download]").Eq(1).AttrOr("href", "")).is(http.StatusOK)
	if got := printed.header.Get("Content-Disposition"); got != `attachment; filename="evidence-`+reference+`.pdf"` || printed.header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(printed.body, "%PDF-") {
		t.Errorf("the PDF comes as %q, %q", got, printed.header.Get("Content-Type"))
	}
	if !strings.Contains(file.body, `"summary_sha256"`) || strings.Contains(file.body, "5550142") {
		t.Error("the file lacks the summary's hash, or holds a number")
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE object = $1 AND act = 'take evidence' AND actor_id = 'staff-auditor' AND refused = ''`, id); n != 2 {
		t.Errorf("%d downloads are in the trail", n)
	}
}

func TestFinancesPagesAreWellFormed(t *testing.T) {
	w := newTown(t)
	v := w.as("finance")
	id := w.sold(w.as("agent"))
	address := "/plus/payments/" + id
	p := v.get(address)
	for _, p := range []*page{
		v.get("/plus/finance"), p, v.post(address+"/refund", p.form("#refund", "choice", "part", "amount", "x")), v.post(address+"/refund", p.form("#refund", "choice", "whole", "why", "x")).is(http.StatusOK),
	} {
		seen := map[string]bool{}
		p.Find("[id]").Each(func(_ int, e *goquery.Selection) {
			id := e.AttrOr("id", "")
			if seen[id] {
				t.Errorf("%s: two of #%s", p.path, id)
			}
			seen[id] = true
		})
		p.Find("input:not([type=hidden])").Each(func(_ int, e *goquery.Selection) {
			if p.Find(`label[for="`+e.AttrOr("id", "-")+`"]`).Length() == 0 && e.Closest("label").Length() == 0 {
				t.Errorf("%s: no label for %s", p.path, e.AttrOr("name", ""))
			}
		})
		for _, name := range []string{"aria-describedby", "aria-labelledby", "data-focus"} {
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
