package plus

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paylink/internal/day"
	"paylink/internal/desk/office"
	"paylink/internal/lang"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/sms"
	"paylink/internal/staff"
	"paylink/internal/trail"
	"paylink/internal/web"
)

// finance is GET /plus/finance: what waits for a person, oldest first.
func (s *server) finance(r *web.Request, who staff.Member) (web.Answer, error) {
	q := r.URL.Query()
	after := office.Waits{PaymentID: q.Get("id")}
	if since, err := strconv.ParseInt(q.Get("after"), 10, 64); err == nil {
		after.Since = time.UnixMilli(since)
	}
	list, err := s.Office.Waiting(r.Context(), who, after)
	if err != nil {
		return web.Answer{}, err
	}
	page := Finance{Chrome: s.chrome(r, who), First: after.PaymentID == "", Count: countWords(list.Count), May: who.May(staff.DecideMoney) == nil}
	if list.Next != nil {
		page.Next = "/plus/finance?" + url.Values{"after": {strconv.FormatInt(list.Next.Since.UnixMilli(), 10)}, "id": {list.Next.PaymentID}}.Encode()
	}
	for _, d := range list.Reconciled {
		row := DayRow{Day: date(d.Day), Words: "No difference", Tone: "good"}
		if d.Differences > 0 {
			row.Words, row.Tone = countOf(d.Differences, "difference"), "bad"
		}
		page.Days = append(page.Days, row)
	}
	for _, i := range list.Items {
		p := i.Payment
		page.Rows = append(page.Rows, WaitRow{
			Address: paymentAddress(p.ID), Reference: p.Reference(), Client: i.Client, ClientID: p.ClientID, Vehicle: p.Frozen.Vehicle, Amount: p.Amount().String(),
			Waits: waited(list.Now.Sub(i.Since)), Since: i.Since.In(zoneOf(p)).Format(time.RFC3339), SinceWords: lang.English.DateTime(i.Since.In(zoneOf(p))), Causes: causeRows(i.Causes, list.Now),
		})
	}
	return s.Pages.Page(http.StatusOK, FinancePage, page)
}

func paymentAddress(id string, more ...string) string {
	return "/plus/payments/" + url.PathEscape(id) + strings.Join(more, "")
}

// payment is GET /plus/payments/{id}: one payment whole, for those who may see it; others are led to what they may see of it, on its client's page.
func (s *server) payment(r *web.Request, who staff.Member) (web.Answer, error) {
	id := mux.Vars(r.Request)["id"]
	if who.May(staff.SeeFinance) == nil {
		return s.whole(r, who, id, http.StatusOK, reasoned{})
	}
	st, err := s.Desk.Status(r.Context(), who, id)
	if err != nil {
		return web.Answer{}, err
	}
	return web.Redirect(clientAddress(st.Payment.ClientID, url.Values{"payment": {st.Payment.ID}})), nil
}

// reasoned is what a form of Finance's leaves that was refused: everything typed, and what is wrong with it.
type reasoned struct {
	form              string // "refund", "decide", "drop", "clear"; "": none was sent
	choice, amount    string
	why               string
	choiceErr, sumErr string
	whyErr            string
	alert             string // what no field is wrong with
	focus             string
}

func (s *server) whole(r *web.Request, who staff.Member, id string, status int, d reasoned) (web.Answer, error) {
	c, err := s.Office.Payment(r.Context(), who, id)
	if err != nil {
		return web.Answer{}, err
	}
	page := s.paymentPage(r, who, c)
	p := c.Payment
	form := func(name string) ReasonForm {
		f := ReasonForm{Action: paymentAddress(p.ID, "/", name), Name: name}
		if d.form == name {
			f.Why, f.WhyError, f.Choice, f.ChoiceError = d.why, d.whyErr, d.choice, d.choiceErr
		}
		return f
	}
	if d.alert != "" {
		page.Alert, page.Focus = &Alert{"error", d.alert}, "why-not"
	}
	if d.focus != "" {
		page.Focus = d.focus
	}
	if c.MayRefund {
		page.Refund = &RefundForm{ReasonForm: form("refund"), Key: s.NewKey(), Left: c.Left.String(), Charged: p.Charged.String(), Partly: p.GivenBack > 0}
		if d.form == "refund" {
			page.Refund.Amount, page.Refund.AmountError = d.amount, d.sumErr
		}
	}
	switch {
	case c.MayReview:
		f := form("decide")
		f.Title, f.Do = "Decide this review", "Decide"
		f.Choices = []Choice{
			{"paid", "It is paid", "The charge is the right one. It buys " + boughtWords(p) + "."},
			{"refunded", "It goes back", "Whatever was charged goes back to the card, in full."},
			{"revoked", "Nothing was charged", "The payment ends without money, and the vehicle is free for a new link."},
		}
		page.Decide = &f
	case c.MayLate:
		f := form("decide")
		f.Title, f.Do = "Decide about "+c.Left.String(), "Decide"
		apply := "It buys " + boughtWords(p) + "."
		if p.Frozen.Rebuilt {
			apply = "What it was for is lost: it becomes the client’s credit."
		}
		f.Choices = []Choice{{"applied", "Apply it", apply}, {"refunded", "Give it back", c.Left.String() + " goes back to the card."}}
		page.Decide = &f
	}
	if c.MayDrop {
		f := form("drop")
		f.Title, f.Do = "Is the refund at the card processor?", "It shows no such refund"
		f.Text = "Look for it there first. If it is there, it is booked by itself. Only if it is not, say so: the money can then be given back again."
		page.Drop = &f
	}
	if c.MayClear {
		f := form("clear")
		f.Title, f.Do = "Settled in another way?", "It is settled"
		f.Text = "Such as by a check, or with a credit. The failed refund then waits for nobody any more."
		page.Clear = &f
	}
	return s.Pages.Page(status, PaymentPage, page)
}

// refund is POST /plus/payments/{id}/refund. It comes twice: first to be read again, and then, confirmed, to act.
func (s *server) refund(r *web.Request, who staff.Member) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, f := mux.Vars(r.Request)["id"], r.PostForm
	key := f.Get("key")
	if key == "" || len(key) > 100 || len(f.Get("why")) > 2000 || len(f.Get("amount")) > 100 {
		return web.Answer{}, web.ErrBadRequest
	}
	d := reasoned{form: "refund", choice: f.Get("choice"), amount: strings.TrimSpace(f.Get("amount")), why: strings.TrimSpace(f.Get("why"))}
	g := office.GiveBack{PaymentID: id, Why: d.why, FormKey: key}
	if f.Get("confirmed") != "" {
		cents, err := strconv.ParseInt(f.Get("cents"), 10, 64)
		if err != nil {
			return web.Answer{}, web.ErrBadRequest
		}
		g.Amount = money.Cents(cents)
		d.choice, d.amount = "part", strings.TrimPrefix(g.Amount.String(), "$")
		if err := s.Office.Refund(r.Context(), who, g); err != nil {
			return s.refused(r, who, id, d, err)
		}
		return web.Redirect(paymentAddress(id, "#refunds")), nil
	}
	amount, ok := typedAmount(d.amount)
	switch {
	case d.choice == "whole":
		g.Whole = true
	case d.choice != "part":
		d.choiceErr, d.focus = "Choose how much goes back.", "refund-choice"
		return s.whole(r, who, id, http.StatusUnprocessableEntity, d)
	case !ok:
		d.sumErr, d.focus = "Enter an amount in dollars, such as 40.00.", "amount"
		return s.whole(r, who, id, http.StatusUnprocessableEntity, d)
	}
	g.Amount = amount
	c, why, err := s.Office.Look(r.Context(), who, g)
	if err != nil {
		return s.refused(r, who, id, d, err)
	}
	if g.Whole {
		amount = c.Left
	}
	p := c.Payment
	page := Confirm{
		Chrome: s.chrome(r, who), Back: paymentAddress(id), Action: paymentAddress(id, "/refund"), Client: c.Facts.Client.Name(), ClientID: p.ClientID, Reference: p.Reference(), What: headingOf(p.Frozen),
		Amount: amount.String(), Cents: int64(amount), Of: p.Charged.String(), Rest: (c.Left - amount).String(), Whole: amount == c.Left, Why: why, Key: key,
	}
	if a := charged(c.View); a != nil {
		page.Card = cardWords(a.Card)
	}
	if amount == p.Charged-p.GivenBack && p.PaidTo() != "" {
		page.Then = "The Paid To Date moves back to " + date(p.PaidToFrom()) + ", unless it has moved on since."
	} else if p.PaidTo() != "" {
		page.Then = "The Paid To Date stays " + date(p.PaidTo()) + "."
	}
	return s.Pages.Page(http.StatusOK, ConfirmPage, page)
}

// typedAmount reads an amount above zero.
func typedAmount(text string) (money.Cents, bool) {
	n, ok := typedCents(text)
	return n, ok && n > 0
}

// typedCents reads an amount in dollars as people type it: "40", "40.5", "$1,040.50", "0".
func typedCents(text string) (money.Cents, bool) {
	text = strings.ReplaceAll(strings.TrimSpace(strings.TrimPrefix(text, "$")), ",", "")
	dollars, cents, point := strings.Cut(text, ".")
	if point && (len(cents) < 1 || len(cents) > 2) || len(dollars) > 9 || dollars == "" && cents == "" {
		return 0, false
	}
	cents = (cents + "00")[:2]
	n, err := strconv.ParseUint(dollars+cents, 10, 63)
	return money.Cents(n), err == nil // #nosec G115 -- eleven digits at most
}

// decide is POST /plus/payments/{id}/decide.
func (s *server) decide(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.reasoned(r, who, "decide", "#state", func(id, choice, why string) error {
		switch as := pay.State(choice); as {
		case pay.Paid, pay.Applied, pay.Refunded, pay.Revoked:
			return s.Office.Decide(r.Context(), who, id, as, why)
		}
		return errNoChoice
	})
}

// drop is POST /plus/payments/{id}/drop.
func (s *server) drop(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.reasoned(r, who, "drop", "#refunds", func(id, _, why string) error { return s.Office.Drop(r.Context(), who, id, why) })
}

// clear is POST /plus/payments/{id}/clear.
func (s *server) clear(r *web.Request, who staff.Member) (web.Answer, error) {
	return s.reasoned(r, who, "clear", "#refunds", func(id, _, why string) error { return s.Office.Clear(r.Context(), who, id, why) })
}

var errNoChoice = errors.New("nothing was chosen")

// reasoned takes a form that asks for a reason, acts and redirects, or draws the page again with what is wrong.
func (s *server) reasoned(r *web.Request, who staff.Member, form, to string, act func(id, choice, why string) error) (web.Answer, error) {
	if err := web.ReadForm(r); err != nil {
		return web.Answer{}, err
	}
	id, f := mux.Vars(r.Request)["id"], r.PostForm
	if len(f.Get("why")) > 2000 {
		return web.Answer{}, web.ErrBadRequest
	}
	d := reasoned{form: form, choice: f.Get("choice"), why: strings.TrimSpace(f.Get("why"))}
	if err := act(id, d.choice, d.why); err != nil {
		return s.refused(r, who, id, d, err)
	}
	return web.Redirect(paymentAddress(id, to)), nil
}

// refused draws the page again, with why nothing was done.
func (s *server) refused(r *web.Request, who staff.Member, id string, d reasoned, err error) (web.Answer, error) {
	status := http.StatusUnprocessableEntity
	switch {
	case errors.Is(err, errNoChoice):
		d.choiceErr, d.focus = "Choose what is to be done.", d.form+"-choice"
	case errors.Is(err, office.ErrReason):
		d.whyErr, d.focus = "Say why, in a few words. It is kept with the payment.", d.form+"-why"
	case errors.Is(err, trail.ErrCardNumber):
		d.why, d.whyErr, d.focus = "", "That looks like a card number, so we did not keep it. Never write one down.", d.form+"-why"
	case errors.Is(err, trail.ErrTooLong):
		d.whyErr, d.focus = "That is too long. Use 200 characters at the most.", d.form+"-why"
	case errors.Is(err, office.ErrAmount):
		d.sumErr, d.focus = "Enter an amount above zero, such as 40.00.", "amount"
	case errors.Is(err, pay.ErrTooMuch):
		d.sumErr, d.focus = "That is more than is left to give back.", "amount"
	default:
		if d.alert = officeRefusal(err); d.alert == "" {
			return web.Answer{}, err
		}
		status = web.ProblemOf(err).Status
	}
	return s.whole(r, who, id, status, d)
}

// officeRefusal says why an act on a payment's money was refused; "" for what is no refusal of this kind.
func officeRefusal(err error) string {
	switch {
	case errors.Is(err, pay.ErrRefunding):
		return "Nothing was done: a refund of this payment is under way. Wait for its answer."
	case errors.Is(err, pay.ErrAccountBusy):
		return "Nothing was done: another payment of this account is being made right now. Try again in a minute."
	case errors.Is(err, pay.ErrNotCharged):
		return "Nothing was done: the card processor shows no charge for this payment."
	case errors.Is(err, pay.ErrCharged):
		return "Nothing was done: the card processor shows a charge for this payment. Give it back, or say that it is paid."
	case errors.Is(err, pay.ErrTotalMoved):
		return "Nothing was done: the charge no longer fits the account. It can only go back."
	case errors.Is(err, pay.ErrNeedsReview):
		return "Nothing was done: decide first what becomes of this money."
	case errors.Is(err, pay.ErrClosed):
		return "Nothing was done: somebody has decided this already. The page shows what was done."
	case errors.Is(err, pay.ErrUnavailable):
		return "Nothing was done: the card processor can’t be asked just now. Try again in a moment."
	}
	return ""
}

// evidence is GET /plus/payments/{id}/evidence.json. It changes nothing but the trail, which says who took the file.
func (s *server) evidence(r *web.Request, who staff.Member) (web.Answer, error) {
	f, err := s.Office.Evidence(r.Context(), who, mux.Vars(r.Request)["id"], r.URL.Query().Get("dispute"))
	if err != nil {
		return web.Answer{}, err
	}
	return web.File("application/json", f.Name, []byte(f.Text)), nil
}

// evidencePDF is GET /plus/payments/{id}/evidence.pdf: the same file, laid out for people.
func (s *server) evidencePDF(r *web.Request, who staff.Member) (web.Answer, error) {
	f, err := s.Office.EvidencePDF(r.Context(), who, mux.Vars(r.Request)["id"], r.URL.Query().Get("dispute"))
	if err != nil {
		return web.Answer{}, err
	}
	return web.File(web.PDFType, f.Name, []byte(f.Text)), nil
}

// charged is the attempt whose card was charged; nil: none was.
func charged(v pay.View) *pay.Attempt {
	for i := range v.Attempts {
		if v.Attempts[i].State == pay.Succeeded {
			return &v.Attempts[i]
		}
	}
	return nil
}

// paymentPage is everything but the forms.
func (s *server) paymentPage(r *web.Request, who staff.Member, c office.Case) Payment {
	p, zone := c.Payment, c.Facts.Location.TimeZone()
	now := c.Facts.Now
	at := func(t time.Time) Moment {
		if t.IsZero() {
			return Moment{}
		}
		return Moment{lang.English.Date(day.Of(t.In(zone))), lang.English.Clock(t.In(zone)), t.Format(time.RFC3339)}
	}
	page := Payment{
		Chrome: s.chrome(r, who), Reference: p.Reference(), Client: c.Facts.Client.Name(), ClientID: p.ClientID, ClientPage: clientAddress(p.ClientID, url.Values{"tab": {"links"}, "payment": {p.ID}}),
		Heading: headingOf(p.Frozen), Zone: p.Frozen.Location, Where: whereWords(c), Causes: causeRows(c.Causes, now), Total: p.Amount().String(), PaidTo: date(p.PaidTo()), Rebuilt: p.Frozen.Rebuilt,
		Hash: p.SummaryHash, Intent: p.IntentID, Account: p.StripeAccount, Terms: len(c.Record.Terms),
	}
	if !p.Frozen.Rebuilt {
		page.Lines = linesOf(p.Frozen)
	}
	page.State, page.Tone = stateWords(p, now)
	disputed := false
	for _, one := range c.Disputes {
		disputed = disputed || !one.Over()
	}
	if disputed {
		page.State, page.Tone = "Disputed", "bad"
	}
	page.Facts = []Fact{{Name: "Charged", Values: []FactValue{{Value: p.Charged.String()}}}, {Name: "Given back", Values: []FactValue{{Value: p.GivenBack.String()}}}}
	if p.State.Booked() {
		page.Facts = append(page.Facts, Fact{Name: "Left", Values: []FactValue{{Value: c.Left.String()}}})
	}
	if v := c.Facts.Vehicle; v != nil {
		page.Facts = append(page.Facts, Fact{Name: "Paid To Date now", Values: []FactValue{{Value: date(v.PaidTo)}}})
	}
	if c.MayEvidence {
		page.Evidence, page.EvidencePDF = paymentAddress(p.ID, "/evidence.json"), paymentAddress(p.ID, "/evidence.pdf")
	}
	for _, a := range c.Attempts {
		row := AttemptRow{At: at(a.StartedAt), Card: cardWords(a.Card), Funding: a.Card.Funding}
		row.Outcome, row.Tone, row.Detail = attemptWords(a)
		page.Attempts = append(page.Attempts, row)
	}
	for i, l := range c.Links {
		row := TextRow{At: at(l.CreatedAt), What: "Link " + strconv.Itoa(i+1), To: l.Phone.String(), Opened: at(l.OpenedAt), Whose: "another number"}
		if l.OwnNumber {
			row.Whose = "client’s number"
		}
		for _, m := range c.Messages {
			if m.LinkID == l.ID && m.Kind == sms.LinkText {
				row.Text, row.Tone = textWords(m)
			}
		}
		page.Texts = append(page.Texts, row)
		for _, m := range c.Messages {
			if m.LinkID == l.ID && m.Kind != sms.LinkText {
				receipt := TextRow{At: at(m.CreatedAt), What: "Receipt", To: m.Phone.String(), Whose: row.Whose}
				receipt.Text, receipt.Tone = textWords(m)
				page.Texts = append(page.Texts, receipt)
			}
		}
	}
	for _, i := range c.Invoices {
		page.Invoices = append(page.Invoices, NoteRow{At: at(i.IssuedAt), Number: i.Number, What: invoiceWhat(i), Amount: i.Total.Accounting()})
	}
	for _, b := range c.Refunds {
		row := RefundRow{At: at(b.AskedAt), Amount: b.Amount.String(), Why: b.Why, By: byWords(b.By, c.Names), ID: b.StripeID}
		row.State, row.Tone, row.Detail = refundWords(b)
		page.Refunds = append(page.Refunds, row)
	}
	for _, one := range c.Disputes {
		row := DisputeRow{At: at(one.OpenedAt), Amount: one.Amount.String(), Reason: upper(office.DisputeReason(one.Reason)) + ".", ID: one.ID}
		row.State, row.Tone = disputeWords(one.Status)
		if !one.Over() {
			row.Due = at(one.EvidenceBy)
		}
		if c.MayEvidence && one.Evidence != "" {
			which := url.Values{"dispute": {one.ID}}.Encode()
			row.Evidence, row.EvidencePDF = paymentAddress(p.ID, "/evidence.json?", which), paymentAddress(p.ID, "/evidence.pdf?", which)
		}
		page.Disputes = append(page.Disputes, row)
	}
	for _, e := range c.Trail {
		page.Trail = append(page.Trail, TrailRow{At: at(e.At), Who: byWords(e.Actor, c.Names), Act: upper(strings.ReplaceAll(e.Act, "_", " ")), Refused: e.Refused, Detail: e.Detail})
	}
	return page
}

func causeRows(causes []office.Cause, now time.Time) []CauseRow {
	var out []CauseRow
	for _, c := range causes {
		row := CauseRow{Text: c.Text, Do: c.Do, Tone: "warning"}
		switch c.Kind {
		case office.InReview:
			row.Badge = "Review"
		case office.HeldMoney:
			row.Badge = "Money held"
		case office.RefundStuck:
			row.Badge, row.Tone = "Refund stuck", "bad"
		case office.RefundUnderWay:
			row.Badge, row.Tone = "Refund under way", "note"
		case office.RefundRefused:
			row.Badge, row.Tone = "Refund not made", "bad"
		case office.RefundFailed:
			row.Badge, row.Tone = "Refund failed", "bad"
		case office.Disputed:
			row.Badge, row.Tone = "Dispute", "bad"
			if c.Calm {
				row.Badge, row.Tone = "Dispute with the bank", "note"
			}
		}
		if !c.By.IsZero() {
			left := c.By.Sub(now)
			if row.Due = "Evidence due in " + waited(left); left <= 0 {
				row.Due = "Evidence was due " + waited(-left) + " ago"
			}
		}
		out = append(out, row)
	}
	return out
}

// waited writes a duration as people say it, in its largest whole unit.
func waited(d time.Duration) string {
	n, unit := int(d/(24*time.Hour)), "day"
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		n, unit = int(d/time.Minute), "minute"
	case d < 48*time.Hour:
		n, unit = int(d/time.Hour), "hour"
	}
	return countOf(n, unit)
}

func countOf(n int, unit string) string {
	if n != 1 {
		unit += "s"
	}
	return strconv.Itoa(n) + " " + unit
}

// countWords is a count as a badge shows it; "" for none.
func countWords(n int) string {
	switch {
	case n == 0:
		return ""
	case n > office.CountMost:
		return strconv.Itoa(office.CountMost) + "+"
	}
	return strconv.Itoa(n)
}
