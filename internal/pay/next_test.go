package pay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"paylink/internal/money"
)

var (
	allStates = []State{Open, Paying, NeedsAction, Unknown, Paid, Declined, Expired, Revoked, Locked, Superseded, PaidAfterClose, Applied, Refunded, Review}
	allEvents = []EventKind{
		Claim, GotIntent, GotSuccess, GotDecline, GotAction, GotReady, GotRefusal, GotNothing, GotDeadAnswer, NoTrace, StillRunning, GotCanceled, GotMismatch,
		Tick, WasRevoked, WasResent, NotHandedOver, CreditCovers, AskedBack, DroppedBack, GotBack, BackRefused, BackUnclear, BackDead, Decided,
	}
)

// charge is what the payments of these tests cost; half of it is a part.
const charge, half = 9858, 4929

// at is a moment after the payment was sent; its link is good for ten minutes.
func at(d time.Duration) time.Time {
	return time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC).Add(d)
}

const linkLife = 10 * time.Minute

// in returns a payment's life in a state, as the machine itself would have brought it there by the second attempt, one minute after it was sent.
func in(s State, change ...func(*Life)) Life {
	l := Life{State: s, IntentID: "pi_1", ExpiresAt: at(linkLife), Attempt: 2, Phase: 1, Sends: 1, Declines: 1}
	switch s {
	case Open:
		l.NextAt = l.ExpiresAt
	case Paying:
		l.LeaseUntil = at(2 * time.Minute)
		l.NextAt = l.LeaseUntil
	case NeedsAction:
		l.LeaseUntil = at(6 * time.Minute)
		l.NextAt = at(time.Minute + actionPoll)
	case Unknown:
		l.LeaseUntil = at(2 * time.Minute)
		l.NextAt = at(time.Minute + time.Second)
	case Paid, Applied:
		l.Charged = charge
	case PaidAfterClose:
		l.Charged, l.Reason, l.NextAt = charge, Reason(Expired), at(time.Minute)
	case Refunded:
		l.Charged, l.GivenBack, l.Reason = charge, charge, Reason(Expired)
	}
	for _, f := range change {
		f(&l)
	}
	return l
}

func revokeWaits(l *Life)               { l.Revoke, l.Reason = true, ReasonAgent }
func phase2(l *Life)                    { l.Phase = 2 }
func declines(n int) func(*Life)        { return func(l *Life) { l.Declines = n } }
func tries(n int) func(*Life)           { return func(l *Life) { l.Attempt = n } }
func closingAs(s State) func(*Life)     { return func(l *Life) { l.ClosingAs = s } }
func cancelDue(l *Life)                 { l.CancelDue, l.NextAt = true, at(time.Minute) }
func onFile(l *Life)                    { l.CardOnFile = true }
func noIntent(l *Life)                  { l.IntentID = "" }
func sent(n int) func(*Life)            { return func(l *Life) { l.Sends = n } }
func resent(n int) func(*Life)          { return func(l *Life) { l.Resends = n } }
func late(r State) func(*Life)          { return func(l *Life) { l.Reason = Reason(r) } }
func held(l *Life)                      { l.Held, l.NextAt = true, time.Time{} }
func asked(l *Life)                     { l.Refunding, l.NextAt = RefundAsked, at(time.Minute) }
func stuck(l *Life)                     { l.Refunding, l.NextAt = RefundStuck, at(time.Minute) }
func back(n money.Cents) func(*Life)    { return func(l *Life) { l.GivenBack = n } }
func lease(d time.Duration) func(*Life) { return func(l *Life) { l.LeaseUntil = at(d) } }
func kinds(do []Effect) (out []EffectKind) {
	for _, d := range do {
		out = append(out, d.Kind)
	}
	return out
}

// TestEveryRowOfTheTable goes through the table of payments.md, row by row and guard by guard.
func TestEveryRowOfTheTable(t *testing.T) {
	minute := at(time.Minute)
	end := at(linkLife)
	for _, c := range []struct {
		name  string
		from  Life
		event Event // of attempt 2, one minute after the sending, with the quote holding, unless said
		to    State
		do    []EffectKind
		err   error
		also  func(Life) bool
	}{
		{name: "T3 a payer pays", from: in(Open), event: Event{Kind: Claim}, to: Paying, do: []EffectKind{StartAttempt, SendConfirm},
			also: func(l Life) bool {
				return l.Attempt == 3 && l.Phase == 1 && l.Sends == 1 && l.LeaseUntil.Equal(minute.Add(ConfirmLease)) && l.NextAt.Equal(minute.Add(payingPoll))
			}},
		{name: "T3 not without a PaymentIntent", from: in(Open, noIntent), event: Event{Kind: Claim}, to: Open, err: ErrNotReady},
		{name: "T3 not while another attempt pays", from: in(Paying), event: Event{Kind: Claim}, to: Paying, err: ErrElsewhere},
		{name: "T3 not in 3-D Secure", from: in(NeedsAction), event: Event{Kind: Claim}, to: NeedsAction, err: ErrElsewhere},
		{name: "T3 not while unknown", from: in(Unknown), event: Event{Kind: Claim}, to: Unknown, err: ErrElsewhere},
		{name: "T3 not after the end", from: in(Expired), event: Event{Kind: Claim}, to: Expired, err: ErrClosed},
		{name: "T3 not while a person decides", from: in(Review), event: Event{Kind: Claim}, to: Review, err: ErrNeedsReview},
		{name: "T3 one millisecond before the end", from: in(Open), event: Event{Kind: Claim, Now: end.Add(-time.Millisecond)}, to: Paying, do: []EffectKind{StartAttempt, SendConfirm}},
		{name: "T12 found by the payer", from: in(Open), event: Event{Kind: Claim, Now: end}, to: Expired, do: []EffectKind{SendCancel, ShutDoor}},
		{name: "T19 found by the payer", from: in(Open), event: Event{Kind: Claim, Bound: false}, to: Superseded, do: []EffectKind{SendCancel, ShutDoor}, also: because(ReasonMoved)},
		{name: "T3 five declines never pay", from: in(Open, declines(5)), event: Event{Kind: Claim}, to: Locked, do: []EffectKind{SendCancel, ShutDoor}},

		{name: "T3 fifteen tries lock", from: in(Open, tries(MaxAttempts)), event: Event{Kind: Claim}, to: Locked, do: []EffectKind{SendCancel, ShutDoor}},

		{name: "T4 from open", from: in(Open), event: Event{Kind: GotSuccess}, to: Paid, do: []EffectKind{BookPaid, ShutDoor, EndAttempt}, also: settled},
		{name: "T4 from paying", from: in(Paying), event: Event{Kind: GotSuccess}, to: Paid, do: []EffectKind{BookPaid, ShutDoor, EndAttempt}, also: settled},
		{name: "T4 from needs_action", from: in(NeedsAction), event: Event{Kind: GotSuccess}, to: Paid, do: []EffectKind{BookPaid, ShutDoor, EndAttempt}, also: settled},
		{name: "T4 from unknown", from: in(Unknown), event: Event{Kind: GotSuccess}, to: Paid, do: []EffectKind{BookPaid, ShutDoor, EndAttempt}, also: settled},
		{name: "T4 though it is late", from: in(Paying), event: Event{Kind: GotSuccess, Now: at(time.Hour)}, to: Paid, do: []EffectKind{BookPaid, ShutDoor, EndAttempt}},
		{name: "T4 though a revoke waits", from: in(Paying, revokeWaits), event: Event{Kind: GotSuccess}, to: Paid, do: []EffectKind{BookPaid, ShutDoor, EndAttempt}},
		{name: "T4 though a cancel was asked for", from: in(Unknown, closingAs(Expired)), event: Event{Kind: GotSuccess}, to: Paid, do: []EffectKind{BookPaid, ShutDoor, EndAttempt},
			also: func(l Life) bool { return l.ClosingAs == "" && settled(l) }},
		{name: "T4 by an older attempt", from: in(Paying), event: Event{Kind: GotSuccess, Attempt: 1}, to: Paid, do: []EffectKind{BookPaid, ShutDoor, EndAttempt, EndAttempt}},
		{name: "T4 the bound quote fails", from: in(Paying), event: Event{Kind: GotSuccess, Bound: false}, to: PaidAfterClose, do: []EffectKind{BookUnapplied, ShutDoor, RaiseAlarm, EndAttempt},
			also: because(Reason(Superseded))},

		{name: "T5 declined", from: in(Paying), event: Event{Kind: GotDecline}, to: Open, do: []EffectKind{EndAttempt}, also: func(l Life) bool {
			return l.Declines == 2 && l.LeaseUntil.IsZero() && l.NextAt.Equal(l.ExpiresAt)
		}},
		{name: "an older attempt's no", from: in(Paying), event: Event{Kind: GotDecline, Attempt: 1}, to: Paying, also: func(l Life) bool { return l.Declines == 1 }},
		{name: "T6 declined and late", from: in(Paying), event: Event{Kind: GotDecline, Now: end}, to: Expired, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},
		{name: "T6 declined and revoked", from: in(Paying, revokeWaits), event: Event{Kind: GotDecline}, to: Revoked, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},
		{name: "T6 the fifth decline", from: in(Paying, declines(4)), event: Event{Kind: GotDecline}, to: Locked, do: []EffectKind{SendCancel, ShutDoor, EndAttempt},
			also: func(l Life) bool { return l.Declines == 5 }},
		{name: "T6 the fifth decline, revoked", from: in(Paying, declines(4), revokeWaits), event: Event{Kind: GotDecline}, to: Revoked, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},

		{name: "T7 the bank asks", from: in(Paying), event: Event{Kind: GotAction}, to: NeedsAction, also: func(l Life) bool {
			return l.LeaseUntil.Equal(minute.Add(ActionLease)) && l.NextAt.Equal(minute.Add(actionPoll))
		}},
		{name: "T7 near the end", from: in(Paying), event: Event{Kind: GotAction, Now: at(9 * time.Minute)}, to: NeedsAction,
			also: func(l Life) bool { return l.LeaseUntil.Equal(end.Add(ActionGrace)) }},
		{name: "T7 revoked meanwhile", from: in(Paying, revokeWaits), event: Event{Kind: GotAction}, to: NeedsAction, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Revoked }},
		{name: "T7 a phase never goes back", from: in(Unknown, phase2), event: Event{Kind: GotAction}, to: Unknown, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.Phase == 2 && l.ClosingAs == Expired }},
		{name: "T7 what was read before phase 2 cancels nothing", from: in(Paying, phase2), event: Event{Kind: GotAction}, to: Unknown,
			also: func(l Life) bool { return l.Phase == 2 && l.ClosingAs == "" }},

		{name: "T8 3-D Secure passed", from: in(NeedsAction), event: Event{Kind: GotReady}, to: Paying, do: []EffectKind{SendConfirm},
			also: func(l Life) bool { return l.Phase == 2 && l.Sends == 1 && l.LeaseUntil.Equal(minute.Add(ConfirmLease)) }},
		{name: "T8 in time by its lease, though after the link's end", from: in(NeedsAction, lease(12*time.Minute)), event: Event{Kind: GotReady, Now: at(11 * time.Minute)}, to: Paying,
			do: []EffectKind{SendConfirm}},
		{name: "T8 not after the lease", from: in(NeedsAction), event: Event{Kind: GotReady, Now: at(6 * time.Minute)}, to: NeedsAction, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Expired }},
		{name: "T8 not if revoked", from: in(NeedsAction, revokeWaits), event: Event{Kind: GotReady}, to: NeedsAction, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Revoked }},
		{name: "T8 not while closing", from: in(NeedsAction, closingAs(Expired)), event: Event{Kind: GotReady}, to: NeedsAction, do: []EffectKind{SendCancel}},
		{name: "T19 found at T8", from: in(NeedsAction), event: Event{Kind: GotReady, Bound: false}, to: NeedsAction, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Superseded && l.Reason == ReasonMoved }},
		{name: "T8 a second look while phase 2 is on its way", from: in(Paying, phase2), event: Event{Kind: GotReady}, to: Paying,
			also: func(l Life) bool { return l.Sends == 1 && l.NextAt.Equal(minute.Add(payingPoll)) }},

		{name: "T9 authentication failed", from: in(NeedsAction), event: Event{Kind: GotDecline}, to: Open, do: []EffectKind{EndAttempt}},
		{name: "T9 the fifth", from: in(NeedsAction, declines(4)), event: Event{Kind: GotDecline}, to: Locked, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},
		{name: "T9 failed and late", from: in(NeedsAction, lease(12*time.Minute)), event: Event{Kind: GotDecline, Now: at(11 * time.Minute)}, to: Expired,
			do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},
		{name: "T9 lease over, in time", from: in(NeedsAction), event: Event{Kind: Tick, Now: at(6 * time.Minute)}, to: NeedsAction, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Expired && !l.CancelDue }},
		{name: "T9 the cancel is answered", from: in(NeedsAction, closingAs(Expired)), event: Event{Kind: GotCanceled}, to: Expired, do: []EffectKind{ShutDoor, EndAttempt}, also: settled},
		{name: "T9 nothing yet", from: in(NeedsAction), event: Event{Kind: NoTrace}, to: NeedsAction, also: func(l Life) bool { return l.NextAt.Equal(minute.Add(actionPoll)) }},

		{name: "T10 lost answer", from: in(Paying), event: Event{Kind: GotNothing}, to: Unknown, also: func(l Life) bool { return l.NextAt.Equal(minute.Add(time.Second)) }},
		{name: "T10 lease over", from: in(Paying), event: Event{Kind: Tick, Now: at(2 * time.Minute)}, to: Unknown},
		{name: "T10 the lease holds", from: in(Paying), event: Event{Kind: Tick}, to: Paying},
		{name: "T10 processing", from: in(Paying), event: Event{Kind: StillRunning}, to: Unknown},
		{name: "T10 nothing of ours is under way in 3-D Secure", from: in(NeedsAction), event: Event{Kind: GotNothing}, to: NeedsAction},

		{name: "T11 declined", from: in(Unknown), event: Event{Kind: GotDecline}, to: Open, do: []EffectKind{EndAttempt}},
		{name: "T11 3-D Secure", from: in(Unknown), event: Event{Kind: GotAction}, to: NeedsAction},
		{name: "T11 ready, phase 1", from: in(Unknown), event: Event{Kind: GotReady}, to: Paying, do: []EffectKind{SendConfirm}, also: func(l Life) bool { return l.Phase == 2 }},
		{name: "T11 ready, phase 2: the same again", from: in(Unknown, phase2), event: Event{Kind: GotReady}, to: Unknown, do: []EffectKind{SendConfirm},
			also: func(l Life) bool { return l.Phase == 2 && l.Sends == 2 }},
		{name: "T11 ready, phase 2, lease over", from: in(Unknown, phase2), event: Event{Kind: GotReady, Now: at(2 * time.Minute)}, to: Unknown, do: []EffectKind{SendCancel}},
		{name: "decision 5: no trace, in time: the same again", from: in(Unknown), event: Event{Kind: NoTrace}, to: Unknown, do: []EffectKind{SendConfirm},
			also: func(l Life) bool { return l.Sends == 2 && l.Attempt == 2 && l.Phase == 1 }},
		{name: "decision 5: no trace, late", from: in(Unknown), event: Event{Kind: NoTrace, Now: end}, to: Unknown, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Expired }},
		{name: "decision 5: no trace, revoked", from: in(Unknown, revokeWaits), event: Event{Kind: NoTrace}, to: Unknown, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Revoked }},
		{name: "decision 5: no trace in phase 2, lease over", from: in(Unknown, phase2), event: Event{Kind: NoTrace, Now: at(2 * time.Minute)}, to: Unknown, do: []EffectKind{SendCancel}},
		{name: "decision 5: a replayed 500", from: in(Paying), event: Event{Kind: GotDeadAnswer}, to: Unknown, do: []EffectKind{SendCancel}, also: func(l Life) bool { return l.ClosingAs == Expired }},

		{name: "T12 the sweeper comes by", from: in(Open), event: Event{Kind: Tick, Now: end}, to: Expired, do: []EffectKind{SendCancel, ShutDoor}, also: func(l Life) bool { return l.CancelDue && !l.NextAt.IsZero() }},
		{name: "T12 nothing to cancel", from: in(Open, noIntent), event: Event{Kind: Tick, Now: end}, to: Expired, do: []EffectKind{ShutDoor}, also: settled},
		{name: "T12 not before its time", from: in(Open), event: Event{Kind: Tick, Now: end.Add(-time.Millisecond)}, to: Open},
		{name: "T1 not handed over", from: in(Open), event: Event{Kind: NotHandedOver}, to: Expired, do: []EffectKind{SendCancel, ShutDoor}, also: because(ReasonNotSent)},

		{name: "T13 revoked", from: in(Open), event: Event{Kind: WasRevoked, Reason: ReasonNotMine}, to: Revoked, do: []EffectKind{SendCancel, ShutDoor}, also: because(ReasonNotMine)},
		{name: "T14 while paying", from: in(Paying), event: Event{Kind: WasRevoked, Reason: ReasonAgent}, to: Paying, also: func(l Life) bool { return l.Revoke && !l.NextAt.After(minute) }},
		{name: "T14 while unknown", from: in(Unknown), event: Event{Kind: WasRevoked, Reason: ReasonAgent}, to: Unknown, also: func(l Life) bool { return l.Revoke && !l.NextAt.After(minute) }},
		{name: "T14 in 3-D Secure", from: in(NeedsAction), event: Event{Kind: WasRevoked, Reason: ReasonAgent}, to: NeedsAction, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.Revoke && l.ClosingAs == Revoked }},
		{name: "T14 twice keeps the first reason", from: in(Paying, revokeWaits), event: Event{Kind: WasRevoked, Reason: ReasonNotMine}, to: Paying, also: because(ReasonAgent)},
		{name: "T13 not what has ended", from: in(Paid), event: Event{Kind: WasRevoked}, to: Paid, err: ErrClosed},

		{name: "T15 after expired", from: in(Expired, cancelDue), event: Event{Kind: GotSuccess}, to: PaidAfterClose, do: []EffectKind{BookUnapplied, RaiseAlarm, EndAttempt},
			also: func(l Life) bool { return l.Reason == Reason(Expired) && !l.CancelDue && !l.NextAt.IsZero() }},
		{name: "T15 after locked", from: in(Locked), event: Event{Kind: GotSuccess}, to: PaidAfterClose, do: []EffectKind{BookUnapplied, RaiseAlarm, EndAttempt}, also: because(Reason(Locked))},

		{name: "T15 remembers what was charged", from: in(Expired), event: Event{Kind: GotSuccess, Charged: charge}, to: PaidAfterClose, do: []EffectKind{BookUnapplied, RaiseAlarm, EndAttempt},
			also: func(l Life) bool { return l.Charged == charge && !l.Held && l.NextAt.Equal(minute) }},
		{name: "T16 applied: expired, nothing else in the way", from: in(PaidAfterClose), event: Event{Kind: Tick, Alone: true}, to: Applied, do: []EffectKind{BookApplied}, also: settled},
		{name: "T16 refunded: the quote broke", from: in(PaidAfterClose), event: Event{Kind: Tick, Alone: true}, to: PaidAfterClose, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "T16 refunded: another payment is in flight", from: in(PaidAfterClose), event: Event{Kind: Tick}, to: PaidAfterClose, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "T16 refunded: a part went back already", from: in(PaidAfterClose, back(half)), event: Event{Kind: Tick, Alone: true}, to: PaidAfterClose, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "T16 refunded: revoked", from: in(PaidAfterClose, late(Revoked)), event: Event{Kind: Tick, Alone: true}, to: PaidAfterClose, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "T16 refunded: superseded", from: in(PaidAfterClose, late(Superseded)), event: Event{Kind: Tick, Alone: true}, to: PaidAfterClose, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "T16 refunded: locked", from: in(PaidAfterClose, late(Locked)), event: Event{Kind: Tick, Alone: true}, to: PaidAfterClose, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "T16 refunded: declined", from: in(PaidAfterClose, late(Declined)), event: Event{Kind: Tick, Alone: true}, to: PaidAfterClose, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "T16 held: too many of late", from: in(PaidAfterClose), event: Event{Kind: Tick, Alone: true, Many: true}, to: PaidAfterClose, do: []EffectKind{RaiseAlarm}, also: waits},
		{name: "T16 held: the books are a backup's", from: in(PaidAfterClose), event: Event{Kind: Tick, Alone: true, Paused: true}, to: PaidAfterClose, do: []EffectKind{RaiseAlarm}, also: waits},
		{name: "T16 held: it came while they were", from: in(PaidAfterClose, late(State(ReasonRestored))), event: Event{Kind: Tick, Alone: true}, to: PaidAfterClose, do: []EffectKind{RaiseAlarm}, also: waits},
		{name: "T16 what is held stays", from: in(PaidAfterClose, held), event: Event{Kind: Tick, Alone: true}, to: PaidAfterClose, also: waits},
		{name: "T16 by a person: applied", from: in(PaidAfterClose, held, late(Revoked)), event: Event{Kind: Decided, As: Applied, Alone: true}, to: Applied, do: []EffectKind{BookApplied},
			also: func(l Life) bool { return !l.Held && settled(l) }},
		{name: "T16 by a person: not applied, the quote broke", from: in(PaidAfterClose, held), event: Event{Kind: Decided, As: Applied, Alone: true}, to: PaidAfterClose, err: ErrTotalMoved},
		{name: "T16 by a person: not applied, a part went back", from: in(PaidAfterClose, held, back(half)), event: Event{Kind: Decided, As: Applied, Alone: true}, to: PaidAfterClose, err: ErrTotalMoved},
		{name: "T16 by a person: not applied, the account is busy", from: in(PaidAfterClose, held), event: Event{Kind: Decided, As: Applied}, to: PaidAfterClose, err: ErrAccountBusy},
		{name: "T16 by a person: refunded", from: in(PaidAfterClose, held), event: Event{Kind: Decided, As: Refunded}, to: PaidAfterClose, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "T16 by a person: not while a refund is under way", from: in(PaidAfterClose, asked), event: Event{Kind: Decided, As: Applied, Alone: true}, to: PaidAfterClose, err: ErrRefunding},
		{name: "T16 by a person: not revoked", from: in(PaidAfterClose, held), event: Event{Kind: Decided, As: Revoked}, to: PaidAfterClose, err: ErrNeedsReview},
		{name: "T16 by a person: not twice", from: in(Applied), event: Event{Kind: Decided, As: Refunded}, to: Applied, err: ErrClosed},

		{name: "T23 paid", from: in(Review), event: Event{Kind: Decided, As: Paid, Charged: charge, Matches: true}, to: Paid, do: []EffectKind{BookPaid, ShutDoor, EndAttempt},
			also: func(l Life) bool { return l.Charged == charge && l.Reason == "" && l.NextAt.Equal(minute) }},
		{name: "T23 not paid: nothing was charged", from: in(Review), event: Event{Kind: Decided, As: Paid}, to: Review, err: ErrNotCharged},
		{name: "T23 not paid: something else was charged", from: in(Review), event: Event{Kind: Decided, As: Paid, Charged: half}, to: Review, err: ErrTotalMoved},
		{name: "T23 not paid: the quote broke", from: in(Review), event: Event{Kind: Decided, As: Paid, Charged: charge, Matches: true}, to: Review, err: ErrTotalMoved},
		{name: "T23 refunded", from: in(Review), event: Event{Kind: Decided, As: Refunded, Charged: half}, to: PaidAfterClose,
			do: []EffectKind{BookUnapplied, ShutDoor, EndAttempt, StartRefund, SendRefund},
			also: func(l Life) bool {
				return l.Charged == half && l.Reason == ReasonReview && l.Refunding == RefundAsked && !l.NextAt.IsZero()
			}},
		{name: "T23 not refunded: nothing was charged", from: in(Review), event: Event{Kind: Decided, As: Refunded}, to: Review, err: ErrNotCharged},
		{name: "T23 not revoked: it was charged", from: in(Review), event: Event{Kind: Decided, As: Revoked, Charged: half}, to: Review, err: ErrCharged},
		{name: "T23 revoked without a PaymentIntent", from: in(Review, noIntent), event: Event{Kind: Decided, As: Revoked}, to: Revoked, do: []EffectKind{ShutDoor, EndAttempt},
			also: func(l Life) bool { return settled(l) && l.Reason == ReasonReview }},
		{name: "T23 revoked once the cancel is answered", from: in(Review), event: Event{Kind: Decided, As: Revoked}, to: Unknown, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Revoked && l.Revoke && l.Reason == ReasonReview && later(l) }},
		{name: "T23 revoked: a late no is not counted again", from: in(Unknown, revokeWaits, closingAs(Revoked), func(l *Life) { l.LeaseUntil = time.Time{} }), event: Event{Kind: GotDecline}, to: Unknown, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.Declines == 1 }},
		{name: "T23 not applied", from: in(Review), event: Event{Kind: Decided, As: Applied, Charged: charge, Matches: true, Alone: true}, to: Review, err: ErrNeedsReview},
		{name: "T23 only a review", from: in(Open), event: Event{Kind: Decided, As: Paid, Charged: charge, Matches: true}, to: Open, err: ErrNotCharged},
		{name: "T23 nothing else moves a review", from: in(Review), event: Event{Kind: GotSuccess, Charged: charge}, to: Review},

		{name: "T24 as it was found", from: in(PaidAfterClose, held, late(State(ReasonRestored))), event: Event{Kind: Tick, Alone: true}, to: PaidAfterClose, also: waits},
		{name: "T24 it had gone back already", from: in(PaidAfterClose, held, late(State(ReasonRestored))), event: Event{Kind: GotBack, Amount: charge}, to: Refunded, do: []EffectKind{BookBack}, also: settled},

		{name: "T25 credit covers it", from: in(Open, noIntent), event: Event{Kind: CreditCovers}, to: Paid, do: []EffectKind{BookPaid}, also: settled},
		{name: "T25 not once a PaymentIntent is there", from: in(Open), event: Event{Kind: CreditCovers}, to: Open, err: errWrongIntent},
		{name: "T25 the quote broke", from: in(Open, noIntent), event: Event{Kind: CreditCovers}, to: Superseded, do: []EffectKind{ShutDoor}, also: because(ReasonMoved)},
		{name: "T25 not in the backup's books", from: in(Open, noIntent), event: Event{Kind: CreditCovers, Paused: true}, to: Open, err: ErrPaused},

		{name: "refund: asked", from: in(Paid), event: Event{Kind: AskedBack, Amount: half, Alone: true}, to: Paid, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "refund: asked of what was applied late", from: in(Applied), event: Event{Kind: AskedBack, Amount: charge, Alone: true}, to: Applied, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "refund: the rest", from: in(Paid, back(half)), event: Event{Kind: AskedBack, Amount: charge - half, Alone: true}, to: Paid, do: []EffectKind{StartRefund, SendRefund}, also: goesBack},
		{name: "refund: too much", from: in(Paid), event: Event{Kind: AskedBack, Amount: charge + 1, Alone: true}, to: Paid, err: ErrTooMuch},
		{name: "refund: too much after a part", from: in(Paid, back(half)), event: Event{Kind: AskedBack, Amount: charge - half + 1, Alone: true}, to: Paid, err: ErrTooMuch},
		{name: "refund: nothing", from: in(Paid), event: Event{Kind: AskedBack, Alone: true}, to: Paid, err: ErrTooMuch},
		{name: "refund: one is under way", from: in(Paid, asked), event: Event{Kind: AskedBack, Amount: 1, Alone: true}, to: Paid, err: ErrRefunding},
		{name: "refund: one is stuck", from: in(Paid, stuck), event: Event{Kind: AskedBack, Amount: 1, Alone: true}, to: Paid, err: ErrRefunding},
		{name: "refund: the account is busy", from: in(Paid), event: Event{Kind: AskedBack, Amount: half}, to: Paid, err: ErrAccountBusy},
		{name: "refund: money that is not decided", from: in(PaidAfterClose, held), event: Event{Kind: AskedBack, Amount: half, Alone: true}, to: PaidAfterClose, err: ErrNeedsReview},
		{name: "refund: nothing was charged", from: in(Expired), event: Event{Kind: AskedBack, Amount: half, Alone: true}, to: Expired, err: ErrNotCharged},
		{name: "refund: it is looked for, and asked for if it is not there", from: in(Paid, asked), event: Event{Kind: Tick}, to: Paid, do: []EffectKind{SendRefund}, also: later},
		{name: "refund: it is there", from: in(Paid, asked), event: Event{Kind: GotBack, Amount: half, Settled: true}, to: Paid, do: []EffectKind{BookBack},
			also: func(l Life) bool { return l.GivenBack == half && l.Refunding == NoRefund && settled(l) }},
		{name: "refund: it is there, pending", from: in(Paid, asked), event: Event{Kind: GotBack, Amount: half, Settled: true, Waiting: true}, to: Paid, do: []EffectKind{BookBack},
			also: func(l Life) bool {
				return l.GivenBack == half && l.Refunding == NoRefund && l.NextAt.Equal(minute.Add(waitForBank))
			}},
		{name: "refund: pending is looked at every hour", from: in(Paid, back(half)), event: Event{Kind: Tick, Waiting: true}, to: Paid, also: func(l Life) bool { return l.NextAt.Equal(minute.Add(waitForBank)) }},
		{name: "refund: late money is back", from: in(PaidAfterClose, asked), event: Event{Kind: GotBack, Amount: charge, Settled: true}, to: Refunded, do: []EffectKind{BookBack}, also: settled},
		{name: "refund: late money failed at once", from: in(PaidAfterClose, asked), event: Event{Kind: GotBack, Settled: true}, to: PaidAfterClose, do: []EffectKind{BookBack}, also: waits},
		{name: "refund: another was found first", from: in(Paid, asked), event: Event{Kind: GotBack, Amount: half}, to: Paid, do: []EffectKind{BookBack},
			also: func(l Life) bool { return l.Refunding == RefundAsked && l.GivenBack == half && !l.NextAt.IsZero() }},
		{name: "refund: a part of late money went back at Stripe", from: in(PaidAfterClose), event: Event{Kind: GotBack, Amount: half}, to: PaidAfterClose, do: []EffectKind{BookBack},
			also: func(l Life) bool { return l.GivenBack == half && !l.Held && l.NextAt.Equal(minute) }},
		{name: "refund: it failed later", from: in(Paid, back(half)), event: Event{Kind: GotBack}, to: Paid, do: []EffectKind{BookBack, RaiseAlarm}, also: func(l Life) bool { return l.GivenBack == 0 && settled(l) }},
		{name: "refund: late money's failed later", from: in(Refunded), event: Event{Kind: GotBack}, to: PaidAfterClose, do: []EffectKind{BookBack, RaiseAlarm}, also: waits},
		{name: "refund: refused", from: in(Paid, asked), event: Event{Kind: BackRefused}, to: Paid, do: []EffectKind{EndRefund, RaiseAlarm}, also: func(l Life) bool { return l.Refunding == NoRefund && settled(l) }},
		{name: "refund: refused, of late money", from: in(PaidAfterClose, asked), event: Event{Kind: BackRefused}, to: PaidAfterClose, do: []EffectKind{EndRefund, RaiseAlarm}, also: waits},
		{name: "refund: refused, and no longer asked for", from: in(Paid), event: Event{Kind: BackRefused}, to: Paid},
		{name: "refund: unclear", from: in(Paid, asked), event: Event{Kind: BackUnclear}, to: Paid, also: func(l Life) bool { return l.Refunding == RefundAsked && later(l) }},
		{name: "refund: a dead key", from: in(Paid, asked), event: Event{Kind: BackDead}, to: Paid, do: []EffectKind{RaiseAlarm}, also: func(l Life) bool { return l.Refunding == RefundStuck && later(l) }},
		{name: "refund: a dead key, told twice", from: in(Paid, stuck), event: Event{Kind: BackDead}, to: Paid},
		{name: "refund: stuck and dropped", from: in(Paid, stuck), event: Event{Kind: DroppedBack}, to: Paid, do: []EffectKind{EndRefund}, also: func(l Life) bool { return l.Refunding == NoRefund && settled(l) }},
		{name: "refund: stuck and dropped, of late money", from: in(PaidAfterClose, stuck), event: Event{Kind: DroppedBack}, to: PaidAfterClose, do: []EffectKind{EndRefund}, also: waits},
		{name: "refund: not dropped while Stripe may answer", from: in(Paid, asked), event: Event{Kind: DroppedBack}, to: Paid, err: ErrRefunding},
		{name: "a dispute", from: in(Paid), event: Event{Kind: GotBack, Contest: true, Waiting: true}, to: Paid, do: []EffectKind{BookBack, RaiseAlarm}, also: func(l Life) bool { return l.NextAt.Equal(minute.Add(waitForBank)) }},
		{name: "T17 a refund that is asked for is looked for on", from: in(PaidAfterClose, asked), event: Event{Kind: GotMismatch}, to: PaidAfterClose, do: []EffectKind{RaiseAlarm},
			also: func(l Life) bool { return l.Refunding == RefundAsked && !l.Held && !l.NextAt.IsZero() }},
		{name: "T17 money that is not decided waits for a person", from: in(PaidAfterClose), event: Event{Kind: GotMismatch}, to: PaidAfterClose, do: []EffectKind{RaiseAlarm}, also: func(l Life) bool { return l.Held }},

		{name: "backup: nobody pays", from: in(Open), event: Event{Kind: Claim, Paused: true}, to: Open, err: ErrPaused},
		{name: "backup: nobody pays on", from: in(NeedsAction), event: Event{Kind: Claim, Paused: true}, to: NeedsAction, err: ErrPaused},
		{name: "backup: no new link", from: in(Open), event: Event{Kind: WasResent, Paused: true}, to: Open, err: ErrPaused},
		{name: "backup: what was open closes", from: in(Open), event: Event{Kind: Tick, Paused: true}, to: Open, do: []EffectKind{SendCancel}, also: func(l Life) bool { return l.ClosingAs == Expired && later(l) }},
		{name: "backup: what was open is revoked", from: in(Open), event: Event{Kind: WasRevoked, Paused: true, Reason: ReasonAgent}, to: Open, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Revoked && l.Revoke }},
		{name: "backup: there is nothing to cancel", from: in(Open, noIntent), event: Event{Kind: Tick, Paused: true}, to: Expired, do: []EffectKind{ShutDoor}, also: settled},
		{name: "backup: the cancel is answered", from: in(Open, closingAs(Expired)), event: Event{Kind: GotCanceled, Paused: true}, to: Expired, do: []EffectKind{ShutDoor}, also: settled},
		{name: "backup: it was charged since", from: in(Open, closingAs(Expired)), event: Event{Kind: GotSuccess, Paused: true, Charged: charge}, to: PaidAfterClose,
			do: []EffectKind{BookUnapplied, ShutDoor, RaiseAlarm, EndAttempt},
			also: func(l Life) bool {
				return l.Held && l.Reason == ReasonRestored && l.ClosingAs == "" && l.Charged == charge && l.NextAt.Equal(minute)
			}},
		{name: "backup: it was charged after it had closed", from: in(Expired, cancelDue), event: Event{Kind: GotSuccess, Paused: true, Charged: charge}, to: PaidAfterClose,
			do: []EffectKind{BookUnapplied, RaiseAlarm, EndAttempt}, also: func(l Life) bool { return l.Held && l.Reason == ReasonRestored }},
		{name: "backup: a bank's no closes nothing", from: in(Paying), event: Event{Kind: GotDecline, Paused: true}, to: Unknown, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Expired && l.Declines == 1 }},
		{name: "backup: 3-D Secure does not go on", from: in(NeedsAction), event: Event{Kind: GotReady, Paused: true}, to: NeedsAction, do: []EffectKind{SendCancel}, also: func(l Life) bool { return l.ClosingAs == Expired }},
		{name: "backup: nothing is sent again", from: in(Unknown), event: Event{Kind: NoTrace, Paused: true}, to: Unknown, do: []EffectKind{SendCancel}, also: func(l Life) bool { return l.ClosingAs == Expired }},
		{name: "backup: what began to close goes on when the mode has ended", from: in(Open, closingAs(Expired)), event: Event{Kind: Tick}, to: Open, do: []EffectKind{SendCancel}, also: later},
		{name: "backup: and nobody pays it", from: in(Open, closingAs(Expired)), event: Event{Kind: Claim}, to: Open, err: ErrClosed},

		{name: "T17 mismatch", from: in(Paying), event: Event{Kind: GotMismatch}, to: Review, do: []EffectKind{ShutDoor, RaiseAlarm}, also: because(ReasonMismatch)},
		{name: "T17 canceled what was paid", from: in(Paid), event: Event{Kind: GotCanceled}, to: Paid, do: []EffectKind{RaiseAlarm}},

		{name: "T18 resend", from: in(Open), event: Event{Kind: WasResent, Life: linkLife}, to: Open, do: []EffectKind{ReplaceLink}, also: func(l Life) bool {
			return l.Resends == 1 && l.ExpiresAt.Equal(at(11*time.Minute)) && l.NextAt.Equal(l.ExpiresAt) && l.Attempt == 2 && l.Declines == 1 && l.IntentID == "pi_1"
		}},
		{name: "T18 the third resend", from: in(Open, resent(2)), event: Event{Kind: WasResent, Life: linkLife}, to: Open, do: []EffectKind{ReplaceLink}},
		{name: "T18 not a fourth", from: in(Open, resent(3)), event: Event{Kind: WasResent, Life: linkLife}, to: Open, err: ErrResends},
		{name: "T18 not while somebody pays", from: in(Paying), event: Event{Kind: WasResent}, to: Paying, err: ErrElsewhere},
		{name: "T18 too late", from: in(Open), event: Event{Kind: WasResent, Now: end}, to: Expired, do: []EffectKind{SendCancel, ShutDoor}},
		{name: "T18 the quote broke", from: in(Open), event: Event{Kind: WasResent, Bound: false}, to: Superseded, do: []EffectKind{SendCancel, ShutDoor}},

		{name: "T19 the sweeper comes by", from: in(Open), event: Event{Kind: Tick, Bound: false}, to: Superseded, do: []EffectKind{SendCancel, ShutDoor}},
		{name: "T20 card on file declined", from: in(Paying, onFile), event: Event{Kind: GotDecline}, to: Declined, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},

		{name: "T21 from the dashboard", from: in(Open), event: Event{Kind: GotCanceled}, to: Revoked, do: []EffectKind{ShutDoor}, also: because(ReasonDashboard)},
		{name: "T21 from the dashboard, while paying", from: in(Paying), event: Event{Kind: GotCanceled}, to: Revoked, do: []EffectKind{ShutDoor, EndAttempt}, also: because(ReasonDashboard)},
		{name: "T21 as it was to close", from: in(Unknown, closingAs(Superseded)), event: Event{Kind: GotCanceled}, to: Superseded, do: []EffectKind{ShutDoor, EndAttempt}, also: settled},
		{name: "T21 the cancel of a closed one", from: in(Expired, cancelDue), event: Event{Kind: GotCanceled}, to: Expired, also: settled},
		{name: "the cancel is repeated until it is answered", from: in(Expired, cancelDue), event: Event{Kind: Tick}, to: Expired, do: []EffectKind{SendCancel}, also: func(l Life) bool { return l.NextAt.After(minute) }},

		{name: "T22 refused", from: in(Paying), event: Event{Kind: GotRefusal}, to: Open, do: []EffectKind{EndAttempt}, also: func(l Life) bool { return l.Declines == 1 }},
		{name: "T22 refused and late", from: in(Paying), event: Event{Kind: GotRefusal, Now: end}, to: Expired, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},
		{name: "T22 not if a copy is about", from: in(Paying, sent(2)), event: Event{Kind: GotRefusal}, to: Unknown},
		{name: "T22 not in phase 2", from: in(Paying, phase2), event: Event{Kind: GotRefusal}, to: Unknown},
		{name: "T22 not from unknown", from: in(Unknown), event: Event{Kind: GotRefusal}, to: Unknown},

		{name: "the PaymentIntent is stored", from: in(Open, noIntent), event: Event{Kind: GotIntent, Intent: "pi_1"}, to: Open, also: func(l Life) bool { return l.IntentID == "pi_1" }},
		{name: "the PaymentIntent is stored twice", from: in(Open), event: Event{Kind: GotIntent, Intent: "pi_1"}, to: Open},
		{name: "the PaymentIntent is written once", from: in(Open), event: Event{Kind: GotIntent, Intent: "pi_2"}, to: Open, err: errWrongIntent},
		{name: "the PaymentIntent is cancelled if the payment has closed", from: in(Expired, noIntent), event: Event{Kind: GotIntent, Intent: "pi_1"}, to: Expired, do: []EffectKind{SendCancel, ShutDoor},
			also: func(l Life) bool { return l.CancelDue && !l.NextAt.IsZero() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := c.event
			if e.Now.IsZero() {
				e.Now = minute
			}
			if e.Attempt == 0 {
				e.Attempt = 2
			}
			e.Bound = !strings.Contains(c.name, "quote") && !strings.HasPrefix(c.name, "T19")
			got, do, err := Next(c.from, e)
			if !errors.Is(err, c.err) {
				t.Fatalf("error is %v, want %v", err, c.err)
			}
			if c.err != nil && (got != c.from || len(do) != 0) {
				t.Fatalf("a refusal changed something: %+v, %v", got, do)
			}
			if got.State != c.to || !slices.Equal(kinds(do), c.do) {
				t.Fatalf("got %s with %v, want %s with %v", got.State, kinds(do), c.to, c.do)
			}
			if c.also != nil && !c.also(got) {
				t.Fatalf("it is left as %+v", got)
			}
		})
	}
}

func because(r Reason) func(Life) bool { return func(l Life) bool { return l.Reason == r } }

// goesBack: a refund's row is written, and it is looked for until it is there. waits: for a person. later: it is looked at again, not at once.
func goesBack(l Life) bool {
	return l.Refunding == RefundAsked && !l.Held && l.NextAt.Equal(at(time.Minute).Add(ConfirmWithin))
}
func waits(l Life) bool { return l.Held && l.Refunding == NoRefund && l.NextAt.IsZero() }
func later(l Life) bool { return l.NextAt.After(at(time.Minute)) }

// settled: nobody has to look at it again.
func settled(l Life) bool { return l.NextAt.IsZero() && !l.CancelDue && l.ClosingAs == "" }

// lives is every state with every combination of what Next looks at, as far as the machine can come by it.
func lives(each func(Life)) {
	for _, s := range allStates {
		if s.Booked() {
			livesOfMoney(s, each)
			continue
		}
		for _, phase := range []int{1, 2} {
			for _, sends := range []int{1, 2} {
				for _, n := range []int{0, 4, 5} {
					for _, flags := range []int{0, 1, 2, 3, 4, 5, 6, 7} {
						for _, as := range []State{"", Expired, Revoked, Superseded} {
							revoke, due, intent := flags&1 != 0, flags&2 != 0, flags&4 == 0
							if as != "" && s != NeedsAction && s != Unknown && (s != Open && s != Paying || as == Superseded || !intent) || // these wait for their cancel before they close, open and paying only after a restore
								due && !s.Closed() || s == Open && revoke && as == "" || n == 5 && s.Live() && s != Review || !intent && (s.InFlight() || due) {
								continue
							}
							l := in(s, declines(n), sent(sends), closingAs(as))
							l.Phase, l.Revoke = phase, revoke
							if s == NeedsAction {
								l.Phase = 1
							}
							if due {
								cancelDue(&l)
							}
							if !intent {
								l.IntentID = ""
							}
							each(l)
						}
					}
				}
			}
		}
	}
}

// livesOfMoney is the same for a payment whose money is in the books.
func livesOfMoney(s State, each func(Life)) {
	for _, waiting := range []Refunding{NoRefund, RefundAsked, RefundStuck} {
		for _, n := range []money.Cents{0, half, charge} {
			for _, r := range []Reason{Reason(Expired), Reason(Revoked), Reason(Superseded), ReasonRestored, ReasonReview} {
				for _, h := range []bool{false, true} {
					if h && (s != PaidAfterClose || waiting != NoRefund) || s == PaidAfterClose && n == charge || s == Refunded && n != charge {
						continue
					}
					l := in(s, back(n))
					l.Refunding, l.Reason, l.NextAt = waiting, r, time.Time{}
					if waiting != NoRefund || s == PaidAfterClose && !h {
						l.NextAt = at(time.Minute)
					}
					l.Held = h
					each(l)
				}
			}
		}
	}
}

// facts is an event with every combination of the facts that count for its kind.
func facts(e Event, each func(Event)) {
	flags := func(n int, change func(e *Event, bit func(int) bool)) {
		for i := range 1 << n {
			to := e
			change(&to, func(b int) bool { return i&(1<<b) != 0 })
			each(to)
		}
	}
	switch e.Kind {
	case Tick:
		flags(3, func(e *Event, bit func(int) bool) { e.Alone, e.Many, e.Waiting = bit(0), bit(1), bit(2) })
	case DroppedBack, BackRefused:
		flags(1, func(e *Event, bit func(int) bool) { e.Waiting = bit(0) })
	case AskedBack:
		for _, n := range []money.Cents{-1, 0, 1, half, charge - half, charge, charge + 1} {
			e.Amount = n
			flags(1, func(e *Event, bit func(int) bool) { e.Alone = bit(0) })
		}
	case GotBack:
		for _, n := range []money.Cents{0, half, charge} {
			e.Amount = n
			flags(3, func(e *Event, bit func(int) bool) { e.Settled, e.Waiting, e.Contest = bit(0), bit(1), bit(2) })
		}
	case Decided:
		for _, as := range []State{Paid, Applied, Refunded, Revoked, Open} {
			for _, n := range []money.Cents{0, half, charge} {
				e.As, e.Charged = as, n
				flags(3, func(e *Event, bit func(int) bool) {
					e.Alone, e.Matches, e.Waiting = bit(0), bit(1) && n == charge, bit(2)
				})
			}
		}
	case GotSuccess:
		e.Charged = charge
		each(e)
	default:
		each(e)
	}
}

// TestEveryStateMeetsEveryEvent: whatever happens whenever, Next decides, and what it decides keeps the promises that hold for every pair.
func TestEveryStateMeetsEveryEvent(t *testing.T) {
	pairs := 0
	lives(func(l Life) {
		for _, kind := range allEvents {
			for _, now := range []time.Time{at(time.Minute), at(2 * time.Minute), at(6 * time.Minute), at(linkLife), at(20 * time.Minute)} {
				for _, attempt := range []int{1, 2} {
					for _, flags := range []int{0, 1, 2, 3} {
						e := Event{Kind: kind, Now: now, Attempt: attempt, Bound: flags&1 == 0, Paused: flags&2 != 0, Reason: ReasonAgent, Intent: "pi_1", Life: linkLife}
						facts(e, func(e Event) {
							pairs++
							if broken := promises(l, e); broken != "" {
								t.Fatalf("%s\nfrom  %+v\nevent %+v", broken, l, e)
							}
						})
					}
				}
			}
		}
	})
	if pairs < 500_000 {
		t.Fatalf("only %d pairs were tried", pairs)
	}
}

// asks are the events by which somebody wants something, and may be refused; every other is a fact.
var asks = []EventKind{Claim, WasResent, WasRevoked, GotIntent, CreditCovers, AskedBack, DroppedBack, Decided}

// promises says which promise one step breaks, "" for none.
func promises(l Life, e Event) string {
	got, do, err := Next(l, e)
	has := func(k EffectKind) bool { return slices.Contains(kinds(do), k) }
	switch {
	case errors.Is(err, errUnknownEvent):
		return "Next does not know this pair"
	case err != nil && (got != l || len(do) > 0):
		return "a refusal changes something"
	case err != nil && !slices.Contains(asks, e.Kind) && !(aboutBack(e.Kind) && !l.State.Booked()):
		return "a fact was refused: " + err.Error()
	case err != nil:
		return ""
	}
	newer := got.Attempt > l.Attempt
	switch {
	case got.Attempt < l.Attempt, got.Declines < l.Declines, got.Resends < l.Resends, l.Revoke && !got.Revoke:
		return "a count or a revoke goes back"
	case !newer && got.Phase < l.Phase:
		return "a phase goes back"
	case l.IntentID != "" && got.IntentID != l.IntentID:
		return "the PaymentIntent's id changes"
	case l.State == Unknown && got.State == Open && e.Kind != GotDecline:
		return "unknown becomes open without a trace"
	case !l.State.Live() && got.State.Live() && got.State != Review:
		return "what has ended lives again"
	case l.State.Booked() && (!got.State.Booked() || l.State.Sold() && got.State != l.State || got.State == Paid && l.State != Paid):
		return "money is forgotten"
	case l.State == Review && got.State != Review && e.Kind != Decided:
		return "a machine decides what a person has to"
	}
	if broken := promisesOfMoney(l, e, got, do); broken != "" {
		return broken
	}
	if e.Paused {
		switch {
		case has(BookPaid) && e.Kind != Decided, has(SendConfirm), has(StartAttempt), has(ReplaceLink):
			return "in the backup's books a payment goes on"
		case !l.State.Closed() && got.State.Closed() && e.Kind != GotCanceled && l.IntentID != "":
			return "in the backup's books a payment closes without an answered cancel"
		case has(BookUnapplied) && e.Kind == GotSuccess && (!got.Held || got.Reason != ReasonRestored):
			return "money that the backup did not know does not wait for a person"
		}
	}
	if has(SendConfirm) { // I6, I7
		inTime := e.Now.Before(l.ExpiresAt)
		if got.Phase == 2 {
			inTime = e.Now.Before(l.LeaseUntil)
		}
		switch {
		case got.State != Paying && got.State != Unknown:
			return "a confirm is sent in state " + string(got.State)
		case !inTime:
			return "a confirm is sent too late"
		case got.Revoke || got.ClosingAs != "":
			return "a confirm is sent for what is to be stopped"
		case l.IntentID == "":
			return "a confirm is sent without a PaymentIntent"
		case !e.Bound && got.Phase != l.Phase, !e.Bound && newer:
			return "a confirm is sent though the quote broke"
		case l.Declines >= MaxDeclines:
			return "a sixth card is tried"
		}
	}
	if has(SendCancel) && (!got.State.Closed() && got.ClosingAs == "" || got.IntentID == "" || has(SendConfirm)) {
		return "a cancel is sent before it is stored as what the payment closes"
	}
	if got.State == Paying && got.ClosingAs != "" && l.ClosingAs == "" && !e.Paused {
		return "it is paying and closing at once"
	}
	if has(BookPaid) != (got.State == Paid && l.State != Paid) || has(BookUnapplied) != (got.State == PaidAfterClose && !l.State.Booked()) {
		return "money is booked twice, or not"
	}
	if has(StartAttempt) != newer || newer && (got.Attempt != l.Attempt+1 || e.Kind != Claim) {
		return "an attempt begins without a claim"
	}
	aboutCard := slices.Contains([]EventKind{GotDecline, GotAction, GotReady, GotRefusal, GotNothing, GotDeadAnswer, NoTrace, StillRunning}, e.Kind)
	if aboutCard && e.Attempt != l.Attempt && l.State.InFlight() && !e.Paused && (got != l || len(do) > 0) {
		return "an older attempt's echo changes something"
	}
	for _, d := range do {
		if d.Kind == EndAttempt && d.Attempt != l.Attempt && d.As != Succeeded {
			return "an older attempt ends"
		}
	}
	if aboutCard && l.State.Booked() && (got != l || len(do) > 0) {
		return "a card's echo changes money that is in the books"
	}
	// Nothing is forgotten: what may still take money, give it back, or wants a cancel has a time at which it is looked at; what is settled has none.
	if wants(got, e) && got != l && got.NextAt.IsZero() {
		return "nobody will look at it again"
	}
	if !wants(got, e) && got != l && !got.NextAt.IsZero() && !looksOnce(l, e) {
		return "it is settled and stays due"
	}
	// Nothing spins: whatever the sweeper learns, it comes back later and not at once. (Only a revoke makes a payment due at once.)
	over := l.State == Open && (!e.Now.Before(l.ExpiresAt) || l.ClosingAs != "")
	onlyTick := over || l.State.Booked() || l.State == Review || l.State.Closed() && l.CancelDue || got.ClosingAs != "" && l.ClosingAs != ""
	swept := e.Kind == Tick || aboutCard && !onlyTick && e.Attempt == l.Attempt && e.Kind != GotRefusal
	if swept && !got.NextAt.IsZero() && !got.NextAt.After(e.Now) {
		return "it is due again at once"
	}
	return ""
}

func aboutBack(k EventKind) bool {
	return k == GotBack || k == BackRefused || k == BackUnclear || k == BackDead
}

// wants says whether somebody has to look at a payment again; e is what was last heard of it.
func wants(l Life, e Event) bool {
	return l.State == Open || l.State.InFlight() || l.CancelDue && l.State.Closed() ||
		l.State.Booked() && (l.Refunding != NoRefund || l.State == PaidAfterClose && !l.Held || e.Waiting)
}

// looksOnce: what is settled may be looked at once more, which is a tick, and a tick finds it settled: if Stripe did not answer, if money has come that may have gone
// back already, and if it was due before for a reason that Next can't see.
func looksOnce(l Life, e Event) bool {
	switch e.Kind {
	case BackUnclear, GotSuccess:
		return true
	case Decided:
		return l.State == Review && e.As == Paid
	case GotMismatch, GotCanceled:
		return l.State.Booked() && !l.NextAt.IsZero()
	}
	return false
}

// promisesOfMoney says which promise about money that is in the books, or comes into them, one step breaks.
func promisesOfMoney(l Life, e Event, got Life, do []Effect) string {
	has := func(k EffectKind) bool { return slices.Contains(kinds(do), k) }
	start, send := slices.Index(kinds(do), StartRefund), slices.Index(kinds(do), SendRefund)
	byPerson := e.Kind == Decided || e.Kind == AskedBack
	switch {
	case !got.State.Booked():
		if got.Charged != l.Charged || got.GivenBack != 0 || got.Refunding != NoRefund || got.Held || has(StartRefund) || has(SendRefund) || has(BookBack) || has(BookApplied) {
			return "money moves that is in no book"
		}
		return ""
	case l.State.Booked() && got.Charged != l.Charged, got.Charged < 0, got.GivenBack < 0 || got.GivenBack > got.Charged:
		return "more is given back than was charged, or what was charged changes"
	case got.GivenBack != l.GivenBack && (e.Kind != GotBack || got.GivenBack != e.Amount):
		return "money goes back though Stripe has not shown it"
	case has(BookBack) != (e.Kind == GotBack):
		return "what went back and the books disagree"
	case has(BookApplied) != (got.State == Applied && l.State != Applied):
		return "applied, and the books disagree"
	case got.State == Refunded && got.GivenBack != got.Charged, got.State == PaidAfterClose && got.GivenBack == got.Charged && got.Charged != 0:
		return "refunded, and not all has gone back, or the other way round"
	}
	if start >= 0 {
		left := got.Charged - got.GivenBack
		switch {
		case l.Refunding != NoRefund || got.Refunding != RefundAsked:
			return "a second refund at once"
		case do[start].Amount <= 0 || do[start].Amount > left:
			return "a refund of nothing, or of more than is left"
		case l.State.Sold() && e.Kind != AskedBack:
			return "what was sold goes back without a person"
		case l.State.Sold() && !e.Alone:
			return "a refund while another payment of the account is in flight"
		case !byPerson && (l.State != PaidAfterClose || l.Held || e.Paused || e.Many || l.Reason == ReasonRestored || e.Kind != Tick):
			return "a machine gives back what a person has to decide"
		case l.State == PaidAfterClose && do[start].Amount != left:
			return "a part of late money goes back"
		}
	}
	if send >= 0 && l.Refunding == NoRefund && (start < 0 || start > send) {
		return "a refund is sent whose row was not written before"
	}
	if l.Refunding == NoRefund && got.Refunding != NoRefund && start < 0 {
		return "a refund waits that was not written down"
	}
	if l.Refunding != NoRefund && got.Refunding == NoRefund && !(e.Kind == GotBack && e.Settled || e.Kind == BackRefused || e.Kind == DroppedBack && l.Refunding == RefundStuck) {
		return "a refund is forgotten"
	}
	if l.Refunding == RefundStuck && got.Refunding == RefundAsked {
		return "a refund whose key is dead is asked for again"
	}
	if has(EndRefund) != (l.Refunding != NoRefund && (e.Kind == BackRefused || e.Kind == DroppedBack)) {
		return "a refund ends otherwise than by a no"
	}
	if has(BookApplied) {
		switch {
		case !e.Bound || !e.Alone || l.GivenBack != 0 || l.State != PaidAfterClose || l.Refunding != NoRefund:
			return "applied against a guard of T16"
		case e.Kind != Decided && (l.Held || e.Paused || e.Many || l.Reason != Reason(Expired)):
			return "a machine applies what a person has to decide"
		}
	}
	switch {
	case got.Held && (got.State != PaidAfterClose || got.Refunding != NoRefund):
		return "it waits for a person, and goes on"
	case got.Held && !l.Held && !has(RaiseAlarm) && !(e.Kind == DroppedBack || e.Kind == GotBack && e.Settled):
		return "it waits for a person whom nobody tells"
	case l.Held && !got.Held && e.Kind != Decided && !(e.Kind == GotBack && got.State == Refunded):
		return "what a person has to decide goes on without one"
	}
	return ""
}

func TestASuccessIsBookedOnceInWhateverStateItFinds(t *testing.T) {
	lives(func(l Life) {
		if l.IntentID == "" {
			return
		}
		for _, bound := range []bool{true, false} {
			booked := 0
			for range 3 {
				var do []Effect
				var err error
				if l, do, err = Next(l, Event{Kind: GotSuccess, Now: at(time.Hour), Attempt: 2, Bound: bound}); err != nil {
					t.Fatal(err)
				}
				for _, d := range do {
					if d.Kind == BookPaid || d.Kind == BookUnapplied {
						booked++
					}
				}
			}
			if booked > 1 || booked == 0 && l.State != Review && !l.State.Booked() {
				t.Fatalf("booked %d times: %+v", booked, l)
			}
		}
	})
}

func TestFiveDeclinesLock(t *testing.T) {
	l := in(Open, declines(0), func(l *Life) { l.Attempt = 0 })
	for n := 1; n <= 5; n++ {
		var err error
		if l, _, err = Next(l, Event{Kind: Claim, Now: at(time.Minute), Bound: true}); err != nil || l.State != Paying || l.Attempt != n {
			t.Fatalf("try %d: %s, %v", n, l.State, err)
		}
		if l, _, err = Next(l, Event{Kind: GotDecline, Now: at(time.Minute), Attempt: n, Bound: true}); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]State{false: Open, true: Locked}[n == 5]; l.State != want {
			t.Fatalf("after %d declines it is %s", n, l.State)
		}
	}
	if !l.CancelDue {
		t.Fatal("its PaymentIntent is not cancelled")
	}
}

func TestARevokeStopsEveryStateThatCanBeStopped(t *testing.T) {
	for _, s := range allStates {
		l, _, err := Next(in(s), Event{Kind: WasRevoked, Now: at(time.Minute), Attempt: 2, Bound: true, Reason: ReasonAgent})
		switch {
		case s == Open && l.State != Revoked:
			t.Errorf("open became %s", l.State)
		case s.InFlight() && (!l.Revoke || l.State != s):
			t.Errorf("%s became %s, revoke %v", s, l.State, l.Revoke)
		case s == Review && !errors.Is(err, ErrNeedsReview):
			t.Errorf("review: %v", err)
		case !s.Live() && !errors.Is(err, ErrClosed):
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestWaitsGrowAndStay(t *testing.T) {
	var got []string
	for n := range 8 {
		got = append(got, wait(n).String())
	}
	if s := fmt.Sprint(got); s != "[1s 2s 4s 8s 8s 8s 8s 8s]" {
		t.Error(s)
	}
}
