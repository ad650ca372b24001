// Package testbed lends tests the real things that the program runs on: a fresh Postgres database, a redis-server of one's own, a SQLite
// file, Chromium and the npm packages. It is test support: floors_test.go lets only test files import it.
//
// What is missing on this machine skips the test and says what to install. PAYLINK_TEST_ALL=1, which `make test` sets, turns every such
// skip into a failure, so that a green run has left nothing out.
package testbed

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// SQLite returns the URL, sqlite:PATH, of a database file that does not exist yet in a folder that goes away with the test.
func SQLite(t testing.TB) (url string) {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "paylink.db")
}

// Databases runs a test once on each database that the program supports, as the subtests "sqlite" and "postgres", each time with the URL
// of an empty database. PAYLINK_TEST_DATABASE names one of them to run it there only: scripts/test.sh runs both, one with the race detector and one without.
func Databases(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	only := os.Getenv("PAYLINK_TEST_DATABASE")
	if only != "postgres" {
		t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	}
	if only != "sqlite" {
		t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
	}
}

// Chromium returns the path of the browser: PAYLINK_CHROMIUM if set, else the first of its usual names on the PATH.
func Chromium(t testing.TB) (path string) {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome"}
	if name := os.Getenv("PAYLINK_CHROMIUM"); name != "" {
		names = []string{name}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing(t, "chromium (Debian package chromium)")
	return ""
}

// NodeModules returns the absolute path of e2e/node_modules, having checked that node is there and that every package pinned in
// e2e/package.json is installed in exactly that version.
func NodeModules(t testing.TB) (dir string) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "node 20 or newer (Debian package nodejs)")
	}
	e2e := filepath.Join(root(t), "e2e")
	var pinned struct {
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if err := readJSON(filepath.Join(e2e, "package.json"), &pinned); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(e2e, "node_modules")
	for name, want := range pinned.DevDependencies {
		var installed struct {
			Version string `json:"version"`
		}
		err := readJSON(filepath.Join(dir, filepath.FromSlash(name), "package.json"), &installed)
		if err != nil || installed.Version != want {
			missing(t, "npm package "+name+" "+want+": run npm ci in e2e")
		}
	}
	return dir
}

// root is the top of the repository: the nearest folder above the test's that has e2e/package.json. Not go.mod, since the
// conformance tests are modules of their own.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "e2e", "package.json")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("testbed: no e2e/package.json in any folder above this test")
		}
		dir = filepath.Dir(dir)
	}
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path) // #nosec G304 -- a path inside this repository
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// missing ends the test: skipped, or failed if nothing may be left out.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("PAYLINK_TEST_ALL") == "1" {
		t.Fatalf("this machine lacks %s, and PAYLINK_TEST_ALL=1 lets no test be skipped", what)
	} else {
		t.Skipf("this machine lacks %s", what)
	}
}

// lookPath finds a program, or ends the test by saying which Debian package holds it.
func lookPath(t testing.TB, program, debian string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing(t, program+" (Debian package "+debian+")")
	}
	return path
}
