// Package phone is a telephone number, parsed once and masked ever after.
package phone

import (
	"errors"
	"fmt"

	"github.com/nyaruka/phonenumbers"

	"paylink/internal/guard"
)

// Why a number is refused.
var (
	ErrInvalid   = errors.New("not a telephone number of the United States")
	ErrNotMobile = errors.New("not a number that can get texts")
)

// Number is a United States telephone number. Whatever prints it shows its last four digits only;
// E164 and National, by name, give the whole.
type Number struct{ e164 string }

// Parse reads what a person typed, such as "(804) 555-0142" or "+18045550142".
// It returns ErrInvalid for what is no number here and ErrNotMobile for toll-free, premium and other lines that never get texts;
// whether an ordinary number is a landline only the carrier knows (sms.Lookup).
func Parse(s string) (Number, error) {
	n, err := parse(s)
	if err != nil {
		return Number{}, err
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE:
	default:
		return Number{}, ErrNotMobile
	}
	return Number{phonenumbers.Format(n, phonenumbers.E164)}, nil
}

// ParseLine reads a number that people call, whatever sort of line it is. Errors: ErrInvalid.
func ParseLine(s string) (Number, error) {
	n, err := parse(s)
	if err != nil {
		return Number{}, err
	}
	return Number{phonenumbers.Format(n, phonenumbers.E164)}, nil
}

func parse(s string) (*phonenumbers.PhoneNumber, error) {
	if len(s) > 40 {
		return nil, ErrInvalid
	}
	n, err := phonenumbers.Parse(s, "US")
	if err != nil || n.GetCountryCode() != 1 || n.GetExtension() != "" || !phonenumbers.IsValidNumber(n) {
		return nil, ErrInvalid
	}
	return n, nil
}

// Stored returns the number that our own database holds in E.164 form, without checking it again.
func Stored(e164 string) Number { return Number{e164} }

// IsZero says whether there is no number.
func (n Number) IsZero() bool { return n.e164 == "" }

// E164 returns the whole number, "+18045550142".
func (n Number) E164() string { return n.e164 }

// National returns the whole number as people here write it, "(804) 555-0142".
func (n Number) National() string {
	if len(n.e164) != 12 {
		return n.e164
	}
	return fmt.Sprintf("(%s) %s-%s", n.e164[2:5], n.e164[5:8], n.e164[8:])
}

// Last4 returns the last four digits.
func (n Number) Last4() string {
	if len(n.e164) < 4 {
		return ""
	}
	return n.e164[len(n.e164)-4:]
}

// String returns the masked form, "••0142".
func (n Number) String() string {
	if n.IsZero() {
		return ""
	}
	if guard.Off(guard.PhoneMasked) {
		return n.e164
	}
	return "••" + n.Last4()
}

// GoString keeps %#v from printing the whole number.
func (n Number) GoString() string { return n.String() }

// MarshalText writes the masked form, so that no JSON or log holds a whole number by accident.
func (n Number) MarshalText() ([]byte, error) { return []byte(n.String()), nil }
