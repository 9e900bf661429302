#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests the AMD backend as far as a machine without an AMD GPU can: with ROCm, or in a Debian root with HIP.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

case "${1-}" in
  '') ;;
  -h | --help)
    cat <<'USAGE'
usage: scripts/test_amd.sh

Builds build/hip for gfx90a and gfx942 with HIP's toolchain (see scripts/hip_root.sh --help), starts every
program, checks the machine code of every kernel against scripts/machine_code_budgets.toml, and runs every
kernel on an emulated MI250 and MI300X (tests/amd_emulator/README.md). build/hip/amd_emulator/TARGET.txt has a
table of what was counted. Exit codes: 0 passed, 1 a test failed, 2 no toolchain or it does not build.
USAGE
    exit 0 ;;
  *) echo "test_amd.sh: unknown argument $1; see scripts/test_amd.sh --help" >&2; exit 2 ;;
esac

"$root/scripts/hip_root.sh"
# Besides the tests of the GPU's own, one for each library that is a release or more newer in that root.
"$root/scripts/hip_root.sh" --run scripts/test_gpu_build.sh hip command_line render schema
build=${STEELYARD_BUILD_DIR:-$root/build/hip}
for summary in "$build"/amd_emulator/*.txt; do tail -n 1 "$summary"; done
if [[ ! -e /dev/kfd ]]; then
  echo "test_amd.sh: emulated only; NOT run on AMD hardware (skipped: the tests that ctest lists as not run)"
fi
