// SPDX-License-Identifier: Apache-2.0
// What AMD's GPUs have beside the kernels that both vendors share: one table per file.
#pragma once

#include <span>

#include "backends/backend.h"

namespace steelyard::hip {

std::span<const Kernel> hipblaslt_kernels();  // hipblaslt.cpp
std::span<const Kernel> hipdnn_kernels();     // hipdnn.cpp
std::span<const Kernel> rocblas_kernels();    // rocblas.cpp

}  // namespace steelyard::hip
