// SPDX-License-Identifier: Apache-2.0
// What lanes know of one another, and the operand changes of SDWA and DPP.
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/lanewise.h"

namespace amd_emulator {
namespace {

u32 lane_of(Wave& wave, const Instruction& it, int k, u32 lane) {
  const unsigned code = it.source[k];
  return is_vector(code) ? wave.v[code - first_vector_code][lane] : scalar32(wave, it, code);
}
// Of the first lane that takes part, of lane 0 where none does.
void read_first_lane(Wave& wave, const Instruction& it) {
  const u32 first = wave.exec == 0 ? 0 : static_cast<u32>(std::countr_zero(wave.exec));
  write_scalar32(wave, it.destination, lane_of(wave, it, 0, first));
}
void read_lane(Wave& wave, const Instruction& it) {
  const u32 lane = scalar32(wave, it, it.source[1]) % lanes;
  write_scalar32(wave, it.destination, lane_of(wave, it, 0, lane));
}
void write_lane(Wave& wave, const Instruction& it) {
  const u32 lane = scalar32(wave, it, it.source[1]) % lanes;
  wave.v[it.destination][lane] = scalar32(wave, it, it.source[0]);
}

// Counts the ones of a mask below each lane; the mask covers lanes 0 to 31 or 32 to 63.
template <int first>
void count_below(Wave& wave, const Instruction& it) {
  const Source<u32> mask(Operand{wave, it, 0}), addend(Operand{wave, it, 1});
  Result<u32> result;
  for (int lane = 0; lane < lanes; ++lane) {
    const int below = lane <= first ? 0 : lane - first < 32 ? lane - first : 32;
    const u32 considered = static_cast<u32>((u64{1} << below) - 1);
    result.set(lane, static_cast<u32>(std::popcount(mask[lane] & considered)) + addend[lane]);
  }
  write_result(wave, it, result);
}

void swap(Wave& wave, const Instruction& it) {
  u32* a = wave.v[it.destination];
  u32* b = wave.v[it.source[0] - first_vector_code];
  for_each_enabled(wave, [&](int lane) { std::swap(a[lane], b[lane]); });
}

// Changed operands lie in the temporary registers: two for the first source, which may be 64 bits wide,
// one for the second, one for the result.
constexpr unsigned changed_first = Wave::vector_registers, changed_second = changed_first + 2,
                   changed_result = changed_first + 3;

// SDWA: a byte or a half of each source and of the destination.
enum Selection : u32 { byte0, byte1, byte2, byte3, word0, word1, dword };

u32 select(u32 value, u32 selection, bool sign_extend) {
  if (selection == dword) return value;
  const u32 bits = selection < word0 ? 8 : 16;
  const u32 at = selection < word0 ? 8 * selection : 16 * (selection - word0);
  const u32 up = value >> at << (32 - bits);
  return sign_extend ? static_cast<u32>(static_cast<i32>(up) >> (32 - bits)) : up >> (32 - bits);
}

void select_source(Wave& wave, const Instruction& it, Instruction& changed, int k, unsigned place) {
  const u32 word = it.extension_word >> (k == 0 ? 16 : 24);
  Lanes32 temporary;
  const u32* from = lanes32(wave, it, it.source[k], temporary);
  for (int lane = 0; lane < lanes; ++lane)
    wave.v[place][lane] = select(from[lane], word & 7, (word & 8) != 0);
  changed.source[k] = static_cast<u16>(first_vector_code + place);
}

// Places the result in the destination, of which the rest becomes 0, the result's sign, or stays.
void place_result(Wave& wave, const Instruction& it) {
  const u32 selection = it.extension_word >> 8 & 7, unused = it.extension_word >> 11 & 3;
  const u32 bits = selection < word0 ? 8 : 16;
  const u32 at = selection < word0 ? 8 * selection : 16 * (selection - word0);
  const u32 kept = ((1u << bits) - 1) << at;
  Lanes32 result;
  for (int lane = 0; lane < lanes; ++lane) {
    const u32 value = wave.v[changed_result][lane];
    const u32 placed = value << at & kept;
    const u32 sign = (value >> (bits - 1) & 1) != 0 ? static_cast<u32>(~u64{0} << (at + bits)) : 0;
    const u32 old = wave.v[it.destination][lane] & ~kept;
    result.value[lane] = placed | (unused == 2 ? old : unused == 1 ? sign : 0);
  }
  write_lanes(wave, it.destination, result);
}

void sub_dword_addressing(Wave& wave, const Instruction& it) {
  Instruction changed = it;
  changed.extension = Extension::none;
  select_source(wave, it, changed, 0, changed_first);
  if (it.encoding != Encoding::vop1) select_source(wave, it, changed, 1, changed_second);
  const bool whole = it.encoding == Encoding::vopc || (it.extension_word >> 8 & 7) == dword;
  if (whole) return it.extended(wave, changed);
  changed.destination = changed_result;
  std::memcpy(wave.v[changed_result], wave.v[it.destination], sizeof(wave.v[0]));
  it.extended(wave, changed);
  place_result(wave, it);
}

// DPP: the lane that a lane's first source comes from; -1 for none. The wave is four rows of 16 lanes.
int source_lane(u32 control, int lane) {
  const int row = lane & ~15, in_row = lane & 15, by = static_cast<int>(control & 15);
  if (control < 0x100) return (lane & ~3) + static_cast<int>(control >> (2 * (lane & 3)) & 3);
  switch (control >> 4) {
    case 0x10:
      return in_row + by < 16 ? lane + by : -1;
    case 0x11:
      return in_row - by >= 0 ? lane - by : -1;
    case 0x12:
      return row + ((in_row - by) & 15);
    case 0x15:
      return row + by;
    default:
      break;
  }
  switch (control) {
    case 0x130:
      return lane < 63 ? lane + 1 : -1;
    case 0x134:
      return (lane + 1) & 63;
    case 0x138:
      return lane - 1;
    case 0x13c:
      return (lane - 1) & 63;
    case 0x140:
      return row + 15 - in_row;
    case 0x141:
      return (lane & ~7) + 7 - (lane & 7);
    case 0x142:
      return row - 1;
    case 0x143:
      return lane < 32 ? -1 : 31;
    default:
      throw Fault("DPP control " + std::to_string(control) + " is not emulated");
  }
}

// Lanes without a source take 0 where bound_ctrl says so, else no part, as do those that the masks of
// rows and banks leave out.
u64 permute_source(Wave& wave, const Instruction& it, int words) {
  const u32 control = it.extension_word >> 8 & 0x1ff, banks = it.extension_word >> 24 & 15;
  const u32 rows = it.extension_word >> 28;
  const bool zeros = (it.extension_word >> 19 & 1) != 0;
  u64 enabled = 0;
  for (int lane = 0; lane < lanes; ++lane) {
    const int from = source_lane(control, lane);
    const bool valid = from >= 0 && (wave.exec >> from & 1) != 0;
    const bool chosen = (rows >> (lane / 16) & 1) != 0 && (banks >> (lane % 16 / 4) & 1) != 0;
    for (int word = 0; word < words; ++word)
      wave.v[changed_first + word][lane] =
          valid ? wave.v[it.source[0] - first_vector_code + word][from] : 0;
    enabled |= u64{chosen && (valid || zeros)} << lane;
  }
  return enabled;
}

void data_parallel_primitive(Wave& wave, const Instruction& it) {
  const bool wide = std::strstr(it.name, "64") != nullptr;
  const u64 exec = wave.exec, enabled = permute_source(wave, it, wide ? 2 : 1) & exec;
  Instruction changed = it;
  changed.extension = Extension::none;
  changed.source[0] = first_vector_code + changed_first;
  wave.set_exec(enabled);
  it.extended(wave, changed);
  wave.set_exec(exec);
}

constexpr NamedHandler table[] = {
    {"v_nop", nothing},
    {"v_clrexcp", nothing},
    {"v_readfirstlane_b32", read_first_lane},
    {"v_readlane_b32", read_lane},
    {"v_writelane_b32", write_lane},
    {"v_mbcnt_lo_u32_b32", count_below<0>},
    {"v_mbcnt_hi_u32_b32", count_below<32>},
    {"v_swap_b32", swap},
    {"sdwa", sub_dword_addressing},
    {"dpp", data_parallel_primitive},
};

}  // namespace

std::span<const NamedHandler> lane_handlers() {
  return table;
}

}  // namespace amd_emulator
