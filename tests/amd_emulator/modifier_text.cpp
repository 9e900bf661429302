// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/modifier_text.h"

#include <fmt/format.h>

#include <string_view>

#include "tests/amd_emulator/operand_text.h"

namespace amd_emulator {
namespace {

constexpr unsigned bits(std::uint32_t word, int high, int low) {
  return word >> low & ((2u << (high - low)) - 1);
}

int sources(const Opcode& opcode) {
  return opcode.has('a') + opcode.has('b') + opcode.has('c');
}

std::string bit_list(std::string_view name, unsigned value, int count) {
  std::string text = fmt::format(" {}:[", name);
  for (int k = 0; k < count; ++k) text += fmt::format("{}{}", k ? "," : "", value >> k & 1);
  return text + "]";
}

std::string output_modifiers(const Instruction& it) {
  constexpr const char* factors[] = {"", " mul:2", " mul:4", " div:2"};
  return (it.clamp ? " clamp" : "") + std::string(factors[it.output_modifier & 3]);
}

std::string dpp_control(unsigned control) {
  if (control < 0x100)
    return fmt::format("quad_perm:[{},{},{},{}]", bits(control, 1, 0), bits(control, 3, 2),
                       bits(control, 5, 4), bits(control, 7, 6));
  const unsigned group = control & 0x1f0, amount = control & 15;
  if (group == 0x100) return fmt::format("row_shl:{}", amount);
  if (group == 0x110) return fmt::format("row_shr:{}", amount);
  if (group == 0x120) return fmt::format("row_ror:{}", amount);
  if (group == 0x150) return fmt::format("row_newbcast:{}", amount);
  switch (control) {
    case 0x130:
      return "wave_shl:1";
    case 0x134:
      return "wave_rol:1";
    case 0x138:
      return "wave_shr:1";
    case 0x13c:
      return "wave_ror:1";
    case 0x140:
      return "row_mirror";
    case 0x141:
      return "row_half_mirror";
    case 0x142:
      return "row_bcast:15";
    case 0x143:
      return "row_bcast:31";
    default:
      return "/* Invalid dpp_ctrl value */";
  }
}

std::string dpp_modifiers(const Instruction& it) {
  const std::uint32_t word = it.extension_word;
  return fmt::format(" {} row_mask:{:#x} bank_mask:{:#x}{}", dpp_control(bits(word, 16, 8)),
                     bits(word, 31, 28), bits(word, 27, 24),
                     bits(word, 19, 19) ? " bound_ctrl:1" : "");
}

std::string sdwa_modifiers(const Instruction& it, const Opcode& opcode) {
  constexpr const char* selections[] = {"BYTE_0", "BYTE_1", "BYTE_2", "BYTE_3",
                                        "WORD_0", "WORD_1", "DWORD",  "invalid"};
  constexpr const char* unused[] = {"UNUSED_PAD", "UNUSED_SEXT", "UNUSED_PRESERVE", "invalid"};
  const std::uint32_t word = it.extension_word;
  std::string text = output_modifiers(it);
  const std::string_view name = it.name;
  const bool reads_float8 = name.ends_with("_fp8") || name.ends_with("_bf8");
  if (it.encoding != Encoding::vopc && !reads_float8)
    text += fmt::format(" dst_sel:{} dst_unused:{}", selections[bits(word, 10, 8)],
                        unused[bits(word, 12, 11)]);
  text += fmt::format(" src0_sel:{}", selections[bits(word, 18, 16)]);
  if (opcode.has('b')) text += fmt::format(" src1_sel:{}", selections[bits(word, 26, 24)]);
  return text;
}

std::string matrix_modifiers(Target target, const Instruction& it) {
  std::string text;
  if (it.cbsz) text += fmt::format(" cbsz:{}", it.cbsz);
  if (it.abid) text += fmt::format(" abid:{}", it.abid);
  const bool is_double = std::string_view(it.name).starts_with("v_mfma_f64");
  if (it.blgp && is_double && target == Target::gfx942)
    text += bit_list("neg", it.blgp, 3);
  else if (it.blgp)
    text += fmt::format(" blgp:{}", it.blgp);
  return text;
}

std::string packed_modifiers(const Instruction& it, const Opcode& opcode) {
  const bool is_packed = opcode.has('N');
  const int count = sources(opcode);
  const unsigned all = (1u << count) - 1;
  std::string text;
  if (opcode.has('O') && it.op_sel & all) text += bit_list("op_sel", it.op_sel, count);
  if (opcode.has('O') && (it.op_sel_high & all) != (is_packed ? all : 0))
    text += bit_list("op_sel_hi", it.op_sel_high, count);
  if (is_packed && it.negate & all) text += bit_list("neg_lo", it.negate, count);
  if (is_packed && it.negate_high & all) text += bit_list("neg_hi", it.negate_high, count);
  if (it.clamp) text += " clamp";
  return text;
}

std::string vop3_modifiers(const Instruction& it, const Opcode& opcode) {
  // The destination's bit follows those of the sources.
  const bool selects_byte = std::string_view(it.name).starts_with("v_cvt_sr_");
  const int count = selects_byte ? 3 : sources(opcode);
  const unsigned all = (1u << count) - 1;
  const unsigned selected = (it.op_sel & all) | (it.op_sel >> 3 & 1u) << count;
  std::string text;
  if (opcode.has('O') && selected) text = bit_list("op_sel", selected, count + 1);
  return text + output_modifiers(it);
}

}  // namespace

std::string vector_modifiers(Target target, const Instruction& it, const Opcode& opcode) {
  if (it.extension == Extension::dpp) return dpp_modifiers(it);
  if (it.extension == Extension::sdwa) return sdwa_modifiers(it, opcode);
  if (it.kind == Kind::matrix) return matrix_modifiers(target, it);
  if (it.encoding == Encoding::vop3) return vop3_modifiers(it, opcode);
  if (it.encoding == Encoding::vop3p && !std::string_view(it.name).starts_with("v_accvgpr"))
    return packed_modifiers(it, opcode);
  return "";
}

std::string memory_modifiers(Target target, const Instruction& it) {
  const bool is_gfx942 = target == Target::gfx942;
  std::string text;
  if (it.encoding == Encoding::mubuf) {
    if (it.index_enable) text += " idxen";
    if (it.offset_enable) text += " offen";
  }
  if (it.encoding != Encoding::smem && it.immediate != 0)
    text += fmt::format(" offset:{}", it.immediate);
  const bool is_scalar = it.encoding == Encoding::smem;
  if (it.glc) text += is_gfx942 && !is_scalar ? " sc0" : " glc";
  if (it.slc) text += is_gfx942 ? " nt" : " slc";
  if (it.sc1) text += is_gfx942 ? " sc1" : " scc";
  // The loads into LDS of gfx942 say so in their mnemonics, except MUBUF's.
  if (it.lds && (it.encoding == Encoding::mubuf || !is_gfx942)) text += " lds";
  return text;
}

}  // namespace amd_emulator
