package sqldb_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/pay"
	"paylink/internal/trail"
	"paylink/internal/wallet"
)

func TestACardIsDecidedAboutUnderTheAccountsLock(t *testing.T) {
	onBoth(t, func(b *books) {
		e := func() trail.Entry {
			return trail.Entry{ID: newID(), At: b.clock(), Actor: trail.BySystem, Act: "set up card", Object: "seti_1", ClientID: "100042"}
		}
		s := wallet.Setup{ID: "seti_1", ClientID: "100042", Customer: "cus_1", TermsVersion: "card-1", TermsLanguage: "es", Address: "192.0.2.7", UserAgent: "a browser", AgreedAt: b.clock(), State: wallet.Open}
		b.must(b.AddSetup(b.ctx, s, e()))
		if got, err := b.Setup(b.ctx, "seti_1"); err != nil || got != s {
			b.Errorf("kept as %+v, %v", got, err)
		}
		if err := b.DecideCards(b.ctx, "100043", "seti_1", func(wallet.Holding) (wallet.Change, error) { return wallet.Change{}, nil }); !errors.Is(err, account.ErrNotFound) {
			b.Errorf("another’s setup: %v", err)
		}

		// Eight at once keep it; each sees what the one before has done.
		var all sync.WaitGroup
		var mu sync.Mutex
		added := 0
		for range 8 {
			all.Go(func() {
				did := false
				err := b.DecideCards(b.ctx, "100042", "seti_1", func(h wallet.Holding) (wallet.Change, error) {
					if did = h.Setup.State == wallet.Open; !did {
						return wallet.Change{}, nil
					}
					c := onFile(newID(), "pm_1")
					c.SetupID, c.Fingerprint, c.Main, c.AddedAt = "seti_1", "number", len(h.OnFile()) == 0, h.Now
					h.Setup.State, h.Setup.CardID = wallet.Kept, c.ID
					return wallet.Change{Setup: &h.Setup, Cards: []account.Card{c}, Detach: []string{"pm_old"}, Trail: []trail.Entry{e()}}, nil
				})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					b.Errorf("%v", err)
				}
				if did {
					added++
				}
			})
		}
		all.Wait()
		cards, err := b.Cards(b.ctx, "100042")
		b.must(err)
		if added != 1 || len(cards) != 1 || !cards[0].Main || cards[0].Fingerprint != "number" {
			b.Fatalf("added %d times: %+v", added, cards)
		}

		// The main card changes places with another in one go, whatever the order in which they are told.
		second := onFile("zz", "pm_2")
		second.Main, second.AddedAt = true, b.clock()
		b.must(b.DecideCards(b.ctx, "100042", "", func(h wallet.Holding) (wallet.Change, error) {
			first := h.Cards[0]
			first.Main = false
			return wallet.Change{Cards: []account.Card{second, first}}, nil
		}))
		if cards, err = b.Cards(b.ctx, "100042"); err != nil || cards[0].ID != "zz" || cards[1].Main {
			b.Errorf("the list is %+v, %v", cards, err)
		}
		no := errors.New("no")
		if err := b.DecideCards(b.ctx, "100042", "", func(wallet.Holding) (wallet.Change, error) { return wallet.Change{}, no }); !errors.Is(err, no) {
			b.Errorf("a refusal comes back as %v", err)
		}
	})
}

func TestAClientHasOneCustomerAtStripe(t *testing.T) {
	onBoth(t, func(b *books) {
		has := func(want string, wantN int) {
			b.Helper()
			if got, n, err := b.Customer(b.ctx, "100042"); err != nil || got != want || n != wantN {
				b.Errorf("%q, %d, %v; want %q, %d", got, n, err, want, wantN)
			}
		}
		has("", 0)
		b.must(b.AddCard(b.ctx, onFile("a", "pm_a"), trail.Entry{ID: newID(), Actor: trail.BySystem, Act: "add card"}))
		has("cus_a", 0) // that of the cards that are there
		for _, made := range []string{"cus_1", "cus_2"} {
			if kept, err := b.KeepCustomer(b.ctx, "100042", made); err != nil || kept != "cus_1" {
				b.Errorf("%s: kept %s, %v", made, kept, err)
			}
		}
		for customer, want := range map[string]string{"cus_1": "100042", "cus_a": "100042", "cus_nobody": ""} {
			if whose, err := b.ForgetCustomer(b.ctx, customer); err != nil || whose != want {
				b.Errorf("%s was %q’s, %v", customer, whose, err)
			}
		}
		has("", 1)
		if kept, err := b.KeepCustomer(b.ctx, "100042", "cus_3"); err != nil || kept != "cus_3" {
			b.Errorf("kept %s, %v", kept, err)
		}
		has("cus_3", 1)
	})
}

func TestWhatIsToBeDoneAboutACardIsDoneByOne(t *testing.T) {
	onBoth(t, func(b *books) {
		look := wallet.Task{Object: "pm_a", Work: wallet.Look}
		hear := func(id string) {
			b.must(b.HearCard(b.ctx, pay.Notice{ID: id, Type: "payment_method.updated", Card: "pm_a", At: b.clock()}))
		}
		due := func() (out []string) {
			tasks, err := b.DueCardTasks(b.ctx, 10)
			b.must(err)
			for _, task := range tasks {
				out = append(out, string(task.Work)+" "+task.Object)
			}
			return out
		}
		take := func(task wallet.Task, want bool) wallet.Task {
			b.Helper()
			taken, ok, err := b.TakeCardTask(b.ctx, task, time.Minute)
			if b.must(err); ok != want {
				b.Errorf("%s %s is taken: %t", task.Work, task.Object, ok)
			}
			return taken
		}
		take(look, false)
		hear("evt_1")
		first := take(look, true)
		take(look, false) // another has it
		hear("evt_1")     // the same event again is no news
		if got := due(); len(got) != 0 {
			b.Errorf("due are %v", got)
		}
		hear("evt_2") // something happened after it was taken: ending it now must not lose that
		b.must(b.EndCardTask(b.ctx, first))
		if got := due(); !slices.Equal(got, []string{"look pm_a"}) {
			b.Errorf("due are %v", got)
		}
		second := take(look, true)
		b.pass(2 * time.Minute) // whoever had it died
		third := take(look, true)
		b.must(b.EndCardTask(b.ctx, second))
		b.pass(2 * time.Minute)
		if got := due(); !slices.Equal(got, []string{"look pm_a"}) {
			b.Errorf("due are %v", got)
		}
		b.must(b.EndCardTask(b.ctx, third))
		if got := due(); len(got) != 0 {
			b.Errorf("due are %v", got)
		}

		// What is on file is never detached.
		b.must(b.AddCard(b.ctx, onFile("a", "pm_a"), trail.Entry{ID: newID(), Actor: trail.BySystem, Act: "add card"}))
		b.must(b.DecideCards(b.ctx, "100042", "", func(wallet.Holding) (wallet.Change, error) { return wallet.Change{Detach: []string{"pm_a"}}, nil }))
		detach := wallet.Task{Object: "pm_a", Work: wallet.Detach}
		take(detach, false)
		b.must(b.exec(`UPDATE cards SET removed_ms = 1, main = 0 WHERE id = 'a'`))
		take(detach, true)
	})
}

func TestCardsThatExpireAreListedUntilTheirClientIsWarned(t *testing.T) {
	onBoth(t, func(b *books) {
		b.must(b.AddCard(b.ctx, onFile("a", "pm_a"), trail.Entry{ID: newID(), Actor: trail.BySystem, Act: "add card"}))
		listed := func(year, month int, want ...string) {
			b.Helper()
			if got, err := b.Expiring(b.ctx, year, month, 10); err != nil || !slices.Equal(got, want) {
				b.Errorf("%d/%d: %v, %v", month, year, got, err)
			}
		}
		listed(2027, 8, "100042")
		listed(2027, 9)
		b.must(b.exec(`UPDATE cards SET warned = 2027 * 12 + 8`))
		listed(2027, 8)
		b.must(b.exec(`UPDATE cards SET exp_year = 2030`))
		listed(2030, 8, "100042") // another date is another warning
	})
}
