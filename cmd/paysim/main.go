// Command paysim is the whole town on one machine: the service with SQLite and an embedded Redis, simulated Stripe and Twilio, a phone to tap on,
// and invented clients, all on one clock. It is for development and demonstration only.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // dates are counted in a location's zone, and a host may know none

	"github.com/alicebob/miniredis/v2"
	"github.com/rs/zerolog"

	"paylink/internal/app"
	"paylink/internal/demo"
	"paylink/internal/link"
	"paylink/internal/phone"
	"paylink/internal/seal"
	"paylink/internal/sim/smtpsim"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
	"paylink/internal/staff"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// The town's accounts at its simulated suppliers. They open nothing anywhere else.
const (
	stripeSecret      = "sk_test_paysim_demonstration_only"
	stripePublishable = "pk_test_paysim_demonstration_only"
	stripeWebhook     = "whsec_paysim_demonstration_only"
	twilioAccount     = "AC00000000000000000000000000005170"
	twilioToken       = "paysimdemonstrationonly"
	ourNumber         = "+18045550100"
	oidcClient        = "plus-web"
	oidcSecret        = "paysim-demonstration-only" // #nosec G101 -- what a provider on this machine is told, as its own setting
)

type options struct {
	addr, simAddr, data, database, redis, faults, now, oidc string
	seed                                                    uint64
	linkLife                                                time.Duration
}

func run(args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("paysim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "address of the service")
	flags.StringVar(&o.simAddr, "sim-addr", "127.0.0.1:8081", "address of the suppliers and the phone")
	flags.StringVar(&o.data, "data", "", "folder that keeps the database; without it everything is forgotten at the end")
	flags.StringVar(&o.database, "database", "", "a real database, postgres://…, instead of an embedded one")
	flags.StringVar(&o.redis, "redis", "", "a real Redis, redis://…, instead of an embedded one; not with -now")
	flags.StringVar(&o.faults, "faults", "off", "off, default, or a JSON file of faults")
	flags.Uint64Var(&o.seed, "seed", 1, "what the suppliers' chance comes from")
	flags.DurationVar(&o.linkLife, "link-life", link.Life, "how long a link is good for")
	flags.StringVar(&o.now, "now", "", "where the town's clock starts, 2026-03-10T15:00:00Z; without it: now")
	flags.StringVar(&o.oidc, "oidc", "", "a real OpenID Connect provider for the staff, http://127.0.0.1:…; its client is "+oidcClient+", with the secret "+oidcSecret)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := live(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "paysim:", err)
		return 1
	}
	return 0
}

// clock is the one clock of the town: real time, moved.
type clock struct {
	mu    sync.Mutex
	moved time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.moved)
}

// advance moves the clock forward only: what has happened stays in the past.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved += d
}

func live(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	c := &clock{}
	if o.now != "" {
		at, err := time.Parse(time.RFC3339, o.now)
		if err != nil {
			return errors.New("-now must be a time such as 2026-03-10T15:00:00Z")
		}
		if o.redis != "" {
			return errors.New("-now does not go with -redis: a real Redis keeps its own time")
		}
		c.advance(time.Until(at))
	}
	faults, err := readFaults(o.faults)
	if err != nil {
		return err
	}
	if o.database == "" {
		folder := o.data
		if folder == "" {
			if folder, err = os.MkdirTemp("", "paysim-"); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		} else if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
		o.database = "sqlite:" + filepath.Join(folder, "paylink.db")
	}
	if o.redis == "" {
		embedded, stop, err := embeddedRedis(c)
		if err != nil {
			return err
		}
		defer stop()
		o.redis = "redis://" + embedded.Addr()
	}
	// The suppliers must listen before the service starts, and the service before the suppliers call it.
	listener, err := net.Listen("tcp", o.simAddr)
	if err != nil {
		return fmt.Errorf("can't listen on %s: %w", o.simAddr, err)
	}
	suppliers, service := "http://"+listener.Addr().String(), "http://"+o.addr
	stripe := stripesim.New(stripesim.Config{
		Now: c.Now, Seed: o.seed, SecretKey: stripeSecret, PublishableKey: stripePublishable, WebhookSecret: stripeWebhook, WebhookURL: service + "/hooks/stripe",
		Accounts: []string{demo.TampaAccount}, Client: &http.Client{Timeout: 10 * time.Second},
	})
	defer stripe.Close()
	twilio := twiliosim.New(twiliosim.Config{
		Now: c.Now, Seed: o.seed, AccountSID: twilioAccount, AuthToken: twilioToken, From: ourNumber, InboundURL: service + "/hooks/twilio/reply", Client: &http.Client{Timeout: 10 * time.Second},
	})
	defer twilio.Close()
	twilio.SetFaults(faults.Twilio)

	key := sha256.Sum256([]byte("paysim: a key for invented data"))
	keys, err := seal.New(key[:])
	if err != nil {
		return err
	}
	company := app.OIDC{}
	if o.oidc != "" {
		company = app.OIDC{Issuer: o.oidc, ClientID: oidcClient, ClientSecret: oidcSecret}
	}
	mailbox := smtpsim.New(c.Now)
	mailListener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = mailbox.Serve(mailListener) }() // it ends with Close
	defer func() { _ = mailbox.Close() }()
	s, err := app.Open(ctx, app.Config{
		OIDC: company,
		Mail: app.Mail{URL: "smtp://" + mailListener.Addr().String(), From: "account@interlane.example"},
		Addr: o.addr, URL: service, PayURL: service, DatabaseURL: o.database, RedisURL: o.redis,
		Stripe: app.Stripe{SecretKey: stripeSecret, PublishableKey: stripePublishable, WebhookSecrets: []string{stripeWebhook}, APIURL: suppliers, JSURL: suppliers + "/v3/"},
		Twilio: app.Twilio{AccountSID: twilioAccount, AuthToken: twilioToken, From: ourNumber, APIURL: suppliers},
		Brand:  "Interlane", Support: phone.Stored(ourNumber), Keys: keys, LinkLife: o.linkLife, Now: c.Now, Storybook: true, Log: zerolog.New(stderr).With().Timestamp().Logger(),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.DB.Import(ctx, demo.Data(c.Now())); err != nil {
		return err
	}
	for _, m := range demo.Staff() {
		if err := s.DB.AddMember(ctx, m); err != nil && !errors.Is(err, staff.ErrTaken) {
			return err
		}
	}
	t := town{clock: c, stripe: stripe, twilio: twilio, mailbox: mailbox, wake: s.Sweeper.Wake}
	server := &http.Server{Handler: t.handler(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(stderr, "paysim: the suppliers stopped:", err)
			cancel()
		}
	}()
	if err := demo.Cards(ctx, s.DB, suppliers, stripeSecret); err != nil {
		return err
	}
	if err := stripe.SetFaults(faults.Stripe); err != nil { // from here on: the town itself must stand
		return err
	}
	err = s.Run(running, func(string) { greet(stdout, service, suppliers) })
	return errors.Join(err, server.Close())
}

func greet(w io.Writer, service, suppliers string) {
	fmt.Fprintf(w, `
  PLUS Web        %s/plus/      sign in as agent (or lead, supervisor, finance, admin, auditor), password %s
  My Account      %s/my/        sign in as a client, such as 100042, with the same password
  The phone       %s/phone      texts arrive here; tap the link
  Mail            %s/mail
  Components      %s/storybook

  Search for 100042, Dana Whitfield, +1 804 555 0142; send her a secure payment link; open it on the phone.
  Or take a payment from 100047, Hal Brandt, who has cards on file: Account History, Take Payment.
  Cards: 4242 4242 4242 4242 pays, 4000 0000 0000 9995 has no funds, 4000 0027 6000 3184 asks for 3-D Secure; any date to come, any code.

ready: %s/plus/
`, service, demo.Password, service, suppliers, suppliers, service, service)
}

// embeddedRedis keeps its keys' time by the town's clock: left alone it would never let one expire.
func embeddedRedis(c *clock) (*miniredis.Miniredis, func(), error) {
	m := miniredis.NewMiniRedis()
	if err := m.StartAddr("127.0.0.1:0"); err != nil {
		return nil, nil, err
	}
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(250 * time.Millisecond)
		defer ticker.Stop()
		last := c.Now()
		m.SetTime(last)
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				now := c.Now()
				m.SetTime(now)
				m.FastForward(now.Sub(last))
				last = now
			}
		}
	}()
	return m, func() {
		close(stop)
		<-ended
		m.Close()
	}, nil
}

// allFaults is how the suppliers misbehave.
type allFaults struct {
	Stripe stripesim.Faults `json:"stripe"`
	Twilio twiliosim.Faults `json:"twilio"`
}

func readFaults(name string) (allFaults, error) {
	var f allFaults
	switch name {
	case "off", "":
	case "default":
		f = allFaults{stripesim.DefaultFaults(), twiliosim.DefaultFaults()}
	default:
		b, err := os.ReadFile(name)
		if err != nil {
			return f, err
		}
		if err := json.Unmarshal(b, &f); err != nil {
			return f, fmt.Errorf("the faults in %s can't be read: %w", name, err)
		}
	}
	return f, errors.Join(f.Stripe.Check(), f.Twilio.Check())
}
