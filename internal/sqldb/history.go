package sqldb

import (
	"context"
	"math"
	"slices"

	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/pay"
)

// happened is everything that has happened to an account, with the moment and the kind that it keeps for ever: a row never moves. The numbers are pay.Happening's.
// Of payments it holds those that took money, and cards on file that were declined; a link that ended without money is no part of an account's history.
const happened = `SELECT issued_ms AS at_ms, CASE WHEN total < 0 THEN 4 ELSE 1 END AS kind, id, COALESCE(vehicle_id, '') AS vehicle FROM invoices WHERE client_id = $1
	UNION ALL SELECT issued_ms, 2, id, COALESCE(vehicle_id, '') FROM invoices WHERE client_id = $1 AND payment_id = '' AND door <> '' AND total > 0
	UNION ALL SELECT CASE WHEN late_ms <> 0 THEN late_ms ELSE closed_ms END, 3, id, COALESCE(vehicle_id, '') FROM payments
		WHERE client_id = $1 AND closed_ms <> 0 AND state IN ('paid', 'paid_after_close', 'applied', 'refunded', 'declined')
	UNION ALL SELECT r.asked_ms, 5, r.id, COALESCE(p.vehicle_id, '') FROM payments p JOIN refunds r ON r.payment_id = p.id WHERE p.client_id = $1`

// History lists what has happened to an account, newest first, after a place: at most limit rows that a sieve lets through.
func (d *DB) History(ctx context.Context, clientID string, s pay.Sieve, after pay.Place, limit int) ([]pay.Happened, error) {
	t := d.read(ctx)
	until, at := ms(s.Until), ms(after.At)
	if until == 0 {
		until = math.MaxInt64
	}
	if at == 0 {
		at = math.MaxInt64
	}
	var rows []pay.Happened
	ids := map[pay.Happening][]string{}
	err := t.each(`SELECT at_ms, kind, id FROM (`+happened+`) h
		WHERE kind >= $2 AND kind <= $3 AND ($4 = '' OR vehicle = $4) AND at_ms >= $5 AND at_ms < $6 AND (at_ms < $7 OR at_ms = $7 AND (kind < $8 OR kind = $8 AND id < $9))
		ORDER BY at_ms DESC, kind DESC, id DESC LIMIT $10`,
		[]any{clientID, int(s.First), int(s.Last), s.VehicleID, ms(s.From), until, at, int(after.Kind), after.ID, limit}, func(scan func(...any) error) error {
			var h pay.Happened
			var at int64
			err := scan(&at, &h.Kind, &h.ID)
			h.At = fromMS(at)
			rows = append(rows, h)
			ids[h.Kind] = append(ids[h.Kind], h.ID)
			return err
		})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	invoices, err := t.invoicesBy(append(append(ids[pay.Invoiced], ids[pay.Received]...), ids[pay.Credited]...))
	if err != nil {
		return nil, err
	}
	refunds, err := t.refundsBy(ids[pay.RefundMade])
	if err != nil {
		return nil, err
	}
	paid := slices.Clone(ids[pay.ChargeMade])
	for _, r := range refunds {
		paid = append(paid, r.PaymentID)
	}
	payments, cards, err := t.paymentsBy(paid)
	if err != nil {
		return nil, err
	}
	for _, i := range invoices {
		if i.PaymentID != "" {
			paid = append(paid, i.PaymentID)
		}
	}
	bills, back, err := t.billsOf(paid)
	if err != nil {
		return nil, err
	}
	disputed, err := d.Disputed(ctx, clientID)
	if err != nil {
		return nil, err
	}
	contested := map[string]bool{}
	for _, id := range disputed {
		contested[id] = true
	}
	for n := range rows {
		h := &rows[n]
		switch h.Kind {
		case pay.ChargeMade:
			p := payments[h.ID]
			h.Payment, h.Card, h.Disputed, h.BillID = &p, cards[h.ID], contested[h.ID], bills[h.ID]
		case pay.RefundMade:
			r := refunds[h.ID]
			p := payments[r.PaymentID]
			h.Refund, h.Payment, h.Card, h.BillID = &r, &p, cards[r.PaymentID], bills[r.PaymentID]
		default:
			i := invoices[h.ID]
			h.Invoice = &i
			if h.Kind == pay.Invoiced {
				h.Back = back[i.PaymentID]
			}
			if h.Kind == pay.Invoiced && i.Later() {
				if h.Newer, err = t.laterThan(i); err != nil {
					return nil, err
				}
			}
		}
	}
	return rows, nil
}

// billsOf finds the invoice that each of some payments has issued, and what credit notes have taken back of it.
func (t tx) billsOf(paymentIDs []string) (bills map[string]string, back map[string]money.Cents, err error) {
	bills, back = map[string]string{}, map[string]money.Cents{}
	for some := range slices.Chunk(paymentIDs, amongMost) {
		list, args := among(some, 1)
		if err := t.each(`SELECT payment_id, id, total FROM invoices WHERE payment_id IN `+list, args, func(scan func(...any) error) error {
			var payment, id string
			var total money.Cents
			err := scan(&payment, &id, &total)
			if total < 0 {
				back[payment] -= total
			} else {
				bills[payment] = id
			}
			return err
		}); err != nil {
			return nil, nil, err
		}
	}
	return bills, back, nil
}

// laterThan sums up what an account was charged after an invoice to be paid later. Invoices of one moment count in the order in which a history shows them.
func (t tx) laterThan(i ledger.Invoice) (money.Cents, error) {
	var sum money.Cents
	err := t.row(`SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM invoices WHERE client_id = $1 AND door = '' AND total > 0 AND (issued_ms > $2 OR issued_ms = $2 AND id > $3)`,
		i.ClientID, ms(i.IssuedAt), i.ID).Scan(&sum)
	return sum, err
}

func (t tx) invoicesBy(ids []string) (map[string]ledger.Invoice, error) {
	out := map[string]ledger.Invoice{}
	if len(ids) == 0 {
		return out, nil
	}
	list, args := among(ids, 1)
	found, err := t.invoices(`WHERE id IN `+list, args...)
	for _, i := range found {
		out[i.ID] = i
	}
	return out, err
}

func (t tx) refundsBy(ids []string) (map[string]pay.Refund, error) {
	out := map[string]pay.Refund{}
	if len(ids) == 0 {
		return out, nil
	}
	list, args := among(ids, 1)
	err := t.each(`SELECT `+refundColumns+` FROM refunds WHERE id IN `+list, args, func(scan func(...any) error) error {
		r, err := scanRefund(scan)
		out[r.ID] = r
		return err
	})
	return out, err
}

// paymentsBy reads payments, and of each the card that was charged, or else the one that was tried last.
func (t tx) paymentsBy(ids []string) (map[string]pay.Payment, map[string]pay.Card, error) {
	out, cards := map[string]pay.Payment{}, map[string]pay.Card{}
	if len(ids) == 0 {
		return out, cards, nil
	}
	list, args := among(ids, 1)
	err := t.each(`SELECT `+paymentColumns+` FROM payments WHERE id IN `+list, args, func(scan func(...any) error) error {
		p, err := scanPayment(scan)
		out[p.ID] = p.Payment
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	err = t.each(`SELECT payment_id, brand, last4, funding FROM attempts WHERE payment_id IN `+list+` ORDER BY CASE state WHEN 'succeeded' THEN 1 ELSE 0 END, n`, args, func(scan func(...any) error) error {
		var id string
		var c pay.Card
		err := scan(&id, &c.Brand, &c.Last4, &c.Funding)
		cards[id] = c // the last one counts
		return err
	})
	return out, cards, err
}
