#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets up, builds and runs all tests; ends with ctest's summary.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

preset=auto
case "${1-}" in
  -h | --help)
    cat <<'USAGE'
usage: scripts/test.sh [--asan] [options of ctest]

Installs what is missing, builds for this machine (scripts/build.sh auto) and runs the tests. Those that need
a GPU are skipped by name where there is none: ctest lists them as not run.

  scripts/test.sh                 all tests
  scripts/test.sh -R inputs       those whose name matches
  scripts/test.sh --asan          all tests under the address and undefined-behaviour sanitizers
USAGE
    exit 0 ;;
  --asan) preset=asan; shift ;;
esac

build=$("$root/scripts/build.sh" "$preset")
export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1}
exec ctest --test-dir "$build" --output-on-failure \
  --no-tests=error --timeout 900 -j "$(nproc)" "$@"
