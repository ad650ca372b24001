package portal

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"paylink/internal/day"
	"paylink/internal/desk/client"
	"paylink/internal/pay"
	"paylink/internal/web"
)

// HomePage is the name of the dashboard, for web.Pages.Render.
const HomePage = "portal/home" // Home

// Home is the dashboard.
type Home struct {
	Chrome
	Greeting string
	Paused   string // why nothing is offered to pay; "" where it is
	Live     []string
	Vehicles []VehicleCard
	Balance  BalanceCard
	Meeting  *MeetingCard // nil: there is none
	AutoPay  AutoPayCard
	CardsToSee
	NoticeList
}

// VehicleCard is what is paid for, and until when.
type VehicleCard struct {
	ID, Label, Location string
	PaidTo, Left, Tone  string
	Pay                 string // address; "" where nothing is offered to pay
	First               bool   // the one whose turn comes first
}

// BalanceCard is what is due, or the credit.
type BalanceCard struct{ Amount, Words, Tone, Pay string }

// MeetingCard is the next appointment.
type MeetingCard struct{ On, What, Location string }

// AutoPayCard is how Auto Pay stands.
type AutoPayCard struct {
	On                bool
	State, Tone       string
	Card, Next, Words string
	Action            string // name of the way to its page
}

// home is the dashboard.
func (s *server) home(r *web.Request, who client.Who) (web.Answer, error) {
	h, err := s.Desk.Home(r.Context(), who)
	if err != nil {
		return web.Answer{}, err
	}
	notices, err := s.Desk.Notices(r.Context(), who, 0, noticesAtHome)
	if err != nil {
		return web.Answer{}, err
	}
	page := Home{Chrome: s.chrome(r, who)}
	page.NoticeList = page.noticeList(notices, home)
	page.Greeting = page.T("my.home.hello", who.FirstName)
	switch {
	case s.Desk.Paused:
		page.Paused = page.T("my.home.paused")
	case h.Client.Collections:
		page.Paused = page.T("my.home.collections", page.SupportPhone)
	}
	may := page.Paused == ""
	for _, l := range h.Live {
		page.Live = append(page.Live, page.liveWords(l, h))
	}
	for _, v := range h.Vehicles {
		card := VehicleCard{ID: v.ID, Label: v.Label, Location: v.Location.Name, PaidTo: page.Date(v.PaidTo)}
		card.Left, card.Tone = page.daysLeft(h.Days(v))
		if may && !h.Under(v.ID) {
			card.Pay = s.payFor(url.Values{"vehicle": {v.ID}})
		}
		page.Vehicles = append(page.Vehicles, card)
	}
	if len(h.Vehicles) > 0 {
		first := slices.MinFunc(h.Vehicles, func(a, b client.Vehicle) int { return cmp.Compare(h.Days(a), h.Days(b)) })
		page.Vehicles[slices.IndexFunc(h.Vehicles, func(v client.Vehicle) bool { return v.ID == first.ID })].First = true
	}
	page.Balance = page.balance(h)
	if may && h.Balance > 0 && !h.Under("") {
		page.Balance.Pay = s.payFor(url.Values{"balance": {"1"}})
	}
	if a := h.Meeting; a != nil {
		page.Meeting = &MeetingCard{On: a.On(page.Lang), What: page.T("my.appointment." + string(a.Kind)), Location: a.Location.Name}
		if a.Vehicle.Label != "" {
			page.Meeting.What += ", " + a.Vehicle.Label
		}
	}
	page.AutoPay = page.autoPayCard(h)
	page.CardsToSee = cardsToSee(page.Lang, h.Cards)
	return s.Pages.Page(http.StatusOK, HomePage, page)
}

// daysLeft says how long a vehicle is still paid for, and how that looks.
func (c Chrome) daysLeft(days int) (words, tone string) {
	switch {
	case days < 0:
		return c.T("my.home.days_past", -days), "bad"
	case days == 0:
		return c.T("my.home.due_today"), "warning"
	case days <= soonDays:
		return c.T("my.home.days_left", days), "warning"
	}
	return c.T("my.home.days_left", days), "good"
}

// soonDays are the last days before a Paid To Date, in which it stands out.
const soonDays = 3

func (c Chrome) balance(h client.Home) BalanceCard {
	b := BalanceCard{Amount: h.Balance.Accounting()}
	switch {
	case h.Balance > 0:
		b.Words, b.Tone = c.T("my.home.balance.due"), "warning"
	case h.Balance < 0:
		b.Words, b.Tone = c.T("my.home.balance.credit"), "good"
	default:
		b.Words = c.T("my.home.balance.none")
	}
	return b
}

// liveWords say what is under way. Somebody else's number is nobody's business here.
func (c Chrome) liveWords(l client.Live, h client.Home) string {
	amount := l.Amount().String()
	switch {
	case l.State == pay.Unknown || l.State == pay.Review:
		return c.T("my.home.live.checking", amount)
	case l.State != pay.Open:
		return c.T("my.home.live.paying", amount)
	case l.Link == nil:
		return c.T("my.home.live.begun", amount)
	}
	zone := h.Now.Location()
	for _, v := range h.Vehicles {
		if v.LocationID == l.LocationID {
			zone = v.Location.TimeZone()
		}
	}
	until := c.Clock(l.ExpiresAt.In(zone))
	if l.Link.OwnNumber {
		return c.T("my.home.live.own", amount, l.Link.Phone.Last4(), until)
	}
	return c.T("my.home.live.other", amount, until)
}

// autoPayCard says how Auto Pay stands: on, with what it charges next; off, with what it is good for, or why it has to wait.
func (c Chrome) autoPayCard(h client.Home) AutoPayCard {
	out := AutoPayCard{On: h.AutoPay.Days != 0, State: c.T("my.home.auto_pay.off"), Action: c.T("my.auto_pay.choose"), Words: c.T("my.auto_pay.what")}
	if !out.On {
		switch h.Refused {
		case client.ErrBehind:
			out.Words, out.Action = c.T("my.home.auto_pay.behind"), ""
		case client.ErrCollections, pay.ErrPaused:
			out.Words, out.Action = c.T("my.home.auto_pay.not_now"), ""
		}
		return out
	}
	out.State, out.Tone, out.Action, out.Words = c.T("my.home.auto_pay.on", h.AutoPay.Days), "good", c.T("my.home.auto_pay.see"), ""
	out.Card = c.T("my.auto_pay.card.none")
	if h.Card != nil {
		out.Card = cardWords(c.Lang, *h.Card)
	}
	for _, u := range h.AutoPay.Next {
		if u.Declined() {
			out.Words, out.Tone = c.T("my.auto_pay.declined", u.Label), "bad"
		}
		if out.Next == "" && !u.At.IsZero() {
			out.Next = c.T("my.home.auto_pay.next", c.Date(day.Of(u.At)), u.Frozen.Summary.TotalDue.String())
		}
	}
	return out
}
