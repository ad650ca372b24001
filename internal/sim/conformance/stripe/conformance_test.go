// Package stripe_test runs Stripe's own Node library against the simulator.
package stripe_test

import (
	"context"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"paylink/internal/sim/stripesim"
)

func TestStripesNodeLibraryWorksWithTheSimulator(t *testing.T) {
	modules, err := filepath.Abs("../../../../e2e/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	missing := ""
	if _, err := os.Stat(filepath.Join(modules, "stripe", "package.json")); err != nil {
		missing = "e2e/node_modules has no package stripe: run npm ci in e2e"
	}
	if _, err := exec.LookPath("node"); err != nil {
		missing = "node is not installed"
	}
	if missing != "" {
		if os.Getenv("PAYLINK_TEST_ALL") == "1" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}

	const secret, publishable, signing, connected = "sk_test_node", "pk_test_node", "whsec_node", "acct_node"
	port := freePort(t)
	sim := stripesim.New(stripesim.Config{Now: time.Now, Seed: 1, SecretKey: secret, PublishableKey: publishable, WebhookSecret: signing,
		WebhookURL: "http://127.0.0.1:" + port + "/", Accounts: []string{connected}})
	web := httptest.NewServer(sim.Handler())
	defer web.Close()
	defer sim.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// Read here so that go test's cache knows of it.
	if _, err := os.ReadFile("stripe.test.mjs"); err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(ctx, "node", "--test", "--test-reporter=tap", "stripe.test.mjs")
	node.Env = append(os.Environ(), "SIM_URL="+web.URL, "SIM_SECRET_KEY="+secret, "SIM_PUBLISHABLE_KEY="+publishable, "SIM_WEBHOOK_SECRET="+signing,
		"SIM_WEBHOOK_PORT="+port, "SIM_ACCOUNT="+connected, "SIM_NODE_MODULES="+modules)
	out, err := node.CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// freePort is a port for the test's own webhook server, which node opens.
func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
