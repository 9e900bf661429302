// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/render.h"

namespace steelyard {

using Cells = std::vector<std::string>;

// Of the column with this heading, from top to bottom.
inline Cells column(const Table& table, std::string_view heading) {
  std::size_t at = 0;
  while (table.columns.at(at).heading != heading) ++at;
  Cells cells;
  for (const auto& row : table.rows) cells.push_back(row[at]);
  return cells;
}

}  // namespace steelyard
