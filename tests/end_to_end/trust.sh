#!/bin/sh
# What a user is told about a study and may do to it: counters that are missing are never numbers, every view is valid JSON, a
# running study is paused, resumed and stopped from outside, and a profile says why.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/processes.sh"
begin
db=$work/trust.db
# shellcheck disable=SC2086
gw tune --gemm 8x64x64 --threads 1 $quick --db "$db"
winner=$(sql "$db" "SELECT best_trial_id FROM outcome")

# Every line of out is an object with a type, the first one with the version.
valid_lines() {
  [ -s out ] || fail "$1: no line"
  expect "$1: lines that are no JSON objects with a type" "$(json out "SELECT count(*) FROM lines
    WHERE NOT json_valid(t) OR json_type(t) != 'object' OR t ->> 'type' IS NULL")" 0
  expect "$1: versions" "$(json out "SELECT count(*) FROM lines WHERE t ->> 'version' = 1")" 1
}
# said TEXT: in the refusal of the last run.
said() { grep -qF -e "$1" err || fail "the sentence does not say '$1'"; }

echo "== views"
for what in studies trials counters roofline pareto importance heatmap; do
  gw show $what --json --db "$db"
  valid_lines "show $what"
  gw show $what --db "$db"
  [ -s out ] || fail "show $what: no table"
done
gw show roofline --json --db "$db"
expect "trials without a share of a roof" "$(json out "SELECT count(*) FROM lines
  WHERE t ->> 'type' = 'roofline' AND (t ->> 'share' IS NULL OR t ->> 'binding_name' IS NULL)")" 0
[ "$(json out "SELECT count(*) FROM lines WHERE t ->> 'type' = 'ceiling'")" -gt 0 ] || fail "no ceiling"
gw show studies --json --db "$db"
expect "studies without noise floor, tally or state of the winner" "$(json out "SELECT count(*) FROM lines
  WHERE t ->> 'noise_floor' IS NULL OR t ->> 'blocks' IS NULL OR t ->> 'certified' IS NULL OR t ->> 'excluded' IS NULL")" 0

echo "== missing counters"
missing="('unsupported', 'denied', 'failed', 'not_counted')"
gw show counters --json --db "$db"
[ "$(json out "SELECT count(*) FROM lines WHERE t ->> 'value' IS NOT NULL")" -gt 0 ] || fail "no counter has a value"
[ "$(json out "SELECT count(*) FROM lines WHERE t ->> 'trial' = $winner")" -gt 0 ] || fail "the winner has no counters"
expect "missing counters with a value in JSON" "$(json out "SELECT count(*) FROM lines
  WHERE t ->> 'status' IN $missing AND (json_type(t, '\$.value') != 'null' OR t ->> 'reason' IS NULL)")" 0
expect "counters without a value and without such a status" "$(json out "SELECT count(*) FROM lines
  WHERE t ->> 'status' NOT IN $missing AND t ->> 'value' IS NULL")" 0
expect "missing counters with a value in the database" \
  "$(sql "$db" "SELECT count(*) FROM counter WHERE status IN $missing AND value IS NOT NULL")" 0
! sqlite3 "$db" "UPDATE counter SET value = 0 WHERE status IN $missing;
  INSERT INTO counter (study_id, subject_id, place, counter_def_id, status, value, calls, reason)
  SELECT study_id, subject_id, 9999, counter_def_id, 'denied', 0, 1, 'x' FROM counter LIMIT 1" 2> /dev/null \
  || fail "the database takes a value for a missing counter"
gw show counters --db "$db"
grep -E ' (unsupported|denied|failed|not_counted) ' out > rows || true
expect "missing counters with a number in the table" "$(grep -vcE ' -  [a-z]+ ' rows || true)" 0

echo "== compare and profile"
run compare "trial:$winner" "trial:$winner" --db "$db"
expect "exit code of a trial compared with itself" "$status" 2
said "the same trial"
cp "$db" same.db
gw compare "$db" same.db --fail-if-slower 3%
gw profile "$winner" --db "$db"
grep -q '^why$' out || fail "the profile gives no reasons"
gw profile "$winner" --json --db "$db"
valid_lines "profile"
gw profile study:1 --annotate --db "$db"
grep -qE 'v?f?n?m(ul|add)[0-9]*[ps]s .*multiply-add' out || fail "the annotated loop has no multiply-adds"
grep -q 'vector registers' out || fail "the annotated loop counts no registers"
uncounted=$(sql "$db" "SELECT t.id FROM trial t JOIN subject s ON s.trial_id = t.id WHERE t.state = 'ok'
  AND s.id NOT IN (SELECT subject_id FROM counter) ORDER BY t.id LIMIT 1")
[ -n "$uncounted" ] || fail "every trial was counted"
gw profile "$uncounted" --db "$db"
gw show counters --json --filter "trial=$uncounted" --db "$db"
valid_lines "counters of a trial that was counted by profile"
# shellcheck disable=SC2086
gw profile --gemm 8x64x64 --threads 1 $quick --json --db "$db"
expect "the profile of a winner" "$(json out "SELECT t ->> 'trial' FROM lines WHERE t ->> 'type' = 'profile'")" "$winner"
# As if it came from another machine, and from another compiler.
other=0123456789abcdef0123456789abcdef
for what in "device fingerprint" "build digest"; do
  cp "$db" other.db
  old=$(sql other.db "SELECT ${what#* } FROM ${what% *}")
  sqlite3 other.db "UPDATE ${what% *} SET ${what#* } = '$other'; UPDATE study SET key = replace(key, '$old', '$other')"
  run profile "$winner" --again --db other.db
  expect "exit code of counting for another ${what% *}" "$status" 1
  said "another ${what% *}"
  gw profile "$winner" --db other.db
done

echo "== doctor"
gw doctor --json --db "$db"
valid_lines "doctor"
expect "noise floors" "$(json out "SELECT count(*) FROM lines WHERE t ->> 'name' LIKE 'noise floor%'")" 2
[ "$(json out "SELECT count(*) FROM lines WHERE t ->> 'section' = 'ceilings' AND t ->> 'value' IS NOT NULL")" -gt 0 ] ||
  fail "doctor measured no ceiling"
gw doctor --db "$db"

echo "== steering"
for action in "pause" "stop" "again 999" "extend 30s"; do
  # shellcheck disable=SC2086
  run steer 1 $action --db "$db"
  [ "$status" != 0 ] && [ "$(wc -l < err)" = 1 ] || fail "not refused: steer 1 $action"
done
expect "events of what was refused" "$(sql "$db" "SELECT count(*) FROM event")" 0
gw steer 1 extend 3 --db "$db"
grep -q 'runs next' out || fail "it is not said when an extension takes effect"

# eventually SQL WANTED: waits until the database says so.
eventually() {
  for _ in $(seq 200); do
    [ "$(sql "$db" "$1" 2> /dev/null || true)" != "$2" ] || return 0
    sleep 0.1
  done
  fail "this did not come: $1 is $2"
}
steer() {
  "$gemwright" steer 2 "$@" --db "$db" > steer_out 2> steer_err || fail "steer 2 $*: $(cat steer_err)"
}
samples="SELECT count(*) FROM sample s JOIN subject j ON j.id = s.subject_id WHERE j.study_id = 2"
applied="SELECT count(*) FROM event WHERE study_id = 2 AND applied_round IS NOT NULL"
start tune --gemm 8x96x96 --threads 1 --budget 10m --protocol quick --db "$db"
eventually "SELECT state, ($samples) > 20 FROM study WHERE id = 2" "running|1"
expect "the state of a running study" \
  "$("$gemwright" show studies --filter id=2 --json --db "$db" | sed 's/.*"runner_alive":\([a-z]*\).*"state":"\([a-z]*\)".*/\1 \2/')" \
  "true running"
"$gemwright" doctor --db "$db" > doctor_out 2>&1 || fail "doctor fails while a study runs"
grep -q 'running studies.*process' doctor_out || fail "doctor does not tell the running study"
steer pause
eventually "$applied" 1
before=$(sql "$db" "$samples")
sleep 1
expect "samples of a paused study" "$(sql "$db" "$samples")" "$before"
steer resume
eventually "$applied" 2
eventually "SELECT ($samples) > $before" 1
steer veto mr=3
eventually "$applied" 3
steer stop
finish
expect "exit code of the study that was stopped" "$status" 0
expect "its end" "$(sql "$db" "SELECT state, best_trial_id IS NOT NULL FROM study s JOIN outcome o ON o.study_id = s.id WHERE s.id = 2")" \
  "finished|1"
expect "events without effect" "$(sql "$db" "SELECT count(*) FROM event WHERE study_id = 2 AND applied_round IS NULL")" 0

echo "== abandoned"
start tune --gemm 8x160x96 --threads 1 --budget 10m --protocol quick --db "$db"
eventually "SELECT state, (SELECT count(*) FROM trial WHERE study_id = 3) > 0 FROM study WHERE id = 3" "running|1"
kill -KILL "$pid"
finish
expect_no_process "killed"
gw show studies --filter id=3 --db "$db"
grep -q abandoned out || fail "the study of a killed process is not told as abandoned"
gw show studies --filter "id=3 and state=interrupted and runner_alive=false" --json --db "$db"
valid_lines "the abandoned study"
run steer 3 pause --db "$db"
[ "$status" = 1 ] || fail "an abandoned study can be paused"
said "its state is abandoned"
