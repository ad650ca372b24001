package pay

import (
	"slices"
	"time"
)

// What must hold. Each rule's name is what stands before the colon: the mutants name the rule that catches them.

// stepBreaks says which rule one decision of Next breaks, "" for none.
func stepBreaks(m moment, e Event, l Life, do []Effect, err error) string {
	b := m.life
	if err != nil {
		switch {
		case !refusal(err):
			return "total: " + err.Error()
		case l != b || len(do) > 0:
			return "total: a refusal changes something"
		case !slices.Contains(asks, e.Kind) && !(aboutBack(e.Kind) && !b.State.Booked()):
			return "total: a fact is refused: " + err.Error()
		}
		return ""
	}
	has := func(k EffectKind) bool { return slices.ContainsFunc(do, func(d Effect) bool { return d.Kind == k }) }
	claimed := l.Attempt != b.Attempt
	late := !e.Now.Before(b.ExpiresAt)

	// What never goes back.
	switch {
	case b.IntentID != "" && l.IntentID != b.IntentID:
		return "I1: another PaymentIntent, which could be charged too"
	case claimed && (e.Kind != Claim || b.State != Open || l.State != Paying || l.Attempt != b.Attempt+1 || l.Phase != 1 || l.Sends != 1 || !has(StartAttempt)):
		return "claim: an attempt begins otherwise than by a claim of an open payment"
	case claimed && (late || !e.Bound || b.Revoke || b.IntentID == "" || b.Declines >= MaxDeclines):
		return "claim: granted against a guard of T3"
	case !claimed && has(StartAttempt):
		return "claim: a row for no attempt"
	case !claimed && l.Phase < b.Phase:
		return "phase: it goes back"
	case !claimed && l.Phase > b.Phase && (e.Kind != GotReady || !e.Bound || b.Revoke || b.ClosingAs != "" || !e.Now.Before(b.LeaseUntil)):
		return "phase: phase 2 begins against a guard of T8"
	case b.State != NeedsAction && l.State == NeedsAction && (e.Kind != GotAction || l.Phase != 1):
		return "phase: 3-D Secure where it is not asked for"
	case l.Declines < b.Declines || l.Resends < b.Resends || l.Resends > MaxResends || b.Revoke && !l.Revoke:
		return "counts: a count or a revoke goes back, or too far"
	case !b.State.Live() && l.State.Live() && l.State != Review:
		return "final: what has ended lives again"
	case b.State.Closed() && l.State.Closed() && l.State != b.State:
		return "final: closed as something else"
	case b.State.Booked() && l.State != b.State:
		return "final: money is forgotten"
	case b.State == Review && l.State != Review && e.Kind != Decided:
		return "final: a person decides"
	case l.State == Review && b.State != Review && e.Kind != GotMismatch:
		return "final: a person is asked without need"
	}

	// What a trace is needed for.
	no := e.Attempt == b.Attempt && (e.Kind == GotDecline || e.Kind == GotRefusal)
	switch {
	case b.State == Unknown && l.State == Open && !(no && e.Kind == GotDecline):
		return "trace: unknown became open without one"
	case b.State.InFlight() && l.State == Open && !no:
		return "trace: open again though the bank has not said no"
	case b.State.InFlight() && l.State.Closed() && !no && e.Kind != GotCanceled:
		return "cancel first: closed in flight before the cancel was answered"
	case e.Kind == GotRefusal && b.State.InFlight() && !l.State.InFlight() && (b.State != Paying || b.Phase != 1 || b.Sends != 1):
		return "refusal: believed though more than one copy was sent"
	case l.Declines > b.Declines && !(no && e.Kind == GotDecline && l.Declines == b.Declines+1):
		return "counts: a decline is counted that was none"
	case l.State == Open && l.Declines >= MaxDeclines:
		return "counts: open after the last decline"
	case b.CardOnFile && l.Declines > b.Declines && l.State.Live():
		return "final: a card on file that was declined is tried again"
	case !b.CardOnFile && l.State == Declined:
		return "final: declined though no card on file"
	}

	// What is to be stopped.
	switch {
	case e.Kind == GotDeadAnswer && e.Attempt == b.Attempt && (b.State == Paying || b.State == Unknown) && l.ClosingAs == "":
		return "dead: a key that will never answer is waited for"
	case b.ClosingAs != "" && l.State.InFlight() && l.ClosingAs != b.ClosingAs && b.State != Review:
		return "closing: what it closes as is forgotten"
	case b.ClosingAs != "" && l.State == Open && b.State != Open:
		return "closing: open again"
	case b.ClosingAs != "" && l.State.Closed() && l.State != b.ClosingAs && !(l.State == Revoked && b.Revoke):
		return "closing: closed as something else"
	case b.Revoke && b.State.InFlight() && l.State == Open:
		return "closing: a revoke is forgotten"
	case l.ClosingAs != "" && !l.ClosingAs.Closed():
		return "closing: as no end"
	case has(SendCancel) && (l.IntentID == "" || !l.State.Closed() && (l.ClosingAs == "" || !l.State.InFlight() && l.State != Open)):
		return "closing: a cancel is sent that is not stored"
	case has(SendCancel) && has(SendConfirm):
		return "closing: a cancel and a confirm at once"
	}

	// When a confirm may be decided.
	if has(SendConfirm) {
		switch {
		case l.State != Paying && l.State != Unknown:
			return "I6: a send is decided in state " + string(l.State)
		case l.Revoke || l.ClosingAs != "":
			return "I6: a send is decided for what is to be stopped"
		case l.Phase == 1 && !e.Now.Before(l.ExpiresAt):
			return "I7: a send is decided after the end"
		case l.Phase == 2 && !e.Now.Before(l.LeaseUntil):
			return "I7: phase 2 is sent after its lease"
		case l.Phase == b.Phase && !claimed && l.Sends <= b.Sends && b.Sends < 2:
			return "I6: a copy that is not counted"
		}
		if claimed || l.Phase != b.Phase {
			if !l.LeaseUntil.Equal(e.Now.Add(ConfirmLease)) {
				return "I7: a confirm without its lease"
			}
		} else if l.LeaseUntil.After(b.LeaseUntil) {
			return "I7: a lease is prolonged"
		}
	}
	if b.State != NeedsAction && l.State == NeedsAction && l.LeaseUntil.After(sooner(e.Now.Add(ActionLease), b.ExpiresAt.Add(ActionGrace))) {
		return "I7: 3-D Secure has too long a lease"
	}
	switch {
	case !l.ExpiresAt.Equal(b.ExpiresAt) && (e.Kind != WasResent || b.State != Open || late || !has(ReplaceLink)):
		return "resend: the end moves"
	case has(ReplaceLink) && (e.Kind != WasResent || b.State != Open || late || !e.Bound || l.Resends != b.Resends+1 || l.Attempt != b.Attempt || l.Declines != b.Declines):
		return "resend: against a guard of T18"
	case b.State == Open && l.State == Open && l.ClosingAs == "" && late && (e.Kind == Tick || e.Kind == Claim || e.Kind == WasResent || e.Kind == WasRevoked):
		return "resend: open after its end"
	case b.State == Open && l.State == Expired && !late && e.Kind != NotHandedOver && b.ClosingAs == "" && !(e.Paused && b.IntentID == ""):
		return "I7: expired before its end"
	}

	// Money.
	switch {
	case has(BookPaid) && has(BookUnapplied):
		return "I4: booked both ways"
	case (has(BookPaid) || has(BookUnapplied)) && e.Kind != GotSuccess && !(e.Kind == Decided && b.State == Review && e.Charged > 0):
		return "I4: booked though Stripe has not said so"
	case has(BookPaid) != (l.State == Paid && b.State != Paid):
		return "I4: paid and the books disagree"
	case has(BookUnapplied) != (l.State == PaidAfterClose && b.State != PaidAfterClose):
		return "I4: money after closing and the books disagree"
	case has(BookPaid) && (!e.Bound || b.State.Closed()):
		return "bound: booked as paid though the quote broke, or after closing"
	case has(BookUnapplied) && !has(RaiseAlarm) && e.Kind != Decided:
		return "I4: unapplied money without an alarm"
	case has(BookUnapplied) && b.State.Closed() && l.Reason != Reason(b.State) && !e.Paused:
		return "I4: it is forgotten what it had closed as"
	case e.Kind == GotSuccess && !l.State.Booked() && l.State != Review:
		return "I4: a success is not booked"
	case l.State.Booked() && !b.State.Booked() && !begins(l):
		return "begins: money is booked as the money's model does not begin"
	case b.State.Booked() && l != b && e.Kind != GotMismatch:
		return "final: a card's echo moves money that is in the books"
	}

	// Reconcile-only mode.
	if e.Paused {
		switch {
		case has(SendConfirm) || claimed || has(ReplaceLink):
			return "backup: a payment goes on in the books of a backup"
		case has(BookPaid) && e.Kind != Decided:
			return "backup: money is applied in the books of a backup"
		case has(BookUnapplied) && e.Kind == GotSuccess && (!l.Held || l.Reason != ReasonRestored):
			return "backup: money that the backup does not know does not wait for a person"
		case !b.State.Closed() && l.State.Closed() && b.IntentID != "" && e.Kind != GotCanceled:
			return "backup: closed without an answered cancel"
		}
	}

	// What is forgotten by nobody.
	wants := l.State == Open || l.State.InFlight() || l.State.Closed() && l.CancelDue
	latest := e.Now.Add(3 * time.Minute)
	for _, t := range []time.Time{l.ExpiresAt, l.LeaseUntil} {
		if t.After(latest) {
			latest = t
		}
	}
	switch {
	case wants && l.NextAt.IsZero():
		return "due: nobody will look at it again"
	case wants && l.NextAt != b.NextAt && l.NextAt.After(latest):
		return "due: looked at too late"
	case l.CancelDue && l.State != b.State && !l.State.Closed() && l.State != Review:
		return "due: a cancel is due and it is not closed"
	case !wants && !l.NextAt.IsZero() && !l.State.Booked(): // of what is booked the money's model knows
		return "due: settled, and looked at for ever"
	case l.State.Closed() && !b.State.Closed() && l.IntentID != "" && !l.CancelDue && e.Kind != GotCanceled:
		return "due: closed, and nobody cancels"
	}
	return ""
}

// chargeBreaks says which rule is broken by what happened at Stripe between two moments: a charge by attempt n, counted from 0; n < 0: by whichever it holds.
func chargeBreaks(before, after moment, n int) string {
	if before.till.stands == charged || after.till.stands != charged {
		return ""
	}
	l := before.life
	switch {
	case before.restored(): // what was sent before the restore may charge: of that its books know nothing
	case l.State == Review: // it is frozen as it was, and a person decides
	case !l.State.InFlight():
		return "I6: charged while " + string(l.State)
	case n >= 0 && n != l.Attempt-1:
		return "I6: charged by an attempt that was over"
	}
	return ""
}

// breaks says which rule a moment breaks, "" for none.
func (m moment) breaks() string {
	l, t := m.life, m.till
	trying := uint8(0)
	if l.State.InFlight() {
		trying = 1 << l.Attempt
	}
	switch {
	// Told "you were not charged", by "try another card" or by "this link has ended".
	case l.State == Open && t.mayCharge() && !m.restored(): // then no page offers to pay
		return "told: open while a charge may still come"
	case l.State.Closed() && t.mayCharge() && !(m.restored() && l.IntentID == ""): // of its PaymentIntent the backup knows nothing
		return "told: closed while a charge may still come"
	case l.State.Closed() && !l.CancelDue && l.IntentID != "" && t.stands != canceledThere:
		return "told: closed for good, and the PaymentIntent is not canceled"
	case l.State.Booked() != m.booked, m.booked && t.stands != charged:
		return "I4: state, books and Stripe disagree"
	case t.cancel && l.State.Live() && l.ClosingAs == "" && l.State != Review && !m.restored():
		return "closing: a cancel is on its way that is not stored"
	case m.trying != trying && l.State != Review && !(m.trying == 0 && l.State.InFlight() && l.ClosingAs == Revoked): // a person has closed it
		return "rows: an attempt's row does not say what became of it"
	}
	return ""
}
