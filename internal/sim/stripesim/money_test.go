package stripesim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
)

func (b *bench) paid(cents int64, method string) *stripe.PaymentIntent {
	b.Helper()
	pi, err := b.confirm(b.intent(cents).ID, method)
	return must(pi, err)(b)
}

func TestRefunds(t *testing.T) {
	b := start(t)
	pi := b.paid(9858, "pm_card_visa")
	p := &stripe.RefundParams{PaymentIntent: &pi.ID, Amount: stripe.Int64(858), Reason: stripe.String("requested_by_customer")}
	p.AddMetadata("refund", "rf_1")
	r, err := b.Refunds.New(p)
	if r = must(r, err)(b); r.Status != "succeeded" || r.Amount != 858 || r.Metadata["refund"] != "rf_1" || r.PaymentIntent.ID != pi.ID {
		t.Fatalf("%+v", r)
	}
	_, err = b.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID, Amount: stripe.Int64(9001)})
	b.refusal(err, 400, "")
	r, err = b.Refunds.New(&stripe.RefundParams{Charge: &pi.LatestCharge.ID})
	if r = must(r, err)(b); r.Amount != 9000 {
		t.Fatalf("the rest is %d", r.Amount)
	}
	_, err = b.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID})
	b.refusal(err, 400, "charge_already_refunded")
	ch, err := b.Charges.Get(pi.LatestCharge.ID, nil)
	if ch = must(ch, err)(b); !ch.Refunded || ch.AmountRefunded != 9858 {
		t.Fatal("the charge does not show it")
	}
	open := b.intent(100)
	_, err = b.Refunds.New(&stripe.RefundParams{PaymentIntent: &open.ID})
	b.refusal(err, 400, "")
}

func TestRefundsThatTakeTimeOrFail(t *testing.T) {
	b := start(t)
	status := func(id string) stripe.RefundStatus {
		r, err := b.Refunds.Get(id, nil)
		return must(r, err)(b).Status
	}
	pi := b.paid(100, b.enter("4000000000007726").ID)
	r, err := b.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID})
	if r = must(r, err)(b); r.Status != "pending" {
		t.Fatal(r.Status)
	}
	b.clock.move(time.Minute)
	b.sim.Tick()
	if s := status(r.ID); s != "succeeded" {
		t.Fatal(s)
	}
	pi = b.paid(100, b.enter("4000000000005126").ID)
	r, err = b.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID})
	if r = must(r, err)(b); r.Status != "succeeded" {
		t.Fatal(r.Status)
	}
	b.clock.move(time.Minute)
	b.sim.Tick()
	if s := status(r.ID); s != "failed" {
		t.Fatal(s)
	}
	if ch := b.sim.Books().Accounts[b.sim.Books().Platform].Charges[1]; ch.Refunded != 0 {
		t.Fatal("a failed refund still counts on the charge")
	}
	pi = b.paid(100, "pm_card_visa")
	r, err = b.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID})
	r = must(r, err)(b)
	must(0, b.sim.SettleRefund(r.ID, false))(b)
	if s := status(r.ID); s != "failed" {
		t.Fatal(s)
	}
}

func TestDisputes(t *testing.T) {
	b := start(t)
	pi := b.paid(9858, "pm_card_visa")
	id, err := b.sim.OpenDispute(pi.LatestCharge.ID, "product_not_received")
	must(id, err)(b)
	d, err := b.Disputes.Get(id, nil)
	if d = must(d, err)(b); d.Status != "needs_response" || d.Charge.ID != pi.LatestCharge.ID || d.BalanceTransactions[0].Net != -9858-1500 {
		t.Fatalf("%s %+v", d.Status, d.BalanceTransactions)
	}
	_, err = b.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID})
	b.refusal(err, 400, "charge_disputed")
	must(0, b.sim.CloseDispute(id, true))(b)
	if err := b.sim.CloseDispute(id, false); err == nil {
		t.Fatal("closed twice")
	}
	d, err = b.Disputes.Get(id, nil)
	if d = must(d, err)(b); d.Status != "won" {
		t.Fatal(d.Status)
	}
	b.paid(100, b.enter("4000000000000259").ID) // disputed by itself
	if n := len(b.sim.Books().Accounts[b.sim.Books().Platform].Disputes); n != 2 {
		t.Fatalf("%d disputes", n)
	}
}

func TestMoneyBecomesAvailable(t *testing.T) {
	b := start(t)
	b.paid(9858, "pm_card_visa")
	for _, want := range []stripe.BalanceTransactionStatus{"pending", "available"} {
		it := b.BalanceTransactions.List(nil)
		if !it.Next() || it.BalanceTransaction().Status != want {
			t.Fatalf("not %s", want)
		}
		b.clock.move(48 * time.Hour)
	}
}

func TestAConnectedAccountHasItsOwnBooks(t *testing.T) {
	b := start(t)
	u, m := b.customerWith("5555555555554444")
	clone := &stripe.PaymentMethodParams{Customer: &u.ID, PaymentMethod: &m.ID}
	clone.SetStripeAccount(connected)
	there, err := b.PaymentMethods.New(clone)
	if there = must(there, err)(b); there.ID == m.ID || there.Customer != nil || there.Card.Fingerprint != m.Card.Fingerprint {
		t.Fatal("not a clone")
	}
	p := intentParams(9858)
	p.PaymentMethod, p.Confirm, p.OffSession = &there.ID, stripe.Bool(true), stripe.Bool(true)
	p.SetStripeAccount(connected)
	pi, err := b.PaymentIntents.New(p)
	if pi = must(pi, err)(b); pi.Status != "succeeded" {
		t.Fatal(pi.Status)
	}
	_, err = b.PaymentIntents.Get(pi.ID, nil)
	b.refusal(err, 404, "resource_missing")
	q := intentParams(100)
	q.PaymentMethod, q.Confirm = &m.ID, stripe.Bool(true)
	q.SetStripeAccount(connected)
	_, err = b.PaymentIntents.New(q) // the platform's card itself is not there
	b.refusal(err, 400, "resource_missing")
	books := b.sim.Books()
	if len(books.Accounts[connected].Charges) != 1 || len(books.Accounts[books.Platform].Charges) != 0 {
		t.Fatal("charged in the wrong books")
	}
	clone = &stripe.PaymentMethodParams{PaymentMethod: &m.ID} // without its customer
	clone.SetStripeAccount(connected)
	if _, err := b.PaymentMethods.New(clone); err == nil {
		t.Fatal("cloned without naming the customer")
	}
	a, err := b.Accounts.Get()
	if a = must(a, err)(b); a.ID != books.Platform || !a.ChargesEnabled {
		t.Fatal(a.ID)
	}
}

func TestSetupIntents(t *testing.T) {
	b := start(t)
	make := func(customer string) *stripe.SetupIntent {
		si, err := b.SetupIntents.New(&stripe.SetupIntentParams{Customer: &customer, PaymentMethodTypes: stripe.StringSlice([]string{"card"})})
		return must(si, err)(b)
	}
	// as Stripe.js confirms it
	confirm := func(si *stripe.SetupIntent, number string) (*stripe.SetupIntent, error) {
		p := &stripe.SetupIntentConfirmParams{PaymentMethod: &b.enter(number).ID}
		p.AddExtra("client_secret", si.ClientSecret)
		return b.browser.SetupIntents.Confirm(si.ID, p)
	}
	u, err := b.Customers.New(nil)
	u = must(u, err)(b)
	si, err := confirm(make(u.ID), "4242424242424242")
	if si = must(si, err)(b); si.Status != "succeeded" {
		t.Fatal(si.Status)
	}
	si, err = b.SetupIntents.Get(si.ID, &stripe.SetupIntentParams{Expand: stripe.StringSlice([]string{"payment_method"})})
	if si = must(si, err)(b); si.PaymentMethod.Customer.ID != u.ID {
		t.Fatal("the card was not attached")
	}
	_, err = confirm(make(u.ID), "4000000000000002")
	if e := b.refusal(err, 402, "card_declined"); e.SetupIntent == nil || e.SetupIntent.LastSetupError == nil {
		t.Fatal("the error does not carry the intent")
	}
	// 3-D Secure once, and off-session payments pass afterwards
	si, err = confirm(make(u.ID), "4000002500003155")
	if si = must(si, err)(b); si.Status != "requires_action" {
		t.Fatal(si.Status)
	}
	if status := b.challenge(si.ID, si.ClientSecret, "complete"); status != 200 {
		t.Fatal(status)
	}
	si, err = b.SetupIntents.Get(si.ID, nil)
	if si = must(si, err)(b); si.Status != "succeeded" {
		t.Fatal(si.Status)
	}
	p := intentParams(9858)
	p.Customer, p.PaymentMethod, p.Confirm, p.OffSession = &u.ID, &si.PaymentMethod.ID, stripe.Bool(true), stripe.Bool(true)
	pi, err := b.PaymentIntents.New(p)
	if pi = must(pi, err)(b); pi.Status != "succeeded" {
		t.Fatal(pi.Status)
	}
	si, err = confirm(make(u.ID), "4000002760003184")
	si = must(si, err)(b)
	b.challenge(si.ID, si.ClientSecret, "fail")
	si, err = b.SetupIntents.Get(si.ID, nil)
	if si = must(si, err)(b); si.Status != "requires_payment_method" || si.LastSetupError.Code != "setup_intent_authentication_failure" {
		t.Fatal(si.Status)
	}
	si, err = b.SetupIntents.Cancel(si.ID, nil)
	if si = must(si, err)(b); si.Status != "canceled" {
		t.Fatal(si.Status)
	}
	_, err = b.SetupIntents.Cancel(si.ID, nil)
	b.refusal(err, 400, "setup_intent_unexpected_state")
}

func TestPayoutsAndTheBalance(t *testing.T) {
	b := start(t)
	pi := b.paid(9858, "pm_card_visa")
	balance := func() (available, pending int64) {
		t.Helper()
		got, err := b.Balance.Get(nil)
		got = must(got, err)(b)
		return got.Available[0].Amount, got.Pending[0].Amount
	}
	net := int64(9858 - 316)
	if a, p := balance(); a != 0 || p != net {
		t.Fatalf("%d and %d", a, p)
	}
	b.clock.move(48 * time.Hour)
	if a, p := balance(); a != net || p != 0 {
		t.Fatalf("after two days %d and %d", a, p)
	}
	control := func(path, form string) (status int, answer struct{ Payout string }) {
		t.Helper()
		resp, err := http.Post(b.url+"/control/stripe/payouts"+path, "application/x-www-form-urlencoded", strings.NewReader(form))
		resp = must(resp, err)(b)
		defer func() { _ = resp.Body.Close() }()
		must(0, json.NewDecoder(resp.Body).Decode(&answer))(b)
		return resp.StatusCode, answer
	}
	status, made := control("", "amount=5000")
	if status != 200 {
		t.Fatal(status)
	}
	po, err := b.Payouts.Get(made.Payout, nil)
	if po = must(po, err)(b); po.Amount != 5000 || po.Status != "paid" {
		t.Fatalf("%+v", po)
	}
	if a, _ := balance(); a != net-5000 {
		t.Fatalf("after the payout %d", a)
	}
	if status, _ := control("/"+po.ID+"/fail", ""); status != 200 {
		t.Fatal(status)
	}
	po, err = b.Payouts.Get(po.ID, &stripe.PayoutParams{Expand: stripe.StringSlice([]string{"failure_balance_transaction"})})
	if po = must(po, err)(b); po.Status != "failed" || po.FailureBalanceTransaction.Type != "payout_failure" || po.FailureBalanceTransaction.Amount != 5000 {
		t.Fatalf("%+v", po)
	}
	if a, _ := balance(); a != net {
		t.Fatalf("after it failed %d", a)
	}
	for path, want := range map[string]int{"/" + po.ID + "/fail": 409, "/po_nobody/fail": 404, "": 400} {
		if status, _ := control(path, ""); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	// One movement after the other, with what has caused it.
	list := b.BalanceTransactions.List(&stripe.BalanceTransactionListParams{Expand: stripe.StringSlice([]string{"data.source"})})
	var sources []any
	for list.Next() {
		sources = append(sources, list.BalanceTransaction().Source.Type)
	}
	if len(sources) != 3 || sources[0] != stripe.BalanceTransactionSourceTypePayout || sources[2] != stripe.BalanceTransactionSourceTypeCharge || list.Err() != nil {
		t.Fatalf("%v, %v", sources, list.Err())
	}
	list = b.BalanceTransactions.List(&stripe.BalanceTransactionListParams{CreatedRange: &stripe.RangeQueryParams{LesserThan: b.clock.now().Unix()}})
	if !list.Next() || list.BalanceTransaction().Source.ID != pi.LatestCharge.ID || list.Next() {
		t.Fatal("the movements before the payout are not the charge")
	}
}
