// SPDX-License-Identifier: Apache-2.0
#include "reports/render.h"

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace steelyard {
namespace {

struct Prefix {
  double factor;
  std::string_view text;
};

// Four significant digits of a value from 1 to below `step` (1000 or 1024) where the prefixes
// allow: 1.500, 43.21, 432.1. Prefixes are in ascending order.
template <std::size_t n>
std::pair<double, std::string_view> with_prefix(double value, const Prefix (&prefixes)[n],
                                                double step) {
  const auto rounded = [](double x) {
    return std::strtod(fmt::format("{:.3e}", x).c_str(), nullptr);
  };
  for (const auto& prefix : prefixes) {
    const double scaled = rounded(value / prefix.factor);
    if (std::abs(scaled) < step || &prefix == &prefixes[n - 1]) return {scaled, prefix.text};
  }
  return {};
}

std::string significant(double value) {
  const double size = std::abs(value);
  const int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace

std::string seconds(double value) {
  static constexpr Prefix prefixes[] = {{1e-9, "ns"}, {1e-6, "µs"}, {1e-3, "ms"}, {1, "s"}};
  const auto [scaled, unit] = with_prefix(value, prefixes, 1000);
  return fmt::format("{} {}", significant(scaled), unit);
}

std::string duration(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  return whole < 60 ? fmt::format("{} s", whole)
                    : fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

std::string bytes(double value) {
  static constexpr Prefix prefixes[] = {
      {1, "B"}, {0x1p10, "KiB"}, {0x1p20, "MiB"}, {0x1p30, "GiB"}, {0x1p40, "TiB"}};
  const auto [scaled, unit] = with_prefix(value, prefixes, 1024);
  return fmt::format("{:.4g} {}", scaled, unit);
}

std::string rate(double value, std::string_view unit) {
  static constexpr Prefix prefixes[] = {{1, ""},    {1e3, "k"},  {1e6, "M"},
                                        {1e9, "G"}, {1e12, "T"}, {1e15, "P"}};
  const auto [scaled, prefix] = with_prefix(value, prefixes, 1000);
  return fmt::format("{} {}{}", significant(scaled), prefix, unit);
}

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

std::string percent_change(double ratio) {
  return fmt::format("{:+.2f} %", 100 * (ratio - 1));
}

std::string percent_change(const Interval& ratios) {
  return fmt::format("{:+.2f} to {}", 100 * (ratios.lower - 1), percent_change(ratios.upper));
}

}  // namespace steelyard
