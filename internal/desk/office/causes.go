package office

import (
	"fmt"
	"time"

	"paylink/internal/lang"
	"paylink/internal/pay"
)

// Cause is why a payment waits for a person.
type Cause struct {
	Kind Kind
	Text string    // why it waits, in one sentence
	Do   string    // what to do about it
	By   time.Time // by when; zero: no date is set
	Calm bool      // nothing is to be done now but to wait
}

// Kind is what sort of cause it is.
type Kind string

const (
	InReview       Kind = "review"
	HeldMoney      Kind = "held"
	RefundUnderWay Kind = "under_way"
	RefundStuck    Kind = "stuck"
	RefundRefused  Kind = "refused"
	RefundFailed   Kind = "failed"
	Disputed       Kind = "dispute"
)

// Causes says why a payment waits for a person; none: it does not. Store.Waiting finds the same payments.
func Causes(v pay.View) []Cause {
	var out []Cause
	add := func(c Cause) { out = append(out, c) }
	p := v.Payment
	if p.State == pay.Review {
		add(Cause{Kind: InReview, Text: "In review: " + reviewWords(p.Reason) + ".", Do: "Compare it with the card processor’s dashboard. Then say what is true: it is paid, it goes back, or nothing was charged."})
	}
	if p.Held {
		why := "The charge came after the link had closed"
		switch p.Reason {
		case pay.ReasonRestored:
			why = "The charge came while the books were those of a backup"
		case pay.ReasonReview:
			why = "A review decided that the charge goes back"
		}
		add(Cause{Kind: HeldMoney, Text: fmt.Sprintf("%s. %s is held.", why, p.Charged-p.GivenBack), Do: "Apply it to the account, or give it back."})
	}
	if r := v.Waiting(); r != nil && p.Refunding == pay.RefundStuck {
		add(Cause{Kind: RefundStuck, Text: fmt.Sprintf("A refund of %s is stuck: the card processor does not say whether it was made.", r.Amount),
			Do: "Look for it in the card processor’s dashboard. If it is there, it is found by itself; if not, say that it was not made."})
	} else if r != nil {
		add(Cause{Kind: RefundUnderWay, Calm: true, Text: fmt.Sprintf("A refund of %s is on its way to the card processor.", r.Amount), Do: "Nothing: it is asked for until it is answered."})
	}
	if r := lost(v); r != nil {
		do := "Refund it again, or pay it back in another way and note that here."
		if !p.State.Sold() {
			do = "Decide what becomes of the money."
		}
		if r.State == pay.RefundBack {
			add(Cause{Kind: RefundFailed, Text: fmt.Sprintf("A refund of %s has failed%s: the bank sent the money back to us.", r.Amount, codeWords(r.Code)), Do: do})
		} else {
			add(Cause{Kind: RefundRefused, Text: fmt.Sprintf("A refund of %s was not made%s.", r.Amount, codeWords(r.Code)), Do: do})
		}
	}
	for _, d := range v.Disputes {
		if d.Over() {
			continue
		}
		c := Cause{Kind: Disputed, Text: fmt.Sprintf("The card’s owner disputes %s at the bank: %s.", d.Amount, DisputeReason(d.Reason)), By: d.EvidenceBy}
		switch d.Status {
		case "under_review", "warning_under_review":
			c.Text, c.Do, c.By, c.Calm = fmt.Sprintf("A dispute over %s is with the bank.", d.Amount), "Nothing: the bank decides.", time.Time{}, true
		default:
			c.Do = "Send the evidence file to the bank in the card processor’s dashboard, or accept the dispute there."
			if !d.EvidenceBy.IsZero() {
				c.Do = "Send the evidence file to the bank in the card processor’s dashboard before " + lang.English.DateTime(d.EvidenceBy.In(v.Facts.Location.TimeZone())) + ", or accept the dispute there."
			}
		}
		add(c)
	}
	return out
}

// lost returns the last refund that came to nothing, that nobody has settled, and after which none was asked for; nil: there is none.
func lost(v pay.View) *pay.Refund {
	var found *pay.Refund
	for i := range v.Refunds {
		r := &v.Refunds[i]
		switch {
		case r.State != pay.RefundBack && r.State != pay.RefundNotMade:
			found = nil // it came later
		case r.ClearedAt.IsZero():
			found = r
		}
	}
	return found
}

func codeWords(code string) string {
	switch code {
	case "":
		return ""
	case "insufficient_funds":
		return " (our balance at the card processor was too small)"
	case "charge_already_refunded":
		return " (the charge had been given back already)"
	case "charge_disputed":
		return " (the charge is disputed)"
	case "expired_or_canceled_card", "lost_or_stolen_card":
		return " (the card is no longer valid)"
	case "amount_too_large":
		return " (more than was left to give back)"
	}
	return " (" + code + ")"
}

func reviewWords(r pay.Reason) string {
	switch r {
	case pay.ReasonMismatch:
		return "the card processor shows another amount, account or id than ours"
	case pay.ReasonDashboard:
		return "it was changed in the card processor’s dashboard"
	}
	return "something about it does not match"
}

// DisputeReason words the reason that a bank gives for a dispute (docs.stripe.com/disputes/categories).
func DisputeReason(code string) string {
	switch code {
	case "fraudulent":
		return "they say that they did not pay this"
	case "duplicate":
		return "they say that they were charged twice"
	case "product_not_received":
		return "they say that they got no service"
	case "product_unacceptable":
		return "they say that the service was not as promised"
	case "credit_not_processed":
		return "they say that they are owed a refund"
	case "subscription_canceled":
		return "they say that they had cancelled"
	case "unrecognized":
		return "they do not recognise the charge"
	}
	return "the bank gives no particular reason"
}
