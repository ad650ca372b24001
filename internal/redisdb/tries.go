package redisdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/redis/go-redis/v9"
)

// takeTry counts by our clock and not by Redis's, which only sweeps up. A key's time begins with its first try, and anew with its last one: who has used
// all up waits for the whole time. KEYS: the key. ARGV: now and the time in milliseconds, how many tries there are.
var takeTry = redis.NewScript(`
local n, over = tonumber(redis.call('HGET', KEYS[1], 'n') or '0'), tonumber(redis.call('HGET', KEYS[1], 'over') or '0')
local now, span, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if now >= over then n = 0 end
if n >= most then return 0 end
n = n + 1
if n == 1 or n == most then over = now + span end
redis.call('HSET', KEYS[1], 'n', n, 'over', string.format('%.0f', over))
redis.call('PEXPIRE', KEYS[1], span + 60000)
return n
`)

// giveTryBack makes no key that is not there: it would stay for ever.
var giveTryBack = redis.NewScript(`
local n = tonumber(redis.call('HGET', KEYS[1], 'n') or '0')
if n > 0 then redis.call('HSET', KEYS[1], 'n', n - 1) end
return n
`)

// Take takes one of the tries that a key has in a while, atomically, and returns which one it is, from 1 to most; 0: none is left. Errors: ErrUnavailable.
func (d *Door) Take(ctx context.Context, key string, most int, while time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	n, err := takeTry.Run(ctx, d.redis, []string{triesKey(key)}, d.now().UnixMilli(), while.Milliseconds(), most).Int()
	return n, problem(err)
}

// GiveBack gives back a try that was taken and not needed. Errors: ErrUnavailable.
func (d *Door) GiveBack(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	return problem(giveTryBack.Run(ctx, d.redis, []string{triesKey(key)}).Err())
}

// Clear gives back all of them. Errors: ErrUnavailable.
func (d *Door) Clear(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	return problem(d.redis.Del(ctx, triesKey(key)).Err())
}

// triesKey holds a digest: keys are made of logins and addresses of people.
func triesKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "paylink:tries:" + hex.EncodeToString(sum[:16])
}
