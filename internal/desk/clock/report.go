package clock

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"paylink/internal/day"
	"paylink/internal/money"
)

// Kind is what has moved, as the report counts it.
type Kind string

const (
	Charges       Kind = "charges"
	Refunds       Kind = "refunds"
	FailedRefunds Kind = "failed refunds"
	Disputes      Kind = "disputes"
	Fees          Kind = "fees"
	Payouts       Kind = "payouts"
	Other         Kind = "other"
)

// kinds is their order in a report.
func kinds() []Kind {
	return []Kind{Charges, Refunds, FailedRefunds, Disputes, Fees, Payouts, Other}
}

// of words an amount of a kind: "a refund of $8.58", though it takes as much away.
func (k Kind) of(c money.Cents) string {
	if c < 0 && (k == Refunds || k == Fees || k == Payouts) {
		return (-c).String()
	}
	return c.String()
}

// Problem is what is wrong.
type Problem string

const (
	NotInBooks   Problem = "not_in_books"
	NotAtStripe  Problem = "not_at_stripe"
	OtherAmount  Problem = "other_amount"
	OtherAccount Problem = "other_account"
	Twice        Problem = "twice"
	UnknownType  Problem = "unknown_type"
)

// Report is how a reconciliation came out. Amounts are cents, as they change the clearing account: what comes in is positive.
type Report struct {
	First       day.Date     `json:"first"` // days in UTC, the last one included
	Last        day.Date     `json:"last"`
	RanAt       time.Time    `json:"ran_at"`
	Accounts    []*Account   `json:"accounts"`
	Failed      []Failure    `json:"not_compared,omitempty"`
	Repaired    []Repair     `json:"repaired,omitempty"`
	Count       int          `json:"differences_count"`
	Differences []Difference `json:"differences"` // the first differencesMost of them
	Unsettled   *Unsettled   `json:"unsettled,omitempty"`
}

// differencesMost is how many differences a report spells out.
const differencesMost = 500

// Failure is an account that could not be compared, or not wholly.
type Failure struct {
	Day     day.Date `json:"day"`
	Account string   `json:"account"`
	Text    string   `json:"text"`
}

// Account is one Stripe account's part of a report.
type Account struct {
	ID      string         `json:"account"` // "" is the platform's own
	Lines   map[Kind]*Line `json:"lines"`
	Control *Control       `json:"control,omitempty"` // of the last day for which it is known
}

// Line counts one kind.
type Line struct {
	Stripe Sum `json:"stripe"`
	Books  Sum `json:"books"`
}

// Sum is so many movements, and their amount.
type Sum struct {
	Count int         `json:"count"`
	Sum   money.Cents `json:"cents"`
}

// Control is what there is on an account by Stripe and by the books, over all time.
type Control struct {
	Stripe money.Cents `json:"stripe_cents"`
	Books  money.Cents `json:"books_cents"`
}

// Repair is something that the books lacked and now have.
type Repair struct {
	Account   string      `json:"account"`
	Kind      Kind        `json:"kind"`
	Amount    money.Cents `json:"cents"`
	IntentID  string      `json:"payment_intent"`
	Source    string      `json:"source"`
	PaymentID string      `json:"payment"`
}

// Unsettled is what a restore has left to do.
type Unsettled struct {
	Live    int `json:"live_payments"`
	Cancels int `json:"unanswered_cancels"`
}

// Difference is one fact on which Stripe and the books do not agree.
type Difference struct {
	Day       day.Date     `json:"day"`
	Account   string       `json:"account"`
	Kind      Kind         `json:"kind"`
	Problem   Problem      `json:"problem"`
	Stripe    *money.Cents `json:"stripe_cents"` // null: Stripe has none
	Books     *money.Cents `json:"books_cents"`  // null: the books have none
	Type      string       `json:"type,omitempty"`
	Movement  string       `json:"balance_transaction,omitempty"`
	Source    string       `json:"source,omitempty"`
	IntentID  string       `json:"payment_intent,omitempty"`
	PaymentID string       `json:"payment,omitempty"`
	Reference string       `json:"reference,omitempty"`
	ClientID  string       `json:"client,omitempty"`
	Cause     string       `json:"cause,omitempty"` // of the entry
	Other     string       `json:"booked_on,omitempty"`
	At        time.Time    `json:"at"`
	Text      string       `json:"text"`

	ours   bool  // its metadata names a payment of ours
	failed error // what a repair has met
}

func (r *Report) account(id string) *Account {
	for _, a := range r.Accounts {
		if a.ID == id {
			return a
		}
	}
	a := &Account{ID: id, Lines: map[Kind]*Line{}}
	r.Accounts = append(r.Accounts, a)
	return a
}

func (a *Account) line(k Kind) *Line {
	if a.Lines[k] == nil {
		a.Lines[k] = &Line{}
	}
	return a.Lines[k]
}

func (a *Account) theirs(k Kind, amount money.Cents) { a.line(k).Stripe.add(Sum{1, amount}) }
func (a *Account) ours(k Kind, amount money.Cents)   { a.line(k).Books.add(Sum{1, amount}) }

func (s *Sum) add(t Sum) { s.Count, s.Sum = s.Count+t.Count, s.Sum+t.Sum }

func (r *Report) differ(d Difference) {
	if r.Count++; len(r.Differences) < differencesMost {
		r.Differences = append(r.Differences, d)
	}
}

// add takes a later day into a report of several.
func (r *Report) add(day Report) {
	for _, a := range day.Accounts {
		sum := r.account(a.ID)
		for k, l := range a.Lines {
			sum.line(k).Stripe.add(l.Stripe)
			sum.line(k).Books.add(l.Books)
		}
		sum.Control = a.Control
	}
	r.Failed = append(r.Failed, day.Failed...)
	r.Repaired = append(r.Repaired, day.Repaired...)
	count := r.Count + day.Count
	for _, d := range day.Differences {
		r.differ(d)
	}
	r.Count, r.Unsettled = count, day.Unsettled
}

// nameOf is an account as people call it.
func nameOf(account string) string { return cmp.Or(account, "the platform's own account") }

// subject is what a difference is about, with all the names by which it can be found.
func (d Difference) subject() string {
	var names []string
	if d.Reference != "" {
		names = append(names, fmt.Sprintf("payment %s of client %s", d.Reference, d.ClientID))
	}
	for _, id := range []string{d.IntentID, d.Source, d.Movement} {
		if id != "" && (len(names) == 0 || names[len(names)-1] != id) {
			names = append(names, id)
		}
	}
	return strings.Join(names, ", ")
}

// sentence says what is wrong and what to do about it.
func (d Difference) sentence() string {
	one := strings.TrimSuffix(string(d.Kind), "s")
	if d.Kind == Other {
		one = "movement"
	}
	amount := func(c *money.Cents) string { return d.Kind.of(*c) }
	switch d.Problem {
	case NotInBooks:
		todo := "Ask at Stripe's dashboard who made it, and have it booked."
		switch {
		case d.failed != nil:
			todo = "Settling it failed (" + d.failed.Error() + "). Run this again; if it stays, have it booked by hand."
		case d.Kind == Charges && d.PaymentID == "" && !d.ours:
			todo = "It was not made by this service: ask at Stripe's dashboard who charged it."
		case d.Kind == Charges:
			todo = "The payment was settled and still has no receipt: look at its trail, and have it booked by hand."
		case d.Kind == Refunds:
			todo = "If nobody of ours made it, ask at Stripe's dashboard who did; it must be booked to the payment."
		case d.Kind == Disputes:
			todo = "It must be booked to the payment."
		}
		return fmt.Sprintf("Stripe has a %s of %s that is not in the books (%s). %s", one, amount(d.Stripe), d.subject(), todo)
	case NotAtStripe:
		return fmt.Sprintf("The books have a %s of %s that Stripe does not know (%s; entry “%s”). Look it up at Stripe's dashboard; if it is not there, the entry must be reversed.",
			one, amount(d.Books), d.subject(), d.Cause)
	case OtherAmount:
		return fmt.Sprintf("A %s is %s at Stripe and %s in the books (%s; entry “%s”). Stripe's amount is what moved: the books must be corrected by %s.",
			one, *d.Stripe, *d.Books, d.subject(), d.Cause, *d.Stripe-*d.Books)
	case OtherAccount:
		return fmt.Sprintf("A %s of %s is booked on %s, and moved on %s (%s; entry “%s”). The entry must be moved to the account where the money is.",
			one, amount(d.Stripe), nameOf(d.Other), nameOf(d.Account), d.subject(), d.Cause)
	case Twice:
		return fmt.Sprintf("Stripe has a second %s of %s for one that is booked already (%s; entry “%s”). If a client was charged twice, refund it today.", one, amount(d.Stripe), d.subject(), d.Cause)
	}
	return fmt.Sprintf("Stripe has a movement of %s of the type “%s”, for which the books have no place (%s). Finance decides where it belongs.", amount(d.Stripe), d.Type, d.subject())
}

// Write writes the report for people.
func (r Report) Write(out io.Writer) error {
	w := &lineWriter{out: out}
	days := string(r.First)
	if r.Last != r.First {
		days += " to " + string(r.Last)
	}
	w.line("Reconciliation of %s (days in UTC), run at %s", days, r.RanAt.UTC().Format("2006-01-02 15:04 MST"))
	for _, f := range r.Failed {
		w.line("NOT COMPARED: %s on %s: %s", nameOf(f.Account), f.Day, f.Text)
	}
	switch {
	case r.Count == 0 && len(r.Failed) > 0:
		w.line("What could be compared agrees.")
	case r.Count == 0:
		w.line("The books agree with Stripe.")
	case r.Count == 1:
		w.line("There is 1 difference.")
	default:
		w.line("There are %d differences.", r.Count)
	}
	if u := r.Unsettled; u != nil {
		w.line("")
		w.line("Reconcile-only: %d live payments, %d cancels that Stripe has not answered. It may end when both are 0 and the cash taken since the backup is entered.", u.Live, u.Cancels)
	}
	for _, a := range r.Accounts {
		w.line("")
		w.line("Stripe account: %s", nameOf(a.ID))
		w.line("  %-15s %8s %16s %8s %16s", "", "Stripe", "", "books", "")
		var sum Line
		for _, k := range kinds() {
			l := a.Lines[k]
			if l == nil {
				continue
			}
			mark := ""
			if l.Stripe != l.Books {
				mark = "  ←"
			}
			w.line("  %-15s %8d %16s %8d %16s%s", k, l.Stripe.Count, l.Stripe.Sum.Accounting(), l.Books.Count, l.Books.Sum.Accounting(), mark)
			sum.Stripe.add(l.Stripe)
			sum.Books.add(l.Books)
		}
		w.line("  %-15s %8d %16s %8d %16s", "all", sum.Stripe.Count, sum.Stripe.Sum.Accounting(), sum.Books.Count, sum.Books.Sum.Accounting())
		if c := a.Control; c != nil {
			w.line("  %-15s %8s %16s %8s %16s", "total ever", "", c.Stripe.Accounting(), "", c.Books.Accounting())
			if c.Stripe != c.Books {
				w.line("  The totals differ by %s: what moved before these books began, or differences of these or other days.", c.Stripe-c.Books)
			}
		}
	}
	if len(r.Repaired) > 0 {
		w.line("")
		w.line("Put right: the books lacked this, and it was settled now")
		for n, one := range r.Repaired {
			w.line("  %d. %s of %s (%s, payment %s)", n+1, strings.TrimSuffix(string(one.Kind), "s"), one.Kind.of(one.Amount), one.IntentID, one.PaymentID)
		}
	}
	if len(r.Differences) > 0 {
		w.line("")
		w.line("Differences")
		for n, d := range r.Differences {
			w.line("  %d. %s, %s: %s", n+1, d.Day, nameOf(d.Account), d.Text)
		}
		if more := r.Count - len(r.Differences); more > 0 {
			w.line("  … and %d more", more)
		}
	}
	return w.err
}

// lineWriter remembers the first error.
type lineWriter struct {
	out io.Writer
	err error
}

func (w *lineWriter) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintln(w.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
}
