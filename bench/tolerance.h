// SPDX-License-Identifier: Apache-2.0
// How far a correct kernel may be from the truth.
#pragma once

#include <cstddef>

#include "backends/oracle.h"

namespace steelyard {

// Largest error allowed at number `i` of `expected.values`, absolute. `unavoidable` is the largest
// error that rounding to the problem's types causes by itself (attention).
double tolerance(const Problem& problem, const Expected& expected, std::size_t i,
                 double unavoidable);

// Unit roundoff of the accumulator that the problem's types imply: f64 for f64, none for integers,
// f32 otherwise.
double accumulator_roundoff(const Problem& problem);

}  // namespace steelyard
