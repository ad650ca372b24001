package payer_test

import (
	"errors"
	"testing"
	"time"

	"paylink/internal/desk/payer"
	"paylink/internal/link"
	"paylink/internal/pay"
)

// Every press asks Stripe about a card, whatever comes of it: nobody may press for ever.
func TestTheButtonOfOnePaymentIsNotPressedForEver(t *testing.T) {
	b := start(t)
	b.sent(true)
	s := b.open("")
	press := func() error {
		_, _, err := b.desk.Pay(b.ctx, s, payer.Press{PaymentMethod: "pm_invented", Terms: "of another version", Nonce: b.page(s).Nonce, Language: "en"})
		return err
	}
	for n := range 40 {
		if err := press(); !errors.Is(err, pay.ErrTerms) {
			t.Fatalf("press %d: %v", n+1, err)
		}
	}
	if err := press(); !errors.Is(err, link.ErrTooMany) {
		t.Errorf("press 41: %v", err)
	}
	b.pass(5*time.Minute + time.Second)
	if err := press(); !errors.Is(err, pay.ErrTerms) {
		t.Errorf("five minutes later: %v", err)
	}
}
