package client

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/lang"
	"paylink/internal/lockout"
	"paylink/internal/phone"
	"paylink/internal/post"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

// What a new address or number is refused for.
var (
	ErrAddress     = errors.New("not a mail address")
	ErrSameAddress = errors.New("the address or number is the client's already")
	// ErrBlocked is returned where the carrier blocks texts: only START from the phone lifts that.
	ErrBlocked = errors.New("the carrier blocks texts to the number")
)

// ContactStore is what contact data are read from and written to.
type ContactStore interface {
	// Challenged counts the codes that a client has had sent since a time.
	Challenged(ctx context.Context, clientID string, since time.Time) (int, error)
	// Challenge sends a code by the letter or the text; those before of its way are good no more.
	Challenge(ctx context.Context, c account.Challenge, code string, e trail.Entry, letter *post.Letter, text *sms.Message) error
	// OpenChallenge returns the code that a client is to type; account.ErrCodeOver for none.
	OpenChallenge(ctx context.Context, clientID string, way account.Way) (account.Challenge, error)
	// MeetChallenge has the address or number be the client's, and the letter tell of it, if the code is right. Errors: account.ErrCode, account.ErrCodeOver.
	MeetChallenge(ctx context.Context, clientID string, way account.Way, code string, e trail.Entry, told *post.Letter) error
	// TextsTo says whether a number wants no texts, and whether the carrier blocks them too.
	TextsTo(ctx context.Context, n phone.Number) (optedOut, blocked bool, err error)
	SetTexts(ctx context.Context, c account.Client, on bool, e trail.Entry, told *post.Letter) (changed, blocked bool, err error)
}

const (
	addressMost  = 254 // characters (RFC 5321, 4.5.3.1.3, less the angle brackets)
	codesMost    = 6   // that one client has sent in an hour
	codesToOne   = 5   // to one number or address, whoever asks
	mailCodeSize = 8   // letters and digits, of 32 each
)

// Pending returns the address or number that waits for its code. ok is false where none does.
func (d *Desk) Pending(ctx context.Context, who Who, way account.Way) (c account.Challenge, ok bool, err error) {
	c, err = d.Store.OpenChallenge(ctx, who.ID, way)
	if errors.Is(err, account.ErrCodeOver) {
		return c, false, nil
	}
	return c, err == nil, err
}

// AskMail sends a code to an address that is to become the client's, once they have proved that they know the password. The address that they have stays until the code is typed. Errors: those of Prove,
// ErrAddress, ErrSameAddress, lockout.ErrLocked.
func (d *Desk) AskMail(ctx context.Context, who Who, address, password string, from Browser) error {
	const act = "ask to change email address"
	address = strings.TrimSpace(address)
	parsed, err := mail.ParseAddress(address)
	_, domain, _ := strings.Cut(address, "@")
	switch {
	case err != nil || parsed.Address != address || len(address) > addressMost || !strings.Contains(domain, ".") || strings.Contains(domain, "[") || trail.HoldsCardNumber(address),
		strings.ContainsFunc(address, func(r rune) bool { return r > '~' }): // mail servers that take more than ASCII are few (RFC 6531)
		return ErrAddress
	case strings.EqualFold(address, who.Email):
		return ErrSameAddress
	}
	if err := d.Prove(ctx, who, act, password, from); err != nil {
		return err
	}
	if err := d.mayAsk(ctx, who, address, from); err != nil {
		return d.noted(ctx, who, act, who.ID, err, lockout.ErrLocked)
	}
	e, err := d.entry(ctx, who.ID, act, who.ID, account.MaskedMail(address))
	if err != nil {
		return err
	}
	code := strings.ToLower(d.Token())[:mailCodeSize]
	letter := post.Letter{
		ID: d.NewID(), ClientID: who.ID, Kind: post.Confirm, Language: who.Language, To: address, Values: map[string]string{}, Secret: code[:mailCodeSize/2] + "-" + code[mailCodeSize/2:], CreatedAt: e.At, NextAt: e.At,
	}
	return d.Store.Challenge(ctx, account.Challenge{ClientID: who.ID, Way: account.ByMail, Target: address, MadeAt: e.At}, code, e, &letter, nil)
}

// AskPhone is AskMail for a mobile number, to which the code goes as a text. Errors: also phone.ErrInvalid, phone.ErrNotMobile, sms.ErrLandline, sms.ErrOptedOut.
func (d *Desk) AskPhone(ctx context.Context, who Who, number, password string, from Browser) error {
	const act = "ask to change phone number"
	n, err := phone.Parse(number)
	if err != nil {
		return err
	}
	if n == who.Phone {
		return ErrSameAddress
	}
	if err := d.Prove(ctx, who, act, password, from); err != nil {
		return err
	}
	if err := d.mayAsk(ctx, who, n.E164(), from); err != nil {
		return d.noted(ctx, who, act, who.ID, err, lockout.ErrLocked)
	}
	if err := sms.Reaches(ctx, n, d.Store, d.Carrier); err != nil {
		return d.noted(ctx, who, act, who.ID, err, sms.ErrOptedOut, sms.ErrLandline)
	}
	e, err := d.entry(ctx, who.ID, act, who.ID, n.String()+", agreed to texts")
	if err != nil {
		return err
	}
	code := digits(d.Token())
	text := sms.Message{ID: d.NewID(), Kind: sms.CodeText, Language: who.Language, Box: code, Phone: n, Status: sms.Waiting, CreatedAt: e.At, NextAt: e.At}
	return d.Store.Challenge(ctx, account.Challenge{ClientID: who.ID, Way: account.ByPhone, Target: n.E164(), MadeAt: e.At}, code, e, nil, &text)
}

// mayAsk says whether another code may be sent, so that nobody is pestered with them and nobody pays for them. Errors: lockout.ErrLocked.
func (d *Desk) mayAsk(ctx context.Context, who Who, target string, from Browser) error {
	now, err := d.Store.Now(ctx)
	if err != nil {
		return err
	}
	if n, err := d.Store.Challenged(ctx, who.ID, now.Add(-time.Hour)); err != nil {
		return err
	} else if n >= codesMost {
		return lockout.ErrLocked
	}
	sum := sha256.Sum256([]byte(target)) // the counter holds no address and no number
	_, err = lockout.Take(ctx, d.Tries, []lockout.Budget{
		{Key: "codes of My Account to " + hex.EncodeToString(sum[:]), Most: codesToOne}, {Key: "codes of My Account from " + lockout.Household(from.Address), Most: lockout.From},
	})
	if errors.Is(err, lockout.ErrLocked) {
		return err
	}
	return nil // where the counter does not answer, the client's own limit stands
}

// digits are six that nobody can foretell, of a random text.
func digits(token string) string {
	sum := sha256.Sum256([]byte(token))
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(sum[:8])%1_000_000)
}

// Answer takes the code that came to the new address or number: it is the client's from now on, and the address that they had is told. Errors: account.ErrCode, account.ErrCodeOver.
func (d *Desk) Answer(ctx context.Context, who Who, way account.Way, code string) error {
	c, ok, err := d.Pending(ctx, who, way)
	if err != nil {
		return err
	}
	act, what, detail := "change email address", post.AddressChanged, account.MaskedMail(c.Target)
	if way == account.ByPhone {
		act, what, detail = "change phone number", post.PhoneChanged, phone.Stored(c.Target).String()
	}
	if !ok {
		return d.refused(ctx, who, act, account.ErrCodeOver)
	}
	e, err := d.entry(ctx, who.ID, act, who.ID, detail)
	if err != nil {
		return err
	}
	told, err := d.changed(ctx, who.Client, what, detail)
	if err != nil {
		return err
	}
	return d.Store.MeetChallenge(ctx, who.ID, way, code, e, told)
}

// SetTexts has a client get texts, or none. What they agree to is kept in the trail in their own words. Errors: ErrBlocked.
func (d *Desk) SetTexts(ctx context.Context, who Who, on bool) error {
	if who.Phone.IsZero() {
		return account.ErrNotFound
	}
	l, _ := lang.Parse(who.Language)
	act, what, detail := "opt out of texts", post.TextsOff, "in My Account"
	if on {
		act, what, detail = "opt in to texts", post.TextsOn, "in My Account, to: "+l.T("my.texts.agree")
	}
	e, err := d.entry(ctx, who.ID, act, who.Phone.String(), detail)
	if err != nil {
		return err
	}
	told, err := d.changed(ctx, who.Client, what, who.Phone.String())
	if err != nil {
		return err
	}
	_, blocked, err := d.Store.SetTexts(ctx, who.Client, on, e, told)
	if err == nil && blocked {
		return d.refused(ctx, who, act, ErrBlocked)
	}
	return err
}
