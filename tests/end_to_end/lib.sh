# Sourced by the scripts of this folder, which drive the real binary as a user's shell does.
# Usage of each: sh SCRIPT.sh WORK_FOLDER, with the binary in $GEMWRIGHT. Exit code 77: skipped, with the reason printed.
set -eu
export LC_ALL=C

skip() {
  echo "skipped: $*"
  exit 77
}

fail() {
  echo "FAILED: $*" >&2
  for stream in out err; do
    [ -f "$work/$stream" ] && [ -s "$work/$stream" ] || continue
    echo "--- last $stream:" >&2
    head -c 4000 "$work/$stream" >&2
  done
  exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: $0 WORK_FOLDER" >&2; exit 2; }
gemwright=${GEMWRIGHT:?the path of the binary under test}
command -v sqlite3 >/dev/null 2>&1 || skip "sqlite3 is not installed"
mkdir -p "$1"
work=$(cd "$1" && pwd)

# The lock of the machine lies here: a test neither waits for a tuning session of the user nor stops one.
GEMWRIGHT_LOCK=$work/gemwright.lock
# What one test compiled the others need not compile again.
GEMWRIGHT_CACHE=${GEMWRIGHT_CACHE:-$(dirname "$work")/kernel-cache}
export GEMWRIGHT_LOCK GEMWRIGHT_CACHE
unset GEMWRIGHT_DB GEMWRIGHT_PRESETS

# An empty work folder as current folder.
begin() {
  chmod -R u+rwX "$work"
  rm -rf "${work:?}"/*
  cd "$work"
}

# Runs gemwright; its streams are in out and err, its exit code in $status.
run() {
  status=0
  "$gemwright" "$@" >"$work/out" 2>"$work/err" || status=$?
}

# The same, and it has to succeed.
gw() {
  run "$@"
  [ "$status" = 0 ] || fail "exit code $status of: gemwright $*"
}

# An answer of a database.
sql() { sqlite3 -batch -noheader "$1" "$2"; }

# An answer about a file of JSON lines: the table is lines(t), one object a row.
json() {
  sqlite3 -batch -noheader :memory: "CREATE TABLE lines (t TEXT)" ".mode ascii" '.separator "\037" "\n"' \
    ".import $1 lines" ".mode list" "$2"
}

expect() {
  [ "$2" = "$3" ] || fail "$1: $2, not $3"
}

# A tuning run that takes about a second: tiny products, few configs.
quick="--budget 6 --protocol quick"
