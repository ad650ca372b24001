package pay

import (
	"context"
	"errors"
	"time"

	"paylink/internal/guard"
	"paylink/internal/link"
	"paylink/internal/phone"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

// How the outbox paces itself.
const (
	messageLease  = 30 * time.Second // one worker's right to carry a text on
	retryAfter    = time.Second      // after a step that another try may pass
	askAfter      = 4 * time.Second  // after a lost answer: the callback usually comes first
	sendAgainFrom = 20 * time.Second // a text that is nowhere by then is sent once more
	giveUpAfter   = 90 * time.Second // and one that is nowhere even then is given up
	pollEvery     = 30 * time.Second // a delivery whose callbacks do not come is asked for
	validityLess  = 30 * time.Second // the carrier drops a text this long before its link ends
	minValidity   = 60 * time.Second // with less life left a text is not worth sending
	receiptLife   = 4 * time.Hour    // how long the carrier may hold a receipt, or word of a decline
	codeLife      = 10 * time.Minute // … and a code
	declineLife   = 24 * time.Hour   // after which nobody is told of a decline any more
	codeLandline  = 21614            // the carrier's own code for it (sms.Reason)
)

// codeOptedOut is the carrier's own code for it (sms.OptedOut).
const codeOptedOut = 21610

// Deliver carries one text a step on: the PaymentIntent is made and stored, the token is at the door, the text is handed over, and a lost answer is
// resolved by asking, not by sending again. Each step is on record before the next begins, so that any worker may go on after a crash.
func (m *Machine) Deliver(ctx context.Context, messageID string) error {
	msg, ok, err := m.Store.TakeMessage(ctx, messageID, messageLease)
	if err != nil || !ok {
		return err
	}
	v, err := m.about(ctx, msg)
	if err != nil {
		return err
	}
	now := v.Facts.Now
	switch msg.Status {
	case sms.Waiting:
		switch msg.Kind {
		case sms.LinkText:
			return m.handOverLink(ctx, msg, v)
		case sms.DeclineText:
			return m.handOverDecline(ctx, msg, v)
		case sms.CodeText:
			if now.Sub(msg.CreatedAt) >= codeLife {
				return m.drop(ctx, msg)
			}
			return m.handOver(ctx, msg, v, codeLife)
		}
		return m.handOver(ctx, msg, v, receiptLife)
	case sms.Unclear:
		return m.resolve(ctx, msg, v)
	case sms.Queued, sms.Sent:
		if got, err := m.Carrier.Status(ctx, msg.SID); err == nil {
			m.take(&msg, got, now)
		}
		// Some carriers never tell that a text has arrived: it is asked for as long as anybody cares.
		cares := v.Payment.ExpiresAt
		if msg.Kind != sms.LinkText {
			cares = msg.CreatedAt.Add(receiptLife)
		}
		msg.NextAt = now.Add(pollEvery)
		if !msg.EndedAt.IsZero() || now.After(cares.Add(pollEvery)) {
			msg.NextAt = time.Time{}
		}
		return m.Store.SaveMessage(ctx, msg)
	}
	msg.NextAt = time.Time{}
	return m.Store.SaveMessage(ctx, msg)
}

// about reads what a text is about: its payment; of a code there is nothing but the time.
func (m *Machine) about(ctx context.Context, msg sms.Message) (View, error) {
	if msg.PaymentID != "" {
		return m.Store.View(ctx, msg.PaymentID)
	}
	now, err := m.Store.Now(ctx)
	return View{Facts: Facts{Now: now}}, err
}

func (m *Machine) drop(ctx context.Context, msg sms.Message) error {
	msg.Status, msg.Box, msg.NextAt = sms.Dropped, "", time.Time{}
	return m.Store.SaveMessage(ctx, msg)
}

// handOverDecline tells of a declined Auto Pay, by day, to a phone that can read it, and only while it is true: whoever has paid meanwhile is not told to.
func (m *Machine) handOverDecline(ctx context.Context, msg sms.Message, v View) error {
	now := v.Facts.Now
	if v.Facts.Vehicle == nil || v.Facts.Vehicle.PaidTo != v.Payment.PaidToFrom() || now.Sub(msg.CreatedAt) >= declineLife {
		return m.drop(ctx, msg)
	}
	if at := sms.Loud(now, v.Facts.Location.TimeZone()); at.After(now) {
		return m.later(ctx, msg, at)
	}
	if line, err := m.Carrier.LineOf(ctx, msg.Phone); err == nil && line == sms.Landline {
		m.take(&msg, sms.Receipt{Status: sms.Failed, ErrorCode: codeLandline}, now)
		return m.Store.SaveMessage(ctx, msg)
	}
	return m.handOver(ctx, msg, v, receiptLife)
}

func (m *Machine) handOverLink(ctx context.Context, msg sms.Message, v View) error {
	now := v.Facts.Now
	p := v.Payment
	validity := p.ExpiresAt.Sub(now) - validityLess
	switch {
	case m.Paused || p.Effective(now) != Open || v.Link == nil || v.Link.ID != msg.LinkID:
		return m.drop(ctx, msg)
	case now.Sub(msg.CreatedAt) >= HandOver && guard.On(guard.HandOverTime) || validity < minValidity:
		return m.notSent(ctx, msg, "the text could not be handed over in time")
	}
	if p.IntentID == "" && guard.On(guard.IntentFirst) {
		in, err := m.Gateway.CreateIntent(ctx, m.intentRequest(p))
		var no *RequestError
		switch {
		case errors.As(err, &no):
			m.Alarm(Alarm{Name: SetUpRefused, PaymentID: p.ID, State: p.State, Detail: no.Error()})
			return m.notSent(ctx, msg, "the card processor refused to set the payment up")
		case err != nil:
			return m.later(ctx, msg, now.Add(retryAfter))
		}
		done, err := m.apply(ctx, p.ID, act{
			by:    trail.BySystem,
			event: func(View) (Event, error) { return Event{Kind: GotIntent, Intent: in.ID}, nil },
		})
		if err != nil {
			return err
		}
		if done.payment.State != Open {
			return m.later(ctx, msg, now) // it closed meanwhile: the next look drops the text and the sweeper cancels
		}
	}
	pass := link.Pass{LinkID: v.Link.ID, PaymentID: p.ID, ExpiresAt: v.Link.ExpiresAt}
	if err := m.Door.Admit(ctx, v.Link.Digest, pass); err != nil && guard.On(guard.DoorFirst) {
		return m.later(ctx, msg, now.Add(retryAfter))
	}
	return m.handOver(ctx, msg, v, validity)
}

func (m *Machine) intentRequest(p Payment) IntentRequest {
	return IntentRequest{
		Key: "create:" + p.ID, Account: p.StripeAccount, Amount: p.Amount(), PaymentID: p.ID, ClientID: p.ClientID, VehicleID: p.VehicleID, LocationID: p.LocationID, ChainID: p.ChainID,
		Summary: p.SummaryHash,
	}
}

func (m *Machine) later(ctx context.Context, msg sms.Message, at time.Time) error {
	msg.NextAt = at
	return m.Store.SaveMessage(ctx, msg)
}

var errReplaced = errors.New("the link was replaced")

// notSent closes a payment whose text never went out: nobody can open it.
func (m *Machine) notSent(ctx context.Context, msg sms.Message, why string) error {
	done, err := m.apply(ctx, msg.PaymentID, act{
		by: trail.BySystem, name: "give up sending", detail: why,
		event: func(v View) (Event, error) {
			if v.Link == nil || v.Link.ID != msg.LinkID {
				return Event{}, errReplaced
			}
			return Event{Kind: NotHandedOver}, nil
		},
	})
	if errors.Is(err, errReplaced) {
		return nil // a newer link was sent meanwhile; the old text was dropped with its own
	}
	if err != nil {
		return err
	}
	if err := m.drop(ctx, msg); err != nil {
		return err
	}
	if done.has(SendCancel) {
		return m.cancel(ctx, msg.PaymentID, done.payment, trail.BySystem)
	}
	return nil
}

func (m *Machine) body(msg sms.Message, v View) string {
	switch msg.Kind {
	case sms.LinkText:
		return m.Texts.Link(msg.Language, msg.Box)
	case sms.DeclineText:
		return m.Texts.Declined(msg.Language)
	case sms.CodeText:
		return m.Texts.Code(msg.Language, msg.Box)
	}
	var paid Attempt
	for _, a := range v.Attempts {
		if a.State == Succeeded {
			paid = a
		}
	}
	return m.Texts.Receipt(msg.Language, v.Payment, paid)
}

// handOver gives the text to the carrier. It is written down as unclear before it is sent: a process that dies in between has it asked for, not sent again.
// A number that has opted out since is not texted: of the words that only we know, the carrier knows nothing.
func (m *Machine) handOver(ctx context.Context, msg sms.Message, v View, validity time.Duration) error {
	now := v.Facts.Now
	if out, err := m.Store.OptedOut(ctx, msg.Phone.E164()); err != nil {
		return err
	} else if out && guard.On(guard.OptOut) {
		m.take(&msg, sms.Receipt{Status: sms.Failed, ErrorCode: codeOptedOut}, now)
		return m.Store.SaveMessage(ctx, msg)
	}
	from := msg.Status
	msg.Status, msg.NextAt = sms.Unclear, now.Add(askAfter)
	msg.Tries++
	if msg.HandedAt.IsZero() {
		msg.HandedAt = now
	}
	if ok, err := m.Store.HandOver(ctx, msg, from); err != nil || !ok {
		return err // not ok: its link closed, its callback came, or another worker has it
	}
	got, err := m.Carrier.Send(ctx, sms.Outgoing{To: msg.Phone, Body: m.body(msg, v), Validity: validity, Callback: m.Texts.Callback(msg.ID)})
	var no sms.Refused
	switch {
	case err == nil:
		m.take(&msg, got, now)
		msg.NextAt = now.Add(pollEvery)
	case errors.As(err, &no):
		m.take(&msg, sms.Receipt{Status: sms.Failed, ErrorCode: no.Code}, now)
		if sms.OptedOut(no.Code) {
			if err := m.Store.OptOut(ctx, msg.Phone.E164()); err != nil {
				return err
			}
		}
	case errors.Is(err, sms.ErrSlowDown): // not taken: it may be sent again
		msg.Status, msg.NextAt = sms.Waiting, now.Add(2*retryAfter)
		msg.Tries, msg.Untaken = msg.Tries-1, true
	}
	return m.Store.SaveMessage(ctx, msg)
}

// take writes the carrier's word into the message. The token is not needed any more.
func (m *Machine) take(msg *sms.Message, got sms.Receipt, now time.Time) {
	msg.SID, msg.Status, msg.ErrorCode, msg.Box = got.SID, got.Status, got.ErrorCode, ""
	switch got.Status {
	case sms.Sent:
		msg.SentAt = now
	case sms.Delivered, sms.Undelivered, sms.Failed:
		msg.EndedAt, msg.NextAt = now, time.Time{}
	}
}

// resolve finds out what became of a text whose answer was lost. The callback that carries our id has not come yet, so the carrier's list is asked.
func (m *Machine) resolve(ctx context.Context, msg sms.Message, v View) error {
	now := v.Facts.Now
	if (msg.Kind == sms.LinkText || msg.Kind == sms.CodeText) && msg.Box == "" { // its link closed meanwhile: nobody needs to know any more
		msg.NextAt = time.Time{}
		return m.Store.SaveMessage(ctx, msg)
	}
	got, err := m.Carrier.Find(ctx, msg.Phone, msg.HandedAt.Add(-time.Minute), m.body(msg, v))
	since := now.Sub(msg.HandedAt)
	switch {
	case err != nil:
		msg.NextAt = now.Add(askAfter)
	case got != nil:
		m.take(&msg, *got, now)
		if msg.EndedAt.IsZero() {
			msg.NextAt = now.Add(pollEvery)
		}
	case since >= giveUpAfter:
		m.take(&msg, sms.Receipt{Status: sms.Failed}, now)
	case (msg.Tries == 1 || guard.Off(guard.OneMoreText)) && since >= sendAgainFrom && msg.Kind == sms.LinkText:
		validity := v.Payment.ExpiresAt.Sub(now) - validityLess
		if v.Payment.Effective(now) == Open && v.Link != nil && v.Link.ID == msg.LinkID && validity >= minValidity {
			return m.handOver(ctx, msg, v, validity) // the one automatic re-send (I10)
		}
		msg.NextAt = now.Add(askAfter)
	case msg.Tries == 1 && since >= sendAgainFrom && msg.Kind != sms.ReceiptText && msg.Kind != sms.LinkText:
		return m.handOver(ctx, msg, v, giveUpAfter)
	default:
		msg.NextAt = now.Add(askAfter)
	}
	return m.Store.SaveMessage(ctx, msg)
}

// TextReceipt queues the receipt of a paid payment as a text to the phone that the link went to, once.
func (m *Machine) TextReceipt(ctx context.Context, paymentID string, by trail.Actor) error {
	v, err := m.Store.View(ctx, paymentID)
	if err != nil {
		return err
	}
	if v.Payment.State != Paid || v.Link == nil {
		return ErrClosed
	}
	now := v.Facts.Now
	err = m.Store.AddReceipt(ctx, sms.Message{
		ID: m.NewID(), Kind: sms.ReceiptText, PaymentID: paymentID, LinkID: v.Link.ID, Language: v.Link.Language, Phone: v.Link.Phone,
		Status: sms.Waiting, CreatedAt: now, NextAt: now,
	}, trail.Entry{ID: m.NewID(), At: now, Actor: by, Act: "text receipt", Object: paymentID, ClientID: v.Payment.ClientID})
	m.Wake()
	return err
}

// Delivered writes the carrier's signed word down. An opt-out counts at once.
func (m *Machine) Delivered(ctx context.Context, d sms.Delivery) error {
	return m.Store.Deliver(ctx, d)
}

// Replied honours what a reply asks for, at once.
func (m *Machine) Replied(ctx context.Context, from phone.Number, word sms.Word) error {
	switch word {
	case sms.Stop:
		return m.Store.OptOut(ctx, from.E164())
	case sms.Start:
		return m.Store.OptIn(ctx, from.E164())
	}
	return nil
}
