package pay_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"paylink/internal/demo"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/redisdb"
	"paylink/internal/seal"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/sms"
	"paylink/internal/sqldb"
	"paylink/internal/stripepay"
	"paylink/internal/testbed"
	"paylink/internal/trail"
	"paylink/internal/twiliosms"
)

const (
	stripeSecret      = "sk_test_town"
	stripePublishable = "pk_test_town"
	stripeWebhook     = "whsec_town"
	twilioAccount     = "AC0000000000000000000000000000d0a1"
	twilioToken       = "towntoken"
	ourNumber         = "+18045550100"

	terms = "1"
	visa  = "4242424242424242"
	poor  = "4000000000009995" // insufficient funds
	bank  = "4000002760003184" // asks for 3-D Secure
	amex  = "378282246310005"
)

// town is a Machine on real stores and real suppliers at wire level, all on one clock that moves only when a test moves it.
type town struct {
	*testing.T
	ctx      context.Context
	clock    *clock
	database string
	db       *sqldb.DB
	raw      *sql.DB // the same database, to look behind it
	door     *redisdb.Door
	redis    *redis.Client
	mini     *miniredis.Miniredis // nil on a real Redis
	stripe   *stripesim.Server
	twilio   *twiliosim.Server
	till     *pay.Machine
	keys     seal.Keys
	supplier string // where the suppliers are
	hooks    *httptest.Server
	gateway  *stripepay.Gateway

	mu     sync.Mutex
	alarms []pay.Alarm
	tokens []string // every token ever made
}

// clock stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

type options struct {
	realRedis bool
	timeout   time.Duration // of one request to a supplier; 0: 5 s
	stripeToo bool          // Stripe's webhooks are delivered
}

// everywhere runs a test on SQLite and on Postgres, with the embedded Redis.
func everywhere(t *testing.T, o options, test func(b *town)) {
	t.Parallel()
	testbed.Databases(t, func(t *testing.T, url string) { test(begin(t, url, o)) })
}

// here runs a test on SQLite: what it proves has nothing to do with the database.
func here(t *testing.T, o options, test func(b *town)) {
	t.Parallel()
	test(begin(t, testbed.SQLite(t), o))
}

func begin(t *testing.T, database string, o options) *town {
	t.Helper()
	b := &town{T: t, ctx: t.Context(), clock: &clock{t: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)}, database: database}
	if o.timeout == 0 {
		o.timeout = 5 * time.Second
	}
	var key [seal.KeyBytes]byte
	b.keys = need(seal.New(key[:]))(b)
	address := ""
	if o.realRedis {
		address = testbed.Redis(t)
	} else {
		b.mini = miniredis.RunT(t)
		address = "redis://" + b.mini.Addr()
	}
	b.redis = redis.NewClient(need(redis.ParseURL(address))(b))
	b.door = need(redisdb.Open(b.ctx, redisdb.Config{URL: address, Now: b.clock.Now, LooksPerMinute: 1000}))(b)

	b.hooks = httptest.NewServer(http.HandlerFunc(b.hook))
	webhooks := ""
	if o.stripeToo {
		webhooks = b.hooks.URL + "/hooks/stripe"
	}
	b.stripe = stripesim.New(stripesim.Config{Now: b.clock.Now, Seed: 7, SecretKey: stripeSecret, PublishableKey: stripePublishable, WebhookSecret: stripeWebhook, WebhookURL: webhooks,
		Accounts: []string{demo.TampaAccount}})
	b.twilio = twiliosim.New(twiliosim.Config{Now: b.clock.Now, Seed: 7, AccountSID: twilioAccount, AuthToken: twilioToken, From: ourNumber, InboundURL: b.hooks.URL + "/hooks/twilio/reply"})
	suppliers := http.NewServeMux()
	suppliers.Handle("/v1/", b.stripe.Handler())
	suppliers.Handle("/v3/", b.stripe.Handler())
	suppliers.Handle("/2010-04-01/", b.twilio.Handler())
	web := httptest.NewServer(suppliers)
	b.supplier = web.URL
	b.gateway = need(stripepay.New(stripepay.Config{Now: time.Now, SecretKey: stripeSecret, APIURL: web.URL, Timeout: o.timeout, StatementSuffix: "INTERLANE"}))(b)
	b.db = b.open()
	if err := b.db.Migrate(b.ctx); err != nil {
		t.Fatal(err)
	}
	b.raw = rawDatabase(t, database)
	if err := errors.Join(b.db.Import(b.ctx, demo.Data(b.clock.Now())), b.db.FirstTerms(b.ctx, terms)); err != nil {
		t.Fatal(err)
	}
	carrier := need(twiliosms.New(twiliosms.Config{AccountSID: twilioAccount, AuthToken: twilioToken, From: ourNumber, APIURL: web.URL, Timeout: o.timeout}))(b)
	b.till = b.machine(b.db, carrier)
	t.Cleanup(func() {
		b.stripe.Close()
		b.twilio.Close()
		web.Close()
		b.hooks.Close()
		_ = b.raw.Close()
		_ = b.redis.Close()
		// Whatever the test did: the trail and the books hold together (t.Context is over in a cleanup).
		if _, err := b.db.Verify(context.Background(), nil, func(what string) { t.Error("the books:", what) }); err != nil {
			t.Error(err)
		}
		if err := errors.Join(b.door.Close(), b.db.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

func (b *town) open() *sqldb.DB {
	return need(sqldb.Open(b.ctx, sqldb.Config{URL: b.database, Now: b.clock.Now, Keys: b.keys, NewID: newID, MaxConns: 24, Changed: func(string) {}}))(b)
}

// rawDatabase opens a database beside the store that is tested, by the drivers that it has registered.
func rawDatabase(t *testing.T, address string) *sql.DB {
	t.Helper()
	driver := "pgx"
	if file, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+file+"?_pragma=busy_timeout(5000)"
	}
	raw, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal("the test's database can't be opened")
	}
	return raw
}

func (b *town) machine(store pay.Store, carrier sms.Carrier) *pay.Machine {
	return &pay.Machine{
		Store: store, Gateway: b.gateway, Door: b.door, Carrier: carrier, NewID: newID, Life: link.Life, Wake: func() {},
		Token: func() string {
			token := rand.Text()
			b.mu.Lock()
			defer b.mu.Unlock()
			b.tokens = append(b.tokens, token)
			return token
		},
		Alarm: func(a pay.Alarm) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.alarms = append(b.alarms, a)
		},
		Texts: pay.Texts{
			Declined: func(string) string { return "Interlane: Auto Pay did not go through" }, Code: func(_, code string) string { return "Interlane: your code is " + code },
			Link: func(_, token string) string { return "Interlane: pay securely http://127.0.0.1/p#" + token },
			Receipt: func(_ string, p pay.Payment, a pay.Attempt) string {
				return "Interlane: paid " + p.Amount().String() + " " + a.Card.Last4
			},
			Callback: func(id string) string { return b.hooks.URL + "/hooks/twilio/status/" + id },
		},
	}
}

// hook is the suppliers' door, in short.
func (b *town) hook(w http.ResponseWriter, r *http.Request) {
	err := func() error {
		if r.URL.Path == "/hooks/stripe" {
			hooks, err := stripepay.NewWebhooks([]string{stripeWebhook}, b.clock.Now)
			if err != nil {
				return err
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			n, err := hooks.Read(body, r.Header.Get("Stripe-Signature"))
			if err != nil {
				return err
			}
			return b.till.Heard(r.Context(), n)
		}
		calls, err := twiliosms.NewCallbacks(twilioToken, b.hooks.URL)
		if err != nil {
			return err
		}
		if err := r.ParseForm(); err != nil {
			return err
		}
		if r.URL.Path == "/hooks/twilio/reply" {
			in, err := calls.Reply(r.URL.RequestURI(), r.PostForm, r.Header.Get("X-Twilio-Signature"))
			if err != nil {
				return err
			}
			return b.till.Replied(r.Context(), in.From, in.Word)
		}
		d, err := calls.Delivery(path.Base(r.URL.Path), r.URL.RequestURI(), r.PostForm, r.Header.Get("X-Twilio-Signature"))
		if err != nil {
			return err
		}
		return b.till.Delivered(r.Context(), d)
	}()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// need stops the test on an error.
func need[T any](v T, err error) func(*town) T {
	return func(b *town) T {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
		return v
	}
}

// --- The agent ------------------------------------------------------------------------------------------------------------------------------

func number(last4 string) phone.Number { return phoneOf("+1804555" + last4) }

func phoneOf(e164 string) phone.Number { return phone.Stored(e164) }

func (b *town) order(client, vehicle, to string) pay.Order {
	return pay.Order{
		ClientID: client, VehicleID: vehicle, FormKey: newID(), By: trail.Actor{Kind: trail.Staff, ID: "staff-agent"}, Detail: "the client's number",
		Link: link.Link{Phone: number(to), OwnNumber: true, Language: "en", SentBy: "staff-agent"},
		Price: func(f pay.Facts) (pay.Frozen, error) {
			in := quote.Input{AsOf: f.Location.Today(f.Now), Days: 30, Location: f.Location, Vehicle: f.Vehicle, Account: f.Standing}
			s, err := quote.Price(in)
			return pay.Frozen{Input: in, Summary: s, Vehicle: f.Vehicle.Label, Location: f.Location.Name, Zone: f.Location.Zone}, err
		},
	}
}

// send sends Dana her link, and has it handed over.
func (b *town) send() *sale { return b.sendTo("100042", "veh_dana_civic", "0142") }

func (b *town) sendTo(client, vehicle, to string) *sale {
	b.Helper()
	p := need(b.till.Send(b.ctx, b.order(client, vehicle, to)))(b)
	b.tend()
	return &sale{b: b, id: p.ID}
}

// --- Time -----------------------------------------------------------------------------------------------------------------------------------

// tend looks after everything that is due now, until nothing is.
func (b *town) tend() {
	b.Helper()
	for range 50 {
		payments, messages, err := b.db.Due(b.ctx, 200)
		if err != nil {
			b.Fatal(err)
		}
		if len(payments)+len(messages) == 0 {
			return
		}
		for _, id := range messages {
			if err := b.till.Deliver(b.ctx, id); err != nil {
				b.Fatalf("deliver: %v", err)
			}
		}
		for _, id := range payments {
			if err := b.till.Tend(b.ctx, id); err != nil {
				b.Fatalf("tend: %v", err)
			}
		}
	}
	b.Fatal("what is due stays due: the sweeper would spin")
}

// pass lets time go by, from one thing that is due to the next.
func (b *town) pass(d time.Duration) {
	b.Helper()
	end := b.clock.Now().Add(d)
	for range 2000 {
		now := b.clock.Now()
		next := end
		if due := b.nextDue(); !due.IsZero() && due.Before(end) {
			next = due
		}
		if next.After(now) {
			if b.mini != nil {
				b.mini.FastForward(next.Sub(now))
			}
			b.clock.move(next.Sub(now))
		}
		b.stripe.Tick()
		b.tend()
		if !b.clock.Now().Before(end) {
			return
		}
	}
	b.Fatal("time does not go by: something is due again and again")
}

func (b *town) nextDue() time.Time {
	b.Helper()
	var ms sql.NullInt64
	if err := b.raw.QueryRow(`SELECT MIN(n) FROM (SELECT MIN(next_ms) AS n FROM payments UNION SELECT MIN(next_ms) FROM messages) AS due`).Scan(&ms); err != nil {
		b.Fatal(err)
	}
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64)
}

// until waits in real time for what a supplier does by itself.
func (b *town) until(what string, ok func() bool) {
	b.Helper()
	limit := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-limit:
			b.Fatalf("never happened: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// --- The payer ------------------------------------------------------------------------------------------------------------------------------

// sale is one payment as the test follows it.
type sale struct {
	b  *town
	id string
}

func (s *sale) view() pay.View {
	s.b.Helper()
	return need(s.b.db.View(s.b.ctx, s.id))(s.b)
}

func (s *sale) state() pay.State { s.b.Helper(); return s.view().Payment.State }

func (s *sale) is(want pay.State) {
	s.b.Helper()
	if v := s.view(); v.Payment.State != want {
		s.b.Fatalf("the payment is %s (%s), want %s", v.Payment.State, v.Payment.Reason, want)
	}
}

// enter puts a card in as Stripe.js does.
func (b *town) enter(account, card string) string {
	b.Helper()
	form := url.Values{
		"type": {"card"}, "card[number]": {card}, "card[exp_month]": {"12"}, "card[exp_year]": {"2031"}, "card[cvc]": {"123"},
		"billing_details[address][postal_code]": {"23220"}, "key": {stripePublishable},
	}
	if account != "" {
		form.Set("_stripe_account", account)
	}
	answer := need(http.PostForm(b.supplier+"/v1/payment_methods", form))(b)
	defer func() { _ = answer.Body.Close() }()
	var m struct{ ID string }
	if err := json.NewDecoder(answer.Body).Decode(&m); err != nil || m.ID == "" {
		b.Fatalf("the card could not be entered: status %d, %v", answer.StatusCode, err)
	}
	return m.ID
}

// try is a press of the button on a fresh page.
func (s *sale) try(card string) pay.Try {
	s.b.Helper()
	v := s.view()
	t := pay.Try{
		PaymentID: s.id, SessionID: "session-" + s.id, PaymentMethod: s.b.enter(v.Payment.StripeAccount, card), Terms: terms, Language: "en", Address: "198.51.100.7", UserAgent: "a phone",
	}
	if v.Link != nil {
		t.LinkID = v.Link.ID
		t.Nonce = link.Nonce{ID: newID(), PaymentID: s.id, LinkID: v.Link.ID, Summary: v.Payment.SummaryHash}
	}
	return t
}

func (s *sale) charge(t pay.Try) (pay.Result, error) { return s.b.till.Charge(s.b.ctx, t) }

// pays presses the button and says where the payment stands then.
func (s *sale) pays(card string) pay.State {
	s.b.Helper()
	r := need(s.charge(s.try(card)))(s.b)
	return r.View.Payment.State
}

// bank is the payer at their bank's page.
func (s *sale) bank(passed bool) {
	s.b.Helper()
	if err := s.b.stripe.FinishChallenge(s.view().Payment.IntentID, passed); err != nil {
		s.b.Fatal(err)
	}
}

func (s *sale) comesBack() pay.Result {
	s.b.Helper()
	v := s.view()
	return need(s.b.till.Continue(s.b.ctx, s.id, v.Current().ID, v.Current().SessionID))(s.b)
}

func (s *sale) revoke() pay.State {
	s.b.Helper()
	return need(s.b.till.Revoke(s.b.ctx, s.id, trail.Actor{Kind: trail.Staff, ID: "staff-agent"}, pay.ReasonAgent, "changed their mind"))(s.b)
}

// --- Faults ---------------------------------------------------------------------------------------------------------------------------------

func (b *town) faults(rules ...stripesim.Rule) {
	b.Helper()
	if err := b.stripe.SetFaults(stripesim.Faults{Rules: rules}); err != nil {
		b.Fatal(err)
	}
}

// --- Books ----------------------------------------------------------------------------------------------------------------------------------

// charges are the successful ones at Stripe, of every account.
func (b *town) charges() (out []stripesim.Charge) {
	for _, a := range b.stripe.Books().Accounts {
		for _, c := range a.Charges {
			if c.Status == "succeeded" {
				out = append(out, c)
			}
		}
	}
	return out
}

func (s *sale) intent() stripesim.Intent {
	s.b.Helper()
	id := s.view().Payment.IntentID
	for _, a := range s.b.stripe.Books().Accounts {
		for _, in := range a.Intents {
			if in.ID == id {
				return in
			}
		}
	}
	s.b.Fatalf("Stripe does not know the PaymentIntent %q", id)
	return stripesim.Intent{}
}

func (b *town) one(query string, args ...any) (n int64) {
	b.Helper()
	if err := b.raw.QueryRow(query, args...).Scan(&n); err != nil {
		b.Fatalf("%s: %v", query, err)
	}
	return n
}

func (b *town) text(query string, args ...any) (s string) {
	b.Helper()
	if err := b.raw.QueryRow(query, args...).Scan(&s); err != nil {
		b.Fatalf("%s: %v", query, err)
	}
	return s
}

func (b *town) account(client, account string) money.Cents {
	b.Helper()
	return money.Cents(b.one(`SELECT COALESCE(SUM(amount), 0) FROM postings WHERE client_id = $1 AND account = $2`, client, account))
}

// balanced holds the books against Stripe's: every charge has exactly one receipt, and the other way round; debits equal credits; nothing is left over that nobody will look at.
func (b *town) balanced() {
	b.Helper()
	if sum := b.one(`SELECT COALESCE(SUM(amount), 0) FROM postings`); sum != 0 {
		b.Errorf("debits and credits differ by %d", sum)
	}
	paid := map[string]int64{}
	for _, c := range b.charges() {
		paid[c.Intent]++
		if paid[c.Intent] > 1 {
			b.Errorf("I1: %s was charged twice", c.Intent)
		}
		var amount sql.NullInt64
		err := b.raw.QueryRow(`SELECT SUM(p.amount) FROM postings p JOIN entries e ON e.id = p.entry_id WHERE e.cause = $1 AND p.account = 'stripe_clearing'`, "receipt "+c.Intent).Scan(&amount)
		if err != nil || amount.Int64 != c.Amount {
			b.Errorf("I4: %d were charged and %d are in the books (%v)", c.Amount, amount.Int64, err)
		}
	}
	if n := b.one(`SELECT COUNT(*) FROM entries WHERE cause LIKE 'receipt %'`); int(n) != len(paid) {
		b.Errorf("I4: %d receipts for %d charges", n, len(paid))
	}
	if n := b.one(`SELECT COUNT(*) FROM payments WHERE next_ms IS NOT NULL AND refunding = 0 AND (state = 'review' OR state IN ('paid', 'applied', 'refunded', 'paid_after_close') AND (state <> 'paid_after_close' OR held = 1)
		AND id NOT IN (SELECT payment_id FROM refunds WHERE state = 'pending') AND id NOT IN (SELECT payment_id FROM disputes WHERE status NOT IN ('won', 'lost')))`); n != 0 {
		b.Errorf("%d settled payments are due", n)
	}
	for _, books := range b.stripe.Books().Accounts {
		for _, r := range books.Refunds {
			booked, back := b.one(`SELECT COUNT(*) FROM entries WHERE cause = $1`, "refund "+r.ID), b.one(`SELECT COUNT(*) FROM entries WHERE cause = $1`, "refund failed "+r.ID)
			if failed := r.Status == "failed" || r.Status == "canceled"; booked != 1 || back != 0 && !failed || back != 1 && failed {
				b.Errorf("refund %s is %s: booked %d times, and back %d times", r.ID, r.Status, booked, back)
			}
		}
	}
	if n := b.one(`SELECT COUNT(*) FROM payments WHERE next_ms IS NULL AND (refunding <> 0 OR cancel_due = 1 OR state IN ('open', 'paying', 'needs_action', 'unknown'))`); n != 0 {
		b.Errorf("%d payments are forgotten", n)
	}
	if n := b.one(`SELECT COUNT(*) FROM messages m JOIN payments p ON p.id = m.payment_id WHERE m.box <> '' AND p.state NOT IN ('open', 'paying', 'needs_action', 'unknown', 'review')`); n != 0 {
		b.Errorf("%d tokens are kept though their link is dead", n)
	}
}

// unpaid holds that a payment ended as a state, that nothing was charged, that Stripe will never charge it, and that nothing is left to do.
func (s *sale) unpaid(want pay.State) {
	s.b.Helper()
	s.is(want)
	v := s.view()
	if v.Payment.CancelDue || !v.Payment.NextAt.IsZero() || v.Payment.ClosedAt.IsZero() {
		s.b.Errorf("it is not settled: cancel due %v, next %s, closed %s", v.Payment.CancelDue, v.Payment.NextAt, v.Payment.ClosedAt)
	}
	if v.Payment.IntentID != "" {
		if in := s.intent(); in.Status != "canceled" || in.Received != 0 {
			s.b.Errorf("its PaymentIntent is %s, %d received", in.Status, in.Received)
		}
	}
	if v.Link.State == link.Live {
		s.b.Error("its link lives")
	}
	if _, err := s.b.door.Look(s.b.ctx, v.Link.Digest, "test"); !errors.Is(err, link.ErrUnknown) {
		s.b.Errorf("the door still lets its token in: %v", err)
	}
	s.b.balanced()
}

// paid holds that a payment was paid once, and that every book says so.
func (s *sale) paid() {
	s.b.Helper()
	s.is(pay.Paid)
	v := s.view()
	n, succeeded := 0, 0
	for _, c := range s.b.charges() {
		if c.Intent == v.Payment.IntentID {
			n++
		}
	}
	for _, a := range v.Attempts {
		switch a.State {
		case pay.Succeeded:
			succeeded++
			if a.ChargeID == "" || a.Card.Last4 == "" || a.EndedAt.IsZero() {
				s.b.Errorf("the attempt that paid is not complete: %+v", a)
			}
		case pay.Trying:
			s.b.Errorf("attempt %d is still under way", a.N)
		}
	}
	if n != 1 || succeeded != 1 {
		s.b.Errorf("%d charges, %d attempts that paid", n, succeeded)
	}
	if v.Link.State != link.Dead || v.Payment.ClosedAt.IsZero() || !v.Payment.NextAt.IsZero() {
		s.b.Errorf("it is not at its end: link %s, closed %s, next %s", v.Link.State, v.Payment.ClosedAt, v.Payment.NextAt)
	}
	if to := s.b.text(`SELECT paid_to FROM vehicles WHERE id = $1`, v.Payment.VehicleID); to != string(v.Payment.PaidTo()) {
		s.b.Errorf("Paid To Date is %s, want %s", to, v.Payment.PaidTo())
	}
	if n := s.b.one(`SELECT COUNT(*) FROM invoices WHERE payment_id = $1`, s.id); n != 1 {
		s.b.Errorf("%d invoices", n)
	}
	s.b.balanced()
}

var columnNames = regexp.MustCompile(`^[a-z0-9_]+$`)

// dump is every text in the database, table by table, with the column it stands in.
func (b *town) dump() map[string][]string {
	b.Helper()
	query := `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`
	if !strings.HasPrefix(b.database, "sqlite:") {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
	}
	rows := need(b.raw.Query(query))(b)
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil || !columnNames.MatchString(name) {
			b.Fatal(name, err)
		}
		tables = append(tables, name)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		b.Fatal(err)
	}
	out := map[string][]string{}
	for _, table := range tables {
		rows := need(b.raw.Query(`SELECT * FROM ` + table))(b)
		columns := need(rows.Columns())(b)
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				b.Fatal(err)
			}
			for i, v := range values {
				out[table+"."+columns[i]] = append(out[table+"."+columns[i]], fmt.Sprint(*v.(*any)))
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			b.Fatal(err)
		}
	}
	return out
}
