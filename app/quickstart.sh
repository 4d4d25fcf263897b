#!/bin/sh
# From nothing to a program that runs tuned products: installs what is missing, builds gemwright, tunes the layers of a real
# model, exports the header and runs a program built with it. Takes some minutes, most of them to build.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/app/install_packages.sh"
# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES
build=${GEMWRIGHT_BUILD:-$root/build}
# The window too, where that can be.
# shellcheck disable=SC2086
install_gui_packages $GUI_PACKAGES && sh "$root/app/fetch_gui.sh" "$build" || true
echo "== Building gemwright in $build"
mkdir -p "$build"
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGEMWRIGHT_TESTS=OFF >"$build/configure.log"
sed -n 's/^-- \(No window.*\)/\1/p' "$build/configure.log"
cmake --build "$build"
gemwright="$build/app/cli/gemwright"
work="$build/quickstart"
mkdir -p "$work"

echo "== Tuning the layers of Qwen3-0.6B for decoding (M=1) and small batches (M=8)"
"$gemwright" tune --preset qwen3-0.6b --m 1,8 --threads 1 --budget 4s --db "$work/quickstart.db"

echo "== Exporting the header"
"$gemwright" export -o "$work/tuned_gemm.h" --db "$work/quickstart.db" --filter "suite=qwen3-0.6b and threads=1"

echo "== Building a program with it"
cmake -S "$root/app/quickstart" -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DTUNED_HEADER_DIR="$work" >/dev/null
cmake --build "$work/build" >/dev/null
"$work/build/quickstart"
echo
echo "The tuned header: $work/tuned_gemm.h"
echo "What was measured: $gemwright show studies --db $work/quickstart.db"
window="$build/app/gui/gemwright-gui"
[ ! -x "$window" ] || echo "The same in a window:  $window --db $work/quickstart.db"
