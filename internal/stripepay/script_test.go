package stripepay_test

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/stripepay"
)

// The script is what the machine relies on Stripe for. It is played on the simulator by every test run and on real Stripe by `make stripe-live`,
// so that both are held to the same words.

// world is a Stripe to play the script on.
type world struct {
	url     string // "" is Stripe's own
	key     string
	account string // connected account; "" is the platform's own
	// challenge answers the 3-D Secure of a PaymentIntent as the payer would; nil where nobody is there to do it.
	challenge func(t *testing.T, in pay.Intent, pass bool)
}

type scene struct {
	name string
	play func(t *testing.T, w *world)
}

func script() []scene {
	return []scene{
		{"a payer pays", paysOnce},
		{"the same key gives the same answer", sameKey},
		{"a key is good for one request only", keyReused},
		{"a lost answer can be asked for again", lostAnswer},
		{"declines, by reason", declines},
		{"a card that was declined is used up, and another one pays", reuse},
		{"3-D Secure waits, and then takes a new card", newCard},
		{"3-D Secure passed needs the second confirm", passed},
		{"3-D Secure failed is a decline", failed},
		{"cards pressed all at once charge once", concurrent},
		{"off session is refused, on session may go on", offThenOn},
		{"cancel in each state", cancels},
		{"a cancel whose answer was lost", lostCancel},
		{"money goes back, in parts and by its key", givesBack},
		{"a refund that can't be made", refundsRefused},
		{"a lost refund is found in the list", lostRefund},
		{"a dispute shows what it has moved", contests},
		{"a saved card pays off session", saved},
		{"a card is kept for later, followed, and let go", keeps},
		{"what has moved is told, and told again by its cause", movements},
		{"what was told is kept, and listed", events},
		{"what does not exist", nothingThere},
	}
}

func (w *world) play(t *testing.T) {
	scenes := script()
	if w.account != "" {
		scenes = append(scenes, scene{"one account does not see another's", accounts}, scene{"a saved card of the platform is charged as a copy", clones})
	}
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) { s.play(t, w) })
	}
}

func (w *world) gateway(t *testing.T, transport http.RoundTripper) *stripepay.Gateway {
	t.Helper()
	g, err := stripepay.New(stripepay.Config{Now: time.Now, SecretKey: w.key, APIURL: w.url, Timeout: 30 * time.Second, StatementSuffix: "MONITOR", Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// raw is Stripe's own library, for what the Gateway does not do.
func (w *world) raw() *client.API {
	config := &stripe.BackendConfig{MaxNetworkRetries: stripe.Int64(0), EnableTelemetry: stripe.Bool(false), LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull}}
	if w.url != "" {
		config.URL = stripe.String(w.url)
	}
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, config)
	return client.New(w.key, &stripe.Backends{API: backend, Connect: backend, Uploads: backend})
}

func (w *world) params() stripe.Params {
	if w.account == "" {
		return stripe.Params{}
	}
	return stripe.Params{StripeAccount: &w.account}
}

func key() string { return "test:" + rand.Text() }

func (w *world) intent(t *testing.T, g *stripepay.Gateway) pay.Intent {
	t.Helper()
	in, err := g.CreateIntent(t.Context(), pay.IntentRequest{
		Key: key(), Account: w.account, Amount: 9858, PaymentID: "pay_1", ClientID: "100042", VehicleID: "veh_dana_civic", LocationID: "loc_richmond",
		ChainID: "pay_1", Summary: strings.Repeat("ab", 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	if in.Status != pay.RequiresPaymentMethod || in.Amount != 9858 || in.Currency != "usd" || in.Origin.PaymentID != "pay_1" || in.Account != w.account || in.PaymentMethod != "" ||
		!strings.HasPrefix(in.ClientSecret.Reveal(), in.ID+"_secret_") {
		t.Fatalf("a new PaymentIntent is %+v", in)
	}
	return in
}

// confirm is phase 1, with one of Stripe's test cards (stripe.com/docs/testing): its name makes a new PaymentMethod each time.
func (w *world) confirm(t *testing.T, g *stripepay.Gateway, id, card string) (pay.Intent, error) {
	t.Helper()
	return g.Confirm(t.Context(), pay.ConfirmRequest{Key: key(), Account: w.account, IntentID: id, PaymentMethod: card})
}

func (w *world) read(t *testing.T, g *stripepay.Gateway, id string) pay.Intent {
	t.Helper()
	in, err := g.Intent(t.Context(), w.account, id)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// charges counts what Stripe itself lists.
func (w *world) charges(t *testing.T, id string) (paid, failed int) {
	t.Helper()
	p := &stripe.ChargeListParams{PaymentIntent: &id}
	if w.account != "" {
		p.StripeAccount = &w.account
	}
	list := w.raw().Charges.List(p)
	for list.Next() {
		if list.Charge().Status == "succeeded" {
			paid++
		} else {
			failed++
		}
	}
	if list.Err() != nil {
		t.Fatal("the charges could not be listed")
	}
	return paid, failed
}

func (w *world) charged(t *testing.T, id string, paid, failed int) {
	t.Helper()
	if p, f := w.charges(t, id); p != paid || f != failed {
		t.Errorf("%d charges succeeded and %d failed; want %d and %d", p, f, paid, failed)
	}
}

func refused(t *testing.T, err error, status int, code string) {
	t.Helper()
	var no *pay.RequestError
	if !errors.As(err, &no) || no.Status != status || no.Code != code {
		t.Fatalf("want the refusal %d %s, got %v", status, code, err)
	}
}

func declined(t *testing.T, err error, code string) *pay.CardError {
	t.Helper()
	var no *pay.CardError
	if !errors.As(err, &no) || no.Code != code {
		t.Fatalf("want the decline %s, got %v", code, err)
	}
	return no
}

func must(t *testing.T, in pay.Intent, err error) func(pay.IntentStatus) pay.Intent {
	t.Helper()
	return func(status pay.IntentStatus) pay.Intent {
		t.Helper()
		if err != nil || in.Status != status {
			t.Fatalf("want %s, got %s, %v", status, in.Status, err)
		}
		return in
	}
}

// lossy sends requests and loses the answers.
type lossy struct{ next http.RoundTripper }

func (l lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return nil, io.ErrUnexpectedEOF
}

// --- The scenes -----------------------------------------------------------------------------------------------------------------------------

func paysOnce(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	id := w.intent(t, g).ID
	in, err := w.confirm(t, g, id, "pm_card_visa")
	must(t, in, err)(pay.IntentSucceeded)
	for _, got := range []pay.Intent{in, w.read(t, g, id)} {
		if got.ChargeID == "" || got.ChargeMethod == "" || got.ChargeMethod != got.PaymentMethod || got.ErrorCode != "" || got.Card.Brand != "visa" || got.Card.Last4 != "4242" ||
			got.Card.Funding != "credit" || got.Card.AVS == "" || got.Card.CVC == "" {
			t.Errorf("after the payment: %+v", got)
		}
	}
	card, err := g.Card(t.Context(), w.account, in.PaymentMethod)
	if err != nil || card.Brand != "visa" || card.Last4 != "4242" || card.Funding != "credit" {
		t.Errorf("the card is %+v, %v", card, err)
	}
	w.charged(t, id, 1, 0)
	_, err = w.confirm(t, g, id, "pm_card_mastercard")
	refused(t, err, 400, "payment_intent_unexpected_state")
	w.charged(t, id, 1, 0)
}

func sameKey(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	id := w.intent(t, g).ID
	r := pay.ConfirmRequest{Key: key(), Account: w.account, IntentID: id, PaymentMethod: "pm_card_visa"}
	first, err := g.Confirm(t.Context(), r)
	must(t, first, err)(pay.IntentSucceeded)
	again, err := g.Confirm(t.Context(), r)
	must(t, again, err)(pay.IntentSucceeded)
	if again.ChargeID != first.ChargeID {
		t.Errorf("first %s, then %s", first.ChargeID, again.ChargeID)
	}
	w.charged(t, id, 1, 0)

	create := pay.IntentRequest{Key: key(), Account: w.account, Amount: 5000, PaymentID: "pay_2"}
	one, err1 := g.CreateIntent(t.Context(), create)
	two, err2 := g.CreateIntent(t.Context(), create)
	if err1 != nil || err2 != nil || one.ID != two.ID {
		t.Errorf("one key made %s and %s (%v, %v)", one.ID, two.ID, err1, err2)
	}
}

func keyReused(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	r := pay.IntentRequest{Key: key(), Account: w.account, Amount: 5000, PaymentID: "pay_3"}
	if _, err := g.CreateIntent(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.Amount = 5001
	_, err := g.CreateIntent(t.Context(), r)
	refused(t, err, 400, "idempotency_error")
}

func lostAnswer(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	id := w.intent(t, g).ID
	r := pay.ConfirmRequest{Key: key(), Account: w.account, IntentID: id, PaymentMethod: "pm_card_visa"}
	if _, err := w.gateway(t, lossy{http.DefaultTransport}).Confirm(t.Context(), r); !errors.Is(err, pay.ErrUnclear) {
		t.Fatal(err)
	}
	if in := w.read(t, g, id); in.Status != pay.IntentSucceeded {
		t.Fatal(in.Status)
	}
	in, err := g.Confirm(t.Context(), r)
	must(t, in, err)(pay.IntentSucceeded)
	w.charged(t, id, 1, 0)
}

func declines(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	for card, code := range map[string]string{
		"pm_card_visa_chargeDeclined": "generic_decline", "pm_card_visa_chargeDeclinedInsufficientFunds": "insufficient_funds",
		"pm_card_visa_chargeDeclinedLostCard": "lost_card", "pm_card_visa_chargeDeclinedStolenCard": "stolen_card",
		"pm_card_chargeDeclinedExpiredCard": "expired_card", "pm_card_chargeDeclinedIncorrectCvc": "incorrect_cvc",
		"pm_card_chargeDeclinedProcessingError": "processing_error", "pm_card_radarBlock": "fraudulent",
	} {
		t.Run(card, func(t *testing.T) {
			id := w.intent(t, g).ID
			_, err := w.confirm(t, g, id, card)
			no := declined(t, err, code)
			if no.Intent == nil || no.Intent.ID != id || no.Intent.Account != w.account {
				t.Fatalf("the decline carries %+v", no.Intent)
			}
			seen := w.read(t, g, id)
			for _, in := range []pay.Intent{*no.Intent, seen} {
				if in.Status != pay.RequiresPaymentMethod || in.ErrorCode != code || !strings.HasPrefix(in.ErrorMethod, "pm_") || in.PaymentMethod != "" {
					t.Errorf("after the decline: %+v", in)
				}
			}
			if seen.ErrorMethod != no.Intent.ErrorMethod {
				t.Error("the decline and a look name different cards")
			}
			w.charged(t, id, 0, 1)
		})
	}
}

func reuse(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	id := w.intent(t, g).ID
	_, err := w.confirm(t, g, id, "pm_card_visa_chargeDeclined")
	no := declined(t, err, "generic_decline")
	_, err = w.confirm(t, g, id, no.Intent.ErrorMethod)
	refused(t, err, 400, "payment_method_unexpected_state")
	if in := w.read(t, g, id); in.Status != pay.RequiresPaymentMethod || in.ErrorMethod != no.Intent.ErrorMethod {
		t.Errorf("after the refusal: %+v", in)
	}
	in, err := w.confirm(t, g, id, "pm_card_mastercard")
	if in = must(t, in, err)(pay.IntentSucceeded); in.Card.Brand != "mastercard" || in.ErrorCode != "" {
		t.Errorf("after the second card: %+v", in)
	}
	w.charged(t, id, 1, 1)
}

func newCard(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	id := w.intent(t, g).ID
	in, err := w.confirm(t, g, id, "pm_card_authenticationRequired")
	in = must(t, in, err)(pay.RequiresAction)
	if !strings.HasPrefix(in.PaymentMethod, "pm_") || in.ClientSecret.Reveal() == "" || in.ChargeID != "" {
		t.Fatalf("waiting: %+v", in)
	}
	_, err = g.Confirm(t.Context(), pay.ConfirmRequest{Key: key(), Account: w.account, IntentID: id})
	refused(t, err, 400, "payment_intent_unexpected_state")
	after, err := w.confirm(t, g, id, "pm_card_visa")
	after = must(t, after, err)(pay.IntentSucceeded)
	if after.ChargeMethod == in.PaymentMethod {
		t.Error("the first card was charged")
	}
	w.charged(t, id, 1, 0)
}

func (w *world) challenged(t *testing.T, g *stripepay.Gateway, pass bool) pay.Intent {
	t.Helper()
	if w.challenge == nil {
		t.Skip("left out: nobody is here to answer the bank's challenge")
	}
	in, err := w.confirm(t, g, w.intent(t, g).ID, "pm_card_authenticationRequired")
	in = must(t, in, err)(pay.RequiresAction)
	w.challenge(t, in, pass)
	return in
}

func passed(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	in := w.challenged(t, g, true)
	seen := w.read(t, g, in.ID)
	if seen.Status != pay.RequiresConfirmation || seen.PaymentMethod != in.PaymentMethod {
		t.Fatalf("after the challenge: %+v", seen)
	}
	w.charged(t, in.ID, 0, 0)
	after, err := g.Confirm(t.Context(), pay.ConfirmRequest{Key: key(), Account: w.account, IntentID: in.ID})
	if after = must(t, after, err)(pay.IntentSucceeded); after.ChargeMethod != in.PaymentMethod {
		t.Errorf("charged: %+v", after)
	}
	w.charged(t, in.ID, 1, 0)
}

func failed(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	in := w.challenged(t, g, false)
	seen := w.read(t, g, in.ID)
	if seen.Status != pay.RequiresPaymentMethod || seen.ErrorCode != "payment_intent_authentication_failure" || seen.ErrorMethod != in.PaymentMethod {
		t.Fatalf("after the challenge: %+v", seen)
	}
	w.charged(t, in.ID, 0, 0)
}

func concurrent(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	id := w.intent(t, g).ID
	var wg sync.WaitGroup
	results := make([]error, 8)
	begin := make(chan struct{})
	for i := range results {
		wg.Go(func() {
			<-begin
			_, results[i] = w.confirm(t, g, id, "pm_card_visa")
		})
	}
	close(begin)
	wg.Wait()
	won := 0
	for _, err := range results {
		var no *pay.RequestError
		switch {
		case err == nil:
			won++
		case errors.As(err, &no), errors.Is(err, pay.ErrUnclear): // 400: it is paid; 409, 429: Stripe holds a lock
		default:
			t.Error(err)
		}
	}
	if in := w.read(t, g, id); won != 1 || in.Status != pay.IntentSucceeded {
		t.Errorf("%d confirms won, and it is %s", won, in.Status)
	}
	w.charged(t, id, 1, 0)
}

func offThenOn(t *testing.T, w *world) {
	g, raw := w.gateway(t, nil), w.raw()
	customer, err := raw.Customers.New(&stripe.CustomerParams{Params: w.params(), Name: stripe.String("Dana Whitfield")})
	if err != nil {
		t.Fatal("no customer could be made")
	}
	attach := &stripe.PaymentMethodAttachParams{Params: w.params(), Customer: &customer.ID}
	method, err := raw.PaymentMethods.Attach("pm_card_authenticationRequired", attach)
	if err != nil {
		t.Fatal("the card could not be attached")
	}
	pi, err := raw.PaymentIntents.New(&stripe.PaymentIntentParams{Params: w.params(), Amount: stripe.Int64(9858), Currency: stripe.String("usd"), Customer: &customer.ID,
		PaymentMethodTypes: stripe.StringSlice([]string{"card"}), ConfirmationMethod: stripe.String("manual")})
	if err != nil {
		t.Fatal("no PaymentIntent could be made")
	}
	_, err = raw.PaymentIntents.Confirm(pi.ID, &stripe.PaymentIntentConfirmParams{Params: w.params(), PaymentMethod: &method.ID, OffSession: stripe.Bool(true)})
	e, ok := errors.AsType[*stripe.Error](err)
	if !ok || e.HTTPStatusCode != 402 || e.Code != stripe.ErrorCodeAuthenticationRequired {
		t.Fatal("the confirm off session was not refused with authentication_required")
	}
	in := w.read(t, g, pi.ID)
	if in.Status != pay.RequiresPaymentMethod || in.ErrorCode != "authentication_required" || in.ErrorMethod != method.ID {
		t.Fatalf("after it: %+v", in)
	}
	in, err = w.confirm(t, g, pi.ID, method.ID)
	must(t, in, err)(pay.RequiresAction)
	w.charged(t, pi.ID, 0, 1)
}

func cancels(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	gone := func(t *testing.T, id string) {
		t.Helper()
		in, err := g.Cancel(t.Context(), w.account, id)
		must(t, in, err)(pay.IntentCanceled)
		_, err = w.confirm(t, g, id, "pm_card_visa")
		refused(t, err, 400, "payment_intent_unexpected_state")
		_, err = g.Cancel(t.Context(), w.account, id)
		refused(t, err, 400, "payment_intent_unexpected_state")
		if in := w.read(t, g, id); in.Status != pay.IntentCanceled {
			t.Error(in.Status)
		}
		if paid, _ := w.charges(t, id); paid != 0 {
			t.Error("it was charged")
		}
	}
	t.Run("requires_payment_method", func(t *testing.T) { gone(t, w.intent(t, g).ID) })
	t.Run("after a decline", func(t *testing.T) {
		id := w.intent(t, g).ID
		_, err := w.confirm(t, g, id, "pm_card_visa_chargeDeclined")
		declined(t, err, "generic_decline")
		gone(t, id)
	})
	t.Run("requires_action", func(t *testing.T) {
		in, err := w.confirm(t, g, w.intent(t, g).ID, "pm_card_authenticationRequired")
		gone(t, must(t, in, err)(pay.RequiresAction).ID)
	})
	t.Run("requires_confirmation", func(t *testing.T) { gone(t, w.challenged(t, g, true).ID) })
	t.Run("succeeded", func(t *testing.T) {
		in, err := w.confirm(t, g, w.intent(t, g).ID, "pm_card_visa")
		id := must(t, in, err)(pay.IntentSucceeded).ID
		_, err = g.Cancel(t.Context(), w.account, id)
		refused(t, err, 400, "payment_intent_unexpected_state")
		if in := w.read(t, g, id); in.Status != pay.IntentSucceeded {
			t.Error(in.Status)
		}
	})
}

func lostCancel(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	id := w.intent(t, g).ID
	if _, err := w.gateway(t, lossy{http.DefaultTransport}).Cancel(t.Context(), w.account, id); !errors.Is(err, pay.ErrUnclear) {
		t.Fatal(err)
	}
	_, err := g.Cancel(t.Context(), w.account, id)
	refused(t, err, 400, "payment_intent_unexpected_state")
	if in := w.read(t, g, id); in.Status != pay.IntentCanceled {
		t.Fatal(in.Status)
	}
}

func nothingThere(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	_, err := g.Intent(t.Context(), w.account, "pi_nobody")
	refused(t, err, 404, "resource_missing")
	_, err = g.Card(t.Context(), w.account, "pm_nobody")
	refused(t, err, 404, "resource_missing")
	_, err = g.Cancel(t.Context(), w.account, "pi_nobody")
	refused(t, err, 404, "resource_missing")
	id := w.intent(t, g).ID
	_, err = w.confirm(t, g, id, "pm_nobody")
	refused(t, err, 400, "resource_missing")
	if in := w.read(t, g, id); in.Status != pay.RequiresPaymentMethod || in.ErrorMethod != "" {
		t.Errorf("a refusal left a trace: %+v", in)
	}
	_, err = g.Confirm(t.Context(), pay.ConfirmRequest{Key: key(), Account: w.account, IntentID: id})
	refused(t, err, 400, "payment_intent_unexpected_state")
}

func accounts(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	id := w.intent(t, g).ID
	_, err := g.Intent(t.Context(), "", id)
	refused(t, err, 404, "resource_missing")
}

// paid is a PaymentIntent that was charged 98.58 to one of Stripe's test cards.
func (w *world) paid(t *testing.T, g *stripepay.Gateway, card string) pay.Intent {
	t.Helper()
	in, err := w.confirm(t, g, w.intent(t, g).ID, card)
	return must(t, in, err)(pay.IntentSucceeded)
}

func (w *world) refunds(t *testing.T, g *stripepay.Gateway, id string) []pay.GivenBack {
	t.Helper()
	all, err := g.Refunds(t.Context(), w.account, id)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func givesBack(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	id := w.paid(t, g, "pm_card_visa").ID
	if all := w.refunds(t, g, id); len(all) != 0 {
		t.Fatalf("before any refund: %+v", all)
	}
	r := pay.RefundRequest{Key: key(), Account: w.account, IntentID: id, Amount: 858, RefundID: "rf_1", PaymentID: "pay_1"}
	first, err := g.Refund(t.Context(), r)
	if err != nil || !strings.HasPrefix(first.ID, "re_") || first.RefundID != "rf_1" || first.IntentID != id || first.Amount != 858 || first.Status != pay.RefundSucceeded ||
		first.Failure != "" || first.At.IsZero() {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := g.Refund(t.Context(), r)
	if err != nil || again.ID != first.ID {
		t.Fatalf("the same key made %s and %s, %v", first.ID, again.ID, err)
	}
	// Somebody at Stripe's dashboard gives back the rest.
	if _, err := w.raw().Refunds.New(&stripe.RefundParams{Params: w.params(), PaymentIntent: &id}); err != nil {
		t.Fatal("the rest could not be given back")
	}
	all := w.refunds(t, g, id)
	if len(all) != 2 || all[1] != first || all[0].RefundID != "" || all[0].Amount != 9000 || all[0].IntentID != id || all[0].Status != pay.RefundSucceeded {
		t.Fatalf("after two refunds: %+v", all)
	}
	if in := w.read(t, g, id); in.Refunded != 9858 || in.Status != pay.IntentSucceeded {
		t.Errorf("the PaymentIntent: %+v", in)
	}
	r.Key, r.RefundID = key(), "rf_2"
	_, err = g.Refund(t.Context(), r)
	refused(t, err, 400, "charge_already_refunded")
}

func refundsRefused(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	no := func(id string, amount money.Cents) *pay.RequestError {
		t.Helper()
		_, err := g.Refund(t.Context(), pay.RefundRequest{Key: key(), Account: w.account, IntentID: id, Amount: amount, RefundID: "rf_1"})
		e, ok := errors.AsType[*pay.RequestError](err)
		if !ok || e.Status < 400 || e.Status > 404 {
			t.Fatalf("%s, %d: %v", id, amount, err)
		}
		return e
	}
	no("pi_nobody", 100)
	no(w.intent(t, g).ID, 100) // nothing was charged
	id := w.paid(t, g, "pm_card_visa").ID
	no(id, 9859)
	if all := w.refunds(t, g, id); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func lostRefund(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	id := w.paid(t, g, "pm_card_visa").ID
	r := pay.RefundRequest{Key: key(), Account: w.account, IntentID: id, Amount: 9858, RefundID: "rf_lost", PaymentID: "pay_1"}
	if _, err := w.gateway(t, lossy{http.DefaultTransport}).Refund(t.Context(), r); !errors.Is(err, pay.ErrUnclear) {
		t.Fatal(err)
	}
	if all := w.refunds(t, g, id); len(all) != 1 || all[0].RefundID != "rf_lost" || all[0].Amount != 9858 {
		t.Fatalf("%+v", all)
	}
}

func contests(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	quiet := w.paid(t, g, "pm_card_visa").ID
	in := w.paid(t, g, "pm_card_createDispute")
	var all []pay.Contest
	for end := time.Now().Add(time.Minute); len(all) == 0 && time.Now().Before(end); { // real Stripe takes seconds to open it
		var err error
		if all, err = g.Contests(t.Context(), w.account, in.ID); err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 {
			time.Sleep(time.Second)
		}
	}
	if len(all) != 1 {
		t.Fatal("there is no dispute")
	}
	d := all[0]
	if !strings.HasPrefix(d.ID, "dp_") && !strings.HasPrefix(d.ID, "du_") || d.IntentID != in.ID || d.ChargeID != in.ChargeID || d.Amount != 9858 || d.Reason != "fraudulent" ||
		d.Status != "needs_response" || !d.EvidenceBy.After(d.At) || len(d.Moved) != 1 {
		t.Fatalf("%+v", d)
	}
	if m := d.Moved[0]; !strings.HasPrefix(m.ID, "txn_") || m.Type != "adjustment" || m.Amount != -9858 || m.Fee <= 0 || m.Source != d.ID || m.IntentID != in.ID || m.Origin.PaymentID != "pay_1" {
		t.Errorf("it moved %+v", m)
	}
	if in := w.read(t, g, in.ID); !in.Disputed {
		t.Error("the charge does not show it")
	}
	_, err := g.Refund(t.Context(), pay.RefundRequest{Key: key(), Account: w.account, IntentID: in.ID, Amount: 100, RefundID: "rf_1"})
	refused(t, err, 400, "charge_disputed")
	if all, err := g.Contests(t.Context(), w.account, quiet); err != nil || len(all) != 0 {
		t.Errorf("of another PaymentIntent: %+v, %v", all, err)
	}
}

// saved keeps one of Stripe's test cards on a new customer of an account.
func (w *world) saved(t *testing.T, p stripe.Params, card string) (customer, method string) {
	t.Helper()
	c, err := w.raw().Customers.New(&stripe.CustomerParams{Params: p, Name: stripe.String("Dana Whitfield")})
	if err != nil {
		t.Fatal("no customer could be made")
	}
	m, err := w.raw().PaymentMethods.Attach(card, &stripe.PaymentMethodAttachParams{Params: p, Customer: &c.ID})
	if err != nil {
		t.Fatal("the card could not be attached")
	}
	return c.ID, m.ID
}

func saved(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	customer, method := w.saved(t, w.params(), "pm_card_visa")
	pays := func(customer string) (pay.Intent, error) {
		t.Helper()
		in, err := g.CreateIntent(t.Context(), pay.IntentRequest{Key: key(), Account: w.account, Amount: 9858, PaymentID: "pay_1", Customer: customer})
		if err != nil {
			t.Fatal(err)
		}
		return g.Confirm(t.Context(), pay.ConfirmRequest{Key: key(), Account: w.account, IntentID: in.ID, PaymentMethod: method, OffSession: true})
	}
	for range 2 { // a saved card is not used up
		in, err := pays(customer)
		if in = must(t, in, err)(pay.IntentSucceeded); in.ChargeMethod != method {
			t.Errorf("charged: %+v", in)
		}
	}
	_, err := pays("")
	if e, ok := errors.AsType[*pay.RequestError](err); !ok || e.Status != 400 {
		t.Errorf("without its customer: %v", err)
	}
}

// Cards on file are the platform's own, whichever account a payment settles to.
func keeps(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	k := key()
	customer, err := g.NewCustomer(t.Context(), k, "100042")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := g.NewCustomer(t.Context(), k, "100042"); err != nil || again != customer {
		t.Errorf("the same key made %s, %v", again, err)
	}
	in, err := g.NewSetup(t.Context(), key(), customer, "100042")
	if err != nil || in.Succeeded || in.Method != nil || in.Customer != customer || in.Secret.Reveal() == "" {
		t.Fatalf("asked for: %+v, %v", in, err)
	}
	confirm := func(card string) error {
		_, err := w.raw().SetupIntents.Confirm(in.ID, &stripe.SetupIntentConfirmParams{PaymentMethod: stripe.String(card)})
		return err
	}
	if err := confirm("pm_card_chargeDeclined"); err == nil {
		t.Error("a card that the bank refuses is set up")
	}
	if got, err := g.Setup(t.Context(), in.ID); err != nil || got.Succeeded || got.ErrorCode != "generic_decline" {
		t.Errorf("refused: %+v, %v", got, err)
	}
	if err := confirm("pm_card_visa"); err != nil {
		t.Fatal("the card could not be set up")
	}
	done, err := g.Setup(t.Context(), in.ID)
	if err != nil || !done.Succeeded || done.Method == nil || done.Method.Customer != customer || done.Method.Brand != "visa" || done.Method.Last4 != "4242" || done.Method.Fingerprint == "" || done.Method.ExpYear < 2024 {
		t.Fatalf("set up: %+v, %v", done, err)
	}
	method := done.Method.PaymentMethod
	if m, there, err := g.Saved(t.Context(), method); err != nil || !there || m != *done.Method {
		t.Errorf("read by itself: %+v, %t, %v", m, there, err)
	}
	if err := g.Detach(t.Context(), method); err != nil {
		t.Fatal(err)
	}
	if m, there, err := g.Saved(t.Context(), method); err != nil || !there || m.Customer != "" {
		t.Errorf("let go: %+v, %t, %v", m, there, err)
	}
	if _, no := errors.AsType[*pay.RequestError](g.Detach(t.Context(), method)); !no {
		t.Error("what is detached can be detached again")
	}
	if _, there, err := g.Saved(t.Context(), "pm_nobody"); err != nil || there {
		t.Errorf("nobody's: %t, %v", there, err)
	}
	if there, err := g.Customer(t.Context(), customer); err != nil || !there {
		t.Errorf("the customer: %t, %v", there, err)
	}
	if _, err := w.raw().Customers.Del(customer, nil); err != nil {
		t.Fatal("the customer could not be deleted")
	}
	if there, err := g.Customer(t.Context(), customer); err != nil || there {
		t.Errorf("once it is deleted: %t, %v", there, err)
	}
	_, err = g.NewSetup(t.Context(), key(), customer, "100042")
	refused(t, err, 400, "resource_missing")
	if !strings.HasPrefix(w.key, "sk_test_sim") {
		return // what Stripe has told is looked for where its clock stands still
	}
	told := map[string]string{}
	if err := g.Events(t.Context(), "", time.Unix(0, 0), func(page []pay.Notice) error {
		for _, n := range page {
			if n.Card != "" {
				told[n.Type] = n.Card
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{"setup_intent.succeeded": in.ID, "setup_intent.setup_failed": in.ID, "payment_method.detached": method, "customer.deleted": customer} {
		if told[kind] != want {
			t.Errorf("%s tells of %q", kind, told[kind])
		}
	}
}

func clones(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	customer, method := w.saved(t, stripe.Params{}, "pm_card_mastercard") // of the platform
	_, err := w.confirm(t, g, w.intent(t, g).ID, method)
	refused(t, err, 400, "resource_missing") // the original is not of this account
	for range 2 {
		copied, err := g.Clone(t.Context(), w.account, customer, method)
		if err != nil || copied == method || !strings.HasPrefix(copied, "pm_") {
			t.Fatalf("the copy is %q, %v", copied, err)
		}
		in, err := g.Confirm(t.Context(), pay.ConfirmRequest{Key: key(), Account: w.account, IntentID: w.intent(t, g).ID, PaymentMethod: copied, OffSession: true})
		if in = must(t, in, err)(pay.IntentSucceeded); in.ChargeMethod != copied || in.Card.Brand != "mastercard" {
			t.Errorf("charged: %+v", in)
		}
		_, err = w.confirm(t, g, w.intent(t, g).ID, copied)
		refused(t, err, 400, "payment_method_unexpected_state") // it is used up
	}
	_, err = g.Clone(t.Context(), w.account, customer, "pm_nobody")
	refused(t, err, 400, "resource_missing")
}

// since is a time safely before what a scene does, by Stripe's clock: within the simulator's, which stands still.
func (w *world) since(t *testing.T, g *stripepay.Gateway) time.Time {
	t.Helper()
	return w.intent(t, g).CreatedAt
}

func movements(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	since := w.since(t, g)
	in := w.paid(t, g, "pm_card_visa")
	back, err := g.Refund(t.Context(), pay.RefundRequest{Key: key(), Account: w.account, IntentID: in.ID, Amount: 858, RefundID: "rf_1", PaymentID: "pay_1"})
	if err != nil {
		t.Fatal(err)
	}
	var charge, refund pay.Movement
	balance := func() money.Cents {
		t.Helper()
		b, err := g.Balance(t.Context(), w.account)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	before := balance()
	err = g.Movements(t.Context(), w.account, since, since.Add(24*time.Hour), func(page []pay.Movement) error {
		for _, m := range page {
			switch m.Source {
			case in.ChargeID:
				charge = m
			case back.ID:
				refund = m
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(charge.ID, "txn_") || charge.Type != "charge" || charge.Amount != 9858 || charge.Fee <= 0 || charge.IntentID != in.ID || charge.Origin.PaymentID != "pay_1" ||
		charge.Origin.ClientID != "100042" || charge.At.Before(since) {
		t.Errorf("the charge moved %+v", charge)
	}
	if !strings.HasPrefix(refund.ID, "txn_") || refund.Type != "refund" || refund.Amount != -858 || refund.IntentID != in.ID || refund.Origin.PaymentID != "pay_1" {
		t.Errorf("the refund moved %+v", refund)
	}
	for object, want := range map[string]pay.Movement{in.ID: charge, back.ID: refund, charge.ID: charge, refund.ID: refund} {
		got, err := g.MovementsOf(t.Context(), w.account, object)
		if err != nil || len(got) != 1 || got[0].ID != want.ID || got[0].Amount != want.Amount || got[0].Fee != want.Fee || got[0].Type != want.Type {
			t.Errorf("%s moved %+v, %v", object, got, err)
		}
	}
	for _, nobody := range []string{"pi_nobody", "re_nobody", "po_nobody", "txn_nobody", w.intent(t, g).ID} {
		if got, err := g.MovementsOf(t.Context(), w.account, nobody); err != nil || len(got) != 0 {
			t.Errorf("%s moved %+v, %v", nobody, got, err)
		}
	}
	err = g.Movements(t.Context(), w.account, since.Add(-48*time.Hour), since.Add(-24*time.Hour), func(page []pay.Movement) error {
		for _, m := range page {
			if m.Source == in.ChargeID {
				t.Error("today's charge is listed with the day before yesterday's")
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	other := w.paid(t, g, "pm_card_visa")
	moved, err := g.MovementsOf(t.Context(), w.account, other.ID)
	if err != nil || len(moved) != 1 {
		t.Fatalf("%+v, %v", moved, err)
	}
	if after := balance(); after != before+moved[0].Amount-moved[0].Fee {
		t.Errorf("the balance went from %s to %s", before, after)
	}
}

func events(t *testing.T, w *world) {
	g := w.gateway(t, nil)
	since := w.since(t, g)
	in := w.paid(t, g, "pm_card_visa")
	if _, err := g.Refund(t.Context(), pay.RefundRequest{Key: key(), Account: w.account, IntentID: in.ID, Amount: 858, RefundID: "rf_1"}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]pay.Notice{}
	for end := time.Now().Add(30 * time.Second); (seen["payment_intent.succeeded"].ID == "" || seen["charge.refunded"].ID == "") && time.Now().Before(end); time.Sleep(time.Millisecond) {
		err := g.Events(t.Context(), w.account, since, func(page []pay.Notice) error {
			for _, n := range page {
				if n.IntentID == in.ID {
					seen[n.Type] = n
				}
				if n.Account != w.account || n.At.Before(since) || n.ID == "" {
					t.Errorf("an event: %+v", n)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen["payment_intent.succeeded"].ID == "" || seen["charge.refunded"].ID == "" || seen["payment_intent.created"].ID != "" {
		t.Errorf("events: %+v", seen)
	}
}
