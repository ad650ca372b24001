package clock_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"

	"paylink/internal/day"
	"paylink/internal/demo"
	"paylink/internal/desk/clock"
	"paylink/internal/ledger"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/redisdb"
	"paylink/internal/seal"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/sqldb"
	"paylink/internal/stripepay"
	"paylink/internal/testbed"
	"paylink/internal/trail"
	"paylink/internal/twiliosms"
)

const (
	stripeSecret      = "sk_test_shop"
	stripePublishable = "pk_test_shop"
	twilioAccount     = "AC0000000000000000000000000000d0a1"
	twilioToken       = "shoptoken"
)

// opens is when the shop of a test opens.
var opens = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

// shop is a till on real stores and real suppliers at wire level, without any webhook, on a clock that a test moves.
type shop struct {
	*testing.T
	db      *sqldb.DB
	raw     *sql.DB
	url     string
	stripe  *stripesim.Server
	gateway *stripepay.Gateway
	till    *pay.Machine
	api     string
	rebuild func(ctx context.Context, account, intentID string) error

	mu  sync.Mutex
	now time.Time
}

func (s *shop) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *shop) at(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = t
}

func (s *shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// onBoth runs a test on SQLite and on Postgres.
func onBoth(t *testing.T, test func(s *shop)) {
	t.Parallel()
	testbed.Databases(t, func(t *testing.T, url string) { test(open(t, url)) })
}

// onOne runs a test on SQLite: what it proves has nothing to do with the database.
func onOne(t *testing.T, test func(s *shop)) {
	t.Parallel()
	test(open(t, testbed.SQLite(t)))
}

func open(t *testing.T, database string) *shop {
	t.Helper()
	s := &shop{T: t, url: database, now: opens}
	s.stripe = stripesim.New(stripesim.Config{Now: s.clock, Seed: 7, SecretKey: stripeSecret, PublishableKey: stripePublishable, Accounts: []string{demo.TampaAccount}})
	twilio := twiliosim.New(twiliosim.Config{Now: s.clock, Seed: 7, AccountSID: twilioAccount, AuthToken: twilioToken, From: "+18045550100"})
	suppliers := http.NewServeMux()
	suppliers.Handle("/v1/", s.stripe.Handler())
	suppliers.Handle("/", twilio.Handler())
	web := httptest.NewServer(suppliers)
	s.api = web.URL
	var err error
	s.gateway, err = stripepay.New(stripepay.Config{Now: time.Now, SecretKey: stripeSecret, APIURL: web.URL, Timeout: 10 * time.Second})
	s.must(err)
	carrier, err := twiliosms.New(twiliosms.Config{AccountSID: twilioAccount, AuthToken: twilioToken, From: "+18045550100", APIURL: web.URL, Timeout: 10 * time.Second})
	s.must(err)
	door, err := redisdb.Open(t.Context(), redisdb.Config{URL: "redis://" + miniredis.RunT(t).Addr(), Now: s.clock, LooksPerMinute: 1000})
	s.must(err)
	keys, err := seal.New(make([]byte, seal.KeyBytes))
	s.must(err)
	s.db, err = sqldb.Open(t.Context(), sqldb.Config{URL: database, Now: s.clock, Keys: keys, NewID: newID, MaxConns: 8, Changed: func(string) {}})
	s.must(err)
	s.must(s.db.Migrate(t.Context()))
	s.must(s.db.Import(t.Context(), demo.Data(opens)))
	s.must(s.db.FirstTerms(t.Context(), "1"))
	driver, address := "pgx", database
	if file, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+file+"?_pragma=busy_timeout(5000)"
	}
	s.raw, err = sql.Open(driver, address)
	s.must(err)
	s.till = &pay.Machine{
		Store: s.db, Gateway: s.gateway, Door: door, Carrier: carrier, NewID: newID, Token: rand.Text, Life: link.Life, Wake: func() {}, Alarm: func(pay.Alarm) {},
		Texts: pay.Texts{
			Declined: func(string) string { return "Interlane: Auto Pay did not go through" }, Code: func(_, code string) string { return "Interlane: your code is " + code },
			Link: func(_, token string) string { return "Interlane: " + token }, Receipt: func(string, pay.Payment, pay.Attempt) string { return "Interlane: paid" },
			Callback: func(id string) string { return "http://127.0.0.1:9/hooks/twilio/status/" + id },
		},
	}
	s.rebuild = s.till.Rebuild
	t.Cleanup(func() {
		s.stripe.Close()
		twilio.Close()
		web.Close()
		if err := errors.Join(s.raw.Close(), door.Close(), s.db.Close()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Tend and Rebuild make the shop the reconciliation's till.
func (s *shop) Tend(ctx context.Context, id string) error { return s.till.Tend(ctx, id) }

func (s *shop) Rebuild(ctx context.Context, account, intentID string) error {
	return s.rebuild(ctx, account, intentID)
}

func (s *shop) reconciler() *clock.Reconciler {
	return &clock.Reconciler{Stripe: s.gateway, Books: s.db, Till: s, NewID: newID}
}

// send sends a link: the payment is open and has its PaymentIntent.
func (s *shop) send(client, vehicle string) pay.Payment {
	s.Helper()
	p, err := s.till.Send(s.Context(), pay.Order{
		ClientID: client, VehicleID: vehicle, FormKey: newID(), By: trail.BySystem, Link: link.Link{Phone: phone.Stored("+18045550142"), OwnNumber: true, Language: "en", SentBy: "staff-agent"},
		Price: func(f pay.Facts) (pay.Frozen, error) {
			in := quote.Input{AsOf: f.Location.Today(f.Now), Days: 30, Location: f.Location, Vehicle: f.Vehicle, Account: f.Standing}
			sum, err := quote.Price(in)
			return pay.Frozen{Input: in, Summary: sum, Vehicle: f.Vehicle.Label, Location: f.Location.Name, Zone: f.Location.Zone}, err
		},
	})
	s.must(err)
	_, messages, err := s.db.Due(s.Context(), 100)
	s.must(err)
	for _, id := range messages {
		s.must(s.till.Deliver(s.Context(), id))
	}
	p, err = s.db.Payment(s.Context(), p.ID)
	s.must(err)
	if p.IntentID == "" {
		s.Fatal("it has no PaymentIntent")
	}
	return p
}

// pays presses the button, and returns the payment as it stands then.
func (s *shop) pays(client, vehicle string) pay.Payment {
	s.Helper()
	p := s.send(client, vehicle)
	v, err := s.db.View(s.Context(), p.ID)
	s.must(err)
	form := url.Values{"type": {"card"}, "card[number]": {"4242424242424242"}, "card[exp_month]": {"12"}, "card[exp_year]": {"2031"}, "card[cvc]": {"123"}, "key": {stripePublishable}}
	if p.StripeAccount != "" {
		form.Set("_stripe_account", p.StripeAccount)
	}
	answer, err := http.PostForm(s.api+"/v1/payment_methods", form)
	s.must(err)
	var card struct{ ID string }
	s.must(errors.Join(json.NewDecoder(answer.Body).Decode(&card), answer.Body.Close()))
	r, err := s.till.Charge(s.Context(), pay.Try{
		PaymentID: p.ID, LinkID: v.Link.ID, SessionID: "session", PaymentMethod: card.ID, Terms: "1", Language: "en",
		Nonce: link.Nonce{ID: newID(), PaymentID: p.ID, LinkID: v.Link.ID, Summary: v.Payment.SummaryHash},
	})
	s.must(err)
	if r.View.Payment.State != pay.Paid {
		s.Fatalf("the payment is %s", r.View.Payment.State)
	}
	return r.View.Payment
}

// stranger charges a card beside the service, on a Stripe account.
func (s *shop) stranger(account string, amount money.Cents) pay.Intent {
	s.Helper()
	in, err := s.gateway.CreateIntent(s.Context(), pay.IntentRequest{Key: newID(), Account: account, Amount: amount})
	s.must(err)
	in, err = s.gateway.Confirm(s.Context(), pay.ConfirmRequest{Key: newID(), Account: account, IntentID: in.ID, PaymentMethod: "pm_card_visa"})
	s.must(err)
	return in
}

// giveBack refunds at Stripe's dashboard.
func (s *shop) giveBack(account, intentID string, amount money.Cents) pay.GivenBack {
	s.Helper()
	back, err := s.gateway.Refund(s.Context(), pay.RefundRequest{Key: newID(), Account: account, IntentID: intentID, Amount: amount, RefundID: newID()})
	s.must(err)
	return back
}

// post books something on a clearing account, against client money that nobody knows.
func (s *shop) post(account, cause string, amount money.Cents) {
	s.Helper()
	e := ledger.Entry{ID: newID(), ClientID: "100042", StripeAccount: account, Cause: cause, At: s.clock()}
	e.Add(ledger.StripeClearing, amount)
	e.Add(ledger.Unapplied, -amount)
	s.must(s.db.Post(s.Context(), []ledger.Entry{e}))
}

func (s *shop) sum(query string, args ...any) money.Cents {
	s.Helper()
	var n int64
	s.must(s.raw.QueryRow(query, args...).Scan(&n))
	return money.Cents(n)
}

// compare reconciles days, of which the last is opens's unless more are given.
func (s *shop) compare(days ...day.Date) clock.Report {
	s.Helper()
	if len(days) == 0 {
		days = []day.Date{day.Of(opens)}
	}
	r, err := s.reconciler().Reconcile(s.Context(), days[0], days[len(days)-1])
	s.must(err)
	return r
}

func (s *shop) text(r clock.Report) string {
	s.Helper()
	var b strings.Builder
	s.must(r.Write(&b))
	return b.String()
}

// agrees asserts that a report has no differences.
func (s *shop) agrees(r clock.Report) {
	s.Helper()
	if r.Count != 0 || len(r.Differences) != 0 {
		s.Fatalf("the books differ:\n%s", s.text(r))
	}
}
