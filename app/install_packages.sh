#!/bin/sh
# Installs the Debian packages named as arguments that are missing. Nothing happens where all are there, so no root is
# needed then. Sourced by app/quickstart.sh and tests/run.sh.
install_packages() {
  missing=""
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "These packages are missing and apt-get is not here to install them:$missing" >&2
    return 1
  fi
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "Run as root, or install first:$missing" >&2
      return 1
    fi
    as_root="sudo"
  fi
  echo "Installing:$missing"
  $as_root apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# What the command line tool needs. libdnnl-dev is the baseline: without it gemwright builds and says that there is none.
BUILD_PACKAGES="g++ cmake ninja-build libsqlite3-dev nlohmann-json3-dev libcli11-dev libfmt-dev libexpected-dev libxxhash-dev libdnnl-dev"

# What the window needs beside them and beside the archive of app/fetch_gui.sh. The command line does without.
GUI_PACKAGES="libglfw3-dev libgl-dev libgl1-mesa-dri python3-pip python3-venv"
# Installs these where it can; says in one sentence that there is no window where not.
install_gui_packages() {
  # shellcheck disable=SC2068
  (install_packages $@) || { echo "There will be no window, only the command line: these packages cannot be installed: $*" >&2; return 1; }
}
