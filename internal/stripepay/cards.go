package stripepay

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/stripe/stripe-go/v76"

	"paylink/internal/pay"
	"paylink/internal/wallet"
)

// NewCustomer realises wallet.Stripe. Stripe learns which client it is by our id, and nothing else of a person.
func (g *Gateway) NewCustomer(ctx context.Context, key, clientID string) (string, error) {
	if key == "" || clientID == "" {
		return "", unasked("client and idempotency key")
	}
	p := &stripe.CustomerParams{Params: params(ctx, "", key)}
	p.AddMetadata("app", "paylink")
	p.AddMetadata("client", clientID)
	made, err := g.persons.New(p)
	switch {
	case err != nil:
		return "", g.problem(err, "")
	case made.Object != "customer" || made.ID == "" || made.Deleted:
		return "", unclear("its answer is no customer")
	case made.Livemode != g.live:
		return "", unclear("its answer is of the other mode, test or live")
	}
	return made.ID, nil
}

// Customer realises wallet.Stripe. Stripe answers for one that was deleted with little more than that it was.
func (g *Gateway) Customer(ctx context.Context, id string) (bool, error) {
	if id == "" {
		return false, unasked("customer")
	}
	found, err := g.persons.Get(id, &stripe.CustomerParams{Params: params(ctx, "", "")})
	switch {
	case err != nil && notThere(g.problem(err, "")):
		return false, nil
	case err != nil:
		return false, g.problem(err, "")
	case found.Object != "customer" || found.ID != id:
		return false, unclear("its answer is not the customer asked for")
	}
	return !found.Deleted, nil
}

// NewSetup realises wallet.Stripe.
func (g *Gateway) NewSetup(ctx context.Context, key, customer, clientID string) (wallet.Intent, error) {
	if key == "" || customer == "" || clientID == "" {
		return wallet.Intent{}, unasked("customer, client and idempotency key")
	}
	p := &stripe.SetupIntentParams{
		Params: params(ctx, "", key), Customer: stripe.String(customer), Usage: stripe.String(string(stripe.SetupIntentUsageOffSession)),
		PaymentMethodTypes: stripe.StringSlice([]string{"card"}), // as at a payment: else others are turned on, which demand a return_url
	}
	p.AddMetadata("app", "paylink")
	p.AddMetadata("client", clientID)
	si, err := g.setups.New(p)
	return g.setup(si, "", err)
}

// Setup realises wallet.Stripe.
func (g *Gateway) Setup(ctx context.Context, id string) (wallet.Intent, error) {
	if id == "" {
		return wallet.Intent{}, unasked("SetupIntent")
	}
	p := &stripe.SetupIntentParams{Params: params(ctx, "", "")}
	p.AddExpand("payment_method")
	si, err := g.setups.Get(id, p)
	return g.setup(si, id, err)
}

func (g *Gateway) setup(si *stripe.SetupIntent, want string, err error) (wallet.Intent, error) {
	switch {
	case err != nil:
		return wallet.Intent{}, g.problem(err, "")
	case si.Object != "setup_intent" || si.ID == "" || want != "" && si.ID != want:
		return wallet.Intent{}, unclear("its answer is not the SetupIntent asked for")
	case si.Livemode != g.live:
		return wallet.Intent{}, unclear("its answer is of the other mode, test or live")
	}
	in := wallet.Intent{ID: si.ID, Succeeded: si.Status == stripe.SetupIntentStatusSucceeded, Secret: pay.NewSecret(si.ClientSecret)}
	if si.Customer != nil {
		in.Customer = si.Customer.ID
	}
	if si.PaymentMethod != nil && si.PaymentMethod.Card != nil {
		m := savedOf(si.PaymentMethod)
		in.Method = &m
	}
	if si.LastSetupError != nil {
		in.ErrorCode = codeOf(si.LastSetupError)
	}
	return in, nil
}

// Saved realises wallet.Stripe.
func (g *Gateway) Saved(ctx context.Context, paymentMethod string) (wallet.Saved, bool, error) {
	if paymentMethod == "" {
		return wallet.Saved{}, false, unasked("PaymentMethod")
	}
	pm, err := g.methods.Get(paymentMethod, &stripe.PaymentMethodParams{Params: params(ctx, "", "")})
	switch {
	case err != nil && notThere(g.problem(err, "")):
		return wallet.Saved{}, false, nil
	case err != nil:
		return wallet.Saved{}, false, g.problem(err, "")
	case pm.Object != "payment_method" || pm.ID != paymentMethod:
		return wallet.Saved{}, false, unclear("its answer is not the PaymentMethod asked for")
	case pm.Livemode != g.live:
		return wallet.Saved{}, false, unclear("its answer is of the other mode, test or live")
	case pm.Card == nil:
		return wallet.Saved{}, false, nil
	}
	return savedOf(pm), true, nil
}

func savedOf(pm *stripe.PaymentMethod) wallet.Saved {
	m := wallet.Saved{
		PaymentMethod: pm.ID, Brand: string(pm.Card.Brand), Last4: pm.Card.Last4, Funding: string(pm.Card.Funding), Fingerprint: pm.Card.Fingerprint, ExpMonth: int(pm.Card.ExpMonth), ExpYear: int(pm.Card.ExpYear),
	}
	if pm.Customer != nil {
		m.Customer = pm.Customer.ID
	}
	return m
}

// Detach realises wallet.Stripe, each time by a key of its own, as Cancel does.
func (g *Gateway) Detach(ctx context.Context, paymentMethod string) error {
	if paymentMethod == "" {
		return unasked("PaymentMethod")
	}
	pm, err := g.methods.Detach(paymentMethod, &stripe.PaymentMethodDetachParams{Params: params(ctx, "", "detach:"+rand.Text())})
	switch {
	case err != nil:
		return g.problem(err, "")
	case pm.ID != paymentMethod || pm.Customer != nil:
		return unclear("its answer does not say that the card is detached")
	}
	return nil
}

func notThere(err error) bool {
	no, ok := errors.AsType[*pay.RequestError](err)
	return ok && no.Status == http.StatusNotFound
}
