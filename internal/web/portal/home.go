package portal

import (
	"net/http"

	"paylink/internal/desk/client"
	"paylink/internal/web"
)

// home is the dashboard.
func (s *server) home(r *web.Request, who client.Who) (web.Answer, error) {
	h, err := s.Desk.Home(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	page := Home{Chrome: s.chrome(r, who), Balance: h.Balance.Accounting()}
	page.Greeting = page.T("my.home.hello", who.FirstName)
	for _, v := range h.Vehicles {
		page.Vehicles = append(page.Vehicles, VehicleCard{Label: v.Label, PaidTo: page.Date(v.PaidTo), Location: v.Location.Name})
	}
	page.CardsToSee = cardsToSee(page.Lang, h.Cards)
	notices, err := s.Desk.Notices(r.Context(), who, 0, noticesAtHome)
	if err != nil {
		return web.Answer{}, err
	}
	page.NoticeList = page.noticeList(notices, home)
	return s.Pages.Page(http.StatusOK, HomePage, page)
}
