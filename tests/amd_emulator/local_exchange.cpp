// SPDX-License-Identifier: Apache-2.0
// DS instructions that move values between lanes through LDS's crossbar and touch no memory.
#include <string>

#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/operands.h"

namespace amd_emulator {
namespace {

std::uint32_t pattern(const Instruction& it) {
  return static_cast<std::uint32_t>(it.immediate) & 0xffff;
}

// Addresses are bytes, four for a lane, and wrap. What a lane that takes no part would give is 0.
void backward_permute(Wave& wave, const Instruction& it) {
  Lanes32 result;
  for (int lane = 0; lane < lanes; ++lane) {
    const std::uint32_t from = (wave.v[it.address_register][lane] + pattern(it)) / 4 % lanes;
    result.value[lane] = wave.v[it.data[0]][from] & wave.enabled[from];
  }
  write_lanes(wave, it.destination, result);
}

// Of lanes that send to the same one, the last wins; to whom nobody sends gets 0.
void permute(Wave& wave, const Instruction& it) {
  Lanes32 result{};
  for_each_enabled(wave, [&](int lane) {
    const std::uint32_t to = (wave.v[it.address_register][lane] + pattern(it)) / 4 % lanes;
    result.value[to] = wave.v[it.data[0]][lane];
  });
  write_lanes(wave, it.destination, result);
}

// Within four lanes, by two bits for each; or within 32, by masks on the lane's number.
unsigned swizzled(unsigned lane, std::uint32_t by) {
  if (by & 0x8000) return (lane & ~3u) | (by >> (lane % 4 * 2) & 3);
  const std::uint32_t keep = by & 31, set = by >> 5 & 31, flip = by >> 10 & 31;
  return (lane & 32) | (((lane & keep) | set) ^ flip);
}

void swizzle(Wave& wave, const Instruction& it) {
  if (pattern(it) >= 0xc000)
    throw Fault(std::string(it.name) + ": rotations and FFT patterns are not emulated");
  Lanes32 result;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    const unsigned from = swizzled(lane, pattern(it));
    result.value[lane] = wave.v[it.data[0]][from] & wave.enabled[from];
  }
  write_lanes(wave, it.destination, result);
}

constexpr NamedHandler table[] = {
    {"ds_bpermute_b32", backward_permute},
    {"ds_permute_b32", permute},
    {"ds_swizzle_b32", swizzle},
    {"ds_nop", nothing},
};

}  // namespace

std::span<const NamedHandler> local_exchange_handlers() {
  return table;
}

}  // namespace amd_emulator
