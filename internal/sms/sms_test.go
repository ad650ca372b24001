package sms

import (
	"strings"
	"testing"
	"time"
)

func TestSeptetsAreCountedAsTheCarrierDoes(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		ok   bool
	}{
		{"", 0, true}, {"Interlane: pay", 14, true}, {"[a]", 5, true}, {"€", 2, true}, {"é ñ ü", 5, true},
		{"á", 0, false}, {"í", 0, false}, {"’", 0, false}, {strings.Repeat("x", 161), 161, true},
	} {
		if n, ok := Septets(c.text); n != c.n || ok != c.ok {
			t.Errorf("%q has %d septets (%v), want %d (%v)", c.text, n, ok, c.n, c.ok)
		}
	}
}

func TestAStateNeverGoesBack(t *testing.T) {
	order := []Status{Waiting, Unclear, Queued, Sent, Delivered}
	for i := 1; i < len(order); i++ {
		if order[i].Rank() <= order[i-1].Rank() {
			t.Errorf("%s does not come after %s", order[i], order[i-1])
		}
	}
	if ParseStatus("receiving") != "" || ParseStatus("").Rank() != -1 {
		t.Error("an unknown state was taken for one that counts")
	}
}

func TestEveryCodeThatEndsATextHasItsOwnWords(t *testing.T) {
	unknown := Reason(99999)
	for _, code := range []int{21211, 21614, 21408, 21610, 30003, 30004, 30005, 30006, 30007, 30008, 30012, 30034, 30036, 30045} {
		if r := Reason(code); r == "" || strings.Contains(r, "(error") || r == unknown {
			t.Errorf("error %d has no words of its own: %q", code, r)
		}
	}
	if !strings.Contains(unknown, "99999") {
		t.Errorf("an unknown code is not named: %q", unknown)
	}
}

func TestTextsThatNobodyWaitsForGoOutByDay(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"2026-03-07 07:59": "2026-03-07 08:00", "2026-03-07 08:00": "2026-03-07 08:00", "2026-03-07 20:59": "2026-03-07 20:59", "2026-03-07 21:00": "2026-03-08 08:00", // daylight saving begins that night
	} {
		moment, err := time.ParseInLocation("2006-01-02 15:04", at, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := Loud(moment.UTC(), zone).In(zone).Format("2006-01-02 15:04"); got != want {
			t.Errorf("%s waits until %s, want %s", at, got, want)
		}
	}
}
