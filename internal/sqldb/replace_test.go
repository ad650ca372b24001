package sqldb

import (
	"strings"
	"testing"
	"time"

	"paylink/internal/testbed"
)

// INSERT OR REPLACE takes rows away without a word unless the connection has recursive_triggers: the service's own connections have it.
func TestNoConnectionOfOursReplacesARow(t *testing.T) {
	began := time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)
	d, err := Open(t.Context(), Config{URL: testbed.SQLite(t), Now: func() time.Time { return began }, NewID: func() string { return "" }, MaxConns: 2, Changed: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.Terms(t.Context(), "1", "en", "text", "hash"); err != nil {
		t.Fatal(err)
	}
	_, err = d.sql.ExecContext(t.Context(), `INSERT OR REPLACE INTO terms SELECT * FROM terms`)
	if err == nil || !strings.Contains(err.Error(), "append-only: DELETE is refused") {
		t.Errorf("it is %v", err)
	}
}
