package portal

import (
	"net/http"
	"strings"

	"paylink/internal/desk/client"
	"paylink/internal/lang"
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
	Vehicles   []VehicleFacts
}

// VehicleFacts is a vehicle as the client knows it. Plate is "" for a portable monitor.
type VehicleFacts struct{ ID, Label, Plate, Location string }

// saved are the changes that the profile's address may name.
var saved = []string{"language"}

func (s *server) profile(r *web.Request, who client.Who) (web.Answer, error) {
	p, err := s.Desk.Profile(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	page := Profile{Chrome: s.chrome(r, who), ID: p.ID, Mail: p.Email, Phone: p.Phone.String()}
	page.OtherWords = map[lang.Lang]string{lang.English: "Switch to English", lang.Spanish: "Cambiar a español"}[page.Other()]
	for _, what := range saved {
		if r.URL.Query().Get("saved") == what {
			page.Saved = page.T("my.profile.saved." + what)
		}
	}
	for _, v := range p.Vehicles {
		page.Vehicles = append(page.Vehicles, VehicleFacts{ID: v.ID, Label: v.Label, Plate: strings.TrimSpace(v.PlateState + " " + v.Plate), Location: v.Location.Name})
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
