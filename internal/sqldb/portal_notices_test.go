package sqldb_test

import (
	"testing"

	"paylink/internal/account"
	"paylink/internal/desk/client"
	"paylink/internal/pay"
	"paylink/internal/trail"
)

func TestNoticesAreAClientsOwnWithTheirFacts(t *testing.T) {
	onBoth(t, func(b *books) {
		p := b.sent("100042", "veh_dana_civic")
		for i, act := range []string{"payment paid", "see nothing", client.NewBrowser} {
			object := p.ID
			if i > 0 {
				object = "100042"
			}
			b.must(b.Write(b.ctx, trail.Entry{ID: newID(), At: b.clock(), Actor: trail.BySystem, Act: act, Object: object, ClientID: "100042", Detail: "Chrome, Android"}))
		}
		b.must(b.Write(b.ctx, trail.Entry{ID: newID(), At: b.clock(), Actor: trail.BySystem, Act: "payment paid", ClientID: "100042", Refused: "no"}))
		b.must(b.Write(b.ctx, trail.Entry{ID: newID(), At: b.clock(), Actor: trail.BySystem, Act: "payment paid", Object: p.ID, ClientID: "100043"}))
		acts := []string{"payment paid", client.NewBrowser}
		list, err := b.Notices(b.ctx, "100042", acts, 0, 0, 10)
		b.must(err)
		if len(list) != 2 || list[0].Browser != "Chrome, Android" || list[1].Browser != "" || list[1].Amount != p.Amount() || list[1].Vehicle != "2016 Honda Civic" || list[1].Door != pay.ByLink || list[1].Payment != p.ID {
			b.Fatalf("%+v", list)
		}
		if others, err := b.Notices(b.ctx, "100043", acts, 0, 0, 10); err != nil || len(others) != 1 || others[0].Payment != "" || others[0].Amount != 0 {
			b.Errorf("an entry that names another's payment tells of it: %+v %v", others, err)
		}
		if older, err := b.Notices(b.ctx, "100042", acts, list[0].N, 0, 10); err != nil || len(older) != 1 || older[0].N != list[1].N {
			b.Errorf("older are %+v, %v", older, err)
		}
		if newer, err := b.Notices(b.ctx, "100042", acts, 0, list[1].N, 10); err != nil || len(newer) != 1 || newer[0].N != list[0].N {
			b.Errorf("newer are %+v, %v", newer, err)
		}
		for _, c := range []struct{ upTo, want int64 }{{list[1].N, list[1].N}, {1 << 40, list[1].N}, {list[0].N, list[0].N}, {1, list[0].N}} {
			b.must(b.ReadNotices(b.ctx, "100042", c.upTo))
			if a, err := b.Access(b.ctx, "100042"); err != nil || a.Read != c.want {
				b.Errorf("read up to %d: %d is noted, want %d, %v", c.upTo, a.Read, c.want, err)
			}
		}
	})
}

func TestABrowserThatAClientHasNotUsedBeforeIsWrittenDown(t *testing.T) {
	onBoth(t, func(b *books) {
		for i, browser := range []string{"Chrome, Android", "Chrome, Android", "Firefox, Linux", "Firefox, Linux"} {
			e := trail.Entry{ID: newID(), At: b.clock(), Actor: trail.Actor{Kind: trail.Client, ID: "100042"}, Act: "sign in", ClientID: "100042"}
			unknown := e
			unknown.ID, unknown.Act, unknown.Detail = newID(), client.NewBrowser, browser
			b.must(b.OpenSession(b.ctx, account.Session{ID: newID(), ClientID: "100042", BeganAt: b.clock(), SeenAt: b.clock(), Browser: browser}, newID(), e, unknown))
			want := 0
			if i >= 2 {
				want = 1
			}
			if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = '` + client.NewBrowser + `' AND detail = 'Firefox, Linux'`); n != want {
				b.Errorf("after %d sign-ins there are %d such entries, want %d", i+1, n, want)
			}
		}
		bill := b.fees("100042", "veh_dana_civic", "VA-RIC", "Missed appointment")
		if _, err := b.BillOf(b.ctx, "100042", bill.ID); err != nil {
			b.Error(err)
		}
		if _, err := b.BillOf(b.ctx, "100043", bill.ID); err != account.ErrNotFound {
			b.Errorf("another's invoice gives %v", err)
		}
	})
}
