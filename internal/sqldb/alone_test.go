package sqldb_test

import (
	"sync"
	"testing"
	"time"

	"paylink/internal/pay"
)

// SQLite's writers come one after the other anyway.
func TestWhoDecidesAboutAnAccountDecidesAlone(t *testing.T) {
	onBoth(t, func(b *books) {
		if !b.postgres() {
			return
		}
		p, other := b.sent("100043", "veh_marcus_f150"), b.sent("100043", "veh_marcus_camry")
		inside, decided := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			<-inside
			b.must(b.change(other.ID, func(pay.View, *pay.Change) { close(decided) }))
		})
		b.must(b.change(p.ID, func(pay.View, *pay.Change) {
			close(inside)
			limit := time.After(10 * time.Second)
			for b.count(`SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == 0 {
				select {
				case <-decided:
					b.Error("two decide about one account at once")
					return
				case <-limit:
					b.Error("the second decision never came")
					return
				case <-time.After(2 * time.Millisecond):
				}
			}
		}))
		wg.Wait()
	})
}

// A webhook takes no account's lock: what it has made due while a decision was under way stays due, for the decision is made again.
func TestADecisionIsMadeAgainIfItsRowHasChanged(t *testing.T) {
	onBoth(t, func(b *books) {
		if !b.postgres() {
			return
		}
		p := b.sent("100042", "veh_dana_civic")
		b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.IntentID = "pi_1" }))
		decisions := 0
		b.must(b.change(p.ID, func(v pay.View, c *pay.Change) {
			if decisions++; decisions == 1 {
				_, err := b.Hear(b.ctx, pay.Notice{ID: "evt_1", Type: "payment_intent.succeeded", IntentID: "pi_1", At: began})
				b.must(err)
				c.Life.NextAt = began.Add(time.Hour)
			}
		}))
		payments, _, err := b.Due(b.ctx, 10)
		b.must(err)
		if decisions != 2 || len(payments) != 1 {
			b.Errorf("%d decisions, %d payments due", decisions, len(payments))
		}
	})
}
