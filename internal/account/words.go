package account

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Words splits a text into the words that a client is found by: small letters without accents, and digits. An apostrophe does not end a word.
func Words(text string) []string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(text)) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r), r == '\'', r == '’':
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(b.String())
}
