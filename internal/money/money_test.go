package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestAmountsAreWrittenAsPeopleReadThem(t *testing.T) {
	for _, c := range []struct {
		in               Cents
		want, accounting string
	}{
		{0, "$0.00", "$0.00"}, {5, "$0.05", "$0.05"}, {9858, "$98.58", "$98.58"}, {-550, "-$5.50", "($5.50)"},
		{125000, "$1,250.00", "$1,250.00"}, {-123456789, "-$1,234,567.89", "($1,234,567.89)"},
		{math.MinInt64, "-$92,233,720,368,547,758.08", "($92,233,720,368,547,758.08)"},
	} {
		if got := c.in.String(); got != c.want {
			t.Errorf("%d is written %q, want %q", c.in, got, c.want)
		}
		if got := c.in.Accounting(); got != c.accounting {
			t.Errorf("%d in a ledger is written %q, want %q", c.in, got, c.accounting)
		}
	}
}

func TestPartsAgreeWithExactArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "cents")
		n := rapid.Int64Range(0, math.MaxInt64).Draw(t, "numerator")
		d := rapid.Int64Range(1, math.MaxInt64).Draw(t, "denominator")
		r := Rounding(rapid.IntRange(0, 1).Draw(t, "rounding"))
		exact := new(big.Int).Mul(new(big.Int).Abs(big.NewInt(c)), big.NewInt(n))
		rest := new(big.Int)
		exact.QuoRem(exact, big.NewInt(d), rest)
		if r == HalfUp && rest.Lsh(rest, 1).Cmp(big.NewInt(d)) >= 0 {
			exact.Add(exact, big.NewInt(1))
		}
		if c < 0 {
			exact.Neg(exact)
		}
		got, err := Cents(c).Part(n, d, r)
		if !exact.IsInt64() {
			if !errors.Is(err, ErrOverflow) {
				t.Fatalf("%d × %d ÷ %d does not fit, got %d, %v", c, n, d, got, err)
			}
			return
		}
		if err != nil || int64(got) != exact.Int64() {
			t.Fatalf("%d × %d ÷ %d = %v, got %d, %v", c, n, d, exact, got, err)
		}
	})
}

func TestSumsDoNotWrapAround(t *testing.T) {
	for _, c := range []struct{ a, b Cents }{{math.MaxInt64, 1}, {math.MinInt64, -1}} {
		if got, err := c.a.Add(c.b); !errors.Is(err, ErrOverflow) {
			t.Errorf("%d + %d = %d, %v; want an overflow", c.a, c.b, got, err)
		}
	}
	for _, c := range []struct{ a, b, want Cents }{{1, 2, 3}, {5, 0, 5}, {5, -7, -2}, {math.MaxInt64, -1, math.MaxInt64 - 1}} {
		if got, err := c.a.Add(c.b); err != nil || got != c.want {
			t.Errorf("%d + %d = %d, %v; want %d", c.a, c.b, got, err, c.want)
		}
	}
}
