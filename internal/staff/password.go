package staff

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// OWASP's password storage cheat sheet: argon2id with 19 MiB and two passes. The parameters stand in every hash, so that they can be raised later.
const (
	argonPasses    = 2
	argonMemoryKiB = 19 * 1024
	argonThreads   = 1
	argonKeyBytes  = 32

	// SaltBytes is how long a salt is.
	SaltBytes = 16
	// MaxPassword is how long a password may be; longer ones only cost us time.
	MaxPassword = 256
)

// HashPassword returns the encoded argon2id hash of a password. The salt must be fresh and random, SaltBytes long.
func HashPassword(password string, salt []byte) string {
	key := argon2.IDKey([]byte(password), salt, argonPasses, argonMemoryKiB, argonThreads, argonKeyBytes)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemoryKiB, argonPasses, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(key))
}

var errHash = errors.New("the stored password hash can't be read")

// CheckPassword says whether a password fits an encoded hash. It takes the same time for a wrong password as for a right one,
// and about that time for no hash at all.
func CheckPassword(password, encoded string) (bool, error) {
	if len(password) > MaxPassword {
		return false, nil
	}
	if encoded == "" {
		argon2.IDKey([]byte(password), make([]byte, SaltBytes), argonPasses, argonMemoryKiB, argonThreads, argonKeyBytes)
		return false, nil
	}
	part := strings.Split(encoded, "$")
	if len(part) != 6 || part[1] != "argon2id" {
		return false, errHash
	}
	var version int
	var memory, passes uint32
	var threads uint8
	if _, err := fmt.Sscanf(part[2]+" "+part[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &threads); err != nil || version != argon2.Version {
		return false, errHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(part[4])
	if err != nil {
		return false, errHash
	}
	want, err := base64.RawStdEncoding.DecodeString(part[5])
	if err != nil || len(want) != argonKeyBytes {
		return false, errHash
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, threads, argonKeyBytes)
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}
