package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"
	"github.com/rs/zerolog"

	"paylink/internal/web"
)

// front serves a handler through a door, under /{id}.
func front(t *testing.T, log io.Writer, h web.Handler, refuse func(*web.Request, web.Problem) (web.Answer, error)) *httptest.Server {
	t.Helper()
	d := web.Door{
		Log: zerolog.New(log), Now: time.Now, NewID: func() string { return "reference-1" }, Nonce: func() string { return "n" }, Policy: func(string) string { return "default-src 'none'" },
		MaxBody: 1 << 10, Timeout: 10 * time.Second, Seen: func(string, string, int, time.Duration) {}, Refuse: refuse,
	}
	r := mux.NewRouter()
	r.Handle("/{id}", d.Handle(h))
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	return s
}

func plainly(_ *web.Request, p web.Problem) (web.Answer, error) {
	return web.Answer{Status: p.Status, Body: []byte(p.Code)}, nil
}

func TestWhatIsNoTextIsRefusedAtTheDoor(t *testing.T) {
	s := front(t, io.Discard, func(r *web.Request) (web.Answer, error) {
		switch r.Header.Get("Content-Type") {
		case "application/json":
			var v map[string]any
			return web.Answer{}, web.ReadJSON(r, &v)
		case "application/x-www-form-urlencoded":
			return web.Answer{}, web.ReadForm(r)
		}
		return web.Answer{}, nil
	}, plainly)
	const form, document = "application/x-www-form-urlencoded", "application/json"
	for _, c := range []struct {
		path, kind, body string
		want             int
	}{
		{"/a?q=%C3%A9", "", "", 200},
		{"/%C3%A9", "", "", 200},
		{"/%00", "", "", 404},
		{"/a%00b", "", "", 404},
		{"/%FF", "", "", 404},
		{"/a?q=%FF", "", "", 400},
		{"/a?q=%00", "", "", 400},
		{"/a?%FF=q", "", "", 400},
		{"/a?q=1&q=%00", "", "", 400},
		{"/a", form, "login=%C3%A9", 200},
		{"/a", form, "login=a%00b", 400},
		{"/a", form, "login=%FF", 400},
		{"/a", form, "%FF=login", 400},
		{"/a", document, `{"a":"\u00e9"}`, 200},
		{"/a", document, "{\"a\":\"\\u0000\"}", 400},
		{"/a", document, "{\"a\":\"\xff\"}", 400},
		{"/a", document, `{"a":"b"} {}`, 400},
		{"/a", document, `{"a":"` + strings.Repeat("b", 2000) + `"}`, 413},
	} {
		r, err := http.NewRequest(http.MethodPost, s.URL+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != c.want {
			t.Errorf("%s with %.40q: %d, want %d", c.path, c.body, answer.StatusCode, c.want)
		}
	}
}

func TestARefusalThatPanicsIsAnErrorPage(t *testing.T) {
	var log strings.Builder
	s := front(t, &log, func(*web.Request) (web.Answer, error) { return web.Answer{}, errors.New("the database is down") },
		func(*web.Request, web.Problem) (web.Answer, error) { panic("no session data in context") })
	answer, err := http.Get(s.URL + "/a")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusInternalServerError || !strings.Contains(string(body), "reference-1") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	s.Close()
	if !strings.Contains(log.String(), "an error page failed") {
		t.Errorf("the log does not say so: %s", log.String())
	}
}
