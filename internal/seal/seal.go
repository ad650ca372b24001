// Package seal keeps secrets at rest sealed and proves that what comes back from a browser is our own.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"

	"paylink/internal/guard"
)

// ErrNotOurs is returned for a box or a signature that none of the keys made, or that was made for another purpose.
var ErrNotOurs = errors.New("not sealed or signed by any of our keys")

// KeyBytes is how long a key is.
const KeyBytes = 32

// Keys is the key ring: the first key seals and signs, all of them open and verify, so that a key can be replaced without losing anything.
// It never prints.
type Keys struct{ ring [][]byte }

// New returns a key ring. Every key must have KeyBytes bytes, and there must be at least one.
func New(keys ...[]byte) (Keys, error) {
	if len(keys) == 0 {
		return Keys{}, errors.New("at least one key is needed")
	}
	for _, k := range keys {
		if len(k) != KeyBytes {
			return Keys{}, errors.New("a key must be 32 bytes long")
		}
	}
	return Keys{ring: keys}, nil
}

// String keeps the keys out of every log.
func (k Keys) String() string {
	if guard.Off(guard.KeysMasked) {
		return string(slices.Concat(k.ring...))
	}
	return "[keys]"
}

// GoString keeps the keys out of every log.
func (Keys) GoString() string { return "[keys]" }

// Seal encrypts plain for one purpose (AES-256-GCM). A box opens only for the purpose it was sealed for,
// so that one row's box put into another row does not open.
func (k Keys) Seal(purpose, plain string) string {
	box := k.aead(k.ring[0], "seal").Seal(nil, nil, []byte(plain), []byte(purpose)) // #nosec G407 -- this AEAD makes its own random nonce and wants none
	return base64.RawURLEncoding.EncodeToString(box)
}

// Open decrypts what Seal made. It returns ErrNotOurs for anything else.
func (k Keys) Open(purpose, box string) (string, error) { return k.Opener()(purpose, box) }

// Opener returns Open for many boxes: what it derives from the keys, it derives once.
func (k Keys) Opener() func(purpose, box string) (string, error) {
	var aeads []cipher.AEAD
	for _, key := range k.ring {
		aeads = append(aeads, k.aead(key, "seal"))
	}
	return func(purpose, box string) (string, error) {
		raw, err := base64.RawURLEncoding.DecodeString(box)
		if err != nil {
			return "", ErrNotOurs
		}
		for _, a := range aeads {
			if plain, err := a.Open(nil, nil, raw, []byte(purpose)); err == nil {
				return string(plain), nil
			}
		}
		return "", ErrNotOurs
	}
}

// Sign returns data with a MAC for one purpose, in characters that a cookie may hold. The data can be read by whoever holds it.
func (k Keys) Sign(purpose, data string) string {
	return base64.RawURLEncoding.EncodeToString(append(k.mac(k.ring[0], purpose, data), data...))
}

// Verify returns the data that Sign signed for the purpose, else ErrNotOurs.
func (k Keys) Verify(purpose, signed string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(signed)
	if err != nil || len(raw) < sha256.Size {
		return "", ErrNotOurs
	}
	given, data := raw[:sha256.Size], string(raw[sha256.Size:])
	for _, key := range k.ring {
		if hmac.Equal(given, k.mac(key, purpose, data)) || guard.Off(guard.Signature) {
			return data, nil
		}
	}
	return "", ErrNotOurs
}

func (k Keys) mac(key []byte, purpose, data string) []byte {
	h := hmac.New(sha256.New, derive(key, "sign "+purpose))
	h.Write([]byte(data))
	return h.Sum(nil)
}

func (k Keys) aead(key []byte, use string) cipher.AEAD {
	block, err := aes.NewCipher(derive(key, use))
	if err != nil {
		panic(err) // the key is 32 bytes by construction
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the block size that GCM wants
	}
	return aead
}

func derive(key []byte, use string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, "paylink "+use, KeyBytes)
	if err != nil {
		panic(err) // only an output longer than 8,160 bytes fails
	}
	return out
}
