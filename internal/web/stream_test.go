package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// streaming is a door with one stream behind it.
type streaming struct {
	*httptest.Server
	mu    sync.Mutex
	log   bytes.Buffer
	ended chan string
	stop  context.CancelFunc
}

func (s *streaming) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *streaming) lines() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// serveStream serves a stream with a door and a server whose times are over long before it is.
func serveStream(t *testing.T, stream Stream) *streaming {
	t.Helper()
	t.Parallel()
	s := &streaming{ended: make(chan string, 9)}
	running, stop := context.WithCancel(context.Background())
	s.stop = stop
	d := Door{
		Log: zerolog.New(s), Now: func() time.Time { return time.Unix(0, 0) }, NewID: func() string { return "request-1" }, Nonce: func() string { return "n" },
		Policy: func(string) string { return "default-src 'none'" }, Seen: func(string, string, int, time.Duration) {}, MaxBody: 1, Timeout: 50 * time.Millisecond,
		Refuse:  func(*Request, Problem) (Answer, error) { return Answer{}, nil },
		Running: running, Streamed: func(_, why string) { s.ended <- why },
	}
	s.Server = httptest.NewUnstartedServer(d.Handle(func(*Request) (Answer, error) { return Answer{Stream: stream}, nil }))
	s.Config.WriteTimeout, s.Config.ReadTimeout = 100*time.Millisecond, 100*time.Millisecond
	s.Start()
	t.Cleanup(func() { stop(); s.Close() })
	return s
}

func (s *streaming) why(t *testing.T) string {
	t.Helper()
	if began := <-s.ended; began != "" {
		t.Errorf("it begins with %q", began)
	}
	select {
	case why := <-s.ended:
		return why
	case <-time.After(20 * time.Second):
		t.Fatal("the stream does not end")
	}
	return ""
}

func TestAStreamOutlivesTheTimesOfAnAnswer(t *testing.T) {
	s := serveStream(t, func(ctx context.Context, send func(Event) error) error {
		for range 2 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(200 * time.Millisecond):
			}
			if err := send(Event{Name: "status", ID: "1/2", Data: "<p>\n\n  one\r\nid: 7</p>"}); err != nil {
				return err
			}
		}
		return nil
	})
	answer, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	one := "event: status\nid: 1/2\ndata: <p>\ndata: \ndata:   one\ndata: id: 7</p>\n\n"
	if want := "retry: 1000\n\n" + one + one; string(body) != want {
		t.Errorf("got %q, want %q", body, want)
	}
	if why := s.why(t); why != "done" {
		t.Errorf("it ended as %q", why)
	}
}

func TestAStreamEndsForEachReasonAndSaysWhich(t *testing.T) {
	forever := func(ctx context.Context, send func(Event) error) error {
		err := send(Event{Name: "status"})
		<-ctx.Done()
		return err
	}
	for why, c := range map[string]struct {
		stream Stream
		then   func(s *streaming, answer *http.Response)
	}{
		"stopping": {forever, func(s *streaming, _ *http.Response) { s.stop() }},
		"gone":     {forever, func(_ *streaming, answer *http.Response) { _ = answer.Body.Close() }},
		"failed": {func(context.Context, func(Event) error) error {
			panic(errors.New("hunter2"))
		}, func(*streaming, *http.Response) {}},
		"slow": {func(_ context.Context, send func(Event) error) error {
			for {
				if err := send(Event{Name: "status", Data: strings.Repeat("x", 1<<20)}); err != nil {
					return err
				}
			}
		}, func(*streaming, *http.Response) {}}, // it does not read
	} {
		t.Run(why, func(t *testing.T) {
			s := serveStream(t, c.stream)
			answer, err := http.Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Body.Close() }()
			if _, err := io.ReadFull(answer.Body, make([]byte, 5)); err != nil {
				t.Fatal(err)
			}
			c.then(s, answer)
			if got := s.why(t); got != why {
				t.Errorf("it ended as %q", got)
			}
			for deadline := time.Now().Add(5 * time.Second); !strings.Contains(s.lines(), `"ended":"`+why+`"`); {
				if time.Now().After(deadline) {
					t.Fatal("no line tells of it:", s.lines())
				}
				time.Sleep(time.Millisecond)
			}
			if log := s.lines(); strings.Contains(log, "hunter2") || strings.Contains(log, `"level":"error"`) != (why == "failed") {
				t.Error(log)
			}
		})
	}
}
