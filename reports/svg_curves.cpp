// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "reports/svg_axis.h"
#include "reports/svg_charts.h"

namespace steelyard {
namespace {

constexpr std::size_t most_lines = 14, most_points = 500;
constexpr double left = 80, right = 740, top = 34, bottom = 314;

// What can be drawn of the lines that fit, and how much cannot.
struct Kept {
  std::vector<Curves::Line> lines;
  std::size_t left_out = 0, no_numbers = 0;
};

Kept kept(const Curves& curves) {
  Kept result;
  for (const auto& line : curves.lines) {
    Curves::Line drawn{.name = line.name, .hollow_from = line.hollow_from};
    for (const auto& [x, y] : line.points)
      if (is_amount(y) && (curves.logarithmic_x ? is_positive_amount(x) : is_amount(x)))
        drawn.points.emplace_back(x, y);
    result.no_numbers += line.points.size() - drawn.points.size();
    if (result.lines.size() == most_lines) {
      ++result.left_out;
      continue;
    }
    drawn.points.resize(std::min(drawn.points.size(), most_points));
    if (!drawn.points.empty()) result.lines.push_back(std::move(drawn));
  }
  return result;
}

Axis x_axis(double low, double high, bool is_logarithmic) {
  if (!is_logarithmic) return from_zero(high, left, right);
  return low < high ? logarithmic(low, high, left, right)
                    : logarithmic(low / 2, high * 2, left, right);
}

}  // namespace

Drawing draw(const Curves& curves) {
  const auto [lines, left_out, no_numbers] = kept(curves);
  double low = 1e300, high = 0, most = 0;
  for (const auto& line : lines)
    for (const auto& [x, y] : line.points) {
      low = std::min(low, x);
      high = std::max(high, x);
      most = std::max(most, y);
    }
  if (lines.empty()) low = high = 1;
  const Axis x = x_axis(low, high, curves.logarithmic_x);
  const Axis y = from_zero(most, bottom, top);
  Drawing drawing{.height = bottom + 44};
  bool any_hollow = false;
  draw_x_axis(drawing, x, curves.logarithmic_x ? powers_of_two(x.low, x.high) : x.ticks(), top,
              bottom, curves.x_axis);
  draw_y_axis(drawing, y, left, right, curves.y_axis);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::vector<std::pair<double, double>> places;
    for (const auto& [at, value] : lines[i].points) places.emplace_back(x.at(at), y.at(value));
    drawing.path(i, places);
    for (std::size_t point = 0; point < places.size(); ++point) {
      const bool is_hollow = lines[i].points[point].first >= lines[i].hollow_from;
      drawing.marker(i, places[point].first, places[point].second, {}, is_hollow);
      any_hollow = any_hollow || is_hollow;
    }
  }
  for (std::size_t i = 0; i < lines.size(); ++i) drawing.legend(i, lines[i].name, true, true);
  if (any_hollow) drawing.note("Hollow: " + curves.hollow + ".");
  note_missing(drawing, left_out, 0, "lines");
  note_missing(drawing, 0, no_numbers, "points");
  return drawing;
}

}  // namespace steelyard
