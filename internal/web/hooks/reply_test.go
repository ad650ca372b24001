package hooks_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"
	"github.com/rs/zerolog"

	"paylink/internal/phone"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/sms"
	"paylink/internal/twiliosms"
	"paylink/internal/web"
	"paylink/internal/web/hooks"
)

// heard notes what the machine is told.
type heard struct {
	hooks.Machine
	words []sms.Word
}

func (h *heard) Replied(_ context.Context, _ phone.Number, word sms.Word) error {
	h.words = append(h.words, word)
	return nil
}

type signed struct{ *twiliosms.Callbacks }

func (s signed) Delivery(pathAndQuery string, form url.Values, signature, messageID string) (sms.Delivery, error) {
	return s.Callbacks.Delivery(messageID, pathAndQuery, form, signature)
}

func TestRepliesAreAnsweredInTwiliosMarkup(t *testing.T) {
	const token, public = "atoken", "https://plus.interlane.example"
	callbacks, err := twiliosms.NewCallbacks(token, public)
	if err != nil {
		t.Fatal(err)
	}
	machine := &heard{}
	r := mux.NewRouter()
	hooks.Mount(r, hooks.Config{
		Door: web.Door{
			Log: zerolog.Nop(), Now: time.Now, NewID: func() string { return "1" }, Nonce: func() string { return "n" }, MaxBody: 1 << 16, Timeout: 10 * time.Second,
			Seen: func(string, string, int, time.Duration) {},
		},
		Callbacks: signed{callbacks}, Machine: machine, Brand: "Lock & <Key>", Support: phone.Stored("+18045550101"),
	})
	s := httptest.NewServer(r)
	defer s.Close()
	const silence = "<Response></Response>"
	for _, c := range []struct {
		body string
		word sms.Word
		want []string
	}{
		{"STOP", sms.Stop, []string{silence}},
		{"START", sms.Start, []string{silence}},
		{"thank you", sms.Other, []string{silence}},
		{"help", sms.Help, []string{"<Response><Message>Lock &amp; &lt;Key&gt; payment links", "(804) 555-0101", "STOP", "</Message></Response>"}},
		{"Ayuda", sms.Help, []string{"enlaces de pago", "(804) 555-0101", "STOP"}},
		{"ALTO", sms.Stop, []string{"Responda START", "(804) 555-0101"}},
	} {
		form := url.Values{"From": {"+18045550142"}, "Body": {c.body}}
		q, err := http.NewRequest(http.MethodPost, s.URL+"/hooks/twilio/reply", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		q.Header.Set("X-Twilio-Signature", twiliosim.Sign(token, public+"/hooks/twilio/reply", form))
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err != nil || a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/xml") {
			t.Fatalf("%q: %d %v", c.body, a.StatusCode, err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(b), want) {
				t.Errorf("%q: no %q in %s", c.body, want, b)
			}
		}
		if got := machine.words[len(machine.words)-1]; got != c.word {
			t.Errorf("%q: the machine heard %q", c.body, got)
		}
	}
}
