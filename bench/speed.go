package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/money"
	"paylink/internal/quote"
)

// calibration is how many payments are counted before the runs, to learn what one costs the database.
const calibration = 50

// cost is what one payment, from Send Message to its receipt, costs the database.
type cost struct {
	Transactions float64 `json:"transactions"` // that write
	Rows         float64 `json:"rows"`         // inserted or updated
}

// written counts transactions that have written, and rows. Postgres numbers a transaction when it writes its first row, so that readers do not count;
// rows are told when a connection ends.
func (l *lab) written(ctx context.Context) (transactions, rows int64, err error) {
	err = l.sql.QueryRow(ctx, `SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS TEXT) AS BIGINT)`).Scan(&transactions)
	if err != nil {
		return 0, 0, err
	}
	err = l.sql.QueryRow(ctx, `SELECT tup_inserted + tup_updated + tup_deleted FROM pg_stat_database WHERE datname = current_database()`).Scan(&rows)
	return transactions, rows, err
}

// calibrate pays some links between two stops of the service, and counts.
func (l *lab) calibrate(ctx context.Context, v *visitor, group []client, shown string) (cost, error) {
	transactions, rows, err := l.written(ctx)
	if err != nil {
		return cost{}, err
	}
	if _, err := l.startService(ctx); err != nil {
		return cost{}, err
	}
	if _, err := once(ctx, payWorkers, time.Minute, v.payments(group, shown, &l.texts)); err != nil {
		return cost{}, err
	}
	if err := l.waitForTexts(ctx); err != nil {
		return cost{}, err
	}
	time.Sleep(time.Second) // Stripe's last webhooks, whose coming nothing else tells
	if err := l.stopService(); err != nil {
		return cost{}, err
	}
	afterTransactions, afterRows, err := l.written(ctx)
	n := float64(len(group))
	return cost{float64(afterTransactions-transactions) / n, float64(afterRows-rows) / n}, err
}

func (v *visitor) payments(group []client, shown string, inbox *texts) []func(context.Context) error {
	jobs := make([]func(context.Context) error, len(group))
	for i, c := range group {
		jobs[i] = func(ctx context.Context) error { return v.sendAndPay(ctx, c, shown, inbox) }
	}
	return jobs
}

// rounds runs everything in turn, so that what the machine does meanwhile hits all alike.
func (l *lab) rounds(ctx context.Context, o options, r *replay, v *visitor, t town, bare string, c cost, shown string) (map[string][]sample, error) {
	out := map[string][]sample{}
	length := time.Duration(o.seconds) * time.Second
	wrk := func(name string) error {
		base := l.base()
		if name == "static" || name == "bare" {
			base = bare
		}
		s, err := r.run(ctx, base, name, o.connections, length)
		out[name] = append(out[name], s)
		return err
	}
	for _, name := range []string{"static", "landing", "bare", "open", "page", "quote"} { // warm
		base := l.base()
		if name == "static" || name == "bare" {
			base = bare
		}
		if _, err := r.run(ctx, base, name, o.connections, time.Second); err != nil {
			return nil, err
		}
	}
	share := func(group []client, round int) []client {
		n := len(group) / o.runs
		return group[round*n : (round+1)*n]
	}
	var reopened, wroteReopening int64
	for round := range o.runs {
		said("round %d of %d", round+1, o.runs)
		for _, name := range []string{"static", "landing"} {
			if err := wrk(name); err != nil {
				return nil, err
			}
		}
		before, _, err := l.written(ctx)
		if err != nil {
			return nil, err
		}
		if err := wrk("open"); err != nil {
			return nil, err
		}
		after, _, err := l.written(ctx)
		if err != nil {
			return nil, err
		}
		reopened, wroteReopening = reopened+int64(out["open"][round].Done), wroteReopening+after-before
		for _, name := range []string{"bare", "page", "quote"} {
			if err := wrk(name); err != nil {
				return nil, err
			}
		}

		var jobs []func(context.Context) error
		for i, c := range share(t.fresh, round) {
			jobs = append(jobs, func(ctx context.Context) error {
				_, err := v.open(ctx, c.token, somewhere(2<<20+i))
				return err
			})
		}
		first, err := once(ctx, o.connections, length, jobs)
		if err != nil {
			return nil, err
		}
		out["first"] = append(out["first"], first)

		jobs = nil
		for _, c := range share(t.sent, round) {
			jobs = append(jobs, func(ctx context.Context) error { return v.send(ctx, c, shown) })
		}
		sent, err := once(ctx, o.connections, length, jobs)
		if err != nil {
			return nil, err
		}
		out["send"] = append(out["send"], sent)
		if err := l.waitForTexts(ctx); err != nil {
			return nil, err
		}

		began := time.Now()
		paid, err := once(ctx, payWorkers, length, v.payments(share(t.paying[calibration:], round), shown, &l.texts))
		if err != nil {
			return nil, err
		}
		if err := l.waitForTexts(ctx); err != nil {
			return nil, err
		}
		paid.Rate = float64(paid.Done) / time.Since(began).Seconds() // what is still on its way when the last payer reads "paid" counts too
		out["pay"] = append(out["pay"], paid)

		commits, err := commitBare(ctx, bare, commits{
			Transactions: int(float64(paid.Done) * c.Transactions), Rows: int(float64(paid.Done) * c.Rows), Workers: payWorkers,
		})
		if err != nil {
			return nil, err
		}
		out["commits"] = append(out["commits"], commits)
	}
	out["writes"] = []sample{{Rate: float64(wroteReopening) / float64(reopened), Done: int(reopened)}}
	return out, nil
}

func commitBare(ctx context.Context, bare string, c commits) (sample, error) {
	var got sample
	body, err := json.Marshal(c)
	if err != nil {
		return got, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, bare+"/commits", bytes.NewReader(body))
	if err != nil {
		return got, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return got, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return got, fmt.Errorf("bare transactions: %s", answer.Status)
	}
	return got, json.NewDecoder(answer.Body).Decode(&got)
}

// priced is what quote.Price costs in process.
type priced struct {
	Nanoseconds float64 `json:"ns"`
	Allocations int64   `json:"allocations"`
	Bytes       int64   `json:"bytes"`
}

// priceInProcess prices the common case, and one where every rule has something to say; the median of three by time.
func priceInProcess() (common, everything priced) {
	in := quote.Input{
		AsOf: "2025-07-10", Days: 30,
		Location: account.Location{ID: "VA-RIC", Payments: account.Configured, TaxPPM: 60_000},
		Vehicle:  &account.Vehicle{Program: account.IID, DailyRate: 310, PaidTo: "2025-07-10"},
	}
	full := in
	full.Location.LossProtectionTaxable, full.Location.StateFeeMonthly, full.Location.LaborFee = true, 2_100, 3_000
	full.Location.MonitoringCapMonthly, full.Location.LossProtectionCapMonthly = new(money.Cents(9_500)), new(money.Cents(800))
	full.Vehicle = &account.Vehicle{
		Program: account.IID, DailyRate: 335, LossProtectionDaily: 30, PaidTo: "2025-07-08", Hardship: &account.Hardship{Kind: account.ClientPays, Percent: 25, ReducesTaxBase: true},
	}
	full.Account = account.Standing{PastDue: 4_237, Credit: 500}
	measure := func(in quote.Input) priced {
		var out priced
		var times []float64
		for range 3 {
			got := testing.Benchmark(func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := quote.Price(in); err != nil {
						b.Fatal(err)
					}
				}
			})
			times = append(times, float64(got.T.Nanoseconds())/float64(got.N))
			out.Allocations, out.Bytes = got.AllocsPerOp(), got.AllocedBytesPerOp()
		}
		out.Nanoseconds = median(times)
		return out
	}
	return measure(in), measure(full)
}
