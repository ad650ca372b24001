package stripesim

import "fmt"

// payout is money on its way from an account's balance to its bank.
type payout struct {
	record
	amount                  int64
	currency, status        string
	failureCode             string
	balance, failureBalance string
}

func (p *payout) noun() string { return "payout" }

func (p *payout) render() object {
	return object{"id": p.id, "object": "payout", "amount": p.amount, "arrival_date": p.created + int64(fundsDelay.Seconds()), "automatic": true, "balance_transaction": orNull(p.balance),
		"created": p.created, "currency": p.currency, "description": "STRIPE PAYOUT", "destination": "ba_" + p.id[len("po_"):], "failure_balance_transaction": orNull(p.failureBalance),
		"failure_code": orNull(p.failureCode), "failure_message": nil, "livemode": false, "metadata": labelsOf(p.metadata), "method": "standard", "original_payout": nil,
		"reconciliation_status": "completed", "reversed_by": nil, "source_type": "card", "statement_descriptor": nil, "status": p.status, "type": "bank_account"}
}

var payoutOperations = []operation{
	{pattern: "GET /v1/payouts/{id}", fault: "retrieve", noun: "payout", run: func(c *call) (object, *apiError) {
		p, ok := find[*payout](c.account, c.id)
		if !ok {
			return nil, missing(404, "payout", c.id, "id")
		}
		return p.render(), nil
	}},
	{pattern: "GET /v1/payouts", fault: "retrieve", noun: "payout", list: true, shape: dated.with(shape{"status": is(text), "destination": is(unsupported), "arrival_date": is(unsupported)}),
		run: func(c *call) (object, *apiError) {
			status := c.params.text("status")
			return list(c, "payout", func(p *payout) bool { return status == "" || p.status == status })
		}},
}

// Payout sends an amount of an account's balance to its bank, as Stripe does by itself every day, and returns the payout's id. accountID "" is the
// platform's own.
func (s *Server) Payout(accountID string, amount int64) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.platform
	if accountID != "" {
		if a = s.accounts[accountID]; a == nil {
			return "", fmt.Errorf("%w: %s", ErrNoSuchObject, accountID)
		}
	}
	if amount < 1 {
		return "", fmt.Errorf("stripesim: a payout needs an amount")
	}
	c := &call{server: s, account: a, params: &node{}}
	p := &payout{record: s.newRecord("po_"), amount: amount, currency: "usd", status: "paid"}
	p.balance = c.post(balanceTransaction{amount: -amount, currency: "usd", kind: "payout", category: "payout", source: p.id, description: "STRIPE PAYOUT"}).id
	a.add(p)
	c.emit("payout.created", p.render())
	c.emit("payout.paid", p.render())
	return p.id, nil
}

// FailPayout has the bank send a payout back.
func (s *Server) FailPayout(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, p, err := locate[*payout](s, id)
	if err != nil {
		return err
	}
	if p.status == "failed" {
		return fmt.Errorf("stripesim: the payout %s has failed already", id)
	}
	p.status, p.failureCode = "failed", "account_closed"
	p.failureBalance = c.post(balanceTransaction{amount: p.amount, currency: p.currency, kind: "payout_failure", category: "payout_reversal", source: p.id}).id
	c.emit("payout.failed", p.render())
	return nil
}

// Move is a movement that no API request causes: a fee of Stripe's for the account (type stripe_fee), a reserve, a correction. It returns its id.
func (s *Server) Move(accountID, kind string, amount int64) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.platform
	if accountID != "" {
		if a = s.accounts[accountID]; a == nil {
			return "", fmt.Errorf("%w: %s", ErrNoSuchObject, accountID)
		}
	}
	c := &call{server: s, account: a, params: &node{}}
	return c.post(balanceTransaction{amount: amount, currency: "usd", kind: kind, category: kind}).id, nil
}
