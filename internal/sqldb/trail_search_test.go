package sqldb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"paylink/internal/demo"
	"paylink/internal/desk/office"
	"paylink/internal/trail"
)

func TestTheTrailIsFoundByWhateverIsAskedFor(t *testing.T) {
	onBoth(t, func(b *books) {
		for _, m := range demo.Staff() {
			b.must(b.AddMember(b.ctx, m))
		}
		p := b.sent("100042", "veh_dana_civic")
		write := func(id, who, act, object, client, refused string, at time.Time) {
			b.must(b.Write(b.ctx, trail.Entry{ID: id, At: at, Actor: trail.Actor{Kind: trail.Staff, ID: who}, Act: act, Object: object, ClientID: client, Refused: refused}))
		}
		day := time.Date(2025, 3, 2, 0, 0, 0, 0, time.UTC) // before everything else
		write("t1", "w1", "see", "o1", "c1", "", day)
		write("t2", "w1", "do", "o2", "c1", "no", day)
		write("t3", "w2", "do", "o1", "c2", "", day.Add(time.Hour))
		write("t4", "w2", "see", "o2", "c2", "no", day.Add(24*time.Hour))
		before := day.Add(48 * time.Hour)
		for i, c := range []struct {
			q    office.TrailQuery
			most int
			want string
		}{
			{office.TrailQuery{To: before}, 9, "t4 t3 t2 t1"},
			{office.TrailQuery{To: before}, 2, "t4 t3"},
			{office.TrailQuery{To: before, Before: office.Place{At: day.Add(time.Hour), ID: "t3"}}, 9, "t2 t1"},
			{office.TrailQuery{To: before, Before: office.Place{At: day, ID: "t2"}}, 9, "t1"},
			{office.TrailQuery{ActorID: "w1"}, 9, "t2 t1"},
			{office.TrailQuery{ClientID: "c2"}, 9, "t4 t3"},
			{office.TrailQuery{Act: "do"}, 9, "t3 t2"},
			{office.TrailQuery{Objects: []string{"o1"}}, 9, "t3 t1"},
			{office.TrailQuery{Objects: []string{"o1", "o2"}, Refused: true}, 9, "t4 t2"},
			{office.TrailQuery{From: day.Add(time.Minute), To: day.Add(24 * time.Hour)}, 9, "t3"},
			{office.TrailQuery{ActorID: "w1", Act: "do", ClientID: "c1", Refused: true, From: day, To: before}, 9, "t2"},
			{office.TrailQuery{ActorID: "w3"}, 9, ""},
		} {
			found, err := b.SearchTrail(b.ctx, c.q, c.most)
			b.must(err)
			var ids []string
			for _, e := range found {
				ids = append(ids, e.ID)
			}
			if got := strings.Join(ids, " "); got != c.want {
				b.Errorf("%d: %q, want %q", i, got, c.want)
			}
		}
		acts, err := b.Acts(b.ctx)
		b.must(err)
		if !slices.IsSorted(acts) || !slices.Contains(acts, "do") || !slices.Contains(acts, "see") || len(slices.Compact(slices.Clone(acts))) != len(acts) {
			b.Errorf("the acts are %q", acts)
		}
		for words, want := range map[string]string{"agent": "agent", "J. ORTIZ": "agent", "staff-lead": "lead", "castell": "lead", "zzz": "", "%": "", "_": ""} {
			found, err := b.StaffCalled(b.ctx, words, 20)
			b.must(err)
			var logins []string
			for _, m := range found {
				logins = append(logins, m.Login)
			}
			slices.Sort(logins)
			if got := strings.Join(logins, " "); got != want {
				b.Errorf("%q finds %q, want %q", words, got, want)
			}
		}
		things, err := b.Things(b.ctx, []string{p.ID, p.Reference(), "100042", "veh_dana_civic", "staff-agent", "nothing"})
		b.must(err)
		want := map[string]office.Thing{
			p.ID: {Kind: office.APayment, ID: p.ID, Name: p.Reference()}, p.Reference(): {Kind: office.APayment, ID: p.ID, Name: p.Reference()}, "100042": {Kind: office.AClient, ID: "100042", Name: "Dana Whitfield"},
			"veh_dana_civic": {Kind: office.AVehicle, ID: "veh_dana_civic", Name: "2016 Honda Civic"}, "staff-agent": {Kind: office.AMember, ID: "staff-agent", Name: "J. Ortiz"},
		}
		if fmt.Sprint(things) != fmt.Sprint(want) {
			b.Errorf("%v, want %v", things, want)
		}
	})
}
