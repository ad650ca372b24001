// Package money counts United States dollars in whole cents; nothing here is a float.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// ErrOverflow is returned where a result does not fit in 64 bits.
var ErrOverflow = errors.New("amount is too large")

// Cents is an amount of US dollars in cents. Negative amounts are credits or reductions.
type Cents int64

// String writes the amount as pages show it: "$98.58", "-$5.50", "$1,250.00".
func (c Cents) String() string {
	if c < 0 {
		return "-" + magnitude(c)
	}
	return magnitude(c)
}

// Accounting writes the amount as a ledger does: a negative amount, which is a credit, stands in parentheses.
func (c Cents) Accounting() string {
	if c < 0 {
		return "(" + magnitude(c) + ")"
	}
	return magnitude(c)
}

func magnitude(c Cents) string {
	u := uint64(c) // #nosec G115 -- two's complement is meant: -u is the magnitude of a negative c, of the smallest too
	if c < 0 {
		u = -u
	}
	dollars := fmt.Sprintf("%d", u/100)
	for i := len(dollars) - 3; i > 0; i -= 3 {
		dollars = dollars[:i] + "," + dollars[i:]
	}
	return fmt.Sprintf("$%s.%02d", dollars, u%100)
}

// Add returns c + d, or ErrOverflow.
func (c Cents) Add(d Cents) (Cents, error) {
	sum := c + d
	if (sum > c) != (d > 0) && d != 0 {
		return 0, ErrOverflow
	}
	return sum, nil
}

// Times returns c × n for a count n, or ErrOverflow.
func (c Cents) Times(n int64) (Cents, error) {
	return c.Part(n, 1, Floor)
}

// Rounding says what becomes of a fraction of a cent.
type Rounding int

const (
	Floor  Rounding = iota // towards zero
	HalfUp                 // half a cent counts as one, away from zero
)

// Part returns c × numerator ÷ denominator, computed in 128 bits and rounded once.
// It returns ErrOverflow if the result does not fit, and panics on a denominator that is not positive or a negative numerator,
// since both are written by us and never by a person.
func (c Cents) Part(numerator, denominator int64, r Rounding) (Cents, error) {
	if denominator <= 0 || numerator < 0 {
		panic("money: a part needs a numerator of at least 0 and a denominator above 0")
	}
	if c == math.MinInt64 {
		return 0, ErrOverflow
	}
	u, negative := uint64(c), c < 0 // #nosec G115 -- as in magnitude
	if negative {
		u = -u
	}
	hi, lo := bits.Mul64(u, uint64(numerator)) // #nosec G115 -- not negative, checked above
	if hi >= uint64(denominator) {
		return 0, ErrOverflow
	}
	quotient, rest := bits.Div64(hi, lo, uint64(denominator))
	if r == HalfUp && rest >= uint64(denominator)-rest {
		quotient++
	}
	if quotient > math.MaxInt64 {
		return 0, ErrOverflow
	}
	if negative {
		return -Cents(quotient), nil
	}
	return Cents(quotient), nil
}
