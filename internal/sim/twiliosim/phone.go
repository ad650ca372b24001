package twiliosim

import (
	"bytes"
	"embed"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

//go:embed phone.html phone.css phone.js
var files embed.FS

const (
	phoneShows = 500 // newest messages in one answer
	phoneCSP   = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// phonePage is the phone itself; its script fills it from /phone/messages.
func (s *Server) phonePage(w http.ResponseWriter, r *http.Request) {
	var page bytes.Buffer
	err := s.page.Execute(&page, struct {
		Ours    string
		Numbers []Number
	}{s.ours(), Numbers()})
	if err != nil {
		http.Error(w, "The page could not be written.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", phoneCSP)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(page.Bytes())
}

func (s *Server) phoneFile(name, contentType string) http.HandlerFunc {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		w.Write(text)
	}
}

type phoneMessage struct {
	SID       string    `json:"sid"`
	Direction string    `json:"direction"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Body      string    `json:"body"`
	Status    string    `json:"status"`
	ErrorCode int       `json:"error_code"` // 0: none
	Meaning   string    `json:"error_message"`
	SentAt    time.Time `json:"sent_at"` // when it was accepted, as long as it was not sent
}

// phoneMessages is the newest 500 messages as a JSON array, newest last; to=NUMBER keeps what was sent to that number,
// number=NUMBER also what came from it. An ETag makes asking again cheap.
func (s *Server) phoneMessages(w http.ResponseWriter, r *http.Request) {
	to, either := queryNumber(r, "to"), queryNumber(r, "number")
	s.mu.Lock()
	tag := fmt.Sprintf(`"%s-%d"`, s.boot, s.version)
	found := []phoneMessage{}
	for _, m := range slices.Backward(s.messages) {
		if m.deleted || (to != "" && m.To != to) || (either != "" && m.To != either && m.From != either) {
			continue
		}
		at := m.SentAt
		if at.IsZero() {
			at = m.CreatedAt
		}
		found = append(found, phoneMessage{m.SID, m.Direction, m.From, m.To, m.Body, m.Status, m.ErrorCode, Meaning(m.ErrorCode), at.UTC()})
		if len(found) == phoneShows {
			break
		}
	}
	s.mu.Unlock()
	slices.Reverse(found)
	w.Header().Set("Date", s.cfg.Now().UTC().Format(http.TimeFormat)) // the phone's own clock shows it
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	answer(w, http.StatusOK, found)
}

// queryNumber forgives the plus sign that a query turns into a space.
func queryNumber(r *http.Request, name string) string {
	given := r.URL.Query().Get(name)
	if strings.HasPrefix(given, " ") {
		given = "+" + strings.TrimSpace(given)
	}
	return e164(given)
}

// phoneReply is POST /phone/replies {"from": number, "body": text}: somebody answers on their phone.
func (s *Server) phoneReply(w http.ResponseWriter, r *http.Request) {
	wrong := func(text string) { answer(w, http.StatusBadRequest, map[string]string{"error": text}) }
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		answer(w, http.StatusUnsupportedMediaType, map[string]string{"error": "Send JSON."})
		return
	}
	var given struct{ From, Body string }
	if err := json.NewDecoder(r.Body).Decode(&given); err != nil {
		wrong(`Send {"from": number, "body": text}.`)
		return
	}
	from := e164(given.From)
	switch {
	case !Invented(from):
		wrong("This phone has no invented number (exchange 555).")
	case strings.TrimSpace(given.Body) == "":
		wrong("The text is empty.")
	case utf8.RuneCountInString(given.Body) > 1600:
		wrong("The text is longer than 1600 characters.")
	default:
		answer(w, http.StatusCreated, map[string]string{"sid": s.Reply(from, given.Body)})
	}
}

// Reply is a text from a phone to us. A keyword changes the opt-out list before Reply returns; the webhook is told after.
// It returns the message's SID.
func (s *Server) Reply(from, body string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.note("inbound", from, s.ours(), body)
	kind, reply := keyword(body)
	switch kind {
	case "STOP":
		s.optedOut[from] = true
	case "START":
		delete(s.optedOut, from)
	}
	if reply != "" {
		s.note("outbound-reply", s.ours(), from, reply)
	}
	if s.cfg.InboundURL == "" {
		return m.SID
	}
	form := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "SmsMessageSid": {m.SID}, "SmsStatus": {"received"},
		"AccountSid": {s.cfg.AccountSID}, "ApiVersion": {"2010-04-01"}, "From": {from}, "To": {m.To}, "Body": {body},
		"NumMedia": {"0"}, "NumSegments": {fmt.Sprint(m.Segments)}, "FromCountry": {"US"}, "ToCountry": {"US"},
	}
	if strings.HasPrefix(s.cfg.From, "MG") {
		form.Set("MessagingServiceSid", s.cfg.From)
	}
	if kind != "" {
		form.Set("OptOutType", kind)
	}
	token := s.sid("")
	s.startLocked(func() {
		status, contentType, text := s.post(s.cfg.InboundURL, form, token)
		s.mu.Lock()
		defer s.mu.Unlock()
		if status < 200 || status > 299 {
			m.ErrorCode = 11200
			s.version++
			return
		}
		if strings.Contains(contentType, "xml") && !s.optedOut[from] {
			for _, reply := range twiml(text) {
				s.note("outbound-reply", s.ours(), from, reply)
			}
		}
	})
	return m.SID
}

// note keeps a text that needs no life of its own. The lock must be held.
func (s *Server) note(direction, from, to, body string) *message {
	now := s.cfg.Now()
	m := &message{Message: Message{
		SID: s.sid("SM"), Direction: direction, From: from, To: to, Body: body, Segments: Segments(body),
		Status: "received", CreatedAt: now, UpdatedAt: now, SentAt: now,
	}}
	if direction != "inbound" {
		m.Status = "delivered"
	}
	s.keep(m)
	return m
}

// keyword is Twilio's opt-out handling: the whole text is one word, in any case
// (https://help.twilio.com/articles/223134027). The answers are our own words.
func keyword(body string) (kind, reply string) {
	switch strings.ToUpper(strings.TrimSpace(body)) {
	case "STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE":
		return "STOP", "You will get no more texts from this number. Reply START to get them again."
	case "START", "UNSTOP", "YES":
		return "START", "You will get texts from this number again. Reply HELP for help, STOP to end them."
	case "HELP", "INFO":
		return "HELP", "Reply STOP to get no more texts from this number. Message and data rates may apply."
	}
	return "", ""
}

// twiml returns the texts of the <Message> elements, at most five; anything else in the answer is passed over.
func twiml(text []byte) []string {
	var answer struct {
		XMLName  xml.Name `xml:"Response"`
		Messages []struct {
			Text string `xml:",chardata"`
			Body string `xml:"Body"`
		} `xml:"Message"`
	}
	if err := xml.NewDecoder(io.LimitReader(bytes.NewReader(text), maxRequestBytes)).Decode(&answer); err != nil {
		return nil
	}
	var out []string
	for _, m := range answer.Messages {
		if reply := strings.TrimSpace(m.Body + m.Text); reply != "" && len(out) < 5 {
			out = append(out, reply)
		}
	}
	return out
}
