package seal

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, KeyBytes) }

func ring(t *testing.T, keys ...[]byte) Keys {
	t.Helper()
	k, err := New(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestABoxOpensOnlyWithOurKeysAndForItsPurpose(t *testing.T) {
	old, both, other := ring(t, key(1)), ring(t, key(2), key(1)), ring(t, key(3))
	box := old.Seal("token of msg_1", "secret")
	if strings.Contains(box, "secret") || box == old.Seal("token of msg_1", "secret") {
		t.Fatal("a box shows what is in it, or two boxes are alike")
	}
	for _, k := range []Keys{old, both} {
		if got, err := k.Open("token of msg_1", box); err != nil || got != "secret" {
			t.Errorf("opened %q, %v", got, err)
		}
	}
	if got, err := other.Open("token of msg_1", box); !errors.Is(err, ErrNotOurs) {
		t.Errorf("a stranger's keys opened %q, %v", got, err)
	}
	if got, err := old.Open("token of msg_2", box); !errors.Is(err, ErrNotOurs) {
		t.Errorf("opened %q for another row, %v", got, err)
	}
	for _, bad := range []string{"", "!", box[:10], box + "AA"} {
		if got, err := old.Open("token of msg_1", bad); !errors.Is(err, ErrNotOurs) {
			t.Errorf("opened %q from %q, %v", got, bad, err)
		}
	}
}

func TestASignatureHoldsForItsDataAndPurpose(t *testing.T) {
	k, rotated := ring(t, key(1)), ring(t, key(2), key(1))
	signed := k.Sign("session", "pay_1 lnk_1")
	if got, err := rotated.Verify("session", signed); err != nil || got != "pay_1 lnk_1" {
		t.Fatalf("verified %q, %v", got, err)
	}
	if _, err := k.Verify("nonce", signed); !errors.Is(err, ErrNotOurs) {
		t.Errorf("a session was taken for a nonce: %v", err)
	}
	for i := range len(signed) {
		forged := []byte(signed)
		forged[i] = 'A' + (forged[i]+1)%26
		if string(forged) == signed {
			continue
		}
		if got, err := k.Verify("session", string(forged)); err == nil && got != "pay_1 lnk_1" {
			t.Fatalf("forged at %d: %q", i, got)
		}
	}
}

func TestKeysNeverPrint(t *testing.T) {
	k := ring(t, bytes.Repeat([]byte("k"), KeyBytes))
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%#v", k), fmt.Sprintf("%+v", struct{ K Keys }{k})} {
		if strings.Contains(s, "kkkk") || strings.Contains(s, "107 107") {
			t.Errorf("printed as %s", s)
		}
	}
}

func TestAShortKeyIsRefused(t *testing.T) {
	if _, err := New([]byte("short")); err == nil {
		t.Error("a key of five bytes was taken")
	}
	if _, err := New(); err == nil {
		t.Error("no key at all was taken")
	}
}
