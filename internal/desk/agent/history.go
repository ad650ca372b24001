package agent

import (
	"context"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/lang"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/staff"
)

// Happening is what a row of an account's history is.
type Happening int

// In the order in which things of one moment happen.
const (
	Invoiced  Happening = iota + 1
	Received            // an invoice from before these books was paid, somewhere else
	Charged             // a payment took money, or a card on file was declined
	Credited            // a credit note
	GivenBack           // a refund
)

// What of an account's history is shown.
type What string

const (
	AllOfIt      What = ""
	InvoicesOnly What = "invoices"
	PaymentsOnly What = "payments"
	RefundsOnly  What = "refunds" // and credit notes
)

// Kinds are the rows of a choice, from first to last.
func (w What) Kinds() (first, last Happening) {
	switch w {
	case InvoicesOnly:
		return Invoiced, Invoiced
	case PaymentsOnly:
		return Received, Charged
	case RefundsOnly:
		return Credited, GivenBack
	}
	return Invoiced, GivenBack
}

// Place is where in a history a row stands; the zero Place is before the newest one.
type Place struct {
	At   time.Time
	Kind Happening
	ID   string
}

// Sieve says which rows are wanted.
type Sieve struct {
	First, Last Happening
	VehicleID   string    // "": of all, and of none
	From, Until time.Time // of [From, Until); zero: open
}

// Happened is one row of an account's history.
type Happened struct {
	Place
	Invoice  *ledger.Invoice // Invoiced, Credited and Received
	Newer    money.Cents     // of an invoice to be paid later: what was charged so after it
	Due      money.Cents     // of an invoice: what is still owed
	Payment  *pay.Payment    // Charged and GivenBack
	Card     pay.Card        // with which it was paid, or tried last; zero where none is known
	Disputed bool            // somebody contests it at the bank now
	Refund   *pay.Refund     // GivenBack
}

// HistoryAsk is which part of an account's history is asked for.
type HistoryAsk struct {
	What      What
	VehicleID string
	From, To  day.Date // days at the client's location, both of them included; "": open
	After     Place
}

// History is a page of an account's history, newest first.
type History struct {
	Rows []Happened
	Next *Place // from which the next page goes on; nil: this is the last
}

const historyPage = 25

// History lists what an account was charged and what it paid, newest first. New rows do not move those of a page that was turned already.
// Errors: account.ErrNotFound for a vehicle that is not the client's, staff.ErrNotAllowed.
func (d *Desk) History(ctx context.Context, who staff.Member, c Client, a HistoryAsk) (History, error) {
	var out History
	if err := d.allow(ctx, who, staff.SeeClients, "see history", c.ID, c.ID); err != nil {
		return out, err
	}
	zone := time.UTC
	for _, v := range c.Vehicles {
		if v.ID == a.VehicleID || zone == time.UTC {
			zone = v.Location.TimeZone()
		}
	}
	s := Sieve{VehicleID: a.VehicleID}
	s.First, s.Last = a.What.Kinds()
	if a.VehicleID != "" && !c.has(a.VehicleID) {
		return out, account.ErrNotFound
	}
	if a.From != "" {
		s.From = startOf(a.From, zone)
	}
	if a.To != "" {
		s.Until = startOf(a.To, zone).AddDate(0, 0, 1)
	}
	rows, err := d.Store.History(ctx, c.ID, s, a.After, historyPage+1)
	if err != nil {
		return out, err
	}
	if len(rows) > historyPage {
		rows = rows[:historyPage]
		out.Next = &rows[historyPage-1].Place
	}
	for i := range rows {
		if rows[i].Kind == Invoiced {
			rows[i].Due = rows[i].Invoice.Due(rows[i].Newer, c.Balance)
		}
	}
	out.Rows = rows
	return out, nil
}

// has says whether a vehicle is the client's.
func (c Client) has(vehicleID string) bool {
	for _, v := range c.Vehicles {
		if v.ID == vehicleID {
			return true
		}
	}
	return false
}

// startOf is when a day begins in a zone.
func startOf(d day.Date, zone *time.Location) time.Time {
	t := d.Time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}

// Invoice returns an invoice with all that belongs to it. Errors: account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Invoice(ctx context.Context, who staff.Member, id string) (pay.Bill, error) {
	const act = "see invoice"
	if err := d.allow(ctx, who, staff.SeeClients, act, id, ""); err != nil {
		return pay.Bill{}, err
	}
	b, err := d.Store.Bill(ctx, id)
	if err != nil {
		return b, err
	}
	if err := d.allow(ctx, who, staff.SeeClients, act, id, b.Client.ID); err != nil {
		return pay.Bill{}, err
	}
	return b, nil
}

// Printer makes PDFs: the same input always gives the same bytes.
type Printer interface {
	Invoice(b pay.Bill, l lang.Lang) ([]byte, error)
}

// InvoicePDF returns an invoice as a PDF, and the file's name. A language that is none is the client's own. Errors: as Invoice.
func (d *Desk) InvoicePDF(ctx context.Context, who staff.Member, id string, l lang.Lang) (name string, file []byte, err error) {
	b, err := d.Invoice(ctx, who, id)
	if err != nil {
		return "", nil, err
	}
	if _, ok := lang.Parse(string(l)); !ok {
		l = lang.Lang(b.Client.Language)
	}
	file, err = d.Printer.Invoice(b, l)
	return b.FileName(), file, err
}
