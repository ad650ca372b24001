// Package agent is what a person at PLUS Web does: find a client, quote, send a secure payment link, follow it.
package agent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/day"
	"paylink/internal/ledger"
	"paylink/internal/link"
	"paylink/internal/money"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/quote"
	"paylink/internal/sms"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// What the desk refuses, besides what the nouns refuse. Nothing was sent where one of these is returned.
var (
	ErrLandline   = sms.ErrLandline
	ErrOptedOut   = sms.ErrOptedOut
	ErrConsent    = errors.New("the payer’s consent to be texted is needed")
	ErrAnothers   = errors.New("the number belongs to another client, and nobody has confirmed it")
	ErrCardNumber = trail.ErrCardNumber
	ErrTooLong    = trail.ErrTooLong
)

// BlockedError says why no payment can be sent; it is pay.ErrBlocked.
type BlockedError struct{ Why Blocked }

func (e *BlockedError) Error() string { return pay.ErrBlocked.Error() + ": " + string(e.Why) }

// Is makes errors.Is(err, pay.ErrBlocked) true.
func (e *BlockedError) Is(target error) bool { return target == pay.ErrBlocked }

// MovedError says what the total is now; it is pay.ErrTotalMoved.
type MovedError struct {
	Shown, Now     money.Cents
	ShownTo, NowTo day.Date // the new Paid To Date, where that was shown and has moved
}

func (e *MovedError) Error() string { return pay.ErrTotalMoved.Error() }

// Is makes errors.Is(err, pay.ErrTotalMoved) true.
func (e *MovedError) Is(target error) bool { return target == pay.ErrTotalMoved }

// Blocked is why no payment can be sent: quote.Blocked's words, and these.
type Blocked = quote.Blocked

const (
	// InCollections: the account is with a collections company, which alone may take its money.
	InCollections Blocked = "in_collections"
	// Paused: in reconcile-only mode nothing is offered to pay. pay.Machine refuses with pay.ErrPaused.
	Paused Blocked = "paused"
	// NeedsReview: money for the vehicle came after its link had closed, and nobody has decided about it yet. pay.Machine refuses with pay.ErrNeedsReview.
	NeedsReview Blocked = "needs_review"
	// NotAnswering: the card processor does not answer just now. A text would not leave, or its link could not be paid.
	NotAnswering Blocked = "not_answering"
)

// Store is what the desk reads.
type Store interface {
	// Client returns account.ErrNotFound for none.
	Client(ctx context.Context, id string) (account.Client, []account.Vehicle, error)
	Location(ctx context.Context, id string) (account.Location, error)
	// Standing leaves out what live payments have reserved; Balance leaves out nothing, and is negative for a credit.
	Standing(ctx context.Context, c account.Client) (account.Standing, error)
	Balance(ctx context.Context, clientID string) (money.Cents, error)
	// SearchClients takes the words and, if they are a telephone number, that number. Locations are those where one of a client's vehicles must be serviced; none: anywhere.
	SearchClients(ctx context.Context, words string, number phone.Number, locations []string, limit int) ([]account.Found, error)
	// History lists what has happened to an account, newest first, after a place: at most limit rows that a sieve lets through. Due is left to the desk.
	History(ctx context.Context, clientID string, s pay.Sieve, after pay.Place, limit int) ([]pay.Happened, error)
	// Bill reads an invoice with all that belongs to it. Errors: account.ErrNotFound.
	Bill(ctx context.Context, invoiceID string) (pay.Bill, error)
	// Account reads all that a charge to an account is decided upon. Errors: account.ErrNotFound.
	Account(ctx context.Context, clientID string) (Account, error)
	// AddInvoice writes what decide decides, in one transaction that has locked the account. An invoice that the form key has added before is returned, and nothing is decided.
	// Errors: account.ErrNotFound and decide's.
	AddInvoice(ctx context.Context, clientID, formKey string, decide func(Account) (Charge, error)) (ledger.Invoice, error)
	// PaymentsOf lists a client's payments, newest first.
	PaymentsOf(ctx context.Context, clientID string, limit int) ([]pay.Payment, error)
	// PaymentsAfter lists a client's payments, newest first: those after one of them, or from the first on.
	PaymentsAfter(ctx context.Context, clientID, after string, limit int) ([]pay.Payment, error)
	// NewestLinks returns the newest link of each of some payments, by payment.
	NewestLinks(ctx context.Context, paymentIDs []string) (map[string]link.Link, error)
	// ClientsAt lists the clients on whose record a telephone number is.
	ClientsAt(ctx context.Context, number phone.Number, limit int) ([]account.Client, error)
	// Appointments lists a client's, the latest first.
	Appointments(ctx context.Context, clientID string, limit int) ([]appointment.Appointment, error)
	// Disputed lists the ids of a client's payments that somebody disputes at the bank now.
	Disputed(ctx context.Context, clientID string) ([]string, error)
	// Notes lists a client's notes, newest first: those after one of them, or from the first on.
	Notes(ctx context.Context, clientID, after string, limit int) ([]account.Note, error)
	// AddNote keeps a note and a trail entry in one transaction, both as of now. A note whose id is kept already changes nothing.
	AddNote(ctx context.Context, n account.Note, e trail.Entry) error
	// Pulse is cheap.
	Pulse(ctx context.Context, clientID string) (Pulse, error)
	// Access returns account.ErrNotFound for a client who was never invited to My Account.
	Access(ctx context.Context, clientID string) (account.Access, error)
	// Invite writes an invitation as of now, and ends every session and passkey of the client's; one whose letter is there already changes nothing.
	// Errors: ErrHasAccess, ErrInvitedOften, account.ErrNotFound.
	Invite(ctx context.Context, i Invitation) error
	// Cards lists a client's cards on file, the main one first. Card returns a removed one, too; account.ErrNotFound for none.
	Cards(ctx context.Context, clientID string) ([]account.Card, error)
	Card(ctx context.Context, id string) (account.Card, error)
	View(ctx context.Context, paymentID string) (pay.View, error)
	Links(ctx context.Context, paymentID string) ([]link.Link, error)
	Messages(ctx context.Context, paymentID string) ([]sms.Message, error)
	OptedOut(ctx context.Context, e164 string) (bool, error)
	// Blocked notes that nothing could be sent, with its trail entry; the same one, of the same day, a second time changes nothing.
	Blocked(ctx context.Context, b BlockedTry, e trail.Entry) error
	Write(ctx context.Context, e trail.Entry) error
	Now(ctx context.Context) (time.Time, error)
	Member(ctx context.Context, id string) (staff.Member, error)
}

// Machine is the till.
type Machine interface {
	Send(ctx context.Context, o pay.Order) (pay.Payment, error)
	Collect(ctx context.Context, c pay.Collection) (pay.Payment, error)
	Resend(ctx context.Context, paymentID string, by trail.Actor) error
	Revoke(ctx context.Context, paymentID string, by trail.Actor, why pay.Reason, words string) (pay.State, error)
}

// Desk is PLUS Web's desk. All fields but Paused and Mail are required.
type Desk struct {
	Store    Store
	Machine  Machine
	Carrier  sms.Lines
	Printer  Printer
	NewID    func() string
	Password func() string // a temporary one, random
	Salt     func() []byte // fresh and random, staff.SaltBytes long
	Down     func() bool   // the card processor does not answer, as far as its last calls tell
	Paused   bool          // reconcile-only mode: nothing is offered to pay
	Mail     bool          // letters leave: without a mail server nobody is invited
}

const (
	searchMost = 20
	listMost   = 50
)

func (d *Desk) entry(who staff.Member, at time.Time, act, object, clientID string) trail.Entry {
	return trail.Entry{ID: d.NewID(), At: at, Actor: actor(who), Act: act, Object: object, ClientID: clientID}
}

func actor(who staff.Member) trail.Actor { return trail.Actor{Kind: trail.Staff, ID: who.ID} }

// refused writes a refusal into the trail and returns why. A trail that can't be written is the worse news.
func (d *Desk) refused(ctx context.Context, who staff.Member, act, object, clientID string, why error) error {
	now, err := d.Store.Now(ctx)
	if err != nil {
		return err
	}
	e := d.entry(who, now, act, object, clientID)
	e.Refused = why.Error()
	if err := d.Store.Write(ctx, e); err != nil {
		return err
	}
	return why
}

// Search finds clients by id, name, telephone number or plate, at most twenty, and says whether there are more.
func (d *Desk) Search(ctx context.Context, who staff.Member, words string) (found []account.Found, more bool, err error) {
	if err := d.allow(ctx, who, staff.SeeClients, "search clients", "", ""); err != nil {
		return nil, false, err
	}
	if len(words) > 100 {
		return nil, false, nil
	}
	number, _ := phone.Parse(words) // words that are no number are searched as words
	if found, err = d.Store.SearchClients(ctx, words, number, who.Scope().Locations, searchMost+1); err != nil {
		return nil, false, err
	}
	if more = len(found) > searchMost; more {
		found = found[:searchMost]
	}
	return found, more, nil
}

// Client is a client's page.
type Client struct {
	account.Client
	Vehicles []Vehicle
	Balance  money.Cents // what is owed; negative: a credit
	LiveID   string      // the newest live payment; "" if there is none
	Live     []pay.Payment
	Now      time.Time
}

// Vehicle is what is paid for, and where it is serviced.
type Vehicle struct {
	account.Vehicle
	Location  account.Location
	Elsewhere bool // outside of the locations of whoever asks: to be read, and no more
}

// Client returns a client's page. Errors: account.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Client(ctx context.Context, who staff.Member, id string) (Client, error) {
	var out Client
	if err := d.allow(ctx, who, staff.SeeClients, "see client", id, id); err != nil {
		return out, err
	}
	c, vehicles, err := d.Store.Client(ctx, id)
	if err != nil {
		return out, err
	}
	out.Client = c
	for _, v := range vehicles {
		l, err := d.Store.Location(ctx, v.LocationID)
		if err != nil {
			return out, err
		}
		out.Vehicles = append(out.Vehicles, Vehicle{v, l, within(who, l.ID) != nil})
	}
	if out.Balance, err = d.Store.Balance(ctx, id); err != nil {
		return out, err
	}
	payments, err := d.Store.PaymentsOf(ctx, id, listMost)
	if err != nil {
		return out, err
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return out, err
	}
	out.Now = now
	for _, p := range payments {
		if p.Effective(now).Live() {
			out.Live = append(out.Live, p)
		}
	}
	if len(out.Live) > 0 {
		out.LiveID = out.Live[0].ID
	}
	return out, nil
}

// Choice is what is to be paid for.
type Choice struct {
	ClientID  string
	VehicleID string
	Days      int
}

// Summary is an Invoice Summary, and what an agent should know before sending it.
type Summary struct {
	pay.Frozen
	Client   account.Client
	Vehicle  account.Vehicle
	Location account.Location
	Warnings []Warning
	Blocked  Blocked // "": it may be sent
	OptedOut bool    // the client's own number
	LiveID   string  // the live payment of this vehicle; "": none
	Now      time.Time
}

// Warning is one thing that an agent should tell the client or know.
type Warning struct {
	Kind string // "past_due", "unpaid_days", "auto_pay", "live_link", "opted_out"
	Text string
}

// autoPaySoon is how near Auto Pay must be for the agent to be told: the client may be about to pay twice.
const autoPaySoon = 3 // days

// Summary prices a choice as of now, for a link. Errors: account.ErrNotFound, staff.ErrNotAllowed, quote.ErrDays.
func (d *Desk) Summary(ctx context.Context, who staff.Member, c Choice) (Summary, error) {
	if err := d.allow(ctx, who, staff.SendLinks, "quote", c.VehicleID, c.ClientID); err != nil {
		return Summary{}, err
	}
	if c.VehicleID == "" {
		return Summary{}, account.ErrNotFound
	}
	out, err := d.summary(ctx, who, c)
	if err != nil {
		return out, err
	}
	return out, d.blockedHere(ctx, who, out)
}

// blockedHere notes a summary that says that nothing can be paid.
func (d *Desk) blockedHere(ctx context.Context, who staff.Member, s Summary) error {
	if s.Blocked == "" || s.Vehicle.ID == "" {
		return nil
	}
	return d.noteBlocked(ctx, who, s.Vehicle, s.Location, s.Now, s.Blocked)
}

// summary is the one place where what somebody is about to pay is priced and warned of. A choice without a vehicle is the pending balance alone, at the first vehicle's location, as
// pay.Store has it.
func (d *Desk) summary(ctx context.Context, who staff.Member, c Choice) (Summary, error) {
	var out Summary
	client, vehicles, err := d.Store.Client(ctx, c.ClientID)
	if err != nil {
		return out, err
	}
	i := 0
	if c.VehicleID != "" {
		i = indexOf(vehicles, c.VehicleID)
	}
	if i < 0 || len(vehicles) == 0 {
		return out, account.ErrNotFound
	}
	if err := within(who, vehicles[i].LocationID); err != nil {
		return out, d.refused(ctx, who, "quote", c.VehicleID, c.ClientID, err)
	}
	facts := pay.Facts{Client: client}
	if c.VehicleID != "" {
		facts.Vehicle, out.Vehicle = &vehicles[i], vehicles[i]
	}
	if facts.Location, err = d.Store.Location(ctx, vehicles[i].LocationID); err != nil {
		return out, err
	}
	if facts.Standing, err = d.Store.Standing(ctx, client); err != nil {
		return out, err
	}
	if facts.Now, err = d.Store.Now(ctx); err != nil {
		return out, err
	}
	payments, err := d.Store.PaymentsOf(ctx, c.ClientID, listMost)
	if err != nil {
		return out, err
	}
	var last *pay.Payment // the vehicle's newest that has ended
	review := false       // a person has to look at one of the vehicle's payments
	for i, p := range payments {
		if p.VehicleID != c.VehicleID {
			continue
		}
		if last == nil && (!p.State.Live() || !p.ClosedAt.IsZero()) {
			last = &payments[i]
		}
		review = review || p.State == pay.Review
		if p.State.Live() {
			// What this vehicle's own payment has reserved is part of what the vehicle owes.
			facts.Standing.PastDue += p.Frozen.Summary.PastDue
			facts.Standing.Credit += p.Frozen.Summary.CreditApplied
			if p.Effective(facts.Now).Live() {
				out.LiveID = p.ID
			}
		}
	}
	if out.OptedOut, err = d.Store.OptedOut(ctx, client.Phone.E164()); err != nil {
		return out, err
	}
	if out.Frozen, err = facts.Freeze(c.Days); err != nil {
		return out, err
	}
	out.Client, out.Location, out.Now = client, facts.Location, facts.Now
	out.Blocked = blocked(client, out.Frozen.Summary)
	if (review || last != nil && last.State == pay.PaidAfterClose) && out.Blocked != InCollections {
		out.Blocked = NeedsReview
	}
	if d.Paused {
		out.Blocked = Paused
	}
	if out.Blocked == "" && d.Down() {
		out.Blocked = NotAnswering
	}
	out.Warnings = warnings(out)
	return out, nil
}

func indexOf(vehicles []account.Vehicle, id string) int {
	for i := range vehicles {
		if vehicles[i].ID == id {
			return i
		}
	}
	return -1
}

func blocked(c account.Client, s quote.Summary) Blocked {
	switch {
	case c.Collections:
		return InCollections
	case s.Blocked != nil:
		return *s.Blocked
	}
	return ""
}

func warnings(s Summary) []Warning {
	var out []Warning
	add := func(kind, format string, args ...any) { out = append(out, Warning{kind, fmt.Sprintf(format, args...)}) }
	if s.LiveID != "" && s.Blocked != NeedsReview {
		add("live_link", "A payment for this vehicle is under way. Resend its link, or cancel it and start anew.")
	}
	if due := s.Frozen.Summary.PastDue; due > 0 {
		add("past_due", "The account is past due by %s. It is paid with this payment.", due)
	}
	if n := s.Frozen.Input.UnpaidDays(); n > 0 {
		add("unpaid_days", "%s since the Paid To Date are not paid. They are billed with the new ones.", days(n))
	}
	if in := s.Frozen.Input; s.Client.AutoPayDays > 0 && in.Vehicle != nil && in.AsOf.DaysUntil(s.Vehicle.PaidTo) <= autoPaySoon {
		add("auto_pay", "Auto Pay is on and charges within %s. A payment now moves its date.", days(max(1, in.AsOf.DaysUntil(s.Vehicle.PaidTo))))
	}
	if s.OptedOut {
		add("opted_out", "The client’s number has opted out of our texts. Ask for another number, or for START from this one.")
	}
	return out
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// Message is a link to be sent.
type Message struct {
	Choice
	Phone    string      // as typed
	Shown    money.Cents // the Total Due Amount that the agent has read out
	Consent  bool        // somebody else pays, and has agreed to be texted
	Payer    string      // who pays, if it is somebody else: in the agent's words
	Sure     string      // Anothers.Key of what the agent was told of a number that belongs to another client, and confirmed
	Language string      // of the text; "" is the client's
	FormKey  string      // of the form: a second click sends nothing twice
}

// form is the key of what the form asks for: sent again as it was it finds its first payment, corrected it asks for another.
func (m Message) form(number phone.Number) string {
	if m.FormKey == "" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %d", m.FormKey, number.E164(), m.VehicleID, m.Days))
	return hex.EncodeToString(sum[:])
}

// Send prices once more and sends the link. Errors, with nothing sent: phone.ErrInvalid, phone.ErrNotMobile, ErrLandline, ErrOptedOut, ErrConsent, ErrAnothers, ErrCardNumber,
// *MovedError, *BlockedError, *pay.LiveError, pay.ErrNeedsReview, pay.ErrPaused, quote.ErrDays, account.ErrNotFound, staff.ErrNotAllowed. A carrier that does not say what kind of line a number is does not stop it.
func (d *Desk) Send(ctx context.Context, who staff.Member, m Message) (pay.Payment, error) {
	if err := d.allow(ctx, who, staff.SendLinks, "send link", m.VehicleID, m.ClientID); err != nil {
		return pay.Payment{}, err
	}
	p, err := d.send(ctx, who, m)
	if refusal(err) {
		if err := d.sendBlocked(ctx, who, m.Choice, err); err != nil {
			return p, err
		}
		return p, d.refused(ctx, who, "send link", m.VehicleID, m.ClientID, err)
	}
	return p, err
}

// refusal says whether an error is our own no, which belongs into the trail, and not a fault.
func refusal(err error) bool {
	for _, no := range []error{phone.ErrInvalid, phone.ErrNotMobile, ErrLandline, ErrOptedOut, ErrConsent, ErrAnothers, ErrCardNumber, ErrTooLong, pay.ErrTotalMoved, pay.ErrBlocked, pay.ErrLive,
		pay.ErrClosed, pay.ErrElsewhere, pay.ErrResends, pay.ErrNeedsReview, pay.ErrPaused, pay.ErrAccountBusy, staff.ErrNotAllowed, quote.ErrDays, quote.ErrNone, quote.ErrFee, quote.ErrCount, ErrWhere,
		ErrNoCard, ErrCardExpired, ErrChargeConsent, pay.ErrBrand} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

func (d *Desk) send(ctx context.Context, who staff.Member, m Message) (pay.Payment, error) {
	payer, err := trail.FreeText(m.Payer)
	if err != nil {
		return pay.Payment{}, err
	}
	number, err := phone.Parse(m.Phone)
	if err != nil {
		return pay.Payment{}, err
	}
	client, vehicles, err := d.Store.Client(ctx, m.ClientID)
	if err != nil {
		return pay.Payment{}, err
	}
	i := indexOf(vehicles, m.VehicleID)
	if i < 0 {
		return pay.Payment{}, account.ErrNotFound
	}
	if err := within(who, vehicles[i].LocationID); err != nil {
		return pay.Payment{}, err
	}
	own := number == client.Phone
	if !own && !m.Consent {
		return pay.Payment{}, ErrConsent
	}
	if err := sms.Reaches(ctx, number, d.Store, d.Carrier); err != nil {
		return pay.Payment{}, err
	}
	anothers, err := d.anothers(ctx, who, client.ID, number)
	if err != nil {
		return pay.Payment{}, err
	}
	if !own && anothers.Key() != m.Sure && len(anothers) > 0 {
		return pay.Payment{}, ErrAnothers
	}
	language, detail := m.Language, "the client's number"
	if language != "en" && language != "es" {
		language = client.Language
	}
	if !own {
		detail = "another number, consent given: " + payer
		if len(anothers) > 0 {
			detail += "; confirmed though it is on the record of client " + anothers.Key()
		}
	}
	return d.Machine.Send(ctx, pay.Order{
		ClientID: m.ClientID, VehicleID: m.VehicleID, FormKey: m.form(number), By: actor(who), Detail: detail,
		Link: link.Link{Phone: number, OwnNumber: own, Language: language, SentBy: who.ID},
		Price: func(f pay.Facts) (pay.Frozen, error) {
			frozen, err := f.Freeze(m.Days)
			if err != nil {
				return frozen, err
			}
			why := blocked(f.Client, frozen.Summary)
			if why == "" && d.Down() {
				why = NotAnswering
			}
			if why != "" {
				return frozen, &BlockedError{why}
			}
			if now := frozen.Summary.TotalDue; now != m.Shown {
				return frozen, &MovedError{Shown: m.Shown, Now: now}
			}
			return frozen, nil
		},
	})
}

// Resend sends a new link for the same payment. Errors: ErrOptedOut, *BlockedError, pay.ErrClosed, pay.ErrElsewhere, pay.ErrResends, pay.ErrNeedsReview, pay.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Resend(ctx context.Context, who staff.Member, paymentID string) error {
	v, err := d.payment(ctx, who, staff.SendLinks, "resend link", paymentID)
	if err != nil {
		return err
	}
	err = d.resend(ctx, who, v)
	if refusal(err) {
		return d.refused(ctx, who, "resend link", paymentID, v.Payment.ClientID, err)
	}
	return err
}

func (d *Desk) resend(ctx context.Context, who staff.Member, v pay.View) error {
	if err := within(who, v.Payment.LocationID); err != nil {
		return err
	}
	if v.Link != nil && v.Payment.State.Live() {
		if out, err := d.Store.OptedOut(ctx, v.Link.Phone.E164()); err != nil {
			return err
		} else if out {
			return ErrOptedOut
		}
		if d.Down() { // its PaymentIntent is there, but nobody could pay it
			return &BlockedError{NotAnswering}
		}
	}
	return d.Machine.Resend(ctx, v.Payment.ID, actor(who))
}

// Cancel revokes a payment, with a reason in the agent's words. It returns where the payment stands: it may be too late to stop it.
// Errors: ErrCardNumber, ErrTooLong, pay.ErrClosed, pay.ErrNeedsReview, pay.ErrNotFound, staff.ErrNotAllowed.
func (d *Desk) Cancel(ctx context.Context, who staff.Member, paymentID, reason string) (pay.State, error) {
	const act = "revoke payment"
	if err := d.allow(ctx, who, staff.SendLinks, act, paymentID, ""); err != nil {
		return "", err
	}
	reason, err := trail.FreeText(reason)
	if err != nil {
		return "", d.refused(ctx, who, act, paymentID, "", err)
	}
	v, err := d.payment(ctx, who, staff.SendLinks, act, paymentID)
	if err != nil {
		return "", err
	}
	var state pay.State
	if err = within(who, v.Payment.LocationID); err == nil {
		state, err = d.Machine.Revoke(ctx, paymentID, actor(who), pay.ReasonAgent, reason)
	}
	if refusal(err) {
		return state, d.refused(ctx, who, act, paymentID, v.Payment.ClientID, err)
	}
	return state, err
}
