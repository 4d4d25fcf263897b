#!/bin/sh
# `doctor --ui-impact` with as few rounds as tell anything: it opens and closes the real window on a virtual screen, prints
# its figures and answers by its exit code. Which it is depends on the machine and is not checked here.
# Usage: sh ui_impact.sh WORK_FOLDER. Exit code 77: skipped, with the reason printed.
. "$(dirname "$0")/../end_to_end/lib.sh"
gui=${GEMWRIGHT_GUI:?the path of the window under test}
for tool in Xvfb python3; do
  command -v $tool >/dev/null 2>&1 || skip "$tool is not installed"
done
begin
LIBGL_ALWAYS_SOFTWARE=1 TMPDIR=$work
unset DISPLAY WAYLAND_DISPLAY
export LIBGL_ALWAYS_SOFTWARE TMPDIR

code=0
"$gemwright" doctor --ui-impact --rounds 6 --json >out 2>err || code=$?
[ $code -eq 0 ] || [ $code -eq 4 ] || fail "exit code $code: $(cat err)"
python3 - $code <<'CHECK' || fail "not as promised: $(cat out)"
import json, sys
lines = [json.loads(line) for line in open("out")]
assert len(lines) == 1
x = lines[0]
assert x["type"] == "ui_impact" and x["version"] == 1 and x["threads"] == 1 and x["rounds"] == 6
assert x["time_ratio_lo"] <= x["time_ratio"] <= x["time_ratio_hi"]
assert x["noise_lo"] <= x["noise_hi"] and x["noise_floor"] >= 0
assert x["can_tell"] == (x["noise_floor"] <= 0.1)
assert x["holds"] == (x["contains_one"] and x["narrow"] and x["can_tell"]) == (sys.argv[1] == "0")
assert x["display"] == "Xvfb" and x["rows"] > 0
assert x["window_cpu_seconds"] > 0, "the window showed nothing"
CHECK
[ "$(grep -c '^round' err)" -eq 6 ] || fail "no progress"
[ -z "$(find "$work" -name 'gemwright-impact-*')" ] || fail "it leaves its folder"

# Reasons, in a sentence each.
refused() {
  code=0
  "$@" >out 2>err || code=$?
  [ $code -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] || fail "exit code $code: $(cat err)"
}
mkdir alone
cp "$gemwright" alone/gemwright
refused alone/gemwright doctor --ui-impact
grep -q 'there is no window: gemwright-gui is not in' err || fail "no window: $(cat err)"
refused env PATH=/nowhere "$gemwright" doctor --ui-impact
grep -q 'no display, and no Xvfb' err || fail "no display: $(cat err)"
refused env DISPLAY=:987 "$gemwright" doctor --ui-impact
grep -q 'the window does not open: no window: there is no display' err || fail "a display that is not there: $(cat err)"
for wrong in '--rounds 9' '--ui-impact --rounds 5' '--ui-impact --rounds many'; do
  code=0
  # shellcheck disable=SC2086
  "$gemwright" doctor $wrong >out 2>err || code=$?
  [ $code -eq 2 ] || fail "$wrong: exit code $code"
done

# Interrupted: while it waits for a display that does not come, and while the window is open. What it started is gone.
interrupted() {
  signal=$1 wanted=$2
  shift 2
  "$@" >out 2>err &
  pid=$!
  tries=0
  until $wanted; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] && kill -0 $pid 2>/dev/null || fail "it does not come so far: $(cat err)"
    sleep 0.1
  done
  children=$(ps -o pid= --ppid $pid)
  [ -n "$children" ] || fail "it started nothing"
  kill -"$signal" $pid
  code=0
  wait $pid || code=$?
  [ $code -eq 130 ] || fail "SIG$signal: exit code $code: $(cat err)"
  for child in $children; do
    ! kill -0 "$child" 2>/dev/null || fail "SIG$signal: process $child is left"
  done
  [ -z "$(find "$work" -name 'gemwright-impact-*')" ] || fail "SIG$signal: it leaves its folder"
}
mkdir slow
printf '#!/bin/sh\ntouch "%s/waits"\nexec sleep 1000\n' "$work" >slow/Xvfb
chmod +x slow/Xvfb
waits() { [ -e "$work/waits" ]; }
measures() { grep -q '^a window is opened' err; }
if command -v ps >/dev/null 2>&1; then
  interrupted INT waits env PATH="$work/slow:$PATH" "$gemwright" doctor --ui-impact
  interrupted HUP measures "$gemwright" doctor --ui-impact
fi

# Another process measures.
lock=$work/machine.lock
GEMWRIGHT_LOCK=$lock
export GEMWRIGHT_LOCK
: >"$lock"
if command -v flock >/dev/null 2>&1; then
  refused flock "$lock" "$gemwright" doctor --ui-impact
  grep -q 'measures on this machine' err || fail "a machine that is measured: $(cat err)"
fi
echo "the window's impact is measured and told, or why not"
