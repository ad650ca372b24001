package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/day"
	"paylink/internal/ledger"
	"paylink/internal/money"
	"paylink/internal/phone"
)

const locationColumns = `id, name, state, zone, stripe_account, payments, tax_ppm, loss_protection_taxable, monitoring_cap_monthly, loss_protection_cap_monthly, state_fee_monthly, labor_fee,
	taxed_fees, iid_daily, pam_daily, loss_protection_daily, address, phone, version`

func scanLocation(scan func(...any) error) (account.Location, error) {
	var l account.Location
	var taxable int64
	var taxed, number string
	err := scan(&l.ID, &l.Name, &l.State, &l.Zone, &l.StripeAccount, &l.Payments, &l.TaxPPM, &taxable, &l.MonitoringCapMonthly, &l.LossProtectionCapMonthly, &l.StateFeeMonthly, &l.LaborFee,
		&taxed, &l.IIDDaily, &l.PAMDaily, &l.LossProtectionDaily, &l.Address, &number, &l.Version)
	l.LossProtectionTaxable, l.Phone = taxable != 0, phone.Stored(number)
	for _, kind := range listed(taxed) {
		l.TaxedFees = append(l.TaxedFees, account.FeeKind(kind))
	}
	return l, notFound(err)
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return account.ErrNotFound
	}
	return err
}

func (t tx) location(id string) (account.Location, error) {
	return scanLocation(t.row(`SELECT `+locationColumns+` FROM locations WHERE id = $1`, id).Scan)
}

const clientColumns = `id, first_name, last_name, language, email, phone, tax_exempt, collections, auto_pay_days, notes, auto_pay_terms, auto_pay_language`

func scanClient(scan func(...any) error) (account.Client, error) {
	var c account.Client
	var number string
	var exempt, collections int64
	err := scan(&c.ID, &c.FirstName, &c.LastName, &c.Language, &c.Email, &number, &exempt, &collections, &c.AutoPayDays, &c.Notes, &c.AutoPayTerms, &c.AutoPayLanguage)
	c.Phone, c.TaxExempt, c.Collections = phone.Stored(number), exempt != 0, collections != 0
	return c, notFound(err)
}

func (t tx) client(id string) (account.Client, error) {
	return scanClient(t.row(`SELECT `+clientColumns+` FROM clients WHERE id = $1`, id).Scan)
}

const vehicleColumns = `id, client_id, location_id, label, plate, plate_state, program, daily_rate, loss_protection_daily, paid_to, paid_by, hardship_kind, hardship_percent, hardship_amount, hardship_reduces_tax, hardship_exempts_fee`

func scanVehicle(scan func(...any) error) (account.Vehicle, error) {
	var v account.Vehicle
	var h account.Hardship
	var reduces, exempts int64
	err := scan(&v.ID, &v.ClientID, &v.LocationID, &v.Label, &v.Plate, &v.PlateState, &v.Program, &v.DailyRate, &v.LossProtectionDaily, &v.PaidTo, &v.PaidBy, &h.Kind, &h.Percent, &h.Amount, &reduces, &exempts)
	if h.Kind != "" {
		h.ReducesTaxBase, h.ExemptStateFee = reduces != 0, exempts != 0
		v.Hardship = &h
	}
	return v, notFound(err)
}

func (t tx) vehicle(id string) (account.Vehicle, error) {
	v, err := scanVehicle(t.row(`SELECT `+vehicleColumns+` FROM vehicles WHERE id = $1`, id).Scan)
	if err != nil {
		return v, err
	}
	err = t.each(`SELECT month FROM state_fee_months WHERE vehicle_id = $1`, []any{id}, func(scan func(...any) error) error {
		var m day.Month
		v.StateFeeMonths = append(v.StateFeeMonths, m)
		return scan(&v.StateFeeMonths[len(v.StateFeeMonths)-1])
	})
	slices.Sort(v.StateFeeMonths) // order by text differs between the databases
	return v, err
}

// standing sums up what an account owes or is owed, less what its live payments, but one, have counted: that is reserved for them.
func (t tx) standing(c account.Client, but string) (account.Standing, error) {
	s := account.Standing{TaxExempt: c.TaxExempt}
	var owed, credit, reservedOwed, reservedCredit money.Cents
	err := t.row(`SELECT
		CAST(COALESCE(SUM(CASE WHEN account = 'receivable' THEN amount ELSE 0 END), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE WHEN account = 'client_credit' THEN -amount ELSE 0 END), 0) AS BIGINT)
		FROM postings WHERE client_id = $1`, c.ID).Scan(&owed, &credit)
	if err != nil {
		return s, err
	}
	err = t.row(`SELECT CAST(COALESCE(SUM(past_due), 0) AS BIGINT), CAST(COALESCE(SUM(credit), 0) AS BIGINT)
		FROM payments WHERE client_id = $1 AND id <> $2 AND state IN ('open', 'paying', 'needs_action', 'unknown', 'review')`, c.ID, but).Scan(&reservedOwed, &reservedCredit)
	s.PastDue, s.Credit = max(0, owed-reservedOwed), max(0, credit-reservedCredit)
	return s, err
}

// Client returns a client and everything that is paid for. Errors: account.ErrNotFound.
func (d *DB) Client(ctx context.Context, id string) (account.Client, []account.Vehicle, error) {
	return d.read(ctx).whole(id)
}

func (t tx) whole(id string) (account.Client, []account.Vehicle, error) {
	c, err := t.client(id)
	if err != nil {
		return c, nil, err
	}
	var ids []string
	err = t.each(`SELECT id FROM vehicles WHERE client_id = $1`, []any{id}, func(scan func(...any) error) error {
		ids = append(ids, "")
		return scan(&ids[len(ids)-1])
	})
	if err != nil {
		return c, nil, err
	}
	slices.Sort(ids)
	var vehicles []account.Vehicle
	for _, id := range ids {
		v, err := t.vehicle(id)
		if err != nil {
			return c, nil, err
		}
		vehicles = append(vehicles, v)
	}
	return c, vehicles, nil
}

// Location returns a service location. Errors: account.ErrNotFound.
func (d *DB) Location(ctx context.Context, id string) (account.Location, error) {
	return d.read(ctx).location(id)
}

// Standing returns what an account owes or is owed, less what live payments have reserved.
func (d *DB) Standing(ctx context.Context, c account.Client) (account.Standing, error) {
	return d.read(ctx).standing(c, "")
}

// Balance sums up what a client owes; negative: a credit.
func (d *DB) Balance(ctx context.Context, clientID string) (money.Cents, error) {
	return d.read(ctx).balance(clientID)
}

func (t tx) balance(clientID string) (money.Cents, error) {
	var sum money.Cents
	err := t.row(`SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM postings WHERE client_id = $1 AND account IN ('receivable', 'client_credit')`, clientID).Scan(&sum)
	return sum, err
}

// listing writes ids for oneOf: "" for none. No id holds a comma.
func listing(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return "," + strings.Join(ids, ",") + ","
}

// oneOf is the condition that a column is among the ids of a listing. LIKE would take an id's "_" for any letter.
func oneOf(column, list string) string {
	return `REPLACE(` + list + `, ',' || ` + column + ` || ',', '') <> ` + list
}

// Invoices lists a client's invoices, newest first, at most limit of them.
func (d *DB) Invoices(ctx context.Context, clientID string, limit int) ([]ledger.Invoice, error) {
	return d.read(ctx).invoices(`WHERE client_id = $1 ORDER BY issued_ms DESC LIMIT $2`, clientID, limit)
}

func (t tx) invoices(which string, args ...any) ([]ledger.Invoice, error) {
	var out []ledger.Invoice
	place := map[string]int{}
	err := t.each(`SELECT id, number, client_id, COALESCE(vehicle_id, ''), payment_id, door, issued_ms, location_id, location, zone, vehicle, tax_ppm, subtotal, tax, total, paid_to_from, paid_to
		FROM invoices `+which, args, func(scan func(...any) error) error {
		var i ledger.Invoice
		var issued int64
		if err := scan(&i.ID, &i.Number, &i.ClientID, &i.VehicleID, &i.PaymentID, &i.Door, &issued, &i.LocationID, &i.Location, &i.Zone, &i.Vehicle, &i.TaxPPM, &i.Subtotal, &i.Tax, &i.Total, &i.PaidToFrom, &i.PaidTo); err != nil {
			return err
		}
		i.IssuedAt = fromMS(issued)
		place[i.ID] = len(out)
		out = append(out, i)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for rest := out; len(rest) > 0; {
		page := rest[:min(len(rest), amongMost)]
		rest = rest[len(page):]
		ids := make([]string, len(page))
		for i := range page {
			ids[i] = page[i].ID
		}
		list, args := among(ids, 1)
		err := t.each(`SELECT invoice_id, kind, label, days, count, amount FROM invoice_lines WHERE invoice_id IN `+list+` ORDER BY n`, args, func(scan func(...any) error) error {
			var id string
			var l ledger.Line
			if err := scan(&id, &l.Kind, &l.Label, &l.Days, &l.Count, &l.Amount); err != nil {
				return err
			}
			i := &out[place[id]]
			i.Lines = append(i.Lines, l)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Import is what an account is born with: facts from elsewhere, and balances as opening rows.
type Import struct {
	Locations []account.Location
	Fees      []account.Fee
	Hours     []appointment.Hours // of locations that have none on that day of the week
	Clients   []account.Client
	Vehicles  []account.Vehicle
	Invoices  []ledger.Invoice // history from before, paid
	Booked    []appointment.Appointment
	Entries   []ledger.Entry   // opening balances, of clients that this import adds
	OptedOut  []phone.Number   // of clients that this import adds
	Access    []account.Access // of clients that this import adds: how they get into My Account
}

// Import adds facts in one transaction. What is there already is left as it is, so that an import may be repeated: a client's opening balances and
// opt-out are written with the client's own row and never later, and so are a vehicle's billed months.
func (d *DB) Import(ctx context.Context, in Import) error {
	return d.write(ctx, func(t tx) error {
		now, err := t.now()
		if err != nil {
			return err
		}
		for _, l := range in.Locations {
			if _, err := t.addLocation(l); err != nil {
				return err
			}
		}
		for _, f := range in.Fees {
			if err := t.exec(`INSERT INTO fees (id, location_id, name, kind, amount, retired) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
				f.ID, f.LocationID, f.Name, string(f.Kind), int64(f.Amount), flag(f.Retired)); err != nil {
				return err
			}
		}
		for _, h := range in.Hours {
			if err := t.exec(`INSERT INTO opening_hours (location_id, weekday, opens, closes, bays) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
				h.LocationID, int(h.Weekday), h.Opens, h.Closes, h.Bays); err != nil {
				return err
			}
		}
		clients, phones := map[string]bool{}, map[phone.Number]bool{} // new with this import
		changed := map[string]bool{}                                  // clients who are found by something new
		for _, c := range in.Clients {
			added, err := t.insert(`INSERT INTO clients (`+clientColumns+`, auto_pay_since_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
				c.ID, c.FirstName, c.LastName, c.Language, c.Email, c.Phone.E164(), flag(c.TaxExempt), flag(c.Collections), c.AutoPayDays, c.Notes, c.AutoPayTerms, c.AutoPayLanguage, flag(c.AutoPayDays > 0)*ms(now))
			if err != nil {
				return err
			}
			if added {
				clients[c.ID], phones[c.Phone], changed[c.ID] = true, true, true
			}
		}
		for _, a := range in.Access {
			if err := t.addAccess(a); err != nil {
				return err
			}
		}
		for _, v := range in.Vehicles {
			var h account.Hardship
			if v.Hardship != nil {
				h = *v.Hardship
			}
			added, err := t.insert(`INSERT INTO vehicles (`+vehicleColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING`,
				v.ID, v.ClientID, v.LocationID, v.Label, v.Plate, v.PlateState, string(v.Program), int64(v.DailyRate), int64(v.LossProtectionDaily), string(v.PaidTo), v.PaidBy,
				string(h.Kind), h.Percent, int64(h.Amount), flag(h.ReducesTaxBase), flag(h.ExemptStateFee))
			if err != nil {
				return err
			}
			if !added {
				continue
			}
			changed[v.ClientID] = true
			if err := t.feeMonths(v.ID, "", v.StateFeeMonths); err != nil {
				return err
			}
		}
		for id := range changed {
			if err := t.findable(id); err != nil {
				return err
			}
		}
		for _, i := range in.Invoices {
			if err := t.invoice(i, ""); err != nil && !errors.Is(err, ledger.ErrPosted) {
				return err
			}
		}
		for _, a := range in.Booked {
			if err := t.appointment(a); err != nil {
				return err
			}
		}
		for _, e := range in.Entries {
			if err := e.Check(); err != nil {
				return err
			}
			if !clients[e.ClientID] {
				continue
			}
			if err := t.entry(e); err != nil && !errors.Is(err, ledger.ErrPosted) {
				return err
			}
		}
		for _, n := range in.OptedOut {
			if !phones[n] {
				continue
			}
			if err := t.exec(`INSERT INTO opt_outs (phone, at_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING`, n.E164(), ms(now)); err != nil {
				return err
			}
		}
		return nil
	})
}

// addLocation adds a location, and says whether its id was free.
func (t tx) addLocation(l account.Location) (bool, error) {
	return t.insert(`INSERT INTO locations (`+locationColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 1) ON CONFLICT DO NOTHING`,
		l.ID, l.Name, l.State, l.Zone, l.StripeAccount, string(l.Payments), l.TaxPPM, flag(l.LossProtectionTaxable), cents(l.MonitoringCapMonthly), cents(l.LossProtectionCapMonthly),
		int64(l.StateFeeMonthly), int64(l.LaborFee), taxedFees(l), int64(l.IIDDaily), int64(l.PAMDaily), int64(l.LossProtectionDaily), l.Address, l.Phone.E164())
}

func taxedFees(l account.Location) string {
	kinds := make([]string, len(l.TaxedFees))
	for i, kind := range l.TaxedFees {
		kinds[i] = string(kind)
	}
	return strings.Join(kinds, ",")
}

func cents(c *money.Cents) any {
	if c == nil {
		return nil
	}
	return int64(*c)
}

func (t tx) feeMonths(vehicleID, paymentID string, months []day.Month) error {
	for _, m := range months {
		if err := t.exec(`INSERT INTO state_fee_months (vehicle_id, month, payment_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, vehicleID, string(m), paymentID); err != nil {
			return err
		}
	}
	return nil
}

// entry adds one balanced entry. ledger.ErrPosted: its cause is in the books already, and nothing was added.
// Its postings are written first: that it balances is seen by the database when the entry itself comes (guards.go).
func (t tx) entry(e ledger.Entry) error {
	if err := e.Check(); err != nil {
		return err
	}
	err := t.row(`SELECT id FROM entries WHERE cause = $1`, e.Cause).Scan(new(string))
	if err == nil {
		return ledger.ErrPosted
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for n, p := range e.Postings {
		if err := t.exec(`INSERT INTO postings (entry_id, n, client_id, account, amount) VALUES ($1, $2, $3, $4, $5)`, e.ID, n, orNull(e.ClientID), string(p.Account), int64(p.Amount)); err != nil {
			return err
		}
	}
	// Where another transaction has posted the cause meanwhile, this one begins again and finds it.
	return t.exactlyOne(`INSERT INTO entries (id, client_id, payment_id, stripe_account, cause, at_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (cause) DO NOTHING`,
		e.ID, orNull(e.ClientID), e.PaymentID, e.StripeAccount, e.Cause, ms(e.At))
}

// insert runs an INSERT … ON CONFLICT DO NOTHING, or an UPDATE with a condition, and says whether it changed a row.
func (t tx) insert(query string, args ...any) (bool, error) {
	err := t.exactlyOne(query, args...)
	if errors.Is(err, errMoved) {
		return false, nil
	}
	return err == nil, err
}

// invoice adds an invoice. ledger.ErrPosted: it, or one of the same form, is in the books already.
func (t tx) invoice(i ledger.Invoice, formKey string) error {
	added, err := t.insert(`INSERT INTO invoices (id, number, client_id, vehicle_id, payment_id, door, issued_ms, location_id, location, zone, vehicle, tax_ppm, subtotal, tax, total, paid_to_from, paid_to, form_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) ON CONFLICT DO NOTHING`,
		i.ID, i.Number, i.ClientID, orNull(i.VehicleID), i.PaymentID, i.Door, ms(i.IssuedAt), i.LocationID, i.Location, i.Zone, i.Vehicle, i.TaxPPM, int64(i.Subtotal), int64(i.Tax), int64(i.Total),
		string(i.PaidToFrom), string(i.PaidTo), orNull(formKey))
	if err != nil {
		return err
	}
	if !added {
		return ledger.ErrPosted
	}
	for n, l := range i.Lines {
		if err := t.exec(`INSERT INTO invoice_lines (invoice_id, n, kind, label, days, count, amount) VALUES ($1, $2, $3, $4, $5, $6, $7)`, i.ID, n, l.Kind, l.Label, l.Days, l.Count, int64(l.Amount)); err != nil {
			return err
		}
	}
	return nil
}
