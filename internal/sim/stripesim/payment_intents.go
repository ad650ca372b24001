package stripesim

import (
	"strings"
)

// Statuses of intents, as Stripe names them.
const (
	requiresPaymentMethod = "requires_payment_method"
	requiresConfirmation  = "requires_confirmation"
	requiresAction        = "requires_action"
	requiresCapture       = "requires_capture"
	processing            = "processing"
	succeeded             = "succeeded"
	canceled              = "canceled"
)

// paymentIntent collects one amount, at most once.
type paymentIntent struct {
	record
	secret                            string
	status                            string
	amount, capturable, received      int64
	currency, customer, description   string
	captureMethod, confirmationMethod string
	automatic                         bool // automatic_payment_methods
	redirects                         string
	methodTypes                       []string
	method, latestCharge              string
	lastError, next                   object
	canceledAt                        int64
	cancelReason                      string
	receiptEmail, futureUsage, suffix string
	shipping                          object
	requestSecure                     string // payment_method_options[card][request_three_d_secure]
	authenticated                     string // the payment method that passed 3-D Secure and awaits the last confirm
	transferGroup                     string
}

func (pi *paymentIntent) noun() string { return "payment_intent" }

func (pi *paymentIntent) render() object {
	o := object{
		"id": pi.id, "object": "payment_intent", "amount": pi.amount, "amount_capturable": pi.capturable, "amount_details": object{"tip": object{}},
		"amount_received": pi.received, "application": nil, "application_fee_amount": nil, "automatic_payment_methods": nil,
		"canceled_at": orNullInt(pi.canceledAt), "cancellation_reason": orNull(pi.cancelReason), "capture_method": pi.captureMethod,
		"client_secret": pi.secret, "confirmation_method": pi.confirmationMethod, "created": pi.created, "currency": pi.currency,
		"customer": orNull(pi.customer), "description": orNull(pi.description), "invoice": nil, "last_payment_error": orNullObject(pi.lastError),
		"latest_charge": orNull(pi.latestCharge), "livemode": false, "metadata": labelsOf(pi.metadata), "next_action": orNullObject(pi.next),
		"on_behalf_of": nil, "payment_method": orNull(pi.method), "payment_method_configuration_details": nil,
		"payment_method_options": object{"card": object{"installments": nil, "mandate_options": nil, "network": nil, "request_three_d_secure": pi.requestSecure}},
		"payment_method_types":   append([]string{}, pi.methodTypes...), "processing": nil, "receipt_email": orNull(pi.receiptEmail), "review": nil,
		"setup_future_usage": orNull(pi.futureUsage), "shipping": orNullObject(pi.shipping), "statement_descriptor": nil,
		"statement_descriptor_suffix": orNull(pi.suffix), "status": pi.status, "transfer_data": nil, "transfer_group": orNull(pi.transferGroup),
	}
	if pi.automatic {
		o["automatic_payment_methods"] = object{"allow_redirects": pi.redirects, "enabled": true}
	}
	if pi.status == processing {
		o["processing"] = object{"type": "card", "card": object{}}
	}
	return o
}

// public is what a publishable key may see of an intent.
func (pi *paymentIntent) public() object {
	full := pi.render()
	o := object{}
	for _, name := range []string{"id", "object", "amount", "amount_details", "automatic_payment_methods", "canceled_at", "cancellation_reason",
		"capture_method", "client_secret", "confirmation_method", "created", "currency", "description", "last_payment_error", "livemode",
		"next_action", "payment_method", "payment_method_configuration_details", "payment_method_types", "processing", "receipt_email",
		"setup_future_usage", "shipping", "status"} {
		o[name] = full[name]
	}
	return o
}

// optionsShape is payment_method_options; only the card's request_three_d_secure has an effect here.
var optionsShape = shape{
	"card": hash(shape{"request_three_d_secure": oneOf("automatic", "any", "challenge"), "capture_method": is(unsupported),
		"setup_future_usage": is(unsupported), "installments": is(unsupported), "mandate_options": is(unsupported), "network": is(anything),
		"moto": is(unsupported), "cvc_token": is(unsupported), "request_extended_authorization": is(unsupported),
		"request_incremental_authorization": is(unsupported), "request_multicapture": is(unsupported), "request_overcapture": is(unsupported),
		"require_cvc_recollection": is(unsupported), "statement_descriptor_suffix_kana": is(unsupported),
		"statement_descriptor_suffix_kanji": is(unsupported), "three_d_secure": is(unsupported), "verification_method": is(unsupported)}),
	"link": is(anything), "us_bank_account": is(anything),
}

// confirmShape is what confirming adds, also in a create with confirm=true.
var confirmShape = shape{
	"payment_method": is(text), "payment_method_data": hash(methodData), "payment_method_options": hash(optionsShape),
	"payment_method_types": is(texts), "off_session": rule{kind: text, oneOf: []string{"true", "false", "one_off", "recurring"}},
	"use_stripe_sdk": is(boolean), "return_url": is(text), "error_on_requires_action": is(boolean),
	"setup_future_usage": rule{kind: clearable, oneOf: []string{"", "on_session", "off_session"}}, "receipt_email": is(clearable),
	"shipping": hash(shippingShape), "capture_method": oneOf("automatic", "automatic_async", "manual"),
	"mandate": is(unsupported), "mandate_data": is(anything), "confirmation_token": is(unsupported), "radar_options": is(anything),
}

var createIntentShape = confirmShape.with(shape{
	"amount": must(integer), "currency": must(text), "customer": is(text), "description": is(clearable), "metadata": is(labels), "confirm": is(boolean),
	"confirmation_method": oneOf("automatic", "manual"), "statement_descriptor_suffix": is(clearable), "statement_descriptor": is(clearable),
	"automatic_payment_methods": hash(shape{"enabled": must(boolean), "allow_redirects": oneOf("always", "never")}),
	"transfer_group":            is(text), "application_fee_amount": is(unsupported), "transfer_data": is(unsupported), "on_behalf_of": is(unsupported),
	"payment_method_configuration": is(unsupported),
})

var updateIntentShape = shape{
	"amount": is(integer), "currency": is(text), "customer": is(text), "description": is(clearable), "metadata": is(labels),
	"payment_method": is(text), "payment_method_data": hash(methodData), "payment_method_options": hash(optionsShape), "payment_method_types": is(texts),
	"receipt_email": is(clearable), "setup_future_usage": rule{kind: clearable, oneOf: []string{"", "on_session", "off_session"}},
	"shipping": hash(shippingShape), "statement_descriptor_suffix": is(clearable), "statement_descriptor": is(clearable),
	"capture_method": oneOf("automatic", "automatic_async", "manual"), "transfer_group": is(text), "application_fee_amount": is(unsupported),
	"transfer_data": is(unsupported), "payment_method_configuration": is(unsupported),
}

var paymentIntentOperations = []operation{
	{pattern: "POST /v1/payment_intents", fault: "create", noun: "payment_intent", shape: createIntentShape, run: createIntent},
	{pattern: "GET /v1/payment_intents/{id}", fault: "retrieve", noun: "payment_intent", public: true, run: retrieveIntent,
		shape: shape{"client_secret": is(text), "is_stripe_sdk": is(anything)}},
	{pattern: "POST /v1/payment_intents/{id}", fault: "update", noun: "payment_intent", shape: updateIntentShape, run: updateIntent},
	{pattern: "POST /v1/payment_intents/{id}/confirm", fault: "confirm", noun: "payment_intent", public: true,
		shape: confirmShape.with(shape{"client_secret": is(text), "expected_payment_method_type": is(anything)}), run: confirmIntent},
	{pattern: "POST /v1/payment_intents/{id}/cancel", fault: "cancel", noun: "payment_intent",
		shape: shape{"cancellation_reason": oneOf("duplicate", "fraudulent", "requested_by_customer", "abandoned")}, run: cancelIntent},
	{pattern: "POST /v1/payment_intents/{id}/capture", fault: "capture", noun: "payment_intent",
		shape: shape{"amount_to_capture": is(integer), "metadata": is(labels), "statement_descriptor_suffix": is(clearable), "final_capture": is(unsupported),
			"application_fee_amount": is(unsupported), "transfer_data": is(unsupported), "statement_descriptor": is(unsupported)}, run: captureIntent},
	{pattern: "GET /v1/payment_intents", fault: "retrieve", noun: "payment_intent", list: true, shape: dated.with(shape{"customer": is(text)}),
		run: func(c *call) (object, *apiError) {
			customer := c.params.text("customer")
			return list(c, "payment_intent", func(pi *paymentIntent) bool { return customer == "" || pi.customer == customer })
		}},
}

// intentHere is the intent that the address names. A publishable key must also know its client_secret.
func (c *call) intentHere() (*paymentIntent, *apiError) {
	pi, ok := find[*paymentIntent](c.account, c.id)
	if !ok {
		return nil, missing(404, "payment_intent", c.id, "intent")
	}
	if c.public {
		switch secret := c.params.text("client_secret"); {
		case secret == "":
			return nil, invalid("parameter_missing", "client_secret", "Missing required param: client_secret.")
		case secret != pi.secret:
			return nil, refused("payment_intent_invalid_parameter", "client_secret", "The client_secret does not belong to this PaymentIntent.")
		}
	}
	return pi, nil
}

func retrieveIntent(c *call) (object, *apiError) {
	pi, err := c.intentHere()
	if err != nil {
		return nil, err
	}
	return c.show(pi), nil
}

func (c *call) show(pi *paymentIntent) object {
	if c.public {
		return pi.public()
	}
	return pi.render()
}

// minimum is the least amount Stripe takes, in the currency's smallest unit: https://stripe.com/docs/currencies#minimum-and-maximum-charge-amounts
var minimum = map[string]int64{"usd": 50, "cad": 50, "eur": 50, "gbp": 30, "mxn": 1000}

func checkAmount(amount int64, currency string) *apiError {
	least, known := minimum[currency]
	switch {
	case !known:
		return invalid("", "currency", "Invalid currency: %s. This simulator knows usd, cad, eur, gbp and mxn.", currency)
	case amount < 0:
		return invalid("parameter_invalid_integer", "amount", "Invalid positive integer")
	case amount < least:
		return invalid("amount_too_small", "amount", "Amount must be at least %d in the smallest unit of %s", least, currency)
	case amount > 99_999_999:
		return invalid("amount_too_large", "amount", "Amount must be no more than 99999999 in the smallest unit of %s", currency)
	}
	return nil
}

func checkSuffix(suffix string) *apiError {
	switch {
	case suffix == "":
		return nil
	case len(suffix) > 22:
		return invalid("", "statement_descriptor_suffix", "The statement descriptor suffix has at most 22 characters.")
	case strings.ContainsAny(suffix, `<>\'"*`):
		return invalid("", "statement_descriptor_suffix", `The statement descriptor suffix must not contain any of < > \ ' " *`)
	case !strings.ContainsAny(strings.ToLower(suffix), "abcdefghijklmnopqrstuvwxyz"):
		return invalid("", "statement_descriptor_suffix", "The statement descriptor suffix must have at least one letter.")
	}
	return nil
}

func createIntent(c *call) (object, *apiError) {
	p := c.params
	pi := &paymentIntent{record: c.server.newRecord("pi_"), status: requiresPaymentMethod, captureMethod: "automatic",
		confirmationMethod: "automatic", requestSecure: "automatic", redirects: "always"}
	pi.secret = pi.id + "_secret_" + c.server.letters(25)
	pi.amount, pi.currency = p.int("amount"), strings.ToLower(p.text("currency"))
	if err := checkAmount(pi.amount, pi.currency); err != nil {
		return nil, err
	}
	if p.has("confirmation_method") {
		pi.confirmationMethod = p.text("confirmation_method")
	}
	if p.has("payment_method_types") && p.has("automatic_payment_methods", "enabled") && p.bool("automatic_payment_methods", "enabled") {
		return nil, invalid("", "payment_method_types", "Give payment_method_types or automatic_payment_methods, not both.")
	}
	switch {
	case p.has("payment_method_types"):
		// settled in apply
	case p.has("automatic_payment_methods") && !p.bool("automatic_payment_methods", "enabled"):
		pi.methodTypes = []string{"card"}
	default: // since 2023-08-16 automatic payment methods are on unless told otherwise
		pi.automatic, pi.methodTypes = true, []string{"card", "link"}
		if p.has("automatic_payment_methods", "allow_redirects") {
			pi.redirects = p.text("automatic_payment_methods", "allow_redirects")
		}
	}
	confirm := p.bool("confirm")
	for _, only := range []string{"off_session", "return_url", "use_stripe_sdk", "error_on_requires_action", "mandate_data"} {
		if p.has(only) && !confirm && only != "use_stripe_sdk" {
			return nil, invalid("", only, "%s can be given on creation only together with confirm=true.", only)
		}
	}
	if p.has("statement_descriptor") {
		return nil, invalid("", "statement_descriptor", "statement_descriptor does not work with cards: use statement_descriptor_suffix.")
	}
	if err := pi.apply(c, p); err != nil {
		return nil, err
	}
	if err := c.chooseMethod(pi, p); err != nil {
		return nil, err
	}
	if confirm {
		if err := c.confirmable(pi, p); err != nil {
			return nil, err
		}
	}
	c.account.add(pi)
	c.emit("payment_intent.created", pi.render())
	if confirm {
		if err := c.confirm(pi, p); err != nil {
			return nil, err
		}
	}
	return c.show(pi), nil
}

// apply sets what create, update and confirm have in common, but the payment method. It changes nothing if it fails.
func (pi *paymentIntent) apply(c *call, p *node) *apiError {
	next := *pi
	if p.has("payment_method_types") {
		types := p.texts("payment_method_types")
		if len(types) == 0 {
			return invalid("parameter_invalid_empty", "payment_method_types", "payment_method_types needs at least one type.")
		}
		for _, t := range types {
			if t != "card" && t != "link" {
				return invalid("", "payment_method_types", "The payment method type %q is not one that this simulator knows (card, link).", t)
			}
		}
		next.methodTypes, next.automatic = types, false
	}
	if id := p.text("customer"); id != "" {
		u, err := c.customerGiven(id)
		if err != nil {
			return err
		}
		next.customer = u.id
	}
	for name, field := range map[string]*string{"description": &next.description, "receipt_email": &next.receiptEmail,
		"setup_future_usage": &next.futureUsage, "statement_descriptor_suffix": &next.suffix, "capture_method": &next.captureMethod,
		"transfer_group": &next.transferGroup} {
		if p.has(name) {
			*field = p.text(name)
		}
	}
	if err := checkSuffix(next.suffix); err != nil {
		return err
	}
	if p.has("payment_method_options", "card", "request_three_d_secure") {
		next.requestSecure = p.text("payment_method_options", "card", "request_three_d_secure")
	}
	if p.has("shipping") {
		next.shipping = readShipping(p.at("shipping"))
	}
	labels, err := mergeLabels(pi.metadata, p.at("metadata"))
	if err != nil {
		return err
	}
	next.metadata = labels
	*pi = next
	return nil
}

// chooseMethod puts the payment method that the request names, if any, on the intent.
func (c *call) chooseMethod(pi *paymentIntent, p *node) *apiError {
	var m *paymentMethod
	var err *apiError
	switch {
	case p.has("payment_method") && p.has("payment_method_data"):
		return invalid("", "payment_method_data", "Give payment_method or payment_method_data, not both.")
	case p.has("payment_method"):
		m, err = c.methodGiven(p.text("payment_method"))
	case p.has("payment_method_data"):
		m, err = c.methodFrom(p.at("payment_method_data"))
	default:
		return nil
	}
	if err != nil {
		return err
	}
	if err := usable(m, pi); err != nil {
		return err
	}
	pi.method, pi.status, pi.next, pi.authenticated, pi.lastError = m.id, requiresConfirmation, nil, "", nil
	return nil
}

// usable tells whether this intent may be paid with that card.
func usable(m *paymentMethod, pi *paymentIntent) *apiError {
	switch {
	case m.customer != "" && pi.customer == "":
		return refused("", "customer", "The PaymentMethod is attached to a customer: that customer must be on the PaymentIntent to use it.")
	case m.customer != "" && m.customer != pi.customer:
		return refused("", "payment_method", "The PaymentMethod %s does not belong to the customer of this PaymentIntent.", m.id)
	case m.customer == "" && (m.spent || m.boundTo != "" && m.boundTo != pi.id):
		return spentError()
	}
	return nil
}

// unexpectedState carries the intent, as Stripe's does, so that the caller sees what has become of it.
func (c *call) unexpectedState(pi *paymentIntent, format string, args ...any) *apiError {
	err := refused("payment_intent_unexpected_state", "", format, args...)
	err.paymentIntent = c.show(pi)
	return err
}

func updateIntent(c *call) (object, *apiError) {
	pi, err := c.intentHere()
	if err != nil {
		return nil, err
	}
	p := c.params
	if p.has("statement_descriptor") {
		return nil, invalid("", "statement_descriptor", "statement_descriptor does not work with cards: use statement_descriptor_suffix.")
	}
	open := pi.status == requiresPaymentMethod || pi.status == requiresConfirmation || pi.status == requiresAction
	for _, name := range []string{"amount", "currency", "customer", "payment_method", "payment_method_data", "payment_method_options",
		"payment_method_types", "setup_future_usage", "capture_method", "statement_descriptor_suffix", "shipping"} {
		if p.has(name) && !open {
			return nil, c.unexpectedState(pi, "This PaymentIntent's %s cannot be updated: its status is %s.", name, pi.status)
		}
	}
	next := *pi
	if p.has("amount") {
		next.amount = p.int("amount")
	}
	if p.has("currency") {
		next.currency = strings.ToLower(p.text("currency"))
	}
	if err := checkAmount(next.amount, next.currency); err != nil {
		return nil, err
	}
	if err := next.apply(c, p); err != nil {
		return nil, err
	}
	if err := c.chooseMethod(&next, p); err != nil {
		return nil, err
	}
	// An authentication was for the old amount: another amount needs a new one.
	if next.amount != pi.amount && next.status != requiresPaymentMethod && next.method != "" {
		next.status, next.next, next.authenticated = requiresConfirmation, nil, ""
	}
	next.lastError = nil
	*pi = next
	return c.show(pi), nil
}

func cancelIntent(c *call) (object, *apiError) {
	pi, err := c.intentHere()
	if err != nil {
		return nil, err
	}
	if err := c.cancel(pi, c.params.text("cancellation_reason")); err != nil {
		return nil, err
	}
	return c.show(pi), nil
}

func (c *call) cancel(pi *paymentIntent, reason string) *apiError {
	switch pi.status {
	case succeeded, canceled, processing:
		return c.unexpectedState(pi, "This PaymentIntent cannot be canceled: its status is %s.", pi.status)
	case requiresCapture:
		if ch, ok := find[*charge](c.account, pi.latestCharge); ok {
			ch.refunded = ch.amount
			c.emit("charge.refunded", ch.render())
		}
	}
	pi.status, pi.canceledAt, pi.cancelReason, pi.next, pi.authenticated, pi.capturable = canceled, c.server.now().Unix(), reason, nil, "", 0
	c.emit("payment_intent.canceled", pi.render())
	return nil
}

func captureIntent(c *call) (object, *apiError) {
	pi, err := c.intentHere()
	if err != nil {
		return nil, err
	}
	if pi.status != requiresCapture {
		return nil, c.unexpectedState(pi, "This PaymentIntent could not be captured: its status is %s, not requires_capture.", pi.status)
	}
	amount := pi.capturable
	if c.params.has("amount_to_capture") {
		amount = c.params.int("amount_to_capture")
		if amount < 1 || amount > pi.capturable {
			return nil, invalid("amount_too_large", "amount_to_capture", "The amount to capture is more than the authorized amount.")
		}
	}
	if err := pi.apply(c, c.params); err != nil {
		return nil, err
	}
	ch, _ := find[*charge](c.account, pi.latestCharge)
	c.capture(ch, amount)
	pi.status, pi.capturable, pi.received = succeeded, 0, amount
	c.emit("charge.captured", ch.render())
	c.emit("payment_intent.succeeded", pi.render())
	return c.show(pi), nil
}
