#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes opcodes.txt: what LLVM's disassembler knows of each opcode of both targets.

usage: make_opcodes.py [--check] FILE

Every opcode of every encoding is disassembled with a different register in each field: the number
of a printed register tells the field that it comes from, and its range how many registers it is.
With --check the file is compared instead of written: exit code 0 equal, 1 not, 77 no llvm-mc-21.
"""
import argparse
import re
import shutil
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the source tree stays as it is
from llvm_disassembler import TOOL, disassemble

TARGETS = ["gfx90a", "gfx942"]
HEADER = """\
// SPDX-License-Identifier: Apache-2.0
// Made by make_opcodes.py: OPCODE(encoding, opcode, target, mnemonic, operands). opcodes.h says how
// the operands are to be read.
"""

# The fields that hold a register of these numbers in what is disassembled here.
DESTINATION, FIRST, SECOND, THIRD, SCALAR_ADDRESS = 20, 32, 40, 48, 56
LITERAL_32, HALF_ONE = 0x12345678, 0x3c00
# Prints as a number where no bit above these is set, which registers' numbers have.
OVERRIDES = {"s_set_gpr_idx_on": "a1 g", "s_set_gpr_idx_mode": "g"}


class Encoding:
    """`base` with the bits of one of `first`, and a second word; `names` of the fields."""

    def __init__(self, name, base, shift, opcodes, first, second=(0,), names="dabc"):
        self.name, self.base, self.shift, self.opcodes = name, base, shift, opcodes
        self.first, self.second, self.names = first, second, names

    def words(self, opcode):
        for first in self.first:
            for second in self.second:
                yield [self.base | opcode << self.shift | first, second]


def vop3(first, second, third):
    return first | second << 9 | third << 18


def fields(*positions):
    return sum(value << position for value, position in positions)


VECTOR = 256
SOURCES = [vop3(VECTOR + FIRST, VECTOR + SECOND, VECTOR + THIRD),
           vop3(VECTOR + FIRST, VECTOR + SECOND, THIRD),
           vop3(VECTOR + FIRST, SECOND, 0), vop3(FIRST, SECOND, 0),
           vop3(VECTOR + FIRST, 0, 0), vop3(FIRST, 0, 0), 0]
# Fields of memory instructions that an opcode does not use must be zero, so all choices are tried,
# the one with most fields first.
MEMORY = [fields((DESTINATION, 24), (SECOND, 8), (FIRST, 0)), fields((DESTINATION, 24), (FIRST, 0)),
          fields((SECOND, 8), (FIRST, 0)), FIRST, DESTINATION << 24, SECOND << 8, 0]
ENCODINGS = [
    Encoding("sop2", 0x80000000, 23, range(96),
             [fields((DESTINATION, 16), (FIRST, 0), (SECOND, 8))], names="sab"),
    Encoding("sopk", 0xb0000000, 23, range(26), [fields((DESTINATION, 16), (0x1234, 0))],
             names="s"),
    Encoding("sop1", 0xbe800000, 8, range(256),
             [fields((DESTINATION, 16), (FIRST, 0)), 0], names="sa"),
    Encoding("sopc", 0xbf000000, 16, range(128), [fields((FIRST, 0), (SECOND, 8))], names=" ab"),
    Encoding("sopp", 0xbf800000, 16, range(128), [300, 0], names=""),
    Encoding("smem", 0xc0000000, 18, range(256),
             [fields((1, 17), (DESTINATION, 6), (SCALAR_ADDRESS // 2, 0)),
              fields((1, 17), (SCALAR_ADDRESS // 2, 0)), DESTINATION << 6, 0], names="s   q"),
    Encoding("vop2", 0x00000000, 25, range(62),
             [fields((DESTINATION, 17), (VECTOR + FIRST, 0), (SECOND, 9))]),
    Encoding("vop1", 0x7e000000, 9, range(256),
             [fields((DESTINATION, 17), (VECTOR + FIRST, 0)), 0]),
    Encoding("vopc", 0x7c000000, 17, range(256), [fields((VECTOR + FIRST, 0), (SECOND, 9))]),
    # Below 448 are the opcodes of VOPC, VOP2 and VOP1 once more, from 896 on those of VOP3P.
    Encoding("vop3", 0xd0000000, 16, range(448, 896), [DESTINATION, 0], SOURCES),
    Encoding("vop3p", 0xd3804000, 16, range(128), [DESTINATION],
             [source | accumulators << 27 for accumulators in (3, 0) for source in SOURCES]),
    Encoding("ds", 0xd8000000, 17, range(256), [0, 1 << 16],
             [word | THIRD << 16 for word in MEMORY] + MEMORY, names="dpef"),
    Encoding("flat", 0xdc000000, 18, range(128), [0, 1 << 16], MEMORY, names="dpe"),
    Encoding("global", 0xdc008000, 18, range(128), [0, 1 << 16, 1 << 13],
             [word | 0x7f << 16 for word in MEMORY] + [0], names="dPe"),
    Encoding("scratch", 0xdc004000, 18, range(128), [0, 1 << 13],
             [word | 0x7f << 16 for word in MEMORY] + [0], names="dPe"),
    Encoding("mubuf", 0xe0000000, 18, range(128), [1 << 12, 0],
             [fields((DESTINATION, 8), (FIRST, 0), (SCALAR_ADDRESS // 4, 16), (0x80, 24)), 0],
             names="eP"),
]


def split_text(text):
    """Mnemonic and operands, without modifiers, which follow the last operand after a space."""
    mnemonic, _, operands = text.partition(" ")
    operands = re.sub(r"/\*.*?\*/", "", operands)
    operands = re.split(r", (?![^(]*\))", operands)
    return mnemonic, [operand.split(" ")[0] for operand in operands if operand not in ("", "gds")]


def describe(encoding, operand, earlier):
    """The field of an operand and its number of registers."""
    register = re.fullmatch(r"([sva])(?:(\d+)|\[(\d+):(\d+)\])", operand)
    if not register:
        return describe_special(encoding, operand, earlier)
    low = int(register[2] or register[3])
    width = 1 if register[2] else int(register[4]) - low + 1
    numbers = [DESTINATION, FIRST, SECOND, THIRD, SCALAR_ADDRESS]
    if low not in numbers:
        return f"x{width}" if low == 0 and encoding.name == "vop3" and register[1] == "s" else None
    field = f"{encoding.names:5}"[numbers.index(low)]
    if field == "P" or encoding.name == "mubuf" and low == SCALAR_ADDRESS:
        return "P" if field == "P" else ""
    if field == "d" and register[1] == "s":
        field = "s"
    return f"{field}{width}"


def describe_special(encoding, operand, earlier):
    if operand == "vcc":
        return "c2" if "b1" in earlier else "x2"
    if encoding.name == "global" and operand in ("off", "s[0:1]"):
        return ""  # a part of the address
    if encoding.name in ("scratch", "mubuf") and operand in ("off", "0"):
        return "" if "P" in earlier else "P"
    for start, letter in [("hwreg(", "h"), ("sendmsg(", "m"), ("vmcnt(", "w"), ("expcnt(", "w"),
                          ("lgkmcnt(", "w")]:
        if operand.startswith(start):
            return letter
    if encoding.name == "smem":
        return "o" if operand == "0x0" else "n"
    if encoding.name == "vop2" or operand == "0":
        return "k"
    return "i" if operand.startswith("0x") else "n"


def with_source(encoding, opcode, words, letter, code):
    """The words with another code in the field of a source, and a literal behind them."""
    first, second = words
    if encoding.name in ("vop2", "vopc") and letter == "b":
        first, second = as_vop3(encoding, opcode, "ab")  # only there it may be no VGPR
        return [first, second & ~(511 << 9) | code << 9]
    index = encoding.names.index(letter) - 1
    if encoding.name in ("vop3", "vop3p"):
        return [first, second & ~(511 << 9 * index) | code << 9 * index]
    width = 511 if encoding.name.startswith("vop") else 255
    return [first & ~(width << 8 * index) | code << 8 * index, LITERAL_32 if code == 255 else 0]


def as_vop3(encoding, opcode, letters):
    """The words of a VOP1, VOP2 or VOPC opcode in the encoding VOP3."""
    first = {"vopc": 0, "vop2": 256, "vop1": 320}[encoding.name]
    second = VECTOR + SECOND if "b" in letters else 0
    return [0xd0000000 | first + opcode << 16 | DESTINATION,
            vop3(VECTOR + FIRST, second, THIRD if "c" in letters else 0)]


def constant_probes(encoding, opcode, words, letters):
    """Words that tell how constants of each source are printed."""
    for letter in sorted(letters):
        # LLVM crashes on a literal in VOP3, which has none.
        has_literal = not (encoding.name.startswith("vop3") or letter == "b" and
                           encoding.name.startswith("vop"))
        if encoding.name == "vop2" and letter == "c":
            continue
        for code in [240, 248] + [255] * has_literal:
            yield (letter, code), with_source(encoding, opcode, words, letter, code)
        if has_literal:
            first = with_source(encoding, opcode, words, letter, 255)[0]
            yield (letter, "1"), [first, 1]
            yield (letter, "half"), [first, HALF_ONE]


def modifier_probes(encoding, opcode, words, letters):
    """Words that tell which modifiers VOP3 has."""
    first, second = words
    if encoding.name in ("vop1", "vop2", "vopc"):
        first, second = as_vop3(encoding, opcode, letters)
    elif not encoding.name.startswith("vop3"):
        return
    each = sum(1 << "abc".index(letter) for letter in letters)
    yield "packed", [first, second | each << 29]
    for letter in sorted(letters):
        yield ("sign", letter), [first, second | 1 << 29 + "abc".index(letter)]
    yield "clamp", [first | 1 << 15, second]
    yield "op_sel", [first | each << 11, second]
    if encoding.name != "vop3p":
        yield "multiple", [first, second | 1 << 27]


def probes(encoding, opcode, words, mnemonic, operands):
    letters = {operand[:1] for operand in operands} & set("abc")
    yield from constant_probes(encoding, opcode, words, letters)
    if not mnemonic.startswith(("v_mfma", "v_smfmac", "v_accvgpr")) and letters:
        yield from modifier_probes(encoding, opcode, words, letters)


def operand_at(text, position):
    operands = split_text(text)[1] if text else []
    return operands[position] if position < len(operands) else ""


def source_style(texts, letter, position):
    constant = ""
    if operand_at(texts.get((letter, 240)), position) == "0x3800":
        constant = "w"
    elif operand_at(texts.get((letter, 248)), position).startswith("0.15915494309"):
        constant = "f" if operand_at(texts.get((letter, "1")), position) == "0x1" else "d"
    elif operand_at(texts.get((letter, 255)), position) == f"{LITERAL_32 & 0xffff:#x}":
        constant = "h"
    elif operand_at(texts.get((letter, "half")), position) == "1.0":
        constant = "p"
    has_sign = operand_at(texts.get(("sign", letter)), position).startswith(("-", "neg("))
    return "-" * has_sign + constant


def modifiers(texts):
    shown = [("O", "op_sel", " op_sel:"), ("N", "packed", " neg_lo:"), ("C", "clamp", " clamp"),
             ("M", "multiple", " mul:2")]
    return [letter for letter, key, text in shown if text in (texts.get(key) or "")]


def first_accepted(target, encoding):
    """Of every opcode the first words that LLVM takes, with its text."""
    candidates = [(opcode, words) for opcode in encoding.opcodes
                  for words in encoding.words(opcode)]
    found = {}
    for (opcode, words), text in zip(candidates, disassemble(target, [w for _, w in candidates])):
        if text and "Invalid" not in text and opcode not in found:
            found[opcode] = words, text
    return found


def rows(target, encoding):
    found = first_accepted(target, encoding)
    described = {}
    for opcode, (words, text) in found.items():
        mnemonic, printed = split_text(text)
        operands = []
        for operand in printed:
            operands.append(describe(encoding, operand, operands))
            if operands[-1] is None:
                raise SystemExit(f"{target}: {text}: whose field is {operand}?")
        described[opcode] = re.sub(r"_e(32|64)$", "", mnemonic), operands
    asked = [(opcode, key, words) for opcode in described
             for key, words in probes(encoding, opcode, found[opcode][0], *described[opcode])]
    answers = {}
    for (opcode, key, _), text in zip(asked, disassemble(target, [w for _, _, w in asked])):
        answers.setdefault(opcode, {})[key] = text
    for opcode, (name, operands) in described.items():
        texts = answers.get(opcode, {})
        styled = [operand + (source_style(texts, operand[0], position) if operand else "")
                  for position, operand in enumerate(operands)]
        yield opcode, name, OVERRIDES.get(name) or " ".join(filter(None, styled + modifiers(texts)))


def table():
    lines = []
    for encoding in ENCODINGS:
        by_target = [{row[0]: row[1:] for row in rows(target, encoding)} for target in TARGETS]
        for opcode in sorted(set().union(*by_target)):
            known = [of.get(opcode) for of in by_target]
            shown = [("both", known[0])] if known[0] == known[1] else zip(TARGETS, known)
            lines += [f'OPCODE({encoding.name}, {opcode}, {target}, {row[0]}, "{row[1]}")'
                      for target, row in shown if row]
    return HEADER + "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    if not shutil.which(TOOL):
        print(f"make_opcodes.py: skipped: {TOOL} is not here")
        return 77
    made = table()
    if not arguments.check:
        arguments.file.write_text(made, encoding="utf-8")
        return 0
    if arguments.file.read_text(encoding="utf-8") == made:
        return 0
    print(f"{arguments.file} is not what make_opcodes.py makes")
    return 1


if __name__ == "__main__":
    sys.exit(main())
