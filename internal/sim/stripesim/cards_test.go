package stripesim_test

import (
	"testing"

	"github.com/stripe/stripe-go/v76"
)

func TestEveryTestCardDoesWhatStripeSays(t *testing.T) {
	b := start(t)
	// what a confirm on session leads to: a status, or a decline's code and decline_code
	for _, card := range []struct {
		number, brand, funding string
		status                 stripe.PaymentIntentStatus
		code, declineCode      string
	}{
		{"4242424242424242", "visa", "credit", "succeeded", "", ""},
		{"5555555555554444", "mastercard", "credit", "succeeded", "", ""},
		{"4000056655665556", "visa", "debit", "succeeded", "", ""},
		{"5200828282828210", "mastercard", "debit", "succeeded", "", ""},
		{"5105105105105100", "mastercard", "prepaid", "succeeded", "", ""},
		{"2223003122003222", "mastercard", "credit", "succeeded", "", ""},
		{"378282246310005", "amex", "credit", "succeeded", "", ""},
		{"371449635398431", "amex", "credit", "succeeded", "", ""},
		{"6011111111111117", "discover", "credit", "succeeded", "", ""},
		{"3056930009020004", "diners", "credit", "succeeded", "", ""},
		{"3566002020360505", "jcb", "credit", "succeeded", "", ""},
		{"6200000000000005", "unionpay", "credit", "succeeded", "", ""},
		{"4000000000000077", "visa", "credit", "succeeded", "", ""},
		{"4000000000000341", "visa", "credit", "", "card_declined", "generic_decline"},
		{"4000000000000002", "visa", "credit", "", "card_declined", "generic_decline"},
		{"4000000000009995", "visa", "credit", "", "card_declined", "insufficient_funds"},
		{"4000000000009987", "visa", "credit", "", "card_declined", "lost_card"},
		{"4000000000009979", "visa", "credit", "", "card_declined", "stolen_card"},
		{"4000000000000069", "visa", "credit", "", "expired_card", "expired_card"},
		{"4000000000000127", "visa", "credit", "", "incorrect_cvc", "incorrect_cvc"},
		{"4000000000000119", "visa", "credit", "", "processing_error", "processing_error"},
		{"4100000000000019", "visa", "credit", "", "card_declined", "fraudulent"},
		{"4000002760003184", "visa", "credit", "requires_action", "", ""},
		{"4000000000003220", "visa", "credit", "requires_action", "", ""},
		{"4000002500003155", "visa", "credit", "requires_action", "", ""},
		{"4000003800000446", "visa", "credit", "requires_action", "", ""},
		{"4000008400001629", "visa", "credit", "requires_action", "", ""},
	} {
		t.Run(card.number, func(t *testing.T) {
			b := &bench{T: t, sim: b.sim, url: b.url, clock: b.clock, API: b.API, browser: b.browser}
			m := b.enter(card.number)
			if string(m.Card.Brand) != card.brand || string(m.Card.Funding) != card.funding || m.Card.Last4 != card.number[len(card.number)-4:] {
				t.Errorf("shown as %s %s %s", m.Card.Brand, m.Card.Funding, m.Card.Last4)
			}
			pi := b.intent(5000)
			after, err := b.confirm(pi.ID, m.ID)
			if card.status != "" {
				if after = must(after, err)(b); after.Status != card.status {
					t.Fatalf("status %s", after.Status)
				}
				return
			}
			e := b.refusal(err, 402, card.code)
			if string(e.DeclineCode) != card.declineCode || e.ChargeID == "" || e.PaymentIntent == nil || e.Type != stripe.ErrorTypeCard {
				t.Fatalf("decline %q charge %q intent %v type %s", e.DeclineCode, e.ChargeID, e.PaymentIntent != nil, e.Type)
			}
			after, err = b.PaymentIntents.Get(pi.ID, &stripe.PaymentIntentParams{Expand: []*string{stripe.String("latest_charge")}})
			after = must(after, err)(b)
			last := after.LastPaymentError
			if after.Status != "requires_payment_method" || after.PaymentMethod != nil || last == nil || last.PaymentMethod.ID != m.ID {
				t.Fatalf("after the decline: %s, payment method %v, last error %v", after.Status, after.PaymentMethod, last != nil)
			}
			if after.LatestCharge.Status != "failed" || string(after.LatestCharge.FailureCode) != card.code {
				t.Fatalf("the charge is %s %s", after.LatestCharge.Status, after.LatestCharge.FailureCode)
			}
		})
	}
}

func TestNumbersThatAreNoTestCardsAreRefusedWhenTyped(t *testing.T) {
	b := start(t)
	for _, c := range []struct{ number, code, decline string }{
		{"4242424242424241", "incorrect_number", ""},
		{"4532015112830366", "card_declined", "test_mode_live_card"},
		{"424242", "invalid_number", ""},
	} {
		_, err := b.browser.PaymentMethods.New(cardParams(c.number))
		if e := b.refusal(err, 402, c.code); string(e.DeclineCode) != c.decline {
			t.Errorf("%s: decline code %q", c.number, e.DeclineCode)
		}
	}
	bad := func(change func(*stripe.PaymentMethodCardParams), code string) {
		t.Helper()
		p := cardParams("4242424242424242")
		change(p.Card)
		_, err := b.browser.PaymentMethods.New(p)
		b.refusal(err, 402, code)
	}
	bad(func(c *stripe.PaymentMethodCardParams) { c.ExpMonth = stripe.Int64(13) }, "invalid_expiry_month")
	bad(func(c *stripe.PaymentMethodCardParams) { c.ExpYear = stripe.Int64(2025) }, "invalid_expiry_year")
	bad(func(c *stripe.PaymentMethodCardParams) { c.ExpYear, c.ExpMonth = stripe.Int64(2026), stripe.Int64(2) }, "invalid_expiry_month")
	bad(func(c *stripe.PaymentMethodCardParams) { c.CVC = stripe.String("12") }, "invalid_cvc")
}

func TestTestIDsMakeNewCards(t *testing.T) {
	b := start(t)
	for id, code := range map[string]string{"pm_card_visa": "", "pm_card_mastercard": "", "pm_card_visa_chargeDeclined": "card_declined",
		"pm_card_chargeDeclinedExpiredCard": "expired_card", "pm_card_chargeDeclinedIncorrectCvc": "incorrect_cvc"} {
		pi, err := b.confirm(b.intent(5000).ID, id)
		if code != "" {
			b.refusal(err, 402, code)
			continue
		}
		if pi = must(pi, err)(b); pi.Status != "succeeded" || pi.PaymentMethod.ID == id {
			t.Errorf("%s: %s with %s", id, pi.Status, pi.PaymentMethod.ID)
		}
	}
	if _, err := b.confirm(b.intent(5000).ID, "pm_card_nonsense"); err == nil {
		t.Error("an unknown test id was accepted")
	}
}

func TestTheChargeTellsOfTheCard(t *testing.T) {
	b := start(t)
	pi, err := b.PaymentIntents.Confirm(b.intent(9858).ID, &stripe.PaymentIntentConfirmParams{
		Expand: stripe.StringSlice([]string{"latest_charge.balance_transaction", "payment_method"}), PaymentMethod: stripe.String(b.enter("4000056655665556").ID)})
	pi = must(pi, err)(b)
	card := pi.LatestCharge.PaymentMethodDetails.Card
	if card.Brand != "visa" || card.Last4 != "5556" || card.Funding != "debit" || card.ExpYear != 2031 || card.Country != "US" ||
		card.Checks.CVCCheck != "pass" || card.Checks.AddressPostalCodeCheck != "pass" || card.Checks.AddressLine1Check != "" {
		t.Errorf("card %+v checks %+v", card, card.Checks)
	}
	if o := pi.LatestCharge.Outcome; o.Type != "authorized" || o.NetworkStatus != "approved_by_network" {
		t.Errorf("outcome %+v", o)
	}
	if pi.LatestCharge.BillingDetails.Address.PostalCode != "23220" || pi.LatestCharge.StatementDescriptorSuffix != "Paylink 7" {
		t.Error("billing details or statement text are lost")
	}
	// 2.9 % of 98.58 is 2.86 (285.88 cents), and 30 cents
	if bt := pi.LatestCharge.BalanceTransaction; bt.Amount != 9858 || bt.Fee != 316 || bt.Net != 9542 || bt.FeeDetails[0].Amount != 316 {
		t.Errorf("balance transaction %+v", bt)
	}
	_, err = b.confirm(b.intent(9858).ID, b.enter("4100000000000019").ID)
	e := b.refusal(err, 402, "card_declined")
	ch, err := b.Charges.Get(e.ChargeID, nil)
	if ch = must(ch, err)(b); ch.Outcome.Type != "blocked" || ch.Outcome.RiskLevel != "highest" || ch.Outcome.NetworkStatus != "not_sent_to_network" {
		t.Errorf("outcome of a blocked charge %+v", ch.Outcome)
	}
	for number, checks := range map[string][2]string{"4000000000000101": {"fail", "pass"}, "4000000000000036": {"pass", "fail"}} {
		pi, err := b.PaymentIntents.Confirm(b.intent(100).ID, &stripe.PaymentIntentConfirmParams{
			Expand: stripe.StringSlice([]string{"latest_charge"}), PaymentMethod: stripe.String(b.enter(number).ID)})
		got := must(pi, err)(b).LatestCharge.PaymentMethodDetails.Card.Checks
		if string(got.CVCCheck) != checks[0] || string(got.AddressPostalCodeCheck) != checks[1] {
			t.Errorf("%s: checks %+v", number, got)
		}
	}
}
