package agent

import (
	"fmt"
	"time"

	"paylink/internal/lang"
	"paylink/internal/pay"
)

// endInPortal says where a payment stands that a client makes in My Account, in place of what end says of a link.
func (l *ladder) endInPortal() {
	p := l.view.Payment
	last := len(l.steps) - 1
	say := func(tone Tone, at time.Time, text, headline, next string) {
		l.steps = l.steps[:max(0, last)]
		l.add(tone, at, text, "")
		l.headline, l.next = headline, next
	}
	const anew = "If the client still wants to pay, take the payment or send a secure payment link."
	ends := "It ends by itself at " + lang.English.Clock(p.ExpiresAt.In(l.zone)) + ", or when the client gives it up in My Account."
	switch l.state {
	case pay.Open:
		say(Waiting, time.Time{}, "Paid", "The client is paying in My Account. Nothing was charged yet.", ends)
	case pay.NeedsAction:
		say(Now, time.Time{}, "The client’s bank asks for confirmation", "The client is confirming the payment with their bank.", "Ask the client to follow their bank’s steps.")
	case pay.Paid:
		l.next = fmt.Sprintf("Reference %s.", p.Reference())
	case pay.Expired:
		text, headline := "Not finished in time", "The client did not finish the payment in My Account. No payment was taken."
		if p.Reason == pay.ReasonNotSent {
			text, headline = "The charge could not be set up", "The card processor could not be reached while the client was paying. Nothing was charged."
		}
		at := p.ClosedAt
		if at.IsZero() {
			at = p.ExpiresAt
		}
		say(Wrong, at, text, headline, anew)
	case pay.Revoked:
		switch p.Reason {
		case pay.ReasonClient:
			say(Wrong, p.ClosedAt, "Given up", "The client gave the payment up in My Account. No payment was taken.", anew)
		case pay.ReasonNewPayment:
			say(Wrong, p.ClosedAt, "Begun anew", "The client began anew in My Account. No payment was taken by this one.", "")
		}
	case pay.Locked:
		say(Wrong, p.ClosedAt, "Locked after five declined cards", "Five cards were declined. No payment was taken.", "Ask the client to call their bank.")
	case pay.Superseded:
		say(Wrong, p.ClosedAt, "The account has changed", "The account changed while the client was paying, so that the total no longer holds. No payment was taken.", anew)
	}
}
