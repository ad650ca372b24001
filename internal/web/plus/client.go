package plus

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/desk/agent"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/staff"
	"paylink/internal/web"
)

// ask is what the address of a client's page asks for.
type ask struct {
	tab     string
	open    bool   // the panel, for a new link
	take    bool   // the panel, to charge a card on file
	vehicle string // a summary of this …
	days    string // … for so many days, as it stands in the address
	payment string // the status of this
	cancel  bool   // and the dialog that asks why it is to be cancelled
	anew    bool   // and go on after that
}

func asked(q url.Values) ask {
	return ask{tab: q.Get("tab"), open: q.Get("panel") == "send", take: q.Get("panel") == takePanel, vehicle: q.Get("vehicle"), days: q.Get("days"), payment: q.Get("payment"), cancel: q.Get("ask") == "cancel", anew: q.Get("anew") == "1"}
}

// beside is what the address of another tab asks for: the panel stays as it is.
func (a ask) beside(tab string) url.Values {
	q := url.Values{"tab": {tab}}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	switch {
	case a.open:
		q.Set("panel", "send")
	case a.take:
		q.Set("panel", takePanel)
	}
	set("vehicle", a.vehicle)
	set("days", a.days)
	set("payment", a.payment)
	return q
}

// draft is what a form that was refused leaves: everything typed, and what is wrong with it.
type draft struct {
	send   *Send
	charge *charging
	cancel *Cancel
	fees   *FeeForm
	why    *Alert // in the summary, or over the status where there is none
	note   *NoteForm
	invite string // why an invitation was refused
}

// client is GET /plus/clients/{id}, or the panel of it.
func (s *server) client(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.draw(r, who, mux.Vars(r.Request)["id"], http.StatusOK, asked(r.URL.Query()), draft{})
}

// draw answers with the client's page, or with its panel alone where the script asks for that.
func (s *server) draw(r *web.Request, who staff.Member, id string, status int, a ask, d draft) (web.Answer, error) {
	pulse, err := s.Desk.Pulse(r.Context(), who, id) // before all that it tells of: what changes meanwhile is told again
	if err != nil {
		return web.Answer{}, err
	}
	c, err := s.Desk.Client(r.Context(), who, id)
	if err != nil {
		return web.Answer{}, err
	}
	if !slices.Contains(tabs, a.tab) {
		a.tab = tabs[0]
	}
	panel, panelStatus, err := s.panel(r, who, c, a, d)
	if err != nil {
		return web.Answer{}, err
	}
	if status == http.StatusOK {
		status = panelStatus
	}
	if r.Header.Get(part) != "" {
		answer, err := s.Pages.Part(status, ClientPage, panelPart, panel)
		answer.Header = http.Header{"Content-Location": {panelAddress(panel)}}
		return answer, err
	}
	page, err := s.page(r, who, c, a, d)
	if err != nil {
		return web.Answer{}, err
	}
	page.Panel, page.Pulse = panel, pulse.Version
	if status == http.StatusOK && page.status != 0 {
		status = page.status
	}
	return s.Pages.Page(status, ClientPage, page)
}

// panelAddress is where the panel that is shown can be found again.
func panelAddress(p Panel) string {
	q := url.Values{}
	if p.Tab != tabs[0] {
		q.Set("tab", p.Tab)
	}
	if p.Status != nil {
		q.Set("payment", p.Status.PaymentID)
		return clientAddress(p.ClientID, q)
	}
	q.Set("panel", "send")
	if p.Take != nil {
		q.Set("panel", takePanel)
		for _, o := range p.Take.Options {
			if o.Chosen && p.Take.Summary != nil {
				q.Set("vehicle", o.ID)
				if !p.Take.Balance {
					q.Set("days", strconv.Itoa(p.Take.Days))
				}
			}
		}
	}
	for _, o := range p.Options {
		if o.Chosen && p.Summary != nil {
			q.Set("vehicle", o.ID)
			q.Set("days", strconv.Itoa(p.Days))
		}
	}
	return clientAddress(p.ClientID, q)
}

func clientAddress(id string, q url.Values) string {
	address := "/plus/clients/" + url.PathEscape(id)
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	return address
}

var (
	tabs     = []string{"account", "history", "links", "appointments"}
	tabNames = map[string]string{"account": "Account", "history": "Account History", "links": "Payment Links", "appointments": "Appointments"}
)

// page is everything but the panel.
func (s *server) page(r *web.Request, who staff.Member, c agent.Client, a ask, d draft) (Client, error) {
	tab := a.tab
	page := Client{
		Chrome: s.chrome(r, who), ID: c.ID, Who: c.Name(), Phone: c.Phone.National(), Language: languageName(c.Language), Email: c.Email, Remarks: c.Notes,
		AutoPay: "Auto Pay off", AutoPayOn: c.AutoPayDays > 0, Collections: c.Collections, TaxExempt: c.TaxExempt, Tab: tab, MaySend: who.May(staff.SendLinks) == nil, MayTake: who.May(staff.TakePayment) == nil,
	}
	if page.AutoPayOn {
		page.AutoPay = "Auto Pay " + daysOf(c.AutoPayDays)
	}
	if s.Desk.Paused {
		page.Closed = append(page.Closed, pausedWords)
	} else if s.Desk.Down() {
		page.Closed = append(page.Closed, notAnsweringWords)
	}
	for _, t := range tabs {
		page.Tabs = append(page.Tabs, Tab{Name: tabNames[t], Address: clientAddress(c.ID, a.beside(t)), Current: t == tab})
	}
	for _, p := range c.Live {
		page.Live = append(page.Live, Live{PaymentID: p.ID, Vehicle: p.Frozen.Vehicle, Address: clientAddress(c.ID, url.Values{"tab": {tab}, "payment": {p.ID}})})
	}
	next, past, err := s.Desk.Appointments(r.Context(), who, c.ID)
	if err != nil {
		return page, err
	}
	paidTo, location := Fact{Name: "Paid To Date"}, Fact{Name: "Location"}
	for _, v := range c.Vehicles {
		paidTo.add(date(v.PaidTo), v.Label)
		location.add(v.Location.Name, v.Label)
		if words := closedWords(closedReason(v.Location.Payments), v.Location.Name); words != "" && !slices.Contains(page.Closed, words) {
			page.Closed = append(page.Closed, words)
		}
	}
	page.Facts = []Fact{paidTo.short(), {Name: "Balance", Values: []FactValue{{Value: c.Balance.Accounting()}}}, nextFact(c, next), location.short()}
	switch tab {
	case "history":
		var err error
		if page.History, page.status, err = s.history(r, who, c, page.AtFinance, d); err != nil {
			return page, err
		}
		page.Aim = page.History.aim()
	case "links":
		var err error
		if page.Links, err = s.linkHistory(r, who, c, tab, page.AtFinance); err != nil {
			return page, err
		}
	case "appointments":
		page.Appointments = appointments(c, next, past)
	default:
		var err error
		if page.Account, err = s.account(r, who, c, d); err != nil {
			return page, err
		}
	}
	switch turned := r.URL.Query().Get("older") != ""; {
	case d.note != nil:
		page.Aim = "note-text"
	case d.invite != "":
		page.Aim = "invite-error"
	case turned && tab == "links":
		page.Aim = "sent"
	case turned && tab == tabs[0]:
		page.Aim = "notes"
	}
	return page, nil
}

func (f *Fact) add(value, of string) { f.Values = append(f.Values, FactValue{value, of}) }

// short leaves out of what a value is where all are the same.
func (f Fact) short() Fact {
	for _, v := range f.Values {
		if v.Value != f.Values[0].Value {
			return f
		}
	}
	if len(f.Values) > 0 {
		f.Values = []FactValue{{Value: f.Values[0].Value}}
	}
	return f
}

func zoneOf(p pay.Payment) *time.Location { return account.Location{Zone: p.Frozen.Zone}.TimeZone() }

// panel makes the panel, and says with which status a page that shows it is answered.
func (s *server) panel(r *web.Request, who staff.Member, c agent.Client, a ask, d draft) (Panel, int, error) {
	if a.take && a.payment == "" {
		return s.taking(r, who, c, a, d)
	}
	p := Panel{ClientID: c.ID, Tab: a.tab, Open: a.open, Days: 30, MaySend: who.May(staff.SendLinks) == nil}
	if a.payment == "" && a.vehicle == "" && !a.open {
		a.payment = c.LiveID
	}
	chosen := a.vehicle
	if chosen != "" {
		if status, err := s.summary(r, who, c, a, d, &p); err != nil || status != http.StatusOK {
			p.choose(c, chosen)
			return p, status, err
		}
		if live := p.Summary.Live; live != nil && a.payment == "" {
			a.payment = live.PaymentID
		}
	}
	if a.payment != "" {
		st, err := s.Desk.Status(r.Context(), who, a.payment)
		if err != nil {
			return p, 0, err
		}
		if st.Payment.ClientID != c.ID {
			return p, 0, pay.ErrNotFound
		}
		p.Open, p.Taken = true, st.Payment.Door == pay.ByAgent
		view := s.view(st, who, a.tab)
		if p.Summary == nil {
			chosen = st.Payment.VehicleID
			p.Days = st.Payment.Frozen.Input.Days
			p.Summary = &Summary{Lines: linesOf(st.Payment.Frozen), Total: st.Payment.Amount().String(), PaidTo: date(st.Payment.PaidTo()), Notes: notesOf(st.Payment.Frozen), Heading: headingOf(st.Payment.Frozen)}
			view.Alert = d.why
		} else if live := p.Summary.Live; live != nil {
			live.CanResend, live.CanCancel = view.CanResend, view.CanCancel
		}
		p.Status = &view
		if who.May(staff.SendLinks) == nil && (view.CanCancel || d.cancel != nil) {
			p.Cancel = &Cancel{PaymentID: st.Payment.ID, Tab: a.tab, Open: a.cancel, Anew: a.anew}
			if d.cancel != nil {
				*p.Cancel = *d.cancel
			}
			p.Cancel.reasons()
		}
	}
	p.choose(c, chosen)
	p.aim(a, d)
	return p, http.StatusOK, nil
}

// aim says where the reader goes on.
func (p *Panel) aim(a ask, d draft) {
	switch {
	case p.Cancel != nil && p.Cancel.Error != "":
		p.Focus = "words"
	case p.Cancel != nil && p.Cancel.Open:
		p.Focus = "reason"
	case d.send != nil && d.send.PhoneError != "":
		p.Focus = "phone"
	case d.send != nil && d.send.Number.Error != "":
		p.Focus = "sure"
	case d.send != nil && d.send.PayerError != "":
		p.Focus = "payer"
	case d.send != nil && d.send.ConsentErr != "":
		p.Focus = "consent"
	case d.why != nil:
		p.Focus = "why"
	case a.vehicle != "" && p.Summary != nil:
		p.Focus = "summary-title"
	case a.open:
		p.Focus = "vehicle"
	}
}

func (p *Panel) choose(c agent.Client, chosen string) {
	for _, v := range c.Vehicles {
		if v.Elsewhere {
			continue
		}
		p.Options = append(p.Options, Option{ID: v.ID, Label: vehicleName(v.Vehicle), Chosen: v.ID == chosen})
	}
}

func headingOf(f pay.Frozen) string {
	if f.Vehicle == "" {
		return "Pending balance"
	}
	return f.Vehicle + ", " + daysOf(f.Input.Days)
}

// summary adds the Invoice Summary of a choice. A choice of days that there is none for is answered in the panel, with 400.
func (s *server) summary(r *web.Request, who staff.Member, c agent.Client, a ask, d draft, p *Panel) (int, error) {
	p.Open = true
	n, err := strconv.Atoi(a.days)
	if err != nil {
		n = -1 // the desk says what may be chosen
	}
	p.Days = n
	got, err := s.Desk.Summary(r.Context(), who, agent.Choice{ClientID: c.ID, VehicleID: a.vehicle, Days: n})
	if errors.Is(err, quote.ErrDays) {
		p.DaysError, p.Focus = "Choose 14 or 30 days.", "days"
		return web.ProblemOf(err).Status, nil
	}
	if err != nil {
		return 0, err
	}
	sum := Summary{Heading: headingOf(got.Frozen), Lines: linesOf(got.Frozen), Total: got.Frozen.Summary.TotalDue.String(), PaidTo: date(dayOf(got.Frozen)), Notes: notesOf(got.Frozen), Alert: d.why}
	for _, w := range got.Warnings {
		switch w.Kind {
		case "live_link": // said with what can be done about it
		case "opted_out":
			sum.Warnings = append(sum.Warnings, Alert{"error", w.Text})
		default:
			sum.Warnings = append(sum.Warnings, Alert{"warning", w.Text})
		}
	}
	switch {
	case got.Blocked != "":
		sum.Blocked, sum.Awaits = blockedWords(got.Blocked), got.Blocked == agent.NotAnswering
	case got.LiveID != "":
		sum.Live = &Live{PaymentID: got.LiveID}
	default:
		if sum.Send, err = s.form(r, who, c.Client, got, a, d); err != nil {
			return 0, err
		}
	}
	if got.LiveID != "" && sum.Live == nil {
		sum.Live = &Live{PaymentID: got.LiveID}
	}
	p.Summary = &sum
	return http.StatusOK, nil
}

func dayOf(f pay.Frozen) (d day.Date) {
	if f.Summary.PaidTo != nil {
		d = *f.Summary.PaidTo
	}
	return d
}

// form is the form that sends: fresh, or with what was typed.
func (s *server) form(r *web.Request, who staff.Member, c account.Client, got agent.Summary, a ask, d draft) (*Send, error) {
	f := Send{Phone: c.Phone.National(), Language: c.Language, Key: s.NewKey()}
	if d.send != nil {
		f = *d.send
	}
	f.Action, f.Tab, f.VehicleID, f.Days = "/plus/clients/"+url.PathEscape(c.ID)+"/links", a.tab, got.Vehicle.ID, got.Frozen.Input.Days
	f.Shown, f.Own = int64(got.Frozen.Summary.TotalDue), c.Phone.National()
	if number, err := phone.Parse(f.Phone); err == nil {
		f.Last4, f.IsOwn = number.Last4(), number == c.Phone
	}
	if !f.IsOwn {
		why := f.Number.Error
		var err error
		if f.Number, err = s.numberCheck(r, who, c.ID, f.Phone, f.Number.Sure); err != nil {
			return nil, err
		}
		f.Number.Error = why
	}
	return &f, nil
}

// view words a status.
func (s *server) view(st agent.Status, who staff.Member, tab string) LinkStatus {
	p, now := st.Payment, s.door.Now()
	may := who.May(staff.SendLinks) == nil
	v := LinkStatus{
		PaymentID: p.ID, ClientID: p.ClientID, Tab: tab, Reference: p.Reference(), Headline: st.Headline, Next: st.Next,
		Zone: p.Frozen.Location, SecondsLeft: int(st.Left / time.Second), Counting: st.Left > 0, CanResend: may && st.CanResend, CanCancel: may && st.CanCancel,
		NoResends: may && st.State == pay.Open && st.ResendsLeft <= 0, Note: st.Note, Over: st.Over,
	}
	if may && st.MayAnew && p.VehicleID != "" {
		v.Anew = clientAddress(p.ClientID, url.Values{"panel": {"send"}, "vehicle": {p.VehicleID}, "days": {strconv.Itoa(p.Frozen.Input.Days)}, "tab": {tab}})
	}
	if p.Door == pay.ByAgent {
		v.Receipt = receiptOf(st)
		if v.Title = "Payment status"; !p.CardOnFile {
			v.Title = "Link status"
		}
		if who.May(staff.TakePayment) == nil && st.MayAnew {
			v.Again = takeAddress(p, tab)
		}
	}
	for _, step := range st.Steps {
		one := Step{Tone: string(step.Tone), Text: step.Text, Detail: step.Detail}
		if !step.At.IsZero() {
			one.Time, one.Machine = clock(step.At, now), step.At.Format(time.RFC3339)
		}
		v.Steps = append(v.Steps, one)
	}
	same := v
	same.SecondsLeft = 0
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", same))
	v.Version = hex.EncodeToString(sum[:8])
	return v
}

// status is GET /plus/payments/{id}/status: what became of a link, for the page that shows it. What has not changed is not sent again, but for the time left.
func (s *server) status(r *web.Request, who staff.Member) (web.Answer, error) {
	st, err := s.Desk.Status(r.Context(), who, mux.Vars(r.Request)["id"])
	if err != nil {
		return web.Answer{}, err
	}
	v := s.view(st, who, r.URL.Query().Get("tab"))
	answer := web.Answer{Status: http.StatusNotModified}
	tag := `"` + v.Version + `"`
	if r.Header.Get("If-None-Match") != tag {
		if answer, err = s.Pages.Part(http.StatusOK, ClientPage, statusPart, v); err != nil {
			return web.Answer{}, err
		}
	}
	answer.Header = http.Header{"Etag": {tag}, "X-Seconds-Left": {strconv.Itoa(v.SecondsLeft)}}
	return answer, nil
}

// done answers an act that worked: the panel for the script, a redirect for a plain form.
func (s *server) done(r *web.Request, who staff.Member, clientID string, a ask, say, focus string) (web.Answer, error) {
	if r.Header.Get(part) == "" {
		q := url.Values{}
		if a.tab != "" && a.tab != tabs[0] {
			q.Set("tab", a.tab)
		}
		if a.payment != "" {
			q.Set("payment", a.payment)
		} else {
			q.Set("panel", "send")
			q.Set("vehicle", a.vehicle)
			q.Set("days", a.days)
		}
		return web.Redirect(clientAddress(clientID, q)), nil
	}
	c, err := s.Desk.Client(r.Context(), who, clientID)
	if err != nil {
		return web.Answer{}, err
	}
	if !slices.Contains(tabs, a.tab) {
		a.tab = tabs[0]
	}
	panel, _, err := s.panel(r, who, c, a, draft{})
	if err != nil {
		return web.Answer{}, err
	}
	panel.Say = say
	if focus != "" {
		panel.Focus = focus
	}
	answer, err := s.Pages.Part(http.StatusOK, ClientPage, panelPart, panel)
	answer.Header = http.Header{"Content-Location": {panelAddress(panel)}}
	return answer, err
}

// send is POST /plus/clients/{id}/links.
func (s *server) send(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, f := mux.Vars(r.Request)["id"], r.PostForm
	shown, err := strconv.ParseInt(f.Get("shown"), 10, 64)
	if key := f.Get("key"); err != nil || key == "" || len(key) > 100 || len(f.Get("phone")) > 200 {
		return web.Answer{}, web.ErrBadRequest
	}
	days, err := strconv.Atoi(f.Get("days"))
	if err != nil {
		days = -1 // the desk says what may be chosen
	}
	typed := Send{Key: f.Get("key"), Phone: f.Get("phone"), Payer: strings.TrimSpace(f.Get("payer")), Consent: f.Get("consent") != "", Language: f.Get("language"), Number: NumberCheck{Sure: f.Get("sure")}}
	a := ask{tab: f.Get("tab"), open: true, vehicle: f.Get("vehicle"), days: f.Get("days")}
	p, err := s.Desk.Send(r.Context(), who, agent.Message{
		Choice: agent.Choice{ClientID: id, VehicleID: a.vehicle, Days: days}, Phone: typed.Phone, Shown: money.Cents(shown),
		Consent: typed.Consent, Payer: typed.Payer, Sure: typed.Number.Sure, Language: typed.Language, FormKey: typed.Key,
	})
	if err == nil {
		return s.done(r, who, id, ask{tab: a.tab, payment: p.ID}, "", "status-title")
	}
	d := draft{send: &typed}
	status := http.StatusUnprocessableEntity
	if likeCard(typed.Phone) {
		typed.Phone = "" // whatever it is, it is not shown again
	}
	switch {
	case errors.Is(err, phone.ErrInvalid):
		typed.PhoneError = "This is no telephone number of the United States. Enter 10 digits, such as (804) 555-0142."
	case errors.Is(err, phone.ErrNotMobile):
		typed.PhoneError = "This number can’t get texts. Ask for a mobile number."
	case errors.Is(err, agent.ErrLandline):
		typed.PhoneError = "This number is a landline and can’t get texts. Ask for a mobile number."
	case errors.Is(err, agent.ErrOptedOut):
		typed.PhoneError = "This number has opted out of our texts. The caller can text START to us from it, or give another number."
	case errors.Is(err, agent.ErrAnothers):
		typed.Number.Error = "Read the number back to the caller. Correct it, or tick the box if it is right."
	case errors.Is(err, agent.ErrConsent):
		typed.ConsentErr = "This is not the client’s own number. Ask whether the payer agrees to get this text, and tick the box if they do."
	case errors.Is(err, agent.ErrCardNumber):
		typed.Payer, typed.PayerError = "", "That looks like a card number, so we did not keep it. Never write one down; the payer enters it on their phone."
	case errors.Is(err, agent.ErrTooLong):
		typed.PayerError = "That is too long. Use 200 characters at the most."
	case errors.Is(err, pay.ErrTotalMoved):
		status = web.ProblemOf(err).Status
		moved := &agent.MovedError{}
		errors.As(err, &moved)
		d.why = &Alert{"error", fmt.Sprintf("The total has changed from %s to %s since the summary was shown. Nothing was sent. Read out the new total below, then send.", moved.Shown, moved.Now)}
	case errors.Is(err, pay.ErrLive):
		status = web.ProblemOf(err).Status
		live := &pay.LiveError{}
		errors.As(err, &live)
		a.payment = live.PaymentID
		d.why = &Alert{"error", "Nothing new was sent: a payment for this vehicle is under way."}
	case errors.Is(err, quote.ErrDays):
		status = web.ProblemOf(err).Status // the panel says which days there are
	case errors.Is(err, pay.ErrBlocked), errors.Is(err, pay.ErrNeedsReview), errors.Is(err, pay.ErrPaused):
		status = web.ProblemOf(err).Status
		d.why = &Alert{"error", "Nothing was sent."} // the summary says why
	default:
		return web.Answer{}, err
	}
	return s.draw(r, who, id, status, a, d)
}

// numberCheck is what an agent should know of a number as it is typed; sure is what was confirmed of it.
func (s *server) numberCheck(r *web.Request, who staff.Member, clientID, typed, sure string) (NumberCheck, error) {
	n, err := s.Desk.Number(r.Context(), who, clientID, typed)
	if errors.Is(err, phone.ErrInvalid) || errors.Is(err, phone.ErrNotMobile) {
		return NumberCheck{}, nil // said when it is sent: it may not be complete yet
	}
	out := NumberCheck{OptedOut: n.OptedOut, Key: n.Anothers.Key(), Sure: sure}
	for _, one := range n.Anothers {
		words := "client " + one.ID
		if one.Name != "" {
			words = one.Name + ", " + one.ID
		}
		out.Whose = append(out.Whose, words)
	}
	return out, err
}

// number is POST /plus/clients/{id}/number: plus.js asks while a number is typed. It comes by POST, so that the number stays out of addresses and logs.
func (s *server) number(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id := mux.Vars(r.Request)["id"]
	check, err := s.numberCheck(r, who, id, r.PostForm.Get("phone"), r.PostForm.Get("sure"))
	if err != nil {
		return web.Answer{}, err
	}
	if r.Header.Get(part) == "" {
		return web.Redirect(clientAddress(id, nil)), nil
	}
	return s.Pages.Part(http.StatusOK, ClientPage, numberPart, check)
}

// resend is POST /plus/payments/{id}/resend.
func (s *server) resend(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, tab := mux.Vars(r.Request)["id"], r.PostForm.Get("tab")
	err := s.Desk.Resend(r.Context(), who, id)
	return s.afterwards(r, who, id, tab, err, "resend")
}

// afterwards shows where a payment stands after an act on it, or why the act was refused.
func (s *server) afterwards(r *web.Request, who staff.Member, paymentID, tab string, err error, focus string) (web.Answer, error) {
	why := refusal(err)
	if err != nil && why == "" {
		return web.Answer{}, err
	}
	st, stErr := s.Desk.Status(r.Context(), who, paymentID)
	if stErr != nil {
		return web.Answer{}, stErr
	}
	a := ask{tab: tab, payment: paymentID}
	if err != nil {
		return s.draw(r, who, st.Payment.ClientID, web.ProblemOf(err).Status, a, draft{why: &Alert{"error", why}})
	}
	return s.done(r, who, st.Payment.ClientID, a, "", focus)
}

// refusal says why an act on a payment was refused; "" for what is no refusal of this kind.
func refusal(err error) string {
	switch {
	case errors.Is(err, pay.ErrClosed):
		return "Nothing was done: this payment has ended."
	case errors.Is(err, pay.ErrElsewhere):
		return "Nothing was sent: the payer is paying right now."
	case errors.Is(err, pay.ErrResends):
		return "This link was resent three times. Cancel it and send a new one."
	case errors.Is(err, pay.ErrNeedsReview):
		return "Nothing was done: Finance looks at this payment first."
	case errors.Is(err, pay.ErrPaused):
		return "Nothing was sent: payments are paused while the books are checked."
	case errors.Is(err, pay.ErrBlocked):
		return "Nothing was sent: the card processor does not answer just now, and the link could not be paid."
	}
	return ""
}

// reasons are the ones to choose from.
var reasons = []string{"The caller asked for it", "Wrong phone number", "Wrong vehicle or days", "The text did not arrive", "Paying another way", "Another reason"}

func (c *Cancel) reasons() {
	if c.Reasons != nil {
		return
	}
	for _, words := range reasons {
		c.Reasons = append(c.Reasons, Option{ID: words, Label: words})
	}
}

// cancel is POST /plus/payments/{id}/cancel.
func (s *server) cancel(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, f := mux.Vars(r.Request)["id"], r.PostForm
	form := Cancel{PaymentID: id, Tab: f.Get("tab"), Open: true, Anew: f.Get("anew") == "1", Words: strings.TrimSpace(f.Get("words"))}
	reason := f.Get("reason")
	for _, words := range reasons {
		form.Reasons = append(form.Reasons, Option{ID: words, Label: words, Chosen: words == reason})
	}
	if !slices.Contains(reasons, reason) {
		return web.Answer{}, web.ErrBadRequest
	}
	if form.Words != "" {
		reason += ": " + form.Words
	}
	state, err := s.Desk.Cancel(r.Context(), who, id, reason)
	switch {
	case errors.Is(err, agent.ErrCardNumber):
		form.Words, form.Error = "", "That looks like a card number, so we did not keep it. Never write one down."
	case errors.Is(err, agent.ErrTooLong):
		form.Error = "That is too long. Use 150 characters at the most."
	case err == nil && form.Anew && !state.Live():
		st, err := s.Desk.Status(r.Context(), who, id)
		if err != nil {
			return web.Answer{}, err
		}
		p := st.Payment
		return s.done(r, who, p.ClientID, ask{tab: form.Tab, vehicle: p.VehicleID, days: strconv.Itoa(p.Frozen.Input.Days)}, "The link was cancelled. Here is a new summary.", "")
	default:
		return s.afterwards(r, who, id, form.Tab, err, "status-title")
	}
	st, stErr := s.Desk.Status(r.Context(), who, id)
	if stErr != nil {
		return web.Answer{}, stErr
	}
	return s.draw(r, who, st.Payment.ClientID, http.StatusUnprocessableEntity, ask{tab: form.Tab, payment: id}, draft{cancel: &form})
}
