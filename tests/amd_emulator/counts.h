// SPDX-License-Identifier: Apache-2.0
// What is counted of a launch. None of it is a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>

#include "tests/amd_emulator/instruction.h"

namespace amd_emulator {

struct Launch;

// Of wave instructions, unless said.
struct Counts {
  std::array<std::uint64_t, kinds> instructions{};
  std::uint64_t matrix_passes = 0;    // of 4 cycles each
  std::uint64_t lane_slots = 0;       // 64 for every vector instruction …
  std::uint64_t active_lanes = 0;     // … and those of them that took part
  std::uint64_t local_cycles = 0;     // that LDS accesses take without conflicts …
  std::uint64_t local_conflicts = 0;  // … those that bank conflicts add …
  std::uint64_t loop_conflicts = 0;  // … and of them those before a matrix instruction of the wave
  std::uint64_t lines = 0;           // that global accesses touched, counted per instruction …
  std::uint64_t ideal_lines = 0;     // … and had they been as dense as they can
  std::uint64_t bytes_read = 0;      // different lines of memory that the launch read, in bytes
  std::uint64_t bytes_written = 0;   // the same, written
  std::uint64_t scratch_accesses = 0;
  std::set<std::string_view> mnemonics;  // all that were executed
  std::map<const Instruction*, std::uint64_t> conflicts_at;

  void add(const Counts& other);
};

// Whether launches are counted beyond their instructions: STEELYARD_EMULATE_COUNTS names a file.
bool counting();

// Appends a launch to that file, as a line of JSON.
void write_counts(const Launch& launch, const Counts& counts);

}  // namespace amd_emulator
