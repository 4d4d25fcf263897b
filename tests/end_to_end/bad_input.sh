#!/bin/sh
# What a user gets wrong, and files that are broken or hostile: one sentence, the right exit code, nothing on standard output,
# and the database as it was.
. "$(dirname "$0")/lib.sh"
begin

# The files of a database, log included; "none" when there are none.
state_of() {
  set -- "$1" "$1"-*
  for file in "$@"; do
    if [ -d "$file" ]; then ls -la "$file"; elif [ -f "$file" ]; then cksum "$file"; fi
  done > "$work/state"
  [ -s "$work/state" ] && cat "$work/state" || echo none
}

checked=0
# refused CODE TEXT ARGUMENT...: gemwright ends with CODE and one sentence with TEXT in it. Looks after the database $db.
refused() {
  code=$1 text=$2
  shift 2
  before=$(state_of "$db")
  run "$@"
  [ "$status" = "$code" ] || fail "exit code $status, not $code, of: gemwright $*"
  [ ! -s out ] || fail "standard output is not empty after: gemwright $*"
  [ "$(wc -l < err)" = 1 ] && grep -q '^gemwright: .\{12,\}$' err || fail "not one sentence of: gemwright $*"
  ! grep -q 'terminate called\|what():\|exception\|Assertion\|Sanitizer' err || fail "an inner failure shows: gemwright $*"
  grep -qF -e "$text" err || fail "the sentence does not say '$text': gemwright $*"
  [ "$(state_of "$db")" = "$before" ] || fail "the database $db changed by: gemwright $*"
  checked=$((checked + 1))
}

# A database with two studies that differ in their data, and one that is not there.
# shellcheck disable=SC2086
for data in normal uniform; do gw tune --gemm 8x64x64 --threads 1 $quick --data $data --db "$work/good.db"; done

# tune with the given options is refused, on a database that exists and on one that does not.
bad_tune() {
  for db in good.db absent.db; do refused "$@" --db $db; done
}
bad() {
  code=$1 text=$2
  shift 2
  bad_tune "$code" "$text" tune --gemm 8x64x64 "$@"
}

echo "== what to tune"
bad_tune 2 "known are: bert-base" tune --preset no-such-model
bad_tune 2 "unknown preset" tune --preset ../shapes/cubes
for size in M=0x5x5 0x5x5 -4x5x5 4x5 4x5x6x7 1e3x5x5 99999999999999999999x5x5 1000000000000x5x5 "" x xx; do
  bad_tune 2 "is not a size MxNxK" tune "--gemm=$size"
done
bad_tune 2 "elements" tune --gemm 1000000000x1000000000x1000000000
bad_tune 2 "say what to tune" tune
bad_tune 2 "say what to tune" tune --gemm 8x64x64 --preset cubes
db=good.db
refused 2 "see 'gemwright tune --help'" tune --db good.db --gemm
bad_tune 2 "--no-such-option" tune --gemm 8x64x64 --no-such-option

echo "== how"
for list in bad 0 -1 1,,2 1, 1.5 1e3; do bad 2 "--m: " "--m=$list"; done
bad 2 "choose nn, nt, tn or tt" --layout nx
bad 2 "choose constant or call" --weights maybe
bad 2 "the interface u8s8 alone" --epilogue requant
bad 2 "the interface u8s8 alone" --epilogue bias+requant --precision auto --max-error 0.1
bad 2 "the interface u8s8 alone" --epilogue bias+requant --precision u8s8,bf16
bad 2 "comes last in its chain" --epilogue requant+relu --precision u8s8
bad 2 "no place for beta" --epilogue requant --precision u8s8 --beta 1
bad 2 "a pair of products comes first" --epilogue relu+swiglu
bad 2 "unknown epilogue operation" --epilogue bias+sigmoid
bad 2 "stands twice" --epilogue relu+relu
bad 2 "stands twice" --epilogue add+gelu_erf+add
bad 2 "w4 is not built yet" --precision w4
bad 2 "unknown compute mode" --precision f33
bad 2 "needs a bound" --precision auto
for bound in 0 -1 nan x; do bad 2 "max-error" "--max-error=$bound"; done
bad 2 "interface and mode alike" --interface u8s8 --precision f32
bad 2 "unknown interface" --interface f31
bad 2 "--device cuda:0 is not built yet" --device cuda:0
bad 2 "choose one of local, random, exhaustive" --strategy clever
bad 2 "--cache: " --cache warm
bad 2 "--data: " --data real
bad 2 "choose quick, normal or careful" --protocol hasty
for budget in 0 0s -1 1x 1e400s nan s 99999999999999999999; do bad 2 "--budget: " "--budget=$budget"; done
for threads in 0 -1 x 1,0 99999 1.5; do bad 2 "--threads $threads: " "--threads=$threads"; done
for beta in 2 -1 x; do bad 2 "--beta" "--beta=$beta"; done
for batch in 0 -1 x 99999999999; do bad 2 "batch" "--batch=$batch"; done
for seed in -1 x 99999999999999999999; do bad 2 "--seed" "--seed=$seed"; done
bad 2 "x??[31my?" --layout "$(printf 'x\n\033[31my\r')"

echo "== compiler and worker"
bad 1 "no compiler named nonsense on PATH" --compiler nonsense
bad 1 "is not a compiler that can be run" --compiler /etc/passwd
bad 1 "no compiler named g++; true" --compiler "g++; true"
(
  PATH=/nonexistent
  export PATH
  status=0
  "$gemwright" tune --gemm 8x64x64 --fresh --db absent.db > out 2> err || status=$?
  echo $status > code
)
expect "exit code without a compiler" "$(cat code)" 1
grep -q '^gemwright: no compiler named g++ on PATH' err || fail "no compiler: it is not said"
[ ! -e absent.db ] || fail "no compiler: a database was made"
db=good.db
for worker in "/nonexistent/gemwright worker" /bin/true "/bin/echo hi" "/bin/echo {}"; do
  refused 1 "worker cannot be started" tune --gemm 8x64x64 --fresh --db good.db --worker "$worker"
done
refused 2 "quote that does not end" tune --gemm 8x64x64 --fresh --db good.db --worker "ssh 'board"

echo "== shape files"
mkdir -p shapes/folder
: > shapes/empty.csv
: > shapes/empty.json
: > shapes/empty.log
head -c 3000 "$gemwright" > shapes/binary.csv
cp shapes/binary.csv shapes/binary.json
cp shapes/binary.csv shapes/binary.log
printf '{"gemwright_shapes": 1,\n "problems": [\n  {"n": 4,, "k": 4}]}\n' > shapes/broken.json
awk 'BEGIN { for (i = 0; i < 100000; ++i) printf "["; print "" }' > shapes/deep.json
awk 'BEGIN { for (i = 0; i < 100000; ++i) printf "{\"a\":"; print "1" }' > shapes/deeper.json
printf '{"name": "x"}\n' > shapes/other.json
printf 'm,n\n8,64\n' > shapes/column.csv
printf 'm,n,k\n8,64,64\n\n8,x,64\n' > shapes/number.csv
printf 'm,n,k\n8,64,64\n8,64\n' > shapes/short.csv
printf 'm,n,k\n8,64,99999999999999999999\n' > shapes/huge.csv
printf -- '--mode=P\n8x64:64x64\n8x64:63x64\n' > shapes/batch.log
shapes() {
  for db in good.db absent.db; do refused 1 "$1" tune --shapes "shapes/$2" --db $db; done
}
shapes "no such file" missing.csv
shapes "is a folder" folder
mkfifo shapes/pipe.csv
shapes "is not a regular file" pipe.csv
for ending in csv json log; do
  shapes "shapes/empty.$ending:1: " empty.$ending
  shapes "shapes/binary.$ending:1: " binary.$ending
done
shapes "shapes/broken.json:3: " broken.json
shapes "shapes/deep.json:1: nested" deep.json
shapes "shapes/deeper.json:1: nested" deeper.json
shapes "this is not a shapes file" other.json
shapes "shapes/column.csv:1: column k is missing" column.csv
shapes "shapes/number.csv:4: " number.csv
shapes "shapes/short.csv:3: " short.csv
shapes "shapes/huge.csv:2: " huge.csv
shapes "shapes/batch.log:3: " batch.log

echo "== baselines"
for db in good.db absent.db; do
  bench() { refused "$1" "$2" bench --gemm 8x64x64 --threads 1 --db "$db" "$3" "$4"; }
  for list in eigen onednn,, , "onednn openblas" ../lib.so; do bench 2 "there is no baseline" --against "$list"; done
  bench 2 "needs a library" --against blas:
  bench 2 "twice" --against onednn,onednn
  bench 1 "cannot be opened as a library" --against blas:shapes/short.csv
  bench 1 "cannot be opened as a library" --against 'onednn,blas:$(touch pwned);x'
  bench 1 "has no function cblas_sgemm" --against blas:libm.so.6
done
[ ! -e pwned ] || fail "the path of a library was executed"

echo "== databases"
mkdir -p folder
echo "not a database" > text.db
sqlite3 other.db 'CREATE TABLE recipe (name TEXT); INSERT INTO recipe VALUES (1)'
sqlite3 wal.db 'PRAGMA journal_mode = WAL; CREATE TABLE recipe (name TEXT)' > /dev/null
head -c 20000 good.db > cut.db
head -c 50 good.db > stub.db
cp good.db future.db
sqlite3 future.db 'PRAGMA user_version = 99'
# every_command TEXT: each command that opens the database $db refuses it.
every_command() {
  refused 1 "$1" tune --gemm 8x64x64 --db "$db"
  refused 1 "$1" bench --gemm 8x64x64 --db "$db"
  refused 1 "$1" show studies --db "$db"
  refused 1 "$1" show trials --json --db "$db"
  refused 1 "$1" show counters --db "$db"
  refused 1 "$1" show roofline --db "$db"
  refused 1 "$1" profile 1 --db "$db"
  refused 1 "$1" steer 1 stop --db "$db"
  refused 1 "$1" export -o never.h --db "$db"
}
db=folder; every_command "is a folder"
db=text.db; every_command "is not a SQLite database"
db=other.db; every_command "of another application"
db=wal.db; every_command "of another application"
db=cut.db; every_command "is damaged"
db=stub.db; every_command "is not a SQLite database"
db=future.db; every_command "newer gemwright"
db=no/such/folder.db; every_command "does not exist"
db=/dev/null; every_command "is not a regular file"
db=absent.db
refused 1 "there is no database" show studies --db absent.db
refused 1 "there is no database" export -o never.h --db absent.db
refused 1 "there is no database" profile 1 --db absent.db
refused 1 "there is no database" steer 1 stop --db absent.db
: > empty.db
db=empty.db
refused 1 "is empty" show trials --db empty.db
refused 1 "is empty" export -o never.h --db empty.db
refused 1 "is empty" steer 1 stop --db empty.db
# broken SQL: a copy of the good database with a value that gemwright never wrote.
broken() {
  cp good.db broken.db
  sqlite3 broken.db "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; $1"
}
readers_refuse() { for what in studies trials roofline; do refused 1 "$1" show $what --json --db broken.db; done; }
db=broken.db
broken "UPDATE config SET json = '['"
readers_refuse "broken value"
broken "UPDATE study SET m = -5"
readers_refuse "broken value"
broken "UPDATE problem SET key = 'gemm'"
readers_refuse "broken value"
# Text that is not UTF-8, and text that would like to be code.
broken "UPDATE study SET name = cast(x'ff0a1b5b' AS TEXT); UPDATE trial SET reason = cast(x'fe1b' AS TEXT)"
for what in studies trials; do
  gw show $what --json --db broken.db
  expect "lines that are no JSON" "$(json out 'SELECT count(*) FROM lines WHERE NOT json_valid(t)')" 0
done
broken "UPDATE study SET name = '\"); } int evil; // '"
gw export -o named.h --filter data=normal --db broken.db
! grep -q 'int evil;' named.h || fail "a name became code"

# permissions: as another user when we are root, whom nothing stops.
as_user=
if [ "$(id -u)" = 0 ]; then as_user="setpriv --reuid=65534 --regid=65534 --clear-groups"; fi
if [ -n "$as_user" ] && ! $as_user test -x "$gemwright" -a -x "$work" 2> setpriv.err; then
  echo "not checked: permissions, because another user cannot get at $gemwright and $work"
else
  mkdir -p closed open
  cp good.db closed/
  cp good.db open/
  chmod 777 open
  chmod 666 open/good.db
  printf 'm,n,k\n8,64,64\n' > shapes/secret.csv
  chmod 555 closed
  chmod 000 shapes/secret.csv
  as_root=$gemwright
  # shellcheck disable=SC2086
  as_other() { $as_user "$as_root" "$@"; }
  gemwright=as_other
  db=closed/new.db; refused 1 "may not be written" tune --gemm 8x64x64 --db closed/new.db
  db=closed/good.db; refused 1 "may not be written" tune --gemm 8x64x64 --db closed/good.db
  refused 1 "may not be written" export -o never.h --db closed/good.db
  gw show studies --json --db closed/good.db
  expect "studies of a database that may only be read" "$(wc -l < out)" 2
  refused 1 "cannot be opened" tune --shapes shapes/secret.csv --db closed/good.db
  db=open/good.db; refused 1 "Permission denied" export -o closed/never.h --filter data=normal --db open/good.db
  chmod 444 open/good.db
  refused 1 "may not be written" export -o open/never.h --filter data=normal --db open/good.db
  gemwright=$as_root
fi

echo "== show and export"
db=good.db
refused 2 "choose studies, trials, counters, roofline, rank-flip, pareto" show everything --db good.db
for view in heatmap importance pareto; do
  refused 2 "there is no field 'wings'" show $view --filter wings=2 --db good.db
done
refused 2 "is no parameter: choose" show heatmap --x mr --y wings --db good.db
refused 2 "both --x and --y" show heatmap --x mr --db good.db
refused 2 "the same parameter" show heatmap --x mr --y mr --db good.db
refused 2 "choose best or median" show heatmap --value mean --db good.db
refused 2 "extra" show studies extra --db good.db
for filter in "wings=2" "m<=8 and wings=2"; do
  refused 2 "there is no field 'wings'" show studies --filter "$filter" --db good.db
  refused 2 "there is no field 'wings'" export -o never.h --filter "$filter" --db good.db
done
for filter in "m" "m<" "m<=8 and" "m=8 m=9" "and" "m=(8)" "m='8" "m ! 8"; do
  refused 2 "--filter: " show trials --filter "$filter" --db good.db
done
for what in trials pareto roofline counters "trials --json"; do
  # shellcheck disable=SC2086
  refused 1 "there is no study 999" show $what --filter study=999 --db good.db
done
for what in studies fusion rank-flip; do refused 1 "there is no study 999" show $what --filter id=999 --db good.db; done
refused 1 "there is no study 999" export -o never.h --filter study=999 --db good.db
refused 0 "no trial matches" show trials --filter m=77 --db good.db
refused 0 "no trial matches" show trials --json --filter m=77 --db good.db
refused 1 "--filter" export -o never.h --db good.db
grep -q normal err && grep -q uniform err || fail "the data kinds to choose from are not named"
chosen="--filter data=normal --db good.db"
# shellcheck disable=SC2086
{
  refused 1 "is a folder" export -o folder $chosen
  refused 1 "No such file or directory" export -o no/such/folder.h $chosen
  refused 2 "--output" export -o "" $chosen
  refused 2 "--output" export $chosen
  refused 2 "choose standalone or library" export -o never.h --style pretty $chosen
  for namespace in 1x "a b" "" class "a::1" "a;b" "$(printf 'a\nb')"; do
    refused 2 "cannot be the namespace" export -o never.h --namespace "$namespace" $chosen
  done
  for regret in x -1 101% nan 1%% inf; do refused 2 "--max-regret" export -o never.h "--max-regret=$regret" $chosen; done
  refused 1 "no study" export -o never.h --filter m=999 --db good.db
  echo "int old;" > old.h
  refused 1 "No space left" export -o /dev/full $chosen
  gw export -o old.h $chosen
}
[ ! -e never.h ] || fail "a refused export left a file"

echo "== steer and profile"
refused 2 "name a study by its number" steer x pause --db good.db
refused 2 "choose pause, resume, stop" steer 1 dance --db good.db
refused 2 "takes no argument" steer 1 stop now --db good.db
refused 2 "ACTION is required" steer 1 --db good.db
refused 2 "name a trial by its number" steer 1 again --db good.db
for choice in "" mr mr= mr=x wings=2 "mr=8; true" "$(printf 'mr=\n8')"; do
  refused 2 "PARAMETER=VALUE" steer 1 pin "$choice" --db good.db
done
for budget in "" 0 1x 99999999999999999999 nan; do refused 2 "budget" steer 1 extend "$budget" --db good.db; done
refused 2 "is a number of configs" steer 1 extend 10s --db good.db
refused 1 "there is no study 9" steer 9 stop --db good.db
refused 1 "has no trial 999" steer 1 again 999 --db good.db
refused 1 "is not running" steer 1 pause --db good.db
refused 2 "name a trial" profile --db good.db
refused 2 "name a trial" profile 1 --gemm 8x64x64 --db good.db
for trial in x good.db trial:0 99999999999999999999 good.db#trial:1; do refused 2 "" profile "$trial" --db good.db; done
refused 1 "there is no trial 999" profile 999 --db good.db
refused 2 "is not a size MxNxK" profile --gemm 8x64 --db good.db
refused 2 "there is no field 'wings'" show counters --filter wings=2 --db good.db
refused 2 "there is no field 'wings'" show roofline --filter wings=2 --db good.db
refused 2 "--rounds" doctor --ui-impact --rounds 3

echo "== compare"
refused 2 "A is a trial and B a study" compare 1 study:1 --db good.db
refused 2 "A and B are the same trial 1" compare 1 trial:1 --db good.db
refused 2 "A and B are the same database" compare good.db ./good.db
refused 1 "there is no trial 999" compare 1 999 --db good.db
refused 1 "there is no study 9" compare study:1 study:9 --db good.db
refused 1 "there is no database absent.db" compare good.db absent.db
refused 1 "is empty" compare good.db empty.db
refused 2 "B is required" compare good.db
for operand in "" 0 trial: study:x 99999999999999999999 "#trial:1" "good.db#study:-1" "$(printf 'trial:\n1')"; do
  refused 2 "" compare 1 "$operand" --db good.db
done
for limit in x -3 3%% 100% nan "3 %"; do
  refused 2 "--fail-if-slower" compare study:1 study:2 "--fail-if-slower=$limit" --db good.db
done
refused 2 "--filter" compare study:1 study:2 --filter m=8 --db good.db
cp good.db copy.db
refused 2 "there is no field 'wings'" compare good.db copy.db --filter wings=2
refused 1 "none of the 0 finished studies" compare good.db copy.db --filter m=999
gw compare good.db copy.db --fail-if-slower 3% --json
expect "what two equal databases compare" "$(json out "SELECT t ->> 'matched', t ->> 'slower_check' FROM lines LIMIT 1")" "2|within"

echo "== commands"
db=good.db
refused 2 "commands are tune, steer, show" nonsense
refused 2 "commands are tune, steer, show" ""
refused 2 "commands are tune, steer, show"
refused 2 "command" --no-such-option
for command in verify replay import merge backup; do
  refused 2 "'$command' is not built yet" $command
  refused 2 "'$command' is not built yet" $command some --thing
done
echo "$checked refusals"
