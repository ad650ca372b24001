package account

import (
	"errors"
	"time"
)

// TemporaryLife is how long a password that came by mail is good for.
const TemporaryLife = 7 * 24 * time.Hour

// What the door of My Account refuses. None of them tells a stranger more than these words.
var (
	// ErrSignIn is returned for an id that nobody has and a wrong password alike.
	ErrSignIn = errors.New("the client id or the password is wrong")
	// ErrTooOld is returned for a temporary password that is right and was not used in time.
	ErrTooOld = errors.New("the temporary password is too old")
)

// Access is how a client gets into My Account.
type Access struct {
	ClientID     string
	PasswordHash string    `json:"-"` // argon2id, encoded
	MustChange   bool      // it is a temporary one, from an invitation or a reset
	PasswordAt   time.Time // when it was set
	Since        time.Time // sessions that began before are over
	Wrong        int       // wrong passwords in a row, counted here while nothing else can count them
	LockedUntil  time.Time // after too many of these; zero: not locked
	Read         int64     // entries of the client's trail up to which notices were read
}

// Session is a browser that is signed in to My Account, as its owner sees it listed.
type Session struct {
	ID       string
	ClientID string
	BeganAt  time.Time
	SeenAt   time.Time
	EndedAt  time.Time // zero: it goes on
	Browser  string    // "Chrome on Android"; from what the browser says of itself
	Address  string
}
