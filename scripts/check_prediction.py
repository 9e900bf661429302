#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the interval that five processes give (--repetitions 5) hold the median of an independent long measurement?

usage: scripts/check_prediction.py [BUILD]     (default: build/cpu)

Measures 20 problems on the CPU, family by family: in two processes each, then each for 15 s in one, then in
three processes more, so that a machine that drifts does so for both. By hand: it takes about ten minutes, needs a quiet machine and decides nothing by itself. Exit code 1 when
fewer than 17 of the 20 medians are inside.
"""
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROWS = {
    "gemm": ["-a", "dtype=f32,bf16", "-a", "size=128,256,512,1024", "--kernel", "packed"],
    "memory": ["-a", "op=read,copy,triad,dot", "-a", "bytes=1048576,67108864", "--kernel", "stream"],
    "layers": ["-a", "op=rms_norm,swiglu", "-a", "rows=512,4096", "--tier", "portable"],
}
T_975_4 = 2.7764451  # Student's t with four degrees of freedom


def medians(program, options, file):
    subprocess.run([program, "--device", "cpu", *options, "--mode", "burst", "--json", file], check=True,
                   stdout=subprocess.DEVNULL)
    rows = json.loads(pathlib.Path(file).read_text())["benchmarks"]
    return {row["name"]: row["steelyard"]["timing"]["median_ns"] for row in rows}


def predict(runs):
    logs = [math.log(run) for run in runs]
    half = T_975_4 * statistics.stdev(logs) * math.sqrt(1 + 1 / len(logs))
    return math.exp(statistics.mean(logs) - half), math.exp(statistics.mean(logs) + half)


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/cpu")
    short, long = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for family, options in ROWS.items():
            program = build / "bin" / f"steelyard-{family}"
            for process in range(5):
                if process == 2:
                    long |= medians(program, [*options, "--suite", "full", "--min-samples", "1000000"],
                                    f"{folder}/long.json")
                for name, median in medians(program, options, f"{folder}/short.json").items():
                    short.setdefault(name, []).append(median)
    inside = 0
    print(f"{'row':64} {'from':>10} {'to':>10} {'long':>10}  [us]")
    for name, runs in short.items():
        lower, upper = predict(runs)
        median = long[name]
        inside += lower <= median <= upper
        print(f"{name:64} {lower / 1e3:10.2f} {upper / 1e3:10.2f} {median / 1e3:10.2f}  "
              f"{'inside' if lower <= median <= upper else 'OUTSIDE'}")
    print(f"{inside} of {len(short)} medians are inside")
    return 0 if inside >= 17 * len(short) / 20 else 1


if __name__ == "__main__":
    sys.exit(main())
