package main

import (
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
)

// fault is one kind of trouble.
type fault struct {
	name   string
	weight int // how often it is drawn
	most   time.Duration
	least  time.Duration
	on     string // what it strikes: two faults never strike the same thing at a time
	strike func(ctx context.Context, w *town, f *weather, lasts time.Duration, luck *mathrand.Rand) error
}

// strikes is one fault of the plan.
type strike struct {
	at, lasts time.Duration
	fault     fault
	seed      uint64
}

// weather is the faults of the suppliers that rage now; each simulator takes them all at once.
type weather struct {
	w      *town
	mu     sync.Mutex
	stripe map[string]stripesim.Faults
	twilio map[string]twiliosim.Faults
}

// The leases that a killed or stopped process leaves behind end after pay.ConfirmLease; a process that is stopped for longer wakes up to a world that has gone on without it.
const lease = 60 * time.Second

// kinds is every fault there is. It is a function so that nobody can change it.
func kinds() []fault {
	return []fault{
		{"paylink killed (SIGKILL)", 6, 1500 * time.Millisecond, 100 * time.Millisecond, "first", kill(0)},
		{"paylink killed (SIGKILL)", 6, 1500 * time.Millisecond, 100 * time.Millisecond, "second", kill(1)},
		{"paylink stopped for a while (SIGSTOP)", 3, 15 * time.Second, 2 * time.Second, "second", freeze(1)},
		{"paylink stopped for longer than a lease (SIGSTOP)", 1, lease + 5*time.Second, lease + time.Second, "second", freeze(1)},
		{"paylink's clients cut off (reset_peer)", 3, 2 * time.Second, 200 * time.Millisecond, "front", toxic("first", "reset_peer", `{"timeout":20}`, 0.5)},
		{"redis failover, master killed", 2, 8 * time.Second, time.Second, "redis", failover(syscall.SIGKILL)},
		{"redis failover, master hangs", 1, 8 * time.Second, time.Second, "redis", failover(syscall.SIGSTOP)},
		{"redis flushed", 3, time.Millisecond, 0, "redis", flush},
		{"postgres restarted (immediate)", 3, 1500 * time.Millisecond, 0, "postgres", restart},
		{"postgres connections reset", 3, time.Second, 200 * time.Millisecond, "postgres", toxic("postgres", "reset_peer", `{"timeout":30}`, 0.5)},
		{"postgres slow", 2, 4 * time.Second, time.Second, "postgres", toxic("postgres", "latency", `{"latency":30,"jitter":30}`, 1)},
		{"stripe slow", 2, 4 * time.Second, time.Second, "stripe line", toxic("stripe", "latency", `{"latency":400,"jitter":400}`, 0.7)},
		{"stripe connections reset before the answer", 3, 3 * time.Second, 500 * time.Millisecond, "stripe line", toxic("stripe", "reset_peer", `{"timeout":10}`, 0.4)},
		{"stripe unreachable", 2, 3 * time.Second, 500 * time.Millisecond, "stripe line", cut("stripe")},
		{"stripe times out before", 2, 3 * time.Second, time.Second, "stripe", stripe(rule("confirm", stripesim.TimeoutBefore, 0.3), rule("create", stripesim.TimeoutBefore, 0.04))},
		{"stripe times out after", 3, 3 * time.Second, time.Second, "stripe", stripe(rule("confirm", stripesim.TimeoutAfter, 0.4), rule("cancel", stripesim.TimeoutAfter, 0.3), rule("create", stripesim.TimeoutAfter, 0.04))},
		{"stripe 500, nothing done", 2, 3 * time.Second, time.Second, "stripe", stripe(rule("any", stripesim.Error500, 0.2))},
		{"stripe 500, rolled back", 3, 3 * time.Second, time.Second, "stripe", stripe(rule("confirm", stripesim.Error500RolledBack, 0.4))},
		{"stripe 500, rolled forward later", 3, 3 * time.Second, time.Second, "stripe", stripe(stripesim.Rule{Op: "confirm", Kind: stripesim.Error500Forward, Rate: 0.4, DelayMS: 3000})},
		{"stripe 409", 2, 3 * time.Second, time.Second, "stripe", stripe(rule("confirm", stripesim.Conflict409, 0.4), rule("cancel", stripesim.Conflict409, 0.2))},
		{"stripe 429", 2, 3 * time.Second, time.Second, "stripe", stripe(rule("any", stripesim.Rate429, 0.3))},
		{"stripe down (503)", 2, 4 * time.Second, time.Second, "stripe", stripe(rule("any", stripesim.Down503, 0.9))},
		{"stripe answers half", 2, 3 * time.Second, time.Second, "stripe", stripe(rule("confirm", stripesim.BrokenJSON, 0.4))},
		{"stripe webhooks lost", 3, 8 * time.Second, 2 * time.Second, "hooks", hooks(stripesim.WebhookFaults{Never: 0.7})},
		{"stripe webhooks twice and out of order", 3, 8 * time.Second, 2 * time.Second, "hooks", hooks(stripesim.WebhookFaults{Twice: 0.5, TwoEvents: 0.3, Reorder: 0.6})},
		{"stripe webhooks late", 1, 8 * time.Second, 2 * time.Second, "hooks", hooks(stripesim.WebhookFaults{DelayMS: 2500})},
		{"somebody pays at Stripe's dashboard", 2, 3 * time.Second, time.Second, "dashboard", dashboard("paid", (*stripesim.Server).PayIntent)},
		{"somebody cancels at Stripe's dashboard", 2, 3 * time.Second, time.Second, "dashboard", dashboard("cancelled", (*stripesim.Server).CancelIntent)},
		{"twilio accepts and times out", 3, 3 * time.Second, time.Second, "twilio", twilio(twiliosim.Rule{Op: "send", Kind: twiliosim.TimeoutAfter, Rate: 0.15, DelayMS: 12_000})},
		{"twilio answers half", 2, 3 * time.Second, time.Second, "twilio", twilio(twiliosim.Rule{Op: "send", Kind: twiliosim.BrokenJSON, Rate: 0.4})},
		{"twilio 5xx", 3, 3 * time.Second, time.Second, "twilio", twilio(twiliosim.Rule{Op: "send", Kind: twiliosim.Error500, Rate: 0.3}, twiliosim.Rule{Op: "send", Kind: twiliosim.Down503, Rate: 0.3})},
		{"twilio 429", 2, 3 * time.Second, time.Second, "twilio", twilio(twiliosim.Rule{Op: "send", Kind: twiliosim.Rate429, Rate: 0.5})},
		{"twilio callbacks lost and shuffled", 3, 8 * time.Second, 2 * time.Second, "callbacks", callbacks(twiliosim.Callbacks{Never: 0.4, Shuffle: 0.5, Twice: 0.3})},
		{"twilio unreachable", 1, 3 * time.Second, time.Second, "twilio line", cut("twilio")},
	}
}

// plan draws faults for a storm of a length: every kind once while there is time, in an order of chance, and then more of them by their weights.
// What may leave a claim behind, whose lease has to run out, comes in the first third of a short storm, so that the storm's end need not wait a minute for it. Every plan
// has a failover, a restart of Postgres, a process that is killed and one that is stopped for longer than a lease.
func plan(seed uint64, length time.Duration) []strike {
	luck := mathrand.New(mathrand.NewPCG(seed, 1)) // #nosec G404 -- the storm's chance comes from its seed
	all := kinds()
	busy := map[string]time.Duration{} // what is struck, until when
	var out []strike
	put := func(at time.Duration, f fault, lasts time.Duration) {
		out = append(out, strike{at, lasts, f, luck.Uint64()})
		pause := 500 * time.Millisecond
		switch f.on { // these take a while to be as before
		case "redis":
			pause = 12 * time.Second
		case "postgres", "first", "second":
			pause = 4 * time.Second
		}
		busy[f.on] = at + lasts + pause
	}
	draw := func(f fault) time.Duration { return f.least + time.Duration(luck.Float64()*float64(f.most-f.least)) }
	named := func(name string) fault {
		return all[slices.IndexFunc(all, func(f fault) bool { return f.name == name })]
	}
	long := named("paylink stopped for longer than a lease (SIGSTOP)")
	put(1500*time.Millisecond, long, long.least)
	killed := named("paylink killed (SIGKILL)")
	put(4*time.Second+time.Duration(luck.IntN(4000))*time.Millisecond, killed, draw(killed))
	over := named("redis failover, master killed")
	put(8*time.Second+time.Duration(luck.IntN(8000))*time.Millisecond, over, over.least)
	down := named("postgres restarted (immediate)")
	put(9*time.Second+time.Duration(luck.IntN(4000))*time.Millisecond, down, draw(down))

	order := luck.Perm(len(all))
	for at := 3 * time.Second; at < length; at += time.Duration(500+luck.IntN(1200)) * time.Millisecond {
		var f fault
		found := false
		for n := 0; n < 40 && !found; n++ {
			if len(order) > 0 {
				f, order = all[order[0]], order[1:]
			} else {
				f = heaviest(all, luck)
			}
			lasts := f.most
			found = busy[f.on] <= at && at+lasts <= length
			short := length < 3*lease
			if short && slices.Contains([]string{"first", "second", "postgres"}, f.on) && at > length/3 {
				found = false
			}
			if short && strings.HasPrefix(f.name, "redis failover") { // one is enough, and has been drawn
				found = false
			}
		}
		if found {
			put(at, f, draw(f))
		}
	}
	slices.SortStableFunc(out, func(a, b strike) int { return int(a.at - b.at) })
	return out
}

func heaviest(all []fault, luck *mathrand.Rand) fault {
	sum := 0
	for _, f := range all {
		sum += f.weight
	}
	n := luck.IntN(sum)
	for _, f := range all {
		if n -= f.weight; n < 0 {
			return f
		}
	}
	return all[0]
}

// rage carries the plan out and returns when the last fault is over. Faults that could not be made are errors: a storm that did not rage proves nothing.
func (w *town) rage(ctx context.Context, all []strike, t *truth, counts *tally) error {
	f := &weather{w: w, stripe: map[string]stripesim.Faults{}, twilio: map[string]twiliosim.Faults{}}
	began := time.Now()
	var raging sync.WaitGroup
	var mu sync.Mutex
	var problems []error
	for _, s := range all {
		wait(ctx, s.at-time.Since(began))
		if ctx.Err() != nil {
			break
		}
		raging.Go(func() {
			counts.add(s.fault.name, 1)
			over := t.fault(s.fault.name)
			defer over()
			if err := s.fault.strike(ctx, w, f, s.lasts, mathrand.New(mathrand.NewPCG(s.seed, 3))); err != nil && ctx.Err() == nil { // #nosec G404
				mu.Lock()
				defer mu.Unlock()
				problems = append(problems, fmt.Errorf("%s: %w", s.fault.name, err))
			}
		})
	}
	raging.Wait()
	f.count()
	return errors.Join(problems...)
}

// --- What each does -----------------------------------------------------------------------------------------------------------------------------

type striker = func(ctx context.Context, w *town, f *weather, lasts time.Duration, luck *mathrand.Rand) error

func kill(n int) striker {
	return func(_ context.Context, w *town, _ *weather, lasts time.Duration, _ *mathrand.Rand) error {
		w.instances[n].kill(lasts)
		return nil
	}
}

func freeze(n int) striker {
	return func(ctx context.Context, w *town, _ *weather, lasts time.Duration, _ *mathrand.Rand) error {
		if err := w.instances[n].signal(syscall.SIGSTOP); err != nil {
			return err
		}
		wait(ctx, lasts)
		return w.instances[n].signal(syscall.SIGCONT)
	}
}

// failover kills the master, or has it hang, waits until the sentinel has made the replica the master, and then lets the old one back, which finds itself a replica.
func failover(with syscall.Signal) striker {
	return func(ctx context.Context, w *town, _ *weather, _ time.Duration, _ *mathrand.Rand) error {
		r := &w.redis
		old, err := r.master(ctx)
		if err != nil {
			return err
		}
		if err := until(ctx, 20*time.Second, 50*time.Millisecond, nil, func() bool { return r.linked(ctx, 1-old) }); err != nil {
			return fmt.Errorf("no replica to fail over to: %w", err)
		}
		if err := r.servers[old].cmd.Process.Signal(with); err != nil {
			return err
		}
		if err := until(ctx, 30*time.Second, 20*time.Millisecond, nil, func() bool { now, err := r.master(ctx); return err == nil && now != old }); err != nil {
			return fmt.Errorf("the sentinel did not fail over: %w", err)
		}
		if with == syscall.SIGKILL {
			<-r.servers[old].ended
			return r.start(ctx, old, r.ports[1-old])
		}
		return r.servers[old].cmd.Process.Signal(syscall.SIGCONT)
	}
}

func flush(ctx context.Context, w *town, _ *weather, _ time.Duration, _ *mathrand.Rand) error {
	at, err := w.redis.master(ctx)
	if err != nil {
		return err
	}
	client := w.redis.client(at)
	defer func() { _ = client.Close() }()
	return client.FlushAll(ctx).Err()
}

func restart(ctx context.Context, w *town, _ *weather, lasts time.Duration, _ *mathrand.Rand) error {
	return w.postgres.restart(context.WithoutCancel(ctx), lasts)
}

// toxic puts one of toxiproxy's toxics on the way to somebody, on the way back.
func toxic(name, kind, attributes string, toxicity float64) striker {
	return func(ctx context.Context, w *town, _ *weather, lasts time.Duration, _ *mathrand.Rand) error {
		p := w.proxies[name]
		made, err := p.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type":%q,"stream":"downstream","toxicity":%g,"attributes":%s}`, kind, toxicity, attributes)))
		if err != nil {
			return err
		}
		wait(ctx, lasts)
		return p.Toxics.RemoveToxic(context.WithoutCancel(ctx), made.Name)
	}
}

// cut refuses connections and breaks those that there are.
func cut(name string) striker {
	return func(ctx context.Context, w *town, _ *weather, lasts time.Duration, _ *mathrand.Rand) error {
		p := w.proxies[name]
		p.Stop()
		wait(ctx, lasts)
		var err error
		return errors.Join(until(context.WithoutCancel(ctx), 10*time.Second, 50*time.Millisecond, nil, func() bool { // on the same port, which a passing connection may have for a moment
			err = p.Start()
			return err == nil
		}), err)
	}
}

// dashboard has somebody do something with one of the newest PaymentIntents that can still be paid, now and then for a while.
func dashboard(what string, act func(*stripesim.Server, string) error) striker {
	return func(ctx context.Context, w *town, _ *weather, lasts time.Duration, luck *mathrand.Rand) error {
		for until := time.Now().Add(lasts); time.Now().Before(until) && ctx.Err() == nil; wait(ctx, 700*time.Millisecond) {
			var open []stripesim.Intent
			for _, account := range w.stripe.Books().Accounts {
				for _, in := range account.Intents {
					if in.Status == "requires_payment_method" || in.Status == "requires_action" {
						open = append(open, in)
					}
				}
			}
			if len(open) == 0 {
				continue
			}
			in := open[luck.IntN(len(open))]
			// Written down before: who reads the outcome must find the cause. If the PaymentIntent has moved on meanwhile, nothing was done there, and nothing follows.
			w.outside.mu.Lock()
			w.outside.acts = append(w.outside.acts, outsideAct{in.Metadata["payment"], in.ID, what, time.Now(), false})
			n := len(w.outside.acts) - 1
			w.outside.mu.Unlock()
			if act(w.stripe, in.ID) == nil {
				w.hits.add("stripe: "+what+" at the dashboard", 1)
				w.outside.mu.Lock()
				w.outside.acts[n].done = true
				w.outside.mu.Unlock()
			}
		}
		return nil
	}
}

func rule(op, kind string, rate float64) stripesim.Rule {
	return stripesim.Rule{Op: op, Kind: kind, Rate: rate}
}

func stripe(rules ...stripesim.Rule) striker {
	return func(ctx context.Context, _ *town, f *weather, lasts time.Duration, _ *mathrand.Rand) error {
		return f.blow(ctx, lasts, "stripe", stripesim.Faults{Rules: rules}, twiliosim.Faults{})
	}
}

func hooks(h stripesim.WebhookFaults) striker {
	return func(ctx context.Context, _ *town, f *weather, lasts time.Duration, _ *mathrand.Rand) error {
		return f.blow(ctx, lasts, "hooks", stripesim.Faults{Webhooks: h}, twiliosim.Faults{})
	}
}

func twilio(rules ...twiliosim.Rule) striker {
	return func(ctx context.Context, _ *town, f *weather, lasts time.Duration, _ *mathrand.Rand) error {
		return f.blow(ctx, lasts, "twilio", stripesim.Faults{}, twiliosim.Faults{Rules: rules})
	}
}

func callbacks(c twiliosim.Callbacks) striker {
	return func(ctx context.Context, _ *town, f *weather, lasts time.Duration, _ *mathrand.Rand) error {
		return f.blow(ctx, lasts, "callbacks", stripesim.Faults{}, twiliosim.Faults{Callbacks: c})
	}
}

// blow has the suppliers misbehave for a while, beside what else they do wrong.
func (f *weather) blow(ctx context.Context, lasts time.Duration, name string, s stripesim.Faults, t twiliosim.Faults) error {
	err := f.set(func() { f.stripe[name], f.twilio[name] = s, t })
	wait(ctx, lasts)
	return errors.Join(err, f.set(func() { delete(f.stripe, name); delete(f.twilio, name) }))
}

// set changes what rages and tells the simulators, which count anew each time.
func (f *weather) set(change func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.countLocked()
	change()
	var s stripesim.Faults
	for _, one := range f.stripe {
		s.Rules = append(s.Rules, one.Rules...)
		if one.Webhooks != (stripesim.WebhookFaults{}) {
			s.Webhooks = one.Webhooks
		}
	}
	var t twiliosim.Faults
	for _, one := range f.twilio {
		t.Rules = append(t.Rules, one.Rules...)
		if one.Callbacks != (twiliosim.Callbacks{}) {
			t.Callbacks = one.Callbacks
		}
	}
	if err := errors.Join(s.Check(), t.Check()); err != nil {
		return err
	}
	f.w.twilio.SetFaults(t)
	return f.w.stripe.SetFaults(s)
}

func (f *weather) count() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.countLocked()
}

func (f *weather) countLocked() {
	for _, r := range f.w.stripe.Faults().Rules {
		if r.Fired > 0 {
			f.w.hits.add("stripe: "+r.Op+" "+r.Kind, r.Fired)
		}
	}
}
