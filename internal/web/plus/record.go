package plus

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/desk/agent"
	"paylink/internal/lang"
	"paylink/internal/staff"
	"paylink/internal/trail"
	"paylink/internal/web"
)

// Account is the Account tab: what is known of a client.
type Account struct {
	Vehicles []VehicleRow
	Notes    []NoteLine
	NoteForm *NoteForm // nil: who looks writes none
	Older    string    // address of the notes before these; "" for none
	Newest   string    // address of the newest notes; "" where these are they
	Cards    []CardRow
	Access   Access
	AutoPay  []string // what it does, in sentences; none: it is off
}

// VehicleRow is a vehicle on the Account tab.
type VehicleRow struct{ Label, Plate, Program, Location, Daily, PaidTo, Extras string }

// NoteLine is a note.
type NoteLine struct{ At, Machine, By, Text string }

// NoteForm is the form that writes one, with what was typed.
type NoteForm struct{ Action, Key, Text, Error string }

// CardRow is a card on file.
type CardRow struct {
	Name, Expires string
	Main          bool
	Badge, Tone   string // "" where there is nothing to be said of it
}

// LinkHistory is the Payment Links tab.
type LinkHistory struct {
	Rows          []LinkRow
	Older, Newest string // addresses of other pages of the list; "" for none
}

// LinkRow is a payment on the Payment Links tab.
type LinkRow struct {
	Address, Sent, By, To, Vehicle, Reference, Amount, State string
	Whose                                                    string // the number; "Card on file" where no link was sent
	Resent                                                   string // "Resent 2 times"; "" for never
	Follows                                                  string // reference of the first link of its chain; "" for the first itself
	Tone                                                     string // of the badge: "good", "bad", "warning", "note" or ""
	Payment                                                  string // address of the payment whole, for who may see it; "" else
	Current                                                  bool
}

// Appointments is the Appointments tab.
type Appointments struct{ Next, Past []AppointmentRow }

// AppointmentRow is an appointment.
type AppointmentRow struct{ At, Kind, Vehicle, Location, State, Tone string }

// account is the Account tab of a client's page.
func (s *server) account(r *web.Request, who staff.Member, c agent.Client, d draft) (Account, error) {
	var out Account
	for _, v := range c.Vehicles {
		out.Vehicles = append(out.Vehicles, vehicleRow(v))
	}
	after := r.URL.Query().Get("older")
	notes, more, err := s.Desk.Notes(r.Context(), who, c.ID, after)
	if err != nil {
		return out, err
	}
	for _, n := range notes {
		at := n.At.In(zoneOfClient(c))
		out.Notes = append(out.Notes, NoteLine{At: lang.English.DateTime(at), Machine: at.Format(time.RFC3339), By: byWords(n.By, map[string]string{n.By.ID: n.Name}), Text: n.Text})
	}
	out.Older, out.Newest = pages(clientAddress(c.ID, nil), after, more, func() string { return notes[len(notes)-1].ID })
	if who.May(staff.WriteNotes) == nil {
		out.NoteForm = &NoteForm{}
		if d.note != nil {
			*out.NoteForm = *d.note
		}
		out.NoteForm.Action, out.NoteForm.Key = clientAddress(c.ID, nil)+"/notes", s.NewKey()
	}
	if out.Access, err = s.access(r, who, c, d.invite); err != nil {
		return out, err
	}
	cards, err := s.Desk.Cards(r.Context(), who, c.ID)
	if err != nil {
		return out, err
	}
	for _, card := range cards {
		out.Cards = append(out.Cards, cardRow(card, c))
	}
	if c.AutoPayDays > 0 {
		out.AutoPay = autoPayWords(c, cards)
	}
	return out, nil
}

// pages are the addresses of the pages beside one of a list: after is the place where it begins, "" for the first.
func pages(address, after string, more bool, last func() string) (older, newest string) {
	join := "?"
	if strings.Contains(address, "?") {
		join = "&"
	}
	if more {
		older = address + join + "older=" + url.QueryEscape(last())
	}
	if after != "" {
		newest = address
	}
	return older, newest
}

// zoneOfClient is the zone of the first location that services something of a client's.
func zoneOfClient(c agent.Client) *time.Location {
	if len(c.Vehicles) == 0 {
		return time.UTC
	}
	return c.Vehicles[0].Location.TimeZone()
}

func cardRow(card account.Card, c agent.Client) CardRow {
	row := CardRow{Name: cardName(card), Expires: fmt.Sprintf("%02d/%d", card.ExpMonth, card.ExpYear), Main: card.Main}
	today := account.Location{Zone: zoneOfClient(c).String()}.Today(c.Now)
	switch {
	case card.Expired(today):
		row.Badge, row.Tone = "Expired", "bad"
	case card.ExpiresSoon(today):
		row.Badge, row.Tone = "Expires soon", "warning"
	}
	return row
}

func cardName(card account.Card) string { return upper(card.Brand) + " ending " + card.Last4 }

// autoPayWords say what Auto Pay does next.
func autoPayWords(c agent.Client, cards []account.Card) []string {
	out := []string{fmt.Sprintf("On: pays for %s at a time, on the Paid To Date.", daysOf(c.AutoPayDays))}
	for _, v := range c.Vehicles {
		if v.PaidTo.Before(v.Location.Today(c.Now)) {
			out = append(out, fmt.Sprintf("%s: its Paid To Date, %s, is over.", v.Label, date(v.PaidTo)))
			continue
		}
		out = append(out, fmt.Sprintf("%s: next charge on %s.", v.Label, date(v.PaidTo)))
	}
	for _, card := range cards {
		if card.Main {
			return append(out, "It charges "+cardName(card)+".")
		}
	}
	return append(out, "No card is on file, so nothing can be charged.")
}

// note is POST /plus/clients/{id}/notes.
func (s *server) note(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, form := mux.Vars(r.Request)["id"], NoteForm{Text: r.PostForm.Get("text")}
	key := r.PostForm.Get("key")
	if key == "" || len(key) > 100 {
		return web.Answer{}, web.ErrBadRequest
	}
	err := s.Desk.WriteNote(r.Context(), who, id, form.Text, key)
	switch {
	case err == nil:
		return web.Redirect(clientAddress(id, nil) + "#notes"), nil
	case errors.Is(err, agent.ErrNoWords):
		form.Error = "Write the note first."
	case errors.Is(err, trail.ErrCardNumber):
		form.Text, form.Error = "", "That looks like a card number, so we did not keep it. Never write one down; the payer enters it on their phone."
	case errors.Is(err, trail.ErrTooLong):
		form.Error = "That is too long. Use 500 characters at the most."
	default:
		return web.Answer{}, err
	}
	return s.draw(r, who, id, http.StatusUnprocessableEntity, ask{}, draft{note: &form})
}

// linkHistory is the Payment Links tab.
func (s *server) linkHistory(r *web.Request, who staff.Member, c agent.Client, tab string, whole bool) (LinkHistory, error) {
	var out LinkHistory
	after := r.URL.Query().Get("older")
	sent, more, err := s.Desk.Payments(r.Context(), who, c.ID, after)
	if err != nil {
		return out, err
	}
	now := s.door.Now()
	for _, p := range sent {
		row := LinkRow{
			Address: clientAddress(c.ID, url.Values{"tab": {tab}, "payment": {p.ID}}), Vehicle: p.Frozen.Vehicle, Reference: p.Reference(), Amount: p.Amount().String(),
			Sent: lang.English.DateTime(p.CreatedAt.In(zoneOf(p.Payment))), Current: r.URL.Query().Get("payment") == p.ID, By: p.Sender(), To: p.To, Whose: "Another number",
		}
		switch {
		case p.To == "":
			row.Whose = "Card on file"
		case p.Own:
			row.Whose = "Own number"
		}
		switch {
		case p.Resends == 1:
			row.Resent = "Resent once"
		case p.Resends > 1:
			row.Resent = fmt.Sprintf("Resent %d times", p.Resends)
		}
		if p.ChainID != p.ID {
			row.Follows = p.First()
		}
		if whole {
			row.Payment = paymentAddress(p.ID)
		}
		row.State, row.Tone = stateWords(p.Payment, now)
		if p.Disputed {
			row.State, row.Tone = "Disputed", "bad"
		}
		out.Rows = append(out.Rows, row)
	}
	out.Older, out.Newest = pages(clientAddress(c.ID, url.Values{"tab": {tab}}), after, more, func() string { return sent[len(sent)-1].ID })
	return out, nil
}

// nextFact is the next appointment as a figure of the strip.
func nextFact(c agent.Client, next []agent.Appointment) Fact {
	f := Fact{Name: "Next appointment"}
	if len(next) == 0 {
		f.add("None", "")
		return f
	}
	at := next[0].StartsAt.In(next[0].Location.TimeZone())
	words := at.Format("Jan 2, 3:04 PM")
	if at.Year() != c.Now.In(at.Location()).Year() {
		words = lang.English.DateTime(at)
	}
	f.add(words, "")
	return f
}

// appointments is the Appointments tab.
func appointments(c agent.Client, next, past []agent.Appointment) Appointments {
	row := func(a agent.Appointment) AppointmentRow {
		out := AppointmentRow{At: lang.English.DateTime(a.StartsAt.In(a.Location.TimeZone())), Kind: kindWords(a.Kind), Location: a.Location.Name}
		for _, v := range c.Vehicles {
			if v.ID == a.VehicleID {
				out.Vehicle = v.Label
			}
		}
		out.State, out.Tone = bookedWords(a.State)
		if a.State == appointment.Booked && !a.StartsAt.After(c.Now) {
			out.State, out.Tone = "Not recorded yet", "warning"
		}
		return out
	}
	var out Appointments
	for _, a := range next {
		out.Next = append(out.Next, row(a))
	}
	for _, a := range past {
		out.Past = append(out.Past, row(a))
	}
	return out
}

func kindWords(k appointment.Kind) string { return upper(strings.ReplaceAll(string(k), "_", " ")) }

func bookedWords(st appointment.State) (words, tone string) {
	switch st {
	case appointment.Booked:
		return "Booked", "note"
	case appointment.Kept:
		return "Kept", "good"
	case appointment.Missed:
		return "Missed", "bad"
	}
	return "Cancelled", ""
}

func vehicleRow(v agent.Vehicle) VehicleRow {
	row := VehicleRow{
		Label: v.Label, Plate: strings.TrimSpace(v.PlateState + " " + v.Plate), Program: programName(v.Program), Location: v.Location.Name,
		Daily: v.DailyRate.String(), PaidTo: date(v.PaidTo),
	}
	if v.Plate == "" {
		row.Plate = ""
	}
	var extras []string
	if v.LossProtectionDaily > 0 {
		extras = append(extras, "loss protection "+v.LossProtectionDaily.String()+" a day")
	}
	if v.Hardship != nil {
		extras = append(extras, strings.ToLower(hardshipLabel(&v.Vehicle)[:1])+hardshipLabel(&v.Vehicle)[1:])
	}
	row.Extras = strings.Join(extras, ", ")
	return row
}
