//go:build race

package simulation

// underRace: the race detector makes a seed several times slower.
const underRace = true
