// SPDX-License-Identifier: Apache-2.0
#include "reports/sort_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>

namespace steelyard {
namespace {

struct Factor {
  std::string_view text;
  double value;
};

constexpr Factor prefixes[] = {{"n", 1e-9},    {"µ", 1e-6},   {"m", 1e-3},    {"", 1},
                               {"k", 1e3},     {"M", 1e6},    {"G", 1e9},     {"T", 1e12},
                               {"P", 1e15},    {"E", 1e18},   {"Ki", 0x1p10}, {"Mi", 0x1p20},
                               {"Gi", 0x1p30}, {"Ti", 0x1p40}};

constexpr std::string_view units[] = {"s", "B", "FLOP", "OP", "Hz", "W", "J", "token", "tokens"};

constexpr Factor words[] = {{"%", 0.01}, {"min", 60}, {"h", 3600}};

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

std::optional<double> take_number(std::string_view& text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// Of the unit at the front of a text; 1 where there is none that we know.
double take_factor(std::string_view& text) {
  skip_blanks(text);
  const std::string_view unit = text.substr(0, text.find_first_of(" /,;()"));
  const auto known = [&](std::string_view name) {
    return std::ranges::find(units, name) != std::end(units);
  };
  std::string_view rest = text.substr(unit.size());
  for (const auto& [word, value] : words)
    if (unit == word) return text = rest, value;
  for (const auto& [prefix, value] : prefixes)
    if (unit.starts_with(prefix) && known(unit.substr(prefix.size()))) return text = rest, value;
  return 1;
}

}  // namespace

std::optional<double> sort_value(std::string_view cell) {
  if (cell == "best") return 1;  // among shares of the best
  for (const std::string_view sign : {"x ", "> ", "< ", "≤ ", "≥ ", "± "})
    if (cell.starts_with(sign)) cell.remove_prefix(sign.size());
  const auto number = take_number(cell);
  if (!number) return std::nullopt;
  std::string_view rest = cell;
  if (rest.starts_with(" to ")) {  // the unit of "-1.00 to +2.34 %" stands at its end
    rest.remove_prefix(4);
    if (!take_number(rest)) rest = cell;
  }
  const double factor = take_factor(rest);
  double value = *number * factor;
  skip_blanks(rest);
  if (factor == 60)  // "3 min 05 s"
    if (const auto seconds = take_number(rest)) value += *seconds;
  return value;
}

}  // namespace steelyard
