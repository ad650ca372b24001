package stripemock_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"paylink/internal/pay"
	"paylink/internal/sim/conformance/stripemock"
	"paylink/internal/stripepay"
)

// Stripe refuses a parameter that it does not know, at any depth. None of the service's own requests has one.
func TestTheServiceAsksStripeForNothingUnknown(t *testing.T) {
	proxy, err := stripemock.NewProxy()
	if err != nil {
		t.Fatal(err)
	}
	g, err := stripepay.New(stripepay.Config{
		SecretKey: "sk_test_123", APIURL: "http://api.stripe.invalid", Timeout: 10 * time.Second, StatementSuffix: "MONITOR", Transport: proxy, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, account := range []string{"", "acct_123"} {
		in, err := g.CreateIntent(t.Context(), pay.IntentRequest{
			Key: "create:1", Account: account, Amount: 9858, PaymentID: "1", ClientID: "100042", VehicleID: "veh", LocationID: "loc", ChainID: "1", Summary: strings.Repeat("ab", 32),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Card(t.Context(), account, "pm_123"); err != nil {
			t.Error(err)
		}
		if _, err := g.Confirm(t.Context(), pay.ConfirmRequest{Key: "confirm:1:1", Account: account, IntentID: in.ID, PaymentMethod: "pm_123"}); err != nil {
			t.Error(err)
		}
		if _, err := g.Confirm(t.Context(), pay.ConfirmRequest{Key: "confirm:1:2", Account: account, IntentID: in.ID}); err != nil {
			t.Error(err)
		}
		if _, err := g.Intent(t.Context(), account, in.ID); err != nil {
			t.Error(err)
		}
		if _, err := g.Cancel(t.Context(), account, in.ID); err != nil {
			t.Error(err)
		}
		one := []string{"POST /v1/payment_intents", "GET /v1/payment_methods/pm_123", "POST /v1/payment_intents/" + in.ID + "/confirm",
			"POST /v1/payment_intents/" + in.ID + "/confirm", "GET /v1/payment_intents/" + in.ID, "POST /v1/payment_intents/" + in.ID + "/cancel",
			"POST /v1/refunds", "GET /v1/refunds", "GET /v1/disputes", "POST /v1/payment_methods", "GET /v1/events", "GET /v1/balance_transactions", "GET /v1/payment_intents/" + in.ID,
			"GET /v1/refunds/re_123", "GET /v1/payouts/po_123", "GET /v1/balance_transactions/txn_123", "GET /v1/balance"}
		// What answers these is about other objects than were asked for, and is not believed; the questions count.
		_, _ = g.Refund(t.Context(), pay.RefundRequest{Key: "refund:1", Account: account, IntentID: in.ID, Amount: 858, RefundID: "1", PaymentID: "1"})
		_, _ = g.Refunds(t.Context(), account, in.ID)
		_, _ = g.Contests(t.Context(), account, in.ID)
		_, _ = g.Clone(t.Context(), "acct_123", "cus_123", "pm_123")
		_ = g.Events(t.Context(), account, time.Unix(1772463600, 0), func([]pay.Notice) error { return nil })
		_ = g.Movements(t.Context(), account, time.Unix(1772463600, 0), time.Unix(1772550000, 0), func([]pay.Movement) error { return nil })
		for _, object := range []string{in.ID, "re_123", "po_123", "txn_123"} {
			_, _ = g.MovementsOf(t.Context(), account, object)
		}
		if _, err := g.Balance(t.Context(), account); err != nil {
			t.Error(err)
		}
		if account == "" { // cards on file are the platform's, and what is told of them
			one = slices.Insert(one, slices.Index(one, "GET /v1/events"), "GET /v1/events")
			one = append(one, "POST /v1/customers", "GET /v1/customers/cus_123", "POST /v1/setup_intents", "GET /v1/setup_intents/seti_123", "POST /v1/payment_methods/pm_123/detach")
			_, _ = g.NewCustomer(t.Context(), "customer:100042:0", "100042")
			_, _ = g.Customer(t.Context(), "cus_123")
			_, _ = g.NewSetup(t.Context(), "setup:1", "cus_123", "100042")
			_, _ = g.Setup(t.Context(), "seti_123")
			_ = g.Detach(t.Context(), "pm_123")
		}
		if got := proxy.Requests(); !slices.Equal(got[len(got)-min(len(got), len(one)):], one) {
			t.Errorf("asked %v", got)
		}
	}
	if got := proxy.Problems(); len(got) != 0 {
		t.Error(got)
	}
}
