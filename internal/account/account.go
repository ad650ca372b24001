// Package account holds the facts of a client's account: who the client is, what they drive, where it is serviced and at which rates.
package account

import (
	"errors"
	"time"

	"paylink/internal/day"
	"paylink/internal/money"
	"paylink/internal/phone"
	"paylink/internal/trail"
)

// ErrNotFound is returned for a client, vehicle or location that does not exist or that the asker may not see.
var ErrNotFound = errors.New("not found")

// ErrSameCard is returned for a card that is on record already, as another one.
var ErrSameCard = errors.New("this card is on record already")

// Program is the kind of device that a client pays for.
type Program string

const (
	IID Program = "iid" // ignition-interlock device, in a vehicle
	PAM Program = "pam" // portable alcohol monitor, carried
)

// Payments says whether a location can take payments.
type Payments string

const (
	Configured    Payments = "configured"
	NotConfigured Payments = "not_configured"
	Suspended     Payments = "suspended"
)

// Location is a service location: a company center or a dealer. Its JSON form carries the pricing terms only.
type Location struct {
	ID            string `json:"id"`
	Name          string `json:"-"` // "Richmond, VA"
	State         string `json:"-"` // "VA"
	Zone          string `json:"-"` // IANA time zone, "America/New_York"
	StripeAccount string `json:"-"` // connected account it settles to; "" is the platform's own

	Address string       `json:"-"` // "2100 Mill Road, Richmond, VA 23220"; "": not known
	Phone   phone.Number `json:"-"` // of its desk; zero: not known

	Payments                 Payments     `json:"payments"`
	TaxPPM                   int64        `json:"tax_ppm"` // parts per million of the taxable amount
	LossProtectionTaxable    bool         `json:"loss_protection_taxable"`
	MonitoringCapMonthly     *money.Cents `json:"monitoring_cap_monthly"`      // per 30 days; nil: none
	LossProtectionCapMonthly *money.Cents `json:"loss_protection_cap_monthly"` // per 30 days; nil: none
	StateFeeMonthly          money.Cents  `json:"state_fee_monthly"`           // per calendar month touched
	LaborFee                 money.Cents  `json:"labor_fee"`                   // paid at the center, information only

	TaxedFees           []FeeKind   `json:"-"` // kinds of fee that are taxed here, at TaxPPM
	IIDDaily            money.Cents `json:"-"` // list price a day, for new vehicles: a vehicle's own rate is what it pays
	PAMDaily            money.Cents `json:"-"`
	LossProtectionDaily money.Cents `json:"-"`
	Version             int64       `json:"-"` // of the row, for changes that must not undo another's
}

// FeeKind says what a fee is for, which decides whether a location taxes it.
type FeeKind string

const (
	ServiceFee        FeeKind = "service"        // work: an installation, a relocation
	EquipmentFee      FeeKind = "equipment"      // things: a lost handset, mouthpieces
	AdministrativeFee FeeKind = "administrative" // a missed appointment, a report
)

// FeeKinds are all of them.
func FeeKinds() []FeeKind { return []FeeKind{ServiceFee, EquipmentFee, AdministrativeFee} }

// Fee is an entry of a location's list: what may be invoiced besides monitoring.
type Fee struct {
	ID         string
	LocationID string
	Name       string // "Missed appointment"
	Kind       FeeKind
	Amount     money.Cents // before tax, above zero
	Retired    bool        // no longer charged
}

// Note is what somebody wrote about a client, or what the service noted by itself. It is never changed.
type Note struct {
	ID        string
	ClientID  string
	At        time.Time
	By        trail.Actor
	PaymentID string // that it tells of; "" for none
	Text      string
}

// Card is a client's card on file. It lives on the platform's customer at Stripe; only the client adds one.
type Card struct {
	ID            string
	ClientID      string
	Customer      string // cus_…
	PaymentMethod string // pm_…
	Brand         string // "visa", "mastercard"
	Last4         string
	Funding       string // "credit", "debit", "prepaid", "unknown"
	ExpMonth      int
	ExpYear       int  // four digits
	Main          bool // the one that is charged unless another is chosen
	TermsVersion  string
	TermsLanguage string // in which the client agreed to its being kept
	AddedAt       time.Time
	RemovedAt     time.Time // zero: on file
	Refused       string    // the bank's word that it must not be charged again; "": it may
	Fingerprint   string    // Stripe's, the same for a number wherever it is entered; "": not known
	SetupID       string    // seti_… by which it was added: what the client agreed to is on record there; "" for none
	Warned        int       // the Month of the expiration that the client was warned of; 0: of none
}

// OnFile says whether a card was not removed.
func (c Card) OnFile() bool { return c.RemovedAt.IsZero() }

// Chargeable says whether a card can be charged at a day, as far as we know.
func (c Card) Chargeable(today day.Date) bool {
	return c.OnFile() && c.Refused == "" && !c.Expired(today)
}

// Month is a card's last month, counted on: year × 12 + month.
func (c Card) Month() int { return c.ExpYear*12 + c.ExpMonth }

// LastDay is the day that it still is somewhere on earth at a moment. A card on file belongs to no location: by this day it is good until its month is over everywhere.
func LastDay(now time.Time) day.Date { return day.Of(now.UTC().Add(-12 * time.Hour)) }

// Expired says whether a card's last month is over at a day.
func (c Card) Expired(today day.Date) bool {
	t := today.Time()
	return c.ExpYear < t.Year() || c.ExpYear == t.Year() && c.ExpMonth < int(t.Month())
}

// ExpiresSoon says whether a card's last month is this one or the next.
func (c Card) ExpiresSoon(today day.Date) bool {
	t := today.Time()
	return !c.Expired(today) && c.Month() <= t.Year()*12+int(t.Month())+1
}

// Today returns the day that it is at the location at a moment. An unknown zone counts as UTC.
func (l Location) Today(now time.Time) day.Date { return day.Of(now.In(l.TimeZone())) }

// TimeZone returns the location's time zone, UTC if it is unknown.
func (l Location) TimeZone() *time.Location {
	zone, err := time.LoadLocation(l.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// HardshipKind says how a hardship program lowers monitoring.
type HardshipKind string

const (
	ClientPays  HardshipKind = "client_pays"  // the client pays Percent of it
	FundMonthly HardshipKind = "fund_monthly" // a fund pays Amount per 30 days
	FundFull    HardshipKind = "fund_full"    // a fund pays all of it
)

// Hardship is a reduction granted by a state's program.
type Hardship struct {
	Kind           HardshipKind `json:"kind"`
	Percent        int64        `json:"percent"` // what the client pays, 0 to 100
	Amount         money.Cents  `json:"amount"`  // per 30 days
	ReducesTaxBase bool         `json:"reduces_tax_base"`
	ExemptStateFee bool         `json:"exempt_state_fee"`
}

// Vehicle is what a client pays monitoring for: a vehicle with an interlock, or a portable monitor. Its JSON form carries the pricing terms only.
type Vehicle struct {
	ID         string `json:"-"`
	ClientID   string `json:"-"`
	LocationID string `json:"-"`
	Label      string `json:"-"` // "2016 Honda Civic"; "Portable monitor"
	Plate      string `json:"-"` // "ABC-1234"; "" for a portable monitor
	PlateState string `json:"-"`

	Program             Program     `json:"program"`
	DailyRate           money.Cents `json:"daily_rate"`
	LossProtectionDaily money.Cents `json:"loss_protection_daily"` // 0: not opted in
	PaidTo              day.Date    `json:"paid_to"`               // Paid To Date: the first day that is not paid
	PaidBy              string      `json:"-"`                     // payment that has moved it last; "" for none of ours
	Hardship            *Hardship   `json:"hardship"`              // nil: none
	StateFeeMonths      []day.Month `json:"state_fee_months_billed"`
}

// Standing is what an account owes or is owed, from the ledger, less what live payments have reserved.
type Standing struct {
	PastDue   money.Cents `json:"past_due"` // invoiced before and not paid, never negative
	Credit    money.Cents `json:"credit"`   // never negative
	TaxExempt bool        `json:"tax_exempt"`
}

// Client is a person with an account.
type Client struct {
	ID          string
	FirstName   string
	LastName    string
	Language    string // "en" or "es"
	Email       string
	Phone       phone.Number
	TaxExempt   bool
	Collections bool // in collections: no payment link may be sent
	AutoPayDays int  // 14 or 30; 0: not enrolled
	Notes       string
	// What the client agreed to when Auto Pay was turned on: a version of the terms and its language; "" while it is off, and where it came with an import.
	AutoPayTerms, AutoPayLanguage string
}

// Name returns first and last name.
func (c Client) Name() string { return c.FirstName + " " + c.LastName }

// Found is a client as a search shows them.
type Found struct {
	ID        string
	FirstName string
	LastName  string
	Phone     phone.Number
	Vehicles  []string // label and plate
}

// Terms says what a text is agreed to for. Each kind has versions of its own, and the last one that was published is in force.
type Terms string

const (
	PaymentTerms Terms = "payment" // by whoever pays once
	CardTerms    Terms = "card"    // by a client whose card is kept: the mandate
)
