// Package app wires the house: from one Config to a running service. Both commands use it.
package app

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"paylink/internal/lang"
	"paylink/internal/link"
	"paylink/internal/phone"
	"paylink/internal/seal"
	"paylink/internal/sms"
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

	Brand    string
	Support  phone.Number
	Keys     seal.Keys
	LinkLife time.Duration
	Proxies  []netip.Prefix

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

// StripeJS is where Stripe serves its script; PCI asks for it to come from there.
const StripeJS = "https://js.stripe.com/v3/"

// Check returns every problem that can be seen without asking anybody. It prints no value that may be secret.
func (c Config) Check() error {
	var problems []error
	for name, address := range map[string]string{"PAYLINK_URL": c.URL, "PAYLINK_PAY_URL": c.PayURL} {
		if err := checkBase(address); err != nil {
			problems = append(problems, fmt.Errorf("%s %w", name, err))
		}
	}
	if c.LinkLife < 2*time.Minute || c.LinkLife > time.Hour {
		problems = append(problems, errors.New("PAYLINK_LINK_LIFE must be from 2m to 1h"))
	}
	return errors.Join(append(problems, c.CheckTexts())...)
}

func checkBase(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return errors.New("must be a base address such as https://pay.example.com")
	case u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost"):
		return errors.New("must begin with https://; http:// is for 127.0.0.1 only")
	}
	return nil
}

// CheckTexts counts the septets of every text for the configured brand, address and phone: each must travel as one part.
func (c Config) CheckTexts() error {
	var problems []error
	for _, t := range c.Texts() {
		switch {
		case !t.GSM7:
			problems = append(problems, fmt.Errorf("the %s text in %q has a character that is not in the GSM 7-bit alphabet: the brand must be written without it", t.Kind, t.Language))
		case t.Septets > sms.SegmentSeptets:
			problems = append(problems, fmt.Errorf("the %s text in %q has %d septets and would not travel as one part of %d: shorten the brand or the address", t.Kind, t.Language, t.Septets, sms.SegmentSeptets))
		}
	}
	return errors.Join(problems...)
}

// TextLength is how long a text is at its longest.
type TextLength struct {
	Kind     sms.Kind
	Language lang.Lang
	Septets  int
	GSM7     bool
}

// Texts measures every text at its longest.
func (c Config) Texts() []TextLength {
	var out []TextLength
	for _, l := range lang.All {
		for kind, text := range map[sms.Kind]string{
			sms.LinkText: c.linkText(string(l), strings.Repeat("W", link.TokenLength)),
			sms.ReceiptText: l.ReceiptText(lang.Receipt{
				Brand: c.Brand, Amount: "$9,999.99", Date: l.Date("2026-12-30"), Last4: "0000", Reference: "0000-0000", SupportPhone: c.Support.National(),
			}),
		} {
			n, ok := sms.Septets(text)
			out = append(out, TextLength{kind, l, n, ok})
		}
	}
	return out
}

func (c Config) linkText(language, token string) string {
	l, ok := lang.Parse(language)
	if !ok {
		l = lang.English
	}
	return l.LinkText(c.Brand, strings.TrimSuffix(c.PayURL, "/")+"/p#"+token, c.Support.National())
}
