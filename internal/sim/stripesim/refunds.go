package stripesim

// refund gives back all or a part of one charge.
type refund struct {
	record
	amount                  int64
	currency, reason        string
	charge, intent          string
	status, failureReason   string
	balance, failureBalance string
}

func (f *refund) noun() string { return "refund" }

func (f *refund) render() object {
	o := object{"id": f.id, "object": "refund", "amount": f.amount, "balance_transaction": orNull(f.balance), "charge": orNull(f.charge), "created": f.created,
		"currency": f.currency, "metadata": labelsOf(f.metadata), "payment_intent": orNull(f.intent), "reason": orNull(f.reason), "receipt_number": nil,
		"source_transfer_reversal": nil, "status": f.status, "transfer_reversal": nil,
		"destination_details": object{"type": "card", "card": object{"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}}}
	if f.failureReason != "" {
		o["failure_reason"], o["failure_balance_transaction"] = f.failureReason, orNull(f.failureBalance)
	}
	return o
}

var refundOperations = []operation{
	{pattern: "POST /v1/refunds", fault: "refund", noun: "refund", run: createRefund,
		shape: shape{"payment_intent": is(text), "charge": is(text), "amount": is(integer), "metadata": is(labels),
			"reason": oneOf("duplicate", "fraudulent", "requested_by_customer"), "refund_application_fee": is(unsupported),
			"reverse_transfer": is(unsupported), "instructions_email": is(anything), "origin": is(unsupported), "currency": is(unsupported), "customer": is(unsupported)}},
	{pattern: "GET /v1/refunds/{id}", fault: "retrieve", noun: "refund", run: func(c *call) (object, *apiError) {
		f, ok := find[*refund](c.account, c.id)
		if !ok {
			return nil, missing(404, "refund", c.id, "id")
		}
		return f.render(), nil
	}},
	{pattern: "POST /v1/refunds/{id}", fault: "update", noun: "refund", shape: shape{"metadata": is(labels)}, run: func(c *call) (object, *apiError) {
		f, ok := find[*refund](c.account, c.id)
		if !ok {
			return nil, missing(404, "refund", c.id, "id")
		}
		labels, err := mergeLabels(f.metadata, c.params.at("metadata"))
		if err != nil {
			return nil, err
		}
		f.metadata = labels
		c.emit("charge.refund.updated", f.render())
		return f.render(), nil
	}},
	{pattern: "GET /v1/refunds", fault: "retrieve", noun: "refund", list: true,
		shape: dated.with(shape{"charge": is(text), "payment_intent": is(text)}),
		run: func(c *call) (object, *apiError) {
			p := c.params
			return list(c, "refund", func(f *refund) bool {
				return (!p.has("charge") || f.charge == p.text("charge")) && (!p.has("payment_intent") || f.intent == p.text("payment_intent"))
			})
		}},
}

func createRefund(c *call) (object, *apiError) {
	ch, err := c.refundedCharge()
	if err != nil {
		return nil, err
	}
	left := ch.amountCaptured - (ch.refunded - (ch.amount - ch.amountCaptured))
	amount := left
	if c.params.has("amount") {
		amount = c.params.int("amount")
	}
	switch {
	case !ch.captured:
		return nil, refused("charge_not_captured", "", "Charge %s is not captured: cancel the PaymentIntent instead.", ch.id)
	case ch.disputed:
		return nil, refused("charge_disputed", "", "Charge %s has been charged back; a refund is not possible.", ch.id)
	case left == 0:
		return nil, refused("charge_already_refunded", "", "Charge %s has already been refunded.", ch.id)
	case amount < 1:
		return nil, invalid("parameter_invalid_integer", "amount", "Invalid positive integer")
	case amount > left:
		return nil, refused("", "amount", "The refund of %d is more than the %d not yet refunded on the charge.", amount, left)
	}
	labels, err := mergeLabels(nil, c.params.at("metadata"))
	if err != nil {
		return nil, err
	}
	f := &refund{record: c.server.newRecord("re_"), amount: amount, currency: ch.currency, reason: c.params.text("reason"), charge: ch.id, intent: ch.intent, status: succeeded}
	f.metadata = labels
	f.balance = c.post(balanceTransaction{amount: -amount, currency: ch.currency, kind: "refund", category: "refund", source: f.id, description: "REFUND FOR CHARGE"}).id
	ch.refunded += amount
	c.account.add(f)
	if ch.card.refundPends || c.server.chance(c.server.faults.RefundPending) {
		f.status = "pending"
		c.server.after(c.server.faults.settleDelay(), func() { _ = c.background().settleRefund(f, true) })
	}
	if ch.card.refundFails { // says succeeded first, as Stripe's test card does
		c.server.after(c.server.faults.settleDelay(), func() { _ = c.background().settleRefund(f, false) })
	}
	c.emit("charge.refunded", ch.render())
	return f.render(), nil
}

// refundedCharge is the charge that the request names, directly or by its intent.
func (c *call) refundedCharge() (*charge, *apiError) {
	p := c.params
	id := p.text("charge")
	if intent := p.text("payment_intent"); intent != "" {
		pi, ok := find[*paymentIntent](c.account, intent)
		if !ok {
			return nil, missing(400, "payment_intent", intent, "payment_intent")
		}
		last, ok := find[*charge](c.account, pi.latestCharge)
		if !ok || last.status != "succeeded" || id != "" && id != last.id {
			return nil, refused("", "payment_intent", "This PaymentIntent (%s) does not have a successful charge to refund.", intent)
		}
		id = last.id
	}
	if id == "" {
		return nil, invalid("parameter_missing", "payment_intent", "One of the following params should be provided for this request: payment_intent or charge.")
	}
	ch, ok := find[*charge](c.account, id)
	if !ok {
		return nil, missing(400, "charge", id, "charge")
	}
	if ch.status != "succeeded" {
		return nil, refused("", "charge", "Charge %s did not succeed and cannot be refunded.", id)
	}
	return ch, nil
}

// settleRefund ends a refund: the bank took it, or sent it back.
func (c *call) settleRefund(f *refund, arrived bool) *apiError {
	if f.status == "failed" || f.status == canceled || arrived && f.status == succeeded {
		return refused("", "", "The refund is %s.", f.status)
	}
	if arrived {
		f.status = succeeded
	} else {
		f.status, f.failureReason = "failed", "lost_or_stolen_card"
		f.failureBalance = c.post(balanceTransaction{amount: f.amount, currency: f.currency, kind: "refund_failure", category: "refund_failure", source: f.id}).id
		if ch, ok := find[*charge](c.account, f.charge); ok {
			ch.refunded -= f.amount
		}
	}
	c.emit("charge.refund.updated", f.render())
	return nil
}

// refundsOf is the charge's list of refunds, shown when expanded.
func (a *account) refundsOf(id string) object {
	data := []object{}
	rs := all[*refund](a, "refund")
	for i := len(rs) - 1; i >= 0 && len(data) < 10; i-- {
		if rs[i].charge == id {
			data = append(data, rs[i].render())
		}
	}
	return listOf("/v1/charges/"+id+"/refunds", data, false)
}
