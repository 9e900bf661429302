// SPDX-License-Identifier: Apache-2.0
// What a row drew.
#pragma once

#include "bench/monitor.h"
#include "bench/rows.h"

namespace steelyard {

// Of all devices of the row; what a die without a sensor of its own draws is in the other's.
Power total_power(const Row& row, const Monitor& monitor, const Timing& timing);

}  // namespace steelyard
