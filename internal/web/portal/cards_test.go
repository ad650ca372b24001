package portal_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"paylink/internal/sim/stripesim"
	"paylink/internal/web/portal"
)

// atStripe asks the simulated Stripe as somebody with that key.
func (w *town) atStripe(key, method, path string, form url.Values) map[string]any {
	w.t.Helper()
	r := httptest.NewRequest(method, "/v1/"+path, strings.NewReader(form.Encode()))
	if method == http.MethodGet {
		r = httptest.NewRequest(method, "/v1/"+path+"?"+form.Encode(), nil)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	w.stripe.Handler().ServeHTTP(answer, r)
	var out map[string]any
	must(w.t, json.Unmarshal(answer.Body.Bytes(), &out))
	return out
}

// silent has Stripe tell nothing by itself.
func (w *town) silent() {
	must(w.t, w.stripe.SetFaults(stripesim.Faults{Webhooks: stripesim.WebhookFaults{Off: true}}))
}

func answerOf(p *page) portal.CardAnswer {
	p.t.Helper()
	var a portal.CardAnswer
	must(p.t, json.Unmarshal([]byte(p.body), &a))
	return a
}

// proves does what a browser does with a card: it asks for a secret and has the bank confirm. It returns the SetupIntent.
func (v *visitor) proves(card string) string {
	v.w.t.Helper()
	a := answerOf(v.json("/my/cards/setup", `{"terms": "card-1"}`).is(http.StatusOK))
	if a.State != "confirm" || a.Setup == "" || a.ClientSecret == "" {
		v.w.t.Fatalf("the answer is %+v", a)
	}
	v.w.atStripe("pk_test_x", http.MethodPost, "setup_intents/"+a.Setup+"/confirm", url.Values{"client_secret": {a.ClientSecret}, "payment_method": {card}})
	return a.Setup
}

func (v *visitor) keeps(setup string) *page { return v.json("/my/cards", `{"setup": "`+setup+`"}`) }

func TestAClientAddsACard(t *testing.T) {
	w := newTown(t)
	w.silent()
	v := w.as("100042")
	v.get("/my/cards").is(http.StatusOK).says(".empty", "No card is on file").has(".cards", 0)
	add := v.get("/my/cards/add").is(http.StatusOK).says("#terms", "Terms of keeping a card, version 1").says("h1", "Add a card")
	if policy := add.header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-src http") || strings.Contains(policy, "script-src 'unsafe") {
		t.Errorf("the policy is %s", policy)
	}
	v.headers["User-Agent"] = "A browser of the test"
	setup := v.proves("pm_card_visa")
	first := answerOf(v.keeps(setup).is(http.StatusOK))
	if again := answerOf(v.keeps(setup).is(http.StatusOK)); first.Card == "" || again != first {
		t.Errorf("pressed twice: %+v, then %+v", first, again)
	}
	v.get("/my/cards?said=added").says("[role=status]", "The card was saved").says(".cards", "Visa ending 4242").says(".badge.good", "Main card").has(".cards > li", 1)
	second := answerOf(v.keeps(v.proves("pm_card_mastercard_prepaid")).is(http.StatusOK))
	v.get("/my/cards").has(".cards > li", 2).has(".badge.good", 1).says(".cards", "Prepaid")
	for query, want := range map[string]int{
		`SELECT COUNT(*) FROM cards WHERE client_id = '100042' AND terms_version = 'card-1' AND terms_language = 'en'`:                               2,
		`SELECT COUNT(*) FROM cards WHERE id = '` + first.Card + `' AND main = 1`:                                                                    1,
		`SELECT COUNT(*) FROM card_setups WHERE state = 'kept' AND user_agent = 'A browser of the test' AND address = '127.0.0.1' AND agreed_ms > 0`: 2,
		`SELECT COUNT(*) FROM terms WHERE version = 'card-1'`:                                                                                        2,
		`SELECT COUNT(*) FROM trail WHERE client_id = '100042' AND act = 'add card' AND actor_kind = 'client'`:                                       2,
		`SELECT COUNT(*) FROM letters WHERE client_id = '100042' AND kind = 'changed'`:                                                               2,
		`SELECT COUNT(DISTINCT customer) FROM cards WHERE client_id = '100042'`:                                                                      1,
		`SELECT COUNT(*) FROM card_tasks`: 0,
	} {
		if n := w.count(query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	if strings.Contains(w.log.String(), "_secret_") {
		t.Error("the log holds a client_secret")
	}
	if second.Card == first.Card {
		t.Error("both are one card")
	}
}

func TestAClientReachesNoCardOfAnother(t *testing.T) {
	w := newTown(t)
	w.silent()
	setup := w.as("100042").proves("pm_card_visa")
	thief := w.as("100043")
	if a := answerOf(thief.keeps(setup).is(http.StatusNotFound)); a.Card != "" || a.State != "not_found" {
		t.Errorf("the answer is %+v", a)
	}
	if n := w.count(`SELECT COUNT(*) FROM cards WHERE client_id = '100042'`); n != 0 {
		t.Error("another client has put a card on file")
	}
	w.as("100042").keeps(setup).is(http.StatusOK)
	thief.keeps(setup).is(http.StatusNotFound)
}

func TestACardThatAutoPayUsesGoesOnlyIfAnotherTakesOver(t *testing.T) {
	w := newTown(t)
	v := w.as("100047") // Auto Pay, by the first of three cards; the third has expired
	const main, second, expired = "card-demo-100047-0", "card-demo-100047-1", "card-demo-100047-2"
	v.get("/my/cards").has(".cards > li", 3).says(".cards > li:first-child", "Auto Pay").says(".cards > li:last-child", "has expired")
	v.get("/my/cards/"+main+"/remove").says("legend", "Auto Pay uses this card").has("input[name=take_over]", 1)
	remove := func(id string, more ...string) *page {
		form := url.Values{}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return v.post("/my/cards/"+id+"/remove", form)
	}
	remove(main).is(http.StatusConflict).says("#take-over-error", "Choose the card").has("main[data-focus=take-over]", 1)
	remove(main, "take_over", expired).is(http.StatusUnprocessableEntity).says("#take-over-error", "can’t be charged")
	if n := w.count(`SELECT COUNT(*) FROM cards WHERE client_id = '100047' AND removed_ms = 0`); n != 3 {
		t.Fatalf("%d cards are left", n)
	}
	if to := remove(main, "take_over", second).to(); to != "/my/cards?said=removed" {
		t.Errorf("it leads to %s", to)
	}
	remove(main, "take_over", second).is(http.StatusSeeOther) // pressed twice
	v.get("/my/cards/" + main + "/remove").is(http.StatusNotFound)
	if n := w.count(`SELECT COUNT(*) FROM cards WHERE id = $1 AND main = 1`, second); n != 1 {
		t.Error("the other card has not taken over")
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE client_id = '100047' AND act = 'remove card' AND refused = ''`); n != 1 {
		t.Errorf("%d removals are in the trail", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE client_id = '100047' AND act = 'remove card' AND refused <> ''`); n != 2 {
		t.Errorf("%d refusals are in the trail", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM letters WHERE client_id = '100047' AND said LIKE '%A card was removed: Visa ending 4242%'`); n != 1 {
		t.Errorf("%d letters tell of it", n)
	}
	var method string
	must(t, w.books.QueryRow(`SELECT payment_method FROM cards WHERE id = $1`, main).Scan(&method))
	if at := w.atStripe("sk_test_x", http.MethodGet, "payment_methods/"+method, nil); at["customer"] != nil {
		t.Error("it is not detached at Stripe")
	}
	remove(expired).is(http.StatusSeeOther) // Auto Pay does not use it
}
