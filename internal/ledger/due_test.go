package ledger_test

import (
	"testing"

	"pgregory.net/rapid"

	"paylink/internal/ledger"
	"paylink/internal/money"
)

func TestWhatAnInvoiceStillOwes(t *testing.T) {
	later := ledger.Invoice{Total: 5_000}
	for _, c := range []struct {
		what        string
		i           ledger.Invoice
		newer, owed money.Cents
		due         money.Cents
		stands      ledger.Standing
	}{
		{"the account owes nothing", later, 0, 0, 0, ledger.Settled},
		{"the account has a credit", later, 0, -300, 0, ledger.Settled},
		{"the account owes it all", later, 0, 5_000, 5_000, ledger.AllDue},
		{"the account owes part of it", later, 0, 1, 1, ledger.PartDue},
		{"all but a cent", later, 0, 4_999, 4_999, ledger.PartDue},
		{"the account owes more, from before", later, 0, 9_000, 5_000, ledger.AllDue},
		{"what is owed is owed for a newer one", later, 3_500, 3_500, 0, ledger.Settled},
		{"… and for part of this", later, 3_500, 4_000, 500, ledger.PartDue},
		{"… and for all of this", later, 3_500, 8_500, 5_000, ledger.AllDue},
		{"a payment issued it", ledger.Invoice{Total: 9_858, Door: "link", PaymentID: "pay_1"}, 0, 9_858, 0, ledger.Settled},
		{"it was paid before we kept books", ledger.Invoice{Total: 9_858, Door: "center"}, 0, 9_858, 0, ledger.Settled},
		{"a credit note", ledger.Invoice{Total: -4_000, Door: "link"}, 0, 9_858, 0, ledger.Settled},
		{"an invoice of nothing", ledger.Invoice{}, 0, 9_858, 0, ledger.Settled},
	} {
		due := c.i.Due(c.newer, c.owed)
		if due != c.due || c.i.Standing(due) != c.stands {
			t.Errorf("%s: %s is due (%s), want %s (%s)", c.what, due, c.i.Standing(due), c.due, c.stands)
		}
	}
}

// Whatever was charged and owed: no invoice owes more than its total, a newer one is never paid before an older one, and together they owe what the account does, as
// far as they go.
func TestWhatIsOwedCoversTheNewestInvoices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		totals := rapid.SliceOfN(rapid.Int64Range(1, 20_000), 0, 12).Draw(t, "totals, newest first")
		owed := money.Cents(rapid.Int64Range(-20_000, 150_000).Draw(t, "owed"))
		var newer, sum money.Cents
		paid := false // one that is not all due
		for _, total := range totals {
			i := ledger.Invoice{Total: money.Cents(total)}
			due := i.Due(newer, owed)
			if due < 0 || due > i.Total {
				t.Fatalf("%s of %s is due", due, i.Total)
			}
			if paid && due > 0 {
				t.Fatalf("an older invoice owes %s, and a newer one was paid", due)
			}
			paid = paid || due < i.Total
			newer, sum = newer+i.Total, sum+due
		}
		if want := min(max(owed, 0), newer); sum != want {
			t.Fatalf("the invoices owe %s of %s, want %s", sum, owed, want)
		}
	})
}
