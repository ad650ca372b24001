package portal

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/desk/client"
	"paylink/internal/lang"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/sms"
	"paylink/internal/trail"
	"paylink/internal/web"
)

// Names of the pages of a link that somebody else pays by, for web.Pages.Render.
const (
	SendPage = "portal/send" // Send
	SentPage = "portal/sent" // Sent
)

const sendHome = "/my/send"

// Send is GET /my/send: what somebody else is to pay, and the form that texts them.
type Send struct {
	Chrome
	What     string
	Error    string // of the whole form
	Vehicles []Pick // to choose from; none where there is one
	Vehicle  string
	Days     []Pick
	Lines    []web.SummaryLine
	TotalDue string
	PaidTo   string
	Warnings []string
	Blocked  string // why nothing can be sent; "": it can
	Way      *Way   // what to do instead
	Wanted   WantedFields
	Instead  string // address where the client pays themselves
	// What was typed, and what is wrong with it.
	Phone, Payer                         string
	Consent                              bool
	Languages                            []LanguageRow
	ConsentWords                         string
	PhoneError, PayerError, ConsentError string
}

// LanguageRow is a language of the text.
type LanguageRow struct {
	Code, Name string
	Chosen     bool
}

// Sent is how a link stands.
type Sent struct {
	Chrome
	Path      string // of this link
	Said      string // what was done just now
	To        string
	Headline  string
	Rungs     []RungRow
	Left      string
	CanResend bool
	CanCancel bool
	Over      bool
	Invoice   string // its address; ""
	Anew      string
}

// RungRow is a rung of the ladder.
type RungRow struct{ Class, Text, At, Why string }

// sendHref is the page that sends a link for something.
func sendHref(w client.Wanted) string { return sendHome + strings.TrimPrefix(payHref(w), payHome) }

// send is GET /my/send.
func (s *server) send(r *web.Request, who client.Who) (web.Answer, error) {
	w, err := wanted(r.URL.Query())
	if err != nil {
		return web.Answer{}, err
	}
	w.Balance = false
	page, err := s.sendPage(r, who, w)
	if err != nil {
		return web.Answer{}, err
	}
	return s.Pages.Page(http.StatusOK, SendPage, page)
}

func (s *server) sendPage(r *web.Request, who client.Who, w client.Wanted) (Send, error) {
	page := Send{Chrome: s.chrome(r, who)}
	c, err := s.Desk.Checkout(r.Context(), who, w)
	if err != nil {
		return page, err
	}
	l, sum := page.Lang, c.Frozen.Summary
	page.What, page.Vehicle, page.Lines, page.TotalDue = l.T("my.send.what", int(s.LinkLife/time.Minute)), c.Frozen.Vehicle, web.SummaryLines(l, c.Frozen, false), sum.TotalDue.String()
	page.Warnings, page.Blocked, page.Instead = warningsOf(l, c), blockedWords(l, c), payHref(c.Wanted)
	page.Vehicles, page.Days = picks(l, c, sendHref)
	if sum.PaidTo != nil {
		page.PaidTo = l.Date(*sum.PaidTo)
	}
	switch {
	case c.Other != nil && c.Other.Door == pay.ByLink && c.Other.CreatedBy.Kind == trail.Client:
		page.Blocked, page.Way = l.T("my.send.live"), &Way{l.T("my.send.live.do"), sendHome + "/" + c.Other.ID}
	case c.Free:
		page.Blocked, page.Way = l.T("my.send.free"), &Way{l.T("my.send.free.do"), page.Instead}
	}
	page.Wanted = WantedFields{Vehicle: c.VehicleID, Days: strconv.Itoa(c.Days), Shown: strconv.FormatInt(int64(sum.TotalDue), 10), Key: s.NewKey()}
	page.ConsentWords = l.T("my.send.consent", s.Brand)
	for _, one := range lang.All {
		page.Languages = append(page.Languages, LanguageRow{Code: string(one), Name: map[lang.Lang]string{lang.English: "English", lang.Spanish: "Español"}[one], Chosen: one == l})
	}
	return page, nil
}

// sendLink is POST /my/send.
func (s *server) sendLink(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	f := r.PostForm
	w, err := wanted(f)
	shown, badTotal := strconv.ParseInt(f.Get("shown"), 10, 64)
	if err != nil || badTotal != nil || w.Days == 0 || w.Balance || f.Get("key") == "" || len(f.Get("key")) > 100 || len(f.Get("phone")) > 200 || len(f.Get("payer")) > 1000 {
		return web.Answer{}, web.ErrBadRequest
	}
	e := client.Errand{
		VehicleID: w.VehicleID, Days: w.Days, Phone: f.Get("phone"), Payer: strings.TrimSpace(f.Get("payer")), Consent: f.Get("consent") == "yes", Language: f.Get("language"), Shown: money.Cents(shown), Key: f.Get("key"),
	}
	p, refusal := s.Desk.SendLink(r.Context(), who, e)
	if refusal == nil {
		return web.Redirect(sendHome + "/" + p.ID), nil
	}
	page, err := s.sendPage(r, who, w)
	if err != nil {
		return web.Answer{}, err
	}
	page.Phone, page.Payer, page.Consent = e.Phone, e.Payer, e.Consent
	for i := range page.Languages {
		page.Languages[i].Chosen = page.Languages[i].Code == e.Language
	}
	status := http.StatusUnprocessableEntity
	no := func(focus string, field *string, key string) {
		*field, page.Focus = page.T("my.send.no."+key), focus
	}
	switch {
	case errors.Is(refusal, trail.ErrCardNumber):
		field, focus := &page.PayerError, "payer"
		if page.Payer = ""; trail.HoldsCardNumber(e.Phone) {
			field, focus, page.Phone, page.Payer = &page.PhoneError, "phone", "", e.Payer
		}
		no(focus, field, "card_number")
	case errors.Is(refusal, trail.ErrTooLong):
		no("payer", &page.PayerError, "too_long")
	case errors.Is(refusal, client.ErrNoPayer):
		no("payer", &page.PayerError, "payer")
	case errors.Is(refusal, phone.ErrInvalid):
		no("phone", &page.PhoneError, "invalid")
	case errors.Is(refusal, phone.ErrNotMobile):
		no("phone", &page.PhoneError, "not_mobile")
	case errors.Is(refusal, sms.ErrLandline):
		no("phone", &page.PhoneError, "landline")
	case errors.Is(refusal, sms.ErrOptedOut):
		no("phone", &page.PhoneError, "opted_out")
	case errors.Is(refusal, client.ErrConsent):
		no("consent", &page.ConsentError, "consent")
	case errors.Is(refusal, client.ErrLinksMost):
		no("refused", &page.Error, "most")
		status = http.StatusTooManyRequests
	case errors.Is(refusal, pay.ErrTotalMoved):
		no("refused", &page.Error, "total")
		status = http.StatusConflict
	case errors.Is(refusal, pay.ErrLive), errors.Is(refusal, pay.ErrBlocked), errors.Is(refusal, pay.ErrNeedsReview), errors.Is(refusal, pay.ErrPaused):
		no("refused", &page.Error, "other")
		status = web.ProblemOf(refusal).Status
	default:
		return web.Answer{}, refusal
	}
	return s.Pages.Page(status, SendPage, page)
}

// sent is GET /my/send/{payment}; a script that follows it asks for the part that changes.
func (s *server) sent(r *web.Request, who client.Who) (web.Answer, error) {
	id := mux.Vars(r.Request)["payment"]
	k, err := s.Desk.SentLink(r.Context(), who, id)
	if err != nil {
		return web.Answer{}, err
	}
	page := Sent{Chrome: s.chrome(r, who), Path: sendHome + "/" + id, CanResend: k.CanResend, CanCancel: k.CanCancel, Over: k.Over, Anew: sendHref(client.Wanted{VehicleID: k.Payment.VehicleID, Days: k.Payment.Frozen.Input.Days})}
	l := page.Lang
	page.To = l.T("my.sent.to", k.Payment.Amount().String(), k.To)
	for _, rung := range k.Rungs {
		row := RungRow{Class: map[string]string{"wrong": "failed"}[rung.Tone], Text: l.T("my.sent." + rung.Key)}
		if row.Class == "" {
			row.Class = rung.Tone
		}
		if !rung.At.IsZero() {
			row.At = l.Clock(rung.At)
		}
		if rung.Why != "" {
			row.Why = l.T("my.sent.why." + rung.Why)
		}
		if rung.Tone != "waiting" {
			page.Headline = row.Text
		}
		page.Rungs = append(page.Rungs, row)
	}
	switch minutes := int((k.Left + time.Minute/2) / time.Minute); {
	case k.Left == 0:
	case minutes == 0:
		page.Left = l.T("my.sent.left.seconds")
	default:
		page.Left = l.T("my.sent.left.minutes", minutes)
	}
	if k.Invoice != nil {
		page.Invoice = "/my/invoices/" + k.Invoice.ID
	}
	for _, what := range []string{"resent", "cancelled", "too_late", "not"} {
		if r.URL.Query().Get("said") == what {
			page.Said = l.T("my.sent.said." + what)
		}
	}
	if r.Header.Get("X-Part") != "" {
		return s.Pages.Part(http.StatusOK, SentPage, "link", page)
	}
	return s.Pages.Page(http.StatusOK, SentPage, page)
}

// resendLink is POST /my/send/{payment}/resend.
func (s *server) resendLink(r *web.Request, who client.Who) (web.Answer, error) {
	id := mux.Vars(r.Request)["payment"]
	return s.didToLink(id, "resent", s.Desk.ResendLink(r.Context(), who, id))
}

// cancelLink is POST /my/send/{payment}/cancel.
func (s *server) cancelLink(r *web.Request, who client.Who) (web.Answer, error) {
	id := mux.Vars(r.Request)["payment"]
	state, err := s.Desk.CancelLink(r.Context(), who, id)
	if err == nil && state != pay.Revoked {
		return s.didToLink(id, "too_late", nil)
	}
	return s.didToLink(id, "cancelled", err)
}

// didToLink leads back to the link's page. What could not be done is said there, beside how it stands now.
func (s *server) didToLink(id, said string, err error) (web.Answer, error) {
	for _, no := range []error{pay.ErrClosed, pay.ErrElsewhere, pay.ErrResends, pay.ErrNeedsReview, pay.ErrPaused, pay.ErrBlocked, sms.ErrOptedOut} {
		if errors.Is(err, no) {
			said, err = "not", nil
		}
	}
	if err != nil {
		return web.Answer{}, err
	}
	return web.Redirect(sendHome + "/" + id + "?said=" + said), nil
}
