#!/bin/sh
# Kills gemwright and its workers at fixed, arbitrary moments of a session: nothing that was recorded goes away, no process is
# left behind, and the same command goes on to the end.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/processes.sh"
begin
warm=$GEMWRIGHT_CACHE
db=$work/killed.db

# A session of some five seconds, and a short one.
long="tune --m 8,16,24,32,40,48,56,64 --gemm 8x64x64 --threads 1 --budget 6 --protocol careful --db $db"
short="tune --gemm 12x64x64 --threads 1 --budget 6 --protocol careful --db $db"
# What they compile is compiled before: they shall spend the time on measuring.
# shellcheck disable=SC2086
gw tune --m 8,12,16,24,32,40,48,56,64 --gemm 8x64x64 --threads 1 $quick --db warm.db

# The database, looked at in a copy: the next run of gemwright finds the files as the killed one left them.
: > rows_before
check_database() {
  rm -rf copy
  mkdir copy
  cp "$db"* copy/
  rm -f copy/*-shm
  copy=copy/$(basename "$db")
  expect "$1: integrity" "$(sql "$copy" 'PRAGMA integrity_check')" ok
  expect "$1: dangling rows" "$(sql "$copy" 'PRAGMA foreign_key_check')" ""
  sql "$copy" "SELECT 'sample', s.* FROM sample s" | sort > rows_after
  sql "$copy" "SELECT 'trial', id, study_id, seq, config_id, origin FROM trial" | sort >> rows_after
  sort -o rows_after rows_after
  expect "$1: rows that went away" "$(comm -23 rows_before rows_after | wc -l)" 0
  mv rows_after rows_before
}

check_round() {
  expect_no_process "$1"
  [ ! -e "$db" ] || check_database "$1"
  echo "$1: exit code $status, $(wc -l < rows_before) rows"
}

echo "== gemwright is killed"
fresh=
for moment in 0.1 0.6 0.3 0.8 0.45; do
  # shellcheck disable=SC2086
  start $long $fresh
  fresh=
  sleep $moment
  kill -KILL "$pid" 2>/dev/null || true
  finish
  if [ "$status" = 0 ]; then fresh=--fresh; else expect "exit code" "$status" 137; fi
  check_round "killed after $moment s"
  if [ -s "$db" ]; then
    run show trials --json --db "$db"
    [ "$status" = 0 ] || grep -q 'is empty' err || fail "show does not read what a killed process left"
  fi
done

echo "== gemwright is killed while compilers run"
GEMWRIGHT_CACHE=$work/cold
for moment in 0.7 1.2; do
  # shellcheck disable=SC2086
  start $short
  sleep $moment
  kill -KILL "$pid" 2>/dev/null || true
  finish
  check_round "killed after $moment s"
done
# shellcheck disable=SC2086
gw $short
GEMWRIGHT_CACHE=$warm

echo "== the worker is killed"
for round in "guard 0.3" "candidate_runner 0.5" "candidate_runner 0.2" "guard 0.1"; do
  # shellcheck disable=SC2086
  start $short --fresh
  sleep "${round#* }"
  victim=$(${round% *})
  # shellcheck disable=SC2086
  [ -z "$victim" ] || kill -KILL $victim 2>/dev/null || true
  finish
  # A worker that dies while it times the baseline or the anchor loop ends the study, in good order.
  [ "$status" = 0 ] || grep -q 'failed while it was timed\|the anchor loop failed' err || fail "${round% *} killed: exit code $status"
  check_round "${round% *} killed after ${round#* } s"
  # shellcheck disable=SC2086
  gw $short
done

echo "== killed between the last admission and the first block"
# Too short a moment to hit: the database is put into the state that it leaves. The budget is spent, nothing is timed.
# shellcheck disable=SC2086
gw tune --gemm 8x64x64 --threads 1 $quick --db early.db
sql early.db "DELETE FROM tie; DELETE FROM outcome; DELETE FROM estimate; DELETE FROM sample;
  UPDATE study SET state = 'running'; UPDATE trial SET state = 'running', reason = '', ended_at = NULL"
# shellcheck disable=SC2086
gw tune --gemm 8x64x64 --threads 1 $quick --db early.db
expect "studies" "$(sql early.db 'SELECT state, count(*) FROM study GROUP BY 1')" "finished|1"
expect "trials that were forgotten" "$(sql early.db "SELECT count(*) FROM trial WHERE state = 'running'")" 0

echo "== interrupted"
for target in "" "-"; do  # the process, and its whole group as a terminal does
  # shellcheck disable=SC2086
  start $long --fresh
  sleep 0.5
  kill -INT "$target$pid"
  finish
  expect "exit code of the interrupted session" "$status" 130
  check_round "interrupted"
  expect "sentences" "$(grep -c '^gemwright: interrupted' err)" 1
  expect "states" "$(sql "copy/killed.db" "SELECT state FROM study ORDER BY id DESC LIMIT 1")" interrupted
  gw show studies --filter "state=interrupted" --json --db "$db"
  expect "figures of the interrupted study" "$(json out "SELECT count(*) FROM lines
    WHERE json_type(t, '\$.gflops') != 'null' OR json_type(t, '\$.best_trial') != 'null'")" 0
done

echo "== the same command goes on to the end"
# shellcheck disable=SC2086
gw $long
status=0
check_round "finished"
expect "unfinished studies of the newest generation" "$(sql copy/killed.db "SELECT count(*) FROM study s
  WHERE state != 'finished' AND generation = (SELECT max(generation) FROM study n WHERE n.key = s.key)")" 0
expect "trials still running in finished studies" "$(sql copy/killed.db "SELECT count(*) FROM trial t
  JOIN study s ON s.id = t.study_id WHERE s.state = 'finished' AND t.state = 'running'")" 0
