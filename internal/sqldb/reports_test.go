package sqldb_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"paylink/internal/desk/agent"
	"paylink/internal/pay"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

// countedBy is what reports count a payment by.
func (b *books) countedBy(id string) string {
	b.Helper()
	var days, own, first, delivered int64
	var language string
	b.must(b.raw.QueryRowContext(b.ctx, `SELECT days, language, own_number, first_link, delivered_ms FROM payments WHERE id = $1`, id).Scan(&days, &language, &own, &first, &delivered))
	return fmt.Sprint(days, language, own, first, delivered)
}

func TestWhatReportsCountByIsWrittenWithThePayment(t *testing.T) {
	onBoth(t, func(b *books) {
		first := b.sent("100042", "veh_dana_civic")
		if got, want := b.countedBy(first.ID), fmt.Sprint(30, "en", 1, 1, 0); got != want {
			b.Errorf("a first link: %s, want %s", got, want)
		}
		at := began.Add(time.Second)
		b.pass(time.Second)
		delivery := sms.Delivery{MessageID: b.messageOf(first), Receipt: sms.Receipt{SID: "SM1", Status: sms.Delivered}}
		b.must(b.Deliver(b.ctx, delivery))
		b.pass(time.Second)
		b.must(b.Deliver(b.ctx, delivery))
		if n := b.count(`SELECT delivered_ms FROM payments WHERE id = $1`, first.ID); int64(n) != at.UnixMilli() {
			b.Errorf("delivered at %d, want %d", n, at.UnixMilli())
		}
		b.must(b.change(first.ID, func(_ pay.View, c *pay.Change) { c.Life.State = pay.Revoked }))
		// The carrier is asked, and says so: another sale's text.
		second, err := b.Begin(b.ctx, "100042", "veh_dana_civic", newID(), func(s pay.Start) (pay.Begin, error) {
			begin, err := b.first(s)
			begin.Payment.ChainID = first.ID
			begin.Link.OwnNumber, begin.Link.Language = false, "es"
			return begin, err
		})
		b.must(err)
		all, err := b.Messages(b.ctx, second.ID)
		b.must(err)
		m := all[0]
		m.Status, m.EndedAt = sms.Delivered, b.clock()
		b.must(b.SaveMessage(b.ctx, m))
		if got, want := b.countedBy(second.ID), fmt.Sprint(30, "es", 0, 0, b.clock().UnixMilli()); got != want {
			b.Errorf("the chain's second link: %s, want %s", got, want)
		}
	})
}

func TestABlockedTryCountsOnceADay(t *testing.T) {
	onBoth(t, func(b *books) {
		try := agent.BlockedTry{At: began, Day: "2026-03-02", By: "staff-agent", ClientID: "100050", VehicleID: "veh_rita_focus", LocationID: "VA-RIC", Why: agent.InCollections}
		note := func(change func(t *agent.BlockedTry)) {
			one := try
			change(&one)
			b.must(b.Blocked(context.Background(), one, trail.Entry{ID: newID(), At: one.At, Actor: trail.Actor{Kind: trail.Staff, ID: one.By}, Act: "quote", Object: one.VehicleID, ClientID: one.ClientID, Refused: string(one.Why)}))
		}
		note(func(*agent.BlockedTry) {})
		note(func(t *agent.BlockedTry) { t.At = began.Add(time.Hour) })
		if tries, acts := b.count(`SELECT COUNT(*) FROM blocked`), b.count(`SELECT COUNT(*) FROM trail WHERE act = 'quote' AND refused <> ''`); tries != 1 || acts != 1 {
			b.Errorf("%d tries and %d entries of one", tries, acts)
		}
		note(func(t *agent.BlockedTry) { t.Day = "2026-03-03" })
		note(func(t *agent.BlockedTry) { t.By = "staff-lead" })
		note(func(t *agent.BlockedTry) { t.Why = agent.Paused })
		if tries, acts := b.count(`SELECT COUNT(*) FROM blocked`), b.count(`SELECT COUNT(*) FROM trail WHERE act = 'quote' AND refused <> ''`); tries != 4 || acts != 4 {
			b.Errorf("%d tries and %d entries of four", tries, acts)
		}
	})
}
