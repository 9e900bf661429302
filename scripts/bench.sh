#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures this machine: set up, build, run the quick suite, print the report and leave it as HTML.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

suite=
output=
prints_only=  # --list and the like write no result
arguments=("$@")
while (($#)); do
  case $1 in
    -h | --help)
      cat <<'USAGE'
usage: scripts/bench.sh [--suite quick|gate|standard|full] [-o FOLDER] [options of the bench programs]

Installs what is missing, builds for this machine (scripts/build.sh auto), runs `steelyard run` with all
options given here, prints the report and leaves it as report.html beside the results, for a browser. They
go to results/<UTC>-<host>-<suite> in the project, unless -o names a folder. The exit code is that of the
run.

  scripts/bench.sh                            the quick suite on every device
  scripts/bench.sh --suite standard --filter gemm/bf16
  scripts/bench.sh --list                     what would be measured
USAGE
      exit 0 ;;
    --suite) suite=${2-} ;;
    --suite=*) suite=${1#*=} ;;
    -o | --output) output=${2-} ;;
    --output=*) output=${1#*=} ;;
    -o?*) output=${1#-o} ;;
    --list | --dry-run | --benchmark_list_tests*) prints_only=yes ;;
  esac
  shift
done
if [[ -z $suite ]]; then
  suite=quick
  arguments+=(--suite quick)
fi
if [[ -z $output && -z $prints_only ]]; then
  output=$root/results/$(date -u +%Y%m%dT%H%M%SZ)-$(uname -n)-$suite
  arguments+=(-o "$output")
fi

steelyard=$("$root/scripts/build.sh" auto)/bin/steelyard

code=0
"$steelyard" run "${arguments[@]}" || code=$?
[[ -z $prints_only ]] || exit "$code"

files=$(find "$output" -maxdepth 1 -name '*.json' 2>/dev/null | sort)
if [[ -n $files ]]; then
  echo
  "$steelyard" report "$output" || echo "bench.sh: the report ended with exit code $?" >&2
  printf '\nResult files:\n%s\n' "$files"
  page=$output/report.html
  if "$steelyard" report "$output" --format html -o "$page"; then
    printf '\nThis report for a browser, with tables to sort and charts:\n%s\n' "$page"
  else
    echo "bench.sh: the report for a browser ended with exit code $?" >&2
  fi
fi
exit "$code"
