// SPDX-License-Identifier: Apache-2.0
// What is used of the C interface of AMD SMI, versions 26 and 27 (ROCm 7): structures by their
// documented layout, constants by their documented values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace steelyard::hip::amd_smi {

inline constexpr unsigned oldest_version = 26, newest_version = 27;

inline constexpr std::uint64_t gpus = 2;                   // amdsmi_init_flags_t
inline constexpr int gfx_clock = 0, memory_clock = 4;      // amdsmi_clk_type_t
inline constexpr int hottest_spot = 1, current_value = 0;  // amdsmi_temperature_type_t, _metric_t
inline constexpr std::uint32_t first_sensor = 0;
inline constexpr std::uint64_t memory_controller_block = 1;  // amdsmi_gpu_block_t: UMC
inline constexpr std::array performance_levels = {           // amdsmi_dev_perf_level_t
    "auto",
    "low",
    "high",
    "manual",
    "stable_std",
    "stable_peak",
    "stable_min_mclk",
    "stable_min_sclk",
    "determinism"};

// Absent numbers have all bits set, of the 16 or 32 that the driver gave; structures end in room
// for what versions append.
using Text = char[256];

struct Version {  // 24 and 25 had the year in front of it: 24 and 25
  std::uint32_t major, minor, release;
  const char* build;
};

struct Clock {
  std::uint32_t megahertz, min_megahertz, max_megahertz;
  std::uint8_t locked, deep_sleep;
  std::uint32_t reserved[4];
};

struct Power {
  std::uint64_t watts;
  std::uint32_t current_watts, average_watts;  // MI300 on, MI200 and earlier
  std::uint64_t rest[62];
};

struct PowerCap {
  std::uint64_t microwatts, default_microwatts, dpm_megahertz, min_microwatts, max_microwatts;
  std::uint64_t reserved[3];
};

struct ErrorCount {
  std::uint64_t correctable, uncorrectable, deferred;
  std::uint64_t reserved[5];
};

struct Pcie {
  std::uint16_t max_width;
  std::uint32_t max_speed, interface_version;
  std::int32_t slot;
  std::uint32_t max_generation;
  std::uint64_t reserved[9];
  std::uint16_t width;
  std::uint32_t megatransfers_per_second;
  std::uint64_t rest[51];
};

struct Vbios {
  Text name, build_date, part_number, version;
  std::uint64_t rest[68];
};

struct Board {
  Text model, serial;
  std::uint64_t rest[160];
};

struct Process {
  Text name;
  std::uint32_t pid;
  std::uint64_t rest[55];
};

struct Driver {
  Text version, date, name;
};

// The driver's metrics table: too long to declare, and 27 widened fields in its middle. Offsets of
// the bits of what throttles now (MI200), and of five counters in a row of what throttled (MI300).
struct Metrics {
  alignas(8) std::array<std::byte, 8192> bytes;
};
struct MetricsLayout {
  std::size_t throttle_status, residencies;
};
constexpr MetricsLayout metrics_layout(unsigned version) {
  return version < 27 ? MetricsLayout{112, 432} : MetricsLayout{120, 448};
}

}  // namespace steelyard::hip::amd_smi
