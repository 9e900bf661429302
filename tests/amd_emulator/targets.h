// SPDX-License-Identifier: Apache-2.0
// The GPUs that are emulated. Facts are those of reports/data/gpus.json and of AMD's documentation of
// GPU hardware specifications.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/amd_emulator/instruction.h"

namespace amd_emulator {

struct DeviceModel {
  Target target;
  const char* name;          // as the runtime of real ones has it, behind "emulated "
  const char* architecture;  // with its features
  int compute_units, clock_khz, memory_clock_khz, memory_bus_bits;
  int l2_bytes;
  std::size_t memory_bytes;
};

inline constexpr int local_bytes_per_workgroup = 64 << 10;
inline constexpr int most_threads_per_workgroup = 1024;

// From a list such as "gfx90a,gfx942": an MI250 is two devices, one for each of its dies. Throws Fault
// where a name is unknown.
std::vector<DeviceModel> parse_devices(const std::string& names);

}  // namespace amd_emulator
