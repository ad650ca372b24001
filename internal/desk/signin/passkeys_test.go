package signin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paylink/internal/demo"
	"paylink/internal/desk/signin"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// key is an authenticator with one key, as a browser speaks for it (WebAuthn, 6.1 and 6.5).
type key struct {
	b       *bench
	id      []byte
	private *ecdsa.PrivateKey
	handle  []byte
	origin  string
	counts  uint32 // at its last use; a key that always says 0 counts nothing
	flags   byte   // user present, user verified
}

func (b *bench) newKey() *key {
	b.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	b.must(err)
	id := make([]byte, 16)
	_, err = rand.Read(id)
	b.must(err)
	return &key{b: b, id: id, private: private, origin: "https://desk.example", flags: 0x05}
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (k *key) client(kind, challenge string) []byte {
	b, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": k.origin, "crossOrigin": false})
	k.b.must(err)
	return b
}

func (k *key) data(flags byte) []byte {
	site := sha256.Sum256([]byte("desk.example"))
	return binary.BigEndian.AppendUint32(append(site[:], flags), k.counts)
}

// makes answers a question for a new key.
func (k *key) makes(c signin.Ceremony) []byte {
	k.b.Helper()
	var ask struct {
		Challenge string
		User      struct{ ID string }
	}
	k.b.must(json.Unmarshal(c.Ask, &ask))
	var err error
	k.handle, err = base64.RawURLEncoding.DecodeString(ask.User.ID)
	k.b.must(err)
	public, err := k.private.PublicKey.Bytes()
	k.b.must(err)
	cose := slices.Concat([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, public[1:33], []byte{0x22, 0x58, 32}, public[33:])
	data := slices.Concat(k.data(k.flags|0x40), make([]byte, 16), []byte{0, byte(len(k.id))}, k.id, cose)
	object := slices.Concat([]byte{0xa3, 0x63}, []byte("fmt"), []byte{0x64}, []byte("none"), []byte{0x67}, []byte("attStmt"), []byte{0xa0, 0x68}, []byte("authData"), []byte{0x58, byte(len(data))}, data)
	b, err := json.Marshal(map[string]any{
		"id": text(k.id), "rawId": text(k.id), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{"clientDataJSON": text(k.client("webauthn.create", ask.Challenge)), "attestationObject": text(object), "transports": []string{"internal"}},
	})
	k.b.must(err)
	return b
}

// signs answers a question for a key.
func (k *key) signs(c signin.Ceremony) []byte {
	k.b.Helper()
	var ask struct {
		Challenge        string
		AllowCredentials []any
		UserVerification string
	}
	k.b.must(json.Unmarshal(c.Ask, &ask))
	if len(ask.AllowCredentials) > 0 || ask.UserVerification != "required" {
		k.b.Errorf("a stranger is told %s", c.Ask)
	}
	client, data := k.client("webauthn.get", ask.Challenge), k.data(k.flags)
	sum := sha256.Sum256(client)
	signed := sha256.Sum256(append(slices.Clone(data), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, signed[:])
	k.b.must(err)
	b, err := json.Marshal(map[string]any{
		"id": text(k.id), "rawId": text(k.id), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature), "userHandle": text(k.handle)},
	})
	k.b.must(err)
	return b
}

func (k *key) addedFor(who staff.Member, name string) *key {
	k.b.Helper()
	c, err := k.b.desk.BeginAdding(k.b.ctx, who, here)
	k.b.must(err)
	k.b.must(k.b.desk.AddPasskey(k.b.ctx, who, c.Kept, k.makes(c), name))
	return k
}

// in signs in by a key, after a change to its answer's world.
func (k *key) in(change func()) (staff.Member, error) {
	k.b.Helper()
	c, err := k.b.desk.BeginPasskey(k.b.ctx, here)
	k.b.must(err)
	if change != nil {
		change()
	}
	return k.b.desk.Passkey(k.b.ctx, c.Kept, k.signs(c), here)
}

func TestAPasskeyAloneSignsIn(t *testing.T) {
	onBoth(t, func(b *bench) {
		who := b.as(staff.Agent)
		k := b.newKey().addedFor(who, " Work laptop ")
		m, err := k.in(nil)
		b.must(err)
		if m.ID != who.ID {
			b.Errorf("%s is in", m.ID)
		}
		b.half("agent") // and a password alone is not enough any more
		f, err := b.desk.Factors(b.ctx, who)
		b.must(err)
		if len(f.Passkeys) != 1 || f.Passkeys[0].Name != "Work laptop" || !f.Passkeys[0].Used.Equal(b.clock()) || f.Codes {
			b.Errorf("factors are %+v", f)
		}
		c, err := b.desk.BeginAdding(b.ctx, who, here)
		b.must(err)
		if !strings.Contains(string(c.Ask), text(k.id)) || !strings.Contains(string(c.Ask), `"residentKey":"required"`) || !strings.Contains(string(c.Ask), `"userVerification":"required"`) {
			b.Errorf("a browser is asked %s", c.Ask)
		}
		b.is(b.desk.AddPasskey(b.ctx, b.as(staff.Lead), c.Kept, k.makes(c), "Stolen"), signin.ErrPasskey) // a question that was another's
		k.addedTwice(who)

		b.is(b.desk.RemovePasskey(b.ctx, b.as(staff.Lead), text(k.id)), signin.ErrPasskey)
		recovery, err := b.desk.NewRecovery(b.ctx, who)
		b.must(err)
		b.is(b.second(b.half("agent"), recovery[0]), nil)
		b.is(b.desk.RemovePasskey(b.ctx, who, text(k.id)), nil)
		b.expect("in", "agent", demo.Password, here)
		if len(b.read(`SELECT digest FROM recovery_codes`)) > 0 {
			b.Error("recovery codes are left")
		}
		_, err = k.in(nil)
		b.is(err, signin.ErrPasskey)
		for _, want := range []string{"add passkey||Work laptop", "sign in||by passkey", "remove passkey||Work laptop"} {
			if got := b.acts(who.ID); !strings.Contains(got, want) {
				b.Errorf("the trail does not say %q:\n%s", want, got)
			}
		}
	})
}

func (k *key) addedTwice(who staff.Member) {
	k.b.Helper()
	c, err := k.b.desk.BeginAdding(k.b.ctx, who, here)
	k.b.must(err)
	k.b.is(k.b.desk.AddPasskey(k.b.ctx, who, c.Kept, k.makes(c), "Again"), signin.ErrPasskeyHere)
}

func TestAPasskeyThatIsNotAsItShouldBeIsRefused(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	k := b.newKey()
	k.counts = 7
	k.addedFor(who, "Key")
	k.counts = 8
	_, err := k.in(nil)
	b.must(err)
	refused := map[string]func(k *key){
		"from another site's page":           func(k *key) { k.origin = "https://desk.example.evil.example" },
		"from another port":                  func(k *key) { k.origin = "https://desk.example:8443" },
		"without a fingerprint or a PIN":     func(k *key) { k.flags = 0x01 },
		"that is somebody else's":            func(k *key) { k.handle = []byte("staff:staff-admin") },
		"that nobody has":                    func(k *key) { k.id = []byte("nobody's key 123") },
		"that another key signed for":        func(k *key) { k.private = b.newKey().private },
		"that counts backwards: a copy":      func(k *key) { k.counts = 8 },
		"that has stopped counting: a copy":  func(k *key) { k.counts = 0 },
		"whose owner is of another kind yet": func(k *key) { k.handle = []byte("client:staff-agent") },
	}
	for name, change := range refused {
		bad := *k
		bad.counts = 9
		change(&bad)
		if _, err := bad.in(nil); err == nil || !strings.Contains(err.Error(), signin.ErrPasskey.Error()) {
			t.Errorf("one %s: %v", name, err)
		}
	}
	if got := b.acts(who.ID); strings.Count(got, "it has counted backwards, so there may be a copy of it: Key") != 2 {
		t.Errorf("the trail says\n%s", got)
	}
	k.counts = 9
	_, err = k.in(func() { _, _ = b.raw.ExecContext(b.ctx, `UPDATE staff SET disabled = 1 WHERE id = 'staff-agent'`) })
	b.is(err, signin.ErrPasskey)
}

func TestAChallengeIsGoodOnceForFiveMinutes(t *testing.T) {
	b := start(t)
	k := b.newKey().addedFor(b.as(staff.Agent), "Key")
	c, err := b.desk.BeginPasskey(b.ctx, here)
	b.must(err)
	answer := k.signs(c)
	var in atomic.Int64
	var wg sync.WaitGroup
	for range 4 { // whichever instances they come to
		wg.Go(func() {
			if _, err := b.desk.Passkey(b.ctx, c.Kept, answer, here); err == nil {
				in.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 {
		t.Errorf("it was good %d times", in.Load())
	}
	_, err = b.desk.Passkey(b.ctx, nil, answer, here) // nothing was asked
	b.is(err, signin.ErrOver)
	_, err = k.in(func() { b.pass(5 * time.Minute) })
	b.is(err, signin.ErrOver)
	other, err := b.desk.BeginPasskey(b.ctx, here)
	b.must(err)
	_, err = b.desk.Passkey(b.ctx, other.Kept, answer, here) // an answer to another question
	b.is(err, signin.ErrPasskey)
	_, err = b.desk.Passkey(b.ctx, other.Kept, []byte(`{"id":`), here)
	b.is(err, signin.ErrOver)
}

func TestPasskeysHaveNamesAndAnEnd(t *testing.T) {
	b := start(t)
	who := b.as(staff.Agent)
	for name, want := range map[string]error{"": signin.ErrName, "  ": signin.ErrName, "4242 4242 4242 4242": trail.ErrCardNumber, strings.Repeat("x", 61): trail.ErrTooLong} {
		c, err := b.desk.BeginAdding(b.ctx, who, here)
		b.must(err)
		b.is(b.desk.AddPasskey(b.ctx, who, c.Kept, b.newKey().makes(c), name), want)
	}
	unverified := b.newKey()
	unverified.flags = 0x01
	c, err := b.desk.BeginAdding(b.ctx, who, here)
	b.must(err)
	b.is(b.desk.AddPasskey(b.ctx, who, c.Kept, unverified.makes(c), "Key"), signin.ErrPasskey)
	late, err := b.desk.BeginAdding(b.ctx, who, here)
	b.must(err)
	for range signin.PasskeysMost {
		b.newKey().addedFor(who, "Key")
	}
	b.is(b.desk.AddPasskey(b.ctx, who, late.Kept, b.newKey().makes(late), "One more"), signin.ErrMost)
	_, err = b.desk.BeginAdding(b.ctx, who, here)
	b.is(err, signin.ErrMost)
}

func TestAPasskeyProvesItsOwnerOnly(t *testing.T) {
	b := start(t)
	mine, others := b.newKey().addedFor(b.as(staff.Agent), "Mine"), b.newKey().addedFor(b.as(staff.Lead), "Another’s")
	proves := func(k *key) error {
		c, err := b.desk.BeginPasskey(b.ctx, here)
		b.must(err)
		return b.desk.ProveByPasskey(b.ctx, b.as(staff.Agent), c.Kept, k.signs(c), here)
	}
	b.is(proves(mine), nil)
	b.is(proves(others), signin.ErrPasskey)
}

func TestAnAddressBeginsNoMoreThanAnOfficeNeeds(t *testing.T) {
	b := start(t)
	for range 300 {
		_, err := b.desk.BeginPasskey(b.ctx, here)
		b.must(err)
	}
	_, err := b.desk.BeginPasskey(b.ctx, here)
	b.is(err, signin.ErrTooOften)
	_, err = b.desk.BeginPasskey(b.ctx, "203.0.113.9")
	b.is(err, nil)
	b.pass(15 * time.Minute)
	_, err = b.desk.BeginPasskey(b.ctx, here)
	b.is(err, nil)
}
