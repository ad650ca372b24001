package appointment

import (
	"errors"
	"time"

	"paylink/internal/day"
)

// Why an appointment is not moved. None of them changes anything.
var (
	// ErrByPhone is returned for a removal and a vehicle swap: people arrange them.
	ErrByPhone = errors.New("an appointment of this kind is changed by phone")
	// ErrTooLate is returned from Notice before the appointment on.
	ErrTooLate = errors.New("it is too late to move the appointment")
	// ErrOver is returned for an appointment that has been, or is cancelled.
	ErrOver = errors.New("the appointment is over")
	// ErrClosed is returned for a time at which the location takes nobody: past, outside its hours, off their grid, or skipped by its clocks.
	ErrClosed = errors.New("the location takes nobody at this time")
	// ErrTaken is returned where every bay has somebody by now.
	ErrTaken = errors.New("the time is taken")
	// ErrChanged is returned where the appointment is not any more as whoever moves it has seen it.
	ErrChanged = errors.New("the appointment was changed meanwhile")
)

const (
	// Notice is how long before an appointment it can still be moved: real time, whatever clocks are set to in between.
	Notice = 24 * time.Hour
	// step is from one place in a day to the next.
	step = 30
	// Horizon is how far ahead places are given away.
	Horizon = 60 // days
)

// Fixed says why an appointment can't be moved by the client; nil: it can.
func (a Appointment) Fixed(now time.Time) error {
	switch {
	case a.State != Booked || !a.StartsAt.After(now):
		return ErrOver
	case a.Kind == Removal || a.Kind == VehicleSwap:
		return ErrByPhone
	case a.StartsAt.Sub(now) < Notice:
		return ErrTooLate
	}
	return nil
}

// EndsAt is when the bay is free again.
func (a Appointment) EndsAt() time.Time {
	return a.StartsAt.Add(time.Duration(a.Minutes) * time.Minute)
}

// Hours are when a location takes clients on one day of the week, by its own clock.
type Hours struct {
	LocationID    string
	Weekday       time.Weekday
	Opens, Closes int // minutes after midnight; 1440 is the next one
	Bays          int
}

// Calendar is what a location gives away, and what it has given away.
type Calendar struct {
	Zone  *time.Location
	Hours []Hours       // at most one for each weekday
	Taken []Appointment // booked there
}

// Free lists the times of a day at which the location can take an appointment, from its opening on. What the appointment itself holds counts as free.
func (c Calendar) Free(a Appointment, d day.Date, now time.Time) []time.Time {
	var free []time.Time
	for _, start := range c.grid(a, d) {
		if _, err := c.Bay(a, start, now); err == nil {
			free = append(free, start)
		}
	}
	return free
}

// Bay finds the first bay for an appointment at a time. Errors: ErrClosed, ErrTaken.
func (c Calendar) Bay(a Appointment, at, now time.Time) (int, error) {
	today, d := day.Of(now.In(c.Zone)), day.Of(at.In(c.Zone))
	if !at.After(now) || today.AddDays(Horizon) < d {
		return 0, ErrClosed
	}
	open := false
	for _, start := range c.grid(a, d) {
		open = open || start.Equal(at)
	}
	if !open {
		return 0, ErrClosed
	}
	a.StartsAt = at
	for bay := 1; bay <= c.on(d).Bays; bay++ {
		if c.empty(a, bay) {
			return bay, nil
		}
	}
	return 0, ErrTaken
}

func (c Calendar) empty(a Appointment, bay int) bool {
	for _, other := range c.Taken {
		if other.ID != a.ID && other.Bay == bay && other.StartsAt.Before(a.EndsAt()) && a.StartsAt.Before(other.EndsAt()) {
			return false
		}
	}
	return true
}

// on returns a location's hours on a day; zero hours where it is closed.
func (c Calendar) on(d day.Date) Hours {
	for _, h := range c.Hours {
		if h.Weekday == d.Time().Weekday() {
			return h
		}
	}
	return Hours{}
}

// grid are the times of a day at which an appointment could begin and still end within the hours. A time that clocks skip on that day is none; of one that comes twice the first counts.
func (c Calendar) grid(a Appointment, d day.Date) []time.Time {
	h := c.on(d)
	closes := clock(d, h.Closes, c.Zone)
	var out []time.Time
	for minute := h.Opens; minute < h.Closes; minute += step {
		start := clock(d, minute, c.Zone)
		a.StartsAt = start
		if got := start.Hour()*60 + start.Minute(); got != minute || a.EndsAt().After(closes) {
			continue
		}
		out = append(out, start)
	}
	return out
}

// clock is when a location's clock shows so many minutes after a day's midnight.
func clock(d day.Date, minutes int, zone *time.Location) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, minutes, 0, 0, zone)
}

// Place is where and when.
type Place struct {
	LocationID string
	StartsAt   time.Time
}

// Is says whether two places are one.
func (p Place) Is(q Place) bool { return p.LocationID == q.LocationID && p.StartsAt.Equal(q.StartsAt) }

// Place is where and when an appointment is.
func (a Appointment) Place() Place { return Place{a.LocationID, a.StartsAt} }
