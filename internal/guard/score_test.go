//go:build guards_off

package guard_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paylink/internal/guard"
)

// TestEveryGuardIsMissed builds each package's tests once, sees them pass with every guard in place, and then takes one guard after the other away: its test has to fail.
// PAYLINK_GUARD_OFF is read by those builds alone.
func TestEveryGuardIsMissed(t *testing.T) {
	suites := map[string]*suite{}
	shop := &shop{dir: t.TempDir(), free: make(chan struct{}, runtime.NumCPU())}
	for _, g := range guard.List() {
		if suites[g.In] == nil {
			suites[g.In] = &suite{in: g.In}
		}
		suites[g.In].guards = append(suites[g.In].guards, g)
	}
	var tried, caught atomic.Int32
	var wg sync.WaitGroup
	for _, in := range slices.Sorted(maps.Keys(suites)) {
		for _, g := range suites[in].guards {
			wg.Go(func() {
				t.Run(string(g.Name), func(t *testing.T) {
					s := suites[in]
					s.once.Do(func() { shop.prepare(t.Context(), s) }) // not before a guard of this package is asked for, by -run
					if s.broken != "" {
						t.Fatal(s.broken)
					}
					if s.whole.says("SKIP", g.Test) && os.Getenv("PAYLINK_TEST_ALL") == "" {
						t.Skip(g.Test + " is skipped here")
					}
					tried.Add(1)
					if !s.whole.passed(g.Test) {
						t.Fatalf("%s does not pass with every guard in place\n%s", g.Test, s.whole.about(g.Test))
					}
					off := string(g.Name)
					if g.With != "" {
						if alone := shop.run(t.Context(), s, off, g); !alone.passed(g.Test) {
							t.Errorf("it fails without %s alone, which %s does not cover then\n%s", g.Name, g.With, alone.about(""))
						}
						off += " " + string(g.With)
					}
					without := shop.run(t.Context(), s, off, g)
					word := "caught    "
					if without.failed(g.Test) {
						caught.Add(1)
						t.Log(without.finding())
					} else {
						word = "NOT CAUGHT"
						t.Errorf("%s does not fail without it\n%s", g.Test, without.about(""))
					}
					fmt.Printf("%s %5.1fs  %-16s %s.%s\n", word, without.took.Seconds(), g.Name, strings.TrimPrefix(in, "internal/"), g.Test)
				})
			})
		}
	}
	wg.Wait()
	fmt.Printf("guard score: %d caught of %d\n", caught.Load(), tried.Load())
}

// suite is the tests of one package.
type suite struct {
	in     string
	guards []guard.Guard
	once   sync.Once
	binary string
	whole  result // with every guard in place
	broken string
}

// shop builds one suite at a time and runs as many tests at once as there are processors.
type shop struct {
	dir      string
	building sync.Mutex
	free     chan struct{}
}

func (h *shop) prepare(ctx context.Context, s *suite) {
	h.building.Lock()
	s.binary = filepath.Join(h.dir, strings.ReplaceAll(s.in, "/", "-"))
	build := exec.CommandContext(ctx, "go", "test", "-c", "-tags", "guards_off", "-ldflags=-s -w", "-o", s.binary, "./"+s.in)
	build.Dir = root
	out, err := build.CombinedOutput()
	h.building.Unlock()
	if err != nil {
		s.broken = fmt.Sprintf("the tests of %s can't be built: %v\n%s", s.in, err, out)
		return
	}
	s.whole = h.run(ctx, s, "", s.guards...)
}

// root is the repository.
const root = "../.."

// result is what a test binary said.
type result struct {
	out  string
	err  error
	took time.Duration
}

// run has a suite run the guards' tests without some guards, to the first failure.
func (h *shop) run(ctx context.Context, s *suite, off string, guards ...guard.Guard) result {
	var names []string
	for _, g := range guards {
		var parts []string
		for _, part := range strings.Split(g.Test, "/") {
			parts = append(parts, "^"+regexp.QuoteMeta(part)+"$")
		}
		names = append(names, strings.Join(parts, "/"))
	}
	slices.Sort(names)
	h.free <- struct{}{}
	defer func() { <-h.free }()
	c := exec.CommandContext(ctx, s.binary, "-test.v", "-test.failfast", "-test.timeout=100s", "-test.run="+strings.Join(slices.Compact(names), "|"))
	c.Dir = filepath.Join(root, s.in)
	c.Env = append(os.Environ(), "PAYLINK_GUARD_OFF="+off)
	began := time.Now()
	out, err := c.CombinedOutput()
	return result{string(out), err, time.Since(began)}
}

func (r result) passed(test string) bool { return r.says("PASS", test) && !r.says("FAIL", test) }

// failed says whether a test has failed by what it found. One that hangs until its time is up has found nothing.
func (r result) failed(test string) bool {
	var exit *exec.ExitError
	return errors.As(r.err, &exit) && r.says("FAIL", test) && !strings.Contains(r.out, "panic: test timed out")
}

func (r result) says(word, test string) bool {
	return regexp.MustCompile(`(?m)^ *--- ` + word + `: ` + regexp.QuoteMeta(test) + ` \(`).MatchString(r.out)
}

// finding is the first thing that a test said it found.
func (r result) finding() string {
	return strings.TrimSpace(finding.FindString(r.out))
}

var finding = regexp.MustCompile(`(?m)^ +[a-z0-9_]+_test\.go:\d+: .*$`)

// about is what was said of a test; "" for everything, the end of it at least.
func (r result) about(test string) string {
	out := r.out
	if _, after, ok := strings.Cut(out, "FAIL: "+test); ok && test != "" {
		out = "FAIL: " + test + after
		return out[:min(len(out), 2000)]
	}
	return out[max(0, len(out)-2000):]
}
