package autopay_test

import (
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/autopay"
	"paylink/internal/day"
	"paylink/internal/pay"
)

var eastern = func() *time.Location {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	return zone
}()

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, eastern)
	if err != nil {
		panic(err)
	}
	return t
}

var card = account.Card{Brand: "visa", Last4: "4242", ExpMonth: 12, ExpYear: 2031, Main: true}

// A run is looked at when it is due; what is to be done about it depends on nothing else.
func TestARunIsDecidedByItsFacts(t *testing.T) {
	const due = day.Date("2026-03-08") // daylight saving begins at two in the morning
	told := autopay.Run{Due: due, State: autopay.Waiting, Reminded: true}
	fresh := autopay.Run{Due: due, State: autopay.Waiting}
	facts := func(now string) autopay.Facts {
		return autopay.Facts{Now: at(now), Zone: eastern, Enrolled: true, PaidTo: due, Card: &card}
	}
	with := func(f autopay.Facts, change func(*autopay.Facts)) autopay.Facts {
		change(&f)
		return f
	}
	old, refused := card, card
	old.ExpMonth, old.ExpYear, refused.Refused = 2, 2026, "stolen_card"
	for name, c := range map[string]struct {
		run   autopay.Run
		facts autopay.Facts
		step  autopay.Step
		state autopay.State
		why   autopay.Why
		next  string
	}{
		"four days before":               {fresh, facts("2026-03-04 12:00"), autopay.Wait, autopay.Waiting, "", "2026-03-05 08:00"},
		"three days before, in the morn": {fresh, facts("2026-03-05 08:00"), autopay.Remind, autopay.Waiting, "", "2026-03-08 08:00"},
		"told already":                   {told, facts("2026-03-05 08:01"), autopay.Wait, autopay.Waiting, "", "2026-03-08 08:00"},
		"a minute before":                {told, facts("2026-03-08 07:59"), autopay.Wait, autopay.Waiting, "", "2026-03-08 08:00"},
		"the morning":                    {told, facts("2026-03-08 08:00"), autopay.Charge, autopay.Waiting, "", ""},
		"the morning, not told yet":      {fresh, facts("2026-03-08 08:00"), autopay.Remind, autopay.Waiting, "", "2026-03-09 08:00"},
		"somebody has paid":              {told, with(facts("2026-03-08 08:00"), func(f *autopay.Facts) { f.PaidTo = "2026-04-07" }), autopay.End, autopay.Paid, "", ""},
		"a payment was given back":       {told, with(facts("2026-03-08 08:00"), func(f *autopay.Facts) { f.PaidTo = "2026-02-07" }), autopay.End, autopay.Stopped, autopay.DateMoved, ""},
		"cancelled":                      {told, with(facts("2026-03-08 08:00"), func(f *autopay.Facts) { f.Enrolled = false }), autopay.End, autopay.Stopped, autopay.NotEnrolled, ""},
		"no card":                        {told, with(facts("2026-03-08 08:00"), func(f *autopay.Facts) { f.Card = nil }), autopay.End, autopay.Stopped, autopay.NoCard, ""},
		"a card of last month":           {told, with(facts("2026-03-08 08:00"), func(f *autopay.Facts) { f.Card = &old }), autopay.End, autopay.Stopped, autopay.NoCard, ""},
		"a card that is never to be":     {told, with(facts("2026-03-08 08:00"), func(f *autopay.Facts) { f.Card = &refused }), autopay.End, autopay.Stopped, autopay.DeadCard, ""},
	} {
		r, step := autopay.Next(c.run, c.facts)
		if step != c.step || r.State != c.state || r.Why != c.why {
			t.Errorf("%s: step %d, %s %q", name, step, r.State, r.Why)
		}
		if want := c.next; want != "" && !r.NextAt.Equal(at(want)) || step == autopay.End && !r.NextAt.IsZero() {
			t.Errorf("%s: next at %s, want %s", name, r.NextAt.In(eastern), want)
		}
	}
}

func TestADeclinedCardIsTriedFourTimesMoreInFourteenDays(t *testing.T) {
	r := autopay.Run{VehicleID: "v", Due: "2026-10-26", State: autopay.Waiting, Reminded: true}
	keys := map[string]bool{}
	now := at("2026-10-26 08:02")
	var tried []time.Time
	for r.State == autopay.Waiting {
		if keys[r.FormKey()] {
			t.Fatal("a new try has the form key of an older one")
		}
		keys[r.FormKey()] = true
		tried = append(tried, now)
		r = autopay.After(r, pay.Payment{ID: "p", Life: pay.Life{State: pay.Declined}}, "insufficient_funds", autopay.Facts{Now: now, Zone: eastern})
		now = r.NextAt
	}
	want := []string{"2026-10-26 08:02", "2026-10-28 08:00", "2026-10-31 08:00", "2026-11-04 08:00", "2026-11-08 08:00"} // summer time ends on the way
	if len(tried) != len(want) || r.Why != autopay.TooOften || tried[4].Sub(tried[0]) > 14*24*time.Hour {
		t.Fatalf("tried at %v, then %s %s", tried, r.State, r.Why)
	}
	for i := range want {
		if !tried[i].Equal(at(want[i])) {
			t.Errorf("try %d at %s, want %s", i, tried[i].In(eastern), want[i])
		}
	}
}

func TestSomeAnswersAreFinalAndSomeAreNone(t *testing.T) {
	r := autopay.Run{Due: "2026-03-10", State: autopay.Waiting, Reminded: true}
	f := autopay.Facts{Now: at("2026-03-10 08:00"), Zone: eastern}
	for _, c := range []struct {
		state pay.State
		code  string
		want  autopay.State
		why   autopay.Why
		next  time.Duration // 0: never, or on another day
		again bool          // with a payment of its own
	}{
		{pay.Paid, "", autopay.Paid, "", 0, false},
		{pay.Applied, "", autopay.Paid, "", 0, false},
		{pay.Declined, "stolen_card", autopay.Stopped, autopay.DeadCard, 0, true},
		{pay.Declined, "authentication_required", autopay.Stopped, autopay.NeedsOwner, 0, true},
		{pay.Unknown, "", autopay.Waiting, "", 5 * time.Minute, false},
		{pay.Paying, "", autopay.Waiting, "", 5 * time.Minute, false},
		{pay.PaidAfterClose, "", autopay.Waiting, "", 5 * time.Minute, false},
		{pay.Review, "", autopay.Waiting, "", 5 * time.Minute, false},
		{pay.Expired, "", autopay.Waiting, "", 15 * time.Minute, true},
		{pay.Superseded, "", autopay.Waiting, "", 15 * time.Minute, true},
		{pay.Refunded, "", autopay.Waiting, "", 15 * time.Minute, true},
	} {
		got := autopay.After(r, pay.Payment{ID: "p", Life: pay.Life{State: c.state}}, c.code, f)
		if got.State != c.want || got.Why != c.why || (got.FormKey() != r.FormKey()) != c.again || c.next != 0 && !got.NextAt.Equal(f.Now.Add(c.next)) || got.State != autopay.Waiting && !got.NextAt.IsZero() {
			t.Errorf("%s %s: %+v", c.state, c.code, got)
		}
	}
	for why, want := range map[autopay.Why]string{autopay.Elsewhere: "2026-03-10 08:15", autopay.Location: "2026-03-11 08:00", autopay.Collections: "", autopay.TooSmall: ""} {
		got := autopay.Held(r, why, f)
		if (got.State == autopay.Stopped) != (want == "") || want != "" && !got.NextAt.Equal(at(want)) || got.FormKey() != r.FormKey() {
			t.Errorf("%s: %+v", why, got)
		}
	}
}
