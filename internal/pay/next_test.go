package pay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	allStates = []State{Open, Paying, NeedsAction, Unknown, Paid, Declined, Expired, Revoked, Locked, Superseded, PaidAfterClose, Review}
	allEvents = []EventKind{
		Claim, GotIntent, GotSuccess, GotDecline, GotAction, GotReady, GotRefusal, GotNothing, GotDeadAnswer, NoTrace, StillRunning, GotCanceled, GotMismatch,
		Tick, WasRevoked, WasResent, NotHandedOver,
	}
)

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
	}
	for _, f := range change {
		f(&l)
	}
	return l
}

func revokeWaits(l *Life)               { l.Revoke, l.Reason = true, ReasonAgent }
func phase2(l *Life)                    { l.Phase = 2 }
func declines(n int) func(*Life)        { return func(l *Life) { l.Declines = n } }
func closingAs(s State) func(*Life)     { return func(l *Life) { l.ClosingAs = s } }
func cancelDue(l *Life)                 { l.CancelDue, l.NextAt = true, at(time.Minute) }
func onFile(l *Life)                    { l.CardOnFile = true }
func noIntent(l *Life)                  { l.IntentID = "" }
func sent(n int) func(*Life)            { return func(l *Life) { l.Sends = n } }
func resent(n int) func(*Life)          { return func(l *Life) { l.Resends = n } }
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
	late := at(linkLife)
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
				return l.Attempt == 3 && l.Phase == 1 && l.Sends == 1 && l.LeaseUntil.Equal(minute.Add(ConfirmLease)) && l.NextAt.Equal(l.LeaseUntil)
			}},
		{name: "T3 not without a PaymentIntent", from: in(Open, noIntent), event: Event{Kind: Claim}, to: Open, err: ErrNotReady},
		{name: "T3 not while another attempt pays", from: in(Paying), event: Event{Kind: Claim}, to: Paying, err: ErrElsewhere},
		{name: "T3 not in 3-D Secure", from: in(NeedsAction), event: Event{Kind: Claim}, to: NeedsAction, err: ErrElsewhere},
		{name: "T3 not while unknown", from: in(Unknown), event: Event{Kind: Claim}, to: Unknown, err: ErrElsewhere},
		{name: "T3 not after the end", from: in(Expired), event: Event{Kind: Claim}, to: Expired, err: ErrClosed},
		{name: "T3 not while a person decides", from: in(Review), event: Event{Kind: Claim}, to: Review, err: ErrNeedsReview},
		{name: "T3 one millisecond before the end", from: in(Open), event: Event{Kind: Claim, Now: late.Add(-time.Millisecond)}, to: Paying, do: []EffectKind{StartAttempt, SendConfirm}},
		{name: "T12 found by the payer", from: in(Open), event: Event{Kind: Claim, Now: late}, to: Expired, do: []EffectKind{SendCancel, ShutDoor}},
		{name: "T19 found by the payer", from: in(Open), event: Event{Kind: Claim, Bound: false}, to: Superseded, do: []EffectKind{SendCancel, ShutDoor}, also: because(ReasonMoved)},
		{name: "T3 five declines never pay", from: in(Open, declines(5)), event: Event{Kind: Claim}, to: Locked, do: []EffectKind{SendCancel, ShutDoor}},

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
		{name: "T6 declined and late", from: in(Paying), event: Event{Kind: GotDecline, Now: late}, to: Expired, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},
		{name: "T6 declined and revoked", from: in(Paying, revokeWaits), event: Event{Kind: GotDecline}, to: Revoked, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},
		{name: "T6 the fifth decline", from: in(Paying, declines(4)), event: Event{Kind: GotDecline}, to: Locked, do: []EffectKind{SendCancel, ShutDoor, EndAttempt},
			also: func(l Life) bool { return l.Declines == 5 }},
		{name: "T6 the fifth decline, revoked", from: in(Paying, declines(4), revokeWaits), event: Event{Kind: GotDecline}, to: Revoked, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},

		{name: "T7 the bank asks", from: in(Paying), event: Event{Kind: GotAction}, to: NeedsAction, also: func(l Life) bool {
			return l.LeaseUntil.Equal(minute.Add(ActionLease)) && l.NextAt.Equal(minute.Add(actionPoll))
		}},
		{name: "T7 near the end", from: in(Paying), event: Event{Kind: GotAction, Now: at(9 * time.Minute)}, to: NeedsAction,
			also: func(l Life) bool { return l.LeaseUntil.Equal(late.Add(ActionGrace)) }},
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
			also: func(l Life) bool { return l.Sends == 1 && l.NextAt.Equal(l.LeaseUntil) }},

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
		{name: "decision 5: no trace, late", from: in(Unknown), event: Event{Kind: NoTrace, Now: late}, to: Unknown, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Expired }},
		{name: "decision 5: no trace, revoked", from: in(Unknown, revokeWaits), event: Event{Kind: NoTrace}, to: Unknown, do: []EffectKind{SendCancel},
			also: func(l Life) bool { return l.ClosingAs == Revoked }},
		{name: "decision 5: no trace in phase 2, lease over", from: in(Unknown, phase2), event: Event{Kind: NoTrace, Now: at(2 * time.Minute)}, to: Unknown, do: []EffectKind{SendCancel}},
		{name: "decision 5: a replayed 500", from: in(Paying), event: Event{Kind: GotDeadAnswer}, to: Unknown, do: []EffectKind{SendCancel}, also: func(l Life) bool { return l.ClosingAs == Expired }},

		{name: "T12 the sweeper comes by", from: in(Open), event: Event{Kind: Tick, Now: late}, to: Expired, do: []EffectKind{SendCancel, ShutDoor}, also: func(l Life) bool { return l.CancelDue && !l.NextAt.IsZero() }},
		{name: "T12 nothing to cancel", from: in(Open, noIntent), event: Event{Kind: Tick, Now: late}, to: Expired, do: []EffectKind{ShutDoor}, also: settled},
		{name: "T12 not before its time", from: in(Open), event: Event{Kind: Tick, Now: late.Add(-time.Millisecond)}, to: Open},
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

		{name: "T17 mismatch", from: in(Paying), event: Event{Kind: GotMismatch}, to: Review, do: []EffectKind{ShutDoor, RaiseAlarm}, also: because(ReasonMismatch)},
		{name: "T17 canceled what was paid", from: in(Paid), event: Event{Kind: GotCanceled}, to: Paid, do: []EffectKind{RaiseAlarm}},

		{name: "T18 resend", from: in(Open), event: Event{Kind: WasResent, Life: linkLife}, to: Open, do: []EffectKind{ReplaceLink}, also: func(l Life) bool {
			return l.Resends == 1 && l.ExpiresAt.Equal(at(11*time.Minute)) && l.NextAt.Equal(l.ExpiresAt) && l.Attempt == 2 && l.Declines == 1 && l.IntentID == "pi_1"
		}},
		{name: "T18 the third resend", from: in(Open, resent(2)), event: Event{Kind: WasResent, Life: linkLife}, to: Open, do: []EffectKind{ReplaceLink}},
		{name: "T18 not a fourth", from: in(Open, resent(3)), event: Event{Kind: WasResent, Life: linkLife}, to: Open, err: ErrResends},
		{name: "T18 not while somebody pays", from: in(Paying), event: Event{Kind: WasResent}, to: Paying, err: ErrElsewhere},
		{name: "T18 too late", from: in(Open), event: Event{Kind: WasResent, Now: late}, to: Expired, do: []EffectKind{SendCancel, ShutDoor}},
		{name: "T18 the quote broke", from: in(Open), event: Event{Kind: WasResent, Bound: false}, to: Superseded, do: []EffectKind{SendCancel, ShutDoor}},

		{name: "T19 the sweeper comes by", from: in(Open), event: Event{Kind: Tick, Bound: false}, to: Superseded, do: []EffectKind{SendCancel, ShutDoor}},
		{name: "T20 card on file declined", from: in(Paying, onFile), event: Event{Kind: GotDecline}, to: Declined, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},

		{name: "T21 from the dashboard", from: in(Open), event: Event{Kind: GotCanceled}, to: Revoked, do: []EffectKind{ShutDoor}, also: because(ReasonDashboard)},
		{name: "T21 from the dashboard, while paying", from: in(Paying), event: Event{Kind: GotCanceled}, to: Revoked, do: []EffectKind{ShutDoor, EndAttempt}, also: because(ReasonDashboard)},
		{name: "T21 as it was to close", from: in(Unknown, closingAs(Superseded)), event: Event{Kind: GotCanceled}, to: Superseded, do: []EffectKind{ShutDoor, EndAttempt}, also: settled},
		{name: "T21 the cancel of a closed one", from: in(Expired, cancelDue), event: Event{Kind: GotCanceled}, to: Expired, also: settled},
		{name: "the cancel is repeated until it is answered", from: in(Expired, cancelDue), event: Event{Kind: Tick}, to: Expired, do: []EffectKind{SendCancel}, also: func(l Life) bool { return l.NextAt.After(minute) }},

		{name: "T22 refused", from: in(Paying), event: Event{Kind: GotRefusal}, to: Open, do: []EffectKind{EndAttempt}, also: func(l Life) bool { return l.Declines == 1 }},
		{name: "T22 refused and late", from: in(Paying), event: Event{Kind: GotRefusal, Now: late}, to: Expired, do: []EffectKind{SendCancel, ShutDoor, EndAttempt}},
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

// settled: nobody has to look at it again.
func settled(l Life) bool { return l.NextAt.IsZero() && !l.CancelDue && l.ClosingAs == "" }

// lives is every state with every combination of what Next looks at, as far as the machine can come by it.
func lives(each func(Life)) {
	for _, s := range allStates {
		for _, phase := range []int{1, 2} {
			for _, sends := range []int{1, 2} {
				for _, n := range []int{0, 4, 5} {
					for _, flags := range []int{0, 1, 2, 3, 4, 5, 6, 7} {
						for _, as := range []State{"", Expired, Revoked, Superseded} {
							revoke, due, intent := flags&1 != 0, flags&2 != 0, flags&4 == 0
							if as != "" && s != NeedsAction && s != Unknown || // only these wait for their cancel before they close
								due && !s.Closed() || s == Open && revoke || n == 5 && s.Live() && s != Review || !intent && (s.InFlight() || s == Paid || due) {
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

// TestEveryStateMeetsEveryEvent: whatever happens whenever, Next decides, and what it decides keeps the promises that hold for every pair.
func TestEveryStateMeetsEveryEvent(t *testing.T) {
	pairs := 0
	lives(func(l Life) {
		for _, kind := range allEvents {
			for _, now := range []time.Time{at(time.Minute), at(2 * time.Minute), at(6 * time.Minute), at(linkLife), at(20 * time.Minute)} {
				for _, attempt := range []int{1, 2} {
					for _, bound := range []bool{true, false} {
						pairs++
						e := Event{Kind: kind, Now: now, Attempt: attempt, Bound: bound, Reason: ReasonAgent, Intent: "pi_1", Life: linkLife}
						if broken := promises(l, e); broken != "" {
							t.Fatalf("%s\nfrom  %+v\nevent %+v", broken, l, e)
						}
					}
				}
			}
		}
	})
	if pairs < 50_000 {
		t.Fatalf("only %d pairs were tried", pairs)
	}
}

// promises says which promise one step breaks, "" for none.
func promises(l Life, e Event) string {
	got, do, err := Next(l, e)
	has := func(k EffectKind) bool { return slices.Contains(kinds(do), k) }
	switch {
	case errors.Is(err, errUnknownEvent):
		return "Next does not know this pair"
	case err != nil && (got != l || len(do) > 0):
		return "a refusal changes something"
	case err != nil && e.Kind != Claim && e.Kind != WasResent && e.Kind != WasRevoked && e.Kind != GotIntent:
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
	case l.State == Paid && got.State != Paid && got.State != Review, l.State == PaidAfterClose && got.State != PaidAfterClose && got.State != Review:
		return "money is forgotten"
	case l.State == Review && got.State != Review:
		return "a machine decides what a person has to"
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
	if got.State == Paying && got.ClosingAs != "" {
		return "it is paying and closing at once"
	}
	if has(BookPaid) != (got.State == Paid && l.State != Paid) || has(BookUnapplied) != (got.State == PaidAfterClose && l.State != PaidAfterClose) {
		return "money is booked twice, or not"
	}
	if has(StartAttempt) != newer || newer && (got.Attempt != l.Attempt+1 || e.Kind != Claim) {
		return "an attempt begins without a claim"
	}
	aboutCard := slices.Contains([]EventKind{GotDecline, GotAction, GotReady, GotRefusal, GotNothing, GotDeadAnswer, NoTrace, StillRunning}, e.Kind)
	if aboutCard && e.Attempt != l.Attempt && l.State.InFlight() && (got != l || len(do) > 0) {
		return "an older attempt's echo changes something"
	}
	for _, d := range do {
		if d.Kind == EndAttempt && d.Attempt != l.Attempt && d.As != Succeeded {
			return "an older attempt ends"
		}
	}
	// Nothing is forgotten: what may still take money or wants a cancel has a time at which it is looked at; what is settled has none.
	wants := got.State == Open || got.State.InFlight() || got.CancelDue && got.State.Closed()
	if wants && got.NextAt.IsZero() {
		return "nobody will look at it again"
	}
	if !wants && got != l && !got.NextAt.IsZero() && got.State != PaidAfterClose {
		return "it is settled and stays due"
	}
	// Nothing spins: whatever the sweeper learns, it comes back later and not at once. (Only a revoke makes a payment due at once.)
	late := l.State == Open && !e.Now.Before(l.ExpiresAt)
	onlyTick := late || l.State.Closed() && l.CancelDue || got.ClosingAs != "" && l.ClosingAs != ""
	swept := e.Kind == Tick || aboutCard && !onlyTick && e.Attempt == l.Attempt && e.Kind != GotRefusal
	if swept && !got.NextAt.IsZero() && !got.NextAt.After(e.Now) {
		return "it is due again at once"
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
			if booked > 1 || booked == 0 && l.State != Review && l.State != Paid && l.State != PaidAfterClose {
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
