package stripepay

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"paylink/internal/money"
	"paylink/internal/pay"
)

// eventTypes are those that can tell something of a payment. Stripe takes 20 at the most (docs.stripe.com/api/events/list, types).
func eventTypes() []*string {
	return stripe.StringSlice([]string{
		"payment_intent.amount_capturable_updated", "payment_intent.canceled", "payment_intent.payment_failed", "payment_intent.processing", "payment_intent.requires_action",
		"payment_intent.succeeded", "charge.refunded", "charge.refund.updated", "refund.created", "refund.updated",
		"charge.dispute.created", "charge.dispute.updated", "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated", "charge.dispute.closed",
	})
}

// cardEvents are those that can tell something of a card on file.
var cardEvents = []string{
	"setup_intent.succeeded", "setup_intent.setup_failed", "payment_method.updated", "payment_method.automatically_updated", "payment_method.detached", "customer.deleted",
}

// Events gives what Stripe has told of payments on an account since then, newest first, page by page, and on the platform's own of cards on file too; Stripe keeps it for 30 days. Errors as
// pay.Gateway says.
func (g *Gateway) Events(ctx context.Context, account string, since time.Time, each func([]pay.Notice) error) error {
	err := g.eventsOf(ctx, account, since, eventTypes(), each)
	if err == nil && account == "" {
		err = g.eventsOf(ctx, account, since, stripe.StringSlice(cardEvents), each)
	}
	return err
}

func (g *Gateway) eventsOf(ctx context.Context, account string, since time.Time, types []*string, each func([]pay.Notice) error) error {
	p := &stripe.EventListParams{
		ListParams: listParams(ctx, account), Types: types, CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()},
	}
	var page []pay.Notice
	return listed(g, "/v1/events", &p.ListParams, func() *stripe.Iter { page = page[:0]; return g.events.List(p).Iter }, func(e *stripe.Event) (string, error) {
		switch {
		case e.Object != "event" || e.Data == nil:
			return "", unclear("its answer is not the list of events asked for")
		case e.Livemode != g.live:
			return "", unclear("its answer is of the other mode, test or live")
		}
		// The account is the one that was asked: Stripe names it in events of connected accounts only where a webhook gets them.
		page = append(page, noticeOf(e, account))
		return e.ID, nil
	}, func() error { return each(page) })
}

// Movements gives the balance transactions of an account that were created in [from, to), newest first, page by page. Errors as pay.Gateway says.
func (g *Gateway) Movements(ctx context.Context, account string, from, to time.Time, each func([]pay.Movement) error) error {
	p := &stripe.BalanceTransactionListParams{
		ListParams: listParams(ctx, account), CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThan: to.Unix()},
	}
	p.AddExpand("data.source")
	var page []pay.Movement
	return listed(g, "/v1/balance_transactions", &p.ListParams, func() *stripe.Iter { page = page[:0]; return g.balances.List(p).Iter }, func(b *stripe.BalanceTransaction) (string, error) {
		if b.Object != "balance_transaction" {
			return "", unclear("its answer is not the list of balance transactions asked for")
		}
		page = append(page, movementOf(b))
		return b.ID, nil
	}, func() error { return each(page) })
}

// MovementsOf lists what one object has moved on an account's balance: a PaymentIntent's charge (pi_…), a refund (re_…), a payout (po_…), or one balance
// transaction itself (txn_…). What Stripe does not know has moved nothing. Errors as pay.Gateway says.
func (g *Gateway) MovementsOf(ctx context.Context, account, object string) ([]pay.Movement, error) {
	p := params(ctx, account, "")
	got, live := "", g.live // refunds and balance transactions don't say in which mode they are
	var moved [2]*stripe.BalanceTransaction
	var err error
	prefix, id, _ := strings.Cut(object, "_")
	noun := map[string]string{"pi": "payment_intent", "re": "refund", "po": "payout", "txn": "balance_transaction"}[prefix]
	if noun == "" || id == "" {
		return nil, unasked("object that can move money")
	}
	switch noun {
	case "payment_intent":
		p.AddExpand("latest_charge.balance_transaction")
		var in *stripe.PaymentIntent
		if in, err = g.intents.Get(object, &stripe.PaymentIntentParams{Params: p}); err == nil {
			if got, live = in.Object+" "+in.ID, in.Livemode; in.LatestCharge != nil {
				moved[0] = in.LatestCharge.BalanceTransaction
			}
		}
	case "refund":
		p.AddExpand("balance_transaction")
		p.AddExpand("failure_balance_transaction")
		var re *stripe.Refund
		if re, err = g.refunds.Get(object, &stripe.RefundParams{Params: p}); err == nil {
			got, moved = re.Object+" "+re.ID, [2]*stripe.BalanceTransaction{re.BalanceTransaction, re.FailureBalanceTransaction}
		}
	case "payout":
		p.AddExpand("balance_transaction")
		p.AddExpand("failure_balance_transaction")
		var po *stripe.Payout
		if po, err = g.payouts.Get(object, &stripe.PayoutParams{Params: p}); err == nil {
			got, live, moved = po.Object+" "+po.ID, po.Livemode, [2]*stripe.BalanceTransaction{po.BalanceTransaction, po.FailureBalanceTransaction}
		}
	case "balance_transaction":
		p.AddExpand("source")
		if moved[0], err = g.balances.Get(object, &stripe.BalanceTransactionParams{Params: p}); err == nil {
			got = moved[0].Object + " " + moved[0].ID
		}
	}
	switch no := (*pay.RequestError)(nil); {
	case err != nil && errors.As(g.problem(err, account), &no) && no.Status == http.StatusNotFound:
		return nil, nil
	case err != nil:
		return nil, g.problem(err, account)
	case got != noun+" "+object || live != g.live:
		return nil, unclear("its answer is not the object asked for")
	}
	var all []pay.Movement
	for _, b := range moved {
		if b == nil || b.ID == "" {
			continue
		}
		m := movementOf(b)
		if noun == "payment_intent" {
			m.IntentID = object
		}
		all = append(all, m)
	}
	return all, nil
}

// movementOf tells one movement. One in another currency than ours gets a type of its own: it must not be taken for dollars.
func movementOf(b *stripe.BalanceTransaction) pay.Movement {
	m := pay.Movement{ID: b.ID, Type: string(b.Type), Amount: money.Cents(b.Amount), Fee: money.Cents(b.Fee), At: time.Unix(b.Created, 0)}
	if b.Currency != stripe.CurrencyUSD {
		m.Type += " in " + string(b.Currency)
	}
	s := b.Source
	if s == nil {
		return m
	}
	m.Source = s.ID
	switch {
	case s.Charge != nil && s.Charge.PaymentIntent != nil:
		m.IntentID, m.Origin = s.Charge.PaymentIntent.ID, originOf(s.Charge.Metadata) // a charge has its PaymentIntent's metadata
	case s.Refund != nil && s.Refund.PaymentIntent != nil:
		m.IntentID, m.Origin = s.Refund.PaymentIntent.ID, originOf(s.Refund.Metadata)
	case s.Dispute != nil && s.Dispute.PaymentIntent != nil:
		m.IntentID = s.Dispute.PaymentIntent.ID
	}
	return m
}

// Balance is what an account has at Stripe, in dollars: the net of all that has ever moved on it. Errors as pay.Gateway says.
func (g *Gateway) Balance(ctx context.Context, account string) (money.Cents, error) {
	b, err := g.balance.Get(&stripe.BalanceParams{Params: params(ctx, account, "")})
	switch {
	case err != nil:
		return 0, g.problem(err, account)
	case b.Object != "balance" || b.Available == nil || b.Pending == nil:
		return 0, unclear("its answer is no balance")
	case b.Livemode != g.live:
		return 0, unclear("its answer is of the other mode, test or live")
	}
	var sum money.Cents
	for _, part := range append(b.Available, b.Pending...) {
		if part.Currency == stripe.CurrencyUSD {
			sum += money.Cents(part.Amount)
		}
	}
	return sum, nil
}
