// SPDX-License-Identifier: Apache-2.0
#include "reports/headline.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/efficiency.h"
#include "reports/mean_ratio.h"

namespace steelyard {
namespace {

std::string sentence(const std::vector<const Comparison*>& comparisons, std::span<const Side> sides,
                     std::size_t reference, std::size_t side) {
  std::vector<std::string> factors;
  for (const Comparison* comparison : comparisons)
    if (const auto of_rows = ratios(*comparison, side); !of_rows.empty()) {
      const MeanRatio mean = mean_ratio(of_rows);
      factors.push_back(fmt::format("x {:.2f} ({:.2f} to {:.2f}) in {} ({}{} {})", mean.value,
                                    mean.these_rows.lower, mean.these_rows.upper,
                                    comparison->family,
                                    comparison->tier.empty() ? "" : comparison->tier + " kernels, ",
                                    mean.rows, mean.rows == 1 ? "row" : "rows"));
    }
  const std::string &one = sides[side].label, &other = sides[reference].label;
  if (factors.empty())
    return fmt::format("{} has no row that may be compared with {}.", one, other);
  return fmt::format("{} next to {}: {}.", one, other, fmt::join(factors, "; "));
}

}  // namespace

Table headline(std::span<const Side> sides, const Relative& relative) {
  const auto comparisons = widest_comparisons(relative);
  Table table;
  for (std::size_t i = 0; i < sides.size(); ++i)
    if (i != relative.reference)
      table.notes.push_back(sentence(comparisons, sides, relative.reference, i));
  if (anything_compared(relative))
    table.notes.push_back(
        "These are geometric means of speed, of the best kernel of each side unless a tier is "
        "named: above 1 is faster. Their 95 % intervals are of just these rows.");
  return table;
}

}  // namespace steelyard
