package plus

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"paylink/internal/staff"
	"paylink/internal/trail"
	"paylink/internal/web"
)

// passwords may look like anything. They are never kept as they were typed, and never shown again.
var passwords = []string{"password", "old", "new", "secret"}

// ownWords are fields whose handlers refuse a card number themselves, and say so at the field: by route.
var ownWords = map[string][]string{
	"/plus/clients":              {"q"},
	"/plus/clients/{id}/links":   {"phone", "payer"},
	"/plus/clients/{id}/notes":   {"text"},
	"/plus/payments/{id}/cancel": {"words"},
	"/plus/payments/{id}/refund": {"why"},
	"/plus/payments/{id}/decide": {"why"},
	"/plus/payments/{id}/drop":   {"why"},
	"/plus/payments/{id}/clear":  {"why"},

	"/plus/admin/staff":                     {"name"},
	"/plus/admin/staff/{id}":                {"name", "team"},
	"/plus/admin/locations":                 {"name"},
	"/plus/admin/locations/{id}":            {"name"},
	"/plus/admin/locations/{id}/fees":       {"name"},
	"/plus/admin/locations/{id}/fees/{fee}": {"name"},
}

// noCards refuses a request that holds what looks like a card number, in whatever field of a form or part of an address, before anybody works with it. What was typed is neither kept
// nor shown.
func (s *server) noCards(h web.Handler) web.Handler {
	return func(r *web.Request) (web.Answer, error) {
		all := []url.Values{r.URL.Query(), nil}
		if r.Method == http.MethodPost {
			if err := web.ReadForm(r); err != nil {
				return web.Answer{}, err
			}
			all[1] = r.PostForm
		}
		route := ""
		if m := mux.CurrentRoute(r.Request); m != nil {
			route, _ = m.GetPathTemplate() // "" has no words of its own
		}
		for name, id := range mux.Vars(r.Request) {
			if looksLikeCard(id) {
				return web.Answer{}, s.cardTyped(r, route, name)
			}
		}
		for n, fields := range all {
			for name, values := range fields {
				typed := append([]string{name}, values...)
				if n == 1 && slices.Contains(passwords, name) || slices.Contains(ownWords[route], name) {
					typed = []string{name}
				}
				if slices.ContainsFunc(typed, looksLikeCard) {
					return web.Answer{}, s.cardTyped(r, route, name)
				}
			}
		}
		return h(r)
	}
}

// cardTyped writes into the trail where a card number was typed, and returns what is said of it.
func (s *server) cardTyped(r *web.Request, route, field string) error {
	who, err := s.who(r)
	if err != nil {
		who = staff.Member{} // whoever it is
	}
	if !plainName.MatchString(field) {
		field = "of another name"
	}
	if err := s.SignIn.CardTyped(r.Context(), who, r.Address, "field "+field+" of "+strings.TrimSpace(r.Method+" "+route)); err != nil {
		return err
	}
	return trail.ErrCardNumber
}

var (
	// plainName is what our own fields are called. Others' names are not kept: they may be anything.
	plainName = regexp.MustCompile(`^[a-z_-]{1,30}$`)
	// ourID is what an id of ours looks like; some hold many digits. Nothing that is typed does: it has 32 digits or more.
	ourID = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$|^[0-9a-f]{32}([0-9a-f]{32})?$`)
	// ourPlace is a place in a list, as in the address of its next page: a time in milliseconds, and mostly an id. No card's number begins with 1 and has 13 digits.
	ourPlace = regexp.MustCompile(`^1[0-9]{12}([._][0-9A-Za-z._-]*)?$`)
)

func looksLikeCard(s string) bool {
	return trail.HoldsCardNumber(s) && !ourID.MatchString(s) && !ourPlace.MatchString(s)
}
