package stripesim

import "strings"

// charge is one try at a card: what the bank said of it, and the money if it said yes.
type charge struct {
	record
	status                            string // succeeded, pending, failed
	amount, amountCaptured, refunded  int64
	captured, authenticated, disputed bool
	currency, customer, description   string
	intent, method, balance           string
	receiptEmail, suffix              string
	card                              *card
	billing                           billing
	failure                           *decline
	shipping                          object
	transferGroup                     string
}

func (ch *charge) noun() string { return "charge" }

func (c *call) newCharge(pi *paymentIntent, m *paymentMethod) *charge {
	ch := &charge{record: c.server.newRecord("ch_"), amount: pi.amount, currency: pi.currency, customer: pi.customer, description: pi.description,
		intent: pi.id, method: m.id, receiptEmail: pi.receiptEmail, suffix: pi.suffix, card: m.card, billing: m.billing, shipping: pi.shipping,
		transferGroup: pi.transferGroup}
	ch.metadata, _ = mergeLabels(pi.metadata, nil) // Stripe copies the intent's as they are at this moment
	return ch
}

func (ch *charge) render() object {
	paid := ch.status == "succeeded"
	o := object{
		"id": ch.id, "object": "charge", "amount": ch.amount, "amount_captured": ch.amountCaptured, "amount_refunded": ch.refunded, "application": nil,
		"application_fee": nil, "application_fee_amount": nil, "balance_transaction": orNull(ch.balance), "billing_details": ch.billing.render(),
		"calculated_statement_descriptor": nil, "captured": ch.captured, "created": ch.created, "currency": ch.currency, "customer": orNull(ch.customer),
		"description": orNull(ch.description), "disputed": ch.disputed, "failure_balance_transaction": nil,
		"failure_code": nil, "failure_message": nil, "fraud_details": object{}, "invoice": nil, "livemode": false, "metadata": labelsOf(ch.metadata),
		"on_behalf_of": nil, "outcome": ch.outcome(), "paid": paid, "payment_intent": orNull(ch.intent), "payment_method": ch.method,
		"payment_method_details": object{"type": "card", "card": ch.details()}, "radar_options": object{}, "receipt_email": orNull(ch.receiptEmail),
		"receipt_number": nil, "receipt_url": nil, "refunded": ch.amountCaptured > 0 && ch.refunded >= ch.amount || !ch.captured && ch.refunded > 0,
		"review": nil, "shipping": orNullObject(ch.shipping), "source_transfer": nil, "statement_descriptor": nil,
		"statement_descriptor_suffix": orNull(ch.suffix), "status": ch.status, "transfer_data": nil, "transfer_group": orNull(ch.transferGroup),
	}
	if paid {
		o["calculated_statement_descriptor"] = statementText(ch.suffix)
		o["receipt_url"] = "https://pay.stripe.com/receipts/payment/" + ch.id
	}
	if ch.failure != nil {
		o["failure_code"], o["failure_message"] = ch.failure.code, ch.failure.message
	}
	return o
}

func statementText(suffix string) string {
	if suffix == "" {
		return "SIMULATED"
	}
	s := strings.ToUpper("SIMULATED* " + suffix)
	return s[:min(len(s), 22)]
}

func (ch *charge) details() object {
	o := object{
		"amount_authorized": ch.amount, "brand": ch.card.brand, "checks": ch.card.checks(ch.billing), "country": ch.card.countryOr(), "exp_month": ch.card.expMonth,
		"exp_year": ch.card.expYear, "extended_authorization": object{"status": "disabled"}, "fingerprint": ch.card.fingerprint(),
		"funding": ch.card.fundingOr(), "incremental_authorization": object{"status": "unavailable"}, "installments": nil, "last4": ch.card.last4(),
		"mandate": nil, "multicapture": object{"status": "unavailable"}, "network": ch.card.brand, "network_token": object{"used": false},
		"overcapture": object{"maximum_amount_capturable": ch.amount, "status": "unavailable"}, "three_d_secure": nil, "wallet": nil,
	}
	if ch.authenticated {
		o["three_d_secure"] = object{"authentication_flow": "challenge", "electronic_commerce_indicator": "05", "exemption_indicator": nil,
			"result": "authenticated", "result_reason": nil, "transaction_id": nil, "version": "2.2.0"}
	}
	return o
}

func (ch *charge) outcome() object {
	o := object{"network_status": "approved_by_network", "reason": nil, "risk_level": "normal", "risk_score": 20,
		"seller_message": "Payment complete.", "type": "authorized"}
	if ch.card.elevated {
		o["risk_level"], o["risk_score"], o["reason"] = "elevated", 70, "elevated_risk_level"
	}
	switch {
	case ch.failure == nil:
	case ch.failure.blocked:
		o["network_status"], o["type"], o["reason"], o["risk_level"], o["risk_score"] = "not_sent_to_network", "blocked", "highest_risk_level", "highest", 90
		o["seller_message"] = "Stripe blocked this payment as too risky."
	default:
		o["network_status"], o["type"], o["reason"] = "declined_by_network", "issuer_declined", ch.failure.declineCode
		o["seller_message"] = "The bank declined the payment (" + ch.failure.declineCode + ")."
	}
	return o
}

// capture moves the money.
func (c *call) capture(ch *charge, amount int64) {
	ch.captured, ch.amountCaptured = true, amount
	ch.refunded = ch.amount - amount // what was authorized and not captured goes back at once
	ch.balance = c.post(balanceTransaction{amount: amount, fee: feeOn(amount), currency: ch.currency, kind: "charge", category: "charge", source: ch.id, description: ch.description}).id
}

var chargeOperations = []operation{
	{pattern: "GET /v1/charges/{id}", fault: "retrieve", noun: "charge", run: func(c *call) (object, *apiError) {
		ch, ok := find[*charge](c.account, c.id)
		if !ok {
			return nil, missing(404, "charge", c.id, "id")
		}
		return ch.render(), nil
	}},
	{pattern: "POST /v1/charges/{id}", fault: "update", noun: "charge", shape: shape{"metadata": is(labels), "description": is(clearable),
		"receipt_email": is(clearable), "customer": is(unsupported), "fraud_details": is(unsupported), "shipping": is(unsupported), "transfer_group": is(unsupported)},
		run: func(c *call) (object, *apiError) {
			ch, ok := find[*charge](c.account, c.id)
			if !ok {
				return nil, missing(404, "charge", c.id, "id")
			}
			labels, err := mergeLabels(ch.metadata, c.params.at("metadata"))
			if err != nil {
				return nil, err
			}
			ch.metadata = labels
			if c.params.has("description") {
				ch.description = c.params.text("description")
			}
			if c.params.has("receipt_email") {
				ch.receiptEmail = c.params.text("receipt_email")
			}
			c.emit("charge.updated", ch.render())
			return ch.render(), nil
		}},
	{pattern: "GET /v1/charges", fault: "retrieve", noun: "charge", list: true,
		shape: dated.with(shape{"customer": is(text), "payment_intent": is(text), "transfer_group": is(text)}),
		run: func(c *call) (object, *apiError) {
			p := c.params
			return list(c, "charge", func(ch *charge) bool {
				return (!p.has("customer") || ch.customer == p.text("customer")) && (!p.has("payment_intent") || ch.intent == p.text("payment_intent")) &&
					(!p.has("transfer_group") || ch.transferGroup == p.text("transfer_group"))
			})
		}},
}
