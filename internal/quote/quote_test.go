package quote

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/money"
)

type workedCase struct {
	Name string `json:"name"`
	Input
	Want Summary `json:"want"`
}

func workedCases(t testing.TB) []workedCase {
	t.Helper()
	b, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []workedCase
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("there are no worked cases")
	}
	return cases
}

func TestEveryWorkedCaseIsPricedToTheCent(t *testing.T) {
	for _, c := range workedCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			got, err := Price(c.Input)
			if err != nil {
				t.Fatal(err)
			}
			for i := range max(len(got.Lines), len(c.Want.Lines)) {
				if i >= len(got.Lines) || i >= len(c.Want.Lines) || got.Lines[i] != c.Want.Lines[i] {
					t.Errorf("line %d differs:\n got %+v\nwant %+v", i+1, got.Lines, c.Want.Lines)
					break
				}
			}
			if !reflect.DeepEqual(got, c.Want) {
				t.Errorf("\n got %s\nwant %s", asJSON(t, got), asJSON(t, c.Want))
			}
		})
	}
}

// The cases are read strictly here, so that a field that our types do not cover is noticed, and written back, so that ours has their shape.
func TestTheWorkedCasesAndOurTypesHaveTheSameFields(t *testing.T) {
	b, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var typed []workedCase
	if err := d.Decode(&typed); err != nil {
		t.Fatalf("a case has a field that no type covers: %v", err)
	}
	var ours, theirs any
	if err := json.Unmarshal([]byte(asJSON(t, typed)), &ours); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &theirs); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(ours, theirs) {
		t.Error("read into our types and written again, the cases are not what they were")
	}
}

func TestAPendingBalanceIsPastDueLessCreditAndMovesNoDate(t *testing.T) {
	for _, c := range []struct {
		pastDue, credit, applied, total money.Cents
		payments                        account.Payments
		blocked                         string
	}{
		{4237, 0, 0, 4237, account.Configured, "null"},
		{4237, 1000, 1000, 3237, account.Configured, "null"},
		{4237, 4187, 4187, 50, account.Configured, "null"},
		{4237, 4188, 4188, 49, account.Configured, `"below_minimum"`},
		{4237, 9999, 4237, 0, account.Configured, `"nothing_due"`},
		{0, 0, 0, 0, account.Configured, `"nothing_due"`},
		{0, 500, 0, 0, account.NotConfigured, `"location_not_configured"`},
		{4237, 0, 0, 4237, account.Suspended, `"location_suspended"`},
	} {
		in := Input{
			AsOf:     "2025-07-10",
			Location: account.Location{Payments: c.payments, TaxPPM: 75000, StateFeeMonthly: 2100},
			Account:  account.Standing{PastDue: c.pastDue, Credit: c.credit},
		}
		got, err := Price(in)
		if err != nil {
			t.Fatal(err)
		}
		want := `{"lines":[],"subtotal":0,"taxable":0,"tax":0,"past_due":` + asJSON(t, c.pastDue) + `,"credit_applied":` + asJSON(t, c.applied) +
			`,"total_due":` + asJSON(t, c.total) + `,"paid_to":null,"blocked":` + c.blocked + `}`
		if asJSON(t, got) != want {
			t.Errorf("%d past due, credit %d, %s:\n got %s\nwant %s", c.pastDue, c.credit, c.payments, asJSON(t, got), want)
		}
		if in.Start() != "" || in.UnpaidDays() != 0 || in.StateFeeMonths() != nil {
			t.Errorf("a pending balance has a period: from %q, %d unpaid, fees for %v", in.Start(), in.UnpaidDays(), in.StateFeeMonths())
		}
	}
}

func TestWhatCanNotBePricedSaysWhy(t *testing.T) {
	const most = money.Cents(math.MaxInt64)
	for _, c := range []struct {
		name  string
		spoil func(*Input)
		want  error
		says  string
	}{
		{"15 days", func(in *Input) { in.Days = 15 }, ErrDays, "days must be 14 or 30 for a vehicle, and 0 without one: 15 days for a vehicle"},
		{"minus 14 days", func(in *Input) { in.Days = -14 }, ErrDays, "-14 days"},
		{"a vehicle and no days", func(in *Input) { in.Days = 0 }, ErrDays, "0 days for a vehicle"},
		{"30 days and no vehicle", func(in *Input) { in.Vehicle = nil }, ErrDays, "30 days without a vehicle"},
		{"today is none", func(in *Input) { in.AsOf = "2025-02-30" }, ErrDate, `as_of "2025-02-30" is not in the calendar`},
		{"no today", func(in *Input) { in.AsOf = "" }, ErrDate, "as_of"},
		{"no today for a pending balance", func(in *Input) { in.AsOf, in.Days, in.Vehicle = "", 0, nil }, ErrDate, "as_of"},
		{"paid-to date is none", func(in *Input) { in.Vehicle.PaidTo = "2025-13-01" }, ErrDate, "paid_to"},
		{"no paid-to date", func(in *Input) { in.Vehicle.PaidTo = "" }, ErrDate, "paid_to"},
		{"a month that is none", func(in *Input) { in.Vehicle.StateFeeMonths = []day.Month{"2025-07", "2025-7"} }, ErrDate, `"2025-7"`},
		{"the calendar ends", func(in *Input) { in.AsOf = "9000-12-20" }, ErrDate, `the new paid-to date "9001-01-19"`},
		{"unknown payments", func(in *Input) { in.Location.Payments = "closed" }, ErrWord, `payments "closed" is unknown`},
		{"no word for payments", func(in *Input) { in.Location.Payments = "" }, ErrWord, "payments"},
		{"unknown program", func(in *Input) { in.Vehicle.Program = "IID" }, ErrWord, `program "IID"`},
		{"unknown hardship", func(in *Input) { in.Vehicle.Hardship.Kind = "fund" }, ErrWord, `hardship kind "fund"`},
		{"-1 %", func(in *Input) { in.Vehicle.Hardship.Percent = -1 }, ErrPercent, "it is -1"},
		{"101 %", func(in *Input) { in.Vehicle.Hardship.Percent = 101 }, ErrPercent, "it is 101"},
		{"101 % of a fund that takes no percent", func(in *Input) { *in.Vehicle.Hardship = account.Hardship{Kind: account.FundFull, Percent: 101} }, ErrPercent, "it is 101"},
		{"negative fund", func(in *Input) { in.Vehicle.Hardship.Amount = -1 }, ErrNegative, "hardship amount must not be negative; it is -1"},
		{"negative rate", func(in *Input) { in.Vehicle.DailyRate = -310 }, ErrNegative, "daily_rate"},
		{"negative loss protection", func(in *Input) { in.Vehicle.LossProtectionDaily = -1 }, ErrNegative, "loss_protection_daily"},
		{"negative tax", func(in *Input) { in.Location.TaxPPM = -1 }, ErrNegative, "tax_ppm"},
		{"negative monitoring cap", func(in *Input) { in.Location.MonitoringCapMonthly = new(money.Cents(-1)) }, ErrNegative, "monitoring_cap_monthly"},
		{"negative loss protection cap", func(in *Input) { in.Location.LossProtectionCapMonthly = new(money.Cents(-1)) }, ErrNegative, "loss_protection_cap_monthly"},
		{"negative state fee", func(in *Input) { in.Location.StateFeeMonthly = -1 }, ErrNegative, "state_fee_monthly"},
		{"negative labor fee", func(in *Input) { in.Location.LaborFee = -1 }, ErrNegative, "labor_fee"},
		{"negative past due", func(in *Input) { in.Account.PastDue = -1 }, ErrNegative, "past_due"},
		{"negative credit", func(in *Input) { in.Account.Credit = -1 }, ErrNegative, "credit"},
		{"negative past due alone", func(in *Input) { in.Account.PastDue, in.Days, in.Vehicle = -1, 0, nil }, ErrNegative, "past_due"},
		{"rate too large", func(in *Input) { in.Vehicle.DailyRate = most / 29 }, money.ErrOverflow, "can't be counted in cents"},
		{"rate too large, though a cap would hold it", func(in *Input) { in.Vehicle.DailyRate, in.Location.MonitoringCapMonthly = most, new(money.Cents(1)) }, money.ErrOverflow, ""},
		{"loss protection too large", func(in *Input) { in.Vehicle.LossProtectionDaily = most / 29 }, money.ErrOverflow, ""},
		{"lines too large together", func(in *Input) {
			in.Vehicle.LossProtectionDaily, in.Vehicle.DailyRate, in.Vehicle.Hardship = most/50, most/50, nil
		}, money.ErrOverflow, ""},
		{"state fee too large", func(in *Input) { in.Location.StateFeeMonthly = most }, money.ErrOverflow, ""},
		{"tax too large", func(in *Input) { in.Location.TaxPPM, in.Vehicle.DailyRate = math.MaxInt64, 1e6 }, money.ErrOverflow, ""},
		{"past due too large", func(in *Input) { in.Account.PastDue = most }, money.ErrOverflow, ""},
		{"past due too large, though credit would hold it", func(in *Input) { in.Account.PastDue, in.Account.Credit = most, most }, money.ErrOverflow, ""},
	} {
		in := ordinary()
		if _, err := Price(in); err != nil {
			t.Fatalf("the input that is to be spoiled has no price: %v", err)
		}
		c.spoil(&in)
		got, err := Price(in)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v that says %q", c.name, err, c.want, c.says)
		}
		if !reflect.DeepEqual(got, Summary{}) {
			t.Errorf("%s: beside the error there is a price, %s", c.name, asJSON(t, got))
		}
		if errors.Is(err, ErrDate) && !strings.Contains(c.name, "calendar") && in.StateFeeMonths() != nil {
			t.Errorf("%s: state fee months of a refused input: %v", c.name, in.StateFeeMonths())
		}
	}
}

func TestUnpaidDaysAreCountedOverCenturies(t *testing.T) {
	in := ordinary()
	in.AsOf, in.Vehicle.PaidTo = "2300-01-01", "1900-01-01"
	if got := in.UnpaidDays(); got != 146097 { // 400 years of the Gregorian calendar
		t.Errorf("400 years are %d days", got)
	}
}

func TestTheLedgerLearnsWhatEachCentIsFor(t *testing.T) {
	in := ordinary()
	in.AsOf, in.Vehicle.PaidTo = "2025-07-10", "2025-07-03"
	in.Vehicle.DailyRate, in.Vehicle.LossProtectionDaily = 335, 30
	in.Location.MonitoringCapMonthly, in.Location.LossProtectionCapMonthly = new(money.Cents(9500)), new(money.Cents(800))
	in.Location.StateFeeMonthly = 2100
	s, err := Price(in)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []Kind
	for _, line := range s.Lines {
		kinds = append(kinds, line.Kind)
	}
	if want := []Kind{UnpaidDays, CapAdjustment, Monitoring, CapAdjustment, LossProtection, CapAdjustment, Hardship, StateFee}; !reflect.DeepEqual(kinds, want) {
		t.Errorf("the lines are %v, want %v", kinds, want)
	}
	// 7 days under 2216, 30 under 9500; 37 days of loss protection under 986; three quarters off monitoring; August was not billed.
	want := Parts{Monitoring: 2216 + 9500, LossProtection: 986, StateFee: 2100, Hardship: 8787}
	if got := s.Parts(); got != want {
		t.Errorf("the parts are %+v, want %+v", got, want)
	}
	if got := in.StateFeeMonths(); !reflect.DeepEqual(got, []day.Month{"2025-08"}) {
		t.Errorf("the state fee is for %v, want August", got)
	}
}

// ordinary returns an input of which every rule has something to say.
func ordinary() Input {
	return Input{
		AsOf:     "2025-07-10",
		Days:     30,
		Location: account.Location{ID: "VA-RIC", Payments: account.Configured, TaxPPM: 60000, LossProtectionTaxable: true, StateFeeMonthly: 2100, LaborFee: 3000},
		Vehicle: &account.Vehicle{
			Program: account.IID, DailyRate: 310, LossProtectionDaily: 26, PaidTo: "2025-07-08",
			Hardship:       &account.Hardship{Kind: account.ClientPays, Percent: 25, ReducesTaxBase: true},
			StateFeeMonths: []day.Month{"2025-07"},
		},
		Account: account.Standing{PastDue: 4237, Credit: 500},
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// BenchmarkPrice measures the quote of the common case, and of one where every rule applies. The budget is one microsecond.
func BenchmarkPrice(b *testing.B) {
	everything := ordinary()
	everything.Vehicle.DailyRate, everything.Vehicle.LossProtectionDaily = 335, 30
	everything.Location.MonitoringCapMonthly, everything.Location.LossProtectionCapMonthly = new(money.Cents(9500)), new(money.Cents(800))
	for _, c := range []struct {
		name string
		in   Input
	}{{"30 days", workedCases(b)[0].Input}, {"every rule", everything}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Price(c.in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
