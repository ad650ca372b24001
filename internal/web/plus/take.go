package plus

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/desk/agent"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/staff"
	"paylink/internal/web"
)

// Take is the panel of Take Payment: what is paid for, its Invoice Summary, the card, and the button that charges it.
type Take struct {
	ClientID     string
	Tab          string
	Options      []Option // the client's vehicles, and the pending balance where there is one
	Balance      bool     // the pending balance is chosen: it has no days
	Days         int
	DaysError    string
	Summary      *Summary // without its form
	InTheWay     *agent.InTheWay
	Charge       *Charge // nil: nothing can be charged now
	NoCard       bool    // none on file that can be charged
	LinkInstead  string  // address of Send Secure Payment Link for the same; "" for who may not
	ConsentError string
	CardError    string
}

// Charge is the form that charges.
type Charge struct {
	Cards     []CardOption
	Free      bool   // nothing is left to charge
	Total     string // on the button
	Shown     int64  // cents
	ShownTo   day.Date
	VehicleID string
	Days      int
	Key       string
	Client    string // whose consent is asked for
}

// CardOption is a card on file to choose.
type CardOption struct {
	ID, Name, Hint string
	Chosen, Off    bool // Off: it can't be charged, as Hint says
}

// balance is the choice that stands for the pending balance alone among the vehicles.
const balance = "balance"

// take is GET /plus/clients/{id}/take: the client's page, with Take Payment open beside it.
func (s *server) take(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := who.May(staff.TakePayment); err != nil {
		_, err := s.Desk.Taking(r.Context(), who, agent.Wish{ClientID: mux.Vars(r.Request)["id"]}) // which leaves the refusal in the trail
		return web.Answer{}, err
	}
	q := url.Values{"tab": {"history"}, "panel": {takePanel}}
	for _, name := range []string{"vehicle", "days"} {
		if v := r.URL.Query().Get(name); v != "" {
			q.Set(name, v)
		}
	}
	return web.Redirect(clientAddress(mux.Vars(r.Request)["id"], q)), nil
}

const takePanel = "take"

// taking makes the panel of Take Payment, and says with which status a page that shows it is answered.
func (s *server) taking(r *web.Request, who staff.Member, c agent.Client, a ask, d draft) (Panel, int, error) {
	p := Panel{ClientID: c.ID, Tab: a.tab, Open: true, MaySend: who.May(staff.SendLinks) == nil, Focus: "take-title"}
	wish := agent.Wish{ClientID: c.ID, VehicleID: a.vehicle, Balance: a.vehicle == balance}
	if a.days != "" && !wish.Balance {
		n, err := strconv.Atoi(a.days)
		if err != nil || n == 0 {
			n = -1 // the desk says what may be chosen
		}
		wish.Days = n
	}
	t := Take{ClientID: c.ID, Tab: a.tab, Days: wish.Days}
	got, err := s.Desk.Taking(r.Context(), who, wish)
	if errors.Is(err, quote.ErrDays) {
		t.DaysError, p.Focus = "Choose 14 or 30 days.", "take-days"
		t.options(c, a.vehicle, got)
		p.Take = &t
		return p, web.ProblemOf(err).Status, nil
	}
	if err != nil {
		return p, 0, err
	}
	t.Days, t.Balance = got.Choice.Days, got.Choice.VehicleID == ""
	chosen := got.Choice.VehicleID
	if t.Balance {
		chosen = balance
	}
	t.options(c, chosen, got)
	t.Summary = &Summary{
		Heading: headingOf(got.Frozen), Lines: linesOf(got.Frozen), Total: got.Frozen.Summary.TotalDue.String(), PaidTo: date(dayOf(got.Frozen)), Notes: notesOf(got.Frozen), Alert: d.why,
	}
	for _, w := range got.Warnings {
		if w.Kind != "live_link" && w.Kind != "opted_out" { // what is under way is told with what can be done about it; nobody is texted
			t.Summary.Warnings = append(t.Summary.Warnings, Alert{"warning", w.Text})
		}
	}
	t.InTheWay = got.InTheWay
	switch {
	case got.Blocked != "":
		t.Summary.Blocked = takeBlockedWords(got)
	case got.InTheWay == nil:
		t.charge(c, got, s.NewKey(), d)
	}
	if p.MaySend && !t.Balance && got.Blocked == "" && !got.Free && got.InTheWay == nil {
		t.LinkInstead = clientAddress(c.ID, url.Values{"tab": {a.tab}, "panel": {"send"}, "vehicle": {got.Choice.VehicleID}, "days": {strconv.Itoa(got.Choice.Days)}})
	}
	p.Take = &t
	if t.InTheWay != nil {
		st, err := s.Desk.Status(r.Context(), who, t.InTheWay.PaymentID)
		if err != nil {
			return p, 0, err
		}
		view := s.view(st, who, a.tab)
		p.Status = &view
		if view.CanCancel {
			p.Cancel = &Cancel{PaymentID: st.Payment.ID, Tab: a.tab}
			p.Cancel.reasons()
		}
	}
	if d.charge != nil {
		t.ConsentError, t.CardError = d.charge.ConsentError, d.charge.CardError
	}
	switch {
	case t.CardError != "":
		p.Focus = "card"
	case t.ConsentError != "":
		p.Focus = "charge-consent"
	case d.why != nil:
		p.Focus = "why"
	}
	return p, http.StatusOK, nil
}

func (t *Take) options(c agent.Client, chosen string, got agent.Taking) {
	for _, v := range c.Vehicles {
		if !v.Elsewhere {
			t.Options = append(t.Options, Option{ID: v.ID, Label: v.Label + ", paid to " + date(v.PaidTo), Chosen: v.ID == chosen})
		}
	}
	if got.PastDue > 0 || chosen == balance {
		t.Options = append(t.Options, Option{ID: balance, Label: "Pending balance alone, " + got.PastDue.String(), Chosen: chosen == balance})
	}
}

// charge adds the form that charges, with the cards that there are to choose.
func (t *Take) charge(c agent.Client, got agent.Taking, key string, d draft) {
	f := Charge{
		Free: got.Free, Total: got.Frozen.Summary.TotalDue.String(), Shown: int64(got.Frozen.Summary.TotalDue), ShownTo: dayOf(got.Frozen), VehicleID: got.Choice.VehicleID, Days: got.Choice.Days, Key: key, Client: c.Name(),
	}
	chosen := ""
	if d.charge != nil {
		chosen = d.charge.card
	}
	usable := 0
	for _, card := range got.Cards {
		o := CardOption{ID: card.ID, Name: pay.Card{Brand: card.Brand, Last4: card.Last4}.Name(), Off: card.Expired(got.Today)}
		switch {
		case o.Off:
			o.Hint = fmt.Sprintf("expired %02d/%d", card.ExpMonth, card.ExpYear)
		case card.Main:
			o.Hint = fmt.Sprintf("main card, expires %02d/%d", card.ExpMonth, card.ExpYear)
		default:
			o.Hint = fmt.Sprintf("expires %02d/%d", card.ExpMonth, card.ExpYear)
		}
		if !o.Off {
			usable++
		}
		f.Cards = append(f.Cards, o)
	}
	for i := range f.Cards { // the one that was chosen; else the main one, which comes first
		o := &f.Cards[i]
		if !o.Off && (chosen == "" || o.ID == chosen) {
			o.Chosen = true
			break
		}
	}
	if f.Free {
		f.Cards = nil
	}
	t.NoCard = usable == 0 && !f.Free
	t.Charge = &f
}

// charging is what a form that was refused leaves.
type charging struct {
	card                    string // as chosen
	ConsentError, CardError string
}

// charge is POST /plus/clients/{id}/take.
func (s *server) charge(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, f := mux.Vars(r.Request)["id"], r.PostForm
	shown, err := strconv.ParseInt(f.Get("shown"), 10, 64)
	days, dErr := strconv.Atoi(f.Get("days"))
	to, tErr := day.Date(""), error(nil)
	if f.Get("shown_to") != "" {
		to, tErr = day.Parse(f.Get("shown_to"))
	}
	if key := f.Get("key"); errors.Join(err, dErr, tErr) != nil || key == "" || len(key) > 100 {
		return web.Answer{}, web.ErrBadRequest
	}
	a := ask{tab: f.Get("tab"), take: true, vehicle: f.Get("vehicle"), days: f.Get("days")}
	if a.vehicle == "" {
		a.vehicle = balance
	}
	p, err := s.Desk.Take(r.Context(), who, agent.CardCharge{
		Choice: agent.Choice{ClientID: id, VehicleID: f.Get("vehicle"), Days: days}, CardID: f.Get("card"), Shown: money.Cents(shown), ShownTo: to, Consent: f.Get("consent") != "", FormKey: f.Get("key"),
	})
	if err == nil {
		return s.done(r, who, id, ask{tab: a.tab, payment: p.ID}, "", "status-title")
	}
	status, d := web.ProblemOf(err).Status, draft{charge: &charging{card: f.Get("card")}}
	switch {
	case errors.Is(err, agent.ErrChargeConsent):
		status, d.charge.ConsentError = http.StatusUnprocessableEntity, "Read the total out, and tick the box once the client has agreed to it."
	case errors.Is(err, agent.ErrNoCard):
		status, d.charge.CardError = http.StatusUnprocessableEntity, "Choose a card on file."
	case errors.Is(err, agent.ErrCardExpired):
		status, d.charge.CardError = http.StatusUnprocessableEntity, "This card has expired. Choose another; the client adds a new one in My Account."
	case errors.Is(err, pay.ErrBrand):
		d.charge.CardError = "Only Visa and Mastercard are taken. Choose another card."
	case errors.Is(err, pay.ErrTotalMoved):
		d.why = &Alert{"error", movedWords(err)}
	case errors.Is(err, pay.ErrLive):
		d.why = &Alert{"error", "Nothing was charged: another payment was under way. See below where it stands."}
	case errors.Is(err, pay.ErrUnavailable):
		d.why = &Alert{"error", "The card processor could not be reached. Nothing was charged. Try again in a moment, or tell your lead if it goes on."}
	case errors.Is(err, pay.ErrBlocked), errors.Is(err, pay.ErrNeedsReview), errors.Is(err, pay.ErrPaused):
		d.why = &Alert{"error", "Nothing was charged."} // the summary says why
	case errors.Is(err, quote.ErrDays):
	default:
		return web.Answer{}, err
	}
	return s.draw(r, who, id, status, a, d)
}

// takeAddress is where the same is taken once more.
func takeAddress(p pay.Payment, tab string) string {
	q := url.Values{"tab": {tab}, "panel": {takePanel}, "vehicle": {balance}}
	if p.VehicleID != "" {
		q.Set("vehicle", p.VehicleID)
		q.Set("days", strconv.Itoa(p.Frozen.Input.Days))
	}
	return clientAddress(p.ClientID, q)
}

// movedWords say what has moved since the summary was shown.
func movedWords(err error) string {
	moved := &agent.MovedError{}
	errors.As(err, &moved)
	if moved.Shown == moved.Now {
		return fmt.Sprintf("The vehicle is paid to another day by now: this payment would lead to %s instead of %s. Nothing was charged. Look at the Account History before you charge.", date(moved.NowTo), date(moved.ShownTo))
	}
	return fmt.Sprintf("The total has changed from %s to %s since the summary was shown. Nothing was charged. Read out the new total below, and ask again.", moved.Shown, moved.Now)
}

// takeBlockedWords say in the summary why nothing can be charged. Why a location takes no payments is said here in full: the panel may be all that is looked at.
func takeBlockedWords(got agent.Taking) string {
	switch got.Blocked {
	case agent.InCollections:
		return "The account is in collections. Only the collections company may take its payments; no card can be charged."
	case agent.NeedsReview:
		return "Finance looks at an earlier payment first. No card can be charged before Finance has answered."
	case agent.Paused:
		return "Payments are paused while the books are checked. No card can be charged; take no payment in another way before Finance says so."
	case agent.NotAnswering:
		return "The card processor does not answer just now. No card can be charged until it does."
	case quote.NothingDue:
		return "Nothing is due."
	case quote.BelowMinimum:
		return fmt.Sprintf("The total is below %s, the least that a card can be charged.", quote.MinimumCharge)
	}
	if got.Location.Payments == account.Suspended {
		return "Payments for " + got.Location.Name + " are suspended. No card can be charged until Finance opens them again."
	}
	return got.Location.Name + " is not set up to take payments. No card can be charged; tell your lead."
}

// receiptOf is what an agent reads out of a payment that was taken at the desk.
func receiptOf(st agent.Status) []Fact {
	p := st.Payment
	if p.Door != pay.ByAgent || !p.State.Sold() {
		return nil
	}
	one := func(name, value string) Fact { return Fact{Name: name, Values: []FactValue{{Value: value}}} }
	var out []Fact
	if p.Amount() == 0 {
		out = append(out, one("Credit used", p.Frozen.Summary.CreditApplied.String()))
	} else {
		out = append(out, one("Charged", p.Charged.String()), one("Card", st.Card.Name()))
	}
	if to := p.PaidTo(); to != "" {
		out = append(out, one("Paid To Date", date(to)))
	}
	return append(out, one("Reference", p.Reference()))
}
