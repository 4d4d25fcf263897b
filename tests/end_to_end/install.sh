#!/bin/sh
# Installs from the build folder $BUILD, tunes, exports a thin header, and builds a foreign project over the installed package.
. "$(dirname "$0")/lib.sh"
build=${BUILD:?the build folder}
begin

if ! cmake --install "$build" --prefix "$work/prefix" > install.log 2>&1; then
  cat install.log >&2
  fail "the build folder cannot be installed"
fi
# The tool, where it is installed, has to work from there.
if [ -x prefix/bin/gemwright ]; then
  gemwright=$work/prefix/bin/gemwright
  run tune --preset no-such-model --db none.db
  grep -q 'known are: bert-base' err || fail "the installed gemwright does not find its presets"
else
  echo "not checked: the installed binary, because the tool has no install rule"
fi

printf 'name,m,n,k,epilogue\nplain,8,64,64,none\nfused,8,48,80,bias+relu+add\n' > shapes.csv
# shellcheck disable=SC2086
gw tune --shapes shapes.csv --threads 1 $quick --db tuned.db
gw export -o tuned.h --style library --db tuned.db

for compiler in g++ clang++; do
  command -v $compiler > /dev/null 2>&1 || { echo "not checked with $compiler: it is not installed"; continue; }
  {
    cmake -S "$here/consumer" -B "build_$compiler" -DCMAKE_CXX_COMPILER=$compiler -DCMAKE_PREFIX_PATH="$work/prefix" \
      -DTUNED_HEADER="$work/tuned.h" && cmake --build "build_$compiler"
  } > out 2> err || fail "the foreign project does not build with $compiler"
  "build_$compiler/product_check" || fail "wrong results with $compiler"
done
