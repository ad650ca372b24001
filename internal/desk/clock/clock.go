// Package clock is what happens by itself: payments and texts that are due are looked after.
package clock

import (
	"context"
	"sync"
	"time"
)

// Machine is the till.
type Machine interface {
	Tend(ctx context.Context, paymentID string) error
	Deliver(ctx context.Context, messageID string) error
}

// Sweeper looks after what is due, as soon as it is woken and every second. Several may run at once: what they do is decided in the store.
// All fields are required.
type Sweeper struct {
	Due     func(ctx context.Context, limit int) (payments, messages []string, err error)
	Machine Machine
	Wait    func(ctx context.Context, wake <-chan struct{}) // until woken, or a round later
	Failed  func(what, id string, err error)
	Workers int
	wake    chan struct{}
	once    sync.Once
}

// roundMost is how many of each kind one round takes up.
const roundMost = 200

// taskLimit bounds one piece of work; a confirm with its retries ends well before.
const taskLimit = 60 * time.Second

func (s *Sweeper) waker() chan struct{} {
	s.once.Do(func() { s.wake = make(chan struct{}, 1) })
	return s.wake
}

// Wake has the next round begin at once.
func (s *Sweeper) Wake() {
	select {
	case s.waker() <- struct{}{}:
	default: // it is being woken already
	}
}

// Run goes on until the context ends, and then lets what has begun come to its end.
func (s *Sweeper) Run(ctx context.Context) {
	wake := s.waker()
	var running sync.WaitGroup
	defer running.Wait()
	places := make(chan struct{}, s.Workers)
	var mu sync.Mutex
	busy := map[string]bool{}
	begin := func(what, id string, work func(context.Context, string) error) {
		if ctx.Err() != nil {
			return
		}
		mu.Lock()
		already := busy[id]
		busy[id] = true
		mu.Unlock()
		if already {
			return
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done(): // what has not begun stays due for the next process
			return
		}
		running.Add(1)
		go func() {
			defer running.Done()
			// A stop of the service does not cut through a payment.
			task, cancel := context.WithTimeout(context.WithoutCancel(ctx), taskLimit)
			defer cancel()
			if err := work(task, id); err != nil {
				s.Failed(what, id, err)
			}
			mu.Lock()
			delete(busy, id)
			mu.Unlock()
			<-places
		}()
	}
	for ctx.Err() == nil {
		payments, messages, err := s.Due(ctx, roundMost)
		if err != nil && ctx.Err() == nil {
			s.Failed("due", "", err)
		}
		for _, id := range messages {
			begin("message", id, s.Machine.Deliver)
		}
		for _, id := range payments {
			begin("payment", id, s.Machine.Tend)
		}
		s.Wait(ctx, wake)
	}
}
