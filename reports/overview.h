// SPDX-License-Identifier: Apache-2.0
// The head of every report.
#pragma once

#include <span>

#include "reports/render.h"
#include "reports/results.h"

namespace steelyard {

// What was measured, where and how: one column per result set.
Table overview(std::span<const Results> results);

}  // namespace steelyard
