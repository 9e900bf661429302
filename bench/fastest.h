// SPDX-License-Identifier: Apache-2.0
// Which of several kernels is the fastest on a problem.
#pragma once

#include <vector>

#include "backends/backend.h"

namespace steelyard {

// By the least of three launches of each, alone and with cold caches; of fewer where one takes twice as long
// as another kernel, and of the very first alone where that takes four times as long. Measured once per
// process, problem and device; where nothing is timed (a single kernel, an emulated device) the first one.
// `all` is not empty.
Kernel fastest(Device& device, const Problem& problem, const std::vector<Kernel>& all);

}  // namespace steelyard
