package pay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"paylink/internal/guard"
	"paylink/internal/link"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

// Machine runs payments: it brings events to Next, has the store write what Next says, and does what is left to do after the commit.
// All fields are required.
type Machine struct {
	Store   Store
	Gateway Gateway
	Door    link.Door
	Carrier sms.Carrier
	NewID   func() string // ordered by time, for rows
	Token   func() string // crypto/rand.Text
	Texts   Texts
	Wake    func()        // something became due: the sweeper need not wait for its next round
	Alarm   func(Alarm)   // a person has to know
	Life    time.Duration // of a link
	Paused  bool          // reconcile-only mode: the books are those of a backup
}

// Texts words the texts: a token's address and the whole text in a language.
type Texts struct {
	Link     func(language, token string) string
	Receipt  func(language string, p Payment, a Attempt) string
	Declined func(language string) string // Auto Pay did not go through
	Code     func(language, code string) string
	Callback func(messageID string) string // where the carrier tells of it
}

// act is one event brought to a payment; what differs from act to act is how the event comes about.
type act struct {
	by     trail.Actor
	name   string // for the trail; "" writes an entry only if the state changes
	detail string
	event  func(v View) (Event, error)
	// fill completes what Next asks to write: the new attempt, the new link.
	fill func(v View, c *Change) error
	// asked is the payment as it stood before Stripe was asked; nil: it was not.
	asked *Life
}

// applied is what an act did.
type applied struct {
	before  Life
	payment Payment
	view    View // as it was before, for its attempts and link
	effects []Effect
	closed  []Payment // others, superseded by it
}

func (a applied) has(k EffectKind) bool {
	for _, e := range a.effects {
		if e.Kind == k {
			return true
		}
	}
	return false
}

// apply brings an event to a payment, in one transaction, and does the effects that may not fail an act: the door, the alarm. Confirms and cancels are the caller's.
func (m *Machine) apply(ctx context.Context, id string, a act) (applied, error) {
	var done applied
	err := m.Store.Apply(ctx, id, func(v View) (Change, error) {
		e, err := a.event(v)
		if err != nil {
			return Change{}, err
		}
		m.situate(&e, v)
		life, effects, err := Next(v.Payment.Life, e)
		if err != nil {
			return Change{}, err
		}
		if a.asked != nil && heardSince(v, *a.asked) { // what was read may be older than what the webhook tells of: it is looked at again
			life.NextAt = e.Now
		}
		done = applied{before: v.Payment.Life, payment: v.Payment, view: v, effects: effects}
		done.payment.Life = life
		c := Change{Life: life}
		if err := m.write(v, e, effects, &c); err != nil {
			return Change{}, err
		}
		if a.fill != nil {
			if err := a.fill(v, &c); err != nil {
				return Change{}, err
			}
		}
		if a.name != "" || life.State != v.Payment.State {
			c.Trail = append(c.Trail, m.entry(v, a, life))
		}
		done.closed = c.Supersede
		return c, nil
	})
	if err != nil {
		return applied{}, err
	}
	m.after(ctx, done)
	return done, nil
}

// heardSince says whether a payment has become due, as a webhook makes it, since it stood as asked.
func heardSince(v View, asked Life) bool {
	due := v.Payment.NextAt
	return !due.IsZero() && !due.After(v.Facts.Now) && !due.Equal(asked.NextAt)
}

// situate gives an event the facts that decide, as the transaction reads them.
func (m *Machine) situate(e *Event, v View) {
	facts := v.Facts
	e.Now, e.Paused, e.Alone, e.Many = facts.Now, m.Paused && guard.On(guard.Reconcile), true, v.Late > maxLate
	for _, o := range v.Others {
		if o.State.InFlight() {
			e.Alone = false
		}
		if o.State == Open && o.VehicleID == v.Payment.VehicleID { // it is superseded if this payment is applied
			facts.Standing.PastDue += o.Frozen.Summary.PastDue
			facts.Standing.Credit += o.Frozen.Summary.CreditApplied
		}
	}
	if e.Kind != GotBack {
		e.Waiting = slices.ContainsFunc(v.Refunds, func(r Refund) bool { return r.State == RefundOnWay }) ||
			slices.ContainsFunc(v.Disputes, func(d Dispute) bool { return !d.Over() })
	}
	e.Bound = v.Payment.Holds(facts)
	if e.Bound && (e.Kind == GotSuccess || e.Kind == Decided && e.As == Paid) {
		// What can't be booked as sold is booked as unapplied, with an alarm: money that has come must be in the books.
		_, err := m.bookPaid(v)
		e.Bound = err == nil
	}
}

// maxLate is how many payments an hour get money after closing before a person has to look at each (T16).
const maxLate = 5

// write turns effects into rows.
func (m *Machine) write(v View, e Event, effects []Effect, c *Change) error {
	for _, do := range effects {
		switch do.Kind {
		case EndAttempt:
			for _, a := range v.Attempts {
				if a.N == do.Attempt && (a.State == Trying || do.As == Succeeded) {
					a.State, a.EndedAt = do.As, e.Now
					c.Ended = append(c.Ended, a)
				}
			}
		case BookPaid:
			b, err := m.bookPaid(v)
			if err != nil {
				return err
			}
			b.noted(v, e.Attempt)
			c.Bookings = append(c.Bookings, b)
		case BookUnapplied:
			c.Bookings = append(c.Bookings, m.bookUnapplied(v, c.Life.Charged))
		case BookApplied:
			b, err := m.bookApplied(v)
			if err != nil {
				return err
			}
			b.noted(v, 0)
			c.Bookings = append(c.Bookings, b)
			if err := m.supersede(v, c); err != nil {
				return err
			}
		case StartRefund:
			if guard.Off(guard.RefundRow) {
				continue
			}
			c.Refunds = append(c.Refunds, Refund{ID: m.NewID(), PaymentID: v.Payment.ID, Amount: do.Amount, State: RefundWaits, Why: "came after the payment had closed", By: trail.BySystem, AskedAt: e.Now})
		case EndRefund:
			if r := v.Waiting(); r != nil {
				r.State, r.EndedAt = RefundNotMade, e.Now
				c.Refunds = append(c.Refunds, *r)
			}
		}
	}
	return nil
}

func (m *Machine) entry(v View, a act, to Life) trail.Entry {
	name := a.name
	switch {
	case name != "":
	case to.State == Open && to.Declines > v.Payment.Declines:
		name = "decline card"
	default:
		name = "payment " + string(to.State)
	}
	detail := a.detail
	if to.State != v.Payment.State {
		detail = fmt.Sprintf("%s → %s %s %s", v.Payment.State, to.State, to.Reason, detail)
	}
	return trail.Entry{ID: m.NewID(), At: v.Facts.Now, Actor: a.by, Act: name, Object: v.Payment.ID, ClientID: v.Payment.ClientID, Detail: detail}
}

// after does what may be lost without harm: the door's entry ends by itself, and the sweeper finds what is due.
func (m *Machine) after(ctx context.Context, done applied) {
	for _, e := range done.effects {
		switch e.Kind {
		case ShutDoor:
			if done.view.Link != nil {
				_ = m.Door.Shut(ctx, done.view.Link.Digest) // /pay and /pay/charge ask SQL, which has closed it
			}
		case RaiseAlarm:
			p := done.payment
			m.Alarm(Alarm{Name: e.Alarm, PaymentID: p.ID, State: p.State, Reason: p.Reason})
		case SendCancel, ReplaceLink, SendRefund, BookUnapplied:
			m.Wake()
		}
	}
	for _, p := range done.closed {
		if v, err := m.Store.View(ctx, p.ID); err == nil && v.Link != nil {
			_ = m.Door.Shut(ctx, v.Link.Digest)
		}
	}
}

// --- The payer's part -------------------------------------------------------------------------------------------------------------------

// Try is one press of the button: a card, the terms agreed to, and the page view that it came from.
type Try struct {
	PaymentID     string
	LinkID        string // of the browser's session
	Nonce         link.Nonce
	SessionID     string
	PaymentMethod string
	Terms         string // version agreed to
	Language      string // in which they were read
	Address       string
	UserAgent     string
}

// outdated says whether other terms are in force than those that were agreed to.
func (a Attempt) outdated(v View) bool {
	return a.TermsVersion != v.Terms && guard.On(guard.TermsVersion)
}

// Result is where a payment stands for the one who asks.
type Result struct {
	View         View
	Attempt      *Attempt // the asker's own
	ClientSecret Secret   // only for 3-D Secure, only for the session that pays
}

// Charge is T3 and what follows: it claims the payment for one attempt and confirms it. The same nonce gives the same attempt's state, whatever it is by now.
// Errors, with nothing charged: ErrOtherLink, ErrTerms, ErrBrand, ErrCard, ErrElsewhere, ErrClosed, ErrNotReady, ErrNeedsReview, ErrUnavailable.
// It goes on when the caller goes away, for ConfirmWithin at the longest.
func (m *Machine) Charge(ctx context.Context, t Try) (Result, error) {
	v, err := m.Store.View(ctx, t.PaymentID)
	if err != nil {
		return Result{}, err
	}
	if m.Paused && guard.On(guard.ReconcilePay) {
		return Result{}, ErrPaused
	}
	if a := byNonce(v, t.Nonce.ID); a != nil {
		return m.result(ctx, t.PaymentID, t.SessionID, Secret{})
	}
	if t.Nonce.PaymentID != t.PaymentID && guard.On(guard.NoncePayment) || t.Nonce.LinkID != t.LinkID && guard.On(guard.NonceLink) ||
		t.Nonce.Summary != v.Payment.SummaryHash && guard.On(guard.NonceSummary) {
		return Result{}, ErrOtherLink
	}
	if (Attempt{TermsVersion: t.Terms}).outdated(v) {
		return Result{}, ErrTerms
	}
	card, err := m.Gateway.Card(ctx, v.Payment.StripeAccount, t.PaymentMethod)
	if err != nil && guard.On(guard.CardKnown) {
		var no *RequestError
		if errors.As(err, &no) {
			return Result{}, ErrCard
		}
		return Result{}, ErrUnavailable // fail closed: a card of unknown brand is not charged
	}
	if card.Brand != "visa" && card.Brand != "mastercard" && guard.On(guard.CardBrand) {
		return Result{}, ErrBrand
	}
	// From here on nobody's going away may leave a confirm half sent.
	ctx, cancel := context.WithTimeout(lasting(ctx), ConfirmWithin)
	defer cancel()
	return m.claim(ctx, trail.Actor{Kind: trail.Payer, ID: t.SessionID}, Attempt{
		PaymentID: t.PaymentID, LinkID: t.LinkID, SessionID: t.SessionID, NonceID: t.Nonce.ID, PaymentMethod: t.PaymentMethod, Card: card,
		TermsVersion: t.Terms, TermsLanguage: t.Language, Address: t.Address, UserAgent: t.UserAgent,
	}, func(v View) error {
		if v.Payment.State.Live() && (v.Link == nil || v.Link.ID != t.LinkID || v.Link.State != link.Live) && guard.On(guard.LiveLink) {
			return ErrClosed // the link was replaced
		}
		return nil
	})
}

// claim is T3 for somebody who is there: it claims the payment for one attempt, once for its nonce, and confirms it. may refuses, in the claim's own transaction.
func (m *Machine) claim(ctx context.Context, by trail.Actor, a Attempt, may func(View) error) (Result, error) {
	done, err := m.apply(ctx, a.PaymentID, act{
		by: by, name: "pay",
		event: func(v View) (Event, error) {
			if byNonce(v, a.NonceID) != nil {
				return Event{}, errSameNonce
			}
			if err := may(v); err != nil {
				return Event{}, err
			}
			if v.Payment.State == Open && a.outdated(v) { // others were published since it was asked for first
				return Event{}, ErrTerms
			}
			return Event{Kind: Claim}, nil
		},
		fill: func(v View, c *Change) error {
			if c.Life.State != Paying {
				return nil
			}
			made := a
			made.ID, made.N, made.State, made.StartedAt = m.NewID(), c.Life.Attempt, Trying, v.Facts.Now
			c.NewAttempt = &made
			return nil
		},
	})
	switch {
	case errors.Is(err, errSameNonce):
		return m.result(ctx, a.PaymentID, a.SessionID, Secret{})
	case err != nil:
		return Result{}, err
	}
	secret, err := m.drive(ctx, a.PaymentID, done, by)
	if err != nil {
		return Result{}, err
	}
	return m.result(ctx, a.PaymentID, a.SessionID, secret)
}

// lasting is a context that goes on when the caller goes away.
func lasting(ctx context.Context) context.Context {
	if guard.Off(guard.WithoutCancel) {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

var errSameNonce = errors.New("this page view has paid already")

func byNonce(v View, nonceID string) *Attempt {
	for i := range v.Attempts {
		if v.Attempts[i].NonceID == nonceID && guard.On(guard.NonceOnce) {
			return &v.Attempts[i]
		}
	}
	return nil
}

// Continue is T8 and T9 for the payer who comes back from 3-D Secure. Only the session that made the attempt is answered with a client_secret.
func (m *Machine) Continue(ctx context.Context, paymentID, attemptID, sessionID string) (Result, error) {
	v, err := m.Store.View(ctx, paymentID)
	if err != nil {
		return Result{}, err
	}
	current := v.Current()
	if current == nil || current.ID != attemptID || current.SessionID != sessionID || !v.Payment.State.InFlight() {
		return m.result(ctx, paymentID, sessionID, Secret{})
	}
	ctx, cancel := context.WithTimeout(lasting(ctx), ConfirmWithin)
	defer cancel()
	secret, err := m.look(ctx, v, trail.Actor{Kind: trail.Payer, ID: sessionID})
	if err != nil {
		return Result{}, err
	}
	return m.result(ctx, paymentID, sessionID, secret)
}

func (m *Machine) result(ctx context.Context, paymentID, sessionID string, secret Secret) (Result, error) {
	v, err := m.Store.View(ctx, paymentID)
	if err != nil {
		return Result{}, err
	}
	r := Result{View: v}
	for i := range v.Attempts {
		if v.Attempts[i].SessionID == sessionID || guard.Off(guard.OwnSession) {
			r.Attempt = &v.Attempts[i]
		}
	}
	if v.Payment.State == NeedsAction && v.Payment.ClosingAs == "" && r.Attempt != nil && r.Attempt.N == v.Payment.Attempt {
		r.ClientSecret = secret
	}
	return r, nil
}

// drive sends what an act has asked to send, and what the answers ask for in turn, until nothing more is to be sent or the outcome has to wait.
// It returns the client_secret that came with a 3-D Secure request.
func (m *Machine) drive(ctx context.Context, id string, done applied, by trail.Actor) (Secret, error) {
	for range 4 { // phase 1, phase 2, and each once more after a lost answer
		switch {
		case done.has(SendConfirm):
			next, secret, err := m.confirm(ctx, id, done, by)
			if err != nil {
				return Secret{}, err
			}
			if next.payment.State == NeedsAction && !next.has(SendCancel) {
				return secret, nil
			}
			done = next
		case done.has(SendCancel):
			return Secret{}, m.cancel(ctx, id, done.payment, by)
		default:
			return Secret{}, nil
		}
		if done.payment.State == Unknown && done.payment.ClosingAs == "" && !done.has(SendConfirm) {
			return m.lookAgain(ctx, id, by)
		}
	}
	m.Wake()
	return Secret{}, nil
}

// lookAgain asks once what became of a confirm whose answer was lost, so that most payers need not wait for the sweeper.
func (m *Machine) lookAgain(ctx context.Context, id string, by trail.Actor) (Secret, error) {
	m.Wake()
	v, err := m.Store.View(ctx, id)
	if err != nil {
		return Secret{}, err
	}
	in, err := m.Gateway.Intent(ctx, v.Payment.StripeAccount, v.Payment.IntentID)
	if err != nil {
		return Secret{}, nil // the sweeper asks again
	}
	e := seen(in, v)
	if e.Kind == NoTrace || e.Kind == GotReady {
		return Secret{}, nil // the sweeper sends again, after a pause
	}
	done, err := m.settle(ctx, id, in, v.Payment.Life, by)
	if err != nil {
		return Secret{}, err
	}
	if done.has(SendCancel) {
		return Secret{}, m.cancel(ctx, id, done.payment, by)
	}
	return in.ClientSecret, nil
}

// confirm sends one confirm of the current attempt and brings the answer home.
func (m *Machine) confirm(ctx context.Context, id string, done applied, by trail.Actor) (applied, Secret, error) {
	v, err := m.Store.View(ctx, id)
	if err != nil {
		return applied{}, Secret{}, err
	}
	n, phase := done.payment.Attempt, done.payment.Phase
	var current *Attempt
	for i := range v.Attempts {
		if v.Attempts[i].N == n {
			current = &v.Attempts[i]
		}
	}
	if current == nil {
		return applied{}, Secret{}, errNoSuchAttempt
	}
	r := ConfirmRequest{Key: current.Key(phase), Account: v.Payment.StripeAccount, IntentID: v.Payment.IntentID}
	if phase == 1 {
		r.PaymentMethod = current.PaymentMethod
	}
	r.OffSession = done.payment.CardOnFile && v.Payment.Door != ByClient // as it was decided: by now it may be a link, and a copy must be a copy
	in, err := m.Gateway.Confirm(ctx, r)
	var card *CardError
	var no *RequestError
	var dead *DeadAnswerError
	kind := GotNothing
	code := ""
	switch {
	case err == nil:
		next, err := m.settle(ctx, id, in, done.payment.Life, by)
		return next, in.ClientSecret, err
	case errors.As(err, &card):
		kind, code = GotDecline, card.Code
		if code == needsOwner && v.Payment.CardOnFile && v.Payment.Door == ByAgent {
			return m.sendOwner(ctx, id, n, by)
		}
	case errors.As(err, &dead):
		kind = GotDeadAnswer
	case errors.As(err, &no):
		// Stripe says 400 also where the PaymentIntent has moved on without us: a GET tells.
		if in, err := m.Gateway.Intent(ctx, v.Payment.StripeAccount, v.Payment.IntentID); err == nil {
			if e := seen(in, v); e.Kind != NoTrace {
				next, err := m.settle(ctx, id, in, done.payment.Life, by)
				return next, in.ClientSecret, err
			}
			kind, code = GotRefusal, no.Code
		}
	}
	next, err := m.apply(ctx, id, act{
		by: by, detail: code,
		event: func(View) (Event, error) { return Event{Kind: kind, Attempt: n}, nil },
		fill:  func(_ View, c *Change) error { setCode(c, code); return nil },
	})
	return next, Secret{}, err
}

func setCode(c *Change, code string) {
	for i := range c.Ended {
		if c.Ended[i].State == WasNo || c.Ended[i].State == Refused {
			c.Ended[i].Code = code
		}
	}
}

// settle applies what Stripe says of a PaymentIntent to the books. It may be called any number of times, from anywhere. asked is the payment as it stood
// before Stripe was asked (seenSince).
func (m *Machine) settle(ctx context.Context, id string, in Intent, asked Life, by trail.Actor) (applied, error) {
	return m.apply(ctx, id, act{
		by: by, detail: in.ErrorCode, asked: &asked,
		event: func(v View) (Event, error) {
			e := seenSince(in, v, asked)
			e.Charged = in.Amount
			return m.orOwner(v, e, in.ErrorCode), nil
		},
		fill: func(v View, c *Change) error {
			setCode(c, in.ErrorCode)
			m.linkToOwner(v, c)
			if c.Life.State.Booked() && !v.Payment.State.Booked() && (in.Refunded != 0 || in.Disputed) {
				c.Life.NextAt = v.Facts.Now // money has gone back before it was booked: that is read next
			}
			for i := range c.Ended {
				if c.Ended[i].State == Succeeded {
					c.Ended[i].ChargeID = in.ChargeID
					c.Ended[i].Card = in.Card
				}
			}
			return nil
		},
	})
}

// cancel asks Stripe to cancel and brings the answer home. It may be repeated: cancelling what is cancelled changes nothing.
func (m *Machine) cancel(ctx context.Context, id string, p Payment, by trail.Actor) error {
	if p.IntentID == "" {
		return nil
	}
	ctx, stop := context.WithTimeout(lasting(ctx), ConfirmWithin)
	defer stop()
	in, err := m.Gateway.Cancel(ctx, p.StripeAccount, p.IntentID)
	if err != nil {
		var no *RequestError
		if !errors.As(err, &no) {
			return nil // unclear: the sweeper asks again
		}
		if in, err = m.Gateway.Intent(ctx, p.StripeAccount, p.IntentID); err != nil {
			return nil
		}
	}
	_, err = m.settle(ctx, id, in, p.Life, by)
	return err
}

// look asks Stripe about a payment in flight and does what follows.
func (m *Machine) look(ctx context.Context, v View, by trail.Actor) (Secret, error) {
	p := v.Payment
	in, err := m.Gateway.Intent(ctx, p.StripeAccount, p.IntentID)
	if err != nil {
		if !p.State.InFlight() {
			return Secret{}, nil // it stays due, and the sweeper asks again
		}
		event := Event{Kind: Tick}
		if p.State == Unknown {
			event = Event{Kind: GotNothing, Attempt: p.Attempt}
		}
		done, err := m.apply(ctx, p.ID, act{by: by, event: func(View) (Event, error) { return event, nil }})
		if err != nil {
			return Secret{}, err
		}
		return m.drive(ctx, p.ID, done, by)
	}
	done, err := m.settle(ctx, p.ID, in, p.Life, by)
	if err != nil {
		return Secret{}, err
	}
	secret, err := m.drive(ctx, p.ID, done, by)
	if done.payment.State == NeedsAction {
		secret = in.ClientSecret
	}
	return secret, err
}

// --- The desk's part --------------------------------------------------------------------------------------------------------------------

// Revoke is T13 and T14. It says where the payment stands then: Revoked, or still in flight, to be stopped if it still can be.
// Errors: ErrClosed, ErrNeedsReview, ErrNotFound.
func (m *Machine) Revoke(ctx context.Context, paymentID string, by trail.Actor, why Reason, words string) (State, error) {
	done, err := m.apply(ctx, paymentID, act{
		by: by, name: "revoke payment", detail: words,
		event: func(View) (Event, error) { return Event{Kind: WasRevoked, Reason: why}, nil },
	})
	if err != nil {
		return "", err
	}
	if done.has(SendCancel) {
		if err := m.cancel(ctx, paymentID, done.payment, by); err != nil {
			return "", err
		}
	}
	return done.payment.State, nil
}

// Resend is T18: a new token and ten new minutes for the same payment; the old link is dead. Errors: ErrClosed, ErrElsewhere, ErrResends, ErrNeedsReview.
// A payment that closes here because its time is up or its quote broke gives ErrClosed too.
func (m *Machine) Resend(ctx context.Context, paymentID string, by trail.Actor) error {
	done, err := m.apply(ctx, paymentID, act{
		by: by, name: "resend link",
		event: func(v View) (Event, error) {
			if v.Payment.State == Open && v.Link == nil { // a card on file is about to be charged: there is no link to send again
				return Event{}, ErrElsewhere
			}
			return Event{Kind: WasResent, Life: m.Life}, nil
		},
		fill: func(v View, c *Change) error {
			if c.Life.State != Open || v.Link == nil {
				return nil
			}
			old := *v.Link
			l, msg := m.newLink(v.Payment.ID, v.Facts.Now, c.Life.ExpiresAt)
			l.Phone, l.OwnNumber, l.Language, l.SentBy = old.Phone, old.OwnNumber, old.Language, by.ID
			msg.link(l)
			c.Link, c.Message = &l, &msg.Message
			return nil
		},
	})
	if err != nil {
		return err
	}
	if done.has(ReplaceLink) {
		_ = m.Door.Shut(ctx, done.view.Link.Digest) // SQL has replaced it already
		m.Wake()
		return nil
	}
	if done.has(SendCancel) {
		_ = m.cancel(ctx, paymentID, done.payment, by) // the sweeper repeats it
	}
	return ErrClosed
}

// freshMessage is a message whose box is still open: the token goes from here into the sealed box and nowhere else.
type freshMessage struct{ sms.Message }

func (f *freshMessage) link(l link.Link) { f.Phone, f.Language, f.LinkID = l.Phone, l.Language, l.ID }

func (m *Machine) newLink(paymentID string, now, expires time.Time) (link.Link, freshMessage) {
	token := link.NewToken(m.Token())
	l := link.Link{ID: m.NewID(), PaymentID: paymentID, Digest: token.Digest(), State: link.Live, CreatedAt: now, ExpiresAt: expires}
	return l, freshMessage{sms.Message{
		ID: m.NewID(), Kind: sms.LinkText, PaymentID: paymentID, Box: token.Reveal(), Status: sms.Waiting, CreatedAt: now, NextAt: now,
	}}
}

// Order is what T1 needs beyond the facts.
type Order struct {
	ClientID  string
	VehicleID string
	FormKey   string // "" if no form sent it
	By        trail.Actor
	Detail    string // for the trail
	// Price freezes the quote from facts read in the same transaction. It may refuse.
	Price func(Facts) (Frozen, error)
	Link  link.Link // phone, own number, language, sender
	// Replaces says whether a payment of the vehicle that is open, with no try under way, makes place for this one; nil: none does.
	Replaces func(Payment) bool
}

// Send is T1: a payment, its link and its text, in one transaction. A second click of the same form finds the first one's payment.
// Errors: ErrLive (with the live payment's id in *LiveError) and whatever Price refuses with.
func (m *Machine) Send(ctx context.Context, o Order) (Payment, error) {
	if m.Paused && guard.On(guard.ReconcileSend) {
		return Payment{}, ErrPaused
	}
	if o.FormKey == "" {
		o.FormKey = m.NewID()
	}
	var stale *applied
	p, err := m.Store.Begin(ctx, o.ClientID, o.VehicleID, o.FormKey, func(s Start) (b Begin, err error) {
		if b, stale, err = m.start(o, s, ByLink, m.Life); err != nil {
			return b, err
		}
		l, msg := m.newLink(b.Payment.ID, s.Facts.Now, b.Payment.ExpiresAt)
		l.Phone, l.OwnNumber, l.Language, l.SentBy = o.Link.Phone, o.Link.OwnNumber, o.Link.Language, o.Link.SentBy
		msg.link(l)
		b.Link, b.Message = &l, &msg.Message
		b.Trail = []trail.Entry{m.sold(b.Payment, "send link", fmt.Sprintf("to %s %s", l.Phone, o.Detail))}
		return b, nil
	})
	if err != nil {
		return Payment{}, err
	}
	if stale != nil {
		m.after(ctx, *stale)
	}
	m.Wake()
	return p, nil
}

// start is T1 for every door: it refuses what can't be sold now, closes what is stale, and freezes the quote.
func (m *Machine) start(o Order, s Start, by Door, life time.Duration) (b Begin, stale *applied, err error) {
	now := s.Facts.Now
	if s.SameForm != nil && guard.On(guard.FormKey) {
		return Begin{Payment: *s.SameForm}, nil, errSameForm
	}
	if s.Live != nil && guard.On(guard.OneLive) {
		event, by := Event{Kind: Tick, Now: now, Bound: true}, trail.BySystem
		if s.Live.Payment.Effective(now) != Expired {
			if !o.replaces(s.Live.Payment) {
				return b, nil, &LiveError{PaymentID: s.Live.Payment.ID, State: s.Live.Payment.State}
			}
			event, by = Event{Kind: WasRevoked, Now: now, Reason: ReasonNewPayment}, o.By
		}
		life, effects, err := Next(s.Live.Payment.Life, event)
		if err != nil {
			return b, nil, err
		}
		b.CloseStale = &Change{Life: life}
		stale = &applied{before: s.Live.Payment.Life, payment: s.Live.Payment, view: *s.Live, effects: effects}
		b.CloseStale.Trail = []trail.Entry{m.entry(*s.Live, act{by: by}, life)}
	}
	if s.Last != nil && (s.Last.State == PaidAfterClose || s.Last.State == Review) && guard.On(guard.Undecided) {
		return b, nil, ErrNeedsReview // money for this vehicle is there already, and nobody has decided about it
	}
	frozen, err := o.Price(s.Facts)
	if err != nil {
		return b, nil, err
	}
	_, hash, err := frozen.Encode()
	if err != nil {
		return b, nil, err
	}
	b.Payment = Payment{
		ID: m.NewID(), Door: by, ClientID: o.ClientID, VehicleID: o.VehicleID, LocationID: s.Facts.Location.ID, StripeAccount: s.Facts.Location.StripeAccount,
		CreatedBy: o.By, CreatedAt: now, FormKey: o.FormKey, Frozen: frozen, SummaryHash: hash,
		Life: Life{State: Open, ExpiresAt: now.Add(life), NextAt: now.Add(life)},
	}
	if _, err := m.bookPaid(View{Payment: b.Payment, Facts: s.Facts}); err != nil {
		return b, nil, fmt.Errorf("what can't be booked is not sold: %w", err)
	}
	b.Payment.ChainID = b.Payment.ID
	switch last := s.Last; {
	case s.Live != nil: // the stale one, which closes here
		b.Payment.ChainID = s.Live.Payment.ChainID
	case last != nil && last.State.Closed() && now.Sub(last.ClosedAt) < chainWithin:
		b.Payment.ChainID = last.ChainID
	}
	return b, stale, nil
}

// replaces says whether a live payment of the vehicle makes place for this one. What is in flight never does: its money may be on its way.
func (o Order) replaces(p Payment) bool {
	return o.Replaces != nil && (p.State == Open || guard.Off(guard.ReplaceOpen)) && o.Replaces(p)
}

// sold is the trail of a T1.
func (m *Machine) sold(p Payment, what, detail string) trail.Entry {
	return trail.Entry{ID: m.NewID(), At: p.CreatedAt, Actor: p.CreatedBy, Act: what, Object: p.ID, ClientID: p.ClientID, Detail: p.Amount().String() + " " + detail}
}

// chainWithin is how long after a link ended without money a new one for the vehicle counts as the same sale, in reports.
const chainWithin = 24 * time.Hour

var errSameForm = errors.New("this form was sent before")

// SameForm says whether an error of a Begin's decide means that the form's first payment is the answer.
func SameForm(err error) bool { return errors.Is(err, errSameForm) }

// LiveError is ErrLive with the payment that is in the way.
type LiveError struct {
	PaymentID string
	State     State
}

func (e *LiveError) Error() string { return ErrLive.Error() }

// Is makes errors.Is(err, ErrLive) true.
func (e *LiveError) Is(target error) bool { return target == ErrLive }

// --- The clock's part -------------------------------------------------------------------------------------------------------------------

// Tend looks after one payment that is due: it closes what is over, asks Stripe about what is in flight or was heard of, and repeats cancels until they are answered.
func (m *Machine) Tend(ctx context.Context, paymentID string) error {
	err := m.tend(ctx, paymentID)
	if err != nil {
		return errors.Join(err, m.Store.Postpone(context.WithoutCancel(ctx), paymentID, troubled))
	}
	return nil
}

// troubled is how much later a payment is looked at that could not be looked after: it must not keep the others waiting.
const troubled = 15 * time.Second

func (m *Machine) tend(ctx context.Context, paymentID string) error {
	v, err := m.Store.View(ctx, paymentID)
	if err != nil {
		return err
	}
	p, now := v.Payment, v.Facts.Now
	if p.State.Booked() {
		return m.tendBooked(ctx, v)
	}
	inTime := p.State == Open && now.Before(p.ExpiresAt) && !m.Paused
	if p.IntentID != "" && (p.State.InFlight() && p.ClosingAs == "" || inTime || p.State.Closed() && !p.CancelDue) {
		_, err := m.look(ctx, v, trail.BySystem)
		return err
	}
	done, err := m.apply(ctx, paymentID, act{by: trail.BySystem, event: func(View) (Event, error) { return Event{Kind: Tick}, nil }})
	if err != nil {
		return err
	}
	_, err = m.drive(ctx, paymentID, done, trail.BySystem)
	return err
}

// Heard stores a signed event once and has its payment looked at, now. What the event claims is never believed: Stripe is asked.
func (m *Machine) Heard(ctx context.Context, n Notice) error {
	if err := m.adopt(ctx, n); err != nil {
		return err
	}
	if _, err := m.Store.Hear(ctx, n); err != nil {
		return err
	}
	m.Wake()
	return nil
}

// adopt writes down a PaymentIntent that was made for a payment and whose answer was lost: the payment may have closed without knowing what there is to cancel.
func (m *Machine) adopt(ctx context.Context, n Notice) error {
	if n.PaymentID == "" || n.IntentID == "" {
		return nil
	}
	if id, err := m.Store.PaymentOf(ctx, n.IntentID); err != nil || id != "" {
		return err
	}
	_, err := m.apply(ctx, n.PaymentID, act{by: trail.ByStripe, event: func(v View) (Event, error) {
		if v.Payment.StripeAccount != n.Account {
			return Event{}, ErrOtherAccount
		}
		return Event{Kind: GotIntent, Intent: n.IntentID}, nil
	}})
	if errors.Is(err, ErrNotFound) || errors.Is(err, errWrongIntent) {
		return nil // T24, or none of ours: the catch-up and the reconciliation look into it
	}
	return err
}
