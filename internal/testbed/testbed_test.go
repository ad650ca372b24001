package testbed

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

func TestEveryPostgresIsEmptyAndGoneAfterwards(t *testing.T) {
	var first string
	t.Run("a database", func(t *testing.T) {
		first = Postgres(t)
		second := Postgres(t)
		if first == second {
			t.Fatal("two calls returned the same database")
		}
		query(t, first, "CREATE TABLE a (id TEXT)")
		query(t, second, "CREATE TABLE a (id TEXT)")
	})
	if first == "" {
		t.Skip("no database above")
	}
	if conn, err := pgx.Connect(t.Context(), first); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the database outlived its test")
	}
}

func TestDatabasesRunsOnBoth(t *testing.T) {
	t.Setenv("PAYLINK_TEST_DATABASE", "")
	var seen []string
	Databases(t, func(_ *testing.T, url string) {
		kind, _, _ := strings.Cut(url, ":")
		seen = append(seen, kind)
	})
	if got := fmt.Sprint(seen); got != "[sqlite postgres]" && got != "[sqlite]" { // without Postgres the second is skipped
		t.Errorf("ran on %s", got)
	}
}

func TestRedisStopsPausesAndComesBackWithWhatWasSaved(t *testing.T) {
	server := RedisServer(t)
	options, err := redis.ParseURL(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	get := func(key string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return client.Get(ctx, key).Result()
	}

	must(t, client.Set(t.Context(), "saved", "yes", 0).Err())
	must(t, client.Save(t.Context()).Err())
	must(t, client.Set(t.Context(), "unsaved", "yes", 0).Err())

	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	if err := client.Ping(ctx).Err(); err == nil {
		t.Error("a paused server answered")
	}
	cancel()
	server.Resume()
	if got, err := get("unsaved"); got != "yes" {
		t.Errorf("after Resume: %q, %v", got, err)
	}

	server.Stop()
	if _, err := get("saved"); err == nil {
		t.Error("a stopped server answered")
	}
	server.Restart()
	client = redis.NewClient(options)
	if got, err := get("saved"); got != "yes" {
		t.Errorf("after Restart: %q, %v", got, err)
	}
	if got, err := get("unsaved"); err != redis.Nil {
		t.Errorf("what was not saved came back: %q, %v", got, err)
	}
}

func TestRedisIsFreshEachTime(t *testing.T) {
	first, second := Redis(t), Redis(t)
	if first == second {
		t.Error("two calls returned the same server")
	}
}

func TestWhatIsMissingSkipsUnlessAllMustRun(t *testing.T) {
	for all, want := range map[string]string{"": "skip", "1": "fatal"} {
		t.Setenv("PAYLINK_TEST_ALL", all)
		got := &recorder{TB: t}
		missing(got, "a thing")
		if got.what != want || !strings.Contains(got.text, "a thing") {
			t.Errorf("PAYLINK_TEST_ALL=%q: %s %q", all, got.what, got.text)
		}
	}
}

func TestChromiumAndNodeModulesAreThere(t *testing.T) {
	t.Run("chromium", func(t *testing.T) { t.Log(Chromium(t)) })
	t.Run("node_modules", func(t *testing.T) { t.Log(NodeModules(t)) })
}

// recorder takes down how a test would have ended.
type recorder struct {
	testing.TB
	what, text string
}

func (r *recorder) Skipf(format string, args ...any) {
	r.what, r.text = "skip", fmt.Sprintf(format, args...)
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.what, r.text = "fatal", fmt.Sprintf(format, args...)
}

func query(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), statement)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
