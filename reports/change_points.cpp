// SPDX-License-Identifier: Apache-2.0
#include "reports/change_points.h"

#include <algorithm>
#include <cmath>

#include "reports/shift.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

constexpr std::size_t fewest = 3;  // values of a level

// Of successive values, by the sizes of their differences: one step apart they are
// sqrt(2 (1 - phi)) deviations, two steps apart sqrt(2 (1 - phi^2)). Medians, which a few changes of
// level do not move.
double autocorrelation(std::span<const double> values) {
  const auto typical = [&](std::size_t lag) {
    std::vector<double> differences;
    for (std::size_t i = lag; i < values.size(); ++i)
      differences.push_back(std::abs(std::log(values[i] / values[i - lag])));
    return median(differences);
  };
  constexpr double most = 0.9;
  const double one = typical(1), two = typical(2);
  return one > 0 ? std::clamp(two * two / (one * one) - 1, 0.0, most) : 0;
}

ChangePoint best_of(std::span<const double> values, double phi) {
  ChangePoint best{.p_value = 1};
  double furthest = 0;
  for (std::size_t split = fewest; split + fewest <= values.size(); ++split) {
    const Shift change = shift(values.first(split), values.subspan(split));
    const double t = std::abs(change.log_ratio) / change.standard_error;
    if (!(t > furthest)) continue;
    furthest = t;
    best.index = split;
    best.ratio = change.ratio();
  }
  if (furthest == 0) return best;
  const auto n = static_cast<double>(values.size());
  const double places = n - 2 * fewest + 1;
  const double t = furthest * std::sqrt((1 - phi) / (1 + phi));
  best.p_value = std::min(1.0, 2 * student_t_tail(t, n - 2) * places);
  return best;
}

void divide(std::span<const double> values, std::size_t origin, double phi,
            std::vector<ChangePoint>& found) {
  constexpr double significant = 0.001, matters = 0.015;
  ChangePoint best = best_of(values, phi);
  if (best.p_value >= significant || std::abs(std::log(best.ratio)) < std::log1p(matters)) return;
  const std::size_t split = best.index;
  best.index += origin;
  divide(values.first(split), origin, phi, found);
  found.push_back(best);
  divide(values.subspan(split), origin + split, phi, found);
}

// Each once more, between its neighbours: where it was found, they were still one level with others.
void refine(std::span<const double> values, double phi, std::vector<ChangePoint>& found) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::size_t begin = i == 0 ? 0 : found[i - 1].index;
    const std::size_t end = i + 1 == found.size() ? values.size() : found[i + 1].index;
    const ChangePoint best = best_of(values.subspan(begin, end - begin), phi);
    if (best.p_value < 1)
      found[i] = {.index = begin + best.index, .ratio = best.ratio, .p_value = best.p_value};
  }
}

}  // namespace

std::vector<ChangePoint> change_points(std::span<const double> values) {
  std::vector<ChangePoint> found;
  if (values.size() < 2 * fewest) return found;
  const double phi = autocorrelation(values);
  divide(values, 0, phi, found);
  refine(values, phi, found);
  return found;
}

}  // namespace steelyard
