// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "reports/svg_axis.h"
#include "reports/svg_charts.h"

namespace steelyard {
namespace {

constexpr std::size_t most_rows = 60;
constexpr double left = 262, right = 640;

std::vector<std::string> series_of(const std::vector<Bars::Row>& rows) {
  std::vector<std::string> found;
  for (const auto& row : rows)
    if (std::ranges::find(found, row.series) == found.end()) found.push_back(row.series);
  return found;
}

}  // namespace

Drawing draw(const Bars& bars) {
  std::vector<Bars::Row> rows;
  std::ranges::copy_if(bars.rows, std::back_inserter(rows),
                       [](const Bars::Row& row) { return is_amount(row.value); });
  const std::size_t no_numbers = bars.rows.size() - rows.size();
  const std::size_t left_out = rows.size() - std::min(rows.size(), most_rows);
  rows.resize(rows.size() - left_out);

  double most = 0;
  for (const auto& row : rows) most = std::max(most, row.value);
  const Axis x = from_zero(most, left, right);
  const auto series = series_of(rows);
  constexpr double top = 8;
  const double bottom = top + static_cast<double>(rows.size()) * line_height;
  Drawing drawing{.height = top};
  draw_x_axis(drawing, x, x.ticks(), top, bottom, bars.axis);
  for (const auto& row : rows) {
    const std::size_t color = std::ranges::find(series, row.series) - series.begin();
    const bool names_series = series.size() > 1 && !row.series.empty();
    drawing.text("end", left - 12, drawing.height + 14,
                 names_series ? fmt::format("{}, {}", row.label, row.series) : row.label, 32);
    drawing.bar(color, left, drawing.height + 3, x.at(row.value) - left, line_height - 6);
    drawing.text("", x.at(row.value) + 6, drawing.height + 14, row.text, 20);
    drawing.height += line_height;
  }
  drawing.line("axis", left, top, left, bottom);
  drawing.height = bottom + 44;
  note_missing(drawing, left_out, no_numbers, "bars");
  return drawing;
}

}  // namespace steelyard
