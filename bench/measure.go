package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/uuid"

	"paylink/internal/link"
	"paylink/internal/redisdb"
)

// manyLinks is how many links the memory of one is learnt from.
const manyLinks = 10_000

// linkMemory is what a live link takes of Redis, in bytes: the growth of used_memory over many links, the table's and the expiry's share included.
func (l *lab) linkMemory(ctx context.Context) (perLink float64, ofKey int64, err error) {
	door, err := redisdb.Open(ctx, redisdb.Config{URL: l.redisURL, Now: time.Now, LooksPerMinute: 60})
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = door.Close() }()
	digests := make([]link.Digest, manyLinks)
	newID := func() string { return uuid.Must(uuid.NewV7()).String() }
	ends := time.Now().Add(linkLife)
	before, err := l.usedMemory(ctx)
	if err != nil {
		return 0, 0, err
	}
	for i := range digests {
		digests[i] = link.NewToken(rand.Text()).Digest()
		if err := door.Admit(ctx, digests[i], link.Pass{LinkID: newID(), PaymentID: newID(), ExpiresAt: ends}); err != nil {
			return 0, 0, err
		}
	}
	after, err := l.usedMemory(ctx)
	if err != nil {
		return 0, 0, err
	}
	keys, err := l.redis.Keys(ctx, "*"+string(digests[0])).Result()
	if err != nil || len(keys) != 1 {
		return 0, 0, errors.Join(err, errors.New("the first of many links is not in Redis"))
	}
	if ofKey, err = l.redis.MemoryUsage(ctx, keys[0]).Result(); err != nil {
		return 0, 0, err
	}
	for _, d := range digests {
		if err := door.Shut(ctx, d); err != nil {
			return 0, 0, err
		}
	}
	return float64(after-before) / manyLinks, ofKey, nil
}

func (l *lab) usedMemory(ctx context.Context) (int64, error) {
	info, err := l.redis.Info(ctx, "memory").Result()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(info) {
		if text, ok := strings.CutPrefix(line, "used_memory:"); ok {
			return strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		}
	}
	return 0, errors.New("no word of its memory from Redis")
}

// resident is a process's resident memory in bytes.
func resident(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the kernel does not tell the service's memory")
}

// crowd has 1,000 payers open and look at once, each on a connection of their own, and returns the most memory that the service took, and how it did.
func (l *lab) crowd(ctx context.Context, r *replay, d time.Duration) (most int64, got sample, err error) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		got, err = r.try(ctx, l.base(), "crowd", atOnce, d)
	}()
	for {
		now, residentErr := resident(l.service.cmd.Process.Pid)
		if residentErr != nil {
			<-ended
			return 0, got, errors.Join(err, residentErr)
		}
		most = max(most, now)
		select {
		case <-ended:
			return most, got, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// startPaysim starts the whole town, and says how long it took until it was ready.
func (l *lab) startPaysim(ctx context.Context) (time.Duration, error) {
	var ports [2]string
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return 0, err
		}
	}
	cmd := l.measured(filepath.Join(l.dir, "paysim"), "-addr", "127.0.0.1:"+ports[0], "-sim-addr", "127.0.0.1:"+ports[1])
	out, write, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	cmd.Stdout = write
	began := time.Now()
	p, err := start(cmd)
	_ = write.Close()
	if err != nil {
		return 0, err
	}
	ready := make(chan time.Duration, 1)
	go func() {
		defer close(ready)
		var all strings.Builder
		b := make([]byte, 4096)
		for {
			n, err := out.Read(b)
			all.Write(b[:n])
			if strings.Contains(all.String(), "\nready") {
				ready <- time.Since(began)
				_, _ = io.Copy(io.Discard, out) // until it ends
				return
			}
			if err != nil {
				return
			}
		}
	}()
	var took time.Duration
	select {
	case took = <-ready:
	case <-time.After(30 * time.Second):
	case <-ctx.Done():
	}
	err = p.stop(syscall.SIGINT, 20*time.Second)
	if took == 0 {
		return 0, errors.Join(errors.New("paysim did not say that it is ready"), err)
	}
	return took, err
}

// weight is what the payer's page costs a phone of our own bytes.
type weight struct {
	Page   int            `json:"page"` // compressed
	Sent   int            `json:"page_as_sent"`
	Assets map[string]int `json:"assets"`
	Total  int            `json:"total"` // compressed
}

// weigh fetches the payer's page and everything that it names on our own host, as a browser that takes gzip does.
func (l *lab) weigh(ctx context.Context, v *visitor, cookie string) (weight, error) {
	w := weight{Assets: map[string]int{}}
	fetch := func(path string) (compressed, sent int, text string, err error) {
		answer, body, err := v.ask(ctx, http.MethodGet, path, "", []int{http.StatusOK}, "Cookie: "+cookie, "Accept-Encoding: gzip")
		if err != nil {
			return 0, 0, "", err
		}
		if answer.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				return 0, 0, "", err
			}
			plain, err := io.ReadAll(z)
			return len(body), len(body), string(plain), err
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		if _, err := z.Write([]byte(body)); err != nil {
			return 0, 0, "", err
		}
		err = z.Close()
		return packed.Len(), len(body), body, err
	}
	compressed, sent, text, err := fetch("/pay")
	if err != nil {
		return w, err
	}
	w.Page, w.Sent = compressed, sent
	page, err := goquery.NewDocumentFromReader(strings.NewReader(text))
	if err != nil {
		return w, err
	}
	var addresses []string
	for selector, attribute := range map[string]string{"script[src]": "src", "link[href]": "href", "img[src]": "src"} {
		page.Find(selector).Each(func(_ int, s *goquery.Selection) { addresses = append(addresses, s.AttrOr(attribute, "")) })
	}
	w.Total = w.Page
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil {
			return w, err
		}
		if u.Host != "" && "http://"+u.Host != l.base() {
			continue // Stripe's
		}
		size, _, _, err := fetch(u.Path)
		if err != nil {
			return w, err
		}
		if _, had := w.Assets[filepath.Base(u.Path)]; !had {
			w.Assets[filepath.Base(u.Path)] = size
			w.Total += size
		}
	}
	return w, nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
