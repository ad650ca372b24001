package stripesim

import (
	"fmt"
	"slices"
	"time"
)

// Kinds of faults of API requests.
const (
	TimeoutBefore      = "timeout_before"        // nothing is done and no answer comes
	TimeoutAfter       = "timeout_after"         // it is done (and remembered by its key), and no answer comes
	Error500           = "error_500"             // 500 before the endpoint began: nothing is done or remembered
	Error500RolledBack = "error_500_rolled_back" // 500 from within: nothing is done, the key replays the 500
	Error500Forward    = "error_500_forward"     // the same, but delay_ms later (by the configured clock) it is done after all
	Conflict409        = "conflict_409"          // "still under way", nothing is done
	Rate429            = "rate_429"              // too many requests, nothing is done
	Down503            = "down_503"              // nothing is done
	Slow               = "slow"                  // delay_ms of real time before it is done, at most a minute; the key is in flight
	BrokenJSON         = "broken_json"           // it is done; the answer is cut in half
)

// Operations that a Rule can name; Any is all of them.
var (
	faultOps   = []string{"any", "create", "confirm", "cancel", "capture", "update", "retrieve", "refund", "payment_method", "setup_intent", "customer"}
	faultKinds = []string{TimeoutBefore, TimeoutAfter, Error500, Error500RolledBack, Error500Forward, Conflict409, Rate429, Down503, Slow, BrokenJSON}
)

// Faults says how the simulator misbehaves. The zero value is good behaviour.
type Faults struct {
	Rules    []Rule        `json:"rules"`
	Webhooks WebhookFaults `json:"webhooks"`

	Processing    float64 `json:"processing"`     // rate of charges that stay processing for a while before they succeed
	RefundPending float64 `json:"refund_pending"` // rate of refunds that stay pending for a while before they succeed
	SettleMS      int64   `json:"settle_ms"`      // that while, by the configured clock; 0 means 2000
}

// Rule makes requests of one operation go wrong. The first rule that fits and fires decides.
type Rule struct {
	Op      string  `json:"op"`               // "create", "confirm", … "any"
	Kind    string  `json:"kind"`             // one of the kinds above
	Rate    float64 `json:"rate"`             // 0 to 1; 0 or left out: always
	Times   int     `json:"times"`            // fires at most so often; 0: no limit
	DelayMS int64   `json:"delay_ms"`         // for slow and error_500_forward
	Object  string  `json:"object,omitempty"` // only requests on this id
	Fired   int     `json:"fired"`            // how often it has; ignored when set
}

func (r Rule) delay() time.Duration { return time.Duration(r.DelayMS) * time.Millisecond }

// WebhookFaults are rates from 0 to 1.
type WebhookFaults struct {
	Off       bool    `json:"off"`        // none is sent
	Twice     float64 `json:"twice"`      // the same event delivered twice
	TwoEvents float64 `json:"two_events"` // two event objects for one fact
	Reorder   float64 `json:"reorder"`    // delivered after the next one, or a quarter of a second later
	Never     float64 `json:"never"`      // not delivered; the event is still in the list of events
	DelayMS   int64   `json:"delay_ms"`   // every delivery, by the configured clock
}

// DefaultFaults is an ordinary bad day: 5 % of confirms time out after they took effect, 5 % of webhooks come twice, 20 %
// out of order, 2 % never, and half a percent of facts have two events.
func DefaultFaults() Faults {
	return Faults{
		Rules:    []Rule{{Op: "confirm", Kind: TimeoutAfter, Rate: 0.05}},
		Webhooks: WebhookFaults{Twice: 0.05, Reorder: 0.20, Never: 0.02, TwoEvents: 0.005},
	}
}

// Check says what is wrong with the faults, if anything.
func (f Faults) Check() error {
	for i, r := range f.Rules {
		switch {
		case !slices.Contains(faultOps, r.Op):
			return fmt.Errorf("rule %d: op %q is none of %v", i, r.Op, faultOps)
		case !slices.Contains(faultKinds, r.Kind):
			return fmt.Errorf("rule %d: kind %q is none of %v", i, r.Kind, faultKinds)
		case r.Times < 0 || r.DelayMS < 0:
			return fmt.Errorf("rule %d: times and delay_ms are not negative", i)
		case !isRate(r.Rate):
			return fmt.Errorf("rule %d: rate is between 0 and 1", i)
		}
	}
	w := f.Webhooks
	for _, rate := range []float64{w.Twice, w.TwoEvents, w.Reorder, w.Never, f.Processing, f.RefundPending} {
		if !isRate(rate) {
			return fmt.Errorf("rates are between 0 and 1")
		}
	}
	if w.DelayMS < 0 || f.SettleMS < 0 {
		return fmt.Errorf("delays are not negative")
	}
	return nil
}

func isRate(r float64) bool { return r >= 0 && r <= 1 }

func (f Faults) settleDelay() time.Duration {
	if f.SettleMS == 0 {
		return 2 * time.Second
	}
	return time.Duration(f.SettleMS) * time.Millisecond
}

// Faults returns the present faults and how often each rule has fired.
func (s *Server) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults
	f.Rules = slices.Clone(f.Rules)
	return f
}

// SetFaults replaces the faults and starts counting anew. Faults that do not pass Check change nothing.
func (s *Server) SetFaults(f Faults) error {
	if err := f.Check(); err != nil {
		return err
	}
	f.Rules = slices.Clone(f.Rules)
	for i := range f.Rules {
		f.Rules[i].Fired = 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	return nil
}

// pickFault draws the fault of one request; the zero Rule is none.
func (s *Server) pickFault(op, id string) Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults.Rules {
		r := &s.faults.Rules[i]
		if r.Op != "any" && r.Op != op || r.Object != "" && r.Object != id || r.Times > 0 && r.Fired >= r.Times {
			continue
		}
		rate := r.Rate
		if rate == 0 {
			rate = 1
		}
		if s.chance(rate) {
			r.Fired++
			return *r
		}
	}
	return Rule{}
}
