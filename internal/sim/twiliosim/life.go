package twiliosim

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tick is how often a waiting text looks at the clock.
const tick = 25 * time.Millisecond

// live leads a text through its states: [scheduled] → [accepted] → queued → sending → sent → delivered or undelivered, or failed.
// Steps take real time, so that a town whose clock stands still delivers all the same; the validity period goes by the town's clock.
func (s *Server) live(m *message) {
	if !m.SendAt.IsZero() {
		for s.status(m) == "scheduled" && s.cfg.Now().Before(m.SendAt) {
			if !s.pause(tick) {
				return
			}
		}
		s.mu.Lock()
		if m.Status == "canceled" {
			s.mu.Unlock()
			return
		}
		m.CreatedAt = s.cfg.Now() // its validity begins now
		s.mu.Unlock()
	}
	if m.MessagingServiceSID != "" {
		if !s.pause(s.step()) {
			return
		}
		s.mu.Lock()
		if m.From == "" {
			m.From = s.ours()
		}
		s.become(m, "queued", 0)
		s.mu.Unlock()
	}

	waited, step := time.Duration(0), s.step()
	for m.fate.neverSent || waited < step {
		if !s.pause(min(tick, step)) {
			return
		}
		waited += min(tick, step)
		if s.expired(m) {
			break
		}
	}

	s.mu.Lock()
	switch {
	case s.expired(m):
		s.become(m, "failed", 30036)
	case m.fate.inQueue:
		s.become(m, "failed", m.fate.code)
	case s.optedOut[m.To]: // STOP came while it waited
		s.become(m, "failed", 21610)
	default:
		m.SentAt = s.cfg.Now()
		s.become(m, "sent", 0)
	}
	over := m.final()
	s.mu.Unlock()
	if over || !s.pause(s.step()) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.fate.code != 0 {
		s.become(m, "undelivered", m.fate.code)
	} else {
		s.become(m, "delivered", 0)
	}
}

func (s *Server) status(m *message) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return m.Status
}

func (s *Server) step() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.DelayMS > 0 {
		return time.Duration(s.faults.DelayMS) * time.Millisecond
	}
	return defaultStep
}

// expired reads only what does not change while the text waits.
func (s *Server) expired(m *message) bool {
	return s.cfg.Now().Sub(m.CreatedAt) >= m.ValidityPeriod
}

// become moves a message on and sends its callback. The lock must be held.
func (s *Server) become(m *message, status string, code int) {
	m.Status, m.ErrorCode, m.UpdatedAt = status, code, s.cfg.Now()
	s.version++
	if m.StatusCallback != "" && !m.fate.noCallback {
		s.callback(m)
	}
}

// callback tells the StatusCallback URL of the present state, once and whatever it answers, as Twilio does
// (https://www.twilio.com/docs/messaging/guides/track-outbound-message-status). One message's callbacks keep
// their order unless a fault says otherwise. The lock must be held.
func (s *Server) callback(m *message) {
	faults := s.faults.Callbacks
	never := faults.Never > 0 && s.chance.Float64() < faults.Never
	shuffled := faults.Shuffle > 0 && s.chance.Float64() < faults.Shuffle
	twice := faults.Twice > 0 && s.chance.Float64() < faults.Twice
	if never {
		return
	}
	form := url.Values{
		"MessageSid": {m.SID}, "MessageStatus": {m.Status}, "SmsSid": {m.SID}, "SmsStatus": {m.Status},
		"To": {m.To}, "AccountSid": {s.cfg.AccountSID}, "ApiVersion": {"2010-04-01"},
	}
	if m.From != "" {
		form.Set("From", m.From)
	}
	if m.MessagingServiceSID != "" {
		form.Set("MessagingServiceSid", m.MessagingServiceSID)
	}
	if m.ErrorCode != 0 {
		form.Set("ErrorCode", strconv.Itoa(m.ErrorCode))
	}
	if m.Status == "delivered" || m.Status == "undelivered" {
		form.Set("RawDlrDoneDate", m.UpdatedAt.UTC().Format("0601021504"))
	}
	target, token := m.StatusCallback, s.sid("")
	wait := time.Duration(faults.DelayMS) * time.Millisecond
	before, done := m.lastCallback, make(chan struct{})
	if shuffled {
		step := defaultStep
		if s.faults.DelayMS > 0 {
			step = time.Duration(s.faults.DelayMS) * time.Millisecond
		}
		wait += 4 * step // after whatever comes next
		before = nil
	} else {
		m.lastCallback = done
	}
	s.startLocked(func() {
		defer close(done)
		if before != nil {
			select {
			case <-before:
			case <-s.life.Done():
				return
			}
		}
		times := 1
		if twice {
			times = 2
		}
		for range times {
			if !s.pause(wait) {
				return
			}
			s.post(target, form, token)
		}
	})
}

// post makes one signed request and returns what came back, 0 if nothing did. The body is at most maxRequestBytes.
func (s *Server) post(target string, form url.Values, token string) (status int, contentType string, body []byte) {
	select {
	case s.webhooks <- struct{}{}:
		defer func() { <-s.webhooks }()
	case <-s.life.Done():
		return 0, "", nil
	}
	ctx, cancel := context.WithTimeout(s.life, webhookLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", nil
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("User-Agent", "TwilioProxy/1.1")
	r.Header.Set("I-Twilio-Idempotency-Token", token) // the same when a callback comes twice
	r.Header.Set("X-Twilio-Signature", Sign(s.cfg.AuthToken, target, form))
	answer, err := s.cfg.Client.Do(r)
	if err != nil {
		return 0, "", nil
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxRequestBytes))
	if err != nil {
		return 0, "", nil
	}
	return answer.StatusCode, answer.Header.Get("Content-Type"), body
}

// Sign is the value of X-Twilio-Signature: base64 of HMAC-SHA1, keyed with the auth token, over the full URL followed by every
// parameter's name and value, sorted by name (https://www.twilio.com/docs/usage/security#validating-requests).
func Sign(authToken, target string, form url.Values) string {
	text := strings.Builder{}
	text.WriteString(target)
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		text.WriteString(name)
		text.WriteString(form.Get(name))
	}
	mac := hmac.New(sha1.New, []byte(authToken))
	mac.Write([]byte(text.String()))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
