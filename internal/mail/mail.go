// Package mail brings letters to a mail server by SMTP.
package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html/template"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"paylink/internal/post"
	"paylink/templates"
)

var (
	// ErrURL is returned for an address that is none of the forms that Config.URL lists.
	ErrURL = errors.New("mail: SMTP_URL must be smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST with STARTTLS, or smtp://127.0.0.1:PORT")
	// ErrFrom is returned for a sender that is no address.
	ErrFrom = errors.New("mail: PAYLINK_MAIL_FROM must be an address such as account@example.com")
)

// Config is what a Carrier needs. All fields are required.
//
// URL is smtps://USER:PASSWORD@HOST:PORT (TLS from the first byte, port 465) or smtp://USER:PASSWORD@HOST:PORT (STARTTLS, without which nothing is sent, port 587). Without
// TLS a server is reached on this machine only.
type Config struct {
	URL     string
	From    string // address that letters come from
	House   post.House
	Now     func() time.Time
	Timeout time.Duration // of one letter
}

// Carrier realises post.Carrier. Each letter has a connection of its own: there are few, and none waits for another.
type Carrier struct {
	c       Config
	host    string
	options []gomail.Option
	html    *template.Template
}

// New returns a carrier. It asks nobody. Errors: ErrURL, ErrFrom, and those of a template that can't be read.
func New(c Config) (*Carrier, error) {
	host, options, err := parse(c.URL)
	if err != nil {
		return nil, err
	}
	if a, err := mail.ParseAddress(c.From); err != nil || a.Address != c.From {
		return nil, ErrFrom
	}
	html, err := template.ParseFS(templates.Files, "mail/letter.tmpl")
	if err != nil {
		return nil, fmt.Errorf("mail: letter: %w", err)
	}
	options = append(options, gomail.WithTimeout(c.Timeout), gomail.WithHELO("localhost"))
	if _, domain, ok := strings.Cut(c.From, "@"); ok {
		options = append(options, gomail.WithHELO(domain))
	}
	return &Carrier{c: c, host: host, options: options, html: html}, nil
}

// CheckURL says whether an address has one of the forms that Config.URL lists. It asks nobody. Errors: ErrURL.
func CheckURL(address string) error {
	_, _, err := parse(address)
	return err
}

// parse reads the forms of Config.URL. Its error never shows the URL, which holds a password.
func parse(address string) (host string, options []gomail.Option, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", nil, ErrURL
	}
	here := u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost"
	port := 587
	switch u.Scheme {
	case "smtps":
		port = 465
		options = append(options, gomail.WithSSL())
	case "smtp":
		if here {
			options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
		} else {
			options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
		}
	default:
		return "", nil, ErrURL
	}
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil || port < 1 || port > 65535 {
			return "", nil, ErrURL
		}
	}
	options = append(options, gomail.WithPort(port), gomail.WithTLSConfig(&tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}))
	if u.User != nil {
		password, given := u.User.Password()
		if !given || u.User.Username() == "" {
			return "", nil, ErrURL
		}
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return u.Hostname(), options, nil
}

// Send realises post.Carrier.
func (c *Carrier) Send(ctx context.Context, l post.Letter) error {
	m, err := c.letter(l)
	if err != nil {
		return err
	}
	client, err := gomail.NewClient(c.host, c.options...)
	if err != nil {
		return fmt.Errorf("%w: its settings can't be used", post.ErrUnsent)
	}
	ctx, cancel := context.WithTimeout(ctx, c.c.Timeout)
	defer cancel()
	return problem(client.DialAndSendWithContext(ctx, m))
}

// letter is a letter as it travels: plain text, and the same with a page's looks.
func (c *Carrier) letter(l post.Letter) (*gomail.Msg, error) {
	words, ok := post.Word(l, c.c.House)
	if !ok {
		return nil, fmt.Errorf("%w: there are no words for a letter of the kind %q", post.ErrRefused, l.Kind)
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := m.FromFormat(words.Brand, c.c.From); err != nil {
		return nil, fmt.Errorf("%w: the sender's address can't be used", post.ErrUnsent)
	}
	if err := m.To(l.To); err != nil {
		return nil, fmt.Errorf("%w: the address can't be used", post.ErrRefused)
	}
	_, domain, _ := strings.Cut(c.c.From, "@")
	m.SetMessageIDWithValue(l.ID + "@" + domain) // a letter that is handed over twice is known as the same one
	m.SetDateWithValue(c.c.Now())
	m.Subject(words.Subject)
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(gomail.TypeTextPlain, plain(words))
	var page bytes.Buffer
	if err := c.html.Execute(&page, words); err != nil {
		return nil, fmt.Errorf("mail: letter: %w", err)
	}
	m.AddAlternativeString(gomail.TypeTextHTML, page.String())
	return m, nil
}

// plain is a letter for readers without pages.
func plain(w post.Words) string {
	parts := append([]string{w.Heading}, w.Paragraphs...)
	if w.Address != "" {
		parts = append(parts, w.Button+":\n"+w.Address)
	}
	return strings.Join(append(parts, "-- \n"+w.T("mail.why", w.Brand, w.Support)), "\n\n") + "\n"
}

// problem turns the library's error into ours. Its words stay behind: they hold addresses. A server's 5xx about the letter is final; everything else may go better later.
func problem(err error) error {
	if err == nil {
		return nil
	}
	var refused *gomail.SendError
	if errors.As(err, &refused) {
		code := refused.ErrorCode()
		if !refused.IsTemp() && code >= 500 {
			return fmt.Errorf("%w: it answered %d", post.ErrRefused, code)
		}
		if code != 0 {
			return fmt.Errorf("%w: it answered %d", post.ErrUnsent, code)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: it did not answer in time", post.ErrUnsent)
	}
	return fmt.Errorf("%w: the connection failed", post.ErrUnsent)
}
