// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/svg_axis.h"
#include "reports/svg_charts.h"

namespace steelyard {
namespace {

constexpr std::size_t most_rows = 60;
constexpr double left = 262, right = 560;

// Shape and colour of a row.
enum Side : std::size_t { unclear = 0, faster = 2, slower = 4 };

Side side(const Forest::Row& row) {
  if (!row.ci95) return row.ratio > 1 ? faster : row.ratio < 1 ? slower : unclear;
  return row.ci95->lower > 1 ? faster : row.ci95->upper < 1 ? slower : unclear;
}

bool is_drawable(const Forest::Row& row) {
  return is_positive_amount(row.ratio) && (!row.ci95 || (is_positive_amount(row.ci95->lower) &&
                                                         is_positive_amount(row.ci95->upper)));
}

std::string factor(double value) {
  return value >= 0.01 && value < 1000 ? fmt::format("{:.2f}", value)
                                       : fmt::format("{:.1e}", value);
}

std::string ratio_text(const Forest::Row& row) {
  if (!row.ci95) return factor(row.ratio);
  return fmt::format("{} ({} to {})", factor(row.ratio), factor(row.ci95->lower),
                     factor(row.ci95->upper));
}

// All ratios and 1; of intervals what is no farther than four times that.
Axis axis_of(const std::vector<Forest::Row>& rows) {
  double low = 1 / 1.1, high = 1.1;
  for (const auto& row : rows) {
    low = std::min(low, row.ratio);
    high = std::max(high, row.ratio);
  }
  const double lowest = low / 4, highest = high * 4;
  for (const auto& row : rows)
    if (row.ci95) {
      low = std::min(low, std::max(row.ci95->lower, lowest));
      high = std::max(high, std::min(row.ci95->upper, highest));
    }
  return logarithmic(low / 1.05, high * 1.05, left, right);
}

// An arrow where the interval goes on beyond the axis.
void draw_whisker(Drawing& drawing, const Axis& x, const Interval& ci95, double y) {
  const double from = x.at(ci95.lower), to = x.at(ci95.upper);
  drawing.line("whisker", from, y, to, y);
  if (ci95.lower < x.low) {
    drawing.line("whisker", from, y, from + 5, y - 4);
    drawing.line("whisker", from, y, from + 5, y + 4);
  } else {
    drawing.line("whisker", from, y - 4, from, y + 4);
  }
  if (ci95.upper > x.high) {
    drawing.line("whisker", to, y, to - 5, y - 4);
    drawing.line("whisker", to, y, to - 5, y + 4);
  } else {
    drawing.line("whisker", to, y - 4, to, y + 4);
  }
}

void draw_row(Drawing& drawing, const Axis& x, const Forest::Row& row) {
  drawing.height += line_height;
  const double y = drawing.height - line_height / 2;
  drawing.text("end", left - 12, y + 4, row.label, 32);
  if (row.ci95) draw_whisker(drawing, x, *row.ci95, y);
  drawing.marker(side(row), x.at(row.ratio), y);
  drawing.text("", right + 14, y + 4, ratio_text(row));
}

double height_of(const std::vector<Forest::Row>& rows) {
  std::size_t headings = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    headings += !rows[i].group.empty() && (i == 0 || rows[i].group != rows[i - 1].group);
  return static_cast<double>(rows.size() + headings) * line_height;
}

}  // namespace

Drawing draw(const Forest& forest) {
  std::vector<Forest::Row> rows;
  std::ranges::copy_if(forest.rows, std::back_inserter(rows), is_drawable);
  const std::size_t no_numbers = forest.rows.size() - rows.size();
  const std::size_t left_out = rows.size() - std::min(rows.size(), most_rows);
  rows.resize(rows.size() - left_out);

  const Axis x = axis_of(rows);
  constexpr double top = 8;
  const double bottom = top + height_of(rows);
  Drawing drawing{.height = top};
  draw_x_axis(drawing, x, x.ticks(), top, bottom, forest.axis);
  drawing.line("one", x.at(1), top, x.at(1), bottom);
  const std::string* group = nullptr;
  for (const auto& row : rows) {
    if (!row.group.empty() && (!group || *group != row.group)) {
      drawing.height += line_height;
      drawing.text("group", 8, drawing.height - 6, row.group, 100);
    }
    group = &row.group;
    draw_row(drawing, x, row);
  }
  drawing.height = bottom + 44;
  drawing.legend(faster, "faster: above 1, with its 95 % interval where there is one", false, true);
  drawing.legend(slower, "slower: below 1, likewise", false, true);
  drawing.legend(unclear, "the interval holds 1", false, true);
  note_missing(drawing, left_out, no_numbers, "rows");
  return drawing;
}

}  // namespace steelyard
