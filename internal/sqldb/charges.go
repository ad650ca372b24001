package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"paylink/internal/account"
	"paylink/internal/desk/agent"
	"paylink/internal/ledger"
	"paylink/internal/trail"
)

// Account reads all that a charge to an account is decided upon. Errors: account.ErrNotFound.
func (d *DB) Account(ctx context.Context, clientID string) (agent.Account, error) {
	return d.read(ctx).charged(clientID)
}

func (t tx) charged(clientID string) (agent.Account, error) {
	var a agent.Account
	c, vehicles, err := t.whole(clientID)
	if err != nil {
		return a, err
	}
	a.Client = c
	at := map[string]account.Location{}
	for _, v := range vehicles {
		l, known := at[v.LocationID]
		if !known {
			if l, err = t.location(v.LocationID); err != nil {
				return a, err
			}
			at[l.ID] = l
			fees, err := t.fees(l.ID)
			if err != nil {
				return a, err
			}
			a.Fees = append(a.Fees, fees...)
		}
		a.Vehicles = append(a.Vehicles, agent.Vehicle{Vehicle: v, Location: l})
	}
	if a.Balance, err = t.balance(clientID); err != nil {
		return a, err
	}
	var inFlight int
	if err := t.row(`SELECT COUNT(*) FROM payments WHERE client_id = $1 AND state IN ('paying', 'needs_action', 'unknown')`, clientID).Scan(&inFlight); err != nil {
		return a, err
	}
	a.InFlight = inFlight > 0
	a.Now, err = t.now()
	return a, err
}

// fees lists a location's fees, retired ones too.
func (t tx) fees(locationID string) ([]account.Fee, error) {
	var out []account.Fee
	err := t.each(`SELECT id, location_id, name, kind, amount, retired FROM fees WHERE location_id = $1`, []any{locationID}, func(scan func(...any) error) error {
		var f account.Fee
		var retired int64
		err := scan(&f.ID, &f.LocationID, &f.Name, &f.Kind, &f.Amount, &retired)
		f.Retired = retired != 0
		out = append(out, f)
		return err
	})
	slices.SortFunc(out, func(a, b account.Fee) int { return strings.Compare(a.ID, b.ID) }) // order by text differs between the databases
	return out, err
}

// AddInvoice writes what decide decides about an account, with the account locked. What the form has added before is returned, and nothing is decided.
func (d *DB) AddInvoice(ctx context.Context, clientID, formKey string, decide func(agent.Account) (agent.Charge, error)) (ledger.Invoice, error) {
	var added ledger.Invoice
	err := d.write(ctx, func(t tx) error {
		if err := t.lockAccount(clientID); err != nil {
			return notFound(err)
		}
		if formKey != "" {
			var id string
			err := t.row(`SELECT id FROM invoices WHERE form_key = $1`, formKey).Scan(&id)
			if err == nil {
				same, err := t.invoices(`WHERE id = $1 AND client_id = $2`, id, clientID)
				if err == nil && len(same) == 1 {
					added = same[0]
				}
				return err
			}
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		a, err := t.charged(clientID)
		if err != nil {
			return err
		}
		c, err := decide(a)
		if err != nil {
			return err
		}
		added = c.Invoice
		if err := t.invoice(c.Invoice, c.FormKey); err != nil {
			return err
		}
		if err := t.entry(c.Entry); err != nil {
			return err
		}
		if _, err := t.note(c.Note); err != nil {
			return err
		}
		return t.trail([]trail.Entry{c.Trail})
	})
	return added, err
}
