#!/bin/sh
# The real window under a virtual screen with software rendering: a picture of each view of a real study, and a session
# by keys. Usage: sh window.sh WORK_FOLDER. Exit code 77: skipped, with the reason printed.
. "$(dirname "$0")/../end_to_end/lib.sh"
gui=${GEMWRIGHT_GUI:?the path of the window under test}
check="$(cd "$(dirname "$0")" && pwd)/picture_check.py"
for tool in xvfb-run xauth python3; do
  command -v $tool >/dev/null 2>&1 || skip "$tool is not installed"
done
begin

# The same picture everywhere: software rendering with one thread, settings of the test's own.
XDG_CONFIG_HOME=$work/config LIBGL_ALWAYS_SOFTWARE=1 LP_NUM_THREADS=1
export XDG_CONFIG_HOME LIBGL_ALWAYS_SOFTWARE LP_NUM_THREADS
on_screen() { xvfb-run -a -s "-screen 0 1920x1080x24 +extension GLX +render -noreset" "$@"; }

code=0
env -u DISPLAY -u WAYLAND_DISPLAY "$gui" --db none.db >out 2>err || code=$?
[ $code -eq 1 ] || fail "without a display the exit code is $code"
[ "$(wc -l <err)" -eq 1 ] && grep -q 'no display' err || fail "without a display there is no plain sentence"

for wrong in '--view nowhere' '--size 10x10' '--size wide' '--scale 99' '--scale 0' '--study 0' '--theme pink' '--nothing'; do
  code=0
  # shellcheck disable=SC2086
  "$gui" $wrong >out 2>err || code=$?
  [ $code -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] || fail "$wrong: exit code $code"
done
"$gui" --help >out || fail "--help"
grep -q -- --screenshot out || fail "--help does not name --screenshot"

on_screen true >out 2>&1 || skip "no virtual screen can be had: $(tail -1 out)"
"$gemwright" tune --gemm 4x64x64 --budget 12 --protocol quick --db tuned.db >out 2>err || fail "tune"

code=0
on_screen "$gui" --db none.db --screenshot none.png >out 2>err || code=$?
[ $code -eq 1 ] && grep -q 'none.db does not exist' err || fail "a database that is not there: exit code $code"
[ ! -e none.png ] || fail "a picture of nothing was written"

for view in studies run trials roofline heatmap pareto compare export tune parallel importance kernel doctor; do
  on_screen "$gui" --db tuned.db --view $view --size 1280x800 --screenshot $view.png >out 2>err || fail "picture of $view"
  python3 "$check" $view.png 1280 800 || fail "$view is blank"
done
on_screen "$gui" --db tuned.db --view run --size 1920x1080 --scale 1.5 --theme light --screenshot large.png >out 2>err ||
  fail "the large picture"
python3 "$check" large.png 1920 1080 || fail "the large picture is blank"
cmp -s run.png trials.png && fail "two views look the same"
[ ! -e "$work/config" ] || fail "a picture wrote settings"

command -v xdotool >/dev/null 2>&1 || skip "the pictures are right; xdotool for the session is not installed"
# A person's session: it starts, another view comes to the front, a filter is typed, it ends and remembers.
cat >session.sh <<'SESSION'
"$1" --db tuned.db --view run --ready-file ready >gui.out 2>gui.err &
pid=$!
trap 'kill $pid 2>/dev/null' EXIT
tries=0
while [ ! -e ready ] && kill -0 $pid && [ $tries -lt 300 ]; do tries=$((tries + 1)); sleep 0.1; done
[ -e ready ] || exit 1
timeout 20 xdotool search --sync --onlyvisible --name '^gemwright$' windowfocus --sync || exit 1
# As slowly as a hand: a modifier that is let go in the same frame is none.
press() { xdotool keydown ctrl; sleep 0.2; xdotool key "$1"; sleep 0.2; xdotool keyup ctrl; sleep 0.3; }
press 3
press f
xdotool type --delay 30 'state=ok'
sleep 0.5
press q
tries=0
while kill -0 $pid 2>/dev/null && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
[ $tries -lt 100 ] || exit 1
trap - EXIT
wait $pid
SESSION
# What the machine tells comes while nothing else wakes the window.
cat >idle.sh <<'SESSION'
"$1" --db tuned.db --view doctor --no-config --ready-file asked >gui.out 2>gui.err &
pid=$!
tries=0
while [ ! -e asked ] && kill -0 $pid && [ $tries -lt 300 ]; do tries=$((tries + 1)); sleep 0.1; done
kill $pid
wait $pid
[ -e asked ]
SESSION
on_screen timeout 60 sh idle.sh "$gui" || { cat gui.err; fail "an idle window does not show what the machine tells"; }

on_screen timeout 100 sh session.sh "$gui" || { cat gui.err; fail "the session did not end well"; }
grep -q '"view": "trials"' config/gemwright/window.json || fail "the window does not remember its view"
echo "the window starts, draws every view, listens to keys and remembers"
