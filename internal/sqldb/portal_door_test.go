package sqldb_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/desk/agent"
	"paylink/internal/desk/client"
	"paylink/internal/post"
	"paylink/internal/trail"
)

func invitation(clientID, form string, sure bool) agent.Invitation {
	by := trail.Actor{Kind: trail.Staff, ID: "staff-agent"}
	return agent.Invitation{
		ClientID: clientID, Hash: "hash of " + form, Sure: sure,
		Letter: post.Letter{ID: "letter " + form, ClientID: clientID, Kind: post.Invitation, Language: "en", To: "a@clients.interlane.example", Values: map[string]string{"id": clientID}, Secret: "secret of " + form},
		Note:   account.Note{ID: "note " + form, ClientID: clientID, By: by, Text: "Invited."},
		Trail:  trail.Entry{ID: newID(), Actor: by, Act: "invite to My Account", Object: clientID, ClientID: clientID},
	}
}

func TestAFormThatIsSentManyTimesInvitesOnce(t *testing.T) {
	onBoth(t, func(b *books) {
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				if err := b.Invite(b.ctx, invitation("100053", "one", false)); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
		if n := b.count(`SELECT COUNT(*) FROM letters`)*100 + b.count(`SELECT COUNT(*) FROM notes WHERE text = 'Invited.'`)*10 + b.count(`SELECT COUNT(*) FROM trail WHERE act = 'invite to My Account'`); n != 111 {
			b.Errorf("letters, notes and entries: %d", n)
		}
		a, err := b.Access(b.ctx, "100053")
		b.must(err)
		if !a.MustChange || a.PasswordHash != "hash of one" || !a.PasswordAt.Equal(b.clock()) {
			b.Errorf("%+v", a)
		}

		// A password of the client's own is replaced only where somebody is sure, and a letter that has not left stays here.
		_, err = b.SetAccess(b.ctx, "100053", "own", trail.Entry{ID: newID(), Act: "change password", ClientID: "100053"}, nil)
		b.must(err)
		if err := b.Invite(b.ctx, invitation("100053", "two", false)); !errors.Is(err, agent.ErrHasAccess) {
			b.Errorf("not sure: %v", err)
		}
		b.must(b.Invite(b.ctx, invitation("100053", "three", true)))
		if n := b.count(`SELECT COUNT(*) FROM letters WHERE state = 'waiting' AND box <> ''`); n != 1 {
			b.Errorf("%d letters wait", n)
		}
		for i := range 4 {
			err = b.Invite(b.ctx, invitation("100053", fmt.Sprint(i), true))
		}
		if !errors.Is(err, agent.ErrInvitedOften) {
			b.Errorf("the sixth in a day: %v", err)
		}
		if err := b.Invite(b.ctx, invitation("999999", "nobody", true)); !errors.Is(err, account.ErrNotFound) {
			b.Errorf("nobody: %v", err)
		}
	})
}

func TestALinkToChooseAPasswordIsUsedByOneOfMany(t *testing.T) {
	onBoth(t, func(b *books) {
		ask := func(digest string) client.Reset {
			return client.Reset{
				ClientID: "100042", Digest: digest, Most: 3, Trail: trail.Entry{ID: newID(), Act: "ask for a new password", ClientID: "100042"},
				Letter: post.Letter{ID: newID(), ClientID: "100042", Kind: post.Reset, Language: "en", To: "a@clients.interlane.example", Secret: digest, CreatedAt: b.clock(), NextAt: b.clock()},
			}
		}
		b.must(b.AddReset(b.ctx, ask("first")))
		b.must(b.AddReset(b.ctx, ask("second")))
		since := b.clock().Add(-time.Minute)
		if _, err := b.ResetOf(b.ctx, "first", since); !errors.Is(err, account.ErrNotFound) {
			b.Errorf("one that has a newer one: %v", err)
		}
		if id, err := b.ResetOf(b.ctx, "second", since); err != nil || id != "100042" {
			b.Errorf("%s, %v", id, err)
		}
		if _, err := b.ResetOf(b.ctx, "second", b.clock()); !errors.Is(err, account.ErrNotFound) {
			b.Errorf("one that is too old: %v", err)
		}
		if n := b.count(`SELECT COUNT(*) FROM letters WHERE state = 'waiting'`); n != 1 {
			b.Errorf("%d letters wait, want the last", n)
		}
		var used atomic.Int64
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				told := post.PasswordChanged.Letter(post.Letter{ID: newID(), ClientID: "100042", Language: "en", To: "a@clients.interlane.example", CreatedAt: b.clock()}, "")
				err := b.UseReset(b.ctx, "second", since, fmt.Sprint("hash ", i), trail.Entry{ID: newID(), Act: "reset password", ClientID: "100042"}, told)
				if err == nil {
					used.Add(1)
				} else if !errors.Is(err, account.ErrNotFound) {
					b.Error(err)
				}
			})
		}
		all.Wait()
		if n := b.count(`SELECT COUNT(*) FROM letters WHERE kind = 'changed'`); used.Load() != 1 || n != 1 {
			b.Errorf("used %d times, told %d times", used.Load(), n)
		}
		b.must(b.AddReset(b.ctx, ask("third")))
		b.must(b.AddReset(b.ctx, ask("fourth"))) // one too many in a day
		if n := b.count(`SELECT COUNT(*) FROM trail WHERE act = 'ask for a new password' AND refused <> ''`); n != 1 || b.count(`SELECT COUNT(*) FROM client_tokens WHERE digest = 'fourth'`) != 0 {
			b.Errorf("%d refusals", n)
		}
	})
}
