package clock

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"paylink/internal/account"
	"paylink/internal/autopay"
	"paylink/internal/day"
	"paylink/internal/lang"
	"paylink/internal/pay"
	"paylink/internal/post"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

// RunKey names a run of Auto Pay.
type RunKey struct {
	VehicleID string
	Due       day.Date
}

// Runs is what Auto Pay reads and writes. Every method is one transaction.
type Runs interface {
	Now(ctx context.Context) (time.Time, error)
	// PlanRuns adds a run for each vehicle of an enrolled client whose Paid To Date comes by a day and has none yet, at most so many. One that has stopped because Auto Pay was off, or because the date
	// had moved, waits again.
	PlanRuns(ctx context.Context, by day.Date, limit int) error
	// DueRuns lists runs that want to be looked at, oldest first.
	DueRuns(ctx context.Context, limit int) ([]RunKey, error)
	// TakeRun gives one scheduler a run that is due until the lease is over. ok is false if there is nothing to do.
	TakeRun(ctx context.Context, k RunKey, lease time.Duration) (r autopay.Run, ok bool, err error)
	// SaveRun writes how a run stands, with what the client is told of it; nothing is written by one who was not the last to take it. A card that must not be charged again is marked.
	SaveRun(ctx context.Context, r autopay.Run, s Said) error
	// Client returns account.ErrNotFound for none.
	Client(ctx context.Context, id string) (account.Client, []account.Vehicle, error)
	Location(ctx context.Context, id string) (account.Location, error)
	Standing(ctx context.Context, c account.Client) (account.Standing, error)
	Cards(ctx context.Context, clientID string) ([]account.Card, error)
	// RunsOf lists a client's runs, the latest Paid To Date first.
	RunsOf(ctx context.Context, clientID string, limit int) ([]autopay.Run, error)
	View(ctx context.Context, paymentID string) (pay.View, error)
	OptedOut(ctx context.Context, e164 string) (bool, error)
	// PaymentOfForm finds the payment that a form made. Errors: pay.ErrNotFound.
	PaymentOfForm(ctx context.Context, formKey string) (pay.Payment, error)
}

// Said is what comes of a run beside itself.
type Said struct {
	Letter   *post.Letter // to the client; nil: none
	Text     *sms.Message // to the client's phone; nil: none
	Trail    trail.Entry
	DeadCard string // id of a card that must not be charged again; "": none
	Code     string // the bank's word for it
}

// AutoPay charges what is due, once, however many schedulers run. All fields are required.
type AutoPay struct {
	Runs    Runs
	Collect func(ctx context.Context, c pay.Collection) (pay.Payment, error)
	NewID   func() string
}

const (
	runLease   = 3 * time.Minute // longer than a charge takes
	runRound   = 500
	runWorkers = 8
	planAhead  = autopay.RemindBefore + 2 // days: a location may be a day ahead of the clock's
	planMost   = 5000
	runsMost   = 50 // of one client
)

// Round plans what comes and looks after what is due. What it leaves undone the next round does, or another scheduler.
func (a *AutoPay) Round(ctx context.Context) error {
	now, err := a.Runs.Now(ctx)
	if err != nil {
		return err
	}
	if err := a.Runs.PlanRuns(ctx, day.Of(now.UTC()).AddDays(planAhead), planMost); err != nil {
		return err
	}
	due, err := a.Runs.DueRuns(ctx, runRound)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var failed []error
	var running sync.WaitGroup
	places := make(chan struct{}, runWorkers)
	for _, k := range due {
		places <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			defer func() { <-places }()
			if err := a.Look(context.WithoutCancel(ctx), k); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, err)
			}
		})
	}
	running.Wait()
	return errors.Join(failed...)
}

// sight is all that is known of a run's client when it is looked at.
type sight struct {
	client   account.Client
	vehicles []account.Vehicle
	vehicle  account.Vehicle
	location account.Location
	card     *account.Card
	facts    autopay.Facts
}

func (a *AutoPay) see(ctx context.Context, r autopay.Run) (s sight, err error) {
	if s.client, s.vehicles, err = a.Runs.Client(ctx, r.ClientID); err != nil {
		return s, err
	}
	for _, v := range s.vehicles {
		if v.ID == r.VehicleID {
			s.vehicle = v
		}
	}
	if s.location, err = a.Runs.Location(ctx, s.vehicle.LocationID); err != nil {
		return s, err
	}
	cards, err := a.Runs.Cards(ctx, r.ClientID)
	if err != nil {
		return s, err
	}
	for i := range cards {
		if cards[i].Main {
			s.card = &cards[i]
		}
	}
	s.facts = autopay.Facts{Zone: s.location.TimeZone(), Enrolled: s.client.AutoPayDays > 0, PaidTo: s.vehicle.PaidTo, Card: s.card}
	s.facts.Now, err = a.Runs.Now(ctx)
	return s, err
}

// Look looks after one run: it does what is to be done about it now, or nothing if another has it.
func (a *AutoPay) Look(ctx context.Context, k RunKey) error {
	r, ok, err := a.Runs.TakeRun(ctx, k, runLease)
	if err != nil || !ok {
		return err
	}
	s, err := a.see(ctx, r)
	if err != nil {
		return err
	}
	next, step := autopay.Next(r, s.facts)
	if step == autopay.Charge {
		return a.charge(ctx, r, s)
	}
	act := "wait for Auto Pay"
	switch step {
	case autopay.Remind:
		act = "remind of Auto Pay"
	case autopay.End:
		act = "end Auto Pay run"
	}
	said := Said{Trail: a.entry(next, s, act)}
	switch step {
	case autopay.Remind:
		if said.Letter, err = a.reminder(ctx, next, s); err != nil {
			return err
		}
	case autopay.End:
		if next.State == autopay.Paid { // by somebody else, or by this run's own payment, whose end nobody had seen
			p, err := a.Runs.PaymentOfForm(ctx, r.FormKey())
			if err != nil && !errors.Is(err, pay.ErrNotFound) {
				return err
			}
			if p.State.Sold() {
				next.PaymentID, said.Trail.Object, said.Letter = p.ID, p.ID, a.paid(s, p)
			}
		}
		if next.State == autopay.Stopped && next.Why != autopay.NotEnrolled {
			said.Letter = a.stopped(next, s)
		}
	}
	return a.Runs.SaveRun(ctx, next, said)
}

// charge begins the run's payment, or finds the one that was begun before, and writes down what came of it.
func (a *AutoPay) charge(ctx context.Context, r autopay.Run, s sight) error {
	terms, language := s.client.AutoPayTerms, s.client.AutoPayLanguage
	if terms == "" { // it came with an import: what is known is what was agreed to when the card was kept
		terms, language = s.card.TermsVersion, s.card.TermsLanguage
	}
	p, err := a.Collect(ctx, pay.Collection{
		Order: pay.Order{ClientID: r.ClientID, VehicleID: r.VehicleID, FormKey: r.FormKey(), By: trail.BySystem, Detail: "Auto Pay", Price: func(f pay.Facts) (pay.Frozen, error) { return price(f, r) }},
		Door:  pay.ByAutoPay, Terms: terms, Language: language,
		Saved: pay.SavedCard{Customer: s.card.Customer, PaymentMethod: s.card.PaymentMethod, Card: pay.Card{Brand: s.card.Brand, Last4: s.card.Last4, Funding: s.card.Funding}},
	})
	if why, held := heldBy(err); held {
		next := autopay.Held(r, why, s.facts)
		said := Said{Trail: a.entry(next, s, "hold Auto Pay")}
		if next.State == autopay.Stopped {
			said.Letter = a.stopped(next, s)
		}
		return a.Runs.SaveRun(ctx, next, said)
	}
	if err != nil && !errors.Is(err, pay.ErrUnavailable) {
		return err
	}
	if err != nil { // it closed uncharged; which one it was, its form key tells the next time
		next := autopay.Held(r, autopay.NoReason, s.facts)
		next.Charges++
		return a.Runs.SaveRun(ctx, next, Said{Trail: a.entry(next, s, "hold Auto Pay")})
	}
	v, err := a.Runs.View(ctx, p.ID)
	if err != nil {
		return err
	}
	code := ""
	if n := len(v.Attempts); n > 0 {
		code = v.Attempts[n-1].Code
	}
	next := autopay.After(r, v.Payment, code, s.facts)
	said := Said{Trail: a.entry(next, s, "charge Auto Pay")}
	said.Trail.Object = p.ID
	switch {
	case next.State == autopay.Paid:
		said.Letter = a.paid(s, v.Payment)
	case next.Declines > r.Declines:
		said.Letter = a.declined(next, s, v.Payment, code)
		if said.Text, err = a.text(ctx, s, v.Payment); err != nil {
			return err
		}
		if next.Why == autopay.DeadCard {
			said.DeadCard, said.Code = s.card.ID, code
		}
	}
	return a.Runs.SaveRun(ctx, next, said)
}

// price freezes what Auto Pay takes: the days that the client has chosen, on the Paid To Date that the run is for. What credit covers is not blocked: nothing is charged then.
func price(f pay.Facts, r autopay.Run) (pay.Frozen, error) {
	if f.Vehicle == nil || f.Vehicle.PaidTo != r.Due || f.Client.AutoPayDays == 0 {
		return pay.Frozen{}, errMovedOn
	}
	frozen, err := f.Freeze(f.Client.AutoPayDays)
	if err != nil {
		return frozen, err
	}
	if why := autopay.Keeps(f.Client, frozen); why != autopay.NoReason {
		return frozen, heldError{why}
	}
	return frozen, nil
}

// errMovedOn is for facts that are no longer those that the run was decided on: it is looked at again.
var errMovedOn = errors.New("the vehicle's Paid To Date or the enrolment has changed")

// heldError is why nothing was begun.
type heldError struct{ why autopay.Why }

func (e heldError) Error() string { return "Auto Pay can't charge now: " + string(e.why) }

// heldBy says what keeps a run from charging, where that is no fault.
func heldBy(err error) (autopay.Why, bool) {
	var held heldError
	switch {
	case errors.As(err, &held):
		return held.why, true
	case errors.Is(err, pay.ErrLive), errors.Is(err, pay.ErrClosed), errors.Is(err, errMovedOn), errors.Is(err, pay.ErrNeedsReview), errors.Is(err, pay.ErrPaused):
		return autopay.Elsewhere, true
	}
	return "", false
}

// --- What the client is told --------------------------------------------------------------------------------------------------------------

func (a *AutoPay) entry(r autopay.Run, s sight, act string) trail.Entry {
	detail := []string{s.vehicle.Label, "Paid To Date " + string(r.Due), string(r.State)}
	if r.Why != autopay.NoReason {
		detail = append(detail, string(r.Why))
	}
	if r.State == autopay.Stopped && r.Why != autopay.NotEnrolled { // the client is told
		act = "stop Auto Pay"
	}
	return trail.Entry{ID: a.NewID(), At: s.facts.Now, Actor: trail.BySystem, Act: act, Object: r.VehicleID, ClientID: r.ClientID, Detail: strings.Join(detail, ", ")}
}

func (a *AutoPay) letter(kind post.Kind, s sight, values map[string]string) *post.Letter {
	if s.client.Email == "" {
		return nil
	}
	values["vehicle"], values["vehicle_id"] = s.vehicle.Label, s.vehicle.ID
	return &post.Letter{ID: a.NewID(), ClientID: s.client.ID, Kind: kind, Language: s.client.Language, To: s.client.Email, Values: values, CreatedAt: s.facts.Now, NextAt: s.facts.Now}
}

func (s sight) lang() lang.Lang {
	if l, ok := lang.Parse(s.client.Language); ok {
		return l
	}
	return lang.English
}

// reminder tells what is charged and when (NextAt), as far as it is known now: what is past due, and the credit, belong to whichever of the client's vehicles is charged first.
func (a *AutoPay) reminder(ctx context.Context, r autopay.Run, s sight) (*post.Letter, error) {
	known := autopay.Account{Client: s.client, Vehicles: s.vehicles, Locations: map[string]account.Location{s.location.ID: s.location}, Now: s.facts.Now}
	var err error
	for _, v := range s.vehicles {
		if known.Locations[v.LocationID].ID != "" {
			continue
		}
		if known.Locations[v.LocationID], err = a.Runs.Location(ctx, v.LocationID); err != nil {
			return nil, err
		}
	}
	if known.Standing, err = a.Runs.Standing(ctx, s.client); err != nil {
		return nil, err
	}
	if known.Runs, err = a.Runs.RunsOf(ctx, r.ClientID, runsMost); err != nil {
		return nil, err
	}
	for i := range known.Runs {
		if known.Runs[i].VehicleID == r.VehicleID && known.Runs[i].Due == r.Due {
			known.Runs[i] = r // as it is about to be
		}
	}
	all, err := autopay.Ahead(known)
	if err != nil {
		return nil, err
	}
	amount := ""
	for _, c := range all {
		if c.VehicleID == r.VehicleID {
			amount = c.Frozen.Summary.TotalDue.String()
		}
	}
	card := s.lang().T("mail.no_card")
	if s.card != nil {
		card = s.lang().T("mail.card_ending", s.card.Last4)
	}
	return a.letter(post.AutoPaySoon, s, map[string]string{"amount": amount, "date": s.lang().Date(day.Of(r.NextAt.In(s.facts.Zone))), "card": card}), nil
}

func (a *AutoPay) paid(s sight, p pay.Payment) *post.Letter {
	return a.letter(post.AutoPayPaid, s, map[string]string{"amount": p.Amount().String(), "paid_to": s.lang().Date(p.PaidTo()), "reference": p.Reference()})
}

func (a *AutoPay) declined(r autopay.Run, s sight, p pay.Payment, code string) *post.Letter {
	values := map[string]string{"amount": p.Amount().String(), "card": s.lang().T("mail.card_ending", s.card.Last4), "why": s.lang().Decline(code)}
	if r.State == autopay.Stopped {
		return a.letter(post.AutoPayLast, s, values)
	}
	values["next"] = s.lang().Date(day.Of(r.NextAt.In(s.facts.Zone)))
	return a.letter(post.AutoPayDeclined, s, values)
}

// text tells of a decline at once, where the client has a phone and has not opted out. The outbox waits for the day, and asks whether it is true still.
func (a *AutoPay) text(ctx context.Context, s sight, p pay.Payment) (*sms.Message, error) {
	if s.client.Phone.IsZero() {
		return nil, nil
	}
	if out, err := a.Runs.OptedOut(ctx, s.client.Phone.E164()); err != nil || out {
		return nil, err
	}
	return &sms.Message{ID: a.NewID(), Kind: sms.DeclineText, PaymentID: p.ID, Language: string(s.lang()), Phone: s.client.Phone, Status: sms.Waiting, CreatedAt: s.facts.Now, NextAt: s.facts.Now}, nil
}

func (a *AutoPay) stopped(r autopay.Run, s sight) *post.Letter {
	return a.letter(post.AutoPayStopped, s, map[string]string{"why": s.lang().T("auto_pay.why." + string(r.Why))})
}
