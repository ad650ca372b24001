// Package client is what a client does in My Account: sign in, see the account, pay, and change what is theirs.
package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"paylink/internal/account"
	"paylink/internal/ledger"
	"paylink/internal/lockout"
	"paylink/internal/money"
	"paylink/internal/phone"
	"paylink/internal/post"
	"paylink/internal/sms"
	"paylink/internal/trail"
	"paylink/internal/wallet"
)

// Store is what the desk reads and writes. Each method is one transaction, with its trail entry in it.
type Store interface {
	// Client returns account.ErrNotFound for none.
	Client(ctx context.Context, id string) (account.Client, []account.Vehicle, error)
	Location(ctx context.Context, id string) (account.Location, error)
	// Balance leaves out nothing, and is negative for a credit.
	Balance(ctx context.Context, clientID string) (money.Cents, error)
	Invoices(ctx context.Context, clientID string, limit int) ([]ledger.Invoice, error)

	// Access returns account.ErrNotFound for a client who was never invited.
	Access(ctx context.Context, clientID string) (account.Access, error)
	// SetAccess gives a client a password of their own choice, and ends every session that began before; it returns when. The letter tells of it; nil for none.
	SetAccess(ctx context.Context, clientID, hash string, e trail.Entry, told *post.Letter) (time.Time, error)
	// AddReset keeps a link to choose another password and kills any before it; where the client had too many letters of the kind in a day, it writes a refusal alone.
	AddReset(ctx context.Context, r Reset) error
	// ResetOf says whose link it is that was made since a time and not used; account.ErrNotFound for none.
	ResetOf(ctx context.Context, digest string, since time.Time) (clientID string, err error)
	// UseReset uses such a link up, of many at once one, and does what SetAccess does. account.ErrNotFound for none.
	UseReset(ctx context.Context, digest string, since time.Time, hash string, e trail.Entry, told *post.Letter) error
	CountWrongAccess(ctx context.Context, clientID string, limit int, lockFor time.Duration) error
	// OpenSession lists a browser that has signed in, by its token's digest, and forgets wrong passwords. A client who has signed in before, and never by such a browser, is told of it by another entry.
	OpenSession(ctx context.Context, s account.Session, digest string, e, unknown trail.Entry) error
	// ClientSession finds a session by its token's digest; account.ErrNotFound for none.
	ClientSession(ctx context.Context, digest string) (account.Session, error)
	ClientSessions(ctx context.Context, clientID string, since time.Time) ([]account.Session, error)
	SeeSession(ctx context.Context, id string) error
	// EndSession returns account.ErrNotFound for one that is not the client's, or has ended.
	EndSession(ctx context.Context, clientID, id string, e trail.Entry) error

	ProfileStore
	ContactStore
	AutoPayStore
	SendStore
	NoticeStore
	InvoiceStore
	HomeStore
	AppointmentStore
	PayStore
	TermsInForce(ctx context.Context, kind account.Terms) (string, error)

	Write(ctx context.Context, e trail.Entry) error
	Now(ctx context.Context) (time.Time, error)
}

// Desk is My Account's desk. All fields but Paused are required.
type Desk struct {
	Store   Store
	Wallet  *wallet.Wallet
	Till    Till
	Down    func() bool // the card processor does not answer, as far as its last calls tell
	Tries   lockout.Counter
	Printer Printer
	NewID   func() string
	Token   func() string // of a session or a letter, crypto/rand.Text
	Salt    func() []byte // fresh and random, staff.SaltBytes long
	Brand   string        // no part of a password
	Carrier interface {
		LineOf(ctx context.Context, n phone.Number) (sms.Line, error)
	}
	Paused bool // reconcile-only mode: nothing is offered to pay
}

// Who is a client who is signed in, by one session. Every method of the desk that is about an account takes one, and reaches nothing of another client's.
type Who struct {
	account.Client
	SessionID  string
	MustChange bool  // the password is a temporary one: nothing else is to be reached before it is changed
	Token      Token // of a session that has just begun; "" else
}

// Token is what a browser proves its session by. It is kept by its digest only, and does not print.
type Token string

func (Token) String() string { return "[token]" }

// GoString keeps it out of every log.
func (Token) GoString() string { return "[token]" }

// digest is what is kept of a token.
func (t Token) digest() string {
	sum := sha256.Sum256([]byte(t))
	return hex.EncodeToString(sum[:])
}

func (d *Desk) entry(ctx context.Context, clientID, act, object, detail string) (trail.Entry, error) {
	now, err := d.Store.Now(ctx)
	return trail.Entry{ID: d.NewID(), At: now, Actor: trail.Actor{Kind: trail.Client, ID: clientID}, Act: act, Object: object, ClientID: clientID, Detail: detail}, err
}

// Vehicle is what is paid for, and where it is serviced.
type Vehicle struct {
	account.Vehicle
	Location account.Location
}
