// SPDX-License-Identifier: Apache-2.0
// What charts are drawn with.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace steelyard {

constexpr double chart_width = 760;
constexpr double line_height = 20;

// A drawing that grows downwards. Coordinates have one decimal.
struct Drawing {
  double height = 0;
  std::string elements;

  void line(std::string_view style, double x1, double y1, double x2, double y2);
  void bar(std::size_t series, double x, double y, double width, double height);
  void path(std::size_t series, const std::vector<std::pair<double, double>>& points);
  // Untrusted text, cut after `most` characters: the whole is its tooltip.
  void text(std::string_view style, double x, double y, std::string_view untrusted,
            std::size_t most = 100);
  // A shape for each series: circle, square, triangle, diamond, triangle on its head.
  void marker(std::size_t series, double x, double y, std::string_view tooltip = {},
              bool is_hollow = false);

  // Under all that is there.
  void note(std::string_view untrusted);
  void legend(std::size_t series, std::string_view name, bool has_line, bool has_marker);
};

// "440 more rows are in the tables.", where some are missing.
void note_missing(Drawing& drawing, std::size_t left_out, std::size_t no_numbers,
                  std::string_view what);

// Neither infinite nor so large or small that a product of two could be.
bool is_amount(double value);           // 0 or more
bool is_positive_amount(double value);  // of logarithmic axes

}  // namespace steelyard
