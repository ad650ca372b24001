package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/money"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// ErrTaken is returned where another location has the id.
var ErrTaken = errors.New("a location has this id")

// Place is a location, and how many vehicles are under monitoring there.
type Place struct {
	account.Location
	Vehicles int
}

// LocationFacts is a location within a change.
type LocationFacts struct {
	account.Location
	By     staff.Member  // who changes it, as they are now; nobody where it is only read
	Fees   []account.Fee // retired ones too, in no order
	Paying map[Price]int // vehicles that pay exactly the list price
	Flying int           // its payments that are live or not settled
	Now    time.Time
}

// LocationChange is how a location is to be.
type LocationChange struct {
	Location account.Location
	Moves    []Move
	NewFee   *account.Fee
	Retire   string // a fee's id; "": none
	Restore  string
	Trail    trail.Entry
	Moved    func(vehicleID, clientID string, m Move) trail.Entry // of each vehicle that follows
}

// Price is a price of a location's list, a day.
type Price string

const (
	IIDPrice            Price = "iid"
	PAMPrice            Price = "pam"
	LossProtectionPrice Price = "loss_protection"
)

// Prices are all of them.
func Prices() []Price { return []Price{IIDPrice, PAMPrice, LossProtectionPrice} }

// Name is the price as people read it.
func (p Price) Name() string {
	switch p {
	case PAMPrice:
		return "Portable monitor, a day"
	case LossProtectionPrice:
		return "Loss protection, a day"
	}
	return "Interlock, a day"
}

// Of is what a location's list says.
func (p Price) Of(l account.Location) money.Cents {
	switch p {
	case PAMPrice:
		return l.PAMDaily
	case LossProtectionPrice:
		return l.LossProtectionDaily
	}
	return l.IIDDaily
}

// Move has the vehicles that pay exactly a list price follow its change.
type Move struct {
	Price    Price
	From, To money.Cents
	Vehicles int
}

// Site is what an administrator types of a location, besides its rates.
type Site struct {
	ID            string // of a new one
	Name          string
	State         string
	Zone          string
	Payments      account.Payments
	StripeAccount string
	TaxedFees     []account.FeeKind
}

// Zones are the time zones of the United States, the most common first.
func Zones() []string {
	return []string{
		"America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu",
		"America/Detroit", "America/Indiana/Indianapolis", "America/Kentucky/Louisville", "America/Boise", "America/Puerto_Rico",
	}
}

// States are the postal codes of the states, the District of Columbia and Puerto Rico.
func States() []string {
	return strings.Fields("AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA PR RI SC SD TN TX UT VT VA WA WV WI WY")
}

var (
	locationShape = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{1,19}$`)
	stripeShape   = regexp.MustCompile(`^acct_[A-Za-z0-9]{8,40}$`)
)

func (s Site) location(l account.Location, w Wrong) account.Location {
	l.Name = w.words("name", s.Name, "Enter a name, such as Richmond, VA.", 80)
	if l.State = s.State; !slices.Contains(States(), s.State) {
		w["state"] = "Choose a state."
	}
	if zone, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "" || zone == time.Local {
		w["zone"] = "Choose a time zone."
	}
	l.Zone = s.Zone
	switch l.Payments = s.Payments; s.Payments {
	case account.Configured, account.NotConfigured, account.Suspended:
	default:
		w["payments"] = "Choose whether it takes payments."
	}
	l.StripeAccount = strings.TrimSpace(s.StripeAccount)
	if l.StripeAccount != "" && !stripeShape.MatchString(l.StripeAccount) {
		w["stripe_account"] = "An account’s id begins with acct_. Copy it from Stripe."
	}
	l.TaxedFees = nil
	for _, kind := range account.FeeKinds() {
		if slices.Contains(s.TaxedFees, kind) {
			l.TaxedFees = append(l.TaxedFees, kind)
		}
	}
	return l
}

// SiteFields are what is told of a location, besides its rates.
func SiteFields(l account.Location) []Field {
	kinds := make([]string, len(l.TaxedFees))
	for i, kind := range l.TaxedFees {
		kinds[i] = string(kind)
	}
	slices.Sort(kinds)
	return []Field{
		{Name: "Name", Value: trail.Masked(l.Name), exact: l.Name}, {Name: "State", Value: l.State}, {Name: "Time zone", Value: l.Zone}, {Name: "Payments", Value: PaymentsName(l.Payments)},
		{Name: "Stripe account", Value: l.StripeAccount}, {Name: "Fees taxed", Value: strings.Join(kinds, ", ")},
	}
}

// PaymentsName says whether a location takes payments, as people read it.
func PaymentsName(p account.Payments) string {
	switch p {
	case account.Configured:
		return "Configured"
	case account.NotConfigured:
		return "Not configured"
	case account.Suspended:
		return "Suspended"
	}
	return string(p)
}

// Rates are what a location charges.
type Rates struct {
	TaxPPM                   int64
	LossProtectionTaxable    bool
	MonitoringCapMonthly     *money.Cents
	LossProtectionCapMonthly *money.Cents
	StateFeeMonthly          money.Cents
	LaborFee                 money.Cents
	IIDDaily                 money.Cents
	PAMDaily                 money.Cents
	LossProtectionDaily      money.Cents
}

// RatesOf are a location's.
func RatesOf(l account.Location) Rates {
	return Rates{l.TaxPPM, l.LossProtectionTaxable, l.MonitoringCapMonthly, l.LossProtectionCapMonthly, l.StateFeeMonthly, l.LaborFee, l.IIDDaily, l.PAMDaily, l.LossProtectionDaily}
}

func (r Rates) location(l account.Location) account.Location {
	l.TaxPPM, l.LossProtectionTaxable, l.MonitoringCapMonthly, l.LossProtectionCapMonthly = r.TaxPPM, r.LossProtectionTaxable, r.MonitoringCapMonthly, r.LossProtectionCapMonthly
	l.StateFeeMonthly, l.LaborFee, l.IIDDaily, l.PAMDaily, l.LossProtectionDaily = r.StateFeeMonthly, r.LaborFee, r.IIDDaily, r.PAMDaily, r.LossProtectionDaily
	return l
}

// rateMost is more than anything costs: a slip of the keyboard stops here.
const rateMost = 10_000_00

func (r Rates) check(w Wrong) {
	if r.TaxPPM < 0 || r.TaxPPM > ppmMost {
		w["tax"] = percentWords
	}
	for field, c := range map[string]*money.Cents{
		"monitoring_cap": r.MonitoringCapMonthly, "loss_protection_cap": r.LossProtectionCapMonthly, "state_fee": &r.StateFeeMonthly, "labor_fee": &r.LaborFee,
		"iid": &r.IIDDaily, "pam": &r.PAMDaily, "loss_protection": &r.LossProtectionDaily,
	} {
		if c != nil && (*c < 0 || *c > rateMost) {
			w[field] = "Enter an amount up to $10,000.00."
		}
	}
}

// RateFields are what is told of a location's rates.
func RateFields(l account.Location) []Field {
	limit := func(c *money.Cents) string {
		if c == nil {
			return ""
		}
		return c.String()
	}
	out := []Field{
		{Name: "Tax", Value: WritePercent(l.TaxPPM) + "%"}, {Name: "Loss protection taxed", Value: yes(l.LossProtectionTaxable)},
		{Name: "Monitoring, at the most in 30 days", Value: limit(l.MonitoringCapMonthly)}, {Name: "Loss protection, at the most in 30 days", Value: limit(l.LossProtectionCapMonthly)},
		{Name: "State fee, a month", Value: l.StateFeeMonthly.String()}, {Name: "Labor fee", Value: l.LaborFee.String()},
	}
	for _, p := range Prices() {
		out = append(out, Field{Name: p.Name(), Value: p.Of(l).String()})
	}
	return out
}

const (
	ppmMost      = 1_000_000 // 100 %
	percentWords = "Enter a percentage from 0 to 100 with 4 decimals at the most, such as 6.25."
)

// ReadPercent reads a percentage as people type it, "6.25" or "6.25 %", as parts per million, exactly. ok is false for what is none from 0 to 100, and for more than four decimals.
func ReadPercent(typed string) (ppm int64, ok bool) {
	typed = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(typed), "%"))
	whole, part, point := strings.Cut(typed, ".")
	if whole == "" && part == "" || len(whole) > 3 || len(part) > 4 || point && part == "" {
		return 0, false
	}
	n, err := strconv.ParseUint(whole+(part + "0000")[:4], 10, 31)
	return int64(n), err == nil && n <= ppmMost // #nosec G115 -- 31 bits
}

// WritePercent writes parts per million as ReadPercent reads them: 62,500 is "6.25".
func WritePercent(ppm int64) string {
	text := fmt.Sprintf("%d.%04d", ppm/10_000, ppm%10_000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// PercentWords are said of what ReadPercent can't read.
func PercentWords() string { return percentWords }

// --- Reading ---------------------------------------------------------------------------------------------------------------------------------

// Places lists the locations by name. Errors: staff.ErrNotAllowed.
func (d *Desk) Places(ctx context.Context, who staff.Member) ([]Place, error) {
	if err := d.may(ctx, who, staff.SeeAdmin, "see locations", ""); err != nil {
		return nil, err
	}
	return d.places(ctx)
}

func (d *Desk) places(ctx context.Context) ([]Place, error) {
	all, err := d.Store.Places(ctx, listMost)
	slices.SortFunc(all, func(a, b Place) int { return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID)) })
	return all, err
}

// Location is one location, with all that is administered of it.
type Location struct {
	LocationFacts
	History
}

// Location returns a location, its fees by name, those that are charged first. Errors: account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Location(ctx context.Context, who staff.Member, id string) (Location, error) {
	var out Location
	err := d.may(ctx, who, staff.SeeAdmin, "see location", id)
	if err != nil {
		return out, err
	}
	if out.LocationFacts, err = d.Store.ReadLocation(ctx, id); err != nil {
		return out, err
	}
	slices.SortFunc(out.Fees, func(a, b account.Fee) int {
		return cmp.Or(cmp.Compare(yes(a.Retired), yes(b.Retired)), strings.Compare(a.Name, b.Name), cmp.Compare(a.Amount, b.Amount), strings.Compare(a.ID, b.ID))
	})
	out.History, err = d.history(ctx, id)
	return out, err
}

// --- Changing --------------------------------------------------------------------------------------------------------------------------------

const (
	addLocation    = "add location"
	changeLocation = "change location"
	changeRates    = "change rates"
	addFee         = "add fee"
	changeFee      = "change fee"
	retireFee      = "retire fee"
	restoreFee     = "bring back fee"
)

// NewLocation says whether somebody may add one. Errors: staff.ErrNotAllowed.
func (d *Desk) NewLocation(ctx context.Context, who staff.Member) error {
	return d.may(ctx, who, staff.Manage, addLocation, "")
}

// AddLocation adds a location without rates. Errors: a Wrong, staff.ErrNotAllowed.
func (d *Desk) AddLocation(ctx context.Context, who staff.Member, s Site) (id string, err error) {
	if err := d.may(ctx, who, staff.Manage, addLocation, ""); err != nil {
		return "", err
	}
	w := Wrong{}
	l := s.location(account.Location{ID: strings.ToUpper(strings.TrimSpace(s.ID)), LossProtectionTaxable: true}, w)
	if !locationShape.MatchString(l.ID) || trail.HoldsCardNumber(l.ID) {
		w["id"] = "Use 2 to 20 letters, digits and dashes, such as VA-RIC."
	}
	if err = w.orNil(); err == nil {
		now, nowErr := d.Store.Now(ctx)
		if nowErr != nil {
			return "", nowErr
		}
		if err = d.Store.AddLocation(ctx, l, d.entry(who, now, addLocation, l.ID, told(SiteFields(l)))); errors.Is(err, ErrTaken) {
			err = Wrong{"id": "A location has this id already."}
		}
	}
	return l.ID, d.refused(ctx, who, addLocation, "", err)
}

// location runs a change of a location, and writes its refusal down.
func (d *Desk) location(ctx context.Context, who staff.Member, act, id string, version int64, decide func(f LocationFacts) (LocationChange, error)) error {
	if err := d.may(ctx, who, staff.Manage, act, id); err != nil {
		return err
	}
	err := d.Store.ChangeLocation(ctx, who.ID, id, func(f LocationFacts) (LocationChange, error) {
		if err := f.By.May(staff.Manage); err != nil {
			return LocationChange{}, err
		}
		if f.Version != version {
			return LocationChange{}, ErrChanged
		}
		c, err := decide(f)
		if c.Location.ID == "" {
			c.Location = f.Location
		}
		return c, err
	})
	if errors.Is(err, errSame) {
		return nil
	}
	return d.refused(ctx, who, act, id, err)
}

// ChangeLocation changes what is known of a location. Suspending it keeps every link from being sent from now on; one that was sent can be paid, since its quote is bound.
// Its Stripe account stays while one of its payments is live or not settled: payment, PaymentIntent and events are of that account.
// Errors: a Wrong, ErrChanged, ErrInFlight, account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) ChangeLocation(ctx context.Context, who staff.Member, id string, version int64, s Site) error {
	return d.location(ctx, who, changeLocation, id, version, func(f LocationFacts) (LocationChange, error) {
		w := Wrong{}
		l := s.location(f.Location, w)
		if err := w.orNil(); err != nil {
			return LocationChange{}, err
		}
		if l.StripeAccount != f.StripeAccount && f.Flying > 0 {
			return LocationChange{}, ErrInFlight
		}
		changes := changesOf(SiteFields(f.Location), SiteFields(l))
		if len(changes) == 0 {
			return LocationChange{}, errSame
		}
		return LocationChange{Location: l, Trail: d.entry(who, f.Now, changeLocation, id, detail(changes))}, nil
	})
}

// RateChange is what would become of a location's rates.
type RateChange struct {
	Location Location
	Changes  []Change
	Moves    []Move // that could follow
}

// LookAtRates says what would be changed, and which vehicles could follow, and changes nothing: it is confirmed before it acts. Errors: as ChangeRates.
func (d *Desk) LookAtRates(ctx context.Context, who staff.Member, id string, version int64, r Rates) (RateChange, error) {
	var out RateChange
	if err := d.may(ctx, who, staff.Manage, changeRates, id); err != nil {
		return out, err
	}
	var err error
	if out.Location, err = d.Location(ctx, who, id); err != nil {
		return out, err
	}
	w := Wrong{}
	r.check(w)
	switch {
	case out.Location.Version != version:
		err = ErrChanged
	default:
		err = w.orNil()
	}
	if err != nil {
		return out, d.refused(ctx, who, changeRates, id, err)
	}
	after := r.location(out.Location.Location)
	out.Changes = changesOf(RateFields(out.Location.Location), RateFields(after))
	out.Moves = out.Location.moves(after)
	return out, nil
}

// moves are the vehicles that could follow a change of the list. Who pays nothing a day for loss protection has none, and gets none by this; nor is it taken from anybody.
func (f LocationFacts) moves(after account.Location) []Move {
	var out []Move
	for _, p := range Prices() {
		if from, to := p.Of(f.Location), p.Of(after); from != to && from > 0 && to > 0 && f.Paying[p] > 0 {
			out = append(out, Move{p, from, to, f.Paying[p]})
		}
	}
	return out
}

// ChangeRates changes a location's rates. follow has so many vehicles as were shown follow a list price that they pay exactly; payments that were sent keep their frozen quote.
// Errors: a Wrong, ErrChanged if the rates or how many vehicles follow are not as they were shown, account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) ChangeRates(ctx context.Context, who staff.Member, id string, version int64, r Rates, follow map[Price]int) error {
	return d.location(ctx, who, changeRates, id, version, func(f LocationFacts) (LocationChange, error) {
		w := Wrong{}
		r.check(w)
		if err := w.orNil(); err != nil {
			return LocationChange{}, err
		}
		c := LocationChange{Location: r.location(f.Location)}
		changes := changesOf(RateFields(f.Location), RateFields(c.Location))
		if len(changes) == 0 {
			return c, errSame
		}
		what := detail(changes)
		for _, m := range f.moves(c.Location) {
			shown, wanted := follow[m.Price]
			if !wanted {
				continue
			}
			if shown != m.Vehicles {
				return c, ErrChanged
			}
			c.Moves = append(c.Moves, m)
			what += fmt.Sprintf("; %s: also %d vehicles that paid %s", m.Price.Name(), m.Vehicles, m.From)
		}
		if len(c.Moves) != len(follow) {
			return c, ErrChanged
		}
		c.Trail = d.entry(who, f.Now, changeRates, id, what)
		c.Moved = func(vehicleID, clientID string, m Move) trail.Entry {
			e := d.entry(who, f.Now, "change daily rate", vehicleID, fmt.Sprintf("%s: %s → %s, with the list of %s", m.Price.Name(), m.From, m.To, trail.Masked(f.Name)))
			e.ClientID = clientID
			return e
		}
		return c, nil
	})
}

// FeeTyped is what an administrator types of a fee.
type FeeTyped struct {
	Name   string
	Kind   account.FeeKind
	Amount money.Cents
}

func (t FeeTyped) fee(id, locationID string, w Wrong) account.Fee {
	f := account.Fee{ID: id, LocationID: locationID, Name: w.words("name", t.Name, "Enter a name, as it stands on the invoice.", 60), Kind: t.Kind, Amount: t.Amount}
	if !slices.Contains(account.FeeKinds(), t.Kind) {
		w["kind"] = "Choose what it is for."
	}
	if t.Amount <= 0 || t.Amount > rateMost {
		w["amount"] = "Enter an amount up to $10,000.00, such as 35.00."
	}
	return f
}

// FeeFields are what is told of a fee.
func FeeFields(f account.Fee) []Field {
	return []Field{{Name: "Fee", Value: trail.Masked(f.Name), exact: f.Name}, {Name: "Kind", Value: string(f.Kind)}, {Name: "Amount", Value: f.Amount.String()}}
}

// twin refuses a name that another fee on the list has.
func (f LocationFacts) twin(one account.Fee, but string) error {
	for _, other := range f.Fees {
		if !other.Retired && other.ID != but && strings.EqualFold(other.Name, one.Name) {
			return Wrong{"name": "The list has a fee of this name already."}
		}
	}
	return nil
}

func (f LocationFacts) fee(id string, retired bool) (account.Fee, error) {
	for _, one := range f.Fees {
		if one.ID == id && one.Retired == retired {
			return one, nil
		}
		if one.ID == id {
			return one, ErrChanged
		}
	}
	return account.Fee{}, account.ErrNotFound
}

// AddFee adds a fee to a location's list. Errors: a Wrong, ErrChanged, account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) AddFee(ctx context.Context, who staff.Member, id string, version int64, t FeeTyped) error {
	return d.location(ctx, who, addFee, id, version, func(f LocationFacts) (LocationChange, error) {
		w := Wrong{}
		one := t.fee(d.NewID(), id, w)
		if err := cmp.Or(w.orNil(), f.twin(one, "")); err != nil {
			return LocationChange{}, err
		}
		return LocationChange{NewFee: &one, Trail: d.entry(who, f.Now, addFee, id, told(FeeFields(one)))}, nil
	})
}

// ChangeFee puts a fee in another's place, which is retired: a fee's id means one name and one amount for ever, so that an invoice that is being written is refused instead of costing
// something else than was read out. Errors: as AddFee.
func (d *Desk) ChangeFee(ctx context.Context, who staff.Member, id string, version int64, feeID string, t FeeTyped) error {
	return d.location(ctx, who, changeFee, id, version, func(f LocationFacts) (LocationChange, error) {
		before, err := f.fee(feeID, false)
		if err != nil {
			return LocationChange{}, err
		}
		w := Wrong{}
		one := t.fee(d.NewID(), id, w)
		if err := cmp.Or(w.orNil(), f.twin(one, feeID)); err != nil {
			return LocationChange{}, err
		}
		changes := changesOf(FeeFields(before), FeeFields(one))
		if len(changes) == 0 {
			return LocationChange{}, errSame
		}
		return LocationChange{NewFee: &one, Retire: feeID, Trail: d.entry(who, f.Now, changeFee, id, trail.Masked(before.Name)+": "+detail(changes))}, nil
	})
}

// RetireFee takes a fee off the list; invoices keep it. Errors: ErrChanged, account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) RetireFee(ctx context.Context, who staff.Member, id string, version int64, feeID string) error {
	return d.location(ctx, who, retireFee, id, version, func(f LocationFacts) (LocationChange, error) {
		one, err := f.fee(feeID, false)
		return LocationChange{Retire: feeID, Trail: d.entry(who, f.Now, retireFee, id, told(FeeFields(one)))}, err
	})
}

// RestoreFee puts a retired fee on the list again. Errors: a Wrong, ErrChanged, account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) RestoreFee(ctx context.Context, who staff.Member, id string, version int64, feeID string) error {
	return d.location(ctx, who, restoreFee, id, version, func(f LocationFacts) (LocationChange, error) {
		one, err := f.fee(feeID, true)
		if err == nil {
			err = f.twin(one, feeID)
		}
		return LocationChange{Restore: feeID, Trail: d.entry(who, f.Now, restoreFee, id, told(FeeFields(one)))}, err
	})
}
