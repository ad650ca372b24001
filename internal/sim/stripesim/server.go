// Package stripesim is a stand-in for Stripe at wire level, in memory: state, idempotency, test cards, 3-D Secure, signed
// webhooks, and faults on request. What it does otherwise than Stripe is written in DIVERGENCES.md.
package stripesim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// apiVersion is the one version whose shapes are answered, whatever version is asked for.
const apiVersion = "2023-10-16"

// ErrLiveKey: a key that is not a test key was given; a simulator must never see one.
var ErrLiveKey = errors.New("stripesim: the keys must be test keys (sk_test_…, pk_test_…)")

// Config is what a simulator needs. Now, SecretKey and PublishableKey are required.
type Config struct {
	Now  func() time.Time
	Seed uint64 // ids and faults come from it

	SecretKey, PublishableKey string // sk_test_…, pk_test_…

	// WebhookURL is the one endpoint for the platform's events and its connected accounts' (event.account tells which);
	// empty: no webhooks. WebhookSecret signs them.
	WebhookURL, WebhookSecret string

	Accounts []string     // ids of the connected accounts that exist
	Client   *http.Client // delivers webhooks; nil means one with a 10 s limit
}

// Server is one simulated Stripe.
type Server struct {
	config   Config
	now      func() time.Time
	platform *account
	accounts map[string]*account // by id, the platform's too

	mu         sync.Mutex // guards everything below and all that the accounts hold
	ids, luck  *rand.Rand
	faults     Faults
	webhookURL string
	tasks      []task // soonest first
	queue      []delivery
	held       []delivery

	wake    chan struct{} // tells the dispatcher that the queue has grown
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

// New starts a simulator without faults. It panics with ErrLiveKey on keys that are not test keys: that is a mistake of
// the program that starts it, and nothing good comes from going on.
func New(config Config) *Server {
	if !strings.HasPrefix(config.SecretKey, "sk_test_") || !strings.HasPrefix(config.PublishableKey, "pk_test_") {
		panic(ErrLiveKey)
	}
	if config.Client == nil {
		config.Client = &http.Client{Timeout: 10 * time.Second}
	}
	sum := sha256.Sum256([]byte(config.SecretKey))
	s := &Server{config: config, now: config.Now, accounts: map[string]*account{}, webhookURL: config.WebhookURL,
		ids: rand.New(rand.NewPCG(config.Seed, 1)), luck: rand.New(rand.NewPCG(config.Seed, 2)), wake: make(chan struct{}, 1)}
	s.platform = newAccount("acct_"+hex.EncodeToString(sum[:8]), false)
	s.accounts[s.platform.id] = s.platform
	for _, id := range config.Accounts {
		s.accounts[id] = newAccount(id, true)
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.running.Go(s.keepTime)
	s.running.Go(s.dispatch)
	return s
}

// SetWebhookURL moves the webhook endpoint; empty stops webhooks.
func (s *Server) SetWebhookURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhookURL = url
}

// Close lets go of held requests, stops webhook deliveries and waits for them.
func (s *Server) Close() {
	s.stop()
	s.running.Wait()
}

// task is something due at a time of the configured clock.
type task struct {
	due time.Time
	run func()
}

// after runs f, with the lock held, once the configured clock has moved on by d. The lock is held.
func (s *Server) after(d time.Duration, f func()) {
	t := task{s.now().Add(d), f}
	i := slices.IndexFunc(s.tasks, func(other task) bool { return other.due.After(t.due) })
	if i < 0 {
		i = len(s.tasks)
	}
	s.tasks = slices.Insert(s.tasks, i, t)
}

// Tick does now what has become due by the configured clock: delayed effects, refunds, webhooks. The server also does
// so by itself every few milliseconds of real time; a test with a virtual clock calls Tick to be sure.
func (s *Server) Tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.tasks) > 0 && !s.tasks[0].due.After(s.now()) {
		t := s.tasks[0]
		s.tasks = s.tasks[1:]
		t.run()
	}
}

func (s *Server) keepTime() {
	every := time.NewTicker(10 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-every.C:
			s.Tick()
		}
	}
}

// chance is true with the given probability. The lock is held.
func (s *Server) chance(rate float64) bool { return rate > 0 && s.luck.Float64() < rate }

func (s *Server) newRecord(prefix string) record {
	return record{id: s.newID(prefix), created: s.now().Unix(), metadata: map[string]string{}}
}

// operation is one endpoint.
type operation struct {
	pattern string // as net/http's ServeMux reads it
	fault   string // the name faults know it by
	noun    string // what it answers with, for expand
	list    bool
	public  bool // a publishable key may call it
	shape   shape
	run     func(*call) (object, *apiError)
}

func operations() []operation {
	return slices.Concat(paymentIntentOperations, paymentMethodOperations, customerOperations, setupIntentOperations, chargeOperations,
		refundOperations, balanceOperations, payoutOperations, eventOperations, disputeOperations, accountOperations)
}

// Handler serves /v1/ (the API), /v3/ (the Stripe.js stand-in and its challenge) and /control/stripe/.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, op := range operations() {
		mux.HandleFunc(op.pattern, s.serve(op))
	}
	mux.HandleFunc("OPTIONS /v1/", s.preflight)
	mux.HandleFunc("/v1/", s.unknownURL)
	mux.HandleFunc("POST /v3/challenge/{id}", s.postChallenge)
	mux.HandleFunc("GET /v3/", s.serveElements)
	mux.HandleFunc("GET /v3", s.serveElements)
	s.control(mux)
	return mux
}
