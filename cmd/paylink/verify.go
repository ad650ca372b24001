package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"paylink/internal/trail"
)

// What verify returns to the shell, where done says that all is well.
const (
	broken   = 1
	unlooked = 2 // it could not look, or not to the end
)

// verify is "verify [-since FILE]". Its last line, if all is well, is an anchor: whoever keeps it where the database's owner can't reach gives it back later with -since.
// A file may hold many reports; the last anchor counts.
func verify(args []string, getenv func(string) (string, bool), stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("paylink verify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("since", "", "`file` with what verify printed before: prove that nothing was changed, cut off or put in since")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return done
		}
		return unlooked
	}
	if flags.NArg() > 0 {
		fmt.Fprintln(stderr, "paylink: the command is: paylink verify [-since FILE]")
		return unlooked
	}
	var since *trail.Anchor
	if *file != "" {
		b, err := os.ReadFile(*file)
		if err != nil {
			fmt.Fprintln(stderr, "paylink verify:", err)
			return unlooked
		}
		anchor, err := trail.LastAnchor(string(b))
		if err != nil {
			fmt.Fprintf(stderr, "paylink verify: %s: %v\n", *file, err)
			return unlooked
		}
		since = &anchor
	}
	ctx := context.Background()
	db, _ := openAsItIs(ctx, nil, getenv, stderr)
	if db == nil {
		return unlooked
	}
	v, err := db.Verify(ctx, since, func(what string) { fmt.Fprintln(stdout, "BROKEN:", what) })
	if err := errors.Join(err, db.Close()); err != nil {
		fmt.Fprintln(stderr, "paylink verify: it could not look at everything:", err)
		return unlooked
	}
	fmt.Fprintf(stdout, "read %d rows of the trail in %d chains, %d entries, %d invoices and %d payments\n", v.Rows, v.Chains, v.Entries, v.Invoices, v.Payments)
	if v.Broken > 0 {
		fmt.Fprintf(stdout, "%d things are broken: change nothing, keep this report and the database as it is, and find out who had access to it\n", v.Broken)
		return broken
	}
	if since != nil {
		fmt.Fprintln(stdout, "all of it is as it was written, and nothing is missing from before", since.At.Format("2006-01-02 15:04:05 MST"))
	} else {
		fmt.Fprintln(stdout, "all of it is as it was written; whether the ends were cut off only -since and an earlier anchor can say")
	}
	fmt.Fprintln(stdout, v.Anchor)
	return done
}
