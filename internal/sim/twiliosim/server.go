// Package twiliosim stands in for Twilio at wire level: messages, lookups, signed callbacks, a phone to look at, and faults on request.
//
// It never reaches a real telephone network and takes only invented numbers (see Invented), so that it
// cannot be mistaken for the real thing, nor a real person's number be typed into it unnoticed.
// Where it differs from Twilio is written in DIVERGENCES.md. Only paysim and tests may import it.
package twiliosim

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	mathrand "math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Limits of the simulator itself.
const (
	maxMessages       = 100_000          // kept; the oldest are forgotten first
	maxRequestBytes   = 64 << 10         // of a request's body
	maxWebhooks       = 64               // callbacks on their way at once
	webhookLimit      = 15 * time.Second // Twilio gives a webhook 15 s to answer
	holdLimit         = 60 * time.Second // of a request that a fault holds
	defaultStep       = 20 * time.Millisecond
	defaultPoolNumber = "+18045550100" // whom a messaging service sends as
)

// Config is everything a Server needs. Now, AccountSID, AuthToken and From are required.
type Config struct {
	Now  func() time.Time // the town's clock: dates, and how long a text may wait in the queue
	Seed uint64           // of SIDs and of chance in the faults

	AccountSID, AuthToken string // the token signs every webhook
	APIKey, APISecret     string // the second way to authenticate; empty: none

	From       string       // number, or messaging service SID (MG…), that is "ours"
	InboundURL string       // our webhook for replies; empty: replies reach the opt-out list only
	Client     *http.Client // for webhooks; nil: a client of its own
}

// Server is one simulated Twilio account and all the phones it can text.
type Server struct {
	cfg  Config
	boot string // tells two runs apart in ETags
	page *template.Template
	mux  http.Handler

	life     context.Context
	end      context.CancelFunc
	work     sync.WaitGroup
	webhooks chan struct{}

	mu       sync.Mutex
	closed   bool
	chance   *mathrand.Rand
	faults   Faults
	left     []int               // uses left of each rule; -1: without limit
	messages []*message          // oldest first
	bySID    map[string]*message // of messages
	optedOut map[string]bool     // E.164 numbers that said STOP
	slowed   map[string]bool     // numbers whose last send was answered 20429
	version  uint64              // of what the phone shows
}

// New makes a server without faults. It panics if a required setting is missing: that is a mistake of the program that wires it.
func New(cfg Config) *Server {
	if cfg.Now == nil || cfg.AccountSID == "" || cfg.From == "" || cfg.AuthToken == "" {
		panic("twiliosim: Now, AccountSID, AuthToken and From are required")
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{}
	}
	client := *cfg.Client // a copy: whoever gave it keeps their own rules about time and redirects
	if client.Timeout == 0 || client.Timeout > webhookLimit {
		client.Timeout = webhookLimit
	}
	cfg.Client = &client

	boot := make([]byte, 6)
	rand.Read(boot) // never fails (crypto/rand)
	life, end := context.WithCancel(context.Background())
	s := &Server{
		cfg:      cfg,
		boot:     hex.EncodeToString(boot),
		page:     template.Must(template.ParseFS(files, "phone.html")),
		life:     life,
		end:      end,
		webhooks: make(chan struct{}, maxWebhooks),
		chance:   mathrand.New(mathrand.NewPCG(cfg.Seed, 0x7477696c696f)),
		bySID:    map[string]*message{},
		optedOut: map[string]bool{},
		slowed:   map[string]bool{},
	}
	s.mux = s.routes()
	return s
}

// Handler serves Twilio's API, Lookup and the phone.
func (s *Server) Handler() http.Handler { return s.mux }

// Close lets go of held requests, stops every text where it is, and waits for webhooks on their way. Calling it twice is harmless.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end()
	s.work.Wait()
}

// Messages returns every message that is not deleted, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Message, 0, len(s.messages))
	for _, m := range s.messages {
		if !m.deleted {
			out = append(out, m.Message)
		}
	}
	return out
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages.json", s.signedIn(s.create))
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}/Messages.json", s.signedIn(s.list))
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}/Messages/{file}", s.signedIn(s.fetch))
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages/{file}", s.signedIn(s.update))
	mux.HandleFunc("DELETE /2010-04-01/Accounts/{account}/Messages/{file}", s.signedIn(s.remove))
	mux.HandleFunc("GET /v2/PhoneNumbers/{number}", s.signedIn(s.lookup))

	// No page of another origin may reply in a phone's name.
	sameOrigin := http.NewCrossOriginProtection()
	mux.HandleFunc("GET /phone", s.phonePage)
	mux.HandleFunc("GET /phone/messages", s.phoneMessages)
	mux.Handle("POST /phone/replies", sameOrigin.Handler(http.HandlerFunc(s.phoneReply)))
	mux.HandleFunc("GET /phone/phone.css", s.phoneFile("phone.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /phone/phone.js", s.phoneFile("phone.js", "text/javascript; charset=utf-8"))

	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { refuse(w, notFound(r.URL.Path)) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, maxRequestBytes)
		mux.ServeHTTP(w, r)
	})
}

// signedIn lets in account SID and auth token, or API key and secret, and only for our own account.
func (s *Server) signedIn(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		byToken := same(user, s.cfg.AccountSID) & same(password, s.cfg.AuthToken)
		byKey := same(user, s.cfg.APIKey) & same(password, s.cfg.APISecret)
		if !ok || byToken|byKey != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="Twilio API"`)
			refuse(w, problem{20003, http.StatusUnauthorized, "Authenticate"})
			return
		}
		if account := r.PathValue("account"); account != "" && account != s.cfg.AccountSID {
			refuse(w, notFound(r.URL.Path))
			return
		}
		if err := r.ParseForm(); err != nil {
			refuse(w, problem{20001, http.StatusBadRequest, "The request could not be read: " + err.Error()})
			return
		}
		next(w, r)
	}
}

// same compares in constant time; an empty secret is no secret.
func same(given, ours string) int {
	if ours == "" {
		return 0
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(ours))
}

// problem is an error in Twilio's shape (https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions).
type problem struct {
	Code    int
	Status  int // HTTP
	Message string
}

func notFound(path string) problem {
	return problem{20404, http.StatusNotFound, fmt.Sprintf("The requested resource %s was not found", path)}
}

func refuse(w http.ResponseWriter, p problem) {
	answer(w, p.Status, map[string]any{
		"code":      p.Code,
		"message":   p.Message,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", p.Code),
		"status":    p.Status,
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // only our own plain structs come here
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(text)
}

// sid makes Twilio's 34 characters. The lock must be held.
func (s *Server) sid(prefix string) string {
	return fmt.Sprintf("%s%016x%016x", prefix, s.chance.Uint64(), s.chance.Uint64())
}

// startLocked runs f unless the server is closed. The lock must be held.
func (s *Server) startLocked(f func()) {
	if !s.closed {
		s.work.Go(f)
	}
}

// pause waits for d of real time; false means that the server is closing.
func (s *Server) pause(d time.Duration) bool {
	if d <= 0 {
		return s.life.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.life.Done():
		return false
	}
}

// ours tells the number that texts leave from.
func (s *Server) ours() string {
	if strings.HasPrefix(s.cfg.From, "MG") {
		return defaultPoolNumber
	}
	return s.cfg.From
}
