package sqldb

import (
	"context"
	"strconv"
	"strings"

	"paylink/internal/account"
	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/phone"
)

// PaymentsAfter lists a client's payments, newest first: at most limit of those that come after one of them, or from the first on.
func (d *DB) PaymentsAfter(ctx context.Context, clientID, after string, limit int) ([]pay.Payment, error) {
	var out []pay.Payment
	err := d.read(ctx).each(`SELECT `+paymentColumns+` FROM payments
		WHERE client_id = $1 AND ($2 = '' OR (created_ms, id) < (SELECT created_ms, id FROM payments WHERE id = $2 AND client_id = $1)) ORDER BY created_ms DESC, id DESC LIMIT $3`,
		[]any{clientID, after, limit}, func(scan func(...any) error) error {
			p, err := scanPayment(scan)
			out = append(out, p.Payment)
			return err
		})
	return out, err
}

// NewestLinks returns the newest link of each of some payments, by payment.
func (d *DB) NewestLinks(ctx context.Context, paymentIDs []string) (map[string]link.Link, error) {
	out := map[string]link.Link{}
	if len(paymentIDs) == 0 {
		return out, nil
	}
	var places []string
	var args []any
	for _, id := range paymentIDs {
		args = append(args, id)
		places = append(places, "$"+strconv.Itoa(len(args)))
	}
	t := d.read(ctx)
	err := t.each(`SELECT `+linkColumns+` FROM links WHERE payment_id IN (`+strings.Join(places, ", ")+`) ORDER BY created_ms`, args, func(scan func(...any) error) error {
		l, err := t.scanLink(scan)
		out[l.PaymentID] = l
		return err
	})
	return out, err
}

// ClientsAt lists the clients on whose record a telephone number is, at most limit of them.
func (d *DB) ClientsAt(ctx context.Context, number phone.Number, limit int) ([]account.Client, error) {
	var out []account.Client
	err := d.read(ctx).each(`SELECT `+clientColumns+` FROM clients WHERE phone = $1 ORDER BY id LIMIT $2`, []any{number.E164(), limit}, func(scan func(...any) error) error {
		c, err := scanClient(scan)
		out = append(out, c)
		return err
	})
	return out, err
}
