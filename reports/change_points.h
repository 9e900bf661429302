// SPDX-License-Identifier: Apache-2.0
// Where a history changed its level for good.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace steelyard {

struct ChangePoint {
  std::size_t index = 0;  // the first value of the new level
  double ratio = 1;       // of the levels: after over before
  double p_value = 0;     // of the best of all places, both directions
};

// Binary segmentation by Student's t on the logarithms, ascending. A place counts when the levels
// differ by 1.5 % at least, significantly at 0.1 % after a correction for all places that were tried,
// with three values on either side; the variance is inflated by (1 + phi) / (1 - phi) for the
// autocorrelation phi of successive values.
std::vector<ChangePoint> change_points(std::span<const double> values);

}  // namespace steelyard
