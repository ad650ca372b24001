package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"paylink/internal/account"
	"paylink/internal/app"
	"paylink/internal/sqldb"
)

// mounted is a service on hosts of its own that does not listen: only its routes are asked.
func mounted(t *testing.T, url, payURL string) http.Handler {
	t.Helper()
	c := config(t, "http://127.0.0.1:1")
	c.URL, c.PayURL, c.Log = url, payURL, zerolog.Nop()
	s, err := app.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s.Handler()
}

func TestAMethodThatDoesNotFitIs405OnEveryHost(t *testing.T) {
	const plus, pay = "plus.interlane.example", "pay.interlane.example"
	for _, hosts := range [][2]string{{plus, plus}, {plus, pay}} {
		h := mounted(t, "https://"+hosts[0], "https://"+hosts[1])
		for _, c := range []struct {
			host, method, path string
			status             int
		}{
			{hosts[1], "GET", "/pay/open", 405},
			{hosts[1], "GET", "/pay/charge", 405},
			{hosts[1], "POST", "/p", 405},
			{hosts[1], "DELETE", "/pay/receipt", 405},
			{hosts[1], "GET", "/hooks/stripe", 405},
			{hosts[0], "GET", "/hooks/stripe", 405},
			{hosts[0], "GET", "/hooks/twilio/reply", 405},
			{hosts[0], "GET", "/hooks/twilio/status/x", 405},
			{hosts[0], "POST", "/healthz", 405},
			{hosts[0], "DELETE", "/plus/clients", 405},
			{hosts[0], "GET", "/nowhere", 404},
			{hosts[1], "GET", "/nowhere", 404},
			{hosts[1], "GET", "/p", 200},
			{strings.ToUpper(hosts[1]) + ":443", "GET", "/p", 200},
			{hosts[0], "GET", "/plus/", 200},
			{"10.0.0.1:8080", "GET", "/healthz", 200},
		} {
			r := httptest.NewRequest(c.method, c.path, nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Errorf("%v: %s %s on %s: %d, want %d", hosts, c.method, c.path, c.host, w.Code, c.status)
			}
		}
	}
}

func TestALocationsZoneThatIsNotKnownHereStopsTheStart(t *testing.T) {
	c := config(t, "http://127.0.0.1:1")
	s, err := app.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	l := account.Location{ID: "X", Name: "Elsewhere", State: "VA", Zone: "America/Nowhere", Payments: "configured"}
	if err := s.DB.Import(t.Context(), sqldb.Import{Locations: []account.Location{l}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Open(t.Context(), c); err == nil || !strings.Contains(err.Error(), "America/Nowhere") {
		t.Errorf("it starts: %v", err)
	}
}
