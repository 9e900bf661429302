// SPDX-License-Identifier: Apache-2.0
#include "reports/svg_axis.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace steelyard {
namespace {

// 1, 2 or 5 times a power of ten, not below `value`.
double round_up(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= value * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

std::vector<double> linear_ticks(double high) {
  const double step = round_up(high / 6);
  std::vector<double> ticks;
  for (int i = 0; i * step <= high * (1 + 1e-9); ++i) ticks.push_back(i * step);
  return ticks;
}

// These times every `decades`-th power of ten, as far as they are in between.
std::vector<double> multiples(const std::vector<double>& factors, int decades, double low,
                              double high) {
  std::vector<double> ticks;
  for (int power = static_cast<int>(std::floor(std::log10(low)));
       power <= static_cast<int>(std::floor(std::log10(high))); ++power)
    for (const double factor : factors) {
      const double tick = factor * std::pow(10, power);
      if (power % decades == 0 && tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9))
        ticks.push_back(tick);
    }
  return ticks;
}

// As many as can be read.
std::vector<double> logarithmic_ticks(double low, double high) {
  const double decades = std::log10(high / low);
  if (decades > 3) return multiples({1}, static_cast<int>(decades / 8) + 1, low, high);
  const auto coarse = multiples({1, 2, 5}, 1, low, high);
  if (coarse.size() > 2) return coarse;
  return multiples({1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9}, 1, low, high);
}

}  // namespace

double Axis::at(double value) const {
  const double share =
      logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return begin + std::clamp(share, 0.0, 1.0) * (end - begin);
}

std::vector<double> Axis::ticks() const {
  return logarithmic ? logarithmic_ticks(low, high) : linear_ticks(high);
}

Axis from_zero(double most, double begin, double end) {
  const double high = most > 0 ? most : 1, step = round_up(high / 6);
  return {.high = step * std::ceil(high / step * (1 - 1e-9)), .begin = begin, .end = end};
}

Axis logarithmic(double low, double high, double begin, double end) {
  return {.low = low, .high = high, .begin = begin, .end = end, .logarithmic = true};
}

std::vector<double> powers_of_two(double low, double high) {
  const int first = static_cast<int>(std::ceil(std::log2(low) - 1e-9));
  const int last = static_cast<int>(std::floor(std::log2(high) + 1e-9));
  const int step = (last - first) / 12 + 1;
  std::vector<double> ticks;
  for (int i = first; i <= last; i += step) ticks.push_back(std::exp2(i));
  return ticks;
}

std::string tick_text(double value) {
  struct Prefix {
    double factor;
    const char* text;
  };
  static constexpr Prefix prefixes[] = {{1e15, " P"}, {1e12, " T"}, {1e9, " G"}, {1e6, " M"}};
  for (const auto& [factor, text] : prefixes) {
    const double scaled = std::round(value / factor * 1e3) / 1e3;
    if (scaled >= 1 && scaled < 1000 && std::abs(scaled * factor - value) <= 1e-9 * value)
      return fmt::format("{:.4g}{}", scaled, text);  // nothing is lost
  }
  return fmt::format("{:.10g}", value);
}

void draw_x_axis(Drawing& drawing, const Axis& x, const std::vector<double>& ticks, double top,
                 double bottom, std::string_view name) {
  for (const double tick : ticks) {
    drawing.line("grid", x.at(tick), top, x.at(tick), bottom);
    drawing.text("middle", x.at(tick), bottom + 16, tick_text(tick));
  }
  drawing.line("axis", x.begin, bottom, x.end, bottom);
  drawing.text("middle", (x.begin + x.end) / 2, bottom + 36, name);
}

void draw_y_axis(Drawing& drawing, const Axis& y, double left, double right,
                 std::string_view name) {
  for (const double tick : y.ticks()) {
    drawing.line("grid", left, y.at(tick), right, y.at(tick));
    drawing.text("end", left - 6, y.at(tick) + 4, tick_text(tick));
  }
  drawing.line("axis", left, y.begin, left, y.end);
  drawing.text("", 8, y.end - 12, name);
}

}  // namespace steelyard
