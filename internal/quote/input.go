package quote

import (
	"fmt"
	"slices"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/money"
)

// Input is everything that a price depends on. Days is 14 or 30 for a Vehicle; without a vehicle it is 0 and the price is that of a pending balance alone.
type Input struct {
	AsOf     day.Date         `json:"as_of"` // today at the vehicle's service location, in its time zone
	Days     int              `json:"days"`
	Location account.Location `json:"location"`
	Vehicle  *account.Vehicle `json:"vehicle"` // nil: a pending balance alone
	Account  account.Standing `json:"account"`
}

// Start returns the first day of the period bought: today or the Paid To Date, whichever is later. It is the zero Date for a pending balance, which buys none.
func (in Input) Start() day.Date {
	if in.Vehicle == nil {
		return ""
	}
	return max(in.AsOf, in.Vehicle.PaidTo)
}

// UnpaidDays returns how many days have passed since the Paid To Date without being paid, never less than 0.
func (in Input) UnpaidDays() int {
	if in.Vehicle == nil || !in.Vehicle.PaidTo.Before(in.AsOf) {
		return 0
	}
	// Not DaysUntil: it counts by time.Duration, which ends after 292 years.
	const secondsPerDay = 24 * 60 * 60
	return int((in.AsOf.Time().Unix() - in.Vehicle.PaidTo.Time().Unix()) / secondsPerDay)
}

// StateFeeMonths returns the calendar months for which the price includes a state fee, in order. There are none where the location has no such fee,
// where a hardship program lifts it, where all months were billed before, and for an Input that Price refuses.
func (in Input) StateFeeMonths() []day.Month {
	if in.check() != nil {
		return nil
	}
	return in.stateFeeMonths()
}

func (in *Input) stateFeeMonths() []day.Month {
	v := in.Vehicle
	if v == nil || in.Location.StateFeeMonthly == 0 || v.Hardship != nil && v.Hardship.ExemptStateFee {
		return nil
	}
	var months []day.Month
	last := in.Start().AddDays(in.Days - 1).Month()
	for m := in.Start().Month(); ; m = m.Next() {
		if !slices.Contains(v.StateFeeMonths, m) {
			months = append(months, m)
		}
		if m >= last {
			return months
		}
	}
}

// monitoringCap returns the monthly cap that holds for the vehicle. States cap what an interlock may cost, not a portable monitor.
func (in *Input) monitoringCap() *money.Cents {
	if in.Vehicle.Program != account.IID {
		return nil
	}
	return in.Location.MonitoringCapMonthly
}

// check returns the first thing that is wrong with the input.
func (in *Input) check() error {
	if err := in.checkDays(); err != nil {
		return err
	}
	if err := checkDate("as_of", in.AsOf); err != nil {
		return err
	}
	l := &in.Location
	switch l.Payments {
	case account.Configured, account.NotConfigured, account.Suspended:
	default:
		return fmt.Errorf("payments %q %w", l.Payments, ErrWord)
	}
	if err := checkAmounts(
		amount{"tax_ppm", l.TaxPPM},
		amount{"monitoring_cap_monthly", optional(l.MonitoringCapMonthly)},
		amount{"loss_protection_cap_monthly", optional(l.LossProtectionCapMonthly)},
		amount{"state_fee_monthly", int64(l.StateFeeMonthly)},
		amount{"labor_fee", int64(l.LaborFee)},
		amount{"past_due", int64(in.Account.PastDue)},
		amount{"credit", int64(in.Account.Credit)},
	); err != nil {
		return err
	}
	if in.Vehicle == nil {
		return nil
	}
	return checkVehicle(in.Vehicle)
}

func (in *Input) checkDays() error {
	switch {
	case in.Vehicle == nil && in.Days != 0:
		return fmt.Errorf("%w: %d days without a vehicle", ErrDays, in.Days)
	case in.Vehicle != nil && in.Days != 14 && in.Days != 30:
		return fmt.Errorf("%w: %d days for a vehicle", ErrDays, in.Days)
	}
	return nil
}

func checkVehicle(v *account.Vehicle) error {
	if v.Program != account.IID && v.Program != account.PAM {
		return fmt.Errorf("program %q %w", v.Program, ErrWord)
	}
	if err := checkDate("paid_to", v.PaidTo); err != nil {
		return err
	}
	for _, m := range v.StateFeeMonths {
		if _, err := day.ParseMonth(string(m)); err != nil {
			return fmt.Errorf("a month in state_fee_months_billed, %q, %w", m, ErrDate)
		}
	}
	if err := checkAmounts(
		amount{"daily_rate", int64(v.DailyRate)},
		amount{"loss_protection_daily", int64(v.LossProtectionDaily)},
	); err != nil {
		return err
	}
	h := v.Hardship
	if h == nil {
		return nil
	}
	switch h.Kind {
	case account.ClientPays, account.FundMonthly, account.FundFull:
	default:
		return fmt.Errorf("hardship kind %q %w", h.Kind, ErrWord)
	}
	if h.Percent < 0 || h.Percent > 100 {
		return fmt.Errorf("hardship percent %w; it is %d", ErrPercent, h.Percent)
	}
	return checkAmounts(amount{"hardship amount", int64(h.Amount)})
}

func checkDate(name string, d day.Date) error {
	if _, err := day.Parse(string(d)); err != nil {
		return fmt.Errorf("%s %q %w", name, d, ErrDate)
	}
	return nil
}

// amount is money or a rate under the name that people know it by.
type amount struct {
	name  string
	value int64
}

func checkAmounts(amounts ...amount) error {
	for _, a := range amounts {
		if a.value < 0 {
			return fmt.Errorf("%s %w; it is %d", a.name, ErrNegative, a.value)
		}
	}
	return nil
}

func optional(c *money.Cents) int64 {
	if c == nil {
		return 0
	}
	return int64(*c)
}
