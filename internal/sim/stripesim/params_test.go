package stripesim_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"paylink/internal/sim/stripesim"
)

func TestParametersThatStripeDoesNotKnowAreRefused(t *testing.T) {
	b := start(t)
	for _, c := range []struct{ path, form, code, param string }{
		{"/v1/payment_intents", "amount=100&currency=usd&amont=1", "parameter_unknown", "amont"},
		{"/v1/payment_intents", "amount=100&currency=usd&payment_method_options[card][request_3ds]=any", "parameter_unknown", "payment_method_options[card][request_3ds]"},
		{"/v1/payment_intents", "currency=usd", "parameter_missing", "amount"},
		{"/v1/payment_intents", "amount=100", "parameter_missing", "currency"},
		{"/v1/payment_intents", "amount=ten&currency=usd", "parameter_invalid_integer", "amount"},
		{"/v1/payment_intents", "amount=100&currency=usd&payment_method=", "parameter_invalid_empty", "payment_method"},
		{"/v1/payment_intents", "amount=100&currency=usd&capture_method=later", "", "capture_method"},
		{"/v1/payment_intents", "amount=100&currency=usd&confirm=1", "", "confirm"},
		{"/v1/payment_intents", "amount=100&currency=xyz", "", "currency"},
		{"/v1/payment_intents", "amount=100&currency=usd&off_session=true", "", "off_session"},
		{"/v1/payment_intents", "amount=100&currency=usd&application_fee_amount=1", "simulator_unsupported", "application_fee_amount"},
		{"/v1/payment_intents", "amount=100&currency=usd&metadata=x", "", "metadata"},
		{"/v1/payment_intents", "amount=100&currency=usd&metadata[" + strings.Repeat("k", 41) + "]=x", "", "metadata"},
		{"/v1/payment_intents", "amount=100&currency=usd&metadata[k]=" + strings.Repeat("v", 501), "", "metadata[k]"},
		{"/v1/payment_intents", "amount=100&currency=usd&customer=cus_nobody", "resource_missing", "customer"},
		{"/v1/payment_intents", "amount=100&currency=usd&expand[]=lastest_charge", "", "expand"},
		{"/v1/payment_intents/pi_x/cancel", "cancellation_reason=bored", "", "cancellation_reason"},
		{"/v1/payment_methods", "type=sepa_debit", "", "type"},
		{"/v1/payment_methods", "type=card&card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2031", "", ""}, // the secret key may not
		{"/v1/refunds", "", "parameter_missing", "payment_intent"},
		{"/v1/customers", "email=nobody", "email_invalid", "email"},
	} {
		r, err := http.NewRequest("POST", b.url+c.path, strings.NewReader(c.form))
		must(r, err)(b)
		r.SetBasicAuth(secretKey, "") // as curl -u does
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(r)
		body, _ := io.ReadAll(must(resp, err)(b).Body)
		resp.Body.Close()
		if resp.StatusCode/100 != 4 || !strings.Contains(string(body), strconv.Quote(c.code)) && c.code != "" || !strings.Contains(string(body), `"param": `+strconv.Quote(c.param)) && c.param != "" {
			t.Errorf("%s %s: %d %s", c.path, c.form, resp.StatusCode, body)
		}
		if resp.Header.Get("Request-Id") == "" || resp.Header.Get("Stripe-Version") != "2023-10-16" {
			t.Errorf("%s: headers %v", c.path, resp.Header)
		}
	}
	if n := len(b.sim.Books().Accounts[b.sim.Books().Platform].Intents); n != 0 {
		t.Errorf("%d intents made by refused requests", n)
	}
}

func TestMetadataIsMergedAndUnset(t *testing.T) {
	b := start(t)
	p := intentParams(100)
	p.AddMetadata("payment", "pay_1")
	p.AddMetadata("link", "lnk_1")
	pi, err := b.PaymentIntents.New(p)
	pi = must(pi, err)(b)
	change := func(set func(*stripe.PaymentIntentParams)) map[string]string {
		p := &stripe.PaymentIntentParams{}
		set(p)
		after, err := b.PaymentIntents.Update(pi.ID, p)
		return must(after, err)(b).Metadata
	}
	got := change(func(p *stripe.PaymentIntentParams) { p.AddMetadata("link", ""); p.AddMetadata("more", "x") })
	if len(got) != 2 || got["payment"] != "pay_1" || got["more"] != "x" {
		t.Fatal(got)
	}
	if got = change(func(p *stripe.PaymentIntentParams) { p.AddExtra("metadata", "") }); len(got) != 0 {
		t.Fatal(got)
	}
	// What the intent has at the charge, the charge has too.
	change(func(p *stripe.PaymentIntentParams) { p.AddMetadata("payment", "pay_2") })
	_, err = b.confirm(pi.ID, "pm_card_visa")
	after, err2 := b.PaymentIntents.Get(pi.ID, &stripe.PaymentIntentParams{Expand: stripe.StringSlice([]string{"latest_charge"})})
	must(0, err)(b)
	if after = must(after, err2)(b); after.LatestCharge.Metadata["payment"] != "pay_2" {
		t.Fatal(after.LatestCharge.Metadata)
	}
}

func TestExpand(t *testing.T) {
	b := start(t)
	u, m := b.customerWith("4242424242424242")
	p := intentParams(9858)
	p.Customer, p.PaymentMethod, p.Confirm = &u.ID, &m.ID, stripe.Bool(true)
	p.Expand = stripe.StringSlice([]string{"customer", "payment_method.customer", "latest_charge.balance_transaction.source", "latest_charge.refunds"})
	pi, err := b.PaymentIntents.New(p)
	pi = must(pi, err)(b)
	if pi.Customer.Name != "Dana Whitfield" || pi.PaymentMethod.Customer.Name != "Dana Whitfield" || pi.LatestCharge.BalanceTransaction.Fee != 316 ||
		pi.LatestCharge.BalanceTransaction.Source.Charge.Amount != 9858 || pi.LatestCharge.Refunds == nil {
		t.Fatal("not expanded")
	}
	must(b.Refunds.New(&stripe.RefundParams{PaymentIntent: &pi.ID, Amount: stripe.Int64(58)}))(b)
	list := b.PaymentIntents.List(&stripe.PaymentIntentListParams{Customer: &u.ID, Expand: stripe.StringSlice([]string{"data.latest_charge.refunds.data.balance_transaction"})})
	if !list.Next() {
		t.Fatal(list.Err())
	}
	if r := list.PaymentIntent().LatestCharge.Refunds.Data; len(r) != 1 || r[0].BalanceTransaction.Amount != -58 {
		t.Fatal("refunds of the list are not expanded")
	}
	for _, bad := range []string{"status", "data.customer", "latest_charge.nothing", "customer.default_source.a.b.c"} {
		_, err := b.PaymentIntents.Get(pi.ID, &stripe.PaymentIntentParams{Expand: []*string{&bad}})
		b.refusal(err, 400, "")
	}
}

func TestListsAndTheirCursors(t *testing.T) {
	b := start(t)
	var ids []string // newest first
	for i := range 25 {
		pi := b.intent(int64(100 + i))
		ids = append([]string{pi.ID}, ids...)
		b.clock.move(time.Minute)
	}
	page := func(p stripe.ListParams) ([]string, bool) {
		p.Single = true
		it := b.PaymentIntents.List(&stripe.PaymentIntentListParams{ListParams: p})
		var got []string
		for it.Next() {
			got = append(got, it.PaymentIntent().ID)
		}
		must(0, it.Err())(b)
		return got, it.Meta().HasMore
	}
	same := func(what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d rows, not the expected %d", what, len(got), len(want))
		}
	}
	got, more := page(stripe.ListParams{})
	same("ten by default", got, ids[:10])
	if !more {
		t.Error("has_more")
	}
	got, more = page(stripe.ListParams{Limit: stripe.Int64(20), StartingAfter: &ids[9]})
	same("the rest", got, ids[10:])
	if more {
		t.Error("has_more at the end")
	}
	got, more = page(stripe.ListParams{Limit: stripe.Int64(3), EndingBefore: &ids[9]})
	slices.Reverse(got) // stripe-go walks backwards
	same("back", got, ids[6:9])
	if !more {
		t.Error("has_more on the way back")
	}
	// stripe-go goes through all pages by itself
	var through []string
	for it := b.PaymentIntents.List(&stripe.PaymentIntentListParams{ListParams: stripe.ListParams{Limit: stripe.Int64(7)}}); it.Next(); {
		through = append(through, it.PaymentIntent().ID)
	}
	same("all pages", through, ids)
	since := b.clock.now().Add(-5 * time.Minute).Unix()
	it := b.PaymentIntents.List(&stripe.PaymentIntentListParams{CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: since}})
	got = nil
	for it.Next() {
		got = append(got, it.PaymentIntent().ID)
	}
	same("created[gte]", got, ids[:5])
	for _, bad := range []stripe.ListParams{{Limit: stripe.Int64(101)}, {StartingAfter: stripe.String("pi_nobody")}, {StartingAfter: &ids[1], EndingBefore: &ids[3]}} {
		bad.Single = true
		it := b.PaymentIntents.List(&stripe.PaymentIntentListParams{ListParams: bad})
		if it.Next() || it.Err() == nil {
			t.Error("a bad page was served")
		}
	}
}

func TestListsAreFiltered(t *testing.T) {
	b := start(t)
	u, m := b.customerWith("4242424242424242")
	p := intentParams(9858)
	p.Customer, p.PaymentMethod, p.Confirm = &u.ID, &m.ID, stripe.Bool(true)
	pi, err := b.PaymentIntents.New(p)
	pi = must(pi, err)(b)
	other, err := b.confirm(b.intent(100).ID, "pm_card_visa")
	other = must(other, err)(b)
	must(b.Refunds.New(&stripe.RefundParams{PaymentIntent: &other.ID}))(b)
	count := func(it interface{ Next() bool }) (n int) {
		for it.Next() {
			n++
		}
		return n
	}
	for what, n := range map[string]int{
		"intents by customer":   count(b.PaymentIntents.List(&stripe.PaymentIntentListParams{Customer: &u.ID})),
		"charges by intent":     count(b.Charges.List(&stripe.ChargeListParams{PaymentIntent: &pi.ID})),
		"refunds by intent":     count(b.Refunds.List(&stripe.RefundListParams{PaymentIntent: &other.ID})),
		"cards by customer":     count(b.PaymentMethods.List(&stripe.PaymentMethodListParams{Customer: &u.ID, Type: stripe.String("card")})),
		"cards of the customer": count(b.Customers.ListPaymentMethods(&stripe.CustomerListPaymentMethodsParams{Customer: &u.ID})),
		"events by type":        count(b.Events.List(&stripe.EventListParams{Type: stripe.String("charge.refunded")})),
		"refund movements":      count(b.BalanceTransactions.List(&stripe.BalanceTransactionListParams{Type: stripe.String("refund")})),
	} {
		if n != 1 {
			t.Errorf("%s: %d", what, n)
		}
	}
	if n := count(b.Refunds.List(&stripe.RefundListParams{PaymentIntent: &pi.ID})); n != 0 {
		t.Errorf("refunds of the other intent: %d", n)
	}
	if n := count(b.Events.List(&stripe.EventListParams{Types: stripe.StringSlice([]string{"payment_intent.succeeded", "charge.succeeded"})})); n != 4 {
		t.Errorf("events by types: %d", n)
	}
}

func TestCustomers(t *testing.T) {
	b := start(t)
	u, m := b.customerWith("4242424242424242")
	u, err := b.Customers.Update(u.ID, &stripe.CustomerParams{Email: stripe.String("dana@interlane.test"), Phone: stripe.String("+18045550142"),
		InvoiceSettings: &stripe.CustomerInvoiceSettingsParams{DefaultPaymentMethod: &m.ID}})
	if u = must(u, err)(b); u.Name != "Dana Whitfield" || u.Email != "dana@interlane.test" || u.InvoiceSettings.DefaultPaymentMethod.ID != m.ID {
		t.Fatal("not updated")
	}
	m, err = b.PaymentMethods.Detach(m.ID, nil)
	if m = must(m, err)(b); m.Customer != nil {
		t.Fatal("not detached")
	}
	_, err = b.PaymentMethods.Attach(m.ID, &stripe.PaymentMethodAttachParams{Customer: &u.ID})
	b.refusal(err, 400, "payment_method_unexpected_state")
	u, err = b.Customers.Del(u.ID, nil)
	if u = must(u, err)(b); !u.Deleted {
		t.Fatal("not deleted")
	}
	u, err = b.Customers.Get(u.ID, nil)
	if u = must(u, err)(b); !u.Deleted {
		t.Fatal("not shown as deleted")
	}
	_, err = b.Customers.Update(u.ID, &stripe.CustomerParams{Name: stripe.String("x")})
	b.refusal(err, 404, "resource_missing")
}

func TestKeys(t *testing.T) {
	b := start(t)
	pi := b.intent(100)
	get := func(key, query string) *http.Response {
		r, _ := http.NewRequest("GET", b.url+"/v1/payment_intents/"+pi.ID+"?"+query, nil)
		if key != "" {
			r.Header.Set("Authorization", "Bearer "+key)
		}
		resp, err := http.DefaultClient.Do(r)
		must(resp, err)(b).Body.Close()
		return resp
	}
	secret := "client_secret=" + url.QueryEscape(pi.ClientSecret)
	for _, c := range []struct {
		key, query string
		status     int
	}{
		{"", "", 401}, {"sk_test_another", "", 401}, {"sk_live_0000000000", "", 401}, {secretKey, "", 200},
		{publishableKey, "", 400}, {publishableKey, "client_secret=pi_x_secret_y", 400}, {publishableKey, secret, 200}, {"", "key=" + publishableKey + "&" + secret, 200},
		{"", "key=" + publishableKey + "&_stripe_account=" + connected + "&" + secret, 404},
	} {
		resp := get(c.key, c.query)
		if resp.StatusCode != c.status || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("key %q: %d, allowed origin %q", c.key, resp.StatusCode, resp.Header.Get("Access-Control-Allow-Origin"))
		}
	}
	seen, err := b.browser.PaymentIntents.Get(pi.ID, &stripe.PaymentIntentParams{ClientSecret: &pi.ClientSecret})
	if seen = must(seen, err)(b); seen.Status != "requires_payment_method" || strings.Contains(string(seen.LastResponse.RawJSON), `"metadata"`) {
		t.Error("a publishable key sees too little or too much")
	}
	_, err = b.browser.PaymentIntents.New(intentParams(100))
	b.refusal(err, 401, "secret_key_required")
	p := intentParams(100)
	p.SetStripeAccount("acct_stranger")
	_, err = b.PaymentIntents.New(p)
	b.refusal(err, 403, "account_invalid")
	resp, err := http.Get(b.url + "/v1/nothing")
	if must(resp, err)(b).Body.Close(); resp.StatusCode != 404 {
		t.Errorf("an unknown address got %d", resp.StatusCode)
	}
}

func TestLiveKeysAreRefused(t *testing.T) {
	for _, c := range []stripesim.Config{
		{Now: time.Now, SecretKey: "sk_live_x", PublishableKey: publishableKey},
		{Now: time.Now, SecretKey: secretKey, PublishableKey: "pk_live_x"},
		{Now: time.Now, PublishableKey: publishableKey},
	} {
		func() {
			defer func() {
				if recover() != stripesim.ErrLiveKey {
					t.Error("it ran")
				}
			}()
			stripesim.New(c).Close()
		}()
	}
}
