package sqldb

import (
	"context"
	"database/sql"
	"errors"

	"paylink/internal/account"
	"paylink/internal/pay"
)

// ViewOf is View for a client: another's payment is none.
func (d *DB) ViewOf(ctx context.Context, clientID, paymentID string) (pay.View, error) {
	v, err := d.View(ctx, paymentID)
	if errors.Is(err, pay.ErrNotFound) || err == nil && v.Payment.ClientID != clientID {
		return pay.View{}, account.ErrNotFound
	}
	return v, err
}

// Pressed finds what a press of a client's has done, by its key.
func (d *DB) Pressed(ctx context.Context, clientID, key string) (paymentID string, tried bool, err error) {
	var n int64
	err = d.read(ctx).row(`SELECT p.id, COUNT(a.id) FROM payments p LEFT JOIN attempts a ON a.payment_id = p.id AND a.nonce_id = $1
		WHERE p.client_id = $2 AND (p.form_key = $1 OR p.id = (SELECT payment_id FROM attempts WHERE nonce_id = $1)) GROUP BY p.id ORDER BY COUNT(a.id) DESC LIMIT 1`, key, clientID).Scan(&paymentID, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return paymentID, n > 0, err
}
