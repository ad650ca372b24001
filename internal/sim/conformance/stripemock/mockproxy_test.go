package stripemock_test

import (
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v76"

	"paylink/internal/sim/conformance/stripemock"
)

func TestRequestsPassThroughStripeMock(t *testing.T) {
	proxy, err := stripemock.NewProxy()
	if err != nil {
		t.Fatal(err)
	}
	api := newAPI("http://api.stripe.invalid", "sk_test_123", proxy)
	p := &stripe.PaymentIntentParams{Amount: stripe.Int64(9858), Currency: stripe.String("usd"), PaymentMethodTypes: stripe.StringSlice([]string{"card"}),
		ConfirmationMethod: stripe.String("manual"), CaptureMethod: stripe.String("automatic"), StatementDescriptorSuffix: stripe.String("Paylink 7")}
	p.AddMetadata("payment", "pay_1")
	pi, err := api.PaymentIntents.New(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.PaymentIntents.Confirm(pi.ID, &stripe.PaymentIntentConfirmParams{PaymentMethod: stripe.String("pm_card_visa"), UseStripeSDK: stripe.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.PaymentIntents.Get(pi.ID, &stripe.PaymentIntentParams{Expand: stripe.StringSlice([]string{"latest_charge"})}); err != nil {
		t.Fatal(err)
	}
	if got := proxy.Problems(); len(got) != 0 {
		t.Fatal(got)
	}
	if got := strings.Join(proxy.Requests(), ", "); got != "POST /v1/payment_intents, POST /v1/payment_intents/"+pi.ID+"/confirm, GET /v1/payment_intents/"+pi.ID {
		t.Fatal(got)
	}
	// stripe-mock would let this one pass
	bad := &stripe.PaymentIntentConfirmParams{}
	bad.AddExtra("payment_method_options[card][request_3ds]", "any")
	if _, err := api.PaymentIntents.Confirm(pi.ID, bad); err == nil {
		t.Fatal("an unknown nested parameter passed")
	}
	if got := proxy.Problems(); len(got) != 1 || !strings.Contains(got[0], "payment_method_options[card][request_3ds]") {
		t.Fatal(got)
	}
}
