# SPDX-License-Identifier: Apache-2.0
"""Random instruction words, well-formed as far as LLVM's disassembler needs it not to crash.

Left out: literals in VOP3, VOP3P, as MUBUF's offset and of v_readfirstlane_b32; SDWA selections
that do not exist; SDWA and DPP of opcodes without a source, of v_pk_fmac_f16 and of v_accvgpr_mov_b32;
messages to a graphics pipeline; ranges of scalar registers that are not aligned.
"""
import random
import re
from pathlib import Path

ROW = re.compile(r'OPCODE\((\w+), (\d+), (\w+), (\w+), "(.*)"\)')
LITERAL, SDWA, DPP, VECTOR = 255, 249, 250, 256
ACCVGPR_READ, ACCVGPR_MOV = 88, 82
GLOBAL_WAVE_SYNC = range(152, 158)
SPECIAL = [102, 104, 106, 107, 108, 112, 124, 126, 127, 235, 236, 237, 238, 251, 252, 253]
LITERALS = [0, 1, 64, 65, 0x3c00, 0xbc00, 0xffff, 0x3f800000, 0x3e22f983, 0xbf800000, 0xc0800000,
            0x80000000, 0xfffffff0, 0xffffffff, 0x12345678]
DPP_CONTROLS = [*range(0x100), *range(0x101, 0x110), *range(0x111, 0x120), *range(0x121, 0x130),
                0x130, 0x134, 0x138, 0x13c, 0x140, 0x141, 0x142, 0x143, *range(0x150, 0x160)]


def read_opcodes(file, target):
    """(encoding, opcode, mnemonic, operands) of one target."""
    rows = ROW.findall(Path(file).read_text(encoding="utf-8"))
    return [(encoding, int(number), name, operands)
            for encoding, number, targets, name, operands in rows if targets in ("both", target)]


def place(**positions):
    """Fields "at<position>"."""
    return sum(value << int(position[2:]) for position, value in positions.items())


def parse(operands):
    """The width of each kind of operand; of "-" a bit for each source that has a sign."""
    parsed = re.findall(r"\b([a-zA-Z])(\d*)(-?)", operands)
    result = {kind: int(width or 0) for kind, width, _ in parsed}
    result["-"] = sum(1 << "abc".index(kind) for kind, _, sign in parsed if sign)
    return result


class Words:
    """Random words of one opcode after the other; the same for the same seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def bits(self, count):
        return self.random.getrandbits(count)

    def seldom(self, count):
        """A field that is mostly 0."""
        return self.bits(count) if self.random.random() < 0.3 else 0

    def register(self, most):
        """A register's number; many are multiples of 4, as ranges of registers need."""
        number = self.random.randrange(most)
        return number & ~3 if self.random.random() < 0.7 else number

    def scalar_register(self, width):
        """Ranges begin at multiples of 2 or 4."""
        return self.random.randrange(103 - width) & -min(width, 4)

    def scalar_destination(self, width):
        special = {1: [106, 107, 126, 127, 108, 111, 124], 2: [102, 104, 106, 126, 110]}
        return self.random.choice([self.scalar_register(width)] * 8 + special.get(width, [112]))

    def scalar_source(self, width=1, literal=LITERAL):
        kind = self.random.randrange(8)
        if kind < 4:
            return self.scalar_register(width)
        if kind == 4:
            return self.random.choice([code for code in SPECIAL if code % width == 0 or code > 127])
        if kind == 5:
            return self.random.randrange(128, 209)
        return self.random.randrange(240, 249) if kind == 6 else literal

    def source(self, width=1, literal=LITERAL):
        if self.random.random() < 0.5:
            return VECTOR + self.register(256)
        return self.scalar_source(width, literal)

    def literal(self):
        return self.random.choice(LITERALS + [self.bits(32)])

    def with_literal(self, word, *codes):
        return [word, self.literal()] if LITERAL in codes else [word]

    def sop2(self, opcode, operands):
        a, b = self.scalar_source(operands["a"]), self.scalar_source(operands["b"])
        if a == b == LITERAL:
            b = 128
        return self.with_literal(0x80000000 | place(
            at23=opcode, at16=self.scalar_destination(operands.get("s", 1)), at8=b, at0=a), a, b)

    def sopk(self, opcode, operands):
        word = 0xb0000000 | place(at23=opcode, at16=self.scalar_destination(operands.get("s", 1)),
                                  at0=self.bits(16))
        return [word, self.literal()] if "k" in operands else [word]

    def sop1(self, opcode, operands):
        a = self.scalar_source(operands["a"]) if "a" in operands else 0
        return self.with_literal(0xbe800000 | place(
            at8=opcode, at16=self.scalar_destination(operands.get("s", 1)), at0=a), a)

    def sopc(self, opcode, operands):
        a = self.scalar_source(operands["a"])
        b = self.bits(4) if "g" in operands else self.scalar_source(operands["b"])
        if a == b == LITERAL:
            b = 128
        return self.with_literal(0xbf000000 | place(at16=opcode, at8=b, at0=a), a, b)

    def sopp(self, opcode, operands):
        value = self.bits(16) if set("inmwg") & set(operands) else 0
        if "m" in operands:
            value = self.random.choice([1, 12 | self.bits(3) << 4 | self.bits(2) << 8])
        return [0xbf800000 | place(at16=opcode, at0=value)]

    def smem(self, opcode, operands):
        immediate, register = self.random.choice([(1, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
        offset = self.bits(21) if immediate else 0 if register else self.scalar_register(1)
        first = place(at18=opcode, at17=immediate, at14=register)
        if "s" in operands:
            first |= place(at16=self.seldom(1), at6=self.scalar_destination(operands["s"]))
        if "q" not in operands:
            return [0xc0000000 | first & ~place(at17=1, at16=1, at14=1), 0]
        return [0xc0000000 | first | self.scalar_register(operands["q"]) // 2,
                place(at25=self.scalar_register(1) if register else 0, at0=offset)]

    def sdwa_word(self, is_comparison, has_second):
        selections = [self.random.randrange(7) for _ in range(3)]
        word = place(at0=self.bits(8), at16=selections[0], at19=self.seldom(1), at20=self.seldom(2))
        if self.random.random() < 0.3:
            word = word & ~255 | place(at23=1, at0=self.scalar_source(2, 128))
        if has_second:
            word |= place(at24=selections[1], at27=self.seldom(1), at28=self.seldom(2))
        if is_comparison:
            return word | (self.random.random() < 0.5) * place(at15=1, at8=self.scalar_register(2))
        return word | place(at8=selections[2], at11=self.random.randrange(3), at13=self.seldom(1))

    def dpp_word(self):
        return place(at0=self.bits(8), at8=self.random.choice(DPP_CONTROLS), at19=self.bits(1),
                     at20=self.seldom(4), at24=self.bits(4), at28=self.bits(4))

    def vector_words(self, word, operands, is_comparison=False):
        """`word` with a first source, and perhaps a second word."""
        if "a" not in operands:
            return [word]
        if "k" in operands:
            return [word | self.source(1, 128), self.literal()]
        form = self.random.choice(["", "", "sdwa", "dpp"]) if operands["extended"] else ""
        if form == "sdwa":
            return [word | SDWA, self.sdwa_word(is_comparison, "b" in operands)]
        if form == "dpp":
            return [word | DPP, self.dpp_word() & (~0 if "b" in operands else ~(3 << 22))]
        a = self.source(operands["a"], 128 if "s" in operands else LITERAL)
        return self.with_literal(word | a, a)

    def vop1(self, opcode, operands):
        if opcode == ACCVGPR_MOV:
            return [0x7e000000 | place(at9=opcode, at17=self.bits(8), at0=VECTOR + self.bits(8))]
        return self.vector_words(0x7e000000 | place(at9=opcode, at17=self.register(
            102 if "s" in operands else 256 if "d" in operands else 1)), operands)

    def vop2(self, opcode, operands):
        return self.vector_words(place(at25=opcode, at17=self.register(256),
                                       at9=self.register(256)), operands)

    def vopc(self, opcode, operands):
        return self.vector_words(0x7c000000 | place(at17=opcode, at9=self.register(256)), operands,
                                 is_comparison=True)

    def sources(self, operands):
        a, b, c = [self.source(operands[letter], 128) if letter in operands else 0
                   for letter in "abc"]
        return place(at0=a, at9=b, at18=c)

    def modifier(self, count, is_known):
        """What an opcode does not know LLVM ignores or refuses."""
        return self.seldom(count) if is_known or self.random.random() < 0.03 else 0

    def vop3(self, opcode, operands):
        signs = operands["-"]
        word = 0xd0000000 | place(at16=opcode, at15=self.modifier(1, "C" in operands),
                                  at0=self.register(102 if "s" in operands else 256))
        if "x" in operands and opcode >= 256:
            word |= self.scalar_register(2) << 8
        else:
            word |= place(at11=self.modifier(4, "O" in operands), at8=self.seldom(3) & signs)
        return [word, self.sources(operands) |
                place(at29=self.seldom(3) & signs, at27=self.modifier(2, "M" in operands))]

    def comparison(self, opcode, operands):
        first, second = self.vop3(opcode, operands)
        return [first & ~255 | self.scalar_register(2), second]

    def vop3p(self, opcode, operands):
        used = sum(1 << k for k, letter in enumerate("abc") if letter in operands)
        signs = used if "N" in operands else operands["-"]
        select = self.seldom(3) & used if "O" in operands else 0
        high = 7 ^ self.seldom(3) & used if "O" in operands else 7
        first = 0xd3800000 | place(at16=opcode, at15=self.modifier(1, "C" in operands),
                                   at14=high >> 2, at11=select, at8=self.seldom(3) & signs,
                                   at0=self.register(256))
        sources = self.sources(operands)
        if opcode == ACCVGPR_READ:
            sources = VECTOR + self.register(256)
        return [first, sources | place(at29=self.seldom(3) & signs, at27=high & 3)]

    def matrix(self, opcode, operands):
        first = 0xd3800000 | place(at16=opcode, at15=self.bits(1), at11=self.seldom(4),
                                   at8=self.seldom(3), at0=self.register(256))
        c = VECTOR + self.register(256)
        if operands["c"] > 1:
            c = self.random.choice([c, c, 128, 242, 193])
        return [first, place(at29=self.seldom(3), at27=self.bits(2), at18=c,
                             at9=VECTOR + self.register(256), at0=VECTOR + self.register(256))]

    def ds(self, opcode, operands):
        registers = {"d": 24, "f": 16, "e": 8, "p": 0}
        is_global = opcode in GLOBAL_WAVE_SYNC
        is_accumulator = not is_global and self.seldom(1)
        return [0xd8000000 | place(at17=opcode, at25=is_accumulator, at16=is_global,
                                   at0=self.seldom(16)),
                sum(self.register(256) << position for letter, position in registers.items()
                    if letter in operands)]

    def flat_words(self, word, operands, scalar):
        registers = sum(self.register(256) << position
                        for letter, position in {"d": 24, "e": 8}.items() if letter in operands)
        if "e" in operands and self.random.random() < 0.3:  # an atomic operation returns
            word |= 1 << 16
            registers |= self.register(256) << 24
        return [word | place(at17=self.seldom(1), at16=self.seldom(1), at25=self.seldom(1)),
                registers | place(at23=self.seldom(1), at16=scalar, at0=self.register(256))]

    def scalar_address(self):
        return self.random.choice([0x7f, self.scalar_register(2)])

    def flat(self, opcode, operands):
        return self.flat_words(0xdc000000 | place(at18=opcode, at0=self.seldom(12)), operands, 0)

    def scratch(self, opcode, operands):
        return self.flat_words(0xdc004000 | place(at18=opcode, at13=self.seldom(1),
                                                  at0=self.seldom(13)),
                               operands, self.scalar_address())

    # `global` is a keyword, not a name.
    def global_memory(self, opcode, operands):
        return self.flat_words(0xdc008000 | place(at18=opcode, at0=self.seldom(13)), operands,
                               self.scalar_address())

    def mubuf(self, opcode, operands):
        if "P" not in operands:
            return [0xe0000000 | place(at18=opcode), 0]
        first = place(at18=opcode, at17=self.seldom(1), at16=self.random.random() < 0.1,
                      at14=self.seldom(2), at12=self.bits(2), at0=self.seldom(12))
        second = place(at24=self.scalar_source(1, 128), at23=self.seldom(1),
                       at16=self.scalar_register(4) // 4, at8=self.register(256),
                       at0=self.register(256))
        if first & 1 << 16:
            second &= ~0xff00  # data that go to LDS have no register
        return [0xe0000000 | first, second]


def instructions(file, target, seed, each):
    """(mnemonic, words): `each` of every opcode, and `each` as VOP3 where there is such a form."""
    words = Words(seed)
    generators = {"global": words.global_memory}
    for encoding, opcode, name, operands in read_opcodes(file, target):
        letters = parse(operands)
        letters["extended"] = name != "v_pk_fmac_f16"
        generator = generators.get(encoding) or getattr(words, encoding)
        if name.startswith(("v_mfma", "v_smfmac")):
            generator = words.matrix
        for _ in range(each):
            yield name, generator(opcode, letters)
        if encoding in ("vop1", "vop2", "vopc") and "k" not in letters:
            wide = {"vopc": words.comparison}.get(encoding, words.vop3)
            first = {"vopc": 0, "vop2": 256, "vop1": 320}[encoding]
            for _ in range(each):
                yield name, wide(first + opcode, letters)
