// Command storm runs the real service, twice, on one Postgres and one Redis with a replica and a sentinel, with the simulated suppliers behind toxiproxy, while hundreds of
// payers pay with one, two or three phones on one link and everything breaks: processes are killed and stopped for longer than their leases, Redis fails over and
// forgets, Postgres is restarted, connections break, Stripe and Twilio time out, lose, repeat and refuse, and somebody pays and cancels at Stripe's dashboard. What
// breaks when comes from a seed. `make storm` is a storm of five minutes; `go test` in this folder has one of a minute.
//
// Afterwards the day is closed, it waits until everything has settled, and then
//
//   - holds the simulators' own books against ours, row for row, both ways: no payment charged twice, none lost, none unsettled, every charge in an attempt that was written
//     down before, posted once, every vehicle moved once, every refund on both sides, no text sent more than twice (books.go);
//   - holds what payers were told against what happened: whoever read "paid" was charged, whoever read "declined" was not;
//   - looks for an order that explains what the payers of each payment were told, as of a register that one attempt holds at a time (porcupine, history.go);
//   - runs `paylink reconcile` twice, the second time with nothing left to say, and `paylink verify`;
//   - searches the services' logs for tokens, card numbers, telephone numbers, secrets and client_secrets;
//   - says how long our books told something else than Stripe's after a fault (truth.go).
//
// What it does not prove: that the simulators behave as Stripe and Twilio do (docs/divergences.md); that nothing is lost when the machine itself loses power, since the kernel
// never dies here; and anything about moments that chance did not hit. Two grants of a claim show in the attempts' rows sooner than in what payers are told, because Stripe
// lets a PaymentIntent succeed only once whatever we do. A storm that found nothing is a reason to trust; the proof is the model's (internal/pay).
//
// A seed makes the same plan of faults and the same people again, not the same interleaving: processes, kernel and network have a chance of their own.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// What the storm returns to the shell.
const (
	calm    = 0 // nothing was found
	found   = 1 // something is wrong
	misused = 2 // it could not be run
)

func run(args []string, stdout, stderr io.Writer) int {
	o := options{root: "..", workers: 120, cars: 1200}
	flags := flag.NewFlagSet("storm", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&o.length, "for", 5*time.Minute, "how long the storm lasts, 60s to 2h; settling comes on top")
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()%1_000_000), "what chance comes from")
	flags.IntVar(&o.most, "payments", 20_000, "how many payments are begun at the most")
	flags.IntVar(&o.workers, "workers", o.workers, "how many payments at a time")
	flags.StringVar(&o.keep, "keep", "", "folder for the services' logs; without it they go with the rest")
	if err := flags.Parse(args); err != nil {
		return misused
	}
	if o.length < time.Minute || o.length > 2*time.Hour || o.workers < 1 || o.workers > 200 || o.most < 1 || o.most > 100_000 {
		fmt.Fprintln(stderr, "storm: -for is 60s to 2h, -workers 1 to 200, -payments 1 to 100000")
		return misused
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	r, err := once(ctx, o, func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) })
	if r != nil {
		r.print(stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, "storm:", err)
		return misused
	}
	if !r.good() {
		return found
	}
	return calm
}

// options are of one storm.
type options struct {
	root          string // of the repository
	length        time.Duration
	seed          uint64
	most          int // payments
	workers, cars int
	keep          string
}

// settleWithin is I11: everything settles within 15 minutes of the last fault.
const settleWithin = 15 * time.Minute

// once has one storm from beginning to end.
func once(ctx context.Context, o options, tell func(format string, args ...any)) (r *report, err error) {
	if err := need(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "paylink-storm-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	root, err := filepath.Abs(o.root)
	if err != nil {
		return nil, err
	}
	from := time.Now()
	say := tell
	tell = func(format string, args ...any) {
		say("%6.1fs  "+format, append([]any{time.Since(from).Seconds()}, args...)...)
	}
	tell("seed %d: building and starting", o.seed)
	w := &town{dir: dir, root: root, seed: o.seed}
	defer func() {
		if closeErr := w.close(); err == nil {
			err = closeErr
		}
	}()
	if err := w.open(ctx); err != nil {
		return nil, err
	}
	cars, err := w.settle(ctx, o.cars)
	if err != nil {
		return nil, err
	}
	crowd := newCrowd(w, o.seed)
	if err := crowd.signIn(ctx, 6); err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(ctx)
	defer stop()
	go crowd.texts.run(background, w)
	t := &truth{w: w, since: map[string]*spell{}}
	go t.run(background)

	r = &report{seed: o.seed, length: o.length, faults: newTally()}
	all := plan(o.seed, o.length)
	tell("the storm: %s, %d faults, %d people at a time", o.length, len(all), o.workers)
	over := make(chan struct{})
	raged := make(chan error, 1)
	began := time.Now()
	go func() {
		err := w.rage(ctx, all, t, r.faults)
		wait(ctx, o.length-time.Since(began))
		close(over)
		raged <- err
	}()
	people, enough := context.WithCancel(ctx)
	defer enough()
	go func() {
		<-over
		wait(people, 4*time.Second) // and then they go away, whatever they were at
		enough()
	}()
	crowd.rush(people, over, cars, o.workers, o.most)
	<-over
	if err := <-raged; err != nil {
		return r, fmt.Errorf("not every fault could be made: %w", err)
	}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	tell("the faults are over after %s; the day is closed, and what is pending settles", time.Since(began).Round(time.Second))
	calmed := time.Now()
	r.settled = w.calm(ctx, crowd, t, settleWithin, tell)
	r.settling = time.Since(calmed)
	if err := r.putRight(ctx, w, cars); err != nil {
		return r, err
	}
	r.settled = w.calm(ctx, crowd, t, settleWithin, tell) && r.settled
	stop()
	tell("stopping the services")
	if err := r.judge(ctx, w, crowd, t, cars, o.keep, tell); err != nil {
		return r, err
	}
	tell("done")
	return r, nil
}
