// Package twilio_test runs Twilio's own library for Node against the simulator: a client that nobody here wrote.
package twilio_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"paylink/internal/sim/twiliosim"
	"paylink/internal/testbed"
)

func TestTwiliosNodeLibraryIsContentWithTheSimulator(t *testing.T) {
	modules := testbed.NodeModules(t)
	cfg := twiliosim.Config{
		Now: time.Now, Seed: 1,
		AccountSID: "AC00000000000000000000000000000001", AuthToken: "0123456789abcdef0123456789abcdef",
		APIKey: "SK00000000000000000000000000000002", APISecret: "keysecretkeysecretkeysecret",
		From: "+18045550100",
	}
	sim := twiliosim.New(cfg)
	server := httptest.NewServer(sim.Handler())
	defer server.Close()
	defer sim.Close()

	run := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=spec", "twilio.test.mjs")
	run.Env = append(os.Environ(), "NODE_MODULES="+modules, "SIM_URL="+server.URL, "SIM_ACCOUNT="+cfg.AccountSID, "SIM_TOKEN="+cfg.AuthToken,
		"SIM_KEY="+cfg.APIKey, "SIM_SECRET="+cfg.APISecret, "SIM_FROM="+cfg.From)
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	} else {
		t.Logf("%s", out)
	}
}
