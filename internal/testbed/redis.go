package testbed

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startWithin is how long a server may take to answer before the test fails.
const startWithin = 15 * time.Second

// RedisProcess is a redis-server that belongs to one test, listening on 127.0.0.1 with a password of its own and writing nothing to disk
// unless told to (SAVE). Its methods may be called from one goroutine at a time.
type RedisProcess struct {
	t        testing.TB
	program  string
	dir      string
	port     int
	password string
	server   *exec.Cmd     // nil while stopped
	exited   chan struct{} // closed when server has ended
}

// Redis returns the URL of an empty redis-server that ends with the test.
func Redis(t testing.TB) (url string) {
	t.Helper()
	return RedisServer(t).URL()
}

// RedisServer starts an empty redis-server for tests that stop, pause and restart it; it ends with the test.
func RedisServer(t testing.TB) *RedisProcess {
	t.Helper()
	p := &RedisProcess{t: t, program: lookPath(t, "redis-server", "redis-server"), dir: t.TempDir(), password: rand.Text()}
	t.Cleanup(func() {
		if p.server != nil {
			p.Stop()
		}
	})
	// A port found free may be taken before the server listens on it: try another then.
	var err error
	for range 5 {
		p.port = freePort(t)
		if err = p.start(); err == nil {
			return p
		}
	}
	t.Fatal(err)
	return nil
}

// URL is redis://:PASSWORD@127.0.0.1:PORT/0, the same through every restart.
func (p *RedisProcess) URL() string {
	return fmt.Sprintf("redis://:%s@127.0.0.1:%d/0", p.password, p.port)
}

// Stop kills the server as a power cut would: connections are refused from now on, and what was not saved is gone.
func (p *RedisProcess) Stop() {
	p.t.Helper()
	if p.server == nil {
		p.t.Fatal("testbed: this Redis is stopped already")
	}
	_ = p.server.Process.Kill()
	<-p.exited
	p.server = nil
}

// Restart stops the server, if it runs, and starts it again on the same port with the data of the last SAVE, or none.
func (p *RedisProcess) Restart() {
	p.t.Helper()
	if p.server != nil {
		p.Stop()
	}
	if err := p.start(); err != nil {
		p.t.Fatal(err)
	}
}

// Pause makes the server hang: connections are accepted by the kernel and nothing answers, until Resume.
func (p *RedisProcess) Pause() { p.t.Helper(); p.signal(syscall.SIGSTOP) }

// Resume ends a Pause. Time went on meanwhile: keys may have expired.
func (p *RedisProcess) Resume() { p.t.Helper(); p.signal(syscall.SIGCONT) }

func (p *RedisProcess) signal(s syscall.Signal) {
	p.t.Helper()
	if p.server == nil {
		p.t.Fatal("testbed: this Redis is stopped")
	}
	if err := p.server.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// start runs the server and waits until it answers; the password proves that it is ours that answers.
func (p *RedisProcess) start() error {
	config := filepath.Join(p.dir, "redis.conf") // a file, since arguments can be read by everyone on the machine
	text := fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\nrequirepass %s\nsave \"\"\nappendonly no\nloglevel warning\n", p.port, p.dir, p.password)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	output := &strings.Builder{}
	server := exec.Command(p.program, config) // #nosec G204 -- redis-server as found on the PATH
	server.Stdout, server.Stderr = output, output
	endWithParent(server)
	if err := server.Start(); err != nil {
		return err
	}
	p.server, p.exited = server, make(chan struct{})
	go func(exited chan struct{}) {
		_ = server.Wait() // "signal: killed" is what was asked for
		close(exited)
	}(p.exited)
	deadline := time.After(startWithin)
	for {
		if ping(p.port, p.password) == nil {
			return nil
		}
		select {
		case <-p.exited:
			p.server = nil
			return fmt.Errorf("testbed: redis-server ended at once: %s", output)
		case <-deadline:
			p.Stop()
			return errors.New("testbed: redis-server does not answer")
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// ping logs in and asks for a PONG.
func ping(port int, password string) error {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\n", password); err != nil {
		return err
	}
	replies := bufio.NewScanner(conn)
	for _, want := range []string{"+OK", "+PONG"} {
		if !replies.Scan() || replies.Text() != want {
			return errors.New("testbed: another program answers on this port, or Redis is still loading")
		}
	}
	return nil
}

// freePort is a port on which nothing listens at this moment.
func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}
