// SPDX-License-Identifier: Apache-2.0
// Where values stand in a chart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/svg_marks.h"

namespace steelyard {

struct Axis {
  double low = 0, high = 1;   // values
  double begin = 0, end = 1;  // their places
  bool logarithmic = false;

  double at(double value) const;  // inside of the axis: the nearer end for values beyond it
  std::vector<double> ticks() const;
};

// From zero to a round number that is not below `most`.
Axis from_zero(double most, double begin, double end);

// Values that are above 0.
Axis logarithmic(double low, double high, double begin, double end);

// Powers of two from `low` to `high`, not more than fit.
std::vector<double> powers_of_two(double low, double high);

std::string tick_text(double value);  // "0.5", "20 k", "1.5 T"

void draw_x_axis(Drawing& drawing, const Axis& x, const std::vector<double>& ticks, double top,
                 double bottom, std::string_view name);
void draw_y_axis(Drawing& drawing, const Axis& y, double left, double right, std::string_view name);

}  // namespace steelyard
