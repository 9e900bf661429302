#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All that a machine with a GPU should check and measure, in pieces that can be resumed. Runs in a folder
# made by gpu_bundle.sh and needs nothing else.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

results=$here/results
budget=500  # seconds of one call; no unit takes longer
all_steps=(machine tests virtual memcheck racecheck quick standard report)

usage() {
  cat <<USAGE
usage: gpu_check.sh [--results FOLDER] [--budget SECONDS] [--status] [STEP...]

Does what is left of the steps named (default: all), as far as it fits into one call of $budget s, then
packs results.tar.gz. Call it again until it says that all is done.

  machine     what the driver and the programs say of this machine
  tests       every GPU test, against the oracle
  virtual     the same, from the portable code of compute capability 8.0, compiled by the driver: what an
              A100 runs (NVIDIA only)
  memcheck    compute-sanitizer on the tests and on small problems: accesses out of bounds
  racecheck   compute-sanitizer on small problems: races in shared memory
  quick, standard   the suites of every program in every tier, verified and timed
  report      validates and reports the results so far

--status shows what was done. A unit that was killed twice is given up. Exit codes: 0 all done and passed,
1 all done and something failed, 2 usage, 6 no device, 75 more to do: call again.
USAGE
}

fail_usage() { echo "gpu_check.sh: $1; see gpu_check.sh --help" >&2; exit 2; }

status_only=
steps=()
while (($#)); do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --results) results=${2:?}; shift ;;
    --budget) budget=${2:?}; shift ;;
    --status) status_only=yes ;;
    -*) fail_usage "unknown option $1" ;;
    *) [[ " ${all_steps[*]} " == *" $1 "* ]] || fail_usage "unknown step $1"; steps+=("$1") ;;
  esac
  shift
done
((${#steps[@]})) || steps=("${all_steps[@]}")

mkdir -p "$results/log" && results=$(cd "$results" && pwd -P) || exit 2
state=$results/state.tsv   # unit, status, seconds, command; "started" stands until the unit ends
touch "$state"
vendor=$(<"$here/vendor")  # cuda or hip
export CUDA_CACHE_PATH=$results/jit_cache
export CUDA_CACHE_MAXSIZE=4294967296

programs() { find "$here/$1" -maxdepth 1 -type f -name "$2" | sort; }

record() { printf '%s\t%s\t%s\t%s\n' "$@" >>"$state"; }

# The last word on a unit: empty, started, passed, failed, timed-out, absent, given-up.
status_of() { awk -F'\t' -v unit="$1" '$1 == unit { last = $2 } END { print last }' "$state"; }

starts_of() { awk -F'\t' -v unit="$1" '$1 == unit && $2 == "started"' "$state" | wc -l; }

ran=0        # whether this call has run a unit: it always runs one
postponed=0  # units that no longer fitted

# unit NAME LIMIT COMMAND...: runs the command, at most LIMIT seconds, unless that was done before.
unit() {
  local name=$1 limit=$2 before log=$results/log/${1//\//-}.txt begin=$SECONDS code=0 status
  shift 2
  before=$(status_of "$name")
  [[ -z $before || $before == started ]] || return 0
  if (($(starts_of "$name") >= 2)); then record "$name" given-up 0 "$*"; return 0; fi
  if ((ran && SECONDS + limit > budget)); then ((++postponed)); return 0; fi
  ran=1
  record "$name" started 0 "$*"
  timeout --kill-after=10 "$limit" "$@" >"$log" 2>&1 </dev/null || code=$?
  case $code in
    0) status=passed ;;
    124 | 137) status=timed-out ;;
    *) status="failed($code)" ;;
  esac
  record "$name" "$status" $((SECONDS - begin)) "$*"
  printf '%-48s %-12s %4d s\n' "$name" "$status" $((SECONDS - begin))
  [[ $status == passed ]] || tail -n 5 "$log" | cut -c1-160 | sed 's/^/    /'
}

# absent NAME WHY: what cannot be done here is named, once.
absent() {
  [[ -z $(status_of "$1") ]] || return 0
  record "$1" absent 0 "$2"
  printf '%-48s %-12s %s\n' "$1" "not run:" "$2"
}

step_machine() {
  local tool
  for tool in nvidia-smi rocm-smi amd-smi; do
    ! command -v "$tool" >/dev/null || unit "machine/$tool" 60 "$tool"
  done
  unit machine/cpu 60 lscpu
  if command -v cuobjdump >/dev/null; then
    unit machine/code 120 cuobjdump -res-usage "$here/lib/libbackends.so"
  fi
  unit machine/programs 60 "$here/bin/steelyard" --version
}

step_tests() {
  local test
  for test in $(programs bin 'gpu_*_test'); do unit "tests/$(basename "$test")" 300 "$test"; done
}

step_virtual() {
  local test name
  if [[ ! -d $here/virtual ]]; then absent virtual "the bundle has no such build"; return; fi
  for test in $(programs bin 'gpu_*_test'); do
    name=$(basename "$test")
    [[ ! -e $here/virtual/bin/$name ]] || test=$here/virtual/bin/$name  # it has kernels of its own
    unit "virtual/$name" 400 env LD_LIBRARY_PATH="$here/virtual/lib:$here/lib" "$test"
  done
}

layer_ops=rms_norm,layer_norm,rope,swiglu,gelu,cross_entropy,log_probabilities,bias_add,residual_add
layer_ops+=,embedding_gather,embedding_scatter,cache_append,route,permute,unpermute,amax,quantise,dequantise,adamw
# Small problems of odd and even shapes, as options of a family's program; nothing for a family unknown here.
small_problems() {
  case $1 in
    steelyard-gemm) echo '-a m=64,200 -a n=136 -a k=96 -a dtype=bf16,f16,f32' ;;
    steelyard-attention)
      echo '-a pass=forward,backward,decode -a queries=1,200 -a keys=200 -a heads=4 -a kv_heads=2' ;;
    steelyard-llm) echo '--model tiny -a phase=train,prefill,decode -a context=32 -a batch=2' ;;
    steelyard-layers) echo "-a op=$layer_ops -a rows=40 -a columns=256 -a entries=64 -a choices=2" ;;
    steelyard-memory) echo '-a op=read,write,copy,mul,add,triad,dot,chase -a bytes=1048576' ;;
  esac
}

# sanitize TOOL: memcheck or racecheck.
sanitize() {
  local tool=$1 program name
  local sanitizer=(compute-sanitizer --tool "$tool" --error-exitcode 9)
  if ! command -v compute-sanitizer >/dev/null; then absent "$tool" "there is no compute-sanitizer"; return; fi
  for program in $(programs bin 'steelyard-*'); do
    name=$(basename "$program")
    if [[ -z $(small_problems "$name") ]]; then absent "$tool/$name" "no small problems are known"; continue; fi
    # shellcheck disable=SC2046 # options, one a word
    unit "$tool/$name" 400 "${sanitizer[@]}" "$program" --profile --device "$vendor:0" $(small_problems "$name")
  done
  [[ $tool == memcheck ]] || return 0
  for program in $(programs bin 'gpu_*_test'); do
    unit "$tool/$(basename "$program")" 450 "${sanitizer[@]}" "$program"
  done
}

step_memcheck() { sanitize memcheck; }
step_racecheck() { sanitize racecheck; }

# suite NAME BUDGET
suite() {
  local program tier name choice
  mkdir -p "$results/$1"
  for program in $(programs bin 'steelyard-*'); do
    for tier in library best tuned portable; do
      name=$(basename "$program")-$tier
      choice=(--suite "$1" --device "$vendor:all" --tier "$tier")
      if "$program" --list "${choice[@]}" >/dev/null 2>&1; then
        unit "$1/$name" $(($2 + 60)) "$program" "${choice[@]}" --budget "$2s" --json "$results/$1/$name.json"
      else
        absent "$1/$name" "it has no row of this tier"
      fi
    done
  done
}

step_quick() { suite quick 120; }
step_standard() { suite standard 420; }

# Written anew by each call that has it among its steps.
step_report() {
  local suite status
  for suite in quick standard; do
    [[ -n $(find "$results/$suite" -name '*.json' 2>/dev/null) ]] || continue
    status=failed
    "$here/bin/steelyard" validate "$results/$suite"/*.json >"$results/log/report-$suite.txt" 2>&1 &&
      "$here/bin/steelyard" report "$results/$suite" >"$results/$suite.md" 2>>"$results/log/report-$suite.txt" &&
      status=passed
    record "report/$suite" "$status" 0 report
  done
}

show_status() {
  awk -F'\t' '{ status[$1] = $2; seconds[$1] = $3; if (!($1 in order)) { order[$1] = ++n; name[n] = $1 } }
    END { for (i = 1; i <= n; ++i) printf "%-48s %-12s %4d s\n", name[i], status[name[i]], seconds[name[i]] }' "$state"
}

# Logs are cut in the middle, so that the pack stays small.
pack() {
  local log folder=$results/packed_logs
  rm -rf "$folder" && mkdir "$folder"
  for log in "$results"/log/*.txt; do
    { head -c 50000 "$log"; tail -c +50001 "$log" | tail -c 50000; } >"$folder/$(basename "$log")"
  done
  show_status >"$results/status.txt"
  cp "$here/bundle.txt" "$results/"
  tar -C "$results" -czf "$here/results.tar.gz" --exclude=./jit_cache --exclude=./log .
  rm -r "$folder"
  echo "results: $here/results.tar.gz ($(($(stat -c %s "$here/results.tar.gz") / 1024)) KiB)"
}

if [[ -n $status_only ]]; then show_status; exit 0; fi
code=0
reason=$("$here/bin/steelyard-memory" --list --device "$vendor:all" 2>&1 >/dev/null) || code=$?
if ((code == 6)); then echo "gpu_check.sh: no device: $reason" >&2; exit 6; fi
if ((code)); then echo "gpu_check.sh: the programs do not start here: $reason" >&2; exit 2; fi

for step in "${steps[@]}"; do "step_$step"; done
pack
if ((postponed)); then echo "$postponed units are left: call again"; exit 75; fi
if failures=$(show_status | grep -E ' (failed|timed-out|given-up)'); then
  printf 'all done; of these not well:\n%s\n' "$failures"
  exit 1
fi
echo "all done, all passed"
