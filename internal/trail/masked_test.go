package trail

import "testing"

// The trail is kept for ever and read by many: no whole telephone number goes in.
func TestNumbersInFreeTextAreMasked(t *testing.T) {
	for in, want := range map[string]string{
		"Ana, his sister":                   "Ana, his sister",
		"Ana, 804-555-0170":                 "Ana, ••0170",
		"call (804) 555 0170 after 5":       "call ••0170 after 5",
		"+1 804.555.0170":                   "••0170",
		"8045550170":                        "••0170",
		"order 12345, May 27, 2026, $98.58": "order 12345, May 27, 2026, $98.58",
	} {
		if got := Masked(in); got != want {
			t.Errorf("%q is kept as %q, want %q", in, got, want)
		}
	}
}
