package plus_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/redis/go-redis/v9"

	"paylink/internal/app"
	"paylink/internal/testbed"
)

// event is one message of a stream.
type event struct{ name, id, data string }

// stream is a page that is left open.
type stream struct {
	t      *testing.T
	events chan event // closed when the stream ends
	close  context.CancelFunc
}

// watch opens a stream at an address of a process.
func (v *visitor) watch(base, path, lastID string) *stream {
	t := v.w.t
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	must(t, err)
	for _, c := range v.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	if got := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || got != "text/event-stream" || answer.Header.Get("X-Accel-Buffering") != "no" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("a stream is answered %d, %v", answer.StatusCode, answer.Header)
	}
	s := &stream{t: t, events: make(chan event, 100), close: cancel}
	t.Cleanup(cancel)
	go func() {
		defer close(s.events)
		defer func() { _ = answer.Body.Close() }()
		var e event
		lines := bufio.NewScanner(answer.Body)
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "data":
				e.data += value + "\n"
			case "":
				if e.name != "" {
					s.events <- e
				}
				e = event{}
			}
		}
	}()
	return s
}

// next is the next event of a name, which comes within a time; others are passed over.
func (s *stream) next(name string, within time.Duration) event {
	s.t.Helper()
	limit := time.After(within)
	for {
		select {
		case e, ok := <-s.events:
			if !ok {
				s.t.Fatalf("the stream ended before it told of %q", name)
			}
			if e.name == name {
				return e
			}
		case <-limit:
			s.t.Fatalf("the stream does not tell of %q within %s", name, within)
		}
	}
}

// tells waits until the status reads so.
func (s *stream) tells(want string, within time.Duration) event {
	s.t.Helper()
	limit := time.Now().Add(within)
	for {
		e := s.next("status", time.Until(limit))
		d, err := goquery.NewDocumentFromReader(strings.NewReader(e.data))
		must(s.t, err)
		if strings.Contains(d.Find("#status").Text(), want) {
			return e
		}
	}
}

// ends fails unless the stream ends within a time.
func (s *stream) ends(within time.Duration) {
	s.t.Helper()
	limit := time.After(within)
	for {
		select {
		case _, ok := <-s.events:
			if !ok {
				return
			}
		case <-limit:
			s.t.Fatalf("the stream does not end within %s", within)
		}
	}
}

// another is a second process on the same database and Redis, and where it listens.
func (w *town) another() string {
	w.t.Helper()
	s, err := app.Open(context.Background(), w.config)
	must(w.t, err)
	front := httptest.NewServer(s.Handler())
	w.t.Cleanup(func() {
		must(w.t, s.Close())
		front.Close()
	})
	return front.URL
}

// subscribed waits until so many processes hear what the others tell.
func subscribed(t *testing.T, address string, processes int64) {
	t.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal("the test's own address of Redis can't be read")
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	deadline := time.Now().Add(10 * time.Second)
	for client.PubSubNumSub(t.Context(), "paylink:changed").Val()["paylink:changed"] < processes {
		if time.Now().After(deadline) {
			t.Fatal("the processes do not listen to each other")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

const danaLive = "/plus/clients/100042/live?"

// atOnce is less than the five seconds after which a stream looks by itself: what comes within it was told. On a quiet machine it takes milliseconds.
const atOnce = 4 * time.Second

// byItself is when a stream that nobody wakes has looked again.
const byItself = 30 * time.Second

func TestWhatOneProcessDoesTheOthersPagesShowAtOnce(t *testing.T) {
	t.Parallel()
	server := testbed.RedisServer(t)
	w := newTownOn(t, server.URL())
	there := w.another()
	me, colleague := w.as("agent"), w.as("lead")
	pulse := me.get("/plus/clients/100042").is(http.StatusOK).Find("#client").AttrOr("data-pulse", "")
	if pulse == "" {
		t.Fatal("the page does not say what it is true of")
	}

	mine := me.watch(there, danaLive+url.Values{"have": {pulse + "/"}}.Encode(), "")
	subscribed(t, server.URL(), 2)
	id, _ := colleague.sent()
	if e := <-mine.events; e.name != "panel" || strings.TrimSpace(e.data) != id { // a page that has everything is told nothing before
		t.Errorf("the page is told %q of %s, and should show payment %s", e.name, e.data, id)
	}
	mine.next("page", atOnce)
	mine.close()

	on := danaLive + url.Values{"on": {id}, "payment": {id}}.Encode()
	mine = me.watch(there, on, "")
	first := mine.tells("Link status", atOnce)
	if !strings.Contains(first.id, "/") {
		t.Errorf("the event's id is %q", first.id)
	}
	colleague.post("/plus/payments/"+id+"/resend", url.Values{}).is(http.StatusSeeOther)
	last := mine.tells("Replaced by a new link", atOnce)
	if !strings.Contains(last.data, "The text was delivered.") { // of the new one; the old one's delivery stays on the ladder
		last = mine.tells("The text was delivered.", byItself)
	}
	mine.close()

	again := me.watch(there, on, last.id) // what it has it is not told again
	server.Stop()                         // the other process hears nothing now, and looks by itself
	colleague.post("/plus/payments/"+id+"/cancel", url.Values{"reason": {"Wrong phone number"}}).is(http.StatusSeeOther)
	if e := again.next("status", byItself); !strings.Contains(e.data, "The link was cancelled.") {
		t.Error("the browser is sent what it has:", e.data)
	}
	again.next("page", atOnce)
	here := me.watch(w.url, danaLive, "")
	here.next("page", atOnce)
	second, _ := colleague.sent() // nor does a process need Redis to tell its own
	here.next("panel", atOnce)
	server.Restart()
	subscribed(t, server.URL(), 2)
	again.next("page", byItself)
	colleague.post("/plus/payments/"+second+"/cancel", url.Values{"reason": {"Wrong phone number"}}).is(http.StatusSeeOther)
	again.next("page", atOnce)
	if log := w.log.String(); strings.Contains(log, `"level":"error"`) && !strings.Contains(log, "due task") {
		t.Error(log)
	}
}

func TestAStreamIsOverWithItsSession(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	other := w.as("supervisor")
	signedOut, disabled, idle := w.as("agent"), w.as("lead"), w.as("agent")
	one, two, three := signedOut.watch(w.url, danaLive, ""), disabled.watch(w.url, danaLive, ""), idle.watch(w.url, danaLive, "")
	for _, s := range []*stream{one, two, three} {
		s.next("page", atOnce)
	}
	signedOut.post("/plus/sign-out", url.Values{}).is(http.StatusSeeOther)
	if got := one.next("over", byItself).data; got != "session\n" { // nobody wakes it
		t.Errorf("it is over for %q", got)
	}
	one.ends(atOnce)
	_, err := w.books.Exec(`UPDATE staff SET disabled = 1 WHERE login = 'lead'`)
	must(t, err)
	other.sent() // wakes them
	for {
		e, ok := <-two.events
		if !ok {
			t.Fatal("the stream ended without a word")
		}
		if e.name == "over" {
			break
		}
		if e.name != "beat" {
			t.Errorf("somebody who is disabled is told %q", e.name)
		}
	}
	two.ends(atOnce)
	three.next("panel", atOnce)
	w.later(30 * time.Minute) // in which that browser did nothing but to look
	three.next("over", byItself)
	signedOut.get(danaLive).is(http.StatusUnauthorized)
	w.visitor().get(danaLive).is(http.StatusUnauthorized)
}

func TestStreamsAreLimitedAndFoundByWhoMaySeeTheClient(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	v := w.as("agent")
	v.get("/plus/clients/999999/live").is(http.StatusNotFound)
	v.post(danaLive, url.Values{}).is(http.StatusMethodNotAllowed)
	theirs := w.as("lead").watch(w.url, danaLive, "")
	var open []*stream
	for range 4 {
		open = append(open, v.watch(w.url, danaLive, ""))
	}
	if p := v.get(danaLive).is(http.StatusTooManyRequests); p.header.Get("Retry-After") == "" {
		t.Error("it does not say when to come back")
	}
	open[0].close()
	deadline := time.Now().Add(10 * time.Second)
	for !strings.Contains(w.log.String(), `"ended":"gone"`) {
		if time.Now().After(deadline) {
			t.Fatal("a stream whose browser has gone does not end:", w.log.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	v.watch(w.url, danaLive, "").next("page", atOnce)
	theirs.next("page", atOnce)
	log := w.log.String()
	if !strings.Contains(log, `"route":"/plus/clients/{id}/live"`) || !strings.Contains(log, `"message":"stream"`) {
		t.Error("no line tells of a stream's end:", log)
	}
	// Of another client's payment a stream tells nothing.
	id, _ := v.sent()
	foreign := w.as("supervisor").watch(w.url, "/plus/clients/100043/live?"+url.Values{"on": {id}, "payment": {id}}.Encode(), "")
	foreign.next("over", atOnce)
}
