package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"paylink/internal/account"
	"paylink/internal/guard"
	"paylink/internal/link"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/trail"
)

const paymentColumns = `id, chain_id, door, client_id, COALESCE(vehicle_id, ''), location_id, stripe_account, by_kind, by_id, form_key, frozen, frozen_sha256, created_ms, opened_ms, closed_ms,
	state, closing_as, reason, COALESCE(intent_id, ''), expires_ms, lease_ms, COALESCE(next_ms, 0), attempt, phase, sends, declines, resends, looks, revoke, cancel_due, card_on_file, held, refunding, charged, given_back, version`

// stored is a payment as its row holds it; the version makes every write a compare-and-set.
type stored struct {
	pay.Payment
	version int64
}

func scanPayment(scan func(...any) error) (stored, error) {
	var p stored
	var frozen string
	var created, opened, closed, expires, lease, next, revoke, cancelDue, onFile, held int64
	err := scan(&p.ID, &p.ChainID, &p.Door, &p.ClientID, &p.VehicleID, &p.LocationID, &p.StripeAccount, &p.CreatedBy.Kind, &p.CreatedBy.ID, &p.FormKey, &frozen, &p.SummaryHash, &created, &opened, &closed,
		&p.State, &p.ClosingAs, &p.Reason, &p.IntentID, &expires, &lease, &next, &p.Attempt, &p.Phase, &p.Sends, &p.Declines, &p.Resends, &p.Looks, &revoke, &cancelDue, &onFile, &held, &p.Refunding, &p.Charged, &p.GivenBack, &p.version)
	if errors.Is(err, sql.ErrNoRows) {
		return p, pay.ErrNotFound
	}
	if err != nil {
		return p, err
	}
	p.CreatedAt, p.OpenedAt, p.ClosedAt = fromMS(created), fromMS(opened), fromMS(closed)
	p.ExpiresAt, p.LeaseUntil, p.NextAt = fromMS(expires), fromMS(lease), fromMS(next)
	p.Revoke, p.CancelDue, p.CardOnFile, p.Held = revoke != 0, cancelDue != 0, onFile != 0, held != 0
	if err := json.Unmarshal([]byte(frozen), &p.Frozen); err != nil {
		return p, fmt.Errorf("the frozen quote of payment %s can't be read: %w", p.ID, err)
	}
	return p, nil
}

func (t tx) payment(id string) (stored, error) {
	return scanPayment(t.row(`SELECT `+paymentColumns+` FROM payments WHERE id = $1`, id).Scan)
}

const attemptColumns = `id, payment_id, n, link_id, session_id, nonce_id, payment_method, brand, last4, funding, avs, cvc, state, code, charge_id, terms_version, terms_language, address, user_agent, started_ms, ended_ms`

func (t tx) attempts(paymentID string) ([]pay.Attempt, error) {
	var out []pay.Attempt
	err := t.each(`SELECT `+attemptColumns+` FROM attempts WHERE payment_id = $1 ORDER BY n`, []any{paymentID}, func(scan func(...any) error) error {
		var a pay.Attempt
		var started, ended int64
		err := scan(&a.ID, &a.PaymentID, &a.N, &a.LinkID, &a.SessionID, &a.NonceID, &a.PaymentMethod, &a.Card.Brand, &a.Card.Last4, &a.Card.Funding, &a.Card.AVS, &a.Card.CVC,
			&a.State, &a.Code, &a.ChargeID, &a.TermsVersion, &a.TermsLanguage, &a.Address, &a.UserAgent, &started, &ended)
		a.StartedAt, a.EndedAt = fromMS(started), fromMS(ended)
		out = append(out, a)
		return err
	})
	return out, err
}

const linkColumns = `id, payment_id, digest, state, phone_box, own_number, language, sent_by, created_ms, opened_ms, expires_ms`

// pendingLink is a link's row before its box is opened.
type pendingLink struct {
	link.Link
	box                           string
	own, created, opened, expires int64
}

func (l *pendingLink) into() []any {
	return []any{&l.ID, &l.PaymentID, &l.Digest, &l.State, &l.box, &l.own, &l.Language, &l.SentBy, &l.created, &l.opened, &l.expires}
}

func (t tx) scanLink(scan func(...any) error) (link.Link, error) {
	var l pendingLink
	err := scan(l.into()...)
	if errors.Is(err, sql.ErrNoRows) {
		return l.Link, link.ErrUnknown
	}
	if err != nil {
		return l.Link, err
	}
	return t.openLink(l)
}

func (t tx) openLink(l pendingLink) (link.Link, error) {
	number, err := t.d.config.Keys.Open(phoneOf(l.ID), l.box)
	if err != nil {
		return l.Link, fmt.Errorf("the phone number of link %s can't be opened: %w", l.ID, err)
	}
	l.Phone, l.OwnNumber = phone.Stored(number), l.own != 0
	l.CreatedAt, l.OpenedAt, l.ExpiresAt = fromMS(l.created), fromMS(l.opened), fromMS(l.expires)
	return l.Link, nil
}

// phoneOf is the purpose for which a row's phone number is sealed: its box opens in that row only.
func phoneOf(id string) string { return "phone of " + id }

// newestLink is the live link, or the last one there was; nil if there was none.
func (t tx) newestLink(paymentID string) (*link.Link, error) {
	l, err := t.scanLink(t.row(`SELECT `+linkColumns+` FROM links WHERE payment_id = $1 ORDER BY CASE state WHEN 'live' THEN 0 WHEN 'dead' THEN 1 ELSE 2 END, created_ms DESC LIMIT 1`, paymentID).Scan)
	if errors.Is(err, link.ErrUnknown) {
		return nil, nil
	}
	return &l, err
}

func (t tx) facts(clientID, vehicleID, locationID, but string) (pay.Facts, error) {
	var f pay.Facts
	var err error
	if f.Client, err = t.client(clientID); err != nil {
		return f, err
	}
	if vehicleID != "" {
		v, err := t.vehicle(vehicleID)
		if err != nil {
			return f, err
		}
		if v.ClientID != clientID {
			return f, account.ErrNotFound
		}
		f.Vehicle, locationID = &v, v.LocationID
	}
	if f.Location, err = t.location(locationID); err != nil {
		return f, err
	}
	if f.Standing, err = t.standing(f.Client, but); err != nil {
		return f, err
	}
	f.Now, err = t.now()
	return f, err
}

func (t tx) view(p stored) (pay.View, error) {
	v := pay.View{Payment: p.Payment}
	var err error
	if v.Terms, err = t.inForce(account.PaymentTerms); err != nil {
		return v, err
	}
	if v.Facts, err = t.facts(p.ClientID, p.VehicleID, p.LocationID, p.ID); err != nil {
		return v, err
	}
	if v.Attempts, err = t.attempts(p.ID); err != nil {
		return v, err
	}
	if v.Link, err = t.newestLink(p.ID); err != nil || !p.State.Booked() {
		return v, err
	}
	return v, t.booked(&v)
}

// View reads a payment with all that belongs to it. It takes no lock: what it says is decided again in Apply.
func (d *DB) View(ctx context.Context, id string) (pay.View, error) {
	t := d.read(ctx)
	p, err := t.payment(id)
	if err != nil {
		return pay.View{}, err
	}
	return t.view(p)
}

// Payment reads a payment alone.
func (d *DB) Payment(ctx context.Context, id string) (pay.Payment, error) {
	p, err := d.read(ctx).payment(id)
	return p.Payment, err
}

// Glance reads a payment, its attempts and one of its links for a payer's page: one query, and one more once there are attempts.
func (d *DB) Glance(ctx context.Context, paymentID, linkID string) (pay.Glance, error) {
	t := d.read(ctx)
	var g pay.Glance
	var nowMS int64
	clock := `0`
	if d.postgres && d.config.DatabaseClock {
		clock = clockMS
	}
	var l pendingLink
	p, err := scanPayment(func(into ...any) error {
		return t.row(`SELECT `+glanceColumns+`, `+clock+`, COALESCE((`+lastTerms+`), '') FROM payments p JOIN links l ON l.payment_id = p.id WHERE p.id = $1 AND l.id = $2`, paymentID, linkID).
			Scan(append(append(into, l.into()...), &nowMS, &g.Terms)...)
	})
	if err != nil {
		return g, err
	}
	g.Payment = p.Payment
	if g.Link, err = t.openLink(l); err != nil {
		return g, err
	}
	if g.Now = fromMS(nowMS); nowMS == 0 {
		if g.Now, err = t.now(); err != nil {
			return g, err
		}
	}
	if p.Attempt > 0 {
		g.Attempts, err = t.attempts(p.ID)
	}
	return g, err
}

var glanceColumns = prefixed("p", paymentColumns) + ", " + prefixed("l", linkColumns)

// prefixed names columns of one table of a join.
func prefixed(table, columns string) string {
	return column.ReplaceAllString(columns, table+".$1")
}

// column finds the names of columns; the functions and literals around them are in capitals, digits and quotes.
var column = regexp.MustCompile(`\b([a-z][a-z0-9_]*)\b`)

// Begin is T1 in one transaction.
func (d *DB) Begin(ctx context.Context, clientID, vehicleID, formKey string, decide func(pay.Start) (pay.Begin, error)) (pay.Payment, error) {
	var made pay.Payment
	err := d.write(ctx, func(t tx) error {
		if err := t.lockAccount(clientID); err != nil {
			return notFound(err)
		}
		s, live, err := t.start(clientID, vehicleID, formKey)
		if err != nil {
			return err
		}
		// A location that is suspended, or settles elsewhere, from now on: nothing begins there by what was read before.
		version, err := t.lockLocation(s.Facts.Location.ID, ` FOR SHARE`)
		if err != nil {
			return err
		}
		if version != s.Facts.Location.Version {
			return errMoved
		}
		b, err := decide(s)
		if pay.SameForm(err) {
			made = b.Payment
			return nil
		}
		if err != nil {
			return err
		}
		if b.CloseStale != nil {
			if err := t.change(live, s.Facts.Now, *b.CloseStale); err != nil {
				return err
			}
		}
		made = b.Payment
		if err := t.insertPayment(b.Payment, b.Link); err != nil {
			if clash(err) {
				return pay.ErrLive // the index holds what the lock should have prevented
			}
			return err
		}
		if b.Booking != nil {
			if err := t.book(stored{Payment: b.Payment}, *b.Booking); err != nil {
				return err
			}
		}
		if b.Link != nil {
			if err := t.insertLink(*b.Link); err != nil {
				return err
			}
		}
		if b.Message != nil {
			if err := t.insertMessage(*b.Message); err != nil {
				return err
			}
		}
		return t.trail(b.Trail)
	})
	return made, err
}

func (t tx) start(clientID, vehicleID, formKey string) (pay.Start, stored, error) {
	var s pay.Start
	var live stored
	locationID := ""
	if vehicleID == "" { // a pending balance is collected where the client is serviced
		if err := t.row(`SELECT location_id FROM vehicles WHERE client_id = $1 ORDER BY id LIMIT 1`, clientID).Scan(&locationID); err != nil {
			return s, live, notFound(err)
		}
	}
	same, err := scanPayment(t.row(`SELECT `+paymentColumns+` FROM payments WHERE form_key = $1 OR id = (SELECT payment_id FROM attempts WHERE nonce_id = $2)`, formKey, formKey).Scan)
	switch {
	case err == nil && same.ClientID == clientID:
		s.SameForm = &same.Payment
	case err != nil && !errors.Is(err, pay.ErrNotFound):
		return s, live, err
	}
	where, args := `vehicle_id = $1`, []any{vehicleID}
	if vehicleID == "" {
		where, args = `vehicle_id IS NULL AND client_id = $1`, []any{clientID}
	}
	live, err = scanPayment(t.row(`SELECT `+paymentColumns+` FROM payments WHERE `+where+` AND closed_ms = 0 AND state IN ('open', 'paying', 'needs_action', 'unknown', 'review')`, args...).Scan)
	if err != nil && !errors.Is(err, pay.ErrNotFound) {
		return s, live, err
	}
	but := ""
	if err == nil {
		v, err := t.view(live)
		if err != nil {
			return s, live, err
		}
		s.Live = &v
		// What the vehicle's own stale payment had reserved is free again; a live one that is not stale refuses this one anyway.
		but = live.ID
	}
	last, err := scanPayment(t.row(`SELECT `+paymentColumns+` FROM payments WHERE `+where+` AND (closed_ms <> 0 OR state NOT IN ('open', 'paying', 'needs_action', 'unknown', 'review')) ORDER BY created_ms DESC LIMIT 1`, args...).Scan)
	switch {
	case err == nil:
		s.Last = &last.Payment
	case !errors.Is(err, pay.ErrNotFound):
		return s, live, err
	}
	s.Facts, err = t.facts(clientID, vehicleID, locationID, but)
	return s, live, err
}

// insertPayment takes the payment's first link too; nil: it has none. What reports count by is written once, here.
func (t tx) insertPayment(p pay.Payment, first *link.Link) error {
	text, hash, err := p.Frozen.Encode()
	if err != nil {
		return err
	}
	if hash != p.SummaryHash {
		return errors.New("the frozen quote does not have the hash that was shown")
	}
	s := p.Frozen.Summary
	var l link.Link
	if first != nil {
		l = *first
	}
	var before int64 // links of its chain
	if p.ChainID != p.ID {
		if err := t.row(`SELECT COUNT(*) FROM payments WHERE client_id = $1 AND chain_id = $2 AND door = 'link'`, p.ClientID, p.ChainID).Scan(&before); err != nil {
			return err
		}
	}
	t.changed(p.ClientID)
	return t.exec(`INSERT INTO payments (id, chain_id, reference, door, client_id, vehicle_id, location_id, stripe_account, by_kind, by_id, form_key, frozen, frozen_sha256, amount, past_due, credit,
		created_ms, opened_ms, closed_ms, version, state, closing_as, reason, intent_id, expires_ms, lease_ms, next_ms, attempt, phase, sends, declines, resends, looks, revoke, cancel_due, card_on_file,
		held, refunding, charged, given_back, late_ms, days, language, own_number, first_link, delivered_ms)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, $18, 1, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39,
		$40, $41, $42, $43, 0)`,
		p.ID, p.ChainID, p.Reference(), string(p.Door), p.ClientID, orNull(p.VehicleID), p.LocationID, p.StripeAccount, string(p.CreatedBy.Kind), p.CreatedBy.ID, p.FormKey, text, hash,
		int64(s.TotalDue), int64(s.PastDue), int64(s.CreditApplied), ms(p.CreatedAt), ms(p.ClosedAt), string(p.State), string(p.ClosingAs), string(p.Reason), orNull(p.IntentID), ms(p.ExpiresAt),
		ms(p.LeaseUntil), dueMS(p.NextAt), p.Attempt, p.Phase, p.Sends, p.Declines, p.Resends, p.Looks, flag(p.Revoke), flag(p.CancelDue), flag(p.CardOnFile), flag(p.Held), int(p.Refunding), int64(p.Charged), int64(p.GivenBack), 0,
		p.Frozen.Input.Days, l.Language, flag(l.OwnNumber), flag(p.Door == pay.ByLink && before == 0))
}

func (t tx) insertLink(l link.Link) error {
	return t.exec(`INSERT INTO links (id, payment_id, digest, state, phone_box, last4, own_number, language, sent_by, created_ms, opened_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11)`,
		l.ID, l.PaymentID, string(l.Digest), string(l.State), t.d.config.Keys.Seal(phoneOf(l.ID), l.Phone.E164()), l.Phone.Last4(), flag(l.OwnNumber), l.Language, l.SentBy, ms(l.CreatedAt), ms(l.ExpiresAt))
}

// Apply is one transition in one transaction: lock, clock, facts, decision, compare-and-set.
func (d *DB) Apply(ctx context.Context, id string, decide func(pay.View) (pay.Change, error)) error {
	return d.write(ctx, func(t tx) error {
		var clientID string
		if err := t.row(`SELECT client_id FROM payments WHERE id = $1`, id).Scan(&clientID); err != nil {
			if errors.Is(err, sql.ErrNoRows) {
				return pay.ErrNotFound
			}
			return err
		}
		if err := t.lockAccount(clientID); err != nil {
			return err
		}
		p, err := t.payment(id)
		if err != nil {
			return err
		}
		if p.State == pay.Open { // only then can somebody have agreed to the terms just now
			if err := t.lockTerms(" FOR SHARE"); err != nil {
				return err
			}
		}
		v, err := t.view(p)
		if err != nil {
			return err
		}
		c, err := decide(v)
		if err != nil {
			return err
		}
		return t.change(p, v.Facts.Now, c)
	})
}

// change writes what a transition decided.
func (t tx) change(p stored, now time.Time, c pay.Change) error {
	t.changed(p.ClientID)
	closed := p.ClosedAt
	if p.State.Live() && !c.Life.State.Live() {
		closed = now
	}
	late := int64(0)
	if !p.State.Booked() && c.Life.State == pay.PaidAfterClose {
		late = ms(now)
	}
	claim := ""
	if p.State == pay.Open && c.Life.State == pay.Paying {
		claim = ` AND expires_ms > $26` // the claim holds its own condition, whoever decided
	}
	l := c.Life
	args := []any{string(l.State), string(l.ClosingAs), string(l.Reason), orNull(l.IntentID), ms(l.ExpiresAt), ms(l.LeaseUntil), dueMS(l.NextAt),
		l.Attempt, l.Phase, l.Sends, l.Declines, l.Resends, l.Looks, flag(l.Revoke), flag(l.CancelDue), ms(closed), flag(l.CardOnFile), flag(l.Held), int(l.Refunding), int64(l.Charged), int64(l.GivenBack), late,
		p.ID, string(p.State), p.version}
	if claim != "" {
		args = append(args, ms(now))
	}
	// The PaymentIntent's id is written once: what is there stays.
	if err := t.exactlyOne(`UPDATE payments SET version = version + 1, state = $1, closing_as = $2, reason = $3, intent_id = COALESCE(intent_id, $4), expires_ms = $5, lease_ms = $6, next_ms = $7,
		attempt = $8, phase = $9, sends = $10, declines = $11, resends = $12, looks = $13, revoke = $14, cancel_due = $15, closed_ms = $16,
		card_on_file = $17, held = $18, refunding = $19, charged = $20, given_back = $21, late_ms = late_ms + $22
		WHERE id = $23 AND state = $24 AND version = $25`+claim, args...); err != nil {
		return err
	}
	if a := c.NewAttempt; a != nil {
		if err := t.exec(`INSERT INTO attempts (`+attemptColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
			a.ID, a.PaymentID, a.N, a.LinkID, a.SessionID, a.NonceID, a.PaymentMethod, a.Card.Brand, a.Card.Last4, a.Card.Funding, a.Card.AVS, a.Card.CVC, string(a.State), a.Code, a.ChargeID,
			a.TermsVersion, a.TermsLanguage, a.Address, a.UserAgent, ms(a.StartedAt), ms(a.EndedAt)); err != nil {
			return err
		}
	}
	for _, a := range c.Ended {
		if err := t.exec(`UPDATE attempts SET state = $1, code = $2, charge_id = $3, brand = $4, last4 = $5, funding = $6, avs = $7, cvc = $8, ended_ms = $9 WHERE id = $10`,
			string(a.State), a.Code, a.ChargeID, a.Card.Brand, a.Card.Last4, a.Card.Funding, a.Card.AVS, a.Card.CVC, ms(a.EndedAt), a.ID); err != nil {
			return err
		}
	}
	for _, b := range c.Bookings {
		if err := t.book(p, b); err != nil {
			return err
		}
	}
	if err := t.returns(c); err != nil {
		return err
	}
	for _, o := range c.Supersede {
		other, err := t.payment(o.ID)
		if err != nil {
			return err
		}
		if err := t.change(other, now, pay.Change{Life: o.Life}); err != nil {
			return err
		}
	}
	switch {
	case c.Link != nil:
		if err := t.shutLinks(p.ID, link.Replaced); err != nil {
			return err
		}
		if err := t.insertLink(*c.Link); err != nil {
			return err
		}
	case !l.State.Live():
		if err := t.shutLinks(p.ID, link.Dead); err != nil {
			return err
		}
	}
	if c.Message != nil {
		if err := t.insertMessage(*c.Message); err != nil {
			return err
		}
	}
	return t.trail(c.Trail)
}

// shutLinks ends a payment's live link, drops its text if that has not left, and empties the box with its token.
func (t tx) shutLinks(paymentID string, as link.State) error {
	if err := t.exec(`UPDATE links SET state = $1 WHERE payment_id = $2 AND state = 'live'`, string(as), paymentID); err != nil {
		return err
	}
	return t.exec(`UPDATE messages SET box = '', next_ms = CASE WHEN status = 'waiting' THEN NULL ELSE next_ms END, rank = CASE WHEN status = 'waiting' THEN 4 ELSE rank END,
		status = CASE WHEN status = 'waiting' THEN 'dropped' ELSE status END WHERE payment_id = $1 AND kind = 'link' AND box <> ''`, paymentID)
}

// book writes a success into the books. A fact that is booked already makes the whole transition fail: it must not be booked by two transitions.
func (t tx) book(p stored, b pay.Booking) error {
	if b.Invoice != nil {
		if err := t.invoice(*b.Invoice, ""); err != nil {
			return err
		}
	}
	for _, e := range b.Entries {
		if err := t.entry(e); err != nil {
			return fmt.Errorf("%s: %w", e.Cause, err)
		}
	}
	if b.Note != nil {
		if _, err := t.note(*b.Note); err != nil {
			return err
		}
	}
	if b.PaidTo == "" {
		return nil
	}
	if b.FreeMonths {
		if err := t.exec(`DELETE FROM state_fee_months WHERE vehicle_id = $1 AND payment_id = $2`, p.VehicleID, p.ID); err != nil {
			return err
		}
	}
	if err := t.exactlyOne(`UPDATE vehicles SET paid_to = $1, paid_by = $2 WHERE id = $3 AND paid_to = $4`, string(b.PaidTo), p.ID, p.VehicleID, string(b.PaidToFrom)); err != nil {
		return err
	}
	return t.feeMonths(p.VehicleID, p.ID, b.FeeMonths)
}

// Opened is T2: the first opening is written down, once.
func (d *DB) Opened(ctx context.Context, linkID string, e trail.Entry) (bool, error) {
	live := false
	err := d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		var state, paymentState, paymentID, clientID string
		var opened, expires int64
		err = t.row(`SELECT l.state, l.opened_ms, l.expires_ms, p.id, p.state, p.client_id FROM links l JOIN payments p ON p.id = l.payment_id WHERE l.id = $1`, linkID).
			Scan(&state, &opened, &expires, &paymentID, &paymentState, &clientID)
		if errors.Is(err, sql.ErrNoRows) {
			return link.ErrUnknown
		}
		if err != nil {
			return err
		}
		live = state == string(link.Live) && now.UnixMilli() < expires && pay.State(paymentState).Live()
		if !live || opened != 0 {
			return nil
		}
		if err := t.exactlyOne(`UPDATE links SET opened_ms = $1 WHERE id = $2 AND opened_ms = 0`, ms(now), linkID); err != nil {
			return err
		}
		if err := t.exec(`UPDATE payments SET opened_ms = $1 WHERE id = $2 AND opened_ms = 0`, ms(now), paymentID); err != nil {
			return err
		}
		t.changed(clientID)
		e.At, e.Object, e.ClientID = now, paymentID, clientID
		return t.trail([]trail.Entry{e})
	})
	return live, err
}

// LinkOf finds a link by its token's digest.
func (d *DB) LinkOf(ctx context.Context, digest link.Digest) (link.Link, error) {
	t := d.read(ctx)
	return t.scanLink(t.row(`SELECT `+linkColumns+` FROM links WHERE digest = $1`, string(digest)).Scan)
}

// Links lists a payment's links, oldest first.
func (d *DB) Links(ctx context.Context, paymentID string) ([]link.Link, error) {
	t := d.read(ctx)
	var out []link.Link
	err := t.each(`SELECT `+linkColumns+` FROM links WHERE payment_id = $1 ORDER BY created_ms`, []any{paymentID}, func(scan func(...any) error) error {
		l, err := t.scanLink(scan)
		out = append(out, l)
		return err
	})
	return out, err
}

// Due lists what wants to be looked at, oldest first.
func (d *DB) Due(ctx context.Context, limit int) (payments, messages []string, err error) {
	t := d.read(ctx)
	now, err := t.now()
	if err != nil {
		return nil, nil, err
	}
	list := func(query string) (ids []string, err error) {
		err = t.each(query+atMost(limit), []any{ms(now)}, func(scan func(...any) error) error {
			ids = append(ids, "")
			return scan(&ids[len(ids)-1])
		})
		return ids, err
	}
	if payments, err = list(`SELECT id FROM payments WHERE next_ms IS NOT NULL AND next_ms <= $1 ORDER BY next_ms`); err != nil {
		return nil, nil, err
	}
	messages, err = list(`SELECT id FROM messages WHERE next_ms IS NOT NULL AND next_ms <= $1 ORDER BY next_ms`)
	return payments, messages, err
}

// Hear stores an event once and makes its payment due. An event of another account than the payment's is refused.
func (d *DB) Hear(ctx context.Context, n pay.Notice) (string, error) {
	var id string
	err := d.write(ctx, func(t tx) error {
		id = ""
		now, err := t.now()
		if err != nil {
			return err
		}
		added, err := t.hear(n, now)
		if err != nil || !added || n.IntentID == "" {
			return err
		}
		var owner string
		err = t.row(`SELECT id, stripe_account FROM payments WHERE intent_id = $1`, n.IntentID).Scan(&id, &owner)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if owner != n.Account && guard.On(guard.EventAccount) {
			return pay.ErrOtherAccount
		}
		// A transition under way has read the row before: the version has it read again, so that it does not put its own time over this one.
		// What was paid has nothing to learn of its PaymentIntent any more, but of refunds and disputes.
		back := flag(strings.HasPrefix(n.Type, "refund.") || strings.HasPrefix(n.Type, "charge.refund") || strings.HasPrefix(n.Type, "charge.dispute."))
		return t.exec(`UPDATE payments SET next_ms = $1, version = version + 1 WHERE id = $2 AND state <> 'review' AND ($3 = 1 OR state NOT IN ('paid', 'applied', 'refunded', 'paid_after_close'))`, ms(now), id, back)
	})
	return id, err
}

// Postpone has a payment looked at later, if it is due now: one that can't be looked after must not keep others waiting.
func (d *DB) Postpone(ctx context.Context, paymentID string, by time.Duration) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		return t.exec(`UPDATE payments SET next_ms = $1 WHERE id = $2 AND next_ms <= $3`, ms(now.Add(by)), paymentID, ms(now))
	})
}

// PaymentsOf lists a client's payments, newest first, at most limit of them.
func (d *DB) PaymentsOf(ctx context.Context, clientID string, limit int) ([]pay.Payment, error) {
	var out []pay.Payment
	err := d.read(ctx).each(`SELECT `+paymentColumns+` FROM payments WHERE client_id = $1 ORDER BY created_ms DESC, id DESC LIMIT $2`, []any{clientID, limit}, func(scan func(...any) error) error {
		p, err := scanPayment(scan)
		out = append(out, p.Payment)
		return err
	})
	return out, err
}
