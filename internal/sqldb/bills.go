package sqldb

import (
	"context"

	"paylink/internal/account"
	"paylink/internal/ledger"
	"paylink/internal/pay"
)

// Bill reads an invoice with all that belongs to it. Errors: account.ErrNotFound.
func (d *DB) Bill(ctx context.Context, invoiceID string) (pay.Bill, error) {
	return d.read(ctx).bill(`WHERE id = $1`, invoiceID)
}

// BillOf is Bill for one of a client's own invoices. Errors: account.ErrNotFound for another's too.
func (d *DB) BillOf(ctx context.Context, clientID, invoiceID string) (pay.Bill, error) {
	return d.read(ctx).bill(`WHERE id = $1 AND client_id = $2`, invoiceID, clientID)
}

func (t tx) bill(where string, args ...any) (pay.Bill, error) {
	var b pay.Bill
	found, err := t.invoices(where, args...)
	if err != nil {
		return b, err
	}
	if len(found) == 0 {
		return b, account.ErrNotFound
	}
	b.Invoice = found[0]
	i := &b.Invoice
	if b.Client, err = t.client(i.ClientID); err != nil {
		return b, err
	}
	if err := t.placed(i); err != nil {
		return b, err
	}
	if i.Later() {
		owed, err := t.balance(i.ClientID)
		if err != nil {
			return b, err
		}
		newer, err := t.laterThan(*i)
		if err != nil {
			return b, err
		}
		b.Due = i.Due(newer, owed)
	}
	if i.PaymentID == "" {
		return b, nil
	}
	payments, cards, err := t.paymentsBy([]string{i.PaymentID})
	if err != nil {
		return b, err
	}
	if p, ok := payments[i.PaymentID]; ok {
		b.Payment, b.Card = &p, cards[p.ID]
	}
	all, err := t.invoices(`WHERE payment_id = $1 ORDER BY issued_ms, number LIMIT $2`, i.PaymentID, maxRecord)
	if err != nil || len(all) == 0 {
		return b, err
	}
	if all[0].ID == i.ID { // what a payment sells comes first; the others take it back
		b.Notes = all[1:]
	} else {
		b.Of = &all[0]
	}
	return b, nil
}

// placed fills in what an import did not say: where the invoice's vehicle is serviced now.
func (t tx) placed(i *ledger.Invoice) error {
	if i.Location != "" || i.VehicleID == "" {
		return nil
	}
	v, err := t.vehicle(i.VehicleID)
	if err != nil {
		return err
	}
	l, err := t.location(v.LocationID)
	i.LocationID, i.Location, i.Zone, i.Vehicle = l.ID, l.Name, l.Zone, v.Label
	return err
}
