#!/bin/sh
# Whether verdicts can be believed on this machine. By hand, on a quiet machine; about ten minutes.
#   100 A/A studies (two identical candidates) may name a winner in at most 3;
#   40 hot studies with a planted slowdown of 3 % must find it in at least 38, 40 cold ones with 5 % in at least 36;
#   baseline and kernel keep their run-alone speed in interleaved rounds, on one and two threads (printed).
# Usage: sh tests/trust/verdicts.sh [build folder]. Exit code 1 when a bar is missed.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
trust="${1:-$root/build-tests}/tests/trust/trust"
[ -x "$trust" ] || { echo "build first: sh tests/run.sh, or name the build folder" >&2; exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
missed=0

# bar NAME FIELD COMPARISON NUMBER: FIELD is the word before which the number stands in the last line.
bar() {
  tail -n 1 "$log"
  count=$(tail -n 1 "$log" | sed -n "s/.*[ :]\([0-9][0-9]*\) $2.*/\1/p")
  if [ -n "$count" ] && [ "$count" "$3" "$4" ]; then echo "  holds: $1"; else echo "  MISSED: $1"; missed=1; fi
}

"$trust" aa 50 hot >"$log"
hot=$(tail -n 1 "$log" | sed -n 's/.*: \([0-9]*\) named.*/\1/p')
tail -n 1 "$log"
"$trust" aa 50 cold >"$log"
cold=$(tail -n 1 "$log" | sed -n 's/.*: \([0-9]*\) named.*/\1/p')
tail -n 1 "$log"
if [ $((hot + cold)) -le 3 ]; then echo "  holds: 100 A/A studies name at most 3 winners"; else echo "  MISSED: A/A"; missed=1; fi
"$trust" planted 40 hot 3 >"$log"
bar "3 % is found in at least 38 of 40 hot studies" "of them the right one" -ge 38
"$trust" planted 40 cold 5 >"$log"
bar "5 % is found in at least 36 of 40 cold studies" "of them the right one" -ge 36
"$trust" alone
exit $missed
