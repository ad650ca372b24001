//go:build stripe_live

package stripepay_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"paylink/internal/pay"
)

// TestLive plays the script on real Stripe, in its test mode: `make stripe-live`. It needs
//
//	STRIPE_SECRET_KEY        sk_test_…, required
//	STRIPE_CONNECTED_ACCOUNT acct_… of the same platform: plays it all once more there
//	STRIPE_PUBLISHABLE_KEY   pk_test_…, and a person: prints an address to open in a browser, once for each challenge, within five minutes
//
// and says what it left out for want of the last two.
func TestLive(t *testing.T) {
	key := os.Getenv("STRIPE_SECRET_KEY")
	switch {
	case key == "":
		t.Fatal("Set STRIPE_SECRET_KEY to a secret key of Stripe's test mode (sk_test_…); nothing was asked of Stripe.")
	case !strings.HasPrefix(key, "sk_test_"):
		t.Fatal("STRIPE_SECRET_KEY is no key of Stripe's test mode (sk_test_…). This test makes charges: it never runs with any other. Nothing was asked of Stripe.")
	}
	publishable := os.Getenv("STRIPE_PUBLISHABLE_KEY")
	if publishable != "" && !strings.HasPrefix(publishable, "pk_test_") {
		t.Fatal("STRIPE_PUBLISHABLE_KEY is no key of Stripe's test mode (pk_test_…).")
	}
	accounts := []string{""}
	if account := os.Getenv("STRIPE_CONNECTED_ACCOUNT"); account != "" {
		accounts = append(accounts, account)
	} else {
		t.Log("left out: everything on a connected account (STRIPE_CONNECTED_ACCOUNT is not set)")
	}
	if publishable == "" {
		t.Log("left out: what comes after the bank's challenge, the second confirm with it (STRIPE_PUBLISHABLE_KEY is not set)")
	}
	for _, account := range accounts {
		name := "platform"
		if account != "" {
			name = "connected account"
		}
		t.Run(name, func(t *testing.T) {
			w := &world{key: key, account: account}
			if publishable != "" {
				w.challenge = func(t *testing.T, in pay.Intent, pass bool) { person(t, publishable, account, in, pass) }
			}
			w.play(t)
		})
	}
}

// person serves a page on this machine on which a person answers the challenge, and waits until they have.
func person(t *testing.T, publishable, account string, in pay.Intent, pass bool) {
	t.Helper()
	button := "Complete"
	if !pass {
		button = "Fail"
	}
	options := map[string]string{}
	if account != "" {
		options["stripeAccount"] = account
	}
	settings, err := json.Marshal(map[string]any{"key": publishable, "options": options, "secret": in.ClientSecret.Reveal()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{}, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><title>Challenge</title><script src="https://js.stripe.com/v3/"></script>
<h1>Press “%s” in the bank’s window</h1><p id="state">Waiting.</p>
<script>
const s = %s;
Stripe(s.key, s.options).handleCardAction(s.secret).then(async () => {
  await fetch("/done", {method: "POST"});
  document.getElementById("state").textContent = "Thank you. This page can be closed.";
});
</script>`, button, settings)
	})
	mux.HandleFunc("POST /done", func(http.ResponseWriter, *http.Request) {
		select {
		case done <- struct{}{}:
		default:
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	t.Logf("Open http://%s/ in a browser and press %q.", listener.Addr(), button)
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		t.Fatal("nobody answered the challenge")
	}
}
