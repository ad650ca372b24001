package testbed

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres returns the URL of a new, empty database, dropped when the test ends, on the cluster that PAYLINK_TEST_POSTGRES names: a
// postgres:// URL of a role that may create databases. scripts/with-postgres.sh starts a throw-away cluster and sets it:
//
//	scripts/with-postgres.sh go test ./internal/sqldb/...
func Postgres(t testing.TB) (database string) {
	t.Helper()
	admin := os.Getenv("PAYLINK_TEST_POSTGRES")
	if admin == "" {
		missing(t, "a Postgres to test on: run the tests by scripts/with-postgres.sh, or set PAYLINK_TEST_POSTGRES")
	}
	address, err := url.Parse(admin)
	if err != nil {
		t.Fatal("testbed: PAYLINK_TEST_POSTGRES is no URL") // the error would print it, password and all
	}
	name := "paylink_test_" + strings.ToLower(rand.Text())
	// template0, for template1 refuses to be copied while anybody is connected to it.
	run(t, admin, "CREATE DATABASE "+name+" TEMPLATE template0")
	t.Cleanup(func() { run(t, admin, "DROP DATABASE "+name+" WITH (FORCE)") })
	address.Path = "/" + name
	return address.String()
}

// run executes one statement on a connection of its own; a test may take the database down in between.
func run(t testing.TB, admin, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second) // not t.Context, which is over in a cleanup
	defer cancel()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		t.Fatal("testbed: cannot connect to PAYLINK_TEST_POSTGRES")
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Errorf("testbed: %s: %v", statement, err)
	}
}
