package agent

import (
	"fmt"
	"time"

	"paylink/internal/lang"
	"paylink/internal/pay"
)

// The ladder of a card on file that is charged: it has no text and no phone, and its words are about the card.

// needsOwner is the bank's word for a card that it charges only if its owner confirms (pay.Collection).
const needsOwner = "authentication_required"

// charge adds what became of a card on file.
func (l *ladder) charge(a pay.Attempt) {
	card := a.Card.Name()
	switch {
	case a.State == pay.WasNo && a.Code == needsOwner && !l.view.Payment.CardOnFile:
		l.declines++
		l.add(Wrong, a.EndedAt, card+" needs its owner", "The bank charges this card only if its owner confirms. Nothing was charged; the client got a link for this payment by text.")
	case a.State == pay.WasNo:
		l.add(Wrong, a.EndedAt, card+" declined", lang.English.Decline(a.Code))
	case a.State == pay.Refused:
		l.add(Wrong, a.EndedAt, card+" could not be charged", "The card processor would not try it. Nothing was charged.")
	case a.State == pay.Abandoned:
		l.add(Wrong, a.EndedAt, card+" was not charged", "")
	default:
		l.add(Done, a.StartedAt, card+" sent to the bank", "")
	}
}

// endOnFile says where the charge stands in place of what end says of a link.
func (l *ladder) endOnFile() {
	p := l.view.Payment
	if l.paused && (p.State == pay.Open || p.State.InFlight()) {
		l.headline, l.next = "Payments are paused, and this charge is being stopped. We are asking whether it was made.", "Wait for the answer; it comes by itself. Do not take another payment."
		return
	}
	last := len(l.steps) - 1
	say := func(tone Tone, at time.Time, text, headline, next string) {
		l.steps = l.steps[:max(0, last)]
		l.add(tone, at, text, "")
		l.headline, l.next = headline, next
	}
	const again = "Take the payment from another card on file, or send a secure payment link."
	switch l.state {
	case pay.Open:
		say(Now, time.Time{}, "Setting up the charge", "The charge is being set up.", "Wait for the answer; it comes by itself. Do not charge again.")
	case pay.Paying:
		say(Now, time.Time{}, "Charging the card", "The card is being charged right now.", "Wait for the answer; it comes by itself. Do not charge again.")
	case pay.Unknown:
		say(Now, time.Time{}, "Checking with the bank", "We are checking with the bank. Do not charge again.", "This page follows by itself. Tell the client that nothing is charged twice.")
	case pay.Paid:
		if to := p.PaidTo(); to != "" {
			l.next = fmt.Sprintf("Tell the client: paid to %s, reference %s.", lang.English.Date(to), p.Reference())
		} else {
			l.next = fmt.Sprintf("Tell the client: the pending balance is paid, reference %s.", p.Reference())
		}
		if p.Amount() == 0 {
			l.steps[last].Text = "Covered by credit " + p.Frozen.Summary.CreditApplied.String()
			l.headline = "Paid by credit. Nothing was charged."
		}
	case pay.Declined:
		say(Wrong, p.ClosedAt, "No payment was taken", "The card on file was declined. No payment was taken.", again)
	case pay.Expired:
		if p.Reason == pay.ReasonNotSent {
			say(Wrong, p.ClosedAt, "The charge could not be set up", "The card processor could not be reached. Nothing was charged.", "Take the payment again in a moment; tell your lead if it happens again.")
			break
		}
		say(Wrong, p.ClosedAt, "Not charged in time", "The charge was not made in time. No payment was taken.", "Take the payment again.")
	case pay.Revoked:
		l.next = again
	case pay.Superseded:
		l.headline, l.next = "The account changed before the card was charged, so that the total no longer holds. No payment was taken.", "Take the payment again with the new total."
	}
}

// chargeNote is what an agent pastes into the record of the call: what the service notes by itself of a payment that was taken.
func chargeNote(s Status, v pay.View) string {
	p := v.Payment
	var card *pay.Attempt
	for i := range v.Attempts {
		card = &v.Attempts[i]
	}
	if p.State.Sold() {
		words := p.Taken(card)
		if p.GivenBack > 0 || p.Refunding != pay.NoRefund || len(v.Disputes) > 0 {
			words += " " + s.Headline
		}
		return words
	}
	words := fmt.Sprintf("Take Payment %s, %s", p.Reference(), p.Amount())
	if card != nil {
		words += " by " + card.Card.Name()
	}
	if p.VehicleID != "" {
		words += fmt.Sprintf(", %d days for %s", p.Frozen.Input.Days, p.Frozen.Vehicle)
	}
	return words + ". " + s.Headline
}
