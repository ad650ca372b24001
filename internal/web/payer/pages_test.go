package payer

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"paylink/internal/lang"
	"paylink/internal/web"
	"paylink/templates"
)

const stripeJS = "https://js.stripe.com/v3/"

func parsed(t *testing.T) *web.Pages {
	t.Helper()
	assets, err := web.NewAssets(templates.Files)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := web.ParsePages(templates.Files, assets)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func chrome(l lang.Lang, path string) Chrome {
	return Chrome{Chrome: web.Chrome{Lang: l, Nonce: "n0nce", Brand: "Interlane"}, Path: path, SupportPhone: "(804) 555-0100", SupportTel: "+18045550100", Reference: "7K2Q-4821"}
}

// samplePay is Dana's 30 days, or somebody else paying them.
func samplePay(t *testing.T, l lang.Lang, discreet bool) Pay {
	t.Helper()
	source, err := templates.Files.ReadFile("terms/1." + string(l) + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	p := Pay{
		Chrome: chrome(l, "/pay"), TotalDue: "$98.58", DaysLabel: l.DaysOf(30, discreet), PaidTo: l.Date("2025-08-09"), SecondsLeft: 522,
		Lines: []web.SummaryLine{
			{Label: l.Line(lang.Line{Kind: "monitoring", Days: 30, Daily: 310, Discreet: discreet}), Amount: "$93.00"},
			{Label: l.Line(lang.Line{Kind: "tax", TaxPPM: 60_000, Discreet: discreet}), Amount: "$5.58"},
		},
		Terms: lang.ReadTerms(string(source), "Interlane", "(804) 555-0100"), TermsVersion: "1", ChargeNonce: "ch4rge",
	}
	p.Script = NewScript(p, stripeJS, "pk_test_123", "acct_456")
	return p
}

func sampleReceipt(l lang.Lang) Receipt {
	return Receipt{Chrome: chrome(l, "/pay/receipt"), TotalDue: "$98.58", When: l.DateTime(time.Date(2025, 7, 10, 14, 16, 0, 0, time.UTC)), CardBrand: "Visa", CardLast4: "4242",
		PaidTo: l.Date("2025-08-09"), Lines: []web.SummaryLine{{Label: "Monitoring", Amount: "$93.00"}, {Label: "Tax 6%", Amount: "$5.58"}}, MayText: true}
}

// page renders a page and refuses what no page may have.
func page(t *testing.T, pages *web.Pages, name string, data any) *goquery.Document {
	t.Helper()
	var b bytes.Buffer
	if err := pages.Render(&b, name, data); err != nil {
		t.Fatal(err)
	}
	source := b.String()
	if i := strings.Index(source, "⟦"); i >= 0 {
		t.Errorf("%s: a text is missing: %.60s", name, source[i:])
	}
	for _, sign := range []string{"%!", "ZgotmplZ", "<no value>", "%[", "{brand}", "{phone}"} {
		if strings.Contains(source, sign) {
			t.Errorf("%s has %q in it", name, sign)
		}
	}
	doc, err := goquery.NewDocumentFromReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	onEvent := regexp.MustCompile(`^on[a-z]+$`)
	ids := map[string]int{}
	doc.Find("*").Each(func(_ int, s *goquery.Selection) {
		for _, a := range s.Nodes[0].Attr {
			if onEvent.MatchString(a.Key) || a.Key == "style" {
				t.Errorf("%s: <%s> has an inline %s", name, s.Nodes[0].Data, a.Key)
			}
			if (a.Key == "src" || a.Key == "href" || a.Key == "action") && !regexp.MustCompile(`^(/[a-z]|#|tel:\+1)`).MatchString(a.Val) && a.Val != stripeJS {
				t.Errorf("%s: <%s %s=%q> leads elsewhere", name, s.Nodes[0].Data, a.Key, a.Val)
			}
			if a.Key == "id" {
				ids[a.Val]++
			}
		}
	})
	doc.Find("*").Each(func(_ int, s *goquery.Selection) {
		for _, key := range []string{"for", "aria-labelledby", "aria-describedby"} {
			for _, id := range strings.Fields(s.AttrOr(key, "")) {
				if ids[id] != 1 {
					t.Errorf("%s: %s=%q names %d elements", name, key, id, ids[id])
				}
			}
		}
		if href := s.AttrOr("href", ""); strings.HasPrefix(href, "#") && ids[href[1:]] != 1 {
			t.Errorf("%s: %s leads nowhere", name, href)
		}
	})
	if doc.Find("style").Length() > 0 {
		t.Errorf("%s has an inline style sheet", name)
	}
	if doc.Find("h1").Length() == 0 || strings.TrimSpace(doc.Find("title").Text()) == "" || doc.Find("main").Length() != 1 {
		t.Errorf("%s lacks a heading, a title or a main", name)
	}
	if tel := doc.Find(`footer a[href^="tel:"]`); tel.AttrOr("href", "") != "tel:+18045550100" || tel.Text() != "(804) 555-0100" {
		t.Errorf("%s does not say whom to call", name)
	}
	return doc
}

func said(s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") }

func TestThePayersPageHasItsNamesAndNothingInline(t *testing.T) {
	pages := parsed(t)
	for l, want := range map[lang.Lang]map[string]string{
		lang.English: {"button": "Make Payment · $98.58", "summary": "Payment Summary", "total": "Total Due Amount", "card-number": "Card number", "card-expiry": "Expiration date", "card-code": "Security code", "zip": "ZIP code",
			"agree": "I agree to the payment terms and authorize Interlane to charge $98.58 to this card one time.", "terms": "Payment terms, version 1", "days": "30 days of monitoring", "other": "Español", "otherLink": "/pay?lang=es"},
		lang.Spanish: {"button": "Realizar pago · $98.58", "summary": "Resumen del pago", "total": "Monto total a pagar", "card-number": "Número de tarjeta", "card-expiry": "Fecha de vencimiento", "card-code": "Código de seguridad", "zip": "Código postal",
			"agree": "Acepto los términos de pago y autorizo a Interlane a cobrar $98.58 a esta tarjeta una sola vez.", "terms": "Términos de pago, versión 1", "days": "30 días de monitoreo", "other": "English", "otherLink": "/pay?lang=en"},
	} {
		doc := page(t, pages, PayPage, samplePay(t, l, false))
		if got := doc.Find("html").AttrOr("lang", ""); got != string(l) {
			t.Errorf("lang is %q", got)
		}
		region := doc.Find(`section[aria-labelledby="summary-title"]`)
		button := doc.Find("button#pay[type=submit]")
		for what, got := range map[string]string{
			"button": said(button), "summary": said(region.Find("#summary-title")), "total": said(region.Find(".total dt")), "terms": said(doc.Find("dialog#terms h2")), "days": said(doc.Find(".due .for").First()),
			"agree": said(doc.Find("label:has(#agree[type=checkbox])")), "card-number": said(doc.Find(`label[for="card-number"]`)), "card-expiry": said(doc.Find(`label[for="card-expiry"]`)), "card-code": said(doc.Find(`label[for="card-code"]`)),
			"zip": said(doc.Find(`label[for="zip"]`)), "other": said(doc.Find("#language")), "otherLink": doc.Find("#language").AttrOr("href", ""),
		} {
			if got != want[what] {
				t.Errorf("%s: %s is %q, want %q", l, what, got, want[what])
			}
		}
		if region.Find("dl > div").Length() != 3 || said(region.Find(".total dd")) != "$98.58" || region.Find("details[open]").Length() != 1 {
			t.Errorf("%s: the summary is %q", l, said(region))
		}
		if button.AttrOr("aria-disabled", "") != "true" || button.AttrOr("aria-describedby", "") != "missing" || button.Is("[disabled]") {
			t.Errorf("%s: the button can't be focused or says nothing of what is missing", l)
		}
		if zip := doc.Find("input#zip"); zip.AttrOr("inputmode", "") != "numeric" || zip.AttrOr("autocomplete", "") != "postal-code" {
			t.Errorf("%s: the ZIP code's keyboard is not numeric", l)
		}
		if doc.Find(`form#not-mine[method=post][action="/pay/not-mine"] input[name=nonce][value="ch4rge"]`).Length() != 1 {
			t.Errorf("%s: no way to say that it is not mine", l)
		}
		if doc.Find(`#live[role=status]`).Length() != 1 || doc.Find(`#countdown[role=timer]`).Length() != 1 || doc.Find(`#card-number-error[role=alert]`).Length() != 1 {
			t.Errorf("%s: something is not announced", l)
		}
		if !strings.Contains(said(doc.Find("footer")), "7K2Q-4821") || !strings.Contains(said(doc.Find("#countdown")), "8:42") {
			t.Errorf("%s: no reference or no time", l)
		}
		if noscript := doc.Find("noscript").Text(); !strings.Contains(noscript, `href="tel:&#43;18045550100"`) && !strings.Contains(noscript, "555-0100") {
			t.Errorf("%s: without scripts nobody is named to call", l)
		}
	}
}

func TestAHostileNameStaysText(t *testing.T) {
	p := samplePay(t, lang.English, false)
	p.Brand = `</script><script>alert(1)</script>`
	p.Notice = `<img src=x onerror=alert(1)>`
	p.Script = NewScript(p, stripeJS, `pk</script>`, "")
	var b bytes.Buffer
	if err := parsed(t).Render(&b, PayPage, p); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script>alert", "<img src=x", "pk</script>"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
}

func TestEveryScriptHasTheNonceAndOnlyThePayPageLoadsStripe(t *testing.T) {
	pages := parsed(t)
	for _, l := range lang.All {
		all := map[string]*goquery.Document{
			PayPage: page(t, pages, PayPage, samplePay(t, l, false)), ReceiptPage: page(t, pages, ReceiptPage, sampleReceipt(l)), StatePage: page(t, pages, StatePage, State{Chrome: chrome(l, "/pay"), Kind: Checking}),
		}
		for name, doc := range all {
			scripts := doc.Find("script")
			if scripts.Length() == 0 || scripts.Not(`[nonce="n0nce"]`).Length() > 0 {
				t.Errorf("%s: %d scripts, %d of them without the nonce", name, scripts.Length(), scripts.Not(`[nonce="n0nce"]`).Length())
			}
			scripts.Not(`[type="application/json"]`).Each(func(_ int, s *goquery.Selection) {
				if strings.TrimSpace(s.Text()) != "" {
					t.Errorf("%s has an inline script", name)
				}
			})
			html, _ := doc.Html()
			if loads := strings.Contains(html, stripeJS); loads != (name == PayPage) {
				t.Errorf("%s loads Stripe.js: %v", name, loads)
			}
		}
		landing := chrome(l, "/p")
		landing.Nonce, landing.Reference = "", ""
		doc := page(t, pages, LandingPage, Landing{landing})
		if s := doc.Find("script"); s.Length() != 1 || s.Text() != "" || s.Is("[nonce]") || !strings.HasPrefix(s.AttrOr("src", ""), "/assets/") {
			t.Error("the landing page is cached: it may have no inline script and no nonce")
		}
		for _, view := range []string{"opening", "dead", "wait", "offline", "empty"} {
			if doc.Find(`section[data-view="`+view+`"][hidden] h1`).Length() != 1 {
				t.Errorf("the landing page can't say %s", view)
			}
		}
	}
}

func TestTheScriptGetsEverythingItSays(t *testing.T) {
	shared, err := templates.Files.ReadFile("card.js")
	if err != nil {
		t.Fatal(err)
	}
	source, err := templates.Files.ReadFile("payer/pay.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lang.All {
		doc := page(t, parsed(t), PayPage, samplePay(t, l, false))
		var script Script
		if err := json.Unmarshal([]byte(doc.Find(`script#config[type="application/json"]`).Text()), &script); err != nil {
			t.Fatal(err)
		}
		if script.StripeJS != stripeJS || script.PublishableKey != "pk_test_123" || script.StripeAccount != "acct_456" || script.Terms != "1" || script.Nonce != "ch4rge" || script.SecondsLeft != 522 || script.Locale != string(l) {
			t.Errorf("the script is told %+v", script)
		}
		used := map[string]bool{}
		for _, m := range regexp.MustCompile(`texts\.([a-zA-Z]+)`).FindAllStringSubmatch(string(source)+string(shared), -1) {
			used[m[1]] = true
			if script.Texts[m[1]] == "" {
				t.Errorf("%s: pay.js says %s, which has no words", l, m[1])
			}
		}
		for name, words := range script.Texts {
			if !used[name] && !strings.HasPrefix(name, "brand_") {
				t.Errorf("pay.js does not say %s", name)
			}
			if strings.Contains(words, "⟦") || strings.Contains(words, "%!") || strings.Count(words, "%") > 1 {
				t.Errorf("%s: %s is %q", l, name, words)
			}
		}
		for _, name := range []string{"timeLeft", "minutesLeft", "secondsLeft", "brandRefused", "missing"} {
			if !strings.Contains(script.Texts[name], "%s") {
				t.Errorf("%s: %s has no place to fill: %q", l, name, script.Texts[name])
			}
		}
	}
}

func TestSomebodyElseReadsNothingOfTheClientsProgram(t *testing.T) {
	pages := parsed(t)
	for _, l := range lang.All {
		doc := page(t, pages, PayPage, samplePay(t, l, true))
		text := strings.ToLower(said(doc.Find("#open")))
		for _, word := range []string{"monitor", "interlock", "vehic", "vehíc", "past due", "vencid", "program"} {
			if strings.Contains(text, word) {
				t.Errorf("%s: a stranger reads %q", l, word)
			}
		}
		if want := l.DaysOf(30, true); !strings.Contains(text, strings.ToLower(want)) {
			t.Errorf("%s: %q is not said", l, want)
		}
	}
}

func TestEveryEndSaysWhatHappenedWhetherMoneyWasTakenAndWhatToDo(t *testing.T) {
	pages := parsed(t)
	for _, l := range lang.All {
		titles := map[string]Kind{}
		for _, kind := range Kinds {
			doc := page(t, pages, StatePage, State{Chrome: chrome(l, ""), Kind: kind, Amount: "$98.58"})
			title, money := said(doc.Find("h1")), said(doc.Find(".said"))
			if title == "" || money == "" || said(doc.Find("main h2 + p")) == "" || doc.Find(`main a[href="tel:+18045550100"]`).Length() != 1 {
				t.Errorf("%s %s leaves something unsaid: %q", l, kind, said(doc.Find("main")))
			}
			if other, ok := titles[title]; ok && !(kind == SlowDown || other == SlowDown) {
				t.Errorf("%s: %s and %s have one title", l, kind, other)
			}
			titles[title] = kind
			polls := doc.Find("script").Length() > 0
			if polls != (kind == Checking || kind == Elsewhere) {
				t.Errorf("%s polls: %v", kind, polls)
			}
		}
		for _, kind := range []Kind{Checking, Elsewhere, Late, Review, Paused} {
			doc := page(t, pages, StatePage, State{Chrome: chrome(l, ""), Kind: kind, Amount: "$98.58"})
			if want := map[lang.Lang]string{lang.English: "Do not pay again", lang.Spanish: "No vuelva a pagar"}[l]; !strings.Contains(strings.ToLower(said(doc.Find("main"))), strings.ToLower(want)) {
				t.Errorf("%s does not say %q", kind, want)
			}
		}
		expired := said(page(t, pages, StatePage, State{Chrome: chrome(l, ""), Kind: Expired}).Find("main"))
		if want := map[lang.Lang]string{lang.English: "No payment was taken", lang.Spanish: "No se hizo ningún cobro"}[l]; !strings.Contains(expired, want) {
			t.Errorf("expired says %q", expired)
		}
	}
}

func TestAReceiptShowsWhatWasPaidAndCanBeTexted(t *testing.T) {
	pages := parsed(t)
	for _, l := range lang.All {
		r := sampleReceipt(l)
		doc := page(t, pages, ReceiptPage, r)
		for _, want := range []string{"$98.58", r.When, r.PaidTo, "Visa", "4242", "7K2Q-4821", "$93.00"} {
			if !strings.Contains(said(doc.Find("main")), strings.Join(strings.Fields(want), " ")) {
				t.Errorf("%s: the receipt does not show %s", l, want)
			}
		}
		if doc.Find(`form[method=post][action="/pay/receipt"] button[type=submit]`).Length() != 1 {
			t.Errorf("%s: the receipt can't be texted", l)
		}
		r.MayText, r.Texted, r.CardLast4, r.PaidTo = false, true, "", ""
		doc = page(t, pages, ReceiptPage, r)
		if doc.Find("form").Length() != 0 || doc.Find(".alert[role=status]").Length() != 1 || strings.Contains(said(doc.Selection), "4242") {
			t.Errorf("%s: a receipt that was texted says %q", l, said(doc.Find("main")))
		}
	}
}

// A payment never unlocks a car: nothing may sound as if it did, but the terms, which deny it.
func TestNothingPromisesThatPayingUnlocksACar(t *testing.T) {
	pages := parsed(t)
	for _, l := range lang.All {
		docs := []*goquery.Document{page(t, pages, PayPage, samplePay(t, l, false)), page(t, pages, ReceiptPage, sampleReceipt(l))}
		for _, kind := range Kinds {
			docs = append(docs, page(t, pages, StatePage, State{Chrome: chrome(l, ""), Kind: kind, Amount: "$98.58"}))
		}
		for _, doc := range docs {
			doc.Find("dialog#terms").Remove()
			if found := regexp.MustCompile(`(?i)unlock|desbloque|start(s)? your|arranc`).FindString(doc.Text()); found != "" {
				t.Errorf("%s: a page says %q", l, found)
			}
		}
	}
}

func TestTheTermsSayTheSameInBothLanguages(t *testing.T) {
	var parts []int
	for _, l := range lang.All {
		terms := samplePay(t, l, false).Terms
		parts = append(parts, len(terms.Parts))
		if !regexp.MustCompile(`lawyer|abogado`).MatchString(terms.Note) {
			t.Errorf("%s: the note is %q: a lawyer has not reviewed this version", l, terms.Note)
		}
		if !strings.Contains(terms.Title, "1") {
			t.Errorf("%s: the title %q does not name the version", l, terms.Title)
		}
		for _, part := range terms.Parts {
			if part.Heading == "" || len(part.Text) == 0 {
				t.Errorf("%s: %q has no text", l, part.Heading)
			}
		}
	}
	if parts[0] < 8 || parts[0] != parts[1] {
		t.Errorf("English has %d parts, Spanish %d", parts[0], parts[1])
	}
}

// 14 KiB is what a phone gets in the first round trip of a new connection: ten segments.
func TestThePayersPageIsSmall(t *testing.T) {
	const budget = 14 << 10
	pages := parsed(t)
	for _, l := range lang.All {
		var html bytes.Buffer
		if err := pages.Render(&html, PayPage, samplePay(t, l, false)); err != nil {
			t.Fatal(err)
		}
		parts := fmt.Sprintf("html %d", packed(t, html.Bytes()))
		sum := packed(t, html.Bytes())
		doc, err := goquery.NewDocumentFromReader(&html)
		if err != nil {
			t.Fatal(err)
		}
		assets, err := web.NewAssets(templates.Files)
		if err != nil {
			t.Fatal(err)
		}
		doc.Find(`link[rel=stylesheet], script[src^="/assets/"]`).Each(func(_ int, s *goquery.Selection) {
			size := served(t, assets, s.AttrOr("href", "")+s.AttrOr("src", ""))
			parts += fmt.Sprintf(", %s %d", s.AttrOr("href", "")+s.AttrOr("src", ""), size)
			sum += size
		})
		t.Logf("%s: %d bytes of %d: %s", l, sum, budget, parts)
		if sum > budget {
			t.Errorf("%s: the page weighs %d bytes, %d are allowed: %s", l, sum, budget, parts)
		}
	}
}

func packed(t *testing.T, plain []byte) int {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// served returns how many bytes an asset is on the wire.
func served(t *testing.T, assets *web.Assets, path string) int {
	t.Helper()
	server := httptest.NewServer(assets)
	defer server.Close()
	request, err := http.NewRequest(http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s: %s, %v", path, response.Status, err)
	}
	return len(body)
}
