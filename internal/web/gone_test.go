package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// A client that hangs up is nobody's fault: what fails because of it is no error for whoever reads the log.
func TestAClientThatHangsUpIsNoError(t *testing.T) {
	for name, gone := range map[string]bool{"a client that has gone": true, "a client that waits": false} {
		var log bytes.Buffer
		d := Door{
			Log: zerolog.New(&log), Now: func() time.Time { return time.Unix(0, 0) }, NewID: func() string { return "request-1" }, Nonce: func() string { return "n" },
			Policy: func(string) string { return "default-src 'none'" }, Seen: func(string, string, int, time.Duration) {}, MaxBody: 1, Timeout: time.Minute,
			Refuse: func(*Request, Problem) (Answer, error) { return Answer{}, nil },
		}
		ctx, cancel := context.WithCancel(t.Context())
		h := d.Handle(func(*Request) (Answer, error) {
			if gone {
				cancel()
			}
			return Answer{}, errors.New("the asker went away")
		})
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
		cancel()
		if failed := strings.Contains(log.String(), `"level":"error"`); failed == gone {
			t.Errorf("%s: an error in the log: %v\n%s", name, failed, log.String())
		}
	}
}
