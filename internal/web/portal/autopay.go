package portal

import (
	"errors"
	"net/http"
	"strconv"

	"paylink/internal/account"
	"paylink/internal/autopay"
	"paylink/internal/day"
	"paylink/internal/desk/client"
	"paylink/internal/lang"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/web"
)

// Names of the pages, for web.Pages.Render.
const (
	AutoPayPage    = "portal/auto-pay"     // AutoPay
	AutoPayOffPage = "portal/auto-pay-off" // AutoPayOff
)

const autoPayPath = "/my/auto-pay"

// AutoPay is how Auto Pay stands, what it charges next, and the form that turns it on or changes it.
type AutoPay struct {
	Chrome
	On       bool
	State    string // "Auto Pay is on: 30 days at a time."
	Saved    string // what was done just now
	Card     string // "Visa ending 4242, your main card"; "" for none
	CardID   string
	CardOver string
	Next     []UpcomingRow
	Total    string // of all of them, where there are several
	Troubles []Trouble
	Cant     *Cant // why it can't be turned on or changed; nil: it can
	Was      int
	Choices  []DaysRow
	Agree    string
	Agreed   bool
	Terms    lang.Terms
	Past     []PastRow
	// Refusals: of the whole form, of the days, of the agreement.
	Error, DaysError, AgreeError string
}

// UpcomingRow is what is charged next of a vehicle.
type UpcomingRow struct {
	Label, Place string
	When         string
	Amount       string
	Notes        []string
}

// Trouble is a charge that was declined, or stopped.
type Trouble struct{ Title, Text, Why, Pay string }

// Cant says why Auto Pay can't be turned on.
type Cant struct {
	Title string
	Texts []string
	Ways  []Way
	Call  bool
}

// Way is a link that leads out of it.
type Way struct{ Name, Address string }

// DaysRow is one number of days, and what it would charge next.
type DaysRow struct {
	Days    int
	Name    string
	Checked bool
	Next    []UpcomingRow
}

// PastRow is a Paid To Date that Auto Pay has dealt with.
type PastRow struct{ Date, Label, What, Amount, Why, Tone string }

// AutoPayOff is the question before it is turned off.
type AutoPayOff struct{ Chrome }

// autoPay is GET /my/auto-pay.
func (s *server) autoPay(r *web.Request, who client.Who) (web.Answer, error) {
	page, err := s.autoPayPage(r, who)
	if err != nil {
		return web.Answer{}, err
	}
	for _, what := range []string{"on", "changed", "off", "charging"} {
		if r.URL.Query().Get("saved") == what {
			page.Saved = page.T("my.auto_pay.saved." + what)
		}
	}
	return s.Pages.Page(http.StatusOK, AutoPayPage, page)
}

func (s *server) autoPayPage(r *web.Request, who client.Who) (AutoPay, error) {
	page := AutoPay{Chrome: s.chrome(r, who)}
	a, err := s.Desk.AutoPayOf(r.Context(), who)
	if err != nil {
		return page, err
	}
	words, err := s.Terms(r.Context(), client.AutoPayTerms)
	if err != nil {
		return page, err
	}
	page.Terms = words[page.Lang]
	page.On, page.Was, page.State = a.Days != 0, a.Days, page.T("my.auto_pay.is_off")
	if page.On {
		page.State = page.T("my.auto_pay.is_on", a.Days)
	}
	if a.Card != nil {
		page.Card, page.CardID = cardWords(page.Lang, *a.Card), a.Card.ID
		page.Agree = page.T("my.auto_pay.agree", s.Brand, page.Card)
	}
	page.Cant = cant(page.Lang, a)
	var total money.Cents
	for _, u := range a.Next {
		switch {
		case u.Declined():
			page.Troubles = append(page.Troubles, Trouble{Title: page.T("my.auto_pay.declined", u.Label), Text: page.T("my.auto_pay.declined.text", page.Date(day.Of(u.At))), Pay: payAddress(u.VehicleID)})
		case u.Run.State == autopay.Stopped:
			page.Troubles = append(page.Troubles, Trouble{Title: page.T("my.auto_pay.stopped", u.Label), Why: page.T("auto_pay.why." + string(u.Run.Why)), Text: page.T("my.auto_pay.stopped.text"), Pay: payAddress(u.VehicleID)})
		}
		if u.CardOver {
			page.CardOver = page.T("my.auto_pay.card.over")
		}
		total += u.Frozen.Summary.TotalDue
	}
	if page.Next = upcomingRows(page.Lang, a.Next); len(page.Next) > 1 {
		page.Total = total.String()
	}
	for _, c := range a.Choices {
		page.Choices = append(page.Choices, DaysRow{Days: c.Days, Name: page.T("my.auto_pay.days.n", c.Days), Checked: c.Days == a.Days, Next: upcomingRows(page.Lang, c.Next)})
	}
	for _, p := range a.Past {
		page.Past = append(page.Past, pastRow(page.Lang, p))
	}
	return page, nil
}

func payAddress(vehicleID string) string { return "/my/pay?vehicle=" + vehicleID }

// cardWords names a card: "Visa ending 4242".
func cardWords(l lang.Lang, c account.Card) string {
	return l.T("receipt.card_ending", pay.Card{Brand: c.Brand}.Name(), c.Last4)
}

func upcomingRows(l lang.Lang, all []client.Upcoming) []UpcomingRow {
	var out []UpcomingRow
	for _, u := range all {
		if u.At.IsZero() {
			continue
		}
		s := u.Frozen.Summary
		row := UpcomingRow{Label: u.Label, Place: l.T("my.auto_pay.next.place", u.Location.Name), When: l.T("my.auto_pay.next.at", l.Date(day.Of(u.At))), Amount: s.TotalDue.String()}
		note := func(key string, args ...any) { row.Notes = append(row.Notes, l.T(key, args...)) }
		if u.Held != autopay.NoReason {
			note("my.auto_pay.held." + string(u.Held))
			out = append(out, row)
			continue
		}
		if s.PastDue > 0 {
			note("my.auto_pay.next.past_due", s.PastDue.String())
		}
		switch {
		case s.TotalDue == 0:
			note("my.auto_pay.next.free")
		case s.CreditApplied > 0:
			note("my.auto_pay.next.credit", s.CreditApplied.String())
		}
		note("my.auto_pay.next.to", l.Date(u.PaidTo))
		out = append(out, row)
	}
	return out
}

// cant words why Auto Pay can't be turned on, and what to do about it.
func cant(l lang.Lang, a client.AutoPay) *Cant {
	key := map[error]string{client.ErrBehind: "behind", client.ErrCollections: "collections", client.ErrNoCard: "no_card", pay.ErrPaused: "paused"}[a.Refused]
	if key == "" {
		return nil
	}
	if key == "no_card" && a.Card != nil {
		key = "card"
	}
	out := Cant{Title: l.T("my.auto_pay.cant." + key), Call: key == "collections"}
	text := "my.auto_pay.cant." + key + ".text"
	switch key {
	case "behind":
		for _, v := range a.Behind {
			out.Texts = append(out.Texts, l.T(text, v.Label, l.Date(v.PaidTo)))
			out.Ways = append(out.Ways, Way{l.T("my.auto_pay.make_payment", v.Label), payAddress(v.ID)})
		}
	case "card":
		out.Texts, out.Ways = []string{l.T(text, cardWords(l, *a.Card))}, []Way{{l.T("my.auto_pay.card.change"), "/my/cards"}}
	case "no_card":
		out.Texts, out.Ways = []string{l.T(text)}, []Way{{l.T("my.auto_pay.card.add"), "/my/cards"}}
	default:
		out.Texts = []string{l.T(text)}
	}
	return &out
}

func pastRow(l lang.Lang, p client.PastRun) PastRow {
	row := PastRow{Date: l.T("my.auto_pay.past.date", l.Date(p.Due)), Label: p.Vehicle.Label}
	if p.Payment != nil {
		row.Amount = p.Payment.Amount.String()
	}
	say := func(key, tone string) { row.What, row.Tone = l.T("my.auto_pay.past."+key), tone }
	switch {
	case p.State == autopay.Paid && p.Payment != nil && p.Payment.State == pay.Refunded:
		say("refunded", "")
	case p.State == autopay.Paid && p.Payment != nil && p.Payment.State.Sold() && p.Payment.Amount == 0:
		say("credit", "good")
	case p.State == autopay.Paid && p.Payment != nil && p.Payment.State.Sold():
		say("paid", "good")
	case p.State == autopay.Paid:
		say("else", "")
		row.Amount = ""
	case p.Why == autopay.NotEnrolled:
		say("off", "")
	default:
		say("declined", "bad")
		if p.Declines == 0 {
			row.What = ""
		}
		if p.State == autopay.Stopped {
			row.Why = l.T("auto_pay.why." + string(p.Why))
		}
	}
	return row
}

// setAutoPay is POST /my/auto-pay.
func (s *server) setAutoPay(r *web.Request, who client.Who) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	number := func(name string) int {
		n, err := strconv.Atoi(r.PostFormValue(name))
		if err != nil {
			return -1
		}
		return n
	}
	n := client.Enrolment{Days: number("days"), Was: number("was"), CardID: r.PostFormValue("card"), Agreed: r.PostFormValue("agreed") == "yes", From: browser(r)}
	if n.Was < 0 || len(n.CardID) > 100 {
		return web.Answer{}, web.ErrBadRequest
	}
	err := s.Desk.Enrol(r.Context(), who, n)
	if err == nil {
		if n.Was == 0 {
			return web.Redirect(autoPayPath + "?saved=on"), nil
		}
		return web.Redirect(autoPayPath + "?saved=changed"), nil
	}
	refusal := err
	page, err := s.autoPayPage(r, who)
	if err != nil {
		return web.Answer{}, err
	}
	for i := range page.Choices {
		page.Choices[i].Checked = page.Choices[i].Days == n.Days
	}
	page.Agreed = n.Agreed
	status := web.ProblemOf(refusal).Status
	switch {
	case errors.Is(refusal, quote.ErrDays):
		page.DaysError, page.Focus, status = page.T("my.auto_pay.days.choose"), "days-"+strconv.Itoa(page.Choices[0].Days), http.StatusUnprocessableEntity
	case errors.Is(refusal, client.ErrAgree):
		page.AgreeError, page.Focus = page.T("my.auto_pay.agree.first"), "agreed"
	case errors.Is(refusal, client.ErrMoved):
		page.Error, page.Agreed, page.Focus = page.T("my.auto_pay.moved"), false, "refused"
	case page.Cant != nil: // the page says why
		page.Focus = "cant"
	default:
		return web.Answer{}, refusal
	}
	return s.Pages.Page(status, AutoPayPage, page)
}

// sureToEndAutoPay is GET /my/auto-pay/off.
func (s *server) sureToEndAutoPay(r *web.Request, who client.Who) (web.Answer, error) {
	if who.AutoPayDays == 0 {
		return web.Redirect(autoPayPath), nil
	}
	return s.Pages.Page(http.StatusOK, AutoPayOffPage, AutoPayOff{Chrome: s.chrome(r, who)})
}

// endAutoPay is POST /my/auto-pay/off.
func (s *server) endAutoPay(r *web.Request, who client.Who) (web.Answer, error) {
	charging, err := s.Desk.EndAutoPay(r.Context(), who, browser(r))
	if err != nil {
		return web.Answer{}, err
	}
	if charging {
		return web.Redirect(autoPayPath + "?saved=charging"), nil
	}
	return web.Redirect(autoPayPath + "?saved=off"), nil
}
