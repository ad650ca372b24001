// Package payer is what whoever got the text does: open the link, see what is paid, pay once, or say that it is not for them.
package payer

import (
	"context"
	"errors"
	"time"

	"paylink/internal/guard"
	"paylink/internal/link"
	"paylink/internal/lockout"
	"paylink/internal/pay"
	"paylink/internal/seal"
	"paylink/internal/trail"
)

// ErrNoSession is returned where a browser has no session, or one that is over or forged.
var ErrNoSession = errors.New("no payment link is open in this browser")

// ErrDoor is returned where nobody can tell now whether a link is live.
var ErrDoor = errors.New("links can't be opened right now")

// SessionLife is how long after its link's end a session still shows what became of the payment.
const SessionLife = 24 * time.Hour

// Store is what the desk reads.
type Store interface {
	// Glance reads what a payer may see of a payment, by one of its links: the payment, its attempts, that link and the clock that decides. It takes no
	// lock and no more facts than these. Errors: pay.ErrNotFound.
	Glance(ctx context.Context, paymentID, linkID string) (pay.Glance, error)
	LinkOf(ctx context.Context, d link.Digest) (link.Link, error)
	Write(ctx context.Context, e trail.Entry) error
	Opened(ctx context.Context, linkID string, e trail.Entry) (live bool, err error)
}

// Machine is the till.
type Machine interface {
	Charge(ctx context.Context, t pay.Try) (pay.Result, error)
	Continue(ctx context.Context, paymentID, attemptID, sessionID string) (pay.Result, error)
	Revoke(ctx context.Context, paymentID string, by trail.Actor, why pay.Reason, words string) (pay.State, error)
	TextReceipt(ctx context.Context, paymentID string, by trail.Actor) error
}

// How often the button of one payment may be pressed: every press asks Stripe about a card, charged or not.
const (
	mostPresses = 40
	pressesIn   = 5 * time.Minute
)

// Desk is the payer's desk. All fields but Paused are required.
type Desk struct {
	Store   Store
	Machine Machine
	Door    link.Door
	Tries   lockout.Counter
	Keys    seal.Keys
	Now     func() time.Time // for sessions; what may be paid is decided by the store's clock
	NewID   func() string
	Paused  bool // reconcile-only mode: nothing is offered to pay
}

// Open exchanges a token for a session, and uses nothing up. cookie is the browser's session so far, if any: a link opened again in the same browser goes on where it was.
// A dead link's token opens a session that can only read what became of it. Errors: link.ErrUnknown for a token that means nothing, link.ErrTooMany.
func (d *Desk) Open(ctx context.Context, text, caller, cookie string) (link.Session, error) {
	token, err := link.ParseToken(text)
	if err != nil {
		return link.Session{}, err
	}
	digest := token.Digest()
	pass, err := d.Door.Look(ctx, digest, caller)
	switch {
	case errors.Is(err, link.ErrTooMany):
		return link.Session{}, err
	case err != nil && !errors.Is(err, link.ErrUnknown):
		return link.Session{}, errors.Join(ErrDoor, err) // the link may be live: the payer tries again
	case err != nil:
		// Over, dead or forgotten: SQL knows what it stood for, and its state can be read, but nothing can be paid by it.
		l, err := d.Store.LinkOf(ctx, digest)
		if err != nil {
			return link.Session{}, err
		}
		pass = link.Pass{LinkID: l.ID, PaymentID: l.PaymentID, ExpiresAt: l.ExpiresAt, Opened: true}
		return d.session(pass, cookie, true)
	}
	s, err := d.session(pass, cookie, false)
	if err != nil || pass.Opened {
		return s, err
	}
	live, err := d.Store.Opened(ctx, pass.LinkID, trail.Entry{ID: d.NewID(), Actor: trail.Actor{Kind: trail.Payer, ID: s.ID}, Act: "open link"})
	if err != nil {
		return link.Session{}, err
	}
	if live {
		_ = d.Door.MarkOpened(ctx, digest) // forgotten, it costs one more write at the next opening
	}
	return s, nil
}

func (d *Desk) session(p link.Pass, cookie string, readOnly bool) (link.Session, error) {
	now := d.Now()
	s := link.Session{ID: d.NewID(), PaymentID: p.PaymentID, LinkID: p.LinkID, ReadOnly: readOnly, End: p.ExpiresAt.Add(SessionLife)}
	if had, err := link.ReadSession(d.Keys, cookie, now); err == nil && had.LinkID == p.LinkID {
		s.ID = had.ID
	}
	if !now.Before(s.End) {
		return link.Session{}, link.ErrUnknown // even its end is long over
	}
	return s, nil
}

// Session reads a browser's cookie. Errors: ErrNoSession.
func (d *Desk) Session(cookie string) (link.Session, error) {
	s, err := link.ReadSession(d.Keys, cookie, d.Now())
	if err != nil {
		return s, ErrNoSession
	}
	return s, nil
}

// Place is where a session stands before its payment: what its page shows.
type Place string

const (
	Payable    Place = "open"     // it may pay
	Confirming Place = "confirm"  // its own bank asks for confirmation
	Checking   Place = "checking" // its own attempt's outcome is not known
	Elsewhere  Place = "elsewhere"
	PaidHere   Place = "paid"
	Used       Place = "used" // paid by somebody else's session
	Expired    Place = "expired"
	Cancelled  Place = "cancelled"
	NotMine    Place = "notmine"
	Replaced   Place = "replaced"
	Superseded Place = "superseded"
	Locked     Place = "locked"
	Late       Place = "late"   // money came after closing
	Refunded   Place = "refund" // all that was charged went back
	Review     Place = "review" // a person decides
	Paused     Place = "paused" // nothing is offered to pay while the books are checked
)

// Page is a payment as one session sees it.
type Page struct {
	pay.Glance // Link is the session's own
	Place      Place
	Attempt    *pay.Attempt // the session's latest; nil: none
	Left       time.Duration
	Nonce      string // signed, for one press of the button; "" unless Payable
	Discreet   bool   // the number is not the client's: no vehicle, no program, no full name, no past-due wording
}

// TriesLeft is how many more declines the payment takes before it locks.
func (p Page) TriesLeft() int { return pay.MaxDeclines - p.Payment.Declines }

// Page shows a session its payment. It changes nothing. Errors: pay.ErrNotFound.
func (d *Desk) Page(ctx context.Context, s link.Session) (Page, error) {
	seen, err := d.Store.Glance(ctx, s.PaymentID, s.LinkID)
	if err != nil {
		return Page{}, err
	}
	p := Page{Glance: seen, Discreet: !seen.Link.OwnNumber}
	for i := range p.Attempts {
		if p.Attempts[i].SessionID == s.ID {
			p.Attempt = &p.Attempts[i]
		}
	}
	p.Place = place(p)
	if d.Paused {
		p.Place = paused(p)
	}
	if p.Place == Payable && s.ReadOnly {
		p.Place = Expired // the door has forgotten the link: it ended early
	}
	if p.Place == Payable {
		p.Left = max(0, p.Payment.ExpiresAt.Sub(p.Now))
		p.Nonce = link.Nonce{ID: d.NewID(), PaymentID: p.Payment.ID, LinkID: s.LinkID, Summary: p.Payment.SummaryHash}.Sign(d.Keys)
	}
	return p, nil
}

func place(p Page) Place {
	payment := p.Payment
	own := p.Attempt != nil && p.Attempt.N == payment.Attempt
	switch state := payment.Effective(p.Now); state {
	case pay.Paid, pay.Applied:
		if p.Attempt != nil && p.Attempt.State == pay.Succeeded {
			return PaidHere
		}
		if p.BackWhole() {
			return Refunded
		}
		return Used
	case pay.Refunded:
		return Refunded
	case pay.PaidAfterClose:
		return Late
	case pay.Review:
		return Review
	case pay.Paying, pay.Unknown:
		if own {
			return Checking
		}
		return Elsewhere
	case pay.NeedsAction:
		switch {
		case own && payment.ClosingAs == "":
			return Confirming
		case own:
			return Checking
		}
		return Elsewhere
	default:
		if p.Link.State == link.Replaced {
			return Replaced
		}
		switch state {
		case pay.Open:
			return Payable
		case pay.Revoked:
			if payment.Reason == pay.ReasonNotMine {
				return NotMine
			}
			return Cancelled
		case pay.Superseded:
			return Superseded
		case pay.Locked, pay.Declined:
			return Locked
		}
		return Expired
	}
}

// paused is where a session stands in reconcile-only mode. The books are those of a backup: what was open in them may have been paid since, so that
// neither its time nor a cancel that nobody has answered says that nothing was charged.
func paused(p Page) Place {
	switch payment := p.Payment; {
	case payment.State == pay.Open, payment.State.Closed() && payment.CancelDue:
		return Paused
	case p.Place == Confirming:
		return Checking
	}
	return p.Place
}

// BackWhole says whether all of what was charged has gone back.
func (p Page) BackWhole() bool {
	return p.Payment.State.Booked() && p.Payment.Charged > 0 && p.Payment.GivenBack >= p.Payment.Charged
}

// BackPart says whether a part of what was charged has gone back, and not all of it.
func (p Page) BackPart() bool {
	return p.Payment.State.Booked() && p.Payment.GivenBack > 0 && !p.BackWhole()
}

// Press is the button pressed: what the page sent.
type Press struct {
	PaymentMethod string
	Terms         string
	Nonce         string // signed
	Language      string
	Address       string
	UserAgent     string
}

// Pay charges once. Errors besides the machine's: seal.ErrNotOurs for a forged nonce, pay.ErrOtherLink for one of another link or payment, link.ErrTooMany.
func (d *Desk) Pay(ctx context.Context, s link.Session, press Press) (Page, pay.Secret, error) {
	nonce, err := link.ReadNonce(d.Keys, press.Nonce)
	if err != nil {
		return Page{}, pay.Secret{}, err
	}
	if nonce.PaymentID != s.PaymentID || nonce.LinkID != s.LinkID {
		return Page{}, pay.Secret{}, d.refused(ctx, s, pay.ErrOtherLink)
	}
	if s.ReadOnly {
		return Page{}, pay.Secret{}, d.refused(ctx, s, pay.ErrClosed)
	}
	if n, err := d.Tries.Take(ctx, "press "+s.PaymentID, mostPresses, pressesIn); err == nil && n == 0 {
		return Page{}, pay.Secret{}, link.ErrTooMany // while nobody counts, five declines still lock the payment
	}
	r, err := d.Machine.Charge(ctx, pay.Try{
		PaymentID: s.PaymentID, LinkID: s.LinkID, Nonce: nonce, SessionID: s.ID, PaymentMethod: press.PaymentMethod, Terms: press.Terms,
		Language: press.Language, Address: press.Address, UserAgent: press.UserAgent,
	})
	if err != nil {
		return Page{}, pay.Secret{}, d.refused(ctx, s, err)
	}
	p, err := d.Page(ctx, s)
	return p, r.ClientSecret, err
}

// refused writes our own no into the trail, and returns it. A fault is no refusal.
func (d *Desk) refused(ctx context.Context, s link.Session, why error) error {
	for _, no := range []error{pay.ErrBrand, pay.ErrCard, pay.ErrTerms, pay.ErrOtherLink, pay.ErrElsewhere, pay.ErrClosed, pay.ErrNeedsReview, pay.ErrPaused} {
		if errors.Is(why, no) {
			e := trail.Entry{ID: d.NewID(), At: d.Now(), Actor: trail.Actor{Kind: trail.Payer, ID: s.ID}, Act: "pay", Object: s.PaymentID, Refused: no.Error()}
			return errors.Join(why, d.Store.Write(ctx, e))
		}
	}
	return why
}

// Continue goes on after 3-D Secure.
func (d *Desk) Continue(ctx context.Context, s link.Session, attemptID string) (Page, pay.Secret, error) {
	r, err := d.Machine.Continue(ctx, s.PaymentID, attemptID, s.ID)
	if err != nil {
		return Page{}, pay.Secret{}, err
	}
	p, err := d.Page(ctx, s)
	return p, r.ClientSecret, err
}

// Refuse is "not for me": it kills the link, unless somebody is paying it now. nonce is the page's, so that no other page can do it.
// Errors: seal.ErrNotOurs, pay.ErrOtherLink, pay.ErrClosed, pay.ErrElsewhere.
func (d *Desk) Refuse(ctx context.Context, s link.Session, nonce string) error {
	n, err := link.ReadNonce(d.Keys, nonce)
	if err != nil {
		return err
	}
	if (n.PaymentID != s.PaymentID || n.LinkID != s.LinkID) && guard.On(guard.NonceRefuse) {
		return pay.ErrOtherLink
	}
	page, err := d.Page(ctx, s)
	if err != nil {
		return err
	}
	switch page.Place {
	case Payable:
	case Elsewhere, Checking, Confirming:
		return pay.ErrElsewhere
	default:
		return pay.ErrClosed
	}
	_, err = d.Machine.Revoke(ctx, s.PaymentID, trail.Actor{Kind: trail.Payer, ID: s.ID}, pay.ReasonNotMine, "the payer says that the link is not for them")
	return err
}

// TextReceipt sends the receipt to the phone that got the link. Only the session that paid may ask. Errors: pay.ErrClosed.
func (d *Desk) TextReceipt(ctx context.Context, s link.Session) error {
	page, err := d.Page(ctx, s)
	if err != nil {
		return err
	}
	if page.Place != PaidHere || page.BackWhole() {
		return pay.ErrClosed
	}
	return d.Machine.TextReceipt(ctx, s.PaymentID, trail.Actor{Kind: trail.Payer, ID: s.ID})
}
