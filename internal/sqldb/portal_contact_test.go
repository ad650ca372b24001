package sqldb_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/phone"
	"paylink/internal/post"
	"paylink/internal/trail"
)

func (b *books) byClient(clientID, act string) trail.Entry {
	return trail.Entry{ID: newID(), At: b.clock(), Actor: trail.Actor{Kind: trail.Client, ID: clientID}, Act: act, Object: clientID, ClientID: clientID}
}

func (b *books) letterTo(clientID, address string) *post.Letter {
	return &post.Letter{ID: newID(), ClientID: clientID, Kind: post.Changed, To: address, CreatedAt: b.clock(), NextAt: b.clock()}
}

func TestACodeMakesANumberTheClientsOnce(t *testing.T) {
	onBoth(t, func(b *books) {
		const dana, number = "100042", "+18045550171"
		challenge := func(way account.Way, target, code string) {
			b.must(b.Challenge(b.ctx, account.Challenge{ClientID: dana, Way: way, Target: target, MadeAt: b.clock()}, code, b.byClient(dana, "ask"), b.letterTo(dana, "x@new.interlane.example"), nil))
		}
		meet := func(way account.Way, code string) error {
			return b.MeetChallenge(b.ctx, dana, way, code, b.byClient(dana, "change"), b.letterTo(dana, "old@clients.interlane.example"))
		}
		if err := meet(account.ByPhone, "123456"); !errors.Is(err, account.ErrCodeOver) {
			t.Errorf("no code: %v", err)
		}
		challenge(account.ByMail, "dana@new.interlane.example", "abcdefgh")
		challenge(account.ByPhone, "+18045550170", "111111")
		challenge(account.ByPhone, number, "222222")
		if n := b.count(`SELECT COUNT(*) FROM client_tokens WHERE kind = 'phone' AND used_ms = 0`); n != 1 {
			t.Errorf("%d codes are good for a number", n)
		}
		if n, err := b.Challenged(b.ctx, dana, began.Add(-time.Minute)); err != nil || n != 3 {
			t.Errorf("%d codes were sent: %v", n, err)
		}
		if err := meet(account.ByPhone, "111111"); !errors.Is(err, account.ErrCode) {
			t.Errorf("the code that was replaced: %v", err)
		}
		b.told()
		// Of many at once one gets through.
		var came sync.WaitGroup
		var results [6]error
		for i := range results {
			came.Go(func() { results[i] = meet(account.ByPhone, "222222") })
		}
		came.Wait()
		won := 0
		for _, err := range results {
			if err == nil {
				won++
			} else if !errors.Is(err, account.ErrCodeOver) {
				t.Errorf("a second one gets %v", err)
			}
		}
		c, _, err := b.Client(b.ctx, dana)
		b.must(err)
		if told := b.told(); won != 1 || c.Phone.E164() != number || c.Email == "dana@new.interlane.example" || len(told) == 0 {
			t.Errorf("%d got through, the number is %v, told %v", won, c.Phone, told)
		}
		found, err := b.SearchClients(b.ctx, "804 555 0171", phone.Number{}, nil, 5) // as it is typed, by its beginning
		if err != nil || len(found) != 1 || found[0].ID != dana {
			t.Errorf("by the new number there is %v (%v)", found, err)
		}
		for range account.CodeTries {
			if err := meet(account.ByMail, "wrong"); !errors.Is(err, account.ErrCode) {
				t.Errorf("a wrong one: %v", err)
			}
		}
		if err := meet(account.ByMail, "abcdefgh"); !errors.Is(err, account.ErrCodeOver) {
			t.Errorf("after five wrong ones: %v", err)
		}
		challenge(account.ByMail, "dana@new.interlane.example", "bcdefghi")
		b.pass(time.Hour) // to the millisecond
		if err := meet(account.ByMail, "bcdefghi"); !errors.Is(err, account.ErrCodeOver) {
			t.Errorf("after an hour: %v", err)
		}
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'change' AND refused = ''`); n != 1 {
			t.Errorf("%d changes are in the trail", n)
		}
		if n := b.count(`SELECT COUNT(*) FROM letters WHERE address = 'old@clients.interlane.example'`); n != 1 {
			t.Errorf("%d letters tell of it", n)
		}
	})
}

func TestWhatAClientWishesOfTextsAndWhatTheCarrierBlocksAreTwoThings(t *testing.T) {
	onBoth(t, func(b *books) {
		c, _, err := b.Client(b.ctx, "100042")
		b.must(err)
		set := func(on, changed, blocked bool) {
			t.Helper()
			gotChanged, gotBlocked, err := b.SetTexts(b.ctx, c, on, b.byClient(c.ID, "wish"), nil)
			if err != nil || gotChanged != changed || gotBlocked != blocked {
				t.Errorf("texts %v: changed %v, blocked %v, %v", on, gotChanged, gotBlocked, err)
			}
		}
		set(true, false, false)
		set(false, true, false)
		set(false, false, false)
		set(true, true, false)
		set(false, true, false)
		b.must(b.OptOut(b.ctx, c.Phone.E164()))
		b.must(b.OptOut(b.ctx, c.Phone.E164()))
		set(true, false, true)
		if out, blocked, err := b.TextsTo(b.ctx, c.Phone); err != nil || !out || !blocked {
			t.Errorf("out %v, blocked %v, %v", out, blocked, err)
		}
		b.must(b.OptIn(b.ctx, c.Phone.E164()))
		if out, _, err := b.TextsTo(b.ctx, c.Phone); err != nil || out {
			t.Errorf("after START: %v, %v", out, err)
		}
		if own, carriers := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'wish'`), b.count(`SELECT COUNT(*) FROM trail WHERE act = 'opt out of texts'`); own != 3 || carriers != 1 {
			t.Errorf("the trail has %d wishes and %d STOPs", own, carriers)
		}
	})
}

func TestAPlateIsChangedFromTheOneThatWasSeen(t *testing.T) {
	onBoth(t, func(b *books) {
		has, to := account.Plate{Number: "ABC-1234", State: "VA"}, account.Plate{Number: "XYZ 90", State: "MD"}
		set := func(clientID string, seen, to account.Plate) (bool, error) {
			return b.SetPlate(b.ctx, clientID, seen, to, "veh_dana_civic", b.byClient("100042", "plate"), nil)
		}
		if _, err := set("100043", has, to); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("another client's: %v", err)
		}
		if _, err := set("100042", to, account.Plate{Number: "N", State: "VA"}); !errors.Is(err, account.ErrChanged) {
			t.Errorf("one that it has not: %v", err)
		}
		for _, want := range []bool{true, false} {
			if changed, err := set("100042", has, to); err != nil || changed != want {
				t.Errorf("changed %v, %v", changed, err)
			}
		}
		if found, err := b.SearchClients(b.ctx, "XYZ90", phone.Number{}, nil, 5); err != nil || len(found) != 1 || found[0].ID != "100042" {
			t.Errorf("by the new plate there is %v (%v)", found, err)
		}
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'plate'`); n != 1 {
			t.Errorf("the trail has %d", n)
		}
	})
}
