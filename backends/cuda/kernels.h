// SPDX-License-Identifier: Apache-2.0
// What NVIDIA's GPUs have beside the kernels that both vendors share: one table per file.
#pragma once

#include <span>

#include "backends/backend.h"

namespace steelyard::cuda {

std::span<const Kernel> cublaslt_kernels();  // cublaslt.cpp
std::span<const Kernel> cudnn_kernels();     // cudnn.cpp

}  // namespace steelyard::cuda
