// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/operand_text.h"

#include <fmt/format.h>

#include <string_view>

namespace amd_emulator {
namespace {

std::string registers(std::string_view file, unsigned first, unsigned width) {
  if (width == 1) return fmt::format("{}{}", file, first);
  return fmt::format("{}[{}:{}]", file, first, first + width - 1);
}

struct NamedRegister {
  unsigned code;
  const char* name;
};

constexpr NamedRegister single_registers[] = {
    {102, "flat_scratch_lo"},
    {103, "flat_scratch_hi"},
    {104, "xnack_mask_lo"},
    {105, "xnack_mask_hi"},
    {106, "vcc_lo"},
    {107, "vcc_hi"},
    {124, "m0"},
    {126, "exec_lo"},
    {127, "exec_hi"},
    {235, "src_shared_base"},
    {236, "src_shared_limit"},
    {237, "src_private_base"},
    {238, "src_private_limit"},
    {239, "src_pops_exiting_wave_id"},
    {251, "src_vccz"},
    {252, "src_execz"},
    {253, "src_scc"},
    {254, "src_lds_direct"},
};
constexpr NamedRegister register_pairs[] = {
    {102, "flat_scratch"}, {104, "xnack_mask"}, {106, "vcc"}, {126, "exec"}};
constexpr unsigned first_trap_register = 108, last_trap_register = 123;

// The float constants that need no literal, codes 240 to 248: as text, and their bits in three formats.
struct FloatConstant {
  const char* text;
  std::uint16_t half;
  std::uint32_t single, double_high;
};
constexpr unsigned first_float_code = 240, last_float_code = 248;
constexpr FloatConstant float_constants[] = {
    {"0.5", 0x3800, 0x3f000000, 0x3fe00000},        {"-0.5", 0xb800, 0xbf000000, 0xbfe00000},
    {"1.0", 0x3c00, 0x3f800000, 0x3ff00000},        {"-1.0", 0xbc00, 0xbf800000, 0xbff00000},
    {"2.0", 0x4000, 0x40000000, 0x40000000},        {"-2.0", 0xc000, 0xc0000000, 0xc0000000},
    {"4.0", 0x4400, 0x40800000, 0x40100000},        {"-4.0", 0xc400, 0xc0800000, 0xc0100000},
    {"0.15915494", 0x3118, 0x3e22f983, 0x3fc45f30},
};

bool is_inline_integer(std::int64_t value) {
  return value >= -16 && value <= 64;
}

std::string pair_text(std::uint32_t value) {
  for (const FloatConstant& constant : float_constants)
    if (constant.half == value) return constant.text;
  return is_inline_integer(static_cast<std::int32_t>(value))
             ? std::to_string(static_cast<std::int32_t>(value))
             : fmt::format("{:#x}", value);
}

std::string half_text(std::uint16_t value) {
  return is_inline_integer(static_cast<std::int16_t>(value))
             ? std::to_string(static_cast<std::int16_t>(value))
             : pair_text(value);
}

// The literal is the upper half of the value.
std::string double_text(std::uint32_t literal) {
  if (literal == 0) return "0";
  for (unsigned code = first_float_code; code < last_float_code; ++code) {
    const FloatConstant& constant = float_constants[code - first_float_code];
    if (constant.double_high == literal) return constant.text;
  }
  return fmt::format("{:#x}", literal);
}

std::string literal_text(std::uint32_t literal, char style) {
  switch (style) {
    case 'h':
      return half_text(static_cast<std::uint16_t>(literal));
    case 'w': {
      std::string text = constant32(literal);
      return text.starts_with("0x") ? fmt::format("{:#x}", literal & 0xffff) : text;
    }
    case 'p':
      return pair_text(literal);
    case 'd':
      return literal <= 64 ? std::to_string(literal) : fmt::format("{:#x}", literal);
    case 'f':
      return double_text(literal);
    default:
      return constant32(literal);
  }
}

std::string float_text(unsigned code, char style) {
  const FloatConstant& constant = float_constants[code - first_float_code];
  if (style == 'w') return fmt::format("{:#x}", constant.half);
  if ((style == 'd' || style == 'f') && code == last_float_code) return "0.15915494309189532";
  return constant.text;
}

}  // namespace

std::string vector_registers(unsigned first, unsigned width) {
  constexpr unsigned accumulators = first_accumulator_code - first_vector_code;
  return first < accumulators ? registers("v", first, width)
                              : registers("a", first - accumulators, width);
}

std::string scalar_registers(unsigned first, unsigned width) {
  if (first >= first_trap_register && first <= last_trap_register)
    return registers("ttmp", first - first_trap_register, width);
  if (width == 2)
    for (const NamedRegister& pair : register_pairs)
      if (pair.code == first) return pair.name;
  for (const NamedRegister& single : single_registers)
    if (single.code == first) return single.name;
  return registers("s", first, width);
}

bool is_constant(unsigned code) {
  return (code >= 128 && code <= 208) || (code >= first_float_code && code <= last_float_code) ||
         code == literal_code;
}

std::string source_text(const Instruction& it, unsigned code, unsigned width, char style) {
  if (code >= first_vector_code) return vector_registers(code - first_vector_code, width);
  if (code == literal_code) return literal_text(it.literal, style);
  if (code >= first_float_code && code <= last_float_code) return float_text(code, style);
  if (code >= 128 && code <= 192) return std::to_string(code - 128);
  if (code >= 193 && code <= 208) return std::to_string(192 - static_cast<int>(code));
  return scalar_registers(code, width);
}

std::string constant32(std::uint32_t value) {
  if (is_inline_integer(static_cast<std::int32_t>(value)))
    return std::to_string(static_cast<std::int32_t>(value));
  for (const FloatConstant& constant : float_constants)
    if (constant.single == value) return constant.text;
  return fmt::format("{:#x}", value);
}

}  // namespace amd_emulator
