package stripesim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"paylink/internal/sim/stripesim"
)

func TestATimeoutBeforeAndAfter(t *testing.T) {
	b := start(t)
	impatient := api(b.url, secretKey, &http.Client{Timeout: 100 * time.Millisecond})
	for kind, charged := range map[string]int{stripesim.TimeoutBefore: 0, stripesim.TimeoutAfter: 1} {
		pi, m := b.intent(9858), b.enter("4242424242424242")
		must(0, b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "confirm", Kind: kind, Times: 1}}}))(b)
		try := func(c *stripe.PaymentIntent) (*stripe.PaymentIntent, error) {
			p := &stripe.PaymentIntentConfirmParams{PaymentMethod: &m.ID}
			p.SetIdempotencyKey(kind)
			return impatient.PaymentIntents.Confirm(pi.ID, p)
		}
		_, err := try(pi)
		if _, isStripe := errors.AsType[*stripe.Error](err); err == nil || isStripe {
			t.Fatalf("%s: %v", kind, err)
		}
		if paid, _ := b.charges(pi.ID); paid != charged {
			t.Fatalf("%s: %d charges", kind, paid)
		}
		after, err := try(pi) // the same key: charged now, or told of the charge
		if after = must(after, err)(b); after.Status != "succeeded" {
			t.Fatal(after.Status)
		}
		if replayed := after.LastResponse.Header.Get("Idempotent-Replayed") == "true"; replayed != (charged == 1) {
			t.Errorf("%s: replayed %v", kind, replayed)
		}
		if paid, _ := b.charges(pi.ID); paid != 1 {
			t.Fatalf("%s: %d charges in the end", kind, paid)
		}
	}
}

func TestA500ThatIsRolledForwardLater(t *testing.T) {
	b := start(t)
	pi, m := b.intent(9858), b.enter("4242424242424242")
	must(0, b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "confirm", Kind: stripesim.Error500Forward, Times: 1, DelayMS: 3_600_000}}}))(b)
	p := &stripe.PaymentIntentConfirmParams{PaymentMethod: &m.ID}
	p.SetIdempotencyKey("k")
	for range 2 {
		_, err := b.PaymentIntents.Confirm(pi.ID, p)
		b.refusal(err, 500, "")
	}
	b.clock.move(59 * time.Minute)
	b.sim.Tick()
	if paid, _ := b.charges(pi.ID); paid != 0 {
		t.Fatal("too early")
	}
	b.clock.move(2 * time.Minute)
	b.sim.Tick()
	if paid, _ := b.charges(pi.ID); paid != 1 {
		t.Fatal("never")
	}
	_, err := b.PaymentIntents.Confirm(pi.ID, p) // the key still replays the 500
	b.refusal(err, 500, "")
}

func TestARolledForwardConfirmOfACanceledIntentDoesNothing(t *testing.T) {
	b := start(t)
	pi := b.intent(9858)
	must(0, b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "confirm", Kind: stripesim.Error500Forward, Times: 1, DelayMS: 1000}}}))(b)
	_, err := b.confirm(pi.ID, "pm_card_visa")
	b.refusal(err, 500, "")
	_, err = b.PaymentIntents.Cancel(pi.ID, nil)
	must(0, err)(b)
	b.clock.move(time.Minute)
	b.sim.Tick()
	if paid, failed := b.charges(pi.ID); paid+failed != 0 {
		t.Fatal("charged after the cancel")
	}
}

func TestBrokenJSON(t *testing.T) {
	b := start(t)
	pi := b.intent(100)
	must(0, b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "any", Kind: stripesim.BrokenJSON, Times: 1, Object: pi.ID}}}))(b)
	b.intent(100) // another object
	_, err := b.confirm(pi.ID, "pm_card_visa")
	if _, isStripe := errors.AsType[*stripe.Error](err); err == nil || isStripe {
		t.Fatal(err)
	}
	if paid, _ := b.charges(pi.ID); paid != 1 {
		t.Fatal("not charged")
	}
}

func TestProcessing(t *testing.T) {
	b := start(t)
	must(0, b.sim.SetFaults(stripesim.Faults{Processing: 1, SettleMS: 5000}))(b)
	pi := b.paid(9858, "pm_card_visa")
	if pi.Status != "processing" {
		t.Fatal(pi.Status)
	}
	_, err := b.PaymentIntents.Cancel(pi.ID, nil)
	b.refusal(err, 400, "payment_intent_unexpected_state")
	b.clock.move(5 * time.Second)
	b.sim.Tick()
	pi, err = b.PaymentIntents.Get(pi.ID, nil)
	if pi = must(pi, err)(b); pi.Status != "succeeded" || pi.AmountReceived != 9858 {
		t.Fatal(pi.Status)
	}
}

func TestFromTheDashboard(t *testing.T) {
	b := start(t)
	pi := b.intent(9858)
	must(0, b.sim.PayIntent(pi.ID))(b)
	if paid, _ := b.charges(pi.ID); paid != 1 {
		t.Fatal("not paid")
	}
	if b.sim.PayIntent(pi.ID) == nil || b.sim.CancelIntent(pi.ID) == nil {
		t.Fatal("a paid intent was paid or canceled")
	}
	if err := b.sim.CancelIntent("pi_nobody"); !errors.Is(err, stripesim.ErrNoSuchObject) {
		t.Fatal(err)
	}
	post := func(path string) int {
		resp, err := http.Post(b.url+"/control/stripe/"+path, "", nil)
		must(resp, err)(b).Body.Close()
		return resp.StatusCode
	}
	open := b.intent(100)
	for path, status := range map[string]int{
		"intents/" + pi.ID + "/pay": 409, "intents/pi_nobody/cancel": 404, "intents/" + open.ID + "/cancel": 200,
		"charges/ch_nobody/dispute": 404, "disputes/dp_x/shrug": 400, "refunds/re_x/fail": 404,
	} {
		if got := post(path); got != status {
			t.Errorf("%s: %d", path, got)
		}
	}
}

func TestFaultsOverHTTP(t *testing.T) {
	b := start(t)
	put := func(body []byte) int {
		r, _ := http.NewRequest("PUT", b.url+"/control/stripe/faults", bytes.NewReader(body))
		resp, err := http.DefaultClient.Do(r)
		must(resp, err)(b).Body.Close()
		return resp.StatusCode
	}
	body, _ := json.Marshal(stripesim.DefaultFaults())
	if status := put(body); status != 200 || b.sim.Faults().Webhooks.Reorder != 0.20 || b.sim.Faults().Rules[0].Rate != 0.05 {
		t.Fatal(status)
	}
	for _, bad := range []string{`{`, `{"rules":[{"op":"confirm","kind":"explode"}]}`, `{"rules":[{"op":"confim","kind":"slow"}]}`, `{"webhooks":{"never":2}}`, `{"webhook":{}}`} {
		if status := put([]byte(bad)); status != 400 {
			t.Errorf("%s: %d", bad, status)
		}
	}
	if b.sim.Faults().Webhooks.Reorder != 0.20 {
		t.Fatal("bad faults replaced good ones")
	}
}

func TestCloseLetsGoOfHeldRequests(t *testing.T) {
	b := start(t)
	pi := b.intent(100)
	must(0, b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "retrieve", Kind: stripesim.TimeoutBefore, Rate: 1}}}))(b) // every time: Go's own transport asks again when a connection drops
	held := make(chan error, 1)
	go func() { _, err := b.PaymentIntents.Get(pi.ID, nil); held <- err }()
	for b.sim.Faults().Rules[0].Fired == 0 {
		time.Sleep(time.Millisecond)
	}
	b.sim.Close()
	select {
	case err := <-held:
		if err == nil {
			t.Fatal("it was answered")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still held")
	}
}

func TestTheSameSeedMisbehavesTheSameWay(t *testing.T) {
	run := func(seed uint64) string {
		b := start(t, func(c *stripesim.Config) { c.Seed = seed })
		must(0, b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "any", Kind: stripesim.Down503, Rate: 0.3}}}))(b)
		var story strings.Builder
		for range 40 {
			pi, err := b.PaymentIntents.New(intentParams(100))
			if err != nil {
				story.WriteString("- ")
				continue
			}
			story.WriteString(pi.ID + " ")
		}
		return story.String()
	}
	one, again, other := run(1), run(1), run(2)
	if one != again {
		t.Error("the same seed, another story")
	}
	if one == other {
		t.Error("another seed, the same story")
	}
}

func TestTheStandInIsServed(t *testing.T) {
	b := start(t)
	for path, kind := range map[string]string{"/v3/": "text/javascript", "/v3/stripe.js": "text/javascript", "/v3/challenge?payment_intent=pi_x": "text/html"} {
		r, _ := http.NewRequestWithContext(context.Background(), "GET", b.url+path, nil)
		resp, err := http.DefaultClient.Do(r)
		body, _ := io.ReadAll(must(resp, err)(b).Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) || len(body) == 0 {
			t.Errorf("%s: %d %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
	}
}

func TestARuleThatNamesNeitherRateNorTimesAlwaysFires(t *testing.T) {
	b := start(t)
	must(0, b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "customer", Kind: stripesim.Down503}}}))(b)
	for range 3 {
		_, err := b.Customers.New(&stripe.CustomerParams{})
		b.refusal(err, 503, "")
	}
}
