package clock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"paylink/internal/day"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/pay"
)

// ErrRange is returned for a range of days that ends before it begins, begins in the future, or has more than RangeMost days.
var ErrRange = errors.New("the days to reconcile must be in order, begun, and at most 366")

// RangeMost is how many days one run compares.
const RangeMost = 366

// Stripe is Stripe's own record of what has moved on its accounts' balances. "" is the platform's account.
type Stripe interface {
	// Movements gives the balance transactions created in [from, to), newest first, page by page.
	Movements(ctx context.Context, account string, from, to time.Time, each func([]pay.Movement) error) error
	// MovementsOf lists what one object has moved: a PaymentIntent's charge, a refund, a payout, or one balance transaction. None: nothing has moved.
	MovementsOf(ctx context.Context, account, object string) ([]pay.Movement, error)
	// Balance is the net of all that has ever moved.
	Balance(ctx context.Context, account string) (money.Cents, error)
}

// Booked is an entry of the ledger, as far as a Stripe account's clearing account goes.
type Booked struct {
	Cause     string
	Account   string
	PaymentID string
	ChargeID  string      // by which its payment succeeded; "" if none is known
	Amount    money.Cents // on the clearing account
	At        time.Time
}

// Books is our side.
type Books interface {
	Now(ctx context.Context) (time.Time, error)
	StripeAccounts(ctx context.Context) ([]string, error)
	// Booked finds entries by their causes.
	Booked(ctx context.Context, causes []string) (map[string]Booked, error)
	// Cleared lists the entries of [from, to) that touch an account's clearing account.
	Cleared(ctx context.Context, account string, from, to time.Time) ([]Booked, error)
	// ClearingBefore sums up an account's clearing account over all entries before a time.
	ClearingBefore(ctx context.Context, account string, to time.Time) (money.Cents, error)
	// Post adds entries; one whose cause is in the books already is left as it is.
	Post(ctx context.Context, entries []ledger.Entry) error
	// PaymentBy finds a payment by its PaymentIntent, or else by its own id. Errors: pay.ErrNotFound.
	PaymentBy(ctx context.Context, intentID, paymentID string) (pay.Payment, error)
	// Unsettled counts live payments, and cancels of closed ones that Stripe has not answered.
	Unsettled(ctx context.Context) (live, cancels int, err error)
	// KeepDay keeps how a day came out.
	KeepDay(ctx context.Context, k Kept) error
}

// Till puts right what the books lack.
type Till interface {
	// Tend asks Stripe about a payment and settles it.
	Tend(ctx context.Context, paymentID string) error
	// Rebuild books a succeeded PaymentIntent of ours that no payment has (T24).
	Rebuild(ctx context.Context, account, intentID string) error
}

// Kept is how the reconciliation of a day came out.
type Kept struct {
	Day         day.Date
	EndedAt     time.Time
	Differences int
	Report      Report
}

// Reconciler compares the ledger with Stripe's balance transactions. All fields but Recovering are required.
type Reconciler struct {
	Stripe     Stripe
	Books      Books
	Till       Till
	NewID      func() string
	Recovering bool // reconcile-only mode: the report says what is not settled yet
}

// Reconcile compares the days from first to last, in UTC, and keeps how each came out that is over. On the way it posts Stripe's fees and payouts, and has
// what lacks in the books settled. Differences are no error; what could not be compared is, and holds up no other account or day: the report then tells what
// could be. Errors: ErrRange, the books' and Stripe's.
func (r *Reconciler) Reconcile(ctx context.Context, first, last day.Date) (Report, error) {
	now, err := r.Books.Now(ctx)
	if err != nil {
		return Report{}, err
	}
	if last < first || first > day.Of(now.UTC()) || first.DaysUntil(last) >= RangeMost {
		return Report{}, ErrRange
	}
	accounts, err := r.Books.StripeAccounts(ctx)
	if err != nil {
		return Report{}, err
	}
	slices.Sort(accounts)
	var problems []error
	whole := Report{First: first, Last: last, RanAt: now}
	for d := first; d <= last && !d.Time().After(now); d = d.AddDays(1) {
		one := Report{First: d, Last: d, RanAt: now}
		end := d.AddDays(1).Time()
		for _, account := range accounts {
			s := &side{Reconciler: r, report: &one, lines: one.account(account), account: account, day: d, from: d.Time(), to: end, matched: map[string]bool{}}
			if err := s.compare(ctx, now); err != nil {
				problems = append(problems, fmt.Errorf("%s on %s: %w", nameOf(account), d, err))
				one.Failed = append(one.Failed, Failure{Day: d, Account: account, Text: err.Error()})
			}
			if ctx.Err() != nil {
				return Report{}, ctx.Err()
			}
		}
		if r.Recovering {
			one.Unsettled = &Unsettled{}
			if one.Unsettled.Live, one.Unsettled.Cancels, err = r.Books.Unsettled(ctx); err != nil {
				return Report{}, err
			}
		}
		if !end.After(now) && len(one.Failed) == 0 {
			if err := r.Books.KeepDay(ctx, Kept{Day: d, Differences: one.Count, Report: one}); err != nil {
				return Report{}, err
			}
		}
		whole.add(one)
	}
	return whole, errors.Join(problems...)
}

// side compares one account on one day.
type side struct {
	*Reconciler
	report   *Report
	lines    *Account
	account  string
	day      day.Date
	from, to time.Time
	matched  map[string]bool // causes that a movement of this day explains
	late     money.Cents     // booked after the day for movements of the day, less what was booked in it for later ones
}

// fact is what a movement must have left on the clearing account, under which cause.
type fact struct {
	kind   Kind
	cause  string // "" for one that has no place in the books
	amount money.Cents
}

// factsOf says what a movement means to the books, by its type (docs.stripe.com/reports/balance-transaction-types).
func factsOf(m pay.Movement) []fact {
	var f fact
	switch {
	case (m.Type == "charge" || m.Type == "payment") && m.IntentID != "":
		f = fact{Charges, "receipt " + m.IntentID, m.Amount}
	case (m.Type == "refund" || m.Type == "payment_refund") && m.Source != "":
		f = fact{Refunds, "refund " + m.Source, m.Amount}
	case m.Type == "refund_failure" && m.Source != "":
		f = fact{FailedRefunds, "refund failed " + m.Source, m.Amount}
	case m.Type == "adjustment" && (strings.HasPrefix(m.Source, "dp_") || strings.HasPrefix(m.Source, "du_")):
		return []fact{{Disputes, "dispute " + m.ID, m.Amount - m.Fee}} // a dispute's fee is booked with it
	case m.Type == "payout" && m.Source != "":
		f = fact{Payouts, "payout " + m.Source, m.Amount}
	case (m.Type == "payout_failure" || m.Type == "payout_cancel") && m.Source != "":
		f = fact{Payouts, "payout failed " + m.Source, m.Amount}
	case m.Type == "stripe_fee":
		return []fact{{Fees, "fee " + m.ID, m.Amount - m.Fee}}
	default:
		return []fact{{Other, "", m.Amount - m.Fee}}
	}
	if m.Fee == 0 {
		return []fact{f}
	}
	return []fact{f, {Fees, "fee " + m.ID, -m.Fee}}
}

// posting is the entry that the reconciliation itself makes of a fact; nil where a payment's transition makes it.
func (s *side) posting(f fact, m pay.Movement) *ledger.Entry {
	other := ledger.Fees
	switch f.kind {
	case Fees:
	case Payouts:
		other = ledger.Bank
	default:
		return nil
	}
	e := ledger.Entry{ID: s.NewID(), StripeAccount: s.account, Cause: f.cause, At: m.At}
	e.Add(ledger.StripeClearing, f.amount)
	e.Add(other, -f.amount)
	if len(e.Postings) == 0 {
		return nil
	}
	return &e
}

func (s *side) compare(ctx context.Context, now time.Time) error {
	if err := s.Stripe.Movements(ctx, s.account, s.from, s.to, func(page []pay.Movement) error { return s.page(ctx, page) }); err != nil {
		return err
	}
	rows, err := s.Books.Cleared(ctx, s.account, s.from, s.to)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if !s.matched[row.Cause] {
			if err := s.unexplained(ctx, row); err != nil {
				return err
			}
		}
	}
	return s.control(ctx, now)
}

// page compares Stripe's movements with the books.
func (s *side) page(ctx context.Context, page []pay.Movement) error {
	var entries []ledger.Entry
	var causes []string
	for _, m := range page {
		for _, f := range factsOf(m) {
			if e := s.posting(f, m); e != nil {
				entries = append(entries, *e)
			}
			if f.cause != "" {
				causes = append(causes, f.cause)
			}
		}
	}
	if err := s.Books.Post(ctx, entries); err != nil {
		return err
	}
	booked, err := s.Books.Booked(ctx, causes)
	if err != nil {
		return err
	}
	for _, m := range page {
		for _, f := range factsOf(m) {
			b, ok := booked[f.cause]
			if err := s.fact(ctx, m, f, b, ok && f.cause != ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// fact compares one fact with what is booked under its cause.
func (s *side) fact(ctx context.Context, m pay.Movement, f fact, b Booked, ok bool) error {
	if f.amount == 0 && !ok {
		return nil // nothing has moved, and nothing can be booked
	}
	s.lines.theirs(f.kind, f.amount)
	d := Difference{Kind: f.kind, Type: m.Type, Movement: m.ID, Source: m.Source, IntentID: m.IntentID, Cause: f.cause, Stripe: &f.amount, At: m.At, ours: m.Origin.PaymentID != ""}
	if !ok && f.cause != "" {
		var err error
		if b, ok, err = s.repair(ctx, m, f, &d); err != nil {
			return err
		}
	}
	switch {
	case f.cause == "":
		return s.differ(ctx, d, UnknownType)
	case !ok:
		return s.differ(ctx, d, NotInBooks)
	case s.matched[f.cause], f.kind == Charges && b.ChargeID != "" && b.ChargeID != m.Source:
		return s.differ(ctx, d, Twice)
	}
	s.matched[f.cause] = true
	s.lines.ours(f.kind, b.Amount)
	if !b.At.Before(s.to) {
		s.late += b.Amount
	}
	d.Books, d.Other = &b.Amount, b.Account
	switch {
	case b.Account != s.account:
		return s.differ(ctx, d, OtherAccount)
	case b.Amount != f.amount:
		return s.differ(ctx, d, OtherAmount)
	}
	return nil
}

// repair has the payment of a movement settled that the books lack, and looks again.
func (s *side) repair(ctx context.Context, m pay.Movement, f fact, d *Difference) (Booked, bool, error) {
	p, err := s.payment(ctx, m.IntentID, m.Origin.PaymentID)
	if err != nil {
		return Booked{}, false, err
	}
	switch {
	case m.IntentID == "":
		return Booked{}, false, nil
	case p.IntentID == m.IntentID:
		d.failed = s.Till.Tend(ctx, p.ID)
	case f.kind == Charges && m.Origin.PaymentID != "":
		d.failed = s.Till.Rebuild(ctx, s.account, m.IntentID)
	default:
		return Booked{}, false, nil
	}
	again, err := s.Books.Booked(ctx, []string{f.cause})
	b, ok := again[f.cause]
	if ok {
		s.report.Repaired = append(s.report.Repaired, Repair{Account: s.account, Kind: f.kind, Amount: f.amount, IntentID: m.IntentID, Source: m.Source, PaymentID: b.PaymentID})
	}
	return b, ok, err
}

// payment finds a payment by its PaymentIntent, or else by its own id; a zero one if there is none.
func (s *side) payment(ctx context.Context, intentID, paymentID string) (pay.Payment, error) {
	if intentID == "" && paymentID == "" {
		return pay.Payment{}, nil
	}
	p, err := s.Books.PaymentBy(ctx, intentID, paymentID)
	if errors.Is(err, pay.ErrNotFound) {
		return pay.Payment{}, nil
	}
	return p, err
}

// unexplained is a row of the books that no movement of the day explains. It may have moved on another day, which compares it: most rows are booked a moment
// after Stripe moved, and some of those moments have midnight in between.
func (s *side) unexplained(ctx context.Context, row Booked) error {
	kind, object := causeOf(row.Cause)
	d := Difference{Kind: kind, Cause: row.Cause, Books: &row.Amount, PaymentID: row.PaymentID, Source: object, At: row.At}
	if object != "" {
		moved, err := s.Stripe.MovementsOf(ctx, s.account, object)
		if err != nil {
			return err
		}
		for _, m := range moved {
			for _, f := range factsOf(m) {
				if f.cause != row.Cause {
					continue
				}
				if !m.At.Before(s.to) {
					s.late -= row.Amount
				}
				return nil
			}
		}
	}
	s.lines.ours(kind, row.Amount)
	return s.differ(ctx, d, NotAtStripe)
}

// causeOf reads what factsOf writes.
func causeOf(cause string) (Kind, string) {
	for _, c := range []struct {
		prefix string
		kind   Kind
	}{
		{"receipt pi_", Charges}, {"refund failed re_", FailedRefunds}, {"refund re_", Refunds}, {"dispute txn_", Disputes}, {"payout failed po_", Payouts}, {"payout po_", Payouts},
		{"fee txn_", Fees},
	} {
		if strings.HasPrefix(cause, c.prefix) {
			return c.kind, cause[strings.LastIndexByte(cause, ' ')+1:]
		}
	}
	return Other, ""
}

func (s *side) differ(ctx context.Context, d Difference, what Problem) error {
	p, err := s.payment(ctx, d.IntentID, d.PaymentID)
	if err != nil {
		return err
	}
	if p.ID != "" {
		d.PaymentID, d.Reference, d.ClientID = p.ID, p.Reference(), p.ClientID
	}
	d.Day, d.Account, d.Problem = s.day, s.account, what
	d.Text = d.sentence()
	s.report.differ(d)
	return nil
}

// controlWithin is how long after a day its control total is worked out: all that has moved since is read for it.
const controlWithin = 48 * time.Hour

// control compares all that was ever booked with all that ever moved, at the end of the day or now. Stripe tells only today's balance; what has moved since
// the day is taken off.
func (s *side) control(ctx context.Context, now time.Time) error {
	if now.Sub(s.to) > controlWithin {
		return nil
	}
	since := func() (net money.Cents, err error) {
		err = s.Stripe.Movements(ctx, s.account, s.to, s.to.Add(RangeMost*24*time.Hour), func(page []pay.Movement) error {
			for _, m := range page {
				if !strings.Contains(m.Type, " in ") {
					net += m.Amount - m.Fee
				}
			}
			return nil
		})
		return net, err
	}
	for range 3 { // until nothing has moved while it was read
		before, err := since()
		if err != nil {
			return err
		}
		balance, err := s.Stripe.Balance(ctx, s.account)
		if err != nil {
			return err
		}
		after, err := since()
		if err != nil {
			return err
		}
		if before != after {
			continue
		}
		booked, err := s.Books.ClearingBefore(ctx, s.account, s.to)
		if err != nil {
			return err
		}
		s.lines.Control = &Control{Stripe: balance - after, Books: booked + s.late}
		return nil
	}
	return nil
}
