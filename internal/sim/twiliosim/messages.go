package twiliosim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Message is one text, to a phone or from one.
type Message struct {
	SID                 string
	MessagingServiceSID string // empty: sent by number
	Direction           string // outbound-api, outbound-reply, inbound
	From, To            string // E.164; From is empty until a messaging service has chosen a sender
	Body                string
	Segments            int
	Status              string // Twilio's: accepted, scheduled, queued, sending, sent, delivered, undelivered, failed, canceled, received
	ErrorCode           int    // 0: none
	StatusCallback      string
	ValidityPeriod      time.Duration // in the queue
	CreatedAt           time.Time
	UpdatedAt           time.Time
	SendAt              time.Time // zero: at once
	SentAt              time.Time // zero: not sent
}

type message struct {
	Message
	fate         fate
	deleted      bool
	lastCallback <-chan struct{} // closed when the callback before has been made
}

func (m *message) final() bool {
	return slices.Contains([]string{"delivered", "undelivered", "failed", "canceled", "received"}, m.Status)
}

// create is POST Messages.json (https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource).
func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	f := s.fault("send")
	if s.before(w, r, f) {
		return
	}
	m, p := s.accept(r.PostForm)
	if m == nil {
		refuse(w, p)
		return
	}
	if !s.after(w, r, f, http.StatusCreated) {
		answer(w, http.StatusCreated, s.shape(*m))
	}
}

// accept checks in Twilio's order and, if all is well, begins the text's life. It returns the message as it was at that moment.
func (s *Server) accept(form url.Values) (*Message, problem) {
	bad := func(code int, text string) (*Message, problem) {
		return nil, problem{code, http.StatusBadRequest, text}
	}
	to, from := e164(form.Get("To")), e164(form.Get("From"))
	service, body := form.Get("MessagingServiceSid"), form.Get("Body")
	switch {
	case to == "":
		return bad(21604, "A 'To' phone number is required.")
	case from == "" && service == "":
		return bad(21603, "A 'From' phone number is required.")
	case body == "":
		return bad(21602, "Message body is required.")
	case utf8.RuneCountInString(body) > 1600:
		return bad(21617, "The concatenated message body exceeds the 1600 character limit.")
	}
	if service != "" && service != s.cfg.From {
		return nil, problem{21701, http.StatusNotFound, "The Messaging Service does not exist: " + service}
	}
	if from != "" {
		if p, ok := s.refusedFrom(from); !ok {
			return nil, p
		}
	}
	callback := form.Get("StatusCallback")
	if callback != "" {
		u, err := url.Parse(callback)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return bad(21609, "The 'StatusCallback' URL is not a valid URL.")
		}
	}
	validity := 36000
	if text := form.Get("ValidityPeriod"); text != "" {
		var err error
		validity, err = strconv.Atoi(text)
		if err != nil || validity > 36000 {
			return bad(30045, Meaning(30045))
		}
		if validity < 1 {
			return bad(30012, Meaning(30012))
		}
	}
	var sendAt time.Time
	if form.Get("ScheduleType") == "fixed" {
		var err error
		if sendAt, err = time.Parse(time.RFC3339, form.Get("SendAt")); err != nil || service == "" {
			return bad(35114, "A scheduled message needs a 'MessagingServiceSid' and a 'SendAt' in ISO 8601.")
		}
	}
	if p, ok := refusedTo(to); !ok {
		return nil, p
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if to == "+15005550004" || to == "+18045550197" || s.optedOut[to] {
		return bad(21610, Meaning(21610))
	}
	if to == "+18045550199" {
		s.slowed[to] = !s.slowed[to]
		if s.slowed[to] {
			return nil, tooMany
		}
	}
	now := s.cfg.Now()
	m := &message{
		Message: Message{
			SID: s.sid("SM"), MessagingServiceSID: service, Direction: "outbound-api", From: from, To: to, Body: body,
			Segments: Segments(body), Status: "queued", StatusCallback: callback,
			ValidityPeriod: time.Duration(validity) * time.Second, CreatedAt: now, UpdatedAt: now, SendAt: sendAt,
		},
		fate: fateOf(to),
	}
	switch {
	case !sendAt.IsZero():
		m.Status = "scheduled"
	case service != "":
		m.Status = "accepted"
	}
	s.keep(m)
	s.startLocked(func() { s.live(m) })
	seen := m.Message
	return &seen, problem{}
}

// keep adds the message and forgets the oldest beyond the limit. The lock must be held.
func (s *Server) keep(m *message) {
	s.messages = append(s.messages, m)
	s.bySID[m.SID] = m
	if len(s.messages) > maxMessages {
		delete(s.bySID, s.messages[0].SID)
		s.messages = s.messages[1:]
	}
	s.version++
}

// list is GET Messages.json, newest first. DateSent, DateSent< and DateSent> are inclusive, as Twilio has them;
// a message that was not sent yet has no date and is left out by them.
func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	f := s.fault("list")
	if s.before(w, r, f) {
		return
	}
	q := r.Form
	keep, p, ok := dateFilter(q)
	if !ok {
		refuse(w, p)
		return
	}
	size, page := 50, 0
	if n, err := strconv.Atoi(q.Get("PageSize")); err == nil && n > 0 {
		size = min(n, 1000)
	}
	if n, err := strconv.Atoi(q.Get("Page")); err == nil && n > 0 {
		page = n
	}
	to, from := e164(q.Get("To")), e164(q.Get("From"))
	token := strings.TrimPrefix(q.Get("PageToken"), "PA")

	s.mu.Lock()
	found := []map[string]any{}
	skip, past, more, last := 0, token == "", false, ""
	if token == "" {
		skip = page * size
	}
	for _, m := range slices.Backward(s.messages) {
		if !past { // the token names the last message of the page before
			past = m.SID == token
			continue
		}
		if m.deleted || (to != "" && m.To != to) || (from != "" && m.From != from) || !keep(m.SentAt) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(found) == size {
			more = true
			break
		}
		found, last = append(found, s.shape(m.Message)), m.SID
	}
	s.mu.Unlock()

	path := "/2010-04-01/Accounts/" + s.cfg.AccountSID + "/Messages.json"
	uri := func(page int, token string) string {
		v := url.Values{}
		for _, name := range []string{"To", "From", "DateSent", "DateSent<", "DateSent>"} {
			if q.Has(name) {
				v.Set(name, q.Get(name))
			}
		}
		v.Set("PageSize", strconv.Itoa(size))
		v.Set("Page", strconv.Itoa(page))
		if token != "" {
			v.Set("PageToken", "PA"+token)
		}
		return path + "?" + v.Encode()
	}
	body := map[string]any{
		"messages": found, "page": page, "page_size": size, "start": page * size, "end": max(0, page*size+len(found)-1),
		"uri": uri(page, token), "first_page_uri": uri(0, ""), "previous_page_uri": nil, "next_page_uri": nil,
	}
	if more {
		body["next_page_uri"] = uri(page+1, last)
	}
	if page > 0 {
		body["previous_page_uri"] = uri(page-1, "")
	}
	if !s.after(w, r, f, http.StatusOK) {
		answer(w, http.StatusOK, body)
	}
}

// dateFilter reads the three date filters; a day means all of it, in UTC.
func dateFilter(q url.Values) (keep func(sent time.Time) bool, p problem, ok bool) {
	from, until := time.Time{}, time.Time{} // until is exclusive
	for _, name := range []string{"DateSent", "DateSent<", "DateSent>"} {
		text := q.Get(name)
		if text == "" {
			continue
		}
		length := time.Second
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			at, err = time.Parse(time.DateOnly, text)
			length = 24 * time.Hour
		}
		if err != nil {
			return nil, problem{20001, http.StatusBadRequest, "Invalid date in parameter " + name}, false
		}
		if name != "DateSent<" && at.After(from) {
			from = at
		}
		if end := at.Add(length); name != "DateSent>" && (until.IsZero() || end.Before(until)) {
			until = end
		}
	}
	if from.IsZero() && until.IsZero() {
		return func(time.Time) bool { return true }, problem{}, true
	}
	return func(sent time.Time) bool {
		sent = sent.Truncate(time.Second) // as written in the answer
		return !sent.IsZero() && !sent.Before(from) && (until.IsZero() || sent.Before(until))
	}, problem{}, true
}

// fetch is GET Messages/{SID}.json.
func (s *Server) fetch(w http.ResponseWriter, r *http.Request) {
	f := s.fault("list")
	if s.before(w, r, f) {
		return
	}
	s.mu.Lock()
	m := s.find(r)
	var body map[string]any
	if m != nil {
		body = s.shape(m.Message)
	}
	s.mu.Unlock()
	if m == nil {
		refuse(w, notFound(r.URL.Path))
		return
	}
	if !s.after(w, r, f, http.StatusOK) {
		answer(w, http.StatusOK, body)
	}
}

// update is POST Messages/{SID}.json: an empty Body redacts, Status=canceled takes back a scheduled message.
func (s *Server) update(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.find(r)
	switch {
	case m == nil:
		refuse(w, notFound(r.URL.Path))
		return
	case r.PostForm.Get("Status") == "canceled":
		if m.Status != "scheduled" {
			refuse(w, problem{30409, http.StatusConflict, "This message cannot be canceled"})
			return
		}
		s.become(m, "canceled", 0)
	case r.PostForm.Has("Body") && r.PostForm.Get("Body") == "":
		if !m.final() {
			refuse(w, incomplete)
			return
		}
		m.Body = ""
		s.version++
	}
	answer(w, http.StatusOK, s.shape(m.Message))
}

// remove is DELETE Messages/{SID}.json, for messages whose life is over.
func (s *Server) remove(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.find(r)
	switch {
	case m == nil:
		refuse(w, notFound(r.URL.Path))
	case !m.final():
		refuse(w, incomplete)
	default:
		m.deleted, m.Body = true, ""
		s.version++
		w.WriteHeader(http.StatusNoContent)
	}
}

var incomplete = problem{20009, http.StatusConflict, "Cannot delete or redact a message that is not finished"}

// find returns the message that the path names, nil if none. The lock must be held.
func (s *Server) find(r *http.Request) *message {
	sid, ok := strings.CutSuffix(r.PathValue("file"), ".json")
	if m := s.bySID[sid]; ok && m != nil && !m.deleted {
		return m
	}
	return nil
}

// shape is Twilio's JSON of a message.
func (s *Server) shape(m Message) map[string]any {
	uri := "/2010-04-01/Accounts/" + s.cfg.AccountSID + "/Messages/" + m.SID
	segments := strconv.Itoa(m.Segments)
	if m.From == "" { // no sender chosen yet
		segments = "0"
	}
	body := map[string]any{
		"account_sid": s.cfg.AccountSID, "api_version": "2010-04-01", "sid": m.SID, "uri": uri + ".json",
		"subresource_uris":      map[string]string{"media": uri + "/Media.json"},
		"messaging_service_sid": orNull(m.MessagingServiceSID), "from": orNull(m.From), "to": m.To, "body": m.Body,
		"num_segments": segments, "num_media": "0", "direction": m.Direction, "status": m.Status,
		"error_code": nil, "error_message": nil, "price": nil, "price_unit": "USD",
		"date_created": rfc2822(m.CreatedAt), "date_updated": rfc2822(m.UpdatedAt), "date_sent": nil,
	}
	if m.ErrorCode != 0 {
		body["error_code"], body["error_message"] = m.ErrorCode, Meaning(m.ErrorCode)
	}
	if !m.SentAt.IsZero() {
		body["date_sent"] = rfc2822(m.SentAt)
	}
	return body
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// rfc2822 always writes +0000, which is the one form Twilio's own libraries read.
func rfc2822(t time.Time) string { return t.UTC().Format(time.RFC1123Z) }
