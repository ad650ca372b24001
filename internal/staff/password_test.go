package staff

import (
	"strings"
	"testing"
)

func TestOnlyTheRightPasswordFits(t *testing.T) {
	hash := HashPassword("interlane-demo", []byte("0123456789abcdef"))
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, "interlane") {
		t.Fatalf("hash is %s", hash)
	}
	for password, want := range map[string]bool{"interlane-demo": true, "interlane-demo ": false, "": false, strings.Repeat("x", MaxPassword+1): false} {
		if got, err := CheckPassword(password, hash); err != nil || got != want {
			t.Errorf("%.20q fits: %v, %v", password, got, err)
		}
	}
	if got, err := CheckPassword("anything", ""); err != nil || got {
		t.Errorf("no hash at all fits: %v, %v", got, err)
	}
	for _, broken := range []string{"x", "$argon2id$v=19$m=1,t=1$a$b", "$argon2id$v=18$m=19456,t=2,p=1$AAAA$AAAA", strings.Replace(hash, "argon2id", "argon2i", 1)} {
		if got, err := CheckPassword("interlane-demo", broken); err == nil || got {
			t.Errorf("a broken hash %q fits: %v, %v", broken, got, err)
		}
	}
}
