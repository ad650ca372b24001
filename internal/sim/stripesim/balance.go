package stripesim

import (
	"maps"
	"slices"
	"time"
)

// balanceTransaction is one movement of an account's balance.
type balanceTransaction struct {
	record
	amount, fee         int64
	currency            string
	kind, category      string
	source, description string
	now                 func() time.Time
}

func (b *balanceTransaction) noun() string { return "balance_transaction" }

// fundsDelay is how long money stays pending before it can be paid out.
const fundsDelay = 2 * 24 * time.Hour

func (b *balanceTransaction) render() object {
	available := b.created + int64(fundsDelay/time.Second)
	status := "pending"
	if b.now().Unix() >= available {
		status = "available"
	}
	fees := []object{}
	if b.fee != 0 {
		fees = append(fees, object{"amount": b.fee, "application": nil, "currency": b.currency, "description": "Stripe processing fees", "type": "stripe_fee"})
	}
	if b.kind == "payout" || b.kind == "payout_failure" {
		available, status = b.created, "available"
	}
	return object{"id": b.id, "object": "balance_transaction", "amount": b.amount, "available_on": available, "created": b.created, "currency": b.currency,
		"description": orNull(b.description), "exchange_rate": nil, "fee": b.fee, "fee_details": fees, "net": b.amount - b.fee,
		"reporting_category": b.category, "source": orNull(b.source), "status": status, "type": b.kind}
}

// feeOn is Stripe's list price for American cards: 2.9 % and 30 cents, rounded half up.
func feeOn(amount int64) int64 { return (amount*29+500)/1000 + 30 }

// disputeFee is what Stripe keeps for a dispute, in cents.
const disputeFee = 1500

func (c *call) post(b balanceTransaction) *balanceTransaction {
	b.record, b.now = c.server.newRecord("txn_"), c.server.now
	c.account.add(&b)
	return &b
}

// balance sums up what an account has, by currency, as Stripe shows it: pending until its funds are available.
func (a *account) balance() object {
	type sums struct{ available, pending int64 }
	byCurrency := map[string]*sums{"usd": {}}
	for _, b := range all[*balanceTransaction](a, "balance_transaction") {
		s := byCurrency[b.currency]
		if s == nil {
			s = &sums{}
			byCurrency[b.currency] = s
		}
		if b.kind == "payout" || b.kind == "payout_failure" || b.now().Unix() >= b.created+int64(fundsDelay/time.Second) {
			s.available += b.amount - b.fee
		} else {
			s.pending += b.amount - b.fee
		}
	}
	available, pending := []object{}, []object{}
	for _, currency := range slices.Sorted(maps.Keys(byCurrency)) {
		part := func(amount int64) object {
			return object{"amount": amount, "currency": currency, "source_types": object{"card": amount}}
		}
		available, pending = append(available, part(byCurrency[currency].available)), append(pending, part(byCurrency[currency].pending))
	}
	return object{"object": "balance", "available": available, "pending": pending, "livemode": false}
}

var balanceOperations = []operation{
	{pattern: "GET /v1/balance", fault: "retrieve", noun: "balance", run: func(c *call) (object, *apiError) { return c.account.balance(), nil }},
	{pattern: "GET /v1/balance_transactions/{id}", fault: "retrieve", noun: "balance_transaction", run: func(c *call) (object, *apiError) {
		b, ok := find[*balanceTransaction](c.account, c.id)
		if !ok {
			return nil, missing(404, "balance transaction", c.id, "id")
		}
		return b.render(), nil
	}},
	{pattern: "GET /v1/balance_transactions", fault: "retrieve", noun: "balance_transaction", list: true,
		shape: dated.with(shape{"type": is(text), "source": is(text), "currency": is(text), "payout": is(unsupported)}),
		run: func(c *call) (object, *apiError) {
			p := c.params
			return list(c, "balance_transaction", func(b *balanceTransaction) bool {
				return (!p.has("type") || b.kind == p.text("type")) && (!p.has("source") || b.source == p.text("source")) &&
					(!p.has("currency") || b.currency == p.text("currency"))
			})
		}},
}
