package portal

import (
	"net/http"

	"paylink/internal/desk/client"
	"paylink/internal/web"
)

// sessions is GET /my/sessions: where one is signed in.
func (s *server) sessions(r *web.Request, who client.Who) (web.Answer, error) {
	list, err := s.Desk.Sessions(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	page := Sessions{Chrome: s.chrome(r, who)}
	for _, one := range list {
		// Where a browser is, nobody knows; the server's day and time in UTC are at least the same for all of them.
		page.List = append(page.List, SessionRow{ID: one.ID, Browser: one.Browser, Address: one.Address, Began: page.DateTime(one.BeganAt), Here: one.ID == who.SessionID})
	}
	return s.Pages.Page(http.StatusOK, SessionsPage, page)
}

// endSession ends one of one's own sessions; ending the one that asks is signing out.
func (s *server) endSession(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id := r.PostFormValue("id")
	if err := s.Desk.EndSession(r.Context(), who, id); err != nil {
		return web.Answer{}, err
	}
	if id == who.SessionID {
		a := web.Redirect(home)
		a.Cookies = append(a.Cookies, forget())
		return a, nil
	}
	return web.Redirect("/my/sessions"), nil
}
