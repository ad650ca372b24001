package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// The bare process is the yardstick: the least that the same router, the same Redis client and the same SQL driver can do. It runs where the service runs,
// on a core of its own process, says its address on the first line, and ends when its standard input does.

// What the bench tells it.
const (
	bareRedis    = "BENCH_REDIS"
	bareDatabase = "BENCH_DATABASE"
	barePage     = "BENCH_PAGE" // file that the static handler serves
)

const (
	bareBytes = 600  // of an answer
	bareKeys  = 1000 // in Redis, "bare:0" and on
	rowBytes  = 300  // of a row, about what a row of the service has
)

// commits asks for bare transactions: so many, with so many rows in all.
type commits struct {
	Transactions int `json:"transactions"`
	Rows         int `json:"rows"`
	Workers      int `json:"workers"`
}

func bareMain() error {
	options, err := redis.ParseURL(os.Getenv(bareRedis))
	if err != nil {
		return errors.New("the address of Redis can't be read")
	}
	// As redisdb sets them.
	options.ContextTimeoutEnabled = true
	options.DialTimeout, options.DialerRetries = 500*time.Millisecond, 1
	options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = 800*time.Millisecond, 800*time.Millisecond, 800*time.Millisecond
	options.MaxRetries, options.MinRetryBackoff, options.MaxRetryBackoff = 1, 10*time.Millisecond, 50*time.Millisecond
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	r := redis.NewClient(options)
	defer func() { _ = r.Close() }()
	db, err := sql.Open("pgx", os.Getenv(bareDatabase))
	if err != nil {
		return errors.New("the address of the database can't be read")
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(16) // as app has it
	db.SetMaxIdleConns(16)
	page, err := os.ReadFile(os.Getenv(barePage))
	if err != nil {
		return err
	}
	body := []byte(strings.Repeat("x", bareBytes))

	router := mux.NewRouter()
	router.HandleFunc("/static", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page) // the reader has gone
	}).Methods(http.MethodGet)
	router.HandleFunc("/bare/{key}", func(w http.ResponseWriter, q *http.Request) {
		if err := r.Get(q.Context(), "bare:"+mux.Vars(q)["key"]).Err(); err != nil {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(body) // the reader has gone
	}).Methods(http.MethodGet)
	router.HandleFunc("/commits", func(w http.ResponseWriter, q *http.Request) {
		var c commits
		if err := json.NewDecoder(q.Body).Decode(&c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		got, err := c.run(q.Context(), db)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(got) // the reader has gone
	}).Methods(http.MethodPost)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: router, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is the news
		_ = server.Close()
	}()
	fmt.Println(listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// run commits transactions that only insert rows into one table with one key.
func (c commits) run(ctx context.Context, db *sql.DB) (sample, error) {
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS bare (id TEXT PRIMARY KEY, payload TEXT NOT NULL)`); err != nil {
		return sample{}, err
	}
	payload := strings.Repeat("x", rowBytes)
	jobs := make([]func(context.Context) error, c.Transactions)
	for i := range jobs {
		rows := c.Rows*(i+1)/c.Transactions - c.Rows*i/c.Transactions // spread evenly
		jobs[i] = func(ctx context.Context) error {
			t, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			for range rows {
				if _, err := t.ExecContext(ctx, `INSERT INTO bare (id, payload) VALUES ($1, $2)`, uuid.Must(uuid.NewV7()).String(), payload); err != nil {
					return errors.Join(err, t.Rollback())
				}
			}
			return t.Commit()
		}
	}
	return once(ctx, c.Workers, time.Minute, jobs)
}
