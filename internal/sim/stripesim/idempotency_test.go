package stripesim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"paylink/internal/sim/stripesim"
)

func TestIdempotency(t *testing.T) {
	create := func(b *bench, key string, cents int64) (*stripe.PaymentIntent, error) {
		p := intentParams(cents)
		p.SetIdempotencyKey(key)
		return b.PaymentIntents.New(p)
	}
	confirm := func(b *bench, key, pi, m string) (*stripe.PaymentIntent, error) {
		p := &stripe.PaymentIntentConfirmParams{PaymentMethod: &m}
		p.SetIdempotencyKey(key)
		return b.PaymentIntents.Confirm(pi, p)
	}
	count := func(b *bench) int { return len(b.sim.Books().Accounts[b.sim.Books().Platform].Intents) }

	t.Run("the same answer", func(t *testing.T) {
		b := start(t)
		one, err := create(b, "k", 100)
		one = must(one, err)(b)
		two, err := create(b, "k", 100)
		two = must(two, err)(b)
		if one.ID != two.ID || count(b) != 1 {
			t.Fatal("a second intent")
		}
		if two.LastResponse.Header.Get("Idempotent-Replayed") != "true" || one.LastResponse.Header.Get("Idempotent-Replayed") != "" {
			t.Error("Idempotent-Replayed")
		}
		if two.LastResponse.RequestID == one.LastResponse.RequestID || two.LastResponse.Header.Get("Original-Request") != one.LastResponse.RequestID {
			t.Error("Request-Id or Original-Request")
		}
	})
	t.Run("other parameters", func(t *testing.T) {
		b := start(t)
		_, err := create(b, "k", 100)
		must(0, err)(b)
		_, err = create(b, "k", 101)
		if e := b.refusal(err, 400, ""); e.Type != stripe.ErrorTypeIdempotency {
			t.Fatal(e.Type)
		}
		_, err = confirm(b, "k", "pi_x", "pm_card_visa")
		if e := b.refusal(err, 400, ""); e.Type != stripe.ErrorTypeIdempotency {
			t.Fatal(e.Type)
		}
	})
	t.Run("a day later the key is forgotten", func(t *testing.T) {
		b := start(t)
		one, err := create(b, "k", 100)
		must(one, err)(b)
		b.clock.move(24*time.Hour + time.Second)
		two, err := create(b, "k", 100)
		if two = must(two, err)(b); two.ID == one.ID {
			t.Fatal("still remembered")
		}
	})
	t.Run("a decline is replayed and tries nothing", func(t *testing.T) {
		b := start(t)
		pi, m := b.intent(100), b.enter("4000000000000002")
		_, err := confirm(b, "k", pi.ID, m.ID)
		one := b.refusal(err, 402, "card_declined")
		_, err = confirm(b, "k", pi.ID, m.ID)
		two := b.refusal(err, 402, "card_declined")
		if _, failed := b.charges(pi.ID); failed != 1 || one.ChargeID != two.ChargeID {
			t.Fatalf("%d refusals", failed)
		}
	})
	t.Run("a validation error is not remembered", func(t *testing.T) {
		b := start(t)
		p := intentParams(100)
		p.AddExtra("amont", "1")
		p.SetIdempotencyKey("k")
		_, err := b.PaymentIntents.New(p)
		b.refusal(err, 400, "parameter_unknown")
		_, err = create(b, "k", 49)
		b.refusal(err, 400, "amount_too_small")
		_, err = create(b, "k", 100)
		must(0, err)(b)
	})
	t.Run("429 and 409 are not remembered", func(t *testing.T) {
		b := start(t)
		for kind, status := range map[string]int{stripesim.Rate429: 429, stripesim.Conflict409: 409, stripesim.Down503: 503, stripesim.Error500: 500} {
			must(0, b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "create", Kind: kind, Times: 1}}}))(b)
			before := count(b)
			_, err := create(b, kind, 100)
			if e, ok := errors.AsType[*stripe.Error](err); !ok || e.HTTPStatusCode != status {
				t.Fatalf("%s: %v", kind, err)
			}
			if count(b) != before {
				t.Fatalf("%s had an effect", kind)
			}
			_, err = create(b, kind, 100)
			must(0, err)(b)
		}
	})
	t.Run("a 500 from within is replayed", func(t *testing.T) {
		b := start(t)
		must(0, b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "create", Kind: stripesim.Error500RolledBack, Times: 1}}}))(b)
		for range 2 {
			_, err := create(b, "k", 100)
			b.refusal(err, 500, "")
		}
		if count(b) != 0 {
			t.Fatal("it had an effect")
		}
	})
	t.Run("in flight", func(t *testing.T) {
		b := start(t)
		must(0, b.sim.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "create", Kind: stripesim.Slow, DelayMS: 400, Times: 1}}}))(b)
		first := make(chan error, 1)
		go func() { _, err := create(b, "k", 100); first <- err }()
		for b.sim.Faults().Rules[0].Fired == 0 {
			time.Sleep(time.Millisecond)
		}
		var refused error
		for refused == nil { // until the slow one has registered its key
			if _, refused = create(b, "k", 100); refused == nil {
				t.Fatal("it was not in flight")
			}
		}
		if e, ok := errors.AsType[*stripe.Error](refused); !ok || e.HTTPStatusCode != 409 || e.Code != "idempotency_key_in_use" {
			t.Fatal(refused)
		}
		must(0, <-first)(b)
		if count(b) != 1 {
			t.Fatal("two intents")
		}
	})
	t.Run("keys of different accounts are different", func(t *testing.T) {
		b := start(t)
		one, err := create(b, "k", 100)
		must(one, err)(b)
		p := intentParams(100)
		p.SetIdempotencyKey("k")
		p.SetStripeAccount(connected)
		two, err := b.PaymentIntents.New(p)
		if two = must(two, err)(b); two.ID == one.ID {
			t.Fatal("one account was given the other's answer")
		}
	})
}
