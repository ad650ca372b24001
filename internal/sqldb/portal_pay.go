package sqldb

import (
	"context"
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
