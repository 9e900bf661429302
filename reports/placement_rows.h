// SPDX-License-Identifier: Apache-2.0
// The rows by which devices are placed: those that all of them have.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "reports/relative.h"

namespace steelyard {

// By side, in one order, the fastest kernels': of all sides where they share rows, else of the group of most
// sides, then most rows, that does, and nothing of the others; of all sides no row where no two share any.
// Rows that do not tell the whole model's time count for nothing.
std::vector<std::optional<std::vector<Measurement>>> shared_rows(std::span<const Side> sides);

}  // namespace steelyard
