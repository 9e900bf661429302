#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kernel of a HIP build on an emulated AMD GPU: amd_emulator_kernels_test.py BUILD TARGET

Runs all GPU tests of the build, each launch in both orders of its waves and workgroups, and prints what
was verified and counted; also to BUILD/amd_emulator/TARGET.txt. Exit codes: 0 passed, 1 a test failed or
no test has run one of the suite's own kernels.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

VERIFIED = re.compile(r"^verified (\w+) on (\d+)$", re.MULTILINE)

# Heading, how it is told from the sums over a kernel's launches, and how it is printed.
COLUMNS = [
    ("launches", lambda c: c["launches"], "{:.0f}"),
    ("wave instr.", lambda c: total(c), "{:.3g}"),
    ("VALU %", lambda c: 100 * c["vector"] / total(c), "{:.0f}"),
    ("SALU %", lambda c: 100 * (c["scalar"] + c["branch"] + c["wait"] + c["barrier"]) / total(c), "{:.0f}"),
    ("memory %", lambda c: 100 * (c["load"] + c["store"] + c["atomic"] + c["scalar_load"]) / total(c), "{:.0f}"),
    ("LDS %", lambda c: 100 * c["lds"] / total(c), "{:.0f}"),
    ("MFMA %", lambda c: 100 * c["matrix"] / total(c), "{:.0f}"),
    ("MFMA passes", lambda c: c["matrix_passes"], "{:.3g}"),
    ("idle lanes %", lambda c: 100 - 100 * ratio(c["active_lanes"], c["lane_slots"]), "{:.0f}"),
    ("LDS conflicts %", lambda c: 100 * (ratio(c["lds_conflict_cycles"], c["lds_cycles"], 0)), "{:.0f}"),
    ("lines/ideal", lambda c: ratio(c["lines"], c["ideal_lines"]), "{:.2f}"),
    ("scratch", lambda c: c["scratch_accesses"], "{:.3g}"),
]


def total(counts):
    return max(1, counts["wave_instructions"])


def ratio(part, whole, without=1):
    return part / whole if whole else without


def short(kernel):
    """Without namespaces, template arguments and parameters."""
    name = kernel.replace("(anonymous namespace)::", "").split("(")[0].split("<")[0]
    return name.split("::")[-1].split(" ")[-1]


def run(test, target, counts):
    environment = dict(os.environ, LD_LIBRARY_PATH=str(test.parent.parent / "amd_emulator"),
                       STEELYARD_EMULATE=target, STEELYARD_EMULATE_ORDER="both",
                       STEELYARD_EMULATE_COUNTS=counts)
    return subprocess.run([test], env=environment, capture_output=True, text=True, check=False)


def read_counts(file, kernels, mnemonics):
    for line in file:
        launch = json.loads(line)
        mnemonics.update(launch.pop("new_mnemonics"))
        sums = kernels[short(launch.pop("kernel"))]
        instructions = launch.pop("instructions")
        sums["launches"] += 1
        sums["wave_instructions"] += sum(instructions.values())
        sums.update(instructions)
        sums.update({name: count for name, count in launch.items() if isinstance(count, int)})


def table(kernels):
    rows = [["kernel", *(heading for heading, _, _ in COLUMNS)]]
    for name, counts in sorted(kernels.items()):
        rows.append([name, *(form.format(tell(counts)) for _, tell, form in COLUMNS)])
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        yield "  ".join([row[0].ljust(widths[0]), *cells])


def main():
    build, target = Path(sys.argv[1]).resolve(), sys.argv[2]
    verified, kernels, mnemonics, failed = Counter(), defaultdict(Counter), set(), []
    tests = sorted((build / "bin").glob("gpu_*_test"))
    for test in tests:
        with tempfile.NamedTemporaryFile("r", encoding="utf-8") as counts:
            outcome = run(test, target, counts.name)
            if outcome.returncode:
                failed.append(test.name)
                print(f"{test.name} on {target}:\n{outcome.stdout}{outcome.stderr}")
            verified.update({name: int(count) for name, count in VERIFIED.findall(outcome.stdout)})
            read_counts(counts, kernels, mnemonics)
    missing = sorted(name for name, count in verified.items() if count == 0)
    summary = (f"emulated {target}: {len(tests)} test programs, {sum(verified.values())} rows of "
               f"{len(verified)} kernels verified, {len(kernels)} GPU functions, "
               f"{len(mnemonics)} mnemonics executed")
    text = "\n".join([*table(kernels), "", summary])
    (build / "amd_emulator" / f"{target}.txt").write_text(text + "\n", encoding="utf-8")
    print(text)
    if failed:
        print(f"failed: {', '.join(failed)}")
    if missing or not verified:
        print(f"verified on no problem: {', '.join(missing) or 'every kernel'}")
    return 1 if failed or missing or not verified else 0


if __name__ == "__main__":
    sys.exit(main())
