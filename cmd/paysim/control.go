package main

import (
	"encoding/json"
	"net/http"
	"time"

	"paylink/internal/sim/smtpsim"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
)

// town is what stands around the service.
type town struct {
	clock   *clock
	stripe  *stripesim.Server
	twilio  *twiliosim.Server
	mailbox *smtpsim.Server
	wake    func()
}

func (t town) handler() http.Handler {
	r := http.NewServeMux()
	for _, path := range []string{"/v1/", "/v3/", "/control/stripe/"} {
		r.Handle(path, t.stripe.Handler())
	}
	for _, path := range []string{"/2010-04-01/", "/v2/PhoneNumbers/", "/phone", "/phone/"} {
		r.Handle(path, t.twilio.Handler())
	}
	r.Handle("/mail", t.mailbox.Handler())
	r.Handle("/mail/", t.mailbox.Handler())
	r.HandleFunc("GET /control/clock", t.tell)
	r.HandleFunc("POST /control/clock", t.move)
	r.HandleFunc("GET /control/faults", t.faults)
	r.HandleFunc("POST /control/faults", t.setFaults)
	r.HandleFunc("GET /{$}", func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, "/phone", http.StatusSeeOther) })
	return r
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked has gone
}

func (t town) tell(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, map[string]string{"now": t.clock.Now().UTC().Format(time.RFC3339Nano)})
}

// move moves the whole town's time forward: {"advance": "1m30s"} or {"to": "2026-03-11T08:00:00Z"}.
func (t town) move(w http.ResponseWriter, q *http.Request) {
	var in struct {
		Advance string     `json:"advance"`
		To      *time.Time `json:"to"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, q.Body, 1<<10)).Decode(&in); err != nil {
		say(w, http.StatusBadRequest, map[string]string{"error": `say {"advance": "1m30s"} or {"to": "2026-03-11T08:00:00Z"}`})
		return
	}
	var by time.Duration
	if in.To != nil {
		by = in.To.Sub(t.clock.Now())
	} else {
		var err error
		if by, err = time.ParseDuration(in.Advance); err != nil {
			say(w, http.StatusBadRequest, map[string]string{"error": "advance must be a duration such as 1m30s"})
			return
		}
	}
	if by < 0 {
		say(w, http.StatusBadRequest, map[string]string{"error": "the town's time only goes forward"})
		return
	}
	t.clock.advance(by)
	t.stripe.Tick()
	t.wake()
	t.tell(w, q)
}

func (t town) faults(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, allFaults{t.stripe.Faults(), t.twilio.Faults()})
}

// setFaults replaces the faults of whichever supplier is named; the other's stay.
func (t town) setFaults(w http.ResponseWriter, q *http.Request) {
	f := allFaults{t.stripe.Faults(), t.twilio.Faults()}
	var in struct {
		Stripe *stripesim.Faults `json:"stripe"`
		Twilio *twiliosim.Faults `json:"twilio"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, q.Body, 1<<20)).Decode(&in); err != nil {
		say(w, http.StatusBadRequest, map[string]string{"error": "the faults can't be read"})
		return
	}
	if in.Stripe != nil {
		f.Stripe = *in.Stripe
	}
	if in.Twilio != nil {
		f.Twilio = *in.Twilio
	}
	if err := f.Twilio.Check(); err != nil {
		say(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	if err := t.stripe.SetFaults(f.Stripe); err != nil {
		say(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	t.twilio.SetFaults(f.Twilio)
	t.faults(w, q)
}
