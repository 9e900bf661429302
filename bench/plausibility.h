// SPDX-License-Identifier: Apache-2.0
// What the datasheet says of a measured rate: impossible, as expected, or slow for its class.
#pragma once

#include <optional>
#include <string>

#include "backends/backend.h"
#include "reports/record.h"

namespace steelyard {

// Why the row's time cannot be: above the peak at `clock_hz` (the highest clock that was measured;
// unknown: the device's maximum), not finite, or within two steps of the clock that measured it.
// Empty when it can be. For rows of several devices the peak is that of all.
std::string too_fast(const Record& record, const Problem& problem, const DeviceInfo& info,
                     std::optional<double> clock_hz, double timer_resolution_seconds);

// The rate that a row of this class should reach at least, as text: a quarter of the roofline of its
// datasheet, for work that keeps a device busy for 100 us. Empty when it does, or nothing is known.
std::string slow_for_class(const Record& record, const Problem& problem, const DeviceInfo& info);

}  // namespace steelyard
