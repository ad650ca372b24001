package stripesim

import "strings"

type customer struct {
	record
	name, email, phone, description string
	address, shipping               object
	invoicePrefix                   string
	balance                         int64
	defaultMethod                   string
	locales                         []string
	taxExempt                       string
	deleted                         bool
}

func (u *customer) noun() string { return "customer" }

func (u *customer) render() object {
	if u.deleted {
		return object{"id": u.id, "object": "customer", "deleted": true}
	}
	return object{
		"id": u.id, "object": "customer", "address": orNullObject(u.address), "balance": u.balance, "created": u.created, "currency": nil,
		"default_source": nil, "delinquent": false, "description": orNull(u.description), "discount": nil, "email": orNull(u.email),
		"invoice_prefix":   u.invoicePrefix,
		"invoice_settings": object{"custom_fields": nil, "default_payment_method": orNull(u.defaultMethod), "footer": nil, "rendering_options": nil},
		"livemode":         false, "metadata": labelsOf(u.metadata), "name": orNull(u.name), "next_invoice_sequence": 1, "phone": orNull(u.phone),
		"preferred_locales": append([]string{}, u.locales...), "shipping": orNullObject(u.shipping), "tax_exempt": u.taxExempt, "test_clock": nil,
	}
}

var shippingShape = shape{"address": hash(addressShape), "name": is(clearable), "phone": is(clearable), "carrier": is(clearable), "tracking_number": is(clearable)}

var customerShape = shape{
	"address": hash(addressShape), "balance": is(integer), "description": is(clearable), "email": is(clearable),
	"invoice_settings": hash(shape{"default_payment_method": is(clearable), "custom_fields": is(unsupported), "footer": is(unsupported), "rendering_options": is(unsupported)}),
	"metadata":         is(labels), "name": is(clearable), "phone": is(clearable), "preferred_locales": is(texts), "shipping": hash(shippingShape),
	"tax_exempt": rule{kind: clearable, oneOf: []string{"", "none", "exempt", "reverse"}}, "invoice_prefix": is(text),
	"cash_balance": is(unsupported), "coupon": is(unsupported), "next_invoice_sequence": is(unsupported), "promotion_code": is(unsupported),
	"source": is(unsupported), "tax": is(unsupported), "tax_id_data": is(unsupported), "test_clock": is(unsupported),
}

var customerOperations = []operation{
	{pattern: "POST /v1/customers", fault: "customer", noun: "customer", run: createCustomer,
		shape: customerShape.with(shape{"payment_method": is(text)})},
	{pattern: "GET /v1/customers/{id}", fault: "retrieve", noun: "customer", run: func(c *call) (object, *apiError) {
		u, ok := find[*customer](c.account, c.id)
		if !ok {
			return nil, missing(404, "customer", c.id, "id")
		}
		return u.render(), nil
	}},
	{pattern: "POST /v1/customers/{id}", fault: "customer", noun: "customer", run: updateCustomer, shape: customerShape},
	{pattern: "DELETE /v1/customers/{id}", fault: "customer", noun: "customer", run: deleteCustomer},
	{pattern: "GET /v1/customers", fault: "retrieve", noun: "customer", list: true, shape: dated.with(shape{"email": is(text)}),
		run: func(c *call) (object, *apiError) {
			email := c.params.text("email")
			return list(c, "customer", func(u *customer) bool { return !u.deleted && (email == "" || u.email == email) })
		}},
}

func (c *call) customerHere() (*customer, *apiError) {
	u, ok := find[*customer](c.account, c.id)
	if !ok || u.deleted {
		return nil, missing(404, "customer", c.id, "id")
	}
	return u, nil
}

// customerGiven is the customer that a parameter names.
func (c *call) customerGiven(id string) (*customer, *apiError) {
	u, ok := find[*customer](c.account, id)
	if !ok || u.deleted {
		return nil, missing(400, "customer", id, "customer")
	}
	return u, nil
}

func createCustomer(c *call) (object, *apiError) {
	u := &customer{record: c.server.newRecord("cus_"), taxExempt: "none"}
	u.invoicePrefix = strings.ToUpper(c.server.letters(8))
	if err := u.set(c); err != nil {
		return nil, err
	}
	var m *paymentMethod
	if id := c.params.text("payment_method"); id != "" {
		var err *apiError
		if m, err = c.methodGiven(id); err != nil {
			return nil, err
		}
		if err := c.attach(m, u); err != nil {
			return nil, err
		}
	}
	if err := c.setDefaultMethod(u); err != nil {
		return nil, err
	}
	c.account.add(u)
	c.emit("customer.created", u.render())
	return u.render(), nil
}

func updateCustomer(c *call) (object, *apiError) {
	u, err := c.customerHere()
	if err != nil {
		return nil, err
	}
	changed := *u
	if err := changed.set(c); err != nil {
		return nil, err
	}
	if err := c.setDefaultMethod(&changed); err != nil {
		return nil, err
	}
	*u = changed
	c.emit("customer.updated", u.render())
	return u.render(), nil
}

func (u *customer) set(c *call) *apiError {
	p := c.params
	for name, field := range map[string]*string{"name": &u.name, "email": &u.email, "phone": &u.phone, "description": &u.description} {
		if p.has(name) {
			*field = p.text(name)
		}
	}
	if email := p.text("email"); email != "" && !strings.Contains(email, "@") {
		return invalid("email_invalid", "email", "Invalid email address.")
	}
	if p.has("tax_exempt") {
		u.taxExempt = p.text("tax_exempt")
	}
	if p.has("invoice_prefix") {
		u.invoicePrefix = p.text("invoice_prefix")
	}
	if p.has("balance") {
		u.balance = p.int("balance")
	}
	if p.has("preferred_locales") {
		u.locales = p.texts("preferred_locales")
	}
	if p.has("address") {
		u.address = readAddress(p.at("address"))
	}
	if p.has("shipping") {
		u.shipping = readShipping(p.at("shipping"))
	}
	labels, err := mergeLabels(u.metadata, p.at("metadata"))
	if err != nil {
		return err
	}
	u.metadata = labels
	return nil
}

func (c *call) setDefaultMethod(u *customer) *apiError {
	path := []string{"invoice_settings", "default_payment_method"}
	if !c.params.has(path...) {
		return nil
	}
	id := c.params.text(path...)
	if id != "" {
		// A test id such as pm_card_visa names a new card, attached by nobody.
		m, ok := find[*paymentMethod](c.account, id)
		if strings.HasPrefix(id, "pm_card_") && c.params.text("payment_method") == id {
			ms := all[*paymentMethod](c.account, "payment_method")
			m, ok = ms[len(ms)-1], true
		}
		if !ok || m.customer != u.id {
			return refused("resource_missing", "invoice_settings[default_payment_method]", "The customer has no payment method %s: attach it first.", id)
		}
		id = m.id
	}
	u.defaultMethod = id
	return nil
}

func deleteCustomer(c *call) (object, *apiError) {
	u, err := c.customerHere()
	if err != nil {
		return nil, err
	}
	for _, m := range all[*paymentMethod](c.account, "payment_method") {
		if m.customer == u.id {
			c.detach(m)
		}
	}
	c.emit("customer.deleted", u.render())
	u.deleted = true
	return u.render(), nil
}

func readAddress(n *node) object {
	if n.leaf {
		return nil
	}
	b := readBilling(&node{kids: map[string]*node{"address": n}}, billing{})
	return b.render()["address"].(object)
}

func readShipping(n *node) object {
	if n.leaf {
		return nil
	}
	o := object{"name": orNull(n.text("name")), "phone": orNull(n.text("phone")), "carrier": orNull(n.text("carrier")),
		"tracking_number": orNull(n.text("tracking_number")), "address": nil}
	if n.has("address") {
		o["address"] = readAddress(n.at("address"))
	}
	return o
}
