#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mistakes in the shipped kernels are caught: amd_emulator_mutations_test.py BUILD

Each mutation changes one place in a copy of a source. The one file that holds the kernel is compiled
with it, for one GPU and otherwise as in the build folder, and takes the place of the original in a
test program, which must fail on the emulated GPU: by a fault that the emulator names, or by a value
that the oracle refuses. Exit codes: 1 if a mutation survives, 77 if there is nothing to compile or
run with."""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TARGET = "gfx942"
LONGEST_RUN = 300  # seconds


class Suite(NamedTuple):
    name: str
    unit: str  # the source that is compiled
    program: str
    cases: str  # of the program: few, but they reach the kernel in all of its ways


class Mutation(NamedTuple):
    name: str
    by: str  # what catches it: "value", or what the emulator says
    file: str
    old: str  # occurs once
    new: str


GEMM = Suite("gemm", "gemm_tile_bf16.cu", "gpu_gemm_test",
             "Tiles of 16-bit floats,alpha and beta*,A few rows*")
ATTENTION = Suite("attention", "attention_forward.cu", "gpu_attention_test",
                  "Forward is right*,A causal mask*,Query heads*")
VALUE = "value"

MUTATIONS = {
    GEMM: [
        Mutation("dropped barrier before the next slab", "race", "mma_hip.h",
                 "    __syncthreads();  // `slab` is there for all threads, and", "    // and"),
        Mutation("dropped barrier between the last slab and the strips", "race", "gemm_epilogue.h",
                 "  __syncthreads();  // nobody reads a slab any more\n", ""),
        Mutation("swapped operands of the product", VALUE, "mma_hip.h",
                 "16x16x16bf16_1k(half_of<Bits>(b, half), half_of<Bits>(a, half),",
                 "16x16x16bf16_1k(half_of<Bits>(a, half), half_of<Bits>(b, half),"),
        Mutation("wrong row of the output map", VALUE, "mma_hip.h",
                 "int row(int) { return row_of_slot(0); }",
                 "int row(int) { return row_of_slot(0) ^ 1; }"),
        Mutation("columns of the output map as of f64", "not a multiple", "mma_hip.h",
                 "is_f64 ? 4 * v + quarter : 4 * quarter + v;", "4 * v + quarter;"),
        Mutation("one slab of the depth too few", VALUE, "gemm_tile_kernel.h",
                 "slabs = (p.k + C::depth - 1) / C::depth", "slabs = p.k / C::depth"),
        Mutation("all splits write the same partial sums", "order", "gemm_tile_kernel.h",
                 "static_cast<S*>(p.partial) + blockIdx.y * m * n", "static_cast<S*>(p.partial)"),
        Mutation("off-by-one bound of the rows of C", "", "gemm_epilogue.h",
                 "if (row >= last_row ||", "if (row > last_row ||"),
        Mutation("off-by-one bound of the lines that are read one by one", "reads", "copy_tile.h",
                 "if (line >= lines || further", "if (line > lines || further"),
        Mutation("bounded memory a line too long", "reads", "copy_tile.h",
                 "whole = min(lines, most_lines)", "whole = min(lines + 1, most_lines)"),
        Mutation("stale LDS buffer: every slab is read from the first stage", "", "mma_hip.h",
                 "    consume(slab, stage);", "    consume(slab, 0);"),
        Mutation("the next slab is written where this one is read", "race", "mma_hip.h",
                 "commit(slab + 1, 1 - stage);", "commit(slab + 1, stage);"),
        Mutation("B lies over A in LDS", "race", "gemm_tile_kernel.h",
                 "static_cast<std::size_t>(stage) * stage_bytes + A::bytes);",
                 "static_cast<std::size_t>(stage) * stage_bytes);"),
        Mutation("LDS for one stage too few", "LDS", "gemm_tile_kernel.h",
                 "std::max(shape.stages * stage_bytes,", "std::max((shape.stages - 1) * stage_bytes,"),
        Mutation("the reader knows nothing of the writer's swizzle", VALUE, "operand_tile.h",
                 "return chunk(line, chunk_index) + further * chunks;",
                 "return reinterpret_cast<Chunk*>(memory_) + (line + further) * chunks + chunk_index;"),
        Mutation("transposed on its way with the depth upside down", VALUE, "copy_tile.h",
                 "along_depth.set(d, held_[i][d], r);",
                 "along_depth.set(d, held_[i][height - 1 - d], r);"),
        Mutation("the epilogue forgets beta", VALUE, "gemm_epilogue.h",
                 "if (e.beta != 0) {", "if (e.beta == 1) {"),
    ],
    ATTENTION: [
        Mutation("dropped barrier before queries are read", "race", "attention_forward.cu",
                 "    finish_copies();\n    __syncthreads();\n", "    finish_copies();\n"),
        Mutation("dropped barrier before keys overwrite the queries", "race", "attention_forward.cu",
                 "    __syncthreads();\n    return held;", "    return held;"),
        Mutation("dropped barrier between keys and values", "race", "mma_hip.h",
                 "    __syncthreads();  // `slab` is there for all threads, and", "    // and"),
        Mutation("values arrive where keys are read", "race", "attention_tile.h",
                 "return V(stage_memory(stage));", "return V(stage_memory(0));"),
        Mutation("stale LDS buffer: every slab is read from the first stage", "", "mma_hip.h",
                 "    consume(slab, stage);", "    consume(slab, 0);"),
        Mutation("LDS for keys, but not for queries", "LDS", "attention_forward.cu",
                 "std::max(q_offset + Q::bytes, stages* K::bytes)", "stages* K::bytes"),
        Mutation("K and V exchanged", VALUE, "attention_forward.cu",
                 "keys.over_width(), values.over_tokens()", "values.over_width(), keys.over_tokens()"),
        Mutation("softmax scale applied twice", VALUE, "attention_tile.h",
                 "exp2_approximate(value * scale - origin)",
                 "exp2_approximate(value * scale * scale - origin)"),
        Mutation("mask compares with > for >=", VALUE, "attention_forward.cu",
                 "first_key + column >= sizes.", "first_key + column > sizes."),
        Mutation("causal mask aligned at the first key", VALUE, "attention_tile.h",
                 "min(keys, query + 1 + keys - queries)", "min(keys, query + 1)"),
        Mutation("only blocks that the first row cuts are masked", VALUE, "attention_forward.cu",
                 "Tile::keys > sizes.visible_keys(first))  //",
                 "Tile::keys > sizes.visible_keys(last))  //"),
        Mutation("last key block skipped", VALUE, "attention_forward.cu",
                 "(sizes.visible_keys(last) + Tile::keys - 1) / Tile::keys",
                 "sizes.visible_keys(last) / Tile::keys"),
        Mutation("output not rescaled with the running maximum", VALUE, "attention_tile.h",
                 "      output.scale_rows(shrink);\n", ""),
        Mutation("sum not rescaled with the running maximum", VALUE, "attention_tile.h",
                 "sum = zip(sum, shrink, [](float a, float b) { return a * b; });",
                 "sum = zip(sum, shrink, [](float a, float) { return a; });"),
        Mutation("LSE forgets the maximum", VALUE, "attention_tile.h",
                 "s == 0 ? hidden : r + log2f(s)", "s == 0 ? hidden : log2f(s)"),
        Mutation("half of the lanes of a row are left out", "", "mma_hip.h",
                 "lanes_of_a_row = 48;", "lanes_of_a_row = 16;"),
        Mutation("values are not in the order of the probabilities", VALUE, "mma_hip.h",
                 "4 * step + 2 * half + lane / 32,", "4 * step + half + lane / 32 * 2,"),
        Mutation("query heads share keys of another group", VALUE, "attention_forward.cu",
                 "head / sizes.group()", "head % sizes.kv_heads"),
        Mutation("off-by-one bound of the rows of O", "", "attention_forward.cu",
                 "    if (first + row <= last)\n", "    if (first + row <= last + 1)\n"),
        Mutation("off-by-one bound of the rows of LSE", "", "attention_forward.cu",
                 "leads_rows() && first + row <= last)", "leads_rows() && first + row <= last + 1)"),
    ],
}


class Build:
    """What the build folder knows of its commands."""

    def __init__(self, folder):
        self.folder = folder
        self.emulator = folder / "amd_emulator"
        commands = folder / "compile_commands.json"
        self.compiled = {Path(entry["file"]).name: shlex.split(entry["command"])
                         for entry in json.loads(commands.read_text(encoding="utf-8"))
                         if Path(entry["file"]).suffix == ".cu"} if commands.exists() else {}

    def can_compile(self):
        return any("hip" in words for words in self.compiled.values()) and self.emulator.exists()

    def run(self, words, **options):
        return subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False,
                              errors="replace", **options)

    def compile(self, unit, overlay, made):
        words = [word for word in self.compiled[unit] if not word.startswith("--offload-arch=")]
        source = overlay / "backends" / "gpu" / unit
        words[words.index("-o") + 1] = made
        words[-1] = source if source.exists() else words[-1]
        words[1:1] = [f"-I{overlay}", f"--offload-arch={TARGET}"]
        outcome = self.run(words)
        if outcome.returncode:
            raise RuntimeError("it does not compile:\n" + outcome.stderr)

    def link(self, program, unit_object, made):
        """As the build does, but for an object that stands before the library which has the original."""
        printed = self.run(["ninja", "-t", "commands", program]).stdout.splitlines()[-1]
        words = shlex.split(printed.removeprefix(": && ").removesuffix(" && :"))
        words = [word for word in words if "--dependency-file=" not in word and word != "-Xlinker"]
        words[words.index("-o") + 1] = made
        words.insert(words.index("backends/libbackends.a"), unit_object)
        outcome = self.run(words)
        if outcome.returncode:
            raise RuntimeError("it does not link:\n" + outcome.stderr)

    def emulate(self, program, cases):
        environment = dict(os.environ, LD_LIBRARY_PATH=str(self.emulator), STEELYARD_EMULATE=TARGET,
                           STEELYARD_EMULATE_ORDER="both", OMP_WAIT_POLICY="passive")
        return self.run([program, cases, "--abort", "--reporter", "compact"], env=environment,
                        timeout=LONGEST_RUN)


def mutated(mutation):
    text = (ROOT / "backends" / "gpu" / mutation.file).read_text(encoding="utf-8")
    if text.count(mutation.old) != 1:
        raise RuntimeError(f"{mutation.file} has {text.count(mutation.old)} times: {mutation.old}")
    return text.replace(mutation.old, mutation.new)


def outcome_of(build, suite, mutation):
    """Of the suite's program with a mutation, or None."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = folder / "backends" / "gpu"
        sources.mkdir(parents=True)
        if mutation:
            (sources / mutation.file).write_text(mutated(mutation), encoding="utf-8")
        build.compile(suite.unit, folder, folder / "unit.o")
        build.link(suite.program, folder / "unit.o", folder / "program")
        return build.emulate(folder / "program", suite.cases)


def cause(outcome):
    """Why a program failed: what the emulator said first, else what the oracle did; "" for neither."""
    fault = re.search(r"^amd_emulator: .*", outcome.stderr, re.MULTILINE)
    value = re.search(r"copy \d+: error .* of a tolerance of [^']*", outcome.stdout)
    if outcome.returncode == 0:
        return ""
    return fault.group() if fault else "value: " + value.group() if value else ""


def judge(build, suite, mutation):
    """Whether the mutation was caught, and a line that says so."""
    what = f"{suite.name}: {mutation.name if mutation else 'without a mutation'}: "
    try:
        outcome = outcome_of(build, suite, mutation)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return False, f"FAILED    {what}{error}"
    if not mutation:
        passed = outcome.returncode == 0 and re.search(r"[1-9]\d* assertion", outcome.stdout)
        return passed, f"passes    {what}{outcome.stdout.strip()}"
    found = cause(outcome)
    if found:
        return True, f"caught    {what}{found}"
    return False, f"SURVIVED  {what}exit code {outcome.returncode}\n{outcome.stdout}{outcome.stderr}"


def main():
    build = Build(Path(sys.argv[1]).resolve())
    if not build.can_compile():
        print("skipped: no HIP compiler or no emulator in", build.folder)
        return 77
    work = [(suite, mutation) for suite, mutations in MUTATIONS.items()
            for mutation in [None, *mutations]]
    caught = 0
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for ok, line in pool.map(lambda item: judge(build, *item), work):
            print(line, flush=True)
            caught += bool(ok)
    print(f"mutations caught: {caught - len(MUTATIONS)} of {len(work) - len(MUTATIONS)}")
    return 0 if caught == len(work) else 1


if __name__ == "__main__":
    sys.exit(main())
