// SPDX-License-Identifier: Apache-2.0
// What others published of the sides' GPUs, apart from what was measured.
#pragma once

#include <span>
#include <vector>

#include "reports/published.h"
#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

// Of problems that a side measured: its fastest row beside the published value.
Table published_problems(std::span<const Side> sides, std::span<const Published> published);

// Of training and serving, which these rows are no measure of; costs only where they are asked for.
Table published_phases(std::span<const Side> sides, std::span<const Published> published,
                       bool with_costs);

}  // namespace steelyard
