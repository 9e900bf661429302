#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command where HIP's toolchain is: here, on a machine with ROCm; else in a Debian root that this
# script makes once and keeps.
set -euo pipefail
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
root=${STEELYARD_TOOLS:-${HOME:?}/.cache/steelyard}/hip-root

# The releases that the project was built with: checked, since Debian sid moves on.
oldest_clang=21 newest_clang=21
oldest_runtime=6.4 newest_runtime=7

# Besides what scripts/setup.sh names. The vendor's libraries are opened at run time: headers are enough.
packages="$("$tree/scripts/setup.sh" --list) hipcc libamd-smi-dev llvm-21"
headers='librocblas-dev libhipblas-dev libhipblas-common-dev libhipblaslt-dev'

usage() {
  cat <<USAGE
usage: scripts/hip_root.sh [FOLDER]           makes the root, unless it is there already
       scripts/hip_root.sh --run COMMAND...   runs a shell command in the project, as HIP's toolchain sees it

FOLDER is by default \${STEELYARD_TOOLS:-~/.cache/steelyard}/hip-root: 2.1 GB, one to two minutes. Making and
entering it need root; making it also Debian's mirror, and mmdebstrap, which it installs. With ROCm installed
(hipcc is found) there is nothing to make, and COMMAND runs as it is.
Exit codes: 2 no toolchain, with the remedy; otherwise COMMAND's.
USAGE
}

fail() { echo "hip_root.sh: $*" >&2; exit 2; }

has_rocm() { command -v hipcc >/dev/null || [[ -x /opt/rocm/bin/hipcc ]]; }

need_root() {
  ((EUID == 0)) || fail "only root may $1; run: sudo env STEELYARD_TOOLS=$(dirname "$root") scripts/hip_root.sh" \
    "(or install ROCm, which needs no such root)"
}

# Moved into place when it is whole, so that a killed run leaves nothing that looks like a root.
make_root() {
  local part=$root.part log=$root.log
  command -v mmdebstrap >/dev/null || "$tree/scripts/setup.sh" --hip >&2 || exit 2
  mkdir -p "$(dirname "$root")"
  rm -rf --one-file-system "$part"
  echo "Making $root (1 to 2 minutes) ..." >&2
  if ! mmdebstrap --mode=root --variant=apt --components=main --architectures=amd64 \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Languages "none"' \
    --aptopt='Acquire::Check-Date "false"' --aptopt='Acquire::Retries "3"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --include="${packages//[[:space:]]/,}" \
    --customize-hook="chroot \"\$1\" sh -ec 'apt-get update -qq; cd /tmp
      apt-get download -qq $headers; for f in *.deb; do dpkg -x \$f /; done; rm -- *.deb'" \
    sid "$part" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "mmdebstrap failed; all of its output is in $log"
  fi
  mkdir -p "$part/w"
  echo "$packages" >"$part/steelyard-packages"
  mv -T "$part" "$root"
}

# A root made for another list of packages is made anew.
is_current() { [[ -f $root/steelyard-packages && $(<"$root/steelyard-packages") == "$packages" ]]; }

# check_range NAME VERSION OLDEST NEWEST: compares as many parts as the bounds have.
check_range() {
  printf '%s %s (built with %s to %s)\n' "$@" >&2
  [[ $2 =~ ^[0-9]+\.[0-9]+ ]] || fail "$1 reports no version: $2"
  { printf '%s\n' "$3" "$2" | sort -VC && printf '%s\n' "$2" "$4.999" | sort -VC; } ||
    fail "$1 $2 is none of the releases that the project was built with; widen the range in" \
      "scripts/hip_root.sh once it builds and passes"
}

versions() {
  local clang runtime
  clang=$(enter 'clang++-21 --version' | sed -n 's/.*clang version \([0-9.]*\).*/\1/p')
  runtime=$(enter "dpkg-query -W -f '\${Version}' libamdhip64-dev")
  check_range clang "$clang" "$oldest_clang" "$newest_clang"
  check_range "HIP runtime" "$runtime" "$oldest_runtime" "$newest_runtime"
}

# In a mount namespace of its own: what is mounted here ends with the command. hipcc needs /proc.
enter() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare --mount --propagation private sh -c '
    root=$1 tree=$2
    mount --bind /proc "$root/proc" && mount --rbind /dev "$root/dev" && mount --bind "$tree" "$root/w" &&
      exec chroot "$root" env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin LC_ALL=C.UTF-8 \
        ${4:+CI=$4} sh -c "cd /w && $3"' _ "$root" "$tree" "$*" "${CI-}"
}

prepare() {
  if has_rocm; then
    "$(command -v hipcc || echo /opt/rocm/bin/hipcc)" --version >&2
    return
  fi
  is_current || { need_root "make a Debian root"; rm -rf --one-file-system "$root"; make_root; }
}

case "${1-}" in
  -h | --help) usage ;;
  --run)
    shift
    (($#)) || { usage >&2; exit 2; }
    prepare
    if has_rocm; then cd "$tree" && exec sh -c "$*"; fi
    need_root "enter it"
    enter "$@" ;;
  -*) usage >&2; exit 2 ;;
  *)
    [[ -z ${1-} ]] || root=$(realpath -m "$1")
    prepare
    has_rocm || { need_root "enter it"; versions; echo "$root"; } ;;
esac
