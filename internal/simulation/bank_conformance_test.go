package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"paylink/internal/pay"
	"paylink/internal/sim/stripesim"
	"paylink/internal/stripepay"
)

// inProcess is a server without a wire.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

// TestTheBankIsAsStripesimIs plays random requests to both, without faults: what our gateway hears must be the same.
func TestTheBankIsAsStripesimIs(t *testing.T) {
	dir := memory(t)
	file, err := template(dir)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[cardKind]string{good: "4242424242424242", poor: "4000000000009995", secure: "4000002760003184"}
	for seed := range uint64(60) {
		w, err := newWorld(1_000_000+seed, dir, file)
		if err != nil {
			t.Fatal(err)
		}
		w.quiet, w.bank.alone = true, true
		sim := stripesim.New(stripesim.Config{Now: func() time.Time { return w.now }, SecretKey: "sk_test_x", PublishableKey: "pk_test_x"})
		wire := inProcess{sim.Handler()}
		theirs, err := stripepay.New(stripepay.Config{Now: time.Now, SecretKey: "sk_test_x", APIURL: "http://stripe", Timeout: 5 * time.Second, Transport: wire})
		if err != nil {
			t.Fatal(err)
		}
		chance := rand.New(rand.NewPCG(seed, 1))
		w.begin("script", nil, 0, func(*task) {
			ctx := context.Background()
			request := pay.IntentRequest{Key: "create", Amount: 9858, PaymentID: "p"}
			ourIntent, _ := w.bank.CreateIntent(ctx, request)
			theirIntent, err := theirs.CreateIntent(ctx, request)
			if err != nil {
				t.Error(err)
			}
			cards := map[string]string{"": ""} // ours → theirs
			var entered []string
			story := ""
			for n := range 14 {
				what, key := chance.IntN(8), fmt.Sprintf("key %d", n)
				if n > 0 && chance.IntN(6) == 0 {
					key = fmt.Sprintf("key %d", n-1)
				}
				var ours, said pay.Intent
				var ourErr, theirErr error
				switch what {
				case 0, 1, 2, 3:
					card := ""
					switch {
					case what < 3 && (len(entered) == 0 || chance.IntN(4) > 0):
						kind := []cardKind{good, poor, poor, secure, secure}[chance.IntN(5)]
						card = w.bank.enter(kind)
						cards[card] = enterThere(t, wire, numbers[kind])
						entered = append(entered, card)
					case what < 3:
						card = entered[chance.IntN(len(entered))]
					}
					if b := w.bank.keys[key]; b != nil {
						continue // another request under a used key: that breaks a seed
					}
					story += "confirm " + card + "; "
					ours, ourErr = w.bank.Confirm(ctx, pay.ConfirmRequest{Key: key, IntentID: ourIntent.ID, PaymentMethod: card})
					said, theirErr = theirs.Confirm(ctx, pay.ConfirmRequest{Key: key, IntentID: theirIntent.ID, PaymentMethod: cards[card]})
				case 4:
					passed := chance.IntN(2) == 0
					story += fmt.Sprintf("challenge %v; ", passed)
					w.bank.challenge(w.bank.find(ourIntent.ID), passed)
					_ = sim.FinishChallenge(theirIntent.ID, passed)
				case 5:
					if chance.IntN(3) == 0 {
						story += "cancel; "
						ours, ourErr = w.bank.Cancel(ctx, "", ourIntent.ID)
						said, theirErr = theirs.Cancel(ctx, "", theirIntent.ID)
					}
				default:
					story += "get; "
					ours, ourErr = w.bank.Intent(ctx, "", ourIntent.ID)
					said, theirErr = theirs.Intent(ctx, "", theirIntent.ID)
				}
				if a, b := heardAs(ours, ourErr, cards), heardAs(said, theirErr, nil); a != b {
					t.Errorf("script %d: %s\nthe bank says  %s\nstripesim says %s", seed, story, a, b)
					return
				}
			}
		})
		w.runUntil(w.now.Add(time.Hour))
		if w.broken != "" {
			t.Error(w.broken)
		}
		sim.Close()
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}
}

// heardAs is what the machine can tell apart.
func heardAs(in pay.Intent, err error, cards map[string]string) string {
	name := func(id string) string {
		if cards != nil {
			return cards[id]
		}
		return id
	}
	var card *pay.CardError
	var no *pay.RequestError
	switch {
	case errors.As(err, &card):
		return "declined"
	case errors.As(err, &no):
		return "refused"
	case err != nil:
		return "unclear"
	}
	return fmt.Sprintf("%s holds %s error %s charged %v", in.Status, name(in.PaymentMethod), name(in.ErrorMethod), in.Status == pay.IntentSucceeded && in.ChargeMethod != "")
}

func enterThere(t *testing.T, wire inProcess, number string) string {
	form := url.Values{"type": {"card"}, "card[number]": {number}, "card[exp_month]": {"12"}, "card[exp_year]": {"2031"}, "card[cvc]": {"123"}, "key": {"pk_test_x"}}
	r := httptest.NewRequest(http.MethodPost, "http://stripe/v1/payment_methods", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, _ := wire.RoundTrip(r)
	var m struct{ ID string }
	if err := json.NewDecoder(answer.Body).Decode(&m); err != nil || m.ID == "" {
		t.Errorf("a card could not be entered: %d, %v", answer.StatusCode, err)
	}
	return m.ID
}
