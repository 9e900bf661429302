# SPDX-License-Identifier: Apache-2.0
"""What LLVM's tools say of the AMD kernels inside a program: notes, disassembly, llvm-mca."""
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from machine_code_loops import blocks, natural_loops

TOOLS = ["llvm-objdump", "llvm-readelf", "llvm-mca"]
MCA_ITERATIONS = 100

FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
INSTRUCTION = re.compile(r"^\s+(\S+)(?: (.*?))?\s*// ([0-9A-F]+):")
# A key of a kernel's note, not of one of its arguments, which are indented further.
NOTE = re.compile(r"^(?:  - |    )\.(\w+):\s+(\S+)")
ACCESS = re.compile(r"^(?:(?:global|buffer|flat)_(?:load|store)|ds_(?:read|write))")
LDS_WIDTH = re.compile(r"^ds_(?:read|write)(2?)(?:st64)?_\w*?(\d+)(?:_|$)")


@dataclass
class Instruction:
    address: int
    opcode: str
    operands: str

    @property
    def is_mfma(self):
        return self.opcode.startswith(("v_mfma", "v_smfmac"))

    @property
    def is_vector_arithmetic(self):
        return self.opcode.startswith("v_") and not self.is_mfma

    @property
    def target(self):
        """The address a branch goes to, else None; its operand counts words after the branch."""
        if not self.opcode.startswith(("s_cbranch", "s_branch")):
            return None
        offset = int(self.operands.split()[0])
        return self.address + 4 + 4 * (offset - 0x10000 if offset >= 0x8000 else offset)

    @property
    def falls_through(self):
        return self.opcode not in ("s_branch", "s_endpgm", "s_setpc_b64")

    @property
    def access_bytes(self):
        """Bytes that a lane moves from or to memory or LDS, else None."""
        if not ACCESS.match(self.opcode):
            return None
        if lds := LDS_WIDTH.match(self.opcode):
            return int(lds[2]) // 8 * (2 if lds[1] else 1)
        words = re.search(r"dword(?:x(\d))?", self.opcode)
        return 4 * int(words[1] or 1) if words else 2


def find_llvm():
    """The folder of LLVM's tools: ROCm's own, else the newest; exits where there is none."""
    releases = sorted(Path("/usr/lib").glob("llvm-*/bin"), reverse=True)
    for folder in [Path("/opt/rocm/llvm/bin"), *releases]:
        if all(Path(folder, tool).exists() for tool in TOOLS):
            return folder
    raise SystemExit(f"check_machine_code.py: no {', '.join(TOOLS)}; run it by "
                     "scripts/hip_root.sh --run")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, text=True,
                          capture_output=True, **options).stdout


@dataclass
class Loop:
    """A loop's instructions without those of its inner loops, and the branches that continue it."""
    instructions: list
    branches: list

    @property
    def is_waterfall(self):
        """A loop over the lanes, because a value that must be uniform was not known to be."""
        opcodes = {one.opcode for one in self.instructions}
        return ("s_cbranch_execnz" in {one.opcode for one in self.branches} and
                {"v_readfirstlane_b32", "s_and_saveexec_b64"} <= opcodes)

    @property
    def weight(self):
        """The hottest loop has the greatest: most MFMAs, of several such the fewest instructions (the
        steady state, not the loop for what it leaves over); without MFMAs most memory accesses."""
        mfma = sum(one.is_mfma for one in self.instructions)
        accesses = sum(one.access_bytes is not None for one in self.instructions)
        return mfma, -len(self.instructions) if mfma else accesses


def find_loops(instructions):
    parts, successors = blocks(instructions)
    found = natural_loops(successors)
    loops = []
    for header, (body, back) in found.items():
        inner = set().union(*(found[one][0] for one in body & found.keys() - {header}))
        loops.append(Loop([one for i in sorted(body - inner) for one in parts[i]],
                          [parts[i][-1] for i in back]))
    return loops


@dataclass
class AmdKernel:
    """One kernel of one architecture. `metrics` are what budgets bound."""
    symbol: str
    architecture: str
    notes: dict
    llvm: Path
    instructions: list = field(default_factory=list)

    @property
    def metrics(self):
        return {"registers": self.notes["vgpr_count"],
                "scalar_registers": self.notes["sgpr_count"],
                "shared_bytes": self.notes["group_segment_fixed_size"],
                "spills": self.notes["vgpr_spill_count"] + self.notes["sgpr_spill_count"],
                "scratch_bytes": self.notes["private_segment_fixed_size"],
                "waterfalls": sum(loop.is_waterfall for loop in self.loops),
                **self.loop_metrics}

    @cached_property
    def loops(self):
        return find_loops(self.instructions) if self.instructions else []

    @property
    def hottest_loop(self):
        """The instructions of the loop with the greatest weight; empty where there is none."""
        return max(self.loops, key=lambda loop: loop.weight, default=Loop([], [])).instructions

    @property
    def loop_metrics(self):
        loop = self.hottest_loop
        if not loop:
            return {}
        accesses = [one.access_bytes for one in loop if one.access_bytes]
        return {"loop_instructions": len(loop),
                "mfma": sum(one.is_mfma for one in loop),
                "vector_share": sum(one.is_vector_arithmetic for one in loop) / len(loop),
                "accesses": len(accesses),
                "narrow_accesses": sum(width < 16 for width in accesses),
                "accvgpr_moves": sum(one.opcode.startswith("v_accvgpr") for one in loop),
                "divergent_branches": sum(one.opcode == "s_cbranch_execnz" for one in loop)}

    def mca_ratio(self):
        """Passes of the hottest loop by llvm-mca, relative to what its MFMAs alone need. Buffer accesses
        count as an instruction that does nothing: llvm-mca 21 crashes on them, and models no memory."""
        loop = self.hottest_loop
        text = "\n".join("s_nop 0" if one.opcode.startswith("buffer_") else
                         f"{one.opcode} {one.operands}" for one in loop)
        answer = json.loads(run(self.llvm / "llvm-mca", "-mtriple=amdgcn-amd-amdhsa",
                                f"-mcpu={self.architecture}", f"-iterations={MCA_ITERATIONS}",
                                "--json", "-", input=text))["CodeRegions"][0]
        costs = answer["InstructionInfoView"]["InstructionList"]
        assert len(costs) == len(loop), "llvm-mca saw other instructions than the loop's"
        bound = sum(cost["RThroughput"] for cost, one in zip(costs, loop) if one.is_mfma)
        return answer["SummaryView"]["TotalCycles"] / MCA_ITERATIONS / bound if bound else 0.0


def parse_notes(text):
    """The notes of each kernel by its symbol; whole numbers as int."""
    kernels, notes = {}, {}
    for line in text.splitlines():
        if line.startswith("  - "):
            notes = {}
        if found := NOTE.match(line):
            notes[found[1]] = int(found[2]) if found[2].isdigit() else found[2]
            if found[1] == "name":
                kernels[found[2]] = notes
    return kernels


def parse_disassembly(text):
    """The instructions of each function by its symbol."""
    functions, current = {}, []
    for line in text.splitlines():
        if found := FUNCTION.match(line):
            current = functions.setdefault(found[1], [])
        elif found := INSTRUCTION.match(line):
            current.append(Instruction(int(found[3], 16), found[1], (found[2] or "").strip()))
    return functions


def read_code_object(file, architecture, llvm):
    notes = parse_notes(run(llvm / "llvm-readelf", "--notes", file))
    code = parse_disassembly(run(llvm / "llvm-objdump", "-d", "--no-show-raw-insn", file))
    return [AmdKernel(symbol, architecture, note, llvm, code.get(symbol, []))
            for symbol, note in notes.items()]


def read_program(program, seen):
    """The kernels of a program whose code objects are not in `seen`, a set of their contents."""
    llvm, kernels = find_llvm(), []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "program")
        copy.symlink_to(Path(program).resolve())
        run(llvm / "llvm-objdump", "--offloading", copy, cwd=folder)
        for file in sorted(Path(folder).glob("program.*amdgcn*")):
            content = file.read_bytes()
            if content not in seen:
                seen.add(content)
                kernels += read_code_object(file, file.name.split("--")[-1], llvm)
    return kernels
