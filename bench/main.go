// Command bench measures the service against its budgets, in one run: the real program on a throw-away Postgres and redis-server, simulated suppliers that answer
// at once, and beside it bare handlers that do the least that could be done. It reports; it fails only where it can't measure.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	runs, seconds, connections int
	json, size                 bool
	links, invoices            int
}

// bareRole is the argument that makes this program the bare process.
const bareRole = "bare"

func main() {
	if len(os.Args) == 2 && os.Args[1] == bareRole {
		exit(bareMain())
	}
	var o options
	flag.IntVar(&o.runs, "runs", 5, "how often each is run; medians are shown")
	flag.IntVar(&o.seconds, "seconds", 3, "how long a run is")
	flag.IntVar(&o.connections, "connections", 32, "how many ask at once")
	flag.BoolVar(&o.json, "json", false, "print JSON, with every run, in place of a table")
	flag.BoolVar(&o.size, "size", false, "measure cost by size instead: takes long, and 10 GB of disk")
	flag.IntVar(&o.links, "links", 1_000_000, "with -size: how many live links the large house has more")
	flag.IntVar(&o.invoices, "invoices", 10_000_000, "with -size: how many invoices the large house has more")
	flag.Parse()
	if flag.NArg() > 0 || o.runs < 1 || o.seconds < 1 || o.connections < 1 || o.connections > atOnce || o.links < 1 || o.invoices < 1 {
		flag.Usage()
		os.Exit(2)
	}
	exit(bench(o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func said(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }

func bench(o options) (err error) {
	if err := need(); err != nil {
		return err
	}
	// A bench that hangs is worth nothing. A cold machine builds for minutes.
	limit := 10*time.Minute + time.Duration(o.runs*o.seconds)*15*time.Second
	if o.size {
		limit += 2 * time.Hour
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "paylink-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l := &lab{dir: dir}
	defer func() { err = errors.Join(err, l.close()) }()
	out := &report{}
	err = l.open(ctx)
	if err == nil {
		err = measure(ctx, o, l, out)
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("not done within %s: %w", limit, err)
	case ctx.Err() != nil:
		return errors.New("stopped before everything was measured")
	case err != nil:
		return err
	}
	return out.write(os.Stdout, o.json)
}

func measure(ctx context.Context, o options, l *lab, out *report) error {
	perLink, ofKey, err := l.linkMemory(ctx)
	if err != nil {
		return err
	}
	t := newTown(o)
	said("importing %d clients, sending %d links", len(t.everybody()), len(t.payers)+len(t.fresh))
	password := rand.Text()
	if err := l.move(ctx, t, password); err != nil {
		return err
	}
	if err := l.sendLinks(ctx, t.payers, t.fresh); err != nil {
		return err
	}
	if o.size {
		if err := l.someInvoices(ctx, t); err != nil {
			return err
		}
	}
	if err := l.durable(ctx); err != nil {
		return err
	}
	if err := l.standAside(); err != nil {
		return err
	}

	// Three starts, with what has to be prepared between them.
	var starts []float64
	began := func() error {
		took, err := l.startService(ctx)
		starts = append(starts, took.Seconds())
		return err
	}
	if err := began(); err != nil {
		return err
	}
	v := &visitor{base: l.base(), client: browser(o.connections), stripe: l.suppliers}
	if err := v.signIn(ctx, password); err != nil {
		return err
	}
	if err := v.openAll(ctx, t.payers); err != nil {
		return err
	}
	shown, err := v.shown(ctx, t.quoted[0])
	if err != nil {
		return err
	}
	_, landing, err := v.ask(ctx, http.MethodGet, "/p", "", []int{http.StatusOK})
	if err != nil {
		return err
	}
	payerPage, err := l.weigh(ctx, v, t.payers[0].cookie)
	if err != nil {
		return err
	}
	if err := l.stopService(); err != nil {
		return err
	}
	r, err := newReplay(l.dir)
	if err != nil {
		return err
	}
	if err := l.requests(r, t, v.agent); err != nil {
		return err
	}
	out.How = l.how(ctx, o)
	if o.size {
		if err := began(); err != nil {
			return err
		}
		all, err := l.bySize(ctx, o, r, v, t, shown)
		if err != nil {
			return err
		}
		out.bySize(all)
		return l.errorsLogged(out)
	}

	said("counting what a payment costs the database")
	c, err := l.calibrate(ctx, v, t.paying[:calibration], shown)
	if err != nil {
		return err
	}
	if err := began(); err != nil {
		return err
	}
	bare, err := l.startBare(ctx, []byte(landing))
	if err != nil {
		return err
	}
	runs, err := l.rounds(ctx, o, r, v, t, bare, c, shown)
	if err != nil {
		return err
	}
	out.speed(runs, c)

	said("%d payers at once", atOnce)
	most, crowd, err := l.crowd(ctx, r, max(5*time.Second, time.Duration(o.seconds)*time.Second))
	if err != nil {
		return err
	}
	if err := l.stopService(); err != nil {
		return err
	}
	if err := began(); err != nil {
		return err
	}
	said("starting paysim, pricing in process")
	var towns []float64
	for range 3 {
		took, err := l.startPaysim(ctx)
		if err != nil {
			return err
		}
		towns = append(towns, took.Seconds())
	}
	common, everything := priceInProcess()
	out.Checks = append(out.Checks,
		atMost("quote, priced in process", common.Nanoseconds, 1000, "ns"),
		atMost("quote where every rule applies", everything.Nanoseconds, 1000, "ns"),
		atMost("quote, allocations (its lines are one)", float64(max(common.Allocations, everything.Allocations)), 1, "each"),
		atMost("Redis memory of a live link", perLink, 400, "bytes"),
		atMost(fmt.Sprintf("resident memory at %d payers at once", atOnce), mib(most), 100, "MiB"),
		atMost("payer's page, our own bytes compressed", float64(payerPage.Total)/1024, 14, "KiB"),
		atMost("start, until ready with an existing database", median(starts), 1, "s"),
		atMost("start of paysim, until ready", median(towns), 3, "s"),
	)
	if err := l.reportsOpen(ctx, o, out); err != nil {
		return err
	}
	out.note("In process a quote takes %.0f ns with %d allocations of %d bytes; where every rule applies %.0f ns with %d of %d bytes.",
		common.Nanoseconds, common.Allocations, common.Bytes, everything.Nanoseconds, everything.Allocations, everything.Bytes)
	out.note("A link in Redis: %.0f bytes by used_memory over %d links, %d by MEMORY USAGE of one key.", perLink, manyLinks, ofKey)
	out.note("%d payers at once, opening and looking in turn: %.0f requests/s, p50 %.0f ms, p99 %.0f ms; of %d requests %d were told to try again.", atOnce, crowd.Rate, crowd.P50, crowd.P99, crowd.Done, crowd.Refused)
	out.note("The payer's page: %s, the document %d bytes (sent as %d).", payerPage.list(), payerPage.Page, payerPage.Sent)
	return l.errorsLogged(out)
}

// list names the assets and their bytes as sent.
func (w weight) list() string {
	var all []string
	for name, size := range w.Assets {
		all = append(all, fmt.Sprintf("%s %d", name, size))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// how says how it was measured.
func (l *lab) how(ctx context.Context, o options) string {
	place := "service and bare handlers on core " + strings.Join(l.cores[:min(1, len(l.cores))], "") + ", everything else on another"
	if l.cores == nil {
		place = "everything on one core"
	}
	var version, fsync string
	if err := errors.Join(l.sql.QueryRow(ctx, `SHOW server_version`).Scan(&version), l.sql.QueryRow(ctx, `SHOW fsync`).Scan(&fsync)); err != nil {
		version = "of unknown version"
	}
	connections := o.connections
	if o.size {
		connections = sizeConnections
	}
	return fmt.Sprintf("Median of %d alternated runs of %d s, %d connections; %s; Postgres %s with fsync %s.", o.runs, o.seconds, connections, place, version, fsync)
}

// errorsLogged says what the service complained of while it was measured: a figure got by failing is no figure.
func (l *lab) errorsLogged(out *report) error {
	log, err := os.ReadFile(filepath.Clean(l.logFile()))
	if err != nil {
		return err
	}
	n := 0
	first := ""
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, []byte(`"level":"error"`)) && !bytes.Contains(line, []byte(`context canceled`)) { // wrk hangs up at the end of a run
			if n++; n == 1 {
				first = strings.TrimSpace(string(line))
			}
		}
	}
	if n > 0 {
		out.note("The service logged %d errors; the first: %s", n, first)
	}
	return nil
}
