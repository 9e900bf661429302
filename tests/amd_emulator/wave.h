// SPDX-License-Identifier: Apache-2.0
// What a running kernel consists of: waves of 64 lanes in a workgroup with its local memory.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "tests/amd_emulator/counts.h"
#include "tests/amd_emulator/fault.h"
#include "tests/amd_emulator/instruction.h"

namespace amd_emulator {

class LocalMemory;
struct Launch;

inline constexpr int lanes = 64;
inline constexpr std::uint64_t all_lanes = ~std::uint64_t{0};

struct Position {
  unsigned x = 0, y = 0, z = 0;
};

struct Workgroup {
  const Launch* launch;
  LocalMemory* local;
  Position id;
  std::uint64_t scratch;       // device address of its private memory
  std::uint64_t wave_scratch;  // bytes of it for one wave
  Counts* counts;
};

enum class Stop : std::uint8_t { none, barrier, end };

// Registers are raw bits. vcc, m0 and exec are scalar registers; exec is kept twice more, for the
// loops over lanes.
struct alignas(64) Wave {
  static constexpr int vector_registers = 512;  // v0 to v255, a0 to a255
  static constexpr int temporaries = 4;         // for what SDWA and DPP make of operands

  std::uint32_t v[vector_registers + temporaries][lanes];
  std::uint32_t enabled[lanes];  // all bits set where the lane takes part
  std::uint32_t s[128];
  std::uint64_t exec;
  std::uint64_t launched;  // exec at the start
  std::uint32_t scc;
  std::uint64_t pc;  // of the next instruction, in the code object
  Workgroup* group;
  unsigned index;  // in the workgroup
  Stop stop;
  bool indexing;  // between s_set_gpr_idx_on and _off

  void set_exec(std::uint64_t mask) {
    exec = mask;
    s[exec_lo] = static_cast<std::uint32_t>(mask);
    s[exec_lo + 1] = static_cast<std::uint32_t>(mask >> 32);
    for (int lane = 0; lane < lanes; ++lane)
      enabled[lane] = -static_cast<std::uint32_t>(mask >> lane & 1);
  }
};

// Calls f(lane) for every lane that takes part.
template <class F>
void for_each_enabled(const Wave& wave, F f) {
  if (wave.exec == all_lanes) {
    for (int lane = 0; lane < lanes; ++lane) f(lane);
    return;
  }
  for (std::uint64_t left = wave.exec; left != 0; left &= left - 1) f(std::countr_zero(left));
}

}  // namespace amd_emulator
