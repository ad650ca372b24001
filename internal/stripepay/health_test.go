package stripepay_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"paylink/internal/stripepay"
)

func TestStripeIsDownAfterCallsInARowThatFindNobody(t *testing.T) {
	const nobody, silent = http.StatusServiceUnavailable, -1
	for name, c := range map[string]struct {
		answers []int
		apart   time.Duration
		down    bool
	}{
		"three that are told 503":                 {[]int{nobody, nobody, nobody}, time.Second, true},
		"three that time out":                     {[]int{silent, silent, silent}, time.Second, true},
		"two":                                     {[]int{nobody, nobody}, time.Second, false},
		"three over an hour":                      {[]int{nobody, nobody, nobody}, 30 * time.Minute, false},
		"three of many within a minute":           {[]int{nobody, nobody, nobody, nobody}, 29 * time.Second, true},
		"one in between that finds somebody":      {[]int{nobody, nobody, http.StatusOK, nobody}, time.Second, false},
		"one after them that finds somebody":      {[]int{nobody, nobody, nobody, http.StatusNotFound}, time.Second, false},
		"a no is an answer":                       {[]int{http.StatusPaymentRequired, http.StatusTooManyRequests, http.StatusConflict}, time.Second, false},
		"a fault of the other side is no answer":  {[]int{http.StatusInternalServerError, http.StatusBadGateway, nobody}, time.Second, true},
		"they go on failing after they have once": {[]int{http.StatusOK, nobody, nobody, nobody, nobody}, time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var status atomic.Int64
			var clock atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if status.Load() == silent {
					<-r.Context().Done()
					return
				}
				w.WriteHeader(int(status.Load()))
			}))
			defer server.Close()
			g, err := stripepay.New(stripepay.Config{Now: func() time.Time { return time.UnixMilli(clock.Load()) }, SecretKey: secretKey, APIURL: server.URL, Timeout: 150 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			ask := func(ctx context.Context) { _, _ = g.Intent(ctx, "", "pi_1") }
			for _, answer := range c.answers {
				status.Store(int64(answer))
				ask(t.Context())
				clock.Add(c.apart.Milliseconds())
			}
			if g.Down() != c.down {
				t.Fatalf("down: %v", g.Down())
			}
			gone, cancel := context.WithCancel(t.Context())
			cancel()
			for range 3 {
				ask(gone)
			}
			if g.Down() != c.down {
				t.Error("an asker that goes away tells something of Stripe")
			}
			if !c.down {
				return
			}
			g.Probe(t.Context())
			if !g.Down() {
				t.Error("it is up, though nobody answers the probe")
			}
			status.Store(http.StatusForbidden) // a key that may not read balances
			g.Probe(t.Context())
			if g.Down() {
				t.Error("it stays down, though somebody answers the probe")
			}
			server.Close()
			g.Probe(t.Context()) // asks nothing while all is well
			ask(t.Context())
			g.Probe(t.Context())
			g.Probe(t.Context())
			if !g.Down() {
				t.Error("a call that found nobody, and probes that found nobody, tell nothing")
			}
		})
	}
}
