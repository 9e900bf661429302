#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the folder that gpu_check.sh needs on a machine with a GPU: programs, GPU tests and the libraries that
# such machines lack. It can be moved anywhere and needs neither packages nor network there.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
largest_mb=40

if (($# < 1 || $# > 2)) || [[ $1 == -* ]]; then
  cat <<'USAGE'
usage: scripts/gpu_bundle.sh FOLDER [cuda|hip]

Builds the presets cuda-bundle and cuda-virtual (or hip-bundle) and puts them into FOLDER, which must be new
or a bundle. There: FOLDER/gpu_check.sh --help. For hip without ROCm:
  scripts/hip_root.sh --run scripts/gpu_bundle.sh FOLDER hip
USAGE
  [[ ${1-} == -h || ${1-} == --help ]] && exit 0 || exit 2
fi
folder=$(realpath -m "$1")
vendor=${2:-cuda}

fail() { echo "gpu_bundle.sh: $*" >&2; exit 2; }

# Whatever belongs to the system or to the GPU's driver is taken from where the bundle runs.
system='^(ld-linux-x86-64|libc|libm|libdl|librt|libpthread|libresolv|libcuda|libamdhip64|libhsa-.*|libamd_.*)\.so'

needed_by() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# copy_libraries FILE...: what the files need, and what that needs, into the bundle's lib/.
copy_libraries() {
  local file name path
  for file; do
    for name in $(needed_by "$file"); do
      [[ ! $name =~ $system && ! -e $folder/lib/$name ]] || continue
      path=$(ldconfig -p | awk -v name="$name" '$1 == name && /x86-64/ { print $NF; exit }')
      [[ -n $path ]] || fail "$file needs $name, which is nowhere"
      cp -L "$path" "$folder/lib/$name"
      copy_libraries "$path"
    done
  done
}

# take PRESET TARGET...: builds, and copies programs and libraries into the bundle.
take() {
  local build
  build=$("$root/scripts/build.sh" "$@")
  mkdir -p "$folder/bin" "$folder/lib"
  cp "$build"/bin/* "$folder/bin/"
  cp "$build"/lib/*.so "$folder/lib/"
  copy_libraries "$folder"/bin/* "$folder"/lib/*.so
  strip --strip-unneeded "$folder"/bin/* "$folder"/lib/*
}

# take_virtual: what the build for a virtual architecture has instead: the kernels, and tests with kernels of
# their own.
take_virtual() {
  local build test
  build=$("$root/scripts/build.sh" cuda-virtual gpu_tests)
  mkdir -p "$folder/virtual/bin" "$folder/virtual/lib"
  cp "$build/lib/libbackends.so" "$folder/virtual/lib/"
  for test in "$build"/bin/gpu_*_test; do
    ! readelf --section-headers --wide "$test" | grep -q nv_fatbin || cp "$test" "$folder/virtual/bin/"
  done
  strip --strip-unneeded "$folder"/virtual/*/*
}

[[ ! -e $folder || -f $folder/bundle.txt ]] || fail "$folder exists and is no bundle"
rm -rf "$folder"
take "$vendor-bundle" bench/all reports/all gpu_tests
[[ $vendor != cuda ]] || take_virtual

cp "$root/scripts/gpu_check.sh" "$folder/"
echo "$vendor" >"$folder/vendor"
{
  echo "vendor: $vendor"
  echo "commit: $(git -C "$root" describe --always --dirty --abbrev=40 2>/dev/null || echo unknown)"
  echo "made: $(date -u +%Y-%m-%dT%H:%M:%SZ)"
} >"$folder/bundle.txt"

size=$(du -sm --apparent-size "$folder" | cut -f1)
((size <= largest_mb)) || fail "$folder has $size MB; at most $largest_mb are meant to travel"
echo "$folder: $size MB, $(find "$folder/bin" -name 'gpu_*_test' | wc -l) GPU tests"
