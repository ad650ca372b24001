// Package stripepay is Stripe, and nobody else here knows its library.
package stripepay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/balance"
	"github.com/stripe/stripe-go/v76/balancetransaction"
	"github.com/stripe/stripe-go/v76/customer"
	"github.com/stripe/stripe-go/v76/dispute"
	"github.com/stripe/stripe-go/v76/event"
	"github.com/stripe/stripe-go/v76/paymentintent"
	"github.com/stripe/stripe-go/v76/paymentmethod"
	"github.com/stripe/stripe-go/v76/payout"
	"github.com/stripe/stripe-go/v76/refund"
	"github.com/stripe/stripe-go/v76/setupintent"

	"paylink/internal/money"
	"paylink/internal/pay"
)

// What New refuses.
var (
	ErrKey     = errors.New("stripepay: the secret key must be one of Stripe's: sk_test_…, sk_live_…, rk_test_… or rk_live_…")
	ErrURL     = errors.New("stripepay: the API's URL must be https://HOST, or http://HOST with a test key")
	ErrTimeout = errors.New("stripepay: a timeout is required")
	ErrClock   = errors.New("stripepay: a clock is required")

	errRedirect = errors.New("redirected")
)

// answerLimit is in bytes. A PaymentIntent with all that is expanded has about ten thousand, a page of a list a hundred such.
const answerLimit = 4 << 20

// Config is what a Gateway needs. Now, SecretKey and Timeout are required.
type Config struct {
	Now             func() time.Time
	SecretKey       string
	APIURL          string // "" is Stripe's own
	Timeout         time.Duration
	StatementSuffix string            // what a card statement shows after the account's own prefix; at most 22 characters with it; "" is nothing
	Transport       http.RoundTripper // nil is one of its own
}

// Gateway realises pay.Gateway. Its errors hold no secret: nothing that Stripe's library says in words is passed on, for its errors print whole
// answers, client_secret included.
type Gateway struct {
	intents  paymentintent.Client
	methods  paymentmethod.Client
	setups   setupintent.Client
	persons  customer.Client
	refunds  refund.Client
	disputes dispute.Client
	payouts  payout.Client
	events   event.Client
	balances balancetransaction.Client
	balance  balance.Client
	live     bool
	suffix   string
	health   *health
}

// New returns a Gateway that has asked nothing yet. Errors: ErrKey, ErrURL, ErrTimeout, ErrClock, all that apply.
func New(c Config) (*Gateway, error) {
	var problems []error
	kind, mode, secret := splitKey(c.SecretKey)
	if (kind != "sk" && kind != "rk") || (mode != "test" && mode != "live") || secret == "" || strings.TrimSpace(c.SecretKey) != c.SecretKey {
		problems = append(problems, ErrKey)
	}
	address := stripe.APIURL
	if c.APIURL != "" {
		u, err := url.Parse(c.APIURL)
		if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && (u.Scheme != "http" || mode == "live")) {
			problems = append(problems, ErrURL)
		}
		address = c.APIURL
	}
	if c.Timeout <= 0 {
		problems = append(problems, ErrTimeout)
	}
	if c.Now == nil {
		problems = append(problems, ErrClock)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	heard := &health{now: c.Now}
	next := c.Transport
	if next == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.MaxIdleConnsPerHost = own.MaxIdleConns // all of them go to one host
		next = own
	}
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL:               stripe.String(address),
		EnableTelemetry:   stripe.Bool(false),
		MaxNetworkRetries: stripe.Int64(0),
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull}, // its log prints answers
		HTTPClient:        &http.Client{Transport: listening{once{next}, heard}, Timeout: c.Timeout},
	})
	return &Gateway{
		intents:  paymentintent.Client{B: backend, Key: c.SecretKey},
		methods:  paymentmethod.Client{B: backend, Key: c.SecretKey},
		setups:   setupintent.Client{B: backend, Key: c.SecretKey},
		persons:  customer.Client{B: backend, Key: c.SecretKey},
		refunds:  refund.Client{B: backend, Key: c.SecretKey},
		disputes: dispute.Client{B: backend, Key: c.SecretKey},
		payouts:  payout.Client{B: backend, Key: c.SecretKey},
		events:   event.Client{B: backend, Key: c.SecretKey},
		balances: balancetransaction.Client{B: backend, Key: c.SecretKey},
		balance:  balance.Client{B: backend, Key: c.SecretKey},
		live:     mode == "live",
		suffix:   c.StatementSuffix,
		health:   heard,
	}, nil
}

func splitKey(key string) (kind, mode, secret string) {
	kind, rest, _ := strings.Cut(key, "_")
	mode, secret, _ = strings.Cut(rest, "_")
	return kind, mode, secret
}

// once sends a request once. Without it net/http sends a request that carries an Idempotency-Key again on its own when a kept connection breaks,
// and the machine's count of the copies sent would be wrong. It follows no redirect, and bounds the answer.
type once struct{ next http.RoundTripper }

func (o once) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.GetBody = nil // what can't be rewound is not sent again
	answer, err := o.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 && answer.StatusCode < 400 {
		_ = answer.Body.Close()
		return nil, errRedirect
	}
	answer.Body = bounded{io.LimitReader(answer.Body, answerLimit), answer.Body}
	return answer, nil
}

type bounded struct {
	io.Reader
	io.Closer
}

// CreateIntent asks for a PaymentIntent that only the server can confirm. Errors as pay.Gateway says.
func (g *Gateway) CreateIntent(ctx context.Context, r pay.IntentRequest) (pay.Intent, error) {
	p := &stripe.PaymentIntentParams{
		Params:             params(ctx, r.Account, r.Key),
		Amount:             stripe.Int64(int64(r.Amount)),
		Currency:           stripe.String("usd"),
		PaymentMethodTypes: stripe.StringSlice([]string{"card"}), // else 2023-10-16 turns on methods that demand a return_url
		ConfirmationMethod: stripe.String("manual"),              // the browser can never move money
		CaptureMethod:      stripe.String("automatic"),
	}
	if r.Customer != "" {
		p.Customer = stripe.String(r.Customer)
	}
	if g.suffix != "" {
		p.StatementDescriptorSuffix = stripe.String(g.suffix)
	}
	// Ids only, enough to rebuild the payment's row after a restore.
	for _, m := range [][2]string{
		{"app", "paylink"}, {"payment", r.PaymentID}, {"client", r.ClientID}, {"vehicle", r.VehicleID}, {"location", r.LocationID}, {"chain", r.ChainID}, {"summary", r.Summary},
	} {
		if m[1] != "" {
			p.AddMetadata(m[0], m[1])
		}
	}
	if r.Key == "" {
		return pay.Intent{}, unasked("idempotency key")
	}
	pi, err := g.intents.New(p)
	return g.intent(pi, "", r.Account, err)
}

// Confirm asks to charge, by the caller's idempotency key. Errors as pay.Gateway says.
func (g *Gateway) Confirm(ctx context.Context, r pay.ConfirmRequest) (pay.Intent, error) {
	if r.IntentID == "" || r.Key == "" {
		return pay.Intent{}, unasked("PaymentIntent and idempotency key")
	}
	p := &stripe.PaymentIntentConfirmParams{Params: params(ctx, r.Account, r.Key), UseStripeSDK: stripe.Bool(true)}
	p.AddExpand("latest_charge")
	if r.PaymentMethod != "" {
		p.PaymentMethod = stripe.String(r.PaymentMethod)
	}
	if r.OffSession {
		p.OffSession = stripe.Bool(true)
	}
	pi, err := g.intents.Confirm(r.IntentID, p)
	return g.intent(pi, r.IntentID, r.Account, err)
}

// Cancel asks to cancel, each time by a key of its own: a key that was used would only repeat its answer. What is canceled or paid already answers
// with a *pay.RequestError; a look at the PaymentIntent tells. Other errors as pay.Gateway says.
func (g *Gateway) Cancel(ctx context.Context, account, intentID string) (pay.Intent, error) {
	if intentID == "" {
		return pay.Intent{}, unasked("PaymentIntent")
	}
	p := &stripe.PaymentIntentCancelParams{Params: params(ctx, account, "cancel:"+rand.Text())}
	p.AddExpand("latest_charge")
	pi, err := g.intents.Cancel(intentID, p)
	return g.intent(pi, intentID, account, err)
}

// Intent reads a PaymentIntent. Errors as pay.Gateway says.
func (g *Gateway) Intent(ctx context.Context, account, intentID string) (pay.Intent, error) {
	if intentID == "" {
		return pay.Intent{}, unasked("PaymentIntent") // without an id the library would read the list
	}
	p := &stripe.PaymentIntentParams{Params: params(ctx, account, "")}
	p.AddExpand("latest_charge")
	pi, err := g.intents.Get(intentID, p)
	return g.intent(pi, intentID, account, err)
}

// Card reads a PaymentMethod. One that is no card is a Card without a brand. Errors as pay.Gateway says.
func (g *Gateway) Card(ctx context.Context, account, paymentMethod string) (pay.Card, error) {
	if paymentMethod == "" {
		return pay.Card{}, unasked("PaymentMethod")
	}
	pm, err := g.methods.Get(paymentMethod, &stripe.PaymentMethodParams{Params: params(ctx, account, "")})
	switch {
	case err != nil:
		return pay.Card{}, g.problem(err, account)
	case pm.Object != "payment_method" || pm.ID == "":
		return pay.Card{}, unclear("its answer is no PaymentMethod")
	case pm.Livemode != g.live:
		return pay.Card{}, unclear("its answer is of the other mode, test or live")
	case pm.Card == nil:
		return pay.Card{}, nil
	}
	card := pay.Card{Brand: string(pm.Card.Brand), Last4: pm.Card.Last4, Funding: string(pm.Card.Funding), AVS: "unchecked", CVC: "unchecked"}
	if c := pm.Card.Checks; c != nil {
		card.AVS, card.CVC = checked(string(c.AddressPostalCodeCheck)), checked(string(c.CVCCheck))
	}
	return card, nil
}

// params is what every request carries. An empty key is no key; the library then makes one for a POST.
func params(ctx context.Context, account, key string) stripe.Params {
	p := stripe.Params{Context: ctx}
	if account != "" {
		p.StripeAccount = stripe.String(account)
	}
	if key != "" {
		p.IdempotencyKey = stripe.String(key)
	}
	return p
}

// intent turns an answer into ours. It believes only an answer that is about the PaymentIntent asked for (want; "" is a new one).
func (g *Gateway) intent(pi *stripe.PaymentIntent, want, account string, err error) (pay.Intent, error) {
	switch {
	case err != nil:
		return pay.Intent{}, g.problem(err, account)
	case pi.Object != "payment_intent" || pi.ID == "" || (want != "" && pi.ID != want):
		return pay.Intent{}, unclear("its answer is not the PaymentIntent asked for")
	case pi.Livemode != g.live:
		return pay.Intent{}, unclear("its answer is of the other mode, test or live")
	}
	return intentOf(pi, account), nil
}

func intentOf(pi *stripe.PaymentIntent, account string) pay.Intent {
	in := pay.Intent{
		ID: pi.ID, Account: account, Status: pay.IntentStatus(pi.Status), Amount: money.Cents(pi.Amount), Currency: string(pi.Currency),
		ClientSecret: pay.NewSecret(pi.ClientSecret), CreatedAt: time.Unix(pi.Created, 0), Origin: originOf(pi.Metadata),
	}
	if pi.Customer != nil {
		in.Customer = pi.Customer.ID
	}
	if pi.PaymentMethod != nil {
		in.PaymentMethod = pi.PaymentMethod.ID
	}
	if e := pi.LastPaymentError; e != nil {
		in.ErrorCode = codeOf(e)
		if e.PaymentMethod != nil {
			in.ErrorMethod = e.PaymentMethod.ID
		}
	}
	if c := pi.LatestCharge; c != nil {
		in.ChargeID, in.ChargeMethod = c.ID, c.PaymentMethod
		in.Refunded, in.Disputed = money.Cents(c.AmountRefunded), c.Disputed
		if d := c.PaymentMethodDetails; d != nil && d.Card != nil {
			in.Card = pay.Card{Brand: string(d.Card.Brand), Last4: d.Card.Last4, Funding: string(d.Card.Funding), AVS: "unchecked", CVC: "unchecked"}
			if k := d.Card.Checks; k != nil {
				in.Card.AVS, in.Card.CVC = checked(string(k.AddressPostalCodeCheck)), checked(string(k.CVCCheck))
			}
		}
	}
	return in
}

func originOf(metadata map[string]string) pay.Origin {
	if metadata["app"] != "paylink" {
		return pay.Origin{}
	}
	return pay.Origin{PaymentID: metadata["payment"], ClientID: metadata["client"], VehicleID: metadata["vehicle"], LocationID: metadata["location"], ChainID: metadata["chain"]}
}

func checked(result string) string {
	if result == "" {
		return "unchecked"
	}
	return result
}

func codeOf(e *stripe.Error) string {
	switch {
	case e.DeclineCode != "":
		return string(e.DeclineCode)
	case e.Code != "":
		return string(e.Code)
	}
	return string(e.Type)
}

// problem turns the library's error into ours. Its words stay behind: they hold whole answers, and addresses.
func (g *Gateway) problem(err error, account string) error {
	e, typed := errors.AsType[*stripe.Error](err)
	switch {
	case !typed && errors.Is(err, context.Canceled):
		return unclear("the asker went away")
	case !typed && (errors.Is(err, context.DeadlineExceeded) || timedOut(err)):
		return unclear("it did not answer in time")
	case !typed && isNetwork(err):
		return unclear("the connection failed")
	case !typed:
		return unclear("its answer could not be read")
	case e.HTTPStatusCode >= 500 && e.LastResponse != nil && e.LastResponse.Header.Get("Idempotent-Replayed") == "true":
		return &pay.DeadAnswerError{RequestID: e.RequestID}
	case e.HTTPStatusCode == http.StatusPaymentRequired && e.Type == stripe.ErrorTypeCard:
		card := &pay.CardError{Code: codeOf(e)}
		if e.PaymentIntent != nil && e.PaymentIntent.ID != "" && e.PaymentIntent.Livemode == g.live {
			in := intentOf(e.PaymentIntent, account)
			card.Intent = &in
		}
		return card
	case e.HTTPStatusCode < 400 || e.HTTPStatusCode >= 500 || e.HTTPStatusCode == http.StatusConflict || e.HTTPStatusCode == http.StatusTooManyRequests:
		return unclear(fmt.Sprintf("it answered %d %s, request %s", e.HTTPStatusCode, codeOf(e), e.RequestID))
	}
	return &pay.RequestError{Status: e.HTTPStatusCode, Code: codeOf(e), RequestID: e.RequestID}
}

func timedOut(err error) bool {
	u, ok := errors.AsType[*url.Error](err)
	return ok && u.Timeout()
}

func isNetwork(err error) bool {
	_, ok := errors.AsType[*url.Error](err)
	return ok || errors.Is(err, io.ErrUnexpectedEOF)
}

func unclear(why string) error { return fmt.Errorf("%w: %s", pay.ErrUnclear, why) }

// unasked is the refusal of a request that was never sent, for it lacked something.
func unasked(what string) error {
	return fmt.Errorf("no %s was given: %w", what, &pay.RequestError{Status: http.StatusBadRequest, Code: "parameter_missing", RequestID: "not sent"})
}
