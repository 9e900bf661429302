#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the emulator's decoder with LLVM's disassembler, by the text of every instruction.

usage: amd_emulator_decode_test.py DISASSEMBLER [--each COUNT] [PROGRAM...]

Random words of every opcode of both targets, and all instructions of the HIP programs given.
Exit codes: 0 all equal, 1 not, 77 LLVM's tools are not here.
"""
import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(Path(__file__).with_name("amd_emulator")))
from instruction_words import instructions
from llvm_disassembler import TOOL, disassemble_with_length

OBJDUMP = "llvm-objdump-21"
TARGETS = ["gfx90a", "gfx942"]
SEED, SHOWN = 20250101, 40
OPCODES = Path(__file__).with_name("amd_emulator") / "opcodes.txt"
LINE = re.compile(r"^\s+(\S.*?)\s*// [0-9A-F]+: ((?:[0-9A-F]{8} ?)+)")


def ask_emulator(disassembler, target, instructions_words):
    """(text, bytes) of each list of words."""
    lines = [" ".join(f"{word:08x}" for word in words) for words in instructions_words]
    answers = subprocess.run([disassembler, target], input="\n".join(lines) + "\n", text=True,
                             capture_output=True, check=True).stdout.splitlines()
    split = [answer.split(" ", 1) for answer in answers]
    return [(text, int(length)) for length, text in split]


class Comparison:
    """Counts equal and differing texts, and keeps an example of each mnemonic's differences."""

    def __init__(self, title):
        self.title, self.compared, self.differing, self.examples = title, 0, Counter(), {}

    def add(self, mnemonic, words, expected, got, count=1):
        self.compared += count
        if expected != got:
            self.differing[mnemonic] += count
            self.examples.setdefault(mnemonic, (words, expected, got))

    def report(self, also=""):
        equal = self.compared - sum(self.differing.values())
        print(f"{self.title}: {also}{self.compared} compared, {equal} equal")
        for mnemonic, count in self.differing.most_common(SHOWN):
            words, expected, got = self.examples[mnemonic]
            shown = " ".join(f"{word:08x}" for word in words)
            print(f"  {mnemonic} {count}: {shown}: LLVM {expected}, here {got}")
        if len(self.differing) > SHOWN:
            print(f"  and {len(self.differing) - SHOWN} more mnemonics")
        return not self.differing


def compare_random_words(disassembler, target, each):
    tried = list(instructions(OPCODES, target, SEED, each))
    crashes = []
    expected = disassemble_with_length(target, [words for _, words in tried], crashes)
    got = ask_emulator(disassembler, target, [words for _, words in tried])
    comparison = Comparison(f"random words, {target}")
    accepted = set()
    for (mnemonic, words), of_llvm, here in zip(tried, expected, got):
        if of_llvm and "/*" not in of_llvm[0]:
            comparison.add(mnemonic, words, of_llvm, here)
            accepted.add(mnemonic)
    never = sorted({mnemonic for mnemonic, _ in tried} - accepted)
    is_equal = comparison.report(f"{len(tried)} tried, LLVM crashed on {len(crashes)}, ")
    for words in crashes:
        print("  LLVM crashed:", " ".join(f"{word:08x}" for word in words))
    if never:
        print(f"  never accepted by LLVM: {', '.join(never)}")
    return is_equal and not never


def disassembled(file, target):
    """How often each pair of text and words is in a code object."""
    text = subprocess.run([OBJDUMP, "-d", f"--mcpu={target}", file], text=True, capture_output=True,
                          check=True).stdout
    lines = filter(None, map(LINE.match, text.splitlines()))
    return Counter((re.sub(r"\s+", " ", re.sub(r" <[^>]*>$", "", line[1])), line[2].strip())
                   for line in lines)


def compare_program(disassembler, program):
    is_equal = True
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(program, folder)  # the code objects are written beside it
        subprocess.run([OBJDUMP, "--offloading", copy], check=True, capture_output=True)
        for target in TARGETS:
            counts = Counter()
            for file in Path(folder).glob(f"*{target}*"):
                counts += disassembled(file, target)
            words = [[int(word, 16) for word in line.split()] for _, line in counts]
            comparison = Comparison(f"{Path(program).name}, {target}")
            for (text, _), of_it, got in zip(counts, words,
                                             ask_emulator(disassembler, target, words)):
                comparison.add(text.split()[0], of_it, (text, 4 * len(of_it)), got,
                               counts[text, _])
            is_equal &= comparison.report() and comparison.compared > 0
    return is_equal


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--each", type=int, default=120, help="random words of each opcode")
    parser.add_argument("disassembler")
    parser.add_argument("program", nargs="*")
    arguments = parser.parse_args()
    missing = [tool for tool in (TOOL, OBJDUMP) if not shutil.which(tool)]
    if missing:
        print(f"skipped: no {' and no '.join(missing)} here; scripts/hip_root.sh has LLVM 21")
        return 77
    is_equal = True
    for target in TARGETS:
        is_equal &= compare_random_words(arguments.disassembler, target, arguments.each)
    for program in arguments.program:
        is_equal &= compare_program(arguments.disassembler, program)
    return 0 if is_equal else 1


if __name__ == "__main__":
    sys.exit(main())
