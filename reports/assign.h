// SPDX-License-Identifier: Apache-2.0
// Taking a value of a file into a member of a struct, or saying what the value must be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "reports/record.h"

namespace steelyard {

// A value that is neither object nor array.
struct Value {
  Scalar scalar;
  std::string_view digits;  // of a number with a fraction or an exponent: as written
};

// What is wrong with a value and what to do about it; nothing is when `what` is empty.
struct Complaint {
  std::string_view what, remedy = "check the file with `steelyard validate`, or measure again";
};

inline constexpr Complaint taken{""};

Complaint assign(std::string& to, Value& value);
Complaint assign(bool& to, Value& value);
Complaint assign(int& to, Value& value);     // no member of a record is negative
Complaint assign(double& to, Value& value);  // null is NaN
Complaint assign(Status& to, Value& value);
Complaint assign_seconds(double& to, Value& value);  // from nanoseconds, to the last bit
Complaint assign_seed(std::uint64_t& to, Value& value);

template <class T>
Complaint assign(std::optional<T>& to, Value& value) {
  to.reset();
  if (std::holds_alternative<std::nullptr_t>(value.scalar)) return taken;
  return assign(to.emplace(), value);
}

}  // namespace steelyard
