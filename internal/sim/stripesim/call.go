package stripesim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// call is one request under way.
type call struct {
	server         *Server
	account        *account
	request        *http.Request
	path, id       string
	params         *node
	public         bool   // made with the publishable key
	origin         string // scheme and host that the client reached us by
	requestID      string
	idempotencyKey string
}

// background is a call that nobody made: a delayed effect or something done from the dashboard.
func (c *call) background() *call {
	return &call{server: c.server, account: c.account, origin: c.origin, params: &node{}}
}

const (
	bodyLimit = 1 << 20
	// holdLimit bounds how long a request that "times out" is held, in real time.
	holdLimit = 60 * time.Second
)

// reply is a finished answer.
type reply struct {
	status      int
	body        []byte
	replayed    bool
	original    string // the request that first got this answer
	fingerprint string
	until       time.Time // by the configured clock
	inFlight    bool
}

// serve is the path of every API request: who asks, what faults are in store, are the parameters sound, was it asked
// before, and only then the endpoint itself.
func (s *Server) serve(op operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{server: s, request: r, path: r.URL.Path, id: r.PathValue("id"), origin: originOf(r), idempotencyKey: r.Header.Get("Idempotency-Key")}
		s.mu.Lock()
		c.requestID = "req_" + s.letters(14)
		s.mu.Unlock()
		if op.public {
			allowOrigin(w)
		}
		body, errRead := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
		if errRead != nil {
			s.write(w, c, refusal(c, invalid("", "", "The request body could not be read or is too large.")))
			return
		}
		canon, err := c.read(string(body))
		if err == nil {
			err = c.authenticate(op)
		}
		if err != nil {
			s.write(w, c, refusal(c, err))
			return
		}
		fault := s.pickFault(op.fault, c.id)
		switch fault.Kind {
		case TimeoutBefore:
			s.hold(r)
		case Error500:
			s.write(w, c, refusal(c, serverError("An unknown error occurred")))
			return
		case Conflict409:
			s.write(w, c, refusal(c, &apiError{status: 409, kind: typeIdempotency, code: "idempotency_key_in_use", message: "Another request with this idempotency key is still under way."}))
			return
		case Rate429:
			s.write(w, c, refusal(c, &apiError{status: 429, kind: typeInvalid, code: "rate_limit", message: "Too many requests hit the API too quickly."}))
			return
		case Down503:
			s.write(w, c, refusal(c, &apiError{status: 503, kind: typeAPI, message: "The API is not available for the moment."}))
			return
		}
		fixed := op.shape.with(shape{"expand": is(texts), "key": is(anything), "_stripe_account": is(anything), "_stripe_version": is(anything)})
		if !op.public {
			fixed = op.shape.with(shape{"expand": is(texts)})
		}
		err = fixed.check(c.params, "")
		if err == nil {
			err = checkExpand(c.params.texts("expand"), op.noun, op.list)
		}
		if err != nil {
			s.write(w, c, refusal(c, err))
			return
		}
		answer := s.once(c, op, canon, fault)
		switch fault.Kind {
		case TimeoutAfter:
			s.hold(r)
		case BrokenJSON:
			answer.body = answer.body[:len(answer.body)/2]
		}
		s.write(w, c, answer)
	}
}

// read takes the parameters of query and body.
func (c *call) read(body string) (canon string, err *apiError) {
	if body != "" && !strings.HasPrefix(c.request.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return "", invalid("", "", "The API reads form-encoded bodies only (Content-Type: application/x-www-form-urlencoded).")
	}
	c.params, canon, err = parseForm(c.request.URL.RawQuery, body)
	return canon, err
}

// once answers a POST with an idempotency key at most once: the first answer is kept for 24 hours and given again.
// https://stripe.com/docs/api/idempotent_requests
func (s *Server) once(c *call, op operation, canon string, fault Rule) reply {
	if c.request.Method != http.MethodPost || c.idempotencyKey == "" {
		return s.perform(c, op, fault)
	}
	if len(c.idempotencyKey) > 255 {
		return refusal(c, &apiError{status: 400, kind: typeIdempotency, message: "An idempotency key has at most 255 characters."})
	}
	sum := sha256.Sum256([]byte(c.request.Method + " " + c.path + "\n" + canon))
	fingerprint := hex.EncodeToString(sum[:])

	s.mu.Lock()
	s.forgetReplies(c.account)
	if old := c.account.replies[c.idempotencyKey]; old != nil && (old.inFlight || !s.now().After(old.until)) {
		defer s.mu.Unlock()
		switch {
		case old.fingerprint != fingerprint:
			return refusal(c, &apiError{status: 400, kind: typeIdempotency,
				message: "This idempotency key was first used with other parameters or at another endpoint. Use a new key for a new request."})
		case old.inFlight:
			return refusal(c, &apiError{status: 409, kind: typeIdempotency, code: "idempotency_key_in_use",
				message: "Another request with this idempotency key is still under way."})
		}
		again := *old
		again.replayed = true
		return again
	}
	c.account.replies[c.idempotencyKey] = &reply{inFlight: true, fingerprint: fingerprint, until: s.now().Add(24 * time.Hour)}
	s.mu.Unlock()

	answer := s.perform(c, op, fault)

	s.mu.Lock()
	defer s.mu.Unlock()
	if answer.until.IsZero() { // not to be remembered
		delete(c.account.replies, c.idempotencyKey)
		return answer
	}
	answer.fingerprint = fingerprint
	answer.until = s.now().Add(24 * time.Hour)
	kept := answer
	c.account.replies[c.idempotencyKey] = &kept
	return answer
}

// forgetReplies drops what is over a day old, not at every request but often enough. The lock is held.
func (s *Server) forgetReplies(a *account) {
	now := s.now()
	if now.Sub(a.forgotten).Abs() < time.Hour {
		return
	}
	a.forgotten = now
	for key, r := range a.replies {
		if !r.inFlight && now.After(r.until) {
			delete(a.replies, key)
		}
	}
}

// perform runs the endpoint, or what the fault makes of it. Requests on one server are carried out one after another.
func (s *Server) perform(c *call, op operation, fault Rule) reply {
	switch fault.Kind {
	case Slow:
		select {
		case <-time.After(min(fault.delay(), holdLimit)):
		case <-s.ctx.Done():
		}
	case Error500RolledBack:
		return s.remembered(refusal(c, serverError("An unknown error occurred")))
	case Error500Forward:
		s.mu.Lock()
		s.after(fault.delay(), func() { _, _ = op.run(c) })
		s.mu.Unlock()
		return s.remembered(refusal(c, serverError("An unknown error occurred")))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := op.run(c)
	if err != nil {
		answer := refusal(c, err)
		if !err.unsaved && err.status != 409 && err.status != 429 {
			answer.until = s.now()
		}
		return answer
	}
	expands := c.params.texts("expand")
	c.account.expand(o, expands)
	return reply{status: 200, body: encode(o), original: c.requestID, until: s.now()}
}

func (s *Server) remembered(r reply) reply {
	r.until = s.now()
	return r
}

func refusal(c *call, err *apiError) reply {
	return reply{status: err.status, body: encode(object{"error": err.body(c.requestID)}), original: c.requestID}
}

func encode(o object) []byte {
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		panic(err) // only our own maps of plain values come here
	}
	return append(b, '\n')
}

func (s *Server) write(w http.ResponseWriter, c *call, answer reply) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache, no-store")
	h.Set("Request-Id", c.requestID)
	h.Set("Stripe-Version", apiVersion)
	if c.account != nil && c.account.connected {
		h.Set("Stripe-Account", c.account.id)
	}
	if c.idempotencyKey != "" {
		h.Set("Idempotency-Key", c.idempotencyKey)
		h.Set("Original-Request", answer.original)
	}
	if answer.replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body)
}

// hold keeps the connection without an answer until the client goes, and then drops it.
func (s *Server) hold(r *http.Request) {
	limit := time.NewTimer(holdLimit)
	defer limit.Stop()
	select {
	case <-r.Context().Done():
	case <-s.ctx.Done():
	case <-limit.C:
	}
	panic(http.ErrAbortHandler)
}

func originOf(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

func (s *Server) unknownURL(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	c := &call{server: s, request: r, requestID: "req_" + s.letters(14)}
	s.mu.Unlock()
	s.write(w, c, refusal(c, &apiError{status: 404, kind: typeInvalid,
		message: "Unrecognized request URL (" + r.Method + ": " + r.URL.Path + "), at least by this simulator."}))
}
