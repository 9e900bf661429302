#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every GPU kernel's machine code to a budget. Needs a compiler, no GPU.

usage: check_machine_code.py [--budgets FILE] PROGRAM_OR_BUILD_FOLDER...

A program's AMD kernels are read from the program itself by LLVM's tools, NVIDIA kernels from what
ptxas reported beside the objects of a build folder. Exit codes: 0 all within budget, 1 not, 2 usage.
"""
import argparse
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

sys.dont_write_bytecode = True  # the source tree stays as it is
import machine_code_amd
import machine_code_nvidia

# The columns of the table that is printed, and their headings.
COLUMNS = {"registers": "registers", "shared_bytes": "shared", "spills": "spills",
           "scratch_bytes": "scratch", "waterfalls": "waterfalls", "serialised_wgmma": "serialised",
           "loop_instructions": "loop", "mfma": "mfma", "vector_share": "vector",
           "accesses": "accesses", "narrow_accesses": "narrow", "mca_ratio": "mca"}
METRICS = {*COLUMNS, "scalar_registers", "accvgpr_moves", "divergent_branches"}
NAMESPACES = ["steelyard::", "gpu::", "(anonymous namespace)::"]


@dataclass
class Budget:
    """One [[kernel]] table: which kernels it is for, and what bounds their metrics."""
    kernel: str
    architecture: str = "*"
    why: str = ""
    at_most: dict = field(default_factory=dict)
    at_least: dict = field(default_factory=dict)

    def matches(self, name, architecture):
        return fnmatchcase(name, self.kernel) and fnmatchcase(architecture, self.architecture)

    def excesses(self, metrics):
        for bounds, broken, word in ((self.at_most, lambda x, bound: x > bound, "at most"),
                                     (self.at_least, lambda x, bound: x < bound, "at least")):
            for metric, bound in bounds.items():
                if metric in metrics and broken(metrics[metric], bound):
                    yield f"{metric} {number(metrics[metric])}, {word} {bound}"
                elif metric not in metrics and word == "at least":
                    yield f"{metric} unknown: there is no loop; {word} {bound}"


def number(value):
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def read_budgets(file):
    """The budgets of a file, first match first; each inherits the file's defaults."""
    content = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    defaults = content.get("defaults", {})
    budgets = []
    for entry in content.get("kernel", []):
        budget = Budget(**entry)
        budget.at_most = {**defaults.get("at_most", {}), **budget.at_most}
        unknown = {*budget.at_most, *budget.at_least} - METRICS
        if unknown:
            names = ", ".join(sorted(unknown))
            raise SystemExit(f"{file}: {budget.kernel}: no such metric: {names}")
        budgets.append(budget)
    return budgets


def read_kernels(paths):
    kernels, seen = [], set()
    for path in paths:
        if Path(path).is_dir():
            kernels += machine_code_nvidia.read_build(path)
        else:
            kernels += machine_code_amd.read_program(path, seen)
    return kernels


def demangled(symbols):
    """Names without parameters and without the project's namespaces."""
    if not symbols:
        return []
    names = subprocess.run(["c++filt", "-p"], input="\n".join(symbols), text=True, check=True,
                           capture_output=True).stdout
    for namespace in NAMESPACES:
        names = names.replace(namespace, "")
    return names.splitlines()


def check(name, kernel, budgets, used):
    """The faults of one kernel, and its metrics."""
    budget = next((b for b in budgets if b.matches(name, kernel.architecture)), None)
    metrics = dict(kernel.metrics)
    if budget is None:
        return ["no budget: add a [[kernel]] table for it"], metrics
    used.append(budget)
    if "mca_ratio" in budget.at_most:
        metrics["mca_ratio"] = kernel.mca_ratio()
    return list(budget.excesses(metrics)), metrics


def print_table(rows):
    names = ["kernel", "architecture", *COLUMNS.values()]
    cells = [[name, kernel.architecture, *(number(metrics.get(metric, "-")) for metric in COLUMNS)]
             for name, kernel, metrics, _ in rows]
    widths = [max(map(len, column)) for column in zip(names, *cells)]
    for line in [names, *cells]:
        print("  ".join(cell.ljust(w) if i < 2 else cell.rjust(w)
                        for i, (cell, w) in enumerate(zip(line, widths))).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--budgets", default=Path(__file__).with_name("machine_code_budgets.toml"))
    parser.add_argument("path", nargs="+", help="program with AMD kernels, or CUDA build folder")
    arguments = parser.parse_args()

    budgets, used, rows = read_budgets(arguments.budgets), [], []
    kernels = read_kernels(arguments.path)
    for name, kernel in sorted(zip(demangled([k.symbol for k in kernels]), kernels),
                               key=lambda pair: (pair[0], pair[1].architecture)):
        faults, metrics = check(name, kernel, budgets, used)
        rows.append((name, kernel, metrics, faults))
    print_table(rows)

    faults = [f"{name} {kernel.architecture}: {fault}" for name, kernel, _, found in rows
              for fault in found]
    architectures = {kernel.architecture for kernel in kernels}
    faults += [f"{one.kernel} {one.architecture}: this budget is for no kernel: remove it"
               for one in budgets if one not in used and
               any(fnmatchcase(architecture, one.architecture) for architecture in architectures)]
    if not kernels:
        faults.append("no kernel was found")
    print("", *faults or [f"machine code: {len(kernels)} kernels, all within budget"], sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
