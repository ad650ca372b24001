package phone

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestNumbersAreReadAsPeopleTypeThem(t *testing.T) {
	for _, s := range []string{"(804) 555-0142", "804-555-0142", "8045550142", "+1 804 555 0142", "1 804 555 0142", " 804.555.0142 "} {
		n, err := Parse(s)
		if err != nil || n.E164() != "+18045550142" || n.National() != "(804) 555-0142" {
			t.Errorf("%q is read as %q, %v", s, n.E164(), err)
		}
	}
}

func TestWhatIsNoMobileNumberIsRefused(t *testing.T) {
	for s, want := range map[string]error{
		"": ErrInvalid, "abc": ErrInvalid, "555-0142": ErrInvalid, "804 555 014": ErrInvalid, "804 555 01420": ErrInvalid,
		"123 456 7890": ErrInvalid, "+44 20 7946 0000": ErrInvalid, "804 555 0142 ext 9": ErrInvalid,
		"800 234 5678": ErrNotMobile, "900 234 5678": ErrNotMobile, strings.Repeat("8", 41): ErrInvalid,
	} {
		if n, err := Parse(s); !errors.Is(err, want) {
			t.Errorf("%q gives %s and %v, want %v", s, n, err, want)
		}
	}
}

func TestNothingPrintsAWholeNumber(t *testing.T) {
	n, err := Parse("804 555 0142")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]any{"n": n, "p": &n})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(n), fmt.Sprintf("%+v", n), fmt.Sprintf("%#v", n), fmt.Sprintf("%s %q", n, n), fmt.Sprintf("%v", struct{ N Number }{n}), string(b)} {
		if strings.Contains(s, "5550142") || !strings.Contains(s, "0142") {
			t.Errorf("printed as %s", s)
		}
	}
}
