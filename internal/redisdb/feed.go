package redisdb

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Feed tells of changes: whoever listens for an id is woken when it is told, in this process at once, and in every other one that shares the Redis a moment later.
//
// It promises no more than that. A wake says that something may have changed, not what; wakes of one listener that come together are one; and while Redis is away
// the others are told nothing, and nothing is made up for. Whoever needs to know looks again by itself now and then.
type Feed struct {
	redis redis.UniversalClient
	self  string // marks what this process has told, whose own listeners know already

	mu        sync.Mutex
	listeners map[string]map[chan struct{}]struct{}
	untold    map[string]struct{} // what the other processes are not told yet
	some      chan struct{}

	stop  context.CancelFunc
	ended sync.WaitGroup
}

const (
	feedChannel = "paylink:changed"
	feedMost    = 10_000                 // ids that wait to be told: more are left out
	feedBatch   = 100                    // ids in one message
	feedQuiet   = 5 * time.Second        // then Redis is asked whether it is still there
	feedAgain   = 250 * time.Millisecond // between two tries to subscribe
)

func newFeed(client redis.UniversalClient) *Feed {
	ctx, stop := context.WithCancel(context.Background())
	f := &Feed{
		redis: client, self: rand.Text(), listeners: map[string]map[chan struct{}]struct{}{}, untold: map[string]struct{}{}, some: make(chan struct{}, 1), stop: stop,
	}
	f.ended.Go(func() { f.speak(ctx) })
	f.ended.Go(func() {
		for ctx.Err() == nil {
			f.hear(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(feedAgain):
			}
		}
	})
	return f
}

func (f *Feed) close() {
	f.stop()
	f.ended.Wait()
}

// Listen wakes by the channel, which holds one wake at the most, whenever the id is told; leave ends that.
func (f *Feed) Listen(id string) (wake <-chan struct{}, leave func()) {
	c := make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listeners[id] == nil {
		f.listeners[id] = map[chan struct{}]struct{}{}
	}
	f.listeners[id][c] = struct{}{}
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.listeners[id], c)
		if len(f.listeners[id]) == 0 {
			delete(f.listeners, id)
		}
	}
}

// Tell tells of a change. It returns at once, and asks nobody.
func (f *Feed) Tell(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wake(id)
	if len(f.untold) < feedMost {
		f.untold[id] = struct{}{}
		nudge(f.some)
	}
}

// wake wakes the listeners of an id; the lock is held.
func (f *Feed) wake(id string) {
	for c := range f.listeners[id] {
		nudge(c)
	}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it will look anyway
	}
}

// speak tells the other processes.
func (f *Feed) speak(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.some:
		}
		call, cancel := context.WithTimeout(ctx, callWithin)
		// What can't be told is left out, as Feed says.
		_ = f.redis.Publish(call, feedChannel, f.self+"\n"+strings.Join(f.take(), "\n")).Err()
		cancel()
	}
}

// take takes some of what is not told yet.
func (f *Feed) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ids []string
	for id := range f.untold {
		if len(ids) == feedBatch {
			nudge(f.some)
			break
		}
		ids = append(ids, id)
		delete(f.untold, id)
	}
	return ids
}

// hear wakes by what other processes tell, until the subscription breaks. A Redis that is gone without a word is found out by its silence.
func (f *Feed) hear(ctx context.Context) {
	subscription := f.redis.Subscribe(ctx, feedChannel)
	closed := context.AfterFunc(ctx, func() { _ = subscription.Close() })
	defer func() {
		if closed() {
			_ = subscription.Close()
		}
	}()
	asked := false
	for {
		got, err := subscription.ReceiveTimeout(ctx, feedQuiet)
		var network net.Error
		if silent := errors.As(err, &network) && network.Timeout(); silent && !asked {
			if asked = true; subscription.Ping(ctx) != nil {
				return
			}
			continue
		}
		if err != nil {
			return
		}
		asked = false
		if m, ok := got.(*redis.Message); ok {
			f.heard(m.Payload)
		}
	}
}

func (f *Feed) heard(message string) {
	ids := strings.Split(message, "\n")
	if ids[0] == f.self {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids[1:] {
		f.wake(id)
	}
}
