// SPDX-License-Identifier: Apache-2.0
#include "reports/natural_order.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <tuple>

namespace steelyard {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A number, which a binary prefix behind it scales. Digits decide where doubles are too coarse.
struct Number {
  double value;
  std::string_view digits;  // without leading zeros

  auto order() const { return std::tuple(value, digits.size(), digits); }
};

double scale(std::string_view unit) {
  static constexpr std::string_view units[] = {"KiB", "MiB", "GiB", "TiB"};
  const auto found = std::find_if(std::begin(units), std::end(units),
                                  [&](std::string_view u) { return unit.starts_with(u); });
  return found == std::end(units) ? 1 : std::exp2(10 * (found - std::begin(units) + 1));
}

// Takes the number at the front of `text` off it; its unit stays.
Number take_number(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  double value = std::numeric_limits<double>::infinity();
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return {value * scale(text), digits};
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a, whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const auto x = take_number(a).order(), y = take_number(b).order();
      if (x != y) return x < y;
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;  // "01" and "1"
}

}  // namespace steelyard
