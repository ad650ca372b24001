package clock_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"paylink/internal/desk/clock"
)

// work is a till whose tasks take as long as the test lets them.
type work struct {
	t       *testing.T
	began   chan string
	release chan struct{}
	fail    error

	mu      sync.Mutex
	running map[string]int
	most    int // tasks at once
	twice   bool
	cut     bool // a task's context ended while it ran
}

func newWork(t *testing.T) *work {
	return &work{t: t, began: make(chan string, 1000), release: make(chan struct{}), running: map[string]int{}}
}

func (w *work) do(ctx context.Context, id string) error {
	w.mu.Lock()
	w.running[id]++
	w.twice = w.twice || w.running[id] > 1
	w.most = max(w.most, len(w.running))
	w.mu.Unlock()
	w.began <- id
	<-w.release
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = w.cut || ctx.Err() != nil
	if w.running[id]--; w.running[id] == 0 {
		delete(w.running, id)
	}
	return w.fail
}

func (w *work) Tend(ctx context.Context, id string) error    { return w.do(ctx, "payment "+id) }
func (w *work) Deliver(ctx context.Context, id string) error { return w.do(ctx, "message "+id) }

// wakes waits for a wake only: no test depends on how long a second is.
func wakes(ctx context.Context, wake <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-wake:
	}
}

// run starts a sweeper; the returned function stops it and waits until it has let everything come to its end.
func run(s *clock.Sweeper) (stop context.CancelFunc, ended chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	return cancel, ended
}

func within(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("never: %s", what)
	}
}

func (w *work) next() string {
	w.t.Helper()
	select {
	case id := <-w.began:
		return id
	case <-time.After(10 * time.Second):
		w.t.Fatal("nothing began")
		return ""
	}
}

func TestASweeperLooksAtOnceAndWhenItIsWoken(t *testing.T) {
	w := newWork(t)
	close(w.release)
	rounds := make(chan struct{}, 100)
	s := &clock.Sweeper{
		Machine: w, Wait: wakes, Workers: 2, Failed: func(what, id string, err error) { t.Error(what, id, err) },
		Due: func(context.Context, int) ([]string, []string, error) {
			rounds <- struct{}{}
			return []string{"p"}, []string{"m"}, nil
		},
	}
	s.Wake() // before it runs: it is not lost
	stop, ended := run(s)
	within(t, "the first round", rounds)
	within(t, "the round that it was woken for", rounds)
	s.Wake()
	within(t, "a later round", rounds)
	stop()
	within(t, "its end", ended)
}

func TestNothingIsWorkedOnTwiceAtOnce(t *testing.T) {
	w := newWork(t)
	rounds := make(chan struct{}, 100)
	s := &clock.Sweeper{
		Machine: w, Wait: wakes, Workers: 4, Failed: func(string, string, error) {},
		Due: func(context.Context, int) ([]string, []string, error) {
			rounds <- struct{}{}
			return []string{"1"}, nil, nil
		},
	}
	stop, ended := run(s)
	w.next()
	for range 5 {
		within(t, "a round", rounds)
		s.Wake()
	}
	close(w.release)
	stop()
	within(t, "its end", ended)
	if w.twice {
		t.Error("one payment was tended twice at once")
	}
}

func TestSoManyAtOnceAndNoMore(t *testing.T) {
	w := newWork(t)
	var many []string
	for n := range 20 {
		many = append(many, fmt.Sprint(n))
	}
	s := &clock.Sweeper{
		Machine: w, Wait: wakes, Workers: 3, Failed: func(string, string, error) {},
		Due: func(context.Context, int) ([]string, []string, error) { return many, nil, nil },
	}
	stop, ended := run(s)
	for range 3 {
		w.next()
	}
	for range 17 {
		w.release <- struct{}{}
		w.next()
	}
	close(w.release)
	stop()
	within(t, "its end", ended)
	if w.most != 3 {
		t.Errorf("%d at once", w.most)
	}
}

func TestAStopLetsWhatHasBegunEndAndBeginsNothing(t *testing.T) {
	w := newWork(t)
	s := &clock.Sweeper{
		Machine: w, Wait: wakes, Workers: 1, Failed: func(string, string, error) {},
		Due: func(context.Context, int) ([]string, []string, error) {
			return []string{"1", "2", "3"}, []string{"1"}, nil
		},
	}
	stop, ended := run(s)
	w.next() // it is at work, and three more wait for their place
	stop()
	select {
	case <-ended:
		t.Fatal("it did not wait for what had begun")
	default:
	}
	close(w.release)
	within(t, "its end", ended)
	if w.cut {
		t.Error("the stop cut through a task")
	}
	// At most the one that had its place already: none of those that waited.
	if n := len(w.began); n > 1 {
		t.Errorf("%d tasks began after the stop", n)
	}
}

func TestFailuresAreToldAndEndNothing(t *testing.T) {
	w := newWork(t)
	close(w.release)
	w.fail = errors.New("no")
	told := make(chan struct{}, 100)
	var mu sync.Mutex
	var failures []string
	n := 0
	s := &clock.Sweeper{
		Machine: w, Wait: wakes, Workers: 1,
		Failed: func(what, id string, _ error) {
			mu.Lock()
			failures = append(failures, what+" "+id)
			mu.Unlock()
			told <- struct{}{}
		},
		Due: func(context.Context, int) ([]string, []string, error) {
			if n++; n == 1 {
				return nil, nil, errors.New("the database is down")
			}
			return []string{"1"}, nil, nil
		},
	}
	stop, ended := run(s)
	within(t, "the first failure", told)
	s.Wake()
	within(t, "the second failure", told)
	stop()
	within(t, "its end", ended)
	if fmt.Sprint(failures) != "[due  payment 1]" {
		t.Error(failures)
	}
}
