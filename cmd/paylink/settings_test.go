package main

import (
	"bytes"
	"maps"
	"net"
	"os"
	"strings"
	"testing"

	"paylink/internal/testbed"
)

// wholly is an environment in which all is well.
func wholly() map[string]string {
	return map[string]string{
		"PAYLINK_URL": "https://plus.interlane.example", "PAYLINK_BRAND": "Interlane", "PAYLINK_SUPPORT_PHONE": "(804) 555-0100", "PAYLINK_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"PAYLINK_TRUSTED_PROXIES": "10.0.0.0/8", "DATABASE_URL": "sqlite:/nowhere/paylink.db", "REDIS_URL": "redis://127.0.0.1:1", "STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_PUBLISHABLE_KEY": "pk_test_x",
		"STRIPE_WEBHOOK_SECRET": "whsec_a", "TWILIO_ACCOUNT_SID": "AC0000000000000000000000000000d0a1", "TWILIO_AUTH_TOKEN": "token", "TWILIO_FROM": "+18045550100",
	}
}

func paylink(env map[string]string, args ...string) (status int, said string) {
	var out, errs bytes.Buffer
	status = run(args, func(name string) (string, bool) { v, ok := env[name]; return v, ok }, strings.NewReader(""), &out, &errs)
	return status, out.String() + errs.String()
}

// What one round of correcting would hide, such as a token that has a line's end in it, is named beside everything else; and each setting once.
func TestEveryWrongSettingIsNamedInOneRound(t *testing.T) {
	env := wholly()
	delete(env, "STRIPE_WEBHOOK_SECRET")
	delete(env, "PAYLINK_BRAND")
	maps.Copy(env, map[string]string{
		"PAYLINK_URL": "https://plus.interlane.example/hunter2", "PAYLINK_LINK_LIFE": "10m30s", "REDIS_URL": "redis-sentinel://:hunter2@127.0.0.1:1", "DATABASE_URL": "postgres://u:hunter2@[", "STRIPE_API_URL": "http://hunter2.example",
		"STRIPE_SECRET_KEY": "sk_test_", "STRIPE_JS_URL": "hunter2", "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "hunter2\n", "TWILIO_FROM": "hunter2", "TWILIO_API_URL": "https://hunter2.example/path",
		"TWILIO_API_KEY": "SK1", "TWILIO_API_SECRET": "hunter2", "PAYLINK_TRUSTED_PROXIES": "", "TWILIO_REGION": "hunter2",
	})
	status, said := paylink(env, "check-config")
	for _, name := range []string{
		"STRIPE_WEBHOOK_SECRET", "PAYLINK_BRAND", "PAYLINK_URL", "PAYLINK_LINK_LIFE", "REDIS_URL", "DATABASE_URL", "STRIPE_API_URL", "STRIPE_SECRET_KEY", "STRIPE_JS_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN",
		"TWILIO_FROM", "TWILIO_API_URL", "TWILIO_API_KEY", "PAYLINK_TRUSTED_PROXIES", "TWILIO_REGION",
	} {
		if n := strings.Count(said, "  - "+name+" "); n != 1 {
			t.Errorf("%s is named %d times", name, n)
		}
	}
	if status != misuse || strings.Contains(said, "hunter2") || strings.Contains(said, "PAYLINK_PAY_URL") {
		t.Errorf("status %d, or it says what it should not:\n%s", status, said)
	}
}

func TestBehindTLSTheProxiesAreToBeNamed(t *testing.T) {
	for _, c := range []struct {
		url, proxies string
		status       int
	}{
		{"https://plus.interlane.example", "", misuse},
		{"https://plus.interlane.example", "none", done},
		{"https://plus.interlane.example", "10.0.0.0/8, 192.168.0.0/16", done},
		{"https://plus.interlane.example", "none, 10.0.0.0/8", misuse},
		{"https://plus.interlane.example", "10.0.0.1", misuse},
		{"http://127.0.0.1:8080", "", done},
	} {
		env := wholly()
		env["PAYLINK_URL"], env["PAYLINK_TRUSTED_PROXIES"] = c.url, c.proxies
		if status, said := paylink(env, "check-config"); status != c.status || status != done && !strings.Contains(said, "PAYLINK_TRUSTED_PROXIES") {
			t.Errorf("%q with %s: status %d\n%s", c.proxies, c.url, status, said)
		}
	}
}

func TestSettingsHaveTheirSuppliersForm(t *testing.T) {
	for _, c := range []struct{ setting, value string }{
		{"PAYLINK_BRAND", "123"}, {"PAYLINK_LINK_LIFE", "90s"}, {"PAYLINK_LINK_LIFE", "61m"}, {"TWILIO_FROM", "8045550100"}, {"STRIPE_PUBLISHABLE_KEY", "sk_test_x"}, {"STRIPE_PUBLISHABLE_KEY", "pk_live_x"},
		{"REDIS_URL", "redis://127.0.0.1:1/x"}, {"REDIS_URL", "https://127.0.0.1"}, {"DATABASE_URL", "mysql://x"},
	} {
		env := wholly()
		env[c.setting] = c.value
		if status, said := paylink(env, "check-config"); status != misuse || !strings.Contains(said, "  - "+c.setting+" ") {
			t.Errorf("%s=%s: status %d\n%s", c.setting, c.value, status, said)
		}
	}
}

func TestACompanysSignInIsWholeOrNotThere(t *testing.T) {
	whole := map[string]string{"OIDC_ISSUER": "https://id.interlane.example", "OIDC_CLIENT_ID": "plus-web", "OIDC_CLIENT_SECRET": "hunter2"}
	for wrong, change := range map[string]func(env map[string]string){
		"":                   func(map[string]string) {},
		"OIDC_ISSUER":        func(env map[string]string) { delete(env, "OIDC_ISSUER") },
		"OIDC_CLIENT_ID":     func(env map[string]string) { delete(env, "OIDC_CLIENT_ID") },
		"OIDC_CLIENT_SECRET": func(env map[string]string) { delete(env, "OIDC_CLIENT_SECRET") },
		"OIDC_ISSUER ":       func(env map[string]string) { env["OIDC_ISSUER"] = "http://id.interlane.example" },
	} {
		env := wholly()
		maps.Copy(env, whole)
		change(env)
		status, said := paylink(env, "check-config")
		if (status == done) != (wrong == "") || strings.Count(said, "  - OIDC_") != len(strings.Fields(wrong)) || !strings.Contains(said, strings.TrimSpace(wrong)) || strings.Contains(said, "hunter2") {
			t.Errorf("with a wrong %s: status %d\n%s", wrong, status, said)
		}
	}
	env := wholly()
	maps.Copy(env, whole)
	env["OIDC_ISSUER"] = "http://127.0.0.1:9" // for a provider on this machine
	if status, said := paylink(env, "check-config"); status != done {
		t.Errorf("status %d\n%s", status, said)
	}
}

// Whoever starts it must be able to tell settings that are wrong from a neighbour that is down.
func TestAStartThatFailsIsNoMistakeInTheSettings(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	redis := testbed.Redis(t)
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
		want string
	}{
		"the database is down":  {map[string]string{"DATABASE_URL": "postgres://u:hunter2@127.0.0.1:1/x", "REDIS_URL": redis}, []string{"serve"}, "database"},
		"migrate, and no file":  {map[string]string{"DATABASE_URL": "sqlite:/nowhere/paylink.db"}, []string{"migrate"}, "database"},
		"Redis is down":         {map[string]string{"DATABASE_URL": testbed.SQLite(t), "REDIS_URL": "redis://:hunter2@127.0.0.1:1"}, []string{"serve"}, "Redis"},
		"the address is in use": {map[string]string{"DATABASE_URL": testbed.SQLite(t), "REDIS_URL": redis, "PAYLINK_ADDR": taken.Addr().String()}, []string{"serve"}, taken.Addr().String()},
	} {
		env := wholly()
		maps.Copy(env, c.env)
		status, said := paylink(env, c.args...)
		if status != failed || !strings.Contains(said, c.want) || !strings.Contains(said, "could not start") || strings.Contains(said, "not complete") || strings.Contains(said, "hunter2") {
			t.Errorf("%s: status %d\n%s", name, status, said)
		}
	}
	env := wholly()
	env["DATABASE_URL"] = "mysql://u:hunter2@127.0.0.1/x"
	if status, said := paylink(env, "migrate"); status != misuse || strings.Contains(said, "hunter2") {
		t.Errorf("an address that is none: status %d\n%s", status, said)
	}
}

func TestBothCommandsCarryTheTimeZones(t *testing.T) {
	for _, file := range []string{"main.go", "../paysim/main.go"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), `_ "time/tzdata"`) {
			t.Errorf("%s does not: on a host without zoneinfo every day would be counted in UTC", file)
		}
	}
}
