// Package office is Finance's desk: what waits for a person, one payment whole, and what a person decides about its money.
package office

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// What the desk refuses, besides what the machine refuses. Nothing was done where one of these is returned.
var (
	ErrReason = errors.New("a reason is needed")
	ErrAmount = errors.New("an amount is needed")
)

// Waits is a payment that waits for a person, and since when.
type Waits struct {
	PaymentID string
	Since     time.Time
}

// Reconciled is how the reconciliation of a day, in UTC, came out.
type Reconciled struct {
	Day         day.Date
	EndedAt     time.Time
	Differences int
}

// Store is what the desk reads.
type Store interface {
	View(ctx context.Context, paymentID string) (pay.View, error)
	// Record reads links, texts, terms and trail of a payment.
	Record(ctx context.Context, paymentID string) (pay.Record, error)
	// InvoicesOf lists what a payment has invoiced and credited, oldest first.
	InvoicesOf(ctx context.Context, paymentID string) ([]ledger.Invoice, error)
	// Client returns account.ErrNotFound for none.
	Client(ctx context.Context, id string) (account.Client, []account.Vehicle, error)
	// Waiting lists payments at some locations (none: at any) that wait for a person, oldest first, those after a place in the list; each once.
	Waiting(ctx context.Context, locations []string, after Waits, limit int) ([]Waits, error)
	// CountWaiting counts them, up to a most.
	CountWaiting(ctx context.Context, locations []string, most int) (int, error)
	// Reconciliations lists the last days that were reconciled, the newest first.
	Reconciliations(ctx context.Context, limit int) ([]Reconciled, error)
	// Clear notes that a person has settled what a payment's failed and refused refunds have left. pay.ErrClosed: there was nothing to settle.
	Clear(ctx context.Context, paymentID string, e trail.Entry) error
	// Member returns staff.ErrNotFound for none.
	Member(ctx context.Context, id string) (staff.Member, error)
	Write(ctx context.Context, e trail.Entry) error
	Now(ctx context.Context) (time.Time, error)
	TrailStore
}

// Machine is the till.
type Machine interface {
	Refund(ctx context.Context, a pay.AskBack) error
	DropRefund(ctx context.Context, paymentID string, by trail.Actor, why string) error
	Decide(ctx context.Context, paymentID string, as pay.State, by trail.Actor, why string) error
}

// Desk is Finance's desk. All fields are required.
type Desk struct {
	Store   Store
	Machine Machine
	Printer Printer
	NewID   func() string
}

const (
	pageMost  = 25
	CountMost = 99 // more than so many are not counted
)

func actor(who staff.Member) trail.Actor { return trail.Actor{Kind: trail.Staff, ID: who.ID} }

// write writes an act, or its refusal, into the trail.
func (d *Desk) write(ctx context.Context, who staff.Member, act string, p pay.Payment, refused error, detail string) error {
	now, err := d.Store.Now(ctx)
	if err != nil {
		return err
	}
	e := trail.Entry{ID: d.NewID(), At: now, Actor: actor(who), Act: act, Object: p.ID, ClientID: p.ClientID, Detail: detail}
	if refused != nil {
		e.Refused = refused.Error()
	}
	return d.Store.Write(ctx, e)
}

// may refuses who has not the permission, and writes the refusal down.
func (d *Desk) may(ctx context.Context, who staff.Member, p staff.Permission, act, paymentID string) error {
	why := who.May(p)
	if why == nil {
		return nil
	}
	if err := d.write(ctx, who, act, pay.Payment{ID: paymentID}, why, ""); err != nil {
		return err
	}
	return why
}

// errElsewhere is what the trail says of a payment that is hidden from somebody. They hear that there is none.
var errElsewhere = errors.New("outside of their locations")

// view returns a payment for somebody who has the permission and sees its client: of whom a vehicle is serviced at a location in their scope. Every method that takes a payment's id
// comes through here; TestNobodySeesOrDoesWhatIsElsewhere asks each exported one. Errors: staff.ErrNotAllowed, pay.ErrNotFound.
func (d *Desk) view(ctx context.Context, who staff.Member, p staff.Permission, act, paymentID string) (pay.View, error) {
	if err := d.may(ctx, who, p, act, paymentID); err != nil {
		return pay.View{}, err
	}
	v, err := d.Store.View(ctx, paymentID)
	if err != nil || len(who.Scope().Locations) == 0 {
		return v, err
	}
	_, vehicles, err := d.Store.Client(ctx, v.Payment.ClientID)
	if err != nil {
		return pay.View{}, err
	}
	for _, one := range vehicles {
		if who.Scope().AtLocation(one.LocationID) {
			return v, nil
		}
	}
	return pay.View{}, errors.Join(pay.ErrNotFound, d.write(ctx, who, act, v.Payment, errElsewhere, ""))
}

// Item is a payment that waits for a person.
type Item struct {
	Waits
	Payment pay.Payment
	Client  string // name
	Causes  []Cause
}

// List is a page of what waits, oldest first.
type List struct {
	Items []Item
	Now   time.Time
	Next  *Waits // the place from which the next page goes on; nil: this is the last
	Count int    // of all pages, up to CountMost + 1

	Reconciled []Reconciled // the last week's, newest first
}

// Waiting lists what waits for a person. Errors: staff.ErrNotAllowed.
func (d *Desk) Waiting(ctx context.Context, who staff.Member, after Waits) (List, error) {
	var out List
	if err := d.may(ctx, who, staff.SeeFinance, "see what waits", ""); err != nil {
		return out, err
	}
	found, err := d.Store.Waiting(ctx, who.Scope().Locations, after, pageMost+1)
	if err != nil {
		return out, err
	}
	if len(found) > pageMost {
		found = found[:pageMost]
		out.Next = &found[pageMost-1]
	}
	if out.Now, err = d.Store.Now(ctx); err != nil {
		return out, err
	}
	if out.Count, err = d.Store.CountWaiting(ctx, who.Scope().Locations, CountMost+1); err != nil {
		return out, err
	}
	if out.Reconciled, err = d.Store.Reconciliations(ctx, 7); err != nil {
		return out, err
	}
	for _, w := range found {
		v, err := d.Store.View(ctx, w.PaymentID)
		if err != nil {
			return out, err
		}
		if causes := Causes(v); len(causes) > 0 { // else it was settled just now
			out.Items = append(out.Items, Item{Waits: w, Payment: v.Payment, Client: v.Facts.Client.Name(), Causes: causes})
		}
	}
	return out, nil
}

// Count counts what waits for a person, up to CountMost + 1. Errors: staff.ErrNotAllowed.
func (d *Desk) Count(ctx context.Context, who staff.Member) (int, error) {
	if err := who.May(staff.SeeFinance); err != nil {
		return 0, err
	}
	return d.Store.CountWaiting(ctx, who.Scope().Locations, CountMost+1)
}

// Case is one payment whole.
type Case struct {
	pay.View
	pay.Record
	Invoices []ledger.Invoice // oldest first
	Names    map[string]string
	Causes   []Cause
	Left     money.Cents // what can still be given back
	// What a person may do about it now. May is false for all of them where their role does not include it.
	MayRefund, MayReview, MayLate, MayDrop, MayClear, MayEvidence bool
}

// Payment returns one payment whole. Errors: pay.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Payment(ctx context.Context, who staff.Member, id string) (Case, error) {
	c := Case{Names: map[string]string{}}
	var err error
	if c.View, err = d.view(ctx, who, staff.SeeFinance, "see payment", id); err != nil {
		return c, err
	}
	if c.Record, err = d.Store.Record(ctx, id); err != nil {
		return c, err
	}
	if c.Invoices, err = d.Store.InvoicesOf(ctx, id); err != nil {
		return c, err
	}
	actors := []trail.Actor{c.Payment.CreatedBy}
	for _, e := range c.Trail {
		actors = append(actors, e.Actor)
	}
	for _, r := range c.Refunds {
		actors = append(actors, r.By)
	}
	for _, a := range actors {
		if _, known := c.Names[a.ID]; known || a.Kind != trail.Staff {
			continue
		}
		m, err := d.Store.Member(ctx, a.ID)
		if err != nil && !errors.Is(err, staff.ErrNotFound) {
			return c, err
		}
		c.Names[a.ID] = m.Name
	}
	c.Causes = Causes(c.View)
	p := c.Payment
	if p.State.Booked() {
		c.Left = p.Charged - p.GivenBack
	}
	c.MayEvidence = who.May(staff.TakeEvidence) == nil
	if who.May(staff.DecideMoney) == nil {
		c.MayRefund = p.State.Sold() && p.Refunding == pay.NoRefund && c.Left > 0
		c.MayReview = p.State == pay.Review
		c.MayLate = p.State == pay.PaidAfterClose && p.Held && p.Refunding == pay.NoRefund
		c.MayDrop = p.Refunding == pay.RefundStuck
		c.MayClear = p.State.Sold() && lost(c.View) != nil
	}
	return c, nil
}

// GiveBack is what a person asks for: money back, for a reason.
type GiveBack struct {
	PaymentID string
	Amount    money.Cents
	Whole     bool // for Look: all that is left, whatever Amount says
	Why       string
	FormKey   string // of the form: a second click makes no second refund
}

// Look says whether a refund could be asked for, and changes nothing: the form is confirmed before it acts. It returns the reason as it would be kept.
// Errors: as Refund, without what only Stripe can say.
func (d *Desk) Look(ctx context.Context, who staff.Member, g GiveBack) (Case, string, error) {
	if err := d.may(ctx, who, staff.DecideMoney, "refund payment", g.PaymentID); err != nil {
		return Case{}, "", err
	}
	c, err := d.Payment(ctx, who, g.PaymentID)
	if err != nil {
		return c, "", err
	}
	p := c.Payment
	if g.Whole {
		g.Amount = c.Left
	}
	why, err := reason(g.Why)
	switch {
	case !p.State.Booked():
		err = pay.ErrNotCharged
	case !p.State.Sold():
		err = pay.ErrNeedsReview
	case p.Refunding != pay.NoRefund:
		err = pay.ErrRefunding
	case g.Amount <= 0:
		err = ErrAmount
	case g.Amount > c.Left:
		err = pay.ErrTooMuch
	}
	if err != nil {
		return c, "", d.refused(ctx, who, "refund payment", p, err)
	}
	return c, why, nil
}

// Refund gives money of a paid payment back, whole or in part. Its reason is kept. Errors, with nothing given back: ErrReason, ErrAmount, trail.ErrCardNumber, trail.ErrTooLong,
// pay.ErrTooMuch, pay.ErrRefunding, pay.ErrAccountBusy, pay.ErrNeedsReview, pay.ErrNotCharged, pay.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Refund(ctx context.Context, who staff.Member, g GiveBack) error {
	return d.act(ctx, who, "refund payment", g.PaymentID, g.Why, func(p pay.Payment, why string) error {
		if g.Amount <= 0 {
			return ErrAmount
		}
		return d.Machine.Refund(ctx, pay.AskBack{PaymentID: p.ID, Amount: g.Amount, Why: why, By: actor(who), FormKey: g.form()})
	})
}

// form is the key of what the form asks for: sent again as it was it finds its first refund, corrected it asks for another.
func (g GiveBack) form() string {
	if g.FormKey == "" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "refund %s %s %d", g.FormKey, g.PaymentID, g.Amount))
	return hex.EncodeToString(sum[:])
}

// Decide says what becomes of a payment in review (pay.Paid, pay.Refunded, pay.Revoked) or of money that came after closing (pay.Applied, pay.Refunded).
// Errors, with nothing done: ErrReason, trail.ErrCardNumber, trail.ErrTooLong, staff.ErrNotAllowed, and those of pay.Machine.Decide.
func (d *Desk) Decide(ctx context.Context, who staff.Member, paymentID string, as pay.State, why string) error {
	return d.act(ctx, who, "decide: "+string(as), paymentID, why, func(p pay.Payment, why string) error {
		if p.State != pay.Review && p.State != pay.PaidAfterClose {
			return pay.ErrClosed // somebody was faster
		}
		err := d.Machine.Decide(ctx, p.ID, as, actor(who), why)
		if err == nil && as == pay.Applied { // what an earlier try to give it back has left is settled with it
			if err = d.clear(ctx, who, p, why); errors.Is(err, pay.ErrClosed) {
				return nil
			}
		}
		return err
	})
}

// Drop says that a refund for which Stripe has no answer was never made. Errors: ErrReason, trail.ErrCardNumber, trail.ErrTooLong, pay.ErrRefunding if Stripe may still answer, staff.ErrNotAllowed.
func (d *Desk) Drop(ctx context.Context, who staff.Member, paymentID, why string) error {
	return d.act(ctx, who, "drop refund", paymentID, why, func(p pay.Payment, why string) error {
		return d.Machine.DropRefund(ctx, p.ID, actor(who), why)
	})
}

// Clear notes that a person has settled in another way what a failed or refused refund has left, such as by a check.
// Errors: ErrReason, trail.ErrCardNumber, trail.ErrTooLong, pay.ErrClosed if there was nothing to settle, staff.ErrNotAllowed.
func (d *Desk) Clear(ctx context.Context, who staff.Member, paymentID, why string) error {
	return d.act(ctx, who, clearing, paymentID, why, func(p pay.Payment, why string) error { return d.clear(ctx, who, p, why) })
}

const clearing = "settle failed refund"

func (d *Desk) clear(ctx context.Context, who staff.Member, p pay.Payment, why string) error {
	return d.Store.Clear(ctx, p.ID, trail.Entry{ID: d.NewID(), Actor: actor(who), Act: clearing, Object: p.ID, ClientID: p.ClientID, Detail: why})
}

// act does something about a payment, with a reason, and writes a refusal down; what was done is written with it.
func (d *Desk) act(ctx context.Context, who staff.Member, name, paymentID, why string, do func(p pay.Payment, why string) error) error {
	v, err := d.view(ctx, who, staff.DecideMoney, name, paymentID)
	if err != nil {
		return err
	}
	if why, err = reason(why); err == nil {
		err = do(v.Payment, why)
	}
	return d.refused(ctx, who, name, v.Payment, err)
}

// refused writes our own no into the trail, and returns it. A fault is no refusal.
func (d *Desk) refused(ctx context.Context, who staff.Member, name string, p pay.Payment, why error) error {
	for _, no := range []error{ErrReason, ErrAmount, trail.ErrCardNumber, trail.ErrTooLong, pay.ErrTooMuch, pay.ErrRefunding, pay.ErrAccountBusy, pay.ErrNeedsReview, pay.ErrNotCharged, pay.ErrCharged,
		pay.ErrTotalMoved, pay.ErrClosed, pay.ErrUnavailable} {
		if errors.Is(why, no) {
			return errors.Join(why, d.write(ctx, who, name, p, no, ""))
		}
	}
	return why
}

func reason(words string) (string, error) {
	kept, err := trail.FreeText(strings.TrimSpace(words))
	if err == nil && kept == "" {
		err = ErrReason
	}
	return kept, err
}

// File is a file to keep. Of a PDF, Text is its bytes, and SHA256 that of the JSON file that it was made from.
type File struct{ Name, Text, SHA256 string }

// Printer makes PDFs: the same input always gives the same bytes.
type Printer interface {
	// Evidence lays an evidence file out. hash is the SHA-256 of its text.
	Evidence(f pay.EvidenceFile, hash string) ([]byte, error)
}

// Evidence is a payment's evidence file as of now, or the one that was stored when a dispute became known; disputeID "" is the first. Each is written into the trail.
// Errors: pay.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Evidence(ctx context.Context, who staff.Member, paymentID, disputeID string) (File, error) {
	f, p, what, err := d.evidence(ctx, who, paymentID, disputeID)
	if err != nil {
		return File{}, err
	}
	return f, d.write(ctx, who, takeEvidence, p, nil, what+", SHA-256 "+f.SHA256)
}

// EvidencePDF is the same file, laid out for people. Errors: as Evidence.
func (d *Desk) EvidencePDF(ctx context.Context, who staff.Member, paymentID, disputeID string) (File, error) {
	f, p, what, err := d.evidence(ctx, who, paymentID, disputeID)
	if err != nil {
		return File{}, err
	}
	read, err := pay.ReadEvidence(f.Text)
	if err != nil {
		return File{}, err
	}
	printed, err := d.Printer.Evidence(read, f.SHA256)
	if err != nil {
		return File{}, err
	}
	f.Name, f.Text = strings.TrimSuffix(f.Name, ".json")+".pdf", string(printed)
	return f, d.write(ctx, who, takeEvidence, p, nil, what+", as PDF, SHA-256 "+f.SHA256)
}

const takeEvidence = "take evidence"

func (d *Desk) evidence(ctx context.Context, who staff.Member, paymentID, disputeID string) (File, pay.Payment, string, error) {
	v, err := d.view(ctx, who, staff.TakeEvidence, takeEvidence, paymentID)
	if err != nil {
		return File{}, v.Payment, "", err
	}
	f := File{Name: v.Payment.EvidenceName()}
	what := "as of now"
	if disputeID == "" {
		r, err := d.Store.Record(ctx, paymentID)
		if err != nil {
			return File{}, v.Payment, "", err
		}
		if f.Text, f.SHA256, err = pay.Evidence(v, r, v.Facts.Now); err != nil {
			return File{}, v.Payment, "", err
		}
	} else {
		what = "as stored for dispute " + disputeID
		for _, one := range v.Disputes {
			if one.ID == disputeID {
				f.Text, f.SHA256 = one.Evidence, one.EvidenceHash
				f.Name = strings.TrimSuffix(f.Name, ".json") + "-" + disputeID + ".json"
			}
		}
		if f.Text == "" {
			return File{}, v.Payment, "", pay.ErrNotFound
		}
	}
	return f, v.Payment, what, nil
}
