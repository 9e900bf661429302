// SPDX-License-Identifier: Apache-2.0
// One ratio for many.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "reports/relative.h"

namespace steelyard {

// The geometric mean of ratios of different rows.
struct MeanRatio {
  double value = 1;
  Interval these_rows;                      // how well their mean is known
  std::optional<Interval> rows_like_these;  // Student's t on their logarithms; needs two
  int rows = 0;

  Interval wider() const;  // of both
};

MeanRatio mean_ratio(std::span<const Ratio> ratios);  // of at least one

std::string mean_text(const MeanRatio& mean);  // "1.250 (1.100 to 1.420)", the wider interval

}  // namespace steelyard
