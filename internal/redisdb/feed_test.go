package redisdb_test

import (
	"fmt"
	"testing"
	"time"

	"paylink/internal/redisdb"
	"paylink/internal/testbed"
)

// another is a door of another process on the same Redis.
func another(t *testing.T, address string) *redisdb.Door {
	t.Helper()
	door, err := redisdb.Open(t.Context(), redisdb.Config{URL: address, Now: newClock().now, LooksPerMinute: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = door.Close() })
	return door
}

// carries tells until the listener is woken: a subscription takes a moment to be there.
func carries(t *testing.T, from, to *redisdb.Door) {
	t.Helper()
	wake, leave := to.Feed.Listen("100042")
	defer leave()
	limit := time.After(10 * time.Second)
	for {
		from.Feed.Tell("100042")
		select {
		case <-wake:
			return
		case <-limit:
			t.Fatal("what one process told, another never heard")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func woken(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestWhatOneProcessTellsAllHear(t *testing.T) {
	everywhere(t, func(b *bench) {
		there := another(t, b.url)
		carries(t, b.door, there)
		carries(t, there, b.door)
		mine, leave := b.door.Feed.Listen("100042")
		other, leaveOther := b.door.Feed.Listen("100043")
		defer leaveOther()
		theirs, leaveTheirs := there.Feed.Listen("100042")
		defer leaveTheirs()
		for range 1000 { // whoever does not listen just now loses wakes, and nothing piles up
			b.door.Feed.Tell("100042")
		}
		if !woken(mine) || woken(mine) {
			t.Error("a thousand wakes of one listener are not one")
		}
		b.until("the other process hears", func() bool { return woken(theirs) })
		if woken(other) {
			t.Error("the listener of another id is woken")
		}
		// What a process has told comes back to it by Redis too; its own listeners know it already.
		there.Feed.Tell("last")
		last, leaveLast := b.door.Feed.Listen("last")
		defer leaveLast()
		there.Feed.Tell("last")
		b.until("all that was told before is heard", func() bool { return woken(last) })
		if woken(mine) {
			t.Error("a process wakes its own twice")
		}
		leave()
		b.door.Feed.Tell("100042")
		if woken(mine) {
			t.Error("who has left is woken")
		}
	})
}

func TestAFeedBearsThatRedisGoesAndComes(t *testing.T) {
	server := testbed.RedisServer(t)
	here, there := another(t, server.URL()), another(t, server.URL())
	carries(t, here, there)
	mine, leave := here.Feed.Listen("100042")
	defer leave()
	server.Stop()
	began := time.Now()
	for n := range 20_000 { // more than are kept for when it is back
		here.Feed.Tell(fmt.Sprint(n))
	}
	here.Feed.Tell("100042")
	if !woken(mine) {
		t.Error("without Redis, this process's own listeners are not woken")
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("telling waits for Redis: %s", took)
	}
	server.Restart()
	carries(t, here, there)
	carries(t, there, here)
}
