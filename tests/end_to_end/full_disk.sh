#!/bin/sh
# A disk that fills up while a study runs: one sentence, an intact database, and the same command goes on once there is room.
. "$(dirname "$0")/lib.sh"
if [ -z "${GEMWRIGHT_SMALL_DISK:-}" ]; then
  # A mount namespace of its own: the small disk goes away with this script, however it ends.
  private=-m
  [ "$(id -u)" = 0 ] || private=-rm
  unshare $private mount -t tmpfs tmpfs "$work" 2> "$work/err" || skip "no small disk can be mounted: $(cat "$work/err")"
  GEMWRIGHT_SMALL_DISK=yes exec unshare $private sh "$0" "$@"
fi
begin
mkdir disk
mount -t tmpfs -o size=4096k tmpfs disk
dd if=/dev/zero of=disk/ballast bs=1k count=3696 2> dd.log || fail "the small disk cannot be filled"

# shellcheck disable=SC2086
tune() { run tune --gemm 8x64x64 --threads 1 $quick --db disk/full.db; }
rows() { sql disk/full.db 'SELECT study_id, seq, config_id FROM trial; SELECT * FROM sample' | sort; }

tune
expect "exit code" "$status" 1
expect "sentences" "$(grep -c '^gemwright: ' err)" 1
grep -q '^gemwright: the disk of disk/full.db is full: free some space' err || fail "the full disk is not named"
expect "integrity" "$(sql disk/full.db 'PRAGMA integrity_check')" ok
[ "$(sql disk/full.db 'SELECT count(*) FROM trial')" -gt 0 ] || fail "the disk was full before the first trial: nothing was tested"
rows > before

tune
expect "exit code while the disk is still full" "$status" 1
expect "integrity" "$(sql disk/full.db 'PRAGMA integrity_check')" ok

rm disk/ballast
tune
expect "exit code with space again" "$status" 0
rows > after
expect "rows that went away" "$(comm -23 before after | wc -l)" 0
expect "studies" "$(sql disk/full.db 'SELECT state, generation FROM study')" "finished|0"
