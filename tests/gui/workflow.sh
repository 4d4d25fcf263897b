#!/bin/sh
# A person's whole way through the real window under a virtual screen, by keys: a first study is typed and tuned, watched
# until it is finished, exported, and the header is that of the command line; then a study is left in the middle.
# Usage: sh workflow.sh WORK_FOLDER. Exit code 77: skipped, with the reason printed.
. "$(dirname "$0")/../end_to_end/lib.sh"
gui=${GEMWRIGHT_GUI:?the path of the window under test}
for tool in xvfb-run xauth xdotool pgrep; do
  command -v $tool >/dev/null 2>&1 || skip "$tool is not installed"
done
begin

XDG_CONFIG_HOME=$work/config LIBGL_ALWAYS_SOFTWARE=1 LP_NUM_THREADS=1
export XDG_CONFIG_HOME LIBGL_ALWAYS_SOFTWARE LP_NUM_THREADS
on_screen() { xvfb-run -a -s "-screen 0 1600x1000x24 +extension GLX +render -noreset" "$@"; }
on_screen true >out 2>&1 || skip "no virtual screen can be had: $(tail -1 out)"

# What both sessions share: the window is started with the database given and focused; keys as slowly as a hand's.
cat >session.sh <<'SESSION'
"$1" --db tuned.db --view run --ready-file ready >gui.out 2>gui.err &
pid=$!
trap 'kill $pid 2>/dev/null' EXIT
give_up() { echo "$*" >>gui.err; exit 1; }
# Waits until a command succeeds: so many tenths of a second.
wait_for() {
  tries=$1; shift
  while ! "$@" >/dev/null 2>&1; do
    kill -0 $pid 2>/dev/null || give_up "the window is gone"
    tries=$((tries - 1)); [ $tries -gt 0 ] || give_up "in vain: $*"
    sleep 0.1
  done
}
ctrl() { xdotool keydown ctrl; sleep 0.2; xdotool key "$1"; sleep 0.2; xdotool keyup ctrl; sleep 0.4; }
has_study() { [ "$(sqlite3 tuned.db "SELECT count(*) FROM study WHERE $1")" -ge "${2:-1}" ]; }
ended() { ! kill -0 $pid 2>/dev/null; }
wait_for 300 [ -e ready ]
timeout 20 xdotool search --sync --onlyvisible --name '^gemwright$' windowfocus --sync || give_up "no window"
# A new study: the field of the sizes has the keyboard.
ctrl n
sleep 1
xdotool type --delay 40 "$2"
sleep 2
xdotool key F5
wait_for 300 [ -e tuned.db ]
SESSION
cp session.sh tune.sh
cat >>tune.sh <<'SESSION'
# The worker has every CPU, also the one that the window leaves alone.
wait_for 300 has_study "state = 'running'"
worker=$(pgrep -P $pid | head -1)
[ "$(grep Cpus_allowed_list /proc/"$worker"/status)" = "$(grep Cpus_allowed_list /proc/$$/status)" ] ||
  give_up "the worker has fewer CPUs than there are: $(grep Cpus_allowed_list /proc/"$worker"/status)"
wait_for 1200 has_study "state = 'finished'"
sleep 2
ctrl s
wait_for 100 [ -e tuned_gemm.h ]
sleep 1
ctrl q
tries=100
while ! ended && [ $tries -gt 0 ]; do tries=$((tries - 1)); sleep 0.1; done
trap - EXIT
wait $pid
SESSION
cp session.sh leave.sh
cat >>leave.sh <<'SESSION'
wait_for 600 has_study "state = 'running' AND m = 5"
sleep 1
ctrl q
# Promptly, whatever is being measured.
tries=100
while ! ended && [ $tries -gt 0 ]; do tries=$((tries - 1)); sleep 0.1; done
ended || give_up "the window does not close"
trap - EXIT
wait $pid
SESSION

on_screen timeout 250 sh tune.sh "$gui" 4x64x64 || { cat gui.err >&2; fail "the session that tunes did not end well"; }
expect "finished studies" "$(sql tuned.db "SELECT count(*) FROM study WHERE state = 'finished'")" 1
"$gemwright" export -o cli.h --db tuned.db >out 2>err || fail "export"
cmp tuned_gemm.h cli.h || fail "the window and the command line export different headers"
winner=$("$gemwright" show studies --db tuned.db --json 2>err | head -1)
case $winner in *'"best_trial":'[0-9]*) ;; *) fail "the study has no winner: $winner" ;; esac

rm -f ready
on_screen timeout 120 sh leave.sh "$gui" 5x512x512 || { cat gui.err >&2; fail "the session that leaves did not end well"; }
expect "the study that was left" "$(sql tuned.db "SELECT state FROM study WHERE m = 5")" interrupted
grep -q tuned.db config/gemwright/window.json || fail "the window does not remember the database"
echo "a study is tuned, exported and left from the window"
