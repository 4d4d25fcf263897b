#!/bin/sh
# Tune, look, export, build, run; then tune the same again, anew, and longer.
. "$(dirname "$0")/lib.sh"
begin
db=$work/tuned.db

printf 'name,m,n,k,epilogue\nplain,8/24,64,64,none\nfused,8/24,48,80,bias+relu+add\n' > shapes.csv
# shellcheck disable=SC2086
tune() { gw tune --shapes shapes.csv --threads 1,2 $quick --db "$db" "$@"; }

echo "== tune"
tune --json
expect "lines" "$(json out 'SELECT count(*) FROM lines')" 8
cp out first_run
expect "studies" "$(sql "$db" "SELECT count(*) FROM study WHERE state = 'finished'")" 8
expect "integrity" "$(sql "$db" 'PRAGMA integrity_check')" ok
trials=$(sql "$db" 'SELECT count(*) FROM trial')
samples=$(sql "$db" 'SELECT count(*) FROM sample')
[ "$trials" -ge 48 ] || fail "8 studies of at least 6 configs have $trials trials"

echo "== show"
# check_types FILE FIELD TYPES: every line has the field, with one of the types.
check_types() {
  expect "lines of $1 where $2 is none of $3" \
    "$(json "$1" "SELECT count(*) FROM lines WHERE coalesce(json_type(t, '\$.$2'), 'absent') NOT IN ($3)")" 0
}
gw show studies --json --db "$db"
cp out studies.json
for file in studies.json first_run; do
  expect "studies in $file" "$(json $file "SELECT count(*) FROM lines WHERE t ->> 'type' = 'study'")" 8
  expect "version" "$(json $file "SELECT group_concat(t ->> 'version') FROM lines")" 1
  expect "first line's version" "$(json $file "SELECT t ->> 'version' FROM lines WHERE rowid = 1")" 1
  for field in id m trials best_trial; do check_types $file $field "'integer'"; done
  for field in problem device state verdict; do check_types $file $field "'text'"; done
  check_types $file gflops "'real'"
  for field in ratio ratio_lo ratio_hi; do check_types $file $field "'real','null'"; done
done
expect "verdicts" "$(json studies.json "SELECT count(*) FROM lines WHERE t ->> 'verdict' = ''")" 0
# With a baseline there is a ratio, without one there is null and the reason.
expect "ratios without a baseline" "$(json studies.json "SELECT count(*) FROM lines
  WHERE (t ->> 'baseline' IS NULL) != (t ->> 'ratio' IS NULL)
     OR (t ->> 'baseline' IS NULL) != (t ->> 'baseline_reason' IS NOT NULL)")" 0

gw show trials --json --db "$db"
expect "trials" "$(json out 'SELECT count(*) FROM lines')" "$trials"
for field in id study; do check_types out $field "'integer'"; done
check_types out state "'text'"
check_types out config "'object'"
for field in gflops error; do check_types out $field "'real','null'"; done
check_types out reason "'text','null'"
expect "values that are 0 or empty instead of null" "$(json out "SELECT count(*) FROM lines
  WHERE t ->> 'gflops' = 0 OR t ->> 'ratio' = 0 OR t ->> 'reason' = ''")" 0
expect "trials that are ok with a reason" \
  "$(json out "SELECT count(*) FROM lines WHERE t ->> 'state' = 'ok' AND t ->> 'reason' IS NOT NULL")" 0

gw show trials --filter "state=ok and m=8 and threads=2" --json --db "$db"
expect "filtered trials" "$(json out 'SELECT count(*) FROM lines')" "$(sql "$db" "SELECT count(*) FROM trial t
  JOIN study s ON s.id = t.study_id JOIN device d ON d.id = s.device_id
  WHERE t.state = 'ok' AND s.m = 8 AND d.threads = 2")"
expect "others" "$(json out "SELECT count(*) FROM lines WHERE t ->> 'state' != 'ok' OR t ->> 'm' != 8 OR t ->> 'threads' != 2")" 0
gw show studies --filter "name=fused" --db "$db"
expect "rows of the table" "$(grep -c 'bias+relu+add' out)" 4
! grep -q plain out || fail "the filter let another problem through"

echo "== export"
gw export -o tuned.h --db "$db"
grep -q 'tuned::plain' out && grep -q 'tuned::fused' out || fail "the namespaces are not named"
expect "recorded exports" "$(sql "$db" "SELECT count(*) FROM export WHERE path = 'tuned.h'")" 1
cp tuned.h first.h
gw export -o tuned.h --db "$db"
cmp -s tuned.h first.h || fail "two exports of one database differ"

echo "== build and run"
for compiler in g++ clang++; do
  command -v $compiler >/dev/null 2>&1 || { echo "not checked with $compiler: it is not installed"; continue; }
  $compiler -std=c++17 -O2 -Wall -Wextra -Wconversion -Werror -pthread -I. -I"$here/../consumer" "$here/product_check.cpp" \
    -o product_check || fail "$compiler does not accept the header"
  ./product_check || fail "wrong results with $compiler"
done

echo "== the same again"
counts() { sql "$db" "SELECT (SELECT count(*) FROM study), (SELECT count(*) FROM trial), (SELECT count(*) FROM sample)"; }
tune
expect "studies that were known" "$(grep -c '(known before)' out)" 8
expect "rows" "$(counts)" "8|$trials|$samples"
tune --json
expect "reused studies" "$(json out "SELECT count(*) FROM lines WHERE json_type(t, '\$.reused') = 'true'")" 8

echo "== anew"
old_trials() { sql "$db" "SELECT t.* FROM trial t JOIN study s ON s.id = t.study_id WHERE s.generation = 0 ORDER BY t.id"; }
old_trials > before
tune --m 8 --fresh
! grep -q 'known before' out || fail "--fresh took what was there"
expect "generations" "$(sql "$db" 'SELECT generation, count(*) FROM study GROUP BY 1')" "0|8
1|4"
old_trials | cmp -s - before || fail "--fresh changed trials of the generation before"

echo "== longer"
sql "$db" 'SELECT study_id, seq, config_id FROM trial' | sort > before
trials=$(sql "$db" 'SELECT count(*) FROM trial')
gw tune --shapes shapes.csv --m 8 --threads 1 --budget 8 --protocol quick --db "$db"
! grep -q 'known before' out || fail "a larger budget did not extend the study"
expect "generations" "$(sql "$db" 'SELECT max(generation), count(*) FROM study')" "1|12"
[ "$(sql "$db" 'SELECT count(*) FROM trial')" -gt "$trials" ] || fail "a larger budget tried nothing more"
sql "$db" 'SELECT study_id, seq, config_id FROM trial' | sort > after
expect "trials that went away" "$(comm -23 before after | wc -l)" 0

echo "== nothing valid"
# No config of single precision is this exact: the answer is exit code 3, rows with the reason, and null instead of figures.
# shellcheck disable=SC2086
run tune --gemm 8x64x64 --threads 1 $quick --max-error 1e-12 --db none.db
expect "exit code" "$status" 3
expect "sentences" "$(grep -c '^gemwright: ' err)" 1
gw show studies --json --db none.db
for field in gflops ratio best_trial; do check_types out $field "'null'"; done
gw show trials --json --db none.db
check_types out gflops "'null'"
check_types out reason "'text'"
expect "states" "$(json out "SELECT DISTINCT t ->> 'state' FROM lines")" constraint
