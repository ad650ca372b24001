package account

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

var (
	// ErrPlate is returned for what is no license plate of the United States.
	ErrPlate = errors.New("not a license plate")
	// ErrChanged is returned where something is not any more as whoever changes it has seen it.
	ErrChanged = errors.New("it was changed meanwhile")
)

// Plate is a license plate and the state that has issued it.
type Plate struct{ Number, State string }

// States are those that issue license plates, by their postal codes.
func States() []string {
	return strings.Fields("AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY")
}

var plate = regexp.MustCompile(`^[A-Z0-9]+([ -][A-Z0-9]+)*$`)

// ParsePlate reads a license plate: up to eight letters and digits, in groups or in one. Errors: ErrPlate.
func ParsePlate(number, state string) (Plate, error) {
	number = strings.ToUpper(strings.Join(strings.Fields(number), " "))
	if len(number) > 10 || !plate.MatchString(number) || !slices.Contains(States(), state) {
		return Plate{}, ErrPlate
	}
	return Plate{number, state}, nil
}
