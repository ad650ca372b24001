package simulation

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// schedule is virtual time and everything that happens in it. Tasks are coroutines: one runs at a time, until it pauses, and which one is next is
// decided by its time and by the seed. Nothing reads a real clock and nothing runs beside it, so that a seed always gives the same history.
type schedule struct {
	now     time.Time
	chance  *rand.Rand
	tasks   []*task
	running *task
	steps   int
	history []byte
	broken  string // the first rule that did not hold, "" for none
	most    int    // steps, after which it is taken to be without an end; 0: stepsMost
}

// task is something that goes on: a request being served, a worker's piece of work, a person, a letter on its way.
type task struct {
	name    string
	on      *process // that it runs in; nil: it is outside, and no kill of ours reaches it
	ctx     context.Context
	leave   context.CancelFunc // whoever asked has gone away
	person  bool
	asked   bool      // somebody waits for it who may go away
	at      time.Time // when it goes on
	tie     uint64    // who goes first of those at one time
	next    func() (struct{}, bool)
	stop    func()
	yield   func(struct{}) bool
	over    bool
	outcome func() // called at its end, however it ends
	hurt    bool   // a fault has met it
}

// killed is how a task ends in mid-call.
type killed struct{}

// begin starts a task after a while.
func (s *schedule) begin(name string, on *process, after time.Duration, body func(t *task)) *task {
	t := &task{name: name, on: on, at: s.now.Add(after), tie: s.chance.Uint64()}
	t.ctx, t.leave = context.WithCancel(context.Background())
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		defer func() {
			switch r := recover().(type) {
			case nil, killed:
			default:
				s.breaks("panic in %s: %v\n%s", t.name, r, debug.Stack())
			}
		}()
		body(t)
	})
	s.tasks = append(s.tasks, t)
	return t
}

// pause lets others go on for a while.
func (s *schedule) pause(d time.Duration) {
	t := s.running
	t.at, t.tie = s.now.Add(d), s.chance.Uint64()
	if !t.yield(struct{}{}) {
		panic(killed{})
	}
}

// wake has a sleeping task go on now.
func (s *schedule) wake(t *task) {
	if t.at.After(s.now) {
		t.at = s.now
	}
}

// kill ends a task where it stands.
func (s *schedule) kill(t *task) {
	if t == s.running {
		panic(killed{})
	}
	if t.over {
		return
	}
	t.stop()
	s.end(t)
}

func (s *schedule) end(t *task) {
	t.over = true
	t.leave()
	for i := range s.tasks {
		if s.tasks[i] == t {
			s.tasks = append(s.tasks[:i], s.tasks[i+1:]...)
			break
		}
	}
	if t.outcome != nil {
		t.outcome()
	}
}

// runUntil lets tasks go on until a time, or until there are none, or until a rule is broken.
func (s *schedule) runUntil(end time.Time) {
	for s.broken == "" {
		var first *task
		for _, t := range s.tasks {
			if first == nil || t.at.Before(first.at) || t.at.Equal(first.at) && t.tie < first.tie {
				first = t
			}
		}
		if first == nil || first.at.After(end) {
			break
		}
		if first.at.After(s.now) {
			s.now = first.at
		}
		s.running = first
		_, more := first.next()
		s.running = nil
		if !more {
			s.end(first)
		}
		if s.steps++; s.steps > cmp.Or(s.most, stepsMost) {
			s.breaks("it does not come to an end: %d steps", s.steps)
		}
	}
	if s.broken == "" && s.now.Before(end) {
		s.now = end
	}
}

const stepsMost = 50_000

// close ends all that still goes on.
func (s *schedule) close() {
	for len(s.tasks) > 0 {
		s.kill(s.tasks[0])
	}
}

// say adds a line to the history.
func (s *schedule) say(format string, args ...any) {
	who := "world"
	if s.running != nil {
		who = s.running.name
	}
	s.history = s.now.AppendFormat(s.history, "15:04:05.000 ")
	s.history = append(s.history, who...)
	s.history = append(s.history, ": "...)
	s.history = fmt.Appendf(s.history, format, args...)
	s.history = append(s.history, '\n')
}

// breaks notes that a rule does not hold. The seed ends there.
func (s *schedule) breaks(format string, args ...any) {
	if s.broken == "" {
		s.broken = fmt.Sprintf(format, args...)
		s.say("BROKEN: %s", s.broken)
	}
}

// between is a time of any length between two.
func (s *schedule) between(least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	return least + time.Duration(s.chance.Int64N(int64(most-least))).Truncate(time.Millisecond) // the finest time that SQL keeps
}
