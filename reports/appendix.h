// SPDX-License-Identifier: Apache-2.0
// What a report says besides its numbers.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reports/render.h"
#include "reports/results.h"

namespace steelyard {

// Every row that has no number, those of one reason together. Long lists of problems are cut.
Table not_measured(std::span<const Results> results);

// By device and kernel, how much faster rows are on zeros than on their own data, where that was
// measured.
Table speed_on_zeros(std::span<const Results> results);

// The commands that make each row again, in the order of the rows.
std::vector<std::string> commands(const Results& results);

}  // namespace steelyard
