package main

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// told is what payers were told, in short: the times are in any unit.
type told struct {
	tries []*attempt
	reads []read

	outside []outsideAct
}

func try(session int, method string, call, answered, ended int64, outcome string) *attempt {
	return &attempt{session: session, method: method, call: call, answered: answered, ended: ended, outcome: outcome, maybe: answered == 0}
}

func TestAnOrderIsFoundForWhatCanHappenAndNoneForADoubleGrant(t *testing.T) {
	for name, c := range map[string]struct {
		told told
		ok   bool
	}{
		"one is paid, the other is told that it is used":          {told{[]*attempt{try(1, "a", 10, 20, 20, "paid")}, []read{{2, "", "used", 25, 26}}, nil}, true},
		"both press at once, one is paid and one is kept out":     {told{[]*attempt{try(1, "a", 10, 20, 20, "paid")}, []read{{2, "b", "elsewhere", 10, 15}}, nil}, true},
		"a decline, and then the other pays":                      {told{[]*attempt{try(1, "a", 10, 20, 20, "declined"), try(2, "b", 12, 40, 40, "paid")}, nil, nil}, true},
		"declines that overlap can have come one after the other": {told{[]*attempt{try(1, "a", 10, 20, 20, "declined"), try(2, "b", 10, 20, 20, "declined")}, nil, nil}, true},
		"an answer that never came may have paid":                 {told{[]*attempt{try(1, "a", 10, 0, 0, "")}, []read{{1, "", "paid", 30, 31}, {2, "", "used", 32, 33}}, nil}, true},
		"or may have done nothing":                                {told{[]*attempt{try(1, "a", 10, 0, 0, ""), try(2, "b", 20, 30, 30, "paid")}, nil, nil}, true},
		"or may take effect long after":                           {told{[]*attempt{try(1, "a", 10, 0, 0, "")}, []read{{2, "", "open", 50, 51}, {1, "", "paid", 60, 61}}, nil}, true},
		"3-D Secure, another is kept out meanwhile, then paid":    {told{[]*attempt{try(1, "a", 10, 20, 60, "paid")}, []read{{1, "a", "held", 10, 20}, {2, "", "elsewhere", 30, 31}, {1, "", "own", 40, 41}}, nil}, true},
		"it closes, and stays closed":                             {told{nil, []read{{1, "", "open", 1, 2}, {1, "", "closed", 3, 4}, {2, "", "closed", 5, 6}}, nil}, true},

		"somebody pays at Stripe's dashboard":      {told{nil, []read{{1, "", "open", 1, 2}, {1, "", "used", 30, 31}}, []outsideAct{{what: "paid", at: time.Time{}.Add(20)}}}, true},
		"somebody cancels there during 3-D Secure": {told{[]*attempt{try(1, "a", 10, 20, 0, "")}, []read{{1, "", "own", 20, 21}, {1, "", "closed", 30, 31}}, []outsideAct{{what: "cancelled", at: time.Time{}.Add(25)}}}, true},
		"it is used before somebody pays there":    {told{nil, []read{{1, "", "used", 10, 11}}, []outsideAct{{what: "paid", at: time.Time{}.Add(20)}}}, false},

		"both are told that they have paid":              {told{[]*attempt{try(1, "a", 10, 20, 20, "paid"), try(2, "b", 10, 20, 20, "paid")}, nil, nil}, false},
		"paid twice, by two cards of one browser":        {told{[]*attempt{try(1, "a", 10, 20, 20, "paid"), try(1, "b", 30, 40, 40, "paid")}, nil, nil}, false},
		"two hold the claim at one time":                 {told{[]*attempt{try(1, "a", 10, 20, 60, "declined"), try(2, "b", 30, 40, 0, "")}, []read{{2, "b", "held", 30, 40}, {1, "", "own", 50, 51}, {2, "", "own", 52, 53}, {1, "", "own", 54, 55}}, nil}, false},
		"it is held by one and free for another":         {told{[]*attempt{try(1, "a", 10, 20, 60, "paid")}, []read{{1, "a", "held", 10, 20}, {2, "", "open", 30, 31}}, nil}, false},
		"it is free again after it was paid":             {told{[]*attempt{try(1, "a", 10, 20, 20, "paid")}, []read{{2, "", "open", 30, 31}}, nil}, false},
		"a card is declined after it was paid":           {told{[]*attempt{try(1, "a", 10, 20, 20, "paid"), try(2, "b", 30, 40, 40, "declined")}, nil, nil}, false},
		"paid, though every browser's card was declined": {told{[]*attempt{try(1, "a", 10, 20, 20, "declined")}, []read{{1, "", "paid", 30, 31}}, nil}, false},
		"kept out by nobody":                             {told{nil, []read{{2, "b", "elsewhere", 10, 15}}, nil}, false},
		"it is used by nobody":                           {told{nil, []read{{2, "", "used", 10, 15}}, nil}, false},
		"it opens again after it was closed":             {told{nil, []read{{1, "", "closed", 3, 4}, {2, "", "open", 5, 6}}, nil}, false},
		"one attempt, two outcomes":                      {told{[]*attempt{try(1, "a", 10, 20, 20, "both declined and paid")}, nil, nil}, false},
	} {
		p := &record{tries: c.told.tries, reads: c.told.reads, outside: c.told.outside}
		want := porcupine.Illegal
		if c.ok {
			want = porcupine.Ok
		}
		if got := porcupine.CheckOperationsTimeout(registers(), p.operations(time.Time{}), 0); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
