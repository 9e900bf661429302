// SPDX-License-Identifier: Apache-2.0
// What timing on a device costs, and whether the cache policy does there what it says.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "backends/backend.h"
#include "bench/command_line.h"
#include "reports/record.h"

namespace steelyard {

struct Calibration {
  // Of empty windows; resolution is the smallest step between them.
  double overhead_p50_seconds = 0, overhead_p99_seconds = 0, resolution_seconds = 0;
  // Whether reading from operands in the cache is faster than reading as the policy leaves them.
  std::optional<bool> cache_policy_effective;
  double hot_bytes_per_second = 0, cold_bytes_per_second = 0;
  std::string reason;  // of what is not known

  Fields fields() const;  // for the device's entry in a result file
};

using Calibrations = std::map<const Device*, Calibration>;

// Takes about a second. `backend` is the device's, whose kernel for reading memory is used; a device
// that is only emulated is not timed.
Calibration calibrate(Device& device, const Backend& backend, CachePolicy policy);

// Bytes of the last-level cache, by the run time or the datasheet: some drivers report an inner
// cache only.
std::int64_t last_level_cache(const DeviceInfo& info);

}  // namespace steelyard
