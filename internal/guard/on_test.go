//go:build !guards_off

package guard_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"paylink/internal/guard"
)

// TestTheOrdinaryBuildIgnoresTheEnvironment: this very binary, started again with every guard's name in the variable, goes without none.
// That the service's binary does not even hold the variable's name, scripts/static.sh looks up.
func TestTheOrdinaryBuildIgnoresTheEnvironment(t *testing.T) {
	var all []string
	for _, g := range guard.List() {
		all = append(all, string(g.Name))
		if !guard.On(g.Name) {
			t.Errorf("%s is off", g.Name)
		}
	}
	if os.Getenv("PAYLINK_GUARD_OFF") != "" {
		return
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	again.Env = append(os.Environ(), "PAYLINK_GUARD_OFF="+strings.Join(all, " "))
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
