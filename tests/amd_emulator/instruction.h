// SPDX-License-Identifier: Apache-2.0
// One machine instruction of a GFX9 GPU, decoded once and executed often.
#pragma once

#include <cstdint>
#include <string>

namespace amd_emulator {

enum class Target : std::uint8_t { gfx90a, gfx942 };  // a GCD of an MI250; MI300X

inline const char* name(Target target) {
  return target == Target::gfx90a ? "gfx90a" : "gfx942";
}

// The instruction formats of AMD's manuals ("AMD Instinct MI200" and "MI300" Instruction Set
// Architecture, chapter "Microcode Formats"). FLAT is three of them, by its segment.
enum class Encoding : std::uint8_t {
  sop2,
  sopk,
  sop1,
  sopc,
  sopp,
  smem,
  vop2,
  vop1,
  vopc,
  vop3,
  vop3p,
  ds,
  flat,
  scratch,
  global,
  mubuf,
  none
};

// What launches are counted by.
enum class Kind : std::uint8_t {
  scalar,
  vector,
  matrix,
  scalar_load,
  load,
  store,
  atomic,
  lds,
  branch,
  barrier,
  wait,
  other
};
inline constexpr int kinds = static_cast<int>(Kind::other) + 1;

// How the second word of a VOP1, VOP2 or VOPC instruction changes its operands.
enum class Extension : std::uint8_t { none, sdwa, dpp };

struct Wave;
struct Instruction;
using Handler = void (*)(Wave&, const Instruction&);

// Codes of source operands: those of the manuals, where v0 is 256. Accumulation registers follow the
// vector registers: a0 is 512. Vector registers that are no source by their code are numbers into
// Wave::v, where a0 is 256.
inline constexpr unsigned vcc_lo = 106, m0 = 124, exec_lo = 126;
inline constexpr unsigned literal_code = 255, first_vector_code = 256, first_accumulator_code = 512;
inline constexpr unsigned no_scalar_address = 0x7f;

struct Instruction {
  Handler execute = nullptr;   // none: this instruction is not emulated
  Handler extended = nullptr;  // what SDWA and DPP do with the changed operands
  const char* name = nullptr;  // LLVM's, without _e32, _e64, _sdwa, _dpp; none: no instruction
  std::uint64_t address = 0;   // in the code object
  Encoding encoding = Encoding::none;
  Kind kind = Kind::other;
  Extension extension = Extension::none;
  std::uint8_t words = 1;  // with a literal or an extension
  std::uint16_t opcode = 0;

  std::uint16_t source[3] = {};  // codes; of SMEM and MUBUF source[0] is the scalar offset
  // A number into Wave::v of a vector instruction, except v_readlane and v_readfirstlane; else into
  // Wave::s.
  std::uint16_t destination = 0;
  std::uint16_t scalar_destination = vcc_lo;  // carry or comparison, a number into Wave::s
  std::uint32_t literal = 0;
  std::int32_t immediate = 0;  // simm16, or the offset of a memory instruction

  // Bit k: of source k. Bits that the opcode ignores are 0, except op_sel's.
  std::uint8_t negate = 0, absolute = 0, negate_high = 0;
  std::uint8_t op_sel = 0, op_sel_high = 7;     // bit 3 of op_sel: of the destination
  std::uint8_t clamp = 0, output_modifier = 0;  // 1: times 2, 2: times 4, 3: divided by 2

  // Matrix instructions.
  std::uint8_t cbsz = 0, abid = 0, blgp = 0;

  // Memory instructions.
  std::uint8_t glc = 0, slc = 0, sc1 = 0, lds = 0, gds = 0;
  std::uint8_t offset_enable = 0, index_enable = 0;             // MUBUF
  std::uint8_t immediate_enable = 0, scalar_offset_enable = 0;  // SMEM: what is added to the base
  std::uint8_t scratch_vector_address = 0;           // SCRATCH: whether address_register is used
  std::uint16_t address_register = 0;                // a number into Wave::v
  std::uint16_t scalar_address = no_scalar_address;  // a number into Wave::s
  std::uint16_t data[2] = {};                        // numbers into Wave::v

  std::uint32_t extension_word = 0;  // of SDWA or DPP, as encoded
};

// Decodes the instruction at `words`, of which `count` may be read. An encoding that is none has no
// name and one word.
Instruction decode(Target target, const std::uint32_t* words, std::uint64_t count);

// The instruction in LLVM's spelling, as llvm-objdump prints it: mnemonic, space, operands.
std::string disassemble(Target target, const Instruction& instruction);

// What executes the mnemonic; none where it is not emulated.
Handler handler(const char* name);

}  // namespace amd_emulator
