package trail

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
)

// What free text is refused for.
var (
	ErrCardNumber = errors.New("the text looks as if it held a card number")
	ErrTooLong    = errors.New("the text is too long")
)

// How many characters a person may write: about an act, and as a note.
const (
	freeTextMost = 200
	noteMost     = 500
)

// FreeText is what the trail keeps of a person's own words: whole telephone numbers are masked. It refuses what may be a card number (ErrCardNumber), and what is
// longer than 200 characters (ErrTooLong).
func FreeText(s string) (string, error) { return freeText(s, freeTextMost) }

// NoteText is FreeText for a note: up to 500 characters, in as many lines as one likes.
func NoteText(s string) (string, error) {
	return freeText(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")), noteMost)
}

func freeText(s string, most int) (string, error) {
	if len([]rune(s)) > most {
		return "", ErrTooLong
	}
	if HoldsCardNumber(s) {
		return "", ErrCardNumber
	}
	return Masked(s), nil
}

// A card number has 13 to 19 digits (ISO/IEC 7812-1).
const (
	cardShortest = 13
	cardLongest  = 19
)

// HoldsCardNumber says whether a text holds what may be a card number: 13 to 19 digits of any script that pass the Luhn check, whatever stands between them
// that is no letter. Its work grows with the text's length only.
func HoldsCardNumber(s string) bool {
	var last [cardLongest]int // the newest digit first
	n := 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			copy(last[1:], last[:])
			last[0], n = digit(r), min(n+1, cardLongest)
			if luhn(last[:n]) {
				return true
			}
		case unicode.IsLetter(r):
			n = 0
		}
	}
	return false
}

// luhn says whether 13 or more of the digits pass the check; the last digit of a number comes first here.
func luhn(digits []int) bool {
	sum := 0
	for i, d := range digits {
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		if i+1 >= cardShortest && sum%10 == 0 {
			return true
		}
	}
	return false
}

// digit is the value of a decimal digit. Unicode gives each script's ten, from zero on, without a gap (The Unicode Standard, 4.6).
func digit(r rune) int {
	for _, in := range unicode.Nd.R16 {
		if rune(in.Lo) <= r && r <= rune(in.Hi) {
			return int(r-rune(in.Lo)) % 10
		}
	}
	for _, in := range unicode.Nd.R32 {
		lo, hi := rune(in.Lo), rune(in.Hi) // #nosec G115 -- code points have 21 bits
		if lo <= r && r <= hi {
			return int(r-lo) % 10
		}
	}
	return 0
}

// phoneLike is ten digits or more, however they are spaced: whoever's number it is, the trail holds no whole one.
var phoneLike = regexp.MustCompile(`\+?\(?\d(?:[\s().\-–/]*\d){9,}`)

// Masked leaves of every number in a text that may be a telephone's its last four digits.
func Masked(text string) string {
	return phoneLike.ReplaceAllStringFunc(text, func(number string) string {
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, number)
		return "••" + digits[len(digits)-4:]
	})
}
