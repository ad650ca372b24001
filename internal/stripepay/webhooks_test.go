package stripepay_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paylink/internal/pay"
	"paylink/internal/sim/stripesim"
	"paylink/internal/stripepay"
)

const event = `{"id": "evt_1", "object": "event", "api_version": "2023-10-16", "created": 1772463600, "type": "payment_intent.succeeded", "account": "acct_richmond",
	"data": {"object": {"id": "pi_1", "object": "payment_intent", "client_secret": "pi_1_secret_2"}}}`

func TestEventsAreTakenOnlyAsStripeSignedThem(t *testing.T) {
	const secret, old = "whsec_new", "whsec_old"
	good := stripesim.Sign([]byte(event), secret, now())
	_, v1, _ := strings.Cut(good, ",")
	for _, c := range []struct {
		name, payload, signature string
		want                     error
	}{
		{"good", event, good, nil},
		{"signed by the secret before", event, stripesim.Sign([]byte(event), old, now()), nil},
		{"signed by both", event, good + "," + strings.Split(stripesim.Sign([]byte(event), "whsec_x", now()), ",")[1], nil},
		{"with a scheme that is not ours", event, good + ",v0=00", nil},
		{"300 s old", event, stripesim.Sign([]byte(event), secret, now().Add(-300*time.Second)), nil},
		{"300 s ahead", event, stripesim.Sign([]byte(event), secret, now().Add(300*time.Second)), nil},
		{"301 s old", event, stripesim.Sign([]byte(event), secret, now().Add(-301*time.Second)), stripepay.ErrOld},
		{"301 s ahead", event, stripesim.Sign([]byte(event), secret, now().Add(301*time.Second)), stripepay.ErrOld},
		{"by a stranger", event, stripesim.Sign([]byte(event), "whsec_stranger", now()), stripepay.ErrSignature},
		{"by an empty secret", event, stripesim.Sign([]byte(event), "", now()), stripepay.ErrSignature},
		{"for another payload", event + " ", good, stripepay.ErrSignature},
		{"with its time changed", event, "t=1772463601," + v1, stripepay.ErrSignature},
		{"with two times", event, "t=1772463601," + good, stripepay.ErrSignature},
		{"without a time", event, v1, stripepay.ErrSignature},
		{"without a signature", event, "t=1772463600", stripepay.ErrSignature},
		{"in the old scheme only", event, strings.Replace(good, "v1", "v0", 1), stripepay.ErrSignature},
		{"nothing", event, "", stripepay.ErrSignature},
		{"nonsense", event, "t=now,v1=zz", stripepay.ErrSignature},
		{"endless", event, good + strings.Repeat(",v1=00", 1000), stripepay.ErrSignature},
		{"another version", strings.Replace(event, "2023-10-16", "2024-04-10", 1), "", stripepay.ErrVersion},
		{"no event", `{"id": "pi_1", "object": "payment_intent"}`, "", stripepay.ErrUnreadable},
		{"no data", `{"id": "evt_1", "object": "event", "type": "x", "api_version": "2023-10-16"}`, "", stripepay.ErrUnreadable},
		{"no JSON", `pi_1_secret_2`, "", stripepay.ErrUnreadable},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := stripepay.NewWebhooks([]string{secret, old}, now)
			if err != nil {
				t.Fatal(err)
			}
			if c.signature == "" && c.want != stripepay.ErrSignature {
				c.signature = stripesim.Sign([]byte(c.payload), secret, now())
			}
			n, err := w.Read([]byte(c.payload), c.signature)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v", err)
			}
			want := pay.Notice{}
			if c.want == nil {
				want = pay.Notice{ID: "evt_1", Account: "acct_richmond", Type: "payment_intent.succeeded", IntentID: "pi_1", At: time.Unix(1772463600, 0)}
			}
			if n != want {
				t.Errorf("got %+v", n)
			}
			if err != nil && (strings.Contains(err.Error(), "whsec") || strings.Contains(err.Error(), "pi_1")) {
				t.Error("an error shows a secret")
			}
		})
	}
}

func TestWhichPaymentIntentAnEventIsAbout(t *testing.T) {
	w, err := stripepay.NewWebhooks([]string{"whsec_x"}, now)
	if err != nil {
		t.Fatal(err)
	}
	for object, want := range map[string]string{
		`{"id": "pi_1", "object": "payment_intent"}`:                        "pi_1",
		`{"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}`:      "pi_1",
		`{"id": "re_1", "object": "refund", "payment_intent": "pi_1"}`:      "pi_1",
		`{"id": "dp_1", "object": "dispute", "payment_intent": "pi_1"}`:     "pi_1",
		`{"id": "ch_1", "object": "charge", "payment_intent": null}`:        "",
		`{"id": "seti_1", "object": "setup_intent"}`:                        "",
		`{"id": "cus_1", "object": "customer", "payment_intent": {"a": 1}}`: "",
	} {
		payload := `{"id": "evt_1", "object": "event", "api_version": "2023-10-16", "created": 1, "type": "x.y", "data": {"object": ` + object + `}}`
		n, err := w.Read([]byte(payload), stripesim.Sign([]byte(payload), "whsec_x", now()))
		if err != nil || n.IntentID != want {
			t.Errorf("%s: %q, %v", object, n.IntentID, err)
		}
	}
}

func TestWebhooksWithoutAProperSecretAreRefused(t *testing.T) {
	for _, secrets := range [][]string{nil, {}, {""}, {"whsec_a", ""}, {"whsec_"}, {"sk_test_x"}, {" whsec_a"}} {
		if _, err := stripepay.NewWebhooks(secrets, now); !errors.Is(err, stripepay.ErrSecret) {
			t.Errorf("%q: %v", secrets, err)
		}
	}
}

// What the simulator sends over HTTP can be read, of the platform and of a connected account.
func TestEventsAsTheyCome(t *testing.T) {
	for _, account := range []string{"", connected} {
		b := start(t, account)
		w, err := stripepay.NewWebhooks([]string{"whsec_other", "whsec_simulator"}, now)
		if err != nil {
			t.Fatal(err)
		}
		type got struct {
			notice pay.Notice
			err    error
		}
		came := make(chan got, 20)
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			n, err := w.Read(body, r.Header.Get("Stripe-Signature"))
			came <- got{n, err}
		}))
		b.sim.SetWebhookURL(hook.URL)
		g := b.gateway(t, nil)
		id := b.intent(t, g).ID
		in, err := b.confirm(t, g, id, b.enter("4242424242424242"))
		must(t, in, err)(pay.IntentSucceeded)
		for _, kind := range []string{"payment_intent.created", "charge.succeeded", "payment_intent.succeeded"} {
			select {
			case e := <-came:
				if e.err != nil || e.notice.Type != kind || e.notice.IntentID != id || e.notice.Account != account || e.notice.ID == "" || !e.notice.At.Equal(now()) {
					t.Errorf("want %s, got %+v, %v", kind, e.notice, e.err)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s never came", kind)
			}
		}
		b.sim.SetWebhookURL("")
		hook.Close()
	}
}

func TestAnEventAboutACardOnFileNamesIt(t *testing.T) {
	w, err := stripepay.NewWebhooks([]string{"whsec_x"}, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ kind, account, object, want string }{
		{"setup_intent.succeeded", "", `{"id": "seti_1", "object": "setup_intent", "payment_method": "pm_1"}`, "seti_1"},
		{"payment_method.automatically_updated", "", `{"id": "pm_1", "object": "payment_method"}`, "pm_1"},
		{"customer.deleted", "", `{"id": "cus_1", "object": "customer"}`, "cus_1"},
		{"payment_method.attached", "", `{"id": "pm_1", "object": "payment_method"}`, ""},
		{"payment_intent.succeeded", "", `{"id": "pi_1", "object": "payment_intent"}`, ""},
		{"payment_method.detached", connected, `{"id": "pm_1", "object": "payment_method"}`, ""}, // a copy
	} {
		payload := `{"id": "evt_1", "object": "event", "account": "` + c.account + `", "api_version": "2023-10-16", "created": 1, "type": "` + c.kind + `", "data": {"object": ` + c.object + `}}`
		n, err := w.Read([]byte(payload), stripesim.Sign([]byte(payload), "whsec_x", now()))
		if err != nil || n.Card != c.want {
			t.Errorf("%s of %q: %q, %v", c.kind, c.account, n.Card, err)
		}
	}
}
