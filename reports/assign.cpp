// SPDX-License-Identifier: Apache-2.0
#include "reports/assign.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace steelyard {
namespace {

// The seconds that `digits` nanoseconds are, by moving the decimal point: the inverse of writing
// them.
std::optional<double> shifted(std::string_view digits) {
  const auto e = std::min(digits.find('e'), digits.find('E'));
  int exponent = 0;
  if (e != digits.npos) {
    const std::size_t sign = digits[e + 1] == '+' ? 1 : 0;
    const char* begin = digits.data() + e + 1 + sign;
    if (std::from_chars(begin, digits.data() + digits.size(), exponent).ec != std::errc{})
      return {};
  }
  std::string moved(digits.substr(0, e));
  moved.append("e").append(std::to_string(std::int64_t{exponent} - 9));
  double seconds = 0;
  const auto error = std::from_chars(moved.data(), moved.data() + moved.size(), seconds).ec;
  return error == std::errc{} ? std::optional(seconds) : std::nullopt;
}

}  // namespace

Complaint assign(std::string& to, Value& value) {
  auto* text = std::get_if<std::string>(&value.scalar);
  if (!text) return {"must be a string"};
  to = std::move(*text);
  return taken;
}

Complaint assign(bool& to, Value& value) {
  const bool* truth = std::get_if<bool>(&value.scalar);
  if (!truth) return {"must be true or false"};
  to = *truth;
  return taken;
}

Complaint assign(int& to, Value& value) {
  const auto* number = std::get_if<std::int64_t>(&value.scalar);
  if (!number || *number < 0 || *number > std::numeric_limits<int>::max()) {
    return {"must be a whole number from 0 to 2147483647"};
  }
  to = static_cast<int>(*number);
  return taken;
}

Complaint assign(double& to, Value& value) {
  if (const double* number = std::get_if<double>(&value.scalar)) {
    to = *number;
  } else if (const auto* whole = std::get_if<std::int64_t>(&value.scalar)) {
    to = static_cast<double>(*whole);
  } else if (std::holds_alternative<std::nullptr_t>(value.scalar)) {
    to = std::numeric_limits<double>::quiet_NaN();
  } else {
    return {"must be a number or null"};
  }
  return taken;
}

Complaint assign(Status& to, Value& value) {
  const auto* text = std::get_if<std::string>(&value.scalar);
  const auto status = text ? parse_status(*text) : std::nullopt;
  if (!status) return {"must be ok, unsupported, skipped, failed, incorrect or implausible"};
  to = *status;
  return taken;
}

// Seeds beyond 2^53 are strings.
Complaint assign_seed(std::uint64_t& to, Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.scalar); number && *number >= 0) {
    to = static_cast<std::uint64_t>(*number);
    return taken;
  }
  if (const auto* text = std::get_if<std::string>(&value.scalar)) {
    const char* end = text->data() + text->size();
    const auto [stop, error] = std::from_chars(text->data(), end, to);
    if (error == std::errc{} && stop == end && !text->empty()) return taken;
  }
  return {"must be a whole number from 0 to 18446744073709551615, as a string beyond 2^53"};
}

Complaint assign_seconds(double& to, Value& value) {
  const Complaint complaint = assign(to, value);
  const auto exact = value.digits.empty() ? std::nullopt : shifted(value.digits);
  to = exact ? *exact : to / 1e9;
  return complaint;
}

}  // namespace steelyard
