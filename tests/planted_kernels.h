// SPDX-License-Identifier: Apache-2.0
// f32 GEMM kernels (layout nn) on the CPU that are wrong in one way each, and one that is right:
// what a harness must tell apart.
#pragma once

#include <string_view>
#include <vector>

#include "backends/backend.h"

namespace steelyard {

inline constexpr std::string_view planted_correct = "correct";

// correct, swapped_columns, missing_last_k, unwritten_tile, stale_output, wrong_element,
// half_precision, writes_input, writes_behind, throws, loses_device
const std::vector<Kernel>& planted_kernels();

// The CPU as a device with the planted kernels whose names are listed; all without a list.
Backend planted_backend(const std::vector<std::string_view>& names = {});

}  // namespace steelyard
