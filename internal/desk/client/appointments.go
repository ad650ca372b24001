package client

import (
	"context"
	"errors"
	"slices"
	"time"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/day"
	"paylink/internal/lang"
	"paylink/internal/post"
	"paylink/internal/trail"
)

// AppointmentStore is what appointments are read from and written to.
type AppointmentStore interface {
	// Appointments lists a client's, the latest first.
	Appointments(ctx context.Context, clientID string, limit int) ([]appointment.Appointment, error)
	// Appointment returns account.ErrNotFound for one that is not the client's.
	Appointment(ctx context.Context, clientID, id string) (appointment.Appointment, error)
	// LocationsIn lists the locations of a state that take clients, by name.
	LocationsIn(ctx context.Context, state string, limit int) ([]account.Location, error)
	// Calendar returns what a location gives away, and what is taken there between two times.
	Calendar(ctx context.Context, locationID string, from, to time.Time) (appointment.Calendar, error)
	// MoveAppointment moves a client's appointment from where it was seen to another place, if that is still free, and says whether it was somewhere else. Errors: account.ErrNotFound,
	// appointment.ErrChanged, and what Fixed and Bay return.
	MoveAppointment(ctx context.Context, clientID, id string, seen, to appointment.Place, e trail.Entry, told *post.Letter) (moved bool, err error)
}

const (
	moveAppointment  = "move appointment"
	appointmentsMost = 100
	locationsMost    = 50
)

// Appointment is when a client comes, and where.
type Appointment struct {
	appointment.Appointment
	Location account.Location
	Vehicle  account.Vehicle // zero: it is for none
	Fixed    error           // why the client can't move it; nil: they can
}

// On writes an appointment's day and time by its location's clock.
func (a Appointment) On(l lang.Lang) string { return l.Meeting(a.StartsAt.In(a.Location.TimeZone())) }

// Appointments are a client's: those to come, the next one first, and those from before, the last one first.
func (d *Desk) Appointments(ctx context.Context, who Who) (next, past []Appointment, err error) {
	found, err := d.Store.Appointments(ctx, who.ID, appointmentsMost)
	if err != nil {
		return nil, nil, err
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range found {
		one, err := d.whole(ctx, who, a, now)
		if err != nil {
			return nil, nil, err
		}
		if errors.Is(one.Fixed, appointment.ErrOver) {
			past = append(past, one)
		} else {
			next = append(next, one)
		}
	}
	slices.Reverse(next)
	return next, past, nil
}

func (d *Desk) whole(ctx context.Context, who Who, a appointment.Appointment, now time.Time) (Appointment, error) {
	out := Appointment{Appointment: a, Fixed: a.Fixed(now)}
	var err error
	if out.Location, err = d.Store.Location(ctx, a.LocationID); err != nil {
		return out, err
	}
	_, vehicles, err := d.Store.Client(ctx, who.ID)
	for _, v := range vehicles {
		if v.ID == a.VehicleID {
			out.Vehicle = v
		}
	}
	return out, err
}

// Places are where and when an appointment may be moved to.
type Places struct {
	Appointment
	Locations []account.Location // that the client may choose: the vehicle's, the appointment's, and the others of their state
	At        account.Location   // the one that is looked at; zero: there is none
	Days      []day.Date         // on which it has a free time
	On        day.Date           // the one that is looked at; "": none
	Free      []time.Time        // on that day
}

// Places looks for free times at a location from a day on; the appointment's own where locationID is "" or none that may be chosen. Errors: account.ErrNotFound.
func (d *Desk) Places(ctx context.Context, who Who, id, locationID string, from day.Date) (Places, error) {
	var out Places
	now, err := d.Store.Now(ctx)
	if err != nil {
		return out, err
	}
	a, err := d.Store.Appointment(ctx, who.ID, id)
	if err != nil {
		return out, err
	}
	if out.Appointment, err = d.whole(ctx, who, a, now); err != nil || out.Fixed != nil {
		return out, err
	}
	if out.Locations, err = d.locations(ctx, out.Appointment); err != nil || len(out.Locations) == 0 {
		return out, err
	}
	out.At = out.Locations[0]
	for _, want := range []string{a.LocationID, locationID} {
		if i := slices.IndexFunc(out.Locations, func(l account.Location) bool { return l.ID == want }); i >= 0 {
			out.At = out.Locations[i]
		}
	}
	c, err := d.Store.Calendar(ctx, out.At.ID, now, now.AddDate(0, 0, appointment.Horizon+1))
	if err != nil {
		return out, err
	}
	today := day.Of(now.In(c.Zone))
	for n := range appointment.Horizon + 1 {
		on := today.AddDays(n)
		free := slices.DeleteFunc(c.Free(a, on, now), func(at time.Time) bool { return a.Place().Is(appointment.Place{LocationID: out.At.ID, StartsAt: at}) })
		if len(free) == 0 {
			continue
		}
		out.Days = append(out.Days, on)
		if out.On.Before(from) || out.On == "" { // the day asked for, else the next one, else the last
			out.On, out.Free = on, free
		}
	}
	return out, nil
}

// locations are those that a client may choose for an appointment.
func (d *Desk) locations(ctx context.Context, a Appointment) ([]account.Location, error) {
	states := []string{a.Location.State}
	if a.Vehicle.LocationID != "" && a.Vehicle.LocationID != a.LocationID {
		own, err := d.Store.Location(ctx, a.Vehicle.LocationID)
		if err != nil {
			return nil, err
		}
		if own.State != a.Location.State {
			states = append(states, own.State)
		}
	}
	var out []account.Location
	for _, state := range states {
		found, err := d.Store.LocationsIn(ctx, state, locationsMost)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// Zone is a location's time zone. Errors: account.ErrNotFound.
func (d *Desk) Zone(ctx context.Context, locationID string) (*time.Location, error) {
	l, err := d.Store.Location(ctx, locationID)
	return l.TimeZone(), err
}

// Check says whether an appointment can be moved to a place just now, and returns it and the place's location. Errors: account.ErrNotFound; appointment.ErrClosed, for a location that may not be
// chosen too; what else Fixed and Bay return.
func (d *Desk) Check(ctx context.Context, who Who, id string, to appointment.Place) (Appointment, account.Location, error) {
	var at account.Location
	now, err := d.Store.Now(ctx)
	if err != nil {
		return Appointment{}, at, err
	}
	found, err := d.Store.Appointment(ctx, who.ID, id)
	if err != nil {
		return Appointment{}, at, err
	}
	a, err := d.whole(ctx, who, found, now)
	if err != nil || a.Fixed != nil {
		return a, at, errors.Join(err, a.Fixed)
	}
	allowed, err := d.locations(ctx, a)
	if err != nil {
		return a, at, err
	}
	i := slices.IndexFunc(allowed, func(l account.Location) bool { return l.ID == to.LocationID })
	if i < 0 {
		return a, at, appointment.ErrClosed
	}
	at = allowed[i]
	found.StartsAt = to.StartsAt
	c, err := d.Store.Calendar(ctx, at.ID, to.StartsAt, found.EndsAt())
	if err != nil {
		return a, at, err
	}
	_, err = c.Bay(found, to.StartsAt, now)
	return a, at, err
}

// Move moves a client's appointment from where they saw it to another place, and tells them. A second click finds it there, and changes nothing. Errors: those of Check, and appointment.ErrChanged.
func (d *Desk) Move(ctx context.Context, who Who, id string, seen, to appointment.Place) error {
	a, at, err := d.Check(ctx, who, id, to)
	switch {
	case a.State == appointment.Booked && a.Place().Is(to):
		return nil
	case a.State == appointment.Booked && !a.Place().Is(seen):
		err = appointment.ErrChanged
	case err == nil:
		err = d.move(ctx, who, a, at, seen, to)
	}
	return d.noted(ctx, who, moveAppointment, id, err,
		appointment.ErrByPhone, appointment.ErrTooLate, appointment.ErrOver, appointment.ErrClosed, appointment.ErrTaken, appointment.ErrChanged)
}

func (d *Desk) move(ctx context.Context, who Who, a Appointment, at account.Location, seen, to appointment.Place) error {
	zone := at.TimeZone()
	e, err := d.entry(ctx, who.ID, moveAppointment, a.ID, a.Location.ID+" "+clock(a.StartsAt, a.Location.TimeZone())+" → "+at.ID+" "+clock(to.StartsAt, zone))
	if err != nil {
		return err
	}
	l, _ := lang.Parse(who.Language)
	told, err := d.changed(ctx, who.Client, post.AppointmentMoved, l.Meeting(to.StartsAt.In(zone))+" · "+at.Name)
	if err != nil {
		return err
	}
	_, err = d.Store.MoveAppointment(ctx, who.ID, a.ID, seen, to, e, told)
	return err
}

// clock is a time as the trail keeps it, by the location's clock.
func clock(t time.Time, zone *time.Location) string { return t.In(zone).Format("2006-01-02 15:04 MST") }
