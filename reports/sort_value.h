// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace steelyard {

// What a cell sorts by: the number that it begins with, in the unit that follows. "1.23 ms" is 0.00123,
// "x 2.1" 2.1, "> 999 %" 9.99, "1.02 (0.99 to 1.05)" 1.02. Absent for cells without a number.
std::optional<double> sort_value(std::string_view cell);

}  // namespace steelyard
