package pay

import (
	"fmt"
	"time"

	"paylink/internal/guard"
	"paylink/internal/money"
)

// EventKind is something that happens to a payment.
type EventKind string

const (
	Claim         EventKind = "claim"           // a payer presses the button
	GotIntent     EventKind = "got_intent"      // Stripe has made the PaymentIntent
	GotSuccess    EventKind = "got_success"     // Stripe says succeeded; id, account, amount and currency match
	GotDecline    EventKind = "got_decline"     // the bank said no, or authentication failed
	GotOwner      EventKind = "got_owner"       // the bank wants the owner of a card on file to be there
	GotAction     EventKind = "got_action"      // 3-D Secure is asked for
	GotReady      EventKind = "got_ready"       // 3-D Secure is done, the server has the last word
	GotRefusal    EventKind = "got_refusal"     // Stripe's 4xx other than a card error, and a GET shows no other effect
	GotNothing    EventKind = "got_nothing"     // an answer was lost: timeout, 5xx, 409
	GotDeadAnswer EventKind = "got_dead_answer" // a saved 500 is replayed for ever: this key will never answer
	NoTrace       EventKind = "no_trace"        // a GET shows nothing of this attempt
	StillRunning  EventKind = "still_running"   // Stripe says processing
	GotCanceled   EventKind = "got_canceled"    // Stripe says canceled
	GotMismatch   EventKind = "got_mismatch"    // amount, currency, id or account is not ours
	Tick          EventKind = "tick"            // time has passed
	WasRevoked    EventKind = "was_revoked"     // an agent, or the payer's "not for me"
	WasResent     EventKind = "was_resent"      // an agent sends a new link for the same payment
	NotHandedOver EventKind = "not_handed_over" // the text did not reach the carrier in time
	CreditCovers  EventKind = "credit_covers"   // the account's credit pays for everything
	AskedBack     EventKind = "asked_back"      // finance gives money back
	DroppedBack   EventKind = "dropped_back"    // finance says that a refund without an answer was never made
	GotBack       EventKind = "got_back"        // Stripe shows refunds or disputes that are not in the books as it shows them
	BackRefused   EventKind = "back_refused"    // Stripe's 4xx to a refund
	BackUnclear   EventKind = "back_unclear"    // the answer to a refund was lost
	BackDead      EventKind = "back_dead"       // a saved 500 is replayed for a refund
	Decided       EventKind = "decided"         // a person decides about money after closing, or a review
)

// Event is what happens, with the facts that decide, all read in one transaction. Every event about a card names its attempt.
type Event struct {
	Kind    EventKind
	Now     time.Time
	Attempt int           // number of the attempt that it speaks of
	Bound   bool          // the bound quote holds
	Reason  Reason        // for WasRevoked
	Intent  string        // for GotIntent
	Life    time.Duration // for WasResent: how long the new link lives
	Paused  bool          // the books are those of a backup: nothing is offered, everything closes, and a person decides about money
	Alone   bool          // no other payment of the account is in flight
	Many    bool          // money came after closing too often of late
	Charged money.Cents   // for GotSuccess and Decided: what Stripe shows as charged
	Amount  money.Cents   // for AskedBack: how much; for GotBack: given back in all, as Stripe shows it
	Settled bool          // for GotBack: the refund that was asked for is among them
	Waiting bool          // of money in the books: a refund or a dispute is not at its end
	Contest bool          // for GotBack: a dispute is new, or lost
	Failed  bool          // for GotBack: a refund has failed
	As      State         // for Decided: Paid, Applied, Refunded or Revoked
	Matches bool          // for Decided: what was charged is what was asked for
}

// EffectKind is something to do because of an event.
type EffectKind string

const (
	StartAttempt  EffectKind = "start_attempt"  // in the transaction: insert the attempt
	EndAttempt    EffectKind = "end_attempt"    // in the transaction: write what became of it
	BookPaid      EffectKind = "book_paid"      // in the transaction: invoice, ledger, Paid To Date
	BookUnapplied EffectKind = "book_unapplied" // in the transaction: money that belongs to nothing yet
	ReplaceLink   EffectKind = "replace_link"   // in the transaction: new link and text, the old link dies
	SendConfirm   EffectKind = "send_confirm"   // after it: confirm with the current phase's key
	SendCancel    EffectKind = "send_cancel"    // after it: cancel the PaymentIntent
	ShutDoor      EffectKind = "shut_door"      // after it: Redis forgets the link
	BookApplied   EffectKind = "book_applied"   // in the transaction: unapplied money pays for what it was meant for
	StartRefund   EffectKind = "start_refund"   // in the transaction: the refund's row, before anything is sent
	EndRefund     EffectKind = "end_refund"     // in the transaction: the refund that was asked for is not made
	BookBack      EffectKind = "book_back"      // in the transaction: what refunds and disputes have moved
	SendRefund    EffectKind = "send_refund"    // after it: look for the refund, and ask for it if it is not there
	RaiseAlarm    EffectKind = "raise_alarm"    // after it: tell a person
)

// Effect is one thing to do; Attempt and As belong to EndAttempt, Amount to StartRefund, Alarm to RaiseAlarm.
type Effect struct {
	Kind    EffectKind
	Attempt int
	As      AttemptState
	Amount  money.Cents
	Alarm   AlarmName
}

// Next decides everything: what becomes of a payment when something happens, and what is to be done about it. It is pure.
// An error means that nothing changes: ErrClosed, ErrElsewhere, ErrNotReady, ErrResends or ErrNeedsReview for what a person asked.
func Next(l Life, e Event) (Life, []Effect, error) {
	switch e.Kind {
	case GotMismatch:
		return mismatch(l)
	case GotIntent:
		return gotIntent(l, e)
	case GotSuccess:
		return succeeded(l, e)
	}
	switch e.Kind {
	case AskedBack, DroppedBack, GotBack, BackRefused, BackUnclear, BackDead:
		if !l.State.Booked() {
			return l, nil, ErrNotCharged
		}
	case Decided:
		if l.State == Open || l.State.InFlight() { // there is nothing to decide yet
			return l, nil, ErrNotCharged
		}
	}
	switch l.State {
	case Open:
		return open(l, e)
	case Paying, NeedsAction, Unknown:
		return inFlight(l, e)
	case Review:
		return whilePersonDecides(l, e)
	case Declined, Expired, Revoked, Locked, Superseded:
		return ended(l, e)
	case Paid, PaidAfterClose, Applied, Refunded:
		return booked(l, e)
	}
	return l, nil, fmt.Errorf("payment state %q: %w", l.State, errUnknownEvent)
}

// mismatch is T17. What is in the books already stays there: only that nothing more happens to it by itself.
func mismatch(l Life) (Life, []Effect, error) {
	switch {
	case l.State == Review:
		return l, nil, nil
	case l.State.Booked():
		l.Held = l.State == PaidAfterClose && l.Refunding == NoRefund // a refund that may have been sent is looked for on
		return l, []Effect{alarm(Mismatch)}, nil
	}
	l.State, l.Reason, l.NextAt = Review, ReasonMismatch, time.Time{}
	return l, append(effects(ShutDoor), alarm(Mismatch)), nil
}

func effects(kinds ...EffectKind) []Effect {
	out := make([]Effect, len(kinds))
	for i, k := range kinds {
		out[i].Kind = k
	}
	return out
}

// gotIntent stores the PaymentIntent's id, once. A payment that closed while its PaymentIntent was being made has it cancelled.
func gotIntent(l Life, e Event) (Life, []Effect, error) {
	if l.IntentID == e.Intent {
		return l, nil, nil
	}
	if l.IntentID != "" && guard.On(guard.IntentSame) || e.Intent == "" {
		return l, nil, errWrongIntent
	}
	l.IntentID = e.Intent
	if l.State.Closed() {
		return closeAs(l, e, l.State)
	}
	return l, nil, nil
}

// succeeded is T4 and T15: it may come at any time and from anywhere, and counts once.
func succeeded(l Life, e Event) (Life, []Effect, error) {
	if l.State.Booked() || l.State == Review {
		return l, nil, nil
	}
	ends := []Effect{{Kind: EndAttempt, Attempt: e.Attempt, As: Succeeded}}
	if l.State.InFlight() && e.Attempt != l.Attempt {
		ends = append(ends, Effect{Kind: EndAttempt, Attempt: l.Attempt, As: Abandoned})
	}
	l.NextAt, l.CancelDue, l.ClosingAs, l.Charged = time.Time{}, false, "", e.Charged
	was := l.State
	if was.Closed() && guard.On(guard.LateMoney) || !e.Bound && guard.On(guard.BoundT4) || e.Paused {
		// The reason says what it had closed as: T16 decides by that whether to apply or to refund.
		l.State, l.Reason, l.NextAt = PaidAfterClose, Reason(was), e.Now
		do := append(effects(BookUnapplied), alarm(LateMoney))
		if !was.Closed() {
			l.Reason = Reason(Superseded)
			do = append(effects(BookUnapplied, ShutDoor), alarm(LateMoney))
		}
		if e.Paused {
			l.Reason, l.Held = ReasonRestored, true
		}
		return l, append(do, ends...), nil
	}
	l.State, l.Reason = Paid, ""
	return l, append(effects(BookPaid, ShutDoor), ends...), nil
}

func open(l Life, e Event) (Life, []Effect, error) {
	if e.Paused || l.ClosingAs != "" {
		return openInBackup(l, e)
	}
	late := !e.Now.Before(l.ExpiresAt)
	switch e.Kind {
	case CreditCovers: // T25
		switch {
		case l.IntentID != "":
			return l, nil, errWrongIntent
		case !e.Bound:
			l.Reason = ReasonMoved
			return closeAs(l, e, Superseded)
		}
		l.State, l.NextAt = Paid, time.Time{}
		return l, effects(BookPaid), nil
	case Claim:
		switch {
		case late && guard.On(guard.ClaimTime): // T12, found by the payer before the sweeper
			return closeAs(l, e, Expired)
		case !e.Bound && guard.On(guard.BoundT3): // T19
			l.Reason = ReasonMoved
			return closeAs(l, e, Superseded)
		case l.Revoke:
			return closeAs(l, e, Revoked)
		case l.IntentID == "" && guard.On(guard.IntentStored):
			return l, nil, ErrNotReady
		case l.Declines >= MaxDeclines || l.Attempt >= MaxAttempts && guard.On(guard.MostAttempts):
			return closeAs(l, e, Locked)
		}
		l.State, l.Attempt, l.Phase, l.Sends, l.Looks = Paying, l.Attempt+1, 1, 1, 0
		l.LeaseUntil = e.Now.Add(ConfirmLease)
		l.NextAt = e.Now.Add(payingPoll)
		return l, effects(StartAttempt, SendConfirm), nil
	case Tick:
		switch {
		case late:
			return closeAs(l, e, Expired)
		case !e.Bound:
			l.Reason = ReasonMoved
			return closeAs(l, e, Superseded)
		}
		l.NextAt = l.ExpiresAt
		return l, nil, nil
	case WasRevoked:
		if late {
			return closeAs(l, e, Expired)
		}
		l.Reason = e.Reason
		return closeAs(l, e, Revoked)
	case WasResent:
		switch {
		case late:
			return closeAs(l, e, Expired)
		case !e.Bound:
			l.Reason = ReasonMoved
			return closeAs(l, e, Superseded)
		case l.Resends >= MaxResends && guard.On(guard.MostResends):
			return l, nil, ErrResends
		}
		l.Resends++
		l.ExpiresAt = e.Now.Add(e.Life)
		l.NextAt = l.ExpiresAt
		return l, effects(ReplaceLink), nil
	case NotHandedOver:
		l.Reason = ReasonNotSent
		return closeAs(l, e, Expired)
	case GotCanceled: // T21, from Stripe's dashboard
		l.Reason = ReasonDashboard
		return canceled(l, e)
	case GotDecline, GotOwner, GotRefusal, GotAction, GotReady, GotNothing, GotDeadAnswer, NoTrace, StillRunning:
		l.NextAt = l.ExpiresAt
		return l, nil, nil // an older attempt's echo: its row says already what became of it
	}
	return l, nil, errUnknownEvent
}

// openInBackup is a payment that was open when the backup was made: what became of it since nobody here knows, so that it closes by an answered cancel only.
// Once that has begun it goes on, even if the mode ends before.
func openInBackup(l Life, e Event) (Life, []Effect, error) {
	switch e.Kind {
	case Claim, WasResent, CreditCovers:
		if !e.Paused {
			return l, nil, ErrClosed
		}
		return l, nil, ErrPaused
	case GotCanceled:
		return canceled(l, e)
	case WasRevoked:
		l.Revoke, l.Reason = true, e.Reason
	}
	if l.ClosingAs == "" || l.Revoke {
		l.ClosingAs = Expired
		if l.Revoke {
			l.ClosingAs = Revoked
		}
	}
	if l.IntentID == "" || guard.Off(guard.ReconcileClose) { // there is nothing that could be charged
		return closeAs(l, e, l.ClosingAs)
	}
	return closing(l, e)
}

func inFlight(l Life, e Event) (Life, []Effect, error) {
	switch e.Kind {
	case Claim, WasResent, CreditCovers:
		if e.Paused {
			return l, nil, ErrPaused
		}
		if guard.Off(guard.ClaimState) {
			return open(l, e)
		}
		return l, nil, ErrElsewhere
	}
	if e.Paused && l.ClosingAs == "" {
		l.ClosingAs = Expired
		if l.Revoke || e.Kind == WasRevoked {
			l.ClosingAs = Revoked
		}
	}
	switch e.Kind {
	case WasRevoked: // T14: the payer is paying now; it is stopped if it still can be
		if !l.Revoke {
			l.Revoke, l.Reason, l.NextAt = guard.On(guard.RevokeFlag), e.Reason, sooner(l.NextAt, e.Now)
		}
		if l.State == NeedsAction {
			return closing(l, e)
		}
		return l, nil, nil
	case GotCanceled:
		if l.ClosingAs == "" && !l.Revoke {
			l.Reason = ReasonDashboard
		}
		return canceled(l, e)
	case NotHandedOver:
		return l, nil, nil // somebody has it already
	case Tick:
		return tick(l, e)
	}
	if e.Attempt != l.Attempt && guard.On(guard.Echo) {
		return l, nil, nil // an older attempt's echo
	}
	if l.LeaseUntil.IsZero() { // a person has closed it (T23): no attempt is under way, and what is said of a card changes nothing
		return tick(l, e)
	}
	if e.Paused && (e.Kind == GotDecline || e.Kind == GotRefusal) { // attempts that the backup does not know may be pending
		l.State = Unknown
		return closing(l, e)
	}
	switch e.Kind {
	case GotDecline:
		l.Declines++
		return afterNo(l, e, WasNo)
	case GotOwner: // after T20: the agent's charge becomes a link for the same payment
		l.Declines++
		if l.Revoke || l.ClosingAs != "" || !e.Bound || e.Paused {
			return afterNo(l, e, WasNo)
		}
		l.State, l.CardOnFile, l.LeaseUntil, l.Looks = Open, false, time.Time{}, 0
		l.ExpiresAt = e.Now.Add(e.Life)
		l.NextAt = l.ExpiresAt
		return l, append(effects(ReplaceLink), Effect{Kind: EndAttempt, Attempt: l.Attempt, As: WasNo}), nil
	case GotRefusal: // T22
		if l.State == Paying && (l.Phase == 1 || guard.Off(guard.RefusalPhase)) && (l.Sends == 1 || guard.Off(guard.RefusalCopy)) {
			return afterNo(l, e, Refused)
		}
		if l.State == NeedsAction {
			return tick(l, e)
		}
		return unknown(l, e)
	case GotAction:
		return action(l, e)
	case GotReady:
		return ready(l, e)
	case StillRunning:
		return unknown(l, e)
	case GotNothing: // T10; in 3-D Secure no request of ours is under way whose answer could be lost
		if l.State == NeedsAction {
			return tick(l, e)
		}
		return unknown(l, e)
	case GotDeadAnswer:
		if l.State == NeedsAction {
			return tick(l, e)
		}
		if guard.Off(guard.DeadAnswer) {
			return unknown(l, e)
		}
		l.State = Unknown
		return closing(l, e)
	case NoTrace:
		return noTrace(l, e)
	}
	return l, nil, errUnknownEvent
}

// tick is time passing over an attempt: T9 and T10.
func tick(l Life, e Event) (Life, []Effect, error) {
	over := !e.Now.Before(l.LeaseUntil)
	switch l.State {
	case Paying:
		if over {
			return unknown(l, e)
		}
		l.NextAt = sooner(l.LeaseUntil, e.Now.Add(payingPoll))
		return l, nil, nil
	case NeedsAction:
		if over || l.Revoke || l.ClosingAs != "" {
			return closing(l, e)
		}
		l.NextAt = e.Now.Add(actionPoll)
		return l, nil, nil
	case Unknown:
		if l.ClosingAs != "" {
			return closing(l, e)
		}
		l.NextAt = e.Now.Add(wait(l.Looks))
		return l, nil, nil
	}
	return l, nil, errUnknownEvent
}

// afterNo is T5, T6, T20 and T22: nothing is pending, so that a payment closes here without waiting for a cancel.
func afterNo(l Life, e Event, as AttemptState) (Life, []Effect, error) {
	end := Effect{Kind: EndAttempt, Attempt: l.Attempt, As: as}
	next := Open
	switch {
	case l.Revoke:
		next = Revoked
	case l.ClosingAs != "":
		next = l.ClosingAs
	case l.CardOnFile && guard.On(guard.SavedDeclined):
		next = Declined
	case l.Declines >= MaxDeclines && guard.On(guard.FiveDeclines):
		next = Locked
	case !e.Now.Before(l.ExpiresAt):
		next = Expired
	}
	if next != Open {
		l, do, err := closeAs(l, e, next)
		return l, append(do, end), err
	}
	l.State, l.LeaseUntil, l.NextAt, l.Looks = Open, time.Time{}, l.ExpiresAt, 0
	return l, []Effect{end}, nil
}

// action is T7, and T11 towards it.
func action(l Life, e Event) (Life, []Effect, error) {
	switch {
	case l.State == Paying && l.Phase != 1: // it may have been read before phase 2 began: the next look knows
		return unknown(l, e)
	case l.Phase != 1 && guard.On(guard.PhaseBack): // a phase never goes back
		l.State = Unknown
		return closing(l, e)
	case l.State == NeedsAction:
		return tick(l, e)
	}
	was := l
	l.State, l.Looks = NeedsAction, 0
	l.LeaseUntil = sooner(e.Now.Add(ActionLease), l.ExpiresAt.Add(ActionGrace))
	l.NextAt = e.Now.Add(actionPoll)
	if was.Revoke || was.ClosingAs != "" || !e.Now.Before(l.LeaseUntil) {
		return closing(l, e)
	}
	return l, nil, nil
}

// ready is T8: 3-D Secure was passed, and the server decides whether money moves.
func ready(l Life, e Event) (Life, []Effect, error) {
	switch {
	case l.Revoke || l.ClosingAs != "" || !e.Now.Before(l.LeaseUntil) && guard.On(guard.ActionLease):
		if l.State == Paying {
			l.State = Unknown
		}
		return closing(l, e)
	case l.State == Paying && l.Phase == 2: // its confirm is on its way
		return tick(l, e)
	case l.Phase == 2: // its confirm has left no trace: the same again
		l.Sends++
		return resend(l, e)
	case !e.Bound && guard.On(guard.BoundT8): // T19
		if l.State == Paying {
			l.State = Unknown
		}
		l.Reason, l.ClosingAs = ReasonMoved, Superseded
		return closing(l, e)
	}
	l.State, l.Phase, l.Sends, l.Looks = Paying, 2, 1, 0
	l.LeaseUntil = e.Now.Add(ConfirmLease)
	l.NextAt = e.Now.Add(payingPoll)
	return l, effects(SendConfirm), nil
}

// noTrace is decision 5: without a trace, the stored request is sent again under its key while that is allowed; else the PaymentIntent is cancelled.
func noTrace(l Life, e Event) (Life, []Effect, error) {
	if l.State != Unknown {
		return tick(l, e)
	}
	inTime := e.Now.Before(l.ExpiresAt)
	if l.Phase == 2 && guard.On(guard.Phase2Lease) {
		inTime = e.Now.Before(l.LeaseUntil)
	}
	if l.Revoke || l.ClosingAs != "" || !inTime && guard.On(guard.SendTime) {
		return closing(l, e)
	}
	l.Sends++
	return resend(l, e)
}

func resend(l Life, e Event) (Life, []Effect, error) {
	l.State = Unknown
	return again(l, e, effects(SendConfirm))
}

// unknown is T10: never "failed", never open again without a trace.
func unknown(l Life, e Event) (Life, []Effect, error) {
	if guard.Off(guard.UnknownState) {
		return afterNo(l, e, WasNo)
	}
	l.State = Unknown
	return again(l, e, nil)
}

// closing stores what the payment will close as, and asks Stripe to cancel. It closes when the cancel has been answered (T9, T11, T21).
func closing(l Life, e Event) (Life, []Effect, error) {
	if l.ClosingAs == "" && guard.On(guard.ClosingAs) {
		l.ClosingAs = Expired
		if l.Revoke {
			l.ClosingAs = Revoked
		}
	}
	if guard.Off(guard.CancelFirst) {
		return closeAs(l, e, l.ClosingAs)
	}
	return again(l, e, effects(SendCancel))
}

// canceled is T21: Stripe has answered that nothing will ever be charged.
func canceled(l Life, e Event) (Life, []Effect, error) {
	as := l.ClosingAs
	if as == "" {
		as = Revoked
	}
	end := Effect{Kind: EndAttempt, Attempt: l.Attempt, As: Abandoned}
	inFlight := l.State.InFlight()
	l, do, err := closeAs(l, e, as)
	l.CancelDue, l.NextAt = false, time.Time{}
	do = slicesWithout(do, SendCancel)
	if inFlight {
		do = append(do, end)
	}
	return l, do, err
}

// closeAs ends a payment without money. The cancel follows until Stripe has answered it.
func closeAs(l Life, e Event, as State) (Life, []Effect, error) {
	l.State, l.ClosingAs, l.LeaseUntil, l.Looks = as, "", time.Time{}, 0
	if l.IntentID == "" {
		l.NextAt = time.Time{}
		return l, effects(ShutDoor), nil
	}
	l.CancelDue = guard.On(guard.CancelDue)
	l.NextAt = e.Now.Add(wait(0))
	return l, effects(SendCancel, ShutDoor), nil
}

func ended(l Life, e Event) (Life, []Effect, error) {
	switch e.Kind {
	case Claim, WasResent, WasRevoked, CreditCovers, Decided:
		return l, nil, ErrClosed
	case GotCanceled:
		l.CancelDue, l.NextAt = false, time.Time{}
		return l, nil, nil
	case Tick:
		if !l.CancelDue {
			l.NextAt = time.Time{}
			return l, nil, nil
		}
		return again(l, e, effects(SendCancel))
	case GotDecline, GotOwner, GotRefusal, GotAction, GotReady, GotNothing, GotDeadAnswer, NoTrace, StillRunning, NotHandedOver:
		if !l.CancelDue {
			l.NextAt = time.Time{}
		}
		return l, nil, nil
	}
	return l, nil, errUnknownEvent
}

// actionPoll is how often a payment in 3-D Secure is looked at: no webhook announces requires_confirmation.
const actionPoll = 10 * time.Second

// payingPoll is how often a payment whose confirm is on its way is looked at: the process that sent it may be gone, or may have got an answer that it could not
// write down, and nobody need wait for the end of the lease to be told what Stripe shows already.
const payingPoll = 5 * time.Second

// alarmLooks is after how many fruitless looks in a row, some quarter of an hour, a person has to know (I11); from then on there is one every few minutes.
const alarmLooks = 120

// wait is how long until the next look, after so many fruitless ones: 1, 2, 4, 8 seconds and at first no longer, since a payer may be waiting for the truth.
func wait(looks int) time.Duration {
	if looks > alarmLooks {
		return 3 * time.Minute
	}
	return time.Second << min(looks, 3)
}

// again counts a fruitless look, sets the next, and calls for a person when there have been too many.
func again(l Life, e Event, do []Effect) (Life, []Effect, error) {
	l.NextAt = e.Now.Add(wait(l.Looks))
	l.Looks++
	if l.Looks == alarmLooks {
		do = append(do, alarm(Unsettled))
	}
	return l, do, nil
}

func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func slicesWithout(do []Effect, kind EffectKind) []Effect {
	out := do[:0]
	for _, d := range do {
		if d.Kind != kind {
			out = append(out, d)
		}
	}
	return out
}
