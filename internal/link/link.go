// Package link is the texted way in: a secret token, the link that it stands for, and the session of a payer who opened it.
package link

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"paylink/internal/guard"
	"paylink/internal/phone"
	"paylink/internal/seal"
)

var (
	// ErrUnknown is returned for a token that means nothing here, and for one that the door has forgotten.
	ErrUnknown = errors.New("no such link")
	// ErrTooMany is returned to a caller who has asked too often.
	ErrTooMany = errors.New("too many tries")
)

// Life is how long a link is good for, from the moment it is sent.
const Life = 10 * time.Minute

// Token is the secret in the text: 26 characters of base32, 130 random bits. It never prints; Reveal, by name, gives it.
type Token struct{ text string }

// TokenLength is how many characters a token has.
const TokenLength = 26

// NewToken makes a token from text, which must come from crypto/rand.Text.
func NewToken(text string) Token { return Token{text} }

// ParseToken reads a token from a browser. It returns ErrUnknown for what can't be one.
func ParseToken(s string) (Token, error) {
	if len(s) != TokenLength || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return Token{}, ErrUnknown
	}
	return Token{s}, nil
}

// Reveal returns the token itself. It goes into the text and into a sealed box, nowhere else.
func (t Token) Reveal() string { return t.text }

// String keeps the token out of every log.
func (t Token) String() string {
	if guard.Off(guard.TokenMasked) {
		return t.text
	}
	return "[token]"
}

// GoString keeps the token out of every log.
func (t Token) GoString() string { return t.String() }

// MarshalText keeps the token out of every log and document.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Digest is the SHA-256 of a token in hex: all that we keep of it. A token has 130 random bits, so that no salt or slow hash is needed.
type Digest string

// Digest returns the token's digest.
func (t Token) Digest() Digest {
	sum := sha256.Sum256([]byte(t.text))
	return Digest(hex.EncodeToString(sum[:]))
}

// State is whether a link still leads to its payment.
type State string

const (
	Live     State = "live"
	Replaced State = "replaced" // a newer link for the same payment was sent
	Dead     State = "dead"     // the payment is closed or paid
)

// Link is one texted link. A payment has at most one live link.
type Link struct {
	ID        string
	PaymentID string
	Digest    Digest
	State     State
	Phone     phone.Number // sealed at rest
	OwnNumber bool         // it is the number on the client's record
	Language  string       // "en" or "es"
	SentBy    string       // staff or client id
	CreatedAt time.Time
	OpenedAt  time.Time // zero: not opened yet
	ExpiresAt time.Time
}

// Pass is what the door knows of a live link.
type Pass struct {
	LinkID    string
	PaymentID string
	ExpiresAt time.Time
	Opened    bool // it has been opened before, and SQL knows that
}

// Door holds the live links for their ten minutes. Losing what it holds may end a link early; nothing it does may prolong one.
type Door interface {
	// Admit lets the token of this digest in until the pass expires.
	Admit(ctx context.Context, d Digest, p Pass) error
	// Look returns the pass of a live link without using it up. It returns ErrUnknown for one that it does not hold.
	// It counts the caller's looks and returns ErrTooMany above its limit.
	Look(ctx context.Context, d Digest, caller string) (Pass, error)
	// MarkOpened remembers that SQL knows of the first opening.
	MarkOpened(ctx context.Context, d Digest) error
	// Shut forgets the digest.
	Shut(ctx context.Context, d Digest) error
}

// Session is what a payer's cookie says, signed: which link was opened in this browser and until when that counts.
type Session struct {
	ID        string
	PaymentID string
	LinkID    string
	ReadOnly  bool // the link was dead when it was opened: the session reads what became of it
	End       time.Time
}

// Sign writes the session as a cookie's value.
func (s Session) Sign(k seal.Keys) string {
	may := "pay"
	if s.ReadOnly {
		may = "read"
	}
	return k.Sign("payer session", strings.Join([]string{s.ID, s.PaymentID, s.LinkID, may, strconv.FormatInt(s.End.UnixMilli(), 10)}, " "))
}

// ReadSession reads a cookie's value. It returns seal.ErrNotOurs for a forged one and ErrUnknown for one that is over.
func ReadSession(k seal.Keys, cookie string, now time.Time) (Session, error) {
	data, err := k.Verify("payer session", cookie)
	if err != nil {
		return Session{}, err
	}
	part := strings.Split(data, " ")
	if len(part) != 5 {
		return Session{}, seal.ErrNotOurs
	}
	end, err := strconv.ParseInt(part[4], 10, 64)
	if err != nil {
		return Session{}, seal.ErrNotOurs
	}
	s := Session{ID: part[0], PaymentID: part[1], LinkID: part[2], ReadOnly: part[3] != "pay", End: time.UnixMilli(end)}
	if !now.Before(s.End) && guard.On(guard.SessionEnd) {
		return Session{}, ErrUnknown
	}
	return s, nil
}

// Nonce is what one page view may charge once: it binds the payment, the link and the summary that was shown.
type Nonce struct {
	ID        string // random
	PaymentID string
	LinkID    string
	Summary   string // SHA-256 of the summary shown
}

// Sign writes the nonce for the page.
func (n Nonce) Sign(k seal.Keys) string {
	return k.Sign("charge nonce", strings.Join([]string{n.ID, n.PaymentID, n.LinkID, n.Summary}, " "))
}

// ReadNonce reads what a page sent back. It returns seal.ErrNotOurs for a forged one.
func ReadNonce(k seal.Keys, signed string) (Nonce, error) {
	data, err := k.Verify("charge nonce", signed)
	if err != nil {
		return Nonce{}, err
	}
	part := strings.Split(data, " ")
	if len(part) != 4 {
		return Nonce{}, seal.ErrNotOurs
	}
	return Nonce{ID: part[0], PaymentID: part[1], LinkID: part[2], Summary: part[3]}, nil
}
