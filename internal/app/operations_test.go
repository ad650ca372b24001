package app

import (
	"os"
	"strings"
	"testing"

	"paylink/internal/desk/clock"
	"paylink/internal/pay"
)

// TestEveryAlarmHasItsSteps: whoever is woken by an alarm finds its name, and what to do, in docs/operations.md; and nothing there is about an alarm that never rings.
func TestEveryAlarmHasItsSteps(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, alarms, _ := strings.Cut(string(text), "\n## Alarms\n")
	alarms, _, _ = strings.Cut(alarms, "\n## ")
	steps := map[string]bool{}
	for _, part := range strings.Split(alarms, "\n### ")[1:] {
		name, body, _ := strings.Cut(part, "\n")
		if name = strings.Trim(name, "`"); len(strings.TrimSpace(body)) < 80 {
			t.Errorf("%s: that helps nobody", name)
		}
		steps[name] = true
	}
	names := []string{clock.Differs, clock.Overdue, reconcileOnly, letterLost}
	for name, says := range pay.Alarms() {
		if says == "" {
			t.Errorf("%s says nothing", name)
		}
		names = append(names, string(name))
	}
	for _, name := range names {
		if !steps[name] {
			t.Errorf("docs/operations.md does not say what to do about %q", name)
		}
		delete(steps, name)
	}
	for name := range steps {
		t.Errorf("docs/operations.md speaks of %q, which never rings", name)
	}
}
