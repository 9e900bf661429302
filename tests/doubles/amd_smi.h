// SPDX-License-Identifier: Apache-2.0
// What the double of AMD SMI answers; the library hands out the one script there is by
// amd_smi_script().
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct AmdGpu {
  std::uint32_t current_watts = 0xFFFFFFFF, average_watts = 317;  // as an MI250 has them
  std::uint64_t cap_microwatts = 500'000'000, default_cap_microwatts = 560'000'000;
  std::uint64_t energy_count = 2'000'000'000;  // of 15.259 microjoules each
  std::uint32_t gfx_megahertz = 1650, memory_megahertz = 1600;
  std::int64_t hotspot_celsius = 58;
  std::uint64_t uncorrectable_errors = 2;
  std::uint64_t ecc_blocks = 0x1;  // UMC
  std::uint32_t performance_level = 0, pcie_megatransfers = 16000;
  std::string compute_partition, memory_partition;  // empty: not supported
  std::string board_serial = "PCB0123";
  std::vector<std::uint32_t> processes;  // their ids
  std::uint32_t bad_pages = 0;
  std::uint64_t throttle_status = 0;
  std::array<std::uint64_t, 5> residencies = {~0ull, ~0ull, ~0ull, ~0ull, ~0ull};
};

struct AmdSmiScript {
  std::uint32_t version = 27;
  std::map<std::string, int> status;     // by function; those not here succeed
  std::map<std::uint64_t, AmdGpu> gpus;  // by PCI address: domain << 16 | bus << 8 | device << 3
  int sessions = 0;                      // amdsmi_init without amdsmi_shut_down
  std::uint64_t init_flags = 0;
};
