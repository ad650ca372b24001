package appointment_test

import (
	"errors"
	"testing"
	"time"

	"paylink/internal/appointment"
	"paylink/internal/day"
)

var richmond = func() *time.Location {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	return zone
}()

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, richmond)
	if err != nil {
		panic(err)
	}
	return t
}

// TestTheLastDayIsTwentyFourHoursLong is about the notice: clocks that are set in between change what they show, not how long it is.
func TestTheLastDayIsTwentyFourHoursLong(t *testing.T) {
	for _, c := range []struct {
		name, starts, now string
		want              error
	}{
		{"24:00:00 before", "2026-03-20 09:00:00", "2026-03-19 09:00:00", nil},
		{"23:59:59 before", "2026-03-20 09:00:00", "2026-03-19 09:00:01", appointment.ErrTooLate},
		{"clocks go forward, 24:00:00 before is 8 o'clock", "2026-03-08 09:00:00", "2026-03-07 08:00:00", nil},
		{"clocks go forward, 23:59:59 before", "2026-03-08 09:00:00", "2026-03-07 08:00:01", appointment.ErrTooLate},
		{"clocks go back, 24:00:00 before is 10 o'clock", "2026-11-01 09:00:00", "2026-10-31 10:00:00", nil},
		{"clocks go back, 23:59:59 before", "2026-11-01 09:00:00", "2026-10-31 10:00:01", appointment.ErrTooLate},
		{"it begins", "2026-03-20 09:00:00", "2026-03-20 09:00:00", appointment.ErrOver},
	} {
		a := appointment.Appointment{Kind: appointment.Service, State: appointment.Booked, StartsAt: at(c.starts), Minutes: 30}
		if err := a.Fixed(at(c.now)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	far := at("2026-01-01 09:00:00")
	for kind, want := range map[appointment.Kind]error{
		appointment.Service: nil, appointment.Installation: nil, appointment.Removal: appointment.ErrByPhone, appointment.VehicleSwap: appointment.ErrByPhone,
	} {
		if err := (appointment.Appointment{Kind: kind, State: appointment.Booked, StartsAt: at("2026-03-20 09:00:00")}).Fixed(far); !errors.Is(err, want) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, state := range []appointment.State{appointment.Cancelled, appointment.Kept, appointment.Missed} {
		if err := (appointment.Appointment{Kind: appointment.Service, State: state, StartsAt: at("2026-03-20 09:00:00")}).Fixed(far); !errors.Is(err, appointment.ErrOver) {
			t.Errorf("%s: %v", state, err)
		}
	}
}

func TestPlacesAreOnTheGridOfTheHours(t *testing.T) {
	now := at("2026-03-04 10:10:00")
	c := appointment.Calendar{Zone: richmond, Hours: []appointment.Hours{
		{Weekday: time.Wednesday, Opens: 9 * 60, Closes: 12 * 60, Bays: 1},
		{Weekday: time.Sunday, Opens: 60, Closes: 4 * 60, Bays: 1},
	}}
	mine := appointment.Appointment{ID: "mine", Kind: appointment.Service, State: appointment.Booked, Minutes: 30, StartsAt: at("2026-03-11 10:00:00"), Bay: 1}
	for _, k := range []struct {
		name, date string
		minutes    int
		want       string
	}{
		{"a whole day", "2026-03-18", 30, "09:00 09:30 10:00 10:30 11:00 11:30 "},
		{"what takes long ends before it closes", "2026-03-18", 75, "09:00 09:30 10:00 10:30 "},
		{"what has passed today is gone", "2026-03-04", 30, "10:30 11:00 11:30 "},
		{"closed", "2026-03-05", 30, ""},
		{"the past", "2026-02-25", 30, ""},
		{"the last day that is given away", "2026-04-29", 30, "09:00 09:30 10:00 10:30 11:00 11:30 "},
		{"clocks skip from 2 to 3", "2026-03-08", 30, "01:00 01:30 03:00 03:30 "},
		{"too far ahead", "2026-05-06", 30, ""},
	} {
		a := mine
		a.Minutes = k.minutes
		got := ""
		for _, start := range c.Free(a, day.Date(k.date), now) {
			got += start.Format("15:04 ")
		}
		if got != k.want {
			t.Errorf("%s: %q, want %q", k.name, got, k.want)
		}
	}
	autumn := appointment.Calendar{Zone: richmond, Hours: c.Hours}
	before := at("2026-10-20 09:00:00")
	starts := autumn.Free(mine, "2026-11-01", before)
	if len(starts) != 6 || !starts[0].Equal(time.Date(2026, 11, 1, 5, 0, 0, 0, time.UTC)) || !starts[2].Equal(time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC)) {
		t.Errorf("on the day of 25 hours there is %v", starts)
	}
	for name, wrong := range map[string]time.Time{
		"the second 1 o'clock of the day that clocks go back": time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC),
		"off the grid":            at("2026-10-28 09:10:00"),
		"a second beside it":      at("2026-10-28 09:00:01"),
		"before it opens":         at("2026-10-28 08:30:00"),
		"when it closes":          at("2026-10-28 12:00:00"),
		"the next day's midnight": at("2026-10-29 00:00:00"),
	} {
		if _, err := autumn.Bay(mine, wrong, before); !errors.Is(err, appointment.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABayTakesOneAtATime(t *testing.T) {
	now := at("2026-03-04 10:00:00")
	wednesday := func(clock string) time.Time { return at("2026-03-11 " + clock + ":00") }
	booked := func(id, clock string, minutes, bay int) appointment.Appointment {
		return appointment.Appointment{ID: id, Kind: appointment.Service, State: appointment.Booked, StartsAt: wednesday(clock), Minutes: minutes, Bay: bay}
	}
	c := appointment.Calendar{Zone: richmond, Hours: []appointment.Hours{{Weekday: time.Wednesday, Opens: 9 * 60, Closes: 12 * 60, Bays: 2}}, Taken: []appointment.Appointment{
		booked("a", "09:00", 120, 1), booked("b", "10:15", 30, 2), booked("mine", "11:00", 30, 1),
	}}
	mine := booked("mine", "11:00", 30, 1)
	for clock, want := range map[string]int{"09:00": 2, "09:30": 2, "10:00": 0, "10:30": 0, "11:00": 1, "11:30": 1} {
		bay, err := c.Bay(mine, wednesday(clock), now)
		if bay != want || (want == 0) != errors.Is(err, appointment.ErrTaken) {
			t.Errorf("at %s there is bay %d (%v), want %d", clock, bay, err, want)
		}
	}
	long := booked("long", "09:00", 60, 1)
	if bay, err := c.Bay(long, wednesday("09:30"), now); err == nil {
		t.Errorf("an hour from 9:30 on is in bay %d, where another begins at 10:15", bay)
	}
}
