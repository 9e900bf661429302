// SPDX-License-Identifier: Apache-2.0
// The kernels that both vendors share: one table per file of kernels.
#pragma once

#include <span>
#include <vector>

#include "backends/backend.h"

namespace steelyard::gpu {

std::vector<Kernel> shared_kernels();  // all of them

}  // namespace steelyard::gpu
