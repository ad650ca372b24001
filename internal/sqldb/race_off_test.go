//go:build !race

package sqldb_test

// planRows is how many rows the plans are asked at, and on how many links the reports are counted.
const planRows = 100_000
