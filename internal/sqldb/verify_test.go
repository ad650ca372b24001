package sqldb_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paylink/internal/ledger"
	"paylink/internal/pay"
	"paylink/internal/sqldb"
	"paylink/internal/trail"
)

func (b *books) verify(since *trail.Anchor) (v sqldb.Verified, said []string) {
	b.Helper()
	v, err := b.Verify(b.ctx, since, func(what string) { said = append(said, what) })
	b.must(err)
	if int(v.Broken) != len(said) || (v.Anchor == trail.Anchor{}) != (len(said) > 0) {
		b.Errorf("%d are broken, %d were told, the anchor is %s", v.Broken, len(said), v.Anchor)
	}
	return v, said
}

// is compares what a verification says with the words that each of its findings must have, in any order.
func (b *books) says(said []string, want ...string) {
	b.Helper()
	if len(said) != len(want) {
		b.Fatalf("it says %q, want %q", said, want)
	}
	for _, w := range want {
		if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, w) }) {
			b.Errorf("it says %q, want %q", said, w)
		}
	}
}

// act writes a client's next n trail entries.
func (b *books) act(clientID string, n int) {
	b.Helper()
	for i := range n {
		b.must(b.Write(b.ctx, trail.Entry{ID: newID(), At: b.clock(), Actor: trail.Actor{Kind: trail.Staff, ID: "staff-agent"}, Act: fmt.Sprintf("act %d", i), Object: "x", ClientID: clientID, Detail: "Señal"}))
	}
}

// tamper does what the tables' owner can: it takes the guards away, runs the statements, and puts the guards back.
func (b *books) tamper(statements ...string) {
	b.Helper()
	back := []string{}
	if b.postgres() {
		for _, table := range []string{"trail", "trail_heads", "entries", "postings", "invoices", "invoice_lines"} {
			b.must(b.exec(`ALTER TABLE ` + table + ` DISABLE TRIGGER USER`))
			back = append(back, `ALTER TABLE `+table+` ENABLE TRIGGER USER`)
		}
	} else {
		rows, err := b.raw.QueryContext(b.ctx, `SELECT name, sql FROM sqlite_master WHERE type = 'trigger'`)
		b.must(err)
		var names []string
		for rows.Next() {
			var name, text string
			b.must(rows.Scan(&name, &text))
			names, back = append(names, name), append(back, text)
		}
		b.must(rows.Close())
		for _, name := range names {
			b.must(b.exec(`DROP TRIGGER ` + name))
		}
	}
	for _, s := range append(statements, back...) {
		if err := b.exec(s); err != nil {
			b.Fatalf("%s: %v", s, err)
		}
	}
}

// chained is three chains of six rows, an hour ago.
func (b *books) chained() {
	b.Helper()
	for range 3 {
		for _, clientID := range []string{"100042", "", "100043"} {
			b.act(clientID, 2)
		}
	}
	b.pass(time.Hour)
}

func TestAWholeTrailIsProven(t *testing.T) {
	onBoth(t, func(b *books) {
		if v, said := b.verify(nil); len(said) != 0 || v.Rows != 0 || v.Anchor.Rows != 0 || v.Entries != 4 || v.Invoices != 8 {
			b.Errorf("with nothing in the trail: %+v, %q", v, said)
		}
		b.chained()
		first, said := b.verify(nil)
		b.says(said)
		if first.Rows != 18 || first.Chains != 3 || first.Anchor.Rows != 18 || !first.Anchor.At.Equal(began.Add(45*time.Minute)) {
			b.Errorf("%+v", first)
		}
		b.act("100042", 1) // the next act, and a client's first
		b.act("100044", 1)
		b.sent("100042", "veh_dana_civic")
		second, said := b.verify(&first.Anchor)
		b.says(said)
		if second.Rows != 21 || second.Anchor != first.Anchor { // what is younger than a quarter of an hour is for the next anchor
			b.Errorf("%+v after %+v", second, first)
		}
		b.pass(time.Hour)
		third, said := b.verify(&second.Anchor)
		b.says(said)
		if third.Anchor.Rows != 21 || third.Anchor.Digest == first.Anchor.Digest {
			b.Errorf("%+v after %+v", third, first)
		}
	})
}

// TestWhatWasDoneToTheTrailIsFoundAndNamed, each to a chain of its own ($C), all at once: what is done to one chain says nothing of the others.
func TestWhatWasDoneToTheTrailIsFoundAndNamed(t *testing.T) {
	const row = ` WHERE client_id = '$C' AND n = `
	another := func(n int) string {
		return fmt.Sprintf(`INSERT INTO trail (id, at_ms, actor_kind, actor_id, act, object, client_id, refused, detail, n, hash) SELECT 'put-$C', at_ms, actor_kind, actor_id, act, object, client_id, refused, detail, %d, hash FROM trail`+row+`2`, n)
	}
	zero := `hash = '` + strings.Repeat("0", 64) + `'`
	cases := map[string]struct { // what is done, and what is said of the chain; its rows are "1" to "6"
		does []string
		want string
	}{
		"nothing":           {nil, ""},
		"field":             {[]string{`UPDATE trail SET detail = 'other'` + row + `3`}, "row 3 ("},
		"first-row":         {[]string{`UPDATE trail SET actor_id = 'staff-lead'` + row + `1`}, "row 1 ("},
		"last-row":          {[]string{`UPDATE trail SET refused = 'no'` + row + `6`}, "row 6 ("},
		"time":              {[]string{`UPDATE trail SET at_ms = at_ms + 1` + row + `4`}, "row 4 ("},
		"several-rows":      {[]string{`UPDATE trail SET act = 'nothing' WHERE n > 2 AND client_id = '$C'`}, "row 3 ("},
		"taken-away":        {[]string{`DELETE FROM trail` + row + `3`}, "row 3 is missing; the next one that is there is row 4"},
		"first-taken-away":  {[]string{`DELETE FROM trail` + row + `1`}, "row 1 is missing; the next one that is there is row 2"},
		"last-taken-away":   {[]string{`DELETE FROM trail` + row + `6`}, "row 6 is missing, and what came after it: it ended at row 6"},
		"end-taken-away":    {[]string{`DELETE FROM trail WHERE client_id = '$C' AND n > 2`}, "row 3 is missing, and what came after it: it ended at row 6"},
		"all-taken-away":    {[]string{`DELETE FROM trail WHERE client_id = '$C'`}, "rows 1 to 6, all that there were, are missing"},
		"two-change-places": {[]string{`UPDATE trail SET n = 99` + row + `2`, `UPDATE trail SET n = 2` + row + `5`, `UPDATE trail SET n = 5` + row + `99`}, "row 2 ("},
		"put-at-the-end":    {[]string{another(7)}, "row 7 (put-put-at-the-end) was put there: the trail ends at row 6"},
		"put-with-its-head": {[]string{another(7), `UPDATE trail_heads SET n = 7 WHERE client_id = '$C'`}, "row 7 (put-"},
		"put-between":       {[]string{`UPDATE trail SET n = n + 100 WHERE client_id = '$C' AND n > 3`, another(4), `UPDATE trail SET n = n - 99 WHERE client_id = '$C' AND n > 100`}, "row 4 (put-"},
		"from-another":      {nil, "row 7 ("},
		"to-another":        {[]string{`UPDATE trail SET client_id = 'from-another', n = 7` + row + `6`}, "row 6 is missing"},
		"head":              {[]string{`UPDATE trail_heads SET hash = (SELECT hash FROM trail` + row + `5) WHERE client_id = '$C'`}, "its last row, 6, is not the one that its head names"},
		"head-taken-away":   {[]string{`DELETE FROM trail_heads WHERE client_id = '$C'`}, "row 1 ("},
		"hash-and-head":     {[]string{`UPDATE trail SET ` + zero + row + `6`, `UPDATE trail_heads SET ` + zero + ` WHERE client_id = '$C'`}, "row 6 ("},
		"":                  {[]string{`UPDATE trail SET detail = 'other'` + row + `5`}, "row 5 ("}, // what concerns no client
	}
	onBoth(t, func(b *books) {
		for chain := range cases {
			b.act(chain, 6)
		}
		b.pass(time.Hour)
		v, said := b.verify(nil)
		b.says(said)
		var does, want []string
		for chain, c := range cases {
			for _, s := range c.does {
				does = append(does, strings.ReplaceAll(s, "$C", chain))
			}
			if c.want != "" {
				want = append(want, strings.Replace("the trail of client "+chain+": ", "client :", "what concerns no client:", 1)+c.want)
			}
		}
		b.tamper(does...)
		for _, since := range []*trail.Anchor{nil, &v.Anchor} {
			_, said = b.verify(since)
			b.says(said, want...)
		}
	})
}

// TestWhatOnlyAnAnchorFinds: whoever knows how the chain is made can cut its end off or write it anew without a fault in it.
func TestWhatOnlyAnAnchorFinds(t *testing.T) {
	anew := func(b *books) { // as if the second act had been another
		hash := trail.Hash{}
		for n := 1; n <= 6; n++ {
			var e trail.Entry
			var ms int64
			b.must(b.raw.QueryRowContext(b.ctx, `SELECT id, at_ms, actor_kind, actor_id, act, object, client_id, refused, detail FROM trail WHERE client_id = '100042' AND n = $1`, n).
				Scan(&e.ID, &ms, &e.Actor.Kind, &e.Actor.ID, &e.Act, &e.Object, &e.ClientID, &e.Refused, &e.Detail))
			e.At = time.UnixMilli(ms)
			if n == 2 {
				e.Act = "something else"
			}
			hash = e.Hash(hash, int64(n))
			b.tamper(fmt.Sprintf(`UPDATE trail SET act = '%s', hash = '%s' WHERE client_id = '100042' AND n = %d`, e.Act, hash, n))
		}
		b.tamper(fmt.Sprintf(`UPDATE trail_heads SET hash = '%s' WHERE client_id = '100042'`, hash))
	}
	for name, c := range map[string]struct {
		does func(b *books)
		want string
	}{
		"the end of a chain is cut off, and its head moved back": {func(b *books) {
			b.tamper(`DELETE FROM trail WHERE client_id = '100042' AND n > 4`, `UPDATE trail_heads SET n = 4, hash = (SELECT hash FROM trail WHERE client_id = '100042' AND n = 4) WHERE client_id = '100042'`)
		}, "2 of 18 rows are missing"},
		"a whole chain is taken away with its head": {func(b *books) {
			b.tamper(`DELETE FROM trail WHERE client_id = ''`, `DELETE FROM trail_heads WHERE client_id = ''`)
		}, "6 of 18 rows are missing"},
		"a chain is written anew": {anew, "a chain has been written anew"},
		"the end of a chain is written anew": {func(b *books) {
			b.tamper(`DELETE FROM trail WHERE client_id = '100042' AND n > 4`, `UPDATE trail_heads SET n = 4, hash = (SELECT hash FROM trail WHERE client_id = '100042' AND n = 4) WHERE client_id = '100042'`)
			b.pass(-time.Hour)
			b.act("100042", 2)
			b.pass(time.Hour)
		}, "a chain has been written anew"},
		"an act is put into the past": {func(b *books) {
			b.pass(-time.Hour)
			b.act("100042", 1)
			b.pass(time.Hour)
		}, "has 19 rows, and had 18"},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(b *books) {
				b.chained()
				v, said := b.verify(nil)
				b.says(said)
				c.does(b)
				_, said = b.verify(nil)
				b.says(said)
				_, said = b.verify(&v.Anchor)
				b.says(said, c.want)
			})
		})
	}
}

// paid is a payment that was paid and booked.
func (b *books) paid(client, vehicle, intent string) pay.Payment {
	b.Helper()
	p := b.sent(client, vehicle)
	amount := p.Frozen.Summary.TotalDue
	b.must(b.change(p.ID, func(v pay.View, c *pay.Change) {
		c.Life.State, c.Life.IntentID, c.Life.NextAt = pay.Paid, intent, time.Time{}
		entry := func(cause string, to, from ledger.Account) ledger.Entry {
			e := ledger.Entry{ID: newID(), ClientID: client, PaymentID: p.ID, Cause: cause, At: began}
			e.Add(to, amount)
			e.Add(from, -amount)
			return e
		}
		c.Life.Charged = amount
		c.Bookings = []pay.Booking{{
			Invoice: &ledger.Invoice{ID: "inv-" + intent, Number: "1", ClientID: client, VehicleID: vehicle, PaymentID: p.ID, IssuedAt: began, Lines: []ledger.Line{{Kind: "monitoring", Amount: amount}}, Subtotal: amount, Total: amount},
			Entries: []ledger.Entry{entry("invoice "+p.ID, ledger.Receivable, ledger.RevenueMonitoring), entry("receipt "+intent, ledger.StripeClearing, ledger.Receivable)},
		}}
	}))
	return p
}

func TestWhatIsWrongInTheBooksIsFoundAndNamed(t *testing.T) {
	const receipt = `(SELECT id FROM entries WHERE cause = 'receipt pi_1')`
	for name, c := range map[string]struct {
		does func(p pay.Payment) []string
		want []string
	}{
		"nothing": {func(pay.Payment) []string { return nil }, nil},
		"a posting is changed": {func(pay.Payment) []string {
			return []string{`UPDATE postings SET amount = amount + 1 WHERE account = 'receivable' AND entry_id = ` + receipt}
		}, []string{"(receipt pi_1) does not balance: its 2 postings sum up to 1 cents"}},
		"a posting is taken away": {func(pay.Payment) []string {
			return []string{`DELETE FROM postings WHERE account = 'receivable' AND entry_id = ` + receipt}
		}, []string{"(receipt pi_1) does not balance: its 1 postings"}},
		"a posting is another client's": {func(pay.Payment) []string {
			return []string{`UPDATE postings SET client_id = '100043' WHERE account = 'receivable' AND entry_id = ` + receipt}
		}, []string{"is of client 100043, and the entry of 100042"}},
		"the receipt is taken away": {func(pay.Payment) []string {
			return []string{`UPDATE postings SET entry_id = (SELECT id FROM entries WHERE cause = 'receipt pi_2'), n = n + 9 WHERE entry_id = ` + receipt, `DELETE FROM entries WHERE cause = 'receipt pi_1'`}
		}, []string{"is paid, was charged 9858 cents (pi_1), and has no receipt", "is of client 100042, and the entry of 100047", "is of client 100042, and the entry of 100047", "was charged 9858 cents and its receipt is of 19716 (receipt pi_2)"}},
		"a second receipt": {func(p pay.Payment) []string {
			return []string{`INSERT INTO entries (id, client_id, payment_id, stripe_account, cause, at_ms) SELECT 'again', client_id, payment_id, stripe_account, 'receipt pi_3', at_ms FROM entries WHERE cause = 'receipt pi_1'`,
				`INSERT INTO postings (entry_id, n, client_id, account, amount) SELECT 'again', n, client_id, account, amount FROM postings WHERE entry_id = ` + receipt}
		}, []string{"has 2 receipts: receipt pi_1, receipt pi_3", "entry again (receipt pi_3) is the receipt of a PaymentIntent that payment"}},
		"a payment that was not paid": {func(p pay.Payment) []string {
			return []string{`UPDATE payments SET state = 'expired' WHERE id = '` + p.ID + `'`}
		}, []string{" is expired and has a receipt all the same"}},
		"a payment of another amount": {func(p pay.Payment) []string {
			return []string{`UPDATE payments SET amount = amount - 1 WHERE id = '` + p.ID + `'`}
		}, []string{" is of 9857 cents and was charged 9858 (pi_1)"}},
		"a payment of another PaymentIntent": {func(p pay.Payment) []string {
			return []string{`UPDATE payments SET intent_id = 'pi_9' WHERE id = '` + p.ID + `'`}
		},
			[]string{"(receipt pi_1) is the receipt of a PaymentIntent that payment", "was charged 9858 cents (pi_9), and has no receipt"}},
		"a payment charged another sum": {func(p pay.Payment) []string {
			return []string{`UPDATE payments SET charged = charged + 1, amount = amount + 1 WHERE id = '` + p.ID + `'`}
		}, []string{" was charged 9859 cents and its receipt is of 9858 (receipt pi_1)"}},
		"a refund that is not booked": {func(p pay.Payment) []string {
			return []string{`UPDATE payments SET given_back = 100 WHERE id = '` + p.ID + `'`,
				`INSERT INTO refunds (id, payment_id, stripe_id, amount, state, why, by_kind, by_id, code, asked_ms, ended_ms, cleared_ms) VALUES ('r', '` + p.ID + `', 're_1', 100, 'succeeded', '', '', '', '', 1, 1, 0)`}
		}, []string{" has given 100 cents back, and the books have 0 of the 9858", "refund re_1 of 100 cents (succeeded) is not in the books"}},
		"a payment paid by nobody": {func(pay.Payment) []string {
			return []string{`UPDATE payments SET state = 'paid', intent_id = 'pi_7' WHERE state = 'open'`}
		}, []string{"was charged 0 cents (pi_7), and has no receipt", " cents and was charged 0 (pi_7)"}},
		"an invoice's line is changed": {func(pay.Payment) []string {
			return []string{`UPDATE invoice_lines SET amount = 1 WHERE invoice_id = 'inv-pi_1'`}
		},
			[]string{"invoice inv-pi_1 (1) has a subtotal of 9858 cents, and its lines sum up to 1"}},
		"an invoice's lines are taken away": {func(pay.Payment) []string { return []string{`DELETE FROM invoice_lines WHERE invoice_id = 'inv-pi_1'`} }, []string{"its lines sum up to 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(b *books) {
				p := b.paid("100042", "veh_dana_civic", "pi_1")
				b.paid("100047", "veh_hal_outback", "pi_2")
				b.sent("100049", "veh_paul_ram")
				b.tamper(c.does(p)...)
				v, said := b.verify(nil)
				b.says(said, c.want...)
				if v.Payments != 3 || v.Invoices != 10 {
					b.Errorf("%+v", v)
				}
			})
		})
	}
}

func TestAGuardThatIsGoneIsNamed(t *testing.T) {
	onBoth(t, func(b *books) {
		drop, want := `DROP TRIGGER postings_no_update`, "trigger postings_no_update is missing"
		if b.postgres() {
			drop, want = `ALTER TABLE postings DISABLE TRIGGER postings_append_only`, "trigger postings_append_only is missing"
		}
		b.must(b.exec(drop))
		_, said := b.verify(nil)
		b.says(said, want)
	})
}

// TestChainsHaveNoGapAndNoForkWhoeverWrites: two instances, acts and mere entries, chains of their own and one for all, two chains in one act in either order. Nobody has to begin again.
func TestChainsHaveNoGapAndNoForkWhoeverWrites(t *testing.T) {
	onBoth(t, func(b *books) {
		second := b.open()
		defer func() { b.must(second.Close()) }()
		payments := []pay.Payment{b.sent("100042", "veh_dana_civic"), b.sent("100047", "veh_hal_outback"), b.sent("100043", "veh_marcus_f150")}
		writers, each := []*sqldb.DB{b.DB, second, b.DB, second}, 10
		if !b.postgres() { // they come one after the other, and must have come before one of them gives up
			writers, each = writers[:2], 5
		}
		var decided atomic.Int64
		var wg sync.WaitGroup
		for i, db := range writers {
			for _, p := range payments {
				wg.Go(func() {
					for range each {
						err := db.Apply(b.ctx, p.ID, func(v pay.View) (pay.Change, error) {
							decided.Add(1)
							c := pay.Change{Life: v.Payment.Life}
							c.Life.Looks++
							for _, clientID := range []string{p.ClientID, "100042", "", "100047"} {
								c.Trail = append(c.Trail, trail.Entry{ID: newID(), At: began, Act: "look", Object: p.ID, ClientID: clientID})
							}
							if i%2 == 1 {
								slices.Reverse(c.Trail)
							}
							return c, nil
						})
						if err != nil {
							b.Error(err)
						}
					}
				})
			}
			for _, clientID := range []string{"", "100043", "100051"} {
				wg.Go(func() {
					for range each {
						if err := db.Write(b.ctx, trail.Entry{ID: newID(), At: began, Act: "sign in", ClientID: clientID}); err != nil {
							b.Error(err)
						}
					}
				})
			}
		}
		wg.Wait()
		v, said := b.verify(nil)
		b.says(said)
		if want := int64(3 + len(writers)*each*(3*4+3)); v.Rows != want || v.Chains != 5 {
			b.Errorf("%d rows in %d chains, want %d", v.Rows, v.Chains, want)
		}
		if n, acts := int(decided.Load()), len(writers)*len(payments)*each; n != acts {
			b.Errorf("%d decisions for %d acts: somebody waited for somebody who waited", n, acts)
		}
	})
}

// BenchmarkVerify reads a hundred thousand rows.
func BenchmarkVerify(b *testing.B) {
	onEach(b, func(s *books, b *testing.B) {
		p := s.sent("100042", "veh_dana_civic")
		for range 100 {
			s.must(s.change(p.ID, func(_ pay.View, c *pay.Change) {
				for i := range 1000 {
					c.Trail = append(c.Trail, trail.Entry{ID: newID(), At: began, Actor: trail.Actor{Kind: trail.Staff, ID: "staff-agent"}, Act: "look", Object: p.ID, ClientID: fmt.Sprintf("client-%d", i), Detail: "as long as such a thing usually is"})
				}
			}))
		}
		for b.Loop() {
			if v, said := s.verify(nil); v.Rows != 100_001 || len(said) > 0 {
				b.Fatal(v, said)
			}
		}
	})
}
