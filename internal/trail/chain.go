package trail

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"paylink/internal/guard"
)

// Hash chains an entry to the one before it. The zero Hash stands before the first of a chain.
type Hash [sha256.Size]byte

// String is the hash in lower-case hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what String wrote.
func ParseHash(s string) (h Hash, err error) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(h) || hex.EncodeToString(raw) != s {
		return h, errors.New("not a hash")
	}
	return Hash(raw), nil
}

// Hash is the SHA-256 over the hash of the entry before it in its chain, its own place in the chain (from 1), and everything that it says. A chain is all entries of
// one ClientID. Every part is written with its length before it, so that no two entries are written alike.
func (e Entry) Hash(before Hash, n int64) Hash {
	at := int64(0) // as the books hold it: whole milliseconds
	if !e.At.IsZero() {
		at = e.At.UnixMilli()
	}
	if guard.Off(guard.TrailChain) {
		before = Hash{}
	}
	var b []byte
	for _, part := range []string{
		"paylink trail 1", string(before[:]), strconv.FormatInt(n, 10), e.ID, strconv.FormatInt(at, 10), string(e.Actor.Kind), e.Actor.ID, e.Act, e.Object, e.ClientID, e.Refused, e.Detail,
	} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}

// Anchor vouches for the whole trail up to a time. Kept where the database's owner can't reach, it shows later whether anything from before was cut off, changed or put in.
type Anchor struct {
	At     time.Time // whole seconds
	Rows   int64     // entries up to the last of each chain that is not younger than At
	Digest Hash      // over the hashes of those last entries, in their own order
}

// String is the anchor as one line: "anchor TIME ROWS DIGEST".
func (a Anchor) String() string {
	return fmt.Sprintf("anchor %s %d %s", a.At.UTC().Format(time.RFC3339), a.Rows, a.Digest)
}

// ErrNoAnchor is returned for a text without an anchor.
var ErrNoAnchor = errors.New(`there is no line "anchor TIME ROWS DIGEST" in it`)

// LastAnchor finds the last anchor among the lines of a text, which may be one or several verifications' reports. Errors: ErrNoAnchor.
func LastAnchor(text string) (Anchor, error) {
	for _, line := range slices.Backward(strings.Split(text, "\n")) {
		words := strings.Fields(line)
		if len(words) != 4 || words[0] != "anchor" {
			continue
		}
		at, noTime := time.Parse(time.RFC3339, words[1])
		rows, noNumber := strconv.ParseInt(words[2], 10, 64)
		digest, noDigest := ParseHash(words[3])
		if err := errors.Join(noTime, noNumber, noDigest); err != nil {
			return Anchor{}, fmt.Errorf("its last anchor can't be read: %q", line)
		}
		return Anchor{At: at.UTC(), Rows: rows, Digest: digest}, nil
	}
	return Anchor{}, ErrNoAnchor
}

// Tally makes the anchor of a time from chains that are read through, one after the other. It keeps 32 bytes a chain.
type Tally struct {
	At   time.Time
	rows int64
	last []Hash
	n    int64 // of the chain that is being read: its last entry that is not younger than At
	hash Hash
}

// Entry counts an entry that is the nth of its chain.
func (t *Tally) Entry(e Entry, n int64, h Hash) {
	if !e.At.After(t.At) {
		t.n, t.hash = n, h
	}
}

// End ends a chain. Of a chain that has an entry of the time, the last one's hash vouches for all before it.
func (t *Tally) End() {
	if t.n > 0 {
		t.rows += t.n
		t.last = append(t.last, t.hash)
	}
	t.n = 0
}

// Anchor is the anchor of the chains that were counted, in whatever order they came: databases sort text each in its own way.
func (t *Tally) Anchor() Anchor {
	slices.SortFunc(t.last, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	all := sha256.New()
	for _, h := range t.last {
		_, _ = all.Write(h[:]) // never fails (hash.Hash)
	}
	return Anchor{At: t.At, Rows: t.rows, Digest: Hash(all.Sum(nil))}
}
