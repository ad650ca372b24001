package stripesim

import (
	"net/url"
	"slices"
)

func confirmIntent(c *call) (object, *apiError) {
	pi, err := c.intentHere()
	if err != nil {
		return nil, err
	}
	if c.public && pi.confirmationMethod == "manual" {
		return nil, c.unexpectedState(pi, "A publishable key cannot confirm this PaymentIntent: its confirmation_method is manual. Confirm it on the server with the secret key.")
	}
	switch pi.status {
	case requiresPaymentMethod, requiresConfirmation:
	case requiresAction:
		if !c.params.has("payment_method") && !c.params.has("payment_method_data") {
			return nil, c.unexpectedState(pi, "This PaymentIntent cannot be confirmed: its status is requires_action. Let the payer complete next_action, or confirm with a new payment method.")
		}
	default:
		return nil, c.unexpectedState(pi, "This PaymentIntent cannot be confirmed: its status is %s.", pi.status)
	}
	next := *pi
	if err := next.apply(c, c.params); err != nil {
		return nil, err
	}
	if err := c.chooseMethod(&next, c.params); err != nil {
		return nil, err
	}
	if err := c.confirmable(&next, c.params); err != nil {
		return nil, err
	}
	*pi = next
	if err := c.confirm(pi, c.params); err != nil {
		return nil, err
	}
	return c.show(pi), nil
}

// confirmable checks what can be known before anything is done.
func (c *call) confirmable(pi *paymentIntent, p *node) *apiError {
	if pi.method == "" {
		return c.unexpectedState(pi, "This PaymentIntent cannot be confirmed: it has no payment method. Give one when confirming it.")
	}
	if pi.automatic && pi.redirects == "always" && !p.has("return_url") && !c.public {
		return refused("", "", "This PaymentIntent accepts automatic payment methods, some of which redirect the payer: give a return_url, or set automatic_payment_methods[allow_redirects] to never, or give payment_method_types.")
	}
	if raw := p.text("return_url"); raw != "" {
		if u, err := url.Parse(raw); err != nil || u.Scheme == "" {
			return invalid("url_invalid", "return_url", "Not a valid URL")
		}
	}
	if isOffSession(p) && p.bool("error_on_requires_action") {
		return invalid("", "error_on_requires_action", "error_on_requires_action has no place with off_session: such a payment never requires action.")
	}
	if !slices.Contains(pi.methodTypes, "card") {
		return refused("payment_intent_incompatible_payment_method", "payment_method", "The PaymentMethod's type card is not among this PaymentIntent's types.")
	}
	m, _ := find[*paymentMethod](c.account, pi.method)
	return usable(m, pi)
}

func isOffSession(p *node) bool {
	v := p.text("off_session")
	return v != "" && v != "false"
}

// confirm tries the intent's card: 3-D Secure first if the card or the request wants it, then the charge. The intent
// and its card have been checked.
func (c *call) confirm(pi *paymentIntent, p *node) *apiError {
	m, _ := find[*paymentMethod](c.account, pi.method)
	passed := pi.authenticated == m.id
	pi.lastError, pi.next, pi.authenticated = nil, nil, ""
	off := isOffSession(p)
	if !passed && needsSecure(m, pi.requestSecure, off) {
		switch {
		case off:
			return c.declineIntent(pi, m, needsAuth)
		case p.bool("error_on_requires_action"):
			d := needsAuth
			d.declineCode = "authentication_not_handled"
			err := d.cardError()
			c.failIntent(pi, m, err)
			return err
		}
		m.boundTo = pi.id
		pi.status = requiresAction
		pi.next = c.challenge("payment_intent", pi.id, pi.secret, p)
		c.emit("payment_intent.requires_action", pi.render())
		return nil
	}
	return c.charge(pi, m, passed)
}

// needsSecure tells whether 3-D Secure must be passed before a charge: https://stripe.com/docs/testing#three-ds-cards
func needsSecure(m *paymentMethod, requested string, offSession bool) bool {
	switch m.card.secure {
	case secureAlways:
		return true
	case secureUnlessSetUp:
		if m.card.alreadySetUp {
			return !offSession
		}
		return !m.setUp
	case secureOnDemand:
		return !offSession && (requested == "any" || requested == "challenge")
	}
	return false
}

// challenge is next_action: the stand-in's page on this simulator, or a redirect there if the request gave a return_url.
func (c *call) challenge(noun, id, secret string, p *node) object {
	q := url.Values{noun: {id}, noun + "_client_secret": {secret}}
	if returnURL := p.text("return_url"); returnURL != "" && !p.bool("use_stripe_sdk") {
		q.Set("return_url", returnURL)
		return object{"type": "redirect_to_url", "redirect_to_url": object{"return_url": returnURL, "url": c.origin + "/v3/challenge?" + q.Encode()}}
	}
	return object{"type": "use_stripe_sdk", "use_stripe_sdk": object{"type": "three_d_secure_redirect",
		"stripe_js": c.origin + "/v3/challenge?" + q.Encode(), "source": "src_" + id[len(id)-24:]}}
}

// finishChallenge is what the payer did on the challenge page.
func (c *call) finishChallenge(pi *paymentIntent, passed bool) *apiError {
	if pi.status != requiresAction {
		return c.unexpectedState(pi, "There is no authentication under way: the status is %s.", pi.status)
	}
	m, _ := find[*paymentMethod](c.account, pi.method)
	if !passed {
		c.failIntent(pi, m, refused("payment_intent_authentication_failure", "", "The payment method could not be authenticated. Choose another one and try again."))
		return nil
	}
	pi.next, pi.authenticated, pi.status = nil, m.id, requiresConfirmation
	if pi.confirmationMethod == "automatic" {
		// The outcome is the intent's to tell; the page only says that the challenge is over.
		_ = c.confirm(pi, nil)
	}
	return nil
}

// charge asks the bank.
func (c *call) charge(pi *paymentIntent, m *paymentMethod, authenticated bool) *apiError {
	if m.card.decline != nil {
		return c.declineIntent(pi, m, *m.card.decline)
	}
	ch := c.newCharge(pi, m)
	ch.authenticated = authenticated
	m.checked, m.boundTo = true, ""
	if m.customer == "" {
		m.spent = true
		if u, ok := find[*customer](c.account, pi.customer); ok && pi.futureUsage != "" {
			m.spent = false
			_ = c.attach(m, u) // a card that was just charged can be attached
		}
	}
	if pi.futureUsage == "off_session" && authenticated {
		m.setUp = true
	}
	c.account.add(ch)
	pi.latestCharge = ch.id
	if c.server.chance(c.server.faults.Processing) {
		pi.status, ch.status = processing, "pending"
		c.emit("charge.pending", ch.render())
		c.emit("payment_intent.processing", pi.render())
		c.server.after(c.server.faults.settleDelay(), func() {
			if pi.status == processing {
				c.background().succeed(pi, ch)
			}
		})
		return nil
	}
	c.succeed(pi, ch)
	return nil
}

func (c *call) succeed(pi *paymentIntent, ch *charge) {
	ch.status = "succeeded"
	if pi.captureMethod == "manual" {
		pi.status, pi.capturable = requiresCapture, pi.amount
		c.emit("charge.succeeded", ch.render())
		c.emit("payment_intent.amount_capturable_updated", pi.render())
		return
	}
	c.capture(ch, ch.amount)
	pi.status, pi.received = succeeded, pi.amount
	c.emit("charge.succeeded", ch.render())
	c.emit("payment_intent.succeeded", pi.render())
	if ch.card.disputed != "" {
		c.openDispute(ch, ch.card.disputed)
	}
}

// declineIntent records a refused charge and answers with the card error.
func (c *call) declineIntent(pi *paymentIntent, m *paymentMethod, d decline) *apiError {
	ch := c.newCharge(pi, m)
	ch.status, ch.failure = "failed", &d
	c.account.add(ch)
	pi.latestCharge = ch.id
	err := d.cardError()
	err.charge = ch.id
	m.checked = true
	c.emit("charge.failed", ch.render())
	c.failIntent(pi, m, err)
	return err
}

// failIntent takes the card off the intent again and says why in last_payment_error, naming the card.
func (c *call) failIntent(pi *paymentIntent, m *paymentMethod, err *apiError) {
	m.boundTo = ""
	if m.customer == "" {
		m.spent = true
	}
	err.paymentMethod = m.render()
	pi.lastError = err.body("")
	pi.status, pi.method, pi.next, pi.authenticated = requiresPaymentMethod, "", nil, ""
	err.paymentIntent = c.show(pi)
	c.emit("payment_intent.payment_failed", pi.render())
}
