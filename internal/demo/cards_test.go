package demo_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"paylink/internal/day"
	"paylink/internal/demo"
	"paylink/internal/seal"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sqldb"
	"paylink/internal/testbed"
)

// A simulator that was started anew has forgotten the cards: they are on file again, in the same rows, and only once.
func TestTheTownsCardsOutliveTheSimulator(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	keys, err := seal.New(make([]byte, seal.KeyBytes))
	must(err)
	db, err := sqldb.Open(t.Context(), sqldb.Config{URL: testbed.SQLite(t), Now: func() time.Time { return now }, Keys: keys, NewID: uuid.NewString, MaxConns: 2, Changed: func(string) {}})
	must(err)
	defer func() { must(db.Close()) }()
	must(db.Migrate(t.Context()))
	must(db.Import(t.Context(), demo.Data(now)))
	for start, seed := range []uint64{1, 1, 2, 1} {
		sim := stripesim.New(stripesim.Config{Now: func() time.Time { return now }, Seed: seed, SecretKey: "sk_test_x", PublishableKey: "pk_test_x"})
		server := httptest.NewServer(sim.Handler())
		must(demo.Cards(t.Context(), db, server.URL, "sk_test_x"))
		hal, err := db.Cards(t.Context(), "100047")
		must(err)
		if len(hal) != 3 || !hal[0].Main || hal[0].Last4 != "4242" || hal[1].Last4 != "3184" || !hal[2].Expired(day.Of(now)) {
			t.Fatalf("start %d: %+v", start+1, hal)
		}
		for _, c := range hal {
			r, err := http.NewRequest(http.MethodGet, server.URL+"/v1/customers/"+c.Customer+"/payment_methods/"+c.PaymentMethod, nil)
			must(err)
			r.Header.Set("Authorization", "Bearer sk_test_x")
			answer, err := http.DefaultClient.Do(r)
			must(err)
			must(answer.Body.Close())
			if answer.StatusCode != http.StatusOK {
				t.Errorf("start %d: Stripe does not know the card ending %s", start+1, c.Last4)
			}
		}
		must(demo.Cards(t.Context(), db, server.URL, "sk_test_x"))
		again, err := db.Cards(t.Context(), "100047")
		must(err)
		if !slices.Equal(again, hal) {
			t.Errorf("start %d: a second time has changed %+v to %+v", start+1, hal, again)
		}
		server.Close()
		sim.Close()
		now = now.Add(time.Hour)
	}
}
