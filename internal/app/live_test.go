package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"paylink/internal/demo"
)

// A deploy stops a service whose pages are open all day: they must not hold it up.
func TestStoppingDoesNotWaitForOpenStreams(t *testing.T) {
	s := serve(t)
	for _, m := range demo.Staff() {
		must(t, s.app.DB.AddMember(t.Context(), m))
	}
	in, _ := s.ask(http.MethodPost, "/plus/", url.Values{"login": {"agent"}, "password": {demo.Password}, "back": {"/plus/"}}.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	for range 3 {
		r, err := http.NewRequest(http.MethodGet, s.url+"/plus/clients/100042/live", nil)
		must(t, err)
		for _, c := range in.Cookies() {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		must(t, err)
		defer func() { _ = answer.Body.Close() }()
		if answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
	}
	began := time.Now()
	s.stop()
	err := <-s.ended
	s.ended <- nil
	if took := time.Since(began); err != nil || took > 3*time.Second {
		t.Errorf("it stopped after %s: %v", took, err)
	}
	if n := strings.Count(s.log.String(), `"ended":"stopping"`); n != 3 {
		t.Errorf("%d streams ended with it, want 3", n)
	}
}
