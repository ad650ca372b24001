package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"paylink/internal/guard"
	"paylink/internal/phone"
	"paylink/internal/sms"
	"paylink/internal/trail"
)

const messageColumns = `id, kind, COALESCE(payment_id, ''), COALESCE(link_id, ''), language, box, phone_box, status, tries, sid, error_code, created_ms, handed_ms, sent_ms, ended_ms, COALESCE(next_ms, 0)`

func (t tx) scanMessage(scan func(...any) error) (sms.Message, error) {
	var m sms.Message
	var box, phoneBox string
	var created, handed, sent, ended, next int64
	if err := scan(&m.ID, &m.Kind, &m.PaymentID, &m.LinkID, &m.Language, &box, &phoneBox, &m.Status, &m.Tries, &m.SID, &m.ErrorCode, &created, &handed, &sent, &ended, &next); err != nil {
		return m, err
	}
	number, err := t.d.config.Keys.Open(phoneOf(m.ID), phoneBox)
	if err != nil {
		return m, fmt.Errorf("the phone number of message %s can't be opened: %w", m.ID, err)
	}
	m.Phone = phone.Stored(number)
	if box != "" {
		if m.Box, err = t.d.config.Keys.Open(tokenOf(m.ID), box); err != nil {
			return m, fmt.Errorf("the token of message %s can't be opened: %w", m.ID, err)
		}
	}
	m.CreatedAt, m.HandedAt, m.SentAt, m.EndedAt, m.NextAt = fromMS(created), fromMS(handed), fromMS(sent), fromMS(ended), fromMS(next)
	return m, nil
}

func tokenOf(id string) string { return "token of " + id }

func (t tx) sealBox(m sms.Message) string {
	if m.Box == "" {
		return ""
	}
	return t.d.config.Keys.Seal(tokenOf(m.ID), m.Box)
}

func (t tx) insertMessage(m sms.Message) error {
	added, err := t.addMessage(m)
	if err == nil && !added {
		return fmt.Errorf("link %s, payment %s has its text already", m.LinkID, m.PaymentID)
	}
	return err
}

// addMessage adds a text unless its link, or its payment where it has none, has one of its kind, and says whether it did.
func (t tx) addMessage(m sms.Message) (bool, error) {
	return t.insert(`INSERT INTO messages (id, kind, payment_id, link_id, language, box, phone_box, status, rank, tries, sid, error_code, created_ms, handed_ms, sent_ms, ended_ms, next_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) ON CONFLICT DO NOTHING`,
		m.ID, string(m.Kind), orNull(m.PaymentID), orNull(m.LinkID), m.Language, t.sealBox(m), t.d.config.Keys.Seal(phoneOf(m.ID), m.Phone.E164()), string(m.Status), m.Status.Rank(), m.Tries, m.SID, m.ErrorCode,
		ms(m.CreatedAt), ms(m.HandedAt), ms(m.SentAt), ms(m.EndedAt), dueMS(m.NextAt))
}

// AddReceipt queues a receipt's text, once for each link.
func (d *DB) AddReceipt(ctx context.Context, m sms.Message, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		added, err := t.addMessage(m)
		if err != nil || !added {
			return err
		}
		if err := t.changedPayment(m.PaymentID); err != nil {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
}

// TakeMessage gives one worker a text that is due, by moving the time at which it is due again.
func (d *DB) TakeMessage(ctx context.Context, id string, lease time.Duration) (m sms.Message, ok bool, err error) {
	err = d.write(ctx, func(t tx) error {
		ok = false
		now, err := t.now()
		if err != nil {
			return err
		}
		m, err = t.scanMessage(t.row(`UPDATE messages SET next_ms = $1 WHERE id = $2 AND next_ms IS NOT NULL AND next_ms <= $3 RETURNING `+messageColumns, ms(now.Add(lease)), id, ms(now)).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		return err
	})
	return m, ok, err
}

// SaveMessage writes how far a text has come. What the carrier has told meanwhile, by a callback, stays: only a status of ours may be replaced by one that ranks lower.
func (d *DB) SaveMessage(ctx context.Context, m sms.Message) error {
	return d.write(ctx, func(t tx) error {
		var had sms.Status
		var box string
		var paymentID string
		var tries int
		if err := t.row(`SELECT status, box, tries, COALESCE(payment_id, '') FROM messages WHERE id = $1`, m.ID).Scan(&had, &box, &tries, &paymentID); err != nil {
			return err
		}
		if err := t.changedPayment(paymentID); err != nil {
			return err
		}
		// Another worker may have handed it over since this one did: the count of what may have been taken never goes back, or there would be a third copy. Only the
		// try that the carrier has just refused to take is taken off it, by the worker that had handed it over.
		if untaken := m.Untaken && tries == m.Tries+1; tries > m.Tries && !untaken {
			if m.Status == sms.Waiting || m.Status == sms.Unclear {
				return nil // it knows less than the other
			}
			m.Tries = tries
		}
		told := had != sms.Waiting && had != sms.Unclear
		if told && m.Status.Rank() <= had.Rank() && m.Status != had {
			// The callback came first, or the link was closed: keep its word, add what only we know.
			return t.exactlyOne(`UPDATE messages SET sid = CASE WHEN sid = '' THEN $1 ELSE sid END, tries = $2, handed_ms = CASE WHEN handed_ms = 0 THEN $3 ELSE handed_ms END, box = '' WHERE id = $4 AND status = $5`,
				m.SID, m.Tries, ms(m.HandedAt), m.ID, string(had))
		}
		sealed := box // a box is only ever emptied
		if m.Box == "" {
			sealed = ""
		}
		if err := t.delivered(m, m.Status, m.EndedAt); err != nil {
			return err
		}
		return t.exactlyOne(`UPDATE messages SET status = $1, rank = $2, tries = $3, sid = CASE WHEN sid = '' THEN $4 ELSE sid END, error_code = $5, handed_ms = $6,
			sent_ms = CASE WHEN sent_ms = 0 THEN $7 ELSE sent_ms END, ended_ms = $8, next_ms = $9, box = $10 WHERE id = $11 AND status = $12`,
			string(m.Status), m.Status.Rank(), m.Tries, m.SID, m.ErrorCode, ms(m.HandedAt), ms(m.SentAt), ms(m.EndedAt), dueMS(m.NextAt), sealed, m.ID, string(had))
	})
}

// HandOver writes down that a text is being handed to the carrier, if it still stands as it was taken: had no other worker handed it over since, and is its link still live.
func (d *DB) HandOver(ctx context.Context, m sms.Message, from sms.Status) (ok bool, err error) {
	err = d.write(ctx, func(t tx) error {
		ok, err = t.insert(`UPDATE messages SET status = $1, rank = $2, tries = $3, handed_ms = $4, next_ms = $5 WHERE id = $6 AND status = $7 AND tries = $8 AND (kind NOT IN ('link', 'code') OR box <> '')`,
			string(m.Status), m.Status.Rank(), m.Tries, ms(m.HandedAt), dueMS(m.NextAt), m.ID, string(from), m.Tries-1)
		if err != nil || !ok {
			return err
		}
		return t.changedPayment(m.PaymentID)
	})
	return ok, err
}

// Deliver writes the carrier's word on a message down, unless it is older news. An opted-out number is remembered in the same transaction.
func (d *DB) Deliver(ctx context.Context, got sms.Delivery) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		m, err := t.scanMessage(t.row(`SELECT `+messageColumns+` FROM messages WHERE id = $1`, got.MessageID).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return sms.ErrUnknownMessage
		}
		if err != nil {
			return err
		}
		if sms.OptedOut(got.ErrorCode) {
			if err := t.optOut(m.Phone.E164(), now); err != nil {
				return err
			}
		}
		// A text that was given up or dropped here while its answer was lost has arrived all the same, if the carrier says so.
		ours := m.SID == "" && (m.Status == sms.Failed || m.Status == sms.Dropped)
		if got.Status == "" || got.Status.Rank() <= m.Status.Rank() && !ours && guard.On(guard.TextRank) {
			return nil
		}
		if err := t.changedPayment(m.PaymentID); err != nil {
			return err
		}
		sent, ended := m.SentAt, m.EndedAt
		switch got.Status {
		case sms.Sent:
			sent = now
		case sms.Delivered, sms.Undelivered, sms.Failed:
			ended = now
		}
		if err := t.delivered(m, got.Status, now); err != nil {
			return err
		}
		next := m.NextAt
		if !ended.IsZero() {
			next = time.Time{}
		}
		return t.exactlyOne(`UPDATE messages SET status = $1, rank = $2, sid = CASE WHEN sid = '' THEN $3 ELSE sid END, error_code = $4, sent_ms = $5, ended_ms = $6, next_ms = $7, box = '' WHERE id = $8 AND status = $9`,
			string(got.Status), got.Status.Rank(), got.SID, got.ErrorCode, ms(sent), ms(ended), dueMS(next), m.ID, string(m.Status))
	})
}

// delivered notes with its payment that a link's text has arrived, the first time.
func (t tx) delivered(m sms.Message, status sms.Status, at time.Time) error {
	if m.Kind != sms.LinkText || status != sms.Delivered {
		return nil
	}
	return t.exec(`UPDATE payments SET delivered_ms = $1 WHERE id = $2 AND delivered_ms = 0`, ms(at), m.PaymentID)
}

// Messages lists a payment's texts, oldest first.
func (d *DB) Messages(ctx context.Context, paymentID string) ([]sms.Message, error) {
	t := d.read(ctx)
	var out []sms.Message
	err := t.each(`SELECT `+messageColumns+` FROM messages WHERE payment_id = $1 ORDER BY created_ms`, []any{paymentID}, func(scan func(...any) error) error {
		m, err := t.scanMessage(scan)
		out = append(out, m)
		return err
	})
	return out, err
}

// optOut notes that a number wants no texts, and when; a number that has said so before changes nothing.
func (t tx) optOut(e164 string, now time.Time) error {
	added, err := t.insert(`INSERT INTO opt_outs (phone, at_ms, carrier) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING`, e164, ms(now))
	if err == nil && !added { // its owner may have opted out in My Account before
		added, err = t.insert(`UPDATE opt_outs SET carrier = 1 WHERE phone = $1 AND carrier = 0`, e164)
	}
	if err != nil || !added {
		return err
	}
	return t.wish(e164, "opt out of texts", now)
}

// wish keeps what the owner of a number wished for: consent has to be proved years later, when the opt-out itself is gone.
func (t tx) wish(e164, act string, now time.Time) error {
	var owners []string
	err := t.each(`SELECT id FROM clients WHERE phone = $1 LIMIT 2`, []any{e164}, func(scan func(...any) error) error {
		owners = append(owners, "")
		return scan(&owners[len(owners)-1])
	})
	if err != nil {
		return err
	}
	e := trail.Entry{ID: t.d.config.NewID(), At: now, Actor: trail.ByTwilio, Act: act, Object: phone.Stored(e164).String()}
	if len(owners) == 1 { // of a number that several share nobody knows who wished
		e.ClientID = owners[0]
	}
	return t.trail([]trail.Entry{e})
}

// OptOut notes that a number wants no texts, and leaves a trail entry.
func (d *DB) OptOut(ctx context.Context, e164 string) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.optOut(e164, now)
	})
}

// OptIn notes that a number that had opted out wants texts again. The trail keeps both.
func (d *DB) OptIn(ctx context.Context, e164 string) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		gone, err := t.insert(`DELETE FROM opt_outs WHERE phone = $1`, e164)
		if err != nil || !gone {
			return err
		}
		return t.wish(e164, "opt in to texts", now)
	})
}

// OptedOut says whether a number wants no texts.
func (d *DB) OptedOut(ctx context.Context, e164 string) (bool, error) {
	err := d.read(ctx).row(`SELECT phone FROM opt_outs WHERE phone = $1`, e164).Scan(new(string))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
