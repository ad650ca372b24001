package pay

import (
	"slices"
	"strings"
	"time"

	"paylink/internal/money"
	"paylink/internal/trail"
)

// RefundState is what became of a refund. It only goes forward: a refund that Stripe has made may still fail, and one that failed never comes back.
type RefundState string

const (
	RefundWaits   RefundState = "asked" // its row is written; Stripe has not shown it yet
	RefundOnWay   RefundState = "pending"
	RefundDone    RefundState = "succeeded"
	RefundBack    RefundState = "failed"  // the bank sent it back, or it was cancelled: the money is ours again
	RefundNotMade RefundState = "refused" // Stripe would not make it, or a person says that it was never made
)

var refundRank = map[RefundState]int{RefundWaits: 0, RefundNotMade: 1, RefundOnWay: 1, RefundDone: 2, RefundBack: 3}

// Refund is money given back, whole or in part.
type Refund struct {
	ID        string // ours; it is in Stripe's metadata
	PaymentID string
	StripeID  string // re_…; "" until Stripe has shown it
	Amount    money.Cents
	State     RefundState
	Why       string // in the words of the person who asked
	By        trail.Actor
	Code      string // Stripe's code for a refusal or a failure
	AskedAt   time.Time
	EndedAt   time.Time // zero: Stripe has not answered
	FormKey   string    // of the form that asked, unique; "" if none did
	ClearedAt time.Time // when a person settled in another way what a failed or refused refund has left; zero: not
}

// Moved says whether the refund's money has left us.
func (r Refund) Moved() bool { return r.State == RefundOnWay || r.State == RefundDone }

// Waiting returns the refund that Stripe has not shown yet; nil if there is none. There is at most one.
func (v View) Waiting() *Refund {
	for i := range v.Refunds {
		if v.Refunds[i].State == RefundWaits {
			return &v.Refunds[i]
		}
	}
	return nil
}

// Dispute is a charge that its card's owner contests at the bank.
type Dispute struct {
	ID           string // dp_…
	PaymentID    string
	ChargeID     string
	Amount       money.Cents
	Reason       string
	Status       string
	EvidenceBy   time.Time // by when the bank wants our side; zero: not shown
	OpenedAt     time.Time
	ChangedAt    time.Time
	Moved        []string // balance transactions that are in the books
	Evidence     string   // the evidence file as it stood when the dispute became known: JSON
	EvidenceHash string   // SHA-256 of it in hex
}

// Over says whether the bank has decided.
func (d Dispute) Over() bool {
	return d.Status == "won" || d.Status == "lost" || d.Status == "warning_closed" || d.Status == "prevented"
}

// shown is what Stripe's lists say against what is on record.
type shown struct {
	refunds  []Refund  // new or changed
	disputes []Dispute // new or changed
	moves    []move    // what refunds and disputes moved that is not in the books, in order
	back     money.Cents
	settled  bool
	waiting  bool
	contest  bool
	failed   bool
}

// move is one thing to book: a refund that left us or came back, or a dispute's balance transaction.
type move struct {
	refund   *Refund // nil for a dispute's
	cameBack bool
	txn      Movement
}

// compare finds what Stripe shows and the books do not. A list may be older than what is on record, so nothing is taken back because a list lacks it.
func compare(v View, newID func() string, refunds []GivenBack, contests []Contest) shown {
	var t shown
	rows := slices.Clone(v.Refunds)
	for _, g := range refunds {
		i := slices.IndexFunc(rows, func(r Refund) bool { return r.StripeID == g.ID || r.StripeID == "" && r.ID == g.RefundID })
		if i < 0 {
			id, by, why := g.RefundID, trail.ByStripe, "made at Stripe"
			if id == "" {
				id = newID()
			}
			rows = append(rows, Refund{ID: id, PaymentID: v.Payment.ID, Amount: g.Amount, State: RefundWaits, Why: why, By: by, AskedAt: g.At})
			i = len(rows) - 1
		}
		r, was := &rows[i], rows[i]
		to := refundState(g.Status)
		if refundRank[to] <= refundRank[was.State] && was.StripeID != "" {
			continue
		}
		r.StripeID, r.State, r.Code, r.EndedAt = g.ID, to, g.Failure, v.Facts.Now
		r.Amount = g.Amount
		if w := v.Waiting(); w != nil && w.ID == r.ID {
			t.settled = true
		}
		made := *r
		if !was.Moved() && (r.Moved() || was.StripeID == "") {
			t.moves = append(t.moves, move{refund: &made})
		}
		if r.State == RefundBack { // which may be all that anybody ever saw of it: Stripe has moved the money twice all the same
			t.moves = append(t.moves, move{refund: &made, cameBack: true})
			t.failed = true
		}
		t.refunds = append(t.refunds, made)
	}
	for _, r := range rows {
		if r.Moved() {
			t.back += r.Amount
		}
		t.waiting = t.waiting || r.State == RefundOnWay
	}
	for _, c := range contests {
		i := slices.IndexFunc(v.Disputes, func(d Dispute) bool { return d.ID == c.ID })
		d := Dispute{ID: c.ID, PaymentID: v.Payment.ID, ChargeID: c.ChargeID, Amount: c.Amount, OpenedAt: c.At}
		if i >= 0 {
			d = v.Disputes[i]
		}
		was := d.Status
		d.Status, d.Reason, d.EvidenceBy, d.Moved = c.Status, c.Reason, c.EvidenceBy, slices.Clone(d.Moved)
		for _, txn := range c.Moved {
			if !slices.Contains(d.Moved, txn.ID) {
				d.Moved = append(d.Moved, txn.ID)
				t.moves = append(t.moves, move{txn: txn})
			}
		}
		t.waiting = t.waiting || !d.Over()
		if i < 0 || was != d.Status || len(d.Moved) != len(v.Disputes[i].Moved) {
			d.ChangedAt = v.Facts.Now
			t.contest = t.contest || i < 0 || was != d.Status && d.Status == "lost"
			t.disputes = append(t.disputes, d)
		}
	}
	return t
}

// nothing says that Stripe shows nothing that is not on record.
func (t shown) nothing() bool { return len(t.refunds) == 0 && len(t.disputes) == 0 }

func refundState(s RefundStatus) RefundState {
	switch s {
	case RefundSucceeded:
		return RefundDone
	case RefundFailed, RefundCanceled:
		return RefundBack
	}
	return RefundOnWay // pending, and what waits for the payer: it is charged to our balance already
}

// summary words what changed, for the trail.
func (t shown) summary() string {
	var words []string
	for _, r := range t.refunds {
		words = append(words, "refund of "+r.Amount.String()+" "+string(r.State))
	}
	for _, d := range t.disputes {
		words = append(words, "dispute over "+d.Amount.String()+" "+d.Status)
	}
	return strings.Join(words, ", ")
}
