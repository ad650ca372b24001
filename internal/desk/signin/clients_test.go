package signin_test

import (
	"strings"
	"testing"

	"paylink/internal/account"
	"paylink/internal/demo"
	"paylink/internal/desk/signin"
	"paylink/internal/staff"
)

func (b *bench) client(id string) account.Client {
	b.Helper()
	c, _, err := b.db.Client(b.ctx, id)
	b.must(err)
	return c
}

func (k *key) addedForClient(c account.Client, name string) *key {
	k.b.Helper()
	asked, err := k.b.desk.BeginAddingForClient(k.b.ctx, c, here)
	k.b.must(err)
	k.b.must(k.b.desk.AddClientPasskey(k.b.ctx, c, asked.Kept, k.makes(asked), name))
	return k
}

// enters signs in to My Account by a key.
func (k *key) enters() (string, error) {
	k.b.Helper()
	c, err := k.b.desk.BeginPasskey(k.b.ctx, here)
	k.b.must(err)
	return k.b.desk.ClientPasskey(k.b.ctx, c.Kept, k.signs(c), here)
}

func TestAClientsPasskeyOpensTheClientsDoorAlone(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.must(b.db.Import(b.ctx, demo.Data(b.clock())))
		dana, marcus := b.client("100042"), b.client("100043")
		hers, agents := b.newKey().addedForClient(dana, "My phone"), b.newKey().addedFor(b.as(staff.Agent), "Work laptop")
		id, err := hers.enters()
		b.must(err)
		if id != dana.ID {
			b.Errorf("%s is in", id)
		}
		_, err = agents.enters()
		b.is(err, signin.ErrPasskey)
		_, err = hers.in(nil)
		b.is(err, signin.ErrPasskey)
		weak := *hers
		weak.flags = 0x01 // touched by somebody, and nobody knows by whom
		_, err = weak.enters()
		b.is(err, signin.ErrPasskey)

		b.is(b.desk.RemoveClientPasskey(b.ctx, marcus, text(hers.id)), signin.ErrPasskey)
		if list, err := b.desk.ClientPasskeys(b.ctx, dana); err != nil || len(list) != 1 || list[0].Name != "My phone" {
			b.Errorf("%v, %v", list, err)
		}
		if list, err := b.desk.ClientPasskeys(b.ctx, marcus); err != nil || len(list) != 0 {
			b.Errorf("another client has %v, %v", list, err)
		}
		b.must(b.desk.RemoveClientPasskey(b.ctx, dana, text(hers.id)))
		_, err = hers.enters()
		b.is(err, signin.ErrPasskey)
		told := strings.Join(b.read(`SELECT said FROM letters WHERE client_id = '100042' AND kind = 'changed' ORDER BY created_ms, said`), "\n")
		if !strings.Contains(told, "A passkey was added: My phone.") || !strings.Contains(told, "A passkey was removed: My phone.") || len(b.read(`SELECT id FROM letters`)) != 2 {
			b.Errorf("the letters say\n%s", told)
		}
		if n := len(b.read(`SELECT id FROM trail WHERE client_id = '100042' AND actor_kind = 'client' AND act IN ('add passkey', 'remove passkey') AND refused = ''`)); n != 2 {
			b.Errorf("%d entries in the client's trail", n)
		}
	})
}
