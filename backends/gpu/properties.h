// SPDX-License-Identifier: Apache-2.0
// What a GPU's runtime says of it, in one vendor's words or the other's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "backends/dtype.h"

namespace steelyard::gpu {

// What the names of devices begin with that a program plays: their results are verified, never timed.
inline constexpr std::string_view emulated_prefix = "emulated ";

struct Properties {
  std::string name;
  std::string architecture;  // that its kernels were compiled for: "sm_90", "gfx942"
  std::string uuid;
  std::string pci_bus_id;  // "0000:65:00.0"
  std::string driver;      // its version, and the runtime's
  std::string runtime;
  int compute_units = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t last_level_cache_bytes = 0;  // L2: what lies behind it the runtimes do not report
  std::int64_t shared_bytes_per_block = 0;  // the most that a block may ask for
  Encoding fp8 = Encoding::ocp;
};

}  // namespace steelyard::gpu
