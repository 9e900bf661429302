// SPDX-License-Identifier: Apache-2.0
// Columns of equal width, counted in Unicode code points: bytes would misalign every µ and ±.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reports/render.h"

namespace steelyard {

std::size_t code_points(std::string_view utf8);

// The widest cell of each column, headings included, but at most 60: a longer cell sticks out
// rather than widen every row.
std::vector<std::size_t> column_widths(const Table& table);

// A cell filled up with spaces to `width`.
std::string padded(std::string_view cell, std::size_t width, Align align);

// The same table with every heading, cell, title and note passed through `escape`.
Table escaped(const Table& table, std::string (*escape)(std::string_view));

}  // namespace steelyard
