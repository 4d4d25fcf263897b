#!/bin/sh
# Precision: lists, auto under a bound, the front of error against speed, and headers of every mode.
. "$(dirname "$0")/lib.sh"
begin
db=$work/precision.db
mode_of_winner() { json out "SELECT t ->> 'mode' FROM lines"; }

echo "== a list: interface and mode alike"
# shellcheck disable=SC2086
gw bench --gemm 8x64x80 --precision f32,bf16,u8s8 --threads 1 $quick --db "$db" --json
expect "failures" "$(json out "SELECT count(*) FROM lines WHERE t ->> 'failure' IS NOT NULL")" 0
expect "precisions" \
  "$(json out "SELECT group_concat(p) FROM (SELECT DISTINCT t ->> 'precision' p FROM lines WHERE t ->> 'type' = 'bench')")" \
  f32,bf16,u8s8
expect "problems" "$(sql "$db" 'SELECT group_concat(key) FROM (SELECT key FROM problem ORDER BY key)')" \
  "gemm/bf16/n64/k80/b1/nn/constant/beta0/none,gemm/f32/n64/k80/b1/nn/constant/beta0/none,gemm/u8s8/n64/k80/b1/nn/constant/beta0/none"
# f32 is right to 1e-6, bf16 rounds its result to 2^-9, u8s8 adds whole numbers and rounds once.
expect "errors out of range" "$(json out "SELECT count(*) FROM lines WHERE t ->> 'type' = 'bench' AND NOT
  CASE t ->> 'precision' WHEN 'f32' THEN t ->> 'error' BETWEEN 1e-9 AND 1e-6 WHEN 'bf16' THEN t ->> 'error' BETWEEN 1e-4 AND 5e-3
                         ELSE t ->> 'error' < 1e-6 END")" 0
gw show studies --filter "precision=bf16" --json --db "$db"
expect "bf16 studies" "$(json out 'SELECT count(*) FROM lines')" 1

echo "== a C of u8"
# shellcheck disable=SC2086
gw bench --gemm 8x64x80 --precision u8s8 --epilogue bias+relu+requant --threads 1 $quick --db requant.db --json
expect "failures" "$(json out "SELECT count(*) FROM lines WHERE t ->> 'failure' IS NOT NULL")" 0
# Half of the results are zero and the others lie on 256 steps.
expect "errors out of range" \
  "$(json out "SELECT count(*) FROM lines WHERE t ->> 'type' = 'bench' AND NOT t ->> 'error' BETWEEN 1e-4 AND 2e-2")" 0
gw show trials --json --db requant.db
expect "trials that are wrong" "$(json out "SELECT count(*) FROM lines WHERE t ->> 'state' = 'correctness'")" 0
gw export -o requant.h --db requant.db
for text in c_scale c_zero bias+relu+requant; do grep -q "$text" requant.h || fail "$text is not in the header"; done

echo "== auto keeps the bound"
# The seeds alone try every mode.
tune() { gw tune --gemm 8x96x256 --precision auto --threads 1 --budget 8 --protocol quick --db "$db" --json "$@"; }
tune --max-error 1e-5
expect "the winner's mode under 1e-5" "$(mode_of_winner)" f32
study=$(json out "SELECT t ->> 'id' FROM lines")
gw show trials --filter "study=$study" --json --db "$db"
expect "modes tried" \
  "$(json out "SELECT group_concat(m) FROM (SELECT DISTINCT t ->> 'mode' m FROM lines ORDER BY m)")" bf16,f32,u8s8
expect "trials beyond the bound that are not refused" "$(json out "SELECT count(*) FROM lines
  WHERE t ->> 'error' > 1e-5 AND t ->> 'state' != 'constraint'")" 0
gw show pareto --filter "study=$study" --json --db "$db"
expect "modes with error and speed" "$(json out "SELECT group_concat(m) FROM (SELECT DISTINCT t ->> 'mode' m FROM lines
  WHERE t ->> 'error' IS NOT NULL AND t ->> 'gflops' > 0 ORDER BY m)")" bf16,f32,u8s8
least_error() { # of u8s8 in the study that `tune` answered
  gw show trials --filter "study=$(json out "SELECT t ->> 'id' FROM lines")" --json --db "$db"
  json out "SELECT min(t ->> 'error') FROM lines WHERE t ->> 'mode' = 'u8s8'"
}
tune --max-error 0.5
normal=$(least_error)
tune --max-error 0.5 --data outliers
outliers=$(least_error)
# With outliers a row's scale is coarse for the rest of it.
expect "outliers $outliers against normal $normal" "$(sql :memory: "SELECT $outliers > 1.2 * $normal AND $normal > 1e-3")" 1

echo "== no mode keeps it"
run tune --gemm 8x96x256 --precision auto --max-error 1e-12 --threads 1 --budget 8 --protocol quick --db none.db
expect "exit code" "$status" 3
grep -q "no admitted mode" err || fail "the reason is not told"
gw show studies --json --db none.db
json out "SELECT t ->> 'failure' FROM lines" | grep -q "no admitted mode" || fail "the study does not keep its reason"

echo "== the header says what it gives up"
gw export -o auto.h --filter "id=$study" --db "$db"
grep -q '"f32"' auto.h || fail "the header does not name its mode"
gw export -o list.h --filter "precision=bf16 or precision=u8s8 or precision=f32" --db "$db"
for text in bf16 u8s8; do grep -q "$text" list.h || fail "$text is not in the header"; done
