// SPDX-License-Identifier: Apache-2.0
// The tables that show result sets side by side.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

std::string selection(const Comparison& comparison);  // "library", "best of each"
std::string factor(double value);                     // of a ratio: "1.234"

Table condition_table(std::span<const Side> sides, const Relative& relative);
std::vector<Table> comparison_tables(std::span<const Side> sides, const Relative& relative);
// Which library, algorithm or instruction set stands behind a kernel's name.
Table kernel_table(std::span<const Side> sides);
Table refusal_table(std::span<const Side> sides, const Relative& relative);

// One line per problem and side with every value in SI units: for machines.
Table relative_data(std::span<const Side> sides, const Relative& relative);

}  // namespace steelyard
