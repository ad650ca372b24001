package sqldb_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/trail"
)

func onFile(id, method string) account.Card {
	return account.Card{
		ID: id, ClientID: "100042", Customer: "cus_" + id, PaymentMethod: method, Brand: "visa", Last4: "4242", Funding: "credit", ExpMonth: 8, ExpYear: 2027, TermsVersion: "1", TermsLanguage: "en",
	}
}

func TestCardsOnFileHaveOneMainCard(t *testing.T) {
	onBoth(t, func(b *books) {
		add := func(c account.Card) error {
			b.pass(time.Second)
			return b.AddCard(b.ctx, c, trail.Entry{ID: newID(), Actor: trail.Actor{Kind: trail.Client, ID: c.ClientID}, Act: "add card"})
		}
		listed := func() (ids []string) {
			cards, err := b.Cards(b.ctx, "100042")
			b.must(err)
			for i, c := range cards {
				if c.Main != (i == 0) {
					b.Errorf("%s, number %d of the list: main is %t", c.ID, i, c.Main)
				}
				ids = append(ids, c.ID)
			}
			return ids
		}
		b.must(add(onFile("b", "pm_b"))) // the first is the main one, unasked
		b.must(add(onFile("a", "pm_a")))
		if got := listed(); !slices.Equal(got, []string{"b", "a"}) {
			b.Errorf("listed %v", got)
		}
		third := onFile("c", "pm_c")
		third.Main = true
		b.must(add(third))
		if got := listed(); !slices.Equal(got, []string{"c", "b", "a"}) {
			b.Errorf("listed %v", got)
		}
		if err := add(onFile("d", "pm_a")); !errors.Is(err, account.ErrSameCard) {
			b.Errorf("a payment method on two cards: %v", err)
		}
		nobody := onFile("e", "pm_e")
		nobody.ClientID = "999999"
		if err := add(nobody); !errors.Is(err, account.ErrNotFound) {
			b.Errorf("a card of nobody: %v", err)
		}
		before, err := b.Card(b.ctx, "a")
		b.must(err)
		fresh := onFile("a", "pm_a2")
		fresh.ExpYear, fresh.Main = 2031, true
		b.must(add(fresh))
		got, err := b.Card(b.ctx, "a")
		b.must(err)
		if got.PaymentMethod != "pm_a2" || got.ExpYear != 2031 || !got.AddedAt.Equal(before.AddedAt) || !slices.Equal(listed(), []string{"a", "b", "c"}) {
			b.Errorf("brought up to date: %+v", got)
		}
		b.must(b.exec(`UPDATE cards SET removed_ms = 1, main = 0 WHERE id = 'a'`))
		if got, err := b.Card(b.ctx, "a"); err != nil || got.RemovedAt.IsZero() {
			b.Errorf("a removed card: %+v, %v", got, err)
		}
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'add card' AND client_id = '100042' AND refused = ''`); n != 4 {
			b.Errorf("%d in the trail", n)
		}
		if cards, err := b.Cards(b.ctx, "100042"); err != nil || len(cards) != 2 {
			b.Errorf("%d cards are left, %v", len(cards), err)
		}
		if _, err := b.Card(b.ctx, "none"); !errors.Is(err, account.ErrNotFound) {
			b.Errorf("no card: %v", err)
		}
	})
}

func TestOneCardOfANumberIsOnFile(t *testing.T) {
	onBoth(t, func(b *books) {
		add := func(id, method, fingerprint string) error {
			c := onFile(id, method)
			c.Fingerprint = fingerprint
			return b.AddCard(b.ctx, c, trail.Entry{ID: newID(), Actor: trail.Actor{Kind: trail.Client, ID: c.ClientID}, Act: "add card"})
		}
		b.must(add("a", "pm_a", "number"))
		b.must(add("b", "pm_b", ""))
		b.must(add("c", "pm_c", "")) // not known, and told apart by nothing
		if err := add("d", "pm_d", "number"); !errors.Is(err, account.ErrSameCard) {
			b.Errorf("the same number again: %v", err)
		}
		b.must(b.exec(`UPDATE cards SET removed_ms = 1, main = 0 WHERE id = 'a'`))
		b.must(add("d", "pm_d", "number")) // the other was removed
	})
}
