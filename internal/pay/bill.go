package pay

import (
	"strings"

	"paylink/internal/account"
	"paylink/internal/ledger"
	"paylink/internal/money"
)

// Bill is an invoice with everything that its page and its PDF show.
type Bill struct {
	Invoice ledger.Invoice
	Client  account.Client
	Due     money.Cents      // what is still owed of it
	Payment *Payment         // that issued it; nil: it was added to be paid later, or is from before these books
	Card    Card             // with which that was paid
	Notes   []ledger.Invoice // credit notes that belong to it, oldest first
	Of      *ledger.Invoice  // of a credit note: the invoice that it takes back
}

// FileName is the name of the bill's PDF. A number that came with an import may hold anything.
func (b Bill) FileName() string {
	name := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' {
			return r
		}
		return -1
	}, b.Invoice.Number)
	return "invoice-" + name + ".pdf"
}
