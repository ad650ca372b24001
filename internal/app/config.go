// Package app wires the house: from one Config to a running service. Both commands use it.
package app

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"paylink/internal/desk/signin"
	"paylink/internal/lang"
	"paylink/internal/link"
	"paylink/internal/mail"
	"paylink/internal/phone"
	"paylink/internal/post"
	"paylink/internal/redisdb"
	"paylink/internal/seal"
	"paylink/internal/signon"
	"paylink/internal/sms"
	"paylink/internal/sqldb"
	"paylink/internal/stripepay"
	"paylink/internal/twiliosms"
)

// Config is everything that a service needs to know. Nothing in it has a meaning that depends on the environment.
type Config struct {
	Addr        string // to listen on, "127.0.0.1:8080"
	MetricsAddr string // of its own for metrics; "" has none
	URL         string // public base URL: scheme and host
	PayURL      string // of the payer's pages; the same as URL unless they have a host of their own
	DatabaseURL string
	RedisURL    string

	Stripe Stripe
	Twilio Twilio
	OIDC   OIDC
	Mail   Mail

	Brand    string
	Support  phone.Number
	Keys     seal.Keys
	LinkLife time.Duration
	Proxies  []netip.Prefix

	ReconcileOnly bool // the database is a backup's: nothing is offered to pay, and a person decides about money that came since

	Now           func() time.Time // the process's clock
	DatabaseClock bool             // what is decided in SQL reads the database server's clock
	Storybook     bool             // the page of all components: development only
	Log           zerolog.Logger
}

// Stripe is how Stripe is reached.
type Stripe struct {
	SecretKey      string
	PublishableKey string
	WebhookSecrets []string
	APIURL         string // "" is Stripe's own
	JSURL          string // address of Stripe.js
}

// Twilio is how Twilio is reached.
type Twilio struct {
	AccountSID          string
	AuthToken           string
	APIKey, APISecret   string
	From                string // or
	MessagingServiceSID string
	APIURL              string // "" is Twilio's own
}

// OIDC is the company's own sign-in for its staff. The zero value: there is none.
type OIDC struct {
	Issuer       string // as the provider names itself
	ClientID     string
	ClientSecret string
}

// SignOnPath is where a company's sign-in sends browsers back to, after the public address.
const SignOnPath = "/plus/sign-on"

// Mail is how letters leave. Without it none do: they wait, and nobody can be invited to My Account.
type Mail struct {
	URL  string // smtps://…, smtp://…; "" for none
	From string // address that letters come from
}

// StripeJS is where Stripe serves its script; PCI asks for it to come from there.
const StripeJS = "https://js.stripe.com/v3/"

// Wrong is a setting that can't be as it is: which, and why. It never holds its value, which may be secret.
type Wrong struct{ Setting, Why string }

func (w Wrong) Error() string { return w.Setting + " " + w.Why }

// Check returns every problem that can be seen without asking anybody, each a Wrong.
func (c Config) Check() error {
	var problems []error
	wrong := func(is bool, setting, why string) {
		if is {
			problems = append(problems, Wrong{setting, why})
		}
	}
	for setting, address := range map[string]string{"PAYLINK_URL": c.URL, "PAYLINK_PAY_URL": c.PayURL} {
		wrong(baseProblem(address) != "", setting, baseProblem(address))
	}
	wrong(c.LinkLife < 2*time.Minute || c.LinkLife > time.Hour || c.LinkLife%time.Minute != 0, "PAYLINK_LINK_LIFE", "must be whole minutes from 2m to 1h: texts say how many")
	wrong(!strings.ContainsFunc(statementSuffix(c.Brand), func(r rune) bool { return r >= 'A' && r <= 'Z' }), "PAYLINK_BRAND", "must have a letter from A to Z, for the card statement")
	wrong(sqldb.CheckURL(c.DatabaseURL) != nil, "DATABASE_URL", "must be sqlite:PATH or postgres://…, in a form that can be read")
	wrong(redisdb.CheckURL(c.RedisURL) != nil, "REDIS_URL", "must be redis://, rediss://, redis-sentinel://…?master=NAME or redis-cluster://, in a form that can be read")

	_, err := c.suppliers()
	is := func(target error) bool { return errors.Is(err, target) }
	wrong(is(stripepay.ErrKey), "STRIPE_SECRET_KEY", "must be a secret key of Stripe's: sk_test_…, sk_live_…, rk_test_… or rk_live_…")
	secret, public := keyMode(c.Stripe.SecretKey, "sk", "rk"), keyMode(c.Stripe.PublishableKey, "pk")
	wrong(public == "", "STRIPE_PUBLISHABLE_KEY", "must be one of Stripe's: pk_test_… or pk_live_…")
	wrong(secret != "" && public != "" && secret != public, "STRIPE_PUBLISHABLE_KEY", "and STRIPE_SECRET_KEY must both be test keys or both be live keys")
	wrong(is(stripepay.ErrSecret), "STRIPE_WEBHOOK_SECRET", "must hold webhook secrets that begin with whsec_, by commas")
	wrong(is(stripepay.ErrURL) || c.Stripe.APIURL != "" && !reachable(c.Stripe.APIURL), "STRIPE_API_URL", "must be an https:// address; http:// is for 127.0.0.1 and a test key only")
	wrong(!reachable(c.Stripe.JSURL), "STRIPE_JS_URL", "must be an https:// address")
	wrong(is(twiliosms.ErrAccount), "TWILIO_ACCOUNT_SID", "must be an account SID: AC and 32 letters and digits")
	wrong(is(twiliosms.ErrToken), "TWILIO_AUTH_TOKEN", "must have letters and digits only: it is what Twilio signs callbacks with, also where an API key signs in")
	wrong(is(twiliosms.ErrKey) && (c.Twilio.APIKey != "" || c.Twilio.APISecret != ""), "TWILIO_API_KEY", "must be SK and 32 letters and digits, and TWILIO_API_SECRET letters and digits; they belong together")
	wrong(is(twiliosms.ErrSender), "TWILIO_FROM", "must be a number such as +18045550100 or a short code, or TWILIO_MESSAGING_SERVICE_SID one of Twilio's, MG…; one of them, not both")
	wrong(is(twiliosms.ErrURL) || c.Twilio.APIURL != "" && !reachable(c.Twilio.APIURL), "TWILIO_API_URL", "must be an https:// address without a path")
	for setting, value := range map[string]string{"OIDC_ISSUER": c.OIDC.Issuer, "OIDC_CLIENT_ID": c.OIDC.ClientID, "OIDC_CLIENT_SECRET": c.OIDC.ClientSecret} {
		wrong(value == "" && c.OIDC != OIDC{}, setting, "is missing: OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET belong together")
	}
	wrong(c.OIDC.Issuer != "" && !reachable(c.OIDC.Issuer), "OIDC_ISSUER", "must be an https:// address, as the provider names itself")
	wrong(is(mail.ErrURL), "SMTP_URL", "must be smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST with STARTTLS, or smtp://127.0.0.1:PORT")
	wrong(is(mail.ErrFrom) || c.Mail.URL == "" && c.Mail.From != "", "PAYLINK_MAIL_FROM", "must be an address such as account@example.com, and belongs to SMTP_URL")
	return errors.Join(append(problems, c.CheckTexts())...)
}

// suppliers are what stands for Stripe and Twilio. They are made without asking anybody.
type suppliers struct {
	gateway        *stripepay.Gateway
	events         *stripepay.Webhooks
	carrier        *twiliosms.Carrier
	callbacks      *twiliosms.Callbacks
	passkeys       *signin.Passkeys // nil: browsers take none at this address
	clientPasskeys *signin.Passkeys // the same for My Account
	company        signin.Company   // nil: there is none
	mail           *mail.Carrier    // nil: no letter leaves
}

// suppliers makes them, and says everything that is wrong with them.
func (c Config) suppliers() (suppliers, error) {
	var s suppliers
	var errs [5]error
	s.gateway, errs[0] = stripepay.New(stripepay.Config{Now: c.Now, SecretKey: c.Stripe.SecretKey, APIURL: c.Stripe.APIURL, Timeout: stripeTimeout, StatementSuffix: statementSuffix(c.Brand)})
	s.events, errs[1] = stripepay.NewWebhooks(c.Stripe.WebhookSecrets, c.Now)
	s.carrier, errs[2] = twiliosms.New(twiliosms.Config{
		AccountSID: c.Twilio.AccountSID, AuthToken: c.Twilio.AuthToken, APIKey: c.Twilio.APIKey, APISecret: c.Twilio.APISecret, From: c.Twilio.From,
		MessagingServiceSID: c.Twilio.MessagingServiceSID, APIURL: c.Twilio.APIURL, Timeout: twilioTimeout,
	})
	s.callbacks, errs[3] = twiliosms.NewCallbacks(c.Twilio.AuthToken, c.URL)
	base := strings.TrimSuffix(c.URL, "/")
	if _, err := netip.ParseAddr(hostOf(c.URL)); err != nil { // browsers take no passkeys where the address is a number
		if passkeys, err := signin.NewPasskeys(hostOf(c.URL), base, c.Brand+" PLUS Web"); err == nil {
			s.passkeys = passkeys
		}
		if passkeys, err := signin.NewPasskeys(hostOf(c.URL), base, c.Brand+" My Account"); err == nil {
			s.clientPasskeys = passkeys
		}
	}
	if c.OIDC.Issuer != "" {
		s.company = signon.New(signon.Config{
			Issuer: c.OIDC.Issuer, ClientID: c.OIDC.ClientID, ClientSecret: c.OIDC.ClientSecret, Redirect: base + SignOnPath, Timeout: oidcTimeout, Now: c.Now,
		})
	}
	if c.Mail.URL != "" {
		s.mail, errs[4] = mail.New(mail.Config{
			URL: c.Mail.URL, From: c.Mail.From, House: post.House{Brand: c.Brand, Support: c.Support.National(), URL: base}, Now: c.Now, Timeout: mailTimeout,
		})
	}
	return s, errors.Join(errs[:]...)
}

// baseProblem says what is wrong with a base address; "" if nothing.
func baseProblem(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return "must be a base address such as https://pay.example.com"
	case u.Scheme != "https" && (u.Scheme != "http" || !here(u)):
		return "must begin with https://; http:// is for 127.0.0.1 only"
	}
	return ""
}

func here(u *url.URL) bool { return u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" }

// reachable says whether an address may be used: https, or a simulator's on this machine.
func reachable(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && here(u))
}

// keyMode is "test" or "live" for one of Stripe's keys of these kinds, and "" for anything else.
func keyMode(key string, kinds ...string) string {
	kind, rest, _ := strings.Cut(key, "_")
	mode, secret, _ := strings.Cut(rest, "_")
	if !slices.Contains(kinds, kind) || mode != "test" && mode != "live" || secret == "" {
		return ""
	}
	return mode
}

// statementSuffix is what a card statement shows: Stripe takes 22 characters with the account's own prefix, at least one letter, and no < > \ ' " *
// (docs.stripe.com/get-started/account/statement-descriptors).
func statementSuffix(brand string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`<>\'"*`, r) {
			return -1
		}
		return r
	}, strings.ToUpper(brand))
	return strings.TrimSpace(clean[:min(len(clean), 10)])
}

// CheckTexts counts the septets of every text for the configured brand, address and phone: each must travel as one part.
func (c Config) CheckTexts() error {
	var problems []error
	for _, t := range c.Texts() {
		switch {
		case !t.GSM7:
			problems = append(problems, Wrong{"PAYLINK_BRAND", fmt.Sprintf("must be written in the GSM 7-bit alphabet: the %s text in %q has a character that is not in it", t.Kind, t.Language)})
		case t.Septets > sms.SegmentSeptets:
			problems = append(problems, Wrong{"PAYLINK_BRAND", fmt.Sprintf("must be shorter, or the address: the %s text in %q has %d septets and would not travel as one part of %d", t.Kind, t.Language, t.Septets, sms.SegmentSeptets)})
		}
	}
	return errors.Join(problems...)
}

// TextLength is how long a text is at its longest.
type TextLength struct {
	Kind     string // "link", "receipt", "declined", "code", "help", "stop"
	Language lang.Lang
	Septets  int
	GSM7     bool
}

// Texts measures every text at its longest.
func (c Config) Texts() []TextLength {
	var out []TextLength
	for _, l := range lang.All {
		for _, one := range []struct{ kind, text string }{
			{"link", c.linkText(string(l), strings.Repeat("W", link.TokenLength))},
			{"receipt", l.ReceiptText(lang.Receipt{
				Brand: c.Brand, Amount: "$9,999.99", Date: l.Date("2026-12-30"), Last4: "0000", Reference: "0000-0000", SupportPhone: c.Support.National(),
			})},
			{"declined", c.declinedText(string(l))},
			{"code", c.codeText(string(l), "000000")},
			{"help", l.HelpText(c.Brand, c.Support.National())},
			{"stop", l.StoppedText(c.Brand, c.Support.National())},
		} {
			n, ok := sms.Septets(one.text)
			out = append(out, TextLength{one.kind, l, n, ok})
		}
	}
	return out
}

func (c Config) linkText(language, token string) string {
	return speaks(language).LinkText(c.Brand, strings.TrimSuffix(c.PayURL, "/")+"/p#"+token, c.Support.National(), minutes(c.LinkLife))
}

// declinedText leads to My Account, where whoever has signed in can pay.
func (c Config) declinedText(language string) string {
	return speaks(language).DeclinedText(c.Brand, strings.TrimSuffix(c.URL, "/")+"/my/pay", c.Support.National())
}

func (c Config) codeText(language, code string) string {
	return speaks(language).CodeText(c.Brand, code, c.Support.National())
}

// speaks is the language of a code, English for what is none.
func speaks(language string) lang.Lang {
	if l, ok := lang.Parse(language); ok {
		return l
	}
	return lang.English
}

func minutes(d time.Duration) int { return int(d / time.Minute) }
