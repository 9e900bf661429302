// SPDX-License-Identifier: Apache-2.0
// What a comparison comes to.
#pragma once

#include <span>

#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

// One sentence for each side but the reference.
Table headline(std::span<const Side> sides, const Relative& relative);

}  // namespace steelyard
