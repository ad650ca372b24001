// Package ledger is the books: invoices, and double-entry postings that are only ever added.
package ledger

import (
	"errors"
	"fmt"
	"time"

	"paylink/internal/day"
	"paylink/internal/money"
)

// ErrPosted is returned where an entry of the same cause is in the books already: the fact was booked before, and nothing was added.
var ErrPosted = errors.New("already posted")

// Account is a ledger account. Assets and receivables grow by debits, which are positive here; income, liabilities and credits by negative amounts.
type Account string

const (
	Receivable            Account = "receivable"              // what the client owes
	ClientCredit          Account = "client_credit"           // what we owe the client
	StripeClearing        Account = "stripe_clearing"         // charged, not yet paid out; per Stripe account
	Fees                  Account = "fees"                    // what Stripe keeps; per Stripe account
	Bank                  Account = "bank"                    // paid out; per Stripe account
	Unapplied             Account = "unapplied"               // money that came and is not yet booked to anything
	RefundsPayable        Account = "refunds_payable"         // to be given back and not yet gone
	Disputes              Account = "disputes"                // taken from us by the bank, until it has decided; what was lost stays
	RevenueMonitoring     Account = "revenue_monitoring"      // unpaid days too
	RevenueLossProtection Account = "revenue_loss_protection" //
	RevenueDiscount       Account = "revenue_discount"        // hardship that nobody pays us for
	RevenueFees           Account = "revenue_fees"            // invoiced from a location's list
	HardshipFund          Account = "hardship_fund"           // what a state's fund owes us
	TaxPayable            Account = "tax_payable"
	StateFeePayable       Account = "state_fee_payable"
	Opening               Account = "opening" // the other side of imported balances
)

// Posting is one row of an entry: a debit if the amount is positive, a credit if it is negative.
type Posting struct {
	Account Account
	Amount  money.Cents
}

// Entry is one fact booked: rows that sum up to nothing. Cause is unique in the books, so that no fact is booked twice;
// it names the object that caused it, such as "receipt pi_…" or "invoice pay_…".
type Entry struct {
	ID            string
	ClientID      string // "" where it is no client's: Stripe's fees, payouts
	PaymentID     string // "" where no payment stands behind it
	StripeAccount string // connected account whose clearing it touches; "" is the platform's own
	Cause         string
	At            time.Time
	Postings      []Posting
}

// Add appends a row unless its amount is zero.
func (e *Entry) Add(a Account, amount money.Cents) {
	if amount != 0 {
		e.Postings = append(e.Postings, Posting{a, amount})
	}
}

// Check returns an error unless debits equal credits and a cause is named.
func (e Entry) Check() error {
	var sum money.Cents
	for _, p := range e.Postings {
		var err error
		if sum, err = sum.Add(p.Amount); err != nil {
			return err
		}
	}
	if sum != 0 || e.Cause == "" || len(e.Postings) == 0 {
		return fmt.Errorf("entry %q does not balance: %d rows sum up to %d cents", e.Cause, len(e.Postings), sum)
	}
	return nil
}

// Open is an account's opening entry: the balances that it comes with from elsewhere. It has no postings if both are zero.
func Open(id, clientID string, pastDue, credit money.Cents, at time.Time) Entry {
	e := Entry{ID: id, ClientID: clientID, Cause: "opening " + clientID, At: at}
	e.Add(Receivable, pastDue)
	e.Add(ClientCredit, -credit)
	e.Add(Opening, credit-pastDue)
	return e
}

// Line is a line of an invoice; its kinds are quote.Kind's words, and "fee_" and an account.FeeKind.
type Line struct {
	Kind   string      `json:"kind"`
	Label  string      `json:"label,omitempty"` // a fee's name, as it was then
	Days   int         `json:"days,omitempty"`
	Count  int         `json:"count,omitempty"` // of a fee: how many times it was charged; 0 for what is counted in days
	Amount money.Cents `json:"amount"`          // of all days, or of all times
}

// Invoice is what a client was charged for, as it was issued.
type Invoice struct {
	ID         string
	Number     string // for people to quote: the day and the payment's reference
	ClientID   string
	VehicleID  string // "" for a pending balance
	PaymentID  string // the payment that it was issued by
	Door       string // how it was paid: "link", "agent", "client", "autopay", "center"; "" where it was added at the desk, to be paid later
	IssuedAt   time.Time
	LocationID string // where the client was serviced; "" where an import did not say
	Location   string // its name then, "Richmond, VA"
	Zone       string // its time zone then, whose days the invoice counts in; "": UTC
	Vehicle    string // the vehicle's label then; "" for none
	TaxPPM     int64  // rate of its tax, in parts per million; 0: none was due
	Lines      []Line
	Subtotal   money.Cents
	Tax        money.Cents
	Total      money.Cents // subtotal and tax
	PaidToFrom day.Date    // Paid To Date before; "" if none moved
	PaidTo     day.Date    // Paid To Date after; "" if none moved
}

// Day is the day on which the invoice was issued, where it was.
func (i Invoice) Day() day.Date {
	zone, err := time.LoadLocation(i.Zone)
	if err != nil {
		zone = time.UTC
	}
	return day.Of(i.IssuedAt.In(zone))
}
