#!/usr/bin/env bash
# static.sh builds both commands as the Dockerfile does, without C, and runs the service's binary as a user that is nobody: it names every
# missing setting at once and prints no secret, migrates an SQLite database, serves, reports itself healthy, and stops when told to.
# An image can't be built where there is no container engine; this is the part of it that can break.
set -euo pipefail
cd "$(dirname "$0")/.."

dir=$(mktemp -d "${TMPDIR:-/tmp}/paylink-static.XXXXXX")
started=()
stop() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" || true; done
  rm -rf "$dir"
}
trap stop EXIT
fail() { echo "static.sh: $*" >&2; exit 1; }

for command in paylink paysim; do
  CGO_ENABLED=0 go build -trimpath -o "$dir/$command" "./cmd/$command"
  # ldd fails on what needs no loader; a dynamic program would name one.
  if ldd "$dir/$command" 2>/dev/null | grep -q '=>'; then fail "$command is not static"; fi
done
if go version -m "$dir/paylink" | grep -q stripesim || go list -deps ./cmd/paylink | grep -q '/internal/sim/'; then
  fail 'a simulator is linked into the service'
fi

if grep -q PAYLINK_GUARD_OFF "$dir/paylink"; then fail 'the service can be told to go without a guard'; fi

mkdir "$dir/data"
nobody=()
if [ "$(id -u)" = 0 ]; then
  chmod 755 "$dir"
  chown 65532:65532 "$dir/data"
  nobody=(setpriv --reuid=65532 --regid=65532 --clear-groups --no-new-privs)
fi
# An empty environment and an empty folder: what the image has. become replaces its shell, so that a job's number is the service's own.
become() { cd "$dir/data" && exec env -i "${settings[@]}" "${nobody[@]}" "$dir/paylink" "$@"; }
paylink() { (become "$@"); }

settings=(PATH=/usr/bin:/bin)
[ -n "$(paylink version)" ] || fail 'paylink version says nothing'

# Nothing is set: everything is named at once.
if paylink serve >"$dir/refusal" 2>&1; then fail 'serve started without any setting'; fi
for name in PAYLINK_URL DATABASE_URL REDIS_URL STRIPE_SECRET_KEY STRIPE_PUBLISHABLE_KEY STRIPE_WEBHOOK_SECRET \
  TWILIO_ACCOUNT_SID TWILIO_AUTH_TOKEN PAYLINK_KEYS PAYLINK_SUPPORT_PHONE; do
  grep -q "$name" "$dir/refusal" || { cat "$dir/refusal" >&2; fail "serve without settings does not name $name"; }
done

# Everything is set, and wrong: no value may come back.
canary=canary$RANDOM$RANDOM
settings+=("PAYLINK_URL=$canary" "DATABASE_URL=postgres://u:$canary@[" "REDIS_URL=redis://:$canary@[" "STRIPE_SECRET_KEY=$canary"
  "STRIPE_PUBLISHABLE_KEY=$canary" "STRIPE_WEBHOOK_SECRET=$canary" "TWILIO_ACCOUNT_SID=$canary" "TWILIO_AUTH_TOKEN=$canary"
  "PAYLINK_KEYS=$canary" "SMTP_URL=smtp://u:$canary@[")
if paylink serve >"$dir/refusal" 2>&1; then fail 'serve started with malformed settings'; fi
if grep -q "$canary" "$dir/refusal"; then fail 'serve printed the value of a setting'; fi

# All is well: it migrates, serves, is healthy and stops.
free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'; }
redis_port=$(free_port)
port=$(free_port)
redis-server --bind 127.0.0.1 --port "$redis_port" --dir "$dir" --save '' --appendonly no >"$dir/redis.log" 2>&1 &
started+=($!)
until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do
  kill -0 "${started[0]}" || { cat "$dir/redis.log" >&2; fail 'redis-server did not start'; }
  sleep 0.1
done
settings=(PATH=/usr/bin:/bin
  "PAYLINK_ADDR=127.0.0.1:$port" PAYLINK_URL=https://pay.interlane.example PAYLINK_TRUSTED_PROXIES=none "DATABASE_URL=sqlite:$dir/data/paylink.db"
  "REDIS_URL=redis://127.0.0.1:$redis_port/0" "STRIPE_SECRET_KEY=sk_test_$canary" "STRIPE_PUBLISHABLE_KEY=pk_test_$canary"
  "STRIPE_WEBHOOK_SECRET=whsec_$canary" TWILIO_ACCOUNT_SID=AC00000000000000000000000000000000 "TWILIO_AUTH_TOKEN=$canary"
  TWILIO_FROM=+18045550100 PAYLINK_BRAND=Interlane PAYLINK_SUPPORT_PHONE=+18045550101
  "PAYLINK_KEYS=$(head -c 32 /dev/urandom | base64)")
paylink migrate >"$dir/log" 2>&1 || { cat "$dir/log" >&2; fail 'migrate'; }
[ -s "$dir/data/paylink.db" ] || fail 'migrate made no database'
become serve >>"$dir/log" 2>&1 &
service=$!
started+=("$service")
for _ in $(seq 100); do
  if paylink healthcheck >/dev/null 2>&1; then healthy=yes; break; fi
  kill -0 "$service" 2>/dev/null || break
  sleep 0.1
done
[ "${healthy:-}" = yes ] || { cat "$dir/log" >&2; fail 'the service did not become healthy within 10 s'; }
if [ "$(id -u)" = 0 ] && [ "$(stat -c %u "$dir/data/paylink.db")" != 65532 ]; then fail 'the database is not the service user'"'"'s'; fi
kill -TERM "$service"
wait "$service" || { cat "$dir/log" >&2; fail 'the service did not stop cleanly on SIGTERM'; }
if paylink healthcheck >/dev/null 2>&1; then fail 'healthcheck calls a stopped service healthy'; fi
if grep -q "$canary" "$dir/log"; then fail 'a secret is in the log'; fi
echo 'static binary: runs as nobody, names what is missing, keeps its secrets, starts, is healthy, stops'
