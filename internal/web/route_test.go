package web

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"
	"github.com/rs/zerolog"
)

// What stands in a path or a query may be a name, a number, a token: neither the log nor a metric holds it.
func TestALogNamesTheRouteAndNotThePath(t *testing.T) {
	var log bytes.Buffer
	var metrics []string
	d := Door{
		Log: zerolog.New(&log), Now: func() time.Time { return time.Unix(0, 0) }, NewID: func() string { return "request-1" }, Nonce: func() string { return "n" },
		Policy: func(string) string { return "default-src 'none'" }, Seen: func(_, route string, _ int, _ time.Duration) { metrics = append(metrics, route) }, MaxBody: 1, Timeout: time.Minute,
		Refuse: func(*Request, Problem) (Answer, error) { return Answer{}, nil },
	}
	r := mux.NewRouter()
	r.Handle("/things/{thing}", d.Handle(func(*Request) (Answer, error) { return Answer{}, nil }))
	r.NotFoundHandler = d.Handle(func(*Request) (Answer, error) { return Answer{}, ErrNoRoute })
	for _, path := range []string{"/things/hunter2?more=hunter2", "/hunter2"} {
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	}
	if got := strings.Join(metrics, " "); got != "/things/{thing} none" {
		t.Errorf("the metrics name %s", got)
	}
	if !strings.Contains(log.String(), `"route":"/things/{thing}"`) || strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log says %s", log.String())
	}
}
