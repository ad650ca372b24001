package stripesim_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"paylink/internal/sim/stripesim"
)

const (
	secretKey      = "sk_test_simulator"
	publishableKey = "pk_test_simulator"
	webhookSecret  = "whsec_simulator"
	connected      = "acct_richmond"
)

// clock is a virtual clock; it stands still until moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// bench is a simulator with the clients that a test needs.
type bench struct {
	*testing.T
	sim         *stripesim.Server
	url         string
	clock       *clock
	*client.API             // the secret key
	browser     *client.API // the publishable key
}

func start(t *testing.T, change ...func(*stripesim.Config)) *bench {
	t.Helper()
	b := &bench{T: t, clock: &clock{t: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)}}
	config := stripesim.Config{Now: b.clock.now, Seed: 7, SecretKey: secretKey, PublishableKey: publishableKey,
		WebhookSecret: webhookSecret, Accounts: []string{connected}}
	for _, f := range change {
		f(&config)
	}
	b.sim = stripesim.New(config)
	web := httptest.NewServer(b.sim.Handler())
	t.Cleanup(func() { b.sim.Close(); web.Close() })
	b.url = web.URL
	b.API, b.browser = api(web.URL, secretKey, nil), api(web.URL, publishableKey, nil)
	return b
}

// api is a stripe-go client that tries once and keeps quiet.
func api(url, key string, c *http.Client) *client.API {
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{URL: stripe.String(url), HTTPClient: c,
		MaxNetworkRetries: stripe.Int64(0), EnableTelemetry: stripe.Bool(false), LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull}})
	return client.New(key, &stripe.Backends{API: backend, Connect: backend, Uploads: backend})
}

// must stops the test on an error, without printing a client secret.
func must[T any](v T, err error) func(*bench) T {
	return func(b *bench) T {
		b.Helper()
		if err != nil {
			b.Fatalf("unexpected error: %s", brief(err))
		}
		return v
	}
}

func brief(err error) string {
	if e, ok := errors.AsType[*stripe.Error](err); ok {
		return http.StatusText(e.HTTPStatusCode) + " " + string(e.Type) + " " + string(e.Code) + " " + string(e.DeclineCode) + " " + e.Param + ": " + e.Msg
	}
	return err.Error()
}

// refusal asserts that Stripe refused, with this status and code, and returns how.
func (b *bench) refusal(err error, status int, code string) *stripe.Error {
	b.Helper()
	e, ok := errors.AsType[*stripe.Error](err)
	if !ok {
		b.Fatalf("want a refusal %d %s, got %v", status, code, err)
	}
	if e.HTTPStatusCode != status || string(e.Code) != code {
		b.Fatalf("want a refusal %d %s, got %d %s", status, code, e.HTTPStatusCode, brief(err))
	}
	return e
}

// enter puts a card in as Stripe.js does.
func (b *bench) enter(number string) *stripe.PaymentMethod {
	b.Helper()
	m, err := b.browser.PaymentMethods.New(cardParams(number))
	return must(m, err)(b)
}

func cardParams(number string) *stripe.PaymentMethodParams {
	return &stripe.PaymentMethodParams{Type: stripe.String("card"), Card: &stripe.PaymentMethodCardParams{Number: &number,
		ExpMonth: stripe.Int64(12), ExpYear: stripe.Int64(2031), CVC: stripe.String("123")},
		BillingDetails: &stripe.PaymentMethodBillingDetailsParams{Address: &stripe.AddressParams{PostalCode: stripe.String("23220")}}}
}

// intent is a PaymentIntent as the service makes them.
func intentParams(cents int64) *stripe.PaymentIntentParams {
	return &stripe.PaymentIntentParams{Amount: &cents, Currency: stripe.String("usd"), PaymentMethodTypes: stripe.StringSlice([]string{"card"}),
		ConfirmationMethod: stripe.String("manual"), CaptureMethod: stripe.String("automatic"), StatementDescriptorSuffix: stripe.String("Paylink 7")}
}

func (b *bench) intent(cents int64) *stripe.PaymentIntent {
	b.Helper()
	pi, err := b.PaymentIntents.New(intentParams(cents))
	return must(pi, err)(b)
}

func (b *bench) confirm(pi, method string) (*stripe.PaymentIntent, error) {
	p := &stripe.PaymentIntentConfirmParams{UseStripeSDK: stripe.Bool(true)}
	if method != "" {
		p.PaymentMethod = &method
	}
	return b.PaymentIntents.Confirm(pi, p)
}

// charges is what the simulator's own books say of an intent: how often it was charged, and how often refused.
func (b *bench) charges(pi string) (paid, failed int) {
	for _, account := range b.sim.Books().Accounts {
		for _, ch := range account.Charges {
			if ch.Intent != pi {
				continue
			}
			if ch.Status == "succeeded" {
				paid++
			} else if ch.Status == "failed" {
				failed++
			}
		}
	}
	return paid, failed
}

func TestAPayerPays(t *testing.T) {
	b := start(t)
	pi := b.intent(9858)
	if pi.Status != "requires_payment_method" {
		t.Fatalf("a new intent is %s", pi.Status)
	}
	m := b.enter("4242424242424242")
	pi, err := b.confirm(pi.ID, m.ID)
	pi = must(pi, err)(b)
	if pi.Status != "succeeded" || pi.AmountReceived != 9858 || pi.PaymentMethod.ID != m.ID {
		t.Fatalf("after the confirm: %s, received %d", pi.Status, pi.AmountReceived)
	}
	if paid, failed := b.charges(pi.ID); paid != 1 || failed != 0 {
		t.Fatalf("%d charges, %d refusals", paid, failed)
	}
}
