// Package payer is the payer's door: the landing page, the page where the card is entered, and what became of it.
package payer

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/desk/payer"
	"paylink/internal/lang"
	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/seal"
	"paylink/internal/web"
)

// Config is what the door needs. All fields are required.
type Config struct {
	Desk           *payer.Desk
	Pages          *web.Pages
	Door           web.Door // its Policy and Refuse are set here
	Keys           seal.Keys
	Brand          string
	Support        phone.Number
	StripeJS       string // address of Stripe.js
	PublishableKey string
	LinkLife       time.Duration                                                               // whole minutes
	Terms          func(ctx context.Context, version string) (map[lang.Lang]lang.Terms, error) // a version's text, worded
}

// cookieName is the session's: __Host- has the browser refuse it from anywhere but this host over TLS.
const cookieName = "__Host-pay"

// languageCookie remembers which language the payer chose.
const languageCookie = "__Host-lang"

type server struct {
	Config
	landings map[lang.Lang]func() (web.Answer, error) // the landing page in each language, drawn once
}

// Mount puts the door's routes on the router.
func Mount(r *mux.Router, c Config) {
	s := &server{Config: c, landings: map[lang.Lang]func() (web.Answer, error){}}
	for _, l := range lang.All {
		page := Landing{s.chrome(&web.Request{}, l, "/p")}
		s.landings[l] = sync.OnceValues(func() (web.Answer, error) { return s.Pages.Page(http.StatusOK, LandingPage, page) })
	}
	pages, card := s.Door, s.Door
	pages.Refuse, card.Refuse = s.refuse, s.refuse
	pages.Policy = func(nonce string) string { return web.Policy(nonce) }
	card.Policy = func(nonce string) string { return web.CardPolicy(nonce, s.StripeJS) }
	r.Handle("/p", pages.Handle(s.landing)).Methods(http.MethodGet)
	r.Handle("/pay/open", pages.Handle(s.open)).Methods(http.MethodPost)
	r.Handle("/pay", card.Handle(s.page)).Methods(http.MethodGet)
	r.Handle("/pay/charge", pages.Handle(s.charge)).Methods(http.MethodPost)
	r.Handle("/pay/continue", pages.Handle(s.goOn)).Methods(http.MethodPost)
	r.Handle("/pay/status", pages.Handle(s.status)).Methods(http.MethodGet)
	r.Handle("/pay/not-mine", pages.Handle(s.notMine)).Methods(http.MethodPost)
	r.Handle("/pay/receipt", pages.Handle(s.receipt)).Methods(http.MethodGet)
	r.Handle("/pay/receipt", pages.Handle(s.textReceipt)).Methods(http.MethodPost)
}

// Refuse draws a problem that no route stands for, such as an address that leads nowhere, as a payer's page: whoever gets lost here has most likely come by a text.
func Refuse(c Config, h web.Handler) http.Handler {
	s := &server{Config: c}
	d := s.Door
	d.Refuse = s.refuse
	return d.Handle(h)
}

// language is what the payer chose, else the link's (the client's language), else the browser's.
func (s *server) language(r *web.Request, l link.Link) lang.Lang {
	if chosen, ok := lang.Parse(r.URL.Query().Get("lang")); ok {
		return chosen
	}
	if c, err := r.Cookie(languageCookie); err == nil {
		if chosen, ok := lang.Parse(c.Value); ok {
			return chosen
		}
	}
	if known, ok := lang.Parse(l.Language); ok {
		return known
	}
	return lang.Match(r.Header.Get("Accept-Language"))
}

func (s *server) chrome(r *web.Request, l lang.Lang, path string) Chrome {
	return Chrome{
		Chrome:       web.Chrome{Lang: l, Nonce: r.Nonce, Brand: s.Brand},
		Path:         path,
		SupportPhone: s.Support.National(), SupportTel: s.Support.E164(),
	}
}

// chosen keeps a choice of language that came with the address.
func chosen(r *web.Request, a web.Answer) web.Answer {
	if l, ok := lang.Parse(r.URL.Query().Get("lang")); ok {
		a.Cookies = append(a.Cookies, cookie(languageCookie, string(l), 0))
	}
	return a
}

// cookie lives for a while by the browser's own clock; 0: until the browser is closed.
func cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: seconds(life), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// landing is the same for everybody who reads the language. It holds no secret, and the token in its address never reaches us.
func (s *server) landing(r *web.Request) (web.Answer, error) {
	a, err := s.landings[s.language(r, link.Link{})]()
	a.Header = http.Header{"Cache-Control": {"private, max-age=60"}, "Vary": {"Accept-Language, Cookie"}}
	return chosen(r, a), err
}

func (s *server) open(r *web.Request) (web.Answer, error) {
	var in struct {
		Token string `json:"token"`
	}
	if err := web.ReadJSON(r, &in); err != nil {
		return web.Answer{}, err
	}
	had := ""
	if c, err := r.Cookie(cookieName); err == nil {
		had = c.Value
	}
	session, err := s.Desk.Open(r.Context(), in.Token, r.Address, had)
	if err != nil {
		return web.Answer{}, err
	}
	return web.Answer{Status: http.StatusNoContent, Cookies: []*http.Cookie{cookie(cookieName, session.Sign(s.Keys), payer.SessionLife)}}, nil
}

func (s *server) session(r *web.Request) (link.Session, error) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return link.Session{}, payer.ErrNoSession
	}
	return s.Desk.Session(c.Value)
}

// kinds are the pages of the places that are not payable.
var kinds = map[payer.Place]struct {
	kind   Kind
	status int
}{
	payer.Checking:   {Checking, http.StatusAccepted},
	payer.Elsewhere:  {Elsewhere, http.StatusConflict},
	payer.Used:       {Used, http.StatusGone},
	payer.Expired:    {Expired, http.StatusGone},
	payer.Cancelled:  {Cancelled, http.StatusGone},
	payer.NotMine:    {NotMine, http.StatusGone},
	payer.Replaced:   {Replaced, http.StatusGone},
	payer.Superseded: {Superseded, http.StatusGone},
	payer.Locked:     {Locked, http.StatusGone},
	payer.Late:       {Late, http.StatusGone},
	payer.Refunded:   {Refund, http.StatusGone},
	payer.Review:     {Review, http.StatusGone},
	payer.Paused:     {Paused, http.StatusServiceUnavailable},
}

func (s *server) page(r *web.Request) (web.Answer, error) {
	session, err := s.session(r)
	if err != nil {
		return web.Answer{}, err
	}
	p, err := s.Desk.Page(r.Context(), session)
	if err != nil {
		return web.Answer{}, err
	}
	l := s.language(r, p.Link)
	if p.Place == payer.PaidHere {
		return web.Redirect("/pay/receipt"), nil
	}
	if p.Place != payer.Payable && p.Place != payer.Confirming {
		a, err := s.state(r, p, l)
		return chosen(r, a), err
	}
	terms, err := s.Terms(r.Context(), p.Terms)
	if err != nil {
		return web.Answer{}, err
	}
	payment := p.Payment
	page := Pay{
		Chrome:   s.chrome(r, l, "/pay"),
		TotalDue: payment.Amount().String(), DaysLabel: daysLabel(l, payment, p.Discreet), PaidTo: l.Date(payment.PaidTo()),
		Lines: web.SummaryLines(l, payment.Frozen, p.Discreet), SecondsLeft: seconds(p.Left), Terms: terms[l], TermsVersion: p.Terms, ChargeNonce: p.Nonce,
	}
	page.Reference, page.LinkMinutes = payment.Reference(), int(s.LinkLife/time.Minute)
	if p.Place == payer.Payable && p.Attempt != nil && p.Attempt.State == pay.WasNo {
		page.Notice = l.Decline(p.Attempt.Code) + " " + l.TriesLeft(p.TriesLeft())
	}
	page.Script = NewScript(page, s.StripeJS, s.PublishableKey, payment.StripeAccount)
	if p.Place == payer.Confirming { // the page was left in the middle of 3-D Secure, and goes on with it
		page.Script.Attempt = p.Attempt.ID
	}
	a, err := s.Pages.Page(http.StatusOK, PayPage, page)
	return chosen(r, a), err
}

func (s *server) state(r *web.Request, p payer.Page, l lang.Lang) (web.Answer, error) {
	k, ok := kinds[p.Place]
	if !ok {
		return web.Answer{}, errors.New("no page for place " + string(p.Place))
	}
	page := State{Chrome: s.chrome(r, l, "/pay"), Kind: k.kind, Amount: p.Payment.GivenBack.String()}
	if p.BackPart() && p.Place == payer.Used {
		page.Note = l.T("receipt.back_part", p.Payment.GivenBack.String())
	}
	page.Reference = p.Payment.Reference()
	return s.Pages.Page(k.status, StatePage, page)
}

func seconds(d time.Duration) int { return int(d / time.Second) }

func daysLabel(l lang.Lang, p pay.Payment, discreet bool) string {
	if p.Frozen.Input.Days == 0 {
		return ""
	}
	return l.DaysOf(p.Frozen.Input.Days, discreet)
}

func (s *server) charge(r *web.Request) (web.Answer, error) {
	session, err := s.session(r)
	if err != nil {
		return web.Answer{}, err
	}
	var in struct {
		PaymentMethod string `json:"payment_method"`
		Terms         string `json:"terms"`
		Nonce         string `json:"nonce"`
	}
	if err := web.ReadJSON(r, &in); err != nil {
		return web.Answer{}, err
	}
	if !strings.HasPrefix(in.PaymentMethod, "pm_") || len(in.PaymentMethod) > 100 {
		return web.Answer{}, web.ErrBadRequest
	}
	page, secret, err := s.Desk.Pay(r.Context(), session, payer.Press{
		PaymentMethod: in.PaymentMethod, Terms: in.Terms, Nonce: in.Nonce, Language: string(s.language(r, link.Link{})), Address: r.Address, UserAgent: r.Browser(),
	})
	if err != nil {
		return web.Answer{}, err
	}
	return s.said(r, page, secret)
}

func (s *server) goOn(r *web.Request) (web.Answer, error) {
	session, err := s.session(r)
	if err != nil {
		return web.Answer{}, err
	}
	var in struct {
		Attempt string `json:"attempt"`
	}
	if err := web.ReadJSON(r, &in); err != nil {
		return web.Answer{}, err
	}
	page, secret, err := s.Desk.Continue(r.Context(), session, in.Attempt)
	if err != nil {
		return web.Answer{}, err
	}
	return s.said(r, page, secret)
}

// said answers a try: the state that it has come to, with the status that belongs to it.
func (s *server) said(r *web.Request, p payer.Page, secret pay.Secret) (web.Answer, error) {
	a, status := s.answer(r, p)
	switch p.Place {
	case payer.Payable:
		if p.Attempt == nil || p.Attempt.State == pay.Abandoned {
			break
		}
		l := s.language(r, p.Link)
		a.State, status = "declined", http.StatusPaymentRequired
		a.Message, a.TriesLeft, a.Nonce, a.Reason = l.Decline(p.Attempt.Code)+" "+l.TriesLeft(p.TriesLeft()), p.TriesLeft(), p.Nonce, p.Attempt.Code
	case payer.Confirming:
		a.ClientSecret, a.Attempt = secret.Reveal(), p.Attempt.ID
		if a.ClientSecret == "" { // Stripe could not be asked for it: the page asks again
			a.State, status = "unknown", http.StatusAccepted
		}
	}
	return web.JSON(status, a)
}

// answer says where a session stands, and with which status a try that has come to it is answered.
func (s *server) answer(r *web.Request, p payer.Page) (Answer, int) {
	l := s.language(r, p.Link)
	say := func(state string, status int) (Answer, int) {
		return Answer{State: state, Message: l.Answer(state)}, status
	}
	switch p.Place {
	case payer.PaidHere:
		return say("paid", http.StatusOK)
	case payer.Payable:
		a, status := say("open", http.StatusOK)
		a.SecondsLeft = seconds(p.Left)
		return a, status
	case payer.Confirming:
		return say("needs_action", http.StatusOK)
	case payer.Checking:
		return say("unknown", http.StatusAccepted)
	case payer.Elsewhere:
		return say("paying", http.StatusConflict)
	}
	a, status := say("closed", http.StatusGone)
	switch p.Place {
	case payer.Paused:
		a.Message, status = l.Answer("paused"), http.StatusConflict
	case payer.Late, payer.Review: // there may be a charge, or is one
		a.Message = l.Answer("unknown")
	case payer.Used, payer.Refunded:
		a.Message = ""
	}
	a.Reason = string(p.Place)
	return a, status
}

// status is asked for again and again; it changes nothing, and a refusal is no answer to it: it always is 200.
func (s *server) status(r *web.Request) (web.Answer, error) {
	session, err := s.session(r)
	if err != nil {
		return web.Answer{}, err
	}
	p, err := s.Desk.Page(r.Context(), session)
	if err != nil {
		return web.Answer{}, err
	}
	a, _ := s.answer(r, p)
	if p.Place == payer.Confirming {
		a.Attempt = p.Attempt.ID
	}
	return web.JSON(http.StatusOK, a)
}

func (s *server) notMine(r *web.Request) (web.Answer, error) {
	session, err := s.session(r)
	if err != nil {
		return web.Answer{}, err
	}
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	err = s.Desk.Refuse(r.Context(), session, r.PostForm.Get("nonce"))
	if err != nil && !errors.Is(err, pay.ErrClosed) && !errors.Is(err, pay.ErrElsewhere) {
		return web.Answer{}, err
	}
	return web.Redirect("/pay"), nil // which says what became of it
}

func (s *server) receipt(r *web.Request) (web.Answer, error) {
	session, err := s.session(r)
	if err != nil {
		return web.Answer{}, err
	}
	p, err := s.Desk.Page(r.Context(), session)
	if err != nil {
		return web.Answer{}, err
	}
	if p.Place != payer.PaidHere {
		return web.Redirect("/pay"), nil
	}
	l, payment := s.language(r, p.Link), p.Payment
	page := Receipt{
		Chrome:   s.chrome(r, l, "/pay/receipt"),
		TotalDue: payment.Amount().String(), When: l.DateTime(payment.ClosedAt.In(account.Location{Zone: payment.Frozen.Zone}.TimeZone())),
		CardBrand: brandName(p.Attempt.Card.Brand), CardLast4: p.Attempt.Card.Last4, PaidTo: l.Date(payment.PaidTo()), Lines: web.SummaryLines(l, payment.Frozen, p.Discreet),
		MayText: r.URL.Query().Get("texted") == "" && !p.BackWhole(), Texted: r.URL.Query().Get("texted") != "",
	}
	switch {
	case p.BackWhole(): // what it was paid to no longer holds
		page.Back, page.BackNote, page.Whole, page.PaidTo = payment.GivenBack.String(), l.T("receipt.back_whole", payment.GivenBack.String()), true, ""
	case p.BackPart():
		page.Back, page.BackNote = payment.GivenBack.String(), l.T("receipt.back_part", payment.GivenBack.String())
	}
	page.Reference = payment.Reference()
	a, err := s.Pages.Page(http.StatusOK, ReceiptPage, page)
	return chosen(r, a), err
}

func brandName(brand string) string {
	switch brand {
	case "visa":
		return "Visa"
	case "mastercard":
		return "Mastercard"
	}
	return brand
}

func (s *server) textReceipt(r *web.Request) (web.Answer, error) {
	session, err := s.session(r)
	if err != nil {
		return web.Answer{}, err
	}
	if err := s.Desk.TextReceipt(r.Context(), session); err != nil {
		return web.Answer{}, err
	}
	return web.Redirect("/pay/receipt?texted=1"), nil
}

// refuse draws a problem: a document for the page's script, a page for a person.
func (s *server) refuse(r *web.Request, p web.Problem) (web.Answer, error) {
	l := s.language(r, link.Link{})
	if wantsJSON(r) {
		return web.JSON(p.Status, Answer{State: states[p.Code], Message: l.Answer(answers[p.Code]), Reason: p.Code})
	}
	kind, ok := problemKinds[p.Code]
	if !ok {
		kind = Failed
	}
	page := State{Chrome: s.chrome(r, l, ""), Kind: kind}
	if kind == Failed {
		page.Reference = r.ID[max(0, len(r.ID)-8):]
	}
	return s.Pages.Page(p.Status, StatePage, page)
}

// wantsJSON says whether a script asks, not a person.
func wantsJSON(r *web.Request) bool {
	switch r.URL.Path {
	case "/pay/open", "/pay/charge", "/pay/continue", "/pay/status":
		return true
	}
	return false
}

// states and answers say how a problem reads in a document: the machine's word and the catalogue's sentence ("answer.…").
var (
	states = map[string]string{
		"paying": "paying", "terms": "terms", "other_link": "other_link", "brand": "brand", "card": "card", "closed": "closed", "dead": "closed",
		"session": "session", "bad_request": "bad_request", "too_large": "bad_request", "too_many": "slow_down", "cross_site": "bad_request",
		"not_ready": "not_ready", "unavailable": "not_ready", "door": "not_ready", "slow": "unknown", "review": "closed", "paused": "closed",
	}
	answers = map[string]string{
		"paying": "paying", "terms": "terms", "other_link": "other_link", "brand": "brand", "card": "card", "closed": "closed", "dead": "dead",
		"session": "session", "bad_request": "bad_request", "too_large": "bad_request", "too_many": "slow_down", "cross_site": "bad_request",
		"not_ready": "not_ready", "unavailable": "not_ready", "door": "not_ready", "slow": "unknown", "review": "unknown", "paused": "paused",
	}
	problemKinds = map[string]Kind{
		"paused":  Paused,
		"session": NoSession, "dead": Dead, "closed": Expired, "too_many": SlowDown, "not_found": NotFound, "method": NotFound, "other_link": NoSession,
		"bad_request": NotFound, "too_large": NotFound, "cross_site": NotFound,
	}
)
