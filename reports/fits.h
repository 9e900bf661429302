// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

// How much of whole models each side has room for, side by side.
Table fit_table(std::span<const Side> sides);

// The largest model that each side has room for, by phase, types and context.
Table largest_models(std::span<const Side> sides);

}  // namespace steelyard
