package payer

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"
	"github.com/rs/zerolog"

	"paylink/internal/web"
)

// TestTheLandingIsDrawnOnceInEachLanguage holds that what one visitor is shown carries nothing of the one before: not their language, not their cookie.
func TestTheLandingIsDrawnOnceInEachLanguage(t *testing.T) {
	r := mux.NewRouter()
	Mount(r, Config{Pages: parsed(t), Brand: "Interlane", Door: web.Door{
		Log: zerolog.Nop(), Now: time.Now, NewID: func() string { return "id" }, Nonce: func() string { return "n0nce" }, MaxBody: 1 << 10, Timeout: time.Minute,
		Seen: func(string, string, int, time.Duration) {},
	}})
	for _, one := range []struct{ path, accepts, lang, keeps string }{
		{"/p", "en-US", "en", ""},
		{"/p?lang=es", "en-US", "es", "es"},
		{"/p", "es-MX", "es", ""},
		{"/p", "en-US", "en", ""},
		{"/p?lang=en", "es-MX", "en", "en"},
	} {
		q := httptest.NewRequest(http.MethodGet, one.path, nil)
		q.Header.Set("Accept-Language", one.accepts)
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		body := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(body, `<html lang="`+one.lang+`"`) {
			t.Errorf("%s for %s: %d %.60q, want a page in %q", one.path, one.accepts, w.Code, body, one.lang)
		}
		if strings.Contains(body, "n0nce") {
			t.Errorf("%s: a page that is kept holds a nonce", one.path)
		}
		kept := ""
		for _, c := range w.Result().Cookies() {
			kept += c.Value
		}
		if kept != one.keeps {
			t.Errorf("%s for %s sets the cookie %q, want %q", one.path, one.accepts, kept, one.keeps)
		}
		if got := w.Header().Get("Vary"); got != "Accept-Language, Cookie" {
			t.Errorf("%s: Vary is %q", one.path, got)
		}
	}
}
