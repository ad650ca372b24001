package plus

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/desk/agent"
	"paylink/internal/pay"
	"paylink/internal/staff"
	"paylink/internal/web"
)

// Feed wakes who listens for a client whenever something about the client's payments may have changed, whoever changed it, in whatever process.
// A wake that is lost costs a few seconds: streams look again by themselves.
type Feed interface {
	Listen(clientID string) (wake <-chan struct{}, leave func())
}

const (
	lookEvery   = 5 * time.Second  // where nobody wakes a stream, it looks by itself whether it still tells the truth, and whether it may still be told
	beatEvery   = 15 * time.Second // the browser hears at least this often that the stream lives
	streamLife  = 15 * time.Minute // then the browser asks again, perhaps another process
	streamsEach = 4                // of one session, in one process. A browser opens six connections to a host by HTTP/1.1, and needs some for everything else
	streamsMost = 2000             // of one process
)

// What a stream tells, by the names that plus.js knows.
const (
	statusEvent = "status" // data: the link's status, whole
	panelEvent  = "panel"  // data: a payment that has begun, which the panel shows when it is asked for now
	pageEvent   = "page"   // the client's figures and lists have changed: ask for them
	beatEvent   = "beat"   // data: seconds that the link has left
	overEvent   = "over"   // data: "session" or "role": this page may not be told any more. Nothing follows
)

// streams counts the open ones.
type streams struct {
	mu   sync.Mutex
	open map[string]int // by the session's token
	all  int
}

func (s *streams) enter(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= streamsMost || s.open[token] >= streamsEach {
		return false
	}
	s.all++
	s.open[token]++
	return true
}

func (s *streams) leave(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.open[token]--; s.open[token] == 0 {
		delete(s.open, token)
	}
}

// live is GET /plus/clients/{id}/live: what changes on a client's page while it is looked at, whoever changes it. Its address has all that the page's has (tab, panel, vehicle, days, payment), and
//
//	on    the payment whose status the page shows; "" for none
//	have  what the page has, as the id of every event says it: see have
//
// Who asks is looked up anew each time that something is told. Nobody's session lives on because a page was left open: nothing here is an act.
func (s *server) live(r *web.Request) (web.Answer, error) {
	token := ""
	if c, err := r.Cookie(s.Sessions.Cookie.Name); err == nil {
		token = c.Value
	}
	w := watcher{s: s, r: r, token: token, clientID: mux.Vars(r.Request)["id"], ask: asked(r.URL.Query()), on: r.URL.Query().Get("on")}
	w.has.read(r.URL.Query().Get("have"))
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		w.has.read(last)
	}
	who, err := w.who(r.Context())
	if err != nil {
		return web.Answer{}, err
	}
	if _, err := s.Desk.Client(r.Context(), who, w.clientID); err != nil {
		return web.Answer{}, err
	}
	if !s.streams.enter(token) {
		return web.Answer{}, web.ErrStreams
	}
	return web.Answer{Stream: func(ctx context.Context, send func(web.Event) error) error {
		defer s.streams.leave(token)
		return w.run(ctx, send)
	}}, nil
}

// have is what a page has: the client's pulse, and the version of the status that it shows.
type have struct{ page, status string }

func (h have) String() string { return h.page + "/" + h.status }

func (h *have) read(id string) { h.page, h.status, _ = strings.Cut(id, "/") }

// watcher is one stream.
type watcher struct {
	s        *server
	r        *web.Request
	token    string
	clientID string
	ask      ask
	on       string
	has      have
	told     bool          // that there is a payment to show
	over     bool          // the payment that is shown changes only if somebody changes it
	left     time.Duration // until the link ends; 0: no matter
}

// who is the person whose stream it is, as they are now.
func (w *watcher) who(ctx context.Context) (staff.Member, error) {
	ctx, err := w.s.Sessions.Load(ctx, w.token) // anew: the stream's context has no session in it
	if err != nil {
		return staff.Member{}, err
	}
	now := *w.r
	now.Request = w.r.WithContext(ctx)
	return w.s.who(&now)
}

func (w *watcher) run(ctx context.Context, send func(web.Event) error) error {
	wake, leave := w.s.Feed.Listen(w.clientID)
	defer leave()
	beat, end := time.NewTicker(beatEvery), time.NewTimer(streamLife)
	defer beat.Stop()
	defer end.Stop()
	for woken := true; ; {
		err := w.look(ctx, woken, send)
		if why := overWords(err); why != "" {
			return send(web.Event{Name: overEvent, Data: why})
		}
		if err != nil || ctx.Err() != nil {
			return err
		}
		again := time.NewTimer(w.wait())
		woken = false
		select {
		case <-ctx.Done():
		case <-end.C:
			return nil
		case <-wake:
			woken = true
		case <-again.C:
		case <-beat.C:
			err = send(web.Event{Name: beatEvent, Data: strconv.Itoa(int(w.left / time.Second))})
		}
		again.Stop()
		if err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// wait is how long nothing changes by itself.
func (w *watcher) wait() time.Duration {
	if w.left > 0 && w.left < lookEvery {
		return w.left + 50*time.Millisecond // the link has ended then
	}
	return lookEvery
}

// overWords says why somebody may not be told any more; "" for every other error, and for none.
func overWords(err error) string {
	switch {
	case errors.Is(err, web.ErrNoSession), errors.Is(err, web.ErrMustChange):
		return "session"
	case errors.Is(err, staff.ErrNotAllowed), errors.Is(err, account.ErrNotFound), errors.Is(err, pay.ErrNotFound):
		return "role"
	}
	return ""
}

// look tells what the page does not have yet.
func (w *watcher) look(ctx context.Context, woken bool, send func(web.Event) error) error {
	who, err := w.who(ctx)
	if err != nil {
		return err
	}
	pulse, err := w.s.Desk.Pulse(ctx, who, w.clientID)
	if err != nil {
		return err
	}
	moved := pulse.Version != w.has.page
	if begun := w.begun(pulse); begun != "" && !w.told {
		w.told = true // the page asks for the panel, and then for another stream
		if err := send(web.Event{Name: panelEvent, Data: begun}); err != nil {
			return err
		}
	}
	if w.on != "" && (woken || moved || !w.over) {
		if err := w.status(ctx, who, send); err != nil {
			return err
		}
	}
	if moved {
		w.has.page = pulse.Version
		return send(web.Event{Name: pageEvent, ID: w.has.String()})
	}
	return nil
}

// begun is the payment that a page which shows none would show, were it opened now.
func (w *watcher) begun(p agent.Pulse) string {
	if w.on != "" || w.ask.open && w.ask.vehicle == "" {
		return ""
	}
	return p.Of(w.ask.vehicle)
}

// status tells where the payment that is shown stands, if that has changed.
func (w *watcher) status(ctx context.Context, who staff.Member, send func(web.Event) error) error {
	st, err := w.s.Desk.Status(ctx, who, w.on)
	if err != nil {
		return err
	}
	if st.Payment.ClientID != w.clientID {
		return pay.ErrNotFound
	}
	w.over, w.left = st.Over, st.Left
	v := w.s.view(st, who, w.ask.tab)
	if v.Version == w.has.status {
		return nil
	}
	part, err := w.s.Pages.Part(http.StatusOK, ClientPage, statusPart, v)
	if err != nil {
		return err
	}
	w.has.status = v.Version
	return send(web.Event{Name: statusEvent, ID: w.has.String(), Data: string(part.Body)})
}
