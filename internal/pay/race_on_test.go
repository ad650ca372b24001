//go:build race

package pay

// underRace: the race detector makes the exploration ten times slower.
const underRace = true
