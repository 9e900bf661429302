// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

// The geometric mean of each side by family, type and kernels, with both of its intervals and how many rows
// it rests on.
Table mean_table(std::span<const Side> sides, const Relative& relative);

}  // namespace steelyard
