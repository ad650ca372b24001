package stripesim

import "strings"

// billing is what the payer gave beside the card.
type billing struct {
	name, email, phone                             string
	line1, line2, city, state, postalCode, country string
}

var addressShape = shape{
	"line1": is(clearable), "line2": is(clearable), "city": is(clearable), "state": is(clearable), "postal_code": is(clearable), "country": is(clearable),
}

var billingShape = shape{"name": is(clearable), "email": is(clearable), "phone": is(clearable), "address": hash(addressShape)}

func readBilling(n *node, old billing) billing {
	b := old
	set := func(field *string, path ...string) {
		if n.has(path...) {
			*field = n.text(path...)
		}
	}
	set(&b.name, "name")
	set(&b.email, "email")
	set(&b.phone, "phone")
	set(&b.line1, "address", "line1")
	set(&b.line2, "address", "line2")
	set(&b.city, "address", "city")
	set(&b.state, "address", "state")
	set(&b.postalCode, "address", "postal_code")
	set(&b.country, "address", "country")
	return b
}

func (b billing) render() object {
	return object{
		"name": orNull(b.name), "email": orNull(b.email), "phone": orNull(b.phone),
		"address": object{"line1": orNull(b.line1), "line2": orNull(b.line2), "city": orNull(b.city), "state": orNull(b.state),
			"postal_code": orNull(b.postalCode), "country": orNull(b.country)},
	}
}

// paymentMethod is a card given once. Without a customer it can be used for one payment only.
type paymentMethod struct {
	record
	card     *card
	billing  billing
	customer string
	spent    bool   // charged, declined, or detached: never to be used again without a customer
	boundTo  string // the intent whose 3-D Secure it is going through: no other may use it
	setUp    bool   // authenticated for off-session use
	checked  bool   // the issuer has been asked
}

func (m *paymentMethod) noun() string { return "payment_method" }

func (m *paymentMethod) render() object {
	checks := object{"address_line1_check": nil, "address_postal_code_check": nil, "cvc_check": nil}
	if m.checked {
		checks = m.card.checks(m.billing)
	} else {
		for name, result := range m.card.checks(m.billing) {
			if result != nil {
				checks[name] = "unchecked"
			}
		}
	}
	return object{
		"id": m.id, "object": "payment_method", "created": m.created, "livemode": false, "metadata": labelsOf(m.metadata),
		"type": "card", "customer": orNull(m.customer), "billing_details": m.billing.render(),
		"card": object{
			"brand": m.card.brand, "checks": checks, "country": m.card.countryOr(), "display_brand": m.card.brand,
			"exp_month": m.card.expMonth, "exp_year": m.card.expYear, "fingerprint": m.card.fingerprint(), "funding": m.card.fundingOr(),
			"generated_from": nil, "last4": m.card.last4(), "networks": object{"available": []string{m.card.brand}, "preferred": nil},
			"three_d_secure_usage": object{"supported": m.card.secure != secureNever}, "wallet": nil,
		},
	}
}

// fromBrowser are the parameters that Stripe.js adds of its own.
var fromBrowser = shape{
	"guid": is(anything), "muid": is(anything), "sid": is(anything), "payment_user_agent": is(anything), "time_on_page": is(anything),
	"referrer": is(anything), "pasted_fields": is(anything), "client_attribution_metadata": is(anything), "key": is(anything),
	"_stripe_account": is(anything), "_stripe_version": is(anything), "radar_options": is(anything),
}

// methodData is payment_method_data of intents, and most of what POST /v1/payment_methods takes.
var methodData = fromBrowser.with(shape{
	"type": rule{kind: text, required: true, oneOf: []string{"card"}}, "card": hash(cardShape), "billing_details": hash(billingShape),
	"metadata": is(labels), "allow_redisplay": is(anything),
})

var paymentMethodOperations = []operation{
	{pattern: "POST /v1/payment_methods", fault: "payment_method", noun: "payment_method", public: true,
		shape: methodData.with(shape{"type": oneOf("card"), "customer": is(text), "payment_method": is(text)}), run: createMethod},
	{pattern: "GET /v1/payment_methods/{id}", fault: "retrieve", noun: "payment_method", run: func(c *call) (object, *apiError) {
		m, err := c.methodHere()
		if err != nil {
			return nil, err
		}
		return m.render(), nil
	}},
	{pattern: "POST /v1/payment_methods/{id}", fault: "payment_method", noun: "payment_method", run: updateMethod,
		shape: shape{"billing_details": hash(billingShape), "metadata": is(labels), "allow_redisplay": is(anything),
			"card": hash(shape{"exp_month": is(integer), "exp_year": is(integer), "networks": is(anything)})}},
	{pattern: "POST /v1/payment_methods/{id}/attach", fault: "payment_method", noun: "payment_method", run: attachMethod,
		shape: shape{"customer": must(text)}},
	{pattern: "POST /v1/payment_methods/{id}/detach", fault: "payment_method", noun: "payment_method", run: detachMethod},
	{pattern: "GET /v1/payment_methods", fault: "retrieve", noun: "payment_method", list: true,
		shape: page.with(shape{"customer": is(text), "type": oneOf("card")}),
		run:   func(c *call) (object, *apiError) { return listMethods(c, c.params.text("customer")) }},
	{pattern: "GET /v1/customers/{id}/payment_methods", fault: "retrieve", noun: "payment_method", list: true,
		shape: page.with(shape{"type": oneOf("card"), "allow_redisplay": is(anything)}),
		run: func(c *call) (object, *apiError) {
			if _, err := c.customerHere(); err != nil {
				return nil, err
			}
			return listMethods(c, c.id)
		}},
	{pattern: "GET /v1/customers/{id}/payment_methods/{method}", fault: "retrieve", noun: "payment_method", run: func(c *call) (object, *apiError) {
		m, ok := find[*paymentMethod](c.account, c.request.PathValue("method"))
		if !ok || m.customer != c.id {
			return nil, missing(404, "payment_method", c.request.PathValue("method"), "payment_method")
		}
		return m.render(), nil
	}},
}

// methodHere is the payment method that the address names.
func (c *call) methodHere() (*paymentMethod, *apiError) {
	if m, ok := find[*paymentMethod](c.account, c.id); ok {
		return m, nil
	}
	if t := cardByToken(c.id); t != nil && strings.HasPrefix(c.id, "pm_card_") {
		return c.newMethod(tokenCard(t, c.server.now().Year()), billing{}), nil
	}
	return nil, missing(404, "PaymentMethod", c.id, "id")
}

// methodGiven is the payment method that a parameter names. A test id such as pm_card_visa makes a new one.
func (c *call) methodGiven(id string) (*paymentMethod, *apiError) {
	if m, ok := find[*paymentMethod](c.account, id); ok {
		return m, nil
	}
	if t := cardByToken(id); t != nil && strings.HasPrefix(id, "pm_card_") {
		return c.newMethod(tokenCard(t, c.server.now().Year()), billing{}), nil
	}
	err := missing(400, "PaymentMethod", id, "payment_method")
	for _, other := range c.server.accounts {
		if _, ok := find[*paymentMethod](other, id); ok && other != c.account {
			err.message += "; it exists on another account (see the Stripe-Account header)."
		}
	}
	return nil, err
}

func (c *call) newMethod(k *card, b billing) *paymentMethod {
	m := &paymentMethod{record: c.server.newRecord("pm_"), card: k, billing: b}
	c.account.add(m)
	return m
}

// methodFrom makes one from payment_method_data.
func (c *call) methodFrom(n *node) (*paymentMethod, *apiError) {
	if !n.has("card") {
		return nil, invalid("parameter_missing", "card", "Missing required param: card.")
	}
	k, err := c.readCard(n.at("card"))
	if err != nil {
		return nil, err
	}
	labels, err := mergeLabels(nil, n.at("metadata"))
	if err != nil {
		return nil, err
	}
	m := c.newMethod(k, readBilling(n.at("billing_details"), billing{}))
	m.metadata = labels
	return m, nil
}

func createMethod(c *call) (object, *apiError) {
	if c.params.has("payment_method") {
		return cloneMethod(c)
	}
	if !c.params.has("type") {
		return nil, invalid("parameter_missing", "type", "Missing required param: type.")
	}
	if c.params.has("customer") {
		return nil, invalid("", "customer", "A customer is given only to clone a payment method; attach this one afterwards.")
	}
	m, err := c.methodFrom(c.params)
	if err != nil {
		return nil, err
	}
	return m.render(), nil
}

// cloneMethod copies a platform's payment method onto the connected account that the request names:
// https://stripe.com/docs/payments/payment-methods/connect#cloning-payment-methods
func cloneMethod(c *call) (object, *apiError) {
	if c.public || !c.account.connected {
		return nil, invalid("", "payment_method", "A payment method is cloned from a platform to a connected account: use the platform's secret key and the Stripe-Account header.")
	}
	platform := *c
	platform.account = c.server.platform
	source, err := platform.methodGiven(c.params.text("payment_method"))
	if err != nil {
		return nil, err
	}
	switch customer := c.params.text("customer"); {
	case source.customer != "" && customer == "":
		return nil, refused("", "customer", "The payment method %s is attached to a customer: give that customer to clone it.", source.id)
	case customer != "" && source.customer != customer:
		return nil, refused("resource_missing", "payment_method", "The customer %s has no payment method %s.", customer, source.id)
	case source.customer == "" && (source.spent || source.boundTo != ""):
		return nil, spentError()
	case source.customer == "":
		source.spent = true // "shared with a connected account": its one use
	}
	labels, err := mergeLabels(nil, c.params.at("metadata"))
	if err != nil {
		return nil, err
	}
	m := c.newMethod(source.card, source.billing)
	m.metadata = labels
	return m.render(), nil
}

func updateMethod(c *call) (object, *apiError) {
	m, err := c.methodHere()
	if err != nil {
		return nil, err
	}
	if m.customer == "" {
		return nil, refused("", "", "A payment method can be updated only after it was attached to a customer.")
	}
	labels, err := mergeLabels(m.metadata, c.params.at("metadata"))
	if err != nil {
		return nil, err
	}
	m.metadata = labels
	m.billing = readBilling(c.params.at("billing_details"), m.billing)
	k := *m.card
	if c.params.has("card", "exp_month") {
		k.expMonth = c.params.int("card", "exp_month")
	}
	if c.params.has("card", "exp_year") {
		k.expYear = c.params.int("card", "exp_year")
	}
	m.card = &k
	c.emit("payment_method.updated", m.render())
	return m.render(), nil
}

func attachMethod(c *call) (object, *apiError) {
	m, err := c.methodHere()
	if err != nil {
		return nil, err
	}
	cus, err := c.customerGiven(c.params.text("customer"))
	if err != nil {
		return nil, err
	}
	if err := c.attach(m, cus); err != nil {
		return nil, err
	}
	return m.render(), nil
}

// attach ties a card to a customer, as its issuer allows.
func (c *call) attach(m *paymentMethod, cus *customer) *apiError {
	switch {
	case m.customer == cus.id:
		return nil
	case m.customer != "":
		return refused("payment_method_unexpected_state", "payment_method", "The payment method is already attached to a customer.")
	case m.spent || m.boundTo != "":
		return spentError()
	case m.card.decline != nil && !m.card.attaches:
		m.spent, m.checked = true, true
		return m.card.decline.cardError()
	}
	m.customer, m.checked = cus.id, true
	c.emit("payment_method.attached", m.render())
	return nil
}

func detachMethod(c *call) (object, *apiError) {
	m, err := c.methodHere()
	if err != nil {
		return nil, err
	}
	if m.customer == "" {
		return nil, refused("payment_method_unexpected_state", "payment_method", "The payment method is not attached to a customer, so it cannot be detached.")
	}
	if cus, ok := find[*customer](c.account, m.customer); ok && cus.defaultMethod == m.id {
		cus.defaultMethod = ""
	}
	c.detach(m)
	return m.render(), nil
}

func (c *call) detach(m *paymentMethod) {
	was := m.customer
	m.customer, m.spent = "", true
	c.emitChange("payment_method.detached", m.render(), object{"customer": was})
}

func listMethods(c *call, customer string) (object, *apiError) {
	return list(c, "payment_method", func(m *paymentMethod) bool { return customer != "" && m.customer == customer })
}

func spentError() *apiError {
	return refused("payment_method_unexpected_state", "payment_method",
		"The PaymentMethod was used before without a customer, shared with a connected account, or detached from a customer. It cannot be used again: attach a PaymentMethod to a customer to use it more than once.")
}

func (d *decline) cardError() *apiError {
	return cardError(d.code, d.declineCode, d.param, d.message)
}
