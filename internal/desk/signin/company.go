package signin

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"paylink/internal/lockout"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// Company is the company's own sign-in, an OpenID Connect provider.
type Company interface {
	// Ask is the address to send a browser to. Errors: ErrProvider.
	Ask(ctx context.Context, a Ask) (address string, err error)
	// Identity trades what the browser brought back for who it is, and checks everything that the provider signs: who issued it, for whom, when, and the nonce.
	// Errors: ErrProvider where it does not answer, ErrRefused for whatever else is wrong.
	Identity(ctx context.Context, code string, a Ask) (Identity, error)
	// Issuer is the provider's name for itself.
	Issuer() string
}

// Ask is what one sign-in at the provider holds together: state comes back in the address, the nonce in the token, and the verifier proves that who asked is who trades the code (PKCE).
type Ask struct{ State, Nonce, Verifier string }

// Identity is somebody, as the company's provider says.
type Identity struct {
	Issuer, Subject string
	Email           string // lower case; "" for none
	Verified        bool   // the provider has checked that the address is theirs
}

const askLife = 10 * time.Minute

// asked is what a browser's session keeps of an Ask.
type asked struct {
	Ask
	UnixMS int64
}

// BeginCompany asks the company's provider who it is; kept is for the browser's session. Errors: ErrProvider, ErrTooOften.
func (d *Desk) BeginCompany(ctx context.Context, address string) (to string, kept []byte, err error) {
	if err := d.begins(ctx, address); err != nil {
		return "", nil, err
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return "", nil, err
	}
	a := asked{UnixMS: now.UnixMilli()}
	for _, part := range []*string{&a.State, &a.Nonce, &a.Verifier} {
		raw, err := d.random(32)
		if err != nil {
			return "", nil, err
		}
		*part = base64.RawURLEncoding.EncodeToString(raw)
	}
	if kept, err = json.Marshal(a); err != nil {
		return "", nil, err
	}
	to, err = d.Company.Ask(ctx, a.Ask)
	return to, kept, err
}

// Returned is what a browser brings back from the provider.
type Returned struct{ State, Code, Error, Issuer string }

// whys are the reasons that a provider may give and the trail keeps (RFC 6749, 4.1.2.1; OpenID Connect Core, 3.1.2.6).
var whys = []string{
	"access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required", "temporarily_unavailable", "server_error", "invalid_request", "invalid_scope",
	"unauthorized_client", "unsupported_response_type",
}

// ByCompany signs in whom the company's provider knows: by the account that was linked before, else by the e-mail address that the provider has verified, once, and never anybody new.
// The provider answers for the second factor. Errors: ErrOver, ErrProvider, ErrRefused, ErrNoAccount, staff.ErrLocked.
func (d *Desk) ByCompany(ctx context.Context, kept []byte, r Returned, address string) (staff.Member, error) {
	const act = "sign in"
	detail := "by company account, from " + address
	var a asked
	now, err := d.Store.Now(ctx)
	if err != nil {
		return staff.Member{}, err
	}
	if json.Unmarshal(kept, &a) != nil || a.State == "" || subtle.ConstantTimeCompare([]byte(a.State), []byte(r.State)) != 1 || now.Sub(time.UnixMilli(a.UnixMS)) >= askLife {
		return staff.Member{}, ErrOver
	}
	if err := d.once(ctx, "sign-on "+a.State); err != nil {
		return staff.Member{}, err
	}
	from := lockout.Budget{Key: "company account from " + lockout.Household(address), Most: lockout.From}
	if _, err := lockout.Take(ctx, d.Tries, []lockout.Budget{from}); errors.Is(err, staff.ErrLocked) {
		if d.quietly(ctx, address) {
			return staff.Member{}, err
		}
		return staff.Member{}, d.refused(ctx, staff.Member{}, act, detail, err)
	}
	switch {
	case r.Error != "":
		if !slices.Contains(whys, r.Error) {
			r.Error = "another error"
		}
		return staff.Member{}, d.refused(ctx, staff.Member{}, act, detail+": "+r.Error, ErrRefused)
	case r.Code == "" || r.Issuer != "" && r.Issuer != d.Company.Issuer(): // RFC 9207: another provider's answer
		return staff.Member{}, d.refused(ctx, staff.Member{}, act, detail, ErrRefused)
	}
	who, err := d.Company.Identity(ctx, r.Code, a.Ask)
	if errors.Is(err, ErrProvider) || errors.Is(err, ErrRefused) {
		if errors.Is(err, ErrProvider) {
			lockout.GiveBack(ctx, d.Tries, []lockout.Budget{from})
		}
		return staff.Member{}, d.refused(ctx, staff.Member{}, act, detail, err)
	}
	if err != nil {
		return staff.Member{}, err
	}
	m, why, err := d.known(ctx, who)
	if err != nil {
		return staff.Member{}, err
	}
	if why != "" {
		return staff.Member{}, d.refused(ctx, m, act, detail+": "+why, ErrNoAccount)
	}
	lockout.GiveBack(ctx, d.Tries, []lockout.Budget{from})
	return m, d.signedIn(ctx, m, ByCompany)
}

// known finds whom an identity is, and links them the first time. why says why it is nobody.
func (d *Desk) known(ctx context.Context, who Identity) (m staff.Member, why string, err error) {
	m, err = d.Store.MemberBySignOn(ctx, who.Issuer, who.Subject)
	switch {
	case err == nil && m.Disabled:
		return m, "the person is disabled", nil
	case err == nil || !errors.Is(err, staff.ErrNotFound):
		return m, "", err
	case who.Email == "" || !who.Verified:
		return staff.Member{}, "no e-mail address that the provider has verified", nil
	}
	m, err = d.Store.MemberByEmail(ctx, who.Email)
	switch {
	case errors.Is(err, staff.ErrNotFound):
		return staff.Member{}, "nobody has the e-mail address " + shown(who.Email), nil
	case err != nil:
		return staff.Member{}, "", err
	case m.Disabled:
		return m, "the person is disabled", nil
	}
	e, err := d.entry(ctx, m, "link company account", "")
	if err != nil {
		return m, "", err
	}
	err = d.Store.LinkSignOn(ctx, who.Issuer, who.Subject, m.ID, e)
	if errors.Is(err, ErrNoAccount) {
		return m, "another company account is linked", nil
	}
	return m, "", err
}

// shown is an e-mail address as the trail keeps it.
func shown(email string) string {
	kept, err := trail.FreeText(strings.ToValidUTF8(email, ""))
	if err != nil {
		return "(not kept)"
	}
	return kept
}
