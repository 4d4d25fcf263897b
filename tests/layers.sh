#!/bin/sh
# The house rules that a compiler does not see: a layer includes only what stands left of it, each dependency is included in
# its one place, and no file grows beyond what can be read at one sitting.
#   kernels < profilers < tuner < db < app          (tests sees all, presets holds data)
# Usage: sh layers.sh SOURCE_FOLDER. Prints each breach; exit code 1 where there is one.
set -u
cd "$1" || exit 1
export LC_ALL=C
max_lines=500
layers="kernels profilers tuner db app"
breaches=$(mktemp) || exit 1
trap 'rm -f "$breaches"' EXIT

sources() { find "$@" -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.inl' \) | sort; }
# "file:line:#include ..." of every include in the given folders.
includes() { sources "$@" | xargs grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null; }

# 1. Includes follow the layers.
seen=""
for layer in $layers; do
  seen="$seen $layer"
  [ -d "$layer" ] || { echo "the folder $layer is missing" >> "$breaches"; continue; }
  for other in $layers tests presets; do
    case " $seen " in *" $other "*) continue ;; esac
    includes "$layer" | grep -E "include[[:space:]]*[\"<]$other/" | sed "s|^|$layer includes $other: |" >> "$breaches"
  done
  includes "$layer" | grep -E 'include[[:space:]]*["<]([^">]*/)?\.\./' | sed 's|^|includes by a path upwards: |' >> "$breaches"
done
# The kernels are what a build consumes: themselves and the standard library (names without a slash), CPU intrinsics, system calls.
includes kernels | grep -vE 'include[[:space:]]*("gemwright/|<gemwright/|<[a-z_0-9]+>|<(imm|xmm)intrin\.h>|<sys/mman\.h>|<cuda)' |
  sed 's|^|kernels includes something foreign: |' >> "$breaches"
# The quick start stands for a user's program: the exported header and its own files.
if [ -d app/quickstart ]; then
  includes app/quickstart | grep -E 'include[[:space:]]*["<](kernels|profilers|tuner|db|app|gemwright)/' |
    sed 's|^|the quick start is not a program of its own: |' >> "$breaches"
fi

# 2. Each dependency in its one place: pattern of the header, pattern of the files that may include it. Tests may, and the
# quick start compares itself with oneDNN as its user would.
one_place() {
  includes $layers | grep -E "include[[:space:]]*[\"<]($1)" | grep -vE "^($2)" | grep -v '^app/quickstart/' |
    sed 's|^|a dependency outside its place: |' >> "$breaches"
}
one_place 'sqlite3' 'db/sqlite\.(h|cpp):'
one_place '([a-z]*/)*dnnl' 'tuner/baseline/onednn_matmul\.h:'
one_place 'imgui(_internal|_stdlib)?\.h|implot(_internal)?\.h' 'app/gui/'
one_place 'imgui_impl_|GLFW/|GL/|GLES|EGL/|glad' 'app/gui/window\.cpp:'
one_place '([a-z]*/)*stb_' 'app/gui/png\.cpp:'
one_place 'imgui_te_|imgui_test_engine' 'no file that ships'
one_place 'cupti' 'profilers/'
one_place 'CLI/' 'app/(cli/|gui/options\.cpp:)'

# 3. Files that can be read. Texts count too: scripts and build files.
find $layers tests -type f \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.inl' -o -name '*.sh' -o -name '*.py' \
  -o -name '*.cmake' -o -name CMakeLists.txt \) | sort | while read -r file; do
  lines=$(wc -l < "$file")
  [ "$lines" -le "$max_lines" ] || echo "more than $max_lines lines: $file has $lines" >> "$breaches"
done

[ -s "$breaches" ] || exit 0
cat "$breaches"
exit 1
