package wallet

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/pay"
	"paylink/internal/post"
	"paylink/internal/trail"
)

const (
	taskLease = 2 * time.Minute // longer than Stripe takes; a task that failed is tried again after it
	taskRound = 100
	warnMost  = 500                 // of one round
	warnAhead = 30 * 24 * time.Hour // before a card's last day is over
)

// Heard stores a signed event once, and has what it tells of looked at. What the event claims is never believed: Stripe is asked.
func (w *Wallet) Heard(ctx context.Context, n pay.Notice) error {
	if err := w.Store.HearCard(ctx, n); err != nil {
		return err
	}
	if n.Card != "" {
		_ = w.Do(ctx, Task{Object: n.Card, Work: Look}) // it stays due
	}
	return nil
}

// Round does what is due: it looks at what events have told of, detaches what we no longer keep, and warns of cards that expire. What it can't do now stays due.
func (w *Wallet) Round(ctx context.Context) error {
	due, err := w.Store.DueCardTasks(ctx, taskRound)
	problems := []error{err}
	for _, t := range due {
		if ctx.Err() != nil {
			break
		}
		problems = append(problems, w.Do(context.WithoutCancel(ctx), t))
	}
	return errors.Join(append(problems, w.warn(ctx))...)
}

// Do does a task that is due, or nothing if another has it.
func (w *Wallet) Do(ctx context.Context, t Task) error {
	t, ok, err := w.Store.TakeCardTask(ctx, t, taskLease)
	if err != nil || !ok {
		return err
	}
	kind, _, _ := strings.Cut(t.Object, "_")
	switch {
	case t.Work == Detach:
		err = w.takeOff(ctx, t.Object)
	case kind == "seti":
		err = w.lookAtSetup(ctx, t.Object)
	case kind == "pm":
		err = w.lookAtCard(ctx, t.Object)
	case kind == "cus":
		err = w.lookAtCustomer(ctx, t.Object)
	}
	if err != nil {
		return err
	}
	return w.Store.EndCardTask(ctx, t)
}

// takeOff detaches a PaymentMethod. That it was detached before, or is gone, is as good.
func (w *Wallet) takeOff(ctx context.Context, method string) error {
	err := w.Stripe.Detach(ctx, method)
	if _, no := errors.AsType[*pay.RequestError](err); !no {
		return err
	}
	m, there, lookErr := w.Stripe.Saved(ctx, method)
	if lookErr != nil || there && m.Customer != "" {
		return err
	}
	return nil
}

// lookAtSetup keeps the card of a SetupIntent whose browser may have gone away. One that we did not ask for is none of ours.
func (w *Wallet) lookAtSetup(ctx context.Context, id string) error {
	s, err := w.Store.Setup(ctx, id)
	if err == nil && s.State == Open {
		_, err = w.Keep(ctx, s.ClientID, id, trail.ByStripe)
	}
	if errors.Is(err, account.ErrNotFound) || errors.Is(err, ErrNotSetUp) || errors.Is(err, pay.ErrBrand) || errors.Is(err, account.ErrSameCard) {
		return nil
	}
	return err
}

// lookAtCard brings a card on file up to what Stripe keeps: a new date or number that its bank has told, or that it is gone.
func (w *Wallet) lookAtCard(ctx context.Context, method string) error {
	clientID, err := w.Store.CardOwner(ctx, method)
	if err != nil || clientID == "" {
		return err
	}
	m, there, err := w.Stripe.Saved(ctx, method)
	if err != nil {
		return err
	}
	return w.Store.DecideCards(ctx, clientID, "", func(h Holding) (Change, error) {
		i := slices.IndexFunc(h.Cards, func(c account.Card) bool { return c.PaymentMethod == method && c.OnFile() })
		if i < 0 {
			return Change{}, nil
		}
		c := h.Cards[i]
		if !there || m.Customer != c.Customer {
			return w.lost(h, c), nil
		}
		now := m.over(c)
		if slices.ContainsFunc(h.OnFile(), func(o account.Card) bool {
			return o.ID != c.ID && now.Fingerprint != "" && o.Fingerprint == now.Fingerprint
		}) {
			now.Fingerprint = "" // two cards have become one number: both stay, and are told apart no longer
		}
		if !taken(m.Brand) {
			now.Refused = "card_not_supported"
		}
		if now == c {
			return Change{}, nil
		}
		ch := Change{Cards: []account.Card{now}}
		if now.Last4 == c.Last4 && now.Month() == c.Month() && now.Brand == c.Brand { // nothing that anybody would see
			return ch, nil
		}
		ch.Letter = w.letter(h, post.CardUpdated, now)
		ch.Trail = []trail.Entry{w.entry(h.Now, trail.ByStripe, clientID, ActUpdate, c.ID, dated(c)+" → "+dated(now))}
		return ch, nil
	})
}

// lost takes a card off file that is gone at Stripe.
func (w *Wallet) lost(h Holding, c account.Card) Change {
	ch := w.without(h, c, "")
	detail := Ending(c)
	kind := post.CardGone
	if UsedByAutoPay(h.Client, c) {
		kind = post.CardGoneAutoPay
		detail += ", which Auto Pay used"
	}
	ch.Trail = append([]trail.Entry{w.entry(h.Now, trail.ByStripe, c.ClientID, ActLose, c.ID, detail)}, ch.Trail...)
	ch.Letter = w.letter(h, kind, c)
	return ch
}

// lookAtCustomer takes all cards of a customer off file that was deleted at Stripe. Where the client adds a card again, there is a new one.
func (w *Wallet) lookAtCustomer(ctx context.Context, customer string) error {
	there, err := w.Stripe.Customer(ctx, customer)
	if err != nil || there {
		return err
	}
	clientID, err := w.Store.ForgetCustomer(ctx, customer)
	if err != nil || clientID == "" {
		return err
	}
	return w.Store.DecideCards(ctx, clientID, "", func(h Holding) (Change, error) {
		var all Change
		for {
			i := slices.IndexFunc(h.Cards, func(c account.Card) bool { return c.Customer == customer && c.OnFile() })
			if i < 0 {
				return all, nil
			}
			ch := w.lost(h, h.Cards[i])
			h.Cards = merged(h.Cards, ch.Cards)
			all.Cards, all.Trail, all.Letter = merged(all.Cards, ch.Cards), append(all.Trail, ch.Trail...), ch.Letter
		}
	})
}

// warn tells clients of cards that expire within warnAhead, once for each card and date, however many do so.
func (w *Wallet) warn(ctx context.Context) error {
	now, err := w.Store.Now(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, first := range []time.Time{firstOfMonth(now), firstOfMonth(now).AddDate(0, 1, 0)} {
		if first.AddDate(0, 1, 0).Sub(now) > warnAhead {
			continue
		}
		ids, err := w.Store.Expiring(ctx, first.Year(), int(first.Month()), warnMost)
		problems = append(problems, err)
		for _, id := range ids {
			problems = append(problems, w.Store.DecideCards(ctx, id, "", w.warned(first)))
		}
	}
	return errors.Join(problems...)
}

func firstOfMonth(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// warned warns of the cards that end in a month. One letter tells of one card: of two in one month the next round tells.
func (w *Wallet) warned(month time.Time) func(Holding) (Change, error) {
	return func(h Holding) (Change, error) {
		for _, c := range h.OnFile() {
			if c.ExpYear != month.Year() || c.ExpMonth != int(month.Month()) || c.Warned == c.Month() {
				continue
			}
			c.Warned = c.Month()
			return Change{Cards: []account.Card{c}, Letter: w.letter(h, post.CardExpires, c), Trail: []trail.Entry{w.entry(h.Now, trail.BySystem, c.ClientID, ActWarn, c.ID, dated(c))}}, nil
		}
		return Change{}, nil
	}
}
