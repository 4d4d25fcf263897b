#!/bin/sh
# Installs what is missing, builds everything with warnings as errors and runs every test.
# Usage: sh tests/run.sh [ctest arguments]. The build folder is $GEMWRIGHT_BUILD or build-tests.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/app/install_packages.sh"
# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES clang libgtest-dev git sqlite3
build=${GEMWRIGHT_BUILD:-$root/build-tests}
# The window is tested where it can be built.
# shellcheck disable=SC2086
install_gui_packages $GUI_PACKAGES xvfb xauth xdotool procps && sh "$root/app/fetch_gui.sh" "$build" || true
launcher=""
command -v ccache >/dev/null 2>&1 && launcher="-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DGEMWRIGHT_TESTS=ON -DGEMWRIGHT_WERROR=ON $launcher
cmake --build "$build"
# Compiled candidates of the tests stay in the build folder.
GEMWRIGHT_CACHE="$build/kernel-cache"
export GEMWRIGHT_CACHE
cd "$build"
# Two at a time: none asserts a time.
ctest --parallel 2 --output-on-failure --no-tests=error "$@"
