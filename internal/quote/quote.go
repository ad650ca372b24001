// Package quote says what a client owes for 14 or 30 days of a vehicle, or for a pending balance alone: the Invoice Summary.
package quote

import (
	"errors"
	"fmt"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/money"
)

// What Price refuses. Each comes wrapped in a sentence that names the field and what stands in it; a sum that does not fit is money.ErrOverflow.
var (
	ErrDays     = errors.New("days must be 14 or 30 for a vehicle, and 0 without one")
	ErrNegative = errors.New("must not be negative")
	ErrPercent  = errors.New("must be from 0 to 100")
	ErrWord     = errors.New("is unknown")
	ErrDate     = errors.New("is not in the calendar")
)

// MinimumCharge is the smallest amount that Stripe charges to a card in US dollars (docs.stripe.com/currencies, "Minimum and maximum charge amounts").
const MinimumCharge money.Cents = 50

// Kind names a line of a summary.
type Kind string

const (
	UnpaidDays     Kind = "unpaid_days"     // days since the Paid To Date, at the daily rate
	Monitoring     Kind = "monitoring"      // the days bought, at the daily rate
	LossProtection Kind = "loss_protection" // for both
	Hardship       Kind = "hardship"        // what a state's program takes off monitoring; negative
	StateFee       Kind = "state_fee"       // per calendar month touched, never taxed or discounted
	CapAdjustment  Kind = "cap_adjustment"  // what a state's monthly cap takes off the line before it; negative
)

// Line is one charge or reduction. Days is 0 where the amount does not count days.
type Line struct {
	Kind   Kind        `json:"kind"`
	Days   int         `json:"days,omitempty"`
	Amount money.Cents `json:"amount"`
}

// Blocked says why no payment may be sent.
type Blocked string

const (
	LocationNotConfigured Blocked = "location_not_configured"
	LocationSuspended     Blocked = "location_suspended"
	NothingDue            Blocked = "nothing_due"
	BelowMinimum          Blocked = "below_minimum"
)

// Summary is an Invoice Summary. TotalDue = Subtotal + Tax + PastDue − CreditApplied, and no figure but the amount of a line is ever negative.
type Summary struct {
	Lines         []Line      `json:"lines"`    // in the order of the kinds; a line of zero is left out; never nil
	Subtotal      money.Cents `json:"subtotal"` // the sum of the lines
	Taxable       money.Cents `json:"taxable"`
	Tax           money.Cents `json:"tax"`
	PastDue       money.Cents `json:"past_due"` // invoiced and taxed before
	CreditApplied money.Cents `json:"credit_applied"`
	TotalDue      money.Cents `json:"total_due"`
	PaidTo        *day.Date   `json:"paid_to"` // the new Paid To Date; nil for a pending balance, which moves none
	Blocked       *Blocked    `json:"blocked"` // nil: a payment may be sent
}

// Parts is a summary's subtotal by what it is for, as the ledger books it: Subtotal = Monitoring + LossProtection + StateFee − Hardship.
type Parts struct {
	Monitoring     money.Cents // unpaid days included, after caps, before hardship
	LossProtection money.Cents // after its cap
	StateFee       money.Cents
	Hardship       money.Cents // borne by the program in place of the client, not negative
}

// Parts adds up the lines of a summary that Price made. A cap adjustment belongs to the line that it follows.
func (s Summary) Parts() Parts {
	var p Parts
	var capped *money.Cents
	for _, line := range s.Lines {
		switch line.Kind {
		case UnpaidDays, Monitoring:
			p.Monitoring += line.Amount
			capped = &p.Monitoring
		case LossProtection:
			p.LossProtection += line.Amount
			capped = &p.LossProtection
		case CapAdjustment:
			if capped != nil {
				*capped += line.Amount
			}
		case Hardship:
			p.Hardship -= line.Amount
		case StateFee:
			p.StateFee += line.Amount
		}
	}
	return p
}

// Price returns the Invoice Summary of an input. It reads no clock and nothing but its argument, so the same input has the same price for ever.
// Errors are ErrDays, ErrNegative, ErrPercent, ErrWord, ErrDate (also for a new Paid To Date after the year 9000) and money.ErrOverflow.
func Price(in Input) (Summary, error) {
	if err := in.check(); err != nil {
		return Summary{}, err
	}
	s := Summary{Lines: []Line{}, PastDue: in.Account.PastDue}
	var sum sums
	if in.Vehicle != nil {
		paidTo := in.Start().AddDays(in.Days)
		if err := checkDate("the new paid-to date", paidTo); err != nil {
			return Summary{}, err
		}
		s.PaidTo = &paidTo
		s.charge(&in, &sum)
	}
	owed := sum.add(sum.add(s.Subtotal, s.Tax), s.PastDue)
	if sum.err != nil {
		return Summary{}, fmt.Errorf("the price can't be counted in cents: %w", sum.err)
	}
	s.CreditApplied = min(in.Account.Credit, owed)
	s.TotalDue = owed - s.CreditApplied
	s.Blocked = blocked(in.Location.Payments, s.TotalDue)
	return s, nil
}

// charge writes the lines for a vehicle, their subtotal and the tax.
func (s *Summary) charge(in *Input, sum *sums) {
	const mostLines = 8 // three that can be capped, hardship and the state fee
	s.Lines = make([]Line, 0, mostLines)
	v, l, unpaid := in.Vehicle, &in.Location, in.UnpaidDays()

	monitoring := sum.add(
		s.perDay(UnpaidDays, unpaid, v.DailyRate, in.monitoringCap(), sum),
		s.perDay(Monitoring, in.Days, v.DailyRate, in.monitoringCap(), sum))
	lossProtection := s.perDay(LossProtection, unpaid+in.Days, v.LossProtectionDaily, l.LossProtectionCapMonthly, sum)

	hardship := discount(v.Hardship, monitoring, in.Days, sum)
	s.write(Line{Kind: Hardship, Amount: -hardship})

	stateFee := sum.part(l.StateFeeMonthly, int64(len(in.stateFeeMonths())), 1, money.Floor)
	s.write(Line{Kind: StateFee, Amount: stateFee})

	// No addend from here on is negative, so a sum on the way is too large only if its end is.
	s.Subtotal = sum.add(sum.add(monitoring-hardship, lossProtection), stateFee)
	s.Taxable = monitoring
	if v.Hardship != nil && v.Hardship.ReducesTaxBase {
		s.Taxable -= hardship
	}
	if l.LossProtectionTaxable {
		s.Taxable = sum.add(s.Taxable, lossProtection)
	}
	if !in.Account.TaxExempt {
		s.Tax = sum.part(s.Taxable, l.TaxPPM, 1_000_000, money.HalfUp)
	}
}

// perDay writes the line of a daily price and, where it exceeds the monthly cap, the adjustment after it. It returns what is left to pay.
func (s *Summary) perDay(kind Kind, days int, daily money.Cents, monthlyCap *money.Cents, sum *sums) money.Cents {
	amount := sum.part(daily, int64(days), 1, money.Floor)
	s.write(Line{Kind: kind, Days: days, Amount: amount})
	if monthlyCap == nil {
		return amount
	}
	most := sum.part(*monthlyCap, int64(days), 30, money.Floor)
	if amount <= most {
		return amount
	}
	s.write(Line{Kind: CapAdjustment, Amount: most - amount})
	return most
}

func (s *Summary) write(line Line) {
	if line.Amount != 0 {
		s.Lines = append(s.Lines, line)
	}
}

// discount returns what a hardship program takes off monitoring, from 0 to all of it. A monthly fund counts the days bought only.
func discount(h *account.Hardship, monitoring money.Cents, days int, sum *sums) money.Cents {
	if h == nil {
		return 0
	}
	switch h.Kind {
	case account.ClientPays:
		return sum.part(monitoring, 100-h.Percent, 100, money.HalfUp)
	case account.FundMonthly:
		return min(monitoring, sum.part(h.Amount, int64(days), 30, money.HalfUp))
	default: // account.FundFull; check has refused any other word
		return monitoring
	}
}

// blocked returns the first reason that applies, nil if there is none.
func blocked(p account.Payments, total money.Cents) *Blocked {
	switch {
	case p == account.NotConfigured:
		return new(LocationNotConfigured)
	case p == account.Suspended:
		return new(LocationSuspended)
	case total == 0:
		return new(NothingDue)
	case total < MinimumCharge:
		return new(BelowMinimum)
	}
	return nil
}

// sums adds and multiplies and keeps the first overflow, so that a price reads as its rules do. After an overflow every result is 0.
type sums struct{ err error }

func (s *sums) add(a, b money.Cents) money.Cents {
	return s.keep(a.Add(b))
}

func (s *sums) part(c money.Cents, numerator, denominator int64, r money.Rounding) money.Cents {
	return s.keep(c.Part(numerator, denominator, r))
}

func (s *sums) keep(c money.Cents, err error) money.Cents {
	if s.err == nil {
		s.err = err
	}
	if s.err != nil {
		return 0
	}
	return c
}
