// SPDX-License-Identifier: Apache-2.0
// The tables that show result sets side by side.
#pragma once

#include <span>
#include <vector>

#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

Table condition_table(std::span<const Side> sides, const Relative& relative);
std::vector<Table> comparison_tables(std::span<const Side> sides, const Relative& relative);
Table refusal_table(std::span<const Side> sides, const Relative& relative);

// One line per problem and side with every value in SI units: for machines.
Table relative_data(std::span<const Side> sides, const Relative& relative);

}  // namespace steelyard
