package trail_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"paylink/internal/trail"
)

func TestACardNumberIsFoundWhateverStandsBetweenItsDigits(t *testing.T) {
	const card = "4242424242424242"
	for _, between := range []string{"", " ", "-", ".", "/", "_", ",", "|", "+", "*", "\n", "\u00a0", "\u2009", "\u200b", "\u2014", "\ufe0f\u20e3", "•", "💳", " / ", "\x00"} {
		if text := "it is " + strings.Join(strings.Split(card, ""), between) + ", valid"; !trail.HoldsCardNumber(text) {
			t.Errorf("%q passes", text)
		}
	}
	for _, in := range append(ranges16(), ranges32()...) {
		for zero := in[0]; zero <= in[1]; zero += 10 { // every script's ten digits
			text := strings.Map(func(r rune) rune { return zero + r - '0' }, card)
			if !trail.HoldsCardNumber(text) {
				t.Errorf("%q passes", text)
			}
			if other := strings.Map(func(r rune) rune { return zero + r - '0' }, "4242424242424"); trail.HoldsCardNumber(other) {
				t.Errorf("%q is refused", other)
			}
		}
		if (in[1]-in[0]+1)%10 != 0 {
			t.Errorf("digits %x to %x are no tens", in[0], in[1])
		}
	}
	for text, want := range map[string]bool{
		"378282246310005": true, "4222222222222": true, "6304000000000000000": false, "x4242424242424242x": true, "99" + card: true, card + "99": true, strings.Repeat("9", 40) + card: true,
		"4242424242424": false, "42424242": false, "42424242 and 42424242": false, "": false, "(804) 555-0142": false,
	} {
		if trail.HoldsCardNumber(text) != want && (want || len(text) < 18) {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

func ranges16() (out [][2]rune) {
	for _, r := range unicode.Nd.R16 {
		out = append(out, [2]rune{rune(r.Lo), rune(r.Hi)})
	}
	return out
}

func ranges32() (out [][2]rune) {
	for _, r := range unicode.Nd.R32 {
		out = append(out, [2]rune{rune(r.Lo), rune(r.Hi)})
	}
	return out
}

func TestANoteMayHaveLinesAndMoreWordsThanAnAct(t *testing.T) {
	long := strings.Repeat("x", 249) + "\r\n" + strings.Repeat("é", 250)
	if got, err := trail.NoteText(" " + long + "\r\n"); err != nil || got != strings.ReplaceAll(long, "\r\n", "\n") {
		t.Errorf("500 characters in two lines give %v and %d of them", err, len([]rune(got)))
	}
	if _, err := trail.NoteText(long + "x"); !errors.Is(err, trail.ErrTooLong) {
		t.Errorf("501 give %v", err)
	}
	if _, err := trail.NoteText("4242 4242\n4242 4242"); !errors.Is(err, trail.ErrCardNumber) {
		t.Errorf("a card number in two lines gives %v", err)
	}
	if got, err := trail.NoteText("call 804 555 0142\nor not"); err != nil || got != "call ••0142\nor not" {
		t.Errorf("a number gives %q, %v", got, err)
	}
}
