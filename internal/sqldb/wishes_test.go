package sqldb_test

import (
	"slices"
	"testing"

	"paylink/internal/account"
	"paylink/internal/phone"
	"paylink/internal/sms"
	"paylink/internal/sqldb"
	"paylink/internal/trail"
)

// wishes lists what the trail says of a masked number, oldest first: who, what, whose.
func (b *books) wishes(masked string) (out []string) {
	b.Helper()
	rows, err := b.raw.QueryContext(b.ctx, `SELECT actor_kind || ' ' || act || ' ' || client_id FROM trail WHERE object = $1 ORDER BY at_ms, id`, masked)
	b.must(err)
	for rows.Next() {
		var one string
		b.must(rows.Scan(&one))
		out = append(out, one)
	}
	b.must(rows.Err())
	b.must(rows.Close())
	return out
}

func TestStopAndStartAreKeptInTheTrail(t *testing.T) {
	onBoth(t, func(b *books) {
		const dana, nobody = "+18045550142", "+18045550177"
		b.must(b.OptIn(b.ctx, dana)) // had not opted out
		for range 2 {                // a reply that comes twice is one wish
			b.must(b.OptOut(b.ctx, dana))
		}
		b.must(b.OptIn(b.ctx, dana))
		b.must(b.OptIn(b.ctx, dana))
		if got, want := b.wishes("••0142"), []string{"twilio opt out of texts 100042", "twilio opt in to texts 100042"}; !slices.Equal(got, want) {
			b.Errorf("%q, want %q", got, want)
		}
		p := b.sent("100042", "veh_dana_civic")
		b.must(b.Deliver(b.ctx, sms.Delivery{MessageID: b.messageOf(p), Receipt: sms.Receipt{SID: "SM1", Status: sms.Undelivered, ErrorCode: 21610}}))
		if got := b.wishes("••0142"); len(got) != 3 {
			b.Errorf("an opt-out that the carrier told of: %q", got)
		}
		b.must(b.OptOut(b.ctx, nobody))
		if got, want := b.wishes("••0177"), []string{"twilio opt out of texts "}; !slices.Equal(got, want) {
			b.Errorf("nobody's number: %q, want %q", got, want)
		}
		b.must(b.Import(b.ctx, sqldb.Import{Clients: []account.Client{{ID: "900201", FirstName: "Kin", LastName: "Bell", Language: "en", Phone: phone.Stored("+18045550143")}}}))
		b.must(b.OptOut(b.ctx, "+18045550143"))
		if got, want := b.wishes("••0143"), []string{"twilio opt out of texts "}; !slices.Equal(got, want) {
			b.Errorf("a number that two clients share: %q, want %q", got, want)
		}
	})
}

// TestAReceiptThatIsAskedForTwiceAtOnceIsQueuedOnce, and the second hears of no error: it looks while the first is not committed yet.
func TestAReceiptThatIsAskedForTwiceAtOnceIsQueuedOnce(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		all, err := b.Messages(b.ctx, p.ID)
		b.must(err)
		m := all[0]
		m.ID, m.Kind, m.Box = newID(), sms.ReceiptText, ""
		first, err := b.raw.BeginTx(b.ctx, nil)
		b.must(err)
		_, err = first.ExecContext(b.ctx, `INSERT INTO messages (id, kind, payment_id, link_id, language, box, phone_box, status, rank, tries, sid, error_code, created_ms, handed_ms, sent_ms, ended_ms, next_ms)
			SELECT 'first', 'receipt', payment_id, link_id, language, '', phone_box, status, rank, tries, sid, error_code, created_ms, handed_ms, sent_ms, ended_ms, NULL FROM messages WHERE id = $1`, all[0].ID)
		b.must(err)
		second := make(chan error, 1)
		go func() {
			second <- b.AddReceipt(b.ctx, m, trail.Entry{ID: newID(), At: began, Act: "text receipt", Object: p.ID})
		}()
		for b.postgres() && b.count(`SELECT COUNT(*) FROM pg_locks WHERE NOT granted`) == 0 { // SQLite's writers come one after the other by themselves
			if err := b.ctx.Err(); err != nil {
				b.Fatal(err)
			}
		}
		b.must(first.Commit())
		if err := <-second; err != nil {
			b.Errorf("the second: %v", err)
		}
		if n := b.count(`SELECT COUNT(*) FROM messages WHERE kind = 'receipt'`); n != 1 {
			b.Errorf("%d receipts", n)
		}
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'text receipt'`); n != 0 {
			b.Errorf("%d trail entries of what was not done", n)
		}
	})
}
