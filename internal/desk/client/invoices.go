package client

import (
	"context"
	"slices"

	"paylink/internal/account"
	"paylink/internal/lang"
	"paylink/internal/pay"
)

// InvoiceStore reads what an account was charged and what it paid.
type InvoiceStore interface {
	// History lists what has happened to an account, newest first, after a place: at most limit rows that a sieve lets through. Due is left to the desk.
	History(ctx context.Context, clientID string, s pay.Sieve, after pay.Place, limit int) ([]pay.Happened, error)
	// BillOf reads one of a client's own invoices with all that belongs to it. Errors: account.ErrNotFound for another's too.
	BillOf(ctx context.Context, clientID, invoiceID string) (pay.Bill, error)
}

// Printer makes PDFs: the same input always gives the same bytes.
type Printer interface {
	Invoice(b pay.Bill, l lang.Lang) ([]byte, error)
}

// History is a page of what an account was charged and what it paid, newest first.
type History struct {
	Rows     []pay.Happened
	Next     *pay.Place // from which the next page goes on; nil: this is the last
	Vehicles []account.Vehicle
}

const historyPage = 20

// History lists invoices, payments, or what came back, of all vehicles or of one. Errors: account.ErrNotFound for a vehicle that is not the client's.
func (d *Desk) History(ctx context.Context, who Who, what pay.What, vehicleID string, after pay.Place) (History, error) {
	var out History
	_, vehicles, err := d.Store.Client(ctx, who.ID)
	if err != nil {
		return out, err
	}
	out.Vehicles = vehicles
	if vehicleID != "" && !slices.ContainsFunc(vehicles, func(v account.Vehicle) bool { return v.ID == vehicleID }) {
		return out, account.ErrNotFound
	}
	owed, err := d.Store.Balance(ctx, who.ID)
	if err != nil {
		return out, err
	}
	s := pay.Sieve{VehicleID: vehicleID}
	s.First, s.Last = what.Kinds()
	found, err := d.Store.History(ctx, who.ID, s, after, historyPage+1)
	out.Rows, out.Next = pay.PageOf(found, historyPage, owed)
	return out, err
}

// Bill returns one of the client's own invoices. Errors: account.ErrNotFound.
func (d *Desk) Bill(ctx context.Context, who Who, invoiceID string) (pay.Bill, error) {
	return d.Store.BillOf(ctx, who.ID, invoiceID)
}

// InvoicePDF returns one of the client's own invoices as a PDF in their language, and the file's name. Errors: account.ErrNotFound.
func (d *Desk) InvoicePDF(ctx context.Context, who Who, invoiceID string, l lang.Lang) (name string, file []byte, err error) {
	b, err := d.Bill(ctx, who, invoiceID)
	if err != nil {
		return "", nil, err
	}
	file, err = d.Printer.Invoice(b, l)
	return b.FileName(), file, err
}
