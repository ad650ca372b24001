package office_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"paylink/internal/app"
	"paylink/internal/demo"
	"paylink/internal/desk/office"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/pdf"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/seal"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/staff"
	"paylink/internal/testbed"
	"paylink/internal/trail"
)

// bench is Finance's desk on a whole service, whose suppliers are simulated, on a clock of the test's own.
type bench struct {
	*testing.T
	ctx    context.Context
	s      *app.Service
	desk   *office.Desk
	stripe *stripesim.Server

	mu  sync.Mutex
	now time.Time
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// onBoth runs a test on SQLite and on Postgres.
func onBoth(t *testing.T, test func(b *bench)) {
	t.Parallel()
	testbed.Databases(t, func(t *testing.T, database string) {
		b := &bench{T: t, ctx: t.Context(), now: time.Date(2026, 3, 10, 18, 14, 0, 0, time.UTC)}
		b.stripe = stripesim.New(stripesim.Config{Now: b.clock, Seed: 1, SecretKey: "sk_test_x", PublishableKey: "pk_test_x", WebhookSecret: "whsec_x", Accounts: []string{demo.TampaAccount}})
		const account, token, from = "AC00000000000000000000000000000001", "token", "+18045550100"
		twilio := twiliosim.New(twiliosim.Config{Now: b.clock, Seed: 1, AccountSID: account, AuthToken: token, From: from})
		suppliers := http.NewServeMux()
		suppliers.Handle("/v1/", b.stripe.Handler())
		suppliers.Handle("/", twilio.Handler())
		web := httptest.NewServer(suppliers)
		key := sha256.Sum256([]byte("a key for tests"))
		keys, err := seal.New(key[:])
		b.must(err)
		b.s, err = app.Open(b.ctx, app.Config{
			Addr: "127.0.0.1:0", URL: "http://127.0.0.1:1", PayURL: "http://127.0.0.1:1", DatabaseURL: database, RedisURL: "redis://" + miniredis.RunT(t).Addr(),
			Stripe: app.Stripe{SecretKey: "sk_test_x", PublishableKey: "pk_test_x", WebhookSecrets: []string{"whsec_x"}, APIURL: web.URL, JSURL: web.URL + "/v3/"},
			Twilio: app.Twilio{AccountSID: account, AuthToken: token, From: from, APIURL: web.URL},
			Brand:  "Interlane", Support: phone.Stored(from), Keys: keys, LinkLife: link.Life, Now: b.clock, Log: zerolog.Nop(),
		})
		b.must(err)
		b.must(b.s.DB.Import(b.ctx, demo.Data(b.clock())))
		for _, m := range demo.Staff() {
			b.must(b.s.DB.AddMember(b.ctx, m))
		}
		b.desk = &office.Desk{Store: b.s.DB, Machine: b.s.Machine, Printer: pdf.Printer{Brand: "Interlane", Support: "(804) 555-0100"}, NewID: newID}
		ctx, stop := context.WithCancel(context.Background())
		swept := make(chan struct{})
		go func() {
			defer close(swept)
			b.s.Sweeper.Run(ctx)
		}()
		t.Cleanup(func() {
			stop()
			<-swept
			b.must(b.s.Close())
			b.stripe.Close()
			twilio.Close()
			web.Close()
		})
		test(b)
	})
}

func as(role staff.Role) staff.Member {
	return staff.Member{ID: "staff-" + string(role), Role: role}
}

// until waits for what the sweeper does.
func (b *bench) until(id, what string, ok func(v pay.View) bool) pay.View {
	b.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		v, err := b.s.DB.View(b.ctx, id)
		b.must(err)
		if ok(v) {
			return v
		}
		if time.Now().After(deadline) {
			b.Fatalf("never: %s; it is %+v", what, v.Payment.Life)
		}
		b.s.Sweeper.Wake()
		time.Sleep(5 * time.Millisecond)
	}
}

// later waits for what comes with time.
func (b *bench) later(id, what string, ok func(v pay.View) bool) pay.View {
	b.Helper()
	return b.until(id, what, func(v pay.View) bool {
		if ok(v) {
			return true
		}
		b.pass(5 * time.Second)
		return false
	})
}

// sent is a link sent to a client, whose PaymentIntent is there.
func (b *bench) sent(client, vehicle string) pay.View {
	b.Helper()
	p, err := b.s.Machine.Send(b.ctx, pay.Order{
		ClientID: client, VehicleID: vehicle, By: trail.Actor{Kind: trail.Staff, ID: "staff-agent"}, Link: link.Link{Phone: phone.Stored("+18045550142"), OwnNumber: true, Language: "en"},
		Price: func(f pay.Facts) (pay.Frozen, error) {
			in := quote.Input{AsOf: f.Location.Today(f.Now), Days: 30, Location: f.Location, Vehicle: f.Vehicle, Account: f.Standing}
			sum, err := quote.Price(in)
			return pay.Frozen{Input: in, Summary: sum, Vehicle: f.Vehicle.Label, Location: f.Location.Name, Zone: f.Location.Zone}, err
		},
	})
	b.must(err)
	return b.until(p.ID, "its PaymentIntent is made", func(v pay.View) bool { return v.Payment.IntentID != "" })
}

// paid is a payment of Dana's that was paid.
func (b *bench) paid() pay.View {
	b.Helper()
	v := b.sent("100042", "veh_dana_civic")
	b.must(b.stripe.PayIntent(v.Payment.IntentID))
	b.must(b.s.Machine.Tend(b.ctx, v.Payment.ID))
	return b.until(v.Payment.ID, "paid", func(v pay.View) bool { return v.Payment.State == pay.Paid })
}

// charge is the charge of a payment, and refunds are what went back of it, as Stripe has them.
func (b *bench) charge(v pay.View) string {
	for _, books := range b.stripe.Books().Accounts {
		for _, c := range books.Charges {
			if c.Intent == v.Payment.IntentID && c.Status == "succeeded" {
				return c.ID
			}
		}
	}
	b.Fatal("there is no charge")
	return ""
}

func (b *bench) refunds(v pay.View) (out []stripesim.Refund) {
	for _, books := range b.stripe.Books().Accounts {
		for _, r := range books.Refunds {
			if r.Intent == v.Payment.IntentID {
				out = append(out, r)
			}
		}
	}
	return out
}

// waits is what waits for a person: each payment's causes.
func (b *bench) waits() string {
	b.Helper()
	list, err := b.desk.Waiting(b.ctx, as(staff.Finance), office.Waits{})
	b.must(err)
	var out []string
	for _, i := range list.Items {
		var kinds []string
		for _, c := range i.Causes {
			if c.Text == "" || c.Do == "" {
				b.Errorf("%s says nothing: %+v", c.Kind, c)
			}
			kinds = append(kinds, string(c.Kind))
		}
		out = append(out, i.Client+": "+strings.Join(kinds, "+"))
	}
	if list.Count != len(list.Items) {
		b.Errorf("%d are counted, %d are listed", list.Count, len(list.Items))
	}
	return strings.Join(out, ", ")
}

func (b *bench) waiting(want string) {
	b.Helper()
	if got := b.waits(); got != want {
		b.Errorf("there waits %q, want %q", got, want)
	}
}

// acts is a payment's trail from a moment on: the act, and whether it was refused.
func (b *bench) acts(id string) string {
	b.Helper()
	r, err := b.s.DB.Record(b.ctx, id)
	b.must(err)
	var out []string
	for _, e := range r.Trail {
		line := e.Act
		if e.Refused != "" {
			line = "(" + line + ")"
		}
		out = append(out, line)
	}
	return strings.Join(out, ", ")
}

func TestARefundIsMadeOncePerForm(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.paid()
		b.waiting("")
		give := func(amount money.Cents, key string) error {
			return b.desk.Refund(b.ctx, as(staff.Finance), office.GiveBack{PaymentID: v.Payment.ID, Amount: amount, Why: "returned early, call 804 555 0170", FormKey: key})
		}
		clicks := make(chan error, 4)
		for range cap(clicks) { // the same form, again and again, at once
			go func() { clicks <- give(4000, "a form") }()
		}
		for range cap(clicks) {
			if err := <-clicks; err != nil && !errors.Is(err, pay.ErrRefunding) {
				b.Error(err)
			}
		}
		b.must(give(4000, "a form"))
		if n := len(b.refunds(v)); n != 1 {
			b.Fatalf("%d refunds were made of one form", n)
		}
		b.must(give(4000, "another form"))
		if err := give(4000, "a third form"); !errors.Is(err, pay.ErrTooMuch) {
			b.Errorf("above what was charged: %v", err)
		}
		b.must(give(1858, "a fourth form"))
		c, err := b.desk.Payment(b.ctx, as(staff.Auditor), v.Payment.ID)
		b.must(err)
		if c.Payment.GivenBack != 9858 || c.Left != 0 || c.MayRefund || len(c.Refunds) != 3 || len(c.Invoices) != 4 || c.Names["staff-finance"] != "A. Rahman" {
			b.Errorf("given back %s, left %s, %d refunds, %d invoices, %v", c.Payment.GivenBack, c.Left, len(c.Refunds), len(c.Invoices), c.Names)
		}
		for _, r := range c.Refunds {
			if r.Why != "returned early, call ••0170" || r.By.ID != "staff-finance" {
				b.Errorf("the refund says %q by %v", r.Why, r.By)
			}
		}
		b.waiting("")
	})
}

func TestWhatIsRefusedIsWrittenDownAndNothingGoesBack(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.paid()
		open := b.sent("100043", "veh_marcus_f150")
		for _, c := range []struct {
			who  staff.Role
			give office.GiveBack
			want error
		}{
			{staff.Agent, office.GiveBack{PaymentID: v.Payment.ID, Amount: 100, Why: "x"}, staff.ErrNotAllowed},
			{staff.Auditor, office.GiveBack{PaymentID: v.Payment.ID, Amount: 100, Why: "x"}, staff.ErrNotAllowed},
			{staff.Finance, office.GiveBack{PaymentID: v.Payment.ID, Amount: 100, Why: "  "}, office.ErrReason},
			{staff.Finance, office.GiveBack{PaymentID: v.Payment.ID, Amount: 0, Why: "x"}, office.ErrAmount},
			{staff.Finance, office.GiveBack{PaymentID: v.Payment.ID, Amount: -100, Why: "x"}, office.ErrAmount},
			{staff.Finance, office.GiveBack{PaymentID: v.Payment.ID, Amount: 9859, Why: "x"}, pay.ErrTooMuch},
			{staff.Finance, office.GiveBack{PaymentID: v.Payment.ID, Amount: 100, Why: "card 4242 4242 4242 4242"}, trail.ErrCardNumber},
			{staff.Finance, office.GiveBack{PaymentID: v.Payment.ID, Amount: 100, Why: strings.Repeat("x", 201)}, trail.ErrTooLong},
			{staff.Finance, office.GiveBack{PaymentID: open.Payment.ID, Amount: 100, Why: "x"}, pay.ErrNotCharged},
			{staff.Finance, office.GiveBack{PaymentID: "nonsense", Amount: 100, Why: "x"}, pay.ErrNotFound},
		} {
			before := strings.Count(b.acts(c.give.PaymentID), "(refund payment)")
			_, _, looked := b.desk.Look(b.ctx, as(c.who), c.give)
			err := b.desk.Refund(b.ctx, as(c.who), c.give)
			if !errors.Is(looked, c.want) || c.want != pay.ErrNotCharged && !errors.Is(err, c.want) || err == nil {
				b.Errorf("%v: looked at %v, refunded %v", c.want, looked, err)
			}
			if n := strings.Count(b.acts(c.give.PaymentID), "(refund payment)") - before; c.want != pay.ErrNotFound && n < 1 {
				b.Errorf("%v left %d refusals in the trail", c.want, n)
			}
		}
		if n := len(b.refunds(v)); n != 0 {
			b.Errorf("%d refunds", n)
		}
		if acts := b.acts(v.Payment.ID); strings.Contains(acts, "4242") {
			b.Error("a card number is in the trail")
		}
	})
}

func TestARefundThatCameToNothingWaitsUntilItIsSettled(t *testing.T) {
	onBoth(t, func(b *bench) {
		v := b.paid()
		finance := as(staff.Finance)
		give := func() {
			b.Helper()
			b.must(b.desk.Refund(b.ctx, finance, office.GiveBack{PaymentID: v.Payment.ID, Amount: 4000, Why: "x", FormKey: newID()}))
		}
		give()
		fails := func(n int) {
			b.Helper()
			b.must(b.stripe.SettleRefund(b.refunds(v)[n].ID, false))
			_, err := b.s.DB.Hear(b.ctx, pay.Notice{ID: newID(), Type: "refund.updated", IntentID: v.Payment.IntentID, At: b.clock()})
			b.must(err)
			b.until(v.Payment.ID, "the refund failed", func(v pay.View) bool { return len(v.Refunds) == n+1 && v.Refunds[n].State == pay.RefundBack })
			b.pass(time.Second)
		}
		fails(0)
		b.waiting("Dana Whitfield: failed")
		give() // again: that is the answer to it
		b.waiting("")
		fails(1)
		b.waiting("Dana Whitfield: failed")
		if err := b.desk.Clear(b.ctx, as(staff.Supervisor), v.Payment.ID, "by check"); !errors.Is(err, staff.ErrNotAllowed) {
			b.Errorf("a supervisor settled it: %v", err)
		}
		b.must(b.desk.Clear(b.ctx, finance, v.Payment.ID, "by check"))
		b.waiting("")
		if err := b.desk.Clear(b.ctx, finance, v.Payment.ID, "by check"); !errors.Is(err, pay.ErrClosed) {
			b.Errorf("settled twice: %v", err)
		}
		if acts := b.acts(v.Payment.ID); strings.Count(acts, ", settle failed refund") != 1 {
			b.Errorf("the trail says %s", acts)
		}
		// One that Stripe does not answer for is stuck, until somebody has looked it up.
		b.must(b.stripe.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "refund", Kind: stripesim.Error500RolledBack, Times: 1}}}))
		give()
		b.waiting("Dana Whitfield: under_way")
		b.later(v.Payment.ID, "its refund is stuck", func(v pay.View) bool { return v.Payment.Refunding == pay.RefundStuck })
		b.waiting("Dana Whitfield: stuck")
		if err := b.desk.Refund(b.ctx, finance, office.GiveBack{PaymentID: v.Payment.ID, Amount: 100, Why: "x"}); !errors.Is(err, pay.ErrRefunding) {
			b.Errorf("another refund beside it: %v", err)
		}
		b.must(b.desk.Drop(b.ctx, finance, v.Payment.ID, "Stripe shows none"))
		b.waiting("Dana Whitfield: refused")
		b.pass(time.Second)
		give()
		b.waiting("")
	})
}

func TestHeldMoneyReviewsAndDisputesWaitOldestFirst(t *testing.T) {
	onBoth(t, func(b *bench) {
		finance := as(staff.Finance)
		set := func(v pay.View, f func(l *pay.Life)) {
			b.Helper()
			b.must(b.s.DB.Apply(b.ctx, v.Payment.ID, func(v pay.View) (pay.Change, error) {
				c := pay.Change{Life: v.Payment.Life}
				c.Life.NextAt = time.Time{}
				f(&c.Life)
				return c, nil
			}))
		}
		review := b.sent("100045", "veh_omar_pam")
		set(review, func(l *pay.Life) { l.State = pay.Review })
		b.pass(time.Second)
		dana := b.paid()
		b.pass(time.Second)
		_, err := b.stripe.OpenDispute(b.charge(dana), "fraudulent")
		b.must(err)
		_, err = b.s.DB.Hear(b.ctx, pay.Notice{ID: newID(), Type: "charge.dispute.created", IntentID: dana.Payment.IntentID, At: b.clock()})
		b.must(err)
		dana = b.until(dana.Payment.ID, "disputed", func(v pay.View) bool { return len(v.Disputes) == 1 })
		b.waiting("Omar Haddad: review, Dana Whitfield: dispute")

		// Page by page, each is seen once.
		list, err := b.s.DB.Waiting(b.ctx, nil, office.Waits{}, 1)
		b.must(err)
		next, err := b.s.DB.Waiting(b.ctx, nil, list[0], 5)
		b.must(err)
		if len(list) != 1 || len(next) != 1 || next[0].PaymentID != dana.Payment.ID || list[0].PaymentID != review.Payment.ID {
			b.Errorf("the pages are %v and %v", list, next)
		}

		if err := b.desk.Decide(b.ctx, finance, review.Payment.ID, pay.Paid, "looked up"); !errors.Is(err, pay.ErrNotCharged) {
			b.Errorf("paid though nothing was charged: %v", err)
		}
		if err := b.desk.Decide(b.ctx, as(staff.Admin), review.Payment.ID, pay.Revoked, "looked up"); !errors.Is(err, staff.ErrNotAllowed) {
			b.Errorf("an admin decided: %v", err)
		}
		b.must(b.desk.Decide(b.ctx, finance, review.Payment.ID, pay.Revoked, "looked up"))
		if err := b.desk.Decide(b.ctx, finance, review.Payment.ID, pay.Revoked, "looked up"); !errors.Is(err, pay.ErrClosed) {
			b.Errorf("decided twice: %v", err)
		}
		b.waiting("Dana Whitfield: dispute")

		// The file that was stored with the dispute is that of then, and one of now is made now; each is in the trail.
		stored, err := b.desk.Evidence(b.ctx, as(staff.Auditor), dana.Payment.ID, dana.Disputes[0].ID)
		b.must(err)
		now, err := b.desk.Evidence(b.ctx, finance, dana.Payment.ID, "")
		b.must(err)
		for _, f := range []office.File{stored, now} {
			sum := sha256.Sum256([]byte(f.Text))
			if hex.EncodeToString(sum[:]) != f.SHA256 || !strings.Contains(f.Text, dana.Payment.Reference()) || !strings.Contains(f.Name, dana.Payment.Reference()) || !strings.HasSuffix(f.Name, ".json") {
				b.Errorf("%s is not what it says", f.Name)
			}
		}
		if stored.Name == now.Name || stored.Text == now.Text || stored.Text != dana.Disputes[0].Evidence {
			b.Error("the stored file is not the one of then")
		}
		if _, err := b.desk.Evidence(b.ctx, as(staff.Supervisor), dana.Payment.ID, ""); !errors.Is(err, staff.ErrNotAllowed) {
			b.Errorf("a supervisor took it: %v", err)
		}
		if _, err := b.desk.Evidence(b.ctx, finance, dana.Payment.ID, "dp_of_another"); !errors.Is(err, pay.ErrNotFound) {
			b.Errorf("a dispute of another payment: %v", err)
		}
		if acts := b.acts(dana.Payment.ID); !strings.HasSuffix(acts, "take evidence, take evidence, (take evidence)") {
			b.Errorf("the trail says %s", acts)
		}
	})
}

func TestMoneyThatIsHeldIsAppliedOrGoesBack(t *testing.T) {
	for _, as := range []pay.State{pay.Applied, pay.Refunded} {
		t.Run(fmt.Sprint(as), func(t *testing.T) {
			onBoth(t, func(b *bench) {
				finance := staff.Member{ID: "staff-finance", Role: staff.Finance}
				v := b.sent("100042", "veh_dana_civic")
				b.must(b.stripe.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "cancel", Kind: stripesim.Down503}}}))
				_, err := b.s.Machine.Revoke(b.ctx, v.Payment.ID, trail.BySystem, pay.ReasonAgent, "")
				b.must(err)
				b.must(b.stripe.PayIntent(v.Payment.IntentID))
				b.must(b.stripe.SetFaults(stripesim.Faults{Rules: []stripesim.Rule{{Op: "refund", Kind: stripesim.Error500RolledBack, Times: 1}}}))
				b.later(v.Payment.ID, "its refund is stuck", func(v pay.View) bool { return v.Payment.Refunding == pay.RefundStuck })
				b.must(b.desk.Drop(b.ctx, finance, v.Payment.ID, "Stripe shows none"))
				b.waiting("Dana Whitfield: held+refused")
				b.must(b.desk.Decide(b.ctx, finance, v.Payment.ID, as, "as agreed with the client"))
				v = b.until(v.Payment.ID, "decided", func(v pay.View) bool { return v.Payment.State == as })
				if back := v.Payment.GivenBack; (back == 9858) != (as == pay.Refunded) {
					b.Errorf("%s went back", back)
				}
				b.waiting("")
			})
		})
	}
}
