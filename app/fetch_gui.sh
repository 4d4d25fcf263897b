#!/bin/sh
# Puts what the window is made with (Dear ImGui, ImPlot, fonts: one pinned source archive) into BUILD_FOLDER/imgui_bundle,
# where CMake finds it. Nothing happens where it is there already.
# Usage: sh app/fetch_gui.sh BUILD_FOLDER. Where it cannot be had, one sentence says why and the exit code is 1.
set -eu
version=1.93.0
sha256=10ad1dab8258a6787b4f07bb926b08d0efc648a7906242568c8dd778c5e719bf
mkdir -p "$1"
build=$(cd "$1" && pwd)
[ -f "$build/imgui_bundle/external/imgui/imgui/imgui.h" ] && exit 0

no_window() { echo "There will be no window, only the command line: $1." >&2; exit 1; }
command -v python3 >/dev/null 2>&1 || no_window "python3 is missing"
work=$(mktemp -d "$build/fetch.XXXXXX") || no_window "cannot write to $build"
trap 'rm -rf "$work"' EXIT

# The system's pip, else one of its own.
pip="python3 -m pip"
if ! $pip --version >/dev/null 2>&1; then
  python3 -m venv "$work/venv" >/dev/null 2>&1 || no_window "pip is missing (Debian packages python3-pip, python3-venv)"
  pip="$work/venv/bin/python -m pip"
fi
$pip download --quiet --disable-pip-version-check --no-deps --no-binary imgui-bundle "imgui-bundle==$version" \
  -d "$work" >"$work/log" 2>&1 ||
  no_window "the archive of imgui-bundle $version could not be fetched ($(tail -1 "$work/log"))"
archive=$(find "$work" -maxdepth 1 -name '*.tar.gz' | head -1)
[ -n "$archive" ] || no_window "pip fetched no source archive of imgui-bundle $version"
echo "$sha256  $archive" | sha256sum -c - >/dev/null 2>&1 ||
  no_window "the archive of imgui-bundle $version is not the expected one (SHA-256 differs)"

# Only what is compiled, tested with and embedded, moved into place whole.
mkdir "$work/unpacked"
tar -xzf "$archive" -C "$work/unpacked" --strip-components=1 --wildcards \
  '*/external/imgui/imgui/*' '*/external/implot/implot/*' '*/external/imgui_test_engine/*' \
  '*/external/glfw/glfw/deps/stb_image_write.h' '*/bindings/imgui_bundle/assets/fonts/Roboto/*' '*/LICENSE' ||
  no_window "the archive of imgui-bundle $version cannot be unpacked"
rm -rf "$build/imgui_bundle"
mv "$work/unpacked" "$build/imgui_bundle"
