#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the readers of files with libFuzzer, under the address and undefined-behaviour sanitizers.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

if [[ ${1-} == -h || ${1-} == --help || $# -gt 1 || ! ${1-1} =~ ^[0-9]+$ ]]; then
  echo "usage: scripts/fuzz.sh [EXECUTIONS]    of each target (1000000); needs clang++; findings go to build/fuzz"
  [[ ${1-} == -h || ${1-} == --help ]] && exit 0 || exit 2
fi
compiler=$(command -v clang++ || command -v clang++-14) || {
  echo "fuzz.sh: no clang++; install the package clang" >&2
  exit 2
}
build=$root/build/fuzz
sanitizers='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_CXX_FLAGS="$sanitizers" -DSTEELYARD_GPU=none -DSTEELYARD_FUZZ=ON >/dev/null
ninja -C "$build" fuzz_foreign fuzz_record fuzz_thresholds >/dev/null
for target in foreign record thresholds; do
  mkdir -p "$build/corpus_$target"
  echo "=== $target"
  "$build/bin/fuzz_$target" -runs="${1-1000000}" -max_len=16384 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$build/$target-" "$build/corpus_$target" "$root/tests/fuzz/corpus/$target" 2>&1 | tail -n 12
done
