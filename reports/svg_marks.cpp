// SPDX-License-Identifier: Apache-2.0
#include "reports/svg_marks.h"

#include <fmt/format.h>

#include "reports/html_escape.h"
#include "reports/render.h"

namespace steelyard {
namespace {

// The looks of a series: its colour and its dashes.
std::string looks(std::size_t series) {
  constexpr std::size_t colours = 7, dashes = 4;
  return fmt::format("c{} d{}", series % colours, series % dashes);
}

std::string tooltip_element(std::string_view untrusted) {
  return untrusted.empty() ? "" : fmt::format("<title>{}</title>", html_escape(untrusted));
}

// Around 0, 0.
constexpr const char* shapes[] = {"M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z", "M-4,-4h8v8h-8z",
                                  "M0,-5l5,9h-10z", "M0,-6l5,6l-5,6l-5,-6z", "M0,5l5,-9h-10z"};

}  // namespace

void Drawing::line(std::string_view style, double x1, double y1, double x2, double y2) {
  elements +=
      fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                  style, x1, y1, x2, y2);
}

void Drawing::bar(std::size_t series, double x, double y, double width, double bar_height) {
  elements += fmt::format(
      "<rect class=\"bar {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
      looks(series), x, y, width, bar_height);
}

void Drawing::path(std::size_t series, const std::vector<std::pair<double, double>>& points) {
  std::string places;
  for (const auto& [x, y] : points)
    places += fmt::format("{}{:.1f},{:.1f}", places.empty() ? "" : " ", x, y);
  elements += fmt::format("<polyline class=\"curve {}\" points=\"{}\"/>\n", looks(series), places);
}

void Drawing::text(std::string_view style, double x, double y, std::string_view untrusted,
                   std::size_t most) {
  const std::string whole = printable(untrusted), shown = shortened(whole, most);
  elements += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}{}</text>\n", style, x, y,
                          tooltip_element(shown == whole ? "" : whole), html_escape(shown));
}

void Drawing::marker(std::size_t series, double x, double y, std::string_view tooltip,
                     bool is_hollow) {
  elements += fmt::format(
      "<path class=\"mark{} {}\" transform=\"translate({:.1f},{:.1f})\" d=\"{}\">{}</path>\n",
      is_hollow ? " hollow" : "", looks(series), x, y, shapes[series % std::size(shapes)],
      tooltip_element(tooltip));
}

void Drawing::note(std::string_view untrusted) {
  height += line_height;
  text("faint", 8, height - 5, untrusted);
}

void Drawing::legend(std::size_t series, std::string_view name, bool has_line, bool has_marker) {
  height += line_height;
  const double y = height - 9;
  if (has_line) path(series, {{10, y}, {50, y}});
  if (has_marker) marker(series, 30, y);
  text("", 60, y + 4, name);
}

void note_missing(Drawing& drawing, std::size_t left_out, std::size_t no_numbers,
                  std::string_view what) {
  if (left_out > 0)
    drawing.note(fmt::format("Not drawn, but in the tables: {} more {}.", left_out, what));
  if (no_numbers > 0)
    drawing.note(
        fmt::format("Not drawn, since they are no positive numbers: {} {}.", no_numbers, what));
}

bool is_amount(double value) {
  return value == 0 || is_positive_amount(value);
}

bool is_positive_amount(double value) {
  return value > 1e-100 && value < 1e100;
}

}  // namespace steelyard
