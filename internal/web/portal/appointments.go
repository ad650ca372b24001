package portal

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/day"
	"paylink/internal/desk/client"
	"paylink/internal/lang"
	"paylink/internal/web"
)

// Names of the pages, for web.Pages.Render.
const (
	AppointmentsPage = "portal/appointments" // Appointments
	PlacesPage       = "portal/places"       // Places
	ConfirmMovePage  = "portal/confirm-move" // ConfirmMove
)

// Appointments are those to come and those from before.
type Appointments struct {
	Chrome
	Moved string // what was moved just now, in words
	Next  []AppointmentCard
	Past  []AppointmentCard
}

// AppointmentCard is an appointment, in words. Fixed says why it can't be moved here, and ends with whom to call.
type AppointmentCard struct {
	ID, On, Kind, Vehicle, Minutes, Location, Address, Phone, Tel string
	State, Tone                                                   string // of one from before
	Fixed, Call, CallTel                                          string
}

// Places is where an appointment can be moved to. Without a Form there is nothing to choose, and Error says why.
type Places struct {
	Chrome
	Error, Call, CallTel string // the last two where somebody has to be called
	Card                 AppointmentCard
	Form                 bool
	Locations, Days      []Option
	Day                  string // that is shown
	Free                 []FreeTime
	Earlier, Later       string // addresses of the days beside it; "" for none
}

// Option is one of a select's.
type Option struct {
	Value, Text string
	Chosen      bool
}

// FreeTime is a time that can be taken.
type FreeTime struct{ Address, Clock string }

// ConfirmMove asks once more.
type ConfirmMove struct {
	Chrome
	Card             AppointmentCard
	To               string
	Location         string
	Address          string
	Soon             bool // it can't be moved again
	LocationID, Time string
	Seen             string
	Back             string
}

// slotFormat is a time as addresses and forms have it: by the location's clock, without a zone.
const slotFormat = "2006-01-02T15:04"

func (s *server) appointments(r *web.Request, who client.Who) (web.Answer, error) {
	next, past, err := s.Desk.Appointments(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	page := Appointments{Chrome: s.chrome(r, who)}
	moved := r.URL.Query().Get("moved")
	for _, a := range next {
		page.Next = append(page.Next, s.card(page.Lang, a))
		if a.ID == moved {
			page.Moved = page.T("my.appointments.moved", a.On(page.Lang))
		}
	}
	for _, a := range past {
		page.Past = append(page.Past, s.card(page.Lang, a))
	}
	return s.Pages.Page(http.StatusOK, AppointmentsPage, page)
}

func (s *server) card(l lang.Lang, a client.Appointment) AppointmentCard {
	c := AppointmentCard{
		ID: a.ID, On: a.On(l), Kind: l.T("my.appointment." + string(a.Kind)), Vehicle: a.Vehicle.Label, Minutes: l.T("my.appointments.minutes", a.Minutes),
		Location: a.Location.Name, Address: a.Location.Address, Phone: a.Location.Phone.National(), Tel: a.Location.Phone.E164(), State: l.T("my.appointment." + string(a.State)),
	}
	switch a.State {
	case appointment.Kept:
		c.Tone = "good"
	case appointment.Missed:
		c.Tone = "bad"
	}
	if a.Fixed != nil {
		c.Fixed, c.Call, c.CallTel = s.call(l, a, a.Fixed)
	}
	return c
}

// call says why something can't be done here, and whom to call: the location, if its number is known.
func (s *server) call(l lang.Lang, a client.Appointment, why error) (words, number, tel string) {
	n := a.Location.Phone
	if n.IsZero() {
		n = s.Support
	}
	switch {
	case errors.Is(why, appointment.ErrTooLate):
		return l.T("my.appointment.too_late"), n.National(), n.E164()
	case errors.Is(why, appointment.ErrByPhone):
		return l.T("my.appointment.by_phone"), n.National(), n.E164()
	}
	return l.T("my.appointment.over"), n.National(), n.E164()
}

// places is GET /my/appointments/{id}: where an appointment can be moved to.
func (s *server) places(r *web.Request, who client.Who) (web.Answer, error) {
	q := r.URL.Query()
	return s.choose(r, who, q.Get("location"), q.Get("day"), nil)
}

// choose draws the free times of a location from a day on. why is what has just been refused; nil for nothing.
func (s *server) choose(r *web.Request, who client.Who, locationID, from string, why error) (web.Answer, error) {
	on, err := day.Parse(from)
	if err != nil {
		on = ""
	}
	p, err := s.Desk.Places(r.Context(), who, mux.Vars(r.Request)["id"], locationID, on)
	if err != nil {
		return web.Answer{}, err
	}
	page := Places{Chrome: s.chrome(r, who), Card: s.card(s.language(r, who), p.Appointment)}
	status := http.StatusOK
	switch {
	case p.Fixed != nil:
		why = p.Fixed
		page.Error, page.Call, page.CallTel = s.call(page.Lang, p.Appointment, why)
	case len(p.Days) == 0:
		page.Error = page.T("my.appointment.no_places")
		_, page.Call, page.CallTel = s.call(page.Lang, p.Appointment, nil)
	case why != nil:
		page.Error = page.T("my.appointment." + web.ProblemOf(why).Code)
	}
	if why != nil {
		status, page.Focus = web.ProblemOf(why).Status, "trouble"
	}
	page.Form = p.Fixed == nil && len(p.Locations) > 0
	for _, l := range p.Locations {
		page.Locations = append(page.Locations, Option{l.ID, l.Name, l.ID == p.At.ID})
	}
	here := "/my/appointments/" + p.ID
	for i, d := range p.Days {
		page.Days = append(page.Days, Option{string(d), page.Lang.Day(d), d == p.On})
		if d != p.On {
			continue
		}
		beside := func(i int) string {
			if i < 0 || i >= len(p.Days) {
				return ""
			}
			return here + "?" + url.Values{"location": {p.At.ID}, "day": {string(p.Days[i])}}.Encode() + "#free"
		}
		page.Earlier, page.Later = beside(i-1), beside(i+1)
	}
	page.Day = page.T("my.move.free", page.Lang.Day(p.On))
	zone := p.At.TimeZone()
	for _, at := range p.Free {
		page.Free = append(page.Free, FreeTime{here + "/confirm?" + url.Values{"location": {p.At.ID}, "time": {at.In(zone).Format(slotFormat)}}.Encode(), page.Clock(at.In(zone))})
	}
	return s.Pages.Page(status, PlacesPage, page)
}

// place reads a location and a time by its clock. What is no time there, such as one that its clocks skip, gives appointment.ErrClosed.
func (s *server) place(r *web.Request, locationID, local string) (appointment.Place, error) {
	p := appointment.Place{LocationID: locationID}
	zone, err := s.Desk.Zone(r.Context(), locationID)
	if errors.Is(err, account.ErrNotFound) {
		return p, appointment.ErrClosed
	}
	if err != nil {
		return p, err
	}
	p.StartsAt, err = time.ParseInLocation(slotFormat, local, zone)
	if err != nil || p.StartsAt.Format(slotFormat) != local {
		return p, appointment.ErrClosed
	}
	return p, nil
}

// confirmMove is GET /my/appointments/{id}/confirm: what would be moved where. Nothing is held by it.
func (s *server) confirmMove(r *web.Request, who client.Who) (web.Answer, error) {
	id, q := mux.Vars(r.Request)["id"], r.URL.Query()
	locationID, local := q.Get("location"), q.Get("time")
	to, err := s.place(r, locationID, local)
	if err != nil {
		return s.notMoved(r, who, locationID, local, err)
	}
	a, at, err := s.Desk.Check(r.Context(), who, id, to)
	if err != nil {
		return s.notMoved(r, who, locationID, local, err)
	}
	page := ConfirmMove{Chrome: s.chrome(r, who), LocationID: at.ID, Time: local, Location: at.Name, Address: at.Address, Seen: seen(a.Place())}
	page.Card, page.To = s.card(page.Lang, a), page.Meeting(to.StartsAt.In(at.TimeZone()))
	page.Soon = to.StartsAt.Sub(s.door.Now()) < appointment.Notice
	page.Back = "/my/appointments/" + id + "?" + url.Values{"location": {at.ID}, "day": {local[:len("2006-01-02")]}}.Encode()
	return s.Pages.Page(http.StatusOK, ConfirmMovePage, page)
}

func (s *server) moveAppointment(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, locationID, local := mux.Vars(r.Request)["id"], r.PostFormValue("location"), r.PostFormValue("time")
	was, err := unseen(r.PostFormValue("seen"))
	if err != nil {
		return web.Answer{}, web.ErrBadRequest
	}
	to, err := s.place(r, locationID, local)
	if err == nil {
		err = s.Desk.Move(r.Context(), who, id, was, to)
	}
	if err != nil {
		return s.notMoved(r, who, locationID, local, err)
	}
	return web.Redirect("/my/appointments?" + url.Values{"moved": {id}}.Encode()), nil
}

// notMoved draws the free times anew, and says why this one could not be had.
func (s *server) notMoved(r *web.Request, who client.Who, locationID, local string, why error) (web.Answer, error) {
	if errors.Is(why, account.ErrNotFound) || web.ProblemOf(why).Status >= http.StatusInternalServerError {
		return web.Answer{}, why
	}
	return s.choose(r, who, locationID, local[:min(len(local), len("2006-01-02"))], why)
}

// seen is where an appointment was when a page was drawn, for the form that moves it.
func seen(p appointment.Place) string {
	return p.StartsAt.UTC().Format(time.RFC3339) + " " + p.LocationID
}

func unseen(s string) (appointment.Place, error) {
	if len(s) < len("2006-01-02T15:04:05Z ") {
		return appointment.Place{}, errors.New("it is not what seen wrote")
	}
	const n = len("2006-01-02T15:04:05Z")
	at, err := time.Parse(time.RFC3339, s[:n])
	return appointment.Place{LocationID: s[n+1:], StartsAt: at}, err
}
