// Package sqldb keeps the books, in SQLite or Postgres, through one set of statements.
package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite" // the driver "sqlite", and its errors
	sqlite3 "modernc.org/sqlite/lib"

	"paylink/internal/seal"
	"paylink/internal/trail"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what a database needs. All fields are required.
type Config struct {
	URL           string           // "postgres://…" or "sqlite:PATH"
	Now           func() time.Time // the clock where DatabaseClock is false
	DatabaseClock bool             // Postgres: read the database server's clock, so that instances agree
	Keys          seal.Keys        // seals tokens and phone numbers
	NewID         func() string    // ids of rows, ordered by time
	MaxConns      int              // open connections at the most

	// Changed is told, after each commit, whose payments, links or texts it has touched: a client's id, whoever acted. It returns at once. It may be told of what does
	// not show, never of what was rolled back; a commit whose answer was lost is not told.
	Changed func(clientID string)
}

// DB is an open database. It realises the stores that the nouns and desks declare.
type DB struct {
	sql      *sql.DB
	config   Config
	postgres bool
}

// Open connects and checks that the database answers. It does not migrate.
func Open(ctx context.Context, c Config) (*DB, error) {
	if c.Changed == nil {
		return nil, errors.New("sqldb: Changed is required")
	}
	d := &DB{config: c}
	var err error
	switch {
	case strings.HasPrefix(c.URL, "sqlite:"):
		d.sql, err = openSQLite(sqliteDSN(strings.TrimPrefix(c.URL, "sqlite:")))
	case strings.HasPrefix(c.URL, "postgres://"), strings.HasPrefix(c.URL, "postgresql://"):
		d.postgres = true
		d.sql, err = sql.Open("pgx", c.URL)
	default:
		return nil, errors.New("the database's address must begin with sqlite: or postgres://")
	}
	if err != nil {
		return nil, errors.New("the database's address can't be read") // the driver's own words would print its password
	}
	d.sql.SetMaxOpenConns(c.MaxConns)
	d.sql.SetMaxIdleConns(c.MaxConns)
	d.sql.SetConnMaxIdleTime(5 * time.Minute)
	if err := d.sql.PingContext(ctx); err != nil {
		_ = d.sql.Close() // the ping's error says more
		return nil, fmt.Errorf("the database does not answer: %w", err)
	}
	return d, nil
}

// sqliteDSN asks for what a claim needs that a power cut must not roll back: WAL with synchronous=FULL. busy_timeout comes first, so that it
// covers the pragmas after it; a transaction takes the write lock at its beginning, since one that upgrades later fails instead of waiting. recursive_triggers lets
// the triggers of guards.go see what an INSERT OR REPLACE takes away.
func sqliteDSN(path string) string {
	q := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "recursive_triggers(1)"}, "_txlock": {"immediate"}}
	return "file:" + path + "?" + q.Encode()
}

// Close lets go of the database.
func (d *DB) Close() error { return d.sql.Close() }

// Ping asks whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.sql.PingContext(ctx) }

// Migrate brings the schema up to date. Several instances may call it at once.
func (d *DB) Migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption{goose.WithGoMigrations(guards(d.postgres))}
	if d.postgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, d.sql, loosenFiles(files), options...)
	if err != nil {
		return err
	}
	up := func() (struct{}, error) {
		_, err := provider.Up(ctx)
		return struct{}{}, err
	}
	// On SQLite nothing keeps two instances apart: the one that comes second fails, is rolled back, and finds the work done when it looks again.
	tries := uint(1)
	if !d.postgres {
		tries = 5
	}
	if _, err := backoff.Retry(ctx, up, backoff.WithMaxTries(tries)); err != nil {
		return fmt.Errorf("the database can't be migrated: %w", err)
	}
	return nil
}

// tx is one transaction and its context.
type tx struct {
	ctx  context.Context
	d    *DB
	q    querier
	acts *[]trail.Entry // what the trail will say of it; nil where nothing is written
	told *[]string      // the clients whom Changed is told of; nil where nothing is written
}

type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// write runs fn in one transaction, and again from the start where the database asks for that (SQLite busy, Postgres serialisation failure or deadlock).
func (d *DB) write(ctx context.Context, fn func(t tx) error) error {
	attempt := func() (struct{}, error) {
		err := d.once(ctx, fn)
		if err != nil && !again(err) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval = 5 * time.Millisecond
	_, err := backoff.Retry(ctx, attempt, backoff.WithBackOff(wait), backoff.WithMaxTries(8), backoff.WithMaxElapsedTime(10*time.Second))
	return err
}

func (d *DB) once(ctx context.Context, fn func(t tx) error) (err error) {
	t, err := d.sql.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = t.Rollback() // the error that made us roll back says more
		}
	}()
	var acts []trail.Entry
	var told []string
	if err := fn(tx{ctx, d, loosen(t), &acts, &told}); err != nil {
		return err
	}
	if err := (tx{ctx, d, loosen(t), nil, nil}).chain(acts); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return err
	}
	for _, id := range told {
		d.config.Changed(id)
	}
	return nil
}

// changed has Changed told of a client, once the transaction is committed.
func (t tx) changed(clientID string) {
	if !slices.Contains(*t.told, clientID) {
		*t.told = append(*t.told, clientID)
	}
}

// changedPayment is changed for whoever the payment is of; "" is for none.
func (t tx) changedPayment(paymentID string) error {
	if paymentID == "" {
		return nil
	}
	var clientID string
	if err := t.row(`SELECT client_id FROM payments WHERE id = $1`, paymentID).Scan(&clientID); err != nil {
		return err
	}
	t.changed(clientID)
	return nil
}

// read is for queries that need no transaction: each sees what is committed.
func (d *DB) read(ctx context.Context) tx { return tx{ctx, d, loosen(d.sql), nil, nil} }

func (t tx) exec(query string, args ...any) error {
	_, err := t.q.ExecContext(t.ctx, query, args...)
	return err
}

// exactlyOne runs a compare-and-set: it returns errMoved unless exactly one row was there to change.
func (t tx) exactlyOne(query string, args ...any) error {
	return t.exactlyOneOf(errMoved, query, args...)
}

// exactlyOneOf is exactlyOne with an error of its own for there being none.
func (t tx) exactlyOneOf(none error, query string, args ...any) error {
	r, err := t.q.ExecContext(t.ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return none
	}
	return nil
}

var errMoved = errors.New("the row has changed since it was read")

func (t tx) row(query string, args ...any) *sql.Row {
	return t.q.QueryRowContext(t.ctx, query, args...)
}

// each scans every row of a query.
func (t tx) each(query string, args []any, scan func(scan func(...any) error) error) error {
	rows, err := t.q.QueryContext(t.ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err says what went wrong
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// atMost ends a query that is asked all the time. SQLite plans a statement anew at each use if its LIMIT is a parameter, since the plan may depend on it.
func atMost(n int) string { return " LIMIT " + strconv.Itoa(n) }

// lockAccount takes the lock that every decision about a client's money holds. SQLite's transactions have taken the whole database's already.
func (t tx) lockAccount(clientID string) error {
	query := `SELECT id FROM clients WHERE id = $1`
	if t.d.postgres {
		query += ` FOR UPDATE`
	}
	return t.row(query, clientID).Scan(new(string))
}

// now is the one clock: the database server's where several instances have to agree, else ours. Within a transaction it is read after the lock.
func (t tx) now() (time.Time, error) {
	if !t.d.postgres || !t.d.config.DatabaseClock {
		return t.d.config.Now().Truncate(time.Millisecond).UTC(), nil
	}
	var ms int64
	err := t.row(`SELECT ` + clockMS).Scan(&ms)
	return time.UnixMilli(ms).UTC(), err
}

// clockMS is the database server's clock, which goes on within a transaction.
const clockMS = `CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)`

// Now reads the clock that decides.
func (d *DB) Now(ctx context.Context) (time.Time, error) { return d.read(ctx).now() }

func again(err error) bool {
	if errors.Is(err, errMoved) {
		return true
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()&0xff == sqlite3.SQLITE_BUSY || e.Code()&0xff == sqlite3.SQLITE_LOCKED
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "40001" || e.Code == "40P01"
	}
	return false
}

// clash says whether an insert met a unique rule.
func clash(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505"
	}
	return false
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMS(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// dueMS is NULL where nothing is due, so that the partial index holds only what is.
func dueMS(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
