package testbed

import (
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/mux"
)

// Rows is every row of a SQLite database, a line each, sorted: what has changed is seen by comparing two. Tables to leave out are named.
func Rows(t testing.TB, db *sql.DB, without ...string) []string {
	t.Helper()
	var out []string
	for _, table := range lines(t, db, `SELECT name FROM sqlite_master WHERE type = 'table'`) {
		if name := strings.TrimPrefix(table, " name="); !slices.Contains(without, name) {
			for _, line := range lines(t, db, `SELECT * FROM "`+name+`"`) {
				out = append(out, name+line)
			}
		}
	}
	slices.Sort(out)
	return out
}

func lines(t testing.TB, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	for rows.Next() && err == nil {
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		err = rows.Scan(cells...)
		line := ""
		for i := range cells {
			if columns[i] != "version" { // it counts the looks of a sweeper that is still at work, too
				line += fmt.Sprintf(" %s=%v", columns[i], *cells[i].(*any))
			}
		}
		out = append(out, line)
	}
	if err != nil || rows.Err() != nil {
		t.Fatal(err, rows.Err())
	}
	return out
}

// Routes are all that a door serves, as "METHOD pattern": the router knows the patterns, and what a route itself tells apart, it says in the header Allow.
func Routes(t testing.TB, r *mux.Router, allow func(pattern string) string) []string {
	t.Helper()
	var out []string
	if err := r.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		pattern, err := route.GetPathTemplate()
		if err != nil || route.GetHandler() == nil {
			return err
		}
		methods, err := route.GetMethods()
		if err != nil { // it tells them apart itself
			methods = strings.Split(allow(pattern), ", ")
		}
		for _, m := range methods {
			if m != http.MethodHead {
				out = append(out, m+" "+pattern)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}
