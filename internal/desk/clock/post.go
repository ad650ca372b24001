package clock

import (
	"context"
	"errors"
	"sync"
	"time"

	"paylink/internal/post"
)

// Postman brings letters that are due to the mail server. Several may run at once: each letter is taken by one. All fields are required.
type Postman struct {
	Store   post.Store
	Carrier post.Carrier
	Now     func(ctx context.Context) (time.Time, error)
	Alarm   func(letterID string, kind post.Kind, err error) // a letter never left
}

const (
	postLease   = 2 * time.Minute // longer than a carrier takes
	postRound   = 50
	postWorkers = 4
	postMost    = 24 * time.Hour // a letter that has not left by then tells of the past
)

// postPauses are how long a letter waits after each try; after the last one it waits as long again.
var postPauses = []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour}

// Round tries every letter that is due.
func (p *Postman) Round(ctx context.Context) error {
	ids, err := p.Store.DueLetters(ctx, postRound)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var failed []error
	var running sync.WaitGroup
	places := make(chan struct{}, postWorkers)
	for _, id := range ids {
		if ctx.Err() != nil {
			break
		}
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			if err := p.carry(context.WithoutCancel(ctx), id); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, err)
			}
		})
	}
	running.Wait()
	return errors.Join(failed...)
}

func (p *Postman) carry(ctx context.Context, id string) error {
	l, ok, err := p.Store.TakeLetter(ctx, id, postLease)
	if err != nil || !ok {
		return err
	}
	sent := p.Carrier.Send(ctx, l)
	now, err := p.Now(ctx)
	if err != nil {
		return err
	}
	switch {
	case sent == nil:
		l.State, l.SentAt, l.NextAt = post.Sent, now, time.Time{}
	case errors.Is(sent, post.ErrRefused) || now.Sub(l.CreatedAt) >= postMost:
		l.State, l.NextAt = post.Failed, time.Time{}
		p.Alarm(l.ID, l.Kind, sent)
	default:
		l.NextAt = now.Add(postPauses[min(l.Tries, len(postPauses))-1])
	}
	return p.Store.SaveLetter(ctx, l)
}
