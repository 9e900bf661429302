// SPDX-License-Identifier: Apache-2.0
#include "reports/mean_ratio.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "reports/statistics.h"

namespace steelyard {

Interval MeanRatio::wider() const {
  const Interval other = rows_like_these.value_or(these_rows);
  return {std::min(these_rows.lower, other.lower), std::max(these_rows.upper, other.upper)};
}

MeanRatio mean_ratio(std::span<const Ratio> ratios) {
  if (ratios.empty()) throw std::logic_error("a mean of no ratios");
  const auto n = static_cast<double>(ratios.size());
  double sum = 0, below = 0, above = 0;
  std::vector<double> values;
  for (const auto& [value, ci95] : ratios) {
    values.push_back(value);
    sum += std::log(value);
    below = std::hypot(below, std::log(value / ci95.lower));
    above = std::hypot(above, std::log(ci95.upper / value));
  }
  MeanRatio mean{.value = std::exp(sum / n), .rows = static_cast<int>(ratios.size())};
  mean.these_rows = {mean.value * std::exp(-below / n), mean.value * std::exp(above / n)};
  if (ratios.size() > 1) {
    const double half = student_t_quantile(0.975, n - 1) * log_deviation(values) / std::sqrt(n);
    mean.rows_like_these = {mean.value * std::exp(-half), mean.value * std::exp(half)};
  }
  return mean;
}

}  // namespace steelyard
