#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mistakes in the shipped kernels are caught: amd_emulator_mutations_test.py BUILD

Each mutation changes one place in a copy of a source. The one file that has the kernel is compiled
with it, for one GPU and otherwise as in the build folder, and takes the place of the original in a
test program. That must fail on the emulated GPU: by a fault that the emulator names, or by a value
that the oracle refuses. Exit codes: 1 if a mutation survives or no longer fits its source, 77 if
there is no HIP compiler or no emulator."""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

SOURCES = Path(__file__).resolve().parent.parent / "backends" / "gpu"
TARGET = "gfx942"
LONGEST_RUN = 300  # seconds

# What may catch a mutation, by what is said then: the emulator of a launch, or the oracle of a result.
CAUSES = {
    "race": r"no barrier stands between|LDS byte \w+ that nobody has written",
    "bounds": r"LDS address \w+, and its workgroup has|into an allocation|behind its last byte",
    "alignment": r"is not a multiple of",
    "order": r"in one order of the waves and workgroups and .* in the other",
    "value": r"error \S+ of a tolerance of",
}


class Suite(NamedTuple):
    name: str
    unit: str  # the source that is compiled
    program: str
    cases: str  # of the program: few, but they reach every kind of the kernel


class Mutation(NamedTuple):
    name: str
    cause: str  # of CAUSES
    file: str
    old: str  # occurs once
    new: str


GEMM = Suite("gemm", "gemm_tile_bf16.cu", "gpu_gemm_test",
             "Tiles of 16-bit floats,alpha and beta*,A few rows*")
SCHEDULE = Suite("gemm of many tiles", "gemm_tile_bf16.cu", "gpu_gemm_test",
                 "Tile rows fill*,Groups of rows*")
ATTENTION = Suite("attention", "attention_forward.cu", "gpu_attention_test",
                  "Forward is right*,A causal mask*,Query heads*,What was summed up*")

MUTATIONS = {
    GEMM: [
        Mutation("dropped barrier before the next slab", "race", "mma_hip.h",
                 "    __syncthreads();  // `slab` is there for all threads, and", "    // and"),
        Mutation("dropped barrier between the last slab and the strips", "race", "gemm_epilogue.h",
                 "  __syncthreads();  // nobody reads a slab any more\n", ""),
        Mutation("swapped operands of the product", "value", "mma_hip.h",
                 "16x16x16bf16_1k(half_of<Bits>(b, half), half_of<Bits>(a, half),",
                 "16x16x16bf16_1k(half_of<Bits>(a, half), half_of<Bits>(b, half),"),
        Mutation("wrong row of the output map", "value", "mma_hip.h",
                 "int row(int) { return row_of_slot(0); }",
                 "int row(int) { return row_of_slot(0) ^ 1; }"),
        Mutation("columns of the output map as of f64", "alignment", "mma_hip.h",
                 "is_f64 ? 4 * v + quarter : 4 * quarter + v;", "4 * v + quarter;"),
        Mutation("one slab of the depth too few", "value", "gemm_tile_kernel.h",
                 "slabs = (p.k + C::depth - 1) / C::depth", "slabs = p.k / C::depth"),
        Mutation("all splits write the same partial sums", "order", "gemm_tile_kernel.h",
                 "static_cast<S*>(p.partial) + blockIdx.y * m * n", "static_cast<S*>(p.partial)"),
        Mutation("off-by-one bound of the rows of C", "bounds", "gemm_epilogue.h",
                 "if (row >= last_row ||", "if (row > last_row ||"),
        Mutation("off-by-one bound of the lines that are read one by one", "bounds", "copy_tile.h",
                 "if (line >= lines || further", "if (line > lines || further"),
        Mutation("bounded memory a line too long", "bounds", "copy_tile.h",
                 "whole = min(lines, most_lines)", "whole = min(lines + 1, most_lines)"),
        Mutation("stale LDS buffer: every slab is read from the first stage", "race", "mma_hip.h",
                 "    consume(slab, stage);", "    consume(slab, 0);"),
        Mutation("the next slab is written where this one is read", "race", "mma_hip.h",
                 "commit(slab + 1, 1 - stage);", "commit(slab + 1, stage);"),
        Mutation("B lies over A in LDS", "race", "gemm_tile_kernel.h",
                 "static_cast<std::size_t>(stage) * stage_bytes + A::bytes);",
                 "static_cast<std::size_t>(stage) * stage_bytes);"),
        Mutation("LDS for one stage too few", "bounds", "gemm_tile_kernel.h",
                 "std::max(shape.stages * stage_bytes,", "std::max((shape.stages - 1) * stage_bytes,"),
        Mutation("the reader knows nothing of the writer's swizzle", "value", "operand_tile.h",
                 "return chunk(line, chunk_index) + further * chunks;",
                 "return reinterpret_cast<Chunk*>(memory_) + (line + further) * chunks + chunk_index;"),
        Mutation("transposed on its way with the depth upside down", "value", "copy_tile.h",
                 "along_depth.set(d, held_[i][d], r);",
                 "along_depth.set(d, held_[i][height - 1 - d], r);"),
        Mutation("the epilogue forgets beta", "value", "gemm_epilogue.h",
                 "if (e.beta != 0) {", "if (e.beta == 1) {"),
    ],
    SCHEDULE: [
        Mutation("the last band as high as the others", "value", "tile_schedule.h",
                 "min(band_tiles, down - band * band_tiles)", "min(band_tiles, down)"),
        Mutation("blocks dealt back as if each die had one", "value", "tile_schedule.h",
                 "block % s.dies * of_a_die + block", "block % s.dies + block"),
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
        Mutation("stale LDS buffer: every slab is read from the first stage", "value", "mma_hip.h",
                 "    consume(slab, stage);", "    consume(slab, 0);"),
        Mutation("LDS for keys, but not for queries", "bounds", "attention_forward.cu",
                 "std::max(q_offset + Q::bytes, stages* K::bytes)", "stages* K::bytes"),
        Mutation("K and V exchanged", "value", "attention_forward.cu",
                 "keys.over_width(), values.over_tokens()", "values.over_width(), keys.over_tokens()"),
        Mutation("softmax scale applied twice", "value", "attention_tile.h",
                 "exp2_approximate(value * scale - origin)",
                 "exp2_approximate(value * scale * scale - origin)"),
        Mutation("mask compares with > for >=", "value", "attention_forward.cu",
                 "first_key + column >= sizes.", "first_key + column > sizes."),
        Mutation("causal mask aligned at the first key", "value", "attention_tile.h",
                 "min(keys, query + 1 + keys - queries)", "min(keys, query + 1)"),
        Mutation("only blocks that the first row cuts are masked", "value", "attention_forward.cu",
                 "Tile::keys > sizes.visible_keys(first))  //",
                 "Tile::keys > sizes.visible_keys(last))  //"),
        Mutation("last key block skipped", "value", "attention_forward.cu",
                 "(sizes.visible_keys(last) + Tile::keys - 1) / Tile::keys",
                 "sizes.visible_keys(last) / Tile::keys"),
        Mutation("output not rescaled with the running maximum", "value", "attention_tile.h",
                 "      output.scale_rows(shrink);\n", ""),
        Mutation("sum not rescaled with the running maximum", "value", "attention_tile.h",
                 "sum = zip(sum, shrink, [](float a, float b) { return a * b; });",
                 "sum = zip(sum, shrink, [](float a, float) { return a; });"),
        Mutation("LSE forgets the maximum", "value", "attention_tile.h",
                 "s == 0 ? hidden : r + log2f(s)", "s == 0 ? hidden : log2f(s)"),
        Mutation("half of the lanes of a row are left out", "value", "mma_hip.h",
                 "lanes_of_a_row = 48;", "lanes_of_a_row = 16;"),
        Mutation("values are not in the order of the probabilities", "value", "mma_hip.h",
                 "4 * step + 2 * half + lane / 32,", "4 * step + half + lane / 32 * 2,"),
        Mutation("query heads share keys of another group", "value", "attention_forward.cu",
                 "head / sizes.group()", "head % sizes.kv_heads"),
        Mutation("off-by-one bound of the rows of O", "bounds", "attention_forward.cu",
                 "    if (first + row <= last)\n", "    if (first + row <= last + 1)\n"),
        Mutation("off-by-one bound of the rows of LSE", "bounds", "attention_forward.cu",
                 "leads_rows() && first + row <= last)", "leads_rows() && first + row <= last + 1)"),
    ],
}


class Build:
    """A build folder, and what it knows of its own commands."""

    def __init__(self, folder):
        self.folder = folder
        self.emulator = folder / "amd_emulator"
        commands = folder / "compile_commands.json"
        listed = json.loads(commands.read_text(encoding="utf-8")) if commands.exists() else []
        self.commands = {Path(entry["file"]).name: shlex.split(entry["command"])
                         for entry in listed}

    def can_compile(self):
        words = self.commands.get(GEMM.unit, [])
        return "hip" in words and shutil.which(words[0]) and self.emulator.exists()

    def run(self, words, what):
        outcome = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False)
        if outcome.returncode:
            raise RuntimeError(f"it does not {what}: {outcome.stderr}{outcome.stdout}")
        return outcome.stdout

    def compile(self, unit, overlay, made):
        """With the files in overlay instead of those that they are copies of. Mutations leave things
        unused, which is no error here."""
        words = [word for word in self.commands[unit]
                 if not word.startswith("--offload-arch=") and word != "-Werror"]
        words[1:1] = [f"-I{overlay}", f"--offload-arch={TARGET}"]
        words[words.index("-o") + 1] = made
        copy = overlay / "backends" / "gpu" / unit
        words[-1] = copy if copy.exists() else SOURCES / unit
        self.run(words, "compile")

    def link(self, program, made_of, made):
        """As the build does. The library's own object is left out: all of it is there already."""
        cache = (self.folder / "CMakeCache.txt").read_text(encoding="utf-8")
        ninja = re.search("^CMAKE_MAKE_PROGRAM:.*=(.*)", cache, re.MULTILINE).group(1)
        command = self.run([ninja, "-t", "commands", program], "say how to link").splitlines()[-1]
        words = [word for word in shlex.split(command) if word not in (":", "&&", "-Xlinker") and
                 not word.startswith("--dependency-file=")]
        words[words.index("-o") + 1] = made
        words.insert(words.index("backends/libbackends.a"), made_of)
        self.run(words, "link")

    def emulate(self, program, cases):
        environment = dict(os.environ, LD_LIBRARY_PATH=str(self.emulator), STEELYARD_EMULATE=TARGET,
                           STEELYARD_EMULATE_ORDER="both", OMP_WAIT_POLICY="passive")
        return subprocess.run([program, cases, "--abort", "--reporter", "compact"], text=True,
                              env=environment, capture_output=True, timeout=LONGEST_RUN, check=False)


def original(file):
    return (SOURCES / file).read_text(encoding="utf-8")


def mutated(mutation):
    text = original(mutation.file)
    if text.count(mutation.old) != 1:
        raise RuntimeError(f"occurs {text.count(mutation.old)} times in {mutation.file}: {mutation.old}")
    return text.replace(mutation.old, mutation.new)


def outcome_of(build, suite, copies):
    """Of the suite's cases, with copies of sources: their texts by name."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overlay = folder / "backends" / "gpu"
        overlay.mkdir(parents=True)
        for file, text in copies.items():
            (overlay / file).write_text(text, encoding="utf-8")
        build.compile(suite.unit, folder, folder / "unit.o")
        build.link(suite.program, folder / "unit.o", folder / "program")
        return build.emulate(folder / "program", suite.cases)


def message_of(outcome):
    """Why a program failed: what the emulator said first, else the oracle."""
    fault = re.search(r"^amd_emulator: .*", outcome.stderr, re.MULTILINE)
    if fault:
        return fault.group().rsplit(": ", 1)[1]  # behind the kernel, the place and the instruction
    verdict = re.search(r"copy \d+: (error [^']*)", outcome.stdout)
    return verdict.group(1) if verdict else "nothing that is known"


def passes(build, suite):
    """Whether the suite passes with copies that are as they were, and a line that says so."""
    try:
        copies = {mutation.file: original(mutation.file) for mutation in MUTATIONS[suite]}
        outcome = outcome_of(build, suite, copies)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return False, f"FAILED    {suite.name}: {error}"
    if outcome.returncode == 0 and re.search(r"[1-9]\d* assertion", outcome.stdout):
        return True, f"passes    {suite.name}: no mutation"
    return False, f"FAILED    {suite.name}: no mutation: {outcome.stdout}{outcome.stderr}"


def caught(build, suite, mutation):
    """Whether the mutation is caught by its cause, and a line that says how."""
    what = f"{suite.name}: {mutation.name}"
    try:
        outcome = outcome_of(build, suite, {mutation.file: mutated(mutation)})
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return False, f"FAILED    {what}: {error}"
    if outcome.returncode == 0:
        return False, f"SURVIVED  {what}"
    message = message_of(outcome)
    if re.search(CAUSES[mutation.cause], message):
        return True, f"caught    {what}: {mutation.cause}: {message}"
    return False, f"FAILED    {what}: not {mutation.cause}, but exit code {outcome.returncode}: {message}"


def count(results):
    """Of the results that are good; prints all of them."""
    good = 0
    for is_good, line in results:
        print(line, flush=True)
        good += is_good
    return good


def main():
    build = Build(Path(sys.argv[1]).resolve())
    if not build.can_compile():
        print(f"skipped: {build.folder} has no HIP compiler or no emulator")
        return 77
    work = [(suite, mutation) for suite, mutations in MUTATIONS.items() for mutation in mutations]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        if count(pool.map(lambda suite: passes(build, suite), MUTATIONS)) < len(MUTATIONS):
            return 1
        found = count(pool.map(lambda item: caught(build, *item), work))
    summary = f"mutations of shipped kernels caught: {found} of {len(work)}"
    (build.folder / "amd_emulator" / "mutations.txt").write_text(summary + "\n", encoding="utf-8")
    print(summary)
    return 0 if found == len(work) else 1


if __name__ == "__main__":
    sys.exit(main())
