package main

import (
	"bytes"
	"database/sql"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paylink/internal/staff"
	"paylink/internal/testbed"
)

// told is what a command has said.
type told struct {
	status      int
	out, errors string
}

// command runs one with an environment of its own.
func command(env map[string]string, stdin string, args ...string) told {
	var out, errors bytes.Buffer
	status := run(args, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, strings.NewReader(stdin), &out, &errors)
	return told{status, out.String(), errors.String()}
}

const key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// complete is an environment in which nothing is missing.
func complete() map[string]string {
	return map[string]string{
		"PAYLINK_URL": "https://plus.example.com", "PAYLINK_BRAND": "Interlane", "PAYLINK_SUPPORT_PHONE": "(804) 555-0100", "PAYLINK_KEYS": key, "DATABASE_URL": "sqlite:/nowhere/paylink.db", "REDIS_URL": "redis://127.0.0.1:1",
		"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_PUBLISHABLE_KEY": "pk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_a,whsec_b",
		"TWILIO_ACCOUNT_SID": "AC0000000000000000000000000000d0a1", "TWILIO_AUTH_TOKEN": "token", "TWILIO_FROM": "+18045550100", "PAYLINK_TRUSTED_PROXIES": "none",
	}
}

func TestServeWithoutSettingsNamesThemAll(t *testing.T) {
	for _, name := range []string{"serve", "check-config"} {
		got := command(nil, "", name)
		if got.status != misuse {
			t.Errorf("%s: status %d", name, got.status)
		}
		for _, want := range []string{
			"PAYLINK_URL", "PAYLINK_BRAND", "PAYLINK_SUPPORT_PHONE", "PAYLINK_KEYS", "DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET", "TWILIO_ACCOUNT_SID",
			"TWILIO_AUTH_TOKEN", "TWILIO_FROM",
		} {
			if !strings.Contains(got.errors, want) {
				t.Errorf("%s does not name %s:\n%s", name, want, got.errors)
			}
		}
	}
}

func TestEverythingMalformedIsNamedAtOnceAndNothingPrinted(t *testing.T) {
	env := map[string]string{"TWILIO_EDGE": "hunter2", "PAYLINK_LINK_LIFE": "hunter2"}
	for name := range complete() {
		env[name] = "hunter2"
	}
	env["PAYLINK_BRAND"], env["STRIPE_API_URL"], env["PAYLINK_TRUSTED_PROXIES"], env["PAYLINK_ADDR"] = strings.Repeat("Brand ", 30), "http://hunter2", "hunter2", "hunter2"
	got := command(env, "", "check-config")
	for _, want := range []string{
		"PAYLINK_URL", "PAYLINK_SUPPORT_PHONE", "PAYLINK_KEYS", "DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SECRET", "TWILIO_ACCOUNT_SID", "TWILIO_EDGE", "PAYLINK_LINK_LIFE",
		"STRIPE_API_URL", "PAYLINK_TRUSTED_PROXIES", "PAYLINK_ADDR",
	} {
		if !strings.Contains(got.errors, want) {
			t.Errorf("%s is not named", want)
		}
	}
	if got.status != misuse || strings.Contains(got.errors+got.out, "hunter2") {
		t.Errorf("status %d, or a value was printed:\n%s", got.status, got.errors)
	}
	// One problem of each kind, seen in one go: a setting that is missing does not hide one that is wrong.
	env = complete()
	delete(env, "REDIS_URL")
	env["PAYLINK_URL"], env["TWILIO_ACCOUNT_SID"] = "https://plus.example.com/path", "AC1"
	got = command(env, "", "check-config")
	for _, want := range []string{"REDIS_URL", "PAYLINK_URL", "account SID"} {
		if !strings.Contains(got.errors, want) && !strings.Contains(got.errors, strings.ReplaceAll(want, "account SID", "TWILIO_ACCOUNT_SID")) {
			t.Errorf("%s is not named:\n%s", want, got.errors)
		}
	}
}

func TestSingleMistakes(t *testing.T) {
	for name, c := range map[string]struct{ setting, value, want string }{
		"a test key beside a live one":    {"STRIPE_PUBLISHABLE_KEY", "pk_live_x", "both be test keys"},
		"an address without TLS":          {"PAYLINK_URL", "http://plus.example.com", "https://"},
		"a link that lives for a day":     {"PAYLINK_LINK_LIFE", "24h", "PAYLINK_LINK_LIFE"},
		"two senders":                     {"TWILIO_MESSAGING_SERVICE_SID", "MG1", "one of them"},
		"half an API key":                 {"TWILIO_API_KEY", "SK1", "belong together"},
		"a key that is too short":         {"PAYLINK_KEYS", "AAAA", "PAYLINK_KEYS"},
		"no key among commas":             {"PAYLINK_KEYS", ",,", "PAYLINK_KEYS"},
		"a brand beyond the alphabet":     {"PAYLINK_BRAND", "Ínterlane", "GSM"},
		"one webhook secret that is none": {"STRIPE_WEBHOOK_SECRET", "whsec_a,secret", "STRIPE_WEBHOOK_SECRET"},
	} {
		env := complete()
		env[c.setting] = c.value
		if got := command(env, "", "check-config"); got.status != misuse || !strings.Contains(got.errors, c.want) {
			t.Errorf("%s: status %d, %s", name, got.status, got.errors)
		}
	}
}

func TestCheckConfigCountsSeptets(t *testing.T) {
	got := command(complete(), "", "check-config")
	if got.status != done || strings.Count(got.out, "of 160 septets") < 4 || !strings.Contains(got.out, "es:") || !strings.Contains(got.out, "complete") {
		t.Errorf("status %d\n%s%s", got.status, got.out, got.errors)
	}
	flagged := command(complete(), "", "check-config", "-paylink-link-life", "24h")
	if flagged.status != misuse {
		t.Error("a flag does not win over the environment")
	}
	for _, args := range [][]string{{"check-config", "-no-such-flag", "hunter2"}, {"check-config", "hunter2"}, {"check-config", "-paylink-url"}} {
		if got := command(complete(), "", args...); got.status != misuse || strings.Contains(got.errors, "hunter2") {
			t.Errorf("%v: status %d, %s", args, got.status, got.errors)
		}
	}
}

func TestASecretMayComeFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for content, want := range map[string]int{"sk_test_x\n": done, "sk_test_x": done, "sk_test_x\r\n": done, "wrong\n": misuse, "": misuse} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		env := complete()
		delete(env, "STRIPE_SECRET_KEY")
		env["STRIPE_SECRET_KEY_FILE"] = file
		if got := command(env, "", "check-config"); got.status != want {
			t.Errorf("%q: status %d, %s", content, got.status, got.errors)
		}
	}
	env := complete()
	delete(env, "STRIPE_SECRET_KEY")
	env["STRIPE_SECRET_KEY_FILE"] = file + "-that-is-not-there"
	if got := command(env, "", "check-config"); got.status != misuse || !strings.Contains(got.errors, "STRIPE_SECRET_KEY_FILE") || strings.Contains(got.errors, file) {
		t.Errorf("status %d, %s", got.status, got.errors)
	}
}

func TestStaffAdd(t *testing.T) {
	env := map[string]string{"DATABASE_URL": testbed.SQLite(t)}
	const password = "correct horse battery"
	args := []string{"staff", "add", "-login", "Ana", "-name", "Ana Ruiz", "-role", "lead"}
	if got := command(env, password+"\n", args...); got.status != done || !strings.Contains(got.out, "Ana Ruiz may sign in as lead") {
		t.Fatalf("status %d, %s", got.status, got.errors)
	}
	if got := command(env, password, args...); got.status != failed || !strings.Contains(got.errors, staff.ErrTaken.Error()) {
		t.Errorf("again: status %d, %s", got.status, got.errors)
	}
	own := []string{"staff", "add", "-login", "ben", "-name", "Ben Ode", "-email", "Ben@Interlane.example", "-own"}
	if got := command(env, password, own...); got.status != done || strings.Contains(got.out, "temporary") {
		t.Errorf("status %d, %s", got.status, got.out+got.errors)
	}
	db, _ := openDatabase(t.Context(), nil, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, os.Stderr)
	defer db.Close()
	for login, temporary := range map[string]bool{"ana": true, "ben": false} {
		if m, err := db.MemberByLogin(t.Context(), login); err != nil || m.MustChange != temporary || login == "ben" && m.Email != "ben@interlane.example" {
			t.Errorf("%s is %+v, %v", login, m, err)
		}
	}
	for name, c := range map[string]struct {
		stdin string
		args  []string
	}{
		"a guessed one":    {"password1234\n", []string{"staff", "add", "-login", "b", "-name", "B"}},
		"a short password": {"short\n", []string{"staff", "add", "-login", "b", "-name", "B"}},
		"no password":      {"", []string{"staff", "add", "-login", "b", "-name", "B"}},
		"a long password":  {strings.Repeat("x", 300), []string{"staff", "add", "-login", "b", "-name", "B"}},
		"no login":         {password, []string{"staff", "add", "-name", "B"}},
		"an unknown role":  {password, []string{"staff", "add", "-login", "b", "-name", "B", "-role", "boss"}},
		"no verb":          {password, []string{"staff"}},
		"another verb":     {password, []string{"staff", "remove"}},
	} {
		if got := command(env, c.stdin, c.args...); got.status != misuse || strings.Contains(got.errors+got.out, password) {
			t.Errorf("%s: status %d, %s", name, got.status, got.errors)
		}
	}
}

const town = `{"locations": [{"id": "VA-RIC", "name": "Richmond, VA", "state": "VA", "time_zone": "America/New_York", "payments": "configured", "tax_ppm": 60000, "loss_protection_taxable": true,
		"monitoring_cap_monthly": null, "loss_protection_cap_monthly": null, "state_fee_monthly": 0, "labor_fee": 0}],
	"clients": [{"id": "1", "first_name": "Dana", "last_name": "Whitfield", "language": "en", "phone": "804 555 0142", "past_due": 4237,
		"vehicles": [{"id": "v1", "location": "VA-RIC", "label": "2016 Honda Civic", "plate": "ABC-1234", "plate_state": "VA", "program": "iid", "daily_rate": 310, "loss_protection_daily": 0, "paid_to": "2026-03-02"}]}]}`

func TestImport(t *testing.T) {
	env := map[string]string{"DATABASE_URL": testbed.SQLite(t)}
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.json", town)
	for range 2 { // what is there stays as it is
		if got := command(env, "", "import", good); got.status != done {
			t.Fatalf("status %d, %s", got.status, got.errors)
		}
	}
	swap := func(old, new string) string { return strings.Replace(town, old, new, 1) }
	// What a location may have besides.
	more := strings.NewReplacer(`"id": "VA-RIC"`, `"id": "VA-3"`, `"location": "VA-RIC"`, `"location": "VA-3"`, `"id": "1"`, `"id": "3"`, `"v1"`, `"v3"`, `"labor_fee": 0`,
		`"labor_fee": 0, "iid_daily": 310, "pam_daily": 500, "loss_protection_daily": 16, "taxed_fees": ["service"], "fees": [{"id": "fee-3", "name": "Report", "kind": "service", "amount": 1200}],
		"address": "1 Mill Road", "phone": "(800) 555-0111", "hours": [{"days": ["mon", "sat"], "opens": "08:30", "closes": "24:00", "bays": 2}]`).Replace(town)
	if got := command(env, "", "import", file("more.json", more)); got.status != done {
		t.Fatalf("status %d, %s", got.status, got.errors)
	}
	books, err := sql.Open("sqlite", strings.TrimPrefix(env["DATABASE_URL"], "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = books.Close() }()
	var kept string
	if err := books.QueryRow(`SELECT l.iid_daily || ' ' || l.pam_daily || ' ' || l.loss_protection_daily || ' ' || l.taxed_fees || ' ' || f.name || ' ' || f.kind || ' ' || f.amount
		FROM locations l JOIN fees f ON f.location_id = l.id WHERE l.id = 'VA-3' AND f.id = 'fee-3'`).Scan(&kept); err != nil || kept != "310 500 16 service Report service 1200" {
		t.Errorf("kept is %q, %v", kept, err)
	}
	if err := books.QueryRow(`SELECT l.address || ' ' || l.phone || ' ' || h.opens || ' ' || h.closes || ' ' || h.bays || ' ' || h.weekday FROM locations l JOIN opening_hours h ON h.location_id = l.id
		WHERE l.id = 'VA-3' AND h.weekday = 6`).Scan(&kept); err != nil || kept != "1 Mill Road +18005550111 510 1440 2 6" {
		t.Errorf("kept is %q, %v", kept, err)
	}
	for name, content := range map[string]string{
		"a day that is none": strings.Replace(more, `"sat"`, `"Saturday"`, 1), "hours that end before they begin": strings.Replace(more, `"24:00"`, `"08:30"`, 1), "no bay": strings.Replace(more, `"bays": 2`, `"bays": 0`, 1),
		"a time that is none": strings.Replace(more, `"08:30"`, `"8.30"`, 1), "a desk's phone that is none": strings.Replace(more, `(800) 555-0111`, `12`, 1),
		"a kind of fee that is none": strings.Replace(more, `"kind": "service"`, `"kind": "x"`, 1), "a fee of nothing": strings.Replace(more, `"amount": 1200`, `"amount": 0`, 1),
		"a kind that is taxed and is none": strings.Replace(more, `["service"]`, `["x"]`, 1), "a price below zero": strings.Replace(more, `"iid_daily": 310`, `"iid_daily": -1`, 1),
		"no JSON": "{", "an unknown field": swap(`"state": "VA"`, `"sate": "VA"`), "a zone that is none": swap("America/New_York", "America/Nowhere"), "a phone that is none": swap("804 555 0142", "12"),
		"a date that is none": swap("2026-03-02", "2026-02-30"), "a negative balance": swap("4237", "-1"), "an unknown program": swap(`"iid"`, `"x"`), "an unknown place": swap(`"location": "VA-RIC"`, `"location": "XX"`),
	} {
		content = strings.NewReplacer(`"id": "1"`, `"id": "2"`, `"v1"`, `"v2"`, `"id": "VA-RIC"`, `"id": "VA-2"`).Replace(content)
		if name != "an unknown place" {
			content = strings.Replace(content, `"location": "VA-RIC"`, `"location": "VA-2"`, 1)
		}
		got := command(env, "", "import", good, file("bad.json", content))
		if got.status != failed || got.out != "" {
			t.Errorf("%s: status %d, %s%s", name, got.status, got.out, got.errors)
		}
	}
	if got := command(env, "", "import"); got.status != misuse {
		t.Errorf("without files: status %d", got.status)
	}
	if got := command(env, "", "import", filepath.Join(dir, "none.json")); got.status != failed {
		t.Errorf("a file that is not there: status %d", got.status)
	}
	if got := command(env, "", "migrate"); got.status != done {
		t.Errorf("migrate: status %d, %s", got.status, got.errors)
	}
}

func TestHealthcheck(t *testing.T) {
	status := http.StatusOK
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("it asked for %s", r.URL.Path)
		}
		w.WriteHeader(status)
	}))
	addr := strings.TrimPrefix(web.URL, "http://")
	_, port, _ := strings.Cut(addr, ":")
	for _, a := range []string{addr, ":" + port, "0.0.0.0:" + port, "[::]:" + port} {
		if got := command(map[string]string{"PAYLINK_ADDR": a}, "", "healthcheck"); got.status != done {
			t.Errorf("%s: status %d, %s", a, got.status, got.errors)
		}
	}
	status = http.StatusServiceUnavailable
	if got := command(map[string]string{"PAYLINK_ADDR": addr}, "", "healthcheck"); got.status != failed {
		t.Errorf("a service that is not well: status %d", got.status)
	}
	web.Close()
	if got := command(map[string]string{"PAYLINK_ADDR": addr}, "", "healthcheck"); got.status != failed {
		t.Errorf("no service: status %d", got.status)
	}
	if got := command(map[string]string{"PAYLINK_ADDR": "nonsense"}, "", "healthcheck"); got.status != misuse {
		t.Errorf("no address: status %d", got.status)
	}
}

func TestTheRest(t *testing.T) {
	if got := command(nil, "", "version"); got.status != done || !strings.HasPrefix(got.out, "paylink ") {
		t.Errorf("version: %d %q", got.status, got.out)
	}
	for _, args := range [][]string{{"help"}, {"-h"}} {
		if got := command(nil, "", args...); got.status != done || !strings.Contains(got.out, "paylink serve") {
			t.Errorf("%v: %d", args, got.status)
		}
	}
	if got := command(nil, "", "serve", "-help"); got.status != done || !strings.Contains(got.errors, "STRIPE_SECRET_KEY_FILE") {
		t.Errorf("serve -help: %d", got.status)
	}
	for _, args := range [][]string{{}, {"dance"}} {
		if got := command(nil, "", args...); got.status != misuse || !strings.Contains(got.errors, "paylink serve") {
			t.Errorf("%v: %d", args, got.status)
		}
	}
}

// TestServeThatCanNotReachItsDatabaseEnds at once, with its reason and without a secret.
func TestServeThatCanNotReachItsDatabaseEnds(t *testing.T) {
	env := complete()
	env["DATABASE_URL"] = "postgres://u:hunter2@127.0.0.1:1/x"
	ended := make(chan told, 1)
	go func() { ended <- command(env, "", "serve") }()
	select {
	case got := <-ended:
		if got.status == done || strings.Contains(got.errors, "hunter2") || got.errors == "" {
			t.Errorf("status %d, or its password was printed", got.status)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not end")
	}
}
