package sqldb_test

import (
	"fmt"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/trail"
)

func TestNotesAreReadNewestFirstAndKeptOnce(t *testing.T) {
	onBoth(t, func(b *books) {
		write := func(id, client string) {
			n := account.Note{ID: id, ClientID: client, By: trail.Actor{Kind: trail.Staff, ID: "staff-agent"}, Text: "Called.\nWill pay on Friday: " + id}
			b.must(b.AddNote(b.ctx, n, trail.Entry{ID: newID(), Actor: n.By, Act: "write note", Object: id, ClientID: client}))
		}
		for i := range 5 {
			if i != 3 { // the third and fourth are of one moment
				b.pass(time.Second)
			}
			write(fmt.Sprint("note-", i), "100042")
		}
		write("note-4", "100042") // sent twice
		write("other", "100043")
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'write note'`); n != 6 {
			b.Errorf("%d entries in the trail", n)
		}
		var read []string
		for after := ""; ; after = read[len(read)-1] {
			page, err := b.Notes(b.ctx, "100042", after, 2)
			b.must(err)
			for _, n := range page {
				read = append(read, n.ID)
			}
			if len(page) < 2 {
				break
			}
		}
		if got := fmt.Sprint(read); got != "[note-4 note-3 note-2 note-1 note-0]" {
			b.Errorf("they read %s", got)
		}
		first, err := b.Notes(b.ctx, "100042", "", 1)
		b.must(err)
		if n := first[0]; !n.At.Equal(b.clock()) || n.By.ID != "staff-agent" || n.Text != "Called.\nWill pay on Friday: note-4" {
			b.Errorf("it reads %+v", n)
		}
		if page, err := b.Notes(b.ctx, "100042", "other", 2); err != nil || len(page) != 0 {
			b.Errorf("a place in another client's list gives %v, %v", page, err)
		}
	})
}
