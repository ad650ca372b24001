package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"paylink/internal/link"
	"paylink/internal/redisdb"
)

// The small end of "cost by size"; the large end is a flag.
const (
	fewLinks    = atOnce
	fewInvoices = 10_000
)

// sizeConnections is how many ask at once: few, for it is the time of one answer that is compared.
const sizeConnections = 4

// sizes are the figures of one size.
type sizes struct {
	Links    int                 `json:"live_links"`
	Invoices int                 `json:"invoices"`
	Runs     map[string][]sample `json:"runs"`
}

// multiply adds n rows that are like the first row of a table that meets a condition, but for what change, the arguments of a jsonb_build_object, says. n in it counts from 1.
func (l *lab) multiply(ctx context.Context, table, condition string, n int, change string) error {
	const batch = 500_000
	for from := 1; from <= n; from += batch {
		began := time.Now()
		to := min(n, from+batch-1)
		err := pgx.BeginFunc(ctx, l.sql, func(t pgx.Tx) error {
			// Entries come before their postings here, table by table: the triggers that hold an entry to its postings are told to wait outside.
			if _, err := t.Exec(ctx, `SET LOCAL session_replication_role = replica`); err != nil {
				return err
			}
			_, err := t.Exec(ctx, fmt.Sprintf(`INSERT INTO %[1]s SELECT r.* FROM (SELECT t FROM %[1]s t WHERE %[2]s LIMIT 1) like_this, generate_series(%[4]d, %[5]d) n,
				LATERAL jsonb_populate_record(like_this.t, jsonb_build_object(%[3]s)) r`, table, condition, change, from, to))
			return err
		})
		if err != nil {
			return fmt.Errorf("more rows in %s: %w", table, err)
		}
		if n > batch {
			said("%s: %d of %d rows (%s)", table, to, n, time.Since(began).Round(time.Second))
		}
	}
	return nil
}

// someInvoices gives each quoted client the same history of paid invoices, whatever the rest of the house holds.
func (l *lab) someInvoices(ctx context.Context, t town) error {
	_, err := l.sql.Exec(ctx, `INSERT INTO invoices (id, number, client_id, vehicle_id, payment_id, door, issued_ms, subtotal, tax, total, paid_to_from, paid_to)
		SELECT 'few-' || n, 'F-' || n, v.client_id, v.id, '', 'link', 1700000000000 + n, 9300, 558, 9858, '2025-01-01', '2025-01-31'
		FROM generate_series(0, $1 - 1) n JOIN vehicles v ON v.id = 'veh_bench_' || ($2 + n % $3)`, fewInvoices, t.quoted[0].n, len(t.quoted))
	if err != nil {
		return err
	}
	_, err = l.sql.Exec(ctx, `INSERT INTO invoice_lines (invoice_id, n, kind, days, amount) SELECT id, 0, 'monitoring', 30, 9300 FROM invoices`)
	return err
}

// grow makes the house large: other clients, their opening balances, their live links and their invoices.
func (l *lab) grow(ctx context.Context, links, invoices int) error {
	if err := l.fast(ctx); err != nil {
		return err
	}
	// Live for as long as the bench may run, so that the sweeper is not busy with them.
	ends := time.Now().Add(24 * time.Hour)
	const id = `'size-' || LPAD(n::TEXT, 9, '0')`
	for _, one := range []struct{ table, condition, change string }{
		{"clients", "id = '200000'", `'id', ` + id + `, 'phone', '+1804555' || LPAD((n % 10000)::TEXT, 4, '0')`},
		{"vehicles", "id = 'veh_bench_0'", `'id', ` + id + `, 'client_id', ` + id + `, 'plate', 'S' || n`},
		{"entries", "client_id = '200000'", `'id', ` + id + `, 'client_id', ` + id + `, 'cause', ` + id},
		{"postings", "client_id = '200000' AND n = 0", `'entry_id', ` + id + `, 'client_id', ` + id},
		{"postings", "client_id = '200000' AND n = 1", `'entry_id', ` + id + `, 'client_id', ` + id},
		{"payments", "state = 'open'", fmt.Sprintf(`'id', %[1]s, 'chain_id', %[1]s, 'reference', %[1]s, 'client_id', %[1]s, 'vehicle_id', %[1]s, 'form_key', %[1]s, 'intent_id', 'pi-' || n, 'expires_ms', %[2]d, 'next_ms', %[2]d`, id, ends.UnixMilli())},
		{"links", "state = 'live'", fmt.Sprintf(`'id', %[1]s, 'payment_id', %[1]s, 'digest', MD5('a' || n) || MD5('b' || n), 'expires_ms', %[2]d`, id, ends.UnixMilli())},
		{"messages", "kind = 'link'", `'id', ` + id + `, 'payment_id', ` + id + `, 'link_id', ` + id},
	} {
		if err := l.multiply(ctx, one.table, one.condition, links, one.change); err != nil {
			return err
		}
	}
	other := fmt.Sprintf(`'size-' || LPAD((n %% %d + 1)::TEXT, 9, '0')`, links)
	if err := l.multiply(ctx, "invoices", "id = 'few-0'", invoices, `'id', `+id+`, 'number', 'S-' || n, 'client_id', `+other+`, 'vehicle_id', `+other+`, 'issued_ms', 1700000000000 + n`); err != nil {
		return err
	}
	if err := l.multiply(ctx, "invoice_lines", "invoice_id = 'few-0'", invoices, `'invoice_id', `+id); err != nil {
		return err
	}
	said("Redis: %d links", links)
	door, err := redisdb.Open(ctx, redisdb.Config{URL: l.redisURL, Now: time.Now, LooksPerMinute: 60})
	if err != nil {
		return err
	}
	defer func() { _ = door.Close() }()
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	jobs := make([]func(context.Context) error, links)
	for i := range jobs {
		jobs[i] = func(ctx context.Context) error {
			return door.Admit(ctx, link.NewToken(newID()).Digest(), link.Pass{LinkID: newID(), PaymentID: newID(), ExpiresAt: ends})
		}
	}
	_, err = once(ctx, 32, 20*time.Minute, jobs)
	return err
}

// bySize measures the same questions in a small house and in a large one.
func (l *lab) bySize(ctx context.Context, o options, r *replay, v *visitor, t town, shown string) ([]sizes, error) {
	asked := []string{"open", "page", "quote", "history", "search"}
	measure := func(links, invoices int, sent []client) (sizes, error) {
		s := sizes{links, invoices, map[string][]sample{}}
		for _, name := range asked {
			if _, err := r.run(ctx, l.base(), name, sizeConnections, time.Second); err != nil { // warm
				return s, err
			}
		}
		for round := range o.runs {
			said("%d live links, %d invoices: round %d of %d", links, invoices, round+1, o.runs)
			for _, name := range asked {
				got, err := r.run(ctx, l.base(), name, sizeConnections, time.Duration(o.seconds)*time.Second)
				if err != nil {
					return s, err
				}
				s.Runs[name] = append(s.Runs[name], got)
			}
			n := len(sent) / o.runs
			var jobs []func(context.Context) error
			for _, c := range sent[round*n : (round+1)*n] {
				jobs = append(jobs, func(ctx context.Context) error { return v.send(ctx, c, shown) })
			}
			got, err := once(ctx, sizeConnections, time.Duration(o.seconds)*time.Second, jobs)
			if err != nil {
				return s, err
			}
			s.Runs["send"] = append(s.Runs["send"], got)
			if err := l.waitForTexts(ctx); err != nil {
				return s, err
			}
		}
		return s, nil
	}
	half := len(t.sent) / 2
	small, err := measure(fewLinks, fewInvoices, t.sent[:half])
	if err != nil {
		return nil, err
	}
	said("growing to %d live links and %d invoices", o.links, o.invoices)
	if err := l.grow(ctx, o.links, o.invoices); err != nil {
		return nil, err
	}
	if err := l.durable(ctx); err != nil {
		return nil, err
	}
	large, err := measure(fewLinks+o.links, fewInvoices+o.invoices, t.sent[half:])
	return []sizes{small, large}, err
}
