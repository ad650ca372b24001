package staff

import (
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// OWASP's password storage cheat sheet: argon2id with 19 MiB and two passes. The parameters stand in every hash, so that they can be raised later.
const (
	argonPasses    = 2
	argonMemoryKiB = 19 * 1024
	argonThreads   = 1
	argonKeyBytes  = 32

	// SaltBytes is how long a salt is.
	SaltBytes = 16
	// MinPassword and MaxPassword are how many characters a password may have; more only cost us time.
	MinPassword = 12
	MaxPassword = 256
)

// HashPassword returns the encoded argon2id hash of a password. The salt must be fresh and random, SaltBytes long.
func HashPassword(password string, salt []byte) string {
	return parameters{argonMemoryKiB, argonPasses, argonThreads}.encoded(password, salt)
}

// parameters are what a hash costs.
type parameters struct {
	memory, passes uint32 // KiB
	threads        uint8
}

func (p parameters) encoded(password string, salt []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(p.key(password, salt)))
}

// key hashes what a person sees: one character may be typed as several code points, by another keyboard (RFC 8265, OpaqueString).
func (p parameters) key(password string, salt []byte) []byte {
	return argon2.IDKey([]byte(norm.NFC.String(password)), salt, p.passes, p.memory, p.threads, argonKeyBytes)
}

var errHash = errors.New("the stored password hash can't be read")

// CheckPassword says whether a password fits an encoded hash. It takes the same time for a wrong password as for a right one,
// and about that time for no hash at all.
func CheckPassword(password, encoded string) (bool, error) {
	if utf8.RuneCountInString(password) > MaxPassword {
		return false, nil
	}
	if encoded == "" {
		parameters{argonMemoryKiB, argonPasses, argonThreads}.key(password, make([]byte, SaltBytes))
		return false, nil
	}
	p, salt, want, err := decoded(encoded)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(p.key(password, salt), want) == 1, nil
}

// Weak says whether a stored hash costs less than one would today.
func Weak(encoded string) bool {
	p, _, _, err := decoded(encoded)
	return err == nil && (p.memory < argonMemoryKiB || p.passes < argonPasses)
}

func decoded(encoded string) (p parameters, salt, key []byte, err error) {
	part := strings.Split(encoded, "$")
	if len(part) != 6 || part[1] != "argon2id" {
		return p, nil, nil, errHash
	}
	var version int
	if _, err := fmt.Sscanf(part[2]+" "+part[3], "v=%d m=%d,t=%d,p=%d", &version, &p.memory, &p.passes, &p.threads); err != nil || version != argon2.Version {
		return p, nil, nil, errHash
	}
	if salt, err = base64.RawStdEncoding.DecodeString(part[4]); err != nil {
		return p, nil, nil, errHash
	}
	if key, err = base64.RawStdEncoding.DecodeString(part[5]); err != nil || len(key) != argonKeyBytes {
		return p, nil, nil, errHash
	}
	return p, salt, key, nil
}

// What a new password is refused for.
var (
	ErrPasswordShort  = fmt.Errorf("a password needs %d characters or more", MinPassword)
	ErrPasswordLong   = fmt.Errorf("a password may have %d characters at most", MaxPassword)
	ErrPasswordCommon = errors.New("the password is one of those that are tried first")
	ErrPasswordNames  = errors.New("the password is made of the login, the name or the brand")
	ErrPasswordSame   = errors.New("the new password is the old one")
)

//go:embed common.txt
var common string

// CheckNew refuses a password that somebody would guess: one that is short, is tried first everywhere, or is made of what everybody knows of the person and the company. It asks for no
// kinds of characters, as NIST SP 800-63B-4 (3.1.1.2) says: those only make people write "Password1!".
func (m Member) CheckNew(password, brand string) error {
	password = norm.NFC.String(password)
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		return ErrPasswordShort
	case n > MaxPassword:
		return ErrPasswordLong
	}
	plain := strings.ToLower(password)
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, plain)
	if isCommon(plain) || isCommon(letters) || isCommon(strings.TrimFunc(letters, unicode.IsDigit)) || isPattern(plain) {
		return ErrPasswordCommon
	}
	const enough = 6 // characters besides what everybody knows
	mailbox, _, _ := strings.Cut(m.Email, "@")
	known := strings.FieldsFunc(strings.ToLower(strings.Join([]string{m.Login, m.Name, mailbox, brand, "plus web"}, " ")), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	slices.SortFunc(known, func(a, b string) int { return len(b) - len(a) })
	rest := letters
	for _, word := range known {
		if utf8.RuneCountInString(word) >= 3 {
			rest = strings.ReplaceAll(rest, word, "")
		}
	}
	if rest != letters && utf8.RuneCountInString(rest) < enough {
		return ErrPasswordNames
	}
	return nil
}

func isCommon(s string) bool { return s != "" && strings.Contains(common, "\n"+s+"\n") }

// isPattern says whether a password, which is not short, is a few characters over and over, or runs along the alphabet or the digits.
func isPattern(s string) bool {
	r := []rune(s)
	for unit := 1; unit <= 6; unit++ {
		if string(r[unit:]) == string(r[:len(r)-unit]) {
			return true
		}
	}
	steps := 0
	for i := 1; i < len(r); i++ {
		if d := r[i] - r[i-1]; d >= -1 && d <= 1 {
			steps++
		}
	}
	return steps >= len(r)-2
}
