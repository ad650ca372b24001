package clock_test

import (
	"context"
	"fmt"
	"testing"

	"paylink/internal/desk/clock"
)

// hangs is a till whose texts hang while its payments go on.
type hangs struct {
	*work
	tended chan struct{}
}

func (h hangs) Tend(context.Context, string) error {
	h.tended <- struct{}{}
	return nil
}

func TestTextsThatHangHoldUpNoPayment(t *testing.T) {
	h := hangs{newWork(t), make(chan struct{}, 1000)}
	var many []string
	for n := range 20 {
		many = append(many, fmt.Sprint(n))
	}
	s := &clock.Sweeper{
		Machine: h, Wait: wakes, Workers: 2, Failed: func(what, id string, err error) { t.Error(what, id, err) },
		Due: func(context.Context, int) ([]string, []string, error) { return []string{"1"}, many, nil },
	}
	stop, ended := run(s)
	h.next()
	h.next() // every place for texts is taken, and more of them are due
	for range 5 {
		within(t, "a payment", h.tended)
		s.Wake()
	}
	stop()
	close(h.release)
	within(t, "its end", ended)
	if len(h.began) != 0 {
		t.Errorf("%d texts began after the stop", len(h.began))
	}
	if h.most != 2 {
		t.Errorf("%d texts at once", h.most)
	}
}
