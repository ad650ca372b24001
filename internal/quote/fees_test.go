package quote_test

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"paylink/internal/account"
	"paylink/internal/money"
	"paylink/internal/quote"
)

// richmond taxes things and work at 6 %, and no paperwork.
func richmond() account.Location {
	return account.Location{ID: "VA-RIC", TaxPPM: 60_000, TaxedFees: []account.FeeKind{account.EquipmentFee, account.ServiceFee}}
}

func fee(id string, kind account.FeeKind, amount money.Cents) account.Fee {
	return account.Fee{ID: id, LocationID: "VA-RIC", Name: id, Kind: kind, Amount: amount}
}

func TestFeesAreTaxedByTheirKindAndRoundedOnce(t *testing.T) {
	missed, handset, mouths := fee("missed", account.AdministrativeFee, 3_500), fee("handset", account.EquipmentFee, 12_500), fee("mouthpieces", account.EquipmentFee, 1_208)
	for _, c := range []struct {
		what                          string
		exempt                        bool
		items                         []quote.FeeItem
		subtotal, taxable, tax, total money.Cents
	}{
		{"one that is not taxed", false, []quote.FeeItem{{Fee: missed, Count: 1}}, 3_500, 0, 0, 3_500},
		{"one that is", false, []quote.FeeItem{{Fee: handset, Count: 1}}, 12_500, 12_500, 750, 13_250},
		{"both kinds", false, []quote.FeeItem{{Fee: missed, Count: 2}, {Fee: handset, Count: 1}}, 19_500, 12_500, 750, 20_250},
		{"half a cent is one", false, []quote.FeeItem{{Fee: fee("x", account.ServiceFee, 1_225), Count: 1}}, 1_225, 1_225, 74, 1_299},                                    // 73.5
		{"once an invoice, not a line", false, []quote.FeeItem{{Fee: mouths, Count: 1}, {Fee: fee("y", account.ServiceFee, 1_208), Count: 1}}, 2_416, 2_416, 145, 2_561}, // 144.96; two of 72.48 were 144
		{"a tax-exempt account", true, []quote.FeeItem{{Fee: handset, Count: 3}}, 37_500, 37_500, 0, 37_500},
	} {
		s, err := quote.Fees(richmond(), c.exempt, c.items)
		if err != nil || s.Subtotal != c.subtotal || s.Taxable != c.taxable || s.Tax != c.tax || s.Total != c.total {
			t.Errorf("%s: %+v, %v; want %s, %s taxable, %s, %s", c.what, s, err, c.subtotal, c.taxable, c.tax, c.total)
		}
	}
}

func TestWhatIsNotOnTheListCanNotBeCharged(t *testing.T) {
	good, retired, elsewhere := fee("good", account.ServiceFee, 100), fee("retired", account.ServiceFee, 100), fee("elsewhere", account.ServiceFee, 100)
	retired.Retired, elsewhere.LocationID = true, "FL-TPA"
	for _, c := range []struct {
		what  string
		items []quote.FeeItem
		want  error
	}{
		{"nothing", nil, quote.ErrNone},
		{"a retired fee", []quote.FeeItem{{Fee: retired, Count: 1}}, quote.ErrFee},
		{"another location's", []quote.FeeItem{{Fee: good, Count: 1}, {Fee: elsewhere, Count: 1}}, quote.ErrFee},
		{"the same twice", []quote.FeeItem{{Fee: good, Count: 1}, {Fee: good, Count: 1}}, quote.ErrFee},
		{"none of it", []quote.FeeItem{{Fee: good}}, quote.ErrCount},
		{"less than none", []quote.FeeItem{{Fee: good, Count: -1}}, quote.ErrCount},
		{"too many", []quote.FeeItem{{Fee: good, Count: 100}}, quote.ErrCount},
		{"a free fee", []quote.FeeItem{{Fee: fee("free", account.ServiceFee, 0), Count: 1}}, quote.ErrNegative},
		{"a negative one", []quote.FeeItem{{Fee: fee("less", account.ServiceFee, -1), Count: 1}}, quote.ErrNegative},
		{"more than can be counted", []quote.FeeItem{{Fee: fee("much", account.ServiceFee, math.MaxInt64/2), Count: 3}}, money.ErrOverflow},
	} {
		if s, err := quote.Fees(richmond(), false, c.items); !errors.Is(err, c.want) || s.Total != 0 {
			t.Errorf("%s: %+v, %v; want %v", c.what, s, err, c.want)
		}
	}
	l := richmond()
	l.TaxPPM = -1
	if _, err := quote.Fees(l, false, []quote.FeeItem{{Fee: good, Count: 1}}); !errors.Is(err, quote.ErrNegative) {
		t.Errorf("a negative rate: %v", err)
	}
}

func TestAnInvoiceOfFeesAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := richmond()
		l.TaxPPM = rapid.Int64Range(0, 200_000).Draw(t, "tax")
		exempt := rapid.Bool().Draw(t, "exempt")
		var items []quote.FeeItem
		kinds := []account.FeeKind{account.ServiceFee, account.EquipmentFee, account.AdministrativeFee}
		for i := range rapid.IntRange(1, 6).Draw(t, "fees") {
			items = append(items, quote.FeeItem{
				Fee:   fee(string(rune('a'+i)), rapid.SampledFrom(kinds).Draw(t, "kind"), money.Cents(rapid.Int64Range(1, 1_000_000).Draw(t, "amount"))),
				Count: rapid.IntRange(1, quote.CountMost).Draw(t, "count"),
			})
		}
		s, err := quote.Fees(l, exempt, items)
		if err != nil {
			t.Fatal(err)
		}
		var sum, taxed int64
		for i, line := range s.Lines {
			if line.FeeItem != items[i] || line.Amount != items[i].Fee.Amount*money.Cents(items[i].Count) || line.Taxed != (line.Fee.Kind != account.AdministrativeFee) {
				t.Fatalf("line %d is %+v of %+v", i, line, items[i])
			}
			sum += int64(line.Amount)
			if line.Taxed {
				taxed += int64(line.Amount)
			}
		}
		tax := (taxed*l.TaxPPM + 500_000) / 1_000_000
		if exempt {
			tax = 0
		}
		if int64(s.Subtotal) != sum || int64(s.Taxable) != taxed || int64(s.Tax) != tax || int64(s.Total) != sum+tax {
			t.Fatalf("%+v; want %d, %d taxable, %d", s, sum, taxed, tax)
		}
	})
}
