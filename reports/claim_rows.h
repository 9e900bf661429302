// SPDX-License-Identifier: Apache-2.0
// The rows and published numbers that a claim is about, in pairs.
#pragma once

#include <string>
#include <vector>

#include "reports/claims.h"
#include "reports/costs.h"

namespace steelyard {

struct PairedRow {
  std::string id;
  Ratio ratio;  // of the quantity; infinite or 0 where only one device has room for the model
};

struct Pair {
  std::string a, b;
  std::vector<PairedRow> rows;  // at least one
  bool by_own_source = false;
  std::string chain;  // Finding::chain
  std::string note;
};

struct Pairs {
  std::vector<Pair> pairs;
  std::vector<std::string> missing;  // what was looked for and not found
};

Pairs measured_pairs(const Claim& claim, const Evidence& evidence);
Pairs published_pairs(const Claim& claim, const Evidence& evidence);

// What one thing costs over what the other does, for one hour: by all offers in one currency. Nothing where
// there are none.
std::optional<Ratio> price_ratio(const std::vector<Offer>& offers,
                                 const std::vector<Offer>& others);

Ratio per_price(const Ratio& speed, const Ratio& price);

// "MI250* and phase train": what a side of a claim asks for.
std::string text_of(const Claim::Selector& selector);
std::string text_of_device(Claim::Selector selector);  // whatever the phase

}  // namespace steelyard
