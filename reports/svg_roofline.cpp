// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "reports/svg_axis.h"
#include "reports/svg_charts.h"

namespace steelyard {
namespace {

constexpr std::size_t most_points = 500, most_labels = 12;
constexpr double left = 80, right = 740, top = 34, bottom = 394;

double ridge(const Roofline::Roof& roof) {
  return roof.flops_per_second / roof.bytes_per_second;
}

double height_at(const Roofline::Roof& roof, double flops_per_byte) {
  return std::min(roof.flops_per_second, roof.bytes_per_second * flops_per_byte);
}

struct Range {
  double low = 1e300, high = 1e-300;

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

struct Axes {
  Axis x, y;
};

// Every point and every ridge, with room around.
Axes axes(const std::vector<Roofline::Roof>& roofs, const std::vector<Roofline::Point>& points) {
  Range x, y;
  for (const auto& roof : roofs) {
    x.add(ridge(roof));
    y.add(roof.flops_per_second);
  }
  for (const auto& point : points) {
    x.add(point.flops_per_byte);
    y.add(point.flops_per_second);
  }
  if (roofs.empty() && points.empty()) x = y = {.low = 1, .high = 1};
  const double from = x.low / 4, to = x.high * 4;
  for (const auto& roof : roofs) y.add(height_at(roof, from));
  return {logarithmic(from, to, left, right), logarithmic(y.low / 2, y.high * 2, bottom, top)};
}

void draw_roof(Drawing& drawing, const Axes& at, const Roofline::Roof& roof, std::size_t series) {
  std::vector<std::pair<double, double>> places;
  for (const double x : {at.x.low, ridge(roof), at.x.high})
    places.emplace_back(at.x.at(x), at.y.at(height_at(roof, x)));
  drawing.path(series, places);
}

std::vector<std::string> series_of(const std::vector<Roofline::Point>& points) {
  std::vector<std::string> found;
  for (const auto& point : points)
    if (std::ranges::find(found, point.series) == found.end()) found.push_back(point.series);
  return found;
}

}  // namespace

Drawing draw(const Roofline& roofline) {
  std::vector<Roofline::Roof> roofs;
  std::ranges::copy_if(roofline.roofs, std::back_inserter(roofs), [](const Roofline::Roof& roof) {
    return is_positive_amount(roof.flops_per_second) && is_positive_amount(roof.bytes_per_second) &&
           is_positive_amount(ridge(roof));
  });
  std::vector<Roofline::Point> points;
  std::ranges::copy_if(roofline.points, std::back_inserter(points),
                       [](const Roofline::Point& point) {
                         return is_positive_amount(point.flops_per_byte) &&
                                is_positive_amount(point.flops_per_second);
                       });
  const std::size_t no_numbers = roofline.points.size() - points.size();
  const std::size_t left_out = points.size() - std::min(points.size(), most_points);
  points.resize(points.size() - left_out);

  const Axes at = axes(roofs, points);
  const auto series = series_of(points);
  Drawing drawing{.height = bottom + 44};
  draw_x_axis(drawing, at.x, at.x.ticks(), top, bottom, "operational intensity [FLOP/byte]");
  draw_y_axis(drawing, at.y, left, right, "FLOP/s");
  for (std::size_t i = 0; i < roofs.size(); ++i) draw_roof(drawing, at, roofs[i], i);
  for (const auto& point : points) {
    const double x = at.x.at(point.flops_per_byte), y = at.y.at(point.flops_per_second);
    const std::size_t index = std::ranges::find(series, point.series) - series.begin();
    drawing.marker(index, x, y, point.label);
    if (points.size() <= most_labels) drawing.text("faint", x + 8, y + 4, point.label, 30);
  }
  for (std::size_t i = 0; i < roofs.size(); ++i)
    drawing.legend(i, "roof: " + roofs[i].name, true, false);
  for (std::size_t i = 0; i < series.size(); ++i)
    if (!series[i].empty()) drawing.legend(i, series[i], false, true);
  note_missing(drawing, left_out, no_numbers, "points");
  note_missing(drawing, 0, roofline.roofs.size() - roofs.size(), "roofs");
  return drawing;
}

}  // namespace steelyard
