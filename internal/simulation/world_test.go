package simulation

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"paylink/internal/demo"
	"paylink/internal/desk/payer"
	"paylink/internal/ledger"
	"paylink/internal/link"
	"paylink/internal/lockout"
	"paylink/internal/pay"
	"paylink/internal/seal"
	"paylink/internal/sqldb"
)

const terms = "1"

// morning is when the template's facts are of. A seed begins within fourteen hours of it, so that midnight passes in some.
var morning = time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)

// world is one seed: the service, its suppliers, and the people around them.
type world struct {
	schedule
	seed    uint64
	rates   map[fault]float64
	counts  map[fault]int
	quiet   bool      // faults are over
	faultAt time.Time // the last one's
	events  int
	ids     int
	idle    time.Duration // how long a sweeper that was told of nothing waits; 0: a minute

	db       *sqldb.DB
	raw      *sql.DB // the same database, to look behind it
	file     string
	store    store
	bank     *bank
	carrier  *carrier
	door     *door
	machine  *pay.Machine
	desk     *payer.Desk
	servers  []*process
	dues     map[string]time.Time // what is due when: only for when a sweeper had better look; what it finds is SQL's word
	sales    []*sale
	bySale   map[string]*sale
	live     map[string]string // vehicle → its live payment
	tokens   []string
	alarms   []pay.Alarm
	moves    []move // in the order of their commits
	links    map[link.Digest]link.Link
	vehicles []vehicle
	wallet   []cardKind
}

// process is one instance of the service.
type process struct {
	name    string
	skew    time.Duration // of its own clock; what is decided is decided by the database's
	sweeper *task
	busy    map[string]bool
	down    bool
	looked  time.Time // when its sweeper last went round
}

type vehicle struct{ client, id, last4 string }

// move is a Paid To Date that moved, by a payment or, "", at the service center.
type move struct{ vehicle, from, to, by string }

var keys = func() seal.Keys {
	k, err := seal.New(make([]byte, seal.KeyBytes))
	if err != nil {
		panic(err)
	}
	return k
}()

// template is a migrated and seeded database, as a file's bytes.
func template(dir string) ([]byte, error) {
	file := filepath.Join(dir, "template.db")
	ctx := context.Background()
	n := 0
	db, err := sqldb.Open(ctx, sqldb.Config{URL: "sqlite:" + file, Now: func() time.Time { return morning }, Keys: keys, NewID: func() string { n++; return fmt.Sprintf("t%d", n) }, MaxConns: 1, Changed: func(string) {}})
	if err != nil {
		return nil, err
	}
	facts := demo.Data(morning)
	for i := range facts.Entries { // a credit that covers a part only
		if e := &facts.Entries[i]; e.ClientID == "100048" {
			*e = ledger.Open(e.ID, e.ClientID, 0, 30_00, morning)
		}
	}
	facts.Entries = append(facts.Entries, ledger.Open("entry-omar", "100045", 0, 250_00, morning)) // covers all of the first 30 days, and a part of the next
	if err := errors.Join(db.Migrate(ctx), db.Import(ctx, facts), db.FirstTerms(ctx, terms), db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// newWorld makes a seed's world in a folder, of a template's bytes.
func newWorld(seed uint64, dir string, template []byte) (*world, error) {
	w := &world{
		schedule: schedule{chance: rand.New(rand.NewPCG(seed, 20260302))}, seed: seed, counts: map[fault]int{}, dues: map[string]time.Time{},
		bySale: map[string]*sale{}, live: map[string]string{}, links: map[link.Digest]link.Link{}, file: filepath.Join(dir, fmt.Sprintf("seed%d.db", seed)),
	}
	w.now = morning.Add(w.between(0, 14*time.Hour).Truncate(time.Millisecond))
	w.faultAt = w.now
	w.draw()
	if err := os.WriteFile(w.file, template, 0o600); err != nil {
		return nil, err
	}
	var err error
	w.db, err = sqldb.Open(context.Background(), sqldb.Config{URL: "sqlite:" + w.file, Now: func() time.Time { return w.now }, Keys: keys, NewID: w.newID, MaxConns: 1, Changed: func(string) {}})
	if err != nil {
		return nil, err
	}
	if w.raw, err = sql.Open("sqlite", "file:"+w.file+"?_pragma=busy_timeout(5000)&_pragma=synchronous(OFF)"); err != nil {
		return nil, err
	}
	w.raw.SetMaxOpenConns(1)
	w.store = store{w, w.db}
	w.bank = newBank(w)
	w.carrier = &carrier{w: w, sends: map[string]int{}}
	w.door = &door{w: w, passes: map[link.Digest]link.Pass{}, copied: map[link.Digest]link.Pass{}}
	w.machine = &pay.Machine{
		Store: w.store, Gateway: w.bank, Door: w.door, Carrier: w.carrier, NewID: w.newID, Token: w.token, Life: link.Life,
		Wake: w.woken, Alarm: func(a pay.Alarm) {
			w.say("ALARM %s %s %s %s %s", a.Name, a.PaymentID, a.State, a.Reason, a.Detail)
			w.alarms = append(w.alarms, a)
		},
		Texts: pay.Texts{
			Declined: func(string) string { return "Interlane: Auto Pay did not go through" }, Code: func(_, code string) string { return "Interlane: your code is " + code },
			Link: func(_, token string) string { return linkText + token },
			Receipt: func(_ string, p pay.Payment, a pay.Attempt) string {
				return "Interlane: paid " + p.Amount().String() + " " + a.Card.Last4
			},
			Callback: func(id string) string { return id },
		},
	}
	w.desk = &payer.Desk{
		Store: w.store, Machine: w.machine, Door: w.door, Tries: countless{}, Keys: keys, NewID: w.newID, Now: func() time.Time { return w.clock(w.running.on) },
	}
	return w, nil
}

// countless lets everybody try.
type countless struct{ lockout.Counter }

func (countless) Take(context.Context, string, int, time.Duration) (int, error) { return 1, nil }

func (w *world) newID() string {
	w.ids++
	return fmt.Sprintf("%06d", w.ids)
}

func (w *world) token() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var b strings.Builder
	for range link.TokenLength {
		b.WriteByte(letters[w.chance.IntN(len(letters))])
	}
	w.tokens = append(w.tokens, b.String())
	return b.String()
}

// clock is a process's own.
func (w *world) clock(p *process) time.Time {
	if p == nil {
		return w.now
	}
	return w.now.Add(p.skew)
}

func (w *world) close() error {
	w.schedule.close()
	err := errors.Join(w.db.Close(), w.raw.Close())
	for _, end := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(w.file + end)
	}
	return err
}

// --- Processes --------------------------------------------------------------------------------------------------------------------------

func (w *world) anyProcess() *process { return w.servers[w.chance.IntN(len(w.servers))] }

// serve starts a process: its sweeper goes round when something is due, or when it is woken, as desk/clock's does; only that that one looks every second.
func (w *world) serve(p *process, after time.Duration) {
	p.busy, p.down = map[string]bool{}, true
	p.sweeper = w.begin("sweeper "+p.name, nil, after, func(t *task) {
		p.down = false
		for {
			at := w.now
			p.looked = at
			payments, messages, err := w.store.Due(t.ctx, 200)
			if err != nil {
				w.breaks("due: %v", err)
				return
			}
			listed := map[string]bool{}
			take := func(what string, ids []string, work func(context.Context, string) error) {
				for _, id := range ids {
					listed[id] = true
					if p.busy[id] {
						continue
					}
					p.busy[id] = true
					worker := w.begin(what+" "+id+" "+p.name, p, w.between(0, 2*time.Millisecond), func(t *task) {
						if err := work(t.ctx, id); err != nil {
							w.say("failed: %v", err)
							if !ours(err) {
								w.odd(err)
							}
						}
					})
					worker.outcome = func() {
						delete(p.busy, id)
						w.nudge()
					}
				}
			}
			take("deliver", messages, w.machine.Deliver)
			take("tend", payments, w.machine.Tend)
			for id, due := range w.dues {
				if !due.After(at) && !listed[id] {
					delete(w.dues, id)
				}
			}
			w.pause(max(w.nextDue(p).Sub(w.now), 0))
		}
	})
}

// odd is an error of our own that no fault has made.
func (w *world) odd(err error) {
	if !errors.Is(err, pay.ErrOtherAccount) && !errors.Is(err, pay.ErrUnclear) {
		w.breaks("an error that no fault made: %v", err)
	}
}

// nextDue is when a process's sweeper looks again.
func (w *world) nextDue(p *process) time.Time {
	next := w.now.Add(cmp.Or(w.idle, time.Minute)) // the real one looks every second, whatever it was told
	for id, due := range w.dues {
		if !p.busy[id] && due.Before(next) {
			next = due
		}
	}
	if round := p.looked.Add(time.Second); next.Before(round) {
		next = round
	}
	if next.Before(w.now) {
		next = w.now
	}
	return next
}

// due notes when something wants to be looked at; zero: never.
func (w *world) due(id string, at time.Time) {
	if at.IsZero() {
		delete(w.dues, id)
		return
	}
	w.dues[id] = at
	w.nudge()
}

// nudge has sweepers that sleep too long look earlier.
func (w *world) nudge() {
	for _, p := range w.servers {
		if p.sweeper == nil || p.down || p.sweeper.over {
			continue
		}
		if next := w.nextDue(p); p.sweeper != w.running && next.Before(p.sweeper.at) {
			p.sweeper.at = next
		}
	}
}

// woken is the machine's call for the sweeper of its own process.
func (w *world) woken() {
	if t := w.running; t != nil && t.on != nil && !t.on.down && t.on.sweeper != nil {
		w.wake(t.on.sweeper)
	}
}

// crash kills a process with all that it does, and starts it again.
func (w *world) crash(p *process) {
	running := w.running
	for _, t := range append([]*task{}, w.tasks...) {
		if t.on == p && t != running {
			w.kill(t)
		}
	}
	w.kill(p.sweeper)
	w.serve(p, w.between(time.Second, 15*time.Second))
	if running != nil && running.on == p {
		panic(killed{})
	}
}

// asks is a person's request to the service: whoever serves it may be killed, and the person may lose patience.
func (w *world) asks(what string, body func(ctx context.Context) error) (answered bool, err error) {
	person, waiting := w.running, true
	request := w.begin(what, w.anyProcess(), w.between(time.Millisecond, 60*time.Millisecond), func(t *task) {
		got := body(t.ctx)
		if waiting {
			answered, err = true, got
		}
		if got != nil {
			w.say("answer: %v", got)
		}
	})
	request.asked = true
	request.outcome = func() {
		if waiting {
			w.wake(person)
		}
	}
	w.pause(90 * time.Second)
	waiting = false
	return answered, err
}

// hear is a webhook at our door.
func (w *world) hear(n pay.Notice) error {
	answered, err := w.asks("heard "+n.ID, func(ctx context.Context) error { return w.machine.Heard(ctx, n) })
	if !answered {
		return errTimeout
	}
	return err
}
