#!/bin/sh
# shellcheck disable=SC1091,SC2034,SC2154
# Starts a second tuning run while a first one measures: on another database, on the same database, and on the same
# study. Shows that the second says whom it waits for, that none of its trials begins before the first has ended (no two
# blocks on a machine at once), and that both finish well.
#
# About a minute, most of it compiling kernels.
#
# Usage: GEMWRIGHT=build/app/cli/gemwright sh tests/trust/two_tunes.sh
set -eu
GEMWRIGHT=$(realpath "${GEMWRIGHT:?the path of the binary under test}")
scratch=$(mktemp -d "${TMPDIR:-/tmp}/gemwright-trust-XXXXXX")
set -- "$scratch/work"
. "$(dirname "$0")/../end_to_end/lib.sh"
. "$here/../end_to_end/processes.sh"
begin
GEMWRIGHT_CACHE=$scratch/kernel-cache
options="--threads 1 --budget 20 --protocol careful --strategy random"
first="--m 8,16,24,32,40,48 --gemm 8x64x64"
second="--gemm 4x64x64"

# Of finished studies a study's last change is its end; a trial begins before its first block.
last_end() { sql "$1" "SELECT max(updated_at) FROM study WHERE $2"; }
first_begin() { sql "$1" "SELECT min(started_at) FROM trial t JOIN study s ON s.id = t.study_id WHERE $2"; }

# Both at once; the streams of the first are in out1 and err1, those of the second in out and err.
both() {
  rm -f "$1"* "$3"*
  # shellcheck disable=SC2086
  start tune $2 $options --db "$1"
  # Until its first block is stored: then it has the lock.
  until [ "$(sql "file:$1?mode=ro" "SELECT count(*) FROM sample" 2>/dev/null || echo 0)" -gt 0 ]; do
    kill -0 "$pid" 2>/dev/null || fail "the first run ended before it measured"
  done
  measurer=$(guard)
  first_pid=$pid
  mv out out1
  mv err err1
  # shellcheck disable=SC2086
  gw tune $4 $options --db "$3"
  pid=$first_pid
  finish
  expect "exit code of the first run" "$status" 0
  expect_no_process "both ended"
  grep -q "waiting for process $measurer, which measures .*n64/k64.* on this machine" err ||
    fail "the second run does not say that it waits for process $measurer"
  if grep -q waiting err1; then fail "the first run waits"; fi
  expect "unfinished studies" "$(sql "$1" "SELECT count(*) FROM study WHERE state != 'finished'")" 0
  expect "unfinished studies" "$(sql "$3" "SELECT count(*) FROM study WHERE state != 'finished'")" 0
  expect "integrity" "$(sql "$1" 'PRAGMA integrity_check')" ok
  expect "blocks with the same place in a round" "$(sql "$1" "SELECT count(*) FROM (SELECT 1 FROM sample
    GROUP BY study_id, round, position HAVING count(*) > 1)")" 0
  grep waiting err
}

# Compiled before, so that they measure most of the time.
# shellcheck disable=SC2086
gw tune --m 4,8,16,24,32,40,48 --gemm 8x64x64 --threads 1 --budget 20 --protocol quick --strategy random --db warm.db

echo "== different databases"
both one.db "$first" two.db "$second"
[ "$(first_begin two.db 1)" -gt "$(last_end one.db 1)" ] || fail "the second run measured before the first ended"

echo "== the same database"
both same.db "$first" same.db "$second"
[ "$(first_begin same.db "m = 4")" -gt "$(last_end same.db "m != 4")" ] || fail "the second run measured before the first ended"

echo "== the same study"
both study.db "$first" study.db "$first"
expect "studies" "$(sql study.db "SELECT count(*), count(DISTINCT key) FROM study")" "6|6"

echo "two tuning runs never measured at once"
cd /
rm -rf "$scratch"
