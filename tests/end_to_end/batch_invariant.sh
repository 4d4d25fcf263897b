#!/bin/sh
# --batch-invariant: one reduction class for each mode, and an exported header whose rows have the same bits whatever M
# and the number of threads are.
. "$(dirname "$0")/lib.sh"
begin
command -v g++ >/dev/null 2>&1 || skip "g++ is not installed"
db=$work/invariant.db

# K is long enough for slices, which the study must not choose.
printf 'name,m,n,k,precision,epilogue\nexact,1/7/19,77,2050,f32,none\nhalf,1/7/19,77,2050,bf16,none\nbytes,1/7/19,77,2050,u8s8,bias+gelu_erf\n' \
  > shapes.csv
# shellcheck disable=SC2086
gw tune --shapes shapes.csv --threads 1,2 --batch-invariant $quick --db "$db"
expect "classes of a mode" "$(sql "$db" "SELECT max(n) FROM (SELECT count(DISTINCT t.reduction_class) n FROM trial t
  JOIN study s ON s.id = t.study_id GROUP BY s.problem_id)")" 1
expect "slices of K" "$(sql "$db" "SELECT count(*) FROM config WHERE json ->> 'tk' > 1")" 0
gw export -o invariant.h --db "$db"
expect "tables that say so" "$(grep -c 'constexpr bool batch_invariant = true;' invariant.h)" 3
g++ -std=c++17 -O2 -Wall -Wextra -Werror -I. "$here/batch_invariant.cpp" -o check -pthread
./check > checked || fail "$(cat checked)"
cat checked
