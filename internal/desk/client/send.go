package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"paylink/internal/account"
	"paylink/internal/ledger"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

// What sending a link is refused for, besides what the nouns refuse. Nothing was sent where one of these is returned.
var (
	ErrConsent   = errors.New("whoever pays has to agree to be texted")
	ErrNoPayer   = errors.New("who pays has to be named")
	ErrLinksMost = errors.New("no more links can be sent for a while")
)

// How many links may be sent from My Account, so that it texts nobody who does not want it: of one client by the hour and the day, to how many different numbers, and to one number by all clients.
const (
	linksAnHour  = 4
	linksADay    = 8
	numbersADay  = 3
	toOneNumber  = 6 // a day
	payerMost    = 60
	sendLinkName = "send link"
)

// SendStore is what the desk reads of links.
type SendStore interface {
	OptedOut(ctx context.Context, e164 string) (bool, error)
	// Links and Messages list those of a payment, oldest first.
	Links(ctx context.Context, paymentID string) ([]link.Link, error)
	Messages(ctx context.Context, paymentID string) ([]sms.Message, error)
}

// Errand is a link that a client has somebody else pay by.
type Errand struct {
	VehicleID string
	Days      int
	Phone     string // as typed: it is used for this payment only
	Payer     string // who pays, in the client's words
	Consent   bool   // whoever pays has agreed to be texted
	Language  string // of the text; "" is the client's
	Shown     money.Cents
	Key       string // of the form: sent again as it was it sends nothing twice
}

// form is the key of what the form asks for.
func (e Errand) form(clientID string, number phone.Number) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "link %s %s %s %s %d", e.Key, clientID, number.E164(), e.VehicleID, e.Days))
	return hex.EncodeToString(sum[:])
}

// SendLink prices once more and texts a link. Errors, with nothing sent: phone.ErrInvalid, phone.ErrNotMobile, sms.ErrLandline, sms.ErrOptedOut, ErrConsent, ErrNoPayer, ErrLinksMost, trail.ErrCardNumber, trail.ErrTooLong,
// pay.ErrTotalMoved, pay.ErrBlocked, *pay.LiveError, pay.ErrNeedsReview, pay.ErrPaused, quote.ErrDays, account.ErrNotFound.
func (d *Desk) SendLink(ctx context.Context, who Who, e Errand) (pay.Payment, error) {
	p, err := d.sendLink(ctx, who, e)
	return p, d.noted(ctx, who, sendLinkName, who.ID, err, linkRefusals...)
}

// linkRefusals are our own no to what is done with a link.
var linkRefusals = []error{
	phone.ErrInvalid, phone.ErrNotMobile, sms.ErrLandline, sms.ErrOptedOut, ErrConsent, ErrNoPayer, ErrLinksMost, trail.ErrCardNumber, trail.ErrTooLong, pay.ErrTotalMoved, pay.ErrBlocked, pay.ErrLive,
	pay.ErrNeedsReview, pay.ErrPaused, pay.ErrClosed, pay.ErrElsewhere, pay.ErrResends, account.ErrNotFound,
}

func (d *Desk) sendLink(ctx context.Context, who Who, e Errand) (pay.Payment, error) {
	if trail.HoldsCardNumber(e.Phone) {
		return pay.Payment{}, trail.ErrCardNumber
	}
	payer, err := trail.FreeText(e.Payer)
	if err != nil {
		return pay.Payment{}, err
	}
	number, err := phone.Parse(e.Phone)
	if err != nil {
		return pay.Payment{}, err
	}
	if e.VehicleID == "" {
		return pay.Payment{}, account.ErrNotFound
	}
	theirOwn := number == who.Phone
	switch {
	case theirOwn:
	case payer == "":
		return pay.Payment{}, ErrNoPayer
	case len([]rune(payer)) > payerMost:
		return pay.Payment{}, trail.ErrTooLong
	case !e.Consent:
		return pay.Payment{}, ErrConsent
	}
	if err := sms.Reaches(ctx, number, d.Store, d.Carrier); err != nil {
		return pay.Payment{}, err
	}
	form := e.form(who.ID, number)
	known, err := d.sentBy(ctx, who, form)
	if err != nil {
		return pay.Payment{}, err
	}
	if known == nil {
		if err := d.spare(ctx, who, number); err != nil {
			return pay.Payment{}, err
		}
	}
	language, detail := e.Language, "from My Account to the client's number"
	if language != "en" && language != "es" {
		language = who.Language
	}
	if !theirOwn {
		detail = "from My Account to another number, consent given: " + payer
	}
	return d.Till.Send(ctx, pay.Order{
		ClientID: who.ID, VehicleID: e.VehicleID, FormKey: form, By: trail.Actor{Kind: trail.Client, ID: who.ID}, Detail: detail, Replaces: own,
		Link: link.Link{Phone: number, OwnNumber: theirOwn, Language: language, SentBy: who.ID},
		Price: func(f pay.Facts) (pay.Frozen, error) {
			frozen, err := f.Freeze(e.Days)
			if err != nil {
				return frozen, err
			}
			if f.Client.Collections || frozen.Summary.Blocked != nil || d.Down() {
				return frozen, pay.ErrBlocked
			}
			if frozen.Summary.TotalDue != e.Shown {
				return frozen, pay.ErrTotalMoved
			}
			return frozen, nil
		},
	})
}

// sentBy finds the payment that a form has made before; nil: none.
func (d *Desk) sentBy(ctx context.Context, who Who, form string) (*pay.Payment, error) {
	all, err := d.Store.PaymentsOf(ctx, who.ID, paymentsOf)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(p pay.Payment) bool { return p.FormKey == form }); i >= 0 {
		return &all[i], nil
	}
	return nil, nil
}

// spare takes one of the links that a client may send. While nobody counts, none is sent: a text can't be called back.
func (d *Desk) spare(ctx context.Context, who Who, number phone.Number) error {
	to := digestOf(number)
	take := func(key string, most int, while time.Duration) error {
		n, err := d.Tries.Take(ctx, key, most, while)
		if err == nil && n == 0 {
			err = ErrLinksMost
		}
		return err
	}
	const day = 24 * time.Hour
	for _, b := range []struct {
		key   string
		most  int
		while time.Duration
	}{{"links an hour from " + who.ID, linksAnHour, time.Hour}, {"links a day from " + who.ID, linksADay, day}, {"links a day to " + to, toOneNumber, day}} {
		if err := take(b.key, b.most, b.while); err != nil {
			return err
		}
	}
	n, err := d.Tries.Take(ctx, "links from "+who.ID+" to "+to, linksADay+1, day)
	if err == nil && n == 1 { // a number that they have not sent to today
		err = take("numbers a day of "+who.ID, numbersADay, day)
		if errors.Is(err, ErrLinksMost) {
			_ = d.Tries.Clear(ctx, "links from "+who.ID+" to "+to) // it stays a new one
		}
	}
	return err
}

// digestOf stands for a number where it is only counted.
func digestOf(n phone.Number) string {
	sum := sha256.Sum256([]byte("a number that links go to: " + n.E164()))
	return hex.EncodeToString(sum[:12])
}

// SentLink is how a link stands that a client has sent.
type SentLink struct {
	Payment   pay.Payment
	State     pay.State // as of now
	To        string    // masked
	Left      time.Duration
	Rungs     []Rung
	CanResend bool
	CanCancel bool
	Over      bool            // nothing changes any more
	Invoice   *ledger.Invoice // that it has made; nil: none
	Zone      *time.Location
}

// Rung is one thing that has happened, by the key of its words in internal/lang (my.sent.…), or what is waited for.
type Rung struct {
	Key  string
	At   time.Time // in the location's zone; zero: not yet
	Why  string    // key of the reason; "" mostly
	Tone string    // "done", "now", "waiting" or "wrong"
}

// sent reads a link that the client has sent. Errors: account.ErrNotFound for any other payment.
func (d *Desk) sent(ctx context.Context, who Who, paymentID string) (pay.View, error) {
	v, err := d.Store.ViewOf(ctx, who.ID, paymentID)
	if err == nil && (v.Payment.Door != pay.ByLink || v.Payment.CreatedBy.Kind != trail.Client) {
		err = account.ErrNotFound
	}
	return v, err
}

// SentLink tells where a link stands. Errors: account.ErrNotFound.
func (d *Desk) SentLink(ctx context.Context, who Who, paymentID string) (SentLink, error) {
	var out SentLink
	v, err := d.sent(ctx, who, paymentID)
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
	p, now := v.Payment, v.Facts.Now
	out.Payment, out.State, out.Zone = p, p.Effective(now), v.Facts.Location.TimeZone()
	if out.State == pay.Open {
		out.Left = max(0, p.ExpiresAt.Sub(now))
	}
	out.CanResend = out.State == pay.Open && p.Resends < pay.MaxResends && !d.Paused
	out.CanCancel = (out.State == pay.Open || out.State.InFlight()) && !p.Revoke
	out.Over = !out.State.Live() && (p.State != pay.PaidAfterClose || p.Held)
	if len(links) > 0 {
		newest := links[len(links)-1]
		out.To = newest.Phone.String()
		out.Rungs = rungs(v, out.State, newest, messages)
	}
	for i := range out.Rungs {
		if !out.Rungs[i].At.IsZero() {
			out.Rungs[i].At = out.Rungs[i].At.In(out.Zone)
		}
	}
	if out.State.Sold() {
		sold, err := d.Store.Invoices(ctx, who.ID, paymentsOf)
		if err != nil {
			return out, err
		}
		if i := slices.IndexFunc(sold, func(i ledger.Invoice) bool { return i.PaymentID == p.ID && i.Total >= 0 }); i >= 0 {
			out.Invoice = &sold[i]
		}
	}
	return out, nil
}

// rungs are what has become of the newest link, oldest first.
func rungs(v pay.View, state pay.State, l link.Link, messages []sms.Message) (out []Rung) {
	add := func(tone, key string, at time.Time) {
		out = append(out, Rung{Tone: tone, Key: key, At: at})
	}
	var m sms.Message
	for _, one := range messages {
		if one.LinkID == l.ID && one.Kind == sms.LinkText {
			m = one
		}
	}
	open := state == pay.Open
	switch m.Status {
	case sms.Waiting, sms.Unclear, "":
		add("now", "sending", l.CreatedAt)
	case sms.Failed, sms.Undelivered:
		add("wrong", "not_arrived", m.EndedAt)
		out[0].Why = notArrived(m.ErrorCode)
	case sms.Dropped:
		add("wrong", "not_sent", l.CreatedAt)
	default:
		add("done", "sent", m.HandedAt)
		if m.Status == sms.Delivered {
			add("done", "delivered", m.EndedAt)
		}
	}
	switch {
	case !l.OpenedAt.IsZero():
		add("done", "opened", l.OpenedAt)
	case open && m.Status == sms.Delivered:
		add("waiting", "opened", time.Time{})
	}
	for _, a := range v.Attempts {
		if a.LinkID == l.ID && a.State == pay.WasNo {
			add("wrong", "declined", a.EndedAt)
		}
	}
	p := v.Payment
	ended := p.ClosedAt
	switch state {
	case pay.Open:
		add("waiting", "paid", time.Time{})
	case pay.Paying, pay.NeedsAction:
		add("now", "paying", time.Time{})
	case pay.Unknown:
		add("now", "checking", time.Time{})
	case pay.Paid, pay.Applied:
		add("done", "paid", ended)
	case pay.Expired:
		if ended.IsZero() {
			ended = p.ExpiresAt
		}
		if add("wrong", "expired", ended); p.Reason == pay.ReasonNotSent {
			out[len(out)-1].Key = "not_sent"
		}
	case pay.Revoked:
		if add("wrong", "cancelled", ended); p.Reason == pay.ReasonNotMine {
			out[len(out)-1].Key = "not_mine"
		}
	case pay.Locked:
		add("wrong", "locked", ended)
	case pay.Superseded:
		add("wrong", "superseded", ended)
	case pay.Refunded:
		add("done", "refunded", ended)
	default:
		add("now", "looked_at", ended)
	}
	return out
}

// notArrived is the reason why a text did not arrive, in kinds that whoever sent it can do something about (twilio.com/docs/api/errors).
func notArrived(code int) string {
	switch code {
	case 21211, 30005:
		return "no_number"
	case 21614, 30006:
		return "landline"
	case 21610:
		return "opted_out"
	case 30003, 30012, 30036:
		return "off"
	}
	return "other"
}

// ResendLink texts a new link for the same payment: the old one is dead, and the time begins anew. Errors: account.ErrNotFound, sms.ErrOptedOut, pay.ErrBlocked, pay.ErrClosed, pay.ErrElsewhere, pay.ErrResends,
// pay.ErrNeedsReview, pay.ErrPaused.
func (d *Desk) ResendLink(ctx context.Context, who Who, paymentID string) error {
	v, err := d.sent(ctx, who, paymentID)
	if err != nil {
		return d.noted(ctx, who, "resend link", who.ID, err, linkRefusals...)
	}
	err = func() error {
		if v.Link == nil {
			return pay.ErrClosed
		}
		if out, err := d.Store.OptedOut(ctx, v.Link.Phone.E164()); err != nil {
			return err
		} else if out {
			return sms.ErrOptedOut
		}
		switch {
		case d.Paused:
			return pay.ErrPaused
		case d.Down():
			return pay.ErrBlocked
		}
		return d.Till.Resend(ctx, paymentID, trail.Actor{Kind: trail.Client, ID: who.ID})
	}()
	return d.noted(ctx, who, "resend link", who.ID, err, linkRefusals...)
}

// CancelLink ends a link. It returns where the payment stands: it may be too late to stop it. Errors: account.ErrNotFound, pay.ErrClosed, pay.ErrNeedsReview.
func (d *Desk) CancelLink(ctx context.Context, who Who, paymentID string) (pay.State, error) {
	if _, err := d.sent(ctx, who, paymentID); err != nil {
		return "", d.noted(ctx, who, "revoke payment", who.ID, err, linkRefusals...)
	}
	state, err := d.Till.Revoke(ctx, paymentID, trail.Actor{Kind: trail.Client, ID: who.ID}, pay.ReasonClient, "by the client in My Account")
	return state, d.noted(ctx, who, "revoke payment", who.ID, err, linkRefusals...)
}
