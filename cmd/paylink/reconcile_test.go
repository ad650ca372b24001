package main

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"paylink/internal/desk/clock"
	"paylink/internal/pay"
	"paylink/internal/sim/stripesim"
	"paylink/internal/stripepay"
	"paylink/internal/testbed"
)

func TestReconcile(t *testing.T) {
	stripe := stripesim.New(stripesim.Config{Now: time.Now, SecretKey: "sk_test_x", PublishableKey: "pk_test_x"})
	web := httptest.NewServer(stripe.Handler())
	defer web.Close()
	defer stripe.Close()
	env := complete()
	env["DATABASE_URL"], env["REDIS_URL"], env["STRIPE_API_URL"] = testbed.SQLite(t), "redis://"+miniredis.RunT(t).Addr(), web.URL
	today := time.Now().UTC().Format(time.DateOnly)
	for _, args := range [][]string{{}, {"-day", today}, {"-from", "2026-01-01", "-to", "2026-01-03"}} {
		if got := command(env, "", append([]string{"reconcile"}, args...)...); got.status != done || !strings.Contains(got.out, "The books agree with Stripe.") {
			t.Errorf("%v: status %d\n%s%s", args, got.status, got.out, got.errors)
		}
	}
	gateway, err := stripepay.New(stripepay.Config{Now: time.Now, SecretKey: "sk_test_x", APIURL: web.URL, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	in, err := gateway.CreateIntent(t.Context(), pay.IntentRequest{Key: "k", Amount: 4_200})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gateway.Confirm(t.Context(), pay.ConfirmRequest{Key: "l", IntentID: in.ID, PaymentMethod: "pm_card_visa"}); err != nil {
		t.Fatal(err)
	}
	days := []string{"reconcile", "-from", time.Now().UTC().Add(-24 * time.Hour).Format(time.DateOnly), "-to", time.Now().UTC().Format(time.DateOnly)}
	if got := command(env, "", days...); got.status != differs || !strings.Contains(got.out, "1. ") || !strings.Contains(got.out, in.ID) || got.errors != "" {
		t.Errorf("a difference: status %d\n%s%s", got.status, got.out, got.errors)
	}
	got := command(env, "", append(days, "--json")...)
	var r clock.Report
	if err := json.Unmarshal([]byte(got.out), &r); err != nil || got.status != differs || r.Count != 1 || r.Differences[0].IntentID != in.ID || *r.Differences[0].Stripe != 4_200 || r.Differences[0].Books != nil {
		t.Errorf("as JSON: status %d, %v\n%s%s", got.status, err, got.out, got.errors)
	}
	for name, args := range map[string][]string{
		"a day that is none": {"-day", "2026-02-30"}, "an order that is none": {"-from", "2026-01-02", "-to", "2026-01-01"}, "an argument": {"today"}, "an unknown flag": {"-week"},
		"a day to come": {"-day", time.Now().AddDate(0, 0, 2).Format(time.DateOnly)}, "ten years": {"-from", "2016-01-01"},
	} {
		if got := command(env, "", append([]string{"reconcile"}, args...)...); got.status != notCompared || got.out != "" || got.errors == "" {
			t.Errorf("%s: status %d\n%s%s", name, got.status, got.out, got.errors)
		}
	}
	web.Close()
	if got := command(env, "", "reconcile"); got.status != notCompared || !strings.Contains(got.errors, "the connection failed") || !strings.Contains(got.out, "NOT COMPARED") || strings.Contains(got.out+got.errors, "sk_test") {
		t.Errorf("without Stripe: status %d\n%s%s", got.status, got.out, got.errors)
	}
	delete(env, "STRIPE_SECRET_KEY")
	if got := command(env, "", "reconcile"); got.status != notCompared || !strings.Contains(got.errors, "STRIPE_SECRET_KEY") {
		t.Errorf("without settings: status %d, %s", got.status, got.errors)
	}
}
