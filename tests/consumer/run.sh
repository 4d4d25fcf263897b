#!/bin/sh
# Builds and runs the consumer: run.sh WORK_FOLDER HEADERS_FOLDER standalone|library COMPILER [INSTALL_PREFIX]
# HEADERS_FOLDER holds wide_STYLE.h, modes_STYLE.h, hostile_STYLE.h and small_standalone.h (see make_header).
set -eu

if [ $# -lt 4 ]; then
  echo "usage: run.sh WORK_FOLDER HEADERS_FOLDER standalone|library COMPILER [INSTALL_PREFIX]" >&2
  exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
work=$1 headers=$2 style=$3 compiler=$4 prefix=${5:-}

rm -rf "$work"
mkdir -p "$work/include"
cp "$headers/wide_$style.h" "$work/include/wide.h"
cp "$headers/modes_$style.h" "$work/include/modes.h"
digest=$(sed -n 's/^.*kernels_digest = "\([0-9a-f]*\)".*$/\1/p' "$headers/small_standalone.h")
if [ "$style" = standalone ]; then
  # As if the second header had been exported by another version.
  [ -n "$digest" ]
  sed "s/$digest/00000000deadbeef/g" "$headers/small_standalone.h" > "$work/include/small.h"
else
  cp "$headers/small_standalone.h" "$work/include/small.h"  # beside the installed kernels of the same digest
fi

# The includes of the installed package, for the compilations that must fail.
includes="-I$work/include"
[ -z "$prefix" ] || includes="$includes -I$prefix/include"

# must_fail SENTENCE FLAGS: the compiler refuses refused.cpp and says why.
must_fail() {
  sentence=$1
  shift
  if "$compiler" "$@" $includes -fsyntax-only "$work/refused.cpp" 2> "$work/refused.log"; then
    echo "compiled, but should not have: $sentence" >&2
    exit 1
  fi
  if ! grep -q "$sentence" "$work/refused.log"; then
    echo "the compiler's messages do not say: $sentence" >&2
    cat "$work/refused.log" >&2
    exit 1
  fi
}

echo '#include "wide.h"' > "$work/refused.cpp"
must_fail "this header needs" -std=c++14
must_fail "not tuned with this compiler" -std=c++17 -DGEMWRIGHT_REQUIRE_TUNED_COMPILER
must_fail "not made for -ffast-math" -std=c++17 -ffast-math
sed 's/203/202/g; s/\(GEMWRIGHT_TUNED_\)[0-9a-f]\{16\}/\10000000000000000/; s/export_[0-9a-f]\{16\}/export_0/' \
    "$work/include/wide.h" > "$work/include/twin.h"
printf '#include "wide.h"\n#include "twin.h"\n' > "$work/refused.cpp"
must_fail "share the namespace" -std=c++17
if [ "$style" = library ]; then
  sed 's/\(GEMWRIGHT_KERNELS_DIGEST != 0x\)[0-9a-f]*/\100000000deadbeef/' "$work/include/wide.h" > "$work/include/old.h"
  echo '#include "old.h"' > "$work/refused.cpp"
  must_fail "not those this header was tuned with" -std=c++17
fi

if [ "$style" = library ]; then
  if cmake -S "$here" -B "$work/missing" -DCMAKE_CXX_COMPILER="$compiler" -DHEADERS="$work/nowhere" -DSTYLE=library \
           -DCMAKE_PREFIX_PATH="$prefix" > "$work/missing.log" 2>&1 ||
     ! grep -q "there is no file" "$work/missing.log"; then
    echo "gemwright_add_tuned_header does not say that the header is missing" >&2
    exit 1
  fi
fi

# A header whose provenance tries to become code compiles without a warning.
echo '#include "hostile.h"' > "$work/accepted.cpp"
cp "$headers/hostile_$style.h" "$work/include/hostile.h"
"$compiler" -std=gnu++17 -O2 -Wall -Wextra -Wconversion -Wpedantic -Werror $includes -fsyntax-only "$work/accepted.cpp"

cmake -S "$here" -B "$work/build" -DCMAKE_CXX_COMPILER="$compiler" -DHEADERS="$work/include" -DSTYLE="$style" \
      ${prefix:+-DCMAKE_PREFIX_PATH="$prefix"} > "$work/configure.log"
cmake --build "$work/build"
"$work/build/consumer"
