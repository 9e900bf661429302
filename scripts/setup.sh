#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sees to it that what the build, the tests and the checks need is installed. Needs neither root nor
# network when nothing is missing.
set -euo pipefail

# Debian package | the command it brings, where it brings one | what it is for
packages='
g++                   | g++        | compiler
cmake                 | cmake      | build
ninja-build           | ninja      | build
ccache                | ccache     | build: what two presets share is compiled once
git                   | git        | the commit that result files record
libbenchmark-dev      |            | Google Benchmark: listing, filter, console
libcli11-dev          |            | command lines
libfmt-dev            |            | formatting
nlohmann-json3-dev    |            | reading JSON
libvalijson-dev       |            | checking result files against the schema
libtomlplusplus-dev   |            | thresholds, in TOML
libsqlite3-dev        |            | the index of a history of results
libkainjow-mustache-dev |          | templates of HTML reports
libmd-dev             |            | SHA-256 of comparability keys
libdnnl-dev           |            | oneDNN: library tier of the CPU
ocl-icd-opencl-dev    |            | the CMake files of oneDNN ask for OpenCL
libopenblas0-pthread  |            | OpenBLAS: library tier of the CPU, opened at run time
catch2                |            | tests
python3               | python3    | checks
python3-jsonschema    |            | test: a second validator reads the result files
python3-yaml          |            | test: the steps of the examples for CI systems
libxml2-utils         |            | test: JUnit files against their schema
libbenchmark-tools    |            | test: compare.py of Google Benchmark reads the result files
python3-scipy         |            | what compare.py imports
'

hip_packages='
mmdebstrap            | mmdebstrap | makes the root with HIP in it: scripts/hip_root.sh
'

browser_packages='
chromium              | chromium   | test: HTML reports in a browser
python3-websocket     |            | test: speaks with the browser
'

column() { awk -F'|' -v n="$1" 'NF > 1 { gsub(/ /, "", $n); if ($n != "") print $n }' <<<"$packages"; }

case "${1-}" in
  '') ;;
  --hip) packages+=$hip_packages ;;
  --browser) packages+=$browser_packages ;;
  --list) column 1; exit 0 ;;
  -h | --help)
    echo "usage: scripts/setup.sh [--hip | --browser | --list]    installs the missing ones of:$packages"
    echo "--hip installs this too, for machines without ROCm:$hip_packages"
    echo "--browser these, without which tests of HTML reports are skipped:$browser_packages"
    echo "--list names the first list."
    exit 0 ;;
  *) echo "setup.sh: unknown argument $1; see scripts/setup.sh --help" >&2; exit 2 ;;
esac

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

missing=()
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  for tool in $(column 2); do command -v "$tool" >/dev/null || missing+=("$tool"); done
  ((${#missing[@]} == 0)) && exit 0  # CMake names the libraries that are missing
  echo "setup.sh: not a Debian system; install these commands: ${missing[*]}" >&2
  exit 2
fi

for package in $(column 1); do installed "$package" || missing+=("$package"); done
((${#missing[@]} == 0)) && exit 0

install=(apt-get install --yes --no-install-recommends "${missing[@]}")
if ((EUID == 0)); then
  as_root=(env DEBIAN_FRONTEND=noninteractive)
elif sudo -n true 2>/dev/null; then
  as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
else
  echo "setup.sh: packages are missing and only root may install them; run this, then try again:" >&2
  echo "sudo ${install[*]}" >&2
  exit 2
fi

echo "Installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "${as_root[@]}" apt-get update >"$log" 2>&1 || ! "${as_root[@]}" "${install[@]}" >>"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "setup.sh: apt-get failed (its last lines are above); repair it, then run: sudo ${install[*]}" >&2
  exit 2
fi
