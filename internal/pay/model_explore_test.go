package pay

import (
	"flag"
	"fmt"
	"strings"
)

// The model goes breadth-first through everything that can happen to a payment: Next and the trace rule as the program uses them, joined to Stripe's side
// (model_stripe_test.go) and to our processes (model_world_test.go). Every moment is held against the rules (model_rules_test.go), and from every moment
// a fair world must come to an end. Each scene is explored completely. Not in the model: texts, Redis, sessions and nonces, the account's lock, two payments
// of one account, clock skew, keys that Stripe has forgotten (24 hours).

var deep = flag.Bool("model.deep", false, "explore the model's wider scenes too")

type broken struct {
	rule  string
	at    int32
	cause cause
}

type exploration struct {
	scene
	rules   rules
	met     *[16][32]bool // State × EventKind, by number
	found   []key
	from    []int32
	places  []int32 // open hashing: number in found plus one
	level   int32   // of the moment in hand
	depth   int
	bad     *broken
	fair    map[key]uint8 // rounds to the end, plus one; 0: being looked at
	slowest uint8
}

func (x *exploration) meets(s State, k EventKind) {
	if x.met != nil {
		x.met[stateNumber(s)][eventNumber(k)] = true
	}
}

func eventNumber(k EventKind) int {
	for i, one := range allEvents {
		if one == k {
			return i
		}
	}
	return len(allEvents)
}

func (x *exploration) fail(rule string, _ moment, c cause) {
	if x.bad == nil {
		x.bad = &broken{rule: rule, at: x.level, cause: c}
	}
}

func (x *exploration) add(k key, from int32) {
	if len(x.found)*2 >= len(x.places) {
		x.places = make([]int32, max(1<<12, len(x.places)*2))
		for i := range x.found {
			x.places[x.place(x.found[i])] = int32(i) + 1
		}
	}
	if p := x.place(k); x.places[p] == 0 {
		x.found, x.from = append(x.found, k), append(x.from, from)
		x.places[p] = int32(len(x.found))
	}
}

func (x *exploration) place(k key) uint64 {
	mask := uint64(len(x.places) - 1)
	h := (k[0] ^ k[1]*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd
	for h = (h ^ h>>32) & mask; x.places[h] != 0 && x.found[x.places[h]-1] != k; h = (h + 1) & mask {
	}
	return h
}

// run explores until nothing new is found, a rule is broken, or most moments were found; it says whether it came to the end.
func (x *exploration) run(most int) bool {
	x.fair = map[key]uint8{}
	x.add(x.pack(x.start()), -1)
	end := 1
	for i := 0; i < len(x.found) && x.bad == nil; i++ {
		if len(x.found) > most {
			return false
		}
		if i == end {
			x.depth, end = x.depth+1, len(x.found)
		}
		x.level = int32(i)
		m := x.unpack(x.found[i])
		if b := m.breaks(); b != "" {
			x.fail(b, m, cause{n: -1})
			break
		}
		if b := x.settles(m); b != "" {
			x.fail(b, m, cause{what: "from here on nothing more goes wrong", n: -1})
			break
		}
		x.next(m, func(to moment, c cause) {
			if x.bad == nil {
				x.add(x.pack(to), x.level)
			}
		})
	}
	return x.bad == nil
}

// story is the shortest way to what was broken.
func (x *exploration) story() string {
	var way []int32
	for i := x.bad.at; i >= 0; i = x.from[i] {
		way = append(way, i)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "scene %q breaks %s\n", x.name, x.bad.rule)
	quiet := &exploration{scene: x.scene, rules: x.rules}
	for i := len(way) - 1; i >= 0; i-- {
		m := x.unpack(x.found[way[i]])
		fmt.Fprintf(&out, "%7s  %s\n", x.times[m.clock].Sub(x.times[0]), m)
		if i == 0 {
			break
		}
		to, said := x.found[way[i-1]], false
		quiet.next(m, func(n moment, c cause) {
			if !said && x.pack(n) == to {
				said = true
				fmt.Fprintf(&out, "    → %s\n", c)
			}
		})
	}
	if c := x.bad.cause.String(); c != "" {
		fmt.Fprintf(&out, "    → %s  ✗ %s\n", c, x.bad.rule)
	}
	return out.String()
}

// --- A fair world ------------------------------------------------------------------------------------------------------------------------

// settles lets nothing more go wrong: whoever was about has died and what was on its way is lost, the payer does nothing more, Stripe answers everything at
// once, with whatever answer, and the sweeper comes as time passes. The payment must come to its end within so many rounds, with its books right. That
// a lost request arrives after all is another moment, from which this is asked too. Money that is in the books is at its end here: model_money_test.go goes on from there.
func (x *exploration) settles(m moment) string {
	if x.bad != nil {
		return ""
	}
	m.waits, m.reads, m.till.way, m.till.cancel = [mostTries][2]bool{}, [2]read{}, [mostTries][2]bool{}, false
	n, b := x.rounds(m)
	x.slowest = max(x.slowest, n)
	return b
}

// roundsMost: one for each of the times of a scene, and one to spare.
const roundsMost = 8

func (x *exploration) rounds(m moment) (uint8, string) {
	l := m.life
	if l.State == Review {
		return 0, ""
	}
	lost := m.restored() && l.IntentID == "" && m.till.stands == charged // a charge that the backup does not know, until T24 finds it
	if !l.State.Live() && !l.CancelDue && !lost {
		switch {
		case !l.NextAt.IsZero() && !l.State.Booked():
			return 0, "settles: at its end, and still due"
		case m.till.stands == charged && !m.booked:
			return 0, "settles: charged and never booked, " + string(l.State)
		case m.till.stands != charged && !l.State.Closed():
			return 0, "settles: booked and not charged"
		}
		return 0, ""
	}
	if l.NextAt.IsZero() && !lost {
		return 0, "due: nobody will look at it again"
	}
	k := x.pack(m)
	if n, ok := x.fair[k]; ok {
		if n == 0 {
			return 0, "settles: round and round, " + string(l.State)
		}
		return n - 1, ""
	}
	x.fair[k] = 0
	worst, bad := uint8(0), ""
	x.tend(m, func(to moment) {
		if bad != "" {
			return
		}
		to.waits, to.reads, to.till.way, to.till.cancel = [mostTries][2]bool{}, [2]read{}, [mostTries][2]bool{}, false
		if int(to.clock)+1 < len(x.times) {
			to.clock++
		}
		n, b := x.rounds(to)
		if bad = b; n+1 > worst {
			worst = n + 1
		}
	})
	if bad == "" && x.bad != nil {
		bad = x.bad.rule
	}
	if bad == "" && worst > roundsMost {
		bad = "settles: too slowly"
	}
	x.fair[k] = worst + 1
	return worst, bad
}

// tend is Machine.Tend, look and drive, with a Stripe that answers.
func (x *exploration) tend(m moment, each func(moment)) {
	if m.till.stands == processing {
		m.till.byItself(func(_ string, t till) { to := m; to.till = t; x.tend(to, each) })
		return
	}
	p := m.life
	if m.restored() && p.IntentID == "" && m.till.stands == charged {
		x.fairly(m, Event{Kind: GotIntent, Intent: "pi_1"}, 4, each)
		return
	}
	inTime := m.back.stage != paused && p.State == Open && x.times[m.clock].Before(p.ExpiresAt)
	if p.IntentID != "" && (p.State.InFlight() && p.ClosingAs == "" || inTime || p.State.Closed() && !p.CancelDue) {
		x.fairly(m, x.rules.seen(m.till.intent(), m.view(), m.life), 4, each)
		return
	}
	x.fairly(m, Event{Kind: Tick}, 4, each)
}

// fairly brings an event home and does what Next wants done.
func (x *exploration) fairly(m moment, e Event, left int, each func(moment)) {
	x.happens(m, e, cause{what: "sweeper", n: -1}, func(to moment, _ cause) {
		n, p := to.life.Attempt-1, to.life.Phase-1
		switch {
		case n >= 0 && p >= 0 && to.waits[n][p] && !m.waits[n][p]: // SendConfirm
			if left == 0 {
				each(to)
				return
			}
			to.waits[n][p] = false
			x.confirmed(to, n, p, left-1, each)
		case to.till.cancel && !m.till.cancel: // SendCancel
			if to.till.confirmable() {
				to.till = to.till.canceled()
			}
			x.happens(to, x.rules.seen(to.till.intent(), to.view(), to.life), cause{n: -1}, func(end moment, _ cause) { each(end) })
		case x.asksAgain(m, to):
			x.happens(to, x.rules.seen(to.till.intent(), to.view(), to.life), cause{n: -1}, func(end moment, _ cause) { each(end) })
		default:
			each(to)
		}
	})
}

// asksAgain: a closed payment's cancel, or one asked for before, is sent again though Stripe has nothing left to cancel; the look after it tells.
func (x *exploration) asksAgain(before, after moment) bool {
	return after.till.over() && (after.life.CancelDue || after.life.ClosingAs != "") && after.life.NextAt != before.life.NextAt
}

// confirmed is a confirm answered at once.
func (x *exploration) confirmed(m moment, n, p, left int, each func(moment)) {
	answered := func(m moment) {
		switch a := m.till.saved[n][p]; a {
		case saidNo:
			x.fairly(m, Event{Kind: GotDecline, Attempt: n + 1}, left, each)
		case saidBroken:
			x.fairly(m, Event{Kind: GotDeadAnswer, Attempt: n + 1}, left, each)
		case saidRefuse:
			if e := seen(m.till.intent(), m.view()); e.Kind != NoTrace {
				x.fairly(m, x.rules.seen(m.till.intent(), m.view(), m.life), left, each)
			} else {
				x.fairly(m, Event{Kind: GotRefusal, Attempt: n + 1}, left, each)
			}
		default:
			x.fairly(m, x.rules.seen(told(a, m.till, n).intent(), m.view(), m.life), left, each)
		}
	}
	if m.till.saved[n][p] != nothingYet {
		answered(m)
		return
	}
	m.till.arrives(n, p, faults{}, func(_ string, t till) { to := m; to.till = t; answered(to) })
}
