package signin

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"paylink/internal/lockout"
	"paylink/internal/post"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

const (
	ceremonyLife = 5 * time.Minute // a challenge is good for, once
	PasskeysMost = 10              // that one owner may have
	nameMost     = 60              // characters of a passkey's name
)

// Passkeys is what of WebAuthn belongs to one site: its name, and the one origin that its pages have.
type Passkeys struct{ rp *webauthn.WebAuthn }

// NewPasskeys is for a site by its host name, its origin, such as "https://desk.example.com", and the name that browsers show. Its errors mean that browsers take no passkeys there; an IP address is such a host.
func NewPasskeys(host, origin, name string) (*Passkeys, error) {
	limit := webauthn.TimeoutConfig{Timeout: ceremonyLife, TimeoutUVD: ceremonyLife} // ours is enforced by our clock: see ceremony
	rp, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: name, RPOrigins: []string{origin},
		Timeouts:              webauthn.TimeoutsConfig{Login: limit, Registration: limit},
		AttestationPreference: protocol.PreferNoAttestation, // which make of key somebody has is theirs to choose
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, err
	}
	return &Passkeys{rp}, nil
}

// Ceremony is what a browser is asked for, as JSON for the page, and what its session keeps until the answer.
type Ceremony struct{ Ask, Kept []byte }

// ceremony is what a Ceremony keeps.
type ceremony struct {
	Session webauthn.SessionData
	UnixMS  int64
}

func (d *Desk) ceremony(ctx context.Context, ask any, session *webauthn.SessionData) (Ceremony, error) {
	now, err := d.Store.Now(ctx)
	if err != nil {
		return Ceremony{}, err
	}
	page, err := json.Marshal(ask)
	if err != nil {
		return Ceremony{}, err
	}
	kept, err := json.Marshal(ceremony{*session, now.UnixMilli()})
	return Ceremony{page, kept}, err
}

// session opens what a ceremony has kept, once. Errors: ErrOver.
func (d *Desk) session(ctx context.Context, kept []byte) (webauthn.SessionData, error) {
	var c ceremony
	if err := json.Unmarshal(kept, &c); err != nil {
		return c.Session, ErrOver // nothing was kept
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return c.Session, err
	}
	if now.Sub(time.UnixMilli(c.UnixMS)) >= ceremonyLife {
		return c.Session, ErrOver
	}
	return c.Session, d.once(ctx, "challenge "+c.Session.Challenge)
}

// BeginPasskey asks whoever is at an address for a passkey of theirs: any that this site has given, so that nothing is told of anybody's. Errors: ErrTooOften.
func (d *Desk) BeginPasskey(ctx context.Context, address string) (Ceremony, error) {
	if err := d.begins(ctx, address); err != nil {
		return Ceremony{}, err
	}
	ask, session, err := d.Passkeys.rp.BeginDiscoverableLogin()
	if err != nil {
		return Ceremony{}, err
	}
	return d.ceremony(ctx, ask.Response, session)
}

// Passkey signs in by a passkey alone: it is something that somebody has and, since the key has asked for a fingerprint or a PIN, something that they are or know.
// Errors: ErrPasskey for whatever is wrong with it, ErrOver, staff.ErrLocked.
func (d *Desk) Passkey(ctx context.Context, kept, answer []byte, address string) (staff.Member, error) {
	return d.assert(ctx, kept, answer, address, "sign in", func(m staff.Member) error { return d.signedIn(ctx, m, ByPasskey) })
}

// ProveByPasskey asks somebody who is signed in to prove again that it is they. Errors: as Passkey's.
func (d *Desk) ProveByPasskey(ctx context.Context, who staff.Member, kept, answer []byte, address string) error {
	const act = "prove identity"
	_, err := d.assert(ctx, kept, answer, address, act, func(m staff.Member) error {
		if m.ID != who.ID {
			return d.refused(ctx, who, act, "a passkey of somebody else’s", ErrPasskey)
		}
		return d.write(ctx, who, act, "by passkey")
	})
	return err
}

func (d *Desk) assert(ctx context.Context, kept, answer []byte, address, act string, done func(m staff.Member) error) (staff.Member, error) {
	var m staff.Member
	_, err := d.prove(ctx, kept, answer, address, act, trail.Staff, func(id string) (holder, error) {
		var err error
		m, err = d.Store.Member(ctx, id)
		if errors.Is(err, staff.ErrNotFound) {
			err = ErrPasskey
		}
		return holderOf(m), err
	})
	if err != nil {
		return staff.Member{}, err
	}
	return m, done(m)
}

// prove looks at a browser's answer and returns who has proven to be there, of one kind of owner. find returns ErrPasskey for an owner who is not there any more.
func (d *Desk) prove(ctx context.Context, kept, answer []byte, address, act string, kind trail.Kind, find func(id string) (holder, error)) (holder, error) {
	var none holder
	session, err := d.session(ctx, kept)
	if err != nil {
		return none, err
	}
	h := holder{of: trail.Actor{Kind: kind}}
	detail := "by passkey, from " + address
	from := lockout.Budget{Key: "passkey from " + lockout.Household(address), Most: lockout.From}
	if _, err := lockout.Take(ctx, d.Tries, []lockout.Budget{from}); errors.Is(err, lockout.ErrLocked) {
		if d.quietly(ctx, address) {
			return none, err
		}
		return none, d.refusedOf(ctx, h.of, act, detail, err)
	}
	var had Passkey
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return none, d.refusedOf(ctx, h.of, act, detail, ErrPasskey)
	}
	var broken error
	_, credential, err := d.Passkeys.rp.ValidatePasskeyLogin(func(id, handle []byte) (webauthn.User, error) {
		if had, broken = d.Store.Passkey(ctx, base64.RawURLEncoding.EncodeToString(id)); broken != nil || had.Owner.Kind != kind {
			return nil, ErrPasskey
		}
		found, err := find(had.Owner.ID)
		if broken = err; broken != nil {
			return nil, broken
		}
		h = found
		var c webauthn.Credential
		if broken = json.Unmarshal([]byte(had.Credential), &c); broken != nil {
			return nil, broken
		}
		return person{h, []webauthn.Credential{c}}, nil
	}, session, parsed)
	if broken != nil && !errors.Is(broken, ErrPasskey) {
		return none, broken
	}
	switch {
	case err != nil:
		return none, d.refusedOf(ctx, h.of, act, detail, ErrPasskey)
	case h.disabled:
		return none, d.refusedOf(ctx, h.of, act, detail+", who is disabled", ErrPasskey)
	case credential.Authenticator.CloneWarning:
		return none, d.refusedOf(ctx, h.of, act, detail+": it has counted backwards, so there may be a copy of it: "+had.Name, ErrPasskey)
	}
	now, err := json.Marshal(credential)
	if err != nil {
		return none, err
	}
	if err := d.Store.UsePasskey(ctx, had.ID, had.Credential, string(now)); err != nil {
		if errors.Is(err, ErrPasskey) {
			return none, d.refusedOf(ctx, h.of, act, detail+": it was used elsewhere at the same moment", err)
		}
		return none, err
	}
	lockout.GiveBack(ctx, d.Tries, []lockout.Budget{from})
	return h, nil
}

// BeginAdding asks the browser of somebody who is signed in for a new passkey. Errors: ErrTooOften, ErrMost.
func (d *Desk) BeginAdding(ctx context.Context, who staff.Member, address string) (Ceremony, error) {
	return d.beginAdding(ctx, holderOf(who), address)
}

func (d *Desk) beginAdding(ctx context.Context, h holder, address string) (Ceremony, error) {
	if err := d.begins(ctx, address); err != nil {
		return Ceremony{}, err
	}
	f, err := d.Store.Factors(ctx, h.of)
	if err != nil {
		return Ceremony{}, err
	}
	if len(f.Passkeys) >= PasskeysMost {
		return Ceremony{}, ErrMost
	}
	p := person{holder: h}
	for _, has := range f.Passkeys {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(has.Credential), &c); err != nil {
			return Ceremony{}, err
		}
		p.has = append(p.has, c)
	}
	ask, session, err := d.Passkeys.rp.BeginRegistration(p, webauthn.WithExclusions(webauthn.Credentials(p.has).CredentialDescriptors()))
	if err != nil {
		return Ceremony{}, err
	}
	return d.ceremony(ctx, ask.Response, session)
}

// AddPasskey adds the passkey that the browser has made, by the name that its owner gives it. Errors: ErrPasskey, ErrPasskeyHere, ErrMost, ErrName, ErrOver, trail.ErrCardNumber, trail.ErrTooLong.
func (d *Desk) AddPasskey(ctx context.Context, who staff.Member, kept, answer []byte, name string) error {
	return d.addPasskey(ctx, holderOf(who), kept, answer, name)
}

func (d *Desk) addPasskey(ctx context.Context, h holder, kept, answer []byte, name string) error {
	const act = "add passkey"
	session, err := d.session(ctx, kept)
	if err != nil {
		return err
	}
	name, err = trail.FreeText(strings.TrimSpace(name))
	switch {
	case err != nil:
		return err
	case name == "":
		return ErrName
	case utf8.RuneCountInString(name) > nameMost:
		return trail.ErrTooLong
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return d.refusedOf(ctx, h.of, act, name, ErrPasskey)
	}
	made, err := d.Passkeys.rp.CreateCredential(person{holder: h}, session, parsed)
	if err != nil || !made.Flags.UserVerified {
		return d.refusedOf(ctx, h.of, act, name, ErrPasskey)
	}
	b, err := json.Marshal(made)
	if err != nil {
		return err
	}
	e, err := d.entryOf(ctx, h.of, act, name)
	if err != nil {
		return err
	}
	p := Passkey{ID: base64.RawURLEncoding.EncodeToString(made.ID), Owner: h.of, Name: name, Credential: string(b), Added: e.At}
	err = d.Store.AddPasskey(ctx, p, PasskeysMost, e, h.tells(d.NewID(), e.At, post.PasskeyAdded, name))
	if errors.Is(err, ErrPasskeyHere) || errors.Is(err, ErrMost) {
		return d.refusedOf(ctx, h.of, act, name, err)
	}
	return err
}

// RemovePasskey takes one of somebody's passkeys away. Errors: ErrPasskey for one that they have not.
func (d *Desk) RemovePasskey(ctx context.Context, who staff.Member, id string) error {
	return d.removePasskey(ctx, holderOf(who), id)
}

func (d *Desk) removePasskey(ctx context.Context, h holder, id string) error {
	const act = "remove passkey"
	f, err := d.Store.Factors(ctx, h.of)
	if err != nil {
		return err
	}
	for _, p := range f.Passkeys {
		if p.ID == id {
			e, err := d.entryOf(ctx, h.of, act, p.Name)
			if err != nil {
				return err
			}
			return d.Store.RemovePasskey(ctx, h.of, id, e, h.tells(d.NewID(), e.At, post.PasskeyRemoved, p.Name))
		}
	}
	return d.refusedOf(ctx, h.of, act, "", ErrPasskey)
}

// holder is somebody who may have passkeys.
type holder struct {
	of          trail.Actor
	login, name string
	disabled    bool
	letter      *post.Letter // how a client is written to; nil: changes are told by no letter
}

func holderOf(m staff.Member) holder {
	return holder{of: owner(m), login: m.Login, name: m.Name, disabled: m.Disabled}
}

// tells is the letter that tells a holder of a change; nil for none.
func (h holder) tells(id string, at time.Time, what post.Change, detail string) *post.Letter {
	if h.letter == nil {
		return nil
	}
	l := *h.letter
	l.ID, l.CreatedAt = id, at
	return what.Letter(l, detail)
}

// person is a holder as WebAuthn knows one.
type person struct {
	holder
	has []webauthn.Credential
}

// WebAuthnID says nothing of who it is to whoever finds a key: our ids are no names.
func (p person) WebAuthnID() []byte {
	return bytes.Join([][]byte{[]byte(p.of.Kind), []byte(p.of.ID)}, []byte(":"))
}

// WebAuthnName is what a browser lists a passkey by.
func (p person) WebAuthnName() string { return p.login }

// WebAuthnDisplayName is what a browser shows beside it.
func (p person) WebAuthnDisplayName() string { return p.name }

// WebAuthnCredentials are the keys that the person has.
func (p person) WebAuthnCredentials() []webauthn.Credential { return p.has }
