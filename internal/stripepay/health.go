package stripepay

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// health is what this process's calls tell of Stripe: whether anybody answers there. It only tells; no call is held back for it, since whoever moves money must ask.
type health struct {
	now func() time.Time

	mu   sync.Mutex
	bad  []time.Time // when calls found nobody, since one last found somebody; the newest downAfter of them
	down bool
}

// Stripe does not answer once downAfter calls in a row have found nobody within downWithin, and until one finds somebody.
const (
	downAfter  = 3
	downWithin = time.Minute
)

func (h *health) heard(answered bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if answered {
		h.bad, h.down = nil, false
		return
	}
	h.bad = append(h.bad, h.now())
	if len(h.bad) > downAfter {
		h.bad = h.bad[1:]
	}
	if len(h.bad) == downAfter && h.bad[downAfter-1].Sub(h.bad[0]) <= downWithin {
		h.down = true
	}
}

// listening tells health what becomes of each call: no connection, no answer in time and a 5xx are nobody; any other answer is somebody, whatever it says.
type listening struct {
	next   http.RoundTripper
	health *health
}

func (l listening) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.next.RoundTrip(r)
	if !errors.Is(err, context.Canceled) { // the asker went away: nothing was learned
		l.health.heard(err == nil && answer.StatusCode < http.StatusInternalServerError)
	}
	return answer, err
}

// Down says whether Stripe does not answer, as far as this process's last calls tell.
func (g *Gateway) Down() bool {
	g.health.mu.Lock()
	defer g.health.mu.Unlock()
	return g.health.down
}

// Probe asks Stripe for something small if the last call found nobody, so that it is known when it is back without a payer having to try.
func (g *Gateway) Probe(ctx context.Context) {
	g.health.mu.Lock()
	doubtful := len(g.health.bad) > 0
	g.health.mu.Unlock()
	if doubtful {
		_, _ = g.Balance(ctx, "") // health hears of it, whatever it says
	}
}
