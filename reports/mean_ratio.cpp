// SPDX-License-Identifier: Apache-2.0
#include "reports/mean_ratio.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "reports/statistics.h"

namespace steelyard {

Interval MeanRatio::wider() const {
  const Interval other = rows_like_these.value_or(these_rows);
  return {std::min(these_rows.lower, other.lower), std::max(these_rows.upper, other.upper)};
}

MeanRatio mean_ratio(std::span<const Ratio> ratios) {
  if (ratios.empty()) throw std::logic_error("a mean of no ratios");
  const auto n = static_cast<double>(ratios.size());
  double below = 0, above = 0;
  std::vector<double> values;
  for (const auto& [value, ci95] : ratios) {
    values.push_back(value);
    below = std::hypot(below, std::log(value / ci95.lower));
    above = std::hypot(above, std::log(ci95.upper / value));
  }
  MeanRatio mean{.value = geometric_mean(values), .rows = static_cast<int>(ratios.size())};
  mean.these_rows = {mean.value * std::exp(-below / n), mean.value * std::exp(above / n)};
  if (ratios.size() > 1) {
    const double half = student_t_quantile(0.975, n - 1) * log_deviation(values) / std::sqrt(n);
    mean.rows_like_these = {mean.value * std::exp(-half), mean.value * std::exp(half)};
  }
  return mean;
}

std::string mean_text(const MeanRatio& mean) {
  return fmt::format("{:.3f} ({:.3f} to {:.3f})", mean.value, mean.wider().lower,
                     mean.wider().upper);
}

}  // namespace steelyard
