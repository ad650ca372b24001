package portal_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"paylink/internal/sim/stripesim"
	"paylink/internal/sqldb"
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
	v.get("/my/cards").is(http.StatusOK).says(".empty", "No card is on file").has(".wallet", 0)
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
	v.get("/my/cards?said=added").says("[role=status]", "The card was saved").says(".wallet", "Visa ending in 4242").says(".badge.good", "Main card").has(".wallet > li", 1)
	second := answerOf(v.keeps(v.proves("pm_card_mastercard_prepaid")).is(http.StatusOK))
	v.get("/my/cards").has(".wallet > li", 2).has(".badge.good", 1).says(".wallet", "Prepaid")
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
	v.get("/my/cards").has(".wallet > li", 3).says(".wallet > li:first-child", "Auto Pay").says(".wallet > li:last-child", "has expired")
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
	if n := w.count(`SELECT COUNT(*) FROM letters WHERE client_id = '100047' AND said LIKE '%A card was removed: Visa ending in 4242%'`); n != 1 {
		t.Errorf("%d letters tell of it", n)
	}
	var method string
	must(t, w.books.QueryRow(`SELECT payment_method FROM cards WHERE id = $1`, main).Scan(&method))
	if at := w.atStripe("sk_test_x", http.MethodGet, "payment_methods/"+method, nil); at["customer"] != nil {
		t.Error("it is not detached at Stripe")
	}
	remove(expired).is(http.StatusSeeOther) // Auto Pay does not use it
}

// methodOf is the PaymentMethod of a card.
func (w *town) methodOf(card string) (method string) {
	w.t.Helper()
	must(w.t, w.books.QueryRow(`SELECT payment_method FROM cards WHERE id = $1`, card).Scan(&method))
	return method
}

func (w *town) detached(method string) bool {
	at := w.atStripe("sk_test_x", http.MethodGet, "payment_methods/"+method, nil)
	return at["id"] == method && at["customer"] == nil
}

// comes waits until a query that counts gives so many: for what a webhook brings about.
func (w *town) comes(what, query string, want int) {
	w.t.Helper()
	w.until(what, func() bool { return w.count(query) == want })
}

func TestACardIsKeptOnceWhoeverTellsOfIt(t *testing.T) {
	w := newTown(t)
	v := w.as("100042")
	const cards = `SELECT COUNT(*) FROM cards WHERE client_id = '100042'`

	// The browser vanishes after its bank has said yes: Stripe's event adds the card, though it comes twice.
	must(t, w.stripe.SetFaults(stripesim.Faults{Webhooks: stripesim.WebhookFaults{Twice: 1, TwoEvents: 1}}))
	setup := v.proves("pm_card_visa")
	w.comes("cards by the event", cards, 1)
	first := answerOf(v.keeps(setup).is(http.StatusOK)) // it comes back after all
	v.get("/my/notices").says("main", "Visa ending in 4242 was added")

	// Two tabs at once, and the event beside them.
	setup = v.proves("pm_card_mastercard")
	answers := make(chan *page, 4)
	for range cap(answers) {
		tab := w.visitor()
		tab.cookies = v.cookies
		go func() { answers <- tab.keeps(setup) }()
	}
	second := ""
	for range cap(answers) {
		a := answerOf((<-answers).is(http.StatusOK))
		if second == "" {
			second = a.Card
		}
		if a.Card != second || a.Card == first.Card {
			t.Errorf("one tab has %s, another %s", second, a.Card)
		}
	}
	w.comes("cards", cards, 2)
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE client_id = '100042' AND act = 'add card'`); n != 2 {
		t.Errorf("%d cards were added by the trail", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM letters WHERE client_id = '100042' AND kind = 'changed'`); n != 2 {
		t.Errorf("%d letters", n)
	}

	// No event comes, and no browser: the look at Stripe's list finds it.
	w.silent()
	v.proves("pm_card_visa_debit")
	must(t, w.s.CatchUp.Round(t.Context()))
	if n := w.count(cards); n != 3 {
		t.Errorf("%d cards", n)
	}
	must(t, w.s.CatchUp.Round(t.Context()))
	if n := w.count(cards); n != 3 || w.count(`SELECT COUNT(*) FROM card_tasks`) != 0 {
		t.Errorf("%d cards after another look", n)
	}
}

func TestCardsThatAreNotKept(t *testing.T) {
	w := newTown(t)
	w.silent()
	v := w.as("100042")
	no := func(p *page, status int, state string) portal.CardAnswer {
		t.Helper()
		a := answerOf(p.is(status))
		if a.State != state || a.Message == "" {
			t.Errorf("the answer is %+v, want %s", a, state)
		}
		return a
	}
	begun := answerOf(v.json("/my/cards/setup", `{"terms": "card-1"}`).is(http.StatusOK))
	no(v.keeps(begun.Setup), http.StatusConflict, "not_set_up") // nobody has asked the bank
	no(v.keeps("seti_nobodys"), http.StatusNotFound, "not_found")
	no(v.keeps("pi_1"), http.StatusBadRequest, "bad_request")
	no(v.json("/my/cards/setup", `{"terms": "1"}`), http.StatusConflict, "terms")

	setup := v.proves("pm_card_amex")
	no(v.keeps(setup), http.StatusUnprocessableEntity, "brand")
	no(v.keeps(setup), http.StatusUnprocessableEntity, "brand") // and stays so
	amex := w.atStripe("sk_test_x", http.MethodGet, "setup_intents/"+setup, nil)["payment_method"].(string)
	if !w.detached(amex) {
		t.Error("an American Express stays with the customer")
	}

	// A decline at the bank: nothing is kept, and the trail knows why.
	no(v.keeps(v.proves("pm_card_chargeDeclinedInsufficientFunds")), http.StatusConflict, "not_set_up")
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE client_id = '100042' AND act = 'add card' AND refused LIKE '%insufficient_funds'`); n != 1 {
		t.Errorf("%d entries tell of the decline", n)
	}

	// The fifth in a quarter of an hour is the last, whatever became of the others.
	v.json("/my/cards/setup", `{"terms": "card-1"}`).is(http.StatusOK)
	no(v.json("/my/cards/setup", `{"terms": "card-1"}`), http.StatusTooManyRequests, "locked_out")
	if n := w.count(`SELECT COUNT(*) FROM trail WHERE client_id = '100042' AND act = 'set up card' AND refused <> ''`); n != 2 {
		t.Errorf("%d refusals are in the trail", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM cards WHERE client_id = '100042'`); n != 0 {
		t.Errorf("%d cards are kept", n)
	}
}

func TestTheSameNumberIsOneCard(t *testing.T) {
	w := newTown(t)
	w.silent()
	v := w.as("100042")
	card := answerOf(v.keeps(v.proves("pm_card_visa")).is(http.StatusOK)).Card
	method := w.methodOf(card)

	a := answerOf(v.keeps(v.proves("pm_card_visa")).is(http.StatusConflict))
	if a.State != "same_card" || a.Card != card || w.methodOf(card) != method {
		t.Errorf("the same card again: %+v", a)
	}
	if n := w.count(`SELECT COUNT(*) FROM card_tasks`); n != 0 {
		t.Errorf("%d payment methods are left", n)
	}
	// A new date: the row goes on with it, and the old payment method is let go.
	_, err := w.books.Exec(`UPDATE cards SET exp_year = 2026, refused = 'expired_card' WHERE id = $1`, card)
	must(t, err)
	v.get("/my/cards").says(".card-on-file", "The bank told us not to charge this card again")
	if a := answerOf(v.keeps(v.proves("pm_card_visa")).is(http.StatusOK)); a.Card != card {
		t.Errorf("renewed as %s", a.Card)
	}
	v.get("/my/cards").has(".wallet > li", 1).has(".wallet .alert", 0).says(".wallet", "08/2027")
	if w.methodOf(card) == method || !w.detached(method) || w.detached(w.methodOf(card)) {
		t.Error("the old payment method is on file still, or the new one is not attached")
	}
}

func TestWhatStripeTellsOfACardIsFollowed(t *testing.T) {
	w := newTown(t)
	v := w.as("100047")
	const main, second = "card-demo-100047-0", "card-demo-100047-1"
	must(t, w.stripe.SetFaults(stripesim.Faults{Webhooks: stripesim.WebhookFaults{Twice: 1, TwoEvents: 1, Reorder: 0.5}}))
	must(t, w.stripe.UpdateCard(w.methodOf(main), 4, 2031, "4000056655665556"))
	w.comes("the new number", `SELECT COUNT(*) FROM cards WHERE id = '`+main+`' AND last4 = '5556' AND exp_year = 2031 AND exp_month = 4`, 1)
	v.get("/my/cards").says(".wallet > li:first-child", "Visa ending in 5556").says(".wallet > li:first-child", "04/2031")
	w.comes("looks", `SELECT COUNT(*) FROM card_tasks`, 0)
	if n := w.count(`SELECT COUNT(*) FROM letters WHERE client_id = '100047' AND kind = 'card_updated'`); n != 1 {
		t.Errorf("%d letters tell of it", n)
	}

	// Gone at Stripe's dashboard: Auto Pay goes on with another, and the client is told.
	w.atStripe("sk_test_x", http.MethodPost, "payment_methods/"+w.methodOf(main)+"/detach", nil)
	w.comes("the other card", `SELECT COUNT(*) FROM cards WHERE id = '`+second+`' AND main = 1`, 1)
	w.comes("looks", `SELECT COUNT(*) FROM card_tasks`, 0)
	if n := w.count(`SELECT COUNT(*) FROM letters WHERE client_id = '100047' AND kind = 'card_gone_auto_pay'`); n != 1 {
		t.Errorf("%d letters tell of it", n)
	}
	v.get("/my/notices").says("main", "is gone at our card processor").says("main", "ending in 3184 is your main card now")

	// The whole customer is deleted: no card is left, and the next one that is added gets a new customer.
	var customer string
	must(t, w.books.QueryRow(`SELECT customer FROM cards WHERE id = $1`, second).Scan(&customer))
	w.atStripe("sk_test_x", http.MethodDelete, "customers/"+customer, nil)
	w.comes("cards", `SELECT COUNT(*) FROM cards WHERE client_id = '100047' AND removed_ms = 0`, 0)
	w.comes("looks", `SELECT COUNT(*) FROM card_tasks`, 0)
	v.get("/my/cards").says(".empty", "No card is on file")
	v.keeps(v.proves("pm_card_visa")).is(http.StatusOK)
	v.get("/my/cards").has(".wallet > li", 1)
}

func TestACardGoesThoughStripeDoesNotAnswer(t *testing.T) {
	w := newTown(t)
	v := w.as("100043")
	const card = "card-demo-100043-3"
	method := w.methodOf(card)
	for _, kind := range []string{stripesim.Down503, stripesim.BrokenJSON} {
		must(t, w.stripe.SetFaults(stripesim.Faults{Webhooks: stripesim.WebhookFaults{Off: true}, Rules: []stripesim.Rule{{Op: "customer", Kind: kind}, {Op: "setup_intent", Kind: kind}, {Op: "payment_method", Kind: kind}}}))
		if a := answerOf(v.json("/my/cards/setup", `{"terms": "card-1"}`).is(http.StatusServiceUnavailable)); a.State != "unavailable" || !strings.Contains(a.Message, "was not saved") {
			t.Errorf("%s: the answer is %+v", kind, a)
		}
		if kind == stripesim.BrokenJSON {
			break
		}
		v.post("/my/cards/"+card+"/remove", nil).is(http.StatusSeeOther)
		v.get("/my/cards").has(".wallet > li", 0)
		if w.detached(method) || w.count(`SELECT COUNT(*) FROM card_tasks WHERE work = 'detach'`) != 1 {
			t.Error("what could not be detached is not due")
		}
	}
	w.silent()
	must(t, w.s.Wallet.Round(t.Context()))
	if w.detached(method) {
		t.Error("it is tried again at once")
	}
	w.later(3 * time.Minute)
	must(t, w.s.Wallet.Round(t.Context()))
	if !w.detached(method) || w.count(`SELECT COUNT(*) FROM card_tasks`) != 0 {
		t.Error("it is not detached, or not done")
	}

	// The read that settles fails: nothing is kept, and asked again it is.
	v = w.as("100042")
	setup := v.proves("pm_card_visa")
	for _, kind := range []string{stripesim.Error500, stripesim.BrokenJSON, stripesim.Rate429} {
		must(t, w.stripe.SetFaults(stripesim.Faults{Webhooks: stripesim.WebhookFaults{Off: true}, Rules: []stripesim.Rule{{Op: "retrieve", Kind: kind}}}))
		v.keeps(setup).is(http.StatusServiceUnavailable)
	}
	w.silent()
	v.keeps(setup).is(http.StatusOK)
	if n := w.count(`SELECT COUNT(*) FROM cards WHERE client_id = '100042'`); n != 1 {
		t.Errorf("%d cards", n)
	}
}

// together is a store whose readers have all read before any of them goes on.
type together struct {
	*sqldb.DB
	read *sync.WaitGroup
}

func (s together) Expiring(ctx context.Context, year, month, limit int) ([]string, error) {
	ids, err := s.DB.Expiring(ctx, year, month, limit)
	s.read.Done()
	s.read.Wait()
	return ids, err
}

func TestAClientIsWarnedOnceOfACardThatExpires(t *testing.T) {
	w := newTown(t)
	const card = "card-demo-100047-0"
	_, err := w.books.Exec(`UPDATE cards SET exp_year = 2026, exp_month = 4 WHERE id = $1`, card)
	must(t, err)
	warned := func() int {
		return w.count(`SELECT COUNT(*) FROM letters WHERE kind = 'card_expires' AND client_id = '100047'`)
	}
	rounds := func() {
		t.Helper()
		done := make(chan error, 4)
		var read sync.WaitGroup
		read.Add(cap(done)) // each looks at one month: the other one ends later
		for range cap(done) {
			scheduler := *w.s.Wallet
			scheduler.Store = together{w.s.DB, &read}
			go func() { done <- scheduler.Round(t.Context()) }()
		}
		for range cap(done) {
			must(t, <-done)
		}
	}
	w.later(20 * 24 * time.Hour) // March 30: there are 31 days and more to go
	rounds()
	if n := warned(); n != 0 {
		t.Errorf("%d letters, too early", n)
	}
	w.later(3 * 24 * time.Hour) // April 2
	rounds()
	w.later(3 * 24 * time.Hour)
	rounds()
	if n := warned(); n != 1 {
		t.Errorf("%d letters", n)
	}
	v := w.as("100047")
	v.get("/my/cards").says(".wallet > li:first-child .alert", "expires soon")
	v.get("/my/").says(".alert.warning", "Visa ending in 4242 expires soon").says("main", "expires soon. Add the new card")
	w.later(30 * 24 * time.Hour)
	rounds()
	if n := warned(); n != 1 {
		t.Errorf("%d letters once it has expired", n)
	}
	w.as("100047").get("/my/").says(".alert.warning", "Auto Pay can’t charge Visa ending in 4242")
}
