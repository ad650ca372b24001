package sqldb_test

import (
	"errors"
	"testing"

	"paylink/internal/account"
	"paylink/internal/pay"
)

func TestAPaymentIsItsClientsOwn(t *testing.T) {
	onBoth(t, func(b *books) {
		p, err := b.begin("100042", "veh_dana_civic")
		b.must(err)
		if v, err := b.ViewOf(b.ctx, "100042", p.ID); err != nil || v.Payment.ID != p.ID {
			b.Errorf("its owner gets %v, %v", v.Payment.ID, err)
		}
		if id, tried, err := b.Pressed(b.ctx, "100042", p.FormKey); id != p.ID || tried || err != nil {
			b.Errorf("the press that began it is not found: %q %v, %v", id, tried, err)
		}
		b.must(b.Apply(b.ctx, p.ID, func(v pay.View) (pay.Change, error) {
			life := v.Payment.Life
			life.State, life.Attempt = pay.Paying, 1
			return pay.Change{Life: life, NewAttempt: &pay.Attempt{ID: newID(), PaymentID: p.ID, N: 1, NonceID: "the second press", State: pay.Trying}}, nil
		}))
		for _, ask := range []struct {
			client, key, id string
			tried           bool
		}{{"100042", "the second press", p.ID, true}, {"100042", p.FormKey, p.ID, false}, {"100047", "the second press", "", false}, {"100042", "none", "", false}} {
			if id, tried, err := b.Pressed(b.ctx, ask.client, ask.key); id != ask.id || tried != ask.tried || err != nil {
				b.Errorf("%+v: got %q %v, %v", ask, id, tried, err)
			}
		}
		for _, ask := range [][2]string{{"100047", p.ID}, {"100042", "nothing"}} {
			if _, err := b.ViewOf(b.ctx, ask[0], ask[1]); !errors.Is(err, account.ErrNotFound) {
				b.Errorf("%v: got %v", ask, err)
			}
		}
	})
}
