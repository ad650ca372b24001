package main

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// TestAShortStorm is `make storm` for a minute, always with the same plan: one failover among everything else.
func TestAShortStorm(t *testing.T) {
	if err := need(); err != nil {
		if os.Getenv("PAYLINK_TEST_ALL") == "1" {
			t.Fatal(err, ", and PAYLINK_TEST_ALL=1 lets no test be skipped")
		}
		t.Skip(err)
	}
	r, err := once(t.Context(), options{root: "..", length: time.Minute, seed: 1, most: 2000, workers: 120, cars: 1200}, t.Logf)
	if r != nil {
		var text bytes.Buffer
		r.print(&text)
		t.Log("\n" + text.String())
	}
	if err != nil {
		t.Fatal(err)
	}
	if !r.good() {
		t.Error("something is wrong: see the report above")
	}
}
