package redisdb_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const aWhile = 15 * time.Minute

func (b *bench) take(key string, want int) {
	b.t.Helper()
	if n, err := b.door.Take(b.ctx, key, 5, aWhile); err != nil || n != want {
		b.t.Fatalf("took %d of %s, %v; want %d", n, key, err, want)
	}
}

func TestTriesAreUsedUpAndComeBack(t *testing.T) {
	everywhere(t, func(b *bench) {
		const key, other = "ana 198.51.100.7", "ana 198.51.100.8"
		for n := 1; n <= 4; n++ {
			b.take(key, n)
			b.clock.pass(3 * time.Minute)
		}
		b.take(key, 5) // and the whole while begins
		b.take(other, 1)
		b.clock.pass(aWhile - time.Millisecond)
		b.take(key, 0)
		b.clock.pass(time.Millisecond)
		b.take(key, 1)
		b.clock.pass(aWhile)
		for n := 1; n <= 5; n++ {
			b.take(key, n)
		}
		if err := b.door.GiveBack(b.ctx, key); err != nil {
			b.t.Fatal(err)
		}
		b.take(key, 5)
		if err := b.door.Clear(b.ctx, key); err != nil {
			b.t.Fatal(err)
		}
		b.take(key, 1)
		for range 3 { // of what is not there nothing comes back, and nothing is left behind
			if err := b.door.GiveBack(b.ctx, "nobody"); err != nil {
				b.t.Fatal(err)
			}
		}
		keys := b.raw.Keys(b.ctx, "paylink:tries:*").Val()
		if len(keys) != 2 {
			b.t.Errorf("there are the keys %v", keys)
		}
		for _, k := range keys {
			if ttl := b.raw.PTTL(b.ctx, k).Val(); ttl <= 0 || ttl > aWhile+time.Minute {
				b.t.Errorf("a counter stays for %s", ttl)
			}
			if strings.Contains(k, "198.51") || strings.Contains(k, "ana") {
				b.t.Errorf("who tried is kept: %s", k)
			}
		}
	})
}

func TestTriesOfManyAtOnceAreCountedOneByOne(t *testing.T) {
	everywhere(t, func(b *bench) {
		var wg sync.WaitGroup
		var got atomic.Int64
		for range 40 {
			wg.Go(func() {
				n, err := b.door.Take(b.ctx, "all", 5, aWhile)
				if err != nil {
					b.t.Error(err)
				}
				if n > 0 {
					got.Add(1)
				}
			})
		}
		wg.Wait()
		if got.Load() != 5 {
			b.t.Errorf("%d tries were had of 5", got.Load())
		}
	})
}
