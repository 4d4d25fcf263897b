#!/bin/sh
# shellcheck disable=SC1091,SC2034,SC2154
# Kills gemwright, its worker, or both with SIGKILL at N random moments of tuning one small real problem over one
# database. Shows that nothing is lost: after each kill the database passes integrity_check, every committed row is still
# there with the same content, and no process is left behind; in the end the study finishes. Every tenth kill comes while
# the kernels are being compiled.
#
# A second or two a kill after a minute of compiling kernels. It prints counts, and exits with 1 at the first lost row.
# The same SEED kills at the same moments, as far as a clock can.
#
# Usage: GEMWRIGHT=build/app/cli/gemwright [SEED=1] sh tests/trust/kill_loop.sh [N=100]
set -eu
kills=${1:-100}
seed=${SEED:-1}
case $kills$seed in *[!0-9]*) echo "N and SEED are numbers" >&2; exit 2 ;; esac
GEMWRIGHT=$(realpath "${GEMWRIGHT:?the path of the binary under test}")
scratch=$(mktemp -d "${TMPDIR:-/tmp}/gemwright-trust-XXXXXX")
set -- "$scratch/work"
. "$(dirname "$0")/../end_to_end/lib.sh"
. "$here/../end_to_end/processes.sh"
begin
echo "seed $seed, files in $scratch (removed when all is well)"
warm=$scratch/kernel-cache
GEMWRIGHT_CACHE=$warm
db=$work/tune.db
tune="tune --gemm 8x256x256 --threads 1 --budget 40 --protocol quick --strategy random --db"

now_ms() { date +%s%3N; }

# Committed rows, sorted: a sample never changes, a trial keeps what it was asked for. Read-only, so that looking at a
# living database does not tidy it up.
rows_of() {
  sqlite3 -batch -noheader "file:$1?mode=ro" ".timeout 5000" "SELECT 'sample', s.* FROM sample s;
    SELECT 'trial', id, study_id, seq, config_id, origin FROM trial" | sort
}

# The rows that one more transaction may have added to since; those of a database that is not there yet are none.
: > committed
remember_rows() {
  rows_of "$db" > seen 2> sqlite_says || { [ ! -s committed ] || fail "the living database cannot be read: $(cat sqlite_says)"; }
  sort -u -o committed committed seen
}

# What the kill left, looked at in a copy: the next run finds the files themselves.
checked=0
lost=0
check_rows() {
  [ -s "$db" ] || { [ ! -s committed ] || fail "$1: the database is gone"; return 0; }
  rm -rf copy
  mkdir copy
  cp "$db"* copy/
  rm -f copy/*-shm
  expect "$1: integrity" "$(sql copy/tune.db 'PRAGMA integrity_check')" ok
  expect "$1: dangling rows" "$(sql copy/tune.db 'PRAGMA foreign_key_check')" ""
  [ "$(sql copy/tune.db "SELECT count(*) FROM sqlite_schema WHERE name = 'sample'")" = 1 ] || : > copy/no_rows
  if [ -e copy/no_rows ]; then : > after; else rows_of "$work/copy/tune.db" > after; fi
  comm -23 committed after > gone
  checked=$((checked + $(wc -l < committed)))
  lost=$((lost + $(wc -l < gone)))
  [ "$lost" = 0 ] || { head -n 20 gone >&2; fail "$1: $lost committed rows are gone; the files are in $scratch"; }
  mv after committed
}

victims() {
  case $1 in
    tune) echo "$pid" ;;
    guard) guard ;;
    child) candidate_runner ;;
    all) echo "$pid" "$(guard)" "$(candidate_runner)" ;;
  esac
}

echo "== one whole run"
# shellcheck disable=SC2086
gw $tune "$work/warm.db"
began=$(now_ms)
# shellcheck disable=SC2086
gw $tune "$work/timed.db"
length=$(($(now_ms) - began))
echo "a run that compiles nothing takes $length ms"

# A line a try: whom to kill, the part of a run to let pass, and whether kernels have to be compiled.
awk -v seed="$seed" -v tries="$((20 * kills))" 'BEGIN {
  srand(seed)
  for (i = 0; i < tries; ++i) {
    kind = rand()
    kind = kind < 0.4 ? "tune" : kind < 0.6 ? "guard" : kind < 0.8 ? "child" : "all"
    print kind, rand(), i % 10 == 9 ? "cold" : "warm"
  }
}' > plan

echo "== $kills kills"
: > log
done_kills=0
fresh=
while read -r kind part cache <&3; do
  [ "$done_kills" -lt "$kills" ] || break
  GEMWRIGHT_CACHE=$warm
  run_ms=$length
  # Compiling takes long; a worker that is lost meanwhile would have to begin again and again.
  if [ "$cache" = cold ] && { [ "$kind" = tune ] || [ "$kind" = all ]; }; then
    GEMWRIGHT_CACHE=$scratch/cold
    rm -rf "$GEMWRIGHT_CACHE"
    run_ms=3000
  else
    cache=warm
  fi
  # shellcheck disable=SC2086
  start $tune "$db" $fresh
  sleep "$(awk -v part="$part" -v ms="$run_ms" 'BEGIN { printf "%.3f", part * ms / 1000 }')"
  who=$(victims "$kind")
  remember_rows
  # shellcheck disable=SC2086
  if [ -n "$who" ] && kill -KILL $who 2>/dev/null; then killed=1; else killed=0; fi
  finish
  [ "$status" != 0 ] || [ "$kind" = guard ] || [ "$kind" = child ] || killed=0  # it had ended, and only waited for us
  expect_no_process "$kind killed"
  check_rows "$kind killed at $part of a run"
  done_kills=$((done_kills + killed))
  if [ "$killed" = 1 ]; then echo "$kind $cache" >> log; else echo "too-late $kind" >> log; fi
  case $status-$kind in
    0-*) fresh=--fresh ;;
    137-tune | 137-all) fresh= ;;
    *-guard | *-child)
      # A worker that dies while it times the baseline or the anchor loop ends the study, in good order.
      grep -q '^gemwright: ' err || fail "$kind killed: exit code $status"
      grep '^gemwright: ' err | tail -n 1 >> sentences
      fresh=
      ;;
    *) fail "$kind killed: exit code $status" ;;
  esac
done 3< plan
[ "$done_kills" -ge "$kills" ] || fail "only $done_kills of $kills kills hit a living process"

echo "== the same command goes on to the end"
GEMWRIGHT_CACHE=$warm
# shellcheck disable=SC2086
gw $tune "$db"
check_rows "finished"
expect "unfinished studies of the newest generation" "$(sql copy/tune.db "SELECT count(*) FROM study s
  WHERE state != 'finished' AND generation = (SELECT max(generation) FROM study n WHERE n.key = s.key)")" 0
expect "trials still running in finished studies" "$(sql copy/tune.db "SELECT count(*) FROM trial t
  JOIN study s ON s.id = t.study_id WHERE s.state = 'finished' AND t.state = 'running'")" 0
expect "blocks with the same place in a round" "$(sql copy/tune.db "SELECT count(*) FROM (SELECT 1 FROM sample
  GROUP BY study_id, round, position HAVING count(*) > 1)")" 0

echo "kills by victim:"
grep -v '^too-late' log | sort | uniq -c
echo "too late to kill: $(grep -c '^too-late' log || true)"
if [ -s sentences ]; then
  echo "runs that ended because their worker was killed:"
  sort sentences | uniq -c
fi
echo "studies: $(sql copy/tune.db "SELECT count(*) FROM study"), rows in the end: $(wc -l < committed)"
echo "committed rows checked: $checked, lost: $lost"
cd /
rm -rf "$scratch"
