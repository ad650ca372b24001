package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"paylink/internal/app"
)

// What a command returns to the shell.
const (
	done   = 0
	failed = 1
	misuse = 2 // the command or its settings are wrong
)

const usage = `paylink takes payments by one-time links.

  paylink serve          serve (settings: see check-config)
  paylink migrate        bring the database's schema up to date
  paylink import FILE…   add locations, clients and vehicles from JSON files
  paylink quote          price cases from standard input
  paylink reconcile      compare the books with Stripe (-day 2026-03-01, or -from and -to; -json; without: yesterday in UTC)
  paylink staff add      add one of the staff; the password comes from standard input
  paylink verify         prove that nothing in the trail and the books was changed, cut off or put in; -since FILE: since the anchor in FILE was made
  paylink check-config   say everything that is wrong with the settings, and how long the texts are
  paylink healthcheck    ask the service at PAYLINK_ADDR how it is
  paylink version

Settings come from flags or from the environment; secrets also from a file named by NAME_FILE. "paylink serve -help" lists them.
With an https:// address PAYLINK_TRUSTED_PROXIES is required: the networks of our own proxies, or none.
Status 2: the command or its settings are wrong. Status 1: it failed, or could not start. Of reconcile: 0 agrees, 1 differs, 2 could not compare; of verify: 1 if something is
broken, 2 if it could not look.
`

// run is the whole command line: everything that it touches comes in.
func run(args []string, getenv func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return misuse
	}
	command, rest := args[0], args[1:]
	switch command {
	case "serve":
		return serve(rest, getenv, stderr)
	case "migrate":
		return migrate(rest, getenv, stdout, stderr)
	case "import":
		return importFiles(rest, getenv, stdout, stderr)
	case "quote":
		return quoteCommand(stdin, stdout, stderr)
	case "reconcile":
		return reconcile(rest, getenv, stdout, stderr)
	case "staff":
		return staffCommand(rest, getenv, stdin, stdout, stderr)
	case "verify":
		return verify(rest, getenv, stdout, stderr)
	case "check-config":
		return checkConfig(rest, getenv, stdout, stderr)
	case "healthcheck":
		return healthcheck(rest, getenv, stderr)
	case "version":
		fmt.Fprintln(stdout, version())
		return done
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return done
	}
	fmt.Fprintf(stderr, "paylink: there is no command %q\n\n%s", command, usage)
	return misuse
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "paylink, of unknown version"
	}
	revision := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return "paylink " + revision + " " + info.GoVersion
}

// complain writes every problem with the settings, one a line.
func complain(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "paylink: the settings are not complete:")
	for _, one := range flatten(err) {
		fmt.Fprintln(stderr, "  -", one)
	}
	return misuse
}

// notStarted writes why a command could not do its work though its settings are complete: what it needs does not answer, or not as it should.
func notStarted(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "paylink: the settings are complete, but it could not start:")
	for _, one := range flatten(err) {
		fmt.Fprintln(stderr, "  -", one)
	}
	return failed
}

func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range many.Unwrap() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	return []error{err}
}

func serve(args []string, getenv func(string) (string, bool), stderr io.Writer) int {
	c, err := serveSettings(args, getenv, stderr)
	if errors.Is(err, errHelp) {
		return done
	}
	if err != nil {
		return complain(stderr, err)
	}
	c.Log = zerolog.New(stderr).With().Timestamp().Logger()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	s, err := app.Open(ctx, c)
	if err != nil {
		return notStarted(stderr, err)
	}
	started := false
	err = s.Run(ctx, func(addr string) {
		started = true
		c.Log.Info().Str("addr", addr).Str("version", version()).Msg("serving")
	})
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	if err != nil && !started {
		return notStarted(stderr, err)
	}
	if err != nil {
		c.Log.Error().Str("error", err.Error()).Msg("stopped with an error")
		return failed
	}
	c.Log.Info().Msg("stopped")
	return done
}

func checkConfig(args []string, getenv func(string) (string, bool), stdout, stderr io.Writer) int {
	c, err := serveSettings(args, getenv, stderr)
	if errors.Is(err, errHelp) {
		return done
	}
	if err != nil {
		return complain(stderr, err)
	}
	for _, t := range c.Texts() {
		fmt.Fprintf(stdout, "%-7s text in %s: %d of 160 septets\n", t.Kind, t.Language, t.Septets)
	}
	fmt.Fprintln(stdout, "the settings are complete")
	return done
}

// healthcheck is for a container, which has no other program to ask with.
func healthcheck(args []string, getenv func(string) (string, bool), stderr io.Writer) int {
	values, err := read(args, getenv, stderr, "PAYLINK_ADDR")
	if err != nil {
		return complain(stderr, err)
	}
	host, port, err := net.SplitHostPort(values["PAYLINK_ADDR"])
	if err != nil {
		fmt.Fprintln(stderr, "paylink healthcheck: PAYLINK_ADDR must be HOST:PORT")
		return misuse
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	client := http.Client{Timeout: 3 * time.Second}
	answer, err := client.Get("http://" + net.JoinHostPort(host, port) + "/healthz")
	if err != nil {
		fmt.Fprintln(stderr, "paylink healthcheck: the service does not answer")
		return failed
	}
	defer func() { _ = answer.Body.Close() }() // its status is all that counts
	if answer.StatusCode != http.StatusOK {
		fmt.Fprintln(stderr, "paylink healthcheck: the service answers", answer.Status)
		return failed
	}
	return done
}
