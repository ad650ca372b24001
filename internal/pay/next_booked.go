package pay

import (
	"time"

	"paylink/internal/guard"
	"paylink/internal/money"
)

// Refunding says whether a refund waits for Stripe's answer.
type Refunding int

const (
	NoRefund    Refunding = iota
	RefundAsked           // its row is written: it is looked for, and asked for if it is not there
	RefundStuck           // its key will never answer: it is looked for and not asked for again, until a person says that it was not made
)

// waitForBank is how often a payment with a refund or a dispute that is not at its end is looked at; that can take days.
const waitForBank = time.Hour

// booked is what may happen to money that is in the books: it is applied (T16), goes back, is disputed. While the bank has not come to its end it is looked at.
func booked(l Life, e Event) (Life, []Effect, error) {
	next, do, err := inBooks(l, e)
	if err == nil && next != l && next.NextAt.IsZero() && e.Waiting {
		next.NextAt = e.Now.Add(waitForBank)
	}
	return next, do, err
}

func inBooks(l Life, e Event) (Life, []Effect, error) {
	switch e.Kind {
	case Claim, WasResent, WasRevoked, CreditCovers:
		return l, nil, ErrClosed
	case GotCanceled: // Stripe never cancels what has succeeded: somebody's books are wrong
		return mismatch(l)
	case Tick:
		switch {
		case l.Refunding != NoRefund:
			return again(l, e, effects(SendRefund))
		case l.State == PaidAfterClose && !l.Held:
			return lateMoney(l, e)
		}
		l.NextAt, l.Looks = time.Time{}, 0
		if e.Waiting {
			l.NextAt = e.Now.Add(waitForBank)
		}
		return l, nil, nil
	case Decided:
		return decidedOnLateMoney(l, e)
	case AskedBack:
		switch {
		case !l.State.Sold():
			return l, nil, ErrNeedsReview
		case l.Refunding != NoRefund && guard.On(guard.OneRefund):
			return l, nil, ErrRefunding
		case !e.Alone && guard.On(guard.RefundAlone):
			return l, nil, ErrAccountBusy
		case e.Amount <= 0 || e.Amount > l.Charged-l.GivenBack && guard.On(guard.RefundMost):
			return l, nil, ErrTooMuch
		}
		return giveBack(l, e, e.Amount)
	case DroppedBack:
		if l.Refunding != RefundStuck {
			return l, nil, ErrRefunding
		}
		l.Refunding, l.NextAt, l.Held = NoRefund, time.Time{}, l.State == PaidAfterClose
		return l, effects(EndRefund), nil
	case GotBack:
		return gotBack(l, e)
	case BackRefused:
		if l.Refunding == NoRefund {
			return l, nil, nil
		}
		l.Refunding, l.NextAt, l.Held = NoRefund, time.Time{}, l.State == PaidAfterClose
		return l, append(effects(EndRefund), alarm(RefundRefused)), nil
	case BackUnclear:
		return again(l, e, nil)
	case BackDead:
		if l.Refunding != RefundAsked {
			return l, nil, nil
		}
		l.Refunding = RefundStuck
		return again(l, e, []Effect{alarm(RefundUnclear)})
	case GotDecline, GotOwner, GotRefusal, GotAction, GotReady, GotNothing, GotDeadAnswer, NoTrace, StillRunning, NotHandedOver:
		return l, nil, nil // an echo of what was before
	}
	return l, nil, errUnknownEvent
}

// lateMoney is T16 by itself: money that came after closing is applied if it still buys what it was meant for, else it goes back.
func lateMoney(l Life, e Event) (Life, []Effect, error) {
	switch {
	case e.Paused || e.Many && guard.On(guard.LateMany) || l.Reason == ReasonRestored:
		l.Held, l.NextAt = true, time.Time{}
		return l, []Effect{alarm(LateMoneyHeld)}, nil
	case (l.Reason == Reason(Expired) || guard.Off(guard.LateReason)) && (e.Bound || guard.Off(guard.LateBound)) && (e.Alone || guard.Off(guard.LateAlone)) && l.GivenBack == 0:
		return apply(l)
	}
	return giveBack(l, e, l.Charged-l.GivenBack)
}

// decidedOnLateMoney is T16 by a person.
func decidedOnLateMoney(l Life, e Event) (Life, []Effect, error) {
	switch {
	case l.State != PaidAfterClose:
		return l, nil, ErrClosed
	case l.Refunding != NoRefund:
		return l, nil, ErrRefunding
	case e.As == Applied && (!e.Bound || l.GivenBack != 0):
		return l, nil, ErrTotalMoved
	case e.As == Applied && !e.Alone:
		return l, nil, ErrAccountBusy
	case e.As == Applied:
		return apply(l)
	case e.As == Refunded:
		return giveBack(l, e, l.Charged-l.GivenBack)
	}
	return l, nil, ErrNeedsReview
}

func apply(l Life) (Life, []Effect, error) {
	l.State, l.Held, l.NextAt = Applied, false, time.Time{}
	return l, effects(BookApplied), nil
}

// giveBack writes a refund down before anything is sent.
func giveBack(l Life, e Event, amount money.Cents) (Life, []Effect, error) {
	l.Refunding, l.Held, l.Looks = RefundAsked, false, 0
	l.NextAt = e.Now.Add(ConfirmWithin)
	return l, []Effect{{Kind: StartRefund, Amount: amount}, {Kind: SendRefund}}, nil
}

// gotBack is Stripe's word on refunds and disputes: money has gone back, a refund has failed, somebody disputes the charge.
func gotBack(l Life, e Event) (Life, []Effect, error) {
	do := effects(BookBack)
	if e.Contest {
		do = append(do, alarm(Disputed))
	}
	failed := e.Failed || e.Amount < l.GivenBack
	l.GivenBack = e.Amount
	if e.Settled {
		l.Refunding, l.Looks = NoRefund, 0
	}
	switch {
	case l.State == PaidAfterClose && l.GivenBack >= l.Charged:
		l.State, l.Held = Refunded, false
	case l.State == Refunded && l.GivenBack < l.Charged:
		l.State, l.Held = PaidAfterClose, l.Refunding == NoRefund // a person decides how the money goes back now, unless another refund is under way
	case l.State == PaidAfterClose && e.Settled && l.Refunding == NoRefund:
		l.Held = true // the refund failed at once
	}
	if failed {
		do = append(do, alarm(RefundCameBack))
	}
	switch {
	case l.Refunding != NoRefund:
		return again(l, e, do)
	case e.Waiting:
		l.NextAt = e.Now.Add(waitForBank)
	case l.State == PaidAfterClose && !l.Held:
		l.NextAt = e.Now
	default:
		l.NextAt = time.Time{}
	}
	return l, do, nil
}

// whilePersonDecides is a payment in review: nothing happens to it but what finance decides (T23), by what Stripe shows of the charge.
func whilePersonDecides(l Life, e Event) (Life, []Effect, error) {
	switch e.Kind {
	case Claim, WasResent, WasRevoked, CreditCovers:
		return l, nil, ErrNeedsReview
	case Decided:
	default:
		l.NextAt = time.Time{}
		return l, nil, nil
	}
	ends := []Effect{{Kind: EndAttempt, Attempt: e.Attempt, As: Succeeded}}
	if e.Attempt != l.Attempt {
		ends = append(ends, Effect{Kind: EndAttempt, Attempt: l.Attempt, As: Abandoned})
	}
	switch {
	case e.As == Revoked && e.Charged != 0:
		return l, nil, ErrCharged
	case e.As == Revoked && l.IntentID != "": // a charge may still be on its way: it closes once the cancel is answered
		l.State, l.ClosingAs, l.Revoke, l.Reason, l.CancelDue, l.LeaseUntil, l.Looks = Unknown, Revoked, true, ReasonReview, false, time.Time{}, 0
		return closing(l, e)
	case e.As == Revoked:
		l.Reason = ReasonReview
		l, do, err := closeAs(l, e, Revoked)
		return l, append(do, Effect{Kind: EndAttempt, Attempt: l.Attempt, As: Abandoned}), err
	case e.Charged == 0:
		return l, nil, ErrNotCharged
	case e.As == Paid && (!e.Bound || !e.Matches):
		return l, nil, ErrTotalMoved
	case e.As == Paid:
		// What went back while a person was deciding is looked for at once.
		l.State, l.Reason, l.Charged, l.NextAt, l.CancelDue, l.ClosingAs = Paid, "", e.Charged, e.Now, false, ""
		return l, append(effects(BookPaid, ShutDoor), ends...), nil
	case e.As == Refunded:
		l.State, l.Reason, l.Charged, l.CancelDue, l.ClosingAs = PaidAfterClose, ReasonReview, e.Charged, false, ""
		l, do, err := giveBack(l, e, l.Charged)
		return l, append(append(effects(BookUnapplied, ShutDoor), ends...), do...), err
	}
	return l, nil, ErrNeedsReview
}
