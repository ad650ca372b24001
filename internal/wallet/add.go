package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"paylink/internal/account"
	"paylink/internal/guard"
	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/post"
	"paylink/internal/trail"
)

// What the trail calls what happens to a card.
const (
	ActSetUp  = "set up card" // somebody agreed to a card's being kept, and is entering it
	ActAdd    = "add card"
	ActRenew  = "renew card" // the same number was entered again
	ActMain   = "make card main"
	ActRemove = "remove card"
	ActUpdate = "update card" // its bank, through Stripe
	ActLose   = "lose card"   // it is gone at Stripe
	ActWarn   = "warn of card expiring"
)

// Asked is who wants a card to be kept, and what they agree to.
type Asked struct {
	ClientID  string
	Terms     string // version of the terms of keeping a card
	Language  string
	Address   string
	UserAgent string
}

// SetUp asks Stripe for a SetupIntent, by which the client's browser proves a card to its bank, and writes down what was agreed to before the browser hears of it. Errors: pay.ErrTerms, ErrMost,
// pay.ErrUnavailable.
func (w *Wallet) SetUp(ctx context.Context, a Asked) (Setup, pay.Secret, error) {
	var s Setup
	inForce, err := w.Store.TermsInForce(ctx, account.CardTerms)
	if err != nil {
		return s, pay.Secret{}, err
	}
	if a.Terms != inForce {
		return s, pay.Secret{}, pay.ErrTerms
	}
	cards, err := w.Store.Cards(ctx, a.ClientID)
	if err != nil {
		return s, pay.Secret{}, err
	}
	if len(cards) >= Most {
		return s, pay.Secret{}, ErrMost
	}
	in, customer, err := w.newSetup(ctx, a.ClientID)
	if err != nil {
		return s, pay.Secret{}, err
	}
	now, err := w.Store.Now(ctx)
	if err != nil {
		return s, pay.Secret{}, err
	}
	s = Setup{
		ID: in.ID, ClientID: a.ClientID, Customer: customer, TermsVersion: a.Terms, TermsLanguage: a.Language, Address: a.Address, UserAgent: a.UserAgent, AgreedAt: now, State: Open,
	}
	by := trail.Actor{Kind: trail.Client, ID: a.ClientID}
	e := w.entry(now, by, a.ClientID, ActSetUp, s.ID, fmt.Sprintf("agreed to version %s (%s)", a.Terms, a.Language))
	return s, in.Secret, w.Store.AddSetup(ctx, s, e)
}

// newSetup asks for a SetupIntent of the client's customer. One that was deleted at Stripe behind our back is found out here, and another takes its place.
func (w *Wallet) newSetup(ctx context.Context, clientID string) (in Intent, customer string, err error) {
	for range 2 {
		if customer, err = w.customer(ctx, clientID); err != nil {
			return in, customer, err
		}
		in, err = w.Stripe.NewSetup(ctx, "setup:"+w.NewID(), customer, clientID)
		if err == nil {
			return in, customer, nil
		}
		if !missing(err) {
			break
		}
		if err := w.lookAtCustomer(ctx, customer); err != nil {
			return in, customer, outside(err)
		}
	}
	return in, customer, outside(err)
}

// customer returns a client's customer at Stripe, and makes it where there is none. Whoever does so at the same moment sends the same key, and gets the same one.
func (w *Wallet) customer(ctx context.Context, clientID string) (string, error) {
	known, n, err := w.Store.Customer(ctx, clientID)
	if err != nil || known != "" {
		return known, err
	}
	made, err := w.Stripe.NewCustomer(ctx, fmt.Sprintf("customer:%s:%d", clientID, n), clientID)
	if err != nil {
		return "", outside(err)
	}
	return w.Store.KeepCustomer(ctx, clientID, made)
}

// Keep puts the card of a SetupIntent on file, whoever asks first: the client's browser, or Stripe's event. Asked again, it answers as the first time. The card is returned with
// account.ErrSameCard too. Errors: account.ErrNotFound for a SetupIntent that is not the client's, ErrNotSetUp while its bank has not confirmed it, pay.ErrBrand, pay.ErrUnavailable.
func (w *Wallet) Keep(ctx context.Context, clientID, setupID string, by trail.Actor) (account.Card, error) {
	s, err := w.Store.Setup(ctx, setupID)
	if err != nil {
		return account.Card{}, err
	}
	if s.ClientID != clientID && guard.On(guard.SetupOwner) {
		return account.Card{}, account.ErrNotFound
	}
	var in Intent
	if s.State == Open {
		if in, err = w.Stripe.Setup(ctx, s.ID); err != nil {
			return account.Card{}, outside(err)
		}
	}
	var out account.Card
	var gone []string
	var refused error
	err = w.Store.DecideCards(ctx, s.ClientID, s.ID, func(h Holding) (Change, error) {
		out, gone, refused = account.Card{}, nil, nil
		var c Change
		if h.Setup.State == Open {
			if in.ID == "" { // it was settled when we looked, and is open now: no such thing
				return c, pay.ErrUnavailable
			}
			c = w.keep(h, in, by)
			if c.Setup != nil {
				h.Setup = *c.Setup
			}
			gone = c.Detach
			h.Cards = merged(h.Cards, c.Cards)
		}
		switch h.Setup.State {
		case Open:
			refused = ErrNotSetUp
		case Refused:
			if refused = ErrNotSetUp; h.Setup.Why == whyBrand {
				refused = pay.ErrBrand
			}
		case Same:
			refused = account.ErrSameCard
		}
		out = find(h.Cards, h.Setup.CardID)
		return c, nil
	})
	if err != nil {
		return account.Card{}, err
	}
	w.detach(ctx, gone)
	return out, refused
}

// Why a setup was refused.
const (
	whyBrand = "not a Visa or Mastercard"
	whyGone  = "the card is not attached to the client's customer"
)

// keep decides what comes of a SetupIntent that is open.
func (w *Wallet) keep(h Holding, in Intent, by trail.Actor) Change {
	s, m := h.Setup, in.Method
	entry := func(act, object, detail, refused string) []trail.Entry {
		e := w.entry(h.Now, by, s.ClientID, act, object, detail)
		e.Refused = refused
		return []trail.Entry{e}
	}
	switch {
	case !in.Succeeded:
		if in.ErrorCode == "" || in.ErrorCode == s.Why { // nothing new
			return Change{}
		}
		s.Why = in.ErrorCode
		return Change{Setup: &s, Trail: entry(ActAdd, s.ID, "", "the bank says "+in.ErrorCode)}
	case m == nil || m.Customer == "" || m.Customer != s.Customer || in.Customer != s.Customer:
		s.State, s.Why = Refused, whyGone
		return Change{Setup: &s, Trail: entry(ActAdd, s.ID, "", whyGone)}
	case !taken(m.Brand):
		s.State, s.Why = Refused, whyBrand
		return Change{Setup: &s, Detach: []string{m.PaymentMethod}, Trail: entry(ActAdd, s.ID, pay.Card{Brand: m.Brand, Last4: m.Last4}.Name(), whyBrand)}
	}
	for _, old := range h.OnFile() {
		if old.PaymentMethod == m.PaymentMethod {
			s.State, s.CardID = Kept, old.ID
			return Change{Setup: &s, Trail: entry(ActAdd, old.ID, Ending(old), "")}
		}
		if old.Fingerprint == "" || old.Fingerprint != m.Fingerprint {
			continue
		}
		if old.Refused == "" && old.ExpYear == m.ExpYear && old.ExpMonth == m.ExpMonth {
			s.State, s.CardID = Same, old.ID
			return Change{Setup: &s, Detach: []string{m.PaymentMethod}, Trail: entry(ActAdd, old.ID, Ending(old), account.ErrSameCard.Error())}
		}
		// The bank has just confirmed this number, with a new date or after it had said no: what was agreed to now counts.
		renewed := m.onto(old, s)
		renewed.Refused = ""
		s.State, s.CardID = Kept, old.ID
		return Change{Setup: &s, Cards: []account.Card{renewed}, Detach: []string{old.PaymentMethod}, Trail: entry(ActRenew, old.ID, dated(renewed), ""), Letter: w.changed(h, post.CardAdded, renewed)}
	}
	c := m.onto(account.Card{ID: w.NewID(), ClientID: s.ClientID, AddedAt: h.Now}, s)
	c.Main = !slices.ContainsFunc(h.OnFile(), func(o account.Card) bool { return o.Main })
	s.State, s.CardID = Kept, c.ID
	return Change{Setup: &s, Cards: []account.Card{c}, Trail: entry(ActAdd, c.ID, dated(c), ""), Letter: w.changed(h, post.CardAdded, c)}
}

// taken are the brands that are charged.
func taken(brand string) bool { return brand == "visa" || brand == "mastercard" }

// onto puts what Stripe keeps onto a card's row.
func (m Saved) onto(c account.Card, s Setup) account.Card {
	c = m.over(c)
	c.Customer, c.PaymentMethod, c.Funding, c.SetupID, c.TermsVersion, c.TermsLanguage = m.Customer, m.PaymentMethod, m.Funding, s.ID, s.TermsVersion, s.TermsLanguage
	return c
}

// over is what a bank may change of a card.
func (m Saved) over(c account.Card) account.Card {
	c.Brand, c.Last4, c.Fingerprint, c.ExpMonth, c.ExpYear = m.Brand, m.Last4, m.Fingerprint, m.ExpMonth, m.ExpYear
	return c
}

func dated(c account.Card) string { return Ending(c) + ", " + expires(c) }

func expires(c account.Card) string { return fmt.Sprintf("expires %02d/%d", c.ExpMonth, c.ExpYear) }

func find(cards []account.Card, id string) account.Card {
	for _, c := range cards {
		if c.ID == id {
			return c
		}
	}
	return account.Card{}
}

func merged(cards, changed []account.Card) []account.Card {
	out := slices.Clone(cards)
	for _, c := range changed {
		if i := slices.IndexFunc(out, func(o account.Card) bool { return o.ID == c.ID }); i >= 0 {
			out[i] = c
		} else {
			out = append(out, c)
		}
	}
	return out
}

// letter tells a client of what others have done to a card, if there is an address to write to.
func (w *Wallet) letter(h Holding, kind post.Kind, c account.Card) *post.Letter {
	return w.to(h, kind, map[string]string{"brand": name(c.Brand), "last4": c.Last4, "expires": fmt.Sprintf("%02d/%d", c.ExpMonth, c.ExpYear)})
}

// changed tells a client of what they have done themselves, or somebody in their name.
func (w *Wallet) changed(h Holding, what post.Change, c account.Card) *post.Letter {
	l, ok := lang.Parse(h.Client.Language)
	if !ok {
		l = lang.English
	}
	return w.to(h, post.Changed, what.Values(l, l.T("receipt.card_ending", name(c.Brand), c.Last4)))
}

func (w *Wallet) to(h Holding, kind post.Kind, values map[string]string) *post.Letter {
	if h.Client.Email == "" {
		return nil
	}
	return &post.Letter{ID: w.NewID(), ClientID: h.Client.ID, Kind: kind, Language: h.Client.Language, To: h.Client.Email, Values: values, CreatedAt: h.Now, NextAt: h.Now}
}

// MakeMain has a card charged unless another is chosen. Errors: account.ErrNotFound, ErrDead for one that can't be charged.
func (w *Wallet) MakeMain(ctx context.Context, clientID, cardID string) error {
	by := trail.Actor{Kind: trail.Client, ID: clientID}
	return w.decide(ctx, clientID, func(h Holding) (Change, error) {
		c := find(h.Cards, cardID)
		switch {
		case c.ID == "" || !c.OnFile():
			return Change{}, account.ErrNotFound
		case c.Main:
			return Change{}, nil
		case !c.Chargeable(h.today()):
			return Change{Trail: []trail.Entry{w.no(h, by, ActMain, c, ErrDead)}}, ErrDead
		}
		return Change{Cards: mainCard(h.Cards, c.ID), Trail: []trail.Entry{w.entry(h.Now, by, clientID, ActMain, c.ID, Ending(c))}, Letter: w.changed(h, post.MainCardChanged, c)}, nil
	})
}

// mainCard is what changes of a client's cards where one becomes the main card.
func mainCard(cards []account.Card, id string) []account.Card {
	var out []account.Card
	for _, c := range cards {
		if now := c.ID == id; c.Main != now {
			c.Main = now
			out = append(out, c)
		}
	}
	return out
}

// Remove takes a card off file, and then from its customer at Stripe. A card that Auto Pay uses is removed only if another takes over. Where the main card goes, the one that takes over becomes it, else the
// first that can be charged. A card that is removed already stays so. Errors: account.ErrNotFound, ErrInUse, ErrDead for a card that is to take over and can't.
func (w *Wallet) Remove(ctx context.Context, clientID, cardID, takeOver string) error {
	by := trail.Actor{Kind: trail.Client, ID: clientID}
	var gone []string
	err := w.decide(ctx, clientID, func(h Holding) (Change, error) {
		gone = nil
		c := find(h.Cards, cardID)
		switch {
		case c.ID == "":
			return Change{}, account.ErrNotFound
		case !c.OnFile():
			return Change{}, nil
		}
		rest := slices.DeleteFunc(h.OnFile(), func(o account.Card) bool { return o.ID == c.ID })
		next := find(rest, takeOver)
		switch {
		case takeOver != "" && next.ID == "":
			return Change{}, account.ErrNotFound
		case takeOver != "" && !next.Chargeable(h.today()):
			return Change{Trail: []trail.Entry{w.no(h, by, ActRemove, c, ErrDead)}}, ErrDead
		case takeOver == "" && UsedByAutoPay(h.Client, c) && guard.On(guard.CardInUse):
			return Change{Trail: []trail.Entry{w.no(h, by, ActRemove, c, ErrInUse)}}, ErrInUse
		}
		gone = []string{c.PaymentMethod}
		ch := w.without(h, c, next.ID)
		ch.Detach, ch.Letter = gone, w.changed(h, post.CardRemoved, c)
		e := w.entry(h.Now, by, clientID, ActRemove, c.ID, Ending(c))
		ch.Trail = append([]trail.Entry{e}, ch.Trail...)
		return ch, nil
	})
	if err == nil {
		w.detach(ctx, gone)
	}
	return err
}

// UsedByAutoPay says whether Auto Pay charges a card: it is the main one of a client who is enrolled.
func UsedByAutoPay(c account.Client, card account.Card) bool { return c.AutoPayDays > 0 && card.Main }

// without takes a card off file. If it was the main one, another becomes it: next, or else the first that can be charged.
func (w *Wallet) without(h Holding, c account.Card, next string) Change {
	wasMain := c.Main
	c.Main, c.RemovedAt = false, h.Now
	ch := Change{Cards: []account.Card{c}}
	if !wasMain && next == "" {
		return ch
	}
	rest := slices.DeleteFunc(h.OnFile(), func(o account.Card) bool { return o.ID == c.ID })
	if next == "" {
		i := slices.IndexFunc(rest, func(o account.Card) bool { return o.Chargeable(h.today()) })
		if i < 0 && len(rest) == 0 {
			return ch
		}
		next = rest[max(i, 0)].ID
	}
	ch.Cards = append(ch.Cards, mainCard(rest, next)...)
	now := find(rest, next)
	ch.Trail = []trail.Entry{w.entry(h.Now, trail.BySystem, c.ClientID, ActMain, now.ID, Ending(now))}
	return ch
}

// no is a refusal for the trail.
func (w *Wallet) no(h Holding, by trail.Actor, act string, c account.Card, why error) trail.Entry {
	e := w.entry(h.Now, by, c.ClientID, act, c.ID, Ending(c))
	e.Refused = why.Error()
	return e
}

// decide is Store.DecideCards where a refusal is written too: what decide returns beside its error goes into the trail.
func (w *Wallet) decide(ctx context.Context, clientID string, decide func(Holding) (Change, error)) error {
	var refused error
	err := w.Store.DecideCards(ctx, clientID, "", func(h Holding) (Change, error) {
		c, err := decide(h)
		if refused = nil; err != nil && len(c.Trail) > 0 {
			refused = err
			return Change{Trail: c.Trail}, nil
		}
		return c, err
	})
	return errors.Join(err, refused)
}
