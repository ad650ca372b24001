package client

import (
	"context"
	"slices"

	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
)

// HomeStore reads what the dashboard shows of payments under way.
type HomeStore interface {
	// PaymentsOf lists a client's payments, newest first.
	PaymentsOf(ctx context.Context, clientID string, limit int) ([]pay.Payment, error)
	// NewestLinks returns the newest link of each of some payments, by payment.
	NewestLinks(ctx context.Context, paymentIDs []string) (map[string]link.Link, error)
}

// Home is what a client sees first.
type Home struct {
	AutoPay              // with the vehicles, and the moment that everything is as of
	Balance money.Cents  // what is owed; negative: a credit
	Meeting *Appointment // the next one; nil: there is none
	Live    []Live       // payments under way, the newest first
	Cards   []Card       // on file
}

// Live is a payment under way.
type Live struct {
	pay.Payment
	Link *link.Link // by which it can be paid; nil: none was sent
}

// paymentsLooked is how many of the newest payments are looked at for those under way: a vehicle has one at the most.
const paymentsLooked = 50

// Days are how many days a vehicle is still paid for, by its location's day; negative: so many days past.
func (h Home) Days(v Vehicle) int { return v.Location.Today(h.Now).DaysUntil(v.PaidTo) }

// Under says whether a payment for a vehicle is under way.
func (h Home) Under(vehicleID string) bool {
	return slices.ContainsFunc(h.Live, func(l Live) bool { return l.VehicleID == vehicleID })
}

// Home returns what a client sees first.
func (d *Desk) Home(ctx context.Context, who Who) (Home, error) {
	var out Home
	var err error
	if out.AutoPay, err = d.AutoPayOf(ctx, who); err != nil {
		return out, err
	}
	if out.Balance, err = d.Store.Balance(ctx, who.ID); err != nil {
		return out, err
	}
	next, _, err := d.Appointments(ctx, who)
	if err != nil {
		return out, err
	}
	if len(next) > 0 {
		out.Meeting = &next[0]
	}
	if out.Cards, err = d.Cards(ctx, who); err != nil {
		return out, err
	}
	return out, d.live(ctx, who, &out)
}

func (d *Desk) live(ctx context.Context, who Who, out *Home) error {
	payments, err := d.Store.PaymentsOf(ctx, who.ID, paymentsLooked)
	if err != nil {
		return err
	}
	var ids []string
	for _, p := range payments {
		if p.Effective(out.Now).Live() {
			ids = append(ids, p.ID)
			out.Live = append(out.Live, Live{Payment: p})
		}
	}
	links, err := d.Store.NewestLinks(ctx, ids)
	if err != nil {
		return err
	}
	for i := range out.Live {
		if l, ok := links[out.Live[i].ID]; ok {
			out.Live[i].Link = &l
		}
	}
	return nil
}
