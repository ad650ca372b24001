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

// NewPasskeys is for a site by its host name and its origin, such as "https://desk.example.com". Its errors mean that browsers take no passkeys there; an IP address is such a host.
func NewPasskeys(host, origin, brand string) (*Passkeys, error) {
	limit := webauthn.TimeoutConfig{Timeout: ceremonyLife, TimeoutUVD: ceremonyLife} // ours is enforced by our clock: see ceremony
	rp, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: brand + " PLUS Web", RPOrigins: []string{origin},
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
	session, err := d.session(ctx, kept)
	if err != nil {
		return staff.Member{}, err
	}
	from := lockout.Budget{Key: "passkey from " + lockout.Household(address), Most: lockout.From}
	if _, err := lockout.Take(ctx, d.Tries, []lockout.Budget{from}); errors.Is(err, staff.ErrLocked) {
		if d.quietly(ctx, address) {
			return staff.Member{}, err
		}
		return staff.Member{}, d.refused(ctx, staff.Member{}, act, "by passkey, from "+address, err)
	}
	var m staff.Member
	var had Passkey
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return staff.Member{}, d.refused(ctx, m, act, "by passkey, from "+address, ErrPasskey)
	}
	var broken error
	_, credential, err := d.Passkeys.rp.ValidatePasskeyLogin(func(id, handle []byte) (webauthn.User, error) {
		if had, broken = d.Store.Passkey(ctx, base64.RawURLEncoding.EncodeToString(id)); broken != nil || had.Owner.Kind != trail.Staff {
			return nil, ErrPasskey
		}
		if m, broken = d.Store.Member(ctx, had.Owner.ID); broken != nil {
			return nil, broken
		}
		var c webauthn.Credential
		if broken = json.Unmarshal([]byte(had.Credential), &c); broken != nil {
			return nil, broken
		}
		return person{m, []webauthn.Credential{c}}, nil
	}, session, parsed)
	if broken != nil && !errors.Is(broken, ErrPasskey) && !errors.Is(broken, staff.ErrNotFound) {
		return staff.Member{}, broken
	}
	detail := "by passkey, from " + address
	switch {
	case err != nil:
		return staff.Member{}, d.refused(ctx, m, act, detail, ErrPasskey)
	case m.Disabled:
		return staff.Member{}, d.refused(ctx, m, act, detail+", who is disabled", ErrPasskey)
	case credential.Authenticator.CloneWarning:
		return staff.Member{}, d.refused(ctx, m, act, detail+": it has counted backwards, so there may be a copy of it: "+had.Name, ErrPasskey)
	}
	now, err := json.Marshal(credential)
	if err != nil {
		return staff.Member{}, err
	}
	if err := d.Store.UsePasskey(ctx, had.ID, had.Credential, string(now)); err != nil {
		if errors.Is(err, ErrPasskey) {
			return staff.Member{}, d.refused(ctx, m, act, detail+": it was used elsewhere at the same moment", err)
		}
		return staff.Member{}, err
	}
	lockout.GiveBack(ctx, d.Tries, []lockout.Budget{from})
	return m, done(m)
}

// BeginAdding asks the browser of somebody who is signed in for a new passkey. Errors: ErrTooOften, ErrMost.
func (d *Desk) BeginAdding(ctx context.Context, who staff.Member, address string) (Ceremony, error) {
	if err := d.begins(ctx, address); err != nil {
		return Ceremony{}, err
	}
	f, err := d.Factors(ctx, who)
	if err != nil {
		return Ceremony{}, err
	}
	if len(f.Passkeys) >= PasskeysMost {
		return Ceremony{}, ErrMost
	}
	p := person{m: who}
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
		return d.refused(ctx, who, act, name, ErrPasskey)
	}
	made, err := d.Passkeys.rp.CreateCredential(person{m: who}, session, parsed)
	if err != nil || !made.Flags.UserVerified {
		return d.refused(ctx, who, act, name, ErrPasskey)
	}
	b, err := json.Marshal(made)
	if err != nil {
		return err
	}
	e, err := d.entry(ctx, who, act, name)
	if err != nil {
		return err
	}
	p := Passkey{ID: base64.RawURLEncoding.EncodeToString(made.ID), Owner: owner(who), Name: name, Credential: string(b), Added: e.At}
	err = d.Store.AddPasskey(ctx, p, PasskeysMost, e)
	if errors.Is(err, ErrPasskeyHere) || errors.Is(err, ErrMost) {
		return d.refused(ctx, who, act, name, err)
	}
	return err
}

// RemovePasskey takes one of somebody's passkeys away. Errors: ErrPasskey for one that they have not.
func (d *Desk) RemovePasskey(ctx context.Context, who staff.Member, id string) error {
	const act = "remove passkey"
	f, err := d.Factors(ctx, who)
	if err != nil {
		return err
	}
	for _, p := range f.Passkeys {
		if p.ID == id {
			e, err := d.entry(ctx, who, act, p.Name)
			if err != nil {
				return err
			}
			return d.Store.RemovePasskey(ctx, owner(who), id, e)
		}
	}
	return d.refused(ctx, who, act, "", ErrPasskey)
}

// person is a member as WebAuthn knows one.
type person struct {
	m   staff.Member
	has []webauthn.Credential
}

// WebAuthnID says nothing of who it is to whoever finds a key: our ids are no names.
func (p person) WebAuthnID() []byte {
	return bytes.Join([][]byte{[]byte(owner(p.m).Kind), []byte(p.m.ID)}, []byte(":"))
}

// WebAuthnName is what a browser lists a passkey by.
func (p person) WebAuthnName() string { return p.m.Login }

// WebAuthnDisplayName is what a browser shows beside it.
func (p person) WebAuthnDisplayName() string { return p.m.Name }

// WebAuthnCredentials are the keys that the person has.
func (p person) WebAuthnCredentials() []webauthn.Credential { return p.has }
