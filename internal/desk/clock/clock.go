// Package clock is what happens by itself: payments and texts that are due are looked after.
package clock

import (
	"context"
	"sync"
	"sync/atomic"
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
	Workers int // payments at once, and texts at once
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

// Run goes on until the context ends, and then lets what has begun come to its end: that takes up to taskLimit.
func (s *Sweeper) Run(ctx context.Context) {
	wake := s.waker()
	var running sync.WaitGroup
	defer running.Wait()
	// Texts and payments have places of their own: a carrier that hangs holds up no payment, and Stripe no text.
	messages, payments := s.open(ctx, &running, "message", s.Machine.Deliver), s.open(ctx, &running, "payment", s.Machine.Tend)
	for ctx.Err() == nil {
		duePayments, dueMessages, err := s.Due(ctx, roundMost)
		if err != nil && ctx.Err() == nil {
			s.Failed("due", "", err)
		}
		messages.offer(dueMessages)
		payments.offer(duePayments)
		s.Wait(ctx, wake)
	}
}

// pool works on one kind of task, with Workers places.
type pool struct {
	lists  chan []string
	missed atomic.Bool // a list came while another was being taken up
}

// offer hands over what is due, and does not wait: what can't be taken up now is due still in the next round.
func (p *pool) offer(ids []string) {
	if len(ids) == 0 {
		return
	}
	select {
	case p.lists <- ids:
	default:
		p.missed.Store(true)
	}
}

// open has a pool take up what it is offered until the context ends. From then on nothing begins: it stays due for the next process.
func (s *Sweeper) open(ctx context.Context, running *sync.WaitGroup, what string, work func(context.Context, string) error) *pool {
	p := &pool{lists: make(chan []string, 1)}
	places := make(chan struct{}, s.Workers)
	var mu sync.Mutex
	busy := map[string]bool{}
	begin := func(id string) {
		mu.Lock()
		already := busy[id]
		mu.Unlock()
		if already {
			return
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if ctx.Err() != nil { // both were so, and chance took the place
			return
		}
		mu.Lock()
		busy[id] = true
		mu.Unlock()
		running.Go(func() {
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
		})
	}
	running.Go(func() {
		for {
			select {
			case ids := <-p.lists:
				for _, id := range ids {
					begin(id)
				}
				if p.missed.Swap(false) {
					s.Wake()
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return p
}
