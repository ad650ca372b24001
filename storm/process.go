package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is a program that the storm started. It is signalled by its id and no other way.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // how it ended
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
		p.kill()
		return fmt.Errorf("%s did not stop within %s and was killed", filepath.Base(p.cmd.Path), within)
	}
}

// kill is SIGKILL, which a stopped process obeys too.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may end at this moment
	<-p.ended
}

// until waits for a condition, and no longer than the process that has to bring it about lives; nil: there is none.
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

// instance is one of the two `paylink serve`. Whenever it dies it is started again, as a supervisor would.
type instance struct {
	name, addr, log string
	command         func() *exec.Cmd

	mu       sync.Mutex
	running  *process
	restarts int
	held     chan struct{} // while not nil nobody starts it
	down     bool          // for good
	healthy  bool          // as the balancer sees it
	watching sync.WaitGroup
}

// launch starts it, and has it started again and again until it is stopped for good.
func (i *instance) launch() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	log, err := os.OpenFile(i.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own
	cmd := i.command()
	cmd.Stdout, cmd.Stderr = log, log
	p, err := start(cmd)
	if err != nil {
		return err
	}
	i.running = p
	i.watching.Go(func() {
		<-p.ended
		i.mu.Lock()
		held := i.held
		i.mu.Unlock()
		if held != nil {
			<-held
		} else {
			time.Sleep(300 * time.Millisecond) // it could not start, or died by itself: the supervisor's pause
		}
		i.mu.Lock()
		down := i.down
		i.restarts++
		i.mu.Unlock()
		if !down {
			_ = i.launch() // the program was started before; if it can't be now, the storm never settles and says so
		}
	})
	return nil
}

// kill is kill -9; nobody starts it again before the pause is over.
func (i *instance) kill(pause time.Duration) {
	held := make(chan struct{})
	i.mu.Lock()
	i.held = held
	p := i.running
	i.mu.Unlock()
	p.kill()
	time.Sleep(pause)
	i.mu.Lock()
	i.held = nil
	i.mu.Unlock()
	close(held)
}

func (i *instance) signal(s syscall.Signal) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.running.cmd.Process.Signal(s)
}

// end stops it for good, gracefully: that it says no error on its way out is part of what is proven.
func (i *instance) end(within time.Duration) error {
	i.mu.Lock()
	if i.down || i.running == nil {
		i.mu.Unlock()
		return nil
	}
	i.down = true
	p := i.running
	i.mu.Unlock()
	_ = p.cmd.Process.Signal(syscall.SIGCONT)
	err := p.stop(syscall.SIGTERM, within)
	i.watching.Wait()
	return err
}

func (i *instance) isHealthy() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.healthy
}

// watch asks it how it is, as a balancer does, until the context ends.
func (i *instance) watch(ctx context.Context) {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for ctx.Err() == nil {
		ok := false
		if r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+i.addr+"/healthz", nil); err == nil {
			if answer, err := client.Do(r); err == nil {
				_ = answer.Body.Close()
				ok = answer.StatusCode == http.StatusOK
			}
		}
		i.mu.Lock()
		i.healthy = ok
		i.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
	}
}
