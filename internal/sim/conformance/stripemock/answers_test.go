package stripemock_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"paylink/internal/sim/conformance/stripemock"
	"paylink/internal/sim/stripesim"
)

var specOnce = sync.OnceValues(stripemock.LoadSpec)

func spec(t *testing.T) *stripemock.Spec {
	t.Helper()
	s, err := specOnce()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	secretKey, publishableKey = "sk_test_schema", "pk_test_schema"
	connected                 = "acct_schema"
)

func newAPI(url, key string, transport http.RoundTripper) *client.API {
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{URL: stripe.String(url), HTTPClient: &http.Client{Transport: transport},
		MaxNetworkRetries: stripe.Int64(0), EnableTelemetry: stripe.Bool(false), LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull}})
	return client.New(key, &stripe.Backends{API: backend, Connect: backend, Uploads: backend})
}

// The document is of 2024-04-10, the answers are of 2023-10-16: in what the simulator has, the two do not differ. (Real
// answers of 2023-10-16 also carry old fields that are always null, such as a charge's source; the simulator leaves them out.)
func TestEveryAnswerFitsStripesDocument(t *testing.T) {
	doc := spec(t)
	var mu sync.Mutex
	asked := map[string]int{}
	checker := &stripemock.AnswerChecker{Spec: doc, Next: http.DefaultTransport, Note: func(r *http.Request, status int, problem string) {
		t.Errorf("%s %s %d: %s", r.Method, r.URL.Path, status, problem)
	}}
	count := roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := checker.RoundTrip(r)
		if err == nil {
			mu.Lock()
			asked[r.Method+" "+r.URL.Path[:min(len(r.URL.Path), 12)]]++
			mu.Unlock()
		}
		return resp, err
	})

	var events [][]byte
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		events = append(events, body)
	}))
	defer hook.Close()
	now := func() time.Time { return time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC) }
	sim := stripesim.New(stripesim.Config{Now: now, Seed: 1, SecretKey: secretKey, PublishableKey: publishableKey, WebhookSecret: "whsec_x",
		WebhookURL: hook.URL, Accounts: []string{connected}})
	web := httptest.NewServer(sim.Handler())
	defer web.Close()

	drive(t, sim, newAPI(web.URL, secretKey, count), newAPI(web.URL, publishableKey, count))

	made := 0
	it := newAPI(web.URL, secretKey, count).Events.List(nil)
	for it.Next() {
		made++
	}
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		mu.Lock()
		n := len(events)
		mu.Unlock()
		if n >= made {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("%d of %d webhooks came", n, made)
		}
	}
	sim.Close()
	for _, body := range events {
		for _, problem := range doc.CheckObject("event", body) {
			t.Errorf("webhook: %s", problem)
		}
		var e struct {
			Type string
			Data struct{ Object json.RawMessage }
		}
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatal(err)
		}
		var o struct{ Object string }
		_ = json.Unmarshal(e.Data.Object, &o)
		for _, problem := range doc.CheckObject(o.Object, e.Data.Object) {
			t.Errorf("webhook %s: %s", e.Type, problem)
		}
	}
	t.Logf("%d kinds of requests, %d webhooks", len(asked), len(events))
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// drive makes every kind of answer and event that the simulator has.
func drive(t *testing.T, sim *stripesim.Server, api, browser *client.API) {
	ok := func(err error) {
		t.Helper()
		if err != nil {
			if e, is := err.(*stripe.Error); is {
				t.Fatalf("%d %s: %s", e.HTTPStatusCode, e.Code, e.Msg)
			}
			t.Fatal(err)
		}
	}
	refused := func(err error) {
		t.Helper()
		if _, is := err.(*stripe.Error); !is {
			t.Fatalf("not refused: %v", err)
		}
	}
	str, list := stripe.String, stripe.StringSlice
	card := func(number string) string {
		t.Helper()
		m, err := browser.PaymentMethods.New(&stripe.PaymentMethodParams{Type: str("card"), Card: &stripe.PaymentMethodCardParams{Number: &number,
			ExpMonth: stripe.Int64(12), ExpYear: stripe.Int64(2031), CVC: str("123")},
			BillingDetails: &stripe.PaymentMethodBillingDetailsParams{Name: str("Hal"), Address: &stripe.AddressParams{PostalCode: str("23220")}}})
		ok(err)
		return m.ID
	}
	create := func(change func(*stripe.PaymentIntentParams)) *stripe.PaymentIntent {
		t.Helper()
		p := &stripe.PaymentIntentParams{Amount: stripe.Int64(9858), Currency: str("usd"), PaymentMethodTypes: list([]string{"card"}), ConfirmationMethod: str("manual"),
			StatementDescriptorSuffix: str("Paylink 7"), Description: str("30 days of service"), Shipping: &stripe.ShippingDetailsParams{Name: str("Hal"), Address: &stripe.AddressParams{Line1: str("1 Main")}}}
		p.AddMetadata("payment", "pay_1")
		if change != nil {
			change(p)
		}
		pi, err := api.PaymentIntents.New(p)
		ok(err)
		return pi
	}
	confirm := func(pi *stripe.PaymentIntent, m string) (*stripe.PaymentIntent, error) {
		p := &stripe.PaymentIntentConfirmParams{UseStripeSDK: stripe.Bool(true)}
		p.AddExpand("latest_charge.balance_transaction")
		if m != "" {
			p.PaymentMethod = &m
		}
		return api.PaymentIntents.Confirm(pi.ID, p)
	}

	// every card
	for _, number := range []string{"4242424242424242", "5555555555554444", "378282246310005", "6011111111111117", "3056930009020004", "3566002020360505", "6200000000000005", "4000000000000259"} {
		pi, err := confirm(create(nil), card(number))
		ok(err)
		_, err = api.PaymentIntents.Get(pi.ID, &stripe.PaymentIntentParams{Expand: list([]string{"latest_charge.refunds", "payment_method", "latest_charge.payment_intent"})})
		ok(err)
	}
	for _, number := range []string{"4000000000000002", "4000000000009995", "4000000000000069", "4000000000000127", "4000000000000119", "4100000000000019"} {
		pi := create(nil)
		_, err := confirm(pi, card(number))
		refused(err)
		_, err = api.PaymentIntents.Get(pi.ID, nil)
		ok(err)
	}
	// 3-D Secure
	for _, outcome := range []bool{true, false} {
		pi, err := confirm(create(nil), card("4000000000003220"))
		ok(err)
		ok(sim.FinishChallenge(pi.ID, outcome))
		_, err = api.PaymentIntents.Get(pi.ID, nil)
		ok(err)
		_, err = browser.PaymentIntents.Get(pi.ID, &stripe.PaymentIntentParams{ClientSecret: &pi.ClientSecret})
		ok(err)
		if outcome {
			_, err = confirm(pi, "")
			ok(err)
		}
	}
	redirected, err := api.PaymentIntents.Confirm(create(func(p *stripe.PaymentIntentParams) { p.PaymentMethodTypes = nil }).ID,
		&stripe.PaymentIntentConfirmParams{PaymentMethod: str("pm_card_threeDSecure2Required"), ReturnURL: str("https://pay.interlane.test/back")})
	ok(err)
	if redirected.NextAction.RedirectToURL.URL == "" {
		t.Fatal("no redirect")
	}
	// capture, update, cancel, processing
	later := create(func(p *stripe.PaymentIntentParams) { p.CaptureMethod = str("manual") })
	_, err = confirm(later, "pm_card_visa")
	ok(err)
	_, err = api.PaymentIntents.Capture(later.ID, &stripe.PaymentIntentCaptureParams{AmountToCapture: stripe.Int64(5000)})
	ok(err)
	open := create(nil)
	_, err = api.PaymentIntents.Update(open.ID, &stripe.PaymentIntentParams{Amount: stripe.Int64(100), PaymentMethod: str("pm_card_visa")})
	ok(err)
	_, err = api.PaymentIntents.Cancel(open.ID, &stripe.PaymentIntentCancelParams{CancellationReason: str("abandoned")})
	ok(err)
	_, err = api.PaymentIntents.Cancel(open.ID, nil)
	refused(err)
	ok(sim.SetFaults(stripesim.Faults{Processing: 1}))
	_, err = confirm(create(nil), "pm_card_visa")
	ok(err)
	ok(sim.SetFaults(stripesim.Faults{}))
	// customers and their cards
	u, err := api.Customers.New(&stripe.CustomerParams{Name: str("Hal"), Email: str("hal@interlane.test"), Address: &stripe.AddressParams{Line1: str("1 Main")}, PaymentMethod: str("pm_card_visa")})
	ok(err)
	_, err = api.Customers.New(nil)
	ok(err)
	m, err := api.PaymentMethods.Attach(card("4242424242424242"), &stripe.PaymentMethodAttachParams{Customer: &u.ID})
	ok(err)
	_, err = api.PaymentMethods.Update(m.ID, &stripe.PaymentMethodParams{Card: &stripe.PaymentMethodCardParams{ExpYear: stripe.Int64(2032)}})
	ok(err)
	_, err = api.Customers.Update(u.ID, &stripe.CustomerParams{InvoiceSettings: &stripe.CustomerInvoiceSettingsParams{DefaultPaymentMethod: &m.ID}})
	ok(err)
	_, err = api.Customers.Get(u.ID, &stripe.CustomerParams{Expand: list([]string{"invoice_settings.default_payment_method"})})
	ok(err)
	_, err = api.PaymentMethods.Get(m.ID, &stripe.PaymentMethodParams{Expand: list([]string{"customer"})})
	ok(err)
	_, err = api.Customers.RetrievePaymentMethod(m.ID, &stripe.CustomerRetrievePaymentMethodParams{Customer: &u.ID})
	ok(err)
	clone := &stripe.PaymentMethodParams{Customer: &u.ID, PaymentMethod: &m.ID}
	clone.SetStripeAccount(connected)
	_, err = api.PaymentMethods.New(clone)
	ok(err)
	off := create(func(p *stripe.PaymentIntentParams) {
		p.Customer, p.PaymentMethod, p.Confirm, p.OffSession = &u.ID, &m.ID, stripe.Bool(true), stripe.Bool(true)
	})
	// setup intents
	for _, number := range []string{"4242424242424242", "4000002760003184", "4000000000000002"} {
		si, err := api.SetupIntents.New(&stripe.SetupIntentParams{Customer: &u.ID, PaymentMethodTypes: list([]string{"card"})})
		ok(err)
		number := card(number)
		p := &stripe.SetupIntentConfirmParams{PaymentMethod: &number}
		p.AddExtra("client_secret", si.ClientSecret)
		_, err = browser.SetupIntents.Confirm(si.ID, p)
		if err != nil {
			refused(err)
		}
		if si, err = api.SetupIntents.Get(si.ID, nil); si.Status == "requires_action" {
			ok(sim.FinishChallenge(si.ID, false))
		}
		ok(err)
		_, err = api.SetupIntents.Get(si.ID, &stripe.SetupIntentParams{Expand: list([]string{"customer"})})
		ok(err)
		_, err = api.SetupIntents.Cancel(si.ID, nil)
		if err != nil {
			refused(err)
		}
	}
	// refunds and disputes
	r, err := api.Refunds.New(&stripe.RefundParams{PaymentIntent: &off.ID, Amount: stripe.Int64(858), Reason: str("requested_by_customer"), Expand: list([]string{"charge", "balance_transaction"})})
	ok(err)
	_, err = api.Refunds.Get(r.ID, nil)
	ok(err)
	_, err = api.Refunds.Update(r.ID, &stripe.RefundParams{Metadata: map[string]string{"note": "x"}})
	ok(err)
	ok(sim.SettleRefund(r.ID, false))
	_, err = api.Refunds.Get(r.ID, &stripe.RefundParams{Expand: list([]string{"failure_balance_transaction"})})
	ok(err)
	id, err := sim.OpenDispute(off.LatestCharge.ID, "fraudulent")
	ok(err)
	_, err = api.Disputes.Get(id, &stripe.DisputeParams{Expand: list([]string{"charge"})})
	ok(err)
	ok(sim.CloseDispute(id, true))
	po, err := sim.Payout("", 100)
	ok(err)
	ok(sim.FailPayout(po))
	_, err = api.Payouts.Get(po, &stripe.PayoutParams{Expand: list([]string{"balance_transaction", "failure_balance_transaction"})})
	ok(err)
	_, err = api.Balance.Get(nil)
	ok(err)
	_, err = api.Charges.Update(off.LatestCharge.ID, &stripe.ChargeParams{Description: str("x")})
	ok(err)
	_, err = api.Charges.Get(off.LatestCharge.ID, &stripe.ChargeParams{Expand: list([]string{"customer", "refunds.data.balance_transaction"})})
	ok(err)
	happened := api.Events.List(nil)
	happened.Next()
	_, err = api.Events.Get(happened.Event().ID, nil)
	ok(err)
	_, err = api.Accounts.Get()
	ok(err)
	_, err = api.Accounts.GetByID(connected, nil)
	ok(err)
	// lists
	for _, it := range []interface {
		Next() bool
		Err() error
	}{
		api.PaymentIntents.List(&stripe.PaymentIntentListParams{Expand: list([]string{"data.latest_charge"})}),
		api.Customers.List(nil), api.PaymentMethods.List(&stripe.PaymentMethodListParams{Customer: &u.ID, Type: str("card")}),
		api.Customers.ListPaymentMethods(&stripe.CustomerListPaymentMethodsParams{Customer: &u.ID}), api.SetupIntents.List(nil),
		api.Charges.List(nil), api.Refunds.List(nil), api.BalanceTransactions.List(&stripe.BalanceTransactionListParams{Expand: list([]string{"data.source"})}),
		api.Disputes.List(nil), api.Events.List(nil), api.Payouts.List(nil),
	} {
		for it.Next() {
		}
		ok(it.Err())
	}
	bt := api.BalanceTransactions.List(nil)
	bt.Next()
	_, err = api.BalanceTransactions.Get(bt.BalanceTransaction().ID, nil)
	ok(err)
	// refusals
	_, err = api.PaymentIntents.Get("pi_nobody", nil)
	refused(err)
	_, err = api.PaymentIntents.New(&stripe.PaymentIntentParams{})
	refused(err)
	_, err = browser.Customers.New(nil)
	refused(err)
	_, err = api.PaymentMethods.Detach(m.ID, nil)
	ok(err)
	_, err = api.Customers.Del(u.ID, nil)
	ok(err)
	_, err = api.Customers.Get(u.ID, nil)
	ok(err)
}

func TestTheCheckerSeesWhatDoesNotFit(t *testing.T) {
	doc := spec(t)
	for name, c := range map[string]struct{ body, want string }{
		"a wrong type":     {`{"id":"re_1","object":"refund","amount":"858","created":1,"currency":"usd"}`, "amount: "},
		"a missing field":  {`{"id":"re_1","object":"refund","created":1,"currency":"usd"}`, `property "amount" is missing`},
		"an unknown field": {`{"id":"re_1","object":"refund","amount":858,"created":1,"currency":"usd","colour":"red"}`, "colour: unknown field of Refund"},
		"a wrong constant": {`{"id":"re_1","object":"charge","amount":858,"created":1,"currency":"usd"}`, "object: "},
	} {
		if got := strings.Join(doc.CheckObject("refund", []byte(c.body)), "; "); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	form := func(s string) url.Values { v, _ := url.ParseQuery(s); return v }
	for s, want := range map[string]string{
		"amount=1&currency=usd&metadata[a]=b&expand[0]=customer&payment_method_types[]=card&payment_method_options[card][request_three_d_secure]=any": "",
		"amont=1": "amont",
		"payment_method_options[card][request_3ds]=any": "payment_method_options[card][request_3ds]",
		"shipping[address][zip]=1":                      "shipping[address][zip]",
		"payment_method_data[card][number]=4":           "payment_method_data[card][number]",
		"metadata[a][b]=1":                              "metadata[a][b]",
	} {
		if got := strings.Join(doc.CheckRequest("POST", "/v1/payment_intents", nil, form(s)), "; "); got != want {
			t.Errorf("%s: %q", s, got)
		}
	}
	if got := doc.CheckRequest("GET", "/v1/payment_intents", form("limit=3&created[gte]=1&colour=red"), nil); len(got) != 1 || got[0] != "colour" {
		t.Error(got)
	}
}
