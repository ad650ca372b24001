package sqldb_test

import (
	"testing"

	"paylink/internal/day"
	"paylink/internal/demo"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/phone"
)

// TestAnImportThatIsRepeatedWithOtherNumbersChangesNothing: a file of last month must not bring back what was paid, billed or asked for since.
func TestAnImportThatIsRepeatedWithOtherNumbersChangesNothing(t *testing.T) {
	onBoth(t, func(b *books) {
		in := demo.Data(began)
		in.Entries = append(in.Entries, ledger.Open(newID(), "100042", 50_00, 0, began)) // had no opening balance so far
		in.OptedOut = append(in.OptedOut, phone.Stored("+18045550142"))
		for i := range in.Vehicles {
			in.Vehicles[i].StateFeeMonths = []day.Month{"2026-01"}
		}
		b.must(b.Import(b.ctx, in))
		balance, err := b.Balance(b.ctx, "100042")
		b.must(err)
		same(b, "balance", balance, money.Cents(0))
		if out, err := b.OptedOut(b.ctx, "+18045550142"); err != nil || out {
			b.Errorf("a client who may be texted is opted out: %v, %v", out, err)
		}
		if n := b.count(`SELECT COUNT(*) FROM state_fee_months`); n != 0 {
			b.Errorf("%d months are billed that were not", n)
		}
		// Somebody who has replied START since stays opted in.
		b.must(b.OptIn(b.ctx, "+18045550149"))
		b.must(b.Import(b.ctx, demo.Data(began)))
		if out, err := b.OptedOut(b.ctx, "+18045550149"); err != nil || out {
			b.Errorf("START was undone: %v, %v", out, err)
		}
		if n := b.count(`SELECT COUNT(*) FROM opt_outs`); n != 0 {
			b.Errorf("%d numbers are opted out", n)
		}
	})
}
