package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"paylink/internal/demo"
	"paylink/internal/seal"
	"paylink/internal/sim/stripesim"
	"paylink/internal/sim/twiliosim"
)

const (
	stripeSecret      = "sk_test_storm_only_3f9a71c2"
	stripePublishable = "pk_test_storm_only"
	stripeWebhook     = "whsec_storm_only_81d0c4e7"
	twilioAccount     = "AC0000000000000000000000000057042a"
	twilioToken       = "stormonly5b1e88f0aa"
	ourNumber         = "+18045550100"
	masterName        = "town"
)

// town is everything that the storm rages over: two services on one Postgres and one Redis with a replica, and the suppliers.
type town struct {
	dir, root string
	seed      uint64
	keyText   string
	keys      seal.Keys

	postgres postgres
	sql      *sql.DB // straight to Postgres, past the proxy: what the storm itself asks the books
	redis    redisPair
	stripe   *stripesim.Server
	twilio   *twiliosim.Server
	stripeAt string // base address at which browsers find Stripe; the service goes through the proxy
	hits     *tally // what the suppliers' faults did, by name
	outside  outsiders

	proxies   map[string]*toxiproxy.Proxy // "postgres", "stripe", "twilio", "first", "second"
	instances [2]*instance
	balancer  *http.Transport
	base      string // public address of the service; the balancer leads it to one of the two

	closers []func() error
}

// outsiders is what somebody did at Stripe's dashboard, past us.
type outsiders struct {
	mu   sync.Mutex
	acts []outsideAct
}

type outsideAct struct {
	payment, intent, what string // "paid", "cancelled"
	at                    time.Time
	done                  bool
}

// paid are the PaymentIntents that were paid there: no attempt of ours stands behind their charges.
func (o *outsiders) paid() map[string]bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[string]bool{}
	for _, a := range o.acts {
		if a.what == "paid" && a.done {
			out[a.intent] = true
		}
	}
	return out
}

// tally counts by name.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func newTally() *tally { return &tally{n: map[string]int{}} }

func (t *tally) add(name string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n[name] += n
}

func (t *tally) all() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]int{}
	for k, v := range t.n {
		out[k] = v
	}
	return out
}

// need names everything that is missing here, at once.
func need() error {
	var missing []string
	for _, one := range [][2]string{{"redis-server", "redis-server"}, {"redis-sentinel", "redis-sentinel"}, {"sh", "dash"}} {
		if _, err := exec.LookPath(one[0]); err != nil {
			missing = append(missing, fmt.Sprintf("%s (Debian package %s)", one[0], one[1]))
		}
	}
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) == 0 {
		if _, err := exec.LookPath("initdb"); err != nil {
			missing = append(missing, "initdb (Debian package postgresql)")
		}
	}
	if len(missing) > 0 {
		return errors.New("this machine lacks " + strings.Join(missing, ", "))
	}
	return nil
}

// open starts everything. Whatever happens, close it.
func (w *town) open(ctx context.Context) error {
	raw := make([]byte, seal.KeyBytes)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	w.keyText, w.hits, w.proxies = hex.EncodeToString(raw), newTally(), map[string]*toxiproxy.Proxy{}
	var err error
	if w.keys, err = seal.New(raw); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(w.dir, "paylink"), "./cmd/paylink") // as the Dockerfile does
	build.Dir, build.Env = w.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build ./cmd/paylink: %w\n%s", err, out)
	}
	for _, step := range []func(context.Context) error{w.openPostgres, w.openRedis, w.openSuppliers, w.openServices} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close ends everything in the reverse order.
func (w *town) close() error {
	var problems []error
	for _, closer := range slices.Backward(w.closers) {
		problems = append(problems, closer())
	}
	return errors.Join(problems...)
}

// proxy puts a toxiproxy before an address and returns where it listens.
func (w *town) proxy(name, upstream string) (string, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, name, "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		return "", err
	}
	w.proxies[name] = p
	w.closers = append(w.closers, func() error { p.Stop(); return nil })
	p.Lock()
	defer p.Unlock()
	return p.Listen, nil
}

// --- Postgres -------------------------------------------------------------------------------------------------------------------------------

// postgres is a cluster of the storm's own, which it may stop as it likes.
type postgres struct {
	url, data, bin, port string
	through              string // URL by way of the proxy
}

// openPostgres has scripts/with-postgres.sh run a shell that tells the cluster's address and lives until its standard input ends; then the script cleans up.
// A cluster that PAYLINK_TEST_POSTGRES names is somebody else's too and is not taken.
func (w *town) openPostgres(ctx context.Context) error {
	cmd := exec.Command(filepath.Join(w.root, "scripts", "with-postgres.sh"), "sh", "-c", `echo "$PAYLINK_TEST_POSTGRES"; exec cat >/dev/null`)
	apart(cmd)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "PAYLINK_TEST_POSTGRES=") && !strings.HasPrefix(e, "TMPDIR=") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "TMPDIR="+w.dir)
	if os.Getuid() == 0 { // Postgres runs as another user, who must get through
		if err := os.Chmod(w.dir, 0o711); err != nil { // #nosec G302 -- its files stay private
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
	w.closers = append(w.closers, func() error {
		_ = stdin.Close() // this ends the cluster
		select {
		case <-p.ended:
			return p.err
		case <-time.After(30 * time.Second):
			return errors.New("the Postgres cluster did not stop within 30 s")
		}
	})
	if w.postgres.url, err = firstLine(ctx, out, time.Minute); err != nil {
		return fmt.Errorf("scripts/with-postgres.sh: %w %s", err, stderr.String())
	}
	if w.sql, err = sql.Open("pgx", w.postgres.url); err != nil {
		return err
	}
	w.sql.SetMaxOpenConns(4)
	w.closers = append(w.closers, w.sql.Close)
	// The script's cluster forgets what was committed a moment ago when it is killed. Ours keeps it: the kernel, which never dies here, has it.
	for _, s := range []string{"ALTER SYSTEM SET synchronous_commit = on", "ALTER SYSTEM SET full_page_writes = on", "SELECT pg_reload_conf()"} {
		if _, err := w.sql.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	if err := w.sql.QueryRowContext(ctx, `SELECT current_setting('data_directory'), current_setting('port'), (SELECT setting FROM pg_config WHERE name = 'BINDIR')`).
		Scan(&w.postgres.data, &w.postgres.port, &w.postgres.bin); err != nil {
		return err
	}
	through, err := w.proxy("postgres", "127.0.0.1:"+w.postgres.port)
	if err != nil {
		return err
	}
	address, err := url.Parse(w.postgres.url)
	if err != nil {
		return errors.New("PAYLINK_TEST_POSTGRES is no URL")
	}
	address.Host = through
	w.postgres.through = address.String()
	return nil
}

// control runs pg_ctl as the cluster's own user.
func (p postgres) control(ctx context.Context, args ...string) error {
	args = append([]string{filepath.Join(p.bin, "pg_ctl"), "-D", p.data, "-w"}, args...)
	if os.Getuid() == 0 {
		args = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_ctl: %w: %s", err, out)
	}
	return nil
}

// restart kills every process of the cluster at once and starts it again after a pause; it recovers from its log.
func (p postgres) restart(ctx context.Context, pause time.Duration) error {
	if err := p.control(ctx, "-m", "immediate", "stop"); err != nil {
		return err
	}
	time.Sleep(pause)
	return p.control(ctx, "-o", "-p "+p.port, "-l", filepath.Join(filepath.Dir(p.data), "server.log"), "-t", "60", "start")
}

// --- Redis ----------------------------------------------------------------------------------------------------------------------------------

// redisPair is a master, its replica and a sentinel that makes the replica the master when the master does not answer.
type redisPair struct {
	dir, password string
	ports         [2]string
	servers       [2]*process
	sentinelPort  string
	sentinel      *redis.SentinelClient
}

func (w *town) openRedis(ctx context.Context) error {
	r := &w.redis
	r.dir, r.password = w.dir, rand.Text()
	for i := range r.ports {
		var err error
		if r.ports[i], err = freePort(); err != nil {
			return err
		}
	}
	for i := range r.ports {
		text := fmt.Sprintf("bind 127.0.0.1\nport %s\ndir %s\nrequirepass %s\nmasterauth %s\nsave \"\"\nappendonly no\nloglevel warning\nrepl-diskless-sync yes\nrepl-diskless-sync-delay 0\n",
			r.ports[i], r.dir, r.password, r.password)
		if err := os.WriteFile(r.config(i), []byte(text), 0o600); err != nil { // a file, since arguments can be read by everyone on the machine
			return err
		}
		master := ""
		if i == 1 {
			master = r.ports[0]
		}
		if err := r.start(ctx, i, master); err != nil {
			return err
		}
	}
	w.closers = append(w.closers, func() error {
		for _, p := range r.servers {
			if p != nil {
				p.kill() // it holds nothing that anybody needs
			}
		}
		return nil
	})
	if err := until(ctx, 20*time.Second, 20*time.Millisecond, r.servers[1], func() bool { return r.linked(ctx, 1) }); err != nil {
		return fmt.Errorf("the Redis replica: %w", err)
	}
	var err error
	if r.sentinelPort, err = freePort(); err != nil {
		return err
	}
	file := filepath.Join(r.dir, "sentinel.conf")
	text := fmt.Sprintf("bind 127.0.0.1\nport %s\ndir %s\nloglevel warning\nsentinel monitor %s 127.0.0.1 %s 1\nsentinel auth-pass %s %s\nsentinel down-after-milliseconds %s 700\nsentinel failover-timeout %s 3000\n",
		r.sentinelPort, r.dir, masterName, r.ports[0], masterName, r.password, masterName, masterName)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return err
	}
	cmd := exec.Command("redis-sentinel", file)
	belongs(cmd)
	p, err := start(cmd)
	if err != nil {
		return err
	}
	r.sentinel = redis.NewSentinelClient(&redis.Options{Addr: "127.0.0.1:" + r.sentinelPort})
	w.closers = append(w.closers, func() error { _ = r.sentinel.Close(); p.kill(); return nil })
	if err := until(ctx, 20*time.Second, 20*time.Millisecond, p, func() bool {
		replicas, err := r.sentinel.Replicas(ctx, masterName).Result()
		return err == nil && len(replicas) == 1
	}); err != nil {
		return fmt.Errorf("redis-sentinel: %w", err)
	}
	return nil
}

func (r *redisPair) config(i int) string {
	return filepath.Join(r.dir, "redis"+strconv.Itoa(i)+".conf")
}

func (r *redisPair) url() string {
	return fmt.Sprintf("redis-sentinel://:%s@127.0.0.1:%s/0?master=%s", r.password, r.sentinelPort, masterName)
}

func (r *redisPair) client(i int) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + r.ports[i], Password: r.password, MaxRetries: -1, DialTimeout: time.Second, ReadTimeout: time.Second})
}

// start starts a server, as a replica if a master is named, and waits until it answers.
func (r *redisPair) start(ctx context.Context, i int, master string) error {
	args := []string{r.config(i)}
	if master != "" {
		args = append(args, "--replicaof", "127.0.0.1", master)
	}
	cmd := exec.Command("redis-server", args...)
	belongs(cmd)
	var err error
	if r.servers[i], err = start(cmd); err != nil {
		return err
	}
	client := r.client(i)
	defer func() { _ = client.Close() }()
	if err := until(ctx, 20*time.Second, 10*time.Millisecond, r.servers[i], func() bool { return client.Ping(ctx).Err() == nil }); err != nil {
		return fmt.Errorf("redis-server: %w", err)
	}
	return nil
}

// linked says whether a server is a replica that is in step with its master.
func (r *redisPair) linked(ctx context.Context, i int) bool {
	client := r.client(i)
	defer func() { _ = client.Close() }()
	said, err := client.Info(ctx, "replication").Result()
	return err == nil && strings.Contains(said, "role:slave") && strings.Contains(said, "master_link_status:up")
}

// master is the server that the sentinel names now.
func (r *redisPair) master(ctx context.Context) (int, error) {
	at, err := r.sentinel.GetMasterAddrByName(ctx, masterName).Result()
	if err != nil {
		return 0, err
	}
	i := slices.Index(r.ports[:], at[1])
	if i < 0 {
		return 0, errors.New("the sentinel names a master that is none of ours")
	}
	return i, nil
}

// --- The suppliers ----------------------------------------------------------------------------------------------------------------------------

func (w *town) openSuppliers(context.Context) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	w.base = "http://127.0.0.1:" + port // nobody listens there: the balancer's dialer leads it to one of the two
	var dialer net.Dialer
	w.balancer = &http.Transport{
		MaxIdleConnsPerHost: 64, IdleConnTimeout: 5 * time.Second,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			names := []string{"first", "second"}
			at := mathrand.IntN(2) // #nosec G404 -- which of the two
			if !w.instances[at].isHealthy() && w.instances[1-at].isHealthy() {
				at = 1 - at
			}
			p := w.proxies[names[at]]
			p.Lock()
			address := p.Listen
			p.Unlock()
			return dialer.DialContext(ctx, network, address)
		},
	}
	client := &http.Client{Transport: w.balancer, Timeout: 10 * time.Second}
	w.stripe = stripesim.New(stripesim.Config{
		Now: time.Now, Seed: w.seed, SecretKey: stripeSecret, PublishableKey: stripePublishable, WebhookSecret: stripeWebhook, WebhookURL: w.base + "/hooks/stripe",
		Accounts: []string{demo.TampaAccount}, Client: client,
	})
	w.twilio = twiliosim.New(twiliosim.Config{
		Now: time.Now, Seed: w.seed, AccountSID: twilioAccount, AuthToken: twilioToken, From: ourNumber, InboundURL: w.base + "/hooks/twilio/reply", Client: client,
	})
	w.closers = append(w.closers, func() error { w.stripe.Close(); w.twilio.Close(); return nil })
	for _, one := range []struct {
		name    string
		handler http.Handler
		at      *string
	}{{"stripe", w.stripe.Handler(), &w.stripeAt}, {"twilio", w.twilio.Handler(), new(string)}} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		*one.at = "http://" + listener.Addr().String()
		server := &http.Server{Handler: w.hits.counted(one.name, one.handler), ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = server.Serve(listener) }() // its end is the storm's doing
		w.closers = append(w.closers, server.Close)
		if _, err := w.proxy(one.name, listener.Addr().String()); err != nil {
			return err
		}
	}
	return nil
}

// counted counts what a supplier answers other than it should: by status, and the requests that it never answers.
func (t *tally) counted(name string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &seenStatus{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			p := recover()
			switch {
			case p != nil:
				t.add(name+": never answered", 1)
				panic(p)
			case seen.status == http.StatusConflict || seen.status == http.StatusTooManyRequests || seen.status >= http.StatusInternalServerError:
				t.add(fmt.Sprintf("%s: answered %d", name, seen.status), 1)
			}
		}()
		h.ServeHTTP(seen, r)
	})
}

type seenStatus struct {
	http.ResponseWriter
	status int
}

func (s *seenStatus) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (s *seenStatus) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// --- The services -----------------------------------------------------------------------------------------------------------------------------

func (w *town) listen(name string) string {
	p := w.proxies[name]
	p.Lock()
	defer p.Unlock()
	return p.Listen
}

// paylink is a command of the service's with all its settings but the address.
func (w *town) paylink(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(w.dir, "paylink"), args...)
	belongs(cmd)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "TMPDIR=" + w.dir,
		"PAYLINK_URL=" + w.base, "PAYLINK_BRAND=Interlane", "PAYLINK_SUPPORT_PHONE=" + ourNumber, "PAYLINK_KEYS=" + w.keyText, "PAYLINK_LINK_LIFE=" + linkLife.String(),
		"PAYLINK_TRUSTED_PROXIES=127.0.0.0/8", "DATABASE_URL=" + w.postgres.through, "REDIS_URL=" + w.redis.url(),
		"STRIPE_SECRET_KEY=" + stripeSecret, "STRIPE_PUBLISHABLE_KEY=" + stripePublishable, "STRIPE_WEBHOOK_SECRET=" + stripeWebhook, "STRIPE_API_URL=http://" + w.listen("stripe"),
		"STRIPE_JS_URL=" + w.stripeAt + "/v3/", "TWILIO_ACCOUNT_SID=" + twilioAccount, "TWILIO_AUTH_TOKEN=" + twilioToken, "TWILIO_FROM=" + ourNumber,
		"TWILIO_API_URL=http://" + w.listen("twilio"),
	}
	return cmd
}

// linkLife is the shortest that the service takes: the longer storms see links end.
const linkLife = 2 * time.Minute

func (w *town) openServices(ctx context.Context) error {
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.closers = append(w.closers, func() error { stop(); return nil })
	for n, name := range []string{"first", "second"} {
		port, err := freePort()
		if err != nil {
			return err
		}
		addr := "127.0.0.1:" + port
		i := &instance{name: name, addr: addr, log: filepath.Join(w.dir, name+".log"), command: func() *exec.Cmd {
			cmd := w.paylink(context.WithoutCancel(ctx), "serve")
			cmd.Env = append(cmd.Env, "PAYLINK_ADDR="+addr)
			return cmd
		}}
		w.instances[n] = i
		if _, err := w.proxy(name, addr); err != nil {
			return err
		}
		if err := i.launch(); err != nil {
			return err
		}
		w.closers = append(w.closers, func() error { return i.end(70 * time.Second) })
	}
	for _, i := range w.instances {
		go i.watch(watching)
	}
	if err := until(ctx, 30*time.Second, 20*time.Millisecond, nil, func() bool { return w.instances[0].isHealthy() && w.instances[1].isHealthy() }); err != nil {
		said, _ := os.ReadFile(w.instances[0].log)
		return fmt.Errorf("paylink serve: %w: %.2000s", err, said)
	}
	return nil
}
