package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// ErrWhere is returned where no vehicle was chosen and the client's vehicles are serviced at several locations, or there is none.
var ErrWhere = errors.New("the location is not clear: a vehicle must be chosen")

// Account is a client's account as a charge to it is decided upon.
type Account struct {
	Client   account.Client
	Vehicles []Vehicle     // by id
	Fees     []account.Fee // of all their locations, retired ones too, by id
	Balance  money.Cents   // negative for a credit
	InFlight bool          // a payment of the account may be moving money right now
	Now      time.Time     // after the account's lock was taken
}

// Charge is everything that an invoice of fees writes, in one transaction.
type Charge struct {
	Invoice ledger.Invoice
	Entry   ledger.Entry
	Note    account.Note
	Trail   trail.Entry
	FormKey string // unique; "" for none
}

// FeeChoice is a fee of the list as it was chosen.
type FeeChoice struct {
	FeeID string
	Count int
	Shown money.Cents // what it cost when the summary was shown; not looked at for a summary
}

// FeeOrder is what is to be invoiced.
type FeeOrder struct {
	ClientID  string
	VehicleID string // "": none, at the client's only location
	Fees      []FeeChoice
	Shown     money.Cents // the total that the summary has shown; not looked at for a summary
	FormKey   string      // of the form: a second click adds nothing twice
}

// form is the key of what the form asks for: sent again as it was it finds its first invoice, corrected it asks for another.
func (o FeeOrder) form() string {
	if o.FormKey == "" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "invoice %s %s %s %v", o.FormKey, o.ClientID, o.VehicleID, o.Fees))
	return hex.EncodeToString(sum[:])
}

// FeeSummary is what an invoice of fees would come to, and what may be chosen for one.
type FeeSummary struct {
	quote.FeeSummary
	Account  Account
	Vehicle  *account.Vehicle // nil: none was chosen
	Location account.Location
	Offered  []account.Fee // by name
	After    money.Cents   // the balance with the invoice
}

// FeeList is what may be invoiced for a vehicle, or without one. Errors: ErrWhere, account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) FeeList(ctx context.Context, who staff.Member, clientID, vehicleID string) (FeeSummary, error) {
	const act = "quote invoice"
	if err := d.allow(ctx, who, staff.AddInvoice, act, vehicleID, clientID); err != nil {
		return FeeSummary{}, err
	}
	a, err := d.Store.Account(ctx, clientID)
	if err != nil {
		return FeeSummary{}, err
	}
	s, err := offer(a, who, vehicleID)
	if errors.Is(err, staff.ErrNotAllowed) {
		return s, d.refused(ctx, who, act, vehicleID, clientID, err)
	}
	return s, err
}

// FeeSummary prices fees as of now. Errors: quote.ErrNone, quote.ErrFee, quote.ErrCount, and FeeList's. With one of quote's, what may be chosen is told all the same.
func (d *Desk) FeeSummary(ctx context.Context, who staff.Member, o FeeOrder) (FeeSummary, error) {
	s, err := d.FeeList(ctx, who, o.ClientID, o.VehicleID)
	if err != nil {
		return s, err
	}
	return price(s, o)
}

// AddInvoice posts an invoice of fees: the receivable, what it is revenue of, its tax, and a note about it. It is paid later. The same form sent twice adds one.
// Errors, with nothing posted: *MovedError for a fee or a total that is another than was shown, pay.ErrAccountBusy while a payment of the account is in flight, and FeeSummary's.
func (d *Desk) AddInvoice(ctx context.Context, who staff.Member, o FeeOrder) (ledger.Invoice, error) {
	if err := d.allow(ctx, who, staff.AddInvoice, addInvoice, o.VehicleID, o.ClientID); err != nil {
		return ledger.Invoice{}, err
	}
	added, err := d.Store.AddInvoice(ctx, o.ClientID, o.form(), func(a Account) (Charge, error) { return d.charge(a, who, o) })
	if refusal(err) {
		return added, d.refused(ctx, who, addInvoice, o.VehicleID, o.ClientID, err)
	}
	return added, err
}

const addInvoice = "add invoice"

// charge decides what an invoice of fees writes.
func (d *Desk) charge(a Account, who staff.Member, o FeeOrder) (Charge, error) {
	s, err := offer(a, who, o.VehicleID)
	if err != nil {
		return Charge{}, err
	}
	if s, err = price(s, o); err != nil {
		return Charge{}, err
	}
	for i, l := range s.Lines {
		if l.Fee.Amount != o.Fees[i].Shown || s.Total != o.Shown {
			return Charge{}, &MovedError{Shown: o.Shown, Now: s.Total}
		}
	}
	if a.InFlight { // it counts on what the account stands at
		return Charge{}, pay.ErrAccountBusy
	}
	id := d.NewID()
	c := Charge{
		Invoice: ledger.Invoice{
			ID: id, Number: a.Now.In(s.Location.TimeZone()).Format("060102-") + ledger.Code(id), ClientID: a.Client.ID, IssuedAt: a.Now,
			LocationID: s.Location.ID, Location: s.Location.Name, Zone: s.Location.Zone, TaxPPM: s.TaxPPM, Subtotal: s.Subtotal, Tax: s.Tax, Total: s.Total,
		},
		Entry:   ledger.Entry{ID: d.NewID(), ClientID: a.Client.ID, Cause: "invoice " + id, At: a.Now},
		FormKey: o.form(),
	}
	if s.Vehicle != nil {
		c.Invoice.VehicleID, c.Invoice.Vehicle = s.Vehicle.ID, s.Vehicle.Label
	}
	var names []string
	for _, l := range s.Lines {
		c.Invoice.Lines = append(c.Invoice.Lines, ledger.Line{Kind: "fee_" + string(l.Fee.Kind), Label: l.Fee.Name, Count: l.Count, Amount: l.Amount})
		name := l.Fee.Name
		if l.Count > 1 {
			name = fmt.Sprintf("%s × %d", name, l.Count)
		}
		names = append(names, name)
	}
	c.Entry.Add(ledger.Receivable, s.Total)
	c.Entry.Add(ledger.RevenueFees, -s.Subtotal)
	c.Entry.Add(ledger.TaxPayable, -s.Tax)
	what := fmt.Sprintf("%s, %s: %s", c.Invoice.Number, s.Total, strings.Join(names, ", "))
	c.Note = account.Note{ID: d.NewID(), ClientID: a.Client.ID, At: a.Now, By: actor(who), Text: "Invoice added. " + what + "."}
	c.Trail = d.entry(who, a.Now, addInvoice, id, a.Client.ID)
	c.Trail.Detail = what
	return c, c.Entry.Check()
}

// offer finds what may be invoiced for a vehicle, or without one.
func offer(a Account, who staff.Member, vehicleID string) (FeeSummary, error) {
	s := FeeSummary{Account: a, After: a.Balance}
	for i, v := range a.Vehicles {
		switch {
		case v.ID == vehicleID:
			s.Vehicle, s.Location = &a.Vehicles[i].Vehicle, v.Location
		case vehicleID == "" && s.Location.ID != "" && s.Location.ID != v.Location.ID:
			return s, ErrWhere
		case vehicleID == "":
			s.Location = v.Location
		}
	}
	switch {
	case s.Location.ID == "" && vehicleID == "":
		return s, ErrWhere
	case s.Location.ID == "":
		return s, account.ErrNotFound
	}
	if err := within(who, s.Location.ID); err != nil {
		return s, err
	}
	for _, f := range a.Fees {
		if f.LocationID == s.Location.ID && !f.Retired {
			s.Offered = append(s.Offered, f)
		}
	}
	slices.SortStableFunc(s.Offered, func(a, b account.Fee) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return s, nil
}

// price prices what was chosen of what is offered.
func price(s FeeSummary, o FeeOrder) (FeeSummary, error) {
	var items []quote.FeeItem
	for _, c := range o.Fees {
		item := quote.FeeItem{Fee: account.Fee{ID: c.FeeID}, Count: c.Count} // of no location
		for _, f := range s.Account.Fees {
			if f.ID == c.FeeID {
				item.Fee = f
			}
		}
		items = append(items, item)
	}
	var err error
	if s.FeeSummary, err = quote.Fees(s.Location, s.Account.Client.TaxExempt, items); err != nil {
		return s, err
	}
	s.After, err = s.Account.Balance.Add(s.Total)
	return s, err
}
