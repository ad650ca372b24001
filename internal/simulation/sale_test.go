package simulation

import (
	"strings"
	"time"

	"paylink/internal/desk/payer"
	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/sms"
)

// sale is a payment as our own books have it, kept up with every commit: what happens at Stripe is held against it at the moment it happens.
type sale struct {
	pay.Payment
	attempts map[string]attempt // by id
	outside  bool               // somebody took the money in the dashboard
	ended    time.Time          // somebody was told that nothing was charged and nothing will be
	endedAs  payer.Place
	opened   time.Time // somebody was told that it may be paid
}

type attempt struct {
	n       int
	claimed time.Time
	by      *task
}

// began is T1 committed.
func (w *world) began(b pay.Begin) {
	s := &sale{Payment: b.Payment, attempts: map[string]attempt{}}
	w.sales = append(w.sales, s)
	w.bySale[s.ID] = s
	w.say("payment %s of %s for %s by %s", s.ID, s.VehicleID, s.Amount(), s.Door)
	w.occupies(s)
	w.due(s.ID, s.NextAt)
	w.goesOut(s, b.Link, b.Message)
	if b.Booking != nil { // credit covers it (T25)
		w.moves = append(w.moves, move{s.VehicleID, string(b.Booking.PaidToFrom), string(b.Booking.PaidTo), s.ID})
	}
}

// goesOut is a link and its text, committed.
func (w *world) goesOut(s *sale, l *link.Link, m *sms.Message) {
	if l == nil || m == nil {
		return
	}
	w.say("text %s goes out for %s", m.ID, s.ID)
	w.links[l.Digest] = *l
	w.due(m.ID, m.NextAt)
}

// occupies is I2, at every moment.
func (w *world) occupies(s *sale) {
	switch had := w.live[s.VehicleID]; {
	case s.State.Live() && had != "" && had != s.ID:
		w.breaks("I2: %s has two live payments, %s and %s", s.VehicleID, had, s.ID)
	case s.State.Live():
		w.live[s.VehicleID] = s.ID
	case had == s.ID:
		delete(w.live, s.VehicleID)
	}
}

// changed is a transition committed.
func (w *world) changed(v pay.View, c pay.Change) {
	s := w.bySale[v.Payment.ID]
	was, now, at := s.Life, c.Life, v.Facts.Now
	if a := c.NewAttempt; a != nil {
		s.attempts[a.ID] = attempt{a.N, at, w.running}
		if w.happens(revokesLate) {
			w.person("agent in a hurry", w.between(0, 40*time.Second), func() { w.revoke(s.ID) })
		}
	}
	if was.State != now.State || was.Phase != now.Phase || was.Sends != now.Sends || was.ClosingAs != now.ClosingAs || was.Refunding != now.Refunding || was.GivenBack != now.GivenBack || was.Held != now.Held {
		w.say("payment %s: %s → %s %s (attempt %d phase %d sends %d, closing %s, given back %s, refunding %d, held %v)",
			s.ID, was.State, now.State, now.Reason, now.Attempt, now.Phase, now.Sends, now.ClosingAs, now.GivenBack, now.Refunding, now.Held)
	}
	claimed := now.Attempt != was.Attempt
	phased := !claimed && now.Phase > was.Phase
	sent := claimed || phased || now.Sends > was.Sends
	switch {
	case !same(v.Payment.Life, was):
		w.breaks("the row of %s is not as the last commit left it: %+v, %+v", s.ID, v.Payment.Life, was)
	case claimed && (was.State != pay.Open || now.State != pay.Paying || c.NewAttempt == nil):
		w.breaks("I6: %s was claimed while %s", s.ID, was.State)
	case claimed && !v.Payment.Holds(v.Facts):
		w.breaks("bound: %s was claimed though its quote broke", s.ID)
	case sent && (was.Revoke || was.ClosingAs != ""):
		w.breaks("I6: a send of %s is decided though it is to be stopped", s.ID)
	case sent && now.Phase == 1 && !at.Before(was.ExpiresAt):
		w.breaks("I7: a send of %s is decided after its end", s.ID)
	case sent && now.Phase == 2 && !at.Before(was.LeaseUntil):
		w.breaks("I7: phase 2 of %s is sent after its lease", s.ID)
	case !was.State.Live() && now.State.Live() && now.State != pay.Review:
		w.breaks("final: %s has ended as %s and is %s again", s.ID, was.State, now.State)
	case now.GivenBack > now.Charged:
		w.breaks("I3: of %s more was given back than was charged", s.ID)
	case now.Refunding == pay.RefundAsked && was.Refunding != pay.RefundAsked && now.GivenBack >= now.Charged:
		w.breaks("I3: a refund of %s is asked for though nothing is left", s.ID)
	case was.IntentID != "" && now.IntentID != was.IntentID:
		w.breaks("I1: %s gets another PaymentIntent", s.ID)
	case now.Resends > pay.MaxResends || now.Declines > pay.MaxDeclines:
		w.breaks("counts: %s has %d resends and %d declines", s.ID, now.Resends, now.Declines)
	}
	s.Life = now
	if was.State != now.State && !now.State.Live() {
		s.ClosedAt = at
	}
	w.occupies(s)
	w.due(s.ID, now.NextAt)
	w.goesOut(s, c.Link, c.Message)
	if c.Link != nil {
		if n := w.one(`SELECT COUNT(*) FROM links WHERE payment_id = $1 AND state = 'live'`, s.ID); n != 1 {
			w.breaks("%s has %d live links", s.ID, n)
		}
	}
	for _, b := range c.Bookings {
		if b.PaidTo != "" {
			w.moves = append(w.moves, move{s.VehicleID, string(b.PaidToFrom), string(b.PaidTo), s.ID})
		}
	}
	for _, r := range c.Refunds {
		w.say("refund %s of %s: %s %s %s", r.ID, s.ID, r.Amount, r.State, r.Code)
	}
	for _, p := range c.Supersede {
		o := w.bySale[p.ID]
		w.say("payment %s: %s → %s", o.ID, o.State, p.State)
		if o.State != pay.Open {
			w.breaks("%s was superseded while %s", o.ID, o.State)
		}
		o.Life, o.ClosedAt = p.Life, at
		w.occupies(o)
		w.due(o.ID, p.NextAt)
	}
}

// same compares what only transitions change; when it is due, webhooks change too.
func same(a, b pay.Life) bool {
	a.NextAt, b.NextAt = time.Time{}, time.Time{}
	return a == b
}

// charged is what must hold at the moment the money moves.
func (w *world) charged(pi *intent, key string) {
	s := w.bySale[pi.Origin.PaymentID]
	switch {
	case s == nil:
		w.breaks("I4: %s was charged, and no payment of ours has made it", pi.ID)
		return
	case pi.charges > 1:
		w.breaks("I1: %s was charged twice", pi.ID)
	case s.IntentID != pi.ID:
		w.breaks("I1: %s was charged, and the payment %s has %q written down", pi.ID, s.ID, s.IntentID)
	case pi.Amount != s.Amount() || pi.Account != s.StripeAccount:
		w.breaks("I8: %s was charged at %q, shown were %s at %q", pi.Amount, pi.Account, s.Amount(), s.StripeAccount)
	}
	if pi.outside {
		s.outside = true
		return
	}
	a, ok := s.attempts[strings.Split(key, ":")[1]]
	switch {
	case !ok:
		w.breaks("I6: %s was charged by an attempt that is not written down", s.ID)
	case s.State == pay.Review: // it is frozen as it was
	case !s.State.InFlight():
		w.breaks("I6: %s was charged while %s", s.ID, s.State)
	case a.n != s.Attempt:
		w.breaks("I6: %s was charged by attempt %d, and attempt %d is under way", s.ID, a.n, s.Attempt)
	}
	if !s.ended.IsZero() && !s.ended.Before(a.claimed) {
		w.breaks("told: somebody read %s of %s at %s, and it was charged then", s.endedAs, s.ID, s.ended.Format(time.TimeOnly))
	}
	if s.opened.After(a.claimed) {
		w.breaks("told: somebody read at %s that %s can be paid, and it was charged by an earlier press", s.opened.Format(time.TimeOnly), s.ID)
	}
}

// written says whether a payment of ours has it written down.
func (w *world) written(pi *intent) bool {
	s := w.bySale[pi.Origin.PaymentID]
	return s != nil && s.IntentID == pi.ID
}

// told is what a payer reads. They read it some time after it was so.
func (w *world) told(p payer.Page) {
	s := w.bySale[p.Payment.ID]
	w.say("page of %s: %s", s.ID, p.Place)
	if p.Payment.SummaryHash != s.SummaryHash || p.Payment.Amount() != s.Amount() {
		w.breaks("I8: the page of %s shows another summary", s.ID)
	}
	switch p.Place {
	case payer.Expired, payer.Cancelled, payer.NotMine, payer.Superseded, payer.Locked:
		s.ended, s.endedAs = p.Now, p.Place
	case payer.Payable:
		s.opened = p.Now
	}
}

// rings is a text at its phone.
func (w *world) rings(t *text) {
	token := tokenIn(t.body)
	if token == "" {
		return
	}
	l, ok := w.links[link.NewToken(token).Digest()]
	if !ok {
		w.breaks("a text carries a token that no link has")
		return
	}
	if !t.odd && !w.now.Before(l.ExpiresAt) {
		w.breaks("a text arrived after its link had ended")
	}
	phones := 1
	if w.happens(twoPhones) {
		phones = 2 + w.chance.IntN(2)
	}
	for range phones {
		w.person("phone", w.between(0, 3*time.Second), func() { w.payer(token, l) })
	}
}
