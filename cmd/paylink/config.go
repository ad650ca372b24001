package main

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"paylink/internal/app"
	"paylink/internal/phone"
	"paylink/internal/seal"
)

// setting is one setting: by its name in the environment, by the same name in lower case with dashes as a flag, and, if it is secret, by a file that
// NAME_FILE names (the last newline of the file does not count).
type setting struct {
	name   string
	secret bool
	must   bool // for serve
	value  string
	help   string
}

var errHelp = flag.ErrHelp

// settings is a function so that nobody can change them.
func settings() []setting {
	return []setting{
		{"PAYLINK_ADDR", false, false, "127.0.0.1:8080", "address to listen on"},
		{"PAYLINK_URL", false, true, "", "public base address, https://…; Twilio signs callbacks to it"},
		{"PAYLINK_PAY_URL", false, false, "", "base address of the payer's pages, if they have a host of their own"},
		{"PAYLINK_METRICS_ADDR", false, false, "", "address of /metrics; none without it"},
		{"PAYLINK_BRAND", false, true, "", "brand that texts and pages name first"},
		{"PAYLINK_SUPPORT_PHONE", false, true, "", "telephone number of support"},
		{"PAYLINK_KEYS", true, true, "", "keys of 32 bytes in base64 or hex, by commas: the first seals and signs, all open"},
		{"PAYLINK_LINK_LIFE", false, false, "10m", "how long a link is good for, whole minutes"},
		{"PAYLINK_RECONCILE_ONLY", false, false, "", "1 after a restore: nothing is offered to pay until the books agree (docs/operations.md)"},
		{"PAYLINK_TRUSTED_PROXIES", false, false, "", "networks of our own proxies, by commas: 10.0.0.0/8; none if there are none; required with https://"},
		{"DATABASE_URL", true, true, "", "postgres://… or sqlite:PATH"},
		{"REDIS_URL", true, true, "", "redis://…, rediss://…, redis-sentinel://… or redis-cluster://…"},
		{"STRIPE_SECRET_KEY", true, true, "", "sk_…"},
		{"STRIPE_PUBLISHABLE_KEY", false, true, "", "pk_…"},
		{"STRIPE_WEBHOOK_SECRET", true, true, "", "whsec_…, several by commas: account, Connect, rotation"},
		{"STRIPE_API_URL", false, false, "", "Stripe's API, if it is not Stripe's own"},
		{"STRIPE_JS_URL", false, false, app.StripeJS, "Stripe.js"},
		{"TWILIO_ACCOUNT_SID", false, true, "", "AC…"},
		{"TWILIO_AUTH_TOKEN", true, true, "", "signs callbacks, and signs in unless there is an API key"},
		{"TWILIO_API_KEY", false, false, "", "SK…"},
		{"TWILIO_API_SECRET", true, false, "", "of the API key"},
		{"TWILIO_FROM", false, false, "", "our number, +1…; or TWILIO_MESSAGING_SERVICE_SID"},
		{"TWILIO_MESSAGING_SERVICE_SID", false, false, "", "MG…"},
		{"TWILIO_API_URL", false, false, "", "Twilio's API, if it is not Twilio's own"},
		{"OIDC_ISSUER", false, false, "", "the company's own sign-in for staff, https://…, as it names itself; it sends browsers back to PAYLINK_URL/plus/sign-on"},
		{"OIDC_CLIENT_ID", false, false, "", "what the company's sign-in knows us by"},
		{"OIDC_CLIENT_SECRET", true, false, "", "and our secret there"},
		{"SMTP_URL", true, false, "", "mail server: smtps://USER:PASSWORD@HOST or smtp://… with STARTTLS; without it no mail leaves"},
		{"PAYLINK_MAIL_FROM", false, false, "", "address that mail comes from"},
	}
}

// read finds the values of the named settings, or of all of them. Its errors name settings, never values.
func read(args []string, getenv func(string) (string, bool), stderr io.Writer, only ...string) (map[string]string, error) {
	flags := flag.NewFlagSet("paylink", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the package's own message would print a value
	given := map[string]*string{}
	for _, s := range settings() {
		given[s.name] = flags.String(strings.ReplaceAll(strings.ToLower(s.name), "_", "-"), "", s.help)
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			help(stderr)
			return nil, errHelp
		}
		return nil, errors.New("a flag is unknown or lacks its value; -help lists them")
	}
	if flags.NArg() > 0 && len(only) == 0 {
		return nil, errors.New("there is an argument that belongs to no flag")
	}
	values := map[string]string{}
	var problems []error
	for _, s := range settings() {
		if len(only) > 0 && !slices.Contains(only, s.name) {
			continue
		}
		value, err := find(s, *given[s.name], getenv)
		if err != nil {
			problems = append(problems, err)
		}
		if value == "" {
			value = s.value
		}
		if value == "" && err == nil && (s.must || len(only) > 0) {
			problems = append(problems, app.Wrong{Setting: s.name, Why: "is missing: " + s.help})
		}
		values[s.name] = value
	}
	return values, errors.Join(problems...)
}

func find(s setting, flagged string, getenv func(string) (string, bool)) (string, error) {
	if flagged != "" {
		return flagged, nil
	}
	if value, ok := getenv(s.name); ok && value != "" {
		return value, nil
	}
	if !s.secret {
		return "", nil
	}
	path, ok := getenv(s.name + "_FILE")
	if !ok || path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path) // #nosec G304 -- the operator names the file that holds the secret
	if err != nil {
		return "", app.Wrong{Setting: s.name + "_FILE", Why: "names a file that can't be read"}
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func help(w io.Writer) {
	fmt.Fprintln(w, "Settings, as flags (-paylink-addr …) or in the environment (PAYLINK_ADDR=…); * is required, NAME_FILE names a file with the value:")
	for _, s := range settings() {
		mark, also := " ", ""
		if s.must {
			mark = "*"
		}
		if s.secret {
			also = ", or " + s.name + "_FILE"
		}
		if s.value != "" {
			also += " (" + s.value + ")"
		}
		fmt.Fprintf(w, " %s %-29s %s%s\n", mark, s.name, s.help, also)
	}
}

// serveSettings reads everything that serve needs and says all that is wrong at once.
func serveSettings(args []string, getenv func(string) (string, bool), stderr io.Writer) (app.Config, error) {
	v, err := read(args, getenv, stderr)
	if v == nil {
		return app.Config{}, err
	}
	problems := flatten(err)
	wrong := func(name, why string) { problems = append(problems, app.Wrong{Setting: name, Why: why}) }
	c := app.Config{
		Addr: v["PAYLINK_ADDR"], MetricsAddr: v["PAYLINK_METRICS_ADDR"], URL: v["PAYLINK_URL"], PayURL: v["PAYLINK_PAY_URL"], DatabaseURL: v["DATABASE_URL"], RedisURL: v["REDIS_URL"],
		Stripe: app.Stripe{
			SecretKey: v["STRIPE_SECRET_KEY"], PublishableKey: v["STRIPE_PUBLISHABLE_KEY"], WebhookSecrets: list(v["STRIPE_WEBHOOK_SECRET"]), APIURL: v["STRIPE_API_URL"], JSURL: v["STRIPE_JS_URL"],
		},
		Twilio: app.Twilio{
			AccountSID: v["TWILIO_ACCOUNT_SID"], AuthToken: v["TWILIO_AUTH_TOKEN"], APIKey: v["TWILIO_API_KEY"], APISecret: v["TWILIO_API_SECRET"], From: v["TWILIO_FROM"],
			MessagingServiceSID: v["TWILIO_MESSAGING_SERVICE_SID"], APIURL: v["TWILIO_API_URL"],
		},
		OIDC:  app.OIDC{Issuer: v["OIDC_ISSUER"], ClientID: v["OIDC_CLIENT_ID"], ClientSecret: v["OIDC_CLIENT_SECRET"]},
		Mail:  app.Mail{URL: v["SMTP_URL"], From: v["PAYLINK_MAIL_FROM"]},
		Brand: strings.TrimSpace(v["PAYLINK_BRAND"]), Now: time.Now, DatabaseClock: true,
	}
	if c.PayURL == "" {
		c.PayURL = c.URL
	}
	for name, address := range map[string]string{"PAYLINK_ADDR": c.Addr, "PAYLINK_METRICS_ADDR": c.MetricsAddr} {
		if _, _, err := net.SplitHostPort(address); err != nil && address != "" {
			wrong(name, "must be HOST:PORT")
		}
	}
	for _, name := range []string{"TWILIO_EDGE", "TWILIO_REGION"} {
		if value, ok := getenv(name); ok && value != "" {
			wrong(name, "must not be set: Twilio's library would send texts elsewhere; use TWILIO_API_URL")
		}
	}
	var parseErr error
	if v["PAYLINK_SUPPORT_PHONE"] != "" {
		// A support line may be toll-free, which can't get texts and need not.
		if c.Support, parseErr = phone.Parse(v["PAYLINK_SUPPORT_PHONE"]); errors.Is(parseErr, phone.ErrInvalid) {
			wrong("PAYLINK_SUPPORT_PHONE", "must be a telephone number of the United States")
		}
	}
	switch v["PAYLINK_RECONCILE_ONLY"] {
	case "", "0":
	case "1":
		c.ReconcileOnly = true
	default:
		wrong("PAYLINK_RECONCILE_ONLY", "must be 1 or 0")
	}
	if c.LinkLife, parseErr = time.ParseDuration(v["PAYLINK_LINK_LIFE"]); parseErr != nil {
		wrong("PAYLINK_LINK_LIFE", "must be a duration such as 10m")
	}
	// Behind a proxy that it does not know, it would take all payers for one, and one limit would stop them all.
	proxies := list(v["PAYLINK_TRUSTED_PROXIES"])
	if len(proxies) == 0 && strings.HasPrefix(c.URL, "https:") {
		wrong("PAYLINK_TRUSTED_PROXIES", "is missing: the networks of our own proxies, by commas, or none")
	}
	if slices.Equal(proxies, []string{"none"}) {
		proxies = nil
	}
	for _, network := range proxies {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			wrong("PAYLINK_TRUSTED_PROXIES", "must hold networks such as 10.0.0.0/8, by commas, or none")
			break
		}
		c.Proxies = append(c.Proxies, prefix)
	}
	if v["PAYLINK_KEYS"] != "" {
		if c.Keys, parseErr = keys(v["PAYLINK_KEYS"]); parseErr != nil {
			wrong("PAYLINK_KEYS", "must hold keys of 32 bytes in base64 or hex, by commas")
		}
	}
	// One problem a setting: of one that is missing or can't be read, nothing more needs saying.
	said := map[string]bool{}
	for _, p := range problems {
		if w, ok := errors.AsType[app.Wrong](p); ok {
			said[strings.TrimSuffix(w.Setting, "_FILE")] = true
		}
	}
	said["PAYLINK_PAY_URL"] = said["PAYLINK_PAY_URL"] || v["PAYLINK_PAY_URL"] == "" // it is PAYLINK_URL then
	for _, p := range flatten(c.Check()) {
		if w, ok := errors.AsType[app.Wrong](p); !ok || !said[w.Setting] {
			problems = append(problems, p)
		}
	}
	return c, errors.Join(problems...)
}

func list(s string) []string {
	var out []string
	for _, one := range strings.Split(s, ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

func keys(text string) (seal.Keys, error) {
	var ring [][]byte
	for _, one := range list(text) {
		raw, err := hex.DecodeString(one)
		if err != nil || len(raw) != seal.KeyBytes {
			if raw, err = base64.StdEncoding.DecodeString(one); err != nil {
				return seal.Keys{}, errors.New("not base64 or hex")
			}
		}
		ring = append(ring, raw)
	}
	return seal.New(ring...)
}
