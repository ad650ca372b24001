package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"paylink/internal/seal"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
)

const (
	stripeSecret      = "sk_test_bench_only"
	stripePublishable = "pk_test_bench_only"
	stripeWebhook     = "whsec_bench_only"
	twilioAccount     = "AC00000000000000000000000000000be4"
	twilioToken       = "benchonly"
	ourNumber         = "+18045550100"
	linkLife          = time.Hour // the longest that the service takes, so that no link ends in a run
)

// lab is everything that the service needs, and the service.
type lab struct {
	dir       string
	cores     []string // the service's, and everything else's; nil: this machine has only one
	admin     string   // URL of the cluster
	ownsAdmin bool     // the cluster is the bench's own
	database  string   // URL of the bench's database in it
	redisURL  string
	redis     *redis.Client
	sql       *pgx.Conn
	keyText   string
	keys      seal.Keys
	suppliers string // base address
	texts     texts
	addr      string // of the service
	service   *process
	closers   []func() error
}

// process is a program that the bench started. It is ended by its id and no other way.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
}

func start(cmd *exec.Cmd) (*process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop asks the process to end, waits, and kills it if it does not.
func (p *process) stop(with syscall.Signal, within time.Duration) error {
	_ = p.cmd.Process.Signal(with) // it may have ended by itself
	select {
	case <-p.ended:
		return p.err
	case <-time.After(within):
		_ = p.cmd.Process.Kill() // it may end at this moment
		<-p.ended
		return fmt.Errorf("%s did not stop within %s and was killed", filepath.Base(p.cmd.Path), within)
	}
}

// need names everything that is missing here, at once.
func need() error {
	var missing []string
	for _, one := range [][2]string{{"wrk", "wrk"}, {"redis-server", "redis-server"}, {"taskset", "util-linux"}, {"sh", "dash"}} {
		if _, err := exec.LookPath(one[0]); err != nil {
			missing = append(missing, fmt.Sprintf("%s (Debian package %s)", one[0], one[1]))
		}
	}
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) == 0 && os.Getenv("PAYLINK_TEST_POSTGRES") == "" {
		if _, err := exec.LookPath("initdb"); err != nil {
			missing = append(missing, "initdb (Debian package postgresql)")
		}
	}
	if len(missing) > 0 {
		return errors.New("this machine lacks " + strings.Join(missing, ", "))
	}
	if _, err := os.Stat("scripts/with-postgres.sh"); err != nil {
		return errors.New("start it at the top of the repository: go run ./bench")
	}
	return manyFiles()
}

// open builds the programs and starts everything but the service. Whatever happens, close it.
func (l *lab) open(ctx context.Context) error {
	said("building paylink and paysim")
	for _, command := range []string{"paylink", "paysim"} { // as the Dockerfile does
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(l.dir, command), "./cmd/"+command)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go build ./cmd/%s: %w\n%s", command, err, out)
		}
	}
	said("starting Postgres, Redis and the suppliers")
	raw := make([]byte, seal.KeyBytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	l.keyText = hex.EncodeToString(raw)
	var err error
	if l.keys, err = seal.New(raw); err != nil {
		return err
	}
	if err := l.chooseCores(); err != nil {
		return err
	}
	if err := l.openPostgres(ctx); err != nil {
		return err
	}
	if err := l.openRedis(ctx); err != nil {
		return err
	}
	return l.openSuppliers()
}

// close ends everything in the reverse order.
func (l *lab) close() error {
	var problems []error
	if l.service != nil {
		problems = append(problems, l.stopService())
	}
	for i := len(l.closers) - 1; i >= 0; i-- {
		problems = append(problems, l.closers[i]())
	}
	return errors.Join(problems...)
}

// chooseCores takes the first two cores that this process may use.
func (l *lab) chooseCores() error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		list, ok := strings.CutPrefix(line, "Cpus_allowed_list:")
		if !ok {
			continue
		}
		for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
			first, last, ranged := strings.Cut(part, "-")
			if !ranged {
				last = first
			}
			from, _ := strconv.Atoi(first) // the kernel's own numbers
			to, _ := strconv.Atoi(last)
			for n := from; n <= to && len(l.cores) < 2; n++ {
				l.cores = append(l.cores, strconv.Itoa(n))
			}
		}
	}
	if len(l.cores) < 2 {
		l.cores = nil
		said("only one core here: the service shares it with everything else, and the ratios say little")
	}
	return nil
}

// standAside moves this process, with the suppliers in it and all that it starts from now on but the measured, to the second core.
func (l *lab) standAside() error {
	if l.cores == nil {
		return nil
	}
	if out, err := exec.Command("taskset", "-a", "-c", "-p", l.cores[1], strconv.Itoa(os.Getpid())).CombinedOutput(); err != nil {
		return fmt.Errorf("taskset: %w: %s", err, out)
	}
	runtime.GOMAXPROCS(1)
	return nil
}

// on is a command on the service's core, 0, or on everything else's, 1.
func (l *lab) on(core int, program string, args ...string) *exec.Cmd {
	if l.cores == nil {
		return exec.Command(program, args...)
	}
	return exec.Command("taskset", append([]string{"-c", l.cores[core], program}, args...)...) // it becomes the program: the id is the program's
}

// measured is a command on the service's core with next to no environment.
func (l *lab) measured(program string, args ...string) *exec.Cmd {
	cmd := l.on(0, program, args...)
	belongs(cmd)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + l.dir}
	return cmd
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = listener.Close() }()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), nil
}

// firstLine waits for the first line of a process's output, and lets the rest flow away.
func firstLine(ctx context.Context, out io.Reader, within time.Duration) (string, error) {
	lines := make(chan string, 1)
	go func() {
		r := bufio.NewReader(out)
		line, _ := r.ReadString('\n')
		lines <- strings.TrimSpace(line)
		_, _ = io.Copy(io.Discard, r)
	}()
	select {
	case line := <-lines:
		if line == "" {
			return "", errors.New("it ended without a word")
		}
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(within):
		return "", fmt.Errorf("it said nothing within %s", within)
	}
}

// openPostgres has scripts/with-postgres.sh run a shell that tells the cluster's address and lives until its standard input ends; then the script cleans up.
func (l *lab) openPostgres(ctx context.Context) error {
	l.ownsAdmin = os.Getenv("PAYLINK_TEST_POSTGRES") == ""
	cmd := l.on(1, "scripts/with-postgres.sh", "sh", "-c", `echo "$PAYLINK_TEST_POSTGRES"; exec cat >/dev/null`)
	apart(cmd)
	cmd.Env = append(os.Environ(), "TMPDIR="+l.dir)
	if os.Getuid() == 0 { // Postgres runs as another user, who must get through
		if err := os.Chmod(l.dir, 0o711); err != nil { // #nosec G302 -- its files stay private
			return err
		}
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, write, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stdout = write
	p, err := start(cmd)
	if err != nil {
		return err
	}
	_ = write.Close()
	l.closers = append(l.closers, func() error {
		_ = stdin.Close() // this ends the cluster
		select {
		case <-p.ended:
			return p.err
		case <-time.After(30 * time.Second):
			return errors.New("the Postgres cluster did not stop within 30 s")
		}
	})
	if l.admin, err = firstLine(ctx, out, time.Minute); err != nil {
		return fmt.Errorf("scripts/with-postgres.sh: %w %s", err, stderr.String())
	}
	address, err := url.Parse(l.admin)
	if err != nil {
		return errors.New("PAYLINK_TEST_POSTGRES is no URL")
	}
	admin, err := pgx.Connect(ctx, l.admin)
	if err != nil {
		return errors.New("the Postgres cluster does not answer")
	}
	name := "paylink_bench_" + strings.ToLower(rand.Text())
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return errors.Join(err, admin.Close(ctx))
	}
	l.closers = append(l.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		var sqlErr error
		if l.sql != nil {
			sqlErr = l.sql.Close(ctx)
		}
		_, err := admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		return errors.Join(sqlErr, err, admin.Close(ctx))
	})
	address.Path = "/" + name
	l.database = address.String()
	l.sql, err = pgx.Connect(ctx, l.database)
	return err
}

// durable gives the throw-away cluster, which forgets everything in a crash while it is filled, the durability that a real one has. Autovacuum would come by
// at random in some runs and not in others: the tables are vacuumed now instead.
func (l *lab) durable(ctx context.Context) error {
	statements := []string{"VACUUM (ANALYZE)"}
	if l.ownsAdmin {
		statements = append(statements, "ALTER SYSTEM SET fsync = on", "ALTER SYSTEM SET synchronous_commit = on", "ALTER SYSTEM SET full_page_writes = on",
			"ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()", "CHECKPOINT")
	}
	for _, s := range statements {
		if _, err := l.sql.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// fast undoes durable while a million rows are made.
func (l *lab) fast(ctx context.Context) error {
	if !l.ownsAdmin {
		return nil
	}
	for _, s := range []string{"ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET synchronous_commit = off", "ALTER SYSTEM SET full_page_writes = off", "ALTER SYSTEM SET max_wal_size = '8GB'",
		"SELECT pg_reload_conf()"} {
		if _, err := l.sql.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func (l *lab) openRedis(ctx context.Context) error {
	password := rand.Text()
	var err error
	for range 5 { // a port found free may be taken before the server has it
		var port string
		if port, err = freePort(); err != nil {
			return err
		}
		config := filepath.Join(l.dir, "redis.conf") // a file, since arguments can be read by everyone on the machine
		text := fmt.Sprintf("bind 127.0.0.1\nport %s\ndir %s\nrequirepass %s\nsave \"\"\nappendonly no\nloglevel warning\nmaxclients 4000\n", port, l.dir, password)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			return err
		}
		cmd := l.on(1, "redis-server", config)
		belongs(cmd)
		var p *process
		if p, err = start(cmd); err != nil {
			return err
		}
		l.redisURL = fmt.Sprintf("redis://:%s@127.0.0.1:%s/0", password, port)
		options, parseErr := redis.ParseURL(l.redisURL)
		if parseErr != nil {
			return parseErr
		}
		l.redis = redis.NewClient(options)
		err = until(ctx, 10*time.Second, 5*time.Millisecond, p, func() bool { return l.redis.Ping(ctx).Err() == nil })
		l.closers = append(l.closers, func() error { _ = l.redis.Close(); return p.stop(syscall.SIGTERM, 10*time.Second) })
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("redis-server: %w", err)
}

// until waits for a condition, and not longer than the process that has to bring it about lives.
func until(ctx context.Context, within, every time.Duration, p *process, met func() bool) error {
	var ended chan struct{}
	if p != nil {
		ended = p.ended
	}
	deadline := time.After(within)
	for !met() {
		select {
		case <-ended:
			return errors.New("it ended too early")
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			return fmt.Errorf("it was not so within %s", within)
		case <-time.After(every):
		}
	}
	return nil
}

// texts hands the texts for a number to whoever waits for them.
type texts struct {
	mu   sync.Mutex
	want map[string]chan string
}

// await takes the next text to a number. Only one may wait at a number.
func (t *texts) await(number string) (<-chan string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.want[number] != nil {
		return nil, errors.New("two wait for a text at one number")
	}
	c := make(chan string, 1)
	t.want[number] = c
	return c, nil
}

func (t *texts) arrived(number, body string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.want[number]; c != nil {
		delete(t.want, number)
		c <- body
	}
}

// openSuppliers runs simulated Stripe and Twilio in this process. They answer at once.
func (l *lab) openSuppliers() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	l.addr, l.suppliers = "127.0.0.1:"+port, "http://"+listener.Addr().String()
	l.texts.want = map[string]chan string{}
	stripe := stripesim.New(stripesim.Config{
		Now: time.Now, Seed: 1, SecretKey: stripeSecret, PublishableKey: stripePublishable, WebhookSecret: stripeWebhook, WebhookURL: l.base() + "/hooks/stripe", Client: browser(16),
	})
	twilio := twiliosim.New(twiliosim.Config{Now: time.Now, Seed: 1, AccountSID: twilioAccount, AuthToken: twilioToken, From: ourNumber, Client: browser(16)})
	twilio.SetFaults(twiliosim.Faults{DelayMS: 1})
	routes := http.NewServeMux()
	routes.Handle("/", stripe.Handler())
	routes.Handle("/v2/PhoneNumbers/", twilio.Handler())
	routes.HandleFunc("/2010-04-01/", func(w http.ResponseWriter, r *http.Request) {
		twilio.Handler().ServeHTTP(w, r)
		if r.Method == http.MethodPost {
			l.texts.arrived(r.PostForm.Get("To"), r.PostForm.Get("Body"))
		}
	})
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // its end is the bench's doing
	l.closers = append(l.closers, func() error { stripe.Close(); twilio.Close(); return server.Close() })
	return nil
}

func (l *lab) base() string { return "http://" + l.addr }

func (l *lab) settings() []string {
	return []string{
		"PAYLINK_ADDR=" + l.addr, "PAYLINK_URL=" + l.base(), "PAYLINK_BRAND=Interlane", "PAYLINK_SUPPORT_PHONE=" + ourNumber, "PAYLINK_KEYS=" + l.keyText, "PAYLINK_LINK_LIFE=" + linkLife.String(),
		"PAYLINK_TRUSTED_PROXIES=127.0.0.0/8", "DATABASE_URL=" + l.database, "REDIS_URL=" + l.redisURL,
		"STRIPE_SECRET_KEY=" + stripeSecret, "STRIPE_PUBLISHABLE_KEY=" + stripePublishable, "STRIPE_WEBHOOK_SECRET=" + stripeWebhook, "STRIPE_API_URL=" + l.suppliers,
		"STRIPE_JS_URL=" + l.suppliers + "/v3/", "TWILIO_ACCOUNT_SID=" + twilioAccount, "TWILIO_AUTH_TOKEN=" + twilioToken, "TWILIO_FROM=" + ourNumber, "TWILIO_API_URL=" + l.suppliers,
	}
}

// command runs a subcommand of paylink to its end.
func (l *lab) command(ctx context.Context, stdin string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(l.dir, "paylink"), args...)
	belongs(cmd)
	cmd.Env, cmd.Stdin = append(l.settings(), "PATH="+os.Getenv("PATH")), strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("paylink %s: %w: %s", args[0], err, lastLines(out))
	}
	return nil
}

func (l *lab) logFile() string { return filepath.Join(l.dir, "service.log") }

// startService starts paylink serve on its core, and says how long it took until it was ready.
func (l *lab) startService(ctx context.Context) (time.Duration, error) {
	log, err := os.OpenFile(l.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { _ = log.Close() }() // the service has its own
	cmd := l.measured(filepath.Join(l.dir, "paylink"), "serve")
	cmd.Env, cmd.Stdout, cmd.Stderr = append(cmd.Env, l.settings()...), log, log
	began := time.Now()
	if l.service, err = start(cmd); err != nil {
		return 0, err
	}
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	err = until(ctx, 20*time.Second, 2*time.Millisecond, l.service, func() bool {
		answer, err := client.Get(l.base() + "/readyz")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	if err != nil {
		said, _ := os.ReadFile(l.logFile())
		return 0, fmt.Errorf("paylink serve: %w: %s", err, lastLines(said))
	}
	return time.Since(began), nil
}

func (l *lab) stopService() error {
	p := l.service
	l.service = nil
	if err := p.stop(syscall.SIGTERM, 70*time.Second); err != nil {
		return fmt.Errorf("paylink serve: %w", err)
	}
	return nil
}

// startBare starts the yardstick on the service's core and returns its base address.
func (l *lab) startBare(ctx context.Context, page []byte) (string, error) {
	file := filepath.Join(l.dir, "page.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		return "", err
	}
	for i := range bareKeys {
		if err := l.redis.Set(ctx, fmt.Sprintf("bare:%d", i), strings.Repeat("v", 100), linkLife).Err(); err != nil {
			return "", err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := l.measured(self, bareRole)
	cmd.Env = append(cmd.Env, bareRedis+"="+l.redisURL, bareDatabase+"="+l.database, barePage+"="+file)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	out, write, err := os.Pipe()
	if err != nil {
		return "", err
	}
	cmd.Stdout, cmd.Stderr = write, os.Stderr
	p, err := start(cmd)
	if err != nil {
		return "", err
	}
	_ = write.Close()
	l.closers = append(l.closers, func() error {
		_ = stdin.Close() // this ends it
		return p.stop(syscall.Signal(0), 10*time.Second)
	})
	addr, err := firstLine(ctx, out, 10*time.Second)
	if err != nil {
		return "", fmt.Errorf("the bare process: %w", err)
	}
	return "http://" + addr, nil
}
