// SPDX-License-Identifier: Apache-2.0
// Immediates whose bits have names.
#include <fmt/format.h>

#include <bit>
#include <string_view>

#include "tests/amd_emulator/operand_text.h"

namespace amd_emulator {
namespace {

constexpr unsigned bits(unsigned value, int high, int low) {
  return value >> low & ((2u << (high - low)) - 1);
}

// Lane k of 32 takes lane ((k & keep) | set) ^ flip: a character for each bit of a lane's number.
std::string bitmask_permutation(unsigned keep, unsigned set, unsigned flip) {
  const unsigned of_zeros = set ^ flip, of_ones = (keep | set) ^ flip;
  std::string text = "swizzle(BITMASK_PERM,\"";
  for (unsigned mask = 16; mask > 0; mask /= 2) {
    if ((of_zeros & mask) == (of_ones & mask))
      text += of_zeros & mask ? '1' : '0';
    else
      text += of_zeros & mask ? 'i' : 'p';
  }
  return text + "\")";
}

std::string bitmask_swizzle(unsigned offset) {
  const unsigned keep = bits(offset, 4, 0), set = bits(offset, 9, 5), flip = bits(offset, 14, 10);
  const unsigned group = 32 - keep;
  if (keep == 31 && set == 0 && std::has_single_bit(flip))
    return fmt::format("swizzle(SWAP,{})", flip);
  if (keep == 31 && set == 0 && flip > 0 && std::has_single_bit(flip + 1))
    return fmt::format("swizzle(REVERSE,{})", flip + 1);
  if (group > 1 && std::has_single_bit(group) && set < group && flip == 0)
    return fmt::format("swizzle(BROADCAST,{},{})", group, set);
  return bitmask_permutation(keep, set, flip);
}

struct HardwareRegister {
  unsigned number;
  bool on_gfx90a;
  const char* name;
};
constexpr HardwareRegister hardware_registers[] = {
    {1, true, "MODE"},
    {2, true, "STATUS"},
    {3, true, "TRAPSTS"},
    {4, true, "HW_ID"},
    {5, true, "GPR_ALLOC"},
    {6, true, "LDS_ALLOC"},
    {7, true, "IB_STS"},
    {15, true, "SH_MEM_BASES"},
    {16, true, "TBA_LO"},
    {17, true, "TBA_HI"},
    {18, true, "TMA_LO"},
    {19, true, "TMA_HI"},
    {20, false, "XCC_ID"},
    {21, false, "SQ_PERF_SNAPSHOT_DATA"},
    {22, false, "SQ_PERF_SNAPSHOT_DATA1"},
    {23, false, "SQ_PERF_SNAPSHOT_PC_LO"},
    {24, false, "SQ_PERF_SNAPSHOT_PC_HI"},
};

std::string hardware_register_name(Target target, unsigned number) {
  for (const HardwareRegister& known : hardware_registers)
    if (known.number == number && (known.on_gfx90a || target == Target::gfx942))
      return std::string("HW_REG_") + known.name;
  return std::to_string(number);
}

}  // namespace

std::string hardware_register(Target target, unsigned immediate) {
  const unsigned number = bits(immediate, 5, 0), offset = bits(immediate, 10, 6);
  const unsigned width = bits(immediate, 15, 11) + 1;
  const std::string name = hardware_register_name(target, number);
  if (offset == 0 && width == 32) return fmt::format("hwreg({})", name);
  return fmt::format("hwreg({}, {}, {})", name, offset, width);
}

// The names of messages to a graphics pipeline are left out.
std::string message(unsigned immediate) {
  const unsigned id = bits(immediate, 3, 0), operation = bits(immediate, 6, 4);
  const unsigned stream = bits(immediate, 9, 8);
  if (bits(immediate, 15, 0) != (id | operation << 4 | stream << 8))
    return std::to_string(bits(immediate, 15, 0));
  if (id == 1 && operation == 0 && stream == 0) return "sendmsg(MSG_INTERRUPT)";
  return fmt::format("sendmsg({}, {}, {})", id, operation, stream);
}

// All of them where none is awaited.
std::string awaited_counters(unsigned immediate) {
  const unsigned vector = bits(immediate, 3, 0) | bits(immediate, 15, 14) << 4;
  const unsigned exports = bits(immediate, 6, 4), scalar = bits(immediate, 11, 8);
  const bool all = vector == 63 && exports == 7 && scalar == 15;
  std::string text;
  const auto add = [&text, all](std::string_view name, unsigned value, unsigned most) {
    if (value == most && !all) return;
    text += fmt::format("{}{}({})", text.empty() ? "" : " ", name, value);
  };
  add("vmcnt", vector, 63);
  add("expcnt", exports, 7);
  add("lgkmcnt", scalar, 15);
  return text;
}

std::string index_mode(unsigned immediate) {
  constexpr std::string_view modes[] = {"SRC0", "SRC1", "SRC2", "DST"};
  if (immediate >> std::size(modes)) return fmt::format("{:#x}", immediate);
  std::string text = "gpr_idx(";
  for (std::size_t k = 0; k < std::size(modes); ++k) {
    if (!(immediate >> k & 1)) continue;
    if (text.back() != '(') text += ',';
    text += modes[k];
  }
  return text + ")";
}

std::string swizzle(unsigned offset) {
  if (offset >> 15 == 0) return bitmask_swizzle(offset);
  if (offset >= 0xe000) return fmt::format("swizzle(FFT,{})", bits(offset, 4, 0));
  if (offset >= 0xc000)
    return fmt::format("swizzle(ROTATE,{},{})", bits(offset, 10, 10), bits(offset, 9, 5));
  if ((offset & 0xff00) != 0x8000) return std::to_string(offset);
  return fmt::format("swizzle(QUAD_PERM,{},{},{},{})", bits(offset, 1, 0), bits(offset, 3, 2),
                     bits(offset, 5, 4), bits(offset, 7, 6));
}

}  // namespace amd_emulator
