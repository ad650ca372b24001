package stripesim

// dispute is a charge that the cardholder contests.
type dispute struct {
	record
	charge         *charge
	status, reason string
	dueBy          int64
	movements      []*balanceTransaction
}

func (d *dispute) noun() string { return "dispute" }

var evidenceNames = []string{"access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure", "cancellation_rebuttal",
	"customer_communication", "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation",
	"duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
	"refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier", "shipping_date",
	"shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text"}

func (d *dispute) render() object {
	evidence := object{}
	for _, name := range evidenceNames {
		evidence[name] = nil
	}
	moves := []object{}
	for _, b := range d.movements {
		moves = append(moves, b.render())
	}
	return object{"id": d.id, "object": "dispute", "amount": d.charge.amountCaptured, "balance_transactions": moves, "charge": d.charge.id,
		"created": d.created, "currency": d.charge.currency, "evidence": evidence,
		"evidence_details": object{"due_by": d.dueBy, "has_evidence": false, "past_due": false, "submission_count": 0}, "is_charge_refundable": false,
		"livemode": false, "metadata": labelsOf(d.metadata), "payment_intent": orNull(d.charge.intent), "reason": d.reason, "status": d.status,
		"payment_method_details": object{"type": "card", "card": object{"brand": d.charge.card.brand, "network_reason_code": "10.4"}}}
}

var disputeOperations = []operation{
	{pattern: "GET /v1/disputes/{id}", fault: "retrieve", noun: "dispute", run: func(c *call) (object, *apiError) {
		d, ok := find[*dispute](c.account, c.id)
		if !ok {
			return nil, missing(404, "dispute", c.id, "id")
		}
		return d.render(), nil
	}},
	{pattern: "GET /v1/disputes", fault: "retrieve", noun: "dispute", list: true,
		shape: dated.with(shape{"charge": is(text), "payment_intent": is(text)}), run: func(c *call) (object, *apiError) {
			p := c.params
			return list(c, "dispute", func(d *dispute) bool {
				return (!p.has("charge") || d.charge.id == p.text("charge")) && (!p.has("payment_intent") || d.charge.intent == p.text("payment_intent"))
			})
		}},
}

// openDispute takes the money and the dispute fee at once, as Stripe does.
func (c *call) openDispute(ch *charge, reason string) *dispute {
	d := &dispute{record: c.server.newRecord("dp_"), charge: ch, status: "needs_response", reason: reason}
	d.dueBy = d.created + 9*24*3600
	ch.disputed = true
	d.movements = append(d.movements, c.post(balanceTransaction{amount: -ch.amountCaptured, fee: disputeFee, currency: ch.currency, kind: "adjustment", category: "dispute", source: d.id}))
	c.account.add(d)
	c.emit("charge.dispute.created", d.render())
	c.emit("charge.dispute.funds_withdrawn", d.render())
	return d
}

func (c *call) closeDispute(d *dispute, won bool) *apiError {
	if d.status == "won" || d.status == "lost" {
		return refused("", "", "The dispute is %s.", d.status)
	}
	d.status = "lost"
	if won {
		d.status = "won"
		d.movements = append(d.movements, c.post(balanceTransaction{amount: d.charge.amountCaptured, fee: -disputeFee, currency: d.charge.currency, kind: "adjustment", category: "dispute_reversal", source: d.id}))
		c.emit("charge.dispute.funds_reinstated", d.render())
	}
	c.emit("charge.dispute.closed", d.render())
	return nil
}
