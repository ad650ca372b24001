package pay

import (
	"strconv"
	"strings"
	"time"

	"paylink/internal/ledger"
	"paylink/internal/money"
)

// Happening is what a row of an account's history is.
type Happening int

// In the order in which things of one moment happen.
const (
	Invoiced   Happening = iota + 1
	Received             // an invoice from before these books was paid, somewhere else
	ChargeMade           // a payment took money, or a card on file was declined
	Credited             // a credit note
	RefundMade           // a refund
)

// What of an account's history is shown.
type What string

const (
	AllOfIt      What = ""
	InvoicesOnly What = "invoices"
	PaymentsOnly What = "payments"
	RefundsOnly  What = "refunds" // and credit notes
)

// Kinds are the rows of a choice, from first to last.
func (w What) Kinds() (first, last Happening) {
	switch w {
	case InvoicesOnly:
		return Invoiced, Invoiced
	case PaymentsOnly:
		return Received, ChargeMade
	case RefundsOnly:
		return Credited, RefundMade
	}
	return Invoiced, RefundMade
}

// Place is where in a history a row stands; the zero Place is before the newest one.
type Place struct {
	At   time.Time
	Kind Happening
	ID   string
}

// String is the place as an address holds it.
func (p Place) String() string {
	return strconv.FormatInt(p.At.UnixMilli(), 10) + "." + strconv.Itoa(int(p.Kind)) + "." + p.ID
}

// PlaceOf reads what String wrote, and says whether it could.
func PlaceOf(text string) (Place, bool) {
	at, rest, _ := strings.Cut(text, ".")
	kind, id, ok := strings.Cut(rest, ".")
	ms, err := strconv.ParseInt(at, 10, 64)
	n, kindErr := strconv.Atoi(kind)
	if !ok || len(id) > 200 || err != nil || kindErr != nil {
		return Place{}, false
	}
	return Place{At: time.UnixMilli(ms), Kind: Happening(n), ID: id}, true
}

// Sieve says which rows are wanted.
type Sieve struct {
	First, Last Happening
	VehicleID   string    // "": of all, and of none
	From, Until time.Time // of [From, Until); zero: open
}

// Happened is one row of an account's history.
type Happened struct {
	Place
	Invoice  *ledger.Invoice // Invoiced, Credited and Received
	Newer    money.Cents     // of an invoice to be paid later: what was charged so after it
	Due      money.Cents     // of an invoice: what is still owed
	Back     money.Cents     // of an invoice: what credit notes have taken back
	BillID   string          // ChargeMade and RefundMade: the invoice that the payment has issued; "" for none
	Payment  *Payment        // ChargeMade and RefundMade
	Card     Card            // with which it was paid, or tried last; zero where none is known
	Disputed bool            // somebody contests it at the bank now
	Refund   *Refund         // RefundMade
}

// PageOf makes a page of so many rows of what a store has found, which was asked for one more, and says what is still due of each invoice by what the account owes now. next is the place from which the
// next page goes on; nil: this is the last.
func PageOf(found []Happened, limit int, owed money.Cents) (rows []Happened, next *Place) {
	if len(found) > limit {
		found = found[:limit]
		next = &found[limit-1].Place
	}
	for i := range found {
		if found[i].Kind == Invoiced {
			found[i].Due = found[i].Invoice.Due(found[i].Newer, owed)
		}
	}
	return found, next
}
