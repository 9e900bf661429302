// SPDX-License-Identifier: Apache-2.0
// What speed and tokens cost, at prices of the user's.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "reports/prices.h"
#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

// Of a step of the whole model; absent where the measured blocks do not tell.
std::optional<double> whole_seconds(const Measurement& measurement);

struct Offer {
  const Price* price = nullptr;
  double per_hour = 0;  // of all that a side's rows ran on
};

// Of a side's product; of a die, its share of a package's price.
std::vector<Offer> offers(const Side& side, std::span<const Price> prices);

// The geometric mean of speeds over an hour's price, for every way to have a side.
Table value_table(std::span<const Side> sides, const Relative& relative,
                  std::span<const Price> prices);

// What a million tokens of a whole model cost at the rate of a step.
Table token_cost_table(std::span<const Side> sides, std::span<const Price> prices);

}  // namespace steelyard
