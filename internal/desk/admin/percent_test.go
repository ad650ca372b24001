package admin

import "testing"

// A rate is typed as a percentage and kept as parts per million: there and back nothing is lost, for every rate that there is.
func TestPercentagesAreReadExactly(t *testing.T) {
	for ppm := int64(0); ppm <= ppmMost; ppm++ {
		if got, ok := ReadPercent(WritePercent(ppm)); !ok || got != ppm {
			t.Fatalf("%d is written %q and read %d, %v", ppm, WritePercent(ppm), got, ok)
		}
	}
	for typed, want := range map[string]int64{"6.25": 62_500, " 6.25 % ": 62_500, "6": 60_000, "6.0": 60_000, ".5": 5_000, "0": 0, "7.2501": 72_501, "100": 1_000_000, "007": 70_000} {
		if got, ok := ReadPercent(typed); !ok || got != want {
			t.Errorf("%q is read %d, %v, want %d", typed, got, ok, want)
		}
	}
	for _, typed := range []string{"", "%", ".", "6.", "6.25001", "100.0001", "1000", "-1", "6,25", "six", "6.25.1", "1e2", "+6", "6 25", "٦"} {
		if got, ok := ReadPercent(typed); ok {
			t.Errorf("%q is read as %d", typed, got)
		}
	}
}
