package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// sample is what one run came to.
type sample struct {
	Rate float64 `json:"per_second"`
	P50  float64 `json:"p50_ms"`
	P99  float64 `json:"p99_ms"`
	Done int     `json:"done"`

	Refused int `json:"refused,omitempty"` // answers that were no success
}

// middle takes the median of every figure by itself.
func middle(of []sample) sample {
	pick := func(figure func(sample) float64) float64 {
		var all []float64
		for _, s := range of {
			all = append(all, figure(s))
		}
		return median(all)
	}
	return sample{
		Rate: pick(func(s sample) float64 { return s.Rate }), P50: pick(func(s sample) float64 { return s.P50 }), P99: pick(func(s sample) float64 { return s.P99 }),
		Done: int(pick(func(s sample) float64 { return float64(s.Done) })),
	}
}

func median(of []float64) float64 {
	if len(of) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(of))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

//go:embed replay.lua
var replayScript string

// replay is wrk with a script and a file of requests: it costs its core little, so that the service is what is measured.
type replay struct {
	dir string
	wrk string
}

func newReplay(dir string) (*replay, error) {
	return &replay{dir, filepath.Join(dir, "replay.lua")}, os.WriteFile(filepath.Join(dir, "replay.lua"), []byte(replayScript), 0o600)
}

// write stores requests under a name for run.
func (r *replay) write(name string, requests []string) error {
	return os.WriteFile(filepath.Join(r.dir, name), []byte(strings.Join(requests, "\x01")), 0o600)
}

// run sends the requests of a name over and over. An answer that is no success makes the run an error: the figures of refusals say nothing.
func (r *replay) run(ctx context.Context, base, name string, connections int, d time.Duration) (sample, error) {
	s, err := r.try(ctx, base, name, connections, d)
	if err == nil && s.Refused > 0 {
		err = fmt.Errorf("%s: of %d requests %d were refused", name, s.Done, s.Refused)
	}
	return s, err
}

// try is run for a load that the service may refuse.
func (r *replay) try(ctx context.Context, base, name string, connections int, d time.Duration) (sample, error) {
	var got struct{ Requests, Took, P50, P99, Refused, Failed int }
	// wrk counts whole seconds.
	seconds := strconv.Itoa(max(1, int(math.Round(d.Seconds()))))
	cmd := exec.CommandContext(ctx, "wrk", "-t", "1", "-c", strconv.Itoa(connections), "-d", seconds+"s", "--timeout", "20s", "-s", r.wrk, base, "--", filepath.Join(r.dir, name))
	belongs(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("wrk on %s: %w: %s", name, err, lastLines(out))
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
		return sample{}, fmt.Errorf("wrk on %s said nothing that can be read: %s", name, lastLines(out))
	}
	if got.Failed > 0 || got.Requests == 0 {
		return sample{}, fmt.Errorf("%s: of %d requests %d got no answer", name, got.Requests, got.Failed)
	}
	return sample{Rate: float64(got.Requests) / float64(got.Took) * 1e6, P50: float64(got.P50) / 1e3, P99: float64(got.P99) / 1e3, Done: got.Requests, Refused: got.Refused}, nil
}

func lastLines(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}

// request writes one HTTP request as a phone's browser sends it.
func request(method, host, path, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36\r\n", method, path, host)
	b.WriteString("Accept: */*\r\nAccept-Language: en-US,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br\r\nSec-Fetch-Site: same-origin\r\n")
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

// somewhere is the n-th caller's address: looks are limited by address, and a crowd has many.
func somewhere(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

// once does every job once, by so many workers, until all are done or the time is up. It is for what can't be repeated: a first opening, a payment.
func once(ctx context.Context, workers int, limit time.Duration, jobs []func(context.Context) error) (sample, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	var mu sync.Mutex
	var times []float64
	var failed error
	next := 0
	take := func() func(context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if failed != nil || next == len(jobs) || time.Since(began) >= limit {
			return nil
		}
		next++
		return jobs[next-1]
	}
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for job := take(); job != nil; job = take() {
				start := time.Now()
				err := job(ctx)
				mu.Lock()
				times = append(times, float64(time.Since(start).Microseconds())/1e3)
				if err != nil && failed == nil {
					failed = err
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	if failed != nil {
		return sample{}, failed
	}
	if len(times) == 0 {
		return sample{}, errors.New("there was nothing to do")
	}
	slices.Sort(times)
	at := func(p float64) float64 { return times[min(len(times)-1, int(p*float64(len(times))))] }
	return sample{Rate: float64(len(times)) / took.Seconds(), P50: at(0.50), P99: at(0.99), Done: len(times)}, nil
}

// browser is a client that keeps connections, follows no redirect and keeps no cookies of its own.
func browser(connections int) *http.Client {
	return &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
