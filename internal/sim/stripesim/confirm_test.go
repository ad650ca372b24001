package stripesim_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stripe/stripe-go/v76"
)

func TestFiftyConfirmsAtOnceChargeOnce(t *testing.T) {
	b := start(t)
	pi := b.intent(9858)
	methods := make([]string, 50)
	for i := range methods {
		methods[i] = b.enter("4242424242424242").ID
	}
	var wg sync.WaitGroup
	results := make([]error, len(methods))
	begin := make(chan struct{})
	for i, m := range methods {
		wg.Go(func() {
			<-begin
			_, results[i] = b.confirm(pi.ID, m)
		})
	}
	close(begin)
	wg.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
			continue
		}
		e, ok := errors.AsType[*stripe.Error](err)
		if !ok || e.HTTPStatusCode != 400 || e.Code != "payment_intent_unexpected_state" || e.PaymentIntent == nil || e.PaymentIntent.Status != "succeeded" {
			t.Errorf("a late confirm got %s", brief(err))
		}
	}
	if paid, failed := b.charges(pi.ID); won != 1 || paid != 1 || failed != 0 {
		t.Fatalf("%d confirms won, %d charges, %d refusals", won, paid, failed)
	}
}

func TestADeclineThenAnotherCard(t *testing.T) {
	b := start(t)
	pi := b.intent(9858)
	declined := b.enter("4000000000009995")
	_, err := b.confirm(pi.ID, declined.ID)
	b.refusal(err, 402, "card_declined")
	// A single-use card is used up by a decline, here and everywhere.
	_, err = b.confirm(pi.ID, declined.ID)
	b.refusal(err, 400, "payment_method_unexpected_state")
	_, err = b.confirm(b.intent(100).ID, declined.ID)
	b.refusal(err, 400, "payment_method_unexpected_state")
	paying := b.enter("5555555555554444")
	after, err := b.confirm(pi.ID, paying.ID)
	if after = must(after, err)(b); after.Status != "succeeded" || after.LastPaymentError != nil {
		t.Fatalf("the second card: %s, %v", after.Status, after.LastPaymentError)
	}
	_, err = b.confirm(b.intent(100).ID, paying.ID)
	b.refusal(err, 400, "payment_method_unexpected_state")
	if paid, failed := b.charges(pi.ID); paid != 1 || failed != 1 {
		t.Fatalf("%d charges, %d refusals", paid, failed)
	}
}

func TestStatesRefuseWhatTheyMust(t *testing.T) {
	b := start(t)
	paid, err := b.confirm(b.intent(100).ID, "pm_card_visa")
	paid = must(paid, err)(b)
	gone, err := b.PaymentIntents.Cancel(b.intent(100).ID, &stripe.PaymentIntentCancelParams{CancellationReason: stripe.String("abandoned")})
	gone = must(gone, err)(b)
	if gone.Status != "canceled" || gone.CancellationReason != "abandoned" || gone.CanceledAt == 0 {
		t.Fatalf("canceled: %s %s %d", gone.Status, gone.CancellationReason, gone.CanceledAt)
	}
	for _, pi := range []*stripe.PaymentIntent{paid, gone} {
		_, err := b.confirm(pi.ID, "pm_card_visa")
		e := b.refusal(err, 400, "payment_intent_unexpected_state")
		if e.PaymentIntent == nil || e.PaymentIntent.Status != pi.Status {
			t.Errorf("confirming a %s intent: the error does not carry it", pi.Status)
		}
		_, err = b.PaymentIntents.Cancel(pi.ID, nil)
		b.refusal(err, 400, "payment_intent_unexpected_state")
		_, err = b.PaymentIntents.Update(pi.ID, &stripe.PaymentIntentParams{Amount: stripe.Int64(200)})
		b.refusal(err, 400, "payment_intent_unexpected_state")
		_, err = b.PaymentIntents.Capture(pi.ID, nil)
		b.refusal(err, 400, "payment_intent_unexpected_state")
	}
	_, err = b.confirm(b.intent(100).ID, "")
	b.refusal(err, 400, "payment_intent_unexpected_state")
	_, err = b.PaymentIntents.Get("pi_nobody", nil)
	b.refusal(err, 404, "resource_missing")
	_, err = b.confirm(b.intent(100).ID, "pm_nobody")
	b.refusal(err, 400, "resource_missing")
	// Metadata may change at any time.
	p := &stripe.PaymentIntentParams{}
	p.AddMetadata("note", "x")
	after, err := b.PaymentIntents.Update(paid.ID, p)
	if after = must(after, err)(b); after.Metadata["note"] != "x" || after.Status != "succeeded" {
		t.Error("metadata of a paid intent")
	}
}

func (b *bench) challenge(id, secret, outcome string) int {
	b.Helper()
	resp, err := http.PostForm(b.url+"/v3/challenge/"+id, url.Values{"client_secret": {secret}, "outcome": {outcome}})
	if err != nil {
		b.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestThreeDSecurePassedNeedsOneMoreConfirm(t *testing.T) {
	b := start(t)
	pi := b.intent(9858)
	m := b.enter("4000002760003184")
	after, err := b.confirm(pi.ID, m.ID)
	after = must(after, err)(b)
	if after.Status != "requires_action" || after.NextAction.Type != "use_stripe_sdk" {
		t.Fatalf("%s %+v", after.Status, after.NextAction)
	}
	// stripe-go keeps only the type of use_stripe_sdk; read the address from the wire.
	raw := string(after.LastResponse.RawJSON)
	if !strings.Contains(raw, `"three_d_secure_redirect"`) || !strings.Contains(raw, b.url+"/v3/challenge?payment_intent="+pi.ID) {
		t.Fatal("next_action does not lead to the challenge page")
	}
	_, err = b.confirm(pi.ID, "")
	b.refusal(err, 400, "payment_intent_unexpected_state")
	other := b.intent(100)
	_, err = b.confirm(other.ID, m.ID) // in use elsewhere
	b.refusal(err, 400, "payment_method_unexpected_state")
	if status := b.challenge(pi.ID, "pi_x_secret_y", "complete"); status != 400 {
		t.Fatalf("a wrong client secret got %d", status)
	}
	if status := b.challenge(pi.ID, after.ClientSecret, "complete"); status != 200 {
		t.Fatalf("the challenge got %d", status)
	}
	after, err = b.PaymentIntents.Get(pi.ID, nil)
	if after = must(after, err)(b); after.Status != "requires_confirmation" || after.PaymentMethod.ID != m.ID {
		t.Fatalf("after the challenge: %s", after.Status)
	}
	if paid, failed := b.charges(pi.ID); paid+failed != 0 {
		t.Fatal("charged before the last confirm")
	}
	after, err = b.PaymentIntents.Confirm(pi.ID, &stripe.PaymentIntentConfirmParams{UseStripeSDK: stripe.Bool(true),
		Expand: stripe.StringSlice([]string{"latest_charge"})})
	if after = must(after, err)(b); after.Status != "succeeded" || after.LatestCharge.PaymentMethodDetails.Card.ThreeDSecure.Result != "authenticated" {
		t.Fatalf("after the last confirm: %s", after.Status)
	}
	if status := b.challenge(pi.ID, after.ClientSecret, "complete"); status != 400 {
		t.Fatalf("a challenge that is over got %d", status)
	}
}

func TestThreeDSecureFailed(t *testing.T) {
	b := start(t)
	pi := b.intent(9858)
	m := b.enter("4000000000003220")
	after, err := b.confirm(pi.ID, m.ID)
	after = must(after, err)(b)
	b.challenge(pi.ID, after.ClientSecret, "fail")
	after, err = b.PaymentIntents.Get(pi.ID, nil)
	after = must(after, err)(b)
	if after.Status != "requires_payment_method" || after.LastPaymentError.Code != "payment_intent_authentication_failure" || after.LastPaymentError.PaymentMethod.ID != m.ID {
		t.Fatalf("%s %+v", after.Status, after.LastPaymentError.Code)
	}
	_, err = b.confirm(pi.ID, m.ID)
	b.refusal(err, 400, "payment_method_unexpected_state")
	if paid, failed := b.charges(pi.ID); paid+failed != 0 {
		t.Fatal("a failed authentication makes no charge")
	}
}

func TestThreeDSecureThenDeclined(t *testing.T) {
	b := start(t)
	pi, err := b.confirm(b.intent(9858).ID, b.enter("4000008400001629").ID)
	pi = must(pi, err)(b)
	b.challenge(pi.ID, pi.ClientSecret, "complete")
	_, err = b.confirm(pi.ID, "")
	b.refusal(err, 402, "card_declined")
}

func TestANewCardOutOfRequiresAction(t *testing.T) {
	b := start(t)
	pi, err := b.confirm(b.intent(9858).ID, b.enter("4000000000003220").ID)
	pi = must(pi, err)(b)
	after, err := b.confirm(pi.ID, b.enter("4242424242424242").ID)
	if after = must(after, err)(b); after.Status != "succeeded" {
		t.Fatal(after.Status)
	}
	if status := b.challenge(pi.ID, pi.ClientSecret, "complete"); status != 400 {
		t.Fatalf("the old challenge got %d", status)
	}
}

func TestAnAmountChangedAfterAuthenticationNeedsAnother(t *testing.T) {
	b := start(t)
	pi, err := b.confirm(b.intent(9858).ID, b.enter("4000000000003220").ID)
	pi = must(pi, err)(b)
	b.challenge(pi.ID, pi.ClientSecret, "complete")
	_, err = b.PaymentIntents.Update(pi.ID, &stripe.PaymentIntentParams{Amount: stripe.Int64(19999)})
	must(pi, err)(b)
	after, err := b.confirm(pi.ID, "")
	if after = must(after, err)(b); after.Status != "requires_action" {
		t.Fatal(after.Status)
	}
}

func (b *bench) customerWith(number string) (*stripe.Customer, *stripe.PaymentMethod) {
	b.Helper()
	u, err := b.Customers.New(&stripe.CustomerParams{Name: stripe.String("Dana Whitfield")})
	u = must(u, err)(b)
	m, err := b.PaymentMethods.Attach(b.enter(number).ID, &stripe.PaymentMethodAttachParams{Customer: &u.ID})
	return u, must(m, err)(b)
}

func TestOffSession(t *testing.T) {
	b := start(t)
	try := func(u *stripe.Customer, m *stripe.PaymentMethod, off bool) (*stripe.PaymentIntent, error) {
		p := intentParams(9858)
		p.Customer = &u.ID
		pi, err := b.PaymentIntents.New(p)
		pi = must(pi, err)(b)
		c := &stripe.PaymentIntentConfirmParams{PaymentMethod: &m.ID}
		if off {
			c.OffSession = stripe.Bool(true)
		}
		return b.PaymentIntents.Confirm(pi.ID, c)
	}
	u, m := b.customerWith("4242424242424242")
	for range 2 { // a card on file can be used again
		pi, err := try(u, m, true)
		if pi = must(pi, err)(b); pi.Status != "succeeded" {
			t.Fatal(pi.Status)
		}
	}
	u, m = b.customerWith("4000002760003184")
	_, err := try(u, m, true)
	e := b.refusal(err, 402, "authentication_required")
	if e.DeclineCode != "authentication_required" || e.PaymentIntent.Status != "requires_payment_method" || e.PaymentMethod == nil || e.PaymentMethod.ID != m.ID {
		t.Fatalf("%s %s", e.DeclineCode, e.PaymentIntent.Status)
	}
	// The same intent can then be confirmed on session with the same card.
	pi, err := b.confirm(e.PaymentIntent.ID, m.ID)
	if pi = must(pi, err)(b); pi.Status != "requires_action" {
		t.Fatal(pi.Status)
	}
	u, m = b.customerWith("4000003800000446")
	pi, err = try(u, m, true)
	if pi = must(pi, err)(b); pi.Status != "succeeded" {
		t.Fatal(pi.Status)
	}
	u, m = b.customerWith("4000000000000341")
	_, err = try(u, m, true)
	b.refusal(err, 402, "card_declined")
	// A card on file belongs to its customer.
	stranger, err := b.Customers.New(nil)
	_, err = try(must(stranger, err)(b), m, true)
	if err == nil {
		t.Fatal("another customer's card was accepted")
	}
	_, err = b.confirm(b.intent(100).ID, m.ID)
	if err == nil {
		t.Fatal("a customer's card was accepted without the customer")
	}
	_, err = b.PaymentMethods.Attach(b.enter("4000000000000002").ID, &stripe.PaymentMethodAttachParams{Customer: &u.ID})
	b.refusal(err, 402, "card_declined")
}

func TestAutomaticMethodsDemandAReturnURL(t *testing.T) {
	b := start(t)
	p := intentParams(100)
	p.PaymentMethodTypes, p.ConfirmationMethod = nil, nil
	pi, err := b.PaymentIntents.New(p)
	if pi = must(pi, err)(b); !pi.AutomaticPaymentMethods.Enabled || pi.ConfirmationMethod != "automatic" {
		t.Fatal("automatic payment methods are off")
	}
	_, err = b.confirm(pi.ID, "pm_card_visa")
	b.refusal(err, 400, "")
	pi, err = b.PaymentIntents.Confirm(pi.ID, &stripe.PaymentIntentConfirmParams{PaymentMethod: stripe.String("pm_card_visa"), ReturnURL: stripe.String("https://pay.interlane.test/back")})
	if pi = must(pi, err)(b); pi.Status != "succeeded" {
		t.Fatal(pi.Status)
	}
}

func TestAPublishableKeyCannotConfirmManually(t *testing.T) {
	b := start(t)
	pi := b.intent(9858)
	m := b.enter("4242424242424242")
	p := &stripe.PaymentIntentConfirmParams{PaymentMethod: &m.ID}
	p.AddExtra("client_secret", pi.ClientSecret)
	_, err := b.browser.PaymentIntents.Confirm(pi.ID, p)
	b.refusal(err, 400, "payment_intent_unexpected_state")
	if paid, failed := b.charges(pi.ID); paid+failed != 0 {
		t.Fatal("charged from the browser")
	}
	after, err := b.confirm(pi.ID, m.ID) // and the card is not used up by it
	if after = must(after, err)(b); after.Status != "succeeded" {
		t.Fatal(after.Status)
	}
}

func TestAmounts(t *testing.T) {
	b := start(t)
	_, err := b.PaymentIntents.New(intentParams(49))
	b.refusal(err, 400, "amount_too_small")
	_, err = b.PaymentIntents.New(intentParams(100_000_000))
	b.refusal(err, 400, "amount_too_large")
	b.intent(50)
	p := intentParams(100)
	p.StatementDescriptorSuffix = stripe.String("this suffix is much too long")
	_, err = b.PaymentIntents.New(p)
	b.refusal(err, 400, "")
}

func TestCaptureLater(t *testing.T) {
	b := start(t)
	p := intentParams(9858)
	p.CaptureMethod = stripe.String("manual")
	pi, err := b.PaymentIntents.New(p)
	pi = must(pi, err)(b)
	after, err := b.confirm(pi.ID, "pm_card_visa")
	if after = must(after, err)(b); after.Status != "requires_capture" || after.AmountCapturable != 9858 || after.AmountReceived != 0 {
		t.Fatalf("%s capturable %d received %d", after.Status, after.AmountCapturable, after.AmountReceived)
	}
	after, err = b.PaymentIntents.Capture(pi.ID, &stripe.PaymentIntentCaptureParams{AmountToCapture: stripe.Int64(5000),
		Expand: stripe.StringSlice([]string{"latest_charge"})})
	if after = must(after, err)(b); after.Status != "succeeded" || after.AmountReceived != 5000 || after.LatestCharge.AmountRefunded != 4858 {
		t.Fatalf("%s received %d", after.Status, after.AmountReceived)
	}
	r, err := b.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID})
	if r = must(r, err)(b); r.Amount != 5000 {
		t.Fatalf("refunded %d", r.Amount)
	}
	pi, err = b.PaymentIntents.New(p)
	pi = must(pi, err)(b)
	_, err = b.confirm(pi.ID, "pm_card_visa")
	must(pi, err)(b)
	after, err = b.PaymentIntents.Cancel(pi.ID, nil)
	if after = must(after, err)(b); after.Status != "canceled" {
		t.Fatal(after.Status)
	}
}
