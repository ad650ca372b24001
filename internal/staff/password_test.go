package staff

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestOnlyTheRightPasswordFits(t *testing.T) {
	hash := HashPassword("interlane-demo", []byte("0123456789abcdef"))
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, "interlane") {
		t.Fatalf("hash is %s", hash)
	}
	for password, want := range map[string]bool{"interlane-demo": true, "interlane-demo ": false, "": false, strings.Repeat("x", MaxPassword+1): false, strings.Repeat("é", MaxPassword): false} {
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

func TestAPasswordIsOneHoweverItsCharactersAreTyped(t *testing.T) {
	hash := HashPassword("caf\u00e9 am Ufer 7", []byte("0123456789abcdef"))
	if ok, err := CheckPassword("cafe\u0301 am Ufer 7", hash); err != nil || !ok {
		t.Errorf("an e with its accent typed after it does not fit: %v", err)
	}
}

func TestAHashThatCostsLessThanTodaysIsTold(t *testing.T) {
	salt := []byte("0123456789abcdef")
	for want, hash := range map[bool]string{
		false: HashPassword("interlane-demo", salt),
		true:  parameters{8 * 1024, argonPasses, 1}.encoded("interlane-demo", salt),
	} {
		if Weak(hash) != want {
			t.Errorf("%s is weak: %v", hash, !want)
		}
		if ok, err := CheckPassword("interlane-demo", hash); err != nil || !ok {
			t.Errorf("%s does not fit: %v", hash, err)
		}
	}
	if Weak("") || Weak("x") {
		t.Error("what is no hash is weak")
	}
}

func TestAPasswordThatWouldBeGuessedIsRefused(t *testing.T) {
	m := Member{Login: "jortiz", Name: "Jovana Ortiz", Email: "jovana.ortiz@interlane.example"}
	for password, want := range map[string]error{
		"seven words":                nil, // 11
		"seven words.":               nil,
		"correct horse battery":      nil,
		"no digits and no capitals":  nil,
		"Zürich liegt am See":        nil,
		"日本語のパスワードを使う":               nil,
		"jortiz likes green tea":     nil,
		"3.14159 26535 89793":        nil,
		strings.Repeat("long ", 51):  ErrPasswordCommon, // a word over and over
		strings.Repeat("ab c", 65):   ErrPasswordLong,
		"éééééééééé":                 ErrPasswordShort, // ten characters, though twenty bytes
		"q1w2e3r4t5y6":               ErrPasswordCommon,
		"Q1W2E3R4T5Y6":               ErrPasswordCommon,
		"Password2026!":              ErrPasswordCommon,
		"p-a-s-s-w-o-r-d 1":          ErrPasswordCommon,
		"123456789012":               ErrPasswordCommon,
		"abcdefghijklmnop":           ErrPasswordCommon,
		"aaaaaaaaaaaaa":              ErrPasswordCommon,
		"Interlane-2026":             ErrPasswordNames,
		"jortiz.jortiz":              ErrPasswordNames,
		"OrtizJovana12":              ErrPasswordNames,
		"Interlane PLUS Web":         ErrPasswordNames,
		"interlane & jortiz & 2026.": ErrPasswordNames,
	} {
		if password == "seven words" {
			want = ErrPasswordShort
		}
		if err := m.CheckNew(password, "Interlane"); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%.30q: %v, want %v", password, err, want)
		}
	}
	lines := strings.Split(strings.TrimSpace(common), "\n")
	words := slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "# ") || line == "#" })
	if len(words) < 12_000 {
		t.Errorf("the list has %d passwords", len(words))
	}
}
