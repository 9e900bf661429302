// SPDX-License-Identifier: Apache-2.0
// What several runs of a row say of the next one.
#pragma once

#include <span>

#include "reports/record.h"
#include "reports/render.h"

namespace steelyard {

// A line for each key with two ok runs or more: the median of their medians, how they deviate from
// each other, and the interval that holds the median of another run with 95 % probability (Student's
// t on the logarithms). In the order of the records.
Table next_run(std::span<const Record> records);

}  // namespace steelyard
