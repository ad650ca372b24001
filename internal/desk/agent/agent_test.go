package agent_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"paylink/internal/account"
	"paylink/internal/demo"
	"paylink/internal/desk/agent"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/pdf"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/seal"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/sms"
	"paylink/internal/sqldb"
	"paylink/internal/staff"
	"paylink/internal/testbed"
	"paylink/internal/trail"
	"paylink/internal/twiliosms"
)

// bench is the desk on a real store, with a carrier that knows what kind of line a number is. Nothing here leaves the outbox.
type bench struct {
	*testing.T
	ctx  context.Context
	url  string
	db   *sqldb.DB
	desk *agent.Desk
	till *pay.Machine
	down atomic.Bool // the card processor does not answer

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

// shut is a door that nobody has opened yet: these links' texts never leave.
type shut struct{ link.Door }

func (shut) Shut(context.Context, link.Digest) error { return nil }

func start(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	b := &bench{T: t, ctx: t.Context(), now: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)}
	var key [seal.KeyBytes]byte
	keys, err := seal.New(key[:])
	b.must(err)
	b.url = testbed.SQLite(t)
	b.db, err = sqldb.Open(b.ctx, sqldb.Config{URL: b.url, Now: b.clock, Keys: keys, NewID: newID, MaxConns: 4, Changed: func(string) {}})
	b.must(err)
	b.must(b.db.Migrate(b.ctx))
	b.must(b.db.Import(b.ctx, demo.Data(b.clock())))
	for _, m := range demo.Staff() {
		b.must(b.db.AddMember(b.ctx, m))
	}
	const sid, token, from = "AC0000000000000000000000000000d0a1", "towntoken", "+18045550100"
	sim := twiliosim.New(twiliosim.Config{Now: b.clock, AccountSID: sid, AuthToken: token, From: from, Client: http.DefaultClient})
	web := httptest.NewServer(sim.Handler())
	carrier, err := twiliosms.New(twiliosms.Config{AccountSID: sid, AuthToken: token, From: from, APIURL: web.URL, Timeout: 5 * time.Second})
	b.must(err)
	b.till = &pay.Machine{
		Store: b.db, Door: shut{}, NewID: newID, Token: rand.Text, Life: link.Life, Wake: func() {}, Alarm: func(pay.Alarm) {},
	}
	b.desk = &agent.Desk{Printer: pdf.Printer{Brand: "Interlane", Support: "(804) 555-0100"}, Store: b.db, Machine: b.till, Carrier: carrier, NewID: newID, Down: b.down.Load,
		Password: rand.Text, Salt: func() []byte { return []byte("interlane-salt-1") }, Mail: true}
	t.Cleanup(func() { sim.Close(); web.Close(); b.must(b.db.Close()) })
	return b
}

func (b *bench) as(role staff.Role) staff.Member {
	b.Helper()
	m, err := b.db.Member(b.ctx, "staff-"+string(role))
	b.must(err)
	return m
}

// trail lists what the trail says of an object, oldest first, as "act: refusal" and detail.
func (b *bench) trail(object string) (out []string) {
	b.Helper()
	raw, err := sql.Open("sqlite", strings.TrimPrefix(b.url, "sqlite:"))
	b.must(err)
	rows, err := raw.QueryContext(b.ctx, `SELECT act || ': ' || refused || ' ' || detail FROM trail WHERE object = $1 ORDER BY at_ms, id`, object)
	b.must(err)
	for rows.Next() {
		var one string
		b.must(rows.Scan(&one))
		out = append(out, one)
	}
	b.must(errors.Join(rows.Err(), rows.Close(), raw.Close()))
	return out
}

// --- Roles ----------------------------------------------------------------------------------------------------------------------------------

func TestWhoMayWhat(t *testing.T) {
	b := start(t)
	for _, role := range []staff.Role{staff.Agent, staff.Lead, staff.Supervisor, staff.Finance, staff.Admin, staff.Auditor} {
		who := b.as(role)
		_, _, searchErr := b.desk.Search(b.ctx, who, "dana")
		_, seeErr := b.desk.Client(b.ctx, who, "100042")
		_, historyErr := b.desk.History(b.ctx, who, agent.Client{Client: account.Client{ID: "100042"}}, agent.HistoryAsk{})
		_, _, linksErr := b.desk.Payments(b.ctx, who, "100042", "")
		if err := errors.Join(searchErr, seeErr, historyErr, linksErr); err != nil {
			b.Errorf("%s can't see clients: %v", role, err)
		}
		_, quoteErr := b.desk.Summary(b.ctx, who, agent.Choice{ClientID: "100042", VehicleID: "veh_dana_civic", Days: 30})
		_, sendErr := b.desk.Send(b.ctx, who, b.message())
		resendErr := b.desk.Resend(b.ctx, who, "none")
		_, cancelErr := b.desk.Cancel(b.ctx, who, "none", "")
		may := role == staff.Agent || role == staff.Lead || role == staff.Supervisor
		for act, err := range map[string]error{"quote": quoteErr, "send": sendErr, "resend": resendErr, "cancel": cancelErr} {
			if errors.Is(err, staff.ErrNotAllowed) == may {
				b.Errorf("%s, %s: %v", role, act, err)
			}
		}
	}
	gone := b.as(staff.Agent)
	gone.Disabled = true
	if _, err := b.desk.Client(b.ctx, gone, "100042"); !errors.Is(err, staff.ErrNotAllowed) {
		b.Errorf("somebody who is gone: %v", err)
	}
}

// --- Summaries ------------------------------------------------------------------------------------------------------------------------------

func TestTheSummaryOfEveryDemonstrationClient(t *testing.T) {
	b := start(t)
	for _, c := range []struct {
		client, vehicle string
		total           money.Cents
		blocked         agent.Blocked
		warnings        string
	}{
		{"100042", "veh_dana_civic", 9858, "", ""},
		{"100043", "veh_marcus_f150", 12525, "", "past_due"},
		{"100044", "veh_tess_rav4", 7950, quote.LocationNotConfigured, ""},
		{"100045", "veh_omar_pam", 15900, "", ""},
		{"100046", "veh_lucia_sentra", 8550, "", ""},
		{"100047", "veh_hal_outback", 9858, "", "auto_pay"},
		{"100048", "veh_ines_corolla", 0, quote.NothingDue, ""},
		{"100049", "veh_paul_ram", 9858, "", "opted_out"},
		{"100050", "veh_rita_focus", 9858, agent.InCollections, ""},
		{"100051", "veh_gene_silverado", 13908, "", "unpaid_days"},
	} {
		s, err := b.desk.Summary(b.ctx, b.as(staff.Agent), agent.Choice{ClientID: c.client, VehicleID: c.vehicle, Days: 30})
		if err != nil {
			b.Errorf("%s: %v", c.client, err)
			continue
		}
		var kinds []string
		for _, w := range s.Warnings {
			kinds = append(kinds, w.Kind)
		}
		if s.Summary.TotalDue != c.total || s.Blocked != c.blocked || strings.Join(kinds, " ") != c.warnings {
			b.Errorf("%s: %s, blocked %q, warnings %v; want %s, %q, %s", c.client, s.Summary.TotalDue, s.Blocked, kinds, c.total, c.blocked, c.warnings)
		}
		if c.blocked != "" {
			m := agent.Message{Choice: agent.Choice{ClientID: c.client, VehicleID: c.vehicle, Days: 30}, Phone: s.Client.Phone.E164(), Shown: c.total, FormKey: newID()}
			var blocked *agent.BlockedError
			if _, err := b.desk.Send(b.ctx, b.as(staff.Agent), m); !errors.As(err, &blocked) || blocked.Why != c.blocked || !errors.Is(err, pay.ErrBlocked) {
				b.Errorf("%s is sent all the same: %v", c.client, err)
			}
		}
	}
}

func TestASecondVehiclesSummaryLeavesOutWhatIsReserved(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	total := func(vehicle string) money.Cents {
		s, err := b.desk.Summary(b.ctx, who, agent.Choice{ClientID: "100043", VehicleID: vehicle, Days: 30})
		b.must(err)
		return s.Summary.TotalDue
	}
	m := agent.Message{Choice: agent.Choice{ClientID: "100043", VehicleID: "veh_marcus_f150", Days: 30}, Phone: "8045550143", Shown: 12525, FormKey: newID()}
	p, err := b.desk.Send(b.ctx, who, m)
	b.must(err)
	if first, second := total("veh_marcus_f150"), total("veh_marcus_camry"); first != 12525 || second != 8288 {
		b.Errorf("%s and %s", first, second)
	}
	page, err := b.desk.Client(b.ctx, who, "100043")
	b.must(err)
	if page.Balance != 4237 || page.LiveID != p.ID {
		b.Errorf("balance %s, live %q", page.Balance, page.LiveID)
	}
	b.pass(link.Life) // over, and the sweeper has not come by
	if page, err = b.desk.Client(b.ctx, who, "100043"); err != nil || page.Balance != 4237 || page.LiveID != "" {
		b.Errorf("over: balance %s, live %q, %v", page.Balance, page.LiveID, err)
	}
	s, err := b.desk.Summary(b.ctx, who, agent.Choice{ClientID: "100043", VehicleID: "veh_marcus_f150", Days: 30})
	b.must(err)
	if s.LiveID != "" || s.Summary.TotalDue != 12525 {
		b.Errorf("over: %s, live %q", s.Summary.TotalDue, s.LiveID)
	}
}

func TestWhatCanNotBeSummed(t *testing.T) {
	b := start(t)
	for _, c := range []struct {
		choice agent.Choice
		want   error
	}{
		{agent.Choice{ClientID: "100042", VehicleID: "veh_dana_civic", Days: 15}, quote.ErrDays},
		{agent.Choice{ClientID: "100042", VehicleID: "veh_dana_civic"}, quote.ErrDays},
		{agent.Choice{ClientID: "100042", VehicleID: "veh_hal_outback", Days: 30}, account.ErrNotFound}, // another client's
		{agent.Choice{ClientID: "100042", VehicleID: "none", Days: 30}, account.ErrNotFound},
		{agent.Choice{ClientID: "nobody", VehicleID: "veh_dana_civic", Days: 30}, account.ErrNotFound},
	} {
		if _, err := b.desk.Summary(b.ctx, b.as(staff.Agent), c.choice); !errors.Is(err, c.want) {
			b.Errorf("%+v: %v", c.choice, err)
		}
	}
}

// --- Sending --------------------------------------------------------------------------------------------------------------------------------

func (b *bench) message() agent.Message {
	return agent.Message{Choice: agent.Choice{ClientID: "100042", VehicleID: "veh_dana_civic", Days: 30}, Phone: "(804) 555-0142", Shown: 9858, FormKey: newID()}
}

func TestWhatIsNotSent(t *testing.T) {
	b := start(t)
	for name, c := range map[string]struct {
		spoil func(*agent.Message)
		want  error
	}{
		"no number":                {func(m *agent.Message) { m.Phone = "" }, phone.ErrInvalid},
		"too short":                {func(m *agent.Message) { m.Phone = "555-0142" }, phone.ErrInvalid},
		"a number of Spain":        {func(m *agent.Message) { m.Phone = "+34 612 345 678" }, phone.ErrInvalid},
		"with an extension":        {func(m *agent.Message) { m.Phone = "804 555 0142 x 5" }, phone.ErrInvalid},
		"toll-free":                {func(m *agent.Message) { m.Phone = "800 555 0142" }, phone.ErrNotMobile},
		"a landline":               {func(m *agent.Message) { m.Phone, m.Consent = "804 555 0180", true }, agent.ErrLandline},
		"opted out":                {func(m *agent.Message) { m.Phone, m.Consent = "804 555 0149", true }, agent.ErrOptedOut},
		"another's, no consent":    {func(m *agent.Message) { m.Phone = "804 555 0177" }, agent.ErrConsent},
		"a card number":            {func(m *agent.Message) { m.Phone, m.Consent, m.Payer = "804 555 0177", true, "4242 4242 4242 4242" }, agent.ErrCardNumber},
		"a novel":                  {func(m *agent.Message) { m.Payer = strings.Repeat("é", 201) }, agent.ErrTooLong},
		"the total moved":          {func(m *agent.Message) { m.Shown = 9857 }, pay.ErrTotalMoved},
		"15 days":                  {func(m *agent.Message) { m.Days = 15 }, quote.ErrDays},
		"another client's vehicle": {func(m *agent.Message) { m.VehicleID = "veh_hal_outback" }, account.ErrNotFound},
		"nobody":                   {func(m *agent.Message) { m.ClientID = "nobody" }, account.ErrNotFound},
	} {
		m := b.message()
		c.spoil(&m)
		if _, err := b.desk.Send(b.ctx, b.as(staff.Agent), m); !errors.Is(err, c.want) {
			b.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if all, err := b.db.PaymentsOf(b.ctx, "100042", 10); err != nil || len(all) != 0 {
		b.Errorf("%d payments, %v", len(all), err)
	}
}

func TestSending(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	m := b.message()
	p, err := b.desk.Send(b.ctx, who, m)
	b.must(err)
	if again, err := b.desk.Send(b.ctx, who, m); err != nil || again.ID != p.ID {
		b.Errorf("a second click: %v", err)
	}
	var live *pay.LiveError
	if _, err := b.desk.Send(b.ctx, who, b.message()); !errors.As(err, &live) || live.PaymentID != p.ID {
		b.Errorf("a second link: %v", err)
	}
	v, err := b.db.View(b.ctx, p.ID)
	b.must(err)
	if !v.Link.OwnNumber || v.Link.Language != "en" || v.Payment.CreatedBy != (trail.Actor{Kind: trail.Staff, ID: who.ID}) {
		b.Errorf("link %+v by %+v", v.Link, v.Payment.CreatedBy)
	}
	// Without a form's key every press is its own.
	var keyless *pay.LiveError
	m.FormKey = ""
	if _, err := b.desk.Send(b.ctx, who, m); !errors.As(err, &keyless) {
		b.Errorf("without a key: %v", err)
	}
	// Somebody else pays, on a line that nobody can look up: warned of, and sent.
	other := agent.Message{Choice: agent.Choice{ClientID: "100046", VehicleID: "veh_lucia_sentra", Days: 14}, Phone: "804-555-0187", Consent: true, Payer: "her brother", FormKey: newID()}
	s, err := b.desk.Summary(b.ctx, who, other.Choice)
	b.must(err)
	other.Shown = s.Summary.TotalDue
	p, err = b.desk.Send(b.ctx, who, other)
	b.must(err)
	if v, err := b.db.View(b.ctx, p.ID); err != nil || v.Link.OwnNumber || v.Link.Language != "es" {
		b.Errorf("link %+v, %v", v.Link, err)
	}
	if c, _, err := b.db.Client(b.ctx, "100046"); err != nil || c.Phone.Last4() != "0146" {
		b.Error("the client's record was changed")
	}
}

func TestNoFreeTextTakesACardNumber(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	for text, refused := range map[string]bool{
		"4242424242424242": true, "4242 4242 4242 4242": true, "4242-4242-4242-4242": true, "42 42.42 42-42424242 42": true, "card 4242424242424242 exp 12/31": true, "x4242424242424242x": true,
		"378282246310005": true, "3782 822463 10005": true, "4222222222222": true, "6304000000000000000": false, "4000056655665556000": false,
		"4242\u00a04242\u00a04242\u00a04242": true, "4242\u20134242\u20134242\u20134242": true, "4242\t4242\n4242 4242": true, "4242/4242/4242/4242": true, "４２４２４２４２４２４２４２４２": true,
		"": false, "the caller has changed their mind": false, "804 555 0142": false, "invoice 260302-7K2Q-4821": false, "call 804-555-0142, or 804-555-0143": false,
	} {
		_, err := b.desk.Cancel(b.ctx, who, "none", text)
		if errors.Is(err, agent.ErrCardNumber) != refused {
			if refused || luhnFree(text) {
				b.Errorf("%q: %v", text, err)
			}
		}
	}
	all := b.trail("none")
	if len(all) == 0 {
		b.Error("the refusals left no trail")
	}
	for _, one := range all {
		if strings.Contains(one, "4242") {
			b.Errorf("the trail keeps it: %s", one)
		}
	}
}

// luhnFree: long runs of digits may hold a number that fits by chance; those are refused, and may be.
func luhnFree(text string) bool {
	digits := 0
	for _, r := range text {
		if r >= '0' && r <= '9' {
			digits++
		}
	}
	return digits < 17
}

// --- Status ---------------------------------------------------------------------------------------------------------------------------------

func TestTheLadderOfEveryState(t *testing.T) {
	for _, c := range []struct {
		state                pay.State
		reason               pay.Reason
		says                 string
		resend, cancel, over bool
		also                 func(l *pay.Life)
	}{
		{pay.Open, "", "The text is on its way.", true, true, false, nil},
		{pay.Paying, "", "paying right now", false, true, false, nil},
		{pay.NeedsAction, "", "confirming the payment with their bank", false, true, false, nil},
		{pay.Unknown, "", "Do not pay again", false, true, false, nil},
		{pay.Paid, "", "Paid.", false, false, true, nil},
		{pay.Expired, "", "has expired", false, false, true, nil},
		{pay.Expired, pay.ReasonNotSent, "could not be sent", false, false, true, nil},
		{pay.Revoked, pay.ReasonAgent, "was cancelled", false, false, true, nil},
		{pay.Revoked, pay.ReasonNotMine, "refused by whoever got it", false, false, true, nil},
		{pay.Revoked, pay.ReasonDashboard, "outside of PLUS Web", false, false, true, nil},
		{pay.Locked, "", "Five cards were declined", false, false, true, nil},
		{pay.Superseded, pay.ReasonMoved, "account changed", false, false, true, nil},
		{pay.Declined, "", "card on file was declined", false, false, true, nil},
		{pay.PaidAfterClose, "", "applied to the account or goes back", false, false, false, nil},
		{pay.PaidAfterClose, "", "Finance decides what becomes of it", false, false, true, func(l *pay.Life) { l.Held = true }},
		{pay.PaidAfterClose, "", "is going back to the card", false, false, false, func(l *pay.Life) { l.Refunding = pay.RefundAsked }},
		{pay.Applied, "", "Paid. The charge came after the link had closed", false, false, true, nil},
		{pay.Refunded, "", "went back to the card in full", false, false, true, func(l *pay.Life) { l.GivenBack = 9858 }},
		{pay.Paid, "", "A refund is under way", false, false, false, func(l *pay.Life) { l.Refunding = pay.RefundAsked }},
		{pay.Paid, "", "Finance is looking up", false, false, false, func(l *pay.Life) { l.Refunding = pay.RefundStuck }},
		{pay.Paid, "", "Of $98.58, $40.00 was given back", false, false, true, func(l *pay.Life) { l.GivenBack = 4000 }},
		{pay.Paid, "", "all of it was given back: $98.58", false, false, true, func(l *pay.Life) { l.GivenBack = 9858 }},
		{pay.Review, pay.ReasonMismatch, "does not match", false, false, false, nil},
	} {
		t.Run(fmt.Sprint(c.state, c.reason, c.says), func(t *testing.T) {
			b := start(t)
			who := b.as(staff.Auditor)
			p, err := b.desk.Send(b.ctx, b.as(staff.Agent), b.message())
			b.must(err)
			b.must(b.db.Apply(b.ctx, p.ID, func(v pay.View) (pay.Change, error) {
				change := pay.Change{Life: v.Payment.Life}
				change.Life.State, change.Life.Reason = c.state, c.reason
				if c.state.Booked() {
					change.Life.Charged = 9858
				}
				if c.also != nil {
					c.also(&change.Life)
				}
				return change, nil
			}))
			s, err := b.desk.Status(b.ctx, who, p.ID)
			b.must(err)
			if !strings.Contains(s.Headline, c.says) || s.CanResend != c.resend || s.CanCancel != c.cancel || s.Over != c.over {
				b.Errorf("it says %q, resend %v, cancel %v, over %v", s.Headline, s.CanResend, s.CanCancel, s.Over)
			}
			if !c.state.Sold() && strings.HasPrefix(s.Headline, "Paid") {
				b.Error("it says paid")
			}
			if again := c.state.Closed() || c.state == pay.Refunded || strings.Contains(c.says, "all of it"); s.MayAnew != again {
				b.Errorf("a new link is offered: %v", s.MayAnew)
			}
			all := s.Note + s.Headline + s.Next + s.Phone + fmt.Sprintf("%+v", s.Steps)
			if !strings.Contains(s.Note, "••0142") || !strings.Contains(s.Note, p.Reference()) || strings.Contains(all, "5550142") || strings.Contains(all, "555-0142") {
				b.Errorf("the note is %q", s.Note)
			}
		})
	}
}

func TestALadderGrowsWithItsText(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	p, err := b.desk.Send(b.ctx, who, b.message())
	b.must(err)
	messages, err := b.db.Messages(b.ctx, p.ID)
	b.must(err)
	says := func(want string) {
		b.Helper()
		s, err := b.desk.Status(b.ctx, who, p.ID)
		b.must(err)
		if !slices.ContainsFunc(s.Steps, func(step agent.Step) bool { return strings.Contains(step.Text+step.Detail, want) }) {
			b.Errorf("no step says %q: %+v", want, s.Steps)
		}
	}
	tell := func(status sms.Status, code int) {
		b.Helper()
		b.must(b.db.Deliver(b.ctx, sms.Delivery{MessageID: messages[0].ID, Receipt: sms.Receipt{SID: "SM1", Status: status, ErrorCode: code}}))
	}
	says("Sending to ••0142")
	tell(sms.Queued, 0)
	says("Delivery not confirmed yet")
	tell(sms.Undelivered, 30003)
	says("Ask the caller to switch it on")
	b.pass(time.Second)
	b.must(b.desk.Resend(b.ctx, who, p.ID))
	says("Replaced by a new link")
	for range 2 {
		b.pass(time.Second)
		b.must(b.desk.Resend(b.ctx, who, p.ID))
	}
	if err := b.desk.Resend(b.ctx, who, p.ID); !errors.Is(err, pay.ErrResends) {
		b.Errorf("a fourth resend: %v", err)
	}
	if got := b.trail(p.ID); !slices.ContainsFunc(got, func(one string) bool { return strings.HasPrefix(one, "resend link: "+pay.ErrResends.Error()) }) {
		b.Errorf("the trail does not tell of the refusal: %q", got)
	}
	if state, err := b.desk.Cancel(b.ctx, who, p.ID, "changed their mind"); err != nil || state != pay.Revoked {
		b.Errorf("cancelled: %s, %v", state, err)
	}
	if _, err := b.desk.Status(b.ctx, who, "none"); !errors.Is(err, pay.ErrNotFound) {
		b.Error(err)
	}
}

func TestALinkIsNotResentToANumberThatOptedOut(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	p, err := b.desk.Send(b.ctx, who, b.message())
	b.must(err)
	b.must(b.db.OptOut(b.ctx, "+18045550142"))
	if err := b.desk.Resend(b.ctx, who, p.ID); !errors.Is(err, agent.ErrOptedOut) {
		b.Errorf("it is %v", err)
	}
}
