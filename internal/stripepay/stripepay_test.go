package stripepay_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/sim/stripesim"
	"paylink/internal/stripepay"
)

var _ pay.Gateway = (*stripepay.Gateway)(nil)

const (
	secretKey      = "sk_test_simulator"
	publishableKey = "pk_test_simulator"
	connected      = "acct_richmond"
)

func now() time.Time { return time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC) }

// asked is one request as it went over the wire.
type asked struct {
	method, path string
	header       http.Header
	form         url.Values
}

// bench is a simulator behind real HTTP that remembers what it was asked.
type bench struct {
	*world
	t   *testing.T
	sim *stripesim.Server

	mu  sync.Mutex
	log []asked
}

func start(t *testing.T, account string) *bench {
	t.Helper()
	b := &bench{t: t}
	b.sim = stripesim.New(stripesim.Config{Now: now, Seed: 7, SecretKey: secretKey, PublishableKey: publishableKey, WebhookSecret: "whsec_simulator", Accounts: []string{connected}})
	handler := b.sim.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		form, _ := url.ParseQuery(string(body))
		if r.Method == http.MethodGet {
			form = r.URL.Query()
		}
		b.mu.Lock()
		b.log = append(b.log, asked{r.Method, r.URL.Path, r.Header.Clone(), form})
		b.mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { b.sim.Close(); server.Close() })
	b.world = &world{url: server.URL, key: secretKey, account: account, challenge: b.challenge}
	return b
}

func (b *bench) challenge(t *testing.T, in pay.Intent, pass bool) {
	t.Helper()
	outcome := "complete"
	if !pass {
		outcome = "fail"
	}
	answer, err := http.PostForm(b.url+"/v3/challenge/"+in.ID, url.Values{"client_secret": {in.ClientSecret.Reveal()}, "outcome": {outcome}})
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the challenge answered %d", answer.StatusCode)
	}
}

// requests returns what was asked while f ran.
func (b *bench) requests(f func()) []asked {
	b.mu.Lock()
	before := len(b.log)
	b.mu.Unlock()
	f()
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.log[before:])
}

// enter puts a card in as the payer's browser does.
func (b *bench) enter(number string) string {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodPost, b.url+"/v1/payment_methods", strings.NewReader(url.Values{
		"type": {"card"}, "card[number]": {number}, "card[exp_month]": {"12"}, "card[exp_year]": {"2031"}, "card[cvc]": {"123"},
		"billing_details[address][postal_code]": {"23220"},
	}.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+publishableKey)
	if b.account != "" {
		r.Header.Set("Stripe-Account", b.account)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var pm struct{ ID string }
	if err := json.NewDecoder(answer.Body).Decode(&pm); err != nil || pm.ID == "" {
		b.t.Fatalf("the card was not taken: %d", answer.StatusCode)
	}
	return pm.ID
}

// secretless asserts that an error shows neither keys, nor client secrets, nor where it was asked.
func (b *bench) secretless(err error) {
	b.t.Helper()
	for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		if strings.Contains(text, "sk_test") || strings.Contains(text, "_secret_") || strings.Contains(text, strings.TrimPrefix(b.url, "http://")) {
			b.t.Error("an error shows a secret or an address")
		}
	}
}

func TestTheScriptOnTheSimulator(t *testing.T) {
	for _, account := range []string{"", connected} {
		t.Run("account "+account, func(t *testing.T) { start(t, account).play(t) })
	}
}

func TestEveryTestCard(t *testing.T) {
	for _, account := range []string{"", connected} {
		b := start(t, account)
		g := b.gateway(t, nil)
		for _, c := range []struct {
			number string
			status pay.IntentStatus // "" is a decline
			code   string
			card   pay.Card
		}{
			{"4242424242424242", pay.IntentSucceeded, "", pay.Card{Brand: "visa", Last4: "4242", Funding: "credit", AVS: "pass", CVC: "pass"}},
			{"4000056655665556", pay.IntentSucceeded, "", pay.Card{Brand: "visa", Last4: "5556", Funding: "debit", AVS: "pass", CVC: "pass"}},
			{"5555555555554444", pay.IntentSucceeded, "", pay.Card{Brand: "mastercard", Last4: "4444", Funding: "credit", AVS: "pass", CVC: "pass"}},
			{"5105105105105100", pay.IntentSucceeded, "", pay.Card{Brand: "mastercard", Last4: "5100", Funding: "prepaid", AVS: "pass", CVC: "pass"}},
			{"6011111111111117", pay.IntentSucceeded, "", pay.Card{Brand: "discover", Last4: "1117", Funding: "credit", AVS: "pass", CVC: "pass"}},
			{"4000000000000036", pay.IntentSucceeded, "", pay.Card{Brand: "visa", Last4: "0036", Funding: "credit", AVS: "fail", CVC: "pass"}},
			{"4000000000000101", pay.IntentSucceeded, "", pay.Card{Brand: "visa", Last4: "0101", Funding: "credit", AVS: "pass", CVC: "fail"}},
			{"4000000000000044", pay.IntentSucceeded, "", pay.Card{Brand: "visa", Last4: "0044", Funding: "credit", AVS: "unavailable", CVC: "unavailable"}},
			{"4000002760003184", pay.RequiresAction, "", pay.Card{}},
			{"4000000000003220", pay.RequiresAction, "", pay.Card{}},
			{"4000000000000002", "", "generic_decline", pay.Card{}},
			{"4000000000009995", "", "insufficient_funds", pay.Card{}},
			{"4000000000009987", "", "lost_card", pay.Card{}},
			{"4000000000009979", "", "stolen_card", pay.Card{}},
			{"4000000000000069", "", "expired_card", pay.Card{}},
			{"4000000000000127", "", "incorrect_cvc", pay.Card{}},
			{"4000000000000119", "", "processing_error", pay.Card{}},
			{"4000000000006975", "", "card_velocity_exceeded", pay.Card{}},
			{"4100000000000019", "", "fraudulent", pay.Card{}},
		} {
			t.Run(account+c.number, func(t *testing.T) {
				pm := b.enter(c.number)
				card, err := g.Card(t.Context(), account, pm)
				if err != nil || card.Last4 != c.number[len(c.number)-4:] || card.AVS != "unchecked" || card.CVC != "unchecked" {
					t.Errorf("before it is charged it is %+v, %v", card, err)
				}
				id := b.intent(t, g).ID
				in, err := b.confirm(t, g, id, pm)
				if c.status == "" {
					no := declined(t, err, c.code)
					b.secretless(err)
					if no.Intent == nil || no.Intent.ErrorMethod != pm || no.Intent.ErrorCode != c.code {
						t.Errorf("the decline carries %+v", no.Intent)
					}
					return
				}
				if err != nil || in.Status != c.status || in.Card != c.card || in.PaymentMethod != pm || in.Origin.PaymentID != "pay_1" || in.Account != account {
					t.Errorf("got %+v, %v", in, err)
				}
				if c.status == pay.IntentSucceeded && in.ChargeMethod != pm {
					t.Errorf("charged %q", in.ChargeMethod)
				}
			})
		}
	}
}

func TestWhatIsAskedForAndNothingElse(t *testing.T) {
	b := start(t, connected)
	g := b.gateway(t, nil)
	var id string
	check := func(got []asked, method, path string, key string, form url.Values) {
		t.Helper()
		if len(got) != 1 {
			t.Fatalf("%d requests", len(got))
		}
		r := got[0]
		if r.method != method || r.path != path || !maps.EqualFunc(r.form, form, slices.Equal) {
			t.Errorf("asked %s %s %v", r.method, r.path, r.form)
		}
		h := r.header
		if h.Get("Stripe-Account") != connected || h.Get("Stripe-Version") != "2023-10-16" || h.Get("X-Stripe-Client-Telemetry") != "" || (key != "*" && h.Get("Idempotency-Key") != key) {
			t.Errorf("asked with the headers %v, %v, %v", h["Stripe-Account"], h["Stripe-Version"], h["Idempotency-Key"])
		}
	}
	check(b.requests(func() {
		in, err := g.CreateIntent(t.Context(), pay.IntentRequest{Key: "create:7", Account: connected, Amount: 9858, PaymentID: "7", ClientID: "100042", VehicleID: "v", LocationID: "l", ChainID: "6", Summary: "ab"})
		if err != nil {
			t.Fatal(err)
		}
		id = in.ID
	}), "POST", "/v1/payment_intents", "create:7", url.Values{
		"amount": {"9858"}, "currency": {"usd"}, "payment_method_types[0]": {"card"}, "confirmation_method": {"manual"}, "capture_method": {"automatic"},
		"statement_descriptor_suffix": {"MONITOR"}, "metadata[app]": {"paylink"}, "metadata[payment]": {"7"}, "metadata[client]": {"100042"},
		"metadata[vehicle]": {"v"}, "metadata[location]": {"l"}, "metadata[chain]": {"6"}, "metadata[summary]": {"ab"},
	})
	pm := b.enter("4000000000003220")
	check(b.requests(func() { _, _ = g.Card(t.Context(), connected, pm) }), "GET", "/v1/payment_methods/"+pm, "", url.Values{})
	var in pay.Intent
	check(b.requests(func() {
		in, _ = g.Confirm(t.Context(), pay.ConfirmRequest{Key: "confirm:8:1", Account: connected, IntentID: id, PaymentMethod: pm})
	}), "POST", "/v1/payment_intents/"+id+"/confirm", "confirm:8:1", url.Values{"payment_method": {pm}, "use_stripe_sdk": {"true"}, "expand[0]": {"latest_charge"}})
	check(b.requests(func() { _, _ = g.Intent(t.Context(), connected, id) }), "GET", "/v1/payment_intents/"+id, "", url.Values{"expand[0]": {"latest_charge"}})
	b.challenge(t, in, true)
	check(b.requests(func() {
		_, _ = g.Confirm(t.Context(), pay.ConfirmRequest{Key: "confirm:8:2", Account: connected, IntentID: id})
	}), "POST", "/v1/payment_intents/"+id+"/confirm", "confirm:8:2", url.Values{"use_stripe_sdk": {"true"}, "expand[0]": {"latest_charge"}})
	keys := map[string]bool{}
	for range 2 {
		got := b.requests(func() { _, _ = g.Cancel(t.Context(), connected, id) })
		check(got, "POST", "/v1/payment_intents/"+id+"/cancel", "*", url.Values{"expand[0]": {"latest_charge"}})
		keys[got[0].header.Get("Idempotency-Key")] = true
	}
	if len(keys) != 2 || keys[""] {
		t.Error("two cancels share a key")
	}
	check(b.requests(func() {
		_, _ = g.Refund(t.Context(), pay.RefundRequest{Key: "refund:9", Account: connected, IntentID: id, Amount: 858, RefundID: "9", PaymentID: "7"})
	}), "POST", "/v1/refunds", "refund:9", url.Values{"payment_intent": {id}, "amount": {"858"}, "metadata[app]": {"paylink"}, "metadata[refund]": {"9"}, "metadata[payment]": {"7"}})
	check(b.requests(func() { _, _ = g.Refunds(t.Context(), connected, id) }), "GET", "/v1/refunds", "", url.Values{"payment_intent": {id}, "limit": {"100"}})
	check(b.requests(func() { _, _ = g.Contests(t.Context(), connected, id) }), "GET", "/v1/disputes", "", url.Values{"payment_intent": {id}, "limit": {"100"}, "expand[0]": {"data.payment_intent"}})
	none := func([]pay.Movement) error { return nil }
	check(b.requests(func() { _ = g.Movements(t.Context(), connected, now(), now().Add(24*time.Hour), none) }), "GET", "/v1/balance_transactions", "",
		url.Values{"created[gte]": {"1772463600"}, "created[lt]": {"1772550000"}, "limit": {"100"}, "expand[0]": {"data.source"}})
	check(b.requests(func() { _, _ = g.Balance(t.Context(), connected) }), "GET", "/v1/balance", "", url.Values{})
	got := b.requests(func() { _ = g.Events(t.Context(), connected, now(), func([]pay.Notice) error { return nil }) })
	if form := got[0].form; len(got) != 1 || got[0].path != "/v1/events" || form.Get("created[gte]") != "1772463600" || form.Get("limit") != "100" || form.Get("types[0]") == "" || len(form) > 22 ||
		got[0].header.Get("Stripe-Account") != connected {
		t.Errorf("asked for events with %v", form)
	}
	check(b.requests(func() { _, _ = g.Clone(t.Context(), connected, "cus_1", "pm_1") }), "POST", "/v1/payment_methods", "*", url.Values{"customer": {"cus_1"}, "payment_method": {"pm_1"}})
}

func TestWithoutAnIdNothingIsAsked(t *testing.T) {
	b := start(t, "")
	g := b.gateway(t, nil)
	got := b.requests(func() {
		for _, err := range []error{
			second(g.CreateIntent(t.Context(), pay.IntentRequest{Amount: 100})),
			second(g.Confirm(t.Context(), pay.ConfirmRequest{Key: "k"})),
			second(g.Confirm(t.Context(), pay.ConfirmRequest{IntentID: "pi_1"})),
			second(g.Cancel(t.Context(), "", "")),
			second(g.Intent(t.Context(), "", "")),
			second(g.Card(t.Context(), "", "")),
			second(g.Refund(t.Context(), pay.RefundRequest{Key: "k", Amount: 1, RefundID: "r"})),
			second(g.Refund(t.Context(), pay.RefundRequest{IntentID: "pi_1", Amount: 1, RefundID: "r"})),
			second(g.Refund(t.Context(), pay.RefundRequest{Key: "k", IntentID: "pi_1", RefundID: "r"})),
			second(g.Refund(t.Context(), pay.RefundRequest{Key: "k", IntentID: "pi_1", Amount: 1})),
			second(g.Refunds(t.Context(), "", "")),
			second(g.Contests(t.Context(), "", "")),
			second(g.MovementsOf(t.Context(), "", "")),
			second(g.MovementsOf(t.Context(), "", "pi_")),
			second(g.MovementsOf(t.Context(), "", "cus_1")),
			second(g.Clone(t.Context(), "", "cus_1", "pm_1")),
			second(g.Clone(t.Context(), connected, "", "pm_1")),
			second(g.Clone(t.Context(), connected, "cus_1", "")),
		} {
			refused(t, err, 400, "parameter_missing")
		}
	})
	if len(got) != 0 {
		t.Errorf("%d requests", len(got))
	}
}

func TestAContextThatIsOverAsksNothing(t *testing.T) {
	b := start(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := b.requests(func() {
		if _, err := b.gateway(t, nil).Intent(ctx, "", "pi_1"); !errors.Is(err, pay.ErrUnclear) {
			t.Error(err)
		}
	})
	if len(got) != 0 {
		t.Errorf("%d requests", len(got))
	}
}

func second[T any](_ T, err error) error { return err }

func TestFaults(t *testing.T) {
	type act struct {
		op  string
		run func(ctx context.Context, b *bench, g *stripepay.Gateway, id, pm string) error
	}
	acts := []act{
		{"create", func(ctx context.Context, b *bench, g *stripepay.Gateway, _, _ string) error {
			return second(g.CreateIntent(ctx, pay.IntentRequest{Key: "k", Account: b.account, Amount: 100, PaymentID: "p"}))
		}},
		{"confirm", func(ctx context.Context, b *bench, g *stripepay.Gateway, id, pm string) error {
			return second(g.Confirm(ctx, pay.ConfirmRequest{Key: "k", Account: b.account, IntentID: id, PaymentMethod: pm}))
		}},
		{"cancel", func(ctx context.Context, b *bench, g *stripepay.Gateway, id, _ string) error {
			return second(g.Cancel(ctx, b.account, id))
		}},
		{"retrieve", func(ctx context.Context, b *bench, g *stripepay.Gateway, id, _ string) error {
			return second(g.Intent(ctx, b.account, id))
		}},
		{"retrieve", func(ctx context.Context, b *bench, g *stripepay.Gateway, _, pm string) error {
			return second(g.Card(ctx, b.account, pm))
		}},
		{"retrieve", func(ctx context.Context, b *bench, g *stripepay.Gateway, id, _ string) error {
			return second(g.Refunds(ctx, b.account, id))
		}},
		{"retrieve", func(ctx context.Context, b *bench, g *stripepay.Gateway, id, _ string) error {
			return second(g.Contests(ctx, b.account, id))
		}},
		{"retrieve", func(ctx context.Context, b *bench, g *stripepay.Gateway, _, _ string) error {
			return g.Events(ctx, b.account, now(), func([]pay.Notice) error { return nil })
		}},
		{"refund", func(ctx context.Context, b *bench, g *stripepay.Gateway, id, _ string) error {
			return second(g.Refund(ctx, pay.RefundRequest{Key: "k", Account: b.account, IntentID: id, Amount: 9858, RefundID: "r"}))
		}},
	}
	for _, kind := range []string{
		stripesim.TimeoutBefore, stripesim.TimeoutAfter, stripesim.Error500, stripesim.Error500RolledBack, stripesim.Conflict409, stripesim.Rate429,
		stripesim.Down503, stripesim.BrokenJSON,
	} {
		for _, a := range acts {
			t.Run(kind+" at "+a.op, func(t *testing.T) {
				b := start(t, "")
				good := b.gateway(t, nil)
				id, pm := b.intent(t, good).ID, b.enter("4242424242424242")
				if a.op == "refund" {
					id = b.paid(t, good, pm).ID
				}
				g, err := stripepay.New(stripepay.Config{Now: time.Now, SecretKey: b.key, APIURL: b.url, Timeout: 150 * time.Millisecond, StatementSuffix: "MONITOR"})
				if err != nil {
					t.Fatal(err)
				}
				if err := b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: a.op, Kind: kind, Times: 1}}}); err != nil {
					t.Fatal(err)
				}
				got := b.requests(func() { err = a.run(t.Context(), b, g, id, pm) })
				if !errors.Is(err, pay.ErrUnclear) || len(got) != 1 {
					t.Fatalf("%v after %d requests", err, len(got))
				}
				b.secretless(err)
				err = a.run(t.Context(), b, good, id, pm)
				b.secretless(err)
				var dead *pay.DeadAnswerError
				switch {
				case kind == stripesim.Error500RolledBack && (a.op == "create" || a.op == "confirm" || a.op == "refund"):
					if !errors.As(err, &dead) || dead.RequestID == "" { // the key is dead
						t.Errorf("the second time: %v", err)
					}
				case a.op == "cancel" && (kind == stripesim.TimeoutAfter || kind == stripesim.BrokenJSON):
					refused(t, err, 400, "payment_intent_unexpected_state") // it is canceled
				case err != nil:
					t.Errorf("the second time: %v", err)
				}
				if paid, _ := b.charges(t, id); paid > 1 || (a.op == "confirm" || a.op == "refund") != (paid == 1) && (kind != stripesim.Error500RolledBack || a.op == "refund") {
					t.Errorf("%d charges", paid)
				}
				if a.op == "refund" {
					if in := b.read(t, good, id); in.Refunded != 9858 && kind != stripesim.Error500RolledBack || kind == stripesim.Error500RolledBack && in.Refunded != 0 {
						t.Errorf("%d went back", in.Refunded)
					}
				}
			})
		}
	}
}

// A kept connection may break just as a confirm is written to it. net/http takes a POST with an Idempotency-Key for one that it may repeat.
func TestABrokenConnectionRepeatsNothing(t *testing.T) {
	var mu sync.Mutex
	count := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		count++
		first := count == 1
		mu.Unlock()
		if first {
			_, _ = io.WriteString(w, `{"id": "pi_1", "object": "payment_intent"}`)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}))
	defer server.Close()
	g, err := stripepay.New(stripepay.Config{Now: time.Now, SecretKey: secretKey, APIURL: server.URL, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Intent(t.Context(), "", "pi_1"); err != nil {
		t.Fatal(err)
	}
	_, err = g.Confirm(t.Context(), pay.ConfirmRequest{Key: "k", IntentID: "pi_1", PaymentMethod: "pm_1"})
	mu.Lock()
	defer mu.Unlock()
	if !errors.Is(err, pay.ErrUnclear) || count != 2 {
		t.Errorf("%v; %d confirms were sent", err, count-1)
	}
}

func TestAnswersThatAreNotBelieved(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Error("a redirect was followed")
	}))
	defer elsewhere.Close()
	for _, c := range []struct {
		name   string
		status int
		body   string
	}{
		{"nothing", 200, ``},
		{"an empty object", 200, `{}`},
		{"half an object", 200, `{"id": "pi_1", "object": "payment_int`},
		{"no JSON", 200, `<html>sk_test_simulator pi_1_secret_2</html>`},
		{"another PaymentIntent", 200, `{"id": "pi_2", "object": "payment_intent"}`},
		{"another kind of object", 200, `{"id": "pi_1", "object": "list", "data": []}`},
		{"live mode for a test key", 200, `{"id": "pi_1", "object": "payment_intent", "livemode": true, "client_secret": "pi_1_secret_2"}`},
		{"a list that does not go on", 200, `{"object": "list", "url": "/v1/refunds", "has_more": true, "data": []}`},
		{"another list", 200, `{"object": "list", "url": "/v1/charges", "has_more": false, "data": []}`},
		{"a list of another's", 200, `{"object": "list", "url": "/v1/refunds", "has_more": false, "data": [{"id": "re_1", "payment_intent": "pi_2"}]}`},
		{"a redirect", 302, `{"id": "pi_1", "object": "payment_intent"}`},
		{"an error page", 502, `<html>pi_1_secret_2</html>`},
		{"an error without a body", 400, ``},
		{"an error that is none", 400, `{"id": "pi_1", "client_secret": "pi_1_secret_2"}`},
		{"too much", 200, `{"id": "pi_1", "object": "payment_intent", "description": "` + strings.Repeat("x", 4<<20) + `"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", elsewhere.URL)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			b := &bench{t: t, world: &world{url: server.URL, key: secretKey}}
			g := b.gateway(t, nil)
			errs := []error{
				g.Movements(t.Context(), "", now(), now(), func([]pay.Movement) error { return nil }), g.Events(t.Context(), "", now(), func([]pay.Notice) error { return nil }),
				second(g.Balance(t.Context(), "")), second(g.MovementsOf(t.Context(), "", "pi_1")), second(g.MovementsOf(t.Context(), "", "re_1")), second(g.MovementsOf(t.Context(), "", "po_1")), second(g.MovementsOf(t.Context(), "", "txn_1")),
				second(g.Refunds(t.Context(), "", "pi_1")), second(g.Contests(t.Context(), "", "pi_1")), second(g.Clone(t.Context(), connected, "cus_1", "pm_1")),
				second(g.Refund(t.Context(), pay.RefundRequest{Key: "k", IntentID: "pi_1", Amount: 1, RefundID: "r"})),
				second(g.Intent(t.Context(), "", "pi_1")), second(g.Cancel(t.Context(), "", "pi_1")), second(g.Card(t.Context(), "", "pm_1")),
				second(g.Confirm(t.Context(), pay.ConfirmRequest{Key: "k", IntentID: "pi_1", PaymentMethod: "pm_1"})),
			}
			for _, err := range errs {
				if !errors.Is(err, pay.ErrUnclear) {
					t.Errorf("got %v", err)
				}
				b.secretless(err)
			}
		})
	}
}

func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	good := stripepay.Config{Now: time.Now, SecretKey: secretKey, Timeout: time.Second}
	for _, key := range []string{"", " ", "sk_test_", "pk_test_x", "sk_x", "whsec_x", "sk_test_x\n", "SK_TEST_x"} {
		c := good
		c.SecretKey = key
		if _, err := stripepay.New(c); !errors.Is(err, stripepay.ErrKey) {
			t.Errorf("the key %q: %v", key, err)
		}
	}
	for _, address := range []string{"api.stripe.com", "ftp://x", "https://", "http://user:secret@x", ":"} {
		c := good
		c.APIURL = address
		if _, err := stripepay.New(c); !errors.Is(err, stripepay.ErrURL) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("the URL %q: %v", address, err)
		}
	}
	live := stripepay.Config{Now: time.Now, SecretKey: "sk_live_x", Timeout: time.Second, APIURL: "http://127.0.0.1:1"}
	if _, err := stripepay.New(live); !errors.Is(err, stripepay.ErrURL) {
		t.Error("a live key would be sent in the clear")
	}
	if _, err := stripepay.New(stripepay.Config{Now: time.Now, SecretKey: secretKey}); !errors.Is(err, stripepay.ErrTimeout) {
		t.Error(err)
	}
	for _, key := range []string{"sk_test_x", "rk_live_x"} {
		if _, err := stripepay.New(stripepay.Config{Now: time.Now, SecretKey: key, Timeout: time.Second}); err != nil {
			t.Error(err)
		}
	}
}

// A charge that was refunded cent by cent has a list of several pages; a lost or doubled row would be money.
func TestALongListIsReadToItsEnd(t *testing.T) {
	b := start(t, connected)
	g := b.gateway(t, nil)
	id := b.paid(t, g, "pm_card_visa").ID
	for n := range 203 {
		if _, err := g.Refund(t.Context(), pay.RefundRequest{Key: key(), Account: connected, IntentID: id, Amount: 1, RefundID: fmt.Sprint(n)}); err != nil {
			t.Fatal(err)
		}
	}
	var all []pay.GivenBack
	if got := b.requests(func() { all = b.refunds(t, g, id) }); len(got) != 3 || len(all) != 203 {
		t.Fatalf("%d refunds in %d pages", len(all), len(got))
	}
	for i, r := range all {
		if r.RefundID != fmt.Sprint(202-i) {
			t.Fatalf("row %d is refund %s", i, r.RefundID)
		}
	}
}

func TestRefundsThatFailAndDisputesThatAreWon(t *testing.T) {
	b := start(t, connected)
	g := b.gateway(t, nil)
	in := b.paid(t, g, "pm_card_visa")
	back, err := g.Refund(t.Context(), pay.RefundRequest{Key: key(), Account: connected, IntentID: in.ID, Amount: 858, RefundID: "rf_1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.sim.SettleRefund(back.ID, false); err != nil {
		t.Fatal(err)
	}
	if all := b.refunds(t, g, in.ID); len(all) != 1 || all[0].Status != pay.RefundFailed || all[0].Failure != "lost_or_stolen_card" {
		t.Errorf("%+v", all)
	}
	if in := b.read(t, g, in.ID); in.Refunded != 0 {
		t.Errorf("%d went back", in.Refunded)
	}
	id, err := b.sim.OpenDispute(in.ChargeID, "product_not_received")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.sim.CloseDispute(id, true); err != nil {
		t.Fatal(err)
	}
	all, err := g.Contests(t.Context(), connected, in.ID)
	if err != nil || len(all) != 1 || all[0].ID != id || all[0].Status != "won" || all[0].Reason != "product_not_received" || len(all[0].Moved) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if out, back := all[0].Moved[0], all[0].Moved[1]; out.Amount != -9858 || out.Fee != 1500 || back.Amount != 9858 || back.Fee != -1500 {
		t.Errorf("it moved %+v", all[0].Moved)
	}
}

func TestWhatTheBankSendsBackAndWhatStripeTakes(t *testing.T) {
	b := start(t, connected)
	g := b.gateway(t, nil)
	in := b.paid(t, g, "pm_card_visa")
	back, err := g.Refund(t.Context(), pay.RefundRequest{Key: key(), Account: connected, IntentID: in.ID, Amount: 858, RefundID: "rf_1"})
	if err != nil {
		t.Fatal(err)
	}
	payout, err := b.sim.Payout(connected, 5000)
	if err != nil {
		t.Fatal(err)
	}
	dispute, err := b.sim.OpenDispute(in.ChargeID, "fraudulent")
	if err != nil {
		t.Fatal(err)
	}
	fee, err := b.sim.Move(connected, "stripe_fee", -200)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.sim.SettleRefund(back.ID, false), b.sim.FailPayout(payout), b.sim.CloseDispute(dispute, true)); err != nil {
		t.Fatal(err)
	}
	var got []string
	var net money.Cents
	if err := g.Movements(t.Context(), connected, now(), now().Add(time.Second), func(page []pay.Movement) error {
		for _, m := range page {
			intent := ""
			if m.IntentID == in.ID {
				intent = " of the payment"
			}
			got = append(got, fmt.Sprint(m.Type, " ", m.Amount, " ", strings.SplitN(m.Source, "_", 2)[0], intent))
			net += m.Amount - m.Fee
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"adjustment $98.58 dp of the payment", "payout_failure $50.00 po", "refund_failure $8.58 re of the payment", "stripe_fee -$2.00 ", "adjustment -$98.58 dp of the payment", "payout -$50.00 po",
		"refund -$8.58 re of the payment", "charge $98.58 ch of the payment",
	}
	if !slices.Equal(got, want) {
		t.Errorf("moved, newest first:\n%s", strings.Join(got, "\n"))
	}
	if balance, err := g.Balance(t.Context(), connected); err != nil || balance != net {
		t.Errorf("the balance is %s, %v; all movements together %s", balance, err, net)
	}
	for object, count := range map[string]int{back.ID: 2, payout: 2, in.ID: 1, fee: 1} {
		if m, err := g.MovementsOf(t.Context(), connected, object); err != nil || len(m) != count {
			t.Errorf("%s moved %+v, %v", object, m, err)
		}
	}
}

func TestAnotherCurrencyIsNotTakenForDollars(t *testing.T) {
	b := start(t, "")
	g := b.gateway(t, nil)
	if _, err := b.raw().PaymentIntents.New(&stripe.PaymentIntentParams{
		Amount: stripe.Int64(4200), Currency: stripe.String("eur"), PaymentMethodTypes: stripe.StringSlice([]string{"card"}), PaymentMethod: stripe.String("pm_card_visa"), Confirm: stripe.Bool(true),
	}); err != nil {
		t.Fatal("no payment in euros could be made")
	}
	var got []string
	if err := g.Movements(t.Context(), "", now(), now().Add(time.Second), func(page []pay.Movement) error {
		for _, m := range page {
			got = append(got, m.Type)
		}
		return nil
	}); err != nil || !slices.Equal(got, []string{"charge in eur"}) {
		t.Errorf("%v, %v", got, err)
	}
	if balance, err := g.Balance(t.Context(), ""); err != nil || balance != 0 {
		t.Errorf("the balance in dollars is %s, %v", balance, err)
	}
}
