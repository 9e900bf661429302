// SPDX-License-Identifier: Apache-2.0
#include "reports/svg.h"

#include <fmt/format.h>

#include "reports/html_escape.h"
#include "reports/svg_charts.h"

namespace steelyard {

std::string title(const Chart& chart) {
  return std::visit([](const auto& one) { return one.title; }, chart);
}

std::string description(const Chart& chart) {
  return std::visit([](const auto& one) { return one.description; }, chart);
}

std::string svg(const Chart& chart, std::string_view id) {
  const Drawing drawing = std::visit([](const auto& one) { return draw(one); }, chart);
  return fmt::format(
      "<svg role=\"img\" aria-labelledby=\"{0}-title {0}-description\" viewBox=\"0 0 {1:.0f} "
      "{2:.0f}\" "
      "width=\"{1:.0f}\" height=\"{2:.0f}\">\n<title id=\"{0}-title\">{3}</title>\n"
      "<desc id=\"{0}-description\">{4}</desc>\n{5}</svg>\n",
      html_escape(id), chart_width, drawing.height + 8, html_escape(title(chart)),
      html_escape(description(chart)), drawing.elements);
}

}  // namespace steelyard
