#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the gate find what was put in, and nothing else, on this machine?

usage: scripts/check_gate.py DIR [BUILD] [GATES]     (default: build/cpu, 20)

Gates three small GEMMs of the CPU against themselves, and against the same with launches that are 5 % and
10 % longer: GATES times each, into DIR, where an interrupted check goes on. By hand: it takes hours on a noisy
machine. Exit code 1 when a change is found where there is none, when a row whose runs deviate by 1 % at most
misses one in more than a twentieth of the gates, or when any row passes with one.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys

ROWS = "-a dtype=f32,bf16 -a size=256 --kernel packed --device cpu --mode burst --budget 2s"
SLOWDOWNS = (1.0, 1.05, 1.10)


def gate(build, folder, slowdown):
    """The rows of one gate: (verdict, deviation between runs)."""
    program = f"'{build}/bin/slowed_gemm' {ROWS}"
    if not (folder / "report.json").exists():
        done = subprocess.run([build / "bin/steelyard", "gate", "-o", folder, "--baseline", program, "--candidate",
                               f"env STEELYARD_SLOWDOWN={slowdown} {program}"],
                              stdout=subprocess.DEVNULL, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"check_gate.py: the gate in {folder} ended with {done.returncode}")
    return [(row["verdict"], row["between_runs"]) for row in json.loads((folder / "report.json").read_text())["rows"]]


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1])
    build = pathlib.Path(os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else "build/cpu"))
    gates = int(sys.argv[3]) if len(sys.argv) > 3 else 20
    found = {slowdown: collections.Counter() for slowdown in SLOWDOWNS}
    for number in range(gates):
        for slowdown in SLOWDOWNS:
            folder = root / f"{slowdown:.2f}-{number + 1:02}"
            folder.mkdir(parents=True, exist_ok=True)
            for verdict, deviation in gate(build, folder, slowdown):
                found[slowdown]["quiet" if deviation <= 0.01 else "noisy", verdict] += 1
    bad = False
    print(f"{'slowdown':>8}  {'rows':6}" + "".join(f"{v:>13}" for v in ("regression", "inconclusive", "pass",
                                                                        "improvement")))
    for slowdown, counts in found.items():
        for kind in ("quiet", "noisy"):
            row = {v: counts[kind, v] for v in ("regression", "inconclusive", "pass", "improvement")}
            total = sum(row.values())
            print(f"{slowdown - 1:8.0%}  {kind:6}" + "".join(f"{n:13}" for n in row.values()))
            bad |= slowdown == 1.0 and row["regression"] > 0
            bad |= slowdown > 1.0 and row["pass"] + row["improvement"] > 0
            bad |= slowdown > 1.0 and kind == "quiet" and row["regression"] < 0.95 * total
    return bad


if __name__ == "__main__":
    sys.exit(main())
