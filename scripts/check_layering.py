#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes what, and that the names of GPU vendors stay in the folders made for them."""
import re
import sys
from pathlib import Path

SOURCES = {".h", ".cpp", ".cu"}
CONTRACT = r"backends/[^/]+\.h"

# The first pattern that matches a file decides; it may include what matches one of the patterns
# beside it.
MAY_INCLUDE = [
    ("reports/.*", ["reports/.*"]),
    ("backends/cpu/.*", ["backends/cpu/.*", CONTRACT]),
    ("backends/gpu/.*", ["backends/gpu/.*", CONTRACT]),
    ("backends/cuda/.*", ["backends/(cuda|gpu)/.*", CONTRACT]),
    ("backends/hip/.*", ["backends/(hip|gpu)/.*", CONTRACT]),
    ("backends/[^/]*", [CONTRACT]),
    ("bench/.*", ["bench/.*", CONTRACT,
                  r"reports/(chrome_trace|exit_code|record|render|replace_file|specs|statistics)\.h"]),
    ("scripts/.*", ["scripts/.*", "backends/.*", "bench/.*", r"reports/statistics\.h"]),
    ("tests/.*", [".*"]),
]

VENDOR_FILES = ["backends/(cuda|hip)/.*", r"backends/gpu/(vendor|mma)_[^/]*\.h", "tests/.*"]
ASSEMBLY_FILES = VENDOR_FILES + ["backends/cpu/.*"]  # the host's assembly is no PTX

# A library's prefix and what makes it a name of that library: cudaMalloc, hipFree, NCCL_MAJOR.
VENDOR_SPELLING = re.compile(
    r"""\b(?: (?:cuda|hip|nvml|nccl|rccl) [A-Z]\w*
            | (?:cublas|cudnn|hipblas|rocblas|amdsmi|hipdnn|miopen) \w*
            | (?:CUDA|HIP|CUBLAS|CUDNN|NVML|HIPBLAS|ROCBLAS|AMDSMI|NCCL|RCCL)_\w+
            | cu(?:Init|Device|Ctx|Mem|Stream|Event|Launch|Module|Func|Graph)[A-Z]?\w*
            | __nv\w+ | __hip\w+ | __CUDA\w+ | __HIP\w+ | __builtin_amdgcn_\w+ )""", re.VERBOSE)
VENDOR_HEADER = re.compile(
    r'#\s*include\s*[<"](?:cuda|cublas|cudnn|nvml|nccl|rccl|hip|rocblas|amd_smi|mma\.h)[^>"]*[>"]')
INLINE_ASSEMBLY = re.compile(r"\b(?:asm|__asm__)\b(?:\s*(?:volatile|__volatile__))?\s*\(")

# The strings count too, so that a // in one of them is no comment.
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def matches(path, patterns):
    return any(re.fullmatch(pattern, path) for pattern in patterns)


def blank(match):
    """Comments keep their line breaks, so that line numbers stay right."""
    return "\n" * match.group().count("\n") if match.group().startswith("/") else '""'


def included(text, path, root):
    """What a source includes in quotes, from the project's root, with line numbers."""
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if not found:
            continue
        beside = (root / path).parent / found.group(1)
        yield number, (beside.resolve().relative_to(root).as_posix() if beside.is_file()
                       else found.group(1))


def include_faults(text, path, root):
    allowed = next((targets for pattern, targets in MAY_INCLUDE if matches(path, [pattern])))
    for number, target in included(text, path, root):
        if not matches(target, allowed):
            yield f"{path}:{number}: may not include {target}; allowed: {', '.join(allowed)}"


def spelling_faults(text, path):
    code = COMMENT_OR_STRING.sub(blank, text)
    for what, pattern, where, files in (("a vendor's name", VENDOR_SPELLING, code, VENDOR_FILES),
                                        ("a vendor's header", VENDOR_HEADER, text, VENDOR_FILES),
                                        ("inline assembly", INLINE_ASSEMBLY, code, ASSEMBLY_FILES)):
        if matches(path, files):
            continue
        for found in pattern.finditer(where):
            number = where.count("\n", 0, found.start()) + 1
            yield f"{path}:{number}: {what} ({found.group()}) belongs in {', '.join(files)}"


def faults(root):
    for folder in ("backends", "bench", "reports", "scripts", "tests"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in SOURCES:
                continue
            path, text = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
            if not any(matches(path, [pattern]) for pattern, _ in MAY_INCLUDE):
                yield f"{path}: no rule says what this folder may include; add it to MAY_INCLUDE"
                continue
            yield from include_faults(text, path, root)
            yield from spelling_faults(text, path)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    found = list(faults(root))
    print("\n".join(found) or "layering: nothing to complain about")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
