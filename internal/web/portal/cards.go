package portal

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/desk/client"
	"paylink/internal/lang"
	"paylink/internal/lockout"
	"paylink/internal/pay"
	"paylink/internal/wallet"
	"paylink/internal/web"
)

// Names of the pages of cards, for web.Pages.Render.
const (
	CardsPage      = "portal/cards"       // Cards
	AddCardPage    = "portal/card-add"    // AddCard
	RemoveCardPage = "portal/card-remove" // RemoveCard
)

const cardsHome = "/my/cards"

// Cards is GET /my/cards.
type Cards struct {
	Chrome
	Said string // what was just done; "" for nothing
	List []CardRow
	Full bool // no more can be added
}

// CardRow is a card on file.
type CardRow struct {
	ID, Name, Brand, Last4 string
	Expiry                 string // "Expires 08/2027", or that it has
	Main, AutoPay, Prepaid bool
	Warning                string // what is wrong with it, and what to do; "" for nothing
	Bad                    bool   // it can't be charged
	Stuck                  bool   // and Auto Pay would
	MayBeMain              bool
}

// AddCard is GET /my/cards/add.
type AddCard struct {
	Chrome
	Back   string // where to go on afterwards
	Terms  lang.Terms
	Script CardScript
}

// Agree returns the consent sentence in three parts: before the link to the terms, the link's words, and after it.
func (p AddCard) Agree() [3]string { return agreeTo(p.T("my.cards.add.agree", p.Brand)) }

func agreeTo(sentence string) [3]string {
	before, rest, _ := strings.Cut(sentence, "[")
	words, after, _ := strings.Cut(rest, "]")
	return [3]string{before, words, after}
}

// RemoveCard asks whether a card is to be removed, and which one takes over.
type RemoveCard struct {
	Chrome
	ID, Name string
	AutoPay  bool
	Others   []CardRow // that can take over
	Error    string
}

// CardScript is what the server tells a script that enters a card to be kept.
type CardScript struct {
	StripeJS       string            `json:"stripeJs"`
	PublishableKey string            `json:"publishableKey"`
	Locale         string            `json:"locale"`
	Terms          string            `json:"terms"` // version of the terms of keeping a card
	Back           string            `json:"back"`
	Texts          map[string]string `json:"texts"`
}

// CardAnswer is what POST /my/cards/setup and POST /my/cards say to a script.
type CardAnswer struct {
	State        string `json:"state"`                   // "confirm", "kept"; of a refusal its code: "same_card", "brand", "not_set_up", "cards_most", "locked_out", "terms", …
	Message      string `json:"message,omitempty"`       // a sentence in the client's language
	Setup        string `json:"setup,omitempty"`         // SetupIntent, for POST /my/cards
	ClientSecret string `json:"client_secret,omitempty"` // of "confirm"
	Card         string `json:"card,omitempty"`          // our id of the card that is on file now
}

// asksForJSON says whether a script asks, and not a form: it is answered as it asks, refusals too.
func asksForJSON(r *web.Request) bool {
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return r.Method == http.MethodPost && strings.TrimSpace(kind) == "application/json"
}

// cardRefusal says why a card was not kept.
func cardRefusal(l lang.Lang, p web.Problem) string {
	for _, known := range []struct {
		err error
		key string
	}{
		{pay.ErrBrand, "brand"}, {account.ErrSameCard, "same_card"}, {wallet.ErrNotSetUp, "not_set_up"}, {wallet.ErrMost, "cards_most"}, {lockout.ErrLocked, "locked"}, {pay.ErrTerms, "terms"},
		{pay.ErrUnavailable, "unavailable"},
	} {
		if errors.Is(p.Err, known.err) {
			return l.T("my.cards.no." + known.key)
		}
	}
	if p.Code == "no_session" {
		return l.T("my.cards.add.over")
	}
	return l.T("my.cards.no.other")
}

// cards is GET /my/cards.
func (s *server) cards(r *web.Request, who client.Who) (web.Answer, error) {
	list, err := s.Desk.Cards(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	page := Cards{Chrome: s.chrome(r, who), Full: len(list) >= wallet.Most}
	for _, c := range list {
		page.List = append(page.List, cardRow(page.Lang, c))
	}
	switch said := r.URL.Query().Get("said"); said {
	case "added", "main", "removed":
		page.Said = page.T("my.cards.said." + said)
	}
	return s.Pages.Page(http.StatusOK, CardsPage, page)
}

// CardsToSee is what the dashboard says of cards on file that something is wrong with.
type CardsToSee struct{ CardWarnings []string }

func cardsToSee(l lang.Lang, cards []client.Card) (out CardsToSee) {
	for _, c := range cards {
		key := ""
		switch {
		case c.AutoPay && !c.Chargeable:
			key = "stuck"
		case c.Refused != "":
			key = "refused"
		case c.Expired:
			key = "over"
		case c.Soon:
			key = "soon"
		default:
			continue
		}
		out.CardWarnings = append(out.CardWarnings, l.T("my.cards.look."+key, cardName(l, c.Card)))
	}
	return out
}

func cardRow(l lang.Lang, c client.Card) CardRow {
	row := CardRow{
		ID: c.ID, Name: cardName(l, c.Card), Brand: pay.Card{Brand: c.Brand}.Name(), Last4: c.Last4, Main: c.Main, AutoPay: c.AutoPay, Prepaid: c.Funding == "prepaid",
		Bad: !c.Chargeable, Stuck: c.AutoPay && !c.Chargeable, MayBeMain: !c.Main && c.Chargeable,
	}
	date, key := fmt.Sprintf("%02d/%d", c.ExpMonth, c.ExpYear), "my.cards.expires"
	switch {
	case c.Refused != "":
		row.Warning = l.T("my.cards.refused")
	case c.Expired:
		row.Warning, key = l.T("my.cards.over"), "my.cards.expired"
	case c.Soon:
		row.Warning = l.T("my.cards.soon")
	}
	row.Expiry = l.T(key, date)
	return row
}

// cardName is how people tell a card: "Visa ending 4242".
func cardName(l lang.Lang, c account.Card) string {
	return l.T("receipt.card_ending", pay.Card{Brand: c.Brand}.Name(), c.Last4)
}

// addCard is GET /my/cards/add, the page that loads Stripe.js.
func (s *server) addCard(r *web.Request, who client.Who) (web.Answer, error) {
	page := AddCard{Chrome: s.chrome(r, who), Back: cardsHome + "?said=added"}
	if to := r.URL.Query().Get("back"); to != "" {
		page.Back = safeBack(to)
	}
	var err error
	if page.Script, page.Terms, err = s.cardScript(r, page.Lang); err != nil {
		return web.Answer{}, err
	}
	page.Script.Back = page.Back
	a, err := s.Pages.Page(http.StatusOK, AddCardPage, page)
	return s.withStripe(r, a), err
}

// withStripe lets a page load Stripe.js.
func (s *server) withStripe(r *web.Request, a web.Answer) web.Answer {
	if a.Header == nil {
		a.Header = http.Header{}
	}
	a.Header.Set("Content-Security-Policy", web.CardPolicy(r.Nonce, s.StripeJS))
	return a
}

// cardScript is what a page needs on which a card is entered that is to be kept, and the terms that are agreed to there.
func (s *server) cardScript(r *web.Request, l lang.Lang) (CardScript, lang.Terms, error) {
	version, err := s.Desk.CardTerms(r.Context())
	if err != nil {
		return CardScript{}, lang.Terms{}, err
	}
	terms, err := s.Terms(r.Context(), version)
	if err != nil {
		return CardScript{}, lang.Terms{}, err
	}
	texts := web.CardTexts(l)
	texts["working"], texts["unreachable"] = l.T("my.cards.add.working"), l.T("my.cards.add.unreachable")
	texts["unclear"], texts["over"] = l.T("my.cards.add.unclear"), l.T("my.cards.add.over")
	return CardScript{StripeJS: s.StripeJS, PublishableKey: s.PublishableKey, Locale: string(l), Terms: version, Texts: texts}, terms[l], nil
}

// setUpCard is POST /my/cards/setup: a script asks for the secret by which it proves a card to its bank.
func (s *server) setUpCard(r *web.Request, who client.Who) (web.Answer, error) {
	var in struct {
		Terms string `json:"terms"`
	}
	if err := web.ReadJSON(r, &in); err != nil {
		return web.Answer{}, err
	}
	setup, secret, err := s.Desk.SetUpCard(r.Context(), who, client.Agreement{Terms: in.Terms, Language: string(s.language(r, who)), Address: r.Address, UserAgent: r.Browser()})
	if err != nil {
		return web.Answer{}, err
	}
	return web.JSON(http.StatusOK, CardAnswer{State: "confirm", Setup: setup.ID, ClientSecret: secret.Reveal()})
}

// keepCard is POST /my/cards: the script has confirmed, and the card is put on file.
func (s *server) keepCard(r *web.Request, who client.Who) (web.Answer, error) {
	var in struct {
		Setup string `json:"setup"`
	}
	if err := web.ReadJSON(r, &in); err != nil {
		return web.Answer{}, err
	}
	if !strings.HasPrefix(in.Setup, "seti_") || len(in.Setup) > 100 {
		return web.Answer{}, web.ErrBadRequest
	}
	card, err := s.Desk.KeepCard(r.Context(), who, in.Setup)
	if errors.Is(err, account.ErrSameCard) { // whoever wanted to pay with it can
		p := web.ProblemOf(err)
		return web.JSON(p.Status, CardAnswer{State: p.Code, Message: cardRefusal(s.language(r, who), p), Card: card.ID})
	}
	if err != nil {
		return web.Answer{}, err
	}
	return web.JSON(http.StatusOK, CardAnswer{State: "kept", Message: s.language(r, who).T("my.cards.said.added"), Card: card.ID})
}

// makeMainCard is POST /my/cards/{card}/main.
func (s *server) makeMainCard(r *web.Request, who client.Who) (web.Answer, error) {
	if err := s.Desk.MakeMainCard(r.Context(), who, mux.Vars(r.Request)["card"]); err != nil {
		return web.Answer{}, err
	}
	return web.Redirect(cardsHome + "?said=main"), nil
}

// sureToRemoveCard is GET /my/cards/{card}/remove.
func (s *server) sureToRemoveCard(r *web.Request, who client.Who) (web.Answer, error) {
	return s.removePage(r, who, http.StatusOK, "")
}

func (s *server) removePage(r *web.Request, who client.Who, status int, wrong string) (web.Answer, error) {
	card, others, err := s.Desk.Card(r.Context(), who, mux.Vars(r.Request)["card"])
	if err != nil {
		return web.Answer{}, err
	}
	page := RemoveCard{Chrome: s.chrome(r, who), ID: url.PathEscape(card.ID), AutoPay: card.AutoPay, Error: wrong}
	page.Name = cardName(page.Lang, card.Card)
	for _, c := range others {
		if c.Chargeable {
			page.Others = append(page.Others, cardRow(page.Lang, c))
		}
	}
	if wrong != "" {
		page.Focus = "take-over"
	}
	return s.Pages.Page(status, RemoveCardPage, page)
}

// removeCard is POST /my/cards/{card}/remove.
func (s *server) removeCard(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	err := s.Desk.RemoveCard(r.Context(), who, mux.Vars(r.Request)["card"], r.PostFormValue("take_over"))
	l := s.language(r, who)
	switch {
	case errors.Is(err, wallet.ErrInUse):
		return s.removePage(r, who, web.ProblemOf(err).Status, l.T("my.cards.gone.choose"))
	case errors.Is(err, wallet.ErrDead):
		return s.removePage(r, who, web.ProblemOf(err).Status, l.T("my.cards.gone.dead"))
	case err != nil:
		return web.Answer{}, err
	}
	return web.Redirect(cardsHome + "?said=removed"), nil
}
