//go:build guards_off

package sqldb

import (
	"context"
	"database/sql"
	"io/fs"
	"strings"
	"testing/fstest"

	"paylink/internal/guard"
)

// loose says how a statement reads without a guard. It is applied to every statement, migrations included.
var loose = []struct {
	without   guard.Name
	with, not string
}{
	{guard.AccountLock, `SELECT id FROM clients WHERE id = $1 FOR UPDATE`, `SELECT id FROM clients WHERE id = $1`},
	{guard.TermsLock, `SELECT n FROM terms_in_force WHERE n = 1 FOR SHARE`, `SELECT n FROM terms_in_force WHERE n = 1`},
	{guard.LocationLock, `SELECT version FROM locations WHERE id = $1 FOR SHARE`, `SELECT version FROM locations WHERE id = $1`},
	{guard.VehicleIndex, `CREATE UNIQUE INDEX payments_one_live_per_vehicle`, `CREATE INDEX payments_one_live_per_vehicle`},
	{guard.BalanceIndex, `CREATE UNIQUE INDEX payments_one_live_balance_per_client`, `CREATE INDEX payments_one_live_balance_per_client`},
	{guard.IntentOnce, `intent_id = COALESCE(intent_id, $4)`, `intent_id = $4`},
	{guard.IntentUnique, `intent_id      TEXT UNIQUE`, `intent_id TEXT`},
	{guard.ClaimTimeSQL, ` AND expires_ms > $26`, ` AND $26 > 0`},
	{guard.Version, ` AND state = $24 AND version = $25`, ` AND $24 <> '' AND $25 > 0`},
	{guard.EventOnce, "CREATE TABLE stripe_events (\n  id          TEXT PRIMARY KEY", "CREATE TABLE stripe_events (\n  id TEXT"},
	{guard.CauseUnique, `cause          TEXT NOT NULL UNIQUE`, `cause TEXT NOT NULL`},
	{guard.CauseUnique, `ON CONFLICT (cause) DO NOTHING`, ``},
	{guard.PaidToMoved, `WHERE id = $3 AND paid_to = $4`, `WHERE id = $3 AND $4 <> ''`},
	{guard.Reservation, `WHERE client_id = $1 AND id <> $2 AND state IN`, `WHERE client_id = $1 AND id <> $2 AND 1 = 0 AND state IN`},
	{guard.FormUnique, `form_key       TEXT NOT NULL UNIQUE`, `form_key TEXT NOT NULL`},
	{guard.NonceUnique, `nonce_id       TEXT NOT NULL UNIQUE`, `nonce_id TEXT NOT NULL`},
	{guard.LinkIndex, `CREATE UNIQUE INDEX links_one_live_per_payment`, `CREATE INDEX links_one_live_per_payment`},
	{guard.RefundIndex, `CREATE UNIQUE INDEX refunds_one_asked_per_payment`, `CREATE INDEX refunds_one_asked_per_payment`},
	{guard.RefundCheck, `CHECK (given_back BETWEEN 0 AND charged)`, ``},
	{guard.TextOnce, "next_ms    BIGINT,\n  UNIQUE (link_id, kind)", "next_ms    BIGINT"},
	{guard.HandOverOnce, ` AND status = $7 AND tries = $8 AND (kind NOT IN ('link', 'code') OR box <> '')`, ` AND $7 <> '' AND $8 >= 0`},
	{guard.EntryBalance, `OR SUM(amount) <> 0`, `OR 1 = 0`},
	{guard.CardNumber, `CREATE UNIQUE INDEX cards_one_a_number`, `CREATE INDEX cards_one_a_number`},
	{guard.AppendOnly, `RAISE EXCEPTION 'the table % is append-only`, `RETURN NULL; RAISE EXCEPTION 'the table % is append-only`},
	{guard.AppendOnly, `SELECT RAISE(ABORT, 'the table`, `SELECT ('the table`},
}

func loosenText(text string) string {
	for _, l := range loose {
		if !guard.On(l.without) {
			text = strings.ReplaceAll(text, l.with, l.not)
		}
	}
	return text
}

func loosenTexts(texts []string) []string {
	for i := range texts {
		texts[i] = loosenText(texts[i])
	}
	return texts
}

func loosenFiles(files fs.FS) fs.FS {
	out := fstest.MapFS{}
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, path)
		out[path] = &fstest.MapFile{Data: []byte(loosenText(string(text)))}
		return err
	})
	if err != nil {
		panic(err) // the files are in the program
	}
	return out
}

func loosen(q querier) querier { return looseQuerier{q} }

type looseQuerier struct{ querier }

func (l looseQuerier) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return l.querier.ExecContext(ctx, loosenText(query), args...)
}

func (l looseQuerier) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return l.querier.QueryContext(ctx, loosenText(query), args...)
}

func (l looseQuerier) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return l.querier.QueryRowContext(ctx, loosenText(query), args...)
}
