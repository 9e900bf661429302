// SPDX-License-Identifier: Apache-2.0
// Rows under the roofs of their device: what it was measured to reach at best, in memory and in matrix
// products.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reports/document.h"
#include "reports/relative.h"

namespace steelyard {

struct Ceiling {
  std::string dtype;        // of matrix products; empty: of reading or streaming memory
  double per_second = 0;    // FLOP/s, or bytes/s
  std::string measured_by;  // the row's key
};

struct Place {
  const Measurement* measurement = nullptr;
  double flops_per_byte = 0;  // operational intensity; 0 where a row only moves data
  const Ceiling* bound = nullptr;
  double share = 0;              // of what that roof lets it attain
  bool is_only_ceiling = false;  // the other roof was not measured
};

struct UnderRoofs {
  std::string device;  // Side::label
  std::vector<Ceiling> ceilings;
  std::vector<Place> places;  // points into `ceilings` and the side
};

// Latencies, copies across the link and rows out of caches have no place.
UnderRoofs under_roofs(const Side& side);

// Adds the ceilings of all devices, and of each the places of its rows as a chart and as a table.
void add_rooflines(Document& document, std::span<const Side> sides);

}  // namespace steelyard
