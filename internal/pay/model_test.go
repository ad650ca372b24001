package pay

import (
	"testing"
	"time"
)

// seconds is a scene's times.
func seconds(n ...int) (out []time.Time) {
	for _, s := range n {
		out = append(out, at(time.Duration(s)*time.Second))
	}
	return out
}

// justSent is a payment whose link lives for so many seconds and can't be resent.
func justSent(life int, change ...func(*Life)) Life {
	l := Life{State: Open, ExpiresAt: at(time.Duration(life) * time.Second), Resends: MaxResends}
	l.NextAt = l.ExpiresAt
	for _, f := range change {
		f(&l)
	}
	return l
}

// A scene's times are chosen so that each thing that ends has a time before and a time after: of the short link, a claim's lease (61 s), the link itself
// (95), the lease of a claim of its last seconds (130), every other (275).
var (
	shortLink  = seconds(0, 61, 95, 130, 275)
	resentLink = seconds(0, 61, 95, 130, 275, 340, 460)
	longLink   = seconds(0, 61, 302, 365, 605, 670, 790) // 3-D Secure's five minutes end while the link lives
)

// scenes are explored to their ends by `make test` (PAYLINK_TEST_ALL=1), deepScenes by -model.deep too; any other run stops each after plainMost moments.
var scenes = []scene{
	{name: "one card, two looks", begin: justSent(95), times: shortLink, tries: 1, reads: 2, faults: faults{broken: true, processing: true, asksTwice: true}, dashboard: true},
	{name: "two cards", begin: justSent(95, declines(MaxDeclines-2)), times: shortLink, tries: 2, reads: 1, faults: faults{broken: true}},
	{name: "the same card again", begin: justSent(95), times: shortLink, tries: 2, reads: 1, sameToo: true, faults: faults{broken: true}},
	{name: "three cards", begin: justSent(95, declines(MaxDeclines-3)), times: seconds(0, 95, 155, 275), tries: 3, reads: 1},
	{name: "the last decline", begin: justSent(95, declines(MaxDeclines-1)), times: shortLink, tries: 2, reads: 1, faults: faults{processing: true}, dashboard: true, odd: true, notSent: true},
	{name: "resent", begin: justSent(95, resent(MaxResends-1)), times: resentLink, tries: 1, reads: 1, faults: faults{broken: true}},
	{name: "a long link", begin: justSent(600), times: longLink, tries: 1, reads: 1, faults: faults{broken: true}},
	{name: "no PaymentIntent yet", begin: justSent(95), times: shortLink, tries: 1, reads: 1, creating: true, notSent: true},
	{name: "card on file", begin: justSent(95, onFile), times: shortLink, tries: 1, reads: 1, faults: faults{broken: true, processing: true}, dashboard: true, odd: true, notSent: true},
	{name: "what is not ours", begin: justSent(95), times: shortLink, tries: 1, reads: 1, faults: faults{broken: true, processing: true, capture: true}, odd: true, notSent: true},
	{name: "restored from a backup", begin: justSent(95), times: seconds(0, 95, 155, 275), tries: 1, reads: 1, backups: true},
	{name: "restored, of before the PaymentIntent", begin: justSent(95), times: seconds(0, 95, 155, 275), tries: 1, reads: 1, creating: true, backups: true},
	{name: "two cards, restored", begin: justSent(95, declines(MaxDeclines-2)), times: seconds(0, 95, 155, 275), tries: 2, reads: 1, backups: true},
}

var deepScenes = []scene{
	{name: "two cards, everything", begin: justSent(95), times: shortLink, tries: 2, reads: 1, sameToo: true, faults: faults{broken: true, processing: true, asksTwice: true}, dashboard: true},
	{name: "two cards, two looks", begin: justSent(95), times: shortLink, tries: 2, reads: 2, faults: faults{broken: true}},
	{name: "three cards, 500s", begin: justSent(95, declines(MaxDeclines-3)), times: seconds(0, 95, 155, 275), tries: 3, reads: 1, sameToo: true, faults: faults{broken: true}},
	{name: "two cards, resent", begin: justSent(95, resent(MaxResends-1)), times: resentLink, tries: 2, reads: 1, faults: faults{broken: true}},
}

const (
	plainMost  = 5_000      // of each scene, unless everything() is asked for
	scenesMost = 2_500_000  // moments of all scenes together
	deepMost   = 40_000_000 // of each deep scene
	raceMost   = 3_000      // of each scene under the race detector, which finds nothing in one goroutine and makes it ten times slower
)

// impossible are the pairs that no scene meets, and why none can. A pair that is met after all fails the test, as one does that is not met and not here.
var impossible = []struct {
	state State
	event EventKind
	why   string
}{
	{Applied, GotCanceled, "Stripe never cancels what has succeeded"},
	{Refunded, GotCanceled, "Stripe never cancels what has succeeded"},
	{Paid, GotCanceled, "Stripe never cancels what has succeeded"},
	{PaidAfterClose, GotCanceled, "Stripe never cancels what has succeeded"},
	{NeedsAction, StillRunning, "what is processing was confirmed: it ends paid or declined, not in 3-D Secure; what was read before another send is a tick"},
}

func TestWhateverHappensToAPaymentTheRulesHold(t *testing.T) {
	all, most := scenes, plainMost
	if everything() {
		most = deepMost
	}
	if *deep {
		all = append(append([]scene{}, scenes...), deepScenes...)
	}
	if underRace {
		most = raceMost
	}
	met, total := &[16][32]bool{}, 0
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			x := &exploration{scene: s, rules: ours, met: met}
			complete := x.run(most)
			if x.bad != nil {
				t.Fatal(x.story())
			}
			if !complete && most == deepMost {
				t.Errorf("it is not at its end after %d moments", len(x.found))
			}
			total += len(x.found)
			t.Logf("%d moments, %d steps deep, at its end: %v; a fair world settles in %d rounds at most", len(x.found), x.depth, complete, x.slowest)
		})
	}
	t.Run("money", func(t *testing.T) { exploreMoney(t, met) })
	if most != deepMost || t.Failed() {
		return
	}
	t.Logf("%d moments", total)
	if total > scenesMost && !*deep {
		t.Errorf("%d moments are more than every run of the tests can have", total)
	}
	for _, s := range allStates {
		for _, k := range allEvents {
			why := ""
			for _, i := range impossible {
				if i.state == s && i.event == k {
					why = i.why
				}
			}
			switch was := met[stateNumber(s)][eventNumber(k)]; {
			case !was && why == "":
				t.Errorf("%s never meets %s", s, k)
			case was && why != "":
				t.Errorf("%s meets %s, which can't be: %s", s, k, why)
			}
		}
	}
}

// TestAMomentIsPackedWhole: two moments that differ must not become one.
func TestAMomentIsPackedWhole(t *testing.T) {
	for _, s := range scenes {
		x := &exploration{scene: s, rules: ours}
		x.run(2_000)
		for _, k := range x.found {
			if back := s.pack(s.unpack(k)); back != k {
				t.Fatalf("%s: %v came back as %v", s.name, s.unpack(k), s.unpack(back))
			}
		}
	}
}
