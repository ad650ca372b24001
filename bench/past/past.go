// Package past fills a database with links that were sent, opened, paid, declined and left to expire by invented people, as a company's last months would hold them:
// reports are measured and tested on it. It writes rows, and no money: what it calls paid is in no books.
package past

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/seal"
)

// Config says what to fill in. All fields are required.
type Config struct {
	Postgres  bool
	Keys      seal.Keys
	Seed      uint64
	Links     int                // payments by link, about: the last client's sales are made whole
	From, To  time.Time          // when they were sent
	Locations []account.Location // that are in the database
	Password  string             // hash, of everybody who sends
}

// Teams and how many people each has; their ids are past-1, past-2, …
var teams = []struct {
	name   string
	people int
}{{"Team East", 9}, {"Team West", 7}, {"Team Spanish", 5}, {"Team Night", 3}}

// Fill makes the staff, the clients and their links, and nothing else. The connection is worth nothing afterwards: on SQLite it keeps no rules and waits for no disk.
func Fill(ctx context.Context, conn *sql.Conn, c Config) error {
	setUp := []string{"SET synchronous_commit = off"}
	if !c.Postgres {
		setUp = []string{"PRAGMA busy_timeout = 20000", "PRAGMA cache_size = -400000", "PRAGMA synchronous = OFF", "PRAGMA foreign_keys = OFF"}
	}
	for _, s := range setUp {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	w := &writer{c: c, luck: rand.New(rand.NewPCG(c.Seed, c.Seed)), rows: map[string][][]any{}, frozen: map[string]frozen{}, live: map[string]bool{}}
	if err := w.fill(); err != nil {
		return err
	}
	for _, table := range order {
		write := w.sqlite
		if c.Postgres {
			write = w.postgres
		}
		if err := write(ctx, conn, table); err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	return nil
}

// writer makes up rows, and keeps them until they are all there.
type writer struct {
	c      Config
	luck   *rand.Rand
	rows   map[string][][]any // by table
	agents []person
	frozen map[string]frozen
	n      int // payments
	links  int // payments by link
	others []string
	live   map[string]bool // vehicles that have a live payment
}

type person struct{ id, phone string }

type frozen struct {
	text, hash string
	amount     int64
}

// tables are what each row is given, in this order, and what is the same in all of them.
var tables = map[string]struct{ given, names, same string }{
	"staff":    {"id, login, name, team, role, phone, password_hash", "disabled, wrong, locked_ms", "0, 0, 0"},
	"clients":  {"id, first_name, last_name, language, email, phone, auto_pay_days, auto_pay_since_ms", "tax_exempt, collections, notes", "0, 0, ''"},
	"vehicles": {"id, client_id, location_id, plate, plate_state", "label, program, daily_rate, loss_protection_daily, paid_to, paid_by, hardship_kind, hardship_percent, hardship_amount, hardship_reduces_tax, hardship_exempts_fee", "'2016 Honda Civic', 'iid', 310, 0, '2026-01-01', '', '', 0, 0, 0, 0"},
	"payments": {`id, chain_id, door, client_id, vehicle_id, location_id, by_id, frozen, frozen_sha256, amount, created_ms, opened_ms, closed_ms, state, reason, expires_ms, attempt, resends, declines, charged,
		days, language, own_number, first_link, delivered_ms, reference, form_key`,
		`by_kind, stripe_account, past_due, credit, version, closing_as, lease_ms, phase, sends, looks, revoke, cancel_due, card_on_file, held, refunding, given_back, late_ms`,
		`'staff', '', 0, 0, 1, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0`},
	"links":    {"id, payment_id, digest, state, phone_box, last4, own_number, language, sent_by, created_ms, opened_ms, expires_ms", "", ""},
	"messages": {"id, payment_id, link_id, language, phone_box, status, sid, created_ms, handed_ms, sent_ms, ended_ms", "kind, box, rank, tries, error_code", "'link', '', 4, 1, 0"},
	"attempts": {"id, payment_id, n, link_id, nonce_id, payment_method, state, code, started_ms, ended_ms", "session_id, brand, last4, funding, avs, cvc, charge_id, terms_version, terms_language, address, user_agent", "'', 'visa', '4242', 'debit', 'pass', 'pass', '', '1', 'en', '198.51.100.7', ''"},
	"blocked":  {"day, by_id, vehicle_id, why, client_id, location_id, at_ms", "", ""},
}

// order is that of foreign keys.
var order = []string{"staff", "clients", "vehicles", "payments", "links", "messages", "attempts", "blocked"}

func (w *writer) add(table string, values ...any) {
	for i, v := range values {
		if b, ok := v.(bool); ok {
			values[i] = map[bool]int64{true: 1}[b]
		}
	}
	w.rows[table] = append(w.rows[table], values)
}

// sqlite inserts a table's rows some at a time, by one statement.
func (w *writer) sqlite(ctx context.Context, conn *sql.Conn, table string) error {
	const together = 10
	t, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // after a commit it does nothing
	of, rows := tables[table], w.rows[table]
	insert := func(n int) (*sql.Stmt, error) {
		names, row := of.given, strings.Repeat(", ?", strings.Count(of.given, ",")+1)[2:]
		if of.names != "" {
			names, row = names+", "+of.names, row+", "+of.same
		}
		return t.PrepareContext(ctx, "INSERT INTO "+table+" ("+names+") VALUES "+strings.Repeat(", ("+row+")", n)[2:])
	}
	for len(rows) > 0 {
		n := min(len(rows), together)
		if len(rows) < together {
			n = 1
		}
		prepared, err := insert(n)
		if err != nil {
			return err
		}
		for ; len(rows) >= n; rows = rows[n:] {
			if _, err := prepared.ExecContext(ctx, slices.Concat(rows[:n]...)...); err != nil {
				return err
			}
		}
		if err := prepared.Close(); err != nil {
			return err
		}
	}
	return t.Commit()
}

// postgres copies a table's rows, with what is the same in all of them as the columns' default.
func (w *writer) postgres(ctx context.Context, conn *sql.Conn, table string) error {
	of := tables[table]
	var same []string
	if of.names != "" {
		values := strings.Split(of.same, ", ")
		for i, name := range strings.Split(of.names, ", ") {
			same = append(same, fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s", table, name, values[i]))
		}
	}
	for _, s := range same {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return conn.Raw(func(driver any) error {
		names := strings.Split(strings.Join(strings.Fields(of.given), " "), ", ")
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, names, pgx.CopyFromRows(w.rows[table]))
		return err
	})
}

func (w *writer) fill() error {
	firsts := []string{"Dana", "Marcus", "Omar", "Hal", "Ines", "Rita", "Gene", "Lena", "Ruth", "Carlos", "Priya", "Walt", "Noor", "Sven", "Mei"}
	lasts := []string{"Ostrander", "Vance", "Kessler", "Rowland", "Ibarra", "Pruitt", "Lindgren", "Achebe", "Tanaka", "Fournier", "Delgado", "Marsh", "Quill"}
	for _, team := range teams {
		for range team.people {
			n := len(w.agents) + 1
			p := person{id: fmt.Sprintf("past-%d", n), phone: fmt.Sprintf("+180355501%02d", n)}
			w.agents = append(w.agents, p)
			w.add("staff", p.id, fmt.Sprintf("past%d", n), firsts[n%len(firsts)][:1]+". "+lasts[n%len(lasts)], team.name, "agent", p.phone, w.c.Password)
		}
	}
	for i := range 12 { // numbers that are nobody's, and are used for many
		w.others = append(w.others, fmt.Sprintf("+191955501%02d", i))
	}
	for client := 0; w.links < w.c.Links; client++ {
		l := w.c.Locations[min(w.luck.IntN(len(w.c.Locations)), w.luck.IntN(len(w.c.Locations)))] // the first ones are larger
		language := "en"
		if w.luck.IntN(5) == 0 {
			language = "es"
		}
		one := caller{
			id: fmt.Sprintf("P%06d", client), vehicle: fmt.Sprintf("past_veh_%d", client), language: language, location: l, agent: w.agents[w.luck.IntN(len(w.agents))],
			phone: fmt.Sprintf("+1%d555%04d", 201+client/10_000%700, client%10_000),
		}
		since, autoDays := int64(0), 0
		if w.luck.IntN(4) == 0 {
			since, autoDays = w.moment().UnixMilli(), 30*w.luck.IntN(2)
		}
		first, last := firsts[client%len(firsts)], lasts[client/len(firsts)%len(lasts)]
		w.add("clients", one.id, first, last, language, one.id+"@clients.interlane.example", one.phone, autoDays, since)
		w.add("vehicles", one.vehicle, one.id, l.ID, fmt.Sprintf("PST-%05d", client), l.State)
		for range 1 + w.luck.IntN(4) {
			if err := w.sale(one); err != nil {
				return err
			}
		}
		if w.luck.IntN(30) == 0 {
			why := []string{"in_collections", "location_not_configured", "location_suspended", "nothing_due", "needs_review"}[w.luck.IntN(5)]
			at := w.moment()
			w.add("blocked", string(l.Today(at)), one.agent.id, one.vehicle, why, one.id, l.ID, at.UnixMilli())
		}
	}
	return nil
}

type caller struct {
	id, vehicle, language, phone string
	location                     account.Location
	agent                        person
}

// moment is some time of the period, within working hours in the east.
func (w *writer) moment() time.Time {
	days := int(w.c.To.Sub(w.c.From) / (24 * time.Hour))
	at := w.c.From.AddDate(0, 0, w.luck.IntN(days+1)).Truncate(24 * time.Hour).Add(13*time.Hour + time.Duration(w.luck.Int64N(int64(12*time.Hour))))
	if at.Before(w.c.From) {
		at = at.Add(24 * time.Hour)
	}
	if !at.Before(w.c.To) { // not yet: on the last morning
		at = w.c.To.Add(-time.Duration(1 + w.luck.Int64N(int64(3*time.Hour))))
	}
	return at.Truncate(time.Millisecond)
}

// sale is one chain: links until one of them is paid, or nobody tries any more.
func (w *writer) sale(c caller) error {
	at, chain := w.moment(), ""
	first := true
	days := 30
	if w.luck.IntN(3) == 0 {
		days = 14
	}
	if w.luck.IntN(40) == 0 { // a card on file that was declined comes before the link
		p := w.payment(c, at, days)
		p.door, p.state, p.closed, chain = "agent", pay.Declined, at.Add(2*time.Second), p.id
		if err := w.write(c, p, chain, false); err != nil {
			return err
		}
		at = at.Add(time.Duration(1+w.luck.IntN(30)) * time.Minute)
	}
	for range 4 {
		if !at.Before(w.c.To) {
			return nil
		}
		p := w.payment(c, at, days)
		if chain == "" {
			chain = p.id
		}
		ended := w.fate(&p)
		if !first && w.luck.IntN(20) == 0 { // by the card on file, after all
			p.door, p.opened, p.delivered, p.declines, p.resends = "agent", 0, 0, 0, 0
		}
		if err := w.write(c, p, chain, first && p.door == "link"); err != nil {
			return err
		}
		first = first && p.door != "link"
		if !ended || w.luck.IntN(5) < 2 {
			return nil
		}
		at = p.closed.Add(time.Duration(w.luck.IntN(100*60)+1) * time.Second)
		if w.luck.IntN(4) == 0 {
			at = p.closed.Add(time.Duration(1+w.luck.IntN(22)) * time.Hour)
		}
	}
	return nil
}

// payment is a row of payments, as far as one differs from another.
type payment struct {
	id, door          string
	at, closed        time.Time
	expires           time.Time
	opened, delivered int64
	days              int
	state             pay.State
	reason            pay.Reason
	declines, resends int
	own               bool
	phone             string
	agent             person
}

func (w *writer) payment(c caller, at time.Time, days int) payment {
	w.n++
	p := payment{id: fmt.Sprintf("past-%08d", w.n), door: "link", at: at, days: days, own: true, phone: c.phone, agent: c.agent, expires: at.Add(10 * time.Minute)}
	if w.luck.IntN(8) == 0 {
		p.agent = w.agents[w.luck.IntN(len(w.agents))]
	}
	if w.luck.IntN(6) == 0 {
		p.own, p.phone = false, fmt.Sprintf("+1470555%04d", w.luck.IntN(10_000))
		switch w.luck.IntN(60) {
		case 0:
			p.phone = w.others[w.luck.IntN(len(w.others))]
		case 1:
			p.phone = p.agent.phone
		}
	}
	return p
}

// fate decides what became of a link, and says whether another may follow in its chain.
func (w *writer) fate(p *payment) (ended bool) {
	after := func(most time.Duration) time.Duration {
		f := w.luck.Float64()
		return (time.Second + time.Duration(f*f*float64(most))).Truncate(time.Millisecond)
	}
	sent := p.at.Add(after(3 * time.Second))
	if w.luck.IntN(7) == 0 {
		p.resends = 1 + w.luck.IntN(2)
		p.expires = p.at.Add(time.Duration(p.resends)*8*time.Minute + 10*time.Minute)
	}
	if w.luck.IntN(25) != 0 {
		p.delivered = sent.Add(after(8 * time.Second)).UnixMilli()
	}
	opened := p.delivered != 0 && w.luck.IntN(12) != 0
	last := p.expires.Sub(p.at) - 90*time.Second
	if opened {
		p.opened = p.at.Add(15*time.Second + after(last/2)).UnixMilli()
		if w.luck.IntN(8) == 0 {
			p.declines = 1 + w.luck.IntN(3)
		}
	}
	p.closed = p.expires
	switch n := w.luck.IntN(100); {
	case opened && n < 84:
		p.state, p.closed = pay.Paid, time.UnixMilli(p.opened).Add(20*time.Second+after(last/3)).UTC()
		if w.luck.IntN(400) == 0 {
			p.state, p.closed = pay.Applied, p.expires // its money came late
		}
	case n < 88:
		p.state, p.reason, p.closed = pay.Revoked, pay.ReasonAgent, p.at.Add(after(last))
	case n < 89 && opened:
		p.state, p.declines = pay.Locked, pay.MaxDeclines
	case n < 90:
		p.state, p.reason = pay.Superseded, pay.ReasonMoved
	case n < 91 && !opened:
		p.state, p.reason, p.delivered = pay.Expired, pay.ReasonNotSent, 0
	case n < 92 && opened:
		p.state = pay.Refunded
	default:
		p.state = pay.Expired
	}
	if now := w.c.To; p.closed.After(now) { // not over yet
		p.state, p.reason, p.closed = pay.Open, "", time.Time{}
		if p.opened > now.UnixMilli() {
			p.opened, p.declines = 0, 0
		}
	}
	return p.state.Closed()
}

// codes of declines, the common ones more often.
var codes = []string{"insufficient_funds", "insufficient_funds", "insufficient_funds", "insufficient_funds", "generic_decline", "generic_decline", "do_not_honor", "incorrect_cvc", "expired_card", "lost_card", "stolen_card", "processing_error"}

func (w *writer) write(c caller, p payment, chain string, first bool) error {
	f, err := w.quoted(c.location, p.days)
	if err != nil {
		return err
	}
	link := p.door == "link"
	if link {
		w.links++
	}
	if p.state.Live() {
		if w.live[c.vehicle] { // it has one already
			p.state, p.closed = pay.Expired, w.c.To
		}
		w.live[c.vehicle] = true
	}
	closed, charged := int64(0), int64(0)
	if !p.closed.IsZero() {
		closed = p.closed.UnixMilli()
	}
	if p.state.Sold() {
		charged = f.amount
	}
	counted, own := c.language, p.own
	if !link {
		counted, own = "", false
	}
	attempts := p.declines
	if p.state == pay.Paid && attempts > 0 { // of the others nothing is counted
		attempts++
	}
	w.add("payments", p.id, chain, p.door, c.id, c.vehicle, c.location.ID, p.agent.id, f.text, f.hash, f.amount, p.at.UnixMilli(), p.opened, closed, string(p.state), string(p.reason),
		p.expires.UnixMilli(), attempts, p.resends, p.declines, charged, p.days, counted, own, first, p.delivered, pay.Payment{ID: p.id}.Reference(), p.id)
	for n := range attempts {
		state, code := pay.WasNo, codes[w.luck.IntN(len(codes))]
		if n == p.declines {
			state, code = pay.Succeeded, ""
		}
		at := p.opened + int64(n+1)*9_000
		id := fmt.Sprintf("%s-%d", p.id, n)
		w.add("attempts", id, p.id, n+1, p.id+"-l0", id, "pm_"+id, string(state), code, at, at+2_000)
	}
	if !link {
		return nil
	}
	for n := range p.resends + 1 {
		id := fmt.Sprintf("%s-l%d", p.id, n)
		at := p.at.Add(time.Duration(n) * 8 * time.Minute).UnixMilli()
		state, opened := "dead", p.opened
		if n < p.resends {
			state, opened = "replaced", 0
		} else if p.state == pay.Open {
			state = "live"
		}
		status, ended := "delivered", p.delivered
		if p.delivered == 0 || n > 0 && w.luck.IntN(3) == 0 {
			status, ended = "undelivered", at+9_000
		}
		box := w.c.Keys.Seal("phone of "+id, p.phone)
		w.add("links", id, p.id, id, state, box, p.phone[len(p.phone)-4:], p.own, c.language, p.agent.id, at, opened, at+600_000)
		w.add("messages", id+"-m", p.id, id, c.language, box, status, "SM"+id, at, at, at, ended)
	}
	return nil
}

// quoted is the frozen quote of a location's ordinary vehicle.
func (w *writer) quoted(l account.Location, days int) (frozen, error) {
	key := fmt.Sprint(l.ID, days)
	if f, ok := w.frozen[key]; ok {
		return f, nil
	}
	today := day.Date("2026-01-01")
	l.Payments = account.Configured
	in := quote.Input{AsOf: today, Days: days, Location: l, Vehicle: &account.Vehicle{Program: account.IID, DailyRate: 310, PaidTo: today}}
	s, err := quote.Price(in)
	if err != nil {
		return frozen{}, err
	}
	text, hash, err := pay.Frozen{Input: in, Summary: s, Vehicle: "2016 Honda Civic", Location: l.Name, Zone: l.Zone}.Encode()
	f := frozen{text, hash, int64(s.TotalDue)}
	w.frozen[key] = f
	return f, err
}
