package quote

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/money"
)

func TestAPriceAgreesWithExactArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		got, err := Price(in)
		want, fits := exactPrice(in)
		if !fits {
			if !errors.Is(err, money.ErrOverflow) {
				t.Fatalf("a price that does not fit is %+v, %v", got, err)
			}
			return
		}
		if err != nil {
			t.Fatalf("no price: %v", err)
		}
		if !slices.Equal(got.Lines, want.lines) {
			t.Fatalf("the lines are %+v, want %+v", got.Lines, want.lines)
		}
		for _, figure := range []struct {
			name      string
			got, want money.Cents
		}{
			{"subtotal", got.Subtotal, want.subtotal}, {"taxable", got.Taxable, want.taxable}, {"tax", got.Tax, want.tax},
			{"past due", got.PastDue, in.Account.PastDue}, {"credit applied", got.CreditApplied, want.credit}, {"total due", got.TotalDue, want.total},
		} {
			if figure.got != figure.want {
				t.Fatalf("%s is %d, want %d", figure.name, figure.got, figure.want)
			}
		}
	})
}

func TestATotalEqualsItsPartsAndIsNeverNegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		s, err := Price(in)
		if err != nil {
			return
		}
		var lines money.Cents
		for _, line := range s.Lines {
			lines += line.Amount
		}
		p := s.Parts()
		if s.Subtotal != lines || s.Subtotal != p.Monitoring+p.LossProtection+p.StateFee-p.Hardship {
			t.Fatalf("subtotal %d, the lines %d, the parts %+v", s.Subtotal, lines, p)
		}
		if s.TotalDue != s.Subtotal+s.Tax+s.PastDue-s.CreditApplied {
			t.Fatalf("the total of %+v is not its parts", s)
		}
		for _, c := range []money.Cents{s.Subtotal, s.Taxable, s.Tax, s.PastDue, s.CreditApplied, s.TotalDue, p.Monitoring, p.LossProtection, p.StateFee, p.Hardship, p.Monitoring - p.Hardship} {
			if c < 0 {
				t.Fatalf("something of %+v, %+v is negative", s, p)
			}
		}
		if s.CreditApplied > in.Account.Credit || s.CreditApplied < in.Account.Credit && s.TotalDue != 0 {
			t.Fatalf("of %d credit %d is used, and %d left to pay", in.Account.Credit, s.CreditApplied, s.TotalDue)
		}
		if fee := in.Location.StateFeeMonthly * money.Cents(len(in.StateFeeMonths())); p.StateFee != fee {
			t.Fatalf("the state fee is %d, for %v it is %d", p.StateFee, in.StateFeeMonths(), fee)
		}
		if in.Account.TaxExempt && s.Tax != 0 {
			t.Fatalf("a tax-exempt account is taxed %d", s.Tax)
		}
	})
}

func TestLinesStandInTheirOrderAndUnderTheirCaps(t *testing.T) {
	order := []Kind{UnpaidDays, Monitoring, LossProtection, Hardship, StateFee}
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		s, err := Price(in)
		if err != nil {
			return
		}
		last := -1
		for i, line := range s.Lines {
			if line.Amount == 0 {
				t.Fatalf("line %d of %+v is zero", i, s.Lines)
			}
			if (line.Amount < 0) != (line.Kind == CapAdjustment || line.Kind == Hardship) {
				t.Fatalf("line %d of %+v has the wrong sign", i, s.Lines)
			}
			if line.Kind == CapAdjustment {
				if i == 0 || s.Lines[i-1].Days == 0 {
					t.Fatalf("line %d of %+v adjusts nothing", i, s.Lines)
				}
				continue
			}
			at := slices.Index(order, line.Kind)
			if at <= last {
				t.Fatalf("line %d of %+v is out of order", i, s.Lines)
			}
			last = at
			monthly := in.Location.MonitoringCapMonthly
			switch line.Kind {
			case Hardship, StateFee:
				if line.Days != 0 {
					t.Fatalf("line %d of %+v counts days", i, s.Lines)
				}
				continue
			case LossProtection:
				monthly = in.Location.LossProtectionCapMonthly
			default:
				if in.Vehicle.Program == account.PAM {
					monthly = nil
				}
			}
			net := line.Amount
			if i+1 < len(s.Lines) && s.Lines[i+1].Kind == CapAdjustment {
				net += s.Lines[i+1].Amount
			}
			if monthly == nil && net != line.Amount {
				t.Fatalf("line %d of %+v is capped without a cap", i, s.Lines)
			}
			if monthly != nil && over(net, *monthly, line.Days) {
				t.Fatalf("line %d of %+v is over its cap of %d", i, s.Lines, *monthly)
			}
		}
	})
}

func TestThePaidToDateMovesByTheDaysBought(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		s, err := Price(in)
		if err != nil {
			return
		}
		if in.Vehicle == nil {
			if s.PaidTo != nil || len(s.Lines) != 0 || s.Lines == nil {
				t.Fatalf("a pending balance is priced %+v", s)
			}
			return
		}
		if got := in.Start().AddDays(in.Days); *s.PaidTo != got || in.Start().DaysUntil(*s.PaidTo) != in.Days {
			t.Fatalf("%d days from %s end at %s", in.Days, in.Start(), *s.PaidTo)
		}
		if in.Vehicle.PaidTo.AddDays(in.UnpaidDays()) != in.Start() || in.Start().Before(in.AsOf) {
			t.Fatalf("paid to %s, %d unpaid days, but the period starts at %s, seen on %s", in.Vehicle.PaidTo, in.UnpaidDays(), in.Start(), in.AsOf)
		}
		for _, m := range in.StateFeeMonths() {
			if m < in.Start().Month() || m > s.PaidTo.AddDays(-1).Month() || slices.Contains(in.Vehicle.StateFeeMonths, m) {
				t.Fatalf("a fee for %s in a period from %s to %s, after %v", m, in.Start(), *s.PaidTo, in.Vehicle.StateFeeMonths)
			}
		}
	})
}

func TestMorePastDueOrLessCreditNeverLowersTheTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		before, err := Price(in)
		if err != nil {
			return
		}
		worse := in
		worse.Account.PastDue += cents(0, math.MaxInt64-in.Account.PastDue).Draw(t, "more past due")
		worse.Account.Credit -= cents(0, in.Account.Credit).Draw(t, "less credit")
		after, err := Price(worse)
		if err != nil {
			if !errors.Is(err, money.ErrOverflow) {
				t.Fatal(err)
			}
			return
		}
		if after.TotalDue < before.TotalDue {
			t.Fatalf("with %+v in place of %+v the total is %d, was %d", worse.Account, in.Account, after.TotalDue, before.TotalDue)
		}
		if after.Tax != before.Tax || after.Subtotal != before.Subtotal {
			t.Fatalf("past due and credit change what is bought or taxed: %+v, was %+v", after, before)
		}
	})
}

func TestAPaymentIsBlockedForTheFirstReasonOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		s, err := Price(in)
		if err != nil {
			return
		}
		want := Blocked("")
		for _, reason := range []struct {
			applies bool
			why     Blocked
		}{
			{s.TotalDue < 50, BelowMinimum}, {s.TotalDue == 0, NothingDue},
			{in.Location.Payments == "suspended", LocationSuspended}, {in.Location.Payments == "not_configured", LocationNotConfigured},
		} {
			if reason.applies {
				want = reason.why
			}
		}
		got := Blocked("")
		if s.Blocked != nil {
			got = *s.Blocked
		}
		if got != want {
			t.Fatalf("%d at a location that is %s is blocked %q, want %q", s.TotalDue, in.Location.Payments, got, want)
		}
	})
}

func TestASummaryIsReadBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, err := Price(drawInput(t))
		if err != nil {
			return
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Summary
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(b) {
			t.Fatalf("written %s, read and written again %s, %v", b, again, err)
		}
	})
}

// FuzzPriceJSON reads any bytes as a case: they have a price whose total is its parts, or one of our errors.
func FuzzPriceJSON(f *testing.F) {
	b, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		f.Fatal(err)
	}
	var cases []json.RawMessage
	if err := json.Unmarshal(b, &cases); err != nil {
		f.Fatal(err)
	}
	for _, c := range cases {
		f.Add([]byte(c))
	}
	f.Add([]byte(`{"as_of":"2025-07-10","days":0,"location":{"payments":"configured"},"vehicle":null,"account":{"past_due":9223372036854775807,"credit":1}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var in Input
		if err := json.Unmarshal(b, &in); err != nil {
			return
		}
		s, err := Price(in)
		months := in.StateFeeMonths()
		if err != nil {
			for _, known := range []error{ErrDays, ErrNegative, ErrPercent, ErrWord, ErrDate, money.ErrOverflow} {
				if errors.Is(err, known) {
					return
				}
			}
			t.Fatalf("an error that nobody knows: %v", err)
		}
		p := s.Parts()
		if s.TotalDue < 0 || s.TotalDue != p.Monitoring+p.LossProtection+p.StateFee-p.Hardship+s.Tax+s.PastDue-s.CreditApplied {
			t.Fatalf("the total of %+v is not its parts %+v", s, p)
		}
		if len(months) > 3 {
			t.Fatalf("%d days touch %v", in.Days, months)
		}
	})
}

// exact is a price worked out again from the rules, in numbers without end.
type exact struct {
	lines                                 []Line
	subtotal, taxable, tax, credit, total money.Cents
}

// exactPrice says false if the amount of a line, a cap, monitoring after its caps, a discount or a figure of the summary does not fit in 64 bits.
func exactPrice(in Input) (exact, bool) {
	var e exact
	fits := true
	narrow := func(n *big.Int) money.Cents {
		fits = fits && n.IsInt64()
		return money.Cents(n.Int64())
	}
	big64 := func(c money.Cents) *big.Int { return big.NewInt(int64(c)) }
	sum := func(ns ...*big.Int) *big.Int {
		total := new(big.Int)
		for _, n := range ns {
			total.Add(total, n)
		}
		return total
	}
	ratio := func(n *big.Int, numerator, denominator int64, halfUp bool) *big.Int {
		q := new(big.Int).Mul(n, big.NewInt(2*numerator))
		if halfUp {
			q.Add(q, big.NewInt(denominator))
		}
		return q.Div(q, big.NewInt(2*denominator))
	}
	line := func(kind Kind, days int, n *big.Int) {
		if n.Sign() != 0 {
			e.lines = append(e.lines, Line{kind, days, narrow(n)})
		}
	}
	perDay := func(kind Kind, days int, daily money.Cents, monthly *money.Cents) *big.Int {
		n := new(big.Int).Mul(big64(daily), big.NewInt(int64(days)))
		line(kind, days, n)
		if monthly == nil {
			return n
		}
		most := ratio(big64(*monthly), int64(days), 30, false)
		narrow(most)
		if n.Cmp(most) <= 0 {
			return n
		}
		line(CapAdjustment, 0, new(big.Int).Sub(most, n))
		return most
	}

	subtotal, taxable := new(big.Int), new(big.Int)
	if v := in.Vehicle; v != nil {
		var unpaid int
		var months []string
		today, paidTo := in.AsOf.Time(), v.PaidTo.Time()
		for ; paidTo.Before(today); paidTo = paidTo.Add(24 * time.Hour) {
			unpaid++
		}
		for i := range in.Days {
			m := paidTo.Add(time.Duration(i) * 24 * time.Hour).Format("2006-01")
			if !slices.Contains(months, m) && !slices.Contains(v.StateFeeMonths, day.Month(m)) {
				months = append(months, m)
			}
		}
		monthly := in.Location.MonitoringCapMonthly
		if v.Program == "pam" {
			monthly = nil
		}
		monitoring := sum(perDay(UnpaidDays, unpaid, v.DailyRate, monthly), perDay(Monitoring, in.Days, v.DailyRate, monthly))
		narrow(monitoring)
		lossProtection := perDay(LossProtection, unpaid+in.Days, v.LossProtectionDaily, in.Location.LossProtectionCapMonthly)
		off, fee := new(big.Int), new(big.Int)
		taxable.Set(monitoring)
		exempt := false
		if h := v.Hardship; h != nil {
			exempt = h.ExemptStateFee
			switch h.Kind {
			case "client_pays":
				off = ratio(monitoring, 100-h.Percent, 100, true)
			case "fund_monthly":
				off = ratio(big64(h.Amount), int64(in.Days), 30, true)
				if off.Cmp(monitoring) > 0 {
					off.Set(monitoring)
				}
			case "fund_full":
				off.Set(monitoring)
			}
			if h.ReducesTaxBase {
				taxable.Sub(taxable, off)
			}
		}
		line(Hardship, 0, new(big.Int).Neg(off))
		if !exempt {
			fee.Mul(big64(in.Location.StateFeeMonthly), big.NewInt(int64(len(months))))
		}
		line(StateFee, 0, fee)
		if in.Location.LossProtectionTaxable {
			taxable.Add(taxable, lossProtection)
		}
		subtotal = sum(monitoring, new(big.Int).Neg(off), lossProtection, fee)
	}
	tax := new(big.Int)
	if !in.Account.TaxExempt {
		tax = new(big.Int).Mul(taxable, big.NewInt(in.Location.TaxPPM))
		tax.Add(tax, big.NewInt(500_000)).Div(tax, big.NewInt(1_000_000))
	}
	owed := sum(subtotal, tax, big64(in.Account.PastDue))
	credit := big64(in.Account.Credit)
	if credit.Cmp(owed) > 0 {
		credit.Set(owed)
	}
	e.subtotal, e.taxable, e.tax, e.credit = narrow(subtotal), narrow(taxable), narrow(tax), narrow(credit)
	narrow(owed)
	e.total = narrow(new(big.Int).Sub(owed, credit))
	return e, fits
}

func over(net, monthly money.Cents, days int) bool {
	left := new(big.Int).Mul(big.NewInt(int64(net)), big.NewInt(30))
	return left.Cmp(new(big.Int).Mul(big.NewInt(int64(monthly)), big.NewInt(int64(days)))) > 0
}

// drawInput draws what Price accepts: mostly everyday amounts, at times ones at the edge of 64 bits.
func drawInput(t *rapid.T) Input {
	today := day.New(2024, 1, 1).AddDays(rapid.IntRange(0, 2000).Draw(t, "today"))
	in := Input{
		AsOf: today,
		Location: account.Location{
			Payments:                 rapid.SampledFrom([]account.Payments{"configured", "configured", "not_configured", "suspended"}).Draw(t, "payments"),
			TaxPPM:                   int64(anyCents(150_000).Draw(t, "tax_ppm")),
			LossProtectionTaxable:    rapid.Bool().Draw(t, "loss protection taxable"),
			MonitoringCapMonthly:     rapid.Ptr(anyCents(15_000), true).Draw(t, "monitoring cap"),
			LossProtectionCapMonthly: rapid.Ptr(anyCents(1_000), true).Draw(t, "loss protection cap"),
			StateFeeMonthly:          anyCents(3_000).Draw(t, "state fee"),
			LaborFee:                 anyCents(3_000).Draw(t, "labor fee"),
		},
		Account: account.Standing{
			PastDue:   anyCents(10_000).Draw(t, "past due"),
			Credit:    anyCents(20_000).Draw(t, "credit"),
			TaxExempt: rapid.Bool().Draw(t, "tax exempt"),
		},
	}
	if rapid.IntRange(0, 9).Draw(t, "pending balance") == 0 {
		return in
	}
	in.Days = rapid.SampledFrom([]int{14, 30}).Draw(t, "days")
	in.Vehicle = &account.Vehicle{
		Program:             rapid.SampledFrom([]account.Program{"iid", "pam"}).Draw(t, "program"),
		DailyRate:           anyCents(600).Draw(t, "daily rate"),
		LossProtectionDaily: anyCents(60).Draw(t, "loss protection"),
		PaidTo:              today.AddDays(rapid.IntRange(-90, 60).Draw(t, "paid to")),
	}
	for m := today.AddDays(-40).Month(); m <= today.AddDays(90).Month(); m = m.Next() {
		if rapid.Bool().Draw(t, "billed "+string(m)) {
			in.Vehicle.StateFeeMonths = append(in.Vehicle.StateFeeMonths, m)
		}
	}
	if rapid.Bool().Draw(t, "hardship") {
		in.Vehicle.Hardship = &account.Hardship{
			Kind:           rapid.SampledFrom([]account.HardshipKind{"client_pays", "fund_monthly", "fund_full"}).Draw(t, "kind"),
			Percent:        rapid.Int64Range(0, 100).Draw(t, "percent"),
			Amount:         anyCents(10_000).Draw(t, "amount"),
			ReducesTaxBase: rapid.Bool().Draw(t, "reduces tax base"),
			ExemptStateFee: rapid.Bool().Draw(t, "exempt"),
		}
	}
	return in
}

// anyCents draws up to an everyday amount, and once in forty times anything that fits.
func anyCents(everyday money.Cents) *rapid.Generator[money.Cents] {
	return rapid.Custom(func(t *rapid.T) money.Cents {
		if rapid.IntRange(0, 39).Draw(t, "edge") == 39 {
			return cents(0, math.MaxInt64).Draw(t, "huge")
		}
		return cents(0, everyday).Draw(t, "cents")
	})
}

func cents(least, most money.Cents) *rapid.Generator[money.Cents] {
	return rapid.Map(rapid.Int64Range(int64(least), int64(most)), func(n int64) money.Cents { return money.Cents(n) })
}
