// Package smtpsim stands in for a mail server: it takes every letter, or none, and shows what it took.
package smtpsim

import (
	"bytes"
	"encoding/json"
	"html/template"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	_ "embed"
)

// Faults is how the server misbehaves; the zero value is a good day.
type Faults struct {
	Code int `json:"code"` // answered to every letter: 4xx, try later; 5xx, never; 0: it is taken
}

// Letter is one that was taken.
type Letter struct {
	ID      string    `json:"id"` // its Message-ID
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
	At      time.Time `json:"at"`
}

const (
	keepMost  = 500
	largest   = 1 << 20 // bytes
	pagePlace = "/mail"
)

// Server is a mail server on one address, and the page that shows its letters.
type Server struct {
	now  func() time.Time
	smtp *smtp.Server
	page *template.Template

	mu      sync.Mutex
	letters []Letter
	faults  Faults
}

//go:embed mail.html
var pageSource string

// New returns a server; Serve starts it.
func New(now func() time.Time) *Server {
	s := &Server{now: now, page: template.Must(template.New("mail").Parse(pageSource))}
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }))
	s.smtp.Domain = "localhost"
	s.smtp.MaxMessageBytes, s.smtp.MaxRecipients = largest, 10
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = 10*time.Second, 10*time.Second
	s.smtp.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

// Serve takes letters on a listener until Close.
func (s *Server) Serve(l net.Listener) error { return s.smtp.Serve(l) }

// Close ends every connection.
func (s *Server) Close() error { return s.smtp.Close() }

// SetFaults has the server misbehave from now on.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Faults is how it misbehaves now.
func (s *Server) Faults() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults
}

// Letters are those that were taken, oldest first.
func (s *Server) Letters() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter{}, s.letters...)
}

// session is one connection.
type session struct {
	server   *Server
	from, to string
}

func (c *session) Reset()        { c.from, c.to = "", "" }
func (c *session) Logout() error { return nil }

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	c.from = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.to = to
	return nil
}

func (c *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if code := c.server.Faults().Code; code != 0 {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: "the simulated server was told to say so"}
	}
	l, err := read(raw)
	if err != nil {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "the letter can't be read: " + err.Error()}
	}
	l.From, l.To, l.At = c.from, c.to, c.server.now()
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for _, had := range c.server.letters {
		if had.ID == l.ID { // mailboxes drop a copy of the same Message-ID
			return nil
		}
	}
	c.server.letters = append(c.server.letters, l)
	if n := len(c.server.letters); n > keepMost {
		c.server.letters = c.server.letters[n-keepMost:]
	}
	return nil
}

// read takes a letter apart, as a mail program does.
func read(raw []byte) (Letter, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Letter{}, err
	}
	var words mime.WordDecoder
	subject, err := words.DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return Letter{}, err
	}
	l := Letter{ID: strings.Trim(m.Header.Get("Message-ID"), "<>"), Subject: subject}
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return Letter{}, err
	}
	if !strings.HasPrefix(kind, "multipart/") {
		l.Text, err = decoded(m.Body, m.Header.Get("Content-Transfer-Encoding"))
		return l, err
	}
	parts := multipart.NewReader(m.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return l, nil
		}
		if err != nil {
			return Letter{}, err
		}
		text, err := decoded(part, part.Header.Get("Content-Transfer-Encoding"))
		if err != nil {
			return Letter{}, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.HTML = text
		} else {
			l.Text = text
		}
	}
}

func decoded(r io.Reader, encoding string) (string, error) {
	if strings.EqualFold(encoding, "quoted-printable") {
		r = quotedprintable.NewReader(r)
	}
	b, err := io.ReadAll(r)
	return strings.ReplaceAll(string(b), "\r\n", "\n"), err
}

// Handler shows the letters at /mail, as JSON at /mail/messages, and one as it looks at /mail/{id}.
func (s *Server) Handler() http.Handler {
	r := http.NewServeMux()
	r.HandleFunc("GET "+pagePlace, s.list)
	r.HandleFunc("GET "+pagePlace+"/messages", s.messages)
	r.HandleFunc("GET "+pagePlace+"/{id}", s.letter)
	return r
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	letters := s.Letters()
	newest := make([]Letter, 0, len(letters))
	for i := range letters {
		newest = append(newest, letters[len(letters)-1-i])
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Cache-Control", "no-store")
	_ = s.page.Execute(w, newest) // whoever asked has gone
}

// messages is what was taken, oldest first; to=ADDRESS keeps that address's.
func (s *Server) messages(w http.ResponseWriter, r *http.Request) {
	found := []Letter{}
	for _, l := range s.Letters() {
		if to := r.URL.Query().Get("to"); to == "" || l.To == to {
			found = append(found, l)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(found) // whoever asked has gone
}

// letter shows one as a mail program does: its page, which can run nothing.
func (s *Server) letter(w http.ResponseWriter, r *http.Request) {
	for _, l := range s.Letters() {
		if l.ID == r.PathValue("id") {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; sandbox allow-top-navigation allow-popups allow-popups-to-escape-sandbox")
			w.Header().Set("Cache-Control", "no-store")
			_, _ = io.WriteString(w, l.HTML)
			return
		}
	}
	http.NotFound(w, r)
}
