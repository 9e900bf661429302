// SPDX-License-Identifier: Apache-2.0
// How much of what a device has its rows reach, and what they take for it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/product.h"
#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

// Power of a row, and where the figure is from. Measured watts are never divided by a datasheet's.
struct Watts {
  double value = 0;
  bool is_measured = false;  // else the datasheet's, which a row may stay below
};

// Absent where no sensor was valid and the datasheet has no figure of the row's unit.
std::optional<Watts> watts(const Measurement& measurement, const Product& product);

// Of each family that over the most tiers: the best of each side, where there are several.
std::vector<const Comparison*> widest_comparisons(const Relative& relative);

// Of the datasheet's peak, of that at the measured clock, and of the best that the device itself reached.
Table share_table(std::span<const Side> sides, const Relative& relative);

// Work per joule, row by row; and the geometric mean of its ratios.
Table watt_table(std::span<const Side> sides, const Relative& relative);
Table watt_mean_table(std::span<const Side> sides, const Relative& relative);

}  // namespace steelyard
