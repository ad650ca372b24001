package main

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paylink/internal/testbed"
	"paylink/internal/trail"
)

func TestVerify(t *testing.T) {
	testbed.Databases(t, func(t *testing.T, url string) {
		env := map[string]string{"DATABASE_URL": url}
		said := func(status int, out string, args ...string) string {
			t.Helper()
			got := command(env, "", append([]string{"verify"}, args...)...)
			if got.status != status || !strings.Contains(got.out+got.errors, out) {
				t.Errorf("verify %q: status %d, want %d and %q:\n%s%s", args, got.status, status, out, got.out, got.errors)
			}
			return got.out
		}
		said(unlooked, "could not look") // nothing is there, and it makes nothing
		if got := command(env, "", "migrate"); got.status != done {
			t.Fatal(got.errors)
		}
		db, status := openDatabase(t.Context(), nil, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, os.Stderr)
		if db == nil {
			t.Fatal(status)
		}
		for range 3 {
			if err := db.Write(t.Context(), trail.Entry{ID: newID(), At: time.Now().Add(-time.Hour), Act: "sign in", ClientID: "100042"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}

		report := said(done, "read 3 rows of the trail in 1 chains")
		if !strings.Contains(report, "\nanchor ") || !strings.Contains(report, " 3 ") {
			t.Errorf("no anchor:\n%s", report)
		}
		kept := filepath.Join(t.TempDir(), "anchors.txt")
		if err := os.WriteFile(kept, []byte(report), 0o600); err != nil {
			t.Fatal(err)
		}
		said(done, "nothing is missing from before", "-since", kept)
		tamper(t, url, `DELETE FROM trail WHERE n = 3`, `UPDATE trail_heads SET n = 2, hash = (SELECT hash FROM trail WHERE n = 2)`)
		said(done, "all of it is as it was written") // by itself it has no fault
		if report := said(broken, "BROKEN: of the trail up to ", "-since", kept); strings.Contains(report, "\nanchor ") {
			t.Error("it vouches for what is broken")
		}
		tamper(t, url, `UPDATE trail SET act = 'sign out' WHERE n = 2`)
		said(broken, "BROKEN: the trail of client 100042: row 2 (")

		if err := os.WriteFile(kept, []byte("nothing\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		said(unlooked, trail.ErrNoAnchor.Error(), "-since", kept)
		said(unlooked, "no such file", "-since", kept+"-gone")
		said(unlooked, "paylink verify [-since FILE]", "everything")
		said(unlooked, "not defined", "-no-such-flag")
		said(done, "", "-help")
		for _, url := range []string{"", "mysql://u:hunter2@127.0.0.1/x", "postgres://u:hunter2@127.0.0.1:1/x"} {
			env["DATABASE_URL"] = url
			if got := command(env, "", "verify"); got.status != unlooked || got.out != "" || !strings.Contains(strings.ToLower(got.errors), "database") || strings.Contains(got.errors, "hunter2") {
				t.Errorf("status %d, or its password was printed", got.status)
			}
		}
	})
}

// tamper does what the owner of the tables can, guards or not.
func tamper(t *testing.T, url string, statements ...string) {
	t.Helper()
	driver, address := "pgx", url
	guards, back := []string{`ALTER TABLE trail DISABLE TRIGGER USER`, `ALTER TABLE trail_heads DISABLE TRIGGER USER`}, []string{`ALTER TABLE trail ENABLE TRIGGER USER`, `ALTER TABLE trail_heads ENABLE TRIGGER USER`}
	if file, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, address = "sqlite", "file:"+file
		guards, back = nil, nil
	}
	raw, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal("the test's database can't be opened")
	}
	defer func() { _ = raw.Close() }()
	if driver == "sqlite" {
		for _, name := range []string{"trail_no_update", "trail_no_delete", "trail_heads_forward"} {
			var text string
			if err := raw.QueryRow(`SELECT sql FROM sqlite_master WHERE name = $1`, name).Scan(&text); err != nil {
				t.Fatal(err)
			}
			guards, back = append(guards, `DROP TRIGGER `+name), append(back, text)
		}
	}
	for _, s := range append(append(guards, statements...), back...) {
		if _, err := raw.ExecContext(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
