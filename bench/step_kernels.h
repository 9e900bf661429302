// SPDX-License-Identifier: Apache-2.0
// Steps as rows: one for each way of choosing the kernels of their operations.
#pragma once

#include <span>

#include "backends/backend.h"

namespace steelyard {

// library: of each operation the fastest library kernel, or the fastest portable one where there is
// none. best: the fastest of any tier. portable: the fastest portable one. Their Runs are Sequences
// of the registry's kernels. What is fastest is measured once per process, problem and device, each
// kernel alone and with cold caches.
std::span<const Kernel> step_kernels();

}  // namespace steelyard
