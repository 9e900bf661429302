// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/targets.h"

#include <fmt/format.h>

#include <sstream>

#include "tests/amd_emulator/fault.h"

namespace amd_emulator {
namespace {

constexpr std::size_t gib = std::size_t{1} << 30;

constexpr DeviceModel mi250_die = {.target = Target::gfx90a,
                                   .name = "emulated AMD Instinct MI250",
                                   .architecture = "gfx90a:sramecc+:xnack-",
                                   .compute_units = 104,
                                   .clock_khz = 1700000,
                                   .memory_clock_khz = 1600000,
                                   .memory_bus_bits = 4096,
                                   .l2_bytes = 8 << 20,
                                   .memory_bytes = 64 * gib};
constexpr DeviceModel mi300x = {.target = Target::gfx942,
                                .name = "emulated AMD Instinct MI300X",
                                .architecture = "gfx942:sramecc+:xnack-",
                                .compute_units = 304,
                                .clock_khz = 2100000,
                                .memory_clock_khz = 1300000,
                                .memory_bus_bits = 8192,
                                .l2_bytes = 4 << 20,
                                .memory_bytes = 192 * gib};

}  // namespace

std::vector<DeviceModel> parse_devices(const std::string& names) {
  std::vector<DeviceModel> devices;
  std::istringstream list(names);
  for (std::string name; std::getline(list, name, ',');) {
    if (name == "gfx90a")
      devices.insert(devices.end(), 2, mi250_die);
    else if (name == "gfx942")
      devices.push_back(mi300x);
    else if (name != "none")
      throw Fault(fmt::format("STEELYARD_EMULATE={}: there are gfx90a, gfx942 and none", name));
  }
  return devices;
}

}  // namespace amd_emulator
