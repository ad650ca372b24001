package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"paylink/bench/past"
	"paylink/internal/app"
	"paylink/internal/demo"
	"paylink/internal/phone"
	"paylink/internal/staff"
)

// reportedLinks is how many links the reports are opened on, all of one period.
const reportedLinks = 100_000

// reportsOpen measures how long the supervisors' pages take on either database, from the request to the last byte of the page, in process.
func (l *lab) reportsOpen(ctx context.Context, o options, out *report) error {
	for _, name := range []string{"SQLite", "Postgres"} {
		said("reports on %s: filling in %d links", name, reportedLinks)
		database, driver, address := "", "", ""
		if name == "SQLite" {
			file := filepath.Join(l.dir, "reports.db")
			database, driver, address = "sqlite:"+file, "sqlite", "file:"+file
		} else {
			admin, err := url.Parse(l.admin)
			if err != nil {
				return errors.New("PAYLINK_TEST_POSTGRES is no URL")
			}
			made := "paylink_bench_reports_" + fmt.Sprint(time.Now().UnixNano())
			if err := l.onAdmin(ctx, "CREATE DATABASE "+made+" TEMPLATE template0"); err != nil {
				return err
			}
			l.closers = append(l.closers, func() error {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				defer cancel()
				return l.onAdmin(ctx, "DROP DATABASE "+made+" WITH (FORCE)")
			})
			admin.Path = "/" + made
			database, driver, address = admin.String(), "pgx", admin.String()
		}
		times, err := l.openReports(ctx, o, database, driver, address)
		if err != nil {
			return fmt.Errorf("reports on %s: %w", name, err)
		}
		out.Checks = append(out.Checks, atMost(fmt.Sprintf("reports of %d links on %s, until the page is there", reportedLinks, name), median(times["reports"]), 1, "s"))
		out.note("%d links on %s: reports %.2f s, control list %.2f s, the first page of the list %.3f s.", reportedLinks, name, median(times["reports"]), median(times["control"]), median(times["links"]))
	}
	return nil
}

func (l *lab) onAdmin(ctx context.Context, statement string) error {
	admin, err := pgx.Connect(ctx, l.admin)
	if err != nil {
		return errors.New("the Postgres cluster does not answer")
	}
	_, err = admin.Exec(ctx, statement)
	return errors.Join(err, admin.Close(ctx))
}

func (l *lab) openReports(ctx context.Context, o options, database, driver, address string) (times map[string][]float64, err error) {
	s, err := app.Open(ctx, app.Config{
		Addr: "127.0.0.1:0", URL: "http://127.0.0.1", PayURL: "http://127.0.0.1", DatabaseURL: database, RedisURL: l.redisURL,
		Stripe: app.Stripe{SecretKey: stripeSecret, PublishableKey: stripePublishable, WebhookSecrets: []string{stripeWebhook}, APIURL: l.suppliers, JSURL: l.suppliers + "/v3/"},
		Twilio: app.Twilio{AccountSID: twilioAccount, AuthToken: twilioToken, From: ourNumber, APIURL: l.suppliers},
		Brand:  "Interlane", Support: phone.Stored(ourNumber), Keys: l.keys, LinkLife: linkLife, Now: time.Now, Log: zerolog.Nop(),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	now := time.Now()
	town := demo.Data(now)
	if err := s.DB.Import(ctx, town); err != nil {
		return nil, err
	}
	const password = "bench-only, a long one"
	hash := staff.HashPassword(password, []byte("bench-salt-00000"))
	if err := s.DB.AddMember(ctx, staff.Member{ID: "bench", Login: "bench", Name: "B. Ortiz", Role: staff.Supervisor, PasswordHash: hash}); err != nil {
		return nil, err
	}
	raw, err := sql.Open(driver, address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = raw.Close() }() // what it wrote is committed
	conn, err := raw.Conn(ctx)
	if err != nil {
		return nil, err
	}
	days := 90
	if err := past.Fill(ctx, conn, past.Config{Postgres: driver == "pgx", Keys: l.keys, Seed: 1, Links: reportedLinks, From: now.AddDate(0, 0, -days), To: now, Locations: town.Locations, Password: hash}); err != nil {
		return nil, err
	}
	tidy := "ANALYZE"
	if driver == "pgx" {
		tidy = "VACUUM (ANALYZE)"
	}
	if _, err := conn.ExecContext(ctx, tidy); err != nil {
		return nil, err
	}
	cookies := map[string]string{}
	ask := func(method, path string, form url.Values, want int) error {
		r := httptest.NewRequestWithContext(ctx, method, "http://127.0.0.1"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		for name, value := range cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			cookies[c.Name] = c.Value
		}
		if w.Code != want {
			return fmt.Errorf("%s %s answered %d", method, r.URL.Path, w.Code)
		}
		return nil
	}
	if err := ask(http.MethodPost, "/plus/", url.Values{"login": {"bench"}, "password": {password}, "back": {"/plus/"}}, http.StatusSeeOther); err != nil {
		return nil, err
	}
	period := url.Values{"from": {now.AddDate(0, 0, -days-1).Format(time.DateOnly)}, "to": {now.AddDate(0, 0, 1).Format(time.DateOnly)}}.Encode()
	times = map[string][]float64{}
	for round := range o.runs + 1 {
		for name, path := range map[string]string{"reports": "/plus/reports?by=agent&", "control": "/plus/reports/control?", "links": "/plus/links?"} {
			began := time.Now()
			if err := ask(http.MethodGet, path+period, nil, http.StatusOK); err != nil {
				return nil, err
			}
			if round > 0 { // the first one warms
				times[name] = append(times[name], time.Since(began).Seconds())
			}
		}
	}
	return times, nil
}
