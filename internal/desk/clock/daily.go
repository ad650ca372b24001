package clock

import (
	"context"
	"fmt"
	"time"

	"paylink/internal/day"
)

const (
	// settleWithin is how long after midnight (UTC) a day is left alone: what moved in its last minute has come to the books by then.
	settleWithin = time.Hour
	// dayLease is how long one instance has for a day before another may take it over.
	dayLease = 30 * time.Minute
	// daysBack is how many days that nobody has reconciled are made up for.
	daysBack = 7
	// overdueAfter is how long there may be no reconciliation before a person has to know.
	overdueAfter = 26 * time.Hour
)

// The reconciliation's alarms.
const (
	Differs = "reconciliation_differs" // a day's books and Stripe are not the same
	Overdue = "reconciliation_overdue" // no day could be compared for 26 hours
)

// Diary is who reconciles which day.
type Diary interface {
	Now(ctx context.Context) (time.Time, error)
	// Reconciled lists the days since then that were reconciled to their end, oldest first, without their reports.
	Reconciled(ctx context.Context, since day.Date) ([]Kept, error)
	// ClaimDay gives one asker the right to a day: not if it was reconciled, and not while another's claim is younger than the lease.
	ClaimDay(ctx context.Context, date day.Date, lease time.Duration) (bool, error)
}

// Daily reconciles every day by itself, once, however many instances there are. All fields are required.
type Daily struct {
	Diary     Diary
	Reconcile func(ctx context.Context, first, last day.Date) (Report, error)
	Alarm     func(name, text string, err error) // a person has to look: docs/operations.md has the steps for each name
	Told      func(newest Kept)                  // at every round, once there is one

	began, alarmed time.Time
}

// Round reconciles what is due. It returns an error if it could not; the next round tries again once the lease is over.
func (d *Daily) Round(ctx context.Context) error {
	now, err := d.Diary.Now(ctx)
	if err != nil {
		return err
	}
	if d.began.IsZero() {
		d.began = now
	}
	err = d.days(ctx, now)
	kept, listErr := d.Diary.Reconciled(ctx, day.Of(now.UTC()).AddDays(-daysBack))
	if listErr != nil {
		return listErr
	}
	last := d.began
	for _, k := range kept {
		if k.EndedAt.After(last) {
			last = k.EndedAt
		}
	}
	if now.Sub(last) > overdueAfter && now.Sub(d.alarmed) > time.Hour {
		d.alarmed = now
		d.Alarm(Overdue, "no day could be reconciled with Stripe for 26 hours", err)
	}
	if len(kept) > 0 {
		d.Told(kept[len(kept)-1])
	}
	return err
}

func (d *Daily) days(ctx context.Context, now time.Time) error {
	newest := day.Of(now.UTC().Add(-settleWithin)).AddDays(-1)
	first := newest.AddDays(1 - daysBack)
	kept, err := d.Diary.Reconciled(ctx, first)
	if err != nil {
		return err
	}
	done := map[day.Date]bool{}
	for _, k := range kept {
		done[k.Day] = true
	}
	if len(kept) == 0 {
		first = newest // it is the first day ever, or so long ago that a person has to ask for the days between
	} else if first < kept[0].Day {
		first = kept[0].Day
	}
	for date := first; date <= newest; date = date.AddDays(1) {
		if done[date] {
			continue
		}
		ours, err := d.Diary.ClaimDay(ctx, date, dayLease)
		if err != nil {
			return err
		}
		if !ours {
			continue // another instance is at it, or has met with an error and its lease is not over
		}
		report, err := d.Reconcile(ctx, date, date)
		if err != nil {
			return err
		}
		if report.Count > 0 {
			d.Alarm(Differs, fmt.Sprintf("the books and Stripe differ on %s, differences: %d; paylink reconcile -day %s tells them", date, report.Count, date), nil)
		}
	}
	return nil
}
