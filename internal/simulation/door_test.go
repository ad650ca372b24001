package simulation

import (
	"context"
	"errors"
	"maps"

	"paylink/internal/link"
)

// door is Redis, behind link.Door: it forgets, hangs, and comes back with what it held a while ago.
type door struct {
	w      *world
	passes map[link.Digest]link.Pass
	copied map[link.Digest]link.Pass // what a restart brings back
}

var errDoor = errors.New("redis does not answer")

// answers says whether it does, and lets what may happen to it happen.
func (d *door) answers(ctx context.Context, what string) error {
	w := d.w
	w.step("door " + what)
	switch {
	case w.happens(doorFlushed):
		clear(d.passes)
	case w.happens(doorRestored):
		d.passes = maps.Clone(d.copied)
	case w.rolls(0.3):
		d.copied = maps.Clone(d.passes)
	}
	if ctx.Err() != nil || w.happens(doorDown) {
		return errDoor
	}
	return nil
}

func (d *door) Admit(ctx context.Context, digest link.Digest, p link.Pass) error {
	if err := d.answers(ctx, "admit"); err != nil {
		return err
	}
	d.passes[digest] = p
	return nil
}

func (d *door) Look(ctx context.Context, digest link.Digest, _ string) (link.Pass, error) {
	if err := d.answers(ctx, "look"); err != nil {
		return link.Pass{}, err
	}
	p, ok := d.passes[digest]
	if !ok || !d.w.clock(d.w.running.on).Before(p.ExpiresAt) {
		return link.Pass{}, link.ErrUnknown
	}
	return p, nil
}

func (d *door) MarkOpened(ctx context.Context, digest link.Digest) error {
	if err := d.answers(ctx, "mark"); err != nil {
		return err
	}
	if p, ok := d.passes[digest]; ok {
		p.Opened = true
		d.passes[digest] = p
	}
	return nil
}

func (d *door) Shut(ctx context.Context, digest link.Digest) error {
	if err := d.answers(ctx, "shut"); err != nil {
		return err
	}
	delete(d.passes, digest)
	return nil
}
