// SPDX-License-Identifier: Apache-2.0
// The tables that show result sets side by side.
#pragma once

#include <span>
#include <vector>

#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

// The geometric mean of each side by family and kernels, and how many rows it rests on.
Table mean_table(std::span<const Side> sides, const Relative& relative);
Table condition_table(std::span<const Side> sides, const Relative& relative);
std::vector<Table> comparison_tables(std::span<const Side> sides, const Relative& relative);
// Which library, algorithm or instruction set stands behind a kernel's name.
Table kernel_table(std::span<const Side> sides);
Table refusal_table(std::span<const Side> sides, const Relative& relative);

// One line per problem and side with every value in SI units: for machines.
Table relative_data(std::span<const Side> sides, const Relative& relative);

}  // namespace steelyard
