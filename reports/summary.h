// SPDX-License-Identifier: Apache-2.0
// One result set: a table per family.
#pragma once

#include <span>
#include <vector>

#include "reports/measurement.h"
#include "reports/render.h"

namespace steelyard {

std::vector<Table> summary(std::span<const Measurement> measurements);

// Every row with every value in SI units, rows not measured included: for machines.
Table summary_data(const Results& results);

}  // namespace steelyard
