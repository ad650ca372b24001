package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"paylink/internal/app"
	"paylink/internal/link"
)

// The button was on the page already when the service came back in reconcile-only mode: nothing is charged, and the payer reads why.
func TestInReconcileOnlyModeAPageThatWasOpenChargesNothing(t *testing.T) {
	var c app.Config
	s := serve(t, func(config *app.Config) { c = *config })
	v := s.send()
	text := s.twilio.Messages()[0].Body
	token := text[strings.Index(text, "/p#")+3:][:link.TokenLength]
	opened, _ := s.ask("POST", "/pay/open", `{"token":"`+token+`"}`, "Content-Type", "application/json")
	cookie := opened.Cookies()[0].Name + "=" + opened.Cookies()[0].Value
	_, page := s.ask("GET", "/pay", "", "Cookie", cookie)
	nonce := between(page, `name="nonce" value="`, `"`)

	c.ReconcileOnly = true
	paused, err := app.Open(t.Context(), c)
	must(t, err)
	t.Cleanup(func() { must(t, paused.Close()) })
	ask := func(method, path, body string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Cookie", cookie)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		w := httptest.NewRecorder()
		paused.Handler().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	status, said := ask("POST", "/pay/charge", fmt.Sprintf(`{"payment_method":%q,"terms":"1","nonce":%q}`, s.card("4242424242424242"), nonce))
	if status != http.StatusConflict || !strings.Contains(said, `"state":"closed"`) || !strings.Contains(said, "Payments by link are paused. Nothing was charged by this try.") {
		t.Errorf("the button is answered %d %s", status, said)
	}
	if status, said := ask("GET", "/pay/status", ""); status != http.StatusOK || !strings.Contains(said, `"state":"closed"`) || !strings.Contains(said, `"reason":"paused"`) {
		t.Errorf("the status is %d %s", status, said)
	}
	status, said = ask("GET", "/pay", "")
	if status != http.StatusServiceUnavailable || !strings.Contains(said, "Payments by link are paused") || !strings.Contains(said, "If you have already paid, do not pay again") || strings.Contains(said, "card-form") {
		t.Errorf("the page is %d %s", status, said)
	}
	if n := s.count(`SELECT COUNT(*) FROM attempts WHERE payment_id = '` + v.Payment.ID + `'`); n != 0 {
		t.Errorf("%d attempts", n)
	}
}
