package agent

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/lang"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/quote"
	"paylink/internal/staff"
)

// What Take refuses of a card, besides what Send refuses. Nothing was charged where one of these is returned.
var (
	ErrNoCard        = errors.New("a card on file must be chosen")
	ErrCardExpired   = errors.New("the card on file has expired")
	ErrChargeConsent = errors.New("the client’s consent to the charge is needed")
)

// Wish is what an agent wants to take a payment for. What is not named the desk computes.
type Wish struct {
	ClientID  string
	VehicleID string // "": the one whose Paid To Date is next
	Days      int    // 0: as many as were paid last, else as Auto Pay has it, else 30
	Balance   bool   // the pending balance alone: no vehicle, no days
}

// Taking is what an agent sees before a payment is taken: the Invoice Summary as Send shows it, and what may be charged.
type Taking struct {
	Summary
	Choice   Choice         // VehicleID "" for the pending balance alone
	Cards    []account.Card // on file, the main one first
	Today    day.Date       // at the location
	PastDue  money.Cents    // that may be paid alone; 0: nothing
	Free     bool           // nothing is left to charge: the Paid To Date moves without a card
	InTheWay *InTheWay      // what is collecting for the vehicle already; nil: nothing
}

// InTheWay is a live payment that keeps another from being taken.
type InTheWay struct {
	PaymentID       string
	What, Where, Do string // which it is, where it stands, what the agent does about it
}

// Taking computes the next monitor payment. Errors: account.ErrNotFound, staff.ErrNotAllowed, quote.ErrDays.
func (d *Desk) Taking(ctx context.Context, who staff.Member, w Wish) (Taking, error) {
	var out Taking
	if err := d.allow(ctx, who, staff.TakePayment, "quote", w.VehicleID, w.ClientID); err != nil {
		return out, err
	}
	client, vehicles, err := d.Store.Client(ctx, w.ClientID)
	if err != nil {
		return out, err
	}
	vehicles = slices.DeleteFunc(vehicles, func(v account.Vehicle) bool { return within(who, v.LocationID) != nil })
	if len(vehicles) == 0 {
		return out, account.ErrNotFound
	}
	if out.Choice, err = d.next(ctx, client, vehicles, w); err != nil {
		return out, err
	}
	if out.Summary, err = d.summary(ctx, who, out.Choice); err != nil {
		return out, err
	}
	if out.Blocked == quote.NothingDue && out.Choice.VehicleID != "" {
		out.Free, out.Blocked = true, ""
	}
	if err := d.blockedHere(ctx, who, out.Summary); err != nil {
		return out, err
	}
	standing, err := d.Store.Standing(ctx, client)
	if err != nil {
		return out, err
	}
	out.PastDue, out.Today = standing.PastDue, out.Location.Today(out.Now)
	if out.Cards, err = d.Store.Cards(ctx, w.ClientID); err != nil {
		return out, err
	}
	if out.LiveID != "" {
		v, err := d.Store.View(ctx, out.LiveID)
		if err != nil {
			return out, err
		}
		out.InTheWay = inTheWay(v, who)
	}
	return out, nil
}

// next is the next monitor payment of a client: whatever the agent has not chosen.
func (d *Desk) next(ctx context.Context, client account.Client, vehicles []account.Vehicle, w Wish) (Choice, error) {
	c := Choice{ClientID: w.ClientID, VehicleID: w.VehicleID, Days: w.Days}
	if w.Balance {
		return Choice{ClientID: w.ClientID}, nil
	}
	if c.VehicleID == "" {
		first := slices.MinFunc(vehicles, func(a, b account.Vehicle) int { return cmp.Compare(a.PaidTo, b.PaidTo) })
		c.VehicleID = first.ID
	}
	if c.Days != 0 {
		return c, nil
	}
	sold, err := d.Store.History(ctx, client.ID, pay.Sieve{First: pay.Invoiced, Last: pay.Invoiced, VehicleID: c.VehicleID}, pay.Place{}, listMost)
	if err != nil {
		return c, err
	}
	for _, h := range sold {
		for _, l := range h.Invoice.Lines {
			if quote.Kind(l.Kind) == quote.Monitoring && (l.Days == 14 || l.Days == 30) {
				c.Days = l.Days
				return c, nil
			}
		}
	}
	if c.Days = client.AutoPayDays; c.Days == 0 {
		c.Days = 30
	}
	return c, nil
}

// inTheWay words what is collecting already.
func inTheWay(v pay.View, who staff.Member) *InTheWay {
	p := v.Payment
	link := p.PaidBy() == pay.ByLink
	out := InTheWay{PaymentID: p.ID, Do: "Wait for the answer; it comes by itself. Do not charge a card meanwhile."}
	switch {
	case link:
		out.What = "A secure payment link is live."
	case p.Door == pay.ByAutoPay:
		out.What = "Auto Pay is collecting."
	case p.Door == pay.ByClient:
		out.What = "The client is paying in My Account."
	case p.CreatedBy.ID == who.ID:
		out.What = "You are charging a card on file already."
	default:
		out.What = "Another agent is charging a card on file."
	}
	switch p.State {
	case pay.Open:
		out.Where = "The card is about to be charged."
		if p.Door == pay.ByClient {
			out.Where = fmt.Sprintf("Nothing was charged yet; it ends at %s.", lang.English.Clock(p.ExpiresAt.In(v.Facts.Location.TimeZone())))
			out.Do = "Have the client finish it or give it up in My Account; then take the payment."
		}
		if link {
			out.Where = fmt.Sprintf("It asks for %s, and nothing was charged yet; it ends at %s.", p.Amount(), lang.English.Clock(p.ExpiresAt.In(v.Facts.Location.TimeZone())))
			out.Do = "Have it paid, or cancel the link; then take the payment."
		}
	case pay.Paying:
		out.Where = p.Amount().String() + " is being charged right now."
	case pay.NeedsAction:
		out.Where = "The bank asks the payer to confirm."
	case pay.Unknown:
		out.Where = "We are checking with the bank whether " + p.Amount().String() + " was charged."
	}
	return &out
}

// CardCharge is a card on file to be charged.
type CardCharge struct {
	Choice              // VehicleID "": the pending balance alone
	CardID  string      // "" where nothing is left to charge
	Shown   money.Cents // the Total Due Amount that the agent has read out
	ShownTo day.Date    // the Paid To Date that the summary has shown: it must not be sold twice
	Consent bool        // the client has agreed to this charge on the phone
	FormKey string      // of the form: a second click charges nothing twice
}

// form is the key of what the form asks for: sent again as it was it finds its first payment, with another card it asks for another.
func (c CardCharge) form() string {
	if c.FormKey == "" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "take %s %s %s %d %s", c.FormKey, c.ClientID, c.VehicleID, c.Days, c.CardID))
	return hex.EncodeToString(sum[:])
}

const takePayment = "take payment"

// Take prices once more and charges a card on file, once. It goes on when whoever asked goes away. The payment's state says what came of it (pay.Machine.Collect).
// Errors, with nothing charged: ErrChargeConsent, ErrNoCard, ErrCardExpired, *MovedError, *BlockedError, *pay.LiveError, pay.ErrNeedsReview, pay.ErrPaused, pay.ErrBrand, pay.ErrUnavailable,
// quote.ErrDays, account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Take(ctx context.Context, who staff.Member, c CardCharge) (pay.Payment, error) {
	if err := d.allow(ctx, who, staff.TakePayment, takePayment, c.VehicleID, c.ClientID); err != nil {
		return pay.Payment{}, err
	}
	p, err := d.collect(ctx, who, c)
	if refusal(err) {
		if err := d.sendBlocked(ctx, who, c.Choice, err); err != nil {
			return p, err
		}
		return p, d.refused(ctx, who, takePayment, c.VehicleID, c.ClientID, err)
	}
	return p, err
}

func (d *Desk) collect(ctx context.Context, who staff.Member, c CardCharge) (pay.Payment, error) {
	_, vehicles, err := d.Store.Client(ctx, c.ClientID)
	if err != nil {
		return pay.Payment{}, err
	}
	i := 0
	if c.VehicleID != "" {
		i = indexOf(vehicles, c.VehicleID)
	}
	if i < 0 || len(vehicles) == 0 {
		return pay.Payment{}, account.ErrNotFound
	}
	if err := within(who, vehicles[i].LocationID); err != nil {
		return pay.Payment{}, err
	}
	if !c.Consent {
		return pay.Payment{}, ErrChargeConsent
	}
	card, err := d.card(ctx, c, vehicles[i].LocationID)
	if err != nil {
		return pay.Payment{}, err
	}
	face := pay.Card{Brand: card.Brand, Last4: card.Last4, Funding: card.Funding}
	detail := "by credit, the client agreed on the phone"
	if c.Shown != 0 {
		detail = face.Name() + ", the client agreed on the phone"
	}
	return d.Machine.Collect(ctx, pay.Collection{
		Door: pay.ByAgent, Saved: pay.SavedCard{Customer: card.Customer, PaymentMethod: card.PaymentMethod, Card: face}, Terms: card.TermsVersion, Language: card.TermsLanguage,
		Order: pay.Order{
			ClientID: c.ClientID, VehicleID: c.VehicleID, FormKey: c.form(), By: actor(who), Detail: detail,
			Price: func(f pay.Facts) (pay.Frozen, error) {
				frozen, err := f.Freeze(c.Days)
				if err != nil {
					return frozen, err
				}
				s := frozen.Summary
				if why := blocked(f.Client, s); why != "" && (why != quote.NothingDue || c.VehicleID == "" || s.TotalDue != c.Shown) {
					return frozen, &BlockedError{why}
				}
				var to day.Date
				if s.PaidTo != nil {
					to = *s.PaidTo
				}
				if s.TotalDue != c.Shown || to != c.ShownTo {
					return frozen, &MovedError{Shown: c.Shown, Now: s.TotalDue, ShownTo: c.ShownTo, NowTo: to}
				}
				return frozen, nil
			},
		},
	})
}

// card is the card that is to be charged; the zero Card where nothing is.
func (d *Desk) card(ctx context.Context, c CardCharge, locationID string) (account.Card, error) {
	if c.Shown == 0 {
		return account.Card{}, nil
	}
	card, err := d.Store.Card(ctx, c.CardID)
	if errors.Is(err, account.ErrNotFound) || err == nil && (card.ClientID != c.ClientID || !card.RemovedAt.IsZero()) {
		return account.Card{}, ErrNoCard
	}
	if err != nil {
		return card, err
	}
	l, err := d.Store.Location(ctx, locationID)
	if err != nil {
		return card, err
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return card, err
	}
	if card.Expired(l.Today(now)) {
		return card, ErrCardExpired
	}
	return card, nil
}
