package day

import (
	"testing"
	"time"
)

func TestDaysAreCountedOverLeapDayAndDaylightSaving(t *testing.T) {
	for _, c := range []struct {
		from Date
		n    int
		to   Date
	}{
		{"2024-02-20", 14, "2024-03-05"}, {"2025-02-20", 14, "2025-03-06"}, {"2025-03-01", 30, "2025-03-31"},
		{"2025-12-20", 30, "2026-01-19"}, {"2025-11-01", 14, "2025-11-15"}, {"2025-07-10", -8, "2025-07-02"},
	} {
		if got := c.from.AddDays(c.n); got != c.to {
			t.Errorf("%s and %d days is %s, want %s", c.from, c.n, got, c.to)
		}
		if got := c.from.DaysUntil(c.to); got != c.n {
			t.Errorf("from %s to %s are %d days, want %d", c.from, c.to, got, c.n)
		}
	}
}

func TestADayThatIsNoneIsRefused(t *testing.T) {
	for _, s := range []string{"", "2025-02-30", "2025-2-3", "07/10/2025", "2025-07-10T00:00:00Z", "0000-01-01"} {
		if d, err := Parse(s); err == nil {
			t.Errorf("%q was read as %s", s, d)
		}
	}
}

func TestTodayDependsOnWhereTheClockHangs(t *testing.T) {
	at := time.Date(2025, 7, 10, 2, 0, 0, 0, time.UTC)
	portland, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	if got := Of(at.In(portland)); got != "2025-07-09" {
		t.Errorf("at 2:00 UTC it is %s in Portland", got)
	}
}

func TestMonthsFollowEachOtherOverTheYear(t *testing.T) {
	if got := Date("2025-12-31").Month().Next(); got != "2026-01" {
		t.Errorf("after December comes %s", got)
	}
}
