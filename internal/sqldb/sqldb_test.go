package sqldb_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/demo"
	"paylink/internal/ledger"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/seal"
	"paylink/internal/sms"
	"paylink/internal/sqldb"
	"paylink/internal/staff"
	"paylink/internal/testbed"
	"paylink/internal/trail"
)

var _ pay.Store = (*sqldb.DB)(nil)

// began is when every test begins.
var began = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

// books is a store on a fresh database, and the same database behind it.
type books struct {
	testing.TB
	*sqldb.DB
	ctx context.Context
	url string
	raw *sql.DB
	mu  sync.Mutex
	now time.Time
	// changed collects whom Changed was told of, in turn.
	changed []string
}

func (b *books) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *books) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *books) tell(clientID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changed = append(b.changed, clientID)
}

// told is whom Changed was told of since it was asked last.
func (b *books) told() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	told := b.changed
	b.changed = nil
	return told
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (b *books) open() *sqldb.DB {
	b.Helper()
	var key [seal.KeyBytes]byte
	keys, err := seal.New(key[:])
	if err != nil {
		b.Fatal(err)
	}
	db, err := sqldb.Open(b.ctx, sqldb.Config{URL: b.url, Now: b.clock, Keys: keys, NewID: newID, MaxConns: 16, Changed: b.tell})
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// onBoth runs a test on both databases, with the demonstration's clients.
func onBoth(t *testing.T, test func(b *books)) {
	t.Parallel()
	testbed.Databases(t, func(t *testing.T, url string) {
		b := &books{TB: t, ctx: t.Context(), url: url, now: began}
		b.DB = b.open()
		b.must(b.Migrate(b.ctx))
		b.must(b.Import(b.ctx, demo.Data(began)))
		driver, address := "pgx", url
		if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
			driver, address = "sqlite", "file:"+file+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)"
		}
		var err error
		if b.raw, err = sql.Open(driver, address); err != nil {
			t.Fatal("the test's database can't be opened")
		}
		t.Cleanup(func() { b.must(errors.Join(b.raw.Close(), b.DB.Close())) })
		test(b)
	})
}

func (b *books) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *books) postgres() bool { return !strings.HasPrefix(b.url, "sqlite:") }

func (b *books) exec(query string, args ...any) error {
	_, err := b.raw.ExecContext(b.ctx, query, args...)
	return err
}

func (b *books) count(query string, args ...any) (n int) {
	b.Helper()
	b.must(b.raw.QueryRow(query, args...).Scan(&n))
	return n
}

// begin sends a link for a vehicle.
func (b *books) begin(client, vehicle string) (pay.Payment, error) {
	return b.Begin(b.ctx, client, vehicle, newID(), func(s pay.Start) (pay.Begin, error) {
		if s.Live != nil {
			return pay.Begin{}, &pay.LiveError{PaymentID: s.Live.Payment.ID}
		}
		return b.first(s)
	})
}

// first is what T1 writes.
func (b *books) first(s pay.Start) (pay.Begin, error) {
	in := quote.Input{AsOf: s.Facts.Location.Today(s.Facts.Now), Days: 30, Location: s.Facts.Location, Vehicle: s.Facts.Vehicle, Account: s.Facts.Standing}
	summary, err := quote.Price(in)
	if err != nil {
		return pay.Begin{}, err
	}
	frozen := pay.Frozen{Input: in, Summary: summary, Vehicle: s.Facts.Vehicle.Label, Location: s.Facts.Location.Name, Zone: s.Facts.Location.Zone}
	_, hash, err := frozen.Encode()
	if err != nil {
		return pay.Begin{}, err
	}
	now := s.Facts.Now
	p := pay.Payment{
		ID: newID(), Door: pay.ByLink, ClientID: s.Facts.Client.ID, VehicleID: s.Facts.Vehicle.ID, LocationID: s.Facts.Location.ID, StripeAccount: s.Facts.Location.StripeAccount,
		CreatedBy: trail.Actor{Kind: trail.Staff, ID: "staff-agent"}, CreatedAt: now, FormKey: newID(), Frozen: frozen, SummaryHash: hash,
		Life: pay.Life{State: pay.Open, ExpiresAt: now.Add(link.Life), NextAt: now.Add(link.Life)},
	}
	p.ChainID = p.ID
	l := link.Link{
		ID: newID(), PaymentID: p.ID, Digest: link.NewToken(newID()).Digest(), State: link.Live, Phone: phone.Stored("+18045550142"), OwnNumber: true, Language: "en", SentBy: "staff-agent",
		CreatedAt: now, ExpiresAt: p.ExpiresAt,
	}
	return pay.Begin{
		Payment: p, Link: &l,
		Message: &sms.Message{ID: newID(), Kind: sms.LinkText, PaymentID: p.ID, LinkID: l.ID, Language: "en", Box: "a token", Phone: l.Phone, Status: sms.Waiting, CreatedAt: now, NextAt: now},
		Trail:   []trail.Entry{{ID: newID(), At: now, Actor: p.CreatedBy, Act: "send link", Object: p.ID, ClientID: p.ClientID}},
	}, nil
}

func (b *books) sent(client, vehicle string) pay.Payment {
	b.Helper()
	p, err := b.begin(client, vehicle)
	b.must(err)
	return p
}

// change applies a change to the life of a payment as it is.
func (b *books) change(id string, f func(v pay.View, c *pay.Change)) error {
	return b.Apply(b.ctx, id, func(v pay.View) (pay.Change, error) {
		c := pay.Change{Life: v.Payment.Life}
		f(v, &c)
		return c, nil
	})
}

func attempt(p pay.Payment, n int) *pay.Attempt {
	return &pay.Attempt{
		ID: newID(), PaymentID: p.ID, N: n, LinkID: "a link", SessionID: "a session", NonceID: newID(), PaymentMethod: "pm_1", State: pay.Trying, Card: pay.Card{Brand: "visa", Last4: "4242", Funding: "debit", AVS: "pass", CVC: "fail"},
		Code: "a code", ChargeID: "ch_1", TermsVersion: "1", TermsLanguage: "es", Address: "198.51.100.7", UserAgent: "a phone", StartedAt: began, EndedAt: began.Add(time.Second),
	}
}

// --- Schema ---------------------------------------------------------------------------------------------------------------------------------

func TestMigratingTwiceAndByManyAtOnce(t *testing.T) {
	t.Parallel()
	testbed.Databases(t, func(t *testing.T, url string) {
		b := &books{TB: t, ctx: t.Context(), url: url, now: began}
		b.DB = b.open()
		others := []*sqldb.DB{b.DB}
		for range 7 {
			others = append(others, b.open())
		}
		var wg sync.WaitGroup
		for _, db := range others {
			wg.Go(func() {
				if err := db.Migrate(b.ctx); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		b.must(b.Migrate(b.ctx))
		b.must(b.Import(b.ctx, demo.Data(began)))
		for _, db := range others {
			b.must(db.Close())
		}
	})
}

func TestADatabaseThatIsNoneIsNamedWithoutItsPassword(t *testing.T) {
	for _, url := range []string{"", "mysql://root:hunter2@db/x", "postgres://root:hunter2@127.0.0.1:1/x", "postgres://root:hunter2@127.0.0.1:port/x", "sqlite:/no/such/folder/x.db"} {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		db, err := sqldb.Open(ctx, sqldb.Config{URL: url, Now: time.Now, NewID: newID, MaxConns: 1, Changed: func(string) {}})
		cancel()
		if err == nil {
			_ = db.Close()
			t.Errorf("%q was opened", url)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error for %q prints the password", strings.ReplaceAll(url, "hunter2", "…"))
		}
	}
}

// --- What is written is what is read --------------------------------------------------------------------------------------------------------

func TestEveryTypeComesBackAsItWasStored(t *testing.T) {
	onBoth(t, func(b *books) {
		limit, none := money.Cents(125_00), money.Cents(0)
		place := account.Location{
			ID: "XX-1", Name: "Ñandú, XX", State: "XX", Zone: "America/Denver", StripeAccount: "acct_1", Payments: account.Suspended, TaxPPM: 72_501, LossProtectionTaxable: true,
			MonitoringCapMonthly: &limit, LossProtectionCapMonthly: &none, StateFeeMonthly: 3_00, LaborFee: 25_00,
			TaxedFees: []account.FeeKind{account.EquipmentFee, account.ServiceFee}, IIDDaily: 3_05, PAMDaily: 5_05, LossProtectionDaily: 15, Version: 1,
		}
		client := account.Client{
			ID: "900001", FirstName: "Zoë", LastName: "O'Brien", Language: "es", Email: "z@example.com", Phone: phone.Stored("+18045550123"), TaxExempt: true, Collections: true, AutoPayDays: 14, Notes: "line\nline ' \" %",
		}
		car := account.Vehicle{
			ID: "veh_1", ClientID: "900001", LocationID: "XX-1", Label: "A", Plate: "P-1", PlateState: "XX", Program: account.PAM, DailyRate: 3_10, LossProtectionDaily: 16, PaidTo: "2026-02-28",
			Hardship:       &account.Hardship{Kind: account.FundMonthly, Percent: 40, Amount: 55_00, ReducesTaxBase: true, ExemptStateFee: true},
			StateFeeMonths: []day.Month{"2026-01", "2026-02"},
		}
		invoice := ledger.Invoice{
			ID: "inv_1", Number: "260101-1", ClientID: "900001", VehicleID: "veh_1", PaymentID: "p", Door: "center", IssuedAt: began, Lines: []ledger.Line{{Kind: "monitoring", Days: 30, Amount: 9300}, {Kind: "hardship", Amount: -50}, {Kind: "fee_service", Label: "Visit", Count: 3, Amount: 0}},
			LocationID: "XX-1", Location: "Ñandú, XX", Zone: "America/Denver", Vehicle: "A", TaxPPM: 72_501,
			Subtotal: 9250, Tax: 555, Total: 9805, PaidToFrom: "2026-01-29", PaidTo: "2026-02-28",
		}
		in := sqldb.Import{
			Locations: []account.Location{place}, Clients: []account.Client{client}, Vehicles: []account.Vehicle{car}, Invoices: []ledger.Invoice{invoice},
			Entries: []ledger.Entry{ledger.Open("entry_1", "900001", 42_37, 0, began)}, OptedOut: []phone.Number{client.Phone},
		}
		for range 2 { // an import may be repeated
			b.must(b.Import(b.ctx, in))
		}
		gotClient, vehicles, err := b.Client(b.ctx, "900001")
		b.must(err)
		gotPlace, err := b.Location(b.ctx, "XX-1")
		b.must(err)
		invoices, err := b.Invoices(b.ctx, "900001", 10)
		b.must(err)
		standing, err := b.Standing(b.ctx, gotClient)
		b.must(err)
		balance, err := b.Balance(b.ctx, "900001")
		b.must(err)
		same(b, "client", gotClient, client)
		same(b, "vehicles", vehicles, []account.Vehicle{car})
		same(b, "location", gotPlace, place)
		same(b, "invoices", invoices, []ledger.Invoice{invoice})
		same(b, "standing", standing, account.Standing{PastDue: 42_37, TaxExempt: true})
		same(b, "balance", balance, money.Cents(42_37))
		if out, err := b.OptedOut(b.ctx, "+18045550123"); err != nil || !out {
			b.Errorf("opted out: %v, %v", out, err)
		}
		for _, id := range []string{"", "nobody", "900001' --"} {
			if _, _, err := b.Client(b.ctx, id); !errors.Is(err, account.ErrNotFound) {
				b.Errorf("client %q: %v", id, err)
			}
		}
		if _, err := b.Location(b.ctx, "nowhere"); !errors.Is(err, account.ErrNotFound) {
			b.Error(err)
		}
	})
}

func same(b *books, what string, got, want any) {
	b.Helper()
	if !reflect.DeepEqual(got, want) {
		one, _ := json.Marshal(got)
		two, _ := json.Marshal(want)
		b.Errorf("%s came back as\n%s\nwant\n%s", what, one, two)
	}
}

// sameText compares by what is written of both: a frozen quote keeps the terms of its price only, not what they stand beside.
func sameText(b *books, what string, got, want any) {
	b.Helper()
	one, _ := json.Marshal(got)
	two, _ := json.Marshal(want)
	if string(one) != string(two) {
		b.Errorf("%s came back as\n%s\nwant\n%s", what, one, two)
	}
}

func TestAPaymentComesBackAsItWasStored(t *testing.T) {
	onBoth(t, func(b *books) {
		made := b.sent("100042", "veh_dana_civic")
		life := pay.Life{
			State: pay.Unknown, ClosingAs: pay.Superseded, Reason: pay.ReasonMoved, IntentID: "pi_1", ExpiresAt: began.Add(time.Minute), LeaseUntil: began.Add(2 * time.Minute), NextAt: began.Add(3 * time.Minute),
			Attempt: 2, Phase: 2, Sends: 3, Declines: 4, Resends: 2, Looks: 6, Revoke: true, CancelDue: true, // CardOnFile is decided at its birth
		}
		one, two := attempt(made, 1), attempt(made, 2)
		b.must(b.change(made.ID, func(_ pay.View, c *pay.Change) { c.Life.Attempt = 1; c.NewAttempt = one }))
		b.must(b.change(made.ID, func(_ pay.View, c *pay.Change) { c.Life, c.NewAttempt = life, two }))
		made.Life = life
		v, err := b.View(b.ctx, made.ID)
		b.must(err)
		sameText(b, "payment", v.Payment, made)
		same(b, "attempts", v.Attempts, []pay.Attempt{*one, *two})
		if v.Link == nil || v.Link.Phone.E164() != "+18045550142" || v.Link.State != link.Live || !v.Facts.Now.Equal(began) || v.Facts.Vehicle.ID != "veh_dana_civic" {
			b.Errorf("link %+v, now %s", v.Link, v.Facts.Now)
		}
		one.State, one.Code, one.Card, one.ChargeID, one.EndedAt = pay.Succeeded, "", pay.Card{Brand: "mastercard", Last4: "4444", Funding: "credit", AVS: "fail", CVC: "pass"}, "ch_2", began.Add(time.Hour)
		b.must(b.change(made.ID, func(_ pay.View, c *pay.Change) { c.Ended = []pay.Attempt{*one} }))
		g, err := b.Glance(b.ctx, made.ID, v.Link.ID)
		b.must(err)
		sameText(b, "the payer's payment", g.Payment, made)
		same(b, "the payer's link", g.Link, *v.Link)
		same(b, "the payer's attempts", g.Attempts, []pay.Attempt{*one, *two})
		if !g.Now.Equal(began) {
			b.Errorf("it is %s", g.Now)
		}
		if _, err := b.Glance(b.ctx, made.ID, "another link"); !errors.Is(err, pay.ErrNotFound) {
			b.Errorf("by another payment's link: %v", err)
		}
		for _, id := range []string{"", "none"} {
			if _, err := b.View(b.ctx, id); !errors.Is(err, pay.ErrNotFound) {
				b.Errorf("payment %q: %v", id, err)
			}
			if err := b.change(id, func(pay.View, *pay.Change) {}); !errors.Is(err, pay.ErrNotFound) {
				b.Errorf("changing payment %q: %v", id, err)
			}
		}
		if _, err := b.LinkOf(b.ctx, "0"); !errors.Is(err, link.ErrUnknown) {
			b.Error(err)
		}
	})
}

// --- What the database itself holds ---------------------------------------------------------------------------------------------------------

// copyRow inserts a copy of a row with other values, past all of our own code.
func (b *books) copyRow(table, where string, other map[string]string) error {
	b.Helper()
	rows, err := b.raw.QueryContext(b.ctx, `SELECT * FROM `+table+` WHERE 1 = 0`)
	b.must(err)
	columns, err := rows.Columns()
	b.must(err)
	b.must(rows.Close())
	values := slices.Clone(columns)
	for i, c := range columns {
		if v, ok := other[c]; ok {
			values[i] = v
		}
	}
	return b.exec(`INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `) SELECT ` + strings.Join(values, ", ") + ` FROM ` + table + ` WHERE ` + where)
}

func TestTheDatabaseItselfHoldsTheRules(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) {
			c.Life.IntentID, c.Life.Attempt, c.NewAttempt = "pi_1", 1, attempt(p, 1)
			c.Refunds = []pay.Refund{{ID: "r1", PaymentID: p.ID, Amount: 5, State: pay.RefundWaits, By: trail.BySystem, AskedAt: began}}
		}))
		row := "id = '" + p.ID + "'"
		fresh := map[string]string{"id": "'p2'", "form_key": "'f2'", "intent_id": "NULL"}
		with := func(more map[string]string) map[string]string {
			out := map[string]string{}
			for _, m := range []map[string]string{fresh, more} {
				for k, v := range m {
					out[k] = v
				}
			}
			return out
		}
		for _, state := range []string{"open", "paying", "needs_action", "unknown", "review"} {
			if err := b.copyRow("payments", row, with(map[string]string{"state": "'" + state + "'"})); err == nil {
				b.Errorf("a second live payment, %s, of the vehicle was taken", state)
			}
		}
		b.must(b.copyRow("payments", row, with(map[string]string{"state": "'expired'"})))
		balance := map[string]string{"id": "'p3'", "form_key": "'f3'", "vehicle_id": "NULL"}
		b.must(b.copyRow("payments", row, with(balance)))
		for name, c := range map[string]struct {
			table, where string
			other        map[string]string
		}{
			"a second live payment of a balance": {"payments", row, with(map[string]string{"id": "'p4'", "form_key": "'f4'", "vehicle_id": "NULL"})},
			"a PaymentIntent twice":              {"payments", row, with(map[string]string{"id": "'p5'", "form_key": "'f5'", "state": "'expired'", "intent_id": "'pi_1'"})},
			"a form twice":                       {"payments", row, map[string]string{"id": "'p6'", "state": "'expired'", "intent_id": "NULL"}},
			"an unknown state":                   {"payments", row, with(map[string]string{"id": "'p7'", "form_key": "'f7'", "state": "'done'"})},
			"a negative amount":                  {"payments", row, with(map[string]string{"id": "'p8'", "form_key": "'f8'", "state": "'expired'", "amount": "-1"})},
			"more given back than was charged":   {"payments", row, with(map[string]string{"id": "'p9'", "form_key": "'f9'", "state": "'paid'", "charged": "5", "given_back": "6"})},
			"a second refund that waits":         {"refunds", "id = 'r1'", map[string]string{"id": "'r2'"}},
			"a nonce twice":                      {"attempts", "n = 1", map[string]string{"id": "'a2'", "n": "2"}},
			"an attempt's number twice":          {"attempts", "n = 1", map[string]string{"id": "'a3'", "nonce_id": "'other'"}},
			"a second live link":                 {"links", "payment_id = '" + p.ID + "'", map[string]string{"id": "'l2'", "digest": "'d2'"}},
			"a digest twice":                     {"links", "payment_id = '" + p.ID + "'", map[string]string{"id": "'l3'", "state": "'dead'"}},
			"a link's text twice":                {"messages", "payment_id = '" + p.ID + "'", map[string]string{"id": "'m2'"}},
			"a posting of nothing":               {"postings", "client_id = '100043' AND account = 'receivable'", map[string]string{"n": "9", "amount": "0"}},
			"a client who does not exist":        {"vehicles", "id = 'veh_dana_civic'", map[string]string{"id": "'v2'", "client_id": "'nobody'"}},
		} {
			if err := b.copyRow(c.table, c.where, c.other); err == nil {
				b.Errorf("the database took %s", name)
			}
		}
	})
}

func TestThePaymentIntentsIDIsWrittenOnce(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		for _, id := range []string{"pi_1", "pi_2", ""} {
			b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.IntentID = id }))
			got, err := b.Payment(b.ctx, p.ID)
			b.must(err)
			if got.IntentID != "pi_1" {
				b.Fatalf("after writing %q it is %q", id, got.IntentID)
			}
		}
	})
}

func TestASecondLivePaymentIsRefusedEvenIfNobodyLooked(t *testing.T) {
	onBoth(t, func(b *books) {
		b.sent("100042", "veh_dana_civic")
		_, err := b.Begin(b.ctx, "100042", "veh_dana_civic", newID(), b.first)
		if !errors.Is(err, pay.ErrLive) {
			b.Errorf("it is %v", err)
		}
		if n := b.count(`SELECT COUNT(*) FROM payments`) + b.count(`SELECT COUNT(*) FROM links`); n != 2 {
			b.Errorf("%d rows are left of it", n)
		}
	})
}

func TestAClaimHoldsItsOwnCondition(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		b.pass(link.Life)
		ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
		defer cancel()
		err := b.Apply(ctx, p.ID, func(v pay.View) (pay.Change, error) { // somebody decides wrongly
			c := pay.Change{Life: v.Payment.Life, NewAttempt: attempt(p, 1)}
			c.Life.State, c.Life.Attempt = pay.Paying, 1
			return c, nil
		})
		if err == nil || b.count(`SELECT COUNT(*) FROM attempts`) != 0 {
			b.Errorf("a claim after the end: %v", err)
		}
	})
}

// --- At once --------------------------------------------------------------------------------------------------------------------------------

func TestWritersAtOnceLoseNothing(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		const writers, each = 8, 10
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each {
					if err := b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.Looks++ }); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		got, err := b.Payment(b.ctx, p.ID)
		b.must(err)
		if got.Looks != writers*each {
			b.Errorf("%d of %d writes are left", got.Looks, writers*each)
		}
	})
}

func TestAnErrorLeavesNothingBehind(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		before := b.count(`SELECT COUNT(*) FROM trail`)
		posted := ledger.Open("again", "100042", 0, 0, began)
		posted.Cause = "opening 100043" // in the books already
		posted.Add(ledger.Receivable, 5)
		posted.Add(ledger.Opening, -5)
		err := b.change(p.ID, func(v pay.View, c *pay.Change) {
			c.Life.State, c.NewAttempt, c.Trail = pay.Unknown, attempt(p, 1), []trail.Entry{{ID: newID(), At: began, Object: p.ID}}
			c.Bookings = []pay.Booking{{Entries: []ledger.Entry{posted}}}
		})
		if !errors.Is(err, ledger.ErrPosted) {
			b.Errorf("a fact that is booked already: %v", err)
		}
		if got, err := b.Payment(b.ctx, p.ID); err != nil || got.State != pay.Open {
			b.Errorf("it is %s, %v", got.State, err)
		}
		if b.count(`SELECT COUNT(*) FROM attempts`) != 0 || b.count(`SELECT COUNT(*) FROM trail`) != before {
			b.Error("rows are left of a transaction that failed")
		}
		odd := ledger.Entry{ID: newID(), ClientID: "100042", Cause: "odd", At: began}
		odd.Add(ledger.Receivable, 1)
		if err := b.Import(b.ctx, sqldb.Import{Entries: []ledger.Entry{odd}}); err == nil {
			b.Error("an entry that does not balance was taken")
		}
	})
}

func TestADateThatHasMovedIsNotMovedAgain(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
		defer cancel()
		err := b.Apply(ctx, p.ID, func(v pay.View) (pay.Change, error) {
			c := pay.Change{Life: v.Payment.Life, Bookings: []pay.Booking{{PaidToFrom: "2020-01-01", PaidTo: "2030-01-01"}}}
			c.Life.State = pay.Paid
			return c, nil
		})
		if err == nil || b.count(`SELECT COUNT(*) FROM vehicles WHERE paid_to = '2030-01-01'`) != 0 {
			b.Errorf("moved from a date that it did not have: %v", err)
		}
	})
}

// --- Texts ----------------------------------------------------------------------------------------------------------------------------------

func TestATextIsOneWorkersAtATime(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		all, err := b.Messages(b.ctx, p.ID)
		b.must(err)
		if len(all) != 1 || all[0].Box != "a token" || all[0].Phone.E164() != "+18045550142" {
			b.Fatalf("%d texts, %+v", len(all), all[0].Status)
		}
		if n := b.count(`SELECT COUNT(*) FROM messages WHERE box LIKE '%token%' OR phone_box LIKE '%555%'`); n != 0 {
			b.Error("the box is not sealed")
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := 0
		for range 8 {
			wg.Go(func() {
				_, ok, err := b.TakeMessage(b.ctx, all[0].ID, time.Minute)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					b.Error(err)
				}
				if ok {
					got++
				}
			})
		}
		wg.Wait()
		if got != 1 {
			b.Errorf("%d workers have it", got)
		}
		b.pass(time.Minute)
		if _, ok, err := b.TakeMessage(b.ctx, all[0].ID, time.Minute); err != nil || !ok {
			b.Errorf("after the lease: %v, %v", ok, err)
		}
	})
}

func TestWhatTheCarrierHasToldNeverGoesBack(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		m, ok, err := b.TakeMessage(b.ctx, b.messageOf(p), time.Minute)
		if err != nil || !ok {
			b.Fatal(ok, err)
		}
		m.Status, m.Tries, m.HandedAt, m.NextAt = sms.Unclear, 1, began, began.Add(4*time.Second)
		b.must(b.SaveMessage(b.ctx, m))
		tell := func(s sms.Status, code int) {
			b.Helper()
			b.must(b.Deliver(b.ctx, sms.Delivery{MessageID: m.ID, Receipt: sms.Receipt{SID: "SM1", Status: s, ErrorCode: code}}))
		}
		is := func(want sms.Status) {
			b.Helper()
			all, err := b.Messages(b.ctx, p.ID)
			b.must(err)
			if all[0].Status != want {
				b.Fatalf("it is %s, want %s", all[0].Status, want)
			}
		}
		tell(sms.Sent, 0)
		is(sms.Sent)
		tell(sms.Queued, 0) // older news
		is(sms.Sent)
		m.SID, m.Status, m.Box = "SM1", sms.Queued, "" // the answer, after the callback
		b.must(b.SaveMessage(b.ctx, m))
		is(sms.Sent)
		tell(sms.Delivered, 0)
		is(sms.Delivered)
		for _, late := range []sms.Status{sms.Sent, sms.Undelivered, sms.Failed, ""} {
			tell(late, 30003)
			is(sms.Delivered)
		}
		if all, _ := b.Messages(b.ctx, p.ID); !all[0].NextAt.IsZero() || all[0].Box != "" || all[0].SID != "SM1" || all[0].Tries != 1 || all[0].HandedAt.IsZero() {
			b.Errorf("it is left as %s, tries %d, next %s", all[0].Status, all[0].Tries, all[0].NextAt)
		}
		if err := b.Deliver(b.ctx, sms.Delivery{MessageID: "none"}); !errors.Is(err, sms.ErrUnknownMessage) {
			b.Errorf("a text that is none of ours: %v", err)
		}
	})
}

// TestTheCountOfHandOversNeverGoesBack: a worker that sleeps in mid-send has its text handed over by another; what it saves when it wakes must not allow a third.
func TestTheCountOfHandOversNeverGoesBack(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		m, ok, err := b.TakeMessage(b.ctx, b.messageOf(p), time.Minute)
		if err != nil || !ok {
			b.Fatal(ok, err)
		}
		hand := func(m sms.Message, from sms.Status) sms.Message {
			b.Helper()
			m.Status, m.HandedAt, m.NextAt = sms.Unclear, began, began.Add(4*time.Second)
			m.Tries++
			if ok, err := b.HandOver(b.ctx, m, from); err != nil || !ok {
				b.Fatal(ok, err)
			}
			return m
		}
		is := func(status sms.Status, tries int) {
			b.Helper()
			all, err := b.Messages(b.ctx, p.ID)
			b.must(err)
			if all[0].Status != status || all[0].Tries != tries {
				b.Fatalf("it is %s after %d tries, want %s after %d", all[0].Status, all[0].Tries, status, tries)
			}
		}
		first := hand(m, sms.Waiting)
		slowed := first // the carrier asks to come back: this try does not count
		slowed.Status, slowed.Tries, slowed.Untaken = sms.Waiting, 0, true
		b.must(b.SaveMessage(b.ctx, slowed))
		is(sms.Waiting, 0)
		slowed.Untaken = false // it is not stored: whoever takes the text next does not have it
		first = hand(slowed, sms.Waiting)
		b.must(b.SaveMessage(b.ctx, slowed)) // one that has handed nothing over puts its text off, and knows less
		is(sms.Unclear, 1)
		second := hand(first, sms.Unclear)
		b.must(b.SaveMessage(b.ctx, first)) // it sleeps until now, and knows of its own try only
		is(sms.Unclear, 2)
		first.Status, first.Tries = sms.Waiting, 0
		b.must(b.SaveMessage(b.ctx, first))
		is(sms.Unclear, 2)
		second.Status, second.Tries, second.Untaken = sms.Waiting, 1, true
		b.must(b.SaveMessage(b.ctx, second))
		is(sms.Waiting, 1)
		second.Untaken = false
		second = hand(second, sms.Waiting)
		first.Status, first.Tries, first.SID, first.Box = sms.Queued, 1, "SM1", "" // its text was taken, it turns out
		b.must(b.SaveMessage(b.ctx, first))
		is(sms.Queued, 2)
	})
}

func (b *books) messageOf(p pay.Payment) string {
	b.Helper()
	all, err := b.Messages(b.ctx, p.ID)
	b.must(err)
	return all[len(all)-1].ID
}

func TestOptOuts(t *testing.T) {
	onBoth(t, func(b *books) {
		const number = "+18045550142"
		is := func(want bool) {
			b.Helper()
			if out, err := b.OptedOut(b.ctx, number); err != nil || out != want {
				b.Fatalf("opted out: %v, %v", out, err)
			}
		}
		is(false)
		b.must(b.OptOut(b.ctx, number))
		b.must(b.OptOut(b.ctx, number))
		is(true)
		b.must(b.OptIn(b.ctx, number))
		is(false)
		p := b.sent("100042", "veh_dana_civic")
		b.must(b.Deliver(b.ctx, sms.Delivery{MessageID: b.messageOf(p), Receipt: sms.Receipt{SID: "SM1", Status: sms.Undelivered, ErrorCode: 21610}}))
		is(true)
	})
}

// --- Events, terms, staff, sessions ---------------------------------------------------------------------------------------------------------

func TestAnEventIsStoredOnceAndMakesItsPaymentDue(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.IntentID = "pi_1" }))
		due := func() bool {
			payments, _, err := b.Due(b.ctx, 10)
			b.must(err)
			return slices.Contains(payments, p.ID)
		}
		if due() {
			b.Fatal("it is due before anything was heard")
		}
		n := pay.Notice{ID: "evt_1", Type: "payment_intent.succeeded", IntentID: "pi_1", At: began}
		if _, err := b.Hear(b.ctx, pay.Notice{ID: "evt_1", Account: "acct_other", IntentID: "pi_1"}); !errors.Is(err, pay.ErrOtherAccount) {
			b.Errorf("of another account: %v", err)
		}
		if id, err := b.Hear(b.ctx, n); err != nil || id != p.ID || !due() {
			b.Errorf("heard: %q, %v, due %v", id, err, due())
		}
		b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.NextAt = began.Add(time.Hour) }))
		if _, err := b.Hear(b.ctx, n); err != nil || due() {
			b.Errorf("the same event again: %v, due %v", err, due())
		}
		b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.State, c.Life.NextAt = pay.Paid, time.Time{} }))
		if _, err := b.Hear(b.ctx, pay.Notice{ID: "evt_2", IntentID: "pi_1"}); err != nil || due() {
			b.Errorf("what is paid became due: %v", err)
		}
	})
}

func TestTheTermsOfAVersionNeverChange(t *testing.T) {
	onBoth(t, func(b *books) {
		b.must(b.Terms(b.ctx, "1", "en", "text", "hash"))
		b.must(b.Terms(b.ctx, "1", "en", "text", "hash"))
		b.must(b.Terms(b.ctx, "1", "es", "texto", "other"))
		if err := b.Terms(b.ctx, "1", "en", "new text", "new hash"); err == nil {
			b.Error("another text under the same version was taken")
		}
	})
}

func TestWrongPasswordsAreCountedOneByOne(t *testing.T) {
	onBoth(t, func(b *books) {
		m := staff.Member{ID: "s1", Login: "ana", Name: "Ana", Team: "East", Role: staff.Lead, PasswordHash: "hash", Phone: phone.Stored("+18045550130"), Email: "ana@interlane.example", Teams: []string{"East", "West"}, Locations: []string{"XX-1"}, MustChange: true, Since: began, Version: 1}
		b.must(b.AddMember(b.ctx, m))
		if err := b.AddMember(b.ctx, staff.Member{ID: "s2", Login: "ana", Role: staff.Agent}); !errors.Is(err, staff.ErrTaken) {
			b.Errorf("a login twice: %v", err)
		}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, err := b.CountWrong(b.ctx, "s1", 5, time.Minute); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := b.MemberByLogin(b.ctx, "ana")
		b.must(err)
		if got.Wrong != 5 || !got.LockedUntil.Equal(began.Add(time.Minute)) {
			b.Errorf("%d wrong, locked until %s", got.Wrong, got.LockedUntil)
		}
		b.must(b.ClearWrong(b.ctx, "s1"))
		got, err = b.Member(b.ctx, "s1")
		b.must(err)
		m.PasswordAt = began // when it was added
		same(b, "member", got, m)
		if _, err := b.Member(b.ctx, "nobody"); !errors.Is(err, staff.ErrNotFound) {
			b.Error(err)
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	onBoth(t, func(b *books) {
		s := sqldb.Sessions{DB: b.DB}
		data := []byte{0, 1, 255, '\n'}
		b.must(s.Commit("one", []byte("old"), began.Add(time.Minute)))
		b.must(s.Commit("one", data, began.Add(time.Hour)))
		b.must(s.Commit("two", data, began.Add(time.Minute)))
		if got, ok, err := s.Find("one"); err != nil || !ok || string(got) != string(data) {
			b.Fatalf("%v, %v, %v", got, ok, err)
		}
		b.pass(time.Minute)
		if _, ok, err := s.Find("two"); err != nil || ok {
			b.Errorf("one that is over is found: %v", err)
		}
		b.must(s.Commit("three", data, began.Add(time.Hour)))
		if n := b.count(`SELECT COUNT(*) FROM sessions WHERE token = 'two'`); n != 0 {
			b.Error("one that is over is kept")
		}
		b.must(s.Delete("one"))
		if _, ok, err := s.Find("one"); err != nil || ok {
			b.Errorf("one that was ended is found: %v", err)
		}
	})
}

// --- Search ---------------------------------------------------------------------------------------------------------------------------------

func TestSearch(t *testing.T) {
	onBoth(t, func(b *books) {
		odd := func(id, first, last, plate string) sqldb.Import {
			return sqldb.Import{
				Clients:  []account.Client{{ID: id, FirstName: first, LastName: last, Language: "en", Phone: phone.Stored("+1804555" + id[2:])}},
				Vehicles: []account.Vehicle{{ID: "veh_" + id, ClientID: id, LocationID: "VA-RIC", Label: "Odd", Plate: plate, Program: account.IID, PaidTo: "2026-03-02"}},
			}
		}
		b.must(b.Import(b.ctx, odd("900101", "100%", "Sure", "A_1-B%2")))
		b.must(b.Import(b.ctx, odd("900102", `Back\slash`, "Under_score", "AX1-BX2")))
		b.must(b.Import(b.ctx, odd("900103", "Ann", "O’Brien-García", "")))
		for words, want := range map[string]string{
			"100042": "100042", "whitfield": "100042", "WHITFIELD": "100042", "dana whit": "100042", "Dana  Whitfield": "100042", "serrano": "100046", "LUCÍA": "100046",
			"(804) 555-0142": "100042", "8045550142": "100042", "+1 804 555 0142": "100042", "804.555.0142": "100042",
			"ABC-1234": "100042", "abc-1234": "100042", "abc1234": "100042", "ABC 1234": "100042", "abc": "100042", "6r82k4": "100051", "6R8-2K4": "100051",
			"marcus": "100043", "ktl-771": "100043",
			"100%": "900101", "%": "", "_": "", "under_score": "900102", `back\`: "900102", "a_1-b%2": "900101", "a_1-b": "900101", "whitf dan": "100042", "lucia serr": "100046", "L": "100046",
			"10005": "100050 100051 100052 100053 100054", "804 555 014": "100042 100043 100044 100045 100046 100047 100048 100049", "o'br": "900103", "obrien-g": "900103", "garc": "900103",
			"nobody at all": "", "": "", "   ": "", "'; DROP TABLE clients --": "", "0142": "", "hitfield": "", "1000": "100042 100043 100044 100045 100046 100047 100048 100049 100050 100051 100052 100053 100054",
		} {
			number, _ := phone.Parse(words)
			found, err := b.SearchClients(b.ctx, words, number, nil, 20)
			b.must(err)
			var ids []string
			for _, f := range found {
				ids = append(ids, f.ID)
			}
			slices.Sort(ids)
			if got := strings.Join(ids, " "); got != want {
				b.Errorf("%q finds %q, want %q", words, got, want)
			}
		}
		all, err := b.SearchClients(b.ctx, "1000", phone.Number{}, nil, 20)
		b.must(err)
		if !slices.IsSortedFunc(all, func(x, y account.Found) int { return strings.Compare(x.LastName, y.LastName) }) || len(all) < 5 {
			b.Errorf("%d, not by name", len(all))
		}
		if few, err := b.SearchClients(b.ctx, "1000", phone.Number{}, nil, 3); err != nil || len(few) != 3 {
			b.Errorf("%d of at most 3, %v", len(few), err)
		}
		marcus, err := b.SearchClients(b.ctx, "marcus bell", phone.Number{}, nil, 20)
		b.must(err)
		if len(marcus) != 1 || fmt.Sprint(marcus[0].Vehicles) != "[2014 Ford F-150 · KTL-7710 2019 Toyota Camry · KTL-7711]" {
			b.Errorf("%+v", marcus)
		}
	})
}

// --- Plans ----------------------------------------------------------------------------------------------------------------------------------

// TestWhatIsAskedAllTheTimeUsesItsIndex at a hundred thousand rows.
func TestWhatIsAskedAllTheTimeUsesItsIndex(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.State, c.Life.NextAt = pay.Expired, time.Time{} }))
		const rows = planRows
		series := `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ` + fmt.Sprint(rows) + `) SELECT n FROM s) AS s`
		if b.postgres() {
			series = `generate_series(1, ` + fmt.Sprint(rows) + `) AS s(n)`
		}
		// One connection without foreign keys and syncs: a hundred thousand rows are to be there, not to be right.
		conn, err := b.raw.Conn(b.ctx)
		b.must(err)
		exec := func(statement string) {
			b.Helper()
			_, err := conn.ExecContext(b.ctx, statement)
			b.must(err)
		}
		if b.postgres() {
			exec(`SET session_replication_role = replica`)
		} else {
			exec(`PRAGMA foreign_keys = OFF`)
			exec(`PRAGMA synchronous = OFF`)
		}
		fill := func(table, where string, other map[string]string) {
			b.Helper()
			r, err := b.raw.QueryContext(b.ctx, `SELECT * FROM `+table+` WHERE 1 = 0`)
			b.must(err)
			columns, err := r.Columns()
			b.must(err)
			b.must(r.Close())
			values := slices.Clone(columns)
			for i, c := range columns {
				values[i] = "t." + c
				if v, ok := other[c]; ok {
					values[i] = v
				}
			}
			exec(`INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `) SELECT ` + strings.Join(values, ", ") + ` FROM ` + table + ` t, ` + series + ` WHERE ` + where)
		}
		text := func(prefix string) string { return `'` + prefix + `' || CAST(s.n AS TEXT)` }
		fill("payments", "t.id = '"+p.ID+"'", map[string]string{"id": text("p"), "form_key": text("f"), "intent_id": text("pi_"), "frozen": "'{}'", "client_id": text("c"), "vehicle_id": "NULL", "created_ms": "s.n"})
		fill("links", "t.payment_id = '"+p.ID+"'", map[string]string{"id": text("l"), "payment_id": text("p"), "digest": text("d")})
		fill("messages", "t.payment_id = '"+p.ID+"'", map[string]string{"id": text("m"), "payment_id": text("p"), "link_id": text("l"), "box": "''", "next_ms": "NULL"})
		fill("postings", "t.entry_id = 'entry-demo-100043'", map[string]string{"entry_id": text("e"), "client_id": text("c")})
		fill("entries", "t.client_id = '100043' AND t.cause LIKE 'opening %'", map[string]string{"id": text("e"), "cause": text("receipt pi_"), "client_id": "NULL", "stripe_account": "'acct_1'", "at_ms": "s.n"})
		if _, err := b.Hear(b.ctx, pay.Notice{ID: "evt", Type: "payment_intent.succeeded", At: began}); err != nil {
			b.Fatal(err)
		}
		fill("stripe_events", "t.id = 'evt'", map[string]string{"id": text("evt_")})
		exec(`INSERT INTO refunds (id, payment_id, stripe_id, amount, state, why, by_kind, by_id, code, asked_ms, ended_ms, form_key, cleared_ms) VALUES ('r', '` + p.ID + `', NULL, 1, 'succeeded', '', '', '', '', 1, 1, NULL, 0)`)
		exec(`INSERT INTO disputes (id, payment_id, charge_id, amount, reason, status, evidence_by_ms, opened_ms, changed_ms, moved, evidence, evidence_sha256) VALUES ('d', '` + p.ID + `', '', 1, '', 'won', 0, 1, 1, '', '', '')`)
		fill("refunds", "t.id = 'r'", map[string]string{"id": text("r"), "payment_id": text("p")})
		fill("disputes", "t.id = 'd'", map[string]string{"id": text("d"), "payment_id": text("p")})
		exec(`INSERT INTO search_words (start, name, client_id, word) SELECT 'w' || CAST(s.n % 100 AS TEXT), 'w' || CAST(s.n % 100 AS TEXT) || 'x ' || CAST(s.n AS TEXT), 'c' || CAST(s.n AS TEXT), 'w' || CAST(s.n % 100 AS TEXT) || 'x' FROM ` + series)
		// A trail of its own: of forty people and thirty acts, and one of each that is rare. What is frequent is found soon by time, too.
		exec(`INSERT INTO trail (id, at_ms, actor_kind, actor_id, act, object, client_id, refused, detail, n, hash) SELECT ` + text("t") + `, s.n, 'staff', CASE WHEN s.n % 1000 = 7 THEN 'rare' ELSE 'who' || CAST(s.n % 40 AS TEXT) END, CASE WHEN s.n % 1000 = 9 THEN 'rare' ELSE 'act' || CAST(s.n % 30 AS TEXT) END,
			` + text("o") + `, 'c' || CAST(s.n % 5000 AS TEXT), CASE WHEN s.n % 50 = 0 THEN 'no' ELSE '' END, '', s.n, '' FROM ` + series)
		exec(`ANALYZE`)
		b.must(conn.Close())
		live := `state IN ('open', 'paying', 'needs_action', 'unknown', 'review')`
		for query, want := range map[string]string{
			`SELECT id FROM payments WHERE next_ms IS NOT NULL AND next_ms <= $1 ORDER BY next_ms LIMIT 200`:                                                                                 "payments_due",
			`SELECT id FROM messages WHERE next_ms IS NOT NULL AND next_ms <= $1 ORDER BY next_ms LIMIT 200`:                                                                                 "messages_due",
			`SELECT * FROM payments WHERE id = 'p77' AND $1 = 1`:                                                                                                                             "payments",
			`SELECT * FROM payments WHERE intent_id = 'pi_77' AND $1 = 1`:                                                                                                                    "intent_id",
			`SELECT * FROM payments WHERE form_key = 'f77' AND $1 = 1`:                                                                                                                       "form_key",
			`SELECT * FROM payments WHERE client_id = 'c77' AND created_ms > $1 ORDER BY created_ms DESC, id DESC LIMIT 50`:                                                                  "payments_of_client",
			`SELECT SUM(past_due) FROM payments WHERE client_id = 'c77' AND ` + live + ` AND $1 = 1`:                                                                                         "payments_",
			`SELECT * FROM payments WHERE vehicle_id = 'veh_dana_civic' AND ` + live + ` AND $1 = 1`:                                                                                         "payments_",
			`SELECT * FROM links WHERE digest = 'd77' AND $1 = 1`:                                                                                                                            "digest",
			`SELECT * FROM links WHERE payment_id = 'p77' AND created_ms > $1`:                                                                                                               "links_",
			`SELECT * FROM messages WHERE payment_id = 'p77' AND created_ms > $1`:                                                                                                            "messages_of_payment",
			`SELECT SUM(amount) FROM postings WHERE client_id = 'c77' AND $1 = 1`:                                                                                                            "postings_of_client",
			`SELECT * FROM entries WHERE cause IN ('receipt pi_77', 'receipt pi_78') AND at_ms > $1`:                                                                                         "cause",
			`SELECT * FROM entries WHERE stripe_account = 'acct_1' AND at_ms >= $1 AND at_ms < 9`:                                                                                            "entries_of_stripe",
			`SELECT MIN(stripe_account) FROM entries WHERE stripe_account > 'acct_0' AND $1 = 1`:                                                                                             "entries_of_stripe",
			`SELECT * FROM payments WHERE (intent_id = 'pi_77' OR id = 'p77') AND $1 = 1`:                                                                                                    "intent_id",
			`SELECT id FROM stripe_events WHERE id IN ('evt_77', 'evt_78') AND at_ms > $1`:                                                                                                   "stripe_events",
			`SELECT id FROM payments WHERE held = 1 OR refunding <> 0 OR state = 'review'`:                                                                                                   "payments_for_a_person",
			`SELECT payment_id FROM refunds WHERE state IN ('failed', 'refused') AND cleared_ms = 0`:                                                                                         "refunds_for_a_person",
			`SELECT payment_id FROM disputes WHERE status NOT IN ('won', 'lost', 'warning_closed', 'prevented')`:                                                                             "disputes_open",
			`SELECT client_id FROM search_words WHERE start = 'w77' AND word LIKE 'w77x%' AND ' ' || name LIKE '% 7%' AND $1 = 1 GROUP BY name, client_id ORDER BY name, client_id LIMIT 21`: "search_words",
			`DELETE FROM search_words WHERE client_id = 'c77' AND $1 = 1`:                                                                                                                    "search_words_of_client",
			`SELECT * FROM payments WHERE reference IN ('r77', 'r78') AND created_ms > $1`:                                                                                                   "payments_by_reference",
			`SELECT * FROM trail WHERE actor_id = 'rare' ORDER BY at_ms DESC, id DESC LIMIT 51`:                                                                                              "trail_of_actor",
			`SELECT * FROM trail WHERE act = 'rare' ORDER BY at_ms DESC, id DESC LIMIT 51`:                                                                                                   "trail_of_act",
			`SELECT * FROM trail WHERE client_id = 'c7' ORDER BY at_ms DESC, id DESC LIMIT 51`:                                                                                               "trail_of_client",
			`SELECT * FROM trail WHERE object IN ('o7', 'o8') ORDER BY at_ms DESC, id DESC LIMIT 51`:                                                                                         "trail_of_object",
			`SELECT * FROM trail WHERE refused <> '' ORDER BY at_ms DESC, id DESC LIMIT 51`:                                                                                                  "trail_refused",
			`SELECT * FROM trail WHERE at_ms >= 100 AND at_ms < 9000 ORDER BY at_ms DESC, id DESC LIMIT 51`:                                                                                  "trail_by_time",
			`SELECT * FROM trail WHERE at_ms <= 900 AND (at_ms < 900 OR id < 't9') ORDER BY at_ms DESC, id DESC LIMIT 51`:                                                                    "trail_by_time",
			`SELECT MIN(act) FROM trail WHERE act > 'act7'`:                                                                                                                                  "trail_of_act",
			`SELECT * FROM attempts WHERE payment_id = 'p77' AND n > $1`:                                                                                                                     "attempts",
		} {
			plan := b.plan(strings.ReplaceAll(query, "$1", "1"))
			scans := strings.Contains(plan, "SCAN ") && !strings.Contains(plan, "USING") || strings.Contains(plan, "Seq Scan on") && !strings.Contains(plan, "Seq Scan on attempts")
			if scans || !strings.Contains(plan, want) && !strings.Contains(plan, "autoindex") && !strings.Contains(plan, "_pkey") {
				b.Errorf("%s\ndoes not use %s:\n%s", query, want, plan)
			}
		}
	})
}

func (b *books) plan(query string) string {
	b.Helper()
	explain := `EXPLAIN QUERY PLAN `
	if b.postgres() {
		explain = `EXPLAIN `
	}
	rows, err := b.raw.QueryContext(b.ctx, explain+query)
	b.must(err)
	columns, err := rows.Columns()
	b.must(err)
	var out []string
	for rows.Next() {
		into := make([]any, len(columns))
		for i := range into {
			into[i] = new(any)
		}
		b.must(rows.Scan(into...))
		out = append(out, fmt.Sprint(*into[len(into)-1].(*any)))
	}
	b.must(errors.Join(rows.Err(), rows.Close()))
	return strings.Join(out, "\n")
}
