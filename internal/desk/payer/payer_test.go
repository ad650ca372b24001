package payer_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"

	"paylink/internal/demo"
	"paylink/internal/desk/payer"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/redisdb"
	"paylink/internal/seal"
	"paylink/internal/sqldb"
	"paylink/internal/testbed"
	"paylink/internal/trail"
)

// bench is the desk on a real store and door. Suppliers are not asked: these payments have no PaymentIntent.
type bench struct {
	*testing.T
	ctx   context.Context
	db    *sqldb.DB
	door  *redisdb.Door
	mini  *miniredis.Miniredis
	desk  *payer.Desk
	keys  seal.Keys
	token string

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

func start(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	b := &bench{T: t, ctx: t.Context(), now: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)}
	var key [seal.KeyBytes]byte
	var err error
	b.keys, err = seal.New(key[:])
	b.must(err)
	b.db, err = sqldb.Open(b.ctx, sqldb.Config{URL: testbed.SQLite(t), Now: b.clock, Keys: b.keys, NewID: newID, MaxConns: 4, Changed: func(string) {}})
	b.must(err)
	b.must(b.db.Migrate(b.ctx))
	b.must(b.db.Import(b.ctx, demo.Data(b.clock())))
	b.must(b.db.FirstTerms(b.ctx, "1"))
	b.mini = miniredis.RunT(t)
	b.door, err = redisdb.Open(b.ctx, redisdb.Config{URL: "redis://" + b.mini.Addr(), Now: b.clock, LooksPerMinute: 60})
	b.must(err)
	till := &pay.Machine{
		Store: b.db, Door: b.door, NewID: newID, Life: link.Life, Wake: func() {}, Alarm: func(pay.Alarm) {},
		Token: func() string { b.token = rand.Text(); return b.token },
	}
	b.desk = &payer.Desk{Store: b.db, Machine: till, Door: b.door, Tries: b.door, Keys: b.keys, Now: b.clock, NewID: newID}
	t.Cleanup(func() { b.must(errors.Join(b.door.Close(), b.db.Close())) })
	return b
}

// sent is a payment whose text has arrived: its token is at the door.
func (b *bench) sent(own bool) pay.Payment {
	b.Helper()
	p, err := b.desk.Machine.(*pay.Machine).Send(b.ctx, pay.Order{
		ClientID: "100042", VehicleID: "veh_dana_civic", FormKey: newID(), By: trail.BySystem, Link: link.Link{Phone: phone.Stored("+18045550142"), OwnNumber: own, Language: "en"},
		Price: func(f pay.Facts) (pay.Frozen, error) {
			in := quote.Input{AsOf: f.Location.Today(f.Now), Days: 30, Location: f.Location, Vehicle: f.Vehicle, Account: f.Standing}
			s, err := quote.Price(in)
			return pay.Frozen{Input: in, Summary: s, Vehicle: f.Vehicle.Label, Location: f.Location.Name, Zone: f.Location.Zone}, err
		},
	})
	b.must(err)
	b.admit(p.ID)
	return p
}

func (b *bench) admit(paymentID string) {
	b.Helper()
	v, err := b.db.View(b.ctx, paymentID)
	b.must(err)
	b.must(b.door.Admit(b.ctx, v.Link.Digest, link.Pass{LinkID: v.Link.ID, PaymentID: paymentID, ExpiresAt: v.Link.ExpiresAt}))
}

func (b *bench) open(cookie string) link.Session {
	b.Helper()
	s, err := b.desk.Open(b.ctx, b.token, "198.51.100.7", cookie)
	b.must(err)
	return s
}

func (b *bench) page(s link.Session) payer.Page {
	b.Helper()
	p, err := b.desk.Page(b.ctx, s)
	b.must(err)
	return p
}

func (b *bench) set(id string, f func(v pay.View, c *pay.Change)) {
	b.Helper()
	b.must(b.db.Apply(b.ctx, id, func(v pay.View) (pay.Change, error) {
		c := pay.Change{Life: v.Payment.Life}
		f(v, &c)
		return c, nil
	}))
}

// TestWhereASessionStands is every state of a payment as the browser that pays sees it, and as another one with the same link does.
func TestWhereASessionStands(t *testing.T) {
	for _, c := range []struct {
		state      pay.State
		reason     pay.Reason
		closing    pay.State
		own, other payer.Place
		back       money.Cents // of what was charged
		paused     bool
		unanswered bool // its cancel
	}{
		{state: pay.Open, own: payer.Payable, other: payer.Payable},
		{state: pay.Paying, own: payer.Checking, other: payer.Elsewhere},
		{state: pay.NeedsAction, own: payer.Confirming, other: payer.Elsewhere},
		{state: pay.NeedsAction, closing: pay.Expired, own: payer.Checking, other: payer.Elsewhere},
		{state: pay.Unknown, own: payer.Checking, other: payer.Elsewhere},
		{state: pay.Paid, own: payer.PaidHere, other: payer.Used},
		{state: pay.Declined, own: payer.Locked, other: payer.Locked},
		{state: pay.Expired, own: payer.Expired, other: payer.Expired},
		{state: pay.Revoked, reason: pay.ReasonAgent, own: payer.Cancelled, other: payer.Cancelled},
		{state: pay.Revoked, reason: pay.ReasonNotMine, own: payer.NotMine, other: payer.NotMine},
		{state: pay.Locked, own: payer.Locked, other: payer.Locked},
		{state: pay.Superseded, own: payer.Superseded, other: payer.Superseded},
		{state: pay.PaidAfterClose, own: payer.Late, other: payer.Late},
		{state: pay.Review, own: payer.Review, other: payer.Review},
		{state: pay.Applied, own: payer.PaidHere, other: payer.Used},
		{state: pay.Refunded, back: 9858, own: payer.Refunded, other: payer.Refunded},
		{state: pay.Paid, back: 4000, own: payer.PaidHere, other: payer.Used},
		{state: pay.Paid, back: 9858, own: payer.PaidHere, other: payer.Refunded},
		// In reconcile-only mode nothing that was open says that it ended, and nobody is asked for a card or a confirmation.
		{paused: true, state: pay.Open, own: payer.Paused, other: payer.Paused},
		{paused: true, state: pay.NeedsAction, own: payer.Checking, other: payer.Elsewhere},
		{paused: true, state: pay.Expired, own: payer.Expired, other: payer.Expired},
		{paused: true, state: pay.Expired, unanswered: true, own: payer.Paused, other: payer.Paused},
		{paused: true, state: pay.Paid, own: payer.PaidHere, other: payer.Used},
	} {
		t.Run(fmt.Sprint(c.state, c.reason, c.closing, c.back, c.paused, c.unanswered), func(t *testing.T) {
			b := start(t)
			p := b.sent(true)
			own, other := b.open(""), b.open("")
			if own.ID == other.ID || own.ReadOnly || other.ReadOnly {
				b.Fatal("two browsers share a session, or may not pay")
			}
			b.set(p.ID, func(_ pay.View, change *pay.Change) {
				l := &change.Life
				l.State, l.Reason, l.ClosingAs, l.Attempt = c.state, c.reason, c.closing, 1
				state := pay.Trying
				if c.state.Booked() && c.state != pay.PaidAfterClose {
					state, l.Charged, l.GivenBack = pay.Succeeded, 9858, c.back
				}
				l.CancelDue = c.unanswered
				change.NewAttempt = &pay.Attempt{ID: newID(), PaymentID: p.ID, N: 1, LinkID: own.LinkID, SessionID: own.ID, NonceID: newID(), State: state}
			})
			b.desk.Paused = c.paused
			for s, want := range map[*link.Session]payer.Place{&own: c.own, &other: c.other} {
				page := b.page(*s)
				if page.Place != want {
					b.Errorf("it stands at %s, want %s", page.Place, want)
				}
				if (page.Nonce != "") != (want == payer.Payable) || (page.Left > 0) != (want == payer.Payable) {
					b.Errorf("at %s it has a nonce: %v, and %s left", page.Place, page.Nonce != "", page.Left)
				}
			}
		})
	}
}

func TestAnEndIsReadFromTheTimeAlone(t *testing.T) {
	b := start(t)
	b.sent(true)
	s := b.open("")
	if left := b.page(s).Left; left != link.Life {
		b.Errorf("%s left", left)
	}
	b.pass(link.Life)
	if page := b.page(s); page.Place != payer.Expired || page.Nonce != "" {
		b.Errorf("it stands at %s", page.Place)
	}
}

func TestOpeningUsesNothingUpAndIsWrittenDownOnce(t *testing.T) {
	b := start(t)
	p := b.sent(true)
	first := b.open("")
	again := b.open(first.Sign(b.keys))
	if again.ID != first.ID {
		b.Error("the same browser has another session")
	}
	if s := b.open("a forged cookie"); s.ID == first.ID || s.ReadOnly {
		b.Error("a forged cookie counts")
	}
	got, err := b.db.Payment(b.ctx, p.ID)
	b.must(err)
	if !got.OpenedAt.Equal(b.clock()) {
		b.Errorf("opened %s", got.OpenedAt)
	}
	for _, text := range []string{"", "short", strings.Repeat("A", link.TokenLength), strings.ToLower(b.token), b.token + "A", "' OR 1=1 --"} {
		if _, err := b.desk.Open(b.ctx, text, "198.51.100.7", ""); !errors.Is(err, link.ErrUnknown) {
			b.Errorf("token %q: %v", text, err)
		}
	}
}

func TestADeadLinkIsOnlyRead(t *testing.T) {
	b := start(t)
	p := b.sent(true)
	live := b.open("")
	b.mini.FlushAll()
	s := b.open(live.Sign(b.keys))
	if !s.ReadOnly || s.ID != live.ID {
		b.Fatalf("read only: %v", s.ReadOnly)
	}
	page := b.page(s)
	if page.Place != payer.Expired || page.Nonce != "" {
		b.Errorf("it stands at %s", page.Place)
	}
	nonce := b.page(live).Nonce // of the page that was open before
	if _, _, err := b.desk.Pay(b.ctx, s, payer.Press{Nonce: nonce, PaymentMethod: "pm_1", Terms: "1"}); !errors.Is(err, pay.ErrClosed) {
		b.Errorf("it pays: %v", err)
	}
	if err := b.desk.Refuse(b.ctx, s, nonce); !errors.Is(err, pay.ErrClosed) {
		b.Errorf("it refuses: %v", err)
	}
	b.set(p.ID, func(_ pay.View, c *pay.Change) { c.Life.State = pay.Paid })
	if page := b.page(b.open("")); page.Place != payer.Used {
		b.Errorf("paid by somebody else it stands at %s", page.Place)
	}
	b.pass(link.Life + payer.SessionLife)
	if _, err := b.desk.Open(b.ctx, b.token, "198.51.100.7", ""); !errors.Is(err, link.ErrUnknown) {
		b.Errorf("a day later: %v", err)
	}
}

func TestADoorThatDoesNotAnswerSaysSo(t *testing.T) {
	b := start(t)
	b.sent(true)
	b.mini.SetError("LOADING")
	if _, err := b.desk.Open(b.ctx, b.token, "198.51.100.7", ""); !errors.Is(err, payer.ErrDoor) {
		b.Error(err)
	}
	b.mini.SetError("")
	for range 60 {
		_, _ = b.desk.Open(b.ctx, strings.Repeat("A", link.TokenLength), "198.51.100.9", "")
	}
	if _, err := b.desk.Open(b.ctx, b.token, "198.51.100.9", ""); !errors.Is(err, link.ErrTooMany) {
		b.Errorf("after sixty guesses: %v", err)
	}
}

func TestForgedSessionsAndNoncesAreNobodys(t *testing.T) {
	b := start(t)
	p := b.sent(true)
	s := b.open("")
	cookie := s.Sign(b.keys)
	if got, err := b.desk.Session(cookie); err != nil || got.ID != s.ID {
		b.Errorf("our own: %v", err)
	}
	var other [seal.KeyBytes]byte
	other[0] = 1
	strange, err := seal.New(other[:])
	b.must(err)
	nonce := link.Nonce{ID: newID(), PaymentID: p.ID, LinkID: s.LinkID}
	changed := "A" + cookie[1:]
	if changed == cookie { // once in a while it begins so
		changed = "B" + cookie[1:]
	}
	for name, forged := range map[string]string{
		"none": "", "cut": cookie[:len(cookie)-2], "changed": changed, "of another key": s.Sign(strange), "a nonce": nonce.Sign(b.keys), "of another purpose": b.keys.Sign("another purpose", "a b c pay 9999999999999"),
	} {
		if _, err := b.desk.Session(forged); !errors.Is(err, payer.ErrNoSession) {
			b.Errorf("%s: %v", name, err)
		}
	}
	for name, forged := range map[string]string{"none": "", "a cookie": cookie, "of another key": nonce.Sign(strange)} {
		if _, _, err := b.desk.Pay(b.ctx, s, payer.Press{Nonce: forged}); !errors.Is(err, seal.ErrNotOurs) {
			b.Errorf("paying by %s: %v", name, err)
		}
		if err := b.desk.Refuse(b.ctx, s, forged); !errors.Is(err, seal.ErrNotOurs) {
			b.Errorf("refusing by %s: %v", name, err)
		}
	}
	elsewhere := link.Nonce{ID: newID(), PaymentID: p.ID, LinkID: "another-link"}.Sign(b.keys)
	if _, _, err := b.desk.Pay(b.ctx, s, payer.Press{Nonce: elsewhere}); !errors.Is(err, pay.ErrOtherLink) {
		b.Errorf("another link's page: %v", err)
	}
	if err := b.desk.Refuse(b.ctx, s, elsewhere); !errors.Is(err, pay.ErrOtherLink) {
		b.Errorf("another link's page refuses: %v", err)
	}
	b.pass(link.Life + payer.SessionLife)
	if _, err := b.desk.Session(cookie); !errors.Is(err, payer.ErrNoSession) {
		b.Errorf("a day later: %v", err)
	}
}

func TestNotMineKillsTheLink(t *testing.T) {
	b := start(t)
	p := b.sent(false)
	s := b.open("")
	page := b.page(s)
	if !page.Discreet {
		b.Error("a number that is not the client's is told everything")
	}
	b.must(b.desk.Refuse(b.ctx, s, page.Nonce))
	if got := b.page(s); got.Place != payer.NotMine {
		b.Errorf("it stands at %s", got.Place)
	}
	if got, err := b.db.Payment(b.ctx, p.ID); err != nil || got.State != pay.Revoked || got.Reason != pay.ReasonNotMine {
		b.Errorf("it is %s, %s", got.State, got.Reason)
	}
	if err := b.desk.Refuse(b.ctx, s, page.Nonce); !errors.Is(err, pay.ErrClosed) {
		b.Errorf("again: %v", err)
	}
	if s := b.open(""); !s.ReadOnly {
		b.Error("the door still lets it in")
	}
}

func TestNobodyRefusesWhatSomebodyPays(t *testing.T) {
	for _, state := range []pay.State{pay.Paying, pay.NeedsAction, pay.Unknown} {
		t.Run(string(state), func(t *testing.T) {
			b := start(t)
			p := b.sent(true)
			s := b.open("")
			nonce := b.page(s).Nonce
			b.set(p.ID, func(_ pay.View, c *pay.Change) { c.Life.State, c.Life.Attempt = state, 1 })
			if err := b.desk.Refuse(b.ctx, s, nonce); !errors.Is(err, pay.ErrElsewhere) {
				b.Error(err)
			}
			if got, err := b.db.Payment(b.ctx, p.ID); err != nil || got.Revoke {
				b.Error("it was revoked")
			}
		})
	}
}

func TestAReplacedLinkSaysSo(t *testing.T) {
	b := start(t)
	p := b.sent(true)
	old := b.open("")
	nonce := b.page(old).Nonce
	b.must(b.desk.Machine.(*pay.Machine).Resend(b.ctx, p.ID, trail.BySystem))
	b.admit(p.ID)
	if got := b.page(old).Place; got != payer.Replaced {
		b.Errorf("the old page stands at %s", got)
	}
	if err := b.desk.Refuse(b.ctx, old, nonce); !errors.Is(err, pay.ErrClosed) {
		b.Errorf("the old page refuses: %v", err)
	}
	fresh := b.open(old.Sign(b.keys))
	if fresh.ID == old.ID || b.page(fresh).Place != payer.Payable {
		b.Errorf("the new page stands at %s", b.page(fresh).Place)
	}
}

func TestOnlyWhoPaidGetsAReceipt(t *testing.T) {
	b := start(t)
	p := b.sent(true)
	s, other := b.open(""), b.open("")
	if err := b.desk.TextReceipt(b.ctx, s); !errors.Is(err, pay.ErrClosed) {
		b.Errorf("before it is paid: %v", err)
	}
	b.set(p.ID, func(_ pay.View, c *pay.Change) {
		c.Life.State, c.Life.Attempt = pay.Paid, 1
		c.NewAttempt = &pay.Attempt{ID: newID(), PaymentID: p.ID, N: 1, LinkID: s.LinkID, SessionID: s.ID, NonceID: newID(), State: pay.Succeeded}
	})
	if err := b.desk.TextReceipt(b.ctx, other); !errors.Is(err, pay.ErrClosed) {
		b.Errorf("another session: %v", err)
	}
	b.must(b.desk.TextReceipt(b.ctx, s))
}
