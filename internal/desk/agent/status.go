package agent

import (
	"context"
	"fmt"
	"strings"
	"time"

	"paylink/internal/lang"
	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/sms"
	"paylink/internal/staff"
)

// Status is a link's life as an agent reads it.
type Status struct {
	Payment     pay.Payment
	State       pay.State     // as of now: an open one whose time is up has expired
	Phone       string        // masked, "••0142"
	Card        pay.Card      // the last one that was tried; the zero Card for none
	Left        time.Duration // until the link ends; 0 once it has
	Steps       []Step        // what happened, oldest first; the last may be what is waited for
	Headline    string        // where it stands, in one sentence
	Next        string        // what the agent does best now; "" if there is nothing to do
	CanResend   bool
	CanCancel   bool
	ResendsLeft int
	Note        string // for the client's record
	Zone        *time.Location
	MayAnew     bool // a new link for the same thing is what one may send next
	Over        bool // nothing will change any more: the page need not ask again
}

// Tone is how a step looks.
type Tone string

const (
	Done    Tone = "done"
	Now     Tone = "now"     // under way
	Waiting Tone = "waiting" // not yet
	Wrong   Tone = "wrong"
)

// Step is one rung of the ladder.
type Step struct {
	Tone   Tone
	Text   string
	Detail string    // why, or what to do; "" mostly
	At     time.Time // in the location's zone; zero: not yet
}

// Status tells where a link stands. Errors: pay.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Status(ctx context.Context, who staff.Member, paymentID string) (Status, error) {
	var out Status
	v, err := d.payment(ctx, who, staff.SeeClients, "see link", paymentID)
	if err != nil {
		return out, err
	}
	links, err := d.Store.Links(ctx, paymentID)
	if err != nil {
		return out, err
	}
	messages, err := d.Store.Messages(ctx, paymentID)
	if err != nil {
		return out, err
	}
	now := v.Facts.Now
	p := v.Payment
	out.Payment, out.State, out.Zone = p, p.Effective(now), v.Facts.Location.TimeZone()
	out.Left = max(0, p.ExpiresAt.Sub(now))
	out.ResendsLeft = pay.MaxResends - p.Resends
	out.CanResend = out.State == pay.Open && out.ResendsLeft > 0 && len(links) > 0 && !d.Paused
	out.CanCancel = (out.State == pay.Open || out.State.InFlight()) && len(links) > 0 && !p.Revoke
	out.MayAnew = !d.Paused && (out.State.Closed() || out.State == pay.Refunded || wholeBack(p))
	if within(who, p.LocationID) != nil {
		out.CanResend, out.CanCancel, out.MayAnew = false, false, false
	}
	if out.State != pay.Open && !out.State.InFlight() {
		out.Left = 0
	}
	if len(links) > 0 {
		out.Phone = links[len(links)-1].Phone.String()
	}
	for _, a := range v.Attempts {
		out.Card = a.Card
	}
	l := ladder{zone: out.Zone, view: v, state: out.State, paused: d.Paused}
	for _, a := range v.Attempts {
		if a.LinkID == "" { // a card on file comes before a link that it may have become
			l.charge(a)
		}
	}
	for i, one := range links {
		l.link(one, messages, i == len(links)-1)
	}
	for _, a := range v.Attempts {
		if a.LinkID != "" {
			l.attempt(a)
		}
	}
	l.end()
	switch {
	case p.CardOnFile:
		l.endOnFile()
	case p.Door == pay.ByClient:
		l.endInPortal()
	}
	l.afterwards()
	out.Steps, out.Headline, out.Next = l.steps, l.headline, l.next
	out.Over = !out.State.Live() && !p.CancelDue && p.Refunding == pay.NoRefund && (out.State != pay.PaidAfterClose || p.Held)
	out.Note = note(out, v)
	return out, nil
}

// ladder collects the rungs.
type ladder struct {
	zone     *time.Location
	view     pay.View
	state    pay.State
	steps    []Step
	headline string
	next     string
	declines int
	paused   bool
}

func (l *ladder) add(tone Tone, at time.Time, text, detail string) {
	if !at.IsZero() {
		at = at.In(l.zone)
	}
	l.steps = append(l.steps, Step{Tone: tone, Text: text, Detail: detail, At: at})
}

// answerWithin is how soon a carrier answers on a good day; an answer that takes longer is worth telling the agent about.
const answerWithin = 3 * time.Second

// link adds what became of one text. Of an older link only its sending and its end are told.
func (l *ladder) link(one link.Link, messages []sms.Message, newest bool) {
	var m sms.Message
	for _, candidate := range messages {
		if candidate.LinkID == one.ID && candidate.Kind == sms.LinkText {
			m = candidate
		}
	}
	to := one.Phone.String()
	live := newest && l.state == pay.Open
	status := m.Status
	if status == sms.Unclear && l.view.Facts.Now.Sub(m.HandedAt) < answerWithin {
		status = sms.Waiting // the carrier is being told just now
	}
	switch status {
	case sms.Waiting:
		l.add(Now, one.CreatedAt, "Sending to "+to, "")
		l.headline = "The text is on its way."
	case sms.Unclear:
		l.add(Now, m.HandedAt, "Sending to "+to, "The carrier has not answered. We are asking whether it has the text; do not send it again yet.")
		l.headline = "We are asking the carrier about the text."
	case sms.Dropped:
		l.add(Wrong, one.CreatedAt, "Not sent to "+to, "")
	case sms.Failed:
		l.failed(m, "Not sent to "+to, m.EndedAt, live)
	default:
		l.add(Done, m.HandedAt, "Sent to "+to, "")
		l.headline = "The text was sent."
		switch m.Status {
		case sms.Delivered:
			l.add(Done, m.EndedAt, "Delivered", "")
			l.headline = "The text was delivered."
		case sms.Undelivered:
			l.failed(m, "Not delivered", m.EndedAt, live)
		case sms.Queued, sms.Sent:
			if live {
				l.add(Now, time.Time{}, "Delivery not confirmed yet", "")
			}
		}
	}
	switch {
	case !one.OpenedAt.IsZero():
		l.add(Done, one.OpenedAt, "Opened on a phone", "")
		l.headline, l.next = "The payer has opened the link.", ""
	case live && m.Status == sms.Delivered:
		l.add(Waiting, time.Time{}, "Opened on a phone", "")
		l.next = "Ask the caller to open the text."
	}
	if one.State == link.Replaced {
		l.add(Done, time.Time{}, "Replaced by a new link", "")
	}
}

func (l *ladder) failed(m sms.Message, text string, at time.Time, live bool) {
	reason := sms.Reason(m.ErrorCode)
	if reason == "" {
		reason = "We could not find out whether the text left. Ask the caller; resend it if it has not come."
	}
	l.add(Wrong, at, text, reason)
	if live {
		l.headline, l.next = "The text did not arrive.", reason
	}
}

func (l *ladder) attempt(a pay.Attempt) {
	card := a.Card.Name()
	switch a.State {
	case pay.Trying:
		l.add(Done, a.StartedAt, "Card entered: "+card, "")
	case pay.WasNo:
		l.declines++
		l.add(Wrong, a.EndedAt, fmt.Sprintf("%s declined (%d of %d)", card, l.declines, pay.MaxDeclines), lang.English.Decline(a.Code))
		l.headline = "The card was declined."
		l.next = "The payer can try another card on the same page."
	case pay.Refused:
		l.add(Wrong, a.EndedAt, card+" could not be tried", "Nothing was charged. The payer can try again or use another card.")
	case pay.Abandoned:
		l.add(Wrong, a.EndedAt, card+" was not charged", "")
	case pay.Succeeded:
		l.add(Done, a.StartedAt, "Card entered: "+card, "")
	}
}

// end adds where the payment stands.
func (l *ladder) end() {
	p := l.view.Payment
	say := func(tone Tone, at time.Time, text, headline, next string) {
		l.add(tone, at, text, "")
		l.headline, l.next = headline, next
	}
	const anew = "Send a new link if the caller still wants to pay."
	switch l.state {
	case pay.Open:
		l.add(Waiting, time.Time{}, "Paid", "")
	case pay.Paying:
		say(Now, time.Time{}, "Paying now", "The payer is paying right now.", "")
	case pay.NeedsAction:
		say(Now, time.Time{}, "The payer’s bank asks for confirmation", "The payer is confirming the payment with their bank.", "Ask the payer to follow their bank’s steps on the phone.")
	case pay.Unknown:
		say(Now, time.Time{}, "Checking with the bank", "We are checking with the bank. Do not pay again.", "Wait for the answer; it comes by itself. Do not take another payment.")
	case pay.Paid:
		say(Done, p.ClosedAt, "Paid "+p.Amount().String(), "Paid.", "")
	case pay.Expired:
		if p.Reason == pay.ReasonNotSent {
			say(Wrong, p.ClosedAt, "Not sent in time", "The text could not be sent, and no payment was taken.", "Try again in a moment; tell your lead if it happens again.")
			break
		}
		at := p.ClosedAt
		if at.IsZero() {
			at = p.ExpiresAt
		}
		say(Wrong, at, "Expired", "The link has expired. No payment was taken.", anew)
	case pay.Revoked:
		switch p.Reason {
		case pay.ReasonNotMine:
			say(Wrong, p.ClosedAt, "The payer says it is not for them", "The link was refused by whoever got it. No payment was taken.", "Check the phone number before you send a new link.")
		case pay.ReasonDashboard:
			say(Wrong, p.ClosedAt, "Cancelled at the card processor", "The payment was cancelled outside of PLUS Web. No payment was taken.", anew)
		default:
			say(Wrong, p.ClosedAt, "Cancelled", "The link was cancelled. No payment was taken.", anew)
		}
	case pay.Locked:
		say(Wrong, p.ClosedAt, "Locked after five declined cards", "Five cards were declined. No payment was taken.", "Ask the caller to call their bank; then send a new link.")
	case pay.Superseded:
		say(Wrong, p.ClosedAt, "The account has changed", "The account changed after the link was sent, so that its total no longer holds. No payment was taken.", "Get a new summary and send a new link.")
	case pay.Declined:
		say(Wrong, p.ClosedAt, "Declined", "The card on file was declined. No payment was taken.", "")
	case pay.PaidAfterClose, pay.Applied, pay.Refunded:
		l.late(p)
	case pay.Review:
		say(Wrong, p.ClosedAt, "A person has to look at this payment", "Something about this payment does not match. Finance looks at it.", "Do not take another payment before Finance has answered.")
	}
	if l.paused && (l.view.Payment.State == pay.Open || l.view.Payment.State.InFlight()) {
		// Not even its time says that nothing was charged: the books are those of a backup.
		if l.state == pay.Expired {
			l.steps = l.steps[:len(l.steps)-1]
		}
		say(Now, time.Time{}, "Closing while the books are checked", "Payments are paused, and this link is being closed. We are asking whether it was paid.", "Wait for the answer; it comes by itself. Do not take another payment.")
	}
	if p.Revoke && l.state.InFlight() {
		l.headline = "The payer is paying now; we stop it if we still can."
	}
}

// late adds what became of money that came after closing.
func (l *ladder) late(p pay.Payment) {
	l.add(Wrong, p.ClosedAt, "The link had closed", "")
	l.add(Done, time.Time{}, "Charged "+p.Charged.String()+" all the same", "")
	switch {
	case p.State == pay.Applied:
		l.add(Done, time.Time{}, "Applied to the account", "")
		l.headline, l.next = "Paid. The charge came after the link had closed, and was applied to the account.", ""
	case p.State == pay.Refunded:
		l.headline = fmt.Sprintf("The charge of %s came after the link had closed, and went back to the card in full.", p.Charged)
		l.next = "Tell the caller that it takes 5 to 10 business days to show. Send a new link if they still want to pay."
	case p.Refunding != pay.NoRefund:
		l.headline, l.next = fmt.Sprintf("The charge of %s came after the link had closed, and is going back to the card.", p.Charged-p.GivenBack), "Wait until it is on its way; then send a new link if the caller still wants to pay."
	case p.Held:
		l.add(Now, time.Time{}, "Held: Finance decides", "")
		l.headline, l.next = "A charge came after the link had closed. Finance decides what becomes of it.", "Do not take another payment before Finance has answered."
	default:
		l.add(Now, time.Time{}, "Being applied or given back", "")
		l.headline, l.next = "A charge came after the link had closed. It is applied to the account or goes back, within minutes.", "Wait for it, and do not take another payment."
	}
}

// wholeBack says whether all of what was paid has gone back.
func wholeBack(p pay.Payment) bool {
	return p.State.Sold() && p.Charged > 0 && p.GivenBack >= p.Charged
}

// afterwards adds what happened to money that was charged: refunds and disputes.
func (l *ladder) afterwards() {
	p := l.view.Payment
	for _, r := range l.view.Refunds {
		switch r.State {
		case pay.RefundWaits:
			detail := ""
			if p.Refunding == pay.RefundStuck {
				detail = "The card processor does not say whether it was made. Finance looks it up."
			}
			l.add(Now, r.AskedAt, "Refund of "+r.Amount.String()+" asked for", detail)
		case pay.RefundOnWay:
			l.add(Done, r.EndedAt, r.Amount.String()+" on its way back to the card", "")
		case pay.RefundDone:
			l.add(Done, r.EndedAt, r.Amount.String()+" given back to the card", "")
		case pay.RefundBack:
			l.add(Wrong, r.EndedAt, "Refund of "+r.Amount.String()+" failed", "The bank sent the money back to us. Finance pays it back in another way.")
		case pay.RefundNotMade:
			l.add(Wrong, r.EndedAt, "Refund of "+r.Amount.String()+" was not made", "Finance looks at it.")
		}
	}
	const days = "It takes 5 to 10 business days to show on the card."
	switch {
	case !p.State.Sold():
	case p.Refunding == pay.RefundStuck:
		l.headline, l.next = "Paid. Finance is looking up whether a refund was made.", "Promise nothing about the refund before Finance has answered."
	case p.Refunding != pay.NoRefund:
		l.headline, l.next = "Paid. A refund is under way.", "Wait for its answer before you tell the caller that it is made."
	case wholeBack(p):
		l.headline, l.next = fmt.Sprintf("Paid, and all of it was given back: %s.", p.GivenBack), days+" Send a new link if the caller wants to pay again."
	case p.GivenBack > 0:
		l.headline, l.next = fmt.Sprintf("Paid. Of %s, %s was given back.", p.Charged, p.GivenBack), days
	}
	for _, d := range l.view.Disputes {
		switch {
		case d.Status == "won":
			l.add(Done, d.ChangedAt, "Dispute over "+d.Amount.String()+" was won", "")
		case d.Status == "lost":
			l.add(Wrong, d.ChangedAt, "Dispute over "+d.Amount.String()+" was lost", "The bank has given the money back to the card’s owner.")
		case d.Over():
			l.add(Done, d.ChangedAt, "Dispute over "+d.Amount.String()+" is closed", "")
		default:
			l.add(Wrong, d.OpenedAt, "Disputed at the bank: "+d.Amount.String(), "The card’s owner contests the charge. Finance answers the bank.")
			l.headline, l.next = "Paid, and disputed at the bank by the card’s owner.", "Promise no refund: the bank has taken the money until it decides. Finance answers it."
			if !p.State.Sold() {
				l.headline = "The charge is disputed at the bank by the card’s owner."
			}
		}
	}
}

// note is what an agent pastes into the record of the call.
func note(s Status, v pay.View) string {
	p := v.Payment
	if p.Door == pay.ByAgent {
		return chargeNote(s, v)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Secure payment link %s, %s for %s", p.Reference(), p.Amount(), p.Frozen.Vehicle)
	if p.Frozen.Input.Days > 0 {
		fmt.Fprintf(&b, ", %d days", p.Frozen.Input.Days)
	}
	if to := p.PaidTo(); to != "" {
		fmt.Fprintf(&b, ", Paid To Date %s", lang.English.Date(to))
	}
	fmt.Fprintf(&b, ". Sent to %s %s.", s.Phone, lang.English.DateTime(p.CreatedAt.In(s.Zone)))
	if p.Resends > 0 {
		fmt.Fprintf(&b, " Resent %d×.", p.Resends)
	}
	fmt.Fprintf(&b, " %s", s.Headline)
	return b.String()
}
