// SPDX-License-Identifier: Apache-2.0
// Result files for tests: made up, the same for the same arguments.
#pragma once

#include <cstdint>

#include "reports/record.h"

namespace steelyard {

// `rows` rows of `samples` samples each, every tenth of them not measured, by turns for each
// reason.
ResultFile generate_results(int rows, int samples, std::uint64_t seed = 1);

}  // namespace steelyard
