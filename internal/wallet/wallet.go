// Package wallet keeps clients' cards on file: how one is added, followed and taken away, at Stripe and in our own rows alike.
package wallet

import (
	"context"
	"errors"
	"time"

	"paylink/internal/account"
	"paylink/internal/day"
	"paylink/internal/pay"
	"paylink/internal/post"
	"paylink/internal/trail"
)

// What is refused beside what pay refuses (ErrBrand, ErrTerms, ErrUnavailable) and account.ErrSameCard.
var (
	ErrNotSetUp = errors.New("the bank has not confirmed this card")
	ErrMost     = errors.New("no more cards can be on file")
	ErrInUse    = errors.New("this card is used by Auto Pay, and no other takes over")
	ErrDead     = errors.New("this card can't be charged")
)

// Most is how many cards a client may have on file.
const Most = 10

// Setup is a client's wish that a card be kept: a SetupIntent, and what was agreed to when it was asked for.
type Setup struct {
	ID            string // seti_…
	ClientID      string
	Customer      string // cus_…
	TermsVersion  string
	TermsLanguage string
	Address       string // of the browser in which it was agreed to
	UserAgent     string
	AgreedAt      time.Time
	State         State
	CardID        string // that came of it, or was there before; "" for none
	Why           string // it was refused, or the bank's word at the last try
}

// State is how far a setup has come.
type State string

const (
	Open    State = "open"
	Kept    State = "kept"    // the card is on file by it, or one of the same number was renewed
	Same    State = "same"    // the card was on file, and stays as it was
	Refused State = "refused" // no card comes of it any more
)

// Intent is what Stripe says of a SetupIntent.
type Intent struct {
	ID        string
	Customer  string
	Succeeded bool
	Method    *Saved // nil: none
	ErrorCode string // decline_code, else code, of the last try; "" if there was none
	Secret    pay.Secret
}

// Saved is what Stripe says of a PaymentMethod that is a card.
type Saved struct {
	PaymentMethod string
	Customer      string // "": it is attached to nobody, and can't be charged again
	Brand         string
	Last4         string
	Funding       string
	Fingerprint   string
	ExpMonth      int
	ExpYear       int // four digits
}

// Stripe is where cards live, on the platform's own account. Every method sends one request. Errors as pay.Gateway's.
type Stripe interface {
	// NewCustomer makes the customer that a client's cards belong to. One key makes one customer.
	NewCustomer(ctx context.Context, key, clientID string) (customer string, err error)
	// Customer says whether a customer is there, and was not deleted.
	Customer(ctx context.Context, id string) (bool, error)
	// NewSetup asks for a SetupIntent of a customer, for charges at which nobody is there.
	NewSetup(ctx context.Context, key, customer, clientID string) (Intent, error)
	// Setup reads a SetupIntent, its card included.
	Setup(ctx context.Context, id string) (Intent, error)
	// Saved reads a PaymentMethod. ok is false for one that Stripe does not know, or that is no card.
	Saved(ctx context.Context, paymentMethod string) (s Saved, ok bool, err error)
	// Detach takes a PaymentMethod from its customer.
	Detach(ctx context.Context, paymentMethod string) error
}

// Holding is what is decided upon: a client, and all cards that they have or had.
type Holding struct {
	Client account.Client
	Cards  []account.Card // the main one first, then as they were added; removed ones too
	Setup  Setup          // that was asked about; zero for none
	Now    time.Time
}

// OnFile are the cards that were not removed.
func (h Holding) OnFile() []account.Card {
	var out []account.Card
	for _, c := range h.Cards {
		if c.OnFile() {
			out = append(out, c)
		}
	}
	return out
}

func (h Holding) today() day.Date { return account.LastDay(h.Now) }

// Change is what is written of a decision, all of it or nothing.
type Change struct {
	Cards  []account.Card // whole, as they are from now on
	Setup  *Setup         // nil: as it was
	Detach []string       // PaymentMethods to take from their customer at Stripe, afterwards
	Letter *post.Letter   // nil: none
	Trail  []trail.Entry
}

// Task is something that is still to be done at Stripe.
type Task struct {
	Object string // seti_…, pm_… or cus_…
	Work   Work
	Takes  int
}

// Work is what is to be done with an object.
type Work string

const (
	Look   Work = "look"   // an event has told of it
	Detach Work = "detach" // it is a PaymentMethod that we no longer keep
)

// Store keeps cards. Every method is one transaction.
type Store interface {
	Now(ctx context.Context) (time.Time, error)
	TermsInForce(ctx context.Context, kind account.Terms) (string, error)
	// Customer returns a client's customer at Stripe, "" for none, and how many they had before. A client whose cards belong to one already has that.
	Customer(ctx context.Context, clientID string) (customer string, n int, err error)
	// KeepCustomer writes a client's customer down, unless there is one, and returns the one that counts.
	KeepCustomer(ctx context.Context, clientID, customer string) (string, error)
	// ForgetCustomer is for one that was deleted at Stripe; it returns whose it was, "" for nobody's.
	ForgetCustomer(ctx context.Context, customer string) (clientID string, err error)
	// Cards lists a client's cards on file, the main one first.
	Cards(ctx context.Context, clientID string) ([]account.Card, error)
	AddSetup(ctx context.Context, s Setup, e trail.Entry) error
	// Setup returns account.ErrNotFound for none.
	Setup(ctx context.Context, id string) (Setup, error)
	// DecideCards writes what decide decides about a client's cards, with the account locked. setupID is "" or one of the client's. Errors: account.ErrNotFound, account.ErrSameCard for a payment
	// method or number that is on record as another card, and decide's own, after which nothing is written.
	DecideCards(ctx context.Context, clientID, setupID string, decide func(Holding) (Change, error)) error
	// CardOwner returns whose a PaymentMethod on file is; "" for nobody's.
	CardOwner(ctx context.Context, paymentMethod string) (clientID string, err error)

	// HearCard stores an event once, and makes what it tells of a task that is due.
	HearCard(ctx context.Context, n pay.Notice) error
	DueCardTasks(ctx context.Context, limit int) ([]Task, error)
	// TakeCardTask gives one worker a task that is due until the lease is over. ok is false if there is nothing to do. A PaymentMethod that is on file is never given to be detached.
	TakeCardTask(ctx context.Context, t Task, lease time.Duration) (taken Task, ok bool, err error)
	// EndCardTask takes a task away, unless it was taken or asked for again since.
	EndCardTask(ctx context.Context, t Task) error

	// Expiring lists clients with cards on file that end in a month and whom nobody has warned.
	Expiring(ctx context.Context, year, month, limit int) (clientIDs []string, err error)
	Write(ctx context.Context, e trail.Entry) error
}

// Wallet is the cards on file. All fields are required.
type Wallet struct {
	Store  Store
	Stripe Stripe
	NewID  func() string
}

// entry is an act on a client's cards.
func (w *Wallet) entry(now time.Time, by trail.Actor, clientID, act, object, detail string) trail.Entry {
	return trail.Entry{ID: w.NewID(), At: now, Actor: by, Act: act, Object: object, ClientID: clientID, Detail: detail}
}

// detach takes PaymentMethods from their customer now, if Stripe answers; else it stays due.
func (w *Wallet) detach(ctx context.Context, methods []string) {
	for _, id := range methods {
		_ = w.Do(ctx, Task{Object: id, Work: Detach}) // it stays due
	}
}

// outside turns what Stripe did not answer into what a person reads.
func outside(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return errors.Join(pay.ErrUnavailable, err)
}

// missing says whether Stripe knows an object no more.
func missing(err error) bool {
	no, ok := errors.AsType[*pay.RequestError](err)
	return ok && no.Code == "resource_missing"
}

// Ending is how a card is told apart, by people and in the trail: "Visa ending 4242".
func Ending(c account.Card) string { return pay.Card{Brand: c.Brand, Last4: c.Last4}.Name() }

func name(brand string) string { return pay.Card{Brand: brand}.Name() }
