// SPDX-License-Identifier: Apache-2.0
// Field positions are those of the manuals' chapter "Microcode Formats".
#include <string_view>

#include "tests/amd_emulator/instruction.h"
#include "tests/amd_emulator/opcodes.h"

namespace amd_emulator {
namespace {

constexpr unsigned sdwa_code = 249, dpp_code = 250;
constexpr unsigned accumulator_offset = first_accumulator_code - first_vector_code;

constexpr std::uint32_t bits(std::uint32_t word, int high, int low) {
  return word >> low & ((std::uint32_t{2} << (high - low)) - 1);
}
constexpr std::uint8_t bit(std::uint32_t word, int position) {
  return word >> position & 1;
}
constexpr std::int32_t sign_extended(std::uint32_t value, int width) {
  const int unused = 32 - width;
  return static_cast<std::int32_t>(value << unused) >> unused;
}

// The words of one instruction, as far as they may be read.
struct Words {
  const std::uint32_t* begin;
  std::uint64_t count;
  std::uint32_t operator[](std::uint64_t index) const { return index < count ? begin[index] : 0; }
};

struct Decoding {
  Target target;
  Words words;
  Instruction it;
  const Opcode* opcode = nullptr;

  // Whether there is such an opcode. Fields are decoded after it, since some depend on it.
  bool find(Encoding encoding, unsigned number) {
    it.encoding = encoding;
    it.opcode = static_cast<std::uint16_t>(number);
    opcode = find_opcode(target, encoding, number);
    return opcode != nullptr;
  }
  void add_literal() { it.literal = words[it.words++]; }
  // Fields that the opcode does not use may hold anything, the literal's code too.
  bool uses_literal() const {
    for (int k = 0; k < 3; ++k)
      if (it.source[k] == literal_code && opcode->has("abc"[k])) return true;
    return false;
  }
};

void decode_sop2(Decoding& d) {
  const std::uint32_t word = d.words[0];
  if (!d.find(Encoding::sop2, bits(word, 29, 23))) return;
  d.it.source[0] = bits(word, 7, 0);
  d.it.source[1] = bits(word, 15, 8);
  d.it.destination = bits(word, 22, 16);
  if (d.uses_literal()) d.add_literal();
}

void decode_sopk(Decoding& d) {
  const std::uint32_t word = d.words[0];
  if (!d.find(Encoding::sopk, bits(word, 27, 23))) return;
  d.it.immediate = sign_extended(word, 16);
  d.it.destination = bits(word, 22, 16);
  d.it.source[0] = d.it.destination;
  if (d.opcode->has('k')) d.add_literal();
}

void decode_sop1(Decoding& d) {
  const std::uint32_t word = d.words[0];
  if (!d.find(Encoding::sop1, bits(word, 15, 8))) return;
  d.it.source[0] = bits(word, 7, 0);
  d.it.destination = bits(word, 22, 16);
  if (d.uses_literal()) d.add_literal();
}

void decode_sopc(Decoding& d) {
  const std::uint32_t word = d.words[0];
  if (!d.find(Encoding::sopc, bits(word, 22, 16))) return;
  d.it.source[0] = bits(word, 7, 0);
  d.it.source[1] = bits(word, 15, 8);
  if (d.opcode->has('g')) d.it.immediate = d.it.source[1];
  if (d.uses_literal()) d.add_literal();
}

void decode_sopp(Decoding& d) {
  const std::uint32_t word = d.words[0];
  if (!d.find(Encoding::sopp, bits(word, 22, 16))) return;
  d.it.immediate = sign_extended(word, 16);
}

void decode_smem(Decoding& d) {
  const std::uint32_t first = d.words[0], second = d.words[1];
  d.it.words = 2;
  if (!d.find(Encoding::smem, bits(first, 25, 18))) return;
  d.it.scalar_address = bits(first, 5, 0) * 2;
  d.it.destination = bits(first, 12, 6);
  d.it.glc = bit(first, 16);
  d.it.immediate_enable = bit(first, 17);
  if (d.it.immediate_enable) d.it.immediate = sign_extended(second, 21);
  // Without an immediate its field may hold the register's number.
  const bool has_register_field = bit(first, 14);
  d.it.scalar_offset_enable = has_register_field || !d.it.immediate_enable;
  d.it.source[0] = has_register_field ? bits(second, 31, 25) : bits(second, 6, 0);
}

void decode_sdwa(Decoding& d, bool second_is_vector) {
  const std::uint32_t word = d.it.extension_word;
  d.it.extension = Extension::sdwa;
  d.it.source[0] = bits(word, 7, 0) + (bit(word, 23) ? 0 : first_vector_code);
  if (second_is_vector && bit(word, 31)) d.it.source[1] -= first_vector_code;
  d.it.negate = bit(word, 20) | bit(word, 28) << 1;
  d.it.absolute = bit(word, 21) | bit(word, 29) << 1;
  if (d.it.encoding == Encoding::vopc) {
    if (bit(word, 15)) d.it.scalar_destination = bits(word, 14, 8);
    return;
  }
  d.it.clamp = bit(word, 13);
  d.it.output_modifier = bits(word, 15, 14);
}

void decode_dpp(Decoding& d) {
  const std::uint32_t word = d.it.extension_word;
  d.it.extension = Extension::dpp;
  d.it.source[0] = first_vector_code + bits(word, 7, 0);
  d.it.negate = bit(word, 20) | bit(word, 22) << 1;
  d.it.absolute = bit(word, 21) | bit(word, 23) << 1;
}

// The second word of VOP1, VOP2 and VOPC, where they have one.
void decode_second_word(Decoding& d) {
  const unsigned code = d.it.source[0];
  if (d.opcode->has('k')) {
    d.add_literal();
  } else if (!d.opcode->has('a')) {
    return;
  } else if (code == sdwa_code || code == dpp_code) {
    d.it.extension_word = d.words[d.it.words++];
    if (code == dpp_code)
      decode_dpp(d);
    else
      decode_sdwa(d, d.it.encoding != Encoding::vop1);
  } else if (code == literal_code) {
    d.add_literal();
  }
}

void use_accumulator(std::uint16_t& code) {
  if (code >= first_vector_code) code += accumulator_offset;
}

void decode_vop1(Decoding& d) {
  const std::uint32_t word = d.words[0];
  if (!d.find(Encoding::vop1, bits(word, 16, 9))) return;
  d.it.source[0] = bits(word, 8, 0);
  d.it.destination = bits(word, 24, 17);
  decode_second_word(d);
  if (std::string_view(d.opcode->name) == "v_accvgpr_mov_b32") {
    use_accumulator(d.it.source[0]);
    d.it.destination += accumulator_offset;
  }
}

void decode_vop2(Decoding& d) {
  const std::uint32_t word = d.words[0];
  if (!d.find(Encoding::vop2, bits(word, 30, 25))) return;
  d.it.source[0] = bits(word, 8, 0);
  d.it.source[1] = first_vector_code + bits(word, 16, 9);
  if (d.opcode->has('c')) d.it.source[2] = vcc_lo;
  d.it.destination = bits(word, 24, 17);
  decode_second_word(d);
}

void decode_vopc(Decoding& d) {
  const std::uint32_t word = d.words[0];
  if (!d.find(Encoding::vopc, bits(word, 24, 17))) return;
  d.it.source[0] = bits(word, 8, 0);
  d.it.source[1] = first_vector_code + bits(word, 16, 9);
  decode_second_word(d);
}

void decode_vop3_sources(Decoding& d) {
  for (int k = 0; k < 3; ++k) d.it.source[k] = bits(d.words[1], 9 * k + 8, 9 * k);
  if (d.uses_literal()) d.opcode = nullptr;  // GFX9 has no literals here
}

void decode_vop3(Decoding& d) {
  const std::uint32_t first = d.words[0], second = d.words[1];
  d.it.words = 2;
  if (!d.find(Encoding::vop3, bits(first, 25, 16))) return;
  d.it.clamp = bit(first, 15);
  d.it.negate = bits(second, 31, 29);
  d.it.output_modifier = bits(second, 28, 27);
  d.it.destination = bits(first, 7, 0);
  if (d.opcode->encoding == Encoding::vopc) d.it.scalar_destination = d.it.destination;
  if (d.opcode->encoding != Encoding::vopc && d.opcode->has('x')) {
    d.it.scalar_destination = bits(first, 14, 8);
  } else {
    d.it.absolute = bits(first, 10, 8);
    d.it.op_sel = bits(first, 14, 11);
  }
  decode_vop3_sources(d);
}

// Register files that bits choose: of sources 0 and 1 each, of source 2 and the destination together.
void decode_matrix(Decoding& d, bool is_sparse) {
  const std::uint32_t first = d.words[0], second = d.words[1];
  d.it.cbsz = bits(first, 10, 8);
  d.it.abid = bits(first, 14, 11);
  d.it.blgp = bits(second, 31, 29);
  if (bit(second, 27)) use_accumulator(d.it.source[0]);
  if (bit(second, 28)) use_accumulator(d.it.source[1]);
  if (!bit(first, 15)) return;
  d.it.destination += accumulator_offset;
  if (!is_sparse) use_accumulator(d.it.source[2]);  // else it is indices
}

void decode_packed(Decoding& d, bool is_mixed) {
  const std::uint32_t first = d.words[0], second = d.words[1];
  d.it.clamp = bit(first, 15);
  d.it.op_sel = bits(first, 13, 11);
  d.it.op_sel_high = bits(second, 28, 27) | bit(first, 14) << 2;
  d.it.negate = bits(second, 31, 29);
  (is_mixed ? d.it.absolute : d.it.negate_high) = bits(first, 10, 8);
}

void decode_vop3p(Decoding& d) {
  d.it.words = 2;
  if (!d.find(Encoding::vop3p, bits(d.words[0], 22, 16))) return;
  const std::string_view name = d.opcode->name;
  d.it.destination = bits(d.words[0], 7, 0);
  decode_vop3_sources(d);
  // The register files of moves are fixed, whatever the bits say that choose them elsewhere.
  if (name == "v_accvgpr_read_b32")
    use_accumulator(d.it.source[0]);
  else if (name == "v_accvgpr_write_b32")
    d.it.destination += accumulator_offset;
  else if (name.starts_with("v_mfma") || name.starts_with("v_smfmac"))
    decode_matrix(d, name.starts_with("v_smfmac"));
  else
    decode_packed(d, name.starts_with("v_fma_mix"));
}

void decode_ds(Decoding& d) {
  const std::uint32_t first = d.words[0], second = d.words[1];
  d.it.words = 2;
  if (!d.find(Encoding::ds, bits(first, 24, 17))) return;
  const unsigned file = bit(first, 25) ? accumulator_offset : 0;
  d.it.immediate = static_cast<std::int32_t>(bits(first, 15, 0));
  d.it.gds = bit(first, 16);
  d.it.address_register = bits(second, 7, 0);
  d.it.data[0] = file + bits(second, 15, 8);
  d.it.data[1] = file + bits(second, 23, 16);
  d.it.destination = file + bits(second, 31, 24);
}

void decode_flat(Decoding& d) {
  constexpr Encoding segments[] = {Encoding::flat, Encoding::scratch, Encoding::global,
                                   Encoding::none};
  const std::uint32_t first = d.words[0], second = d.words[1];
  const Encoding encoding = segments[bits(first, 15, 14)];
  d.it.words = 2;
  if (!d.find(encoding, bits(first, 24, 18))) return;
  const unsigned file = bit(second, 23) ? accumulator_offset : 0;
  d.it.glc = bit(first, 16);
  d.it.slc = bit(first, 17);
  d.it.sc1 = bit(first, 25);
  d.it.address_register = bits(second, 7, 0);
  d.it.data[0] = file + bits(second, 15, 8);
  d.it.destination = file + bits(second, 31, 24);
  if (encoding == Encoding::flat) {
    d.it.immediate = static_cast<std::int32_t>(bits(first, 11, 0));
    return;
  }
  d.it.immediate = sign_extended(first, 13);
  d.it.scalar_address = bits(second, 22, 16);
  const bool says_vector_address = encoding == Encoding::scratch && d.target == Target::gfx942;
  if (says_vector_address)
    d.it.scratch_vector_address = bit(first, 13);
  else
    d.it.lds = bit(first, 13);
  if (encoding == Encoding::scratch && !says_vector_address)  // one of the two registers
    d.it.scratch_vector_address = d.it.scalar_address == no_scalar_address;
}

void decode_mubuf(Decoding& d) {
  const std::uint32_t first = d.words[0], second = d.words[1];
  d.it.words = 2;
  if (!d.find(Encoding::mubuf, bits(first, 24, 18))) return;
  const unsigned file = bit(second, 23) ? accumulator_offset : 0;
  d.it.immediate = static_cast<std::int32_t>(bits(first, 11, 0));
  d.it.offset_enable = bit(first, 12);
  d.it.index_enable = bit(first, 13);
  d.it.glc = bit(first, 14);
  d.it.sc1 = bit(first, 15);
  d.it.lds = bit(first, 16);
  d.it.slc = bit(first, 17);
  d.it.address_register = bits(second, 7, 0);
  d.it.data[0] = d.it.destination = file + bits(second, 15, 8);
  d.it.scalar_address = bits(second, 20, 16) * 4;
  d.it.source[0] = bits(second, 31, 24);
}

// A word belongs to the first that matches.
struct Format {
  std::uint32_t mask, value;
  void (*decode)(Decoding&);
};
constexpr Format formats[] = {
    {0xff800000, 0xbf800000, decode_sopp},  {0xff800000, 0xbf000000, decode_sopc},
    {0xff800000, 0xbe800000, decode_sop1},  {0xf0000000, 0xb0000000, decode_sopk},
    {0xc0000000, 0x80000000, decode_sop2},  {0xfe000000, 0x7e000000, decode_vop1},
    {0xfe000000, 0x7c000000, decode_vopc},  {0x80000000, 0x00000000, decode_vop2},
    {0xff800000, 0xd3800000, decode_vop3p}, {0xfc000000, 0xd0000000, decode_vop3},
    {0xfc000000, 0xc0000000, decode_smem},  {0xfc000000, 0xd8000000, decode_ds},
    {0xfc000000, 0xdc000000, decode_flat},  {0xfc000000, 0xe0000000, decode_mubuf},
};

void set_handlers(Instruction& it) {
  const Handler own = handler(it.name);
  if (it.extension == Extension::none) {
    it.execute = own;
    return;
  }
  it.extended = own;
  // Without its own handler an instruction is not emulated, whatever its extension.
  if (own) it.execute = handler(it.extension == Extension::sdwa ? "sdwa" : "dpp");
}

}  // namespace

Instruction decode(Target target, const std::uint32_t* words, std::uint64_t count) {
  if (count == 0) return {};
  Decoding decoding{.target = target, .words = {words, count}, .it = {}};
  for (const Format& format : formats) {
    if ((words[0] & format.mask) != format.value) continue;
    format.decode(decoding);
    break;
  }
  if (!decoding.opcode || decoding.it.words > count) return {};
  Instruction it = decoding.it;
  it.name = decoding.opcode->name;
  it.kind = kind_of(*decoding.opcode);
  // Elsewhere LLVM and the hardware ignore these bits; those of packed operations are halves' own.
  if (!decoding.opcode->has('N')) {
    it.negate &= decoding.opcode->signed_sources();
    it.absolute &= decoding.opcode->signed_sources();
  }
  set_handlers(it);
  return it;
}

}  // namespace amd_emulator
