//go:build !race

package sqldb_test

// planRows is how many rows the plans are asked at.
const planRows = 100_000
