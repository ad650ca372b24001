package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/rs/zerolog"

	"paylink/internal/day"
	"paylink/internal/desk/admin"
	"paylink/internal/desk/agent"
	"paylink/internal/desk/client"
	"paylink/internal/desk/clock"
	"paylink/internal/desk/office"
	"paylink/internal/desk/payer"
	"paylink/internal/desk/signin"
	"paylink/internal/desk/supervisor"
	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/pdf"
	"paylink/internal/post"
	"paylink/internal/redisdb"
	"paylink/internal/sqldb"
	"paylink/internal/staff"
	"paylink/internal/stripepay"
	"paylink/internal/wallet"
	"paylink/internal/web"
	"paylink/internal/web/hooks"
	payerdoor "paylink/internal/web/payer"
	"paylink/internal/web/plus"
	"paylink/internal/web/portal"
	"paylink/templates"
)

// How long things may take, and how large they may be.
const (
	stripeTimeout  = 10 * time.Second
	twilioTimeout  = 5 * time.Second  // a carrier that hangs must not keep the next texts from leaving in time
	oidcTimeout    = 5 * time.Second  // whoever waits for it can sign in another way
	requestTimeout = 55 * time.Second // a charge may take pay.ConfirmWithin
	stopWithin     = 60 * time.Second // a deploy lets every payment come to its end
	maxBody        = 64 << 10         // bytes
	maxEvent       = 1 << 20          // bytes
	looksPerMinute = 60               // of one address at the landing page
	databaseConns  = 16
	sweepEvery     = time.Second
	sweepWorkers   = 24 // of each kind: most of the time they wait for a supplier
	catchUpEvery   = 10 * time.Minute
	autoPayEvery   = 30 * time.Second
	postEvery      = 2 * time.Second
	cardsEvery     = 10 * time.Second
	mailTimeout    = 20 * time.Second
	probeEvery     = 5 * time.Second // whether Stripe is back, while it does not answer
	reconcileEvery = time.Minute     // to look whether it is due, and how the last one came out
	firstTerms     = "1"
	firstCardTerms = "card-1" // all versions are kept in one list: those of the terms of keeping a card say so
)

// Service is a service that is wired and ready to run.
type Service struct {
	DB      *sqldb.DB
	Machine *pay.Machine
	Sweeper *clock.Sweeper
	CatchUp *clock.CatchUp
	daily   *clock.Daily
	AutoPay *clock.AutoPay
	Wallet  *wallet.Wallet
	Post    *clock.Postman // nil: no letter leaves
	books   *clock.Reconciler
	config  Config
	door    *redisdb.Door
	gateway *stripepay.Gateway
	handler http.Handler
	metrics *metrics

	termsRead sync.Map // what worded has worded, by version

	running    context.Context // ends when the service stops, and all streams with it
	endStreams context.CancelFunc
}

// Open wires a service: it connects to the database and Redis and migrates; it asks neither Stripe nor Twilio. All problems that can be seen are in its error.
func Open(ctx context.Context, c Config) (*Service, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	made, err := c.suppliers()
	if err != nil {
		return nil, err
	}
	door, err := redisdb.Open(ctx, redisdb.Config{URL: c.RedisURL, Now: c.Now, LooksPerMinute: looksPerMinute})
	if err != nil {
		return nil, err
	}
	db, err := sqldb.Open(ctx, sqldb.Config{
		URL: c.DatabaseURL, Now: c.Now, DatabaseClock: c.DatabaseClock, Keys: c.Keys, NewID: newID, MaxConns: databaseConns, Changed: door.Feed.Tell,
	})
	if err != nil {
		return nil, errors.Join(err, door.Close())
	}
	s := &Service{DB: db, config: c, door: door, gateway: made.gateway}
	s.running, s.endStreams = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.wire(ctx, made); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Service) wire(ctx context.Context, made suppliers) error {
	c := s.config
	if err := s.DB.Migrate(ctx); err != nil {
		return err
	}
	if err := s.zones(ctx); err != nil {
		return err
	}
	if err := s.terms(ctx); err != nil {
		return err
	}
	s.Sweeper = &clock.Sweeper{
		Due: s.DB.Due, Workers: sweepWorkers,
		Wait: func(ctx context.Context, wake <-chan struct{}) {
			timer := time.NewTimer(sweepEvery)
			defer timer.Stop()
			select {
			case <-ctx.Done():
			case <-wake:
			case <-timer.C:
			}
		},
		Failed: func(what, id string, err error) {
			c.Log.Error().Str("what", what).Str("id", id).Str("error", err.Error()).Msg("a due task failed; it stays due")
		},
	}
	s.metrics = newMetrics()
	s.Machine = &pay.Machine{
		Store: s.DB, Gateway: made.gateway, Door: s.door, Carrier: made.carrier, NewID: newID, Token: rand.Text, Life: c.LinkLife, Paused: c.ReconcileOnly,
		Texts: pay.Texts{
			Link: c.linkText, Receipt: s.receiptText, Declined: c.declinedText, Code: c.codeText,
			Callback: func(messageID string) string {
				return strings.TrimSuffix(c.URL, "/") + "/hooks/twilio/status/" + messageID
			},
		},
		Wake: s.Sweeper.Wake,
		Alarm: func(a pay.Alarm) {
			s.alarm(string(a.Name)).Str("payment", a.PaymentID).Str("state", string(a.State)).Str("reason", string(a.Reason)).Str("detail", a.Detail).Msg(pay.Alarms()[a.Name])
		},
	}
	s.Sweeper.Machine = s.Machine
	s.Wallet = &wallet.Wallet{Store: s.DB, Stripe: made.gateway, NewID: newID}
	s.AutoPay = &clock.AutoPay{Runs: s.DB, Collect: s.Machine.Collect, NewID: newID}
	if made.mail != nil {
		s.Post = &clock.Postman{Store: s.DB, Carrier: made.mail, Now: s.DB.Now, Alarm: func(id string, kind post.Kind, err error) {
			s.alarm(letterLost).Str("letter", id).Str("kind", string(kind)).Str("error", err.Error()).Msg("a letter to a client never left")
		}}
	}
	if c.ReconcileOnly { // what lived when the backup was made closes now
		if err := s.DB.Awaken(ctx); err != nil {
			return err
		}
		s.alarm(reconcileOnly).Msg("reconcile-only mode: nothing is offered to pay; see docs/operations.md")
	}
	s.CatchUp = &clock.CatchUp{Events: made.gateway, Heard: s.DB, Hear: s.heard, Found: s.Machine.Rebuild}
	s.books = &clock.Reconciler{Stripe: made.gateway, Books: s.DB, Till: s.Machine, NewID: newID, Recovering: c.ReconcileOnly}
	s.daily = &clock.Daily{
		Diary: s.DB, Reconcile: s.books.Reconcile, Told: s.metrics.reconciled,
		Alarm: func(name, text string, err error) {
			line := s.alarm(name)
			if err != nil {
				line = line.Str("error", err.Error())
			}
			line.Msg(text)
		},
	}
	sent, err := printed()
	if err != nil {
		return err
	}
	s.handler = s.routes(sent.assets, sent.pages, made)
	return nil
}

// paper is what browsers are sent. It is in the program itself, and the same for all services of a process.
type paper struct {
	assets *web.Assets
	pages  *web.Pages
}

var printed = sync.OnceValues(func() (p paper, err error) {
	if p.assets, err = web.NewAssets(templates.Files); err != nil {
		return p, err
	}
	p.pages, err = web.ParsePages(templates.Files, p.assets)
	return p, err
})

// heard takes an event to whom it concerns: cards on file, or the payment machine.
func (s *Service) heard(ctx context.Context, n pay.Notice) error {
	if n.Card != "" {
		return s.Wallet.Heard(ctx, n)
	}
	return s.Machine.Heard(ctx, n)
}

// heard is the machine as the suppliers' door knows it.
type heard struct {
	*pay.Machine
	events func(context.Context, pay.Notice) error
}

// Heard tells whom the event concerns.
func (h heard) Heard(ctx context.Context, n pay.Notice) error { return h.events(ctx, n) }

// temporaryPassword has 80 random bits, in groups that can be read out: base32 without 0, 1, 8 and 9.
func temporaryPassword() string {
	t := strings.ToLower(rand.Text())
	return t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:16]
}

// salt is fresh for each password.
func salt() []byte {
	b := make([]byte, staff.SaltBytes)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// zones checks that every location's time zone is known here: without it days would silently be counted in UTC.
func (s *Service) zones(ctx context.Context) error {
	zones, err := s.DB.Zones(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, zone := range zones {
		if _, err := time.LoadLocation(zone); err != nil || zone == "" {
			problems = append(problems, fmt.Errorf("a location has the time zone %q, which is not known here", zone))
		}
	}
	return errors.Join(problems...)
}

// terms keeps the service's own texts that people agree to, and publishes the first versions of those that administrators publish, where none was published yet. All later ones are published in PLUS Web.
func (s *Service) terms(ctx context.Context) error {
	for _, version := range []string{firstTerms, firstCardTerms, client.AutoPayTerms} {
		for _, l := range lang.All {
			source, err := templates.Files.ReadFile("terms/" + version + "." + string(l) + ".txt")
			if err != nil {
				return err
			}
			sum := sha256.Sum256(source)
			if err := s.DB.Terms(ctx, version, string(l), string(source), hex.EncodeToString(sum[:])); err != nil {
				return err
			}
		}
	}
	if err := s.DB.FirstTerms(ctx, firstTerms); err != nil {
		return err
	}
	return s.DB.FirstCardTerms(ctx, firstCardTerms)
}

// worded words a version of what is agreed to. No version ever changes, and there are a handful: each is worded once.
func (s *Service) worded(ctx context.Context, version string) (map[lang.Lang]lang.Terms, error) {
	if read, ok := s.termsRead.Load(version); ok {
		return read.(map[lang.Lang]lang.Terms), nil
	}
	sources, err := s.DB.TermsTexts(ctx, version)
	if err != nil {
		return nil, err
	}
	texts := map[lang.Lang]lang.Terms{}
	for _, l := range lang.All {
		texts[l] = lang.ReadTerms(sources[string(l)], s.config.Brand, s.config.Support.National())
	}
	if len(sources) > 0 {
		s.termsRead.Store(version, texts)
	}
	return texts, nil
}

func (s *Service) receiptText(language string, p pay.Payment, a pay.Attempt) string {
	l := speaks(language)
	zone, err := time.LoadLocation(p.Frozen.Zone)
	if err != nil {
		zone = time.UTC
	}
	return l.ReceiptText(lang.Receipt{
		Brand: s.config.Brand, Amount: p.Amount().String(), Date: l.Date(day.Of(p.ClosedAt.In(zone))), Last4: a.Card.Last4, Reference: p.Reference(), SupportPhone: s.config.Support.National(),
	})
}

func (s *Service) routes(assets *web.Assets, pages *web.Pages, made suppliers) http.Handler {
	c := s.config
	door := web.Door{
		Log: c.Log, Now: c.Now, NewID: newID, Nonce: rand.Text, Proxies: c.Proxies, MaxBody: maxBody, Timeout: requestTimeout, Seen: s.metrics.seen,
		Policy: func(nonce string) string { return web.Policy(nonce) }, Running: s.running, Streamed: s.metrics.streamed,
	}
	plain := door
	plain.Refuse = func(_ *web.Request, p web.Problem) (web.Answer, error) {
		return web.JSON(p.Status, map[string]string{"error": p.Code})
	}
	hookDoor := door
	hookDoor.MaxBody = maxEvent
	payerConfig := payerdoor.Config{
		Desk:  &payer.Desk{Store: s.DB, Machine: s.Machine, Door: s.door, Tries: s.door, Keys: c.Keys, Now: c.Now, NewID: newID, Paused: c.ReconcileOnly},
		Pages: pages, Door: door, Keys: c.Keys, Brand: c.Brand, Support: c.Support, StripeJS: c.Stripe.JSURL, PublishableKey: c.Stripe.PublishableKey, LinkLife: c.LinkLife, Terms: s.worded,
	}
	refuse := func(err error) http.Handler {
		return payerdoor.Refuse(payerConfig, func(*web.Request) (web.Answer, error) { return web.Answer{}, err })
	}
	// everywhere is a router with what every host answers.
	everywhere := func() *mux.Router {
		r := mux.NewRouter()
		r.NotFoundHandler, r.MethodNotAllowedHandler = refuse(web.ErrNoRoute), refuse(web.ErrMethod)
		r.PathPrefix("/assets/").Handler(assets).Methods(http.MethodGet)
		r.Handle("/healthz", plain.Handle(func(*web.Request) (web.Answer, error) {
			return web.JSON(http.StatusOK, map[string]string{"status": "ok"})
		})).Methods(http.MethodGet)
		r.Handle("/readyz", plain.Handle(s.ready)).Methods(http.MethodGet)
		hooks.Mount(r, hooks.Config{
			Door: hookDoor, Events: adaptEvents{made.events}, Callbacks: adaptCallbacks{made.callbacks}, Machine: heard{s.Machine, s.heard}, Brand: c.Brand, Support: c.Support,
		})
		if c.Storybook {
			r.Handle("/storybook", plain.Handle(storybook(pages, c.Brand))).Methods(http.MethodGet)
		}
		return r
	}
	payers := everywhere()
	desks, site := payers, http.Handler(payers)
	if payHost, host := hostOf(c.PayURL), hostOf(c.URL); payHost != host {
		// A router of its own for each: one with subrouters by host forgets that a method did not fit, and would say 404.
		desks = everywhere()
		site = byHost(map[string]http.Handler{payHost: payers, host: desks}, everywhere())
	}
	payerdoor.Mount(payers, payerConfig)
	printer := pdf.Printer{Brand: c.Brand, Support: c.Support.National()}
	plus.Mount(desks, plus.Config{
		Desk:       &agent.Desk{Printer: printer, Store: s.DB, Machine: s.Machine, Carrier: made.carrier, NewID: newID, Password: temporaryPassword, Salt: salt, Down: made.gateway.Down, Paused: c.ReconcileOnly, Mail: made.mail != nil},
		Office:     &office.Desk{Store: s.DB, Machine: s.Machine, Printer: printer, NewID: newID},
		Admin:      &admin.Desk{Store: s.DB, NewID: newID, Password: temporaryPassword, Salt: salt},
		Supervisor: &supervisor.Desk{Store: s.DB, NewID: newID},
		SignIn: &signin.Desk{
			Store: s.DB, Tries: s.door, Keys: c.Keys, Brand: c.Brand, Random: rand.Reader, NewID: newID, Passkeys: made.passkeys, Company: made.company,
		},
		Pages: pages, Door: door, Sessions: plus.NewSessions(sqldb.Sessions{DB: s.DB}, c.Now), Brand: c.Brand, Support: c.Support, NewKey: rand.Text, Feed: s.door.Feed,
	})
	portal.Mount(desks, portal.Config{
		Desk: &client.Desk{
			Printer: printer, Store: s.DB, Wallet: s.Wallet, Till: s.Machine, Down: made.gateway.Down, Tries: s.door, NewID: newID, Token: rand.Text, Salt: salt, Paused: c.ReconcileOnly,
			Carrier: made.carrier, Brand: c.Brand,
		},
		Pages: pages, Door: door, Brand: c.Brand, Support: c.Support, NewKey: rand.Text, LinkLife: c.LinkLife,
		StripeJS: c.Stripe.JSURL, PublishableKey: c.Stripe.PublishableKey, Terms: s.worded, Keys: c.Keys,
		SignIn: &signin.Desk{Store: s.DB, Tries: s.door, Keys: c.Keys, Brand: c.Brand, Random: rand.Reader, NewID: newID, Passkeys: made.clientPasskeys},
	})
	home := plain.Handle(func(*web.Request) (web.Answer, error) { return web.Redirect("/plus/"), nil })
	desks.Handle("/", home).Methods(http.MethodGet)
	return web.Guard(site, strings.HasPrefix(c.URL, "https:"), refuse(web.ErrCrossSite))
}

func storybook(pages *web.Pages, brand string) web.Handler {
	return func(q *web.Request) (web.Answer, error) {
		l, _ := lang.Parse(q.URL.Query().Get("lang"))
		if l == "" {
			l = lang.English
		}
		theme := q.URL.Query().Get("theme")
		if theme != "light" && theme != "dark" {
			theme = ""
		}
		return pages.Page(http.StatusOK, web.StorybookPage, web.NewStorybook(web.Chrome{Lang: l, Nonce: q.Nonce, Brand: brand, Theme: theme}))
	}
}

// byHost sends a request to its host's handler, whatever the port.
func byHost(hosts map[string]http.Handler, other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := hosts[strings.ToLower((&url.URL{Host: r.Host}).Hostname())]
		if !ok {
			h = other
		}
		h.ServeHTTP(w, r)
	})
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// ready says whether the service can do its work: what it needs answers.
func (s *Service) ready(r *web.Request) (web.Answer, error) {
	status, said := http.StatusOK, map[string]string{"database": "ok", "redis": "ok"}
	if err := s.DB.Ping(r.Context()); err != nil {
		status, said["database"] = http.StatusServiceUnavailable, "does not answer"
	}
	if err := s.door.Ping(r.Context()); err != nil {
		status, said["redis"] = http.StatusServiceUnavailable, "does not answer"
	}
	return web.JSON(status, said)
}

// reconcileOnly is the alarm of a service that was started after a restore.
const reconcileOnly = "reconcile_only"

// letterLost is the alarm of a letter that the mail server refused, or that could not leave for a day.
const letterLost = "letter_lost"

// alarm begins the log line of an alarm, and counts it. docs/operations.md has the steps for each name.
func (s *Service) alarm(name string) *zerolog.Event {
	s.metrics.alarms.WithLabelValues(name).Inc()
	return s.config.Log.Error().Str("alarm", name)
}

// Handler is the service's front.
func (s *Service) Handler() http.Handler { return s.handler }

// Close ends what streams there are, and lets go of the database and Redis.
func (s *Service) Close() error {
	s.endStreams()
	return errors.Join(s.door.Close(), s.DB.Close())
}

// Run serves until the context ends, then stops gracefully: it takes no new connections, lets every request and every due task that has begun come to its end,
// and only then returns. listening is told the address once connections are taken.
func (s *Service) Run(ctx context.Context, listening func(addr string)) error {
	listener, err := net.Listen("tcp", s.config.Addr)
	if err != nil {
		return fmt.Errorf("can't listen on %s: %w", s.config.Addr, err)
	}
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: requestTimeout + 5*time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: log.New(s.config.Log.With().Str("level", "error").Logger(), "", 0), // else it writes lines of its own between ours
	}
	servers := []*http.Server{server}
	failed := make(chan error, 2)
	if s.config.MetricsAddr != "" {
		metricsListener, err := net.Listen("tcp", s.config.MetricsAddr)
		if err != nil {
			return errors.Join(fmt.Errorf("can't listen on %s for metrics: %w", s.config.MetricsAddr, err), listener.Close())
		}
		metricsServer := &http.Server{Handler: s.metrics.handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: server.ErrorLog}
		servers = append(servers, metricsServer)
		go func() { failed <- metricsServer.Serve(metricsListener) }()
	}
	clocks, stopClocks := context.WithCancel(context.WithoutCancel(ctx))
	var ticking sync.WaitGroup
	s.tick(clocks, &ticking)
	sweeping, stopSweeping := context.WithCancel(context.WithoutCancel(ctx))
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		s.Sweeper.Run(sweeping)
	}()
	go func() { failed <- server.Serve(listener) }()
	listening(listener.Addr().String())
	select {
	case <-ctx.Done():
		err = nil
	case err = <-failed:
	}
	s.config.Log.Info().Msg("stopping: what has begun comes to its end")
	s.endStreams() // a page that is left open must not hold a deploy up: its browser asks the next process
	stopClocks()   // what they leave undone the next process does
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	for _, one := range servers {
		if stopErr := one.Shutdown(stopping); stopErr != nil {
			err = errors.Join(err, stopErr, one.Close())
		}
	}
	stopSweeping()
	<-swept
	ticking.Wait()
	return err
}

// tick starts what is done now and then: hearing what was not heard, and the daily reconciliation.
func (s *Service) tick(ctx context.Context, running *sync.WaitGroup) {
	every := func(d time.Duration, what string, round func(context.Context) error) {
		running.Go(func() {
			clock.Every(ctx, func(ctx context.Context) { pause(ctx, d) }, func(ctx context.Context) {
				if err := round(ctx); err != nil && ctx.Err() == nil {
					s.config.Log.Error().Str("what", what).Str("error", err.Error()).Msg("a round failed; the next one tries again")
				}
			})
		})
	}
	every(catchUpEvery, "catch-up", s.CatchUp.Round)
	every(probeEvery, "probe", func(ctx context.Context) error {
		s.gateway.Probe(ctx)
		return nil
	})
	every(reconcileEvery, "reconciliation", s.daily.Round)
	if !s.config.ReconcileOnly {
		every(autoPayEvery, "Auto Pay", s.AutoPay.Round)
	}
	every(cardsEvery, "cards on file", s.Wallet.Round)
	if s.Post != nil {
		every(postEvery, "post", s.Post.Round)
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Reconcile compares the books with Stripe from the first day to the last, in UTC, and keeps how each day came out. Errors: clock.ErrRange, and whatever kept it
// from comparing.
func (s *Service) Reconcile(ctx context.Context, first, last day.Date) (clock.Report, error) {
	return s.books.Reconcile(ctx, first, last)
}
