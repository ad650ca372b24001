package sqldb_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/sms"
	"paylink/internal/sqldb"
	"paylink/internal/trail"
)

func TestWhateverChangesAPaymentIsToldOnceItIsCommitted(t *testing.T) {
	onBoth(t, func(b *books) {
		const dana = "100042"
		tells := func(what string, want ...string) {
			t.Helper()
			if got := b.told(); !slices.Equal(got, want) {
				t.Errorf("%s tells of %v, want %v", what, got, want)
			}
		}
		b.told()
		p := b.sent(dana, "veh_dana_civic")
		tells("a link that is sent", dana)
		_, err := b.begin(dana, "veh_dana_civic")
		if !errors.Is(err, pay.ErrLive) {
			t.Fatal(err)
		}
		tells("a link that is refused")
		texts, err := b.Messages(b.ctx, p.ID)
		b.must(err)
		m, ok, err := b.TakeMessage(b.ctx, texts[0].ID, time.Minute)
		if b.must(err); !ok {
			t.Fatal("the text is not due")
		}
		tells("a text that is taken, which nobody sees")
		m.Status, m.Tries, m.HandedAt = sms.Unclear, 1, b.clock()
		if ok, err = b.HandOver(b.ctx, m, sms.Waiting); !ok {
			t.Fatal("the text is not handed over", err)
		}
		tells("a text that is handed over", dana)
		if ok, err = b.HandOver(b.ctx, m, sms.Waiting); ok {
			t.Fatal("the text is handed over twice", err)
		}
		tells("a text that another has handed over")
		m.Status, m.SID, m.Box = sms.Queued, "SM1", ""
		b.must(b.SaveMessage(b.ctx, m))
		tells("a text that the carrier has", dana)
		b.must(b.Deliver(b.ctx, sms.Delivery{MessageID: m.ID, Receipt: sms.Receipt{SID: "SM1", Status: sms.Delivered}}))
		tells("a delivery", dana)
		b.must(b.Deliver(b.ctx, sms.Delivery{MessageID: m.ID, Receipt: sms.Receipt{SID: "SM1", Status: sms.Sent}}))
		tells("older news")
		_, err = b.Opened(b.ctx, m.LinkID, trail.Entry{ID: newID(), Actor: trail.BySystem, Act: "open link"})
		b.must(err)
		tells("a link that is opened", dana)
		_, err = b.Opened(b.ctx, m.LinkID, trail.Entry{ID: newID(), Actor: trail.BySystem, Act: "open link"})
		b.must(err)
		tells("a link that is opened again")
		no := errors.New("no")
		if err := b.Apply(b.ctx, p.ID, func(pay.View) (pay.Change, error) { return pay.Change{}, no }); !errors.Is(err, no) {
			t.Fatal(err)
		}
		tells("a transition that is refused")
		broken := trail.Entry{ID: texts[0].ID, At: b.clock(), Actor: trail.BySystem, Act: "x"}
		b.must(b.Write(b.ctx, broken))
		if err := b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Trail = []trail.Entry{broken} }); err == nil {
			t.Fatal("the same trail entry is written twice")
		}
		tells("a transition that is rolled back after its writes")
		b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.State = pay.Expired }))
		tells("a transition", dana)
		b.must(b.AddReceipt(b.ctx, sms.Message{
			ID: newID(), Kind: sms.ReceiptText, PaymentID: p.ID, LinkID: m.LinkID, Language: "en", Phone: m.Phone, Status: sms.Waiting, CreatedAt: b.clock(), NextAt: b.clock(),
		}, trail.Entry{ID: newID(), At: b.clock(), Actor: trail.BySystem, Act: "send receipt", Object: p.ID}))
		tells("a receipt", dana)
	})
}

func TestADatabaseIsNotOpenedWithoutAnybodyToTell(t *testing.T) {
	if _, err := sqldb.Open(t.Context(), sqldb.Config{URL: "sqlite:" + t.TempDir() + "/x.db", Now: time.Now, NewID: newID, MaxConns: 1}); err == nil {
		t.Fatal("it was opened")
	}
}

func TestAPulseMovesWithWhateverIsWritten(t *testing.T) {
	onBoth(t, func(b *books) {
		const dana, marcus = "100042", "100043"
		version := func(client string) string {
			t.Helper()
			p, err := b.Pulse(b.ctx, client)
			b.must(err)
			return p.Version
		}
		live := func(client, vehicle, want string) {
			t.Helper()
			p, err := b.Pulse(b.ctx, client)
			if b.must(err); p.Of(vehicle) != want {
				t.Errorf("%s %s: %q lives, want %q", client, vehicle, p.Of(vehicle), want)
			}
		}
		others := version(marcus)
		last := version(dana)
		moves := func(what string) {
			t.Helper()
			now := version(dana)
			if now == last {
				t.Errorf("%s does not move the pulse", what)
			}
			last = now
		}
		live(dana, "", "")
		p := b.sent(dana, "veh_dana_civic")
		moves("a payment")
		live(dana, "", p.ID)
		live(dana, "veh_dana_civic", p.ID)
		live(dana, "veh_another", "")
		b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.Looks++ }))
		moves("a transition")
		b.must(b.exec(`INSERT INTO notes (id, client_id, at_ms, by_kind, by_id, payment_id, text) VALUES ('n1', $1, 1, 'staff', 'x', '', 'called')`, dana))
		moves("a note")
		_, err := b.SetLanguage(b.ctx, dana, "es", b.byClient(dana, "change language"), nil)
		b.must(err)
		moves("what a client changes")
		b.pass(link.Life)
		live(dana, "", "") // its time is up, whether or not the sweeper has come by
		if version(dana) != last {
			t.Error("the pulse moves by itself")
		}
		if version(marcus) != others {
			t.Error("another client's pulse has moved")
		}
		if p, err := b.Pulse(b.ctx, "nobody"); err != nil || p.Of("") != "" {
			t.Error(p, err)
		}
	})
}
