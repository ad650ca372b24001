package simulation

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/autopay"
	"paylink/internal/day"
	"paylink/internal/demo"
	"paylink/internal/desk/clock"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/sqldb"
	"paylink/internal/trail"
)

var clients = flag.Int("clients", 20, "how many clients have Auto Pay in the simulated months; make test: 500")

// runs is what Auto Pay reads and writes, with the faults of a database around it.
type runs struct{ store }

func (s runs) PlanRuns(ctx context.Context, by day.Date, limit int) error {
	return s.call(ctx, "plan", true, func(ctx context.Context) error { return s.db.PlanRuns(ctx, by, limit) })
}

func (s runs) DueRuns(ctx context.Context, limit int) ([]clock.RunKey, error) {
	return s.db.DueRuns(context.WithoutCancel(ctx), limit)
}

func (s runs) TakeRun(ctx context.Context, k clock.RunKey, lease time.Duration) (r autopay.Run, ok bool, err error) {
	err = s.call(ctx, "take run", true, func(ctx context.Context) error {
		r, ok, err = s.db.TakeRun(ctx, k, lease)
		return err
	})
	return r, ok, err
}

func (s runs) SaveRun(ctx context.Context, r autopay.Run, said clock.Said) error {
	return s.call(ctx, "save run", true, func(ctx context.Context) error {
		s.w.say("run %s %s: %s %s, %d charges, %d declines, next %s", r.VehicleID, r.Due, r.State, r.Why, r.Charges, r.Declines, r.NextAt.Format(time.RFC3339))
		return s.db.SaveRun(ctx, r, said)
	})
}

func (s runs) Client(ctx context.Context, id string) (c account.Client, v []account.Vehicle, err error) {
	err = s.call(ctx, "client", false, func(ctx context.Context) error {
		c, v, err = s.db.Client(ctx, id)
		return err
	})
	return c, v, err
}

func (s runs) Location(ctx context.Context, id string) (account.Location, error) {
	return s.db.Location(context.WithoutCancel(ctx), id)
}

func (s runs) Standing(ctx context.Context, c account.Client) (account.Standing, error) {
	return s.db.Standing(context.WithoutCancel(ctx), c)
}

func (s runs) Cards(ctx context.Context, clientID string) ([]account.Card, error) {
	return s.db.Cards(context.WithoutCancel(ctx), clientID)
}

func (s runs) RunsOf(ctx context.Context, clientID string, limit int) ([]autopay.Run, error) {
	return s.db.RunsOf(context.WithoutCancel(ctx), clientID, limit)
}

func (s runs) PaymentOfForm(ctx context.Context, key string) (pay.Payment, error) {
	return s.db.PaymentOfForm(context.WithoutCancel(ctx), key)
}

// enrolled is a client with Auto Pay: what their card does, and what is expected of it.
type enrolled struct {
	client, vehicle string
	zone            *time.Location
	from            day.Date // Paid To Date at the beginning
	days            int
	kind            cardKind
	heals           bool // the card that is declined is good again some days later
}

// month is a town in which everybody has Auto Pay.
type month struct {
	*world
	people []enrolled
}

func newMonth(t *testing.T, seed uint64, begins time.Time, n int) *month {
	t.Helper()
	dir := memory(t)
	facts := sqldb.Import{Locations: demo.Data(begins).Locations}
	phoenix := facts.Locations[4] // no tax, like Portland, and no daylight saving
	phoenix.ID, phoenix.Name, phoenix.Zone = "AZ-PHX", "Phoenix, AZ", "America/Phoenix"
	facts.Locations = append(facts.Locations, phoenix)
	m := &month{}
	places := []int{0, 1, 3, 4, 6, 7} // but those that take no payments
	kinds := []cardKind{good, good, good, good, good, slow, poor, poor, secure, good}
	for i := range n {
		l := facts.Locations[places[i%len(places)]]
		p := enrolled{client: fmt.Sprintf("2%05d", i), vehicle: fmt.Sprintf("veh_%05d", i), zone: l.TimeZone(), days: []int{14, 30}[i/2%2], kind: kinds[i%len(kinds)], heals: i%20 == 6}
		p.from = l.Today(begins).AddDays(1 + i%31)
		facts.Clients = append(facts.Clients, account.Client{ID: p.client, FirstName: "Client", LastName: fmt.Sprint(i), Language: []string{"en", "es"}[i%2], Email: p.client + "@clients.interlane.example",
			Phone: phone.Stored(fmt.Sprintf("+1804555%04d", 100+i%100)), AutoPayDays: p.days})
		facts.Vehicles = append(facts.Vehicles, account.Vehicle{ID: p.vehicle, ClientID: p.client, LocationID: l.ID, Label: "2016 Honda Civic", Program: account.IID, DailyRate: 3_10, PaidTo: p.from})
		m.people = append(m.people, p)
	}
	file := filepath.Join(dir, "month.db")
	ids := 0
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite:" + file, Now: func() time.Time { return begins }, Keys: keys, NewID: func() string { ids++; return fmt.Sprintf("t%d", ids) }, MaxConns: 1, Changed: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(errors.Join(db.Migrate(t.Context()), db.Import(t.Context(), facts)))
	for i, p := range m.people {
		must(db.AddCard(t.Context(), account.Card{
			ID: "card_" + p.client, ClientID: p.client, Customer: "cus_" + p.client, PaymentMethod: "pm_saved_" + p.client, Brand: "visa", Last4: "4242", Funding: "credit", ExpMonth: 12, ExpYear: begins.Year() + 2,
			Main: true, TermsVersion: terms, TermsLanguage: "en",
		}, trail.Entry{ID: fmt.Sprintf("card-%d", i), Actor: trail.BySystem, Act: "add card"}))
	}
	must(db.Close())
	template, err := os.ReadFile(file)
	must(err)
	w, err := newWorld(seed, dir, template)
	must(err)
	t.Cleanup(func() { must(w.close()) })
	w.now, w.faultAt, w.most, w.idle = begins, begins, 50_000_000, time.Hour
	w.rates = map[fault]float64{
		confirmLost: 0.05, webhookTwice: 0.05, webhookLate: 0.2, webhookNever: 0.02, lostBefore: 0.02, lostAfter: 0.02, lostRead: 0.02, answer409: 0.02, answer429: 0.02, rolledBack: 0.02, rolledForward: 0.01,
		workerKilled: 0.002, processKilled: 0.0005, workerStopped: 0.001, sqlBefore: 0.003, sqlAfter: 0.003,
	}
	for _, p := range m.people {
		w.bank.cards["pm_saved_"+p.client] = &card{id: "pm_saved_" + p.client, kind: p.kind, saved: true}
	}
	m.world = w
	return m
}

// schedules has a process look after Auto Pay, as app does: only that it looks every quarter of an hour, and at once again while something is due.
func (m *month) schedules(p *process) {
	a := &clock.AutoPay{Runs: runs{m.store}, Collect: m.machine.Collect, NewID: m.newID}
	busy := map[clock.RunKey]bool{}
	m.begin("auto pay "+p.name, nil, m.between(0, time.Minute), func(t *task) {
		for {
			pause := m.between(10*time.Minute, 15*time.Minute)
			if !p.down {
				// Its own death comes within its work; that nobody plans for a while is part of it.
				if err := (runs{m.store}).PlanRuns(t.ctx, day.Of(m.now.UTC()).AddDays(5), 5000); err != nil && !ours(err) {
					m.breaks("plan: %v", err)
				}
				due, err := m.db.DueRuns(context.Background(), 500)
				if err != nil {
					m.breaks("due: %v", err)
				}
				for _, k := range due {
					if busy[k] {
						continue
					}
					busy[k] = true
					pause = 20 * time.Second
					worker := m.begin("run "+k.VehicleID+" "+string(k.Due)+" "+p.name, p, m.between(0, time.Second), func(t *task) {
						if err := a.Look(t.ctx, k); err != nil {
							m.say("failed: %v", err)
							if !ours(err) {
								m.odd(err)
							}
						}
					})
					worker.outcome = func() { delete(busy, k) }
				}
			}
			m.pause(pause)
		}
	})
}

// TestMonthsOfAutoPay plays two months in which everybody is charged by the clock: over a leap day and the beginning of daylight saving, and over its end; with two schedulers, crashes, and
// a Stripe and a database that lose answers.
func TestMonthsOfAutoPay(t *testing.T) {
	for name, begins := range map[string]time.Time{
		"leap day, spring": time.Date(2028, 2, 12, 3, 0, 0, 0, time.UTC),
		"autumn":           time.Date(2026, 10, 15, 3, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			m := newMonth(t, 7, begins, *clients/2)
			for i, skew := range []time.Duration{-2 * time.Second, 3 * time.Second} {
				p := &process{name: string(rune('A' + i)), skew: skew}
				m.servers = append(m.servers, p)
				m.serve(p, 0)
				m.schedules(p)
			}
			for i, p := range m.people {
				if p.heals {
					m.person("client "+p.client, time.Duration(p.from.AddDays(6).Time().Unix()-begins.Unix())*time.Second, func() { m.bank.cards["pm_saved_"+p.client].kind = good })
				}
				if i%9 == 4 && p.kind == good { // somebody pays at the center a day before the clock would
					m.person("center "+p.client, time.Duration(p.from.AddDays(-1).Time().Unix()-begins.Unix())*time.Second, func() { m.payAtCenter(p) })
				}
			}
			ends := begins.AddDate(0, 0, 46)
			m.runUntil(ends)
			if m.broken == "" {
				m.settle()
			}
			if m.broken == "" {
				m.audit()
			}
			if m.broken == "" {
				m.eachIsChargedWhenItIsDue(ends)
			}
			if m.broken != "" {
				t.Errorf("%s\n%s", m.broken, last(m.history, 4000))
			}
			t.Logf("%d clients, %d payments, %d charges, %d letters, %v: %s of virtual time in %s", len(m.people), len(m.sales), len(m.bank.intents),
				m.one(`SELECT COUNT(*) FROM letters`), m.counts, ends.Sub(begins), time.Since(began).Round(time.Millisecond))
		})
	}
}

func last(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// payAtCenter moves a date as a payment at the service center does.
func (m *month) payAtCenter(p enrolled) {
	if _, err := m.raw.Exec(`UPDATE vehicles SET paid_to = $1, paid_by = '' WHERE id = $2 AND paid_to = $3`, string(p.from.AddDays(p.days)), p.vehicle, string(p.from)); err != nil {
		m.breaks("center: %v", err)
	}
	m.moves = append(m.moves, move{p.vehicle, string(p.from), string(p.from.AddDays(p.days)), ""})
}

// eachIsChargedWhenItIsDue counts what a client was charged against what they should have been, by the calendar alone.
func (m *month) eachIsChargedWhenItIsDue(ends time.Time) {
	for _, p := range m.people {
		paidTo := day.Date("")
		m.each(`SELECT paid_to FROM vehicles WHERE id = '`+p.vehicle+`'`, func(scan func(...any) error) error { return scan(&paidTo) })
		charged := m.one(`SELECT COUNT(*) FROM payments WHERE vehicle_id = '` + p.vehicle + `' AND state IN ('paid', 'applied')`)
		declined := m.one(`SELECT COUNT(*) FROM payments WHERE vehicle_id = '` + p.vehicle + `' AND state = 'declined'`)
		center := int64(0)
		for _, mv := range m.moves {
			if mv.vehicle == p.vehicle && mv.by == "" {
				center++
			}
		}
		if paidTo != p.from.AddDays(int(charged+center)*p.days) && !p.heals { // unpaid days come on top where a card was declined first
			m.breaks("%s was charged %d times from %s on and is paid to %s", p.vehicle, charged, p.from, paidTo)
		}
		today := day.Of(ends.In(p.zone))
		switch {
		case p.kind == good || p.kind == slow || p.heals:
			if !today.Before(paidTo) {
				m.breaks("%s is paid to %s only, on %s", p.vehicle, paidTo, today)
			}
			if today.AddDays(p.days).Before(paidTo) && charged > 0 {
				m.breaks("%s is paid to %s already, on %s", p.vehicle, paidTo, today)
			}
			if p.heals && p.from.AddDays(13).Before(today) && (declined == 0 || charged == 0) {
				m.breaks("%s was declined %d times and charged %d times, by a card that is good again", p.vehicle, declined, charged)
			}
		case p.kind == secure:
			if charged != 0 || declined > 1 {
				m.breaks("%s was charged %d times and declined %d times, by a card that needs its owner", p.vehicle, charged, declined)
			}
		case p.kind == poor:
			if charged != 0 || declined > 1+autopay.MaxRetries || declined != 1+autopay.MaxRetries && p.from.AddDays(14).Before(today) {
				m.breaks("%s was declined %d times from %s on", p.vehicle, declined, p.from)
			}
		}
	}
	byVehicle := map[string]enrolled{}
	for _, p := range m.people {
		byVehicle[p.vehicle] = p
	}
	// Never before eight in the morning, and no more than four retries in fourteen days.
	m.each(`SELECT p.id, p.vehicle_id, p.created_ms, v.client_id FROM payments p JOIN vehicles v ON v.id = p.vehicle_id WHERE p.door = 'autopay'`, func(scan func(...any) error) error {
		var id, vehicle, client string
		var created int64
		if err := scan(&id, &vehicle, &created, &client); err != nil {
			return err
		}
		p := byVehicle[vehicle]
		if at := time.UnixMilli(created).In(p.zone); at.Hour() < autopay.Hour || at.Sub(autopay.At(p.from, p.zone)) < 0 {
			m.breaks("%s of %s was begun at %s", id, vehicle, at)
		}
		return nil
	})
	// One reminder a run, and one letter for what came of it.
	if n := m.one(`SELECT COUNT(*) FROM (SELECT client_id, said FROM letters WHERE kind = 'auto_pay_soon' GROUP BY client_id, said HAVING COUNT(*) > 1) AS twice`); n != 0 {
		m.breaks("%d reminders came twice", n)
	}
	if paid, told := m.one(`SELECT COUNT(*) FROM payments WHERE door = 'autopay' AND state IN ('paid', 'applied')`), m.one(`SELECT COUNT(*) FROM letters WHERE kind = 'auto_pay_paid'`); paid != told {
		m.breaks("%d were charged and %d were told", paid, told)
	}
	m.eachDeclineIsTextedByDay()
	if n := m.one(`SELECT COUNT(*) FROM auto_pay_runs WHERE state = 'waiting' AND due <= '` + string(day.Of(ends).AddDays(-14)) + `'`); n != 0 {
		m.breaks("%d runs of long ago are still waiting", n)
	}
}

// eachDeclineIsTextedByDay wants one text for each decline (the carrier counts its copies), and none at night.
func (m *month) eachDeclineIsTextedByDay() {
	if declined, told := m.one(`SELECT COUNT(*) FROM payments WHERE door = 'autopay' AND state = 'declined'`), m.one(`SELECT COUNT(*) FROM messages WHERE kind = 'decline'`); declined != told || told == 0 {
		m.breaks("%d charges were declined, and %d texts tell of one", declined, told)
	}
	if n := m.one(`SELECT COUNT(*) FROM messages WHERE kind = 'decline' AND status IN ('waiting', 'unclear')`); n != 0 {
		m.breaks("%d texts have come to no end", n)
	}
	zones := map[string]*time.Location{}
	for _, p := range m.people {
		zones[p.client] = p.zone
	}
	m.each(`SELECT m.id, p.client_id, m.handed_ms FROM messages m JOIN payments p ON p.id = m.payment_id WHERE m.kind = 'decline' AND m.handed_ms <> 0`, func(scan func(...any) error) error {
		var id, client string
		var handed int64
		if err := scan(&id, &client, &handed); err != nil {
			return err
		}
		if hour := time.UnixMilli(handed).In(zones[client]).Hour(); hour < 8 || hour >= 21 {
			m.breaks("text %s left at %d o'clock", id, hour)
		}
		return nil
	})
}
