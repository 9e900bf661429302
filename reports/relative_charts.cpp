// SPDX-License-Identifier: Apache-2.0
#include "reports/relative_charts.h"

#include <fmt/format.h>

#include "reports/efficiency.h"
#include "reports/mean_ratio.h"
#include "reports/relative_tables.h"

namespace steelyard {
namespace {

Forest means(const std::vector<const Comparison*>& comparisons, std::span<const Side> sides,
             std::size_t reference) {
  Forest forest{.title = "Geometric means relative to " + sides[reference].label,
                .description =
                    "One mean of each family and side, over the rows that both have. Its interval "
                    "says how well the mean of these rows is known, not where that of other "
                    "workloads lies.",
                .axis = "times as fast as " + sides[reference].label};
  for (std::size_t i = 0; i < sides.size(); ++i)
    for (const Comparison* comparison : comparisons)
      if (const auto of_rows = ratios(*comparison, i); !of_rows.empty()) {
        const MeanRatio mean = mean_ratio(of_rows);
        forest.rows.push_back({.label = fmt::format("{}, {}, n = {}", comparison->family,
                                                    selection(*comparison), mean.rows),
                               .group = sides[i].label,
                               .ratio = mean.value,
                               .ci95 = mean.these_rows});
      }
  return forest;
}

// Two sides need no groups: each row is a problem. More sides stand together under theirs.
Forest rows(const Comparison& comparison, std::span<const Side> sides, std::size_t reference) {
  Forest forest{.title = fmt::format("{} relative to {}: {}", comparison.family,
                                     sides[reference].label, selection(comparison)),
                .description = fmt::format(
                    "Each problem's time on {} divided by the time on {}.", sides[reference].label,
                    sides.size() > 2 ? "the other" : sides[1 - reference].label),
                .axis = "times as fast as " + sides[reference].label};
  for (const ComparedRow& row : comparison.rows)
    for (std::size_t i = 0; i < sides.size(); ++i)
      if (const auto& ratio = row.cells[i].ratio)
        forest.rows.push_back({.label = sides.size() > 2 ? sides[i].label : row.id,
                               .group = sides.size() > 2 ? row.id : "",
                               .ratio = ratio->value,
                               .ci95 = ratio->ci95});
  return forest;
}

}  // namespace

std::vector<Forest> ratio_charts(std::span<const Side> sides, const Relative& relative) {
  const auto comparisons = widest_comparisons(relative);
  std::vector<Forest> charts;
  if (comparisons.size() > 1) charts.push_back(means(comparisons, sides, relative.reference));
  for (const Comparison* comparison : comparisons)
    charts.push_back(rows(*comparison, sides, relative.reference));
  std::erase_if(charts, [](const Forest& chart) { return chart.rows.empty(); });
  return charts;
}

}  // namespace steelyard
