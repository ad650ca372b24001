package stripesim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// delivery is one event on its way to the endpoint.
type delivery struct {
	event *event
	body  []byte
	url   string
	twice bool
}

// Deliveries are real HTTP, so these are of real time.
var retryAfter = []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second, 3 * time.Second, 8 * time.Second}

const (
	reorderHold   = 250 * time.Millisecond
	orderPatience = time.Second // how long the next event waits for the one before it
)

// announce puts an event on its way, as the faults will have it. The lock is held.
func (s *Server) announce(e *event, body []byte) {
	w := s.faults.Webhooks
	never, twice, reorder := s.chance(w.Never), s.chance(w.Twice), s.chance(w.Reorder)
	if w.Off || never {
		return
	}
	d := delivery{event: e, body: body, url: s.webhookURL, twice: twice}
	if w.DelayMS == 0 {
		s.enqueue(d, reorder)
		return
	}
	s.after(time.Duration(w.DelayMS)*time.Millisecond, func() { s.enqueue(d, reorder) })
}

// enqueue hands a delivery to the dispatcher; one out of order is held back until the next has gone. The lock is held.
func (s *Server) enqueue(d delivery, reorder bool) {
	if reorder {
		s.held = append(s.held, d)
		time.AfterFunc(reorderHold, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.release()
		})
		return
	}
	s.queue = append(s.queue, d)
	s.release()
}

func (s *Server) release() {
	s.queue = append(s.queue, s.held...)
	s.held = nil
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// dispatch sends events in their order, but does not let a slow endpoint hold up the ones behind for long.
func (s *Server) dispatch() {
	for {
		s.mu.Lock()
		var next *delivery
		if len(s.queue) > 0 {
			d := s.queue[0]
			s.queue, next = s.queue[1:], &d
		}
		s.mu.Unlock()
		if next == nil {
			select {
			case <-s.wake:
				continue
			case <-s.ctx.Done():
				return
			}
		}
		first := make(chan struct{})
		s.running.Go(func() { s.deliver(*next, first) })
		select {
		case <-first:
		case <-time.After(orderPatience):
		case <-s.ctx.Done():
			return
		}
	}
}

// deliver tries until the endpoint answers 2xx, a few times. first is closed after the first try.
func (s *Server) deliver(d delivery, first chan struct{}) {
	ok := s.send(d)
	close(first)
	for _, wait := range retryAfter {
		if ok {
			break
		}
		select {
		case <-time.After(wait):
		case <-s.ctx.Done():
			return
		}
		ok = s.send(d)
	}
	if !ok {
		return
	}
	s.mu.Lock()
	d.event.pending = 0
	s.mu.Unlock()
	if d.twice {
		s.send(d)
	}
}

func (s *Server) send(d delivery) bool {
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, d.url, bytes.NewReader(d.body))
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
	r.Header.Set("Stripe-Signature", Sign(d.body, s.config.WebhookSecret, s.now()))
	resp, err := s.config.Client.Do(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode >= 200 && resp.StatusCode < 300
}

// Sign is the Stripe-Signature header of a payload: https://stripe.com/docs/webhooks#verify-manually
func Sign(payload []byte, secret string, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.", t)
	mac.Write(payload)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
