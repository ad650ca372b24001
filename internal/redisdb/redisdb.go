// Package redisdb is the door: Redis holds the live links for their minutes, and carries between processes the word that something has changed.
package redisdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"paylink/internal/link"
)

var (
	// ErrURL is returned for an address that is none of the forms that Config.URL lists.
	ErrURL = errors.New("redisdb: REDIS_URL must be redis://, rediss://, redis-sentinel://…?master=NAME or redis-cluster://")
	// ErrOver is returned for a pass whose time is over: nobody may be let in with it.
	ErrOver = errors.New("redisdb: the pass is over already")
	// ErrUnavailable is returned where Redis does not answer, or not with what was asked for. Nothing is known then.
	ErrUnavailable = errors.New("redisdb: no answer from Redis")
)

// A Redis that hangs must not hang a payer: every call ends within callWithin, with one retry in it for a connection that broke while it was idle.
const (
	callWithin = 2 * time.Second
	dialWithin = 500 * time.Millisecond
	readWithin = 800 * time.Millisecond
)

// Config is what a Door needs. All fields are required.
//
// URL is one of
//
//	redis://USER:PASSWORD@HOST:PORT/DB                                     one server; rediss:// with TLS
//	redis-sentinel://USER:PASSWORD@HOST:PORT/DB?master=NAME&addr=HOST:PORT  sentinels, each with addr= but the first; user and password are Redis's,
//	                                                                       and the sentinels' own come as sentinel_username= and sentinel_password=
//	redis-cluster://USER:PASSWORD@HOST:PORT?addr=HOST:PORT                  a cluster, any of its nodes
//
// and rediss-sentinel:// and rediss-cluster:// are the same with TLS. Timeouts, retries and the like are ours and not the URL's.
type Config struct {
	URL            string
	Now            func() time.Time
	LooksPerMinute int // of one caller. A token has 130 random bits: this is against load, not against guessing, so one generous limit (60) counts all looks
}

// Door realises link.Door. It may be used by any number of goroutines.
type Door struct {
	Feed  *Feed
	redis redis.UniversalClient
	now   func() time.Time
	looks int
}

// Open connects and asks for a sign of life. Errors: ErrURL, ErrUnavailable.
// It turns go-redis's log, which is one for the whole process, off: it prints addresses.
func Open(ctx context.Context, c Config) (*Door, error) {
	options, err := parse(c.URL)
	if err != nil {
		return nil, err
	}
	if c.Now == nil || c.LooksPerMinute < 1 {
		return nil, errors.New("redisdb: Now and LooksPerMinute are required")
	}
	redis.SetLogger(silence{})
	options.ContextTimeoutEnabled = true // else a context's end is not heeded
	options.DialTimeout, options.DialerRetries = dialWithin, 1
	options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = readWithin, readWithin, readWithin
	options.MaxRetries, options.MinRetryBackoff, options.MaxRetryBackoff = 1, 10*time.Millisecond, 50*time.Millisecond
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	d := &Door{redis: redis.NewUniversalClient(options), now: c.Now, looks: c.LooksPerMinute}
	if err := d.Ping(ctx); err != nil {
		_ = d.redis.Close()
		return nil, err
	}
	d.Feed = newFeed(d.redis)
	return d, nil
}

// CheckURL says whether an address has one of the forms that Config.URL lists. It asks nobody. Errors: ErrURL.
func CheckURL(address string) error {
	_, err := parse(address)
	return err
}

// Close lets the connections go.
func (d *Door) Close() error {
	d.Feed.close()
	return d.redis.Close()
}

// Ping asks for a sign of life. Errors: ErrUnavailable.
func (d *Door) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	return problem(d.redis.Ping(ctx).Err())
}

// Admit realises link.Door. A digest admitted twice has the later pass. Errors: ErrOver, ErrUnavailable.
func (d *Door) Admit(ctx context.Context, digest link.Digest, p link.Pass) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	// What is left of its life, and not its end, is told: Redis's clock may differ from ours. Look compares the end.
	left := p.ExpiresAt.Sub(d.now())
	if left < time.Millisecond {
		return ErrOver
	}
	return problem(d.redis.Set(ctx, linkKey(digest), encode(p), left.Truncate(time.Millisecond)).Err())
}

// Look realises link.Door, in one round trip. Errors: link.ErrUnknown, link.ErrTooMany, ErrUnavailable.
func (d *Door) Look(ctx context.Context, digest link.Digest, caller string) (link.Pass, error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	now := d.now()
	counter := looksKey(caller, now)
	var looks *redis.IntCmd
	var held *redis.StringCmd
	_, err := d.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		looks = pipe.Incr(ctx, counter)
		pipe.Expire(ctx, counter, 2*time.Minute) // its minute and some more, for clocks that differ
		held = pipe.Get(ctx, linkKey(digest))
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return link.Pass{}, problem(err)
	}
	if looks.Val() > int64(d.looks) {
		return link.Pass{}, link.ErrTooMany
	}
	if errors.Is(held.Err(), redis.Nil) {
		return link.Pass{}, link.ErrUnknown
	}
	p, ok := decode(held.Val())
	if !ok {
		return link.Pass{}, fmt.Errorf("%w: a pass that can't be read", ErrUnavailable)
	}
	if !now.Before(p.ExpiresAt) { // a Redis that was restored, lags or has another clock holds it still
		return link.Pass{}, link.ErrUnknown
	}
	return p, nil
}

// MarkOpened realises link.Door. A digest that is gone stays gone. Errors: ErrUnavailable.
func (d *Door) MarkOpened(ctx context.Context, digest link.Digest) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	key := linkKey(digest)
	held, err := d.redis.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		return problem(err)
	}
	p, ok := decode(held)
	if !ok || p.Opened {
		return nil
	}
	p.Opened = true
	// XX and KEEPTTL: whoever shut it meanwhile is obeyed, and its end stays where it is.
	err = d.redis.SetArgs(ctx, key, encode(p), redis.SetArgs{Mode: "XX", KeepTTL: true}).Err()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return problem(err)
}

// Shut realises link.Door. Errors: ErrUnavailable.
func (d *Door) Shut(ctx context.Context, digest link.Digest) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	return problem(d.redis.Del(ctx, linkKey(digest)).Err())
}

// --- What Redis holds -----------------------------------------------------------------------------------------------------------------------

func linkKey(d link.Digest) string { return "paylink:link:" + string(d) }

// looksKey counts a caller's looks in one minute of our clock. Callers are addresses of people: only a digest is kept.
func looksKey(caller string, now time.Time) string {
	sum := sha256.Sum256([]byte(caller))
	return "paylink:looks:" + hex.EncodeToString(sum[:12]) + ":" + strconv.FormatInt(now.Unix()/60, 10)
}

// encode writes "1 LINK PAYMENT EXPIRES_MS o": a version, and "o" for opened or "-".
func encode(p link.Pass) string {
	opened := "-"
	if p.Opened {
		opened = "o"
	}
	return strings.Join([]string{"1", p.LinkID, p.PaymentID, strconv.FormatInt(p.ExpiresAt.UnixMilli(), 10), opened}, " ")
}

func decode(s string) (link.Pass, bool) {
	part := strings.Split(s, " ")
	if len(part) != 5 || part[0] != "1" {
		return link.Pass{}, false
	}
	end, err := strconv.ParseInt(part[3], 10, 64)
	return link.Pass{LinkID: part[1], PaymentID: part[2], ExpiresAt: time.UnixMilli(end), Opened: part[4] == "o"}, err == nil
}

// --- The connection -------------------------------------------------------------------------------------------------------------------------

// parse reads the forms of Config.URL. Its error never shows the URL, which holds a password.
func parse(address string) (*redis.UniversalOptions, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, ErrURL
	}
	scheme, form, _ := strings.Cut(u.Scheme, "-")
	query := u.Query()
	u.Scheme, u.RawQuery = scheme, ""
	if scheme != "redis" && scheme != "rediss" {
		return nil, ErrURL
	}
	one, err := redis.ParseURL(u.String())
	if err != nil {
		return nil, ErrURL
	}
	o := &redis.UniversalOptions{Addrs: []string{one.Addr}, Username: one.Username, Password: one.Password, DB: one.DB, TLSConfig: one.TLSConfig}
	known := map[string]bool{}
	switch form {
	case "":
	case "sentinel":
		o.MasterName, o.SentinelUsername, o.SentinelPassword = query.Get("master"), query.Get("sentinel_username"), query.Get("sentinel_password")
		known = map[string]bool{"master": true, "addr": true, "sentinel_username": true, "sentinel_password": true}
		if o.MasterName == "" {
			return nil, ErrURL
		}
	case "cluster":
		o.IsClusterMode = true
		known = map[string]bool{"addr": true}
		if o.DB != 0 { // a cluster has only the one
			return nil, ErrURL
		}
	default:
		return nil, ErrURL
	}
	for name := range query {
		if !known[name] {
			return nil, ErrURL
		}
	}
	for _, addr := range query["addr"] {
		if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "" {
			return nil, ErrURL
		}
		o.Addrs = append(o.Addrs, addr)
	}
	return o, nil
}

// problem turns go-redis's error into ours. Its words stay behind: they hold addresses. Redis's own errors begin with a word that says what it is.
func problem(err error) error {
	if err == nil {
		return nil
	}
	why := "the connection failed"
	var refused redis.Error
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		why = "the asker went away"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout(), errors.Is(err, redis.ErrPoolTimeout):
		why = "it did not answer in time"
	case errors.As(err, &refused):
		word, _, _ := strings.Cut(refused.Error(), " ")
		if strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			word = "an error"
		}
		why = "it answered " + word
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, why)
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
