//go:build race

package sqldb_test

// planRows: the race detector makes SQLite ten times slower; scripts/test.sh asks for the plans once more without it.
const planRows = 10_000
