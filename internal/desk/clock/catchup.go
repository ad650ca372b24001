package clock

import (
	"context"
	"errors"
	"slices"
	"time"

	"paylink/internal/pay"
)

// CatchUpOver is how far back events are asked for: a day in which nothing could be heard, and two hours to notice.
const CatchUpOver = 26 * time.Hour

// hearMost is how many unheard events of one account one round takes up; those that are left are taken up by the next, from the oldest of them on.
const hearMost = 20_000

// Events is where Stripe keeps what it has told.
type Events interface {
	// Events gives what Stripe has told of payments on an account ("" is the platform's own) since then, newest first, page by page.
	Events(ctx context.Context, account string, since time.Time, each func([]pay.Notice) error) error
}

// Heard is what was heard already.
type Heard interface {
	Now(ctx context.Context) (time.Time, error)
	// StripeAccounts lists the Stripe accounts in use; "" is the platform's own.
	StripeAccounts(ctx context.Context) ([]string, error)
	// Unheard returns those events that were not heard yet, in their order.
	Unheard(ctx context.Context, notices []pay.Notice) ([]pay.Notice, error)
}

// CatchUp hears the events that no webhook has brought. It needs no webhook at all: with them switched off it is how the outside is heard of. Several may
// run at once: an event is stored once. All fields are required.
type CatchUp struct {
	Events Events
	Heard  Heard
	Hear   func(ctx context.Context, n pay.Notice) error // a webhook's own door
	// Found books a succeeded PaymentIntent of ours that no payment has (T24).
	Found func(ctx context.Context, account, intentID string) error
}

// Round hears what is unheard of the last CatchUpOver on every account, oldest first. What fails on one account or event holds up no other: all errors are
// returned together, and the next round tries again.
func (c *CatchUp) Round(ctx context.Context) error {
	now, err := c.Heard.Now(ctx)
	if err != nil {
		return err
	}
	accounts, err := c.Heard.StripeAccounts(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, account := range accounts {
		if err := c.account(ctx, account, now.Add(-CatchUpOver)); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

func (c *CatchUp) account(ctx context.Context, account string, since time.Time) error {
	var unheard []pay.Notice // newest first
	err := c.Events.Events(ctx, account, since, func(page []pay.Notice) error {
		news, err := c.Heard.Unheard(ctx, page)
		unheard = append(unheard, news...)
		if len(unheard) > hearMost { // the newest wait, and memory has an end
			unheard = slices.Clone(unheard[len(unheard)-hearMost:])
		}
		return err
	})
	problems := []error{err} // what was listed before it failed is heard all the same
	for _, n := range slices.Backward(unheard) {
		if err := c.Hear(ctx, n); err != nil {
			problems = append(problems, err)
		}
		if n.Type == "payment_intent.succeeded" && n.PaymentID != "" {
			if err := c.Found(ctx, n.Account, n.IntentID); err != nil {
				problems = append(problems, err)
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(problems...)
}

// Every does a task at once and then after every wait, until the context ends.
func Every(ctx context.Context, wait func(ctx context.Context), task func(ctx context.Context)) {
	for ctx.Err() == nil {
		task(ctx)
		wait(ctx)
	}
}
