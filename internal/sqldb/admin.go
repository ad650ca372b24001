package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"paylink/internal/account"
	"paylink/internal/desk/admin"
	"paylink/internal/lang"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// --- Staff -----------------------------------------------------------------------------------------------------------------------------------

// Staff lists everybody who works here, in no order.
func (d *DB) Staff(ctx context.Context, limit int) ([]staff.Member, error) {
	var out []staff.Member
	err := d.read(ctx).each(`SELECT `+staffColumns+` FROM staff LIMIT $1`, []any{limit}, func(scan func(...any) error) error {
		m, err := scanMember(scan)
		out = append(out, m)
		return err
	})
	return out, err
}

// FactorsOf says what one of the staff proves who they are with, besides the password.
func (d *DB) FactorsOf(ctx context.Context, id string) (admin.Factors, error) {
	return d.read(ctx).factors(id)
}

func (t tx) factors(id string) (admin.Factors, error) {
	var f admin.Factors
	var codes int
	err := t.row(`SELECT (SELECT COUNT(*) FROM totp WHERE owner_kind = 'staff' AND owner_id = $1), (SELECT COUNT(*) FROM passkeys WHERE owner_kind = 'staff' AND owner_id = $1),
		(SELECT COUNT(*) FROM sign_on WHERE staff_id = $1)`, id).Scan(&codes, &f.Passkeys, &f.Accounts)
	f.Codes = codes > 0
	return f, err
}

// AddStaff adds somebody, with the trail entry. Errors: staff.ErrTaken, admin.ErrEmailTaken.
func (d *DB) AddStaff(ctx context.Context, m staff.Member, e trail.Entry) error {
	err := d.write(ctx, func(t tx) error {
		if err := t.emailFree(m); err != nil {
			return err
		}
		if err := t.addMember(m, ms(e.At)); err != nil {
			return err
		}
		return t.trail([]trail.Entry{e})
	})
	if clash(err) {
		return staff.ErrTaken
	}
	return err
}

// emailFree returns admin.ErrEmailTaken where somebody else has the address. The index holds it where two come at once.
func (t tx) emailFree(m staff.Member) error {
	if m.Email == "" {
		return nil
	}
	err := t.row(`SELECT id FROM staff WHERE email = $1 AND id <> $2`, m.Email, m.ID).Scan(new(string))
	switch {
	case err == nil:
		return admin.ErrEmailTaken
	case errors.Is(err, sql.ErrNoRows):
		return nil
	}
	return err
}

// ChangeStaff changes one of the staff in one transaction. It locks all administrators first: of two who take each other away at once, the second is read when they no longer are one.
func (d *DB) ChangeStaff(ctx context.Context, by, id string, decide func(admin.StaffFacts) (admin.StaffChange, error)) error {
	err := d.write(ctx, func(t tx) error {
		var f admin.StaffFacts
		query := `SELECT id FROM staff WHERE role = 'admin' ORDER BY id`
		if t.d.postgres {
			query += ` FOR UPDATE`
		}
		err := t.each(query, nil, func(scan func(...any) error) error { return scan(new(string)) })
		if err != nil {
			return err
		}
		if f.Member, err = scanMember(t.row(`SELECT `+staffColumns+` FROM staff WHERE id = $1`, id).Scan); err != nil {
			return err
		}
		if f.By, err = scanMember(t.row(`SELECT `+staffColumns+` FROM staff WHERE id = $1`, by).Scan); err != nil {
			return err
		}
		if f.Factors, err = t.factors(id); err != nil {
			return err
		}
		if f.Now, err = t.now(); err != nil {
			return err
		}
		c, err := decide(f)
		if err != nil {
			return err
		}
		m := c.Member
		if err := t.emailFree(m); err != nil {
			return err
		}
		if err := t.exactlyOne(`UPDATE staff SET name = $1, team = $2, role = $3, phone = $4, email = $5, teams = $6, locations = $7, disabled = $8, version = version + 1 WHERE id = $9 AND version = $10`,
			m.Name, m.Team, string(m.Role), m.Phone.E164(), m.Email, strings.Join(m.Teams, ","), strings.Join(m.Locations, ","), flag(m.Disabled), id, f.Member.Version); err != nil {
			return err
		}
		if c.Over {
			if err := t.endSessions(id, ms(f.Now)); err != nil {
				return err
			}
		}
		if c.Hash != "" {
			if err := t.setPassword(id, c.Hash, true, ms(f.Now)); err != nil {
				return err
			}
		}
		if c.DropFactors {
			if err := t.clearFactors(id); err != nil {
				return err
			}
		}
		return t.trail([]trail.Entry{c.Trail})
	})
	if clash(err) {
		return admin.ErrEmailTaken
	}
	return err
}

// --- Locations -------------------------------------------------------------------------------------------------------------------------------

// Places lists every location with how many vehicles it has, in no order.
func (d *DB) Places(ctx context.Context, limit int) ([]admin.Place, error) {
	t := d.read(ctx)
	var out []admin.Place
	err := t.each(`SELECT `+locationColumns+` FROM locations LIMIT $1`, []any{limit}, func(scan func(...any) error) error {
		l, err := scanLocation(scan)
		out = append(out, admin.Place{Location: l})
		return err
	})
	if err != nil {
		return nil, err
	}
	vehicles := map[string]int{}
	err = t.each(`SELECT location_id, COUNT(*) FROM vehicles GROUP BY location_id`, nil, func(scan func(...any) error) error {
		var id string
		var n int
		err := scan(&id, &n)
		vehicles[id] = n
		return err
	})
	for i := range out {
		out[i].Vehicles = vehicles[out[i].ID]
	}
	return out, err
}

// AddLocation adds a location, with the trail entry. Errors: admin.ErrTaken.
func (d *DB) AddLocation(ctx context.Context, l account.Location, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		added, err := t.addLocation(l)
		if err != nil {
			return err
		}
		if !added {
			return admin.ErrTaken
		}
		return t.trail([]trail.Entry{e})
	})
}

// ReadLocation reads a location with all that its administrators see. Errors: account.ErrNotFound.
func (d *DB) ReadLocation(ctx context.Context, id string) (admin.LocationFacts, error) {
	return d.read(ctx).locationFacts(id)
}

func (t tx) locationFacts(id string) (admin.LocationFacts, error) {
	f := admin.LocationFacts{Paying: map[admin.Price]int{}}
	var err error
	if f.Location, err = t.location(id); err != nil {
		return f, err
	}
	if f.Fees, err = t.fees(id); err != nil {
		return f, err
	}
	for _, p := range admin.Prices() {
		var n int
		if err := t.row(paying(p), id, int64(p.Of(f.Location))).Scan(&n); err != nil {
			return f, err
		}
		f.Paying[p] = n
	}
	// Each part is found by an index that holds nothing else.
	err = t.row(`SELECT COUNT(*) FROM (
		SELECT id FROM payments WHERE location_id = $1 AND state IN ('open', 'paying', 'needs_action', 'unknown', 'review')
		UNION SELECT id FROM payments WHERE location_id = $1 AND next_ms IS NOT NULL
		UNION SELECT id FROM payments WHERE location_id = $1 AND (held = 1 OR refunding <> 0 OR state = 'review')) p`, id).Scan(&f.Flying)
	if err != nil {
		return f, err
	}
	f.Now, err = t.now()
	return f, err
}

// paying counts the vehicles of a location ($1) that pay exactly a list price ($2).
func paying(p admin.Price) string {
	switch p {
	case admin.PAMPrice:
		return `SELECT COUNT(*) FROM vehicles WHERE location_id = $1 AND program = 'pam' AND daily_rate = $2`
	case admin.LossProtectionPrice:
		return `SELECT COUNT(*) FROM vehicles WHERE location_id = $1 AND loss_protection_daily = $2`
	}
	return `SELECT COUNT(*) FROM vehicles WHERE location_id = $1 AND program = 'iid' AND daily_rate = $2`
}

// following has them pay another ($1).
func following(p admin.Price) string {
	switch p {
	case admin.PAMPrice:
		return `UPDATE vehicles SET daily_rate = $1 WHERE location_id = $2 AND program = 'pam' AND daily_rate = $3 RETURNING id, client_id`
	case admin.LossProtectionPrice:
		return `UPDATE vehicles SET loss_protection_daily = $1 WHERE location_id = $2 AND loss_protection_daily = $3 RETURNING id, client_id`
	}
	return `UPDATE vehicles SET daily_rate = $1 WHERE location_id = $2 AND program = 'iid' AND daily_rate = $3 RETURNING id, client_id`
}

// lockLocation keeps a location as it is until the transaction's end: for payments that begin there (FOR SHARE, beside one another) and for whoever changes it (FOR UPDATE).
func (t tx) lockLocation(id, how string) (version int64, err error) {
	query := `SELECT version FROM locations WHERE id = $1`
	if t.d.postgres {
		query += how
	}
	err = t.row(query, id).Scan(&version)
	return version, notFound(err)
}

// ChangeLocation changes a location, its fees and the vehicles that follow, in one transaction.
func (d *DB) ChangeLocation(ctx context.Context, by, id string, decide func(admin.LocationFacts) (admin.LocationChange, error)) error {
	return d.write(ctx, func(t tx) error {
		if _, err := t.lockLocation(id, ` FOR UPDATE`); err != nil {
			return err
		}
		f, err := t.locationFacts(id)
		if err != nil {
			return err
		}
		if f.By, err = scanMember(t.row(`SELECT `+staffColumns+` FROM staff WHERE id = $1`, by).Scan); err != nil {
			return err
		}
		c, err := decide(f)
		if err != nil {
			return err
		}
		l := c.Location
		if err := t.exactlyOne(`UPDATE locations SET name = $1, state = $2, zone = $3, stripe_account = $4, payments = $5, tax_ppm = $6, loss_protection_taxable = $7, monitoring_cap_monthly = $8,
			loss_protection_cap_monthly = $9, state_fee_monthly = $10, labor_fee = $11, taxed_fees = $12, iid_daily = $13, pam_daily = $14, loss_protection_daily = $15, version = version + 1
			WHERE id = $16 AND version = $17`,
			l.Name, l.State, l.Zone, l.StripeAccount, string(l.Payments), l.TaxPPM, flag(l.LossProtectionTaxable), cents(l.MonitoringCapMonthly), cents(l.LossProtectionCapMonthly), int64(l.StateFeeMonthly),
			int64(l.LaborFee), taxedFees(l), int64(l.IIDDaily), int64(l.PAMDaily), int64(l.LossProtectionDaily), id, f.Version); err != nil {
			return err
		}
		acts := []trail.Entry{c.Trail}
		for _, m := range c.Moves {
			moved, err := t.move(id, m, c.Moved)
			if err != nil {
				return err
			}
			acts = append(acts, moved...)
		}
		if f := c.NewFee; f != nil {
			if err := t.exec(`INSERT INTO fees (id, location_id, name, kind, amount, retired) VALUES ($1, $2, $3, $4, $5, 0)`, f.ID, f.LocationID, f.Name, string(f.Kind), int64(f.Amount)); err != nil {
				return err
			}
		}
		for fee, retired := range map[string]int64{c.Retire: 1, c.Restore: 0} {
			if fee == "" {
				continue
			}
			if err := t.exactlyOne(`UPDATE fees SET retired = $1 WHERE id = $2 AND location_id = $3 AND retired <> $1`, retired, fee, id); err != nil {
				return err
			}
		}
		return t.trail(acts)
	})
}

// move has the vehicles that pay exactly a list price follow it, and says it of each. admin.ErrChanged: they are not as many as were counted.
func (t tx) move(locationID string, m admin.Move, told func(vehicleID, clientID string, m admin.Move) trail.Entry) ([]trail.Entry, error) {
	var out []trail.Entry
	err := t.each(following(m.Price), []any{int64(m.To), locationID, int64(m.From)}, func(scan func(...any) error) error {
		var id, client string
		err := scan(&id, &client)
		out = append(out, told(id, client, m))
		return err
	})
	if err == nil && len(out) != m.Vehicles {
		err = admin.ErrChanged
	}
	return out, err
}

// --- Terms -----------------------------------------------------------------------------------------------------------------------------------

// TermsVersions lists the versions of a kind of terms that were published, the last one first.
func (d *DB) TermsVersions(ctx context.Context, kind account.Terms, limit int) ([]admin.Version, error) {
	var out []admin.Version
	err := d.read(ctx).each(`SELECT version, from_ms, by_id FROM terms_in_force WHERE kind = $1 ORDER BY n DESC`+atMost(limit), []any{string(kind)}, func(scan func(...any) error) error {
		var v admin.Version
		var from int64
		err := scan(&v.Number, &from, &v.By)
		v.From = fromMS(from)
		out = append(out, v)
		return err
	})
	return out, err
}

// PublishTerms puts a version in force. Whoever has agreed to the one before is charged first, or not at all. Errors: admin.ErrChanged.
func (d *DB) PublishTerms(ctx context.Context, after string, v admin.Version, e trail.Entry) error {
	return d.write(ctx, func(t tx) error {
		if err := t.lockTerms(` FOR UPDATE`); err != nil {
			return err
		}
		var n int64
		if err := t.row(`SELECT COALESCE(MAX(n), 0) FROM terms_in_force`).Scan(&n); err != nil {
			return err
		}
		kind := admin.KindOf(v.Number)
		last, err := t.inForce(kind)
		if err != nil {
			return err
		}
		if last != after {
			return admin.ErrChanged
		}
		now, err := t.now()
		if err != nil {
			return err
		}
		for _, l := range lang.All {
			if err := t.terms(v.Number, string(l), v.Texts[l].Source, v.Texts[l].SHA256); err != nil {
				return err
			}
		}
		if err := t.exec(`INSERT INTO terms_in_force (n, version, from_ms, by_id, kind) VALUES ($1, $2, $3, $4, $5)`, n+1, v.Number, ms(now), v.By, string(kind)); err != nil {
			return err
		}
		e.At = now
		return t.trail([]trail.Entry{e})
	})
}

// ChangesOf lists what the trail says of an object, the newest first, without who signed in and out.
func (d *DB) ChangesOf(ctx context.Context, object string, limit int) ([]trail.Entry, error) {
	var out []trail.Entry
	err := d.read(ctx).each(`SELECT id, at_ms, actor_kind, actor_id, act, object, client_id, refused, detail FROM trail WHERE object = $1 AND act NOT IN ('sign in', 'sign out') AND act NOT LIKE 'see %'
		ORDER BY at_ms DESC, n DESC LIMIT $2`, []any{object, limit}, func(scan func(...any) error) error {
		var e trail.Entry
		var at int64
		err := scan(&e.ID, &at, &e.Actor.Kind, &e.Actor.ID, &e.Act, &e.Object, &e.ClientID, &e.Refused, &e.Detail)
		e.At = fromMS(at)
		out = append(out, e)
		return err
	})
	return out, err
}
