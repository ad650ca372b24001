package agent

import (
	"context"
	"slices"
	"strings"

	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// sentMost is how many links a page of their history has.
const sentMost = 20

// Sent is a payment as a client's list of links shows it.
type Sent struct {
	pay.Payment
	Disputed bool   // somebody contests it at the bank now
	To       string // masked, "••0142": of its newest link; "" where none was sent
	Own      bool   // the client's own number
	By       string // who sent it; "" for nobody of the staff
}

// Payments lists the links that were sent for a client, and what was charged without one, newest first: a page of those after one of them, or from the first on, and whether there are more.
func (d *Desk) Payments(ctx context.Context, who staff.Member, clientID, after string) (sent []Sent, more bool, err error) {
	if err := d.allow(ctx, who, staff.SeeClients, "see links", clientID, clientID); err != nil {
		return nil, false, err
	}
	payments, err := d.Store.PaymentsAfter(ctx, clientID, after, sentMost+1)
	if err != nil {
		return nil, false, err
	}
	if more = len(payments) > sentMost; more {
		payments = payments[:sentMost]
	}
	disputed, err := d.Store.Disputed(ctx, clientID)
	if err != nil {
		return nil, false, err
	}
	var ids []string
	for _, p := range payments {
		ids = append(ids, p.ID)
	}
	links, err := d.Store.NewestLinks(ctx, ids)
	if err != nil {
		return nil, false, err
	}
	names := names{}
	for _, p := range payments {
		l := links[p.ID]
		name, err := names.of(ctx, d.Store, p.CreatedBy)
		if err != nil {
			return nil, false, err
		}
		sent = append(sent, Sent{Payment: p, Disputed: slices.Contains(disputed, p.ID), To: l.Phone.String(), Own: l.OwnNumber, By: name})
	}
	return sent, more, nil
}

// Another is another client on whose record a number is.
type Another struct {
	ID   string
	Name string // "" where whoever asks may not see that client
}

// Anothers are several of them.
type Anothers []Another

// Key names them, for a confirmation that is good for these only.
func (a Anothers) Key() string {
	var ids []string
	for _, one := range a {
		ids = append(ids, one.ID)
	}
	return strings.Join(ids, " and ") // letters between: ids in a row may look like a card number
}

// Number is what an agent should know of a number before a text goes there.
type Number struct {
	Own      bool // the client's own
	OptedOut bool
	Anothers Anothers // whose number it is besides; none for the client's own
}

// Number says whose number it is that somebody types. Errors: phone.ErrInvalid, phone.ErrNotMobile, account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Number(ctx context.Context, who staff.Member, clientID, typed string) (Number, error) {
	var out Number
	if err := d.allow(ctx, who, staff.SendLinks, "look up a number", clientID, clientID); err != nil {
		return out, err
	}
	number, err := phone.Parse(typed)
	if err != nil {
		return out, err
	}
	client, _, err := d.Store.Client(ctx, clientID)
	if err != nil {
		return out, err
	}
	if out.OptedOut, err = d.Store.OptedOut(ctx, number.E164()); err != nil {
		return out, err
	}
	if out.Own = number == client.Phone; !out.Own {
		out.Anothers, err = d.anothers(ctx, who, clientID, number)
	}
	return out, err
}

// anothersMost is how many clients of one number are named; a number of more is nobody's.
const anothersMost = 3

// anothers lists the other clients on whose record a number is, as somebody may see them.
func (d *Desk) anothers(ctx context.Context, who staff.Member, clientID string, number phone.Number) (Anothers, error) {
	found, err := d.Store.ClientsAt(ctx, number, anothersMost+1)
	if err != nil {
		return nil, err
	}
	var out Anothers
	for _, c := range found {
		if c.ID == clientID || len(out) == anothersMost {
			continue
		}
		one := Another{ID: c.ID}
		_, vehicles, err := d.Store.Client(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		for _, v := range vehicles {
			if within(who, v.LocationID) == nil {
				one.Name = c.Name()
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// First is the reference of the first link of a payment's chain.
func (s Sent) First() string { return pay.Payment{ID: s.ChainID}.Reference() }

// Sender says who sent a link.
func (s Sent) Sender() string {
	switch {
	case s.By != "":
		return s.By
	case s.CreatedBy.Kind == trail.Client:
		return "The client"
	}
	return "The service"
}
