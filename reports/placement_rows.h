// SPDX-License-Identifier: Apache-2.0
// The rows by which devices are placed: those that all of them have.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "reports/relative.h"

namespace steelyard {

struct SharedRows {
  std::vector<std::size_t> sides;  // that share rows
  std::vector<std::vector<Measurement>>
      rows;  // of each of them, in one order: the fastest kernels'
};

// All sides where they share rows, else the group of most sides, then most rows, that does; all sides without a
// row where no two do. Rows that do not tell the whole model's time count for nothing.
SharedRows shared_rows(std::span<const Side> sides);

}  // namespace steelyard
