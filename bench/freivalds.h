// SPDX-License-Identifier: Apache-2.0
// Checking a whole product C = alpha A B + beta C0 in O(n^2): C x against A (B x) for random x.
#pragma once

#include <span>

#include "backends/inputs.h"

namespace steelyard {

// x is Gaussian, so that no pattern of errors cancels for certain, and zero outside one block of 64
// columns, so that a small fault does not drown in the rounding of a whole row (Freivalds 1977; Ji,
// Mascagni, Li: arXiv 1705.10449). Returns the largest deviation over all rows and blocks in
// standard deviations of the rounding errors that the types imply: about 5 for a correct product,
// above `freivalds_limit` for a wrong one. `inputs` are those of the problem, C0 among them where
// beta is not 0. Scales count as part of A and B; each row of a grouped product meets its group's B.
double freivalds_deviation(const Gemm& problem, std::span<const HostTensor> inputs,
                           const HostTensor& c);

inline constexpr double freivalds_limit = 6;

}  // namespace steelyard
