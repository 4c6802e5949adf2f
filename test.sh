#!/usr/bin/env bash
# usage: ./test.sh [unit | e2e] [ARGUMENT OF THE TEST PROGRAM...]
# Installs and starts all that the tests need, checks the formatting, builds, runs the tests (all of them, or one of the
# two programs, e.g. ./test.sh unit --filter-class '*LogStore*') and stops what it started.
# The last line is `N passed, N failed`; results, screenshots and engine logs are in artifacts/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

only=
case ${1:-} in
  unit | e2e)
    only=$1
    shift
    ;;
  -h | --help)
    sed -n '2,5s/^# //p' "$0"
    exit 0
    ;;
  '') ;;
  *) [[ $1 == -* ]] || {
    echo "usage: ./test.sh [unit | e2e] [ARGUMENT OF THE TEST PROGRAM...]" >&2
    exit 2
  } ;;
esac
arguments=("$@")

passed=0 failed=0 skipped=0 running= said= scratch=
artifacts=$PWD/artifacts
# No build server outlives this script.
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false

finish() {
  local code=$?
  trap - EXIT
  [ -z "$running" ] || break_off "$running"
  [ -z "$scratch" ] || clear_scratch || code=1
  if [ -n "${DEPLOYER_ENGINE_ROOT:-}" ]; then
    eng/engine.sh down test || code=1
    mkdir -p "$artifacts/engine"
    cp "$DEPLOYER_ENGINE_ROOT"/*.log "$artifacts/engine/" 2>/dev/null || true # absent when the engine never started
  fi
  [ $code = 0 ] || [ $failed -gt 0 ] || failed=1 # what stopped the script is a failure, too
  [ $failed = 0 ] || code=1
  [ $skipped = 0 ] || echo "$passed passed, $failed failed, $skipped skipped"
  [ $skipped != 0 ] || echo "$passed passed, $failed failed"
  exit $code
}

# break_off GROUP: ends a group of processes, by force if it takes more than ten seconds
break_off() {
  local tries
  kill -TERM -- "-$1" 2>/dev/null || return 0
  for ((tries = 50; tries > 0; tries--)); do
    kill -0 -- "-$1" 2>/dev/null || return 0
    sleep 0.2
  done
  kill -KILL -- "-$1" 2>/dev/null || true
}

# A test that was broken off leaves an engine of its own and a small disk that it has mounted.
clear_scratch() {
  local pid code=0
  for pid in "$scratch"/*/dockerd.pid "$scratch"/*/*/dockerd.pid; do
    [ ! -e "$pid" ] || DEPLOYER_ENGINE_ROOT=$(dirname "$pid") eng/engine.sh purge bare || code=1
  done
  awk -v below="$scratch/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n1 umount --lazy || code=1
  rm -rf "$scratch"
  return $code
}

trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step() { printf '\n== %s\n' "$*"; }

# A signal is answered at once only while the shell waits for a child in the background, which leads a group of its own
# to be ended with all that it started. Descriptor 8 is the lock.
run() {
  setsid "$@" </dev/null 8>&- &
  running=$!
  local code=0
  wait "$running" || code=$?
  running=
  return $code
}

# Two runs on one machine, of two clones perhaps, each get an engine of their own.
claim_engine_root() {
  [ "$(id -u)" = 0 ] || return 0 # `engine.sh up` says what to do
  local root candidates=(/var/lib/deployer-engine/test{,-2,-3,-4})
  [ -z "${DEPLOYER_ENGINE_ROOT:-}" ] || candidates=("$DEPLOYER_ENGINE_ROOT")
  for root in "${candidates[@]}"; do
    mkdir -p "$(dirname "$root")"
    exec 8>"$root.lock"
    if flock --nonblock 8; then
      export DEPLOYER_ENGINE_ROOT=$root
      return
    fi
  done
  unset DEPLOYER_ENGINE_ROOT # another run's, and not to be stopped by this one
  echo "Other test runs use every engine of ${candidates[*]}; wait for one to end." >&2
  exit 1
}

# counter TRX NAME
counter() { sed -n "s/.*<Counters [^>]*\b$2=\"\([0-9]*\)\".*/\1/p" "$1"; }

# failures TRX: the name of each failed test, and of the first ten also how what it said begins
failures() {
  awk 'BEGIN { RS = "<UnitTestResult " }
    NR > 1 && /^[^>]* outcome="Failed"/ {
      match($0, /testName="[^"]*"/)
      printf "FAILED %s\n", substr($0, RSTART + 10, RLENGTH - 11)
      if (++said > 10 || !match($0, /<Message>[^<]*/)) next
      count = split(substr($0, RSTART + 9, RLENGTH - 9), lines, "\n")
      for (i = 1; i <= count && i <= 12; i++) printf "  %s\n", substr(lines[i], 1, 400)
    }' "$1" | sed 's/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&#xD;//g; s/&amp;/\&/g'
}

# run_tests PROJECT TIMEOUT
run_tests() {
  local results=$artifacts/$1 code=0 trx
  step "$1"
  rm -rf "$results"
  mkdir -p "$results"
  trx=$results/results.trx
  DEPLOYER_TEST_ARTIFACTS=$results TMPDIR=$scratch run "$1/bin/Release/net10.0/$1" --results-directory "$results" \
    --report-xunit-trx --report-xunit-trx-filename results.trx --timeout "$2" "${arguments[@]}" || code=$?
  local passed_here=0 failed_here=0
  if [ -s "$trx" ]; then
    passed_here=$(counter "$trx" passed)
    failed_here=$(counter "$trx" failed)
    skipped=$((skipped + $(counter "$trx" total) - passed_here - failed_here))
    [ "$failed_here" = 0 ] || said+=$(failures "$trx")$'\n'
  fi
  if [ $code != 0 ] && [ "$failed_here" = 0 ]; then
    failed_here=1 # it crashed, hung, or found no test
    said+="FAILED $1 as a whole: exit code $code"$'\n'
  fi
  passed=$((passed + passed_here)) failed=$((failed + failed_here))
}

step "Set-up"
# shellcheck source=eng/sdk.sh
. eng/sdk.sh
# shellcheck source=eng/debian.sh
. eng/debian.sh
require_sdk .
mkdir -p "$artifacts"
scratch=$(mktemp -d /tmp/deployer-XXXXXX) # short: sockets lie in it
claim_engine_root
[ "$only" = unit ] || install_packages "$artifacts/apt.log" chromium fonts-dejavu-core fonts-liberation
run eng/engine.sh up test
settings=$(eng/engine.sh env test)
eval "$settings"

step "Build"
run dotnet build Deployer.sln --configuration Release -warnaserror --verbosity quiet

step "Formatting"
if ! run dotnet format Deployer.sln --verify-no-changes --no-restore; then
  said+="FAILED formatting; run: dotnet format Deployer.sln"$'\n'
  failed=$((failed + 1))
fi

step "Known vulnerabilities"
code=0
run eng/audit.sh || code=$?
case $code in
  0) ;;
  3) ;; # it said so: nothing was scanned, and nothing is claimed
  *)
    said+="FAILED scan for known vulnerabilities"$'\n'
    failed=$((failed + 1))
    ;;
esac

[ "$only" = e2e ] || run_tests Deployer.Tests 40m
[ "$only" = unit ] || run_tests Deployer.E2E 40m

step "Result"
printf '%s' "$said"
