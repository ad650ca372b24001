package simulation

import (
	"context"
	"errors"
	"time"

	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/sms"
	"paylink/internal/sqldb"
	"paylink/internal/trail"
)

// store is sqldb on real SQLite, with the faults of a database around every call, and with an eye on every change that is committed.
type store struct {
	w  *world
	db *sqldb.DB
}

var errSQL = errors.New("the database does not answer")

// call is one transaction or read. Nothing else goes on within it: SQLite's write lock and Postgres's account lock see to that. A kill within it rolls it
// back, and is a kill before it.
func (s store) call(ctx context.Context, what string, writes bool, do func(context.Context) error) error {
	w := s.w
	w.step("sql " + what)
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.happens(sqlBefore) {
		return errSQL
	}
	err := do(context.WithoutCancel(ctx)) // a context that may end would have the driver start a goroutine for each query
	if err != nil {
		return err
	}
	if writes {
		if w.happens(sqlAfter) {
			return errSQL
		}
		w.step("sql " + what + " committed")
	}
	return nil
}

// ours says whether an error is of the faults' making.
func ours(err error) bool {
	return errors.Is(err, errSQL) || errors.Is(err, errDoor) || errors.Is(err, context.Canceled)
}

func (s store) Begin(ctx context.Context, clientID, vehicleID, formKey string, decide func(pay.Start) (pay.Begin, error)) (made pay.Payment, err error) {
	err = s.call(ctx, "begin", true, func(ctx context.Context) error {
		var b pay.Begin
		var start pay.Start
		made, err = s.db.Begin(ctx, clientID, vehicleID, formKey, func(f pay.Start) (pay.Begin, error) {
			var err error
			start = f
			b, err = decide(f)
			return b, err
		})
		if err == nil && b.Payment.ID != "" && !(start.SameForm != nil && start.SameForm.ID == b.Payment.ID) {
			if b.CloseStale != nil {
				s.w.changed(*start.Live, *b.CloseStale)
			}
			s.w.began(b)
		}
		return err
	})
	return made, err
}

func (s store) Apply(ctx context.Context, id string, decide func(pay.View) (pay.Change, error)) error {
	return s.call(ctx, "apply", true, func(ctx context.Context) error {
		var v pay.View
		var c pay.Change
		err := s.db.Apply(ctx, id, func(seen pay.View) (pay.Change, error) {
			var err error
			v = seen
			c, err = decide(seen)
			return c, err
		})
		if err == nil {
			s.w.changed(v, c)
		}
		return err
	})
}

func (s store) View(ctx context.Context, id string) (v pay.View, err error) {
	err = s.call(ctx, "view", false, func(ctx context.Context) error {
		v, err = s.db.View(ctx, id)
		return err
	})
	return v, err
}

func (s store) Glance(ctx context.Context, paymentID, linkID string) (g pay.Glance, err error) {
	err = s.call(ctx, "glance", false, func(ctx context.Context) error {
		g, err = s.db.Glance(ctx, paymentID, linkID)
		return err
	})
	return g, err
}

func (s store) Opened(ctx context.Context, linkID string, e trail.Entry) (live bool, err error) {
	err = s.call(ctx, "opened", true, func(ctx context.Context) error {
		live, err = s.db.Opened(ctx, linkID, e)
		return err
	})
	return live, err
}

func (s store) LinkOf(ctx context.Context, d link.Digest) (l link.Link, err error) {
	err = s.call(ctx, "link", false, func(ctx context.Context) error {
		l, err = s.db.LinkOf(ctx, d)
		return err
	})
	return l, err
}

func (s store) Write(ctx context.Context, e trail.Entry) error {
	return s.call(ctx, "trail", true, func(ctx context.Context) error { return s.db.Write(ctx, e) })
}

func (s store) Now(ctx context.Context) (time.Time, error) { return s.w.now, ctx.Err() }

func (s store) TakeMessage(ctx context.Context, id string, lease time.Duration) (m sms.Message, ok bool, err error) {
	err = s.call(ctx, "take", true, func(ctx context.Context) error {
		if m, ok, err = s.db.TakeMessage(ctx, id, lease); ok && err == nil {
			s.w.due(id, s.w.now.Add(lease))
		}
		return err
	})
	return m, ok, err
}

func (s store) SaveMessage(ctx context.Context, m sms.Message) error {
	return s.call(ctx, "save", true, func(ctx context.Context) error {
		err := s.db.SaveMessage(ctx, m)
		if err == nil {
			s.w.say("text %s is %s, tried %d times", m.ID, m.Status, m.Tries)
			s.w.due(m.ID, m.NextAt)
		}
		return err
	})
}

func (s store) HandOver(ctx context.Context, m sms.Message, from sms.Status) (ok bool, err error) {
	err = s.call(ctx, "hand over", true, func(ctx context.Context) error {
		if ok, err = s.db.HandOver(ctx, m, from); ok && err == nil {
			s.w.due(m.ID, m.NextAt)
		}
		return err
	})
	return ok, err
}

func (s store) AddReceipt(ctx context.Context, m sms.Message, e trail.Entry) error {
	return s.call(ctx, "receipt", true, func(ctx context.Context) error {
		s.w.due(m.ID, m.NextAt)
		return s.db.AddReceipt(ctx, m, e)
	})
}

func (s store) OptOut(ctx context.Context, e164 string) error {
	return s.call(ctx, "opt out", true, func(ctx context.Context) error { return s.db.OptOut(ctx, e164) })
}

func (s store) OptIn(ctx context.Context, e164 string) error {
	return s.call(ctx, "opt in", true, func(ctx context.Context) error { return s.db.OptIn(ctx, e164) })
}

func (s store) OptedOut(ctx context.Context, e164 string) (out bool, err error) {
	err = s.call(ctx, "opted out", false, func(ctx context.Context) error {
		out, err = s.db.OptedOut(ctx, e164)
		return err
	})
	return out, err
}

func (s store) Deliver(ctx context.Context, d sms.Delivery) error {
	return s.call(ctx, "deliver", true, func(ctx context.Context) error { return s.db.Deliver(ctx, d) })
}

func (s store) Due(ctx context.Context, limit int) (payments, messages []string, err error) {
	return s.db.Due(context.WithoutCancel(ctx), limit)
}

func (s store) Postpone(ctx context.Context, id string, by time.Duration) error {
	return s.call(ctx, "postpone", true, func(ctx context.Context) error {
		if s.w.dues[id].After(s.w.now) {
			return s.db.Postpone(ctx, id, by)
		}
		s.w.due(id, s.w.now.Add(by))
		return s.db.Postpone(ctx, id, by)
	})
}

func (s store) Rebuild(ctx context.Context, p pay.Payment, b pay.Booking, e trail.Entry) error {
	return s.call(ctx, "rebuild", true, func(ctx context.Context) error { return s.db.Rebuild(ctx, p, b, e) })
}

func (s store) PaymentOf(ctx context.Context, intentID string) (id string, err error) {
	err = s.call(ctx, "payment of", false, func(ctx context.Context) error {
		id, err = s.db.PaymentOf(ctx, intentID)
		return err
	})
	return id, err
}

func (s store) Record(ctx context.Context, id string) (r pay.Record, err error) {
	err = s.call(ctx, "record", false, func(ctx context.Context) error {
		r, err = s.db.Record(ctx, id)
		return err
	})
	return r, err
}

func (s store) Awaken(ctx context.Context) error {
	return s.call(ctx, "awaken", true, func(ctx context.Context) error { return s.db.Awaken(ctx) })
}

func (s store) Hear(ctx context.Context, n pay.Notice) (id string, err error) {
	err = s.call(ctx, "hear", true, func(ctx context.Context) error {
		if id, err = s.db.Hear(ctx, n); id != "" && err == nil {
			s.w.due(id, s.w.now)
		}
		return err
	})
	return id, err
}
