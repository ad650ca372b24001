// Package signin is whoever stands at the door and proves who they are: by password, by a code or a passkey besides, by a passkey alone, or by the company's own sign-in.
//
// Everybody proves themselves to the same few mechanisms; who is at which door is the owner's kind. Nothing here tells a stranger whether a login exists or what else it has.
package signin

import (
	"context"
	"errors"
	"io"
	"time"

	"paylink/internal/account"
	"paylink/internal/lockout"
	"paylink/internal/post"
	"paylink/internal/seal"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// What the desk refuses, besides staff.ErrSignIn and staff.ErrLocked. None of them tells a stranger more than these words.
var (
	ErrCode        = errors.New("the code is wrong, or was used before")
	ErrTooOld      = errors.New("the temporary password is too old")
	ErrOver        = errors.New("this took too long, or was done before")
	ErrPasskey     = errors.New("the passkey can't be used")
	ErrPasskeyHere = errors.New("this passkey is here already")
	ErrMost        = errors.New("there are as many passkeys as there may be")
	ErrName        = errors.New("a passkey needs a name")
	ErrTooOften    = errors.New("too many tries from this address")
	ErrProve       = errors.New("whoever does this has to prove again who they are")
	ErrProvider    = errors.New("the company's sign-in does not answer")
	ErrRefused     = errors.New("the company's sign-in has refused")
	ErrNoAccount   = errors.New("nobody here has this company account")
)

// By is what somebody signed in by.
type By string

const (
	ByPassword = By("password")
	ByCode     = By("password and code")
	ByRecovery = By("password and recovery code")
	ByPasskey  = By("passkey")
	ByCompany  = By("company account")
)

// Factors is what an owner has besides a password.
type Factors struct {
	Codes    bool      // an authenticator app
	Since    time.Time // when it was set up
	Recovery int       // recovery codes that are left
	Passkeys []Passkey // oldest first
}

// Second says whether a password alone is not enough.
func (f Factors) Second() bool { return f.Codes || len(f.Passkeys) > 0 }

// Passkey is one passkey of an owner.
type Passkey struct {
	ID         string // the credential's own, base64url
	Owner      trail.Actor
	Name       string
	Credential string // public key and counters, JSON
	Added      time.Time
	Used       time.Time // zero: never
}

// Store is what the desk reads and writes. Each method is one transaction, with its trail entry in it.
type Store interface {
	// Member, MemberByLogin and MemberByEmail return staff.ErrNotFound for none.
	Member(ctx context.Context, id string) (staff.Member, error)
	MemberByLogin(ctx context.Context, login string) (staff.Member, error)
	MemberByEmail(ctx context.Context, email string) (staff.Member, error)
	CountWrong(ctx context.Context, id string, limit int, lockFor time.Duration) (int, error)
	ClearWrong(ctx context.Context, id string) error
	Rehash(ctx context.Context, id, old, hash string) error
	// SetPassword and EndSessions end every session, and return the member as they are then.
	SetPassword(ctx context.Context, id, hash string, temporary bool, e trail.Entry) (staff.Member, error)
	EndSessions(ctx context.Context, id string, e trail.Entry) (staff.Member, error)

	Factors(ctx context.Context, owner trail.Actor) (Factors, error)
	// Codes returns the sealed secret of an owner's authenticator app; "" for none.
	Codes(ctx context.Context, owner trail.Actor) (box string, err error)
	// SetCodes keeps a secret in the place of any before, as used up to a step, with new recovery codes.
	SetCodes(ctx context.Context, owner trail.Actor, box string, step int64, recovery []string, e trail.Entry) error
	// RemoveCodes takes it away, and with the last factor the recovery codes.
	RemoveCodes(ctx context.Context, owner trail.Actor, e trail.Entry) error
	// SetRecovery replaces the recovery codes by new ones.
	SetRecovery(ctx context.Context, owner trail.Actor, digests []string, e trail.Entry) error
	// UseStep uses up the code of a step and all before it; ErrCode: it was used.
	UseStep(ctx context.Context, owner trail.Actor, step int64) error
	// UseRecovery uses up a recovery code; ErrCode: there is none such, or it was used.
	UseRecovery(ctx context.Context, owner trail.Actor, digest string) error

	// Passkey returns ErrPasskey for none.
	Passkey(ctx context.Context, id string) (Passkey, error)
	// AddPasskey returns ErrPasskeyHere for one that anybody has, and ErrMost where the owner has so many.
	// The letter tells the owner of it; nil for none.
	AddPasskey(ctx context.Context, p Passkey, most int, e trail.Entry, told *post.Letter) error
	// UsePasskey notes a passkey's use, and what it counts since; ErrPasskey: it was used meanwhile.
	UsePasskey(ctx context.Context, id, was, credential string) error
	// RemovePasskey takes one away, and with the last factor the recovery codes. ErrPasskey: the owner has none such.
	RemovePasskey(ctx context.Context, owner trail.Actor, id string, e trail.Entry, told *post.Letter) error

	// Client returns account.ErrNotFound for none.
	Client(ctx context.Context, id string) (account.Client, []account.Vehicle, error)

	// MemberBySignOn returns staff.ErrNotFound for none.
	MemberBySignOn(ctx context.Context, issuer, subject string) (staff.Member, error)
	// LinkSignOn links a company account with one of the staff; ErrNoAccount: it is somebody else's, or they have another one.
	LinkSignOn(ctx context.Context, issuer, subject, id string, e trail.Entry) error

	Write(ctx context.Context, e trail.Entry) error
	Now(ctx context.Context) (time.Time, error)
}

// Desk is where people sign in. All fields but Passkeys and Company are required.
type Desk struct {
	Store    Store
	Tries    lockout.Counter
	Keys     seal.Keys
	Brand    string
	Random   io.Reader
	NewID    func() string
	Passkeys *Passkeys // nil: browsers take no passkeys at this address
	Company  Company   // nil: the company has no sign-in of its own
}

// Member returns the person of a session. A disabled one is gone: staff.ErrNotFound.
func (d *Desk) Member(ctx context.Context, id string) (staff.Member, error) {
	m, err := d.Store.Member(ctx, id)
	if err == nil && m.Disabled {
		return staff.Member{}, staff.ErrNotFound
	}
	return m, err
}

// Factors is what a person has besides a password.
func (d *Desk) Factors(ctx context.Context, who staff.Member) (Factors, error) {
	return d.Store.Factors(ctx, owner(who))
}

// EndSessions ends every session of a person, everywhere, and returns the person as they are then: a session that goes on begins there.
func (d *Desk) EndSessions(ctx context.Context, who staff.Member) (staff.Member, error) {
	e, err := d.entry(ctx, who, "end own sessions", "")
	if err != nil {
		return staff.Member{}, err
	}
	return d.Store.EndSessions(ctx, who.ID, e)
}

// owner is whose factors a member's are.
func owner(m staff.Member) trail.Actor { return trail.Actor{Kind: trail.Staff, ID: m.ID} }

func (d *Desk) entry(ctx context.Context, who staff.Member, act, detail string) (trail.Entry, error) {
	return d.entryOf(ctx, owner(who), act, detail)
}

func (d *Desk) entryOf(ctx context.Context, of trail.Actor, act, detail string) (trail.Entry, error) {
	now, err := d.Store.Now(ctx)
	e := trail.Entry{ID: d.NewID(), At: now, Actor: of, Act: act, Object: of.ID, Detail: detail}
	if of.Kind == trail.Client {
		e.ClientID = of.ID
	}
	return e, err
}

// write writes an act into the trail.
func (d *Desk) write(ctx context.Context, who staff.Member, act, detail string) error {
	e, err := d.entry(ctx, who, act, detail)
	if err != nil {
		return err
	}
	return d.Store.Write(ctx, e)
}

// refused writes a refusal into the trail and returns why. A trail that can't be written is the worse news.
func (d *Desk) refused(ctx context.Context, who staff.Member, act, detail string, why error) error {
	return d.refusedOf(ctx, owner(who), act, detail, why)
}

func (d *Desk) refusedOf(ctx context.Context, of trail.Actor, act, detail string, why error) error {
	e, err := d.entryOf(ctx, of, act, detail)
	if err != nil {
		return err
	}
	e.Refused = why.Error()
	if err := d.Store.Write(ctx, e); err != nil {
		return err
	}
	return why
}

// How many of what an address may do in lockout.For, besides being wrong.
const (
	lockedMost = 60  // refusals that the trail keeps: whoever is locked out must not fill it
	beginsMost = 300 // ceremonies that it may begin: each page for signing in begins one
)

// quietly says whether a refusal of an address is left out of the trail: it has left so many there already.
func (d *Desk) quietly(ctx context.Context, address string) bool {
	n, err := d.Tries.Take(ctx, "locked out from "+lockout.Household(address), lockedMost, lockout.For)
	return err == nil && n == 0
}

// begins refuses an address that begins too many ceremonies. Where nobody counts, it begins one.
func (d *Desk) begins(ctx context.Context, address string) error {
	if n, err := d.Tries.Take(ctx, "begin from "+lockout.Household(address), beginsMost, lockout.For); err == nil && n == 0 {
		return ErrTooOften
	}
	return nil
}

// once lets a ceremony come to its end once, whichever instances it comes to. Where nobody counts, the session that has it has forgotten it by now.
func (d *Desk) once(ctx context.Context, what string) error {
	if n, err := d.Tries.Take(ctx, "once "+what, 1, 2*lockout.For); err == nil && n == 0 {
		return ErrOver
	}
	return nil
}
