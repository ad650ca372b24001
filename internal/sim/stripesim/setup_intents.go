package stripesim

// setupIntent makes a card ready to be used later, without a payment.
type setupIntent struct {
	record
	secret, status, customer, method string
	description, usage               string
	automatic                        bool
	redirects                        string
	methodTypes                      []string
	lastError, next                  object
	cancelReason                     string
}

func (si *setupIntent) noun() string { return "setup_intent" }

func (si *setupIntent) render() object {
	o := object{"id": si.id, "object": "setup_intent", "application": nil, "automatic_payment_methods": nil, "cancellation_reason": orNull(si.cancelReason),
		"client_secret": si.secret, "created": si.created, "customer": orNull(si.customer), "description": orNull(si.description), "flow_directions": nil,
		"last_setup_error": orNullObject(si.lastError), "latest_attempt": nil, "livemode": false, "mandate": nil, "metadata": labelsOf(si.metadata),
		"next_action": orNullObject(si.next), "on_behalf_of": nil, "payment_method": orNull(si.method), "payment_method_configuration_details": nil,
		"payment_method_options": object{"card": object{"mandate_options": nil, "network": nil, "request_three_d_secure": "automatic"}},
		"payment_method_types":   append([]string{}, si.methodTypes...), "single_use_mandate": nil, "status": si.status, "usage": si.usage}
	if si.automatic {
		o["automatic_payment_methods"] = object{"allow_redirects": si.redirects, "enabled": true}
	}
	return o
}

func (c *call) showSetup(si *setupIntent) object {
	full := si.render()
	if !c.public {
		return full
	}
	o := object{}
	for _, name := range []string{"id", "object", "automatic_payment_methods", "cancellation_reason", "client_secret", "created", "description",
		"last_setup_error", "livemode", "next_action", "payment_method", "payment_method_configuration_details", "payment_method_types", "status", "usage"} {
		o[name] = full[name]
	}
	return o
}

var confirmSetupShape = shape{
	"payment_method": is(text), "payment_method_data": hash(methodData), "return_url": is(text), "use_stripe_sdk": is(boolean),
	"mandate_data": is(anything), "payment_method_options": hash(shape{"card": hash(shape{"request_three_d_secure": oneOf("automatic", "any", "challenge"),
		"network": is(anything), "mandate_options": is(unsupported)})}), "confirmation_token": is(unsupported),
}

var setupIntentOperations = []operation{
	{pattern: "POST /v1/setup_intents", fault: "setup_intent", noun: "setup_intent", run: createSetup,
		shape: confirmSetupShape.with(shape{"customer": is(text), "description": is(clearable), "metadata": is(labels), "payment_method_types": is(texts),
			"usage": oneOf("off_session", "on_session"), "confirm": is(boolean),
			"automatic_payment_methods": hash(shape{"enabled": must(boolean), "allow_redirects": oneOf("always", "never")}),
			"attach_to_self":            is(unsupported), "flow_directions": is(unsupported), "on_behalf_of": is(unsupported), "single_use": is(unsupported),
			"payment_method_configuration": is(unsupported)})},
	{pattern: "GET /v1/setup_intents/{id}", fault: "retrieve", noun: "setup_intent", public: true,
		shape: shape{"client_secret": is(text), "is_stripe_sdk": is(anything)}, run: func(c *call) (object, *apiError) {
			si, err := c.setupHere()
			if err != nil {
				return nil, err
			}
			return c.showSetup(si), nil
		}},
	{pattern: "POST /v1/setup_intents/{id}/confirm", fault: "setup_intent", noun: "setup_intent", public: true,
		shape: confirmSetupShape.with(shape{"client_secret": is(text), "expected_payment_method_type": is(anything)}), run: func(c *call) (object, *apiError) {
			si, err := c.setupHere()
			if err != nil {
				return nil, err
			}
			return c.confirmSetup(si)
		}},
	{pattern: "POST /v1/setup_intents/{id}/cancel", fault: "setup_intent", noun: "setup_intent",
		shape: shape{"cancellation_reason": oneOf("abandoned", "requested_by_customer", "duplicate")}, run: func(c *call) (object, *apiError) {
			si, err := c.setupHere()
			if err != nil {
				return nil, err
			}
			if si.status == succeeded || si.status == canceled {
				return nil, c.setupUnexpected(si, "This SetupIntent cannot be canceled: its status is "+si.status+".")
			}
			si.status, si.next, si.cancelReason = canceled, nil, c.params.text("cancellation_reason")
			c.emit("setup_intent.canceled", si.render())
			return c.showSetup(si), nil
		}},
	{pattern: "GET /v1/setup_intents", fault: "retrieve", noun: "setup_intent", list: true,
		shape: dated.with(shape{"customer": is(text), "payment_method": is(text), "attach_to_self": is(unsupported)}), run: func(c *call) (object, *apiError) {
			p := c.params
			return list(c, "setup_intent", func(si *setupIntent) bool {
				return (!p.has("customer") || si.customer == p.text("customer")) && (!p.has("payment_method") || si.method == p.text("payment_method"))
			})
		}},
}

func (c *call) setupHere() (*setupIntent, *apiError) {
	si, ok := find[*setupIntent](c.account, c.id)
	if !ok {
		return nil, missing(404, "setup_intent", c.id, "intent")
	}
	if c.public {
		switch secret := c.params.text("client_secret"); {
		case secret == "":
			return nil, invalid("parameter_missing", "client_secret", "Missing required param: client_secret.")
		case secret != si.secret:
			return nil, refused("setup_intent_invalid_parameter", "client_secret", "The client_secret does not belong to this SetupIntent.")
		}
	}
	return si, nil
}

func (c *call) setupUnexpected(si *setupIntent, message string) *apiError {
	err := refused("setup_intent_unexpected_state", "", "%s", message)
	err.setupIntent = c.showSetup(si)
	return err
}

func createSetup(c *call) (object, *apiError) {
	p := c.params
	si := &setupIntent{record: c.server.newRecord("seti_"), status: requiresPaymentMethod, usage: "off_session", redirects: "always",
		description: p.text("description"), methodTypes: []string{"card"}}
	si.secret = si.id + "_secret_" + c.server.letters(25)
	if p.has("usage") {
		si.usage = p.text("usage")
	}
	switch {
	case p.has("payment_method_types"):
		if si.methodTypes = p.texts("payment_method_types"); len(si.methodTypes) != 1 || si.methodTypes[0] != "card" {
			return nil, invalid("", "payment_method_types", "This simulator sets up cards only.")
		}
	case !p.has("automatic_payment_methods") || p.bool("automatic_payment_methods", "enabled"):
		si.automatic, si.methodTypes = true, []string{"card", "link"}
		if p.has("automatic_payment_methods", "allow_redirects") {
			si.redirects = p.text("automatic_payment_methods", "allow_redirects")
		}
	}
	if id := p.text("customer"); id != "" {
		u, err := c.customerGiven(id)
		if err != nil {
			return nil, err
		}
		si.customer = u.id
	}
	labels, err := mergeLabels(nil, p.at("metadata"))
	if err != nil {
		return nil, err
	}
	si.metadata = labels
	if err := c.chooseSetupMethod(si); err != nil {
		return nil, err
	}
	if p.bool("confirm") {
		if err := c.setupConfirmable(si); err != nil {
			return nil, err
		}
	}
	c.account.add(si)
	c.emit("setup_intent.created", si.render())
	if p.bool("confirm") {
		return c.confirmSetup(si)
	}
	return c.showSetup(si), nil
}

func (c *call) chooseSetupMethod(si *setupIntent) *apiError {
	p := c.params
	var m *paymentMethod
	var err *apiError
	switch {
	case p.has("payment_method"):
		m, err = c.methodGiven(p.text("payment_method"))
	case p.has("payment_method_data"):
		m, err = c.methodFrom(p.at("payment_method_data"))
	default:
		return nil
	}
	switch {
	case err != nil:
		return err
	case m.customer != "" && m.customer != si.customer:
		return refused("", "payment_method", "The PaymentMethod is attached to a customer that is not this SetupIntent's.")
	case m.customer == "" && (m.spent || m.boundTo != "" && m.boundTo != si.id):
		return spentError()
	}
	si.method, si.status, si.next, si.lastError = m.id, requiresConfirmation, nil, nil
	return nil
}

func (c *call) setupConfirmable(si *setupIntent) *apiError {
	if si.method == "" {
		return c.setupUnexpected(si, "This SetupIntent cannot be confirmed: it has no payment method.")
	}
	if si.automatic && si.redirects == "always" && !c.params.has("return_url") && !c.public {
		return refused("", "", "This SetupIntent accepts automatic payment methods, some of which redirect the payer: give a return_url, or set automatic_payment_methods[allow_redirects] to never, or give payment_method_types.")
	}
	return nil
}

func (c *call) confirmSetup(si *setupIntent) (object, *apiError) {
	switch si.status {
	case requiresPaymentMethod, requiresConfirmation, requiresAction:
	default:
		return nil, c.setupUnexpected(si, "This SetupIntent cannot be confirmed: its status is "+si.status+".")
	}
	if err := c.chooseSetupMethod(si); err != nil {
		return nil, err
	}
	if err := c.setupConfirmable(si); err != nil {
		return nil, err
	}
	m, _ := find[*paymentMethod](c.account, si.method)
	if m.card.secure == secureAlways || m.card.secure == secureUnlessSetUp && !m.setUp && !m.card.alreadySetUp {
		m.boundTo, si.status = si.id, requiresAction
		si.next = c.challenge("setup_intent", si.id, si.secret, c.params)
		c.emit("setup_intent.requires_action", si.render())
		return c.showSetup(si), nil
	}
	if err := c.finishSetup(si, m); err != nil {
		return nil, err
	}
	return c.showSetup(si), nil
}

// finishSetup verifies the card with its issuer and attaches it.
func (c *call) finishSetup(si *setupIntent, m *paymentMethod) *apiError {
	m.boundTo = ""
	if m.card.decline != nil && !m.card.attaches {
		err := m.card.decline.cardError()
		c.failSetup(si, m, err)
		return err
	}
	if u, ok := find[*customer](c.account, si.customer); ok {
		if err := c.attach(m, u); err != nil {
			return err
		}
	}
	m.checked = true
	m.setUp = m.setUp || si.usage == "off_session"
	si.status, si.next, si.lastError = succeeded, nil, nil
	c.emit("setup_intent.succeeded", si.render())
	return nil
}

func (c *call) failSetup(si *setupIntent, m *paymentMethod, err *apiError) {
	m.boundTo, m.checked = "", true
	if m.customer == "" {
		m.spent = true
	}
	err.paymentMethod = m.render()
	si.lastError = err.body("")
	si.status, si.method, si.next = requiresPaymentMethod, "", nil
	err.setupIntent = c.showSetup(si)
	c.emit("setup_intent.setup_failed", si.render())
}

func (c *call) finishSetupChallenge(si *setupIntent, passed bool) *apiError {
	if si.status != requiresAction {
		return c.setupUnexpected(si, "There is no authentication under way: the status is "+si.status+".")
	}
	m, _ := find[*paymentMethod](c.account, si.method)
	if !passed {
		c.failSetup(si, m, refused("setup_intent_authentication_failure", "", "The payment method could not be authenticated. Choose another one and try again."))
		return nil
	}
	_ = c.finishSetup(si, m) // the outcome is the intent's to tell
	return nil
}
