package sqldb

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// appendOnly lists the tables whose rows stay as they were written. The database itself refuses everybody, its owner included, to change one or take one away.
// A table of a later migration is added here and guarded by that migration.
func appendOnly() []string {
	return []string{"entries", "postings", "invoices", "invoice_lines", "trail", "terms", "terms_in_force", "stripe_events", "notes"}
}

// guards is the second migration. It is written in Go, and twice, for triggers are the one thing that has no common text: Postgres has functions, statement triggers,
// TRUNCATE and rules that wait for the end of the transaction; SQLite has none of these, and a trigger that holds its own text.
func guards(postgres bool) *goose.Migration {
	statements := sqliteGuards()
	if postgres {
		statements = postgresGuards()
	}
	return goose.NewGoMigration(2, &goose.GoFunc{RunTx: func(ctx context.Context, t *sql.Tx) error {
		for _, s := range loosenTexts(statements) {
			if _, err := t.ExecContext(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
		return nil
	}}, nil)
}

// sqliteGuards need recursive_triggers (sqliteDSN) to see the row that an INSERT OR REPLACE takes away.
//
// An entry is checked as it comes, since SQLite's triggers can't wait for the end of the transaction: its postings come before it, and none after it. That no posting is left
// without its entry is the foreign key's to see, which can wait.
func sqliteGuards() (out []string) {
	const refuse = `CREATE TRIGGER %[1]s_%[2]s BEFORE %[3]s ON %[1]s %[4]s BEGIN SELECT RAISE(ABORT, '%[5]s'); END`
	for _, table := range appendOnly() {
		out = append(out,
			fmt.Sprintf(refuse, table, "no_update", "UPDATE", "", "the table "+table+" is append-only: UPDATE is refused"),
			fmt.Sprintf(refuse, table, "no_delete", "DELETE", "", "the table "+table+" is append-only: DELETE is refused"))
	}
	return append(out,
		fmt.Sprintf(refuse, "trail_heads", "no_delete", "DELETE", "", "the table trail_heads only goes forward: DELETE is refused"),
		fmt.Sprintf(refuse, "trail_heads", "forward", "UPDATE", "WHEN NEW.n < OLD.n OR NEW.client_id <> OLD.client_id", "the table trail_heads only goes forward: this UPDATE is refused"),
		fmt.Sprintf(refuse, "entries", "balance", "INSERT", "WHEN (SELECT COUNT(*) < 2 OR SUM(amount) <> 0 FROM postings WHERE entry_id = NEW.id)", "an entry has two postings at the least, written before it, that sum up to nothing"),
		fmt.Sprintf(refuse, "postings", "first", "INSERT", "WHEN EXISTS (SELECT id FROM entries WHERE id = NEW.entry_id)", "the entry is in the books already: no posting is added to it"))
}

// postgresGuards fire ALWAYS, also where session_replication_role would silence them.
func postgresGuards() []string {
	out := []string{
		`CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			RAISE EXCEPTION 'the table % is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
		END $$`,
		`CREATE FUNCTION only_forward() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			RAISE EXCEPTION 'the table % only goes forward: this % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
		END $$`,
		`CREATE FUNCTION entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
		DECLARE entry TEXT;
		BEGIN
			IF TG_TABLE_NAME = 'entries' THEN entry := NEW.id; ELSE entry := NEW.entry_id; END IF;
			IF (SELECT COUNT(*) < 2 OR SUM(amount) <> 0 FROM postings WHERE entry_id = entry) THEN
				RAISE EXCEPTION 'entry %: an entry has two postings at the least that sum up to nothing', entry USING ERRCODE = 'check_violation';
			END IF;
			RETURN NULL;
		END $$`,
		`CREATE FUNCTION postings_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF EXISTS (SELECT id FROM entries WHERE id = NEW.entry_id) THEN
				RAISE EXCEPTION 'entry % is in the books already: no posting is added to it', NEW.entry_id USING ERRCODE = 'check_violation';
			END IF;
			RETURN NEW;
		END $$`,
	}
	for _, table := range appendOnly() {
		out = append(out,
			fmt.Sprintf(`CREATE TRIGGER %[1]s_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %[1]s FOR EACH STATEMENT EXECUTE FUNCTION append_only()`, table),
			fmt.Sprintf(`ALTER TABLE %[1]s ENABLE ALWAYS TRIGGER %[1]s_append_only`, table))
	}
	return append(out,
		`CREATE TRIGGER trail_heads_no_delete BEFORE DELETE OR TRUNCATE ON trail_heads FOR EACH STATEMENT EXECUTE FUNCTION only_forward()`,
		`ALTER TABLE trail_heads ENABLE ALWAYS TRIGGER trail_heads_no_delete`,
		`CREATE TRIGGER trail_heads_forward BEFORE UPDATE ON trail_heads FOR EACH ROW WHEN (NEW.n < OLD.n OR NEW.client_id <> OLD.client_id) EXECUTE FUNCTION only_forward()`,
		`ALTER TABLE trail_heads ENABLE ALWAYS TRIGGER trail_heads_forward`,
		`CREATE TRIGGER postings_first BEFORE INSERT ON postings FOR EACH ROW EXECUTE FUNCTION postings_first()`,
		`CREATE CONSTRAINT TRIGGER entries_balance AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entry_balances()`,
		`CREATE CONSTRAINT TRIGGER postings_balance AFTER INSERT ON postings DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION entry_balances()`)
}

// guardNames lists the triggers that a database must have, as guards makes them.
func guardNames(postgres bool) []string {
	out := []string{"trail_heads_no_delete", "trail_heads_forward", "entries_balance", "postings_first"}
	if postgres {
		out = append(out, "postings_balance") // sees a posting that came while its entry was not committed yet
	}
	for _, table := range appendOnly() {
		if postgres {
			out = append(out, table+"_append_only")
		} else {
			out = append(out, table+"_no_update", table+"_no_delete")
		}
	}
	return out
}
