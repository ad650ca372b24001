package portal

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"paylink/internal/day"
	"paylink/internal/desk/client"
	"paylink/internal/lang"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/trail"
	"paylink/internal/web"
)

// Names of the pages of Make a Payment, for web.Pages.Render.
const (
	PayPage      = "portal/pay"       // Pay
	PayStatePage = "portal/pay-state" // PayState
)

const payHome = "/my/pay"

// Pay is GET /my/pay: what is paid, the Invoice Summary, the card, the terms, the button.
type Pay struct {
	Chrome
	Notice   string // what the client should know first, such as why the last card was declined; "" for nothing
	Good     string // what was just done; "" for nothing
	Vehicles []Pick // to choose from; none where there is one
	Vehicle  string // label
	Days     []Pick
	Balance  string // pays the pending balance alone: "$42.37"; "" where nothing is due, or that is what this page does
	Alone    bool   // this page pays the pending balance alone
	DaysHref string // from there back to days
	Lines    []web.SummaryLine
	TotalDue string
	PaidTo   string // new Paid To Date; "" for the pending balance
	Warnings []string
	Blocked  string // why nothing can be paid; "": it can
	Other    string // where the client sees what is in the way, if it is their own; ""
	Began    []Begun
	Free     bool
	Cards    []Method
	New      bool   // a new card is chosen, since none on file can be
	KeepHref string // where a card is added to be kept
	Terms    lang.Terms
	AutoPay  *AutoPayOffer // nil: it is not offered
	Wanted   WantedFields
	Script   PayScript
}

// AutoPayOffer is Auto Pay, offered on the way.
type AutoPayOffer struct {
	Days  int
	Text  string
	Terms lang.Terms
}

// Pick is one of several to choose from.
type Pick struct {
	Label, Detail, Note string
	Address             string
	Chosen              bool
}

// Begun is a payment of the client's own that is open for something else.
type Begun struct{ ID, Text, Address string }

// Method is a card on file to pay with.
type Method struct {
	ID, Name, Detail string
	Main             bool
	Chosen, Off      bool
}

// WantedFields are what the form sends back of what was shown.
type WantedFields struct {
	Vehicle, Days, Balance, Shown, ShownTo, Key, Terms string
}

// PayScript is what the server tells pay.js.
type PayScript struct {
	StripeJS       string            `json:"stripeJs"`
	PublishableKey string            `json:"publishableKey"`
	StripeAccount  string            `json:"stripeAccount"` // connected account; "" is the platform's own
	Locale         string            `json:"locale"`
	Key            string            `json:"key"` // of the next press
	Texts          map[string]string `json:"texts"`
}

// Agree returns the consent sentence in three parts: before the link to the terms, the link's words, and after it.
func (p Pay) Agree() [3]string { return agreeTo(p.T("my.pay.agree", p.Brand, p.TotalDue)) }

// PayAnswer is what POST /my/pay, POST /my/pay/{payment}/continue and GET /my/pay/{payment} say to a script.
type PayAnswer struct {
	State        string `json:"state"`                   // where the payment stands (client.Place), "declined", or a problem's code
	Message      string `json:"message,omitempty"`       // a sentence in the client's language
	Key          string `json:"key,omitempty"`           // for the next press
	Next         string `json:"next,omitempty"`          // where the browser goes on; "": this page goes on
	ClientSecret string `json:"client_secret,omitempty"` // of "confirm", to the session that pays only
}

// wanted is what an address or a form wants to be paid for.
func wanted(q url.Values) (client.Wanted, error) {
	w := client.Wanted{VehicleID: q.Get("vehicle"), Balance: q.Get("balance") != ""}
	if text := q.Get("days"); text != "" {
		var err error
		if w.Days, err = strconv.Atoi(text); err != nil || w.Days != 14 && w.Days != 30 && !w.Balance {
			return w, web.ErrBadRequest
		}
	}
	return w, nil
}

// payHref is the page that pays for something.
func payHref(w client.Wanted, more ...string) string {
	q := url.Values{}
	if w.Balance {
		q.Set("balance", "1")
	} else {
		q.Set("vehicle", w.VehicleID)
		if w.Days != 0 {
			q.Set("days", strconv.Itoa(w.Days))
		}
	}
	for i := 1; i < len(more); i += 2 {
		q.Set(more[i-1], more[i])
	}
	return payHome + "?" + q.Encode()
}

// checkout is GET /my/pay.
func (s *server) checkout(r *web.Request, who client.Who) (web.Answer, error) {
	w, err := wanted(r.URL.Query())
	if err != nil {
		return web.Answer{}, err
	}
	notice, good := "", ""
	l := s.language(r, who)
	switch said := r.URL.Query().Get("said"); said {
	case "":
	case "given_up":
		good = l.T("my.pay.said.given_up")
	case "terms", "total_moved", "closed", "not_agreed":
		notice = l.T("my.pay.said." + said)
	default:
		notice = l.T("my.pay.said.other")
	}
	return s.payPage(r, who, w, http.StatusOK, notice, good)
}

func (s *server) payPage(r *web.Request, who client.Who, w client.Wanted, status int, notice, good string) (web.Answer, error) {
	c, err := s.Desk.Checkout(r.Context(), who, w)
	if err != nil {
		return web.Answer{}, err
	}
	l := s.language(r, who)
	sum := c.Frozen.Summary
	page := Pay{
		Chrome: s.chrome(r, who), Notice: notice, Good: good, Vehicle: c.Frozen.Vehicle, Alone: c.Balance, Lines: web.SummaryLines(l, c.Frozen, false), TotalDue: sum.TotalDue.String(), Free: c.Free,
		Warnings: warningsOf(l, c), Blocked: blockedWords(l, c), KeepHref: cardsHome + "/add?back=" + url.QueryEscape(payHref(c.Wanted, "card", "new")),
	}
	if notice == "" && c.Last != nil && c.Blocked == "" {
		page.Notice = l.Decline(c.Last.Code) + " " + l.TriesLeft(c.Tries)
	}
	if page.Notice != "" {
		page.Focus = "notice"
	}
	if sum.PaidTo != nil {
		page.PaidTo = l.Date(*sum.PaidTo)
	}
	page.Vehicles, page.Days = picks(l, c, func(w client.Wanted) string { return payHref(w) })
	switch {
	case c.Balance:
		page.DaysHref = payHome
	case c.PastDue > 0:
		page.Balance = c.PastDue.String()
	}
	switch o := c.Other; {
	case o == nil:
	case o.Door == pay.ByClient:
		page.Other = payHome + "/" + o.ID
	case o.PaidBy() == pay.ByLink && o.CreatedBy.Kind == trail.Client: // where it can be followed, and cancelled
		page.Other = sendHome + "/" + o.ID
	}
	for _, p := range c.Began {
		page.Began = append(page.Began, Begun{
			ID: p.ID, Text: l.T("my.pay.began", p.Amount().String(), l.Clock(p.ExpiresAt.In(c.Location.TimeZone()))),
			Address: payHref(client.Wanted{VehicleID: p.VehicleID, Days: p.Frozen.Input.Days, Balance: p.VehicleID == ""}),
		})
	}
	if c.Blocked != "" {
		return s.Pages.Page(status, PayPage, page)
	}
	page.Cards, page.New = methods(l, c, r.URL.Query().Get("card") == "new")
	terms, err := s.Terms(r.Context(), c.Terms)
	if err != nil {
		return web.Answer{}, err
	}
	page.Terms = terms[l]
	if c.MayEnrol && !c.Free {
		terms, err := s.Terms(r.Context(), client.AutoPayTerms)
		if err != nil {
			return web.Answer{}, err
		}
		page.AutoPay = &AutoPayOffer{Days: c.Days, Text: l.T("my.pay.auto_pay", c.Days, l.Date(*sum.PaidTo)), Terms: terms[l]}
	}
	page.Wanted = WantedFields{Vehicle: c.VehicleID, Days: strconv.Itoa(c.Days), Shown: strconv.FormatInt(int64(sum.TotalDue), 10), Key: s.NewKey(), Terms: c.Terms}
	if c.Balance {
		page.Wanted.Balance = "1"
	}
	if sum.PaidTo != nil {
		page.Wanted.ShownTo = string(*sum.PaidTo)
	}
	page.Script = PayScript{StripeJS: s.StripeJS, PublishableKey: s.PublishableKey, StripeAccount: c.Location.StripeAccount, Locale: string(l), Key: page.Wanted.Key, Texts: payWords(l)}
	a, err := s.Pages.Page(status, PayPage, page)
	if c.Free { // no card is entered
		return a, err
	}
	return s.withStripe(r, a), err
}

// picks is what can be chosen instead: the vehicles, where there are several, and the days. href is the page that is for one of them.
func picks(l lang.Lang, c client.Checkout, href func(client.Wanted) string) (vehicles, days []Pick) {
	if len(c.Vehicles) > 1 {
		for _, v := range c.Vehicles {
			vehicles = append(vehicles, Pick{
				Label: v.Label, Detail: l.T("my.pay.vehicle.paid_to", l.Date(v.PaidTo)), Note: v.Location.Name,
				Address: href(client.Wanted{VehicleID: v.ID}), Chosen: !c.Balance && v.ID == c.VehicleID,
			})
		}
	}
	for _, o := range c.Offers {
		days = append(days, Pick{
			Label: l.T("my.pay.days_of", o.Days), Detail: o.Total.String(), Note: l.T("my.pay.days_to", l.Date(o.PaidTo)),
			Address: href(client.Wanted{VehicleID: c.VehicleID, Days: o.Days}), Chosen: o.Days == c.Days,
		})
	}
	return vehicles, days
}

func payWords(l lang.Lang) map[string]string {
	texts := web.CardTexts(l)
	for name, key := range map[string]string{
		"working": "pay.working", "unreachable": "card.unreachable", "offline": "pay.offline", "badRequest": "answer.bad_request", "checking": "answer.unknown", "bankAsks": "pay.bank_asks",
		"missingMethod": "my.pay.missing.method",
	} {
		texts[name] = l.T(key)
	}
	return texts
}

func warningsOf(l lang.Lang, c client.Checkout) []string {
	var out []string
	s := c.Frozen.Summary
	if s.PastDue > 0 && !c.Balance {
		out = append(out, l.T("my.pay.warn.past_due", s.PastDue.String()))
	}
	if c.Unpaid > 0 {
		out = append(out, l.T("my.pay.warn.unpaid_days", c.Unpaid))
	}
	if s.CreditApplied > 0 && !c.Free {
		out = append(out, l.T("my.pay.warn.credit", s.CreditApplied.String()))
	}
	if c.AutoPay > 0 {
		out = append(out, l.T("my.pay.warn.auto_pay", c.AutoPay))
	}
	return out
}

// blockedWords says why nothing can be paid, and what to do.
func blockedWords(l lang.Lang, c client.Checkout) string {
	switch c.Blocked {
	case "":
		return ""
	case client.InTheWay:
		return otherWords(l, c)
	}
	return l.T("my.pay.no."+strings.TrimPrefix(string(c.Blocked), "my."), c.Location.Name)
}

// otherWords says what is in the way.
func otherWords(l lang.Lang, c client.Checkout) string {
	p := c.Other
	kind := "own"
	switch p.PaidBy() {
	case pay.ByLink:
		if kind = "link_paying"; p.State == pay.Open {
			return l.T("my.pay.other.link", p.Amount().String(), l.Clock(p.ExpiresAt.In(c.Location.TimeZone())))
		}
	case pay.ByAgent:
		kind = "agent"
	case pay.ByAutoPay:
		kind = "autopay"
	}
	return l.T("my.pay.other."+kind, p.Amount().String())
}

// methods are the cards on file: the one that was just added is chosen, else the main one, else the first that can be charged. isNew: none can, and a new one is entered.
func methods(l lang.Lang, c client.Checkout, added bool) (out []Method, isNew bool) {
	chosen := -1
	for i, card := range c.Cards {
		m := Method{ID: card.ID, Name: l.T("my.pay.method.saved", pay.Card{Brand: card.Brand}.Name(), card.Last4), Main: card.Main, Off: !card.Chargeable}
		key, date := "my.pay.method.expires", fmt.Sprintf("%02d/%d", card.ExpMonth, card.ExpYear)
		if card.Expired {
			key = "my.pay.method.expired"
		}
		if m.Detail = l.T(key, date); card.Refused != "" {
			m.Detail = l.T("my.pay.method.refused")
		}
		if !m.Off && (chosen < 0 || added && card.AddedAt.After(c.Cards[chosen].AddedAt)) {
			chosen = i
		}
		out = append(out, m)
	}
	if chosen >= 0 {
		out[chosen].Chosen = true
	}
	return out, chosen < 0
}

// press is the button pressed, by a form or by a script.
type press struct {
	Vehicle       string `json:"vehicle"`
	Days          string `json:"days"`
	Balance       string `json:"balance"`
	Shown         string `json:"shown"`
	ShownTo       string `json:"shown_to"`
	Key           string `json:"key"`
	Method        string `json:"method"` // a card's id, or "new"
	PaymentMethod string `json:"payment_method"`
	Terms         string `json:"terms"` // version agreed to; "" where they were not
	AutoPay       string `json:"auto_pay"`
}

// autoPayWish is Auto Pay as it is wished for with a card on file.
func autoPayWish(r *web.Request, days, card string) client.AutoPayWish {
	if n, err := strconv.Atoi(days); err == nil && (n == 14 || n == 30) && card != "" && card != newCard && len(card) <= 100 {
		return client.AutoPayWish{Days: n, CardID: card, From: browser(r)}
	}
	return client.AutoPayWish{}
}

// newCard is the method of a card that is entered.
const newCard = "new"

// readPress reads a press, and what it is to pay for.
func readPress(r *web.Request) (press, client.Wanted, error) {
	var in press
	if asksForJSON(r) {
		if err := web.ReadJSON(r, &in); err != nil {
			return in, client.Wanted{}, err
		}
	} else {
		if err := web.ReadForm(r); err != nil {
			return in, client.Wanted{}, err
		}
		f := r.PostForm
		in = press{
			Vehicle: f.Get("vehicle"), Days: f.Get("days"), Balance: f.Get("balance"), Shown: f.Get("shown"), ShownTo: f.Get("shown_to"), Key: f.Get("key"), Method: f.Get("method"),
			PaymentMethod: f.Get("payment_method"), Terms: f.Get("terms"), AutoPay: f.Get("auto_pay"),
		}
	}
	w, err := wanted(url.Values{"vehicle": {in.Vehicle}, "days": {in.Days}, "balance": {in.Balance}})
	if err == nil && (in.Key == "" || len(in.Key) > 100 || len(in.PaymentMethod) > 100 || in.PaymentMethod != "" && !strings.HasPrefix(in.PaymentMethod, "pm_")) {
		err = web.ErrBadRequest
	}
	if w.Balance {
		w = client.Wanted{Balance: true}
	}
	return in, w, err
}

// pay is POST /my/pay.
func (s *server) pay(r *web.Request, who client.Who) (web.Answer, error) {
	in, w, err := readPress(r)
	if err != nil {
		return web.Answer{}, err
	}
	shown, err := strconv.ParseInt(in.Shown, 10, 64)
	if err != nil {
		return web.Answer{}, web.ErrBadRequest
	}
	card := in.Method
	if card == newCard {
		card = ""
	}
	p, err := s.Desk.Pay(r.Context(), who, client.Press{
		Wanted: w, CardID: card, PaymentMethod: in.PaymentMethod, Shown: money.Cents(shown), ShownTo: day.Date(in.ShownTo), Terms: in.Terms, Language: string(s.language(r, who)), Address: r.Address,
		UserAgent: r.Browser(), Key: in.Key, AutoPay: autoPayWish(r, in.AutoPay, in.Method),
	})
	if err != nil {
		return s.payRefused(r, who, w, err)
	}
	next := payHome + "/" + p.Payment.ID
	switch wish := autoPayWish(r, in.AutoPay, in.Method); {
	case p.Enrolled != "":
		next += "?auto_pay=" + p.Enrolled
	case wish.Days != 0 && p.Place != client.PaidNow: // its page goes on with it
		next += "?" + url.Values{"auto_pay": {in.AutoPay}, "card": {in.Method}}.Encode()
	}
	if p.Place != client.Payable {
		if asksForJSON(r) {
			return web.JSON(http.StatusOK, PayAnswer{State: string(p.Place), Next: next})
		}
		return web.Redirect(next), nil
	}
	l := s.language(r, who)
	status, words := http.StatusUnprocessableEntity, l.T("my.pay.not_tried")
	if p.Attempt != nil && p.Attempt.State == pay.WasNo {
		status, words = http.StatusPaymentRequired, l.Decline(p.Attempt.Code)+" "+l.TriesLeft(p.TriesNow)
	}
	if asksForJSON(r) {
		return web.JSON(status, PayAnswer{State: "declined", Message: words, Key: s.NewKey()})
	}
	return s.payPage(r, who, w, status, words, "")
}

// payRefused says why a press was refused. Nothing was charged. What this page can't go on with leads to the page as it is now.
func (s *server) payRefused(r *web.Request, who client.Who, w client.Wanted, err error) (web.Answer, error) {
	p := web.ProblemOf(err)
	l := s.language(r, who)
	here := map[string]string{
		"brand": "answer.brand", "card": "answer.card", "too_many": "answer.slow_down", "unavailable": "answer.not_ready", "not_ready": "answer.not_ready", "not_agreed": "my.pay.said.not_agreed",
	}[p.Code]
	switch p.Code {
	case "terms", "total_moved", "blocked", "live", "review", "paused", "paying", "closed", "tries":
	default:
		if here == "" {
			return web.Answer{}, err
		}
	}
	if asksForJSON(r) {
		if here != "" {
			return web.JSON(p.Status, PayAnswer{State: p.Code, Message: l.T(here), Key: s.NewKey()})
		}
		return web.JSON(p.Status, PayAnswer{State: p.Code, Next: payHref(w, "said", p.Code)})
	}
	words := here
	if words == "" {
		if words = "my.pay.said.other"; p.Code == "terms" || p.Code == "total_moved" || p.Code == "closed" {
			words = "my.pay.said." + p.Code
		}
	}
	return s.payPage(r, who, w, p.Status, l.T(words), "")
}
