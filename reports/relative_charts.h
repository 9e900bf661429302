// SPDX-License-Identifier: Apache-2.0
// The charts that show result sets side by side.
#pragma once

#include <span>
#include <vector>

#include "reports/chart.h"
#include "reports/relative.h"

namespace steelyard {

// The geometric means of all families, where there are several, and each family's rows, of its leading
// comparison (headline.h).
std::vector<Forest> ratio_charts(std::span<const Side> sides, const Relative& relative);

}  // namespace steelyard
