# SPDX-License-Identifier: Apache-2.0
"""What ptxas said of NVIDIA kernels when it compiled them: registers, spills, serialised wgmma."""
import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ENTRY = re.compile(r"Compiling entry function '([^']+)' for '([^']+)'")
PROPERTIES = re.compile(r"Function properties for (\S+)")
FRAME = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")
# "wgmma.mma_async instructions are serialized due to ... in (the) function 'NAME'"
SERIALISED = re.compile(r"\(C75(?:10|11)\).*'([^']+)'")


@dataclass
class NvidiaKernel:
    """One kernel of one architecture. `metrics` are what budgets bound."""
    symbol: str
    architecture: str
    metrics: dict


def parse_report(text):
    """The kernels of what `ptxas -v` prints. A device function that was not inlined counts for the
    kernel compiled before it."""
    kernels, serialised, current = [], set(), None
    for line in text.splitlines():
        if found := SERIALISED.search(line):
            serialised.add(found[1])
        if found := ENTRY.search(line):
            current = {"registers": 0, "shared_bytes": 0, "spills": 0, "scratch_bytes": 0}
            kernels.append(NvidiaKernel(found[1], found[2], current))
        if current is None:
            continue
        if found := FRAME.search(line):
            current["scratch_bytes"] += int(found[1])
            current["spills"] += int(found[2]) + int(found[3])
        if found := USED.search(line):
            current["registers"] = int(found[1])
            current["shared_bytes"] = int((SHARED.search(line) or [0, 0])[1])
    for kernel in kernels:
        kernel.metrics["serialised_wgmma"] = int(
            kernel.symbol in serialised and kernel.architecture.startswith("sm_9"))
    return kernels


def read_build(folder):
    """The kernels of every CUDA source of a build folder; exits where a report is missing."""
    folder, kernels = Path(folder), []
    for entry in json.loads((folder / "compile_commands.json").read_text(encoding="utf-8")):
        if not entry["file"].endswith(".cu"):
            continue
        command = shlex.split(entry["command"])
        report = Path(entry["directory"], command[command.index("-o") + 1] + ".ptxas")
        if not report.exists():
            raise SystemExit(f"check_machine_code.py: {report} is missing; build the project first")
        kernels += parse_report(report.read_text(encoding="utf-8"))
    return kernels
