package client

import (
	"context"
	"errors"
	"time"

	"paylink/internal/account"
	"paylink/internal/lockout"
	"paylink/internal/pay"
	"paylink/internal/trail"
	"paylink/internal/wallet"
)

// Whoever has stolen numbers wants to know which of them work, and a form that proves cards to banks tells them: beside the budgets of any door, a client may enter so many in a day.
const (
	cardsADay = 10
	cardDoor  = "keep a card"
)

// Agreement is what a client agrees to, and where.
type Agreement struct {
	Terms     string // version of the terms of keeping a card
	Language  string // in which they were shown
	Address   string
	UserAgent string
}

// Card is a card on file as its owner sees it.
type Card struct {
	account.Card
	Expired    bool
	Soon       bool // it expires this month or the next
	Chargeable bool
	AutoPay    bool // Auto Pay charges it
}

// Cards lists a client's cards on file, the main one first.
func (d *Desk) Cards(ctx context.Context, who Who) ([]Card, error) {
	cards, err := d.Store.Cards(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return nil, err
	}
	var out []Card
	today := account.LastDay(now)
	for _, c := range cards {
		out = append(out, Card{Card: c, Expired: c.Expired(today), Soon: c.ExpiresSoon(today), Chargeable: c.Chargeable(today), AutoPay: wallet.UsedByAutoPay(who.Client, c)})
	}
	return out, nil
}

// Card returns one of a client's cards on file, and the others. Errors: account.ErrNotFound.
func (d *Desk) Card(ctx context.Context, who Who, id string) (card Card, others []Card, err error) {
	all, err := d.Cards(ctx, who)
	if err != nil {
		return card, nil, err
	}
	for _, c := range all {
		if c.ID == id {
			card = c
		} else {
			others = append(others, c)
		}
	}
	if card.ID == "" {
		return card, nil, account.ErrNotFound
	}
	return card, others, nil
}

// CardTerms is the version of the terms of keeping a card that is in force.
func (d *Desk) CardTerms(ctx context.Context) (string, error) {
	return d.Store.TermsInForce(ctx, account.CardTerms)
}

// SetUpCard begins to keep a card: the browser proves it to its bank by the secret. Errors: lockout.ErrLocked after too many, pay.ErrTerms, wallet.ErrMost, pay.ErrUnavailable.
func (d *Desk) SetUpCard(ctx context.Context, who Who, a Agreement) (wallet.Setup, pay.Secret, error) {
	if err := d.mayEnterCard(ctx, who, a.Address); err != nil {
		return wallet.Setup{}, pay.Secret{}, err
	}
	s, secret, err := d.Wallet.SetUp(ctx, wallet.Asked{ClientID: who.ID, Terms: a.Terms, Language: a.Language, Address: a.Address, UserAgent: a.UserAgent})
	return s, secret, d.noted(ctx, who, wallet.ActSetUp, who.ID, err, pay.ErrTerms, wallet.ErrMost)
}

// mayEnterCard counts one card more, which nothing gives back: a card that works is what is tested for. Where nothing can be counted, nothing is let in.
func (d *Desk) mayEnterCard(ctx context.Context, who Who, address string) error {
	_, err := lockout.Take(ctx, d.Tries, lockout.Budgets(cardDoor, who.ID, address))
	if err == nil {
		var n int
		if n, err = d.Tries.Take(ctx, cardDoor+", a day, as "+who.ID, cardsADay, 24*time.Hour); err == nil && n == 0 {
			err = lockout.ErrLocked
		}
	}
	if errors.Is(err, lockout.ErrLocked) {
		return d.refused(ctx, who, wallet.ActSetUp, lockout.ErrLocked)
	}
	if err != nil {
		return errors.Join(pay.ErrUnavailable, err)
	}
	return nil
}

// KeepCard puts the card of a SetupIntent on file that the browser has confirmed. Asked again, it answers as before; Stripe's own event may have been faster. Errors: account.ErrNotFound,
// account.ErrSameCard (with the card), wallet.ErrNotSetUp, pay.ErrBrand, pay.ErrUnavailable.
func (d *Desk) KeepCard(ctx context.Context, who Who, setupID string) (account.Card, error) {
	return d.Wallet.Keep(ctx, who.ID, setupID, trail.Actor{Kind: trail.Client, ID: who.ID})
}

// MakeMainCard has a card charged unless another is chosen. Errors: account.ErrNotFound, wallet.ErrDead.
func (d *Desk) MakeMainCard(ctx context.Context, who Who, cardID string) error {
	return d.Wallet.MakeMain(ctx, who.ID, cardID)
}

// RemoveCard takes a card off file. takeOver is the card that Auto Pay goes on with; "" where it needs none. Errors: account.ErrNotFound, wallet.ErrInUse, wallet.ErrDead.
func (d *Desk) RemoveCard(ctx context.Context, who Who, cardID, takeOver string) error {
	return d.Wallet.Remove(ctx, who.ID, cardID, takeOver)
}
