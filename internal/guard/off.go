//go:build guards_off

package guard

import (
	"os"
	"strings"
)

// off are the guards that this process goes without, named in its environment when it started, with blanks between them.
var off = strings.Fields(os.Getenv("PAYLINK_GUARD_OFF"))

// On says whether a guard stands.
func On(n Name) bool {
	for _, name := range off {
		if name == string(n) {
			return false
		}
	}
	return true
}

// Off is the contrary.
func Off(n Name) bool { return !On(n) }
