// SPDX-License-Identifier: Apache-2.0
// The GPU that the tests of backends/gpu/ run on: the first of this build's, or the emulated one of a
// build without a GPU vendor.
#pragma once

#include "backends/backend.h"

namespace steelyard {

const Backend& gpu_backend();

// Throws std::runtime_error with "no GPU device" where there is none: ctest counts such tests as
// skipped.
Device& gpu_device();

// Verifies every row of the GPU's table that takes the problem against the oracle, on two operand sets
// without guard bands and with them. Returns how many rows there were.
int check_every_row(const Problem& problem, Fill fill = Fill::normal);

// The same for one kernel, which must take the problem.
void check_kernel(const Kernel& kernel, const Problem& problem, Fill fill = Fill::normal);

// The same for the row of that name, which must take the problem.
void check_row(std::string_view kernel, const Problem& problem, Fill fill = Fill::normal);

// The same on one operand set, for problems that take long.
void check_large_row(std::string_view kernel, const Problem& problem);

}  // namespace steelyard
