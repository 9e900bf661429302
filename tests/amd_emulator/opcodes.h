// SPDX-License-Identifier: Apache-2.0
// The opcodes of both targets: mnemonics and operands, as opcodes.txt lists them.
#pragma once

#include <cstdint>
#include <string_view>

#include "tests/amd_emulator/instruction.h"

namespace amd_emulator {

// Operands are separated by spaces, in LLVM's order. The first character of each says what it is:
//   d  destination, a vector register         s  destination, a scalar register
//   x  scalar_destination                     a b c  source 0, 1, 2
//   p  address_register                       P  address_register, or "off" where there is none
//   e f  data 0, 1                            q  scalar_address
//   o  offset of SMEM                         k  literal
//   i  immediate in hexadecimal               n  immediate in decimal
//   g  mode of s_set_gpr_idx                  h  part of a hardware register
//   m  message                                w  counters to wait for
// A number of registers follows; of a source a minus sign where it can be negated and made absolute, and
// how constants are printed: d as 64 bits of an integer, f as 64 bits of floating point, w and h as 16
// bits of them, p as a pair of h, nothing as 32 bits. Modifiers follow the operands:
//   O  op_sel     N  neg_lo, neg_hi           C  clamp     M  a factor of the result
struct Opcode {
  Encoding encoding;
  std::uint16_t number;
  bool on_gfx90a, on_gfx942;
  const char* name;
  std::string_view operands;

  // Whether there is an operand of this kind.
  bool has(char kind) const;
  // Bit k: source k can be negated and made absolute.
  std::uint8_t signed_sources() const;
};

Kind kind_of(const Opcode& opcode);

// VOP3 repeats the opcodes of these from the following numbers on; its own follow.
inline constexpr unsigned vop3_first_vop2 = 256, vop3_first_vop1 = 320, vop3_first_own = 448;

// An opcode of VOP3 that VOPC, VOP2 or VOP1 has too is found there. Null where there is none.
const Opcode* find_opcode(Target target, Encoding encoding, unsigned number);

}  // namespace amd_emulator
