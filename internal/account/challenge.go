package account

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// What a code that was typed is refused for.
var (
	// ErrCode is returned for a wrong one: it can be typed again.
	ErrCode = errors.New("the code is wrong")
	// ErrCodeOver is returned where there is none any more: it is too old, used, replaced, or was guessed at too often.
	ErrCodeOver = errors.New("the code is good no more")
)

// Way is how a client is reached.
type Way string

const (
	ByMail  Way = "mail"
	ByPhone Way = "phone"
)

// Challenge is a code that was sent to an address or number: whoever types it has shown that they read what comes there. A client has one of each way; the newest counts.
type Challenge struct {
	ClientID string
	Way      Way
	Target   string // the new address, or number in E.164; sealed at rest
	MadeAt   time.Time
	Tries    int
}

// CodeTries is how often a code may be typed wrong.
const CodeTries = 5

// Life is how long a code is good for.
func (w Way) Life() time.Duration {
	if w == ByMail {
		return time.Hour
	}
	return 10 * time.Minute
}

// Over says whether a code is good no more.
func (c Challenge) Over(now time.Time) bool {
	return c.Tries >= CodeTries || now.Sub(c.MadeAt) >= c.Way.Life()
}

// Digest is what is kept of a code. How it was typed, in small or capital letters, with or without spaces and hyphens, makes no difference.
func (c Challenge) Digest(code string) string {
	code = strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code))
	sum := sha256.Sum256([]byte(strings.Join([]string{"a code", string(c.Way), c.ClientID, c.MadeAt.UTC().Format(time.RFC3339Nano), code}, "\n")))
	return hex.EncodeToString(sum[:])
}

// MaskedMail leaves of an address what its owner knows it by: "d•••@clients.interlane.example".
func MaskedMail(address string) string {
	name, domain, ok := strings.Cut(address, "@")
	if !ok || name == "" {
		return "•••"
	}
	return string([]rune(name)[:1]) + "•••@" + domain
}
