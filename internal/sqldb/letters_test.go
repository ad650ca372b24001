package sqldb_test

import (
	"testing"
	"time"

	"paylink/internal/autopay"
	"paylink/internal/desk/clock"
	"paylink/internal/post"
	"paylink/internal/sqldb"
	"paylink/internal/trail"
)

var (
	_ post.Store = (*sqldb.DB)(nil)
	_ clock.Runs = (*sqldb.DB)(nil)
)

func TestARunIsTakenByOneAndItsLetterLeavesWithIt(t *testing.T) {
	onBoth(t, func(b *books) {
		b.must(b.exec(`UPDATE vehicles SET paid_to = '2026-03-05' WHERE id = 'veh_hal_outback'`))
		for range 2 { // two schedulers plan
			b.must(b.PlanRuns(b.ctx, "2026-03-07", 100))
		}
		due, err := b.DueRuns(b.ctx, 10)
		b.must(err)
		if len(due) != 1 || due[0] != (clock.RunKey{VehicleID: "veh_hal_outback", Due: "2026-03-05"}) {
			b.Fatalf("due: %v", due)
		}
		r, ok, err := b.TakeRun(b.ctx, due[0], time.Minute)
		b.must(err)
		if _, again, err := b.TakeRun(b.ctx, due[0], time.Minute); !ok || again || err != nil {
			b.Fatalf("taken: %v, then %v, %v", ok, again, err)
		}
		b.pass(2 * time.Minute)
		late := r // its scheduler stood still for longer than its lease: another takes it
		r, ok, err = b.TakeRun(b.ctx, due[0], time.Minute)
		b.must(err)
		if !ok || r.Takes != 2 {
			b.Fatalf("%v, %+v", ok, r)
		}
		said := func(id string) clock.Said {
			return clock.Said{
				Trail:  trail.Entry{ID: "trail-" + id, At: b.clock(), Actor: trail.BySystem, Act: "charge Auto Pay", Object: r.VehicleID, ClientID: r.ClientID},
				Letter: &post.Letter{ID: id, ClientID: r.ClientID, Kind: post.Reset, Language: "en", To: "hal@clients.interlane.example", Values: map[string]string{"a": "b"}, Secret: "the secret", CreatedAt: b.clock(), NextAt: b.clock()},
			}
		}
		r.State, r.NextAt, r.Why, r.Declines = autopay.Stopped, time.Time{}, autopay.DeadCard, 1
		b.must(b.SaveRun(b.ctx, r, said("letter-1")))
		late.State = autopay.Paid
		b.must(b.SaveRun(b.ctx, late, said("letter-2")))
		if n := b.count(`SELECT COUNT(*) FROM auto_pay_runs WHERE state = 'stopped' AND why = 'dead_card' AND next_ms IS NULL`); n != 1 {
			b.Error("the run is not as its last scheduler left it")
		}
		if n := b.count(`SELECT COUNT(*) FROM letters`) + b.count(`SELECT COUNT(*) FROM trail WHERE act = 'charge Auto Pay'`); n != 2 {
			b.Errorf("%d letters and entries: one of each belongs to who was the last to take it", n)
		}
		b.must(b.PlanRuns(b.ctx, "2026-03-07", 100))
		if n := b.count(`SELECT COUNT(*) FROM auto_pay_runs`); n != 1 {
			b.Errorf("%d runs for one Paid To Date", n)
		}
	})
}

func TestALetterIsCarriedByOneAndKeepsNoSecret(t *testing.T) {
	onBoth(t, func(b *books) {
		b.must(b.PlanRuns(b.ctx, "2026-03-07", 100)) // Hal's
		r, _, err := b.TakeRun(b.ctx, clock.RunKey{VehicleID: "veh_hal_outback", Due: "2026-03-02"}, time.Minute)
		b.must(err)
		l := post.Letter{ID: "letter-1", ClientID: "100047", Kind: post.Reset, Language: "es", To: "hal@clients.interlane.example", Values: map[string]string{"vehicle": "“Outback”"}, Secret: "the secret",
			CreatedAt: b.clock(), NextAt: b.clock(), State: post.Waiting}
		b.must(b.SaveRun(b.ctx, r, clock.Said{Letter: &l, Trail: trail.Entry{ID: "t", At: b.clock(), ClientID: "100047", Act: "x"}}))
		ids, err := b.DueLetters(b.ctx, 10)
		b.must(err)
		if len(ids) != 1 || b.count(`SELECT COUNT(*) FROM letters WHERE box LIKE '%secret%'`) != 0 {
			b.Fatalf("due: %v, or its secret is in the clear", ids)
		}
		got, ok, err := b.TakeLetter(b.ctx, ids[0], time.Minute)
		b.must(err)
		want := l
		want.Tries, want.NextAt = 1, b.clock().Add(time.Minute)
		if !ok {
			b.Fatal("nobody may carry it")
		}
		same(b, "letter", got, want)
		if _, again, err := b.TakeLetter(b.ctx, ids[0], time.Minute); again || err != nil {
			b.Fatalf("two carry it: %v, %v", again, err)
		}
		got.NextAt = b.clock().Add(time.Hour)
		b.must(b.SaveLetter(b.ctx, got))
		if ids, err := b.DueLetters(b.ctx, 10); err != nil || len(ids) != 0 {
			b.Errorf("due before its time: %v, %v", ids, err)
		}
		b.pass(time.Hour)
		late := got
		got, ok, err = b.TakeLetter(b.ctx, "letter-1", time.Minute)
		b.must(err)
		if !ok || got.Secret != "the secret" {
			b.Fatalf("%v, and what is secret in it is lost", ok)
		}
		got.State, got.SentAt, got.NextAt = post.Sent, b.clock(), time.Time{}
		b.must(b.SaveLetter(b.ctx, got))
		b.must(b.SaveLetter(b.ctx, late)) // who was slow knows less
		if n := b.count(`SELECT COUNT(*) FROM letters WHERE state = 'sent' AND box = '' AND next_ms IS NULL`); n != 1 {
			b.Error("it is not sent, or keeps its secret")
		}
	})
}
