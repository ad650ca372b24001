package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"paylink/internal/app"
	"paylink/internal/day"
	"paylink/internal/desk/clock"
)

// What reconcile returns to the shell: done where the books agree with Stripe.
const (
	differs     = 1
	notCompared = 2
)

// reconcile compares the books with Stripe's, with the settings of serve from the environment. Its report goes to standard output, everything else to standard error.
func reconcile(args []string, getenv func(string) (string, bool), stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("paylink reconcile", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var first, last day.Date
	into := func(dates ...*day.Date) func(string) error {
		return func(text string) error {
			d, err := day.Parse(text)
			for _, one := range dates {
				*one = d
			}
			return err
		}
	}
	flags.Func("day", "the `date` to compare, in UTC (yesterday)", into(&first, &last))
	flags.Func("from", "the first `date` of several", into(&first))
	flags.Func("to", "the last `date` of several (yesterday)", into(&last))
	asJSON := flags.Bool("json", false, "write the report as JSON")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return done
	} else if err != nil {
		return misuse
	}
	yesterday := day.Of(time.Now().UTC()).AddDays(-1)
	if last == "" {
		last = yesterday
	}
	if first == "" {
		first = last
	}
	if flags.NArg() > 0 || last < first {
		fmt.Fprintln(stderr, "paylink: the command is: paylink reconcile [-day DATE | -from DATE [-to DATE]] [-json]")
		return misuse
	}
	c, err := serveSettings(nil, getenv, stderr)
	if err != nil {
		return complain(stderr, err)
	}
	c.Log = zerolog.New(stderr).With().Timestamp().Logger()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	s, err := app.Open(ctx, c)
	if err != nil {
		return max(notCompared, notStarted(stderr, err))
	}
	report, err := s.Reconcile(ctx, first, last)
	if len(report.Accounts) > 0 { // what could be compared is told in any case
		err = errors.Join(err, show(report, *asJSON, stdout))
	}
	if err = errors.Join(err, s.Close()); err != nil {
		fmt.Fprintln(stderr, "paylink reconcile: not everything could be compared:")
		for _, one := range flatten(err) {
			fmt.Fprintln(stderr, "  -", one)
		}
		return notCompared
	}
	switch {
	case report.Count > 0:
		return differs
	}
	return done
}

func show(r clock.Report, asJSON bool, out io.Writer) error {
	if !asJSON {
		return r.Write(out)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
