package sms

import (
	"context"
	"errors"

	"paylink/internal/phone"
)

// What keeps a number from being texted.
var (
	ErrLandline = errors.New("the number is a landline and can’t get texts")
	ErrOptedOut = errors.New("the number has opted out of our texts")
)

// Wishes knows which numbers want no texts.
type Wishes interface {
	OptedOut(ctx context.Context, e164 string) (bool, error)
}

// Lines knows what kind of line a number is.
type Lines interface {
	LineOf(ctx context.Context, n phone.Number) (Line, error)
}

// Reaches says whether a number may be texted. A carrier that does not say what kind of line it is does not stop it. Errors: ErrOptedOut, ErrLandline.
func Reaches(ctx context.Context, n phone.Number, w Wishes, l Lines) error {
	if out, err := w.OptedOut(ctx, n.E164()); err != nil {
		return err
	} else if out {
		return ErrOptedOut
	}
	if line, err := l.LineOf(ctx, n); err == nil && line == Landline {
		return ErrLandline
	}
	return nil
}
