// SPDX-License-Identifier: Apache-2.0
// What a side is as a product: what its datasheet is for, and what must not be mixed up.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

struct Product {
  const Spec* spec = nullptr;  // of a device as its driver shows it; null: no datasheet
  double devices = 1;          // of `spec` that work together
  bool is_die = false;         // a part of a package
};

Product product(const Side& side);

// How many that one can buy: devices that work together over the dies of a package; below 1 for a die.
double packages_of(const Record& row);

// Dies of several packages may be as many as one has.
bool is_of_several_packages(const Record& row);

// The package that a die is part of; the device itself where it is none; null where that has no datasheet.
const Spec* package_of(const Spec& spec);

// Of all that works together. Absent without a datasheet, and for a die: its package has the figure.
std::optional<double> datasheet_watts(const Product& product);
std::optional<double> datasheet_memory(const Product& product);  // a die's is its own

// A sentence for each side whose device may be one of two products.
std::vector<std::string> doubts_of_products(std::span<const Side> sides);

// What every side is, and warnings where a die meets a package, or a card a module.
Table product_table(std::span<const Side> sides, std::size_t reference);

}  // namespace steelyard
