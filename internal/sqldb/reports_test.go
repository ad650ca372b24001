package sqldb_test

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"paylink/bench/past"
	"paylink/internal/day"
	"paylink/internal/desk/agent"
	"paylink/internal/desk/supervisor"
	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/seal"
	"paylink/internal/sms"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// countedBy is what reports count a payment by.
func (b *books) countedBy(id string) string {
	b.Helper()
	var days, own, first, delivered int64
	var language string
	b.must(b.raw.QueryRowContext(b.ctx, `SELECT days, language, own_number, first_link, delivered_ms FROM payments WHERE id = $1`, id).Scan(&days, &language, &own, &first, &delivered))
	return fmt.Sprint(days, language, own, first, delivered)
}

func TestWhatReportsCountByIsWrittenWithThePayment(t *testing.T) {
	onBoth(t, func(b *books) {
		first := b.sent("100042", "veh_dana_civic")
		if got, want := b.countedBy(first.ID), fmt.Sprint(30, "en", 1, 1, 0); got != want {
			b.Errorf("a first link: %s, want %s", got, want)
		}
		at := began.Add(time.Second)
		b.pass(time.Second)
		delivery := sms.Delivery{MessageID: b.messageOf(first), Receipt: sms.Receipt{SID: "SM1", Status: sms.Delivered}}
		b.must(b.Deliver(b.ctx, delivery))
		b.pass(time.Second)
		b.must(b.Deliver(b.ctx, delivery))
		if n := b.count(`SELECT delivered_ms FROM payments WHERE id = $1`, first.ID); int64(n) != at.UnixMilli() {
			b.Errorf("delivered at %d, want %d", n, at.UnixMilli())
		}
		b.must(b.change(first.ID, func(_ pay.View, c *pay.Change) { c.Life.State = pay.Revoked }))
		// The carrier is asked, and says so: another sale's text.
		second, err := b.Begin(b.ctx, "100042", "veh_dana_civic", newID(), func(s pay.Start) (pay.Begin, error) {
			begin, err := b.first(s)
			begin.Payment.ChainID = first.ID
			begin.Link.OwnNumber, begin.Link.Language = false, "es"
			return begin, err
		})
		b.must(err)
		all, err := b.Messages(b.ctx, second.ID)
		b.must(err)
		m := all[0]
		m.Status, m.EndedAt = sms.Delivered, b.clock()
		b.must(b.SaveMessage(b.ctx, m))
		if got, want := b.countedBy(second.ID), fmt.Sprint(30, "es", 0, 0, b.clock().UnixMilli()); got != want {
			b.Errorf("the chain's second link: %s, want %s", got, want)
		}
	})
}

func TestABlockedTryCountsOnceADay(t *testing.T) {
	onBoth(t, func(b *books) {
		try := agent.BlockedTry{At: began, Day: "2026-03-02", By: "staff-agent", ClientID: "100050", VehicleID: "veh_rita_focus", LocationID: "VA-RIC", Why: agent.InCollections}
		note := func(change func(t *agent.BlockedTry)) {
			one := try
			change(&one)
			b.must(b.Blocked(context.Background(), one, trail.Entry{ID: newID(), At: one.At, Actor: trail.Actor{Kind: trail.Staff, ID: one.By}, Act: "quote", Object: one.VehicleID, ClientID: one.ClientID, Refused: string(one.Why)}))
		}
		note(func(*agent.BlockedTry) {})
		note(func(t *agent.BlockedTry) { t.At = began.Add(time.Hour) })
		if tries, acts := b.count(`SELECT COUNT(*) FROM blocked`), b.count(`SELECT COUNT(*) FROM trail WHERE act = 'quote' AND refused <> ''`); tries != 1 || acts != 1 {
			b.Errorf("%d tries and %d entries of one", tries, acts)
		}
		note(func(t *agent.BlockedTry) { t.Day = "2026-03-03" })
		note(func(t *agent.BlockedTry) { t.By = "staff-lead" })
		note(func(t *agent.BlockedTry) { t.Why = agent.Paused })
		if tries, acts := b.count(`SELECT COUNT(*) FROM blocked`), b.count(`SELECT COUNT(*) FROM trail WHERE act = 'quote' AND refused <> ''`); tries != 4 || acts != 4 {
			b.Errorf("%d tries and %d entries of four", tries, acts)
		}
	})
}

// --- Agreement ------------------------------------------------------------------------------------------------------------------------------

// TestReportsAgreeWithTheDatabase: every figure, for several filters, against one that is found in another way: all rows are read into memory, language, number and delivery from links and
// messages, days from the frozen quote, and everything is looked up by going through them again and again.
func TestReportsAgreeWithTheDatabase(t *testing.T) {
	onBoth(t, func(b *books) {
		b.now = time.Date(2026, 6, 30, 17, 40, 0, 0, time.UTC)
		n := planRows
		if b.postgres() { // the one text of SQL, once more; the weight is SQLite's
			n = min(n, 10_000)
		}
		where, err := b.Locations(b.ctx, 1000)
		b.must(err)
		conn, err := b.raw.Conn(b.ctx)
		b.must(err)
		b.must(past.Fill(b.ctx, conn, past.Config{Postgres: b.postgres(), Keys: testKeys(), Seed: 7, Links: n, From: b.now.AddDate(0, 0, -120), To: b.now, Locations: where, Password: "x"}))
		b.must(conn.Close())
		rows, declines, blocked := b.naively()
		desk := supervisor.Desk{Store: b.DB, NewID: newID}
		all := supervisor.Filter{Period: supervisor.Custom, From: "2026-01-01", To: "2026-06-30"}
		for _, c := range []struct {
			by     supervisor.Dimension
			who    staff.Member
			change func(f *supervisor.Filter)
			keep   func(l naive) bool
		}{
			{supervisor.ByAgent, staff.Member{}, func(*supervisor.Filter) {}, func(naive) bool { return true }},
			{supervisor.ByLocation, staff.Member{}, func(f *supervisor.Filter) { f.From, f.To, f.Days = "2026-05-03", "2026-05-30", 14 }, func(l naive) bool { return l.between("2026-05-03", "2026-05-30") && l.days == 14 }},
			{supervisor.ByNumber, staff.Member{Teams: []string{"Team West", "Team Night"}}, func(f *supervisor.Filter) { f.Language, f.From = "es", "2026-03-08" }, func(l naive) bool {
				return (l.team == "Team West" || l.team == "Team Night") && l.language == "es" && l.between("2026-03-08", "2026-06-30")
			}},
			{supervisor.ByTeam, staff.Member{Locations: []string{"FL-TPA", "VA-RIC"}}, func(f *supervisor.Filter) { f.State, f.Number = "FL", supervisor.Other }, func(l naive) bool { return l.location == "FL-TPA" && !l.own }},
			{supervisor.ByLanguage, staff.Member{}, func(f *supervisor.Filter) { f.Agent, f.From, f.To = "past-3", "2026-06-01", "2026-06-29" }, func(l naive) bool { return l.agent == "past-3" && l.between("2026-06-01", "2026-06-29") }},
			{supervisor.ByDays, staff.Member{}, func(f *supervisor.Filter) { f.Team, f.From, f.To = "Team East", "2026-06-30", "2026-06-30" }, func(l naive) bool { return l.team == "Team East" && l.between("2026-06-30", "2026-06-30") }},
		} {
			who, f := c.who, all
			who.ID, who.Role = "staff-supervisor", staff.Supervisor
			c.change(&f)
			r, err := desk.Report(b.ctx, who, f, c.by)
			b.must(err)
			var kept []naive
			for _, l := range rows {
				if l.door == "link" && c.keep(l) {
					kept = append(kept, l)
				}
			}
			want := figuresOf(kept, rows, b.now.UnixMilli())
			same(b, fmt.Sprintf("by %s", c.by), r.Total, want)
			if want.Sent < 20 || want.Recovered == 0 && want.Expired > 200 {
				b.Errorf("by %s: hardly anything to count: %+v", c.by, want)
			}
			// The rows of a table and the days of a period add up to the whole.
			for what, parts := range map[string][]supervisor.Figures{"groups": figures(r.Groups, func(g supervisor.Group) supervisor.Figures { return g.Figures }), "steps": figures(r.Steps, func(s supervisor.Step) supervisor.Figures { return s.Figures })} {
				var sum, whole [14]int
				for _, part := range parts {
					for i, n := range counts(part) {
						sum[i] += n
					}
				}
				if whole = counts(r.Total); sum != whole {
					b.Errorf("by %s, %s: %v add up to %v", c.by, what, sum, whole)
				}
			}
			if r.Total.Paid+r.Total.Expired+r.Total.Cancelled+r.Total.Otherwise+r.Total.Live != r.Total.Sent {
				b.Errorf("by %s: a link has no end, or two: %+v", c.by, r.Total)
			}
			// One group and one step by themselves.
			group, step := r.Groups[len(r.Groups)/2], r.Steps[len(r.Steps)/2]
			var ofGroup, ofStep []naive
			for _, l := range kept {
				if l.key(c.by) == group.Key {
					ofGroup = append(ofGroup, l)
				}
				if l.between(step.From, step.To) {
					ofStep = append(ofStep, l)
				}
			}
			spreads := func(f supervisor.Figures) [2]supervisor.Spread { return [2]supervisor.Spread{f.ToOpen, f.ToPay} }
			same(b, "the times of group "+group.Name, spreads(group.Figures), spreads(figuresOf(ofGroup, rows, b.now.UnixMilli())))
			same(b, "the times of a step", spreads(step.Figures), spreads(figuresOf(ofStep, rows, b.now.UnixMilli())))
			same(b, "sent in a group and a step", [2]int{group.Sent, step.Sent}, [2]int{len(ofGroup), len(ofStep)})
			// Declines, and what could not be sent.
			same(b, "declines", r.Declines, declinesOf(kept, declines))
			if want := blockedOf(blocked, c.keep, f); !reflect.DeepEqual(tries(r.Blocked), want) {
				b.Errorf("blocked: %v, want %v", r.Blocked, want)
			}
			// The list of links finds as many as the report has counted.
			for outcome, want := range map[supervisor.Outcome]int{
				"": want.Sent, supervisor.Paid: want.Paid, supervisor.Expired: want.Expired, supervisor.Cancelled: want.Cancelled, supervisor.Otherwise: want.Otherwise, supervisor.Live: want.Live,
				supervisor.Delivered: want.Delivered, supervisor.Opened: want.Opened, supervisor.Declined: want.Declined,
			} {
				f.Outcome = outcome
				l, err := desk.Links(b.ctx, who, f, supervisor.Place{}, 1)
				b.must(err)
				if l.Count != want || len(l.Lines) != min(1, want) {
					b.Errorf("by %s, %q: the list has %d links, the report %d", c.by, outcome, l.Count, want)
				}
			}
		}
		b.control(desk, all, rows)
	})
}

func figures[T any](list []T, of func(T) supervisor.Figures) (out []supervisor.Figures) {
	for _, one := range list {
		out = append(out, of(one))
	}
	return out
}

func counts(f supervisor.Figures) [14]int {
	return [14]int{f.Sent, f.Delivered, f.Opened, f.Declined, f.Paid, f.Expired, f.Cancelled, f.Otherwise, f.Live, f.Sales, f.SalesPaid, f.Recovered, f.Clients, f.Enrolled + 1000*f.OnAutoPay}
}

// naive is a payment with everything about it, of whatever door.
type naive struct {
	id, chain, door, client, agent, team, location, state, reason, language string
	days                                                                    int
	own, delivered                                                          bool
	sent, opened, closed, expires, autoPay                                  int64
	declines                                                                int
	last4                                                                   []string
}

func (l naive) between(from, to day.Date) bool {
	zone, _ := time.LoadLocation("America/New_York") // days are counted here: most locations are there
	of := day.Of(time.UnixMilli(l.sent).In(zone))
	return from <= of && of <= to
}

func (l naive) key(by supervisor.Dimension) string {
	return map[supervisor.Dimension]string{supervisor.ByAgent: l.agent, supervisor.ByTeam: l.team, supervisor.ByLocation: l.location, supervisor.ByDays: fmt.Sprint(l.days), supervisor.ByLanguage: l.language,
		supervisor.ByNumber: map[bool]string{true: supervisor.Own, false: supervisor.Other}[l.own]}[by]
}

type naiveDecline struct{ payment, code string }

type naiveBlock struct {
	naive
	why string
}

// naively reads everything, table by table.
func (b *books) naively() (rows []naive, declines []naiveDecline, blocked []naiveBlock) {
	b.Helper()
	each := func(query string, scan func(r *sql.Rows) error) {
		b.Helper()
		r, err := b.raw.QueryContext(b.ctx, query)
		b.must(err)
		for r.Next() {
			b.must(scan(r))
		}
		b.must(errors.Join(r.Err(), r.Close()))
	}
	teams, autoPay, place := map[string]string{}, map[string]int64{}, map[string]int{}
	each(`SELECT id, team FROM staff`, func(r *sql.Rows) error {
		var id, team string
		err := r.Scan(&id, &team)
		teams[id] = team
		return err
	})
	each(`SELECT id, auto_pay_since_ms FROM clients`, func(r *sql.Rows) error {
		var id string
		var since int64
		err := r.Scan(&id, &since)
		autoPay[id] = since
		return err
	})
	frozenDays := map[string]int{} // by text
	each(`SELECT id, chain_id, door, client_id, by_id, location_id, state, reason, created_ms, opened_ms, closed_ms, expires_ms, frozen FROM payments`, func(r *sql.Rows) error {
		var l naive
		var text string
		err := r.Scan(&l.id, &l.chain, &l.door, &l.client, &l.agent, &l.location, &l.state, &l.reason, &l.sent, &l.opened, &l.closed, &l.expires, &text)
		if _, ok := frozenDays[text]; !ok {
			var f pay.Frozen
			b.must(json.Unmarshal([]byte(text), &f))
			frozenDays[text] = f.Input.Days
		}
		l.days, l.team, l.autoPay = frozenDays[text], teams[l.agent], autoPay[l.client]
		place[l.id] = len(rows)
		rows = append(rows, l)
		return err
	})
	firstOf := map[string]int64{}
	each(`SELECT payment_id, language, own_number, created_ms, last4 FROM links`, func(r *sql.Rows) error {
		var id, language, last4 string
		var own, at int64
		err := r.Scan(&id, &language, &own, &at, &last4)
		l := &rows[place[id]]
		if first, ok := firstOf[id]; !ok || at < first {
			firstOf[id], l.language, l.own = at, language, own == 1
		}
		l.last4 = append(l.last4, last4)
		return err
	})
	each(`SELECT payment_id FROM messages WHERE kind = 'link' AND status = 'delivered'`, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		rows[place[id]].delivered = true
		return err
	})
	each(`SELECT payment_id, code FROM attempts WHERE state = 'declined'`, func(r *sql.Rows) error {
		var one naiveDecline
		err := r.Scan(&one.payment, &one.code)
		rows[place[one.payment]].declines++
		declines = append(declines, one)
		return err
	})
	each(`SELECT by_id, location_id, why, at_ms FROM blocked`, func(r *sql.Rows) error {
		var one naiveBlock
		err := r.Scan(&one.agent, &one.location, &one.why, &one.sent)
		one.team = teams[one.agent]
		blocked = append(blocked, one)
		return err
	})
	slices.SortFunc(rows, func(a, b naive) int { return cmp.Or(cmp.Compare(a.sent, b.sent), strings.Compare(a.id, b.id)) })
	return rows, declines, blocked
}

// figuresOf counts some of all payments.
func figuresOf(kept, all []naive, now int64) supervisor.Figures {
	var f supervisor.Figures
	chains := map[string][]naive{}
	for _, l := range all {
		chains[l.chain] = append(chains[l.chain], l)
	}
	var opened, paid []int64
	clients := map[string]bool{}
	count := func(n *int, when bool) {
		if when {
			*n++
		}
	}
	for _, l := range kept {
		sold := l.state == "paid" || l.state == "applied"
		expired := l.state == "expired" && l.reason != "not_sent" || l.state == "open" && l.expires <= now
		live := l.state == "open" && l.expires > now
		count(&f.Sent, true)
		count(&f.Delivered, l.delivered)
		count(&f.Opened, l.opened > 0)
		count(&f.Declined, l.declines > 0)
		count(&f.Paid, sold)
		count(&f.Expired, expired)
		count(&f.Cancelled, l.state == "revoked")
		count(&f.Live, live)
		count(&f.Otherwise, !sold && !expired && !live && l.state != "revoked")
		if l.opened > 0 {
			opened = append(opened, l.opened-l.sent)
		}
		if l.state == "paid" {
			paid = append(paid, l.closed-l.sent)
		}
		first, chainPaid, soon := true, false, false
		for _, other := range chains[l.chain] {
			first = first && !(other.door == "link" && other.sent < l.sent)
			chainPaid = chainPaid || other.state == "paid" || other.state == "applied"
			soon = soon || other.state == "paid" && other.closed > l.expires && other.closed-l.expires <= 3_600_000
		}
		count(&f.Sales, first)
		count(&f.SalesPaid, first && chainPaid)
		count(&f.Recovered, expired && soon)
		if sold && !clients[l.client] {
			clients[l.client] = true
			count(&f.Clients, true)
			count(&f.OnAutoPay, l.autoPay > 0 && l.autoPay < l.closed)
			count(&f.Enrolled, l.autoPay >= l.closed && l.autoPay-l.closed <= 30*24*3_600_000)
		}
	}
	f.ToOpen, f.ToPay = rank(opened), rank(paid)
	return f
}

// rank finds the shortest time that half of them, and nine in ten, did not exceed, by counting.
func rank(times []int64) supervisor.Spread {
	s := supervisor.Spread{N: len(times)}
	slices.Sort(times)
	for i, one := range times {
		if within := i + 1; s.Median == 0 && 2*within >= len(times) {
			s.Median = time.Duration(one) * time.Millisecond
		}
		if within := i + 1; s.P90 == 0 && 10*within >= 9*len(times) {
			s.P90 = time.Duration(one) * time.Millisecond
		}
	}
	return s
}

func declinesOf(kept []naive, declines []naiveDecline) []supervisor.Decline {
	paid := map[string]bool{}
	for _, l := range kept {
		paid[l.id] = l.state == "paid" || l.state == "applied"
	}
	cards, links := map[string]int{}, map[string]map[string]bool{}
	for _, d := range declines {
		if _, ok := paid[d.payment]; !ok {
			continue
		}
		words := strings.TrimSuffix(strings.Split(lang.English.Decline(d.code), " Nothing")[0], ".")
		cards[words]++
		if links[words] == nil {
			links[words] = map[string]bool{}
		}
		links[words][d.payment] = true
	}
	var out []supervisor.Decline
	for words, n := range cards {
		d := supervisor.Decline{Reason: words, Cards: n, Links: len(links[words])}
		for id := range links[words] {
			if paid[id] {
				d.Paid++
			}
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b supervisor.Decline) int { return cmp.Or(b.Cards-a.Cards, strings.Compare(a.Reason, b.Reason)) })
	return out
}

func tries(blocks []supervisor.Block) map[[2]string]int {
	out := map[[2]string]int{}
	for _, one := range blocks {
		out[[2]string{one.LocationID, string(one.Why)}] = one.Tries
	}
	return out
}

// blockedOf counts what was blocked. What only a link that was sent has, is left out.
func blockedOf(blocked []naiveBlock, keep func(l naive) bool, f supervisor.Filter) map[[2]string]int {
	out := map[[2]string]int{}
	for _, one := range blocked {
		if one.days, one.language = f.Days, f.Language; keep(one.naive) {
			out[[2]string{one.location, one.why}]++
		}
	}
	return out
}

// control holds the control list against the numbers themselves.
func (b *books) control(desk supervisor.Desk, f supervisor.Filter, rows []naive) {
	b.Helper()
	c, err := desk.Control(b.ctx, staff.Member{ID: "staff-supervisor", Role: staff.Supervisor}, f)
	b.must(err)
	people, err := b.Staff(b.ctx, 1000)
	b.must(err)
	clients, links := map[string]map[string]bool{}, map[string]int{}
	toStaff, other := 0, map[string]int{}
	for _, l := range rows {
		if l.door != "link" {
			continue
		}
		if !l.own {
			other[l.agent]++
		}
		if l.own { // each client has a number of their own here, and nobody else's
			continue
		}
		all, err := b.DB.Links(b.ctx, l.id)
		b.must(err)
		for _, one := range all {
			number := one.Phone.E164()
			if clients[number] == nil {
				clients[number] = map[string]bool{}
			}
			clients[number][l.client] = true
			links[number]++
			for _, m := range people {
				if m.Phone.E164() == number {
					toStaff++
				}
			}
		}
	}
	want := map[string][2]int{}
	for number, of := range clients {
		if len(of) >= 3 {
			want[number] = [2]int{len(of), links[number]}
		}
	}
	got := map[string][2]int{}
	for _, s := range c.Shared {
		got[s.Number.E164()] = [2]int{len(s.Clients), s.Links}
		for _, client := range s.Clients {
			if client.Name == "" || !clients[s.Number.E164()][client.Key] {
				b.Errorf("%s is shared by %q", s.Number, client)
			}
		}
	}
	if len(want) <= supervisor.ControlMost && !reflect.DeepEqual(got, want) {
		b.Errorf("%d shared numbers, want %d", len(got), len(want))
	}
	for number, n := range got {
		if want[number] != n {
			b.Errorf("••%s: %v, want %v", number[len(number)-4:], n, want[number])
		}
	}
	if len(c.ToStaff) != min(toStaff, supervisor.ControlMost) || toStaff == 0 {
		b.Errorf("%d links to a telephone of ours, want %d", len(c.ToStaff), toStaff)
	}
	for _, one := range c.Changed {
		if one.Other != other[one.Agent] {
			b.Errorf("%s sent %d elsewhere, want %d", one.Name, one.Other, other[one.Agent])
		}
	}
}

func testKeys() seal.Keys {
	var key [seal.KeyBytes]byte
	keys, _ := seal.New(key[:]) // of the right length
	return keys
}
