package portal

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/desk/client"
	"paylink/internal/lang"
	"paylink/internal/trail"
	"paylink/internal/web"
)

// ProfilePage is the name of the profile, for web.Pages.Render.
const ProfilePage = "portal/profile" // Profile

// Profile is who a client is to us, and the way to everything that they can change of it.
type Profile struct {
	Chrome
	Saved      string // what was changed just now, in words
	ID, Mail   string
	Phone      string // masked
	OtherWords string // the button that switches to the other language, in that language
	Texts      string // "on", "off", or "shut" by the carrier; "" without a number
	Vehicles   []VehicleFacts
}

// VehicleFacts is a vehicle as the client knows it. A portable monitor has no plate.
type VehicleFacts struct {
	ID, Label, Plate, Location string
	Plated                     bool
}

// saved are the changes that the profile's address may name.
var saved = []string{"language", "mail", "phone", "plate", "texts_off", "texts_on"}

func (s *server) profile(r *web.Request, who client.Who) (web.Answer, error) {
	p, err := s.Desk.Profile(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	page := Profile{Chrome: s.chrome(r, who), ID: p.ID, Mail: p.Email, Phone: p.Phone.String()}
	page.OtherWords = map[lang.Lang]string{lang.English: "Switch to English", lang.Spanish: "Cambiar a español"}[page.Other()]
	switch {
	case p.Client.Phone.IsZero():
	case p.TextsShut:
		page.Texts = "shut"
	case p.TextsOff:
		page.Texts = "off"
	default:
		page.Texts = "on"
	}
	for _, what := range saved {
		if r.URL.Query().Get("saved") == what {
			page.Saved = page.T("my.profile.saved." + what)
		}
	}
	for _, v := range p.Vehicles {
		page.Vehicles = append(page.Vehicles, VehicleFacts{ID: v.ID, Label: v.Label, Plate: strings.TrimSpace(v.PlateState + " " + v.Plate), Location: v.Location.Name, Plated: v.Program == account.IID})
	}
	return s.Pages.Page(http.StatusOK, ProfilePage, page)
}

// savedAs leads back to the profile, which says what was changed.
func savedAs(what string) web.Answer { return web.Redirect("/my/profile?saved=" + what) }

func (s *server) setLanguage(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	l, ok := lang.Parse(r.PostFormValue("language"))
	if !ok {
		return web.Answer{}, web.ErrBadRequest
	}
	if err := s.Desk.SetLanguage(r.Context(), who, l); err != nil {
		return web.Answer{}, err
	}
	return savedAs("language"), nil
}

func (s *server) setTexts(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	want := r.PostFormValue("texts")
	if want != "on" && want != "off" {
		return web.Answer{}, web.ErrBadRequest
	}
	err := s.Desk.SetTexts(r.Context(), who, want == "on")
	if errors.Is(err, client.ErrBlocked) { // the page itself says what to do
		a, err := s.profile(r, who)
		a.Status = http.StatusConflict
		return a, err
	}
	if err != nil {
		return web.Answer{}, err
	}
	return savedAs("texts_" + want), nil
}

// PlatePage is the name of the page, for web.Pages.Render.
const PlatePage = "portal/plate" // Plate

// Plate is where a license plate is changed.
type Plate struct {
	Chrome
	ID, Label, Number string
	States            []Option
	Seen              account.Plate
	Error             string
}

func (s *server) plate(r *web.Request, who client.Who) (web.Answer, error) {
	v, err := s.Desk.Plated(r.Context(), who, mux.Vars(r.Request)["id"])
	if err != nil {
		return web.Answer{}, err
	}
	return s.platePage(r, who, v, account.Plate{Number: v.Plate, State: v.PlateState}, nil)
}

// platePage draws the form with what was typed, and why it was refused; nil for nothing.
func (s *server) platePage(r *web.Request, who client.Who, v account.Vehicle, typed account.Plate, why error) (web.Answer, error) {
	page := Plate{Chrome: s.chrome(r, who), ID: v.ID, Label: v.Label, Number: typed.Number, Seen: account.Plate{Number: v.Plate, State: v.PlateState}}
	for _, state := range account.States() {
		page.States = append(page.States, Option{state, state, state == typed.State})
	}
	status := http.StatusOK
	if why != nil {
		p := web.ProblemOf(why)
		status, page.Focus, page.Error = p.Status, "plate", page.T("my.plate."+p.Code)
	}
	return s.Pages.Page(status, PlatePage, page)
}

func (s *server) setPlate(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id := mux.Vars(r.Request)["id"]
	seen := account.Plate{Number: r.PostFormValue("seen"), State: r.PostFormValue("seen_state")}
	typed := account.Plate{Number: r.PostFormValue("plate"), State: r.PostFormValue("state")}
	err := s.Desk.SetPlate(r.Context(), who, id, seen, typed.Number, typed.State)
	if !errors.Is(err, account.ErrPlate) && !errors.Is(err, account.ErrChanged) {
		return savedAs("plate"), err
	}
	v, found := s.Desk.Plated(r.Context(), who, id)
	if found != nil {
		return web.Answer{}, found
	}
	if errors.Is(err, account.ErrChanged) || trail.HoldsCardNumber(typed.Number) { // what it is now, not what would undo it; and no card number comes back
		typed = account.Plate{Number: v.Plate, State: v.PlateState}
	}
	return s.platePage(r, who, v, typed, err)
}
