package pay

import "paylink/internal/quote"

// Freeze prices what is to be paid, from facts of one moment: 14 or 30 days of their vehicle, or the pending balance where they have none. Errors: those of quote.Price.
func (f Facts) Freeze(days int) (Frozen, error) {
	in := quote.Input{AsOf: f.Location.Today(f.Now), Days: days, Location: f.Location, Vehicle: f.Vehicle, Account: f.Standing}
	s, err := quote.Price(in)
	if err != nil {
		return Frozen{}, err
	}
	out := Frozen{Input: in, Summary: s, Location: f.Location.Name, Zone: f.Location.Zone}
	if f.Vehicle != nil {
		out.Vehicle = f.Vehicle.Label
	}
	return out, nil
}
