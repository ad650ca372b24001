package portal

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/desk/client"
	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/web"
)

// PayState is GET /my/pay/{payment}: a payment that is on its way, or what became of it.
type PayState struct {
	Chrome
	Place     client.Place
	Tone      string // "good", "wait", "stop" or "error": which sign stands over the title
	Title     string
	Money     string
	Do        string
	Reference string
	Facts     []Fact
	Next      string // where to go on
	NextWords string
	Just      *PaidNotice
	Script    *PayScript
}

// Fact is a name and what it is.
type Fact struct{ Name, Value string }

// Waits says whether the page asks how things stand and changes by itself.
func (p PayState) Waits() bool { return p.Tone == "wait" }

// placeStatus are the statuses of the places, as on a payer's page.
var placeStatus = map[client.Place]int{
	client.Confirming: http.StatusOK, client.Checking: http.StatusAccepted, client.Elsewhere: http.StatusConflict, client.PaidNow: http.StatusOK, client.Refunded: http.StatusOK, client.Ended: http.StatusGone,
	client.Superseded: http.StatusGone, client.Locked: http.StatusGone, client.Late: http.StatusGone, client.Review: http.StatusGone,
}

// paying is GET /my/pay/{payment}.
func (s *server) paying(r *web.Request, who client.Who) (web.Answer, error) {
	p, err := s.Desk.Paying(r.Context(), who, mux.Vars(r.Request)["payment"])
	if err != nil {
		return web.Answer{}, err
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		return s.stands(r, p)
	}
	payment := p.Payment
	again := client.Wanted{VehicleID: payment.VehicleID, Days: payment.Frozen.Input.Days, Balance: payment.VehicleID == ""}
	if p.Place == client.Payable {
		return web.Redirect(payHref(again)), nil
	}
	l := s.language(r, who)
	key := "my.pay." + string(p.Place)
	page := PayState{
		Chrome: s.chrome(r, who), Place: p.Place, Tone: "stop", Title: l.T(key + ".title"), Money: l.T(key+".money", payment.Amount().String()), Do: l.T(key + ".do"), Reference: payment.Reference(),
		Next: payHome, NextWords: l.T("my.pay.anew"),
	}
	switch p.Place {
	case client.PaidNow:
		page.Tone, page.Next, page.NextWords, page.Facts = "good", home, l.T("my.pay.paid.home"), factsOf(l, p)
		if p.Invoice != nil { // the new invoice says it all
			q := url.Values{"paid": {"1"}}
			if said := r.URL.Query().Get("auto_pay"); said == "on" || said == "no" {
				q.Set("auto_pay", said)
			}
			return web.Redirect(invoiceAddress(p.Invoice.ID) + "?" + q.Encode()), nil
		}
		page.Just = paidNotice(r, who, l, payment)
	case client.Refunded:
		page.Tone, page.Next, page.NextWords = "good", home, l.T("my.pay.paid.home")
	case client.Confirming, client.Checking, client.Elsewhere:
		page.Tone, page.Next = "wait", ""
	case client.Late, client.Review:
		page.Next = ""
	case client.Locked:
		page.Tone, page.Next = "error", ""
	case client.Ended, client.Superseded:
		page.Next = payHref(again)
	}
	if p.Place == client.Confirming {
		page.Script = &PayScript{StripeJS: s.StripeJS, PublishableKey: s.PublishableKey, StripeAccount: payment.StripeAccount, Locale: string(l), Texts: payWords(l)}
	}
	a, err := s.Pages.Page(placeStatus[p.Place], PayStatePage, page)
	if p.Place == client.Confirming {
		return s.withStripe(r, a), err
	}
	return a, err
}

// PaidNotice is told once, where somebody has just paid.
type PaidNotice struct {
	Money     string // what was paid, in a sentence
	AutoPay   string // what came of the wish for it, in a sentence; "" for nothing
	AutoPayOn bool
	Suggest   bool // Auto Pay
}

// paidNotice is what is told of a payment that was just made.
func paidNotice(r *web.Request, who client.Who, l lang.Lang, p pay.Payment) *PaidNotice {
	n := &PaidNotice{Money: l.T("my.pay.paid.money", p.Amount().String()), Suggest: who.AutoPayDays == 0 && p.VehicleID != ""}
	if p.Amount() == 0 {
		n.Money = l.T("my.pay.paid.free")
	}
	switch said := r.URL.Query().Get("auto_pay"); {
	case said == "on" && who.AutoPayDays != 0:
		n.AutoPay, n.AutoPayOn = l.T("my.auto_pay.is_on", who.AutoPayDays), true
	case said == "no":
		n.AutoPay = l.T("my.pay.auto_pay.no")
	}
	return n
}

// factsOf is what was paid.
func factsOf(l lang.Lang, p client.Paying) []Fact {
	payment := p.Payment
	out := []Fact{{l.T("my.pay.amount"), payment.Amount().String()}}
	if to := payment.PaidTo(); to != "" {
		out = append(out, Fact{l.T("my.pay.new_paid_to"), l.Date(to)})
	}
	if p.Attempt != nil && p.Attempt.Card.Last4 != "" {
		out = append(out, Fact{l.T("my.pay.card"), l.T("my.pay.method.saved", pay.Card{Brand: p.Attempt.Card.Brand}.Name(), p.Attempt.Card.Last4)})
	}
	zone := account.Location{Zone: payment.Frozen.Zone}.TimeZone()
	return append(out, Fact{l.T("receipt.when"), l.DateTime(payment.ClosedAt.In(zone))}, Fact{l.T("receipt.reference"), payment.Reference()})
}

// stands tells a script where a payment stands. Where it waits the page stays, else it is asked for anew.
func (s *server) stands(r *web.Request, p client.Paying) (web.Answer, error) {
	a := PayAnswer{State: string(p.Place), ClientSecret: p.Secret.Reveal()}
	switch p.Place {
	case client.Confirming, client.Checking, client.Elsewhere:
	default:
		if a.Next = payHome + "/" + p.Payment.ID; p.Enrolled != "" {
			a.Next += "?auto_pay=" + p.Enrolled
		}
	}
	return web.JSON(http.StatusOK, a)
}

// goOn is POST /my/pay/{payment}/continue: the browser asks for its bank's secret, or comes back from there. The server looks, and decides.
func (s *server) goOn(r *web.Request, who client.Who) (web.Answer, error) {
	var in struct {
		AutoPay string `json:"auto_pay"`
		Card    string `json:"card"`
	}
	if err := web.ReadJSON(r, &in); err != nil {
		return web.Answer{}, err
	}
	p, err := s.Desk.GoOn(r.Context(), who, mux.Vars(r.Request)["payment"], autoPayWish(r, in.AutoPay, in.Card))
	if err != nil {
		return web.Answer{}, err
	}
	return s.stands(r, p)
}

// giveUp is POST /my/pay/{payment}/give-up.
func (s *server) giveUp(r *web.Request, who client.Who) (web.Answer, error) {
	id := mux.Vars(r.Request)["payment"]
	err := s.Desk.GiveUp(r.Context(), who, id)
	if errors.Is(err, pay.ErrElsewhere) {
		return web.Redirect(payHome + "/" + id), nil
	}
	if err != nil {
		return web.Answer{}, err
	}
	return web.Redirect(payHome + "?said=given_up"), nil
}
