package quote

import (
	"errors"
	"fmt"
	"slices"

	"paylink/internal/account"
	"paylink/internal/money"
)

// What Fees refuses, besides ErrNegative and money.ErrOverflow.
var (
	ErrFee   = errors.New("is not on the location's list")
	ErrCount = errors.New("must be from 1 to 99")
	ErrNone  = errors.New("no fee was chosen")
)

// CountMost is how many times one fee can be charged on one invoice.
const CountMost = 99

// FeeItem is a fee of a location's list, and how many times it is charged.
type FeeItem struct {
	Fee   account.Fee
	Count int
}

// FeeLine is what a fee comes to.
type FeeLine struct {
	FeeItem
	Amount money.Cents // Fee.Amount × Count
	Taxed  bool        // at this location
}

// FeeSummary is what an invoice of fees comes to. Total = Subtotal + Tax, and nothing in it is negative.
type FeeSummary struct {
	Lines    []FeeLine // in the order of the items
	Subtotal money.Cents
	Taxable  money.Cents
	TaxPPM   int64 // rate of the tax; 0 for an account that pays none
	Tax      money.Cents
	Total    money.Cents
}

// Fees prices fees of a location's list. Those of a kind that the location taxes are taxed together, half up, once per invoice; a tax-exempt account pays none. Like Price it
// looks at nothing but its arguments. Errors: ErrNone, ErrFee for one that is retired, of another location or there twice, ErrCount, ErrNegative, money.ErrOverflow.
func Fees(l account.Location, taxExempt bool, items []FeeItem) (FeeSummary, error) {
	var s FeeSummary
	if len(items) == 0 {
		return s, ErrNone
	}
	if l.TaxPPM < 0 {
		return s, fmt.Errorf("tax_ppm %d %w", l.TaxPPM, ErrNegative)
	}
	var sum sums
	seen := map[string]bool{}
	for _, item := range items {
		f := item.Fee
		switch {
		case f.Retired, f.LocationID != l.ID, seen[f.ID]:
			return FeeSummary{}, fmt.Errorf("fee %q %w", f.Name, ErrFee)
		case item.Count < 1 || item.Count > CountMost:
			return FeeSummary{}, fmt.Errorf("the count of %q %w", f.Name, ErrCount)
		case f.Amount <= 0:
			return FeeSummary{}, fmt.Errorf("the amount of %q %w", f.Name, ErrNegative)
		}
		seen[f.ID] = true
		line := FeeLine{FeeItem: item, Amount: sum.part(f.Amount, int64(item.Count), 1, money.Floor), Taxed: slices.Contains(l.TaxedFees, f.Kind)}
		s.Lines = append(s.Lines, line)
		s.Subtotal = sum.add(s.Subtotal, line.Amount)
		if line.Taxed {
			s.Taxable = sum.add(s.Taxable, line.Amount)
		}
	}
	if !taxExempt {
		s.TaxPPM = l.TaxPPM
		s.Tax = sum.part(s.Taxable, l.TaxPPM, 1_000_000, money.HalfUp)
	}
	s.Total = sum.add(s.Subtotal, s.Tax)
	if sum.err != nil {
		return FeeSummary{}, fmt.Errorf("the fees can't be counted in cents: %w", sum.err)
	}
	return s, nil
}
