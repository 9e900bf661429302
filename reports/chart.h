// SPDX-License-Identifier: Apache-2.0
// Charts as data. What they show stands in tables too.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "reports/record.h"

namespace steelyard {

// Ratios to a reference with their intervals, on a logarithmic axis with a line at 1.
struct Forest {
  struct Row {
    std::string label, group;  // rows of a group stand together
    double ratio = 1;
    std::optional<Interval> ci95;
  };
  std::string title, description;  // the description is for those who do not see the chart
  std::string axis;                // "times as fast as H100"
  std::vector<Row> rows;
};

// Amounts from zero on.
struct Bars {
  struct Row {
    std::string label, series;
    double value = 0;
    std::string text;  // the value as it is printed
  };
  std::string title, description;
  std::string axis;
  std::vector<Row> rows;
};

// How one amount grows with another.
struct Curves {
  struct Line {
    std::string name;
    std::vector<std::pair<double, double>> points;  // by x
    double hollow_from = std::numeric_limits<double>::infinity();
  };
  std::string title, description;
  std::string x_axis, y_axis;
  std::string hollow;          // what hollow points mean
  bool logarithmic_x = false;  // to the base 2
  std::vector<Line> lines;
};

// Rates over operational intensity, both logarithmic, under the roofs of one device.
struct Roofline {
  struct Roof {
    std::string name;             // "bf16, measured"
    double flops_per_second = 0;  // the flat part
    double bytes_per_second = 0;  // the slope
  };
  struct Point {
    std::string label, series;
    double flops_per_byte = 0, flops_per_second = 0;
  };
  std::string title, description;
  std::vector<Roof> roofs;
  std::vector<Point> points;
};

using Chart = std::variant<Forest, Bars, Curves, Roofline>;

}  // namespace steelyard
