package redisdb_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"paylink/internal/link"
	"paylink/internal/redisdb"
	"paylink/internal/testbed"
)

// admitsLooksAndShuts is all that a door does, once.
func admitsLooksAndShuts(t *testing.T, address string) {
	t.Helper()
	c := newClock()
	carries(t, another(t, address), another(t, address))
	door, err := redisdb.Open(t.Context(), redisdb.Config{URL: address, Now: c.now, LooksPerMinute: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = door.Close() }()
	for n := range 20 { // in a cluster these lie in many slots
		d := digest(n)
		if err := door.Admit(t.Context(), d, link.Pass{LinkID: "l", PaymentID: "p", ExpiresAt: c.now().Add(link.Life)}); err != nil {
			t.Fatal(err)
		}
		if err := door.MarkOpened(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if p, err := door.Look(t.Context(), d, fmt.Sprint(n)); err != nil || !p.Opened {
			t.Fatal(p, err)
		}
		if err := door.Shut(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADoorBehindSentinels(t *testing.T) {
	master, err := url.Parse(testbed.Redis(t))
	if err != nil {
		t.Fatal("the testbed's URL can't be read")
	}
	password, _ := master.User.Password()
	sentinel := process(t, func(port int) string {
		return fmt.Sprintf("port %d\nsentinel monitor town %s %s 1\nsentinel auth-pass town %s\nrequirepass watch\n", port, master.Hostname(), master.Port(), password)
	}, "watch", "--sentinel")
	address := fmt.Sprintf("redis-sentinel://:%s@%s/0?master=town&sentinel_password=watch", password, sentinel)
	admitsLooksAndShuts(t, address)
	admitsLooksAndShuts(t, address+"&addr="+sentinel)
}

func TestADoorOnACluster(t *testing.T) {
	node := process(t, func(port int) string {
		return fmt.Sprintf("port %d\ncluster-enabled yes\nsave \"\"\nrequirepass secret\n", port)
	}, "secret")
	raw := redis.NewClient(&redis.Options{Addr: node, Password: "secret"})
	defer func() { _ = raw.Close() }()
	if err := raw.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t}
	b.until("the cluster is ready", func() bool {
		return strings.Contains(raw.ClusterInfo(t.Context()).Val(), "cluster_state:ok")
	})
	admitsLooksAndShuts(t, "redis-cluster://:secret@"+node)
}

// process runs redis-server in a form that the testbed does not have, and returns where it listens.
func process(t *testing.T, config func(port int) string, password string, args ...string) (address string) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		testbed.Redis(t) // says what is missing
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	if port > 55_535 {
		port -= 20_000 // a cluster's nodes also talk on the port 10,000 above
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(file, []byte("bind 127.0.0.1\ndir "+dir+"\n"+config(port)), 0o600); err != nil {
		t.Fatal(err)
	}
	server := exec.Command(program, append([]string{file}, args...)...)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	address = fmt.Sprintf("127.0.0.1:%d", port)
	raw := redis.NewClient(&redis.Options{Addr: address, Password: password})
	defer func() { _ = raw.Close() }()
	b := &bench{t: t}
	b.until("redis-server answers", func() bool { return raw.Ping(t.Context()).Err() == nil })
	return address
}
