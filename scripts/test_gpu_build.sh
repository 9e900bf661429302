#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What can be tested of a GPU build on a machine that may have no such GPU: every program starts, the
# machine code keeps to its budgets, tests that need the device are skipped by name.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

if (($# == 0)) || [[ $1 == -* ]]; then
  cat <<'USAGE'
usage: scripts/test_gpu_build.sh cuda|hip [TEST...]

Builds the preset's programs and GPU tests, starts every program, runs the tests labelled gpu and those
named. Exit codes: 0 passed, 1 a test failed, 2 it does not build.
USAGE
  [[ ${1-} == -h || ${1-} == --help ]] && exit 0 || exit 2
fi
preset=$1
shift
tests=("$@")

fail() { echo "test_gpu_build.sh: $*" >&2; exit 1; }

# Without a device: rows of the CPU alone, and the reason on stderr.
start() {
  local program=$1 rows notes
  notes=$(mktemp)
  rows=$("$program" --list 2>"$notes") || fail "$program --list ended with exit code $?: $(<"$notes")"
  [[ -n $rows ]] || fail "$program lists no row"
  if grep -q "no $preset device" "$notes"; then
    ! grep -q "/$preset:" <<<"$rows" || fail "$program lists rows of a $preset device that is not there"
  else
    grep -q "/$preset:" <<<"$rows" || fail "$program neither lists a $preset device nor says that there is none"
  fi
  echo "$(basename "$program") started: $(wc -l <<<"$rows") rows; $(sed 's/^[^:]*: //' "$notes" | head -n 1)"
  rm "$notes"
}

build=$("$root/scripts/build.sh" "$preset" bench/all reports/all gpu_tests "${tests[@]/%/_test}")
"$build/bin/steelyard" --version
for program in "$build"/bin/steelyard-*; do start "$program"; done

# One run of ctest for each selection, since it joins -L and -R by "and".
run_tests() { ctest --test-dir "$build" --output-on-failure --no-tests=error --timeout 300 "$@" || exit 1; }
run_tests -L gpu
((${#tests[@]} == 0)) || run_tests -R "^($(IFS='|'; echo "${tests[*]}"))\$"
