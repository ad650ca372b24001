package agent

import (
	"context"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/staff"
)

// HistoryAsk is which part of an account's history is asked for.
type HistoryAsk struct {
	What      pay.What
	VehicleID string
	From, To  day.Date // days at the client's location, both of them included; "": open
	After     pay.Place
}

// History is a page of an account's history, newest first.
type History struct {
	Rows []pay.Happened
	Next *pay.Place // from which the next page goes on; nil: this is the last
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
	s := pay.Sieve{VehicleID: a.VehicleID}
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
	out.Rows, out.Next = pay.PageOf(rows, historyPage, c.Balance)
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
