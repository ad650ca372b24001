package autopay

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"paylink/internal/account"
	"paylink/internal/pay"
	"paylink/internal/quote"
)

// Account is all that a client's next charges are foretold from.
type Account struct {
	Client    account.Client // AutoPayDays: as it is, or as it would be
	Vehicles  []account.Vehicle
	Locations map[string]account.Location // of the vehicles, by id
	Standing  account.Standing
	Runs      []Run // of the client: those of the vehicles' Paid To Dates count
	Now       time.Time
}

// Coming is what Auto Pay takes of a vehicle next.
type Coming struct {
	VehicleID string
	Run       Run       // as it stands; a new one where nobody has planned it yet
	At        time.Time // at the location; zero: nothing is charged for this Paid To Date any more
	Frozen    pay.Frozen
	Held      Why // what would keep it from being charged then; "": nothing that is known
}

// errNoLocation is our own mistake.
var errNoLocation = errors.New("a vehicle's location is not among those that were read")

// Ahead foretells what is charged next of each vehicle, and when, in the order in which it is charged: whichever comes first uses the credit and pays what is past due. Whether the card can be charged is
// not looked at. It plays the engine itself, so that what it says is what Next does. Errors: those of quote.Price.
func Ahead(a Account) ([]Coming, error) {
	var out []Coming
	for _, v := range a.Vehicles {
		l, ok := a.Locations[v.LocationID]
		if !ok {
			return nil, errNoLocation
		}
		c := Coming{VehicleID: v.ID, Run: Run{VehicleID: v.ID, ClientID: v.ClientID, Due: v.PaidTo, State: Waiting}}
		for _, r := range a.Runs {
			if r.VehicleID == v.ID && r.Due == v.PaidTo && !r.revives() {
				c.Run = r
			}
		}
		c.At = when(c.Run, Facts{Now: a.Now, Zone: l.TimeZone(), Enrolled: true, PaidTo: v.PaidTo, Card: &account.Card{ExpYear: 9999, ExpMonth: 12}})
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y Coming) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.VehicleID, y.VehicleID)) })
	standing := a.Standing
	for i := range out {
		if out[i].At.IsZero() {
			continue
		}
		v := a.Vehicles[slices.IndexFunc(a.Vehicles, func(v account.Vehicle) bool { return v.ID == out[i].VehicleID })]
		facts := pay.Facts{Client: a.Client, Vehicle: &v, Location: a.Locations[v.LocationID], Standing: standing, Now: out[i].At}
		var err error
		if out[i].Frozen, err = facts.Freeze(a.Client.AutoPayDays); err != nil {
			return nil, err
		}
		if out[i].Held = Keeps(a.Client, out[i].Frozen); out[i].Held == NoReason {
			standing.PastDue -= out[i].Frozen.Summary.PastDue
			standing.Credit -= out[i].Frozen.Summary.CreditApplied
		}
	}
	return out, nil
}

// revives says whether a run that has stopped is planned anew as soon as there is a reason to: Auto Pay was off, or the date has come back.
func (r Run) revives() bool {
	return r.State == Stopped && (r.Why == NotEnrolled || r.Why == DateMoved)
}

// when is the moment at which a run is charged if nothing changes; zero: never.
func when(r Run, f Facts) time.Time {
	if r.State != Waiting {
		return time.Time{}
	}
	for {
		if r.NextAt.After(f.Now) { // it is not looked at before
			f.Now = r.NextAt
		}
		next, step := Next(r, f)
		switch step {
		case Charge:
			return f.Now.In(f.Zone)
		case End:
			return time.Time{}
		}
		r = next
	}
}

// Keeps says what keeps a priced charge from being made. What credit covers is not kept: nothing is charged then.
func Keeps(c account.Client, f pay.Frozen) Why {
	if c.Collections {
		return Collections
	}
	if b := f.Summary.Blocked; b != nil {
		switch *b {
		case quote.NothingDue:
		case quote.BelowMinimum:
			return TooSmall
		default:
			return Location
		}
	}
	return NoReason
}
