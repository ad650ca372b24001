package plus_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestWhileOneTypesTheSearchAnswersWithAList(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	v.headers["X-Part"] = "1"
	find := func(words string) *page { return v.post("/plus/clients", url.Values{"q": {words}}) }
	p := find("lucia se").is(http.StatusOK).has("header", 0).has("li", 1).says("li", "Lucía Serrano 100046 (804) 555-0146")
	if got := p.words("mark"); got != "LucíaSe" || p.Find("li").AttrOr("data-href", "") != "/plus/clients/100046" || p.Find("div").AttrOr("data-say", "") != "1 client found. Arrow keys choose." {
		t.Errorf("it marks %q and says %q", got, p.Find("div").AttrOr("data-say", ""))
	}
	for words, marked := range map[string]string{"abc1234": "ABC-1234", "100042": "100042", "(804) 555-0142": "(804) 555-0142", "804555014": "(804) 555-0143"} {
		if got := find(words).is(http.StatusOK).Find("li").First().Find("mark").Text(); got != marked {
			t.Errorf("%q marks %q, want %q", words, got, marked)
		}
	}
	find("zzz").is(http.StatusOK).has("li", 0).says("p", "No client found.")
	if p := find("4242 4242 4242 4242").is(http.StatusUnprocessableEntity).has("li", 0).says(".error", "looks like a card number"); strings.Contains(p.body, "4242") {
		t.Error("a card number is shown again")
	}
	_, err := w.books.Exec(`INSERT INTO clients (id, first_name, last_name, language, email, phone, tax_exempt, collections, auto_pay_days, notes)
		WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 21) SELECT 'x' || n, 'Ann', 'Smith', 'en', '', '', 0, 0, 0, '' FROM s`)
	must(t, err)
	_, err = w.books.Exec(`INSERT INTO search_words (start, name, client_id, word) SELECT 'smi', 'ann smith', id, 'smith' FROM clients WHERE last_name = 'Smith'`)
	must(t, err)
	if p := find("smith").is(http.StatusOK).has("li", 20).says("p", "More than 20 clients."); !strings.HasPrefix(p.Find("div").AttrOr("data-say", ""), "More than 20 clients found") {
		t.Errorf("it says %q", p.Find("div").AttrOr("data-say", ""))
	}
}

func TestANoteIsWrittenOnceAndReadByAll(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	const client, notes = "/plus/clients/100042", "/plus/clients/100042/notes"
	p := v.get(client).is(http.StatusOK).says("#written", "No notes yet.")
	form := p.form("#note-form", "text", "Called.\r\nWill pay on Friday, from 804 555 0160.")
	for range 2 { // a double click
		if to := v.post(notes, form).to(); to != client+"#notes" {
			t.Errorf("it leads to %s", to)
		}
	}
	p = v.get(client).has("#written li", 1).says("#written li", "Called. Will pay on Friday, from ••0160.J. Ortiz · Mar 10, 2026, 2:14 PM")
	if !strings.Contains(p.Find("#written .words").Text(), "Called.\n") {
		t.Error("its lines are one")
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'write note' AND client_id = '100042' AND refused = '' AND detail LIKE 'Called.%••0160.'`); n != 1 {
		t.Errorf("%d entries in the trail", n)
	}
	for text, want := range map[string]string{" \r\n ": "Write the note first.", "4242 4242\r\n4242 4242": "looks like a card number", strings.Repeat("x", 501): "too long"} {
		p := v.post(notes, v.get(client).form("#note-form", "text", text)).is(http.StatusUnprocessableEntity).says("#note-error", want).has("#note-text[aria-invalid=true]", 1)
		if p.Find("#rest").AttrOr("data-focus", "") != "note-text" || strings.Contains(p.body, "4242") {
			t.Errorf("%q: the focus is elsewhere, or a card number is shown again", want)
		}
		if kept := p.Find("#note-text").Text(); (kept == text) != (len(text) == 501) {
			t.Errorf("%q: it keeps %d characters", want, len(kept))
		}
	}
	for n := range 11 {
		v.post(notes, v.get(client).form("#note-form", "text", fmt.Sprintf("Note %d.", n))).is(http.StatusSeeOther)
		w.later(1e9)
	}
	p = v.get(client).has("#written li", 10)
	older := p.Find(`#rest a:contains("Older notes")`).AttrOr("href", "")
	v.get(older).is(http.StatusOK).has("#written li", 2).says("#written", "Called.").says("#rest .row", "Newest notes")
	if v := w.as("auditor"); v.get(client).has("#written li", 10).has("#note-form", 0).status != http.StatusOK {
		t.Error("an auditor does not read them")
	}
}

func TestWhatIsKnownOfAClientIsOnTheirPage(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	dana := v.get("/plus/clients/100042").says(".facts", "Next appointmentMar 22, 9:30 AM").says("#rest", "No card is on file.").says("#rest", "The client adds cards in My Account.").says("#rest", "Off. The client turns it on in My Account.").has(".under-way", 0)
	dana.has(`#rest input[name*=card]`, 0)
	v.get("/plus/clients/100042?tab=appointments").says(`[aria-labelledby="next-title"]`, "Mar 22, 2026, 9:30 AMService, 2016 Honda CivicRichmond, VABooked").says(`[aria-labelledby="past-title"]`, "Missed")
	v.get("/plus/clients/100044").says(".facts", "Next appointmentNone")
	v.get("/plus/clients/100044?tab=appointments").says("#rest", "No appointment is booked.").says("#rest", "No appointments yet.")
	_, err := w.books.Exec(`INSERT INTO cards (id, client_id, customer, payment_method, brand, last4, funding, exp_month, exp_year, main, terms_version, terms_language, added_ms, removed_ms) VALUES
		('c1', '100046', 'cus', 'pm1', 'visa', '4242', 'credit', 12, 2030, 1, '1', 'en', 1, 0), ('c2', '100046', 'cus', 'pm2', 'mastercard', '4444', 'credit', 4, 2026, 0, '1', 'en', 2, 0),
		('c3', '100046', 'cus', 'pm3', 'visa', '1111', 'credit', 2, 2026, 0, '1', 'en', 3, 0), ('c4', '100046', 'cus', 'pm4', 'visa', '9999', 'credit', 2, 2030, 0, '1', 'en', 4, 5)`)
	must(t, err)
	_, err = w.books.Exec(`UPDATE clients SET auto_pay_days = 30 WHERE id = '100046'`)
	must(t, err)
	p := v.get("/plus/clients/100046").says("#rest", "Visa ending 4242 Main").says("#rest", "Mastercard ending 4444 Expires soon").says("#rest", "Visa ending 1111 Expired")
	p.says("#rest", "On: pays for 30 days at a time").says("#rest", "2015 Nissan Sentra: next charge on Mar 10, 2026.").says("#rest", "It charges Visa ending 4242.")
	if strings.Contains(p.words("#rest"), "9999") {
		t.Error("a removed card is shown")
	}
	// A payment under way is on the page, and leads to its status; the list of links says who, to whom, and what follows what.
	id, address := v.sent()
	v.get("/plus/clients/100042?tab=account").has(`.under-way a[href*="payment=`+id+`"]`, 1).says(".under-way", "2016 Honda Civic")
	v.until(address, "#status .ladder", "Delivered")
	v.post("/plus/payments/"+id+"/resend", url.Values{}).is(http.StatusSeeOther)
	v.get("/plus/clients/100042?tab=links").says("#sent", "J. Ortiz").says("#sent", "••0142").says("#sent", "Own number").says("#sent", "Resent once")
	v.post("/plus/payments/"+id+"/cancel", url.Values{"reason": {"Wrong phone number"}}).is(http.StatusSeeOther)
	v.sent()
	v.get("/plus/clients/100042?tab=links").has("#sent tbody tr", 2).says("#sent tbody tr:first-child", ", follows ")
}

func TestANumberOfAnotherClientHasToBeConfirmed(t *testing.T) {
	w := newTown(t)
	v := w.as("agent")
	const links, number, other = "/plus/clients/100042/links", "/plus/clients/100042/number", "(804) 555-0143"
	v.headers["X-Part"] = "1"
	v.post(number, url.Values{"phone": {other}}).is(http.StatusOK).says("body", "This is the number of another client: Marcus Bell, 100043.").has("#sure", 1)
	v.post(number, url.Values{"phone": {"(804) 555-0149"}}).is(http.StatusOK).says("body", "has opted out of our texts")
	for _, typed := range []string{"(804) 555-0142", "(804) 555-0160", "804", ""} {
		if p := v.post(number, url.Values{"phone": {typed}}).is(http.StatusOK); p.words("body") != "" {
			t.Errorf("%q says %q", typed, p.words("body"))
		}
	}
	delete(v.headers, "X-Part")
	form := v.get(dana).form("#send", "phone", other, "consent", "yes", "payer", "Ana")
	p := v.post(links, form).is(http.StatusUnprocessableEntity).says("#sure-error", "Read the number back").says("#number-check", "Marcus Bell, 100043")
	if p.Find("#panel-body").AttrOr("data-focus", "") != "sure" {
		t.Error("the focus is elsewhere")
	}
	// A confirmation is good for that number only.
	form = p.form("#send", "sure", "100043", "phone", "(804) 555-0144")
	v.post(links, form).is(http.StatusUnprocessableEntity).says("#number-check", "Tess Okafor, 100044")
	if n := w.count(`SELECT COUNT(*) FROM payments`); n != 0 {
		t.Fatalf("%d payments", n)
	}
	form.Set("phone", other)
	v.post(links, form).is(http.StatusSeeOther)
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE act = 'send link' AND detail LIKE '%confirmed though it is on the record of client 100043'`); n != 1 {
		t.Errorf("%d confirmations are in the trail", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE refused LIKE 'the number belongs to another client%'`); n != 2 {
		t.Errorf("%d refusals are in the trail", n)
	}
}
