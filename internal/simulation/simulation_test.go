// Package simulation plays the service through seeded histories in virtual time: the real machine, desk and database, among suppliers, people and machines
// that misbehave. Every seed ends with faults over, everything settled, and our books held against Stripe's.
package simulation

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paylink/internal/money"
	"paylink/internal/pay"
)

var (
	seeds = flag.Uint64("seeds", 0, "how many seeds to play; 0: 100")
	from  = flag.Uint64("from", 1, "the first seed")
	most  = flag.Int("failures", 3, "after how many failed seeds to stop")
	seed  = flag.Uint64("seed", 0, "the one seed to play, with its whole history")
)

// outcome is what one seed came to.
type outcome struct {
	seed    uint64
	broken  string
	history []byte
	hash    string
	counts  map[fault]int
	states  map[string]int
	lasted  time.Duration // virtual
}

// play plays one seed.
func play(seed uint64, dir string, template []byte) (outcome, error) {
	w, err := newWorld(seed, dir, template)
	if err != nil {
		return outcome{}, err
	}
	began := w.now
	w.run()
	o := outcome{seed: seed, broken: w.broken, history: w.history, counts: w.counts, states: map[string]int{}, lasted: w.now.Sub(began)}
	for _, s := range w.sales {
		o.states[string(s.State)]++
	}
	sum := sha256.Sum256(w.history)
	o.hash = hex.EncodeToString(sum[:])
	return o, w.close()
}

// run is a seed's whole life.
func (w *world) run() {
	w.wallet = wallets[w.chance.IntN(len(wallets))]
	for n := range 1 + w.chance.IntN(3)/2 {
		p := &process{name: string(rune('A' + n)), skew: w.between(-5*time.Second, 5*time.Second)}
		w.servers = append(w.servers, p)
		w.serve(p, 0)
	}
	w.vehicles = town[w.chance.IntN(2*len(town))%(len(town)+1)%len(town)]
	length := w.between(11*time.Minute, 18*time.Minute)
	for _, v := range w.vehicles {
		w.person("agent", w.between(0, time.Minute), func() { w.agent(v) })
		if w.happens(center) {
			w.person("service center", w.between(0, length), func() { w.center(v) })
		}
	}
	if w.happens(stripeDown) {
		w.begin("Stripe", nil, w.between(0, length/2), func(*task) {
			most := 3 * time.Minute
			if w.rolls(0.1) {
				most = 30 * time.Minute
			}
			w.bank.down = w.now.Add(w.between(10*time.Second, most))
			w.say("Stripe is down until %s", w.bank.down.Format(time.TimeOnly))
		})
	}
	w.person("finance", w.between(0, time.Minute), w.finance)
	w.person("dashboard", w.between(time.Minute, length), func() {
		for _, pi := range w.bank.intents {
			switch {
			case w.happens(dashboardCancel):
				w.bank.cancelOutside(pi)
			case w.written(pi) && w.happens(dashboardPay):
				w.bank.payOutside(pi)
			case pi.charges > 0 && w.happens(disputes):
				w.bank.dispute(pi)
			case pi.charges > 0 && len(pi.disputes) == 0 && w.happens(dashboardBack):
				_, _ = w.bank.refund(pi, pay.RefundRequest{Account: pi.Account, IntentID: pi.ID, Amount: 1 + money.Cents(w.chance.Int64N(int64(pi.Amount)))})
			}
		}
	})
	for end := w.now.Add(length); w.broken == "" && w.now.Before(end) && !w.allIsDone(); {
		w.runUntil(w.now.Add(min(end.Sub(w.now), time.Minute)))
	}
	if w.broken == "" {
		w.settle()
	}
	if w.broken == "" {
		w.audit()
	}
}

// allIsDone says whether nobody has anything left to do.
func (w *world) allIsDone() bool {
	for _, t := range w.tasks {
		if t.person && t.name != "finance" && t.name != "dashboard" {
			return false
		}
	}
	return len(w.unsettled()) == 0 && !w.stillComes()
}

// memory is a folder in memory if there is one.
func memory(t *testing.T) string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		if dir, err := os.MkdirTemp("/dev/shm", "paylink-simulation-"); err == nil {
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			return dir
		}
	}
	return t.TempDir()
}

func TestWhateverGoesWrongMoneyIsTakenExactlyOnce(t *testing.T) {
	dir := memory(t)
	file, err := template(dir)
	if err != nil {
		t.Fatal(err)
	}
	if *seed != 0 {
		o, err := play(*seed, dir, file)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("seed %d, history %s\n%s", o.seed, o.hash, o.history)
		if o.broken != "" {
			t.Error(o.broken)
		}
		return
	}
	count := *seeds
	if count == 0 {
		count = 100 // the test command plays 10,000 besides (scripts/test.sh)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	began := time.Now()
	var next atomic.Uint64
	next.Store(*from)
	var mu sync.Mutex
	faults, states, failed, done := map[fault]int{}, map[string]int{}, 0, uint64(0)
	var lasted time.Duration
	var players sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		players.Go(func() {
			for {
				n := next.Add(1) - 1
				if n >= *from+count {
					return
				}
				o, err := play(n, dir, file)
				mu.Lock()
				if err != nil {
					t.Errorf("seed %d: %v", n, err)
					mu.Unlock()
					return
				}
				for f, times := range o.counts {
					faults[f] += times
				}
				for s, times := range o.states {
					states[s] += times
				}
				lasted += o.lasted
				if done++; done%10_000 == 0 {
					fmt.Fprintf(os.Stderr, "%d seeds, %s\n", done, time.Since(began).Round(time.Second))
				}
				if o.broken != "" {
					failed++
					t.Errorf("seed %d: %s\nreplay: go test -run TestWhateverGoesWrong ./internal/simulation -v -seed %d\n%s", n, o.broken, n, o.history)
				}
				stop := failed >= *most
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	players.Wait()
	t.Logf("%d seeds in %s, %s of virtual time, %d failed", done, time.Since(began).Round(time.Millisecond), lasted.Round(time.Minute), failed)
	for _, name := range sorted(states) {
		t.Logf("%8d payments %s", states[name], name)
	}
	for _, name := range sorted(faults) {
		t.Logf("%8d × %s", faults[name], name)
	}
}

func sorted[K ~string](m map[K]int) []K {
	var out []K
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// TestASeedGivesTheSameHistory: what can't be replayed can't be understood.
func TestASeedGivesTheSameHistory(t *testing.T) {
	dir := memory(t)
	file, err := template(dir)
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(20) {
		first, err := play(n+1, dir, file)
		if err != nil {
			t.Fatal(err)
		}
		again, err := play(n+1, dir, file)
		if err != nil {
			t.Fatal(err)
		}
		if first.hash != again.hash {
			t.Errorf("seed %d has two histories", n+1)
		}
	}
}
