# Sourced after lib.sh by the scripts that kill processes of gemwright.
command -v setsid >/dev/null 2>&1 || skip "setsid is not installed"
env --default-signal=INT true 2>/dev/null || skip "env cannot give a background process its signals back"

# Runs gemwright in the background as the leader of a session, as a terminal would. Its descendants carry the mark.
start() {
  # shellcheck disable=SC2086
  GEMWRIGHT_TEST_MARK=$work env --default-signal=INT,QUIT setsid "$gemwright" "$@" > out 2> err &
  pid=$!
}

# Waits for its end; the exit code is in $status.
finish() {
  status=0
  wait "$pid" 2> shell_says || status=$?
}

marked() { grep -ls "GEMWRIGHT_TEST_MARK=$work" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }

children_of() {
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v parent="$1" '{
    id = $1
    sub(/^.*\) . /, "")
    if ($1 == parent) print id
  }'
}

# The worker's guard is gemwright's only child, the process that runs candidates is the guard's child that is named so.
guard() { children_of "$pid" | head -n 1; }
candidate_runner() {
  for process in $(children_of "$(guard)"); do
    if tr '\0' ' ' < "/proc/$process/cmdline" 2>/dev/null | grep -q -- '--child'; then echo "$process"; fi
  done
}

# Nothing that was started may outlive gemwright for long; how long is not measured.
expect_no_process() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(marked)" ] || return 0
    sleep 1
  done
  for process in $(marked); do tr '\0' ' ' < "/proc/$process/cmdline" >&2 || true; done
  fail "$1: processes are left behind"
}
