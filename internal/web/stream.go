package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// Event is one message of a stream of server-sent events (html.spec.whatwg.org, 9.2), as a browser's EventSource reads it.
type Event struct {
	Name string
	ID   string // what the browser has from now on, and says in Last-Event-ID when it comes back; "" leaves that as it was
	Data string
}

// Stream sends events, each as soon as there is one, until it has no more to say or the context ends: the browser has gone, or the process stops. It returns what a send
// that failed returned. The door alone writes, and runs every Stream that it is given, once.
type Stream func(ctx context.Context, send func(Event) error) error

const (
	// comeBackAfter is when a browser whose stream has ended asks for it again.
	comeBackAfter = "1000" // ms
	// sendWithin is how long a browser may take to read what it is sent, beyond what lies in the buffers between: a slower one comes back for the newest.
	sendWithin = 5 * time.Second
)

// Why a stream ended, in the log line and the metrics.
const (
	endedDone     = "done"     // it had no more to say
	endedGone     = "gone"     // the browser went
	endedSlow     = "slow"     // the browser did not read
	endedStopping = "stopping" // the process stops
	endedFailed   = "failed"   // our own fault
)

// stream writes a stream to its end, for which no time is set: neither the door's nor the server's.
func (d *Door) stream(w http.ResponseWriter, r *Request, a Answer) {
	began, pattern, events := d.Now(), route(r.Request), 0
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(d.Running, cancel)()
	d.Streamed(pattern, "")

	control := http.NewResponseController(w)
	d.head(w, r, a)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // for proxies that would wait until there is more to pass on
	w.WriteHeader(http.StatusOK)
	write := func(text string) error {
		// A socket counts by the machine's clock, whatever ours says.
		within, done := context.WithTimeout(ctx, sendWithin)
		defer done()
		deadline, _ := within.Deadline()
		if err := control.SetWriteDeadline(deadline); err != nil {
			return err
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return err
		}
		return control.Flush()
	}
	unsent := write("retry: " + comeBackAfter + "\n\n")
	err := streamed(a.Stream, ctx, func(e Event) error {
		if unsent == nil {
			unsent = write(e.text())
		}
		if unsent == nil {
			events++
		}
		return unsent
	})

	why := endedDone
	var network net.Error
	switch {
	case d.Running.Err() != nil:
		why = endedStopping
	case errors.As(unsent, &network) && network.Timeout():
		why = endedSlow
	case unsent != nil, ctx.Err() != nil:
		why = endedGone
	case err != nil:
		why = endedFailed
		d.Log.Error().Str("request", r.ID).Str("error", err.Error()).Msg("a stream failed")
	}
	d.Streamed(pattern, why)
	d.Log.Info().Str("request", r.ID).Str("method", r.Method).Str("route", pattern).Str("ended", why).Int("events", events).Dur("took", d.Now().Sub(began)).Msg("stream")
}

// streamed turns a stream's panic into an error.
func streamed(s Stream, ctx context.Context, send func(Event) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicked{p, debug.Stack()}
		}
	}()
	return s(ctx, send)
}

// text is the event as it travels. Names and ids are ours and hold no line break.
func (e Event) text() string {
	var b strings.Builder
	if e.Name != "" {
		b.WriteString("event: " + e.Name + "\n")
	}
	if e.ID != "" {
		b.WriteString("id: " + e.ID + "\n")
	}
	for line := range strings.SplitSeq(e.Data, "\n") {
		b.WriteString("data: " + strings.TrimSuffix(line, "\r") + "\n")
	}
	b.WriteString("\n")
	return b.String()
}
