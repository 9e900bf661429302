#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets up, configures and builds one preset of CMakePresets.json, quietly; prints the build folder.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

preset=${1:-cpu}
(($# == 0)) || shift
if [[ $preset == -* ]]; then
  cat <<'USAGE'
usage: scripts/build.sh [PRESET] [TARGET...]    cpu (default), cuda, hip, asan or auto

auto takes cuda or hip where that vendor's compiler and device are both there, else cpu. The build folder
is build/PRESET, or STEELYARD_BUILD_DIR. CC and CXX choose the compiler. Warnings are errors when CI is
set.
USAGE
  [[ $preset == -h || $preset == --help ]] && exit 0 || exit 2
fi
# As backends/choose_gpu.cmake does.
preset_of_this_machine() (
  PATH=$PATH:/usr/local/cuda/bin:/opt/rocm/bin
  if [[ -e /dev/nvidiactl ]] && command -v nvcc >/dev/null; then
    echo cuda
  elif [[ -e /dev/kfd ]] && command -v hipcc >/dev/null; then
    echo hip
  else
    echo cpu
  fi
)
[[ $preset != auto ]] || preset=$(preset_of_this_machine)
build=${STEELYARD_BUILD_DIR:-$root/build/$preset}

# The largest translation units take about 1.5 GB.
memory_gb=$(awk '/^MemAvailable/ { print int($2 / 1024 / 1024) }' /proc/meminfo)
jobs=$((memory_gb * 2 / 3))
((jobs > $(nproc))) && jobs=$(nproc)
((jobs < 1)) && jobs=1

"$root/scripts/setup.sh" >&2
mkdir -p "$build"
log=$build/build.log
: >"$log"

if command -v ccache >/dev/null && [[ -w ${HOME-} ]]; then
  export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1  # one folder's objects are another's
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
  export CMAKE_CUDA_COMPILER_LAUNCHER=${CMAKE_CUDA_COMPILER_LAUNCHER-ccache}
  export CMAKE_HIP_COMPILER_LAUNCHER=${CMAKE_HIP_COMPILER_LAUNCHER-ccache}
fi

step() {
  local what=$1 begin=$SECONDS
  shift
  echo "$what ..." >&2
  if ! "$@" >>"$log" 2>&1; then
    grep -E -A 8 'error:|Error|FAILED' "$log" | head -n 60 >&2 || tail -n 40 "$log" >&2
    echo "build.sh: $what failed; all of its output is in $log" >&2
    exit 2
  fi
  echo "$what: $((SECONDS - begin)) s" >&2
}

cd "$root"  # presets are looked for in the current folder
step "Configuring preset $preset" cmake --preset "$preset" -B "$build" ${CI:+-DSTEELYARD_WERROR=ON}
step "Building with $jobs jobs" cmake --build "$build" --parallel "$jobs" --target "${@:-all}"
echo "$build"
