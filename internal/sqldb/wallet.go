package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"paylink/internal/account"
	"paylink/internal/pay"
	"paylink/internal/trail"
	"paylink/internal/wallet"
)

const cardsMost = 200 // of one client, removed ones too

// Customer realises wallet.Store.
func (d *DB) Customer(ctx context.Context, clientID string) (customer string, n int, err error) {
	err = d.read(ctx).row(`SELECT COALESCE(customer, ''), n FROM stripe_customers WHERE client_id = $1`, clientID).Scan(&customer, &n)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return customer, n, err
	}
	cards, err := d.Cards(ctx, clientID)
	if len(cards) > 0 {
		customer = cards[0].Customer
	}
	return customer, 0, err
}

// KeepCustomer realises wallet.Store.
func (d *DB) KeepCustomer(ctx context.Context, clientID, customer string) (kept string, err error) {
	err = d.write(ctx, func(t tx) error {
		if err := t.lockAccount(clientID); err != nil {
			return notFound(err)
		}
		if err := t.exec(`INSERT INTO stripe_customers (client_id, customer, n) VALUES ($1, $2, 0) ON CONFLICT (client_id) DO UPDATE SET customer = COALESCE(stripe_customers.customer, excluded.customer)`,
			clientID, customer); err != nil {
			return err
		}
		return t.row(`SELECT customer FROM stripe_customers WHERE client_id = $1`, clientID).Scan(&kept)
	})
	return kept, err
}

// ForgetCustomer realises wallet.Store.
func (d *DB) ForgetCustomer(ctx context.Context, customer string) (clientID string, err error) {
	err = d.write(ctx, func(t tx) error {
		clientID = ""
		err := t.row(`SELECT client_id FROM stripe_customers WHERE customer = $1`, customer).Scan(&clientID)
		if err == nil {
			return t.exec(`UPDATE stripe_customers SET customer = NULL, n = n + 1 WHERE customer = $1`, customer)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		// One that came with the cards, and was never written down here.
		err = t.row(`SELECT client_id FROM cards WHERE customer = $1 AND removed_ms = 0 LIMIT 1`, customer).Scan(&clientID)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return clientID, err
}

const setupColumns = `id, client_id, customer, terms_version, terms_language, address, user_agent, agreed_ms, state, card_id, why`

func scanSetup(scan func(...any) error) (wallet.Setup, error) {
	var s wallet.Setup
	var agreed int64
	err := scan(&s.ID, &s.ClientID, &s.Customer, &s.TermsVersion, &s.TermsLanguage, &s.Address, &s.UserAgent, &agreed, &s.State, &s.CardID, &s.Why)
	s.AgreedAt = fromMS(agreed)
	return s, notFound(err)
}

// AddSetup realises wallet.Store.
func (d *DB) AddSetup(ctx context.Context, s wallet.Setup, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		if err := t.exec(`INSERT INTO card_setups (`+setupColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			s.ID, s.ClientID, s.Customer, s.TermsVersion, s.TermsLanguage, s.Address, s.UserAgent, ms(s.AgreedAt), string(s.State), s.CardID, s.Why); err != nil {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
}

// Setup realises wallet.Store.
func (d *DB) Setup(ctx context.Context, id string) (wallet.Setup, error) {
	return scanSetup(d.read(ctx).row(`SELECT `+setupColumns+` FROM card_setups WHERE id = $1`, id).Scan)
}

// DecideCards realises wallet.Store.
func (d *DB) DecideCards(ctx context.Context, clientID, setupID string, decide func(wallet.Holding) (wallet.Change, error)) error {
	return d.write(ctx, func(t tx) error {
		if err := t.lockAccount(clientID); err != nil {
			return notFound(err)
		}
		var h wallet.Holding
		var err error
		if h.Client, err = t.client(clientID); err != nil {
			return err
		}
		if setupID != "" {
			if h.Setup, err = scanSetup(t.row(`SELECT `+setupColumns+` FROM card_setups WHERE id = $1 AND client_id = $2`, setupID, clientID).Scan); err != nil {
				return err
			}
		}
		err = t.each(`SELECT `+cardColumns+` FROM cards WHERE client_id = $1 ORDER BY main DESC, added_ms, id`+atMost(cardsMost), []any{clientID}, func(scan func(...any) error) error {
			c, err := scanCard(scan)
			h.Cards = append(h.Cards, c)
			return err
		})
		if err != nil {
			return err
		}
		if h.Now, err = t.now(); err != nil {
			return err
		}
		c, err := decide(h)
		if err != nil {
			return err
		}
		return t.changeCards(h, c)
	})
}

func (t tx) changeCards(h wallet.Holding, c wallet.Change) error {
	// What gives a place up comes before what takes it: there is one main card, and one of a number.
	slices.SortStableFunc(c.Cards, func(a, b account.Card) int { return int(flag(a.Main) - flag(b.Main)) })
	for _, card := range c.Cards {
		if err := t.putCard(card); clash(err) {
			return account.ErrSameCard
		} else if err != nil {
			return err
		}
	}
	if s := c.Setup; s != nil {
		if err := t.exec(`UPDATE card_setups SET state = $1, card_id = $2, why = $3 WHERE id = $4`, string(s.State), s.CardID, s.Why, s.ID); err != nil {
			return err
		}
	}
	for _, method := range c.Detach {
		if err := t.cardTask(wallet.Task{Object: method, Work: wallet.Detach}, h.Now); err != nil {
			return err
		}
	}
	if err := t.letters(c.Letter); err != nil {
		return err
	}
	if len(c.Cards) > 0 {
		t.changed(h.Client.ID)
	}
	return t.trail(c.Trail)
}

// cardTask makes a task due. One that somebody works at is due again: what it is asked for now, they may not have seen.
func (t tx) cardTask(task wallet.Task, at time.Time) error {
	return t.exec(`INSERT INTO card_tasks (object, work, next_ms, takes) VALUES ($1, $2, $3, 0) ON CONFLICT (object, work) DO UPDATE SET next_ms = excluded.next_ms, takes = card_tasks.takes + 1`,
		task.Object, string(task.Work), ms(at))
}

// CardOwner realises wallet.Store.
func (d *DB) CardOwner(ctx context.Context, paymentMethod string) (clientID string, err error) {
	err = d.read(ctx).row(`SELECT client_id FROM cards WHERE payment_method = $1 AND removed_ms = 0`, paymentMethod).Scan(&clientID)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return clientID, err
}

// HearCard realises wallet.Store.
func (d *DB) HearCard(ctx context.Context, n pay.Notice) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		added, err := t.hear(n, now)
		if err != nil || !added || n.Card == "" {
			return err
		}
		return t.cardTask(wallet.Task{Object: n.Card, Work: wallet.Look}, now)
	})
}

// hear stores an event, and says whether it is the first time.
func (t tx) hear(n pay.Notice, now time.Time) (bool, error) {
	return t.insert(`INSERT INTO stripe_events (id, account, type, intent_id, at_ms, received_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		n.ID, n.Account, n.Type, n.IntentID, ms(n.At), ms(now))
}

// DueCardTasks realises wallet.Store.
func (d *DB) DueCardTasks(ctx context.Context, limit int) ([]wallet.Task, error) {
	t := d.read(ctx)
	now, err := t.now()
	if err != nil {
		return nil, err
	}
	var out []wallet.Task
	err = t.each(`SELECT object, work, takes FROM card_tasks WHERE next_ms <= $1 ORDER BY next_ms`+atMost(limit), []any{ms(now)}, func(scan func(...any) error) error {
		var task wallet.Task
		err := scan(&task.Object, &task.Work, &task.Takes)
		out = append(out, task)
		return err
	})
	return out, err
}

// TakeCardTask realises wallet.Store, by moving the time at which the task is due again.
func (d *DB) TakeCardTask(ctx context.Context, task wallet.Task, lease time.Duration) (taken wallet.Task, ok bool, err error) {
	err = d.write(ctx, func(t tx) error {
		taken, ok = task, false
		now, err := t.now()
		if err != nil {
			return err
		}
		err = t.row(`UPDATE card_tasks SET next_ms = $1, takes = takes + 1 WHERE object = $2 AND work = $3 AND next_ms <= $4
			AND (work <> 'detach' OR NOT EXISTS (SELECT 1 FROM cards WHERE payment_method = card_tasks.object AND removed_ms = 0)) RETURNING takes`,
			ms(now.Add(lease)), task.Object, string(task.Work), ms(now)).Scan(&taken.Takes)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		return err
	})
	return taken, ok, err
}

// EndCardTask realises wallet.Store.
func (d *DB) EndCardTask(ctx context.Context, task wallet.Task) error {
	return d.write(ctx, func(t tx) error {
		return t.exec(`DELETE FROM card_tasks WHERE object = $1 AND work = $2 AND takes = $3`, task.Object, string(task.Work), task.Takes)
	})
}

// Expiring realises wallet.Store.
func (d *DB) Expiring(ctx context.Context, year, month, limit int) ([]string, error) {
	var ids []string
	err := d.read(ctx).each(`SELECT DISTINCT client_id FROM cards WHERE removed_ms = 0 AND exp_year = $1 AND exp_month = $2 AND warned < $3`+atMost(limit), []any{year, month, year*12 + month},
		func(scan func(...any) error) error {
			ids = append(ids, "")
			return scan(&ids[len(ids)-1])
		})
	return ids, err
}
