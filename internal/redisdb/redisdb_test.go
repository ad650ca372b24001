package redisdb_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"paylink/internal/link"
	"paylink/internal/redisdb"
	"paylink/internal/testbed"
)

// Door is what it says it is.
var _ link.Door = (*redisdb.Door)(nil)

// clock is ours; Redis has another.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) now() time.Time       { return time.UnixMilli(c.ms.Load()) }
func (c *clock) pass(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// bench is a door and what a test needs to look behind it.
type bench struct {
	t     *testing.T
	ctx   context.Context
	url   string
	door  *redisdb.Door
	clock *clock
	raw   redis.UniversalClient
	// let Redis's own time pass until the key is gone, in at most d of it.
	wait func(d time.Duration, key string)
}

const looksPerMinute = 60

// everywhere runs a test on a real redis-server and on the embedded one.
func everywhere(t *testing.T, test func(b *bench)) {
	t.Run("redis-server", func(t *testing.T) {
		b := open(t, testbed.Redis(t))
		b.wait = func(d time.Duration, key string) {
			b.until(key+" gone", func() bool { return b.raw.Exists(b.ctx, key).Val() == 0 })
		}
		test(b)
	})
	t.Run("miniredis", func(t *testing.T) {
		m := miniredis.RunT(t)
		b := open(t, "redis://"+m.Addr()+"/0")
		b.wait = func(d time.Duration, key string) {
			m.FastForward(d)
			if m.Exists(key) {
				t.Fatalf("%s is still there after %s", key, d)
			}
		}
		test(b)
	})
}

func open(t *testing.T, url string) *bench {
	t.Helper()
	b := &bench{t: t, ctx: t.Context(), url: url, clock: newClock()}
	door, err := redisdb.Open(b.ctx, redisdb.Config{URL: url, Now: b.clock.now, LooksPerMinute: looksPerMinute})
	if err != nil {
		t.Fatal(err)
	}
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal("the test's own URL can't be read")
	}
	b.door, b.raw = door, redis.NewClient(options)
	t.Cleanup(func() { _ = door.Close(); _ = b.raw.Close() })
	return b
}

func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	limit := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-limit:
			b.t.Fatalf("never happened: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

func digest(n int) link.Digest { return link.NewToken(fmt.Sprintf("TOKEN%021d", n)).Digest() }

// pass is one as the service makes them: ids are UUIDs.
func (b *bench) pass(life time.Duration) link.Pass {
	return link.Pass{LinkID: "0196b2a4-7f30-7c51-9d2e-1a2b3c4d5e6f", PaymentID: "0196b2a4-7f30-7c51-9d2e-6f5e4d3c2b1a", ExpiresAt: b.clock.now().Add(life)}
}

func (b *bench) admit(d link.Digest, life time.Duration) link.Pass {
	b.t.Helper()
	p := b.pass(life)
	if err := b.door.Admit(b.ctx, d, p); err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *bench) look(d link.Digest) (link.Pass, error) {
	b.t.Helper()
	return b.door.Look(b.ctx, d, "198.51.100.7")
}

func (b *bench) unknown(d link.Digest) {
	b.t.Helper()
	if p, err := b.look(d); !errors.Is(err, link.ErrUnknown) {
		b.t.Fatalf("looked: %+v, %v", p, err)
	}
}

func TestALinkIsThereAsOftenAsOneLooks(t *testing.T) {
	everywhere(t, func(b *bench) {
		want := b.admit(digest(1), link.Life)
		for range 3 {
			got, err := b.look(digest(1))
			if err != nil || got.LinkID != want.LinkID || got.PaymentID != want.PaymentID || got.Opened || !got.ExpiresAt.Equal(want.ExpiresAt) {
				b.t.Fatalf("%+v, %v", got, err)
			}
		}
		b.unknown(digest(2))
	})
}

func TestALinkThatIsShutIsUnknown(t *testing.T) {
	everywhere(t, func(b *bench) {
		b.admit(digest(1), link.Life)
		for range 2 { // shutting again changes nothing
			if err := b.door.Shut(b.ctx, digest(1)); err != nil {
				b.t.Fatal(err)
			}
		}
		b.unknown(digest(1))
		if err := b.door.MarkOpened(b.ctx, digest(1)); err != nil {
			b.t.Fatal(err)
		}
		b.unknown(digest(1))
	})
}

func TestOpeningIsRememberedAndProlongsNothing(t *testing.T) {
	everywhere(t, func(b *bench) {
		want := b.admit(digest(1), link.Life)
		key := "paylink:link:" + string(digest(1))
		before := b.raw.PTTL(b.ctx, key).Val()
		for range 2 {
			if err := b.door.MarkOpened(b.ctx, digest(1)); err != nil {
				b.t.Fatal(err)
			}
		}
		got, err := b.look(digest(1))
		if err != nil || !got.Opened || !got.ExpiresAt.Equal(want.ExpiresAt) {
			b.t.Fatalf("%+v, %v", got, err)
		}
		if after := b.raw.PTTL(b.ctx, key).Val(); after <= 0 || after > before {
			b.t.Fatalf("its time in Redis went from %s to %s", before, after)
		}
	})
}

func TestRedisForgetsALinkByItself(t *testing.T) {
	everywhere(t, func(b *bench) {
		b.admit(digest(1), 150*time.Millisecond)
		b.wait(150*time.Millisecond, "paylink:link:"+string(digest(1)))
		b.unknown(digest(1)) // though our clock has not moved
	})
}

func TestALinkThatIsOverByOurClockIsUnknownThoughRedisHoldsIt(t *testing.T) {
	everywhere(t, func(b *bench) {
		b.admit(digest(1), link.Life)
		b.clock.pass(link.Life - time.Millisecond)
		if _, err := b.look(digest(1)); err != nil {
			b.t.Fatal(err)
		}
		b.clock.pass(time.Millisecond)
		if b.raw.Exists(b.ctx, "paylink:link:"+string(digest(1))).Val() != 1 {
			b.t.Fatal("Redis does not hold it any more, which proves nothing")
		}
		b.unknown(digest(1))
	})
}

func TestAPassThatIsOverIsNotAdmitted(t *testing.T) {
	everywhere(t, func(b *bench) {
		for _, life := range []time.Duration{0, -time.Minute, 999 * time.Microsecond} {
			if err := b.door.Admit(b.ctx, digest(1), b.pass(life)); !errors.Is(err, redisdb.ErrOver) {
				b.t.Fatalf("%s: %v", life, err)
			}
		}
		b.unknown(digest(1))
	})
}

func TestAFlushedRedisEndsLinksEarly(t *testing.T) {
	everywhere(t, func(b *bench) {
		b.admit(digest(1), link.Life)
		b.raw.FlushAll(b.ctx)
		b.unknown(digest(1))
	})
}

func TestOneCallerLooksSoOftenAMinute(t *testing.T) {
	everywhere(t, func(b *bench) {
		b.admit(digest(1), link.Life)
		for n := range looksPerMinute { // hits and misses count alike
			if _, err := b.door.Look(b.ctx, digest(n%2+1), "198.51.100.7"); err != nil && !errors.Is(err, link.ErrUnknown) {
				b.t.Fatal(n, err)
			}
		}
		if _, err := b.look(digest(1)); !errors.Is(err, link.ErrTooMany) {
			b.t.Fatal(err)
		}
		if _, err := b.door.Look(b.ctx, digest(1), "198.51.100.8"); err != nil {
			b.t.Fatal("another caller is refused too:", err)
		}
		b.clock.pass(time.Minute)
		if _, err := b.look(digest(1)); err != nil {
			b.t.Fatal("a minute later:", err)
		}
		for _, key := range b.raw.Keys(b.ctx, "paylink:looks:*").Val() {
			if ttl := b.raw.PTTL(b.ctx, key).Val(); ttl <= 0 || ttl > 2*time.Minute {
				b.t.Errorf("a counter stays for %s", ttl)
			}
			if strings.Contains(key, "198.51") {
				b.t.Errorf("a caller's address is kept: %s", key)
			}
		}
	})
}

func TestAllAtOnce(t *testing.T) {
	everywhere(t, func(b *bench) {
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Go(func() {
				d := digest(n)
				p := b.pass(link.Life)
				p.LinkID = fmt.Sprint("link-", n)
				caller := fmt.Sprint("caller-", n)
				for range 10 {
					if err := b.door.Admit(b.ctx, d, p); err != nil {
						b.t.Error(err)
					}
					if err := b.door.MarkOpened(b.ctx, d); err != nil {
						b.t.Error(err)
					}
					if got, err := b.door.Look(b.ctx, d, caller); err != nil || got.LinkID != p.LinkID || !got.Opened {
						b.t.Errorf("%+v, %v", got, err)
					}
					if err := b.door.Shut(b.ctx, d); err != nil {
						b.t.Error(err)
					}
					if _, err := b.door.Look(b.ctx, d, caller); !errors.Is(err, link.ErrUnknown) {
						b.t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	})
}

// Marking races with shutting; whatever wins, what is shut never comes back.
func TestMarkingNeverBringsBackWhatIsShut(t *testing.T) {
	everywhere(t, func(b *bench) {
		for n := range 100 {
			d := digest(n)
			b.admit(d, link.Life)
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := b.door.MarkOpened(b.ctx, d); err != nil {
					b.t.Error(err)
				}
			})
			wg.Go(func() {
				if err := b.door.Shut(b.ctx, d); err != nil {
					b.t.Error(err)
				}
			})
			wg.Wait()
			if b.raw.Exists(b.ctx, "paylink:link:"+string(d)).Val() != 0 {
				b.t.Fatal("it is back")
			}
		}
	})
}

func TestAPassThatCannotBeReadIsNoPass(t *testing.T) {
	everywhere(t, func(b *bench) {
		for _, held := range []string{"", "2 a b 1 -", "1 a b c -", "1 a b"} {
			b.raw.Set(b.ctx, "paylink:link:"+string(digest(1)), held, time.Minute)
			if p, err := b.look(digest(1)); !errors.Is(err, redisdb.ErrUnavailable) || p != (link.Pass{}) {
				b.t.Errorf("%q: %+v, %v", held, p, err)
			}
		}
	})
}

// The budget is 400 bytes of Redis's memory for each live link, with all that Redis itself needs for it.
func TestALiveLinkCostsAtMost400BytesOfRedis(t *testing.T) {
	const links, budget = 1 << 14, 400
	b := open(t, testbed.Redis(t))
	used := func() (bytes int64) {
		for line := range strings.SplitSeq(b.raw.Info(b.ctx, "memory").Val(), "\r\n") {
			if value, ok := strings.CutPrefix(line, "used_memory:"); ok {
				fmt.Sscan(value, &bytes)
			}
		}
		return bytes
	}
	before := used()
	for n := range links {
		b.admit(digest(n), link.Life)
	}
	if err := b.door.MarkOpened(b.ctx, digest(0)); err != nil {
		t.Fatal(err)
	}
	each := (used() - before) / links
	one, err := b.raw.MemoryUsage(b.ctx, "paylink:link:"+string(digest(0))).Result()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes a link in all, %d by MEMORY USAGE", each, one)
	if each > budget || one > budget || each < one { // less than the key itself would mean that nothing was measured
		t.Errorf("%d bytes a link in all, %d by MEMORY USAGE; the budget is %d", each, one, budget)
	}
}

func TestALookIsOneRoundTrip(t *testing.T) {
	address, err := url.Parse(testbed.Redis(t))
	if err != nil {
		t.Fatal("the testbed's URL can't be read")
	}
	wire := newWire(t, address.Host)
	address.Host = wire.listener.Addr().String()
	b := open(t, address.String())
	b.admit(digest(1), link.Life)
	if _, err := b.look(digest(1)); err != nil { // a connection is made
		t.Fatal(err)
	}
	before := wire.questions.Load()
	if _, err := b.look(digest(1)); err != nil {
		t.Fatal(err)
	}
	if n := wire.questions.Load() - before; n != 1 {
		t.Errorf("a look asked Redis %d times", n)
	}
}

// wire stands between a door and its Redis and counts the questions: what is sent before anything comes back is one.
type wire struct {
	listener  net.Listener
	questions atomic.Int64
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	w := &wire{listener: listener}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				return
			}
			var answered atomic.Bool
			answered.Store(true)
			go pump(near, far, func() {
				if answered.Swap(false) {
					w.questions.Add(1)
				}
			})
			go pump(far, near, func() { answered.Store(true) })
		}
	}()
	return w
}

// pump copies until either end is closed, and tells of every piece before it passes it on.
func pump(from, to net.Conn, tell func()) {
	defer func() { _ = from.Close(); _ = to.Close() }()
	piece := make([]byte, 1<<16)
	for {
		n, err := from.Read(piece)
		if n > 0 {
			tell()
			if _, err := to.Write(piece[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func TestARedisThatHangsHangsNobody(t *testing.T) {
	server := testbed.RedisServer(t)
	b := open(t, server.URL())
	b.admit(digest(1), link.Life)
	server.Pause()
	acts := map[string]func(ctx context.Context) error{
		"admit": func(ctx context.Context) error { return b.door.Admit(ctx, digest(2), b.pass(link.Life)) },
		"look":  func(ctx context.Context) error { _, err := b.door.Look(ctx, digest(1), "x"); return err },
		"mark":  func(ctx context.Context) error { return b.door.MarkOpened(ctx, digest(1)) },
		"shut":  func(ctx context.Context) error { return b.door.Shut(ctx, digest(2)) },
		"ping":  func(ctx context.Context) error { return b.door.Ping(ctx) },
	}
	var wg sync.WaitGroup
	for name, act := range acts {
		wg.Go(func() {
			began := time.Now()
			err := act(b.ctx)
			if took := time.Since(began); !errors.Is(err, redisdb.ErrUnavailable) || took > 2500*time.Millisecond {
				t.Errorf("%s: %v after %s", name, err, took)
			}
			secretless(t, server, err)
			ctx, cancel := context.WithTimeout(b.ctx, 50*time.Millisecond)
			defer cancel()
			began = time.Now()
			err = act(ctx)
			if took := time.Since(began); !errors.Is(err, redisdb.ErrUnavailable) || took > time.Second {
				t.Errorf("%s with 50 ms left: %v after %s", name, err, took)
			}
		})
	}
	wg.Wait()
	server.Resume()
	b.until("the door works again", func() bool { _, err := b.look(digest(1)); return err == nil })
}

func TestARedisThatIsGone(t *testing.T) {
	server := testbed.RedisServer(t)
	b := open(t, server.URL())
	b.admit(digest(1), link.Life)
	server.Stop()
	_, err := b.look(digest(1))
	if !errors.Is(err, redisdb.ErrUnavailable) || errors.Is(err, link.ErrUnknown) {
		t.Fatal(err)
	}
	secretless(t, server, err)
	_, err = redisdb.Open(b.ctx, redisdb.Config{URL: server.URL(), Now: b.clock.now, LooksPerMinute: 1})
	if !errors.Is(err, redisdb.ErrUnavailable) {
		t.Fatal(err)
	}
	secretless(t, server, err)
	server.Restart()
	b.until("the door works again", func() bool { return b.door.Ping(b.ctx) == nil })
	b.unknown(digest(1)) // what was in memory is lost: the link ends early
}

func TestAWrongPassword(t *testing.T) {
	server := testbed.RedisServer(t)
	wrong := strings.Replace(server.URL(), "redis://:", "redis://:not", 1)
	_, err := redisdb.Open(t.Context(), redisdb.Config{URL: wrong, Now: newClock().now, LooksPerMinute: 1})
	if !errors.Is(err, redisdb.ErrUnavailable) || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Fatal(err)
	}
	secretless(t, server, err)
}

// secretless asserts that an error shows neither address nor password.
func secretless(t *testing.T, server *testbed.RedisProcess, err error) {
	t.Helper()
	_, rest, _ := strings.Cut(server.URL(), "redis://:")
	password, rest, _ := strings.Cut(rest, "@")
	port := strings.TrimSuffix(rest, "/0")
	for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		if strings.Contains(text, password) || strings.Contains(text, port) || strings.Contains(text, "127.0.0.1") {
			t.Error("an error shows where Redis is, or its password")
		}
	}
}

func TestAddressesThatMakeNoSenseAreRefused(t *testing.T) {
	for _, address := range []string{
		"", "127.0.0.1:6379", "http://127.0.0.1", "redis://", "redis://:hunter2@127.0.0.1/x", "redis://127.0.0.1/0?pool_size=3", "redis-raft://127.0.0.1",
		"redis-sentinel://127.0.0.1", "redis-sentinel://127.0.0.1?master=m&adr=127.0.0.1:1", "redis-cluster://127.0.0.1/3", "redis-cluster://127.0.0.1?addr=x",
		"redis://:hun ter2@127.0.0.1:port/0",
	} {
		_, err := redisdb.Open(t.Context(), redisdb.Config{URL: address, Now: newClock().now, LooksPerMinute: 1})
		if !errors.Is(err, redisdb.ErrURL) || strings.Contains(fmt.Sprintf("%+v", err), "hun") {
			t.Errorf("%q is taken, or its error shows the password", address)
		}
	}
}
