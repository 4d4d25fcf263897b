#!/bin/sh
# One picture of every view of a database, on a virtual screen with software rendering, each below 150 KB at the size of
# those of the README, which are made by   sh tests/gui/screenshots.sh gemwright.db FOLDER
# They show the study with the most trials, or that of $STUDY.
# Usage: [GEMWRIGHT=gemwright] [GEMWRIGHT_GUI=gemwright-gui] sh screenshots.sh DATABASE FOLDER [SIZE [SCALE [THEME]]]
set -eu
[ $# -ge 2 ] || { echo "usage: $0 DATABASE FOLDER [SIZE [SCALE [THEME]]]" >&2; exit 2; }
gui=${GEMWRIGHT_GUI:-gemwright-gui} gemwright=${GEMWRIGHT:-gemwright}
database=$1 folder=$2 size=${3:-1280x800} scale=${4:-1} theme=${5:-dark}
most=150000
[ "$size" = 1280x800 ] && [ "$scale" = 1 ] || most=500000
for tool in xvfb-run python3; do
  command -v $tool >/dev/null 2>&1 || { echo "$0: $tool is not installed" >&2; exit 1; }
done
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"
LIBGL_ALWAYS_SOFTWARE=1 LP_NUM_THREADS=1
export LIBGL_ALWAYS_SOFTWARE LP_NUM_THREADS
# The names are those that --help lists.
views=$("$gui" --help | tr '\n' ' ' | sed 's/  */ /g; s/.*View that is shown first: //; s/ --.*//; s/,//g')
study=${STUDY:-$("$gemwright" show studies --json --db "$database" | python3 -c 'import json, sys
studies = [json.loads(line) for line in sys.stdin]
print(max(studies, key=lambda s: s["trials"])["id"])')}
for view in $views; do
  xvfb-run -a -s "-screen 0 2560x1600x24 +extension GLX +render -noreset" \
    "$gui" --db "$database" --study "$study" --view "$view" --size "$size" --scale "$scale" --theme "$theme" \
    --screenshot "$folder/$view.png"
  python3 "$here/smaller_png.py" $most "$folder/$view.png"
done
