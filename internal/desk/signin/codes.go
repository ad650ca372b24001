package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"paylink/internal/staff"
	"paylink/internal/trail"
)

// Codes of an authenticator app (RFC 6238), as every app knows them: SHA-1, six digits, thirty seconds, and one step early or late.
const (
	stepSeconds   = 30
	secretBytes   = 20               // RFC 4226, 4: as long as the hash
	setupLife     = 30 * time.Minute // from seeing the secret to the first code
	HalfLife      = 5 * time.Minute  // from a right password to the second step
	recoveryCount = 10
	recoveryBytes = 10 // 80 bits: a digest of them can't be tried through
)

// crockford has no letters that look like others.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// Setup is an authenticator app that is being set up.
type Setup struct {
	Secret  string // as a person types it, in groups
	Address string // otpauth://…, as a camera reads it
	Box     string // what the form brings back
}

// setup is what a Setup's box holds.
type setup struct {
	Secret string
	UnixMS int64
}

// BeginCodes makes a secret for an authenticator app. It counts once a code from the app confirms it.
func (d *Desk) BeginCodes(ctx context.Context, who staff.Member) (Setup, error) {
	now, err := d.Store.Now(ctx)
	if err != nil {
		return Setup{}, err
	}
	raw, err := d.random(secretBytes)
	if err != nil {
		return Setup{}, err
	}
	return d.offer(who, setup{base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw), now.UnixMilli()})
}

// SameCodes is a setup once more, whose first code was wrong. Errors: ErrOver.
func (d *Desk) SameCodes(ctx context.Context, who staff.Member, box string) (Setup, error) {
	s, err := d.unbox(ctx, who, box)
	if err != nil {
		return Setup{}, err
	}
	return d.offer(who, s)
}

func (d *Desk) offer(who staff.Member, s setup) (Setup, error) {
	b, err := json.Marshal(s) // #nosec G117 -- it leaves sealed
	if err != nil {
		return Setup{}, err
	}
	// github.com/google/google-authenticator/wiki/Key-Uri-Format
	q := url.Values{"secret": {s.Secret}, "issuer": {d.Brand + " PLUS Web"}}
	address := "otpauth://totp/" + url.PathEscape(d.Brand+" PLUS Web:"+who.Login) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
	return Setup{Secret: grouped(s.Secret, 4, " "), Address: address, Box: d.Keys.Seal(setupPurpose(who), string(b))}, nil
}

func (d *Desk) unbox(ctx context.Context, who staff.Member, box string) (setup, error) {
	plain, err := d.Keys.Open(setupPurpose(who), box)
	if err != nil {
		return setup{}, err
	}
	var s setup
	if err := json.Unmarshal([]byte(plain), &s); err != nil {
		return setup{}, err
	}
	now, err := d.Store.Now(ctx)
	if err == nil && now.Sub(time.UnixMilli(s.UnixMS)) >= setupLife {
		err = ErrOver
	}
	return s, err
}

// SetCodes sets the app up whose first code this is, in the place of any before, and returns the recovery codes, which nobody sees again.
// Errors: ErrCode, ErrOver, staff.ErrLocked, seal.ErrNotOurs.
func (d *Desk) SetCodes(ctx context.Context, who staff.Member, box, typed, address string) ([]string, error) {
	const act = "set up codes"
	s, err := d.unbox(ctx, who, box)
	if err != nil {
		return nil, err
	}
	var step int64
	err = d.guess(ctx, who, act, address, func() error {
		code, _ := appCode(typed)
		now, err := d.Store.Now(ctx)
		if err == nil {
			step, err = stepOf(s.Secret, code, now)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	codes, digests, err := d.newRecovery(who)
	if err != nil {
		return nil, err
	}
	e, err := d.entry(ctx, who, act, "with recovery codes")
	if err != nil {
		return nil, err
	}
	return codes, d.Store.SetCodes(ctx, owner(who), d.Keys.Seal(secretPurpose(owner(who)), s.Secret), step, digests, e)
}

// RemoveCodes takes somebody's authenticator app away.
func (d *Desk) RemoveCodes(ctx context.Context, who staff.Member) error {
	e, err := d.entry(ctx, who, "remove codes", "")
	if err != nil {
		return err
	}
	return d.Store.RemoveCodes(ctx, owner(who), e)
}

// NewRecovery makes new recovery codes in the place of the old ones. Errors: staff.ErrNotAllowed for somebody without a second factor, who could do nothing with them.
func (d *Desk) NewRecovery(ctx context.Context, who staff.Member) ([]string, error) {
	const act = "make recovery codes"
	f, err := d.Factors(ctx, who)
	if err != nil {
		return nil, err
	}
	if !f.Second() {
		return nil, d.refused(ctx, who, act, "", staff.ErrNotAllowed)
	}
	codes, digests, err := d.newRecovery(who)
	if err != nil {
		return nil, err
	}
	e, err := d.entry(ctx, who, act, "")
	if err != nil {
		return nil, err
	}
	return codes, d.Store.SetRecovery(ctx, owner(who), digests, e)
}

// Half is a person whose password was right, and since when: what a browser's session keeps until the second step.
type Half struct {
	ID    string
	Since time.Time // of the member then
	At    time.Time
}

// Second signs in with a code of the app or a recovery code who has given the right password. Errors: ErrCode, staff.ErrLocked, ErrOver.
func (d *Desk) Second(ctx context.Context, h Half, typed, address string) (staff.Member, By, error) {
	now, err := d.Store.Now(ctx)
	if err != nil {
		return staff.Member{}, "", err
	}
	m, err := d.Member(ctx, h.ID)
	if errors.Is(err, staff.ErrNotFound) || err == nil && (!m.Since.Equal(h.Since) || now.Sub(h.At) >= HalfLife) {
		return staff.Member{}, "", ErrOver
	}
	if err != nil {
		return staff.Member{}, "", err
	}
	by := ByRecovery
	code, isApp := appCode(typed)
	if isApp {
		by = ByCode
	}
	err = d.guess(ctx, m, "second factor", address, func() error {
		if isApp {
			return d.useCode(ctx, m, code)
		}
		return d.Store.UseRecovery(ctx, owner(m), recoveryDigest(owner(m), typed))
	})
	if err != nil {
		return staff.Member{}, "", err
	}
	return m, by, d.signedIn(ctx, m, by)
}

// useCode uses up a code of a person's app. Who has none has no code that fits.
func (d *Desk) useCode(ctx context.Context, m staff.Member, code string) error {
	box, err := d.Store.Codes(ctx, owner(m))
	if err != nil {
		return err
	}
	if box == "" {
		return ErrCode
	}
	secret, err := d.Keys.Open(secretPurpose(owner(m)), box)
	if err != nil {
		return err
	}
	now, err := d.Store.Now(ctx)
	if err != nil {
		return err
	}
	step, err := stepOf(secret, code, now)
	if err != nil {
		return err
	}
	return d.Store.UseStep(ctx, owner(m), step)
}

// stepOf is the step whose code this is: now's, the one before or the one after. Errors: ErrCode.
func stepOf(secret, code string, now time.Time) (int64, error) {
	at := now.Unix() / stepSeconds
	for step := at - 1; step <= at+1; step++ {
		fits, err := hotp.ValidateCustom(code, uint64(max(step, 0)), secret, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}) // #nosec G115 -- not below zero
		if err != nil && !errors.Is(err, otp.ErrValidateInputInvalidLength) {
			return 0, err
		}
		if fits {
			return step, nil
		}
	}
	return 0, ErrCode
}

// appCode is what was typed as a code of an app, if it is one: six digits, however they are spaced.
func appCode(typed string) (code string, ok bool) {
	code = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, typed)
	return code, len(code) == 6 && strings.Trim(code, "0123456789") == ""
}

// newRecovery makes recovery codes, as they are shown and as they are kept.
func (d *Desk) newRecovery(who staff.Member) (codes, digests []string, err error) {
	for range recoveryCount {
		raw, err := d.random(recoveryBytes)
		if err != nil {
			return nil, nil, err
		}
		code := grouped(base32.NewEncoding(crockford).EncodeToString(raw), 4, "-")
		codes, digests = append(codes, code), append(digests, recoveryDigest(owner(who), code))
	}
	return codes, digests, nil
}

// recoveryDigest takes a code as people copy it: in capitals, without hyphens, with an O for a zero.
func recoveryDigest(of trail.Actor, typed string) string {
	code := strings.Map(func(r rune) rune {
		switch r = unicode.ToLower(r); {
		case r == 'o':
			return '0'
		case r == 'i' || r == 'l':
			return '1'
		case strings.ContainsRune(crockford, r):
			return r
		}
		return -1
	}, typed)
	sum := sha256.Sum256([]byte("recovery code of " + string(of.Kind) + " " + of.ID + " " + code))
	return hex.EncodeToString(sum[:])
}

func secretPurpose(of trail.Actor) string { return "codes of " + string(of.Kind) + " " + of.ID }

func setupPurpose(who staff.Member) string { return "setting up codes of staff " + who.ID }

func grouped(s string, n int, by string) string {
	var groups []string
	for ; len(s) > n; s = s[n:] {
		groups = append(groups, s[:n])
	}
	return strings.Join(append(groups, s), by)
}
