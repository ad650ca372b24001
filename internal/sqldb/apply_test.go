package sqldb_test

import (
	"testing"

	"paylink/internal/demo"
	"paylink/internal/pay"
	"paylink/internal/testbed"
	"paylink/internal/trail"
)

// onEach runs a benchmark on each database, with the demonstration's clients.
func onEach(b *testing.B, bench func(s *books, b *testing.B)) {
	for name, database := range map[string]func(testing.TB) string{"sqlite": testbed.SQLite, "postgres": testbed.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := &books{TB: b, ctx: b.Context(), url: database(b), now: began}
			s.DB = s.open()
			s.must(s.Migrate(s.ctx))
			s.must(s.Import(s.ctx, demo.Data(began)))
			bench(s, b)
			s.must(s.Close())
		})
	}
}

// BenchmarkApply is a transition that leaves one trail entry, alone on its database.
func BenchmarkApply(b *testing.B) {
	onEach(b, func(s *books, b *testing.B) {
		p := s.sent("100042", "veh_dana_civic")
		for b.Loop() {
			s.must(s.change(p.ID, func(_ pay.View, c *pay.Change) {
				c.Life.Looks++
				c.Trail = []trail.Entry{{ID: newID(), At: began, Actor: trail.BySystem, Act: "look", Object: p.ID, ClientID: p.ClientID}}
			}))
		}
	})
}
