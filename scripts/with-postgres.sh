#!/bin/sh
# with-postgres.sh COMMAND [ARGUMENT…]: runs the command with PAYLINK_TEST_POSTGRES set to a throw-away Postgres cluster, and takes the
# cluster away again. The status is the command's.
#
# The cluster is made for tests: it forgets everything in a crash (fsync off), trusts whoever connects from this machine, and sorts text
# as English speakers do (ICU), so that a query that relies on SQLite's byte order is caught.
set -eu
[ $# -gt 0 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }

if [ -n "${PAYLINK_TEST_POSTGRES:-}" ]; then exec "$@"; fi

# Debian keeps the server's programs off the PATH, one folder a version.
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb || echo none/initdb)")
[ -x "$bin/initdb" ] || { echo "with-postgres.sh: no PostgreSQL server here (Debian package postgresql)" >&2; exit 1; }

dir=$(mktemp -d "${TMPDIR:-/tmp}/paylink-postgres.XXXXXX")
as=
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
  chown postgres "$dir"
  as="setpriv --reuid=postgres --regid=postgres --init-groups"
fi

stop() {
  if [ -f "$dir/data/postmaster.pid" ]; then $as "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true; fi
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

(cd "$dir" && $as "$bin/initdb" -D data -U paylink --auth=trust --encoding=UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US \
  --no-sync >initdb.log 2>&1) || { cat "$dir/initdb.log" >&2; exit 1; }
$as tee -a "$dir/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 300
fsync = off
synchronous_commit = off
full_page_writes = off
CONF

# A free port may be taken before Postgres has it: a few tries.
tries=0
until port=$(awk 'BEGIN { srand(); print 20000 + int(rand() * 12000) + '"$(( $$ % 500 ))"' }') &&
  (cd "$dir" && $as "$bin/pg_ctl" -D data -o "-p $port" -l "$dir/data/server.log" -w -t 30 start >/dev/null 2>&1); do
  tries=$((tries + 1))
  [ $tries -lt 5 ] || { cat "$dir/data/server.log" >&2; exit 1; }
  sleep 1 # srand counts seconds
done

export PAYLINK_TEST_POSTGRES="postgres://paylink@127.0.0.1:$port/postgres?sslmode=disable"
"$@"
