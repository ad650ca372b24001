package plus_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// addTwo is the address of the form to add an invoice for Dana, with its summary: 2 × 35.00 without tax.
const addTwo = "/plus/clients/100042?tab=history&add=invoice&for=veh_dana_civic&count.fee-VA-RIC-0=2&get=summary"

func TestAnAgentAddsAnInvoiceOfFees(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	history := v.get("/plus/clients/100042?tab=history").is(http.StatusOK).has("#fees-form", 0)
	p := v.get(history.Find("#add-invoice").AttrOr("href", "")).is(http.StatusOK).has("#fee-summary", 0).has(".fee-list li", 5).says(".fee-list", "Missed appointmentAdministrative · no tax$35.00").says(".fee-list", "plus 6% tax$125.00")
	p.has(".fee-list input[type=number]", 5).has("#for option", 2).says("#for option:last-child", "No vehicle")

	form := p.form("#fees-form", "get", "summary")
	v.get("/plus/clients/100042?"+form.Encode()).is(http.StatusUnprocessableEntity).says("#fees-error", "Choose at least one fee").has(`#rest[data-focus="fees"]`, 1)
	form.Set("count.fee-VA-RIC-0", "100")
	v.get("/plus/clients/100042?"+form.Encode()).is(http.StatusUnprocessableEntity).says(".fee-list", "Enter a number up to 99.").has(`#rest[data-focus="count.fee-VA-RIC-0"]`, 1)
	form.Set("count.fee-VA-RIC-0", "4242424242424242")
	if p := v.get("/plus/clients/100042?" + form.Encode()).is(http.StatusUnprocessableEntity); strings.Contains(p.words("main"), "4242") || p.Find(`[value*="4242"]`).Length() > 0 {
		t.Error("what looks like a card number is shown again")
	}
	form.Set("count.fee-VA-RIC-0", "2")
	form.Set("count.fee-VA-RIC-2", "1")
	facts := w.facts()
	p = v.get("/plus/clients/100042?"+form.Encode()).is(http.StatusOK).says("#fee-summary", "Missed appointment, 2 × $35.00$70.00").says("#fee-summary", "Tax 6% on $125.00$7.50").says("#fee-summary .total", "$202.50").
		says("#fee-summary", "Balance now$0.00").says("#fee-summary", "Balance with this invoice$202.50")
	if w.facts() != facts {
		t.Error("what is only looked at has changed something")
	}
	post := p.form("#fee-summary form")
	post["fee"] = p.Find(`#fee-summary [name=fee]`).Map(func(_ int, e *goquery.Selection) string { return e.AttrOr("value", "") })
	var to string
	for i := range 3 { // a second click, and a third
		again := v.post("/plus/clients/100042/invoices", post).to()
		if i > 0 && again != to {
			t.Errorf("it leads to %s, then to %s", to, again)
		}
		to = again
	}
	if n := w.count(`SELECT COUNT(*) FROM invoices WHERE client_id = '100042' AND door = ''`); n != 1 {
		t.Fatalf("%d invoices of one form", n)
	}
	p = v.get(to).is(http.StatusOK).says("#added", "was added: $202.50. The balance is $202.50 now.").has(`#rest[data-focus="added"]`, 1).says(".client .facts", "Balance$202.50")
	row := p.Find("table.history tbody tr").First()
	if got := strings.Join(strings.Fields(row.Text()), " "); !strings.HasPrefix(got, "Mar 10, 2026Lost handset and 1 more2016 Honda Civic · 260310-") || !strings.HasSuffix(got, "$202.50Due") {
		t.Errorf("the newest row reads %q", got)
	}
	v.get(row.Find("a").AttrOr("href", "")).is(http.StatusOK).says("h1", "Invoice 260310-").says(".title .badge", "Due").says(".facts", "ClientDana Whitfield").says(".facts", "Vehicle2016 Honda Civic").says(".sheet table", "Missed appointment, 2 × $35.00$70.00")
}

func TestAnInvoiceOfFeesIsRefusedInWords(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	w.books.SetMaxOpenConns(1)
	_, err := w.books.Exec(`PRAGMA busy_timeout = 5000`)
	must(t, err)
	exec := func(query string, args ...any) {
		t.Helper()
		_, err := w.books.Exec(query, args...)
		must(t, err)
	}
	form := v.get(addTwo).form("#fee-summary form")

	exec(`UPDATE fees SET amount = 4000 WHERE id = 'fee-VA-RIC-0'`)
	p := v.post("/plus/clients/100042/invoices", form).is(http.StatusConflict).says("#fee-why", "changed from $70.00 to $80.00").says("#fee-summary .total", "$80.00").has(`#rest[data-focus="fee-why"]`, 1)
	form = p.form("#fee-summary form") // it goes on from there

	id, _ := v.sent()
	exec(`UPDATE payments SET state = 'unknown', lease_ms = $1, next_ms = $1 WHERE id = $2`, w.now().Add(time.Hour).UnixMilli(), id)
	v.post("/plus/clients/100042/invoices", form).is(http.StatusConflict).says("#fee-why", "a payment of this account is being made right now").says("#fee-summary .total", "$80.00")
	exec(`UPDATE payments SET state = 'open', lease_ms = 0 WHERE id = $1`, id)

	exec(`UPDATE fees SET retired = 1 WHERE id = 'fee-VA-RIC-0'`)
	v.post("/plus/clients/100042/invoices", form).is(http.StatusConflict).says("#fee-why", "no longer on the location’s list").has("#fee-summary", 0).has(".fee-list li", 4)
	if n := w.count(`SELECT COUNT(*) FROM invoices WHERE client_id = '100042' AND door = ''`); n != 0 {
		t.Errorf("%d invoices were added", n)
	}
	for _, bad := range []url.Values{
		{}, {"for": {"veh_dana_civic"}, "shown": {"x"}, "key": {"k"}}, {"for": {"veh_dana_civic"}, "shown": {"3500"}}, {"for": {"veh_dana_civic"}, "shown": {"3500"}, "key": {"k"}, "fee": {"fee-VA-RIC-1 1"}},
		{"for": {"veh_dana_civic"}, "shown": {"3500"}, "key": {"k"}, "fee": {"fee-VA-RIC-1 one 4500"}},
	} {
		v.post("/plus/clients/100042/invoices", bad).is(http.StatusBadRequest)
	}
	v.post("/plus/clients/100042/invoices", url.Values{"for": {"veh_dana_civic"}, "shown": {"1"}, "key": {"k"}, "fee": {"fee-VA-RIC-1 1 1"}}).is(http.StatusConflict).says("#fee-why", "from $0.01 to $47.70") // no free amount
	v.post("/plus/clients/100042/invoices", url.Values{"for": {"veh_hal_outback"}, "shown": {"4770"}, "key": {"k"}, "fee": {"fee-VA-RIC-1 1 4500"}}).is(http.StatusNotFound)
	w.as("auditor").get("/plus/clients/100042?tab=history&add=invoice").is(http.StatusOK).has("#fees-form", 0).has("#add-invoice", 0)
}

func TestAHistoryIsPagedAndFiltered(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	id := w.sold(v)
	p := v.get("/plus/clients/100042?tab=history").says("table.history", "Payment by link2016 Honda Civic · ").says("table.history", "Payment at the center").says("table.history", "Monitoring 30 days, to Apr 9")
	p.has(`a[href="/plus/clients/100042?payment=`+id+`&tab=history"]`, 1).has(`nav[aria-label="Pages of the history"]`, 0)
	w.books.SetMaxOpenConns(1)
	_, err := w.books.Exec(`PRAGMA busy_timeout = 5000`)
	must(t, err)
	for i := range 30 {
		_, err := w.books.Exec(`INSERT INTO invoices (id, number, client_id, vehicle_id, payment_id, door, issued_ms, subtotal, tax, total, paid_to_from, paid_to) VALUES ($1, $1, '100042', 'veh_dana_civic', '', 'center', $2, 100, 0, 100, '', '')`,
			fmt.Sprint("old-", i), w.now().AddDate(-1, 0, -i).UnixMilli())
		must(t, err)
	}
	rows, pages := 0, 0
	for next := "/plus/clients/100042?tab=history&what=payments"; next != ""; pages++ {
		p := v.get(next).is(http.StatusOK).says("#history-what option[selected]", "Payments")
		rows += p.Find("table.history tbody tr").Length()
		if next = p.Find(`nav[aria-label="Pages of the history"] a:contains("Older")`).AttrOr("href", ""); pages > 0 {
			p.has(`a[href="/plus/clients/100042?tab=history&what=payments"]:contains("Newest")`, 1)
		}
	}
	if rows != 34 || pages != 2 {
		t.Errorf("%d rows on %d pages", rows, pages)
	}
	v.get("/plus/clients/100042?tab=history&from=2026-03-10").has("table.history tbody tr", 2)
	v.get("/plus/clients/100042?tab=history&to=2020-01-01").says("#rest .empty", "Nothing fits this filter.").has(`a[href="/plus/clients/100042?tab=history"]:contains("Clear filter")`, 1)
	v.get("/plus/clients/100042?tab=history&what=refunds").says("#rest .empty", "Nothing fits this filter.")
	v.get("/plus/clients/100042?tab=history&before=1.1.x").says("#rest .empty", "There is nothing older.")
	v.get("/plus/clients/100045?tab=history").says("#rest .empty", "No invoices or payments yet.")
	v.get("/plus/clients/100043?tab=history&of=veh_marcus_camry").says("#history-of option[selected]", "2019 Toyota Camry")
	v.get("/plus/clients/100042?tab=history&from=10/3").is(http.StatusBadRequest).says("#history-from-error", "Enter a day").has(`#rest[data-focus="history-from"]`, 1)
	v.get("/plus/clients/100042?tab=history&from=2026-03-10&to=2026-03-01").is(http.StatusBadRequest).says("#history-to-error", "before the first one")
	v.get("/plus/clients/100042?tab=history&before=nonsense").is(http.StatusBadRequest)
	v.get("/plus/clients/100042?tab=history&of=veh_hal_outback").is(http.StatusNotFound)
	v.get("/plus/invoices/none").is(http.StatusNotFound)
}
