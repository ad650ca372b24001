package stripepay

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/stripe/stripe-go/v76"

	"paylink/internal/money"
	"paylink/internal/pay"
)

// pageSize is the most that Stripe puts on one page of a list (docs.stripe.com/api/pagination).
const pageSize = 100

// listLimit bounds the refunds and disputes of one PaymentIntent. A charge has a handful; a list that goes on and on is an error, not a truth.
const listLimit = 10 * pageSize

// Refund asks to give back a part or all of what a PaymentIntent has charged. Errors as pay.Gateway says.
func (g *Gateway) Refund(ctx context.Context, r pay.RefundRequest) (pay.GivenBack, error) {
	if r.Key == "" || r.IntentID == "" || r.RefundID == "" || r.Amount <= 0 { // without an amount Stripe would give back all that is left
		return pay.GivenBack{}, unasked("PaymentIntent, refund, amount and idempotency key")
	}
	p := &stripe.RefundParams{Params: params(ctx, r.Account, r.Key), PaymentIntent: stripe.String(r.IntentID), Amount: stripe.Int64(int64(r.Amount))}
	p.AddMetadata("app", "paylink")
	p.AddMetadata("refund", r.RefundID)
	if r.PaymentID != "" {
		p.AddMetadata("payment", r.PaymentID)
	}
	re, err := g.refunds.New(p)
	switch {
	case err != nil:
		return pay.GivenBack{}, g.problem(err, r.Account)
	case re.Object != "refund" || re.ID == "" || re.PaymentIntent == nil || re.PaymentIntent.ID != r.IntentID:
		return pay.GivenBack{}, unclear("its answer is not the refund asked for")
	}
	return backOf(re), nil
}

// Refunds lists all refunds of a PaymentIntent, whoever made them, newest first. Errors as pay.Gateway says.
func (g *Gateway) Refunds(ctx context.Context, account, intentID string) ([]pay.GivenBack, error) {
	if intentID == "" {
		return nil, unasked("PaymentIntent") // without an id the library would list everybody's
	}
	p := &stripe.RefundListParams{ListParams: listParams(ctx, account), PaymentIntent: stripe.String(intentID)}
	var all []pay.GivenBack
	err := listed(g, "/v1/refunds", &p.ListParams, func() *stripe.Iter { return g.refunds.List(p).Iter }, func(re *stripe.Refund) (string, error) {
		if re.PaymentIntent == nil || re.PaymentIntent.ID != intentID || len(all) == listLimit {
			return "", unclear("its answer is not the list of refunds asked for")
		}
		all = append(all, backOf(re))
		return re.ID, nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func backOf(re *stripe.Refund) pay.GivenBack {
	b := pay.GivenBack{
		ID: re.ID, IntentID: re.PaymentIntent.ID, Amount: money.Cents(re.Amount), Status: pay.RefundStatus(re.Status), Failure: string(re.FailureReason), At: time.Unix(re.Created, 0),
	}
	if re.Metadata["app"] == "paylink" {
		b.RefundID = re.Metadata["refund"]
	}
	return b
}

// Contests lists all disputes of a PaymentIntent, newest first. Errors as pay.Gateway says.
func (g *Gateway) Contests(ctx context.Context, account, intentID string) ([]pay.Contest, error) {
	if intentID == "" {
		return nil, unasked("PaymentIntent")
	}
	p := &stripe.DisputeListParams{ListParams: listParams(ctx, account), PaymentIntent: stripe.String(intentID)}
	p.AddExpand("data.payment_intent") // for the origin
	var all []pay.Contest
	err := listed(g, "/v1/disputes", &p.ListParams, func() *stripe.Iter { return g.disputes.List(p).Iter }, func(d *stripe.Dispute) (string, error) {
		switch {
		case d.PaymentIntent == nil || d.PaymentIntent.ID != intentID || d.Charge == nil || len(all) == listLimit:
			return "", unclear("its answer is not the list of disputes asked for")
		case d.Livemode != g.live:
			return "", unclear("its answer is of the other mode, test or live")
		}
		all = append(all, contestOf(d))
		return d.ID, nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func contestOf(d *stripe.Dispute) pay.Contest {
	c := pay.Contest{
		ID: d.ID, IntentID: d.PaymentIntent.ID, ChargeID: d.Charge.ID, Amount: money.Cents(d.Amount), Reason: string(d.Reason), Status: string(d.Status), At: time.Unix(d.Created, 0),
	}
	if e := d.EvidenceDetails; e != nil && e.DueBy > 0 {
		c.EvidenceBy = time.Unix(e.DueBy, 0)
	}
	for _, b := range d.BalanceTransactions {
		c.Moved = append(c.Moved, pay.Movement{
			ID: b.ID, Type: string(b.Type), Amount: money.Cents(b.Amount), Fee: money.Cents(b.Fee), Source: d.ID, IntentID: c.IntentID, Origin: originOf(d.PaymentIntent.Metadata),
			At: time.Unix(b.Created, 0),
		})
	}
	// Within one second, what is taken comes before what is given back.
	slices.SortStableFunc(c.Moved, func(a, b pay.Movement) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Amount, b.Amount)) })
	return c
}

// Clone copies a saved card of the platform's customer to a connected account (docs.stripe.com/payments/payment-methods/connect), each time by a key of
// its own. The copy has no customer: it can be charged once. Errors as pay.Gateway says.
func (g *Gateway) Clone(ctx context.Context, account, customer, paymentMethod string) (string, error) {
	if account == "" || customer == "" || paymentMethod == "" {
		return "", unasked("connected account, customer and PaymentMethod")
	}
	pm, err := g.methods.New(&stripe.PaymentMethodParams{Params: params(ctx, account, "clone:"+rand.Text()), Customer: stripe.String(customer), PaymentMethod: stripe.String(paymentMethod)})
	switch {
	case err != nil:
		return "", g.problem(err, account)
	case pm.Object != "payment_method" || pm.ID == "" || pm.ID == paymentMethod:
		return "", unclear("its answer is no new PaymentMethod")
	case pm.Livemode != g.live:
		return "", unclear("its answer is of the other mode, test or live")
	}
	return pm.ID, nil
}

func listParams(ctx context.Context, account string) stripe.ListParams {
	p := stripe.ListParams{Context: ctx, Limit: stripe.Int64(pageSize), Single: true}
	if account != "" {
		p.StripeAccount = stripe.String(account)
	}
	return p
}

// listed reads a list to its end, page by page; each returns the id of a row, and ended is called at the end of a page. The library would take any JSON object for a list that is empty: only a
// page that says which list it is of is believed.
func listed[T any](g *Gateway, path string, p *stripe.ListParams, load func() *stripe.Iter, each func(T) (string, error), ended ...func() error) error {
	for {
		page, last := load(), ""
		switch {
		case page.Err() != nil:
			return g.problem(page.Err(), stripe.StringValue(p.StripeAccount))
		case page.Meta().URL != path:
			return unclear("its answer is not the list asked for")
		}
		for page.Next() {
			var err error
			if last, err = each(page.Current().(T)); err != nil {
				return err
			}
		}
		for _, f := range ended {
			if err := f(); err != nil {
				return err
			}
		}
		if !page.Meta().HasMore {
			return nil
		}
		if last == "" || last == stripe.StringValue(p.StartingAfter) {
			return unclear("its list does not go on")
		}
		p.StartingAfter = stripe.String(last)
	}
}
