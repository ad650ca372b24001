package twiliosim

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Faults says how the supplier misbehaves. The zero value behaves.
type Faults struct {
	Rules     []Rule    `json:"rules"`
	Callbacks Callbacks `json:"callbacks"`
	DelayMS   int       `json:"delay_ms"` // real milliseconds of each step of a text's life (queued → sent → delivered); 0: 20
}

// Rule spoils some requests. The first rule that strikes wins.
type Rule struct {
	Op      string  `json:"op"`       // send, lookup, or list (which also means the fetch of one message)
	Kind    string  `json:"kind"`     // see Kinds
	Rate    float64 `json:"rate"`     // share of requests, 0 to 1; 0 or left out: every one
	Times   int     `json:"times"`    // how often it strikes at most; 0: without limit
	DelayMS int     `json:"delay_ms"` // slow: how late the answer is (default 3000); timeouts: how long the request is held (default and most 60000)
}

// Kinds of faults. A timeout holds the request until the client goes away and never answers.
const (
	TimeoutBefore = "timeout_before" // nothing happened
	TimeoutAfter  = "timeout_after"  // it happened, and nobody was told
	Error500      = "error_500"      // nothing happened; Twilio's own JSON error 20500
	Rate429       = "rate_429"       // nothing happened; 20429
	Down503       = "down_503"       // nothing happened; a proxy's plain text, not JSON
	BrokenJSON    = "broken_json"    // it happened, and the answer breaks off
	Slow          = "slow"           // it happens, late
)

// Callbacks spoils status callbacks; each field but the last is a share of them, 0 to 1.
type Callbacks struct {
	Twice   float64 `json:"twice"`
	Shuffle float64 `json:"shuffle"` // held back until after the later ones
	Never   float64 `json:"never"`
	DelayMS int     `json:"delay_ms"` // every callback is this late
}

// DefaultFaults is an ordinary bad day.
func DefaultFaults() Faults {
	return Faults{
		Rules:     []Rule{{Op: "send", Kind: TimeoutAfter, Rate: 0.05}},
		Callbacks: Callbacks{Twice: 0.05, Shuffle: 0.20, Never: 0.02},
	}
}

// Check returns an error that says what cannot be meant, nil if all can.
func (f Faults) Check() error {
	kinds := []string{TimeoutBefore, TimeoutAfter, Error500, Rate429, Down503, BrokenJSON, Slow}
	for i, r := range f.Rules {
		switch {
		case !slices.Contains([]string{"send", "lookup", "list"}, r.Op):
			return fmt.Errorf("rule %d: unknown op %q", i, r.Op)
		case !slices.Contains(kinds, r.Kind):
			return fmt.Errorf("rule %d: unknown kind %q", i, r.Kind)
		case r.Rate < 0 || r.Rate > 1 || r.Times < 0 || r.DelayMS < 0:
			return fmt.Errorf("rule %d: rate is 0 to 1, times and delay_ms are not negative", i)
		}
	}
	c := f.Callbacks
	for _, share := range []float64{c.Twice, c.Shuffle, c.Never} {
		if share < 0 || share > 1 {
			return fmt.Errorf("callbacks: shares are 0 to 1")
		}
	}
	if c.DelayMS < 0 || f.DelayMS < 0 {
		return fmt.Errorf("delay_ms is not negative")
	}
	return nil
}

// Faults returns what was last set.
func (s *Server) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults
	f.Rules = slices.Clone(f.Rules)
	return f
}

// SetFaults replaces all faults and begins counting anew. Ask Check first if they come from outside: a rule it refuses never strikes.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	s.faults.Rules = slices.Clone(f.Rules)
	s.left = make([]int, len(f.Rules))
	for i, r := range f.Rules {
		s.left[i] = r.Times
		if r.Times == 0 {
			s.left[i] = -1
		}
	}
}

// fault draws the rule that strikes this request; the zero rule is none.
func (s *Server) fault(op string) Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.faults.Rules {
		if r.Op != op || s.left[i] == 0 {
			continue
		}
		if r.Rate > 0 && s.chance.Float64() >= r.Rate {
			continue
		}
		if s.left[i] > 0 {
			s.left[i]--
		}
		return r
	}
	return Rule{}
}

// before spoils a request that must not act; true means that it was answered.
func (s *Server) before(w http.ResponseWriter, r *http.Request, f Rule) bool {
	switch f.Kind {
	case TimeoutBefore:
		s.hold(r, f)
	case Error500:
		refuse(w, problem{20500, http.StatusInternalServerError, "Internal Server Error"})
	case Rate429:
		refuse(w, tooMany)
	case Down503:
		down(w)
	case Slow:
		late := 3 * time.Second
		if f.DelayMS > 0 {
			late = time.Duration(f.DelayMS) * time.Millisecond
		}
		s.pause(min(late, holdLimit))
		return false
	default:
		return false
	}
	return true
}

// after spoils the answer to a request that has acted; true means that it was spoilt.
func (s *Server) after(w http.ResponseWriter, r *http.Request, f Rule, status int) bool {
	switch f.Kind {
	case TimeoutAfter:
		s.hold(r, f)
	case BrokenJSON:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		w.Write([]byte(`{"sid": "SM`))
	default:
		return false
	}
	return true
}

var tooMany = problem{20429, http.StatusTooManyRequests, "Too Many Requests"}

// down is what the proxy in front of Twilio says: not JSON, so a client library has no typed error for it.
func down(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusServiceUnavailable)
	w.Write([]byte("upstream connect error or disconnect/reset before headers"))
}

// hold keeps the request until the client, its limit or the server ends it, then drops the connection without a word.
func (s *Server) hold(r *http.Request, f Rule) {
	limit := holdLimit
	if f.DelayMS > 0 {
		limit = min(limit, time.Duration(f.DelayMS)*time.Millisecond)
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
	case <-s.life.Done():
	case <-timer.C:
	}
	panic(http.ErrAbortHandler)
}
