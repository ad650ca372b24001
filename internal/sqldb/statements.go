package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// statementsMost bounds how many prepared statements one connection to SQLite keeps; all of this package's are fewer.
const statementsMost = 256

// keeper opens connections to SQLite that keep their statements prepared: SQLite takes as long to read a statement as to carry it out, and database/sql
// would have it read anew each time. pgx keeps Postgres's by itself.
type keeper struct {
	driver driver.Driver
	dsn    string
}

func openSQLite(dsn string) (*sql.DB, error) {
	d, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keeper{d.Driver(), dsn}), d.Close()
}

func (k keeper) Driver() driver.Driver { return k.driver }

func (k keeper) Connect(context.Context) (driver.Conn, error) {
	c, err := k.driver.Open(k.dsn)
	if err != nil {
		return nil, err
	}
	return &keeping{whole: c.(whole), idle: map[string]driver.Stmt{}}, nil
}

// whole is what the driver's connections can do, and all that database/sql asks of one that prepares.
type whole interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keeping is one connection. It offers no way around preparing, so that database/sql prepares each statement and closes it after use; closing is giving
// back. One goroutine at a time uses a connection.
type keeping struct {
	whole
	idle map[string]driver.Stmt
}

func (c *keeping) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s := c.idle[query]
	if s == nil {
		var err error
		if s, err = c.whole.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
	}
	delete(c.idle, query) // while it is in use, the same query needs another
	return &kept{wholeStmt: s.(wholeStmt), query: query, by: c}, nil
}

func (c *keeping) Close() error {
	for query, s := range c.idle {
		_ = s.Close() // the connection's own end says what matters
		delete(c.idle, query)
	}
	return c.whole.Close()
}

type wholeStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// kept is a prepared statement in use.
type kept struct {
	wholeStmt
	query string
	by    *keeping
}

func (s *kept) Close() error {
	if s.by.idle[s.query] != nil || len(s.by.idle) >= statementsMost {
		return s.wholeStmt.Close()
	}
	s.by.idle[s.query] = s.wholeStmt
	return nil
}
