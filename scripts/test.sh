#!/usr/bin/env bash
# test.sh runs everything that CI runs: `make test` and .ci/run call it and nothing else. It installs what is missing (Debian packages if it
# may, npm packages, Go tools of pinned versions), and then leaves nothing out: with PAYLINK_TEST_ALL=1 a skipped test is a failed test.
# Its last line says how many tests and checks passed and failed; the status is 0 only if all passed.
set -euo pipefail
cd "$(dirname "$0")/.."

staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
gosec=github.com/securego/gosec/v2/cmd/gosec@v2.29.0 # v2.30.0 needs a module that Go's proxy does not hand out

# --- what must be here -------------------------------------------------------------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

install() {
  local packages=()
  has cc || packages+=(gcc libc6-dev) # the race detector is linked by a C compiler
  has node || packages+=(nodejs)
  has npm || packages+=(npm)
  has redis-server || packages+=(redis-server)
  has redis-sentinel || packages+=(redis-sentinel)
  has initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || packages+=(postgresql)
  has chromium || has chromium-browser || has google-chrome || [ -n "${PAYLINK_CHROMIUM:-}" ] || packages+=(chromium)
  [ ! -d /usr/share ] || [ -d /usr/share/fonts/truetype ] || packages+=(fonts-dejavu-core) # without a font Chromium draws boxes
  has wrk || packages+=(wrk)
  if [ ${#packages[@]} -gt 0 ]; then
    local as=()
    if [ "$(id -u)" != 0 ]; then as=(sudo -n); fi
    if ! has apt-get || { [ ${#as[@]} -gt 0 ] && ! sudo -n true 2>/dev/null; }; then
      echo "Missing here, and not mine to install. On Debian: apt-get install ${packages[*]}" >&2
      exit 1
    fi
    echo "installing ${packages[*]}"
    # RUNLEVEL=1: the packages' own services are not started.
    "${as[@]}" apt-get update -qq >"$log/apt" 2>&1 &&
      "${as[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >>"$log/apt" 2>&1 ||
      { tail -n 30 "$log/apt" >&2; exit 1; }
  fi
  if [ "$(node -p 'parseInt(process.versions.node)')" -lt 20 ]; then
    echo "node $(node --version) is too old: 20 or newer is needed (nodejs.org; Debian 12's own is 18)" >&2
    exit 1
  fi
  if ! (cd e2e && npm ls --depth=0 >/dev/null 2>&1); then
    echo "installing e2e's npm packages"
    (cd e2e && npm ci --ignore-scripts --no-audit --no-fund >"$log/npm" 2>&1) || { tail -n 30 "$log/npm" >&2; exit 1; }
  fi
}

log=$(mktemp -d "${TMPDIR:-/tmp}/paylink-test.XXXXXX")
trap 'rm -rf "$log"' EXIT
trap 'trap "" TERM; kill -TERM 0; exit 130' INT # the lanes would not hear it

if [ -z "${PAYLINK_TEST_POSTGRES:-}" ]; then
  install
  rm -rf "$log"
  exec scripts/with-postgres.sh scripts/test.sh # itself again, with a cluster to test on that goes away afterwards
fi
export PAYLINK_TEST_ALL=1
# One set of compiled packages for all but the race detector's tests: without C and without this machine's paths, as the Dockerfile builds.
export CGO_ENABLED=0 GOFLAGS=-trimpath

# --- counting ----------------------------------------------------------------------------------------------------------------------

passed=0
failed=0

# step NAME COMMAND…: a check that counts as one. Its output is shown only if it fails.
step() {
  local name=$1 began=$SECONDS
  shift
  if "$@" >"$log/out" 2>&1; then
    passed=$((passed + 1))
    printf 'ok    %-28s %4ds\n' "$name" $((SECONDS - began))
  else
    failed=$((failed + 1))
    printf 'FAIL  %-28s %4ds\n' "$name" $((SECONDS - began))
    tail -n 200 "$log/out"
  fi
}

# tests NAME PASSED FAILED SECONDS: adds a suite's own numbers. A suite that ran nothing has failed.
tests() {
  local name=$1 good=$2 bad=$3 began=$4 word=ok
  if [ $((good + bad)) = 0 ]; then bad=1; echo "$name: no test ran"; fi
  passed=$((passed + good))
  failed=$((failed + bad))
  [ "$bad" = 0 ] || word=FAIL
  printf '%-5s %-28s %4ds  %d passed, %d failed\n' "$word" "$name" $((SECONDS - began)) "$good" "$bad"
}

# Others' code that only computes: SQLite, which is C that was translated into Go, passwords' hashes, fonts. The race detector would spend most of its time on them.
unwatched=
for package in modernc.org/sqlite/... modernc.org/libc/... modernc.org/memory/... golang.org/x/crypto/argon2 golang.org/x/crypto/blake2b codeberg.org/go-pdf/fpdf/...; do
  unwatched+=" -gcflags=$package=-race=false"
done
# Long tests of one goroutine: they tell the race detector nothing, and each runs whole in another step: virtual time, plans and reports, the model (with Postgres).
alone='TestWhateverGoesWrong|TestMonthsOfAutoPay|TestReportsAgreeWithTheDatabase|TestWhatIsAskedAllTheTimeUsesItsIndex|TestTheModelCatchesEveryMutant|TestWhateverHappensToAPaymentTheRulesHold|TestEveryStateMeetsEveryEvent'

# shellcheck disable=SC2086
go_tests() { # NAME FOLDER [ARGUMENT…]: all tests with the race detector, or what go test is told
  local name=$1 folder=$2 began=$SECONDS numbers status=0 with=()
  shift 2
  [ $# -gt 0 ] || { with=(CGO_ENABLED=1 GOFLAGS=); set -- -race $unwatched -vet=off -skip "$alone" -timeout 12m ./...; }
  (cd "$folder" && env "${with[@]}" go test -json "$@" 2>&1) >"$log/events" || status=$?
  node scripts/gotest-report.mjs <"$log/events" >"$log/out"
  sed '$d' "$log/out"
  read -r -a numbers <<<"$(tail -n 1 "$log/out")"
  # go's word counts too: whatever it complains of without an event is one more failure.
  if [ "$status" != 0 ] && [ "${numbers[1]}" = 0 ]; then numbers[1]=1; fi
  tests "$name" "${numbers[0]}" "${numbers[1]}" "$began"
}

# lane NAME NICENESS CHECKS: runs a list of checks beside the other lanes. What waits in one (a browser, a disk) leaves the processors to the others, and the
# niceness says who comes first: people in a browser look at clocks, the model and the simulation don't.
lanes=()
ids=()
lane() {
  local name=$1 niceness=$2 checks=$3
  mkdir "$log/$name"
  (
    renice -n "$niceness" -p "$BASHPID" >/dev/null
    log=$log/$name passed=0 failed=0
    "$checks"
    echo "$passed $failed" >"$log/counted"
  ) &
  lanes+=("$name")
  ids+=($!)
}

# lanes_end waits for all of them and adds what they counted. One that did not come to its end has failed.
lanes_end() {
  local i good bad
  for i in "${!lanes[@]}"; do
    wait "${ids[$i]}" || true
    if [ -s "$log/${lanes[$i]}/counted" ] && read -r good bad <"$log/${lanes[$i]}/counted"; then
      passed=$((passed + good))
      failed=$((failed + bad))
    else
      failed=$((failed + 1))
      echo "FAIL  the lane ${lanes[$i]} did not come to its end"
    fi
  done
}

node_tests() { # NAME FILE…
  local name=$1 began=$SECONDS status=0
  shift
  [ -e "${1:-}" ] || { tests "$name" 0 0 "$began"; return; }
  # One file at a time: two browsers and two towns on two cores only slow each other down, and the other lanes use what is left.
  node --test --test-concurrency=1 --test-reporter=spec --test-reporter-destination="$log/out" \
    --test-reporter=tap --test-reporter-destination="$log/tap" "$@" || status=$?
  count() { awk -v what="$1" '$1 == "#" && $2 == what { n = $3 } END { print n + 0 }' "$log/tap"; }
  local bad=$(($(count fail) + $(count cancelled) + $(count skipped) + $(count todo)))
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  [ "$bad" = 0 ] || cat "$log/out"
  tests "$name" "$(count pass)" "$bad" "$began"
}

# --- the checks --------------------------------------------------------------------------------------------------------------------

formatted() {
  local wrong
  wrong=$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l)
  [ -z "$wrong" ] || { echo "gofmt would change: $wrong"; return 1; }
}

# What gosec is told to leave alone, and why:
#   internal/sim, cmd/paysim  imitate suppliers: SHA-1 is Twilio's signature, test card numbers look like credentials, faults are random
#   internal/testbed, bench   start programs that they found on the PATH and read files of this repository: that is their work
#   G104 (errors unhandled)   flags every write to a client that may have gone away; staticcheck and readers find those that matter
secure() {
  go run "$gosec" -quiet -exclude-dir=internal/sim -exclude-dir=internal/testbed -exclude-dir=cmd/paysim -exclude-dir=bench \
    -exclude-dir=e2e -exclude=G104 -color=false ./...
}

# The code as it reads, and all of Go's tests.
books() {
  step 'go vet' go vet ./...
  step 'staticcheck' go run "$staticcheck" ./...
  step 'gosec' secure
  step 'static binary, non-root' scripts/static.sh
  # Tests that run on both databases meet the race detector on SQLite, and Postgres without it. There the model goes to its end too, which under the race detector stops early.
  local databases='./internal/pay ./internal/sqldb ./internal/desk/... ./cmd/paylink'
  PAYLINK_TEST_DATABASE=sqlite go_tests 'go test -race' .
  # shellcheck disable=SC2086
  PAYLINK_TEST_DATABASE=postgres go_tests 'go test, on Postgres' . -count=1 -vet=off -timeout 12m -skip 'TestWhatIsAskedAllTheTimeUsesItsIndex|TestReportsAgreeWithTheDatabase' $databases
  step 'go vet, guards off' go vet -tags guards_off ./internal/guard ./internal/sqldb
  go_tests 'guards, each taken away' . -count=1 -timeout 20m -tags guards_off -run 'TestEveryGuardIsMissed' ./internal/guard
  step 'plans, reports: 100,000 rows' go test -count=1 -timeout 8m -run 'TestWhatIsAskedAllTheTimeUsesItsIndex|TestReportsAgreeWithTheDatabase' ./internal/sqldb
}

# People in browsers, and the modules of their own, which keep what only a test needs out of the service's go.mod: among them the storm, with two services and their clients.
people() {
  step 'tsc' node e2e/node_modules/typescript/bin/tsc -p e2e/typecheck
  node_tests 'browser harness' e2e/lib/*.test.mjs
  node_tests 'browsers' e2e/*.test.mjs
  local mod
  while read -r mod; do
    go_tests "go test $(basename "$(dirname "$mod")")" "$(dirname "$mod")"
  done < <(git ls-files -co --exclude-standard '*/go.mod')
}

# Virtual time.
simulation() {
  step 'simulation, Auto Pay' go test -count=1 -timeout 30m -v -run 'TestWhateverGoesWrong|TestMonthsOfAutoPay' ./internal/simulation -seeds 10000 -clients 500
  grep -oE '[0-9]+ (seeds in|clients, ).*' "$log/out" | cut -c1-240 | sed 's/^/      /' || true
}

step 'gofmt' formatted
lane people 0 people
lane books 5 books
lane simulation 19 simulation
lanes_end

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
