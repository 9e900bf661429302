// SPDX-License-Identifier: Apache-2.0
// Bringing devices to their steady state before the first row.
#pragma once

#include "bench/measure.h"

namespace steelyard {

constexpr double longest_soak_seconds = 30;

// Launches, for 3 to 30 s, until times and the clocks and temperatures of all of the monitor's
// devices stand still, as far as each is known; returns whether they did. They do when their trend
// over the last 3 s, or else the last 10 s, is clearly small: slope and its standard error add up to
// less than 0.5 % in 10 s, of temperatures 1 K in 10 s.
bool soak(Device& device, Run& run, const Plan& plan, Monitor& monitor);

}  // namespace steelyard
