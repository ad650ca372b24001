package stripesim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"paylink/internal/sim/stripesim"
)

// endpoint receives webhooks and verifies them as our service will.
type endpoint struct {
	mu     sync.Mutex
	events []stripe.Event
	signed []string
	refuse int // so many deliveries get a 500 first
	news   chan struct{}
	url    string
}

func (b *bench) listen(now func() time.Time) *endpoint {
	e := &endpoint{news: make(chan struct{}, 1000)}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.refuse > 0 {
			e.refuse--
			w.WriteHeader(500)
			return
		}
		body, _ := io.ReadAll(r.Body)
		signature := r.Header.Get("Stripe-Signature")
		event, err := webhook.ConstructEventWithOptions(body, signature, webhookSecret, webhook.ConstructEventOptions{IgnoreTolerance: true})
		if err != nil {
			b.Errorf("a webhook that stripe-go refuses: %v", err)
		}
		e.events = append(e.events, event)
		e.signed = append(e.signed, signature)
		e.news <- struct{}{}
	}))
	b.Cleanup(web.Close)
	e.url = web.URL
	b.sim.SetWebhookURL(web.URL)
	return e
}

// wait returns the events once there are n.
func (e *endpoint) wait(b *bench, n int) []stripe.Event {
	b.Helper()
	late := time.After(20 * time.Second)
	for {
		e.mu.Lock()
		got := slices.Clone(e.events)
		e.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-e.news:
		case <-late:
			b.Fatalf("%d of %d webhooks came", len(got), n)
		}
	}
}

func kinds(events []stripe.Event) (out []string) {
	for _, e := range events {
		out = append(out, string(e.Type))
	}
	return out
}

func TestWebhooksTellTheStoryInOrder(t *testing.T) {
	b := start(t)
	e := b.listen(b.clock.now)
	pi := b.intent(9858)
	_, err := b.confirm(pi.ID, "pm_card_visa_chargeDeclined")
	b.refusal(err, 402, "card_declined")
	b.paidOn(pi.ID)
	events := e.wait(b, 5)
	want := []string{"payment_intent.created", "charge.failed", "payment_intent.payment_failed", "charge.succeeded", "payment_intent.succeeded"}
	if !slices.Equal(kinds(events), want) {
		t.Fatal(kinds(events))
	}
	last := events[4]
	var about stripe.PaymentIntent
	must(0, json.Unmarshal(last.Data.Raw, &about))(b)
	if about.ID != pi.ID || about.Status != "succeeded" || last.APIVersion != "2023-10-16" || last.Account != "" || last.Request.ID == "" || last.Created != b.clock.now().Unix() {
		t.Fatalf("%s %s %+v", about.Status, last.APIVersion, last.Request)
	}
	if e.signed[4][:13] != "t=1772463600," { // the town's clock, not the machine's
		t.Fatal("signed at another time")
	}
	got, err := b.Events.Get(last.ID, nil)
	if got = must(got, err)(b); got.Type != last.Type {
		t.Fatal(got.Type)
	}
}

func (b *bench) paidOn(pi string) {
	b.Helper()
	_, err := b.confirm(pi, "pm_card_visa")
	must(0, err)(b)
}

func TestAConnectedAccountsEventsNameIt(t *testing.T) {
	b := start(t)
	e := b.listen(b.clock.now)
	p := intentParams(100)
	p.SetStripeAccount(connected)
	pi, err := b.PaymentIntents.New(p)
	must(pi, err)(b)
	if events := e.wait(b, 1); events[0].Account != connected {
		t.Fatalf("account %q", events[0].Account)
	}
}

func TestAWebhookIsSentAgainUntilItIsTaken(t *testing.T) {
	b := start(t)
	e := b.listen(b.clock.now)
	e.refuse = 2
	b.intent(100)
	if events := e.wait(b, 1); events[0].Type != "payment_intent.created" {
		t.Fatal(events[0].Type)
	}
}

func TestWebhookFaults(t *testing.T) {
	b := start(t)
	e := b.listen(b.clock.now)
	set := func(w stripesim.WebhookFaults) { must(0, b.sim.SetFaults(stripesim.Faults{Webhooks: w}))(b) }
	set(stripesim.WebhookFaults{Twice: 1})
	b.intent(100)
	if got := e.wait(b, 2); got[0].ID != got[1].ID {
		t.Fatal("not the same event twice")
	}
	set(stripesim.WebhookFaults{TwoEvents: 1})
	b.intent(100)
	if got := e.wait(b, 4); got[2].ID == got[3].ID || got[2].Type != got[3].Type {
		t.Fatal("not two events for one fact")
	}
	set(stripesim.WebhookFaults{Reorder: 1})
	first := b.intent(100)
	set(stripesim.WebhookFaults{})
	b.intent(100)
	if got := e.wait(b, 6); got[5].GetObjectValue("id") != first.ID {
		t.Fatal("not out of order")
	}
	set(stripesim.WebhookFaults{Never: 1})
	b.intent(100)
	set(stripesim.WebhookFaults{Off: true})
	b.intent(100)
	set(stripesim.WebhookFaults{DelayMS: 3_600_000})
	late := b.intent(100)
	set(stripesim.WebhookFaults{})
	early := b.intent(100)
	if got := e.wait(b, 7); got[6].GetObjectValue("id") != early.ID {
		t.Fatal("the next webhook is another's")
	}
	b.clock.move(time.Hour)
	b.sim.Tick()
	if got := e.wait(b, 8); got[7].GetObjectValue("id") != late.ID {
		t.Fatal("the late webhook is another's")
	}
	if n := len(e.events); n != 8 {
		t.Fatalf("%d webhooks", n)
	}
	it := b.Events.List(&stripe.EventListParams{Type: stripe.String("payment_intent.created")})
	n := 0
	for it.Next() {
		n++
	}
	if n != 9 { // eight intents, one with two events; never and off are in the list all the same
		t.Fatalf("%d events listed", n)
	}
}

func TestAForgedSignatureIsOne(t *testing.T) {
	b := start(t)
	payload := []byte(`{"id":"evt_1","api_version":"2023-10-16"}`)
	now := time.Now()
	_, err := webhook.ConstructEvent(payload, stripesim.Sign(payload, webhookSecret, now), webhookSecret)
	must(0, err)(b)
	for _, header := range []string{stripesim.Sign(payload, "whsec_other", now), stripesim.Sign(payload, webhookSecret, now.Add(-time.Hour))} {
		if _, err := webhook.ConstructEvent(payload, header, webhookSecret); err == nil {
			t.Error("accepted")
		}
	}
}

func TestEventsAreListedByTypesForThirtyDays(t *testing.T) {
	b := start(t)
	pi := b.paid(9858, "pm_card_visa")
	kinds := func(types ...string) (got []string, err error) {
		it := b.Events.List(&stripe.EventListParams{Types: stripe.StringSlice(types)})
		for it.Next() {
			got = append(got, string(it.Event().Type))
		}
		return got, it.Err()
	}
	got, err := kinds("payment_intent.succeeded", "charge.succeeded", "charge.refunded")
	if want := []string{"payment_intent.succeeded", "charge.succeeded"}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, %v: newest first", got, err)
	}
	p := &stripe.EventListParams{Types: stripe.StringSlice([]string{"payment_intent.succeeded"})}
	p.SetStripeAccount(connected)
	if it := b.Events.List(p); it.Next() || it.Err() != nil {
		t.Error("another account's events are listed")
	}
	_, err = kinds(slices.Repeat([]string{"charge.refunded"}, 21)...)
	b.refusal(err, 400, "")
	b.clock.move(30 * 24 * time.Hour)
	if got, _ := kinds("payment_intent.succeeded"); len(got) != 1 {
		t.Errorf("after thirty days: %v", got)
	}
	b.clock.move(time.Second)
	if got, _ := kinds("payment_intent.succeeded"); len(got) != 0 {
		t.Errorf("after more than thirty days: %v", got)
	}
	if pi.Status != "succeeded" {
		t.Error(pi.Status)
	}
}
